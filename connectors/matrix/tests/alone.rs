//! Messages to one person alone, and sign-ups by a reaction.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::sync::{Arc, Mutex};

use common::house::{ME, ROOM};
use common::{Stage, TOKEN, activity, settings};
use raccord_chat::testing::alone;
use raccord_connector_matrix::CONNECTOR;
use raccord_kit::Job;
use raccord_kit::standin::{Play, Reply, Seen};
use raccord_kit::testing::kit;
use raccord_model::{Blame, Found};
use serde_json::{Value, json};

const DIRECT: &str = "!direct:example.org";
const ANNA: &str = "@anna:example.org";

/// The job that answers a reaction of ANNA.
fn job(stage: &Stage) -> Job {
    alone::job(alone::answer(&*stage.tool, &kit(), ANNA))
}

/// The same as another message.
fn other_job(stage: &Stage) -> Job {
    let answer = alone::answer(&*stage.tool, &kit(), ANNA);
    alone::job(alone::another(answer, "another"))
}

/// The part of a server that a room of two is made in.
#[derive(Clone, Default)]
struct Twos(Arc<Mutex<Two>>);

#[derive(Default)]
struct Two {
    alias: Option<String>,
    made: usize,
    owner: Option<&'static str>,
    membership: Option<&'static str>,
    said: Vec<Value>,
    loses_answer: bool,
    /// Their server does not answer: who was to be asked into the room is not.
    unanswered: bool,
    /// Whom we asked afterwards.
    asked: Vec<Value>,
}

impl Twos {
    fn answer(&self, seen: &Seen) -> Option<Play> {
        let mut two = self.0.lock().unwrap();
        let yes = |body: Value| Some(Reply::ok(body.to_string()).into());
        let path = seen
            .path
            .replace("%21", "!")
            .replace("%3A", ":")
            .replace("%40", "@")
            .replace("%23", "#");
        if seen.method == "POST" && path.ends_with("/createRoom") {
            let body: Value = serde_json::from_slice(&seen.body).unwrap();
            assert_eq!(
                (&body["invite"], &body["is_direct"]),
                (&json!([ANNA]), &json!(true))
            );
            if two.alias.is_some() {
                return Some(common::house::refusal(400, "M_ROOM_IN_USE"));
            }
            let local = body["room_alias_name"].as_str().unwrap();
            two.alias = Some(format!("#{local}:example.org"));
            two.made += 1;
            if std::mem::take(&mut two.loses_answer) {
                return Some(Play::DoneThenReset);
            }
            if two.unanswered {
                return Some(Reply::status(502).into());
            }
            return yes(json!({ "room_id": DIRECT }));
        }
        if path.contains("/directory/room/#raccord-") {
            return match &two.alias {
                Some(alias) => {
                    assert!(path.ends_with(alias.as_str()), "{path} {alias}");
                    yes(json!({ "room_id": DIRECT }))
                }
                None => Some(common::house::refusal(404, "M_NOT_FOUND")),
            };
        }
        let (_, rest) = path.split_once(&format!("/rooms/{DIRECT}/"))?;
        let membership = match two.membership {
            None if two.unanswered && two.asked.is_empty() => None,
            there => Some(json!({ "membership": there.unwrap_or("invite") })),
        };
        if rest == "state" {
            let mut state = vec![
                json!({ "type": "m.room.create", "sender": two.owner.unwrap_or(ME), "state_key": "", "content": {} }),
            ];
            state.extend(membership.map(|content| {
                json!({ "type": "m.room.member", "sender": ME, "state_key": ANNA, "content": content })
            }));
            return yes(json!(state));
        }
        if rest.starts_with("state/m.room.member/") {
            let none = common::house::refusal(404, "M_NOT_FOUND");
            return membership.map_or(Some(none), yes);
        }
        if rest == "invite" {
            two.asked.push(serde_json::from_slice(&seen.body).unwrap());
            return yes(json!({}));
        }
        if rest.starts_with("send/") {
            let content: Value = serde_json::from_slice(&seen.body).unwrap();
            let known = two.said.iter().any(|known| known["content"] == content);
            if !known {
                let event = json!({
                    "event_id": "$d", "type": "m.room.message", "sender": ME, "content": content,
                });
                two.said.push(event);
            }
            return yes(json!({ "event_id": "$d" }));
        }
        if rest.starts_with("messages") {
            return yes(json!({ "chunk": two.said }));
        }
        Some(common::house::refusal(404, "M_NOT_FOUND"))
    }
}

async fn stage() -> (Stage, Twos) {
    let stage = Stage::open().await;
    let twos = Twos::default();
    let behind = twos.clone();
    stage.answers(move |seen| behind.answer(seen));
    (stage, twos)
}

#[tokio::test]
async fn what_is_for_one_person_stands_in_one_room_that_is_made_once() {
    let (stage, twos) = stage().await;
    twos.0.lock().unwrap().loses_answer = true;
    let job = job(&stage);
    let sink = stage.tool.sink().unwrap();
    let lost = sink.apply(&job).await.unwrap_err();
    assert_eq!(lost.blame, Blame::Unknown);
    assert!(matches!(sink.find(&job).await.unwrap(), Found::No { .. }));
    let made = sink.apply(&job).await.unwrap();
    assert_eq!(made.applied.external, format!("{DIRECT} $d"));
    // In a new process it is the same room.
    let url = stage.standin.url("/");
    let again = (CONNECTOR.build)(settings(&url), &kit()).unwrap();
    let found = again.sink().unwrap().find(&job).await.unwrap();
    assert!(matches!(found, Found::Yes(_)), "{found:?}");
    again.sink().unwrap().apply(&job).await.unwrap();
    let two = twos.0.lock().unwrap();
    assert_eq!((two.made, two.said.len()), (1, 1));
    let text = two.said[0]["content"]["body"].as_str().unwrap();
    assert!(
        text.starts_with("C’est noté, vous avez une place"),
        "{text}"
    );
    assert_eq!(two.said[0]["content"]["m.mentions"], json!({}));
}

