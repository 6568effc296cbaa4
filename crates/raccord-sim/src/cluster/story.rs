//! Stories of a cluster: drawn from a seed, and shrunk when they break a law.

use super::servers::Which;
use super::world::Weather;
use super::{ShellFault, play};
use crate::rng::Rng;

/// As many machines play.
pub const MACHINES: u64 = 3;

/// What can happen. Every act can be taken at every moment, so any part of a story is one too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Milliseconds pass.
    Wait(u64),
    /// A program posts a credit.
    Credit(u64),
    /// A program posts a sign-up, or a change of one.
    SignUp(u64),
    /// A program posts something that takes several messages.
    Big(u64),
    /// A process is killed.
    Kill(u64),
    /// A process starts on a machine that has none.
    Start(u64),
    /// A process ends in good order.
    End(u64),
    /// A process is killed, and its machine's copy is lost.
    LoseCopy(u64),
    /// A process is stopped; its clock goes on.
    Pause(u64),
    /// A machine sleeps, and its clock with it.
    Sleep(u64),
    /// Whatever was stopped or slept goes on.
    Resume(u64),
    /// A machine cannot reach the servers.
    Cut(u64),
    /// It can again.
    Join(u64),
    /// The servers have no leader for so many milliseconds.
    Leaderless(u64),
    /// A server that is behind answers for so many milliseconds.
    Depose(u64),
    /// A machine's calendar clock jumps by so many seconds.
    Jump(u64, i64),
    /// The servers' clock jumps by so many milliseconds.
    ServersJump(i64),
    /// Others write so much into the stream of the logs.
    Chatter(u64),
    /// The servers lose the last messages of the logs, or of a bucket.
    LoseLast(u64, u64),
    /// The servers lose one message of the log.
    LoseOne(u64),
    /// A copy of the servers is put aside.
    Backup,
    /// It comes back.
    Restore(Which),
    /// A person looks at what waits.
    Person,
}

/// A story.
#[derive(Clone, Debug)]
pub struct Story {
    /// What the network, the tools and the machines draw from.
    pub seed: u64,
    /// What is usual.
    pub weather: Weather,
    /// What happens.
    pub acts: Vec<Act>,
}

/// The story of a seed.
pub fn story(seed: u64) -> Story {
    let mut rng = Rng::new(seed);
    let weather = Weather {
        lost: [0, 0, 2, 10][rng.below(4) as usize],
        unanswered: [0, 0, 3, 15][rng.below(4) as usize],
        slow: [0, 1, 10, 30][rng.below(4) as usize],
        trouble: [0, 10, 40][rng.below(3) as usize],
    };
    // In most stories the servers keep what they confirmed.
    let loses = rng.chance(35);
    let holes = loses && rng.chance(15);
    let length = 12 + rng.below(50);
    let mut acts: Vec<Act> = (0..MACHINES).map(Act::Start).collect();
    acts.push(Act::Wait(rng.below(6_000)));
    for _ in 0..length {
        let act = draw(&mut rng, loses, holes);
        acts.push(act);
        if rng.chance(60) {
            let most = [50, 1_000, 5_000, 9_000][rng.below(4) as usize];
            acts.push(Act::Wait(rng.below(most)));
        }
    }
    Story {
        seed,
        weather,
        acts,
    }
}

fn draw(rng: &mut Rng, loses: bool, holes: bool) -> Act {
    let pick = rng.draw();
    if loses && rng.chance(8) {
        return match rng.below(9) {
            0..=2 => Act::Backup,
            3 => Act::Restore(Which::All),
            4 => Act::Restore(Which::Logs),
            5 => Act::Restore(Which::Values),
            6 if holes => Act::LoseOne(pick % 3),
            _ => Act::LoseLast(pick % 5, 1 + (pick >> 8) % 4),
        };
    }
    let machine = pick % MACHINES;
    match rng.below(100) {
        0..=19 => Act::Credit(pick),
        20..=39 => Act::SignUp(pick),
        40 => Act::Big(pick),
        41..=47 => Act::Kill(machine),
        48..=56 => Act::Start(machine),
        57 | 58 => Act::End(machine),
        59 => Act::LoseCopy(machine),
        60..=65 => Act::Pause(machine),
        66..=68 => Act::Sleep(machine),
        69..=76 => Act::Resume(machine),
        77..=80 => Act::Cut(machine),
        81..=85 => Act::Join(machine),
        86..=88 => Act::Leaderless(200 + (pick >> 8) % 20_000),
        89..=91 => Act::Depose(200 + (pick >> 8) % 8_000),
        92 | 93 => Act::Jump(machine, (pick >> 8) as i64 % 40),
        94 => Act::ServersJump((pick >> 8) as i64 % 9_000),
        95 | 96 => Act::Chatter(1 + (pick >> 8) % 4),
        _ => Act::Person,
    }
}

/// The shortest story found that still breaks a law like this one.
pub fn shrink(story: &Story, fault: Option<ShellFault>) -> Story {
    let law = |acts: &[Act]| {
        let story = Story {
            acts: acts.to_vec(),
            ..story.clone()
        };
        play(&story, fault, false).broken.map(|law| plain(&law))
    };
    let broken = law(&story.acts);
    let mut best = story.acts.clone();
    let mut size = best.len().div_ceil(2);
    while size > 0 {
        let mut at = 0;
        while at < best.len() {
            let end = (at + size).min(best.len());
            let shorter: Vec<Act> = best[..at].iter().chain(&best[end..]).copied().collect();
            if law(&shorter) == broken {
                best = shorter;
            } else {
                at = end;
            }
        }
        size /= 2;
    }
    Story {
        acts: best,
        ..story.clone()
    }
}

/// A law without the numbers that differ from story to story.
fn plain(law: &str) -> String {
    let words = law.split_whitespace();
    let plain = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase() || c == ',');
    words.filter(plain).collect::<Vec<_>>().join(" ")
}
