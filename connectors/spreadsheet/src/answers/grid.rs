//! From the lines of a grid to answers: finds the header (one line, or the last of a few), or the
//! two lines of a poll, and sets aside in words what cannot be read.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use raccord_model::{Failure, Reading, Tab, Unread, column_letters};

use super::columns::{self, Column, Columns};
use super::signed::{self, Answer, Said as Answered, Seen, Told, short};
use super::subjects::{self, Lost, Wanted};
use super::{Rules, say};
use crate::grid::{Cell, Row, Rows, TabStart, Value};
use crate::messages::{self, Said};
use crate::parse::date::{self, Around, Days};
use crate::parse::number::{self, Amount};
use crate::{error, limits, text, words};

/// The longest address (RFC 5321), name and comment that are kept.
const EMAIL: usize = 254;
const NAME: usize = 200;
const COMMENT: usize = 4_000;
/// For how many people one answer can be.
const PLACES: u32 = 1_000;
/// Lines above a header.
const ABOVE: u32 = 20;
/// Things that one answer can name.
const THINGS: usize = 50;

/// Collects a document's lines into answers.
pub(crate) struct Collector<'s> {
    rules: &'s Rules,
    reading: Reading,
    names: Vec<String>,
    tab: Option<Reader>,
    seen: Seen,
    /// The lines that were told of before.
    known: BTreeSet<&'s str>,
    /// Whose each line is that its form named.
    whose: BTreeMap<String, String>,
    /// Titles that were told not to be found.
    told: BTreeSet<String>,
}

/// The tab being read.
struct Reader {
    name: String,
    read: u32,
    head: Head,
}

enum Head {
    /// Not found yet.
    None,
    Form(Columns),
    /// What each column of a poll is about: a title, or a day.
    Poll(Vec<Slot>),
}

struct Slot {
    column: u16,
    label: String,
    day: Option<Date>,
}

impl<'s> Collector<'s> {
    pub(crate) fn new(rules: &'s Rules) -> Self {
        Self {
            rules,
            reading: Reading::default(),
            names: Vec::new(),
            tab: None,
            seen: Seen::default(),
            known: rules.told.lines().collect(),
            whose: BTreeMap::new(),
            told: BTreeSet::new(),
        }
    }

    /// The reading with what changed, the names of the tabs, and what is told now.
    pub(crate) fn finish(mut self) -> Result<(Reading, Vec<String>, Told), Failure> {
        if let Some(wanted) = &self.rules.sheet
            && !self
                .names
                .iter()
                .any(|name| text::key(name) == text::key(wanted))
        {
            return Err(error::sheet_missing(wanted, &self.names));
        }
        if self.reading.tabs.is_empty() {
            return Err(error::no_answers());
        }
        let is_coming =
            |one: &&raccord_model::Offered| one.over.is_none_or(|over| over > self.rules.now);
        let coming = self.rules.offered.iter().filter(is_coming);
        let coming = coming.map(|one| one.id).collect();
        let (changes, told) = signed::changes(&self.seen, &self.rules.told, &coming);
        self.reading.changes = changes;
        Ok((self.reading, self.names, told))
    }

    fn tell(&mut self, tab: &str, row: u32, column: Option<u16>, found: &str, said: Said) {
        if self.reading.unread.len() < limits::TOLD {
            self.reading.unread.push(Unread {
                sheet: tab.to_owned(),
                row,
                column: column.map(column_letters).unwrap_or_default(),
                code: said.0.to_owned(),
                found: text::cut(&text::line(found), 199),
                write: said.1,
            });
        }
    }
}

