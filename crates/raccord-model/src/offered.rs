//! What one can sign up for here, as a source is told that names it by its title.

use jiff::civil::{Date, DateTime};

use crate::{EntityId, EntityKind};

/// An activity that takes place, or a task that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// Its id.
    pub id: EntityId,
    /// An activity or a task.
    pub kind: EntityKind,
    /// What it is called.
    pub title: String,
    /// Of a task, the activity it belongs to.
    pub activity: Option<EntityId>,
    /// The day it begins; of a task, the day of its activity, else the one it is due.
    pub day: Option<Date>,
    /// When it is over, by the clock of the place.
    pub over: Option<DateTime>,
    /// The tool that counts its places: its word is a fact, and no other source gives one.
    pub keeper: Option<String>,
}
