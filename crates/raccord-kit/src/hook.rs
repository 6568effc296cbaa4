//! A tool that calls us, at `POST /hooks/<connector>`: its own webhook, an outgoing message, a slash
//! command.
//!
//! The program takes the call in, within limits, and asks the connector what it means. It then makes
//! what was said durable, reads the source where that was hinted, and answers: always a small JSON
//! text, for some tools take an empty one for a failure. The connector waits for nothing here.

use raccord_model::{Call, Change, Digest, Words};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use subtle::ConstantTimeEq as _;

/// The half of a connector that its tool calls. A tool has one only where a secret for it is set:
/// without, nobody is let in.
pub trait Hook: Send + Sync {
    /// What a call means: first whether the tool made it, by its signature or secret compared in
    /// constant time ([`is_secret`]), then what it says. Pure, but for reading the secret: it asks
    /// nobody, and the time is the call's own ([`Call::at`]).
    ///
    /// The same call may come again, minutes or days later: a hint is harmless, and each change has
    /// an id that its repeat has too.
    ///
    /// # Errors
    /// Why it is not taken.
    fn hear(&self, call: &Call) -> Result<Heard, Unheard>;
}

/// What a call means.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heard {
    /// Something changed there: the source is read now instead of in a while. It is never read more
    /// often than every two seconds for that, and not at all while it has to be left alone.
    pub hint: bool,
    /// What the call itself tells, oldest first. It is durable before the answer; its sender is the
    /// connector, whatever stands in it.
    pub changes: Vec<Change>,
    /// What the tool is answered, within two seconds: a reply that it shows, as it wants it. What
    /// takes longer is acknowledged here and follows as an effect.
    pub answer: Option<Value>,
}

impl Heard {
    /// Something changed there, and nothing more is known.
    pub fn hint() -> Self {
        Self {
            hint: true,
            ..Self::default()
        }
    }
}

/// Why a call is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unheard {
    /// The tool did not make it, or nobody can tell: answered 401, and nothing more is said.
    Forged,
    /// The tool made it, and it cannot be understood: answered 422 with the reason.
    Unfit(Words),
}

/// Whether `given` is the secret, in a time that tells nothing of either.
pub fn is_secret(given: &str, secret: &SecretString) -> bool {
    let digest = |text: &str| Digest::of(text.as_bytes()).0;
    digest(given).ct_eq(&digest(secret.expose_secret())).into()
}

/// What stands behind `Bearer` in the header of a call, where there is exactly one.
pub fn bearer(call: &Call) -> Option<&str> {
    let (scheme, token) = call.header("authorization")?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim())
        .filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::NOON;

    fn call(headers: &[&str]) -> Call {
        let header = |value: &&str| ("authorization".to_owned(), (*value).to_owned());
        Call {
            at: NOON,
            query: String::new(),
            headers: headers.iter().map(header).collect(),
            body: Vec::new(),
        }
    }

    #[test]
    fn p06_only_the_very_secret_is_it() {
        let secret = SecretString::from("s3cret");
        assert!(is_secret("s3cret", &secret));
        for wrong in ["", "s3cre", "s3crett", "S3cret", "s3cret\n"] {
            assert!(!is_secret(wrong, &secret), "{wrong:?}");
        }
    }

    #[test]
    fn p06_the_header_is_read_strictly() {
        assert_eq!(bearer(&call(&["bearer  abc "])), Some("abc"));
        for wrong in [
            &["Basic abc"][..],
            &["Bearer"],
            &["Bearer "],
            &["Bearerabc"],
            &[],
            &["Bearer a", "Bearer a"],
        ] {
            assert_eq!(bearer(&call(wrong)), None, "{wrong:?}");
        }
    }
}
