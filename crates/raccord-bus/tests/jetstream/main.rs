//! The log in a cluster, against real servers.

#![allow(clippy::unwrap_used, reason = "tests")]

mod conformance;
mod doors;
mod faults;
mod forgetting;
mod moving;
mod nodes;
mod world;
mod writers;
