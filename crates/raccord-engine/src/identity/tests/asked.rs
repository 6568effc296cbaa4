//! Where two explanations fit, a person is asked, and nothing is cancelled before.

use super::{heard, id, matched, matched_after, pairs};

#[test]
fn two_meetings_of_one_name_that_exchanged_their_days_or_all_else_are_asked_about() {
    let found = matched(
        &[
            "Réunion | 2027-01-17T10:15 | Accueil | Bar",
            "Réunion | 2027-02-07T20:00 | Bureau | Ciné",
        ],
        &[
            "Réunion | 2027-02-07T10:15 | Accueil | Bar",
            "Réunion | 2027-01-17T20:00 | Bureau | Ciné",
        ],
        &[],
    );
    assert_eq!(pairs(&found, 2), [None, None]);
    assert!(!found.questions.is_empty());
}

#[test]
fn which_of_two_missing_occurrences_moved_by_a_day_is_asked() {
    let found = matched(
        &["Café | 2027-01-27T19:30", "Café | 2027-02-12T19:30"],
        &["Café | 2027-02-10T19:30"],
        &["Café", "Café"],
    );
    assert_eq!(pairs(&found, 1), [None]);
    assert!(found.missing.is_empty(), "nothing is cancelled before");
}

#[test]
fn another_class_of_that_name_that_is_gone_did_not_move_by_a_day() {
    let found = matched(
        &[
            "Chorale | 2027-02-16T14:15 | Salle | Jardin",
            "Chorale | 2027-02-25T10:00 | Cour | Ciné",
        ],
        &["Chorale | 2027-02-27T10:00 | Cour | Ciné"],
        &["Chorale | 2027-03-02T14:15"],
    );
    assert_eq!(pairs(&found, 1), [Some(1)]);
    assert!(found.questions.is_empty());
}

#[test]
fn nothing_moves_silently_to_where_one_of_its_name_stands() {
    let found = matched(
        &["Vélo | 2027-03-31T15:30 | Salle"],
        &["⭐ Vélo | 2027-04-28T15:30 | Salle"],
        &["Vélo | 2027-04-28T15:30 | Salle"],
    );
    assert_eq!(pairs(&found, 1), [None]);
    assert_eq!(found.questions.len(), 1);
}

#[test]
fn a_title_that_shares_a_word_and_nothing_else_with_what_stood_in_its_slot_is_asked_about() {
    let found = matched(
        &["Couture | 2027-01-19T20:30 | | Ciné | | | atelier"],
        &["Concert : couture zéro déchet | 2027-01-19T20:30 | | Accueil | | | exposition"],
        &[],
    );
    assert_eq!(pairs(&found, 1), [None]);
    assert_eq!(found.questions.len(), 1);
}

#[test]
fn a_story_that_moved_to_the_day_of_another_of_its_name_is_asked_about() {
    let story = "Inscription conseillée, matériel fourni, venez tôt.";
    let found = matched(
        &[
            &format!("Jardin | 2027-01-16T14:30 | Studio | | {story}"),
            "Jardin | 2027-01-23T14:30 | Studio",
        ],
        &[
            &format!("Jardin | 2027-01-23T14:30 | Studio | | {story}"),
            "Jardin | 2027-01-23T14:30 | Studio | | | cancelled",
        ],
        &["Jardin"],
    );
    assert_eq!(pairs(&found, 2), [None, None]);
    assert!(found.missing.is_empty());
}

/// Two talks, each with what is told about it, on these days.
fn talks(bees: &str, trees: &str) -> [String; 2] {
    [
        format!("Conférence | {bees}T19:00 | Salle | | Des abeilles et de leurs voisines."),
        format!("Conférence | {trees}T19:00 | Salle | | Des arbres qui nous font de l'ombre."),
    ]
}

fn moved(before: &[String], after: &[String], standing: &[&str]) -> super::Matching {
    let [before, after] = [before, after].map(|all| all.iter().map(String::as_str));
    matched(
        &before.collect::<Vec<_>>(),
        &after.collect::<Vec<_>>(),
        standing,
    )
}

#[test]
fn a_series_moved_by_a_week_keeps_its_stories_even_where_another_of_it_stood() {
    let before = talks("2027-01-13", "2027-01-20");
    let after = talks("2027-01-20", "2027-01-27");
    let found = moved(&before, &after, &["Conférence"]);
    assert_eq!(pairs(&found, 2), [Some(0), Some(1)]);
    assert!(found.questions.is_empty());
}

#[test]
fn stories_that_exchanged_their_days_did_not_move_in_step() {
    let before = talks("2027-01-13", "2027-01-20");
    let after = talks("2027-01-20", "2027-01-13");
    let found = moved(&before, &after, &[]);
    let sure = pairs(&found, 2);
    assert_ne!(sure, [Some(0), Some(1)], "people come to what is announced");
}

#[test]
fn a_story_beside_a_doubtful_one_is_as_doubtful() {
    let told = |title: &str, day: &str| {
        format!("{title} | {day}T19:00 | Salle | | Un soir avec {title}, et tout ce qui va avec.")
    };
    let before = [
        told("Les abeilles", "2027-01-13"),
        told("Les abeille", "2027-01-20"),
    ];
    let mut after = vec![
        told("Les abeilles", "2027-01-20"),
        told("Les abeille", "2027-01-27"),
    ];
    assert!(moved(&before, &after, &[]).questions.is_empty());
    // Another of nearly that name stands where the first one was.
    after.push("Les abeilless | 2027-01-13T21:00 | Cour".to_owned());
    let found = moved(&before, &after, &[]);
    assert_eq!(pairs(&found, 3), [None, None, None]);
    assert!(found.missing.is_empty() && found.added.is_empty());
}

#[test]
fn a_retitled_line_waits_with_the_series_that_moved() {
    let found = matched(
        &[
            "Repas | 2027-01-12T18:00 | Salle | Vélo",
            "Repas | 2027-01-26T18:00 | Salle | Vélo",
            "Repas | 2027-02-09T18:00 | Salle | Vélo | | | repas",
        ],
        &[
            "Repas | 2027-01-19T18:00 | Salle | Vélo",
            "Repas | 2027-02-16T18:00 | Salle | Vélo",
            "Droits des locataires | 2027-02-09T18:00 | Salle | Vélo | | | repas",
        ],
        &["Repas"],
    );
    assert_eq!(pairs(&found, 3), [None, None, None]);
    assert!(found.missing.is_empty());
}

#[test]
fn an_occurrence_put_into_the_past_by_mistake_and_back_is_asked_about() {
    let found = heard(
        &["!Café | 2027-01-08T14:30"],
        &["Café | 2027-01-15T14:30"],
        &["Café"],
        &[],
        &[(0, 0)],
    );
    assert_eq!(found.questions.len(), 1);
    assert!(found.added.is_empty());
}

#[test]
fn which_of_two_new_occurrences_is_the_one_that_moved_by_a_day_is_asked() {
    let found = matched(
        &["Yoga | 2027-02-05T18:00"],
        &["Yoga | 2027-02-26T18:00", "Yoga | 2027-02-04T18:00"],
        &["Yoga"],
    );
    assert_eq!(found.questions[0].pairs, [(1, id(0))], "the nearer first");
    assert!(found.added.is_empty(), "the other waits");
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
