//! The cloud itself: calendars, a trash bin, tokens, and each surprise by its name.
//!
//! Taken from recorded exchanges with Nextcloud 32.0.1 (PHP 8.2, SQLite).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use base64::Engine as _;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use raccord_kit::standin::{Play, Reply, Seen};
use raccord_model::Digest;

const HOME: &str = "/remote.php/dav/calendars/raccord/";
const SQL: &str = "<d:error xmlns:d=\"DAV:\" xmlns:s=\"http://sabredav.org/ns\"><s:exception>OC\\DB\\Exceptions\\DbalException</s:exception><s:message>An exception occurred while executing a query: SQLSTATE[23000]: Integrity constraint violation: 19 UNIQUE constraint failed: oc_calendarobjects.calendarid, oc_calendarobjects.calendartype, oc_calendarobjects.uid</s:message></d:error>";
const HREF: &AsciiSet = &CONTROLS.add(b' ').add(b'#').add(b'%').add(b'?');

/// The surprises; each can be taken away, and a test notices.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a surprise of its own"
)]
pub(crate) struct Quirks {
    /// A UID in the trash bin cannot be made again: 500 with a database's words.
    pub(crate) trash_500: bool,
    /// The trash bin does not give back.
    pub(crate) no_restore: bool,
    /// A multiget leaves out what is not there, and says nothing of it.
    pub(crate) multiget_omits: bool,
    /// A multiget leaves this one out although it is there.
    pub(crate) multiget_forgets: Option<String>,
    /// Percent-encoding in answers is in lower case.
    pub(crate) lower_case: bool,
    /// A token ahead of the server is good, and nothing changed since.
    pub(crate) future_tokens: bool,
    /// A first sync with a limit is refused with 507; this makes every sync so.
    pub(crate) sync_507: bool,
    /// A text the server mends is stored without an ETag in the answer.
    pub(crate) mends: bool,
    /// The log of changes was pruned: nothing is known of what changed before.
    pub(crate) pruned: bool,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            trash_500: true,
            no_restore: false,
            multiget_omits: true,
            multiget_forgets: None,
            lower_case: true,
            future_tokens: true,
            sync_507: false,
            mends: false,
            pruned: false,
        }
    }
}

#[derive(Clone, Default)]
pub(crate) struct Calendar {
    pub(crate) objects: BTreeMap<String, Vec<u8>>,
    pub(crate) token: u64,
    changes: Vec<(u64, String)>,
    pub(crate) read_only: bool,
    /// It takes tasks as well.
    pub(crate) tasks: bool,
    title: String,
}

impl Calendar {
    fn change(&mut self, file: &str) {
        self.token += 1;
        self.changes.push((self.token, file.to_owned()));
    }
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) calendars: BTreeMap<String, Calendar>,
    /// Number, calendar, file, text.
    pub(crate) trash: Vec<(u64, String, String, Vec<u8>)>,
    thrown: u64,
    pub(crate) quirks: Quirks,
    password: String,
    /// Wrong passwords that were shown.
    pub(crate) refused: usize,
    pub(crate) maintenance: bool,
    pub(crate) untrusted: bool,
    pub(crate) two_factor: bool,
    /// How many requests of each method came.
    pub(crate) counts: BTreeMap<String, usize>,
}

/// A handle; clones are the same cloud.
#[derive(Clone)]
pub(crate) struct Cloud(Arc<Mutex<State>>);

