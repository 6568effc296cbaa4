//! The answers of a form as a source of sign-ups: what Nextcloud Forms, Framaforms (Drupal's
//! Webform), LimeSurvey and Framadate write out, and sheets of the same kind that people keep.
//!
//! Whoever answered twice counts once, by the latest answer. An answer that is gone cancels nothing:
//! it is told. Nothing that is kept between two readings says who anybody is.

mod columns;
mod grid;
pub(crate) mod say;
mod signed;
mod subjects;

pub(crate) use columns::{Chosen, recognised};
pub(crate) use grid::Collector;
pub(crate) use signed::Told;
pub(crate) use subjects::{Named, coming_digest};

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use raccord_model::Offered;

/// What a reading of answers goes by.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    /// The one tab to read.
    pub(crate) sheet: Option<String>,
    pub(crate) chosen: Chosen,
    /// What all answers are for, where no column says it.
    pub(crate) named: Named,
    /// What one can sign up for.
    pub(crate) offered: Vec<Offered>,
    /// The hour it is, by the clock of the place.
    pub(crate) now: DateTime,
    pub(crate) zone: TimeZone,
    /// What was told before.
    pub(crate) told: Told,
}

impl Rules {
    pub(crate) fn today(&self) -> Date {
        self.now.date()
    }
}
