//! The WebSocket: what happens in the channels of the settings, as it happens.
//!
//! Nothing of an event is kept but that there is something to read.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use raccord_chat::live::{Sign, Wire};
use raccord_kit::BoxFuture;
use raccord_kit::http::Socket;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Mattermost;
use crate::post::Post;

/// Who listens, and to which channels, by their ids.
#[derive(Debug, Default)]
pub(crate) struct Listening(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    me: String,
    channels: BTreeSet<String>,
}

/// An event, or the reply to an action.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Event {
    #[serde(rename = "event")]
    kind: String,
    data: Value,
    broadcast: Broadcast,
    /// Counts the events of a connection, from 0.
    seq: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Broadcast {
    channel_id: String,
}

impl Listening {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wire for Mattermost {
    fn open(&self) -> BoxFuture<'_, Option<Socket>> {
        Box::pin(async move {
            let me = self.me().await.ok()?.id.clone();
            let mut channels = BTreeSet::new();
            for name in &self.settings.listen {
                channels.insert(self.channel(name).await.ok()?.id.clone());
            }
            *self.listening.known() = Known { me, channels };
            self.api.socket().await.ok()
        })
    }

    fn read(&self, text: &str, told: &mut i64) -> Sign {
        let Ok(event) = serde_json::from_str::<Event>(text) else {
            return Sign::Nothing;
        };
        // A reply has no number.
        let Some(seq) = event.seq else {
            return Sign::Nothing;
        };
        let expected = std::mem::replace(told, seq.saturating_add(1));
        if seq != expected || event.concerns(&self.listening.known()) {
            Sign::News
        } else {
            Sign::Nothing
        }
    }

    fn ping(&self, number: u64) -> String {
        json!({ "seq": number, "action": "ping" }).to_string()
    }
}

impl Event {
    /// Whether there is something to read for who listens.
    fn concerns(&self, known: &Known) -> bool {
        match self.kind.as_str() {
            "posted" | "post_edited" | "post_deleted" => {
                let post: Post = self.within("post");
                known.channels.contains(&post.channel_id)
                    && post.user_id != known.me
                    && post.key().is_none()
            }
            "reaction_added" | "reaction_removed" => {
                known.channels.contains(&self.broadcast.channel_id)
            }
            _ => false,
        }
    }

    /// What stands in a text of the data, as JSON of its own.
    fn within<T: serde::de::DeserializeOwned + Default>(&self, key: &str) -> T {
        let text = self.data[key].as_str().unwrap_or_default();
        serde_json::from_str(text).unwrap_or_default()
    }
}
