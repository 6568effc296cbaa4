//! Each surprise of Rocket.Chat is played by the stand-in, and noticed once it is not.
//!
//! A story is told twice: with the surprise it ends well, without it it must not.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::path::Path;
use std::sync::Arc;

use common::messages::TYPE_ERROR;
use common::quirks::Quirk;
use common::server::Fault;
use common::{Stage, activity, concert};
use http::Method;
use raccord_kit::conformance::{self, noticed};
use raccord_model::{Blame, Found, Verb};
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

fn id_of(link: &raccord_model::Link) -> String {
    link.external.split_once(' ').unwrap().1.to_owned()
}

fn codes(findings: &[raccord_kit::Finding]) -> Vec<&str> {
    findings.iter().map(|one| one.code.as_str()).collect()
}

// --- what makes a message once ----------------------------------------------

#[tokio::test]
async fn a_known_id_is_answered_with_a_meaningless_error() {
    story(Quirk::RepeatIsTypeError, |stage| async move {
        stage.server.fault(Fault::LoseAnswer);
        let lost = stage.write(&concert(), None).await.unwrap_err();
        assert_eq!(lost.blame, Blame::Unknown);
        let link = stage.put(&concert(), None).await;
        assert_eq!(stage.server.standing("chantiers").len(), 1);
        let raw = stage
            .raw_send("autre", &json!({ "_id": id_of(&link) }))
            .await;
        assert_eq!((raw.status, raw.error()), (400, TYPE_ERROR));
    })
    .await;
}

