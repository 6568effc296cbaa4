//! What Rocket.Chat calls to say: an outgoing webhook tells of a message. It is not signed; it shows the
//! token of its integration. It comes again where the answer is empty: ours never is.

use raccord_chat::ask;
use raccord_chat::called::is_one_of;
use raccord_chat::heard::{self, Hear, Heard as Said, What};
use raccord_kit::hook::{Heard, Hook, Unheard};
use raccord_model::{Call, Change};
use serde::Deserialize;

use crate::message::PREFIX;
use crate::{Instance, RocketChat};

/// What of a call is looked at.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Told {
    token: String,
    channel_id: String,
    message_id: String,
    user_id: String,
    text: Option<String>,
    tmid: Option<String>,
    #[serde(rename = "isEdited")]
    edited: bool,
}

impl Hook for Instance {
    fn hear(&self, call: &Call) -> Result<Heard, Unheard> {
        let account = self.account();
        // The token stands in what it vouches for: what cannot be read shows none.
        let told: Told = serde_json::from_slice(&call.body).map_err(|_| Unheard::Forged)?;
        let secret = account.hook_secret.as_ref().and_then(|one| one.read().ok());
        if !secret.is_some_and(|secrets| is_one_of(&told.token, &secrets)) {
            return Err(Unheard::Forged);
        }
        // They hear what we say too.
        if told.user_id == account.api.user || told.message_id.starts_with(PREFIX) {
            return Ok(Heard::default());
        }
        Ok(Heard {
            hint: true,
            changes: account.question(told, call).into_iter().collect(),
            answer: None,
        })
    }
}

impl RocketChat {
    /// What a message asks, if it does. The rest is read in the room.
    fn question(&self, told: Told, call: &Call) -> Option<Change> {
        let text = told.text.filter(|_| !told.edited)?;
        // What is heard here is not heard again where it is read: it is told as it would be there.
        ask::read(&text)?;
        let hear = match self.settings.hear {
            Hear::All => Hear::All,
            Hear::None | Hear::Questions => Hear::Questions,
        };
        let plain = |id: &String| is_id(id).then(|| id.clone());
        let said = Said {
            room: plain(&told.channel_id)?,
            message: plain(&told.message_id)?,
            id: plain(&told.message_id)?,
            author: plain(&told.user_id)?,
            at: call.at,
            what: What::Said {
                text,
                thread: told.tmid.filter(|id| is_id(id)),
            },
        };
        heard::change(&self.kit, hear, &said)
    }
}

/// Ids are letters and digits; those of messages may be other people's choice.
fn is_id(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
    (1..=100).contains(&text.len()) && text.bytes().all(plain)
}
