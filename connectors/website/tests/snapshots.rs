//! Each file of a small month, as reviewed.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::fs;

use common::{TODAY, entity, publish, site};
use raccord_model::{Entity, Lang};
use serde_json::json;

fn month() -> Vec<Entity> {
    vec![
        entity(
            "chantier",
            json!({ "title": "Chantier « isolation » & enduits", "kind": "Chantier participatif",
                    "start": "2027-01-02T09:30", "end": "2027-01-02T17:00", "room": "Grande halle",
                    "organiser": "Équipe bâti", "contact": "bati@example.org", "capacity": 15,
                    "credits": 150, "guide": "https://docs.example.org/guides/chantier",
                    "description": "Pose de laine de bois.\n\nDétails : https://example.org/bois.\nVenez !" }),
        ),
        entity(
            "bal",
            json!({ "title": "حفلة 🎉 Bal", "kind": "Concert", "start": "2027-01-09T20:30",
                    "end": "2027-01-10T00:30", "status": "full", "tags": ["danse"],
                    "url": "https://bal.example.org/" }),
        ),
        entity(
            "stage",
            json!({ "title": "Stage de tressage", "start": "2027-01-12", "end": "2027-01-14",
                    "status": "tentative", "series": { "id": "tressage", "index": 2, "count": 3 } }),
        ),
        entity(
            "fest",
            json!({ "title": "Festival", "start": "2027-02-06T18:00", "status": "cancelled" }),
        ),
    ]
}

async fn file(name: &str, lang: Lang) -> String {
    let folder = tempfile::tempdir().unwrap();
    let settings = json!({ "output": ".", "base_url": "https://programme.example.org" });
    let (tool, _) = site(folder.path(), settings);
    let members = month();
    publish(&*tool, &members, lang, TODAY).await;
    let path = match name {
        "page" => format!("activities/{}.html", members[0].id),
        "page.ics" => format!("activities/{}.ics", members[0].id),
        other => other.to_owned(),
    };
    fs::read_to_string(folder.path().join(path)).unwrap()
}

/// The style's name changes with every retouch of the style: not what is reviewed here.
fn reviewed(name: &str, text: &str) {
    let start = text.find("style.css?v=").map_or(0, |at| at + 12);
    let text = if start > 0 {
        format!("{}[style]{}", &text[..start], &text[start + 8..])
    } else {
        text.replace("\r\n", "\n")
    };
    insta::assert_snapshot!(name, text);
}

#[tokio::test]
async fn the_index_reads_as_reviewed() {
    reviewed("index-fr", &file("index.html", Lang::Fr).await);
    reviewed("index-en", &file("index.html", Lang::En).await);
}

#[tokio::test]
async fn the_activity_page_reads_as_reviewed() {
    reviewed("activity-fr", &file("page", Lang::Fr).await);
    reviewed("activity-ics", &file("page.ics", Lang::Fr).await);
}

#[tokio::test]
async fn the_calendar_reads_as_reviewed() {
    reviewed("calendar", &file("calendar.ics", Lang::Fr).await);
}

#[tokio::test]
async fn the_feed_reads_as_reviewed() {
    reviewed("feed", &file("feed.xml", Lang::Fr).await);
}

#[tokio::test]
async fn the_data_read_as_reviewed() {
    reviewed("activities", &file("activities.json", Lang::Fr).await);
}

#[test]
fn the_settings_schema_reads_as_reviewed() {
    let schema = raccord_connector_website::CONNECTOR.settings.schema();
    insta::with_settings!({ sort_maps => true }, {
        insta::assert_json_snapshot!("settings", schema);
    });
}
