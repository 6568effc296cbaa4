//! The rules of the quality scale that can be played by a test.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::path::Path;

use common::office::Act;
use common::{Stage, build, settings, sign_up, with};
use futures_util::future::join_all;
use raccord_connector_signup::CONNECTOR;
use raccord_kit::conformance::{self, HOSTILE, QualityLevel};
use raccord_kit::standin::Standin;
use raccord_kit::testing::kit;
use raccord_kit::{Finding, Job, Kit, SignIn};
use raccord_model::{Blame, Found, Link, NO_SUCH_ADDRESS};
use serde_json::json;

#[test]
fn the_claims_of_quality_toml_are_true() {
    let quality = conformance::quality(Path::new(".")).unwrap();
    assert_eq!(quality.level, QualityLevel::Silver);
}

#[test]
fn b01_the_card_says_what_the_connector_does() {
    let settings = json!({ "url": "smtp://127.0.0.1:2525", "from": "Lieu <lieu@example.org>" });
    let tool = (CONNECTOR.build)(settings, &kit()).unwrap();
    conformance::card(&CONNECTOR, &tool.describe()).unwrap();
}

#[test]
fn b02_broken_settings_are_refused_by_their_key() {
    let with = |key: &str, value: serde_json::Value| {
        let mut settings = json!({ "url": "smtps://mail.example.org", "from": "a@example.org" });
        settings[key] = value;
        settings
    };
    conformance::b02_config(
        &CONNECTOR,
        &[
            json!({}),
            json!({ "organisers": ["ana@example.org"] }),
            json!({ "url": "smtps://mail.example.org", "from": "Lieu <a@example.org>" }),
        ],
        &[
            (with("url", json!("https://mail.example.org")), "url"),
            (with("url", json!(3)), "url"),
            (with("from", json!("no address")), "from"),
            (with("user", json!("a")), "password_file"),
            (with("password", json!("a")), "user"),
            (with("organisers", json!(["no address"])), "organisers"),
            (with("sender", json!("a@example.org")), "sender"),
            (json!({ "url": "smtps://mail.example.org" }), "from"),
            (json!({ "from": "a@example.org" }), "url"),
        ],
    );
}

#[test]
fn b14_the_guide_is_complete_in_both_languages() {
    conformance::b14_guide(include_str!("../README.md"));
}

#[tokio::test]
async fn without_a_mail_server_it_says_what_cannot_be_done() {
    let tool = (CONNECTOR.build)(json!({}), &kit()).unwrap();
    assert!(tool.sink().is_none());
    assert!(!tool.welcome().unwrap().sends());
    let findings = tool.check().await;
    assert_eq!(findings[0].code, "signup.no-mail");
}

