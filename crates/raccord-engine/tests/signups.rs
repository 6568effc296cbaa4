//! Signing up: places, the waiting list, attendance, and one person across tools.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use raccord_engine::{
    Attested, Choice, Commitment, Engine, HoldKind, Input, Mention, Order, Reply, Say, SignUp,
    Step, Telling, Who, decode_commit, why,
};
use raccord_model::{
    Applied, Change, Civil, Class, ConnectorName, Context, Desired, Digest, EntityId, EntityKind,
    Event, Guards, Handling, HoldId, Lang, Mode, Outcome, Payload, Place, Policy, Render, Rendered,
    Rules, Saying, SinkRule, Subject, Verb, Way, Words,
};
use serde_json::{Value, json};

/// Writes to people how they stand, once, and again when that changes.
struct Mail;

impl Render for Mail {
    fn render(&self, _: &ConnectorName, subject: Subject<'_>, _: &Context<'_>) -> Rendered {
        let text = match subject {
            Subject::Entity { entity, .. }
            | Subject::Saying {
                saying: Saying::Moved { entity, .. },
                ..
            } if !matches!(entity.text("told"), "" | "mail") => return Rendered::Nothing,
            Subject::Entity { entity, .. } => {
                format!("{} {}", entity.text("comment"), entity.text("state"))
            }
            Subject::Saying {
                saying: Saying::Moved { entity, before, .. },
                ..
            } => format!(
                "{} {} -> {}",
                entity.text("comment"),
                before["state"].as_str().unwrap(),
                entity.text("state")
            ),
            _ => return Rendered::Nothing,
        };
        // A mail that was sent is not written anew.
        let fixed = matches!(subject, Subject::Entity { .. });
        let hash = if fixed { "mail" } else { text.as_str() };
        Rendered::Object(Desired {
            hash: Digest::of(hash.as_bytes()),
            body: json!(text),
            text: Words::same(text.clone()),
            title: text,
            outdated: None,
        })
    }
}

fn rules() -> Rules {
    let mail = SinkRule {
        kind: "mail".into(),
        version: String::new(),
        handles: vec![Handling {
            entity: EntityKind::Registration,
            mode: Mode::Announce,
            class: Class::Address,
            settle_s: 0,
            grace_s: 0,
            policy: Policy::NeverLost,
            read_back: false,
        }],
        parallel: 4,
        per_second: 0,
        settings: Digest::default(),
        target: Digest::default(),
        credentials: Digest::default(),
        around: false,
        approvers: BTreeSet::new(),
    };
    Rules {
        place: Place {
            id: "lieu".parse().unwrap(),
            name: "Le lieu".into(),
            zone: "Europe/Paris".into(),
            lang: Lang::Fr,
            public_url: String::new(),
        },
        sources: BTreeMap::new(),
        sinks: [("mail".parse().unwrap(), mail)].into(),
        recipes: Vec::new(),
        routes: Vec::new(),
        guards: Guards::default(),
    }
}

