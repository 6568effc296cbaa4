//! `check`: what is wrong, where, and the mend.

use std::fmt;

use raccord_kit::{Finding, Level};
use raccord_model::{ConnectorName, Lang};
use serde::{Serialize, Serializer};

use super::Shape;
use crate::locale::View;
use crate::report::{self, Exit, FindingShape, GREEN};

/// The result of `check`. As JSON it is the list of findings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckShape {
    /// The language the findings are told in.
    pub lang: Lang,
    /// The tools that were asked, and whether they are well.
    pub tools: Vec<ToolShape>,
    /// All findings.
    pub findings: Vec<Finding>,
}

/// A tool that was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolShape {
    /// Its name in the configuration.
    pub name: ConnectorName,
    /// The connector's kind.
    pub kind: String,
    /// Whether nothing was found.
    pub well: bool,
}

impl Serialize for CheckShape {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_seq(
            self.findings
                .iter()
                .map(|finding| FindingShape::of(finding, self.lang)),
        )
    }
}

impl Shape for CheckShape {
    fn human(&self, view: &View, out: &mut dyn fmt::Write) -> fmt::Result {
        for tool in self.tools.iter().filter(|tool| tool.well) {
            writeln!(out, "{GREEN}✓{GREEN:#} {} ({})", tool.name, tool.kind)?;
        }
        report::human(&self.findings, view.lang, out)?;
        let errors = self
            .findings
            .iter()
            .filter(|finding| finding.level == Level::Error)
            .count();
        let line = match (errors, self.findings.len()) {
            (0, 0) => view.say("Tout va bien.", "All is well.").to_owned(),
            (0, n) => view.count(
                n,
                (
                    "point à regarder, rien ne bloque.",
                    "points à regarder, rien ne bloque.",
                ),
                (
                    "thing to look at, nothing is blocked.",
                    "things to look at, nothing is blocked.",
                ),
            ),
            (n, _) => view.count(
                n,
                ("erreur à corriger.", "erreurs à corriger."),
                ("error to mend.", "errors to mend."),
            ),
        };
        writeln!(out, "{line}")
    }

    fn exit(&self) -> Exit {
        if self
            .findings
            .iter()
            .any(|finding| finding.level == Level::Error)
        {
            Exit::Failed
        } else {
            Exit::Done
        }
    }
}
