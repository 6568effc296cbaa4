//! A tool that is written and that people edit too: what stands there before us, what they change,
//! and what a person is asked.

#![allow(clippy::unwrap_used, reason = "tests")]

use jiff::Timestamp;
use raccord_engine::{Engine, HoldKind, Input, Order};
use raccord_model::{
    Action, Applied, Authority, Class, ConnectorName, Context, Desired, Digest, Edit, EntityId,
    EntityKind, Fields, Guards, Handling, HoldId, Lang, Line, Link, Mode, Observation, Outcome,
    Payload, Place, Policy, Reading, Render, Rendered, Route, Rules, SinkRule, SourceRule, Subject,
    Tab, When, Words,
};
use serde_json::{Value, json};

/// A calendar that shows title, start and status.
struct Calendar;

impl Render for Calendar {
    fn render(&self, _: &ConnectorName, subject: Subject<'_>, _: &Context<'_>) -> Rendered {
        let Subject::Entity { entity, .. } = subject else {
            return Rendered::Nothing;
        };
        let shown = |name: &str| entity.text(name).to_owned();
        let text = [
            shown("title"),
            shown("start"),
            shown("status"),
            shown("room"),
        ]
        .join("|");
        Rendered::Object(Desired {
            hash: Digest::of(text.as_bytes()),
            body: json!(text),
            title: shown("title"),
            text: Words::same(text),
            outdated: None,
        })
    }
}

fn name(text: &str) -> ConnectorName {
    text.parse().unwrap()
}

fn rules(authority: Option<Authority>) -> Rules {
    let source = |kind: &str| SourceRule {
        foreign: false,
        counts: false,
        kind: kind.into(),
        version: String::new(),
        every_s: 30,
    };
    let calendar = SinkRule {
        around: false,
        approvers: std::collections::BTreeSet::new(),
        kind: "calendar".into(),
        version: String::new(),
        handles: vec![Handling {
            entity: EntityKind::Activity,
            mode: Mode::Mirror,
            class: Class::Address,
            settle_s: 0,
            grace_s: 0,
            policy: Policy::NeverLost,
            read_back: true,
        }],
        parallel: 4,
        per_second: 0,
        settings: Digest::default(),
        target: Digest::default(),
        credentials: Digest::default(),
    };
    let route = Route {
        to: name("calendar"),
        when: When::default(),
        channel: None,
        calendar: None,
        list: None,
        roundup: None,
        signup: None,
        template: None,
        lang: None,
        grace_s: None,
        policy: None,
        authority,
        fields: std::collections::BTreeMap::new(),
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
            (name("sheet"), source("spreadsheet")),
            (name("calendar"), source("calendar")),
        ]
        .into(),
        sinks: [(name("calendar"), calendar)].into(),
        recipes: Vec::new(),
        routes: vec![route],
        guards: Guards::default(),
    }
}

/// A place at its first day, and what its calendar was told to hold.
struct World {
    engine: Engine,
    now: Timestamp,
    turn: u128,
    written: Vec<(Action, String, Option<Link>)>,
}

fn fields(value: Value) -> Fields {
    serde_json::from_value(value).unwrap()
}

fn reading(lines: &[(Option<&str>, Value)], edits: Vec<Edit>) -> Reading {
    let line = |(row, (native, value)): (usize, &(Option<&str>, Value))| {
        let row = u32::try_from(row + 1).unwrap();
        let mut line = Line::new(EntityKind::Activity, 0, row, &fields(value.clone()));
        line.native = native.map(str::to_owned);
        line
    };
    let lines: Vec<Line> = lines.iter().enumerate().map(line).collect();
    let all: Vec<u8> = lines.iter().flat_map(|line| line.digest.0).collect();
    Reading {
        digest: Digest::of(&all),
        cursor: Some("mark".into()),
        tabs: vec![Tab::default()],
        lines,
        edits,
        ..Reading::default()
    }
}

impl World {
    fn new(authority: Option<Authority>) -> Self {
        let mut world = Self {
            engine: Engine::new(),
            now: "2027-01-02T08:00:00Z".parse().unwrap(),
            turn: 0,
            written: Vec::new(),
        };
        world.play(Input::Configure(Box::new(rules(authority))));
        world
    }

