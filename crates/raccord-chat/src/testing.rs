//! What the tests of every chat connector start from: one instance pointed at a stand-in, what it says
//! and hears, and the stories of what is told at once that hold for all of them.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use raccord_kit::standin::{Play, Reply, Seen, Standin};
use raccord_kit::testing::{NOON, kit};
use raccord_kit::{Connector, Job, Kit, Made, ManualClock, Tool};
use raccord_model::{
    Change, Context, Desired, Entity, EntityId, EntityKind, Failure, Fields, Found, Lang, Link,
    Observation, Rendered, Subject, Verb,
};
use serde_json::{Value, json};
use tokio::time::Instant;

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

/// What others do on the server that is played.
pub trait Others {
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

/// Words, edits, reactions and deletions are told within two seconds, and then read.
pub async fn everything_is_told_within_two_seconds(
    stage: &Instance,
    others: &dyn Others,
    room: &str,
) {
    let mut cursor = stage.attend().await;
    let mut verbs = Vec::new();
    let said = others.says(room, "bonjour");
    for step in 0..4 {
        match step {
            1 => others.edits(&said, "bonsoir"),
            2 => others.reacts(&said),
            3 => others.deletes(&said),
            _ => {}
        }
        let asked = Instant::now();
        assert!(stage.told(&cursor).await, "step {step}");
        assert!(asked.elapsed() <= Duration::from_secs(2));
        verbs.extend(
            stage
                .hear(&mut cursor)
                .await
                .iter()
                .map(|change| change.verb),
        );
        stage.pass(60);
    }
    assert_eq!(
        verbs,
        [Verb::Created, Verb::Updated, Verb::Updated, Verb::Removed]
    );
}

/// After a restart of the server there is a new connection, and what was said meanwhile is heard.
pub async fn a_restart_is_read_up(stage: &Instance, others: &dyn Others, room: &str) {
    let mut cursor = stage.attend().await;
    others.restarts();
    others.says(room, "pendant l'absence");
    assert!(stage.told(&cursor).await);
    assert_eq!(stage.hear(&mut cursor).await.len(), 1);
    others.says(room, "après");
    assert!(
        stage.told(&cursor).await,
        "the new connection tells as well"
    );
    assert_eq!(stage.hear(&mut cursor).await.len(), 1);
}

/// A connection that carries nothing any more is asked, and given up.
pub async fn a_deaf_connection_is_given_up(stage: &Instance, others: &dyn Others, room: &str) {
    let mut cursor = stage.attend().await;
    others.goes_deaf();
    others.says(room, "dans le vide");
    let asked = Instant::now();
    assert!(stage.told(&cursor).await || stage.told(&cursor).await);
    let waited = asked.elapsed();
    assert!(waited >= Duration::from_secs(60), "asked, and waited for");
    assert_eq!(stage.hear(&mut cursor).await.len(), 1);
}

/// A server that has no such address, or a proxy that lets no socket through, is asked seldom.
pub async fn a_refused_socket_is_asked_for_seldom(stage: &Instance, others: &dyn Others) {
    let mut answers = others.answers();
    stage.standin.direct(move |seen| {
        if seen.path.ends_with("/websocket") {
            Reply::status(404).into()
        } else {
            answers(seen)
        }
    });
    let cursor = stage.listen().await;
    for _ in 0..60 {
        assert!(!stage.told(&cursor).await);
    }
    let seen = stage.standin.seen();
    let asked = seen.iter().filter(|one| one.path.ends_with("/websocket"));
    let asked = asked.count();
    assert!((8..=20).contains(&asked), "{asked} times in an hour");
}

/// However much is said, it is read once a second.
pub async fn a_busy_room_is_read_once_a_second(stage: &Instance, others: &dyn Others, room: &str) {
    let mut cursor = stage.attend().await;
    let began = Instant::now();
    let mut heard = 0;
    for _ in 0..5 {
        for _ in 0..20 {
            others.says(room, "encore");
        }
        assert!(stage.told(&cursor).await);
        heard += stage.hear(&mut cursor).await.len();
        stage.pass(10);
    }
    assert_eq!(heard, 100);
    assert!(began.elapsed() >= Duration::from_secs(4));
}
