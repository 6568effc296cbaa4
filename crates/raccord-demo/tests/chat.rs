//! The demo's chat answers as the connector's stand-in, which was made from Mattermost's source; and
//! the connector works with it.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;
#[path = "../../../connectors/mattermost/tests/common/mod.rs"]
mod mattermost;

use std::sync::Arc;

use common::{Next, behind};
use http::Method;
use raccord_chat::testing::{Instance, activity, concert, noon};
use raccord_connector_mattermost::CONNECTOR;
use raccord_demo::chat::{CHANNEL, Chat, TEAM};
use raccord_kit::standin::{Play, Seen};
use raccord_kit::{Clock as _, ManualClock};
use raccord_model::Found;
use serde_json::{Value, json};

/// What a server answers: the status and the body.
type Answers = Box<dyn FnMut(&Seen) -> (u16, Value)>;

/// One server, by the names it gives to the same things.
struct Side {
    clock: Arc<ManualClock>,
    answer: Answers,
    token: &'static str,
    team: &'static str,
    room: &'static str,
    /// The id of the channel, and of the posts, in the order they came.
    channel: String,
    posts: Vec<String>,
}

impl Side {
    fn theirs() -> Self {
        let clock = noon();
        let server = mattermost::server::Server::new(clock.clone(), None);
        let answer = move |seen: &Seen| match server.answer(seen) {
            Play::Answer(reply) => (
                reply.code(),
                serde_json::from_slice(reply.bytes()).unwrap_or_default(),
            ),
            other => panic!("{other:?}"),
        };
        let token = mattermost::server::TOKEN;
        Self::of(clock, Box::new(answer), token, "raffinerie", "chantiers")
    }

    fn ours() -> Self {
        let clock = noon();
        let (mut chat, hours) = (Chat::new("token"), clock.clone());
        let answer = move |seen: &Seen| {
            let answer = chat.answer(&common::asked(seen), hours.now().as_millisecond());
            let body = serde_json::from_slice(answer.body()).unwrap_or_default();
            (answer.status().as_u16(), body)
        };
        Self::of(clock, Box::new(answer), "token", TEAM, CHANNEL)
    }

    fn of(
        clock: Arc<ManualClock>,
        answer: Answers,
        token: &'static str,
        team: &'static str,
        room: &'static str,
    ) -> Self {
        let mut side = Self {
            clock,
            answer,
            token,
            team,
            room,
            channel: String::new(),
            posts: Vec::new(),
        };
        let path = format!("teams/name/{team}/channels/name/{room}");
        let (_, channel) = side.ask(token, &Method::GET, &path, &Value::Null);
        channel["id"]
            .as_str()
            .unwrap()
            .clone_into(&mut side.channel);
        side
    }

    fn ask(&mut self, token: &str, method: &Method, path: &str, body: &Value) -> (u16, Value) {
        let mut headers = http::HeaderMap::new();
        let bearer = format!("Bearer {token}").parse().unwrap();
        headers.insert(http::header::AUTHORIZATION, bearer);
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        (self.answer)(&Seen {
            method: method.clone(),
            path: format!("/api/v4/{path}"),
            headers,
            body: body.into(),
            connection: 0,
            applied: true,
        })
    }

    /// Asks with the names of this side in place of `@team`, `@room`, `@channel` and `@0`, `@1`, …, and
    /// gives what is the same on both: the status, the name of a refusal, what posts say.
    fn same(&mut self, token: bool, method: &str, path: &str, body: &Value) -> Value {
        let named = |text: &str| {
            let mut text = text
                .replace("@team", self.team)
                .replace("@room", self.room)
                .replace("@channel", &self.channel);
            for (number, post) in self.posts.iter().enumerate() {
                text = text.replace(&format!("@{number}"), post);
            }
            text
        };
        let path = named(path);
        let body = serde_json::from_str(&named(&body.to_string())).unwrap();
        let token = if token { self.token } else { "another" };
        let (status, said) = self.ask(token, &method.parse().unwrap(), &path, &body);
        if method == "POST" && path == "posts" && status == 201 {
            let id = said["id"].as_str().unwrap().to_owned();
            if !self.posts.contains(&id) {
                self.posts.push(id);
            }
        }
        let post = |post: &Value| {
            json!({
                "message": post["message"], "edited": post["edit_at"].as_i64() > Some(0),
                "deleted": post["delete_at"].as_i64() > Some(0), "pinned": post["is_pinned"],
                "key": post["props"]["raccord"], "bot": post["props"]["from_bot"],
                "earlier": post["original_id"] != "", "type": post["type"],
                "first": self.posts.iter().position(|id| post["id"] == **id),
            })
        };
        let order = said["order"].as_array().map(|order| {
            let all = order
                .iter()
                .map(|id| post(&said["posts"][id.as_str().unwrap()]));
            all.collect::<Vec<_>>()
        });
        let single = (said["create_at"].is_i64()).then(|| post(&said));
        let refused = said["status_code"].is_u64().then(|| said["id"].clone());
        json!({ "status": status, "refused": refused, "post": single, "list": order })
    }
}

