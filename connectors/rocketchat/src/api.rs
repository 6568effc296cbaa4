//! The calls of Rocket.Chat's API, version 1; the only file that knows addresses.
//!
//! Read from the server's source (7.x and 8.x) and its own description of the API.

use std::sync::Arc;

use http::{HeaderName, HeaderValue, StatusCode, header};
use raccord_chat::REFUSED;
use raccord_kit::http::{Answer, Http, Request, Socket, Target};
use raccord_kit::secret::SecretSource;
use raccord_kit::{Clock, Learnt};
use raccord_model::{Blame, Failure};
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::failure;
use crate::message::{
    Changed, Info, Me, Message, OneMessage, OneRoom, OneUser, Room, Rooms, Subscribed, Sync, Told,
    User,
};

/// How many messages a page of changes has.
pub(crate) const PAGE: usize = 100;
/// A page of messages of full length, with what the server adds to each.
const LIST: u64 = 20_000_000;

const TOKEN: HeaderName = HeaderName::from_static("x-auth-token");
const USER: HeaderName = HeaderName::from_static("x-user-id");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// One server, one account.
pub(crate) struct Api {
    http: Http,
    base: Target,
    pub(crate) user: String,
    pub(crate) token: Option<SecretSource>,
    refused: Learnt,
    clock: Arc<dyn Clock>,
}

/// What became of a message that was sent.
#[derive(Debug)]
pub(crate) enum Sent {
    /// It is there now.
    Made(Box<Message>),
    /// The server refused, as it also does when the id is known already.
    Refused(Box<Failure>),
}

/// What kind of changes a page holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Updated,
    Deleted,
}

