//! Which nodes live, and which of them holds which place.
//!
//! Each node says twice a second that it lives; who holds a place stands in one message per place,
//! which is only written after the one that was read. Nobody trusts the clock of another machine:
//! whether a node lives is told by the hours at which the servers took its word and ours. To hold a
//! place is a courtesy that keeps two from working for it at once; what makes it safe is the term
//! that opening its log takes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_nats::HeaderMap;
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::future::AbortHandle;
use raccord_model::PlaceId;
use tokio::sync::watch;
use tokio::time::Instant;

use super::broker::{Failure, Message, Only, Since};
use super::error::ClusterError;
use super::link::{Jetstream, Put};
use super::streams;
use super::witness::Copy;
use crate::LogError;

/// How often a node says that it lives.
const BEAT: Duration = Duration::from_millis(500);

/// A node that was silent for so long is dead to the others, and takes itself for dead.
const SILENCE: Duration = Duration::from_secs(3);

/// The words of a node that was silent for so long are taken away.
const FORGOTTEN: Duration = Duration::from_hours(1);

/// This process, among the nodes of its cluster.
#[derive(Debug)]
pub struct Node {
    link: Jetstream,
    id: Arc<str>,
    view: watch::Receiver<View>,
    heard: watch::Receiver<Option<Heard>>,
    /// In which of its lives it took each place.
    claims: Mutex<BTreeMap<PlaceId, u64>>,
    tasks: Vec<AbortHandle>,
}

/// The servers took a word of ours.
#[derive(Clone, Copy, Debug)]
struct Heard {
    /// It was said after this, by the clock that stands still while the machine sleeps, and by the one
    /// that goes on.
    at: Instant,
    elapsed: Duration,
    /// How often the node was silent for so long before that others may have taken it for dead.
    life: u64,
}

impl Heard {
    /// Whether the others surely take a node for alive that was heard then.
    fn is_fresh(self, link: &Jetstream) -> bool {
        link.now() < self.at + SILENCE && link.elapsed() < self.elapsed + SILENCE
    }
}

/// The nodes and the places, as they were when our own last word came back.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// The hour of our own last word, by the servers' clock, in nanoseconds.
    now: Option<i128>,
    beats: BTreeMap<String, i128>,
    /// Those that said good-bye: no name is used twice.
    left: BTreeSet<String>,
    serves: BTreeMap<String, BTreeSet<PlaceId>>,
    holders: BTreeMap<PlaceId, (String, u64)>,
    /// The last message that was read.
    reached: u64,
    /// Who lived when the servers were seen to have gone back to an earlier moment, and when that was.
    pub(super) missed: Option<(BTreeSet<String>, Instant)>,
}

impl View {
    /// The nodes that live, with what each could work for.
    pub fn living(&self) -> impl Iterator<Item = (&str, &BTreeSet<PlaceId>)> {
        static NOTHING: BTreeSet<PlaceId> = BTreeSet::new();
        self.beats
            .keys()
            .filter(|node| self.lives(node))
            .map(|node| {
                let serves = self.serves.get(node).unwrap_or(&NOTHING);
                (node.as_str(), serves)
            })
    }

    /// The node that holds `place`, if it lives.
    pub fn holder(&self, place: &PlaceId) -> Option<&str> {
        let (node, _) = self.holders.get(place)?;
        self.lives(node).then_some(node)
    }

    /// What the node said last that it could work for; none where the servers know of nothing.
    pub fn serves(&self, node: &str) -> Option<&BTreeSet<PlaceId>> {
        self.serves.get(node)
    }

    /// When the living node that holds `place` spoke last.
    fn last_word(&self, place: &PlaceId) -> Option<i128> {
        let holder = self.holder(place)?;
        self.beats.get(holder).copied()
    }

    /// Every place that a living node holds.
    pub fn held(&self) -> impl Iterator<Item = (&PlaceId, &str)> {
        let held = self
            .holders
            .iter()
            .filter(|(_, (node, _))| self.lives(node));
        held.map(|(place, (node, _))| (place, node.as_str()))
    }

    pub(super) fn lives(&self, node: &str) -> bool {
        let beat = self.beats.get(node).filter(|_| !self.left.contains(node));
        let beat = beat.copied();
        let silent = self.now.zip(beat).map(|(now, beat)| now - beat);
        silent.is_some_and(|silent| silent <= SILENCE.as_nanos() as i128)
    }

    /// Nodes that said good-bye, or nothing, for so long that nobody asks after them.
    fn forgotten(&self) -> Vec<String> {
        let now = self.now.unwrap_or_default();
        let silent = |at: &i128| now - at > FORGOTTEN.as_nanos() as i128;
        let old = self.beats.iter().filter(|(_, at)| silent(at));
        old.map(|(node, _)| node.clone()).collect()
    }

