//! A plan names what the pass after it makes, and a stale one changes nothing: with work that
//! waits, with another configuration, and when only time went by.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::collections::BTreeSet;
use std::fmt::Write as _;

use raccord_tests::place::Place;
use raccord_tests::receiver::Receiver;
use serde_json::Value;

const CONFIG: &str = r#"
[place]
id = "passes"
name = "Passes"
timezone = "Indian/Reunion"
language = "fr"
data = "data"
[connectors.sheet]
kind = "spreadsheet"
location = "p.csv"
[connectors.site]
kind = "website"
output = "out/site"
[connectors.print]
kind = "programme"
output = "out"
[guards]
second_look = "0s"
"#;

const SECOND_SITE: &str = r#"
[connectors.site2]
kind = "website"
output = "out/site2"
"#;

fn hook(receiver: &Receiver) -> String {
    format!(
        "[connectors.hook]\nkind = \"webhook\"\nurl = \"http://{}/in\"\n",
        receiver.address
    )
}

/// A sheet with so many activities from the second of January on.
fn sheet(lines: usize) -> String {
    let mut text = "Titre,Date,Heure,Salle\n".to_owned();
    for day in 0..lines {
        let (month, date) = ((day + 1) / 31 + 1, (day + 1) % 31 + 1);
        writeln!(text, "Activité {day},{date:02}/{month:02}/2027,18h30,Halle").unwrap();
    }
    text
}

fn place(config: &str, lines: usize) -> Place {
    let place = Place::new(config).unwrap();
    place.save("p.csv", sheet(lines).as_bytes()).unwrap();
    place
}

/// What is done to what, whatever its words.
fn effects(answer: &Value) -> BTreeSet<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let list = answer["effects"].as_array().unwrap();
    let named: BTreeSet<_> = list
        .iter()
        .map(|effect| {
            let of = |key: &str| text(&effect[key]);
            (of("connector"), of("entity"), of("action"))
        })
        .collect();
    assert_eq!(named.len(), list.len(), "an effect is named once: {answer}");
    named
}

/// Plans, makes the pass, and compares; gives what was made.
fn pass(place: &Place) -> BTreeSet<(String, String, String)> {
    let plan = place.run(&["plan"]).unwrap();
    let sync = place.run(&["sync"]).unwrap();
    let made = effects(&sync.json);
    assert_eq!(effects(&plan.json), made, "{} {}", plan.stderr, sync.stderr);
    assert_eq!(sync.json["done"], made.len());
    made
}

#[test]
fn what_waited_for_a_tool_that_was_down_is_planned_and_told() {
    let receiver = Receiver::start().unwrap();
    let mut place = place(&format!("{CONFIG}{}", hook(&receiver)), 3);
    receiver.refuse_with(Some("500 Internal Server Error"));
    place.run(&["sync"]).unwrap();
    receiver.refuse_with(None);
    place.is_at("2026-12-20T08:05:00Z");
    let made = pass(&place);
    assert_eq!(made.len(), 3);
    assert_eq!(received(&receiver), 3);
}

#[test]
fn a_tool_that_was_added_is_planned_and_told_whole() {
    let mut place = place(CONFIG, 5);
    place.run(&["sync"]).unwrap();
    place.configure(|config| config + SECOND_SITE).unwrap();
    place.is_at("2026-12-20T08:05:00Z");
    assert_eq!(pass(&place).len(), 6, "five pages and the programme");
    assert!(pass(&place).is_empty());
}

#[test]
fn what_changes_because_time_went_by_is_planned_and_told() {
    let mut place = place(CONFIG, 20);
    pass(&place);
    place.is_at("2027-01-11T08:00:00Z");
    assert_eq!(pass(&place).len(), 1, "the front page of the site");
}

#[test]
fn what_the_sheet_says_by_now_leaves_once_and_not_what_it_said_before() {
    let mut place = place(CONFIG, 3);
    pass(&place);
    place.configure(|config| config + SECOND_SITE).unwrap();
    let edited = sheet(3).replace("03/01/2027,18h30,Halle", "03/01/2027,18h30,Cour");
    place.save("p.csv", edited.as_bytes()).unwrap();
    place.is_at("2026-12-20T08:05:00Z");
    // Two pages and two front pages say something else, two pages are new, so is the PDF.
    assert_eq!(pass(&place).len(), 7);
}

#[test]
fn a_stale_plan_sends_nothing_of_what_waited() {
    let receiver = Receiver::start().unwrap();
    let mut place = place(&format!("{CONFIG}{}", hook(&receiver)), 3);
    receiver.refuse(true);
    place.run(&["sync"]).unwrap();
    receiver.refuse(false);
    place.is_at("2026-12-20T08:05:00Z");
    place.run(&["plan", "--out", &plan_file(&place)]).unwrap();
    place.save("p.csv", sheet(4).as_bytes()).unwrap();
    place.is_at("2026-12-20T08:06:00Z");
    assert_stale(&place);
    assert_eq!(received(&receiver), 0);
    place.save("p.csv", sheet(3).as_bytes()).unwrap();
    let sync = place.run(&["sync", "--plan", &plan_file(&place)]).unwrap();
    assert_eq!((sync.code, &sync.json["done"]), (0, &Value::from(3)));
    assert_eq!(received(&receiver), 3);
}

