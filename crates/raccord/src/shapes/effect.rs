//! One effect: what a tool receives, or received.

use std::fmt;

use jiff::Timestamp;
use raccord_model::{Action, Civil, ConnectorName, DeliveryId, EntityId};
use serde::{Deserialize, Serialize};

use super::{MANY, and_more};
use crate::locale::{View, shown};
use crate::report::{BOLD, DIM, GREEN, RED, YELLOW};

/// One effect on one tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EffectShape {
    /// The connector's name.
    pub connector: ConnectorName,
    /// The entity or publication.
    pub entity: EntityId,
    /// What is done to it.
    pub action: Action,
    /// When, where it is not at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// What people call it.
    pub title: String,
    /// When the activity starts, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Civil>,
    /// What the tool shows now, in a few lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What it will show, in a few lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// The message that people will read, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The delivery that makes it, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<DeliveryId>,
    /// Where people can see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// It was made, and the tool held exactly that already: nobody sees a difference.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unchanged: bool,
}

/// Whether effects are announced or told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tense {
    /// They will be made.
    Todo,
    /// They were made.
    Done,
}

impl EffectShape {
    /// Writes the effect as a line, with its changed lines under it.
    fn human(&self, tense: Tense, view: &View, out: &mut dyn fmt::Write) -> fmt::Result {
        let (mark, colour) = match self.action {
            Action::Create => ('+', GREEN),
            Action::Update => ('~', YELLOW),
            Action::Cancel => ('×', RED),
            Action::Remove => ('−', RED),
            Action::Send => ('→', GREEN),
            Action::Adopt => ('=', GREEN),
        };
        let verb = verb(self.action, tense, view);
        let title = view
            .say("« {} »", "“{}”")
            .replace("{}", &shown(&self.title));
        write!(out, "  {colour}{mark} {verb}{colour:#} {title}")?;
        if let Some(start) = self.start {
            write!(out, " ({})", view.civil(start))?;
        }
        if let Some(due) = self.due {
            let when = view.say("le", "on");
            write!(out, " {DIM}{when} {}{DIM:#}", view.instant(due))?;
        }
        writeln!(out)?;
        self.difference(out)?;
        let text = self.text.iter().filter(|_| tense == Tense::Todo);
        for line in text.flat_map(|text| text.lines()) {
            writeln!(out, "      {DIM}│{DIM:#} {}", shown(line))?;
        }
        Ok(())
    }

    /// The lines that only stand before, and those that only stand after.
    fn difference(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let lines = |text: &Option<String>| -> Vec<String> {
            text.iter()
                .flat_map(|text| text.lines())
                .filter(|line| !line.trim().is_empty())
                .map(shown)
                .collect()
        };
        let (before, after) = (lines(&self.before), lines(&self.after));
        if before.is_empty() && self.action != Action::Update {
            return Ok(());
        }
        for line in before.iter().filter(|line| !after.contains(line)) {
            writeln!(out, "      {RED}- {line}{RED:#}")?;
        }
        for line in after.iter().filter(|line| !before.contains(line)) {
            writeln!(out, "      {GREEN}+ {line}{GREEN:#}")?;
        }
        Ok(())
    }
}

fn verb(action: Action, tense: Tense, view: &View) -> &'static str {
    let (todo, done) = match action {
        Action::Create => (("créer", "create"), ("créé", "created")),
        Action::Update => (("modifier", "change"), ("modifié", "changed")),
        Action::Cancel => (("annuler", "cancel"), ("annulé", "cancelled")),
        Action::Remove => (("retirer", "remove"), ("retiré", "removed")),
        Action::Send => (("envoyer", "send"), ("envoyé", "sent")),
        Action::Adopt => (("relier", "link"), ("relié", "linked")),
    };
    let (fr, en) = match tense {
        Tense::Todo => todo,
        Tense::Done => done,
    };
    match view.lang {
        raccord_model::Lang::Fr => fr,
        raccord_model::Lang::En => en,
    }
}

/// Writes effects, a line each, without naming a tool.
///
/// # Errors
/// Those of `out`.
pub(super) fn each(
    effects: &[EffectShape],
    tense: Tense,
    view: &View,
    out: &mut dyn fmt::Write,
) -> fmt::Result {
    for effect in effects.iter().take(MANY) {
        effect.human(tense, view, out)?;
    }
    and_more(effects.len().saturating_sub(MANY), view, out)
}

/// Writes effects by tool, in the order the tools are first named.
///
/// # Errors
/// Those of `out`.
pub(super) fn by_tool(
    effects: &[EffectShape],
    tense: Tense,
    view: &View,
    out: &mut dyn fmt::Write,
) -> fmt::Result {
    let mut tools: Vec<&ConnectorName> = Vec::new();
    for effect in effects {
        if !tools.contains(&&effect.connector) {
            tools.push(&effect.connector);
        }
    }
    for tool in tools {
        let title = match tense {
            Tense::Todo => view.say("À faire dans « {} » :", "To do in “{}”:"),
            Tense::Done => view.say("Fait dans « {} » :", "Done in “{}”:"),
        }
        .replace("{}", tool.as_str());
        writeln!(out, "{BOLD}{title}{BOLD:#}")?;
        let mine = effects.iter().filter(|e| e.connector == *tool);
        let (right, changed): (Vec<_>, Vec<_>) = mine.partition(|e| e.unchanged);
        for effect in changed.iter().take(MANY) {
            effect.human(tense, view, out)?;
        }
        and_more(changed.len().saturating_sub(MANY), view, out)?;
        if !right.is_empty() {
            let checked = already_right(right.len(), view);
            writeln!(out, "  {DIM}= {checked}{DIM:#}")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// `45 vérifiés, déjà justes`.
fn already_right(n: usize, view: &View) -> String {
    view.count(
        n,
        ("vérifié, déjà juste", "vérifiés, déjà justes"),
        ("checked, already right", "checked, already right"),
    )
}

/// `3 changements : 1 à créer, 2 à modifier.`
///
/// # Errors
/// Those of `out`.
pub(super) fn total(
    effects: &[EffectShape],
    tense: Tense,
    view: &View,
    out: &mut dyn fmt::Write,
) -> fmt::Result {
    let (right, effects): (Vec<_>, Vec<_>) = effects.iter().partition(|e| e.unchanged);
    let mut parts = Vec::new();
    for action in [
        Action::Create,
        Action::Update,
        Action::Cancel,
        Action::Remove,
        Action::Send,
        Action::Adopt,
    ] {
        let n = effects.iter().filter(|e| e.action == action).count();
        if n > 0 {
            let to = match tense {
                Tense::Todo => view.say("à ", "to "),
                Tense::Done => "",
            };
            // French participles agree: « 2 créés ».
            let plural = match (tense, view.lang) {
                (Tense::Done, raccord_model::Lang::Fr) if n > 1 => "s",
                _ => "",
            };
            parts.push(format!("{n} {to}{}{plural}", verb(action, tense, view)));
        }
    }
    let sum = view.count(
        effects.len(),
        ("changement", "changements"),
        ("change", "changes"),
    );
    let colon = view.say(" :", ":");
    match (effects.is_empty(), right.is_empty()) {
        (_, true) => writeln!(out, "{sum}{colon} {}.", parts.join(", ")),
        (true, false) => {
            let none = view.say("Rien n'a changé :", "Nothing changed:");
            writeln!(out, "{none} {}.", already_right(right.len(), view))
        }
        (false, false) => {
            let right = already_right(right.len(), view);
            let and = view.say(" ;", ";");
            writeln!(out, "{sum}{colon} {}{and} {right}.", parts.join(", "))
        }
    }
}
