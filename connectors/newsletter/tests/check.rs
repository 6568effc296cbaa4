//! What `check` says of a mail server.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{kit, list, smtp, tool};
use raccord_kit::Level;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

/// A server that answers each command by its first word; gives what it heard once its visitor leaves.
async fn server(
    answers: &'static [(&'static str, &'static str)],
) -> (u16, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        let mut heard = Vec::new();
        write.write_all(b"220 here\r\n").await.unwrap();
        while let Ok(Some(line)) = lines.next_line().await {
            let word = line
                .split([' ', ':'])
                .next()
                .unwrap_or_default()
                .to_ascii_uppercase();
            let known = answers.iter().find(|(name, _)| *name == word);
            let usual = if word == "EHLO" {
                "250-here\r\n250 AUTH PLAIN"
            } else {
                "250 yes"
            };
            let answer = known.map_or(usual, |(_, answer)| answer);
            heard.push(word);
            if write
                .write_all(format!("{answer}\r\n").as_bytes())
                .await
                .is_err()
            {
                break;
            }
        }
        heard
    });
    (port, heard)
}

#[tokio::test]
async fn b03_check_tells_every_reason_apart_and_sends_nothing() {
    for (answers, code) in [
        (&[][..], None),
        (&[("AUTH", "535 no")][..], Some("mail.login")),
        (&[("MAIL", "550 no")][..], Some("mail.sender")),
        (&[("EHLO", "421 busy")][..], Some("mail.later")),
    ] {
        let (port, heard) = server(answers).await;
        let mut settings = list();
        settings["url"] = json!(format!("smtp://127.0.0.1:{port}"));
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
        let heard = heard.await.unwrap();
        assert!(
            !heard.iter().any(|word| word == "DATA" || word == "RCPT"),
            "{heard:?}"
        );
    }
    let mut settings = list();
    settings["url"] = json!("smtp://127.0.0.1:1");
    let findings = tool(settings, &kit()).check().await;
    assert_eq!(findings[0].code, "mail.unreachable");
}

#[tokio::test]
async fn an_address_that_is_not_https_is_told_for_mail_programs_offer_no_button_then() {
    let (port, _heard) = server(&[]).await;
    let mut settings = smtp();
    settings["url"] = json!(format!("smtp://127.0.0.1:{port}"));
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
