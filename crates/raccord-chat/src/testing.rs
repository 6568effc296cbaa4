//! What the tests of every chat connector start from: one instance pointed at a stand-in, what it says
//! and hears; and the stories that hold for all of them, by what they are about: [`alone`], [`said`] and
//! [`told`].

pub mod alone;
pub mod said;
pub mod told;

use std::sync::Arc;

use jiff::SignedDuration;
use raccord_kit::standin::{Play, Reply, Seen, Standin};
use raccord_kit::testing::{NOON, kit};
use raccord_kit::{Connector, Job, Kit, Made, ManualClock, Tool};
use raccord_model::{
    Change, Context, Desired, Entity, EntityId, EntityKind, Failure, Fields, Found, Lang, Link,
    Observation, Rendered, Subject,
};
use serde_json::{Value, json};

/// A connector that is pointed at a stand-in.
pub struct Instance {
    /// What it is pointed at.
    pub standin: Arc<Standin>,
    /// What it was built with.
    pub kit: Kit,
    /// The clock of both.
    pub clock: Arc<ManualClock>,
    /// The connector.
    pub tool: Box<dyn Tool>,
    connector: &'static Connector,
    settings: Value,
}

/// The room of the stories.
pub const ROOM: &str = "chantiers";

/// The server that is played, and what others do on it. The member of the stories is called `anna`.
pub trait Others {
    /// What the server calls somebody.
    fn id(&self, person: &str) -> String;
    /// What stands in a room, oldest first.
    fn standing(&self, room: &str) -> Vec<String>;
    /// What stands in rooms of two.
    fn alone(&self) -> Vec<String>;
    /// How many were notified by what was said.
    fn notified(&self) -> usize;
    /// The next change is made, and nobody is told.
    fn loses_an_answer(&self);
    /// The next change is not made, and the connection breaks.
    fn breaks_off(&self);
    /// The next change is refused with this.
    fn refuses(&self, reply: Reply);
    /// Somebody reacts to a message, or takes it back.
    fn signs(&self, message: &str, person: &str, sign: &str, stands: bool);
    /// A member says something in a room; gives the message's id.
    fn says(&self, room: &str, text: &str) -> String;
    /// They change it.
    fn edits(&self, message: &str, text: &str);
    /// They take it away.
    fn deletes(&self, message: &str);
    /// They react to it.
    fn reacts(&self, message: &str);
    /// The server restarts: every open connection ends.
    fn restarts(&self);
    /// Every open connection stays, and carries nothing any more.
    fn goes_deaf(&self);
    /// What is asked of it is answered.
    fn answers(&self) -> Box<dyn FnMut(&Seen) -> Play + Send>;
}

impl Instance {
    /// One at noon, of these settings.
    pub fn new(
        connector: &'static Connector,
        standin: Arc<Standin>,
        clock: Arc<ManualClock>,
        settings: Value,
    ) -> Self {
        let mut kit = kit();
        kit.clock = clock.clone();
        let tool = build(connector, &settings, &kit);
        Self {
            standin,
            kit,
            clock,
            tool,
            connector,
            settings,
        }
    }

    /// The same connector in a new process.
    pub fn restart(&mut self) {
        self.tool = build(self.connector, &self.settings, &self.kit);
    }

    /// So many seconds pass.
    pub fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// What should stand there for `entity`.
    pub fn desired(&self, entity: &Entity) -> Desired {
        let context = Context {
            place: &self.kit.place,
            lang: Lang::Fr,
            today: jiff::civil::date(2027, 1, 2),
            route: None,
        };
        let subject = Subject::Entity {
            entity,
            parent: None,
            tasks: &[],
        };
        match self
            .tool
            .sink()
            .expect("tests have what they ask for")
            .render(subject, &context)
        {
            Rendered::Object(desired) => desired,
            Rendered::Nothing => panic!("nothing is said of it"),
        }
    }

    /// The job that brings it there.
    pub fn job(&self, entity: &Entity, link: Option<Link>) -> Job {
        Job::Write {
            entity: entity.id,
            desired: self.desired(entity),
            link,
        }
    }

