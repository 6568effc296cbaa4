//! What a source tells organisers about its tool: a notice that opens once, and closes once it is over.

use jiff::Timestamp;
use raccord_model::{Change, Digest, EntityKind, Fields, Verb, Words};
use serde_json::json;

/// The notice `code` of the connector `kind` opens with a text and a mend, or closes where nothing is
/// said any more.
pub fn notice(kind: &str, code: &str, said: Option<&(Words, Words)>, now: Timestamp) -> Change {
    let both = |words: &Words| json!({ "fr": words.fr, "en": words.en });
    let mut fields = Fields::from([("code".to_owned(), json!(format!("{kind}.{code}")))]);
    let state = if said.is_some() { "open" } else { "closed" };
    fields.insert("state".into(), json!(state));
    if let Some((text, mend)) = said {
        fields.insert("title".into(), both(text));
        fields.insert("text".into(), both(text));
        fields.insert("mend".into(), both(mend));
        fields.insert("since".into(), json!(now.to_string()));
    }
    Change {
        sender: String::new(),
        id: Digest::of(format!("{code} {state} {now}").as_bytes()).to_string(),
        kind: EntityKind::Notice,
        verb: Verb::Updated,
        subject: code.to_owned(),
        fields,
        correlation: None,
        causation: None,
        hops: 0,
        trace: None,
    }
}
