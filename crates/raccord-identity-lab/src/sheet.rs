//! A programme sheet as people keep it: tabs, a header, lines, and which activity each line truly
//! is. Rendered to the text a spreadsheet program would save; it knows nothing of how it is read.

use jiff::civil::Date;

use crate::rng::Rng;

/// The language people write in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tongue {
    /// French.
    Fr,
    /// English.
    En,
}

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "each is the header it names")]
pub enum Col {
    Date,
    Hours,
    Start,
    End,
    Title,
    Kind,
    Room,
    Organiser,
    Contact,
    Description,
    Capacity,
    Status,
    /// A number of the line, which people keep or do not keep up.
    Number,
    /// Something of their own that nobody else understands.
    Note,
}

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is the column it fills")]
pub struct Item {
    pub date: Date,
    /// Minutes after midnight.
    pub start: Option<u16>,
    pub end: Option<u16>,
    pub title: String,
    pub kind: String,
    pub room: String,
    pub organiser: String,
    pub contact: String,
    pub description: String,
    pub capacity: Option<u16>,
    pub status: String,
    pub note: String,
}

/// One line of a tab.
#[derive(Clone, Debug, PartialEq)]
pub enum Row {
    /// An activity.
    Line {
        /// Which activity it truly is.
        who: u32,
        /// What it says.
        item: Box<Item>,
    },
    /// Nothing, or a section title in the first column.
    Other(String),
}

/// How dates are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "shown by what they write")]
pub enum DateStyle {
    Iso,
    Slash,
    Weekday,
    Words,
    NoYear,
}

/// How hours are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "shown by what they write")]
pub enum HourStyle {
    Colon,
    H,
    Long,
}

/// A tab.
#[derive(Clone, Debug, PartialEq)]
pub struct Tab {
    /// Its name.
    pub name: String,
    /// Its columns, in order, with the words of the header.
    pub columns: Vec<(Col, String)>,
    /// Its lines.
    pub rows: Vec<Row>,
    /// How it writes dates.
    pub dates: DateStyle,
    /// How it writes hours.
    pub hours: HourStyle,
    /// What separates its cells.
    pub separator: u8,
}

/// The whole document.
#[derive(Clone, Debug, PartialEq)]
pub struct Book {
    /// The language.
    pub tongue: Tongue,
    /// Its tabs.
    pub tabs: Vec<Tab>,
    /// The next activity.
    pub next: u32,
}

/// Where a line stands: tab and line number as its program shows it.
pub type Place = (u16, u32);

impl Book {
    /// A name for a new activity.
    pub fn fresh(&mut self) -> u32 {
        self.next += 1;
        self.next - 1
    }

    /// Where each line stands: tab, index in its rows.
    pub fn lines(&self) -> Vec<(usize, usize)> {
        let mut out = Vec::new();
        for (t, tab) in self.tabs.iter().enumerate() {
            for (r, row) in tab.rows.iter().enumerate() {
                if matches!(row, Row::Line { .. }) {
                    out.push((t, r));
                }
            }
        }
        out
    }

    /// What the line there says.
    pub fn item(&self, at: (usize, usize)) -> &Item {
        match &self.tabs[at.0].rows[at.1] {
            Row::Line { item, .. } => item,
            Row::Other(_) => unreachable!("lines() names lines only"),
        }
    }

    /// What the line there says, to be changed.
    pub fn item_mut(&mut self, at: (usize, usize)) -> &mut Item {
        match &mut self.tabs[at.0].rows[at.1] {
            Row::Line { item, .. } => item,
            Row::Other(_) => unreachable!("lines() names lines only"),
        }
    }

    /// Which activity the line there is.
    pub fn who(&self, at: (usize, usize)) -> u32 {
        match &self.tabs[at.0].rows[at.1] {
            Row::Line { who, .. } => *who,
            Row::Other(_) => unreachable!("lines() names lines only"),
        }
    }

    /// Names the line there anew.
    pub fn set_who(&mut self, at: (usize, usize), name: u32) {
        if let Row::Line { who, .. } = &mut self.tabs[at.0].rows[at.1] {
            *who = name;
        }
    }

