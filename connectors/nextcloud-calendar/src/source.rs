//! The reading half: what members wrote into the calendars themselves, and what they made of ours.
//!
//! A token that stands where it stood is one small request per calendar. Else only what changed is
//! fetched; once a day, and wherever a token cannot be trusted, everything is compared by ETag.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::PoisonError;
use std::time::Duration;

use bytes::Bytes;
use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use raccord_dav::etag;
use raccord_kit::{BoxFuture, Shared, Source};
use raccord_look::clean;
use raccord_model::{
    Civil, Digest, Edit, EntityId, EntityKind, Failure, Fields, Line, Link, Observation, Reading,
    Tab, Unread, Words,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::Calendars;
use crate::dav::discover::Calendar;
use crate::dav::{Object, uid_of, xml};
use crate::failure;
use crate::ical::entry::{self, Entry, Odd};
use crate::ical::lines::Lines;
use crate::merge::{self, Base};
use crate::shown::is_our_uid;

/// How many entries one calendar may have.
const MOST: usize = 20_000;
/// How far ahead an entry that repeats is followed.
const AHEAD: i32 = 400;
/// How many of our entries may be gone at once, if they are no more than a third.
const GONE: usize = 3;

/// What is remembered between two readings of one process.
#[derive(Default)]
pub(crate) struct Memory {
    /// What is ours, by path.
    ours: BTreeMap<String, (EntityId, Option<Base>)>,
    calendars: BTreeMap<String, Seen>,
}

/// A calendar as it was read last.
#[derive(Clone, Default)]
struct Seen {
    token: String,
    objects: BTreeMap<String, Held>,
}

/// An entry as it was read last.
#[derive(Clone)]
struct Held {
    etag: String,
    /// Its text, kept where members may have changed what is ours.
    bytes: Option<Bytes>,
    /// What it says, where it is not ours.
    lines: Vec<(String, Fields)>,
    odd: Option<(String, Odd)>,
}

impl Held {
    /// One that stands as we wrote it.
    fn echo(etag: &str) -> Self {
        Self {
            etag: etag.to_owned(),
            bytes: None,
            lines: Vec::new(),
            odd: None,
        }
    }
}

/// Where a reading left off.
#[derive(Default, PartialEq, Serialize, Deserialize)]
struct Cursor {
    /// The day of the last comparison of everything.
    day: Option<Date>,
    /// The token of each calendar, by its path.
    tokens: BTreeMap<String, String>,
}

impl Shared for Calendars {
    fn ours(&self, links: Vec<(EntityId, Link)>) {
        let named = links
            .into_iter()
            .filter(|(_, link)| !link.is_nameless() && !is_occurrence(&link.external));
        let ours = named
            .map(|(entity, link)| {
                let base = Base::read(link.tag.as_deref());
                (link.external, (entity, base))
            })
            .collect();
        self.memory().ours = ours;
    }
}

impl Source for Calendars {
    fn observe<'a>(
        &'a self,
        cursor: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Observation, Failure>> {
        Box::pin(async move {
            let seen = self.read(cursor).await;
            if seen.is_err() {
                self.forget_account().await;
            }
            seen
        })
    }

    fn every(&self) -> (Duration, Option<PathBuf>) {
        (self.settings.every.get(), None)
    }
}

impl Calendars {
    pub(crate) fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn read(&self, cursor: Option<&str>) -> Result<Observation, Failure> {
        let before: Cursor = cursor
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        let calendars = self.wanted().await?;
        let mut now = Cursor {
            day: Some(self.today()),
            tokens: BTreeMap::new(),
        };
        for calendar in &calendars {
            let token = self.token(calendar).await?;
            now.tokens.insert(calendar.path.clone(), token);
        }
        let known = now.tokens.values().all(|token| !token.is_empty());
        if cursor.is_some() && before == now && known {
            return Ok(Observation::Unchanged { cursor: None });
        }
        let whole = before.day != now.day;
        for calendar in &calendars {
            self.refresh(calendar, &now.tokens[&calendar.path], whole)
                .await?;
        }
        self.reading(&calendars, &now)
    }

    /// The calendars that are read: those of the settings, and those that hold what is ours.
    async fn wanted(&self) -> Result<Vec<Calendar>, Failure> {
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
    async fn token(&self, calendar: &Calendar) -> Result<String, Failure> {
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
    async fn refresh(&self, calendar: &Calendar, token: &str, whole: bool) -> Result<(), Failure> {
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

    /// What is remembered of an entry.
    fn held(&self, object: &Object) -> Held {
        let ours = self.memory().ours.contains_key(&object.path);
        let mut held = Held::echo(&object.etag);
        if ours {
            held.bytes = Some(object.bytes.clone());
            return held;
        }
        // Ours too, but for a link that is not known yet.
        if uid_of(&object.bytes).is_some_and(|uid| is_our_uid(&uid)) {
            return held;
        }
        let lines = Lines::read(&object.bytes).filter(|lines| lines.master("VEVENT").is_some());
        // A task, or something else that is no event.
        let Some(text) = lines.map(|lines| lines.text()) else {
            return held;
        };
        let until = self.today().saturating_add(AHEAD.days());
        let from = self.today().saturating_sub(1.day());
        match entry::occurrences(&text, &self.zone(), from, until) {
            Ok(all) => {
                let seen = all.into_iter().filter(|(_, entry)| !entry.private);
                held.lines = seen
                    .map(|(at, entry)| (native(&object.path, at), self.fields(&entry)))
                    .collect();
            }
            Err(odd) => {
                let title = clean::line(object.path.rsplit('/').next().unwrap_or_default(), 100);
                held.odd = Some((title, odd));
            }
        }
        held
    }

    /// What an entry says, by the names fields have.
    fn fields(&self, entry: &Entry) -> Fields {
        let mut fields = Fields::new();
        let mut say = |name: &str, value: serde_json::Value| {
            fields.insert(name.to_owned(), value);
        };
        let title = match entry.title.as_str() {
            "" => "—",
            title => title,
        };
        say("title", json!(title));
        say("start", json!(entry.start));
        if let Some(end) = entry.end {
            say("end", json!(end));
        }
        if matches!(entry.start, Civil::Day(_)) {
            say("all_day", json!(true));
        }
        for (name, text) in [
            ("room", &entry.room),
            ("description", &entry.description),
            ("url", &entry.url),
        ] {
            if !text.is_empty() {
                say(name, json!(text));
            }
        }
        if entry.status != raccord_model::Status::Confirmed {
            say("status", json!(entry.status));
        }
        if !entry.categories.is_empty() {
            say("tags", json!(entry.categories));
        }
        say("visibility", json!(self.settings.entries.visibility()));
        fields
    }

    /// Everything that is remembered, as a reading.
    fn reading(&self, calendars: &[Calendar], cursor: &Cursor) -> Result<Observation, Failure> {
        let memory = self.memory();
        let mut reading = Reading {
            cursor: serde_json::to_string(cursor).ok(),
            ..Reading::default()
        };
        let mut mark = String::new();
        for (tab, calendar) in calendars.iter().enumerate() {
            reading.tabs.push(Tab {
                name: calendar.title.clone(),
                ..Tab::default()
            });
            let Some(seen) = memory.calendars.get(&calendar.path) else {
                continue;
            };
            for (path, held) in &seen.objects {
                mark.push_str(path);
                mark.push_str(&held.etag);
                let ours = memory.ours.get(path);
                if let Some((entity, base)) = ours {
                    reading.edits.extend(edit(*entity, base.as_ref(), held));
                    continue;
                }
                for (native, fields) in &held.lines {
                    let tab = u16::try_from(tab).unwrap_or(u16::MAX);
                    let mut line = Line::new(EntityKind::Activity, tab, row(native), fields);
                    line.native = Some(native.clone());
                    reading.lines.push(line);
                }
                if let Some((name, odd)) = &held.odd {
                    reading
                        .unread
                        .push(unread(&calendar.title, row(path), name, odd));
                }
            }
        }
        reading.edits.extend(gone(&memory, calendars)?);
        reading.digest = Digest::of(mark.as_bytes());
        Ok(Observation::Complete(reading))
    }

    fn today(&self) -> Date {
        self.zone().to_datetime(self.kit.clock.now()).date()
    }

    fn zone(&self) -> TimeZone {
        TimeZone::get(&self.kit.place.zone).unwrap_or(TimeZone::UTC)
    }
}

/// What members made of an entry of ours, since we wrote it: nothing, where it stands so again.
fn edit(entity: EntityId, base: Option<&Base>, held: &Held) -> Option<Edit> {
    let base = base?;
    if base.is_ours(&held.etag) {
        return Some(Edit {
            entity,
            fields: Fields::new(),
        });
    }
    let bytes = held.bytes.as_ref()?;
    let zone = TimeZone::get(&base.zone).unwrap_or(TimeZone::UTC);
    // One that cannot be read says nothing: the next write tells.
    let fields = merge::edits(bytes, base, &zone).ok()?;
    Some(Edit { entity, fields })
}

/// Our entries that members deleted: they say that it does not take place.
fn gone(memory: &Memory, calendars: &[Calendar]) -> Result<Vec<Edit>, Failure> {
    let within = |path: &str| {
        calendars
            .iter()
            .any(|calendar| path.starts_with(&calendar.path))
    };
    let written = memory.ours.iter().filter(|(path, _)| within(path));
    let ours: Vec<(&String, EntityId, &Base)> = written
        .filter_map(|(path, (entity, base))| Some((path, *entity, base.as_ref()?)))
        .collect();
    let there = |path: &String| {
        let mut all = memory.calendars.values();
        all.any(|seen| seen.objects.contains_key(path))
    };
    let missing: Vec<Edit> = ours
        .iter()
        .filter(|(path, _, _)| !there(path))
        .map(|(_, entity, base)| Edit {
            entity: *entity,
            fields: base.deleted(),
        })
        .collect();
    if missing.len() > GONE && missing.len() * 3 > ours.len() {
        return Err(failure::emptied(missing.len(), ours.len()));
    }
    Ok(missing)
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

/// The own id of an entry, or of one occurrence of it.
fn native(path: &str, at: Option<Civil>) -> String {
    match at {
        None => path.to_owned(),
        Some(at) => format!("{path}#{at}"),
    }
}

/// Whether an id names one occurrence of an entry, which other people made.
pub(crate) fn is_occurrence(native: &str) -> bool {
    let end = native.rsplit_once(".ics#").map(|(_, at)| at);
    end.is_some_and(|at| at.parse::<Civil>().is_ok())
}

/// A number that stays with an entry: a calendar has no lines to count.
fn row(native: &str) -> u32 {
    let entry = native.split('#').next().unwrap_or_default();
    let digest = Digest::of(entry.as_bytes());
    let [a, b, c, ..] = digest.0;
    u32::from_be_bytes([0, a, b, c]) % 999_999 + 1
}

fn unread(sheet: &str, row: u32, name: &str, odd: &Odd) -> Unread {
    let (code, write) = match odd {
        Odd::Zone(zone) => (
            "zone-unknown",
            Words::new(
                format!(
                    "Le fuseau «\u{a0}{zone}\u{a0}» est inconnu\u{a0}: ouvrez l’entrée et choisissez un fuseau de la liste, par exemple Europe/Paris."
                ),
                format!(
                    "The zone “{zone}” is not known: open the entry and pick a zone from the list, for example Europe/Paris."
                ),
            ),
        ),
        Odd::NoStart | Odd::NoEvent => (
            "entry-unreadable",
            Words::new(
                "Ouvrez l’entrée dans l’application Agenda et enregistrez-la de nouveau.",
                "Open the entry in the Calendar app and save it again.",
            ),
        ),
    };
    Unread {
        sheet: sheet.to_owned(),
        row,
        column: String::new(),
        code: code.to_owned(),
        found: name.to_owned(),
        write,
    }
}
