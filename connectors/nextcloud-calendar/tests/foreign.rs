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
}

/// The starts of an entry that repeats, as they are told in Paris.
fn repeated(zones: &str, inner: &str) -> Vec<String> {
    let text = format!(
        "BEGIN:VCALENDAR\r\n{zones}BEGIN:VEVENT\r\nUID:a\r\nSUMMARY:Chorale\r\n{inner}END:VEVENT\r\nEND:VCALENDAR\r\n"
    );
    let paris = TimeZone::get("Europe/Paris").unwrap();
    let found = entry::occurrences(&text, &paris, date(2027, 1, 1), date(2028, 1, 1)).unwrap();
    let starts = found.into_iter().map(|(_, entry)| entry.start.to_string());
    starts.collect()
}

/// A zone as Outlook makes it up, with the rules of Paris, or two hours ahead.
fn made_up(name: &str, hours: i8) -> String {
    let (winter, summer) = (1 + hours, 2 + hours);
    format!(
        "BEGIN:VTIMEZONE\r\nTZID:{name}\r\nBEGIN:STANDARD\r\nDTSTART:16010101T030000\r\nTZOFFSETFROM:+0{summer}00\r\nTZOFFSETTO:+0{winter}00\r\nRRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10\r\nEND:STANDARD\r\nBEGIN:DAYLIGHT\r\nDTSTART:16010101T020000\r\nTZOFFSETFROM:+0{winter}00\r\nTZOFFSETTO:+0{summer}00\r\nRRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\n"
    )
}

#[test]
fn what_repeats_is_followed_in_its_own_zone_whoever_made_that_up() {
    let own = "Customized Time Zone";
    let weekly = |zone: &str, rest: &str| {
        format!(
            "DTSTART;TZID={zone}:20270316T200000\r\nDTEND;TZID={zone}:20270316T220000\r\nRRULE:FREQ=WEEKLY;{rest}"
        )
    };
    let paris = [
        "2027-03-16T20:00",
        "2027-03-23T20:00",
        "2027-03-30T20:00",
        "2027-04-06T20:00",
    ];
    // Two hours ahead there, and the clock changes there on the same night.
    let ahead = [
        "2027-03-16T18:00",
        "2027-03-23T18:00",
        "2027-03-30T18:00",
        "2027-04-06T18:00",
    ];
    let lic =
        "BEGIN:VTIMEZONE\r\nTZID:/x/made-up\r\nX-LIC-LOCATION:Europe/Paris\r\nEND:VTIMEZONE\r\n";
    let cases = [
        (made_up(own, 0), weekly(own, "COUNT=4\r\n"), paris),
        (made_up(own, 2), weekly(own, "COUNT=4\r\n"), ahead),
        // The end of a rule is told in UTC: 18:00 is the last one's hour, in summer.
        (
            made_up(own, 0),
            weekly(own, "UNTIL=20270406T180000Z\r\n"),
            paris,
        ),
        (
            made_up(own, 2),
            weekly(own, "UNTIL=20270406T160000Z\r\n"),
            ahead,
        ),
        (
            String::new(),
            weekly("Europe/Paris", "UNTIL=20270406T180000Z\r\n"),
            paris,
        ),
        // By the day, or by the wall's clock, as some programs write it.
        (
            String::new(),
            weekly("Europe/Paris", "UNTIL=20270406\r\n"),
            paris,
        ),
        (
            String::new(),
            weekly("Europe/Paris", "UNTIL=20270406T200000\r\n"),
            paris,
        ),
        // Names of Windows, of Outlook, of a path, of a place that is said beside.
        (
            String::new(),
            weekly("Romance Standard Time", "COUNT=4\r\n"),
            paris,
        ),
        (
            made_up("\"(UTC+01:00) Brussels, Paris\"", 0).replace('"', ""),
            weekly("\"(UTC+01:00) Brussels, Paris\"", "COUNT=4\r\n"),
            paris,
        ),
        (
            String::new(),
            weekly(
                "/freeassociation.sourceforge.net/Europe/Paris",
                "COUNT=4\r\n",
            ),
            paris,
        ),
        (
            String::new(),
            weekly(
                "\"(UTC+01:00) Brussels, Copenhagen, Madrid, Paris\"",
                "COUNT=4\r\n",
            ),
            paris,
        ),
        // What its name says of itself, where it says no more than that.
        (
            String::new(),
            weekly("UTC-02", "COUNT=4\r\n"),
            [
                "2027-03-16T23:00",
                "2027-03-23T23:00",
                "2027-03-31T00:00",
                "2027-04-07T00:00",
            ],
        ),
        (lic.to_owned(), weekly("/x/made-up", "COUNT=4\r\n"), paris),
        // In no zone, and in UTC.
        (
            String::new(),
            "DTSTART:20270316T200000\r\nRRULE:FREQ=WEEKLY;UNTIL=20270406T180000Z\r\n".to_owned(),
            paris,
        ),
    ];
    for (zones, inner, starts) in cases {
        assert_eq!(repeated(&zones, &inner), starts, "{zones}{inner}");
    }
}

