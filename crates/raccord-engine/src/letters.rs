//! Letters to many: prepared once, at their hour, kept as they are sent, and stopped by a person or
//! sent after their grace; to each reader once ([ADR 21](../../../docs/adr/0021-letters.md)).
//!
//! An issue is owed like a round-up. Where the readers are ours it becomes, when it leaves, one saying
//! for each of them, which starts, is in doubt and is looked at like any other effect. All that are in
//! doubt are asked about in one hold.

use std::collections::BTreeSet;

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};
use raccord_model::{
    Blame, Cause, Change, ConnectorName, Desired, Digest, Entity, EntityId, EntityKind, Failure,
    Fields, Handling, HoldId, Mode, NO_SUCH_ADDRESS, Readers, Rendered, Route, Saying, SinkRule,
    Subject, Verb, Words,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::deciding::{Deciding, Draft, zone_of};
use crate::delivery::Wish;
use crate::fact::{DeliveryRef, Fact, HeldEffect, Hold, HoldKind, OwedFact};
use crate::input::{Reply, Who};
use crate::notice::RACCORD;
use crate::sayings::{About, LATE, id_of, said_by, too_late};
use crate::state::{Owed, Progress, Spot, State};

/// What an event says was done.
pub(crate) const SUBSCRIBED: &str = "subscribe";
pub(crate) const LEFT: &str = "leave";
/// The code of what is noticed of an address at which nobody reads mail.
pub(crate) const BOUNCED: &str = "bounced";
/// The code of what is told while a letter can be stopped.
const CODE: &str = "letter";
/// The most letters somebody reads.
const LETTERS: usize = 20;
/// How many readers a hold names; all of them are in doubt.
const NAMED: usize = 100;

/// A letter that was prepared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Issue {
    /// The letter as it is sent, a [`Desired`] as JSON.
    pub body: String,
    /// How many of its readers are still owed it, set aside, or in doubt.
    pub left: u32,
}

/// How a sink sends letters, if it does.
pub(crate) fn handling(rule: &SinkRule) -> Option<(&Handling, Readers)> {
    rule.handles
        .iter()
        .find_map(|handling| match handling.mode {
            Mode::Letter(readers) => Some((handling, readers)),
            _ => None,
        })
}

/// Whether somebody reads a letter, and with which key they leave it.
fn reads<'a>(person: &'a Entity, list: &str) -> Option<&'a str> {
    let letter = person.fields.get("letters")?.get(list)?;
    let bounced = letter.get("bounced").is_some();
    letter.get("key")?.as_str().filter(|_| !bounced)
}

/// The readers of a letter, by their id.
pub fn readers(engine: &crate::Engine, list: &ConnectorName) -> Vec<Entity> {
    let state = engine.state();
    let people = state.entities.iter();
    let people = people.filter(|(_, record)| record.kind == EntityKind::Person);
    people
        .map(|(&id, record)| {
            let mut person = record.entity(id);
            engine.vault().reveal(&mut person.fields);
            person
        })
        .filter(|person| {
            let letters = person.fields.get("letters");
            letters.is_some_and(|letters| letters.get(list.as_str()).is_some())
        })
        .collect()
}

