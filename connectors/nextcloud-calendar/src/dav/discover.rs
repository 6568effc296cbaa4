//! From an address to calendars (RFC 6764 and 4791): whatever of it people copy, the server's front
//! page, its DAV address, an account or one calendar.

use raccord_dav::slashed;
use raccord_dav::xml::Row;
use raccord_kit::http::Target;
use raccord_model::{Blame, Failure, Words};

use super::{Caldav, xml};
use crate::failure;

/// What an account sees.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    /// The decoded path its calendars stand under.
    pub(crate) home: String,
    pub(crate) calendars: Vec<Calendar>,
    /// Where what was deleted lies, on servers that keep it.
    pub(crate) trash: Option<String>,
}

/// A calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Calendar {
    /// Its decoded path, with a slash at its end.
    pub(crate) path: String,
    /// The last part of its path.
    pub(crate) name: String,
    /// What people call it.
    pub(crate) title: String,
    pub(crate) writable: bool,
    pub(crate) events: bool,
    pub(crate) tasks: bool,
}

const LIST: [&str; 6] = [
    "d:displayname",
    "d:resourcetype",
    "c:supported-calendar-component-set",
    "d:current-user-privilege-set",
    "d:sync-token",
    "cs:getctag",
];

impl Account {
    /// The calendar a person means: by the last part of its address, else by its title.
    pub(crate) fn find(&self, wanted: &str) -> Option<&Calendar> {
        let all = &self.calendars;
        let same = |title: &str| title.trim().to_lowercase() == wanted.trim().to_lowercase();
        all.iter()
            .find(|calendar| calendar.name == wanted || calendar.path == wanted)
            .or_else(|| all.iter().find(|calendar| same(&calendar.title)))
    }

    /// The names of its calendars, for people.
    pub(crate) fn seen(&self) -> Words {
        let names = self.calendars.iter().take(20);
        let names: Vec<&str> = names.map(|calendar| calendar.name.as_str()).collect();
        if names.is_empty() {
            return Words::new("Ce compte n’en voit aucun.", "This account sees none.");
        }
        let names = names.join(", ");
        Words::new(
            format!("Ce compte voit\u{a0}: {names}."),
            format!("This account sees: {names}."),
        )
    }
}

impl Caldav {
    /// Looks for the account's calendars.
    pub(crate) async fn discover(&self) -> Result<Account, Failure> {
        let mut last = None;
        for target in self.doors() {
            let body = raccord_dav::xml::propfind(&[
                "d:current-user-principal",
                "c:calendar-home-set",
                "d:resourcetype",
            ]);
            let answer = match self.server.ask("PROPFIND", &target, "0", body).await {
                Ok(answer) => answer,
                // A door that is locked, or a house that is not there: no other door helps.
                Err(failure) if failure.blame == Blame::Data => {
                    last = Some(failure);
                    continue;
                }
                Err(failure) => return Err(failure),
            };
            match answer.status.as_u16() {
                207 => {}
                401 | 429 | 503 => return Err(self.server.refusal(&answer)),
                400 => {
                    last = Some(self.server.why_bad(&answer).await);
                    continue;
                }
                _ => continue,
            }
            let Some(found) = raccord_dav::xml::multistatus(&answer.body) else {
                continue;
            };
            let Some(row) = found.rows.first() else {
                continue;
            };
            let homes = |row: &Row| row.text("calendar-home-set").map(str::to_owned);
            let home = match homes(row).filter(|home| !home.is_empty()) {
                Some(home) => Some(home),
                None => match row.text("current-user-principal") {
                    Some(principal) if !principal.is_empty() => self.home_of(principal).await?,
                    _ => None,
                },
            };
            if let Some(home) = home {
                return self.list(&home).await;
            }
            // One that may be read without a name says so: it wants to be told who asks.
            if row.has("current-user-principal", "unauthenticated") {
                return Err(self.server.says().credentials());
            }
        }
        Err(last.unwrap_or_else(|| failure::no_caldav(self.server.host())))
    }

    /// The addresses to try, the likeliest first.
    fn doors(&self) -> Vec<Target> {
        let here = self.server.base().clone();
        let front = here.url().path().trim_matches('/').is_empty();
        let below = |path: &str| {
            let base = here.url().path().trim_end_matches('/');
            here.join(&format!("{base}/{path}")).ok()
        };
        let known = here.join("/.well-known/caldav").ok();
        let dav = below("remote.php/dav/");
        let order = if front {
            [known, Some(here.clone()), dav]
        } else {
            [Some(here.clone()), dav, known]
        };
        order.into_iter().flatten().collect()
    }