    fn play(&mut self, input: Input) {
        let mut inputs = vec![input];
        while !inputs.is_empty() {
            self.turn += 1;
            self.now += jiff::SignedDuration::from_secs(1);
            let step = self
                .engine
                .step(inputs, self.now, self.turn.to_le_bytes(), &Calendar);
            inputs = Vec::new();
            for work in step.work {
                for item in work.items {
                    let Payload::Write {
                        action,
                        desired,
                        link,
                        ..
                    } = item.payload
                    else {
                        continue;
                    };
                    let external = match &link {
                        Some(link) => link.external.clone(),
                        None => format!("/ours/{}", desired.title),
                    };
                    self.written
                        .push((action, desired.body.as_str().unwrap().to_owned(), link));
                    inputs.push(Input::Outcome {
                        connector: work.connector.clone(),
                        family: work.family,
                        delivery: item.delivery,
                        outcome: Outcome::Done(Applied {
                            external,
                            tag: Some("etag".into()),
                            url: None,
                        }),
                    });
                }
            }
        }
    }

    fn read(&mut self, source: &str, lines: &[(Option<&str>, Value)], edits: Vec<Edit>) {
        self.play(Input::Observed {
            source: name(source),
            seen: Ok(Observation::Complete(reading(lines, edits))),
        });
    }

    fn activity(&self, title: &str) -> EntityId {
        let all = self.engine.state().entities.iter();
        let mut named = all.filter(|(_, record)| record.title().as_deref() == Some(title));
        *named.next().unwrap().0
    }

    fn field(&self, title: &str, field: &str) -> Value {
        let entity = self.engine.state().entity(self.activity(title)).unwrap();
        entity.fields.get(field).cloned().unwrap_or_default()
    }

    fn hold(&self) -> HoldId {
        let holds = &self.engine.state().holds;
        assert_eq!(holds.len(), 1, "{holds:?}");
        *holds.keys().next().unwrap()
    }

    fn activities(&self) -> usize {
        self.engine.state().activities().count()
    }
}

fn bal() -> Value {
    json!({ "title": "Bal folk du printemps", "start": "2027-03-20T20:30", "room": "Halle" })
}

#[test]
fn nothing_is_made_before_the_tool_was_read_and_it_is_read_after_the_others() {
    let mut world = World::new(None);
    // The calendar comes first: it waits, for its entries may be the sheet's.
    world.read("calendar", &[(Some("/theirs/1"), bal())], vec![]);
    assert_eq!(world.activities(), 0);
    world.read("sheet", &[(None, bal())], vec![]);
    assert_eq!(world.activities(), 1);
    assert!(
        world.written.is_empty(),
        "nobody knows yet what stands there"
    );
    assert!(
        world
            .engine
            .looks()
            .iter()
            .any(|look| look.source == name("calendar"))
    );
    world.read("calendar", &[(Some("/theirs/1"), bal())], vec![]);
    let [(action, _, link)] = &world.written[..] else {
        panic!("{:?}", world.written);
    };
    assert_eq!(*action, Action::Adopt);
    assert_eq!(link.as_ref().unwrap().external, "/theirs/1");
    assert_eq!(world.activities(), 1, "it is one thing, not two");
}

#[test]
fn other_peoples_entries_become_activities_that_are_not_sent_back_and_the_past_is_left_alone() {
    let mut world = World::new(None);
    world.read("sheet", &[], vec![]);
    let old = json!({ "title": "Réveillon", "start": "2026-12-31T20:00" });
    let own = json!({ "title": "Permanence", "start": "2027-02-01T10:00" });
    world.read(
        "calendar",
        &[(Some("/theirs/1"), old), (Some("/theirs/2"), own.clone())],
        vec![],
    );
    assert_eq!(world.activities(), 1);
    assert!(world.written.is_empty());
    let later = json!({ "title": "Permanence", "start": "2027-02-02T10:00" });
    world.read("calendar", &[(Some("/theirs/2"), later)], vec![]);
    assert_eq!(world.field("Permanence", "start"), "2027-02-02T10:00");
    assert!(world.written.is_empty());
}

