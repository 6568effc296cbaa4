//! G09: who can mend what a connector says, and the one next thing to do.
//!
//! It stands in a `repair.toml` beside the sources: sections of codes. The page people read is made
//! of these files (`cargo xtask repairs`), with an anchor for each code.

use std::collections::{BTreeMap, BTreeSet};

use raccord_model::{Lang, Words};
use serde::Deserialize;

use super::plain::{Reader, Sentence, faults, literals_of};

/// Who can mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Who {
    /// Who fills the sheet, there.
    Organiser,
    /// Who keeps Raccord, in its configuration or on the machine.
    Sysadmin,
    /// It passes, or it is our mistake.
    Nobody,
}

/// What can be done about one code.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Repair {
    who: Who,
    fr: String,
    en: String,
}

/// The repairs of one `repair.toml`: by section, then by code.
type Repairs = BTreeMap<String, BTreeMap<String, Repair>>;

fn read(toml: &str) -> Result<Repairs, String> {
    toml::from_str(toml).map_err(|error| error.to_string())
}

/// G09: `repairs` (a `repair.toml`) has an entry for each of `codes` and for no other, in plain
/// words; and `page` has its anchor.
///
/// # Panics
/// When the rule does not hold.
pub fn g09_repair(name: &str, repairs: &str, codes: &BTreeSet<String>, page: &str) {
    let repairs = read(repairs).expect("repair.toml can be read");
    let mut told = BTreeSet::new();
    for (code, repair) in repairs.into_values().flatten() {
        let to = match repair.who {
            Who::Organiser => Reader::Organiser,
            Who::Sysadmin | Who::Nobody => Reader::Sysadmin,
        };
        let words = Words::new(repair.fr, repair.en);
        let wrong = faults(&Sentence {
            code: code.clone(),
            to,
            words,
        });
        assert!(wrong.is_empty(), "{code}: {wrong:?}");
        for lang in [Lang::Fr, Lang::En] {
            let anchor = anchor(lang, name, &code);
            assert!(page.contains(&anchor), "the page has no anchor {anchor}");
        }
        told.insert(code);
    }
    let missing: Vec<_> = codes.difference(&told).collect();
    assert!(missing.is_empty(), "nobody says how to mend {missing:?}");
    let invented: Vec<_> = told.difference(codes).collect();
    assert!(invented.is_empty(), "nothing ever says {invented:?}");
}

/// The codes in a source: texts that stand after one of `marks`.
pub fn codes_after(source: &str, marks: &[&str]) -> BTreeSet<String> {
    let code = |text: &String| {
        !text.is_empty()
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || matches!(b, b'-' | b'.'))
    };
    literals_of(source)
        .filter(|(before, _)| marks.iter().any(|mark| before.ends_with(mark)))
        .map(|(_, text)| text)
        .filter(code)
        .collect()
}

fn anchor(lang: Lang, name: &str, code: &str) -> String {
    format!("<a id=\"{lang}-{name}-{}\"></a>", code.replace('.', "-"))
}

/// The page of all repairs: `all` are names of connectors with their `repair.toml`.
///
/// # Errors
/// When one cannot be read.
pub fn page(all: &[(String, String)]) -> Result<String, String> {
    let mut out = String::from(
        "# Réparer · Repairing\n\n\
         Two languages, one after the other: [français](#français), [English](#english).\n\
         Made of the `repair.toml` of each connector by `cargo xtask repairs`.\n",
    );
    for lang in [Lang::Fr, Lang::En] {
        let say = |fr: &'static str, en: &'static str| match lang {
            Lang::Fr => fr,
            Lang::En => en,
        };
        let intro = say(
            "## Français\n\nCe que Raccord dit porte un code : voici qui peut y faire quelque chose, et quoi.",
            "## English\n\nWhat Raccord says has a code: here is who can do something about it, and what.",
        );
        out.extend([format!("\n{intro}\n")]);
        for (name, repairs) in all {
            let title = match name.as_str() {
                "tool" => say("Tous les outils", "All tools"),
                name => name,
            };
            let head = say("code | qui | quoi faire", "code | who | what to do");
            out.extend([format!(
                "\n### {title}\n\n| {head} |\n| --- | --- | --- |\n"
            )]);
            for (code, repair) in read(repairs)?.into_values().flatten() {
                let who = match repair.who {
                    Who::Organiser => say("qui remplit le tableau", "who fills the sheet"),
                    Who::Sysadmin => say("qui s’occupe de Raccord", "who keeps Raccord"),
                    Who::Nobody => say("personne", "nobody"),
                };
                let text = match lang {
                    Lang::Fr => &repair.fr,
                    Lang::En => &repair.en,
                };
                let anchor = anchor(lang, name, &code);
                out.extend([format!("| {anchor}`{code}` | {who} | {text} |\n")]);
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g09_every_code_of_the_kit_says_who_mends_it() {
        let http = codes_after(include_str!("../http/error.rs"), &["=>"]);
        let dotted = [
            include_str!("../files.rs"),
            include_str!("../secret.rs"),
            include_str!("../http/target.rs"),
            include_str!("../http/guard.rs"),
        ];
        let dotted = dotted.into_iter().flat_map(|source| {
            let all = codes_after(source, &[""]).into_iter();
            all.filter(|code| {
                ["files.", "secret.", "settings."]
                    .iter()
                    .any(|start| code.starts_with(start))
            })
        });
        let settings = [
            include_str!("../settings.rs"),
            include_str!("../settings/mistakes.rs"),
        ];
        let settings = settings
            .into_iter()
            .flat_map(|source| codes_after(source, &["code:"]));
        let codes = http.into_iter().chain(dotted).chain(settings).collect();
        g09_repair(
            "tool",
            include_str!("../../repair.toml"),
            &codes,
            include_str!("../../../../docs/repairing.md"),
        );
    }

    #[test]
    #[should_panic(expected = "nobody says how to mend")]
    fn a_code_without_a_repair_is_found() {
        g09_repair("x", "", &BTreeSet::from(["odd".to_owned()]), "");
    }
}
