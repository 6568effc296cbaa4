//! What we say and what stands in the calendar, brought together property by property.
//!
//! Three things are compared: what we wrote last (known by its digests, which travel in the link's
//! tag), what we want now, and what stands there. What only we changed is written; what only
//! members changed stays, unless the word is ours; nothing else of the entry is touched.

mod base;
mod description;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use raccord_kit::folded::escaped;
use raccord_model::{Authority, Civil, Fields};
use serde_json::{Value, json};

use crate::ical::entry::{self, Entry, Odd};
use crate::ical::lines::{Component, Lines, list};
use crate::ical::zone;
use crate::shown::{Form, Shown};

pub(crate) use base::Base;
use base::digest;

/// What an entry was before.
#[derive(Clone, Copy)]
enum Before<'b> {
    /// It was not.
    New,
    /// It stands there: with what we wrote last, if we ever did, and whether we insist.
    Standing(Option<&'b Base>, bool),
}

/// The fields that are compared, by the name of the one that says whose word counts.
pub(crate) const FIELDS: [&str; 6] = ["title", "start", "room", "url", "status", "description"];

/// What came of bringing two texts together.
#[derive(Debug)]
pub(crate) struct Merged {
    /// The whole text.
    pub(crate) bytes: Vec<u8>,
    /// What stands there of ours from now on.
    pub(crate) base: Base,
    /// Whether the text differs from the one before.
    pub(crate) changed: bool,
}

/// A new entry.
pub(crate) fn create(shown: &Shown, now: Timestamp) -> Merged {
    let name = shown.form.component();
    let stamp = utc(now);
    let text = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Raccord//nextcloud-calendar//EN\r\n\
         CALSCALE:GREGORIAN\r\nBEGIN:{name}\r\nUID:{}\r\nDTSTAMP:{stamp}\r\nCREATED:{stamp}\r\n\
         LAST-MODIFIED:{stamp}\r\nSEQUENCE:0\r\nEND:{name}\r\nEND:VCALENDAR\r\n",
        shown.uid
    );
    let mut lines = Lines::read(text.as_bytes()).expect("ten lines are few");
    let mut component = lines.master(name).expect("it was just written");
    let mut base = Base::of(shown);
    for field in FIELDS.into_iter().filter(|field| *field != "description") {
        put(&mut lines, &mut component, field, shown);
        base.keep(field, digest(&ours(field, shown)));
    }
    description::write(&mut lines, &mut component, shown, Before::New);
    categories(&mut lines, &mut component, shown, Before::New);
    rest(&mut lines, &mut component, shown);
    Merged {
        bytes: lines.bytes(),
        base,
        changed: true,
    }
}

/// Brings what we want into what stands there. `insist`: a person said that ours counts.
///
/// # Errors
/// When what stands there cannot be read.
pub(crate) fn update(
    theirs: &[u8],
    shown: &Shown,
    base: Option<&Base>,
    insist: bool,
    now: Timestamp,
) -> Result<Merged, Odd> {
    let mut lines = Lines::read(theirs).ok_or(Odd::NoEvent)?;
    let entry = readable(&lines.text(), shown)?;
    let mut component = lines.master(shown.form.component()).ok_or(Odd::NoEvent)?;
    let mut next = Base::of(shown);
    let mut moved = false;
    for field in FIELDS.into_iter().filter(|field| *field != "description") {
        let wanted = digest(&ours(field, shown));
        let there = digest(&said(field, &entry));
        let before = base.and_then(|base| base.field(field));
        if there == wanted {
            next.keep(field, wanted);
        } else if ours_counts(
            shown.authority(field),
            before,
            &there,
            base.is_none(),
            insist,
        ) {
            put(&mut lines, &mut component, field, shown);
            next.keep(field, wanted);
            moved |= matches!(field, "title" | "start" | "room" | "status");
        } else {
            next.leave();
            if let Some(before) = before {
                next.keep(field, before.to_owned());
            }
        }
    }
    let before = Before::Standing(base, insist);
    let told = description::write(&mut lines, &mut component, shown, before);
    if !told {
        next.leave();
        if let Some(base) = base {
            next.keep_description(base);
        }
    }
    categories(&mut lines, &mut component, shown, before);
    rest(&mut lines, &mut component, shown);
    let changed = lines.bytes() != theirs;
    if changed {
        stamp(&mut lines, &mut component, now, moved);
    }
    Ok(Merged {
        bytes: lines.bytes(),
        base: next,
        changed,
    })
}

/// Marks what stands there as cancelled, and changes nothing else.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn cancel(theirs: &[u8], now: Timestamp) -> Result<Option<Vec<u8>>, Odd> {
    let mut lines = Lines::read(theirs).ok_or(Odd::NoEvent)?;
    let component = [Form::Event, Form::Task]
        .into_iter()
        .find_map(|form| lines.master(form.component()));
    let mut component = component.ok_or(Odd::NoEvent)?;
    lines.set(&mut component, "STATUS", &[], &[], "CANCELLED");
    if lines.bytes() == theirs {
        return Ok(None);
    }
    stamp(&mut lines, &mut component, now, true);
    Ok(Some(lines.bytes()))
}

