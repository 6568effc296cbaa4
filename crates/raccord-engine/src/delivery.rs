//! Deliveries: what is owed to tools, when it is tried, and what an outcome means.
//!
//! A delivery is owed (`review`), started in its lane when nothing forbids it (`schedule`), and
//! ended or put back by what came of it (`outcome`). None of them knows what a tool is.

mod lost;
mod moved;
mod outcome;
mod review;
mod schedule;
mod wish;

pub(crate) use schedule::{action, needless};
pub(crate) use wish::{Wish, grace};
