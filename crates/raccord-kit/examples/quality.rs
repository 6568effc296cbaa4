//! The level of each connector, computed from its `quality.toml`: one JSON object a line.
//!
//! `cargo run -p raccord-kit --features testing --example quality -- FOLDER...`; `cargo xtask
//! quality` does this for all of them. It ends with 1 when a claim does not hold.

#![allow(clippy::print_stdout, reason = "it is what it is for")]

use std::path::PathBuf;
use std::process::ExitCode;

use raccord_kit::conformance::quality;
use serde_json::json;

fn main() -> ExitCode {
    let mut sound = true;
    for folder in std::env::args_os().skip(1).map(PathBuf::from) {
        let connector = folder.file_name().unwrap_or_default().to_string_lossy();
        let line = match quality(&folder) {
            Ok(found) => json!({
                "connector": connector,
                "level": found.level,
                "rules": found.rules,
            }),
            Err(wrong) => {
                sound = false;
                json!({ "connector": connector, "wrong": wrong })
            }
        };
        println!("{line}");
    }
    if sound {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