#[test]
fn a_plan_is_stale_once_the_configuration_changed_and_nothing_is_made() {
    let mut place = place(CONFIG, 5);
    place.run(&["sync"]).unwrap();
    place.run(&["plan", "--out", &plan_file(&place)]).unwrap();
    place.configure(|config| config + SECOND_SITE).unwrap();
    place.is_at("2026-12-20T08:05:00Z");
    assert_stale(&place);
    assert!(!place.path("out/site2").exists());
    assert_eq!(pass(&place).len(), 6);
}

#[test]
fn a_site_that_is_pointed_elsewhere_is_made_there_whole() {
    let mut place = place(CONFIG, 5);
    pass(&place);
    place.is_at("2026-12-20T08:05:00Z");
    let elsewhere = |config: String| config.replace("out/site", "public");
    place.configure(elsewhere).unwrap();
    assert_eq!(pass(&place).len(), 6);
    assert!(place.path("public/index.html").exists());
    assert_eq!(files(&place, "public/activities"), 10);
    let back = |config: String| config.replace("public", "out/site");
    place.configure(back).unwrap();
    place.save("p.csv", sheet(6).as_bytes()).unwrap();
    // What stands there already is as it should be, which only a look at it can tell.
    assert_eq!(pass(&place).len(), 8, "six pages, the front page, the PDF");
    assert!(pass(&place).is_empty());
}

#[test]
fn what_somebody_deleted_is_made_again_and_what_is_over_stays_away() {
    let mut place = place(CONFIG, 40);
    pass(&place);
    place.is_at("2027-02-01T08:00:00Z");
    place.run(&["sync"]).unwrap();
    std::fs::remove_dir_all(place.path("out")).unwrap();
    // Ten activities are still to come, in February.
    assert_eq!(pass(&place).len(), 12);
    assert!(place.path("out/programme-2027-02.pdf").exists());
    assert!(!place.path("out/programme-2027-01.pdf").exists());
    assert!(place.path("out/site/index.html").exists());
    let pages = place.path("out/site/activities");
    let page = std::fs::read_dir(pages).unwrap().next().unwrap().unwrap();
    std::fs::remove_file(page.path()).unwrap();
    std::fs::remove_file(place.path("out/site/index.html")).unwrap();
    assert!((1..=2).contains(&pass(&place).len()));
    assert!(place.path("out/site/index.html").exists());
    assert!(pass(&place).is_empty());
}

#[test]
fn a_folder_that_was_moved_with_all_it_holds_is_left_as_it_is() {
    let config = CONFIG.replace("output = \"out", "output = \"made/out");
    let place = place(&config, 5);
    pass(&place);
    std::fs::rename(place.path("made"), place.path("kept")).unwrap();
    place
        .configure(|config| config.replace("made/out", "kept/out"))
        .unwrap();
    let sync = place.run(&["sync"]).unwrap();
    let effects = sync.json["effects"].as_array().unwrap();
    assert!(effects.iter().all(|effect| effect["unchanged"] == true));
}

#[test]
fn a_route_that_takes_most_of_a_site_away_waits_for_a_yes() {
    let config = CONFIG.replace("[guards]\nsecond_look = \"0s\"\n", "");
    let mut place = place(&config, 12);
    pass(&place);
    place.is_at("2026-12-20T08:05:00Z");
    let route =
        "[[routes]]\nto = \"site\"\nwhen = { entity = \"activity\", title = \"Activité 1*\" }\n";
    place.configure(|config| config + route).unwrap();
    let plan = place.run(&["plan"]).unwrap();
    assert_eq!(plan.code, 3);
    assert!(effects(&plan.json).is_empty());
    let held = plan.json["holds"][0]["effects"].as_array().unwrap();
    assert_eq!(held.len(), 9);
    let of_the_site =
        |effect: &Value| effect["connector"] == "site" && effect["action"] == "remove";
    assert!(held.iter().all(of_the_site), "{held:?}");
    let sync = place.run(&["sync"]).unwrap();
    assert_eq!((sync.code, &sync.json["done"]), (3, &Value::from(0)));
    assert_eq!(files(&place, "out/site/activities"), 24);
    let hold = sync.json["holds"][0]["id"].as_str().unwrap().to_owned();
    let approved = place.run(&["approve", &hold]).unwrap();
    assert_eq!(approved.json["effects"].as_array().unwrap().len(), 10);
    assert_eq!(files(&place, "out/site/activities"), 6);
    assert!(pass(&place).is_empty());
}

#[test]
fn a_route_that_takes_little_away_is_followed() {
    let mut place = place(CONFIG, 12);
    pass(&place);
    place.is_at("2026-12-20T08:05:00Z");
    let route = "[[routes]]\nto = \"site\"\nwhen = { entity = \"activity\", title = [\"Activité ?\", \"Activité 11\"] }\n";
    place.configure(|config| config + route).unwrap();
    assert_eq!(pass(&place).len(), 2, "one page, and the front page");
}

