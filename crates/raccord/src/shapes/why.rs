//! `why`: from an effect back to what caused it.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Shape;
use crate::locale::{View, shown};
use crate::report::{BOLD, DIM};

/// The chain of causes of one effect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WhyShape {
    /// The effect that was asked about, as a sentence.
    pub effect: String,
    /// From the effect back to its cause.
    pub chain: Vec<StepShape>,
}

/// One step of the chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepShape {
    /// `effect`, `delivery`, `rule`, `event`, `cell` or `person`.
    pub kind: StepKind,
    /// When it happened, where it has an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// What happened, as a sentence.
    pub text: String,
    /// The id, address or cell it is about.
    #[serde(rename = "ref", default, skip_serializing_if = "String::is_empty")]
    pub reference: String,
}

/// What a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepKind {
    /// What is seen in the tool.
    Effect,
    /// The call that made it.
    Delivery,
    /// The recipe, route or guard that asked for it.
    Rule,
    /// The change of an entity.
    Event,
    /// The cell or line that changed.
    Cell,
    /// Somebody's decision.
    Person,
}

impl StepKind {
    fn word(self, view: &View) -> &'static str {
        let (fr, en) = match self {
            Self::Effect => ("effet", "effect"),
            Self::Delivery => ("envoi", "delivery"),
            Self::Rule => ("règle", "rule"),
            Self::Event => ("événement", "event"),
            Self::Cell => ("cellule", "cell"),
            Self::Person => ("personne", "person"),
        };
        match view.lang {
            raccord_model::Lang::Fr => fr,
            raccord_model::Lang::En => en,
        }
    }
}

impl Shape for WhyShape {
    fn human(&self, view: &View, out: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(out, "{BOLD}{}{BOLD:#}", shown(&self.effect))?;
        for (depth, step) in self.chain.iter().enumerate() {
            let indent = "  ".repeat(depth.min(8));
            let arrow = if depth == 0 { "•" } else { "↳" };
            write!(
                out,
                "  {indent}{arrow} {DIM}{}{DIM:#} ",
                step.kind.word(view)
            )?;
            if let Some(at) = step.at {
                write!(out, "{}{} ", view.instant(at), view.say(" :", ":"))?;
            }
            writeln!(out, "{}", shown(&step.text))?;
            if !step.reference.is_empty() {
                writeln!(out, "  {indent}  {DIM}{}{DIM:#}", shown(&step.reference))?;
            }
        }
        Ok(())
    }
}
