#![doc = include_str!("../README.md")]
#![allow(
    clippy::result_large_err,
    reason = "a Failure carries words for people; it is rare, and never on a fast path"
)]

mod account;
mod address;
mod bytes;
mod letter;
mod once;
mod pool;
mod post;
mod refusal;
mod server;
mod sheet;

pub use account::{Account, no_address};
pub use address::{Mailbox, NotAMailbox};
pub use letter::{Draft, Letter, Unfit};
pub use once::{Mine, Once};
pub use pool::Pool;
pub use post::{Limits, Login, Post, Session};
pub use refusal::Refusal;
pub use server::{Security, Server};
pub use sheet::{Sheet, Text};
