//! The simulated tools: what they hold is the only witness the laws hear.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use raccord_model::{
    Applied, Class, ConnectorName, Context, Desired, Digest, EntityId, EntityKind, Found, Handling,
    Item, Mode, Payload, Period, Policy, Render, Rendered, SinkRule, Subject, Words,
};
use serde_json::{Value, json};

/// An object of a tool.
#[derive(Clone, Debug)]
pub struct Object {
    /// The tool's id.
    pub external: String,
    /// Whose it is.
    pub entity: EntityId,
    /// What it says.
    pub body: Value,
    /// When it was made.
    pub made: Timestamp,
    /// How often it was written.
    pub version: u64,
}

/// An event that arrived.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Its id.
    pub id: String,
    /// The entity.
    pub entity: EntityId,
    /// Its revision.
    pub revision: u64,
    /// What kind of entity it is.
    pub kind: EntityKind,
    /// The content.
    pub data: Value,
    /// When it arrived.
    pub at: Timestamp,
}

/// A tool.
#[derive(Clone, Debug, Default)]
pub struct Tool {
    /// What it holds.
    pub objects: Vec<Object>,
    /// What it was sent.
    pub arrivals: Vec<Arrival>,
    /// How many objects were ever made for each entity and not taken away again.
    pub made: u64,
}

/// A write that is still on its way through the network.
#[derive(Clone, Debug)]
pub struct Late {
    /// When it takes effect.
    pub at: Timestamp,
    /// Where.
    pub connector: ConnectorName,
    /// What.
    pub item: Item,
    /// The version of the object it was written against.
    pub base: Option<u64>,
}

impl Tool {
    /// The version of the object an item is about.
    pub fn version_of(&self, item: &Item) -> Option<u64> {
        let entity = match &item.payload {
            Payload::Write { entity, .. } | Payload::Remove { entity, .. } => *entity,
            _ => return None,
        };
        self.objects
            .iter()
            .rev()
            .find(|object| object.entity == entity)
            .map(|object| object.version)
    }

    /// Makes an effect; `None` where the object that a link names is not there.
    pub fn make(&mut self, item: &Item, at: Timestamp) -> Option<Applied> {
        match &item.payload {
            Payload::Event(event) => {
                let id = event.id.to_string();
                let known = self.arrivals.iter().any(|arrival| arrival.id == id);
                // A receiver that honours keys takes a repeat for what it is.
                if !(known && item.class == Class::Key) {
                    self.arrivals.push(Arrival {
                        id,
                        entity: event.entity,
                        revision: event.revision,
                        kind: event.kind,
                        data: json!(event.data),
                        at,
                    });
                }
                Some(Applied::default())
            }
            Payload::Write {
                entity,
                desired,
                link,
                ..
            } => {
                let by_address = item.class.repeatable();
                let found = match (item.class, link) {
                    (Class::Address | Class::Key, _) => self
                        .objects
                        .iter_mut()
                        .find(|object| object.entity == *entity),
                    (_, Some(link)) => self
                        .objects
                        .iter_mut()
                        .find(|object| object.external == link.external),
                    (_, None) => None,
                };
                if let Some(object) = found {
                    object.body = desired.body.clone();
                    object.version += 1;
                    return Some(applied(object));
                }
                if link.is_some() && !by_address {
                    return None;
                }
                self.made += 1;
                let object = Object {
                    external: format!("o{}", self.made),
                    entity: *entity,
                    body: desired.body.clone(),
                    made: at,
                    version: self.made * 1_000,
                };
                let applied = applied(&object);
                self.objects.push(object);
                Some(applied)
            }
            Payload::Remove { entity, link } => {
                let by_address = item.class.repeatable();
                let before = self.objects.len();
                self.objects.retain(|object| {
                    if by_address {
                        object.entity != *entity
                    } else {
                        object.external != link.external
                    }
                });
                (self.objects.len() < before).then(Applied::default)
            }
            Payload::Find { .. } => Some(Applied::default()),
        }
    }

    /// What a complete listing made at `listed` tells.
    pub fn find(&self, item: &Item, listed: Timestamp) -> Found {
        let Payload::Find { entity, event, .. } = &item.payload else {
            return Found::CannotTell;
        };
        if let Some(event) = event {
            let id = event.id.to_string();
            let there = self
                .arrivals
                .iter()
                .any(|arrival| arrival.id == id && arrival.at <= listed);
            return if there {
                Found::Yes(Applied::default())
            } else {
                Found::No { listed }
            };
        }
        self.objects
            .iter()
            .find(|object| object.entity == *entity && object.made <= listed)
            .map_or(Found::No { listed }, |object| Found::Yes(applied(object)))
    }
}

