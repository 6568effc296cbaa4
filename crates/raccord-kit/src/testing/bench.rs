//! A connector before its stand-in, written to and read as the engine does.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use raccord_model::{
    Change, Context, Desired, Digest, Entity, EntityId, EntityKind, Failure, Fields, Found, Lang,
    Link, Observation, Rendered, Subject,
};
use serde_json::Value;

use crate::standin::Standin;
use crate::{Clock as _, Connector, Job, Kit, Made, ManualClock, Tool};

/// A connector that keeps objects in a tool, and the links that the engine would keep of them.
pub struct Bench {
    /// What it is pointed at.
    pub standin: Arc<Standin>,
    /// What it was given.
    pub kit: Kit,
    /// Its clock.
    pub clock: Arc<ManualClock>,
    /// The connector.
    pub tool: Box<dyn Tool>,
    /// What it made, by entity.
    pub links: Mutex<BTreeMap<EntityId, Link>>,
    connector: Connector,
    settings: Value,
}

impl Bench {
    /// A connector with these settings; `kit` is given the clock.
    pub fn new(
        connector: Connector,
        settings: Value,
        standin: Arc<Standin>,
        kit: Kit,
        clock: Arc<ManualClock>,
    ) -> Self {
        let kit = Kit {
            clock: clock.clone(),
            ..kit
        };
        Self {
            tool: build(&connector, &settings, &kit),
            standin,
            kit,
            clock,
            links: Mutex::default(),
            connector,
            settings,
        }
    }

    /// The same connector in a new process.
    pub fn restart(&mut self) {
        self.tool = build(&self.connector, &self.settings, &self.kit);
    }

    /// So many minutes pass.
    pub fn pass(&self, minutes: i64) {
        self.clock.advance(SignedDuration::from_mins(minutes));
    }

    /// It is that hour, later than before.
    pub fn is_at(&self, hour: &str) {
        let hour: Timestamp = hour.parse().expect("an instant");
        self.clock.advance(hour.duration_since(self.clock.now()));
    }

    /// What is made of `entity`, which may belong to `parent`.
    pub fn render(&self, entity: &Entity, parent: Option<&Entity>) -> Rendered {
        let context = Context {
            place: &self.kit.place,
            lang: Lang::Fr,
            today: date(2027, 1, 2),
            route: None,
        };
        let subject = Subject::Entity {
            entity,
            parent,
            tasks: &[],
        };
        self.sink().render(subject, &context)
    }

    /// What should stand there for it.
    pub fn desired(&self, entity: &Entity, parent: Option<&Entity>) -> Desired {
        match self.render(entity, parent) {
            Rendered::Object(desired) => desired,
            Rendered::Nothing => panic!("nothing is shown of it"),
        }
    }

    /// The job that writes it.
    pub fn job(&self, entity: &Entity, parent: Option<&Entity>) -> Job {
        Job::Write {
            entity: entity.id,
            desired: self.desired(entity, parent),
            link: self.links().get(&entity.id).cloned(),
        }
    }

    /// Writes it; what is gone is made anew.
    ///
    /// # Errors
    /// What the connector says.
    pub async fn write_of(
        &self,
        entity: &Entity,
        parent: Option<&Entity>,
    ) -> Result<Made, Failure> {
        let hash = self.desired(entity, parent).hash;
        for _ in 0..2 {
            match self.sink().apply(&self.job(entity, parent)).await {
                Err(failure) if failure.absent => drop(self.links().remove(&entity.id)),
                Err(failure) => return Err(failure),
                Ok(made) => {
                    self.links().insert(entity.id, link_of(&made, hash));
                    return Ok(made);
                }
            }
        }
        panic!("gone again and again");
    }

    /// Looks for it, as whoever knows nothing of it.
    pub async fn find_of(&self, entity: &Entity, parent: Option<&Entity>) -> Found {
        let job = Job::Write {
            entity: entity.id,
            desired: self.desired(entity, parent),
            link: None,
        };
        self.sink().find(&job).await.expect("it can be looked for")
    }

    /// Takes it away.
    ///
    /// # Errors
    /// What the connector says.
    pub async fn remove(&self, entity: &Entity) -> Result<Made, Failure> {
        let link = self.links()[&entity.id].clone();
        let job = Job::Remove {
            entity: entity.id,
            link,
        };
        let removed = self.sink().apply(&job).await;
        if removed.is_ok() {
            self.links().remove(&entity.id);
        }
        removed
    }

    /// Reads from `cursor` on, having told what is ours.
    pub async fn observe(&self, cursor: Option<&str>) -> Observation {
        let links = self.links().clone();
        let shared = self.tool.shared().expect("it is told what is ours");
        shared.ours(links.into_iter().collect());
        let source = self.tool.source().expect("it is read");
        source.observe(cursor).await.expect("it can be read")
    }

    /// Reads what people did there, and where to go on.
    pub async fn hear(&self, cursor: &mut Option<String>) -> Vec<Change> {
        let (changes, next) = match self.observe(cursor.as_deref()).await {
            Observation::Unchanged { cursor } => (Vec::new(), cursor),
            Observation::Changes { changes, cursor } => (changes, cursor),
            other => panic!("{other:?}"),
        };
        *cursor = next.or(cursor.take());
        changes
    }

    fn sink(&self) -> &dyn crate::Sink {
        self.tool.sink().expect("it is written to")
    }

    fn links(&self) -> MutexGuard<'_, BTreeMap<EntityId, Link>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn build(connector: &Connector, settings: &Value, kit: &Kit) -> Box<dyn Tool> {
    (connector.build)(settings.clone(), kit).unwrap_or_else(|wrong| panic!("{wrong:?}"))
}

/// What the engine keeps of what was made.
pub fn link_of(made: &Made, hash: Digest) -> Link {
    Link {
        external: made.applied.external.clone(),
        tag: made.applied.tag.clone(),
        hash,
        revision: 1,
        url: made.applied.url.clone(),
    }
}

/// An entity of the sheet with its number, the `usual` fields, and others; `null` takes one away.
pub fn entity(kind: EntityKind, number: usize, usual: Value, fields: Value) -> Entity {
    let read = |fields| serde_json::from_value::<Fields>(fields).expect("an object of fields");
    let mut all = read(usual);
    all.extend(read(fields));
    all.retain(|_, value| !value.is_null());
    Entity {
        id: EntityId::derive(&[kind.as_str().as_bytes(), number.to_string().as_bytes()]),
        kind,
        revision: 1,
        source: "programme-sheet".to_owned(),
        fields: all,
    }
}
