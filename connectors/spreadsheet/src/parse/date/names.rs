//! The words for weekdays and months, and what a tab's name or a title says with them.

use jiff::civil::Weekday;

use super::Around;
use super::grammar::{Token, tokens};
use crate::text;

/// The month and year a tab's name or a title speaks of: "JANVIER", "février 27", "Programme de
/// janvier 2027", "Saison 2026-2027".
pub(crate) fn about(name: &str) -> Around {
    let plain = text::plain(name);
    let tokens = tokens(&plain);
    let mut around = Around::default();
    let mut months = Vec::new();
    let mut years = Vec::new();
    for (i, (_, token)) in tokens.iter().enumerate() {
        match token {
            Token::Word(word) => {
                if word.len() > 3 || tokens.len() <= 3 {
                    months.extend(month_word(word).map(|month| (i, month)));
                }
            }
            Token::Figures(figures) => {
                if let Some(year) = four_figure_year(figures) {
                    years.push((i, year));
                }
            }
            Token::Sign(_) => {}
        }
    }
    // More than one month, or a day beside it ("avant le 20 janvier"), is no month of the tab's.
    if let [(at, month)] = months[..] {
        let day_before = at
            .checked_sub(1)
            .is_some_and(|before| matches!(&tokens[before].1, Token::Figures(f) if f.len() <= 2));
        if !day_before {
            around.month = Some(month);
            if years.is_empty()
                && let Some((_, Token::Figures(figures))) = tokens.get(at + 1)
                && figures.len() == 2
                && tokens.len() == at + 2
            {
                years.push((at + 1, 2000 + figures.parse().unwrap_or(0)));
            }
        }
    }
    match years[..] {
        [(_, year)] => around.year = Some(year),
        [(_, year), (_, next)] if next == year + 1 => {
            around.year = Some(year);
            around.season = Some(next);
        }
        _ => {}
    }
    around
}

pub(super) fn four_figure_year(figures: &str) -> Option<i16> {
    (figures.len() == 4)
        .then(|| figures.parse().ok())
        .flatten()
        .filter(|year| (1990..=2100).contains(year))
}

pub(super) fn weekday_word(word: &str) -> Option<Weekday> {
    Some(match word {
        "lundi" | "lun" | "lu" | "monday" | "mon" => Weekday::Monday,
        "mardi" | "mar" | "ma" | "tuesday" | "tue" | "tues" => Weekday::Tuesday,
        "mercredi" | "mer" | "merc" | "mercr" | "me" | "wednesday" | "wed" | "weds" => {
            Weekday::Wednesday
        }
        "jeudi" | "jeu" | "je" | "thursday" | "thu" | "thur" | "thurs" => Weekday::Thursday,
        "vendredi" | "ven" | "vend" | "vendr" | "ve" | "friday" | "fri" => Weekday::Friday,
        "samedi" | "sam" | "sa" | "saturday" | "sat" => Weekday::Saturday,
        "dimanche" | "dim" | "di" | "sunday" | "sun" => Weekday::Sunday,
        _ => return None,
    })
}

/// The weekday a cell names on its own.
pub(crate) fn weekday(cell: &str) -> Option<Weekday> {
    weekday_word(text::key(cell).as_str())
}

/// Weekdays in the plural: "mardis", "Tuesdays".
pub(super) fn weekdays_word(word: &str) -> Option<Weekday> {
    (word.len() > 4)
        .then(|| word.strip_suffix('s'))
        .flatten()
        .and_then(weekday_word)
}

pub(super) fn month_word(word: &str) -> Option<i8> {
    Some(match word {
        "janvier" | "janv" | "jan" | "january" => 1,
        "fevrier" | "fevr" | "fev" | "february" | "feb" => 2,
        "mars" | "mar" | "march" => 3,
        "avril" | "avr" | "april" | "apr" => 4,
        "mai" | "may" => 5,
        "juin" | "june" | "jun" => 6,
        "juillet" | "juil" | "july" | "jul" => 7,
        "aout" | "aou" | "august" | "aug" => 8,
        "septembre" | "sept" | "sep" | "september" => 9,
        "octobre" | "oct" | "october" => 10,
        "novembre" | "nov" | "november" => 11,
        "decembre" | "dec" | "december" => 12,
        _ => return None,
    })
}