impl Cloud {
    pub(crate) fn new(password: &str) -> Self {
        Self(Arc::new(Mutex::new(State {
            password: password.to_owned(),
            ..State::default()
        })))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Puts a text where a member's program would.
    pub(crate) fn member_puts(&self, calendar: &str, file: &str, text: &str) {
        let mut state = self.state();
        let calendar = state.calendars.entry(calendar.to_owned()).or_default();
        calendar
            .objects
            .insert(file.to_owned(), text.as_bytes().to_vec());
        calendar.change(file);
    }

    /// A member changes a text.
    pub(crate) fn member_edits(
        &self,
        calendar: &str,
        file: &str,
        edit: impl FnOnce(String) -> String,
    ) {
        let text = self.text(calendar, file);
        self.member_puts(calendar, file, &edit(text));
    }

    /// A member throws an entry away.
    pub(crate) fn member_deletes(&self, calendar: &str, file: &str) {
        self.state().throw_away(calendar, file);
    }

    pub(crate) fn text(&self, calendar: &str, file: &str) -> String {
        let state = self.state();
        String::from_utf8(state.calendars[calendar].objects[file].clone()).unwrap()
    }

    pub(crate) fn files(&self, calendar: &str) -> Vec<String> {
        let state = self.state();
        state
            .calendars
            .get(calendar)
            .map(|calendar| calendar.objects.keys().cloned().collect())
            .unwrap_or_default()
    }

    pub(crate) fn count(&self, method: &str) -> usize {
        self.state().counts.get(method).copied().unwrap_or_default()
    }

    pub(crate) fn answer(&self, seen: &Seen) -> Play {
        let mut state = self.state();
        *state.counts.entry(seen.method.to_string()).or_default() += 1;
        state.answer(seen).into()
    }
}

fn etag(bytes: &[u8]) -> String {
    // The same text has the same ETag, as the MD5 of it would.
    format!("\"{}\"", &Digest::of(bytes).to_string()[..32])
}

fn uid(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes)
        .replace("\r\n ", "")
        .replace("\n ", "");
    text.lines()
        .find_map(|line| {
            let (name, value) = line.trim().split_once(':')?;
            name.eq_ignore_ascii_case("uid").then(|| value.to_owned())
        })
        .unwrap_or_default()
}

fn error(status: u16, exception: &str, message: &str, more: &str) -> Reply {
    Reply::status(status)
        .header("content-type", "application/xml; charset=utf-8")
        .body(format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><d:error xmlns:d=\"DAV:\" xmlns:s=\"http://sabredav.org/ns\" xmlns:cal=\"urn:ietf:params:xml:ns:caldav\"><s:exception>{exception}</s:exception><s:message>{message}</s:message>{more}</d:error>"
        ))
}

fn multistatus(rows: &str) -> Reply {
    Reply::status(207)
        .header("content-type", "application/xml; charset=utf-8")
        .body(format!(
            "<?xml version=\"1.0\"?><d:multistatus xmlns:d=\"DAV:\" xmlns:s=\"http://sabredav.org/ns\" xmlns:cal=\"urn:ietf:params:xml:ns:caldav\" xmlns:cs=\"http://calendarserver.org/ns/\" xmlns:oc=\"http://owncloud.org/ns\">{rows}</d:multistatus>"
        ))
}

fn row(href: &str, props: &str) -> String {
    format!(
        "<d:response><d:href>{href}</d:href><d:propstat><d:prop>{props}</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
    )
}

fn gone_row(href: &str) -> String {
    format!(
        "<d:response><d:href>{href}</d:href><d:status>HTTP/1.1 404 Not Found</d:status></d:response>"
    )
}

fn xml(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\r', "&#13;")
}

fn between<'t>(text: &'t str, start: &str, end: &str) -> Option<&'t str> {
    let from = text.find(start)? + start.len();
    let to = text[from..].find(end)? + from;
    Some(&text[from..to])
}

impl State {
    pub(crate) fn set_password(&mut self, password: &str) {
        password.clone_into(&mut self.password);
    }

    /// The calendar of this name; an empty one where there was none.
    pub(crate) fn calendar(&mut self, name: &str) -> &mut Calendar {
        let calendar = self.calendars.entry(name.to_owned()).or_default();
        calendar.token = calendar.token.max(1);
        calendar
    }

    fn href(&self, path: &str) -> String {
        let encoded = utf8_percent_encode(path, HREF).to_string();
        if !self.quirks.lower_case {
            return encoded;
        }
        let mut out = String::new();
        let mut escaped = 0;
        for c in encoded.chars() {
            if c == '%' {
                escaped = 2;
                out.push(c);
            } else if escaped > 0 {
                escaped -= 1;
                out.push(c.to_ascii_lowercase());
            } else {
                out.push(c);
            }
        }
        out
    }

