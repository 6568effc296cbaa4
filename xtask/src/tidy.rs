//! What no compiler checks: arrows between crates, what a connector's folder must hold, words
//! that must not stand in the project, proofs that a page names. Lists every fault, not just the first.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::workspace::{Member, members, root};

/// Files longer than this are listed, for somebody to look whether they hold one idea.
const LONG: usize = 500;

pub(crate) fn run() -> Result<()> {
    let members = members()?;
    let mut faults = Vec::new();
    for member in &members {
        faults.extend(arrows(member));
    }
    faults.extend(connectors(&members)?);
    faults.extend(texts()?);
    faults.extend(crate::proofs::missing()?);
    for fault in &faults {
        println!("{fault}");
    }
    ensure!(faults.is_empty(), "{} things to tidy", faults.len());
    println!("{} crates, arrows as designed", members.len());
    Ok(())
}

/// What a member may depend on (`docs/architecture.md`); tests obey the same arrows, but may need
/// the crate itself (with a feature for tests), and typesetting is tried on real programmes.
fn may_need(member: &Member, other: &str, for_tests: bool) -> bool {
    if for_tests && (other == member.name || member.name == "raccord-typeset") {
        return true;
    }
    let connector = |name: &str| name.starts_with("raccord-connector-");
    // The demo's tools are tried by the connectors that work with them.
    if for_tests && member.name == "raccord-demo" {
        return connector(other)
            || matches!(other, "raccord-model" | "raccord-kit" | "raccord-chat");
    }
    match member.name.as_str() {
        "raccord-model" | "raccord-typeset" | "xtask" => false,
        "raccord-credits" | "raccord-bus" | "raccord-kit" | "raccord-look" => {
            other == "raccord-model"
        }
        "raccord-engine" => matches!(other, "raccord-model" | "raccord-credits"),
        "raccord-chat" | "raccord-ical" => {
            matches!(other, "raccord-model" | "raccord-kit" | "raccord-look")
        }
        "raccord-dav" | "raccord-mail" => matches!(other, "raccord-model" | "raccord-kit"),
        "raccord-demo" => matches!(other, "raccord-model" | "raccord-kit" | "raccord-look"),
        "raccord-sim" => matches!(other, "raccord-model" | "raccord-engine" | "raccord-bus"),
        "raccord-web" => matches!(other, "raccord-model" | "raccord-engine" | "raccord-look"),
        "raccord-identity-lab" => matches!(
            other,
            "raccord-model" | "raccord-engine" | "raccord-connector-spreadsheet"
        ),
        "raccord" | "raccord-fuzz" | "raccord-tests" => other != "xtask",
        name if connector(name) => {
            matches!(
                other,
                "raccord-model"
                    | "raccord-kit"
                    | "raccord-look"
                    | "raccord-chat"
                    | "raccord-dav"
                    | "raccord-ical"
                    | "raccord-mail"
            )
        }
        _ => false,
    }
}

fn arrows(member: &Member) -> Vec<String> {
    member
        .needs
        .iter()
        .filter(|need| !may_need(member, &need.name, need.for_tests))
        .map(|need| format!("{} must not depend on {}", member.name, need.name))
        .collect()
}

/// Each folder under `connectors/` holds its papers and stands in the program's table.
fn connectors(members: &[Member]) -> Result<Vec<String>> {
    const PAPERS: [&str; 3] = ["connector.toml", "quality.toml", "README.md"];
    let read = |path: &str| {
        std::fs::read_to_string(root().join(path)).with_context(|| format!("cannot read {path}"))
    };
    let table = read("crates/raccord/src/connectors.rs")?;
    let manifest = read("crates/raccord/Cargo.toml")?;
    let mut faults = Vec::new();
    for entry in std::fs::read_dir(root().join("connectors"))? {
        let folder = Path::new("connectors").join(entry?.file_name());
        if !root().join(&folder).is_dir() {
            continue;
        }
        let shown = folder.display();
        for paper in PAPERS {
            if !root().join(&folder).join(paper).is_file() {
                faults.push(format!("{shown} has no {paper}"));
            }
        }
        let Some(member) = members.iter().find(|member| member.folder == folder) else {
            faults.push(format!("{shown} is no crate of the workspace"));
            continue;
        };
        if !table.contains(&member.name.replace('-', "_")) {
            faults.push(format!(
                "crates/raccord/src/connectors.rs lacks {}",
                member.name
            ));
        }
        if !manifest.contains(&member.name) {
            faults.push(format!("crates/raccord/Cargo.toml lacks {}", member.name));
        }
    }
    faults.sort();
    Ok(faults)
}

