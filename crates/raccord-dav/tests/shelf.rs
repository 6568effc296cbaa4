//! Files kept in a cloud, beside those of other people: each surprise of a Nextcloud, and that nobody
//! loses anything by it.

#![allow(clippy::unwrap_used, reason = "tests")]

use raccord_dav::standin::Files;
use raccord_dav::{Keys, Login, Output};
use raccord_kit::secret::{Inline, SecretSource};
use raccord_kit::standin::{Play, Reply, Standin};
use raccord_kit::testing::{NOON, kit};
use raccord_model::{Blame, Failure};

const KEYS: Keys = Keys {
    kind: "tested",
    address: "output",
    password: "password_file",
};
const FOLDER: &str = "Été d'hiver/";
const FILE: &str = "Été d'hiver/a.html";

struct Stage {
    standin: Standin,
    files: Files,
    output: Output,
}

impl Stage {
    async fn open() -> Self {
        let standin = Standin::start().await;
        let files = Files::at(NOON);
        let cloud = files.clone();
        standin.direct(move |seen| cloud.answer(seen));
        let output = output(&standin.url("/remote.php/dav/files/raccord/%C3%89t%C3%A9%20d'hiver"));
        Self {
            standin,
            files,
            output: output.unwrap(),
        }
    }

    async fn write(&self, bytes: &[u8]) -> Result<bool, Failure> {
        self.output.write("a.html", bytes, |_| true).await
    }

    fn later(&self, seconds: i64) {
        self.files.state().now += seconds;
    }
}

fn output(address: &str) -> Result<Output, Failure> {
    let password: Inline = serde_json::from_value("canary".into()).unwrap();
    let login = Login {
        user: Some("raccord"),
        password: SecretSource::new("password", Some(password), None, &kit()).unwrap(),
    };
    Output::of(address, login, KEYS, &kit())
}

#[tokio::test]
async fn a_file_is_made_with_its_folder_and_written_only_when_it_changes() {
    let stage = Stage::open().await;
    assert!(stage.write(b"one").await.unwrap());
    assert!(stage.files.state().folders.contains(FOLDER));
    assert_eq!(stage.files.bytes(FILE).unwrap(), b"one");
    stage.later(10);
    assert!(!stage.write(b"one").await.unwrap());
    assert!(stage.write(b"two").await.unwrap());
    stage.later(10);
    let puts = stage.files.count("PUT");
    for _ in 0..5 {
        assert!(!stage.write(b"two").await.unwrap());
    }
    assert_eq!(stage.files.count("PUT"), puts);
    // Once it is known, a look has no body.
    let last = stage.standin.seen().pop().unwrap();
    assert!(!last.header("if-none-match").is_empty());
    assert_eq!(stage.output.read("a.html").await.unwrap().unwrap(), b"two");
}

#[tokio::test]
async fn what_somebody_writes_in_the_same_second_is_seen_although_its_mark_is_the_same() {
    let stage = Stage::open().await;
    stage.write(b"ours").await.unwrap();
    assert!(!stage.write(b"ours").await.unwrap());
    let ours = stage.files.state().etag(FILE);
    stage.files.somebody_puts(FILE, b"else");
    assert_eq!(stage.files.state().etag(FILE), ours, "the surprise");
    stage.later(60);
    assert!(stage.write(b"ours").await.unwrap(), "it is put right");
    assert_eq!(stage.files.bytes(FILE).unwrap(), b"ours");
}

#[tokio::test]
async fn an_answer_without_a_mark_is_looked_at_again() {
    let stage = Stage::open().await;
    stage.files.state().silent = true;
    assert!(stage.write(b"one").await.unwrap());
    let seen = stage.standin.seen();
    let last = seen.last().unwrap();
    assert_eq!(last.method, "GET", "what stands there is what counts");
    assert_eq!(
        stage.files.count("PUT"),
        2,
        "the folder was missing at first"
    );
    assert!(!stage.write(b"one").await.unwrap());
}

#[tokio::test]
async fn a_file_that_somebody_holds_or_has_no_room_waits_and_is_told() {
    let stage = Stage::open().await;
    stage.write(b"one").await.unwrap();
    stage.files.state().locked.insert(FILE.to_owned());
    let failure = stage.write(b"two").await.unwrap_err();
    assert_eq!(
        (failure.code.as_str(), failure.blame),
        ("tested.locked", Blame::Transient)
    );
    let failure = stage.output.remove("a.html", |_| true).await.unwrap_err();
    assert_eq!(failure.code, "tested.locked");
    stage.files.state().locked.clear();
    stage.files.state().full = true;
    let failure = stage.write(b"two").await.unwrap_err();
    assert_eq!(
        (failure.code.as_str(), failure.blame),
        ("tested.quota", Blame::Transient)
    );
    assert!(failure.retry_after_ms.is_some());
    assert_eq!(stage.files.bytes(FILE).unwrap(), b"one", "whole as it was");
    stage.files.state().full = false;
    assert!(stage.write(b"two").await.unwrap());
}