#[tokio::test]
async fn b03_check_tells_every_reason_apart_and_writes_nothing() {
    let mut told = std::collections::BTreeSet::new();
    let mut new = |name: &str, findings: &[Finding]| {
        assert!(!findings.is_empty(), "{name} is not told");
        for found in findings {
            assert!(!found.text.fr.is_empty() && found.text.fr != found.text.en);
            assert!(!found.mend.fr.is_empty() && found.mend.fr != found.mend.en);
        }
        let fresh = findings
            .iter()
            .filter(|it| told.insert((it.code.clone(), it.mend.en.clone())));
        assert!(fresh.count() > 0, "{name} is not told apart: {findings:?}");
    };
    let stage = Stage::open().await;
    assert_eq!(stage.tool.check().await, []);
    let checks = async |change: &dyn Fn(&mut serde_json::Value), kit: &Kit| {
        let mut settings = settings(&stage.office);
        change(&mut settings);
        build(&settings, kit).check().await
    };
    let login = |all: &mut serde_json::Value| {
        all["user"] = json!("lieu");
        all["password"] = json!("canary-secret");
    };
    let public = &stage.kit;
    let nobody = Standin::nobody().await.replace("http:", "smtp:");
    let nobody = nobody.trim_end_matches('/').to_owned();
    new(
        "nobody there",
        &checks(&|all| all["url"] = json!(nobody), public).await,
    );
    // Under TLS a server that shows a certificate of its own making.
    let tls = Standin::start_tls().await;
    let tls = tls.url("/").replace("https:", "smtps:");
    let tls = tls.trim_end_matches('/').to_owned();
    new(
        "a wrong certificate",
        &checks(&|all| all["url"] = json!(tls), public).await,
    );
    let bare = format!("{}?tls=starttls", stage.office.address());
    let bare = checks(&|all| all["url"] = json!(bare), public).await;
    assert_eq!(bare[0].code, "mail.insecure", "no TLS where there must be");
    let clear = format!("{}?tls=none", stage.office.address());
    new(
        "letters in clear",
        &checks(&|all| all["url"] = json!(clear), public).await,
    );
    let shown = |all: &mut serde_json::Value| {
        all["url"] = json!(clear);
        login(all);
    };
    let shown = checks(&shown, public).await;
    new("a password in clear", &shown);
    stage.office.wants("lieu", "another");
    new("a wrong password", &checks(&login, public).await);
    new("no sign-in without links", &checks(&|_| (), &kit()).await);
    let mute = Stage::open().await;
    mute.office.offers_no_login();
    let mut settings = settings(&mute.office);
    login(&mut settings);
    new("no login", &build(&settings, public).check().await);
    for (name, step, said) in [
        ("a sender that is not ours", "MAIL", "550 5.1.0 not you"),
        ("a server that asks to wait", "GREET", "421 later"),
    ] {
        let stage = Stage::open().await;
        stage
            .office
            .plays(move |at, _| (at == step).then_some(Act::Say(said)));
        new(name, &stage.tool.check().await);
        assert_eq!(stage.office.heard("DATA"), 0);
    }
    let none = (CONNECTOR.build)(json!({}), public).unwrap();
    new("no mail server", &none.check().await);
    assert_eq!(stage.office.taken(), []);
    assert_eq!(stage.office.heard("RCPT"), 0, "no letter was begun");
}

#[tokio::test]
async fn b05_the_name_of_a_mail_is_the_same_for_ever() {
    let names = async |stage: &Stage, entity: &raccord_model::Entity| {
        stage.tell(entity).await.unwrap();
        let letter = stage.office.taken().pop().unwrap();
        letter.header("Message-ID").unwrap().to_owned()
    };
    let ana = sign_up("ana@example.org");
    let first = names(&Stage::open().await, &ana).await;
    // Whatever is called otherwise meanwhile, and whichever process says it.
    let renamed = with("ana@example.org", &json!({ "name": "Ana-Maria" }));
    assert_eq!(names(&Stage::open().await, &renamed).await, first);
    // Another sign-up, and what is said of this one next, are other mails.
    let other = names(&Stage::open().await, &sign_up("bob@example.org")).await;
    assert_ne!(first, other);
    let stage = Stage::open().await;
    let off = with("ana@example.org", &json!({ "state": "cancelled" }));
    let mut said = std::collections::BTreeSet::from([first, other]);
    for times in [1, 2] {
        let job = stage.next(&off, &ana.fields, times).unwrap();
        stage.send(&job).await.unwrap();
        let letter = stage.office.taken().pop().unwrap();
        assert!(said.insert(letter.header("Message-ID").unwrap().to_owned()));
    }
}

#[tokio::test]
async fn b06_the_same_mail_asked_for_ten_times_at_once_is_one_letter() {
    let stage = Stage::open().await;
    let job = stage.first(&sign_up("ana@example.org"));
    let all = join_all((0..10).map(|_| stage.send(&job))).await;
    let sent = all.into_iter().map(Result::unwrap);
    assert_eq!(sent.filter(|made| !made.unchanged).count(), 1);
    assert_eq!(stage.office.taken().len(), 1);
    // One that was refused is handed over when it is asked for again.
    let mut once = true;
    stage.office.plays(move |at, _| {
        let first = at == "RCPT" && std::mem::take(&mut once);
        first.then_some(Act::Say("450 4.2.0 not now"))
    });
    let bob = stage.first(&sign_up("bob@example.org"));
    assert_eq!(stage.send(&bob).await.unwrap_err().blame, Blame::Transient);
    stage.send(&bob).await.unwrap();
    assert_eq!(stage.office.taken().len(), 2);
}

