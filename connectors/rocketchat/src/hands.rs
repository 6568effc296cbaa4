//! Who signs up by a reaction. The server tells names, which people may change and others may take
//! afterwards; what is known of people are their ids.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use raccord_chat::heard::Heard;
use raccord_chat::reaction;
use raccord_model::Failure;

use crate::RocketChat;
use crate::message::{Changed, Message, PREFIX};

/// How many names under messages are remembered.
const NAMES: usize = 20_000;

/// Whose each name under a message was when it was seen there first: by message and name. A name that
/// is changed stays there as it was.
#[derive(Default)]
pub(crate) struct Hands(Mutex<BTreeMap<(String, String), String>>);

impl Hands {
    fn known(&self) -> MutexGuard<'_, BTreeMap<(String, String), String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RocketChat {
    /// Who reacted to messages of ours in a way that signs up.
    pub(crate) async fn signing_up(
        &self,
        room: &str,
        read: &Changed,
    ) -> Result<Vec<Heard>, Failure> {
        let mut heard = Vec::new();
        let ours = |message: &&Message| {
            message.id.starts_with(PREFIX) && message.u.id == self.api.user && message.t.is_none()
        };
        for message in read.updated.iter().filter(ours) {
            // A list that is not whole would sign somebody off.
            let Some(all) = self.hands_of(message).await? else {
                continue;
            };
            let at = message.updated_at.unwrap_or_default();
            heard.extend(reaction::signing_up(&self.kit, &all).map(|what| Heard {
                room: room.to_owned(),
                message: message.id.clone(),
                id: format!("{} h{}", message.id, at.as_millisecond()),
                author: String::new(),
                at,
                what,
            }));
        }
        Ok(heard)
    }

    /// Who reacted to a message, by the reactions that sign up; nothing where it is not known who one of
    /// them is.
    async fn hands_of(
        &self,
        message: &Message,
    ) -> Result<Option<Vec<(String, Vec<String>)>>, Failure> {
        let takes = |named: &str| {
            let mut taken = self.kit.signups.iter();
            taken.any(|taken| reaction::sign(taken) == reaction::sign(named))
        };
        let mut all = Vec::new();
        for (name, who) in message.reactions.iter().flatten() {
            if !takes(name) {
                continue;
            }
            let mut people = Vec::new();
            for user in &who.usernames {
                match self.who_was(&message.id, user).await? {
                    Some(id) if id == self.api.user => {}
                    Some(id) => people.push(id),
                    None => return Ok(None),
                }
            }
            all.push((name.clone(), people));
        }
        Ok(Some(all))
    }

    /// The id of whoever had a name when it came under a message; nothing where nobody has it now and
    /// it was not seen before.
    async fn who_was(&self, message: &str, name: &str) -> Result<Option<String>, Failure> {
        let key = (message.to_owned(), name.to_owned());
        if let Some(id) = self.hands.known().get(&key) {
            return Ok(Some(id.clone()));
        }
        let Some(person) = self.api.person("username", name).await? else {
            return Ok(None);
        };
        let mut known = self.hands.known();
        if known.len() >= NAMES {
            known.clear();
        }
        known.insert(key, person.id.clone());
        Ok(Some(person.id))
    }
}