struct World {
    engine: Engine,
    now: Timestamp,
    /// What was recorded, to be folded anew.
    log: Vec<(Timestamp, Vec<u8>)>,
    slots: Vec<(String, String)>,
    posted: u32,
    mails: Vec<String>,
    events: Vec<Event>,
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            engine: Engine::new(),
            now: "2027-01-02T08:00:00Z".parse().unwrap(),
            log: Vec::new(),
            slots: Vec::new(),
            posted: 0,
            mails: Vec::new(),
            events: Vec::new(),
        };
        world.input(Input::Configure(Box::new(rules())));
        world
    }

    fn input(&mut self, input: Input) -> Reply {
        self.now += SignedDuration::from_secs(1);
        let mut inputs = vec![input];
        let mut first = None;
        while !inputs.is_empty() {
            let seed = Digest::of(&self.log.len().to_be_bytes()).0;
            let step = self.engine.step(inputs, self.now, seed, &Mail);
            first = first.or_else(|| step.replies.first().cloned());
            inputs = self.record(step);
        }
        first.unwrap()
    }

    fn record(&mut self, step: Step) -> Vec<Input> {
        self.log
            .extend(step.commit.map(|commit| (self.now, commit)));
        self.slots.extend(step.slots);
        self.events.extend(step.events);
        let mut outcomes = Vec::new();
        for work in step.work {
            for item in work.items {
                match &item.payload {
                    Payload::Write { desired, .. } => self.mails.push(desired.title.clone()),
                    // What was sent stays sent.
                    Payload::Remove { .. } => {}
                    other => panic!("{other:?}"),
                }
                let applied = Applied {
                    external: format!("m{}", self.mails.len()),
                    tag: None,
                    url: None,
                };
                outcomes.push(Input::Outcome {
                    connector: work.connector.clone(),
                    family: work.family,
                    delivery: item.delivery,
                    outcome: Outcome::Done(applied),
                });
            }
        }
        outcomes
    }

    /// Begins anew from what was recorded.
    fn restart(&mut self) {
        let mut again = Engine::new();
        for (number, (at, commit)) in (1..).zip(&self.log) {
            again.fold(number, *at, commit).unwrap();
        }
        assert_eq!(again.snapshot(), self.engine.snapshot());
        again.remember(self.slots.clone());
        again.start();
        self.engine = again;
    }

    fn post(&mut self, kind: EntityKind, verb: Verb, subject: &str, data: Value) -> Reply {
        self.posted += 1;
        let change = Change {
            sender: "/agenda".into(),
            id: self.posted.to_string(),
            kind,
            verb,
            subject: subject.to_owned(),
            fields: serde_json::from_value(data).unwrap(),
            correlation: None,
            causation: None,
            hops: 0,
            trace: None,
        };
        self.input(Input::Posted(vec![change]))
    }

    /// A ball for so many people.
    fn ball(&mut self, capacity: u64) -> EntityId {
        let data = json!({ "title": "Bal", "start": "2027-01-10T20:00", "capacity": capacity });
        assert_eq!(
            self.post(EntityKind::Activity, Verb::Updated, "bal", data),
            Reply::Taken
        );
        let mut activities = self.engine.state().activities();
        activities.next().unwrap().0
    }

    fn sign_up(&mut self, subject: EntityId, who: &str, places: u32) -> Reply {
        self.input(Input::Order(Order::SignUp(Box::new(SignUp {
            subject,
            who: Who {
                email: format!("{who}@example.org"),
                ..Who::default()
            },
            places,
            comment: who.to_owned(),
        }))))
    }

    fn chooses(&mut self, who: &str, told: Telling) {
        self.order(Order::Choose(Box::new(Choice {
            who: Who {
                email: format!("{who}@example.org"),
                ..Who::default()
            },
            told: Some(told),
            likes: None,
            phone: None,
        })));
    }

    fn order(&mut self, order: Order) -> Reply {
        self.input(Input::Order(order))
    }

    /// Every sign-up: how it stands, its turn, for how many.
    fn all(&self) -> BTreeMap<EntityId, (String, u64, u64)> {
        let entities = &self.engine.state().entities;
        let registrations = entities
            .iter()
            .filter(|(_, record)| record.kind == EntityKind::Registration);
        registrations
            .map(|(&id, record)| {
                let fields = record.fields();
                let number = |name: &str| fields.get(name).and_then(Value::as_u64);
                let state = fields["state"].as_str().unwrap().to_owned();
                (
                    id,
                    (
                        state,
                        number("turn").unwrap(),
                        number("places").unwrap_or(1),
                    ),
                )
            })
            .collect()
    }

    fn people(&self) -> usize {
        let entities = self.engine.state().entities.values();
        entities
            .filter(|record| record.kind == EntityKind::Person)
            .count()
    }

    fn hold(&self) -> Option<HoldId> {
        self.engine.state().holds.keys().next().copied()
    }
}

