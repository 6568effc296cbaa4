//! Questions about single lines: opened with a reading, closed once they no longer stand.

use std::collections::BTreeSet;

use raccord_model::{ConnectorName, Digest, EntityId, HoldId, Reading, Words};

use super::held::{held_update, twin_effect};
use crate::deciding::Deciding;
use crate::fact::{Closing, HeldEffect, Hold, HoldKind};
use crate::identity::Question;
use crate::state::State;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// Whether a line is a known activity of its source, changed.
    Change,
    /// Whether a line of a tool that is written too is an activity of another source.
    Twin,
    /// Whether a line is an activity that people put into such a tool before.
    Taken,
}

/// Opens the questions of this reading, and closes those that no longer stand.
pub(super) fn ask(
    deciding: &mut Deciding<'_>,
    source: &ConnectorName,
    reading: &Reading,
    questions: &[Question],
    about: About,
) {
    let mut standing = BTreeSet::new();
    for question in questions {
        let hold = open(deciding, source, reading, question, about);
        standing.insert(hold.id);
        crate::hold::open(deciding, hold);
    }
    let moot: Vec<(HoldId, Vec<EntityId>)> = deciding
        .state
        .holds
        .values()
        .filter_map(|waiting| match &waiting.hold.what {
            HoldKind::Question { source: of, pairs } => {
                let twins = is_of_twins(deciding.state, source, pairs);
                let ours = of == source && twins == (about != About::Change);
                let asked = pairs.iter().map(|(_, entity)| *entity).collect();
                ours.then_some((waiting.hold.id, asked))
            }
            _ => None,
        })
        .filter(|(id, _)| !standing.contains(id))
        .collect();
    for (hold, asked) in moot {
        crate::hold::close(deciding, hold, Closing::Moot);
        if about == About::Twin {
            // Its delivery waited for the answer.
            for entity in asked {
                deciding.wake_object(source, entity);
            }
        }
    }
}

fn open(
    deciding: &Deciding<'_>,
    source: &ConnectorName,
    reading: &Reading,
    question: &Question,
    about: About,
) -> Hold {
    let lines = || {
        let pairs = question.pairs.iter();
        pairs.map(|(index, entity)| (&reading.lines[*index], *entity))
    };
    let pairs: Vec<(Digest, EntityId)> = lines()
        .map(|(line, entity)| (line.digest, entity))
        .collect();
    let word: &[u8] = match about {
        About::Change => b"question",
        About::Twin => b"twin",
        About::Taken => b"taken",
    };
    let mut name: Vec<&[u8]> = vec![word, source.as_str().as_bytes()];
    for (digest, entity) in &pairs {
        name.push(&digest.0);
        name.push(entity.as_bytes());
    }
    let id = HoldId::derive(&name);
    let effects: Vec<HeldEffect> = lines()
        .map(|(line, entity)| match about {
            About::Change | About::Taken => held_update(deciding, line, entity),
            About::Twin => twin_effect(deciding, line, entity),
        })
        .collect();
    let title = effects.first().map_or("", |effect| effect.title.as_str());
    let reason = match about {
        About::Change => {
            let rows: Vec<String> = lines().map(|(line, _)| line.row.to_string()).collect();
            changed(&rows.join(", "), title)
        }
        About::Twin => by_hand(title, source),
        About::Taken => {
            let rows: Vec<String> = lines().map(|(line, _)| line.row.to_string()).collect();
            let brought = |entity: EntityId| deciding.state.entities.get(&entity);
            let tool = lines().find_map(|(_, entity)| brought(entity));
            let tool = tool.map_or("", |record| &*record.source);
            put_before(&rows.join(", "), title, tool)
        }
    };
    Hold {
        id,
        what: HoldKind::Question {
            source: source.clone(),
            pairs,
        },
        reason,
        opened: deciding.now,
        effects,
        more: 0,
    }
}

fn changed(rows: &str, title: &str) -> Words {
    Words::new(
        format!(
            "Ligne {rows} : est-ce « {title} », modifiée ? Oui : c'est la même activité. Non : l'ancienne est annulée et c'en est une nouvelle."
        ),
        format!(
            "Line {rows}: is it “{title}”, changed? Yes: it is the same activity. No: the old one is cancelled and this is a new one."
        ),
    )
}

fn by_hand(title: &str, source: &ConnectorName) -> Words {
    Words::new(
        format!(
            "« {title} » est-elle déjà dans « {source} », écrite à la main ? Oui : cette entrée est reprise et tenue à jour. Non : l'activité y est ajoutée à côté."
        ),
        format!(
            "Is “{title}” in “{source}” already, written by hand? Yes: that entry is taken over and kept up to date. No: the activity is added beside it."
        ),
    )
}

fn put_before(rows: &str, title: &str, tool: &str) -> Words {
    Words::new(
        format!(
            "Ligne {rows} : est-ce « {title} », que quelqu'un a déjà écrite à la main dans « {tool} » ? Oui : cette entrée est reprise, et dit ensuite ce que dit la ligne. Non : c'est une autre activité, ajoutée à côté."
        ),
        format!(
            "Line {rows}: is it “{title}”, which somebody wrote into “{tool}” by hand already? Yes: that entry is taken over, and then says what the line says. No: it is another activity, added beside it."
        ),
    )
}

/// Whether a question is about activities of other sources.
pub(super) fn is_of_twins(
    state: &State,
    source: &ConnectorName,
    pairs: &[(Digest, EntityId)],
) -> bool {
    pairs.iter().any(|(_, entity)| {
        state
            .entities
            .get(entity)
            .is_some_and(|record| *record.source != *source.as_str())
    })
}
