//! The calls: Client-Server API 1.11, <https://spec.matrix.org/v1.11/client-server-api/>.

mod direct;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::{Method, StatusCode, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use raccord_kit::http::{Answer, Http, Request, Target};
use raccord_kit::secret::SecretSource;
use raccord_model::{Digest, Failure};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::failure;

/// How many reactions to one message are read, in pages of a hundred: a server gives no more at once.
const REACTION_PAGES: usize = 100;

/// What stands unescaped in a path (RFC 3986, section 2.3).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A piece of a path or of a link.
pub(crate) fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// An account on a home server.
pub(crate) struct Api {
    http: Http,
    base: Target,
    token: Option<SecretSource>,
    /// Who the token is, by its digest.
    me: Mutex<Option<(Digest, Me)>>,
    /// Rooms by the names the configuration has for them, once the account is known to be in them.
    rooms: Mutex<BTreeMap<String, String>>,
}

/// Who a token belongs to.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Me {
    pub(crate) user_id: String,
}

#[derive(Deserialize)]
struct Named {
    room_id: String,
}

#[derive(Deserialize)]
struct Sent {
    event_id: String,
}

/// Something that happened in a room, as far as we read it.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Event {
    #[serde(default, rename = "event_id")]
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) sender: String,
    #[serde(default, rename = "type")]
    pub(crate) kind: String,
    /// Of a piece of a room's state.
    #[serde(default)]
    pub(crate) state_key: Option<String>,
    #[serde(default)]
    pub(crate) origin_server_ts: i64,
    #[serde(default)]
    pub(crate) content: Value,
    #[serde(default)]
    pub(crate) unsigned: Value,
    /// Of a redaction, in rooms before version 11.
    #[serde(default)]
    pub(crate) redacts: Option<String>,
}

impl Event {
    /// Whether somebody took it away.
    pub(crate) fn is_redacted(&self) -> bool {
        !self.unsigned["redacted_because"].is_null()
    }

    /// What a redaction takes away.
    pub(crate) fn takes_away(&self) -> Option<&str> {
        self.redacts
            .as_deref()
            .or_else(|| self.content["redacts"].as_str())
    }
}

/// A page of a room's past, or of what relates to an event.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Page {
    #[serde(default)]
    pub(crate) chunk: Vec<Event>,
    /// Where the next page begins.
    #[serde(default, alias = "next_batch")]
    pub(crate) end: Option<String>,
}

/// Who reacted to an event, by reaction.
pub(crate) type Reactions = Vec<(String, Vec<String>)>;

impl Api {
    pub(crate) fn new(http: Http, base: Target, token: Option<SecretSource>) -> Self {
        Self {
            http,
            base,
            token,
            me: Mutex::default(),
            rooms: Mutex::default(),
        }
    }

    pub(crate) fn base(&self) -> &Target {
        &self.base
    }

    pub(crate) fn host(&self) -> &str {
        self.base.host()
    }

    pub(crate) fn token(&self) -> Option<&SecretSource> {
        self.token.as_ref()
    }

    fn target(&self, path: &str) -> Result<Target, Failure> {
        let base = self.base.url().as_str();
        let slash = if base.ends_with('/') { "" } else { "/" };
        self.base
            .join(&format!("{base}{slash}_matrix/client/{path}"))
    }

    /// Shows the token, as it is now.
    fn signed(&self, request: Request) -> Result<Request, Failure> {
        let token = self.token.as_ref().ok_or_else(failure::no_token)?;
        Ok(request.bearer(&token.read()?))
    }

    async fn send(&self, request: Request) -> Result<Answer, Failure> {
        Ok(self.http.send(self.signed(request)?).await?)
    }

    fn refusal(&self, answer: &Answer, once: bool, room: &str) -> Failure {
        failure::of(answer, self.http.refusal(answer, once).into(), room)
    }

    /// Reads something; nothing where it is not there.
    async fn read<T: DeserializeOwned>(
        &self,
        target: &Target,
        room: &str,
        size: u64,
    ) -> Result<Option<T>, Failure> {
        let answer = self.send(Request::get(target).size(size)).await?;
        match answer.status {
            StatusCode::NOT_FOUND if is_matrix(&answer) => Ok(None),
            status if status.is_success() => serde_json::from_slice(&answer.body)
                .map(Some)
                .map_err(|_| failure::not_matrix(self.host())),
            _ => Err(self.refusal(&answer, false, room)),
        }
    }

