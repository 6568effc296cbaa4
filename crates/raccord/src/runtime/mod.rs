//! The place at work: the log's only writer, the lanes that make effects, the sources that are
//! read, one pass or the daemon.
//!
//! Decisions are the engine's. What stands here is order: nothing leaves before it is durable.

mod among;
mod at_work;
mod bundle;
mod clockwork;
mod clusters;
mod commands;
mod compare;
mod daemon;
mod desk;
mod effects;
mod elsewhere;
mod face;
mod figures;
mod guides;
mod hands;
mod home;
mod hooks;
mod ledger;
mod load;
mod local;
mod moving;
mod node;
mod observe;
mod pace;
mod pass;
mod people;
mod places;
mod printed;
mod queries;
mod renderer;
mod retention;
mod running;
mod secrets;
mod sharing;
mod signup;
#[cfg(test)]
mod simulated;
mod socket;
mod sources;
mod stopped;
mod telling;
mod testimony;
mod told;
mod volunteering;
mod wallets;
mod watching;
mod writer;

pub use local::Local;
