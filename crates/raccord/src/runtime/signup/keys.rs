//! What is secret about signing in: links, cookies, codes, addresses of calendars.
//!
//! One key for each place is drawn once and kept with its log. A link holds the address it was sent
//! to, sealed with it, so that nothing of somebody is kept before they showed that the address is
//! theirs. A cookie is a random number, of which only the digest is kept.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use raccord_model::{Digest, EntityId, Lang, PlaceId};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::ways::Waiting;

/// What is typed by people is made of: nothing that looks like something else (Crockford's base 32).
const SIGNS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The most signs of what was typed that are compared.
const LONGEST: usize = 20;

/// The key of a place.
pub(crate) struct Key {
    seal: LessSafeKey,
    sign: hmac::Key,
    place: PlaceId,
}

/// What a link holds.
#[derive(Serialize, Deserialize)]
pub(super) struct Link {
    pub(super) email: String,
    /// In seconds since 1970.
    pub(super) until: i64,
    pub(super) lang: Lang,
    /// Where to go once signed in.
    pub(super) back: String,
}

/// What somebody's code at the door holds: good for this sign-up alone, until then.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Code {
    pub(super) registration: EntityId,
    pub(super) turn: u64,
    pub(super) until: i64,
}

/// Bytes nobody can guess.
pub(super) fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the system gives randomness");
    bytes
}

/// A text for a secret of so many bytes.
pub(super) fn text(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

/// What people type of a secret: forty bits, which nobody guesses within the forms a session may
/// send, in two halves.
pub(super) fn typed(secret: &[u8]) -> String {
    let signs = secret.iter().take(8);
    let signs = signs.map(|byte| char::from(SIGNS[usize::from(byte % 32)]));
    let mut typed: String = signs.collect();
    typed.insert(4, '-');
    typed
}

/// What was typed as it is compared: people leave signs out, and take letters for digits.
pub(super) fn plain(typed: &str) -> String {
    let signs = typed.chars().filter(char::is_ascii_alphanumeric);
    let signs = signs.map(|sign| match sign.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    });
    signs.take(LONGEST).collect()
}

/// The digest under which a secret is known.
pub(super) fn digest(secret: &str) -> String {
    Digest::of(format!("raccord session\0{secret}").as_bytes()).to_string()
}

impl Key {
    /// The key made of a place's secret.
    pub(super) fn of(secret: &[u8], place: &PlaceId) -> Option<Self> {
        let root = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let seal = hmac::sign(&root, b"seal");
        let sign = hmac::sign(&root, b"sign");
        let seal = UnboundKey::new(&CHACHA20_POLY1305, seal.as_ref()).ok()?;
        Some(Self {
            seal: LessSafeKey::new(seal),
            sign: hmac::Key::new(hmac::HMAC_SHA256, sign.as_ref()),
            place: place.clone(),
        })
    }

    /// Seals a link's content.
    pub(super) fn seal(&self, link: &Link) -> Option<String> {
        self.sealed(self.place.as_str(), link)
    }

    /// Opens it again; nothing where it was not sealed here.
    pub(super) fn open(&self, sealed: &str) -> Option<Link> {
        self.opened(self.place.as_str(), sealed)
    }

    /// Seals a number that waits for its code. It is not opened as anything else.
    pub(super) fn seal_number(&self, waiting: &Waiting) -> Option<String> {
        self.sealed(&self.message("number", ""), waiting)
    }

    /// Opens it again; nothing where it was not sealed here.
    pub(super) fn open_number(&self, sealed: &str) -> Option<Waiting> {
        self.opened(&self.message("number", ""), sealed)
    }

    fn sealed<T: Serialize>(&self, about: &str, value: &T) -> Option<String> {
        let mut bytes = serde_json::to_vec(value).ok()?;
        let mut nonce = [0; NONCE_LEN];
        nonce.copy_from_slice(&random()[..NONCE_LEN]);
        let unique = Nonce::assume_unique_for_key(nonce);
        let about = Aad::from(about.as_bytes());
        self.seal
            .seal_in_place_append_tag(unique, about, &mut bytes)
            .ok()?;
        Some(text(&[&nonce[..], &bytes].concat()))
    }

    fn opened<T: DeserializeOwned>(&self, about: &str, sealed: &str) -> Option<T> {
        let bytes = BASE64.decode(sealed).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let about = Aad::from(about.as_bytes());
        let mut sealed = sealed.to_vec();
        let opened = self.seal.open_in_place(nonce, about, &mut sealed).ok()?;
        serde_json::from_slice(opened).ok()
    }

    /// What the forms of a session carry.
    pub(super) fn form(&self, session: &str) -> String {
        self.signed("form", session)
    }

    /// Whether a form carries it.
    pub(super) fn is_form(&self, session: &str, given: &str) -> bool {
        self.is_signed("form", session, given)
    }

    /// The text of a code.
    pub(super) fn code(&self, code: &Code) -> String {
        let Code {
            registration,
            turn,
            until,
        } = code;
        let said = format!("{registration}.{turn}.{until}");
        format!("{said}.{}", self.signed("code", &said))
    }

