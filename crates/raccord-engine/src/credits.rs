//! Credits: what people's work earned becomes entries of the ledger, each chained to the one before.
//! An entry is a credit that never changes; what was wrong is put right by another entry.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date};
use raccord_credits::{
    Book, Ceiling, Chain, Due, DueKind, Entry, Took, Work, content, earned, leaf, next, root, short,
};
use raccord_model::{
    Cause, Change, Civil, Entity, EntityId, EntityKind, Event, EventId, Fields, HoldId, Rules,
    Validation, Verb, Words,
};
use serde_json::{Value, json};

use crate::deciding::{Deciding, Draft, changed_fields, zone_of};
use crate::fact::{Closing, DeliveryRef, Fact, HeldEffect, Hold, HoldKind};
use crate::notice::RACCORD;
use crate::roll::{Commitment, subject_of};
use crate::state::{Spot, State};

/// Why an entry was made.
pub(crate) const CREDITED: &str = "credited";
/// Why an entry that took credits back was itself taken back.
const KEPT: &str = "credit-kept";
/// The code of what is told where a ceiling kept a grant below what was earned.
const CEILING: &str = "credit-ceiling";
/// The code of what is told where nobody knows how long somebody worked.
const NO_MINUTES: &str = "credit-minutes";

/// The most of one entry, in hundredths (`schemas/credit/v1.json`).
pub(crate) const MOST: i64 = 10_000_000;
/// The most characters of a reason.
const LONGEST_REASON: usize = 500;

/// What of a sign-up decides what was earned.
const TOUCHING: [&str; 6] = ["state", "minutes", "attested", "person", "activity", "task"];

/// The ledger as it is needed to decide; made of the entities, and never recorded.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    /// The accounts.
    pub(crate) book: Book,
    /// The entries of each month with their hashes, in their order; the month is when they were entered.
    pub(crate) months: BTreeMap<String, Vec<(EntityId, Chain)>>,
    /// The entries that another takes back.
    pub(crate) reversed: BTreeSet<EntityId>,
}

impl Ledger {
    /// The hashes of a month's entries.
    pub(crate) fn month(&self, month: &str) -> Vec<Chain> {
        let entries = self.months.get(month).into_iter().flatten();
        entries.map(|(_, hash)| *hash).collect()
    }

    fn enter(&mut self, rules: &Rules, entry: &Entry, fields: &Fields) {
        let text = |name: &str| fields.get(name).and_then(Value::as_str);
        let chain = text("chain").and_then(|text| text.parse().ok());
        let Some(chain) = chain.filter(|_| self.book.post(entry).is_ok()) else {
            return;
        };
        self.book.chained(chain);
        self.reversed.extend(entry.reverses);
        if let Some(at) = text("at").and_then(|at| at.parse::<Timestamp>().ok()) {
            let date = zone_of(rules).to_datetime(at).date();
            let hash = leaf(&content(&rules.place.id, entry.id, fields));
            self.months
                .entry(crate::publication::month_key(date))
                .or_default()
                .push((entry.id, hash));
        }
    }
}

/// The ledger of a state.
pub(crate) fn ledger_of(state: &State) -> Ledger {
    let mut ledger = Ledger::default();
    let Some(rules) = &state.rules else {
        return ledger;
    };
    let credits = state.entities.iter();
    let credits = credits.filter(|(_, record)| record.kind == EntityKind::Credit);
    let mut entries: Vec<(Entry, Fields)> = credits
        .filter_map(|(&id, record)| {
            let fields = record.fields();
            Some((Entry::read(id, &fields)?, fields))
        })
        .collect();
    entries.sort_by_key(|(entry, _)| entry.number);
    for (entry, fields) in entries {
        ledger.enter(rules, &entry, &fields);
    }
    ledger
}

/// What a month's programme shows of the ledger: the fingerprint of the month before the last, which is
/// over by the time the programme is printed. Nothing where that month has no entries.
pub(crate) fn fingerprint(deciding: &Deciding<'_>, month: &str) -> Option<Entity> {
    let first: Date = format!("{month}-01").parse().ok()?;
    let before = first.checked_sub(jiff::Span::new().months(2)).ok()?;
    let over = before.last_of_month() < deciding.civil_now().date();
    let before = crate::publication::month_key(before);
    let root = root(&deciding.flight.ledger.month(&before)).filter(|_| over)?;
    let place = &deciding.state.rules().place.id;
    Some(Entity {
        id: EntityId::derive(&[place.as_str().as_bytes(), b"fingerprint", before.as_bytes()]),
        kind: EntityKind::Credit,
        revision: 1,
        source: RACCORD.to_owned(),
        fields: Fields::from([
            ("month".to_owned(), json!(before)),
            ("root".to_owned(), json!(short(root))),
        ]),
    })
}