    fn throw_away(&mut self, calendar: &str, file: &str) {
        let kept = self.calendars.get_mut(calendar).unwrap();
        let bytes = kept.objects.remove(file).unwrap();
        kept.change(file);
        // The entry in the bin has a name of its own, which a sync tells as gone.
        kept.change(&file.replace(".ics", "-deleted.ics"));
        self.thrown += 1;
        let number = self.thrown;
        self.trash
            .push((number, calendar.to_owned(), file.to_owned(), bytes));
    }

    fn answer(&mut self, seen: &Seen) -> Reply {
        let path = percent_decode_str(seen.path.split('?').next().unwrap_or_default())
            .decode_utf8_lossy()
            .into_owned();
        if self.untrusted {
            return if path == "/status.php" {
                Reply::status(400)
                    .header("content-type", "application/json")
                    .body("{\"error\": \"Trusted domain error.\", \"code\": 15}")
            } else {
                Reply::status(400)
                    .header("content-type", "text/html; charset=UTF-8")
                    .body("<!DOCTYPE html>\n<html class=\"ng-csp\" data-placeholder-focus=\"false\"><head><title>Nextcloud</title></head></html>")
            };
        }
        if self.maintenance {
            return error(
                503,
                "OCA\\DAV\\Exception\\ServerMaintenanceMode",
                "System is in maintenance mode.",
                "",
            );
        }
        let body = String::from_utf8_lossy(&seen.body).into_owned();
        let method = seen.method.as_str();
        if path == "/.well-known/caldav" {
            return Reply::redirect(301, "/remote.php/dav/");
        }
        if let Some(refusal) = self.login(seen) {
            return refusal;
        }
        match (method, path.as_str()) {
            ("PROPFIND", "/remote.php/dav/") => multistatus(&row(
                "/remote.php/dav/",
                "<d:current-user-principal><d:href>/remote.php/dav/principals/users/raccord/</d:href></d:current-user-principal>",
            )),
            ("PROPFIND", "/remote.php/dav/principals/users/raccord/") => multistatus(&row(
                &path,
                &format!("<cal:calendar-home-set><d:href>{HOME}</d:href></cal:calendar-home-set>"),
            )),
            ("PROPFIND", HOME) => self.home(),
            _ => match path.strip_prefix(HOME).map(str::to_owned) {
                Some(rest) => self.below(seen, &rest, &body),
                None => Reply::status(404),
            },
        }
    }

    /// What is said to somebody who may not come in.
    fn login(&mut self, seen: &Seen) -> Option<Reply> {
        if self.refused > 10 {
            return Some(error(
                429,
                "OCA\\DAV\\Connector\\Sabre\\Exception\\TooManyRequests",
                "",
                "",
            ));
        }
        let pair = format!("raccord:{}", self.password);
        let good = format!(
            "Basic {}",
            base64::engine::general_purpose::STANDARD.encode(pair)
        );
        let shown = seen.header("authorization");
        if self.two_factor {
            return Some(error(
                401,
                "OCA\\DAV\\Connector\\Sabre\\Exception\\PasswordLoginForbidden",
                "",
                "<o:hint xmlns:o=\"o:\">password login forbidden</o:hint>",
            ));
        }
        if shown == good {
            return None;
        }
        if !shown.is_empty() {
            self.refused += 1;
        }
        Some(
            error(
                401,
                "Sabre\\DAV\\Exception\\NotAuthenticated",
                "Username or password was incorrect",
                "",
            )
            .header(
                "www-authenticate",
                "Basic realm=\"Nextcloud\", charset=\"UTF-8\"",
            ),
        )
    }

