//! What a visit to these pages asks of a place, and what the place has shown. Both travel between the
//! nodes of a cluster; neither is ever logged.

use jiff::Timestamp;
use raccord_model::Lang;
use serde::{Deserialize, Serialize};

use super::counter::Counter;
use super::ways::Ways;

/// Somebody looks at a page, or sends a form.
#[derive(Clone, Serialize, Deserialize)]
pub struct Visit {
    /// When.
    pub at: Timestamp,
    /// What is asked for, below `hands`: `` (empty), `me`, `who`, `in`, an id, ...
    pub path: String,
    /// The secret of an address that was sent to somebody.
    pub key: String,
    /// Where to go back to once signed in: the id of an activity or a task.
    pub back: String,
    /// The form, where one was sent.
    pub form: Option<Vec<(String, String)>>,
    /// The secret of the cookie.
    pub session: Option<String>,
    /// From which network, as far as that is known.
    pub network: String,
    /// The language the browser prefers.
    pub lang: Lang,
    /// The visitor chose that language on the page.
    pub chosen: bool,
    /// The request carries the place's own token.
    pub admin: bool,
}

impl std::fmt::Debug for Visit {
    /// Without secrets, and without what people wrote.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Visit(..)")
    }
}

impl Visit {
    /// The value of a field, or `""`.
    pub fn field(&self, name: &str) -> &str {
        let fields = self.form.iter().flatten();
        let mut named = fields.filter(|(known, _)| known == name);
        named.next().map_or("", |(_, value)| value.as_str())
    }

    /// Every value of a field.
    pub fn fields<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        let fields = self.form.iter().flatten();
        fields.filter_map(move |(known, value)| (known == name).then_some(value.as_str()))
    }
}

/// What a place answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Answer {
    /// A page.
    Page(Box<Screen>),
    /// Another page, by its path below `hands`.
    Go {
        /// The path.
        to: String,
        /// A cookie to keep, or to drop.
        cookie: Option<Cookie>,
    },
    /// A calendar.
    Calendar(String),
    /// There is nothing at this address.
    Nothing,
    /// The place has no such pages.
    Closed,
    /// Too many are there at once.
    Busy,
    /// The visitor asked for too much in little time; seconds to wait.
    TooMany(u32),
    /// The place cannot write now.
    NotReady,
}

/// The cookie of somebody who signed in.
#[derive(Clone, Serialize, Deserialize)]
pub struct Cookie {
    /// Its secret; empty to drop it.
    pub value: String,
    /// How long it is kept.
    pub seconds: u32,
}

impl std::fmt::Debug for Cookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cookie(..)")
    }
}

/// A page, for whoever looks at it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Screen {
    /// The status of the answer.
    pub status: u16,
    /// The language to write in.
    pub lang: Lang,
    /// Who looks, where they signed in.
    pub visitor: Option<Visitor>,
    /// What was just done, or cannot be.
    pub said: String,
    /// What it shows.
    pub shows: Shows,
}

/// Somebody who signed in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Visitor {
    /// What they are called; may be empty.
    pub name: String,
    /// What their forms carry.
    pub token: String,
    /// Whether they note who came.
    pub organiser: bool,
    /// Whether they have a card of the place.
    pub card: bool,
    /// Whether they take payments at its till.
    pub serves: bool,
}

/// What a page shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Shows {
    /// What needs hands, most urgent first.
    Needs(Vec<Offer>),
    /// Who is on what.
    Who(Vec<Offer>),
    /// One activity or task.
    Item(Box<Item>),
    /// What somebody is on.
    Mine(Box<Mine>),
    /// The form that asks for a link.
    SignIn {
        /// Where to go back to.
        back: String,
        /// Whether links can be sent.
        sends: bool,
    },
    /// A link is on its way, if the address is one.
    Sent,
    /// The form behind the link.
    Enter {
        /// The link's secret.
        key: String,
    },
    /// The tick list of an organiser.
    Attendance(Box<List>),
    /// Somebody's code was read: is it so?
    Arrived {
        /// The code's secret.
        key: String,
        /// Who.
        name: String,
        /// For what.
        title: String,
    },
    /// A card of the place, or its till.
    Counter(Box<Counter>),
    /// A page about a letter.
    Newsletter(super::NewsletterPage),
    /// How somebody is told.
    Ways(Box<Ways>),
    /// Something cannot be done; `said` tells why.
    Refused,
}

/// An activity or a task, in words of the page's language.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// The activity it is for.
    pub of: String,
    /// When.
    pub when: String,
    /// Where.
    pub room: String,
    /// How many places there are.
    pub capacity: Option<u64>,
    /// How many of them are taken.
    pub taken: u64,
    /// How many hands it lacks.
    pub missing: u64,
    /// How many people wait.
    pub waiting: u64,
    /// The address of its how-to.
    pub guide: String,
    /// The page where one signs up instead, where another tool counts its places.
    pub register: String,
    /// The page on which its date is chosen, while it has none; else empty.
    pub poll: String,
    /// What it is worth.
    pub credits: String,
    /// Somebody should have been found by now.
    pub urgent: bool,
    /// Why nobody can sign up; empty while one can.
    pub closed: String,
    /// How the visitor's own sign-up stands.
    pub own: Option<Own>,
    /// Those on it who agreed that their name is shown.
    pub people: Vec<String>,
    /// How many more there are.
    pub unnamed: u64,
}

/// How the visitor's own sign-up stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Own {
    /// Its id.
    pub registration: String,
    /// `registered`, `waitlisted`, `attended`, `absent`.
    pub state: String,
    /// The place on the waiting list, from 1.
    pub position: Option<u32>,
    /// Whether it has begun, so that one can say that one was there.
    pub begun: bool,
    /// What an organiser's phone reads to know them.
    pub code: String,
}

/// One activity or task with what belongs to it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Item {
    /// Itself.
    pub offer: Offer,
    /// What it is about.
    pub about: String,
    /// Its tasks.
    pub tasks: Vec<Offer>,
    /// Whether whoever looks may note who came.
    #[serde(default)]
    pub notes: bool,
}

/// What somebody is on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Mine {
    /// What comes, by start.
    pub coming: Vec<Offer>,
    /// What was, the last first.
    pub past: Vec<Offer>,
    /// Whether they agreed that their name is shown.
    pub shown: bool,
    /// The address of their calendar.
    pub calendar: String,
}

/// Who came?
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct List {
    /// What for.
    pub offer: Offer,
    /// Everybody with a place, then who waits.
    pub rows: Vec<Row>,
}

/// Somebody on such a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    /// Their registration.
    pub registration: String,
    /// What they are called, else their address.
    pub name: String,
    /// `registered`, `waitlisted`, `attended`, `absent`.
    pub state: String,
    /// They said themselves that they were there.
    pub own_word: bool,
}
