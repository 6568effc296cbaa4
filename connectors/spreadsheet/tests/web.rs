//! A sheet at an address: conditional requests, our own hash, sign-in pages and other surprises.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::BTreeSet;

use common::tool;
use raccord_kit::Tool;
use raccord_kit::standin::{Play, Reply, Standin};
use raccord_model::{Blame, Observation, Reading};
use serde_json::json;

const SHEET: &str = "Date,Titre\n2027-01-02,Bal\n";

fn reading(observation: Observation) -> Reading {
    match observation {
        Observation::Complete(reading) => reading,
        other => panic!("not a whole reading: {other:?}"),
    }
}

async fn look(
    tool: &dyn Tool,
    cursor: Option<&str>,
) -> Result<Observation, raccord_model::Failure> {
    tool.source().unwrap().observe(cursor).await
}

#[tokio::test]
async fn an_unchanged_sheet_is_asked_for_by_its_mark_and_not_sent_again() {
    let standin = Standin::start().await;
    standin.always(
        Reply::ok(SHEET)
            .header("content-type", "text/csv")
            .header("etag", "\"a\""),
    );
    let tool = tool(json!({ "location": standin.url("/sheets/programme.csv") }));
    let first = reading(look(&*tool, None).await.unwrap());
    assert_eq!(first.lines.len(), 1);
    assert_eq!(first.tabs[0].name, "programme.csv");
    standin.always(Reply::status(304));
    let cursor = first.cursor.unwrap();
    assert_eq!(
        look(&*tool, Some(&cursor)).await.unwrap(),
        Observation::Unchanged { cursor: None }
    );
    let seen = standin.seen();
    assert_eq!(seen[0].header("if-none-match"), "");
    assert_eq!(seen[1].header("if-none-match"), "\"a\"");
    assert!(seen.iter().all(|seen| !seen.writes()));
}

#[tokio::test]
async fn a_server_without_marks_or_with_new_marks_for_the_same_bytes_is_unchanged_too() {
    let standin = Standin::start().await;
    standin.always(Reply::ok(SHEET).header("last-modified", "Sat, 02 Jan 2027 08:00:00 GMT"));
    let tool = tool(json!({ "location": standin.url("/x") }));
    let first = reading(look(&*tool, None).await.unwrap()).cursor.unwrap();
    assert_eq!(
        look(&*tool, Some(&first)).await.unwrap(),
        Observation::Unchanged { cursor: None }
    );
    assert_eq!(
        standin.seen()[1].header("if-modified-since"),
        "Sat, 02 Jan 2027 08:00:00 GMT"
    );
    standin.always(Reply::ok(SHEET).header("etag", "W/\"2\""));
    let Observation::Unchanged {
        cursor: Some(second),
    } = look(&*tool, Some(&first)).await.unwrap()
    else {
        panic!("the new mark is kept")
    };
    look(&*tool, Some(&second)).await.unwrap();
    assert_eq!(standin.seen()[3].header("if-none-match"), "W/\"2\"");
    standin.always(Reply::ok("Date,Titre\n2027-01-02,Film\n"));
    reading(look(&*tool, Some(&second)).await.unwrap());
}

#[tokio::test]
async fn doubt_is_an_error_with_a_code_and_never_an_empty_sheet() {
    let standin = Standin::start().await;
    standin.always(Reply::ok(SHEET));
    let tool = tool(json!({ "location": standin.url("/p.csv") }));
    let cursor = reading(look(&*tool, None).await.unwrap()).cursor.unwrap();
    let whole = "Date,Titre,Salle\n2027-01-02,Bal,Halle\n2027-01-03,Film,Ha";
    for (play, code, blame) in [
        (Play::from(Reply::login_page()), "web-page", Blame::Access),
        (
            Reply::ok("<html>Log in</html>").into(),
            "web-page",
            Blame::Access,
        ),
        (Reply::ok("").into(), "empty", Blame::Data),
        (Reply::status(204).into(), "empty", Blame::Data),
        (Reply::ok("[]\n").into(), "header-lost", Blame::Data),
        (Reply::ok("{}").into(), "not-a-sheet", Blame::Data),
        (
            Reply::ok("2027-01-02,Bal\n").into(),
            "header-lost",
            Blame::Data,
        ),
        (
            Reply::ok(&whole[..50]).into(),
            "truncated",
            Blame::Transient,
        ),
        (
            Reply::status(206).body(SHEET).into(),
            "truncated",
            Blame::Transient,
        ),
        (Reply::status(401).into(), "credentials", Blame::Access),
        (Reply::status(403).into(), "forbidden", Blame::Access),
        (Reply::status(404).into(), "not-found", Blame::Data),
        (Reply::status(503).into(), "unwell", Blame::Transient),
        (Reply::ok("PK\x03\x04").into(), "damaged", Blame::Transient),
    ] {
        standin.script([play]);
        let failure = look(&*tool, Some(&cursor)).await.unwrap_err();
        assert_eq!(
            (failure.code.as_str(), failure.blame),
            (format!("spreadsheet.{code}").as_str(), blame)
        );
    }
    // And after all of that it is what it was.
    assert_eq!(
        look(&*tool, Some(&cursor)).await.unwrap(),
        Observation::Unchanged { cursor: None }
    );
}

