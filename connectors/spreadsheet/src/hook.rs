//! What a tool calls to say: Grist's webhook, Nextcloud's `webhook_listeners`, or anything else that
//! knows the secret. A call is a hint to read and nothing more: Grist sends none for a record that
//! was deleted, and any may be lost.

use raccord_kit::hook::{Heard, Hook, Unheard, bearer, is_secret};
use raccord_model::Call;
use serde::Deserialize;

use crate::source::Spreadsheet;

/// What is looked at of Nextcloud's call: which event it was.
#[derive(Deserialize)]
struct Told {
    event: Event,
}

#[derive(Deserialize)]
struct Event {
    class: String,
}

impl Hook for Spreadsheet {
    fn hear(&self, call: &Call) -> Result<Heard, Unheard> {
        let secret = self.hook_secret.as_ref().and_then(|one| one.read().ok());
        match (secret, bearer(call)) {
            (Some(secret), Some(given)) if is_secret(given, &secret) => {}
            _ => return Err(Unheard::Forged),
        }
        Ok(Heard {
            hint: may_concern_a_sheet(&call.body),
            ..Heard::default()
        })
    }
}

/// Whether a call may be about a file or a table. A cloud calls for calendars as well; where a file
/// lies for whom it calls for is not where it lies for us, so every file may be ours.
fn may_concern_a_sheet(body: &[u8]) -> bool {
    match serde_json::from_slice(body) {
        Ok(Told { event }) => event.class.is_empty() || event.class.contains("\\Files\\"),
        Err(_) => true,
    }
}
