//! Reads what another place of the network shares: the `shared.json` that it publishes at an
//! address (`schemas/shared/v1.json`), or a calendar in iCalendar's form.
//!
//! What comes from there is foreign: it carries the name the settings give that place, never one
//! that the list claims; it is known by that place's own ids, within this instance alone; and it
//! goes to nothing that did not ask for it. The list is anybody's text: its size, its number of
//! activities and the length of each of their words are bounded, no markup is taken for any, and
//! what cannot be understood says nothing about what was understood before.

#![allow(
    clippy::result_large_err,
    reason = "a Failure carries words for people; it is rare, and never on a fast path"
)]

mod activity;
mod calendar;
mod cursor;
mod error;
mod list;
mod settings;
mod source;

use raccord_kit::http::{Http, Target};
use raccord_kit::settings::{Gathered, settings};
use raccord_kit::{Connector, Finding, Kit, Tool};
use raccord_look::clean;
use serde_json::Value;

use settings::Settings;
use source::Neighbour;

/// The connector, for the program's table.
pub const CONNECTOR: Connector = Connector {
    kind: KIND,
    version: env!("CARGO_PKG_VERSION"),
    card: include_str!("../connector.toml"),
    settings: raccord_kit::settings::Shape::of::<Settings>(),
    build,
};

const KIND: &str = "neighbour";

fn build(value: Value, kit: &Kit) -> Result<Box<dyn Tool>, Vec<Finding>> {
    let settings: Settings = settings(value)?;
    let mut wrong = Gathered::default();
    let most = settings.most();
    let name = clean::line(&settings.name.get(), settings::NAME);
    if name.is_empty() {
        wrong.take::<()>("name", Err(error::no_name()));
    }
    let every = settings.every.get();
    if every < settings::LEAST {
        wrong.take::<()>("every", Err(error::too_often()));
    }
    let target = wrong.take("url", Target::configured("url", &settings.url.get()));
    let http = wrong.take("url", Http::new(KIND, kit));
    let findings = wrong.findings();
    match (target, http) {
        (Some(target), Some(http)) if findings.is_empty() => Ok(Box::new(Neighbour {
            name,
            target,
            http,
            every,
            most,
            kit: kit.clone(),
        })),
        _ => Err(findings),
    }
}
