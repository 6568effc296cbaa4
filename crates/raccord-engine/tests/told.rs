//! How people are told by mail and by short message, and reminded the day before.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use jiff::civil::{DateTime, Time};
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use proptest::prelude::*;
use raccord_engine::{Choice, Engine, HoldKind, Input, Order, Reply, SignUp, Telling, Who};
use raccord_model::{
    Applied, Blame, Class, ConnectorName, Context, Desired, Digest, EntityId, EntityKind, Failure,
    Guards, Handling, Hour, Line, Mode, Observation, Outcome, Payload, Place, Policy, Reading,
    Render, Rendered, Roundup, RoundupOf, Route, Rules, Saying, SinkRule, SourceRule, Subject, Tab,
    Way, When, Words,
};
use serde_json::json;

/// Says in one line what it is given.
struct Plain;

impl Render for Plain {
    fn render(&self, sink: &ConnectorName, subject: Subject<'_>, _: &Context<'_>) -> Rendered {
        let text = match subject {
            Subject::Entity { entity, .. } if entity.kind == EntityKind::Registration => {
                if !matches!(entity.text("told"), "" | "mail") {
                    return Rendered::Nothing;
                }
                format!("mail {}", entity.text("state"))
            }
            Subject::Saying { saying, .. } => match saying {
                Saying::Mine {
                    to,
                    registration,
                    subject,
                    activity,
                    ..
                } => {
                    let what = activity.unwrap_or(subject);
                    format!(
                        "mine {to}: {} {} {} {}",
                        subject.text("title"),
                        registration.text("state"),
                        what.text("start"),
                        what.text("status"),
                    )
                }
                Saying::Reminder {
                    to,
                    name,
                    subject,
                    activity,
                } => format!(
                    "reminder {to} {name}: {} {}",
                    subject.text("title"),
                    activity.unwrap_or(subject).text("start")
                ),
                Saying::Liked { to, .. } => format!("liked {to}"),
                _ => return Rendered::Nothing,
            },
            _ => return Rendered::Nothing,
        };
        let title = format!("{sink} {text}");
        Rendered::Object(Desired {
            hash: Digest::of(title.as_bytes()),
            body: json!(title),
            text: Words::same(title.clone()),
            title,
            outdated: None,
        })
    }
}

fn rules(routes: Vec<Route>) -> Rules {
    let handling = |entity, mode, class, grace_s| Handling {
        entity,
        mode,
        class,
        settle_s: 60,
        grace_s,
        policy: Policy::NeverTwice,
        read_back: false,
    };
    let sink = |handles| SinkRule {
        kind: "any".into(),
        version: String::new(),
        handles,
        parallel: 4,
        per_second: 0,
        settings: Digest::default(),
        target: Digest::default(),
        credentials: Digest::default(),
        around: false,
        approvers: [].into(),
    };
    let person = |way, class| handling(EntityKind::Person, Mode::Tell(way), class, 300);
    let mails = vec![
        handling(EntityKind::Registration, Mode::Announce, Class::Blind, 0),
        person(Way::Mail, Class::Blind),
    ];
    Rules {
        place: Place {
            id: "lieu".parse().unwrap(),
            name: "Le lieu".into(),
            zone: "Europe/Paris".into(),
            lang: raccord_model::Lang::Fr,
            public_url: String::new(),
        },
        sources: [(
            "sheet".parse().unwrap(),
            SourceRule {
                kind: "spreadsheet".into(),
                version: String::new(),
                every_s: 0,
                foreign: false,
                counts: false,
            },
        )]
        .into(),
        sinks: [
            ("mail".parse().unwrap(), sink(mails)),
            (
                "sms".parse().unwrap(),
                sink(vec![person(Way::Sms, Class::Key)]),
            ),
        ]
        .into(),
        recipes: Vec::new(),
        routes,
        guards: Guards {
            second_look_s: 0,
            cancel_count: 1_000,
            change_count: 1_000,
            ..Guards::default()
        },
    }
}

