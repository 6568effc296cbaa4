//! What the connector sends, and what the stand-in answers, against Rocket.Chat's own description of
//! its API, where that is at hand.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::BTreeSet;

use common::{Stage, activity, concert};
use raccord_kit::conformance::{Contract, Exchanges};
use serde_json::json;

/// The documents hold no calls about settings and versions.
const LEFT_OUT: [&str; 2] = ["GET /api/info", "GET /api/v1/settings.public"];

#[tokio::test]
async fn what_is_sent_and_what_is_answered_has_the_shapes_of_rocketchat() {
    let Some(contract) = Contract::open(&[
        "rocketchat-messaging.yaml",
        "rocketchat-rooms.yaml",
        "rocketchat-user-management.yaml",
        "rocketchat-authentication.yaml",
    ]) else {
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
    let said = stage.server.says("anna", "chantiers", "bonjour");
    let gone = stage.server.says("anna", "chantiers", "bientôt effacé");
    stage
        .server
        .replies("anna", "chantiers", "dans le fil", Some(&said));
    stage.server.edits(&said, "bonsoir");
    stage.server.state().reacts(&said, "anna", "+1", Some(true));
    stage.server.deletes(&gone);
    assert!(!stage.hear(&mut cursor).await.is_empty());
    let link = stage.put(&concert(), None).await;
    stage.put(&concert(), None).await;
    let link = stage
        .put(&activity(1, json!({ "room": "Jardin" })), Some(link))
        .await;
    stage.find(&concert()).await;
    stage.remove(&concert(), &link).await.unwrap();
    stage.remove(&concert(), &link).await.unwrap();
    stage.server.state().room_mut("chantiers").archived = true;
    stage
        .write(&activity(2, json!({})), None)
        .await
        .unwrap_err();

    let differences = contract.differences(&exchanges, &LEFT_OUT);
    assert_eq!(differences, BTreeSet::new());
}
