//! What a connector author imports: the verbs, the HTTP client with its limits, secrets, settings,
//! atomic files, and (behind the feature `testing`) the scripted stand-in and the conformance
//! tests.
//!
//! Nothing here decides what is sent, when, or how often: that is the engine's.

#![allow(
    clippy::result_large_err,
    reason = "a Failure carries words for people; it is rare, and never on a fast path"
)]

mod clock;
#[cfg(feature = "testing")]
pub mod conformance;
mod connector;
pub mod files;
pub mod folded;
pub mod hook;
pub mod http;
mod learnt;
mod notice;
pub mod rate;
pub mod secret;
pub mod settings;
#[cfg(feature = "testing")]
pub mod standin;
#[cfg(feature = "testing")]
pub mod testing;

pub use clock::{Clock, ManualClock, SystemClock};
pub use connector::{
    BoxFuture, Build, Choice, Connector, Entry, Finding, Job, Kit, Level, Made, Numbers, Proof,
    Shared, SignIn, Sink, Source, Subscribing, Till, Titles, Tool, Welcome,
};
pub use learnt::Learnt;
pub use notice::notice;