#[tokio::test]
async fn a_known_id_tells_nobody_again() {
    story(Quirk::RepeatIsSilent, |stage| async move {
        for _ in 0..3 {
            stage.put(&concert(), None).await;
        }
        assert_eq!(stage.server.state().told.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_message_an_app_took_away_is_answered_like_a_known_id() {
    story(Quirk::VetoLooksTheSame, |stage| async move {
        stage.server.fault(Fault::Veto);
        let failure = stage.write(&concert(), None).await.unwrap_err();
        assert_eq!(
            (failure.blame, failure.code.as_str()),
            (Blame::Data, "rocketchat.not-taken")
        );
        stage.put(&concert(), None).await;
        stage.server.fault(Fault::Veto);
        assert_eq!(stage.raw_send("x", &json!({})).await.error(), TYPE_ERROR);
    })
    .await;
}

#[tokio::test]
async fn an_id_belongs_to_the_whole_server() {
    story(Quirk::IdsAreGlobal, |stage| async move {
        let message =
            json!({ "message": { "_id": "x1", "rid": stage.room("general"), "msg": "ailleurs" } });
        stage
            .ask_as(
                "token-of-anna",
                Method::POST,
                "api/v1/chat.sendMessage",
                &message,
            )
            .await;
        let refused = stage.raw_send("ici", &json!({ "_id": "x1" })).await;
        assert_eq!(refused.status, 400);
        assert_eq!(stage.server.standing("chantiers").len(), 0);
    })
    .await;
}

#[tokio::test]
async fn somebody_who_took_our_id_only_makes_us_take_the_next() {
    let other = Stage::open().await;
    let name = id_of(&other.put(&concert(), None).await);
    let stage = Stage::open().await;
    let message =
        json!({ "message": { "_id": name, "rid": stage.room("general"), "msg": "à moi" } });
    stage
        .ask_as(
            "token-of-anna",
            Method::POST,
            "api/v1/chat.sendMessage",
            &message,
        )
        .await;
    let link = stage.put(&concert(), None).await;
    assert_ne!(id_of(&link), name);
    let again = stage.put(&concert(), None).await;
    assert_eq!(
        again.external, link.external,
        "and it is the same one each time"
    );
    assert_eq!(stage.server.standing("chantiers").len(), 1);
    assert!(matches!(stage.find(&concert()).await, Found::Yes(_)));
}

#[tokio::test]
async fn a_message_that_was_deleted_frees_its_id() {
    story(Quirk::DeletedFreesTheId, |stage| async move {
        let link = stage.put(&concert(), None).await;
        stage.server.deletes(&id_of(&link));
        let moved = activity(1, json!({ "room": "Jardin" }));
        let made = stage.write(&moved, Some(link.clone())).await.unwrap();
        assert_eq!(made.applied.tag.as_deref(), Some("gone"), "it stays away");
        let raw = stage
            .raw_send("encore", &json!({ "_id": id_of(&link) }))
            .await;
        assert_eq!(raw.status, 200, "a blind repeat would bring it back");
    })
    .await;
}

#[tokio::test]
async fn where_deleted_messages_leave_a_mark_it_keeps_the_id() {
    story(Quirk::TombstoneKeepsTheId, |stage| async move {
        stage.server.state().tombstones = true;
        stage.server.fault(Fault::LoseAnswer);
        stage.write(&concert(), None).await.unwrap_err();
        let id = stage.server.standing("chantiers")[0].id.clone();
        stage.server.deletes(&id);
        stage.put(&concert(), None).await;
        assert_eq!(stage.server.standing("chantiers").len(), 0, "it stays away");
        let Found::Yes(applied) = stage.find(&concert()).await else {
            panic!("the mark is there")
        };
        assert_eq!(applied.tag.as_deref(), Some("gone"));
    })
    .await;
}

// --- whom a text notifies ---------------------------------------------------

#[tokio::test]
async fn a_message_that_would_notify_all_is_refused_whole() {
    story(Quirk::MentionAllRefused, |stage| async move {
        for text in ["@all", "hi @all", "@all.", "> @all", ">@all", "\u{a0}@here"] {
            let refused = stage.raw_send(text, &json!({})).await;
            assert_eq!(
                (refused.status, refused.kind()),
                (400, "error-action-not-allowed"),
                "{text:?}"
            );
        }
        for text in [
            "(@all)",
            "`@all`",
            "a@all",
            "**@all**",
            "＠all",
            "@\u{200b}all",
            "@\u{2060}all",
        ] {
            assert_eq!(
                stage.raw_send(text, &json!({})).await.status,
                200,
                "{text:?}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn names_that_notify_all_are_in_lower_case() {
    story(Quirk::MentionsLowerCase, |stage| async move {
        assert_eq!(stage.raw_send("@ALL", &json!({})).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn a_fence_protects_nobody() {
    story(Quirk::FenceDoesNotProtect, |stage| async move {
        let refused = stage.raw_send("```\n@all\n```", &json!({})).await;
        assert_eq!(refused.kind(), "error-action-not-allowed");
    })
    .await;
}

#[tokio::test]
async fn a_backslash_protects() {
    story(Quirk::BackslashProtects, |stage| async move {
        assert_eq!(stage.raw_send("\\@all", &json!({})).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn a_byte_order_mark_is_white_space() {
    story(Quirk::ByteOrderMarkIsSpace, |stage| async move {
        let refused = stage.raw_send("x\u{feff}@here", &json!({})).await;
        assert_eq!(refused.kind(), "error-action-not-allowed");
    })
    .await;
}

// --- limits -----------------------------------------------------------------

#[tokio::test]
async fn length_is_counted_in_utf_16() {
    story(Quirk::SizeInUtf16, |stage| async move {
        let fits = stage.raw_send(&"🎉".repeat(2_500), &json!({})).await;
        assert_eq!(fits.status, 200);
        let long = stage.raw_send(&"🎉".repeat(2_501), &json!({})).await;
        assert_eq!(
            (long.status, long.kind()),
            (400, "error-message-size-exceeded")
        );
    })
    .await;
}

/// The bot without the role that is not counted.
fn counted(stage: &Stage) {
    stage.server.state().roles("raccord", &["user"]);
}

#[tokio::test]
async fn who_has_no_role_is_taken_ten_times_a_minute() {
    story(Quirk::TenAMinute, |stage| async move {
        counted(&stage);
        let findings = stage.tool.check().await;
        assert_eq!(codes(&findings), ["rocketchat.no-bot-role"]);
        for number in 0..10 {
            stage.put(&activity(number, json!({})), None).await;
        }
        let failure = stage
            .write(&activity(10, json!({})), None)
            .await
            .unwrap_err();
        assert_eq!(
            (failure.blame, failure.code.as_str()),
            (Blame::Transient, "rocketchat.busy")
        );
        stage.pass(61);
        stage.put(&activity(10, json!({})), None).await;
    })
    .await;
}

#[tokio::test]
async fn each_route_is_counted_by_itself() {
    story(Quirk::LimitPerRoute, |stage| async move {
        counted(&stage);
        for _ in 0..10 {
            stage.get("api/v1/me").await;
        }
        assert_eq!(stage.get("api/v1/me").await.status, 429);
        assert_eq!(stage.get("api/v1/rooms.get").await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn the_role_bot_is_not_counted() {
    story(Quirk::BotBypasses, |stage| async move {
        for number in 0..40 {
            stage.put(&activity(number, json!({})), None).await;
        }
    })
    .await;
}

#[tokio::test]
async fn how_long_to_wait_is_said_as_a_moment() {
    story(Quirk::ResetIsAMoment, |stage| async move {
        counted(&stage);
        for number in 0..10 {
            stage.put(&activity(number, json!({})), None).await;
            stage.pass(1);
        }
        let failure = stage
            .write(&activity(10, json!({})), None)
            .await
            .unwrap_err();
        assert_eq!(failure.retry_after_ms, Some(50_000));
        let refused = stage.raw_send("x", &json!({})).await;
        let reset: i64 = refused.header("x-ratelimit-reset").parse().unwrap();
        assert_eq!(reset - stage.server.state().now(), 50_000);
    })
    .await;
}

#[tokio::test]
async fn a_refusal_has_no_retry_after() {
    story(Quirk::NoRetryAfter, |stage| async move {
        counted(&stage);
        for _ in 0..10 {
            stage.get("api/v1/me").await;
        }
        let refused = stage.get("api/v1/me").await;
        assert_eq!((refused.status, refused.header("retry-after")), (429, ""));
        assert!(refused.error().contains("error-too-many-requests"));
    })
    .await;
}

#[tokio::test]
async fn nothing_bypasses_the_limit_of_incoming_webhooks() {
    story(Quirk::HooksNeverBypass, |stage| async move {
        for _ in 0..10 {
            let told = stage.post("hooks/i/t", &json!({ "text": "x" })).await;
            assert_eq!(
                (told.status, &told.body),
                (200, &json!({ "success": true }))
            );
        }
        assert_eq!(
            stage
                .post("hooks/i/t", &json!({ "text": "x" }))
                .await
                .status,
            429
        );
    })
    .await;
}

// --- what is refused, and how -----------------------------------------------

#[tokio::test]
async fn a_room_that_is_not_there_is_a_bad_request() {
    story(Quirk::MissingRoomIs400, |stage| async move {
        let refused = stage.get("api/v1/rooms.info?roomName=nulle-part").await;
        assert_eq!(
            (refused.status, refused.kind()),
            (400, "error-room-not-found")
        );
        let lost = stage.server.state().lost;
        let nowhere = Stage::with(lost, |all| all["channel"] = json!("nulle-part")).await;
        assert_eq!(codes(&nowhere.tool.check().await), ["rocketchat.no-room"]);
    })
    .await;
}

#[tokio::test]
async fn a_message_that_is_not_there_is_a_bad_request_without_a_word() {
    story(Quirk::MissingMessageIs400, |stage| async move {
        let refused = stage.get("api/v1/chat.getMessage?msgId=nope").await;
        assert_eq!(
            (refused.status, &refused.body),
            (400, &json!({ "success": false }))
        );
        assert!(matches!(stage.find(&concert()).await, Found::No { .. }));
    })
    .await;
}

#[tokio::test]
async fn a_message_that_may_not_be_seen_is_not_taken_for_gone() {
    story(Quirk::HiddenMessageIsNotAllowed, |stage| async move {
        let bot = common::server::BOT;
        stage.server.state().room_mut("chantiers").kind = 'p';
        let link = stage.put(&concert(), None).await;
        let moved = activity(1, json!({ "room": "Cour" }));
        stage
            .server
            .state()
            .room_mut("chantiers")
            .members
            .remove(bot);
        let failure = stage.write(&moved, Some(link.clone())).await.unwrap_err();
        assert_eq!(failure.code, "rocketchat.no-right");
        let invited = bot.to_owned();
        stage
            .server
            .state()
            .room_mut("chantiers")
            .members
            .insert(invited);
        stage.put(&moved, Some(link)).await;
        assert!(stage.server.standing("chantiers")[0].text.contains("Cour"));
    })
    .await;
}

#[tokio::test]
async fn what_is_deleted_already_is_a_bad_request() {
    story(Quirk::DeletedTwiceIs400, |stage| async move {
        let link = stage.put(&concert(), None).await;
        stage.remove(&concert(), &link).await.unwrap();
        stage.remove(&concert(), &link).await.unwrap();
        let body = json!({ "roomId": stage.room("chantiers"), "msgId": id_of(&link) });
        let again = stage.post("api/v1/chat.delete", &body).await;
        assert_eq!(again.status, 400);
        assert!(again.error().starts_with("No message found"));
    })
    .await;
}

#[tokio::test]
async fn a_token_is_good_with_its_own_account_only() {
    story(Quirk::BothHeadersNeeded, |stage| async move {
        let lost = stage.server.state().lost;
        let other = Stage::with(lost, |all| all["user_id"] = json!("somebodyelse12345")).await;
        assert_eq!(codes(&other.tool.check().await), ["rocketchat.credentials"]);
    })
    .await;
}

#[tokio::test]
async fn a_session_ends_one_day() {
    story(Quirk::SessionsExpire, |stage| async move {
        let body = json!({ "user": "raccord", "password": "password" });
        let login = stage.post("api/v1/login", &body).await;
        let token = login.body["data"]["authToken"].as_str().unwrap().to_owned();
        let lost = stage.server.state().lost;
        let mine = Stage::with(lost, |all| all["token"] = json!(token)).await;
        let until = mine.server.state().now() + 60_000;
        let bot = (common::server::BOT.to_owned(), until);
        mine.server.state().tokens.insert(token, bot);
        mine.put(&concert(), None).await;
        mine.pass(61);
        let failure = mine.write(&activity(2, json!({})), None).await.unwrap_err();
        assert_eq!(
            (failure.blame, failure.code.as_str()),
            (Blame::Access, "rocketchat.credentials")
        );
    })
    .await;
}

#[tokio::test]
async fn custom_fields_are_refused() {
    story(Quirk::CustomFieldsRefused, |stage| async move {
        let refused = stage
            .raw_send("x", &json!({ "customFields": { "k": 1 } }))
            .await;
        assert_eq!(
            (refused.status, refused.error()),
            (400, "Custom fields not enabled")
        );
        stage.put(&concert(), None).await;
    })
    .await;
}

#[tokio::test]
async fn keys_that_are_not_known_are_refused() {
    story(Quirk::UnknownKeysRefused, |stage| async move {
        let body = json!({ "roomId": stage.room("chantiers"), "text": "x", "_id": "mine" });
        let refused = stage.post("api/v1/chat.postMessage", &body).await;
        assert_eq!((refused.status, refused.kind()), (400, "invalid-params"));
    })
    .await;
}

#[tokio::test]
async fn a_time_of_one_s_own_is_refused() {
    story(Quirk::OwnClockRefused, |stage| async move {
        let refused = stage
            .raw_send("x", &json!({ "ts": "2020-01-01T00:00:00.000Z" }))
            .await;
        assert_eq!(
            (refused.status, refused.error()),
            (400, "error-message-ts-out-of-sync")
        );
        stage.put(&concert(), None).await;
    })
    .await;
}

#[tokio::test]
async fn a_message_is_changed_in_its_own_room_only() {
    story(Quirk::UpdateInWrongRoom, |stage| async move {
        let link = stage.put(&concert(), None).await;
        let body = json!({ "roomId": stage.room("general"), "msgId": id_of(&link), "text": "x" });
        let refused = stage.post("api/v1/chat.update", &body).await;
        assert_eq!(refused.status, 400);
        let moved = activity(1, json!({ "room": "Jardin" }));
        stage.put(&moved, Some(link)).await;
        assert!(
            stage.server.standing("chantiers")[0]
                .text
                .contains("Jardin")
        );
    })
    .await;
}

#[tokio::test]
async fn nothing_is_written_to_an_encrypted_room() {
    story(Quirk::EncryptedRefuses, |stage| async move {
        stage.server.state().room_mut("chantiers").encrypted = true;
        assert_eq!(
            codes(&stage.tool.check().await),
            ["rocketchat.encrypted"; 2]
        );
        let failure = stage.write(&concert(), None).await.unwrap_err();
        assert_eq!(
            (failure.blame, failure.code.as_str()),
            (Blame::Data, "rocketchat.no-right")
        );
    })
    .await;
}

// --- what happens to messages -----------------------------------------------

#[tokio::test]
async fn a_reaction_without_a_word_which_takes_the_last_one_back() {
    story(Quirk::ReactToggles, |stage| async move {
        let id = stage.server.says("anna", "chantiers", "qui vient ?");
        let bare = json!({ "messageId": id, "emoji": "tada" });
        stage.post("api/v1/chat.react", &bare).await;
        stage.post("api/v1/chat.react", &bare).await;
        assert!(stage.server.standing("chantiers")[0].reactions.is_empty());
        let meant = json!({ "messageId": id, "emoji": "tada", "shouldReact": true });
        stage.post("api/v1/chat.react", &meant).await;
        stage.post("api/v1/chat.react", &meant).await;
        assert_eq!(stage.server.standing("chantiers")[0].reactions.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_reaction_brings_the_whole_message_again() {
    story(Quirk::ReactionSendsAll, |stage| async move {
        let said = stage.server.says("anna", "chantiers", "qui vient ?");
        stage.pass(3_600);
        let mut cursor = stage.listen().await;
        stage.server.state().reacts(&said, "anna", "+1", Some(true));
        let heard = stage.hear(&mut cursor).await;
        assert_eq!(heard.len(), 1, "a reaction, and no new message");
        assert_eq!(heard[0].fields["reactions"], json!({ "+1": 1 }));
    })
    .await;
}

#[tokio::test]
async fn each_pinning_is_said_in_the_room() {
    story(Quirk::PinMakesAMessage, |stage| async move {
        let mut cursor = stage.listen().await;
        let id = stage.server.says("anna", "chantiers", "x");
        for _ in 0..2 {
            let body = json!({ "messageId": id });
            stage.post("api/v1/chat.pinMessage", &body).await;
        }
        let state = stage.server.state().messages.clone();
        let said = state
            .iter()
            .filter(|one| one.kind.as_deref() == Some("message_pinned"));
        assert_eq!(said.count(), 2);
        let heard = stage.hear(&mut cursor).await;
        assert_eq!(heard.len(), 1, "what the server says nobody wrote");
    })
    .await;
}

#[tokio::test]
async fn a_change_is_marked_even_to_the_same_words() {
    story(Quirk::UpdateMarksEdited, |stage| async move {
        let link = stage.put(&concert(), None).await;
        let made = stage.write(&concert(), Some(link.clone())).await.unwrap();
        assert!(made.unchanged);
        assert_eq!(stage.server.standing("chantiers")[0].edited, None);
        let text = stage.server.standing("chantiers")[0].text.clone();
        let body =
            json!({ "roomId": stage.room("chantiers"), "msgId": id_of(&link), "text": text });
        stage.post("api/v1/chat.update", &body).await;
        assert!(stage.server.standing("chantiers")[0].edited.is_some());
    })
    .await;
}

#[tokio::test]
async fn a_reply_to_a_reply_belongs_to_the_first() {
    story(Quirk::ReplyGoesToRoot, |stage| async move {
        let root = stage.server.says("anna", "chantiers", "un");
        let reply = stage
            .server
            .replies("anna", "chantiers", "deux", Some(&root));
        let made = stage.raw_send("trois", &json!({ "tmid": reply })).await;
        assert_eq!(made.body["message"]["tmid"], json!(root));
    })
    .await;
}

#[tokio::test]
async fn a_reply_goes_to_the_room_of_its_thread() {
    story(Quirk::RootRoomWins, |stage| async move {
        let root = stage.server.says("anna", "general", "un");
        let made = stage.raw_send("deux", &json!({ "tmid": root })).await;
        assert_eq!(made.body["message"]["rid"], json!(stage.room("general")));
    })
    .await;
}

#[tokio::test]
async fn the_time_of_a_deletion_is_a_text() {
    story(Quirk::DeleteTimeIsText, |stage| async move {
        let link = stage.put(&concert(), None).await;
        let body = json!({ "roomId": stage.room("chantiers"), "msgId": id_of(&link) });
        let gone = stage.post("api/v1/chat.delete", &body).await;
        assert!(gone.body["ts"].is_string());
        let posted = json!({ "roomId": stage.room("chantiers"), "text": "x" });
        let posted = stage.post("api/v1/chat.postMessage", &posted).await;
        assert!(posted.body["ts"].is_number());
    })
    .await;
}

// --- what is read -----------------------------------------------------------

#[tokio::test]
async fn all_that_changed_comes_at_once() {
    story(Quirk::SyncHasNoPages, |stage| async move {
        for number in 0..300 {
            stage.server.says("anna", "chantiers", &format!("{number}"));
        }
        let room = stage.room("chantiers");
        let all = stage
            .get(&format!(
                "api/v1/chat.syncMessages?roomId={room}&lastUpdate=2020-01-01T00:00:00.000Z"
            ))
            .await;
        assert_eq!(all.body["result"]["updated"].as_array().unwrap().len(), 300);
    })
    .await;
}

#[tokio::test]
async fn it_comes_newest_first() {
    story(Quirk::SyncNewestFirst, |stage| async move {
        for word in ["un", "deux"] {
            stage.server.says("anna", "chantiers", word);
            stage.pass(1);
        }
        let room = stage.room("chantiers");
        let all = stage
            .get(&format!(
                "api/v1/chat.syncMessages?roomId={room}&lastUpdate=2020-01-01T00:00:00.000Z"
            ))
            .await;
        assert_eq!(all.body["result"]["updated"][0]["msg"], "deux");
    })
    .await;
}

#[tokio::test]
async fn a_page_that_ends_inside_a_millisecond_hides_the_rest_of_it() {
    story(Quirk::CursorIsStrict, |stage| async move {
        let mut cursor = stage.listen().await;
        let start = stage.server.state().now() - 1;
        for number in 0..150 {
            stage.server.says("anna", "chantiers", &format!("{number}"));
            if number % 60 == 59 {
                stage.pass(1);
            }
        }
        let first = stage.page(start, "UPDATED", 100).await;
        let next = first.body["result"]["cursor"]["next"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        let second = stage.page(next, "UPDATED", 100).await;
        let rest = second.body["result"]["updated"].as_array().unwrap().len();
        assert_eq!(rest, 30, "twenty are in neither page");
        assert_eq!(
            stage.hear(&mut cursor).await.len(),
            150,
            "and are heard all the same"
        );
    })
    .await;
}

#[tokio::test]
async fn deletions_need_a_second_pass() {
    story(Quirk::CursorWithoutDeletions, |stage| async move {
        let said = stage.server.says("anna", "chantiers", "non, rien");
        stage.pass(3_600);
        let mut cursor = stage.listen().await;
        let start = stage.server.state().now() - 1;
        stage.server.deletes(&said);
        let page = stage.page(start, "UPDATED", 100).await;
        assert_eq!(page.body["result"]["deleted"], json!([]));
        let heard = stage.hear(&mut cursor).await;
        let verbs: Vec<Verb> = heard.iter().map(|one| one.verb).collect();
        assert_eq!(verbs, [Verb::Removed]);
    })
    .await;
}

#[tokio::test]
async fn a_cursor_and_a_date_exclude_each_other() {
    story(Quirk::EitherCursorOrDate, |stage| async move {
        let room = stage.room("chantiers");
        let refused = stage
            .get(&format!("api/v1/chat.syncMessages?roomId={room}&next=1&type=UPDATED&lastUpdate=2020-01-01T00:00:00.000Z"))
            .await;
        assert_eq!(refused.status, 400);
    })
    .await;
}

// --- files and webhooks -----------------------------------------------------

async fn upload(stage: &Stage) -> String {
    let room = stage.room("chantiers");
    let made = stage
        .post(&format!("api/v1/rooms.media/{room}"), &json!({}))
        .await;
    made.body["file"]["_id"].as_str().unwrap().to_owned()
}

async fn confirm(stage: &Stage, file: &str) -> u16 {
    let room = stage.room("chantiers");
    let path = format!("api/v1/rooms.mediaConfirm/{room}/{file}");
    stage
        .post(&path, &json!({ "msg": "le programme" }))
        .await
        .status
}

#[tokio::test]
async fn a_file_is_said_only_once_it_is_confirmed() {
    story(Quirk::MediaInTwoSteps, |stage| async move {
        let file = upload(&stage).await;
        assert_eq!(stage.server.standing("chantiers").len(), 0);
        assert_eq!(confirm(&stage, &file).await, 200);
        assert_eq!(stage.server.standing("chantiers")[0].files, 1);
    })
    .await;
}

#[tokio::test]
async fn a_file_nobody_confirmed_vanishes_after_a_day() {
    story(Quirk::MediaVanishes, |stage| async move {
        let file = upload(&stage).await;
        stage.pass(86_401);
        assert_eq!(confirm(&stage, &file).await, 400);
    })
    .await;
}

#[tokio::test]
async fn a_file_that_is_confirmed_twice_is_said_twice() {
    story(Quirk::ConfirmedTwiceIsTwo, |stage| async move {
        let file = upload(&stage).await;
        for _ in 0..2 {
            confirm(&stage, &file).await;
        }
        assert_eq!(stage.server.standing("chantiers").len(), 2);
    })
    .await;
}

#[tokio::test]
async fn the_upload_in_one_step_is_gone() {
    story(Quirk::SingleStepIsGone, |stage| async move {
        let room = stage.room("chantiers");
        let gone = stage
            .post(&format!("api/v1/rooms.upload/{room}"), &json!({}))
            .await;
        assert_eq!(gone.status, 404);
    })
    .await;
}

#[tokio::test]
async fn an_outgoing_webhook_that_gets_an_empty_answer_comes_again() {
    story(Quirk::EmptyAnswerIsRepeated, |stage| async move {
        stage.server.says("anna", "chantiers", "!programme");
        assert!(stage.server.deliver(|_| (200, String::new())) > 1);
        stage.server.says("anna", "chantiers", "!programme");
        assert_eq!(stage.server.deliver(|_| (200, "{}".to_owned())), 1);
    })
    .await;
}

#[tokio::test]
async fn outgoing_webhooks_hear_what_bots_say() {
    story(Quirk::HooksHearOurMessages, |stage| async move {
        stage.put(&concert(), None).await;
        let heard: Vec<Value> = stage.server.state().heard.clone();
        assert_eq!(heard.len(), 1);
        assert_eq!(heard[0]["user_id"], common::server::BOT);
    })
    .await;
}
