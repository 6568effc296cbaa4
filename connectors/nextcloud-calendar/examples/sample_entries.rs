//! Writes entries of every sort into a folder, for readers that are not ours:
//! `cargo xtask calendars`.
//!
//!     cargo run -p raccord-connector-nextcloud-calendar --example sample_entries -- FOLDER

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "an example for a check"
)]

#[path = "../tests/common/mod.rs"]
mod common;

use common::{Stage, activity, hands};
use raccord_kit::conformance::HOSTILE;
use serde_json::json;

#[tokio::main]
async fn main() {
    let folder = std::path::PathBuf::from(std::env::args().nth(1).expect("a folder"));
    let stage = Stage::open().await;
    let zones = [
        "Europe/Paris",
        "Indian/Reunion",
        "America/New_York",
        "Africa/Casablanca",
        "Australia/Lord_Howe",
        "Etc/UTC",
    ];
    let moments = [
        ("2027-01-02T20:00", Some("2027-01-03T01:00")),
        ("2027-03-27T22:00", Some("2027-03-28T05:00")),
        ("2027-07-14T08:30", None),
        ("2027-10-30T20:00", Some("2027-10-31T06:00")),
        ("2027-06-12", None),
        ("2027-12-31", Some("2028-01-02")),
    ];
    let mut number = 0;
    for zone in zones {
        for (start, end) in moments {
            for status in ["confirmed", "tentative", "full", "cancelled"] {
                number += 1;
                let text = HOSTILE[number % HOSTILE.len()];
                let entity = activity(
                    number,
                    json!({ "zone": zone, "start": start, "end": end, "status": status, "title": format!("Fête n° {number} {text}"),
                        "description": text, "tags": ["jazz, swing", text], "organiser": "Équipe; lieu", "url": "https://example.org/a?b=c,d;e" }),
                );
                let link = stage.put(&entity, None).await;
                let file = link.external.rsplit('/').next().unwrap().to_owned();
                std::fs::write(folder.join(&file), stage.cloud.text("programme", &file)).unwrap();
            }
        }
    }
    // Tasks: in the description of their activity, and as entries of their own.
    let stage = Stage::with(|settings| settings["tasks"] = json!("description")).await;
    let text = HOSTILE[0];
    *stage.tasks.lock().unwrap() = vec![hands("Bar, buvette; caisse", 3, 1), hands(text, 2, 2)];
    for told in ["", "Entrée libre"] {
        number += 1;
        let link = stage
            .put(&activity(number, json!({ "description": told })), None)
            .await;
        let file = link.external.rsplit('/').next().unwrap().to_owned();
        std::fs::write(folder.join(&file), stage.cloud.text("programme", &file)).unwrap();
    }
    println!("{number} entries");
}
