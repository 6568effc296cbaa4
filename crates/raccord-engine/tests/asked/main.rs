//! What people ask to be done in a chat, and what they are told there alone.

#![allow(clippy::unwrap_used, reason = "tests")]

mod known;
mod liked;
mod play;
mod reactions;
mod signing;
mod told;
