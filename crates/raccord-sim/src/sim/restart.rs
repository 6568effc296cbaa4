//! The process dies, a backup comes back: the engine is what its log says.

use std::collections::BTreeSet;

use raccord_engine::{Engine, Input, Order};
use raccord_model::{ConnectorName, Words};

use super::{Broken, ShellFault, Sim, rules};

impl Sim {
    /// The engine as the log says it is, folded on from where it was folded before: each time the
    /// state goes through a snapshot.
    pub(super) fn rebuilt(&mut self) -> Engine {
        let tail = usize::from(self.shell == Some(ShellFault::ForgetTail));
        let until = self.log.len().saturating_sub(tail).max(1);
        let (mut from, mut engine) = (0, Engine::new());
        if let Some((until, snapshot)) = self.folded.take() {
            if let Some(known) = Engine::from_snapshot(&snapshot) {
                (from, engine) = (until, known);
            } else {
                self.fail("a snapshot cannot be read");
            }
        }
        for (index, (at, body)) in self.log[..until].iter().enumerate().skip(from) {
            if engine.fold(index as u64 + 1, *at, body).is_err() {
                self.broken
                    .get_or_insert(Broken("a commit cannot be folded".into()));
            }
        }
        self.folded = Some((until, engine.snapshot()));
        engine.remember(self.slots.iter().cloned());
        engine
    }

    /// The law of the log: folding it gives the same state, byte for byte.
    pub(crate) fn check_fold(&mut self) {
        if self.pending.is_empty() {
            let again = self.rebuilt();
            if again.snapshot() != self.engine.snapshot() {
                self.fail("folding the log does not give the state again");
            }
        }
    }

    pub(super) fn crash(&mut self, bits: u64) {
        self.check_fold();
        self.pending.clear();
        self.refused = None;
        self.shown.clone_from(&self.kept);
        self.missed.clone_from(&self.missed_kept);
        self.quiet.clone_from(&self.quiet_kept);
        for (index, call) in std::mem::take(&mut self.calls).into_iter().enumerate() {
            let Some(item) = call.work.items.into_iter().next().filter(|_| !call.failed) else {
                continue;
            };
            if item.latest.is_some_and(|latest| self.now > latest) {
                continue;
            }
            match (bits >> (2 * (index % 32))) & 3 {
                0 | 1 => {}
                2 => {
                    self.make(&call.work.connector, &item);
                }
                _ => self.send_late(&call.work.connector, item),
            }
        }
        self.engine = self.rebuilt();
        self.engine.start();
        self.coverage.restart(&self.engine);
        let health: BTreeSet<ConnectorName> = self
            .engine
            .state()
            .sinks
            .iter()
            .filter(|(_, sink)| {
                use raccord_engine::Health::{Off, Refused};
                matches!(sink.health, Off(_) | Refused(_))
            })
            .map(|(name, _)| name.clone())
            .collect();
        self.stopped.retain(|name, _| health.contains(name));
        self.muted = self.engine.state().muted.is_some();
        self.input(Input::Configure(Box::new(rules(
            self.config,
            self.only.as_deref(),
        ))));
    }

    pub(super) fn restore(&mut self, bits: u64) {
        let Some((until, missed)) = self.backup.clone() else {
            return;
        };
        self.unspill();
        self.crash(bits);
        self.pending.clear();
        for post in &mut self.posts {
            post.forgotten = true;
        }
        self.promised.clear();
        self.log.truncate(until);
        self.folded = None;
        self.missed = missed;
        self.restored = true;
        self.engine = self.rebuilt();
        self.engine.start();
        self.coverage.restart(&self.engine);
        self.stopped.clear();
        self.quiet.clear();
        self.step(
            vec![
                Input::Order(Order::Mute(Words::same("restored"))),
                Input::Configure(Box::new(rules(self.config, self.only.as_deref()))),
            ],
            Vec::new(),
        );
        self.muted = true;
        self.flush();
    }
}
