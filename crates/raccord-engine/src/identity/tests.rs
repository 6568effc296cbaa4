//! What people do to a sheet, and which activity each line then is.

use std::collections::BTreeMap;

use raccord_model::{Digest, EntityId, EntityKind, Fields, Line};
use serde_json::json;

use super::{Candidate, Features, Matching, match_lines};

/// `title | start | room | organiser | description | status`, `!` in front where it is over.
fn candidate(text: &str) -> Candidate {
    let over = text.starts_with('!');
    let parts: Vec<&str> = text
        .trim_start_matches('!')
        .split('|')
        .map(str::trim)
        .collect();
    let names = [
        "title",
        "start",
        "room",
        "organiser",
        "description",
        "status",
    ];
    let fields: Fields = names
        .iter()
        .zip(parts)
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect();
    let line = Line::new(EntityKind::Activity, 0, 2, &fields);
    Candidate {
        native: None,
        digest: line.digest,
        features: Features::of(&fields),
        rank: 2,
        over,
    }
}

fn id(name: usize) -> EntityId {
    EntityId::derive(&[&name.to_be_bytes()])
}

/// What became of lines that were not found again as they stood; `standing` are titles of lines
/// that were.
fn matched(before: &[&str], after: &[&str], standing: &[&str]) -> Matching {
    matched_after(before, after, standing, &[])
}

/// The same once a person said that these lines are not those activities.
fn matched_after(
    before: &[&str],
    after: &[&str],
    standing: &[&str],
    no: &[(usize, usize)],
) -> Matching {
    let known: BTreeMap<EntityId, Candidate> = before
        .iter()
        .enumerate()
        .map(|(index, text)| (id(index), candidate(text)))
        .collect();
    let lines: BTreeMap<usize, Candidate> =
        after.iter().copied().map(candidate).enumerate().collect();
    let mut titles: BTreeMap<String, usize> = BTreeMap::new();
    for line in lines.values() {
        titles.entry(line.features.title.clone()).or_insert(0);
    }
    for title in known.values().map(|known| known.features.title.clone()) {
        *titles.entry(title).or_default() += 1;
    }
    for title in standing {
        *titles.entry(candidate(title).features.title).or_default() += 1;
    }
    let answers: BTreeMap<(Digest, EntityId), bool> = no
        .iter()
        .map(|(line, name)| ((lines[line].digest, id(*name)), false))
        .collect();
    match_lines(&known, &lines, &titles, &answers)
}

/// Which known line each new one is; `None` where it is new or asked about.
fn pairs(matching: &Matching, count: usize) -> Vec<Option<usize>> {
    (0..count)
        .map(|line| {
            let found = matching.pairs.iter().find(|(index, _)| *index == line)?;
            (0..100).find(|name| id(*name) == found.1)
        })
        .collect()
}

#[test]
fn an_occurrence_that_moves_alone_is_itself() {
    let found = matched(
        &["Yoga | 2027-02-03T18:00 | Studio"],
        &["Yoga | 2027-02-05T18:00 | Studio"],
        &["Yoga", "Yoga"],
    );
    assert_eq!(pairs(&found, 1), [Some(0)]);
    assert!(found.questions.is_empty());
}

#[test]
fn two_occurrences_that_move_together_are_asked_about() {
    let found = matched(
        &["Yoga | 2027-02-03T18:00", "Yoga | 2027-02-10T18:00"],
        &["Yoga | 2027-02-05T18:00", "Yoga | 2027-02-12T18:00"],
        &["Yoga"],
    );
    assert_eq!(pairs(&found, 2), [None, None]);
    // In the order of their days: the earlier is the earlier, if a person says so.
    assert_eq!(found.questions[0].pairs, [(0, id(0)), (1, id(1))]);
}

#[test]
fn an_occurrence_that_moves_by_a_day_is_itself_though_another_was_added() {
    let found = matched(
        &["Yoga | 2027-02-05T18:00"],
        &["Yoga | 2027-02-26T18:00", "Yoga | 2027-02-04T18:00"],
        &["Yoga"],
    );
    assert_eq!(pairs(&found, 2), [None, Some(0)]);
    assert_eq!(found.added, [0]);
    assert!(found.questions.is_empty());
}

#[test]
fn which_of_two_new_occurrences_a_missing_one_is_is_asked_one_by_one() {
    let (before, after) = (
        ["Yoga | 2027-02-02T18:00"],
        ["Yoga | 2027-02-09T18:00", "Yoga | 2027-02-23T18:00"],
    );
    let asked = |no: &[(usize, usize)]| {
        let found = matched_after(&before, &after, &["Yoga"], no);
        let pairs = found.questions.into_iter().flat_map(|asked| asked.pairs);
        (pairs.collect::<Vec<_>>(), found.added, found.missing)
    };
    // The other waits: it may be the one.
    assert_eq!(asked(&[]), (vec![(0, id(0))], vec![], vec![]));
    assert_eq!(asked(&[(0, 0)]), (vec![(1, id(0))], vec![], vec![]));
    assert_eq!(asked(&[(0, 0), (1, 0)]), (vec![], vec![0, 1], vec![id(0)]));
}

