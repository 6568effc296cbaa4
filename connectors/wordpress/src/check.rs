//! What is wrong with the way to the site, told before anything is written.

use raccord_kit::{Choice, Finding, Level};
use raccord_look::html;
use raccord_model::Failure;

use crate::settings::Posts;
use crate::{WordPress, failure};

impl WordPress {
    /// Asks the site what it is, and what the account may do there. Writes nothing.
    pub(crate) async fn look(&self) -> Vec<Finding> {
        let mut findings = match &self.api.password {
            Some(password) => password.findings(),
            None => vec![Finding::of("password_file", &failure::no_password())],
        };
        if findings.iter().any(|found| found.level == Level::Error) {
            return findings;
        }
        let host = self.api.host();
        let mut tell = |key: &str, failure: &Failure| findings.push(Finding::of(key, failure));
        match self.api.about().await {
            Err(failure) => {
                tell("url", &failure);
                return findings;
            }
            Ok(site) if !site.is_wordpress() => {
                tell("url", &failure::no_wordpress(host));
                return findings;
            }
            Ok(site) if !site.has_application_passwords() => {
                tell("password_file", &failure::no_application_passwords(host));
                return findings;
            }
            Ok(_) => {}
        }
        let me = match self.api.me().await {
            Ok(me) => me,
            Err(failure) => {
                tell("password_file", &failure);
                return findings;
            }
        };
        if !(me.may("edit_posts") && me.may("edit_published_posts")) {
            tell("user", &failure::no_right(host, false));
        } else if self.settings.posts == Posts::Published && !me.may("publish_posts") {
            tell("posts", &failure::no_right(host, true));
        }
        if let Some(wanted) = &self.settings.category
            && let Err(failure) = self.category(wanted).await
        {
            tell("category", &failure);
        }
        if me.may("manage_options") {
            findings.push(Finding {
                level: Level::Warning,
                ..Finding::of("user", &failure::too_many_rights(host))
            });
        }
        findings
    }

    /// The categories that posts can be in.
    pub(crate) async fn pick(&self) -> Result<Vec<Choice>, Failure> {
        let all = self.api.categories().await?.into_iter();
        Ok(all
            .map(|category| {
                let name = html::words(&category.name);
                Choice {
                    key: "category".to_owned(),
                    value: name.clone(),
                    title: name,
                }
            })
            .collect())
    }
}
