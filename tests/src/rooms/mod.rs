//! Rooms of a chat, with people in them, and what is proven there with the whole program.
//!
//! Mattermost and Rocket.Chat are played after their source by the stand-ins of their connectors; Matrix
//! is a real Synapse.

mod load;
mod matrix;
mod outage;
mod played;
mod torture;

use anyhow::Result;
use jiff::Timestamp;

pub use load::{Load, load};
pub use outage::{Gap, away_for_a_day};
pub use played::{Played, Tool};
pub use torture::{Held, Report, run as torture};

use crate::sheet::Dice;

/// A chat that is spoken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// Its stand-in.
    Mattermost,
    /// Its stand-in.
    Rocketchat,
    /// A real Synapse.
    Matrix,
}

impl Kind {
    /// Opens one, with a room in which Raccord and one person are.
    ///
    /// # Errors
    /// When its server does not start.
    pub fn open(self, now: Timestamp) -> Result<Box<dyn Chat>> {
        Ok(match self {
            Self::Mattermost => Box::new(Played::open(Tool::Mattermost, now)?),
            Self::Rocketchat => Box::new(Played::open(Tool::RocketChat, now)?),
            Self::Matrix => Box::new(matrix::Matrix::open()?),
        })
    }
}

/// A message that stands in the room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The chat's id of it.
    pub id: String,
    /// Whether Raccord said it.
    pub ours: bool,
    /// Its words as they are now.
    pub text: String,
    /// The message that begins its thread, where it is in one.
    pub thread: Option<String>,
}

/// A chat with one room, as the person in it sees it, and as its network and machine treat it.
pub trait Chat {
    /// Its sections of the settings, and the route into its room.
    fn settings(&self) -> String;

    /// The room as the settings name it.
    fn room(&self) -> String;

    /// What stands in the room, oldest first.
    ///
    /// # Errors
    /// When the server cannot be asked.
    fn standing(&self) -> Result<Vec<Said>>;

    /// The person says something; gives the message's id.
    ///
    /// # Errors
    /// When the server refuses.
    fn says(&self, text: &str) -> Result<String>;

    /// The person changes what they said.
    ///
    /// # Errors
    /// When the server refuses.
    fn edits(&self, message: &str, text: &str) -> Result<()>;

    /// The person takes it away.
    ///
    /// # Errors
    /// When the server refuses.
    fn deletes(&self, message: &str) -> Result<()>;

    /// It is this hour from now on, where the server's clock can be set.
    fn is_at(&self, now: Timestamp);

    /// One thing goes wrong, at random; says which. It has passed when [`Chat::calm`] returns.
    ///
    /// # Errors
    /// When it cannot be played.
    fn trouble(&mut self, dice: &mut Dice) -> Result<&'static str>;

    /// Whatever went wrong is over.
    ///
    /// # Errors
    /// When the server does not come back.
    fn calm(&mut self) -> Result<()>;

    /// For Raccord the server is gone, for the person it is not; or it is back.
    fn cut_off(&mut self, gone: bool);

    /// How often Raccord asked for something to be said or changed so far.
    fn asked(&self) -> usize;
}
