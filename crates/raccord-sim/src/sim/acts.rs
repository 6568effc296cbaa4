//! What each act of a story does.

use jiff::{SignedDuration, Timestamp};
use raccord_engine::{Input, Order};
use raccord_model::{Blame, ConnectorName, EntityId, EntityKind, Observation, Words};
use serde_json::json;

use super::{MEMBERS, Sim, failure, source};
use crate::act::Act;
use crate::sheet::Row;
use crate::tools;

impl Sim {
    /// One act.
    pub fn act(&mut self, act: Act) {
        self.tell_reader(|| format!("{act:?}"));
        match act {
            Act::Add(ahead) => {
                let day = self.today() + i32::from(ahead % 40);
                self.add(day);
            }
            Act::Retitle(pick) => self.edit(pick, |row| row.title += 1),
            Act::Move(pick) => self.edit(pick, |row| row.day += 1),
            Act::Hide(pick) => self.edit(pick, |row| row.internal = !row.internal),
            Act::Cancel(pick) => {
                if let Some(key) = self.sheet.pick(pick) {
                    self.may_cancel.insert(format!("k{key}"));
                }
                self.edit(pick, |row| row.cancelled = !row.cancelled);
            }
            Act::Cut(pick) => {
                if let Some(key) = self.sheet.pick(pick)
                    && self.is_coming(key)
                    && let Some(row) = self.sheet.rows.remove(&key)
                {
                    self.sheet.cut.insert(key, row);
                }
            }
            Act::Paste => self.paste(),
            Act::Spill => self.spill(),
            Act::Unspill => self.unspill(),
            Act::Read => self.read(),
            Act::ReadFails => {
                let seen = Err::<Observation, _>(failure(Blame::Transient, "unreadable"));
                self.input(Input::Observed {
                    source: source(),
                    seen,
                });
            }
            Act::Credit(person) => {
                let person = EntityId::derive(&[b"person", &[person % 3]]);
                let fields = [
                    ("person".to_owned(), json!(person.to_string())),
                    ("amount".to_owned(), json!(150)),
                ];
                let subject = format!("c{}", self.posts.len());
                self.post(EntityKind::Credit, subject, fields.into());
            }
            Act::SignUp(who) => {
                let task = EntityId::derive(&[b"task"]);
                let fields = [
                    ("task".to_owned(), json!(task)),
                    ("name".to_owned(), json!(format!("canary{who}"))),
                ];
                self.post(
                    EntityKind::Registration,
                    format!("r{}", who % 3),
                    fields.into(),
                );
            }
            Act::Join(pick) => self.join(pick),
            Act::Leave(pick) => self.leave(pick),
            Act::Tick(pick) => self.tick(pick),
            Act::Repost(pick) => {
                let durable: Vec<usize> = (0..self.posts.len())
                    .filter(|&index| self.posts[index].confirmed && !self.posts[index].forgotten)
                    .collect();
                if let Some(count) = std::num::NonZeroU64::new(durable.len() as u64) {
                    self.repost(durable[(pick % count) as usize]);
                }
            }
            Act::Answer(pick, fate) => self.answer(pick, fate),
            Act::AnswerAgain(pick) => {
                let count = self.answers.len().max(1) as u64;
                if let Some((connector, family, delivery, outcome)) =
                    self.answers.get((pick % count) as usize).cloned()
                    && !self
                        .calls
                        .iter()
                        .any(|call| call.work.items.iter().any(|item| item.delivery == delivery))
                    && self.pending.is_empty()
                {
                    self.input(Input::Outcome {
                        connector,
                        family,
                        delivery,
                        outcome,
                    });
                }
            }
            Act::Wait(seconds) => {
                let long = !self.sheet.spilt.is_empty();
                let seconds = if long { seconds.min(600) } else { seconds };
                let wait = SignedDuration::from_secs(i64::from(seconds));
                self.wait(self.now.saturating_add(wait).unwrap_or(self.now));
            }
            Act::Flush => self.flush(),
            Act::Crash(bits) => self.crash(bits),
            Act::Backup => {
                self.flush();
                self.backup = Some((self.log.len(), self.missed_kept.clone()));
            }
            Act::Restore(bits) => self.restore(bits),
            Act::Unmute => self.unmute(),
            Act::Mute => {
                self.order(Order::Mute(Words::same("rest")));
                self.muted = true;
            }
            Act::Decide(pick, yes) => {
                let count = self.engine.state().holds.len().max(1) as u64;
                let hold = self
                    .engine
                    .state()
                    .holds
                    .keys()
                    .nth((pick % count) as usize)
                    .copied();
                if let Some(hold) = hold {
                    self.decide(hold, yes);
                }
            }
            Act::Retry(pick) => {
                let dead: Vec<_> = self.dead();
                if let Some(count) = std::num::NonZeroU64::new(dead.len() as u64) {
                    self.order(Order::Retry(dead[(pick % count) as usize]));
                }
            }
            Act::SwitchOn(pick) => {
                let name = tools::NAMES[(pick % tools::NAMES.len() as u64) as usize];
                self.switch_on(&name.parse().expect("a plain name"));
            }
            Act::Configure(config) => {
                self.config = config;
                self.configure();
            }
            Act::Edit(pick) => self.edited(pick),
            Act::Delete(pick) => self.delete(pick),
            Act::Nameless => self.sheet.nameless = true,
            Act::Rework(pick) => self.rework(pick),
        }
    }

