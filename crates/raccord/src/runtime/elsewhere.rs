//! A place that another node works for: what is asked of it here is asked of that node, and what
//! its log tells is read from the cluster.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream;
use jiff::Timestamp;
use raccord_bus::jetstream::{Node, name};
use raccord_model::{Call, Change, Words};
use raccord_web::hands::{Answer, Visit};
use raccord_web::{
    BoxFuture, Exposition, Follow, FollowError, HookError, Place, Position, PostError, Programme,
    Readiness, Reason, Token,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::mpsc;

use super::face::{self, PAST};
use super::home::Home;
use super::socket::Asked;
use crate::report::Problem;
use crate::settings::Settings;

/// How long the other node may take over a page or a post.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a follower is told what came.
const LOOK: Duration = Duration::from_millis(500);

/// What one node asks another about a place.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Ask {
    /// To take what another program posted.
    Post(Vec<Change>),
    /// To take what a tool calls to say.
    Hook {
        /// Its connector.
        connector: String,
        /// The call.
        call: Call,
    },
    /// What is on show.
    Programme {
        /// The hour.
        now: Timestamp,
        /// At most so many.
        limit: usize,
    },
    /// To answer a visit to the pages on which people sign up.
    Visit(Box<Visit>),
    /// A command.
    Command(Asked),
    /// Whether the log lacks a commit that the asking machine has read: its number and its hash.
    Lacks(String),
}

/// A place that another node works for, or none yet.
pub(super) struct Elsewhere {
    settings: Settings,
    home: Home,
    node: Arc<Node>,
}

impl Elsewhere {
    /// The place `settings` are for, at `home`, shared with others by `node`.
    pub(super) fn new(settings: Settings, home: Home, node: Arc<Node>) -> Self {
        Self {
            settings,
            home,
            node,
        }
    }

    async fn ask<T: DeserializeOwned>(&self, ask: &Ask) -> Result<T, Problem> {
        asked(&self.home, &self.node, ask, PATIENCE).await
    }

    fn why(&self) -> Words {
        let view = self.node.view();
        let view = view.borrow();
        match view.holder(self.home.place()).map(name) {
            Some(node) => Words::new(
                format!("Le programme « {node} » s'occupe de ce lieu."),
                format!("The node “{node}” works for this place."),
            ),
            None => Words::new(
                "Aucun programme ne s'occupe encore de ce lieu.",
                "No node works for this place yet.",
            ),
        }
    }
}

/// What the node that holds the place answers.
///
/// # Errors
/// When it does not answer.
pub(super) async fn asked<T: DeserializeOwned>(
    home: &Home,
    node: &Node,
    ask: &Ask,
    wait: Duration,
) -> Result<T, Problem> {
    let question = serde_json::to_vec(ask).expect("a question serialises into memory");
    let answer = node.ask(home.place(), &question, wait).await;
    let answer = answer.map_err(|error| home.refused(&error))?;
    serde_json::from_slice(&answer).map_err(|_| other_version(home))
}

fn other_version(home: &Home) -> Problem {
    Problem::failed(
        home.address(),
        "cluster.other-version",
        Words::new(
            "L'autre programme a répondu quelque chose que celui-ci ne comprend pas.",
            "The other node answered something that this one does not understand.",
        ),
        Words::new(
            "Mettez tous les programmes à la même version.",
            "Bring all nodes to the same version.",
        ),
    )
}

fn why(problem: &Problem) -> Words {
    let first = problem.findings.first();
    first
        .map(|finding| finding.text.clone())
        .unwrap_or_default()
}

impl Place for Elsewhere {
    fn place(&self) -> Arc<raccord_model::Place> {
        Arc::new(self.settings.place.clone())
    }

    fn colour(&self) -> String {
        self.settings.colour.clone()
    }

    fn token(&self) -> Option<Token> {
        face::token(&self.settings)
    }

    fn is_proxy(&self, peer: std::net::IpAddr) -> bool {
        self.settings.web.is_proxy(peer)
    }

    fn post(&self, changes: Vec<Change>) -> BoxFuture<'_, Result<(), PostError>> {
        Box::pin(async move {
            let taken = self.ask(&Ask::Post(changes)).await;
            taken.map_err(|problem| PostError::NotReady { why: why(&problem) })?
        })
    }

    fn hook<'a>(
        &'a self,
        connector: &'a str,
        call: Call,
    ) -> BoxFuture<'a, Result<Value, HookError>> {
        Box::pin(async move {
            let connector = connector.to_owned();
            let heard = self.ask(&Ask::Hook { connector, call }).await;
            heard.map_err(|problem: Problem| HookError::NotReady { why: why(&problem) })?
        })
    }

    fn follow(&self, after: Option<Position>) -> Result<Follow, FollowError> {
        let log = self.home.read_apart().ok().flatten();
        let log = log.ok_or(FollowError::NotReady)?;
        let from = face::checked(&*log, after)?;
        let (send, receive) = mpsc::channel(PAST);
        let from = from.unwrap_or(Position {
            commit: log.head().number,
            index: u32::MAX,
        });
        std::thread::spawn(move || {
            let mut log = log;
            let mut from = from;
            // Until the follower goes away, or the log cannot be read.
            while face::tell(&*log, from, &send).is_ok_and(|reached| {
                from = reached;
                !send.is_closed()
            }) {
                std::thread::park_timeout(LOOK);
                if log.refresh().is_err() {
                    return;
                }
            }
        });
        let entries = stream::unfold(receive, |mut receive| async move {
            receive.recv().await.map(|entry| (entry, receive))
        });
        Ok(Box::pin(entries))
    }

    fn readiness(&self) -> Readiness {
        Readiness {
            reasons: Vec::new(),
            notes: vec![Reason {
                code: "elsewhere",
                about: String::new(),
                text: self.why(),
            }],
        }
    }

    fn metrics(&self, _: &mut Exposition) {}

    fn programme(&self, now: Timestamp, limit: usize) -> BoxFuture<'_, Option<Programme>> {
        Box::pin(async move {
            let shown = self.ask(&Ask::Programme { now, limit }).await;
            shown.ok().flatten()
        })
    }

    fn visit(&self, visit: Visit) -> BoxFuture<'_, Answer> {
        Box::pin(async move {
            let answered = self.ask(&Ask::Visit(Box::new(visit))).await;
            answered.unwrap_or(Answer::NotReady)
        })
    }
}
