//! From lines to events: one activity's whole life, and a thousand sheets whose events are valid.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use common::{Place, lines};
use jiff::{SignedDuration, Timestamp};
use raccord::connectors::Tools;
use raccord::{connectors, settings};
use raccord_engine::{Engine, Input};
use raccord_kit::Clock;
use raccord_model::{ConnectorName, Context, Envelope, Render, Rendered, Schemas, Subject};

const AT_ONCE: &str = "[guards]\nsecond_look = '0s'\ncancel_share = 1.0\n";

#[test]
fn one_activity_keeps_its_name_from_its_first_line_to_its_return() {
    let place = Place::with(AT_ONCE);
    let full = lines(3);
    let moved = [
        full[0].replace("20:30", "19:00"),
        full[1].clone(),
        full[2].clone(),
    ];
    for sheet in [&full[..], &moved, &moved[1..], &moved, &full] {
        place.sheet(sheet);
        place.run(&["sync"]);
    }
    let events = place.events();
    let life: Vec<(&str, &str)> = events
        .iter()
        .filter(|event| event["data"]["title"] == "Bal 0")
        .map(|event| {
            let kind = event["type"].as_str().unwrap();
            (
                kind.split('.').nth(3).unwrap(),
                event["subject"].as_str().unwrap(),
            )
        })
        .collect();
    let verbs: Vec<&str> = life.iter().map(|(verb, _)| *verb).collect();
    assert_eq!(
        verbs,
        ["created", "updated", "cancelled", "updated", "updated"]
    );
    assert!(
        life.iter().all(|(_, subject)| *subject == life[0].1),
        "{life:?}"
    );
    assert_eq!(events.len(), 7, "the others were told once");
}

/// A small generator of its own: the same seed makes the same sheets.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % n
    }
    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }
}

const HEADER: &str =
    "Titre,Date,Début,Fin,Salle,Type,Statut,Public/Interne,Contact,Description,Crédits,Places";

fn line(dice: &mut Dice) -> String {
    let cells = [
        dice.one(&[
            "Bal",
            "Repas partagé",
            "=HYPERLINK(1)",
            "@all",
            "<b>Ciné</b>",
            "Atelier \u{202e}vélo",
            "Chorale",
        ]),
        dice.one(&[
            "2027-01-09",
            "10/01/2027",
            "sam. 16 janvier 2027",
            "2027-03-28",
            "31/02/2027",
            "du 4 au 6 février 2027",
            "",
        ]),
        dice.one(&["20:30", "19h30", "18h", "9", "25h", "", "journée"]),
        dice.one(&["22:00", "23h59", "", "02:00", "midi"]),
        dice.one(&["Halle", "Grand hangar", "", "🎪"]),
        dice.one(&["Concert", "Réunion", "Atelier", "", "?"]),
        dice.one(&[
            "",
            "Confirmé",
            "Annulé",
            "Complet",
            "À confirmer",
            "peut-être",
        ]),
        dice.one(&["", "Public", "Interne", "bof"]),
        dice.one(&["", "Marie Hoarau <marie@example.org>", "0692 00 00 00"]),
        dice.one(&[
            "",
            "Entrée libre",
            "\"Deux\nlignes\"",
            "Une longue description",
        ]),
        dice.one(&["", "2", "1,5", "-3", "beaucoup"]),
        dice.one(&["", "40", "0", "1e9"]),
    ];
    cells.join(",")
}

struct Nothing;

impl Render for Nothing {
    fn render(&self, _: &ConnectorName, _: Subject<'_>, _: &Context<'_>) -> Rendered {
        Rendered::Nothing
    }
}

fn opened(place: &Place) -> (Tools, raccord_model::Rules) {
    let config = place.folder.path().join("raccord.toml");
    let settings = settings::load(&config, &BTreeMap::new()).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(raccord_kit::SystemClock::default());
    let tools = connectors::build(&settings, &clock, std::path::Path::new("raccord")).unwrap();
    let rules = settings::rules(&settings, &tools, b"salt");
    (tools, rules)
}

#[test]
fn every_event_of_a_thousand_sheets_is_valid() {
    let place =
        Place::with("[guards]\nsecond_look = '0s'\ncancel_share = 1.0\nchange_share = 1.0\n");
    let (tools, rules) = opened(&place);
    let sheet: ConnectorName = "sheet".parse().unwrap();
    let source = tools[&sheet].source().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut engine = Engine::new();
    let mut now: Timestamp = "2027-01-02T08:00:00Z".parse().unwrap();
    let mut dice = Dice(2027);
    let mut sheets = vec![line(&mut dice)];
    let mut checked = 0;
    for round in 0..1_000_u128 {
        // A new place every fifty: what is past only makes the test slower.
        if round % 50 == 0 {
            engine = Engine::new();
            let configure = Input::Configure(Box::new(rules.clone()));
            engine.step(vec![configure], now, round.to_le_bytes(), &Nothing);
        }
        for _ in 0..=dice.below(3) {
            let at = dice.below(sheets.len());
            match dice.below(4) {
                0 if sheets.len() > 3 => drop(sheets.remove(at)),
                1 => sheets[at] = line(&mut dice),
                _ if sheets.len() < 6 => sheets.insert(at, line(&mut dice)),
                _ => sheets.swap(at, 0),
            }
        }
        place.write(
            "programme.csv",
            &format!("{HEADER}\n{}\n", sheets.join("\n")),
        );
        let seen = runtime.block_on(source.observe(None));
        let seen = Input::Observed {
            source: sheet.clone(),
            seen,
        };
        now += SignedDuration::from_secs(30);
        let step = engine.step(vec![seen, Input::Tick], now, round.to_le_bytes(), &Nothing);
        for mut event in step.events {
            engine.vault().reveal(&mut event.data);
            let json =
                serde_json::to_value(Envelope::of(&event, &"lieu".parse().unwrap())).unwrap();
            let envelope = Envelope::from_json(json.clone())
                .unwrap_or_else(|error| panic!("{error:?}: {json}"));
            let (kind, verb) = envelope.raccord_type().unwrap();
            let faults = Schemas::shared().check(kind, verb, &json["data"]);
            assert!(faults.is_empty(), "{faults:?}: {json}");
            checked += 1;
        }
    }
    assert!(checked > 2_000, "only {checked} events");
}