fn stands(reply: &Reply) -> (Commitment, Option<u32>) {
    match reply {
        Reply::SignedUp {
            standing, position, ..
        } => (*standing, *position),
        other => panic!("{other:?}"),
    }
}

fn id(reply: &Reply) -> EntityId {
    match reply {
        Reply::SignedUp { registration, .. } => *registration,
        other => panic!("{other:?}"),
    }
}

#[test]
fn of_two_who_take_the_last_place_one_gets_it_and_both_are_told() {
    let mut world = World::new();
    let ball = world.ball(1);
    let ann = world.sign_up(ball, "ann", 1);
    let bob = world.sign_up(ball, "bob", 1);
    assert_eq!(stands(&ann), (Commitment::Registered, None));
    assert_eq!(stands(&bob), (Commitment::Waitlisted, Some(1)));
    assert_eq!(world.mails, ["ann registered", "bob waitlisted"]);
    world.order(Order::SignOff(id(&ann)));
    assert_eq!(
        world.mails[2..].iter().collect::<BTreeSet<_>>(),
        [
            &"ann registered -> cancelled".to_owned(),
            &"bob waitlisted -> registered".to_owned()
        ]
        .into()
    );
    let promoted = world.events.iter().rfind(|event| event.entity == id(&bob));
    let promoted = promoted.unwrap();
    let left = world.events.iter().rfind(|event| event.entity == id(&ann));
    assert_eq!(
        promoted.causation,
        Some(left.unwrap().id),
        "why tells who left"
    );
    // Whoever comes back comes last.
    assert_eq!(
        stands(&world.sign_up(ball, "ann", 1)),
        (Commitment::Waitlisted, Some(1))
    );
}

#[test]
fn what_moves_is_told_once_to_whoever_signed_up_and_to_nobody_who_signed_off() {
    let mut world = World::new();
    let ball = world.ball(5);
    world.sign_up(ball, "ann", 1);
    let bob = id(&world.sign_up(ball, "bob", 1));
    world.order(Order::SignOff(bob));
    let told = world.mails.len();
    let post = |world: &mut World, data: Value| {
        world.post(EntityKind::Activity, Verb::Updated, "bal", data);
    };
    post(&mut world, json!({ "start": "2027-01-11T20:00" }));
    assert_eq!(world.mails[told..], ["ann registered -> registered"]);
    // What concerns nobody is not told, and a restart tells nothing again.
    post(&mut world, json!({ "description": "Venez" }));
    world.restart();
    post(&mut world, json!({ "description": "Venez tous" }));
    assert_eq!(world.mails.len(), told + 1);
    post(&mut world, json!({ "status": "cancelled" }));
    assert_eq!(world.mails.len(), told + 2);
}

#[test]
fn whoever_comes_back_to_mail_is_not_told_of_their_sign_up_once_more() {
    let mut world = World::new();
    let ball = world.ball(1);
    let ann = id(&world.sign_up(ball, "ann", 1));
    world.sign_up(ball, "bob", 1);
    let of_bob = |world: &World| -> Vec<String> {
        let of_bob = world.mails.iter().filter(|mail| mail.starts_with("bob"));
        of_bob.cloned().collect()
    };
    assert_eq!(of_bob(&world), ["bob waitlisted"]);
    for (times, (told, room)) in (1..).zip([
        (Telling::By(Way::Chat), "Cour"),
        (Telling::Nothing, "Halle"),
    ]) {
        world.chooses("bob", told);
        // What changes meanwhile is looked at, and not mailed.
        let data = json!({ "room": room });
        world.post(EntityKind::Activity, Verb::Updated, "bal", data);
        assert_eq!(of_bob(&world).len(), times, "{told:?}");
        world.chooses("bob", Telling::By(Way::Mail));
        let data = json!({ "description": format!("Dans : {room}") });
        world.post(EntityKind::Activity, Verb::Updated, "bal", data);
        world.restart();
        world.input(Input::Tick);
        // The mails go on from the last one that was sent: with where it is now.
        assert_eq!(of_bob(&world).len(), times + 1, "{told:?}");
        assert_eq!(of_bob(&world)[times], "bob waitlisted -> waitlisted");
    }
    world.order(Order::SignOff(ann));
    assert_eq!(of_bob(&world)[3..], ["bob waitlisted -> registered"]);
    let mut first = of_bob(&world);
    first.retain(|mail| mail == "bob waitlisted");
    assert_eq!(first.len(), 1);
}