impl Rows for Collector<'_> {
    fn tab(&mut self, tab: TabStart) -> Result<bool, Failure> {
        if tab.hidden {
            return Ok(false);
        }
        let name = text::line(&tab.name).into_owned();
        self.names.push(name.clone());
        let only = self.rules.sheet.as_ref();
        let wanted = only.is_none_or(|sheet| text::key(sheet) == text::key(&name));
        self.tab = wanted.then_some(Reader {
            name,
            read: 0,
            head: Head::None,
        });
        Ok(wanted)
    }

    fn row(&mut self, row: Row<'_, '_>) -> Result<(), Failure> {
        let holds = |cell: &Cell<'_>| !cell.value.is_empty();
        if let Some(mut tab) = self.tab.take()
            && row.cells.iter().any(holds)
        {
            self.read_row(&mut tab, row);
            tab.read += 1;
            self.tab = Some(tab);
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Failure> {
        self.tab = None;
        Ok(())
    }
}

impl Collector<'_> {
    fn read_row(&mut self, tab: &mut Reader, row: Row<'_, '_>) {
        match std::mem::replace(&mut tab.head, Head::None) {
            Head::None if tab.read < ABOVE => tab.head = self.header(tab, row),
            Head::None => {}
            Head::Form(columns) => {
                if !columns::is_of_ids(texts(row).iter().map(|(_, text)| text.as_str())) {
                    self.form(tab, &columns, row);
                }
                tab.head = Head::Form(columns);
            }
            Head::Poll(slots) => {
                self.poll(tab, &slots, row);
                tab.head = Head::Poll(slots);
            }
        }
    }

    fn header(&mut self, tab: &Reader, row: Row<'_, '_>) -> Head {
        let cells = texts(row);
        let shown = cells.iter().map(|(column, text)| (*column, text.as_str()));
        let named = |columns: BTreeMap<String, Vec<u16>>| Tab {
            name: tab.name.clone(),
            columns,
        };
        if let Some(columns) = columns::recognise(shown, &self.rules.chosen) {
            let by_name = columns.iter();
            let by_name = by_name.map(|(name, at)| (format!("{name:?}").to_lowercase(), vec![*at]));
            self.reading.tabs.push(named(by_name.collect()));
            return Head::Form(columns);
        }
        // A poll: nothing above the names, and a title or a day above each column of votes.
        let empty = row.cells.first().is_none_or(|cell| cell.value.is_empty());
        if tab.read > 0 || !empty || cells.is_empty() {
            return Head::None;
        }
        let slots: Vec<Slot> = cells
            .into_iter()
            .map(|(column, label)| Slot {
                day: self.day(&label),
                column,
                label,
            })
            .collect();
        if slots.iter().all(|slot| slot.day.is_some()) && self.rules.named.activity.is_none() {
            let first = slots.first().map_or("", |slot| slot.label.as_str());
            let said = say::poll_of_days();
            self.tell(&tab.name, row.number, None, first, said);
        }
        self.reading.tabs.push(named(BTreeMap::new()));
        Head::Poll(slots)
    }

    fn day(&self, text: &str) -> Option<Date> {
        let around = Around {
            today: Some(self.rules.today()),
            ..Around::default()
        };
        let (shape, _) = date::read(text).ok()?;
        match shape.resolve(&around).ok()? {
            Days::Span(first, last) => (first == last).then_some(first),
            Days::Each(days) => match days[..] {
                [only] => Some(only),
                _ => None,
            },
        }
    }

    fn form(&mut self, tab: &Reader, columns: &Columns, row: Row<'_, '_>) {
        let cell = |column: Column| -> Option<(u16, &Cell<'_>)> {
            let at = *columns.get(&column)?;
            let cell = row.cells.get(usize::from(at))?;
            (!cell.value.is_empty()).then_some((at, cell))
        };
        // What was begun and never sent is no answer.
        let unsent = columns.contains_key(&Column::Finished) && cell(Column::Finished).is_none();
        let draft = cell(Column::Draft)
            .is_some_and(|(_, cell)| words::yes(&text::key(&shown(&cell.value))) == Some(true));
        if unsent || draft {
            return;
        }
        let mut said: BTreeMap<Column, String> = BTreeMap::new();
        let mut broken = false;
        for &column in columns.keys() {
            let Some((at, cell)) = cell(column) else {
                continue;
            };
            let quoted = |raw: &str| {
                if column.is_personal() {
                    String::new()
                } else {
                    raw.to_owned()
                }
            };
            let raw = shown(&cell.value);
            if matches!(cell.value, Value::Error(_)) || words::cell_error(&raw) {
                let found = quoted(&raw);
                let why = messages::cell_error(&found);
                self.tell(&tab.name, row.number, Some(at), &found, why);
                broken |= !column.is_extra();
            } else if raw.chars().count() > limits::CELL {
                self.tell(
                    &tab.name,
                    row.number,
                    Some(at),
                    "",
                    messages::cell_too_long(),
                );
                broken |= !column.is_extra();
            } else {
                said.insert(column, tidy(&raw, column == Column::Comment));
            }
        }
        let text = |column: Column| said.get(&column).map_or("", String::as_str);
        let tell = |this: &mut Self, column: Column, found: &str, why: Said| {
            let at = columns.get(&column).copied();
            this.tell(&tab.name, row.number, at, found, why);
        };
        let mut email = text(Column::Email).to_lowercase();
        if !email.is_empty() && !is_address(&email) {
            tell(self, Column::Email, "", say::address());
            email.clear();
        }
        let who = name(
            text(Column::First),
            text(Column::Name),
            text(Column::Account),
        );
        if email.is_empty() && who.is_empty() {
            let column = if columns.contains_key(&Column::Email) {
                Column::Email
            } else {
                Column::Name
            };
            tell(self, column, "", say::nobody());
            return;
        }
        let places = match number::capacity(text(Column::Places)) {
            _ if text(Column::Places).is_empty() => 1,
            Some(Amount::Of(places)) if (1..=PLACES).contains(&places) => places,
            _ => {
                let found = text(Column::Places).to_owned();
                let why = messages::capacity(&found);
                tell(self, Column::Places, &found, why);
                1
            }
        };
        let finished = cell(Column::Finished).or_else(|| cell(Column::When));
        let when = finished.and_then(|(_, cell)| self.moment(&cell.value));
        let id = text(Column::Id);
        let line = if id.is_empty() {
            short(&format!("{when:?}\0{email}\0{who}"))
        } else {
            let named = short(&format!("{}\0{id}", tab.name));
            self.owned(named, &signed::person(&email, &who))
        };
        self.seen.lines.insert(line.clone());
        if broken {
            // What cannot be read says nothing: until it can, nothing changes.
            self.seen.lost.insert(line);
            return;
        }
        let comes = match text(Column::Answer) {
            // A box that was not ticked.
            "" => !columns.contains_key(&Column::Answer),
            answer => {
                let Some(comes) = columns::answer(answer) else {
                    tell(self, Column::Answer, answer, say::unclear(answer));
                    self.seen.lost.insert(line);
                    return;
                };
                comes
            }
        };
        let date = match text(Column::Date) {
            "" => self.rules.named.date,
            raw => {
                let day = cell(Column::Date).and_then(|(_, cell)| match cell.value {
                    Value::Date(day) => Some(day),
                    Value::DateTime(at) => Some(at.date()),
                    _ => self.day(raw),
                });
                if day.is_none() {
                    let why = messages::date(raw, date::Trouble::Unreadable);
                    tell(self, Column::Date, raw, why);
                    self.seen.lost.insert(line.clone());
                    return;
                }
                day
            }
        };
        let answer = Answered {
            line,
            row: row.number,
            when,
            email,
            who,
            comment: text(Column::Comment).chars().take(COMMENT).collect(),
            places,
            comes,
        };
        let named = self.rules.named.activity.clone().unwrap_or_default();
        let (activity, task) = (
            text(Column::Activity).to_owned(),
            text(Column::Task).to_owned(),
        );
        let of = if activity.is_empty() { named } else { activity };
        let (column, things) = if task.is_empty() {
            (Column::Activity, &of)
        } else {
            (Column::Task, &task)
        };
        if things.is_empty() {
            let why = say::for_nothing();
            tell(self, column, "", why);
            self.seen.lost.insert(answer.line.clone());
            return;
        }
        let at = columns.get(&column).copied();
        for thing in self.things(things, &of, !task.is_empty(), date) {
            let wanted = if task.is_empty() {
                Wanted {
                    activity: &thing,
                    task: "",
                    date,
                }
            } else {
                Wanted {
                    activity: &of,
                    task: &thing,
                    date,
                }
            };
            self.take(&tab.name, at, &answer, wanted);
        }
    }

    /// The name of a line that bears an answer's number. Whoever copies a line for somebody else copies
    /// its number too: the second person's line has a name of its own, and keeps it.
    fn owned(&mut self, line: String, person: &str) -> String {
        let own = short(&format!("{line}\0{person}"));
        if self.known.contains(own.as_str()) {
            return own;
        }
        let first = self.whose.entry(line.clone());
        if first.or_insert_with(|| person.to_owned()) == person {
            line
        } else {
            own
        }
    }

    /// The things that a cell names: one whose title it is as a whole, else each of a list.
    fn things(&self, cell: &str, of: &str, tasks: bool, date: Option<Date>) -> Vec<String> {
        let whole = if tasks {
            Wanted {
                activity: of,
                task: cell,
                date,
            }
        } else {
            Wanted {
                activity: cell,
                task: "",
                date,
            }
        };
        let found = subjects::find(&self.rules.offered, whole, self.rules.now);
        if found != Err(Lost::None) {
            return vec![cell.to_owned()];
        }
        let parts = |by: &[char]| -> Vec<String> {
            let all = cell.split(by).map(|part| text::line(part).into_owned());
            all.filter(|part| !part.is_empty()).take(THINGS).collect()
        };
        let listed = parts(&[';', '\n', '|']);
        if listed.len() > 1 {
            listed
        } else {
            parts(&[','])
        }
    }

    fn poll(&mut self, tab: &Reader, slots: &[Slot], row: Row<'_, '_>) {
        let first = row.cells.first().map(|cell| shown(&cell.value));
        let who = tidy(&first.unwrap_or_default(), false);
        let who: String = who.chars().take(NAME).collect();
        if who.is_empty() {
            return; // The second line of a header of days: its hours.
        }
        let named = self.rules.named.activity.clone();
        let line = short(&format!("{}\0{who}", tab.name));
        self.seen.lines.insert(line.clone());
        // Several hours of one day are one evening: who can at one of them, comes.
        let mut votes: BTreeMap<(String, Option<Date>), (u16, bool)> = BTreeMap::new();
        for slot in slots {
            let Some(cell) = row.cells.get(usize::from(slot.column)) else {
                continue;
            };
            let raw = shown(&cell.value);
            if text::line(&raw).is_empty() {
                continue;
            }
            let Some(vote) = columns::answer(&raw) else {
                let why = say::unclear_vote();
                self.tell(&tab.name, row.number, Some(slot.column), "", why);
                self.seen.lost.insert(line.clone());
                continue;
            };
            let thing = match (&named, slot.day) {
                (Some(_), Some(_)) => String::new(),
                (None, Some(_)) => continue,
                _ => slot.label.clone(),
            };
            let known = votes
                .entry((thing, slot.day))
                .or_insert((slot.column, vote));
            known.1 |= vote;
        }
        let mut votes: Vec<_> = votes.into_iter().collect();
        votes.sort_by_key(|(_, (column, _))| *column);
        for ((thing, day), (column, comes)) in votes {
            let answer = Answered {
                line: line.clone(),
                row: row.number,
                when: None,
                email: String::new(),
                who: who.clone(),
                comment: String::new(),
                places: 1,
                comes,
            };
            let date = day.or(self.rules.named.date);
            let wanted = match &named {
                Some(activity) => Wanted {
                    activity,
                    task: &thing,
                    date,
                },
                None => Wanted {
                    activity: &thing,
                    task: "",
                    date,
                },
            };
            self.take(&tab.name, Some(column), &answer, wanted);
        }
    }

    /// Takes an answer about one thing.
    fn take(&mut self, tab: &str, column: Option<u16>, answer: &Answered, wanted: Wanted<'_>) {
        let title = format!("{}\0{}\0{:?}", wanted.activity, wanted.task, wanted.date);
        let name = short(&format!("{}\0{title}", answer.line));
        let rules = self.rules;
        let known = rules.told.subject(&name);
        let known = known.filter(|known| rules.offered.iter().any(|one| one.id == *known));
        let found = match known {
            Some(subject) => Ok(subject),
            None => subjects::find(&rules.offered, wanted, rules.now),
        };
        match found {
            Ok(subject) => self.seen.answers.push(Answer {
                name,
                subject,
                said: answer.clone(),
            }),
            Err(lost) => {
                self.seen.lost.insert(answer.line.clone());
                let shown = match (wanted.task, wanted.activity) {
                    ("", activity) => activity.to_owned(),
                    (task, "") => task.to_owned(),
                    (task, activity) => format!("{task} ({activity})"),
                };
                // `check` looks at the sheet alone: no programme is known then.
                let unsaid = lost == Lost::Over || rules.offered.is_empty();
                if !unsaid && self.told.insert(title) {
                    let why = match lost {
                        Lost::Several(several) => say::ambiguous(&shown, several),
                        Lost::Kept(keeper) => say::elsewhere(&shown, &keeper),
                        Lost::None | Lost::Over => say::unknown(&shown),
                    };
                    self.tell(tab, answer.row, column, &shown, why);
                }
            }
        }
    }

    fn moment(&self, value: &Value<'_>) -> Option<Timestamp> {
        let local = |at: DateTime| {
            let at = self.rules.zone.to_ambiguous_timestamp(at).compatible();
            at.ok()
        };
        match value {
            Value::DateTime(at) => local(*at),
            Value::Date(day) => local(day.at(0, 0, 0, 0)),
            Value::Text(text) => {
                let text = text.trim();
                let exact: Option<Timestamp> = text.parse().ok();
                exact
                    .or_else(|| local(text.parse().ok()?))
                    .or_else(|| local(DateTime::strptime("%d/%m/%Y - %H:%M", text).ok()?))
                    .or_else(|| local(DateTime::strptime("%d/%m/%Y %H:%M:%S", text).ok()?))
                    .or_else(|| local(DateTime::strptime("%d/%m/%Y %H:%M", text).ok()?))
            }
            _ => None,
        }
    }
}

