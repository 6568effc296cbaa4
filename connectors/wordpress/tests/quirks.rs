//! Each surprise of WordPress is played by the stand-in, and noticed once it is not.
//!
//! A story is told twice: with the surprise it ends well, without it it must not.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::path::Path;
use std::sync::Arc;

use common::quirks::Quirk;
use common::{Stage, activity, ball};
use http::Method;
use raccord_kit::conformance::{self, noticed};
use raccord_model::{Blame, Failure, Found};
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
        let standin = Arc::clone(&stage.standin);
        tell(stage).await;
        drop(standin);
    })
    .await;
}

fn asks(failure: &Failure, code: &str) {
    assert!(failure.asks, "{failure:?}");
    assert_eq!(failure.blame, Blame::Data);
    assert_eq!(failure.code, format!("wordpress.{code}"));
    for text in [&failure.text, &failure.mend] {
        assert!(!text.fr.is_empty() && text.fr != text.en);
    }
}

fn many(answer: &(u16, Value)) -> usize {
    answer.1.as_array().map_or(0, Vec::len)
}

#[tokio::test]
async fn a_slug_keeps_nothing_from_being_made_twice() {
    story(Quirk::SlugRepeats, |stage| async move {
        let body = json!({ "title": "Bal", "slug": "bal" });
        assert_eq!(stage.ask(Method::POST, "posts", &body).await.0, 201);
        let again = stage.ask(Method::POST, "posts", &body).await;
        assert_eq!((again.0, &again.1["slug"]), (201, &json!("bal-2")));
        stage.write(&ball()).await.unwrap();
        let sent = stage.standin.writes();
        assert!(!String::from_utf8_lossy(&sent[2].body).contains("slug"));
    })
    .await;
}

#[tokio::test]
async fn a_question_about_meta_is_answered_with_every_post() {
    story(Quirk::QuestionsIgnored, |stage| async move {
        stage.write(&ball()).await.unwrap();
        stage.write(&activity(2, json!({}))).await.unwrap();
        let asked = stage.ask(
            Method::GET,
            "posts?meta_key=raccord_id&meta_value=x",
            &Value::Null,
        );
        assert_eq!(many(&asked.await), 2);
        let other = activity(3, json!({}));
        assert!(matches!(stage.find(&other).await, Found::No { .. }));
    })
    .await;
}

#[tokio::test]
async fn meta_is_dropped_and_our_mark_stays() {
    story(Quirk::MetaDropped, |stage| async move {
        let body = json!({ "title": "Bal", "meta": { "raccord_id": "x" } });
        let (status, post) = stage.ask(Method::POST, "posts", &body).await;
        assert_eq!((status, &post["meta"]), (201, &json!({})));
        stage.write(&ball()).await.unwrap();
        assert!(matches!(stage.find(&ball()).await, Found::Yes(_)));
    })
    .await;
}

#[tokio::test]
async fn what_lies_in_the_trash_is_seen_before_anything_is_made() {
    story(Quirk::AnyHidesTrash, |stage| async move {
        let id = stage.write(&ball()).await.unwrap().applied.external;
        stage.server.trashes(&id);
        stage.links.lock().unwrap().clear();
        asks(&stage.write(&ball()).await.unwrap_err(), "removed-by-hand");
        let any = stage.ask(Method::GET, "posts?status=any&context=edit", &Value::Null);
        assert_eq!(many(&any.await), 0);
    })
    .await;
}

#[tokio::test]
async fn what_somebody_took_away_is_not_made_anew_and_a_person_is_asked() {
    story(Quirk::TrashIsAnswered, |stage| async move {
        let id = stage.write(&ball()).await.unwrap().applied.external;
        stage.server.trashes(&id);
        let later = activity(1, json!({ "room": "Cour" }));
        asks(&stage.write(&later).await.unwrap_err(), "removed-by-hand");
        let raw = stage
            .ask(Method::GET, &format!("posts/{id}"), &Value::Null)
            .await;
        assert_eq!((raw.0, &raw.1["status"]), (200, &json!("trash")));
        // Restored by hand: yes, and it is brought up to date.
        stage
            .server
            .edits(&id, false, |post| post.status = "draft".to_owned());
        stage.write(&later).await.unwrap();
        assert!(stage.server.post("Bal 1").content.contains("Cour"));
        // Emptied from the trash.
        stage.server.state().posts.clear();
        asks(&stage.write(&ball()).await.unwrap_err(), "removed-by-hand");
    })
    .await;
}

