//! Signatures as Standard Webhooks say: `v1,` and the base64 of HMAC-SHA256 over
//! `<id>.<timestamp>.<body>`, with the bytes behind `whsec_` as the key. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use hmac::{Hmac, Mac as _};
use raccord_model::{Blame, Failure, Words};
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use sha2::Sha256;

/// The fewest bytes the standard recommends.
const SHORT: usize = 24;

/// What signs.
pub(crate) struct Key(SecretSlice<u8>);

impl Key {
    /// Reads the `whsec_` form; `key` names where it was written.
    pub(crate) fn parse(secret: &SecretString, key: &str) -> Result<Self, Failure> {
        let bytes = secret
            .expose_secret()
            .trim()
            .strip_prefix("whsec_")
            .and_then(|text| {
                let text = text.trim_end_matches('=');
                STANDARD_NO_PAD.decode(text).ok()
            })
            .filter(|bytes| !bytes.is_empty());
        bytes.map(|bytes| Self(bytes.into())).ok_or_else(|| {
            Failure::new(
                Blame::Access,
                "webhook.secret",
                Words::new(
                    format!("« {key} » ne contient pas un secret de la forme whsec_…"),
                    format!("“{key}” does not hold a secret of the form whsec_…"),
                ),
                how_to_make_one(),
            )
        })
    }

    /// Whether it is shorter than the standard recommends.
    pub(crate) fn is_short(&self) -> bool {
        self.0.expose_secret().len() < SHORT
    }

    /// The value of `webhook-signature`; `at` in seconds since 1970.
    pub(crate) fn sign(&self, id: &str, at: i64, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose_secret())
            .expect("HMAC takes a key of any length");
        mac.update(id.as_bytes());
        mac.update(b".");
        mac.update(at.to_string().as_bytes());
        mac.update(b".");
        mac.update(body);
        let mut signature = String::with_capacity(48);
        signature.push_str("v1,");
        STANDARD.encode_string(mac.finalize().into_bytes(), &mut signature);
        signature
    }
}

/// How a sysadmin makes a good secret.
pub(crate) fn how_to_make_one() -> Words {
    let command = "echo whsec_$(head -c 32 /dev/urandom | base64)";
    Words::new(
        format!("Pour en fabriquer un, tapez : {command}"),
        format!("To make one, type: {command}"),
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn key(text: &str) -> Result<Key, Failure> {
        Key::parse(&text.to_owned().into(), "secret_file")
    }

    #[test]
    fn the_example_of_the_standard_gives_the_signature_of_the_standard() {
        let key = key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = key.sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn our_signatures_are_those_of_the_reference_library() {
        for secret in [
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_c2VjcmV0",
            "whsec_AA==",
        ] {
            let reference = standardwebhooks::Webhook::new(secret).unwrap();
            for (id, at, body) in [
                ("0197", 0, &b""[..]),
                ("msg_1", 1_798_876_800, b"{\"title\":\"Caf\xc3\xa9\"}"),
                ("a.b", -1, b"line\nline"),
            ] {
                assert_eq!(
                    key(secret).unwrap().sign(id, at, body),
                    reference.sign(id, at, body).unwrap()
                );
            }
        }
    }

    #[test]
    fn b11_what_is_no_secret_is_refused_by_its_key_and_not_shown() {
        for bad in [
            "",
            "canary",
            "whsec_",
            "whsec_can ary",
            "whsk_Y2FuYXJ5",
            "whsec_é",
        ] {
            let failure = key(bad).err().unwrap();
            assert_eq!(failure.blame, Blame::Access, "{bad}");
            assert!(failure.text.fr.contains("secret_file"));
            assert!(!format!("{failure:?}").contains("canary"), "{bad}");
        }
        assert!(key("whsec_c2VjcmV0").unwrap().is_short());
        assert!(
            !key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
                .unwrap()
                .is_short()
        );
        assert!(key("  whsec_c2VjcmV0 ").is_ok());
    }
}