/// Texts that must not stand in a tracked file, and why. Written in two parts, for this file is
/// read too.
const UNWANTED: [(&str, &str, &str); 6] = [
    ("/wo", "rk/", "a path of one machine"),
    ("/ro", "ot/", "a path of one machine"),
    ("/Us", "ers/", "a path of one machine"),
    ("todo", "!(", "unfinished"),
    ("unimplemented", "!(", "unfinished"),
    ("<<<<", "<<< ", "an unfinished merge"),
];

/// Reads every tracked text file for unwanted words, and lists the long Rust files.
fn texts() -> Result<Vec<String>> {
    let output = Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(root())
        .output()
        .context("cannot start git")?;
    ensure!(
        output.status.success(),
        "git ls-files failed: a checkout is needed"
    );
    let mut faults = Vec::new();
    let mut long = Vec::new();
    for name in String::from_utf8_lossy(&output.stdout).split_terminator('\0') {
        // Deleted in the checkout, or no text: nothing to read.
        let Ok(text) = std::fs::read_to_string(root().join(name)) else {
            continue;
        };
        for (index, line) in text.lines().enumerate() {
            let why = unwanted(line).chain(left_out(line));
            faults.extend(why.map(|why| format!("{name}:{}: {why}", index + 1)));
        }
        let lines = text.lines().count();
        if lines > LONG && Path::new(name).extension().is_some_and(|end| end == "rs") {
            long.push((lines, name.to_owned()));
        }
    }
    long.sort_by(|a, b| b.cmp(a));
    for (lines, name) in long {
        println!("notice: {name} has {lines} lines; does it hold one idea?");
    }
    Ok(faults)
}

fn unwanted(line: &str) -> impl Iterator<Item = &'static str> {
    UNWANTED
        .into_iter()
        .filter(|(head, tail, _)| {
            line.match_indices(head)
                .any(|(at, _)| line[at + head.len()..].starts_with(tail))
        })
        .map(|(_, _, why)| why)
}

/// A test that never runs must say why.
fn left_out(line: &str) -> Option<&'static str> {
    (line.trim() == "#[ignore]").then_some("a test left out without a reason")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Need;

    fn member(name: &str, needs: &[&str]) -> Member {
        Member {
            name: name.to_owned(),
            folder: "x".into(),
            needs: needs
                .iter()
                .map(|&name| Need {
                    name: name.to_owned(),
                    for_tests: false,
                })
                .collect(),
        }
    }

    #[test]
    fn arrows_point_one_way() {
        assert!(arrows(&member("raccord-engine", &["raccord-model"])).is_empty());
        assert!(arrows(&member("raccord-connector-a", &["raccord-dav"])).is_empty());
        assert!(arrows(&member("raccord", &["raccord-connector-a", "raccord-bus"])).is_empty());
        for (from, to) in [
            ("raccord-model", "raccord-engine"),
            ("raccord-engine", "raccord-bus"),
            ("raccord-connector-a", "raccord-connector-b"),
            ("raccord-connector-a", "raccord-engine"),
            ("raccord-connector-a", "raccord-bus"),
            ("raccord-kit", "raccord-dav"),
            ("raccord-demo", "raccord-engine"),
            ("raccord-demo", "raccord-connector-a"),
            ("a-new-crate", "raccord-model"),
        ] {
            assert_eq!(arrows(&member(from, &[to])).len(), 1, "{from} -> {to}");
        }
    }

    #[test]
    fn a_machine_path_is_found_wherever_it_stands() {
        let line = format!("see {}rk/main", "/wo");
        assert_eq!(unwanted(&line).count(), 1);
        assert_eq!(unwanted("a network path").count(), 0);
    }
}
