//! What is heard in a chat, as changes of messages.

use std::collections::BTreeSet;

use jiff::Timestamp;
use raccord_kit::Kit;
use raccord_look::clean;
use raccord_model::{Change, EntityKind, Fields, Verb};
use serde_json::json;

use crate::ask;

/// The most of a message that is kept.
const TEXT: usize = 10_000;
/// The most people who reacted to one message.
const REACTED: usize = 10_000;

/// What of a room is heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Hear {
    /// Nothing.
    None,
    /// Questions to Raccord only; not even their words beside the question are kept.
    #[default]
    Questions,
    /// Every message: for other programs that get the place's events.
    All,
}

/// One thing that happened in a room, others' doing: what is ours was left out by the connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The tool's id of the room, without spaces.
    pub room: String,
    /// The tool's id of the message it is about.
    pub message: String,
    /// The tool's id of what happened: the message itself, its edit, its deletion.
    pub id: String,
    /// Who did it, by what the tool calls them; unchangeable by them.
    pub author: String,
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Somebody wrote a message.
    Said {
        /// Its words.
        text: String,
        /// The message that starts its thread, where it is in one.
        thread: Option<String>,
    },
    /// Somebody changed a message of theirs.
    Edited {
        /// Its words now.
        text: String,
    },
    /// A message was taken away.
    TakenAway,
    /// How many people reacted to a message, by reaction, as it is now.
    Reactions(Vec<(String, u64)>),
    /// Who reacted to a message of ours in a way that signs up, by reaction, as it is now: ids of
    /// people.
    Hands(Vec<(String, Vec<String>)>),
}

/// The change it is; nothing where it is not to be heard.
pub fn change(kit: &Kit, hear: Hear, heard: &Heard) -> Option<Change> {
    let subject = format!("{} {}", heard.room, heard.message);
    let mut fields: Fields = [("channel".to_owned(), json!(heard.room))].into();
    let all = hear == Hear::All;
    let verb = match &heard.what {
        _ if hear == Hear::None => return None,
        What::Said { text, thread } => {
            let ask = ask::read(text);
            if let Some(ask) = &ask {
                fields.insert("ask".into(), json!(ask.what));
                if !ask.words.is_empty() {
                    fields.insert("words".into(), json!(ask.words));
                }
            } else if !all {
                return None;
            }
            if all {
                fields.insert("text".into(), json!(clean::prose(text, TEXT).0));
            }
            let thread = thread.as_ref().unwrap_or(&heard.message);
            fields.insert("thread".into(), json!(thread));
            fields.insert("author".into(), json!(heard.author));
            fields.insert("sent".into(), json!(heard.at.to_string()));
            Verb::Created
        }
        // Asked for by a route, whatever else is heard.
        What::Hands(people) => {
            fields.insert("reacted".into(), reacted(people));
            Verb::Updated
        }
        _ if !all => return None,
        What::Edited { text } => {
            fields.insert("text".into(), json!(clean::prose(text, TEXT).0));
            fields.insert("edited".into(), json!(heard.at.to_string()));
            Verb::Updated
        }
        What::TakenAway => Verb::Removed,
        What::Reactions(counts) => {
            let counts = counts.iter().take(100);
            let counts: serde_json::Map<_, _> = counts
                .map(|(reaction, count)| (clean::line(reaction, 99), json!(count)))
                .filter(|(reaction, _)| !reaction.is_empty())
                .collect();
            fields.insert("reactions".into(), json!(counts));
            Verb::Updated
        }
    };
    fields.retain(|_, value| value != "");
    Some(Change {
        sender: kit.name.to_string(),
        id: format!("{} {}", heard.room, heard.id),
        kind: EntityKind::Message,
        verb,
        subject,
        fields,
        correlation: None,
        causation: None,
        hops: 0,
        trace: None,
    })
}

/// Who reacted, as the message's schema has it.
fn reacted(people: &[(String, Vec<String>)]) -> serde_json::Value {
    let all = people.iter().map(|(reaction, people)| {
        let people: BTreeSet<&String> = people.iter().take(REACTED).collect();
        (reaction.clone(), json!(people))
    });
    serde_json::Value::Object(all.collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn said(text: &str) -> Heard {
        Heard {
            room: "!r:x".into(),
            message: "$1".into(),
            id: "$1".into(),
            author: "@lou:x".into(),
            at: raccord_kit::testing::NOON,
            what: What::Said {
                text: text.into(),
                thread: None,
            },
        }
    }

    #[test]
    fn unless_everything_is_wanted_only_questions_are_kept_and_nothing_beside_them() {
        let kit = raccord_kit::testing::kit();
        assert_eq!(change(&kit, Hear::Questions, &said("bonjour à tous")), None);
        let asked = change(&kit, Hear::Questions, &said("!qui samedi")).unwrap();
        assert_eq!(asked.fields["ask"], "who");
        assert_eq!(asked.fields["words"], "samedi");
        assert!(!asked.fields.contains_key("text"));
        assert_eq!(change(&kit, Hear::None, &said("!qui")), None);
        let all = change(&kit, Hear::All, &said("bonjour")).unwrap();
        assert_eq!(all.fields["text"], "bonjour");
        assert_eq!(
            (all.subject.as_str(), all.id.as_str()),
            ("!r:x $1", "!r:x $1")
        );
    }

    #[test]
    fn what_is_heard_is_what_the_schema_of_messages_allows() {
        let kit = raccord_kit::testing::kit();
        let schemas = raccord_model::Schemas::shared();
        for (what, text) in [
            (said("!oui 3f2a1b4c").what, "asks"),
            (said(&"é".repeat(40_000)).what, "says much"),
            (What::Edited { text: "x".into() }, "edits"),
            (
                What::Reactions(vec![("👍".into(), 3), ("x".repeat(500), 1)]),
                "reacts",
            ),
            (
                What::Hands(vec![("✅".into(), vec!["a".into(), "a".into()])]),
                "signs up",
            ),
        ] {
            let heard = Heard { what, ..said("") };
            let change = change(&kit, Hear::All, &heard).unwrap();
            let data = serde_json::to_value(&change.fields).unwrap();
            let faults = schemas.check_posted(EntityKind::Message, change.verb, &data);
            assert!(faults.is_empty(), "{text}: {faults:?}");
        }
    }
}