    /// Reads one; nothing where it was not made here.
    pub(super) fn read_code(&self, text: &str) -> Option<Code> {
        let (said, given) = text.rsplit_once('.')?;
        if !self.is_signed("code", said, given) {
            return None;
        }
        let mut parts = said.split('.');
        let mut next = || parts.next();
        Some(Code {
            registration: next()?.parse().ok()?,
            turn: next()?.parse().ok()?,
            until: next()?.parse().ok()?,
        })
    }

    /// The number of somebody's card, as people type it: forty bits that nobody can guess.
    pub(super) fn card(&self, person: EntityId) -> String {
        let signed = hmac::sign(
            &self.sign,
            self.message("card", &person.to_string()).as_bytes(),
        );
        typed(signed.as_ref())
    }

    /// The same card as a telephone reads it: whose it is, signed.
    pub(super) fn signed_card(&self, person: EntityId) -> String {
        let said = person.to_string();
        format!("{said}.{}", self.signed("card code", &said))
    }

    /// Whose card it is; nothing where it was not made here.
    pub(super) fn read_card(&self, text: &str) -> Option<EntityId> {
        let (said, given) = text.rsplit_once('.')?;
        self.is_signed("card code", said, given)
            .then(|| said.parse().ok())?
    }

    /// The name of somebody's calendar, in its so-manieth edition.
    pub(super) fn calendar(&self, person: EntityId, edition: u32) -> String {
        let said = format!("{person}.{edition}");
        format!("{said}.{}", self.signed("calendar", &said))
    }

    /// Whose calendar it is, and in which edition.
    pub(super) fn read_calendar(&self, text: &str) -> Option<(EntityId, u32)> {
        let (said, given) = text.rsplit_once('.')?;
        if !self.is_signed("calendar", said, given) {
            return None;
        }
        let (person, edition) = said.split_once('.')?;
        Some((person.parse().ok()?, edition.parse().ok()?))
    }

    fn signed(&self, what: &str, said: &str) -> String {
        text(hmac::sign(&self.sign, self.message(what, said).as_bytes()).as_ref())
    }

    /// In constant time.
    fn is_signed(&self, what: &str, said: &str, given: &str) -> bool {
        let Ok(given) = BASE64.decode(given) else {
            return false;
        };
        hmac::verify(&self.sign, self.message(what, said).as_bytes(), &given).is_ok()
    }

    fn message(&self, what: &str, said: &str) -> String {
        format!("{what}\0{}\0{said}", self.place)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn key(secret: &[u8], place: &str) -> Key {
        Key::of(secret, &place.parse().unwrap()).unwrap()
    }

    #[test]
    fn a_link_tells_nothing_and_opens_at_its_own_place_only() {
        let key = key(b"secret", "lieu");
        let link = Link {
            email: "ana@example.org".to_owned(),
            until: 10,
            lang: Lang::Fr,
            back: String::new(),
        };
        let sealed = key.seal(&link).unwrap();
        assert_ne!(sealed, key.seal(&link).unwrap(), "no two are alike");
        assert_eq!(key.open(&sealed).unwrap().email, link.email);
        assert!(super::tests::key(b"other", "lieu").open(&sealed).is_none());
        assert!(
            super::tests::key(b"secret", "ailleurs")
                .open(&sealed)
                .is_none()
        );
        for at in 0..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(key.open(&changed).is_none(), "{at}");
        }
        for wrong in ["", "a", "====", &"A".repeat(500)] {
            assert!(key.open(wrong).is_none());
        }
        // A link is good once: there must be one way only to write it.
        let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        for last in digits {
            let mut changed = sealed.clone().into_bytes();
            *changed.last_mut().unwrap() = *last;
            let changed = String::from_utf8(changed).unwrap();
            assert!(changed == sealed || key.open(&changed).is_none(), "{last}");
        }
    }

    #[test]
    fn a_code_cannot_be_forged_nor_used_for_anything_else() {
        let key = key(b"secret", "lieu");
        let code = Code {
            registration: EntityId::derive(&[b"a"]),
            turn: 3,
            until: 10,
        };
        let text = key.code(&code);
        assert_eq!(key.read_code(&text), Some(code));
        assert_eq!(super::tests::key(b"other", "lieu").read_code(&text), None);
        assert_eq!(key.read_code(&text.replacen(".3.", ".4.", 1)), None);
        assert_eq!(key.read_code(&text.replacen(".10.", ".99.", 1)), None);
        assert!(key.read_calendar(&text).is_none());
        assert!(
            key.read_code(&key.calendar(EntityId::derive(&[b"a"]), 3))
                .is_none()
        );
        for wrong in ["", ".", "a.b.c.d", "..."] {
            assert_eq!(key.read_code(wrong), None);
        }
    }

    #[test]
    fn a_form_is_of_one_session() {
        let key = key(b"secret", "lieu");
        let form = key.form("session");
        assert!(key.is_form("session", &form));
        assert!(!key.is_form("other", &form));
        assert!(!key.is_form("session", ""));
    }
}