#[test]
fn a_sheet_of_sign_ups_is_read_as_the_roll_stands() {
    let mut world = World::new();
    let ball = world.ball(1);
    let ann = id(&world.sign_up(ball, "ann", 1));
    let bob = id(&world.sign_up(ball, "bob", 1));
    let sheet = world.engine.sheet(ball);
    assert_eq!(
        (sheet.taken, sheet.on, sheet.waiting),
        (1, vec![ann], vec![bob])
    );
    let person = |registration| {
        let known = world.engine.entity(registration).unwrap();
        known.text("person").parse::<EntityId>().unwrap()
    };
    let own = world.engine.sign_ups_of(person(bob));
    assert_eq!((own[0].registration, own[0].position), (bob, Some(1)));
    world.order(Order::Attendance {
        registration: ann,
        came: Some(false),
        minutes: None,
        by: Attested::Organiser,
    });
    assert_eq!(world.engine.sheet(ball).absent, [ann]);
}

#[test]
fn who_says_who_they_are_is_known_once() {
    let mut world = World::new();
    let who = |email: &str| {
        Order::Introduce(Box::new(Who {
            email: email.to_owned(),
            ..Who::default()
        }))
    };
    let first = world.order(who("ann@example.org"));
    assert!(matches!(first, Reply::Known(_)));
    assert_eq!(world.order(who(" Ann@Example.org ")), first);
    assert_eq!(world.people(), 1);
    assert_eq!(world.order(who("no address")), Reply::Cannot(kept()));
}

/// Says moments as they are written.
struct Plain;

impl Say for Plain {
    fn civil(&self, at: Civil) -> Words {
        Words::same(at.to_string())
    }
    fn instant(&self, at: Timestamp) -> Words {
        Words::same(at.to_string())
    }
}

#[test]
fn why_tells_whose_place_it_was() {
    let mut world = World::new();
    let ball = world.ball(1);
    let ann = id(&world.sign_up(ball, "ann", 1));
    let bob = id(&world.sign_up(ball, "bob", 1));
    world.order(Order::SignOff(ann));
    let search = |text: &str| {
        let commits = world.log.iter().map(|(at, commit)| Mention {
            at: *at,
            facts: decode_commit(commit).unwrap(),
        });
        let names = |commit: &Mention| serde_json::to_string(&commit.facts).unwrap().contains(text);
        commits.filter(names).collect()
    };
    let chain = why(world.engine.state(), &bob.to_string(), &search, &Plain).unwrap();
    let told: Vec<&str> = chain.iter().map(|link| link.text.en.as_str()).collect();
    let told = told.join("\n");
    assert!(told.contains("A sign-up: registered"), "{told}");
    assert!(told.contains("A place became free"), "{told}");
    assert!(told.contains("Somebody signed off"), "{told}");
}

#[test]
fn signing_up_twice_is_signing_up_once() {
    let mut world = World::new();
    let ball = world.ball(5);
    let first = world.sign_up(ball, "ann", 1);
    let mail = |email: &str| Who {
        email: email.to_owned(),
        ..Who::default()
    };
    let again = world.order(Order::SignUp(Box::new(SignUp {
        subject: ball,
        who: mail(" Ann@Example.org "),
        places: 1,
        comment: String::new(),
    })));
    assert_eq!(again, first);
    assert_eq!((world.all().len(), world.people()), (1, 1));
}

