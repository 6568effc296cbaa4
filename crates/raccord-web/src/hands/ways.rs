//! How somebody is told: what the page on which they choose it shows.

use serde::{Deserialize, Serialize};

/// How the visitor is told, and what they can choose.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Ways {
    /// The ways this place serves: `mail`, `chat`, `sms`.
    pub served: Vec<String>,
    /// The one they chose, `nothing`, or empty where they did not choose.
    pub told: String,
    /// Whether it is known who they are in a chat.
    pub account: bool,
    /// The code to say there, where one was just drawn.
    pub code: String,
    /// The last digits of their number; empty where they have none.
    pub number: String,
    /// A number that waits for its code.
    pub proof: Option<Unproved>,
    /// What they like, where missing hands are told once a week.
    pub likes: Option<Likes>,
    /// Whether they are reminded the day before.
    pub reminded: bool,
}

/// The kinds of work somebody wants to hear of.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Likes {
    /// All of them.
    pub all: bool,
    /// The kinds there are, and whether they like each.
    pub kinds: Vec<(String, bool)>,
}

/// A number to which a code was sent.
#[derive(Clone, Serialize, Deserialize)]
pub struct Unproved {
    /// Its last digits.
    pub number: String,
    /// The number and its code, sealed.
    pub sealed: String,
}

impl std::fmt::Debug for Unproved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Unproved(..)")
    }
}

impl Ways {
    pub(super) fn serves(&self, way: &str) -> bool {
        self.served.iter().any(|known| known == way)
    }

    /// Whether the way they chose can reach them: an account, an address, a number.
    pub(super) fn is_reached(&self) -> bool {
        match self.told.as_str() {
            "chat" => self.account,
            "sms" => self.serves("sms") && !self.number.is_empty(),
            "mail" => self.serves("mail"),
            _ => true,
        }
    }
}
