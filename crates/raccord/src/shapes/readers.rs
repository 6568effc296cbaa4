//! `person readers`: who reads a letter.

use std::fmt;

use raccord_model::Lang;
use serde::{Deserialize, Serialize};

use super::Shape;
use crate::locale::View;
use crate::sheet;

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
        let head = match view.lang {
            Lang::Fr => ["Adresse", "Depuis", "Revient depuis"],
            Lang::En => ["Address", "Since", "Comes back since"],
        };
        let head = head.map(str::to_owned).to_vec();
        let lines = self.0.iter().map(|reader| {
            let bounced = reader.bounced.as_deref().unwrap_or_default();
            let cells = [reader.email.as_str(), reader.since.as_str(), bounced];
            cells.map(sheet::plain).to_vec()
        });
        out.write_str(&sheet::table(std::iter::once(head).chain(lines), view.lang))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_never_becomes_a_formula_or_another_cell() {
        let reader = |email: &str| ReaderShape {
            email: email.to_owned(),
            since: "2026-11-02".to_owned(),
            bounced: None,
        };
        let readers = [
            "ana@example.org",
            "=cmd|' /c calc'!a@example.org",
            " +1@example.org",
            "a\";\"b\r\n@example.org",
        ];
        let view = View {
            lang: Lang::Fr,
            zone: jiff::tz::TimeZone::UTC,
            now: jiff::Timestamp::UNIX_EPOCH,
        };
        let mut out = String::new();
        ReadersShape(readers.map(reader).to_vec())
            .human(&view, &mut out)
            .unwrap();
        let lines: Vec<&str> = out.trim_start_matches('\u{feff}').lines().collect();
        assert_eq!(
            lines,
            [
                "Adresse;Depuis;Revient depuis",
                "ana@example.org;2026-11-02;",
                "'=cmd|' /c calc'!a@example.org;2026-11-02;",
                "' +1@example.org;2026-11-02;",
                "\"a\"\";\"\"b  @example.org\";2026-11-02;",
            ]
        );
    }
}
