//! A Mattermost that behaves as its source says (10.7 and 11.x), surprises included, and what tests
//! do with it.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "tests use what they need of it"
)]

pub(crate) mod mentions;
pub(crate) mod posts;
pub(crate) mod quirks;
pub(crate) mod server;
