//! Days as people write them: `2027-01-02`, `02/01`, `sam. 2 janv.`, `1er février`, `12-14/01`,
//! `du 30 décembre au 2 janvier`, `tous les mardis`, `Sat 2 January 2027`.
//!
//! Day comes before month, never the other way round. What is missing (a year, a month) comes
//! from the sheet or stays missing; a weekday that does not go with its date is an error, for one
//! of the two is wrong and nobody here knows which.

use jiff::civil::{Date, Weekday, date};

use crate::text;

/// A day as written: what is not written is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Day {
    pub(crate) weekday: Option<Weekday>,
    /// Of the month.
    pub(crate) number: i8,
    pub(crate) month: Option<i8>,
    pub(crate) year: Option<i16>,
}

/// What a date cell says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One day.
    One(Day),
    /// From a day to another, both included.
    Range(Day, Day),
    /// Several days, each on its own.
    Several(Vec<Day>),
    /// Every such weekday of a month, or between two days.
    Weekly {
        weekdays: Vec<Weekday>,
        month: Option<(i8, Option<i16>)>,
        between: Option<(Day, Day)>,
    },
}

/// Why a date cell means no day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It is written in a way that is not understood.
    Unreadable,
    /// There is no such day (`32/01`, `30 février`).
    NoSuchDay,
    /// The weekday and the date do not go together: what the date really is.
    Weekday { said: Weekday, date: Date },
    /// The year is nowhere to be found.
    NoYear,
    /// The month is nowhere to be found.
    NoMonth,
    /// It can be read in two ways (`05-07`).
    Ambiguous,
    /// The last day is before the first.
    Backwards,
    /// A weekly date without month or last day.
    Endless,
}

/// What the sheet around a date says about its month and year.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Around {
    /// The month the tab or the section is about.
    pub(crate) month: Option<i8>,
    /// The year the tab, the title or the settings name.
    pub(crate) year: Option<i16>,
    /// The second year, where a season is named (`2026-2027`).
    pub(crate) season: Option<i16>,
    /// Whole dates written in the same tab, in order of lines: (line, date).
    pub(crate) neighbours: Vec<(u32, Date)>,
    /// The line the date stands on.
    pub(crate) row: u32,
    /// The day it is, as a last resort to choose a year that a weekday confirms.
    pub(crate) today: Option<Date>,
}

/// The days a cell means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Days {
    /// One activity from a day to another (the same, mostly).
    Span(Date, Date),
    /// One activity on each.
    Each(Vec<Date>),
}

/// The longest series that is written out.
const LONGEST_SERIES: usize = 400;

impl Shape {
    /// Whether a year has to come from around.
    pub(crate) fn wants_year(&self) -> bool {
        match self {
            Self::One(day) => day.year.is_none(),
            Self::Range(first, last) => first.year.is_none() && last.year.is_none(),
            Self::Several(days) => days.iter().any(|day| day.year.is_none()),
            Self::Weekly { month, between, .. } => match (between, month) {
                (Some((first, last)), _) => first.year.is_none() && last.year.is_none(),
                (None, Some((_, year))) => year.is_none(),
                (None, None) => true,
            },
        }
    }

    /// The whole date, when one day is written with all its parts.
    pub(crate) fn whole(&self) -> Option<Date> {
        let Self::One(Day {
            number,
            month: Some(month),
            year: Some(year),
            ..
        }) = *self
        else {
            return None;
        };
        Date::new(year, month, number).ok()
    }

    /// The days, with what the sheet around says.
    pub(crate) fn resolve(&self, around: &Around) -> Result<Days, Trouble> {
        match self {
            Self::One(day) => day.resolve(around).map(|date| Days::Span(date, date)),
            Self::Range(first, last) => {
                let (first, last) = span(*first, *last, around)?;
                Ok(Days::Span(first, last))
            }
            Self::Several(days) => {
                let mut last = *days.last().ok_or(Trouble::Unreadable)?;
                let mut dates = Vec::with_capacity(days.len());
                for day in days.iter().rev() {
                    let day = Day {
                        month: day.month.or(last.month),
                        year: day.year.or(last.year),
                        ..*day
                    };
                    last = day;
                    dates.push(day.resolve(around)?);
                }
                dates.reverse();
                if dates.is_sorted_by(|a, b| a < b) {
                    Ok(Days::Each(dates))
                } else {
                    Err(Trouble::Backwards)
                }
            }
            Self::Weekly {
                weekdays,
                month,
                between,
            } => {
                let (first, last) = match between {
                    Some((first, last)) => span(*first, *last, around)?,
                    None => whole_month(*month, around)?,
                };
                let dates: Vec<Date> = first
                    .series(jiff::Span::new().days(1))
                    .take_while(|date| *date <= last)
                    .take(LONGEST_SERIES + 1)
                    .filter(|date| weekdays.contains(&date.weekday()))
                    .collect();
                if last.duration_since(first).as_hours() / 24 > LONGEST_SERIES as i64
                    || dates.is_empty()
                {
                    return Err(Trouble::Endless);
                }
                Ok(Days::Each(dates))
            }
        }
    }
}

