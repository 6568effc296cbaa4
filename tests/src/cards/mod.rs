//! Volunteers with cards: what is proven of credits with the whole program.
//!
//! Lespass and Fedow are played after their source by the stand-in of the connector, in this process:
//! they live on when the program is killed, and lose answers, fail half-way and die by themselves.

mod played;
mod torture;

use std::collections::BTreeMap;

use anyhow::Result;

pub use played::Played;
pub use torture::{Report, run as torture};

use crate::sheet::Dice;

/// Where credits go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum System {
    /// Wallets of TiBillet, through a Lespass that is played.
    Lespass,
    /// Raccord's own ledger.
    Ledger,
}

/// A tool that holds people's credits, as they see it, and as its network and machine treat it.
pub trait Cards {
    /// Its section of the settings.
    fn settings(&self) -> String;

    /// What each address holds; nothing where the ledger itself is the tool.
    fn balances(&self) -> Option<BTreeMap<String, i64>>;

    /// How often the grant with this key was credited.
    fn times(&self, key: &str) -> usize;

    /// A person credits somebody by hand, or takes credits away.
    fn by_hand(&self, key: Option<&str>, email: &str, amount: i64);

    /// One thing goes wrong, at random; says which. It has passed when [`Cards::calm`] returns.
    fn trouble(&self, dice: &mut Dice) -> &'static str;

    /// Whatever went wrong is over.
    fn calm(&self);

    /// How often Raccord asked for credits so far.
    fn asked(&self) -> usize;
}

impl System {
    /// Opens one.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn open(self) -> Result<Box<dyn Cards>> {
        Ok(match self {
            Self::Lespass => Box::new(Played::open()?),
            Self::Ledger => Box::new(Own),
        })
    }
}

/// Raccord's own ledger: there is nothing to call.
struct Own;

impl Cards for Own {
    fn settings(&self) -> String {
        "kind = \"cashless\"\nsystem = \"ledger\"\n".to_owned()
    }

    fn balances(&self) -> Option<BTreeMap<String, i64>> {
        None
    }

    fn times(&self, _: &str) -> usize {
        0
    }

    fn by_hand(&self, _: Option<&str>, _: &str, _: i64) {}

    fn trouble(&self, _: &mut Dice) -> &'static str {
        "nothing"
    }

    fn calm(&self) {}

    fn asked(&self) -> usize {
        0
    }
}
