//! The year on one page, to print.

use raccord_model::Words;

use crate::locale::View;
use crate::report::Problem;
use crate::shapes::VolunteeringShape;

#[cfg(feature = "pdf")]
pub(super) fn of(shape: &VolunteeringShape, place: &str, view: &View) -> Result<Vec<u8>, Problem> {
    let template = raccord_typeset::Template::of(include_str!("page.typ"));
    let page = raccord_typeset::typeset(&template, &data(shape, place, view));
    let page = page.map_err(|cause| unset(&cause))?;
    Ok(page.bytes)
}

/// A page that cannot be set is a mistake of ours: the table still says it all.
#[cfg(feature = "pdf")]
fn unset(cause: &raccord_typeset::TypesetError) -> Problem {
    Problem::failed(
        "",
        "page-not-set",
        Words::new(
            format!("La page n'a pas pu être mise en forme ({cause})."),
            format!("The page could not be typeset ({cause})."),
        ),
        Words::new(
            "Demandez le tableau avec --csv, et signalez cette phrase aux auteurs de Raccord.",
            "Ask for the table with --csv, and tell this sentence to Raccord's authors.",
        ),
    )
}

/// This build leaves typesetting out.
#[cfg(not(feature = "pdf"))]
pub(super) fn of(_: &VolunteeringShape, _: &str, _: &View) -> Result<Vec<u8>, Problem> {
    Err(Problem::failed(
        "",
        "typeset.absent",
        Words::new(
            "Ce programme a été construit sans la mise en page.",
            "This program was built without typesetting.",
        ),
        Words::new(
            "Demandez le tableau avec --csv, ou un programme construit avec `pdf`.",
            "Ask for the table with --csv, or for a program built with `pdf`.",
        ),
    ))
}

#[cfg(feature = "pdf")]
mod content {
    use serde_json::{Value, json};

    use crate::locale::{View, shown, typeset};
    use crate::shapes::{VolunteeringShape, WorkShape};

    /// The most kinds of work a page holds; the smallest of more are put together.
    const KINDS: usize = 18;
    /// The most characters of names a page holds.
    const NAMES: usize = 900;

    /// What the page says.
    pub(super) fn data(shape: &VolunteeringShape, place: &str, view: &View) -> Value {
        let say = |fr, en| view.say(fr, en);
        let line = |work: &WorkShape| {
            json!([
                work.called(view),
                work.presences.to_string(),
                work.people.to_string(),
                view.hours(work.minutes),
                shape.money(work.value, view).unwrap_or_default(),
            ])
        };
        let mut kinds: Vec<Value> = shape.kinds.iter().take(KINDS).map(line).collect();
        if let Some(rest) = shape.kinds.get(KINDS..).filter(|rest| !rest.is_empty()) {
            kinds.push(others(shape, rest, view));
        }
        let mut head = vec![
            say("Sorte de travail", "Kind of work"),
            say("Présences", "Presences"),
            say("Personnes", "People"),
            say("Heures", "Hours"),
        ];
        if shape.value.is_some() {
            head.push(say("Valeur", "Value"));
        }
        let remarks = shape.remarks(view);
        let remarks: Vec<String> = remarks
            .iter()
            .map(|text| typeset(view.lang, text))
            .collect();
        let title = format!("{} {}", say("Bénévolat", "Volunteering"), shape.year);
        let made = view.now.to_zoned(view.zone.clone()).date();
        json!({
            "title": title,
            "lang": view.lang,
            "date": made.to_string(),
            "place": shown(place),
            "short": typeset(view.lang, &shape.in_short(view)),
            "head": head,
            "kinds": kinds,
            "total": line(&shape.total()),
            "named": say("Avec leur accord, parmi elles et eux", "Among them, who agreed to be named"),
            "names": names(&shape.named, view),
            "remarks": remarks,
            "foot": format!("{} {}", say("Compté par Raccord le", "Counted by Raccord on"), raccord_look::dates::day_year(view.lang, made)),
        })
    }

    /// The kinds that do not fit, in one line. People may be in several: they are not added up.
    fn others(shape: &VolunteeringShape, rest: &[WorkShape], view: &View) -> Value {
        let called = match rest.len() {
            1 => rest[0].called(view),
            more => view
                .say(&format!("{more} autres"), &format!("{more} others"))
                .to_owned(),
        };
        let value = rest.iter().filter_map(|work| work.value).sum();
        json!([
            called,
            rest.iter()
                .map(|work| work.presences)
                .sum::<usize>()
                .to_string(),
            if let [one] = rest {
                one.people.to_string()
            } else {
                "–".to_owned()
            },
            view.hours(rest.iter().map(|work| work.minutes).sum()),
            shape
                .money(shape.value.map(|_| value), view)
                .unwrap_or_default(),
        ])
    }

    fn names(named: &[String], view: &View) -> String {
        let mut text = String::new();
        for (index, name) in named.iter().enumerate() {
            let name = shown(name);
            if text.len() + name.len() > NAMES {
                let left = named.len() - index;
                text += view.say(&format!(" et {left} autres"), &format!(" and {left} more"));
                break;
            }
            if !text.is_empty() {
                text += ", ";
            }
            text += &name;
        }
        text
    }
}

#[cfg(feature = "pdf")]
use content::data;

#[cfg(all(test, feature = "pdf"))]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::shapes::WorkShape;
    use raccord_model::Lang;

    #[test]
    fn the_fullest_year_is_one_page_and_no_text_is_markup() {
        let work = |n: usize| WorkShape {
            kind: Some(format!(
                "#panic() *Chantier* numéro {n} du jardin partagé et de la serre"
            )),
            presences: 1_000 + n,
            people: 300,
            minutes: 123_456,
            value: Some(99_999_999),
        };
        let shape = VolunteeringShape {
            year: 2026,
            presences: 40_000,
            people: 3_000,
            minutes: 9_999_999,
            without_length: 12,
            hour: Some(1_250),
            currency: Some("€".into()),
            value: Some(9_999_999_999),
            kinds: (0..60).map(work).collect(),
            named: (0..400)
                .map(|n| format!("Ana-Maria Dupont-Durand {n}"))
                .collect(),
        };
        for lang in [Lang::Fr, Lang::En] {
            let view = View {
                lang,
                zone: jiff::tz::TimeZone::UTC,
                now: "2027-01-02T08:00:00Z".parse().unwrap(),
            };
            let template = raccord_typeset::Template::of(include_str!("page.typ"));
            let page =
                raccord_typeset::typeset(&template, &data(&shape, "Le lieu", &view)).unwrap();
            assert_eq!(page.pages.len(), 1, "{:?}", page.pages);
            assert!(
                page.accessible && page.warnings.is_empty(),
                "{:?}",
                page.warnings
            );
            assert!(
                page.pages[0].contains("#panic() *Chantier*"),
                "{:?}",
                page.pages
            );
        }
    }
}
