//! What is worth a short message, and when: a telephone rings, and somebody pays for it.
//!
//! Whether one comes at all is said at once: a place found or lost, called off, or on again. When
//! and where it is waits until two days before it begins, and is said then as it is. What somebody
//! did themselves they know.

use jiff::civil::{DateTime, Time};
use jiff::{SignedDuration, Timestamp};
use raccord_model::{Civil, Fields};
use serde_json::Value;

use crate::deciding::Deciding;
use crate::roll::Commitment;

/// What begins within this is urgent.
const SOON: SignedDuration = SignedDuration::from_hours(48);
/// Before this hour, and from the other on, nobody is woken ...
const MORNING: Time = Time::constant(8, 0, 0, 0);
const NIGHT: Time = Time::constant(21, 0, 0, 0);
/// ... unless it begins earlier than this after the morning.
const DRESSED: SignedDuration = SignedDuration::from_hours(2);

fn text<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Whether a sign-up stands as it does by what the person did: they signed up, or off.
pub(crate) fn is_own_deed(before: Option<&Fields>, now: &Fields) -> bool {
    let cancelled = Commitment::Cancelled.as_str();
    let off = |fields: &Fields| text(fields, "state") == cancelled;
    before.is_none_or(|before| off(before) || off(now))
}

impl Deciding<'_> {
    /// The first moment at which it may be said how a sign-up stands now, to whoever knows how it
    /// stood `before`; nothing where that is at once.
    pub(crate) fn urgent_from(&self, before: &Fields, now: &Fields) -> Option<Timestamp> {
        // Whoever would come at the old hour must know before that.
        let begins = [before, now].into_iter().filter_map(begin).min();
        let comes = |fields: &Fields| {
            let off = matches!(text(fields, "status"), "cancelled" | "draft");
            (text(fields, "state").to_owned(), off)
        };
        let first = match begins {
            Some(begins) if comes(before) == comes(now) => {
                let soon = self.instant(begins).saturating_sub(SOON);
                soon.unwrap_or(self.now).max(self.now)
            }
            _ => self.now,
        };
        let said = self.waking(first, begins.map(|begins| self.instant(begins)));
        (said > self.now).then_some(said)
    }

    /// `at`, or the next morning where that is at night and early enough.
    fn waking(&self, at: Timestamp, begins: Option<Timestamp>) -> Timestamp {
        let civil = self.civil(at);
        let morning = if civil.time() < MORNING {
            civil.date().to_datetime(MORNING)
        } else if civil.time() >= NIGHT {
            let tomorrow = civil.date().tomorrow().unwrap_or(civil.date());
            tomorrow.to_datetime(MORNING)
        } else {
            return at;
        };
        let morning = self.instant(morning);
        let late = morning.saturating_add(DRESSED).unwrap_or(morning);
        if begins.is_some_and(|begins| begins < late) {
            at
        } else {
            morning
        }
    }
}

/// When what a sign-up is for begins, as people are told of it.
fn begin(told: &Fields) -> Option<DateTime> {
    let read = |name: &str| text(told, name).parse::<Civil>().ok();
    let at = read("start").or_else(|| read("due"))?;
    Some(at.date().to_datetime(at.time().unwrap_or(Time::midnight())))
}
