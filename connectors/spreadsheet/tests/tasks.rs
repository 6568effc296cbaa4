//! Tasks of a sheet: a tab of their own, and what hands a line of the programme asks for.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{csv, fields, read_bytes, remarks, unread};
use raccord_model::{EntityKind, Fields, Reading};
use serde_json::json;

fn tasks(text: &str) -> Reading {
    read_bytes("Tâches.csv", text.as_bytes()).unwrap()
}

fn only(reading: &Reading) -> Fields {
    let mut all = fields(reading);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

#[test]
fn a_tab_called_tasks_lists_tasks() {
    let reading = tasks(
        "Tâche,Activité,Date,Places,Minimum,Priorité,Délai,Guide,Crédits,Validé par,Fait\n\
         Tenir le bar,Bal folk,15/01/2027,3,2,Haute,1 semaine,wiki.example.org/bar,\"1,5\",\"équipe bar, Ann\",\n",
    );
    assert_eq!(reading.lines[0].kind, EntityKind::Task);
    let expected = json!({
        "title": "Tenir le bar", "of": "Bal folk", "due": "2027-01-15", "capacity": 3, "minimum": 2,
        "priority": 2, "lead": 7, "guide": "https://wiki.example.org/bar", "credits": 150,
        "validators": ["équipe bar", "Ann"], "state": "open"
    });
    assert_eq!(json!(only(&reading)), expected);
    assert_eq!(unread(&reading), [""; 0]);
    assert_eq!(remarks(&reading), [""; 0]);
    assert_eq!(reading.tabs[0].columns["of"], [1]);
}

#[test]
fn an_english_tab_is_read_like_a_french_one() {
    let text = "Task,For,Due,Hands,Status\nMow the lawn,,5 March 2027,2,done\n";
    let reading = read_bytes("Tasks.csv", text.as_bytes()).unwrap();
    let expected = json!({
        "title": "Mow the lawn", "due": "2027-03-05", "capacity": 2, "state": "done"
    });
    assert_eq!(json!(only(&reading)), expected);
}

#[test]
fn a_cell_that_cannot_be_read_is_told_and_the_task_stays() {
    let reading = tasks(
        "Tâche,Date,Places,Minimum,Priorité,Délai,Guide,Fait,Pour\n\
         Bar,bientôt,plein,1,12,demain,là,peut-être,Bal\n\
         Bar,,2,3,,,,,\n\
         ,15/01/2027,,,,,,,\n",
    );
    assert_eq!(
        unread(&reading),
        [
            "B2 date-unreadable",
            "C2 capacity-unreadable",
            "E2 priority-unreadable",
            "F2 lead-unreadable",
            "G2 link-unreadable",
            "H2 state-unknown",
            "D3 minimum-too-high",
            "A4 task-missing",
        ]
    );
    let lines = fields(&reading);
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["state"], json!("open"));
    assert_eq!(lines[1].get("minimum"), None);
}

#[test]
fn a_tab_of_tasks_without_its_header_says_nothing() {
    assert!(read_bytes("Tâches.csv", b"Bar,3\nAccueil,2\n").is_err());
}

#[test]
fn a_line_of_the_programme_asks_for_hands() {
    let reading = csv("Date,Titre,Bénévoles\n\
         15/01/2027,Bal,\"bar 3, accueil 2\"\n\
         16/01/2027,Film,aucun\n\
         17/01/2027,Concert,\n\
         18/01/2027,Débat,\"Ann, Bob\"\n");
    let lines = fields(&reading);
    let asked = json!([{ "title": "bar", "capacity": 3 }, { "title": "accueil", "capacity": 2 }]);
    assert_eq!(lines[0]["hands"], asked);
    assert_eq!(lines[1]["hands"], json!([]));
    for line in &lines[2..] {
        assert_eq!(line.get("hands"), None);
    }
    assert_eq!(remarks(&reading), ["5 hands-unread"]);
    assert_eq!(unread(&reading), [""; 0], "names are no mistake");
}

#[test]
fn names_under_a_heading_of_sign_ups_are_nobodys_business() {
    let reading = tasks(
        "Tâche,Pour,Inscription\n\
         Bar,Bal,\"Anna, Bob\"\n\
         Accueil,Bal,06.92.12.34.56\n\
         Caisse,Bal,Tickets.example.org/caisse\n\
         Ménage,Bal,http://tickets example.org\n",
    );
    let lines = fields(&reading);
    assert_eq!(lines[0].get("register"), None);
    assert_eq!(lines[2]["register"], "https://Tickets.example.org/caisse");
    let told: Vec<&str> = reading
        .unread
        .iter()
        .map(|one| one.found.as_str())
        .collect();
    assert_eq!(told, ["http://tickets example.org"]);
}
