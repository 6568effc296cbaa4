//! What is offered to the network, and what the network offers.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::fs;
use std::path::Path;

use common::{TODAY, entity, page, publish, site};
use jiff::SignedDuration;
use raccord_kit::Tool;
use raccord_model::{Entity, Lang};
use serde_json::{Value, json};

fn text(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap()
}

fn shared(folder: &Path) -> Value {
    serde_json::from_str(&text(folder, "shared.json")).unwrap()
}

fn titles(folder: &Path) -> Vec<String> {
    let shared = shared(folder);
    let activities = shared["activities"].as_array().unwrap().iter();
    activities
        .map(|activity| activity["title"].as_str().unwrap().to_owned())
        .collect()
}

async fn show(tool: &dyn Tool, members: &[Entity]) {
    publish(tool, members, Lang::Fr, TODAY).await;
}

fn ours(name: &str, more: &Value) -> Entity {
    let mut fields = json!({ "title": name, "start": "2027-01-05T10:00", "kind": "Concert" });
    for (key, value) in more.as_object().unwrap() {
        fields[key] = value.clone();
    }
    entity(name, fields)
}

fn theirs(name: &str) -> Entity {
    ours(
        name,
        &json!({
            "origin": "Le Jardin", "origin_url": "https://jardin.example.org/",
            "room": "Le Jardin · Serre", "url": "https://jardin.example.org/activities/x.html",
            "shared": true,
        }),
    )
}

#[tokio::test]
async fn what_the_line_or_the_settings_say_is_offered_and_nothing_personal_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let settings = json!({
        "output": ".", "base_url": "https://e.org", "share": { "kind": ["Fête"] },
    });
    let (tool, _) = site(folder.path(), settings);
    let canary = json!({
        "shared": true, "contact": "canary@example.org", "organiser": "canary-organiser",
        "guide": "https://canary.example.org", "credits": 150, "extra": { "note": "canary-extra" },
        "description": "Venez !", "room": "Halle",
    });
    show(
        &*tool,
        &[
            ours("Marqué", &canary),
            ours("Tu", &json!({})),
            ours("Par règle", &json!({ "kind": "fêtes" })),
            ours("Refusé", &json!({ "kind": "Fête", "shared": false })),
            ours(
                "Interne",
                &json!({ "visibility": "internal", "shared": true }),
            ),
            ours("Brouillon", &json!({ "status": "draft", "shared": true })),
            ours("Annulé", &json!({ "status": "cancelled", "shared": true })),
            ours(
                "Passé",
                &json!({ "start": "2027-01-01T10:00", "shared": true }),
            ),
            theirs("Venu d'ailleurs"),
        ],
    )
    .await;
    assert_eq!(titles(folder.path()), ["Marqué", "Par règle"]);
    let calendar = text(folder.path(), "shared.ics");
    assert_eq!(calendar.matches("BEGIN:VEVENT").count(), 2);
    for file in ["shared.json", "shared.ics"] {
        assert!(!text(folder.path(), file).contains("canary"), "{file}");
    }
    let shared = shared(folder.path());
    assert_eq!(shared["place"]["id"], "raffinerie");
    assert_eq!(shared["place"]["url"], "https://e.org/index.html");
    assert!(shared.get("shares_nothing").is_none());
    let first = &shared["activities"][0];
    assert!(
        first["url"]
            .as_str()
            .unwrap()
            .starts_with("https://e.org/activities/")
    );
    assert_eq!(
        (&first["room"], &first["zone"]),
        (&json!("Halle"), &json!("Indian/Reunion"))
    );
}

#[tokio::test]
async fn what_is_taken_back_is_gone_and_the_last_one_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (tool, clock) = site(folder.path(), json!({ "output": "." }));
    let marked = |name| ours(name, &json!({ "shared": true }));
    show(&*tool, &[marked("Un"), marked("Deux")]).await;
    let before = text(folder.path(), "shared.json");
    clock.advance(SignedDuration::from_hours(1));
    // Something else changes: who asks again is told that nothing did.
    show(
        &*tool,
        &[marked("Un"), marked("Deux"), ours("Autre", &json!({}))],
    )
    .await;
    assert_eq!(text(folder.path(), "shared.json"), before);
    show(&*tool, &[marked("Un"), ours("Deux", &json!({}))]).await;
    assert_eq!(titles(folder.path()), ["Un"]);
    show(&*tool, &[ours("Un", &json!({})), ours("Deux", &json!({}))]).await;
    assert!(titles(folder.path()).is_empty());
    assert_eq!(shared(folder.path())["shares_nothing"], true, "it is meant");
}

#[tokio::test]
async fn what_other_places_offer_has_a_page_of_its_own_and_is_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let settings = json!({ "output": ".", "base_url": "https://e.org" });
    let (tool, _) = site(folder.path(), settings);
    let (own, other) = (
        ours("Chez nous", &json!({ "shared": true })),
        theirs("canary"),
    );
    assert!(
        page(&*tool, &other).is_none(),
        "no page that looks like ours"
    );
    show(&*tool, &[own.clone(), other]).await;
    let around = text(folder.path(), "around.html");
    for part in [
        "Autour de nous",
        "canary",
        "https://jardin.example.org/activities/x.html",
        "Proposé par <a href=\"https://jardin.example.org/\"",
        "rel=\"nofollow noopener\"",
    ] {
        assert!(around.contains(part), "{part}: {around}");
    }
    assert!(!around.contains("Chez nous"));
    let index = text(folder.path(), "index.html");
    assert!(index.contains("href=\"around.html\"") && !index.contains("canary"));
    for entry in walk(folder.path()) {
        if entry.file_name().unwrap() != "around.html" {
            let bytes = fs::read(&entry).unwrap();
            let found = String::from_utf8_lossy(&bytes).contains("canary");
            assert!(!found, "{}", entry.display());
        }
    }
    show(&*tool, &[own]).await;
    assert!(
        !folder.path().join("around.html").exists(),
        "what left has no page"
    );
    assert!(!text(folder.path(), "index.html").contains("around.html"));
}

#[tokio::test]
async fn many_offers_go_on_to_a_second_page_and_hostile_ones_stay_text() {
    let folder = tempfile::tempdir().unwrap();
    let (tool, _) = site(folder.path(), json!({ "output": "." }));
    let mut all: Vec<Entity> = (0..400).map(|n| theirs(&format!("Bal {n}"))).collect();
    for text in raccord_kit::conformance::HOSTILE {
        let mut hostile = theirs(text);
        for field in ["origin", "origin_url", "url", "kind", "room", "description"] {
            hostile.fields.insert(field.to_owned(), json!(text));
        }
        all.insert(0, hostile);
    }
    show(&*tool, &all).await;
    let pages: Vec<String> = walk(folder.path())
        .iter()
        .filter(|path| {
            path.file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with("around")
        })
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    assert!(pages.len() > 1);
    let shown: usize = pages
        .iter()
        .map(|page| page.matches("<p class=\"title\">").count())
        .sum();
    assert_eq!(shown, 300, "no more than these, however many come");
    for page in pages {
        assert!(page.len() < 44_000);
        for bad in ["<script>alert", "<svg onload", "javascript:", "<img src=x"] {
            let markup = page.contains(&format!("href=\"{bad}"))
                || page.contains(bad) && bad.starts_with('<');
            assert!(!markup, "{bad}");
        }
    }
}

fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut out = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            out.extend(walk(&path));
        } else {
            out.push(path);
        }
    }
    out
}
