//! Lines whose date is yet to be chosen: "Date à fixer", with the poll where it is chosen.

use raccord_model::{Fields, Status, UNDATED};
use serde_json::Value as Json;

use super::cell::{View, shown};
use super::hours::status_name;
use super::line::address;
use super::{Collector, TabState};
use crate::field::Field;
use crate::{text, words};

/// What a cell says of a date that is yet to be chosen.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ToBeChosen {
    /// The address of the poll that stands beside the words.
    poll: Option<String>,
}

impl Collector<'_> {
    /// Takes a line whose date is yet to be chosen; whether it was one. Where a poll is named and no
    /// day, that says so too; where a title above tells the day, the line has one.
    pub(super) fn undated(
        &mut self,
        tab: &TabState,
        line: View<'_, '_, '_>,
        day_field: Field,
        fields: &Fields,
        status: Option<Status>,
    ) -> bool {
        let in_cell = of_cell(line, day_field);
        let empty = line
            .cell(day_field)
            .is_none_or(|(_, cell)| cell.value.is_empty());
        let polled = || tab.heading.is_none() && fields.contains_key("poll");
        let said = in_cell.or_else(|| {
            let beside = || of_cell(line, Field::Status).filter(|_| empty);
            beside().or_else(|| (empty && polled()).then_some(ToBeChosen { poll: None }))
        });
        let Some(said) = said else {
            return false;
        };
        let mut fields = fields.clone();
        fields.insert(UNDATED.to_owned(), Json::from(true));
        if let Some(poll) = said.poll {
            fields.entry("poll".to_owned()).or_insert(Json::from(poll));
        }
        if let Some(status) = status {
            fields.insert("status".to_owned(), Json::from(status_name(status)));
        }
        let native = line.row.native.map(str::to_owned);
        self.push(tab, line.row.number, native, &fields);
        true
    }
}

/// Whether the status cell of a line without a day says that one is to be chosen.
pub(super) fn in_status(line: View<'_, '_, '_>) -> bool {
    let day = line.cell(Field::Date).or_else(|| line.cell(Field::Start));
    let empty = day.is_none_or(|(_, cell)| cell.value.is_empty());
    empty && of_cell(line, Field::Status).is_some()
}

fn of_cell(line: View<'_, '_, '_>, field: Field) -> Option<ToBeChosen> {
    let (_, cell) = line.cell(field)?;
    read(&shown(&cell.value))
}

/// Reads "Date à fixer", "à fixer : https://…", or the address of a poll alone.
fn read(raw: &str) -> Option<ToBeChosen> {
    if raw.len() > 2_500 {
        return None;
    }
    let is_link = |word: &&str| word.contains("://") || word.starts_with("www.");
    let (links, rest): (Vec<&str>, Vec<&str>) = raw.split_whitespace().partition(is_link);
    let poll = match links[..] {
        [] => None,
        [link] => Some(address(link.trim_matches(['(', ')', '<', '>', ',', ';']))?),
        _ => return None,
    };
    let said = words::to_be_chosen(&text::key(&rest.join(" ")));
    (said || rest.is_empty() && poll.is_some()).then_some(ToBeChosen { poll })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_that_is_to_be_chosen_is_said_in_words_or_by_its_poll() {
        let poll = "https://framadate.org/BalDeMai";
        for (raw, there) in [
            ("Date à fixer", None),
            ("à fixer", None),
            ("DATE À CHOISIR", None),
            ("sondage en cours", None),
            ("date to be chosen", None),
            ("TBD", None),
            ("Date à fixer : https://framadate.org/BalDeMai", Some(poll)),
            ("sondage (https://framadate.org/BalDeMai)", Some(poll)),
            (poll, Some(poll)),
        ] {
            let poll = there.map(str::to_owned);
            assert_eq!(read(raw), Some(ToBeChosen { poll }), "{raw}");
        }
        for other in [
            "",
            "02/01/2027",
            "mardi",
            "à caler : conférence ?",
            "fin mai ?",
            "https://a.example.org https://b.example.org",
            "02/01/2027 https://framadate.org/BalDeMai",
            "javascript://alert",
        ] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
