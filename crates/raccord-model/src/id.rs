//! Names: of places and connectors (chosen by people), of entities, events, deliveries and holds
//! (derived, so that what is decided again from the same facts has the same name).

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The namespace of everything Raccord derives (a UUID v4 drawn once, for good).
const RACCORD: Uuid = Uuid::from_u128(0x6f0c_37c1_83a9_4d0e_9b5e_3c6f_21d7_a4b8);

/// A name derived from `parts`: UUID v5 over the parts, each preceded by its length, so that
/// `["ab", "c"]` and `["a", "bc"]` differ.
pub fn derive(parts: &[&[u8]]) -> Uuid {
    let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len() + 4).sum());
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u32).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    Uuid::new_v5(&RACCORD, &bytes)
}

macro_rules! derived_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Derives the id from `parts` (see [`derive()`]).
            pub fn derive(parts: &[&[u8]]) -> Self {
                Self(derive(parts))
            }
            /// Takes an id made elsewhere (read from a log or from a command line).
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }
            /// The sixteen bytes of the id.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::from_str(text).map(Self)
            }
        }
    };
}

derived_id!(
    /// An entity: an activity, a task, a person ...
    EntityId
);
derived_id!(
    /// An event: one change of one entity. Also the `webhook-id` of its deliveries.
    EventId
);
derived_id!(
    /// A delivery: one effect owed to one tool.
    DeliveryId
);
derived_id!(
    /// A hold: changes that wait for a person's yes.
    HoldId
);

/// Why a name was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a name is 1 to 64 characters of a-z, 0-9 and -, not {found:?}")]
pub struct NameError {
    /// What stood there.
    pub found: String,
}

macro_rules! chosen_name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                text.as_str().parse()
            }
        }
        impl FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                let fits = (1..=64).contains(&text.len())
                    && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
                if fits { Ok(Self(text.into())) } else { Err(NameError { found: text.to_owned() }) }
            }
        }
        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0.as_ref().to_owned()
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    };
}

chosen_name!(
    /// A place: one community, one configuration, one log.
    PlaceId
);
chosen_name!(
    /// A configured connector instance (`members-calendar`).
    ConnectorName
);

/// The first sixteen bytes of a SHA-256: tells contents apart, keeps no secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Digest(pub [u8; 16]);

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        let full = sha2::Sha256::digest(bytes);
        let mut short = [0; 16];
        short.copy_from_slice(&full[..16]);
        Self(short)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl FromStr for Digest {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        let refused = || NameError {
            found: text.to_owned(),
        };
        if text.len() != 32 || !text.is_ascii() {
            return Err(refused());
        }
        let mut bytes = [0; 16];
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte =
                u8::from_str_radix(&text[2 * index..2 * index + 2], 16).map_err(|_| refused())?;
        }
        Ok(Self(bytes))
    }
}
impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        if out.is_human_readable() {
            out.collect_str(self)
        } else {
            self.0.serialize(out)
        }
    }
}
impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        if input.is_human_readable() {
            let text = std::borrow::Cow::<str>::deserialize(input)?;
            text.parse().map_err(serde::de::Error::custom)
        } else {
            <[u8; 16]>::deserialize(input).map(Self)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(derive(&[b"ab", b"c"]), derive(&[b"a", b"bc"]));
    }

    #[test]
    fn a_name_is_short_plain_and_not_empty() {
        assert!("members-calendar".parse::<ConnectorName>().is_ok());
        for wrong in ["", "Members", "a b", "é", "../x"] {
            assert!(wrong.parse::<ConnectorName>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_digest_reads_back() {
        let digest = Digest::of(b"bonjour");
        assert_eq!(digest.to_string().parse::<Digest>(), Ok(digest));
        assert!("zz".parse::<Digest>().is_err());
    }
}
