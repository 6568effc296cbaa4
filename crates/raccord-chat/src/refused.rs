//! A token that was refused is not shown again for a while: a backlog of messages would show it once
//! each.

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use raccord_model::Digest;
use secrecy::{ExposeSecret as _, SecretString};

/// A refused token is shown again after this long only: it may have been right all along. Another one
/// is shown at once.
const WHILE: SignedDuration = SignedDuration::from_mins(30);

/// The token that was refused last.
#[derive(Debug, Default)]
pub struct Refused(Mutex<Option<(Digest, Timestamp)>>);

impl Refused {
    /// Whether `token` was refused a short while ago.
    pub fn was(&self, token: &SecretString, now: Timestamp) -> bool {
        let known = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.is_some_and(|(known, at)| known == of(token) && now.duration_since(at) < WHILE)
    }

    /// `token` was refused.
    pub fn note(&self, token: &SecretString, now: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((of(token), now));
    }
}

fn of(token: &SecretString) -> Digest {
    Digest::of(token.expose_secret().as_bytes())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use raccord_kit::testing::NOON;

    #[test]
    fn s05_a_refused_token_rests_and_another_does_not() {
        let (refused, token) = (Refused::default(), SecretString::from("a"));
        assert!(!refused.was(&token, NOON));
        refused.note(&token, NOON);
        assert!(refused.was(&token, NOON));
        assert!(!refused.was(&SecretString::from("b"), NOON));
        let later = NOON.checked_add(WHILE).unwrap();
        assert!(!refused.was(&token, later));
    }
}
