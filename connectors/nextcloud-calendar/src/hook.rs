//! What the cloud calls to say: Nextcloud's `webhook_listeners` (30 and later), or anything else that
//! knows the secret. A call is a hint to read and nothing more: none may come, and one may be lost.

use raccord_kit::hook::{Heard, Hook, Unheard, bearer, is_secret};
use raccord_model::Call;
use serde::Deserialize;

use crate::Calendars;

/// What is looked at of Nextcloud's call; the rest of it is read from the calendar.
#[derive(Deserialize)]
struct Told {
    event: Event,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    #[serde(default)]
    class: String,
    calendar_data: Option<Calendar>,
}

#[derive(Deserialize)]
struct Calendar {
    #[serde(default)]
    uri: String,
    #[serde(rename = "{DAV:}displayname", default)]
    title: Option<String>,
}

impl Hook for Calendars {
    fn hear(&self, call: &Call) -> Result<Heard, Unheard> {
        let secret = self.hook_secret.as_ref().and_then(|one| one.read().ok());
        match (secret, bearer(call)) {
            (Some(secret), Some(given)) if is_secret(given, &secret) => {}
            _ => return Err(Unheard::Forged),
        }
        Ok(Heard {
            hint: self.may_concern_us(&call.body),
            ..Heard::default()
        })
    }
}

impl Calendars {
    /// Whether a call may be about one of our calendars: a cloud calls for everybody's. What cannot be
    /// told is looked at.
    fn may_concern_us(&self, body: &[u8]) -> bool {
        let Ok(Told { event }) = serde_json::from_slice(body) else {
            return true;
        };
        match event.calendar_data {
            Some(calendar) => self.named().any(|name| calendar.may_be(name)),
            None => event.class.is_empty() || event.class.contains("\\Calendar\\"),
        }
    }

    /// The calendars of the settings.
    pub(crate) fn named(&self) -> impl Iterator<Item = &str> {
        let others = self.settings.calendars.iter().map(|name| &**name);
        std::iter::once(&*self.settings.calendar).chain(others)
    }
}

impl Calendar {
    /// Whether it is the one that the settings call `name`: by the last part of its address, which
    /// says so where it is shared by somebody else, or by its title.
    fn may_be(&self, name: &str) -> bool {
        let same = |one: &str| one.trim().to_lowercase() == name.trim().to_lowercase();
        let shared = name.strip_prefix(self.uri.as_str());
        same(&self.uri)
            || shared.is_some_and(|rest| rest.starts_with("_shared_by_"))
            // A title of one's own for what somebody shares cannot be known here.
            || self.title.as_deref().is_none_or(|title| {
                let owned = name.trim().to_lowercase();
                same(title) || owned.starts_with(&format!("{} (", title.trim().to_lowercase()))
            })
    }
}
