//! What people ask to be done in a chat, and what they are told there alone.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use raccord_engine::{
    Choice, Engine, Fact, Forgotten, Input, Order, Reply, SignUp, Telling, Who, decode_commit,
    slots_of,
};
use raccord_model::{
    Applied, Change, Class, ConnectorName, Context, Deed, Desired, Digest, EntityId, EntityKind,
    Guards, Handling, Lang, Line, Mode, Observation, Outcome, Payload, Place, Policy, Reading,
    Render, Rendered, Roundup, RoundupOf, Route, Rules, Saying, SinkRule, SourceRule, Subject, Tab,
    Verb, Way, When, Words,
};
use serde_json::{Value, json};

/// A chat that says what it is given in one line.
struct Chat;

fn titles(members: &[raccord_model::Entity]) -> String {
    let titles: Vec<String> = members
        .iter()
        .map(|one| {
            if one.kind == EntityKind::Person {
                return format!("({})", one.text("name"));
            }
            let people = one.fields.get("people").and_then(Value::as_array);
            match people.map_or(0, Vec::len) {
                0 => one.text("title").to_owned(),
                many => format!("{}:{many}", one.text("title")),
            }
        })
        .collect();
    titles.join(", ")
}

impl Render for Chat {
    fn render(&self, _: &ConnectorName, subject: Subject<'_>, context: &Context<'_>) -> Rendered {
        let text = match subject {
            Subject::Entity { entity, .. } if entity.kind == EntityKind::Activity => {
                format!("{} {}", entity.text("title"), entity.text("start"))
            }
            Subject::Saying { saying, .. } => match saying {
                Saying::Answer {
                    message,
                    said,
                    deed,
                    to,
                    members,
                } => {
                    let what = match (said, deed) {
                        (Some(said), _) => said.en.clone(),
                        (None, None) => message.text("ask").to_owned(),
                        (None, Some(Deed::On(_))) => "on".into(),
                        (None, Some(Deed::Waits(_, at))) => format!("waits {at}"),
                        (None, Some(Deed::Off(_))) => "off".into(),
                        (None, Some(Deed::Cannot(_, why))) => format!("cannot: {}", why.en),
                        (None, Some(Deed::Several(all))) => format!("which of {}", all.len()),
                        (None, Some(Deed::Told { way, likes, served })) => {
                            format!("told {way:?} {likes:?} {served}")
                        }
                        (None, Some(other)) => format!("{other:?}"),
                    };
                    let to = to.map(|to| format!(" -> {to}")).unwrap_or_default();
                    format!("{what}{to}: {}", titles(members))
                }
                Saying::Mine {
                    to,
                    registration,
                    subject,
                    before,
                    activity,
                    ..
                } => format!(
                    "{} -> {to}: {} {} ({})",
                    context.lang,
                    subject.text("title"),
                    registration.text("state"),
                    match before {
                        Some(before)
                            if before["start"] != activity.unwrap_or(subject).text("start") =>
                            "moved",
                        Some(_) => "changed",
                        None => "new",
                    }
                ),
                Saying::Liked { to, members } => {
                    let tasks: Vec<_> = members
                        .iter()
                        .filter(|one| one.kind == EntityKind::Task)
                        .cloned()
                        .collect();
                    if tasks.is_empty() {
                        return Rendered::Nothing;
                    }
                    format!("liked -> {to}: {}", titles(&tasks))
                }
                _ => return Rendered::Nothing,
            },
            _ => return Rendered::Nothing,
        };
        Rendered::Object(Desired {
            hash: Digest::of(text.as_bytes()),
            body: json!(text),
            text: Words::same(text.clone()),
            title: text,
            outdated: None,
        })
    }
}

