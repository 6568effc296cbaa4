//! The rules of the quality scale that can be played by a test.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::path::Path;
use std::time::Duration;

use common::{PASSWORD, Stage, activity, concert, desired, settings};
use raccord_connector_nextcloud_calendar::CONNECTOR;
use raccord_kit::conformance::{self, HOSTILE, QualityLevel, STATUSES};
use raccord_kit::standin::{Play, Reply, Seen, Standin};
use raccord_kit::testing::{Logs, kit};
use raccord_kit::{Job, Tool};
use raccord_model::{Blame, EntityKind, Found, Mode, Schemas, Verb};
use serde_json::{Value, json};

fn tool(url: &str) -> Box<dyn Tool> {
    (CONNECTOR.build)(settings(url), &kit()).unwrap()
}

#[test]
fn the_claims_of_quality_toml_are_true() {
    let quality = conformance::quality(Path::new(".")).unwrap();
    assert_eq!(quality.level, QualityLevel::Silver);
}

#[test]
fn b01_the_card_says_what_the_connector_does() {
    let mut with_tasks = settings("http://h/");
    with_tasks["tasks"] = json!("todo");
    let manifest = (CONNECTOR.build)(with_tasks, &kit()).unwrap().describe();
    conformance::card(&CONNECTOR, &manifest).unwrap();
    assert!(manifest.source);
    let kinds: Vec<EntityKind> = manifest.handles.iter().map(|one| one.entity).collect();
    assert_eq!(kinds, [EntityKind::Activity, EntityKind::Task]);
    let mirrors = |one: &raccord_model::Handling| one.mode == Mode::Mirror && one.read_back;
    assert!(manifest.handles.iter().all(mirrors));
}

#[test]
fn b02_broken_settings_are_refused_by_their_key() {
    let with = |key: &str, value: Value| {
        let mut all = settings("https://cloud.example.org");
        all[key] = value;
        all
    };
    let without = |key: &str| {
        let mut all = settings("https://cloud.example.org");
        all.as_object_mut().unwrap().remove(key);
        all
    };
    let mut in_a_file = without("password");
    in_a_file["password_file"] = json!("secrets/nextcloud");
    conformance::b02_config(
        &CONNECTOR,
        &[
            settings("https://cloud.example.org/remote.php/dav/"),
            with("calendars", json!(["salle-1", "salle-2"])),
            with("tasks", json!("todo")),
            with("every", json!("5m")),
            in_a_file,
        ],
        &[
            (without("url"), "url"),
            (without("user"), "user"),
            (without("calendar"), "calendar"),
            (with("url", json!("cloud.example.org")), "url"),
            (with("url", json!("https://a:b@cloud.example.org/")), "url"),
            (with("calendar", json!("")), "calendar"),
            (with("calender", json!("x")), "calender"),
            (with("tasks", json!("some")), "tasks"),
            (with("entries", json!("secret")), "entries"),
            (with("every", json!("1s")), "every"),
            (with("password_file", json!("x")), "password"),
        ],
    );
}

#[tokio::test]
async fn b04_what_a_thousand_entries_say_is_valid() {
    let stage = Stage::open().await;
    let mut state = 2027_u64;
    let mut dice = |sides: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % sides
    };
    for number in 0..1_000 {
        let hostile = HOSTILE[dice(HOSTILE.len() as u64) as usize];
        let hostile: String = hostile
            .chars()
            .map(|c| if c == '\n' || c == '\r' { ' ' } else { c })
            .collect();
        let title =
            ["Pétanque", "", "A\\, b\\; c\\n d", hostile.as_str()][dice(4) as usize].to_owned();
        let (day, hour) = (1 + dice(28), dice(24));
        let start = match dice(4) {
            0 => format!("DTSTART;VALUE=DATE:202702{day:02}\r\nDTEND;VALUE=DATE:202703{day:02}"),
            1 => format!(
                "DTSTART:202702{day:02}T{hour:02}0000Z\r\nDURATION:PT{}M",
                dice(3_000)
            ),
            2 => format!("DTSTART;TZID=Romance Standard Time:202703{day:02}T{hour:02}3000"),
            _ => format!(
                "DTSTART;TZID=Europe/Paris:202703{day:02}T{hour:02}3000\r\nDTEND;TZID=Europe/Paris:202702{day:02}T000000\r\nRRULE:FREQ=DAILY;COUNT=3"
            ),
        };
        let url = [
            "URL:https://example.org/",
            "URL:javascript:alert(1)",
            "X-A:b",
        ][dice(3) as usize];
        let status = ["CONFIRMED", "TENTATIVE", "CANCELLED", "ODD"][dice(4) as usize];
        let text = format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:own-{number}\r\n{start}\r\nSUMMARY:{title}\r\n{url}\r\nSTATUS:{status}\r\nCATEGORIES:{title},b\r\nDESCRIPTION:{hostile}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        );
        stage
            .cloud
            .member_puts("programme", &format!("own-{number}.ics"), &text);
    }
    let reading = stage.reading(None, &[]).await;
    conformance::holds_together(&reading);
    assert!(reading.lines.len() > 900, "{}", reading.lines.len());
    for line in &reading.lines {
        let fields = Value::Object(line.decode().into_iter().collect());
        let faults = Schemas::shared().check_posted(EntityKind::Activity, Verb::Created, &fields);
        assert!(faults.is_empty(), "{fields}: {faults:?}");
    }
}

