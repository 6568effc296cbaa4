//! What hangs on a wall: a printed copy stays as it is when its file changes, so organisers are told.
//!
//! The mark is an entity like others, a publication with what it showed. It is a member of its
//! publication from then on: the connector compares, and says what is not true any more.

use jiff::Timestamp;
use raccord_model::{
    Cause, ConnectorName, Entity, EntityId, EntityKind, Fields, Notice, Paper, Render, Rendered,
    Verb, Words,
};
use serde_json::json;

use crate::deciding::{Deciding, Draft};
use crate::delivery::Wish;
use crate::engine::Engine;
use crate::input::{Printed, Reply};
use crate::state::State;
use crate::{notice, publication};

/// The code of the notice that the wall is not true any more.
pub const OUTDATED: &str = "wall-outdated";

/// A publication that was made for a period, and can be printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Printable {
    /// Its connector.
    pub connector: ConnectorName,
    /// Its id.
    pub id: EntityId,
    /// What it is called.
    pub title: String,
    /// The edition that was made last.
    pub edition: u32,
    /// What stands on that edition; `None` where a newer one is on its way already.
    pub shown: Option<Fields>,
}

impl Engine {
    /// The publications of the period `key` that can be printed.
    pub fn printables(&mut self, key: &str, now: Timestamp, render: &dyn Render) -> Vec<Printable> {
        let deciding = self.looking(now, render);
        let sinks = deciding.state.sinks.iter();
        let made = sinks.filter_map(|(connector, sink)| {
            let id = publication::id(&deciding, connector, key);
            let link = sink.targets.get(&id)?.link.as_ref()?;
            let edition = link.tag.as_ref()?.parse().ok()?;
            let (title, wanted, paper) = paper_of(deciding.wish(connector, id)?)?;
            Some(Printable {
                connector: connector.clone(),
                id,
                title,
                edition,
                shown: (wanted == link.hash).then_some(paper.shown),
            })
        });
        made.collect()
    }

    /// What would stand on a publication now, in a state of the past too.
    pub fn shown(
        &mut self,
        of: &Printable,
        key: &str,
        now: Timestamp,
        render: &dyn Render,
    ) -> Option<Fields> {
        let deciding = self.looking(now, render);
        let rules = deciding.rules();
        let rule = rules.sinks.get(&of.connector)?;
        let wish = publication::wish(&deciding, &of.connector, rule, of.id, key)?;
        Some(paper_of(wish)?.2.shown)
    }
}

fn paper_of(wish: Wish) -> Option<(String, raccord_model::Digest, Paper)> {
    match wish.rendered {
        Rendered::Object(desired) => Some((desired.title, desired.hash, *desired.paper?)),
        Rendered::Nothing => None,
    }
}

/// A wall that is not true any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outdated {
    /// The connector that made what hangs there.
    pub connector: ConnectorName,
    /// What is not true any more.
    pub text: Words,
    /// What to do.
    pub mend: Words,
}

/// The walls that are not true any more.
pub fn outdated(state: &State) -> Vec<Outdated> {
    let Some(rules) = &state.rules else {
        return Vec::new();
    };
    let told = |connector: &ConnectorName, key: &str| {
        let id = notice::id(&rules.place, OUTDATED, &about(connector, key));
        let notice = state.entity(id)?;
        let words = |name: &str| serde_json::from_value(notice.fields.get(name)?.clone()).ok();
        (notice.text("state") == "open").then_some(())?;
        Some(Outdated {
            connector: connector.clone(),
            text: words("text")?,
            mend: words("mend")?,
        })
    };
    let sinks = state.sinks.iter();
    sinks
        .flat_map(|(connector, sink)| {
            let keys = sink
                .targets
                .values()
                .filter_map(|target| target.key.as_ref());
            keys.filter_map(move |key| told(connector, key))
        })
        .collect()
}

/// The mark that a copy of the publication `key` hangs on the wall, where one does.
pub(crate) fn mark(deciding: &Deciding<'_>, sink: &ConnectorName, key: &str) -> Option<Entity> {
    let mark = deciding.entity(mark_id(deciding, sink, key))?;
    (!mark.text("printed").is_empty()).then_some(mark)
}

