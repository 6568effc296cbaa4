//! Plays the engine against simulated tools, and reads the laws from their state.
//!
//! A story is a list of acts drawn from a seed: people edit a sheet, programs post, tools answer,
//! lose answers, act late or not at all, the process dies between two commits, the log goes back
//! in time. Afterwards everything heals, and what the tools hold must be what was written: nothing
//! lost, nothing twice, the newest revision, unknowns held or settled rightly. The engine's own
//! state is no witness. A story that breaks a law is shrunk to a short one.

pub mod act;
pub mod cluster;
pub mod coverage;
pub mod explore;
pub mod laws;
pub mod rng;
pub mod sheet;
pub mod sim;
pub mod story;
pub mod tools;
