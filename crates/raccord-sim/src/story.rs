//! Stories: drawn from a seed, and shrunk when they break a law.

use crate::act::{Act, Fate};
use crate::laws::play;
use crate::rng::Rng;
use crate::sim::ShellFault;

/// The story of a seed: 40 to 400 acts, at least three families.
pub fn story(seed: u64) -> Vec<Act> {
    let mut rng = Rng::new(seed);
    let length = 40 + rng.below(361);
    let mood = Mood::drawn(&mut rng);
    let mut acts: Vec<Act> = (0..3 + rng.below(8))
        .map(|_| Act::Add(rng.draw() as u8))
        .collect();
    if mood.rewriting || rng.chance(40) {
        acts.push(Act::Nameless);
    }
    acts.push(Act::Read);
    acts.push(Act::Flush);
    while (acts.len() as u64) < length {
        if mood.restores && rng.chance(1) {
            acts.extend(second_thoughts(&mut rng));
        }
        let act = draw(&mut rng, &mood);
        acts.push(act);
    }
    acts.truncate(length as usize);
    acts
}

/// A person tries again what was refused, it arrives, and a backup that knows of none of it is
/// brought back.
fn second_thoughts(rng: &mut Rng) -> Vec<Act> {
    let mut acts = vec![Act::SignUp(rng.draw() as u8), Act::Flush];
    acts.extend((0..3).map(|_| Act::Answer(rng.draw(), Fate::Data)));
    acts.extend([Act::Flush, Act::Backup, Act::Retry(rng.draw()), Act::Flush]);
    acts.extend((0..3).map(|_| Act::Answer(rng.draw(), Fate::Good)));
    acts.extend([Act::Restore(rng.draw()), Act::Unmute]);
    acts
}

/// What is usual in a story, so that what is rare elsewhere is frequent somewhere.
#[expect(clippy::struct_excessive_bools, reason = "each is a trait of its own")]
struct Mood {
    /// Percent of answers that go wrong.
    trouble: u64,
    /// Percent of acts that are crashes.
    crashes: u64,
    /// Backups are made, and brought back.
    restores: bool,
    /// Lines have no names, and people write them anew.
    rewriting: bool,
    /// Days pass before anybody decides.
    slow: bool,
    /// Tools often cannot tell what they hold.
    blind: bool,
}

impl Mood {
    fn drawn(rng: &mut Rng) -> Self {
        Self {
            trouble: [0, 10, 30, 60][rng.below(4) as usize],
            crashes: [0, 2, 6][rng.below(3) as usize],
            restores: rng.chance(20),
            rewriting: rng.chance(30),
            slow: rng.chance(25),
            blind: rng.chance(30),
        }
    }
}

fn draw(rng: &mut Rng, mood: &Mood) -> Act {
    let pick = rng.draw();
    if rng.chance(mood.crashes) {
        return Act::Crash(pick);
    }
    if mood.rewriting && rng.chance(6) {
        return Act::Rework(pick);
    }
    if mood.slow && rng.chance(3) {
        return Act::Wait(90_000);
    }
    if mood.restores && rng.chance(3) {
        return match rng.below(4) {
            0 | 1 => Act::Backup,
            2 => Act::Restore(pick),
            _ => Act::Unmute,
        };
    }
    match rng.below(100) {
        0..=33 => Act::Answer(pick, fate(rng, mood)),
        34..=44 => Act::Wait([1, 5, 20, 61, 130, 301, 1_000][rng.below(7) as usize]),
        45 => Act::Wait([3_600, 7_200, 40_000, 90_000][rng.below(4) as usize]),
        46..=57 => Act::Flush,
        58..=67 => Act::Read,
        68 => Act::ReadFails,
        69 | 70 => Act::Add(pick as u8),
        71 | 72 => Act::Retitle(pick),
        73 if pick & 1 == 0 => Act::Rework(pick),
        73 => Act::Delete(pick),
        74 => Act::Move(pick),
        75 => Act::Cancel(pick),
        76 => Act::Hide(pick),
        77 | 78 => Act::Cut(pick),
        79 => Act::Paste,
        80 => Act::Spill,
        81 => Act::Unspill,
        82 | 83 => Act::Credit(pick as u8),
        84 | 85 => Act::SignUp(pick as u8),
        86 => Act::Join(pick),
        87 => match rng.below(4) {
            0 => Act::Leave(pick),
            1 => Act::Tick(pick),
            _ => Act::Join(pick),
        },
        88 => Act::Repost(pick),
        89 => Act::AnswerAgain(pick),
        90..=92 if mood.slow => Act::Flush,
        90..=92 => Act::Decide(pick, rng.chance(50)),
        93 => Act::Retry(pick),
        94 | 95 => Act::SwitchOn(pick),
        96 => Act::Configure((pick % 8) as u8),
        97 => Act::Edit(pick),
        98 => Act::Mute,
        _ => Act::Unmute,
    }
}

fn fate(rng: &mut Rng, mood: &Mood) -> Fate {
    if !rng.chance(mood.trouble) {
        return Fate::Good;
    }
    if mood.blind && rng.chance(30) {
        return Fate::CannotTell;
    }
    match rng.below(17) {
        0 | 1 => Fate::AnswerLost,
        2 | 3 => Fate::Lost,
        4 | 5 => Fate::Late,
        6 => Fate::Twice,
        7..=9 => Fate::Busy,
        10 => Fate::Quiet,
        11 => Fate::Access,
        12 => Fate::Data,
        13 => Fate::Gone,
        14 => Fate::NotStarted,
        15 => Fate::CannotTell,
        _ => Fate::OldListing,
    }
}

/// The shortest story found that still breaks the same law.
pub fn shrink(acts: &[Act], shell: Option<ShellFault>) -> Vec<Act> {
    let law = |acts: &[Act]| play(acts, shell).broken.map(|broken| broken.law());
    let broken = law(acts);
    let breaks = |acts: &[Act]| law(acts) == broken;
    let mut best = acts.to_vec();
    let mut size = best.len().div_ceil(2);
    while size > 0 {
        let mut at = 0;
        while at < best.len() {
            let end = (at + size).min(best.len());
            let shorter: Vec<Act> = best[..at].iter().chain(&best[end..]).copied().collect();
            if breaks(&shorter) {
                best = shorter;
            } else {
                at = end;
            }
        }
        size /= 2;
    }
    best
}