fn whole_month(month: Option<(i8, Option<i16>)>, around: &Around) -> Result<(Date, Date), Trouble> {
    let (month, year) = match month {
        Some((month, year)) => (month, year),
        None => (around.month.ok_or(Trouble::Endless)?, None),
    };
    let first = Day {
        weekday: None,
        number: 1,
        month: Some(month),
        year,
    }
    .resolve(around)?;
    Ok((first, first.last_of_month()))
}

fn span(mut first: Day, mut last: Day, around: &Around) -> Result<(Date, Date), Trouble> {
    first.month = first.month.or(last.month);
    last.month = last.month.or(first.month);
    if last.year.is_none() && first.year.is_some() {
        last.year = first.year;
    }
    if last.year.is_some() && first.year.is_none() {
        // "du 30 décembre au 2 janvier 2027" begins the year before.
        let wraps = matches!((first.month, last.month), (Some(a), Some(b)) if a > b);
        first.year = last.year.map(|year| if wraps { year - 1 } else { year });
    }
    let first = first.resolve(around)?;
    if last.year.is_none() {
        last.year = Some(first.year());
        if last.month.is_some_and(|month| month < first.month()) {
            last.year = Some(first.year() + 1);
        }
    }
    let last = last.resolve(around)?;
    if last < first {
        Err(Trouble::Backwards)
    } else {
        Ok((first, last))
    }
}

impl Day {
    fn resolve(self, around: &Around) -> Result<Date, Trouble> {
        let month = self.month.or(around.month).ok_or(Trouble::NoMonth)?;
        if !possible(self.number, month) {
            return Err(Trouble::NoSuchDay);
        }
        let year = match self.year {
            Some(year) => year,
            None => self.year(month, around)?,
        };
        let date = Date::new(year, month, self.number).map_err(|_| Trouble::NoSuchDay)?;
        match self.weekday {
            Some(said) if said != date.weekday() => Err(Trouble::Weekday { said, date }),
            _ => Ok(date),
        }
    }

    /// The year of a day written without one: the tab's or the title's, else the one its
    /// neighbours have, else the only near one that makes the weekday right.
    fn year(self, month: i8, around: &Around) -> Result<i16, Trouble> {
        let fits = |year: i16| {
            Date::new(year, month, self.number)
                .is_ok_and(|date| self.weekday.is_none_or(|said| said == date.weekday()))
        };
        if let Some(year) = around.year {
            return match (around.season, around.month) {
                // A season runs from one autumn to the next summer.
                (Some(next), _) => match month {
                    9.. => Ok(year),
                    ..=6 => Ok(next),
                    _ if self.weekday.is_some() && fits(year) != fits(next) => {
                        Ok(if fits(year) { year } else { next })
                    }
                    _ => Err(Trouble::NoYear),
                },
                // A December day on the January tab is the December before.
                (None, Some(tab)) if month - tab > 6 => Ok(year - 1),
                (None, Some(tab)) if tab - month > 6 => Ok(year + 1),
                _ => Ok(year),
            };
        }
        if !around.neighbours.is_empty() {
            return self
                .year_of_neighbours(month, around)
                .ok_or(Trouble::NoYear);
        }
        if self.weekday.is_some()
            && let Some(today) = around.today
        {
            let mut near = (today.year() - 1..=today.year() + 1).filter(|year| fits(*year));
            if let (Some(year), None) = (near.next(), near.next()) {
                return Ok(year);
            }
        }
        Err(Trouble::NoYear)
    }

