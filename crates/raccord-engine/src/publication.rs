//! Publications: outputs composed of many activities (a month's programme, a web site's pages).

use std::collections::BTreeSet;

use jiff::civil::{Date, DateTime};
use raccord_model::{
    ConnectorName, Entity, EntityId, EntityKind, Mode, Period, Rendered, SinkRule, Status, Subject,
    Visibility,
};

use crate::deciding::Deciding;
use crate::delivery::Wish;
use crate::routing;
use crate::sayings::About;
use crate::state::Shown;

/// Whether every source of ours was read: a programme made before its sheet was read would say that
/// nothing takes place.
pub(crate) fn is_time(deciding: &Deciding<'_>) -> bool {
    let rules = deciding.rules();
    let unread = |name: &ConnectorName| {
        deciding
            .state
            .sources
            .get(name)
            .is_none_or(|source| source.applied_at.is_none())
    };
    let mut own = rules.sources.iter().filter(|(_, rule)| !rule.foreign);
    !own.any(|(name, _)| unread(name))
}

/// Looks again at every publication of every sink.
pub(crate) fn review_all(deciding: &mut Deciding<'_>) {
    let rules = deciding.rules();
    for (name, rule) in &rules.sinks {
        for handling in &rule.handles {
            let Mode::Publication(period) = handling.mode else {
                continue;
            };
            for key in keys(deciding, name, period) {
                let id = id(deciding, name, &key);
                let new = ensure_target(deciding, name, id, &key);
                deciding.review(name, id);
                if new {
                    take_back(deciding, name, id);
                }
            }
        }
    }
    crate::paper::review_walls(deciding);
    crate::sayings::review_roundups(deciding);
}

/// The id of a publication.
pub(crate) fn id(deciding: &Deciding<'_>, sink: &ConnectorName, key: &str) -> EntityId {
    let place = &deciding.state.rules().place.id;
    EntityId::derive(&[
        place.as_str().as_bytes(),
        b"publication",
        sink.as_str().as_bytes(),
        key.as_bytes(),
    ])
}

/// Whether the target is new.
pub(crate) fn ensure_target(
    deciding: &mut Deciding<'_>,
    sink: &ConnectorName,
    id: EntityId,
    key: &str,
) -> bool {
    // The key of a publication that is not owed yet is known to this step only; the owing records it.
    let target = deciding
        .state
        .sinks
        .entry(sink.clone())
        .or_default()
        .targets
        .entry(id)
        .or_default();
    let new = target.key.is_none();
    if new {
        target.key = Some(key.to_owned());
    }
    new
}

/// What was not owed after all leaves no trace: only facts do.
pub(crate) fn take_back(deciding: &mut Deciding<'_>, sink: &ConnectorName, id: EntityId) {
    let unused = deciding
        .state
        .sinks
        .get(sink)
        .and_then(|state| state.targets.get(&id))
        .is_some_and(|target| target.link.is_none() && target.owed.is_none());
    if unused && let Some(state) = deciding.state.sinks.get_mut(sink) {
        state.targets.remove(&id);
    }
}

/// The period keys to look at now.
fn keys(deciding: &Deciding<'_>, sink: &ConnectorName, period: Period) -> BTreeSet<String> {
    match period {
        Period::All => ["all".to_owned()].into(),
        Period::Month => {
            let now = deciding.civil_now();
            let this_month = now.date().first_of_month();
            let mut keys = BTreeSet::new();
            for (_, record) in deciding.state.activities() {
                let shown = record.when();
                if is_printable(&shown) && shown.over_at().is_some_and(|over| over > now) {
                    for month in months(&shown, this_month) {
                        keys.insert(month);
                    }
                }
            }
            // A month that was printed and lost its last activity is looked at again.
            if let Some(state) = deciding.state.sinks.get(sink) {
                for key in state
                    .targets
                    .values()
                    .filter_map(|target| target.key.as_ref())
                    .filter(|key| About::read(key).is_none())
                {
                    let still_printable = || {
                        deciding.state.activities().any(|(_, record)| {
                            let shown = record.when();
                            is_printable(&shown)
                                && months(&shown, Date::MIN).iter().any(|month| month == key)
                        })
                    };
                    if *key >= month_key(this_month) && !still_printable() {
                        keys.insert(key.clone());
                    }
                }
            }
            keys
        }
    }
}

/// Whether a publication is one of a month that is over.
pub(crate) fn is_past(deciding: &Deciding<'_>, key: &str) -> bool {
    key.starts_with(|c: char| c.is_ascii_digit()) && *key < *month_key(deciding.civil_now().date())
}