/// Numbers a new credit, and chains it to the last.
pub(crate) fn seal(deciding: &Deciding<'_>, id: EntityId, fields: &mut Fields) {
    let book = &deciding.flight.ledger.book;
    fields.insert("at".into(), json!(deciding.now.to_string()));
    if !fields.contains_key("day") && earns(fields) {
        let today = deciding.civil_now().date();
        fields.insert("day".into(), json!(today.to_string()));
    }
    fields.insert("entry".into(), json!(book.last() + 1));
    let place = &deciding.state.rules().place.id;
    let chain = next(book.head(), &content(place, id, fields));
    fields.insert("chain".into(), json!(chain.to_string()));
}

/// Whether it is no spending.
fn earns(fields: &Fields) -> bool {
    let amount = fields.get("amount").and_then(Value::as_i64);
    amount.is_some_and(|amount| amount > 0) || fields.contains_key("reverses")
}

/// The credits that stand before another in a batch, none of them entered yet.
#[derive(Default)]
pub(crate) struct Batch {
    credits: BTreeMap<EntityId, Fields>,
    of_day: BTreeMap<(EntityId, Date), i64>,
}

/// What is wrong with a credit that another program posts: what was entered never changes.
pub(crate) fn faults(
    deciding: &Deciding<'_>,
    id: EntityId,
    change: &Change,
    batch: &mut Batch,
) -> Vec<(&'static str, Words)> {
    let known = deciding.entity(id).map(|known| known.fields);
    if let Some(known) = known.as_ref().or_else(|| batch.credits.get(&id)) {
        let mut after = known.clone();
        crate::posted::take_in(&mut after, change.fields.clone());
        let same = changed_fields(Some(known), &after).is_empty();
        let ends = matches!(change.verb, Verb::Cancelled | Verb::Removed);
        return (!same || ends)
            .then(|| {
                (
                    "amount",
                    Words::new(
                        "un crédit noté ne change plus : envoyez-en un autre qui le reprend (reverses)",
                        "a credit that was entered never changes: send another that takes it back (reverses)",
                    ),
                )
            })
            .into_iter()
            .collect();
    }
    let mut faults = Vec::new();
    for ours in ["entry", "chain", "at", "grant", "till"] {
        if change.fields.contains_key(ours) {
            let told = Words::new("Raccord seul le dit", "is for Raccord alone to say");
            faults.push((ours, told));
        }
    }
    let Some(entry) = Entry::unnumbered(id, &change.fields) else {
        let person = change.fields.get("person").and_then(Value::as_str);
        let person = person.and_then(|id| id.parse::<EntityId>().ok());
        if change.fields.contains_key("person") && person.is_none() {
            let told = Words::new("n'est pas un identifiant", "is no id");
            faults.push(("person", told));
        } else if change.fields.contains_key("amount") {
            let told = Words::new(
                "doit être un nombre entier de centièmes, et pas zéro",
                "must be a whole number of hundredths, and not zero",
            );
            faults.push(("amount", told));
        }
        return faults;
    };
    let day = entry.day.unwrap_or_else(|| deciding.civil_now().date());
    let book = &deciding.flight.ledger.book;
    let in_batch = batch.of_day.entry((entry.person, day)).or_default();
    let of_day = book.of_day(entry.person, day).saturating_add(*in_batch);
    let most = deciding.state.rules().guards.credit_per_day;
    if entry.amount.abs() > MOST || entry.amount > 0 && of_day.saturating_add(entry.amount) > most {
        let told = Words::new(
            "dépasse ce qu'une personne peut recevoir en un jour ([guards] credit_per_day)",
            "is more than a person can receive in a day ([guards] credit_per_day)",
        );
        faults.push(("amount", told));
    }
    *in_batch = in_batch.saturating_add(entry.amount.max(0));
    batch.credits.insert(id, change.fields.clone());
    faults
}