fn route(to: &str, of: RoundupOf, at: &[&str]) -> Route {
    Route {
        to: to.parse().unwrap(),
        when: When::default(),
        channel: None,
        calendar: None,
        list: None,
        roundup: Some(Roundup {
            of,
            at: at
                .iter()
                .map(|hour| hour.parse::<Hour>().unwrap())
                .collect(),
        }),
        signup: None,
        template: None,
        lang: None,
        grace_s: None,
        policy: None,
        authority: None,
        fields: BTreeMap::new(),
    }
}

/// What a tool does with what it is given.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Good,
    /// It did it, and nobody knows.
    DoneUnknown,
    /// It did not, and nobody knows.
    LostUnknown,
    Later,
}

/// What was said, and how everything stood at that moment.
#[derive(Clone, Debug)]
struct Heard {
    at: Timestamp,
    text: String,
    starts: Vec<DateTime>,
    off: Vec<bool>,
    sign_ups: BTreeMap<EntityId, String>,
}

struct Play {
    engine: Engine,
    now: Timestamp,
    heard: Vec<Heard>,
    /// Deliveries whose answer was lost, and whether they were made.
    made: BTreeMap<raccord_model::DeliveryId, bool>,
    slots: Vec<(String, String)>,
    steps: u64,
    starts: Vec<DateTime>,
    off: Vec<bool>,
    fate: Fate,
}

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
const MONDAY: &str = "2027-01-11T08:00:00Z";

impl Play {
    fn new(starts: &[&str]) -> Self {
        Self::with(starts, Vec::new())
    }

    fn with(starts: &[&str], routes: Vec<Route>) -> Self {
        let mut play = Self {
            engine: Engine::new(),
            now: MONDAY.parse().unwrap(),
            heard: Vec::new(),
            made: BTreeMap::new(),
            slots: Vec::new(),
            steps: 0,
            starts: starts.iter().map(|start| start.parse().unwrap()).collect(),
            off: vec![false; starts.len()],
            fate: Fate::Good,
        };
        play.take(Input::Configure(Box::new(rules(routes))));
        play.read();
        play
    }

    fn read(&mut self) {
        let line = |(row, start): (usize, &DateTime)| {
            let start = start.strftime("%Y-%m-%dT%H:%M").to_string();
            let status = if self.off[row] {
                "cancelled"
            } else {
                "confirmed"
            };
            let fields = json!({
                "title": format!("A{row}"), "start": start, "status": status,
                "capacity": 1 + u32::try_from(row % 2).unwrap() * 50,
            });
            let fields: raccord_model::Fields = serde_json::from_value(fields).unwrap();
            let mut line = Line::new(
                EntityKind::Activity,
                0,
                u32::try_from(row + 2).unwrap(),
                &fields,
            );
            line.native = Some(format!("{row}"));
            line
        };
        let reading = Reading {
            digest: Digest::of(&self.steps.to_be_bytes()),
            tabs: vec![Tab::default()],
            lines: self.starts.iter().enumerate().map(line).collect(),
            ..Reading::default()
        };
        self.take(Input::Observed {
            source: "sheet".parse().unwrap(),
            seen: Ok(Observation::Complete(reading)),
        });
    }

