//! A programme that hangs on the wall: the file changes, the paper does not, and people are told.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use raccord_tests::place::Place;
use serde_json::Value;

const CONFIG: &str = r#"
[place]
id = "wall"
name = "Wall"
timezone = "Indian/Reunion"
language = "fr"
data = "data"
[connectors.sheet]
kind = "spreadsheet"
location = "p.csv"
[connectors.print]
kind = "programme"
output = "out"
[guards]
second_look = "0s"
"#;

const PRINTED: &str = "Titre,Date,Heure,Salle\n\
    Chorale,12/01/2027,18h30,Halle\n\
    Repas partagé,16/01/2027,12h,Cuisine\n";
const MOVED: &str = "Titre,Date,Heure,Salle\n\
    Chorale,12/01/2027,19h,Halle\n\
    Repas partagé,16/01/2027,12h,Cuisine\n\
    Bal,23/01/2027,20h,Halle\n";

const SINCE: &str = "out/programme-2027-01-since.pdf";

fn place() -> Place {
    let place = Place::new(CONFIG).unwrap().at("2026-12-20T08:00:00Z");
    place.save("p.csv", PRINTED.as_bytes()).unwrap();
    place.say(&["sync"]).unwrap();
    place
}

fn save(place: &Place, sheet: &str) -> Value {
    place.save("p.csv", sheet.as_bytes()).unwrap();
    place.run(&["sync"]).unwrap().json
}

fn outdated(answer: &Value) -> Vec<String> {
    let warnings = answer["warnings"].as_array().into_iter().flatten();
    warnings
        .filter(|warning| warning["code"] == "wall-outdated")
        .map(|warning| warning["text"].as_str().unwrap().replace('\u{a0}', " "))
        .collect()
}

#[test]
fn what_changes_after_it_was_put_up_is_told_and_has_a_sheet_until_the_wall_is_true_again() {
    let mut place = place();
    assert_eq!(outdated(&save(&place, PRINTED)), [""; 0]);
    let said = place.say(&["printed", "2027-01"]).unwrap();
    assert!(
        said.contains("Programme de janvier 2027, édition 1"),
        "{said}"
    );
    assert!(!place.path(SINCE).exists());

    place.is_at("2026-12-21T08:00:00Z");
    let answer = save(&place, MOVED);
    let told = outdated(&answer);
    assert_eq!(told.len(), 1, "{answer}");
    assert!(
        told[0].contains("« Chorale » a changé. « Bal » s’ajoute."),
        "{}",
        told[0]
    );
    assert!(!told[0].contains("Repas"), "{}", told[0]);
    assert!(place.path(SINCE).exists());

    // Taken back in the sheet: the wall is true again.
    let answer = save(&place, PRINTED);
    assert_eq!(outdated(&answer), [""; 0]);
    assert!(!place.path(SINCE).exists());
    save(&place, MOVED);
    assert!(place.path(SINCE).exists());

    // A new one is put up; then somebody remembers that it is still the first that hangs there.
    place.say(&["printed", "2027-01"]).unwrap();
    assert!(!place.path(SINCE).exists());
    let before = std::fs::read(place.path("out/programme-2027-01.pdf")).unwrap();
    let first = ["printed", "2027-01", "--edition", "1"];
    let said = place.say(&first).unwrap();
    assert!(said.contains("édition 1"), "{said}");
    assert!(place.path(SINCE).exists());
    let after = std::fs::read(place.path("out/programme-2027-01.pdf")).unwrap();
    assert!(before == after, "the programme itself is no new edition");

    place.say(&["printed", "2027-01", "--down"]).unwrap();
    assert!(!place.path(SINCE).exists());
    assert_eq!(outdated(&save(&place, MOVED)), [""; 0]);
}

#[test]
fn a_wall_of_which_nothing_is_left_is_told_and_can_be_taken_down() {
    let mut place = place();
    place.say(&["printed", "2027-01"]).unwrap();
    place.is_at("2026-12-21T08:00:00Z");
    let called_off = "Titre,Date,Heure,Salle,Statut\n\
        Chorale,12/01/2027,18h30,Halle,Annulé\n\
        Repas partagé,16/01/2027,12h,Cuisine,Annulé\n";
    save(&place, called_off);
    place.is_at("2026-12-22T08:00:00Z");
    let answer = save(&place, called_off);
    let told = outdated(&answer);
    assert_eq!(told.len(), 1, "{answer}");
    assert!(told[0].contains("Enlevez-le du mur."), "{}", told[0]);

    place.say(&["printed", "2027-01", "--down"]).unwrap();
    assert_eq!(outdated(&save(&place, called_off)), [""; 0]);
    let events = place.events().unwrap();
    let mut notices = events.iter().rev();
    let last = notices.find(|event| event["data"]["code"] == "wall-outdated");
    let last = last.unwrap();
    assert_eq!(last["data"]["state"], "closed", "{last}");
}

#[test]
fn a_month_or_an_edition_that_was_never_printed_is_refused_in_words() {
    let place = place();
    let refused = |arguments: &[&str]| {
        let answer = place.run(arguments).unwrap();
        assert_eq!(answer.code, 1, "{arguments:?}");
        answer.stderr
    };
    let said = refused(&["printed", "2027-03"]);
    assert!(said.contains("Ceux qui existent : 2027-01."), "{said}");
    let said = refused(&["printed", "2027-01", "--down"]);
    assert!(said.contains("Rien n'est au mur"), "{said}");
    let said = refused(&["printed", "2027-01", "--edition", "9"]);
    assert!(said.contains("la dernière est l'édition 1"), "{said}");
}
