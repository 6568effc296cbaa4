//! What went into somebody's wallet, or out of it.

use jiff::Timestamp;

use crate::Words;

/// What went into somebody's wallet, or out of it, as the tool that keeps the wallet tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    /// When; nothing where the tool tells no hour that can be read.
    pub at: Option<Timestamp>,
    /// Hundredths; below zero for what went out.
    pub amount: i64,
    /// What it was.
    pub what: Words,
}