    fn take(&mut self, input: Input) -> Option<Reply> {
        let mut inputs = vec![input];
        let mut first = None;
        loop {
            self.steps += 1;
            let seed = Digest::of(&self.steps.to_be_bytes()).0;
            let step = self.engine.step(inputs, self.now, seed, &Plain);
            first = first.or_else(|| step.replies.first().cloned());
            inputs = Vec::new();
            self.slots.extend(step.slots);
            for work in step.work {
                for item in work.items {
                    let desired = match &item.payload {
                        Payload::Write { desired, .. } => desired,
                        // What was sent stays sent.
                        Payload::Remove { .. } => {
                            inputs.push(Input::Outcome {
                                connector: work.connector.clone(),
                                family: work.family,
                                delivery: item.delivery,
                                outcome: Outcome::Done(Applied::default()),
                            });
                            continue;
                        }
                        other => panic!("{other:?}"),
                    };
                    let known = self.made.get(&item.delivery) == Some(&true);
                    let makes = matches!(self.fate, Fate::Good | Fate::DoneUnknown);
                    // A short message is known by its id, however often it is asked for.
                    let again = known && item.class == Class::Key;
                    if makes && !again {
                        assert!(!known, "{} is made twice", desired.title);
                        let heard = self.hear(&desired.title);
                        self.heard.push(heard);
                    }
                    self.made.insert(item.delivery, makes || known);
                    let blame = match self.fate {
                        Fate::Good => None,
                        Fate::DoneUnknown | Fate::LostUnknown => Some(Blame::Unknown),
                        Fate::Later => Some(Blame::Transient),
                    };
                    let outcome = match blame {
                        None => Outcome::Done(Applied {
                            external: desired.title.clone(),
                            tag: None,
                            url: None,
                        }),
                        Some(blame) => Outcome::Failed(Failure::new(
                            blame,
                            "played",
                            Words::same("played"),
                            Words::same("played"),
                        )),
                    };
                    inputs.push(Input::Outcome {
                        connector: work.connector.clone(),
                        family: work.family,
                        delivery: item.delivery,
                        outcome,
                    });
                }
            }
            if inputs.is_empty() {
                return first;
            }
        }
    }

    fn hear(&self, text: &str) -> Heard {
        let state = self.engine.state();
        let all = state.entities.iter();
        let sign_ups = all.filter(|(_, record)| record.kind == EntityKind::Registration);
        Heard {
            at: self.now,
            text: text.to_owned(),
            starts: self.starts.clone(),
            off: self.off.clone(),
            sign_ups: sign_ups
                .map(|(&id, record)| (id, record.fields()["state"].as_str().unwrap().to_owned()))
                .collect(),
        }
    }

    fn until(&mut self, until: Timestamp) {
        while let Some(at) = self.engine.wake().filter(|at| *at <= until) {
            self.now = at.max(self.now + SignedDuration::from_millis(1));
            self.take(Input::Tick);
        }
        self.now = until.max(self.now);
        self.take(Input::Tick);
    }

    fn wait(&mut self, time: SignedDuration) {
        self.until(self.now + time);
    }

    /// Until a civil hour of the place.
    fn at(&mut self, civil: &str) {
        let zone = jiff::tz::TimeZone::get("Europe/Paris").unwrap();
        let civil: DateTime = civil.parse().unwrap();
        self.until(zone.to_timestamp(civil).unwrap());
    }

    fn civil(at: Timestamp) -> DateTime {
        let zone = jiff::tz::TimeZone::get("Europe/Paris").unwrap();
        zone.to_datetime(at)
    }

    fn moves(&mut self, row: usize, start: &str) {
        self.starts[row] = start.parse().unwrap();
        self.read();
    }

    fn calls_off(&mut self, row: usize, off: bool) {
        self.off[row] = off;
        self.read();
    }

    fn activity(&self, row: usize) -> EntityId {
        let title = format!("A{row}");
        let state = self.engine.state();
        let mut all = state.entities.keys();
        *all.find(|id| state.entity(**id).unwrap().text("title") == title)
            .unwrap()
    }

    fn who(name: &str) -> Who {
        Who {
            email: format!("{name}@example.org"),
            name: name.to_owned(),
            ..Who::default()
        }
    }

    fn signs_up(&mut self, name: &str, row: usize) -> EntityId {
        let asked = SignUp {
            subject: self.activity(row),
            who: Self::who(name),
            places: 1,
            comment: String::new(),
        };
        match self.take(Input::Order(Order::SignUp(Box::new(asked)))) {
            Some(Reply::SignedUp { registration, .. }) => registration,
            other => panic!("{other:?}"),
        }
    }

