//! Sheets kept in Nextcloud: whatever address is pasted, with the quirks of the server that was run.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;
#[path = "common/cloud.rs"]
mod nextcloud;

use std::collections::BTreeSet;
use std::sync::Arc;

use common::tool_in;
use jiff::SignedDuration;
use nextcloud::{Cloud, LINK_PASSWORD, LOGIN, NAME, PASSWORD};
use raccord_kit::testing::{NOON, kit};
use raccord_kit::{ManualClock, Tool};
use raccord_model::{Blame, Failure, Observation, Reading};
use serde_json::{Value, json};

const FOLDER: &str = "/Programmation d'été";
const SHEET: &str = "/Programmation d'été/programme noël.csv";
const BAL: &str = "Date,Titre\n2027-01-02,Bal\n";
const JAZ: &str = "Date,Titre\n2027-01-02,Jaz\n";

/// What is done to a server.
type Change = fn(&Cloud);
/// The settings for one.
type Settings = fn(&Cloud) -> Value;

/// A sheet at an address of a server, read as time goes by.
struct Stage {
    cloud: Cloud,
    tool: Box<dyn Tool>,
    clock: Arc<ManualClock>,
    cursor: Option<String>,
}

impl Stage {
    fn of(cloud: Cloud, settings: Value) -> Self {
        let clock = Arc::new(ManualClock::at(NOON));
        let mut kit = kit();
        kit.clock = clock.clone();
        Self {
            tool: tool_in(settings, &kit),
            cloud,
            clock,
            cursor: None,
        }
    }

    async fn look(&mut self) -> Result<Option<Reading>, Failure> {
        let source = self.tool.source().unwrap();
        match source.observe(self.cursor.as_deref()).await? {
            Observation::Complete(reading) => {
                self.cursor.clone_from(&reading.cursor);
                Ok(Some(reading))
            }
            Observation::Unchanged { cursor } => {
                self.cursor = cursor.or(self.cursor.take());
                Ok(None)
            }
            other => panic!("{other:?}"),
        }
    }

    async fn titles(&mut self) -> Vec<String> {
        let reading = self.look().await.unwrap().expect("it changed");
        common::fields(&reading)
            .iter()
            .map(|fields| fields["title"].as_str().unwrap().to_owned())
            .collect()
    }

    async fn code(&mut self) -> String {
        let failure = self.look().await.unwrap_err();
        assert!(failure.mend.fr.len() > 20 && failure.mend.en.len() > 20);
        failure.code.trim_start_matches("spreadsheet.").to_owned()
    }