/// A sheet's line and an entry that may be it: the same hour, and a word of the title.
fn doubt(world: &mut World) -> [(Option<&'static str>, Value); 1] {
    let (ours, start) = ("Couture", "2027-03-20T20:30");
    let theirs = json!({ "title": "Concert : couture zéro déchet", "start": start, "room": "Accueil", "kind": "exposition" });
    let ours = json!({ "title": ours, "start": start, "room": "Ciné", "kind": "atelier" });
    world.read("sheet", &[(None, ours)], vec![]);
    [(Some("/theirs/1"), theirs)]
}

#[test]
fn a_doubt_is_asked_and_nothing_is_made_meanwhile_then_yes_adopts_and_no_makes_another() {
    for yes in [true, false] {
        let mut world = World::new(None);
        let lines = doubt(&mut world);
        world.read("calendar", &lines, vec![]);
        let hold = world.hold();
        assert!(matches!(
            world.engine.state().holds[&hold].hold.what,
            HoldKind::Question { .. }
        ));
        assert!(world.written.is_empty(), "{:?}", world.written);
        assert_eq!(world.activities(), 1);
        // Read again, also by another process, it is not asked twice and nothing is made.
        world.engine.start();
        world.play(Input::Tick);
        world.read("calendar", &lines, vec![]);
        assert_eq!(world.hold(), hold);
        let order = if yes {
            Order::Approve { hold, only: None }
        } else {
            Order::Reject(hold)
        };
        world.play(Input::Order(order));
        world.read("calendar", &lines, vec![]);
        let [(action, _, _)] = &world.written[..] else {
            panic!("{yes}: {:?}", world.written);
        };
        assert_eq!(*action, if yes { Action::Adopt } else { Action::Create });
        assert_eq!(world.activities(), if yes { 1 } else { 2 });
        assert!(world.engine.state().holds.is_empty());
    }
}

/// A world whose calendar holds the ball as ours.
fn written(authority: Option<Authority>) -> World {
    let mut world = World::new(authority);
    world.read("sheet", &[(None, bal())], vec![]);
    world.read("calendar", &[], vec![]);
    assert_eq!(world.written.len(), 1);
    world.written.clear();
    world
}

impl World {
    fn edit(&mut self, value: Value) {
        let entity = self.activity("Bal folk du printemps");
        let edit = Edit {
            entity,
            fields: fields(value),
        };
        self.read("calendar", &[], vec![edit]);
    }
}

#[test]
fn a_no_to_a_members_hour_is_written_over_it_and_not_asked_again() {
    let mut world = written(None);
    world.edit(json!({ "start": "2027-03-20T21:00" }));
    let hold = world.hold();
    assert!(
        world.written.is_empty(),
        "the tool keeps it until somebody decides"
    );
    world.edit(json!({}));
    assert!(
        world.engine.state().holds.is_empty(),
        "taken back, it is asked no more"
    );
    world.edit(json!({ "start": "2027-03-20T21:00" }));
    assert_eq!(world.hold(), hold);
    world.play(Input::Order(Order::Reject(hold)));
    let [(_, text, Some(link))] = &world.written[..] else {
        panic!("{:?}", world.written);
    };
    assert!(text.contains("T20:30"));
    assert_eq!(
        (link.revision, link.hash),
        (0, Digest::default()),
        "it insists"
    );
    assert_eq!(
        world.field("Bal folk du printemps", "start"),
        "2027-03-20T20:30"
    );
}

#[test]
fn a_yes_a_members_word_that_counts_and_one_that_does_not() {
    let mut world = written(None);
    world.edit(json!({ "start": "2027-03-20T21:00" }));
    let hold = world.hold();
    world.play(Input::Order(Order::Approve { hold, only: None }));
    assert_eq!(
        world.field("Bal folk du printemps", "start"),
        "2027-03-20T21:00"
    );

    let mut world = written(Some(Authority::Theirs));
    world.edit(json!({ "room": "Cour", "status": "cancelled" }));
    assert_eq!(world.field("Bal folk du printemps", "room"), "Cour");
    let event = world.engine.state().entities[&world.activity("Bal folk du printemps")].when();
    assert_eq!(event.status, raccord_model::Status::Cancelled);

    let mut world = written(Some(Authority::Ours));
    world.edit(json!({ "room": "Cour", "status": "cancelled" }));
    assert_eq!(world.field("Bal folk du printemps", "room"), "Halle");
    assert_eq!(world.written.len(), 1, "it is put back");
    let told = world.engine.state().entities.values();
    let kind = told
        .filter(|record| record.kind == EntityKind::Notice)
        .count();
    assert_eq!(kind, 1, "with a kind word");
}

/// A world whose calendar holds an entry that people made before the sheet said a word.
fn put_before(theirs: Value) -> World {
    let mut world = World::new(None);
    world.read("sheet", &[], vec![]);
    world.read("calendar", &[(Some("/theirs/1"), theirs)], vec![]);
    assert_eq!(world.activities(), 1);
    assert!(world.written.is_empty());
    world
}

#[test]
fn a_line_that_says_what_people_put_into_the_tool_before_takes_their_entry_over_and_doubles_nothing()
 {
    let theirs = bal();
    for ours in [
        bal(),
        // Retyped, ten minutes off, and in another room.
        json!({ "title": "bal folk de printemps", "start": "2027-03-20T20:40", "room": "Cour" }),
    ] {
        let mut world = put_before(theirs.clone());
        let before = world.activity("Bal folk du printemps");
        world.read("sheet", &[(None, ours.clone())], vec![]);
        assert_eq!(world.activities(), 1, "it is one thing, not two");
        let state = world.engine.state();
        assert_eq!(*state.entities[&before].source, *"sheet");
        assert_eq!(
            state.entity(before).unwrap().fields["start"],
            ours["start"],
            "the sheet says it now"
        );
        let [(action, text, link)] = &world.written[..] else {
            panic!("{:?}", world.written);
        };
        assert_eq!(*action, Action::Adopt);
        assert_eq!(link.as_ref().unwrap().external, "/theirs/1");
        assert!(text.contains(ours["start"].as_str().unwrap()));
        // The calendar is read again, also by another process: its entry is no news, and not gone.
        world.written.clear();
        for _ in 0..3 {
            world.engine.start();
            world.now += jiff::SignedDuration::from_hours(1);
            world.read("calendar", &[(Some("/theirs/1"), theirs.clone())], vec![]);
            world.read("sheet", &[(None, ours.clone())], vec![]);
        }
        assert_eq!(world.activities(), 1);
        assert!(world.written.is_empty(), "{:?}", world.written);
        assert!(world.engine.state().holds.is_empty());
        // It went from the sheet: it is called off, there as well.
        for _ in 0..3 {
            world.now += jiff::SignedDuration::from_hours(2);
            world.read("sheet", &[], vec![]);
        }
        let shown = world.engine.state().entities[&before].when();
        assert_eq!(shown.status, raccord_model::Status::Cancelled);
        assert_eq!(world.written.len(), 1, "{:?}", world.written);
    }
}

#[test]
fn a_line_that_may_be_what_people_put_into_the_tool_is_asked_about_and_nothing_is_made_meanwhile() {
    let start = "2027-03-20T20:30";
    let theirs = json!({ "title": "Concert : couture zéro déchet", "start": start, "room": "Accueil", "kind": "exposition" });
    let ours = json!({ "title": "Couture", "start": start, "room": "Ciné", "kind": "atelier" });
    for yes in [true, false] {
        let mut world = put_before(theirs.clone());
        let lines = [(None, ours.clone())];
        world.read("sheet", &lines, vec![]);
        let hold = world.hold();
        let reason = &world.engine.state().holds[&hold].hold.reason;
        assert!(
            reason.fr.contains("dans « calendar »"),
            "it names the tool: {reason:?}"
        );
        assert_eq!(world.activities(), 1);
        assert!(world.written.is_empty(), "{:?}", world.written);
        // Read again, also by another process, it is not asked twice.
        world.engine.start();
        world.read("sheet", &lines, vec![]);
        world.read("calendar", &[(Some("/theirs/1"), theirs.clone())], vec![]);
        assert_eq!(world.hold(), hold);
        let order = if yes {
            Order::Approve { hold, only: None }
        } else {
            Order::Reject(hold)
        };
        world.play(Input::Order(order));
        assert!(
            world
                .engine
                .looks()
                .iter()
                .any(|look| look.source == name("sheet"))
        );
        world.read("sheet", &lines, vec![]);
        let [(action, text, _)] = &world.written[..] else {
            panic!("{yes}: {:?}", world.written);
        };
        assert_eq!(*action, if yes { Action::Adopt } else { Action::Create });
        assert!(text.starts_with("Couture|"));
        assert_eq!(world.activities(), if yes { 1 } else { 2 });
        assert!(world.engine.state().holds.is_empty());
    }
}

#[test]
fn another_day_of_what_people_put_into_the_tool_is_another_activity() {
    let mut world = put_before(
        json!({ "title": "Permanence", "start": "2027-02-01T10:00", "room": "Accueil" }),
    );
    let ours = json!({ "title": "Permanence", "start": "2027-03-01T10:00", "room": "Accueil" });
    world.read("sheet", &[(None, ours)], vec![]);
    assert_eq!(world.activities(), 2);
    assert_eq!(world.written.len(), 1, "theirs is left where it stands");
    assert!(world.written[0].2.is_none());
}

#[test]
fn the_first_reading_adopts_no_entry_of_another_day() {
    let mut world = World::new(None);
    let ours = json!({ "title": "Permanence", "start": "2027-03-01T10:00", "room": "Accueil" });
    let theirs = json!({ "title": "Permanence", "start": "2027-02-01T10:00", "room": "Accueil" });
    world.read("sheet", &[(None, ours)], vec![]);
    world.read("calendar", &[(Some("/theirs/1"), theirs)], vec![]);
    assert_eq!(world.activities(), 2);
    assert_eq!(world.written.len(), 1, "theirs is left where it stands");
    assert!(world.written[0].2.is_none());
}
