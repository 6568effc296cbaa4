//! The places whose sheets are invented: what stands in them, how regular it is, how long it is.

use jiff::civil::{Date, date};
use jiff::{Span, ToSpan};

use crate::rng::Rng;
use crate::sheet::{Book, Col, DateStyle, HourStyle, Item, Row, Tab, Tongue, header, month};
use crate::words::{band, description, menu};

/// A kind of place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "told by `name`")]
pub enum Kind {
    ThirdPlace,
    ConcertVenue,
    Association,
    Market,
    Festival,
    Centre,
    YearBook,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::ThirdPlace,
        Self::ConcertVenue,
        Self::Association,
        Self::Market,
        Self::Festival,
        Self::Centre,
        Self::YearBook,
    ];

    /// What it is called in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::ThirdPlace => "third place, weekly workshops",
            Self::ConcertVenue => "concert venue",
            Self::Association => "association, meetings",
            Self::Market => "market and vegetable boxes",
            Self::Festival => "festival, parallel slots",
            Self::Centre => "community centre (English)",
            Self::YearBook => "a year in monthly tabs",
        }
    }

    /// Whether thresholds may be chosen on it.
    pub fn is_train(self) -> bool {
        matches!(
            self,
            Self::ThirdPlace | Self::ConcertVenue | Self::Association | Self::Market
        )
    }
}

/// The first day of every programme.
pub const FIRST: Date = date(2027, 1, 4);

fn plus(day: Date, days: i64) -> Date {
    day.saturating_add(Span::new().days(days))
}

fn columns(kind: Kind, tongue: Tongue, rng: &mut Rng) -> Vec<(Col, String)> {
    let mut cols = vec![Col::Date];
    if rng.chance(50) {
        cols.push(Col::Hours);
    } else {
        cols.extend([Col::Start, Col::End]);
    }
    cols.push(Col::Title);
    let rich: &[(Col, usize)] = match kind {
        Kind::Association => &[
            (Col::Room, 90),
            (Col::Organiser, 50),
            (Col::Description, 30),
            (Col::Status, 30),
        ],
        Kind::Market => &[
            (Col::Kind, 50),
            (Col::Room, 80),
            (Col::Organiser, 60),
            (Col::Description, 40),
            (Col::Status, 30),
        ],
        _ => &[
            (Col::Kind, 85),
            (Col::Room, 95),
            (Col::Organiser, 75),
            (Col::Contact, 40),
            (Col::Description, 75),
            (Col::Capacity, 50),
            (Col::Status, 60),
            (Col::Note, 25),
        ],
    };
    for (col, percent) in rich {
        if rng.chance(*percent) {
            cols.push(*col);
        }
    }
    if rng.chance(20) {
        cols.insert(0, Col::Number);
    }
    cols.into_iter()
        .map(|col| (col, header(col, tongue, rng)))
        .collect()
}

fn slot(rng: &mut Rng) -> (Option<u16>, Option<u16>) {
    let start = *rng.pick(&[9, 10, 10, 12, 14, 14, 15, 17, 18, 18, 19, 20]) * 60
        + *rng.pick(&[0, 0, 30, 30, 15]);
    let end = (start + *rng.pick(&[60, 90, 120, 120, 150, 180, 240])) % (24 * 60);
    match rng.below(12) {
        0 => (Some(start), None),
        _ => (Some(start), Some(end)),
    }
}

/// Anything that takes place once.
pub fn single(kind: Kind, tongue: Tongue, day: Date, rng: &mut Rng) -> Item {
    let menu = menu(tongue);
    let topic = *rng.pick(menu.topics);
    let (start, end) = slot(rng);
    let organiser = (*rng.pick(menu.people)).to_owned();
    let mut item = Item {
        date: day,
        start,
        end,
        title: String::new(),
        kind: String::new(),
        room: (*rng.pick(menu.rooms)).to_owned(),
        contact: format!("contact{}@example.org", rng.below(12)),
        organiser,
        description: description(menu, topic, rng),
        capacity: rng
            .chance(50)
            .then(|| *rng.pick(&[8, 10, 12, 15, 20, 30, 40, 80, 150])),
        status: match rng.below(10) {
            0 => match tongue {
                Tongue::Fr => "À confirmer",
                Tongue::En => "To be confirmed",
            },
            1..=5 => match tongue {
                Tongue::Fr => "Confirmé",
                Tongue::En => "Confirmed",
            },
            _ => "",
        }
        .to_owned(),
        note: String::new(),
    };
    if matches!(kind, Kind::ConcertVenue) || kind == Kind::Festival && rng.chance(50) {
        item.title = band(rng);
        "Concert".clone_into(&mut item.kind);
        item.description = description(menu, &item.title.clone(), rng);
        if kind == Kind::ConcertVenue {
            item.start = Some(*rng.pick(&[20 * 60, 20 * 60 + 30, 20 * 60 + 30, 21 * 60]));
            item.end = rng.chance(50).then_some(30);
            (*rng.pick(&menu.rooms[..2])).clone_into(&mut item.room);
        }
    } else {
        let (of, begins) = rng.pick(menu.formats);
        (*of).clone_into(&mut item.kind);
        item.title = format!("{begins}{topic}");
        let first: String = item
            .title
            .chars()
            .take(1)
            .flat_map(char::to_uppercase)
            .collect();
        item.title = first + &item.title.chars().skip(1).collect::<String>();
    }
    item
}

