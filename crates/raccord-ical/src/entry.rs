//! What an entry says, whoever wrote it: read with `calcard`, which takes nearly anything.
//!
//! Moments come out as civil ones in the zone that is asked for. A TZID that nobody knows is the zone
//! the entry describes, where it does so plainly; it is never guessed: else such an entry cannot be
//! read, and says so.

use std::collections::{BTreeMap, BTreeSet};

use calcard::common::timezone::Tz;
use calcard::common::{IanaString as _, PartialDateTime};
use calcard::icalendar::dates::TimeOrDelta;
use calcard::icalendar::timezone::TzResolver;
use calcard::icalendar::{
    ICalendar, ICalendarClassification, ICalendarComponent, ICalendarComponentType, ICalendarEntry,
    ICalendarProperty, ICalendarStatus, ICalendarValue,
};
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use raccord_look::clean;
use raccord_model::{Civil, Status};

use super::{custom, local};

/// How many occurrences of one entry are looked at, from its first one on.
const EXPANDED: usize = 5_000;
/// How many of them are handed on.
const LISTED: usize = 400;
/// How many zones that nobody knows by name an entry may have: programs write one or two.
const SOUGHT: usize = 20;
/// A rule that repeats more often than daily is no programme.
const LONGEST: usize = 1_000_000;

/// An entry of a calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four things an entry is or is not, each by itself"
)]
pub struct Entry {
    /// Its UID.
    pub uid: String,
    /// SUMMARY.
    pub title: String,
    /// DTSTART, or DUE of a task.
    pub start: Civil,
    /// There is none: a task without a day.
    pub timeless: bool,
    /// DTEND or DURATION; of whole days the last one.
    pub end: Option<Civil>,
    /// LOCATION.
    pub room: String,
    /// DESCRIPTION.
    pub description: String,
    /// URL.
    pub url: String,
    /// STATUS, as activities have it.
    pub status: Status,
    /// STATUS, as it is written; CONFIRMED where it is not.
    pub state: String,
    /// CATEGORIES.
    pub categories: Vec<String>,
    /// CLASS says that it is nobody else's business.
    pub private: bool,
    /// It repeats.
    pub repeats: bool,
    /// It is a task.
    pub task: bool,
}

/// Why an entry cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Odd {
    /// It is no calendar, or holds no event.
    NoEvent,
    /// It has no moment.
    NoStart,
    /// Its zone is not known.
    Zone(String),
}

/// Takes a text for an entry; `zone` is what its moments are told in.
///
/// # Errors
/// When it is none.
pub fn read(text: &str, zone: &TimeZone) -> Result<Entry, Odd> {
    let calendar = parse(text)?;
    let master = master(&calendar).ok_or(Odd::NoEvent)?;
    of((&calendar, text), master, zone)
}

/// The entry, or the occurrences of one that repeats which end after `from` and begin before
/// `until`: each with the moment that tells it from the others.
///
/// # Errors
/// When it is none.
pub fn occurrences(
    text: &str,
    zone: &TimeZone,
    from: Date,
    until: Date,
) -> Result<Vec<(Option<Civil>, Entry)>, Odd> {
    let mut calendar = parse(text)?;
    let first = master(&calendar).ok_or(Odd::NoEvent)?;
    let entry = of((&calendar, text), first, zone)?;
    let changed = calendar
        .components
        .iter()
        .any(|component| is_event(component) && component.is_recurrence_override());
    if !entry.repeats && !changed {
        return Ok(vec![(None, entry)]);
    }
    let zones = zones(&calendar, text)?;
    let events = calendar.components.iter().filter(|one| is_event(one));
    let mut starts =
        events.filter_map(|event| event.property(&ICalendarProperty::Dtstart)?.tz_id());
    if let Some(unknown) = starts.find(|name| !zones.contains_key(*name)) {
        return Err(Odd::Zone(clean::line(unknown, 100)));
    }
    let start = first.property(&ICalendarProperty::Dtstart);
    let name = start.and_then(ICalendarEntry::tz_id).map(str::to_owned);
    let utc = name.is_none() && start.is_some_and(is_utc);
    let home = local::Home {
        zone: match &name {
            Some(name) => zones[name].clone(),
            None if utc => TimeZone::UTC,
            None => zone.clone(),
        },
        name,
        utc,
        hours: entry.start.time().is_some(),
    };
    local::settle(&mut calendar, &home, &zones);
    Ok(expand(&calendar, &entry, (zone, &zones), from, until))
}

/// The zones an entry tells its moments in, by their names; those that nobody knows are left out.
pub(super) type Zones = BTreeMap<String, TimeZone>;