fn is_printable(shown: &Shown) -> bool {
    !shown.is_foreign()
        && shown.visibility == Visibility::Public
        && !matches!(shown.status, Status::Draft | Status::Cancelled)
}

/// The month of a date, as keys name it: `2027-01`.
pub fn month_key(date: Date) -> String {
    format!("{:04}-{:02}", date.year(), date.month())
}

/// The months an activity touches, from `from` on; at most two years of them.
fn months(shown: &Shown, from: Date) -> Vec<String> {
    let Some(start) = shown.start else {
        return Vec::new();
    };
    let first = start.date().first_of_month();
    let last = shown.end.map_or(start.date(), last_day).max(start.date());
    let mut month = first;
    let mut keys = Vec::new();
    while month <= last && keys.len() < 24 {
        if month >= from {
            keys.push(month_key(month));
        }
        let Ok(next) = month.checked_add(jiff::Span::new().months(1)) else {
            break;
        };
        month = next;
    }
    keys
}

/// The last day an end falls on: midnight still belongs to the evening before.
fn last_day(end: raccord_model::Civil) -> Date {
    match end {
        raccord_model::Civil::Day(day) => day,
        raccord_model::Civil::Minute(at) if at.time() == jiff::civil::Time::midnight() => {
            at.date().yesterday().unwrap_or(at.date())
        }
        raccord_model::Civil::Minute(at) => at.date(),
    }
}

/// What a publication should be now.
pub(crate) fn wish(
    deciding: &Deciding<'_>,
    sink: &ConnectorName,
    rule: &SinkRule,
    id: EntityId,
    key: &str,
) -> Option<Wish> {
    let handling = rule
        .handling(EntityKind::Activity)
        .find(|handling| matches!(handling.mode, Mode::Publication(_)))?;
    let Mode::Publication(period) = handling.mode else {
        return None;
    };
    let rules = deciding.rules();
    let members = members(deciding, sink, period, key);
    let context = deciding.context(&rules, None);
    let rendered: Rendered = deciding.render.render(
        sink,
        Subject::Publication {
            id,
            key,
            members: &members,
        },
        &context,
    );
    Some(Wish {
        rendered,
        family: id,
        key: Some(key.to_owned()),
        rule: routing::rule_name(sink, None, &rules),
        grace: jiff::SignedDuration::from_secs(handling.grace_s),
        best_before: None,
        not_before: None,
        class: handling.class,
        settle: handling.settle(),
        policy: handling.policy,
        announce: false,
        pointless: None,
    })
}

/// The activities of a publication, by start, then title, then id; after them the tasks of each, and
/// the mark on its wall.
fn members(
    deciding: &Deciding<'_>,
    sink: &ConnectorName,
    period: Period,
    key: &str,
) -> Vec<Entity> {
    let rules = deciding.rules();
    let this_month = deciding
        .civil_now()
        .date()
        .first_of_month()
        .to_datetime(jiff::civil::Time::midnight());
    let current = !is_past(deciding, key);
    let belongs = |shown: &Shown| match period {
        // What has no date yet stands at the end of what is made from now on.
        _ if shown.is_undated() => current && shown.status != Status::Cancelled,
        Period::Month => months(shown, Date::MIN).iter().any(|month| month == key),
        Period::All => shown
            .over_at()
            .is_some_and(|over: DateTime| over > this_month),
    };
    let mut members: Vec<(String, Entity)> = deciding
        .state
        .activities()
        .filter(|(_, record)| {
            let shown = record.when();
            shown.visibility == Visibility::Public
                && shown.status != Status::Draft
                && belongs(&shown)
        })
        .filter_map(|(id, _)| deciding.entity(id))
        .filter(|entity| {
            routing::route(&rules, sink, entity).is_some() && !routing::has_left(entity)
        })
        .map(|entity| (entity.text("start").to_owned(), entity))
        .collect();
    members.sort_by(|(a, x), (b, y)| (a, x.text("title"), x.id).cmp(&(b, y.text("title"), y.id)));
    let mut members: Vec<Entity> = members.into_iter().map(|(_, entity)| entity).collect();
    let tasks: Vec<Entity> = members
        .iter()
        .filter_map(|activity| deciding.flight.children.get(&activity.id))
        .flatten()
        .filter_map(|child| deciding.entity(*child))
        .filter(|child| child.kind == EntityKind::Task && child.text("state") != "cancelled")
        .filter(|task| task.text("visibility") != "internal")
        .collect();
    members.extend(tasks);
    if matches!(period, Period::Month) {
        members.extend(crate::credits::fingerprint(deciding, key));
    }
    members.extend(crate::paper::mark(deciding, sink, key));
    members
}
