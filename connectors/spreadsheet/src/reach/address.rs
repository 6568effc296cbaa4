//! What an address leads to, told from the address alone. People paste what their browser shows;
//! most tools keep what a program reads elsewhere, at an address that can be made of the first.

use raccord_kit::http::Target;
use raccord_model::Failure;
use url::Url;

use super::cloud::Spot;
use crate::refusals::{self, Elsewhere};

/// The shortest name of a document that Grist puts at the beginning of a path.
const GRIST_SHORTEST: usize = 12;
/// The longest name of a room, document, file or share.
const LONGEST: usize = 500;

/// What an address leads to.
#[derive(Clone, Debug)]
pub(crate) enum Address {
    /// A file, as it stands there.
    File(Target),
    /// One tab of a sheet of Google, as CSV.
    Google(Target),
    /// A room of EtherCalc.
    EtherCalc {
        /// Where the rooms are; it ends with `/_/`.
        rooms: Target,
        /// The room, as it stands in an address.
        room: String,
        /// Whether it lists the rooms of several tabs.
        several: bool,
    },
    /// A document of Grist.
    Grist {
        /// Where it is read; it ends with `/api/docs/<document>/`.
        document: Target,
        /// What tells it from other documents.
        name: String,
        /// The one table the address names.
        table: Option<String>,
    },
    /// A file of Nextcloud.
    Cloud {
        /// The server; its path ends with a slash.
        server: Target,
        spot: Spot,
    },
}

impl Address {
    /// Who is asked.
    pub(crate) fn host(&self) -> &str {
        match self {
            Self::File(target) | Self::Google(target) => target.host(),
            Self::EtherCalc { rooms, .. } => rooms.host(),
            Self::Grist { document, .. } => document.host(),
            Self::Cloud { server, .. } => server.host(),
        }
    }
}

/// Reads an address as it stands in the settings.
///
/// # Errors
/// When it is none, or leads to what is certainly no sheet.
pub(crate) fn recognise(location: &str) -> Result<Address, Failure> {
    let target = Target::configured("location", location)?;
    // What a browser keeps to itself says which tab is open.
    let whole = Url::parse(location.trim()).unwrap_or_else(|_| target.url().clone());
    let path = Path::of(&whole);
    let known = google(&target, &path)?
        .or(ethercalc(&target, &path))
        .or(grist(&target, &path, is_grist(&whole))?)
        .or(cloud(&target, &path)?);
    Ok(known.unwrap_or(Address::File(target)))
}

/// What an address leads to whose page came instead of a file: the page says whose it is.
pub(crate) fn of_page(target: &Target, page: &[u8]) -> Option<Address> {
    let head = String::from_utf8_lossy(&page[..page.len().min(64 * 1024)]);
    let path = Path::of(target.url());
    if head.contains("EtherCalc") && head.contains("<title>") {
        return room_of(target, &path, 0);
    }
    if head.contains("window.gristConfig") {
        return grist(target, &path, true).ok().flatten();
    }
    None
}

/// The parts of an address.
struct Path<'u> {
    url: &'u Url,
    /// As they stand there, without empty ones.
    parts: Vec<&'u str>,
}

impl<'u> Path<'u> {
    fn of(url: &'u Url) -> Self {
        let parts = url.path_segments().into_iter().flatten();
        Self {
            url,
            parts: parts.filter(|part| !part.is_empty()).collect(),
        }
    }

    fn at(&self, index: usize) -> Option<&'u str> {
        self.parts.get(index).copied()
    }

    fn find(&self, part: &str) -> Option<usize> {
        self.parts.iter().position(|one| *one == part)
    }

    /// The path of the first `count` parts, with a slash at its end.
    fn until(&self, count: usize) -> String {
        let mut path = String::from("/");
        for part in self.parts.iter().take(count) {
            path.push_str(part);
            path.push('/');
        }
        path
    }

    /// What follows the question mark, or stands in the fragment, under `name`.
    fn said(&self, name: &str) -> Option<String> {
        let fragment = self.url.fragment().unwrap_or_default();
        let beside = url::form_urlencoded::parse(fragment.as_bytes());
        // What the browser keeps to itself is newer than what it asked for.
        beside
            .chain(self.url.query_pairs())
            .find(|(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.into_owned())
    }

    fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }
}

