//! `dead`: deliveries that were given up.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use raccord_model::{Blame, ConnectorName, DeliveryId, EntityId, Lang};
use serde::{Deserialize, Serialize};

use super::{MANY, Shape, and_more};
use crate::locale::{View, shown};
use crate::report::{DIM, RED};

/// One delivery that was given up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeadShape {
    /// The delivery, for `retry` and `drop`.
    pub id: DeliveryId,
    /// The connector.
    pub connector: ConnectorName,
    /// The entity.
    pub entity: EntityId,
    /// What people call it.
    pub title: String,
    /// `data` or `bug`.
    pub failure: Blame,
    /// A stable code.
    pub code: String,
    /// Since when.
    pub since: Timestamp,
    /// What happened, as a sentence.
    pub text: String,
    /// The one next thing to do, as a sentence.
    pub next: String,
}

/// All of them, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeadListShape(pub Vec<DeadShape>);

impl Shape for DeadListShape {
    fn human(&self, view: &View, out: &mut dyn fmt::Write) -> fmt::Result {
        if self.0.is_empty() {
            let none = view.say(
                "Aucun envoi n'a été abandonné.",
                "No delivery was given up.",
            );
            return writeln!(out, "{none}");
        }
        list(&self.0, view, out)
    }
}

/// Writes given-up deliveries with what to do about each.
///
/// # Errors
/// Those of `out`.
pub(super) fn list(dead: &[DeadShape], view: &View, out: &mut dyn fmt::Write) -> fmt::Result {
    let title = view.say("Abandonné, à regarder :", "Given up, to be looked at:");
    writeln!(out, "{RED}{title}{RED:#}")?;
    for item in dead.iter().take(MANY) {
        let (title, tool) = (shown(&item.title), &item.connector);
        let (since, text) = (view.instant(item.since), shown(&item.text));
        match (view.lang, title.as_str()) {
            (Lang::Fr, "") => writeln!(out, "  × « {tool} », depuis le {since} : {text}")?,
            (Lang::En, "") => writeln!(out, "  × “{tool}”, since {since}: {text}")?,
            (Lang::Fr, title) => writeln!(
                out,
                "  × « {title} » dans « {tool} », depuis le {since} : {text}"
            )?,
            (Lang::En, title) => {
                writeln!(out, "  × “{title}” in “{tool}”, since {since}: {text}")?;
            }
        }
        writeln!(out, "    → {}", shown(&item.next))?;
        let again = view.say("réessayer :", "try again:");
        let away = view.say("y renoncer :", "give up for good:");
        writeln!(out, "    {DIM}{again}{DIM:#} raccord retry {}", item.id)?;
        writeln!(out, "    {DIM}{away}{DIM:#} raccord drop {}", item.id)?;
    }
    and_more(dead.len().saturating_sub(MANY), view, out)?;
    // Each of them alone would be long work for whoever mended the tool.
    let mut many: BTreeMap<&ConnectorName, usize> = BTreeMap::new();
    for item in dead {
        *many.entry(&item.connector).or_default() += 1;
    }
    for (tool, _) in many.into_iter().filter(|(_, count)| *count > 1) {
        let (all, colon) = match view.lang {
            Lang::Fr => (format!("tout réessayer pour « {tool} »"), " :"),
            Lang::En => (format!("try everything again for “{tool}”"), ":"),
        };
        writeln!(out, "    {DIM}{all}{colon}{DIM:#} raccord retry {tool}")?;
    }
    Ok(())
}
