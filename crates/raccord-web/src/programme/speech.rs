//! How the programme's page says dates and hours, in French and in English. Pure.

use jiff::civil::{Date, Time, Weekday};
use raccord_look::hour;
use raccord_model::{Activity, Civil, Lang};

/// The fixed words of the page, in one language.
pub(super) struct PageWords {
    pub(super) programme: &'static str,
    pub(super) empty: &'static str,
    all_day: &'static str,
    pub(super) tentative: &'static str,
    pub(super) full: &'static str,
    pub(super) cancelled: &'static str,
    pub(super) today: &'static str,
    pub(super) skip: &'static str,
    pub(super) earlier: &'static str,
    pub(super) later: &'static str,
    pub(super) pages: &'static str,
    pub(super) what: &'static str,
    pub(super) undated: &'static str,
    pub(super) poll: &'static str,
}

const FR: PageWords = PageWords {
    programme: "Programme",
    empty: "Rien n’est annoncé pour le moment.",
    all_day: "toute la journée",
    tentative: "À confirmer",
    full: "Complet",
    cancelled: "Annulé",
    today: "aujourd’hui",
    skip: "Aller au contenu",
    earlier: "Plus tôt",
    later: "Plus tard",
    pages: "Pages",
    what: "Ce qui vient à",
    undated: "Date à fixer",
    poll: "Choisir la date",
};

const EN: PageWords = PageWords {
    programme: "Programme",
    empty: "Nothing is announced at the moment.",
    all_day: "all day",
    tentative: "To be confirmed",
    full: "Full",
    cancelled: "Cancelled",
    today: "today",
    skip: "Skip to content",
    earlier: "Earlier",
    later: "Later",
    pages: "Pages",
    what: "What is to come at",
    undated: "Date to be chosen",
    poll: "Choose the date",
};

/// How dates and hours are said.
#[derive(Clone, Copy)]
pub(super) struct Speech(pub(super) Lang);

impl Speech {
    pub(super) fn words(self) -> &'static PageWords {
        match self.0 {
            Lang::Fr => &FR,
            Lang::En => &EN,
        }
    }

    /// "2 janvier", "1er janvier", "2 January".
    fn date(self, date: Date) -> String {
        format!("{}\u{a0}{}", self.number(date), self.0.month(date.month()))
    }

    /// "2", "1er".
    pub(super) fn number(self, date: Date) -> String {
        match (self.0, date.day()) {
            (Lang::Fr, 1) => "1er".to_owned(),
            (_, day) => day.to_string(),
        }
    }

    /// Whether a day stands out as one of the weekend.
    pub(super) fn weekend(date: Date) -> bool {
        matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
    }

    fn until(self, date: Date) -> String {
        match self.0 {
            Lang::Fr => format!("jusqu’au {}", self.date(date)),
            Lang::En => format!("until {}", self.date(date)),
        }
    }

    pub(super) fn when(self, activity: &Activity, today: Date) -> String {
        let first = activity.start.date();
        let last = activity.end.map_or(first, Civil::date);
        let end = activity.end.and_then(Civil::time);
        if first < today {
            return match (self.0, end) {
                (Lang::Fr, Some(end)) if last <= today => format!("jusqu’à {}", hour(end, self.0)),
                (Lang::En, Some(end)) if last <= today => format!("until {}", hour(end, self.0)),
                (Lang::Fr, None) if last < today => "en cours".to_owned(),
                (Lang::En, None) if last < today => "going on".to_owned(),
                _ => self.until(last),
            };
        }
        let next_morning = first.tomorrow().ok() == Some(last)
            && end.is_some_and(|end| end <= Time::constant(8, 0, 0, 0));
        let start = activity.start.time().map(|start| hour(start, self.0));
        let end = end.map(|end| hour(end, self.0));
        match (start, end) {
            (None, _) if last > first => self.until(last),
            (None, _) => self.words().all_day.to_owned(),
            (Some(start), Some(end)) if last == first || next_morning => {
                format!("{start} – {end}")
            }
            (Some(start), Some(end)) => format!("{start}, {} {end}", self.until(last)),
            (Some(start), None) if last > first => format!("{start}, {}", self.until(last)),
            (Some(start), None) => start,
        }
    }

    pub(super) fn more(self, count: usize) -> String {
        match (self.0, count) {
            (Lang::Fr, 1) => "Et une autre activité, plus tard.".to_owned(),
            (Lang::Fr, _) => format!("Et {count} autres activités, plus tard."),
            (Lang::En, 1) => "And one more activity, later.".to_owned(),
            (Lang::En, _) => format!("And {count} more activities, later."),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn hours_are_said_as_people_say_them() {
        let today: Date = "2027-01-02".parse().unwrap();
        let when = |lang, start: &str, end: Option<&str>| {
            let activity: Activity = serde_json::from_value(json!({
                "id": "0b8f6f5e-0d3b-5c57-9f5e-000000000001", "title": "x", "start": start, "end": end,
            }))
            .unwrap();
            Speech(lang)
                .when(&activity, today)
                .replace(['\u{a0}', '\u{202f}'], " ")
        };
        for (start, end, fr, en) in [
            ("2027-01-02", None, "toute la journée", "all day"),
            (
                "2027-01-02",
                Some("2027-01-02"),
                "toute la journée",
                "all day",
            ),
            (
                "2027-01-02",
                Some("2027-02-01"),
                "jusqu’au 1er février",
                "until 1 February",
            ),
            ("2027-01-02T18:05", None, "18 h 05", "18:05"),
            (
                "2027-01-02T18:30",
                Some("2027-01-02T20:00"),
                "18 h 30 – 20 h",
                "18:30 – 20:00",
            ),
            (
                "2027-01-02T22:00",
                Some("2027-01-03T02:00"),
                "22 h – 2 h",
                "22:00 – 2:00",
            ),
            (
                "2027-01-02T22:00",
                Some("2027-01-03T17:00"),
                "22 h, jusqu’au 3 janvier 17 h",
                "22:00, until 3 January 17:00",
            ),
            (
                "2027-01-02T22:00",
                Some("2027-01-04"),
                "22 h, jusqu’au 4 janvier",
                "22:00, until 4 January",
            ),
            (
                "2027-01-01T22:00",
                Some("2027-01-02T02:00"),
                "jusqu’à 2 h",
                "until 2:00",
            ),
            (
                "2026-12-28",
                Some("2027-01-03"),
                "jusqu’au 3 janvier",
                "until 3 January",
            ),
            (
                "2027-01-02T22:00",
                Some("2027-01-03T00:00"),
                "22 h – minuit",
                "22:00 – midnight",
            ),
            ("2027-01-01T23:00", None, "en cours", "going on"),
        ] {
            assert_eq!(when(Lang::Fr, start, end), fr);
            assert_eq!(when(Lang::En, start, end), en);
        }
    }
}
