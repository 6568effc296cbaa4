//! The calendar, read back by a reader of its own, and its time zones.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::fs;

use common::{TODAY, entity, programme, publication, site, write};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use raccord_model::{Entity, Lang};
use serde_json::{Value, json};

/// The content lines of a calendar, unfolded: name with parameters, value.
fn lines(text: &str) -> Vec<(String, String)> {
    assert!(text.ends_with("\r\n"));
    let mut out: Vec<String> = Vec::new();
    for line in text.split_terminator("\r\n") {
        assert!(line.len() <= 75, "{line}");
        assert!(!line.contains(['\r', '\n']), "{line:?}");
        match line.strip_prefix(' ') {
            Some(more) => out.last_mut().unwrap().push_str(more),
            None => out.push(line.to_owned()),
        }
    }
    out.into_iter()
        .map(|line| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_owned(), value.to_owned())
        })
        .collect()
}

/// A text value as it was before escaping.
fn plain(value: &str) -> String {
    let mut out = String::new();
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, false) => out.push(c),
            (_, true) => match chars.next().unwrap() {
                'n' => out.push('\n'),
                other => out.push(other),
            },
        }
    }
    out
}

fn calendar(members: &[Entity]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let (tool, _) = site(folder.path(), json!({ "output": "." }));
    let job = write(publication(), programme(&*tool, members, Lang::Fr, TODAY));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(tool.sink().unwrap().apply(&job)).unwrap();
    fs::read_to_string(folder.path().join("calendar.ics")).unwrap()
}

fn one(fields: &Value) -> Vec<(String, String)> {
    let mut all = json!({ "title": "Bal" });
    for (key, value) in fields.as_object().unwrap() {
        all[key] = value.clone();
    }
    lines(&calendar(&[entity("a", all)]))
}

fn value<'a>(lines: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let event = lines
        .iter()
        .position(|(_, value)| value == "VEVENT")
        .unwrap();
    lines[event..]
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
}

#[test]
fn whole_days_end_the_morning_after() {
    let read = one(&json!({ "start": "2027-01-30", "end": "2027-01-31" }));
    assert_eq!(value(&read, "DTSTART;VALUE=DATE"), Some("20270130"));
    assert_eq!(value(&read, "DTEND;VALUE=DATE"), Some("20270201"));
    assert!(!read.iter().any(|(_, value)| value == "VTIMEZONE"));
}

#[test]
fn a_night_past_midnight_ends_on_the_next_day() {
    let read = one(&json!({ "start": "2027-01-15T20:30", "end": "2027-01-16T00:30" }));
    assert_eq!(
        value(&read, "DTSTART;TZID=Indian/Reunion"),
        Some("20270115T203000")
    );
    assert_eq!(
        value(&read, "DTEND;TZID=Indian/Reunion"),
        Some("20270116T003000")
    );
}

#[test]
fn an_end_that_is_not_after_the_start_is_left_out() {
    let read = one(&json!({ "start": "2027-01-15T20:30", "end": "2027-01-15T20:30" }));
    assert_eq!(value(&read, "DTEND;TZID=Indian/Reunion"), None);
}

#[test]
fn sequence_status_uid_and_categories_follow_the_activity() {
    let mut activity = entity(
        "a",
        json!({ "title": "Bal, ou pas; \\o/", "start": "2027-01-15T20:30", "kind": "Concert",
                "status": "tentative", "tags": ["danse", "a,b"] }),
    );
    activity.revision = 4;
    let id = activity.id;
    let read = lines(&calendar(&[activity]));
    assert_eq!(
        value(&read, "UID"),
        Some(format!("{id}@raffinerie.raccord").as_str())
    );
    assert_eq!(value(&read, "SEQUENCE"), Some("3"));
    assert_eq!(value(&read, "STATUS"), Some("TENTATIVE"));
    assert_eq!(value(&read, "SUMMARY"), Some("Bal\\, ou pas\\; \\\\o/"));
    assert_eq!(value(&read, "CATEGORIES"), Some("Concert,danse,a\\,b"));
}

/// The offset a VTIMEZONE gives for a civil time, read as RFC 5545 says: that of the observance
/// with the latest onset before it.
fn offset(read: &[(String, String)], at: DateTime) -> i32 {
    let stamp = at.strftime("%Y%m%dT%H%M%S").to_string();
    let mut best: Option<(String, i32)> = None;
    let mut onsets: Vec<String> = Vec::new();
    for (name, value) in read {
        match (name.as_str(), value.as_str()) {
            ("BEGIN", "VEVENT") => break,
            ("BEGIN", "STANDARD" | "DAYLIGHT") => onsets.clear(),
            ("DTSTART", onset) => onsets.push(onset.to_owned()),
            ("RDATE", more) => onsets.extend(more.split(',').map(str::to_owned)),
            ("TZOFFSETTO", to) => {
                let number = |range: std::ops::Range<usize>| to[range].parse::<i32>().unwrap();
                let sign = if to.starts_with('-') { -1 } else { 1 };
                let seconds = sign * (number(1..3) * 3600 + number(3..5) * 60);
                for onset in onsets.iter().filter(|onset| **onset <= stamp) {
                    if best.as_ref().is_none_or(|(known, _)| known < onset) {
                        best = Some((onset.clone(), seconds));
                    }
                }
            }
            _ => {}
        }
    }
    best.unwrap().1
}

