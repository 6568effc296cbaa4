//! iCalendar (RFC 5545), three things apart: the lines of a text as they stand ([`lines`]), what an
//! entry means ([`entry`]), and the rules of a zone ([`zone`]); and what moves with an entry that repeats
//! ([`repeat`]).

pub mod entry;
pub mod lines;
pub mod repeat;
pub mod zone;
