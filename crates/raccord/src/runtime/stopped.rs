//! Connectors that stopped by themselves: switched off by their tool (410), or refused by it.
//! What is said about them, and the one command that lifts it.
//!
//! It decides nothing: the engine switches off, a person (or `check`, for a refusal) switches on.

use raccord_engine::{Health, State};
use raccord_kit::{Finding, Level};
use raccord_model::{ConnectorName, Words};

use crate::shapes::WarningShape;

/// Stable code of a connector that its tool switched off.
pub(crate) const OFF: &str = "connector-off";
/// Stable code of a connector that its tool refuses.
pub(crate) const REFUSED: &str = "connector-refused";

/// Why a connector is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// Its tool said that it is gone for good.
    Off,
    /// Its tool does not accept the credentials.
    Refused,
}

impl Why {
    /// Its stable code.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Off => OFF,
            Self::Refused => REFUSED,
        }
    }

    /// The sentence about `name`, with the command that lifts it.
    pub(crate) fn text(self, name: &ConnectorName) -> Words {
        match self {
            Self::Off => Words::new(
                format!(
                    "L'outil a répondu qu'il n'existe plus : « {name} » est éteint et ce qu'il devait recevoir attend. Quand c'est réparé : `raccord retry {name}`."
                ),
                format!(
                    "The tool answered that it is gone: “{name}” is switched off, and what it was to receive waits. Once that is mended: `raccord retry {name}`."
                ),
            ),
            Self::Refused => Words::new(
                format!(
                    "L'outil refuse le mot de passe, le jeton ou les droits de « {name} » : ce qu'il devait recevoir attend. Un secret remplacé est remarqué de lui-même ; sinon, quand c'est réparé : `raccord retry {name}`."
                ),
                format!(
                    "The tool refuses the password, token or rights of “{name}”: what it was to receive waits. A replaced secret is noticed by itself; else, once that is mended: `raccord retry {name}`."
                ),
            ),
        }
    }
}

/// The configured connectors that are not used until somebody acts.
pub(crate) fn stopped(state: &State) -> Vec<(ConnectorName, Why)> {
    let Some(rules) = &state.rules else {
        return Vec::new();
    };
    state
        .sinks
        .iter()
        .filter(|(name, _)| rules.sinks.contains_key(*name))
        .filter_map(|(name, sink)| {
            let why = match sink.health {
                Health::Off(_) => Why::Off,
                Health::Refused(_) => Why::Refused,
                Health::Up | Health::Down(_) => return None,
            };
            Some((name.clone(), why))
        })
        .collect()
}

/// What a pass or a plan says of them.
pub(crate) fn warnings(state: &State, lang: raccord_model::Lang) -> Vec<WarningShape> {
    stopped(state)
        .into_iter()
        .map(|(name, why)| WarningShape {
            text: why.text(&name).get(lang).to_owned(),
            source: name.to_string(),
            sheet: String::new(),
            row: 0,
            code: why.code().to_owned(),
        })
        .collect()
}

/// What `check` says of one that is still not used.
pub(crate) fn finding(name: &ConnectorName, why: Why, place: String) -> Finding {
    let text = match why {
        Why::Off => Words::new(
            format!("« {name} » est éteint : son outil a répondu qu'il n'existe plus."),
            format!("“{name}” is switched off: its tool answered that it is gone."),
        ),
        Why::Refused => Words::new(
            format!("« {name} » n'est plus employé : son outil l'a refusé."),
            format!("“{name}” is no longer used: its tool refused it."),
        ),
    };
    Finding {
        place,
        code: why.code().to_owned(),
        level: Level::Warning,
        text,
        mend: Words::new(
            format!(
                "Quand l'outil est de nouveau en place, `raccord retry {name}` : ce qui attend partira."
            ),
            format!(
                "Once the tool is back in place, `raccord retry {name}`: what waits will be sent."
            ),
        ),
    }
}

/// What `check` says of one that had been refused, answers well again, and is used again.
pub(crate) fn lifted(name: &ConnectorName, place: String) -> Finding {
    Finding {
        place,
        code: "connector-lifted".to_owned(),
        level: Level::Warning,
        text: Words::new(
            format!("L'outil avait refusé « {name} » ; il l'accepte de nouveau."),
            format!("The tool had refused “{name}”; it accepts it again."),
        ),
        mend: Words::new(
            "Raccord s'en sert de nouveau ; `raccord sync` envoie tout de suite ce qui attendait.",
            "Raccord uses it again; `raccord sync` sends what was waiting at once.",
        ),
    }
}
