//! Messages to one person alone, and sign-ups by a reaction.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::server::Fault;
use common::{Stage, concert};
use raccord_chat::testing::alone;
use raccord_model::Blame;
use serde_json::json;

#[tokio::test]
async fn what_is_for_one_person_stands_in_a_room_of_two_once() {
    let stage = Stage::open().await;
    alone::stands_in_a_room_of_two_once(&stage, &stage.server).await;
}

#[tokio::test]
async fn whoever_cannot_be_written_to_stops_only_their_own_message() {
    let stage = Stage::open().await;
    alone::whoever_cannot_be_written_to_stops_nothing_else(&stage, "rocketchat").await;
}

#[tokio::test]
async fn whoever_blocks_us_is_left_alone() {
    let stage = Stage::open().await;
    let anna = stage.server.state().user("anna");
    let job = alone::job(alone::answer(&*stage.tool, &stage.kit, &anna));
    let sink = stage.tool.sink().unwrap();
    sink.apply(&job).await.unwrap();
    let blocked = common::server::refusal("room_is_blocked", "");
    stage.server.fault(Fault::Refuse(blocked));
    let other = alone::answer(&*stage.tool, &stage.kit, &anna);
    let job = alone::job(alone::another(other, "another"));
    let failure = sink.apply(&job).await.unwrap_err();
    assert_eq!(
        (failure.blame, failure.code.as_str()),
        (Blame::Data, "rocketchat.no-direct")
    );
}

#[tokio::test]
async fn a_private_message_that_is_refused_for_what_it_says_keeps_its_reason() {
    let stage = Stage::open().await;
    let anna = stage.server.state().user("anna");
    let too_long = common::server::refusal(
        "Message size exceeds Message_MaxAllowedSize [error-message-size-exceeded]",
        "error-message-size-exceeded",
    );
    for (fault, code) in [
        (Fault::Refuse(too_long), "rocketchat.too-long"),
        (Fault::Veto, "rocketchat.not-taken"),
    ] {
        let desired = alone::answer(&*stage.tool, &stage.kit, &anna);
        let job = alone::job(alone::another(desired, code));
        let sink = stage.tool.sink().unwrap();
        // The room of two is made before.
        sink.find(&job).await.unwrap();
        stage.server.fault(fault);
        assert_eq!(sink.apply(&job).await.unwrap_err().code, code);
    }
}

/// An announcement that anna signed up under; the link to it, and where to go on hearing from.
async fn signed_up(stage: &mut Stage) -> (String, Option<String>) {
    stage.kit.signups = ["✅".to_owned()].into();
    stage.restart();
    let mut cursor = stage.listen().await;
    let link = stage.put(&concert(), None).await;
    let post = alone::message(&link);
    stage.hear(&mut cursor).await;
    stage.pass(60);
    let sign = "white_check_mark";
    stage.server.state().reacts(&post, "anna", sign, Some(true));
    assert_eq!(stage.hear(&mut cursor).await.len(), 1);
    stage.pass(60);
    (post, cursor)
}

#[tokio::test]
async fn who_takes_another_name_stays_signed_up_and_who_takes_the_old_one_is_not() {
    let mut stage = Stage::open().await;
    let (post, mut cursor) = signed_up(&mut stage).await;
    let anna = stage.server.state().user("anna");
    let lou = {
        let mut state = stage.server.state();
        "ana".clone_into(&mut state.users.get_mut(&anna).unwrap().name);
        state.add_user("anna", &["user"]);
        let lou = state.add_user("lou", &["user"]);
        state.reacts(&post, "lou", "white_check_mark", Some(true));
        lou
    };
    let heard = stage.hear(&mut cursor).await;
    let mut both = [anna, lou];
    both.sort();
    assert_eq!(heard[0].fields["reacted"], json!({ "✅": both }));
}

#[tokio::test]
async fn a_name_that_nobody_has_signs_nobody_off() {
    let mut stage = Stage::open().await;
    let (post, mut cursor) = signed_up(&mut stage).await;
    let anna = stage.server.state().user("anna");
    "ana".clone_into(&mut stage.server.state().users.get_mut(&anna).unwrap().name);
    stage.restart();
    stage.server.state().add_user("lou", &["user"]);
    let sign = "white_check_mark";
    stage.server.state().reacts(&post, "lou", sign, Some(true));
    assert_eq!(stage.hear(&mut cursor).await, []);
}

#[tokio::test]
async fn each_name_under_a_message_is_asked_about_once() {
    let mut stage = Stage::open().await;
    let (post, mut cursor) = signed_up(&mut stage).await;
    let asked = stage.server.count("GET api/v1/users.info");
    for number in 0..5 {
        let name = format!("m{number}");
        stage.server.state().add_user(&name, &["user"]);
        let sign = "white_check_mark";
        stage.server.state().reacts(&post, &name, sign, Some(true));
        assert_eq!(stage.hear(&mut cursor).await.len(), 1);
        stage.pass(1);
    }
    assert_eq!(stage.server.count("GET api/v1/users.info"), asked + 5);
}

#[tokio::test]
async fn who_reacts_to_an_announcement_is_heard_where_a_route_takes_it_for_a_sign_up() {
    let mut stage = Stage::open().await;
    let server = stage.server.clone();
    alone::who_signs_up_by_a_reaction_is_heard(&mut stage, &server).await;
}

#[tokio::test]
async fn what_a_moderator_takes_away_stays_away_and_is_not_asked_about_again() {
    let stage = Stage::open().await;
    alone::what_is_taken_away_stays_away(&stage, &stage.server).await;
}
