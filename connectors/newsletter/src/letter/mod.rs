//! What a letter says: the programme of a week or a month as a mail, twice, as HTML and as text. Pure.
//!
//! The HTML comes from MJML; the text is written from the activities, not from the HTML. Every value
//! is escaped for where it stands, so that a cell of a sheet stays words whatever it holds.

mod period;
mod templates;
mod view;
mod words;

pub(crate) use period::Period;
pub(crate) use templates::{Templates, Unfit};
pub(crate) use view::{Links, sample, view};
pub(crate) use words::confirmation;

/// Where a reader's own address to leave is put in: an address that leads nowhere.
pub(crate) const LEAVE: &str = "https://leave.invalid/";

/// The most bytes of the HTML: a large webmail cuts what is longer (at 102 kB), and with it the link to
/// leave.
pub(crate) const LARGEST: usize = 100_000;

/// A letter as it is written, before it has a sender and readers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    /// In one line.
    pub(crate) subject: String,
    /// For clients that show HTML.
    pub(crate) html: String,
    /// For all others.
    pub(crate) text: String,
}
