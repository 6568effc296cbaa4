//! Which room a name means, asked once and kept until something fails.

use std::collections::BTreeMap;
use std::sync::Arc;

use raccord_chat::unreachable;
use raccord_model::Failure;

use crate::message::Room;
use crate::{KIND, RocketChat, failure};

/// What is known of the server.
#[derive(Default)]
pub(crate) struct Session(tokio::sync::Mutex<BTreeMap<String, Arc<Room>>>);

impl RocketChat {
    /// The room a route names: `chantiers` or `#chantiers`, or `@anna` for messages to one person.
    pub(crate) async fn room(&self, name: &str) -> Result<Arc<Room>, Failure> {
        let mut known = self.session.0.lock().await;
        if let Some(room) = known.get(name) {
            return Ok(Arc::clone(room));
        }
        let host = self.api.host();
        let room = if let Some(person) = name.strip_prefix('@') {
            let found = self.api.direct(person).await?;
            found.ok_or_else(|| failure::no_person(person, host))?
        } else {
            let plain = name.strip_prefix('#').unwrap_or(name);
            let found = self.api.room(plain).await?;
            found.ok_or_else(|| failure::no_room(plain, host))?
        };
        let room = Arc::new(room);
        known.insert(name.to_owned(), Arc::clone(&room));
        Ok(room)
    }

    /// The room in which only we and the person with this id are.
    pub(crate) async fn alone_with(&self, person: &str) -> Result<Arc<Room>, Failure> {
        // No name of a room has a space in it.
        let name = format!("@ {person}");
        let mut known = self.session.0.lock().await;
        if let Some(room) = known.get(&name) {
            return Ok(Arc::clone(room));
        }
        let gone = || unreachable(KIND, self.api.host());
        let user = self.api.person("userId", person).await?.ok_or_else(gone)?;
        let room = self.api.direct(&user.username).await?.ok_or_else(gone)?;
        let room = Arc::new(room);
        known.insert(name, Arc::clone(&room));
        Ok(room)
    }

    /// Something failed: a name may mean another room by now.
    pub(crate) async fn forget(&self) {
        self.session.0.lock().await.clear();
    }
}
