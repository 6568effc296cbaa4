//! `person readers`: who reads a letter.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Shape;
use crate::locale::View;

/// Who reads a letter, by their address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReadersShape(pub Vec<ReaderShape>);

/// Somebody who reads a letter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReaderShape {
    /// Their address.
    pub email: String,
    /// Since when, as it was noted.
    pub since: String,
    /// Since when mail comes back from there, where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bounced: Option<String>,
}

impl Shape for ReadersShape {
    /// A table for a spreadsheet, in which nothing that somebody wrote becomes a formula.
    fn human(&self, view: &View, out: &mut dyn fmt::Write) -> fmt::Result {
        let names = view.say(
            "Adresse,Depuis,Revient depuis",
            "Address,Since,Comes back since",
        );
        writeln!(out, "{names}")?;
        for reader in &self.0 {
            let bounced = reader.bounced.as_deref().unwrap_or_default();
            let cells = [&reader.email, &reader.since, bounced].map(cell);
            writeln!(out, "{}", cells.join(","))?;
        }
        Ok(())
    }
}

/// A text as a cell (RFC 4180); what a spreadsheet takes for a formula has an apostrophe before it.
fn cell(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    let guard = if text.starts_with(['=', '+', '-', '@']) {
        "'"
    } else {
        ""
    };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_never_becomes_a_formula_or_another_cell() {
        for (text, shown) in [
            ("ana@example.org", "\"ana@example.org\""),
            (
                "=cmd|' /c calc'!a@example.org",
                "\"'=cmd|' /c calc'!a@example.org\"",
            ),
            ("+1@example.org", "\"'+1@example.org\""),
            ("a\",\"b\r\n@example.org", "\"a\"\",\"\"b@example.org\""),
        ] {
            assert_eq!(cell(text), shown);
        }
    }
}
