//! A sheet of Google: the address people paste, and what comes when it is not open to everybody.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{brief, tool_in};
use raccord_kit::Tool;
use raccord_kit::standin::{Play, Reply, Seen, Standin};
use raccord_kit::testing::kit;
use raccord_model::{Blame, Failure, Observation};
use serde_json::json;

const KEY: &str = "1AbCdEfGhIjKlMnOpQrStUv";
const SHEET: &str = "Date,Titre\r\n04/01/2027,Bal\r\n";

/// Google as it is described: the export sends on to another host that hands the file out.
struct Google {
    front: Standin,
    files: Standin,
}

impl Google {
    async fn start() -> Self {
        let (front, files) = (Standin::start().await, Standin::start().await);
        let to = files.url("/export/abc?token=canary");
        front.direct(move |seen| {
            assert_eq!(
                seen.path,
                format!("/spreadsheets/d/{KEY}/export?format=csv&gid=345")
            );
            Reply::redirect(307, &to).into()
        });
        files.always(Reply::ok(SHEET).header("content-type", "text/csv"));
        Self { front, files }
    }

    fn tool(&self) -> Box<dyn Tool> {
        let mut kit = kit();
        // The other host is private in this test only.
        kit.allow_private = vec!["127.0.0.0/8".to_owned()].into();
        let page = format!("/spreadsheets/d/{KEY}/edit?usp=sharing&gid=0#gid=345");
        tool_in(json!({ "location": self.front.url(&page) }), &kit)
    }
}

async fn look(tool: &dyn Tool, cursor: Option<&str>) -> Result<Observation, Failure> {
    tool.source().unwrap().observe(cursor).await
}

#[tokio::test]
async fn the_address_of_the_page_reads_the_tab_it_shows() {
    let google = Google::start().await;
    let tool = google.tool();
    let Observation::Complete(reading) = look(&*tool, None).await.unwrap() else {
        panic!("a first look is a whole reading")
    };
    assert_eq!(brief(&reading), ["Bal | 2027-01-04 | - | -"]);
    // Google gives no marks: the bytes say that nothing changed.
    assert_eq!(
        look(&*tool, reading.cursor.as_deref()).await.unwrap(),
        Observation::Unchanged { cursor: None }
    );
    raccord_kit::conformance::b11_secrets(KEY, &[&reading]);
    for standin in [&google.front, &google.files] {
        assert!(standin.writes().is_empty());
    }
}

#[tokio::test]
async fn a_private_sheet_is_said_plainly_and_cancels_nothing() {
    let google = Google::start().await;
    let tool = google.tool();
    let Observation::Complete(reading) = look(&*tool, None).await.unwrap() else {
        panic!("a first look is a whole reading")
    };
    let cursor = reading.cursor.unwrap();
    let sign_in = google.files.url("/ServiceLogin?continue=x");
    for (play, code, blame) in [
        // Sent on to the page where one signs in, which answers 200.
        (
            Play::from(Reply::redirect(302, &sign_in)),
            "google-private",
            Blame::Access,
        ),
        (Reply::login_page().into(), "google-private", Blame::Access),
        (Reply::status(401).into(), "google-private", Blame::Access),
        (Reply::status(403).into(), "google-private", Blame::Access),
        (
            Reply::status(404).into(),
            "google-missing",
            Blame::Transient,
        ),
        (
            Reply::status(410).into(),
            "google-missing",
            Blame::Transient,
        ),
        (
            Reply::status(400).into(),
            "google-missing",
            Blame::Transient,
        ),
        (Reply::status(429).into(), "busy", Blame::Transient),
        (Reply::status(500).into(), "unwell", Blame::Transient),
        (Reply::ok("").into(), "empty", Blame::Data),
        (
            Reply::ok("04/01/2027,Bal\r\n").into(),
            "header-lost",
            Blame::Data,
        ),
    ] {
        google.files.direct(|seen: &Seen| {
            assert!(seen.path.starts_with("/ServiceLogin"), "{}", seen.path);
            Reply::login_page().into()
        });
        google.front.script([play]);
        let failure = look(&*tool, Some(&cursor)).await.unwrap_err();
        assert_eq!(
            (failure.code.as_str(), failure.blame),
            (format!("spreadsheet.{code}").as_str(), blame)
        );
        raccord_kit::conformance::b11_secrets(KEY, &[&failure]);
    }
    google
        .files
        .always(Reply::ok(SHEET).header("content-type", "text/csv"));
    assert_eq!(
        look(&*tool, Some(&cursor)).await.unwrap(),
        Observation::Unchanged { cursor: None }
    );
    google.front.script([Reply::login_page()]);
    let findings = tool.check().await;
    assert_eq!(findings[0].code, "spreadsheet.google-private");
    assert!(
        findings[0]
            .mend
            .fr
            .contains("«\u{a0}Tous les utilisateurs disposant du lien\u{a0}»")
    );
}
