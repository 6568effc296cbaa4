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

/// The posts that stand in channels of two.
fn alone(stage: &Stage) -> Vec<String> {
    let state = stage.server.state();
    let direct = |id: &str| {
        state
            .channels
            .get(id)
            .is_some_and(|channel| channel.kind == 'D')
    };
    let posts = state.posts.iter().filter(|post| direct(&post.channel_id));
    posts.map(|post| post.message.clone()).collect()
}

#[tokio::test]
async fn what_is_for_one_person_stands_in_a_channel_of_two_once() {
    let stage = Stage::open().await;
    let anna = stage.server.state().user("anna");
    let job = job(answer(&stage, &anna));
    let sink = stage.tool.sink().unwrap();
    let before = sink.find(&job).await.unwrap();
    assert!(matches!(before, Found::No { .. }), "{before:?}");
    stage.server.fault(Fault::LoseAnswer);
    let lost = sink.apply(&job).await.unwrap_err();
    assert_eq!(lost.blame, Blame::Unknown);
    stage.pass(120);
    assert!(matches!(sink.find(&job).await.unwrap(), Found::Yes(_)));
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
        (Blame::Data, "mattermost.no-direct")
    );
    assert!(!failure.absent, "it is not made anew for ever");
    stage.put(&concert(), None).await;
}

#[tokio::test]
async fn who_reacts_to_an_announcement_is_heard_where_a_route_takes_it_for_a_sign_up() {
    let mut stage = Stage::open().await;
    stage.kit.signups = ["✅".to_owned()].into();
    stage.restart();
    let mut cursor = stage.listen().await;
    let link = stage.put(&concert(), None).await;
    let post = link.external.split_once(' ').unwrap().1.to_owned();
    let (anna, bot) = {
        let state = stage.server.state();
        (state.user("anna"), state.user("raccord"))
    };
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
        state.reacts(&post, &anna, "white_check_mark");
        state.reacts(&post, &anna, "tada");
        state.reacts(&post, &bot, "white_check_mark");
    }
    let heard = stage.hear(&mut cursor).await;
    assert_eq!(reacted(heard), [json!({ "✅": [anna] })]);
    assert_eq!(stage.hear(&mut cursor).await, []);
    stage.pass(60);
    stage
        .server
        .state()
        .reacts_no_more(&post, &anna, "white_check_mark");
    let heard = stage.hear(&mut cursor).await;
    assert_eq!(reacted(heard), [json!({ "✅": [] })]);
    // Without such a route nobody's reaction is told.
    stage.kit.signups = [].into();
    stage.restart();
    stage.pass(60);
    stage
        .server
        .state()
        .reacts(&post, &anna, "white_check_mark");
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
