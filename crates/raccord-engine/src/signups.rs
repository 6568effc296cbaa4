//! Signing up: who gets a place, who waits for one, who was there. One writer decides, in the order
//! in which it hears of them, so that the last place is given once; whoever comes too late stands on
//! a list whose order never changes.

use raccord_model::{Cause, Change, Entity, EntityId, EntityKind, EventId, Fields, Verb, Words};
use serde_json::{Value, json};

use crate::deciding::{Deciding, Draft};
use crate::elsewhere;
use crate::input::{Attested, Reply, SignUp, Who};
use crate::notice::RACCORD;
use crate::roll::{Commitment, places_of, subject_of, turn_of};

/// What people do, as the log says it.
pub(crate) const INTRODUCE: &str = "introduce";
pub(crate) const SIGN_UP: &str = "sign up";
pub(crate) const SIGN_OFF: &str = "sign off";
pub(crate) const ATTENDANCE: &str = "attendance";

/// The most characters of what somebody adds.
const LONGEST_COMMENT: usize = 4_000;
/// The most minutes somebody worked.
const MOST_MINUTES: u32 = 100_000;
/// For how many people one can sign up.
const MOST_PLACES: u32 = 1_000;

/// What becomes of a sign-up that is about to be decided.
pub(crate) struct Decision {
    pub(crate) registration: EntityId,
    pub(crate) before: Option<Entity>,
    pub(crate) fields: Fields,
    pub(crate) standing: Commitment,
}

/// Why a sign-up changes that somebody asked for.
pub(crate) fn signing_up() -> Cause {
    Cause::Person {
        did: SIGN_UP.to_owned(),
    }
}

