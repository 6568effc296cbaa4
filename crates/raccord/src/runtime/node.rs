//! This process as callers see it: its place once that runs, and until then that it is starting.

use std::sync::Arc;

use jiff::Timestamp;
use raccord_kit::Clock;
use raccord_model::Change;
use raccord_web::{
    BoxFuture, Exposition, Follow, FollowError, Node, Place, Position, PostError, Programme,
    Readiness, Reason, Token, starting,
};
use tokio::sync::SetOnce;

use super::face::{Here, token};
use crate::settings::Settings;

/// This process.
pub(crate) struct Process {
    /// The machine's clock, until the place brings one that never goes back behind its log.
    clock: Arc<dyn Clock>,
    set: bool,
    starting: Arc<Starting>,
    running: SetOnce<Arc<Here>>,
}

impl Process {
    /// A process whose place is starting; `set` when its clock was set at the start.
    pub(crate) fn new(settings: &Settings, clock: Arc<dyn Clock>, set: bool) -> Self {
        Self {
            clock,
            set,
            starting: Arc::new(Starting {
                settings: settings.clone(),
            }),
            running: SetOnce::new(),
        }
    }

    /// From now on the place runs.
    pub(crate) fn runs(&self, here: Arc<Here>) {
        // It starts once in the life of a process.
        drop(self.running.set(here));
    }

    fn only(&self) -> Arc<dyn Place> {
        match self.running.get() {
            Some(here) => here.clone(),
            None => self.starting.clone(),
        }
    }
}

impl Node for Process {
    fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    fn now(&self) -> Timestamp {
        let running = self.running.get();
        running.map_or(&self.clock, |here| &here.clock).now()
    }

    fn clock_is_set(&self) -> bool {
        self.set
    }

    fn root(&self) -> Option<Arc<dyn Place>> {
        Some(self.only())
    }

    fn find(&self, id: &str) -> Option<Arc<dyn Place>> {
        (self.starting.settings.place.id.as_str() == id).then(|| self.only())
    }

    fn places(&self) -> Vec<Arc<dyn Place>> {
        vec![self.only()]
    }

    fn started(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            self.running.wait().await;
        })
    }
}

/// A place whose log is being read.
struct Starting {
    settings: Settings,
}

impl Place for Starting {
    fn place(&self) -> Arc<raccord_model::Place> {
        Arc::new(self.settings.place.clone())
    }

    fn colour(&self) -> String {
        self.settings.colour.clone()
    }

    fn token(&self) -> Option<Token> {
        token(&self.settings)
    }

    fn post(&self, _: Vec<Change>) -> BoxFuture<'_, Result<(), PostError>> {
        Box::pin(async { Err(PostError::NotReady { why: starting() }) })
    }

    fn follow(&self, _: Option<Position>) -> Result<Follow, FollowError> {
        Err(FollowError::NotReady)
    }

    fn readiness(&self) -> Readiness {
        Readiness {
            reasons: vec![Reason {
                code: "starting",
                about: String::new(),
                text: starting(),
            }],
            notes: Vec::new(),
        }
    }

    fn metrics(&self, _: &mut Exposition) {}

    fn programme(&self, _: Timestamp, _: usize) -> Option<Programme> {
        None
    }
}
