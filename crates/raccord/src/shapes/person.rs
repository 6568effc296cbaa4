//! `person`: what is known of somebody.

use std::fmt;

use jiff::Timestamp;
use raccord_model::EntityId;
use serde::{Deserialize, Serialize};

use super::{MANY, Shape, and_more};
use crate::locale::{View, shown};
use crate::report::{BOLD, DIM};

/// What is known of a person, or was until it was forgotten.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonShape {
    /// Their address, as it was given.
    pub email: String,
    /// Whether it was forgotten.
    pub forgotten: bool,
    /// Where they stand.
    pub known: Vec<KnownShape>,
}

/// A field somebody stands in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownShape {
    /// The entity.
    pub entity: EntityId,
    /// What people call it.
    pub title: String,
    /// Its field.
    pub field: String,
    /// Whether the field is kept apart as a personal value; others are part of the log.
    pub personal: bool,
    /// The line it comes from: source, tab and row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cell: Option<String>,
    /// What stands there.
    pub value: String,
}

/// A code by which somebody shows in a chat who they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeShape {
    /// Their address, as it was given.
    pub email: String,
    /// The code.
    pub code: String,
    /// It is no good from this instant on.
    pub until: Timestamp,
}

impl Shape for CodeShape {
    fn human(&self, view: &View, out: &mut dyn fmt::Write) -> fmt::Result {
        let until = view.instant(self.until);
        writeln!(out, "{BOLD}{}{BOLD:#}", self.code)?;
        let text = view.say(
            "Donnez ce code à {email}, et à personne d'autre : cette personne écrit « !moi {code} » dans un salon où Raccord lit. Il sert une fois, jusqu'au {until}.",
            "Give this code to {email}, and to nobody else: they write “!me {code}” in a room that Raccord reads. It is good once, until {until}.",
        );
        let text = text
            .replace("{email}", &shown(&self.email))
            .replace("{code}", &self.code)
            .replace("{until}", &until);
        writeln!(out, "{text}")
    }
}

impl Shape for PersonShape {
    fn human(&self, view: &View, out: &mut dyn fmt::Write) -> fmt::Result {
        let email = shown(&self.email);
        let known = self.known.len();
        let head = match (self.forgotten, known) {
            (false, _) => view
                .say("Ce que l'on sait de {} :", "What is known of {}:")
                .to_owned(),
            (true, 0) => view
                .say(
                    "De {}, on ne savait rien. Aucune sauvegarde ne l'apportera.",
                    "Of {}, nothing was known. No backup will bring it.",
                )
                .to_owned(),
            (true, _) => view
                .say(
                    "{} est oubliée. On savait :",
                    "{} is forgotten. It was known:",
                )
                .to_owned(),
        };
        writeln!(out, "{BOLD}{}{BOLD:#}", head.replace("{}", &email))?;
        for item in self.known.iter().take(MANY) {
            write!(out, "  « {} », {}", shown(&item.title), item.field)?;
            if let Some(cell) = &item.cell {
                write!(out, " {DIM}({}){DIM:#}", shown(cell))?;
            }
            if self.forgotten {
                writeln!(out)?;
            } else {
                writeln!(out, " : {}", shown(&item.value))?;
            }
        }
        and_more(known.saturating_sub(MANY), view, out)?;
        if !self.forgotten {
            return Ok(());
        }
        let written = self.known.iter().any(|item| !item.personal);
        if self.known.iter().any(|item| item.cell.is_some()) {
            writeln!(
                out,
                "{}",
                view.say(
                    "La feuille, elle, n'a pas été touchée : effacez-y cette adresse. Raccord ne la reprendra pas.",
                    "The sheet itself was not touched: take the address out of it. Raccord will not take it again."
                )
            )?;
        }
        if written {
            writeln!(
                out,
                "{}",
                view.say(
                    "Ce qui est écrit dans un titre ou une description est public et reste dans le journal jusqu'à ce qu'il s'efface (13 mois) : corrigez la feuille, et les affichages suivront.",
                    "What is written in a title or a description is public and stays in the log until that lets it go (13 months): correct the sheet, and what is shown will follow."
                )
            )?;
        }
        writeln!(
            out,
            "{}",
            view.say(
                "Les sauvegardes déjà faites contiennent encore ces valeurs : `restore` ne les reprendra pas, mais détruisez celles que vous ne gardez pas.",
                "Backups made before still hold these values: `restore` will not take them back, but destroy those you do not keep."
            )
        )
    }
}
