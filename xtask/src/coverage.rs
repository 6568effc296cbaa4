//! How much of each connector its own tests exercise: rule S18 of the quality scale, measured, never
//! typed. It needs `cargo install cargo-tarpaulin`, which brings its own reader of the compiler's
//! counters.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::step::status;
use crate::workspace::{cargo, members, root};

/// The least share of a crate's lines, in per cent.
const LEAST: usize = 85;

/// Lines that a test reached, and all of them.
type Lines = (usize, usize);

pub(crate) fn run() -> Result<()> {
    let names: Vec<String> = members()?
        .into_iter()
        .map(|member| member.name)
        .filter(|name| name.starts_with("raccord-connector-"))
        .collect();
    let folder = root().join("target/coverage");
    std::fs::create_dir_all(&folder).context("cannot make target/coverage")?;
    let mut command = cargo();
    command
        .args(["tarpaulin", "--engine", "llvm", "--locked", "--skip-clean"])
        .args(["--out", "Json", "--output-dir"])
        .arg(&folder)
        .arg("--target-dir")
        .arg(&folder)
        .args(["--include-files", "connectors/*/src/*"])
        .args(names.iter().flat_map(|name| ["--package", name]));
    status(command).context("cargo tarpaulin (`cargo install cargo-tarpaulin`)")?;
    let path = folder.join("tarpaulin-report.json");
    let report = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let found = by_crate(&serde_json::from_slice(&report)?);
    ensure!(
        found.len() == names.len(),
        "{} connectors were measured, {} are there",
        found.len(),
        names.len()
    );
    let mut low = Vec::new();
    for (name, (reached, all)) in found {
        let share = reached * 100 / all.max(1);
        println!("{name}: {share} % ({reached} of {all} lines)");
        if share < LEAST {
            low.push(name);
        }
    }
    ensure!(
        low.is_empty(),
        "under {LEAST} %: {}; see S18 in quality.toml",
        low.join(", ")
    );
    Ok(())
}

/// The lines of each folder under `connectors/`.
fn by_crate(report: &Value) -> BTreeMap<String, Lines> {
    let mut found: BTreeMap<String, Lines> = BTreeMap::new();
    for file in report["files"].as_array().into_iter().flatten() {
        let parts = file["path"].as_array().into_iter().flatten();
        let path: std::path::PathBuf = parts.filter_map(Value::as_str).collect();
        let Some(name) = connector_of(&path) else {
            continue;
        };
        let number = |key: &str| {
            let value = file[key].as_u64().unwrap_or_default();
            usize::try_from(value).unwrap_or_default()
        };
        let (reached, all) = found.entry(name).or_default();
        *reached += number("covered");
        *all += number("coverable");
    }
    found
}

/// `spreadsheet` of `connectors/spreadsheet/src/lib.rs`.
fn connector_of(path: &Path) -> Option<String> {
    let inside = path.strip_prefix(root()).ok()?;
    let mut parts = inside.iter().filter_map(|part| part.to_str());
    let (folder, name, src) = (parts.next()?, parts.next()?, parts.next()?);
    (folder == "connectors" && src == "src").then(|| name.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lines_are_added_up_by_connector_and_nothing_else_counts() {
        let file = |path: &str, covered: usize, coverable: usize| {
            let path = root().join(path);
            let parts: Vec<_> = path.iter().map(|part| part.to_str().unwrap()).collect();
            json!({ "path": parts, "covered": covered, "coverable": coverable })
        };
        let report = json!({ "files": [
            file("connectors/a/src/lib.rs", 8, 10),
            file("connectors/a/src/x/y.rs", 1, 10),
            file("connectors/a/tests/t.rs", 5, 5),
            file("connectors/b/src/lib.rs", 3, 3),
            file("crates/kit/src/lib.rs", 0, 100),
        ]});
        let expected = [("a".to_owned(), (9, 20)), ("b".to_owned(), (3, 3))];
        assert_eq!(by_crate(&report), expected.into());
    }
}