fn kept() -> Words {
    Words::new(
        "cette adresse ne peut pas être retenue",
        "this address cannot be kept",
    )
}

#[test]
fn one_person_whom_two_tools_know_takes_one_place() {
    let mut world = World::new();
    let ball = world.ball(1);
    world.sign_up(ball, "ann", 1);
    let elsewhere = json!({ "activity": ball, "email": "Ann@example.org", "name": "Ann" });
    let post = |world: &mut World, verb, data| {
        world.post(EntityKind::Registration, verb, "ticket-7", data)
    };
    post(&mut world, Verb::Created, elsewhere);
    assert_eq!((world.all().len(), world.people()), (1, 1));
    assert_eq!(world.all().values().next().unwrap().0, "registered");
    world.restart();
    // The other tool's own name for it is remembered.
    post(&mut world, Verb::Attended, json!({}));
    assert_eq!(world.all().values().next().unwrap().0, "attended");
    let last = world
        .events
        .iter()
        .rfind(|event| event.kind == EntityKind::Registration);
    assert_eq!(
        last.unwrap().type_name(),
        "org.raccord.registration.attended.v1"
    );
}

#[test]
fn another_program_asks_for_a_place_like_everybody() {
    let mut world = World::new();
    let ball = world.ball(1);
    for n in 0..3 {
        let data = json!({ "activity": ball, "state": "registered", "name": format!("n{n}") });
        let subject = format!("r{n}");
        world.post(EntityKind::Registration, Verb::Created, &subject, data);
    }
    let states: BTreeMap<u64, String> = world
        .all()
        .into_values()
        .map(|all| (all.1, all.0))
        .collect();
    let states: Vec<&str> = states.values().map(String::as_str).collect();
    assert_eq!(states, ["registered", "waitlisted", "waitlisted"]);
    let nothing = json!({ "name": "n9" });
    let reply = world.post(EntityKind::Registration, Verb::Created, "r9", nothing);
    assert!(matches!(reply, Reply::Refused(_)), "{reply:?}");
}

#[test]
fn fewer_places_than_people_is_asked_and_nobody_is_lost() {
    for yes in [true, false] {
        let mut world = World::new();
        let ball = world.ball(3);
        let all: Vec<Reply> = ["a", "b", "c", "d"]
            .map(|who| world.sign_up(ball, who, 1))
            .into();
        world.ball(1);
        let count =
            |world: &World, state: &str| world.all().values().filter(|all| all.0 == state).count();
        assert_eq!(count(&world, "registered"), 3, "until a person says so");
        let hold = world.hold().unwrap();
        let what = &world.engine.state().holds[&hold].hold.what;
        assert!(matches!(what, HoldKind::Seats { .. }));
        world.order(if yes {
            Order::Approve { hold, only: None }
        } else {
            Order::Reject(hold)
        });
        assert_eq!(world.hold(), None);
        assert_eq!(count(&world, "registered"), if yes { 1 } else { 3 });
        assert_eq!(count(&world, "waitlisted"), if yes { 3 } else { 1 });
        // Those who had a place are before those who never had one.
        world.ball(if yes { 2 } else { 4 });
        let next = if yes { &all[1] } else { &all[3] };
        assert_eq!(world.all()[&id(next)].0, "registered");
    }
}

#[test]
fn five_hundred_for_thirty_places() {
    let mut world = World::new();
    let ball = world.ball(30);
    let inputs = (0..500).map(|n| {
        Input::Order(Order::SignUp(Box::new(SignUp {
            subject: ball,
            who: Who {
                email: format!("p{n}@example.org"),
                ..Who::default()
            },
            places: 1,
            comment: String::new(),
        })))
    });
    let step = world
        .engine
        .step(inputs.collect(), world.now, [3; 16], &Mail);
    let got: Vec<_> = step.replies.iter().map(stands).collect();
    for (n, got) in (0_u32..).zip(got) {
        if n < 30 {
            assert_eq!(got, (Commitment::Registered, None));
        } else {
            assert_eq!(got, (Commitment::Waitlisted, Some(n - 29)));
        }
    }
}