    fn year_of_neighbours(self, month: i8, around: &Around) -> Option<i16> {
        let at = around
            .neighbours
            .partition_point(|(row, _)| *row <= around.row);
        let before = at.checked_sub(1).and_then(|at| around.neighbours.get(at));
        let after = around.neighbours.get(at);
        let nearest = |neighbour: &(u32, Date)| {
            let near = neighbour.1;
            (near.year() - 1..=near.year() + 1)
                .filter_map(|year| Date::new(year, month, self.number).ok())
                .min_by_key(|date| date.duration_since(near).as_hours().abs())
                .map(Date::year)
        };
        match (before.and_then(nearest), after.and_then(nearest)) {
            (Some(one), Some(other)) if one != other => None,
            (one, other) => one.or(other),
        }
    }
}

fn possible(day: i8, month: i8) -> bool {
    (1..=12).contains(&month) && (1..=date(2028, month, 1).days_in_month()).contains(&day)
}

/// Reads a date cell; what stands after the date (an hour) comes back as it is.
pub(crate) fn read(cell: &str) -> Result<(Shape, String), Trouble> {
    let plain = text::plain(cell);
    if plain.len() > 200 {
        return Err(Trouble::Unreadable);
    }
    let tokens = tokens(&plain);
    let mut reader = Reader {
        tokens: &tokens,
        at: 0,
    };
    let shape = reader.shape()?;
    let rest = reader
        .tokens
        .get(reader.at)
        .map_or("", |(start, _)| &plain[*start..]);
    let rest = rest
        .strip_prefix('t')
        .filter(|time| time.starts_with(|c: char| c.is_ascii_digit()))
        .unwrap_or(rest);
    let rest = rest
        .trim_start_matches([',', '-', '|', ' ', '.', ';', ':', '('])
        .trim_end_matches(')');
    Ok((shape, rest.trim().to_owned()))
}

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