impl Deciding<'_> {
    /// Somebody says who they are.
    pub(crate) fn introduce(&mut self, who: &Who) -> Reply {
        let cause = Cause::Person {
            did: INTRODUCE.to_owned(),
        };
        match self.person(who, RACCORD, &cause) {
            Some(person) => Reply::Known(person),
            None => Reply::Cannot(not_kept()),
        }
    }

    /// Somebody signs up here.
    pub(crate) fn sign_up(&mut self, asked: &SignUp) -> Reply {
        let subject = asked.subject;
        if let Some(why) = self.closed(subject).or_else(|| self.elsewhere(subject)) {
            return Reply::Cannot(why);
        }
        if asked.places == 0 || asked.places > MOST_PLACES {
            return Reply::Cannot(Words::new(
                "on s'inscrit pour une personne au moins, et pour mille au plus",
                "one signs up for one person at least, and for a thousand at most",
            ));
        }
        let cause = signing_up();
        let Some(person) = self.person(&asked.who, RACCORD, &cause) else {
            return Reply::Cannot(not_kept());
        };
        self.put_on(subject, person, asked.places, &asked.comment, cause)
    }

    /// A known person signs up for something that is open.
    pub(crate) fn put_on(
        &mut self,
        subject: EntityId,
        person: EntityId,
        places: u32,
        comment: &str,
        cause: Cause,
    ) -> Reply {
        let registration = self
            .flight
            .roll
            .sign_up(subject, person)
            .unwrap_or_else(|| self.registration_id(subject, person));
        let before = self.entity(registration);
        let known = before
            .as_ref()
            .and_then(|known| Commitment::of(&known.fields));
        if let Some(standing) = known.filter(|known| *known != Commitment::Cancelled) {
            return self.signed_up(registration, standing);
        }
        let mut fields = before
            .as_ref()
            .map(|known| known.fields.clone())
            .unwrap_or_default();
        self.name_subject(&mut fields, subject);
        fields.insert("person".into(), json!(person));
        fields.insert("registered".into(), json!(self.now.to_string()));
        for name in ["attested", "attested_by", "minutes"] {
            fields.remove(name);
        }
        match places {
            1 => fields.remove("places"),
            more => fields.insert("places".into(), json!(more)),
        };
        let comment: String = comment.chars().take(LONGEST_COMMENT).collect();
        fields.insert("comment".into(), json!(comment));
        let standing = self.ask(subject, places_of(&fields));
        let decision = Decision {
            registration,
            before,
            fields,
            standing,
        };
        self.decided(decision, RACCORD, cause, None);
        self.signed_up(registration, standing)
    }

    fn signed_up(&self, registration: EntityId, standing: Commitment) -> Reply {
        let fields = self.state.entity(registration).map(|known| known.fields);
        let subject = fields.as_ref().and_then(subject_of);
        let seats = subject.and_then(|subject| self.flight.roll.seats(subject));
        Reply::SignedUp {
            registration,
            standing,
            position: seats.and_then(|seats| seats.position(registration)),
        }
    }

    /// Somebody does not come after all.
    pub(crate) fn sign_off(&mut self, registration: EntityId) -> Reply {
        match self.known_sign_up(registration) {
            Err(why) => Reply::Cannot(why),
            Ok((_, Commitment::Cancelled)) => self.signed_up(registration, Commitment::Cancelled),
            Ok((_, Commitment::Attended | Commitment::Absent)) => Reply::Cannot(Words::new(
                "la présence est déjà notée",
                "attendance is noted already",
            )),
            Ok((known, _)) => {
                let subject = subject_of(&known.fields);
                let kept = subject.filter(|subject| {
                    let keeper = self.keeper(*subject);
                    keeper.is_some_and(|keeper| elsewhere::is_told_by(keeper, &known))
                });
                if let Some(why) = kept.and_then(|subject| self.elsewhere(subject)) {
                    return Reply::Cannot(why);
                }
                self.stands(known, Commitment::Cancelled, SIGN_OFF);
                self.signed_up(registration, Commitment::Cancelled)
            }
        }
    }

    /// Somebody was there, or was not; without a word, what was noted is taken back.
    pub(crate) fn attendance(
        &mut self,
        registration: EntityId,
        came: Option<bool>,
        minutes: Option<u32>,
        by: Attested,
        who: Option<EntityId>,
    ) -> Reply {
        let (mut known, standing) = match self.known_sign_up(registration) {
            Err(why) => return Reply::Cannot(why),
            Ok(known) => known,
        };
        let fields = &mut known.fields;
        let next = match came {
            Some(true) => Commitment::Attended,
            Some(false) => Commitment::Absent,
            None if matches!(standing, Commitment::Attended | Commitment::Absent) => {
                self.back(fields, standing)
            }
            None => return self.signed_up(registration, standing),
        };
        for name in ["attested", "attested_by", "minutes"] {
            fields.remove(name);
        }
        if came.is_some() {
            fields.insert("attested".into(), json!(by.as_str()));
            fields.insert("attested_by".into(), json!(who));
        }
        if let (Some(true), Some(minutes)) = (came, minutes) {
            fields.insert("minutes".into(), json!(minutes.min(MOST_MINUTES)));
        }
        self.stands(known, next, ATTENDANCE);
        self.signed_up(registration, next)
    }

    fn known_sign_up(&self, id: EntityId) -> Result<(Entity, Commitment), Words> {
        let known = self
            .entity(id)
            .filter(|known| known.kind == EntityKind::Registration);
        let standing = known
            .as_ref()
            .and_then(|known| Commitment::of(&known.fields));
        known.zip(standing).ok_or_else(|| {
            Words::new(
                format!("aucune inscription ne s'appelle {id}"),
                format!("no registration is called {id}"),
            )
        })
    }

    /// Changes how a known sign-up stands.
    pub(crate) fn stands(&mut self, after: Entity, standing: Commitment, did: &str) {
        let before = self.entity(after.id);
        let source = after.source.clone();
        let decision = Decision {
            registration: after.id,
            before,
            fields: after.fields,
            standing,
        };
        let cause = Cause::Person {
            did: did.to_owned(),
        };
        self.decided(decision, &source, cause, None);
    }

    /// How somebody stands whose attendance was noted by mistake.
    fn back(&self, fields: &Fields, standing: Commitment) -> Commitment {
        let Some(subject) = subject_of(fields) else {
            return Commitment::Registered;
        };
        let seats = self.flight.roll.seats(subject);
        let taken = seats.map_or(0, |seats| seats.taken);
        let fits = match standing {
            // Who was let in beyond the last place goes back onto the list.
            Commitment::Attended => self.capacity(subject).is_none_or(|most| taken <= most),
            _ => self.free(subject) >= places_of(fields),
        };
        let first = seats.and_then(|seats| seats.list.first());
        let next = first.is_none_or(|(turn, _)| *turn > turn_of(fields));
        if fits && next {
            Commitment::Registered
        } else {
            Commitment::Waitlisted
        }
    }

    /// Takes what another program says of a sign-up. Who says `registered` asks for a place: whether
    /// there is one is decided here. What else is said is a fact, and all that is said by the tool
    /// that counts these places.
    pub(crate) fn take_sign_up(&mut self, change: Change, entity: EntityId) {
        let sender = change.sender;
        let cause = Cause::Posted { id: change.id };
        let name = |text: &Option<String>| text.as_deref().and_then(|id| id.parse().ok());
        let correlation = name(&change.correlation);
        let causation =
            name(&change.causation).map(|id| (id, correlation.unwrap_or(id), change.hops));
        let mut before = self.entity(entity);
        let ends = matches!(change.verb, Verb::Cancelled | Verb::Removed);
        if before.is_none() && ends {
            return;
        }
        let mut said = change.fields;
        // Ours alone to say.
        for ours in ["turn", "also", "position", "attested_by"] {
            said.remove(ours);
        }
        let mut fields = before
            .as_ref()
            .map(|known| known.fields.clone())
            .unwrap_or_default();
        crate::posted::take_in(&mut fields, said);
        if let Some(subject) = subject_of(&fields) {
            self.name_subject(&mut fields, subject);
        }
        let who = Who {
            email: text(&fields, "email"),
            name: text(&fields, "name"),
            ..Who::default()
        };
        if !who.email.is_empty()
            && let Some(person) = self.person(&who, &sender, &cause)
        {
            fields.insert("person".into(), json!(person));
        }
        let mut wanted = match change.verb {
            Verb::Cancelled | Verb::Removed => Commitment::Cancelled,
            Verb::Attended => Commitment::Attended,
            _ => Commitment::of(&fields).unwrap_or(Commitment::Registered),
        };
        let fact = subject_of(&fields)
            .and_then(|subject| self.keeper(subject))
            .is_some_and(|keeper| keeper.as_str() == sender);
        let mut registration = entity;
        // The same person, told of by another tool: one sign-up, and one place.
        if before.is_none()
            && let Some(same) = self.signed_up_already(&fields)
        {
            let known = self.entity(same);
            let standing = known
                .as_ref()
                .and_then(|known| Commitment::of(&known.fields));
            let asks = matches!(wanted, Commitment::Registered | Commitment::Waitlisted);
            if let Some(standing) = standing.filter(|known| asks && *known != Commitment::Cancelled)
                && !fact
            {
                wanted = standing;
            }
            let places = fields.get("places").cloned();
            fields = merged(known.as_ref(), fields, entity);
            if fact {
                fields.insert("places".into(), places.unwrap_or_default());
            }
            registration = same;
            before = known;
        }
        let standing = if fact {
            told(before.as_ref(), wanted)
        } else {
            self.decide(before.as_ref(), &mut fields, wanted)
        };
        let stood = before
            .as_ref()
            .and_then(|known| Commitment::of(&known.fields));
        if stood != Some(standing) {
            fields.remove("attested_by");
        }
        let source = before.as_ref().map_or(sender, |known| known.source.clone());
        let decision = Decision {
            registration,
            before,
            fields,
            standing,
        };
        self.thread = crate::deciding::Thread {
            correlation,
            trace: change.trace.map(Box::new),
        };
        self.decided(decision, &source, cause, causation);
        self.thread = crate::deciding::Thread::default();
    }

    fn signed_up_already(&self, fields: &Fields) -> Option<EntityId> {
        let person = fields.get("person")?.as_str()?.parse().ok()?;
        self.flight.roll.sign_up(subject_of(fields)?, person)
    }

    /// How a sign-up stands of which another program says `wanted`.
    fn decide(
        &self,
        before: Option<&Entity>,
        fields: &mut Fields,
        wanted: Commitment,
    ) -> Commitment {
        let Some(subject) = subject_of(fields) else {
            return wanted;
        };
        let same = before.filter(|known| subject_of(&known.fields) == Some(subject));
        let known = same.and_then(|known| Commitment::of(&known.fields));
        if let (Some(same), true) = (same, known.is_some_and(Commitment::sits)) {
            // More people than there are places left for: it stays at what it was.
            let (had, now) = (places_of(&same.fields), places_of(fields));
            if now > had && self.ask(subject, now - had) == Commitment::Waitlisted {
                match same.fields.get("places") {
                    Some(places) => fields.insert("places".into(), places.clone()),
                    None => fields.remove("places"),
                };
            }
        }
        match (known, wanted) {
            (Some(known), wanted) if known == wanted => wanted,
            // The list moves by itself.
            (Some(Commitment::Waitlisted), Commitment::Registered) => Commitment::Waitlisted,
            (Some(noted @ (Commitment::Attended | Commitment::Absent)), Commitment::Registered) => {
                self.back(fields, noted)
            }
            (_, Commitment::Registered) => self.ask(subject, places_of(fields)),
            (_, other) => other,
        }
    }

    /// Records what was decided of a sign-up.
    pub(crate) fn decided(
        &mut self,
        decision: Decision,
        source: &str,
        cause: Cause,
        causation: Option<(EventId, EventId, u8)>,
    ) {
        let Decision {
            registration,
            before,
            mut fields,
            standing,
        } = decision;
        let known = before
            .as_ref()
            .and_then(|known| Commitment::of(&known.fields));
        let subject = subject_of(&fields);
        let moved = before
            .as_ref()
            .is_some_and(|known| subject_of(&known.fields) != subject);
        let again = known == Some(Commitment::Cancelled) && standing != Commitment::Cancelled;
        if let Some(subject) = subject
            && (moved || again || !fields.contains_key("turn"))
        {
            let turn = self.flight.roll.next_turn(subject);
            fields.insert("turn".into(), json!(turn));
        }
        fields.insert("state".into(), json!(standing.as_str()));
        let verb = match (known, standing) {
            (known, Commitment::Attended) if known != Some(Commitment::Attended) => Verb::Attended,
            (Some(known), Commitment::Cancelled) if known != Commitment::Cancelled => {
                Verb::Cancelled
            }
            _ if before.is_none() => Verb::Created,
            _ => Verb::Updated,
        };
        let family = crate::posted::family_of(EntityKind::Registration, &fields);
        self.emit(Draft {
            kind: EntityKind::Registration,
            verb,
            entity: registration,
            fields,
            source,
            family: family.unwrap_or(registration),
            cause,
            causation,
        });
    }

    /// A task's sign-up travels with the task's activity.
    fn name_subject(&self, fields: &mut Fields, subject: EntityId) {
        let record = self.state.entities.get(&subject);
        let kind = record.map(|record| record.kind);
        if kind == Some(EntityKind::Activity) {
            fields.insert("activity".into(), json!(subject));
        } else if kind == Some(EntityKind::Task) {
            fields.insert("task".into(), json!(subject));
            match self
                .state
                .entity(subject)
                .as_ref()
                .map(|task| task.text("activity"))
            {
                None | Some("") => fields.remove("activity"),
                Some(activity) => fields.insert("activity".into(), json!(activity)),
            };
        }
    }

    fn registration_id(&self, subject: EntityId, person: EntityId) -> EntityId {
        EntityId::derive(&[
            self.state.rules().place.id.as_str().as_bytes(),
            b"registration",
            subject.as_bytes(),
            person.as_bytes(),
        ])
    }
}

