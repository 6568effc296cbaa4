//! The reading half: who signed up for what is ours, and who came. The list of reservations is whole
//! each time; what was told of it stands in the cursor, in names that say nothing of anybody.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use raccord_kit::{BoxFuture, Shared, Source, notice};
use raccord_model::{Change, EntityId, Failure, Link, Observation, Words};
use serde::{Deserialize, Serialize};

use crate::api::{Reservation, Ticket};
use crate::people::{self, Door, Told};
use crate::sink::{times_of, was_never_made};
use crate::{KIND, Lespass};

/// Tickets are looked at from so long before an event begins ...
const EARLY: SignedDuration = SignedDuration::from_hours(3);
/// ... to so long after it ended: scanners that were off line tell later. After that nothing is told
/// of it any more.
const LATE: SignedDuration = SignedDuration::from_hours(24 * 7);
/// So many reservations in a row that Lespass did not call for mean that its webhook is off.
const SILENT: usize = 3;
/// How many of those it called for are remembered: they change once more when their mail leaves, and
/// nobody calls for that.
const REMEMBERED: usize = 500;
/// What organisers are told then.
const WEBHOOK_OFF: &str = "webhook-off";
/// Lespass calls within moments: a reservation that changed before this may still be called for.
const SOON: SignedDuration = SignedDuration::from_mins(1);
/// What a scanned ticket is called, and what others are, in the languages that Lespass speaks.
const SCANNED: [&str; 2] = ["valide et scanné", "valid and scanned"];
const OTHERS: [&str; 9] = [
    "valide et non scanné",
    "valid and not scanned",
    "créé",
    "created",
    "inactif",
    "inactive",
    "annulé",
    "canceled",
    "cancelled",
];

/// What is known of ours, and of what Lespass calls for.
#[derive(Default)]
pub(crate) struct Memory {
    /// By what Lespass calls them.
    ours: BTreeMap<String, Ours>,
    /// Labels of tickets in other languages: whether they mean scanned.
    labels: BTreeMap<String, bool>,
    /// When Lespass called last for a reservation.
    called: Option<Timestamp>,
    /// For which it did, the last one last.
    called_for: VecDeque<String>,
    /// Since when it would have been heard.
    heard_since: Option<Timestamp>,
    /// Those it did not call for since it called last.
    missed: BTreeSet<String>,
    /// Why tickets could not be read.
    pub(crate) scan: Option<Failure>,
}

impl Memory {
    /// Lespass called for a reservation.
    pub(crate) fn calls(&mut self, at: Timestamp, reservation: Option<String>) {
        self.called = Some(at);
        self.missed.clear();
        self.called_for.extend(reservation);
        while self.called_for.len() > REMEMBERED {
            self.called_for.pop_front();
        }
    }

    /// Whether its webhook seems to be off.
    fn is_silent(&self) -> bool {
        self.missed.len() >= SILENT
    }
}

#[derive(Clone, Copy)]
struct Ours {
    entity: EntityId,
    start: Timestamp,
    end: Timestamp,
}

/// Where a reading left off.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Cursor {
    /// How everybody stood.
    #[serde(default)]
    told: Told,
    /// Until when it was looked whether Lespass called.
    #[serde(default)]
    looked: Option<Timestamp>,
    /// What was told to organisers, and not yet taken back.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    open: BTreeSet<String>,
}

impl Shared for Lespass {
    fn ours(&self, links: Vec<(EntityId, Link)>) {
        let made = links
            .into_iter()
            .filter(|(_, link)| !link.is_nameless() && !was_never_made(link));
        let ours = made.filter_map(|(entity, link)| {
            let (start, end) = times_of(&link)?;
            Some((link.external, Ours { entity, start, end }))
        });
        self.memory().ours = ours.collect();
    }
}

impl Source for Lespass {
    fn observe<'a>(
        &'a self,
        cursor: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Observation, Failure>> {
        Box::pin(self.read(cursor))
    }

    fn counts(&self) -> bool {
        true
    }

    fn every(&self) -> (Duration, Option<PathBuf>) {
        (self.settings.every.get(), None)
    }
}

impl Lespass {
    async fn read(&self, cursor: Option<&str>) -> Result<Observation, Failure> {
        let before: Cursor = cursor
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        let now = self.kit.clock.now();
        let ours = self.of_interest(now);
        let all = self.api.reservations().await?;
        let doors = match self.doors(&ours, now).await {
            Ok(doors) => {
                self.memory().scan = None;
                doors
            }
            // Who signed up is known all the same.
            Err(failure) => {
                self.memory().scan = Some(failure);
                BTreeMap::new()
            }
        };
        let names: BTreeMap<String, EntityId> = ours
            .iter()
            .map(|(uuid, known)| (uuid.clone(), known.entity))
            .collect();
        let (mut changes, told) = people::changes(&all, &names, &doors, &before.told);
        let told = keep_current(told, &all, &ours);
        let looked = self.watch(&all, before.looked, now);
        let mut after = Cursor {
            told,
            looked,
            open: before.open.clone(),
        };
        changes.extend(self.notices(&mut after.open, now));
        let text = serde_json::to_string(&after).unwrap_or_default();
        let cursor = (after != before || cursor.is_none()).then_some(text);
        if changes.is_empty() {
            return Ok(Observation::Unchanged { cursor });
        }
        Ok(Observation::Changes { changes, cursor })
    }

