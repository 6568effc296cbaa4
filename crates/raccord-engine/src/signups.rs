//! Signing up: who gets a place, who waits for one, who was there. One writer decides, in the order
//! in which it hears of them, so that the last place is given once; whoever comes too late stands on
//! a list whose order never changes.

use raccord_model::{
    Cause, Change, Digest, Entity, EntityId, EntityKind, EventId, Fields, HoldId, Verb, Words,
};
use serde_json::{Value, json};

use crate::deciding::{Deciding, Draft};
use crate::fact::{Closing, HeldEffect, Hold, HoldKind};
use crate::hands;
use crate::input::{Attested, Reply, SignUp, Who};
use crate::notice::RACCORD;
use crate::roll::{Commitment, places_of, subject_of, turn_of};

/// Why a sign-up on the list got a place.
pub(crate) const PLACE_FREE: &str = "place-free";
/// What people do, as the log says it.
pub(crate) const SIGN_UP: &str = "sign up";
pub(crate) const SIGN_OFF: &str = "sign off";
pub(crate) const ATTENDANCE: &str = "attendance";

/// The longest address (RFC 5321, section 4.5.3.1.3, without its brackets).
const LONGEST_EMAIL: usize = 254;
/// For how many people one can sign up.
const MOST_PLACES: u32 = 1_000;

/// What becomes of a sign-up that is about to be decided.
struct Decision {
    registration: EntityId,
    before: Option<Entity>,
    fields: Fields,
    standing: Commitment,
}

