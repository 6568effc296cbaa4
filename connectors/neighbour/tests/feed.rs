//! What another place shares, at an address: whose it is, what of it counts, and what is only doubt.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::BTreeSet;
use std::time::Duration;

use common::{activity, fields, list, look, reading, titles, tool, tool_with};
use raccord_kit::Level;
use raccord_kit::conformance::{HOSTILE, holds_together, very_long};
use raccord_kit::standin::{Play, Reply, Standin};
use raccord_model::{Blame, Observation};
use serde_json::{Value, json};

fn bal() -> Value {
    activity("a1", "Bal", "2099-01-02T18:30")
}

fn film() -> Value {
    activity("a2", "Film", "2099-01-01T20:00")
}

fn json_reply(value: &Value) -> Reply {
    Reply::ok(value.to_string()).header("content-type", "application/json")
}

#[tokio::test]
async fn it_carries_the_name_the_settings_give_and_the_ids_of_its_place() {
    let standin = Standin::start().await;
    standin.always(json_reply(&list(&[bal(), film()])));
    let read = reading(
        look(&*tool(&standin.url("/shared.json")), None)
            .await
            .unwrap(),
    );
    assert_eq!(titles(&read), ["Film", "Bal"], "the first to come first");
    for (line, id) in read.lines.iter().zip(["a2", "a1"]) {
        assert_eq!(line.native.as_deref(), Some(id));
        let fields = line.decode();
        assert_eq!(fields["origin"], "Le Jardin", "not what the list says");
        assert_eq!(fields["origin_url"], "https://jardin.example.org/");
        assert_eq!(fields["room"], "Le Jardin");
    }
    holds_together(&read);
}

#[tokio::test]
async fn the_same_activity_keeps_its_line_whatever_moves_around_it() {
    let standin = Standin::start().await;
    let tool = tool(&standin.url("/s"));
    let mut rows = BTreeSet::new();
    let moved = activity("a1", "Grand bal", "2099-03-04T10:00");
    for activities in [vec![bal(), film()], vec![film(), bal()], vec![moved]] {
        standin.always(json_reply(&list(&activities)));
        let read = reading(look(&*tool, None).await.unwrap());
        let line = read
            .lines
            .iter()
            .find(|line| line.native.as_deref() == Some("a1"));
        rows.insert(line.unwrap().row);
    }
    assert_eq!(rows.len(), 1);
}

#[tokio::test]
async fn an_unchanged_list_is_asked_for_by_its_mark_and_not_sent_again() {
    let standin = Standin::start().await;
    let body = list(&[bal()]);
    standin.always(json_reply(&body).header("etag", "\"a\""));
    let tool = tool(&standin.url("/s"));
    let first = reading(look(&*tool, None).await.unwrap());
    let cursor = first.cursor.unwrap();
    standin.always(Reply::status(304));
    assert_eq!(
        look(&*tool, Some(&cursor)).await.unwrap(),
        Observation::Unchanged { cursor: None }
    );
    assert_eq!(standin.seen()[1].header("if-none-match"), "\"a\"");
    standin.always(json_reply(&body).header("last-modified", "Sat, 02 Jan 2027 08:00:00 GMT"));
    let Observation::Unchanged { cursor: Some(next) } = look(&*tool, Some(&cursor)).await.unwrap()
    else {
        panic!("the same bytes say the same")
    };
    look(&*tool, Some(&next)).await.unwrap();
    assert_eq!(
        standin.seen()[3].header("if-modified-since"),
        "Sat, 02 Jan 2027 08:00:00 GMT"
    );
    assert!(standin.writes().is_empty());
}

