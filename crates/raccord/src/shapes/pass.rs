//! `plan` and `sync`: what tools would receive now, what they received in a pass, and what the
//! sheets' authors should look at.

use std::fmt;

use jiff::Timestamp;
use raccord_model::{ConnectorName, DeliveryId, EntityId};
use serde::{Deserialize, Serialize};

use super::effect::{EffectShape, Tense, by_tool, total};
use super::{DeadShape, HoldShape, MANY, Shape, and_more};
use crate::locale::{View, sentence, shown};
use crate::report::{BOLD, DIM, Exit, YELLOW};

/// What every tool would receive now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlanShape {
    /// The effects, in the order they would be made.
    pub effects: Vec<EffectShape>,
    /// Changes that wait, or would wait, for a person's yes.
    pub holds: Vec<HoldShape>,
    /// Lines that are gone and not yet cancelled.
    pub missing: Vec<MissingShape>,
    /// What cannot be read.
    pub unread: Vec<UnreadShape>,
    /// Deliveries that were given up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dead: Vec<DeadShape>,
    /// What deserves a word and changes nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<WarningShape>,
}

/// What one pass did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SyncShape {
    /// Sources that were read.
    pub observed: u64,
    /// Events of this pass.
    pub events: u64,
    /// Effects made in it.
    pub done: u64,
    /// Those effects.
    pub effects: Vec<EffectShape>,
    /// Deliveries that are due later, or wait for a tool.
    pub later: Vec<LaterShape>,
    /// Lines that are gone and not yet cancelled.
    pub missing: Vec<MissingShape>,
    /// Open holds.
    pub holds: Vec<HoldShape>,
    /// Deliveries that were given up.
    pub dead: Vec<DeadShape>,
    /// What cannot be read.
    pub unread: Vec<UnreadShape>,
    /// What deserves a word and changes nothing.
    pub warnings: Vec<WarningShape>,
}

/// A line that is gone from its source and waits for the second look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MissingShape {
    /// The entity.
    pub entity: EntityId,
    /// What people call it.
    pub title: String,
    /// The source.
    pub source: String,
    /// The tab it was last seen on.
    pub sheet: String,
    /// The line it was last seen at.
    pub row: u32,
    /// The first reading that missed it.
    pub since: Timestamp,
    /// From when on the next complete reading cancels it.
    pub until: Timestamp,
}

/// A cell, a line or a source that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadShape {
    /// The source.
    pub source: String,
    /// The tab, or `""`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sheet: String,
    /// The line, from 1; 0 when it is about the tab or the whole document.
    #[serde(default, skip_serializing_if = "is_none")]
    pub row: u32,
    /// The column as letters, or `""`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub column: String,
    /// A stable code.
    pub code: String,
    /// What was found, as written.
    pub found: String,
    /// What to write instead, as a full sentence.
    pub write: String,
}

/// Something that was read, changes nothing, and deserves a word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarningShape {
    /// The source.
    pub source: String,
    /// The tab, or `""`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sheet: String,
    /// The line, or 0.
    #[serde(default, skip_serializing_if = "is_none")]
    pub row: u32,
    /// `duplicate-line`, `unknown-column` ...
    pub code: String,
    /// The sentence.
    pub text: String,
}

/// Lines are numbered from 1: 0 is none.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands out references"
)]
fn is_none(row: &u32) -> bool {
    *row == 0
}

/// A delivery that is not made yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LaterShape {
    /// The delivery.
    pub delivery: DeliveryId,
    /// When it is tried next, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// What it waits for, as a sentence.
    pub why: String,
    /// The connector.
    pub connector: ConnectorName,
    /// What people call its object.
    pub title: String,
}

impl Shape for PlanShape {
    fn human(&self, view: &View, out: &mut dyn fmt::Write) -> fmt::Result {
        if self.effects.is_empty() {
            let nothing = if self.exit() == Exit::Done {
                view.say(
                    "Rien à faire : tous les outils sont à jour.",
                    "Nothing to do: every tool is up to date.",
                )
            } else {
                view.say(
                    "Rien d'autre à faire que ce qui suit.",
                    "Nothing to do but what follows.",
                )
            };
            writeln!(out, "{nothing}")?;
        } else {
            by_tool(&self.effects, Tense::Todo, view, out)?;
            total(&self.effects, Tense::Todo, view, out)?;
        }
        for_people(
            &self.missing,
            &self.holds,
            &self.dead,
            &self.unread,
            &self.warnings,
            view,
            out,
        )
    }

    fn exit(&self) -> Exit {
        attention(&self.holds, &self.dead, &self.unread)
    }
}

impl Shape for SyncShape {
    fn human(&self, view: &View, out: &mut dyn fmt::Write) -> fmt::Result {
        if self.effects.is_empty() {
            let nothing = match (self.later.is_empty(), self.exit()) {
                (true, Exit::Done) => view.say(
                    "Rien n'a changé : tous les outils sont à jour.",
                    "Nothing changed: every tool is up to date.",
                ),
                // Something waits for a person: not everything is as it should be.
                (true, _) => view.say("Rien n'a changé.", "Nothing changed."),
                (false, _) => view.say(
                    "Rien n'a pu être fait pour l'instant.",
                    "Nothing could be done yet.",
                ),
            };
            writeln!(out, "{nothing}")?;
        } else {
            by_tool(&self.effects, Tense::Done, view, out)?;
            total(&self.effects, Tense::Done, view, out)?;
        }
        if !self.later.is_empty() {
            let title = view.say("Plus tard :", "Later:");
            writeln!(out, "\n{BOLD}{title}{BOLD:#}")?;
            for later in self.later.iter().take(MANY) {
                let (tool, title) = (&later.connector, shown(&later.title));
                match view.lang {
                    raccord_model::Lang::Fr => write!(out, "  … « {title} » dans « {tool} »")?,
                    raccord_model::Lang::En => write!(out, "  … “{title}” in “{tool}”")?,
                }
                if let Some(due) = later.due {
                    let when = view.say("le", "on");
                    write!(out, " {when} {}", view.instant(due))?;
                }
                writeln!(out, "{} {}", view.say(" :", ":"), shown(&later.why))?;
            }
            and_more(self.later.len().saturating_sub(MANY), view, out)?;
        }
        for_people(
            &self.missing,
            &self.holds,
            &self.dead,
            &self.unread,
            &self.warnings,
            view,
            out,
        )
    }

