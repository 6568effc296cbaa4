//! A Rocket.Chat that behaves as its source says (7.x and 8.x), surprises included, and what tests do
//! with it.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "tests use what they need of it"
)]

pub(crate) mod messages;
pub(crate) mod quirks;
pub(crate) mod server;