    /// The seconds since the first day began.
    pub(super) fn today(&self) -> i32 {
        let days = self
            .now
            .duration_since("2026-12-01T00:00:00Z".parse().expect("an instant"));
        (days.as_secs() / 86_400) as i32
    }

    pub(crate) fn add(&mut self, day: i32) {
        let key = self.sheet.next;
        self.sheet.next += 1;
        let row = Row {
            title: 0,
            day,
            cancelled: false,
            internal: false,
            reworked: false,
        };
        self.sheet.rows.insert(key, row);
    }

    pub(crate) fn paste(&mut self) {
        let cut = std::mem::take(&mut self.sheet.cut);
        self.sheet.rows.extend(cut);
    }

    pub(crate) fn unspill(&mut self) {
        let spilt = std::mem::take(&mut self.sheet.spilt);
        self.sheet.rows.extend(spilt);
    }

    pub(super) fn edit(&mut self, pick: u64, change: impl FnOnce(&mut Row)) {
        let Some(key) = self.sheet.pick(pick) else {
            return;
        };
        if let Some(row) = self.sheet.rows.get_mut(&key) {
            change(row);
        }
    }

    pub(super) fn spill(&mut self) {
        self.flush();
        self.read();
        self.flush();
        let coming = self
            .sheet
            .rows
            .keys()
            .copied()
            .filter(|&key| self.is_coming(key))
            .collect::<Vec<_>>();
        let accepted = self
            .engine
            .state()
            .sources
            .get(&source())
            .is_some_and(|state| {
                state.held.is_none() && state.lines.len() >= self.sheet.rows.len()
            });
        let standing = coming
            .iter()
            .filter(|key| !self.sheet.rows[key].cancelled)
            .count();
        if standing < 6 || !accepted || !self.sheet.cut.is_empty() {
            return;
        }
        for key in coming.into_iter().skip(1) {
            if let Some(row) = self.sheet.rows.remove(&key) {
                self.sheet.spilt.insert(key, row);
            }
        }
    }

    /// A line of which nothing much is left may be taken for another one.
    pub(super) fn rework(&mut self, pick: u64) {
        if let Some(key) = self.sheet.pick(pick) {
            self.may_cancel.insert(format!("k{key}"));
        }
        self.edit(pick, |row| {
            row.reworked = !row.reworked;
            row.day += 1;
        });
    }

    pub(super) fn delete(&mut self, pick: u64) {
        let name: ConnectorName = "chat".parse().expect("a plain name");
        let tool = self.tools.get_mut(&name).expect("every sink has its tool");
        let count = tool.objects.len() as u64;
        if let Some(at) = pick.checked_rem(count)
            && self.late.is_empty()
        {
            let object = tool.objects.remove(at as usize);
            let key = object.body["key"].as_str().unwrap_or_default();
            self.deleted.insert(key.to_owned());
        }
    }

    pub(super) fn edited(&mut self, pick: u64) {
        let name: ConnectorName = "calendar".parse().expect("a plain name");
        let tool = self.tools.get_mut(&name).expect("every sink has its tool");
        let count = tool.objects.len().max(1) as u64;
        let Some(object) = tool.objects.get_mut((pick % count) as usize) else {
            return;
        };
        if object.body.get("title").is_none() || !self.late.is_empty() {
            return;
        }
        let (field, value) = if pick & 256 == 0 {
            object.body["title"] = json!(MEMBERS);
            ("title", json!(MEMBERS))
        } else {
            ("room", json!("attic"))
        };
        object.version += 1;
        let entity = object.entity;
        let theirs = [(field.to_owned(), value)].into();
        // The edit is read back at every look, until it is known.
        self.input(Input::Edited {
            connector: name,
            entity,
            theirs,
        });
        self.flush();
    }

    pub(crate) fn wait(&mut self, until: Timestamp) {
        self.now = self.now.max(until);
        self.ring_late();
        self.input(Input::Tick);
    }
}