    fn home(&self) -> Reply {
        let mut rows = row(HOME, "<d:resourcetype><d:collection/></d:resourcetype>");
        rows += &row(
            &format!("{HOME}inbox/"),
            "<d:resourcetype><d:collection/><cal:schedule-inbox/></d:resourcetype>",
        );
        for (name, calendar) in &self.calendars {
            let rights = if calendar.read_only {
                "<d:privilege><d:read/></d:privilege>"
            } else {
                "<d:privilege><d:write-content/></d:privilege><d:privilege><d:bind/></d:privilege><d:privilege><d:read/></d:privilege>"
            };
            let tasks = if calendar.tasks {
                "<cal:comp name=\"VTODO\"/>"
            } else {
                ""
            };
            let title = if calendar.title.is_empty() {
                name
            } else {
                &calendar.title
            };
            rows += &row(
                &self.href(&format!("{HOME}{name}/")),
                &format!(
                    "<d:displayname>{}</d:displayname><d:resourcetype><d:collection/><cal:calendar/></d:resourcetype><cal:supported-calendar-component-set><cal:comp name=\"VEVENT\"/>{tasks}</cal:supported-calendar-component-set><d:current-user-privilege-set>{rights}</d:current-user-privilege-set>",
                    xml(title)
                ),
            );
        }
        rows += &row(
            &format!("{HOME}feed/"),
            "<d:displayname>Feed</d:displayname><d:resourcetype><d:collection/><cs:subscribed/></d:resourcetype>",
        );
        rows += &row(
            &format!("{HOME}trashbin/"),
            "<d:resourcetype><d:collection/><x1:trash-bin xmlns:x1=\"http://nextcloud.com/ns\"/></d:resourcetype>",
        );
        multistatus(&rows)
    }

    fn below(&mut self, seen: &Seen, rest: &str, body: &str) -> Reply {
        if let Some(rest) = rest.strip_prefix("trashbin/") {
            return self.bin(seen, rest);
        }
        let (name, file) = rest.split_once('/').unwrap_or((rest, ""));
        let method = seen.method.as_str();
        if method == "MKCALENDAR" {
            if self.calendars.contains_key(name) {
                return error(405, "Sabre\\DAV\\Exception\\MethodNotAllowed", "", "");
            }
            let title = between(body, "<d:displayname>", "</d:displayname>");
            self.calendars.insert(
                name.to_owned(),
                Calendar {
                    token: 1,
                    title: title.unwrap_or_default().to_owned(),
                    ..Calendar::default()
                },
            );
            return Reply::status(201);
        }
        if !self.calendars.contains_key(name) {
            return error(404, "Sabre\\DAV\\Exception\\NotFound", "", "");
        }
        if file.is_empty() {
            return match method {
                "PROPFIND" => self.properties(name, seen.header("depth") == "1"),
                "REPORT" => self.report(name, seen, body),
                _ => Reply::status(405),
            };
        }
        match method {
            "GET" => self.get(name, file),
            "PUT" => self.put(name, file, seen),
            "DELETE" => self.delete(name, file, seen),
            _ => Reply::status(405),
        }
    }

    fn bin(&mut self, seen: &Seen, rest: &str) -> Reply {
        let number = rest
            .strip_prefix("objects/")
            .and_then(|name| name.strip_suffix(".ics"))
            .and_then(|number| number.parse::<u64>().ok());
        let at = number.and_then(|number| self.trash.iter().position(|one| one.0 == number));
        match (seen.method.as_str(), at) {
            ("REPORT", _) => {
                let rows: String = self
                    .trash
                    .iter()
                    .map(|(number, _, _, bytes)| {
                        let text = xml(&String::from_utf8_lossy(bytes));
                        row(
                            &format!("{HOME}trashbin/objects/{number}.ics"),
                            &format!("<d:getetag>{}</d:getetag><cal:calendar-data>{text}</cal:calendar-data>", xml(&etag(bytes))),
                        )
                    })
                    .collect();
                multistatus(&rows)
            }
            ("PROPFIND", _) => Reply::status(501),
            ("MOVE", Some(at)) => {
                let there = seen.header("destination");
                if self.quirks.no_restore || !there.ends_with("/trashbin/restore/file") {
                    return error(403, "Sabre\\DAV\\Exception\\Forbidden", "", "");
                }
                let (_, calendar, file, bytes) = self.trash.remove(at);
                let calendar = self.calendars.get_mut(&calendar).unwrap();
                calendar.objects.insert(file.clone(), bytes);
                calendar.change(&file);
                Reply::status(201)
            }
            ("DELETE", Some(at)) => {
                self.trash.remove(at);
                Reply::status(204)
            }
            _ => error(404, "Sabre\\DAV\\Exception\\NotFound", "", ""),
        }
    }