#[tokio::test]
async fn s01_every_refusal_has_its_blame_and_is_not_repeated() {
    use Blame::{Access, Data, Transient, Unknown};
    for (step, said, blame) in [
        ("GREET", "421 later", Transient),
        ("GREET", "554 go away", Access),
        ("EHLO", "421 later", Transient),
        ("MAIL", "451 later", Transient),
        ("MAIL", "550 not you", Access),
        ("MAIL", "530 log in", Access),
        ("RCPT", "450 later", Transient),
        ("RCPT", "452 no room", Transient),
        ("RCPT", "550 5.1.1 nobody", Data),
        ("RCPT", "550 5.7.1 not for them", Data),
        ("RCPT", "553 5.7.1 not yours", Access),
        ("RCPT", "554 5.7.1 no relay", Access),
        ("RCPT", "550 relay not permitted", Access),
        ("RCPT", "550 5.7.1 Unable to relay", Access),
        ("RCPT", "550 5.1.1 relay@: nobody of that name", Data),
        ("RCPT", "550 5.1.8 bad sender", Access),
        ("DATA", "451 later", Transient),
        ("DATA", "554 no", Data),
        ("LETTER", "452 later", Transient),
        ("LETTER", "554 spam", Data),
        ("LETTER", "", Unknown),
        ("RCPT", "", Transient),
    ] {
        let stage = Stage::open().await;
        stage.office.plays(move |at, _| {
            let act = if said.is_empty() {
                Act::Cut
            } else {
                Act::Say(said)
            };
            (at == step).then_some(act)
        });
        let failure = stage.tell(&sign_up("ana@example.org")).await.unwrap_err();
        assert_eq!(failure.blame, blame, "{step} {said}: {failure:?}");
        // A policy does not say that nobody reads there.
        let is_gone = failure.code == NO_SUCH_ADDRESS;
        assert_eq!(is_gone, said.contains("5.1.1"), "{step} {said}");
        assert!(!failure.text.fr.is_empty() && failure.text.fr != failure.text.en);
        assert!(!failure.mend.fr.is_empty() && failure.mend.fr != failure.mend.en);
        assert!(stage.office.heard("MAIL") <= 1, "{step} {said} is repeated");
    }
}

#[tokio::test]
async fn s13_hours_are_those_of_the_place_as_the_sheet_says_them() {
    for (start, said) in [
        ("2027-01-02T18:30", "samedi 2\u{a0}janvier 2027"),
        // The night the clocks change, and a whole day.
        ("2027-03-28T02:30", "dimanche 28\u{a0}mars 2027"),
        ("2027-10-31", "dimanche 31\u{a0}octobre 2027"),
    ] {
        let stage = Stage::open().await;
        let about = json!({ "about": { "id": "a", "title": "Bal", "start": start } });
        stage.tell(&with("ana@example.org", &about)).await.unwrap();
        let letter = stage.office.taken().remove(0).says();
        assert!(letter.contains(said), "{letter}");
        let hour = start.split_once('T').map(|(_, hour)| hour);
        let hour = hour.map(|hour| {
            hour.trim_start_matches('0')
                .replace(':', "\u{202f}h\u{202f}")
        });
        assert!(hour.is_none_or(|hour| letter.contains(&hour)), "{letter}");
    }
}