    fn chooses(&mut self, name: &str, told: Telling) {
        let choice = Choice {
            who: Self::who(name),
            told: Some(told),
            likes: Some(vec!["*".into()]),
            phone: (told == Telling::By(Way::Sms)).then(|| "+262692123456".into()),
        };
        self.take(Input::Order(Order::Choose(Box::new(choice))));
    }

    fn restart(&mut self) {
        let mut engine = Engine::from_snapshot(&self.engine.snapshot()).unwrap();
        engine.remember(self.slots.iter().cloned());
        engine.start();
        self.engine = engine;
        self.take(Input::Tick);
    }

    /// A person answers what nobody knows, by what was made.
    fn decides(&mut self) {
        let holds: Vec<_> = self.engine.state().holds.keys().copied().collect();
        for hold in holds {
            let Some(waiting) = self.engine.state().holds.get(&hold) else {
                continue;
            };
            let order = match &waiting.hold.what {
                HoldKind::Delivery { of } if self.made.get(&of.id) == Some(&true) => {
                    Order::Reject(hold)
                }
                _ => Order::Approve { hold, only: None },
            };
            self.take(Input::Order(order));
        }
    }

    fn said(&mut self) -> Vec<String> {
        let heard = std::mem::take(&mut self.heard);
        heard.into_iter().map(|heard| heard.text).collect()
    }

    fn reminders(&mut self) -> Vec<String> {
        let mut said = self.said();
        said.retain(|text| text.contains(" reminder "));
        said
    }
}

#[test]
fn who_signed_up_is_reminded_the_evening_before_by_mail_and_once() {
    let mut play = Play::new(&["2027-01-15T20:00", "2027-01-16T20:00"]);
    play.signs_up("ana", 0);
    play.signs_up("bob", 0);
    play.at("2027-01-14T17:59:00");
    assert_eq!(play.reminders(), [""; 0]);
    play.restart();
    play.at("2027-01-14T18:01:00");
    assert_eq!(
        play.reminders(),
        ["mail reminder ana@example.org ana: A0 2027-01-15T20:00"],
        "whoever waits for a place has nothing to be reminded of"
    );
    play.restart();
    play.at("2027-01-20T12:00:00");
    assert_eq!(play.reminders(), [""; 0]);
}

#[test]
fn each_is_reminded_in_the_way_they_chose_and_in_no_other() {
    let mut play = Play::new(&["2027-01-15T20:00", "2027-01-15T21:00"]);
    for name in ["ana", "bob", "cleo", "dan"] {
        play.signs_up(name, 1);
    }
    play.chooses("bob", Telling::By(Way::Sms));
    play.chooses("cleo", Telling::Nothing);
    play.chooses("dan", Telling::By(Way::Mail));
    play.at("2027-01-14T12:00:00");
    // The last word counts, also when it is owed already.
    play.chooses("ana", Telling::By(Way::Sms));
    play.at("2027-01-15T12:00:00");
    let mut said = play.reminders();
    said.sort();
    assert_eq!(
        said,
        [
            "mail reminder dan@example.org dan: A1 2027-01-15T21:00",
            "sms reminder +262692123456 ana: A1 2027-01-15T21:00",
            "sms reminder +262692123456 bob: A1 2027-01-15T21:00",
        ]
    );
}

#[test]
fn what_moved_away_was_called_off_or_is_not_theirs_any_more_is_not_reminded_of() {
    let starts = [
        "2027-01-13T20:00",
        "2027-01-15T20:00",
        "2027-01-15T21:00",
        "2027-01-15T22:00",
    ];
    let mut play = Play::new(&starts);
    play.signs_up("ana", 1);
    play.signs_up("bob", 2);
    let cleo = play.signs_up("cleo", 3);
    play.at("2027-01-14T12:00:00");
    play.moves(1, "2027-01-18T20:00");
    play.calls_off(2, true);
    play.take(Input::Order(Order::SignOff(cleo)));
    play.at("2027-01-16T12:00:00");
    assert_eq!(play.reminders(), [""; 0]);
    play.at("2027-01-18T12:00:00");
    assert_eq!(
        play.reminders(),
        ["mail reminder ana@example.org ana: A1 2027-01-18T20:00"],
        "on the eve of its new day"
    );
}

