//! The rules of the quality scale that can be played by a test.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::path::Path;
use std::time::Duration;

use common::server::{Fault, PASSWORD};
use common::{MONTH, PAGE, Stage, activity, changed, january, settings};
use raccord_connector_mediawiki::CONNECTOR;
use raccord_kit::Tool;
use raccord_kit::conformance::{self, Given, HOSTILE, QualityLevel, Reasons, STATUSES};
use raccord_kit::standin::{Play, Reply};
use raccord_kit::testing::{Logs, kit};
use raccord_model::{Blame, Class, EntityKind, Found, Mode, Period, Rendered};
use serde_json::{Value, json};

fn tool(settings: Value) -> Box<dyn Tool> {
    (CONNECTOR.build)(settings, &kit()).unwrap()
}

#[test]
fn the_claims_of_quality_toml_are_true() {
    let quality = conformance::quality(Path::new(".")).unwrap();
    assert_eq!(quality.level, QualityLevel::Silver);
}

#[test]
fn b01_the_card_says_what_the_connector_does() {
    let manifest = tool(settings("http://h/")).describe();
    conformance::card(&CONNECTOR, &manifest).unwrap();
    let one = &manifest.handles[0];
    assert_eq!(
        (one.entity, one.mode, one.class),
        (
            EntityKind::Activity,
            Mode::Publication(Period::Month),
            Class::Address
        )
    );
}

#[test]
fn b02_broken_settings_are_refused_by_their_key() {
    let given = Given(settings("https://wiki.example.org"));
    let mut in_a_file = given.without("password");
    in_a_file["password_file"] = json!("secrets/wiki");
    conformance::b02_config(
        &CONNECTOR,
        &[
            settings("https://wiki.example.org/w/index.php"),
            given.without("page"),
            in_a_file,
        ],
        &[
            (given.without("url"), "url"),
            (given.without("user"), "user"),
            (given.with("url", json!("wiki.example.org")), "url"),
            (
                given.with("url", json!("https://a:b@wiki.example.org/")),
                "url",
            ),
            (given.with("page", json!("")), "page"),
            (given.with("pages", json!("x")), "pages"),
            (given.with("password_file", json!("x")), "password"),
        ],
    );
}

#[tokio::test]
async fn b03_check_tells_every_reason_apart_and_writes_nothing() {
    let mut reasons = Reasons::default();
    let calm = Stage::open().await;
    assert_eq!(calm.tool.check().await, []);

    reasons
        .at_the_door(async |url| tool(settings(&url)).check().await)
        .await;

    let findings = async |change: fn(&mut Value), server: fn(&Stage)| {
        let stage = Stage::with(None, change).await;
        server(&stage);
        let found = stage.tool.check().await;
        assert_eq!(stage.server.versions(), 0, "check wrote");
        found
    };
    let drop_password = |all: &mut Value| drop(all.as_object_mut().unwrap().remove("password"));
    reasons.tells("no password", &findings(drop_password, |_| ()).await);
    reasons.tells(
        "a wrong password",
        &findings(|all| all["password"] = json!("x"), |_| ()).await,
    );
    let reads = |stage: &Stage| stage.server.state().rights = ["read"].into();
    reasons.tells("no right to edit", &findings(|_| (), reads).await);
    reasons.tells(
        "a bad title",
        &findings(|all| all["page"] = json!("a[b"), |_| ()).await,
    );
    let protected = |stage: &Stage| {
        stage
            .server
            .state()
            .protected
            .insert("Programme".to_owned());
    };
    let found = findings(|_| (), protected).await;
    assert_eq!(
        (found[0].place.as_str(), found[0].code.as_str()),
        ("page", "mediawiki.may-not-edit")
    );
}

#[tokio::test]
async fn b06_the_same_month_ten_times_is_one_page_and_one_version() {
    let stage = Stage::open().await;
    let sink = stage.tool.sink().unwrap();
    let job = stage.job(&january());
    let all = futures_util::future::join_all((0..10).map(|_| sink.apply(&job))).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    assert_eq!(stage.server.versions(), 1);
    assert_eq!(stage.server.text(PAGE).matches("raccord:begin").count(), 1);
}

