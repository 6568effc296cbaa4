//! The streams, over DDP on a WebSocket: what happens in the rooms of the settings, as it happens.
//!
//! Nothing of an event is kept but that there is something to read. A connection knows nobody until it
//! is told, each time anew, and tells nothing that was not asked for on it.

use std::collections::BTreeSet;
use std::time::Duration;

use raccord_chat::live::{Sign, Wire};
use raccord_kit::BoxFuture;
use raccord_kit::http::Socket;
use raccord_kit::http::ddp::{Ddp, Told};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::RocketChat;
use crate::message::PREFIX;

/// How long it may take until the server tells what happens.
const PATIENCE: Duration = Duration::from_secs(30);
/// The error of a login with a token that is not good (any more).
const FORBIDDEN: u16 = 403;
/// A message bears the moment it was made and that of its last change; the second is written a little
/// after the first, when it is kept. In milliseconds.
const KEPT: i64 = 1_000;

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
        let told = Told::read(text);
        match told.msg.as_str() {
            "ping" => Sign::Answer(told.pong()),
            "changed" if concerns(&told, &self.api.user) => Sign::News,
            _ if told.is_end() => Sign::Over,
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
        let mut talk = Ddp::greet(self.api.socket().await.ok()?).await?;
        let login = json!([{ "resume": token.expose_secret() }]);
        if let Err(error) = talk.call("login", &login).await? {
            // Anything else is about the server: too much at once, or it is only starting.
            if error["error"] == FORBIDDEN {
                self.api.refuses(&token);
            }
            return None;
        }
        let mut waiting = BTreeSet::new();
        for room in &rooms {
            for (stream, event) in [
                ("stream-room-messages", room.clone()),
                ("stream-notify-room", format!("{room}/deleteMessage")),
                ("stream-notify-room", format!("{room}/deleteMessageBulk")),
            ] {
                waiting.insert(talk.subscribe(stream, &json!([event, false])).await?);
            }
        }
        talk.told(waiting, drop).await?;
        Some(talk.into_socket())
    }
}

/// Whether there is something to read.
fn concerns(told: &Told, me: &str) -> bool {
    let stream = Stream::deserialize(&told.fields).unwrap_or_default();
    match told.collection.as_str() {
        "stream-notify-room" => stream.event_name.contains("/deleteMessage"),
        "stream-room-messages" => stream.args.iter().any(|message| {
            let id = message["_id"].as_str().unwrap_or_default();
            let ours = message["u"]["_id"] == me || id.starts_with(PREFIX);
            // What became of it later may be somebody's doing: a reaction, or the end of one.
            !ours || was_changed(message)
        }),
        _ => false,
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
