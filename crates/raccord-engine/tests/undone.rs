//! A sheet is rewritten, the program ends and starts again, the edits are undone: whoever signed up
//! finds their activity, and nobody is asked.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use raccord_engine::{Engine, HoldKind, Input, Order};
use raccord_model::{
    ConnectorName, Context, Digest, EntityId, EntityKind, Guards, HoldId, Lang, Line, Observation,
    Place, Reading, Render, Rendered, Rules, SourceRule, Subject,
};
use serde_json::json;

/// Nothing is shown anywhere.
struct Blank;

impl Render for Blank {
    fn render(&self, _: &ConnectorName, _: Subject<'_>, _: &Context<'_>) -> Rendered {
        Rendered::Nothing
    }
}

/// A place with one sheet, and the log of all that was decided.
struct Desk {
    engine: Engine,
    now: Timestamp,
    log: Vec<(Timestamp, Vec<u8>)>,
    slots: Vec<(String, String)>,
}

impl Desk {
    fn new() -> Self {
        let mut desk = Self {
            engine: Engine::new(),
            now: "2027-01-04T08:00:00Z".parse().unwrap(),
            log: Vec::new(),
            slots: Vec::new(),
        };
        let sheet = SourceRule {
            version: String::new(),
            kind: "spreadsheet".into(),
            every_s: 60,
            foreign: false,
            counts: false,
        };
        desk.step(Input::Configure(Box::new(Rules {
            place: Place {
                id: "lieu".parse().unwrap(),
                name: "Le lieu".into(),
                zone: "Europe/Paris".into(),
                lang: Lang::Fr,
                public_url: String::new(),
            },
            sources: BTreeMap::from([(source(), sheet)]),
            sinks: BTreeMap::new(),
            recipes: Vec::new(),
            routes: Vec::new(),
            guards: Guards::default(),
        })));
        desk
    }

    fn step(&mut self, input: Input) {
        self.now += SignedDuration::from_mins(5);
        let step = self.engine.step(vec![input], self.now, [7; 16], &Blank);
        self.log
            .extend(step.commit.map(|commit| (self.now, commit)));
        self.slots.extend(step.slots);
    }

    /// The sheet says this: `title | start | description`.
    fn read(&mut self, sheet: &[&str]) {
        let lines: Vec<Line> = sheet
            .iter()
            .zip(2..)
            .map(|(text, row)| line(text, row))
            .collect();
        let reading = Reading {
            digest: Digest::of(sheet.concat().as_bytes()),
            lines,
            ..Reading::default()
        };
        self.step(Input::Observed {
            source: source(),
            seen: Ok(Observation::Complete(reading)),
        });
    }

    /// The program ended after `kept` commits were in the snapshot, and starts again: what came
    /// after is folded from the log.
    fn start_again(&mut self, kept: usize) {
        let mut engine = Engine::new();
        for (number, (at, commit)) in (1..).zip(&self.log) {
            engine.fold(number, *at, commit).unwrap();
            if number == kept as u64 {
                engine = Engine::from_snapshot(&engine.snapshot()).unwrap();
            }
        }
        assert_eq!(engine.snapshot(), self.engine.snapshot(), "nothing is lost");
        engine.remember(self.slots.clone());
        self.engine = engine;
    }

    /// Who each line of the sheet is.
    fn names(&self, sheet: &[&str]) -> Vec<Option<EntityId>> {
        let known = &self.engine.state().sources[&source()].lines;
        let of = |digest| {
            let mut found = known.iter().filter(|(_, line)| line.digest == digest);
            found.next().map(|(entity, _)| *entity)
        };
        sheet.iter().map(|text| of(line(text, 2).digest)).collect()
    }

    fn holds(&self, of: impl Fn(&HoldKind) -> bool) -> Vec<HoldId> {
        let holds = self.engine.state().holds.iter();
        holds
            .filter(|(_, waiting)| of(&waiting.hold.what))
            .map(|(id, _)| *id)
            .collect()
    }

    fn questions(&self) -> Vec<HoldId> {
        self.holds(|what| matches!(what, HoldKind::Question { .. }))
    }

    fn held_readings(&self) -> Vec<HoldId> {
        self.holds(|what| matches!(what, HoldKind::Reading { .. }))
    }

