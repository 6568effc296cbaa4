//! A mail server that behaves as many do, surprises included, and what tests do with it.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "tests use what they need of it"
)]

pub(crate) mod office;

use raccord_connector_signup::CONNECTOR;
use raccord_kit::testing::kit;
use raccord_kit::{Job, Kit, Made, Tool};
use raccord_model::{
    Context, Desired, Entity, EntityId, EntityKind, Failure, Fields, Lang, Rendered, Saying,
    Subject,
};
use serde_json::{Value, json};

use office::Office;
use office::quirks::Quirk;

/// A mail server, and a connector that writes through it.
pub(crate) struct Stage {
    pub(crate) office: Office,
    pub(crate) kit: Kit,
    pub(crate) tool: Box<dyn Tool>,
}

pub(crate) fn settings(office: &Office) -> Value {
    json!({ "url": office.address(), "from": "Le lieu <lieu@example.org>" })
}

pub(crate) fn build(settings: &Value, kit: &Kit) -> Box<dyn Tool> {
    match (CONNECTOR.build)(settings.clone(), kit) {
        Ok(tool) => tool,
        Err(findings) => panic!("{findings:?}"),
    }
}

impl Stage {
    pub(crate) async fn open() -> Self {
        Self::with(None).await
    }

    /// The same with a server that has a quirk.
    pub(crate) async fn with(quirk: Option<Quirk>) -> Self {
        let office = Office::open(quirk).await;
        let mut kit = kit();
        "https://lieu.example.org".clone_into(&mut kit.place.public_url);
        let tool = build(&settings(&office), &kit);
        Self { office, kit, tool }
    }

    fn context(&self) -> Context<'_> {
        Context {
            place: &self.kit.place,
            lang: Lang::Fr,
            today: jiff::civil::date(2027, 1, 2),
            route: None,
        }
    }

    pub(crate) fn rendered(&self, subject: Subject<'_>) -> Option<Desired> {
        let sink = self.tool.sink().unwrap();
        match sink.render(subject, &self.context()) {
            Rendered::Object(desired) => Some(desired),
            Rendered::Nothing => None,
        }
    }

    /// The mail that says that somebody signed up.
    pub(crate) fn first(&self, entity: &Entity) -> Job {
        let subject = Subject::Entity {
            entity,
            parent: None,
            tasks: &[],
        };
        let desired = self.rendered(subject).expect("a mail");
        job(entity.id, desired)
    }

    /// The mail that says what changed since `before`.
    pub(crate) fn next(&self, entity: &Entity, before: &Fields, times: u32) -> Option<Job> {
        let subject = Subject::Saying {
            id: entity.id,
            saying: Saying::Moved {
                entity,
                before,
                times,
                thread: "thread",
            },
        };
        Some(job(entity.id, self.rendered(subject)?))
    }

    pub(crate) async fn send(&self, job: &Job) -> Result<Made, Failure> {
        self.tool.sink().unwrap().apply(job).await
    }

    /// Tells somebody that they signed up.
    pub(crate) async fn tell(&self, entity: &Entity) -> Result<Made, Failure> {
        self.send(&self.first(entity)).await
    }
}

fn job(entity: EntityId, desired: Desired) -> Job {
    Job::Write {
        entity,
        desired,
        link: None,
    }
}

/// Somebody signed up for "Animer".
pub(crate) fn sign_up(email: &str) -> Entity {
    with(email, &json!({}))
}

/// The same with other fields.
pub(crate) fn with(email: &str, more: &Value) -> Entity {
    let mut fields = json!({
        "state": "registered", "email": email, "name": "Ana", "language": "fr",
        "about": {
            "id": "a", "title": "Réunion", "task": "Animer", "start": "2027-01-02T18:30",
            "room": "Halle", "status": "confirmed",
        },
    });
    for (name, value) in more.as_object().unwrap() {
        fields[name] = value.clone();
    }
    let fields: Fields = serde_json::from_value(fields).unwrap();
    Entity {
        id: EntityId::derive(&[email.as_bytes()]),
        kind: EntityKind::Registration,
        revision: 1,
        source: "raccord".to_owned(),
        fields,
    }
}
