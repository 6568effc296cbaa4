//! What people read, looked at in both languages.

#![allow(clippy::unwrap_used, reason = "tests")]

use jiff::Timestamp;
use jiff::tz::TimeZone;
use raccord_kit::{Finding, Level};
use raccord_model::{Action, Blame, ConnectorName, DeliveryId, EntityId, HoldId, Lang, Words};
use serde_json::json;

use super::*;
use crate::locale::View;

fn view(lang: Lang) -> View {
    View {
        lang,
        zone: TimeZone::get("Indian/Reunion").unwrap(),
        now: at("2027-01-02T08:00:00Z"),
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn name(text: &str) -> ConnectorName {
    text.parse().unwrap()
}

fn look(shape: &impl Shape, lang: Lang) -> String {
    anstream::adapter::strip_str(&text(shape, &view(lang))).to_string()
}

/// Snapshots the same answer in French and in English.
macro_rules! both {
    ($name:literal, $shape:expr) => {{
        let shape = $shape;
        insta::assert_snapshot!(concat!($name, "-fr"), look(&shape, Lang::Fr));
        insta::assert_snapshot!(concat!($name, "-en"), look(&shape, Lang::En));
    }};
}

fn effect(connector: &str, action: Action, title: &str) -> EffectShape {
    EffectShape {
        connector: name(connector),
        entity: EntityId::derive(&[title.as_bytes()]),
        action,
        due: None,
        title: title.to_owned(),
        start: Some("2027-01-16T15:00".parse().unwrap()),
        before: None,
        after: None,
        text: None,
        delivery: None,
        url: None,
        unchanged: false,
    }
}

fn effects() -> Vec<EffectShape> {
    let moved = EffectShape {
        before: Some("Chantier isolation\nGrande halle\n9 h 30".into()),
        after: Some("Chantier isolation\nGrand hangar\n9 h 30".into()),
        ..effect("public-site", Action::Update, "Chantier isolation")
    };
    let announced = EffectShape {
        due: Some(at("2027-01-02T08:05:00Z")),
        start: None,
        ..effect("chat", Action::Send, "Bal de la Chandeleur")
    };
    vec![
        effect("public-site", Action::Create, "Repair café"),
        moved,
        effect("public-site", Action::Cancel, "Scène \u{1b}[2Jouverte"),
        announced,
    ]
}

fn hold() -> HoldShape {
    HoldShape {
        id: HoldId::derive(&[b"hold"]),
        source: "programme-sheet".into(),
        code: "mass-cancellation".into(),
        reason: "14 activités sur 45 ont disparu d'un coup.".into(),
        opened: at("2027-01-01T06:00:00Z"),
        effects: vec![effect("public-site", Action::Cancel, "Repas partagé")],
        noticed_in: vec![],
    }
}

fn dead() -> DeadShape {
    DeadShape {
        id: DeliveryId::derive(&[b"dead"]),
        connector: name("anything"),
        entity: EntityId::derive(&[b"x"]),
        title: "Bourse aux graines".into(),
        failure: Blame::Data,
        code: "webhook.refused".into(),
        since: at("2027-01-01T06:00:00Z"),
        text: "Le destinataire a répondu 422.".into(),
        next: "Demandez à qui tient ce service ce qu'il refuse.".into(),
    }
}

fn unread() -> UnreadShape {
    UnreadShape {
        source: "programme-sheet".into(),
        sheet: "JANVIER".into(),
        row: 12,
        column: "D".into(),
        code: "time-unreadable".into(),
        found: "25h".into(),
        write: "Écrivez par exemple 18:30.".into(),
    }
}

#[test]
fn a_plan_tells_what_each_tool_will_show() {
    let missing = MissingShape {
        entity: EntityId::derive(&[b"m"]),
        title: "Comité programmation".into(),
        source: "programme-sheet".into(),
        sheet: "JANVIER".into(),
        row: 8,
        since: at("2027-01-02T08:00:00Z"),
        until: at("2027-01-02T08:01:00Z"),
    };
    let plan = PlanShape {
        effects: effects(),
        holds: vec![hold()],
        missing: vec![missing],
        unread: vec![unread()],
        ..PlanShape::default()
    };
    assert_eq!(plan.exit(), Exit::Attention);
    both!("plan", plan);
}

#[test]
fn nothing_to_do_is_said_in_one_line() {
    assert_eq!(PlanShape::default().exit(), Exit::Done);
    both!("plan-empty", PlanShape::default());
    both!("sync-empty", SyncShape::default());
    both!("holds-empty", HoldListShape::default());
    both!("dead-empty", DeadListShape::default());
    both!("ledger-empty", LedgerShape::default());
}

#[test]
fn a_pass_tells_what_it_did_and_what_waits() {
    let sync = SyncShape {
        observed: 1,
        events: 3,
        done: 4,
        effects: [
            effects(),
            vec![effect("public-site", Action::Create, "Gratiferia")],
        ]
        .concat(),
        later: vec![LaterShape {
            delivery: DeliveryId::derive(&[b"l"]),
            due: Some(at("2027-01-02T08:01:00Z")),
            why: "l'outil ne répond pas".into(),
            connector: name("anything"),
            title: "Repair café".into(),
        }],
        dead: vec![
            dead(),
            DeadShape {
                title: String::new(),
                ..dead()
            },
        ],
        warnings: vec![WarningShape {
            source: "programme-sheet".into(),
            sheet: "JANVIER".into(),
            row: 0,
            code: "unknown-column".into(),
            text: "La colonne « Sono » n'est pas connue, elle ne change rien.".into(),
        }],
        ..SyncShape::default()
    };
    assert_eq!(sync.exit(), Exit::Attention);
    both!("sync", sync);
}

#[test]
fn a_pass_that_only_waits_is_no_failure() {
    let sync = SyncShape {
        later: vec![LaterShape {
            delivery: DeliveryId::derive(&[b"l"]),
            due: None,
            why: "accès refusé".into(),
            connector: name("anything"),
            title: "Repair café".into(),
        }],
        ..SyncShape::default()
    };
    assert_eq!(sync.exit(), Exit::Done);
    both!("sync-waits", sync);
}

#[test]
fn why_reads_from_the_effect_back_to_the_cell() {
    let step = |kind, hour: Option<&str>, text: &str, reference: &str| StepShape {
        kind,
        at: hour.map(at),
        text: text.into(),
        reference: reference.into(),
    };
    let why = WhyShape {
        effect: "« Chantier isolation » dans « public-site »".into(),
        chain: vec![
            step(
                StepKind::Effect,
                Some("2027-01-02T08:00:03Z"),
                "page modifiée",
                "activities/x.html",
            ),
            step(
                StepKind::Rule,
                None,
                "les activités publiques vont au site",
                "",
            ),
            step(
                StepKind::Cell,
                Some("2027-01-02T08:00:01Z"),
                "salle : Grande halle → Grand hangar",
                "JANVIER!F9",
            ),
        ],
    };
    both!("why", why);
}

#[test]
fn what_was_right_already_is_told_in_one_line_and_is_no_change() {
    let right = |title: &str| EffectShape {
        unchanged: true,
        ..effect("public-site", Action::Update, title)
    };
    let mut effects = vec![right("Repair café"), right("Bal")];
    let pass = |effects: &[EffectShape]| SyncShape {
        effects: effects.to_vec(),
        ..SyncShape::default()
    };
    both!("sync-right", pass(&effects));
    effects.push(effect("public-site", Action::Update, "Repas partagé"));
    both!("sync-partly-right", pass(&effects));
}

#[test]
fn the_ledger_counts_in_hundredths_and_reads_in_units() {
    let person = EntityId::derive(&[b"p"]);
    let ledger = LedgerShape {
        balances: vec![BalanceShape {
            person,
            name: String::new(),
            email: String::new(),
            amount: 350,
        }],
        entries: vec![EntryShape {
            id: EntityId::derive(&[b"c"]),
            person,
            amount: 350,
            reason: "Chantier isolation".into(),
            cause: "x".into(),
            state: "granted".into(),
            number: 1,
            at: None,
            day: None,
            name: String::new(),
        }],
        ..LedgerShape::default()
    };
    both!("ledger", ledger);
}

#[test]
fn a_wallet_tells_what_went_in_and_out() {
    let movement = |amount, what: &str, at: Option<&str>| MovementShape {
        at: at.map(|at| at.parse().unwrap()),
        amount,
        what: what.to_owned(),
    };
    let wallets = WalletsShape(vec![
        WalletShape {
            connector: "porte-monnaie".into(),
            amount: 180,
            movements: vec![
                movement(300, "Crédits bénévoles : Bar", Some("2027-01-02T20:00:00Z")),
                movement(-120, "Dépensé à une caisse", None),
            ],
            failure: None,
        },
        WalletShape {
            connector: "autre".into(),
            ..WalletShape::default()
        },
        WalletShape {
            connector: "muet".into(),
            failure: Some("Fedow ne répond pas.".into()),
            ..WalletShape::default()
        },
    ]);
    assert_eq!(wallets.exit(), Exit::Failed);
    both!("wallets", wallets);
    both!("wallets-none", WalletsShape::default());
}

#[test]
fn a_year_of_volunteering_says_what_it_counts() {
    both!(
        "volunteering-none",
        VolunteeringShape {
            year: 2026,
            ..VolunteeringShape::default()
        }
    );
    let work = |kind: Option<&str>, minutes, value| WorkShape {
        kind: kind.map(str::to_owned),
        presences: 12,
        people: 1,
        minutes,
        value: Some(value),
    };
    let year = VolunteeringShape {
        year: 2026,
        presences: 24,
        people: 2,
        minutes: 61_230,
        without_length: 1,
        hour: Some(1_250),
        currency: Some("€".into()),
        value: Some(1_275_625),
        kinds: vec![
            work(Some("Chantier"), 61_200, 1_275_000),
            work(None, 30, 625),
        ],
        named: vec!["Ana".into(), "Jean-Noé".into()],
    };
    both!("volunteering", year);
}

#[test]
fn check_lists_every_tool_and_every_mend() {
    let check = |lang| CheckShape {
        lang,
        tools: vec![
            ToolShape {
                name: name("programme-sheet"),
                kind: "spreadsheet".into(),
                well: true,
            },
            ToolShape {
                name: name("anything"),
                kind: "webhook".into(),
                well: false,
            },
        ],
        findings: vec![Finding {
            place: "raccord.toml:12 connectors.anything".into(),
            code: "webhook.unreachable".into(),
            level: Level::Error,
            text: Words::new(
                "Personne ne répond à cette adresse.",
                "Nobody answers at that address.",
            ),
            mend: Words::new("Vérifiez `url`.", "Check `url`."),
        }],
    };
    assert_eq!(check(Lang::Fr).exit(), Exit::Failed);
    insta::assert_snapshot!("check-fr", look(&check(Lang::Fr), Lang::Fr));
    insta::assert_snapshot!("check-en", look(&check(Lang::En), Lang::En));
    insta::assert_json_snapshot!("check-json", check(Lang::En));
}

#[test]
fn log_lines_are_short() {
    let line = LogLine(json!({
        "specversion": "1.0", "id": "1", "source": "x", "time": "2027-01-02T08:00:00Z",
        "type": "org.raccord.activity.updated.v1", "subject": "5b1c",
        "data": {"title": "Repair café", "start": "2027-01-16T15:00", "changed": ["/room", "/end"]},
    }));
    both!("log", line);
}

#[test]
fn deeds_are_told_in_full() {
    both!(
        "restored",
        DeedShape {
            did: Deed::Restored,
            reference: "sauvegarde.raccord".into(),
            effects: vec![],
            commits: Some(120),
            bytes: None,
        }
    );
    both!(
        "approved",
        DeedShape {
            did: Deed::Approved,
            reference: HoldId::derive(&[b"hold"]).to_string(),
            effects: vec![effect("public-site", Action::Cancel, "Repas partagé")],
            commits: None,
            bytes: None,
        }
    );
}

#[test]
fn json_leaves_out_what_is_not_known() {
    let plan = PlanShape {
        effects: effects(),
        holds: vec![hold()],
        ..PlanShape::default()
    };
    let value = serde_json::to_value(&plan).unwrap();
    assert!(!value.to_string().contains("null"), "{value}");
    for key in ["effects", "holds", "missing", "unread"] {
        assert!(value.get(key).is_some(), "{key}");
    }
    assert_eq!(value["effects"][0]["action"], "create");
}
