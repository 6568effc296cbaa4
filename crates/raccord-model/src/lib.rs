//! The words of Raccord: entities, events, envelope, readings, effects and their schemas.
//!
//! Every other crate speaks in these types. This one does no I/O, reads no clock and draws no
//! random number; it also takes no decision: that is the engine's.

mod activity;
mod call;
mod difference;
mod effect;
mod entity;
mod envelope;
mod event;
mod hands;
mod id;
mod movement;
mod offered;
mod reading;
mod rules;
mod saying;
mod schema;
mod shared;
mod trace;
mod undated;
mod words;

pub use activity::{Activity, Civil, Series, Status, Visibility, over_at};
pub use call::Call;
pub use difference::Difference;
pub use effect::{
    Action, Applied, Blame, Class, Context, Desired, Failure, Found, Handling, Hands, Item, Link,
    Manifest, Mode, NO_SUCH_ADDRESS, Notice, Outcome, Payload, Period, Policy, Readers, Render,
    Rendered, Subject, Work,
};
pub use entity::{
    Entity, EntityKind, Fields, ORIGIN, PERSONAL, Slot, canonical, digest_of, slot_of, slot_value,
};
pub use envelope::{Envelope, EnvelopeError};
pub use event::{Cause, Event, Verb};
pub use hands::hands_missing;
pub use id::{
    ConnectorName, DeliveryId, Digest, EntityId, EventId, HoldId, NameError, PlaceId, derive,
};
pub use movement::Movement;
pub use offered::Offered;
pub use reading::{
    Change, Edit, Line, Observation, Reading, Remark, Standing, Tab, Unread, column_letters,
};
pub use rules::{
    Authority, Crediting, Guards, Place, Recipe, Route, Rules, SinkRule, SourceRule, TaskTemplate,
    Validation, When, fold_word, usual_authority,
};
pub use saying::{ABOUT, Deed, Hour, Roundup, RoundupOf, Saying, TAKEN_AWAY, TOLD, Way, told_of};
pub use schema::{Fault, Schemas};
pub use shared::{SHARED_FORMAT, SharedActivity, SharedFeed, SharingPlace};
pub use trace::Trace;
pub use undated::{UNDATED, Undated};
pub use words::{Lang, Words};