    fn later(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// The bytes of sheets that went over the wire so far.
    fn whole_readings(&self) -> usize {
        let seen = self.cloud.standin.seen();
        let whole = |method: &str, mark: &str| method == "GET" && mark.is_empty();
        seen.iter()
            .filter(|seen| whole(seen.method.as_str(), seen.header("if-none-match")))
            .count()
    }

    fn asks_only(&self) {
        assert!(
            self.cloud.standin.writes().is_empty(),
            "nothing is ever written"
        );
    }
}

fn with_account(location: &str) -> Value {
    json!({ "location": location, "user": LOGIN, "password": PASSWORD })
}

#[tokio::test]
async fn every_address_an_organiser_can_paste_reads_the_sheet() {
    let dav = "/remote.php/dav/files/marie/Programmation%20d%27%C3%A9t%C3%A9";
    for (rest, account) in [
        (format!("{dav}/programme%20no%C3%ABl.csv"), true),
        (format!("{dav}/programme%20no%c3%abl.csv"), true),
        (format!("{dav}/"), true),
        ("/f/1".to_owned(), true),
        ("/index.php/f/1".to_owned(), true),
        (
            "/apps/files/files/1?dir=/Programmation%20d%27%C3%A9t%C3%A9&openfile=true".to_owned(),
            true,
        ),
        ("/apps/files/?dir=/&fileid=1".to_owned(), true),
        ("/s/fichierPublic1".to_owned(), false),
        ("/index.php/s/fichierPublic1".to_owned(), false),
        (
            "/s/fichierPublic1/download/programme%20no%C3%ABl.csv".to_owned(),
            false,
        ),
        ("/s/dossierPublic1".to_owned(), false),
        ("/s/dossierPublic1?dir=/".to_owned(), false),
        (
            "/s/dossierPublic1/download?path=%2F&files=programme%20no%C3%ABl.csv".to_owned(),
            false,
        ),
        ("/public.php/dav/files/fichierPublic1/".to_owned(), false),
        (
            "/public.php/dav/files/dossierPublic1/programme%20no%C3%ABl.csv".to_owned(),
            false,
        ),
    ] {
        let cloud = Cloud::start().await;
        {
            let mut server = cloud.server();
            assert_eq!(server.write(SHEET, BAL, 1), 1);
            server.write(&format!("{FOLDER}/affiche.png"), "x", 1);
            server.write(&format!("{FOLDER}/.~lock.programme noël.csv#"), "x", 1);
            server.write(&format!("{FOLDER}/~$programme noël.csv"), "x", 1);
            server.link("fichierPublic1", SHEET, false);
            server.link("dossierPublic1", FOLDER, false);
            // The strictest server: it shares with no other.
            server.federated = false;
        }
        let location = cloud.standin.url(&rest);
        let settings = if account {
            with_account(&location)
        } else {
            json!({ "location": location })
        };
        let mut stage = Stage::of(cloud, settings);
        assert_eq!(stage.titles().await, ["Bal"], "{rest}");
        stage.asks_only();
        assert_eq!(stage.cloud.server().refusals, 0, "{rest}");
        assert_eq!(stage.tool.check().await, [], "{rest}");
    }
}

#[tokio::test]
async fn a_link_with_a_password_is_read_with_it() {
    let cloud = Cloud::start().await;
    cloud.server().write(SHEET, BAL, 1);
    cloud.server().link("fichierPublic1", SHEET, true);
    let location = cloud.standin.url("/s/fichierPublic1");
    let mut stage = Stage::of(
        cloud,
        json!({ "location": location, "password": LINK_PASSWORD }),
    );
    assert_eq!(stage.titles().await, ["Bal"]);
    assert_eq!(stage.cloud.server().refusals, 0);
}

#[tokio::test]
async fn an_etag_is_believed_only_once_the_bytes_were_seen_to_stay() {
    let cloud = Cloud::start().await;
    cloud.server().write(SHEET, BAL, 1_000);
    let location = cloud.standin.url("/f/1");
    let mut stage = Stage::of(cloud, with_account(&location));
    assert_eq!(stage.titles().await, ["Bal"]);
    // Written again in the very same second: the same length, so the same ETag.
    stage.cloud.server().write(SHEET, JAZ, 1_000);
    stage.later(30);
    assert_eq!(
        stage.titles().await,
        ["Jaz"],
        "the ETag alone would have hidden it"
    );
    stage.later(30);
    assert!(stage.look().await.unwrap().is_none());
    assert_eq!(stage.whole_readings(), 3);
    // From here on it is small questions.
    for _ in 0..10 {
        stage.later(30);
        assert!(stage.look().await.unwrap().is_none());
    }
    assert_eq!(stage.whole_readings(), 3);
    let last = stage.cloud.standin.seen().pop().unwrap();
    assert_eq!(last.method, "GET");
    // A program that sets the date of what it writes keeps the ETag for good: an hour at most.
    stage.cloud.server().write(SHEET, BAL, 1_000);
    stage.later(3_600);
    assert_eq!(stage.titles().await, ["Bal"]);
    stage.asks_only();
}

#[tokio::test]
async fn a_file_is_followed_by_its_number_and_never_lost_by_its_path() {
    let cloud = Cloud::start().await;
    cloud.server().write(SHEET, BAL, 1);
    let location = cloud.standin.url("/f/1");
    let mut stage = Stage::of(cloud, with_account(&location));
    stage.titles().await;
    stage
        .cloud
        .server()
        .rename(SHEET, "/Archives/programme.csv");
    stage
        .cloud
        .server()
        .write("/Archives/programme.csv", JAZ, 5);
    stage.later(30);
    assert_eq!(stage.titles().await, ["Jaz"]);
    stage.cloud.server().remove("/Archives/programme.csv");
    stage.later(30);
    let failure = stage.look().await.unwrap_err();
    assert_eq!(
        (failure.code.as_str(), failure.blame),
        ("spreadsheet.file-missing", Blame::Transient)
    );
    // Put back from the trash: nothing was forgotten meanwhile.
    stage.cloud.server().write(SHEET, JAZ, 5);
    let number = stage.cloud.server().write(SHEET, JAZ, 5);
    assert_ne!(number, 1, "another file of the same name is another file");
}

#[tokio::test]
async fn a_folder_is_read_when_it_holds_one_sheet_and_asked_about_when_not() {
    let cloud = Cloud::start().await;
    cloud
        .server()
        .write(&format!("{FOLDER}/affiche.png"), "x", 1);
    cloud.server().link("dossierPublic1", FOLDER, false);
    let location = cloud.standin.url("/s/dossierPublic1");
    let mut stage = Stage::of(cloud, json!({ "location": location }));
    assert_eq!(stage.code().await, "which-file");
    stage.cloud.server().write(SHEET, BAL, 1);
    assert_eq!(stage.titles().await, ["Bal"]);
    // A second one beside it changes nothing for the one that is read …
    let second = format!("{FOLDER}/février.ods");
    stage.cloud.server().write(&second, "x", 1);
    stage.later(30);
    assert!(stage.look().await.unwrap().is_none());
    // … until it is gone.
    stage.cloud.server().remove(SHEET);
    stage
        .cloud
        .server()
        .write(&format!("{FOLDER}/mars.ods"), "x", 1);
    let failure = stage.look().await.unwrap_err();
    assert_eq!(failure.code, "spreadsheet.which-file");
    assert!(
        failure.text.fr.contains("février.ods, mars.ods"),
        "{}",
        failure.text.fr
    );
    stage.asks_only();
}

#[tokio::test]
async fn a_file_that_became_a_folder_is_no_empty_sheet() {
    let cloud = Cloud::start().await;
    cloud.server().write("/programme.csv", BAL, 1);
    let location = cloud
        .standin
        .url("/remote.php/dav/files/marie/programme.csv");
    let mut stage = Stage::of(cloud, with_account(&location));
    stage.titles().await;
    stage.cloud.server().remove("/programme.csv");
    stage
        .cloud
        .server()
        .write("/programme.csv/affiche.png", "x", 1);
    assert_eq!(stage.code().await, "which-file");
}

/// What a poll every half a minute comes to in half an hour, as patient as failures say.
async fn polls_in_half_an_hour(stage: &mut Stage) -> Vec<Failure> {
    let mut failures = Vec::new();
    let mut waited = 0;
    while waited < 1_800 {
        let failure = stage.look().await.unwrap_err();
        let asked = failure.retry_after_ms.unwrap_or(0) / 1_000;
        // As the engine does: a refusal is met with five minutes, then thirty; all else sooner.
        let patience = match failure.blame {
            Blame::Access if failures.is_empty() => 300,
            Blame::Access => 1_800,
            _ => 30,
        };
        failures.push(failure);
        let wait = asked.max(patience);
        waited += wait;
        stage.later(wait);
    }
    failures
}

#[tokio::test]
async fn a_wrong_password_never_locks_the_whole_place_out() {
    let cloud = Cloud::start().await;
    cloud.server().write(SHEET, BAL, 1);
    let location = cloud.standin.url("/f/1");
    let settings = json!({ "location": location, "user": LOGIN, "password": "canary-wrong" });
    let mut stage = Stage::of(cloud, settings);
    let failures = polls_in_half_an_hour(&mut stage).await;
    assert!(
        failures
            .iter()
            .all(|failure| failure.code == "spreadsheet.credentials")
    );
    assert_eq!(
        stage.cloud.server().refusals,
        1,
        "shown once, and not again"
    );
    // `check` again and again does not either.
    for _ in 0..12 {
        let findings = stage.tool.check().await;
        assert_eq!(findings[0].code, "spreadsheet.credentials");
        assert_eq!(findings[0].place, "password_file");
    }
    assert_eq!(stage.cloud.server().refusals, 1);
    raccord_kit::conformance::b11_secrets("canary", &[&failures]);
}

#[tokio::test]
async fn a_link_that_is_gone_or_locked_never_locks_the_whole_place_out() {
    for locked in [false, true] {
        let cloud = Cloud::start().await;
        cloud.server().write(SHEET, BAL, 1);
        cloud.server().link("fichierPublic1", SHEET, false);
        let location = cloud.standin.url("/s/fichierPublic1");
        let mut stage = Stage::of(cloud, json!({ "location": location }));
        assert_eq!(stage.titles().await, ["Bal"]);
        if locked {
            stage.cloud.server().link("fichierPublic1", SHEET, true);
        } else {
            stage.cloud.server().unlink("fichierPublic1");
        }
        let failures = polls_in_half_an_hour(&mut stage).await;
        let wanted = if locked {
            "spreadsheet.share-password"
        } else {
            "spreadsheet.share-gone"
        };
        assert!(
            failures.iter().all(|failure| failure.code == wanted),
            "{failures:?}"
        );
        let refusals = stage.cloud.server().refusals;
        assert!(refusals <= 5, "{refusals} of ten");
        raccord_kit::conformance::b11_secrets("fichierPublic1", &[&failures]);
        // Back as it was: nothing was lost.
        stage.cloud.server().link("fichierPublic1", SHEET, false);
        assert!(stage.look().await.unwrap().is_none());
    }
}

#[tokio::test]
async fn check_tells_every_mistake_apart_and_says_what_to_click() {
    let mut codes = BTreeSet::new();
    let mut told = async |name: &str, settings: Settings, change: Change| {
        let cloud = Cloud::start().await;
        cloud.server().write(SHEET, BAL, 1);
        cloud.server().link("fichierPublic1", SHEET, true);
        change(&cloud);
        let settings = settings(&cloud);
        let stage = Stage::of(cloud, settings);
        let findings = stage.tool.check().await;
        assert_eq!(findings.len(), 1, "{name}: {findings:?}");
        let code = findings[0]
            .code
            .trim_start_matches("spreadsheet.")
            .to_owned();
        assert_eq!(code, name);
        for mend in [&findings[0].mend.fr, &findings[0].mend.en] {
            assert!(mend.len() > 20, "{name}: {mend}");
        }
        stage.asks_only();
        assert!(codes.insert(code), "{name}");
    };
    let file: Settings = |cloud| with_account(&cloud.standin.url("/f/1"));
    let link: Settings = |cloud| json!({ "location": cloud.standin.url("/s/fichierPublic1") });
    told("untrusted-domain", file, |cloud| {
        cloud.server().untrusted = true;
    })
    .await;
    told("maintenance", file, |cloud| {
        cloud.server().maintenance = true;
    })
    .await;
    told("throttled", file, |cloud| cloud.server().refusals = 11).await;
    told("app-password", file, |cloud| {
        cloud.server().two_factor = true;
    })
    .await;
    told("file-missing", file, |cloud| cloud.server().remove(SHEET)).await;
    told("not-a-sheet", file, |cloud| {
        cloud.server().write(SHEET, "%PDF-1.7\n", 2);
    })
    .await;
    told("empty", file, |cloud| {
        cloud.server().write(SHEET, "", 2);
    })
    .await;
    told(
        "credentials",
        |cloud| json!({ "location": cloud.standin.url("/f/1"), "user": NAME, "password": "wrong" }),
        |_| {},
    )
    .await;
    told(
        "missing",
        |cloud| {
            with_account(
                &cloud
                    .standin
                    .url("/remote.php/dav/files/marie/ailleurs.ods"),
            )
        },
        |_| {},
    )
    .await;
    told("share-password", link, |_| {}).await;
    told("share-gone", link, |cloud| {
        cloud.server().unlink("fichierPublic1");
    })
    .await;
    told(
        "which-file",
        |cloud| with_account(&cloud.standin.url("/remote.php/dav/files/marie/")),
        |cloud| {
            cloud.server().write("/a.ods", "x", 1);
            cloud.server().write("/b.ods", "x", 1);
        },
    )
    .await;
    told("too-large", file, |cloud| {
        cloud
            .server()
            .write(SHEET, vec![b'x'; 64 * 1024 * 1024 + 1], 2);
    })
    .await;
}

#[tokio::test]
async fn a_file_that_is_too_large_is_not_even_fetched() {
    let cloud = Cloud::start().await;
    cloud
        .server()
        .write(SHEET, vec![b'x'; 64 * 1024 * 1024 + 1], 2);
    let location = cloud.standin.url("/f/1");
    let mut stage = Stage::of(cloud, with_account(&location));
    assert_eq!(stage.code().await, "too-large");
    assert_eq!(stage.whole_readings(), 0);
}

#[tokio::test]
async fn doubt_is_never_a_deletion() {
    let cloud = Cloud::start().await;
    cloud.server().write(SHEET, BAL, 1);
    let location = cloud.standin.url("/f/1");
    let mut stage = Stage::of(cloud, with_account(&location));
    stage.titles().await;
    let changes: [(&str, Change); 5] = [
        ("maintenance", |cloud| cloud.server().maintenance = true),
        ("untrusted-domain", |cloud| cloud.server().untrusted = true),
        ("empty", |cloud| {
            cloud.server().write(SHEET, "", 9);
        }),
        ("web-page", |cloud| {
            cloud
                .server()
                .write(SHEET, "<!doctype html><title>Connexion</title>", 9);
        }),
        ("header-lost", |cloud| {
            cloud.server().write(SHEET, "2027-01-02,Bal\n", 9);
        }),
    ];
    for (code, change) in changes {
        change(&stage.cloud);
        stage.later(30);
        assert_eq!(stage.code().await, code);
        {
            let mut server = stage.cloud.server();
            (server.maintenance, server.untrusted) = (false, false);
            server.write(SHEET, BAL, 20);
        }
        stage.later(30);
        assert!(stage.look().await.unwrap().is_none(), "after {code}");
    }
    stage.asks_only();
}

#[test]
fn an_address_that_needs_an_account_is_refused_without_one() {
    let refused = |settings: Value| {
        let built = (raccord_connector_spreadsheet::CONNECTOR.build)(settings, &kit());
        let findings = built.err().expect("it is refused");
        let first = &findings[0];
        format!("{} {} {}", first.place, first.code, first.mend.en)
    };
    let file = "https://nuage.example.org/f/74";
    for (settings, said) in [
        (
            json!({ "location": file }),
            "location spreadsheet.address Add “user”",
        ),
        (
            json!({ "location": file, "user": "marie" }),
            "password_file spreadsheet.settings",
        ),
        (
            json!({ "location": "https://nuage.example.org/index.php/apps/files/?dir=/" }),
            "location spreadsheet.address In the Files app, open the sheet’s “…” menu",
        ),
        (
            json!({ "location": "https://nuage.example.org/s/abcdefgh", "user": "marie" }),
            "password_file spreadsheet.settings",
        ),
        (
            json!({ "location": "https://docs.google.com/spreadsheets/d/1AbCdEfGhIjKl/edit", "password": "x" }),
            "password_file spreadsheet.address",
        ),
        (
            json!({ "location": "https://docs.google.com/spreadsheets/d/1AbCdEfGhIjKl/edit", "sheet": "Janvier" }),
            "sheet spreadsheet.address Open the tab in Google Sheets",
        ),
        (
            json!({ "location": "https://lieu.getgrist.com/sXsBGDTKau1F/P", "user": "marie", "password": "x" }),
            "user spreadsheet.address",
        ),
    ] {
        let told = refused(settings);
        assert!(told.starts_with(said), "{told}");
    }
}