    /// Writes something whose repeat does no harm.
    async fn write(
        &self,
        method: Method,
        target: &Target,
        body: &Value,
        room: &str,
    ) -> Result<Answer, Failure> {
        let request = Request::new(method, target)
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.to_string())
            .once();
        let answer = self.send(request).await?;
        if answer.status.is_success() {
            return Ok(answer);
        }
        Err(self.refusal(&answer, true, room))
    }

    /// Who we are.
    pub(crate) async fn me(&self) -> Result<Me, Failure> {
        let token = self.token.as_ref().ok_or_else(failure::no_token)?.read()?;
        let digest = Digest::of(token.expose_secret().as_bytes());
        let known = || self.me.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, me)) = &*known()
            && *of == digest
        {
            return Ok(me.clone());
        }
        let me: Option<Me> = self
            .read(&self.target("v3/account/whoami")?, "", 64 * 1024)
            .await?;
        let me = me.ok_or_else(|| failure::not_matrix(self.host()))?;
        *known() = Some((digest, me.clone()));
        Ok(me)
    }

    /// The id of a room by its address or id.
    pub(crate) async fn room_id(&self, name: &str) -> Result<String, Failure> {
        if name.starts_with('!') {
            return Ok(name.to_owned());
        }
        let mut alias = format!("#{}", name.trim_start_matches('#'));
        if !alias.contains(':') {
            let me = self.me().await?.user_id;
            let server = me.split_once(':').map_or("", |(_, server)| server);
            alias = format!("{alias}:{server}");
        }
        let room = self.aliased(&alias).await?;
        room.ok_or_else(|| failure::no_room(name))
    }

    /// The id of a room that we are in: an invitation is accepted, an open room entered.
    pub(crate) async fn room(&self, name: &str) -> Result<String, Failure> {
        if let Some(known) = self.known_room(name) {
            return Ok(known);
        }
        let id = self.room_id(name).await?;
        let path = format!("v3/rooms/{}/join", segment(&id));
        self.write(Method::POST, &self.target(&path)?, &json!({}), name)
            .await?;
        if self.state(&id, "m.room.encryption").await?.is_some() {
            return Err(failure::encrypted(name));
        }
        self.keep_room(name.to_owned(), &id);
        Ok(id)
    }

    /// What is known of rooms is asked anew: something was refused there.
    pub(crate) fn forget_rooms(&self) {
        self.rooms
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// The rooms we are in.
    pub(crate) async fn joined(&self) -> Result<Vec<String>, Failure> {
        #[derive(Deserialize)]
        struct Joined {
            joined_rooms: Vec<String>,
        }
        let target = self.target("v3/joined_rooms")?;
        let joined: Option<Joined> = self.read(&target, "", 5_000_000).await?;
        let joined = joined.ok_or_else(|| failure::not_matrix(self.host()))?;
        Ok(joined.joined_rooms)
    }

    /// A piece of a room's state; nothing where it has none.
    pub(crate) async fn state(&self, room: &str, kind: &str) -> Result<Option<Value>, Failure> {
        let path = format!("v3/rooms/{}/state/{kind}", segment(room));
        self.read(&self.target(&path)?, room, 1_000_000).await
    }

    /// Sets a piece of a room's state.
    pub(crate) async fn set_state(
        &self,
        room: &str,
        kind: &str,
        content: &Value,
    ) -> Result<(), Failure> {
        let path = format!("v3/rooms/{}/state/{kind}", segment(room));
        self.write(Method::PUT, &self.target(&path)?, content, room)
            .await
            .map(drop)
    }

    /// Sends an event. The server takes a repeat under the same transaction for the same event.
    pub(crate) async fn event(
        &self,
        room: &str,
        kind: &str,
        transaction: &str,
        content: &Value,
    ) -> Result<String, Failure> {
        let path = format!(
            "v3/rooms/{}/send/{kind}/{}",
            segment(room),
            segment(transaction)
        );
        self.sent(&path, content, room).await
    }

    /// Takes an event away.
    pub(crate) async fn redact(
        &self,
        room: &str,
        event: &str,
        transaction: &str,
    ) -> Result<String, Failure> {
        let path = format!(
            "v3/rooms/{}/redact/{}/{}",
            segment(room),
            segment(event),
            segment(transaction)
        );
        self.sent(&path, &json!({}), room).await
    }

    async fn sent(&self, path: &str, content: &Value, room: &str) -> Result<String, Failure> {
        let answer = self
            .write(Method::PUT, &self.target(path)?, content, room)
            .await?;
        let sent: Result<Sent, _> = serde_json::from_slice(&answer.body);
        sent.map(|sent| sent.event_id)
            .map_err(|_| failure::unread_answer(self.host()))
    }

    /// One event; nothing where the server has none of that name, or we may not see it.
    pub(crate) async fn get(&self, room: &str, event: &str) -> Result<Option<Event>, Failure> {
        let path = format!("v3/rooms/{}/event/{}", segment(room), segment(event));
        self.read(&self.target(&path)?, room, 1_000_000).await
    }

    /// Who reacted to an event, everybody; nothing where that cannot be told: the event is not there,
    /// or more reacted than is read. A part of them would pass for all.
    pub(crate) async fn reactions(
        &self,
        room: &str,
        event: &str,
    ) -> Result<Option<Reactions>, Failure> {
        let path = format!(
            "v1/rooms/{}/relations/{}/m.annotation/m.reaction",
            segment(room),
            segment(event)
        );
        let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut from: Option<String> = None;
        for _ in 0..REACTION_PAGES {
            let mut target = self.target(&path)?.query("limit", "100");
            if let Some(from) = &from {
                target = target.query("from", from);
            }
            let page: Option<Page> = self.read(&target, room, 5_000_000).await?;
            let Some(page) = page else {
                return Ok(None);
            };
            for event in page.chunk.iter().filter(|event| !event.is_redacted()) {
                if let Some(key) = event.content["m.relates_to"]["key"].as_str() {
                    let people = all.entry(key.to_owned()).or_default();
                    people.push(event.sender.clone());
                }
            }
            match page.end {
                Some(end) if from.as_ref() != Some(&end) => from = Some(end),
                _ => return Ok(Some(all.into_iter().collect())),
            }
        }
        Ok(None)
    }

    /// The room an address leads to.
    async fn aliased(&self, alias: &str) -> Result<Option<String>, Failure> {
        let target = self.target(&format!("v3/directory/room/{}", segment(alias)))?;
        let named: Option<Named> = self.read(&target, alias, 1_000_000).await?;
        Ok(named.map(|named| named.room_id))
    }

    fn known_room(&self, name: &str) -> Option<String> {
        let rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.get(name).cloned()
    }

    fn keep_room(&self, name: String, id: &str) {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.insert(name, id.to_owned());
    }

    /// A page of a room's past, newest first: from `from` (now, without one) back to `to`.
    pub(crate) async fn past(
        &self,
        room: &str,
        from: Option<&str>,
        to: Option<&str>,
        filter: &Value,
    ) -> Result<Page, Failure> {
        let path = format!("v3/rooms/{}/messages", segment(room));
        let mut target = self
            .target(&path)?
            .query("dir", "b")
            .query("limit", "100")
            .query("filter", &filter.to_string());
        for (name, token) in [("from", from), ("to", to)] {
            if let Some(token) = token {
                target = target.query(name, token);
            }
        }
        let page: Option<Page> = self.read(&target, room, 20_000_000).await?;
        page.ok_or_else(|| failure::forbidden(room))
    }

    /// What happened since `since`, or where now is; the answer is kept back for `wait`, or until
    /// there is something.
    pub(crate) async fn sync(
        &self,
        since: Option<&str>,
        filter: &str,
        wait: Duration,
    ) -> Result<Value, Failure> {
        let mut target = self
            .target("v3/sync")?
            .query("filter", filter)
            .query("set_presence", "offline")
            .query("timeout", &wait.as_millis().to_string());
        if let Some(since) = since {
            target = target.query("since", since);
        }
        let request = Request::get(&target)
            .size(20_000_000)
            .time(wait + raccord_kit::http::TIME);
        let answer = self.send(request).await?;
        if !answer.status.is_success() {
            return Err(self.refusal(&answer, false, ""));
        }
        serde_json::from_slice(&answer.body).map_err(|_| failure::not_matrix(self.host()))
    }
}

/// Whether a refusal is one of a Matrix server, and not of whatever stands before it.
fn is_matrix(answer: &Answer) -> bool {
    let body: Result<Value, _> = serde_json::from_slice(&answer.body);
    body.is_ok_and(|body| body["errcode"].is_string())
}