#[tokio::test]
async fn doubt_is_an_error_with_a_code_and_never_an_empty_list() {
    let standin = Standin::start().await;
    let whole = list(&[bal(), film()]).to_string();
    standin.always(Reply::ok(whole.clone()));
    let tool = tool(&standin.url("/s"));
    let cursor = reading(look(&*tool, None).await.unwrap()).cursor.unwrap();
    let mut other = list(&[bal()]);
    other["format"] = json!("raccord-shared-2");
    let mut without = list(&[]);
    without.as_object_mut().unwrap().remove("activities");
    for (play, code, blame) in [
        (Play::from(Reply::login_page()), "web-page", Blame::Access),
        (
            Reply::ok("<html>gone</html>").into(),
            "web-page",
            Blame::Access,
        ),
        (Reply::ok("").into(), "empty", Blame::Data),
        (Reply::status(204).into(), "empty", Blame::Data),
        (json_reply(&list(&[])).into(), "empty", Blame::Data),
        (json_reply(&without).into(), "not-a-list", Blame::Data),
        (Reply::ok("{}").into(), "not-a-list", Blame::Data),
        (Reply::ok("[]").into(), "not-a-list", Blame::Data),
        (
            Reply::ok(whole[..90].to_owned()).into(),
            "not-a-list",
            Blame::Data,
        ),
        (json_reply(&other).into(), "other-form", Blame::Data),
        (
            Reply::status(206).body(whole.clone()).into(),
            "truncated",
            Blame::Transient,
        ),
        (Reply::status(401).into(), "credentials", Blame::Access),
        (Reply::status(403).into(), "forbidden", Blame::Access),
        (Reply::status(404).into(), "not-found", Blame::Data),
        (Reply::status(503).into(), "unwell", Blame::Transient),
    ] {
        standin.always(play);
        let failure = look(&*tool, Some(&cursor)).await.unwrap_err();
        assert_eq!(failure.code, format!("neighbour.{code}"));
        assert_eq!(failure.blame, blame, "{code}");
    }
}

#[tokio::test]
async fn only_a_list_that_says_so_takes_everything_back() {
    let standin = Standin::start().await;
    let mut nothing = list(&[]);
    nothing["shares_nothing"] = json!(true);
    standin.always(json_reply(&nothing));
    let read = reading(look(&*tool(&standin.url("/s")), None).await.unwrap());
    assert!(read.lines.is_empty() && read.unread.is_empty());
}

#[tokio::test]
async fn our_own_list_is_refused() {
    let standin = Standin::start().await;
    let mut own = list(&[bal()]);
    own["place"]["id"] = json!(raccord_kit::testing::kit().place.id);
    standin.always(json_reply(&own));
    let failure = look(&*tool(&standin.url("/s")), None).await.unwrap_err();
    assert_eq!(failure.code, "neighbour.ourselves");
}

#[tokio::test]
async fn what_is_not_understood_hides_nothing_else_and_keeps_its_place() {
    let standin = Standin::start().await;
    let tool = tool(&standin.url("/s"));
    standin.always(json_reply(&list(&[bal(), film()])));
    let before = reading(look(&*tool, None).await.unwrap());
    let mut broken = bal();
    broken["start"] = json!("soon");
    let strange = [broken, film(), json!("x"), json!({ "title": "no id" })];
    standin.always(json_reply(&list(&strange)));
    let after = reading(look(&*tool, None).await.unwrap());
    assert_eq!(titles(&after), ["Film"]);
    let known = before
        .lines
        .iter()
        .find(|line| line.native.as_deref() == Some("a1"));
    let row = known.unwrap().row;
    assert!(after.unread.iter().any(|unread| unread.row == row));
    holds_together(&after);
}

#[tokio::test]
async fn a_flood_is_cut_and_an_id_counts_once() {
    let standin = Standin::start().await;
    let many: Vec<Value> = (0..3_000)
        .map(|n| activity(&format!("n{n}"), &format!("Bal {n}"), "2099-01-02T18:30"))
        .collect();
    standin.always(json_reply(&list(&many)));
    let url = standin.url("/s");
    let read = reading(look(&*tool(&url), None).await.unwrap());
    assert_eq!((read.lines.len(), read.remarks.len()), (100, 1));
    let few = tool_with(json!({ "name": "Le Jardin", "url": url, "most": 3 }));
    assert_eq!(reading(look(&*few, None).await.unwrap()).lines.len(), 3);

    standin.always(json_reply(&list(&[bal(), bal(), bal()])));
    assert_eq!(reading(look(&*few, None).await.unwrap()).lines.len(), 1);

    let endless = Reply::ok("").header("content-type", "application/json");
    standin.script([Play::Huge(endless, 1_000_000_000)]);
    let failure = look(&*few, None).await.unwrap_err();
    assert_eq!(failure.code, "neighbour.too-large");
}

