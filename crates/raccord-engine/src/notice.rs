//! Notices: what organisers or sysadmins must know. Entities like others, so routes carry them.

use raccord_model::{Cause, EntityId, EntityKind, Fields, Place, Verb, Words};
use serde_json::json;

use crate::deciding::{Deciding, Draft};

/// The source name of notices.
pub(crate) const RACCORD: &str = "raccord";

/// The most characters of a notice's text.
pub(crate) const LONGEST: usize = 4_000;

/// The id of what is told about something.
pub(crate) fn id(place: &Place, code: &str, about: &str) -> EntityId {
    EntityId::derive(&[
        place.id.as_str().as_bytes(),
        b"notice",
        code.as_bytes(),
        about.as_bytes(),
    ])
}

/// Tells something, once: the same text about the same thing is not told again while it is open.
pub(crate) fn tell(
    deciding: &mut Deciding<'_>,
    code: &str,
    about: &str,
    text: &Words,
    mend: &Words,
) {
    let entity = id(&deciding.rules().place, code, about);
    let known = deciding.entity(entity);
    let since = known
        .as_ref()
        .filter(|notice| notice.text("state") == "open")
        .map_or_else(
            || deciding.now.to_string(),
            |notice| notice.text("since").to_owned(),
        );
    let fields: Fields = [
        ("code".to_owned(), json!(code)),
        ("about".to_owned(), json!(about)),
        ("title".to_owned(), both(text, 200)),
        ("text".to_owned(), both(text, LONGEST)),
        ("mend".to_owned(), both(mend, LONGEST)),
        ("state".to_owned(), json!("open")),
        ("since".to_owned(), json!(since)),
    ]
    .into();
    deciding.emit(Draft {
        kind: EntityKind::Notice,
        verb: if known.is_none() {
            Verb::Created
        } else {
            Verb::Updated
        },
        entity,
        fields,
        source: RACCORD,
        family: entity,
        cause: Cause::Noticed {
            code: code.to_owned(),
        },
        causation: None,
    });
}

/// What was told is over.
pub(crate) fn settle(deciding: &mut Deciding<'_>, code: &str, about: &str) {
    let entity = id(&deciding.rules().place, code, about);
    let Some(known) = deciding.entity(entity) else {
        return;
    };
    if known.text("state") != "open" {
        return;
    }
    let mut fields = known.fields;
    fields.insert("state".into(), json!("closed"));
    deciding.emit(Draft {
        kind: EntityKind::Notice,
        verb: Verb::Updated,
        entity,
        fields,
        source: RACCORD,
        family: entity,
        cause: Cause::Noticed {
            code: code.to_owned(),
        },
        causation: None,
    });
}

/// The words in both languages: who reads a notice is not known here.
pub(crate) fn both(words: &Words, limit: usize) -> serde_json::Value {
    json!({ "fr": cut(&words.fr, limit), "en": cut(&words.en, limit) })
}

fn cut(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    text.chars().take(limit - 1).chain(['…']).collect()
}
