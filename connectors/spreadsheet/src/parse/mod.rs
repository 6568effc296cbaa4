//! What people write in a cell, read without guessing: dates, hours, numbers.
//!
//! Pure functions from text to a meaning or to the reason why there is none. They know no sheet,
//! no column and no language of messages.

pub(crate) mod date;
pub(crate) mod hands;
pub(crate) mod hour;
pub(crate) mod number;
