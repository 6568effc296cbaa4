//! What is wrong with the way to listmonk, told before anything is written.

use raccord_kit::{Choice, Finding, Level};
use raccord_model::Failure;

use super::{Listmonk, failure};

/// The rights that drafts need: any one of each.
const RIGHTS: [&[&str]; 4] = [
    &["lists:get_all", "lists:manage_all"],
    &["campaigns:get_all", "campaigns:get"],
    &["campaigns:manage", "campaigns:manage_all"],
    &["templates:get", "templates:manage"],
];
/// The one that drafts do not need.
const SENDS: &str = "campaigns:send";

impl Listmonk {
    /// Asks listmonk who we are and what is there. Writes nothing.
    pub(crate) async fn look(&self) -> Vec<Finding> {
        let mut findings = self.api.token.findings();
        if findings.iter().any(|found| found.level == Level::Error) {
            return findings;
        }
        let host = self.api.host();
        let mut tell = |key: &str, failure: &Failure| findings.push(Finding::of(key, failure));
        let profile = match self.api.profile().await {
            Ok(profile) => profile,
            Err(failure) => {
                tell("url", &failure);
                return findings;
            }
        };
        let lacking: Vec<&str> = RIGHTS
            .iter()
            .filter(|any| !profile.may(any))
            .map(|any| any[0])
            .collect();
        if !lacking.is_empty() {
            tell("user", &failure::no_rights(host, &lacking));
            return findings;
        }
        if let Err(failure) = self.list().await {
            tell("list", &failure);
        }
        if let Err(failure) = self.template().await {
            tell("campaign_template", &failure);
        }
        if profile.may(&[SENDS]) {
            findings.push(Finding {
                level: Level::Warning,
                ..Finding::of("user", &failure::may_send(host))
            });
        }
        findings
    }

    /// The lists that a letter can go to.
    pub(crate) async fn pick(&self) -> Result<Vec<Choice>, Failure> {
        let lists = self.api.lists().await?.into_iter();
        let choice = |name: String| Choice {
            key: "list".to_owned(),
            value: name.clone(),
            title: name,
        };
        Ok(lists.map(|list| choice(list.name)).collect())
    }
}