/// An event was decided: entries are booked, and work that may have earned something else is noted.
pub(crate) fn note(deciding: &mut Deciding<'_>, event: &Event, stood: Option<&Fields>) {
    let changed = |name: &str| {
        let mut all = event.changed.iter();
        all.any(|pointer| pointer.get(1..) == Some(name))
    };
    match event.kind {
        EntityKind::Credit => {
            if let Some(entry) = Entry::read(event.entity, &event.data) {
                let rules = deciding.rules();
                deciding.flight.ledger.enter(&rules, &entry, &event.data);
            }
        }
        EntityKind::Registration if TOUCHING.into_iter().any(changed) => {
            for fields in [stood, Some(&event.data)].into_iter().flatten() {
                touch(deciding, event.entity, fields, event.id);
            }
        }
        // A task that was done, or was not after all, for everybody on it.
        EntityKind::Task if changed("state") => {
            let seats = deciding.flight.roll.seats(event.entity);
            let on: Vec<EntityId> = seats
                .into_iter()
                .flat_map(|seats| seats.on.iter().map(|(_, id)| *id))
                .collect();
            for registration in on {
                if let Some(known) = deciding.state.entity(registration) {
                    touch(deciding, registration, &known.fields, event.id);
                }
            }
        }
        _ => {}
    }
}

fn touch(deciding: &mut Deciding<'_>, registration: EntityId, fields: &Fields, because: EventId) {
    if let (Some(person), Some(subject)) = (person_of(fields), subject_of(fields)) {
        deciding
            .uncredited
            .insert((person, subject), (registration, because));
    }
}

fn person_of(fields: &Fields) -> Option<EntityId> {
    fields.get("person")?.as_str()?.parse().ok()
}

/// Everything that was noted is brought to what was earned.
pub(crate) fn settle(deciding: &mut Deciding<'_>) {
    while let Some(((person, subject), (registration, because))) = deciding.uncredited.pop_first() {
        credit(deciding, person, subject, registration, Some(because), true);
    }
}

/// A person said yes to more than the guard allows.
pub(crate) fn approved(
    deciding: &mut Deciding<'_>,
    person: EntityId,
    subject: EntityId,
    registration: EntityId,
) {
    let event = deciding.state.entities.get(&registration);
    let because = event.map(|record| record.event);
    credit(deciding, person, subject, registration, because, false);
}

fn credit(
    deciding: &mut Deciding<'_>,
    person: EntityId,
    subject: EntityId,
    registration: EntityId,
    because: Option<EventId>,
    guarded: bool,
) {
    let Some(work) = deciding.entity(subject) else {
        return;
    };
    let rules = deciding.rules();
    let crediting = &rules.guards.crediting;
    let earned = due_to(deciding, person, &work, registration);
    let day = day_of(deciding, &work);
    let doing = Work {
        person,
        subject,
        day,
    };
    let missing = earned > deciding.flight.ledger.book.stands(person, subject);
    if missing {
        withdraw_reversals(deciding, person, subject);
    }
    let (dues, ceiling) = deciding.flight.ledger.book.due(crediting, &doing, earned);
    let about = format!("{person} {subject}");
    match ceiling {
        Some(ceiling) => tell_ceiling(deciding, &about, &work, ceiling),
        None => crate::notice::settle(deciding, CEILING, &about),
    }
    let granted: i64 = dues.iter().map(|due| due.amount.max(0)).sum();
    let of_day = deciding.flight.ledger.book.of_day(person, day);
    let beyond = of_day.saturating_add(granted) > rules.guards.credit_per_day;
    if guarded && granted > 0 && beyond {
        ask(deciding, person, &work, registration, granted);
        return;
    }
    let hold = guard_hold(person, subject);
    crate::hold::close(deciding, hold, Closing::Moot);
    for due in dues {
        make(deciding, &doing, &work, registration, &due, because);
    }
}

/// What somebody's work earned by now.
fn due_to(
    deciding: &mut Deciding<'_>,
    person: EntityId,
    work: &Entity,
    registration: EntityId,
) -> i64 {
    let rules = deciding.rules();
    let crediting = &rules.guards.crediting;
    let amount = work.fields.get("credits").and_then(Value::as_i64);
    let amount = amount.unwrap_or(0).min(MOST);
    // The same person may have signed up twice before that was known: one work, one amount.
    let other = deciding.flight.roll.sign_up(work.id, person);
    let signed = [Some(registration), other.filter(|id| *id != registration)];
    let mut most = 0;
    let mut unmeasured = false;
    for known in signed.into_iter().flatten() {
        let Some(known) = deciding.state.entity(known) else {
            continue;
        };
        let theirs = person_of(&known.fields) == Some(person);
        if !theirs || subject_of(&known.fields) != Some(work.id) {
            continue;
        }
        let by = match Commitment::of(&known.fields) {
            Some(Commitment::Attended) => attested(&known),
            Some(Commitment::Registered) if is_done(work) => Validation::Done,
            _ => continue,
        };
        let minutes = known.fields.get("minutes").and_then(Value::as_u64);
        let minutes = minutes.and_then(|minutes| u32::try_from(minutes).ok());
        let took = Took {
            amount,
            by,
            minutes,
        };
        let counts = crediting.validated_by.contains(&by);
        unmeasured |= crediting.per_hour && counts && amount > 0 && minutes.is_none();
        most = most.max(earned(crediting, &took).min(MOST));
    }
    let about = format!("{person} {}", work.id);
    if unmeasured && most == 0 {
        tell_unmeasured(deciding, &about, work);
    } else {
        crate::notice::settle(deciding, NO_MINUTES, &about);
    }
    most
}

