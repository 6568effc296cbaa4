//! What a person sees on the paper: how large it is written, how much of the page is used, whose a
//! sheet on the table is.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

#[allow(dead_code, unreachable_pub, reason = "shared with the example")]
mod months;

use raccord_model::{Entity, Lang};
use raccord_typeset::lay_out;
use serde_json::Value;
use typst::layout::{Frame, FrameItem, Point};

/// What is written: how large, how far down its page, and what.
struct Run {
    page: usize,
    size: f64,
    down: f64,
    text: String,
}

fn runs_of(frame: &Frame, page: usize, at: Point, runs: &mut Vec<Run>) {
    for (point, item) in frame.items() {
        match item {
            FrameItem::Group(group) => runs_of(&group.frame, page, at + *point, runs),
            FrameItem::Text(text) => runs.push(Run {
                page,
                size: text.size.to_pt(),
                down: (at + *point).y.to_mm(),
                text: plain(&text.text),
            }),
            _ => {}
        }
    }
}

fn plain(text: &str) -> String {
    let text = text.replace(['\u{202f}', '\u{a0}'], " ");
    text.replace('\u{200b}', "")
        .trim_start_matches([' ', '–'])
        .trim()
        .to_owned()
}

/// What is written on `sheet`, and the data it was made from.
fn written(members: &[Entity], sheet: &str, lang: Lang) -> (Vec<Run>, Value) {
    let data = months::data(members, sheet, lang).unwrap();
    let document = lay_out(&months::template(sheet), &data).unwrap();
    let mut runs = Vec::new();
    for (page, laid) in document.pages().iter().enumerate() {
        runs_of(&laid.frame, page, Point::zero(), &mut runs);
    }
    (runs, data)
}

fn items(data: &Value) -> impl Iterator<Item = &Value> {
    let weeks = data["weeks"].as_array().unwrap().iter();
    weeks
        .flat_map(|week| week["days"].as_array().unwrap())
        .flat_map(|day| day["items"].as_array().unwrap())
}

/// How large the `key` of each activity is written; the first line of what is on several.
fn sizes(runs: &[Run], data: &Value, key: &str) -> Vec<f64> {
    let all = |key: &str| -> Vec<String> {
        let said = items(data).map(|item| plain(item[key].as_str().unwrap_or_default()));
        said.filter(|text| !text.is_empty()).collect()
    };
    let (said, other) = (all(key), [all("kind"), all("room")].concat());
    let is_it = |run: &str, text: &str| run == text || (run.len() > 12 && text.starts_with(run));
    let sizes: Vec<f64> = runs
        .iter()
        .filter(|run| said.iter().any(|text| is_it(&run.text, text)))
        .filter(|run| key != "title" || !other.contains(&run.text))
        .map(|run| run.size)
        .collect();
    // "Repas partagé 🍲" is two runs, the first of which is also the name of a kind.
    assert!(
        sizes.len() * 10 >= said.len() * 9,
        "{key}: {} of {}",
        sizes.len(),
        said.len()
    );
    sizes
}

#[test]
fn hours_and_titles_are_read_at_ten_points_in_every_month() {
    for (name, members) in [
        ("two lines", months::few().split_off(3)),
        ("five lines", months::few()),
        ("messy", months::messy()),
        ("45 lines", months::january()),
        ("120 lines", months::busy()),
    ] {
        for sheet in ["programme", "leaflet"] {
            let (runs, data) = written(&members, sheet, Lang::Fr);
            for key in ["title", "from", "to", "until"] {
                let smallest = sizes(&runs, &data, key)
                    .into_iter()
                    .fold(f64::INFINITY, f64::min);
                assert!(
                    smallest >= 10.0,
                    "{name}, {sheet}: {key} at {smallest:.1} points"
                );
            }
        }
    }
}