#[tokio::test]
async fn s15_text_stays_text_whatever_people_are_called() {
    for text in HOSTILE {
        let stage = Stage::open().await;
        let more = json!({
            "name": text,
            "about": { "id": "a", "title": text, "task": text, "room": text, "start": "2027-01-02T18:30" },
        });
        stage.tell(&with("ana@example.org", &more)).await.unwrap();
        let taken = stage.office.taken();
        let [letter] = &taken[..] else {
            panic!("{} letters", taken.len());
        };
        assert_eq!(letter.to, "ana@example.org");
        let head = letter.text.split("\r\n\r\n").next().unwrap();
        let names: Vec<&str> = head
            .split("\r\n")
            .filter(|line| !line.starts_with([' ', '\t']))
            .filter_map(|line| Some(line.split_once(':')?.0))
            .collect();
        for name in &names {
            let ours = [
                "Message-ID",
                "Date",
                "From",
                "To",
                "Subject",
                "MIME-Version",
                "Content-Type",
                "Content-Transfer-Encoding",
                "Content-Language",
                "Auto-Submitted",
                "In-Reply-To",
                "References",
                "X-Auto-Response-Suppress",
            ];
            assert!(ours.contains(name), "{text:?} became the header {name}");
        }
        assert!(letter.text.is_ascii());
        assert!(letter.text.len() < 100_000, "{}", letter.text.len());
    }
}

#[tokio::test]
async fn a_link_to_sign_in_is_one_mail_however_often_it_is_asked_for() {
    let stage = Stage::open().await;
    let welcome = stage.tool.welcome().unwrap();
    assert!(welcome.sends() && !welcome.is_organiser("ana@example.org"));
    for lang in [raccord_model::Lang::Fr, raccord_model::Lang::En] {
        let link = SignIn {
            key: format!("k {lang}"),
            email: "ana@example.org".to_owned(),
            address: "https://lieu.example.org/hands/enter?k=x".to_owned(),
            minutes: 20,
            lang,
            at: raccord_kit::testing::NOON,
        };
        welcome.send_link(&link).await.unwrap();
        // The same again is the same mail.
        welcome.send_link(&link).await.unwrap();
        let letter = stage.office.taken().pop().unwrap();
        assert!(letter.says().contains(&link.address), "{}", letter.says());
        assert!(letter.says().contains("20"));
    }
    assert_eq!(stage.office.taken().len(), 2);
    let nowhere = SignIn {
        key: "k".to_owned(),
        email: "no address".to_owned(),
        address: String::new(),
        minutes: 20,
        lang: raccord_model::Lang::Fr,
        at: raccord_kit::testing::NOON,
    };
    assert!(welcome.send_link(&nowhere).await.is_err());
}

#[tokio::test]
async fn what_is_no_mail_is_told_and_what_was_sent_stays_sent() {
    let stage = Stage::open().await;
    let sent = stage.first(&sign_up("ana@example.org"));
    let Job::Write {
        entity,
        mut desired,
        ..
    } = sent.clone()
    else {
        panic!("{sent:?}");
    };
    let made = stage.send(&sent).await.unwrap();
    let link = Link {
        external: made.applied.external,
        tag: None,
        url: None,
        hash: desired.hash,
        revision: 1,
    };
    let again = Job::Write {
        entity,
        desired: desired.clone(),
        link: Some(link.clone()),
    };
    assert!(stage.send(&again).await.unwrap().unchanged);
    stage.send(&Job::Remove { entity, link }).await.unwrap();
    assert_eq!(stage.office.taken().len(), 1);

    let found = stage.tool.sink().unwrap().find(&sent).await.unwrap();
    assert_eq!(found, Found::CannotTell, "nobody tells what was mailed");
    let nobody = stage.tell(&sign_up("no address")).await.unwrap_err();
    desired.body = json!({ "to": "ana@example.org" });
    let broken = Job::Write {
        entity,
        desired,
        link: None,
    };
    for (failure, blame, code) in [
        (nobody, Blame::Data, "signup.no-mailbox"),
        (
            stage.send(&broken).await.unwrap_err(),
            Blame::Bug,
            "signup.formless",
        ),
        (
            stage.send(&Job::Seek { entity }).await.unwrap_err(),
            Blame::Bug,
            "signup.formless",
        ),
    ] {
        assert_eq!((failure.blame, failure.code.as_str()), (blame, code));
        assert!(!failure.mend.fr.is_empty() && failure.mend.fr != failure.mend.en);
    }
    assert_eq!(stage.office.taken().len(), 1);
}