    /// A person says that all are what they seem.
    fn say_yes(&mut self, sheet: &[&str]) {
        for hold in self.questions() {
            self.step(Input::Order(Order::Approve { hold, only: None }));
        }
        self.read(sheet);
    }
}

fn source() -> ConnectorName {
    "sheet".parse().unwrap()
}

fn line(text: &str, row: u32) -> Line {
    let names = ["title", "start", "description"];
    let said = names.iter().zip(text.split(" | "));
    let fields = said
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect();
    Line::new(EntityKind::Activity, 0, row, &fields)
}

/// What stands in every version of the sheet.
const STANDING: [&str; 4] = [
    "Bal | 2027-03-06T20:30",
    "Ciné-club | 2027-03-11T20:00",
    "Repas partagé | 2027-03-14T12:00",
    "Vélo | 2027-03-20T14:00",
];

fn sheet<'s>(lines: &[&'s str]) -> Vec<&'s str> {
    STANDING.iter().chain(lines).copied().collect()
}

#[test]
fn edits_that_were_asked_about_are_undone_without_a_question() {
    // Two occurrences that move together: only a person knows which is which, but for an undo.
    let before = sheet(&[
        "Yoga | 2027-02-03T18:00",
        "Yoga | 2027-02-10T18:00",
        "Yoga | 2027-02-24T18:00",
        "Kalou Trio | 2027-02-05T20:30 | Jazz manouche et reprises.",
    ]);
    let after = sheet(&[
        "Yoga | 2027-02-12T18:00",
        "Yoga | 2027-02-19T18:00",
        "Yoga | 2027-02-24T18:00",
        "Kalou Quartet | 2027-02-06T21:00 | Jazz manouche et reprises.",
    ]);
    // From the log alone, from a snapshot in the middle of the edits, and from the last one.
    for kept in [0, 2, 3, usize::MAX] {
        let mut desk = Desk::new();
        desk.read(&before);
        let names = desk.names(&before);
        assert!(names.iter().all(Option::is_some));

        desk.read(&after);
        assert!(!desk.questions().is_empty(), "that needs a person");
        desk.say_yes(&after);
        assert!(desk.questions().is_empty());
        assert_eq!(desk.names(&after), names, "they moved, and are the same");

        let commits = desk.log.len();
        desk.start_again(kept.min(commits));
        desk.read(&before);
        assert!(desk.questions().is_empty(), "{kept}: nobody is asked");
        assert_eq!(desk.names(&before), names, "{kept}: each is itself again");
        let state = desk.engine.state();
        assert!(state.sources[&source()].missing.is_empty());
    }
}

#[test]
fn where_a_whole_sheet_moved_one_yes_is_enough_and_then_each_question_is_asked_once() {
    const SERIES: u32 = 30;
    let sheet = |days: [u32; 2]| -> Vec<String> {
        let name = |number: u32| char::from_u32(u32::from('a') + number % 26).unwrap();
        let of = |number: u32| {
            let title = format!("Cours {}{}", name(number), name(number / 26)).repeat(2);
            days.map(|day| format!("{title} | 2027-02-{day:02}T{:02}:00", 8 + number % 12))
        };
        (0..SERIES).flat_map(of).collect()
    };
    let (before, after) = (sheet([3, 10]), sheet([5, 12]));
    let lines = |sheet: &[String]| {
        sheet
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join("\n")
    };
    let (before, after) = (lines(&before), lines(&after));
    let read = |desk: &mut Desk, sheet: &str| desk.read(&sheet.lines().collect::<Vec<_>>());
    let mut desk = Desk::new();
    read(&mut desk, &before);
    read(&mut desk, &after);
    let held = desk.held_readings();
    assert_eq!(held.len(), 1, "all moved at once: that may be an accident");
    let yes = |hold| Input::Order(Order::Approve { hold, only: None });
    desk.step(yes(held[0]));
    read(&mut desk, &after);
    // Two occurrences that move together: which is which only a person knows.
    for left in (1..=SERIES).rev() {
        assert!(
            desk.held_readings().is_empty(),
            "nobody is asked that again"
        );
        let questions = desk.questions();
        assert_eq!(questions.len(), left as usize);
        desk.step(yes(questions[0]));
        read(&mut desk, &after);
    }
    assert!(desk.questions().is_empty());
}