impl Api {
    pub(crate) fn new(
        http: Http,
        base: Target,
        user: String,
        token: Option<SecretSource>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            http,
            base,
            user,
            token,
            refused: Learnt::believed(REFUSED),
            clock,
        }
    }

    pub(crate) fn host(&self) -> &str {
        self.base.host()
    }

    /// The address of the server, as the settings say it.
    pub(crate) fn site(&self) -> &str {
        self.base.url().as_str()
    }

    /// The address that people open to see a message.
    pub(crate) fn permalink(&self, room: &Room, message: &str) -> Option<String> {
        let family = match room.t.as_str() {
            "c" => "channel",
            "p" => "group",
            _ => return None,
        };
        let target = self
            .base
            .join(&format!("{family}/{}", segment(&room.name)))
            .ok()?;
        Some(target.query("msg", message).url().to_string())
    }

    fn target(&self, route: &str) -> Result<Target, Failure> {
        self.base.join(&format!("api/v1/{route}"))
    }

    /// The token, unless it was refused a short while ago.
    pub(crate) fn believed(&self) -> Result<SecretString, Failure> {
        let token = self.token.as_ref().ok_or_else(failure::no_token)?.read()?;
        if self.refused.was(&token, self.clock.now()) {
            return Err(failure::credentials(self.host()));
        }
        Ok(token)
    }

    /// The server refused the token: it is not shown again for a while.
    pub(crate) fn refuses(&self, token: &SecretString) {
        self.refused.note(token, self.clock.now());
    }

    /// The connection of the streams, on which nobody is logged in yet.
    pub(crate) async fn socket(&self) -> Result<Socket, Failure> {
        let request = Request::get(&self.base.join("websocket")?);
        Ok(self.http.socket(request).await?)
    }

    async fn ask(&self, request: Request) -> Result<Answer, Failure> {
        let token = self.believed()?;
        let request = request
            .secret(TOKEN, &token)
            .header(USER, self.user.as_str());
        let answer = self.http.send(request).await?;
        if answer.redirected {
            return Err(failure::no_rocketchat(self.host()));
        }
        if answer.status == StatusCode::UNAUTHORIZED {
            self.refuses(&token);
        }
        Ok(answer)
    }

    fn refusal(&self, answer: &Answer) -> Failure {
        failure::refusal(&self.http, answer, self.clock.now())
    }

    async fn read<T: DeserializeOwned>(&self, request: Request) -> Result<T, Failure> {
        let answer = self.ask(request).await?;
        if !answer.status.is_success() {
            return Err(self.refusal(&answer));
        }
        self.decode(&answer)
    }

    /// What an answer says. Each says of itself that it is a good one.
    fn decode<T: DeserializeOwned>(&self, answer: &Answer) -> Result<T, Failure> {
        #[derive(Deserialize)]
        struct Good {
            success: bool,
        }
        let good = serde_json::from_slice(&answer.body).is_ok_and(|good: Good| good.success);
        let read = good.then(|| serde_json::from_slice(&answer.body).ok());
        read.flatten()
            .ok_or_else(|| failure::no_rocketchat(self.host()))
    }

    async fn get<T: DeserializeOwned>(&self, target: &Target) -> Result<T, Failure> {
        self.read(Request::get(target).size(LIST)).await
    }

    fn post(&self, route: &str, body: &Value) -> Result<Request, Failure> {
        Ok(
            Request::post(&self.target(route)?, body.to_string())
                .header(header::CONTENT_TYPE, JSON),
        )
    }

    /// The server's version.
    pub(crate) async fn info(&self) -> Result<Info, Failure> {
        self.get(&self.base.join("api/info")?).await
    }

    /// Who we are.
    pub(crate) async fn me(&self) -> Result<Me, Failure> {
        self.get(&self.target("me")?).await
    }

    /// The settings with these ids.
    pub(crate) async fn settings(&self, ids: &[&str]) -> Result<Told, Failure> {
        let target = self.target("settings.public")?.query("_id", &ids.join(","));
        self.get(&target).await
    }

    /// A room of any kind by its name; none where there is none, or it is private and we are not in
    /// it.
    pub(crate) async fn room(&self, name: &str) -> Result<Option<Room>, Failure> {
        let target = self.target("rooms.info")?.query("roomName", name);
        match self.get::<OneRoom>(&target).await {
            Ok(found) => Ok(Some(found.room)),
            Err(failure)
                if failure.code.ends_with(".no-such-room")
                    || failure.code.ends_with(failure::NO_RIGHT) =>
            {
                Ok(None)
            }
            Err(failure) => Err(failure),
        }
    }

    /// The rooms we are in.
    pub(crate) async fn my_rooms(&self) -> Result<Vec<Room>, Failure> {
        let rooms: Rooms = self.get(&self.target("rooms.get")?).await?;
        Ok(rooms.update)
    }

    /// Whether we are in a room.
    pub(crate) async fn is_member(&self, room: &str) -> Result<bool, Failure> {
        let target = self.target("subscriptions.getOne")?.query("roomId", room);
        let found: Subscribed = self.get(&target).await?;
        Ok(found.subscription.is_some())
    }

    /// The room in which only we and somebody else are; always the same. None where nobody has that
    /// name.
    pub(crate) async fn direct(&self, name: &str) -> Result<Option<Room>, Failure> {
        let answer = self
            .ask(self.post("im.create", &json!({ "username": name }))?)
            .await?;
        match answer.status {
            StatusCode::BAD_REQUEST => Ok(None),
            status if status.is_success() => {
                let found: OneRoom = self.decode(&answer)?;
                Ok(Some(found.room))
            }
            _ => Err(self.refusal(&answer)),
        }
    }

    /// Somebody, by `userId` or `username`.
    pub(crate) async fn person(&self, by: &str, value: &str) -> Result<Option<User>, Failure> {
        let target = self.target("users.info")?.query(by, value);
        let answer = self.ask(Request::get(&target)).await?;
        match answer.status {
            StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => {
                let found: OneUser = self.decode(&answer)?;
                Ok(Some(found.user))
            }
            _ => Err(self.refusal(&answer)),
        }
    }

    /// Sends a message under an id of ours. A refusal may mean that it is there already: only a look
    /// at the id tells.
    pub(crate) async fn send(
        &self,
        id: &str,
        room: &str,
        text: &str,
        thread: Option<&str>,
    ) -> Result<Sent, Failure> {
        let mut message = json!({ "_id": id, "rid": room, "msg": text });
        if let Some(thread) = thread {
            message["tmid"] = json!(thread);
        }
        // Links are not followed by the server: a sheet could name any address.
        let body = json!({ "message": message, "previewUrls": [] });
        let answer = self.ask(self.post("chat.sendMessage", &body)?).await?;
        if answer.status.is_success() {
            let made: OneMessage = self.decode(&answer).map_err(unknown)?;
            return Ok(Sent::Made(Box::new(made.message)));
        }
        let refusal = self.refusal(&answer);
        if answer.status == StatusCode::BAD_REQUEST {
            return Ok(Sent::Refused(Box::new(refusal)));
        }
        Err(refusal)
    }

    /// The message with an id; none where there is none. One that stands where we may not look is a
    /// refusal ([`failure::NO_RIGHT`]): it is there.
    pub(crate) async fn message(&self, id: &str) -> Result<Option<Message>, Failure> {
        let target = self.target("chat.getMessage")?.query("msgId", id);
        let answer = self.ask(Request::get(&target)).await?;
        if answer.status.is_success() {
            let found: OneMessage = self.decode(&answer)?;
            return Ok(Some(found.message));
        }
        let refusal = self.refusal(&answer);
        match answer.status {
            StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND
                if !refusal.code.ends_with(failure::NO_RIGHT) =>
            {
                Ok(None)
            }
            _ => Err(refusal),
        }
    }

    /// Changes what a message says. None where it is refused: it may be gone.
    pub(crate) async fn update(&self, id: &str, room: &str, text: &str) -> Result<Sent, Failure> {
        let body = json!({ "roomId": room, "msgId": id, "text": text, "previewUrls": [] });
        let answer = self.ask(self.post("chat.update", &body)?).await?;
        if answer.status.is_success() {
            let made: OneMessage = self.decode(&answer)?;
            return Ok(Sent::Made(Box::new(made.message)));
        }
        let refusal = self.refusal(&answer);
        if answer.status == StatusCode::BAD_REQUEST {
            return Ok(Sent::Refused(Box::new(refusal)));
        }
        Err(refusal)
    }

    /// Deletes a message; one that is not there any more is as good.
    pub(crate) async fn delete(&self, id: &str, room: &str) -> Result<(), Failure> {
        let body = json!({ "roomId": room, "msgId": id });
        let answer = self.ask(self.post("chat.delete", &body)?).await?;
        if answer.status.is_success() {
            return Ok(());
        }
        let refusal = self.refusal(&answer);
        if answer.status == StatusCode::BAD_REQUEST && self.message(id).await?.is_none() {
            return Ok(());
        }
        Err(refusal)
    }

    /// Pins a message, or no longer. Each pinning says so in the room.
    pub(crate) async fn pin(&self, id: &str, pinned: bool) -> Result<(), Failure> {
        let route = if pinned {
            "chat.pinMessage"
        } else {
            "chat.unPinMessage"
        };
        let request = self.post(route, &json!({ "messageId": id }))?;
        let _: Value = self.read(request).await?;
        Ok(())
    }

    /// A page of what changed in a room after a millisecond, oldest first.
    pub(crate) async fn page(
        &self,
        room: &str,
        after_ms: i64,
        kind: Kind,
    ) -> Result<Changed, Failure> {
        let kind = match kind {
            Kind::Updated => "UPDATED",
            Kind::Deleted => "DELETED",
        };
        let target = self
            .target("chat.syncMessages")?
            .query("roomId", room)
            .query("type", kind)
            .query("next", &after_ms.to_string())
            .query("count", &PAGE.to_string());
        let sync: Sync = self.get(&target).await?;
        Ok(sync.result)
    }
}

/// The server may have done it: its answer cannot be read.
fn unknown(failure: Failure) -> Failure {
    Failure {
        blame: Blame::Unknown,
        ..failure
    }
}

/// One part of an address: names of rooms and ids of Rocket.Chat have nothing in them that would need
/// more.
fn segment(text: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || "-_.".contains(*c);
    let kept: String = text.chars().filter(kept).collect();
    // A part of dots alone would lead elsewhere.
    if kept.chars().all(|c| c == '.') {
        "-".to_owned()
    } else {
        kept
    }
}
