//! Every schema compiles, accepts each of its good examples and refuses each of its bad ones.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::json;

use super::*;
use crate::PERSONAL;

fn folder() -> PathBuf {
    PathBuf::from("../../schemas")
}

/// The examples of a schema, by file name.
fn examples(name: &str, verdict: &str) -> Vec<(String, Value)> {
    let folder = folder().join(name).join("examples").join(verdict);
    let mut found: Vec<(String, Value)> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let value = serde_json::from_str(&text).unwrap();
            (path.display().to_string(), value)
        })
        .collect();
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    assert!(!found.is_empty(), "{name} has no {verdict} example");
    found
}

fn verdicts(name: &str, check: impl Fn(&Value) -> Vec<Fault>) {
    for (file, value) in examples(name, "ok") {
        assert_eq!(check(&value), [], "{file}");
    }
    for (file, value) in examples(name, "bad") {
        let faults = check(&value);
        assert_eq!(faults.len(), 1, "{file} breaks one thing: {faults:#?}");
        for fault in faults {
            let missing = fault.detail.en == "is missing";
            assert_eq!(
                value.pointer(&fault.pointer).is_none(),
                missing,
                "{file}: {fault:?}"
            );
        }
    }
}

#[test]
fn every_event_type_has_a_schema_and_its_examples_get_their_verdicts() {
    let schemas = Schemas::new();
    for kind in EntityKind::ALL {
        for &verb in Verb::of(kind) {
            assert!(Schemas::text(&format!("org.raccord.{kind}.{verb}.v1")).is_some());
            verdicts(&format!("{kind}.{verb}"), |data| {
                schemas.check(kind, verb, data)
            });
        }
        verdicts(&format!("{kind}.posted"), |data| {
            schemas.check_posted(kind, Verb::Created, data)
        });
    }
}

#[test]
fn every_entity_has_a_schema_and_its_examples_get_their_verdicts() {
    for kind in EntityKind::ALL {
        let validator = compile::embedded(kind, format_args!("{kind}/v1"));
        verdicts(kind.as_str(), |data| faults(&validator, data));
    }
}

#[test]
fn what_places_share_has_a_schema_and_its_examples_get_their_verdicts() {
    let validator = compile::embedded(EntityKind::Activity, format_args!("shared/v1"));
    verdicts("shared", |data| faults(&validator, data));
}

#[test]
fn the_catalogue_is_what_lies_in_the_folder_and_ids_are_their_addresses() {
    let mut there = BTreeSet::new();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if folder().join(&name).join("v1.json").exists() {
            there.insert(format!("{name}/v1"));
        }
    }
    let listed: BTreeSet<String> = Schemas::names().map(str::to_owned).collect();
    assert_eq!(listed, there, "run `cargo xtask schemas`");
    for name in listed {
        let schema: Value = serde_json::from_str(Schemas::text(&name).unwrap()).unwrap();
        assert_eq!(
            schema["$id"],
            format!("https://schemas.raccord.org/{name}.json")
        );
        assert_eq!(
            schema["$schema"],
            "https://json-schema.org/draft/2020-12/schema"
        );
    }
}

#[test]
fn the_verbs_of_a_schema_are_those_of_the_model() {
    for kind in EntityKind::ALL {
        let text = Schemas::text(&format!("{kind}/v1")).unwrap();
        let schema: Value = serde_json::from_str(text).unwrap();
        let verbs: Vec<&str> = Verb::of(kind).iter().map(|verb| verb.as_str()).collect();
        assert_eq!(schema["x-verbs"], json!(verbs), "{kind}");
    }
}

/// Forgetting empties a personal value's slot: what is left must still be valid.
#[test]
fn no_personal_value_is_ever_required() {
    for (kind, fields) in PERSONAL {
        let text = Schemas::text(&format!("{kind}/v1")).unwrap();
        let schema: Value = serde_json::from_str(text).unwrap();
        let required = schema["required"].as_array().unwrap();
        for field in *fields {
            assert!(schema["properties"][field].is_object(), "{kind}.{field}");
            assert!(!required.contains(&json!(field)), "{kind}.{field}");
        }
    }
}

#[test]
fn a_reference_to_the_network_or_to_a_file_is_refused() {
    for address in [
        "http://127.0.0.1:9/x.json",
        "https://example.org/x.json",
        "file:///etc/hosts",
    ] {
        let schema = json!({ "$ref": address });
        assert!(compile::with(&schema, []).is_err(), "{address}");
    }
}

#[test]
fn a_fault_names_the_place_and_never_the_value() {
    let data = json!({
        "title": "x", "start": "2027-02-30", "room": 12, "capacity": 1.0, "colour": "canary",
        "contact": { "canary": 1 }, "url": "canary", "a/b": 1, "series": { "index": "canary" },
    });
    let faults = Schemas::shared().check_posted(EntityKind::Activity, Verb::Updated, &data);
    let places: BTreeSet<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
    let expected = [
        "/a~1b",
        "/capacity",
        "/colour",
        "/contact",
        "/room",
        "/series/id",
        "/series/index",
        "/start",
        "/url",
    ];
    assert_eq!(places, expected.into(), "{faults:#?}");
    for fault in &faults {
        assert!(!format!("{fault:?}").contains("canary"), "{fault:?}");
    }
}

#[test]
fn a_fault_is_told_in_both_languages() {
    let data = json!({
        "title": "", "start": "tomorrow", "room": 12, "capacity": -1, "status": "maybe",
        "description": "x".repeat(200_000), "url": "here", "tags": "one", "colour": 1,
        "all_day": "yes", "zone": "?", "series": { "id": 3 },
    });
    let faults = Schemas::shared().check_posted(EntityKind::Activity, Verb::Updated, &data);
    assert!(faults.len() >= 12, "{faults:#?}");
    for fault in &faults {
        let Words { fr, en } = &fault.detail;
        assert!(!fr.is_empty() && !en.is_empty() && fr != en, "{fault:?}");
        assert_ne!(en, "fits none of the accepted forms", "{fault:?}");
    }
}

#[test]
fn a_flood_of_faults_is_cut() {
    let data: Value = (0..10_000)
        .map(|n| (format!("f{n}"), json!(n)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let faults = Schemas::shared().check_posted(EntityKind::Task, Verb::Created, &data);
    assert_eq!(faults.len(), 50);
}

#[test]
fn a_verb_the_entity_does_not_have_is_a_fault() {
    let schemas = Schemas::shared();
    assert_eq!(
        schemas
            .check(EntityKind::Activity, Verb::Granted, &json!({}))
            .len(),
        1
    );
    assert_eq!(
        schemas
            .check_posted(EntityKind::Activity, Verb::Granted, &json!({}))
            .len(),
        1
    );
}

/// Shared fields are whole numbers: `limits` refuses all others without asking the schema.
#[test]
fn no_shared_field_is_a_broken_number() {
    for name in Schemas::names() {
        assert!(
            !Schemas::text(name).unwrap().contains("\"number\""),
            "{name}"
        );
    }
}