#[tokio::test]
async fn b07_a_lost_answer_may_be_repeated_and_leaves_one_version() {
    let mut stage = Stage::open().await;
    stage.server.fault(Fault::LoseAnswer);
    let failure = stage.write(&january()).await.unwrap_err();
    assert_eq!(
        failure.blame,
        Blame::Transient,
        "the page has its name from us"
    );
    stage.restart();
    assert!(matches!(stage.find(&january()).await, Found::Yes(_)));
    assert!(matches!(stage.find(&changed()).await, Found::No { .. }));
    assert!(stage.write(&january()).await.unwrap().unchanged);
    assert_eq!(stage.server.versions(), 1);
    stage.server.fault(Fault::Reset);
    stage.write(&changed()).await.unwrap_err();
    stage.write(&changed()).await.unwrap();
    assert_eq!(stage.server.versions(), 2);
}

#[tokio::test]
async fn b11_the_password_is_shown_to_the_wiki_and_to_nobody_else() {
    let logs = Logs::listen();
    let stage = Stage::open().await;
    stage.write(&january()).await.unwrap();
    stage.server.state().session += 1;
    "other".clone_into(&mut stage.server.state().password);
    let failure = stage.write(&changed()).await.unwrap_err();
    let findings = stage.tool.check().await;
    let shown = (&failure, &findings, stage.tool.describe(), logs.text());
    conformance::b11_secrets(PASSWORD, &[&shown]);
    conformance::b11_secrets("token1", &[&shown]);
    for seen in stage.standin.seen() {
        assert!(
            !seen.path.contains("canary") && !seen.path.contains("token"),
            "{}",
            seen.path
        );
        let body = String::from_utf8_lossy(&seen.body).into_owned();
        assert_eq!(
            body.contains("canary"),
            body.contains("action=login"),
            "{body}"
        );
    }
}

#[tokio::test]
async fn b12_a_server_that_drips_or_never_ends_is_given_up() {
    let stage = Stage::open().await;
    for status in [200, 500] {
        let huge = Play::Huge(Reply::status(status), 1_000_000_000);
        stage.standin.script([huge]);
        let start = std::time::Instant::now();
        stage.write(&january()).await.unwrap_err();
        assert!(start.elapsed() < Duration::from_secs(20));
    }
    stage.write(&january()).await.unwrap();
    tokio::time::pause();
    let start = tokio::time::Instant::now();
    let reply = Reply::ok("x".repeat(1_000));
    stage
        .standin
        .script([Play::Drip(reply, Duration::from_secs(1))]);
    stage.write(&changed()).await.unwrap_err();
    let waited = start.elapsed();
    tokio::time::resume();
    assert!(waited <= raccord_kit::http::TIME + Duration::from_secs(1));
}

#[test]
fn b14_the_guide_is_complete_in_both_languages() {
    conformance::b14_guide(include_str!("../README.md"));
}

#[tokio::test]
async fn s01_every_refusal_has_its_blame_and_is_not_repeated() {
    for (status, blame) in STATUSES {
        let stage = Stage::open().await;
        stage.server.fault(Fault::Refuse(Reply::status(*status)));
        let failure = stage.write(&january()).await.unwrap_err();
        assert_eq!(failure.blame, *blame, "{status}: {failure:?}");
        assert_eq!(stage.server.versions(), 0, "{status}");
    }
    for (code, blame) in [
        ("maxlag", Blame::Transient),
        ("ratelimited", Blame::Transient),
        ("readonly", Blame::Transient),
        ("internal_api_error_Exception", Blame::Transient),
        ("blocked", Blame::Access),
        ("permissiondenied", Blame::Access),
        ("protectedpage", Blame::Access),
        ("captcha", Blame::Access),
        ("abusefilter-disallowed", Blame::Data),
        ("contenttoobig", Blame::Data),
    ] {
        let stage = Stage::open().await;
        stage.server.fault(Fault::Error(code));
        let failure = stage.write(&january()).await.unwrap_err();
        assert_eq!(failure.blame, blame, "{code}: {failure:?}");
        assert!(!failure.mend.fr.is_empty() && failure.mend.fr != failure.mend.en);
        assert_eq!(stage.server.versions(), 0, "{code}");
    }
    for (said, code) in [
        (
            json!({ "edit": { "result": "Failure", "captcha": { "type": "image" } } }),
            "captcha",
        ),
        (json!({ "edit": { "result": "Failure" } }), "refused"),
        (json!([]), "no-wiki"),
    ] {
        let stage = Stage::open().await;
        stage
            .server
            .fault(Fault::Refuse(Reply::ok(said.to_string())));
        let failure = stage.write(&january()).await.unwrap_err();
        assert_eq!(failure.code, format!("mediawiki.{code}"));
    }
}

