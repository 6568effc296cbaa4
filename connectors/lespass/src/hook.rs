//! What Lespass calls to say: its webhook, unsigned, with a form that holds a reservation's name and a
//! state of some moment. It is a hint to read, and a sign that its webhook is on; it must be answered within two seconds
//! with 200, or the webhook switches itself off.

use raccord_kit::hook::{Heard, Hook, Unheard, is_secret};
use raccord_model::Call;

use crate::{Lespass, people};

/// The parameter of our address in which the secret stands: Lespass has no other place for one.
const KEY: &str = "key";

impl Hook for Lespass {
    fn hear(&self, call: &Call) -> Result<Heard, Unheard> {
        let secret = self.hook_secret.as_ref().and_then(|one| one.read().ok());
        match (secret, given(call)) {
            (Some(secret), Some(given)) if is_secret(&given, &secret) => {}
            _ => return Err(Unheard::Forged),
        }
        let hint = !is_membership(&call.body);
        if hint {
            let reservation = named(&call.body).map(|uuid| people::short(&uuid));
            self.memory().calls(call.at, reservation);
        }
        Ok(Heard {
            hint,
            ..Heard::default()
        })
    }
}

/// The reservation that a call is for.
fn named(body: &[u8]) -> Option<String> {
    let mut all = url::form_urlencoded::parse(body);
    let uuid = all.find(|(name, _)| name == "uuid")?.1;
    (uuid.len() <= 64).then(|| uuid.into_owned())
}

/// The secret behind our address, where it stands once.
fn given(call: &Call) -> Option<String> {
    let mut all =
        url::form_urlencoded::parse(call.query.as_bytes()).filter(|(name, _)| name == KEY);
    match (all.next(), all.next()) {
        (Some((_, value)), None) if !value.is_empty() => Some(value.into_owned()),
        _ => None,
    }
}

/// The other webhook tells of members, with much that is nobody's business: it is not read.
fn is_membership(body: &[u8]) -> bool {
    body.first() == Some(&b'{')
}
