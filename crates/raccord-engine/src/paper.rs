//! What hangs on a wall: a printed copy stays as it is when its file changes, so organisers are told.
//!
//! The mark is an entity like others, a publication with what it showed. It is a member of its
//! publication from then on: the connector compares, and says what is not true any more.

use jiff::Timestamp;
use raccord_model::{
    Cause, ConnectorName, Desired, Entity, EntityId, EntityKind, Fields, Notice, Render, Rendered,
    Rules, Verb, Words,
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
#[derive(Clone, Debug, PartialEq)]
pub struct Printable {
    /// Its connector.
    pub connector: ConnectorName,
    /// Its id.
    pub id: EntityId,
    /// The edition that was made last.
    pub edition: u32,
    /// What it should be now.
    pub desired: Desired,
    /// Whether that edition is just this, and no newer one is on its way.
    pub current: bool,
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
            let desired = composed(&deciding, connector, id, key)?;
            Some(Printable {
                connector: connector.clone(),
                id,
                edition,
                current: desired.hash == link.hash,
                desired,
            })
        });
        made.collect()
    }

    /// What a publication should be, in a state of the past too.
    pub fn composed(
        &mut self,
        of: &Printable,
        key: &str,
        now: Timestamp,
        render: &dyn Render,
    ) -> Option<Desired> {
        composed(&self.looking(now, render), &of.connector, of.id, key)
    }
}

fn composed(
    deciding: &Deciding<'_>,
    sink: &ConnectorName,
    id: EntityId,
    key: &str,
) -> Option<Desired> {
    let rules = deciding.rules();
    let rule = rules.sinks.get(sink)?;
    match publication::wish(deciding, sink, rule, id, key)?.rendered {
        Rendered::Object(desired) => Some(desired),
        Rendered::Nothing => None,
    }
}

/// The marks of what hangs on walls, with the connector that made it.
pub fn hanging(state: &State) -> Vec<(ConnectorName, Entity)> {
    let Some(rules) = &state.rules else {
        return Vec::new();
    };
    let marks = state
        .entities
        .iter()
        .filter(|(_, record)| record.kind == EntityKind::Publication)
        .map(|(&id, record)| record.entity(id))
        .filter(|mark| !mark.text("printed").is_empty());
    marks
        .filter_map(|mark| {
            let made = |sink: &&ConnectorName| mark_id(rules, sink, mark.text("period")) == mark.id;
            Some((rules.sinks.keys().find(made)?.clone(), mark))
        })
        .collect()
}

/// What is told of walls that are not true any more, by the connector that made what hangs there.
pub fn outdated(state: &State) -> Vec<(ConnectorName, Notice)> {
    let told = |(sink, mark): (ConnectorName, Entity)| {
        let place = &state.rules().place;
        let about = about(&sink, mark.text("period"));
        let told = state.entity(notice::id(place, OUTDATED, &about))?;
        let words = |name: &str| serde_json::from_value(told.fields.get(name)?.clone()).ok();
        (told.text("state") == "open").then_some(())?;
        let (text, mend) = (words("text")?, words("mend")?);
        Some((sink, Notice { text, mend }))
    };
    hanging(state).into_iter().filter_map(told).collect()
}

/// The mark that a copy of the publication `key` hangs on the wall, where one does.
pub(crate) fn mark(deciding: &Deciding<'_>, sink: &ConnectorName, key: &str) -> Option<Entity> {
    let mark = deciding.entity(mark_id(deciding.state.rules(), sink, key))?;
    (!mark.text("printed").is_empty()).then_some(mark)
}

fn mark_id(rules: &Rules, sink: &ConnectorName, key: &str) -> EntityId {
    EntityId::derive(&[
        rules.place.id.as_str().as_bytes(),
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
    over(deciding, connector, key);
}

fn say(
    deciding: &mut Deciding<'_>,
    connector: &ConnectorName,
    key: &str,
    fields: Fields,
    did: &str,
) {
    let entity = mark_id(deciding.state.rules(), connector, key);
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
    let (Some(key), Rendered::Object(desired)) = (&wish.key, &wish.rendered) else {
        return;
    };
    match &desired.outdated {
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

/// Tells of walls whose month is over, or has nothing left: no file is made that could.
pub(crate) fn review_walls(deciding: &mut Deciding<'_>) {
    for (sink, mark) in hanging(deciding.state) {
        let key = mark.text("period");
        let id = publication::id(deciding, &sink, key);
        if publication::is_past(deciding, key) {
            over(deciding, &sink, key);
        } else if composed(deciding, &sink, id, key).is_none() {
            let told = nothing_left(&mark);
            notice::tell(
                deciding,
                OUTDATED,
                &about(&sink, key),
                &told.text,
                &told.mend,
            );
        }
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

/// What was told of the wall is over: it is true again, was taken down, or its month is over.
fn over(deciding: &mut Deciding<'_>, sink: &ConnectorName, key: &str) {
    notice::settle(deciding, OUTDATED, &about(sink, key));
}

fn about(sink: &ConnectorName, key: &str) -> String {
    format!("{sink} {key}")
}
