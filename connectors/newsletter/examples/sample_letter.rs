//! Writes letters of the sample programme: `cargo run -p raccord-connector-newsletter --example
//! sample_letter -- FOLDER`. For looking at.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "an example for developers"
)]

#[path = "../tests/common/mod.rs"]
mod common;

use raccord_model::{Lang, RoundupOf};

fn main() {
    let folder = std::env::args()
        .nth(1)
        .expect("say where to write the letters");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, of, lang, colour) in [
        ("week", RoundupOf::Week, Lang::Fr, ""),
        ("month", RoundupOf::Month, Lang::Fr, ""),
        ("week-en", RoundupOf::Week, Lang::En, "#0b6b53"),
    ] {
        let mut kit = common::kit();
        colour.clone_into(&mut kit.colour);
        let tool = common::tool(common::smtp(), &kit);
        let letter = common::letter(&*tool, &kit, of, lang, &common::sample()).unwrap();
        let (text, html) = common::parts(&letter);
        std::fs::write(format!("{folder}/{name}.html"), html).unwrap();
        std::fs::write(format!("{folder}/{name}.txt"), text).unwrap();
    }
}
