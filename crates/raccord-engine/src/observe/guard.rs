//! Whether a reading looks like an accident.

use std::collections::HashSet;

use raccord_model::{ConnectorName, EntityId, Reading, Words};

use super::accept::leaves_silently;
use super::compare::{Compared, source_fields};
use crate::deciding::Deciding;
use crate::fact::HoldKind;
use crate::parallel;

/// Why a reading looks like an accident.
pub(super) struct Alarm {
    pub(super) code: &'static str,
    pub(super) reason: Words,
}

/// Whether the reading looks like an accident, and why.
pub(super) fn guard(
    deciding: &Deciding<'_>,
    source: &ConnectorName,
    reading: &Reading,
    compared: &Compared,
) -> Option<Alarm> {
    let rules = deciding.state.rules();
    if rules.sources.get(source).is_some_and(|rule| rule.foreign) {
        return None; // What another place takes back goes: its accidents are held at its own door.
    }
    let guards = &rules.guards;
    let now = deciding.civil_now();
    let (world, vault) = (&*deciding.state, &*deciding.vault);
    let coming = |entity: &EntityId| !leaves_silently(world, *entity, now);
    let missing = compared
        .missing
        .iter()
        .filter(|entity| coming(entity))
        .count();
    let changes = |(index, entity): &(usize, EntityId)| {
        let Some(before) = source_fields(world, vault, *entity).filter(|_| coming(entity)) else {
            return false;
        };
        let after = reading.lines[*index].decode();
        ["start", "end", "room", "title"]
            .iter()
            .any(|name| before.get(*name) != after.get(*name))
    };
    let changed = count(&compared.changed, changes);
    // One activity may stand in several questions.
    let asked: HashSet<EntityId> = compared
        .questions
        .iter()
        .flat_map(|question| question.pairs.iter().map(|&(_, entity)| entity))
        .filter(coming)
        .collect();
    // What a person is asked about already is no news, and nothing is done about it unasked.
    let open: HashSet<EntityId> = open_questions(deciding, source).collect();
    let news = asked.difference(&open).count();
    let asked = asked.len();
    let all = changed + news;
    let many = |part: usize, least: u32| part >= least.max(1) as usize;
    if !many(missing, guards.cancel_count) && !many(all, guards.change_count) {
        return None; // Without looking at everything that stayed as it was.
    }
    let of_lines = |lines: &[(usize, EntityId)]| count(lines, |(_, entity)| coming(entity));
    let total = of_lines(&compared.same) + of_lines(&compared.changed) + missing + asked;
    let share = |part: usize| {
        if total == 0 {
            0.0
        } else {
            part as f64 / total as f64
        }
    };
    if many(missing, guards.cancel_count) && share(missing) > guards.cancel_share {
        let reason = Words::new(
            format!(
                "{missing} activités à venir sur {total} ont disparu d'un coup. Rien n'est annulé tant que personne n'a dit oui."
            ),
            format!(
                "{missing} of {total} coming activities are gone at once. Nothing is cancelled until a person says yes."
            ),
        );
        return Some(Alarm {
            code: "mass-deletion",
            reason,
        });
    }
    if many(all, guards.change_count) && share(all) > guards.change_share {
        let listed = missing + compared.changed.len() + compared.added.len();
        let apart = match asked {
            0 => Words::default(),
            _ => Words::new(
                format!(" À accepter ici : {listed} ; à part, en questions : {asked}."),
                format!(" To accept here: {listed}; apart, as questions: {asked}."),
            ),
        };
        let reason = Words::new(
            format!(
                "{all} activités à venir sur {total} changent d'un coup de date, d'heure, de lieu ou de titre. Rien ne bouge tant que personne n'a dit oui.{}",
                apart.fr
            ),
            format!(
                "{all} of {total} coming activities change date, hours, room or title at once. Nothing moves until a person says yes.{}",
                apart.en
            ),
        );
        return Some(Alarm {
            code: "mass-change",
            reason,
        });
    }
    None
}

/// The activities that questions about this source are open about.
fn open_questions<'d>(
    deciding: &'d Deciding<'_>,
    source: &'d ConnectorName,
) -> impl Iterator<Item = EntityId> + 'd {
    let holds = deciding.state.holds.values();
    let pairs = holds.filter_map(move |waiting| match &waiting.hold.what {
        HoldKind::Question { source: of, pairs } if of == source => Some(pairs),
        _ => None,
    });
    pairs.flatten().map(|(_, entity)| *entity)
}

/// How many items a pure question says yes to.
fn count<T: Sync>(items: &[T], is: impl Fn(&T) -> bool + Sync) -> usize {
    let said = parallel::map(items, is);
    said.into_iter().filter(|yes| *yes).count()
}
