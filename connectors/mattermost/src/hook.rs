//! What Mattermost calls to say: a slash command, whose words are the question, or an outgoing webhook,
//! which tells of a post. Neither is signed; both show a token that the server drew for it.

use std::collections::BTreeMap;

use raccord_chat::ask;
use raccord_chat::called::is_one_of;
use raccord_chat::heard::{self, Hear, Heard as Said, What};
use raccord_kit::hook::{Heard, Hook, Unheard};
use raccord_model::{Call, Change, Digest, Words};
use serde_json::{Value, json};

use crate::{Instance, Mattermost};

/// What of a call is looked at, by name; everything is a text.
type Told = BTreeMap<String, String>;

impl Hook for Instance {
    fn hear(&self, call: &Call) -> Result<Heard, Unheard> {
        let account = self.account();
        let told = read(call);
        let secret = account.hook_secret.as_ref().and_then(|one| one.read().ok());
        match (secret, token(call, told.as_ref())) {
            (Some(secrets), Some(given)) if is_one_of(given, &secrets) => {}
            _ => return Err(Unheard::Forged),
        }
        let told = told.ok_or_else(|| Unheard::Unfit(nothing_asked()))?;
        if told.contains_key("command") {
            return Ok(account.command(&told, call));
        }
        Ok(Heard {
            hint: true,
            changes: account.question(&told, call).into_iter().collect(),
            answer: None,
        })
    }
}

impl Mattermost {
    /// A slash command: `/programme`, or `/raccord programme` where a place has one for all.
    fn command(&self, told: &Told, call: &Call) -> Heard {
        let words = told.get("text").map_or("", String::as_str);
        let command = told.get("command").map_or("", String::as_str);
        let text = [format!("{command} {words}"), format!("/{words}")]
            .into_iter()
            .find(|text| ask::read(text).is_some());
        let lang = self.kit.place.lang;
        let Some(text) = text else {
            return ephemeral(Vec::new(), usage().get(lang));
        };
        // A command is no post: what tells it from others is what the server drew for it.
        let drawn = told
            .get("trigger_id")
            .map_or(call.body.as_slice(), |id| id.as_bytes());
        let id = Digest::of(drawn).to_string()[..26].to_owned();
        let mut change = self.change(told, id, text, Hear::Questions, call);
        if let Some(change) = &mut change {
            // Nor does it begin a thread: the answer stands in the channel.
            change.fields.remove("thread");
        }
        ephemeral(change.into_iter().collect(), soon().get(lang))
    }

    /// What an outgoing webhook tells, where it asks something. The rest is read in the channel.
    fn question(&self, told: &Told, call: &Call) -> Option<Change> {
        let (id, text) = (told.get("post_id")?.clone(), told.get("text")?.clone());
        // What is heard here is not heard again where it is read: it is told as it would be there.
        ask::read(&text)?;
        let hear = match self.settings.hear {
            Hear::All => Hear::All,
            Hear::None | Hear::Questions => Hear::Questions,
        };
        self.change(told, id, text, hear, call)
    }

    fn change(
        &self,
        told: &Told,
        id: String,
        text: String,
        hear: Hear,
        call: &Call,
    ) -> Option<Change> {
        let plain = |name: &str| told.get(name).filter(|id| is_id(id)).cloned();
        let said = Said {
            room: plain("channel_id")?,
            message: id.clone(),
            id,
            author: plain("user_id")?,
            at: call.at,
            what: What::Said { text, thread: None },
        };
        heard::change(&self.kit, hear, &said)
    }
}

/// The token a call shows: in its body, or in its header.
fn token<'c>(call: &'c Call, told: Option<&'c Told>) -> Option<&'c str> {
    let written = told.and_then(|told| told.get("token"));
    written.map(String::as_str).or_else(|| {
        let (scheme, token) = call.header("authorization")?.split_once(' ')?;
        (scheme == "Token").then(|| token.trim())
    })
}

/// The texts of a call: a form, or JSON where the webhook is set up so.
fn read(call: &Call) -> Option<Told> {
    let json = call
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("application/json"));
    if !json {
        return Some(
            url::form_urlencoded::parse(&call.body)
                .into_owned()
                .collect(),
        );
    }
    let all: BTreeMap<String, Value> = serde_json::from_slice(&call.body).ok()?;
    let texts = all.into_iter().filter_map(|(name, value)| match value {
        Value::String(text) => Some((name, text)),
        _ => None,
    });
    Some(texts.collect())
}

/// Ids are 26 lower-case letters and digits.
fn is_id(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    text.len() == 26 && text.bytes().all(plain)
}

/// An answer that only who asked sees.
fn ephemeral(changes: Vec<Change>, text: &str) -> Heard {
    Heard {
        hint: false,
        changes,
        answer: Some(json!({ "response_type": "ephemeral", "text": text })),
    }
}

fn soon() -> Words {
    Words::new(
        "La réponse arrive dans ce canal.",
        "The answer is on its way to this channel.",
    )
}

fn usage() -> Words {
    Words::new(
        "Raccord connaît\u{a0}: programme, inscription, désinscription, qui, moi, prévenir, oui, non.",
        "Raccord knows: program, signup, signoff, who, me, notify, yes, no.",
    )
}

fn nothing_asked() -> Words {
    Words::new(
        "Cet appel n’a pas la forme de ceux de Mattermost.",
        "This call does not look like one of Mattermost.",
    )
}