impl Deciding<'_> {
    /// Somebody signs up here.
    pub(crate) fn sign_up(&mut self, asked: &SignUp) -> Reply {
        let subject = asked.subject;
        if let Some(why) = self.closed(subject) {
            return Reply::Cannot(why);
        }
        if asked.places == 0 || asked.places > MOST_PLACES {
            return Reply::Cannot(Words::new(
                "on s'inscrit pour une personne au moins, et pour mille au plus",
                "one signs up for one person at least, and for a thousand at most",
            ));
        }
        let cause = Cause::Person {
            did: SIGN_UP.to_owned(),
        };
        let Some(person) = self.person(&asked.who, RACCORD, &cause) else {
            return Reply::Cannot(Words::new(
                "cette adresse ne peut pas être retenue",
                "this address cannot be kept",
            ));
        };
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
        fields.remove("attested");
        fields.remove("minutes");
        match asked.places {
            1 => fields.remove("places"),
            more => fields.insert("places".into(), json!(more)),
        };
        fields.insert("comment".into(), json!(asked.comment));
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
        for name in ["attested", "minutes"] {
            fields.remove(name);
        }
        if came.is_some() {
            fields.insert("attested".into(), json!(by.as_str()));
        }
        if let (Some(true), Some(minutes)) = (came, minutes) {
            fields.insert("minutes".into(), json!(minutes));
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
    fn stands(&mut self, after: Entity, standing: Commitment, did: &str) {
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
    /// there is one is decided here. What else is said is a fact.
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
        for ours in ["turn", "also", "position"] {
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
            {
                wanted = standing;
            }
            fields = merged(known.as_ref(), fields, entity);
            registration = same;
            before = known;
        }
        let standing = self.decide(before.as_ref(), &mut fields, wanted);
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
    fn decided(
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

    /// The person with an address, made where nobody has it yet. Nothing for what is no address, and
    /// for somebody who asked to be forgotten.
    fn person(&mut self, who: &Who, source: &str, cause: &Cause) -> Option<EntityId> {
        let email = who.email.trim().to_lowercase();
        if !is_address(&email) {
            return None;
        }
        let known = self.vault.slot_for(&json!(email));
        let known = known.and_then(|slot| self.flight.roll.with_email(slot));
        let before = known.and_then(|id| self.entity(id));
        let mut fields = before
            .as_ref()
            .map(|known| known.fields.clone())
            .unwrap_or_default();
        fields.insert("email".into(), json!(email));
        let name = who.name.trim();
        // Who is known by a name keeps it: another program may know them by another.
        if !name.is_empty() && (source == RACCORD || !fields.contains_key("name")) {
            fields.insert("name".into(), json!(name));
        }
        if let Some(shown) = who.shown {
            fields.insert("shown".into(), json!(shown));
        }
        if let Some(lang) = who.lang {
            fields.insert("language".into(), json!(lang));
        }
        self.vault.strip(EntityKind::Person, &mut fields);
        fields.get("email")?;
        let id = known.unwrap_or_else(|| {
            let commit = self.state.commit.to_be_bytes();
            let drawn = Digest::of(self.entropy.slot().as_bytes());
            EntityId::derive(&[b"person", &drawn.0, &commit])
        });
        let source = before
            .as_ref()
            .map_or(source, |known| known.source.as_str());
        self.emit(Draft {
            kind: EntityKind::Person,
            verb: if known.is_some() {
                Verb::Updated
            } else {
                Verb::Created
            },
            entity: id,
            fields,
            source,
            family: id,
            cause: cause.clone(),
            causation: None,
        });
        Some(id)
    }

    /// Why nobody can sign up for it any more.
    fn closed(&self, subject: EntityId) -> Option<Words> {
        let entity = self.state.entity(subject);
        let entity = entity.filter(|entity| {
            let kind = matches!(entity.kind, EntityKind::Activity | EntityKind::Task);
            kind && !entity.is_foreign()
        });
        let Some(entity) = entity else {
            return Some(Words::new(
                format!("on ne s'inscrit pas à {subject} ici"),
                format!("one does not sign up for {subject} here"),
            ));
        };
        let standing = match entity.kind {
            EntityKind::Task => entity.text("state"),
            _ => entity.text("status"),
        };
        match standing {
            "cancelled" => Some(Words::new("c'est annulé", "it is cancelled")),
            "done" => Some(Words::new("c'est déjà fait", "it is done already")),
            "draft" => Some(Words::new(
                "ce n'est pas encore sûr",
                "it is not certain yet",
            )),
            _ if hands::is_over(self, &entity) => Some(Words::new("c'est passé", "it is over")),
            _ => None,
        }
    }

    fn capacity(&self, subject: EntityId) -> Option<u64> {
        self.state.entity(subject)?.fields.get("capacity")?.as_u64()
    }

    /// How many places are free; none where the organiser says that it is full.
    fn free(&self, subject: EntityId) -> u64 {
        let Some(entity) = self.state.entity(subject) else {
            return u64::MAX;
        };
        if entity.text("status") == "full" {
            return 0;
        }
        let taken = self
            .flight
            .roll
            .seats(subject)
            .map_or(0, |seats| seats.taken);
        let most = entity.fields.get("capacity").and_then(Value::as_u64);
        most.map_or(u64::MAX, |most| most.saturating_sub(taken))
    }

    /// Whether there are places for somebody who comes now.
    fn ask(&self, subject: EntityId, places: u64) -> Commitment {
        let waited = self
            .flight
            .roll
            .seats(subject)
            .is_some_and(|seats| !seats.list.is_empty());
        if !waited && self.free(subject) >= places {
            Commitment::Registered
        } else {
            Commitment::Waitlisted
        }
    }
}

/// Places that became free are given to whoever waits longest; tasks say who is on them; where there
/// are fewer places than people, a person is asked.
pub(crate) fn settle(deciding: &mut Deciding<'_>) {
    while let Some((subject, reseat)) = deciding.reseat.pop_first() {
        let Some(entity) = deciding.state.entity(subject) else {
            continue;
        };
        recount(deciding, &entity, reseat.recount);
        if deciding.closed(subject).is_none() {
            fill(deciding, subject, reseat.because);
        }
        if entity.kind == EntityKind::Task {
            hands::refresh(deciding, subject, reseat.because);
        }
    }
}

/// Gives free places in the order of the list: nobody overtakes.
fn fill(deciding: &mut Deciding<'_>, subject: EntityId, because: Option<EventId>) {
    loop {
        let seats = deciding.flight.roll.seats(subject);
        let Some(&(_, first)) = seats.and_then(|seats| seats.list.first()) else {
            return;
        };
        let Some(known) = deciding.entity(first) else {
            return;
        };
        if places_of(&known.fields) > deciding.free(subject) {
            return;
        }
        let source = known.source.clone();
        let decision = Decision {
            registration: first,
            fields: known.fields.clone(),
            before: Some(known),
            standing: Commitment::Registered,
        };
        let cause = Cause::Noticed {
            code: PLACE_FREE.to_owned(),
        };
        let causation = because.map(|event| deciding.chain(event));
        deciding.decided(decision, &source, cause, causation);
    }
}

fn hold_id(subject: EntityId) -> HoldId {
    HoldId::derive(&[b"seats", subject.as_bytes()])
}

/// Fewer places than people who have one: asked once, when that becomes so.
fn recount(deciding: &mut Deciding<'_>, entity: &Entity, asks: bool) {
    let beyond = beyond(deciding, entity.id);
    if beyond.is_empty() {
        crate::hold::close(deciding, hold_id(entity.id), Closing::Moot);
        return;
    }
    let open = deciding.state.holds.contains_key(&hold_id(entity.id));
    if !asks && !open {
        return;
    }
    let title = entity.text("title").to_owned();
    let seats = deciding.flight.roll.seats(entity.id);
    let on = seats.map_or(0, |seats| seats.taken);
    let most = deciding.capacity(entity.id).unwrap_or(on);
    let hold = Hold {
        id: hold_id(entity.id),
        what: HoldKind::Seats { subject: entity.id },
        reason: Words::new(
            format!(
                "« {title} » : {on} places sont prises, et il n'y en a plus que {most}. Oui : les dernières inscriptions passent en tête de la liste d'attente. Non : tout le monde garde sa place."
            ),
            format!(
                "“{title}”: {on} places are taken, and there are only {most} now. Yes: the last sign-ups go to the head of the waiting list. No: everybody keeps their place."
            ),
        ),
        opened: deciding.now,
        effects: beyond
            .into_iter()
            .map(|registration| HeldEffect {
                connector: None,
                entity: registration,
                action: "update".into(),
                title: title.clone(),
                before: state_field(Commitment::Registered),
                after: state_field(Commitment::Waitlisted),
            })
            .collect(),
        more: 0,
    };
    crate::hold::open(deciding, hold);
}

fn state_field(standing: Commitment) -> Fields {
    Fields::from([("state".to_owned(), json!(standing.as_str()))])
}

/// The last of those who have a place where there are too few, last first. Who was there was there.
fn beyond(deciding: &Deciding<'_>, subject: EntityId) -> Vec<EntityId> {
    let (Some(most), Some(seats)) = (
        deciding.capacity(subject),
        deciding.flight.roll.seats(subject),
    ) else {
        return Vec::new();
    };
    let mut taken = seats.taken;
    let mut last = Vec::new();
    for &(_, id) in seats.on.iter().rev() {
        if taken <= most {
            break;
        }
        let Some(known) = deciding.state.entity(id) else {
            continue;
        };
        if Commitment::of(&known.fields) == Some(Commitment::Registered) {
            taken -= places_of(&known.fields);
            last.push(id);
        }
    }
    last
}

/// A person said yes: who came last waits.
pub(crate) fn make_wait(deciding: &mut Deciding<'_>, subject: EntityId) {
    for registration in beyond(deciding, subject) {
        if let Some(known) = deciding.entity(registration) {
            deciding.stands(known, Commitment::Waitlisted, "approve");
        }
    }
}

/// Signs everybody off what a person took away.
pub(crate) fn sign_all_off(deciding: &mut Deciding<'_>, subject: EntityId) {
    let seats = deciding
        .flight
        .roll
        .seats(subject)
        .cloned()
        .unwrap_or_default();
    for (_, registration) in seats.on.into_iter().chain(seats.list) {
        let known = deciding.entity(registration);
        let attended = |known: &Entity| Commitment::of(&known.fields) == Some(Commitment::Attended);
        if let Some(known) = known.filter(|known| !attended(known)) {
            deciding.stands(known, Commitment::Cancelled, "approve");
        }
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

/// Whether mail could be sent there at all.
fn is_address(email: &str) -> bool {
    let plain = email.len() <= LONGEST_EMAIL
        && !email.contains(|c: char| c.is_whitespace() || c.is_control() || "<>,;\"".contains(c));
    let parts = email.rsplit_once('@');
    plain && parts.is_some_and(|(name, host)| !name.is_empty() && host.len() > 2)
}
