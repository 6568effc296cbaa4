//! `quality.toml` and `connector.toml`: what a connector claims, checked against what is there.
//!
//! The level is computed, never typed. A `done` whose test does not exist is refused.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use raccord_model::{EntityKind, PERSONAL, Words};
use serde::{Deserialize, Serialize};

/// A step of the scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Under bronze: must be enabled by hand.
    Experimental,
    /// It does not surprise anyone.
    Bronze,
    /// It keeps working when the world does not.
    Silver,
    /// An organiser can live with it.
    Gold,
    /// We stake the credits on it.
    Platinum,
}

/// The number of rules of each level, by the letter of their ids, and those that need people or
/// machines outside the project, which stay `todo` and do not count.
pub const RULES: [(Level, char, u8, &[u8]); 4] = [
    (Level::Bronze, 'B', 15, &[]),
    (Level::Silver, 'S', 18, &[17]),
    (Level::Gold, 'G', 15, &[15]),
    (Level::Platinum, 'P', 9, &[7, 8]),
];

/// What is claimed for a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum State {
    /// Met: the name of the test that proves it, in this crate; `path/to/file.rs::name` relative to
    /// the crate; or, for what no single test shows, `ci::step` or `full::campaign` of `xtask`.
    Done(String),
    /// Not for this connector, and why.
    Exempt(String),
    /// Not yet, and what it needs.
    Todo(String),
}

/// A checked `quality.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Quality {
    /// The level that is reached.
    pub level: Level,
    /// Every rule.
    pub rules: BTreeMap<String, State>,
}

/// Reads `quality.toml` in `folder` (a connector's crate) and checks it.
///
/// # Errors
/// Everything that is wrong: rules that are missing or unknown, reasons that are empty, tests
/// that do not exist.
pub fn quality(folder: &Path) -> Result<Quality, Vec<String>> {
    let text = std::fs::read_to_string(folder.join("quality.toml"))
        .map_err(|error| vec![format!("quality.toml: {error}")])?;
    let rules: BTreeMap<String, State> =
        toml::from_str(&text).map_err(|error| vec![format!("quality.toml: {error}")])?;
    let own = tests_under(folder);
    let mut wrong = Vec::new();
    let known: Vec<String> = RULES
        .iter()
        .flat_map(|(_, letter, count, _)| (1..=*count).map(move |n| format!("{letter}{n:02}")))
        .collect();
    for id in rules.keys().filter(|id| !known.contains(id)) {
        wrong.push(format!("{id} is no rule"));
    }
    for id in &known {
        match rules.get(id) {
            None => wrong.push(format!("{id} is missing")),
            Some(State::Done(test)) => match test.rsplit_once("::") {
                Some((runner @ ("ci" | "full"), step)) => {
                    if !runs(folder, runner, step) {
                        wrong.push(format!("{id}: cargo xtask {runner} has no {step}"));
                    }
                }
                Some((file, name)) if has_extension(file) => {
                    let text = std::fs::read_to_string(folder.join(file)).unwrap_or_default();
                    if !tests_in(&text).any(|found| found == name) {
                        wrong.push(format!("{id}: there is no test {name} in {file}"));
                    }
                }
                _ if own.contains(test) => {}
                _ => wrong.push(format!("{id}: there is no test {test}")),
            },
            Some(State::Exempt(reason) | State::Todo(reason)) if reason.trim().len() < 10 => {
                wrong.push(format!("{id}: say why, in words"));
            }
            Some(_) => {}
        }
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let mut level = Level::Experimental;
    for (next, letter, count, outside) in RULES {
        let reached = (1..=count)
            .filter(|n| !outside.contains(n))
            .all(|n| !matches!(rules[&format!("{letter}{n:02}")], State::Todo(_)));
        if !reached {
            break;
        }
        level = next;
    }
    Ok(Quality { level, rules })
}

/// Whether `cargo xtask <runner>` of the workspace around `folder` has a step of that name.
fn runs(folder: &Path, runner: &str, step: &str) -> bool {
    let Ok(folder) = folder.canonicalize() else {
        return false;
    };
    folder.ancestors().any(|above| {
        let file = above.join("xtask/src").join(runner).with_extension("rs");
        std::fs::read_to_string(file).is_ok_and(|text| text.contains(&format!("\"{step}\"")))
    })
}

fn has_extension(file: &str) -> bool {
    Path::new(file)
        .extension()
        .is_some_and(|extension| extension == "rs")
}

/// The names of all tests in the sources of a crate.
pub(super) fn tests_under(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    let mut folders: Vec<PathBuf> = vec![folder.join("src"), folder.join("tests")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && let Ok(text) = std::fs::read_to_string(&path)
            {
                names.extend(tests_in(&text).map(str::to_owned));
            }
        }
    }
    names
}

