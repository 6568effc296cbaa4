//! The sample programme as entities, and a connector set up in a folder: shared by tests and the
//! example.

#![allow(
    clippy::unwrap_used,
    dead_code,
    reason = "tests; not each uses all of it"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::civil::{Date, Time, date};
use raccord_kit::{Job, Kit, ManualClock, Tool};
use raccord_model::{
    Context, Desired, Entity, EntityId, EntityKind, Lang, Link, Place, Rendered, Subject,
};
use serde_json::{Value, json};

/// The day the tests are on.
pub(crate) const TODAY: Date = date(2027, 1, 2);

pub(crate) fn place() -> Place {
    Place {
        id: "raffinerie".parse().unwrap(),
        name: "La Raffinerie".to_owned(),
        zone: "Indian/Reunion".to_owned(),
        lang: Lang::Fr,
        public_url: String::new(),
    }
}

pub(crate) fn kit(base: &Path, place: Place) -> (Kit, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at("2027-01-02T04:00:00Z".parse().unwrap()));
    let kit = Kit {
        name: "public-site".parse().unwrap(),
        place,
        colour: String::new(),
        base: base.to_owned(),
        clock: clock.clone(),
        allow_private: Arc::new([]),
        templates: std::sync::Arc::default(),
        signups: std::sync::Arc::from([]),
        has_hands: false,
        program: "raccord".into(),
    };
    (kit, clock)
}

pub(crate) fn site(base: &Path, settings: Value) -> (Box<dyn Tool>, Arc<ManualClock>) {
    let (kit, clock) = kit(base, place());
    let build = raccord_connector_website::CONNECTOR.build;
    (build(settings, &kit).unwrap(), clock)
}

pub(crate) fn entity(name: &str, fields: Value) -> Entity {
    Entity {
        id: EntityId::derive(&[name.as_bytes()]),
        kind: EntityKind::Activity,
        revision: 1,
        source: "programme-sheet".to_owned(),
        fields: serde_json::from_value(fields).unwrap(),
    }
}

pub(crate) fn publication() -> EntityId {
    EntityId::derive(&[b"raffinerie", b"public-site", b"all"])
}

/// The 45 lines of the sample programme, by start.
pub(crate) fn sample() -> Vec<Entity> {
    let lines: Vec<Value> =
        serde_json::from_str(include_str!("../programme.expected.json")).unwrap();
    let mut all: Vec<Entity> = lines.iter().map(from_line).collect();
    all.sort_by_key(|entity| entity.text("start").to_owned());
    all
}

fn from_line(line: &Value) -> Entity {
    let text = |key: &str| line[key].as_str().unwrap_or_default();
    let day: Date = text("date").parse().unwrap();
    let time = |key: &str| -> Time { text(key).parse().unwrap() };
    let ends = if time("end") <= time("start") {
        day.tomorrow().unwrap()
    } else {
        day
    };
    let mut fields = json!({
        "title": text("title"),
        "kind": text("type"),
        "start": format!("{day}T{}", text("start")),
        "end": format!("{ends}T{}", text("end")),
        "room": text("room"),
        "organiser": text("org"),
        "contact": text("mail"),
        "description": text("desc"),
        "guide": text("doc"),
        "visibility": if text("pub") == "Interne" { "internal" } else { "public" },
        "status": match text("status") {
            "Complet" => "full",
            "À confirmer" => "tentative",
            "Annulé" => "cancelled",
            _ => "confirmed",
        },
    });
    if let Some(capacity) = line["cap"].as_u64() {
        fields["capacity"] = json!(capacity);
    }
    if let Some(credits) = line["cred"].as_f64() {
        #[allow(clippy::cast_possible_truncation, reason = "small amounts")]
        let hundredths = (credits * 100.0).round() as i64;
        fields["credits"] = json!(hundredths);
    }
    entity(text("key"), fields)
}

pub(crate) fn rendered(
    tool: &dyn Tool,
    subject: Subject<'_>,
    lang: Lang,
    today: Date,
) -> Option<Desired> {
    let place = place();
    let context = Context {
        place: &place,
        lang,
        today,
        route: None,
    };
    match tool.sink().unwrap().render(subject, &context) {
        Rendered::Object(desired) => Some(desired),
        Rendered::Nothing => None,
    }
}

pub(crate) fn page(tool: &dyn Tool, entity: &Entity) -> Option<Desired> {
    let subject = Subject::Entity {
        entity,
        parent: None,
        tasks: &[],
    };
    rendered(tool, subject, Lang::Fr, TODAY)
}

pub(crate) fn programme(tool: &dyn Tool, members: &[Entity], lang: Lang, today: Date) -> Desired {
    let subject = Subject::Publication {
        id: publication(),
        key: "all",
        members,
    };
    rendered(tool, subject, lang, today).unwrap()
}

pub(crate) fn write(entity: EntityId, desired: Desired) -> Job {
    Job::Write {
        entity,
        desired,
        link: None,
    }
}

pub(crate) fn remove(entity: EntityId, external: &str) -> Job {
    let link = Link {
        external: external.to_owned(),
        tag: None,
        hash: raccord_model::Digest::default(),
        revision: 1,
        url: None,
    };
    Job::Remove { entity, link }
}

/// Writes the whole site of `members`, as the engine would have it.
pub(crate) async fn publish(tool: &dyn Tool, members: &[Entity], lang: Lang, today: Date) {
    let sink = tool.sink().unwrap();
    for entity in members {
        let subject = Subject::Entity {
            entity,
            parent: None,
            tasks: &[],
        };
        if let Some(desired) = rendered(tool, subject, lang, today) {
            sink.apply(&write(entity.id, desired)).await.unwrap();
        }
    }
    let desired = programme(tool, members, lang, today);
    sink.apply(&write(publication(), desired)).await.unwrap();
}

/// Every file of the folder.
pub(crate) fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = std::fs::read(&path).unwrap();
                found.insert(path, bytes);
            }
        }
    }
    found
}
