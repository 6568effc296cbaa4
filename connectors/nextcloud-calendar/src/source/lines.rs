//! What other people's entries say, as lines: one for each entry, or for each occurrence of one that
//! repeats.

use jiff::ToSpan as _;
use raccord_look::clean;
use raccord_model::{Civil, Digest, Fields, Unread, Words};
use serde_json::json;

use super::memory::Held;
use crate::Calendars;
use crate::dav::{Object, uid_of};
use crate::ical::entry::{self, Entry, Odd};
use crate::ical::lines::{Component, Lines, unescaped};
use crate::shown::is_our_uid;

/// How far ahead an entry that repeats is followed.
const AHEAD: i32 = 400;

impl Calendars {
    /// What is remembered of an entry.
    pub(super) fn held(&self, object: &Object) -> Held {
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
        let lines = Lines::read(&object.bytes);
        let event = lines
            .as_ref()
            .and_then(|lines| Some((lines, lines.master("VEVENT")?)));
        // A task, or something else that is no event.
        let Some((lines, event)) = event else {
            return held;
        };
        let text = lines.text();
        let until = self.today().saturating_add(AHEAD.days());
        let from = self.today().saturating_sub(1.day());
        match entry::occurrences(&text, &self.zone(), from, until) {
            Ok(all) => {
                let seen = all.into_iter().filter(|(_, entry)| !entry.private);
                held.lines = seen
                    .map(|(at, entry)| (native(&object.path, at), self.fields(&entry)))
                    .collect();
            }
            // What is nobody else's business is not told either.
            Err(_) if is_private(lines, event) => {}
            Err(odd) => {
                let summary = lines.get(event, "SUMMARY");
                let title = summary.map_or_else(String::new, |line| unescaped(line.value()));
                let title = match clean::line(&title, 100) {
                    title if title.is_empty() => {
                        clean::line(object.path.rsplit('/').next().unwrap_or_default(), 100)
                    }
                    title => title,
                };
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
}

fn is_private(lines: &Lines, event: Component) -> bool {
    let class = lines.get(event, "CLASS");
    class.is_some_and(|line| !line.value().trim().eq_ignore_ascii_case("PUBLIC"))
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
pub(super) fn row(native: &str) -> u32 {
    let entry = native.split('#').next().unwrap_or_default();
    let digest = Digest::of(entry.as_bytes());
    let [a, b, c, ..] = digest.0;
    u32::from_be_bytes([0, a, b, c]) % 999_999 + 1
}

pub(super) fn unread(sheet: &str, row: u32, name: &str, odd: &Odd) -> Unread {
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
