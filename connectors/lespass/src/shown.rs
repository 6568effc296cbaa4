//! What an event should say: our activities and tasks in Lespass's words. Pure.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use raccord_look::clean;
use raccord_look::html::escaped;
use raccord_look::instants::moments;
use raccord_model::{
    Activity, Context, Digest, Entity, EntityId, EntityKind, Lang, Status, Visibility, fold_word,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::Event;

/// The most characters of a name; the server refuses more than 200.
const NAME: usize = 190;
/// The most characters of a description.
const PROSE: usize = 20_000;
/// The most places an event can have: a small number of the database.
const MOST: u32 = 32_767;

/// An event, or an action, as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shown {
    /// What it stands for.
    pub(crate) entity: EntityId,
    /// The activity whose event it belongs to, for actions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) parent: Option<EntityId>,
    /// The digest of what that shows: an action goes with its event, and is made anew after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parents: Option<Digest>,
    pub(crate) name: String,
    pub(crate) start: Timestamp,
    pub(crate) end: Option<Timestamp>,
    /// What it is about, plain.
    text: String,
    places: u32,
    /// The kind of event, in schema.org's words.
    kind: String,
    /// Whether it is kept off shared agendas.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    private: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
}

impl Shown {
    /// What is to be seen of an activity; nothing where it is not for Lespass.
    pub(crate) fn activity(entity: &Entity, context: &Context<'_>) -> Option<Self> {
        let activity = Activity::of(entity)?;
        let internal = activity.visibility == Visibility::Internal;
        // Only a route may send internal ones where everybody can book.
        let hidden = internal && context.route.is_none();
        let off = matches!(activity.status, Status::Draft | Status::Cancelled);
        if hidden || off || activity.is_foreign() {
            return None;
        }
        let (start, end) = moments(&activity, &context.place.zone)?;
        Some(Self {
            entity: entity.id,
            parent: None,
            parents: None,
            name: name(&activity.title)?,
            start,
            end,
            text: clean::prose(&activity.description, PROSE).0,
            places: activity.capacity.map_or(MOST, |places| places.min(MOST)),
            kind: kind(&activity.kind).to_owned(),
            private: internal,
            tags: activity
                .tags
                .iter()
                .map(|tag| clean::line(tag, 50))
                .filter(|tag| !tag.is_empty())
                .take(20)
                .collect(),
        })
    }

    /// What is to be seen of a task of `parent`; nothing of one on its own, for an action always
    /// belongs to an event.
    pub(crate) fn task(
        entity: &Entity,
        parent: Option<&Entity>,
        context: &Context<'_>,
    ) -> Option<Self> {
        let parent = parent.filter(|parent| parent.kind == EntityKind::Activity)?;
        let internal = entity.text("visibility") == "internal";
        // Only a route may send internal ones where everybody can book.
        let hidden = internal && context.route.is_none();
        if hidden || entity.text("state") == "cancelled" {
            return None;
        }
        let event = Self::activity(parent, context)?;
        let title = name(entity.text("title"))?;
        let number = |field: &str| {
            let value = entity.fields.get(field)?.as_u64()?;
            u32::try_from(value).ok()
        };
        let places = number("capacity").or_else(|| number("minimum"));
        let guide = clean::address(entity.text("guide")).map(|guide| match context.lang {
            Lang::Fr => format!("Mode d’emploi\u{a0}: {guide}"),
            Lang::En => format!("How to: {guide}"),
        });
        let text = clean::prose(entity.text("description"), PROSE).0;
        let parts = [text, guide.unwrap_or_default()];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        Some(Self {
            entity: entity.id,
            parent: Some(parent.id),
            parents: Some(event.hash()),
            // No two events may have one name and one start: other activities want hands, too.
            name: name(&format!("{title} – {}", event.name))?,
            start: event.start,
            end: event.end,
            text: parts.join("\n\n"),
            places: places.map_or(MOST, |places| places.min(MOST)),
            kind: "Event".to_owned(),
            private: event.private || internal,
            tags: Vec::new(),
        })
    }

    /// The digest of all that makes a difference.
    pub(crate) fn hash(&self) -> Digest {
        Digest::of(&serde_json::to_vec(self).unwrap_or_default())
    }

    /// By what it is found again.
    pub(crate) fn mark(&self) -> String {
        mark(self.entity)
    }