#[test]
fn clocks_change_when_the_zone_says_over_the_years_a_calendar_covers() {
    for name in [
        "Europe/Paris",
        "Indian/Reunion",
        "America/New_York",
        "Australia/Lord_Howe",
        "Africa/Casablanca",
        "Europe/Dublin",
        "UTC",
    ] {
        let zone = TimeZone::get(name).unwrap();
        let members: Vec<Entity> = [
            "2027-01-02T10:00",
            "2027-03-27T12:00",
            "2027-03-28T12:00",
            "2027-07-14T18:30",
            "2027-10-30T23:00",
            "2027-10-31T12:00",
            "2028-02-10T10:00",
            "2029-08-01T20:00",
        ]
        .iter()
        .map(|start| {
            entity(
                start,
                json!({ "title": "Bal", "start": start, "zone": name }),
            )
        })
        .collect();
        let read = lines(&calendar(&members));
        for member in &members {
            let at: DateTime = member.text("start").parse().unwrap();
            let expected = zone
                .to_ambiguous_zoned(at)
                .compatible()
                .unwrap()
                .offset()
                .seconds();
            assert_eq!(offset(&read, at), expected, "{name} {at}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_activity_gives_a_calendar_and_pages_that_hold_together(
        title in "\\PC{1,80}|.{1,80}",
        room in ".{0,40}",
        description in "(.|\n){0,400}",
        kind in ".{0,20}",
        zone in "[ -~]{0,20}|Europe/Paris",
        url in ".{0,30}|https?://[a-z.]{1,20}/[ -~]{0,10}",
        day in 0_i32..20_000,
        start in 0_i64..1440,
        length in proptest::option::of(-100_i64..5_000),
        whole in any::<bool>(),
        status in proptest::sample::select(vec!["confirmed", "tentative", "full", "cancelled"]),
    ) {
        let first = jiff::civil::date(2027, 1, 2)
            .checked_add(jiff::Span::new().days(day)).unwrap();
        let at = first.at(0, 0, 0, 0).checked_add(jiff::Span::new().minutes(start)).unwrap();
        let minute = |at: DateTime| at.strftime("%Y-%m-%dT%H:%M").to_string();
        let mut fields = json!({
            "title": title, "room": room, "description": description, "kind": kind,
            "zone": zone, "url": url, "guide": url, "status": status, "contact": "canary",
            "start": if whole { first.to_string() } else { minute(at) },
        });
        if let Some(length) = length {
            let end = at.checked_add(jiff::Span::new().minutes(length)).unwrap();
            fields["end"] = json!(if whole { end.date().to_string() } else { minute(end) });
        }
        let activity = entity("a", fields);
        let folder = tempfile::tempdir().unwrap();
        let (tool, _) = site(folder.path(), json!({ "output": "." }));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(common::publish(&*tool, std::slice::from_ref(&activity), Lang::En, TODAY));

        let read = lines(&fs::read_to_string(folder.path().join("calendar.ics")).unwrap());
        let begins = read.iter().filter(|(name, _)| name == "BEGIN").count();
        prop_assert_eq!(begins, read.iter().filter(|(name, _)| name == "END").count());
        prop_assert_eq!(read.iter().filter(|(_, value)| value == "VEVENT").count(), 2);
        let squeezed = |text: &str| text
            .split(|c: char| c.is_whitespace() || c.is_control())
            .filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        let direction = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if !title.contains(direction) && title.chars().all(|c| (c as u32) < 0xf000) {
            prop_assert_eq!(plain(value(&read, "SUMMARY").unwrap()), squeezed(&title));
        }
        for name in ["index.html".to_owned(), format!("activities/{}.html", activity.id), "feed.xml".to_owned()] {
            let text = fs::read_to_string(folder.path().join(&name)).unwrap();
            prop_assert!(!text.contains("canary"), "{}", name);
            // Every opened element is one of ours.
            for part in text.split('<').skip(1) {
                let tag: String = part.chars().take_while(|c| !c.is_whitespace() && *c != '>').collect();
                let known = "!doctype ?xml html head meta title link body a header main h1 h2 h3 h4 \
                    nav ul li section time span b p div s em bdi details summary aside footer article \
                    script dl dt dd br svg defs symbol path use small input label feed id updated author name generator entry category";
                let bare = tag.trim_start_matches('/').trim_end_matches('/');
                prop_assert!(known.split_whitespace().any(|known| known == bare), "{}: <{}", name, tag);
            }
        }
    }
}
