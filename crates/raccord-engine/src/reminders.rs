//! The reminder, the day before what somebody signed up for, in the way they chose.
//!
//! One for each sign-up, ever. It is owed two days ahead, and decided anew when its hour has come:
//! what moved to another day, was called off, or is told to them in another way by then is skipped.
//! It is never said late at night, nor to somebody who signed up hours before.

use std::collections::BTreeSet;

use jiff::civil::{DateTime, Time};
use jiff::{SignedDuration, Timestamp};
use raccord_model::{
    Civil, ConnectorName, Entity, EntityId, EntityKind, Fields, Rendered, RoundupOf, Route, Saying,
    SinkRule, Way, Words,
};
use serde_json::json;

use crate::deciding::Deciding;
use crate::delivery::Wish;
use crate::fact::Fact;
use crate::notice::RACCORD;
use crate::personal::tells_people;
use crate::roll::{Commitment, Seats, subject_of};
use crate::routing;
use crate::sayings::{About, announces, said_by, too_late};
use crate::state::{Record, State};

/// Its hour where no route says another.
const USUAL: Time = Time::constant(18, 0, 0, 0);
/// How late it may be.
const LATE: SignedDuration = SignedDuration::from_hours(4);
/// Whoever signed up less than this before remembers.
const FRESH: SignedDuration = SignedDuration::from_hours(12);
/// How far ahead it is owed; looked at every midnight.
const AHEAD: SignedDuration = SignedDuration::from_hours(48);

/// A reminder as the hour, the sign-up and the person make it now.
struct Due {
    sink: ConnectorName,
    to: String,
    at: DateTime,
    /// From then on it is too late.
    until: Timestamp,
    person: Entity,
    subject: Entity,
    activity: Option<Entity>,
}

/// Whether a route says at which hour a sink reminds people.
pub(crate) fn says_when(route: &Route, sink: &ConnectorName) -> bool {
    let of = route.roundup.as_ref().map(|roundup| roundup.of);
    route.to == *sink && of == Some(RoundupOf::Reminder)
}

/// Under which name it is remembered that somebody was reminded.
fn reminded(registration: EntityId) -> EntityId {
    EntityId::derive(&[b"reminded", registration.as_bytes()])
}

/// The lane of a reminder: the person's.
pub(crate) fn family(state: &State, registration: EntityId) -> EntityId {
    let record = state.entities.get(&registration);
    let person = record.and_then(|record| record.fields().get("person")?.as_str()?.parse().ok());
    person.unwrap_or(registration)
}