    /// What of ours is not over, by what Lespass calls it.
    pub(crate) fn still_to_come(&self) -> BTreeSet<String> {
        let now = self.kit.clock.now();
        let memory = self.memory();
        let coming = memory.ours.iter().filter(|(_, known)| known.end > now);
        coming.map(|(uuid, _)| uuid.clone()).collect()
    }

    /// What of ours is not over for long.
    fn of_interest(&self, now: Timestamp) -> BTreeMap<String, Ours> {
        let mut memory = self.memory();
        memory.heard_since.get_or_insert(now);
        let ours = memory.ours.iter();
        ours.filter(|(_, known)| now.duration_since(known.end) < LATE)
            .map(|(uuid, known)| (uuid.clone(), *known))
            .collect()
    }

    /// What is known at the door, of events that began or are about to.
    async fn doors(
        &self,
        ours: &BTreeMap<String, Ours>,
        now: Timestamp,
    ) -> Result<BTreeMap<String, Door>, Failure> {
        let mut doors: BTreeMap<String, Door> = BTreeMap::new();
        if self.api.scan_key.is_none() {
            return Ok(doors);
        }
        let begun = |known: &Ours| known.start.duration_since(now) < EARLY;
        for uuid in ours
            .iter()
            .filter(|(_, known)| begun(known))
            .map(|(uuid, _)| uuid)
        {
            for ticket in self.api.tickets(uuid).await? {
                let scanned = self.was_scanned(&ticket).await?;
                let door = doors.entry(ticket.reservation_uuid.clone()).or_default();
                door.add(&ticket, scanned);
            }
        }
        Ok(doors)
    }

    /// Whether a ticket was scanned: its label is in the language of the place, and what is in none we
    /// know is asked once.
    async fn was_scanned(&self, ticket: &Ticket) -> Result<bool, Failure> {
        let label = ticket.status.trim().to_lowercase();
        if SCANNED.contains(&label.as_str()) {
            return Ok(true);
        }
        if OTHERS.contains(&label.as_str()) {
            return Ok(false);
        }
        let known = self.memory().labels.get(&label).copied();
        if let Some(scanned) = known {
            return Ok(scanned);
        }
        let scanned = self.api.is_scanned(ticket).await?;
        self.memory().labels.insert(label, scanned);
        Ok(scanned)
    }

    /// Counts the reservations that Lespass should have called for, and did not. Gives how far was
    /// looked: what changed just now may still be called for.
    fn watch(
        &self,
        all: &[Reservation],
        looked: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let soon = now.checked_sub(SOON).ok()?;
        let changed = |one: &Reservation| one.changed().filter(|at| *at <= soon);
        let newest = all.iter().filter_map(changed).max().max(looked);
        let mut memory = self.memory();
        let heard = memory.heard_since.filter(|_| self.hook_secret.is_some());
        if let Some(heard) = heard {
            let since = memory.called.max(looked).max(Some(heard));
            let fresh = |one: &&Reservation| people::is_seated(one) && changed(one) > since;
            for name in all.iter().filter(fresh).map(|one| people::short(&one.uuid)) {
                if memory.missed.len() < SILENT && !memory.called_for.contains(&name) {
                    memory.missed.insert(name);
                }
            }
        }
        newest
    }

    /// What organisers are told, and what is over of it.
    fn notices(&self, open: &mut BTreeSet<String>, now: Timestamp) -> Vec<Change> {
        let memory = self.memory();
        let scan = memory.scan.clone();
        let silent = memory.is_silent();
        // A process that has just begun has heard nothing yet: that is no proof.
        let unheard = memory.called.is_none();
        drop(memory);
        let webhook = silent.then(|| (webhook_off(self.api.host()), how_to_switch_on()));
        let scan = scan.map(|failure| (failure.text, failure.mend));
        [(WEBHOOK_OFF, webhook), ("no-attendance", scan)]
            .into_iter()
            .filter_map(|(code, said)| {
                let changed = match &said {
                    Some(_) => open.insert(code.to_owned()),
                    None if code == WEBHOOK_OFF && unheard => false,
                    None => open.remove(code),
                };
                changed.then(|| notice(KIND, code, said.as_ref(), now))
            })
            .collect()
    }
}

/// Of what is over, or of somebody else, nothing is kept.
fn keep_current(mut told: Told, all: &[Reservation], ours: &BTreeMap<String, Ours>) -> Told {
    let others = all.iter().filter(|one| !ours.contains_key(&one.event));
    for one in others {
        told.remove(&people::short(&one.uuid));
    }
    told
}

/// That Lespass does not call any more.
fn webhook_off(host: &str) -> Words {
    Words::new(
        format!(
            "{host} n’appelle plus quand quelqu’un s’inscrit\u{a0}: son webhook s’est éteint. Rien n’est perdu, mais les inscriptions arrivent plus tard."
        ),
        format!(
            "{host} does not call any more when somebody signs up: its webhook switched itself off. Nothing is lost, but sign-ups come later."
        ),
    )
}

/// How its webhook is switched on again.
fn how_to_switch_on() -> Words {
    Words::new(
        "Dans l’administration de Lespass\u{a0}: Webhooks, celui de Raccord, cochez «\u{a0}Actif\u{a0}». Un seul appel sans réponse en deux secondes l’éteint.",
        "In Lespass’s administration: Webhooks, the one of Raccord, tick “Active”. A single call without an answer within two seconds switches it off.",
    )
}
