//! A listmonk, its stand-in, and a newsletter that drafts in it.

use std::sync::Arc;

use http::Method;
use raccord_kit::http::{Http, Request, Target};
use raccord_kit::standin::Standin;
use raccord_kit::{Job, Kit, Made, Tool};
use raccord_model::{Desired, Entity, EntityId, EntityKind, Failure, Found, Lang, RoundupOf};
use serde_json::{Value, json};

use super::listmonk::quirks::Quirk;
use super::listmonk::{Server, TOKEN, USER};

pub(crate) struct Stage {
    pub(crate) standin: Arc<Standin>,
    pub(crate) server: Server,
    pub(crate) kit: Kit,
    pub(crate) tool: Box<dyn Tool>,
}

pub(crate) fn settings(url: &str) -> Value {
    json!({
        "system": "listmonk", "url": url, "from": "La Raffinerie <lettre@example.org>",
        "list": "Programme", "user": USER, "password": TOKEN,
    })
}

/// A letter about one ball of this name.
pub(crate) fn about(title: &str) -> Vec<Entity> {
    let fields = json!({ "title": title, "start": "2027-01-03T20:30", "room": "Halle" });
    vec![super::entity(EntityKind::Activity, "ball", fields)]
}

impl Stage {
    pub(crate) async fn open() -> Self {
        Self::with(None, |_| {}).await
    }

    pub(crate) async fn with(lost: Option<Quirk>, change: impl FnOnce(&mut Value)) -> Self {
        let standin = Arc::new(Standin::start().await);
        let server = Server::new(lost);
        let behind = server.clone();
        standin.direct(move |seen| behind.answer(seen));
        let kit = super::kit();
        let mut settings = settings(&standin.url("/"));
        change(&mut settings);
        let tool = super::tool(settings, &kit);
        Self {
            standin,
            server,
            kit,
            tool,
        }
    }

    /// The letter as it is prepared.
    pub(crate) fn prepared(&self, members: &[Entity]) -> Desired {
        let week = RoundupOf::Week;
        super::letter(&*self.tool, &self.kit, week, Lang::Fr, members).unwrap()
    }

    pub(crate) fn job(&self, members: &[Entity]) -> Job {
        Job::Write {
            entity: EntityId::derive(&[b"issue"]),
            desired: self.prepared(members),
            link: None,
        }
    }

    pub(crate) async fn write(&self, members: &[Entity]) -> Result<Made, Failure> {
        self.tool.sink().unwrap().apply(&self.job(members)).await
    }

    /// Drafts a letter about a ball; gives the campaign's number.
    pub(crate) async fn draft(&self, title: &str) -> u64 {
        let made = self.write(&about(title)).await.unwrap();
        made.applied.external.parse().unwrap()
    }

    pub(crate) async fn find(&self, members: &[Entity]) -> Found {
        self.tool
            .sink()
            .unwrap()
            .find(&self.job(members))
            .await
            .unwrap()
    }

    /// A campaign as it stands there.
    pub(crate) fn stands(&self, id: u64) -> Value {
        let state = self.server.state();
        let found = state.campaigns.iter().find(|one| one["id"] == id);
        found.unwrap().clone()
    }

    /// Asks listmonk something with our own token: the status, and what it says.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let http = Http::new("test", &self.kit).unwrap();
        let target = Target::configured("url", &self.standin.url(&format!("/api/{path}"))).unwrap();
        let request = Request::new(method, &target)
            .basic(USER, &TOKEN.into())
            .body(body.to_string());
        let answer = http.send(request).await.unwrap();
        let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        (answer.status.as_u16(), said["data"].clone())
    }

    /// How many changes listmonk was asked for.
    pub(crate) fn writes(&self) -> usize {
        self.standin.writes().len()
    }
}
