//! Rooms of two: made once, and left alone once somebody left them.

use http::Method;
use raccord_chat::unreachable;
use raccord_model::{Blame, Digest, Failure};
use serde_json::{Value, json};

use super::{Api, Event, Named, segment};
use crate::{KIND, failure};

impl Api {
    /// The room in which only we and somebody else are. Its address follows from who we both are, so
    /// that it is made once; that it is ours is looked at, for others could have that address.
    pub(crate) async fn direct(&self, person: &str) -> Result<String, Failure> {
        // No name of a room begins so.
        let known = format!("@{person}");
        if let Some(room) = self.known_room(&known) {
            // They may have left since.
            let kind = format!("m.room.member/{}", segment(person));
            let member = self.state(&room, &kind).await?;
            self.has_in(&room, person, member.as_ref()).await?;
            return Ok(room);
        }
        let me = self.me().await?.user_id;
        let server = me.split_once(':').map_or("", |(_, server)| server);
        let digest = Digest::of(format!("direct\0{me}\0{person}").as_bytes()).to_string();
        let local = format!("raccord-{}", &digest[..32]);
        let alias = format!("#{local}:{server}");
        let room = match self.aliased(&alias).await? {
            Some(room) => room,
            None => self.new_direct(person, &local, &alias).await?,
        };
        self.is_between(&room, &me, person).await?;
        self.keep_room(known, &room);
        Ok(room)
    }

    async fn new_direct(&self, person: &str, local: &str, alias: &str) -> Result<String, Failure> {
        let body = json!({
            "preset": "private_chat",
            "is_direct": true,
            "invite": [person],
            "room_alias_name": local,
            "initial_state": [{
                "type": "m.room.history_visibility",
                "state_key": "",
                "content": { "history_visibility": "invited" },
            }],
        });
        let target = self.target("v3/createRoom")?;
        let made = self.write(Method::POST, &target, &body, person).await;
        match made {
            Ok(answer) => {
                let named: Result<Named, _> = serde_json::from_slice(&answer.body);
                let named = named.map_err(|_| failure::unread_answer(self.host()))?;
                Ok(named.room_id)
            }
            // Another attempt of ours made it meanwhile.
            Err(failure) if failure.blame == Blame::Data => {
                let room = self.aliased(alias).await?;
                room.ok_or_else(|| unreachable(KIND, self.host()))
            }
            Err(failure) => Err(failure),
        }
    }

    /// Whether a room is one that we made, with somebody who did not leave it.
    async fn is_between(&self, room: &str, me: &str, person: &str) -> Result<(), Failure> {
        let target = self.target(&format!("v3/rooms/{}/state", segment(room)))?;
        let state = self.read(&target, room, 5_000_000).await;
        let state: Vec<Event> = match state {
            Ok(state) => state.unwrap_or_default(),
            // Somebody else's, that we are not in.
            Err(failure) if failure.blame == Blame::Data => Vec::new(),
            Err(failure) => return Err(failure),
        };
        let of = |kind: &str| state.iter().find(|event| event.kind == kind);
        let ours = of("m.room.create").is_some_and(|event| event.sender == me);
        let member = state.iter().find(|event| {
            event.kind == "m.room.member" && event.state_key.as_deref() == Some(person)
        });
        if !ours {
            return Err(unreachable(KIND, self.host()));
        }
        if of("m.room.encryption").is_some() {
            return Err(failure::encrypted(room));
        }
        self.has_in(room, person, member.map(|event| &event.content))
            .await
    }

    /// Sees to it that somebody is in a room of two, or asked into it. Whoever left or declined is not
    /// asked again. Nobody was asked yet where their server did not answer when the room was made.
    async fn has_in(
        &self,
        room: &str,
        person: &str,
        member: Option<&Value>,
    ) -> Result<(), Failure> {
        match member.and_then(|content| content["membership"].as_str()) {
            Some("join" | "invite") => Ok(()),
            Some(_) => Err(unreachable(KIND, self.host())),
            None => {
                let target = self.target(&format!("v3/rooms/{}/invite", segment(room)))?;
                let body = json!({ "user_id": person });
                let asked = self.write(Method::POST, &target, &body, room).await;
                asked.map(drop).map_err(|failure| match failure.blame {
                    Blame::Data => unreachable(KIND, self.host()),
                    _ => failure,
                })
            }
        }
    }
}