#[tokio::test]
async fn b05_an_entry_keeps_its_name_whatever_it_says_and_wherever_it_stands() {
    let stage = Stage::open().await;
    let entry = |uid: &str, title: &str| {
        format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nDTSTART:20270301T190000Z\r\nSUMMARY:{title}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        )
    };
    stage
        .cloud
        .member_puts("programme", "b.ics", &entry("b", "Bal"));
    stage
        .cloud
        .member_puts("programme", "c.ics", &entry("c", "Chant"));
    let names = |reading: &raccord_model::Reading| -> Vec<_> {
        let lines = reading.lines.iter();
        lines
            .map(|line| (line.native.clone().unwrap(), line.row, line.digest))
            .collect()
    };
    let first = names(&stage.reading(None, &[]).await);
    assert_eq!(
        names(&stage.reading(None, &[]).await),
        first,
        "read again, it is the same"
    );
    stage
        .cloud
        .member_puts("programme", "a.ics", &entry("a", "Avant"));
    let second = names(&stage.reading(None, &[]).await);
    assert_eq!(second[1..], first, "one before them is that one alone");
    stage
        .cloud
        .member_puts("programme", "b.ics", &entry("b", "Grand bal"));
    let third = names(&stage.reading(None, &[]).await);
    assert_eq!((&third[1].0, third[1].1), (&first[0].0, first[0].1));
    assert_ne!(third[1].2, first[0].2, "it is changed, not another one");
    assert_eq!(third[2], first[1]);
}

#[tokio::test]
async fn b06_the_same_change_ten_times_at_once_is_one_entry() {
    let stage = Stage::open().await;
    let entity = concert();
    let many = (0..10).map(|_| stage.write(&entity, None));
    for made in futures_util::future::join_all(many).await {
        made.unwrap();
    }
    assert_eq!(stage.cloud.files("programme").len(), 1);
    assert_eq!(stage.cloud.count("MKCALENDAR"), 1);
    let text = stage
        .cloud
        .text("programme", &stage.cloud.files("programme")[0]);
    assert!(
        text.contains("SEQUENCE:0\r\n"),
        "it was written once: {text}"
    );
}

#[tokio::test]
async fn b07_a_lost_answer_is_unknown_and_a_repeat_leaves_one_entry() {
    let stage = Stage::open().await;
    stage.put(&activity(9, json!({})), None).await;
    let cloud = stage.cloud.clone();
    let mut lose = true;
    stage.standin.direct(move |seen| {
        let play = cloud.answer(seen);
        if seen.method == "PUT" && std::mem::take(&mut lose) {
            return Play::DoneThenReset;
        }
        play
    });
    let failure = stage.write(&concert(), None).await.unwrap_err();
    assert_eq!(failure.blame, Blame::Unknown);
    let job = Job::Write {
        entity: concert().id,
        desired: desired(&*stage.tool, &concert(), None).unwrap(),
        link: None,
    };
    let found = stage.tool.sink().unwrap().find(&job).await.unwrap();
    assert!(matches!(found, Found::Yes(_)), "{found:?}");
    let made = stage.write(&concert(), None).await.unwrap();
    assert!(made.unchanged, "it is there: nothing is written");
    assert_eq!(stage.cloud.files("programme").len(), 2);
}

