//! What another place offers: who gets it, how it leaves, and that it stays what its own place calls
//! it.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use raccord_engine::{Engine, Input};
use raccord_model::{
    Blame, Class, ConnectorName, Context, Desired, Digest, EntityId, EntityKind, Failure, Fields,
    Guards, Handling, Lang, Line, Mode, Observation, Period, Place, Policy, Reading, Recipe,
    Render, Rendered, Route, Rules, SinkRule, SourceRule, Status, Subject, TaskTemplate, When,
    Words,
};
use serde_json::{Value, json};

/// Remembers what each tool was last given to show.
#[derive(Default)]
struct World(RefCell<BTreeMap<(String, String), BTreeSet<String>>>);

impl Render for World {
    fn render(&self, sink: &ConnectorName, subject: Subject<'_>, _: &Context<'_>) -> Rendered {
        let (key, shown) = match subject {
            Subject::Publication { members, key, .. } => (
                key.to_owned(),
                members
                    .iter()
                    .map(|member| member.text("title").to_owned())
                    .collect(),
            ),
            Subject::Entity { entity, .. } => {
                let title = entity.text("title").to_owned();
                (entity.id.to_string(), BTreeSet::from([title]))
            }
            Subject::Saying { .. } => return Rendered::Nothing,
        };
        let hash = Digest::of(format!("{shown:?}").as_bytes());
        self.0.borrow_mut().insert((sink.to_string(), key), shown);
        Rendered::Object(Desired {
            outdated: None,
            hash,
            title: String::new(),
            text: Words::default(),
            body: Value::Null,
        })
    }
}

fn sink(kind: &str, mode: Mode, around: bool) -> SinkRule {
    SinkRule {
        kind: kind.into(),
        version: String::new(),
        handles: vec![Handling {
            entity: EntityKind::Activity,
            mode,
            class: Class::Address,
            settle_s: 0,
            grace_s: 0,
            policy: Policy::NeverLost,
            read_back: false,
        }],
        parallel: 1,
        per_second: 0,
        settings: Digest::default(),
        target: Digest::default(),
        credentials: Digest::default(),
        around,
        approvers: std::collections::BTreeSet::new(),
    }
}

fn route(to: &str, fields: &[(&str, &str)]) -> Route {
    let fields = fields.iter();
    let fields = fields.map(|(name, word)| ((*name).to_owned(), vec![(*word).to_owned()]));
    let when = When {
        entity: vec![EntityKind::Activity],
        fields: fields.collect(),
    };
    serde_json::from_value(json!({ "to": to, "when": when })).unwrap()
}

fn rules(routes: Vec<Route>) -> Rules {
    let source = |foreign| SourceRule {
        kind: "any".into(),
        version: String::new(),
        every_s: 60,
        foreign,
        counts: false,
    };
    let task = TaskTemplate {
        title: "Bar".into(),
        ..TaskTemplate::default()
    };
    Rules {
        place: Place {
            id: "lieu".parse().unwrap(),
            name: "Le lieu".into(),
            zone: "Europe/Paris".into(),
            lang: Lang::Fr,
            public_url: String::new(),
        },
        sources: BTreeMap::from([
            ("sheet".parse().unwrap(), source(false)),
            ("jardin".parse().unwrap(), source(true)),
        ]),
        sinks: BTreeMap::from([
            (
                "site".parse().unwrap(),
                sink("website", Mode::Publication(Period::All), true),
            ),
            (
                "paper".parse().unwrap(),
                sink("programme", Mode::Publication(Period::Month), false),
            ),
            (
                "agenda".parse().unwrap(),
                sink("calendar", Mode::Mirror, false),
            ),
            ("hook".parse().unwrap(), sink("webhook", Mode::Each, false)),
        ]),
        recipes: vec![Recipe {
            when: When::default(),
            tasks: vec![task],
        }],
        routes,
        guards: Guards::default(),
    }
}

struct Desk {
    engine: Engine,
    world: World,
    now: Timestamp,
}

impl Desk {
    fn new(routes: Vec<Route>) -> Self {
        let mut desk = Self {
            engine: Engine::new(),
            world: World::default(),
            now: "2027-01-02T08:00:00Z".parse().unwrap(),
        };
        desk.configure(rules(routes));
        desk
    }

    fn configure(&mut self, rules: Rules) {
        self.step(Input::Configure(Box::new(rules)));
    }

    fn step(&mut self, input: Input) {
        self.now += SignedDuration::from_mins(5);
        self.engine
            .step(vec![input], self.now, [7; 16], &self.world);
    }

    fn seen(&mut self, source: &str, seen: Result<Observation, Failure>) {
        self.step(Input::Observed {
            source: source.parse().unwrap(),
            seen,
        });
    }

