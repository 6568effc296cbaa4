//! Sheets kept in EtherCalc and Framacalc: the recorded exchanges, and the quirks of the program.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{brief, fields, remarks, tool};
use proptest::prelude::*;
use raccord_kit::Tool;
use raccord_kit::standin::{Play, Reply, Seen, Standin};
use raccord_model::{Blame, Failure, Observation, Reading};
use serde_json::json;

/// A recorded answer: its status, its headers that matter, its body.
fn recorded(exchange: &str) -> Reply {
    let (_, answer) = exchange.split_once("### response\n").unwrap();
    let (head, body) = answer.split_once("\n\n").unwrap_or((answer, ""));
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    let mut reply = Reply::status(status.parse().unwrap());
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        if ["Content-Type", "ETag"].contains(&name) {
            reply = reply.header(name, value);
        }
    }
    reply.body(body.to_owned())
}

const ROOM: &str = include_str!("recorded/ethercalc-room.http");
const NO_ROOM: &str = include_str!("recorded/ethercalc-no-room.http");
const UNCHANGED: &str = include_str!("recorded/ethercalc-unchanged.http");

/// A room as its server saves it, of these lines of `SocialCalc`.
fn room(lines: &str) -> String {
    let mark = "--SocialCalcSpreadsheetControlSave";
    format!(
        "socialcalc:version:1.0\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=SocialCalcSpreadsheetControlSave\n{mark}\nContent-type: text/plain; charset=UTF-8\n\n# SocialCalc Spreadsheet Control Save\nversion:1.0\npart:sheet\npart:edit\npart:audit\n{mark}\nContent-type: text/plain; charset=UTF-8\n\nversion:1.5\n{lines}\n{mark}\nContent-type: text/plain; charset=UTF-8\n\nversion:1.0\nrowpane:0:1:1\n{mark}\nContent-type: text/plain; charset=UTF-8\n\n{mark}--\n"
    )
}

fn answer(lines: &str) -> Reply {
    Reply::ok(room(lines))
        .header("content-type", "text/plain; charset=utf-8")
        .header("etag", &format!("W/\"{:x}-1\"", lines.len()))
}

async fn look(tool: &dyn Tool, cursor: Option<&str>) -> Result<Observation, Failure> {
    tool.source().unwrap().observe(cursor).await
}

async fn reading(tool: &dyn Tool, cursor: Option<&str>) -> Reading {
    match look(tool, cursor).await.unwrap() {
        Observation::Complete(reading) => reading,
        other => panic!("not a whole reading: {other:?}"),
    }
}

#[tokio::test]
async fn the_recorded_room_is_read_with_its_days() {
    let standin = Standin::start().await;
    standin.direct(|seen| {
        assert_eq!(seen.path, "/_/programme-2027");
        recorded(ROOM).into()
    });
    let tool = tool(json!({ "location": standin.url("/_/programme-2027/csv"), "year": 2027 }));
    let reading = reading(&*tool, None).await;
    assert_eq!(
        brief(&reading),
        [
            "Rangement | 2027-01-02T10:00 | - | -",
            "Concert, fanfare \"de quartier\" | 2027-01-15T20:30 | - | -",
            "Atelier : freins | 2027-01-16 | - | -",
            "Atelier vÃ©lo | 2027-01-20T14:00 | - | -",
        ]
    );
    assert_eq!(fields(&reading)[1]["credits"], json!(350));
    assert!(
        !format!("{:?}", reading.tabs).contains("programme-2027"),
        "a room's name is its key"
    );
    assert!(standin.writes().is_empty());
}

#[tokio::test]
async fn days_hours_and_signs_are_told_by_their_type_and_not_by_their_figures() {
    let standin = Standin::start().await;
    standin.always(answer(
        "cell:A1:t:Date\ncell:B1:t:Heure\ncell:C1:t:Titre\ncell:D1:t:Jauge\ncell:E1:t:Description\n\
         cell:A2:vtc:nd:46391:2027-01-04:f:1:b:1:1:1:1\ncell:B2:vtc:nt:0.7708333333:18\\c30\ncell:C2:t:Bal\\c l’hiver\ncell:D2:v:80\ncell:E2:t:un\\ndeux\\btrois\n\
         cell:A3:vtf:nd:46392:A2+1:ntvf:1\ncell:B3:t:20h\ncell:C3:vt:t:Film\ncell:D3:vtf:e#REF!:0:AA1\n\
         cell:A4:vtc:ndt:46393.5:2027-01-06 12\\c00\ncell:C4:t:Repas:comment:apporter un plat\n\
         cell:A5:vtc:nd:48217:2032-01-04\ncell:C5:t:Jubilé",
    ));
    let tool = tool(json!({ "location": standin.url("/_/x") }));
    let reading = reading(&*tool, None).await;
    assert_eq!(
        brief(&reading),
        [
            "Bal: l’hiver | 2027-01-04T18:30 | - | -",
            "Film | 2027-01-05T20:00 | - | -",
            "Repas | 2027-01-06T12:00 | - | -",
            // A bare number that far away would be no day.
            "Jubilé | 2032-01-04 | - | -",
        ]
    );
    assert_eq!(fields(&reading)[0]["capacity"], json!(80));
    assert_eq!(fields(&reading)[0]["description"], json!("un\ndeux\\trois"));
    assert_eq!(common::unread(&reading), ["D3 cell-error"]);
}

