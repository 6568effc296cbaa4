//! What `why` and the plan say of a change: the cell that was edited, and values in people's words.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{Place, lines};
use raccord::report::Exit;
use serde_json::{Value, json};

const AT_ONCE: &str =
    "[guards]\nsecond_look = '0s'\n[connectors.site]\nkind = 'website'\noutput = 'out'\n";

/// The cell that stands behind the first effect of a pass.
fn cell(place: &Place, pass: &Value, lang: &str) -> Value {
    let entity = pass["effects"][0]["entity"].as_str().unwrap();
    let why = place.json(&["--lang", lang, "why", entity]);
    let chain = why["chain"].as_array().unwrap();
    let cell = chain.iter().find(|step| step["kind"] == "cell");
    cell.unwrap_or_else(|| panic!("{why:#}")).clone()
}

#[test]
fn why_names_the_one_cell_that_was_edited_and_its_values_in_words() {
    let place = Place::with(AT_ONCE);
    let mut sheet = lines(10);
    place.sheet(&sheet);
    place.run(&["sync"]);
    sheet[2] = sheet[2].replace("20:30", "19:00");
    place.sheet(&sheet);
    let pass = place.json(&["sync"]);
    let hour = cell(&place, &pass, "fr");
    assert_eq!(hour["ref"], "programme.csv!C4", "{hour:#}");
    let text = hour["text"].as_str().unwrap();
    assert!(
        text.contains("cellule C4")
            && text.contains("lun. 11 janv. 20\u{a0}h\u{a0}30 → lun. 11 janv. 19\u{a0}h"),
        "{text}"
    );
    sheet[2] = sheet[2].replace("2027-01-11", "2027-02-11");
    place.sheet(&sheet);
    let pass = place.json(&["sync"]);
    assert_eq!(cell(&place, &pass, "en")["ref"], "programme.csv!B4");
}

#[test]
fn why_says_how_often_a_line_was_looked_for() {
    let place = Place::with(AT_ONCE);
    place.sheet(&lines(10));
    place.run(&["sync"]);
    place.sheet(&lines(9));
    let pass = place.json(&["sync"]);
    let gone = cell(&place, &pass, "en");
    let text = gone["text"].as_str().unwrap();
    assert!(
        text.contains("line 11 was no longer there on Sat 2 Jan 09:00")
            && !text.contains("still not"),
        "{text}"
    );

    let place = Place::new();
    place.sheet(&lines(10));
    place.run(&["sync"]);
    place.sheet(&lines(9));
    place.run(&["sync"]);
    place.at("2027-01-02T08:05:00Z");
    let pass = place.json(&["sync"]);
    let gone = cell(&place, &pass, "en");
    let text = gone["text"].as_str().unwrap();
    assert!(
        text.contains("on Sat 2 Jan 09:00, and still not on Sat 2 Jan 09:05"),
        "{text}"
    );
}

#[test]
fn a_french_plan_says_everything_in_french_also_what_was_before() {
    let place = Place::with(AT_ONCE);
    let sheet = |rows: &[&str]| {
        let head = "Titre,Date,Début,Statut,Visibilité\n";
        place.write("programme.csv", &format!("{head}{}\n", rows.join("\n")));
    };
    sheet(&[
        "Bal,2027-01-09,20:30,,",
        "Repas,2027-01-10,12:00,À confirmer,",
        "Chorale,2027-01-11,18:00,,",
        "Jeux,2027-01-12,18:00,,",
    ]);
    place.run(&["sync"]);
    sheet(&[
        "Bal,2027-01-09,20:30,Annulé,",
        "Chorale,2027-01-11,18:00,,Interne",
        "Jeux,2027-01-12,18:00,,",
    ]);
    let plan = place.json(&["--lang", "fr", "plan"]);
    let of = |title: &str| {
        let all = plan["effects"].as_array().unwrap();
        let effect = all
            .iter()
            .find(|effect| effect["title"] == title && effect["connector"] == "hook");
        let effect = effect.unwrap_or_else(|| panic!("{plan:#}"));
        (effect["before"].clone(), effect["after"].clone())
    };
    assert_eq!(
        of("Bal"),
        (json!("statut : confirmé"), json!("statut : annulé"))
    );
    assert_eq!(
        of("Repas"),
        (json!("statut : à confirmer"), json!("statut : annulé"))
    );
    assert_eq!(
        of("Chorale"),
        (
            json!("public ou interne : public"),
            json!("public ou interne : interne")
        )
    );
}