    fn sheet(&mut self) {
        let fields = json!({ "title": "Chorale", "start": "2027-01-09T20:30", "kind": "Concert" });
        let fields: Fields = serde_json::from_value(fields).unwrap();
        let reading = Reading {
            digest: Digest::of(b"sheet"),
            lines: vec![Line::new(EntityKind::Activity, 0, 2, &fields)],
            ..Reading::default()
        };
        self.seen("sheet", Ok(Observation::Complete(reading)));
    }

    /// Le Jardin offers these, by id and title.
    fn jardin(&mut self, offered: &[(&str, &str)]) {
        let line = |(id, title): &(&str, &str)| {
            let fields = json!({
                "title": title, "start": "2027-01-09T20:30", "kind": "Concert",
                "zone": "Europe/Paris", "room": "Le Jardin", "origin": "Le Jardin",
                "url": format!("https://jardin.example.org/{id}"),
            });
            let fields: Fields = serde_json::from_value(fields).unwrap();
            Line {
                native: Some((*id).to_owned()),
                ..Line::new(EntityKind::Activity, 0, 1, &fields)
            }
        };
        let reading = Reading {
            digest: Digest::of(format!("{offered:?}").as_bytes()),
            lines: offered.iter().map(line).collect(),
            ..Reading::default()
        };
        self.seen("jardin", Ok(Observation::Complete(reading)));
    }

    /// The titles a tool was last given.
    fn shows(&self, sink: &str) -> Vec<String> {
        let world = self.world.0.borrow();
        let of = world.iter().filter(|((name, _), _)| name == sink);
        of.flat_map(|(_, shown)| shown.iter().cloned()).collect()
    }

    /// The titles of what a tool is owed as objects of its own.
    fn owed(&self, sink: &str) -> Vec<String> {
        let state = self.engine.state();
        let sink = &state.sinks[&sink.parse::<ConnectorName>().unwrap()];
        let owed = sink
            .targets
            .iter()
            .filter(|(_, target)| target.owed.as_ref().is_some_and(|owed| owed.hash.is_some()));
        owed.filter_map(|(id, _)| state.entities.get(id)?.title())
            .collect()
    }

    /// How many events a tool was sent.
    fn sent(&self, sink: &str) -> usize {
        let sinks = &self.engine.state().sinks;
        let sink = sinks.get(&sink.parse::<ConnectorName>().unwrap());
        sink.map_or(0, |sink| {
            sink.lanes.values().map(|lane| lane.queue.len()).sum()
        })
    }

    fn ids(&self) -> BTreeMap<String, EntityId> {
        let source = &self.engine.state().sources[&"jardin".parse::<ConnectorName>().unwrap()];
        let lines = source.lines.iter();
        lines
            .map(|(entity, line)| (line.native.clone().unwrap(), *entity))
            .collect()
    }
}

fn down() -> Failure {
    Failure::new(
        Blame::Transient,
        "neighbour.unreachable",
        Words::default(),
        Words::default(),
    )
}

#[test]
fn what_another_place_offers_goes_to_the_page_made_for_it_and_nowhere_else() {
    // Routes that do not name an origin are about what is ours, however wide they are.
    let wide = ["site", "paper", "agenda", "hook"].map(|to| route(to, &[("kind", "*")]));
    for routes in [Vec::new(), wide.to_vec()] {
        let mut desk = Desk::new(routes);
        desk.sheet();
        let before = desk.sent("hook");
        desk.jardin(&[("a", "Bal")]);
        assert_eq!(desk.shows("site"), ["Bal", "Bar", "Chorale"]);
        assert_eq!(
            desk.shows("paper"),
            ["Bar", "Chorale"],
            "ours, and its task"
        );
        assert_eq!(desk.owed("agenda"), ["Chorale"]);
        assert_eq!(desk.sent("hook"), before);
        let tasks = desk.engine.state().entities.values();
        let tasks = tasks.filter(|record| record.kind == EntityKind::Task);
        assert_eq!(tasks.count(), 1, "no recipe makes work of theirs");
    }
}

