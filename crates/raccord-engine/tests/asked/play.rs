//! A place with a chat, played in time that is given.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use raccord_engine::{Choice, Engine, Fact, Input, Order, Reply, SignUp, Who, decode_commit};
use raccord_model::{
    Applied, Change, Class, ConnectorName, Context, Deed, Desired, Digest, EntityId, EntityKind,
    Guards, Handling, Lang, Line, Mode, Observation, Outcome, Payload, Place, Policy, Reading,
    Render, Rendered, Roundup, RoundupOf, Route, Rules, Saying, SinkRule, SourceRule, Subject, Tab,
    Verb, Way, When, Words,
};
use serde_json::{Value, json};

pub(crate) const MINUTE: SignedDuration = SignedDuration::from_mins(1);
pub(crate) const DAY: SignedDuration = SignedDuration::from_hours(24);
pub(crate) const CONCERT: &str = "Concert 2027-01-16T20:30";

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

pub(crate) fn rules() -> Rules {
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

/// A concert with two tasks, and a ball with one.
fn programme() -> Vec<(EntityKind, Value)> {
    let (concert, ball) = ("2027-01-16T20:30", "2027-01-31T21:00");
    vec![
        (
            EntityKind::Activity,
            json!({ "title": "Concert", "start": concert }),
        ),
        (
            EntityKind::Task,
            json!({ "title": "Tenir le bar", "kind": "bar", "of": "Concert", "capacity": 1, "due": concert }),
        ),
        (
            EntityKind::Task,
            json!({ "title": "Accueil", "of": "Concert", "due": concert }),
        ),
        (
            EntityKind::Activity,
            json!({ "title": "Bal", "start": ball }),
        ),
        (
            EntityKind::Task,
            json!({ "title": "Le bar du bal", "kind": "bar", "of": "Bal", "due": ball }),
        ),
    ]
}

/// A place that is played: what its chat heard, in order.
pub(crate) struct Play {
    pub(crate) engine: Engine,
    pub(crate) now: Timestamp,
    pub(crate) heard: Vec<String>,
    pub(crate) facts: Vec<Fact>,
    pub(crate) slots: Vec<(String, String)>,
    asked: u32,
    read: u32,
}

impl Play {
    /// Friday, 15 January 2027, in the morning: a concert tomorrow with two tasks, and one in two
    /// weeks.
    pub(crate) fn new() -> Self {
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

    /// The concert starts then, and its bar wants so many.
    pub(crate) fn sheet(&mut self, start: &str, bar: u32) {
        let mut lines = programme();
        lines[0].1["start"] = json!(start);
        for task in &mut lines[1..3] {
            task.1["due"] = json!(start);
        }
        lines[1].1["capacity"] = json!(bar);
        self.reads(&lines);
    }

    /// The sheet as it was at first, but for one cell.
    pub(crate) fn line_says(&mut self, title: &str, name: &str, value: &str) {
        let mut lines = programme();
        let line = lines.iter_mut().find(|(_, line)| line["title"] == title);
        line.unwrap().1[name] = json!(value);
        self.reads(&lines);
    }

    /// A task of the sheet is of another activity now.
    pub(crate) fn moved(&mut self, task: &str, activity: &str) {
        self.line_says(task, "of", activity);
    }

    fn reads(&mut self, lines: &[(EntityKind, Value)]) {
        self.read += 1;
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

    /// Somebody signs up on a page.
    pub(crate) fn sign_up(&mut self, email: &str, subject: EntityId) -> Reply {
        let who = Who {
            email: email.into(),
            ..Who::default()
        };
        self.take(Input::Order(Order::SignUp(Box::new(SignUp {
            subject,
            who,
            places: 1,
            comment: String::new(),
        }))))
    }

    /// What organisers are told on the console, in French.
    pub(crate) fn notices(&self) -> Vec<String> {
        let state = self.engine.state();
        let all = state.entities.iter();
        let all = all.filter(|(_, record)| record.kind == EntityKind::Notice);
        all.map(|(_, record)| record.fields()["text"]["fr"].to_string())
            .collect()
    }

    pub(crate) fn take(&mut self, input: Input) -> Reply {
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
    pub(crate) fn now_heard(&mut self) -> Vec<String> {
        std::mem::take(&mut self.heard)
    }

    pub(crate) fn wait(&mut self, time: SignedDuration) {
        let until = self.now + time;
        while let Some(at) = self.engine.wake().filter(|at| *at <= until) {
            self.now = at.max(self.now + SignedDuration::from_millis(1));
            self.take(Input::Tick);
        }
        self.now = until;
        self.take(Input::Tick);
    }

    pub(crate) fn hears(&mut self, change: Change) {
        self.take(Input::Observed {
            source: "chat".parse().unwrap(),
            seen: Ok(Observation::Changes {
                changes: vec![change],
                cursor: None,
            }),
        });
    }

    pub(crate) fn change(verb: Verb, id: &str, subject: &str, fields: &Value) -> Change {
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
    pub(crate) fn asks(&mut self, author: &str, ask: &str, words: &str) -> String {
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
    pub(crate) fn react(&mut self, announcement: &str, who: &Value) -> Vec<String> {
        self.asked += 1;
        let fields = json!({ "channel": "!r", "reacted": who });
        let id = format!("!r r{}", self.asked);
        let subject = format!("!r {announcement}");
        self.hears(Self::change(Verb::Updated, &id, &subject, &fields));
        self.now_heard()
    }

    pub(crate) fn code(&mut self, email: &str) -> String {
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
    pub(crate) fn knows(&mut self, id: &str, email: &str) {
        let code = self.code(email);
        assert_eq!(self.asks(id, "me", &code), "Known: ");
    }

    pub(crate) fn choose(&mut self, email: &str, choice: Choice) -> Reply {
        let who = Who {
            email: email.into(),
            ..Who::default()
        };
        self.take(Input::Order(Order::Choose(Box::new(Choice {
            who,
            ..choice
        }))))
    }

    pub(crate) fn id_of(&self, title: &str) -> EntityId {
        let state = self.engine.state();
        let named = |id: &&EntityId| {
            let entity = state.entity(**id).unwrap();
            entity.text("title") == title
        };
        *state.entities.keys().find(named).unwrap()
    }

    pub(crate) fn restart(&mut self) {
        let mut engine = Engine::from_snapshot(&self.engine.snapshot()).unwrap();
        engine.remember(self.slots.iter().cloned());
        engine.start();
        self.engine = engine;
        self.take(Input::Tick);
    }

    pub(crate) fn registrations(&self) -> Vec<String> {
        let state = self.engine.state();
        let all = state.entities.iter();
        let all = all.filter(|(_, record)| record.kind == EntityKind::Registration);
        all.map(|(_, record)| record.fields()["state"].as_str().unwrap().to_owned())
            .collect()
    }
}