impl Deciding<'_> {
    /// A reminder leaves now. Whatever comes of it, it may have been heard: there is no other.
    pub(crate) fn reminds_now(
        &mut self,
        sink: &ConnectorName,
        registration: EntityId,
        at: DateTime,
    ) {
        let fields = Fields::from([("at".to_owned(), json!(at))]);
        let entity = reminded(registration);
        if self
            .told(sink, entity)
            .is_none_or(|(_, told)| told != fields)
        {
            self.record(Fact::Told {
                connector: sink.clone(),
                entity,
                fields,
            });
        }
    }

    /// The reminder of a sign-up that left, or may have.
    fn left(&self, registration: EntityId) -> Option<(ConnectorName, DateTime)> {
        let key = reminded(registration);
        let mut sinks = self.state.told.iter();
        let (sink, _) = sinks.find(|(_, told)| told.contains_key(&key))?;
        let (_, fields) = self.told(sink, key)?;
        let at = fields.get("at")?.as_str()?.parse().ok()?;
        Some((sink.clone(), at))
    }

    /// Who reminds somebody of a sign-up: the way they chose; where they chose none, whoever mails
    /// about sign-ups made here.
    fn reminds(&self, sign_up: &Entity, person: &Entity) -> Option<(ConnectorName, String)> {
        if !person.text("told").is_empty() {
            return self.reach(person);
        }
        let by = self.reach_by(Way::Mail, person)?;
        let rules = self.rules();
        let mails = announces(rules.sinks.get(&by.0)?, EntityKind::Registration).is_some();
        (mails && sign_up.source == RACCORD).then_some(by)
    }

    /// The reminder of a sign-up, where there is to be one.
    fn due(&self, registration: EntityId) -> Option<Due> {
        let known = self.entity(registration)?;
        if Commitment::of(&known.fields) != Some(Commitment::Registered) {
            return None;
        }
        let subject = self.entity(subject_of(&known.fields)?)?;
        let activity = crate::asked::activity_of(&subject).and_then(|id| self.entity(id));
        let what = activity.as_ref().unwrap_or(&subject);
        let off = matches!(what.text("status"), "cancelled" | "draft")
            || subject.text("state") == "cancelled"
            || routing::has_left(what);
        if off {
            return None;
        }
        let person = self.entity(known.text("person").parse().ok()?)?;
        let (sink, to) = self.reminds(&known, &person)?;
        let read = |name: &str| what.text(name).parse::<Civil>().ok();
        let begins = read("start").or_else(|| read("due"))?;
        let eve = begins.date().yesterday().ok()?;
        let at = self.reminds_at(&sink)?.on(eve);
        let hour = self.instant(at);
        let signed_up = known.text("registered").parse::<Timestamp>().ok();
        if signed_up.is_some_and(|signed_up| hour.duration_since(signed_up) < FRESH) {
            return None;
        }
        // What is said to be tomorrow is said today.
        let day = self.instant(begins.date().to_datetime(Time::midnight()));
        let until = hour.saturating_add(LATE).unwrap_or(hour);
        Some(Due {
            sink,
            to,
            at,
            until: until.min(day),
            person,
            subject,
            activity,
        })
    }

    /// The hour at which a sink reminds people, where it does.
    fn reminds_at(&self, sink: &ConnectorName) -> Option<raccord_model::Hour> {
        let rules = self.rules();
        let route = rules.routes.iter().find(|route| says_when(route, sink));
        match route.and_then(|route| route.roundup.as_ref()) {
            Some(roundup) => roundup.at.first().copied(),
            None => Some(raccord_model::Hour::daily(USUAL)),
        }
    }

    /// What somebody is to be reminded of.
    pub(crate) fn reminder(
        &self,
        sink: &ConnectorName,
        rule: &SinkRule,
        id: EntityId,
        registration: EntityId,
        at: DateTime,
    ) -> Option<Wish> {
        let handling = tells_people(rule)?;
        let rules = self.rules();
        let route = rules.routes.iter().find(|route| says_when(route, sink));
        let due = self.due(registration);
        let due = due.filter(|due| due.sink == *sink && due.at == at);
        let left = self.left(registration);
        let another = left.is_some_and(|(by, hour)| by != *sink || hour != at);
        let pointless = match &due {
            _ if another => Some(Words::new(
                "la personne en a déjà eu le rappel",
                "the person was reminded already",
            )),
            None => Some(Words::new(
                "ce n'est plus pour ce jour-là, ou la personne est prévenue autrement",
                "it is not on that day any more, or the person is told in another way",
            )),
            Some(due) => (self.now >= due.until).then(too_late),
        };
        let family = family(self.state, registration);
        let rendered = match (&due, &pointless) {
            (Some(due), None) => {
                let saying = Saying::Reminder {
                    to: &due.to,
                    name: due.person.text("name"),
                    subject: &due.subject,
                    activity: due.activity.as_ref(),
                };
                self.say_to(sink, id, saying, due.person.id)
            }
            _ => Rendered::Nothing,
        };
        Some(Wish {
            rendered,
            rule: routing::rule_name(sink, route, &rules),
            best_before: due.map(|due| due.until),
            pointless,
            ..said_by(handling, route, About::Reminder(registration, at), family)
        })
    }

    /// Owes the reminder of a sign-up where its hour is near.
    fn review_reminder(&mut self, registration: EntityId) {
        if self.left(registration).is_some() {
            return;
        }
        let due = self.due(registration);
        let wanted = due
            .as_ref()
            .map(|due| (&due.sink, About::Reminder(registration, due.at).key()));
        let mut owed = false;
        for (sink, id, key) in self.owed_reminders(registration) {
            if wanted.as_ref() == Some(&(&sink, key)) {
                owed = true;
            } else {
                self.review(&sink, id);
            }
        }
        let Some(due) = due.filter(|due| !owed && self.now < due.until) else {
            return;
        };
        let hour = self.instant(due.at);
        if hour.duration_since(self.now) <= AHEAD {
            let about = About::Reminder(registration, due.at);
            self.owe_saying(&due.sink, about, hour, Some(due.until));
        }
    }

    /// The reminders of a sign-up that are owed, with their keys.
    fn owed_reminders(&self, registration: EntityId) -> Vec<(ConnectorName, EntityId, String)> {
        let family = family(self.state, registration);
        let mut all = Vec::new();
        for (name, sink) in &self.state.sinks {
            let objects = sink.lanes.get(&family).map(|lane| &lane.objects);
            for id in objects.into_iter().flatten() {
                let target = sink.targets.get(id);
                let target = target.filter(|target| target.owed.is_some());
                let Some(key) = target.and_then(|target| target.key.as_ref()) else {
                    continue;
                };
                if matches!(About::read(key), Some(About::Reminder(of, _)) if of == registration) {
                    all.push((name.clone(), *id, key.clone()));
                }
            }
        }
        all
    }
}

