//! What the connector sends, and what the stand-in answers, against Mattermost's own description of its
//! API, where that is at hand.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::BTreeSet;

use common::{Stage, activity, concert};
use raccord_kit::conformance::{Contract, Exchanges};
use serde_json::json;

/// Where the document is wrong and the server's source is believed: props of a change are an object
/// (`PostPatch.Props`), and a post that is not there is answered 404.
const SLIPS: [&str; 2] = [
    "PUT /api/v4/posts/{post_id}/patch, asked: /props ",
    "DELETE /api/v4/posts/{post_id}: 404 is not described",
];

#[tokio::test]
async fn what_is_sent_and_what_is_answered_has_the_shapes_of_mattermost() {
    let Some(contract) = Contract::open(&["mattermost-openapi.yaml"]) else {
        return;
    };
    let stage = Stage::open().await;
    let (exchanges, server) = (Exchanges::default(), stage.server.clone());
    let noted = exchanges.clone();
    stage
        .standin
        .direct(move |seen| noted.note(seen, server.answer(seen)));
    stage.tool.check().await;
    stage.tool.choices().await.unwrap();
    let mut cursor = stage.listen().await;
    let anna = stage.server.state().user("anna");
    let said = stage.server.says("anna", "chantiers", "bonjour");
    let gone = stage.server.says("anna", "chantiers", "bientôt effacé");
    stage
        .server
        .replies("anna", "chantiers", "dans le fil", &said);
    stage.server.edits(&said, "bonsoir");
    stage.server.state().reacts(&said, &anna, "+1");
    stage.server.deletes(&gone);
    assert!(!stage.hear(&mut cursor).await.is_empty());
    let link = stage.put(&concert(), None).await;
    let link = stage
        .put(&activity(1, json!({ "room": "Jardin" })), Some(link))
        .await;
    stage.find(&concert()).await;
    stage.remove(&concert(), &link).await.unwrap();
    stage.remove(&concert(), &link).await.unwrap();
    stage.server.state().channel_mut("chantiers").archived = 1;
    stage
        .write(&activity(2, json!({})), None)
        .await
        .unwrap_err();

    let mut differences = contract.differences(&exchanges, &[]);
    differences.retain(|one| !SLIPS.iter().any(|slip| one.starts_with(slip)));
    assert_eq!(differences, BTreeSet::new());
}
