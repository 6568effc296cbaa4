//! Letters as drafts in listmonk: made once, found again, and never sent by us.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::drafts::{Stage, about, settings};
use common::listmonk::{Fault, TOKEN};
use raccord_kit::conformance::{self, HOSTILE, STATUSES};
use raccord_kit::standin::{Play, Reply, Standin};
use raccord_kit::testing::Logs;
use raccord_kit::{Finding, Job, Level};
use raccord_model::{Blame, Class, EntityId, Found, Mode, Readers};
use serde_json::{Value, json};

#[tokio::test]
async fn a_letter_is_a_draft_and_nothing_is_ever_sent() {
    let stage = Stage::open().await;
    let one = &stage.tool.describe().handles[0];
    assert_eq!(
        (one.mode, one.class),
        (Mode::Letter(Readers::Theirs), Class::Find)
    );
    assert_eq!(one.grace_s, 0, "a draft waits for a person anyhow");
    let id = stage.draft("Bal").await;
    let campaign = stage.stands(id);
    assert_eq!(campaign["status"], "draft");
    assert_eq!(campaign["lists"], json!([{ "id": 3, "name": "Programme" }]));
    assert_eq!(campaign["template_id"], 4);
    assert!(
        campaign["archive_slug"]
            .as_str()
            .unwrap()
            .starts_with("raccord-week-2027-01-")
    );
    let got = stage.server.read(id).unwrap();
    for part in [&got.html, &got.text] {
        assert!(part.contains("Bal"), "{part}");
        assert!(
            part.contains("https://listmonk.example.org/subscription/c/s"),
            "{part}"
        );
        assert!(
            !part.contains("leave.invalid") && !part.contains("{{"),
            "{part}"
        );
    }
    assert!(
        got.name.starts_with("<raccord-") && got.name.ends_with("-subscriber-uuid@example.org>")
    );
    for seen in stage.standin.seen() {
        assert!(
            !seen.path.contains("status") && !seen.path.contains("test"),
            "{}",
            seen.path
        );
    }
}

