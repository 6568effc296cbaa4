//! What a server answers, and what it comes to: refusals told apart, files under conditions.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use http::HeaderValue;
use jiff::SignedDuration;
use raccord_dav::{Dav, Fetched, Keys, Over, Stored};
use raccord_kit::ManualClock;
use raccord_kit::http::Target;
use raccord_kit::secret::{Inline, SecretSource};
use raccord_kit::standin::{Play, Reply, Standin};
use raccord_kit::testing::{NOON, kit};
use raccord_model::{Blame, Failure};

const KEYS: Keys = Keys {
    kind: "tested",
    address: "output",
    password: "password_file",
};
const ROOM: HeaderValue = HeaderValue::from_static("text/html");

struct Stage {
    standin: Standin,
    dav: Dav,
    clock: Arc<ManualClock>,
}

async fn stage() -> Stage {
    let standin = Standin::start().await;
    let clock = Arc::new(ManualClock::at(NOON));
    let mut kit = kit();
    kit.clock = clock.clone();
    let password: Inline = serde_json::from_value("canary".into()).unwrap();
    let password = SecretSource::new("password", Some(password), None, &kit).unwrap();
    let base = Target::configured("output", &standin.url("/")).unwrap();
    let dav = Dav::new(KEYS, base, "raccord", password, &kit).unwrap();
    Stage {
        standin,
        dav,
        clock,
    }
}

impl Stage {
    fn answers(&self, reply: Reply) {
        self.standin.direct(move |_| Play::Answer(reply.clone()));
    }

    async fn refused(&self, reply: Reply) -> Failure {
        self.answers(reply);
        let stored = self.dav.store("/f/a.html", Over::Nothing, ROOM, "a").await;
        stored.unwrap_err()
    }
}

fn page(status: u16, body: &str) -> Reply {
    Reply::status(status).body(body.to_owned())
}

#[tokio::test]
async fn each_refusal_has_its_own_name_and_says_what_to_click() {
    let named = [
        (
            page(
                507,
                "<s:exception>OCA\\DAV\\Connector\\Sabre\\Exception\\InsufficientStorage</s:exception>",
            ),
            "quota",
            Blame::Transient,
            "Quota",
        ),
        (page(423, ""), "locked", Blame::Transient, "Unlock file"),
        (
            page(400, "{\"error\": \"Trusted domain error.\", \"code\": 15}"),
            "untrusted-domain",
            Blame::Transient,
            "trusted_domains",
        ),
        (
            page(
                503,
                "<s:exception>OCA\\DAV\\Exception\\ServerMaintenanceMode</s:exception>",
            ),
            "maintenance",
            Blame::Transient,
            "maintenance:mode --off",
        ),
        (
            page(429, ""),
            "throttled",
            Blame::Transient,
            "security:bruteforce:reset",
        ),
        (page(403, ""), "forbidden", Blame::Access, "right"),
        (
            page(401, "<o:hint>password login forbidden</o:hint>"),
            "app-password",
            Blame::Access,
            "Create new app password",
        ),
    ];
    for (reply, code, blame, click) in named {
        let stage = stage().await;
        let failure = stage.refused(reply).await;
        assert_eq!(failure.code, format!("tested.{code}"));
        assert_eq!(failure.blame, blame, "{code}");
        assert!(failure.mend.en.contains(click), "{}", failure.mend.en);
    }
}

#[tokio::test]
async fn a_name_the_server_does_not_know_is_told_by_its_status_page() {
    let stage = stage().await;
    stage.standin.direct(|seen| {
        Play::Answer(match seen.path.as_str() {
            "/status.php" => page(400, "{\"error\": \"Trusted domain error.\"}"),
            _ => page(400, "<!DOCTYPE html><title>Nextcloud</title>"),
        })
    });
    let failure = stage.dav.list("/f/", "1").await.unwrap_err();
    assert_eq!(failure.code, "tested.untrusted-domain");
}

#[tokio::test]
async fn a_refused_password_is_shown_once_an_hour() {
    let stage = stage().await;
    stage.answers(Reply::status(401));
    for _ in 0..20 {
        let failure = stage.dav.list("/f/", "0").await.unwrap_err();
        assert_eq!(failure.code, "tested.credentials");
    }
    assert_eq!(stage.standin.seen().len(), 1);
    stage.clock.advance(SignedDuration::from_mins(61));
    assert!(stage.dav.list("/f/", "0").await.is_err());
    assert_eq!(stage.standin.seen().len(), 2);
}

#[tokio::test]
async fn of_many_requests_at_once_one_shows_a_password_of_which_nothing_is_known() {
    let stage = stage().await;
    stage.answers(page(401, ""));
    let store = || stage.dav.store("/f/a.html", Over::Nothing, ROOM, "a");
    let (one, two, three, four) = tokio::join!(store(), store(), store(), store());
    for stored in [one, two, three, four] {
        assert_eq!(stored.unwrap_err().blame, Blame::Access);
    }
    assert_eq!(stage.standin.seen().len(), 1);
}

#[tokio::test]
async fn no_answer_leads_the_password_to_another_host() {
    let stage = stage().await;
    for path in [
        "//elsewhere.example/x",
        "elsewhere",
        "https://elsewhere.example/",
    ] {
        assert!(stage.dav.target(path).is_err(), "{path}");
    }
    assert_eq!(
        stage.dav.target("/é à").unwrap().url().path(),
        "/%C3%A9%20%C3%A0"
    );
}

