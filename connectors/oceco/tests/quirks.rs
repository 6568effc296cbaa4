//! Each surprise of OCECO is played by the stand-in, and noticed once it is not.
//!
//! A story is told twice: with the surprise it ends well, without it it must not.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::path::Path;
use std::sync::Arc;

use common::quirks::Quirk;
use common::server::{ANNA, BOB, BOT, Fault, ORGANIZATION, PROJECT, Socket};
use common::{Stage, ball, settings, task};
use raccord_kit::conformance::{self, noticed};
use raccord_model::{Blame, Change, Failure, Found, Verb};
use serde_json::{Value, json};

#[test]
fn every_quirk_is_told_and_every_one_that_is_told_is_played() {
    let told = conformance::quirks(Path::new("."), Quirk::NAMES);
    assert_eq!(told, Quirk::NAMES.len());
}

/// Tells a story with a surprise and without it.
async fn story<F>(quirk: Quirk, tell: impl Fn(Stage) -> F + Copy + Send + 'static)
where
    F: Future<Output = ()> + Send + 'static,
{
    noticed(quirk.name(), |lost| async move {
        let stage = Stage::without(quirk, lost).await;
        // A story may use nothing but the server and the connector.
        let standin = Arc::clone(&stage.standin);
        tell(stage).await;
        drop(standin);
    })
    .await;
}

fn verbs(changes: &[Change]) -> Vec<Verb> {
    let told = changes.iter();
    let told = told.filter(|one| one.kind == raccord_model::EntityKind::Registration);
    told.map(|one| one.verb).collect()
}

/// The notices that opened or closed.
fn notices(changes: &[Change]) -> Vec<(&str, &str)> {
    let told = changes.iter();
    let told = told.filter(|one| one.kind == raccord_model::EntityKind::Notice);
    told.map(|one| (&*one.subject, one.fields["state"].as_str().unwrap()))
        .collect()
}

fn asks(failure: &Failure, code: &str) {
    assert!(failure.asks, "{failure:?}");
    assert_eq!(failure.blame, Blame::Data);
    assert_eq!(failure.code, format!("oceco.{code}"));
}

/// Anna took it, and it is that evening.
async fn evening(stage: &Stage) -> (String, Option<String>) {
    let (action, mut cursor) = stage.bar().await;
    stage.server.takes(&action, ANNA);
    assert_eq!(verbs(&stage.hear(&mut cursor).await), [Verb::Created]);
    stage.is_at("2027-01-12T17:00:00Z");
    (action, cursor)
}

fn parent() -> Value {
    json!({ "parentId": PROJECT, "parentType": "projects" })
}

// --- the door ---------------------------------------------------------------

#[tokio::test]
async fn a_wrong_token_is_told_from_an_accident() {
    story(Quirk::WrongTokenIs500, |stage| async move {
        stage.server.state().token = "another".to_owned();
        let failure = stage.write(&task(1, json!({}))).await.unwrap_err();
        assert_eq!(
            (&*failure.code, failure.blame),
            ("oceco.token", Blame::Access)
        );
        // It is not shown again for a while.
        stage.write(&task(1, json!({}))).await.unwrap_err();
        assert_eq!(stage.standin.seen().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn an_account_that_nobody_has_is_told_apart() {
    story(Quirk::UnknownUserIs403, |stage| async move {
        stage.server.state().people.retain(|one| one != BOT);
        let failure = stage.write(&task(1, json!({}))).await.unwrap_err();
        assert_eq!(
            (&*failure.code, failure.blame),
            ("oceco.no-user", Blame::Access)
        );
    })
    .await;
}

#[tokio::test]
async fn the_token_acts_as_whoever_is_named() {
    story(Quirk::TokenActsAsAnybody, |stage| async move {
        let mut body = parent();
        body["name"] = json!("À son insu");
        assert_eq!(stage.ask(ANNA, "create", &body).await.0, 200);
        assert_eq!(stage.server.action("À son insu").author, ANNA);
        // We act as one account, whatever the token could.
        stage.write(&task(1, json!({}))).await.unwrap();
        assert_eq!(stage.server.action("Bar 1 – Bal").author, BOT);
    })
    .await;
}

#[tokio::test]
async fn a_project_that_is_not_there_is_a_success_that_says_false() {
    story(Quirk::StatusFalseIs200, |stage| async move {
        stage.server.state().projects.clear();
        let (status, said) = stage.ask(BOT, "listElement", &parent()).await;
        assert_eq!((status, &said["status"]), (200, &json!(false)));
        let failure = stage.write(&task(1, json!({}))).await.unwrap_err();
        assert_eq!(
            (&*failure.code, failure.blame),
            ("oceco.no-element", Blame::Data)
        );
    })
    .await;
}

#[tokio::test]
async fn a_missing_right_is_told_by_its_name() {
    story(Quirk::RefusedByName, |stage| async move {
        stage.server.state().admin = false;
        let failure = stage.write(&task(1, json!({}))).await.unwrap_err();
        assert_eq!(
            (&*failure.code, failure.blame),
            ("oceco.no-rights", Blame::Access)
        );
    })
    .await;
}

#[tokio::test]
async fn what_has_no_route_is_a_web_page() {
    story(Quirk::UnknownIsAPage, |stage| async move {
        let (status, said) = stage.ask(BOT, "nothing", &json!({})).await;
        assert_eq!((status, said), (200, Value::Null));
    })
    .await;
}

// --- making -----------------------------------------------------------------

#[tokio::test]
async fn a_lost_answer_is_looked_for_for_nothing_keeps_two_apart() {
    story(Quirk::CreatesTwice, |stage| async move {
        stage.server.fault(Fault::LoseAnswer);
        let failure = stage.write(&task(1, json!({}))).await.unwrap_err();
        assert_eq!(failure.blame, Blame::Unknown);
        assert!(matches!(
            stage.find(&task(1, json!({}))).await,
            Found::Yes(_)
        ));
        assert!(stage.write(&task(1, json!({}))).await.unwrap().unchanged);
        assert_eq!(stage.server.names(), ["Bar 1 – Bal"]);
        // Whoever does not look makes a second one.
        let mut body = parent();
        body["name"] = json!("Bar 1 – Bal");
        body["tags"] = json!(stage.server.action("Bar 1 – Bal").tags);
        stage.ask(BOT, "create", &body).await;
        assert_eq!(stage.server.names().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn an_accident_after_making_is_looked_for() {
    story(Quirk::MadeAnd500, |stage| async move {
        stage.server.fault(Fault::Stumble);
        let failure = stage.write(&task(1, json!({}))).await.unwrap_err();
        assert_eq!(
            (&*failure.code, failure.blame),
            ("oceco.stumbled", Blame::Unknown)
        );
        assert!(matches!(
            stage.find(&task(1, json!({}))).await,
            Found::Yes(_)
        ));
    })
    .await;
}

#[tokio::test]
async fn a_task_without_credits_has_one() {
    story(Quirk::OneCreditUnasked, |stage| async move {
        stage
            .write(&task(1, json!({ "credits": null })))
            .await
            .unwrap();
        assert_eq!(stage.server.action("Bar 1 – Bal").credits, 1);
        let mut body = parent();
        body["name"] = json!("Nue");
        stage.ask(BOT, "create", &body).await;
        assert_eq!(stage.server.action("Nue").credits, 1);
    })
    .await;
}

#[tokio::test]
async fn an_activity_without_an_end_gets_one() {
    story(Quirk::BothDatesOrNone, |stage| async move {
        let open = ball(json!({ "end": null }));
        stage
            .write_of(&task(1, json!({})), Some(&open))
            .await
            .unwrap();
        let end = stage.server.action("Bar 1 – Bal").end.unwrap();
        assert_eq!(end.to_string(), "2027-01-12T18:00:00Z");
        let mut body = parent();
        body["name"] = json!("Sans fin");
        body["startDate"] = json!("2027-01-12T16:00:00Z");
        assert_eq!(stage.ask(BOT, "create", &body).await.0, 400);
    })
    .await;
}

#[tokio::test]
async fn what_changed_is_asked_about_and_closes_once_done_by_hand() {
    story(Quirk::NoUpdate, |stage| async move {
        let action = stage
            .write(&task(1, json!({})))
            .await
            .unwrap()
            .applied
            .external;
        let body = json!({ "id": action, "name": "Autre" });
        assert_eq!(stage.ask(BOT, "update", &body).await.1, Value::Null);
        stage.server.takes(&action, ANNA);
        let later = task(1, json!({ "title": "Buvette" }));
        let failure = stage.write(&later).await.unwrap_err();
        asks(&failure, "differs");
        assert!(
            failure.text.en.contains("one person took it"),
            "{failure:?}"
        );
        assert_eq!(stage.makings().len(), 1, "nothing was done");
        stage
            .server
            .edits("Bar 1 – Bal", |one| one.name = "Buvette – Bal".to_owned());
        assert!(stage.write(&later).await.unwrap().unchanged);
        asks(&stage.remove(&later).await.unwrap_err(), "goes");
        stage
            .server
            .edits("Buvette – Bal", |one| one.status = "disabled");
        stage.remove(&later).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn identifiers_in_lists_are_objects() {
    story(Quirk::IdsAreObjects, |stage| async move {
        let made = stage.write(&task(1, json!({}))).await.unwrap();
        let said = stage.ask(BOT, "listElement", &parent()).await.1;
        assert_eq!(
            said["actions"][0]["_id"]["_str"],
            json!(made.applied.external)
        );
        assert!(stage.write(&task(1, json!({}))).await.unwrap().unchanged);
    })
    .await;
}

#[tokio::test]
async fn the_identifier_of_a_new_action_is_read_in_either_form() {
    story(Quirk::NewIdIsPhps, |stage| async move {
        for number in 1..=2 {
            let made = stage.write(&task(number, json!({}))).await.unwrap();
            let name = format!("Bar {number} – Bal");
            assert_eq!(made.applied.external, stage.server.action(&name).id);
        }
        let mut shown = Vec::new();
        for name in ["Nue", "Autre"] {
            let mut body = parent();
            body["name"] = json!(name);
            shown.push(stage.ask(BOT, "create", &body).await.1["id"].is_object());
        }
        assert!(shown.contains(&true) && shown.contains(&false));
    })
    .await;
}

#[tokio::test]
async fn an_action_saved_by_a_form_is_no_change() {
    story(Quirk::NumbersAsText, |stage| async move {
        stage.write(&task(1, json!({}))).await.unwrap();
        stage.server.edits("Bar 1 – Bal", |_| {});
        let said = stage.ask(BOT, "listElement", &parent()).await.1;
        assert_eq!(said["actions"][0]["credits"], "2");
        assert!(stage.write(&task(1, json!({}))).await.unwrap().unchanged);
    })
    .await;
}

// --- what is shown ----------------------------------------------------------

#[tokio::test]
async fn a_disabled_action_is_as_good_as_gone() {
    story(Quirk::ListShowsTodo, |stage| async move {
        stage.write(&task(1, json!({}))).await.unwrap();
        stage
            .server
            .edits("Bar 1 – Bal", |one| one.status = "disabled");
        // It is not made again, as long as nothing else is wanted of it.
        assert!(stage.write(&task(1, json!({}))).await.unwrap().unchanged);
        asks(
            &stage
                .write(&task(1, json!({ "capacity": 5 })))
                .await
                .unwrap_err(),
            "hidden",
        );
        stage.remove(&task(1, json!({}))).await.unwrap();
        assert_eq!(stage.makings().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn what_is_past_vanishes_and_nobody_is_signed_off() {
    story(Quirk::ListForgetsThePast, |stage| async move {
        let (_, mut cursor) = evening(&stage).await;
        stage.is_at("2027-01-13T08:00:00Z");
        assert_eq!(stage.hear(&mut cursor).await, []);
        let said = stage.ask(BOT, "listElement", &parent()).await.1;
        assert_eq!(said["actions"], json!([]));
        // An edited title of what is over bothers nobody, and it goes without a word.
        let later = task(1, json!({ "title": "Buvette" }));
        assert!(stage.write(&later).await.unwrap().unchanged);
        stage.remove(&later).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_organisation_does_not_list_its_projects() {
    story(Quirk::ListIsOfOneParent, |stage| async move {
        stage.write(&task(1, json!({}))).await.unwrap();
        let body = json!({ "parentId": ORGANIZATION, "parentType": "organizations" });
        let said = stage.ask(BOT, "listElement", &body).await.1;
        assert_eq!(said["actions"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn an_action_that_says_nothing_of_people_signs_nobody_off() {
    story(Quirk::NobodyYetIsNotSaid, |stage| async move {
        let (action, mut cursor) = stage.bar().await;
        let said = stage.ask(BOT, "listElement", &parent()).await.1;
        assert_eq!(said["actions"][0].get("links"), None);
        stage.server.takes(&action, ANNA);
        assert_eq!(verbs(&stage.hear(&mut cursor).await), [Verb::Created]);
        let mut kept = stage.server.state().find(&action).contributors.take();
        assert_eq!(
            stage.hear(&mut cursor).await,
            [],
            "it is not said that she left"
        );
        stage.server.state().find(&action).contributors = kept.take();
        stage.server.leaves(&action, ANNA);
        assert_eq!(verbs(&stage.hear(&mut cursor).await), [Verb::Cancelled]);
        stage.server.takes(&action, ANNA);
        assert_eq!(verbs(&stage.hear(&mut cursor).await), [Verb::Updated]);
    })
    .await;
}

// --- validations ------------------------------------------------------------

#[tokio::test]
async fn who_was_validated_came_although_the_action_vanished() {
    story(Quirk::ValidatedVanishes, |stage| async move {
        let (action, mut cursor) = evening(&stage).await;
        stage.server.validates(&action, ANNA);
        let said = stage.ask(BOT, "listElement", &parent()).await.1;
        assert_eq!(said["actions"], json!([]));
        let told = stage.hear(&mut cursor).await;
        assert_eq!(verbs(&told), [Verb::Attended]);
        assert_eq!(
            told[0].id,
            stage.server.state().log[0].id,
            "by the row's own name"
        );
        assert_eq!(told[0].fields["attested"], "tool");
        assert_eq!(stage.hear(&mut cursor).await, []);
    })
    .await;
}

#[tokio::test]
async fn who_says_they_finished_has_not_come_yet() {
    story(Quirk::FinishedIsNotValidated, |stage| async move {
        let (action, mut cursor) = evening(&stage).await;
        stage.server.finishes(&action, ANNA);
        assert_eq!(stage.hear(&mut cursor).await, []);
        stage.server.validates(&action, ANNA);
        assert_eq!(verbs(&stage.hear(&mut cursor).await), [Verb::Attended]);
    })
    .await;
}

#[tokio::test]
async fn who_is_validated_twice_came_once_and_it_is_told() {
    story(Quirk::ValidateDoubles, |stage| async move {
        let (action, mut cursor) = evening(&stage).await;
        stage.server.validates(&action, ANNA);
        let mut told = stage.hear(&mut cursor).await;
        stage.server.validates(&action, ANNA);
        told.extend(stage.hear(&mut cursor).await);
        assert_eq!(verbs(&told), [Verb::Attended], "once");
        assert_eq!(notices(&told), [("validated-twice", "open")]);
        assert_eq!(stage.server.state().wallets[ANNA], 4, "there, twice");
        // That the log cannot be read for a while takes nothing back.
        let password = std::mem::replace(&mut stage.server.state().password, "changed".to_owned());
        stage.server.state().sessions.clear();
        let told = stage.hear(&mut cursor).await;
        assert_eq!(notices(&told), [("no-attendance", "open")]);
        stage.server.state().password = password;
        stage.pass(60);
        let told = stage.hear(&mut cursor).await;
        assert_eq!(notices(&told), [("no-attendance", "closed")]);
        stage.server.refunds(&action, ANNA);
        let told = stage.hear(&mut cursor).await;
        assert_eq!(verbs(&told), [], "one of the two still stands");
        assert_eq!(notices(&told), [("validated-twice", "closed")]);
    })
    .await;
}

#[tokio::test]
async fn an_action_always_has_a_credit_or_its_validation_left_no_row() {
    story(Quirk::NoRowForNoCredits, |stage| async move {
        let (action, mut cursor) = evening(&stage).await;
        stage.server.edits("Bar 1 – Bal", |one| one.credits = 0);
        stage.server.validates(&action, ANNA);
        assert_eq!(stage.hear(&mut cursor).await, [], "nothing shows it");
        // Ours never has none.
        stage
            .write(&task(2, json!({ "credits": 20 })))
            .await
            .unwrap();
        assert_eq!(stage.server.action("Bar 2 – Bal").credits, 1);
    })
    .await;
}

#[tokio::test]
async fn a_refund_takes_a_coming_back() {
    story(Quirk::RefundIsARow, |stage| async move {
        let (action, mut cursor) = evening(&stage).await;
        stage.server.validates(&action, ANNA);
        assert_eq!(verbs(&stage.hear(&mut cursor).await), [Verb::Attended]);
        stage.pass(1);
        stage.server.refunds(&action, ANNA);
        let told = stage.hear(&mut cursor).await;
        assert_eq!(verbs(&told), [Verb::Cancelled]);
        assert_eq!(told[0].id, stage.server.state().log[1].id);
        stage.pass(1);
        stage.server.takes(&action, ANNA);
        stage.server.validates(&action, ANNA);
        assert_eq!(verbs(&stage.hear(&mut cursor).await), [Verb::Attended]);
    })
    .await;
}

#[tokio::test]
async fn who_was_paid_back_and_comes_and_goes_again_left_twice() {
    let stage = Stage::open().await;
    let (action, mut cursor) = evening(&stage).await;
    // With somebody on it who has not come, OCECO goes on showing it.
    stage.server.takes(&action, BOB);
    stage.server.validates(&action, ANNA);
    let told = stage.hear(&mut cursor).await;
    assert_eq!(verbs(&told), [Verb::Attended, Verb::Created]);
    stage.pass(1);
    stage.server.refunds(&action, ANNA);
    let first = stage.hear(&mut cursor).await;
    assert_eq!(verbs(&first), [Verb::Cancelled]);
    stage.server.takes(&action, ANNA);
    assert_eq!(verbs(&stage.hear(&mut cursor).await), [Verb::Updated]);
    stage.server.leaves(&action, ANNA);
    let second = stage.hear(&mut cursor).await;
    assert_eq!(verbs(&second), [Verb::Cancelled]);
    // By the same name, it would be taken for told already.
    assert_ne!(second[0].id, first[0].id);
}

#[tokio::test]
async fn validations_are_read_over_ddp_for_no_route_shows_them() {
    story(Quirk::LogOverDdpOnly, |stage| async move {
        assert_eq!(stage.ask(BOT, "log", &json!({})).await.1, Value::Null);
        let (action, mut cursor) = evening(&stage).await;
        stage.server.validates(&action, ANNA);
        assert_eq!(verbs(&stage.hear(&mut cursor).await), [Verb::Attended]);
        let seen = stage.standin.seen();
        assert!(seen.iter().any(|one| one.path == "/websocket"));
    })
    .await;
}

#[tokio::test]
async fn a_log_that_may_not_be_seen_is_told_from_an_empty_one() {
    story(Quirk::DeniedIsEmpty, |stage| async move {
        let (_, mut cursor) = evening(&stage).await;
        assert_eq!(stage.hear(&mut cursor).await, [], "it is empty");
        stage.server.state().admin = false;
        let told = stage.hear(&mut cursor).await;
        assert_eq!(notices(&told), [("no-attendance", "open")]);
        let mend = told[0].fields["mend"]["en"].as_str().unwrap();
        assert!(mend.contains("administrator of the organisation"), "{mend}");
        stage.server.state().admin = true;
        assert_eq!(
            notices(&stage.hear(&mut cursor).await),
            [("no-attendance", "closed")]
        );
    })
    .await;
}

#[tokio::test]
async fn twenty_validations_of_one_person_are_all_seen() {
    story(Quirk::TenRowsUnasked, |stage| async move {
        for number in 1..=20 {
            let made = stage.write(&task(number, json!({}))).await.unwrap();
            stage.server.takes(&made.applied.external, BOB);
        }
        stage.is_at("2027-01-12T17:00:00Z");
        let mut cursor = None;
        assert_eq!(verbs(&stage.hear(&mut cursor).await).len(), 20);
        let ids: Vec<String> = stage
            .server
            .state()
            .actions
            .iter()
            .map(|one| one.id.clone())
            .collect();
        for id in &ids {
            stage.server.validates(id, BOB);
        }
        assert_eq!(verbs(&stage.hear(&mut cursor).await), [Verb::Attended; 20]);
        // Nobody asked for a number: ten.
        assert_eq!(stage.rows_unasked(BOB).await, 10);
    })
    .await;
}

#[tokio::test]
async fn a_wrong_password_is_told_and_sign_ups_come_all_the_same() {
    story(Quirk::WrongPasswordIsANumber, |stage| async move {
        let (action, mut cursor) = evening(&stage).await;
        stage.server.state().password = "changed".to_owned();
        stage.server.takes(&action, BOB);
        let told = stage.hear(&mut cursor).await;
        assert_eq!(verbs(&told), [Verb::Created]);
        assert_eq!(notices(&told), [("no-attendance", "open")]);
        let findings = stage.tool.check().await;
        assert_eq!(findings[0].code, "oceco.password");
        assert_eq!(
            stage.server.state().passwords_shown,
            1,
            "it is not shown again"
        );
    })
    .await;
}

#[tokio::test]
async fn the_password_is_shown_once_and_its_token_after_that() {
    story(Quirk::EverySignInStays, |stage| async move {
        let (_, mut cursor) = evening(&stage).await;
        for _ in 0..5 {
            stage.hear(&mut cursor).await;
        }
        assert_eq!(stage.server.state().passwords_shown, 1);
        // A connection that breaks meanwhile does not throw the token away.
        stage.server.state().socket = Socket::BreaksAtLogin;
        let told = stage.hear(&mut cursor).await;
        assert_eq!(notices(&told), [("no-attendance", "open")]);
        stage.hear(&mut cursor).await;
        assert_eq!(stage.server.state().passwords_shown, 1);
        // Another program signs in: ours stays good.
        stage.sign_in().await;
        stage.hear(&mut cursor).await;
        assert_eq!(stage.server.state().passwords_shown, 2);
        // Signed out there: the password is shown again, once.
        stage.server.state().sessions.clear();
        stage.hear(&mut cursor).await;
        assert_eq!(stage.server.state().passwords_shown, 3);
    })
    .await;
}

#[tokio::test]
async fn a_chat_that_would_be_told_twice_is_said_by_check() {
    story(Quirk::PostsInChat, |stage| async move {
        assert_eq!(stage.tool.check().await, []);
        stage.server.state().notifies = true;
        stage.write(&task(1, json!({}))).await.unwrap();
        assert_eq!(stage.server.state().posted.len(), 1, "it posts by itself");
        let findings = stage.tool.check().await;
        assert_eq!(findings[0].code, "oceco.both-post");
        let mut theirs = settings(&stage.standin.url("/"));
        theirs["chat"] = json!("oceco");
        let tool = (raccord_connector_oceco::CONNECTOR.build)(theirs, &stage.kit).unwrap();
        assert_eq!(tool.check().await, []);
        stage.server.state().notifies = false;
        assert_eq!(tool.check().await[0].code, "oceco.nobody-posts");
    })
    .await;
}