impl Deciding<'_> {
    /// Somebody confirmed that they want a letter.
    pub(crate) fn subscribe(&mut self, who: &Who, list: &ConnectorName) -> Reply {
        let rules = self.rules();
        let ours = rules.sinks.get(list).and_then(handling);
        if !matches!(ours, Some((_, Readers::Ours))) {
            return Reply::Cannot(Words::new(
                format!("aucune lettre ne s'appelle {list}"),
                format!("no letter is called {list}"),
            ));
        }
        let cause = did(SUBSCRIBED);
        let person = self.person(who, RACCORD, &cause);
        let known = person.and_then(|person| self.entity(person));
        let Some(known) = known else {
            return Reply::Cannot(crate::signups::not_kept());
        };
        // Whoever reads it already keeps the link to leave of the letters they have.
        if reads(&known, list.as_str()).is_some() {
            return Reply::Known(known.id);
        }
        let key = self.entropy.slot();
        let mut letters = letters_of(&known);
        if letters.len() >= LETTERS {
            return Reply::Cannot(Words::new(
                "cette personne lit déjà trop de lettres",
                "this person reads too many letters already",
            ));
        }
        let since = self.now.to_string();
        letters.insert(list.to_string(), json!({ "since": since, "key": key }));
        let id = known.id;
        self.keep_letters(known, letters, cause);
        Reply::Known(id)
    }

    /// Somebody leaves a letter, by the key that stands in each. Where it fits none, nothing is done,
    /// and the answer is the same.
    pub(crate) fn leave(&mut self, person: EntityId, key: &str) -> Reply {
        let known = self
            .entity(person)
            .filter(|known| known.kind == EntityKind::Person);
        let Some(known) = known else {
            return Reply::Taken;
        };
        let mut letters = letters_of(&known);
        let before = letters.len();
        letters.retain(|_, letter| {
            let own = letter
                .get("key")
                .and_then(Value::as_str)
                .unwrap_or_default();
            // Digests are compared: how long it takes tells nothing of a key.
            own.is_empty() || Digest::of(own.as_bytes()) != Digest::of(key.as_bytes())
        });
        if letters.len() != before {
            self.keep_letters(known, letters, did(LEFT));
        }
        Reply::Taken
    }

    fn has_bounced(&mut self, person: EntityId, list: &ConnectorName) {
        let Some(known) = self.entity(person) else {
            return;
        };
        let mut letters = letters_of(&known);
        let now = self.now.to_string();
        let Some(letter) = letters
            .get_mut(list.as_str())
            .and_then(Value::as_object_mut)
        else {
            return;
        };
        letter.entry("bounced").or_insert(json!(now));
        let cause = Cause::Noticed {
            code: BOUNCED.to_owned(),
        };
        self.keep_letters(known, letters, cause);
    }

    fn keep_letters(
        &mut self,
        known: Entity,
        letters: serde_json::Map<String, Value>,
        cause: Cause,
    ) {
        let mut fields = known.fields;
        if letters.is_empty() {
            fields.remove("letters");
        } else {
            fields.insert("letters".into(), Value::Object(letters));
        }
        self.emit(Draft {
            kind: EntityKind::Person,
            verb: Verb::Updated,
            entity: known.id,
            fields,
            source: &known.source,
            family: known.id,
            cause,
            causation: None,
        });
    }

    /// When an issue leaves, and until when it may.
    pub(crate) fn leaves(
        &self,
        rule: &SinkRule,
        route: &Route,
        at: DateTime,
    ) -> Option<(Timestamp, Option<Timestamp>)> {
        let (handling, _) = handling(rule)?;
        let grace = crate::delivery::grace(handling, Some(route));
        let due = self.instant(at).saturating_add(grace).ok()?;
        Some((due, due.saturating_add(LATE).ok()))
    }

    /// An issue whose hour has come is prepared, once. Gives whether it can leave now.
    pub(crate) fn issue_leaves(
        &mut self,
        of: &DeliveryRef,
        issue: EntityId,
        at: DateTime,
        owed: &Owed,
    ) -> bool {
        let hour = self.instant(at);
        if self.now < hour {
            self.wake_at(of, hour);
            return false;
        }
        if !self.state.issues.contains_key(&issue) && !self.prepare(of, issue, owed, hour) {
            return false;
        }
        let target = self.state.sinks[&of.connector].targets.get(&issue);
        let owed = target.and_then(|target| target.owed.as_ref());
        let due = owed.map_or(Timestamp::MAX, |owed| owed.due);
        if self.now < due {
            self.wake_at(of, due);
            return false;
        }
        self.settle_veto(of);
        true
    }

    fn wake_at(&mut self, of: &DeliveryRef, at: Timestamp) {
        let flight = self.flight.sinks.entry(of.connector.clone()).or_default();
        flight.wake_at(at, of.family);
    }

    fn prepare(&mut self, of: &DeliveryRef, issue: EntityId, owed: &Owed, hour: Timestamp) -> bool {
        let wish = self.wish(&of.connector, issue);
        let late = wish.as_ref().and_then(|wish| wish.pointless.clone());
        let desired = match wish.map(|wish| wish.rendered) {
            Some(Rendered::Object(desired)) if late.is_none() => desired,
            _ => {
                let nothing = Words::new(
                    "rien n'a lieu ces jours-là, et il ne manque personne",
                    "nothing takes place on these days, and no hands are missing",
                );
                self.record(Fact::Skipped {
                    of: of.clone(),
                    why: late.unwrap_or(nothing),
                });
                return false;
            }
        };
        let body = serde_json::to_string(&desired).expect("a letter always serialises into memory");
        self.record(Fact::Prepared { issue, body });
        let due = self.put_off(of, issue, owed, hour);
        if self.now < due {
            self.tell_veto(of, &desired.title, due);
        }
        true
    }

    /// A letter that is prepared late, for nothing ran at its hour, has its whole grace from then on.
    /// Gives when it leaves.
    fn put_off(
        &mut self,
        of: &DeliveryRef,
        issue: EntityId,
        owed: &Owed,
        hour: Timestamp,
    ) -> Timestamp {
        let late = self.now.duration_since(hour);
        if late < SignedDuration::from_mins(1) || owed.due <= hour {
            return owed.due;
        }
        let later = |at: Timestamp| at.saturating_add(late).unwrap_or(at);
        let due = later(owed.due);
        let target = &self.state.sinks[&of.connector].targets[&issue];
        self.record(Fact::Owed(Box::new(OwedFact {
            connector: of.connector.clone(),
            entity: issue,
            delivery: of.id,
            family: of.family,
            key: target.key.clone(),
            due,
            best_before: owed.best_before.map(later),
            hash: owed.hash,
            cause: owed.cause,
            rule: owed.rule.clone(),
        })));
        due
    }

    fn tell_veto(&mut self, of: &DeliveryRef, title: &str, due: Timestamp) {
        let at = zone_of(self.state.rules()).to_datetime(due);
        let (hour, minute) = (at.hour(), at.minute());
        let (fr, en) = match self.count_readers(&of.connector) {
            None => (String::new(), String::new()),
            Some(0) => (
                ", et personne ne la lit encore".to_owned(),
                ", and nobody reads it yet".to_owned(),
            ),
            Some(1) => (", à une personne".to_owned(), ", to one person".to_owned()),
            Some(many) => (
                format!(", à {many} personnes"),
                format!(", to {many} people"),
            ),
        };
        let veto = veto(of);
        let text = Words::new(
            format!(
                "La lettre « {title} » est prête. Elle part à {hour} h {minute:02}{fr}, si personne ne l'arrête."
            ),
            format!(
                "The letter “{title}” is ready. It leaves at {hour:02}:{minute:02}{en}, unless somebody stops it."
            ),
        );
        let mend = Words::new(
            format!("Rien à faire si elle est bonne. Pour l'arrêter : « raccord reject {veto} »."),
            format!("Nothing to do if it is good. To stop it: `raccord reject {veto}`."),
        );
        crate::notice::tell(self, CODE, &veto.to_string(), &text, &mend);
    }

    fn settle_veto(&mut self, of: &DeliveryRef) {
        crate::notice::settle(self, CODE, &veto(of).to_string());
    }

    /// How many read a letter of ours.
    fn count_readers(&self, sink: &ConnectorName) -> Option<usize> {
        let rules = self.rules();
        let (_, readers) = rules.sinks.get(sink).and_then(handling)?;
        (readers == Readers::Ours).then(|| self.addressed(sink).len())
    }

    /// Who gets the next letter of a list.
    fn addressed(&self, sink: &ConnectorName) -> Vec<EntityId> {
        let people = self.state.entities.iter();
        let people = people.filter(|(_, record)| {
            // Most people read no letter: their bodies need not be decoded.
            record.kind == EntityKind::Person && has_letters(&record.body)
        });
        people
            .filter_map(|(&id, _)| self.entity(id))
            .filter(|person| {
                reads(person, sink.as_str()).is_some() && !person.text("email").is_empty()
            })
            .map(|person| person.id)
            .collect()
    }

    /// A letter of ours leaves: from now on each of its readers is owed it.
    pub(crate) fn address_all(&mut self, of: &DeliveryRef, issue: EntityId, owed: &Owed) {
        let people = self.addressed(&of.connector);
        self.record(Fact::Addressed {
            issue,
            readers: u32::try_from(people.len()).unwrap_or(u32::MAX),
        });
        let place = self.state.rules().place.id.clone();
        let commit = self.state.commit.to_be_bytes();
        for person in &people {
            let key = About::Letter(issue, *person).key();
            let id = id_of(place.as_str(), &of.connector, &key);
            self.record(Fact::Owed(Box::new(OwedFact {
                connector: of.connector.clone(),
                entity: id,
                delivery: raccord_model::DeliveryId::derive(&[
                    of.connector.as_str().as_bytes(),
                    id.as_bytes(),
                    &commit,
                ]),
                family: id,
                key: Some(key),
                due: self.now,
                best_before: owed.best_before,
                hash: None,
                cause: None,
                rule: owed.rule.clone(),
            })));
            self.flight.wake(&of.connector, id);
        }
        let many = people.len();
        self.record(Fact::Skipped {
            of: of.clone(),
            why: Words::new(
                format!("elle part, un courrier pour chacune des {many} personnes qui la lisent"),
                format!("it leaves, one mail for each of the {many} people who read it"),
            ),
        });
    }

    /// An issue as it was prepared.
    pub(crate) fn issue(&self, issue: EntityId) -> Option<Desired> {
        serde_json::from_str(&self.state.issues.get(&issue)?.body).ok()
    }

    /// What one reader is to get.
    pub(crate) fn letter(
        &self,
        sink: &ConnectorName,
        rule: &SinkRule,
        id: EntityId,
        issue: EntityId,
        reader: EntityId,
    ) -> Option<Wish> {
        let (handling, _) = handling(rule)?;
        let owed = self.state.sinks.get(sink)?.targets.get(&id)?.owed.as_ref();
        let best_before = owed.and_then(|owed| owed.best_before);
        let person = self.entity(reader);
        let person = person.as_ref();
        let key = person.and_then(|person| reads(person, sink.as_str()));
        let to = person.map_or("", |person| person.text("email"));
        let prepared = self.issue(issue);
        let pointless = if prepared.is_none() {
            Some(Words::new(
                "la lettre préparée n'existe plus",
                "the prepared letter is gone",
            ))
        } else if key.is_none() || to.is_empty() {
            Some(Words::new(
                "la personne ne lit plus cette lettre",
                "the person does not read this letter any more",
            ))
        } else {
            best_before
                .filter(|best| self.now >= *best)
                .map(|_| too_late())
        };
        let rules = self.rules();
        let rendered = match (&pointless, prepared, key) {
            (None, Some(prepared), Some(key)) => {
                let leave = format!("{reader}.{key}");
                let saying = Saying::Letter {
                    issue: &prepared,
                    to,
                    leave: &leave,
                };
                let context = self.context(&rules, None);
                self.render
                    .render(sink, Subject::Saying { id, saying }, &context)
            }
            _ => Rendered::Nothing,
        };
        Some(Wish {
            rendered,
            rule: owed.map(|owed| owed.rule.clone()).unwrap_or_default(),
            best_before,
            pointless,
            ..said_by(handling, None, About::Letter(issue, reader), id)
        })
    }

    /// Whether a failure says that nobody reads mail there; then the reader is let go, and nothing is
    /// set aside.
    pub(crate) fn has_no_reader(&mut self, of: &DeliveryRef, failure: &Failure) -> bool {
        if failure.blame != Blame::Data || failure.code != NO_SUCH_ADDRESS {
            return false;
        }
        let Some(Spot::Object { entity, .. }) = self.state.find(of) else {
            return false;
        };
        let Some(About::Letter(_, person)) = self.about(&of.connector, entity) else {
            return false;
        };
        self.record(Fact::Skipped {
            of: of.clone(),
            why: Words::new(
                format!("plus personne ne lit à cette adresse : {}", failure.text.fr),
                format!(
                    "nobody reads mail at this address any more: {}",
                    failure.text.en
                ),
            ),
        });
        self.has_bounced(person, &of.connector);
        true
    }

    /// A letter's answer was lost: it is asked about with all others of its issue.
    pub(crate) fn letter_in_doubt(&mut self, of: &DeliveryRef, issue: EntityId, reader: EntityId) {
        let doubted = &mut self.flight.doubted;
        let all = doubted.entry((of.connector.clone(), issue)).or_default();
        all.push((of.clone(), reader));
    }

    /// A person answered about letters in doubt: those they mean are sent again, the others are done.
    pub(crate) fn letters_decided(
        &mut self,
        all: Vec<(DeliveryRef, EntityId)>,
        yes: bool,
        only: Option<&BTreeSet<EntityId>>,
    ) {
        for (of, reader) in all {
            let asked = only.is_none_or(|only| only.contains(&reader));
            if yes && asked {
                self.made_again(&of);
            } else {
                crate::hold::vouched(self, &of);
            }
            self.flight.wake(&of.connector, of.family);
        }
    }

    /// A no to a letter that has not left: it is not sent.
    pub(crate) fn vetoed(&mut self, id: HoldId) -> bool {
        let pending = self.state.sinks.iter().find_map(|(connector, sink)| {
            sink.targets.iter().find_map(|(entity, target)| {
                let owed = target.owed.as_ref()?;
                let about = About::read(target.key.as_deref()?)?;
                let of = DeliveryRef {
                    connector: connector.clone(),
                    family: target.family.unwrap_or(*entity),
                    id: owed.delivery,
                };
                let open =
                    matches!(about, About::Roundup(..)) && owed.progress == Progress::Pending;
                (open && self.state.issues.contains_key(entity) && veto(&of) == id).then_some(of)
            })
        });
        let Some(of) = pending else {
            return false;
        };
        self.settle_veto(&of);
        self.record(Fact::Skipped {
            of,
            why: Words::new("une personne l'a arrêtée", "a person stopped it"),
        });
        true
    }
}