#[tokio::test]
async fn the_account_is_sent_and_never_shown() {
    let standin = Standin::start().await;
    standin.always(Reply::status(401));
    let tool = tool(json!({
        "location": standin.url("/secret-room.csv"), "user": "lieu", "password": "canary-word",
    }));
    let failure = look(&*tool, None).await.unwrap_err();
    assert_eq!(
        standin.seen()[0].header("authorization"),
        "Basic bGlldTpjYW5hcnktd29yZA=="
    );
    let findings = tool.check().await;
    raccord_kit::conformance::b11_secrets("canary-word", &[&failure, &findings, &tool.describe()]);
    raccord_kit::conformance::b11_secrets("secret-room", &[&failure, &findings]);
}

#[tokio::test]
async fn check_tells_mistakes_apart_and_writes_nothing() {
    let standin = Standin::start().await;
    let location = standin.url("/p.csv");
    let mut codes = BTreeSet::new();
    for play in [
        Play::from(Reply::status(401)),
        Reply::status(403).into(),
        Reply::status(404).into(),
        Reply::login_page().into(),
        Reply::ok("a,b\n").into(),
    ] {
        standin.script([play]);
        let findings = tool(json!({ "location": location })).check().await;
        assert_eq!(findings.len(), 1);
        assert!(codes.insert(findings[0].code.clone()), "{findings:?}");
    }
    let nobody = Standin::nobody().await;
    for wrong in [nobody.as_str(), "absent.ods", "."] {
        let findings = tool(json!({ "location": wrong })).check().await;
        assert!(codes.insert(findings[0].code.clone()), "{findings:?}");
    }
    standin.always(Reply::ok(SHEET));
    assert_eq!(tool(json!({ "location": location })).check().await, []);
    standin.always(Reply::ok("Date,Titre\nbientôt,Bal\n"));
    let findings = tool(json!({ "location": location })).check().await;
    assert_eq!(findings[0].code, "spreadsheet.unread");
    assert_eq!(findings[0].level, raccord_kit::Level::Warning);
    assert!(standin.writes().is_empty());
}

#[tokio::test]
async fn the_tabs_can_be_picked() {
    let location = common::samples().join("programme-messy.xlsx");
    let choices = tool(json!({ "location": location }))
        .choices()
        .await
        .unwrap();
    let names: Vec<&str> = choices.iter().map(|choice| choice.value.as_str()).collect();
    assert_eq!(names, ["JANVIER", "février 27"]);
}

#[tokio::test]
async fn an_answer_that_drips_or_never_ends_is_given_up() {
    let standin = Standin::start().await;
    let tool = tool(json!({ "location": standin.url("/programme.csv") }));
    let huge = Reply::ok("").header("content-type", "text/csv");
    standin.script([Play::Huge(huge, 1_000_000_000)]);
    let start = std::time::Instant::now();
    let failure = look(&*tool, None).await.unwrap_err();
    assert_eq!(failure.code, "spreadsheet.too-large");
    assert!(start.elapsed() < std::time::Duration::from_secs(20));

    standin.always(Reply::ok(SHEET));
    reading(look(&*tool, None).await.unwrap());
    let second = std::time::Duration::from_secs(1);
    standin.script([Play::Drip(Reply::ok("x".repeat(1_000)), second)]);
    tokio::time::pause();
    let start = tokio::time::Instant::now();
    let failure = look(&*tool, None).await.unwrap_err();
    let waited = start.elapsed();
    tokio::time::resume();
    assert_eq!(failure.blame, Blame::Transient, "{failure:?}");
    assert!(waited <= 31 * second, "{waited:?}");
}