fn zones(calendar: &ICalendar, text: &str) -> Result<Zones, Odd> {
    let known = calendar.build_tz_resolver();
    let events = calendar.components.iter().filter(|one| is_event(one));
    let names = events
        .flat_map(|event| &event.entries)
        .filter_map(ICalendarEntry::tz_id);
    let names: BTreeSet<&str> = names.collect();
    let mut zones = Zones::new();
    let mut sought = 0;
    for name in names {
        let mut zone = by_name(name, &known);
        if zone.is_none() {
            // Each search reads the whole entry.
            sought += 1;
            if sought > SOUGHT {
                return Err(Odd::Zone(clean::line(name, 100)));
            }
            zone = described(name, &known, text);
        }
        zones.extend(zone.map(|zone| (name.to_owned(), zone)));
    }
    Ok(zones)
}

/// The zone a TZID stands for: one that is known, else as it is described.
fn own_zone(name: &str, known: &TzResolver<&str>, text: &str) -> Option<TimeZone> {
    by_name(name, known).or_else(|| described(name, known, text))
}

/// The zone that the entry describes, else what its name says of itself (`UTC-02`).
fn described(name: &str, known: &TzResolver<&str>, text: &str) -> Option<TimeZone> {
    let plain = || name.bytes().all(|b| b"UTCGMT+-:0123456789".contains(&b));
    custom::zone(text, name).or_else(|| known.resolve(name).filter(|_| plain()).and_then(zone_of))
}

fn is_utc(entry: &ICalendarEntry) -> bool {
    matches!(entry.values.first(), Some(ICalendarValue::PartialDateTime(at)) if at.tz_hour.is_some())
}

/// Takes a task for an entry that has no moment.
///
/// # Errors
/// When it is none.
pub fn without_start(text: &str) -> Result<Entry, Odd> {
    let calendar = parse(text)?;
    let task = master(&calendar).ok_or(Odd::NoEvent)?;
    let day = Civil::Day(Date::default());
    Ok(Entry {
        timeless: true,
        ..said(task, day, None)
    })
}

impl Entry {
    /// Its moment, if it has one.
    pub fn start_if_any(&self) -> Option<Civil> {
        (!self.timeless).then_some(self.start)
    }
}

fn parse(text: &str) -> Result<ICalendar, Odd> {
    if text.len() > LONGEST {
        return Err(Odd::NoEvent);
    }
    ICalendar::parse(text).map_err(|_| Odd::NoEvent)
}

pub(super) fn is_event(component: &ICalendarComponent) -> bool {
    matches!(
        component.component_type,
        ICalendarComponentType::VEvent | ICalendarComponentType::VTodo
    )
}

fn master(calendar: &ICalendar) -> Option<&ICalendarComponent> {
    let mut events = calendar.components.iter().filter(|one| is_event(one));
    let first = events.clone().next();
    events
        .find(|event| !event.is_recurrence_override())
        .or(first)
}

fn of(
    (calendar, text): (&ICalendar, &str),
    component: &ICalendarComponent,
    zone: &TimeZone,
) -> Result<Entry, Odd> {
    let zones = calendar.build_tz_resolver();
    let moment = |property: &ICalendarProperty| -> Result<Option<Civil>, Odd> {
        component
            .property(property)
            .map(|entry| moment(entry, (&zones, text), zone))
            .transpose()
            .map(Option::flatten)
    };
    let start = match moment(&ICalendarProperty::Dtstart)? {
        Some(start) => start,
        None => moment(&ICalendarProperty::Due)?.ok_or(Odd::NoStart)?,
    };
    let end = match moment(&ICalendarProperty::Dtend)? {
        // The end of whole days is exclusive.
        Some(Civil::Day(after)) => after.yesterday().ok().map(Civil::Day),
        Some(end) => Some(end),
        None => duration(component).and_then(|lasts| match start {
            Civil::Minute(at) => at.checked_add(lasts).ok().map(Civil::Minute),
            Civil::Day(day) => {
                let days = lasts.as_hours() / 24;
                let last = day.checked_add((days - 1).max(0).days()).ok()?;
                Some(Civil::Day(last))
            }
        }),
    };
    Ok(said(component, start, end))
}