/// Whose word it is. A program that says no more than that somebody came is a tool.
fn attested(known: &Entity) -> Validation {
    let said = known.text("attested");
    let mut all = Validation::ALL.into_iter();
    all.find(|by| by.as_str() == said)
        .unwrap_or(Validation::Tool)
}

fn is_done(work: &Entity) -> bool {
    work.kind == EntityKind::Task && work.text("state") == "done"
}

/// The day of some work, else today.
fn day_of(deciding: &Deciding<'_>, work: &Entity) -> Date {
    work_day(deciding.state, work).unwrap_or_else(|| deciding.civil_now().date())
}

/// The day of some work: that of its activity, else when it was due.
pub(crate) fn work_day(state: &State, work: &Entity) -> Option<Date> {
    let activity = match work.kind {
        EntityKind::Task => work.text("activity").parse().ok(),
        _ => Some(work.id),
    };
    let record = activity.and_then(|activity| state.entities.get(&activity));
    let start = record.and_then(|record| record.when().start);
    let due: Option<Civil> = work.text("due").parse().ok();
    start.or(due).map(Civil::date)
}

fn make(
    deciding: &mut Deciding<'_>,
    doing: &Work,
    work: &Entity,
    registration: EntityId,
    due: &Due,
    because: Option<EventId>,
) {
    let (grant, reverses) = match due.kind {
        DueKind::Grant(grant) => (grant, None),
        DueKind::Reversal(of, grant) => (grant, Some(of)),
    };
    let mut fields = Fields::from([
        ("person".to_owned(), json!(doing.person)),
        ("amount".to_owned(), json!(due.amount)),
        ("reason".to_owned(), json!(reason(deciding, work))),
        ("cause".to_owned(), json!(registration)),
        ("grant".to_owned(), json!(grant)),
    ]);
    if let Some(day) = due.day {
        fields.insert("day".into(), json!(day.to_string()));
    }
    if let Some(of) = reverses {
        fields.insert("reverses".into(), json!(of));
    }
    match work.kind {
        EntityKind::Task => {
            fields.insert("task".into(), json!(work.id));
            if let Some(activity) = work.fields.get("activity") {
                fields.insert("activity".into(), activity.clone());
            }
        }
        _ => {
            fields.insert("activity".into(), json!(work.id));
        }
    }
    write(deciding, fields, CREDITED, because);
}

/// Enters a credit under the next number.
fn write(deciding: &mut Deciding<'_>, fields: Fields, code: &str, because: Option<EventId>) {
    let Some(person) = person_of(&fields) else {
        return;
    };
    let number = deciding.flight.ledger.book.last() + 1;
    let place = deciding.state.rules().place.id.clone();
    let id = EntityId::derive(&[
        place.as_str().as_bytes(),
        b"credit",
        person.as_bytes(),
        &number.to_be_bytes(),
    ]);
    let cause = Cause::Noticed {
        code: code.to_owned(),
    };
    enter(deciding, id, fields, cause, because);
}

/// Enters a credit as `id`.
pub(crate) fn enter(
    deciding: &mut Deciding<'_>,
    id: EntityId,
    mut fields: Fields,
    cause: Cause,
    because: Option<EventId>,
) {
    let Some(person) = person_of(&fields) else {
        return;
    };
    let known = deciding.entity(person);
    let email = known.as_ref().map(|known| known.text("email"));
    if let Some(email) = email.filter(|email| !email.is_empty()) {
        fields.insert("email".into(), json!(email));
    }
    let back = fields
        .get("amount")
        .and_then(Value::as_i64)
        .is_some_and(|amount| amount < 0);
    let (verb, state) = if back {
        (Verb::Reversed, "reversed")
    } else {
        (Verb::Granted, "granted")
    };
    fields.insert("state".into(), json!(state));
    deciding.emit(Draft {
        kind: EntityKind::Credit,
        verb,
        entity: id,
        fields,
        source: RACCORD,
        family: person,
        cause,
        causation: because.map(|event| deciding.chain(event)),
    });
}