    /// This view, read anew after `before`.
    fn after(mut self, before: &Self, now: Instant) -> Self {
        self.missed = if self.reached < before.reached {
            let living = before.living().map(|(node, _)| node.to_owned());
            Some((living.collect(), now))
        } else {
            before.missed.clone()
        };
        self
    }

    /// Takes a message of the stream; `us` is our own name.
    fn take(&mut self, us: &str, subject: &str, said: &str, (sequence, at): (u64, i128)) {
        let mut tokens = subject.split('.').skip(1);
        let (Some(kind), Some(name)) = (tokens.next(), tokens.next()) else {
            return;
        };
        match kind {
            "beat" => {
                self.reached = self.reached.max(sequence);
                if name == us {
                    self.now = Some(at);
                }
                self.beats.insert(name.to_owned(), at);
                if said.is_empty() {
                    self.left.insert(name.to_owned());
                }
            }
            "serves" => {
                let places = said.split(' ').filter_map(|place| place.parse().ok());
                self.serves.insert(name.to_owned(), places.collect());
            }
            "holder" => {
                if let Ok(place) = name.parse() {
                    self.holders.insert(place, (said.to_owned(), sequence));
                }
            }
            _ => {}
        }
    }
}

impl Node {
    /// Says that this process lives, under `name` and a word of its own, and waits until that was
    /// heard and it knows the others.
    ///
    /// # Errors
    /// As the cluster refuses.
    pub fn join(link: &Jetstream, name: &str) -> Result<Self, LogError> {
        let word = u64::from_be_bytes(link.drawn(streams::NODES)?);
        let id: Arc<str> = format!("{}-{word:016x}", as_token(name)).into();
        let (show, view) = watch::channel(View::default());
        let (tell, heard) = watch::channel(None);
        let ours = (Arc::clone(&id), heard.clone());
        let watching = link.spawn(watch_all(link.clone(), ours, show));
        let beating = link.spawn(beat(link.clone(), Arc::clone(&id), tell));
        let node = Self {
            link: link.clone(),
            id,
            view,
            heard,
            claims: Mutex::default(),
            tasks: vec![watching, beating],
        };
        node.seen(|view| view.now.is_some())?;
        let mut heard = node.heard.clone();
        let deadline = link.deadline();
        let first = link.wait(async {
            let heard = heard.wait_for(Option::is_some);
            link.by(deadline, heard).await.map(drop)
        });
        first.ok_or(ClusterError::Unconfirmed)?;
        node.sweep()?;
        Ok(node)
    }

    /// Takes the words of nodes away that have been silent for long.
    fn sweep(&self) -> Result<(), LogError> {
        for node in self.view.borrow().forgotten() {
            for subject in [streams::beat(&node), streams::serves(&node)] {
                let purge = self.link.purge(streams::NODES, &subject, None);
                self.link.wait(purge)?;
            }
        }
        Ok(())
    }

