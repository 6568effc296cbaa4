//! Each surprise of mail servers is played by the stand-in, and noticed once it is not.
//!
//! A story is told twice: with the surprise it ends well, without it it must not.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::path::Path;

use common::office::quirks::Quirk;
use common::{Stage, build, settings, sign_up};
use raccord_kit::conformance::{self, noticed};
use raccord_mail::{Draft, Letter, Limits, Mailbox, Pool, Post, Refusal, Server};
use raccord_model::{Blame, Failure, Lang};
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
        let stage = Stage::with((!lost).then_some(quirk)).await;
        tell(stage).await;
    })
    .await;
}

fn is(failure: &Failure, blame: Blame, code: &str) {
    assert_eq!((failure.blame, failure.code.as_str()), (blame, code));
    for text in [&failure.text, &failure.mend] {
        assert!(!text.fr.is_empty() && text.fr != text.en);
    }
}

#[tokio::test]
async fn a_letter_that_was_put_off_is_taken_later() {
    story(Quirk::Greylists, |stage| async move {
        let ana = sign_up("ana@example.org");
        let failure = stage.tell(&ana).await.unwrap_err();
        is(&failure, Blame::Transient, "mail.later");
        stage.tell(&ana).await.unwrap();
        assert_eq!(stage.office.taken().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_wrong_sender_is_not_told_as_a_wrong_recipient() {
    story(Quirk::SenderRefusedAtRecipient, |stage| async move {
        let failure = stage.tell(&sign_up("ana@example.org")).await.unwrap_err();
        is(&failure, Blame::Access, "mail.sender");
    })
    .await;
}

#[tokio::test]
async fn a_server_that_passes_nothing_on_is_not_told_as_a_wrong_recipient() {
    story(Quirk::RelayRefusedAtRecipient, |stage| async move {
        let failure = stage.tell(&sign_up("ana@example.org")).await.unwrap_err();
        is(&failure, Blame::Access, "mail.sender");
    })
    .await;
}

#[tokio::test]
async fn a_letter_that_is_refused_at_its_end_is_set_aside() {
    story(Quirk::RefusesAfterTheLetter, |stage| async move {
        let failure = stage.tell(&sign_up("ana@example.org")).await.unwrap_err();
        is(&failure, Blame::Data, "mail.content");
        assert_eq!(stage.office.taken(), []);
    })
    .await;
}

#[tokio::test]
async fn a_letter_whose_answer_is_lost_is_not_known_to_be_sent() {
    story(Quirk::TakesAndHangsUp, |stage| async move {
        let failure = stage.tell(&sign_up("ana@example.org")).await.unwrap_err();
        is(&failure, Blame::Unknown, "mail.lost");
        assert_eq!(stage.office.taken().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_letter_that_is_handed_over_twice_arrives_twice() {
    story(Quirk::KeepsRepeats, |stage| async move {
        let job = stage.first(&sign_up("ana@example.org"));
        stage.send(&job).await.unwrap();
        // Another process, which does not know of the first.
        let again = build(&settings(&stage.office), &stage.kit);
        again.sink().unwrap().apply(&job).await.unwrap();
        let taken = stage.office.taken();
        assert_eq!(taken.len(), 2);
        assert_eq!(taken[0].header("Message-ID"), taken[1].header("Message-ID"));
    })
    .await;
}

#[tokio::test]
async fn a_line_that_takes_one_letter_is_opened_again() {
    story(Quirk::OneLetterAConnection, |stage| async move {
        let from: Mailbox = "lieu@example.org".parse().unwrap();
        let server = Server::configured("url", &stage.office.address()).unwrap();
        let post = Post::new(server, None, &from, Limits::default());
        let letter = |key: &str| {
            let draft = Draft {
                key,
                from: &from,
                to: &"ana@example.org".parse().unwrap(),
                subject: "x",
                text: "x",
                lang: Lang::Fr,
                date: raccord_kit::testing::NOON,
                follows: None,
            };
            Letter::compose(&draft).unwrap()
        };
        let mut session = post.open().await.unwrap();
        session.send(&letter("1")).await.unwrap();
        let refused = session.send(&letter("2")).await;
        assert_eq!(refused, Err(Refusal::Later(421)));
        assert!(!session.is_open());
        post.send(&letter("2")).await.unwrap();
        assert_eq!(stage.office.taken().len(), 2);
        // Who keeps connections notices nothing of it.
        let pool = Pool::new(post);
        for (key, letters) in [("3", 3), ("4", 4)] {
            let now = raccord_kit::testing::NOON;
            pool.send(&letter(key), now).await.unwrap();
            assert_eq!(stage.office.taken().len(), letters);
        }
    })
    .await;
}

#[tokio::test]
async fn a_mailbox_without_room_is_for_later() {
    story(Quirk::NoRoomForNow, |stage| async move {
        let ana = sign_up("ana@example.org");
        let failure = stage.tell(&ana).await.unwrap_err();
        is(&failure, Blame::Transient, "mail.later");
        stage.tell(&ana).await.unwrap();
        assert_eq!(stage.office.taken().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_login_that_is_needed_is_told_as_one() {
    story(Quirk::LoginAskedAtTheSender, |stage| async move {
        let failure = stage.tell(&sign_up("ana@example.org")).await.unwrap_err();
        is(&failure, Blame::Access, "mail.login");
    })
    .await;
}

#[tokio::test]
async fn a_login_that_cannot_be_looked_at_is_for_later() {
    story(Quirk::LoginBroken, |stage| async move {
        stage.office.wants("lieu", "canary");
        let mut settings = settings(&stage.office);
        settings["user"] = json!("lieu");
        settings["password"] = json!("canary");
        let tool = build(&settings, &stage.kit);
        let job = stage.first(&sign_up("ana@example.org"));
        let failure = tool.sink().unwrap().apply(&job).await.unwrap_err();
        is(&failure, Blame::Transient, "mail.later");
        tool.sink().unwrap().apply(&job).await.unwrap();
        assert_eq!(stage.office.taken().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn an_address_beyond_ascii_is_refused_before_it_is_tried() {
    story(Quirk::NoLettersBeyondAscii, |stage| async move {
        let failure = stage.tell(&sign_up("zoé@example.org")).await.unwrap_err();
        is(&failure, Blame::Data, "mail.foreign");
        assert_eq!(stage.office.heard("MAIL"), 0);
        stage.tell(&sign_up("zoe@example.org")).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn no_refusal_carries_an_address_on() {
    story(Quirk::RepeatsTheAddress, |stage| async move {
        let failure = stage.tell(&sign_up("canary@example.org")).await;
        let failure = failure.unwrap_err();
        is(&failure, Blame::Data, "mail.recipient");
        assert!(!format!("{failure:?}").contains("canary"), "{failure:?}");
    })
    .await;
}
