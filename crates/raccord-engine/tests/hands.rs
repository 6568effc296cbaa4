//! Tasks: derived, asked for by a line, or listed by themselves; and who is on them.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use raccord_engine::{Attested, Engine, HoldKind, Input, Order, Reply, SignUp, Who};
use raccord_model::{
    ConnectorName, Context, Digest, EntityId, EntityKind, Fields, Guards, Lang, Line, Observation,
    Place, Reading, Recipe, Render, Rendered, Rules, SourceRule, Subject, Tab, TaskTemplate,
    Unread, When, Words,
};
use serde_json::{Value, json};

struct Nothing;

impl Render for Nothing {
    fn render(&self, _: &ConnectorName, _: Subject<'_>, _: &Context<'_>) -> Rendered {
        Rendered::Nothing
    }
}

fn rules() -> Rules {
    let task = |title: &str, capacity, guide: &str| TaskTemplate {
        title: title.into(),
        capacity,
        guide: guide.into(),
        minimum: capacity,
        lead: Some(7),
        ..TaskTemplate::default()
    };
    let kind = |kind: &str| When {
        entity: vec![EntityKind::Activity],
        fields: [("kind".to_owned(), vec![kind.to_owned()])].into(),
    };
    Rules {
        place: Place {
            id: "lieu".parse().unwrap(),
            name: "Le lieu".into(),
            zone: "Europe/Paris".into(),
            lang: Lang::Fr,
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
        sinks: BTreeMap::new(),
        recipes: vec![
            Recipe {
                when: kind("Réunion"),
                tasks: vec![
                    task(
                        "Animer la réunion",
                        Some(1),
                        "https://wiki.example.org/animer",
                    ),
                    task("Participer à la réunion", None, ""),
                ],
            },
            Recipe {
                when: kind("Concert"),
                tasks: vec![
                    task("Tenir le bar", Some(2), ""),
                    task("Accueil", Some(1), ""),
                ],
            },
        ],
        routes: Vec::new(),
        guards: Guards {
            second_look_s: 0,
            ..Guards::default()
        },
    }
}

struct World {
    engine: Engine,
    now: Timestamp,
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            engine: Engine::new(),
            now: "2027-01-02T08:00:00Z".parse().unwrap(),
        };
        world.input(Input::Configure(Box::new(rules())));
        world
    }

    fn input(&mut self, input: Input) -> Reply {
        self.now += SignedDuration::from_secs(1);
        let seed = Digest::of(self.now.to_string().as_bytes()).0;
        let step = self.engine.step(vec![input], self.now, seed, &Nothing);
        step.replies.into_iter().next().unwrap()
    }

    /// The programme and the tab of tasks, as they stand now.
    fn sheet(&mut self, activities: &[Value], tasks: &[Value]) {
        self.sheet_with(activities, tasks, Vec::new());
    }

    fn sheet_with(&mut self, activities: &[Value], tasks: &[Value], unread: Vec<Unread>) {
        let of = |kind, tab| {
            move |(row, fields): (u32, &Value)| {
                let fields: Fields = serde_json::from_value(fields.clone()).unwrap();
                Line::new(kind, tab, row, &fields)
            }
        };
        let lines = (2..).zip(activities).map(of(EntityKind::Activity, 0));
        let lines = lines.chain((2..).zip(tasks).map(of(EntityKind::Task, 1)));
        let tab = |name: &str| Tab {
            name: name.into(),
            ..Tab::default()
        };
        let reading = Reading {
            digest: Digest::of(format!("{activities:?}{tasks:?}{unread:?}").as_bytes()),
            tabs: vec![tab("Programme"), tab("Tâches")],
            lines: lines.collect(),
            unread,
            ..Reading::default()
        };
        self.input(Input::Observed {
            source: "sheet".parse().unwrap(),
            seen: Ok(Observation::Complete(reading)),
        });
    }

    fn sign_up(&mut self, subject: EntityId, who: &str) -> EntityId {
        let reply = self.input(Input::Order(Order::SignUp(Box::new(SignUp {
            subject,
            who: Who {
                email: format!("{who}@example.org"),
                ..Who::default()
            },
            places: 1,
            comment: String::new(),
        }))));
        match reply {
            Reply::SignedUp { registration, .. } => registration,
            other => panic!("{other:?}"),
        }
    }

    /// Every entity of a kind that is not cancelled, by title.
    fn all(&self, kind: EntityKind) -> BTreeMap<String, (EntityId, Fields)> {
        let entities = &self.engine.state().entities;
        let of_kind = entities.iter().filter(|(_, record)| record.kind == kind);
        of_kind
            .map(|(&id, record)| (id, record.fields()))
            .filter(|(_, fields)| fields.get("state") != Some(&json!("cancelled")))
            .map(|(id, fields)| {
                (
                    fields["title"].as_str().unwrap_or_default().to_owned(),
                    (id, fields),
                )
            })
            .collect()
    }

    fn tasks(&self) -> Vec<String> {
        self.all(EntityKind::Task)
            .into_iter()
            .map(|(title, (_, fields))| {
                let capacity = fields.get("capacity").map(ToString::to_string);
                format!("{title} {}", capacity.unwrap_or_default())
                    .trim_end()
                    .to_owned()
            })
            .collect()
    }

    fn task(&self, title: &str) -> (EntityId, Fields) {
        self.all(EntityKind::Task)[title].clone()
    }

    fn notices(&self) -> Vec<String> {
        let entities = self.engine.state().entities.values();
        let notices = entities.filter(|record| record.kind == EntityKind::Notice);
        let fields = notices.map(raccord_engine::Record::fields);
        let open = fields.filter(|fields| fields["state"] == json!("open"));
        open.map(|fields| fields["code"].as_str().unwrap().to_owned())
            .collect()
    }
}