#[test]
fn whoever_signed_up_hours_before_remembers_and_nobody_is_reminded_late_at_night() {
    let mut play = Play::new(&["2027-01-13T20:00", "2027-01-12T20:00"]);
    play.at("2027-01-11T10:00:00");
    play.signs_up("ana", 1);
    play.at("2027-01-12T12:00:00");
    assert_eq!(play.reminders(), [""; 0]);
    // The tool is away from six to eleven.
    play.signs_up("bob", 0);
    let mut play = Play::new(&["2027-01-13T20:00"]);
    play.signs_up("ana", 0);
    play.at("2027-01-12T17:00:00");
    play.fate = Fate::Later;
    play.at("2027-01-12T23:00:00");
    play.fate = Fate::Good;
    play.at("2027-01-14T12:00:00");
    assert_eq!(play.reminders(), [""; 0]);
}

#[test]
fn a_route_says_another_hour_or_none() {
    let at = |hours: &[&str]| {
        let routes = vec![route("mail", RoundupOf::Reminder, hours)];
        let mut play = Play::with(&["2027-01-15T20:00"], routes);
        play.signs_up("ana", 0);
        play.at("2027-01-14T09:01:00");
        let morning = play.reminders().len();
        play.at("2027-01-16T09:00:00");
        (morning, play.reminders().len())
    };
    assert_eq!(at(&["09:00"]), (1, 0));
    assert_eq!(at(&["20:00"]), (0, 1));
    assert_eq!(at(&[]), (0, 0));
}

#[test]
fn a_reminder_whose_answer_was_lost_is_asked_about_and_no_other_follows() {
    let mut play = Play::new(&["2027-01-15T20:00"]);
    play.signs_up("ana", 0);
    play.at("2027-01-14T17:00:00");
    play.fate = Fate::DoneUnknown;
    play.at("2027-01-14T18:30:00");
    play.fate = Fate::Good;
    assert_eq!(play.reminders().len(), 1);
    play.moves(0, "2027-01-17T20:00");
    play.at("2027-01-16T21:00:00");
    assert_eq!(
        play.reminders(),
        [""; 0],
        "nobody said yet what became of it"
    );
    play.decides();
    play.at("2027-01-18T21:00:00");
    assert_eq!(play.reminders(), [""; 0]);
}

#[test]
fn who_chose_mail_is_told_of_a_sign_up_once_and_weekly_of_what_they_like() {
    let weekly = vec![
        route("mail", RoundupOf::Liked, &["thursday 12:00"]),
        route("sms", RoundupOf::Liked, &["thursday 12:00"]),
    ];
    let mut play = Play::with(&["2027-01-30T20:00", "2027-01-30T21:00"], weekly);
    play.chooses("ana", Telling::By(Way::Mail));
    play.chooses("bob", Telling::By(Way::Sms));
    play.signs_up("ana", 1);
    play.signs_up("bob", 1);
    play.wait(HOUR);
    assert_eq!(play.said(), ["mail mail registered"]);
    play.at("2027-01-15T12:00:00");
    assert_eq!(
        play.said(),
        ["mail liked ana@example.org"],
        "what can wait a week is no short message"
    );
}

