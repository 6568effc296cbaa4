//! Looks at the sheet: on disk or at an address, first at its digest, then, if it changed, at its
//! lines. Writes nothing, anywhere.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::tz::TimeZone;
use raccord_kit::hook::Hook;
use raccord_kit::secret::SecretSource;
use raccord_kit::{BoxFuture, Choice, Finding, Kit, Source, Titles, Tool};
use raccord_model::{Digest, Failure, Manifest, Observation, Offered, Reading};
use sha2::{Digest as _, Sha256};

use crate::cursor::Cursor;
use crate::document::Beside;
use crate::error::Other;
use crate::reach::address::{self, Address};
use crate::reach::{self, Document, Found, Reach};
use crate::table::Rules;
use crate::{KIND, answers, document, error, limits, refusals};

/// Told apart from every earlier way to read the same bytes: raise it when lines would come out
/// differently, so that sheets are read again after an upgrade.
const READER: &str = "spreadsheet-7";

/// Where the sheet is.
pub(crate) enum Location {
    Local {
        path: PathBuf,
        /// As written in the configuration.
        shown: String,
    },
    Web(Box<Reach>),
}

/// A configured sheet.
pub(crate) struct Spreadsheet {
    pub(crate) location: Location,
    /// What a tool shows when it calls.
    pub(crate) hook_secret: Option<SecretSource>,
    pub(crate) every: Duration,
    pub(crate) rules: Rules,
    /// Of a sheet of answers: how it is read, and what they may be for.
    pub(crate) answers: Option<Answering>,
    pub(crate) kit: Kit,
}

/// How answers are read.
pub(crate) struct Answering {
    pub(crate) chosen: answers::Chosen,
    pub(crate) named: answers::Named,
    pub(crate) offered: Mutex<Vec<Offered>>,
}

/// What a look came to, before it is an observation.
enum Look {
    Same,
    New(Box<(Reading, Beside)>, Digest),
}

impl Spreadsheet {
    /// The rules of today, and what tells them from others.
    fn rules(&self, before: Option<&str>) -> (Rules, Digest) {
        let mut how = Digest::of(format!("{READER} {:?}", self.rules).as_bytes());
        let zone = TimeZone::get(&self.kit.place.zone).unwrap_or(TimeZone::UTC);
        let now = zone.to_datetime(self.kit.clock.now());
        let mut rules = Rules {
            today: Some(now.date()),
            ..self.rules.clone()
        };
        if let Some(answering) = &self.answers {
            let offered = answering.offered();
            let means = answers::coming_digest(&offered);
            let settings = (&answering.chosen, &answering.named);
            // What a title leads to is a part of how answers are read.
            how = Digest::of(format!("{how} {settings:?} {means}").as_bytes());
            rules.answers = Some(Arc::new(answers::Rules {
                sheet: self.rules.sheet.clone(),
                chosen: answering.chosen.clone(),
                named: answering.named.clone(),
                offered,
                now,
                zone,
                // Whatever is read anew, what was told was told.
                told: Cursor::parse(before).map_or_else(answers::Told::default, |known| known.told),
            }));
        }
        (rules, how)
    }

    async fn look(&self, before: Option<&str>, checks: bool) -> Result<Observation, Failure> {
        // Before anything is known that one can sign up for, no answer can be for it.
        let offered = |answering: &Answering| answering.offered();
        let waits = self
            .answers
            .as_ref()
            .map(offered)
            .is_some_and(|all| all.is_empty());
        if waits && before.is_none() && !checks {
            return Ok(Observation::Unchanged { cursor: None });
        }
        let (rules, how) = self.rules(before);
        let before = Cursor::parse(before).filter(|cursor| cursor.how == how);
        let known = before.as_ref().map(|cursor| cursor.digest);
        match &self.location {
            Location::Local { path, shown } => {
                let (path, shown) = (path.clone(), shown.clone());
                let look =
                    blocking(move || look_at_file(&path, &shown, &rules, how, known)).await?;
                observation(
                    look,
                    before,
                    Cursor {
                        how,
                        ..Cursor::default()
                    },
                )
            }
            Location::Web(reach) => {
                let news = match reach.read(before.as_ref()).await? {
                    Found::Same => return Ok(Observation::Unchanged { cursor: None }),
                    Found::News(news) => *news,
                };
                let marks = Cursor {
                    etag: news.etag,
                    modified: news.modified,
                    how,
                    ..Cursor::default()
                };
                let document = news.document;
                let look =
                    blocking(move || look_at_document(&document, &rules, how, known)).await?;
                let digest = match &look {
                    Look::Same => known,
                    Look::New(_, digest) => Some(*digest),
                };
                if let Some(digest) = digest {
                    reach.remember(digest, news.marks);
                }
                observation(look, before, marks)
            }
        }
    }

