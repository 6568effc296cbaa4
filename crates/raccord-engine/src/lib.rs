//! The pure state machine that decides: `(state, input, now) -> commit + work due`.
//!
//! No I/O, no clock, no randomness: the hour and the entropy are handed in, rendering is a pure
//! function handed in too. What is decided is recorded as facts ([`Fact`]); folding the facts gives
//! the state again, and decides nothing.

mod answers;
mod asked;
mod codes;
mod commit;
mod credits;
mod deciding;
mod delivery;
mod elsewhere;
mod engine;
mod fact;
#[cfg(not(raccord_faults))]
mod faults;
#[cfg(raccord_faults)]
pub mod faults;
mod flight;
mod fold;
mod guides;
mod hands;
mod hold;
pub mod identity;
mod input;
mod letters;
mod lost;
mod moments;
mod named;
mod notice;
mod observe;
mod offered;
mod orphans;
mod paper;
mod parallel;
mod people;
mod personal;
mod places;
mod plan;
mod posted;
mod preview;
mod publication;
mod recipes;
mod reminders;
mod rest;
mod roll;
mod roster;
mod routing;
mod rules;
mod sayings;
mod signups;
mod state;
mod till;
mod unsent;
mod urgent;
mod vault;
mod volunteering;
mod vouching;
mod why;
mod withdrawn;

pub use commit::{CommitError, decode_commit, encode_commit};
pub use engine::{Engine, Look};
pub use fact::{
    AcceptedLine, Closing, DeliveryRef, Fact, Health, HeldEffect, Hold, HoldKind, OwedFact,
    ReadFact, Said,
};
pub use flight::backoff;
pub use guides::guides;
pub use input::{
    Attested, Choice, Input, Order, Printed, Refusal, Reply, SignUp, Spending, Step, Telling,
    Vouching, Who,
};
pub use letters::{Issue, readers};
pub use lost::sent_to;
pub use offered::offered;
pub use orphans::{Orphans, orphans};
pub use paper::{OUTDATED, Printable, hanging, outdated};
pub use people::{Mentioned, mentions, slots_of};
pub use plan::{Planned, action_of};
pub use preview::noticed_in;
pub use publication::month_key;
pub use rest::{Rest, Standing};
pub use roll::Commitment;
pub use roster::{Sheet, Standpoint};
pub use state::{
    Aim, Aside, Lane, Owed, Progress, Queued, Record, Shown, SinkState, SourceState, Spot, State,
    Target, Told, Waiting,
};
pub use till::undo_until;
pub use vault::{Forgotten, Vault};
pub use volunteering::{Presence, volunteering};
pub use why::{Link as WhyLink, Mention, Say, field_name, value_name, why};
