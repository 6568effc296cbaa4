//! A place at rest holds nothing open, and nobody takes it for one that does not run.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::path::{Path, PathBuf};

use raccord_tests::place::Place;
use raccord_tests::working::Working;

fn sheet(hour: &str) -> Vec<u8> {
    format!("Titre,Date,Heure\nConcert,02/01/2027,{hour}\n").into_bytes()
}

/// A place that knows its sheet already: started again, it has nothing to do.
fn at_rest() -> Working {
    let working = Working::start(|address| {
        let place = Place::new(&format!(
            "[place]\nid = \"halle\"\nname = \"La halle\"\ntimezone = \"Europe/Paris\"\nlanguage = \"fr\"\ndata = \"data\"\n\
             [web]\nlisten = \"{address}\"\nadmin_token = \"secret-of-the-test\"\n\
             [connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"programme.csv\"\n\
             [connectors.site]\nkind = \"website\"\noutput = \"out\"\n"
        ))?;
        place.save("programme.csv", &sheet("18h30"))?;
        Ok(place)
    })
    .unwrap();
    shows(&working, "Concert");
    let address = working.address();
    let place = working.leave().unwrap();
    let working = Working::start_at(address, place).unwrap();
    falls_asleep(&working);
    working
}

fn shows(working: &Working, title: &str) {
    let page = working.place.path("out/activities.json");
    working.until(&format!("{title} is not shown"), || {
        std::fs::read_to_string(&page).is_ok_and(|text| text.contains(title))
    });
}

/// What of the place's data the daemon holds open.
fn open_files(working: &Working) -> Vec<PathBuf> {
    let data = working.place.path("data");
    let all = std::fs::read_dir(format!("/proc/{}/fd", working.pid())).unwrap();
    let all = all
        .flatten()
        .filter_map(|entry| std::fs::read_link(entry.path()).ok());
    all.filter(|path: &PathBuf| path.starts_with(&data))
        .collect()
}

fn falls_asleep(working: &Working) {
    working.until("it holds files open", || open_files(working).is_empty());
}

fn says(stderr: &str, code: &str) {
    assert!(stderr.contains(code), "{stderr}");
}

#[test]
fn a_place_that_sleeps_is_still_the_daemons() {
    let working = at_rest();
    let place = &working.place;

    let saved = place.run(&["backup", &path(&place.path("saved"))]).unwrap();
    assert_eq!(saved.code, 0, "{}", saved.stderr);
    let second = place.run(&["run"]).unwrap();
    assert_ne!(second.code, 0);
    let restored = place
        .run(&["restore", &path(&place.path("saved"))])
        .unwrap();
    assert_ne!(restored.code, 0);
    for refused in [second, restored] {
        says(&format!("{}{}", refused.json, refused.stderr), "log.locked");
    }

    falls_asleep(&working);
    let pass = place.run(&["sync"]).unwrap();
    assert_eq!(pass.code, 0, "the daemon answers: {}", pass.stderr);
    assert_eq!(working.get("/").unwrap().0, 200);
    let events = || place.events().unwrap().len();
    let before = events();
    place.save("programme.csv", &sheet("19h00")).unwrap();
    working.until("the change wakes nobody", || events() > before);
    working.stop().unwrap();
}

#[test]
fn a_daemon_killed_in_its_sleep_leaves_nothing_to_clean_up() {
    let working = at_rest();
    let address = working.address();
    let place = working.killed();
    place.save("programme.csv", &sheet("19h00")).unwrap();
    let pass = place.run(&["sync"]).unwrap();
    assert_eq!(pass.code, 0, "{}", pass.stderr);
    let working = Working::start_at(address, place).unwrap();
    falls_asleep(&working);
    working.stop().unwrap();
}

fn path(path: &Path) -> String {
    path.display().to_string()
}