#[tokio::test]
async fn an_answer_that_drips_is_given_up() {
    let standin = Standin::start().await;
    let second = Duration::from_secs(1);
    let tool = tool(&standin.url("/s"));
    standin.script([Play::Drip(Reply::ok("x".repeat(1_000)), second)]);
    tokio::time::pause();
    let before = tokio::time::Instant::now();
    let failure = look(&*tool, None).await.unwrap_err();
    let waited = before.elapsed();
    tokio::time::resume();
    assert_eq!(failure.blame, Blame::Transient);
    assert!(waited <= 31 * second, "{waited:?}");
}

#[tokio::test]
async fn what_is_over_is_not_taken() {
    let standin = Standin::start().await;
    let past = activity("old", "Jadis", "1999-01-02T18:30");
    standin.always(json_reply(&list(&[past, bal()])));
    let read = reading(look(&*tool(&standin.url("/s")), None).await.unwrap());
    assert_eq!(titles(&read), ["Bal"]);
}

#[tokio::test]
async fn hostile_text_stays_text_and_short() {
    let standin = Standin::start().await;
    let long = very_long();
    let texts = HOSTILE.iter().copied().chain([long.as_str()]);
    let all: Vec<Value> = texts
        .enumerate()
        .map(|(n, text)| {
            let mut hostile = activity(&format!("h{n}"), text, "2099-01-02T18:30");
            for name in ["kind", "room", "description", "url"] {
                hostile[name] = json!(text);
            }
            hostile["tags"] = json!([text]);
            hostile
        })
        .collect();
    standin.always(json_reply(&list(&all)));
    let read = reading(look(&*tool(&standin.url("/s")), None).await.unwrap());
    holds_together(&read);
    for fields in fields(&read) {
        for (name, value) in &fields {
            let text = value.to_string();
            assert!(text.chars().count() < 2_200, "{name}");
            let hidden = |c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{feff}' | '\u{0}');
            assert!(!text.contains(hidden), "{name}: {text}");
        }
        assert!(!fields.contains_key("url"), "{fields:?}");
        assert!(!fields["title"].as_str().unwrap().contains('\n'));
    }
}

#[tokio::test]
async fn check_tells_mistakes_apart_and_writes_nothing() {
    let standin = Standin::start().await;
    standin.always(json_reply(&list(&[bal()])));
    let calm = tool(&standin.url("/s")).check().await;
    assert!(calm.is_empty(), "{calm:?}");
    let mut codes = BTreeSet::new();
    let tls = Standin::start_tls().await;
    let insecure = standin.url("/").replace("http:", "https:");
    for url in [Standin::nobody().await, tls.url("/s"), insecure] {
        let findings = tool(&url).check().await;
        assert_eq!(findings.len(), 1);
        codes.insert(findings[0].code.clone());
    }
    let away = tool(&Standin::nobody().await).check().await;
    assert_eq!(away[0].level, Level::Warning, "it may be back tomorrow");
    let mut other = list(&[]);
    other["format"] = json!("x");
    for reply in [
        Reply::login_page(),
        Reply::status(403),
        Reply::status(404),
        json_reply(&other),
        json_reply(&list(&[])),
    ] {
        standin.always(reply);
        let findings = tool(&standin.url("/s")).check().await;
        assert_eq!(findings[0].level, Level::Error);
        assert!(!findings[0].mend.fr.is_empty() && !findings[0].mend.en.is_empty());
        codes.insert(findings[0].code.clone());
    }
    assert_eq!(codes.len(), 8, "{codes:?}");
    assert!(standin.writes().is_empty());
}

#[tokio::test]
async fn hours_stay_those_of_the_place_they_are_at() {
    let standin = Standin::start().await;
    let night = |zone: &str, start: &str| {
        let mut activity = activity(zone, "Nuit", start);
        activity["zone"] = json!(zone);
        activity
    };
    standin.always(json_reply(&list(&[
        night("Europe/Paris", "2099-03-29T02:30"),
        night("Indian/Reunion", "2099-03-29T02:30"),
        night("America/Cayenne", "2099-03-29"),
    ])));
    let read = reading(look(&*tool(&standin.url("/s")), None).await.unwrap());
    let mut told: Vec<(String, String, bool)> = fields(&read)
        .iter()
        .map(|fields| {
            let text = |name: &str| fields[name].as_str().unwrap().to_owned();
            (text("zone"), text("start"), fields.contains_key("all_day"))
        })
        .collect();
    told.sort();
    let expected = [
        ("America/Cayenne", "2099-03-29", true),
        ("Europe/Paris", "2099-03-29T02:30", false),
        ("Indian/Reunion", "2099-03-29T02:30", false),
    ];
    let expected = expected.map(|(zone, start, day)| (zone.to_owned(), start.to_owned(), day));
    assert_eq!(told, expected);
}

