//! The year's table for a spreadsheet, as those of each language open it: French ones want a
//! semicolon between cells and a comma before decimals.

use raccord_model::Lang;

use crate::locale::View;
use crate::shapes::{VolunteeringShape, WorkShape};

/// Tells spreadsheets that the file is UTF-8.
const MARK: char = '\u{feff}';

/// The kinds of work, and all of them together in the last line.
pub(super) fn of(shape: &VolunteeringShape, view: &View) -> String {
    let delimiter = match view.lang {
        Lang::Fr => b';',
        Lang::En => b',',
    };
    let mut table = csv::WriterBuilder::new()
        .delimiter(delimiter)
        .terminator(csv::Terminator::CRLF)
        .from_writer(MARK.to_string().into_bytes());
    let total = WorkShape {
        kind: Some(view.say("Total", "Total").to_owned()),
        presences: shape.presences,
        people: shape.people,
        minutes: shape.minutes,
        value: shape.value,
    };
    let lines = shape.kinds.iter().chain([&total]);
    let lines = std::iter::once(head(shape, view)).chain(lines.map(|work| line(work, view)));
    for line in lines {
        table
            .write_record(line)
            .expect("a line of as many cells as the first is written to memory");
    }
    let bytes = table.into_inner().expect("memory takes every byte");
    String::from_utf8(bytes).expect("text was written")
}

fn head(shape: &VolunteeringShape, view: &View) -> Vec<String> {
    let words = match view.lang {
        Lang::Fr => ["Sorte de travail", "Présences", "Personnes", "Heures"],
        Lang::En => ["Kind of work", "Presences", "People", "Hours"],
    };
    let mut cells = words.map(str::to_owned).to_vec();
    if let Some(currency) = &shape.currency {
        cells.push(format!(
            "{} ({})",
            view.say("Valeur", "Value"),
            plain(currency)
        ));
    }
    cells
}

fn line(work: &WorkShape, view: &View) -> Vec<String> {
    let mut cells = vec![
        plain(&work.called(view)),
        work.presences.to_string(),
        work.people.to_string(),
        decimal(
            work.minutes.saturating_mul(100).saturating_add(30) / 60,
            view,
        ),
    ];
    cells.extend(work.value.map(|value| decimal(value.unsigned_abs(), view)));
    cells
}

/// Hundredths with two decimals, which every spreadsheet reads as a number.
fn decimal(hundredths: u64, view: &View) -> String {
    let comma = view.say(",", ".");
    format!("{}{comma}{:02}", hundredths / 100, hundredths % 100)
}

/// Text of others, which no spreadsheet takes for a formula
/// ([OWASP, CSV injection](https://owasp.org/www-community/attacks/CSV_Injection)).
fn plain(text: &str) -> String {
    let risky = |c: char| {
        matches!(
            c,
            '=' | '+' | '-' | '@' | '\t' | '\r' | '＝' | '＋' | '－' | '＠'
        )
    };
    if text.trim_start().starts_with(risky) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_is_no_formula_and_numbers_are_numbers() {
        let work = |kind: &str| WorkShape {
            kind: Some(kind.to_owned()),
            presences: 1,
            people: 1,
            minutes: 95,
            value: Some(1_979),
        };
        let shape = VolunteeringShape {
            currency: Some("€".into()),
            value: Some(3 * 1_979),
            kinds: vec![work("=1+1"), work(" @SUM(A1)"), work("Bar; \"grand\"")],
            ..VolunteeringShape::default()
        };
        let table = |lang| {
            let zone = jiff::tz::TimeZone::UTC;
            let now = "2027-01-02T08:00:00Z".parse().unwrap();
            of(&shape, &View { lang, zone, now })
        };
        let fr = table(Lang::Fr);
        let lines: Vec<&str> = fr.lines().collect();
        assert_eq!(
            lines[0],
            "\u{feff}Sorte de travail;Présences;Personnes;Heures;Valeur (€)"
        );
        assert_eq!(lines[1], "'=1+1;1;1;1,58;19,79");
        assert_eq!(lines[2], "' @SUM(A1);1;1;1,58;19,79");
        assert_eq!(lines[3], "\"Bar; \"\"grand\"\"\";1;1;1,58;19,79");
        assert!(table(Lang::En).contains("'=1+1,1,1,1.58,19.79"));
    }
}