#[test]
fn it_answers_as_the_stand_in_made_from_the_source() {
    let (mut theirs, mut ours) = (Side::theirs(), Side::ours());
    let post = |message: &str, key: &str, root: &str| {
        json!({
            "channel_id": "@channel", "message": message, "root_id": root,
            "props": { "raccord": { "k": key, "v": 1 } }, "pending_post_id": key,
        })
    };
    let patched = json!({ "message": "Bonsoir", "props": { "raccord": { "k": "a", "v": 1 } } });
    let long = post(&"é".repeat(16_384), "long", "");
    let fits = post(&"é".repeat(16_383), "fits", "");
    let nothing = Value::Null;
    let script: &[(&str, &str, &Value)] = &[
        ("GET", "users/me", &nothing),
        ("GET", "users/username/raccord", &nothing),
        ("GET", "users/username/nobody", &nothing),
        ("GET", "users/me/teams", &nothing),
        ("GET", "teams/name/@team", &nothing),
        ("GET", "teams/name/none", &nothing),
        ("GET", "teams/name/@team/channels/name/none", &nothing),
        ("GET", "channels/@channel/members/me", &nothing),
        ("GET", "config/client?format=old", &nothing),
        ("POST", "posts", &post("Bonjour", "a", "")),
        ("POST", "posts", &post("Bonjour", "a", "")),
        (
            "POST",
            "posts",
            &json!({ "channel_id": "none", "message": "x" }),
        ),
        ("POST", "posts", &json!([])),
        ("POST", "posts", &long),
        ("POST", "posts", &fits),
        ("POST", "posts", &post("Réponse", "b", "@0")),
        ("POST", "posts", &post("Réponse", "c", "unknown")),
        ("POST", "posts", &post("Réponse à une réponse", "d", "@2")),
        ("PUT", "posts/@0/patch", &patched),
        ("PUT", "posts/@0/patch", &patched),
        ("PUT", "posts/unknown/patch", &patched),
        ("POST", "posts/@0/pin", &nothing),
        ("POST", "posts/@0/pin", &nothing),
        ("GET", "channels/@channel/posts?since=0", &nothing),
        ("DELETE", "posts/@0", &nothing),
        ("DELETE", "posts/@0", &nothing),
        ("PUT", "posts/@0/patch", &patched),
        ("POST", "posts/@0/pin", &nothing),
        ("GET", "channels/@channel/posts?per_page=200", &nothing),
        (
            "GET",
            "channels/@channel/posts?per_page=200&before=@1",
            &nothing,
        ),
        ("GET", "channels/@channel/posts?since=0", &nothing),
        ("GET", "nothing/of/the/kind", &nothing),
    ];
    for (method, path, body) in script {
        for side in [&theirs, &ours] {
            side.clock.advance(jiff::SignedDuration::from_secs(1));
        }
        let asked = format!("{method} {path}");
        let expected = theirs.same(true, method, path, body);
        assert_eq!(ours.same(true, method, path, body), expected, "{asked}");
        let refused = theirs.same(false, method, path, body);
        assert_eq!(ours.same(false, method, path, body), refused, "{asked}");
    }
    // What it remembered of a key is forgotten after half a minute.
    for side in [&mut theirs, &mut ours] {
        let hello = post("Bonjour", "e", "");
        side.same(true, "POST", "posts", &hello);
        let before = side.posts.len();
        side.clock.advance(jiff::SignedDuration::from_secs(29));
        side.same(true, "POST", "posts", &hello);
        assert_eq!(side.posts.len(), before);
        side.clock.advance(jiff::SignedDuration::from_secs(2));
        side.same(true, "POST", "posts", &hello);
        assert_eq!(side.posts.len(), before + 1);
    }
}

#[tokio::test]
async fn the_connector_says_changes_finds_and_takes_away() {
    let clock = noon();
    let hours = clock.clone();
    let (standin, chat, next) = behind(Chat::new("token"), move |chat, asked| {
        chat.answer(asked, hours.now().as_millisecond())
    })
    .await;
    let settings = json!({
        "url": standin.url("/"), "team": TEAM, "token": "token", "channel": CHANNEL,
    });
    let stage = Instance::new(&CONNECTOR, standin, clock, settings);
    assert_eq!(stage.tool.check().await, []);
    let link = stage.put(&concert(), None).await;
    let moved = activity(1, json!({ "room": "Jardin" }));
    stage.put(&moved, Some(link.clone())).await;
    let standing = chat.lock().unwrap().standing();
    assert_eq!(standing.len(), 1);
    assert!(standing[0].edited && standing[0].text.contains("Jardin"));

    // It was said, and nobody heard so: it is found, and not said again.
    *next.lock().unwrap() = Next::Unheard;
    let other = activity(2, json!({}));
    stage.write(&other, None).await.unwrap_err();
    assert!(matches!(stage.find(&other).await, Found::Yes(_)));
    assert_eq!(chat.lock().unwrap().made(), 2);
    assert!(matches!(
        stage.find(&activity(3, json!({}))).await,
        Found::No { .. }
    ));

    stage.remove(&moved, &link).await.unwrap();
    assert_eq!(chat.lock().unwrap().standing().len(), 1);
}
