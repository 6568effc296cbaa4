//! Numbers of people and of credits.
//!
//! A number that can be read in two ways ("1,000", "20-30") is not read.

use crate::text;

/// Words that may stand around a number of people or of credits without changing it.
const UNITS: &[&str] = &[
    "pers",
    "personne",
    "personnes",
    "p",
    "place",
    "places",
    "people",
    "person",
    "persons",
    "participants",
    "participant",
    "participantes",
    "seat",
    "seats",
    "max",
    "maxi",
    "maximum",
    "env",
    "environ",
    "about",
    "credit",
    "credits",
    "cr",
    "pt",
    "pts",
    "point",
    "points",
    "unite",
    "unites",
    "u",
    "unit",
    "units",
    "jusqu",
    "a",
    "up",
    "to",
    "adultes",
    "inscrits",
    "spots",
    "spectateurs",
];

/// What a number cell says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Amount<T> {
    /// Nothing, or a word for no limit.
    Absent,
    /// A number.
    Of(T),
}

/// How many people: a whole number with or without its unit.
pub(crate) fn capacity(text: &str) -> Option<Amount<u32>> {
    let plain = text::plain(text);
    if crate::words::nothing(&plain)
        || matches!(
            text::key(&plain).as_str(),
            "" | "illimite"
                | "illimitee"
                | "libre"
                | "sans limite"
                | "pas de limite"
                | "unlimited"
                | "no limit"
                | "none"
                | "aucune"
                | "aucun"
                | "n a"
                | "na"
                | "neant"
        )
    {
        return Some(Amount::Absent);
    }
    let hundredths = amount(&plain)?;
    (hundredths % 100 == 0)
        .then(|| u32::try_from(hundredths / 100).ok())
        .flatten()
        .map(Amount::Of)
}

/// Credits in hundredths: "1,5", "1.5", "2 crédits", "1h", "1h30" (an hour is a credit).
pub(crate) fn credits(text: &str) -> Option<Amount<i64>> {
    let plain = text::plain(text);
    if crate::words::nothing(&plain)
        || matches!(
            text::key(&plain).as_str(),
            "" | "aucun" | "none" | "n a" | "na" | "neant" | "non" | "no"
        )
    {
        return Some(Amount::Absent);
    }
    if let Some(hundredths) = hours(&plain) {
        return Some(Amount::Of(hundredths));
    }
    amount(&plain).map(Amount::Of)
}

/// A number of a typed cell, in hundredths.
pub(crate) fn hundredths(number: f64) -> Option<i64> {
    let scaled = number * 100.0;
    let rounded = scaled.round();
    ((0.0..1e11).contains(&rounded) && (scaled - rounded).abs() < 1e-6).then_some(rounded as i64)
}

fn hours(plain: &str) -> Option<i64> {
    let compact: String = plain.chars().filter(|c| *c != ' ').collect();
    let (whole, rest) = compact.split_once('h')?;
    let rest = rest
        .strip_prefix("eures")
        .or_else(|| rest.strip_prefix("eure"))
        .unwrap_or(rest);
    let rest = rest.trim_end_matches("min").trim_end_matches("mn");
    if rest.is_empty() {
        return decimal(whole);
    }
    let (hours, minutes) = (digits(whole)?, digits(rest)?);
    (rest.len() == 2 && minutes < 60 && minutes * 100 % 60 == 0)
        .then(|| hours * 100 + minutes * 100 / 60)
}

/// Exactly one number among words that do not change it, in hundredths.
fn amount(plain: &str) -> Option<i64> {
    let mut number = None;
    // "1 200": a space between groups of three.
    let joined = join_thousands(plain);
    for word in
        joined.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '~' | ':' | '\'' | '+'))
    {
        let word = word.trim_end_matches(['.', ',']);
        if word.is_empty() {
            continue;
        }
        let split = word.find(|c: char| !c.is_ascii_digit() && c != ',' && c != '.');
        let (figures, unit) = split.map_or((word, ""), |at| word.split_at(at));
        if !figures.is_empty() && number.replace(decimal(figures)?).is_some() {
            return None;
        }
        if !unit.is_empty() && !UNITS.contains(&unit.trim_end_matches('.')) {
            return None;
        }
    }
    number
}

fn join_thousands(plain: &str) -> String {
    let bytes: Vec<char> = plain.chars().collect();
    let digit = |i: usize| bytes.get(i).is_some_and(char::is_ascii_digit);
    let mut out = String::with_capacity(plain.len());
    for (i, &c) in bytes.iter().enumerate() {
        let group = c == ' '
            && i > 0
            && digit(i - 1)
            && (1..=3).all(|after| digit(i + after))
            && !digit(i + 4);
        if !group {
            out.push(c);
        }
    }
    out
}

fn decimal(figures: &str) -> Option<i64> {
    let (whole, part) = figures.split_once([',', '.']).unwrap_or((figures, ""));
    let (whole, part) = (
        if whole.is_empty() { "0" } else { whole },
        part.trim_end_matches('0'),
    );
    // "1,000" may be a thousand or one: three figures after the sign are not read.
    let long = figures
        .split_once([',', '.'])
        .is_some_and(|(_, part)| part.len() == 3);
    if part.len() > 2 || long || !figures.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let hundredths = match part.len() {
        0 => 0,
        1 => digits(part)? * 10,
        _ => digits(part)?,
    };
    digits(whole)?.checked_mul(100)?.checked_add(hundredths)
}

fn digits(text: &str) -> Option<i64> {
    (!text.is_empty() && text.len() <= 9 && text.bytes().all(|b| b.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credits_are_hundredths_however_they_are_written() {
        for (text, hundredths) in [
            ("1", 100),
            ("1,5", 150),
            ("1.5", 150),
            ("0", 0),
            ("2,50", 250),
            ("1h", 100),
            ("1h30", 150),
            ("1 h 30", 150),
            ("2 crédits", 200),
            ("1,5h", 150),
            ("3 heures", 300),
            ("1 200", 120_000),
            (",5", 50),
            ("0.25", 25),
        ] {
            assert_eq!(credits(text), Some(Amount::Of(hundredths)), "{text}");
        }
        for text in [
            "1,000", "1.234", "x", "-1", "1-2", "1 2", "h", "1h5", "une", "=1+1", "1,2,3",
        ] {
            assert_eq!(credits(text), None, "{text}");
        }
        assert_eq!(credits(" - "), Some(Amount::Absent));
    }

    #[test]
    fn capacities_are_whole_people() {
        for (text, people) in [
            ("30", 30),
            ("30 pers.", 30),
            ("30 places max", 30),
            ("max 12", 12),
            ("30.0", 30),
            ("1 200", 1200),
            ("~30", 30),
            ("30p", 30),
        ] {
            assert_eq!(capacity(text), Some(Amount::Of(people)), "{text}");
        }
        assert_eq!(capacity("illimité"), Some(Amount::Absent));
        for text in ["20-30", "1,5", "beaucoup", "20 ou 30", "12 tables de 4"] {
            assert_eq!(capacity(text), None, "{text}");
        }
    }

    #[test]
    fn typed_numbers_are_rounded_to_what_was_written() {
        assert_eq!(hundredths(1.15), Some(115));
        assert_eq!(hundredths(3.5), Some(350));
        assert_eq!(hundredths(0.005), None);
        assert_eq!(hundredths(-1.0), None);
        assert_eq!(hundredths(f64::NAN), None);
        assert_eq!(hundredths(f64::INFINITY), None);
    }
}