fn activity(title: &str, start: &str, kind: &str) -> Value {
    json!({ "title": title, "start": start, "kind": kind })
}

fn concert() -> Value {
    activity("Jazz", "2027-01-10T20:00", "Concert")
}

#[test]
fn a_kind_gives_tasks_with_their_guide() {
    let mut world = World::new();
    world.sheet(&[activity("Réunion", "2027-01-10T18:00", "Réunion")], &[]);
    assert_eq!(
        world.tasks(),
        ["Animer la réunion 1", "Participer à la réunion"]
    );
    let (_, task) = world.task("Animer la réunion");
    assert_eq!(task["guide"], json!("https://wiki.example.org/animer"));
    assert_eq!((&task["minimum"], &task["lead"]), (&json!(1), &json!(7)));
    assert_eq!(task["due"], json!("2027-01-10"));
}

#[test]
fn a_line_says_how_many_hands_it_wants_and_which() {
    let mut world = World::new();
    let mut line = concert();
    line["hands"] = json!([
        { "title": "bar", "capacity": 3 },
        { "title": "accueil", "capacity": 0 },
        { "title": "Vestiaire", "capacity": 1 }
    ]);
    world.sheet(&[concert()], &[]);
    assert_eq!(world.tasks(), ["Accueil 1", "Tenir le bar 2"]);
    let before = world.task("Tenir le bar").0;
    world.sheet(&[line.clone()], &[]);
    assert_eq!(world.tasks(), ["Tenir le bar 3", "Vestiaire 1"]);
    assert_eq!(world.task("Tenir le bar").0, before, "it is the same task");
    // Also where no recipe gives anything.
    line["kind"] = json!("Fête");
    world.sheet(&[line.clone()], &[]);
    assert_eq!(world.tasks(), ["Vestiaire 1", "bar 3"]);
    line["hands"] = json!([]);
    line["kind"] = json!("Concert");
    world.sheet(&[line], &[]);
    assert_eq!(world.tasks(), [""; 0]);
}

