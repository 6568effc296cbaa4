//! A secret that was refused is not shown again for a while: a backlog would show it once for each
//! effect, and some tools lock everybody out after a few refusals.

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use raccord_model::Digest;
use secrecy::{ExposeSecret as _, SecretString};

/// What was learnt of a secret last, as long as that is believed; nothing is known of another one.
#[derive(Debug)]
pub struct Learnt {
    last: Mutex<Option<(Digest, Timestamp)>>,
    believed: SignedDuration,
}

impl Learnt {
    /// Nothing yet; what is learnt is believed for so long.
    pub const fn believed(believed: SignedDuration) -> Self {
        Self {
            last: Mutex::new(None),
            believed,
        }
    }

    /// Whether it was learnt of `secret`, and is believed still.
    pub fn was(&self, secret: &SecretString, now: Timestamp) -> bool {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_some_and(|(known, at)| {
            known == of(secret) && now.duration_since(at) < self.believed
        })
    }

    /// It is learnt of `secret`.
    pub fn note(&self, secret: &SecretString, now: Timestamp) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((of(secret), now));
    }
}

fn of(secret: &SecretString) -> Digest {
    Digest::of(secret.expose_secret().as_bytes())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const WHILE: SignedDuration = SignedDuration::from_mins(30);

    #[test]
    fn s05_a_refused_token_rests_and_another_does_not() {
        let now = Timestamp::UNIX_EPOCH;
        let (refused, token) = (Learnt::believed(WHILE), SecretString::from("a"));
        assert!(!refused.was(&token, now));
        refused.note(&token, now);
        assert!(refused.was(&token, now));
        assert!(!refused.was(&SecretString::from("b"), now));
        let later = now.checked_add(WHILE).unwrap();
        assert!(!refused.was(&token, later));
    }
}
