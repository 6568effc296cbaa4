//! What is generated from `schemas/<entity>/v1.json`, the only files written by hand there: one
//! schema per event type, one for posted data, the catalogue embedded in `raccord-model`, and the
//! AsyncAPI overview. And `schemas/config.json`, which the program itself prints: what editors are
//! given is what it checks with.
//!
//! `--check` writes nothing and fails on the first difference it can name, so that CI compares.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

mod asyncapi;
mod derived;

const CATALOGUE: &str = "crates/raccord-model/src/schema/catalogue.rs";
const OVERVIEW: &str = "schemas/asyncapi.json";
const CONFIG: &str = "schemas/config.json";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only compare; fail if something would be written.
    #[arg(long)]
    pub(crate) check: bool,
}

/// An entity: its name, its schema, its verbs.
pub(crate) struct Entity {
    /// Its name, as in event types.
    pub(crate) name: String,
    /// `schemas/<entity>/v1.json`.
    pub(crate) schema: Value,
    /// What can happen to it.
    pub(crate) verbs: Vec<String>,
}

/// Texts by their paths below the root.
type Files = BTreeMap<PathBuf, String>;

pub(crate) fn run(args: &Args) -> Result<()> {
    // The catalogue is part of the program, so it is written before the program is asked.
    settle(&of_events()?, args.check)?;
    settle(&of_configuration()?, args.check)
}

/// Compares what is generated from the entities; builds nothing.
pub(crate) fn check_events() -> Result<()> {
    settle(&of_events()?, true)
}

/// Compares the configuration's schema with what the program prints.
pub(crate) fn check_configuration() -> Result<()> {
    settle(&of_configuration()?, true)
}

/// What the program says of its own configuration.
fn of_configuration() -> Result<Files> {
    let output = crate::workspace::cargo()
        .args(["run", "--quiet", "--locked", "--package", "raccord"])
        .args(["--", "schema", "show", "config"])
        .stderr(std::process::Stdio::inherit())
        .output()
        .context("cannot start cargo")?;
    ensure!(
        output.status.success(),
        "`raccord schema show config` ended with {}",
        output.status
    );
    let text = String::from_utf8(output.stdout).context("a schema is UTF-8")?;
    Ok(Files::from([(CONFIG.into(), text)]))
}

/// What is derived from the entities.
fn of_events() -> Result<Files> {
    let root = crate::workspace::root();
    let entities = read(&root.join("schemas"))?;
    let mut files = Files::new();
    for entity in &entities {
        for (name, schema) in derived::of(entity)? {
            let path = format!("schemas/{name}.json");
            files.insert(path.into(), pretty(&schema)?);
        }
    }
    files.insert(OVERVIEW.into(), pretty(&asyncapi::overview(&entities))?);
    let names = names(&root.join("schemas"), &files)?;
    files.insert(CATALOGUE.into(), catalogue(&names));
    Ok(files)
}

/// Writes the files that differ, or with `check` names them and fails.
fn settle(files: &Files, check: bool) -> Result<()> {
    let root = crate::workspace::root();
    let stale: Vec<&PathBuf> = files
        .iter()
        .filter(|(path, text)| {
            std::fs::read_to_string(root.join(path)).ok().as_ref() != Some(*text)
        })
        .map(|(path, _)| path)
        .collect();
    if check {
        for path in &stale {
            println!("{} is not what would be generated", path.display());
        }
        ensure!(stale.is_empty(), "run `cargo xtask schemas`");
        println!("{} generated files are up to date", files.len());
        return Ok(());
    }
    for path in &stale {
        let target = root.join(path);
        let folder = target.parent().context("a file has a folder")?;
        std::fs::create_dir_all(folder)?;
        std::fs::write(&target, &files[*path])
            .with_context(|| format!("cannot write {}", path.display()))?;
        println!("wrote {}", path.display());
    }
    println!("{} of {} generated files changed", stale.len(), files.len());
    Ok(())
}

/// The entities under `schemas/`, in the order of their names: every folder with `x-verbs`.
fn read(folder: &Path) -> Result<Vec<Entity>> {
    let mut entities = Vec::new();
    for name in folders(folder)? {
        let path = folder.join(&name).join("v1.json");
        if name.contains('.') || !path.exists() {
            continue;
        }
        let text = std::fs::read_to_string(&path)?;
        let schema: Value =
            serde_json::from_str(&text).with_context(|| format!("{name}/v1.json is no JSON"))?;
        let Some(verbs) = schema.get("x-verbs").and_then(Value::as_array) else {
            continue;
        };
        let verbs = verbs
            .iter()
            .map(|verb| verb.as_str().map(str::to_owned))
            .collect::<Option<Vec<String>>>()
            .with_context(|| format!("{name}/v1.json: x-verbs is a list of words"))?;
        entities.push(Entity {
            name,
            schema,
            verbs,
        });
    }
    Ok(entities)
}

fn folders(folder: &Path) -> Result<Vec<String>> {
    let mut names: Vec<String> = std::fs::read_dir(folder)?
        .filter_map(Result::ok)
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    Ok(names)
}

/// The name of every schema, `activity/v1`, those about to be written included. A folder whose
/// schema nobody derives any more is a fault: published schemas are not taken away.
fn names(folder: &Path, generated: &Files) -> Result<Vec<String>> {
    let mut names: Vec<String> = generated
        .keys()
        .filter_map(|path| path.strip_prefix("schemas").ok())
        .filter(|path| path.components().count() == 2)
        .map(|path| path.with_extension("").to_string_lossy().into_owned())
        .collect();
    for folder_name in folders(folder)? {
        for entry in std::fs::read_dir(folder.join(&folder_name))? {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            let name = format!("{folder_name}/{stem}");
            if names.contains(&name) {
                continue;
            }
            if folder_name.contains('.') {
                bail!("schemas/{name}.json: no entity has this event any more");
            }
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn catalogue(names: &[String]) -> String {
    let mut text = String::from(
        "//! Generated by `cargo xtask schemas`: every schema under `schemas/`, by name.\n\n\
         /// Name and text of each schema.\n\
         #[rustfmt::skip]\n\
         pub(super) const CATALOGUE: &[(&str, &str)] = &[\n",
    );
    for name in names {
        text.push_str("    (\"");
        text.push_str(name);
        text.push_str("\", include_str!(\"../../../../schemas/");
        text.push_str(name);
        text.push_str(".json\")),\n");
    }
    text.push_str("];\n");
    text
}

fn pretty(value: &Value) -> Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}