#[tokio::test]
async fn nothing_is_said_to_who_left_nor_in_a_room_that_is_not_ours() {
    for (owner, membership) in [
        (None, Some("leave")),
        (None, Some("ban")),
        (Some("@mallory:example.org"), Some("join")),
    ] {
        let (stage, twos) = stage().await;
        let of = stage.tool.sink().unwrap();
        of.apply(&job(&stage)).await.unwrap();
        let url = stage.standin.url("/");
        {
            let mut two = twos.0.lock().unwrap();
            (two.owner, two.membership) = (owner, membership);
        }
        let again = (CONNECTOR.build)(settings(&url), &kit()).unwrap();
        let other = other_job(&stage);
        let failure = again.sink().unwrap().apply(&other).await.unwrap_err();
        assert_eq!(
            (failure.blame, failure.code.as_str()),
            (Blame::Data, "matrix.no-direct")
        );
        assert_eq!(twos.0.lock().unwrap().said.len(), 1, "{membership:?}");
        assert!(!format!("{failure:?}").contains(TOKEN));
    }
}

#[tokio::test]
async fn who_leaves_is_not_written_to_any_more_by_a_program_that_runs_on() {
    let (stage, twos) = stage().await;
    let sink = stage.tool.sink().unwrap();
    sink.apply(&job(&stage)).await.unwrap();
    twos.0.lock().unwrap().membership = Some("leave");
    let failure = sink.apply(&other_job(&stage)).await.unwrap_err();
    assert_eq!(failure.code, "matrix.no-direct");
    assert_eq!(twos.0.lock().unwrap().said.len(), 1);
}

#[tokio::test]
async fn who_could_not_be_asked_into_the_room_is_asked_later() {
    let (stage, twos) = stage().await;
    twos.0.lock().unwrap().unanswered = true;
    let job = job(&stage);
    let sink = stage.tool.sink().unwrap();
    sink.apply(&job).await.unwrap_err();
    sink.apply(&job).await.unwrap();
    let two = twos.0.lock().unwrap();
    assert_eq!(two.asked, [json!({ "user_id": ANNA })]);
    assert_eq!((two.made, two.said.len()), (1, 1));
}

#[tokio::test]
async fn who_reacts_is_heard_and_who_took_it_back_even_after_a_restart() {
    let mut stage = Stage::open().await;
    stage.house.state().joined = true;
    let url = stage.standin.url("/");
    let build = |signs: bool| {
        let mut kit = kit();
        if signs {
            kit.signups = ["✅".to_owned()].into();
        }
        (CONNECTOR.build)(settings(&url), &kit).unwrap()
    };
    stage.tool = build(true);
    let (_, start) = stage.hear(None).await;
    let link = stage.say(&activity(1, "Concert"), None).await;
    let message = alone::message(&link);
    let reacts = |who: &str, key: &str| {
        let content = json!({ "m.relates_to": {
            "rel_type": "m.annotation", "event_id": message, "key": key,
        } });
        stage.house.member(who, "m.reaction", content)
    };
    let reacted = |heard: &[_]| alone::reacted(&link, heard);
    let mine = reacts(ANNA, "✅");
    reacts("@bob:example.org", "🎉");
    let (heard, cursor) = stage.hear(start.as_deref()).await;
    assert_eq!(reacted(&heard).last(), Some(&json!({ "✅": [ANNA] })));
    for change in &heard {
        assert_eq!(change.fields["channel"], ROOM);
    }
    stage.house.takes_away(ANNA, &mine);
    let (heard, after) = stage.hear(cursor.as_deref()).await;
    assert_eq!(reacted(&heard), [json!({ "✅": [] })]);
    assert_ne!(cursor, after);
    // A new process does not know what the reaction was about.
    stage.tool = build(true);
    let (heard, _) = stage.hear(cursor.as_deref()).await;
    assert_eq!(reacted(&heard), [json!({ "✅": [] })]);
    stage.tool = build(false);
    let (heard, _) = stage.hear(start.as_deref()).await;
    assert!(reacted(&heard).is_empty());
}

#[tokio::test]
async fn what_a_moderator_takes_away_stays_away_and_is_not_asked_about_again() {
    let stage = Stage::open().await;
    stage.house.state().joined = true;
    let link = stage.say(&activity(1, "Concert"), None).await;
    let id = alone::message(&link);
    stage.house.takes_away("@mod:example.org", &id);
    let moved = stage.job(&activity(1, "Concert de jazz"), Some(link.clone()));
    let made = stage.write(&moved).await.unwrap();
    assert!(made.unchanged);
    let tag = made.applied.tag.as_deref();
    assert_eq!(tag, Some(raccord_model::TAKEN_AWAY));
    assert_eq!(made.applied.external, link.external);
    let asked = stage.standin.seen().len();
    let link = raccord_model::Link {
        tag: made.applied.tag,
        ..link
    };
    let again = stage.job(&activity(1, "Concert"), Some(link.clone()));
    stage.write(&again).await.unwrap();
    let entity = activity(1, "Concert").id;
    stage.write(&Job::Remove { entity, link }).await.unwrap();
    assert_eq!(stage.standin.seen().len(), asked, "nobody is asked");
    assert!(stage.house.messages().is_empty());
}