/// Everything but the moments.
fn said(component: &ICalendarComponent, start: Civil, end: Option<Civil>) -> Entry {
    let text = |property: &ICalendarProperty| {
        let value = component.property(property)?.values.first()?;
        value.as_text().map(str::to_owned)
    };
    let prose = |property| clean::prose(&text(property).unwrap_or_default(), 20_000).0;
    let status = match component.status() {
        Some(ICalendarStatus::Cancelled) => Status::Cancelled,
        Some(ICalendarStatus::Tentative) => Status::Tentative,
        _ => Status::Confirmed,
    };
    let state = match component.status() {
        Some(status) => status.as_str(),
        None if component.component_type == ICalendarComponentType::VTodo => "NEEDS-ACTION",
        None => "CONFIRMED",
    };
    let url = match component
        .property(&ICalendarProperty::Url)
        .and_then(|url| url.values.first())
    {
        Some(ICalendarValue::Uri(uri)) => uri.as_str().unwrap_or_default().to_owned(),
        Some(value) => value.as_text().unwrap_or_default().to_owned(),
        None => String::new(),
    };
    let categories = component
        .properties(&ICalendarProperty::Categories)
        .flat_map(|entry| &entry.values)
        .filter_map(|value| value.as_text())
        .map(|text| clean::line(text, 100))
        .filter(|text| !text.is_empty())
        .take(50)
        .collect();
    Entry {
        uid: component.uid().unwrap_or_default().to_owned(),
        title: clean::line(
            &text(&ICalendarProperty::Summary).unwrap_or_default(),
            1_000,
        ),
        end: end.filter(|end| after(start, *end)),
        start,
        room: clean::line(
            &text(&ICalendarProperty::Location).unwrap_or_default(),
            1_000,
        ),
        description: prose(&ICalendarProperty::Description),
        url: clean::address(&url).unwrap_or_default().to_owned(),
        status,
        state: state.to_owned(),
        categories,
        private: component
            .property(&ICalendarProperty::Class)
            .and_then(|class| class.values.first())
            .is_some_and(|value| {
                !matches!(
                    value,
                    ICalendarValue::Classification(ICalendarClassification::Public)
                )
            }),
        repeats: component.is_recurrent(),
        task: component.component_type == ICalendarComponentType::VTodo,
        timeless: false,
    }
}

/// Whether an end says more than its start.
fn after(start: Civil, end: Civil) -> bool {
    match (start, end) {
        (Civil::Minute(start), Civil::Minute(end)) => end > start,
        (Civil::Day(start), Civil::Day(end)) => end > start,
        _ => false,
    }
}

fn duration(component: &ICalendarComponent) -> Option<SignedDuration> {
    let entry = component.property(&ICalendarProperty::Duration)?;
    match entry.values.first()? {
        ICalendarValue::Duration(lasts) if !lasts.neg => {
            let days = i64::from(lasts.weeks) * 7 + i64::from(lasts.days);
            let seconds = days * 86_400
                + i64::from(lasts.hours) * 3_600
                + i64::from(lasts.minutes) * 60
                + i64::from(lasts.seconds);
            (seconds <= 400 * 86_400).then(|| SignedDuration::from_secs(seconds))
        }
        _ => None,
    }
}

/// A moment in `zone`; nothing where the property holds none.
fn moment(
    entry: &ICalendarEntry,
    (zones, text): (&TzResolver<&str>, &str),
    zone: &TimeZone,
) -> Result<Option<Civil>, Odd> {
    let Some(ICalendarValue::PartialDateTime(at)) = entry.values.first() else {
        return Ok(None);
    };
    let Some(civil) = civil(at) else {
        return Ok(None);
    };
    let Civil::Minute(at_minute) = civil else {
        return Ok(Some(civil));
    };
    if at.tz_hour.is_some() {
        let utc = TimeZone::UTC.to_ambiguous_timestamp(at_minute).compatible();
        return Ok(utc.ok().map(|utc| told(utc, zone)));
    }
    // Without a zone it is whatever o'clock it says, here.
    let Some(name) = entry.tz_id() else {
        return Ok(Some(civil));
    };
    let own = own_zone(name, zones, text).ok_or_else(|| Odd::Zone(clean::line(name, 100)))?;
    // The hour that a change of the clock leaves out, or brings twice, stays what was written.
    if own == *zone {
        return Ok(Some(civil));
    }
    let instant = own.to_ambiguous_timestamp(at_minute).compatible();
    Ok(instant.ok().map(|instant| told(instant, zone)))
}

/// The zone a TZID stands for: by the zone database, by Windows' names, by the place a VTIMEZONE
/// says it is about, or by the last two parts of a path.
fn by_name(name: &str, zones: &TzResolver<&str>) -> Option<TimeZone> {
    let by_database = |name: &str| TimeZone::get(name).ok();
    if let Some(zone) = by_database(name) {
        return Some(zone);
    }
    // An offset in a name ("(UTC+01:00) Paris") is that of the winter only.
    let named = zones.resolve(name).filter(|zone| {
        let offset = |name: &str| name.starts_with("Etc/");
        matches!(zone, Tz::Tz(_)) && !zone.name().is_none_or(|name| offset(&name))
    });
    if let Some(zone) = named.and_then(zone_of) {
        return Some(zone);
    }
    let mut parts = name.rsplit('/');
    let (city, region) = (parts.next()?, parts.next()?);
    by_database(&format!("{region}/{city}"))
}