#[tokio::test]
async fn what_is_hidden_in_a_room_is_not_published() {
    let standin = Standin::start().await;
    standin.always(answer(
        "cell:A1:t:Date\ncell:B1:t:Titre\ncell:C1:t:Description\n\
         cell:A2:vtc:nd:46391:2027-01-04\ncell:B2:t:Bal\ncell:C2:t:le code est 1234\n\
         cell:A3:vtc:nd:46392:2027-01-05\ncell:B3:t:Surprise\n\
         col:C:w:120:hide:yes\nrow:3:hide:yes\nsheet:c:3:r:3",
    ));
    let tool = tool(json!({ "location": standin.url("/_/x") }));
    let reading = reading(&*tool, None).await;
    assert_eq!(
        brief(&reading),
        [
            "Bal | 2027-01-04 | - | -",
            "Surprise | 2027-01-05 | - | draft"
        ]
    );
    assert!(!fields(&reading)[0].contains_key("description"));
    assert_eq!(remarks(&reading), ["3 row-hidden", "1 hidden-column"]);
}

#[tokio::test]
async fn a_merged_day_is_the_day_of_the_lines_beside_it() {
    let standin = Standin::start().await;
    standin.always(answer(
        "cell:A1:t:Date\ncell:B1:t:Heure\ncell:C1:t:Titre\n\
         cell:A2:vtc:nd:46391:2027-01-04:colspan:1:rowspan:2\ncell:B2:t:18h\ncell:C2:t:Bal\n\
         cell:B3:t:21h\ncell:C3:t:Film",
    ));
    let tool = tool(json!({ "location": standin.url("/_/x") }));
    assert_eq!(
        brief(&reading(&*tool, None).await),
        [
            "Bal | 2027-01-04T18:00 | - | -",
            "Film | 2027-01-04T21:00 | - | -"
        ]
    );
}

#[tokio::test]
async fn a_room_of_several_tabs_is_read_tab_by_tab() {
    let standin = Standin::start().await;
    standin.direct(|seen: &Seen| {
        let list = "cell:A1:t:#url\ncell:B1:t:#title\ncell:A2:t:/lieu.1\ncell:B2:t:Janvier 2027\ncell:A3:t:/lieu.2\ncell:B3:t:Février 2027\ncell:A4:t://ailleurs.example/x\ncell:B4:t:Ailleurs";
        Play::from(match seen.path.as_str() {
            "/_/lieu" => answer(list),
            "/_/lieu.1" => answer("cell:A1:t:Date\ncell:B1:t:Titre\ncell:A2:t:lundi 4\ncell:B2:t:Bal"),
            "/_/lieu.2" => answer("cell:A1:t:Date\ncell:B1:t:Titre\ncell:A2:t:lundi 8\ncell:B2:t:Film"),
            other => panic!("{other} is asked for"),
        })
    });
    let tool = tool(json!({ "location": standin.url("/=lieu") }));
    let reading = reading(&*tool, None).await;
    assert_eq!(
        brief(&reading),
        ["Bal | 2027-01-04 | - | -", "Film | 2027-02-08 | - | -"]
    );
    assert_eq!(reading.tabs[1].name, "Février 2027");
}

#[tokio::test]
async fn an_unchanged_room_is_asked_for_by_its_mark() {
    let standin = Standin::start().await;
    standin.always(recorded(ROOM));
    let tool = tool(json!({ "location": standin.url("/_/programme-2027") }));
    let first = reading(&*tool, None).await.cursor.unwrap();
    assert!(
        !first.contains("programme-2027"),
        "a room's name is its key"
    );
    standin.always(recorded(UNCHANGED));
    assert_eq!(
        look(&*tool, Some(&first)).await.unwrap(),
        Observation::Unchanged { cursor: None }
    );
    assert_eq!(
        standin.seen()[1].header("if-none-match"),
        "W/\"455-2607064520\""
    );
    assert_eq!(standin.seen().len(), 2);
    // A server without marks: the bytes say it.
    standin.always(recorded(ROOM));
    assert_eq!(
        look(&*tool, Some(&first)).await.unwrap(),
        Observation::Unchanged { cursor: None }
    );
}

