//! Entries as the programs of members write them: adopted, brought up to date, and not a line lost.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{Stage, activity};
use jiff::civil::date;
use jiff::tz::TimeZone;
use raccord_connector_nextcloud_calendar::ical::{entry, lines::Lines};
use raccord_model::{Digest, Link};
use serde_json::json;

fn corpus() -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<(String, Vec<u8>)> = std::fs::read_dir("tests/foreign")
        .unwrap()
        .map(|file| file.unwrap().path())
        .map(|path| {
            (
                path.file_name().unwrap().to_string_lossy().into_owned(),
                std::fs::read(path).unwrap(),
            )
        })
        .collect();
    all.sort();
    assert!(all.len() >= 10);
    all
}

#[test]
fn every_program_is_read_and_written_back_byte_for_byte() {
    let zone = TimeZone::get("Europe/Paris").unwrap();
    let told: Vec<String> = corpus()
        .into_iter()
        .map(|(name, bytes)| {
            assert_eq!(Lines::read(&bytes).unwrap().bytes(), bytes, "{name}");
            // Some fold inside a character: what is read is unfolded first.
            let text = Lines::read(&bytes).unwrap().text();
            let found =
                entry::occurrences(&text, &zone, date(2027, 1, 1), date(2027, 3, 10)).unwrap();
            let starts: Vec<String> = found
                .iter()
                .map(|(_, entry)| format!("{} {}", entry.start, entry.title))
                .collect();
            format!("{name}: {}", starts.join(" | "))
        })
        .collect();
    assert_eq!(
        told,
        [
            "apple-calendar.ics: 2027-01-05T19:00 Répétition",
            "davx5.ics: 2027-01-08T19:30 Chorale | 2027-01-22T18:00 Chorale (dans la cour) | 2027-01-29T19:30 Chorale | 2027-02-05T19:30 Chorale | 2027-02-12T19:30 Chorale | 2027-02-19T19:30 Chorale | 2027-02-26T19:30 Chorale",
            "evolution.ics: 2027-01-12T14:00 Tri des livres",
            "folded-inside-a-character.ics: 2027-01-21T19:00 Cinéma",
            "google.ics: 2027-01-07T19:00 Soirée jeux",
            "lower-case-and-tabs.ics: 2027-01-20 Minuscules et tabulations",
            "nextcloud-web.ics: 2027-01-16 Week-end chantier 🎉",
            "outlook.ics: 2027-01-11T18:30 Conseil d'administration",
            "plain-line-ends.ics: 2027-01-22T18:00 Fins de ligne LF",
            "thunderbird.ics: 2027-01-06T18:00 Atelier soudure",
        ]
    );
}

/// What is ours in an entry, and what goes with it.
const OURS: [&str; 14] = [
    "SUMMARY",
    "DTSTART",
    "DTEND",
    "DURATION",
    "LOCATION",
    "URL",
    "STATUS",
    "DESCRIPTION",
    "CATEGORIES",
    "DTSTAMP",
    "LAST-MODIFIED",
    "SEQUENCE",
    "EXDATE",
    "RECURRENCE-ID",
];

/// The lines that are not ours, with their folds.
fn theirs(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        match lines.last_mut() {
            Some(last) if line.starts_with(b" ") || line.starts_with(b"\t") => last.extend(line),
            _ => lines.push(line.to_vec()),
        }
    }
    lines.retain(|line| {
        let name = String::from_utf8_lossy(line)
            .split([':', ';'])
            .next()
            .unwrap_or_default()
            .to_ascii_uppercase();
        !OURS.contains(&name.as_str())
    });
    lines
}

#[tokio::test]
async fn every_program_is_adopted_and_keeps_each_line_that_is_not_ours() {
    for (name, bytes) in corpus() {
        if name.starts_with("folded") {
            continue; // A stand-in that speaks XML cannot hand it out; see the test above.
        }
        let stage = Stage::open().await;
        stage.cloud.member_puts(
            "programme",
            &name,
            &String::from_utf8(bytes.clone()).unwrap(),
        );
        let adopted = Link {
            external: format!("/remote.php/dav/calendars/raccord/programme/{name}"),
            ..Link::nameless(Digest::default())
        };
        let entity = activity(1, json!({ "title": "Bal, le grand", "room": "Cour" }));
        let link = stage.put(&entity, Some(adopted)).await;
        let later = activity(
            1,
            json!({ "title": "Bal", "room": null, "start": "2027-02-01", "end": null }),
        );
        stage.put(&later, Some(link)).await;
        let after = stage.cloud.text("programme", &name);
        for line in theirs(&bytes) {
            let line = String::from_utf8(line).unwrap();
            assert!(after.contains(&line), "{name} lost {line:?}:\n{after}");
        }
        assert!(
            after.to_uppercase().contains("SUMMARY") && after.contains("Bal"),
            "{after}"
        );
    }
}

#[test]
fn a_rule_without_an_end_ends() {
    let zone = TimeZone::get("Europe/Paris").unwrap();
    let start = std::time::Instant::now();
    for rule in [
        "FREQ=SECONDLY",
        "FREQ=DAILY",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=WEEKLY;UNTIL=99990101",
        "FREQ=MONTHLY;BYSETPOS=-1;BYDAY=MO,TU,WE,TH,FR,SA,SU",
        "FREQ=YEARLY;BYYEARDAY=366;INTERVAL=3",
        "FREQ=DAILY;COUNT=4000000000",
        "FREQ=WEEKLY;BYHOUR=1,2,3;BYMINUTE=1,2,3;BYSECOND=1,2,3",
        "FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO;BYMONTH=6",
    ] {
        let text = format!(
            "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:a\r\nDTSTART:19700101T100000Z\r\nRRULE:{rule}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        );
        let found = entry::occurrences(&text, &zone, date(2027, 1, 1), date(2028, 2, 1));
        assert!(found.is_ok_and(|found| found.len() <= 400), "{rule}");
    }
    assert!(
        start.elapsed() < std::time::Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn an_entry_in_a_zone_of_its_own_is_read_by_the_rules_it_brings() {
    let text = include_str!("own_zone.ics");
    let reunion = TimeZone::get("Indian/Reunion").unwrap();
    let read = entry::read(text, &reunion).unwrap();
    // 20:00 in summer there, two hours behind what it is here.
    assert_eq!(read.start.to_string(), "2027-07-02T22:00");
    let again = text.replace("SUMMARY:", "RRULE:FREQ=WEEKLY\r\nSUMMARY:");
    let from = date(2027, 1, 1);
    let until = date(2028, 1, 1);
    let refused = entry::occurrences(&again, &reunion, from, until);
    assert!(matches!(refused, Err(entry::Odd::Zone(_))), "{refused:?}");
}