fn four_figure_year(figures: &str) -> Option<i16> {
    (figures.len() == 4)
        .then(|| figures.parse().ok())
        .flatten()
        .filter(|year| (1990..=2100).contains(year))
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token<'a> {
    Figures(&'a str),
    Word(&'a str),
    Sign(char),
}

/// Figures, words and signs, each with where it begins; spaces and apostrophes are dropped.
fn tokens(plain: &str) -> Vec<(usize, Token<'_>)> {
    let mut out = Vec::new();
    let mut chars = plain.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        if c == ' ' || c == '\'' {
            continue;
        }
        let digit = c.is_ascii_digit();
        if !digit && !c.is_alphabetic() {
            out.push((start, Token::Sign(c)));
            continue;
        }
        let mut end = start + c.len_utf8();
        while let Some(&(at, next)) = chars.peek() {
            let same = if digit {
                next.is_ascii_digit()
            } else {
                next.is_alphabetic()
            };
            if !same {
                break;
            }
            end = at + next.len_utf8();
            chars.next();
        }
        let part = &plain[start..end];
        out.push((
            start,
            if digit {
                Token::Figures(part)
            } else {
                Token::Word(part)
            },
        ));
    }
    out
}

fn weekday_word(word: &str) -> Option<Weekday> {
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
fn weekdays_word(word: &str) -> Option<Weekday> {
    (word.len() > 4)
        .then(|| word.strip_suffix('s'))
        .flatten()
        .and_then(weekday_word)
}

fn month_word(word: &str) -> Option<i8> {
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

struct Reader<'a> {
    tokens: &'a [(usize, Token<'a>)],
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self, ahead: usize) -> Option<&Token<'a>> {
        self.tokens.get(self.at + ahead).map(|(_, token)| token)
    }

    fn word(&self, ahead: usize) -> Option<&'a str> {
        match self.peek(ahead) {
            Some(Token::Word(word)) => Some(word),
            _ => None,
        }
    }

    fn figures(&self, ahead: usize) -> Option<&'a str> {
        match self.peek(ahead) {
            Some(Token::Figures(figures)) => Some(figures),
            _ => None,
        }
    }

    fn sign(&self, ahead: usize) -> Option<char> {
        match self.peek(ahead) {
            Some(Token::Sign(sign)) => Some(*sign),
            _ => None,
        }
    }

    fn skip_words(&mut self, words: &[&str]) -> bool {
        let mut some = false;
        while self.word(0).is_some_and(|word| words.contains(&word)) {
            self.at += 1;
            some = true;
        }
        some
    }

    fn shape(&mut self) -> Result<Shape, Trouble> {
        if let Some(weekly) = self.weekly()? {
            return Ok(weekly);
        }
        let between = self.skip_words(&["du", "from", "entre", "between"]);
        let first = self.day()?;
        // Bare "d-d": a range of days, unless it could be day and month.
        if first.month.is_none()
            && first.weekday.is_none()
            && self.sign(0) == Some('-')
            && let (Some(other), None) = (self.figures(1), self.peek(2))
            && let Ok(other) = other.parse::<i8>()
            && (1..=12).contains(&other)
            && first.number <= 31
            && (first.number < other || first.number > 12)
            && !between
        {
            return Err(Trouble::Ambiguous);
        }
        let before = self.at;
        let ranged = match self.peek(0) {
            Some(Token::Sign('-' | '>' | '→')) => {
                self.at += 1;
                if self.sign(0) == Some('>') {
                    self.at += 1;
                }
                true
            }
            Some(Token::Word("au" | "to" | "until" | "till" | "through")) => {
                self.at += 1;
                true
            }
            Some(Token::Word("jusqu")) => {
                self.at += 1;
                self.skip_words(&["au", "a"]);
                true
            }
            Some(Token::Word("a" | "and" | "et")) if between => {
                self.at += 1;
                true
            }
            _ => false,
        };
        if ranged {
            // "2 janvier - 18h30": an hour follows, not a day.
            if let Some(last) = self.try_day() {
                return Ok(Shape::Range(first, last));
            }
            self.at = before;
            if between {
                return Err(Trouble::Unreadable);
            }
            return Ok(Shape::One(first));
        }
        let mut days = vec![first];
        loop {
            let before = self.at;
            let linked = matches!(
                self.peek(0),
                Some(Token::Word("et" | "and" | "puis") | Token::Sign('&' | ',' | '+'))
            );
            if !linked {
                break;
            }
            self.at += 1;
            if let Some(day) = self.try_day() {
                days.push(day);
            } else {
                self.at = before;
                break;
            }
        }
        if days.len() == 1 {
            Ok(Shape::One(first))
        } else {
            Ok(Shape::Several(days))
        }
    }

    /// A day, unless what stands here reads better as an hour.
    fn try_day(&mut self) -> Option<Day> {
        let before = self.at;
        let bare = self.figures(0).is_some() && {
            match self.peek(1) {
                Some(Token::Word(word)) => month_word(word).is_none() && !ordinal(word),
                Some(Token::Sign(':')) => true,
                _ => false,
            }
        };
        if !bare && let Ok(day) = self.day() {
            return Some(day);
        }
        self.at = before;
        None
    }

    fn weekly(&mut self) -> Result<Option<Shape>, Trouble> {
        let before = self.at;
        let every = self.skip_words(&["tous", "toutes", "chaque", "every", "each", "all"]);
        let the = self.skip_words(&["les", "the", "le"]);
        let mut weekdays = Vec::new();
        while let Some(word) = self.word(0) {
            let plural = weekdays_word(word);
            let single = weekday_word(word).filter(|_| every || !weekdays.is_empty());
            let Some(weekday) = plural.or(single) else {
                break;
            };
            weekdays.push(weekday);
            self.at += 1;
            if self.sign(0) == Some('.') {
                self.at += 1;
            }
            let linked = matches!(
                self.peek(0),
                Some(Token::Word("et" | "and") | Token::Sign(',' | '&' | '+'))
            ) && self
                .word(1)
                .is_some_and(|word| weekday_word(word).or_else(|| weekdays_word(word)).is_some());
            if !linked {
                break;
            }
            self.at += 1;
        }
        if weekdays.is_empty() {
            self.at = before;
            return if every {
                Err(Trouble::Unreadable)
            } else {
                Ok(None)
            };
        }
        // "les mardis" and "tous les mardis" are weekly; "le mardi 5" is a day.
        if !every && !the && self.figures(0).is_some() {
            self.at = before;
            return Ok(None);
        }
        if self.sign(0) == Some(',') {
            self.at += 1;
        }
        let mut month = None;
        let mut between = None;
        if self.skip_words(&["du", "from", "entre", "between"]) {
            let first = self.day()?;
            let linked = self.skip_words(&["au", "to", "until", "a", "et", "and", "jusqu"])
                || self.sign(0) == Some('-') && {
                    self.at += 1;
                    true
                };
            if !linked {
                return Err(Trouble::Unreadable);
            }
            between = Some((first, self.day()?));
        } else {
            let lead = self.skip_words(&["de", "d", "en", "in", "of", "du", "mois"]);
            match self.word(0).and_then(month_word) {
                Some(found) => {
                    self.at += 1;
                    let year = self.figures(0).and_then(four_figure_year);
                    self.at += usize::from(year.is_some());
                    month = Some((found, year));
                }
                None if lead => return Err(Trouble::Unreadable),
                None => {}
            }
        }
        Ok(Some(Shape::Weekly {
            weekdays,
            month,
            between,
        }))
    }

    fn day(&mut self) -> Result<Day, Trouble> {
        self.skip_words(&["le", "the", "on", "ce"]);
        let mut weekday = None;
        if let Some(found) = self.word(0).and_then(weekday_word) {
            // "Mar 2 2027" is a month in English; "mar 2 janvier" and "mar. 02/02" are a Tuesday.
            let month_first = self.word(0) == Some("mar") && self.figures(1).is_some() && {
                let after = 2 + usize::from(self.sign(2) == Some(','));
                self.figures(after).and_then(four_figure_year).is_some()
            };
            if !month_first {
                weekday = Some(found);
                self.at += 1;
                while matches!(self.sign(0), Some('.' | ',')) {
                    self.at += 1;
                }
                self.skip_words(&["le", "the"]);
            }
        }
        if let Some(month) = self.word(0).and_then(month_word) {
            return self.month_first(weekday, month);
        }
        let figures = self.figures(0).ok_or(Trouble::Unreadable)?;
        if figures.len() == 4 {
            return self.year_first(weekday, figures);
        }
        if figures.len() > 2 {
            return Err(Trouble::Unreadable);
        }
        let day: i8 = figures.parse().map_err(|_| Trouble::Unreadable)?;
        self.at += 1;
        if self.word(0).is_some_and(ordinal) {
            self.at += 1;
        }
        let mut read = Day {
            weekday,
            number: day,
            month: None,
            year: None,
        };
        // d/m[/y], d.m[.y], d-m-y
        let sign = self.sign(0).filter(|sign| matches!(sign, '/' | '.' | '-'));
        let whole = sign.is_some() && self.sign(2) == sign && self.figures(3).is_some();
        match (sign, self.figures(1)) {
            (Some(sign @ ('/' | '.')), Some(month)) if month.len() <= 2 => {
                self.at += 2;
                read.month = Some(month.parse().map_err(|_| Trouble::Unreadable)?);
                if self.sign(0) == Some(sign)
                    && let Some(year) = self.figures(1)
                {
                    read.year = Some(year_of(year)?);
                    self.at += 2;
                } else if self.sign(0) == Some('.') {
                    self.at += 1;
                }
            }
            (Some('-'), Some(month))
                if whole && month.len() <= 2 && self.figures(3).is_some_and(|y| y.len() == 4) =>
            {
                read.month = Some(month.parse().map_err(|_| Trouble::Unreadable)?);
                read.year = self.figures(3).map(year_of).transpose()?;
                self.at += 4;
            }
            _ => {
                if self.sign(0) == Some('.') {
                    self.at += 1;
                }
                self.month_after(&mut read);
                // "Jan 2-4, 2027"
                if read.month.is_none()
                    && self.sign(0) == Some(',')
                    && let Some(year) = self.figures(1).and_then(four_figure_year)
                {
                    read.year = Some(year);
                    self.at += 2;
                }
            }
        }
        self.checked(read)
    }

    /// `2 janvier [2027]`, `2nd of January`, `2-janv-27`.
    fn month_after(&mut self, read: &mut Day) {
        let before = self.at;
        let dashed = self.sign(0) == Some('-')
            && self.word(1).is_some_and(|word| month_word(word).is_some());
        if dashed {
            self.at += 1;
        } else {
            self.skip_words(&["de", "d", "of"]);
        }
        let Some(month) = self.word(0).and_then(month_word) else {
            self.at = before;
            return;
        };
        self.at += 1;
        read.month = Some(month);
        if self.sign(0) == Some('.') {
            self.at += 1;
        }
        if matches!(self.sign(0), Some(',')) && self.figures(1).and_then(four_figure_year).is_some()
            || dashed && self.sign(0) == Some('-') && self.figures(1).is_some()
        {
            self.at += 1;
        }
        self.year_after(read);
    }

    fn year_after(&mut self, read: &mut Day) {
        let Some(figures) = self.figures(0) else {
            return;
        };
        // "2 janvier 18h30" and "2 janvier 18:30": an hour, not a year.
        let hour = matches!(self.peek(1), Some(Token::Word(word)) if word.starts_with('h') || *word == "am" || *word == "pm")
            || matches!(self.sign(1), Some(':' | '.'))
            || figures.len() == 2 && self.sign(1) == Some('-');
        let year = four_figure_year(figures).or_else(|| {
            (figures.len() == 2 && !hour)
                .then(|| figures.parse::<i16>().ok().map(|y| 2000 + y))
                .flatten()
        });
        if let Some(year) = year {
            read.year = Some(year);
            self.at += 1;
        }
    }

    /// `January 2[, 2027]`
    fn month_first(&mut self, weekday: Option<Weekday>, month: i8) -> Result<Day, Trouble> {
        self.at += 1;
        if self.sign(0) == Some('.') {
            self.at += 1;
        }
        self.skip_words(&["the"]);
        let figures = self
            .figures(0)
            .filter(|figures| figures.len() <= 2)
            .ok_or(Trouble::Unreadable)?;
        let day = figures.parse().map_err(|_| Trouble::Unreadable)?;
        self.at += 1;
        if self.word(0).is_some_and(ordinal) {
            self.at += 1;
        }
        let comma = usize::from(self.sign(0) == Some(','));
        let year = self.figures(comma).and_then(four_figure_year);
        if year.is_some() {
            self.at += comma + 1;
        }
        self.checked(Day {
            weekday,
            number: day,
            month: Some(month),
            year,
        })
    }

    /// `2027-01-02`, `2027/01/02`, `2027.01.02`
    fn year_first(&mut self, weekday: Option<Weekday>, figures: &str) -> Result<Day, Trouble> {
        let year = four_figure_year(figures).ok_or(Trouble::Unreadable)?;
        let (Some(sign @ ('-' | '/' | '.')), Some(month), Some(again), Some(day)) =
            (self.sign(1), self.figures(2), self.sign(3), self.figures(4))
        else {
            return Err(Trouble::Unreadable);
        };
        if sign != again || month.len() > 2 || day.len() > 2 {
            return Err(Trouble::Unreadable);
        }
        self.at += 5;
        self.checked(Day {
            weekday,
            number: day.parse().map_err(|_| Trouble::Unreadable)?,
            month: Some(month.parse().map_err(|_| Trouble::Unreadable)?),
            year: Some(year),
        })
    }

    #[expect(clippy::unused_self, reason = "reads as the last step of each form")]
    fn checked(&self, day: Day) -> Result<Day, Trouble> {
        let fits = match day.month {
            Some(month) => possible(day.number, month),
            None => (1..=31).contains(&day.number),
        };
        if fits {
            Ok(day)
        } else {
            Err(Trouble::NoSuchDay)
        }
    }
}