/// What the person reads: the task, with its activity.
fn reason(deciding: &Deciding<'_>, work: &Entity) -> String {
    let title = work.text("title");
    let of = match work.kind {
        EntityKind::Task => work.text("activity").parse().ok(),
        _ => None,
    };
    let of = of.map(|activity| deciding.title(activity));
    let whole = match of.filter(|of| !of.is_empty()) {
        Some(of) => format!("{title} ({of})"),
        None => title.to_owned(),
    };
    whole.chars().take(LONGEST_REASON).collect()
}

fn guard_hold(person: EntityId, subject: EntityId) -> HoldId {
    HoldId::derive(&[b"credit", person.as_bytes(), subject.as_bytes()])
}

/// More for one day than the guard allows waits for a person.
fn ask(
    deciding: &mut Deciding<'_>,
    person: EntityId,
    work: &Entity,
    registration: EntityId,
    amount: i64,
) {
    let title = work.text("title").to_owned();
    let units = units(amount);
    let hold = Hold {
        id: guard_hold(person, work.id),
        what: HoldKind::Credit {
            person,
            subject: work.id,
            registration,
        },
        reason: Words::new(
            format!(
                "« {title} » donnerait à une personne plus de crédits en un jour que [guards] credit_per_day ({} de plus). Oui : les donner. Non : ne pas les donner.",
                units.fr
            ),
            format!(
                "“{title}” would give somebody more credits in one day than [guards] credit_per_day ({} more). Yes: give them. No: do not.",
                units.en
            ),
        ),
        opened: deciding.now,
        effects: vec![HeldEffect {
            connector: None,
            entity: registration,
            action: "send".into(),
            title,
            before: Fields::new(),
            after: Fields::from([("amount".to_owned(), json!(amount))]),
        }],
        more: 0,
    };
    crate::hold::open(deciding, hold);
}

/// A tool has no way to take credits back: a person does it there, or leaves them.
pub(crate) fn by_hand(deciding: &mut Deciding<'_>, of: &DeliveryRef, why: Words) {
    let credit = match deciding.state.find(of) {
        Some(Spot::Queue { family, index }) => {
            let queued = &deciding.state.sinks[&of.connector].lanes[&family].queue[index];
            crate::fold::decode(&queued.event)
        }
        _ => None,
    };
    let Some(credit) = credit.filter(|event| event.kind == EntityKind::Credit) else {
        crate::hold::unknown_outcome(deciding, of);
        return;
    };
    let title = credit.data.get("reason").and_then(Value::as_str);
    let hold = Hold {
        id: crate::hold::delivery_hold(of),
        what: HoldKind::Reversal {
            of: of.clone(),
            credit: credit.entity,
        },
        reason: why,
        opened: deciding.now,
        effects: vec![HeldEffect {
            connector: None,
            entity: credit.entity,
            action: "remove".into(),
            title: title.unwrap_or_default().to_owned(),
            before: Fields::new(),
            after: Fields::from([("amount".to_owned(), credit.data["amount"].clone())]),
        }],
        more: 0,
    };
    crate::hold::open(deciding, hold);
}

/// A person says what became of credits that a tool cannot take back: taken back there by hand, or
/// left with whoever has them. Then they stand in the ledger again.
pub(crate) fn taken_back(
    deciding: &mut Deciding<'_>,
    of: &DeliveryRef,
    credit: EntityId,
    done: bool,
) {
    let why = if done {
        Words::new(
            "une personne les a repris dans l'outil",
            "a person took them back in the tool",
        )
    } else {
        Words::new(
            "une personne a dit de les laisser",
            "a person said to leave them",
        )
    };
    deciding.record(Fact::Skipped {
        of: of.clone(),
        why,
    });
    if !done {
        restore(deciding, credit);
    }
    deciding.flight.wake(&of.connector, of.family);
}

