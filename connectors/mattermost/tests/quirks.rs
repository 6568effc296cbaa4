//! Each surprise of Mattermost is played by the stand-in, and noticed once it is not.
//!
//! A story is told twice: with the surprise it ends well, without it it must not.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::path::Path;
use std::sync::Arc;

use common::quirks::Quirk;
use common::server::{Fault, RateLimit};
use common::{Stage, activity, concert};
use http::Method;
use raccord_kit::conformance::{self, noticed};
use raccord_kit::standin::Reply;
use raccord_model::{Blame, Found, Observation, Verb};
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

// --- what makes a post once -------------------------------------------------

#[tokio::test]
async fn a_repeat_within_half_a_minute_is_the_first_post() {
    story(Quirk::PendingAnswersTheFirst, |stage| async move {
        let first = stage.put(&concert(), None).await;
        stage.pass(29);
        let again = stage.put(&concert(), None).await;
        assert_eq!(first.external, again.external);
        assert_eq!(stage.server.standing("chantiers").len(), 1);
    })
    .await;
}

#[tokio::test]
async fn after_half_a_minute_the_server_would_post_again_and_only_a_look_helps() {
    story(Quirk::PendingThirtySeconds, |stage| async move {
        stage.server.fault(Fault::LoseAnswer);
        let lost = stage.write(&concert(), None).await.unwrap_err();
        assert_eq!(lost.blame, Blame::Unknown);
        stage.pass(31);
        assert!(matches!(stage.find(&concert()).await, Found::Yes(_)));
        stage.write(&concert(), None).await.unwrap();
        let there = stage.server.standing("chantiers").len();
        assert_eq!(there, 2, "a blind repeat is a second post");
    })
    .await;
}