/// Asks about the letters of this step whose answers were lost: one hold for all of an issue.
pub(crate) fn ask(deciding: &mut Deciding<'_>) {
    for ((connector, issue), doubted) in std::mem::take(&mut deciding.flight.doubted) {
        let id = HoldId::derive(&[b"letters", connector.as_str().as_bytes(), issue.as_bytes()]);
        let known = deciding.state.holds.get(&id).map(|waiting| &waiting.hold);
        let opened = known.map_or(deciding.now, |hold| hold.opened);
        let mut all = match known.map(|hold| &hold.what) {
            Some(HoldKind::Letters { of }) => of.clone(),
            _ => Vec::new(),
        };
        let asked: BTreeSet<EntityId> = all.iter().map(|(_, reader)| *reader).collect();
        all.extend(
            doubted
                .into_iter()
                .filter(|(_, reader)| !asked.contains(reader)),
        );
        let title = deciding
            .issue(issue)
            .map(|issue| issue.title)
            .unwrap_or_default();
        let effect = |reader: &EntityId| HeldEffect {
            connector: None,
            entity: *reader,
            action: "send".into(),
            title: title.clone(),
            before: Fields::new(),
            after: Fields::new(),
        };
        let many = all.len();
        let (fr, en) = if many == 1 {
            ("chez une personne".to_owned(), "one reader".to_owned())
        } else {
            (format!("chez {many} personnes"), format!("{many} readers"))
        };
        let hold = Hold {
            id,
            reason: Words::new(
                format!(
                    "Personne ne sait si la lettre « {title} » est arrivée {fr} : la réponse de {connector} s'est perdue. Oui : renvoyer le même courrier. Non : considérer que c'est fait."
                ),
                format!(
                    "Nobody knows whether the letter “{title}” reached {en}: the answer of {connector} was lost. Yes: send the same mail again. No: take it as done."
                ),
            ),
            opened,
            effects: all
                .iter()
                .take(NAMED)
                .map(|(_, reader)| effect(reader))
                .collect(),
            more: u32::try_from(many.saturating_sub(NAMED)).unwrap_or(u32::MAX),
            what: HoldKind::Letters { of: all },
        };
        crate::hold::open(deciding, hold);
    }
}