#[test]
fn a_route_that_names_where_it_comes_from_brings_it_and_changes_nothing_for_ours() {
    let routes = ["agenda", "paper", "hook"].map(|to| route(to, &[("origin", "Le Jardin")]));
    let mut desk = Desk::new(routes.to_vec());
    desk.sheet();
    let before = desk.sent("hook");
    assert_eq!(desk.owed("agenda"), ["Chorale"]);
    desk.jardin(&[("a", "Bal")]);
    let mut owed = desk.owed("agenda");
    owed.sort();
    assert_eq!(owed, ["Bal", "Chorale"]);
    assert!(desk.shows("paper").contains(&"Bal".to_owned()));
    assert_eq!(desk.sent("hook"), before + 1);

    let elsewhere = vec![route("site", &[("origin", "La Friche")])];
    let mut desk = Desk::new(elsewhere);
    desk.sheet();
    desk.jardin(&[("a", "Bal")]);
    assert_eq!(
        desk.shows("site"),
        ["Bar", "Chorale"],
        "only La Friche was asked for"
    );
}

#[test]
fn what_is_shared_no_more_leaves_at_the_second_look_and_comes_back_as_the_same() {
    let mut desk = Desk::new(vec![route("agenda", &[("origin", "*")])]);
    desk.sheet();
    let all = [("a", "Bal"), ("b", "Film"), ("c", "Jeu"), ("d", "Lecture")];
    desk.jardin(&all);
    let ids = desk.ids();
    // So much at once would be held, were it ours.
    desk.jardin(&all[..1]);
    assert_eq!(desk.shows("site").len(), 6, "one look is a doubt");
    desk.jardin(&all[..1]);
    assert!(desk.engine.state().holds.is_empty(), "nobody is asked");
    assert_eq!(desk.shows("site"), ["Bal", "Bar", "Chorale"]);
    let mut owed = desk.owed("agenda");
    owed.sort();
    assert_eq!(owed, ["Bal", "Chorale"]);
    desk.jardin(&all);
    assert_eq!(desk.ids(), ids);
    assert_eq!(desk.shows("site").len(), 6);
}

#[test]
fn an_activity_is_what_its_own_place_calls_it_whatever_it_says() {
    let mut desk = Desk::new(Vec::new());
    desk.sheet();
    // Word for word what our own line says, under another name.
    desk.jardin(&[("a", "Chorale")]);
    let first = desk.ids();
    let ours = desk.engine.state().sources[&"sheet".parse::<ConnectorName>().unwrap()].clone();
    assert!(!ours.lines.contains_key(&first["a"]), "never one of ours");
    // Renamed, in another order, beside its double.
    desk.jardin(&[("b", "Chorale"), ("a", "Bal")]);
    desk.jardin(&[("a", "Film"), ("b", "Chorale")]);
    assert_eq!(desk.ids()["a"], first["a"]);
    assert_ne!(desk.ids()["b"], first["a"]);
    desk.jardin(&[("b", "Film")]);
    desk.jardin(&[("b", "Film")]);
    assert_ne!(
        desk.ids()["b"],
        first["a"],
        "another id is another activity"
    );
    assert!(desk.engine.state().holds.is_empty(), "and nobody is asked");
}

#[test]
fn a_neighbour_that_is_away_changes_nothing_and_keeps_nobody_waiting() {
    let mut desk = Desk::new(Vec::new());
    desk.seen("jardin", Err(down()));
    desk.sheet();
    assert_eq!(
        desk.shows("site"),
        ["Bar", "Chorale"],
        "our own site is not held up"
    );
    desk.jardin(&[("a", "Bal")]);
    for _ in 0..50 {
        desk.seen("jardin", Err(down()));
    }
    assert!(desk.shows("site").contains(&"Bal".to_owned()));
    let is_ours = |record: &raccord_engine::Record| record.when().status == Status::Cancelled;
    assert!(!desk.engine.state().entities.values().any(is_ours));
}

#[test]
fn a_place_taken_out_of_the_settings_takes_all_it_offered_with_it() {
    let mut desk = Desk::new(vec![route("agenda", &[("origin", "*")])]);
    desk.sheet();
    desk.jardin(&[("a", "Bal"), ("b", "Film")]);
    let ids = desk.ids();
    let mut without = rules(vec![route("agenda", &[("origin", "*")])]);
    without
        .sources
        .remove(&"jardin".parse::<ConnectorName>().unwrap());
    desk.configure(without);
    assert_eq!(desk.shows("site"), ["Bar", "Chorale"]);
    assert_eq!(desk.owed("agenda"), ["Chorale"]);
    assert!(desk.engine.state().holds.is_empty(), "nobody is asked");
    assert!(
        raccord_engine::orphans(
            desk.engine.state(),
            jiff::civil::date(2027, 1, 3).at(0, 0, 0, 0)
        )
        .is_empty()
    );

    desk.configure(rules(vec![route("agenda", &[("origin", "*")])]));
    desk.jardin(&[("a", "Bal"), ("b", "Film")]);
    assert_eq!(desk.ids(), ids, "and brings it back as the same");
    assert_eq!(desk.shows("site").len(), 4);
}
