//! What an organiser sees before saying yes to what a sheet asks for.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{Place, lines};
use serde_json::json;

fn place() -> Place {
    Place::with(
        "[guards]\nsecond_look = '0s'\n\
         [connectors.site]\nkind = 'website'\noutput = 'out'\n\
         [[routes]]\nto = 'hook'\nwhen = { kind = 'Réunion' }\n",
    )
}

/// The answer without the id of the hold, which is derived and says nothing.
fn seen(place: &Place, lang: &str, command: &str) -> String {
    let hold = place.json(&["holds"])[0]["id"].as_str().unwrap().to_owned();
    let (_, said) = place.run(&["--lang", lang, command]);
    said.replace(&hold, "HOLD")
}

#[test]
fn g03_a_hold_of_a_sheet_shows_what_would_be_seen_and_where_before_the_yes() {
    let place = place();
    place.sheet(&lines(8));
    place.run(&["sync"]);
    // Half of the lines are gone, one that stays begins earlier, and one is new.
    let mut half = lines(4);
    half[1] = half[1].replace("20:30", "18:00");
    half.push("Bourse aux plantes,2027-03-20,14:00,Jardin".to_owned());
    place.sheet(&half);
    place.run(&["sync"]);
    insta::assert_snapshot!("hold-fr", seen(&place, "fr", "holds"));
    insta::assert_snapshot!("hold-en", seen(&place, "en", "holds"));
    insta::assert_snapshot!("hold-plan-fr", seen(&place, "fr", "plan"));
    insta::assert_snapshot!("hold-plan-en", seen(&place, "en", "plan"));
    // What was shown is what a yes does, and where.
    let hold = place.json(&["holds"])[0].clone();
    assert_eq!(hold["noticed_in"], json!(["site"]), "{hold:#}");
    let before = place.receiver.writes().len();
    let done = place.json(&["approve", hold["id"].as_str().unwrap()]);
    let tools = done["effects"].as_array().unwrap().iter();
    assert!(tools.clone().count() > 0, "{done:#}");
    assert!(
        tools
            .map(|effect| &effect["connector"])
            .all(|tool| tool == "site")
    );
    let activities = place.receiver.writes().split_off(before);
    let activities = activities.iter().filter(|seen| {
        let event: serde_json::Value = serde_json::from_slice(&seen.body).unwrap();
        event["type"].as_str().unwrap().contains(".activity.")
    });
    assert_eq!(activities.count(), 0);
}
