//! Volunteer credits: who earned how many ([`earned`]), the double-entry ledger ([`Book`]), the
//! chain that shows every change of it ([`verify`]), the root of a month ([`root`]) and receipts
//! that a member can check without anybody ([`Receipt`]).
//!
//! Amounts are whole hundredths, and every sum is checked. No I/O, no clock, no randomness.

mod book;
mod chain;
mod merkle;
mod page;
mod receipt;
mod rules;

pub use book::{Account, Book, BookError, Due, DueKind, Entry, Posting, Work};
pub use chain::{Chain, Fault, START, content, next, verify};
pub use merkle::{leaf, path, proves, root};
pub use page::{page, square};
pub use receipt::{Proof, Receipt, ReceiptError, Signer, public_key, short};
pub use rules::{Ceiling, Took, earned};
