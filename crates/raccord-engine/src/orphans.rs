//! Activities whose source is no longer configured: nobody reads them any more, and nobody is to
//! find that out from a programme that shows them twice.

use jiff::civil::DateTime;
use raccord_model::{ConnectorName, Status, Words};

use crate::deciding::Deciding;
use crate::state::State;

/// The code of what is told about it.
const CODE: &str = "source-gone";

/// A source that is no longer configured while activities of it are still to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orphans {
    /// The source.
    pub source: ConnectorName,
    /// What is to be known.
    pub text: Words,
    /// What to do.
    pub mend: Words,
}

/// Every such source, at the place's civil `now`.
pub fn orphans(state: &State, now: DateTime) -> Vec<Orphans> {
    let Some(rules) = &state.rules else {
        return Vec::new();
    };
    state
        .sources
        .iter()
        .filter(|(name, _)| !rules.sources.contains_key(*name))
        .filter_map(|(name, source)| {
            let coming = source.lines.keys().filter(|entity| {
                state.entities.get(*entity).is_some_and(|record| {
                    let shown = record.when();
                    shown.status != Status::Cancelled
                        && shown.over_at().is_none_or(|over| over > now)
                })
            });
            match coming.count() {
                0 => None,
                count => Some(told(name, count)),
            }
        })
        .collect()
}

fn told(name: &ConnectorName, count: usize) -> Orphans {
    let (fr, en) = if count == 1 {
        (
            "1 activité à venir en vient et reste".to_owned(),
            "1 coming activity is from it and stays".to_owned(),
        )
    } else {
        (
            format!("{count} activités à venir en viennent et restent"),
            format!("{count} coming activities are from it and stay"),
        )
    };
    Orphans {
        source: name.clone(),
        text: Words::new(
            format!("La source « {name} » n'est plus dans la configuration : {fr} telles quelles."),
            format!("The source “{name}” is no longer in the configuration: {en} as known."),
        ),
        mend: Words::new(
            format!(
                "Si elle a seulement changé de nom, rendez-lui celui de « {name} », sinon tout apparaît deux fois. Pour s'en séparer, videz-la d'abord."
            ),
            format!(
                "If only its name changed, call it “{name}” again, or everything appears twice. To part with it, empty it first."
            ),
        ),
    }
}

/// Tells of sources that are gone, and that one is back.
pub(crate) fn tell(deciding: &mut Deciding<'_>) {
    let known: Vec<ConnectorName> = deciding.state.sources.keys().cloned().collect();
    let gone = orphans(deciding.state, deciding.civil_now());
    for name in known {
        if let Some(orphans) = gone.iter().find(|orphans| orphans.source == name) {
            let Orphans { text, mend, .. } = orphans;
            crate::notice::tell(deciding, CODE, name.as_str(), text, mend);
        } else {
            crate::notice::settle(deciding, CODE, name.as_str());
        }
    }
}
