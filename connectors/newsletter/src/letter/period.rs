//! The days a letter is about.

use jiff::civil::{Date, DateTime};
use raccord_look::dates;
use raccord_model::{Lang, RoundupOf};

/// The days a letter is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Period {
    month: bool,
    first: Date,
    last: Date,
}

impl Period {
    /// What a round-up at that hour is about; nothing where it is no programme.
    pub(crate) fn of(what: RoundupOf, at: DateTime) -> Option<Self> {
        let (first, last) = what.days(at)?;
        Some(Self {
            month: what == RoundupOf::Month,
            first,
            last,
        })
    }

    /// Its first and its last day.
    pub(crate) fn days(self) -> (Date, Date) {
        (self.first, self.last)
    }

    /// What the letter is called.
    pub(crate) fn heading(self, lang: Lang) -> String {
        match (self.month, lang) {
            (false, _) => dates::week(lang, self.first),
            (true, Lang::Fr) => {
                let month = dates::month_year(lang, self.first);
                let of = if month.starts_with(['a', 'o']) {
                    "d’"
                } else {
                    "de "
                };
                format!("Programme {of}{month}")
            }
            (true, Lang::En) => {
                format!("Programme for {}", dates::month_year(lang, self.first))
            }
        }
    }

    /// What it is, as addresses name it.
    pub(crate) fn kind(self) -> &'static str {
        if self.month { "month" } else { "week" }
    }

    /// The month, as addresses of printed programmes name it.
    pub(crate) fn month(self) -> String {
        self.days().0.strftime("%Y-%m").to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn headings_are_said_as_people_say_them() {
        for (month, fr) in [
            (4, "Programme d’avril 2027"),
            (1, "Programme de janvier 2027"),
        ] {
            let at = date(2027, month, 2).at(9, 0, 0, 0);
            let month = Period::of(RoundupOf::Month, at);
            let heading = month.map(|month| month.heading(Lang::Fr).replace('\u{a0}', " "));
            assert_eq!(heading.as_deref(), Some(fr));
        }
        let week = Period::of(RoundupOf::Week, date(2027, 1, 28).at(9, 0, 0, 0));
        let heading = week.map(|week| week.heading(Lang::En).replace('\u{a0}', " "));
        let named = "28 January – 3 February";
        assert_eq!(heading.as_deref(), Some(named));
    }
}
