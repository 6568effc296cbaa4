//! `holds`: changes that wait for a person's yes.

use std::fmt;

use jiff::Timestamp;
use raccord_model::{ConnectorName, HoldId, Lang};
use serde::{Deserialize, Serialize};

use super::effect::{EffectShape, Tense, by_tool, each};
use super::{MANY, Shape, and_more};
use crate::locale::{View, shown};
use crate::report::{DIM, YELLOW};

/// One open hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HoldShape {
    /// Its id, for `approve` and `reject`.
    pub id: HoldId,
    /// The source or connector it is about.
    pub source: String,
    /// A stable code (`mass-cancellation`).
    pub code: String,
    /// Why it waits, as a sentence.
    pub reason: String,
    /// Since when.
    pub opened: Timestamp,
    /// What a yes would do.
    pub effects: Vec<EffectShape>,
    /// The connectors in whose tools a yes would be noticed, where the effects do not say it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub noticed_in: Vec<ConnectorName>,
}

/// All open holds, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HoldListShape(pub Vec<HoldShape>);

impl Shape for HoldListShape {
    fn human(&self, view: &View, out: &mut dyn fmt::Write) -> fmt::Result {
        if self.0.is_empty() {
            let none = view.say("Rien n'attend votre accord.", "Nothing waits for your yes.");
            return writeln!(out, "{none}");
        }
        list(&self.0, view, out)
    }
}

/// Writes holds with what each would do and how to answer.
///
/// # Errors
/// Those of `out`.
pub(super) fn list(holds: &[HoldShape], view: &View, out: &mut dyn fmt::Write) -> fmt::Result {
    let title = view.say("En attente de votre accord :", "Waiting for your yes:");
    writeln!(out, "{YELLOW}{title}{YELLOW:#}")?;
    for hold in holds.iter().take(MANY) {
        let (source, since) = (shown(&hold.source), view.instant(hold.opened));
        let reason = shown(&hold.reason);
        match view.lang {
            Lang::Fr => {
                writeln!(out, "  ? « {source} », depuis le {since} : {reason}")?;
            }
            Lang::En => {
                writeln!(out, "  ? “{source}”, since {since}: {reason}")?;
            }
        }
        let mut inside = String::new();
        if hold
            .effects
            .iter()
            .all(|effect| effect.connector.as_str() == hold.source)
        {
            // A source is only read: these are changes of the place, not of the sheet.
            each(&hold.effects, Tense::Todo, view, &mut inside)?;
        } else {
            by_tool(&hold.effects, Tense::Todo, view, &mut inside)?;
        }
        for line in inside.lines().filter(|line| !line.is_empty()) {
            writeln!(out, "    {line}")?;
        }
        noticed(hold, view, out)?;
        let (yes, no) = (
            view.say("pour dire oui :", "to say yes:"),
            view.say("pour dire non :", "to say no:"),
        );
        writeln!(out, "    {DIM}{yes}{DIM:#} raccord approve {}", hold.id)?;
        writeln!(out, "    {DIM}{no}{DIM:#} raccord reject {}", hold.id)?;
    }
    and_more(holds.len().saturating_sub(MANY), view, out)
}

/// Where people would see it, and that nothing is seen yet.
fn noticed(hold: &HoldShape, view: &View, out: &mut dyn fmt::Write) -> fmt::Result {
    let (open, close) = match view.lang {
        Lang::Fr => ("« ", " »"),
        Lang::En => ("“", "”"),
    };
    let tools = hold.noticed_in.iter();
    let tools: Vec<String> = tools.map(|tool| format!("{open}{tool}{close}")).collect();
    if tools.is_empty() {
        return Ok(());
    }
    let tools = tools.join(", ");
    match view.lang {
        Lang::Fr => writeln!(
            out,
            "    Si vous dites oui, cela se verra dans {tools} ; pour l'instant, rien n'a bougé."
        ),
        Lang::En => writeln!(
            out,
            "    If you say yes, it will be seen in {tools}; for now, nothing has moved."
        ),
    }
}
