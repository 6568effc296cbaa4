//! Prints the month's programme: one PDF per month in a folder, to pin up and to pass around.
//!
//! It shows what everyone may see: no internal activity, no draft, no cancelled one, no contact.
//! The page itself is laid out by a Typst template in a short-lived child of the program, so that
//! neither its memory nor a template's mistakes stay with the daemon. The file of a month is either
//! the old one or the new one; a month without public activities has none.

mod child;
mod cut;
mod document;
mod edition;
mod failures;
mod hands;
mod item;
mod logo;
mod month;
mod qr;
mod settings;
mod since;
mod sink;
mod template;
mod trial;
mod typography;
mod words;

use raccord_kit::Connector;

/// The connector, for the program's table.
pub const CONNECTOR: Connector = Connector {
    kind: "programme",
    version: env!("CARGO_PKG_VERSION"),
    card: include_str!("../connector.toml"),
    settings: raccord_kit::settings::Shape::of::<settings::Settings>(),
    build: sink::build,
};
