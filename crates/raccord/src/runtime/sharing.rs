//! The places that several nodes share: which of them this one works for.
//!
//! Each node sees the same nodes and holders, and counts the same way: a free place goes to the
//! living node that could work for it and holds fewest; a node that holds two more than another that
//! could work for one of its places lets that one go. Who was quicker settles what two saw
//! differently.

use std::collections::{BTreeMap, BTreeSet};

use raccord_bus::jetstream::View;
use raccord_model::PlaceId;

/// What a node does next.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Turn {
    /// Places to take.
    pub(super) take: Vec<PlaceId>,
    /// A place to let go, for another node.
    pub(super) give: Option<PlaceId>,
}

/// What the node `us` does next.
pub(super) fn turn(us: &str, view: &View) -> Turn {
    let living = view.living().collect();
    let held = view.held().collect();
    decide(us, &living, &held)
}

fn decide(
    us: &str,
    living: &BTreeMap<&str, &BTreeSet<PlaceId>>,
    held: &BTreeMap<&PlaceId, &str>,
) -> Turn {
    let mut load: BTreeMap<&str, usize> = living.keys().map(|node| (*node, 0)).collect();
    for node in held.values() {
        *load.entry(node).or_default() += 1;
    }
    let served: BTreeSet<&PlaceId> = living.values().copied().flatten().collect();
    let mut turn = Turn::default();
    let mut free = false;
    for place in served.into_iter().filter(|place| !held.contains_key(place)) {
        free = true;
        let could = living.iter().filter(|(_, serves)| serves.contains(place));
        let Some((node, _)) = could.min_by_key(|(node, _)| (load[*node], **node)) else {
            continue;
        };
        *load.entry(node).or_default() += 1;
        if *node == us {
            turn.take.push(place.clone());
        }
    }
    if !free {
        // The last of ours that another, which holds fewer, could work for.
        let ours = held.iter().rev().filter(|(_, node)| **node == us);
        let lighter = |place: &PlaceId| {
            let mut others = living.iter().filter(|(node, _)| **node != us);
            others.any(|(node, serves)| serves.contains(place) && load[node] + 1 < load[us])
        };
        turn.give = ours
            .map(|(place, _)| *place)
            .find(|place| lighter(place))
            .cloned();
    }
    turn
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nodes, what each could work for, and who holds what.
    #[derive(Default)]
    struct World {
        nodes: BTreeMap<&'static str, BTreeSet<PlaceId>>,
        held: BTreeMap<PlaceId, &'static str>,
    }

    impl World {
        fn turn(&self, us: &str) -> Turn {
            let living = self.nodes.iter().map(|(node, serves)| (*node, serves));
            let held = self.held.iter().map(|(place, node)| (place, *node));
            decide(us, &living.collect(), &held.collect())
        }

        /// Lets all nodes act on what they see until none has anything to do; gives how often.
        fn settle(&mut self) -> usize {
            for round in 0..1_000 {
                let nodes: Vec<&'static str> = self.nodes.keys().copied().collect();
                let turns: Vec<_> = nodes.iter().map(|node| (*node, self.turn(node))).collect();
                if turns.iter().all(|(_, turn)| *turn == Turn::default()) {
                    return round;
                }
                for (node, turn) in turns {
                    for place in turn.take {
                        let before = self.held.insert(place, node);
                        assert_eq!(before, None, "two want it");
                    }
                    if let Some(place) = turn.give {
                        assert_eq!(self.held.remove(&place), Some(node));
                    }
                }
            }
            panic!("they never settle");
        }

        fn loads(&self) -> Vec<usize> {
            let held = |node: &&str| self.held.values().filter(|holder| *holder == node).count();
            self.nodes.keys().map(held).collect()
        }

        fn dies(&mut self, node: &str) {
            self.nodes.remove(node);
            self.held.retain(|_, holder| *holder != node);
        }
    }

    fn places(count: usize) -> BTreeSet<PlaceId> {
        let name = |number| format!("place-{number:03}").parse().unwrap();
        (0..count).map(name).collect()
    }

    #[test]
    fn places_are_spread_evenly_whoever_comes_and_goes() {
        let mut world = World::default();
        world.nodes.insert("north", places(100));
        world.settle();
        assert_eq!(world.loads(), [100]);
        world.nodes.insert("south", places(100));
        world.settle();
        assert_eq!(world.loads(), [50, 50]);
        world.nodes.insert("west", places(100));
        world.settle();
        let mut loads = world.loads();
        loads.sort_unstable();
        assert_eq!(loads, [33, 33, 34]);
        world.dies("north");
        world.settle();
        assert_eq!(world.loads(), [50, 50]);
        assert_eq!(world.held.len(), 100, "each is held");
    }

    #[test]
    fn a_place_stays_with_the_only_node_that_could_work_for_it() {
        let mut world = World::default();
        world.nodes.insert("north", places(6));
        world.nodes.insert("south", places(2));
        world.settle();
        assert_eq!(world.loads(), [4, 2]);
        world.nodes.insert("west", BTreeSet::new());
        assert_eq!(
            world.settle(),
            0,
            "a node that serves nothing moves nothing"
        );
    }

    #[test]
    fn a_node_that_ends_is_given_nothing_and_the_others_take_what_it_lets_go() {
        let mut world = World::default();
        world.nodes.insert("north", places(4));
        world.nodes.insert("south", places(4));
        world.settle();
        world.nodes.insert("south", BTreeSet::new());
        assert_eq!(
            world.turn("south"),
            Turn::default(),
            "it ends what it holds by itself"
        );
        world.held.retain(|_, node| *node != "south");
        world.settle();
        assert_eq!(world.loads(), [4, 0]);
    }
}