/// The names of the functions that stand right under a test attribute and are not ignored.
fn tests_in(text: &str) -> impl Iterator<Item = &str> {
    let mut is_test = false;
    let mut ignored = false;
    text.lines().filter_map(move |line| {
        let line = line.trim();
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if line.starts_with("#[ignore") {
            ignored = true;
        } else if let Some(rest) = line
            .strip_prefix("fn ")
            .or_else(|| line.strip_prefix("async fn "))
        {
            let counts = is_test && !ignored;
            (is_test, ignored) = (false, false);
            return counts.then(|| rest.split(['(', '<']).next()).flatten();
        }
        None
    })
}

/// `connector.toml`: the identity card of a connector (B01).
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// The `kind` in the configuration.
    pub kind: String,
    /// What people call the tool.
    pub title: Words,
    /// What it does, in a sentence.
    pub summary: Words,
    /// Who answers for it.
    pub owner: String,
    /// Its licence.
    pub licence: String,
    /// `source`, `sink`.
    pub roles: Vec<String>,
    /// The event types it takes; `org.raccord.*` for every one.
    pub consumes: Vec<String>,
    /// The event types it makes.
    pub produces: Vec<String>,
    /// The versions of the tool, or of the standards, it was tried with.
    pub tried: Vec<String>,
    /// The rights it needs in the tool.
    pub rights: Words,
    /// The personal fields it handles (G13).
    pub personal: Vec<Personal>,
    /// What it promises, by entity.
    #[serde(default)]
    pub guarantees: Vec<Guarantee>,
}

/// A personal field that a connector handles.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Personal {
    /// Its name; `*` for whatever the schemas mark as personal.
    pub field: String,
    /// What it is needed for.
    pub why: Words,
    /// How long it is kept.
    pub kept: Words,
}

/// What a connector promises for one kind of entity.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Guarantee {
    /// The kind of entity; `*` for all.
    pub entity: String,
    /// The effect class.
    pub class: u8,
    /// The promise, in French.
    pub fr: String,
    /// The promise, in English.
    pub en: String,
}

/// A personal field of what the connector makes that its card does not tell.
fn undeclared(card: &Card) -> Option<String> {
    let told = |field: &str| card.personal.iter().any(|it| it.field == field);
    let makes = |kind: &EntityKind| {
        let prefix = format!("org.raccord.{kind}.");
        card.produces.iter().any(|one| one.starts_with(&prefix))
    };
    let fields = PERSONAL.iter().filter(|(kind, _)| makes(kind));
    let mut fields = fields.flat_map(|(_, names)| names.iter());
    fields.find(|field| !told(field)).map(ToString::to_string)
}

