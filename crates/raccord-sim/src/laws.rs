//! Everything heals; then the laws are read from what the tools hold.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use raccord_engine::{Health, HoldKind};
use raccord_model::{
    ConnectorName, Context, EntityKind, Lang, Observation, Render as _, Rendered, Subject,
};
use serde_json::{Value, json};

use crate::act::{Act, Fate};
use crate::sim::{MEMBERS, Sim};
use crate::tools::{Canvas, Object};

/// How many rounds healing may take.
const ROUNDS: u32 = 400;
/// In how many of them nobody decides, and what was set aside stays where it is.
const PATIENT: u32 = 8;

impl Sim {
    /// Every tool answers, every person decides, until nothing is owed any more.
    pub fn heal(&mut self) {
        self.unspill();
        self.flush();
        self.unmute();
        self.sheet_settles();
        self.configure();
        let mut calm = 0;
        for round in 0..ROUNDS {
            self.healing = round;
            if round == PATIENT {
                self.read();
                self.flush();
                self.nothing_newer_waits();
                self.what_is_asked_is_of_now();
            }
            self.round();
            calm = if self.is_calm() { calm + 1 } else { 0 };
            if calm > 3 || self.broken.is_some() {
                return;
            }
        }
        let state = self.engine.state();
        let open: Vec<String> = state
            .sinks
            .iter()
            .filter(|(_, sink)| !sink.lanes.is_empty())
            .map(|(name, sink)| format!("{name} ({:?}) owes {}", sink.health, sink.lanes.len()))
            .collect();
        let holds: Vec<String> = state
            .holds
            .values()
            .map(|waiting| format!("{:?}", waiting.hold.what))
            .collect();
        self.fail(format!("it never comes to rest: {open:?} {holds:?}"));
    }

    /// What was refused stands no more: the sheet says something new.
    fn sheet_settles(&mut self) {
        self.add(20);
    }

    fn is_calm(&self) -> bool {
        let state = self.engine.state();
        self.calls.is_empty()
            && self.late.is_empty()
            && state.holds.is_empty()
            && state
                .sinks
                .values()
                .all(|sink| sink.lanes.is_empty() && sink.dead.is_empty())
            && self.the_lost_have_settled()
            && state.sources.values().all(|source| {
                source.held.is_none() && source.missing.is_empty() && source.failing.is_none()
            })
    }

    /// What a lost log may have sent before a restore can be seen by now.
    fn the_lost_have_settled(&self) -> bool {
        let state = self.engine.state();
        state.sinks.keys().all(|name| {
            let until = state.unknown_until(name);
            until.is_none_or(|until| until + crate::tools::settle(name.as_str()) <= self.now)
        })
    }

    fn round(&mut self) {
        self.flush();
        for index in 0..self.posts.len() {
            if !self.posts[index].confirmed {
                self.repost(index);
            }
        }
        self.flush();
        let stopped: Vec<ConnectorName> = self
            .engine
            .state()
            .sinks
            .iter()
            .filter(|(_, sink)| matches!(sink.health, Health::Refused(_) | Health::Off(_)))
            .map(|(name, _)| name.clone())
            .collect();
        for name in stopped {
            self.switch_on(&name);
        }
        if self.healing >= PATIENT {
            self.retry_aside();
        }
        self.flush();
        if self.healing >= PATIENT {
            self.decide_all();
        }
        for _ in 0..10_000 {
            if self.calls.is_empty() {
                break;
            }
            self.answer(0, Fate::Good);
            self.flush();
        }
        let soon = self
            .now
            .saturating_add(SignedDuration::from_secs(60))
            .unwrap_or(self.now);
        let next = self
            .engine
            .wake()
            .into_iter()
            .chain(self.next_late())
            .fold(soon, Ord::min);
        self.wait(next.max(self.now));
        self.flush();
        if next >= soon || self.engine.looks().iter().any(|look| look.at <= self.now) {
            self.read();
            self.flush();
        }
    }

    fn decide_all(&mut self) {
        let holds: Vec<_> = self.engine.state().holds.keys().copied().collect();
        for hold in holds {
            let rules = matches!(
                self.engine
                    .state()
                    .holds
                    .get(&hold)
                    .map(|waiting| &waiting.hold.what),
                Some(HoldKind::Rules { .. })
            );
            self.decide(hold, true);
            if rules {
                self.configure();
            }
            self.flush();
        }
    }

    fn retry_aside(&mut self) {
        if self.healing.is_multiple_of(2) {
            self.retry_all();
        }
        for dead in self.dead() {
            self.order(raccord_engine::Order::Retry(dead));
        }
    }

