//! Each surprise of listmonk is played by the stand-in, and noticed once it is not.
//!
//! A story is told twice: with the surprise it ends well, without it it must not.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::path::Path;
use std::sync::Arc;

use common::drafts::{Stage, about};
use common::listmonk::Fault;
use common::listmonk::quirks::Quirk;
use http::Method;
use raccord_kit::conformance::{self, noticed};
use raccord_model::{Blame, Failure};
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
        let stage = Stage::with(lost.then_some(quirk), |_| {}).await;
        let standin = Arc::clone(&stage.standin);
        tell(stage).await;
        drop(standin);
    })
    .await;
}

fn asks(failure: &Failure, code: &str) {
    assert!(failure.asks, "{failure:?}");
    assert_eq!(failure.code, format!("newsletter.{code}"));
    for text in [&failure.text, &failure.mend] {
        assert!(!text.fr.is_empty() && text.fr != text.en);
    }
}

fn campaign(more: &Value) -> Value {
    let mut all = json!({
        "name": "x", "subject": "x", "lists": [3], "content_type": "html", "body": "x", "altbody": "x",
    });
    for (key, value) in more.as_object().unwrap() {
        all[key] = value.clone();
    }
    all
}

async fn made(stage: &Stage, more: &Value) -> u64 {
    let (status, made) = stage.ask(Method::POST, "campaigns", &campaign(more)).await;
    assert_eq!(status, 200, "{made}");
    made["id"].as_u64().unwrap()
}

#[tokio::test]
async fn a_wrong_token_is_told_from_a_right_that_is_missing() {
    story(Quirk::EveryRefusalIs403, |stage| async move {
        stage
            .server
            .state()
            .rights
            .retain(|one| !one.contains("manage"));
        let failure = stage.write(&about("Bal")).await.unwrap_err();
        assert_eq!(
            (failure.blame, &*failure.code),
            (Blame::Access, "newsletter.forbidden")
        );
        "another".clone_into(&mut stage.server.state().token);
        let failure = stage.write(&about("Bal")).await.unwrap_err();
        assert_eq!(
            (failure.blame, &*failure.code),
            (Blame::Access, "newsletter.credentials")
        );
        // It is not shown again.
        let before = stage.standin.seen().len();
        stage.write(&about("Bal")).await.unwrap_err();
        assert_eq!(stage.standin.seen().len(), before);
    })
    .await;
}

