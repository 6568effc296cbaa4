//! Messages to one person alone, and sign-ups by a reaction.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::server::Fault;
use common::{Stage, concert};
use raccord_kit::Job;
use raccord_model::{
    Blame, Context, Deed, Desired, Entity, EntityId, EntityKind, Found, Lang, Rendered, Saying,
    Subject,
};
use serde_json::{Value, json};

/// What answers a reaction of the person with this id.
fn answer(stage: &Stage, to: &str) -> Desired {
    let context = Context {
        place: &stage.kit.place,
        lang: Lang::Fr,
        today: jiff::civil::date(2027, 1, 2),
        route: None,
    };
    let concert = concert();
    let message = Entity {
        id: EntityId::derive(&[b"reaction"]),
        kind: EntityKind::Message,
        fields: raccord_model::Fields::default(),
        ..concert.clone()
    };
    let saying = Saying::Answer {
        message: &message,
        said: None,
        deed: Some(Deed::On(concert.id)),
        to: Some(to),
        members: std::slice::from_ref(&concert),
    };
    let id = EntityId::derive(&[b"saying"]);
    let subject = Subject::Saying { id, saying };
    match stage.tool.sink().unwrap().render(subject, &context) {
        Rendered::Object(desired) => desired,
        Rendered::Nothing => panic!("nothing is said"),
    }
}

fn job(desired: Desired) -> Job {
    Job::Write {
        entity: EntityId::derive(&[b"saying"]),
        desired,
        link: None,
    }
}

/// The messages that stand in rooms of two.
fn alone(stage: &Stage) -> Vec<String> {
    let state = stage.server.state();
    let direct = |id: &str| state.rooms.get(id).is_some_and(|room| room.kind == 'd');
    let messages = state.messages.iter().filter(|message| direct(&message.rid));
    messages.map(|message| message.text.clone()).collect()
}

#[tokio::test]
async fn what_is_for_one_person_stands_in_a_room_of_two_once() {
    let stage = Stage::open().await;
    let anna = stage.server.state().user("anna");
    let job = job(answer(&stage, &anna));
    let sink = stage.tool.sink().unwrap();
    let before = sink.find(&job).await.unwrap();
    assert!(matches!(before, Found::No { .. }), "{before:?}");
    stage.server.fault(Fault::LoseAnswer);
    let lost = sink.apply(&job).await.unwrap_err();
    assert_eq!(lost.blame, Blame::Unknown);
    assert!(matches!(sink.find(&job).await.unwrap(), Found::Yes(_)));
    sink.apply(&job).await.unwrap();
    let said = alone(&stage);
    assert_eq!(said.len(), 1);
    assert!(
        said[0].starts_with("C’est noté, vous avez une place"),
        "{said:?}"
    );
    assert!(said[0].contains("Concert"), "{said:?}");
    assert!(stage.server.standing("chantiers").is_empty());
}

#[tokio::test]
async fn whoever_cannot_be_written_to_stops_only_their_own_message() {
    let stage = Stage::open().await;
    let job = job(answer(&stage, "x".repeat(26).as_str()));
    let failure = stage.tool.sink().unwrap().apply(&job).await.unwrap_err();
    assert_eq!(
        (failure.blame, failure.code.as_str()),
        (Blame::Data, "rocketchat.no-direct")
    );
    assert!(!failure.absent, "it is not made anew for ever");
    stage.put(&concert(), None).await;
}

#[tokio::test]
async fn whoever_blocks_us_is_left_alone() {
    let stage = Stage::open().await;
    let anna = stage.server.state().user("anna");
    let job = job(answer(&stage, &anna));
    let sink = stage.tool.sink().unwrap();
    sink.apply(&job).await.unwrap();
    let blocked = common::server::refusal("room_is_blocked", "");
    stage.server.fault(Fault::Refuse(blocked));
    let mut other = answer(&stage, &anna);
    other.body["key"] = json!("another");
    let job = self::job(other);
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
        let mut desired = answer(&stage, &anna);
        desired.body["key"] = json!(code);
        let job = job(desired);
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
    let post = link.external.split_once(' ').unwrap().1.to_owned();
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
    {
        let mut state = stage.server.state();
        "ana".clone_into(&mut state.users.get_mut(&anna).unwrap().name);
        state.add_user("anna", &["user"]);
        let lou = state.add_user("lou", &["user"]);
        state.reacts(&post, "lou", "white_check_mark", Some(true));
        drop(state);
        let heard = stage.hear(&mut cursor).await;
        let mut both = [anna, lou];
        both.sort();
        assert_eq!(heard[0].fields["reacted"], json!({ "✅": both }));
    }
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
    stage.kit.signups = ["✅".to_owned()].into();
    stage.restart();
    let mut cursor = stage.listen().await;
    let link = stage.put(&concert(), None).await;
    let post = link.external.split_once(' ').unwrap().1.to_owned();
    let anna = stage.server.state().user("anna");
    stage.hear(&mut cursor).await;
    let reacted = |heard: Vec<raccord_model::Change>| -> Vec<Value> {
        let of = heard
            .iter()
            .filter(|change| change.subject == link.external);
        of.filter_map(|change| change.fields.get("reacted").cloned())
            .collect()
    };
    stage.pass(60);
    {
        let mut state = stage.server.state();
        state.reacts(&post, "anna", "white_check_mark", Some(true));
        state.reacts(&post, "anna", "tada", Some(true));
        state.reacts(&post, "raccord", "white_check_mark", Some(true));
    }
    let heard = stage.hear(&mut cursor).await;
    assert_eq!(reacted(heard), [json!({ "✅": [anna] })]);
    assert_eq!(stage.hear(&mut cursor).await, []);
    stage.pass(60);
    let back = Some(false);
    stage
        .server
        .state()
        .reacts(&post, "anna", "white_check_mark", back);
    let heard = stage.hear(&mut cursor).await;
    assert_eq!(reacted(heard), [json!({ "✅": [] })]);
    // Without such a route nobody's reaction is told.
    stage.kit.signups = [].into();
    stage.restart();
    stage.pass(60);
    stage
        .server
        .state()
        .reacts(&post, "anna", "white_check_mark", Some(true));
    assert_eq!(stage.hear(&mut cursor).await, []);
}

#[tokio::test]
async fn what_a_moderator_takes_away_stays_away_and_is_not_asked_about_again() {
    let stage = Stage::open().await;
    let link = stage.put(&concert(), None).await;
    let id = link.external.split_once(' ').unwrap().1.to_owned();
    stage.server.deletes(&id);
    let mut moved = concert();
    moved.fields.insert("room".into(), json!("Cour"));
    let made = stage.write(&moved, Some(link.clone())).await.unwrap();
    assert!(made.unchanged);
    let tag = made.applied.tag.as_deref();
    assert_eq!(tag, Some(raccord_model::TAKEN_AWAY));
    assert_eq!(made.applied.external, link.external);
    let asked = stage.standin.seen().len();
    let link = raccord_model::Link {
        tag: made.applied.tag,
        ..link
    };
    stage.write(&concert(), Some(link.clone())).await.unwrap();
    stage.remove(&concert(), &link).await.unwrap();
    assert_eq!(stage.standin.seen().len(), asked, "nobody is asked");
    assert!(stage.server.standing("chantiers").is_empty());
}