    /// What a tool refused is set aside as it was; what people wrote since is tried without them.
    fn nothing_newer_waits(&mut self) {
        let state = self.engine.state();
        let Some(rules) = &state.rules else { return };
        let now = jiff::tz::TimeZone::UTC.to_datetime(self.now);
        let context = Context {
            place: &rules.place,
            lang: Lang::En,
            today: now.date(),
            route: None,
        };
        // Nothing is announced of what is over.
        let over = |id| {
            let record: Option<&raccord_engine::Record> = state.entities.get(&id);
            record.is_some_and(|record| record.when().over_at().is_some_and(|over| over <= now))
        };
        let older = state.sinks.iter().find_map(|(name, sink)| {
            let asides = sink.dead.values().filter(|aside| aside.event.is_none());
            asides.into_iter().find_map(|aside| {
                let entity = state.entity(aside.entity)?;
                let parent = entity.text("activity").parse().ok();
                let parent = parent.and_then(|parent| state.entity(parent));
                let subject = Subject::Entity {
                    entity: &entity,
                    parent: parent.as_ref(),
                    tasks: &[],
                };
                let Rendered::Object(desired) = Canvas.render(name, subject, &context) else {
                    return None;
                };
                let newer = desired.body["cancelled"] == false
                    && aside.hash != Some(desired.hash)
                    && !over(aside.entity);
                newer.then(|| format!("a newer {} waits behind a refused one", desired.title))
            })
        });
        if let Some(law) = older {
            self.fail(law);
        }
    }

    /// A reading that waits for a yes is the one the sheet gives now: an undo ends the question.
    fn what_is_asked_is_of_now(&mut self) {
        let Observation::Complete(now) = self.sheet.read(None) else {
            return;
        };
        let undone = self.engine.state().holds.values().any(|waiting| {
            matches!(waiting.hold.what, HoldKind::Reading { content, .. } if content != now.digest)
        });
        if undone {
            self.fail("a person is asked about a reading that was undone");
        }
    }

    /// What must be true of the tools once everything healed.
    pub fn judge(&mut self) {
        if self.broken.is_some() {
            return;
        }
        self.check_fold();
        let mut wrong = Vec::new();
        self.objects_are_right(&mut wrong);
        self.events_are_right(&mut wrong);
        self.sent_once(&mut wrong);
        self.print_is_right(&mut wrong);
        self.places_are_right(&mut wrong);
        if let Some(first) = wrong.into_iter().next() {
            self.fail(first);
        }
    }

    fn objects_are_right(&self, wrong: &mut Vec<String>) {
        for name in ["calendar", "chat"] {
            if !self.uses(name) {
                continue;
            }
            let tool = &self.tools[&name.parse::<ConnectorName>().expect("a plain name")];
            let mut by_key: BTreeMap<String, Vec<&Object>> = BTreeMap::new();
            let mut by_entity: BTreeMap<_, u32> = BTreeMap::new();
            for object in &tool.objects {
                let key = object.body["key"].as_str().unwrap_or_default().to_owned();
                by_key.entry(key).or_default().push(object);
                *by_entity.entry(object.entity).or_default() += 1;
            }
            if let Some((entity, count)) = by_entity.iter().find(|(_, count)| **count > 1) {
                wrong.push(format!("{name} holds {entity} {count} times"));
            }
            for (&key, row) in &self.sheet.rows {
                if !self.is_coming(key) {
                    continue;
                }
                let fields = row.fields(key);
                let found = by_key
                    .get(&format!("k{key}"))
                    .map(Vec::as_slice)
                    .unwrap_or_default();
                let taken = self.taken.get(&format!("k{key}")) == Some(&row.title);
                let right = |object: &&&Object| {
                    (object.body["title"] == fields["title"]
                        || taken && object.body["title"] == MEMBERS)
                        && object.body["start"] == fields["start"]
                        && object.body["cancelled"] == row.cancelled
                };
                // Without names of their own, a line that changed beyond recognition is another
                // activity; but nothing may stand twice as it is.
                let standing = if self.sheet.nameless {
                    let standing = |object: &&&Object| right(object) && !row.cancelled;
                    found.iter().filter(standing).count()
                } else {
                    found.len()
                };
                if standing > 1 && !self.restored {
                    wrong.push(format!("{name} holds k{key} {standing} times"));
                }
                let deleted = self.deleted.contains(&format!("k{key}"));
                let optional = name == "chat" && (row.cancelled || deleted);
                let shown = found.iter().any(|object| right(&object));
                if name == "chat" && row.internal {
                    if standing > 0 && !self.restored {
                        wrong.push(format!("chat shows k{key}, which is internal"));
                    }
                } else if self.restored && row.cancelled {
                    // What the lost part of the log announced under another name stays as it is.
                } else if !(shown || optional && standing == 0) {
                    let held: Vec<_> = found.iter().map(|object| &object.body).collect();
                    wrong.push(format!(
                        "{name} does not show k{key} as it is: {held:?}, {fields:?}"
                    ));
                }
                // The tasks of what is first known as cancelled are not known at all.
                let unknown = self.restored && row.cancelled;
                if key % 2 == 0 && !unknown {
                    self.tasks_are_right(name, key, row.cancelled, &by_key, wrong);
                }
            }
            for &key in self.sheet.cut.keys() {
                // What was moved and taken out between two readings is over where it stood.
                let Some(row) = self.shown.get(&key) else {
                    continue;
                };
                let found = by_key.get(&format!("k{key}"));
                let standing = found.is_some_and(|found| {
                    // A change that waited for an answer never showed.
                    let comes = |body: &Value| !self.sheet.nameless || self.comes(body);
                    let stands = |body: &Value| body["cancelled"] == false && comes(body);
                    found.iter().any(|object| stands(&object.body))
                });
                let coming = self.comes(&json!(row.fields(key)));
                if coming && standing && !self.restored {
                    wrong.push(format!("{name} still shows k{key}, which was taken out"));
                }
            }
        }
    }

