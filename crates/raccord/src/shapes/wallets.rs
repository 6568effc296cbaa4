//! `ledger PERSON --wallet`: what cashless systems tell of a person's wallet, in hundredths.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{MANY, Shape, and_more};
use crate::locale::{View, shown};
use crate::report::{BOLD, DIM, Exit, RED};

/// A person's wallets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WalletsShape(pub Vec<WalletShape>);

/// A wallet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WalletShape {
    /// The connector of the tool that keeps it.
    pub connector: String,
    /// What it holds.
    pub amount: i64,
    /// What went in and out, oldest first.
    pub movements: Vec<MovementShape>,
    /// Why the tool could not be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// What went in, or out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MovementShape {
    /// When, where the tool tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Below zero for what went out.
    pub amount: i64,
    /// What it was.
    pub what: String,
}

impl Shape for WalletsShape {
    fn human(&self, view: &View, out: &mut dyn fmt::Write) -> fmt::Result {
        if self.0.is_empty() {
            let none = view.say(
                "Aucun outil ne tient de porte-monnaie que Raccord puisse lire.",
                "No tool keeps wallets that Raccord can read.",
            );
            return writeln!(out, "{none}");
        }
        for wallet in &self.0 {
            wallet.human(view, out)?;
        }
        Ok(())
    }

    fn exit(&self) -> Exit {
        if self.0.iter().any(|wallet| wallet.failure.is_some()) {
            Exit::Failed
        } else {
            Exit::Done
        }
    }
}

impl WalletShape {
    fn human(&self, view: &View, out: &mut dyn fmt::Write) -> fmt::Result {
        let name = shown(&self.connector);
        if let Some(failure) = &self.failure {
            return writeln!(out, "{RED}{name} : {}{RED:#}", shown(failure));
        }
        if self.movements.is_empty() {
            let none = view.say(
                "pas de porte-monnaie connu : rien n'y a encore été crédité par Raccord",
                "no wallet is known: Raccord has not credited anything there yet",
            );
            return writeln!(out, "{name} : {none}");
        }
        let amount = view.amount(self.amount);
        writeln!(out, "{BOLD}{name} : {amount}{BOLD:#}")?;
        // The newest are what somebody looks for.
        let first = self.movements.len().saturating_sub(MANY);
        for one in &self.movements[first..] {
            let (amount, what) = (view.amount(one.amount), shown(&one.what));
            write!(out, "  {amount:>10}  {what}")?;
            if let Some(at) = one.at {
                write!(out, " {DIM}({}){DIM:#}", view.instant(at))?;
            }
            writeln!(out)?;
        }
        and_more(first, view, out)
    }
}