fn rules() -> Rules {
    let handling = |entity, mode| Handling {
        entity,
        mode,
        class: Class::Address,
        settle_s: 60,
        grace_s: 300,
        policy: Policy::NeverTwice,
        read_back: false,
    };
    let chat = SinkRule {
        kind: "chat".into(),
        version: String::new(),
        handles: vec![
            handling(EntityKind::Activity, Mode::Announce),
            handling(EntityKind::Person, Mode::Tell(Way::Chat)),
        ],
        parallel: 4,
        per_second: 0,
        settings: Digest::default(),
        target: Digest::default(),
        credentials: Digest::default(),
        around: false,
        approvers: [].into(),
    };
    let source = |kind: &str| SourceRule {
        kind: kind.into(),
        version: String::new(),
        every_s: 0,
        foreign: false,
        counts: false,
    };
    let route = |roundup| Route {
        to: "chat".parse().unwrap(),
        when: When::default(),
        channel: None,
        calendar: None,
        list: None,
        roundup,
        signup: Some("✅".into()),
        template: None,
        lang: None,
        grace_s: None,
        policy: None,
        authority: None,
        fields: BTreeMap::new(),
    };
    let weekly = Roundup {
        of: RoundupOf::Liked,
        at: vec!["thursday 18:00".parse().unwrap()],
    };
    Rules {
        place: Place {
            id: "lieu".parse().unwrap(),
            name: "Le lieu".into(),
            zone: "Europe/Paris".into(),
            lang: Lang::Fr,
            public_url: String::new(),
        },
        sources: [
            ("sheet".parse().unwrap(), source("spreadsheet")),
            ("chat".parse().unwrap(), source("chat")),
        ]
        .into(),
        sinks: [("chat".parse().unwrap(), chat)].into(),
        recipes: Vec::new(),
        routes: vec![route(None), route(Some(weekly))],
        guards: Guards {
            second_look_s: 0,
            ..Guards::default()
        },
    }
}

/// A place that is played: what its chat heard, in order.
struct Play {
    engine: Engine,
    now: Timestamp,
    heard: Vec<String>,
    facts: Vec<Fact>,
    slots: Vec<(String, String)>,
    asked: u32,
    read: u32,
}

impl Play {
    /// Friday, 15 January 2027, in the morning: a concert tomorrow with two tasks, and one in two
    /// weeks.
    fn new() -> Self {
        let mut play = Self {
            engine: Engine::new(),
            now: "2027-01-15T08:00:00Z".parse().unwrap(),
            heard: Vec::new(),
            facts: Vec::new(),
            slots: Vec::new(),
            asked: 0,
            read: 0,
        };
        play.take(Input::Configure(Box::new(rules())));
        play.take(Input::Observed {
            source: "chat".parse().unwrap(),
            seen: Ok(Observation::Unchanged { cursor: None }),
        });
        play.sheet("2027-01-16T20:30", 1);
        play.wait(MINUTE * 6);
        play.heard.clear();
        play
    }

    fn sheet(&mut self, start: &str, bar: u32) {
        self.read += 1;
        let lines = [
            (
                EntityKind::Activity,
                json!({ "title": "Concert", "start": start }),
            ),
            (
                EntityKind::Task,
                json!({ "title": "Tenir le bar", "kind": "bar", "of": "Concert", "capacity": bar, "due": start }),
            ),
            (
                EntityKind::Task,
                json!({ "title": "Accueil", "of": "Concert", "due": start }),
            ),
            (
                EntityKind::Activity,
                json!({ "title": "Bal", "start": "2027-01-31T21:00" }),
            ),
            (
                EntityKind::Task,
                json!({ "title": "Le bar du bal", "kind": "bar", "of": "Bal", "due": "2027-01-31T21:00" }),
            ),
        ];
        let line = |(row, (kind, fields)): (usize, &(EntityKind, Value))| {
            let fields: raccord_model::Fields = serde_json::from_value(fields.clone()).unwrap();
            let mut line = Line::new(*kind, 0, u32::try_from(row + 2).unwrap(), &fields);
            line.native = Some(format!("{row}"));
            line
        };
        let reading = Reading {
            digest: Digest::of(&self.read.to_be_bytes()),
            tabs: vec![Tab::default()],
            lines: lines.iter().enumerate().map(line).collect(),
            ..Reading::default()
        };
        self.take(Input::Observed {
            source: "sheet".parse().unwrap(),
            seen: Ok(Observation::Complete(reading)),
        });
    }

    fn take(&mut self, input: Input) -> Reply {
        let mut inputs = vec![input];
        let mut first = None;
        loop {
            let seed = Digest::of(&self.facts.len().to_be_bytes()).0;
            let step = self.engine.step(inputs, self.now, seed, &Chat);
            first = first.or_else(|| step.replies.first().cloned());
            inputs = Vec::new();
            self.slots.extend(step.slots);
            if let Some(commit) = &step.commit {
                self.facts.extend(decode_commit(commit).unwrap());
            }
            for work in step.work {
                for item in work.items {
                    let Payload::Write { desired, link, .. } = &item.payload else {
                        panic!("{item:?}");
                    };
                    self.heard.push(desired.title.clone());
                    let external = link.as_ref().map(|link| link.external.clone());
                    let outcome = Outcome::Done(Applied {
                        external: external.unwrap_or_else(|| format!("!r {}", desired.title)),
                        tag: None,
                        url: None,
                    });
                    inputs.push(Input::Outcome {
                        connector: work.connector.clone(),
                        family: work.family,
                        delivery: item.delivery,
                        outcome,
                    });
                }
            }
            if inputs.is_empty() {
                return first.unwrap();
            }
        }
    }

