//! What all chats have in common: what a message says ([`templates`]), how that is written in each
//! tool's markup ([`dialect`]), how it is said once ([`Speaker`]), what is heard ([`heard`]), and
//! how it is heard at once ([`live`]).
//!
//! A connector brings a [`Chat`]: the calls of one tool. It knows no templates and decides nothing;
//! this crate makes no call and knows no tool's wire format.

#![allow(
    clippy::result_large_err,
    reason = "a Failure carries words for people; it is rare, and never on a fast path"
)]

mod alone;
mod approver;
pub mod ask;
pub mod called;
mod chat;
mod deeds;
pub mod dialect;
mod fit;
pub mod heard;
pub mod helpers;
pub mod live;
mod message;
mod reached;
pub mod reaction;
pub mod rich;
mod speaker;
pub mod templates;
#[cfg(feature = "testing")]
pub mod testing;
pub mod view;
mod words;

pub use alone::unreachable;
pub use approver::no_approver;
pub use chat::{Chat, Edited, Posted, REFUSED, Sought};
pub use fit::{Limit, Unit, fit};
pub use message::{Key, Kind, Outgoing, Written};
pub use reached::{Reached, Rooms};
pub use speaker::{Manner, Speaker, handles};