/// B01: reads the card of `connector` and compares it with what the connector says of itself.
///
/// # Errors
/// What is wrong with it.
pub fn card(
    connector: &crate::Connector,
    manifest: &raccord_model::Manifest,
) -> Result<Card, String> {
    let card: Card = toml::from_str(connector.card).map_err(|error| error.to_string())?;
    let wrong = |what: &str| Err(format!("connector.toml: {what}"));
    if card.kind != connector.kind || card.kind != manifest.kind {
        return wrong("the kind is another");
    }
    for words in [&card.title, &card.summary, &card.rights] {
        if words.fr.is_empty() || words.en.is_empty() {
            return wrong("a text is missing in French or in English");
        }
    }
    if card.owner.is_empty() || card.licence.is_empty() || card.tried.is_empty() {
        return wrong("owner, licence or tried is empty");
    }
    let has = |role: &str| card.roles.iter().any(|one| one == role);
    if has("source") != manifest.source || has("sink") == manifest.handles.is_empty() {
        return wrong("the roles are not those it plays");
    }
    for kind in card.consumes.iter().chain(&card.produces) {
        if kind != "org.raccord.*" && raccord_model::Schemas::text(kind).is_none() {
            return wrong(&format!("{kind} has no schema"));
        }
    }
    if let Some(field) = undeclared(&card) {
        return wrong(&format!("the personal field {field} is not told"));
    }
    for words in card.personal.iter().flat_map(|it| [&it.why, &it.kept]) {
        if words.fr.is_empty() || words.en.is_empty() {
            return wrong("a personal field lacks its reason or its time in French or in English");
        }
    }
    for guarantee in &card.guarantees {
        let entity = &guarantee.entity;
        let class = guarantee.class;
        let declared = manifest.handles.iter().any(|handling| {
            (entity == "*" || handling.entity.to_string() == *entity)
                && u8::from(handling.class) == class
        });
        if !declared {
            return wrong(&format!(
                "{entity} in class {class} is not what it declares"
            ));
        }
    }
    Ok(card)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn folder(rule: impl Fn(&str) -> String) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("src")).unwrap();
        std::fs::write(
            folder.path().join("src/lib.rs"),
            "#[test]\nfn proven() {}\nfn helper() {}\n#[test]\n#[ignore]\nfn not_run() {}\n",
        )
        .unwrap();
        let mut text = String::new();
        for (_, letter, count, _) in RULES {
            for n in 1..=count {
                let id = format!("{letter}{n:02}");
                writeln!(text, "{id} = {}", rule(&id)).unwrap();
            }
        }
        std::fs::write(folder.path().join("quality.toml"), text).unwrap();
        folder
    }

    const TODO: &str = "{ todo = \"needs the whole program\" }";
    const DONE: &str = "{ done = \"proven\" }";

    #[test]
    fn the_level_is_computed_from_the_rules() {
        let all_todo = folder(|_| TODO.to_owned());
        assert_eq!(quality(all_todo.path()).unwrap().level, Level::Experimental);
        let bronze = folder(|id| if id.starts_with('B') { DONE } else { TODO }.to_owned());
        assert_eq!(quality(bronze.path()).unwrap().level, Level::Bronze);
        let silver = folder(|id| {
            let done = id.starts_with(['B', 'S']) && id != "S17";
            if done { DONE } else { TODO }.to_owned()
        });
        assert_eq!(quality(silver.path()).unwrap().level, Level::Silver);
    }

    #[test]
    fn a_done_without_a_test_that_runs_is_refused() {
        for test in [
            "missing",
            "helper",
            "not_run",
            "src/lib.rs::helper",
            "src/no.rs::proven",
        ] {
            let claimed = folder(|_| format!("{{ done = \"{test}\" }}"));
            let wrong = quality(claimed.path()).unwrap_err();
            assert_eq!(wrong.len(), 57, "{test}: {wrong:?}");
        }
        let elsewhere = folder(|_| "{ done = \"src/lib.rs::proven\" }".to_owned());
        assert_eq!(quality(elsewhere.path()).unwrap().level, Level::Platinum);
    }

    #[test]
    fn a_step_of_the_workspace_is_a_proof_when_there_is_one() {
        let claimed = folder(|_| "{ done = \"ci::dependencies\" }".to_owned());
        assert_eq!(quality(claimed.path()).unwrap_err().len(), 57);
        let steps = claimed.path().join("xtask/src");
        std::fs::create_dir_all(&steps).unwrap();
        std::fs::write(steps.join("ci.rs"), "const DENY: &str = \"dependencies\";").unwrap();
        assert_eq!(quality(claimed.path()).unwrap().level, Level::Platinum);
    }

    #[test]
    fn no_rule_is_forgotten_made_up_or_left_without_a_reason() {
        let folder = folder(|_| "{ exempt = \"no\" }".to_owned());
        assert_eq!(quality(folder.path()).unwrap_err().len(), 57);
        std::fs::write(
            folder.path().join("quality.toml"),
            "B16 = { done = \"proven\" }",
        )
        .unwrap();
        assert_eq!(quality(folder.path()).unwrap_err().len(), 58);
    }
}