fn texts(row: Row<'_, '_>) -> Vec<(u16, String)> {
    let cells = row.cells.iter().enumerate();
    let own = cells.filter(|(_, cell)| !cell.value.is_empty());
    own.filter_map(|(at, cell)| {
        let text = text::line(&shown(&cell.value)).into_owned();
        Some((u16::try_from(at).ok()?, text))
    })
    .filter(|(_, text)| !text.is_empty())
    .collect()
}

/// A text on one line, or in paragraphs. What begins like a formula is written with an apostrophe
/// before it, so that no program runs it.
fn tidy(raw: &str, paragraphs: bool) -> String {
    let plain = match raw.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@', '\t']) => rest,
        _ => raw,
    };
    if paragraphs {
        text::paragraphs(plain).into_owned()
    } else {
        text::line(plain).into_owned()
    }
}

fn shown<'r>(value: &'r Value<'_>) -> std::borrow::Cow<'r, str> {
    crate::table::shown(value)
}

fn name(first: &str, last: &str, account: &str) -> String {
    let asked: Vec<&str> = [first, last]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    let name = if asked.is_empty() {
        account.to_owned()
    } else {
        asked.join(" ")
    };
    let nobody = [
        "anonymous user",
        "utilisateur anonyme",
        "anonymous",
        "anonyme",
        "reponse anonyme",
    ];
    if nobody.contains(&text::key(&name).as_str()) {
        return String::new();
    }
    name.chars().take(NAME).collect()
}

/// Whether mail could be sent there at all.
fn is_address(email: &str) -> bool {
    let odd = |c: char| c.is_whitespace() || c.is_control() || "<>,;\"()".contains(c);
    let Some((name, host)) = email.rsplit_once('@') else {
        return false;
    };
    email.len() <= EMAIL
        && !email.contains(odd)
        && !name.is_empty()
        && !name.contains('@')
        && host.split('.').count() > 1
        && host.split('.').all(|part| !part.is_empty())
}