#[tokio::test]
async fn s07_a_month_that_stands_as_it_should_is_one_request() {
    let stage = Stage::open().await;
    stage.write(&january()).await.unwrap();
    let before = stage.standin.seen().len();
    assert!(stage.write(&january()).await.unwrap().unchanged);
    assert_eq!(stage.standin.seen().len(), before + 1);
}

#[tokio::test]
async fn s13_days_hours_and_nights_are_written_as_they_were_said() {
    let stage = Stage::open().await;
    let of = |number, start: &str, end: Value| {
        activity(
            number,
            json!({ "start": start, "end": end, "zone": "Europe/Paris" }),
        )
    };
    let members = [
        of(1, "2027-03-28T02:30", json!("2027-03-28T04:00")),
        of(2, "2027-03-06", json!("2027-03-07")),
        of(3, "2027-02-27", json!("2027-03-02")),
        of(4, "2027-03-31T22:00", json!("2027-04-01T03:00")),
    ];
    let desired = stage.desired("2027-03", &members);
    let text = desired.body["text"]
        .as_str()
        .unwrap()
        .replace(['\u{a0}', '\u{202f}'], " ");
    for said in [
        "<h3>lundi 1er mars</h3>\n* '''jusqu’au mardi 2 mars''' Bal 3",
        "<h3>samedi 6 mars</h3>",
        "<h3>dimanche 28 mars</h3>\n* '''2 h 30 – 4 h''' Bal 1",
        "<h3>mercredi 31 mars</h3>\n* '''22 h – 3 h''' Bal 4",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }
}

#[tokio::test]
async fn s15_text_stays_text() {
    let stage = Stage::open().await;
    let long = conformance::very_long();
    for text in HOSTILE.iter().copied().chain([
        long.as_str(),
        "{{Supprimer}}",
        "__NOTOC__",
        "[[Catégorie:X]]",
        "<!-- raccord:end -->",
    ]) {
        let members = [activity(
            1,
            json!({
                "title": text, "room": text, "description": text, "url": text, "register": text,
            }),
        )];
        let Rendered::Object(_) = stage.render(MONTH, &members) else {
            continue;
        };
        stage.write(&members).await.unwrap();
        let page = stage.server.text(PAGE);
        assert_eq!(page.matches("<!--").count(), 2, "{page}");
        assert!(
            !page.contains("{{") && !page.contains("__") && !page.contains("[["),
            "{page}"
        );
        assert!(stage.write(&members).await.unwrap().unchanged, "{text}");
    }
}

#[tokio::test]
async fn what_people_write_around_our_part_stays_and_a_page_that_was_there_is_adopted() {
    let stage = Stage::open().await;
    stage
        .server
        .writes(PAGE, "Bienvenue.\n[[Catégorie:Programme]]");
    stage.write(&january()).await.unwrap();
    let text = stage.server.text(PAGE);
    assert!(
        text.starts_with("Bienvenue.\n[[Catégorie:Programme]]\n\n<!-- raccord:begin"),
        "{text}"
    );
    stage.server.writes(PAGE, &format!("{text}\n\nÀ bientôt !"));
    stage.write(&changed()).await.unwrap();
    let text = stage.server.text(PAGE);
    assert!(
        text.ends_with("À bientôt !") && text.contains("Cour"),
        "{text}"
    );
    // Somebody was faster once: read again, and written over what they said.
    stage.server.fault(Fault::Overtaken);
    stage.write(&january()).await.unwrap();
    let text = stage.server.text(PAGE);
    assert!(
        text.starts_with("Plus vite !") && text.contains("Grande salle"),
        "{text}"
    );
    // And again and again: later.
    stage.server.fault(Fault::Overtaken);
    stage.server.fault(Fault::Overtaken);
    let failure = stage.write(&changed()).await.unwrap_err();
    assert_eq!(
        (failure.blame, &*failure.code),
        (Blame::Transient, "mediawiki.contended")
    );
}

