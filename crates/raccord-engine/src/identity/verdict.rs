//! How likely a new line is a known activity: same, maybe, or different.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use raccord_model::EntityId;

use super::certain::renamed;
use super::{Candidate, Features};

/// From here on two lines are taken to be the same activity.
const SAME: f64 = 0.62;
/// Below this they are taken to be different; between, the day decides or a person is asked.
const MAYBE: f64 = 0.54;
/// A title that nothing else bears says who it is, from this likeness on.
const ALONE: f64 = 0.42;
/// The same story under another title and on another day is asked about from here on.
const STORY: f64 = 0.45;
/// Below this two titles have nothing to do with each other.
const UNLIKE: f64 = 0.4;
/// When the day differs, what the titles say beyond their genre must be this alike.
pub(super) const OWN: f64 = 0.6;
/// What is over and stands again so many days later is another one.
const AGAIN_DAYS: i32 = 90;
/// What is still to come does not move this far without a question.
pub(super) const FAR_DAYS: i32 = 300;
/// What is still to come moves this far and stays what it is, where all but the title speaks for it.
pub(super) const NEAR_DAYS: i32 = 28;
/// On another day, so much else that differs speaks against a title.
pub(super) const ODD: usize = 3;
/// Up to this many pairs everything is compared with everything.
pub(super) const ALL_PAIRS: usize = 160_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Same,
    Maybe,
    Different,
}

/// How the title of a new line stands among all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Called {
    /// As the known line, and as nothing else.
    Alone,
    /// As other lines too.
    Series,
    /// As nothing known.
    Anew,
    /// As nothing known, where the known line is one of a series.
    AnewInSeries,
    /// The same, and no other of the series is gone.
    AnewForOne,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Score {
    pub(super) line: usize,
    pub(super) entity: EntityId,
    pub(super) likeness: f64,
    /// How far the line is from where the entity last stood: settles ties.
    pub(super) gap: u32,
    pub(super) verdict: Verdict,
    /// Nothing but the title differs.
    pub(super) only_title: bool,
    /// Both are on one day.
    pub(super) same_day: bool,
}

pub(super) fn scores(
    known: &BTreeMap<EntityId, Candidate>,
    lines: &BTreeMap<usize, Candidate>,
    free_known: &BTreeSet<EntityId>,
    free_lines: &BTreeSet<usize>,
    titles: &BTreeMap<String, usize>,
) -> Vec<Score> {
    let mut new_titles: HashMap<&str, usize> = HashMap::new();
    for line in free_lines {
        *new_titles.entry(&lines[line].features.title).or_default() += 1;
    }
    let mut gone_titles: HashMap<&str, usize> = HashMap::new();
    for entity in free_known {
        *gone_titles
            .entry(&known[entity].features.title)
            .or_default() += 1;
    }
    let called = |old: &Features, new: &Features| {
        let standing = titles.get(&new.title).copied().unwrap_or(0);
        if old.title != new.title {
            let series = titles.get(&old.title).copied().unwrap_or(0) > 1;
            return match (standing > 0, series) {
                (true, _) => Called::Series,
                (false, true) if gone_titles.get(old.title.as_str()) == Some(&1) => {
                    Called::AnewForOne
                }
                (false, true) => Called::AnewInSeries,
                (false, false) => Called::Anew,
            };
        }
        if standing == 1 && new_titles.get(new.title.as_str()) == Some(&1) {
            Called::Alone
        } else {
            Called::Series
        }
    };
    let score = |line: usize, entity: EntityId| {
        let (old, new) = (&known[&entity], &lines[&line]);
        let likeness = old.features.likeness(&new.features);
        let verdict = if renamed(old, new) {
            Verdict::Different
        } else {
            verdict(old, new, likeness, called(&old.features, &new.features))
        };
        Score {
            line,
            entity,
            likeness,
            gap: old.rank.abs_diff(new.rank),
            verdict,
            only_title: old.features.only_title_differs(&new.features)
                && old.features.same_status(&new.features),
            same_day: old.features.day() == new.features.day(),
        }
    };
    let wanted = |score: &Score| score.verdict != Verdict::Different;
    if free_known.len() * free_lines.len() <= ALL_PAIRS {
        return free_lines
            .iter()
            .flat_map(|&line| free_known.iter().map(move |&entity| (line, entity)))
            .map(|(line, entity)| score(line, entity))
            .filter(wanted)
            .collect();
    }
    // Too many to compare all: only lines that share a title, or day and room, can be the same.
    let mut buckets: HashMap<(u8, String), Vec<EntityId>> = HashMap::new();
    let keys = |candidate: &Candidate| {
        let day = candidate
            .features
            .day()
            .map(|day| day.to_string())
            .unwrap_or_default();
        [
            (0, candidate.features.title.clone()),
            (1, format!("{day} {}", candidate.features.room)),
        ]
    };
    for &entity in free_known {
        for key in keys(&known[&entity]) {
            buckets.entry(key).or_default().push(entity);
        }
    }
    let mut scored = Vec::new();
    for &line in free_lines {
        let mut seen = BTreeSet::new();
        for key in keys(&lines[&line]) {
            for &entity in buckets.get(&key).into_iter().flatten().take(64) {
                if seen.insert(entity) {
                    scored.push(score(line, entity));
                }
            }
        }
    }
    scored.retain(wanted);
    scored
}