#[test]
fn why_knows_things_by_the_names_people_hold() {
    let place = Place::with(
        "[guards]\nsecond_look = '0s'\n[connectors.site]\nkind = 'website'\noutput = 'out'\nbase_url = 'https://programme.example.org'\n",
    );
    place.sheet(&lines(10));
    let pass = place.json(&["sync"]);
    let all = pass["effects"].as_array().unwrap();
    let id = all
        .iter()
        .find(|effect| effect["title"] == "Bal 0")
        .unwrap()["entity"]
        .as_str()
        .unwrap();
    place.sheet(&lines(2));
    let held = place.json(&["sync"]);
    let hold = held["holds"][0]["id"].as_str().unwrap();
    for (name, said) in [
        (format!("{id}@lieu.raccord"), "Bal 0"),
        (format!("out/activities/{id}.html"), "Bal 0"),
        (format!("./out/activities/{id}.html"), "Bal 0"),
        ("https://programme.example.org".to_owned(), "“site” holds"),
        (
            "https://programme.example.org/index.html".to_owned(),
            "“site” holds",
        ),
        ("out/index.html".to_owned(), "“site” holds"),
        (
            hold.to_owned(),
            "8 of 10 coming activities are gone at once",
        ),
    ] {
        let (exit, why) = place.run(&["why", &name]);
        assert_eq!(exit, Exit::Done, "{name}: {why}");
        assert!(why.contains(said), "{name}: {why}");
    }
    place.run(&["approve", hold]);
    let (_, why) = place.run(&["why", hold]);
    assert!(why.contains("Somebody said yes"), "{why}");
    for unknown in ["out/activities/none.html", "somebody@example.org"] {
        assert_eq!(place.run(&["why", unknown]).0, Exit::Failed, "{unknown}");
    }
}

#[test]
fn g01_why_leads_from_every_effect_to_the_cell_with_the_versions_that_were_at_work() {
    let place = Place::with(AT_ONCE);
    let mut sheet = lines(3);
    place.sheet(&sheet);
    place.run(&["sync"]);
    sheet[1] = sheet[1].replace("20:30", "19:00");
    place.sheet(&sheet);
    let pass = place.json(&["sync"]);
    let effects = pass["effects"].as_array().unwrap();
    let tools: std::collections::BTreeSet<_> = effects
        .iter()
        .map(|effect| effect["connector"].as_str().unwrap())
        .collect();
    assert_eq!(tools, ["hook", "site"].into());
    let version = env!("CARGO_PKG_VERSION");
    let delivered = place.receiver.writes();
    let sent = delivered.last().unwrap().header("webhook-id").to_owned();
    for (name, made) in [
        ("out/index.html".to_owned(), "website"),
        (
            effects[0]["entity"].as_str().unwrap().to_owned(),
            "spreadsheet",
        ),
        (sent, "spreadsheet"),
    ] {
        let why = place.json(&["--lang", "en", "why", &name]);
        let chain = why["chain"].as_array().unwrap();
        let says = |kind: &str, text: &str| {
            let text = format!("({text}, version {version})");
            chain
                .iter()
                .any(|step| step["kind"] == kind && step["text"].as_str().unwrap().contains(&text))
        };
        assert!(says("cell", "spreadsheet"), "{why:#}");
        assert!(made == "spreadsheet" || says("effect", made), "{why:#}");
        let cell = chain.iter().find(|step| step["kind"] == "cell").unwrap();
        assert_eq!(cell["ref"], "programme.csv!C3", "{why:#}");
        assert!(cell["at"].is_string(), "{why:#}");
    }
    for (lang, not_ours) in [
        ("en", "does not come from Raccord"),
        ("fr", "ne vient pas de Raccord"),
    ] {
        let (exit, said) = place.run(&["--lang", lang, "why", "https://elsewhere.example.org/bal"]);
        assert_eq!(exit, Exit::Failed);
        assert!(said.contains(not_ours), "{said}");
    }
}