#[test]
fn whoever_comes_back_waits_after_all_others() {
    let mut world = World::new();
    let ball = world.ball(1);
    world.sign_up(ball, "ann", 1);
    let bob = id(&world.sign_up(ball, "bob", 1));
    world.sign_up(ball, "cy", 1);
    world.order(Order::SignOff(bob));
    let back = world.sign_up(ball, "bob", 1);
    assert_eq!(id(&back), bob, "it is the same sign-up");
    assert_eq!(stands(&back), (Commitment::Waitlisted, Some(2)));
}

#[test]
fn what_is_cancelled_over_or_no_address_is_refused_in_words() {
    let mut world = World::new();
    let ball = world.ball(3);
    for email in ["", "ann", "ann@", "a b@example.org", "a@b,c@example.org"] {
        let who = Who {
            email: email.to_owned(),
            ..Who::default()
        };
        let reply = world.order(Order::SignUp(Box::new(SignUp {
            subject: ball,
            who,
            places: 1,
            comment: String::new(),
        })));
        assert_eq!(reply, Reply::Cannot(kept()), "{email}");
    }
    world.post(EntityKind::Activity, Verb::Cancelled, "bal", json!({}));
    assert!(matches!(world.sign_up(ball, "ann", 1), Reply::Cannot(_)));
    world.ball(3);
    world.post(
        EntityKind::Activity,
        Verb::Updated,
        "bal",
        json!({ "status": "confirmed" }),
    );
    assert!(matches!(
        world.sign_up(ball, "ann", 1),
        Reply::SignedUp { .. }
    ));
    world.now = "2027-01-11T08:00:00Z".parse().unwrap();
    assert!(matches!(world.sign_up(ball, "bob", 1), Reply::Cannot(_)));
    assert!(matches!(
        world.sign_up(EntityId::derive(&[b"x"]), "bob", 1),
        Reply::Cannot(_)
    ));
}

/// Something that happens to one ball.
#[derive(Clone, Debug)]
enum Act {
    SignUp(u8, u32),
    SignOff(u8),
    Posted(u8, u8, u32),
    Came(u8, Option<bool>),
    Capacity(u64),
    Decide(bool),
    Restart,
}

