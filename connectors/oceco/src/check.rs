//! What is wrong with the way to OCECO, told before anything is written.

use raccord_kit::secret::SecretSource;
use raccord_kit::{Finding, Level};

use crate::settings::Chat;
use crate::source::strangers;
use crate::{Oceco, failure};

/// So many accounts that nobody is are named.
const NAMED: usize = 20;

impl Oceco {
    /// Tries the token and the account that reads the log. Writes nothing.
    pub(crate) async fn look(&self) -> Vec<Finding> {
        let mut findings = match &self.api.token {
            Some(token) => token.findings(),
            None => vec![Finding::of("token_file", &failure::no_token())],
        };
        let password = self.log.iter().map(|log| &log.password);
        findings.extend(password.flat_map(SecretSource::findings));
        let people = match self.people() {
            Ok(people) => {
                if !people.unread.is_empty() {
                    findings.push(failure::unread_people(&people.unread));
                }
                Some(people)
            }
            Err(failure) => {
                findings.push(Finding::of("people_file", &failure));
                None
            }
        };
        if findings.iter().any(|found| found.level == Level::Error) {
            return findings;
        }
        match self.api.actions(&self.parent).await {
            // A server that is away is told once.
            Err(failure) => {
                findings.push(Finding::of(failure::place_of(&failure), &failure));
                return findings;
            }
            Ok(listed) => {
                let strangers = people.map(|people| strangers(&listed, &people));
                let strangers = strangers.unwrap_or_default();
                if !strangers.is_empty() {
                    let named: Vec<String> = strangers.into_iter().take(NAMED).collect();
                    findings.push(failure::strangers(self.api.host(), &named));
                }
            }
        }
        findings.extend(self.look_at_the_log().await);
        findings
    }

    /// Whether validations can be read, and whether a chat would be told twice.
    async fn look_at_the_log(&self) -> Vec<Finding> {
        let host = self.api.host();
        let Some(log) = &self.log else {
            return vec![failure::no_attendance(self.chat)];
        };
        let organization = match log.organization().await {
            Err(failure) => return vec![Finding::of("password_file", &failure)],
            Ok(None) => {
                let failure = failure::no_element(host, "organizations");
                return vec![Finding::of("organization", &failure)];
            }
            Ok(Some(organization)) => organization,
        };
        let mut findings = Vec::new();
        if !organization.is_ours {
            findings.push(Finding::of("email", &failure::no_log(host)));
        }
        match (self.chat, organization.posts) {
            (Chat::Raccord, true) => findings.push(failure::both_post(host)),
            (Chat::Oceco, false) => findings.push(failure::nobody_posts(host)),
            _ => {}
        }
        findings
    }
}