fn applied(object: &Object) -> Applied {
    Applied {
        external: object.external.clone(),
        tag: Some(object.version.to_string()),
        url: None,
    }
}

/// The kinds of tool of the simulated place.
pub const NAMES: [&str; 6] = ["calendar", "chat", "hook", "post", "print", "purse"];

/// The seconds after which a listing of a tool can tell.
pub fn settle(name: &str) -> SignedDuration {
    SignedDuration::from_secs(match name {
        "chat" => 60,
        "purse" => 120,
        _ => 20,
    })
}

fn handling(entity: EntityKind, mode: Mode, class: Class, name: &str) -> Handling {
    let grace_s = if matches!(mode, Mode::Announce) {
        300
    } else {
        0
    };
    Handling {
        entity,
        mode,
        class,
        settle_s: if class == Class::Find {
            settle(name).as_secs()
        } else {
            0
        },
        grace_s,
        policy: Policy::NeverTwice,
        read_back: name == "calendar",
    }
}

/// The rule of a sink.
pub fn rule(name: &str, settings: u8) -> SinkRule {
    use EntityKind::{Activity, Credit, Notice, Registration, Task};
    let h = |entity, mode, class| handling(entity, mode, class, name);
    let handles = match name {
        "calendar" => vec![
            h(Activity, Mode::Mirror, Class::Address),
            h(Task, Mode::Mirror, Class::Address),
        ],
        "chat" => {
            vec![
                h(Activity, Mode::Announce, Class::Find),
                h(Task, Mode::Mirror, Class::Find),
            ]
        }
        "hook" => vec![
            h(Activity, Mode::Each, Class::Key),
            h(Task, Mode::Each, Class::Key),
            h(Credit, Mode::Each, Class::Key),
            h(Notice, Mode::Each, Class::Key),
        ],
        "post" => vec![h(Registration, Mode::Each, Class::Blind)],
        "print" => vec![h(
            Activity,
            Mode::Publication(Period::Month),
            Class::Address,
        )],
        _ => vec![h(Credit, Mode::Each, Class::Find)],
    };
    SinkRule {
        kind: name.to_owned(),
        version: String::new(),
        handles,
        parallel: 3,
        per_second: 0,
        settings: Digest::of(&[settings]),
        target: Digest::default(),
        credentials: Digest::default(),
        around: false,
        approvers: std::collections::BTreeSet::new(),
    }
}

/// What the simulated tools should hold.
pub struct Canvas;

impl Render for Canvas {
    fn render(&self, connector: &ConnectorName, subject: Subject<'_>, _: &Context<'_>) -> Rendered {
        let body = match subject {
            Subject::Entity { entity, parent, .. } => {
                let key = parent.unwrap_or(entity).text("organiser");
                match entity.kind {
                    EntityKind::Activity => {
                        let internal = entity.text("visibility") == "internal";
                        if internal && connector.as_str() == "chat" {
                            return Rendered::Nothing;
                        }
                        json!({
                            "key": key,
                            "title": entity.text("title"),
                            "start": entity.text("start"),
                            "cancelled": entity.text("status") == "cancelled",
                        })
                    }
                    _ => json!({
                        "key": format!("{key}/{}", entity.text("title")),
                        "parent": key,
                        "guide": entity.text("guide"),
                        "cancelled": entity.text("state") == "cancelled",
                    }),
                }
            }
            Subject::Publication { key, members, .. } => {
                let titles: Vec<&str> = members.iter().map(|member| member.text("title")).collect();
                json!({ "key": key, "titles": titles })
            }
            Subject::Saying { .. } => return Rendered::Nothing,
        };
        Rendered::Object(Desired {
            outdated: None,
            hash: hash(&body),
            title: body["key"].as_str().unwrap_or_default().to_owned(),
            body,
            text: Words::default(),
        })
    }
}

/// The digest of what an object says.
pub fn hash(body: &Value) -> Digest {
    Digest::of(&serde_json::to_vec(body).unwrap_or_default())
}

/// All tools, by name.
pub fn all() -> BTreeMap<ConnectorName, Tool> {
    NAMES
        .iter()
        .filter_map(|name| Some((name.parse().ok()?, Tool::default())))
        .collect()
}