    async fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        if let Location::Web(reach) = &self.location {
            findings = reach.findings();
        }
        findings.extend(self.hook_secret.iter().flat_map(SecretSource::findings));
        match self.look(None, true).await {
            Err(failure) => {
                if !findings.iter().any(|finding| finding.code == failure.code) {
                    findings.push(Finding::of(refusals::key_of(&failure), &failure));
                }
            }
            Ok(Observation::Complete(reading)) if !reading.unread.is_empty() => {
                findings.push(error::unread(&reading));
            }
            Ok(_) => {}
        }
        findings
    }

    async fn tabs(&self) -> Result<Vec<Choice>, Failure> {
        let Observation::Complete(reading) = self.look(None, true).await? else {
            return Ok(Vec::new());
        };
        Ok(reading
            .tabs
            .into_iter()
            .map(|tab| Choice {
                key: "sheet".to_owned(),
                value: tab.name.clone(),
                title: tab.name,
            })
            .collect())
    }
}

fn observation(
    look: Look,
    before: Option<Cursor>,
    mut cursor: Cursor,
) -> Result<Observation, Failure> {
    match look {
        Look::Same => {
            let before = before.unwrap_or_default();
            let news = Cursor {
                etag: cursor.etag,
                modified: cursor.modified,
                ..before.clone()
            };
            Ok(Observation::Unchanged {
                cursor: (news != before).then(|| news.text()),
            })
        }
        Look::New(read, digest) => {
            let (mut reading, Beside { names, told }) = *read;
            // A tab that held lines, is still there and has no header any more: its lines are not
            // gone, they cannot be read.
            let held = |name: &String| reading.tabs.iter().any(|tab| tab.name == *name);
            if let Some(lost) = before
                .iter()
                .flat_map(|before| &before.tabs)
                .find(|name| names.contains(name) && !held(name))
            {
                return Err(error::header_lost(Some(lost)));
            }
            cursor.digest = digest;
            cursor.told = told;
            cursor.tabs = reading.tabs.iter().map(|tab| tab.name.clone()).collect();
            reading.digest = digest;
            reading.cursor = Some(cursor.text());
            Ok(Observation::Complete(reading))
        }
    }
}

fn look_at_file(
    path: &Path,
    shown: &str,
    rules: &Rules,
    how: Digest,
    known: Option<Digest>,
) -> Result<Look, Failure> {
    let disk = |error: io::Error| error::disk(shown, &error);
    let metadata = std::fs::metadata(path).map_err(disk)?;
    if metadata.is_dir() {
        return Err(disk(io::ErrorKind::IsADirectory.into()));
    }
    // A pipe or a device would keep us waiting, or never end.
    if !metadata.is_file() {
        return Err(error::not_a_sheet(Other::NoFile));
    }
    if metadata.len() > limits::BYTES {
        return Err(error::too_large(error::Limit::Bytes));
    }
    let mut file = File::open(path).map_err(disk)?;
    let name = path.file_name().map_or_else(
        || shown.to_owned(),
        |name| name.to_string_lossy().into_owned(),
    );
    look_at_bytes(&mut file, &name, rules, how, known)
}

fn look_at_document(
    document: &Document,
    rules: &Rules,
    how: Digest,
    known: Option<Digest>,
) -> Result<Look, Failure> {
    if let Document::File { name, bytes } = document {
        return look_at_bytes(&mut io::Cursor::new(bytes), name, rules, how, known);
    }
    let digest = document::digest(document, how);
    if known == Some(digest) {
        return Ok(Look::Same);
    }
    let read = document::read_parts(document, rules)?;
    Ok(Look::New(Box::new(read), digest))
}

fn look_at_bytes<R: Read + Seek>(
    reader: &mut R,
    name: &str,
    rules: &Rules,
    how: Digest,
    known: Option<Digest>,
) -> Result<Look, Failure> {
    let disk = |error: io::Error| error::disk(name, &error);
    let before = digest(reader, how).map_err(disk)?;
    if before.size == 0 {
        return Err(error::empty());
    }
    if before.size > limits::BYTES {
        return Err(error::too_large(error::Limit::Bytes));
    }
    if known == Some(before.digest) {
        return Ok(Look::Same);
    }
    let read = document::read(reader, name, rules);
    // What was read must be what was there: a file that is written while it is read is told as
    // such, whatever the reading came to.
    if digest(reader, how).map_err(disk)? != before {
        return Err(error::moved());
    }
    Ok(Look::New(Box::new(read?), before.digest))
}

