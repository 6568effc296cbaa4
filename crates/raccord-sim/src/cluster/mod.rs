//! A cluster in one thread: the real log, nodes and engine on several machines, against a model of
//! JetStream that loses, delays and repeats.
//!
//! A story is a list of acts drawn from a seed; the network, the tools and the order in which the
//! processes go on are drawn from the same seed, on a virtual clock, so the same seed is the same
//! run. Laws are read from the servers' streams and from what the tools received.

mod answers;
pub mod fiber;
pub mod laws;
pub mod link;
pub mod run;
pub mod servers;
pub mod shell;
pub mod still;
pub mod story;
pub mod tools;
pub mod world;

use std::collections::BTreeMap;

pub use run::play;

/// The place all work for.
pub const PLACE: &str = "sim";

/// Faults of what the program puts around the log, which the laws must find as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShellFault {
    /// A post is confirmed before the log has accepted its commit.
    ActBeforeAccepted,
}

/// What came of a story.
#[derive(Debug)]
pub struct Played {
    /// The law that was broken first.
    pub broken: Option<String>,
    /// How often what happened.
    pub counts: BTreeMap<&'static str, u64>,
    /// What happened, where somebody reads.
    pub told: Vec<String>,
    /// A digest of all that happened.
    pub trace: u64,
    /// How long it took, by its own clock.
    pub seconds: u64,
}
