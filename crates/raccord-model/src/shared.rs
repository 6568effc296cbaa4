//! What a place offers to the others of its network: the form of `shared.json`, which one place
//! writes and another reads. `schemas/shared/v1.json` tells it to other programs.
//!
//! Only what a passer-by may know of an activity is in it: no contact, no organiser, no credits,
//! nothing its source knows beyond the shared fields, and nothing a third place offered.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Activity, Civil, EntityId, Status};

/// What `format` says.
pub const SHARED_FORMAT: &str = "raccord-shared-1";

/// All that a place offers. `A` is an activity; a reader that must not stop at one it does not
/// understand takes them as plain values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SharedFeed<A = SharedActivity> {
    /// [`SHARED_FORMAT`].
    pub format: String,
    /// Who offers it.
    pub place: SharingPlace,
    /// When it last changed.
    pub generated: Timestamp,
    /// Said where nothing is offered any more, on purpose: an empty list alone is a doubt.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shares_nothing: bool,
    /// What is offered, by start.
    pub activities: Vec<A>,
}

/// The place that offers something, as it calls itself. Readers show the name they know it by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharingPlace {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Its site.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub url: String,
}

/// An activity that is offered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SharedActivity {
    /// Its id there: the same as long as it is the same activity.
    pub id: EntityId,
    /// What it is called.
    pub title: String,
    /// The kind of activity, in that place's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// When it starts.
    pub start: Civil,
    /// When it ends; for whole days the last day, inclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Civil>,
    /// The IANA name of the zone `start` and `end` are in.
    pub zone: String,
    /// Whether it takes whole days.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all_day: bool,
    /// Where it takes place, as that place calls it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub room: String,
    /// What it is about, plain text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Whether it takes place. What does not is not offered.
    #[serde(default)]
    pub status: Status,
    /// Free labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Its own page.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// When it last changed.
    pub updated: Timestamp,
}

impl SharedActivity {
    /// What others may be offered of `activity`, which has its page at `url`. `None` where it is not
    /// ours, not public, a draft or cancelled.
    pub fn of(activity: &Activity, url: String, updated: Timestamp) -> Option<Self> {
        let offered =
            activity.is_public() && !activity.is_foreign() && activity.status != Status::Cancelled;
        offered.then(|| Self {
            id: activity.id,
            title: activity.title.clone(),
            kind: activity.kind.clone(),
            start: activity.start,
            end: activity.end,
            zone: activity.zone.clone(),
            all_day: activity.all_day,
            room: activity.room.clone(),
            description: activity.description.clone(),
            status: activity.status,
            tags: activity.tags.clone(),
            url,
            updated,
        })
    }
}
