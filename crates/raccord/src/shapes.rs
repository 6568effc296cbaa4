//! The answers of commands: the JSON shapes that checks from outside read, each with its form for
//! people, in French and English.
//!
//! They hold what is said, not how it was found out. Absent means not known; null is not written.
//! Amounts are integer hundredths.

use std::fmt;

use serde::Serialize;

use crate::locale::View;
use crate::report::Exit;

mod check;
mod dead;
mod deed;
mod effect;
mod hold;
mod ledger;
mod log;
mod pass;
mod person;
mod places;
mod readers;
mod volunteering;
mod wallets;
mod why;

#[cfg(test)]
mod tests;

pub use check::{CheckShape, ToolShape};
pub use dead::{DeadListShape, DeadShape};
pub use deed::{Deed, DeedShape};
pub use effect::{EffectShape, Tense};
pub use hold::{HoldListShape, HoldShape};
pub use ledger::{
    AccountsShape, BalanceShape, CompareShape, ComparedShape, EntryShape, LedgerCheckShape,
    LedgerFaultShape, LedgerShape, MonthShape, ReceiptsShape,
};
pub use log::LogLine;
pub use pass::{LaterShape, MissingShape, PlanShape, SyncShape, UnreadShape, WarningShape};
pub use person::{CodeShape, KnownShape, PersonShape};
pub use places::{PlaceShape, PlaceState, PlacesShape};
pub use readers::{ReaderShape, ReadersShape};
pub use volunteering::{VolunteeringShape, WorkShape};
pub use wallets::{MovementShape, WalletShape, WalletsShape};
pub use why::{StepKind, StepShape, WhyShape};

/// An answer that can be printed.
pub trait Shape: Serialize {
    /// Writes it for people, with terminal styles (taken off where there is no terminal).
    ///
    /// # Errors
    /// None of its own: those of `out`.
    fn human(&self, view: &View, out: &mut dyn fmt::Write) -> fmt::Result;

    /// How the program ends after it.
    fn exit(&self) -> Exit {
        Exit::Done
    }
}

/// The answer as people read it, with French spacing and terminal styles.
pub fn text(shape: &impl Shape, view: &View) -> String {
    let mut out = String::new();
    shape
        .human(view, &mut out)
        .expect("a String takes every text");
    crate::locale::typeset(view.lang, &out)
}

/// At most this many items of one list are shown to people; `--json` has them all.
const MANY: usize = 60;

/// Says that a list was cut.
fn and_more(left: usize, view: &View, out: &mut dyn fmt::Write) -> fmt::Result {
    if left == 0 {
        return Ok(());
    }
    match view.lang {
        raccord_model::Lang::Fr => {
            writeln!(out, "  … et {left} de plus (--json les donne tous)")
        }
        raccord_model::Lang::En => {
            writeln!(out, "  … and {left} more (--json gives them all)")
        }
    }
}
