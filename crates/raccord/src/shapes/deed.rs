//! What a command that changes something did: `approve`, `reject`, `retry`, `drop`, `backup`,
//! `printed`, `restore`, `unmute`, `rebuild`, `migrate`.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Shape;
use super::effect::{EffectShape, Tense, by_tool};
use crate::locale::{View, shown};

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Deed {
    /// A hold was approved.
    Approved,
    /// A hold was rejected.
    Rejected,
    /// A delivery will be tried again.
    Retried,
    /// A connector that stopped is used again.
    #[serde(rename = "switched-on")]
    SwitchedOn,
    /// A delivery was given up for good.
    Dropped,
    /// A printed programme hangs on the wall.
    Printed,
    /// It was taken down.
    #[serde(rename = "taken-down")]
    TakenDown,
    /// The log was saved to a file.
    Saved,
    /// The log was replaced by a saved one; the place is mute.
    Restored,
    /// The place sends again.
    Unmuted,
    /// The place was not mute: nothing was done.
    #[serde(rename = "not-mute")]
    NotMute,
    /// The place is a rehearsal and stays mute.
    Rehearsal,
    /// Projections were made again from the log.
    Rebuilt,
    /// The log goes on elsewhere.
    Migrated,
}

/// What a command did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeedShape {
    /// What was done.
    pub did: Deed,
    /// The hold, delivery, connector or file it was done to.
    #[serde(rename = "ref", default, skip_serializing_if = "String::is_empty")]
    pub reference: String,
    /// What it set off: effects that were made at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub effects: Vec<EffectShape>,
    /// How many commits it covers, for the log's own commands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commits: Option<u64>,
    /// How many bytes were written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

impl Shape for DeedShape {
    fn human(&self, view: &View, out: &mut dyn fmt::Write) -> fmt::Result {
        let reference = shown(&self.reference);
        let (fr, en) = match self.did {
            Deed::Approved => ("C'est oui pour {}.", "Yes to {}."),
            Deed::Rejected => ("C'est non pour {}.", "No to {}."),
            Deed::Retried => ("{} sera essayé de nouveau.", "{} will be tried again."),
            Deed::SwitchedOn => (
                "« {} » sert de nouveau : ce qui attendait part.",
                "“{}” is used again: what was waiting is sent.",
            ),
            Deed::Dropped => ("{} est abandonné pour de bon.", "{} is given up for good."),
            Deed::Printed => (
                "{} : c'est au mur. Ce qui changera ensuite sera dit sur une feuille à épingler à côté.",
                "{}: it is on the wall. What changes from now on will be told on a sheet to pin beside it.",
            ),
            Deed::TakenDown => (
                "{} : ce n'est plus au mur.",
                "{}: it is no longer on the wall.",
            ),
            Deed::Saved => (
                "Le journal est sauvegardé dans {}.",
                "The log is saved in {}.",
            ),
            Deed::Restored => (
                "Le journal est revenu à {}. Ce lieu lit et montre un plan, mais n'envoie rien tant que vous n'avez pas dit `raccord unmute --moved` (c'est bien lui) ou `--copy` (c'est une répétition).",
                "The log is back at {}. This place reads and shows a plan, but sends nothing until you say `raccord unmute --moved` (this is the real one) or `--copy` (this is a rehearsal).",
            ),
            Deed::Migrated => (
                "Le journal est maintenant dans {}. Écrivez-le dans la configuration, partie [place] : `bus` pour des serveurs, `data` pour un dossier. D'ici là, ce lieu n'envoie rien.",
                "The log is in {} now. Write that in the configuration, section [place]: `bus` for servers, `data` for a folder. Until then this place sends nothing.",
            ),
            Deed::Unmuted => (
                "Ce lieu envoie de nouveau. Ce qui est déjà dans les outils sera relié avant tout envoi.",
                "This place sends again. What is already in the tools is linked before anything is sent.",
            ),
            Deed::NotMute => (
                "Ce lieu n'était pas muet : il envoie comme avant, rien n'a changé.",
                "This place was not mute: it sends as before, nothing was changed.",
            ),
            Deed::Rehearsal => (
                "Ce lieu est une répétition : il n'enverra rien.",
                "This place is a rehearsal: it will send nothing.",
            ),
            Deed::Rebuilt => (
                "Tout a été refait à partir du journal.",
                "Everything was made again from the log.",
            ),
        };
        write!(out, "{}", view.say(fr, en).replace("{}", &reference))?;
        if let Some(commits) = self.commits {
            let n = usize::try_from(commits).unwrap_or(usize::MAX);
            let n = view.count(n, ("écriture", "écritures"), ("commit", "commits"));
            write!(out, " ({n})")?;
        }
        writeln!(out)?;
        if !self.effects.is_empty() {
            writeln!(out)?;
            by_tool(&self.effects, Tense::Done, view, out)?;
        }
        Ok(())
    }
}