#[test]
fn whoever_was_mailed_and_chooses_another_way_knows_what_they_were_told() {
    let mut play = Play::new(&["2027-01-30T20:00", "2027-01-30T21:00"]);
    play.chooses("ana", Telling::By(Way::Mail));
    play.signs_up("ana", 1);
    play.wait(HOUR);
    play.said();
    play.chooses("ana", Telling::By(Way::Sms));
    play.wait(HOUR);
    assert_eq!(play.said(), [""; 0]);
    play.calls_off(1, true);
    play.wait(HOUR);
    assert_eq!(
        play.said(),
        ["sms mine +262692123456: A1 registered 2027-01-30T21:00 cancelled"]
    );
}

#[test]
fn a_short_message_is_for_what_cannot_wait() {
    let mut play = Play::new(&["2027-01-20T20:00", "2027-01-25T20:00"]);
    play.chooses("ana", Telling::By(Way::Sms));
    play.signs_up("ana", 1);
    play.wait(HOUR);
    assert_eq!(play.said(), [""; 0], "they signed up themselves");
    // Another hour, two weeks ahead: said two days before, as it is then.
    play.moves(1, "2027-01-25T19:00");
    play.wait(HOUR);
    play.moves(1, "2027-01-25T18:00");
    play.restart();
    play.at("2027-01-23T17:59:00");
    assert_eq!(play.said(), [""; 0]);
    play.at("2027-01-23T18:10:00");
    assert_eq!(
        play.said(),
        ["sms mine +262692123456: A1 registered 2027-01-25T18:00 confirmed"]
    );
    // Called off: at once.
    play.calls_off(1, true);
    play.wait(MINUTE * 6);
    assert_eq!(
        play.said(),
        ["sms mine +262692123456: A1 registered 2027-01-25T18:00 cancelled"]
    );
    play.at("2027-01-26T12:00:00");
    assert_eq!(play.said(), [""; 0]);
}

#[test]
fn what_could_wait_and_is_then_called_off_is_said_at_once() {
    let mut play = Play::new(&["2027-01-20T20:00", "2027-01-25T20:00"]);
    play.chooses("ana", Telling::By(Way::Sms));
    play.signs_up("ana", 1);
    play.moves(1, "2027-01-25T19:00");
    play.wait(HOUR);
    assert_eq!(play.said(), [""; 0]);
    play.calls_off(1, true);
    play.wait(MINUTE * 6);
    assert_eq!(
        play.said(),
        ["sms mine +262692123456: A1 registered 2027-01-25T19:00 cancelled"]
    );
}

#[test]
fn what_is_moved_away_from_tomorrow_is_said_now() {
    let mut play = Play::new(&["2027-01-20T20:00", "2027-01-12T20:00"]);
    play.chooses("ana", Telling::By(Way::Sms));
    play.signs_up("ana", 1);
    play.wait(HOUR);
    play.moves(1, "2027-02-12T20:00");
    play.wait(MINUTE * 6);
    assert_eq!(
        play.said(),
        ["sms mine +262692123456: A1 registered 2027-02-12T20:00 confirmed"]
    );
}

#[test]
fn nobody_is_woken_for_what_can_wait_until_the_morning() {
    let mut play = Play::new(&["2027-01-20T20:00", "2027-01-14T20:00", "2027-01-14T09:00"]);
    play.chooses("ana", Telling::By(Way::Sms));
    play.chooses("bob", Telling::By(Way::Sms));
    play.signs_up("ana", 1);
    play.signs_up("bob", 2);
    play.at("2027-01-13T23:00:00");
    play.said();
    play.calls_off(1, true);
    play.calls_off(2, true);
    play.wait(MINUTE * 6);
    assert_eq!(
        play.said(),
        ["sms mine +262692123456: A2 registered 2027-01-14T09:00 cancelled"],
        "whoever would set out at eight is told at night"
    );
    play.at("2027-01-14T07:59:00");
    assert_eq!(play.said(), [""; 0]);
    play.at("2027-01-14T08:01:00");
    assert_eq!(
        play.said(),
        ["sms mine +262692123456: A1 registered 2027-01-14T20:00 cancelled"]
    );
}