/// A calendar with these entries, as a site hands it out.
fn calendar(entries: &[&str]) -> String {
    let entries: String = entries
        .iter()
        .flat_map(|lines| ["BEGIN:VEVENT\r\n", lines, "\r\nEND:VEVENT\r\n"])
        .collect();
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Le Jardin//\r\n{PARIS}{entries}END:VCALENDAR\r\n"
    )
}

const PARIS: &str = "BEGIN:VTIMEZONE\r\nTZID:Europe/Paris\r\nBEGIN:STANDARD\r\nDTSTART:19701025T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n";
const BAL: &str = "UID:bal-1@jardin\r\nDTSTART;TZID=Europe/Paris:20990102T183000\r\nDTEND;TZID=Europe/Paris:20990102T203000\r\nSUMMARY:Bal\\, le grand\r\nLOCATION:Serre\r\nURL:https://jardin.example.org/bal\r\nCATEGORIES:danse";
const FETE: &str =
    "UID:fete@jardin\r\nDTSTART;VALUE=DATE:20990103\r\nDTEND;VALUE=DATE:20990105\r\nSUMMARY:Fête";

fn ical(entries: &[&str]) -> Reply {
    Reply::ok(calendar(entries)).header("content-type", "text/calendar; charset=utf-8")
}

#[tokio::test]
async fn a_calendar_is_read_as_a_list_and_says_whose_it_is() {
    let standin = Standin::start().await;
    standin.always(ical(&[
        FETE,
        BAL,
        "UID:secret\r\nDTSTART:20990102T100000Z\r\nSUMMARY:Bureau\r\nCLASS:PRIVATE",
        "UID:off\r\nDTSTART:20990102T100000Z\r\nSUMMARY:Annulé\r\nSTATUS:CANCELLED",
        "UID:old\r\nDTSTART:20010102T100000Z\r\nSUMMARY:Jadis",
    ]));
    let tool = tool(&standin.url("/agenda.ics"));
    assert!(tool.check().await.is_empty());
    let read = reading(look(&*tool, None).await.unwrap());
    assert_eq!(titles(&read), ["Bal, le grand", "Fête"]);
    holds_together(&read);
    let all = fields(&read);
    let bal = &all[0];
    assert_eq!(bal["origin"], "Le Jardin");
    assert_eq!(bal["room"], "Le Jardin · Serre");
    assert_eq!(bal["url"], "https://jardin.example.org/bal");
    // Told in the zone of the place that reads it.
    assert_eq!(
        (&bal["start"], &bal["end"]),
        (&json!("2099-01-02T21:30"), &json!("2099-01-02T23:30"))
    );
    assert_eq!(bal["zone"], "Indian/Reunion");
    assert_eq!(
        (&all[1]["start"], &all[1]["end"]),
        (&json!("2099-01-03"), &json!("2099-01-04"))
    );
    assert_eq!(read.lines[0].native.as_deref(), Some("bal-1@jardin"));
    assert!(standin.seen()[0].header("accept").contains("text/calendar"));
}

#[tokio::test]
async fn what_repeats_is_offered_each_time_and_its_exceptions_count() {
    let standin = Standin::start().await;
    standin.always(ical(&[
        "UID:velo\r\nDTSTART:20270104T140000Z\r\nDTEND:20270104T160000Z\r\nRRULE:FREQ=WEEKLY;COUNT=4\r\nEXDATE:20270111T140000Z\r\nSUMMARY:Atelier",
        "UID:velo\r\nRECURRENCE-ID:20270118T140000Z\r\nDTSTART:20270119T140000Z\r\nSUMMARY:Atelier déplacé",
    ]));
    let read = reading(look(&*tool(&standin.url("/a.ics")), None).await.unwrap());
    assert_eq!(titles(&read), ["Atelier", "Atelier déplacé", "Atelier"]);
    let ids: BTreeSet<_> = read.lines.iter().map(|line| line.native.clone()).collect();
    assert_eq!(ids.len(), 3, "each known by itself");
}

