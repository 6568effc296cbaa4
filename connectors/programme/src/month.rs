//! A month of the calendar: its title, its file, and the day under which something stands. Pure.

use jiff::civil::Date;
use raccord_model::{Activity, Lang};

use crate::typography as set;

/// A month of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Month {
    /// Its first day.
    pub first: Date,
}

impl Month {
    /// Reads a publication's key, `2027-01`.
    pub(crate) fn of_key(key: &str) -> Option<Self> {
        let fits = key.len() == 7 && key.is_ascii();
        let first = fits.then(|| format!("{key}-01").parse().ok())??;
        Some(Self { first })
    }

    pub(crate) fn last(self) -> Date {
        self.first.last_of_month()
    }

    /// "Programme de janvier 2027".
    pub(crate) fn title(self, lang: Lang) -> String {
        let year = self.first.year();
        let number = self.first.month();
        match lang {
            Lang::Fr => format!("Programme {} {year}", set::of_month(number)),
            Lang::En => format!("Programme for {} {year}", lang.month(number)),
        }
    }

    /// What stands before the fingerprint of its credits: "Crédits de décembre 2026 : ".
    pub(crate) fn credits(self, lang: Lang) -> String {
        let (year, number) = (self.first.year(), self.first.month());
        match lang {
            Lang::Fr => format!("Crédits {} {year}\u{a0}: ", set::of_month(number)),
            Lang::En => format!("Credits of {} {year}: ", lang.month(number)),
        }
    }

    /// `2027-01`.
    pub(crate) fn key(self) -> String {
        format!("{:04}-{:02}", self.first.year(), self.first.month())
    }

    /// The day it stands under: what began earlier stands under the month's first day.
    pub(crate) fn shown_on(self, activity: &Activity) -> Date {
        activity.start.date().max(self.first)
    }
}