#[test]
fn a_task_says_who_is_on_it_and_how_far_it_is() {
    let mut world = World::new();
    world.sheet(&[concert()], &[]);
    let (bar, task) = world.task("Tenir le bar");
    assert_eq!(task["state"], json!("open"));
    let ann = world.sign_up(bar, "ann");
    let bob = world.sign_up(bar, "bob");
    world.sign_up(bar, "cy");
    let (_, task) = world.task("Tenir le bar");
    assert_eq!(task["state"], json!("taken"));
    assert_eq!(task["people"].as_array().unwrap().len(), 2);
    // What the sheet says anew takes none of it back.
    let mut later = concert();
    later["start"] = json!("2027-01-10T21:00");
    world.sheet(&[later], &[]);
    let (_, task) = world.task("Tenir le bar");
    assert_eq!(
        (&task["state"], task["people"].as_array().unwrap().len()),
        (&json!("taken"), 2)
    );
    assert_eq!(
        world.notices(),
        ["signed-up"],
        "they may not come at that hour"
    );
    world.input(Input::Order(Order::SignOff(ann)));
    assert_eq!(
        world.task("Tenir le bar").1["people"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    for registration in [bob, ann] {
        let came = Some(true);
        let order = Order::Attendance {
            registration,
            came,
            minutes: Some(90),
            by: Attested::Organiser,
        };
        world.input(Input::Order(order));
    }
    assert_eq!(
        world.task("Tenir le bar").1["state"],
        json!("taken"),
        "cy is not ticked"
    );
}

#[test]
fn all_who_are_on_it_were_there_and_it_is_done() {
    let mut world = World::new();
    world.sheet(&[concert()], &[]);
    let (door, _) = world.task("Accueil");
    let ann = world.sign_up(door, "ann");
    let tick = |came| Order::Attendance {
        registration: ann,
        came,
        minutes: None,
        by: Attested::Organiser,
    };
    world.input(Input::Order(tick(Some(true))));
    assert_eq!(world.task("Accueil").1["state"], json!("done"));
    world.input(Input::Order(tick(None)));
    assert_eq!(world.task("Accueil").1["state"], json!("taken"));
}

#[test]
fn a_task_that_people_are_on_goes_only_with_a_yes() {
    for yes in [true, false] {
        let mut world = World::new();
        world.sheet(&[concert()], &[]);
        let (bar, _) = world.task("Tenir le bar");
        let ann = world.sign_up(bar, "ann");
        let changed = activity("Jazz", "2027-01-10T20:00", "Répétition");
        world.sheet(&[changed], &[]);
        assert_eq!(
            world.tasks(),
            ["Tenir le bar 2"],
            "nobody was on the other one"
        );
        let (&hold, waiting) = world.engine.state().holds.first_key_value().unwrap();
        assert!(matches!(waiting.hold.what, HoldKind::Task { task } if task == bar));
        world.input(Input::Order(if yes {
            Order::Approve { hold, only: None }
        } else {
            Order::Reject(hold)
        }));
        assert_eq!(world.tasks().len(), usize::from(!yes));
        let state = &world.engine.state().entities[&ann].fields()["state"];
        assert_eq!(state, if yes { "cancelled" } else { "registered" });
        // Nobody asks again about what was kept.
        world.sheet(
            &[activity("Jazz manouche", "2027-01-10T20:00", "Répétition")],
            &[],
        );
        assert_eq!(world.engine.state().holds.len(), 0);
        assert_eq!(world.tasks().len(), usize::from(!yes));
    }
}

#[test]
fn what_is_wanted_again_is_no_question_any_more() {
    let mut world = World::new();
    world.sheet(&[concert()], &[]);
    let (bar, _) = world.task("Tenir le bar");
    world.sign_up(bar, "ann");
    world.sheet(&[activity("Jazz", "2027-01-10T20:00", "Répétition")], &[]);
    assert_eq!(world.engine.state().holds.len(), 1);
    world.sheet(&[concert()], &[]);
    assert_eq!(world.engine.state().holds.len(), 0);
    assert_eq!(world.task("Tenir le bar").1["state"], json!("open"));
}

#[test]
fn who_signed_up_for_what_is_called_off_counts_again_when_it_comes_back() {
    let mut world = World::new();
    world.sheet(&[concert()], &[]);
    let (bar, _) = world.task("Tenir le bar");
    let ann = world.sign_up(bar, "ann");
    let mut off = concert();
    off["status"] = json!("cancelled");
    world.sheet(&[off], &[]);
    assert_eq!(world.tasks(), [""; 0]);
    assert_eq!(world.notices(), ["signed-up"]);
    let state = |world: &World| world.engine.state().entities[&ann].fields()["state"].clone();
    assert_eq!(state(&world), json!("registered"));
    world.sheet(&[concert()], &[]);
    assert_eq!(world.tasks(), ["Accueil 1", "Tenir le bar 2"]);
    assert_eq!(
        world.task("Tenir le bar").1["people"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(world.notices(), [""; 0]);
}

#[test]
fn a_task_of_the_sheet_finds_its_activity_by_its_title() {
    let mut world = World::new();
    let poster = json!({ "title": "Affiche", "of": "JAZZ", "state": "open", "capacity": 1 });
    let lawn = json!({ "title": "Tondre", "due": "2027-03-01", "state": "open" });
    // The activity may come later than its task.
    world.sheet(&[], &[poster.clone(), lawn.clone()]);
    assert_eq!(world.notices(), ["task-without-activity"]);
    let jazz = activity("Jazz", "2027-01-10T20:00", "Bal");
    world.sheet(&[jazz], &[poster.clone(), lawn.clone()]);
    assert_eq!(world.notices(), [""; 0]);
    let activity_id = world.all(EntityKind::Activity)["Jazz"].0;
    let (task, fields) = world.task("Affiche");
    assert_eq!(fields["activity"], json!(activity_id));
    assert_eq!(
        world.engine.state().entities[&task].family,
        Some(activity_id)
    );
    assert_eq!(world.task("Tondre").1.get("activity"), None);
    world.sign_up(task, "ann");
    // Its line changes, the activity is called otherwise: it stays what it is, and hers.
    let jazz = activity("Jazz manouche", "2027-01-10T20:00", "Bal");
    let mut big = poster;
    big["guide"] = json!("https://wiki.example.org/affiche");
    world.sheet(&[jazz], &[big, lawn]);
    let (again, fields) = world.task("Affiche");
    assert_eq!((again, &fields["activity"]), (task, &json!(activity_id)));
    assert_eq!(fields["state"], json!("taken"));
    assert_eq!(fields["people"].as_array().unwrap().len(), 1);
}

#[test]
fn a_question_about_a_task_ends_with_what_it_asked_about() {
    let mut world = World::new();
    let poster = json!({ "title": "Affiche", "of": "Jaz", "state": "open" });
    world.sheet(&[concert()], std::slice::from_ref(&poster));
    assert_eq!(world.notices(), ["task-without-activity"]);
    let mut alone = poster;
    alone.as_object_mut().unwrap().remove("of");
    world.sheet(&[concert()], &[alone]);
    assert_eq!(world.notices(), [""; 0]);
}

#[test]
fn of_several_activities_of_one_name_the_day_tells_which() {
    let mut world = World::new();
    let meetings = ["2027-01-05T18:00", "2027-01-12T18:00", "2027-01-19T18:00"];
    let meetings = meetings.map(|start| activity("Bureau", start, "Autre"));
    let soup = json!({ "title": "Soupe", "of": "Bureau", "state": "open" });
    world.sheet(&meetings, std::slice::from_ref(&soup));
    assert_eq!(world.notices(), ["task-without-activity"]);
    let mut dated = soup;
    dated["due"] = json!("2027-01-11");
    world.sheet(&meetings, &[dated]);
    assert_eq!(world.notices(), [""; 0]);
    let of = world.task("Soupe").1["activity"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let entities = &world.engine.state().entities;
    let of: &raccord_engine::Record = &entities[&of];
    assert_eq!(
        of.fields()["start"],
        json!("2027-01-12T18:00"),
        "the next one from that day on"
    );
}

#[test]
fn a_line_of_tasks_that_is_gone_waits_for_a_yes_where_people_are_on_it() {
    let mut world = World::new();
    let task = |title: &str| json!({ "title": title, "state": "open", "capacity": 2 });
    let all: Vec<Value> = ["Tondre", "Peindre", "Ranger", "Trier", "Laver"]
        .map(task)
        .into();
    world.sheet(&[concert()], &all);
    let (mow, _) = world.task("Tondre");
    world.sign_up(mow, "ann");
    world.sheet(&[concert()], &all[2..]);
    world.sheet(&[concert()], &all[2..]);
    let tasks = world.tasks();
    assert!(tasks.contains(&"Tondre 2".to_owned()), "{tasks:?}");
    assert!(
        !tasks.contains(&"Peindre 2".to_owned()),
        "nobody was on it: {tasks:?}"
    );
    assert_eq!(world.engine.state().holds.len(), 1);
    // An undo in the sheet answers the question.
    world.sheet(&[concert()], &all);
    assert_eq!(world.engine.state().holds.len(), 0);
    assert_eq!(world.task("Tondre").0, mow);
    assert_eq!(world.task("Peindre").1["state"], json!("open"));
}

#[test]
fn a_tab_of_tasks_that_lost_its_header_takes_no_task_back() {
    let mut world = World::new();
    world.sheet(
        &[concert()],
        &[json!({ "title": "Tondre", "state": "open" })],
    );
    let lost = Unread {
        sheet: "Tâches".into(),
        row: 0,
        column: String::new(),
        code: "tasks-header-lost".into(),
        found: String::new(),
        write: Words::default(),
    };
    for _ in 0..3 {
        world.sheet_with(&[concert()], &[], vec![lost.clone()]);
    }
    assert!(world.tasks().contains(&"Tondre".to_owned()));
}

#[test]
fn a_task_is_never_taken_for_an_activity() {
    let mut world = World::new();
    world.sheet(&[concert()], &[]);
    let jazz = world.all(EntityKind::Activity)["Jazz"].0;
    // The line went from the programme to the tab of tasks.
    let moved = json!({ "title": "Jazz", "due": "2027-01-10", "state": "open" });
    world.sheet(&[], &[moved]);
    let entities = &world.engine.state().entities;
    assert_eq!(entities[&jazz].kind, EntityKind::Activity);
    assert_ne!(world.task("Jazz").0, jazz);
}

#[test]
fn a_guide_that_is_gone_is_told_every_week_with_what_uses_it() {
    let mut world = World::new();
    world.sheet(&[activity("Bureau", "2027-02-10T18:00", "Réunion")], &[]);
    let guide = "https://wiki.example.org/animer".to_owned();
    let used = |world: &World| {
        let now = "2027-01-02T09:00".parse().unwrap();
        raccord_engine::guides(world.engine.state(), now)
            .into_keys()
            .collect::<Vec<_>>()
    };
    assert_eq!(used(&world), std::slice::from_ref(&guide));
    let told = |world: &World| {
        let mut all = world.engine.state().entities.values();
        let notice = all
            .rfind(|record| record.kind == EntityKind::Notice)
            .unwrap();
        (notice.revision, notice.fields())
    };
    for week in 1..=3_u32 {
        world.input(Input::Guides {
            missing: [guide.clone()].into(),
            found: [].into(),
        });
        let (revision, fields) = told(&world);
        assert_eq!(revision, week);
        let text = fields["text"]["en"].as_str().unwrap();
        assert!(
            text.contains(&guide) && text.contains("Bureau 2027-02-10"),
            "{text}"
        );
    }
    // Not reached this week: that says nothing.
    world.input(Input::Guides {
        missing: [].into(),
        found: [].into(),
    });
    assert_eq!(world.notices(), ["guide-missing"]);
    world.input(Input::Guides {
        missing: [].into(),
        found: [guide].into(),
    });
    assert_eq!(world.notices(), [""; 0]);
    world.sheet(&[activity("Bureau", "2027-02-10T18:00", "Bal")], &[]);
    assert_eq!(used(&world), [""; 0]);
}

#[test]
fn what_waits_for_its_date_is_signed_up_for_and_is_the_same_once_it_has_one() {
    let mut world = World::new();
    let poll = "https://framadate.org/Jazz";
    let undated = || json!({ "title": "Jazz", "kind": "Concert", "undated": true, "poll": poll, "room": "Halle" });
    let other = activity("Atelier", "2027-01-20T14:00", "Atelier");
    world.sheet(&[undated(), other.clone()], &[]);
    let (jazz, fields) = world.all(EntityKind::Activity)["Jazz"].clone();
    assert_eq!(fields.get("start"), None, "no day is invented");
    assert_eq!(fields.get("status"), None, "it is no draft");
    let bar = world.task("Tenir le bar").0;
    let here = world.sign_up(jazz, "ana");
    let there = world.sign_up(bar, "lou");
    let taken = |world: &World, subject| world.engine.taken(subject).0;
    assert_eq!((taken(&world, jazz), taken(&world, bar)), (1, 1));

    let mut dated = undated();
    dated["start"] = json!("2027-01-16T20:00");
    dated.as_object_mut().unwrap().remove("undated");
    world.sheet(&[dated, other.clone()], &[]);
    let (same, fields) = world.all(EntityKind::Activity)["Jazz"].clone();
    assert_eq!((same, fields.get("undated")), (jazz, None));
    assert_eq!(fields["start"], json!("2027-01-16T20:00"));
    let (same, task) = world.task("Tenir le bar");
    assert_eq!((same, &task["due"]), (bar, &json!("2027-01-16")));
    for (subject, registration) in [(jazz, here), (bar, there)] {
        assert_eq!(world.engine.sheet(subject).on, [registration]);
    }

    // The date falls through: it waits for another one, and nobody is lost either.
    world.sheet(&[undated(), other], &[]);
    let (same, fields) = world.all(EntityKind::Activity)["Jazz"].clone();
    assert_eq!((same, fields.get("start")), (jazz, None));
    assert_eq!(world.engine.sheet(jazz).on, [here]);
    assert_eq!(world.engine.sheet(bar).on, [there]);
    assert!(world.engine.state().holds.is_empty());
}