    /// What is heard next.
    fn now_heard(&mut self) -> Vec<String> {
        std::mem::take(&mut self.heard)
    }

    fn wait(&mut self, time: SignedDuration) {
        let until = self.now + time;
        while let Some(at) = self.engine.wake().filter(|at| *at <= until) {
            self.now = at.max(self.now + SignedDuration::from_millis(1));
            self.take(Input::Tick);
        }
        self.now = until;
        self.take(Input::Tick);
    }

    fn hears(&mut self, change: Change) {
        self.take(Input::Observed {
            source: "chat".parse().unwrap(),
            seen: Ok(Observation::Changes {
                changes: vec![change],
                cursor: None,
            }),
        });
    }

    fn change(verb: Verb, id: &str, subject: &str, fields: &Value) -> Change {
        Change {
            sender: "chat".into(),
            id: id.into(),
            kind: EntityKind::Message,
            verb,
            subject: subject.into(),
            fields: serde_json::from_value(fields.clone()).unwrap(),
            correlation: None,
            causation: None,
            hops: 0,
            trace: None,
        }
    }

    /// Somebody writes `ask words`; what is answered.
    fn asks(&mut self, author: &str, ask: &str, words: &str) -> String {
        self.asked += 1;
        let fields = json!({
            "channel": "!r", "author": author, "ask": ask, "words": words,
            "thread": format!("$q{}", self.asked), "sent": self.now.to_string(),
        });
        let name = format!("!r $q{}", self.asked);
        self.hears(Self::change(Verb::Created, &name, &name, &fields));
        self.now_heard().join(" | ")
    }

    /// Who reacted to the concert's announcement now; what is said to whom.
    fn react(&mut self, announcement: &str, who: &Value) -> Vec<String> {
        self.asked += 1;
        let fields = json!({ "channel": "!r", "reacted": who });
        let id = format!("!r r{}", self.asked);
        let subject = format!("!r {announcement}");
        self.hears(Self::change(Verb::Updated, &id, &subject, &fields));
        self.now_heard()
    }

    fn code(&mut self, email: &str) -> String {
        let who = Who {
            email: email.into(),
            name: email.split('@').next().unwrap().to_owned(),
            ..Who::default()
        };
        match self.take(Input::Order(Order::Code(Box::new(who)))) {
            Reply::Code { code, .. } => code,
            other => panic!("{other:?}"),
        }
    }

    /// Somebody becomes known.
    fn knows(&mut self, id: &str, email: &str) {
        let code = self.code(email);
        assert_eq!(self.asks(id, "me", &code), "Known: ");
    }

    fn choose(&mut self, email: &str, choice: Choice) -> Reply {
        let who = Who {
            email: email.into(),
            ..Who::default()
        };
        self.take(Input::Order(Order::Choose(Box::new(Choice {
            who,
            ..choice
        }))))
    }

    fn id_of(&self, title: &str) -> EntityId {
        let state = self.engine.state();
        let named = |id: &&EntityId| {
            let entity = state.entity(**id).unwrap();
            entity.text("title") == title
        };
        *state.entities.keys().find(named).unwrap()
    }

    fn restart(&mut self) {
        let mut engine = Engine::from_snapshot(&self.engine.snapshot()).unwrap();
        engine.remember(self.slots.iter().cloned());
        engine.start();
        self.engine = engine;
        self.take(Input::Tick);
    }

    fn registrations(&self) -> Vec<String> {
        let state = self.engine.state();
        let all = state.entities.iter();
        let all = all.filter(|(_, record)| record.kind == EntityKind::Registration);
        all.map(|(_, record)| record.fields()["state"].as_str().unwrap().to_owned())
            .collect()
    }
}

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);
const CONCERT: &str = "Concert 2027-01-16T20:30";

