//! The calls of tools: who may be asked what one means, and what becomes of it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use raccord_kit::hook::{Heard, Unheard};
use raccord_model::{Call, ConnectorName};
use raccord_web::{Exposition, HookError, Kind};
use tokio::sync::watch;

use crate::connectors::Tools;

/// How many calls of one tool are taken at once after a pause.
const BURST: f64 = 200.0;
/// How many a second in the long run.
const PER_SECOND: f64 = 20.0;

/// The tools that call, as the settings of now make them.
#[derive(Default)]
pub(crate) struct Hooks {
    tools: Arc<Tools>,
    doors: BTreeMap<ConnectorName, Arc<Door>>,
}

/// What is kept of one tool that calls.
#[derive(Default)]
struct Door {
    /// Moves when its source is to be read now.
    hinted: watch::Sender<u64>,
    room: Mutex<Room>,
    taken: AtomicU64,
    refused: AtomicU64,
}

impl Hooks {
    /// The doors of these tools; what was counted before goes on.
    pub(crate) fn of(tools: &Arc<Tools>, before: &Self) -> Self {
        let called = tools.iter().filter(|(_, tool)| tool.hook().is_some());
        let door = |name: &ConnectorName| before.doors.get(name).cloned().unwrap_or_default();
        Self {
            doors: called.map(|(name, _)| (name.clone(), door(name))).collect(),
            tools: Arc::clone(tools),
        }
    }

    /// What moves when the source of this tool is to be read now; none where nothing calls.
    pub(crate) fn hints(&self, name: &ConnectorName) -> Option<watch::Receiver<u64>> {
        self.doors.get(name).map(|door| door.hinted.subscribe())
    }

    /// What a call means; a forged one takes no room from the tool's own.
    pub(crate) fn hear(&self, name: &ConnectorName, call: &Call) -> Result<Heard, HookError> {
        let tool = self.tools.get(name).and_then(|tool| tool.hook());
        let (Some(hook), Some(door)) = (tool, self.doors.get(name)) else {
            return Err(HookError::Unknown);
        };
        let heard = hook.hear(call).map_err(|unheard| {
            door.refused.fetch_add(1, Ordering::Relaxed);
            match unheard {
                Unheard::Forged => HookError::Forged,
                Unheard::Unfit(why) => HookError::Unfit(why),
            }
        })?;
        let mut room = door.room.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(retry_after) = room.take(Instant::now()) {
            return Err(HookError::Overloaded { retry_after });
        }
        Ok(heard)
    }

    /// What a call said was made durable: its source is read where that was hinted.
    pub(crate) fn took(&self, name: &ConnectorName, hint: bool) {
        let Some(door) = self.doors.get(name) else {
            return;
        };
        door.taken.fetch_add(1, Ordering::Relaxed);
        if hint {
            door.hinted.send_modify(|times| *times += 1);
        }
    }

    /// Writes what was counted; `docs/metrics.md` lists it.
    pub(crate) fn expose(&self, out: &mut Exposition) {
        for (name, door) in &self.doors {
            for (outcome, count) in [("taken", &door.taken), ("refused", &door.refused)] {
                out.add(
                    "raccord_hook_calls_total",
                    Kind::Counter,
                    "Calls of tools, by what became of them.",
                    &[("connector", name.as_str()), ("outcome", outcome)],
                    count.load(Ordering::Relaxed) as f64,
                );
            }
        }
    }
}

/// A bucket that fills again as time passes.
struct Room {
    left: f64,
    at: Option<Instant>,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            left: BURST,
            at: None,
        }
    }
}

impl Room {
    /// Takes room for one call; else how long until there is some.
    fn take(&mut self, now: Instant) -> Option<Duration> {
        let passed = self
            .at
            .map_or(0.0, |at| now.saturating_duration_since(at).as_secs_f64());
        self.at = Some(now);
        self.left = (self.left + passed * PER_SECOND).min(BURST);
        if self.left >= 1.0 {
            self.left -= 1.0;
            return None;
        }
        Some(Duration::from_secs_f64((1.0 - self.left) / PER_SECOND))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_told_how_long_to_wait_and_then_taken() {
        let mut room = Room::default();
        let start = Instant::now();
        assert!((0..200).all(|_| room.take(start).is_none()));
        let wait = room.take(start).unwrap();
        assert!(wait <= Duration::from_millis(50), "{wait:?}");
        assert_eq!(room.take(start + Duration::from_millis(51)), None);
        let later = start + Duration::from_mins(10);
        assert!((0..200).all(|_| room.take(later).is_none()));
        assert!(
            room.take(later).is_some(),
            "no more than a burst is saved up"
        );
    }
}
