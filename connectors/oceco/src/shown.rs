//! What an action should say: our tasks in OCECO's words. Pure.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use raccord_look::clean;
use raccord_look::instants::moments;
use raccord_model::{
    Activity, Context, Digest, Entity, EntityId, EntityKind, Lang, Status, Visibility,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::action::Action;

/// What the tags of ours begin with.
pub(crate) const MARK: &str = "raccord:";
/// The most characters of a name.
const NAME: usize = 190;
/// The most characters of a description.
const PROSE: usize = 10_000;
/// Without an end, an action is taken to last so long: OCECO wants both, or none.
const USUAL: jiff::SignedDuration = jiff::SignedDuration::from_hours(2);
/// A credit of ours is a hundred; OCECO counts whole ones.
const WHOLE: u64 = 100;
/// The most credits of an action.
const MOST_CREDITS: u64 = 10_000;

/// An action as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shown {
    /// What it stands for.
    pub(crate) entity: EntityId,
    pub(crate) name: String,
    /// From when to when: that of its activity. None for a task on its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) times: Option<(Timestamp, Timestamp)>,
    /// What it takes, plain.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    least: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    most: Option<u64>,
    /// Whole credits, one at least: OCECO writes no row of its log for none.
    credits: u64,
}

impl Shown {
    /// What is to be seen of a task; nothing where it is not for OCECO.
    pub(crate) fn task(
        entity: &Entity,
        parent: Option<&Entity>,
        context: &Context<'_>,
    ) -> Option<Self> {
        // Only a route may send internal ones where every member sees them.
        let routed = context.route.is_some();
        let internal = entity.text("visibility") == "internal";
        if internal && !routed || matches!(entity.text("state"), "cancelled" | "done") {
            return None;
        }
        let title = clean::line(entity.text("title"), NAME);
        let activity = parent.filter(|parent| parent.kind == EntityKind::Activity);
        let activity = activity.map(|parent| Activity::of(parent).ok_or(()));
        let activity = activity.transpose().ok()?;
        let mut name = title;
        let mut times = None;
        if let Some(activity) = &activity {
            let hidden = activity.visibility == Visibility::Internal && !routed;
            let off = matches!(activity.status, Status::Draft | Status::Cancelled);
            if hidden || off || activity.is_foreign() {
                return None;
            }
            // A list of actions shows nothing but their names.
            name = clean::line(&format!("{name} – {}", activity.title), NAME);
            let (start, end) = moments(activity, &context.place.zone)?;
            let end = end.or_else(|| start.checked_add(USUAL).ok())?;
            times = Some((start, end));
        }
        if name.is_empty() {
            return None;
        }
        let number = |field: &str| entity.fields.get(field)?.as_u64().filter(|most| *most > 0);
        let guide = clean::address(entity.text("guide")).map(|guide| match context.lang {
            Lang::Fr => format!("Mode d’emploi\u{a0}: {guide}"),
            Lang::En => format!("How to: {guide}"),
        });
        let parts = [
            clean::prose(entity.text("description"), PROSE).0,
            guide.unwrap_or_default(),
        ];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let credits = number("credits").unwrap_or(WHOLE);
        Some(Self {
            entity: entity.id,
            name,
            times,
            text: parts.join("\n\n"),
            least: number("minimum"),
            most: number("capacity"),
            credits: (credits.saturating_add(WHOLE / 2) / WHOLE).clamp(1, MOST_CREDITS),
        })
    }

    /// The digest of all that makes a difference.
    pub(crate) fn hash(&self) -> Digest {
        Digest::of(&serde_json::to_vec(self).unwrap_or_default())
    }

    /// What OCECO is asked to make.
    pub(crate) fn body(&self) -> Value {
        let mut body = json!({
            "name": self.name,
            "credits": self.credits,
            "tags": [mark(self.entity)],
        });
        if !self.text.is_empty() {
            body["description"] = json!(self.text);
        }
        if let Some((start, end)) = self.times {
            body["startDate"] = json!(start.to_string());
            body["endDate"] = json!(end.to_string());
        }
        for (key, value) in [("min", self.least), ("max", self.most)] {
            if let Some(value) = value {
                body[key] = json!(value);
            }
        }
        body
    }

    /// Whether an action shows what it should, whoever wrote it.
    pub(crate) fn is(&self, action: &Action) -> bool {
        let number = |ours: Option<u64>, theirs: Option<i64>| {
            ours.and_then(|ours| i64::try_from(ours).ok()) == theirs.filter(|number| *number != 0)
        };
        let text = action.description.as_deref().unwrap_or_default();
        words(&action.name) == words(&self.name)
            && words(text) == words(&self.text)
            && action.start_date.zip(action.end_date) == self.times
            && number(self.least, action.min)
            && number(self.most, action.max)
            && number(Some(self.credits), action.credits)
    }

    /// Whether it is over.
    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        self.times.is_some_and(|(_, end)| end <= now)
    }

    /// What will be seen, in a few words.
    pub(crate) fn summary(&self, zone: &str) -> String {
        let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
        let start = self.times.map(|(start, _)| zone.to_datetime(start));
        let start = start.map(|at| at.strftime("%Y-%m-%d %H:%M").to_string());
        let most = self.most.map(|most| most.to_string());
        let parts = [Some(self.name.clone()), start, most];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }
}

/// The tag by which an action of ours is found again.
pub(crate) fn mark(entity: EntityId) -> String {
    format!("{MARK}{entity}")
}

/// What people read: spaces and ends of lines are the server's business.
fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}