fn google(target: &Target, path: &Path<'_>) -> Result<Option<Address>, Failure> {
    let host = path.host();
    let others = ["document", "forms", "presentation", "drawings"];
    if host == "docs.google.com" && others.iter().any(|other| path.find(other).is_some()) {
        return Err(refusals::elsewhere(Elsewhere::GoogleOther));
    }
    if host == "drive.google.com" {
        return Err(refusals::elsewhere(Elsewhere::GoogleFile));
    }
    let Some(at) = path.find("spreadsheets") else {
        return Ok(None);
    };
    // `/spreadsheets/u/1/d/KEY`: the second account of who pasted it.
    let at = if path.at(at + 1) == Some("u") {
        at + 3
    } else {
        at + 1
    };
    if path.at(at) != Some("d") {
        return Ok(None);
    }
    let published = path.at(at + 1) == Some("e");
    let key = at + if published { 2 } else { 1 };
    if !path.at(key).is_some_and(|key| is_name(key, 10)) {
        return Ok(None);
    }
    let verb = path.at(key + 1).unwrap_or_default();
    let made = match verb {
        // A program's address already.
        "export" | "pub" if path.said("format").or(path.said("output")).is_some() => {
            return Ok(Some(Address::Google(target.clone())));
        }
        "gviz" => return Ok(Some(Address::Google(target.clone()))),
        _ if published => "pub?single=true&output=csv",
        _ => "export?format=csv",
    };
    let mut address = format!("{}{made}", path.until(key + 1));
    let tab = path.said("gid");
    if let Some(tab) = tab.filter(|tab| tab.bytes().all(|byte| byte.is_ascii_digit())) {
        address.push_str("&gid=");
        address.push_str(&tab);
    }
    Ok(Some(Address::Google(target.join(&address)?)))
}

fn ethercalc(target: &Target, path: &Path<'_>) -> Option<Address> {
    if let Some(at) = path.find("_") {
        return room_of(target, path, at);
    }
    let last = path.parts.last()?;
    if last.len() > 1 && last.starts_with('=') {
        return room_of(target, path, path.parts.len() - 1);
    }
    let host = path.host();
    let known = host == "framacalc.org"
        || host.ends_with(".framacalc.org")
        || host.split('.').any(|label| label == "ethercalc");
    if known {
        room_of(target, path, 0)
    } else {
        None
    }
}

/// The room whose name follows the first `base` parts.
fn room_of(target: &Target, path: &Path<'_>, base: usize) -> Option<Address> {
    let at = base + usize::from(path.at(base) == Some("_"));
    let room = path.at(at)?;
    // `/_start`, `/_new`, `/static/…` are no rooms.
    let rest = path.parts.len() - at;
    let shown = path.at(at + 1).unwrap_or_default();
    let kinds = [
        "edit", "view", "app", "form", "cells", "csv", "csv.json", "html", "ods", "fods", "xlsx",
        "md",
    ];
    if rest > 1 && !kinds.contains(&shown) {
        return None;
    }
    let room = if at == base {
        let ends = [
            ".csv.json",
            ".csv",
            ".html",
            ".fods",
            ".ods",
            ".xlsx",
            ".md",
        ];
        ends.iter()
            .find_map(|end| room.strip_suffix(end))
            .unwrap_or(room)
    } else {
        room
    };
    let several = room.starts_with('=');
    let room = room.trim_start_matches('=');
    if room.is_empty() || room.starts_with(['_', '.']) || room.len() > LONGEST {
        return None;
    }
    Some(Address::EtherCalc {
        rooms: target.join(&format!("{}_/", path.until(base))).ok()?,
        room: room.to_owned(),
        several,
    })
}

fn is_grist(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    host == "getgrist.com" || host.ends_with(".getgrist.com")
}

/// A document of Grist; `certain` where the host or the page says that it is Grist.
fn grist(target: &Target, path: &Path<'_>, certain: bool) -> Result<Option<Address>, Failure> {
    let begins = if path.at(0) == Some("o") && path.parts.len() > 2 {
        2
    } else {
        0
    };
    let certain = certain || begins > 0;
    if certain && path.at(begins) == Some("forms") {
        return Err(refusals::elsewhere(Elsewhere::GristForm));
    }
    let by_program = path.at(begins) == Some("api") && path.at(begins + 1) == Some("docs");
    let first = path.at(begins).unwrap_or_default();
    let (name, rest) = match first {
        "api" if by_program => (path.at(begins + 2), begins + 3),
        "doc" if certain => (path.at(begins + 1), begins + 2),
        _ if certain && first.len() >= GRIST_SHORTEST => (Some(first), begins + 1),
        _ => (None, 0),
    };
    let shared = first == "s" && certain;
    let name = match name {
        Some(name) if is_name(name, 1) => name.to_owned(),
        // A key of a share is a document's name with a mark before it.
        _ if shared && path.at(begins + 1).is_some_and(|key| is_name(key, 8)) => {
            format!("s.{}", path.at(begins + 1).unwrap_or_default())
        }
        _ => return Ok(None),
    };
    let table = (by_program && path.at(rest) == Some("tables"))
        .then(|| path.at(rest + 1))
        .flatten()
        .filter(|table| is_table(table));
    let document = target.join(&format!("{}api/docs/{name}/", path.until(begins)))?;
    Ok(Some(Address::Grist {
        document,
        table: table.map(str::to_owned),
        // The short form of an address is the beginning of the long one.
        name: name.chars().take(GRIST_SHORTEST).collect(),
    }))
}