    /// Writes it.
    ///
    /// # Errors
    /// As the connector fails.
    pub async fn write(&self, entity: &Entity, link: Option<Link>) -> Result<Made, Failure> {
        let job = self.job(entity, link);
        self.tool
            .sink()
            .expect("tests have what they ask for")
            .apply(&job)
            .await
    }

    /// Writes it, and gives the link to it.
    pub async fn put(&self, entity: &Entity, link: Option<Link>) -> Link {
        let made = self
            .write(entity, link)
            .await
            .expect("tests have what they ask for");
        self.link(entity, made)
    }

    /// The link to what was made.
    pub fn link(&self, entity: &Entity, made: Made) -> Link {
        Link {
            external: made.applied.external,
            tag: made.applied.tag,
            hash: self.desired(entity).hash,
            revision: entity.revision,
            url: made.applied.url,
        }
    }

    /// Looks for it.
    pub async fn find(&self, entity: &Entity) -> Found {
        let job = self.job(entity, None);
        self.tool
            .sink()
            .expect("tests have what they ask for")
            .find(&job)
            .await
            .expect("tests have what they ask for")
    }

    /// Takes it away.
    ///
    /// # Errors
    /// As the connector fails.
    pub async fn remove(&self, entity: &Entity, link: &Link) -> Result<Made, Failure> {
        let job = Job::Remove {
            entity: entity.id,
            link: link.clone(),
        };
        self.tool
            .sink()
            .expect("tests have what they ask for")
            .apply(&job)
            .await
    }

    /// Listens: what was heard, and where to go on.
    pub async fn hear(&self, cursor: &mut Option<String>) -> Vec<Change> {
        let heard = self
            .tool
            .source()
            .expect("tests have what they ask for")
            .observe(cursor.as_deref());
        match heard.await.expect("tests have what they ask for") {
            Observation::Unchanged { .. } => Vec::new(),
            Observation::Changes {
                changes,
                cursor: next,
            }
            | Observation::Recount {
                changes,
                cursor: next,
                ..
            } => {
                *cursor = next;
                changes
            }
            Observation::Complete(reading) => panic!("{reading:?}"),
        }
    }

    /// Begins to listen.
    pub async fn listen(&self) -> Option<String> {
        let mut cursor = None;
        assert_eq!(self.hear(&mut cursor).await, []);
        self.pass(60);
        cursor
    }

    /// Resolves once the connector says that there is something to read; not within a minute: false.
    pub async fn told(&self, cursor: &Option<String>) -> bool {
        let source = self.tool.source().expect("tests have what they ask for");
        let news = source.news(cursor.as_deref());
        tokio::time::timeout(std::time::Duration::from_secs(60), news)
            .await
            .unwrap_or(false)
    }

    /// Begins to listen, on a connection that stands and has nothing more to tell.
    pub async fn attend(&self) -> Option<String> {
        let mut cursor = self.listen().await;
        assert!(
            self.told(&cursor).await,
            "a new connection is read after once"
        );
        assert_eq!(self.hear(&mut cursor).await, []);
        cursor
    }
}

/// A clock that stands at noon.
pub fn noon() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(NOON))
}

fn build(connector: &Connector, settings: &Value, kit: &Kit) -> Box<dyn Tool> {
    (connector.build)(settings.clone(), kit).unwrap_or_else(|wrong| panic!("{wrong:?}"))
}

/// An activity with its own title, and with these fields besides.
pub fn activity(number: usize, fields: Value) -> Entity {
    let mut all: Fields = serde_json::from_value(json!({
        "title": format!("Concert {number}"),
        "start": "2027-01-12T20:00",
        "end": "2027-01-12T22:00",
        "zone": "Indian/Reunion",
        "room": "Grande salle",
    }))
    .expect("these are fields");
    let fields: Fields = serde_json::from_value(fields).expect("these are fields");
    all.extend(fields);
    Entity {
        id: EntityId::derive(&[b"chat", number.to_string().as_bytes()]),
        kind: EntityKind::Activity,
        revision: 1,
        source: "programme-sheet".to_owned(),
        fields: all,
    }
}

/// One of them.
pub fn concert() -> Entity {
    activity(1, json!({}))
}
