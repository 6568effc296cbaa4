//! The settings, and nothing else.

use std::time::Duration;

use raccord_kit::settings::{Span, Text, Whole};
use schemars::JsonSchema;
use serde::Deserialize;

/// The longest name of a place, in characters.
pub(crate) const NAME: usize = 80;
/// The shortest time between two looks: somebody else's machine is asked.
pub(crate) const LEAST: Duration = Duration::from_secs(60);

/// How many activities are taken where nothing is said.
const MOST: usize = 100;

/// Reads what another place shares: its list, or its calendar.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// What your visitors know that place by. What it calls itself is not shown.
    #[schemars(extend("examples" = ["Le Jardin"]))]
    pub(crate) name: Text<80>,
    /// The address of what it shares: the shared.json of its site, or of a calendar (iCal).
    #[schemars(extend("examples" = ["https://jardin.example.org/shared.json"]))]
    pub(crate) url: Text<2000>,
    /// How often it is read; at least a minute.
    #[serde(default = "a_quarter")]
    pub(crate) every: Span,
    /// The most activities that are taken from it, the first to come; 100 otherwise.
    #[serde(default)]
    #[schemars(example = 100)]
    pub(crate) most: Option<Whole<1, 500>>,
}

fn a_quarter() -> Span {
    Span::new(Duration::from_secs(15 * 60))
}

impl Settings {
    /// The most activities that are taken.
    pub(crate) fn most(&self) -> usize {
        self.most
            .and_then(|most| usize::try_from(most.get()).ok())
            .unwrap_or(MOST)
    }
}
