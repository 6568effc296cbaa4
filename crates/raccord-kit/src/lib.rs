//! What a connector author imports: the verbs, the HTTP client with its limits, secrets, atomic
//! files, and (behind the feature `testing`) the scripted stand-in and the conformance tests.
//!
//! Nothing here decides what is sent, when, or how often: that is the engine's.

mod clock;
mod connector;

pub use clock::{Clock, ManualClock, SystemClock};
pub use connector::{BoxFuture, Choice, Connector, Finding, Job, Kit, Level, Sink, Source, Tool};