    async fn home_of(&self, principal: &str) -> Result<Option<String>, Failure> {
        let found = self
            .server
            .propfind(principal, "0", &["c:calendar-home-set"])
            .await?;
        let home = found
            .rows
            .first()
            .and_then(|row| row.text("calendar-home-set"));
        Ok(home.map(str::to_owned).filter(|home| !home.is_empty()))
    }

    /// The calendars under `home`.
    pub(crate) async fn list(&self, home: &str) -> Result<Account, Failure> {
        let found = self.server.propfind(home, "1", &LIST).await?;
        let mut account = Account {
            home: slashed(home),
            calendars: Vec::new(),
            trash: None,
        };
        for row in &found.rows {
            if row.has("resourcetype", "trash-bin") {
                account.trash = Some(slashed(&row.path));
            }
            account.calendars.extend(calendar(row));
        }
        Ok(account)
    }

    /// Makes a calendar, and finds it.
    pub(crate) async fn make(
        &self,
        account: &Account,
        wanted: &str,
        tasks: bool,
    ) -> Result<Account, Failure> {
        let path = format!("{}{}/", account.home, slug(wanted));
        let components: &[&str] = if tasks {
            &["VEVENT", "VTODO"]
        } else {
            &["VEVENT"]
        };
        let body = xml::mkcalendar(wanted, components);
        let target = self.server.target(&path)?;
        let answer = self.server.ask("MKCALENDAR", &target, "0", body).await?;
        let fresh_one = answer.status.is_success();
        match answer.status.as_u16() {
            // There already, or made by another just now: the list tells.
            200..=299 | 405 | 409 => {}
            403 => {
                if String::from_utf8_lossy(&answer.body).contains("alendar limit") {
                    return Err(failure::too_many_calendars(self.server.host()));
                }
            }
            _ => return Err(self.server.refusal(&answer)),
        }
        let mut fresh = self.list(&account.home).await?;
        // Some servers keep no title: ours is the one we just made.
        let made = fresh.calendars.iter_mut().find(|one| one.path == path);
        if let Some(made) = made.filter(|_| fresh_one) {
            wanted.clone_into(&mut made.title);
        }
        match fresh.find(wanted) {
            Some(_) => Ok(fresh),
            None => Err(failure::no_calendar(wanted, self.server.host())),
        }
    }
}

/// The calendar a row of the list tells of: no inbox, no feed of somebody else, no deleted one.
fn calendar(row: &Row) -> Option<Calendar> {
    let kind = |name| row.has("resourcetype", name);
    if !row.is_found() || !kind("calendar") || kind("subscribed") || kind("deleted-calendar") {
        return None;
    }
    let path = slashed(&row.path);
    let name = path.trim_end_matches('/').rsplit('/').next()?.to_owned();
    let title = row.text("displayname").unwrap_or_default();
    let components = row.named.get("supported-calendar-component-set");
    let takes = |component: &str| components.is_none_or(|all| all.contains(component));
    let privileges = row.inside.get("current-user-privilege-set");
    let writable = privileges.is_none_or(|all| {
        ["write-content", "bind", "write", "all"]
            .iter()
            .any(|one| all.contains(*one))
    });
    // Boards of another application look like calendars and are not to be written.
    let board = name.starts_with("app-generated--");
    Some(Calendar {
        title: if title.is_empty() {
            name.clone()
        } else {
            title.to_owned()
        },
        writable: writable && !board,
        events: takes("VEVENT"),
        tasks: takes("VTODO"),
        name,
        path,
    })
}

/// A name as the last part of an address.
pub(crate) fn slug(name: &str) -> String {
    let plain = raccord_model::fold_word(name);
    let mut out = String::new();
    for c in plain.chars() {
        match c {
            'a'..='z' | '0'..='9' => out.push(c),
            _ if !out.is_empty() && !out.ends_with('-') => out.push('-'),
            _ => {}
        }
    }
    let out = out.trim_matches('-');
    if out.is_empty() {
        "programme".to_owned()
    } else {
        out.to_owned()
    }
}
