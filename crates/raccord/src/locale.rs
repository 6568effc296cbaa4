//! The language people are answered in, and how dates, hours and amounts read in it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use raccord_model::{Civil, Lang, Words};

/// The language a process's locale asks for: what `LC_ALL`, `LC_MESSAGES` or `LANG` names first.
/// French where the locale names no language at all (`C`, `POSIX`, nothing set).
pub fn of_environment(env: &BTreeMap<String, String>) -> Lang {
    let named = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .iter()
        .filter_map(|key| env.get(*key))
        .find(|value| !value.is_empty());
    let language = named.map_or("", |value| {
        value.split(['_', '.', '@']).next().unwrap_or("")
    });
    match language {
        "" | "C" | "POSIX" | "fr" => Lang::Fr,
        _ => Lang::En,
    }
}

/// How one person looks at an answer: language, zone, and the instant it is.
#[derive(Clone, Debug)]
pub struct View {
    /// The language.
    pub lang: Lang,
    /// The place's zone.
    pub zone: TimeZone,
    /// The instant it is: the year is left out of dates of this year.
    pub now: Timestamp,
}

impl View {
    /// Picks the sentence in the view's language.
    pub fn say<'a>(&self, fr: &'a str, en: &'a str) -> &'a str {
        match self.lang {
            Lang::Fr => fr,
            Lang::En => en,
        }
    }

    /// `3 lignes`, `1 line`: a number with the word that goes with it.
    pub fn count(&self, n: usize, fr: (&str, &str), en: (&str, &str)) -> String {
        let word = match self.lang {
            Lang::Fr if n < 2 => fr.0,
            Lang::Fr => fr.1,
            Lang::En if n == 1 => en.0,
            Lang::En => en.1,
        };
        format!("{n} {word}")
    }

    /// A civil moment: `sam. 16 janv. 15 h`, `Sat 16 Jan 15:00`.
    pub fn civil(&self, at: Civil) -> String {
        let mut text = self.day(at.date());
        if let Some(time) = at.time() {
            text.push(' ');
            text.push_str(&self.hour(time.hour(), time.minute()));
        }
        text
    }

    /// An instant, in the place's zone.
    pub fn instant(&self, at: Timestamp) -> String {
        let here = at.to_zoned(self.zone.clone());
        let mut text = self.day(here.date());
        text.push(' ');
        text.push_str(&self.hour(here.hour(), here.minute()));
        text
    }

    fn day(&self, date: Date) -> String {
        let weekday = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or_default();
        let month = usize::try_from(date.month() - 1).unwrap_or_default();
        let mut text = String::new();
        match self.lang {
            Lang::Fr => {
                text.push_str(FR_DAYS[weekday]);
                text.push(' ');
                match date.day() {
                    1 => text.push_str("1er"),
                    day => text.push_str(&day.to_string()),
                }
                text.push(' ');
                text.push_str(FR_MONTHS[month]);
            }
            Lang::En => {
                let (day, month) = (EN_DAYS[weekday], EN_MONTHS[month]);
                write!(text, "{day} {} {month}", date.day()).expect("a String takes every text");
            }
        }
        if date.year() != self.now.to_zoned(self.zone.clone()).year() {
            write!(text, " {}", date.year()).expect("a String takes every text");
        }
        text
    }

    fn hour(&self, hour: i8, minute: i8) -> String {
        match (self.lang, minute) {
            (Lang::Fr, 0) => format!("{hour}\u{a0}h"),
            (Lang::Fr, _) => format!("{hour}\u{a0}h\u{a0}{minute:02}"),
            (Lang::En, _) => format!("{hour:02}:{minute:02}"),
        }
    }

    /// An amount of hundredths: `1,5` or `1.5`.
    pub fn amount(&self, hundredths: i64) -> String {
        let sign = if hundredths < 0 { "−" } else { "" };
        let (whole, part) = (
            hundredths.unsigned_abs() / 100,
            hundredths.unsigned_abs() % 100,
        );
        let comma = self.say(",", ".");
        match part {
            0 => format!("{sign}{whole}"),
            tenths if tenths % 10 == 0 => format!("{sign}{whole}{comma}{}", tenths / 10),
            _ => format!("{sign}{whole}{comma}{part:02}"),
        }
    }
}

impl View {
    /// A length of time given in minutes: `12 h`, `12 h 30`, in both languages.
    pub fn hours(&self, minutes: u64) -> String {
        let hours = self.grouped(minutes / 60);
        match minutes % 60 {
            0 => format!("{hours}\u{a0}h"),
            rest => format!("{hours}\u{a0}h\u{a0}{rest:02}"),
        }
    }

    /// Hundredths of a currency: `1 234,50` or `1,234.50`.
    pub fn money(&self, hundredths: i64) -> String {
        let sign = if hundredths < 0 { "−" } else { "" };
        let all = hundredths.unsigned_abs();
        let (whole, comma) = (self.grouped(all / 100), self.say(",", "."));
        format!("{sign}{whole}{comma}{:02}", all % 100)
    }

    /// A whole number with its thousands apart.
    fn grouped(&self, number: u64) -> String {
        let digits = number.to_string();
        let mut text = String::with_capacity(digits.len() + 8);
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                text.push_str(self.say("\u{202f}", ","));
            }
            text.push(digit);
        }
        text
    }

    /// The same view in each language.
    fn both(&self, say: impl Fn(&Self) -> String) -> Words {
        let lang = |lang| Self {
            lang,
            ..self.clone()
        };
        Words::new(say(&lang(Lang::Fr)), say(&lang(Lang::En)))
    }
}

