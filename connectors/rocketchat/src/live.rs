//! The streams, over DDP on a WebSocket: what happens in the rooms of the settings, as it happens.
//!
//! Nothing of an event is kept but that there is something to read. A connection knows nobody until it
//! is told, each time anew, and tells nothing that was not asked for on it.

use std::collections::BTreeSet;
use std::time::Duration;

use raccord_chat::live::{Sign, Wire};
use raccord_kit::BoxFuture;
use raccord_kit::http::{Came, Socket};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::RocketChat;
use crate::message::PREFIX;

/// How long it may take until the server tells what happens.
const PATIENCE: Duration = Duration::from_secs(30);
const LOGIN: &str = "login";
/// The error of a login with a token that is not good (any more).
const FORBIDDEN: u16 = 403;
/// A message bears the moment it was made and that of its last change; the second is written a little
/// after the first, when it is kept. In milliseconds.
const KEPT: i64 = 1_000;

/// What the server says. Its greeting has no `msg`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Told {
    msg: String,
    id: Option<Value>,
    error: Option<Value>,
    collection: String,
    fields: Stream,
    subs: Vec<String>,
}

/// An event of a stream. The document it stands in is called `id`, whatever it is about.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Stream {
    event_name: String,
    args: Vec<Value>,
}

impl Wire for RocketChat {
    fn open(&self) -> BoxFuture<'_, Option<Socket>> {
        Box::pin(async move {
            let opened = tokio::time::timeout(PATIENCE, self.subscribed()).await;
            opened.ok().flatten()
        })
    }

    fn read(&self, text: &str, _told: &mut i64) -> Sign {
        let told: Told = serde_json::from_str(text).unwrap_or_default();
        match told.msg.as_str() {
            "ping" => Sign::Answer(pong(&told)),
            "changed" if told.concerns(&self.api.user) => Sign::News,
            "nosub" | "failed" | "error" => Sign::Over,
            _ => Sign::Nothing,
        }
    }

    fn ping(&self, number: u64) -> String {
        json!({ "msg": "ping", "id": number.to_string() }).to_string()
    }
}

impl RocketChat {
    /// A connection that is logged in and tells of every room.
    async fn subscribed(&self) -> Option<Socket> {
        let mut rooms = Vec::new();
        for name in &self.settings.listen {
            rooms.push(self.room(name).await.ok()?.id.clone());
        }
        let token = self.api.believed().ok()?;
        let mut socket = self.api.socket().await.ok()?;
        let connect = json!({ "msg": "connect", "version": "1", "support": ["1"] });
        say(&mut socket, &connect).await?;
        until(&mut socket, |told| told.msg == "connected").await?;
        let login = json!({
            "msg": "method", "method": "login", "id": LOGIN,
            "params": [{ "resume": token.expose_secret() }],
        });
        say(&mut socket, &login).await?;
        let answered = |told: &Told| told.msg == "result" && told.id == Some(json!(LOGIN));
        let answer = until(&mut socket, answered).await?;
        if let Some(error) = &answer.error {
            // Anything else is about the server: too much at once, or it is only starting.
            if error["error"] == FORBIDDEN {
                self.api.refuses(&token);
            }
            return None;
        }
        let mut waiting = BTreeSet::new();
        for (number, room) in rooms.iter().enumerate() {
            for (stream, event) in [
                ("stream-room-messages", room.clone()),
                ("stream-notify-room", format!("{room}/deleteMessage")),
                ("stream-notify-room", format!("{room}/deleteMessageBulk")),
            ] {
                let id = format!("{number} {event}");
                let ask =
                    json!({ "msg": "sub", "id": id, "name": stream, "params": [event, false] });
                say(&mut socket, &ask).await?;
                waiting.insert(id);
            }
        }
        while !waiting.is_empty() {
            let ready = until(&mut socket, |told| told.msg == "ready").await?;
            for id in ready.subs {
                waiting.remove(&id);
            }
        }
        Some(socket)
    }
}

async fn say(socket: &mut Socket, text: &Value) -> Option<()> {
    socket.say(text.to_string()).await
}

/// Hears until `wanted` comes, and answers the server's questions meanwhile; nothing where it ends or
/// refuses.
async fn until(socket: &mut Socket, wanted: impl Fn(&Told) -> bool) -> Option<Told> {
    loop {
        let Came::Text(text) = socket.next().await? else {
            continue;
        };
        let told: Told = serde_json::from_str(&text).unwrap_or_default();
        match told.msg.as_str() {
            _ if wanted(&told) => return Some(told),
            "ping" => socket.say(pong(&told)).await?,
            "nosub" | "failed" | "error" => return None,
            _ => {}
        }
    }
}

/// The answer to the question whether we are there, with the id it may have.
fn pong(told: &Told) -> String {
    let mut answer = json!({ "msg": "pong" });
    if let Some(id) = &told.id {
        answer["id"] = id.clone();
    }
    answer.to_string()
}

impl Told {
    /// Whether there is something to read.
    fn concerns(&self, me: &str) -> bool {
        match self.collection.as_str() {
            "stream-notify-room" => self.fields.event_name.contains("/deleteMessage"),
            "stream-room-messages" => self.fields.args.iter().any(|message| {
                let id = message["_id"].as_str().unwrap_or_default();
                let ours = message["u"]["_id"] == me || id.starts_with(PREFIX);
                // What became of it later may be somebody's doing: a reaction, or the end of one.
                !ours || was_changed(message)
            }),
            _ => false,
        }
    }
}

/// Whether something became of a message after it was made.
fn was_changed(message: &Value) -> bool {
    let at = |name: &str| message[name]["$date"].as_i64();
    match (at("ts"), at("_updatedAt")) {
        (Some(made), Some(changed)) => changed - made > KEPT,
        _ => true,
    }
}