    /// The name it lives under.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn client(&self) -> Option<async_nats::Client> {
        self.link.broker().client()
    }

    pub(super) fn link(&self) -> &Jetstream {
        &self.link
    }

    /// Answers, as long as it lives, what other nodes ask about this machine's copies.
    pub fn bears_witness(&mut self, find: impl Fn(&PlaceId) -> Option<Copy> + Send + 'static) {
        if let Some(client) = self.client() {
            let witness = Self::witness(client, Arc::clone(&self.id), find);
            self.tasks.push(self.link.spawn(witness));
        }
    }

    /// The nodes and the places, whenever they change.
    pub fn view(&self) -> watch::Receiver<View> {
        self.view.clone()
    }

    /// Until when the others surely take this node for alive; none where that is over.
    pub fn lives_until(&self) -> Option<Instant> {
        let heard = (*self.heard.borrow())?;
        heard.is_fresh(&self.link).then_some(heard.at + SILENCE)
    }

    /// Which of its lives it lives; none where others may take it for dead.
    pub fn life(&self) -> Option<u64> {
        let heard = (*self.heard.borrow())?;
        heard.is_fresh(&self.link).then_some(heard.life)
    }

    /// Whether this node may work for `place`: it holds it, and nobody else can have taken it. What it
    /// took before it was silent for long it does not hold until it has taken it again: another may
    /// have, and the word of that may still be on its way.
    pub fn holds(&self, place: &PlaceId) -> bool {
        let life = self.life();
        let claimed = self.claims().get(place).copied();
        let ours = self.view.borrow().holder(place) == Some(&*self.id);
        ours && life.is_some() && claimed == life
    }

    /// Takes `place` again that it held before it was silent for long. Gives `false` where another has
    /// taken it; as long as it is silent, nobody knows.
    ///
    /// # Errors
    /// As the cluster refuses.
    pub fn renews(&self, place: &PlaceId) -> Result<bool, LogError> {
        if self.life().is_none() || self.claim(place)? {
            return Ok(true);
        }
        let view = self.view.borrow();
        let other = view.holder(place).is_some_and(|holder| holder != &*self.id);
        Ok(!other)
    }

    fn claims(&self) -> MutexGuard<'_, BTreeMap<PlaceId, u64>> {
        self.claims.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says which places this node could work for.
    ///
    /// # Errors
    /// As the cluster refuses.
    pub fn serves<'p>(
        &self,
        places: impl IntoIterator<Item = &'p PlaceId>,
    ) -> Result<(), LogError> {
        let places: Vec<&str> = places.into_iter().map(PlaceId::as_str).collect();
        self.say(streams::serves(&self.id), places.join(" "))
    }

    /// Takes `place`, unless a node that lives holds it. Whether it is ours now.
    ///
    /// # Errors
    /// As the cluster refuses.
    pub fn claim(&self, place: &PlaceId) -> Result<bool, LogError> {
        if self.holds(place) {
            return Ok(true);
        }
        let known = self.view.borrow().clone();
        let ours = |view: &View| view.holder(place) == Some(&*self.id);
        let Some(life) = self.life() else {
            return Ok(false);
        };
        if known.holder(place).is_some() && !ours(&known) {
            return Ok(false);
        }
        let after = known.holders.get(place).map_or(0, |(_, at)| *at);
        let subject = streams::holder(place);
        let claim = Bytes::from(self.id.to_string());
        let put = self.link.put_after(streams::NODES, &subject, after, claim);
        match self.link.wait(put)? {
            Put::In(sequence) => {
                self.seen(|view| {
                    view.holders
                        .get(place)
                        .is_some_and(|(_, at)| *at >= sequence)
                })?;
                if !ours(&self.view.borrow()) {
                    return Ok(false);
                }
                self.claims().insert(place.clone(), life);
                Ok(self.holds(place))
            }
            Put::Other(_) => Ok(false),
        }
    }

    /// The same; where the node that holds it may have died a moment ago, that is waited for.
    ///
    /// # Errors
    /// As the cluster refuses.
    pub fn claim_from_the_dead(&self, place: &PlaceId) -> Result<bool, LogError> {
        loop {
            if self.claim(place)? {
                return Ok(true);
            }
            self.is_heard()?;
            let before = self.view.borrow().last_word(place);
            if before.is_none() {
                continue;
            }
            // It says something, or it is dead: either comes soon.
            self.seen(|view| view.last_word(place) != before)?;
            if self.view.borrow().last_word(place).is_some() {
                return Ok(false);
            }
        }
    }

    /// Waits until the servers take our word.
    fn is_heard(&self) -> Result<(), ClusterError> {
        let mut heard = self.heard.clone();
        let deadline = self.link.deadline();
        let fresh = |heard: &Option<Heard>| heard.is_some_and(|it| it.is_fresh(&self.link));
        let heard = self.link.wait(async {
            let heard = heard.wait_for(fresh);
            self.link.by(deadline, heard).await.map(drop)
        });
        heard.ok_or(ClusterError::Unconfirmed)
    }

    /// Lets go of `place`, so that another may take it at once.
    ///
    /// # Errors
    /// As the cluster refuses: then it is free once this node is silent.
    pub fn release(&self, place: &PlaceId) -> Result<(), LogError> {
        self.claims().remove(place);
        let held = self.view.borrow().holders.get(place).cloned();
        let Some((_, after)) = held.filter(|(node, _)| **node == *self.id) else {
            return Ok(());
        };
        let subject = streams::holder(place);
        let free = Bytes::new();
        self.link
            .wait(self.link.put_after(streams::NODES, &subject, after, free))?;
        Ok(())
    }

    /// Says good-bye: what it still holds is free at once.
    pub fn leave(mut self) {
        // It says nothing more.
        self.tasks.drain(1..).for_each(|task| task.abort());
        // Where it is not heard, its silence says the same.
        drop(self.say(streams::beat(&self.id), String::new()));
    }

    fn say(&self, subject: String, what: String) -> Result<(), LogError> {
        let message = (subject, HeaderMap::new(), Bytes::from(what));
        self.link
            .wait(self.link.put_all(streams::NODES, vec![message]))?;
        Ok(())
    }

    /// Waits until what was written has come back.
    fn seen(&self, is_so: impl FnMut(&View) -> bool) -> Result<(), ClusterError> {
        let mut view = self.view.clone();
        let deadline = self.link.deadline();
        let seen = self.link.wait(async {
            let seen = view.wait_for(is_so);
            self.link.by(deadline, seen).await.map(drop)
        });
        seen.ok_or(ClusterError::Unconfirmed)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// What the node of this id is called.
pub fn name(id: &str) -> &str {
    id.rsplit_once('-').map_or(id, |(name, _)| name)
}

/// A name as a subject may hold it.
fn as_token(name: &str) -> String {
    let fit = |c: char| {
        if c.is_ascii_alphanumeric() || c == '-' {
            c
        } else {
            '_'
        }
    };
    name.chars().take(64).map(fit).collect()
}

/// Says again and again that we live, and remembers when it was heard.
async fn beat(link: Jetstream, us: Arc<str>, heard: watch::Sender<Option<Heard>>) {
    let mut life = 0;
    loop {
        // The others count from when the servers took it, which is not before now.
        let (now, elapsed) = (link.now(), link.elapsed());
        let said = link.taken(Message {
            subject: streams::beat(&us),
            headers: HeaderMap::new(),
            payload: Bytes::from_static(b"alive"),
            only: Only::Always,
        });
        if said.await.is_ok() {
            let before = *heard.borrow();
            if before.is_some_and(|before| !before.is_fresh(&link)) {
                life += 1;
            }
            let at = now;
            heard.send_replace(Some(Heard { at, elapsed, life }));
        }
        link.sleep_until(now + BEAT).await;
    }
}

/// Our own name, and when the servers last took a word of ours.
type Us = (Arc<str>, watch::Receiver<Option<Heard>>);

/// Keeps the view, for ever.
async fn watch_all(link: Jetstream, us: Us, show: watch::Sender<View>) {
    loop {
        if let Err(error) = read_all(&link, &us, &show).await {
            tracing::warn!(error.code = error.code(), %error, "cluster.nodes-unseen");
        }
        link.patience().before_next().await;
    }
}

/// Reads what stands, and then what comes; returns where that has to be read anew.
async fn read_all(
    link: &Jetstream,
    (us, heard): &Us,
    show: &watch::Sender<View>,
) -> Result<(), ClusterError> {
    let all = Since::LastOfEach(streams::OF_NODES);
    let messages = link.broker().follow(streams::NODES, all).await;
    let mut messages = messages.map_err(Failure::reason)?;
    // Shown once it is whole: what stood before may be of another time.
    let mut reading = Some(View::default());
    let mut last = link.now();
    loop {
        let Some(message) = link.by(link.now() + SILENCE, messages.next()).await else {
            // The servers take our words and do not send them back: they were put back to an earlier
            // hour, and we wait for numbers that are long in coming.
            if heard
                .borrow()
                .is_some_and(|heard| heard.at > last + SILENCE / 2)
            {
                return Ok(());
            }
            continue;
        };
        let Some(message) = message else {
            return Ok(());
        };
        let message = message?;
        let said = std::str::from_utf8(&message.payload).unwrap_or_default();
        let known = (message.sequence, message.at);
        last = link.now();
        if let Some(view) = &mut reading {
            view.take(us, &message.subject, said, known);
            if message.left == 0 && view.now.is_some() {
                let view = reading.take().unwrap_or_default();
                show.send_modify(|before| *before = view.after(before, last));
            }
        } else {
            show.send_modify(|view| view.take(us, &message.subject, said, known));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i128) -> (u64, i128) {
        (1, seconds * 1_000_000_000)
    }

    #[test]
    fn a_node_lives_by_the_servers_clock_and_holds_what_it_took() {
        let mut view = View::default();
        let place: PlaceId = "halle".parse().unwrap();
        let mut take = |subject: &str, said: &str, at| view.take("us", subject, said, at);
        take("raccord-nodes.beat.us", "alive", at(100));
        take("raccord-nodes.beat.them", "alive", at(99));
        take("raccord-nodes.serves.them", "halle cafe", at(99));
        take("raccord-nodes.holder.halle", "them", (7, 0));
        assert_eq!(view.holder(&place), Some("them"));
        assert_eq!(view.living().count(), 2);
        view.take("us", "raccord-nodes.beat.us", "alive", at(103));
        assert_eq!(view.holder(&place), None, "silent for four seconds");
        view.take("us", "raccord-nodes.beat.them", "alive", at(104));
        assert_eq!(view.holder(&place), Some("them"), "it was only slow");
        view.take("us", "raccord-nodes.beat.them", "", at(104));
        assert_eq!(view.holder(&place), None, "it said good-bye");
        assert_eq!(
            view.living().map(|(node, _)| node).collect::<Vec<_>>(),
            ["us"]
        );
    }
}