fn zone_of(zone: Tz) -> Option<TimeZone> {
    match zone {
        Tz::Floating => None,
        Tz::Fixed(offset) => jiff::tz::Offset::from_seconds(offset.local_minus_utc())
            .ok()
            .map(TimeZone::fixed),
        named @ Tz::Tz(_) => TimeZone::get(&named.name()?).ok(),
    }
}

fn told(at: Timestamp, zone: &TimeZone) -> Civil {
    minute(zone.to_datetime(at))
}

/// A moment without its seconds: nobody plans with them.
fn minute(at: DateTime) -> Civil {
    let time = Time::new(at.hour(), at.minute(), 0, 0).unwrap_or_default();
    Civil::Minute(at.date().to_datetime(time))
}

pub(super) fn civil(at: &PartialDateTime) -> Option<Civil> {
    let small = |value: Option<u8>| value.and_then(|value| i8::try_from(value).ok());
    let year = i16::try_from(at.year?).ok()?;
    let date = Date::new(year, small(at.month)?, small(at.day)?).ok()?;
    let Some(hour) = small(at.hour) else {
        return Some(Civil::Day(date));
    };
    let time = Time::new(hour, small(at.minute).unwrap_or(0), 0, 0).ok()?;
    Some(Civil::Minute(date.to_datetime(time)))
}

fn expand(
    calendar: &ICalendar,
    entry: &Entry,
    (zone, zones): (&TimeZone, &Zones),
    from: Date,
    until: Date,
) -> Vec<(Option<Civil>, Entry)> {
    let mut found = Vec::new();
    if too_often(calendar) {
        return found;
    }
    let whole = matches!(entry.start, Civil::Day(_));
    for event in calendar.expand_dates(Tz::Floating, EXPANDED).events {
        let Some(component) = calendar.component_by_id(event.comp_id) else {
            continue;
        };
        let naive = event.start.naive_local().and_utc().timestamp();
        let Ok(local) = Timestamp::from_second(naive) else {
            continue;
        };
        let local = TimeZone::UTC.to_datetime(local);
        // The reader follows rules by the wall's clock; whose wall that is stands in the entry.
        let begins = component.property(&ICalendarProperty::Dtstart);
        let begins = begins.or_else(|| component.property(&ICalendarProperty::Due));
        let own = match begins {
            Some(begins) if is_utc(begins) => Some(&TimeZone::UTC),
            Some(begins) => begins.tz_id().and_then(|name| zones.get(name)),
            None => None,
        };
        let start = match own {
            _ if whole => Civil::Day(local.date()),
            // The hour that a change of the clock leaves out, or brings twice, stays as written.
            Some(own) if own != zone => match own.to_ambiguous_timestamp(local).compatible() {
                Ok(at) => told(at, zone),
                Err(_) => continue,
            },
            _ => minute(local),
        };
        let seconds = match event.end {
            TimeOrDelta::Delta(lasts) => lasts.num_seconds(),
            TimeOrDelta::Time(end) => end.timestamp() - event.start.timestamp(),
        };
        let end = match start {
            Civil::Minute(at) => at
                .checked_add(SignedDuration::from_secs(seconds.clamp(0, 400 * 86_400)))
                .ok()
                .map(Civil::Minute),
            Civil::Day(day) => {
                let days = (seconds / 86_400 - 1).clamp(0, 400);
                day.checked_add(days.days()).ok().map(Civil::Day)
            }
        };
        // What has no end of its own is given one by the reader: it is not the member's.
        let ends = component.has_property(&ICalendarProperty::Dtend)
            || component.has_property(&ICalendarProperty::Duration);
        let end = end.filter(|end| ends && after(start, *end));
        let last = end.map_or(start.date(), Civil::date);
        if last < from || start.date() >= until || found.len() == LISTED {
            continue;
        }
        found.push((
            Some(start),
            Entry {
                repeats: true,
                ..said(component, start, end)
            },
        ));
    }
    found.sort_by_key(|(start, _)| *start);
    found.dedup_by_key(|(start, _)| *start);
    found
}

/// Whether a rule repeats by the hour or quicker: nobody plans that, and it has no end.
fn too_often(calendar: &ICalendar) -> bool {
    use calcard::icalendar::ICalendarFrequency as Every;
    let rules = calendar
        .components
        .iter()
        .flat_map(|component| component.properties(&ICalendarProperty::Rrule))
        .flat_map(|entry| &entry.values);
    rules.into_iter().any(|value| match value {
        ICalendarValue::RecurrenceRule(rule) => {
            matches!(rule.freq, Every::Hourly | Every::Minutely | Every::Secondly)
        }
        _ => false,
    })
}
