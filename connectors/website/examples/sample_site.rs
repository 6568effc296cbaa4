//! Writes the site of the sample programme: `cargo run -p raccord-connector-website --example
//! sample_site -- FOLDER [fr|en] [2027-01-02] [BASE_URL]`. For looking at, and for
//! `tests/check_calendar.py`.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "an example for developers"
)]

#[path = "../tests/common/mod.rs"]
mod common;

use std::path::Path;

use serde_json::json;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = arguments.first().expect("say where to write the site");
    let lang = arguments
        .get(1)
        .map_or("fr", String::as_str)
        .parse()
        .unwrap();
    let today = arguments
        .get(2)
        .map_or(common::TODAY, |today| today.parse().unwrap());
    let mut settings = json!({ "output": "." });
    if let Some(base) = arguments.get(3) {
        settings["base_url"] = json!(base);
    }
    let (tool, _) = common::site(Path::new(folder), settings);
    common::publish(&*tool, &common::sample(), lang, today).await;
}
