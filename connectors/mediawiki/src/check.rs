//! What is wrong with the way to the wiki, told before anything is written.

use raccord_kit::{Finding, Level};
use raccord_model::Failure;

use crate::{Wiki, failure};

impl Wiki {
    /// Asks the wiki what it is, logs in, and asks whether the page may be written. Writes nothing.
    pub(crate) async fn look(&self) -> Vec<Finding> {
        let mut findings = match &self.api.password {
            Some(password) => password.findings(),
            None => vec![Finding::of("password_file", &failure::no_password())],
        };
        if findings.iter().any(|found| found.level == Level::Error) {
            return findings;
        }
        let mut tell = |key: &str, failure: &Failure| findings.push(Finding::of(key, failure));
        if let Err(failure) = self.api.about().await {
            tell("url", &failure);
            return findings;
        }
        match self.api.rights().await {
            Err(failure) => {
                tell("password_file", &failure);
                return findings;
            }
            Ok(rights) => {
                let may = |what: &str| rights.iter().any(|right| right == what);
                if !(may("edit") && may("createpage")) {
                    tell("user", &failure::no_right(self.api.host()));
                    return findings;
                }
            }
        }
        match self.api.page(&self.settings.page).await {
            Err(failure) => tell("page", &failure),
            Ok(page) if !page.ours => tell("page", &failure::no_right(self.api.host())),
            Ok(_) => {}
        }
        findings
    }
}
