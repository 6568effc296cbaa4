//! Writes the programmes of some months into a folder, to look at their pages:
//! `cargo run -p raccord-typeset --example pages -- out`. Beside each stands the request that makes
//! it (`raccord typeset < out/january.json > out/january.pdf`), to try a template on.

#![allow(clippy::print_stdout, reason = "it is a command")]

#[allow(dead_code, unreachable_pub, reason = "shared with the tests")]
#[path = "../tests/months/mod.rs"]
mod months;

use std::path::PathBuf;
use std::time::Instant;

use raccord_model::{Entity, Lang};
use raccord_typeset::{Request, typeset};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "out".into()));
    std::fs::create_dir_all(&folder)?;
    let months: [(&str, Vec<Entity>, Lang); 12] = [
        ("january", months::january(), Lang::Fr),
        ("january-en", months::january(), Lang::En),
        ("tasks", months::with_tasks(), Lang::Fr),
        ("tables", months::tables(), Lang::Fr),
        ("crowded", months::crowded(), Lang::Fr),
        ("printed", months::printed(), Lang::Fr),
        ("messy", months::messy(), Lang::Fr),
        ("few", months::few(), Lang::Fr),
        ("two", months::few().split_off(3), Lang::Fr),
        ("one", months::few().split_off(4), Lang::Fr),
        ("busy", months::busy(), Lang::Fr),
        ("hostile", months::hostile(), Lang::Fr),
    ];
    for (name, members, lang) in months {
        for sheet in ["programme", "leaflet", "since", "signup"] {
            let Some(data) = months::data(&members, sheet, lang) else {
                continue;
            };
            let request = Request {
                template: months::template(sheet),
                data,
            };
            let name = format!("{name}-{sheet}");
            std::fs::write(
                folder.join(format!("{name}.json")),
                serde_json::to_vec(&request)?,
            )?;
            let started = Instant::now();
            let pdf = typeset(&request.template, &request.data)?;
            println!(
                "{name}: {} pages, {} kB, {} ms, accessible: {}",
                pdf.pages.len(),
                pdf.bytes.len() / 1024,
                started.elapsed().as_millis(),
                pdf.accessible,
            );
            for warning in &pdf.warnings {
                println!("  {warning}");
            }
            std::fs::write(folder.join(format!("{name}.pdf")), pdf.bytes)?;
        }
    }
    Ok(())
}