/// Something changed that people may be reminded of, or how somebody is told.
pub(crate) fn review(deciding: &mut Deciding<'_>, entity: EntityId) {
    let Some(record) = deciding.state.entities.get(&entity) else {
        return;
    };
    let all: Vec<EntityId> = match record.kind {
        EntityKind::Registration => vec![entity],
        // What moved away from its day is skipped when its hour has come.
        EntityKind::Activity | EntityKind::Task if is_near(deciding, record) => {
            on(deciding, entity).collect()
        }
        EntityKind::Person => {
            let roll = &deciding.flight.roll;
            roll.sign_ups_of(entity)
                .map(|(_, sign_up)| sign_up)
                .collect()
        }
        _ => return,
    };
    for registration in all {
        deciding.review_reminder(registration);
    }
}

/// Whether something is on a day whose reminders may be owed by now.
fn is_near(deciding: &Deciding<'_>, record: &Record) -> bool {
    let when = record.when();
    let today = deciding.civil_now().date();
    let last = today.saturating_add(jiff::Span::new().days(4));
    let day = when.start.or(when.due).map(Civil::date);
    day.is_some_and(|day| day >= today && day <= last)
}

/// Everybody's sign-up for something and its tasks.
fn on<'d>(deciding: &'d Deciding<'_>, entity: EntityId) -> impl Iterator<Item = EntityId> + 'd {
    let tasks = deciding.flight.children.get(&entity).into_iter().flatten();
    let roll = &deciding.flight.roll;
    tasks
        .copied()
        .chain([entity])
        .filter_map(|subject| roll.seats(subject))
        .flat_map(Seats::all)
}

/// Every reminder whose hour is near.
pub(crate) fn review_near(deciding: &mut Deciding<'_>) {
    let rules = deciding.rules();
    if !rules
        .sinks
        .values()
        .any(|rule| tells_people(rule).is_some())
    {
        return;
    }
    let near = deciding.state.entities.iter().filter(|(_, record)| {
        matches!(record.kind, EntityKind::Activity | EntityKind::Task) && is_near(deciding, record)
    });
    let all: BTreeSet<EntityId> = near.flat_map(|(&id, _)| on(deciding, id)).collect();
    for registration in all {
        deciding.review_reminder(registration);
    }
}