#[test]
fn who_is_known_signs_up_for_what_they_name_and_off_again() {
    let mut play = Play::new();
    assert_eq!(play.asks("@ana:x", "signup", "bar samedi"), "Stranger: ");
    assert!(play.registrations().is_empty());
    play.knows("@ana:x", "ana@example.org");
    assert_eq!(
        play.asks("@ana:x", "signup", "bar samedi"),
        "on: Concert, Tenir le bar:1"
    );
    // Said again, it is the same sign-up.
    assert_eq!(
        play.asks("@ana:x", "signup", "bar samedi"),
        "on: Concert, Tenir le bar:1"
    );
    assert_eq!(play.registrations(), ["registered"]);
    play.knows("@bob:x", "bob@example.org");
    assert_eq!(
        play.asks("@bob:x", "signup", "tenir bar"),
        "waits 1: Concert, Tenir le bar:1"
    );
    assert_eq!(
        play.asks("@ana:x", "signoff", "bar"),
        "off: Concert, Tenir le bar:1",
        "whoever waits has the place"
    );
    assert_eq!(
        play.asks("@ana:x", "signoff", "bar"),
        "Nothing: Concert, Bal, Tenir le bar:1, Accueil, Le bar du bal"
    );
    assert_eq!(play.asks("@ana:x", "signoff", ""), "Unsaid: ");
    play.wait(MINUTE * 10);
    assert_eq!(play.now_heard(), [""; 0], "nobody chose to be told alone");
}

#[test]
fn several_that_fit_are_asked_back_and_one_is_named_by_its_id() {
    let mut play = Play::new();
    play.knows("@ana:x", "ana@example.org");
    assert_eq!(
        play.asks("@ana:x", "signup", "bar"),
        "which of 2: Concert, Bal, Tenir le bar, Le bar du bal"
    );
    assert_eq!(
        play.asks("@ana:x", "signup", "concert"),
        "which of 3: Concert, Accueil, Tenir le bar"
    );
    assert!(
        play.asks("@ana:x", "signup", "cuisine")
            .starts_with("Nothing: ")
    );
    assert!(play.registrations().is_empty());
    let short = play.id_of("Concert").to_string()[..8].to_owned();
    assert_eq!(play.asks("@ana:x", "signup", &short), "on: Concert");
    // A list of what there is, without a word more.
    assert_eq!(
        play.asks("@lou:x", "signup", ""),
        "signup: Concert:1, Bal, Tenir le bar, Accueil, Le bar du bal"
    );
}

#[test]
fn a_question_that_is_read_twice_or_late_signs_up_once() {
    let mut play = Play::new();
    play.knows("@ana:x", "ana@example.org");
    let sent = (play.now - SignedDuration::from_hours(5)).to_string();
    let fields = json!({
        "channel": "!r", "author": "@ana:x", "ask": "signup", "words": "accueil",
        "thread": "$old", "sent": sent,
    });
    let change = Play::change(Verb::Created, "!r $old", "!r $old", &fields);
    for _ in 0..3 {
        play.hears(change.clone());
        play.restart();
    }
    assert_eq!(play.now_heard(), ["on: Concert, Accueil:1"]);
    assert_eq!(play.registrations(), ["registered"]);
}

#[test]
fn who_is_on_what_names_those_only_who_agreed() {
    let mut play = Play::new();
    for (name, shown) in [("ana", Some(true)), ("bob", None), ("cleo", Some(false))] {
        let who = Who {
            email: format!("{name}@example.org"),
            name: name.to_owned(),
            shown,
            lang: None,
        };
        let asked = SignUp {
            subject: play.id_of(if name == "ana" {
                "Tenir le bar"
            } else {
                "Concert"
            }),
            who,
            places: 1,
            comment: String::new(),
        };
        play.take(Input::Order(Order::SignUp(Box::new(asked))));
    }
    assert_eq!(
        play.asks("@lou:x", "who", ""),
        "who: Concert:2, Bal, Tenir le bar:1, Accueil, Le bar du bal, (ana)"
    );
}

