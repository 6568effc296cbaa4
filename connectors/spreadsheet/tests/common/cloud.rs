//! A Nextcloud as one was seen to answer (32.0.1): files with their ETags, folders, the search by a
//! file's number, public links, and the wall after ten wrong passwords.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use raccord_kit::standin::{Play, Reply, Seen, Standin};

/// The account that sees everything: what it logs in with, and what addresses call it.
pub(crate) const LOGIN: &str = "marie@lieu.example";
pub(crate) const NAME: &str = "marie";
pub(crate) const PASSWORD: &str = "canary-app-password";
/// `marie@lieu.example:canary-app-password`.
const ACCOUNT: &str = "Basic bWFyaWVAbGlldS5leGFtcGxlOmNhbmFyeS1hcHAtcGFzc3dvcmQ=";
/// The password of links that have one, and the header that shows it (`anonymous:canary-link`).
pub(crate) const LINK_PASSWORD: &str = "canary-link";
const LINK: &str = "Basic YW5vbnltb3VzOmNhbmFyeS1saW5r";

#[derive(Clone)]
struct File {
    bytes: Vec<u8>,
    /// The second it was written in.
    at: u64,
    number: u64,
}

/// What the server holds and how it is.
#[derive(Default)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "independent states of one server"
)]
pub(crate) struct Server {
    /// By decoded path below the account.
    files: BTreeMap<String, File>,
    /// Public links: the decoded path they open, and whether they ask for a password.
    links: BTreeMap<String, (String, bool)>,
    pub(crate) refusals: u32,
    pub(crate) maintenance: bool,
    pub(crate) untrusted: bool,
    /// Whether it shares with other servers; if not, only pages look into links.
    pub(crate) federated: bool,
    /// Whether the account logs in with the password of an application only.
    pub(crate) two_factor: bool,
    next: u64,
}

impl Server {
    /// Writes a file in that second: what it is called goes on being its number.
    pub(crate) fn write(&mut self, path: &str, bytes: impl Into<Vec<u8>>, at: u64) -> u64 {
        self.next += 1;
        let number = self.files.get(path).map_or(self.next, |file| file.number);
        let bytes = bytes.into();
        self.files
            .insert(path.to_owned(), File { bytes, at, number });
        number
    }

    pub(crate) fn rename(&mut self, from: &str, to: &str) {
        let file = self.files.remove(from).expect("it is there");
        self.files.insert(to.to_owned(), file);
    }

    pub(crate) fn remove(&mut self, path: &str) {
        self.files.remove(path).expect("it is there");
    }

    pub(crate) fn link(&mut self, token: &str, path: &str, locked: bool) {
        self.links
            .insert(token.to_owned(), (path.to_owned(), locked));
    }

    pub(crate) fn unlink(&mut self, token: &str) {
        self.links.remove(token);
    }

    fn answer(&mut self, seen: &Seen) -> Reply {
        if self.untrusted {
            return if seen.path == "/status.php" {
                Reply::status(400).body("{\"error\": \"Trusted domain error.\", \"code\": 15}")
            } else {
                page(400, "<!DOCTYPE html><title>Nextcloud</title>")
            };
        }
        if self.maintenance {
            return error(
                503,
                "OCA\\DAV\\Exception\\ServerMaintenanceMode",
                "System is in maintenance mode.",
            );
        }
        // Ten wrong passwords, and nobody behind that address comes in.
        if self.refusals > 10 {
            return error(
                429,
                "OCA\\DAV\\Connector\\Sabre\\Exception\\TooManyRequests",
                "",
            );
        }
        let path = seen.path.split('?').next().unwrap_or_default();
        if let Some(rest) = path.strip_prefix("/public.php/dav/files/") {
            return self.public(seen, rest);
        }
        if self.two_factor {
            self.refusals += 1;
            return error(
                401,
                "OCA\\DAV\\Connector\\Sabre\\Exception\\PasswordLoginForbidden",
                "",
            );
        }
        if seen.header("authorization") != ACCOUNT {
            self.refusals += 1;
            return error(
                401,
                "Sabre\\DAV\\Exception\\NotAuthenticated",
                "Username or password was incorrect",
            );
        }
        match (seen.method.as_str(), path) {
            ("PROPFIND", "/remote.php/dav/") => rows(&[format!(
                "<d:href>/remote.php/dav/</d:href><d:propstat><d:prop><d:current-user-principal><d:href>/remote.php/dav/principals/users/{NAME}/</d:href></d:current-user-principal></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>"
            )]),
            ("SEARCH", "/remote.php/dav/") => self.search(seen),
            (_, path) => {
                let root = format!("/remote.php/dav/files/{NAME}");
                match path.strip_prefix(&root) {
                    Some(below) => self.file(seen, &root, &decoded(below), ""),
                    None => page(404, "<!DOCTYPE html><title>Nextcloud</title>"),
                }
            }
        }
    }

    fn search(&self, seen: &Seen) -> Reply {
        let body = String::from_utf8_lossy(&seen.body).into_owned();
        assert!(
            body.contains(&format!("<d:href>/files/{NAME}</d:href>")),
            "{body}"
        );
        let number = between(&body, "<d:literal>", "</d:literal>");
        let found: Vec<String> = self
            .files
            .iter()
            .filter(|(_, file)| file.number.to_string() == number)
            .map(|(path, file)| row(&format!("/remote.php/dav/files/{NAME}{path}"), Some(file)))
            .collect();
        rows(&found)
    }

