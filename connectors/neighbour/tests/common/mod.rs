//! A list as a place would write it, and a connector that reads it: shared by tests.

#![allow(
    clippy::unwrap_used,
    dead_code,
    reason = "tests; not each uses all of it"
)]

use raccord_connector_neighbour::CONNECTOR;
use raccord_kit::Tool;
use raccord_kit::testing::kit;
use raccord_model::{Failure, Fields, Observation, Reading};
use serde_json::{Value, json};

/// A connector that reads `url`.
pub(crate) fn tool(url: &str) -> Box<dyn Tool> {
    tool_with(json!({ "name": "Le Jardin", "url": url }))
}

pub(crate) fn tool_with(settings: Value) -> Box<dyn Tool> {
    (CONNECTOR.build)(settings, &kit()).unwrap()
}

/// The list of Le Jardin.
pub(crate) fn list(activities: &[Value]) -> Value {
    json!({
        "format": "raccord-shared-1",
        "place": { "id": "jardin", "name": "Somebody else", "url": "https://jardin.example.org/" },
        "generated": "2027-01-01T08:00:00Z",
        "activities": activities,
    })
}

pub(crate) fn activity(id: &str, title: &str, start: &str) -> Value {
    json!({
        "id": id, "title": title, "start": start, "zone": "Indian/Reunion",
        "url": format!("https://jardin.example.org/activities/{id}.html"),
        "updated": "2027-01-01T08:00:00Z",
    })
}

pub(crate) async fn look(tool: &dyn Tool, cursor: Option<&str>) -> Result<Observation, Failure> {
    tool.source().unwrap().observe(cursor).await
}

pub(crate) fn reading(observation: Observation) -> Reading {
    match observation {
        Observation::Complete(reading) => reading,
        other => panic!("not a whole reading: {other:?}"),
    }
}

pub(crate) fn fields(reading: &Reading) -> Vec<Fields> {
    reading
        .lines
        .iter()
        .map(raccord_model::Line::decode)
        .collect()
}

pub(crate) fn titles(reading: &Reading) -> Vec<String> {
    let title = |fields: &Fields| fields["title"].as_str().unwrap().to_owned();
    fields(reading).iter().map(title).collect()
}