    fn properties(&self, name: &str, all: bool) -> Reply {
        let calendar = &self.calendars[name];
        let token = format!("http://sabre.io/ns/sync/{}", calendar.token);
        let mut rows = row(
            &self.href(&format!("{HOME}{name}/")),
            &format!(
                "<cs:getctag>{token}</cs:getctag><d:sync-token>{token}</d:sync-token><d:resourcetype><d:collection/><cal:calendar/></d:resourcetype>"
            ),
        );
        for (file, bytes) in calendar.objects.iter().filter(|_| all) {
            rows += &self.etag_row(name, file, bytes);
        }
        multistatus(&rows)
    }

    fn etag_row(&self, name: &str, file: &str, bytes: &[u8]) -> String {
        row(
            &self.href(&format!("{HOME}{name}/{file}")),
            &format!("<d:getetag>{}</d:getetag>", xml(&etag(bytes))),
        )
    }

    fn report(&self, name: &str, seen: &Seen, body: &str) -> Reply {
        if body.contains("sync-collection") {
            return self.sync(name, body);
        }
        if body.contains("calendar-multiget") {
            return self.multiget(name, body);
        }
        if seen.header("depth") != "1" {
            return error(
                400,
                "Sabre\\DAV\\Exception\\BadRequest",
                "A calendar-query REPORT on a calendar with a Depth: 0 is undefined. Set Depth to 1",
                "",
            );
        }
        let wanted = between(
            body,
            "<c:text-match collation=\"i;octet\">",
            "</c:text-match>",
        );
        let rows: String = self.calendars[name]
            .objects
            .iter()
            // A filter finds parts too.
            .filter(|(_, bytes)| wanted.is_none_or(|wanted| uid(bytes).contains(wanted)))
            .map(|(file, bytes)| self.data_row(name, file, bytes))
            .collect();
        multistatus(&rows)
    }

    fn data_row(&self, name: &str, file: &str, bytes: &[u8]) -> String {
        row(
            &self.href(&format!("{HOME}{name}/{file}")),
            &format!(
                "<d:getetag>{}</d:getetag><cal:calendar-data>{}</cal:calendar-data>",
                xml(&etag(bytes)),
                xml(&String::from_utf8_lossy(bytes))
            ),
        )
    }

    fn multiget(&self, name: &str, body: &str) -> Reply {
        let calendar = &self.calendars[name];
        let mut rows = String::new();
        for part in body.split("<d:href>").skip(1) {
            let href = part.split("</d:href>").next().unwrap_or_default();
            let path = percent_decode_str(href).decode_utf8_lossy();
            let file = path.rsplit('/').next().unwrap_or_default();
            let forgotten = self.quirks.multiget_forgets.as_deref() == Some(file);
            match calendar.objects.get(file) {
                Some(bytes) if !forgotten => rows += &self.data_row(name, file, bytes),
                _ if self.quirks.multiget_omits => {}
                _ => rows += &gone_row(href),
            }
        }
        multistatus(&rows)
    }

    fn sync(&self, name: &str, body: &str) -> Reply {
        let calendar = &self.calendars[name];
        let token = between(body, "<d:sync-token>", "</d:sync-token>").unwrap_or_default();
        if self.quirks.sync_507 || token.is_empty() && body.contains("nresults") {
            return error(
                507,
                "OCA\\DAV\\Exception\\UnsupportedLimitOnInitialSyncException",
                "",
                "<d:number-of-matches-within-limits/>",
            );
        }
        let since = match token.strip_prefix("http://sabre.io/ns/sync/") {
            _ if token.is_empty() => 0,
            Some(number) => number.parse::<u64>().unwrap_or_default(),
            None => {
                return error(
                    403,
                    "Sabre\\DAV\\Exception\\InvalidSyncToken",
                    "Invalid or unknown sync token",
                    "<d:valid-sync-token/>",
                );
            }
        };
        if since > calendar.token && !self.quirks.future_tokens {
            return error(403, "", "", "<d:valid-sync-token/>");
        }
        let mut files: Vec<&String> = calendar
            .changes
            .iter()
            .filter(|(at, _)| *at > since && !self.quirks.pruned)
            .map(|(_, file)| file)
            .collect();
        files.sort();
        files.dedup();
        let mut rows = String::new();
        for file in files {
            rows += &match calendar.objects.get(file) {
                Some(bytes) => self.etag_row(name, file, bytes),
                None => gone_row(&self.href(&format!("{HOME}{name}/{file}"))),
            };
        }
        let token = calendar.token.to_string();
        rows.extend([
            "<d:sync-token>http://sabre.io/ns/sync/",
            &token,
            "</d:sync-token>",
        ]);
        multistatus(&rows)
    }