    fn public(&mut self, seen: &Seen, rest: &str) -> Reply {
        let (token, below) = match rest.split_once('/') {
            Some((token, below)) => (token, format!("/{}", decoded(below))),
            None => (rest, String::new()),
        };
        let Some((path, locked)) = self.links.get(token).cloned() else {
            // Not 404, and it counts as a wrong password.
            self.refusals += 1;
            return error(
                503,
                "Sabre\\DAV\\Exception\\ServiceUnavailable",
                "Sabre\\DAV\\Exception\\NotFound: ",
            );
        };
        let scripted = seen.header("x-requested-with") == "XMLHttpRequest";
        if locked && seen.header("authorization") != LINK {
            // A page's own question is refused without being counted, unless nothing was shown.
            if !scripted || seen.header("authorization").is_empty() {
                self.refusals += 1;
            }
            return error(401, "Sabre\\DAV\\Exception\\NotAuthenticated", "");
        }
        if seen.method != "GET" && !scripted && !self.federated {
            return error(401, "Sabre\\DAV\\Exception\\NotAuthenticated", "");
        }
        self.file(
            seen,
            &format!("/public.php/dav/files/{token}"),
            below.trim_end_matches('/'),
            &path,
        )
    }

    /// A file or folder: `above` is what a link opens, which stands for nothing in its address.
    fn file(&self, seen: &Seen, root: &str, below: &str, above: &str) -> Reply {
        let below = below.trim_end_matches('/');
        let path = format!("{above}{below}");
        let file = self.files.get(&path);
        let inside = format!("{path}/");
        let children: Vec<(&String, &File)> = self
            .files
            .range(inside.clone()..)
            .take_while(|(path, _)| path.starts_with(&inside))
            .collect();
        let exists = file.is_some() || !children.is_empty();
        if !exists {
            return error(
                404,
                "Sabre\\DAV\\Exception\\NotFound",
                "could not be located",
            );
        }
        match (seen.method.as_str(), file) {
            ("GET", Some(file)) => file.get(seen),
            // A folder: nothing, as a page.
            ("GET", None) => page(200, ""),
            ("PROPFIND", _) => {
                assert_eq!(seen.header("depth"), "1");
                let slash = if file.is_some() { "" } else { "/" };
                let mut all = vec![row(&format!("{root}{below}{slash}"), file)];
                all.extend(children.iter().filter_map(|(child, file)| {
                    let rest = &child[inside.len()..];
                    (!rest.contains('/')).then(|| row(&format!("{root}{below}/{rest}"), Some(file)))
                }));
                rows(&all)
            }
            _ => error(501, "Sabre\\DAV\\Exception\\NotImplemented", ""),
        }
    }
}

impl File {
    /// Of the date and the size, not of what it holds.
    fn etag(&self) -> String {
        format!("\"{:08x}{:08x}\"", self.at, self.bytes.len())
    }

    fn get(&self, seen: &Seen) -> Reply {
        if seen.header("if-none-match") == self.etag() {
            return Reply::status(304).header("etag", &self.etag());
        }
        Reply::ok(self.bytes.clone())
            .header("content-type", "application/octet-stream")
            .header("etag", &self.etag())
            .header("oc-etag", &self.etag())
    }
}

fn page(status: u16, body: &str) -> Reply {
    Reply::status(status)
        .header("content-type", "text/html; charset=UTF-8")
        .body(body.to_owned())
}

fn error(status: u16, exception: &str, message: &str) -> Reply {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><d:error xmlns:d=\"DAV:\" xmlns:s=\"http://sabredav.org/ns\"><s:exception>{exception}</s:exception><s:message>{message}</s:message></d:error>"
    );
    Reply::status(status)
        .header("content-type", "application/xml; charset=utf-8")
        .body(body)
}

fn rows(rows: &[String]) -> Reply {
    let rows = rows.join("</d:response><d:response>");
    let rows = match rows.as_str() {
        "" => String::new(),
        rows => format!("<d:response>{rows}</d:response>"),
    };
    let body = format!(
        "<?xml version=\"1.0\"?><d:multistatus xmlns:d=\"DAV:\" xmlns:s=\"http://sabredav.org/ns\" xmlns:oc=\"http://owncloud.org/ns\">{rows}</d:multistatus>"
    );
    Reply::status(207)
        .header("content-type", "application/xml; charset=utf-8")
        .body(body)
}

fn row(path: &str, file: Option<&File>) -> String {
    let (kind, size) = match file {
        Some(file) => (
            "<d:resourcetype/>",
            format!(
                "<d:getcontentlength>{}</d:getcontentlength>",
                file.bytes.len()
            ),
        ),
        None => (
            "<d:resourcetype><d:collection/></d:resourcetype>",
            String::new(),
        ),
    };
    format!(
        "<d:href>{}</d:href><d:propstat><d:prop>{kind}{size}</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>",
        encoded(path)
    )
}

/// As Nextcloud writes it: in small letters, and more than is needed.
fn encoded(path: &str) -> String {
    path.bytes()
        .map(|byte| match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02x}"),
        })
        .collect()
}

fn decoded(path: &str) -> String {
    raccord_dav::path_of(path)
}

fn between<'t>(text: &'t str, start: &str, end: &str) -> &'t str {
    let from = text.find(start).expect("it stands there") + start.len();
    let length = text[from..].find(end).expect("it ends");
    &text[from..from + length]
}

/// A server at work.
pub(crate) struct Cloud {
    pub(crate) standin: Standin,
    server: Arc<Mutex<Server>>,
}

impl Cloud {
    pub(crate) async fn start() -> Self {
        let standin = Standin::start().await;
        let server = Arc::new(Mutex::new(Server {
            federated: true,
            ..Server::default()
        }));
        let shared = Arc::clone(&server);
        standin.direct(move |seen| Play::from(shared.lock().unwrap().answer(seen)));
        Self { standin, server }
    }

    pub(crate) fn server(&self) -> MutexGuard<'_, Server> {
        self.server.lock().unwrap()
    }
}