#[test]
fn a_code_is_good_once_for_a_day_and_moves_an_account_to_who_said_it() {
    let mut play = Play::new();
    let code = play.code("ana@example.org");
    let old = play.code("bob@example.org");
    let log = format!("{:?}", play.facts);
    assert!(!log.contains(&code) && !log.contains(&code.replace('-', "")));
    play.restart();
    assert_eq!(play.asks("@x:x", "me", "0000-0000"), "WrongCode: ");
    assert_eq!(
        play.asks("@x:x", "me", &code.to_lowercase().replace('-', " ")),
        "Known: "
    );
    assert_eq!(play.asks("@y:x", "me", &code), "WrongCode: ", "used");
    assert_eq!(play.asks("@x:x", "me", ""), "Known: ");
    assert_eq!(play.asks("@y:x", "me", ""), "Stranger: ");
    play.wait(DAY);
    play.now_heard();
    assert_eq!(play.asks("@y:x", "me", &old), "WrongCode: ", "too old");
    // The account is somebody else's now: what it signs up for is theirs.
    play.knows("@x:x", "bob@example.org");
    play.asks("@x:x", "signup", "bal");
    let known = play.engine.state().entities.iter();
    let known = known.filter(|(_, record)| {
        record.kind == EntityKind::Person && record.fields().contains_key("identities")
    });
    assert_eq!(known.count(), 1);
}

#[test]
fn a_reaction_signs_up_and_taken_back_signs_off_and_each_is_answered_alone() {
    let mut play = Play::new();
    play.knows("@ana:x", "ana@example.org");
    let both = json!({ "✅": ["@ana:x", "@lou:x"], "👍": ["@ana:x"] });
    let mut said = play.react(CONCERT, &both);
    said.sort();
    assert_eq!(said, ["Stranger -> @lou:x: ", "on -> @ana:x: Concert"]);
    assert_eq!(play.react(CONCERT, &both), [""; 0], "nothing new");
    play.restart();
    assert_eq!(play.react(CONCERT, &both), [""; 0]);
    assert_eq!(play.registrations(), ["registered"]);
    let one = json!({ "✅": ["@lou:x"], "👍": ["@ana:x"] });
    assert_eq!(play.react(CONCERT, &one), [""; 0]);
    assert_eq!(play.registrations(), ["cancelled"]);
    let again = play.react(CONCERT, &both);
    assert_eq!(again, ["on -> @ana:x: Concert"]);
    // Of what is no announcement of ours nothing follows.
    assert_eq!(
        play.react("elsewhere", &json!({ "✅": ["@ana:x"] })),
        [""; 0]
    );
    assert_eq!(play.registrations(), ["registered"]);
    let log = serde_json::to_string(&play.facts).unwrap();
    assert!(!log.contains("@lou:x"), "ids of people stay beside the log");
}

#[test]
fn whoever_chose_the_chat_is_told_there_what_concerns_them_and_nothing_twice() {
    let mut play = Play::new();
    play.knows("@ana:x", "ana@example.org");
    play.knows("@bob:x", "bob@example.org");
    play.asks("@ana:x", "signup", "accueil");
    assert_eq!(
        play.asks("@ana:x", "tell", "chat"),
        "told Some(Chat) [] true: "
    );
    play.wait(MINUTE * 10);
    assert_eq!(play.now_heard(), [""; 0], "they know how it stands");
    // Signed up elsewhere: told once, in their language.
    let who = Who {
        email: "ana@example.org".into(),
        lang: Some(Lang::En),
        ..Who::default()
    };
    let asked = SignUp {
        subject: play.id_of("Concert"),
        who,
        places: 1,
        comment: String::new(),
    };
    play.take(Input::Order(Order::SignUp(Box::new(asked))));
    play.wait(MINUTE * 10);
    assert_eq!(play.now_heard(), ["en -> @ana:x: Concert registered (new)"]);
    // Two changes within the grace are one message for each sign-up; who chose nothing hears nothing.
    play.sheet("2027-01-16T21:00", 1);
    play.wait(MINUTE * 2);
    play.restart();
    play.sheet("2027-01-16T22:00", 1);
    play.wait(MINUTE * 10);
    let mut said = play.now_heard();
    said.retain(|text| text.contains("->"));
    said.sort();
    assert_eq!(
        said,
        [
            "en -> @ana:x: Accueil registered (moved)",
            "en -> @ana:x: Concert registered (moved)"
        ]
    );
    assert!(
        play.asks("@ana:x", "tell", "rien")
            .starts_with("told None [] false")
    );
    play.sheet("2027-01-16T21:00", 1);
    play.wait(MINUTE * 10);
    let mut said = play.now_heard();
    said.retain(|text| text.contains("->"));
    assert_eq!(said, [""; 0]);
    assert_eq!(play.asks("@ana:x", "tell", "pigeon"), "NoWay: ");
    assert_eq!(play.asks("@new:x", "tell", "chat"), "Stranger: ");
}

