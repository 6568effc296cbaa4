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
use serde_json::json;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "out".into()));
    std::fs::create_dir_all(&folder)?;
    let months: [(&str, Vec<Entity>, Lang); 9] = [
        ("january", months::january(), Lang::Fr),
        ("january-en", months::january(), Lang::En),
        ("crowded", months::crowded(), Lang::Fr),
        ("printed", months::printed(), Lang::Fr),
        ("messy", months::messy(), Lang::Fr),
        ("few", months::few(), Lang::Fr),
        ("one", months::few().split_off(4), Lang::Fr),
        ("busy", months::busy(), Lang::Fr),
        ("hostile", months::hostile(), Lang::Fr),
    ];
    for (name, members, lang) in months {
        let settings = json!({"output": ".", "layout": "both", "signup_sheets": true,
            "signup": "https://inscriptions.example.org/"});
        let tool = months::tool(folder.clone(), PathBuf::new(), lang, settings);
        let desired = months::desired(tool.as_ref(), &members, lang);
        for sheet in ["programme", "leaflet", "since", "signup"] {
            let part = if sheet == "since" {
                "since"
            } else {
                "document"
            };
            let Some(data) = desired.body.get(part) else {
                continue;
            };
            let request = Request {
                template: months::template(sheet),
                data: months::stamped(data),
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
