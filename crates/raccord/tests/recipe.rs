//! The ready places of `examples/`: what each comes to, effect by effect.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::fmt::Write as _;
use std::path::Path;

use common::run_in;
use raccord::report::Exit;

/// What a plan says, one effect a line, as `expected.txt` beside the configuration has it.
fn list(plan: &serde_json::Value) -> String {
    let mut lines = String::new();
    for effect in plan["effects"].as_array().unwrap() {
        let text = |key: &str| effect[key].as_str().unwrap_or_default();
        let (connector, action, title) = (text("connector"), text("action"), text("title"));
        write!(lines, "{connector}: {action} « {title} »").unwrap();
        let told = ["début", "fin", "salle", "public ou interne"];
        let shown = text("after")
            .lines()
            .filter(|line| told.iter().any(|name| line.starts_with(name)));
        let shown: Vec<&str> = shown.collect();
        let colon = if shown.is_empty() { "" } else { ": " };
        writeln!(lines, "{colon}{}", shown.join(", ")).unwrap();
    }
    lines
}

#[test]
fn the_ready_place_comes_to_exactly_the_effects_it_promises() {
    let example = Path::new("../../examples/la-raffinerie");
    let folder = tempfile::tempdir().unwrap();
    // Its outputs stand two folders higher.
    let place = folder.path().join("examples/la-raffinerie");
    std::fs::create_dir_all(&place).unwrap();
    for name in ["raccord.toml", "programme.ods"] {
        std::fs::copy(example.join(name), place.join(name)).unwrap();
    }
    let config = place.join("raccord.toml");
    let (exit, plan) = run_in(&config, "2026-12-20T08:00:00Z", &["plan", "--json"]);
    let plan: serde_json::Value = serde_json::from_str(plan.lines().next().unwrap()).unwrap();
    let expected = std::fs::read_to_string(example.join("expected.txt")).unwrap();
    let found = list(&plan);
    assert!(found == expected, "expected.txt should be:\n{found}");
    assert_eq!((exit, &plan["holds"]), (Exit::Done, &serde_json::json!([])));
}