#[test]
fn a_grace_or_an_outage_that_ends_at_night_wakes_nobody_either() {
    let cancelled = ["sms mine +262692123456: A1 registered 2027-01-14T20:00 cancelled"];
    for outage in [false, true] {
        let mut play = Play::new(&["2027-01-20T20:00", "2027-01-14T20:00"]);
        play.chooses("ana", Telling::By(Way::Sms));
        play.signs_up("ana", 1);
        play.at(if outage {
            "2027-01-13T20:40:00"
        } else {
            "2027-01-13T20:58:00"
        });
        play.said();
        if outage {
            play.fate = Fate::Later;
        }
        play.calls_off(1, true);
        play.at("2027-01-13T23:00:00");
        play.fate = Fate::Good;
        play.at("2027-01-14T07:59:00");
        assert_eq!(play.said(), [""; 0], "outage: {outage}");
        play.at("2027-01-14T08:31:00");
        assert_eq!(play.said(), cancelled, "outage: {outage}");
    }
}

#[test]
fn a_place_that_became_free_and_one_that_was_lost_are_told_at_once_and_ones_own_deeds_are_not() {
    let mut play = Play::new(&["2027-01-25T20:00"]);
    play.chooses("bob", Telling::By(Way::Sms));
    let ana = play.signs_up("ana", 0);
    let bob = play.signs_up("bob", 0);
    play.wait(HOUR);
    play.said();
    play.take(Input::Order(Order::SignOff(ana)));
    play.wait(MINUTE * 6);
    let said = play.said();
    assert!(
        said.contains(&"sms mine +262692123456: A0 registered 2027-01-25T20:00 confirmed".into()),
        "{said:?}"
    );
    play.take(Input::Order(Order::SignOff(bob)));
    play.wait(HOUR);
    assert_eq!(play.said(), [""; 0]);
}

#[test]
fn a_number_that_is_taken_back_leaves_none() {
    let mut play = Play::new(&["2027-01-25T20:00"]);
    play.chooses("ana", Telling::By(Way::Sms));
    let choice = Choice {
        who: Play::who("ana"),
        phone: Some(String::new()),
        ..Choice::default()
    };
    let reply = play.take(Input::Order(Order::Choose(Box::new(choice))));
    assert_eq!(reply, Some(Reply::Taken));
    let state = play.engine.state();
    let people = state.entities.values();
    let mut people = people.filter(|record| record.kind == EntityKind::Person);
    assert!(people.all(|record| !record.fields().contains_key("phone")));
}

#[derive(Clone, Debug)]
enum Act {
    SignUp(usize, usize),
    SignOff(usize),
    Move(usize, i64, i8),
    CallOff(usize, bool),
    Choose(usize, usize),
    Wait(i64),
    Fate(Fate),
    Restart,
    Decide,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => (0..4_usize, 0..3_usize).prop_map(|(who, row)| Act::SignUp(who, row)),
        1 => (0..8_usize).prop_map(Act::SignOff),
        3 => (0..3_usize, 0..6_i64, 0..24_i8).prop_map(|(row, day, hour)| Act::Move(row, day, hour)),
        1 => (0..3_usize, any::<bool>()).prop_map(|(row, off)| Act::CallOff(row, off)),
        1 => (0..4_usize, 0..4_usize).prop_map(|(who, way)| Act::Choose(who, way)),
        6 => (1..30_i64).prop_map(Act::Wait),
        2 => prop_oneof![
            3 => Just(Fate::Good),
            1 => Just(Fate::DoneUnknown),
            1 => Just(Fate::LostUnknown),
            1 => Just(Fate::Later),
        ].prop_map(Act::Fate),
        1 => Just(Act::Restart),
        1 => Just(Act::Decide),
    ];
    prop::collection::vec(act, 1..40)
}

const NAMES: [&str; 4] = ["ana", "bob", "cleo", "dan"];

