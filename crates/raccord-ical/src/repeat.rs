//! An entry that a member made repeat, moved by us: the occurrences they took out or changed are
//! named by their moments, and these move along.

use jiff::SignedDuration;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use raccord_model::Civil;

use super::entry;
use super::lines::{Component, Lines};

/// How far a repeating entry moves.
#[derive(Clone, Copy, Debug)]
pub struct Move(SignedDuration);

impl Move {
    /// The move of `component` to `start`; nothing where it does not repeat, stays where it is, or
    /// turns from hours to whole days.
    pub fn of(lines: &Lines, component: Component, start: Civil, zone: &TimeZone) -> Option<Self> {
        lines.get(component, "RRULE")?;
        let before = entry::read(&lines.text(), zone).ok()?.start;
        let at = |civil: Civil| match civil {
            Civil::Day(day) => day.at(0, 0, 0, 0),
            Civil::Minute(at) => at,
        };
        if before.time().is_some() != start.time().is_some() || before == start {
            return None;
        }
        Some(Self(at(start).duration_since(at(before))))
    }

    /// Moves what names occurrences by their moment, in the entry and in those that were changed.
    pub fn follow(self, lines: &mut Lines, component: &mut Component) {
        lines.rewrite(*component, "EXDATE", |value| self.moved(value));
        for name in ["VEVENT", "VTODO"] {
            for changed in lines.components(name) {
                lines.rewrite(changed, "RECURRENCE-ID", |value| self.moved(value));
            }
        }
    }

    /// A list of moments, each moved; as it was where one cannot be read.
    fn moved(self, value: &str) -> Option<String> {
        let one = |text: &str| {
            let utc = text.strip_suffix('Z');
            let bare = utc.unwrap_or(text).trim();
            let (format, at): (_, DateTime) = match bare.len() {
                8 => {
                    let day = jiff::civil::Date::strptime("%Y%m%d", bare).ok()?;
                    ("%Y%m%d", day.at(0, 0, 0, 0))
                }
                _ => (
                    "%Y%m%dT%H%M%S",
                    DateTime::strptime("%Y%m%dT%H%M%S", bare).ok()?,
                ),
            };
            let end = if utc.is_some() { "Z" } else { "" };
            let at = at.checked_add(self.0).ok()?;
            Some(format!("{}{end}", at.strftime(format)))
        };
        let all: Option<Vec<String>> = value.split(',').map(one).collect();
        Some(all?.join(","))
    }
}