    /// What Lespass is asked to make.
    pub(crate) fn body(&self, parent: Option<&str>) -> Value {
        let mut body = json!({
            "@type": self.kind,
            "name": self.name,
            "startDate": self.start.to_string(),
            "description": self.html(),
            "maximumAttendeeCapacity": self.places,
        });
        if let Some(end) = self.end {
            body["endDate"] = json!(end.to_string());
        }
        if !self.tags.is_empty() {
            body["keywords"] = json!(self.tags);
        }
        if self.private {
            body["audience"] = json!({ "@type": "Audience", "audienceType": "private" });
        }
        if let Some(parent) = parent {
            body["superEvent"] = json!(parent);
        }
        body
    }

    /// The description: what it shows is not cleaned there, so that nothing in it may be markup but
    /// what we write; and our mark, where nobody sees it.
    fn html(&self) -> String {
        let mut html = String::new();
        for paragraph in self.text.split("\n\n") {
            let paragraph = paragraph.trim();
            if !paragraph.is_empty() {
                html.push_str("<p>");
                html.push_str(&escaped(paragraph).replace('\n', "<br>"));
                html.push_str("</p>");
            }
        }
        html.push_str("<!-- ");
        html.push_str(&self.mark());
        html.push_str(" -->");
        html
    }

    /// Whether an event shows what it should, whoever wrote it.
    pub(crate) fn is(&self, event: &Event) -> bool {
        let places = event.maximum_attendee_capacity;
        event.name.trim() == self.name
            && event.start() == Some(self.start)
            && event.end() == self.end
            && places.is_none_or(|places| places == self.places)
            && event.is_private() == self.private
            // Those that somebody added there may stay.
            && self.tags.iter().all(|tag| event.keywords.contains(tag))
            && plain(&event.description) == plain(&self.html())
    }

    /// What will be seen, in a few lines.
    pub(crate) fn summary(&self, zone: &str) -> String {
        let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
        let at = zone.to_datetime(self.start).strftime("%Y-%m-%d %H:%M");
        let mut text = format!("{} · {at}", self.name);
        if self.places < MOST {
            text.push_str(" · ");
            text.push_str(&self.places.to_string());
        }
        text
    }
}

/// By what our events are found again.
pub(crate) fn mark(entity: EntityId) -> String {
    format!("raccord:{entity}")
}

/// Whether an event says of itself that it is one of ours.
pub(crate) fn is_ours(event: &Event) -> bool {
    event.description.contains("<!-- raccord:")
}

/// Whether it is the one of this entity: a text that merely names our mark is none.
pub(crate) fn is_of(event: &Event, entity: EntityId) -> bool {
    let comment = format!("<!-- {} -->", mark(entity));
    event.description.ends_with(&comment)
}

fn name(title: &str) -> Option<String> {
    let name = clean::line(title, NAME);
    (!name.is_empty()).then_some(name)
}

/// The kind of event that Lespass knows for a kind of ours.
fn kind(ours: &str) -> &'static str {
    match fold_word(ours).as_str() {
        "concert" | "bal" | "soiree" | "scene ouverte" => "MusicEvent",
        "festival" | "fete" => "Festival",
        "reunion" | "assemblee generale" | "meeting" | "rencontre" | "permanence" => "SocialEvent",
        "formation" | "atelier" | "conference" | "stage" | "debat" | "workshop" | "training"
        | "talk" => "EducationEvent",
        "repas" | "repas partage" | "cantine" | "meal" => "FoodEvent",
        _ => "Event",
    }
}

/// What people read of HTML: whoever edits an event there leaves other tags around the same words.
fn plain(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        text.push_str(&rest[..at]);
        text.push(' ');
        let end = if rest[at..].starts_with("<!--") {
            "-->"
        } else {
            ">"
        };
        rest = match rest[at..].find(end) {
            Some(close) => &rest[at + close + end.len()..],
            None => "",
        };
    }
    text.push_str(rest);
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&#x27;", "'")
        .replace("&nbsp;", " ")
        .replace("&amp;", "&");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn s15_no_text_becomes_markup_and_none_ends_our_mark() {
        for text in raccord_kit::conformance::HOSTILE {
            let html = escaped(text);
            assert!(!html.contains(['<', '>', '"', '\'']), "{text}");
            assert_eq!(
                plain(&html),
                text.split_whitespace().collect::<Vec<_>>().join(" ")
            );
        }
    }

    #[test]
    fn the_words_are_the_same_whatever_tags_an_editor_leaves() {
        assert_eq!(
            plain("<p>Bal &amp; buffet<br>dès 20 h</p><!-- raccord:x -->"),
            plain("<div><strong>Bal</strong> &amp; buffet </div>\n<div>dès&nbsp;20&nbsp;h</div>")
        );
        assert_eq!(plain("a <!-- b > c --> d"), "a d");
        assert_eq!(plain("a <b"), "a");
    }
}
