//! What goes wrong, and when: drawn from the seed before anything runs.

use std::fmt;
use std::time::Duration;

use super::nodes::NODES;
use super::servers::{SERVERS, THREE};
use crate::sheet::Dice;

/// A fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A node is killed (`kill -9`).
    NodeKilled,
    /// A node hangs (`SIGSTOP`) for longer than the others take it for alive.
    NodeHangs,
    /// A node is cut off from all servers; what was on the way arrives later.
    NodeCutOff,
    /// What the servers answer a node is lost, and then the connection.
    AnswersLost,
    /// Everything between a node and the servers takes longer.
    NodeFarAway,
    /// A node stutters, as on a disk that is slow.
    NodeSlowDisk,
    /// No file of a node grows.
    NodeFullDisk,
    /// The clock of a node jumps, and back.
    ClockJumps,
    /// A node is asked to end, and comes back: as an upgrade does it.
    NodeUpgraded,
    /// A node is killed and loses everything that its machine keeps.
    FolderLost,
    /// A server is killed.
    ServerKilled,
    /// A server hangs.
    ServerHangs,
    /// A server is cut off from the other two; nodes still reach it.
    ServerCutOff,
    /// Two servers are cut off from each other.
    ServersApart,
    /// A server stutters, as on a disk that is slow.
    ServerSlowDisk,
    /// No file of a server grows; whoever keeps it makes room and starts it again.
    ServerFullDisk,
    /// A server sends its clients away, ends, and comes back as the present version.
    ServerUpgraded,
}

const OF_NODES: [Kind; 10] = [
    Kind::NodeKilled,
    Kind::NodeHangs,
    Kind::NodeCutOff,
    Kind::AnswersLost,
    Kind::NodeFarAway,
    Kind::NodeSlowDisk,
    Kind::NodeFullDisk,
    Kind::ClockJumps,
    Kind::NodeUpgraded,
    Kind::FolderLost,
];

const OF_SERVERS: [Kind; 7] = [
    Kind::ServerKilled,
    Kind::ServerHangs,
    Kind::ServerCutOff,
    Kind::ServersApart,
    Kind::ServerSlowDisk,
    Kind::ServerFullDisk,
    Kind::ServerUpgraded,
];

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NodeKilled => "node killed",
            Self::NodeHangs => "node hangs",
            Self::NodeCutOff => "node cut off",
            Self::AnswersLost => "answers lost",
            Self::NodeFarAway => "node far away",
            Self::NodeSlowDisk => "slow disk of a node",
            Self::NodeFullDisk => "full disk of a node",
            Self::ClockJumps => "clock jumps",
            Self::NodeUpgraded => "node upgraded",
            Self::FolderLost => "folder lost",
            Self::ServerKilled => "server killed",
            Self::ServerHangs => "server hangs",
            Self::ServerCutOff => "server cut off",
            Self::ServersApart => "servers apart",
            Self::ServerSlowDisk => "slow disk of a server",
            Self::ServerFullDisk => "full disk of a server",
            Self::ServerUpgraded => "server upgraded",
        })
    }
}

impl Kind {
    /// Whether it strikes a node, and not a server.
    pub(super) fn is_a_nodes(self) -> bool {
        OF_NODES.contains(&self)
    }

    /// Whether the node's places are taken over by others.
    pub(super) fn leaves_places(self) -> bool {
        matches!(
            self,
            Self::NodeKilled | Self::NodeHangs | Self::NodeCutOff | Self::FolderLost
        )
    }
}

/// One fault of the campaign.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    /// What.
    pub(super) kind: Kind,
    /// Which node or server.
    pub(super) of: usize,
    /// How long after the group begins.
    pub(super) after: Duration,
    /// How long.
    pub(super) lasts: Duration,
    /// More about it: how far the clock jumps, how late packets are.
    pub(super) size: u64,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose = if self.kind.is_a_nodes() {
            NODES[self.of]
        } else {
            SERVERS[self.of]
        };
        write!(f, "{:<21} {whose:<5} for {:?}", self.kind, self.lasts)
    }
}

