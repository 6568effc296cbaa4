//! Who we are on the server and which channel a name means, asked once and kept until something
//! fails.

use std::collections::BTreeMap;
use std::sync::Arc;

use raccord_chat::unreachable;
use raccord_model::{Blame, Failure};

use crate::post::{Channel, User};
use crate::{KIND, Mattermost, failure};

/// What is known of the server.
#[derive(Default)]
pub(crate) struct Session {
    me: tokio::sync::Mutex<Option<Arc<User>>>,
    channels: tokio::sync::Mutex<BTreeMap<String, Arc<Channel>>>,
}

impl Mattermost {
    /// The account that is logged in.
    pub(crate) async fn me(&self) -> Result<Arc<User>, Failure> {
        let mut known = self.session.me.lock().await;
        if let Some(me) = &*known {
            return Ok(Arc::clone(me));
        }
        let me = Arc::new(self.api.me().await?);
        *known = Some(Arc::clone(&me));
        Ok(me)
    }

    /// The channel a route names: `chantiers` or `~chantiers`, or `@anna` for messages to one person.
    pub(crate) async fn channel(&self, name: &str) -> Result<Arc<Channel>, Failure> {
        let mut known = self.session.channels.lock().await;
        if let Some(channel) = known.get(name) {
            return Ok(Arc::clone(channel));
        }
        let host = self.api.host();
        let channel = if let Some(person) = name.strip_prefix('@') {
            let other = self.api.user(person).await?;
            let other = other.ok_or_else(|| failure::no_person(person, host))?;
            self.api.direct(&self.me().await?.id, &other.id).await?
        } else {
            let plain = name.strip_prefix('~').unwrap_or(name);
            let found = self.api.channel(&self.settings.team, plain).await?;
            found.ok_or_else(|| failure::no_channel(plain, host))?
        };
        let channel = Arc::new(channel);
        known.insert(name.to_owned(), Arc::clone(&channel));
        Ok(channel)
    }

    /// The channel in which only we and the person with this id are.
    pub(crate) async fn alone_with(&self, person: &str) -> Result<Arc<Channel>, Failure> {
        // No name of a channel has a space in it.
        let name = format!("@ {person}");
        let mut known = self.session.channels.lock().await;
        if let Some(channel) = known.get(&name) {
            return Ok(Arc::clone(channel));
        }
        let made = self.api.direct(&self.me().await?.id, person).await;
        let channel = Arc::new(made.map_err(|failure| match failure.blame {
            Blame::Data | Blame::Bug => unreachable(KIND, self.api.host()),
            _ => failure,
        })?);
        known.insert(name, Arc::clone(&channel));
        Ok(channel)
    }

    /// Something failed: the token may be another account's, a channel another one of that name.
    pub(crate) async fn forget(&self) {
        *self.session.me.lock().await = None;
        self.session.channels.lock().await.clear();
    }
}
