//! Messages to one person alone, and sign-ups by a reaction.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::Stage;
use raccord_chat::testing::alone;

#[tokio::test]
async fn what_is_for_one_person_stands_in_a_channel_of_two_once() {
    let stage = Stage::open().await;
    alone::stands_in_a_room_of_two_once(&stage, &stage.server).await;
}

#[tokio::test]
async fn whoever_cannot_be_written_to_stops_only_their_own_message() {
    let stage = Stage::open().await;
    alone::whoever_cannot_be_written_to_stops_nothing_else(&stage, "mattermost").await;
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