/// Plays one act, and holds each reminder that was said against what was true at that moment.
fn play_act(play: &mut Play, act: &Act, all: &mut BTreeMap<(String, usize), EntityId>) {
    match act {
        Act::SignUp(who, row) if !play.off[*row] => {
            let subject = play.activity(*row);
            let asked = SignUp {
                subject,
                who: Play::who(NAMES[*who]),
                places: 1,
                comment: String::new(),
            };
            let reply = play.take(Input::Order(Order::SignUp(Box::new(asked))));
            if let Some(Reply::SignedUp { registration, .. }) = reply {
                all.insert((NAMES[*who].to_owned(), *row), registration);
            }
        }
        Act::SignUp(..) => {}
        Act::SignOff(which) => {
            if let Some(id) = all.values().nth(*which) {
                play.take(Input::Order(Order::SignOff(*id)));
            }
        }
        Act::Move(row, day, hour) => {
            let day = Play::civil(play.now).date() + day.days();
            play.starts[*row] = day.to_datetime(Time::constant(*hour, 0, 0, 0));
            play.read();
        }
        Act::CallOff(row, off) => play.calls_off(*row, *off),
        Act::Choose(who, way) => {
            let told = match way {
                0 | 3 => Telling::By(Way::Mail),
                1 => Telling::By(Way::Sms),
                _ => Telling::Nothing,
            };
            play.chooses(NAMES[*who], told);
        }
        Act::Wait(hours) => {
            for _ in 0..*hours {
                play.wait(HOUR);
                held_against_the_truth(play, all);
            }
        }
        Act::Fate(fate) => play.fate = *fate,
        Act::Restart => play.restart(),
        Act::Decide => play.decides(),
    }
    held_against_the_truth(play, all);
}

fn held_against_the_truth(play: &Play, all: &BTreeMap<(String, usize), EntityId>) {
    let mut often: BTreeMap<(String, usize), u32> = BTreeMap::new();
    let spoken = |heard: &&Heard| heard.text.contains(" reminder ");
    for heard in play.heard.iter().filter(spoken) {
        let (head, tail) = heard.text.split_once(": ").unwrap();
        let name = head.rsplit(' ').next().unwrap().to_owned();
        let (title, start) = tail.split_once(' ').unwrap();
        let row: usize = title[1..].parse().unwrap();
        let said = Play::civil(heard.at);
        let start: DateTime = start.parse().unwrap();
        assert!(said < start, "{} after it began", heard.text);
        assert_eq!(said.date().tomorrow().unwrap(), start.date(), "{heard:?}");
        assert!((18..=22).contains(&said.hour()), "{heard:?} at {said}");
        let times = often.entry((name.clone(), row)).or_default();
        *times += 1;
        assert_eq!(*times, 1, "{heard:?} twice");
        assert_eq!(heard.starts[row], start, "{}", heard.text);
        assert!(!heard.off[row], "{} was called off", heard.text);
        assert_eq!(heard.sign_ups[&all[&(name, row)]], "registered");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nobody_is_reminded_twice_nor_late_nor_of_what_is_not_so(acts in acts()) {
        let mut play = Play::new(&["2027-01-13T20:00", "2027-01-14T10:00", "2027-01-15T00:00"]);
        let mut all = BTreeMap::new();
        for act in &acts {
            play_act(&mut play, act, &mut all);
        }
    }
}

#[test]
fn a_reminder_that_may_have_been_heard_has_no_successor_on_another_day() {
    let mut play = Play::new(&["2027-01-13T20:00", "2027-01-14T10:00", "2027-01-15T00:00"]);
    let mut all = BTreeMap::new();
    for act in [
        Act::Choose(1, 1),
        Act::Fate(Fate::DoneUnknown),
        Act::Wait(28),
        Act::SignUp(1, 1),
        Act::Wait(29),
        Act::Move(1, 2, 0),
        Act::SignUp(0, 0),
        Act::Wait(25),
    ] {
        play_act(&mut play, &act, &mut all);
    }
}
