//! The sample programme as entities, and letters made of it: shared by tests and the example.

#![allow(
    clippy::unwrap_used,
    dead_code,
    reason = "tests; not each uses all of it"
)]

pub(crate) mod drafts;
pub(crate) mod listmonk;
#[path = "../../../signup/tests/common/office/mod.rs"]
pub(crate) mod office;

use jiff::civil::{Date, DateTime, Time, date};
use raccord_connector_newsletter::CONNECTOR;
use raccord_kit::{Kit, Tool, testing};
use raccord_mail::Sheet;
use raccord_model::{
    Context, Desired, Entity, EntityId, EntityKind, Lang, Rendered, Roundup, RoundupOf, Route,
    Saying, Subject,
};
use serde_json::{Value, json};

/// The hour at which letters of the tests are prepared.
pub(crate) const HOUR: DateTime = date(2027, 1, 2).at(9, 0, 0, 0);

pub(crate) fn kit() -> Kit {
    let mut kit = testing::kit();
    kit.name = "lettre".parse().unwrap();
    "https://programme.example.org".clone_into(&mut kit.place.public_url);
    kit.has_hands = true;
    kit
}

pub(crate) fn smtp() -> Value {
    json!({
        "system": "smtp", "url": "smtp://127.0.0.1:2525", "from": "La Raffinerie <lettre@example.org>",
        "pdf": "https://programme.example.org/programme-{month}.pdf",
        "calendar": "https://programme.example.org/calendar.ics",
    })
}

pub(crate) fn list() -> Value {
    let mut settings = smtp();
    settings["system"] = json!("mailing-list");
    settings["list"] = json!("programme@lists.example.org");
    settings
}

pub(crate) fn tool(settings: Value, kit: &Kit) -> Box<dyn Tool> {
    (CONNECTOR.build)(settings, kit).unwrap()
}

pub(crate) fn entity(kind: EntityKind, name: &str, fields: Value) -> Entity {
    Entity {
        id: EntityId::derive(&[name.as_bytes()]),
        kind,
        revision: 1,
        source: "programme-sheet".to_owned(),
        fields: serde_json::from_value(fields).unwrap(),
    }
}

/// The 45 lines of the sample programme, by start, and three tasks that lack hands.
pub(crate) fn sample() -> Vec<Entity> {
    let lines = include_str!("../../../website/tests/programme.expected.json");
    let lines: Vec<Value> = serde_json::from_str(lines).unwrap();
    let mut all: Vec<Entity> = lines.iter().map(from_line).collect();
    all.sort_by_key(|entity| entity.text("start").to_owned());
    let called = |title: &str| {
        all.iter()
            .find(|one| one.text("title").contains(title))
            .unwrap()
    };
    let tasks = [
        ("Rangement", "Préparer le café", 1, ""),
        (
            "vélo",
            "Accueillir à l’atelier",
            2,
            "https://wiki.example.org/atelier",
        ),
        ("Permanence", "Tenir la permanence", 1, ""),
    ];
    let tasks: Vec<Entity> = tasks
        .into_iter()
        .map(|(activity, title, hands, guide)| {
            let activity = called(activity).id;
            let fields =
                json!({ "title": title, "activity": activity, "capacity": hands, "guide": guide });
            entity(EntityKind::Task, title, fields)
        })
        .collect();
    all.extend(tasks);
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
    let fields = json!({
        "title": text("title"),
        "kind": text("type"),
        "start": format!("{day}T{}", text("start")),
        "end": format!("{ends}T{}", text("end")),
        "room": text("room"),
        "visibility": if text("pub") == "Interne" { "internal" } else { "public" },
        "status": match text("status") {
            "Complet" => "full",
            "À confirmer" => "tentative",
            "Annulé" => "cancelled",
            _ => "confirmed",
        },
        "url": format!("https://programme.example.org/activities/{}.html", text("key").len()),
    });
    entity(EntityKind::Activity, text("key"), fields)
}

/// The letter of a round-up.
pub(crate) fn letter(
    tool: &dyn Tool,
    kit: &Kit,
    of: RoundupOf,
    lang: Lang,
    members: &[Entity],
) -> Option<Desired> {
    letter_by(None, tool, kit, of, lang, members)
}

/// The same, as a route asks for it.
pub(crate) fn letter_by(
    route: Option<&Route>,
    tool: &dyn Tool,
    kit: &Kit,
    of: RoundupOf,
    lang: Lang,
    members: &[Entity],
) -> Option<Desired> {
    let roundup = Roundup { of, at: Vec::new() };
    let saying = Saying::Roundup {
        roundup: &roundup,
        at: HOUR,
        members,
    };
    let id = EntityId::derive(&[b"issue"]);
    rendered(route, tool, kit, lang, Subject::Saying { id, saying })
}

/// What becomes of a subject.
pub(crate) fn rendered(
    route: Option<&Route>,
    tool: &dyn Tool,
    kit: &Kit,
    lang: Lang,
    subject: Subject<'_>,
) -> Option<Desired> {
    let context = Context {
        place: &kit.place,
        lang,
        today: HOUR.date(),
        route,
    };
    match tool.sink().unwrap().render(subject, &context) {
        Rendered::Object(desired) => Some(desired),
        Rendered::Nothing => None,
    }
}

/// What a prepared letter says: text and HTML.
pub(crate) fn parts(letter: &Desired) -> (String, String) {
    let sheet = Sheet::read(letter.body["sheet"].as_str().unwrap());
    sheet.parts("https://leave.invalid/").unwrap()
}
