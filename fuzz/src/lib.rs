//! What must hold of everything that reads what others wrote, whatever the bytes: it ends, within
//! its limits, without a panic, in something that holds together or in an error that says what
//! to do.
//!
//! `cargo fuzz` looks for bytes where it does not (see `docs/fuzzing.md`); every test run plays
//! what is kept in `corpus/` again.

#![allow(
    clippy::expect_used,
    reason = "the panic is what a fuzzer looks for; what is of our own making here cannot fail"
)]

mod cell;
mod config;
mod dav;
mod entry;
mod event;
mod sheet;

pub use cell::cell;
pub use config::config;
pub use dav::dav;
pub use entry::entry;
pub use event::event;
pub use sheet::sheet;