#[tokio::test]
async fn the_sample_letter_is_the_same_for_readers_of_listmonk() {
    let stage = Stage::open().await;
    let made = stage.write(&common::sample()).await.unwrap();
    let got = stage
        .server
        .read(made.applied.external.parse().unwrap())
        .unwrap();
    let kit = common::kit();
    let mail = common::letter(
        &*common::tool(common::smtp(), &kit),
        &kit,
        raccord_model::RoundupOf::Week,
        raccord_model::Lang::Fr,
        &common::sample(),
    );
    let (text, html) = common::parts(&mail.unwrap());
    let plain = |letter: &str| {
        let letter = letter.replace(
            "https://leave.invalid/",
            "https://listmonk.example.org/subscription/c/s",
        );
        // Of these two links the sample's settings for mails speak alone.
        let lines = letter.lines().filter(|line| {
            !line.contains("programme-2027-01.pdf") && !line.contains("calendar.ics")
        });
        lines.map(str::trim_end).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(plain(&got.text), plain(&text));
    let comments = |html: &str| html.matches("<!--[if").count();
    assert_eq!(comments(&got.html), comments(&html));
    assert!(got.html.len() < 100_000);
}

#[tokio::test]
async fn the_same_letter_ten_times_at_once_is_one_draft() {
    let stage = Stage::open().await;
    let job = stage.job(&about("Bal"));
    let sink = stage.tool.sink().unwrap();
    let all = futures_util::future::join_all((0..10).map(|_| sink.apply(&job))).await;
    let made = all.into_iter().map(Result::unwrap);
    assert_eq!(made.filter(|made| !made.unchanged).count(), 1);
    assert_eq!(stage.server.state().campaigns.len(), 1);
}

#[tokio::test]
async fn a_lost_answer_is_looked_for_by_the_tag_and_then_by_the_slug() {
    let stage = Stage::open().await;
    // It is looked for at once, and so a draft that was made is not in doubt at all.
    stage.server.fault(Fault::LoseAnswer);
    let id = stage.draft("Bal").await;
    let Found::Yes(found) = stage.find(&about("Bal")).await else {
        panic!("it is there");
    };
    assert_eq!(found.external, id.to_string());
    let seek = Job::Seek {
        entity: EntityId::derive(&[b"issue"]),
    };
    let sink = stage.tool.sink().unwrap();
    assert!(matches!(sink.find(&seek).await, Ok(Found::Yes(_))));
    // Somebody tidied the tags away.
    stage.server.edits(id, |one| one["tags"] = json!([]));
    assert!(matches!(stage.find(&about("Bal")).await, Found::Yes(_)));
    assert_eq!(stage.draft("Bal").await, id);
    assert_eq!(
        stage.draft("Grand bal").await,
        id,
        "a change puts them back"
    );
    assert_eq!(stage.stands(id)["tags"].as_array().unwrap().len(), 2);

    let other = Stage::open().await;
    other.server.fault(Fault::Reset);
    let failure = other.write(&about("Bal")).await.unwrap_err();
    assert_eq!(failure.blame, Blame::Unknown);
    assert!(matches!(other.find(&about("Bal")).await, Found::No { .. }));
}

#[tokio::test]
async fn what_a_person_wrote_into_a_draft_stays_and_is_asked_about() {
    let stage = Stage::open().await;
    let id = stage.draft("Bal").await;
    stage
        .server
        .edits(id, |one| one["subject"] = json!("Mieux dit"));
    assert!(stage.write(&about("Bal")).await.unwrap().unchanged);
    let failure = stage.write(&about("Grand bal")).await.unwrap_err();
    assert!(
        failure.asks && failure.code == "newsletter.edited-draft",
        "{failure:?}"
    );
    assert_eq!(stage.stands(id)["subject"], "Mieux dit");
}

#[tokio::test]
async fn every_refusal_has_its_blame_and_is_not_repeated() {
    for (status, usual) in STATUSES {
        let blame = match status {
            // After these it may have been made.
            500 | 502 | 504 => Blame::Unknown,
            // Told apart by a second look: the token is good here.
            403 => Blame::Access,
            _ => *usual,
        };
        let stage = Stage::open().await;
        stage.server.fault(Fault::Refuse(*status));
        let failure = stage.write(&about("Bal")).await.unwrap_err();
        assert_eq!(failure.blame, blame, "{status}: {failure:?}");
        assert_eq!(stage.writes(), 1, "{status} was repeated");
    }
    for play in [
        Play::from(Reply::login_page()),
        Reply::ok("null").into(),
        Play::Garbage,
        Play::Reset,
    ] {
        let stage = Stage::open().await;
        let (server, shown) = (stage.server.clone(), play.clone());
        stage.standin.direct(move |seen| {
            if seen.writes() {
                shown.clone()
            } else {
                server.answer(seen)
            }
        });
        let failure = stage.write(&about("Bal")).await.unwrap_err();
        assert_eq!(failure.blame, Blame::Unknown, "{play:?}: {failure:?}");
        assert_eq!(stage.writes(), 1);
    }
}

#[tokio::test]
async fn check_tells_every_reason_apart_and_writes_nothing() {
    let mut told = std::collections::BTreeSet::new();
    let mut new = |name: &str, findings: &[Finding]| {
        assert!(!findings.is_empty(), "{name} is not told");
        for found in findings {
            assert!(!found.text.fr.is_empty() && found.text.fr != found.text.en);
            assert!(!found.mend.fr.is_empty() && found.mend.fr != found.mend.en);
        }
        let fresh = findings.iter().filter(|one| told.insert(one.code.clone()));
        assert!(fresh.count() > 0, "{name} is not told apart: {findings:?}");
    };
    let calm = Stage::open().await;
    assert_eq!(calm.tool.check().await, []);
    assert_eq!(calm.tool.choices().await.unwrap().len(), 2);
    let kit = common::kit();
    let tool = |url: &str| common::tool(settings(url), &kit);
    new(
        "nobody there",
        &tool(&Standin::nobody().await).check().await,
    );
    let tls = Standin::start_tls().await;
    new("a wrong certificate", &tool(&tls.url("/")).check().await);
    let plain = Standin::start().await;
    let insecure = plain.url("/").replace("http:", "https:");
    new("a server without https", &tool(&insecure).check().await);
    plain.always(Reply::login_page());
    new("another page", &tool(&plain.url("/")).check().await);
    plain.always(Reply::status(404));
    new(
        "a listmonk without users",
        &tool(&plain.url("/")).check().await,
    );
    let findings = async |change: fn(&mut Value), server: fn(&Stage)| {
        let stage = Stage::with(None, change).await;
        server(&stage);
        let found = stage.tool.check().await;
        assert_eq!(stage.writes(), 0, "check wrote");
        found
    };
    new(
        "a wrong token",
        &findings(|all| all["password"] = json!("x"), |_| ()).await,
    );
    let fewer = |stage: &Stage| stage.server.state().rights = vec!["lists:get_all"];
    let lacking = findings(|_| (), fewer).await;
    assert!(
        lacking[0]
            .text
            .en
            .contains("campaigns:manage, templates:get"),
        "{lacking:?}"
    );
    new("missing rights", &lacking);
    let list = findings(|all| all["list"] = json!("Nowhere"), |_| ()).await;
    assert!(list[0].mend.en.contains("Amis, Programme"), "{list:?}");
    new("no such list", &list);
    let template = |stage: &Stage| stage.server.state().templates.truncate(1);
    new("no such template", &findings(|_| (), template).await);
    let sends = |stage: &Stage| stage.server.state().rights.push("campaigns:send");
    let sends = findings(|_| (), sends).await;
    assert_eq!(sends[0].level, Level::Warning);
    new("a role that may send", &sends);
}

#[test]
fn broken_settings_are_refused_by_their_key() {
    let with = |key: &str, value: Value| {
        let mut all = settings("https://listmonk.example.org");
        all[key] = value;
        all
    };
    let without = |key: &str| {
        let mut all = settings("https://listmonk.example.org");
        all.as_object_mut().unwrap().remove(key);
        all
    };
    conformance::b02_config(
        &raccord_connector_newsletter::CONNECTOR,
        &[
            settings("https://listmonk.example.org/sub/"),
            with("campaign_template", json!("Nu")),
        ],
        &[
            (with("url", json!("smtp://mail.example.org")), "url"),
            (with("from", json!("nobody")), "from"),
            (with("system", json!("phplist")), "system"),
            (with("campaign_template", json!("")), "campaign_template"),
            (without("user"), "user"),
            (without("password"), "password_file"),
            (without("list"), "list"),
        ],
    );
}

#[tokio::test]
async fn text_stays_text_and_the_token_is_shown_to_listmonk_alone() {
    let logs = Logs::listen();
    for text in HOSTILE {
        let stage = Stage::open().await;
        let id = stage.draft(text).await;
        let got = stage.server.read(id).unwrap();
        for markup in ["<script", "<img", "\"javascript:", "{{"] {
            let own = text.contains(markup) && markup == "{{";
            assert!(own || !got.html.contains(markup), "{text}: {markup}");
        }
        for seen in stage.standin.seen() {
            assert!(!String::from_utf8_lossy(&seen.body).contains("canary"));
            assert!(!seen.path.contains("canary"));
        }
    }
    let stage = Stage::open().await;
    "other".clone_into(&mut stage.server.state().token);
    let failure = stage.write(&about("Bal")).await.unwrap_err();
    let findings = stage.tool.check().await;
    let shown = (&failure, &findings, stage.tool.describe(), logs.text());
    conformance::b11_secrets(TOKEN, &[&shown]);
}
