//! DDP, version 1: what Meteor's servers speak on a WebSocket. One conversation: who we are, calls,
//! and what the server is asked to tell.
//!
//! It answers the server's questions whether we are there, and gives up where the server refuses or
//! ends; it neither connects again nor waits for a limited time: that is the caller's.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Came, Socket};

/// What the server says. Its greeting has no `msg`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Told {
    /// What kind of message it is.
    pub msg: String,
    /// The id of the call or of the document.
    pub id: Option<Value>,
    /// Why a call was refused.
    pub error: Option<Value>,
    /// What a call gave.
    pub result: Value,
    /// The collection of a document.
    pub collection: String,
    /// The fields of a document.
    pub fields: Value,
    /// The subscriptions that are told in full.
    pub subs: Vec<String>,
}

impl Told {
    /// A text of the server; empty where it is none of DDP.
    pub fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// The answer to the question whether we are there, with the id it may have.
    pub fn pong(&self) -> String {
        let mut answer = json!({ "msg": "pong" });
        if let Some(id) = &self.id {
            answer["id"] = id.clone();
        }
        answer.to_string()
    }

    /// Whether nothing that follows is to be relied on.
    pub fn is_end(&self) -> bool {
        matches!(self.msg.as_str(), "nosub" | "failed" | "error")
    }
}

/// A conversation with a server that greeted us.
#[derive(Debug)]
pub struct Ddp {
    socket: Socket,
    asked: u64,
}

impl Ddp {
    /// Begins one; nothing where the server speaks something else.
    pub async fn greet(socket: Socket) -> Option<Self> {
        let mut talk = Self { socket, asked: 0 };
        let connect = json!({ "msg": "connect", "version": "1", "support": ["1"] });
        talk.say(&connect).await?;
        talk.until(|told| told.msg == "connected").await?;
        Some(talk)
    }

    /// Calls a method: what it gave, or the error it was refused with. Nothing where the conversation
    /// ended before.
    pub async fn call(&mut self, method: &str, params: &Value) -> Option<Result<Value, Value>> {
        let id = self.name();
        let ask = json!({ "msg": "method", "method": method, "id": id, "params": params });
        self.say(&ask).await?;
        let answered = |told: &Told| told.msg == "result" && told.id == Some(json!(id));
        let answer = self.until(answered).await?;
        Some(answer.error.map_or(Ok(answer.result), Err))
    }

    /// Asks to be told of what a publication holds, and goes on to; gives the subscription's id.
    pub async fn subscribe(&mut self, publication: &str, params: &Value) -> Option<String> {
        let id = self.name();
        let ask = json!({ "msg": "sub", "id": id, "name": publication, "params": params });
        self.say(&ask).await?;
        Some(id)
    }

    /// Waits until all of these subscriptions are told in full; `each` hears what comes meanwhile.
    pub async fn told(
        &mut self,
        mut waiting: BTreeSet<String>,
        mut each: impl FnMut(Told),
    ) -> Option<()> {
        while !waiting.is_empty() {
            let told = self.until(|_| true).await?;
            if told.msg == "ready" {
                for id in &told.subs {
                    waiting.remove(id);
                }
            } else {
                each(told);
            }
        }
        Some(())
    }

    /// The connection, with everything that was asked for on it.
    pub fn into_socket(self) -> Socket {
        self.socket
    }

    fn name(&mut self) -> String {
        self.asked += 1;
        self.asked.to_string()
    }

    async fn say(&mut self, text: &Value) -> Option<()> {
        self.socket.say(text.to_string()).await
    }

    /// Hears until `wanted` comes, and answers the server's questions meanwhile.
    async fn until(&mut self, wanted: impl Fn(&Told) -> bool) -> Option<Told> {
        loop {
            let Came::Text(text) = self.socket.next().await? else {
                continue;
            };
            let told = Told::read(&text);
            match told.msg.as_str() {
                "ping" => self.socket.say(told.pong()).await?,
                _ if told.is_end() => return None,
                _ if wanted(&told) => return Some(told),
                _ => {}
            }
        }
    }
}