#[tokio::test]
async fn nothing_is_written_without_a_condition() {
    let stage = stage().await;
    stage.answers(Reply::status(201).header("ETag", "W/\"7-gzip\""));
    let new = stage
        .dav
        .store("/f/a b.html", Over::Nothing, ROOM, "a")
        .await;
    assert_eq!(new.unwrap(), Stored::Done(Some("\"7\"".to_owned())));
    let over = stage
        .dav
        .store("/f/a b.html", Over::This("\"7\""), ROOM, "b")
        .await;
    over.unwrap();
    let seen = stage.standin.seen();
    assert_eq!(seen[0].header("if-none-match"), "*");
    assert_eq!(seen[1].header("if-match"), "\"7\"");
    assert_eq!(seen[1].path, "/f/a%20b.html");
    stage.answers(Reply::status(204));
    let silent = stage.dav.store("/f/a", Over::Nothing, ROOM, "a").await;
    assert_eq!(silent.unwrap(), Stored::Done(None));
    stage.answers(Reply::status(412));
    let other = stage.dav.store("/f/a", Over::Nothing, ROOM, "a").await;
    assert_eq!(other.unwrap(), Stored::Changed);
    for status in [404, 409] {
        stage.answers(Reply::status(status));
        let nowhere = stage.dav.store("/f/a", Over::Nothing, ROOM, "a").await;
        assert_eq!(nowhere.unwrap(), Stored::NoFolder);
    }
    stage.answers(Reply::status(412));
    assert!(!stage.dav.discard("/f/a", "\"7\"").await.unwrap());
    stage.answers(Reply::status(404));
    assert!(stage.dav.discard("/f/a", "\"7\"").await.unwrap());
}

#[tokio::test]
async fn a_list_says_what_is_a_folder_and_what_may_be_written() {
    let stage = stage().await;
    let rows = r#"<?xml version="1.0"?><d:multistatus xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns"><d:response><d:href>/f/caf%c3%a9</d:href><d:propstat><d:prop><d:getetag>&quot;6b02&quot;</d:getetag><d:resourcetype><d:collection/></d:resourcetype><oc:fileid>103</oc:fileid><oc:permissions>RGDNV</oc:permissions></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response><d:response><d:href>/f/caf%c3%a9/a.ods</d:href><d:propstat><d:prop><d:getetag>&quot;1&quot;</d:getetag><d:getcontentlength>67</d:getcontentlength><oc:permissions>RGDNVW</oc:permissions><d:resourcetype/></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response></d:multistatus>"#;
    stage.answers(page(207, rows));
    let all = stage.dav.list("/f/café/", "1").await.unwrap().unwrap();
    assert_eq!(
        (all[0].path.as_str(), all[0].folder, all[0].writable()),
        ("/f/café/", true, false)
    );
    assert_eq!(all[0].id.as_deref(), Some("103"));
    assert_eq!(
        (all[1].name(), all[1].folder, all[1].writable(), all[1].size),
        ("a.ods", false, true, Some(67))
    );
    stage.answers(Reply::status(404));
    assert_eq!(stage.dav.list("/f/café/", "1").await.unwrap(), None);
    stage.answers(Reply::status(405));
    let failure = stage.dav.list("/", "1").await.unwrap_err();
    assert_eq!(failure.code, "tested.no-dav");
    stage.answers(Reply::login_page());
    let failure = stage.dav.list("/", "1").await.unwrap_err();
    assert_eq!(failure.code, "tested.odd-answer");
}

#[tokio::test]
async fn a_file_is_read_when_it_changed() {
    let stage = stage().await;
    stage.answers(page(200, "date;titre").header("ETag", "\"1\""));
    let Fetched::File(file) = stage.dav.fetch("/f/a.csv", None, 100).await.unwrap() else {
        panic!("it is there");
    };
    assert_eq!(
        (&*file.etag, &*file.bytes),
        ("\"1\"", b"date;titre".as_slice())
    );
    assert!(stage.dav.fetch("/f/a.csv", None, 5).await.is_err());
    stage.answers(Reply::status(304));
    let same = stage
        .dav
        .fetch("/f/a.csv", Some("\"1\""), 100)
        .await
        .unwrap();
    assert_eq!(same, Fetched::Same);
    let seen = stage.standin.seen();
    assert_eq!(seen.last().unwrap().header("if-none-match"), "\"1\"");
    stage.answers(Reply::status(404));
    let gone = stage
        .dav
        .fetch("/f/a.csv", Some("\"1\""), 100)
        .await
        .unwrap();
    assert_eq!(gone, Fetched::Missing);
}

#[tokio::test]
async fn a_folder_is_made_with_those_above_it() {
    let stage = stage().await;
    let there = std::sync::Mutex::new(vec!["/f/".to_owned()]);
    stage.standin.direct(move |seen| {
        let mut there = there.lock().unwrap();
        let path = seen.path.trim_end_matches('/');
        let above = &path[..=path.rfind('/').unwrap()];
        let status = if there.contains(&seen.path) {
            405
        } else if there.iter().any(|one| one == above) {
            there.push(seen.path.clone());
            201
        } else {
            409
        };
        Play::Answer(Reply::status(status))
    });
    stage.dav.make_folder("/f/", "/f/a/b/c").await.unwrap();
    stage.dav.make_folder("/f", "/f/a/b/d/").await.unwrap();
    let made: Vec<String> = stage
        .standin
        .seen()
        .into_iter()
        .map(|seen| seen.path)
        .collect();
    assert_eq!(
        made,
        ["/f/a/b/c/", "/f/a/", "/f/a/b/", "/f/a/b/c/", "/f/a/b/d/"]
    );
    let failure = stage.dav.make_folder("/g/", "/g/a/").await.unwrap_err();
    assert_eq!(failure.code, "tested.missing");
    assert!(stage.dav.make_folder("/f/", "/g/").await.is_err());
}
