//! A connector pointed at a home server that is played, and what tests do with it.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "tests use what they need of it"
)]

pub(crate) mod house;

use raccord_connector_matrix::CONNECTOR;
use raccord_kit::standin::{Play, Seen, Standin};
use raccord_kit::testing::kit;
use raccord_kit::{Job, Made, Tool};
use raccord_model::{
    Change, Context, Desired, Entity, EntityId, EntityKind, Failure, Lang, Link, Observation,
    Rendered, Subject,
};
use serde_json::{Value, json};

use house::{ALIAS, House};

pub(crate) const TOKEN: &str = "syt_canary_token";

pub(crate) fn settings(url: &str) -> Value {
    json!({ "url": url, "token": TOKEN, "channel": ALIAS, "month": ALIAS, "approvers": ["@lou:example.org"] })
}

/// A played server, and a connector that is pointed at it.
pub(crate) struct Stage {
    pub(crate) standin: Standin,
    pub(crate) house: House,
    pub(crate) tool: Box<dyn Tool>,
}

impl Stage {
    pub(crate) async fn open() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Value)) -> Self {
        let standin = Standin::start().await;
        let house = House::new(TOKEN);
        let mut settings = settings(&standin.url("/"));
        change(&mut settings);
        let tool = (CONNECTOR.build)(settings, &kit()).unwrap_or_else(|wrong| panic!("{wrong:?}"));
        let stage = Self {
            standin,
            house,
            tool,
        };
        stage.answers(|_| None);
        stage
    }

    /// Answers as the server does, but for what `first` answers itself.
    pub(crate) fn answers(&self, first: impl Fn(&Seen) -> Option<Play> + Send + 'static) {
        let house = self.house.clone();
        self.standin
            .direct(move |seen| first(seen).unwrap_or_else(|| house.answer(seen)));
    }

    pub(crate) async fn write(&self, job: &Job) -> Result<Made, Failure> {
        self.tool.sink().unwrap().apply(job).await
    }

    /// Says it, and gives the link to it.
    pub(crate) async fn say(&self, entity: &Entity, link: Option<Link>) -> Link {
        let made = self.write(&self.job(entity, link)).await.unwrap();
        Link {
            external: made.applied.external,
            tag: made.applied.tag,
            hash: desired(&*self.tool, entity).hash,
            revision: entity.revision,
            url: made.applied.url,
        }
    }

    pub(crate) fn job(&self, entity: &Entity, link: Option<Link>) -> Job {
        Job::Write {
            entity: entity.id,
            desired: desired(&*self.tool, entity),
            link,
        }
    }

    pub(crate) async fn read(&self, cursor: Option<&str>) -> Result<Observation, Failure> {
        self.tool.source().unwrap().observe(cursor).await
    }

    /// What is heard since `cursor`, and the cursor then.
    pub(crate) async fn hear(&self, cursor: Option<&str>) -> (Vec<Change>, Option<String>) {
        match self.read(cursor).await.unwrap() {
            Observation::Changes { changes, cursor } => (changes, cursor),
            Observation::Unchanged { .. } => (Vec::new(), cursor.map(str::to_owned)),
            Observation::Complete(_) | Observation::Recount { .. } => {
                panic!("a room is no collection")
            }
        }
    }
}

pub(crate) fn activity(number: usize, title: &str) -> Entity {
    let fields = json!({
        "title": title, "start": format!("2027-01-{:02}T20:30", 3 + number % 25), "room": "Grande salle",
    });
    Entity {
        id: EntityId::derive(&[b"activity", &number.to_be_bytes()]),
        kind: EntityKind::Activity,
        revision: 1,
        source: "sheet".into(),
        fields: serde_json::from_value(fields).unwrap(),
    }
}

pub(crate) fn desired(tool: &dyn Tool, entity: &Entity) -> Desired {
    let place = kit().place;
    let context = Context {
        place: &place,
        lang: Lang::Fr,
        today: jiff::civil::date(2027, 1, 2),
        route: None,
    };
    let subject = Subject::Entity {
        entity,
        parent: None,
        tasks: &[],
    };
    match tool.sink().unwrap().render(subject, &context) {
        Rendered::Object(desired) => desired,
        Rendered::Nothing => panic!("nothing is said of {entity:?}"),
    }
}