#[tokio::test]
async fn what_somebody_changed_between_the_marks_is_asked_about() {
    let stage = Stage::open().await;
    stage.write(&january()).await.unwrap();
    let text = stage.server.text(PAGE).replace("Bal 1", "Grand bal");
    stage.server.writes(PAGE, &text);
    let failure = stage.write(&changed()).await.unwrap_err();
    assert!(
        failure.asks && failure.code == "mediawiki.edited-by-hand",
        "{failure:?}"
    );
    assert_eq!(stage.server.text(PAGE), text, "nothing was done");
    // Emptied between the marks, as the question says, then yes.
    let begin = text.find("-->").unwrap() + 3;
    let end = text.find("<!-- raccord:end").unwrap();
    stage
        .server
        .writes(PAGE, &format!("{}\n{}", &text[..begin], &text[end..]));
    stage.write(&changed()).await.unwrap();
    assert!(stage.server.text(PAGE).contains("Cour"));
    // The marks, or the page, taken away.
    stage.server.writes(PAGE, "Tout autre");
    let failure = stage.write(&january()).await.unwrap_err();
    assert!(failure.asks && failure.code == "mediawiki.removed-by-hand");
    stage.server.state().pages.clear();
    assert!(stage.write(&january()).await.unwrap_err().asks);
}

#[tokio::test]
async fn a_month_that_has_nothing_left_is_emptied_and_a_past_one_stays() {
    let stage = Stage::open().await;
    stage.write(&january()).await.unwrap();
    let untouched = stage.server.text(PAGE);
    stage.remove().await.unwrap();
    assert!(
        !stage.server.text(PAGE).contains("Bal"),
        "{}",
        stage.server.text(PAGE)
    );
    stage.remove().await.unwrap();
    assert_eq!(stage.server.versions(), 2);
    stage
        .server
        .writes(PAGE, &untouched.replace("Bal 1", "Grand bal"));
    stage.remove().await.unwrap();
    assert!(
        stage.server.text(PAGE).contains("Grand bal"),
        "theirs by now"
    );
    stage.server.writes(PAGE, &untouched);
    stage.pass(60 * 24 * 40);
    stage.remove().await.unwrap();
    assert_eq!(stage.server.text(PAGE), untouched, "what took place stays");
    stage.server.state().pages.clear();
    stage.remove().await.unwrap();
}

#[tokio::test]
async fn only_what_everybody_may_see_is_shown_and_how_it_stands() {
    let stage = Stage::open().await;
    for hidden in [
        json!({ "visibility": "internal" }),
        json!({ "status": "draft" }),
        json!({ "origin": "Le Jardin" }),
    ] {
        assert_eq!(
            stage.render(MONTH, &[activity(1, hidden)]),
            Rendered::Nothing
        );
    }
    assert_eq!(stage.render("2027-05", &january()), Rendered::Nothing);
    assert_eq!(stage.render("all", &january()), Rendered::Nothing);
    let members = [
        activity(1, json!({ "status": "cancelled" })),
        activity(
            2,
            json!({ "status": "full", "register": "https://x.example/a", "contact": "a@example.org" }),
        ),
        activity(3, json!({ "status": "tentative" })),
    ];
    stage.write(&members).await.unwrap();
    let text = stage.server.text(PAGE);
    for said in [
        "<s>",
        "annulé",
        "complet",
        "à confirmer",
        "[https://x.example/a s’inscrire]",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(!text.contains("a@example.org"));
}
