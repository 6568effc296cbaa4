//! This process among the nodes of its clusters: the places it shares with them, what each node
//! says, and whose turn it is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future;
use raccord_bus::jetstream::{Node, View};
use raccord_model::PlaceId;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::clusters::Clusters;
use super::home::Home;
use super::sharing;
use crate::cli::Session;
use crate::report::Problem;

/// How long a place that could not be started here is left to others at first, and how long a cluster
/// that could not be reached is left alone.
const AGAIN: Duration = Duration::from_secs(3);
/// How long such a place is left to others at most.
const LONGEST: Duration = Duration::from_mins(1);

/// The places this process shares with others.
#[derive(Default)]
pub(super) struct Among {
    places: BTreeMap<PlaceId, Place>,
    nodes: Vec<Joined>,
    /// Whether something is to be said or tried that no node's word brings up.
    due: bool,
}

/// A place, as this process could work for it.
struct Place {
    session: Session,
    /// Whether it is shown as one that another node works for.
    shown: bool,
    /// Until then it is left to others.
    tired: Option<Instant>,
    /// How long it is left to them when it cannot be started here.
    pause: Duration,
    /// Whether it was said that its cluster cannot be joined.
    hindered: bool,
    /// The node of its cluster.
    joined: Option<usize>,
}

/// This process among the nodes of one cluster.
struct Joined {
    node: Arc<Node>,
    view: watch::Receiver<View>,
    /// What it said last, and when.
    said: Option<(BTreeSet<PlaceId>, Instant)>,
    /// In which life it was, and when the servers had gone back, when its copies were compared last.
    compared: (Option<u64>, Option<Instant>),
}

/// What is to be done now.
#[derive(Default)]
pub(super) struct Turn {
    /// Places that another node holds now.
    pub(super) lost: Vec<PlaceId>,
    /// Places to let go.
    pub(super) give: Vec<PlaceId>,
    /// Places to take.
    pub(super) take: Vec<PlaceId>,
    /// Places to show as ones that another node works for.
    pub(super) show: Vec<PlaceId>,
    /// Places of others of which this machine may have read more than there is.
    pub(super) compare: Vec<PlaceId>,
    /// Places whose cluster could not be joined, and why.
    pub(super) hindered: Vec<(PlaceId, Problem)>,
}

impl Among {
    /// One more place, or one that is set anew.
    pub(super) fn shares(&mut self, session: &Session) {
        let place = Place {
            session: session.clone(),
            shown: false,
            tired: None,
            pause: AGAIN,
            hindered: false,
            joined: None,
        };
        self.places.insert(session.settings.place.id.clone(), place);
        self.due = true;
    }

    /// A place is no longer one of this process.
    pub(super) fn leaves(&mut self, id: &PlaceId) {
        self.due |= self.places.remove(id).is_some();
    }

    pub(super) fn session(&self, id: &PlaceId) -> Option<&Session> {
        self.places.get(id).map(|place| &place.session)
    }

    /// The place is set like this from now on.
    pub(super) fn sets(&mut self, session: &Session) {
        if let Some(place) = self.places.get_mut(&session.settings.place.id) {
            place.session = session.clone();
        }
    }

    /// The node that shares the place.
    pub(super) fn node(&self, id: &PlaceId) -> Option<Arc<Node>> {
        let joined = self.places.get(id)?.joined?;
        Some(Arc::clone(&self.nodes.get(joined)?.node))
    }

    /// The place is no longer shown as one that another node works for.
    pub(super) fn hides(&mut self, id: &PlaceId) {
        if let Some(place) = self.places.get_mut(id) {
            place.shown = false;
        }
    }

    /// The place was started here. Where it does not work others may try, for longer each time.
    pub(super) fn tried(&mut self, id: &PlaceId, works: bool) {
        if let Some(place) = self.places.get_mut(id) {
            let pause = place.pause;
            place.pause = if works {
                AGAIN
            } else {
                (pause * 2).min(LONGEST)
            };
            place.tired = (!works).then(|| Instant::now() + pause);
        }
        self.due = true;
    }

    /// Whether there are any.
    pub(super) fn any(&self) -> bool {
        !self.places.is_empty()
    }

    /// Says that this process could work for nothing any more.
    pub(super) fn serves_nothing(&self) {
        for joined in &self.nodes {
            // Where it is not heard, the places are free once this process is silent.
            drop(joined.node.serves([]));
        }
    }