#[tokio::test]
async fn a_post_that_is_still_being_made_is_looked_for_and_not_repeated() {
    story(Quirk::PendingInFlight, |stage| async move {
        stage.server.fault(Fault::Hang);
        stage.write(&concert(), None).await.unwrap_err();
        let refused = stage.write(&concert(), None).await.unwrap_err();
        assert_eq!(
            (refused.blame, refused.code.as_str()),
            (Blame::Unknown, "mattermost.in-flight")
        );
        stage.server.finish();
        assert!(matches!(stage.find(&concert()).await, Found::Yes(_)));
        assert_eq!(stage.server.standing("chantiers").len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_first_attempt_that_failed_leaves_the_way_free() {
    story(Quirk::PendingFreedByFailure, |stage| async move {
        stage.server.state().channel_mut("chantiers").archived = 1;
        let failure = stage.write(&concert(), None).await.unwrap_err();
        assert_eq!(failure.code, "mattermost.archived");
        stage.server.state().channel_mut("chantiers").archived = 0;
        stage.write(&concert(), None).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_server_that_was_restarted_remembers_no_repeat() {
    story(Quirk::PendingForgottenAtRestart, |stage| async move {
        stage.server.fault(Fault::LoseAnswer);
        stage.write(&concert(), None).await.unwrap_err();
        stage.server.restart();
        assert!(matches!(stage.find(&concert()).await, Found::Yes(_)));
        stage.write(&concert(), None).await.unwrap();
        assert_eq!(stage.server.standing("chantiers").len(), 2);
    })
    .await;
}

#[tokio::test]
async fn the_key_of_a_repeat_belongs_to_the_whole_server() {
    story(Quirk::PendingSharedByAll, |stage| async move {
        let body = json!({
            "channel_id": stage.channel("chantiers"), "message": "le premier", "pending_post_id": "x",
        });
        let theirs = stage
            .ask_as("token-of-anna", Method::POST, "posts", &body)
            .await;
        let ours = stage.post("posts", &body).await;
        assert_eq!(ours.body["id"], theirs.body["id"]);
    })
    .await;
}

#[tokio::test]
async fn somebody_else_s_post_is_never_taken_for_ours_and_our_keys_cannot_be_guessed() {
    let stage = Stage::open().await;
    stage.put(&concert(), None).await;
    let other = Stage::open().await;
    other.put(&concert(), None).await;
    let key = |stage: &Stage| {
        let seen = stage.standin.writes().pop().unwrap();
        let body: Value = serde_json::from_slice(&seen.body).unwrap();
        body["pending_post_id"].as_str().unwrap().to_owned()
    };
    let bot = stage.server.state().user("raccord");
    assert!(key(&stage).starts_with(&format!("{bot}:")));
    assert!(!key(&stage).contains(&concert().id.to_string()[..8]));
    assert_eq!(key(&stage).len(), 26 + 1 + 32);

    // Somebody who knew it all the same was faster.
    let late = Stage::open().await;
    let body = json!({
        "channel_id": late.channel("chantiers"), "message": "c’est moi", "pending_post_id": key(&stage),
    });
    late.ask_as("token-of-anna", Method::POST, "posts", &body)
        .await;
    let failure = late.write(&concert(), None).await.unwrap_err();
    assert_eq!(
        (failure.blame, failure.code.as_str()),
        (Blame::Unknown, "mattermost.not-ours")
    );
    assert!(matches!(late.find(&concert()).await, Found::No { .. }));
}

#[tokio::test]
async fn the_post_of_a_repeat_does_not_bear_its_key() {
    story(Quirk::PendingNotEchoed, |stage| async move {
        let more = json!({ "pending_post_id": "k1", "props": { "raccord": { "k": "m" } } });
        assert_eq!(
            stage.raw_post("x", &more).await.body["pending_post_id"],
            "k1"
        );
        let again = stage.raw_post("x", &more).await;
        assert_eq!(
            (again.status, &again.body["pending_post_id"]),
            (201, &json!(""))
        );
        assert_eq!(again.body["props"]["raccord"]["k"], "m");
    })
    .await;
}

#[tokio::test]
async fn a_search_finds_words_and_no_props() {
    story(Quirk::SearchIgnoresProps, |stage| async move {
        stage.put(&concert(), None).await;
        let key = stage.server.standing("chantiers")[0].props["raccord"]["k"].clone();
        let search = |terms: &str| json!({ "terms": terms, "is_or_search": false });
        let path = "teams/x/posts/search";
        let by_word = stage.post(path, &search("concert")).await;
        assert_eq!(by_word.body["order"].as_array().unwrap().len(), 1);
        let by_key = stage.post(path, &search(key.as_str().unwrap())).await;
        assert_eq!(by_key.body["order"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn a_change_replaces_all_props() {
    story(Quirk::PropsReplaced, |stage| async move {
        let link = stage.put(&concert(), None).await;
        stage
            .put(
                &activity(1, json!({ "room": "Jardin" })),
                Some(link.clone()),
            )
            .await;
        assert!(matches!(stage.find(&concert()).await, Found::Yes(_)));
        let id = link.external.split_once(' ').unwrap().1;
        let body = json!({ "props": { "other": 1 } });
        stage
            .ask(Method::PUT, &format!("posts/{id}/patch"), &body)
            .await;
        assert!(matches!(stage.find(&concert()).await, Found::No { .. }));
    })
    .await;
}

#[tokio::test]
async fn what_a_bot_says_is_marked_by_the_server() {
    story(Quirk::FromBotAdded, |stage| async move {
        let made = stage.raw_post("x", &json!({})).await;
        assert_eq!(made.body["props"]["from_bot"], "true");
    })
    .await;
}

// --- what is read -----------------------------------------------------------

#[tokio::test]
async fn an_edit_of_an_old_post_is_heard() {
    story(Quirk::SinceByUpdate, |stage| async move {
        let old = stage.server.says("anna", "chantiers", "avant");
        stage.pass(3_600);
        let mut cursor = stage.listen().await;
        stage.server.edits(&old, "après");
        let heard = stage.hear(&mut cursor).await;
        assert_eq!(heard.len(), 1);
        assert_eq!(
            (heard[0].verb, &heard[0].fields["text"]),
            (Verb::Updated, &json!("après"))
        );
    })
    .await;
}

#[tokio::test]
async fn a_thousand_rows_are_some_of_more_and_all_are_heard() {
    story(Quirk::SinceThousand, |stage| async move {
        let mut cursor = stage.listen().await;
        for number in 0..1_200 {
            stage
                .server
                .says("anna", "chantiers", &format!("message {number}"));
            stage.clock.advance(jiff::SignedDuration::from_millis(40));
        }
        let path = format!("channels/{}/posts?since=1", stage.channel("chantiers"));
        let rows = stage.get(&path).await;
        assert_eq!(rows.body["order"].as_array().unwrap().len(), 1_000);
        assert_eq!(stage.hear(&mut cursor).await.len(), 1_200);
        assert_eq!(stage.hear(&mut cursor).await.len(), 0);
    })
    .await;
}

#[tokio::test]
async fn what_stands_among_more_than_a_thousand_changes_is_counted() {
    let stage = Stage::open().await;
    let mut cursor = stage.listen().await;
    let old = stage.server.says("anna", "chantiers", "il y a longtemps");
    let gone = stage.server.says("anna", "chantiers", "bientôt effacé");
    assert_eq!(stage.hear(&mut cursor).await.len(), 2);
    stage.pass(3_600);
    for number in 0..1_500 {
        let text = format!("message {number}");
        stage.server.says("anna", "chantiers", &text);
        stage.clock.advance(jiff::SignedDuration::from_millis(40));
    }
    stage.server.deletes(&gone);
    stage.server.edits(&old, "il y a très longtemps");
    let source = stage.tool.source().unwrap();
    let seen = source.observe(cursor.as_deref()).await.unwrap();
    let Observation::Recount {
        changes, standing, ..
    } = seen
    else {
        panic!("{seen:?}")
    };
    let edited = changes.iter().filter(|one| {
        let text = one.fields.get("text");
        text.is_some_and(|text| text == "il y a très longtemps")
    });
    assert_eq!(edited.count(), 1);
    let channel = stage.channel("chantiers");
    let [stands] = &standing[..] else {
        panic!("{standing:?}")
    };
    assert_eq!((&stands.channel, stands.subjects.len()), (&channel, 1_501));
    let is_there = |post: &str| stands.subjects.contains(&format!("{channel} {post}"));
    assert!(is_there(&old) && !is_there(&gone));

    // Pages without what was just told are no ground to take the rest for gone.
    let server = stage.server.clone();
    stage.standin.direct(move |seen| {
        if seen.path.contains("per_page") {
            Reply::ok("{\"order\":[],\"posts\":{}}").into()
        } else {
            server.answer(seen)
        }
    });
    let read = source.observe(cursor.as_deref()).await;
    assert!(read.is_err(), "{read:?}");
}

#[tokio::test]
async fn a_deletion_is_heard() {
    story(Quirk::SinceDeleted, |stage| async move {
        let said = stage.server.says("anna", "chantiers", "non, rien");
        stage.pass(3_600);
        let mut cursor = stage.listen().await;
        stage.server.deletes(&said);
        let heard = stage.hear(&mut cursor).await;
        assert_eq!(
            heard.iter().map(|one| one.verb).collect::<Vec<_>>(),
            [Verb::Removed]
        );
    })
    .await;
}

#[tokio::test]
async fn the_rows_that_keep_earlier_texts_are_no_messages() {
    story(Quirk::SinceHistory, |stage| async move {
        let said = stage.server.says("anna", "chantiers", "un");
        stage.pass(3_600);
        let mut cursor = stage.listen().await;
        stage.server.edits(&said, "deux");
        let path = format!("channels/{}/posts?since=1", stage.channel("chantiers"));
        let rows = stage.get(&path).await;
        assert_eq!(
            rows.body["order"].as_array().unwrap().len(),
            2,
            "one is hidden"
        );
        assert_eq!(stage.hear(&mut cursor).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_reaction_is_heard() {
    story(Quirk::SinceReactions, |stage| async move {
        let said = stage.server.says("anna", "chantiers", "qui vient ?");
        stage.pass(3_600);
        let mut cursor = stage.listen().await;
        let anna = stage.server.state().user("anna");
        stage.server.state().reacts(&said, &anna, "+1");
        let heard = stage.hear(&mut cursor).await;
        assert_eq!(heard[0].fields["reactions"], json!({ "+1": 1 }));
    })
    .await;
}

#[tokio::test]
async fn what_was_taken_away_is_still_known_as_ours() {
    story(Quirk::DeletedKeepsProps, |stage| async move {
        stage.server.fault(Fault::LoseAnswer);
        stage.write(&concert(), None).await.unwrap_err();
        let id = stage.server.standing("chantiers")[0].id.clone();
        stage.server.deletes(&id);
        let Found::Yes(applied) = stage.find(&concert()).await else {
            panic!("it would be said again, against whoever took it away")
        };
        assert_eq!(applied.tag.as_deref(), Some("gone"));
    })
    .await;
}

#[tokio::test]
async fn what_has_the_same_millisecond_as_a_post_is_not_before_it() {
    story(Quirk::BeforeIsStrict, |stage| async move {
        for number in 0..3 {
            stage.server.says("anna", "chantiers", &format!("{number}"));
        }
        let last = stage.server.standing("chantiers")[2].id.clone();
        let channel = stage.channel("chantiers");
        let page = stage
            .get(&format!("channels/{channel}/posts?before={last}"))
            .await;
        assert_eq!(page.body["order"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn lists_begin_with_the_newest() {
    story(Quirk::OrderNewestFirst, |stage| async move {
        let mut cursor = stage.listen().await;
        for word in ["un", "deux"] {
            stage.server.says("anna", "chantiers", word);
            stage.pass(1);
        }
        let heard = stage.hear(&mut cursor).await;
        let words: Vec<&Value> = heard.iter().map(|one| &one.fields["text"]).collect();
        assert_eq!(words, ["un", "deux"]);
    })
    .await;
}

#[tokio::test]
async fn a_list_holds_posts_that_were_not_asked_for() {
    story(Quirk::PostsBeyondOrder, |stage| async move {
        let root = stage.server.says("anna", "chantiers", "qui vient ?");
        stage.pass(3_600);
        let mut cursor = stage.listen().await;
        stage.server.replies("anna", "chantiers", "moi", &root);
        let path = format!(
            "channels/{}/posts?since={}",
            stage.channel("chantiers"),
            stage.server.state().now() - 1
        );
        let rows = stage.get(&path).await;
        assert_eq!(rows.body["order"].as_array().unwrap().len(), 1);
        assert_eq!(rows.body["posts"].as_object().unwrap().len(), 2);
        let heard = stage.hear(&mut cursor).await;
        assert_eq!(heard.len(), 1);
        assert_eq!(heard[0].fields["thread"], json!(root));
    })
    .await;
}

#[tokio::test]
async fn no_page_is_longer_than_two_hundred() {
    story(Quirk::PageOfTwoHundred, |stage| async move {
        for number in 0..250 {
            stage.server.says("anna", "chantiers", &format!("{number}"));
        }
        let channel = stage.channel("chantiers");
        let page = stage
            .get(&format!("channels/{channel}/posts?per_page=1000"))
            .await;
        assert_eq!(page.body["order"].as_array().unwrap().len(), 200);
    })
    .await;
}

// --- limits -----------------------------------------------------------------

#[tokio::test]
async fn a_server_counts_nobody_s_calls_unless_told_to() {
    story(Quirk::NoLimitByDefault, |stage| async move {
        for number in 0..40 {
            stage.put(&activity(number, json!({})), None).await;
        }
        assert_eq!(stage.server.standing("chantiers").len(), 40);
    })
    .await;
}

fn limited(stage: &Stage) {
    stage.server.state().rate = Some(RateLimit {
        per_second: 10,
        burst: 3,
    });
}

#[tokio::test]
async fn too_many_calls_are_refused_in_plain_text() {
    story(Quirk::PlainText429, |stage| async move {
        limited(&stage);
        for number in 0..9 {
            if let Err(failure) = stage.write(&activity(number, json!({})), None).await {
                assert_eq!(failure.blame, Blame::Transient);
            }
        }
        let refused = stage.get("users/me").await;
        assert_eq!(
            (refused.status, refused.text.as_str()),
            (429, "limit exceeded\n")
        );
    })
    .await;
}

#[tokio::test]
async fn how_long_to_wait_is_said_in_seconds() {
    story(Quirk::ResetInSeconds, |stage| async move {
        limited(&stage);
        for _ in 0..4 {
            stage.get("users/me").await;
        }
        let refused = stage.get("users/me").await;
        assert_eq!(refused.header("x-ratelimit-reset"), "1");
        assert_eq!(refused.header("retry-after"), "1");
        let failure = stage.write(&concert(), None).await.unwrap_err();
        assert_eq!(failure.retry_after_ms, Some(1_000));
    })
    .await;
}

#[tokio::test]
async fn length_is_counted_in_characters() {
    story(Quirk::LengthInRunes, |stage| async move {
        let made = stage.raw_post(&"é".repeat(16_383), &json!({})).await;
        assert_eq!(made.status, 201);
        let long = stage.raw_post(&"é".repeat(16_384), &json!({})).await;
        assert_eq!(
            (long.status, long.id()),
            (400, "model.post.is_valid.message_length.app_error")
        );
    })
    .await;
}

#[tokio::test]
async fn limits_are_told_as_texts() {
    story(Quirk::LimitsAreTexts, |stage| async move {
        stage.server.state().max_post = 4_000;
        let findings = stage.tool.check().await;
        let codes: Vec<&str> = findings.iter().map(|one| one.code.as_str()).collect();
        assert_eq!(codes, ["mattermost.short-posts"]);
    })
    .await;
}

#[tokio::test]
async fn a_body_has_a_limit_of_its_own() {
    story(Quirk::BodyLimit, |stage| async move {
        let long = json!({ "props": { "x": "y".repeat(300_000) } });
        let refused = stage.raw_post("x", &long).await;
        assert_eq!(
            (refused.status, refused.id()),
            (413, "api.context.request_body_too_large.app_error")
        );
    })
    .await;
}

// --- what is refused --------------------------------------------------------

#[tokio::test]
async fn nothing_is_written_to_an_archived_channel() {
    story(Quirk::ArchivedRefuses, |stage| async move {
        stage.server.state().channel_mut("chantiers").archived = 1;
        let failure = stage.write(&concert(), None).await.unwrap_err();
        assert_eq!(
            (failure.blame, failure.code.as_str()),
            (Blame::Data, "mattermost.archived")
        );
    })
    .await;
}

#[tokio::test]
async fn a_private_channel_without_us_is_as_if_there_were_none() {
    story(Quirk::PrivateIsUnknown, |stage| async move {
        let lost = stage.server.state().lost;
        let bureau = Stage::with(lost, |all| {
            all["channel"] = json!("bureau");
        })
        .await;
        let findings = bureau.tool.check().await;
        let codes: Vec<&str> = findings.iter().map(|one| one.code.as_str()).collect();
        assert_eq!(codes, ["mattermost.no-channel"]);
    })
    .await;
}

#[tokio::test]
async fn nobody_writes_where_they_are_no_member() {
    story(Quirk::MembersOnly, |stage| async move {
        let bot = stage.server.state().user("raccord");
        stage.put(&concert(), None).await;
        stage
            .server
            .state()
            .channel_mut("chantiers")
            .members
            .remove(&bot);
        let other = activity(2, json!({}));
        let failure = stage.write(&other, None).await.unwrap_err();
        assert_eq!(
            (failure.blame, failure.code.as_str()),
            (Blame::Data, "mattermost.no-right")
        );
    })
    .await;
}

#[tokio::test]
async fn an_old_post_may_not_be_changed_any_more() {
    story(Quirk::EditLimit, |stage| async move {
        stage.server.state().edit_limit = 300;
        let link = stage.put(&concert(), None).await;
        stage.pass(301);
        let moved = activity(1, json!({ "room": "Jardin" }));
        let failure = stage.write(&moved, Some(link)).await.unwrap_err();
        assert_eq!(
            (failure.blame, failure.code.as_str()),
            (Blame::Data, "mattermost.edit-limit")
        );
    })
    .await;
}

#[tokio::test]
async fn a_reply_to_a_reply_is_refused() {
    story(Quirk::NoReplyToReply, |stage| async move {
        let root = stage.server.says("anna", "chantiers", "un");
        let reply = stage.server.replies("anna", "chantiers", "deux", &root);
        let refused = stage.raw_post("trois", &json!({ "root_id": reply })).await;
        assert_eq!(
            (refused.status, refused.id()),
            (400, "api.post.create_post.root_id.app_error")
        );
    })
    .await;
}

#[tokio::test]
async fn a_thread_stays_in_its_channel() {
    story(Quirk::RootOfAnotherChannel, |stage| async move {
        let root = stage.server.says("anna", "town-square", "un");
        let refused = stage.raw_post("deux", &json!({ "root_id": root })).await;
        assert_eq!(
            (refused.status, refused.id()),
            (400, "api.post.create_post.channel_root_id.app_error")
        );
    })
    .await;
}

#[tokio::test]
async fn a_thread_goes_with_what_begins_it() {
    story(Quirk::ThreadGoesWithRoot, |stage| async move {
        let link = stage.put(&concert(), None).await;
        let id = link.external.split_once(' ').unwrap().1.to_owned();
        stage.server.replies("anna", "chantiers", "je viens", &id);
        stage.remove(&concert(), &link).await.unwrap();
        assert_eq!(stage.server.standing("chantiers").len(), 0);
    })
    .await;
}

#[tokio::test]
async fn what_is_deleted_already_cannot_be_deleted() {
    story(Quirk::DeletedTwiceIsUnknown, |stage| async move {
        let link = stage.put(&concert(), None).await;
        stage.remove(&concert(), &link).await.unwrap();
        stage.remove(&concert(), &link).await.unwrap();
        let id = link.external.split_once(' ').unwrap().1;
        let again = stage
            .ask(Method::DELETE, &format!("posts/{id}"), &Value::Null)
            .await;
        assert_eq!(again.status, 404);
    })
    .await;
}

#[tokio::test]
async fn a_revoked_token_is_an_expired_session() {
    story(Quirk::DeadTokenIsExpiredSession, |stage| async move {
        stage.server.state().tokens.clear();
        let refused = stage.get("users/me").await;
        assert_eq!(
            (refused.status, refused.id()),
            (401, "api.context.session_expired.app_error")
        );
        let failure = stage.write(&concert(), None).await.unwrap_err();
        assert_eq!(
            (failure.blame, failure.code.as_str()),
            (Blame::Access, "mattermost.credentials")
        );
    })
    .await;
}

#[tokio::test]
async fn refusals_are_in_the_language_of_the_account() {
    story(Quirk::ErrorsInTheUsersLanguage, |stage| async move {
        stage.server.state().channel_mut("chantiers").archived = 1;
        let refused = stage.raw_post("x", &json!({})).await;
        assert_eq!(refused.body["message"], "Canal archivé");
        stage.server.state().french = false;
        let failure = stage.write(&concert(), None).await.unwrap_err();
        assert_eq!(failure.code, "mattermost.archived");
    })
    .await;
}

#[tokio::test]
async fn posting_shows_somebody_sitting_there() {
    story(Quirk::PostingShowsOnline, |stage| async move {
        stage.put(&concert(), None).await;
        assert!(!stage.server.state().online, "nobody sits there");
        stage.raw_post("x", &json!({})).await;
        assert!(stage.server.state().online);
    })
    .await;
}

// --- whom a text notifies ---------------------------------------------------

async fn notified(stage: &Stage, text: &str) -> Vec<String> {
    stage.raw_post(text, &json!({})).await;
    let mut state = stage.server.state();
    let told = std::mem::take(&mut state.notified);
    told.into_iter().map(|(_, name)| name).collect()
}

#[tokio::test]
async fn a_backslash_protects_nobody() {
    story(Quirk::BackslashNotifies, |stage| async move {
        assert_eq!(notified(&stage, "\\@all").await, ["all"]);
        assert!(notified(&stage, "@\u{2060}all").await.is_empty());
        assert!(notified(&stage, "`@all`").await.is_empty());
        assert!(notified(&stage, "```\n@all\n```").await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn brackets_protect_nobody() {
    story(Quirk::BracketsNotify, |stage| async move {
        assert_eq!(notified(&stage, "(@all)").await, ["all"]);
    })
    .await;
}

#[tokio::test]
async fn names_are_names_in_any_case() {
    story(Quirk::MentionsAnyCase, |stage| async move {
        assert_eq!(notified(&stage, "@ALL et @Anna").await, ["all", "anna"]);
    })
    .await;
}

#[tokio::test]
async fn who_may_not_notify_all_is_taken_and_marked() {
    story(Quirk::MentionWithoutRightIsTaken, |stage| async move {
        let bot = stage.server.state().user("raccord");
        stage
            .server
            .state()
            .users
            .get_mut(&bot)
            .unwrap()
            .may_mention_all = false;
        let made = stage.raw_post("@all", &json!({})).await;
        assert_eq!(made.status, 201);
        assert_eq!(made.body["props"]["mentionHighlightDisabled"], true);
    })
    .await;
}

// --- the rest ---------------------------------------------------------------

#[tokio::test]
async fn what_is_pinned_may_be_pinned_again() {
    story(Quirk::PinTwiceIsFine, |stage| async move {
        let made = stage.raw_post("x", &json!({})).await;
        let path = format!("posts/{}/pin", made.body["id"].as_str().unwrap());
        for _ in 0..2 {
            assert_eq!(stage.post(&path, &Value::Null).await.status, 200);
        }
    })
    .await;
}

#[tokio::test]
async fn files_that_do_not_belong_are_dropped_without_a_word() {
    story(Quirk::StrangeFilesDropped, |stage| async move {
        let made = stage
            .raw_post("x", &json!({ "file_ids": ["nobodysfile"] }))
            .await;
        assert_eq!((made.status, &made.body["file_ids"]), (201, &json!([])));
    })
    .await;
}

#[tokio::test]
async fn two_people_have_one_channel() {
    story(Quirk::DirectIsOne, |stage| async move {
        let lost = stage.server.state().lost;
        let to_anna = Stage::with(lost, |all| {
            all["channel"] = json!("@anna");
        })
        .await;
        for number in 0..2 {
            to_anna.put(&activity(number, json!({})), None).await;
        }
        let mut fresh = to_anna;
        fresh.restart();
        fresh.put(&activity(2, json!({})), None).await;
        let state = fresh.server.state();
        let direct = state.channels.values().filter(|one| one.kind == 'D');
        assert_eq!(direct.count(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_new_header_is_a_post_and_no_message() {
    story(Quirk::HeaderMakesAPost, |stage| async move {
        let mut cursor = stage.listen().await;
        let path = format!("channels/{}/patch", stage.channel("chantiers"));
        stage
            .ask(Method::PUT, &path, &json!({ "header": "Programme" }))
            .await;
        let posts = stage.server.standing("chantiers");
        assert_eq!(posts[0].kind, "system_header_change");
        assert_eq!(stage.hear(&mut cursor).await, []);
    })
    .await;
}

#[tokio::test]
async fn outgoing_webhooks_hear_what_bots_say() {
    story(Quirk::HooksHearOurPosts, |stage| async move {
        stage.put(&concert(), None).await;
        assert_eq!(stage.server.state().heard.len(), 1);
    })
    .await;
}