/// An entry that took credits back is itself taken back: they were never taken from the tool. Where
/// several tools were asked, the first no does that.
fn restore(deciding: &mut Deciding<'_>, credit: EntityId) {
    let Some(known) = deciding.entity(credit) else {
        return;
    };
    if deciding.flight.ledger.reversed.contains(&credit) {
        return;
    }
    let amount = known.fields.get("amount").and_then(Value::as_i64);
    let Some(amount) = amount.and_then(i64::checked_neg) else {
        return;
    };
    let event = deciding.state.entities[&credit].event;
    let mut fields = known.fields;
    for ours in ["entry", "chain", "at", "email", "card"] {
        fields.remove(ours);
    }
    fields.insert("amount".into(), json!(amount));
    fields.insert("reverses".into(), json!(credit));
    write(deciding, fields, KEPT, Some(event));
}

/// Somebody's work counts again: what a tool was not able to take back stays there.
fn withdraw_reversals(deciding: &mut Deciding<'_>, person: EntityId, subject: EntityId) {
    let open: Vec<(HoldId, DeliveryRef, EntityId)> = deciding
        .state
        .holds
        .iter()
        .filter_map(|(&id, waiting)| match &waiting.hold.what {
            HoldKind::Reversal { of, credit } if of.family == person => {
                Some((id, of.clone(), *credit))
            }
            _ => None,
        })
        .collect();
    for (id, of, credit) in open {
        let about = deciding.state.entity(credit);
        if about.and_then(|known| subject_of(&known.fields)) == Some(subject) {
            taken_back(deciding, &of, credit, false);
            crate::hold::close(deciding, id, Closing::Moot);
        }
    }
}

fn tell_ceiling(deciding: &mut Deciding<'_>, about: &str, work: &Entity, ceiling: Ceiling) {
    let title = work.text("title");
    let (key, fr, en) = match ceiling {
        Ceiling::Day => ("per_day", "pour un jour", "for one day"),
        Ceiling::Month => ("per_month", "pour un mois", "for one month"),
        Ceiling::Person => ("per_person", "pour une personne", "for one person"),
    };
    let text = Words::new(
        format!("« {title} » : quelqu'un a gagné plus de crédits que le plafond {fr}."),
        format!("“{title}”: somebody earned more credits than the ceiling {en}."),
    );
    let mend = Words::new(
        format!("Rien à faire, sauf si le plafond est trop bas : [credits] {key}."),
        format!("Nothing to do, unless the ceiling is too low: [credits] {key}."),
    );
    crate::notice::tell(deciding, CEILING, about, &text, &mend);
}

fn tell_unmeasured(deciding: &mut Deciding<'_>, about: &str, work: &Entity) {
    let title = work.text("title");
    let text = Words::new(
        format!("« {title} » : quelqu'un a participé, et personne n'a noté combien de temps."),
        format!("“{title}”: somebody took part, and nobody noted how long."),
    );
    let mend = Words::new(
        "Notez la durée avec la présence : les crédits sont comptés à l'heure.",
        "Note the time with the attendance: credits are counted by the hour.",
    );
    crate::notice::tell(deciding, NO_MINUTES, about, &text, &mend);
}

/// The task, else the activity, whose amount an entry comes from.
pub(crate) fn work_of(event: &Event) -> Option<EntityId> {
    let credit = event.kind == EntityKind::Credit;
    credit.then(|| subject_of(&event.data)).flatten()
}

/// What an entry is, in words: nobody is named.
pub(crate) fn words(event: &Event) -> Words {
    let amount = event.data.get("amount").and_then(Value::as_i64);
    let amount = amount.unwrap_or(0);
    let reason = event.data.get("reason").and_then(Value::as_str);
    let reason = reason.unwrap_or_default();
    let units = units(amount.saturating_abs());
    let spent = event.data.contains_key("till");
    let (fr, en) = match (amount < 0, event.data.contains_key("reverses")) {
        (false, true) if spent => ("Crédits rendus", "Credits given back"),
        (true, true) => ("Crédits repris", "Credits taken back"),
        (true, false) => ("Crédits dépensés", "Credits spent"),
        (false, true) => ("Crédits laissés", "Credits left"),
        (false, false) => ("Crédits donnés", "Credits given"),
    };
    Words::new(
        format!("{fr} : {} pour « {reason} »", units.fr),
        format!("{en}: {} for “{reason}”", units.en),
    )
}

/// Hundredths as people write them.
fn units(hundredths: i64) -> Words {
    let (whole, rest) = (hundredths / 100, hundredths % 100);
    let with = |point: char| match rest {
        0 => whole.to_string(),
        rest if rest % 10 == 0 => format!("{whole}{point}{}", rest / 10),
        rest => format!("{whole}{point}{rest:02}"),
    };
    Words::new(with(','), with('.'))
}