fn act() -> impl Strategy<Value = Act> {
    let who = 0_u8..8;
    prop_oneof![
        6 => (who.clone(), 1_u32..4).prop_map(|(who, places)| Act::SignUp(who, places)),
        3 => who.clone().prop_map(Act::SignOff),
        3 => (who.clone(), 0_u8..5, 1_u32..4).prop_map(|(who, state, n)| Act::Posted(who, state, n)),
        2 => (who, any::<Option<bool>>()).prop_map(|(who, came)| Act::Came(who, came)),
        2 => (0_u64..6).prop_map(Act::Capacity),
        1 => any::<bool>().prop_map(Act::Decide),
        1 => Just(Act::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn never_oversold_nobody_lost_and_the_list_keeps_its_order(
        acts in prop::collection::vec(act(), 1..40)
    ) {
        let mut world = World::new();
        let mut capacity = 2;
        let ball = world.ball(capacity);
        let mut known: BTreeMap<u8, EntityId> = BTreeMap::new();
        let mut wants: BTreeSet<u8> = BTreeSet::new();
        for act in acts {
            let before = world.all();
            match act {
                Act::SignUp(who, places) => {
                    let reply = world.sign_up(ball, &format!("p{who}"), places);
                    known.insert(who, id(&reply));
                    wants.insert(who);
                }
                Act::SignOff(who) => if let Some(&registration) = known.get(&who)
                    && let Reply::SignedUp { .. } = world.order(Order::SignOff(registration))
                {
                    wants.remove(&who);
                },
                Act::Posted(who, state, places) => {
                    let states = ["registered", "waitlisted", "cancelled", "attended", "absent"];
                    let email = format!("p{who}@example.org");
                    let state = states[usize::from(state)];
                    let data = json!({
                        "activity": ball, "email": email, "state": state, "places": places
                    });
                    let subject = format!("r{who}");
                    world.post(EntityKind::Registration, Verb::Updated, &subject, data);
                    if state == "cancelled" { wants.remove(&who); } else { wants.insert(who); }
                    let entities = &world.engine.state().entities;
                    let last = world.events.iter().rfind(|event| event.kind == EntityKind::Registration);
                    if let Some(last) = last.filter(|_| !known.contains_key(&who)) {
                        prop_assert!(entities.contains_key(&last.entity));
                        let first = world.all().into_keys().find(|id| !before.contains_key(id));
                        known.extend(first.map(|id| (who, id)));
                    }
                }
                Act::Came(who, came) => if let Some(&registration) = known.get(&who) {
                    stands(&world.order(Order::Attendance {
                        registration, came, minutes: None, by: Attested::Organiser,
                    }));
                    if came.is_some() { wants.insert(who); }
                },
                Act::Capacity(places) => {
                    capacity = places;
                    world.ball(places);
                }
                Act::Decide(yes) => if let Some(hold) = world.hold() {
                    world.order(if yes { Order::Approve { hold, only: None } } else { Order::Reject(hold) });
                },
                Act::Restart => world.restart(),
            }
            let after = world.all();
            let is = |all: &BTreeMap<EntityId, (String, u64, u64)>, id: &EntityId, state: &str|
                all.get(id).is_some_and(|one| one.0 == state);
            let new: Vec<_> = after.iter()
                .filter(|(id, one)| one.0 == "registered" && !is(&before, id, "registered"))
                .collect();
            let taken: u64 = after.values()
                .filter(|one| matches!(one.0.as_str(), "registered" | "attended"))
                .map(|one| one.2)
                .sum();
            if !new.is_empty() {
                prop_assert!(taken <= capacity, "{taken} of {capacity}");
            }
            for (_, (_, turn, _)) in &new {
                let overtaken = after.values().any(|one| one.0 == "waitlisted" && one.1 < *turn);
                prop_assert!(!overtaken, "somebody waits longer");
            }
            // Whoever asks now, for the first time or again, comes after all who asked before.
            let last = before.values().map(|one| one.1).max().unwrap_or(0);
            for (id, (state, turn, _)) in &after {
                let asks = before.get(id).is_none_or(|one| one.0 == "cancelled");
                if asks && state != "cancelled" {
                    prop_assert!(*turn > last, "{turn} after {last}");
                }
            }
            // Whoever waits first would not fit.
            let first = after.values().filter(|one| one.0 == "waitlisted").min_by_key(|one| one.1);
            if let Some(first) = first {
                prop_assert!(taken + first.2 > capacity, "a place is free and given to nobody");
            }
            for who in &wants {
                let stands = &after[&known[who]].0;
                prop_assert!(stands != "cancelled", "{who} is lost");
            }
            prop_assert_eq!(after.len(), known.len(), "one sign-up for each");
        }
        world.restart();
    }
}

#[test]
fn a_year_counts_who_worked_and_for_how_long_and_nobody_who_only_came() {
    let mut world = World::new();
    let ball = world.ball(10);
    let other = |world: &mut World, kind, subject: &str, data| {
        assert_eq!(world.post(kind, Verb::Updated, subject, data), Reply::Taken);
        let entities = &world.engine.state().entities;
        let made = entities.iter().filter(|(_, record)| {
            record.kind == kind && record.title().as_deref() == Some(subject)
        });
        *made.map(|(id, _)| id).next().unwrap()
    };
    let (activity, task) = (EntityKind::Activity, EntityKind::Task);
    let day = json!({ "title": "chantier", "kind": "Chantier", "credits": 200,
        "start": "2027-12-31T20:00", "end": "2028-01-01T02:00" });
    let day = other(&mut world, activity, "chantier", day);
    let stay =
        json!({ "title": "séjour", "credits": 200, "start": "2027-07-01", "end": "2027-07-08" });
    let stay = other(&mut world, activity, "séjour", stay);
    let bar = json!({ "title": "bar", "kind": "Bar", "due": "2027-05-01" });
    let bar = other(&mut world, task, "bar", bar);
    for (subject, places, minutes) in [
        (ball, 1, None),    // Who dances gives nothing.
        (day, 3, None),     // Six hours, three times.
        (stay, 1, None),    // No hours can be told.
        (bar, 1, Some(90)), // As it was noted.
    ] {
        let registration = id(&world.sign_up(subject, "ann", places));
        world.order(Order::Attendance {
            registration,
            came: Some(true),
            minutes,
            by: Attested::Organiser,
        });
    }
    let absent = id(&world.sign_up(day, "bob", 1));
    world.order(Order::Attendance {
        registration: absent,
        came: Some(false),
        minutes: None,
        by: Attested::Organiser,
    });
    let year = |year| {
        let zone = jiff::tz::TimeZone::UTC;
        let all = raccord_engine::volunteering(world.engine.state(), year, &zone);
        let told = all.into_iter().map(|one| {
            (
                one.kind.unwrap_or_default(),
                one.day.to_string(),
                one.people,
                one.minutes,
            )
        });
        told.collect::<Vec<_>>()
    };
    let counted = [
        ("Bar".to_owned(), "2027-05-01".to_owned(), 1, Some(90)),
        (String::new(), "2027-07-01".to_owned(), 1, None),
        ("Chantier".to_owned(), "2027-12-31".to_owned(), 3, Some(360)),
    ];
    assert_eq!(year(2027), counted);
    assert_eq!(year(2028), []);
}

/// Without noted minutes every presence is as long as its activity: the same hours of the same person
/// are not given twice.
#[test]
fn nobody_gives_more_hours_than_the_party_lasted() {
    let mut world = World::new();
    let data = json!({ "title": "fête", "kind": "Bar", "credits": 100,
        "start": "2027-01-02T10:00", "end": "2027-01-02T18:00" });
    world.post(EntityKind::Activity, Verb::Updated, "fête", data);
    let named = |world: &World, title: &str| {
        let mut all = world.engine.state().entities.iter();
        *all.find(|(_, record)| record.title().as_deref() == Some(title))
            .unwrap()
            .0
    };
    let party = named(&world, "fête");
    let mut subjects = vec![party];
    for title in ["montage", "bar"] {
        let data = json!({ "title": title, "activity": party, "due": "2026-12-30" });
        world.post(EntityKind::Task, Verb::Updated, title, data);
        subjects.push(named(&world, title));
    }
    let mut signed = Vec::new();
    for subject in subjects {
        let registration = id(&world.sign_up(subject, "ann", 1));
        signed.push(registration);
        world.order(Order::Attendance {
            registration,
            came: Some(true),
            minutes: None,
            by: Attested::Organiser,
        });
    }
    let zone = jiff::tz::TimeZone::UTC;
    let minutes = |world: &World, year| -> Vec<Option<u32>> {
        let all = raccord_engine::volunteering(world.engine.state(), year, &zone);
        all.into_iter().map(|one| one.minutes).collect()
    };
    let told = minutes(&world, 2027);
    assert_eq!(
        told.len(),
        3,
        "her credits are of that day, and so are her hours"
    );
    assert_eq!(told.iter().flatten().sum::<u32>(), 8 * 60, "{told:?}");
    // What somebody noted counts, whatever else she did.
    world.order(Order::Attendance {
        registration: signed[1],
        came: Some(true),
        minutes: Some(120),
        by: Attested::Organiser,
    });
    let told = minutes(&world, 2027);
    assert_eq!(told.iter().flatten().sum::<u32>(), 10 * 60, "{told:?}");
}
