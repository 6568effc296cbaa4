//! What people do to a sheet, and which activity each line then is.

mod asked;

use std::collections::BTreeMap;

use raccord_model::{Digest, EntityId, EntityKind, Fields, Line};
use serde_json::json;

use super::{Candidate, Features, Heard, Matching, Standing, match_lines};

/// `title | start | room | organiser | description | status | kind`, `!` in front where it is over.
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
        "kind",
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
    heard(before, after, standing, &[], &[])
}

/// The same once a person said that these lines are not those activities.
fn matched_after(
    before: &[&str],
    after: &[&str],
    standing: &[&str],
    no: &[(usize, usize)],
) -> Matching {
    heard(before, after, standing, no, &[])
}

/// The same where these lines say what those activities said earlier.
fn heard(
    before: &[&str],
    after: &[&str],
    standing: &[&str],
    no: &[(usize, usize)],
    earlier: &[(usize, usize)],
) -> Matching {
    let known: BTreeMap<EntityId, Candidate> = before
        .iter()
        .enumerate()
        .map(|(index, text)| (id(index), candidate(text)))
        .collect();
    let lines: BTreeMap<usize, Candidate> =
        after.iter().copied().map(candidate).enumerate().collect();
    let mut stood = Standing::default();
    let titles = &mut stood.titles;
    for line in lines.values() {
        titles.entry(line.features.title.clone()).or_insert(0);
    }
    for title in known.values().map(|known| known.features.title.clone()) {
        *titles.entry(title).or_default() += 1;
    }
    for title in standing {
        let features = candidate(title).features;
        *titles.entry(features.title.clone()).or_default() += 1;
        if let Some(start) = features.start {
            stood.moments.insert((features.title, start.to_string()));
        }
    }
    let answers: BTreeMap<(Digest, EntityId), bool> = no
        .iter()
        .map(|(line, name)| ((lines[line].digest, id(*name)), false))
        .collect();
    let earlier: BTreeMap<usize, EntityId> = earlier
        .iter()
        .map(|(line, name)| (*line, id(*name)))
        .collect();
    let heard = Heard {
        answers: &answers,
        earlier: &earlier,
        back: &BTreeMap::new(),
    };
    match_lines(&known, &lines, &stood, heard)
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
fn an_occurrence_is_its_day_whichever_of_them_is_called_off() {
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
    assert_eq!(pairs(&found, 2), [Some(1), Some(0)]);
    assert!(found.questions.is_empty());
}

#[test]
fn the_first_of_a_series_moved_behind_the_last_is_not_the_one_that_was_called_off() {
    let found = matched(
        &["Vélo | 2027-01-18T17:00", "Vélo | 2027-02-22T17:00"],
        &[
            "Vélo | 2027-02-22T17:00 | | | | cancelled",
            "Vélo | 2027-03-22T17:00",
        ],
        &["Vélo", "Vélo"],
    );
    assert_eq!(pairs(&found, 2), [Some(1), Some(0)]);
    assert!(found.questions.is_empty());
}

#[test]
fn one_that_takes_place_after_all_while_a_new_one_does_not_may_be_a_series_moved_by_a_week() {
    let found = matched(
        &[
            "Café | 2027-02-23T10:00",
            "Café | 2027-03-02T10:00 | | | | cancelled",
        ],
        &[
            "Café | 2027-02-24T10:00",
            "Café | 2027-03-02T10:00",
            "Café | 2027-03-09T10:00 | | | | cancelled",
        ],
        &["Café"],
    );
    assert_eq!(pairs(&found, 3), [None, None, None]);
    assert!(!found.questions.is_empty());
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

#[test]
fn whoever_undoes_an_edit_gets_the_activities_of_before() {
    // Titles had been exchanged, and nothing else tells the two apart.
    let (before, after) = (
        ["Kalou Trio | 2027-02-03T20:30", "Zibra | 2027-03-10T20:30"],
        ["Zibra | 2027-02-03T20:30", "Kalou Trio | 2027-03-10T20:30"],
    );
    let found = heard(&before, &after, &[], &[], &[(0, 0), (1, 1)]);
    assert_eq!(pairs(&found, 2), [Some(0), Some(1)]);
    assert!(found.questions.is_empty());
}

#[test]
fn what_was_said_earlier_twice_decides_nothing() {
    let found = heard(
        &["Réunion | 2027-02-20T18:00 | Studio"],
        &[
            "Réunion | 2027-02-10T18:00 | Studio",
            "Réunion | 2027-02-15T18:00 | Studio",
        ],
        &[],
        &[],
        &[(0, 0), (1, 0)],
    );
    assert_eq!(pairs(&found, 2), [None, None]);
}

#[test]
fn a_title_with_a_picture_is_that_title() {
    let found = matched(
        &[
            "Réunion jardin | 2027-01-17T10:15 | Accueil | Bar | Enfants bienvenus dès six ans.",
            "Réunion jardin | 2027-02-07T20:00 | Bureau | Ciné | Cinq euros la séance, ou rien.",
        ],
        &[
            "Réunion jardin | 2027-02-07T20:30 | Bureau | Ciné | Cinq euros, ou rien.",
            "🌱 Réunion jardin ! | 2027-01-17T10:15 | Cour | Bar | Enfants bienvenus dès six ans.",
        ],
        &[],
    );
    assert_eq!(pairs(&found, 2), [Some(1), Some(0)]);
}

#[test]
fn an_occurrence_retitled_whole_while_another_was_added_is_not_the_added_one() {
    let story = "Une rencontre autour du café, ouverte à toutes et tous.";
    let found = matched(
        &[&format!(
            "Café des parents | 2027-01-21T20:00 | Cuisine | Jardin | {story}"
        )],
        &[
            &format!("Maloya et kabar | 2027-01-21T20:00 | Cuisine | Jardin | {story}"),
            &format!("Café des parents | 2027-02-11T20:00 | Cuisine | Jardin | {story}"),
        ],
        &["Café des parents"],
    );
    assert_eq!(pairs(&found, 2), [None, None]);
    assert_eq!(found.questions.len(), 1);
    assert!(found.added.is_empty(), "the retitled one waits as well");
}

#[test]
fn a_title_that_moved_while_all_else_stayed_in_its_place_is_asked_about() {
    let found = matched(
        &[
            "Clirara | 2028-01-31T20:30 | Halle | Textile",
            "Kabalmel | 2028-04-06T20:30 | Halle | Ciné",
        ],
        &[
            "Kabalmel | 2028-01-31T20:30 | Halle | Textile",
            "Clirara | 2028-04-13T20:30 | Halle | Ciné",
        ],
        &[],
    );
    assert_eq!(pairs(&found, 2), [None, None]);
    assert!(!found.questions.is_empty());
}

#[test]
fn an_occurrence_put_off_with_some_words_more_is_itself_where_no_other_is_gone() {
    let after = ["Chorale en famille | 2027-01-21T18:00 | Salle | Trésorerie"];
    let one = "Chorale | 2027-01-14T18:00 | Salle | Trésorerie";
    let found = matched(&[one], &after, &["Chorale", "Chorale"]);
    assert_eq!(pairs(&found, 1), [Some(0)]);
    let other = "Chorale | 2027-01-28T18:00 | Salle | Trésorerie";
    let found = matched(&[one, other], &after, &["Chorale", "Chorale"]);
    assert_eq!(pairs(&found, 1), [None]);
    assert!(!found.questions.is_empty());
}

#[test]
fn a_title_with_some_words_more_on_another_day_is_never_cancelled_unasked() {
    let found = matched(
        &["Mazolou Sound | 2027-01-13T14:00 | Cuisine | Bar | Prix libre pour tout le monde."],
        &["Mazolou Sound et goûter | 2027-02-20T16:00 | Cour | Club | Apportez un gâteau."],
        &[],
    );
    assert!(found.missing.is_empty());
    assert_eq!(found.questions.len(), 1);
}

#[test]
fn the_only_one_gone_and_the_only_one_come_a_day_later_in_another_room_are_one() {
    let found = matched(
        &["Paniers | 2027-04-04T17:30 | Cour | Équipe"],
        &["Paniers | 2027-04-03T17:30 | Cour couverte | Équipe"],
        &["Paniers", "Paniers"],
    );
    assert_eq!(pairs(&found, 1), [Some(0)]);
}

#[test]
fn another_title_another_kind_and_other_people_in_the_same_slot_are_another_activity() {
    let found = matched(
        &["Apiculture | 2027-01-11T10:00 | Salle | Réparation | | | atelier"],
        &["Mizo Panaï | 2027-01-11T10:00 | Salle | Bar | | | fête"],
        &[],
    );
    assert_eq!((found.added, found.missing), (vec![0], vec![id(0)]));
}

#[test]
fn a_title_exchanged_and_a_day_moved_keep_the_story() {
    let story = "On parlera des devoirs, et de ce qu’on en fait ici.";
    let found = matched(
        &[&format!(
            "Devoirs | 2027-02-15T14:15 | Salle | Bar | {story}"
        )],
        &[&format!("Vélo | 2027-02-13T14:45 | Salle | Bar | {story}")],
        &[],
    );
    assert_eq!(found.questions.len(), 1);
    assert!(found.missing.is_empty());
}