fn ordinal(word: &str) -> bool {
    matches!(word, "er" | "re" | "e" | "eme" | "st" | "nd" | "rd" | "th")
}

fn year_of(figures: &str) -> Result<i16, Trouble> {
    match figures.len() {
        2 => figures
            .parse::<i16>()
            .map(|year| 2000 + year)
            .map_err(|_| Trouble::Unreadable),
        4 => four_figure_year(figures).ok_or(Trouble::Unreadable),
        _ => Err(Trouble::Unreadable),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn january() -> Around {
        about("Janvier 2027")
    }

    fn show(text: &str, around: &Around) -> String {
        let (shape, rest) = match read(text) {
            Ok(read) => read,
            Err(trouble) => return format!("{trouble:?}"),
        };
        let days = match shape.resolve(around) {
            Ok(Days::Span(a, b)) if a == b => a.to_string(),
            Ok(Days::Span(a, b)) => format!("{a}..{b}"),
            Ok(Days::Each(days)) => days
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" "),
            Err(Trouble::Weekday { .. }) => return "Weekday".to_owned(),
            Err(trouble) => return format!("{trouble:?}"),
        };
        if rest.is_empty() {
            days
        } else {
            format!("{days} | {rest}")
        }
    }

    #[test]
    fn whole_dates_need_no_help() {
        for (text, day) in [
            ("2027-01-02", "2027-01-02"),
            ("2027/1/2", "2027-01-02"),
            ("02/01/2027", "2027-01-02"),
            ("2/1/27", "2027-01-02"),
            ("02-01-2027", "2027-01-02"),
            ("02.01.2027", "2027-01-02"),
            ("2 janvier 2027", "2027-01-02"),
            ("samedi 2 janvier 2027", "2027-01-02"),
            ("Sat 2 January 2027", "2027-01-02"),
            ("Saturday, January 2, 2027", "2027-01-02"),
            ("Jan 2nd 2027", "2027-01-02"),
            ("1er février 2027", "2027-02-01"),
            ("2nd of January 2027", "2027-01-02"),
            ("Mar 2, 2027", "2027-03-02"),
            ("mar. 2 mars 2027", "2027-03-02"),
            ("2 janv. 27", "2027-01-02"),
            ("2 août 2027", "2027-08-02"),
            ("2-janv-27", "2027-01-02"),
            ("Sat. 2 Jan. 2027", "2027-01-02"),
            ("le 2 janvier 2027", "2027-01-02"),
            ("29/02/2028", "2028-02-29"),
            ("2027-01-02T18:30", "2027-01-02 | 18:30"),
            ("2027-01-02 18:30:00", "2027-01-02 | 18:30:00"),
            ("02/01/2027 à 18h30", "2027-01-02 | a 18h30"),
            ("2 janvier 2027, 18h30-20h", "2027-01-02 | 18h30-20h"),
            ("12/01/2027 - 14/01/2027", "2027-01-12..2027-01-14"),
            ("du 30 décembre au 2 janvier 2027", "2026-12-30..2027-01-02"),
            ("Jan 2-4, 2027", "2027-01-02..2027-01-04"),
            ("12 au 14 janvier 2027", "2027-01-12..2027-01-14"),
            ("30/12/2026 au 2/1/2027", "2026-12-30..2027-01-02"),
            (
                "tous les mardis de janvier 2027",
                "2027-01-05 2027-01-12 2027-01-19 2027-01-26",
            ),
            (
                "tous les mardis du 5 au 12 janvier 2027",
                "2027-01-05 2027-01-12",
            ),
        ] {
            assert_eq!(show(text, &Around::default()), day, "{text}");
        }
    }

    #[test]
    fn the_sheet_around_gives_month_and_year() {
        for (text, day) in [
            ("sam. 02/01", "2027-01-02"),
            ("lundi 4 janvier", "2027-01-04"),
            ("vendredi 8", "2027-01-08"),
            ("ma 12/01", "2027-01-12"),
            ("12-14/01", "2027-01-12..2027-01-14"),
            ("sam 30 janv.", "2027-01-30"),
            ("dim. 31 janvier", "2027-01-31"),
            ("mar. 02/02", "2027-02-02"),
            ("8", "2027-01-08"),
            (
                "tous les mardis",
                "2027-01-05 2027-01-12 2027-01-19 2027-01-26",
            ),
            (
                "every Tuesday",
                "2027-01-05 2027-01-12 2027-01-19 2027-01-26",
            ),
            (
                "les mardis et jeudis du 5 au 14",
                "2027-01-05 2027-01-07 2027-01-12 2027-01-14",
            ),
            ("du 12 au 14", "2027-01-12..2027-01-14"),
            ("ven 15 - sam 16", "2027-01-15..2027-01-16"),
            ("30/12", "2026-12-30"),
            ("12 et 19 janvier", "2027-01-12 2027-01-19"),
            ("13-14", "2027-01-13..2027-01-14"),
            ("sam. 2 - 18h30", "2027-01-02 | 18h30"),
            ("2 janvier 18h30", "2027-01-02 | 18h30"),
            ("samedi 2 et dimanche 3 janvier", "2027-01-02 2027-01-03"),
            ("30/01 - 02/02", "2027-01-30..2027-02-02"),
        ] {
            assert_eq!(show(text, &january()), day, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_or_could_be_two_days_is_not_read() {
        for (text, trouble) in [
            ("sam. 13/01", "Weekday"),
            ("32/01", "NoSuchDay"),
            ("30 février", "NoSuchDay"),
            ("01/13/2027", "NoSuchDay"),
            ("bientôt", "Unreadable"),
            ("", "Unreadable"),
            ("05-07", "Ambiguous"),
            ("samedi", "Unreadable"),
            ("14-12/01", "Backwards"),
            ("29/02/2027", "NoSuchDay"),
            ("2027", "Unreadable"),
            ("1/1/1", "Unreadable"),
            ("tous les jours", "Unreadable"),
            ("01/02/20277", "Unreadable"),
        ] {
            assert_eq!(show(text, &january()), trouble, "{text}");
        }
        let nothing = Around::default();
        assert_eq!(show("02/01", &nothing), "NoYear");
        assert_eq!(show("vendredi 8", &nothing), "NoMonth");
        assert_eq!(show("tous les mardis", &nothing), "Endless");
    }

    #[test]
    fn the_year_comes_from_the_neighbours_or_from_a_weekday_that_confirms_it() {
        let mut around = Around {
            neighbours: vec![(3, date(2026, 12, 20)), (9, date(2027, 1, 9))],
            row: 5,
            ..Around::default()
        };
        assert_eq!(show("02/01", &around), "2027-01-02");
        assert_eq!(show("28/12", &around), "2026-12-28");
        around.neighbours = vec![(3, date(2026, 2, 1)), (9, date(2027, 2, 1))];
        assert_eq!(show("02/02", &around), "NoYear");
        let around = Around {
            today: Some(date(2026, 12, 1)),
            ..Around::default()
        };
        assert_eq!(show("sam. 02/01", &around), "2027-01-02");
        assert_eq!(show("02/01", &around), "NoYear");
    }

    #[test]
    fn tabs_and_titles_say_what_they_are_about() {
        let of = |name: &str| {
            let around = about(name);
            (around.month, around.year, around.season)
        };
        assert_eq!(of("JANVIER"), (Some(1), None, None));
        assert_eq!(of("février 27"), (Some(2), Some(2027), None));
        assert_eq!(
            of("🎉 PROGRAMME DE LA HALLE — JANVIER 2027 🎉"),
            (Some(1), Some(2027), None)
        );
        assert_eq!(
            of("à remplir AVANT le 20 du mois précédent — merci !!"),
            (None, None, None)
        );
        assert_eq!(of("à rendre avant le 20 janvier"), (None, None, None));
        assert_eq!(of("Saison 2026-2027"), (None, Some(2026), Some(2027)));
        assert_eq!(of("programme.csv"), (None, None, None));
        assert_eq!(of("Programme du mardi"), (None, None, None));
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            if let Ok((shape, _)) = read(&text) {
                drop(shape.resolve(&january()));
            }
            about(&text);
        }

        #[test]
        fn what_looks_like_a_date_never_panics(text in "(sam|mar|tous|les|mardis|du|au|et|janv|mars|[0-9]{1,5}|[-/., ]){0,12}") {
            if let Ok((shape, _)) = read(&text) {
                drop(shape.resolve(&january()));
                drop(shape.resolve(&Around::default()));
            }
            about(&text);
        }

        #[test]
        fn a_written_date_reads_back(days in 0_i32..39_000, form in 0..7) {
            let day = date(1992, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap();
            const FR: [&str; 12] = ["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"];
            const WEEK: [&str; 7] = ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"];
            let (y, m, d) = (day.year(), day.month(), day.day());
            let month = FR[m as usize - 1];
            let weekday = WEEK[day.weekday().to_monday_zero_offset() as usize];
            let text = match form {
                0 => day.to_string(),
                1 => format!("{d:02}/{m:02}/{y}"),
                2 => format!("{d}.{m}.{y}"),
                3 => format!("{d} {month} {y}"),
                4 => format!("{weekday} {d} {month} {y}"),
                5 => format!("{}. {d:02}/{m:02}/{y}", &weekday[..3]),
                _ => format!("{}, {} {d}, {y}", day.strftime("%A"), day.strftime("%B")),
            };
            let (shape, rest) = read(&text).unwrap();
            proptest::prop_assert_eq!(rest, "");
            proptest::prop_assert_eq!(shape.resolve(&Around::default()), Ok(Days::Span(day, day)));
        }
    }
}