/// Whether a connector sends letters to readers of ours.
pub(crate) fn is_letter(deciding: &Deciding<'_>, connector: &ConnectorName) -> bool {
    let rules = deciding.rules();
    let letters = rules.sinks.get(connector).and_then(handling);
    matches!(letters, Some((_, Readers::Ours)))
}

/// Mail came back: no letter goes to these addresses any more.
pub(crate) fn heard(
    deciding: &mut Deciding<'_>,
    list: &ConnectorName,
    changes: &[Change],
) -> Reply {
    for change in changes {
        let address = change.fields.get("email").and_then(Value::as_str);
        let address = json!(address.unwrap_or_default().trim().to_lowercase());
        let slot = deciding.vault.slot_for(&address);
        let known = slot.and_then(|slot| deciding.flight.roll.with_email(slot));
        if let Some(person) = known {
            deciding.has_bounced(person, list);
        }
    }
    Reply::Taken
}

/// The name under which a letter is stopped.
fn veto(of: &DeliveryRef) -> HoldId {
    crate::hold::delivery_hold(of)
}

fn did(what: &str) -> Cause {
    Cause::Person {
        did: what.to_owned(),
    }
}

fn letters_of(person: &Entity) -> serde_json::Map<String, Value> {
    let letters = person.fields.get("letters").and_then(Value::as_object);
    letters.cloned().unwrap_or_default()
}