    fn get(&self, name: &str, file: &str) -> Reply {
        match self.calendars[name].objects.get(file) {
            Some(bytes) => Reply::ok(bytes.clone())
                .header(
                    "content-type",
                    "text/calendar; charset=utf-8; component=vevent",
                )
                .header("etag", &etag(bytes)),
            None => error(
                404,
                "Sabre\\DAV\\Exception\\NotFound",
                "Calendar object not found",
                "",
            ),
        }
    }

    fn put(&mut self, name: &str, file: &str, seen: &Seen) -> Reply {
        let text = String::from_utf8_lossy(&seen.body).into_owned();
        let calendar = &self.calendars[name];
        if calendar.read_only {
            return error(
                403,
                "Sabre\\DAVACL\\Exception\\NeedPrivileges",
                "",
                "<d:need-privileges/>",
            );
        }
        let there = calendar.objects.get(file);
        if seen.header("if-none-match") == "*" && there.is_some() {
            return error(412, "Sabre\\DAV\\Exception\\PreconditionFailed", "", "");
        }
        let expected = seen.header("if-match");
        if !expected.is_empty() && there.map(|bytes| etag(bytes)).as_deref() != Some(expected) {
            return error(412, "Sabre\\DAV\\Exception\\PreconditionFailed", "", "");
        }
        if !text.to_uppercase().contains("BEGIN:VCALENDAR") || text.contains("\nMETHOD:") {
            return error(415, "Sabre\\DAV\\Exception\\UnsupportedMediaType", "", "");
        }
        if text.contains("BEGIN:VTODO") && !calendar.tasks {
            return error(
                403,
                "Sabre\\CalDAV\\Exception\\InvalidComponentType",
                "",
                "<cal:supported-calendar-component/>",
            );
        }
        let id = uid(&seen.body);
        let new = there.is_none();
        if new && calendar.objects.values().any(|bytes| uid(bytes) == id) {
            return error(
                400,
                "Sabre\\DAV\\Exception\\BadRequest",
                "Calendar object with uid already exists in this calendar collection.",
                "",
            );
        }
        let thrown = |one: &(u64, String, String, Vec<u8>)| one.1 == name && uid(&one.3) == id;
        if new && self.quirks.trash_500 && self.trash.iter().any(thrown) {
            return Reply::status(500)
                .header("content-type", "application/xml; charset=utf-8")
                .body(SQL);
        }
        let mut bytes = seen.body.to_vec();
        if self.quirks.mends {
            bytes = text
                .replace("END:VEVENT", "X-MENDED:1\r\nEND:VEVENT")
                .into_bytes();
        }
        let tag = etag(&bytes);
        let calendar = self.calendars.get_mut(name).unwrap();
        calendar.objects.insert(file.to_owned(), bytes);
        calendar.change(file);
        let reply = Reply::status(if new { 201 } else { 204 });
        if self.quirks.mends {
            reply
        } else {
            reply.header("etag", &tag).header("oc-etag", &tag)
        }
    }

    fn delete(&mut self, name: &str, file: &str, seen: &Seen) -> Reply {
        let Some(bytes) = self.calendars[name].objects.get(file) else {
            return error(
                404,
                "Sabre\\DAV\\Exception\\NotFound",
                "Calendar object not found",
                "",
            );
        };
        let expected = seen.header("if-match");
        if !expected.is_empty() && etag(bytes) != expected {
            return error(412, "Sabre\\DAV\\Exception\\PreconditionFailed", "", "");
        }
        self.throw_away(name, file);
        Reply::status(204)
    }
}
