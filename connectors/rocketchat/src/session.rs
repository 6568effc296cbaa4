//! Which room a name means, asked once and kept until something fails.

use std::collections::BTreeMap;
use std::sync::Arc;

use raccord_model::Failure;

use crate::message::Room;
use crate::{RocketChat, failure};

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

    /// Something failed: a name may mean another room by now.
    pub(crate) async fn forget(&self) {
        self.session.0.lock().await.clear();
    }
}