    /// Whether what starts then is still to come.
    pub(crate) fn comes(&self, said: &Value) -> bool {
        let start = said["start"].as_str().and_then(|text| text.parse().ok());
        let today = jiff::tz::TimeZone::UTC.to_datetime(self.now);
        start.is_some_and(|start| raccord_model::over_at(start, None) > today)
    }

    fn tasks_are_right(
        &self,
        name: &str,
        key: u32,
        cancelled: bool,
        by_key: &BTreeMap<String, Vec<&Object>>,
        wrong: &mut Vec<String>,
    ) {
        // A line without a name, written anew, leaves what is over at the second look as it was.
        let over = self.sheet.nameless
            && self.former.get(&key).is_some_and(|former| {
                former
                    .iter()
                    .any(|row| !self.comes(&json!(row.fields(key))))
            });
        for title in ["Host", "Clean"] {
            let gone = cancelled || (title == "Clean" && self.config % 4 == 3);
            let task = format!("k{key}/{title}");
            let found = by_key.get(&task).map(Vec::as_slice).unwrap_or_default();
            let right = found.iter().any(|object| object.body["cancelled"] == gone);
            let deleted = name == "chat" && self.deleted.contains(&task);
            // Without names, a former activity's task may still be told as cancelled.
            let standing = found.iter().any(|object| object.body["cancelled"] == false);
            // What only the lost part of a log made, and no rule makes any more, nothing names.
            let lost = self.restored && gone && !cancelled;
            // Somebody said that a task stays although nothing asks for it.
            let kept = gone && self.kept_tasks && standing;
            let nothing_left =
                kept || gone && (over || lost || found.is_empty()) || deleted && !standing;
            if !right && !nothing_left {
                wrong.push(format!(
                    "{name} does not show {task} as it is (gone: {gone})"
                ));
            }
        }
    }

    fn events_are_right(&self, wrong: &mut Vec<String>) {
        let hook = &self.tools[&"hook".parse::<ConnectorName>().expect("a plain name")];
        let mut known: BTreeMap<_, Vec<u64>> = BTreeMap::new();
        for arrival in &hook.arrivals {
            known
                .entry(arrival.entity)
                .or_default()
                .push(arrival.revision);
        }
        if self.restored || !self.uses("hook") {
            return;
        }
        for (entity, revisions) in known {
            let mut sorted = revisions.clone();
            sorted.sort_unstable();
            let whole: Vec<u64> = (1..=sorted.len() as u64).collect();
            if sorted != whole {
                wrong.push(format!("hook got revisions {sorted:?} of {entity}"));
            }
            if self.died.is_empty() && sorted != revisions {
                wrong.push(format!("hook got {revisions:?} of {entity} in this order"));
            }
        }
        for (&key, row) in &self.sheet.rows {
            let fields = row.fields(key);
            let mine = hook
                .arrivals
                .iter()
                .filter(|arrival| arrival.data["organiser"] == fields["organiser"])
                .max_by_key(|arrival| arrival.revision);
            let taken = self.taken.get(&format!("k{key}")) == Some(&row.title);
            let right = mine.is_some_and(|arrival| {
                arrival.data["title"] == fields["title"]
                    || taken && arrival.data["title"] == MEMBERS
            });
            if !right && !self.sheet.nameless {
                wrong.push(format!("hook did not get the newest of k{key}"));
            }
        }
    }

