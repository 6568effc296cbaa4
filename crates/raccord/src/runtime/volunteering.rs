//! The year's volunteering, counted from the presences the log knows.

use std::collections::{BTreeMap, BTreeSet};

use raccord_engine::{Engine, Presence};
use raccord_model::{EntityId, fold_word};

use crate::settings::{HourValue, Settings};
use crate::shapes::{VolunteeringShape, WorkShape};

/// What people gave in `year`.
pub(super) fn of(engine: &Engine, year: i16, settings: &Settings) -> VolunteeringShape {
    let presences = raccord_engine::volunteering(engine.state(), year, &settings.zone);
    let mut shape = counted(&presences, year, settings.hour.as_ref());
    let people: BTreeSet<EntityId> = presences.iter().filter_map(|one| one.person).collect();
    let agreed = people.into_iter().filter(|&id| agreed(engine, id));
    shape.named = agreed.map(|id| engine.name_of(id)).collect();
    shape.named.retain(|name| !name.trim().is_empty());
    shape.named.sort_by_cached_key(|name| fold_word(name));
    shape
}

fn agreed(engine: &Engine, person: EntityId) -> bool {
    let person = engine.state().entity(person);
    person.is_some_and(|person| {
        let shown = person.fields.get("shown");
        shown.and_then(serde_json::Value::as_bool) == Some(true)
    })
}

/// What is counted of some presences.
#[derive(Default)]
struct Sum {
    presences: usize,
    people: BTreeSet<EntityId>,
    strangers: usize,
    minutes: u64,
    without_length: usize,
}

impl Sum {
    fn add(&mut self, one: &Presence) {
        self.presences += people(one);
        match one.person {
            Some(person) => {
                self.people.insert(person);
            }
            None => self.strangers += 1,
        }
        match one.minutes {
            Some(minutes) => self.minutes += u64::from(minutes) * one.people,
            None => self.without_length += people(one),
        }
    }

    fn people(&self) -> usize {
        self.people.len() + self.strangers
    }

    /// What its minutes stand for, in hundredths, rounded to the nearest.
    fn value(&self, hour: &HourValue) -> i64 {
        let product = i128::from(self.minutes) * i128::from(hour.value);
        i64::try_from((product + 30) / 60).unwrap_or(i64::MAX)
    }
}

fn people(presence: &Presence) -> usize {
    usize::try_from(presence.people).unwrap_or(usize::MAX)
}

fn counted(presences: &[Presence], year: i16, hour: Option<&HourValue>) -> VolunteeringShape {
    let mut all = Sum::default();
    // By the kind folded, as rules compare it; it is called as it was written first.
    let mut kinds: BTreeMap<Option<String>, (Option<&str>, Sum)> = BTreeMap::new();
    for one in presences {
        all.add(one);
        let kind = one.kind.as_deref();
        let (_, sum) = kinds
            .entry(kind.map(fold_word))
            .or_insert_with(|| (kind, Sum::default()));
        sum.add(one);
    }
    let mut kinds: Vec<WorkShape> = kinds
        .into_values()
        .map(|(kind, sum)| WorkShape {
            kind: kind.map(str::to_owned),
            presences: sum.presences,
            people: sum.people(),
            minutes: sum.minutes,
            value: hour.map(|hour| sum.value(hour)),
        })
        .collect();
    kinds.sort_by_key(|kind| std::cmp::Reverse((kind.minutes, kind.presences)));
    VolunteeringShape {
        year,
        presences: all.presences,
        people: all.people(),
        minutes: all.minutes,
        without_length: all.without_length,
        hour: hour.map(|hour| hour.value),
        currency: hour.map(|hour| hour.currency.clone()),
        // The sum of what the table shows, so that it adds up.
        value: hour.map(|_| kinds.iter().filter_map(|kind| kind.value).sum()),
        kinds,
        named: Vec::new(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn presence(n: u8, person: u8, kind: &str, minutes: Option<u32>) -> Presence {
        Presence {
            registration: EntityId::derive(&[&[n]]),
            person: Some(EntityId::derive(&[b"person", &[person]])),
            people: 1,
            kind: (!kind.is_empty()).then(|| kind.to_owned()),
            day: "2026-05-02".parse().unwrap(),
            minutes,
        }
    }

    #[test]
    fn a_table_adds_up_to_the_cent_and_a_person_counts_once_in_all() {
        let hour = HourValue {
            value: 1_250,
            currency: "€".into(),
        };
        let presences = [
            presence(1, 1, "Chantier", Some(50)),
            presence(2, 1, "chantiers", Some(50)),
            presence(3, 2, "Bar", Some(50)),
            presence(4, 1, "Bar", None),
            presence(5, 3, "", Some(7)),
        ];
        let shape = counted(&presences, 2026, Some(&hour));
        assert_eq!((shape.people, shape.presences), (3, 5));
        assert_eq!((shape.minutes, shape.without_length), (157, 1));
        let kinds: Vec<_> = shape
            .kinds
            .iter()
            .map(|kind| (kind.kind.as_deref().unwrap_or("-"), kind.people, kind.value))
            .collect();
        assert_eq!(
            kinds,
            [
                ("Chantier", 1, Some(2_083)),
                ("Bar", 2, Some(1_042)),
                ("-", 1, Some(146)),
            ]
        );
        assert_eq!(shape.value, Some(2_083 + 1_042 + 146));
    }
}
