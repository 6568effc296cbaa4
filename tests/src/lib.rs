//! End-to-end: the whole program, as its users run it, against receivers that misbehave.
//!
//! Nothing here knows how the program works inside: it starts the binary, edits files, listens on
//! a port, and reads what came out.

pub mod caldav;
pub mod cards;
pub mod cost;
pub mod ethercalc;
pub mod faults;
pub mod letters;
pub mod mails;
pub mod many;
pub mod phone;
pub mod place;
pub mod played;
pub mod process;
pub mod proxy;
pub mod receiver;
pub mod registers;
pub mod restore;
pub mod rooms;
pub mod rush;
pub mod sheet;
pub mod shown;
pub mod sites;
pub mod smtp;
pub mod synapse;
pub mod torture;
pub mod visitor;
pub mod wire;
pub mod working;