/// What members say otherwise than we wrote it, by the names fields have.
pub(crate) fn edits(theirs: &[u8], base: &Base, zone: &TimeZone) -> Result<Fields, Odd> {
    let lines = Lines::read(theirs).ok_or(Odd::NoEvent)?;
    let entry = match entry::read(&lines.text(), zone) {
        Err(Odd::NoStart) if lines.master("VTODO").is_some() => {
            entry::without_start(&lines.text())?
        }
        read => read?,
    };
    let mut fields = Fields::new();
    let mut say = |name: &str, value: Value| {
        fields.insert(name.to_owned(), value);
    };
    let or_null = |text: &str| match text {
        "" => Value::Null,
        text => json!(text),
    };
    let edited = |field: &str| base.field(field) != Some(&digest(&said(field, &entry)));
    if edited("title") && !entry.title.is_empty() {
        say("title", json!(entry.title));
    }
    if edited("start") && entry.task {
        say(
            "due",
            entry.start_if_any().map_or(Value::Null, |due| json!(due)),
        );
    } else if edited("start") {
        let whole = matches!(entry.start, Civil::Day(_));
        say("start", json!(entry.start));
        say("end", entry.end.map_or(Value::Null, |end| json!(end)));
        say("all_day", if whole { json!(true) } else { Value::Null });
    }
    if edited("room") {
        say("room", or_null(&entry.room));
    }
    if edited("url") {
        say("url", or_null(&entry.url));
    }
    if edited("status") && entry.task {
        let state = match entry.state.as_str() {
            "COMPLETED" => "done",
            "CANCELLED" => "cancelled",
            "IN-PROCESS" => "taken",
            _ => "open",
        };
        say("state", json!(state));
    } else if edited("status") {
        say("status", json!(entry.status));
    }
    if let Some(text) = description::edited(&lines, base) {
        say("description", or_null(&text));
    }
    Ok(fields)
}

/// Whether our word is written over theirs, which differs from it.
fn ours_counts(
    authority: Authority,
    before: Option<&str>,
    there: &str,
    first: bool,
    insist: bool,
) -> bool {
    let theirs_alone = before.is_some_and(|before| before == there);
    match authority {
        Authority::Ours => true,
        Authority::Ask => theirs_alone || insist || first,
        Authority::Theirs => theirs_alone,
    }
}

/// What stands there, if there is anything to compare. A task without a day has no moment.
fn readable(text: &str, shown: &Shown) -> Result<Entry, Odd> {
    match entry::read(text, &shown.time_zone()) {
        Err(Odd::NoStart) if shown.form == Form::Task => entry::without_start(text),
        read => read,
    }
}

/// What we want of a field, in a form that can be compared.
fn ours(field: &str, shown: &Shown) -> String {
    match field {
        "title" => shown.title.clone(),
        "start" => when(shown.start, shown.end),
        "room" => shown.room.clone(),
        "url" => shown.url.clone(),
        _ => shown.status.clone(),
    }
}

/// What stands there of a field, in the same form.
fn said(field: &str, entry: &Entry) -> String {
    match field {
        "title" => entry.title.clone(),
        "start" => when(entry.start_if_any(), entry.end),
        "room" => entry.room.clone(),
        "url" => entry.url.clone(),
        _ => entry.state.clone(),
    }
}

fn when(start: Option<Civil>, end: Option<Civil>) -> String {
    let text = |civil: Option<Civil>| civil.map(|civil| civil.to_string()).unwrap_or_default();
    format!("{}/{}", text(start), text(end))
}

fn put(lines: &mut Lines, component: &mut Component, field: &str, shown: &Shown) {
    match field {
        "title" => lines.set(
            component,
            "SUMMARY",
            &[],
            &["ALTREP"],
            &escaped(&shown.title),
        ),
        "start" => moments(lines, component, shown),
        "room" if shown.room.is_empty() => lines.remove(component, "LOCATION"),
        "room" => lines.set(
            component,
            "LOCATION",
            &[],
            &["ALTREP"],
            &escaped(&shown.room),
        ),
        "url" if shown.url.is_empty() => lines.remove(component, "URL"),
        "url" => lines.set(component, "URL", &[], &[], &shown.url),
        _ => {
            lines.set(component, "STATUS", &[], &[], &shown.status);
            // What is to be done again was not done on a day.
            if shown.form == Form::Task && shown.status != "COMPLETED" {
                lines.remove(component, "COMPLETED");
                let whole = lines.get(*component, "PERCENT-COMPLETE");
                if whole.is_some_and(|line| line.value().trim() == "100") {
                    lines.remove(component, "PERCENT-COMPLETE");
                }
            }
        }
    }
}

