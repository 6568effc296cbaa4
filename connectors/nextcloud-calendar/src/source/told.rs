//! Everything that is remembered, told as one reading: lines of other people, edits of ours.

use jiff::tz::TimeZone;
use raccord_model::{
    Digest, Edit, EntityId, EntityKind, Failure, Fields, Line, Observation, Reading, Tab,
};

use super::Cursor;
use super::lines::{row, unread};
use super::memory::{Held, Memory};
use crate::Calendars;
use crate::dav::discover::Calendar;
use crate::failure;
use crate::merge::{self, Base};

/// How many of our entries may be gone at once, if they are no more than a third.
const GONE: usize = 3;

impl Calendars {
    /// Everything that is remembered, as a reading.
    pub(super) fn reading(
        &self,
        calendars: &[Calendar],
        cursor: &Cursor,
    ) -> Result<Observation, Failure> {
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