#[tokio::test]
async fn a_slug_that_is_taken_is_looked_for_and_not_an_error() {
    story(Quirk::SlugTakenIs500, |stage| async move {
        let id = stage.draft("Bal").await;
        // Another process made it between our look and our call.
        stage.server.fault(Fault::Hide);
        stage.server.fault(Fault::Hide);
        let again = stage.write(&about("Bal")).await.unwrap();
        assert_eq!(again.applied.external, id.to_string());
        assert!(again.unchanged);
        assert_eq!(stage.server.state().campaigns.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_name_keeps_nothing_from_being_made_twice() {
    story(Quirk::NamesRepeat, |stage| async move {
        made(&stage, &json!({})).await;
        made(&stage, &json!({})).await;
        stage.draft("Bal").await;
        stage.draft("Bal").await;
        assert_eq!(stage.server.state().campaigns.len(), 3);
    })
    .await;
}

#[tokio::test]
async fn no_list_at_all_is_told_as_one() {
    story(Quirk::NothingIsBare, |stage| async move {
        stage.server.state().lists.clear();
        let findings = stage.tool.check().await;
        assert_eq!(findings[0].code, "newsletter.no-list");
        let (_, said) = stage
            .ask(Method::GET, "lists?minimal=true", &Value::Null)
            .await;
        assert_eq!(said, json!([]));
    })
    .await;
}

#[tokio::test]
async fn a_campaign_that_is_not_there_is_a_bad_request() {
    story(Quirk::MissingIs400, |stage| async move {
        let asked = stage.ask(Method::GET, "campaigns/99", &Value::Null).await;
        assert_eq!(asked.0, 400);
    })
    .await;
}

#[tokio::test]
async fn a_change_keeps_the_lists_that_people_chose() {
    story(Quirk::ListsSentAgain, |stage| async move {
        let id = stage.draft("Bal").await;
        let both = json!([{ "id": 3, "name": "Programme" }, { "id": 1, "name": "Amis" }]);
        stage.server.edits(id, |one| one["lists"] = both);
        assert_eq!(stage.draft("Grand bal").await, id);
        assert_eq!(stage.stands(id)["lists"].as_array().unwrap().len(), 2);
        let path = format!("campaigns/{id}");
        let bare = stage.ask(Method::PUT, &path, &json!({ "name": "x" })).await;
        assert_eq!(bare.0, 400);
    })
    .await;
}

#[tokio::test]
async fn a_change_keeps_what_people_attached() {
    story(Quirk::MediaSentAgain, |stage| async move {
        let id = stage.draft("Bal").await;
        stage
            .server
            .edits(id, |one| one["media"] = json!([{ "id": 7 }]));
        stage.draft("Grand bal").await;
        assert_eq!(stage.stands(id)["media"], json!([{ "id": 7 }]));
        let path = format!("campaigns/{id}");
        stage
            .ask(Method::PUT, &path, &json!({ "lists": [3] }))
            .await;
        assert_eq!(stage.stands(id)["media"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn a_list_that_is_not_ours_is_left_out_in_silence() {
    story(Quirk::ListsFiltered, |stage| async move {
        let id = made(&stage, &json!({ "lists": [3, 99] })).await;
        assert_eq!(stage.stands(id)["lists"].as_array().unwrap().len(), 1);
        let none = campaign(&json!({ "lists": [99] }));
        assert_eq!(stage.ask(Method::POST, "campaigns", &none).await.0, 400);
    })
    .await;
}

#[tokio::test]
async fn what_was_sent_is_never_touched_and_a_person_is_asked() {
    story(Quirk::SentIsLocked, |stage| async move {
        let id = stage.draft("Bal").await;
        for status in ["running", "finished", "cancelled"] {
            stage.server.edits(id, |one| one["status"] = json!(status));
            let before = stage.writes();
            // What it says already needs nothing.
            assert!(stage.write(&about("Bal")).await.unwrap().unchanged);
            asks(
                &stage.write(&about("Grand bal")).await.unwrap_err(),
                "locked",
            );
            assert_eq!(stage.writes(), before);
            let path = format!("campaigns/{id}");
            let body = json!({ "lists": [3], "name": "x" });
            assert_eq!(stage.ask(Method::PUT, &path, &body).await.0, 400);
        }
    })
    .await;
}

#[tokio::test]
async fn an_answer_about_the_state_is_not_what_is_stored() {
    story(Quirk::RunningIsScheduled, |stage| async move {
        let id = made(&stage, &json!({ "send_at": "2027-02-01T10:00:00Z" })).await;
        let path = format!("campaigns/{id}/status");
        let running = json!({ "status": "running" });
        assert_eq!(
            stage.ask(Method::PUT, &path, &running).await.0,
            403,
            "we may not send"
        );
        stage.server.state().rights.push("campaigns:send");
        let (_, told) = stage.ask(Method::PUT, &path, &running).await;
        assert_eq!(
            (&told["status"], &stage.stands(id)["status"]),
            (&json!("running"), &json!("scheduled"))
        );
    })
    .await;
}

#[tokio::test]
async fn what_people_write_is_never_run_as_a_template() {
    story(Quirk::PartsAreTemplates, |stage| async move {
        let title = "{{ .Subscriber.Email }} {{{ nonsense {{";
        let id = stage.draft(title).await;
        let got = stage.server.read(id).unwrap();
        assert!(got.text.contains(title), "{}", got.text);
        assert!(got.html.contains(title), "{}", got.html);
        for key in ["body", "altbody", "subject"] {
            let broken = campaign(&json!({ key: "{{ nonsense }}" }));
            assert_eq!(
                stage.ask(Method::POST, "campaigns", &broken).await.0,
                400,
                "{key}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn what_outlook_reads_is_still_there() {
    story(Quirk::CommentsTakenOut, |stage| async move {
        let id = stage.draft("Bal").await;
        let html = stage.server.read(id).unwrap().html;
        assert!(html.contains("<!--[if mso"), "{html}");
        let plain = made(&stage, &json!({ "body": "a<!--[if mso]>b<![endif]-->c" })).await;
        assert_eq!(
            stage.server.read(plain).unwrap().html,
            "<!doctype html><html><body>ac</body></html>"
        );
    })
    .await;
}

#[tokio::test]
async fn a_tag_in_a_title_stops_no_letter() {
    story(Quirk::TextIsMarkup, |stage| async move {
        let id = stage.draft("<script>x < y").await;
        let got = stage.server.read(id).unwrap();
        assert!(got.text.contains("<script>x < y"), "{}", got.text);
        assert!(!got.html.contains("<script"));
        let text = json!({ "altbody": "<script> {{ UnsubscribeURL }}" });
        let broken = made(&stage, &text).await;
        stage.server.read(broken).unwrap_err();
    })
    .await;
}

#[tokio::test]
async fn no_link_follows_anybody() {
    story(Quirk::LinksFollow, |stage| async move {
        let id = stage.draft("Bal https://x.example/@TrackLink").await;
        let got = stage.server.read(id).unwrap();
        for part in [&got.text, &got.html, &got.subject] {
            assert!(!part.contains("#followed"), "{part}");
        }
        assert!(got.text.contains("@TrackLink"));
        let body = json!({ "body": "https://x.example@TrackLink" });
        let followed = made(&stage, &body).await;
        assert!(
            stage
                .server
                .read(followed)
                .unwrap()
                .html
                .contains("#followed")
        );
    })
    .await;
}

#[tokio::test]
async fn a_letter_is_one_page_and_not_two() {
    story(Quirk::UsualTemplateWraps, |stage| async move {
        let id = stage.draft("Bal").await;
        let html = stage.server.read(id).unwrap().html;
        assert_eq!(html.matches("<html").count(), 1);
        let bare = made(&stage, &json!({ "body": "<html></html>" })).await;
        let html = stage.server.read(bare).unwrap().html;
        assert_eq!(html.matches("<html").count(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_copy_that_somebody_made_is_not_taken_for_ours() {
    story(Quirk::CopiesKeepTags, |stage| async move {
        let id = stage.draft("Bal").await;
        stage.server.copies(id);
        let copy = stage.server.state().campaigns[0].clone();
        assert_eq!(copy["tags"], stage.stands(id)["tags"]);
        assert_eq!(stage.draft("Grand bal").await, id);
        assert_eq!(stage.server.state().campaigns[0]["body"], copy["body"]);
    })
    .await;
}

#[tokio::test]
async fn a_subscriber_who_is_there_is_no_news() {
    story(Quirk::SubscriberTwiceIs409, |stage| async move {
        stage.server.state().rights.push("subscribers:manage");
        let ana = json!({ "email": "Ana@example.org" });
        assert_eq!(stage.ask(Method::POST, "subscribers", &ana).await.0, 200);
        assert_eq!(stage.ask(Method::POST, "subscribers", &ana).await.0, 409);
    })
    .await;
}

#[tokio::test]
async fn a_file_of_the_same_name_gets_another() {
    story(Quirk::FilesRenamed, |stage| async move {
        stage.server.state().rights.push("media:manage");
        let file = json!({ "file": "affiche.png" });
        let (_, first) = stage.ask(Method::POST, "media", &file).await;
        let (_, second) = stage.ask(Method::POST, "media", &file).await;
        assert_ne!(first["filename"], second["filename"]);
    })
    .await;
}
