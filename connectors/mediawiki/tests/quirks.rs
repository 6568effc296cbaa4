//! Each surprise of MediaWiki is played by the stand-in, and noticed once it is not.
//!
//! A story is told twice: with the surprise it ends well, without it it must not.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::path::Path;
use std::sync::Arc;

use common::quirks::Quirk;
use common::server::{Fault, PASSWORD, USER};
use common::{PAGE, Stage, activity, changed, january};
use raccord_kit::conformance::{self, noticed};
use raccord_model::Blame;
use serde_json::json;

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
        let standin = Arc::clone(&stage.standin);
        tell(stage).await;
        drop(standin);
    })
    .await;
}

#[tokio::test]
async fn an_error_with_status_200_is_no_success() {
    story(Quirk::ErrorsAre200, |stage| async move {
        stage.server.fault(Fault::Error("spamblacklist"));
        let failure = stage.write(&january()).await.unwrap_err();
        assert_eq!(
            (failure.blame, &*failure.code),
            (Blame::Data, "mediawiki.rejected")
        );
        assert!(failure.text.fr.contains("spamblacklist"));
        assert_eq!(stage.ask(&[("action", "edit")]).await.0, 200);
        assert_eq!(stage.server.versions(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_wrong_password_rests_and_its_successor_is_tried() {
    story(Quirk::WrongPasswordIs200, |stage| async move {
        "other".clone_into(&mut stage.server.state().password);
        for _ in 0..20 {
            let failure = stage.write(&january()).await.unwrap_err();
            assert_eq!(
                (failure.blame, &*failure.code),
                (Blame::Access, "mediawiki.credentials")
            );
            stage.pass(1);
        }
        assert_eq!(stage.server.state().logins, 1);
        PASSWORD.clone_into(&mut stage.server.state().password);
        stage.pass(30);
        stage.write(&january()).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_same_text_makes_no_version() {
    story(Quirk::SameTextIsNoChange, |stage| async move {
        stage.write(&january()).await.unwrap();
        assert!(stage.write(&january()).await.unwrap().unchanged);
        let (text, token) = (stage.server.text(PAGE), "token1+\\");
        let form = [
            ("action", "edit"),
            ("title", PAGE),
            ("text", &text),
            ("token", token),
        ];
        let (_, said) = stage.ask(&form).await;
        assert_eq!(said["edit"]["nochange"], json!(true), "{said}");
        assert_eq!(stage.server.versions(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_lost_answer_and_a_repeat_over_the_old_version_are_no_conflict() {
    story(Quirk::OldRevisionSameText, |stage| async move {
        stage.server.writes("X", "un");
        stage.server.writes("X", "deux");
        let form = [
            ("action", "edit"),
            ("title", "X"),
            ("text", "deux"),
            ("token", "token1+\\"),
            ("baserevid", "2"),
        ];
        let (_, said) = stage.ask(&form).await;
        assert_eq!(said["edit"]["result"], "Success", "{said}");
        stage.server.fault(Fault::LoseAnswer);
        let failure = stage.write(&january()).await.unwrap_err();
        assert_eq!(failure.blame, Blame::Transient);
        assert!(stage.write(&january()).await.unwrap().unchanged);
    })
    .await;
}

#[tokio::test]
async fn a_page_that_somebody_makes_at_the_same_moment_keeps_what_they_say() {
    story(Quirk::CreateOnlyRefuses, |stage| async move {
        stage.server.fault(Fault::Overtaken);
        stage.write(&january()).await.unwrap();
        let text = stage.server.text(PAGE);
        assert!(
            text.starts_with("Plus vite !") && text.contains("Bal 1"),
            "{text}"
        );
    })
    .await;
}

#[tokio::test]
async fn empty_lines_at_the_end_are_no_edit() {
    story(Quirk::BlankEndsAreCut, |stage| async move {
        let form = [
            ("action", "edit"),
            ("title", "X"),
            ("text", "un\n\n\n"),
            ("token", "token1+\\"),
        ];
        stage.ask(&form).await;
        assert_eq!(stage.server.text("X"), "un");
        stage.write(&january()).await.unwrap();
        assert!(stage.write(&january()).await.unwrap().unchanged);
    })
    .await;
}

#[tokio::test]
async fn tildes_in_a_title_sign_nothing() {
    story(Quirk::TildesSign, |stage| async move {
        let form = [
            ("action", "edit"),
            ("title", "X"),
            ("text", "~~~~"),
            ("token", "token1+\\"),
        ];
        stage.ask(&form).await;
        assert!(stage.server.text("X").contains("[[User:"));
        let odd = [activity(1, json!({ "title": "Bal ~~~~ [[x]]" }))];
        stage.write(&odd).await.unwrap();
        assert!(!stage.server.text(PAGE).contains("[[User:"));
        assert!(stage.write(&odd).await.unwrap().unchanged);
    })
    .await;
}

#[tokio::test]
async fn a_page_is_found_under_the_name_the_wiki_gives_it() {
    story(Quirk::FirstLetterIsUpper, |stage| async move {
        // The settings say `programme`.
        stage.write(&january()).await.unwrap();
        assert!(stage.server.text(PAGE).contains("Bal 1"));
        stage.write(&changed()).await.unwrap();
        assert_eq!(stage.server.state().pages.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn tokens_come_through_whole() {
    story(Quirk::TokensEndInPlus, |stage| async move {
        let asked = [("action", "query"), ("meta", "tokens"), ("type", "login")];
        let (_, said) = stage.ask(&asked).await;
        let token = said["query"]["tokens"]["logintoken"].as_str().unwrap();
        assert!(token.ends_with("+\\"), "{token}");
        stage.write(&january()).await.unwrap();
        let sent = stage.standin.writes();
        let last = String::from_utf8_lossy(&sent.last().unwrap().body).into_owned();
        assert!(last.contains("%2B%5C"), "escaped");
    })
    .await;
}

#[tokio::test]
async fn a_session_that_ended_is_begun_again_once() {
    story(Quirk::SessionsEnd, |stage| async move {
        stage.write(&january()).await.unwrap();
        stage.server.state().session += 1;
        stage.write(&changed()).await.unwrap();
        assert_eq!(stage.server.state().logins, 2);
        let asked = [("action", "login"), ("lgname", USER), ("assert", "user")];
        assert_eq!(
            stage.ask(&asked).await.1["error"]["code"],
            "assertuserfailed"
        );
    })
    .await;
}

#[tokio::test]
async fn a_page_that_is_not_there_is_made() {
    story(Quirk::MissingIsAPage, |stage| async move {
        stage.write(&january()).await.unwrap();
        assert!(stage.server.text(PAGE).contains("Bal 2"));
    })
    .await;
}

#[tokio::test]
async fn the_interface_is_where_the_page_says() {
    story(Quirk::AddressInThePage, |stage| async move {
        stage.write(&january()).await.unwrap();
        let seen = stage.standin.seen();
        assert!(
            seen[1..].iter().all(|one| one.path == "/w/api.php"),
            "nothing in addresses"
        );
    })
    .await;
}

#[tokio::test]
async fn a_wiki_that_is_behind_is_left_alone() {
    story(Quirk::LagIsAnError, |stage| async move {
        stage.server.state().protected.insert("lag".to_owned());
        let failure = stage.write(&january()).await.unwrap_err();
        assert_eq!(&*failure.code, "mediawiki.busy");
        assert_eq!(
            (failure.blame, failure.retry_after_ms),
            (Blame::Transient, Some(7_000))
        );
    })
    .await;
}