    /// Names the line there anew; where another bears that name, they exchange theirs.
    pub fn rename(&mut self, at: (usize, usize), name: u32) {
        let bearer = self.lines().into_iter().find(|at| self.who(*at) == name);
        if let Some(bearer) = bearer {
            self.set_who(bearer, self.who(at));
        }
        self.set_who(at, name);
    }

    /// The lines as they can be seen: which activity, where, and what its columns say.
    pub fn seen(&self) -> Vec<(u32, Place, Item)> {
        self.lines()
            .into_iter()
            .map(|at| {
                let item = self.tabs[at.0].shown(self.item(at));
                (self.who(at), (at.0 as u16, at.1 as u32 + 2), item)
            })
            .collect()
    }
}

impl Tab {
    /// Whether it has such a column.
    pub fn has(&self, col: Col) -> bool {
        self.columns.iter().any(|(known, _)| *known == col)
    }

    /// The item without what no column shows.
    pub fn shown(&self, item: &Item) -> Item {
        let mut item = item.clone();
        if !self.has(Col::Hours) && !self.has(Col::Start) {
            item.start = None;
        }
        if !self.has(Col::Hours) && !self.has(Col::End) || item.start.is_none() {
            item.end = None;
        }
        for (col, text) in [
            (Col::Kind, &mut item.kind),
            (Col::Room, &mut item.room),
            (Col::Organiser, &mut item.organiser),
            (Col::Contact, &mut item.contact),
            (Col::Description, &mut item.description),
            (Col::Status, &mut item.status),
        ] {
            if !self.columns.iter().any(|(known, _)| *known == col) {
                text.clear();
            }
        }
        item.note.clear();
        if !self.has(Col::Capacity) {
            item.capacity = None;
        }
        item
    }

    /// The cells of all lines, header first.
    pub fn cells(&self, tongue: Tongue) -> Vec<Vec<String>> {
        let mut out = vec![
            self.columns
                .iter()
                .map(|(_, header)| header.clone())
                .collect(),
        ];
        for (index, row) in self.rows.iter().enumerate() {
            out.push(match row {
                Row::Other(text) => {
                    let mut cells = vec![String::new(); self.columns.len()];
                    // A section title stands in a column that is not the title's.
                    let first = self
                        .columns
                        .iter()
                        .position(|(col, _)| *col != Col::Title)
                        .unwrap_or_default();
                    cells[first].clone_from(text);
                    cells
                }
                Row::Line { item, .. } => self
                    .columns
                    .iter()
                    .map(|(col, _)| self.cell(*col, item, index, tongue))
                    .collect(),
            });
        }
        out
    }

    fn cell(&self, col: Col, item: &Item, index: usize, tongue: Tongue) -> String {
        let hour = |minutes: u16| hour(minutes, self.hours);
        match col {
            Col::Date => day(item.date, self.dates, tongue),
            Col::Hours => match (item.start, item.end) {
                (Some(start), Some(end)) => {
                    let dash = if self.hours == HourStyle::Colon {
                        "-"
                    } else {
                        " - "
                    };
                    format!("{}{dash}{}", hour(start), hour(end))
                }
                (Some(start), None) => hour(start),
                _ => String::new(),
            },
            Col::Start => item.start.map(hour).unwrap_or_default(),
            Col::End => item.start.and(item.end).map(hour).unwrap_or_default(),
            Col::Title => item.title.clone(),
            Col::Kind => item.kind.clone(),
            Col::Room => item.room.clone(),
            Col::Organiser => item.organiser.clone(),
            Col::Contact => item.contact.clone(),
            Col::Description => item.description.clone(),
            Col::Capacity => item.capacity.map(|c| c.to_string()).unwrap_or_default(),
            Col::Status => item.status.clone(),
            Col::Number => (index + 1).to_string(),
            Col::Note => item.note.clone(),
        }
    }

    /// The tab as a CSV file.
    pub fn csv(&self, tongue: Tongue) -> Vec<u8> {
        let mut writer = csv::WriterBuilder::new()
            .delimiter(self.separator)
            .from_writer(Vec::new());
        for cells in self.cells(tongue) {
            writer
                .write_record(&cells)
                .expect("every line has as many cells as the header");
        }
        writer.into_inner().expect("a vector takes every byte")
    }
}