#[tokio::test]
async fn b09_doubt_is_an_error_and_never_an_empty_calendar() {
    let stage = Stage::open().await;
    stage.put(&concert(), None).await;
    let first = stage.reading(None, &[]).await;
    let cut = "<?xml version=\"1.0\"?><d:multistatus xmlns:d=\"DAV:\"><d:response><d:href>/a";
    let doubts: [Play; 7] = [
        Reply::status(500).into(),
        Reply::status(404).into(),
        Reply::login_page().into(),
        Reply::ok("").into(),
        Reply::status(207).body(cut).into(),
        Play::CutBody(Reply::status(207).body(cut.repeat(20)), 100),
        Play::Garbage,
    ];
    for play in doubts {
        for method in ["PROPFIND", "REPORT"] {
            let (cloud, play) = (stage.cloud.clone(), play.clone());
            stage.cloud.member_puts("programme", "x.ics", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:x\r\nDTSTART:20270301T190000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n");
            stage.standin.direct(move |seen| {
                if seen.method == method && seen.path.ends_with("/programme/") {
                    play.clone()
                } else {
                    cloud.answer(seen)
                }
            });
            let seen = stage.read(first.cursor.as_deref(), &[]).await;
            let empty = matches!(&seen, Ok(raccord_model::Observation::Complete(reading)) if reading.lines.is_empty());
            assert!(!empty, "{method}: {seen:?}");
        }
    }
}

#[tokio::test]
async fn b11_the_password_is_shown_to_the_server_and_to_nobody_else() {
    let logs = Logs::listen();
    let stage = Stage::open().await;
    let link = stage.put(&concert(), None).await;
    stage.cloud.state().set_password("another");
    let failure = stage
        .write(&activity(2, json!({})), None)
        .await
        .unwrap_err();
    let findings = stage.tool.check().await;
    let seen = stage.read(None, &[]).await;
    let shown: [&dyn std::fmt::Debug; 6] = [
        &link,
        &failure,
        &findings,
        &seen,
        &stage.tool.describe(),
        &logs.text(),
    ];
    conformance::b11_secrets(PASSWORD, &shown);
    assert!(!failure.to_string().contains(PASSWORD));
}

#[tokio::test]
async fn b12_a_server_that_drips_or_never_ends_is_given_up() {
    let stage = Stage::open().await;
    stage.put(&concert(), None).await;
    let start = std::time::Instant::now();
    stage
        .standin
        .always(Play::Huge(Reply::status(207), 1_000_000_000));
    assert!(stage.read(None, &[]).await.is_err());
    assert!(stage.write(&concert(), None).await.is_err());
    assert!(start.elapsed() < Duration::from_secs(20));
    tokio::time::pause();
    let start = tokio::time::Instant::now();
    let slow = Reply::status(207).body("x".repeat(1_000));
    stage
        .standin
        .always(Play::Drip(slow, Duration::from_secs(1)));
    assert!(stage.read(None, &[]).await.is_err());
    assert!(start.elapsed() <= raccord_kit::http::TIME + Duration::from_secs(1));
}

#[test]
fn b14_the_guide_is_complete_in_both_languages() {
    conformance::b14_guide(include_str!("../README.md"));
}

/// Whether a request writes an entry.
fn writes(seen: &Seen) -> bool {
    seen.method == "PUT"
}

#[tokio::test]
async fn s01_every_refusal_of_an_entry_has_its_blame_and_is_not_repeated() {
    let stage = Stage::open().await;
    let link = stage.put(&concert(), None).await;
    let later = activity(1, json!({ "title": "Bal" }));
    for (status, blame) in STATUSES {
        // The calendar is gone: it is looked for, and made, at the next attempt.
        let blame = if [404, 409].contains(status) {
            Blame::Data
        } else {
            *blame
        };
        let (cloud, status) = (stage.cloud.clone(), *status);
        stage.standin.direct(move |seen| {
            if writes(seen) {
                Reply::status(status).into()
            } else {
                cloud.answer(seen)
            }
        });
        let before = stage
            .standin
            .seen()
            .iter()
            .filter(|seen| writes(seen))
            .count();
        let failure = stage.write(&later, Some(link.clone())).await.unwrap_err();
        assert_eq!(failure.blame, blame, "{status}: {failure:?}");
        assert_eq!(failure.gone, status == 410, "{status}");
        let after = stage
            .standin
            .seen()
            .iter()
            .filter(|seen| writes(seen))
            .count();
        assert_eq!(after, before + 1, "{status} was repeated");
        stage.clock.advance(jiff::SignedDuration::from_hours(2));
    }
    for play in [Play::DoneThenReset, Play::Reset, Play::Garbage] {
        let (cloud, lost) = (stage.cloud.clone(), play.clone());
        stage.standin.direct(move |seen| {
            if writes(seen) {
                lost.clone()
            } else {
                cloud.answer(seen)
            }
        });
        let failure = stage.write(&later, Some(link.clone())).await.unwrap_err();
        assert_eq!(failure.blame, Blame::Unknown, "{play:?}");
    }
    let tls = Standin::start_tls().await;
    for (name, url) in [
        ("nobody there", Standin::nobody().await),
        ("a wrong certificate", tls.url("/")),
        ("no such name", "http://no-such-name.invalid/".to_owned()),
    ] {
        let job = Job::Write {
            entity: later.id,
            desired: desired(&*stage.tool, &later, None).unwrap(),
            link: None,
        };
        let failure = tool(&url).sink().unwrap().apply(&job).await.unwrap_err();
        assert_eq!(failure.blame, Blame::Transient, "{name}");
    }
}

#[tokio::test]
async fn s02_a_server_that_asks_for_quiet_is_heard_in_both_forms() {
    let stage = Stage::open().await;
    let link = stage.put(&concert(), None).await;
    let later = activity(1, json!({ "title": "Bal" }));
    let date = Reply::status(503)
        .header("date", "Sat, 02 Jan 2027 10:00:00 GMT")
        .header("retry-after", "Sat, 02 Jan 2027 10:00:45 GMT");
    for (reply, wait) in [
        (Reply::status(429).header("retry-after", "120"), 120_000),
        (date, 45_000),
    ] {
        let cloud = stage.cloud.clone();
        stage.standin.direct(move |seen| {
            if writes(seen) {
                reply.clone().into()
            } else {
                cloud.answer(seen)
            }
        });
        let failure = stage.write(&later, Some(link.clone())).await.unwrap_err();
        assert_eq!(
            (failure.blame, failure.retry_after_ms),
            (Blame::Transient, Some(wait))
        );
    }
    stage.cloud.state().maintenance = true;
    let cloud = stage.cloud.clone();
    stage.standin.direct(move |seen| cloud.answer(seen));
    let failure = stage.write(&later, Some(link)).await.unwrap_err();
    assert_eq!(failure.code, "nextcloud-calendar.maintenance");
    assert!(failure.retry_after_ms.is_some());
}

/// What a calendar shows of a moment, and that reading it back says the same.
#[tokio::test]
async fn s13_clock_changes_whole_days_and_nights_are_written_and_read_as_they_were_said() {
    let table = [
        // zone, start, end, DTSTART, DTEND
        (
            "Europe/Paris",
            "2027-03-27T20:00",
            Some("2027-03-28T04:00"),
            ";TZID=Europe/Paris:20270327T200000",
            Some(";TZID=Europe/Paris:20270328T040000"),
        ),
        (
            "Europe/Paris",
            "2027-03-28T02:30",
            None,
            ";TZID=Europe/Paris:20270328T023000",
            None,
        ),
        (
            "Europe/Paris",
            "2027-03-28T03:00",
            Some("2027-03-28T05:00"),
            ";TZID=Europe/Paris:20270328T030000",
            Some(";TZID=Europe/Paris:20270328T050000"),
        ),
        (
            "Europe/Paris",
            "2027-10-30T22:00",
            Some("2027-10-31T02:30"),
            ";TZID=Europe/Paris:20271030T220000",
            Some(";TZID=Europe/Paris:20271031T023000"),
        ),
        (
            "Europe/Paris",
            "2027-10-31T02:30",
            Some("2027-10-31T03:30"),
            ";TZID=Europe/Paris:20271031T023000",
            Some(";TZID=Europe/Paris:20271031T033000"),
        ),
        (
            "Indian/Reunion",
            "2027-03-28T02:30",
            Some("2027-03-28T04:00"),
            ";TZID=Indian/Reunion:20270328T023000",
            Some(";TZID=Indian/Reunion:20270328T040000"),
        ),
        (
            "Indian/Reunion",
            "2027-12-31T22:00",
            Some("2028-01-01T02:00"),
            ";TZID=Indian/Reunion:20271231T220000",
            Some(";TZID=Indian/Reunion:20280101T020000"),
        ),
        (
            "Europe/Paris",
            "2027-06-12",
            None,
            ";VALUE=DATE:20270612",
            None,
        ),
        (
            "Europe/Paris",
            "2027-10-30",
            Some("2027-10-31"),
            ";VALUE=DATE:20271030",
            Some(";VALUE=DATE:20271101"),
        ),
        (
            "Mars/Olympus",
            "2027-01-02T20:00",
            None,
            ";TZID=Indian/Reunion:20270102T200000",
            None,
        ),
    ];
    let stage = Stage::open().await;
    for (number, (zone, start, end, dtstart, dtend)) in table.into_iter().enumerate() {
        let entity = activity(number, json!({ "zone": zone, "start": start, "end": end }));
        let link = stage.put(&entity, None).await;
        let file = link.external.rsplit('/').next().unwrap().to_owned();
        let text = stage.cloud.text("programme", &file);
        assert!(
            text.contains(&format!("DTSTART{dtstart}\r\n")),
            "{start}: {text}"
        );
        assert_eq!(text.contains("DTEND"), dtend.is_some(), "{start}: {text}");
        if let Some(dtend) = dtend {
            assert!(
                text.contains(&format!("DTEND{dtend}\r\n")),
                "{start}: {text}"
            );
        }
        // A member's program saves it again, in its own order: nothing of ours changed.
        stage.cloud.member_edits("programme", &file, |text| {
            text.replace("END:VEVENT", "X-SAVED:1\r\nEND:VEVENT")
        });
        let ours = [(entity.id, link)];
        assert_eq!(
            stage.edits(None, &ours).await,
            [raccord_model::Fields::new()],
            "{start}"
        );
        stage.cloud.member_deletes("programme", &file);
        stage.cloud.state().trash.clear();
    }
    // Members' own: floating is what it says, UTC is told in the place's zone, a rule that crosses
    // the change of the clock keeps its hour.
    let own = |uid: &str, start: &str| {
        format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nSUMMARY:{uid}\r\n{start}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        )
    };
    stage.cloud.member_puts(
        "programme",
        "1.ics",
        &own("floating", "DTSTART:20270328T023000"),
    );
    stage.cloud.member_puts(
        "programme",
        "2.ics",
        &own("utc", "DTSTART:20270328T003000Z"),
    );
    stage.cloud.member_puts(
        "programme",
        "3.ics",
        &own(
            "weekly",
            "DTSTART;TZID=Europe/Paris:20270321T190000\r\nRRULE:FREQ=WEEKLY;COUNT=2",
        ),
    );
    stage.cloud.member_puts(
        "programme",
        "4.ics",
        &own("odd", "DTSTART;TZID=Nowhere/Land:20270321T190000"),
    );
    let reading = stage.reading(None, &[]).await;
    let starts: Vec<String> = reading
        .lines
        .iter()
        .map(|line| {
            format!(
                "{} {}",
                line.decode()["title"].as_str().unwrap(),
                line.decode()["start"].as_str().unwrap()
            )
        })
        .collect();
    // The place is on Réunion: 19:00 in Paris is 22:00 there in winter, 21:00 in summer.
    assert_eq!(
        starts,
        [
            "floating 2027-03-28T02:30",
            "utc 2027-03-28T04:30",
            "weekly 2027-03-21T22:00",
            "weekly 2027-03-28T21:00"
        ]
    );
    assert_eq!(
        reading.unread[0].code, "zone-unknown",
        "a zone that nobody knows is not guessed"
    );
}

