//! What the site may know of an activity: the public part, and nothing else.
//!
//! Contacts are personal; what a source knows beyond the shared fields may be anything. Both are
//! dropped here, at the only door, so that no writer further on can show them by mistake.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use raccord_model::{Activity, Civil, Digest, Entity, Fields, Place, Status, digest_of};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::site::Site;
use crate::words::{self, Span};

/// A public activity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Item {
    /// How many times it was created or changed: gives the calendar its SEQUENCE.
    pub(crate) revision: u64,
    /// What everyone may know of it.
    pub(crate) activity: Activity,
}

impl Item {
    /// The public part of an entity; nothing for drafts, internal activities, and what is no
    /// activity.
    pub(crate) fn of(entity: &Entity, site: &Site) -> Option<Self> {
        let mut activity = Activity::of(entity).filter(Activity::is_public)?;
        activity.contact.clear();
        activity.extra = Fields::new();
        if activity.zone.is_empty() {
            activity.zone.clone_from(&site.place.zone);
        }
        // What another place offers is not ours to offer.
        let shared = !activity.is_foreign() && site.shares(entity, activity.shared);
        activity.shared = shared.then_some(true);
        Some(Self {
            revision: entity.revision,
            activity,
        })
    }

    /// Digest of all that is shown. The revision is not: a change that nobody can see (a contact)
    /// must not be an effect.
    pub(crate) fn digest(&self) -> Digest {
        match serde_json::to_value(&self.activity) {
            Ok(Value::Object(map)) => digest_of(&map.into_iter().collect()),
            _ => Digest::default(),
        }
    }

    /// The days or hours it takes.
    pub(crate) fn span(&self) -> Span {
        Span::of(&self.activity)
    }

    /// The day it begins.
    pub(crate) fn first(&self) -> Date {
        self.activity.start.date()
    }

    /// Whether it was over before `today` began.
    pub(crate) fn over_before(&self, today: Date) -> bool {
        self.activity.over_at() <= today.to_datetime(Time::midnight())
    }

    /// Whether it takes more than a day, or more than an evening and its night.
    pub(crate) fn lasts(&self) -> bool {
        match self.span() {
            Span::Days(first, last) => last > first,
            Span::Hours(start, Some(end)) => !words::same_evening(start, end),
            Span::Hours(_, None) => false,
        }
    }

    /// Whether the programme of `today` still names it: what was cancelled is struck through
    /// until the day it would have been over, then gone.
    pub(crate) fn listed(&self, today: Date) -> bool {
        self.activity.status != Status::Cancelled || !self.over_before(today)
    }

    /// Its zone and that zone's name: its own where it is known, else the place's.
    pub(crate) fn zone(&self, place: &Place) -> Option<(String, TimeZone)> {
        [&self.activity.zone, &place.zone]
            .into_iter()
            .filter(|name| plain_zone(name))
            .find_map(|name| Some((name.clone(), TimeZone::get(name).ok()?)))
    }

    /// A civil moment with its offset (`2027-01-02T18:30:00+04:00`), or the day alone.
    pub(crate) fn instant(&self, civil: Civil, place: &Place) -> String {
        match (civil, self.zone(place)) {
            (Civil::Minute(at), Some((_, zone))) if !self.activity.all_day => {
                zone.to_ambiguous_zoned(at).compatible().map_or_else(
                    |_| civil.to_string(),
                    |at| at.strftime("%FT%T%:z").to_string(),
                )
            }
            (civil, _) => civil.date().to_string(),
        }
    }
}

/// Names of the zone database only: no path, no POSIX rule.
fn plain_zone(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'-' | b'+'))
        && name.as_bytes()[0].is_ascii_alphabetic()
}
