//! Writes `/`, `/embed` and every sign-up page, as a program serves them for the activities of a site:
//! `cargo run -p raccord-web --example sample_pages -- ACTIVITIES.json FOLDER [COLOUR]`. For looking
//! at, and for checks in a real browser.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "an example for developers"
)]

#[path = "../tests/common/mod.rs"]
mod common;

use std::path::Path;

use raccord_web::Programme;
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let list: Value = serde_json::from_slice(&std::fs::read(&arguments[0]).unwrap()).unwrap();
    let folder = Path::new(&arguments[1]);
    let activities = list["activities"].as_array().unwrap();
    let world = common::World::new().await;
    *world.place.programme.lock().unwrap() = Programme {
        activities: activities.iter().map(common::activity).collect(),
        more: 0,
        undated: Vec::new(),
    };
    if let Some(colour) = arguments.get(2) {
        colour.clone_into(&mut world.place.colour.lock().unwrap());
    }
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(
        folder.join(raccord_look::LETTERS_FILE),
        raccord_look::LETTERS,
    )
    .unwrap();
    let mut pages: Vec<(String, String)> = [
        ("programme.html", "/"),
        ("embed.html", "/embed"),
        ("embed-2.html", "/embed?page=2"),
    ]
    .map(|(name, path)| (name.to_owned(), path.to_owned()))
    .into();
    for name in common::screens::NAMES {
        for lang in ["fr", "en"] {
            let path = format!("/hands?k={name}&lang={lang}");
            pages.push((format!("hands-{name}-{lang}.html"), path));
        }
    }
    for (name, path) in pages {
        let answer = world.get(&path).await;
        if answer.status == 200 {
            std::fs::write(folder.join(name), answer.body).unwrap();
        }
    }
}