/// What comes back every week, with the same words every time.
fn weekly(tongue: Tongue, from: Date, weeks: usize, rng: &mut Rng) -> Vec<Item> {
    let menu = menu(tongue);
    let (kind, title) = *rng.pick(menu.weekly);
    let mut first = single(Kind::ThirdPlace, tongue, from, rng);
    kind.clone_into(&mut first.kind);
    title.clone_into(&mut first.title);
    first.description = description(menu, title, rng);
    first.status = String::new();
    let step = if rng.chance(85) { 7 } else { 14 };
    (0..weeks)
        .map(|week| Item {
            date: plus(from, step * week as i64),
            ..first.clone()
        })
        .collect()
}

fn items(kind: Kind, tongue: Tongue, rng: &mut Rng) -> Vec<Item> {
    let mut out = Vec::new();
    let once = |out: &mut Vec<Item>, count: i64, days: i64, rng: &mut Rng| {
        for _ in 0..count {
            let day = plus(FIRST, rng.between(7, days));
            out.push(single(kind, tongue, day, rng));
        }
    };
    let series = |out: &mut Vec<Item>, count: i64, weeks: i64, rng: &mut Rng| {
        for _ in 0..count {
            let from = plus(FIRST, rng.between(7, 13));
            let weeks = rng.between(3, weeks) as usize;
            out.extend(weekly(tongue, from, weeks, rng));
        }
    };
    match kind {
        Kind::ThirdPlace => {
            let n = rng.between(2, 5);
            series(&mut out, n, 8, rng);
            let n = rng.between(10, 40);
            once(&mut out, n, 60, rng);
        }
        Kind::ConcertVenue => {
            let n = rng.between(10, 40);
            once(&mut out, n, 90, rng);
        }
        Kind::Association => {
            let n = rng.between(1, 2);
            series(&mut out, n, 6, rng);
            let n = rng.between(5, 18);
            once(&mut out, n, 80, rng);
        }
        Kind::Market => {
            let n = rng.between(1, 3);
            series(&mut out, n, 20, rng);
            let n = rng.between(4, 15);
            once(&mut out, n, 120, rng);
        }
        Kind::Festival => {
            let n = rng.between(30, 110);
            once(&mut out, n, 10, rng);
        }
        Kind::Centre => {
            let n = rng.between(4, 9);
            series(&mut out, n, 10, rng);
            let n = rng.between(10, 50);
            once(&mut out, n, 75, rng);
        }
        Kind::YearBook => {
            let n = rng.between(3, 7);
            series(&mut out, n, 20, rng);
            let n = rng.between(60, 200);
            once(&mut out, n, 300, rng);
        }
    }
    // Nothing stands twice to begin with.
    out.sort_by(|a, b| (a.date, a.start, &a.title).cmp(&(b.date, b.start, &b.title)));
    out.dedup_by(|a, b| a.date == b.date && a.title == b.title);
    out.truncate(300);
    out
}

/// The sheet of a place on its first morning.
pub fn book(kind: Kind, rng: &mut Rng) -> Book {
    let tongue = match kind {
        Kind::Centre => Tongue::En,
        Kind::ConcertVenue | Kind::Festival if rng.chance(40) => Tongue::En,
        _ => Tongue::Fr,
    };
    let columns = columns(kind, tongue, rng);
    let dates = *rng.pick(&[
        DateStyle::Iso,
        DateStyle::Slash,
        DateStyle::Slash,
        DateStyle::Weekday,
        DateStyle::Words,
    ]);
    let hours = match tongue {
        Tongue::Fr => *rng.pick(&[
            HourStyle::Colon,
            HourStyle::H,
            HourStyle::H,
            HourStyle::Long,
        ]),
        Tongue::En => HourStyle::Colon,
    };
    let separator = *rng.pick(b",;");
    let tab = |name: String| Tab {
        name,
        columns: columns.clone(),
        rows: Vec::new(),
        dates,
        hours,
        separator,
    };
    let monthly = match kind {
        Kind::YearBook => true,
        Kind::ThirdPlace | Kind::Centre => rng.chance(40),
        _ => false,
    };
    let mut book = Book {
        tongue,
        tabs: Vec::new(),
        next: 0,
    };
    for item in items(kind, tongue, rng) {
        let name = if monthly {
            format!("{} {}", month(item.date, tongue), item.date.year())
        } else {
            "Programme 2027".to_owned()
        };
        let known = book.tabs.iter().position(|tab| tab.name == name);
        let at = known.unwrap_or_else(|| {
            book.tabs.push(tab(name));
            book.tabs.len() - 1
        });
        let who = book.fresh();
        book.tabs[at].rows.push(Row::Line {
            who,
            item: Box::new(item),
        });
    }
    if rng.chance(25) {
        // Not everyone sorts by date.
        for tab in &mut book.tabs {
            rng.shuffle(&mut tab.rows);
        }
    }
    if rng.chance(20) {
        for tab in &mut book.tabs {
            let at = rng.below(tab.rows.len());
            tab.rows.insert(at, Row::Other(String::new()));
        }
    }
    book
}

/// The same weekday `weeks` later.
pub fn weeks_later(day: Date, weeks: i64) -> Date {
    day.saturating_add((7 * weeks).days())
}
