//! What is wrong with the way to the calendars, told before anything is written.

use raccord_kit::secret::SecretSource;
use raccord_kit::{Choice, Finding, Level};
use raccord_model::{Failure, Words};

use crate::Calendars;
use crate::config::Tasks;
use crate::failure;

impl Calendars {
    /// Logs in, and looks at every calendar of the settings. Writes nothing.
    pub(crate) async fn look(&self) -> Vec<Finding> {
        let mut findings = match self.dav.server.password() {
            Some(password) => password.findings(),
            None => vec![no_password()],
        };
        findings.extend(self.hook_secret.iter().flat_map(SecretSource::findings));
        if findings.iter().any(|found| found.level == Level::Error) {
            return findings;
        }
        let account = match self.dav.discover().await {
            Ok(account) => account,
            Err(failure) => {
                findings.push(Finding::of(
                    self.dav.server.says().key_of(&failure),
                    &failure,
                ));
                return findings;
            }
        };
        let host = self.dav.server.host();
        let main = ("calendar", &*self.settings.calendar);
        let others = self.settings.calendars.iter();
        let named = std::iter::once(main).chain(others.map(|name| ("calendars", &**name)));
        for (key, name) in named {
            match account.find(name) {
                None => findings.push(missing(key, name, &account.seen())),
                Some(calendar) if !calendar.writable => {
                    findings.push(Finding::of(key, &failure::read_only(name, host)));
                }
                Some(calendar) if self.settings.tasks == Tasks::Todo && !calendar.tasks => {
                    findings.push(Finding::of(key, &failure::no_tasks(name)));
                }
                Some(_) => {}
            }
        }
        findings
    }

    /// The calendars the account sees.
    pub(crate) async fn pick(&self) -> Result<Vec<Choice>, Failure> {
        let account = self.dav.discover().await?;
        let choice = |calendar: crate::dav::discover::Calendar| Choice {
            key: "calendar".to_owned(),
            value: calendar.name,
            title: calendar.title,
        };
        let writable = account.calendars.into_iter().filter(|one| one.writable);
        Ok(writable.map(choice).collect())
    }
}

fn no_password() -> Finding {
    Finding {
        place: "password_file".to_owned(),
        code: "nextcloud-calendar.no-password".to_owned(),
        level: Level::Warning,
        text: Words::new(
            "Aucun mot de passe n’est donné\u{a0}: seul un serveur ouvert à tous l’acceptera.",
            "No password is given: only a server that is open to everybody will take that.",
        ),
        mend: Words::new(
            "Ajoutez «\u{a0}password_file\u{a0}», avec un mot de passe d’application.",
            "Add “password_file”, with an app password.",
        ),
    }
}

fn missing(key: &str, name: &str, seen: &Words) -> Finding {
    Finding {
        place: key.to_owned(),
        code: "nextcloud-calendar.calendar-missing".to_owned(),
        level: Level::Warning,
        text: Words::new(
            format!(
                "L’agenda «\u{a0}{name}\u{a0}» n’existe pas encore\u{a0}: il sera créé au premier envoi. {}",
                seen.fr
            ),
            format!(
                "The calendar “{name}” does not exist yet: it will be made at the first writing. {}",
                seen.en
            ),
        ),
        mend: Words::new(
            "Rien à faire, ou écrivez le nom d’un agenda qui existe.",
            "Nothing to do, or write the name of a calendar that exists.",
        ),
    }
}
