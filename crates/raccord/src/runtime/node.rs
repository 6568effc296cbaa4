//! This process as callers see it: each of its places once that runs, and until then that it is
//! starting, or why it does not.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard};

use jiff::Timestamp;
use raccord_kit::Clock;
use raccord_model::{Call, Change, PlaceId, Words};
use raccord_web::hands::{Answer, Visit};
use raccord_web::{
    BoxFuture, Exposition, Follow, FollowError, HookError, Node, Place, Position, PostError,
    Programme, Readiness, Reason, Token, starting,
};
use serde_json::Value;
use tokio::sync::SetOnce;

use super::elsewhere::Elsewhere;
use super::face::{Here, token};
use super::running::tell;
use crate::report::Problem;
use crate::settings::Settings;

/// This process.
pub(crate) struct Process {
    /// The machine's clock, until the only place brings one that never goes back behind its log.
    clock: Arc<dyn Clock>,
    set: bool,
    /// Whether places come from a folder: then only `/p/<place>/` leads to one of several.
    several: bool,
    begun: SetOnce<()>,
    places: RwLock<BTreeMap<PlaceId, Arc<Slot>>>,
}

/// A place of the process: at work, or not yet.
pub(crate) struct Slot {
    starting: Arc<Starting>,
    running: OnceLock<Arc<Here>>,
    /// Where another node works for it, or none yet.
    elsewhere: Option<Arc<Elsewhere>>,
}

impl Slot {
    /// From now on the place runs.
    pub(crate) fn runs(&self, here: Arc<Here>) {
        // It starts once in the life of a slot.
        drop(self.running.set(here));
    }

    /// It does not start, for this reason, which is told in the log as well.
    pub(super) fn does_not_start(&self, problem: &Problem) {
        tell("the place does not start", problem);
        if let Some(finding) = problem.findings.first() {
            drop(self.starting.hindered.set(finding.text.clone()));
        }
    }

    fn place(&self) -> Arc<dyn Place> {
        match (self.running.get(), &self.elsewhere) {
            (Some(here), _) => here.clone(),
            (None, Some(elsewhere)) => elsewhere.clone(),
            (None, None) => self.starting.clone(),
        }
    }
}

impl Process {
    /// A process without places; `set` when its clock was set at the start.
    pub(crate) fn new(clock: Arc<dyn Clock>, set: bool, several: bool) -> Self {
        Self {
            clock,
            set,
            several,
            begun: SetOnce::new(),
            places: RwLock::default(),
        }
    }

    /// One more place, which is starting.
    pub(crate) fn adds(&self, settings: &Settings) -> Arc<Slot> {
        self.puts(settings, None)
    }

    /// A place that another node works for.
    pub(super) fn shows(&self, settings: &Settings, elsewhere: Elsewhere) {
        self.puts(settings, Some(Arc::new(elsewhere)));
    }

    fn puts(&self, settings: &Settings, elsewhere: Option<Arc<Elsewhere>>) -> Arc<Slot> {
        let slot = Arc::new(Slot {
            starting: Arc::new(Starting {
                settings: settings.clone(),
                hindered: OnceLock::new(),
            }),
            running: OnceLock::new(),
            elsewhere,
        });
        let mut places = self.places.write().unwrap_or_else(PoisonError::into_inner);
        places.insert(settings.place.id.clone(), slot.clone());
        slot
    }

    /// A place that is no longer one of this process.
    pub(crate) fn removes(&self, id: &PlaceId) {
        let mut places = self.places.write().unwrap_or_else(PoisonError::into_inner);
        places.remove(id);
    }

    /// The places it began with run, or do not start.
    pub(crate) fn has_begun(&self) {
        drop(self.begun.set(()));
    }

    fn slots(&self) -> RwLockReadGuard<'_, BTreeMap<PlaceId, Arc<Slot>>> {
        self.places.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn only(&self) -> Option<Arc<Slot>> {
        let slots = self.slots();
        let first = slots.values().next().cloned();
        first.filter(|_| slots.len() == 1)
    }
}

impl Node for Process {
    fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    fn now(&self) -> Timestamp {
        let only = self.only().filter(|_| !self.several);
        let running = only.as_ref().and_then(|slot| slot.running.get());
        running.map_or(&self.clock, |here| &here.clock).now()
    }

    fn clock_is_set(&self) -> bool {
        self.set
    }

    fn root(&self) -> Option<Arc<dyn Place>> {
        self.only().map(|slot| slot.place())
    }

    fn find(&self, id: &str) -> Option<Arc<dyn Place>> {
        let id: PlaceId = id.parse().ok()?;
        self.slots().get(&id).map(|slot| slot.place())
    }

    fn places(&self) -> Vec<Arc<dyn Place>> {
        self.slots().values().map(|slot| slot.place()).collect()
    }

    fn started(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            self.begun.wait().await;
        })
    }
}

/// A place whose log is being read.
struct Starting {
    settings: Settings,
    /// Why it does not start.
    hindered: OnceLock<Words>,
}

impl Starting {
    fn reason(&self) -> (&'static str, Words) {
        match self.hindered.get() {
            Some(why) => ("not-started", why.clone()),
            None => ("starting", starting()),
        }
    }
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
        let (_, why) = self.reason();
        Box::pin(async { Err(PostError::NotReady { why }) })
    }

    fn hook<'a>(&'a self, _: &'a str, _: Call) -> BoxFuture<'a, Result<Value, HookError>> {
        let (_, why) = self.reason();
        Box::pin(async { Err(HookError::NotReady { why }) })
    }

    fn follow(&self, _: Option<Position>) -> Result<Follow, FollowError> {
        Err(FollowError::NotReady)
    }

    fn readiness(&self) -> Readiness {
        let (code, text) = self.reason();
        Readiness {
            reasons: vec![Reason {
                code,
                about: String::new(),
                text,
            }],
            notes: Vec::new(),
        }
    }

    fn metrics(&self, _: &mut Exposition) {}

    fn programme(&self, _: Timestamp, _: usize) -> BoxFuture<'_, Option<Programme>> {
        Box::pin(async { None })
    }

    fn visit(&self, _: Visit) -> BoxFuture<'_, Answer> {
        Box::pin(async { Answer::NotReady })
    }
}
