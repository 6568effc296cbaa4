//! Brings the memory of calendars up to date: by a token where it can be trusted, else by comparing
//! every ETag.

use std::collections::{BTreeMap, BTreeSet};

use raccord_dav::etag;
use raccord_model::Failure;

use super::memory::Held;
use crate::Calendars;
use crate::dav::discover::Calendar;
use crate::dav::xml;

/// How many entries one calendar may have.
const MOST: usize = 20_000;

impl Calendars {
    /// The calendars that are read: those of the settings, and those that hold what is ours.
    pub(super) async fn wanted(&self) -> Result<Vec<Calendar>, Failure> {
        let account = self.account().await?;
        let named = [&self.settings.calendar]
            .into_iter()
            .chain(&self.settings.calendars)
            .filter_map(|name| account.find(name));
        let ours: BTreeSet<String> = {
            let memory = self.memory();
            let folder = |path: &String| path.rfind('/').map(|at| path[..=at].to_owned());
            memory.ours.keys().filter_map(folder).collect()
        };
        let holding = account
            .calendars
            .iter()
            .filter(|calendar| ours.contains(&calendar.path));
        let mut list: Vec<Calendar> = named.chain(holding).cloned().collect();
        list.sort_by(|one, other| one.path.cmp(&other.path));
        list.dedup_by(|one, other| one.path == other.path);
        Ok(list)
    }

    /// The mark of a calendar's state: empty on a server that has none.
    pub(super) async fn token(&self, calendar: &Calendar) -> Result<String, Failure> {
        let found = self
            .dav
            .server
            .propfind(&calendar.path, "0", &["d:sync-token", "cs:getctag"])
            .await?;
        let row = found.rows.first();
        let text = |name| row.and_then(|row| row.text(name)).unwrap_or_default();
        let token = text("sync-token").trim();
        Ok(if token.is_empty() {
            text("getctag").trim()
        } else {
            token
        }
        .to_owned())
    }

    /// Brings the memory of one calendar up to date.
    pub(super) async fn refresh(
        &self,
        calendar: &Calendar,
        token: &str,
        whole: bool,
    ) -> Result<(), Failure> {
        let known = self.memory().calendars.get(&calendar.path).cloned();
        let mut seen = known.clone().unwrap_or_default();
        let changes = match &known {
            Some(known) if !whole && !known.token.is_empty() && !went_back(&known.token, token) => {
                self.changes(calendar, &known.token).await
            }
            _ => None,
        };
        let (mut fetch, token) = if let Some((changed, gone, token)) = changes {
            seen.objects.retain(|path, _| !gone.contains(path));
            (changed, token)
        } else {
            let mut all = self.list_all(calendar).await?;
            seen.objects.retain(|path, _| all.contains_key(path));
            all.retain(|path, etag| {
                let held = seen.objects.get(path);
                held.is_none_or(|held| held.etag != *etag || etag.is_empty())
            });
            (all, token.to_owned())
        };
        {
            let memory = self.memory();
            let is_echo = |path: &str, etag: &str| {
                let written = memory.ours.get(path).and_then(|(_, base)| base.as_ref());
                written.is_some_and(|base| base.is_ours(etag))
            };
            // What stands there as we wrote it need not be fetched.
            fetch.retain(|path, etag| {
                let echo = is_echo(path, etag);
                if echo {
                    seen.objects.insert(path.clone(), Held::echo(etag));
                }
                !echo
            });
            // What is ours by now was not kept when it was fetched.
            let doubtful = memory.ours.keys().filter_map(|path| {
                let held = seen.objects.get(path)?;
                let unknown = held.bytes.is_none() && !is_echo(path, &held.etag);
                unknown.then(|| (path.clone(), held.etag.clone()))
            });
            fetch.extend(doubtful);
        }
        let fetch: Vec<String> = fetch.into_keys().collect();
        for object in self.dav.texts(&calendar.path, &fetch).await? {
            let held = self.held(&object);
            seen.objects.insert(object.path.clone(), held);
        }
        // Asked for and not there: gone meanwhile.
        seen.token = token;
        self.memory().calendars.insert(calendar.path.clone(), seen);
        Ok(())
    }

    /// What changed since `token`, what went, and the new token; nothing where the server cannot say.
    async fn changes(
        &self,
        calendar: &Calendar,
        token: &str,
    ) -> Option<(BTreeMap<String, String>, BTreeSet<String>, String)> {
        let target = self.dav.server.target(&calendar.path).ok()?;
        let body = xml::sync_collection(token);
        let answer = self
            .dav
            .server
            .ask("REPORT", &target, "0", body)
            .await
            .ok()?;
        let found = self.dav.server.rows(&answer).ok()?;
        let token = found.token.filter(|token| !token.is_empty())?;
        let (mut changed, mut gone) = (BTreeMap::new(), BTreeSet::new());
        for row in found.rows {
            // A calendar cut to a limit says so in a row about itself.
            if row.status == Some(507) {
                return None;
            }
            if row.path == calendar.path {
                continue;
            }
            if row.is_found() {
                let etag = etag(row.text("getetag").unwrap_or_default());
                changed.insert(row.path, etag);
            } else {
                gone.insert(row.path);
            }
        }
        (changed.len() <= MOST).then_some((changed, gone, token))
    }

    /// Every entry of a calendar, with its ETag.
    async fn list_all(&self, calendar: &Calendar) -> Result<BTreeMap<String, String>, Failure> {
        let found = self
            .dav
            .server
            .propfind(&calendar.path, "1", &["d:getetag", "d:resourcetype"])
            .await?;
        let rows = found.rows.into_iter().filter(|row| {
            row.is_found() && row.path != calendar.path && !row.has("resourcetype", "collection")
        });
        let all: BTreeMap<String, String> = rows
            .filter(|row| row.path.starts_with(&calendar.path))
            .take(MOST)
            .map(|row| {
                let etag = etag(row.text("getetag").unwrap_or_default());
                (row.path, etag)
            })
            .collect();
        Ok(all)
    }
}

/// Whether a server's counter stands before where it stood: it was restored from a backup.
fn went_back(before: &str, now: &str) -> bool {
    let number = |token: &str| -> Option<u64> {
        let (_, digits) = token.rsplit_once('/')?;
        digits.parse().ok()
    };
    match (number(before), number(now)) {
        (Some(before), Some(now)) => now < before,
        _ => false,
    }
}
