//! An activity, typed: what sinks that show a programme work with.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, DateTime, Time};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Entity, EntityId, Fields};

/// A civil moment people plan with: a day, or a day and a time. The zone stands beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Civil {
    /// A whole day, `2027-01-02`.
    Day(Date),
    /// A minute of a day, `2027-01-02T18:30`.
    Minute(DateTime),
}

impl Civil {
    /// The day.
    pub fn date(self) -> Date {
        match self {
            Self::Day(date) => date,
            Self::Minute(at) => at.date(),
        }
    }

    /// The time of day, if one is known.
    pub fn time(self) -> Option<Time> {
        match self {
            Self::Day(_) => None,
            Self::Minute(at) => Some(at.time()),
        }
    }
}

impl fmt::Display for Civil {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day(date) => date.fmt(f),
            Self::Minute(at) => {
                write!(f, "{}T{:02}:{:02}", at.date(), at.hour(), at.minute())
            }
        }
    }
}

impl FromStr for Civil {
    type Err = String;
    /// Reads `2027-01-02`, `2027-01-02T18:30` or `2027-01-02T18:30:00`; seconds other than 0 are
    /// refused, for nobody plans with them.
    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || format!("{text:?} is neither 2027-01-02 nor 2027-01-02T18:30");
        if !matches!(text.len(), 10 | 16 | 19) || !text.is_ascii() {
            return Err(refused());
        }
        let date: Date = text[..10].parse().map_err(|_| refused())?;
        if text.len() == 10 {
            return Ok(Self::Day(date));
        }
        if text.as_bytes()[10] != b'T' || text.len() == 19 && &text[16..] != ":00" {
            return Err(refused());
        }
        let digits = |range: std::ops::Range<usize>| {
            let part = &text[range];
            part.bytes()
                .all(|b| b.is_ascii_digit())
                .then(|| part.parse::<i8>().ok())
                .flatten()
        };
        let (Some(hour), Some(minute), b':') =
            (digits(11..13), digits(14..16), text.as_bytes()[13])
        else {
            return Err(refused());
        };
        let time = Time::new(hour, minute, 0, 0).map_err(|_| refused())?;
        Ok(Self::Minute(date.to_datetime(time)))
    }
}

impl Serialize for Civil {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for Civil {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(input)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Whether an activity takes place.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It takes place.
    #[default]
    Confirmed,
    /// It may take place.
    Tentative,
    /// It takes place and nobody more can come.
    Full,
    /// It does not take place.
    Cancelled,
    /// It cannot be shown yet: something about it must be answered first.
    Draft,
}

/// Who may see an activity.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Everyone.
    #[default]
    Public,
    /// Members.
    Internal,
}

/// What an occurrence belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series {
    /// The name of the series.
    pub id: String,
    /// The place of this occurrence in it, from 1.
    pub index: u32,
    /// How many occurrences the series has, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
}

/// An item of the programme (`interfaces.md`, JSON shapes). Credits are integer hundredths.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Activity {
    /// Its id.
    pub id: EntityId,
    /// What it is called.
    pub title: String,
    /// The kind of activity, in the place's own words ("Réunion").
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// When it starts.
    pub start: Civil,
    /// When it ends; for whole days the last day, inclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Civil>,
    /// The IANA name of the zone `start` and `end` are in.
    #[serde(default)]
    pub zone: String,
    /// Whether it takes whole days.
    #[serde(default)]
    pub all_day: bool,
    /// The room.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub room: String,
    /// Who runs it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub organiser: String,
    /// How to reach who runs it: personal, never public.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub contact: String,
    /// What it is about, plain text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Who may see it.
    #[serde(default)]
    pub visibility: Visibility,
    /// How many people can come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
    /// Volunteer credits for taking part, in hundredths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credits: Option<i64>,
    /// The address of its how-to.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub guide: String,
    /// Whether it takes place.
    #[serde(default)]
    pub status: Status,
    /// Free labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Its own page elsewhere.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// The page on which one signs up for it, where that is not ours.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub register: String,
    /// Whether it is offered to the other places of the network; where nothing is said, the
    /// settings decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared: Option<bool>,
    /// The name of the place that offers it, where it is not one of ours.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub origin: String,
    /// The address of that place's own site.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub origin_url: String,
    /// What it is an occurrence of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<Series>,
    /// What its source knows beyond the shared fields.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub extra: Fields,
}

impl Activity {
    /// The activity an entity's fields describe, or `None` where title or start cannot be read
    /// (a draft may lack its start).
    pub fn of(entity: &Entity) -> Option<Self> {
        let mut fields: serde_json::Map<String, Value> = entity
            .fields
            .iter()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        fields.insert("id".into(), Value::String(entity.id.to_string()));
        serde_json::from_value(Value::Object(fields)).ok()
    }

    /// The first civil minute after it is over.
    pub fn over_at(&self) -> DateTime {
        over_at(self.start, self.end)
    }

    /// Whether another place offers it: it is shown as theirs, or not at all.
    pub fn is_foreign(&self) -> bool {
        !self.origin.is_empty()
    }

    /// Whether everyone may see it as an item of the programme (drafts never).
    pub fn is_public(&self) -> bool {
        self.visibility == Visibility::Public && self.status != Status::Draft
    }
}

/// The first civil minute after something from `start` to `end` is over. Without an end, what
/// starts at a minute is taken to last two hours.
pub fn over_at(start: Civil, end: Option<Civil>) -> DateTime {
    let midnight_after = |date: Date| {
        date.tomorrow()
            .unwrap_or(date)
            .to_datetime(Time::midnight())
    };
    match (start, end) {
        (_, Some(Civil::Minute(end))) => end,
        (_, Some(Civil::Day(last))) => midnight_after(last),
        (Civil::Minute(start), None) => start
            .checked_add(jiff::SignedDuration::from_hours(2))
            .unwrap_or(start),
        (Civil::Day(day), None) => midnight_after(day),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn civil_moments_read_and_write_the_interface_form() {
        for text in ["2027-01-02", "2027-01-02T18:30"] {
            assert_eq!(text.parse::<Civil>().unwrap().to_string(), text);
        }
        assert_eq!(
            "2027-01-02T18:30:00".parse::<Civil>().unwrap().to_string(),
            "2027-01-02T18:30"
        );
        for wrong in [
            "",
            "2027-13-02",
            "2027-01-02T25:00",
            "2027-01-02 18:30",
            "2027-01-02T18:30:05",
            "2027-01-02T18:30Z",
            "2027-01-02T+1:30",
            "é027-01-0",
        ] {
            assert!(wrong.parse::<Civil>().is_err(), "{wrong}");
        }
    }
}