/// Whether a text can be the name of a table of Grist.
pub(crate) fn is_table(text: &str) -> bool {
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !text.is_empty() && text.len() <= LONGEST && text.bytes().all(letters)
}

fn cloud(target: &Target, path: &Path<'_>) -> Result<Option<Address>, Failure> {
    let here = |server: usize, spot: Spot| -> Result<Option<Address>, Failure> {
        let server = target.join(&path.until(server))?;
        Ok(Some(Address::Cloud { server, spot }))
    };
    let decoded = |from: usize| -> String {
        let whole = path.until(path.parts.len());
        let start = path.until(from).len() - 1;
        let tail = whole[start..].trim_end_matches('/');
        raccord_dav::path_of(tail)
    };
    if let Some(at) = path.find("remote.php") {
        return match (path.at(at + 1), path.at(at + 2), path.at(at + 3)) {
            (Some("dav"), Some("files"), Some(_)) | (Some("webdav"), Some(_), _) => {
                here(at, Spot::Path(decoded(0)))
            }
            _ => Err(refusals::elsewhere(Elsewhere::CloudOther)),
        };
    }
    if let Some(at) = path.find("public.php") {
        return match (path.at(at + 1), path.at(at + 2), path.at(at + 3)) {
            (Some("dav"), Some("files"), Some(token)) if is_name(token, 1) => here(
                at,
                Spot::Share {
                    token: token.to_owned(),
                    inside: Some(decoded(at + 4)).filter(|inside| inside.len() > 1),
                },
            ),
            _ => Err(refusals::elsewhere(Elsewhere::CloudOther)),
        };
    }
    let index = path.find("index.php");
    // `/s/TOKEN`, `/cloud/index.php/s/TOKEN`: nobody knows how deep a server lies.
    let begins = index.map_or_else(
        || {
            let pages = ["s", "f", "apps"];
            path.parts.iter().position(|part| pages.contains(part))
        },
        |at| Some(at + 1),
    );
    let Some(begins) = begins else {
        return Ok(None);
    };
    let server = index.unwrap_or(begins);
    match (path.at(begins), path.at(begins + 1)) {
        (Some("s"), Some(token)) if is_name(token, 4) && path.parts.len() <= begins + 4 => here(
            server,
            Spot::Share {
                token: token.to_owned(),
                inside: inside(path),
            },
        ),
        (Some("f"), Some(number)) if is_number(number) => here(server, Spot::Number(number.into())),
        (Some("apps"), Some(app)) => {
            let apps = [
                "files",
                "richdocuments",
                "onlyoffice",
                "officeonline",
                "eurooffice",
            ];
            if !apps.contains(&app) {
                // `/apps/x` may be anybody’s; below `index.php` it is Nextcloud’s.
                return match index {
                    Some(_) => Err(refusals::elsewhere(Elsewhere::CloudPage)),
                    None => Ok(None),
                };
            }
            let number = path.parts[begins + 2..]
                .iter()
                .map(|part| (*part).to_owned())
                .chain(
                    ["fileid", "fileId", "openfile"]
                        .iter()
                        .filter_map(|name| path.said(name)),
                )
                .find(|part| is_number(part));
            match number {
                Some(number) => here(server, Spot::Number(number)),
                None => Err(refusals::elsewhere(Elsewhere::CloudPage)),
            }
        }
        _ => Ok(None),
    }
}

/// The file that a public link of a folder has open or hands out: `?path=/a&files=b.ods`,
/// `?dir=/a`. What follows `/download/` is the name of the link's own file, and no path in it.
fn inside(path: &Path<'_>) -> Option<String> {
    let folder = path.said("path").or(path.said("dir")).unwrap_or_default();
    let folder = folder.trim_matches('/');
    let file = path
        .said("files")
        .or(path.said("scrollto"))
        // Several files at once stand in brackets.
        .filter(|name| !name.starts_with('['))
        .unwrap_or_default();
    let whole = format!("{folder}/{}", file.trim_matches('/'));
    let whole = whole.trim_matches('/');
    (!whole.is_empty() && !whole.split('/').any(|part| part == ".." || part == "."))
        .then(|| format!("/{whole}"))
}

fn is_name(text: &str, shortest: usize) -> bool {
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~');
    (shortest..=LONGEST).contains(&text.len()) && text.bytes().all(letters)
}

fn is_number(text: &str) -> bool {
    (1..=19).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests;