#[tokio::test]
async fn what_is_in_the_trash_already_is_as_good_as_deleted() {
    story(Quirk::SecondDeleteIs410, |stage| async move {
        let id = stage.write(&ball()).await.unwrap().applied.external;
        stage
            .server
            .edits(&id, false, |post| post.status = "draft".to_owned());
        let link = stage.links.lock().unwrap()[&ball().id].clone();
        stage.server.trashes(&id);
        let raw = stage
            .ask(Method::DELETE, &format!("posts/{id}"), &Value::Null)
            .await;
        assert_eq!(
            (raw.0, &raw.1["code"]),
            (410, &json!("rest_already_trashed"))
        );
        let job = raccord_kit::Job::Remove {
            entity: ball().id,
            link,
        };
        stage.tool.sink().unwrap().apply(&job).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_title_comes_back_with_entities_and_is_no_edit() {
    story(Quirk::AmpersandIsStored, |stage| async move {
        let bal = activity(1, json!({ "title": "Bal & <b>buffet</b> \"d’hiver\"" }));
        let id = stage.write(&bal).await.unwrap().applied.external;
        let (_, raw) = stage
            .ask(
                Method::GET,
                &format!("posts/{id}?context=edit"),
                &Value::Null,
            )
            .await;
        assert!(
            raw["title"]["raw"].as_str().unwrap().contains("&amp;"),
            "{raw}"
        );
        stage.server.edits(&id, false, |_| ());
        assert!(stage.edits_of(&bal).await.is_empty());
        assert!(stage.write(&bal).await.unwrap().unchanged);
    })
    .await;
}

#[tokio::test]
async fn tags_are_taken_out_and_our_words_are_not() {
    story(Quirk::TagsTakenOut, |stage| async move {
        let body = json!({ "title": "a<script>b</script>", "content": "x" });
        let (_, raw) = stage.ask(Method::POST, "posts", &body).await;
        assert_eq!(raw["title"]["rendered"], "ab");
        let bal = activity(1, json!({ "title": "<script>b</script>" }));
        stage.write(&bal).await.unwrap();
        assert!(stage.write(&bal).await.unwrap().unchanged);
        assert!(
            stage
                .server
                .titles()
                .contains(&"<script>b</script>".to_owned())
        );
    })
    .await;
}

#[tokio::test]
async fn a_post_never_has_the_day_of_its_activity() {
    story(Quirk::FutureHides, |stage| async move {
        stage.write(&ball()).await.unwrap();
        assert_eq!(stage.server.post("Bal 1").status, "publish");
        let body = json!({ "title": "x", "status": "publish", "date": "2027-01-12T20:00:00Z" });
        let (_, raw) = stage.ask(Method::POST, "posts", &body).await;
        assert_eq!(raw["status"], "future");
    })
    .await;
}

#[tokio::test]
async fn a_wrong_password_rests_and_its_successor_is_tried() {
    story(Quirk::EveryDoubtIs401, |stage| async move {
        stage.server.state().password = "other".to_owned();
        for _ in 0..20 {
            let failure = stage.write(&ball()).await.unwrap_err();
            assert_eq!(
                (failure.blame, &*failure.code),
                (Blame::Access, "wordpress.credentials")
            );
            stage.pass(1);
        }
        let shown = stage.standin.seen();
        let shown = shown
            .iter()
            .filter(|seen| !seen.header("authorization").is_empty());
        assert_eq!(shown.count(), 1);
        stage.server.state().password = common::server::PASSWORD.to_owned();
        stage.pass(30);
        stage.write(&ball()).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_post_that_was_given_to_somebody_else_is_asked_about() {
    story(Quirk::OthersAre403, |stage| async move {
        let id = stage.write(&ball()).await.unwrap().applied.external;
        stage
            .server
            .edits(&id, false, |post| post.author = common::server::ANNA);
        let later = activity(1, json!({ "room": "Cour" }));
        asks(&stage.write(&later).await.unwrap_err(), "given-away");
        // An account that lost its role is another thing: everything stops.
        stage.server.state().capabilities.clear();
        let failure = stage.write(&later).await.unwrap_err();
        assert_eq!((failure.blame, failure.asks), (Blame::Access, false));
    })
    .await;
}

#[tokio::test]
async fn three_hundred_posts_are_all_looked_at_and_no_page_beyond() {
    story(Quirk::PageBeyondIs400, |stage| async move {
        stage.write(&ball()).await.unwrap();
        for number in 2..=300 {
            let body = json!({ "title": number.to_string(), "status": "draft" });
            stage.ask(Method::POST, "posts", &body).await;
        }
        assert!(matches!(stage.find(&ball()).await, Found::Yes(_)));
        let other = activity(301, json!({}));
        assert!(matches!(stage.find(&other).await, Found::No { .. }));
        let beyond = stage.ask(Method::GET, "posts?status=draft&page=40", &Value::Null);
        assert_eq!(beyond.await.0, 400);
    })
    .await;
}

#[tokio::test]
async fn nobody_asks_for_more_than_a_hundred() {
    story(Quirk::HundredAPage, |stage| async move {
        let asked = stage
            .ask(Method::GET, "posts?per_page=500", &Value::Null)
            .await;
        assert_eq!(asked.0, 400);
        stage.write(&ball()).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn nothing_guards_a_write_so_it_is_read_before() {
    story(Quirk::NoPrecondition, |stage| async move {
        let id = stage.write(&ball()).await.unwrap().applied.external;
        let body = json!({ "title": "Autre" });
        let (status, _) = stage.ask(Method::POST, &format!("posts/{id}"), &body).await;
        assert_eq!(status, 200, "whatever the precondition");
        let before = stage.standin.seen().len();
        stage
            .write(&activity(1, json!({ "room": "Cour" })))
            .await
            .unwrap();
        let seen = stage.standin.seen();
        assert_eq!(seen[before].method, Method::GET);
        assert_eq!(seen[before + 1].method, Method::POST);
    })
    .await;
}

#[tokio::test]
async fn a_site_without_application_passwords_is_told() {
    story(Quirk::PasswordsOverHttpsOnly, |stage| async move {
        stage.server.state().offers = false;
        let found = stage.tool.check().await;
        assert_eq!(found[0].code, "wordpress.no-application-passwords");
    })
    .await;
}

#[tokio::test]
async fn the_interface_is_where_the_front_page_says() {
    story(Quirk::AddressInTheHead, |stage| async move {
        stage.server.state().pretty = true;
        stage.write(&ball()).await.unwrap();
        let seen = stage.standin.seen();
        assert!(
            seen[1].path.starts_with("/wp-json/wp/v2/"),
            "{}",
            seen[1].path
        );
        assert!(
            seen[0].header("authorization").is_empty(),
            "nothing is shown to ask that"
        );
    })
    .await;
}

#[tokio::test]
async fn an_answer_behind_warnings_is_read() {
    story(Quirk::WarningsBeforeJson, |stage| async move {
        stage.server.state().warns = true;
        stage.write(&ball()).await.unwrap();
        assert!(stage.write(&ball()).await.unwrap().unchanged);
        assert_eq!(stage.server.titles(), ["Bal 1"]);
        let raw = stage.ask(Method::GET, "posts", &Value::Null).await;
        assert_eq!(raw.1, Value::Null, "others do not read it");
    })
    .await;
}

#[tokio::test]
async fn what_the_classic_editor_saved_is_still_ours() {
    story(Quirk::EditorsDropComments, |stage| async move {
        let id = stage.write(&ball()).await.unwrap().applied.external;
        stage.server.edits(&id, true, |post| {
            post.content = format!("<p>Nouveau !</p>{}", post.content);
        });
        assert!(!stage.server.post("Bal 1").content.contains("<!--"));
        assert!(
            stage.edits_of(&ball()).await.is_empty(),
            "around ours is theirs"
        );
        stage
            .write(&activity(1, json!({ "room": "Cour" })))
            .await
            .unwrap();
        let content = stage.server.post("Bal 1").content;
        assert!(
            content.starts_with("<p>Nouveau !</p>") && content.contains("Cour"),
            "{content}"
        );
        assert_eq!(
            content.matches("raccord-when").count(),
            2,
            "its comment and its class"
        );
    })
    .await;
}
