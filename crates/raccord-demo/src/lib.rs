//! A complete place to play with, and the whole story told by itself.
//!
//! The tools of the demo are small real servers on loopback: a calendar, a chat, wallets, a mailbox.
//! Each speaks its tool's own protocol, keeps what it is given and refuses what that tool refuses; the
//! connectors' stand-ins, made from the tools' sources, tell in a test whether they answer alike. They
//! live in the process of `raccord demo`; the daemon beside it is the program as everybody runs it.
//! Nothing here knows how the program works inside.

pub mod calendar;
pub mod chat;
mod daemon;
mod end;
mod error;
pub mod mailbox;
mod page;
mod place;
mod play;
mod story;
mod tools;
mod visitor;
pub mod wallet;
pub mod wire;

pub use daemon::Program;
pub use error::Error;
pub use play::{Playing, play};
pub use story::{Ending, Step, tell};
