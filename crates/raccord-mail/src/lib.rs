#![doc = include_str!("../README.md")]
#![allow(
    clippy::result_large_err,
    reason = "a Failure carries words for people; it is rare, and never on a fast path"
)]

mod address;
mod bytes;
mod letter;
mod post;
mod refusal;
mod server;

pub use address::{Mailbox, NotAMailbox};
pub use letter::{Draft, Letter, Unfit};
pub use post::{Limits, Login, Post, Session};
pub use refusal::Refusal;
pub use server::{Security, Server};
