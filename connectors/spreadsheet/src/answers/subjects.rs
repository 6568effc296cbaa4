//! What an answer is for: an activity or a task, found by its title among what there is.

use std::collections::BTreeSet;

use jiff::civil::{Date, DateTime};
use raccord_model::{Digest, EntityId, EntityKind, Offered, fold_word};

/// What the settings say all answers are for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Named {
    pub(crate) activity: Option<String>,
    pub(crate) date: Option<Date>,
}

/// What an answer names.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wanted<'a> {
    pub(crate) activity: &'a str,
    pub(crate) task: &'a str,
    pub(crate) date: Option<Date>,
}

/// Why it is not found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// Nothing has that title.
    None,
    /// Several things to come have it.
    Several(usize),
    /// What has it is over: nobody signs up for that any more, and nothing is wrong.
    Over,
    /// A tool counts its places.
    Kept(String),
}

/// The one thing that is wanted.
pub(crate) fn find(
    offered: &[Offered],
    wanted: Wanted<'_>,
    now: DateTime,
) -> Result<EntityId, Lost> {
    let is_on = |one: &Offered| match (one.day, wanted.date) {
        (Some(day), Some(date)) => day == date,
        _ => true,
    };
    let titled = |kind, title: &str| {
        let title = fold_word(title);
        let fits = move |one: &&Offered| one.kind == kind && fold_word(&one.title) == title;
        offered.iter().filter(fits).filter(|one| is_on(one))
    };
    let activities: Vec<&Offered> = titled(EntityKind::Activity, wanted.activity).collect();
    if wanted.task.is_empty() && !activities.is_empty() {
        return only(&activities, now);
    }
    let title = if wanted.task.is_empty() {
        wanted.activity
    } else {
        wanted.task
    };
    let of: BTreeSet<EntityId> = activities.iter().map(|one| one.id).collect();
    let any = wanted.task.is_empty() || wanted.activity.is_empty();
    let tasks = titled(EntityKind::Task, title)
        .filter(|one| any || one.activity.is_some_and(|activity| of.contains(&activity)));
    only(&tasks.collect::<Vec<_>>(), now)
}

fn only(found: &[&Offered], now: DateTime) -> Result<EntityId, Lost> {
    let coming = |one: &&&Offered| one.over.is_none_or(|over| over > now);
    let still: Vec<&&Offered> = found.iter().filter(coming).collect();
    match still[..] {
        [] if found.is_empty() => Err(Lost::None),
        [] => Err(Lost::Over),
        [one] => match &one.keeper {
            Some(keeper) => Err(Lost::Kept(keeper.clone())),
            None => Ok(one.id),
        },
        _ => Err(Lost::Several(still.len())),
    }
}

/// The digest of all that a title can lead to: where that changes, the same answers mean another
/// thing.
pub(crate) fn coming_digest(offered: &[Offered]) -> Digest {
    let mut all: Vec<String> = offered
        .iter()
        .map(|one| {
            let Offered {
                id,
                title,
                activity,
                day,
                over,
                keeper,
                ..
            } = one;
            format!(
                "{id} {} {activity:?} {day:?} {over:?} {keeper:?}",
                fold_word(title)
            )
        })
        .collect();
    all.sort_unstable();
    Digest::of(all.join("\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn offered(kind: EntityKind, title: &str, of: Option<&Offered>, day: Date) -> Offered {
        Offered {
            id: EntityId::derive(&[title.as_bytes(), day.to_string().as_bytes()]),
            kind,
            title: title.to_owned(),
            activity: of.map(|of| of.id),
            day: Some(day),
            over: Some(day.at(23, 0, 0, 0)),
            keeper: None,
        }
    }

    #[test]
    fn a_title_leads_to_what_comes_and_several_are_told_apart_by_their_day_or_activity() {
        let now = date(2027, 1, 2).at(12, 0, 0, 0);
        let (old, first, second) = (date(2026, 12, 1), date(2027, 1, 5), date(2027, 1, 12));
        let past = offered(EntityKind::Activity, "Bal folk", None, old);
        let ball = offered(EntityKind::Activity, "Bal folk", None, first);
        let market = offered(EntityKind::Activity, "Marché", None, second);
        let bar = offered(EntityKind::Task, "Bar", Some(&ball), first);
        let other = offered(EntityKind::Task, "Bar", Some(&market), second);
        let all = [past, ball.clone(), market, bar.clone(), other.clone()];
        let of = |activity, task, date| {
            find(
                &all,
                Wanted {
                    activity,
                    task,
                    date,
                },
                now,
            )
        };
        assert_eq!(
            of("bals  folk", "", None),
            Ok(ball.id),
            "what is over is no rival"
        );
        assert_eq!(of("Bal folk", "", Some(old)), Err(Lost::Over));
        assert_eq!(of("Bal folk", "Bar", None), Ok(bar.id));
        assert_eq!(of("", "Bar", None), Err(Lost::Several(2)));
        assert_eq!(of("Bar", "", Some(second)), Ok(other.id));
        assert_eq!(of("Bal masqué", "", None), Err(Lost::None));
    }
}
