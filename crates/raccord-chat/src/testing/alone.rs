//! Messages to one person alone, sign-ups by a reaction, and what a moderator takes away.

use raccord_kit::{Job, Kit, Tool};
use raccord_model::{
    Blame, Change, Context, Deed, Desired, Entity, EntityId, EntityKind, Fields, Found, Lang, Link,
    Rendered, Saying, Subject, TAKEN_AWAY,
};
use serde_json::{Value, json};

use super::{Instance, Others, ROOM, concert};

const SIGN: &str = "white_check_mark";

/// What answers the reaction of a person, by the tool's id of them.
pub fn answer(tool: &dyn Tool, kit: &Kit, to: &str) -> Desired {
    let context = Context {
        place: &kit.place,
        lang: Lang::Fr,
        today: jiff::civil::date(2027, 1, 2),
        route: None,
    };
    let concert = concert();
    let message = Entity {
        id: EntityId::derive(&[b"reaction"]),
        kind: EntityKind::Message,
        fields: Fields::default(),
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
    let sink = tool.sink().expect("tests have what they ask for");
    match sink.render(subject, &context) {
        Rendered::Object(desired) => desired,
        Rendered::Nothing => panic!("nothing is said"),
    }
}

/// The job that says it.
pub fn job(desired: Desired) -> Job {
    Job::Write {
        entity: EntityId::derive(&[b"saying"]),
        desired,
        link: None,
    }
}

/// The same answer as another message.
pub fn another(mut desired: Desired, key: &str) -> Desired {
    desired.body["key"] = json!(key);
    desired
}

/// The tool's id of a message that was said.
pub fn message(link: &Link) -> String {
    let (_, id) = link.external.split_once(' ').expect("a room and an id");
    id.to_owned()
}

/// The lists that were told of who reacts to a message.
pub fn reacted(link: &Link, heard: &[Change]) -> Vec<Value> {
    let of = heard
        .iter()
        .filter(|change| change.subject == link.external);
    of.filter_map(|change| change.fields.get("reacted").cloned())
        .collect()
}

/// What is for one person stands in one room of two, once, though the answer was lost.
pub async fn stands_in_a_room_of_two_once(stage: &Instance, server: &dyn Others) {
    let job = job(answer(&*stage.tool, &stage.kit, &server.id("anna")));
    let sink = stage.tool.sink().expect("tests have what they ask for");
    let before = sink.find(&job).await;
    assert!(matches!(before, Ok(Found::No { .. })), "{before:?}");
    server.loses_an_answer();
    let lost = sink.apply(&job).await.expect_err("the answer is lost");
    assert_eq!(lost.blame, Blame::Unknown);
    stage.pass(120);
    assert!(matches!(sink.find(&job).await, Ok(Found::Yes(_))));
    let said = server.alone();
    assert_eq!(said.len(), 1);
    let whole =
        said[0].starts_with("C’est noté, vous avez une place") && said[0].contains("Concert");
    assert!(whole, "{said:?}");
    assert!(server.standing(ROOM).is_empty());
}

/// Whoever cannot be written to stops only their own message.
pub async fn whoever_cannot_be_written_to_stops_nothing_else(stage: &Instance, kind: &str) {
    let job = job(answer(&*stage.tool, &stage.kit, &"x".repeat(26)));
    let sink = stage.tool.sink().expect("tests have what they ask for");
    let failure = sink.apply(&job).await.expect_err("nobody is called so");
    assert_eq!(failure.blame, Blame::Data);
    assert_eq!(failure.code, format!("{kind}.no-direct"));
    assert!(!failure.absent, "it is not made anew for ever");
    stage.put(&concert(), None).await;
}

/// Who reacts to an announcement is heard where a route takes it for a sign-up, and only there.
pub async fn who_signs_up_by_a_reaction_is_heard(stage: &mut Instance, server: &dyn Others) {
    stage.kit.signups = ["✅".to_owned()].into();
    stage.restart();
    let mut cursor = stage.listen().await;
    let link = stage.put(&concert(), None).await;
    let post = message(&link);
    stage.hear(&mut cursor).await;
    stage.pass(60);
    server.signs(&post, "anna", SIGN, true);
    server.signs(&post, "anna", "tada", true);
    server.signs(&post, "raccord", SIGN, true);
    let heard = stage.hear(&mut cursor).await;
    let anna = json!({ "✅": [server.id("anna")] });
    assert_eq!(reacted(&link, &heard), [anna]);
    assert_eq!(stage.hear(&mut cursor).await, []);
    stage.pass(60);
    server.signs(&post, "anna", SIGN, false);
    let heard = stage.hear(&mut cursor).await;
    assert_eq!(reacted(&link, &heard), [json!({ "✅": [] })]);
    // Without such a route nobody's reaction is told.
    stage.kit.signups = [].into();
    stage.restart();
    stage.pass(60);
    server.signs(&post, "anna", SIGN, true);
    assert_eq!(stage.hear(&mut cursor).await, []);
}

/// What a moderator takes away stays away, and nobody is asked about it again.
pub async fn what_is_taken_away_stays_away(stage: &Instance, server: &dyn Others) {
    let link = stage.put(&concert(), None).await;
    server.deletes(&message(&link));
    let mut moved = concert();
    moved.fields.insert("room".into(), json!("Cour"));
    let made = stage.write(&moved, Some(link.clone())).await;
    let made = made.expect("it is gone, and that is no failure");
    assert!(made.unchanged);
    assert_eq!(made.applied.tag.as_deref(), Some(TAKEN_AWAY));
    assert_eq!(made.applied.external, link.external);
    let asked = stage.standin.seen().len();
    let link = Link {
        tag: made.applied.tag,
        ..link
    };
    let again = stage.write(&concert(), Some(link.clone())).await;
    again.expect("nothing is to be done");
    let removed = stage.remove(&concert(), &link).await;
    removed.expect("nothing is to be done");
    assert_eq!(stage.standin.seen().len(), asked, "nobody is asked");
    assert!(server.standing(ROOM).is_empty());
}