#[tokio::test]
async fn a_calendar_that_is_cut_is_doubt_and_what_it_drops_leaves() {
    let standin = Standin::start().await;
    let tool = tool(&standin.url("/a.ics"));
    standin.always(ical(&[FETE, BAL]));
    let cursor = reading(look(&*tool, None).await.unwrap()).cursor;
    let whole = calendar(&[FETE, BAL]);
    standin.always(Reply::ok(whole[..whole.len() - 20].to_owned()));
    let failure = look(&*tool, cursor.as_deref()).await.unwrap_err();
    assert_eq!(failure.code, "neighbour.not-a-list");
    standin.always(ical(&[FETE]));
    assert_eq!(
        titles(&reading(look(&*tool, None).await.unwrap())),
        ["Fête"]
    );
    // An agenda with nothing to come is one.
    standin.always(ical(&[]));
    assert!(reading(look(&*tool, None).await.unwrap()).lines.is_empty());
    // One entry that nobody understands hides no other, and is told.
    standin.always(ical(&[FETE, "UID:odd\r\nSUMMARY:Sans date"]));
    let read = reading(look(&*tool, None).await.unwrap());
    assert_eq!(
        (titles(&read), read.unread.len()),
        (vec!["Fête".to_owned()], 1)
    );
}

#[tokio::test]
async fn years_of_past_entries_hide_nothing_that_comes() {
    let standin = Standin::start().await;
    let past: Vec<String> = (0..6_000)
        .map(|n| format!("UID:{n:05}\r\nDTSTART:20190102T100000Z\r\nSUMMARY:Jadis {n}"))
        .collect();
    let mut all: Vec<&str> = past.iter().map(String::as_str).collect();
    let last = BAL.replace("bal-1", "zzz");
    all.push(&last);
    standin.always(ical(&all));
    let read = reading(look(&*tool(&standin.url("/a.ics")), None).await.unwrap());
    assert_eq!(titles(&read), ["Bal, le grand"]);
    assert!(read.remarks.is_empty());
}

#[tokio::test]
async fn the_events_of_an_oceco_are_a_list_and_an_organisation_without_it_is_doubt() {
    let standin = Standin::start().await;
    let tool = tool(&standin.url("/ical/organizations/5de9df6d064fca0d008b4568/events"));
    // As ical-generator 1.11 writes it.
    let feed = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//oce.co.tools//ical-generator//FR\r\n\
                BEGIN:VEVENT\r\nUID:5f1e5c3eb0b8ca1d008b4567@oce.co.tools\r\nSEQUENCE:0\r\n\
                DTSTAMP:20990101T080000Z\r\nDTSTART:20990102T163000Z\r\nDTEND:20990102T183000Z\r\n\
                SUMMARY:Bal\\, le grand\r\nDESCRIPTION:Venez danser.\\nBuvette.\r\nEND:VEVENT\r\n\
                END:VCALENDAR";
    standin.always(Reply::ok(feed).header("content-type", "text/calendar; charset=utf-8"));
    let read = reading(look(&*tool, None).await.unwrap());
    assert_eq!(titles(&read), ["Bal, le grand"]);
    let id = read.lines[0].native.as_deref();
    assert_eq!(id, Some("5f1e5c3eb0b8ca1d008b4567@oce.co.tools"));
    assert_eq!(fields(&read)[0]["start"], "2099-01-02T20:30");
    // What is no organisation of OCECO's is a success that says false.
    standin.always(json_reply(
        &json!({ "status": false, "msg": "not organizations" }),
    ));
    look(&*tool, None).await.unwrap_err();
}

#[tokio::test]
async fn an_event_of_an_agorakit_stays_the_same_when_its_group_is_renamed() {
    let standin = Standin::start().await;
    let tool = tool(&standin.url("/groups/3/calendarevents/ical"));
    let mut ids = BTreeSet::new();
    for group in ["Les jardiniers", "Le jardin-partagé"] {
        standin.always(ical(
            &[&BAL.replace("bal-1@jardin", &format!("{group}-27"))],
        ));
        let read = reading(look(&*tool, None).await.unwrap());
        ids.insert(read.lines[0].native.clone());
    }
    assert_eq!(ids.len(), 1, "{ids:?}");
}
