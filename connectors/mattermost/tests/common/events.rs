//! What the server tells over WebSockets: each event to whoever is in its channel, its own doing too,
//! numbered on each connection.

use raccord_kit::standin::{Line, Word};
use serde_json::{Value, json};

use super::posts::Post;
use super::quirks::Quirk;
use super::server::State;

/// The connections there are.
#[derive(Default)]
pub(crate) struct Events {
    listeners: Vec<Listener>,
    /// How many coming events do not reach anybody.
    pub(crate) dropped: usize,
}

struct Listener {
    line: Line,
    user: String,
    seq: i64,
}

impl Events {
    pub(crate) fn connect(&mut self, id: &str, user: &str, greets: bool, pongs: bool) -> Line {
        let line = Line::new(move |line, text| {
            let asked: Value = serde_json::from_str(text).unwrap_or_default();
            if asked["action"] == "ping" && pongs {
                let reply = json!({ "status": "OK", "data": { "text": "pong" }, "seq_reply": asked["seq"] });
                line.says(Word::Text(reply.to_string()));
            }
        });
        let mut listener = Listener {
            line: line.clone(),
            user: user.to_owned(),
            seq: 0,
        };
        if greets {
            let data =
                json!({ "connection_id": id, "server_version": "10.7.0", "server_hostname": "h" });
            listener
                .says(&json!({ "event": "hello", "data": data, "broadcast": { "user_id": user } }));
        }
        self.listeners.push(listener);
        line
    }

    /// Every connection ends, as when the server restarts.
    pub(crate) fn all_end(&mut self) {
        for listener in self.listeners.drain(..) {
            listener.line.says(Word::Break);
        }
    }

    /// Every connection stays, and carries nothing any more.
    pub(crate) fn all_deaf(&mut self) {
        for listener in self.listeners.drain(..) {
            listener.line.says(Word::Deaf);
        }
    }
}

impl Listener {
    fn says(&mut self, event: &Value) {
        let mut event = event.clone();
        event["seq"] = json!(self.seq);
        self.seq += 1;
        self.line.says(Word::Text(event.to_string()));
    }
}

impl State {
    /// Tells an event to whoever is in the channel.
    pub(crate) fn tell(&mut self, channel: &str, event: &str, data: &Value) {
        let members = self.channels[channel].members.clone();
        let told = json!({ "event": event, "data": data, "broadcast": { "channel_id": channel } });
        let lost = self.events.dropped > 0;
        let counts = self.has(Quirk::SocketCountsWhatIsLost);
        if lost {
            self.events.dropped -= 1;
        }
        for listener in &mut self.events.listeners {
            if !members.contains(&listener.user) {
                continue;
            }
            if !lost {
                listener.says(&told);
            } else if counts {
                listener.seq += 1;
            }
        }
    }

    /// What became of a post; the post stands in a text of its own.
    pub(crate) fn tell_post(&mut self, event: &str, post: &Post) {
        let post_json = post.json();
        let data = if self.has(Quirk::SocketPostIsText) {
            json!({ "post": post_json.to_string(), "channel_type": "O" })
        } else {
            json!({ "post": post_json, "channel_type": "O" })
        };
        self.tell(&post.channel_id.clone(), event, &data);
    }
}