/// Faults that overlap; the groups come one after the other.
pub(super) type Group = Vec<Fault>;

/// `faults` faults. Each kind comes about as often as another.
pub(super) fn plan(faults: usize, dice: &mut Dice) -> Vec<Group> {
    let mut deck = Vec::new();
    let mut groups = Vec::new();
    let mut left = faults;
    while left > 0 {
        let size = match dice.below(10) {
            0..4 => 1,
            4..8 => 2,
            _ => 3,
        };
        let group = group(size.min(left), &mut deck, dice);
        left -= group.len();
        groups.push(group);
    }
    groups
}

/// Three upgrades, one server after the other.
pub(super) fn rolling(dice: &mut Dice) -> Vec<Group> {
    let upgrade = |of| vec![fault(Kind::ServerUpgraded, of, Duration::ZERO, dice)];
    (0..THREE).map(upgrade).collect()
}

fn group(size: usize, deck: &mut Vec<Kind>, dice: &mut Dice) -> Group {
    let mut group: Group = Vec::new();
    for _ in 0..size {
        let kind = draw(deck, dice);
        let taken = |of: usize| {
            let mut same = group
                .iter()
                .filter(|it| it.kind.is_a_nodes() == kind.is_a_nodes());
            same.any(|it| it.of == of)
        };
        let from = dice.below(THREE as u64) as usize;
        let mut targets = (0..THREE).map(|at| (at + from) % THREE);
        let Some(of) = targets.find(|of| !taken(*of)) else {
            // It comes in the next group.
            deck.push(kind);
            break;
        };
        let after = Duration::from_millis(match group.len() {
            0 => 0,
            _ => 200 + dice.below(3_000),
        });
        group.push(fault(kind, of, after, dice));
    }
    group
}

fn fault(kind: Kind, of: usize, after: Duration, dice: &mut Dice) -> Fault {
    let lasts = match kind {
        Kind::AnswersLost => 300 + dice.below(2_500),
        Kind::NodeHangs | Kind::NodeCutOff | Kind::ServerHangs => 4_000 + dice.below(3_000),
        Kind::NodeUpgraded | Kind::ServerUpgraded => 300 + dice.below(1_500),
        _ => 1_500 + dice.below(4_000),
    };
    Fault {
        kind,
        of,
        after,
        lasts: Duration::from_millis(lasts),
        size: dice.below(1_000),
    }
}

/// The next kind; every kind comes before one comes again.
fn draw(deck: &mut Vec<Kind>, dice: &mut Dice) -> Kind {
    if deck.is_empty() {
        deck.extend(OF_NODES);
        deck.extend(OF_SERVERS);
        for at in (1..deck.len()).rev() {
            let other = dice.below(at as u64 + 1) as usize;
            deck.swap(at, other);
        }
    }
    deck.pop().expect("it was filled")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn each_kind_comes_and_no_machine_fails_twice_at_once() {
        let groups = plan(200, &mut Dice(7));
        let mut times: BTreeMap<Kind, usize> = BTreeMap::new();
        for group in &groups {
            for (at, fault) in group.iter().enumerate() {
                *times.entry(fault.kind).or_default() += 1;
                let same = |other: &&Fault| {
                    other.of == fault.of && other.kind.is_a_nodes() == fault.kind.is_a_nodes()
                };
                assert_eq!(group.iter().skip(at + 1).find(same).map(|it| it.kind), None);
            }
        }
        assert_eq!(times.values().sum::<usize>(), 200);
        assert!(times.values().all(|times| *times >= 11), "{times:?}");
        let again = plan(200, &mut Dice(7));
        assert_eq!(format!("{groups:?}"), format!("{again:?}"));
    }
}
