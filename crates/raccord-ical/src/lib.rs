//! iCalendar (RFC 5545), three things apart: the lines of a text as they stand ([`lines`]), what an
//! entry means ([`entry`]), and the rules of a zone ([`zone`]); what moves with an entry that repeats
//! ([`repeat`]), and the zones that entries bring themselves ([`custom`]).

pub mod custom;
pub mod entry;
pub mod lines;
mod local;
pub mod repeat;
pub mod zone;