/// It is no address, or somebody's who asked to be forgotten.
pub(crate) fn not_kept() -> Words {
    Words::new(
        "cette adresse ne peut pas être retenue",
        "this address cannot be kept",
    )
}

/// How a sign-up stands of which the tool that counts its places says `wanted`. That somebody has a
/// place there takes nothing back of what was noted here of their coming.
fn told(before: Option<&Entity>, wanted: Commitment) -> Commitment {
    let known = before.and_then(|known| Commitment::of(&known.fields));
    match (known, wanted) {
        (
            Some(noted @ (Commitment::Attended | Commitment::Absent)),
            Commitment::Registered | Commitment::Waitlisted,
        ) => noted,
        (_, wanted) => wanted,
    }
}

/// What one tool knows of a sign-up laid under what another knew before.
fn merged(known: Option<&Entity>, said: Fields, other: EntityId) -> Fields {
    let mut fields = known.map(|known| known.fields.clone()).unwrap_or_default();
    for (name, value) in said {
        fields.entry(name).or_insert(value);
    }
    let also = fields.entry("also".into()).or_insert_with(|| json!([]));
    if let Some(also) = also.as_array_mut() {
        also.push(json!(other));
    }
    fields
}

fn text(fields: &Fields, name: &str) -> String {
    let text = fields.get(name).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}