    /// Resolves when there may be something to do.
    pub(super) async fn changed(&mut self) {
        if self.places.is_empty() {
            return future::pending().await;
        }
        if std::mem::take(&mut self.due) {
            return;
        }
        let views = self.nodes.iter_mut().map(|joined| {
            let changed = async { drop(joined.view.changed().await) };
            Box::pin(changed)
        });
        let views: Vec<_> = views.collect();
        let any = async {
            match views.as_slice() {
                [] => future::pending().await,
                _ => drop(future::select_all(views).await),
            }
        };
        drop(timeout(AGAIN, any).await);
    }

    /// What to do now, where `running` are the places at work here.
    pub(super) fn turn(&mut self, clusters: &Clusters, running: &[PlaceId]) -> Turn {
        let mut turn = Turn {
            hindered: self.join(clusters),
            ..Turn::default()
        };
        self.say();
        for (at, joined) in self.nodes.iter_mut().enumerate() {
            let view = joined.view.borrow_and_update().clone();
            let us = joined.node.id();
            let next = sharing::turn(us, &view);
            // Whoever was away, or saw the servers go back, may be the only one that can tell.
            let now = (joined.node.life(), view.went_back());
            let compares = now.0.is_some() && now != joined.compared;
            if compares {
                joined.compared = now;
            }
            for (id, place) in &mut self.places {
                if place.joined != Some(at) {
                    continue;
                }
                let ours = view.holder(id) == Some(us);
                if compares && !ours && !running.contains(id) {
                    turn.compare.push(id.clone());
                }
                match running.contains(id) {
                    true if !ours => turn.lost.push(id.clone()),
                    // Letting go was not heard: nobody else can take it.
                    false if ours && !place.is_tired() => turn.take.push(id.clone()),
                    false if !place.shown && !place.is_tired() => {
                        place.shown = true;
                        turn.show.push(id.clone());
                    }
                    _ => {}
                }
            }
            let here = |id: &PlaceId| self.places.get(id).is_some_and(|it| it.joined == Some(at));
            let take = next.take.into_iter().filter(|id| here(id));
            turn.take.extend(take.filter(|id| !running.contains(id)));
            turn.give.extend(next.give.filter(|id| here(id)));
        }
        turn
    }

    /// Joins the nodes of clusters that were not joined yet.
    fn join(&mut self, clusters: &Clusters) -> Vec<(PlaceId, Problem)> {
        let mut hindered = Vec::new();
        for (id, place) in &mut self.places {
            if place.joined.is_some() || place.is_tired() {
                continue;
            }
            let home = Home::of(&place.session.settings, clusters);
            let node = match home.and_then(|home| home.node()) {
                Ok(Some(node)) => node,
                Ok(None) => continue,
                Err(problem) => {
                    if !std::mem::replace(&mut place.hindered, true) {
                        hindered.push((id.clone(), problem));
                    }
                    place.shown = false;
                    place.tired = Some(Instant::now() + AGAIN);
                    continue;
                }
            };
            let known = self.nodes.iter().position(|it| it.node.id() == node.id());
            place.hindered = false;
            place.joined = Some(known.unwrap_or_else(|| {
                let view = node.view();
                self.nodes.push(Joined {
                    node,
                    view,
                    said: None,
                    compared: (None, None),
                });
                self.nodes.len() - 1
            }));
        }
        hindered
    }

    /// Says which places this process could work for, where that changed or is not known any more.
    fn say(&mut self) {
        for (at, joined) in self.nodes.iter_mut().enumerate() {
            let of = self
                .places
                .iter()
                .filter(|(_, place)| place.joined == Some(at));
            let could = of.filter(|(_, place)| !place.is_tired());
            let could: BTreeSet<PlaceId> = could.map(|(id, _)| id.clone()).collect();
            // Servers that were put back to an earlier hour may not know it any more.
            let known = || joined.view.borrow().serves(joined.node.id()) == Some(&could);
            let stands = match &joined.said {
                Some((said, at)) => *said == could && (at.elapsed() < AGAIN || known()),
                None => false,
            };
            if !stands && joined.node.serves(&could).is_ok() {
                joined.said = Some((could, Instant::now()));
            }
        }
    }
}

impl Place {
    fn is_tired(&self) -> bool {
        self.tired.is_some_and(|until| Instant::now() < until)
    }
}
