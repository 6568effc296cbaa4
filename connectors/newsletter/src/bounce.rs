//! Mail that came back: a delivery status notification (RFC 3464), given to `POST /hooks/<connector>` by
//! the mail server, as it is.
//!
//! What is read of it are the addresses at which delivery failed for good. It says nothing of our
//! letters and need not: an address that takes no mail takes no letter either.

use raccord_kit::hook::{Heard, Hook, Unheard, bearer, is_secret};
use raccord_model::{Call, Change, Digest, EntityKind, Verb, Words};
use serde_json::json;

use crate::Newsletter;

/// The most addresses of one notification.
const ADDRESSES: usize = 100;
/// The longest address.
const LONGEST: usize = 254;

impl Hook for Newsletter {
    fn hear(&self, call: &Call) -> Result<Heard, Unheard> {
        let secret = self.hook_secret.as_ref().and_then(|one| one.read().ok());
        match (secret, bearer(call)) {
            (Some(secret), Some(given)) if is_secret(given, &secret) => {}
            _ => return Err(Unheard::Forged),
        }
        let text = String::from_utf8_lossy(&call.body);
        let addresses = failed(&text).ok_or_else(|| Unheard::Unfit(no_notification()))?;
        let change = |address: &String| Change {
            sender: self.kit.name.to_string(),
            id: Digest::of(address.as_bytes()).to_string(),
            subject: Digest::of(address.as_bytes()).to_string(),
            kind: EntityKind::Person,
            verb: Verb::Updated,
            fields: [("email".to_owned(), json!(address))].into(),
            correlation: None,
            causation: None,
            hops: 0,
            trace: None,
        };
        Ok(Heard {
            changes: addresses.iter().map(change).collect(),
            ..Heard::default()
        })
    }
}

fn no_notification() -> Words {
    Words::new(
        "Ce n’est pas un avis de non-remise (RFC 3464).",
        "This is no delivery status notification (RFC 3464).",
    )
}

/// The addresses at which delivery failed for good; nothing where the text is no notification.
fn failed(text: &str) -> Option<Vec<String>> {
    let lower = text.to_ascii_lowercase();
    if !lower.contains("message/delivery-status") {
        return None;
    }
    let mut found = Vec::new();
    // Fields of one recipient stand together; an empty line ends them.
    let (mut address, mut action, mut status) = (None, String::new(), String::new());
    for line in text.lines().chain([""]) {
        if let Some((name, value)) = line.split_once(':') {
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "final-recipient" => address = address.or(address_in(value)),
                // Where mail was forwarded, this is the address that we know.
                "original-recipient" => address = address_in(value).or(address),
                "action" => action = value.to_ascii_lowercase(),
                "status" => value.clone_into(&mut status),
                _ => {}
            }
        } else if line.trim().is_empty() {
            let over = action == "failed" && status.starts_with("5.") && !status.starts_with("5.7");
            let known = std::mem::take(&mut address).filter(|_| over);
            found.extend(known.filter(|_| found.len() < ADDRESSES));
            action.clear();
            status.clear();
        }
    }
    Some(found)
}

/// `rfc822; ana@example.org`, with or without angle brackets.
fn address_in(value: &str) -> Option<String> {
    let (kind, address) = value.split_once(';')?;
    let address = address.trim().trim_matches(['<', '>']);
    let known = matches!(
        kind.trim().to_ascii_lowercase().as_str(),
        "rfc822" | "utf-8"
    );
    let plain = address.len() <= LONGEST && address.contains('@') && !address.contains(' ');
    (known && plain).then(|| address.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(action: &str, status: &str) -> String {
        format!(
            "Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n\r\n--x\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mail.example.org\r\n\r\nFinal-Recipient: rfc822; <Ana@example.org>\r\nAction: {action}\r\nStatus: {status}\r\nDiagnostic-Code: smtp; 550 no such user\r\n\r\n--x--\r\n"
        )
    }

    #[test]
    fn only_what_failed_for_good_and_not_by_policy_is_a_bounce() {
        let ana = Some(vec!["ana@example.org".to_owned()]);
        assert_eq!(failed(&notice("failed", "5.1.1")), ana);
        for (action, status) in [
            ("delayed", "4.4.1"),
            ("delivered", "2.0.0"),
            ("failed", "4.2.2"),
            ("failed", "5.7.1"),
            ("relayed", "5.1.1"),
        ] {
            assert_eq!(
                failed(&notice(action, status)),
                Some(Vec::new()),
                "{status}"
            );
        }
    }

    #[test]
    fn of_a_forwarded_mail_the_address_that_we_know_is_read() {
        let lou = Some(vec!["lou@example.org".to_owned()]);
        let original = "Original-Recipient: rfc822; lou@example.org\r\n";
        for next in ["Final-Recipient:", "Action:"] {
            let text = notice("failed", "5.1.1").replace(next, &format!("{original}{next}"));
            assert_eq!(failed(&text), lou, "before {next}");
        }
    }

    #[test]
    fn what_is_no_notification_is_told_and_nonsense_names_nobody() {
        for text in [
            "",
            "Hello",
            "Final-Recipient: rfc822; ana@example.org\nAction: failed\nStatus: 5.1.1\n",
        ] {
            assert_eq!(failed(text), None);
        }
        for recipient in [
            "",
            "rfc822",
            "rfc822;",
            "x400; ana@example.org",
            "rfc822; a b@c",
        ] {
            let text = notice("failed", "5.1.1").replace("rfc822; <Ana@example.org>", recipient);
            assert_eq!(failed(&text), Some(Vec::new()), "{recipient}");
        }
        let long = format!(
            "message/delivery-status\n{}",
            "Final-Recipient: rfc822; a@b.c\nAction: failed\nStatus: 5.0.0\n\n".repeat(9_000)
        );
        assert_eq!(failed(&long).map(|found| found.len()), Some(ADDRESSES));
    }
}
