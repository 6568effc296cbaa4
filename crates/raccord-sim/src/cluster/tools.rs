//! The tools of the clustered place: one for each class of effect. What they hold is what the laws
//! about effects are read from.

use std::collections::BTreeMap;

use jiff::Timestamp;
use raccord_model::{
    Blame, Class, ConnectorName, Context, Desired, Digest, EntityKind, Failure, Guards, Handling,
    Item, Lang, Mode, Outcome, Payload, Place, Policy, Render, Rendered, Rules, SinkRule, Subject,
    Words,
};
use serde_json::json;

use crate::tools::{Tool, hash};

/// The tools, and how their effects are made once.
pub const NAMES: [(&str, Class); 4] = [
    ("list", Class::Address),
    ("hook", Class::Key),
    ("purse", Class::Find),
    ("post", Class::Blind),
];

/// After how many seconds a listing can tell.
const SETTLE: i64 = 20;

/// All tools.
#[derive(Debug)]
pub struct Tools(BTreeMap<ConnectorName, Tool>);

impl Default for Tools {
    fn default() -> Self {
        let tool = |(name, _): (&str, _)| (name.parse().expect("a plain name"), Tool::default());
        Self(NAMES.into_iter().map(tool).collect())
    }
}

impl Tools {
    /// A tool.
    pub fn of(&self, name: &ConnectorName) -> &Tool {
        &self.0[name]
    }

    /// The version of the object an item is about.
    pub fn version_of(&self, name: &ConnectorName, item: &Item) -> Option<u64> {
        self.of(name).version_of(item)
    }

    /// A tool does what it is asked.
    pub fn make(&mut self, name: &ConnectorName, item: &Item, now: Timestamp) -> Outcome {
        if matches!(item.payload, Payload::Find { .. }) {
            return Outcome::Looked(self.of(name).find(item, now));
        }
        let tool = self.0.get_mut(name).expect("every sink has its tool");
        match tool.make(item, now) {
            Some(applied) => Outcome::Done(applied),
            None => Outcome::Failed(failure(Blame::Data, "absent")),
        }
    }

    /// The same, when nobody waits any more: a conditional write finds that somebody was faster.
    pub fn make_late(
        &mut self,
        name: &ConnectorName,
        item: &Item,
        base: Option<u64>,
        now: Timestamp,
    ) {
        let is_event = matches!(item.payload, Payload::Event(_));
        if is_event || self.version_of(name, item) == base {
            self.make(name, item, now);
        }
    }
}

fn failure(blame: Blame, code: &str) -> Failure {
    Failure::new(blame, code, Words::same(code), Words::same(code))
}

/// No answer came.
pub fn lost() -> Failure {
    failure(Blame::Unknown, "lost")
}

/// Not now.
pub fn busy() -> Failure {
    failure(Blame::Transient, "busy")
}

/// The rules of the place.
pub fn rules() -> Rules {
    let sinks = NAMES.into_iter().map(|(name, class)| {
        let handling = |entity| Handling {
            entity,
            mode: if class == Class::Address {
                Mode::Mirror
            } else {
                Mode::Each
            },
            class,
            settle_s: if class == Class::Find { SETTLE } else { 0 },
            grace_s: 0,
            policy: Policy::NeverTwice,
            read_back: false,
        };
        let handles = match class {
            Class::Address | Class::Blind => vec![handling(EntityKind::Registration)],
            Class::Key | Class::Find => {
                vec![
                    handling(EntityKind::Credit),
                    handling(EntityKind::Registration),
                ]
            }
        };
        let rule = SinkRule {
            around: false,
            approvers: std::collections::BTreeSet::new(),
            kind: name.to_owned(),
            version: String::new(),
            handles,
            parallel: 3,
            per_second: 0,
            settings: Digest::default(),
            target: Digest::default(),
            credentials: Digest::default(),
        };
        (name.parse().expect("a plain name"), rule)
    });
    Rules {
        place: Place {
            id: super::PLACE.parse().expect("a plain name"),
            name: "Sim".into(),
            zone: "UTC".into(),
            lang: Lang::En,
            public_url: String::new(),
        },
        sources: BTreeMap::new(),
        sinks: sinks.collect(),
        recipes: Vec::new(),
        routes: Vec::new(),
        guards: Guards::default(),
    }
}

/// What the list shows: how far somebody's sign-up got.
pub struct Canvas;

impl Render for Canvas {
    fn render(&self, _: &ConnectorName, subject: Subject<'_>, _: &Context<'_>) -> Rendered {
        let Subject::Entity { entity, .. } = subject else {
            return Rendered::Nothing;
        };
        let body = json!({ "n": entity.fields.get("n") });
        Rendered::Object(Desired {
            outdated: None,
            hash: hash(&body),
            title: "sign-up".to_owned(),
            body,
            text: Words::default(),
        })
    }
}
