//! Writes the site of the sample programme: `cargo run -p raccord-connector-website --example
//! sample_site -- FOLDER [fr|en] [2027-01-02] [BASE_URL] [LINES] [COLOUR] [AROUND]`; an empty word leaves a
//! choice to its default, LINES may be another site's `activities.json`, and AROUND is how many
//! activities another place offers. For looking at, and for the checks by programs that are not ours.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "an example for developers"
)]

#[path = "../tests/common/mod.rs"]
mod common;

use std::path::Path;

use raccord_model::{Entity, Lang};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let given = |index: usize| arguments.get(index).filter(|text| !text.is_empty());
    let folder = Path::new(given(0).expect("say where to write the site"));
    let lang = given(1).map_or(Lang::Fr, |lang| lang.parse().unwrap());
    let today = given(2).map_or(common::TODAY, |today| today.parse().unwrap());
    let mut settings = json!({ "output": "." });
    if let Some(base) = given(3) {
        settings["base_url"] = json!(base);
    }
    let mut members = match given(4) {
        Some(file) if Path::new(file).is_file() => others(Path::new(file)),
        Some(lines) => public(lines.parse().unwrap()),
        None => common::sample(),
    };
    let around = given(6).map_or(0, |count| count.parse().unwrap());
    members.extend(public(around).into_iter().map(theirs));
    let (mut kit, _) = common::kit(folder, common::place());
    kit.colour = given(5).cloned().unwrap_or_default();
    let tool = (raccord_connector_website::CONNECTOR.build)(settings, &kit).unwrap();
    common::publish(&*tool, &members, lang, today).await;
}

/// The activities of another site.
fn others(file: &Path) -> Vec<Entity> {
    let list: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let one = |activity: &Value| common::entity(activity["id"].as_str().unwrap(), activity.clone());
    list["activities"]
        .as_array()
        .unwrap()
        .iter()
        .map(one)
        .collect()
}

/// The same as another place would offer it.
fn theirs(mut entity: Entity) -> Entity {
    for (name, text) in [
        ("origin", "Le Jardin"),
        ("origin_url", "https://jardin.example.org/"),
        ("room", "Le Jardin · Serre"),
        ("url", "https://jardin.example.org/activities/1.html"),
    ] {
        entity.fields.insert(name.to_owned(), json!(text));
    }
    entity
}

/// So many public lines: those of the sample, again and again under other titles.
fn public(lines: usize) -> Vec<Entity> {
    let mut sample = common::sample();
    sample.retain(|entity| entity.text("visibility") == "public");
    let line = |index: usize| {
        let mut one = sample[index % sample.len()].clone();
        let turn = index / sample.len();
        if turn > 0 {
            let title = format!("{} ({})", one.text("title"), turn + 1);
            one.fields.insert("title".into(), json!(title));
        }
        // The same title at another time is another activity.
        let name = format!("{}-{index}", one.text("title"));
        one.id = common::entity(&name, json!({})).id;
        one
    };
    let mut all: Vec<Entity> = (0..lines).map(line).collect();
    all.sort_by_key(|entity| entity.text("start").to_owned());
    all
}
