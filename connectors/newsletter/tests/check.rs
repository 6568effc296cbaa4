//! What `check` says of a mail server.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::office::{Act, Office};
use common::{kit, list, smtp, tool};
use raccord_kit::Level;
use raccord_kit::standin::Standin;
use serde_json::json;

#[tokio::test]
async fn b03_check_tells_every_reason_apart_and_sends_nothing() {
    for (step, said, code) in [
        ("", "", None),
        ("AUTH", "535 no", Some("mail.login")),
        ("MAIL", "550 no", Some("mail.sender")),
        ("EHLO", "421 busy", Some("mail.later")),
    ] {
        let office = Office::open(None).await;
        office.wants("lettre", "canary");
        office.plays(move |at, _| (at == step).then_some(Act::Say(said)));
        let mut settings = list();
        settings["url"] = json!(office.address());
        settings["user"] = json!("lettre");
        settings["password"] = json!("canary");
        let findings = tool(settings, &kit()).check().await;
        let errors: Vec<&str> = findings
            .iter()
            .filter(|found| found.level == Level::Error)
            .map(|found| found.code.as_str())
            .collect();
        assert_eq!(errors, code.into_iter().collect::<Vec<_>>());
        assert!(!format!("{findings:?}").contains("canary"));
        assert_eq!((office.heard("DATA"), office.heard("RCPT")), (0, 0));
    }
    let mut settings = list();
    settings["url"] = json!("smtp://127.0.0.1:1");
    let findings = tool(settings, &kit()).check().await;
    assert_eq!(findings[0].code, "mail.unreachable");
    let tls = Standin::start_tls().await;
    let mut settings = list();
    settings["url"] = json!(tls.url("").replace("https:", "smtps:"));
    let findings = tool(settings, &kit()).check().await;
    assert_eq!(
        findings[0].code, "mail.insecure",
        "a certificate of its own making"
    );
}

#[tokio::test]
async fn an_address_that_is_not_https_is_told_for_mail_programs_offer_no_button_then() {
    let office = Office::open(None).await;
    let mut settings = smtp();
    settings["url"] = json!(office.address());
    let mut kit = kit();
    "http://lieu.example.org".clone_into(&mut kit.place.public_url);
    let findings = tool(settings, &kit).check().await;
    assert!(
        findings
            .iter()
            .any(|found| found.code == "newsletter.not-https"),
        "{findings:?}"
    );
}
