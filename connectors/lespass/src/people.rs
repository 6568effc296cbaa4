//! Who signed up and who came, made of reservations and tickets. Pure.
//!
//! Lespass lets one address book twice; that is one person with more places. Nothing that is kept says
//! who they are.

use std::collections::BTreeMap;

use jiff::Timestamp;
use raccord_model::{Change, Digest, EntityId, EntityKind, Fields, Verb};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::api::{Reservation, Ticket};

/// The most characters of a name.
const NAME: usize = 200;
/// The most places of one person.
const MOST: usize = 1_000;

/// How a person stood when it was told, by the first of their reservations' names.
pub(crate) type Told = BTreeMap<String, Standing>;

/// How somebody stands for something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Standing {
    /// What of it.
    #[serde(rename = "s")]
    state: State,
    /// For how many.
    #[serde(rename = "n")]
    places: u32,
    /// Whether their name was told: only tickets hold it, and they are read late.
    #[serde(rename = "k", default, skip_serializing_if = "std::ops::Not::not")]
    named: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum State {
    #[serde(rename = "r")]
    Registered,
    #[serde(rename = "c")]
    Cancelled,
    #[serde(rename = "a")]
    Attended,
}

/// What is known of one event's tickets, by reservation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Door {
    /// The name on a ticket of it.
    pub(crate) name: String,
    /// Whether one of them was scanned.
    pub(crate) came: bool,
}

impl Door {
    /// Adds what one ticket says.
    pub(crate) fn add(&mut self, ticket: &Ticket, scanned: bool) {
        self.came |= scanned;
        if self.name.is_empty() {
            let parts = [&ticket.first_name, &ticket.last_name];
            let parts: Vec<&str> = parts
                .into_iter()
                .filter_map(|part| Some(part.as_ref()?.trim()))
                .filter(|part| !part.is_empty())
                .collect();
            self.name = parts.join(" ").chars().take(NAME).collect();
        }
    }
}

/// What a reservation's status says of a place. One that waits for a payment or for its address to be
/// shown has none yet, and loses none.
fn seated(status: &str) -> Option<bool> {
    match status {
        "V" | "FA" | "P" | "PE" | "PN" => Some(true),
        "C" => Some(false),
        _ => None,
    }
}

/// Whether somebody has a place by it, as a webhook would have said.
pub(crate) fn is_seated(reservation: &Reservation) -> bool {
    seated(&reservation.status) == Some(true)
}

/// What changed since it was told, oldest first, and how everybody stands now. `ours` says what each
/// event stands for; `doors` what is known of tickets.
pub(crate) fn changes(
    reservations: &[Reservation],
    ours: &BTreeMap<String, EntityId>,
    doors: &BTreeMap<String, Door>,
    told: &Told,
) -> (Vec<Change>, Told) {
    let mut groups: BTreeMap<(&str, String), Vec<&Reservation>> = BTreeMap::new();
    for reservation in reservations {
        let email = reservation.user_mail.trim().to_lowercase();
        if ours.contains_key(&reservation.event) && email.contains('@') {
            let group = groups.entry((&reservation.event, email)).or_default();
            group.push(reservation);
        }
    }
    let mut now = Told::new();
    let mut changes = Vec::new();
    for ((event, email), mut group) in groups {
        // The list begins with what changed last.
        group.sort_by(|a, b| (a.changed(), &a.uuid).cmp(&(b.changed(), &b.uuid)));
        let known = group.iter().map(|one| short(&one.uuid));
        let known = known.into_iter().find(|name| told.contains_key(name));
        let before = known.as_ref().and_then(|name| told.get(name)).copied();
        let Some(mut standing) = standing(&group, doors, before) else {
            continue;
        };
        let shown = group.iter().filter_map(|one| doors.get(&one.uuid));
        let shown = shown.map(|door| &door.name).find(|name| !name.is_empty());
        standing.named |= shown.is_some();
        let name = known.unwrap_or_else(|| short(&group[0].uuid));
        now.insert(name.clone(), standing);
        if before == Some(standing) {
            continue;
        }
        let last = group.last().and_then(|one| one.changed());
        let mut fields: Fields = [
            ("activity".to_owned(), json!(ours[event])),
            ("email".to_owned(), json!(email)),
        ]
        .into();
        if let Some(shown) = shown {
            fields.insert("name".into(), json!(shown));
        }
        let verb = match standing.state {
            State::Registered if before.is_none() => Verb::Created,
            State::Registered => Verb::Updated,
            State::Cancelled => Verb::Cancelled,
            State::Attended => Verb::Attended,
        };
        let state = match standing.state {
            State::Registered => "registered",
            State::Cancelled => "cancelled",
            State::Attended => "attended",
        };
        fields.insert("state".into(), json!(state));
        if standing.state == State::Attended {
            fields.insert("attested".into(), json!("scan"));
        }
        if standing.state != State::Cancelled {
            let places = (standing.places > 1).then_some(standing.places);
            fields.insert("places".into(), json!(places));
        }
        changes.push((last, change(&name, verb, standing, last, fields)));
    }
    changes.sort_by(|a, b| (a.0, &a.1.subject).cmp(&(b.0, &b.1.subject)));
    // Whoever is not in the list any more was told of, and absence proves nothing: cancelled
    // reservations stay in it.
    for (name, standing) in told {
        now.entry(name.clone()).or_insert(*standing);
    }
    (changes.into_iter().map(|(_, change)| change).collect(), now)
}

fn standing(
    group: &[&Reservation],
    doors: &BTreeMap<String, Door>,
    before: Option<Standing>,
) -> Option<Standing> {
    let sitting: Vec<&&Reservation> = group.iter().filter(|one| is_seated(one)).collect();
    let places: usize = sitting.iter().map(|one| one.tickets.len().max(1)).sum();
    let places = u32::try_from(places.min(MOST)).unwrap_or(1);
    let came = |one: &&Reservation| doors.get(&one.uuid).is_some_and(|door| door.came);
    if !sitting.is_empty() {
        let attended = before.is_some_and(|before| before.state == State::Attended);
        let came = attended || sitting.iter().any(|one| came(one));
        let state = if came {
            State::Attended
        } else {
            State::Registered
        };
        return Some(Standing {
            state,
            places,
            named: before.is_some_and(|before| before.named),
        });
    }
    // Nobody hears of whoever never had a place.
    let before = before?;
    let waits = group.iter().any(|one| seated(&one.status).is_none());
    Some(if waits {
        before
    } else {
        Standing {
            state: State::Cancelled,
            ..before
        }
    })
}

fn change(
    name: &str,
    verb: Verb,
    standing: Standing,
    last: Option<Timestamp>,
    fields: Fields,
) -> Change {
    // The same state may come again later: what changed last tells one time from the next.
    let what = format!("{name} {standing:?} {last:?}");
    Change {
        sender: String::new(),
        id: Digest::of(what.as_bytes()).to_string(),
        kind: EntityKind::Registration,
        verb,
        subject: name.to_owned(),
        fields,
        correlation: None,
        causation: None,
        hops: 0,
        trace: None,
    }
}

/// Enough of a name to tell it from all others, in a cursor that is kept with each reading.
pub(crate) fn short(uuid: &str) -> String {
    let digits = uuid.chars().filter(char::is_ascii_hexdigit);
    digits.take(16).collect::<String>().to_lowercase()
}