const WEEKDAYS: [[&str; 7]; 2] = [
    [
        "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche",
    ],
    [
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
    ],
];
const MONTHS: [[&str; 12]; 2] = [
    [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ],
    [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
];

/// The name of a month.
pub fn month(date: Date, tongue: Tongue) -> &'static str {
    MONTHS[tongue as usize][date.month() as usize - 1]
}

fn day(date: Date, style: DateStyle, tongue: Tongue) -> String {
    let weekday = WEEKDAYS[tongue as usize][date.weekday().to_monday_zero_offset() as usize];
    let (d, m, y) = (date.day(), date.month(), date.year());
    match style {
        DateStyle::Iso => date.to_string(),
        DateStyle::Slash => format!("{d:02}/{m:02}/{y}"),
        DateStyle::Weekday => {
            let short: String = weekday.chars().take(3).collect();
            let dot = if tongue == Tongue::Fr { "." } else { "" };
            format!("{short}{dot} {d:02}/{m:02}/{y}")
        }
        DateStyle::Words => format!("{weekday} {d} {} {y}", month(date, tongue)),
        DateStyle::NoYear if y == 2027 => format!("{weekday} {d} {}", month(date, tongue)),
        DateStyle::NoYear => format!("{d} {} {y}", month(date, tongue)),
    }
}

fn hour(minutes: u16, style: HourStyle) -> String {
    let (h, m) = (minutes / 60 % 24, minutes % 60);
    match style {
        HourStyle::Colon => format!("{h:02}:{m:02}"),
        HourStyle::H if m == 0 => format!("{h}h"),
        HourStyle::H => format!("{h}h{m:02}"),
        HourStyle::Long => format!("{h:02}H{m:02}"),
    }
}

/// Words for the header of a column.
pub fn headers(col: Col, tongue: Tongue) -> &'static [&'static str] {
    let (fr, en): (&[&str], &[&str]) = match col {
        Col::Date => (
            &["Date", "Quand", "Jour", "DATE "],
            &["Date", "When", "Day"],
        ),
        Col::Hours => (
            &["Horaires", "Heures", "Créneau", "Heure"],
            &["Time", "Hours", "Time slot"],
        ),
        Col::Start => (
            &["Début", "Heure de début", "Commence à"],
            &["Start", "Start time", "From"],
        ),
        Col::End => (
            &["Fin", "Heure de fin", "Finit à"],
            &["End", "End time", "To"],
        ),
        Col::Title => (
            &["Titre", "Intitulé", "Activité", "Évènement", "Quoi ?"],
            &["Title", "Event", "Activity", "What"],
        ),
        Col::Kind => (
            &["Type", "Catégorie", "Genre"],
            &["Kind", "Category", "Event type"],
        ),
        Col::Room => (
            &["Salle", "Lieu", "Où ?", "Espace"],
            &["Room", "Location", "Where", "Venue"],
        ),
        Col::Organiser => (
            &[
                "Organisateur·ice",
                "Référent.e",
                "Qui",
                "Proposé par",
                "Responsable",
            ],
            &["Organiser", "Hosted by", "Who", "Team"],
        ),
        Col::Contact => (
            &["Contact", "Courriel", "Contact e-mail"],
            &["Contact", "Email"],
        ),
        Col::Description => (
            &["Description", "Descriptif", "En quelques mots", "Détails"],
            &["Description", "Details", "About"],
        ),
        Col::Capacity => (
            &["Jauge", "Places", "Capacité"],
            &["Capacity", "Seats", "Spots"],
        ),
        Col::Status => (&["Statut", "État"], &["Status", "State"]),
        Col::Number => (&["N°", "ID", "Réf."], &["No.", "ID", "Ref"]),
        Col::Note => (&["Sono", "Clés", "À imprimer"], &["PA", "Keys", "Posters"]),
    };
    match tongue {
        Tongue::Fr => fr,
        Tongue::En => en,
    }
}

/// A header chosen by the seed.
pub fn header(col: Col, tongue: Tongue, rng: &mut Rng) -> String {
    (*rng.pick(headers(col, tongue))).to_owned()
}