impl raccord_engine::Say for View {
    fn civil(&self, at: Civil) -> Words {
        self.both(|view| view.civil(at))
    }

    fn instant(&self, at: Timestamp) -> Words {
        self.both(|view| view.instant(at))
    }
}

const FR_DAYS: [&str; 7] = ["lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."];
const EN_DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const FR_MONTHS: [&str; 12] = [
    "janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.",
    "déc.",
];
const EN_MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// French typography for our own sentences: no line break before `: ; ! ? »` nor after `«`, and
/// curved apostrophes. What stands between `«` and `»` is somebody's own text and is kept, so that
/// it can be copied and searched for.
pub fn typeset(lang: Lang, text: &str) -> String {
    if lang == Lang::En {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut quoted = false;
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied().unwrap_or(' ');
        match c {
            ' ' if next == '»' => out.push('\u{a0}'),
            ' ' if before == '«' => out.push('\u{a0}'),
            ' ' if !quoted && next == ':' => out.push('\u{a0}'),
            ' ' if !quoted && matches!(next, ';' | '!' | '?') && !before.is_whitespace() => {
                out.push('\u{202f}');
            }
            '\'' if !quoted && before.is_alphabetic() && next.is_alphanumeric() => out.push('’'),
            other => out.push(other),
        }
        quoted = match c {
            '«' => true,
            '»' | '\n' => false,
            _ => quoted,
        };
        before = c;
    }
    out
}

/// Text from outside, made safe to show on a terminal: no control characters, no direction
/// overrides, at most 200 characters.
pub fn shown(text: &str) -> String {
    safe(text, 200)
}

/// The same for whole sentences: at most 1,000 characters.
pub fn sentence(text: &str) -> String {
    safe(text, 1_000)
}

fn safe(text: &str, most: usize) -> String {
    let mut out = String::with_capacity(text.len().min(256));
    for (index, c) in text.chars().enumerate() {
        if index == most {
            out.push('…');
            break;
        }
        match c {
            '\n' | '\r' | '\t' => out.push(' '),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn view(lang: Lang) -> View {
        View {
            lang,
            zone: TimeZone::get("Indian/Reunion").unwrap(),
            now: "2027-01-02T08:00:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn dates_read_as_people_write_them() {
        let fr = view(Lang::Fr);
        assert_eq!(
            fr.civil("2027-01-16T15:00".parse().unwrap()),
            "sam. 16 janv. 15\u{a0}h"
        );
        assert_eq!(
            fr.civil("2027-02-01T18:30".parse().unwrap()),
            "lun. 1er févr. 18\u{a0}h\u{a0}30"
        );
        assert_eq!(fr.civil("2026-12-31".parse().unwrap()), "jeu. 31 déc. 2026");
        let en = view(Lang::En);
        assert_eq!(
            en.civil("2027-01-16T15:00".parse().unwrap()),
            "Sat 16 Jan 15:00"
        );
        assert_eq!(
            en.instant("2027-01-02T20:30:00Z".parse().unwrap()),
            "Sun 3 Jan 00:30"
        );
    }

    #[test]
    fn hours_and_money_read_as_people_write_them() {
        let (fr, en) = (view(Lang::Fr), view(Lang::En));
        assert_eq!(fr.hours(90), "1\u{a0}h\u{a0}30");
        assert_eq!(fr.hours(60 * 1_234), "1\u{202f}234\u{a0}h");
        assert_eq!(fr.money(123_450), "1\u{202f}234,50");
        assert_eq!(en.money(123_456_705), "1,234,567.05");
        assert_eq!(en.money(-5), "−0.05");
    }

    #[test]
    fn amounts_are_never_rounded() {
        let fr = view(Lang::Fr);
        let read: Vec<_> = [0, 5, 50, 150, 200, 1234, -250]
            .map(|n| fr.amount(n))
            .into();
        assert_eq!(read, ["0", "0,05", "0,5", "1,5", "2", "12,34", "−2,5"]);
        assert_eq!(view(Lang::En).amount(150), "1.5");
    }

    #[test]
    fn the_locale_chooses_french_unless_it_names_another_language() {
        for (value, lang) in [
            ("fr_FR.UTF-8", Lang::Fr),
            ("fr", Lang::Fr),
            ("C.UTF-8", Lang::Fr),
            ("", Lang::Fr),
            ("en_GB.UTF-8", Lang::En),
            ("de_DE@euro", Lang::En),
        ] {
            let env = [("LANG".to_owned(), value.to_owned())].into();
            assert_eq!(of_environment(&env), lang, "{value}");
        }
    }

    #[test]
    fn a_title_cannot_drive_the_terminal() {
        assert_eq!(shown("a\u{1b}[2Jb\u{202e}c\nd"), "a\u{fffd}[2Jbc d");
        assert_eq!(shown(&"x".repeat(500)).chars().count(), 201);
    }

    #[test]
    fn french_marks_stay_with_their_word() {
        assert_eq!(
            typeset(Lang::Fr, "« Bal » : oui !"),
            "«\u{a0}Bal\u{a0}»\u{a0}: oui\u{202f}!"
        );
        assert_eq!(
            typeset(Lang::Fr, "« Vélo : l'été » n'est pas là"),
            "«\u{a0}Vélo : l'été\u{a0}» n’est pas là"
        );
        assert_eq!(typeset(Lang::En, "« a » : b"), "« a » : b");
    }
}
