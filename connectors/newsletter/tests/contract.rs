//! What the connector sends to listmonk, and what the stand-in answers, against listmonk's own description
//! of its interface, where that is at hand.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::BTreeSet;

use common::drafts::{Stage, about};
use raccord_kit::conformance::{Contract, Exchanges};

/// Where the description lags the source, which is believed: campaigns are looked for by `tag`
/// (`cmd/campaigns.go`), a change is answered with the campaign as it is read, with the names of its lists
/// (`internal/core/campaigns.go`), and the account's own page is left out.
const SLIPS: [&str; 4] = [
    "GET /campaigns: ?tag is not described",
    "GET /profile is not described",
    "POST /campaigns, 200: /data/lists/",
    "PUT /campaigns/{id}, 200: /data/lists/",
];

#[tokio::test]
async fn what_is_sent_and_what_is_answered_has_the_shapes_of_listmonk() {
    let Some(contract) = Contract::open(&["listmonk/collections.openapi.yaml"]) else {
        return;
    };
    let stage = Stage::open().await;
    let (exchanges, server) = (Exchanges::default(), stage.server.clone());
    let noted = exchanges.clone();
    stage.standin.direct(move |seen| {
        // The description begins below `/api`.
        let mut below = seen.clone();
        below.path = seen.path.trim_start_matches("/api").to_owned();
        noted.note(&below, server.answer(seen))
    });
    assert_eq!(stage.tool.check().await, []);
    stage.tool.choices().await.unwrap();
    let id = stage.draft("Bal").await;
    stage.find(&about("Bal")).await;
    assert_eq!(stage.draft("Grand bal").await, id);
    let mut differences = contract.differences(&exchanges, &[]);
    differences.retain(|one| !SLIPS.iter().any(|slip| one.starts_with(slip)));
    assert_eq!(differences, BTreeSet::new());
}