#[test]
fn a_file_in_the_place_of_the_folder_is_an_outage_that_ends_by_itself() {
    let mut place = place(CONFIG, 5);
    std::fs::write(place.path("out"), b"in the way").unwrap();
    let check = place.run(&["check"]).unwrap();
    assert_eq!(check.code, 1);
    let sync = place.run(&["sync"]).unwrap();
    assert_eq!(sync.json["dead"], Value::Array(Vec::new()));
    assert_eq!(sync.json["done"], 0);
    assert_eq!(sync.json["later"].as_array().unwrap().len(), 7);
    std::fs::remove_file(place.path("out")).unwrap();
    place.is_at("2026-12-20T08:05:00Z");
    assert_eq!(pass(&place).len(), 7);
    assert!(place.path("out/programme-2027-01.pdf").exists());
    assert_eq!(files(&place, "out/site/activities"), 10);
}

#[test]
fn an_output_where_nothing_can_be_made_is_found_by_check() {
    let place = place(&CONFIG.replace("\"out", "\"/proc/out"), 1);
    let check = place.run(&["check"]).unwrap();
    assert_eq!(check.code, 1);
    let errors = check.json.as_array().unwrap().iter();
    assert_eq!(errors.filter(|error| error["level"] == "error").count(), 2);
}

#[test]
fn all_that_a_receiver_refused_is_tried_again_by_its_name() {
    let receiver = Receiver::start().unwrap();
    let mut place = place(&format!("{CONFIG}{}", hook(&receiver)), 3);
    receiver.refuse_with(Some("400 Bad Request"));
    place.run(&["sync"]).unwrap();
    receiver.refuse_with(None);
    place.is_at("2026-12-20T08:05:00Z");
    let said = place.say(&["dead"]).unwrap();
    assert!(said.contains("raccord retry hook"), "{said}");
    let retried = place.run(&["retry", "hook"]).unwrap();
    assert_eq!(retried.code, 0, "{}", retried.stderr);
    assert_eq!(retried.json["effects"].as_array().unwrap().len(), 3);
    assert_eq!(received(&receiver), 3);
    assert_eq!(place.run(&["sync"]).unwrap().code, 0);
}

/// How many files a folder holds.
fn files(place: &Place, folder: &str) -> usize {
    std::fs::read_dir(place.path(folder)).unwrap().count()
}

/// A pass with the plan that was written is refused, and the log has no word of it.
fn assert_stale(place: &Place) {
    let commits = || place.run(&["rebuild"]).unwrap().json["commits"].clone();
    let before = commits();
    let sync = place.run(&["sync", "--plan", &plan_file(place)]).unwrap();
    assert_eq!(sync.code, 1);
    assert!(sync.stderr.contains("plan-stale"), "{}", sync.stderr);
    assert_eq!(before, commits());
}

#[test]
fn a_receiver_that_takes_nothing_does_not_keep_a_pass_busy() {
    let receiver = Receiver::start().unwrap();
    let place = place(&format!("{CONFIG}{}", hook(&receiver)), 3);
    receiver.refuse_with(Some("400 Bad Request"));
    let sync = place.run(&["sync"]).unwrap();
    assert_eq!(sync.code, 3, "what was set aside waits for a person");
    assert_eq!(
        receiver.refused(),
        6,
        "three events, and one notice for each"
    );
}

#[test]
fn a_receiver_that_asked_for_quiet_is_left_alone_by_the_next_passes_too() {
    let receiver = Receiver::start().unwrap();
    let mut place = place(&format!("{CONFIG}{}", hook(&receiver)), 3);
    receiver.refuse_with(Some("503 Service Unavailable\r\nretry-after: 600"));
    place.is_at("2026-12-20T09:00:00Z");
    let sync = place.run(&["sync"]).unwrap();
    let asked = receiver.refused();
    assert!(asked > 0);
    let later = sync.json["later"].as_array().unwrap();
    assert_eq!(later.len(), 3);
    for waiting in later {
        let due = waiting["due"].as_str().unwrap();
        assert!(due.starts_with("2026-12-20T09:10:0"), "{due}");
    }
    place.is_at("2026-12-20T09:05:00Z");
    let sync = place.run(&["sync"]).unwrap();
    assert_eq!(receiver.refused(), asked, "it is left alone");
    assert_eq!(sync.json["later"].as_array().unwrap().len(), 3);
    receiver.refuse_with(None);
    place.is_at("2026-12-20T09:11:00Z");
    assert_eq!(pass(&place).len(), 3);
    assert_eq!(received(&receiver), 3);
}

fn plan_file(place: &Place) -> String {
    place.path("plan.json").display().to_string()
}

/// How many events about activities were received.
fn received(receiver: &Receiver) -> usize {
    let is_activity = |body: &[u8]| String::from_utf8_lossy(body).contains(".activity.");
    let bodies = receiver.received();
    let bodies = bodies.values().flatten();
    bodies.filter(|body| is_activity(body)).count()
}