fn mark_id(deciding: &Deciding<'_>, sink: &ConnectorName, key: &str) -> EntityId {
    let place = &deciding.state.rules().place.id;
    EntityId::derive(&[
        place.as_str().as_bytes(),
        b"printed",
        sink.as_str().as_bytes(),
        key.as_bytes(),
    ])
}

/// A person put a copy on the wall.
pub(crate) fn put_up(deciding: &mut Deciding<'_>, printed: Printed) -> Reply {
    let Printed {
        connector,
        key,
        edition,
        title,
        shown,
    } = printed;
    let id = publication::id(deciding, &connector, &key);
    let made = deciding
        .state
        .sinks
        .get(&connector)
        .and_then(|sink| sink.targets.get(&id)?.link.as_ref());
    if made.is_none() {
        return Reply::Cannot(Words::new(
            format!("« {connector} » n'a rien fait pour {key}"),
            format!("“{connector}” has made nothing for {key}"),
        ));
    }
    let lang = deciding.state.rules().place.lang;
    let fields: Fields = [
        ("title".to_owned(), json!(title)),
        ("kind".to_owned(), json!("programme")),
        ("period".to_owned(), json!(key)),
        ("language".to_owned(), json!(lang)),
        ("edition".to_owned(), json!(edition)),
        ("printed".to_owned(), json!(deciding.now.to_string())),
        ("state".to_owned(), json!("out")),
        ("extra".to_owned(), json!(shown)),
    ]
    .into_iter()
    .collect();
    say(deciding, &connector, &key, fields, "printed");
    Reply::Taken
}

/// A person took it down again.
pub(crate) fn take_down(deciding: &mut Deciding<'_>, connector: &ConnectorName, key: &str) {
    let Some(mark) = mark(deciding, connector, key) else {
        return; // Nothing hangs there, which is what was asked for.
    };
    let mut fields = mark.fields;
    for gone in ["printed", "extra"] {
        fields.remove(gone);
    }
    fields.insert("state".into(), json!("ready"));
    say(deciding, connector, key, fields, "taken-down");
}

fn say(
    deciding: &mut Deciding<'_>,
    connector: &ConnectorName,
    key: &str,
    fields: Fields,
    did: &str,
) {
    let entity = mark_id(deciding, connector, key);
    let known = deciding.state.entities.contains_key(&entity);
    deciding.emit(Draft {
        kind: EntityKind::Publication,
        verb: if known { Verb::Updated } else { Verb::Created },
        entity,
        fields,
        source: notice::RACCORD,
        family: entity,
        cause: Cause::Person {
            did: did.to_owned(),
        },
        causation: None,
    });
    let id = publication::id(deciding, connector, key);
    deciding.review(connector, id);
}

/// Tells organisers that the wall is not true any more, now that the tool holds `wish`; or that it
/// is true again.
pub(crate) fn compare(deciding: &mut Deciding<'_>, sink: &ConnectorName, wish: &Wish) {
    let Some(key) = &wish.key else { return };
    let outdated = match &wish.rendered {
        Rendered::Object(desired) => desired
            .paper
            .as_ref()
            .and_then(|paper| paper.outdated.clone()),
        Rendered::Nothing => mark(deciding, sink, key).map(|mark| nothing_left(&mark)),
    };
    match outdated {
        Some(told) => notice::tell(
            deciding,
            OUTDATED,
            &about(sink, key),
            &told.text,
            &told.mend,
        ),
        None => over(deciding, sink, key),
    }
}

fn nothing_left(mark: &Entity) -> Notice {
    let title = mark.text("title");
    Notice {
        text: Words::new(
            format!("Plus rien de ce qui est affiché n'a lieu : « {title} »."),
            format!("Nothing of what hangs on the wall takes place any more: “{title}”."),
        ),
        mend: Words::new("Enlevez-le du mur.", "Take it off the wall."),
    }
}

/// What was told of the wall is over: it is true again, or its month is.
pub(crate) fn over(deciding: &mut Deciding<'_>, sink: &ConnectorName, key: &str) {
    notice::settle(deciding, OUTDATED, &about(sink, key));
}

fn about(sink: &ConnectorName, key: &str) -> String {
    format!("{sink} {key}")
}
