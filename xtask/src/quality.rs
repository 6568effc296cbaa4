//! The level of each connector, computed by the kit from `quality.toml`, and what keeps it from the
//! next one. Fails when a claim has no proof, or a guide tells another level than the true one.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::workspace::{cargo, root};

#[derive(clap::Args, Default)]
pub(crate) struct Args {
    /// One JSON object per connector, with every rule.
    #[arg(long)]
    json: bool,
}

/// The steps of the scale and the letter of their rules.
const STEPS: [(&str, char); 4] = [
    ("bronze", 'B'),
    ("silver", 'S'),
    ("gold", 'G'),
    ("platinum", 'P'),
];

pub(crate) fn run(args: &Args) -> Result<()> {
    let mut folders: Vec<_> = std::fs::read_dir(root().join("connectors"))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    let output = cargo()
        .args(["run", "--quiet", "--locked", "--package", "raccord-kit"])
        .args(["--features", "testing", "--example", "quality", "--"])
        .args(&folders)
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start cargo")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut faults = 0;
    for line in text.lines() {
        let found: Value = serde_json::from_str(line).context("the kit prints JSON")?;
        if args.json {
            println!("{line}");
        } else {
            show(&found);
        }
        let wrong = wrong(&found)?;
        faults += wrong.len();
        for fault in &wrong {
            eprintln!("{}: {fault}", text_of(&found, "connector"));
        }
    }
    ensure!(
        text.lines().count() == folders.len(),
        "a connector is missing"
    );
    ensure!(faults == 0, "{faults} claims that do not hold");
    Ok(())
}

fn text_of<'a>(found: &'a Value, key: &str) -> &'a str {
    found[key].as_str().unwrap_or_default()
}

/// What the kit refused, and a guide that tells another level.
fn wrong(found: &Value) -> Result<Vec<String>> {
    if let Some(wrong) = found["wrong"].as_array() {
        return Ok(wrong
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect());
    }
    let (connector, level) = (text_of(found, "connector"), text_of(found, "level"));
    let path = format!("connectors/{connector}/README.md");
    let guide = std::fs::read_to_string(root().join(&path))
        .with_context(|| format!("cannot read {path}"))?;
    Ok(said(level)
        .into_iter()
        .filter(|line| !guide.lines().any(|own| own.starts_with(line)))
        .map(|line| format!("README.md has no line that begins with `{line}`"))
        .collect())
}

/// How a guide tells a level, in French and in English.
fn said(level: &str) -> [String; 2] {
    let french = match level {
        "bronze" => "bronze",
        "silver" => "argent",
        "gold" => "or",
        "platinum" => "platine",
        _ => "à l’essai",
    };
    [
        format!("Niveau : **{french}**"),
        format!("Level: **{level}**"),
    ]
}

/// `webhook: bronze; silver lacks S02, S12`.
fn show(found: &Value) {
    let (connector, level) = (text_of(found, "connector"), text_of(found, "level"));
    if level.is_empty() {
        println!("{connector}: not sound");
        return;
    }
    let lacking = |letter: char| -> Vec<&str> {
        let rules = found["rules"].as_object().into_iter().flatten();
        rules
            .filter(|(id, state)| id.starts_with(letter) && state["todo"].is_string())
            .map(|(id, _)| id.as_str())
            .collect()
    };
    let next = STEPS
        .iter()
        .skip_while(|(name, _)| level != "experimental" && *name != level)
        .skip(usize::from(level != "experimental"))
        .map(|(name, letter)| (name, lacking(*letter)))
        .find(|(_, lacking)| !lacking.is_empty());
    match next {
        Some((name, lacking)) => {
            println!("{connector}: {level}; {name} lacks {}", lacking.join(", "));
        }
        None => println!("{connector}: {level}"),
    }
}