#[test]
fn which_occurrence_was_called_off_is_asked_with_which_one_moved() {
    let found = matched(
        &[
            "Repas | 2027-01-14T12:00",
            "Repas | 2027-03-04T12:00",
            "Repas | 2027-04-01T12:00",
        ],
        &[
            "Repas | 2027-03-04T12:00 | | | | cancelled",
            "Repas | 2027-04-15T12:00",
        ],
        &["Repas"],
    );
    assert_eq!(pairs(&found, 2), [None, None]);
    assert_eq!(found.questions[0].pairs, [(1, id(2)), (0, id(1))]);
    assert!(found.missing.is_empty(), "the third waits");
}

#[test]
fn one_called_off_and_one_that_takes_place_after_all_may_have_exchanged_days() {
    let found = matched(
        &[
            "Couture | 2027-01-18T14:00 | | | | cancelled",
            "Couture | 2027-01-25T14:00",
        ],
        &[
            "Couture | 2027-01-25T14:00 | | | | cancelled",
            "Couture | 2027-01-18T14:00",
        ],
        &["Couture"],
    );
    assert_eq!(pairs(&found, 2), [None, None]);
    assert_eq!(found.questions[0].pairs.len(), 2);
}

#[test]
fn next_weeks_occurrence_is_not_last_weeks() {
    let found = matched(
        &["!Yoga | 2027-01-06T18:00 | Studio"],
        &["Yoga | 2027-02-10T18:00 | Studio"],
        &["Yoga", "Yoga"],
    );
    assert_eq!((found.added, found.missing), (vec![0], vec![id(0)]));
    assert!(found.questions.is_empty());
}

#[test]
fn a_concert_that_is_over_and_gets_a_new_day_is_asked_about_and_next_years_is_new() {
    let before = ["!Trio jazz | 2027-01-06T20:30 | Hall"];
    let put_off = matched(&before, &["Trio jazz | 2027-02-10T20:30 | Hall"], &[]);
    assert_eq!(put_off.questions.len(), 1);
    let next_year = matched(&before, &["Trio jazz | 2028-01-05T20:30 | Hall"], &[]);
    assert_eq!(next_year.added, [0]);
    assert!(next_year.questions.is_empty());
}

#[test]
fn a_slip_in_a_short_title_and_another_day_lose_nothing() {
    let found = matched(
        &["Yoga | 2027-02-03T18:00 | Studio | Équipe corps"],
        &["Yoag | 2027-02-05T18:00 | Studio | Équipe corps"],
        &[],
    );
    assert_eq!(pairs(&found, 1), [Some(0)]);
}

#[test]
fn a_line_that_keeps_all_but_its_title_is_itself() {
    let story = "Venez avec votre vélo, nous avons les outils.";
    let found = matched(
        &[&format!(
            "Réparer | 2027-02-03T18:00 | Atelier | Équipe vélo | {story}"
        )],
        &[&format!(
            "Fête des roues | 2027-02-03T18:00 | Atelier | Équipe vélo | {story}"
        )],
        &[],
    );
    assert_eq!(pairs(&found, 1), [Some(0)]);
}

#[test]
fn another_title_in_the_same_slot_is_asked_about_where_nothing_else_tells() {
    let found = matched(
        &["Kalou Trio | 2027-02-03T20:30 | Hall"],
        &["Zibra | 2027-02-03T20:30 | Hall"],
        &[],
    );
    assert_eq!(found.questions.len(), 1);
    assert!(found.missing.is_empty() && found.added.is_empty());
}

#[test]
fn one_out_and_another_in_its_slot_are_two() {
    let found = matched(
        &["Kalou Trio | 2027-02-03T20:30 | Hall | Bar | Jazz manouche et reprises."],
        &["Zibra | 2027-02-03T20:30 | Hall | Club | Tambours du monde, stage compris."],
        &[],
    );
    assert_eq!((found.added, found.missing), (vec![0], vec![id(0)]));
}

#[test]
fn two_activities_that_exchange_their_dates_keep_their_titles() {
    let story = [
        "Jazz manouche et reprises de toujours.",
        "Tambours du monde, stage compris.",
    ];
    let found = matched(
        &[
            &format!("Kalou Trio | 2027-02-03T20:30 | Hall | Bar | {}", story[0]),
            &format!("Zibra | 2027-03-10T19:00 | Hall | Club | {}", story[1]),
        ],
        &[
            &format!("Zibra | 2027-02-03T19:00 | Hall | Club | {}", story[1]),
            &format!("Kalou Trio | 2027-03-10T20:30 | Hall | Bar | {}", story[0]),
        ],
        &[],
    );
    assert_eq!(pairs(&found, 2), [Some(1), Some(0)]);
}

#[test]
fn titles_or_slots_exchanged_nobody_knows() {
    let found = matched(
        &["Kalou Trio | 2027-02-03T20:30", "Zibra | 2027-03-10T19:00"],
        &["Zibra | 2027-02-03T20:30", "Kalou Trio | 2027-03-10T19:00"],
        &[],
    );
    assert_eq!(pairs(&found, 2), [None, None]);
    assert!(!found.questions.is_empty());
}

#[test]
fn one_exchange_is_one_question() {
    let found = matched(
        &[
            "Repair café | 2027-01-12T18:00 | Hall",
            "Toddler group | 2027-02-06T18:30 | Hall",
            "Toddler group | 2027-03-13T18:30 | Hall",
        ],
        &[
            "Toddler group | 2027-01-12T18:00 | Hall",
            "Repair café | 2027-02-06T18:30 | Hall",
        ],
        &["Toddler group", "Repair café"],
    );
    assert_eq!(pairs(&found, 2), [None, None]);
    assert_eq!(found.questions.len(), 1, "{:?}", found.questions);
}