#[tokio::test]
async fn anybody_may_wipe_a_room_and_nothing_is_cancelled() {
    let standin = Standin::start().await;
    standin.always(recorded(ROOM));
    let tool = tool(json!({ "location": standin.url("/_/programme-2027") }));
    let cursor = reading(&*tool, None).await.cursor.unwrap();
    let page = "<!DOCTYPE html><title>EtherCalc</title>";
    let half = room("cell:A1:t:Date\ncell:B1:t:Titre\ncell:A2:t:02/01/2027\ncell:B2:t:Bal");
    for (reply, code, blame) in [
        (recorded(NO_ROOM), "room-missing", Blame::Transient),
        (answer("sheet:c:1:r:1"), "header-lost", Blame::Data),
        (answer("cell:A1:t:effacé"), "header-lost", Blame::Data),
        (Reply::ok(""), "empty", Blame::Data),
        (
            Reply::ok(half[..half.len() - 40].to_owned()),
            "truncated",
            Blame::Transient,
        ),
        (
            Reply::ok(page).header("content-type", "text/html"),
            "web-page",
            Blame::Access,
        ),
        (Reply::ok("{\"error\": \"x\"}"), "not-a-sheet", Blame::Data),
        (answer("cell:a1:t:Date"), "damaged", Blame::Transient),
        (Reply::status(403), "forbidden", Blame::Access),
        (Reply::status(502), "unwell", Blame::Transient),
        (Reply::status(429), "busy", Blame::Transient),
    ] {
        standin.always(reply);
        let failure = look(&*tool, Some(&cursor)).await.unwrap_err();
        assert_eq!(
            (failure.code.as_str(), failure.blame),
            (format!("spreadsheet.{code}").as_str(), blame)
        );
        raccord_kit::conformance::b11_secrets("programme-2027", &[&failure]);
    }
    standin.always(recorded(ROOM));
    assert_eq!(
        look(&*tool, Some(&cursor)).await.unwrap(),
        Observation::Unchanged { cursor: None }
    );
    assert!(standin.writes().is_empty());
}

#[tokio::test]
async fn the_page_of_a_room_says_that_it_is_one() {
    let standin = Standin::start().await;
    standin.direct(|seen: &Seen| {
        let page = "<!DOCTYPE html>\n<html>\n<title>EtherCalc - Share the URL to your friends and edit together!</title>";
        Play::from(match seen.path.as_str() {
            "/programme" => Reply::ok(page).header("content-type", "text/html; charset=utf-8"),
            "/_/programme" => recorded(ROOM),
            other => panic!("{other} is asked for"),
        })
    });
    // Nothing in this address says whose it is.
    let tool = tool(json!({ "location": standin.url("/programme") }));
    let first = reading(&*tool, None).await;
    assert_eq!(first.lines.len(), 4);
    // From then on the page is not asked for again.
    look(&*tool, first.cursor.as_deref()).await.unwrap();
    let asked: Vec<String> = standin.seen().into_iter().map(|seen| seen.path).collect();
    assert_eq!(asked[..2], ["/programme", "/_/programme"]);
    assert!(
        asked[2..].iter().all(|path| path == "/_/programme"),
        "{asked:?}"
    );
}

proptest! {
    /// Whatever lines a room has, they are read or told, and never panic.
    #[test]
    fn no_room_is_too_odd(lines in prop::collection::vec(
        "(cell|row|col|sheet|font):[A-Z]{1,3}[0-9]{1,7}(:(t|v|vt|vtc|vtf|e|b|rowspan|colspan|hide|comment|f)(:[a-z0-9.#\\\\]{0,9}){0,3}){0,3}|\\PC{0,40}", 0..12)) {
        let text = room(&lines.join("\n"));
        match raccord_connector_spreadsheet::read_room(text.as_bytes(), "room") {
            Ok(reading) => raccord_kit::conformance::holds_together(&reading),
            Err(failure) => prop_assert!(failure.code.starts_with("spreadsheet.")),
        }
    }

    /// Every text a person can type comes back out of a room.
    #[test]
    fn texts_come_through(title in "[^\\p{C}\\p{Z}][^\\p{C}\\p{Z}]{0,20}") {
        let saved = title.replace('\\', "\\b").replace(':', "\\c");
        let text = room(&format!("cell:A1:t:Date\ncell:B1:t:Titre\ncell:C1:t:Type\ncell:A2:t:02/01/2027\ncell:B2:t:Bal\ncell:C2:t:{saved}"));
        let reading = raccord_connector_spreadsheet::read_room(text.as_bytes(), "room").unwrap();
        let plain = raccord_connector_spreadsheet::read(&mut std::io::Cursor::new(format!("Date\tTitre\tType\n02/01/2027\tBal\t\"{}\"\n", title.replace('"', "\"\""))), "room").unwrap();
        let kind = |reading: &Reading| fields(reading)[0].get("kind").cloned();
        prop_assert_eq!(kind(&reading), kind(&plain));
    }
}