fn has_letters(body: &[u8]) -> bool {
    const NAME: &[u8] = b"\"letters\"";
    body.windows(NAME.len()).any(|part| part == NAME)
}

/// A letter ended for one reader, or as a whole: what was prepared is kept as long as somebody may
/// still get it. Folding only.
pub(crate) fn fold_ended(state: &mut State, of: &DeliveryRef) {
    let Some(sink) = state.sinks.get(&of.connector) else {
        return;
    };
    let entity = match state.find(of) {
        Some(Spot::Object { entity, .. }) => entity,
        _ => match sink.dead.get(&of.id) {
            Some(aside) => aside.entity,
            None => return,
        },
    };
    let key = sink
        .targets
        .get(&entity)
        .and_then(|target| target.key.as_deref());
    match key.and_then(About::read) {
        Some(About::Letter(issue, _)) => {
            let over = state.issues.get_mut(&issue).is_some_and(|known| {
                known.left = known.left.saturating_sub(1);
                known.left == 0
            });
            if over {
                state.issues.remove(&issue);
            }
        }
        // Of one that left for readers of ours some are owed it still.
        Some(About::Roundup(..))
            if state
                .issues
                .get(&entity)
                .is_some_and(|known| known.left == 0) =>
        {
            state.issues.remove(&entity);
        }
        _ => {}
    }
}
