//! The year's table for a spreadsheet.

use raccord_model::Lang;

use crate::locale::View;
use crate::shapes::{VolunteeringShape, WorkShape};
use crate::sheet;

/// The kinds of work, and all of them together in the last line.
pub(super) fn of(shape: &VolunteeringShape, view: &View) -> String {
    let total = shape.total();
    let lines = shape.kinds.iter().chain([&total]);
    let lines = std::iter::once(head(shape, view)).chain(lines.map(|work| line(work, view)));
    sheet::table(lines, view.lang)
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
            sheet::plain(currency)
        ));
    }
    cells
}

fn line(work: &WorkShape, view: &View) -> Vec<String> {
    let hours = work.minutes.saturating_mul(100).saturating_add(30) / 60;
    let hours = i64::try_from(hours).unwrap_or(i64::MAX);
    let mut cells = vec![
        sheet::plain(&work.called(view)),
        work.presences.to_string(),
        work.people.to_string(),
        sheet::decimal(hours, view.lang),
    ];
    cells.extend(work.value.map(|value| sheet::decimal(value, view.lang)));
    cells
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