fn verdict(old: &Candidate, line: &Candidate, likeness: f64, called: Called) -> Verdict {
    let (known, new) = (&old.features, &line.features);
    let days = match (known.day(), new.day()) {
        (Some(then), Some(now)) => Some((now - then).get_days()),
        _ => None,
    };
    // It had its turn: another occurrence, next year's, or put off, which nobody can tell.
    let again = old.over && days.is_some_and(|days| days > AGAIN_DAYS)
        || old.over && !line.over && days.is_some_and(|days| days > 0);
    if again && (days.is_some_and(|days| days > AGAIN_DAYS) || called == Called::Series) {
        return Verdict::Different;
    }
    let far = days.is_some_and(|days| days.abs() > FAR_DAYS);
    // One gone, one come under nearly its title, and hardly anything else differs: it is that one.
    let one_for_one = matches!(called, Called::Anew | Called::AnewForOne)
        && known.nearly_titled(new)
        && (days == Some(0) && called == Called::Anew
            || days.is_some_and(|days| days.abs() <= NEAR_DAYS) && known.differences(new) <= 1);
    if one_for_one && !again {
        return Verdict::Same;
    }
    let alone = called == Called::Alone;
    let own = known.own_likeness(new);
    let found = if days == Some(0) {
        on_the_day(known, new, likeness, own)
    } else if own < OWN {
        // Room, hours, organisers and boilerplate can all be shared by two concerts; a story told
        // at length, hardly.
        let near = days.is_some_and(|days| days.abs() <= NEAR_DAYS);
        let told = known.same_story(new)
            && (likeness >= STORY
                || known.same_hosts(new)
                || known.differences(new) <= usize::from(near));
        if told {
            Verdict::Maybe
        } else {
            Verdict::Different
        }
    } else if likeness >= SAME || alone && likeness >= ALONE {
        Verdict::Same
    } else if likeness >= MAYBE && own >= 0.8
        || alone
        || called == Called::Anew && known.goes_on(new)
        || called != Called::Series && known.completes(new) && known.differences(new) <= 1
    {
        Verdict::Maybe
    } else {
        Verdict::Different
    };
    let stray = days != Some(0) && matches!(called, Called::AnewInSeries | Called::AnewForOne);
    if (far || again || stray) && found == Verdict::Same {
        return Verdict::Maybe;
    }
    found
}

/// Two lines on the same day.
fn on_the_day(known: &Features, new: &Features, likeness: f64, own: f64) -> Verdict {
    if own >= OWN && likeness >= SAME && !known.told_otherwise(new) {
        return Verdict::Same;
    }
    // Quite another title: the same only where all the rest is, and is enough; what was confirmed
    // and no longer is, or only now, may be another.
    let told = known.same_story(new) && (likeness >= SAME || known.same_hosts(new));
    if known.same_status(new) && (known.only_title_differs(new) || told) {
        return Verdict::Same;
    }
    let words = if own < UNLIKE { -1 } else { 0 };
    if own >= OWN || known.same_slot(new) + words >= 0 {
        return Verdict::Maybe;
    }
    Verdict::Different
}