#[tokio::test]
async fn names_are_known_whatever_letters_the_cloud_encodes_them_with() {
    let stage = Stage::open().await;
    stage.write(b"one").await.unwrap();
    stage
        .output
        .write("b é.html", b"two", |_| true)
        .await
        .unwrap();
    for capitals in [false, true] {
        stage.files.state().capitals = capitals;
        let names = stage.output.names("").await.unwrap();
        assert_eq!(names, ["a.html", "b é.html"]);
    }
    assert!(stage.output.names("nowhere").await.unwrap().is_empty());
    assert!(stage.output.exists("b é.html").await.unwrap());
    assert!(!stage.output.exists("c.html").await.unwrap());
}

#[tokio::test]
async fn the_file_of_a_stranger_is_neither_written_nor_taken_away() {
    let stage = Stage::open().await;
    stage.files.somebody_makes(FOLDER);
    stage.files.somebody_puts(FILE, b"precious");
    let ours = |bytes: &[u8]| bytes.starts_with(b"raccord");
    let failure = stage
        .output
        .write("a.html", b"raccord 1", ours)
        .await
        .unwrap_err();
    assert_eq!(
        (failure.code.as_str(), failure.blame),
        ("tested.not-ours", Blame::Data)
    );
    assert!(failure.text.en.contains("a.html") && failure.mend.fr.contains("Renommez"));
    assert!(!stage.output.remove("a.html", ours).await.unwrap());
    assert_eq!(stage.files.bytes(FILE).unwrap(), b"precious");
    assert_eq!(stage.files.count("PUT") + stage.files.count("DELETE"), 0);
}

#[tokio::test]
async fn what_somebody_writes_between_our_look_and_our_write_is_seen() {
    let stage = Stage::open().await;
    let ours = |bytes: &[u8]| bytes.starts_with(b"raccord");
    stage
        .output
        .write("a.html", b"raccord 1", ours)
        .await
        .unwrap();
    stage.later(10);
    stage.files.state().race = Some((FILE.to_owned(), b"a note of theirs".to_vec()));
    let failure = stage
        .output
        .write("a.html", b"raccord 2", ours)
        .await
        .unwrap_err();
    assert_eq!(failure.code, "tested.not-ours");
    assert_eq!(stage.files.bytes(FILE).unwrap(), b"a note of theirs");
    // The same where nothing was at first.
    stage.files.state().race = Some((format!("{FOLDER}b.html"), b"theirs".to_vec()));
    let failure = stage
        .output
        .write("b.html", b"raccord", ours)
        .await
        .unwrap_err();
    assert_eq!(failure.code, "tested.not-ours");
}

#[tokio::test]
async fn a_lost_answer_is_unknown_and_the_next_look_finds_the_file() {
    let stage = Stage::open().await;
    stage.files.somebody_makes(FOLDER);
    let cloud = stage.files.clone();
    stage.standin.direct(move |seen| {
        let answer = cloud.answer(seen);
        if seen.method == "PUT" {
            Play::DoneThenReset
        } else {
            answer
        }
    });
    let failure = stage.write(b"one").await.unwrap_err();
    assert_eq!(failure.blame, Blame::Unknown);
    let cloud = stage.files.clone();
    stage.standin.direct(move |seen| cloud.answer(seen));
    assert_eq!(stage.output.read("a.html").await.unwrap().unwrap(), b"one");
    assert!(!stage.write(b"one").await.unwrap());
    assert_eq!(stage.files.count("PUT"), 1);
}

#[tokio::test]
async fn check_tells_what_is_wrong_with_the_folder_and_writes_nothing() {
    let stage = Stage::open().await;
    let codes = |findings: Vec<raccord_kit::Finding>| -> Vec<String> {
        findings.into_iter().map(|one| one.code).collect()
    };
    assert!(stage.output.look().await.is_empty(), "it will be made");
    stage.files.state().read_only = true;
    assert_eq!(codes(stage.output.look().await), ["tested.read-only"]);
    stage.files.state().read_only = false;
    let other = output(&stage.standin.url("/remote.php/dav/files/marie/x/")).unwrap();
    assert_eq!(codes(other.look().await), ["tested.missing"]);
    stage.files.somebody_puts("Été d'hiver", b"a file");
    assert_eq!(codes(stage.output.look().await), ["tested.no-folder"]);
    stage.standin.direct(|_| Reply::status(401).into());
    let findings = stage.output.look().await;
    assert_eq!(findings[0].place, "password_file");
    assert_eq!(stage.files.count("PUT") + stage.files.count("MKCOL"), 0);
    for address in ["https://h/", "https://h/s/AbC", "https://h/f/12"] {
        let failure = output(address).err().unwrap();
        assert_eq!(failure.code, "tested.no-folder-address", "{address}");
    }
    let nobody = Login {
        user: None,
        password: None,
    };
    let failure = Output::of("https://h/dav/x", nobody, KEYS, &kit())
        .err()
        .unwrap();
    assert_eq!(failure.code, "tested.no-user");
}