/// What all bytes came to.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Sum {
    size: u64,
    digest: Digest,
}

/// The digest of all bytes and of how they will be read; in small pieces.
fn digest<R: Read + Seek>(reader: &mut R, how: Digest) -> io::Result<Sum> {
    reader.seek(SeekFrom::Start(0))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 128 * 1024];
    let mut size = 0;
    while size <= limits::BYTES {
        let read = reader.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        size += read as u64;
        hash.update(&buffer[..read]);
    }
    hash.update(how.0);
    let mut short = [0; 16];
    short.copy_from_slice(&hash.finalize()[..16]);
    reader.seek(SeekFrom::Start(0))?;
    Ok(Sum {
        size,
        digest: Digest(short),
    })
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| Err(error::damaged()))
}

impl Tool for Spreadsheet {
    fn describe(&self) -> Manifest {
        Manifest {
            kind: KIND.to_owned(),
            source: true,
            handles: Vec::new(),
            parallel: 1,
            per_second: 1,
            rights: error::rights(),
        }
    }

    fn check(&self) -> BoxFuture<'_, Vec<Finding>> {
        Box::pin(self.findings())
    }

    fn choices(&self) -> BoxFuture<'_, Result<Vec<Choice>, Failure>> {
        Box::pin(self.tabs())
    }

    fn source(&self) -> Option<&dyn Source> {
        Some(self)
    }

    fn sink(&self) -> Option<&dyn raccord_kit::Sink> {
        None
    }

    fn hook(&self) -> Option<&dyn Hook> {
        self.hook_secret.as_ref().map(|_| self as &dyn Hook)
    }
}

impl Answering {
    fn offered(&self) -> Vec<Offered> {
        let offered = self.offered.lock();
        offered.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Titles for Spreadsheet {
    fn offered(&self, offered: Vec<Offered>) {
        if let Some(answering) = &self.answers {
            let mut known = answering.offered.lock();
            **known.as_mut().unwrap_or_else(|poisoned| poisoned.get_mut()) = offered;
        }
    }
}

impl Source for Spreadsheet {
    fn observe<'a>(
        &'a self,
        cursor: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Observation, Failure>> {
        Box::pin(self.look(cursor, false))
    }

    fn titles(&self) -> Option<&dyn Titles> {
        self.answers.as_ref().map(|_| self as &dyn Titles)
    }

    fn every(&self) -> (Duration, Option<PathBuf>) {
        let watched = match &self.location {
            Location::Local { path, .. } => Some(path.clone()),
            Location::Web(_) => None,
        };
        (self.every, watched)
    }
}

fn is_address(lower: &str) -> bool {
    lower.starts_with("http://") || lower.starts_with("https://")
}

/// The location as the settings name it.
///
/// # Errors
/// Everything that is wrong with it, with the key of each.
pub(crate) fn locate(
    location: &str,
    sheet: Option<&str>,
    account: Account,
    kit: &Kit,
) -> Result<Location, (&'static str, Failure)> {
    let here = |failure| ("location", failure);
    let lower = location.trim_start().to_ascii_lowercase();
    if is_address(&lower) {
        let address = address::recognise(location).map_err(here)?;
        if let Some(wrong) = reach::account_wrong(&address, account.user.is_some(), account.locked)
        {
            return Err(wrong);
        }
        if sheet.is_some() && matches!(address, Address::Google(_)) {
            return Err(("sheet", refusals::tab_by_address()));
        }
        let sheet = sheet.map(str::to_owned);
        let reach = Reach::new(address, account.user, account.password, sheet, kit);
        return Ok(Location::Web(Box::new(reach.map_err(here)?)));
    }
    if lower.contains("://") || location.trim().is_empty() || location.contains('\0') {
        return Err(here(error::no_place()));
    }
    Ok(Location::Local {
        path: kit.path(location),
        shown: location.to_owned(),
    })
}

/// Who reads an address.
pub(crate) struct Account {
    pub(crate) user: Option<String>,
    pub(crate) password: Option<SecretSource>,
    /// Whether the settings give a password, readable or not.
    pub(crate) locked: bool,
}
