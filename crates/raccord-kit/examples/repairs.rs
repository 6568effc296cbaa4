//! The page that says who mends what, from the `repair.toml` of each folder given: `cargo xtask
//! repairs` does this for all of them.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it is what it is for"
)]

use std::path::PathBuf;
use std::process::ExitCode;

use raccord_kit::conformance::repairs_page;

fn main() -> ExitCode {
    let mut all = Vec::new();
    for folder in std::env::args_os().skip(1).map(PathBuf::from) {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let name = if name == "raccord-kit" {
            "tool".into()
        } else {
            name
        };
        let Ok(text) = std::fs::read_to_string(folder.join("repair.toml")) else {
            eprintln!("{} has no repair.toml", folder.display());
            return ExitCode::FAILURE;
        };
        all.push((name.into_owned(), text));
    }
    match repairs_page(&all) {
        Ok(page) => {
            print!("{page}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
