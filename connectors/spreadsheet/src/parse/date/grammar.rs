//! The grammar of a date cell: from words, figures and signs to a shape.

use jiff::civil::Weekday;

use super::names::{four_figure_year, month_word, weekday_word, weekdays_word};
use super::{Day, Shape, Trouble, possible};
use crate::text;

/// Reads a date cell; what stands after the date (an hour) comes back as it is.
pub(crate) fn read(cell: &str) -> Result<(Shape, String), Trouble> {
    let plain = text::plain(cell);
    if plain.len() > 200 {
        return Err(Trouble::Unreadable);
    }
    let tokens = tokens(&plain);
    if picks_some(&tokens) {
        return Err(Trouble::SomeOf);
    }
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

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Figures(&'a str),
    Word(&'a str),
    Sign(char),
}

/// Figures, words and signs, each with where it begins; spaces and apostrophes are dropped.
pub(super) fn tokens(plain: &str) -> Vec<(usize, Token<'_>)> {
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
                // "2, 16 et 30 janvier": one more day follows.
                Some(Token::Word("et" | "and" | "puis")) => false,
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

/// Whether it says which days of a series by counting: "un samedi sur deux", "2e et 4e mardis",
/// "premier jeudi du mois", "every other Friday".
fn picks_some(tokens: &[(usize, Token<'_>)]) -> bool {
    let words: Vec<&str> = tokens
        .iter()
        .map(|(_, token)| match token {
            Token::Figures(text) | Token::Word(text) => text,
            Token::Sign(_) => "",
        })
        .collect();
    let few = |word: &str| {
        matches!(
            word,
            "2" | "3"
                | "4"
                | "deux"
                | "trois"
                | "quatre"
                | "two"
                | "three"
                | "four"
                | "15"
                | "quinze"
        )
    };
    let day = |word: &str| {
        // "1er mar." is the first of March.
        word.len() > 3 && (weekday_word(word).is_some() || weekdays_word(word).is_some())
    };
    let counted = words.windows(3).any(|three| {
        let &[one, two, three] = three else {
            return false;
        };
        two == "sur" && few(three) && !few(one)
            || matches!(one, "les" | "every" | "toutes") && few(two) && three.len() > 3
            || one == "every" && matches!(two, "other" | "second" | "third")
            // "1er samedi", "2nd Friday"
            || ordinal(two) && one.bytes().all(|byte| byte.is_ascii_digit()) && day(three)
    });
    let ranked = words.windows(2).any(|two| {
        let &[one, two] = two else { return false };
        rank(one) && day(two)
    });
    let seldom = |word: &&str| {
        matches!(
            *word,
            "quinzaine"
                | "bimensuel"
                | "mensuel"
                | "mensuelle"
                | "fortnight"
                | "fortnightly"
                | "biweekly"
                | "monthly"
        )
    };
    counted || ranked || words.iter().any(seldom)
}

fn rank(word: &str) -> bool {
    matches!(
        word,
        "premier"
            | "premiers"
            | "deuxieme"
            | "second"
            | "troisieme"
            | "quatrieme"
            | "dernier"
            | "derniers"
            | "first"
            | "third"
            | "fourth"
            | "last"
    )
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
