//! `quirks.toml`: what a tool does that nobody would guess, played by its stand-in.
//!
//! A quirk counts only while something would notice its loss: its test is run twice, against the
//! stand-in as it is and against the stand-in without that one quirk, and must fail the second time.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use super::quality::tests_under;

/// One quirk, as `quirks.toml` tells it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quirk {
    /// What the tool does.
    pub what: String,
    /// The test that turns red when the stand-in does so no more.
    pub test: String,
}

/// `quirks.toml` in `folder` (a connector's crate) names exactly the quirks of the stand-in, each
/// with words and a test that exists. How many there are.
///
/// # Panics
/// With everything that is wrong.
pub fn quirks(folder: &Path, played: &[&str]) -> usize {
    let text = std::fs::read_to_string(folder.join("quirks.toml")).expect("quirks.toml is there");
    let told: BTreeMap<String, Quirk> = toml::from_str(&text).expect("quirks.toml is a table");
    let tests = tests_under(folder);
    let played: BTreeSet<&str> = played.iter().copied().collect();
    let mut wrong = Vec::new();
    for name in played.iter().filter(|name| !told.contains_key(**name)) {
        wrong.push(format!("the quirk {name} is played and not told"));
    }
    for (name, quirk) in &told {
        if !played.contains(name.as_str()) {
            wrong.push(format!("the quirk {name} is told and not played"));
        }
        if quirk.what.trim().len() < 20 {
            wrong.push(format!("{name}: say what happens, in words"));
        }
        if !tests.contains(&quirk.test) {
            wrong.push(format!("{name}: there is no test {}", quirk.test));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    told.len()
}

/// Plays `story` with the quirk and without it (`true`): the first must end well, and the second
/// must fail.
///
/// # Panics
/// When the story ends well without the quirk, or badly with it.
pub async fn noticed<F>(quirk: &str, story: impl Fn(bool) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    story(false).await;
    let without = tokio::spawn(story(true)).await;
    assert!(
        without.is_err_and(|error| error.is_panic()),
        "nothing notices that the stand-in has lost {quirk}"
    );
}