fn moments(lines: &mut Lines, component: &mut Component, shown: &Shown) {
    let (begin, finish) = match shown.form {
        Form::Event => ("DTSTART", "DTEND"),
        Form::Task => ("DUE", "DTEND"),
    };
    let Some(start) = shown.start else {
        return lines.remove(component, begin);
    };
    let moved = crate::ical::repeat::Move::of(lines, *component, start, &shown.time_zone());
    let zone_name = zone_name(lines, component, shown, start);
    // An end may stand as a duration: it says the same, or makes way.
    if shown.form == Form::Event {
        lines.remove(component, "DURATION");
    }
    moment(lines, component, begin, start, &zone_name);
    match shown.end {
        // The end of whole days is exclusive: the morning after.
        Some(Civil::Day(last)) => {
            let after = last.tomorrow().unwrap_or(last);
            moment(lines, component, finish, Civil::Day(after), &zone_name);
        }
        Some(end) => moment(lines, component, finish, end, &zone_name),
        None => lines.remove(component, finish),
    }
    if let Some(moved) = moved {
        moved.follow(lines, component);
    }
}

/// What our zone is called in this text: as it stands there, else by its own name, with its rules.
fn zone_name(lines: &mut Lines, component: &mut Component, shown: &Shown, start: Civil) -> String {
    let Civil::Minute(at) = start else {
        return shown.zone.clone();
    };
    let there = lines
        .components("VTIMEZONE")
        .into_iter()
        .filter_map(|zone| lines.get(zone, "TZID"))
        .any(|name| name.value().trim() == shown.zone);
    if !there {
        let around = shown.time_zone().to_ambiguous_timestamp(at).compatible();
        let rules = zone::component(
            &shown.zone,
            &shown.time_zone(),
            around.unwrap_or(Timestamp::UNIX_EPOCH),
        );
        lines.prepend(component, &rules);
    }
    shown.zone.clone()
}

fn moment(lines: &mut Lines, component: &mut Component, name: &str, at: Civil, zone: &str) {
    match at {
        Civil::Day(day) => {
            let value = day.strftime("%Y%m%d").to_string();
            lines.set(component, name, &[("VALUE", "DATE")], &["TZID"], &value);
        }
        Civil::Minute(at) => {
            let value = at.strftime("%Y%m%dT%H%M00").to_string();
            lines.set(component, name, &[("TZID", zone)], &["VALUE"], &value);
        }
    }
}

/// Our categories beside those of members, who win: what they took away stays away.
fn categories(lines: &mut Lines, component: &mut Component, shown: &Shown, before: Before<'_>) {
    let there: Vec<String> = lines
        .all(*component, "CATEGORIES")
        .flat_map(|line| list(line.value()))
        .collect();
    let wanted: Vec<String> = shown.categories.iter().map(|one| digest(one)).collect();
    let base: &[String] = match before {
        Before::Standing(Some(base), _) => base.categories(),
        _ => &[],
    };
    if matches!(before, Before::Standing(..)) && wanted == base {
        return;
    }
    let stands = |one: &str| there.iter().any(|there| there == one);
    let removed = |one: &str| base.contains(&digest(one)) && !stands(one);
    let mut all: Vec<&str> = shown
        .categories
        .iter()
        .map(String::as_str)
        .filter(|one| !removed(one))
        .collect();
    let theirs = there
        .iter()
        .filter(|one| !base.contains(&digest(one)) && !shown.categories.contains(one));
    all.extend(theirs.map(String::as_str));
    if all.iter().copied().eq(there.iter().map(String::as_str)) {
        return;
    }
    if all.is_empty() {
        return lines.remove(component, "CATEGORIES");
    }
    let value: Vec<String> = all.into_iter().map(escaped).collect();
    lines.set(component, "CATEGORIES", &[], &[], &value.join(","));
}

/// What is written where it is asked for, and never taken away.
fn rest(lines: &mut Lines, component: &mut Component, shown: &Shown) {
    if let Some((name, mail)) = &shown.organiser {
        let quoted = format!("\"{}\"", name.replace(['"', '\\'], "'"));
        // The server is to send no invitations.
        let mut parameters = vec![("SCHEDULE-AGENT", "CLIENT")];
        if !name.is_empty() {
            parameters.push(("CN", &quoted));
        }
        let value = format!("mailto:{mail}");
        // The name of who ran it before is nobody's any more.
        lines.set(component, "ORGANIZER", &parameters, &["CN"], &value);
    }
    if let Some(priority) = shown.priority {
        lines.set(component, "PRIORITY", &[], &[], &priority.to_string());
    }
    if let Some(parent) = &shown.parent {
        let stands = lines
            .all(*component, "RELATED-TO")
            .any(|line| line.value() == parent);
        if !stands {
            lines.set(component, "RELATED-TO", &[], &[], parent);
        }
    }
}

fn stamp(lines: &mut Lines, component: &mut Component, now: Timestamp, moved: bool) {
    let now = utc(now);
    lines.set(component, "DTSTAMP", &[], &[], &now);
    lines.set(component, "LAST-MODIFIED", &[], &[], &now);
    let sequence = lines
        .get(*component, "SEQUENCE")
        .and_then(|line| line.value().trim().parse::<u32>().ok());
    let next = match sequence {
        Some(sequence) if moved => sequence.saturating_add(1),
        Some(_) => return,
        None => u32::from(moved),
    };
    lines.set(component, "SEQUENCE", &[], &[], &next.to_string());
}

fn utc(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests;