/// A sheet with two lines on it hangs beside others: it is read from as far as they are.
#[test]
fn a_quiet_month_is_written_large_and_fills_its_page() {
    for (name, members, title, lowest) in [
        ("two lines", months::few().split_off(3), 28.0, 215.0),
        ("five lines", months::few(), 15.0, 255.0),
        ("messy", months::messy(), 11.0, 255.0),
    ] {
        let (runs, data) = written(&members, "programme", Lang::Fr);
        assert!(runs.iter().all(|run| run.page == 0), "{name}: one page");
        let smallest = sizes(&runs, &data, "title")
            .into_iter()
            .fold(f64::INFINITY, f64::min);
        assert!(smallest >= title, "{name}: titles at {smallest:.1} points");
        let rooms: Vec<String> = items(&data)
            .map(|item| plain(item["room"].as_str().unwrap_or_default()))
            .filter(|room| !room.is_empty())
            .collect();
        let down = runs
            .iter()
            .filter(|run| rooms.contains(&run.text))
            .map(|run| run.down)
            .fold(0.0, f64::max);
        assert!(down > lowest, "{name}: nothing below {down:.0} mm");
        assert!(down < 280.0, "{name}: into the foot, {down:.0} mm");
    }
}

#[test]
fn the_hands_that_are_needed_stand_on_wall_and_leaflet() {
    for sheet in ["programme", "leaflet"] {
        let (runs, _) = written(&months::with_tasks(), sheet, Lang::Fr);
        let all: String = runs
            .iter()
            .map(|run| run.text.as_str())
            .collect::<Vec<_>>()
            .join(" ");
        for said in [
            "1 coup de main : Animer la réunion",
            "3 coups de main : Préparer les outils, Cuisiner pour tout le monde (2)",
            "Coups de main : Accueil (2), Bar (3), Ranger la salle",
        ] {
            assert!(all.contains(said), "{sheet}: {said}");
        }
        assert!(!all.contains("Participer à la réunion"), "{sheet}");
        let pages = runs.iter().map(|run| run.page).max().unwrap() + 1;
        assert!(pages <= 2, "{sheet}: {pages} pages");
    }
}

/// On the table lie a dozen of them: each page says whose it is.
#[test]
fn a_sheet_to_sign_on_has_a_row_for_each_place_and_no_page_is_nameless() {
    let (runs, _) = written(&months::tables(), "signup", Lang::Fr);
    let pages = runs.iter().map(|run| run.page).max().unwrap() + 1;
    let page = |n: usize| -> String {
        let words = runs.iter().filter(|run| run.page == n);
        words
            .map(|run| run.text.as_str())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let all: Vec<String> = (0..pages).map(page).collect();
    for (title, day, of) in [
        ("Grande assemblée générale", "Lundi 11 janvier", 3),
        ("Atelier couture", "Mardi 12 janvier", 1),
        ("Concert : fanfare de quartier", "Mercredi 13 janvier", 1),
        ("Repas partagé", "Jeudi 14 janvier", 1),
    ] {
        for n in 1..=of {
            let foot = format!("{day} · page {n}/{of}");
            let of_it: Vec<&String> = all.iter().filter(|page| page.contains(&foot)).collect();
            assert_eq!(of_it.len(), 1, "{title}: {foot}");
            assert!(of_it[0].contains(title), "{title}: {foot} {}", of_it[0]);
        }
    }
    assert_eq!(all.len(), 6, "no page that no foot counts");

    let numbers = |pages: std::ops::Range<usize>| -> Vec<u32> {
        let runs = runs
            .iter()
            .filter(|run| pages.contains(&run.page) && run.size < 8.5);
        runs.filter_map(|run| run.text.parse().ok()).collect()
    };
    assert_eq!(numbers(0..3), (1..=70).collect::<Vec<_>>());
    assert_eq!(numbers(3..4), (1..=8).collect::<Vec<_>>());
    assert_eq!(numbers(4..5), (1..=20).collect::<Vec<_>>());
    assert!(numbers(5..6).len() > 20, "no number of places: a full page");
    assert!(all[3].contains("Liste d’attente") && all[3].contains("Complet"));
    assert!(all[2].contains("En plus") && !all[2].contains("Liste d’attente"));
    assert!(
        all[0].contains("A Animer la réunion · 1 personne · 2 crédits par personne"),
        "{}",
        all[0]
    );
    assert!(all[0].contains("B Participer à la réunion"));
    let lowest = runs.iter().filter(|run| run.size < 8.5).map(|run| run.down);
    assert!(lowest.fold(0.0, f64::max) < 279.0, "a row in the foot");
}