#[tokio::test]
async fn s15_text_stays_text() {
    let stage = Stage::open().await;
    for (number, text) in HOSTILE.iter().enumerate() {
        let entity = activity(
            number,
            json!({ "title": text, "room": text, "description": text, "kind": text, "organiser": text, "url": text }),
        );
        let link = stage.put(&entity, None).await;
        let file = link.external.rsplit('/').next().unwrap();
        let written = stage.cloud.text("programme", file);
        let unfolded = written.replace("\r\n ", "");
        for line in unfolded.split("\r\n").filter(|line| !line.is_empty()) {
            let name = line.split([':', ';']).next().unwrap();
            assert!(
                [
                    "BEGIN",
                    "END",
                    "VERSION",
                    "PRODID",
                    "CALSCALE",
                    "TZID",
                    "TZNAME",
                    "TZOFFSETFROM",
                    "TZOFFSETTO",
                    "DTSTART",
                    "DTEND",
                    "RRULE",
                    "UID",
                    "DTSTAMP",
                    "CREATED",
                    "LAST-MODIFIED",
                    "SEQUENCE",
                    "SUMMARY",
                    "LOCATION",
                    "URL",
                    "STATUS",
                    "DESCRIPTION",
                    "CATEGORIES"
                ]
                .contains(&name),
                "{name} came out of {text:?}"
            );
            assert!(
                !line
                    .chars()
                    .any(|c| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c)),
                "{line:?}"
            );
            assert!(!line.starts_with("URL:javascript"));
        }
    }
    let long = activity(
        999,
        json!({ "title": conformance::very_long(), "description": conformance::very_long() }),
    );
    let link = stage.put(&long, None).await;
    let text = stage
        .cloud
        .text("programme", link.external.rsplit('/').next().unwrap());
    assert!(text.len() < 12_000 && text.split("\r\n").all(|line| line.len() <= 75));
}
