//! What a reading has to tell: unreadable cells, lines that stand twice, a source that cannot be read.

use raccord_model::{ConnectorName, Digest, Failure, Line, Reading, Remark, Words};

use super::compare::Compared;
use crate::deciding::Deciding;
use crate::fact::Fact;

/// The code of a line that stands twice.
pub(super) const DUPLICATE: &str = "duplicate-line";

pub(super) fn unreadable(deciding: &mut Deciding<'_>, source: &ConnectorName, failure: Failure) {
    let known = deciding
        .state
        .sources
        .get(source)
        .and_then(|state| state.failing.as_ref());
    if known.is_some_and(|(_, known)| known.code == failure.code) {
        return;
    }
    let rules = deciding.rules();
    let foreign = rules.sources.get(source).is_some_and(|rule| rule.foreign);
    let stays = if foreign {
        Words::new(
            "Ce que ce lieu partageait reste montré",
            "What that place shared is still shown",
        )
    } else {
        Words::new(
            "Rien n'est annulé, le dernier état connu reste",
            "Nothing is cancelled, the last known state stays",
        )
    };
    let text = Words::new(
        format!(
            "La source « {source} » ne peut pas être lue : {}. {}.",
            failure.text.fr.trim_end_matches('.'),
            stays.fr
        ),
        format!(
            "The source “{source}” cannot be read: {}. {}.",
            failure.text.en.trim_end_matches('.'),
            stays.en
        ),
    );
    let mend = failure.mend.clone();
    deciding.record(Fact::Unreadable {
        source: source.clone(),
        failure: Box::new(failure),
    });
    crate::notice::tell(deciding, "unreadable", source.as_str(), &text, &mend);
}

pub(super) fn readable_again(deciding: &mut Deciding<'_>, source: &ConnectorName) {
    crate::notice::settle(deciding, "unreadable", source.as_str());
    crate::notice::settle(deciding, "silent", source.as_str());
}

pub(crate) fn remark_digest(remark: &Remark) -> Digest {
    Digest::of(
        format!(
            "{}\u{0}{}\u{0}{}",
            remark.code, remark.sheet, remark.text.fr
        )
        .as_bytes(),
    )
}

pub(super) fn remarks(reading: &Reading, compared: &Compared) -> Vec<Remark> {
    let mut remarks = reading.remarks.clone();
    for (copy, first) in &compared.copies {
        let (copy, first) = (&reading.lines[*copy], &reading.lines[*first]);
        if !copy.decode().contains_key("start") {
            // Their dates may differ: they could not be read, and that is told.
            continue;
        }
        let (sheet, other) = (tab(reading, copy), tab(reading, first));
        let (row, above) = (copy.row, first.row);
        let text = if copy.tab == first.tab {
            Words::new(
                format!(
                    "Les lignes {above} et {row} de « {sheet} » sont identiques : une seule activité en est faite."
                ),
                format!(
                    "Lines {above} and {row} of “{sheet}” are identical: they make one activity."
                ),
            )
        } else {
            Words::new(
                format!(
                    "La ligne {row} de « {sheet} » est identique à la ligne {above} de « {other} » : une seule activité en est faite."
                ),
                format!(
                    "Line {row} of “{sheet}” is identical to line {above} of “{other}”: they make one activity."
                ),
            )
        };
        remarks.push(Remark {
            row,
            code: DUPLICATE.into(),
            text,
            sheet,
        });
    }
    remarks
}

/// What cannot be read is told where organisers look, as one notice per source.
pub(super) fn tell_unread(deciding: &mut Deciding<'_>, source: &ConnectorName, reading: &Reading) {
    let rules = deciding.rules();
    let foreign = rules.sources.get(source).is_some_and(|rule| rule.foreign);
    // What another place writes is not for organisers here to mend.
    if reading.unread.is_empty() || foreign {
        crate::notice::settle(deciding, "unread", source.as_str());
        return;
    }
    let shared = rules.is_shared(source);
    let lines = |lang: raccord_model::Lang| -> String {
        let mut text: Vec<String> = reading
            .unread
            .iter()
            .take(20)
            .map(|unread| {
                let cell = match unread.row {
                    _ if shared => String::new(),
                    row => format!(" {}{row}", unread.column),
                };
                match lang {
                    raccord_model::Lang::Fr => {
                        format!(
                            "{}{cell} : « {} ». {}",
                            unread.sheet, unread.found, unread.write.fr
                        )
                    }
                    raccord_model::Lang::En => {
                        format!(
                            "{}{cell}: “{}”. {}",
                            unread.sheet, unread.found, unread.write.en
                        )
                    }
                }
            })
            .collect();
        if reading.unread.len() > 20 {
            text.push(format!("… +{}", reading.unread.len() - 20));
        }
        text.join("\n")
    };
    let text = Words::new(
        lines(raccord_model::Lang::Fr),
        lines(raccord_model::Lang::En),
    );
    let mend = if shared {
        Words::new(
            format!("Corrigez ces entrées dans « {source} » ; le reste du programme n'attend pas."),
            format!("Mend these entries in “{source}”; the rest of the programme does not wait."),
        )
    } else {
        Words::new(
            "Corrigez ces cellules dans le document ; le reste du programme n'attend pas.",
            "Mend these cells in the document; the rest of the programme does not wait.",
        )
    };
    crate::notice::tell(deciding, "unread", source.as_str(), &text, &mend);
}

pub(super) fn tab(reading: &Reading, line: &Line) -> String {
    reading
        .tabs
        .get(usize::from(line.tab))
        .map(|tab| tab.name.clone())
        .unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use raccord_model::{EntityKind, Fields, Tab};
    use serde_json::json;

    use super::*;

    fn line(tab: u16, row: u32, fields: serde_json::Value) -> Line {
        let fields: Fields = serde_json::from_value(fields).unwrap();
        Line::new(EntityKind::Activity, tab, row, &fields)
    }

    #[test]
    fn a_line_that_stands_twice_is_told_with_its_tab() {
        let whole = json!({"title": "Bal", "start": "2027-01-02"});
        let undated = json!({"title": "Bal", "status": "draft"});
        let named = |name: &str| Tab {
            name: name.into(),
            columns: std::collections::BTreeMap::new(),
        };
        let reading = Reading {
            tabs: vec![named("Novembre"), named("Copie de Novembre")],
            lines: vec![
                line(0, 2, whole.clone()),
                line(0, 7, whole.clone()),
                line(1, 2, whole),
                line(0, 3, undated.clone()),
                line(0, 4, undated),
            ],
            ..Reading::default()
        };
        let compared = Compared {
            copies: vec![(1, 0), (2, 0), (4, 3)],
            ..Compared::default()
        };
        let told: Vec<String> = remarks(&reading, &compared)
            .into_iter()
            .map(|remark| format!("{} {}: {}", remark.sheet, remark.row, remark.text.en))
            .collect();
        assert_eq!(
            told,
            [
                "Novembre 7: Lines 2 and 7 of “Novembre” are identical: they make one activity.",
                "Copie de Novembre 2: Line 2 of “Copie de Novembre” is identical to line 2 of “Novembre”: they make one activity.",
            ]
        );
    }
}