    /// Credits, and what cannot be taken back: once each.
    fn sent_once(&self, wrong: &mut Vec<String>) {
        for (name, kind) in [
            ("purse", EntityKind::Credit),
            ("post", EntityKind::Registration),
            ("hook", EntityKind::Credit),
        ] {
            if !self.uses(name) {
                continue;
            }
            let tool = &self.tools[&name.parse::<ConnectorName>().expect("a plain name")];
            for post in self.posts.iter().filter(|post| post.change.kind == kind) {
                let count = tool
                    .arrivals
                    .iter()
                    .filter(|arrival| arrival.data["n"] == post.n)
                    .count();
                if count > 1 || (count == 0 && !post.forgotten) {
                    wrong.push(format!("{name} got post {} {count} times", post.n));
                }
            }
        }
    }

    fn print_is_right(&self, wrong: &mut Vec<String>) {
        let print = &self.tools[&"print".parse::<ConnectorName>().expect("a plain name")];
        for (&key, row) in &self.sheet.rows {
            if !self.uses("print") || !self.is_coming(key) || row.cancelled || row.internal {
                continue;
            }
            let fields = row.fields(key);
            let month = fields["start"].as_str().and_then(|text| text.get(..7));
            let page = print
                .objects
                .iter()
                .find(|object| object.body["key"].as_str() == month);
            let printed = page
                .and_then(|page| page.body["titles"].as_array())
                .is_some_and(|titles| {
                    let taken = self.taken.get(&format!("k{key}")) == Some(&row.title);
                    titles.contains(&fields["title"])
                        || taken && titles.iter().any(|title| title == MEMBERS)
                });
            if !printed {
                wrong.push(format!("k{key} is not printed in {month:?}"));
            }
        }
    }
}

impl Sim {
    /// The law of the plan: what it names is what a pass right after it makes, no more, no less.
    ///
    /// Everything is healed and nothing is under way; people edit a few lines first.
    pub fn plan_is_kept(&mut self) {
        if self.broken.is_some() {
            return;
        }
        let edits = self.trace.0;
        for byte in edits.into_iter().take(3) {
            let pick = u64::from(byte) / 8;
            self.act(match byte % 8 {
                0 | 1 => Act::Retitle(pick),
                2 => Act::Move(pick),
                3 => Act::Cancel(pick),
                4 => Act::Hide(pick),
                5 => Act::Cut(pick),
                6 => Act::Rework(pick),
                _ => Act::Add(byte),
            });
        }
        let named = self.named();
        // A person said that it is there; where it cannot be found, it is made once that is sure.
        let vouched: BTreeSet<_> = named
            .iter()
            .filter(|(sink, entity)| {
                let target = self.engine.state().sinks[sink].targets.get(entity);
                let link = target.and_then(|target| target.link.as_ref());
                link.is_some_and(raccord_model::Link::is_nameless)
            })
            .cloned()
            .collect();
        self.made = Some(BTreeSet::new());
        self.read();
        self.flush();
        while !self.calls.is_empty() && self.broken.is_none() {
            self.answer(0, Fate::Good);
            self.flush();
        }
        let made = self.made.take().unwrap_or_default();
        let unnamed: Vec<_> = made.difference(&named).collect();
        let unkept: Vec<_> = named
            .difference(&made)
            .filter(|at| !vouched.contains(at))
            .collect();
        if !unnamed.is_empty() || !unkept.is_empty() {
            self.fail(format!(
                "the plan does not name what is made: not named {unnamed:?}, not made {unkept:?}"
            ));
        }
    }
}

/// Plays a story to its end.
pub fn play(acts: &[Act], shell: Option<crate::sim::ShellFault>) -> Sim {
    play_on(Sim::new(shell), acts)
}

/// Plays a story to its end, and notes what happens in it.
pub fn tell(acts: &[Act], shell: Option<crate::sim::ShellFault>) -> Vec<String> {
    let mut sim = Sim::new(shell);
    sim.told = Some(Vec::new());
    play_on(sim, acts).told.unwrap_or_default()
}

fn play_on(mut sim: Sim, acts: &[Act]) -> Sim {
    for &act in acts {
        sim.act(act);
        if sim.broken.is_some() {
            return sim;
        }
    }
    sim.tell_reader(|| "everything heals".to_owned());
    sim.heal();
    sim.judge();
    sim.plan_is_kept();
    sim
}
