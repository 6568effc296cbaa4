//! Looks at the sheet: on disk or at an address, first at its digest, then, if it changed, at its
//! lines. Writes nothing, anywhere.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::{StatusCode, header};
use jiff::tz::TimeZone;
use raccord_kit::http::{Answer, Http, Request, Target};
use raccord_kit::secret::SecretSource;
use raccord_kit::{BoxFuture, Choice, Finding, Kit, Source, Tool};
use raccord_model::{Digest, Failure, Manifest, Observation, Reading};
use sha2::{Digest as _, Sha256};

use crate::cursor::{self, Cursor};
use crate::error::Other;
use crate::table::Rules;
use crate::{KIND, document, error, limits};

/// How long an address may take to hand out a whole sheet.
const TIME: Duration = Duration::from_secs(30);

/// Told apart from every earlier way to read the same bytes: raise it when lines would come out
/// differently, so that sheets are read again after an upgrade.
const READER: &str = "spreadsheet-4";

/// Where the sheet is.
pub(crate) enum Location {
    Local {
        path: PathBuf,
        /// As written in the configuration.
        shown: String,
    },
    Web {
        target: Target,
        http: Http,
        user: Option<String>,
        password: Option<SecretSource>,
    },
}

/// A configured sheet.
pub(crate) struct Spreadsheet {
    pub(crate) location: Location,
    pub(crate) every: Duration,
    pub(crate) rules: Rules,
    pub(crate) kit: Kit,
}

/// What a look came to, before it is an observation.
enum Look {
    Same,
    New(Box<(Reading, Vec<String>)>, Digest),
}

impl Spreadsheet {
    /// The rules of today, and what tells them from others.
    fn rules(&self) -> (Rules, Digest) {
        let how = Digest::of(format!("{READER} {:?}", self.rules).as_bytes());
        let zone = TimeZone::get(&self.kit.place.zone).unwrap_or(TimeZone::UTC);
        let today = self.kit.clock.now().to_zoned(zone).date();
        let rules = Rules {
            today: Some(today),
            ..self.rules.clone()
        };
        (rules, how)
    }

    async fn look(&self, before: Option<&str>) -> Result<Observation, Failure> {
        let (rules, how) = self.rules();
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
            Location::Web { target, .. } => {
                let answer = self.fetch(before.as_ref()).await?;
                if answer.status == StatusCode::NOT_MODIFIED {
                    return Ok(Observation::Unchanged { cursor: None });
                }
                let marks = Cursor {
                    etag: cursor::mark(answer.header(&header::ETAG)),
                    modified: cursor::mark(answer.header(&header::LAST_MODIFIED)),
                    how,
                    ..Cursor::default()
                };
                let name = self.tab_name(target);
                let look = blocking(move || {
                    let mut body = io::Cursor::new(answer.body);
                    look_at_bytes(&mut body, &name, &rules, how, known)
                })
                .await?;
                observation(look, before, marks)
            }
        }
    }

    async fn fetch(&self, before: Option<&Cursor>) -> Result<Answer, Failure> {
        let Location::Web {
            target,
            http,
            user,
            password,
        } = &self.location
        else {
            return Err(error::partial());
        };
        let mut request = Request::get(target).time(TIME).size(limits::BYTES);
        if let (Some(user), Some(password)) = (user, password) {
            request = request.basic(user, &password.read()?);
        }
        if let Some(before) = before {
            if let Some(etag) = &before.etag {
                request = request.header(header::IF_NONE_MATCH, etag.as_str());
            } else if let Some(modified) = &before.modified {
                request = request.header(header::IF_MODIFIED_SINCE, modified.as_str());
            }
        }
        let answer = http.call(request).await?;
        if answer.status == StatusCode::NOT_MODIFIED {
            return Ok(answer);
        }
        // A sign-in page comes with status 200.
        let page = answer
            .media_type()
            .is_some_and(|media| matches!(media.as_str(), "text/html" | "application/xhtml+xml"));
        if page {
            return Err(error::web_page());
        }
        match answer.status {
            StatusCode::OK if answer.body.is_empty() => Err(error::empty()),
            StatusCode::OK | StatusCode::NON_AUTHORITATIVE_INFORMATION => Ok(answer),
            StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT => Err(error::empty()),
            _ => Err(error::partial()),
        }
    }

    /// What a CSV from an address is called. The address may be the only secret of a shared sheet:
    /// only a plain file name is taken from it.
    fn tab_name(&self, target: &Target) -> String {
        let path = target.url().path().to_ascii_lowercase();
        let file = path.rsplit('/').next().unwrap_or_default();
        let plain = [".csv", ".tsv", ".txt"]
            .iter()
            .any(|end| file.ends_with(end))
            && file
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
            && file.len() <= 40;
        if plain {
            file.to_owned()
        } else {
            self.kit.name.to_string()
        }
    }

    async fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        if let Location::Web {
            password: Some(password),
            ..
        } = &self.location
        {
            findings = password.findings();
        }
        match self.look(None).await {
            Err(failure) => {
                if !findings.iter().any(|finding| finding.code == failure.code) {
                    findings.push(Finding::of("location", &failure));
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
        let Observation::Complete(reading) = self.look(None).await? else {
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
            let (mut reading, names) = *read;
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
}

impl Source for Spreadsheet {
    fn observe<'a>(
        &'a self,
        cursor: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Observation, Failure>> {
        Box::pin(self.look(cursor))
    }

    fn every(&self) -> (Duration, Option<PathBuf>) {
        let watched = match &self.location {
            Location::Local { path, .. } => Some(path.clone()),
            Location::Web { .. } => None,
        };
        (self.every, watched)
    }
}

fn is_address(lower: &str) -> bool {
    lower.starts_with("http://") || lower.starts_with("https://")
}

/// The half of an account that is missing at an address, where the other is given.
pub(crate) fn half_missing(location: &str, user: bool, password: bool) -> Option<&'static str> {
    if user == password || !is_address(&location.to_ascii_lowercase()) {
        return None;
    }
    Some(if user { "password_file" } else { "user" })
}

/// The location as the settings name it.
pub(crate) fn locate(
    location: &str,
    user: Option<String>,
    password: Option<SecretSource>,
    kit: &Kit,
) -> Result<Location, Failure> {
    let lower = location.to_ascii_lowercase();
    if is_address(&lower) {
        return Ok(Location::Web {
            target: Target::configured("location", location)?,
            http: Http::new(KIND, kit)?,
            user,
            password,
        });
    }
    if lower.contains("://") || location.trim().is_empty() || location.contains('\0') {
        return Err(error::no_place());
    }
    Ok(Location::Local {
        path: kit.path(location),
        shown: location.to_owned(),
    })
}
