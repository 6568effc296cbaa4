//! `ledger`: credits and balances, in hundredths.

use std::fmt;

use raccord_model::EntityId;
use serde::{Deserialize, Serialize};

use super::{MANY, Shape, and_more};
use crate::locale::{View, shown};
use crate::report::{BOLD, DIM};

/// Credits and balances.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LedgerShape {
    /// What each person has.
    pub balances: Vec<BalanceShape>,
    /// The credits, oldest first.
    pub entries: Vec<EntryShape>,
}

/// What one person has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BalanceShape {
    /// The person.
    pub person: EntityId,
    /// What people call them, where this may be shown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Hundredths.
    pub amount: i64,
}

/// One credit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EntryShape {
    /// The credit.
    pub id: EntityId,
    /// The person.
    pub person: EntityId,
    /// Hundredths; below zero where it was taken back.
    pub amount: i64,
    /// What it is for.
    pub reason: String,
    /// The entity or event that caused it.
    pub cause: String,
    /// Where it stands (`done`, `pending`, `held` ...).
    pub state: String,
}

impl Shape for LedgerShape {
    fn human(&self, view: &View, out: &mut dyn fmt::Write) -> fmt::Result {
        if self.balances.is_empty() && self.entries.is_empty() {
            let none = view.say(
                "Aucun crédit n'a encore été donné.",
                "No credit has been given yet.",
            );
            return writeln!(out, "{none}");
        }
        let title = view.say("Soldes :", "Balances:");
        writeln!(out, "{BOLD}{title}{BOLD:#}")?;
        for balance in self.balances.iter().take(MANY) {
            let name = if balance.name.is_empty() {
                balance.person.to_string()
            } else {
                shown(&balance.name)
            };
            writeln!(out, "  {:>10}  {name}", view.amount(balance.amount))?;
        }
        and_more(self.balances.len().saturating_sub(MANY), view, out)?;
        let title = view.say("Mouvements :", "Movements:");
        writeln!(out, "\n{BOLD}{title}{BOLD:#}")?;
        for entry in self.entries.iter().take(MANY) {
            let (amount, reason) = (view.amount(entry.amount), shown(&entry.reason));
            let state = shown(&entry.state);
            writeln!(
                out,
                "  {amount:>10}  {reason} {DIM}({state}, {}){DIM:#}",
                entry.id
            )?;
        }
        and_more(self.entries.len().saturating_sub(MANY), view, out)
    }
}