#[test]
fn days_that_are_left_out_or_moved_are_found_in_whatever_zone_they_are_told() {
    let own = "Customized Time Zone";
    let zones = made_up(own, 2);
    let rule = "RRULE:FREQ=WEEKLY;COUNT=4\r\n";
    let starts = format!("DTSTART;TZID={own}:20270316T200000\r\n{rule}");
    let left = ["2027-03-16T18:00", "2027-03-30T18:00", "2027-04-06T18:00"];
    for out in [
        format!("EXDATE;TZID={own}:20270323T200000"),
        "EXDATE:20270323T170000Z".to_owned(),
        "EXDATE;TZID=Europe/Paris:20270323T180000".to_owned(),
    ] {
        assert_eq!(
            repeated(&zones, &format!("{starts}{out}\r\n")),
            left,
            "{out}"
        );
    }
    let known =
        format!("DTSTART;TZID=Europe/Paris:20270316T180000\r\n{rule}EXDATE:20270323T170000Z\r\n");
    assert_eq!(repeated("", &known), left);
    let utc =
        format!("DTSTART:20270316T170000Z\r\n{rule}EXDATE;TZID=Europe/Paris:20270323T180000\r\n");
    // By the clock of UTC an hour later here, in summer.
    assert_eq!(
        repeated("", &utc),
        ["2027-03-16T18:00", "2027-03-30T19:00", "2027-04-06T19:00"]
    );
    // One that was moved by a member on a phone, which tells it in UTC.
    let moved = format!(
        "{starts}END:VEVENT\r\nBEGIN:VEVENT\r\nUID:a\r\nRECURRENCE-ID:20270323T170000Z\r\nDTSTART;TZID={own}:20270324T210000\r\nSUMMARY:Chorale, mercredi\r\n"
    );
    assert_eq!(
        repeated(&zones, &moved),
        [
            "2027-03-16T18:00",
            "2027-03-24T19:00",
            "2027-03-30T18:00",
            "2027-04-06T18:00"
        ]
    );
    // Whole days end with a day, or with an instant that is midnight here.
    let days = ["2027-03-16", "2027-03-23"];
    for until in ["20270323", "20270323T225959Z", "20270322T230000Z"] {
        let whole = format!("DTSTART;VALUE=DATE:20270316\r\nRRULE:FREQ=WEEKLY;UNTIL={until}\r\n");
        assert_eq!(repeated("", &whole), days, "{until}");
    }
}

#[test]
fn a_zone_that_is_neither_known_nor_described_is_told() {
    let text = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:a\r\nDTSTART;TZID=Nulle part:20270316T200000\r\nRRULE:FREQ=WEEKLY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let paris = TimeZone::get("Europe/Paris").unwrap();
    let refused = entry::occurrences(text, &paris, date(2027, 1, 1), date(2028, 1, 1));
    assert_eq!(refused, Err(entry::Odd::Zone("Nulle part".into())));
}

#[test]
fn an_entry_with_a_zone_for_each_of_its_days_is_refused_at_once() {
    let day = |n: usize| format!("EXDATE;TZID=a{n}:20270316T200000\r\n");
    let days = (0..20_000).map(day).collect::<Vec<_>>().concat();
    let text = format!(
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:a\r\nDTSTART:20270316T200000\r\nRRULE:FREQ=WEEKLY\r\n{days}END:VEVENT\r\nEND:VCALENDAR\r\n"
    );
    let paris = TimeZone::get("Europe/Paris").unwrap();
    let begun = std::time::Instant::now();
    let refused = entry::occurrences(&text, &paris, date(2027, 1, 1), date(2028, 1, 1));
    assert!(matches!(refused, Err(entry::Odd::Zone(_))), "{refused:?}");
    // Twenty thousand searches of twenty thousand lines took minutes.
    assert!(begun.elapsed() < std::time::Duration::from_secs(10));
}