#[test]
fn a_place_that_became_free_is_told_to_whoever_waited_for_it() {
    let mut play = Play::new();
    play.knows("@ana:x", "ana@example.org");
    play.knows("@bob:x", "bob@example.org");
    play.asks("@bob:x", "tell", "ici");
    play.asks("@ana:x", "signup", "bar samedi");
    assert!(
        play.asks("@bob:x", "signup", "bar samedi")
            .starts_with("waits 1")
    );
    play.asks("@ana:x", "signoff", "bar");
    play.wait(MINUTE * 10);
    assert_eq!(
        play.now_heard(),
        ["fr -> @bob:x: Tenir le bar registered (changed)"]
    );
}

#[test]
fn hands_missing_in_what_somebody_likes_are_told_once_a_week_at_most() {
    let mut play = Play::new();
    play.knows("@ana:x", "ana@example.org");
    play.knows("@bob:x", "bob@example.org");
    assert_eq!(
        play.asks("@ana:x", "tell", "chat bar, cuisine"),
        "told Some(Chat) [\"bar\", \"cuisine\"] true: "
    );
    play.asks("@bob:x", "tell", "chat");
    play.wait(DAY * 7);
    // Thursday, 21 January: the concert is over.
    assert_eq!(play.now_heard(), ["liked -> @ana:x: Le bar du bal"]);
    // Another hour of the week is set: nobody hears twice within seven days.
    let mut other = rules();
    other.routes[1].roundup = Some(Roundup {
        of: RoundupOf::Liked,
        at: vec!["friday 12:00".parse().unwrap()],
    });
    play.take(Input::Configure(Box::new(other)));
    play.wait(DAY * 3);
    play.restart();
    play.wait(DAY * 5);
    assert_eq!(play.now_heard(), ["liked -> @ana:x: Le bar du bal"]);
    // Who is on it need not be asked.
    play.asks("@ana:x", "signup", "bar bal");
    play.wait(DAY * 10);
    assert_eq!(play.now_heard(), [""; 0]);
}

#[test]
fn a_choice_made_on_a_page_is_kept_and_a_number_must_be_one() {
    let mut play = Play::new();
    play.knows("@ana:x", "ana@example.org");
    let choice = Choice {
        told: Some(Telling::By(Way::Sms)),
        likes: Some(vec!["  bar ".into(), String::new()]),
        phone: Some("+262 692 12 34 56".into()),
        ..Choice::default()
    };
    assert_eq!(play.choose("ana@example.org", choice), Reply::Taken);
    assert_eq!(
        play.asks("@ana:x", "tell", ""),
        "told Some(Sms) [\"bar\"] false: ",
        "nothing here sends short messages"
    );
    let wrong = Choice {
        phone: Some("call me".into()),
        ..Choice::default()
    };
    let reply = play.choose("ana@example.org", wrong);
    assert!(matches!(reply, Reply::Cannot(_)), "{reply:?}");
    let log = serde_json::to_string(&play.facts).unwrap();
    assert!(!log.contains("692 12"));
}

/// Everybody whose address this is was forgotten.
#[derive(Debug)]
struct Only(&'static str);

impl Forgotten for Only {
    fn has(&self, value: &str) -> bool {
        value == self.0
    }
}

#[test]
fn whoever_is_forgotten_is_known_in_no_chat_any_more() {
    let mut play = Play::new();
    play.knows("@canary:x", "canary@example.org");
    play.knows("@bob:x", "bob@example.org");
    play.asks("@canary:x", "tell", "chat");
    play.react(CONCERT, &json!({ "✅": ["@canary:x", "@bob:x"] }));
    let slots = slots_of(&play.engine, "canary@example.org");
    play.engine
        .refuse(std::sync::Arc::new(Only("canary@example.org")));
    play.take(Input::Order(Order::Forget));
    play.engine.empty(slots.iter().map(String::as_str));
    play.slots.retain(|(slot, _)| !slots.contains(slot));
    let left = format!("{:?}", play.slots);
    assert!(!left.contains("canary"), "{left}");
    play.restart();
    play.now_heard();
    assert_eq!(play.asks("@canary:x", "me", ""), "Stranger: ");
    // Whoever reacted as well is not signed up anew, nor told again.
    let said = play.react(CONCERT, &json!({ "✅": ["@bob:x"] }));
    assert_eq!(said, [""; 0]);
}