    fn exit(&self) -> Exit {
        attention(&self.holds, &self.dead, &self.unread)
    }
}

fn attention(holds: &[HoldShape], dead: &[DeadShape], unread: &[UnreadShape]) -> Exit {
    if holds.is_empty() && dead.is_empty() && unread.is_empty() {
        Exit::Done
    } else {
        Exit::Attention
    }
}

/// What a person should look at, below what is done.
fn for_people(
    missing: &[MissingShape],
    holds: &[HoldShape],
    dead: &[DeadShape],
    unread: &[UnreadShape],
    warnings: &[WarningShape],
    view: &View,
    out: &mut dyn fmt::Write,
) -> fmt::Result {
    if !missing.is_empty() {
        let title = view.say("Disparu, pas encore annulé :", "Gone, not cancelled yet:");
        writeln!(out, "\n{BOLD}{title}{BOLD:#}")?;
        for line in missing.iter().take(MANY) {
            let title = shown(&line.title);
            let at = position(&line.source, &line.sheet, line.row, "", view);
            let until = view.instant(line.until);
            match view.lang {
                raccord_model::Lang::Fr => writeln!(
                    out,
                    "  ? « {title} », {at} : annulé si cela manque encore après le {until}"
                )?,
                raccord_model::Lang::En => writeln!(
                    out,
                    "  ? “{title}”, {at}: cancelled if it is still missing after {until}"
                )?,
            }
        }
        and_more(missing.len().saturating_sub(MANY), view, out)?;
    }
    // About a whole source it is a sentence, not what stands in a cell.
    let whole =
        |cell: &&UnreadShape| cell.row == 0 && cell.column.is_empty() && cell.sheet.is_empty();
    let (away, cells): (Vec<&UnreadShape>, Vec<&UnreadShape>) = unread.iter().partition(whole);
    for (title, unread) in [
        (view.say("Pas lu :", "Not read:"), away),
        (view.say("À corriger :", "To mend:"), cells),
    ] {
        if unread.is_empty() {
            continue;
        }
        writeln!(out, "\n{YELLOW}{title}{YELLOW:#}")?;
        for cell in unread.iter().take(MANY) {
            let at = position(&cell.source, &cell.sheet, cell.row, &cell.column, view);
            let found = shown(&cell.found);
            let sentence = cell.row == 0 && cell.column.is_empty();
            let found = match (view.lang, found.is_empty()) {
                (_, true) => String::new(),
                (_, false) if sentence => format!("{} {found}", view.say(" :", ":")),
                (raccord_model::Lang::Fr, false) => format!(" : « {found} »"),
                (raccord_model::Lang::En, false) => format!(": “{found}”"),
            };
            writeln!(out, "  ! {at}{found}")?;
            writeln!(out, "      → {}", shown(&cell.write))?;
        }
        and_more(unread.len().saturating_sub(MANY), view, out)?;
    }
    // What waits for a yes is told below, with the commands to answer it.
    let told = |word: &&WarningShape| holds.iter().all(|hold| hold.reason != word.text);
    let warnings: Vec<&WarningShape> = warnings.iter().filter(told).collect();
    if !warnings.is_empty() {
        let title = view.say("Bon à savoir :", "Good to know:");
        writeln!(out, "\n{BOLD}{title}{BOLD:#}")?;
        for word in warnings.iter().take(MANY) {
            let at = position(&word.source, &word.sheet, word.row, "", view);
            let colon = view.say(" :", ":");
            writeln!(out, "  · {at}{colon} {}", sentence(&word.text))?;
        }
        and_more(warnings.len().saturating_sub(MANY), view, out)?;
    }
    if !holds.is_empty() {
        writeln!(out)?;
        super::hold::list(holds, view, out)?;
    }
    if !dead.is_empty() {
        writeln!(out)?;
        super::dead::list(dead, view, out)?;
    }
    Ok(())
}

/// Where something stands, as a person looks for it: tab, line, column, source.
fn position(source: &str, sheet: &str, row: u32, column: &str, view: &View) -> String {
    let mut parts = Vec::new();
    if !sheet.is_empty() {
        let tab = view.say("feuille « {} »", "sheet “{}”");
        parts.push(tab.replace("{}", &shown(sheet)));
    }
    if row > 0 {
        parts.push(format!("{} {row}", view.say("ligne", "line")));
    }
    if !column.is_empty() {
        parts.push(format!(
            "{} {}",
            view.say("colonne", "column"),
            shown(column)
        ));
    }
    if parts.is_empty() {
        parts.push(view.say("« {} »", "“{}”").replace("{}", &shown(source)));
    } else {
        let dim = format!("{DIM}({}){DIM:#}", shown(source));
        return format!("{} {dim}", parts.join(", "));
    }
    parts.join(", ")
}
