//! The answers of a form, as each tool writes them out: who signed up, for what, once.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::path::Path;

use common::{observe, tool_in};
use jiff::civil::{Date, date};
use raccord_kit::Tool;
use raccord_kit::testing::kit;
use raccord_model::{Change, EntityId, EntityKind, Failure, Observation, Offered, Reading, Verb};
use serde_json::{Value, json};

/// A sheet of answers, and where its reading left off.
struct Sheet {
    folder: tempfile::TempDir,
    name: String,
    tool: Box<dyn Tool>,
    cursor: Option<String>,
}

impl Sheet {
    fn open(name: &str, settings: Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tool = build(&folder.path().join(name), settings);
        let sheet = Self {
            folder,
            name: name.to_owned(),
            tool,
            cursor: None,
        };
        sheet.offers(programme());
        sheet
    }

    fn for_ball(name: &str) -> Self {
        Self::open(name, json!({ "answers": { "activity": "Bal folk" } }))
    }

    fn offers(&self, offered: Vec<Offered>) {
        self.tool
            .source()
            .unwrap()
            .titles()
            .unwrap()
            .offered(offered);
    }

    fn look(&mut self, content: impl AsRef<[u8]>) -> Result<Option<Reading>, Failure> {
        std::fs::write(self.folder.path().join(&self.name), content).unwrap();
        self.again()
    }

    fn again(&mut self) -> Result<Option<Reading>, Failure> {
        match observe(&*self.tool, self.cursor.as_deref())? {
            Observation::Complete(reading) => {
                self.cursor.clone_from(&reading.cursor);
                Ok(Some(reading))
            }
            Observation::Unchanged { cursor } => {
                self.cursor = cursor.or(self.cursor.take());
                Ok(None)
            }
            other => panic!("a sheet is read whole: {other:?}"),
        }
    }

    fn reads(&mut self, content: impl AsRef<[u8]>) -> Reading {
        self.look(content).unwrap().unwrap()
    }

    /// What changed, in a few words each.
    fn hears(&mut self, content: impl AsRef<[u8]>) -> Vec<String> {
        let reading = self.reads(content);
        assert_eq!(unread(&reading), [""; 0]);
        told(&reading.changes)
    }
}

fn build(path: &Path, mut settings: Value) -> Box<dyn Tool> {
    settings["location"] = json!(path.to_str().unwrap());
    tool_in(settings, &kit())
}

fn offered(kind: EntityKind, title: &str, of: Option<&Offered>, day: Date) -> Offered {
    Offered {
        id: EntityId::derive(&[title.as_bytes(), day.to_string().as_bytes()]),
        kind,
        title: title.to_owned(),
        activity: of.map(|of| of.id),
        day: Some(day),
        over: Some(day.at(23, 0, 0, 0)),
        keeper: None,
    }
}

fn activity(title: &str, day: Date) -> Offered {
    offered(EntityKind::Activity, title, None, day)
}

fn programme() -> Vec<Offered> {
    let ball = activity("Bal folk", date(2027, 1, 16));
    let bar = offered(EntityKind::Task, "Bar", Some(&ball), date(2027, 1, 16));
    let door = offered(EntityKind::Task, "Accueil", Some(&ball), date(2027, 1, 16));
    let open = |day| activity("Permanence", day);
    vec![
        ball,
        bar,
        door,
        activity("Marché, brocante", date(2027, 1, 24)),
        open(date(2027, 1, 12)),
        open(date(2027, 1, 19)),
        activity("Repas", date(2026, 12, 20)),
    ]
}

fn title_of(change: &Change) -> String {
    let id = change.fields["activity"].as_str().unwrap();
    let all = programme();
    let found = all.iter().find(|one| one.id.to_string() == id);
    found
        .map(|one| format!("{} {}", one.title, one.day.unwrap().day()))
        .unwrap()
}

fn told(changes: &[Change]) -> Vec<String> {
    let say = |change: &Change| {
        if change.kind == EntityKind::Notice {
            return format!(
                "{} {}",
                change.subject,
                change.fields["state"].as_str().unwrap()
            );
        }
        let text = |name: &str| {
            change
                .fields
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or("-")
        };
        let verb = match change.verb {
            Verb::Created => "+",
            Verb::Updated => "~",
            Verb::Cancelled => "x",
            other => panic!("{other:?}"),
        };
        format!(
            "{verb} {} {}, {}",
            text("email"),
            text("name"),
            title_of(change)
        )
    };
    changes.iter().map(say).collect()
}

fn unread(reading: &Reading) -> Vec<String> {
    let all = reading.unread.iter();
    all.map(|one| format!("{}{} {} {}", one.column, one.row, one.code, one.found))
        .collect()
}

#[test]
fn nextcloud_forms_with_its_hidden_line_of_ids_is_read() {
    let mut sheet = Sheet::for_ball("Réponses.csv");
    // As exported in July 2026: a line of ids that a workbook hides, and a CSV cannot.
    let head = "\u{feff}\"Submission ID\",\"User ID\",\"User display name\",Timestamp,\"Votre e-mail\",\"Combien de personnes ?\",Remarques\n\
                submission_id,user_id,user_display_name,timestamp,question-id-1,question-id-2,question-id-3\n";
    let anna = "7,anna,\"Anna Do\",2027-01-02T09:00:00+04:00,anna@example.org,2,\"'=1+1\"\n";
    let bob = "8,,\"Anonymous user\",2027-01-02T09:05:00+04:00,BOB@example.org,,\n";
    let reading = sheet.reads(format!("{head}{anna}{bob}"));
    assert_eq!(unread(&reading), [""; 0]);
    assert_eq!(
        told(&reading.changes),
        [
            "+ anna@example.org Anna Do, Bal folk 16",
            "+ bob@example.org -, Bal folk 16"
        ]
    );
    let first = &reading.changes[0].fields;
    assert_eq!(first["places"], 2);
    assert_eq!(first["comment"], "=1+1", "no program ran it, and none will");
    assert_eq!(first["registered"], "2027-01-02T05:00:00Z");
    assert_eq!(first["state"], "registered");
    assert_eq!(sheet.again().unwrap(), None, "nothing changed");
    // The order of lines says nothing.
    assert_eq!(sheet.hears(format!("{head}{bob}{anna}")), [""; 0]);
}

#[test]
fn limesurvey_leaves_out_who_never_sent_theirs_and_an_empty_survey_is_no_harm() {
    let mut sheet = Sheet::open("results-survey.csv", json!({ "answers": {} }));
    let head = "\u{feff}\"id\";\"submitdate\";\"lastpage\";\"startlanguage\";\"email\";\"nom\";\"activite\"\r\n";
    assert_eq!(
        sheet.hears(format!("{head}\"\";\"\";\"\";\"\";\"\";\"\";\"\"\r\n\r\n")),
        [""; 0]
    );
    let begun = "\"1\";\"\";\"1\";\"fr\";\"anna@example.org\";\"Anna\";\"Bal folk\"\r\n";
    let sent = "\"2\";\"2027-01-02 10:00:00\";\"2\";\"fr\";\"bob@example.org\";\"Bob\";\"Marché, brocante\"\r\n";
    assert_eq!(
        sheet.hears(format!("{head}{begun}{sent}\r\n")),
        ["+ bob@example.org Bob, Marché, brocante 24"]
    );
}

#[test]
fn framaforms_with_three_lines_of_header_is_read() {
    let mut sheet = Sheet::for_ball("framaforms.csv");
    let text = "Inscription au bal,,,,,,,,,\n\
                Détails de la soumission,,,,,,,,,\n\
                Numéro,SID,Heure de soumission,Brouillon,Adresse IP,UID,Nom d’utilisateur,Courriel,Nom,Commentaire\n\
                1,501,02/01/2027 - 10:11,,192.0.2.1,0,,anna@example.org,Anna,\n\
                2,502,02/01/2027 - 10:12,1,192.0.2.1,0,,bob@example.org,Bob,pas fini\n";
    let reading = sheet.reads(text);
    assert_eq!(
        told(&reading.changes),
        ["+ anna@example.org Anna, Bal folk 16"]
    );
    let all = format!("{:?}", reading.changes);
    assert!(
        !all.contains("192.0.2.1"),
        "what is not needed is not taken"
    );
}

#[test]
fn a_poll_of_framadate_signs_up_for_what_stands_above_each_column() {
    let mut sheet = Sheet::for_ball("Coups de main.csv");
    let head = "\u{feff},Bar,Accueil,\r\n";
    let votes = "\"Anna\",\"Oui\",\"Non\",\r\n\"Bob\",\"Sous réserve\",\"Oui\",\r\n\"Chloé\",\"unkown\",\"unkown\",\r\n";
    assert_eq!(
        sheet.hears(format!("{head}{votes}")),
        ["+ - Anna, Bar 16", "+ - Bob, Accueil 16"]
    );
    // A word that nobody knows is told, and changes nothing.
    let reading = sheet.reads(format!(
        "{head}{}",
        votes.replace("\"Oui\",\"Non\"", "\"Ouais\",\"Non\"")
    ));
    assert_eq!(unread(&reading), ["B2 answer-unclear "]);
    assert_eq!(told(&reading.changes), [""; 0]);
    let votes = votes.replace("\"Oui\",\"Non\"", "\"Non\",\"Oui\"");
    assert_eq!(
        sheet.hears(format!("{head}{votes}")),
        ["x - Anna, Bar 16", "+ - Anna, Accueil 16"]
    );
}

#[test]
fn a_poll_of_days_has_two_lines_of_header_and_a_comma_too_many() {
    let settings = json!({ "answers": { "activity": "Permanence" } });
    let mut sheet = Sheet::open("Quand.csv", settings);
    let text = "\u{feff},\"mardi 12 janvier 2027\",\"mardi 12 janvier 2027\",\"mardi 19 janvier 2027\",\r\n\
                ,\"18h\",\"20h\",\"18h\",\r\n\
                \"Anna\",\"Non\",\"Oui\",\"Non\",\r\n\
                \"Bob\",\"Oui\",\"Oui\",\"Oui\",\r\n";
    assert_eq!(
        sheet.hears(text),
        [
            "+ - Anna, Permanence 12",
            "+ - Bob, Permanence 12",
            "+ - Bob, Permanence 19"
        ]
    );
    let mut unsaid = Sheet::open("Quand.csv", json!({ "answers": {} }));
    assert_eq!(
        unread(&unsaid.reads(text)),
        ["1 poll-of-days mardi 12 janvier 2027"]
    );
}

#[test]
fn a_page_for_an_error_with_status_200_cancels_nothing() {
    let mut sheet = Sheet::for_ball("Quand.csv");
    let good = "Horodatage,E-mail\n2027-01-02 10:00:00,anna@example.org\n";
    assert_eq!(sheet.hears(good).len(), 1);
    for bad in [
        "<!DOCTYPE html><html><body>Ce sondage n’existe pas !</body></html>",
        "",
        "anna@example.org,oui\n",
    ] {
        sheet.look(bad).unwrap_err();
    }
    assert_eq!(sheet.look(good).unwrap(), None);
}

#[test]
fn who_answered_twice_counts_once_by_the_latest_answer() {
    let mut sheet = Sheet::for_ball("Réponses.csv");
    let head = "Horodatage,E-mail,Nom,Je viens,Places\n";
    let first = "2027-01-02 10:00:00,anna@example.org,Anna,oui,1\n";
    let second = "2027-01-02 11:00:00,Anna@example.org,Anna,oui,3\n";
    let third = "2027-01-02 12:00:00,anna@example.org,Anna,Non merci,\n";
    let reading = sheet.reads(format!("{head}{second}{first}"));
    assert_eq!(
        told(&reading.changes),
        ["+ anna@example.org Anna, Bal folk 16"]
    );
    assert_eq!(reading.changes[0].fields["places"], 3);
    let name = reading.changes[0].subject.clone();
    let reading = sheet.reads(format!("{head}{first}{second}{third}"));
    assert_eq!(
        told(&reading.changes),
        ["x anna@example.org Anna, Bal folk 16"]
    );
    assert_eq!(reading.changes[0].subject, name);
    // She thinks again: the same as before is news all the same.
    let fourth = "2027-01-02 13:00:00,anna@example.org,Anna,oui,3\n";
    let reading = sheet.reads(format!("{head}{first}{second}{third}{fourth}"));
    assert_eq!(
        told(&reading.changes),
        ["~ anna@example.org Anna, Bal folk 16"]
    );
    // The earlier answers are cleared away: she is still the same.
    assert_eq!(sheet.hears(format!("{head}{fourth}")), [""; 0]);
}

#[test]
fn an_answer_that_is_gone_is_told_and_cancels_nothing() {
    let mut sheet = Sheet::for_ball("Réponses.csv");
    let head = "ID,E-mail\n";
    let (anna, bob) = ("1,anna@example.org\n", "2,bob@example.org\n");
    assert_eq!(sheet.hears(format!("{head}{anna}{bob}")).len(), 2);
    let reading = sheet.reads(format!("{head}{bob}"));
    assert_eq!(told(&reading.changes), ["answers-gone open"]);
    let first = reading.changes[0].id.clone();
    assert!(
        !reading.changes[0].fields["text"]
            .to_string()
            .contains("anna")
    );
    assert_eq!(sheet.hears(format!("{head}{bob}\n")), [""; 0], "told once");
    assert_eq!(
        sheet.hears(format!("{head}{bob}{anna}")),
        ["answers-gone closed"]
    );
    // The same once more: what was said already under one id is not heard again.
    let again = sheet.reads(format!("{head}{bob}"));
    assert_eq!(told(&again.changes), ["answers-gone open"]);
    assert_ne!(again.changes[0].id, first);
    assert_eq!(
        sheet.hears(format!("{head}{bob}{anna}")),
        ["answers-gone closed"]
    );
    // All at once: a sheet that was emptied.
    assert_eq!(sheet.hears(head), ["answers-gone open"]);
}

#[test]
fn a_cell_that_cannot_be_read_signs_nobody_off() {
    let head = "ID,E-mail,Activité,Tâche,Date,Je viens,Places\n";
    let good = [
        "1",
        "anna@example.org",
        "Bal folk",
        "Bar",
        "16/01/2027",
        "oui",
        "3",
    ];
    // A formula whose table was moved, under each heading but the address.
    for broken in [0, 2, 3, 4, 5, 6] {
        let mut sheet = Sheet::open("Réponses.csv", json!({ "answers": {} }));
        let first = sheet.reads(format!("{head}{}\n", good.join(",")));
        assert_eq!(told(&first.changes), ["+ anna@example.org -, Bar 16"]);
        let mut cells = good;
        cells[broken] = "#N/A";
        let reading = sheet.reads(format!("{head}{}\n", cells.join(",")));
        let codes: Vec<&str> = reading.unread.iter().map(|one| &*one.code).collect();
        assert_eq!(codes, ["cell-error"], "{broken}");
        // Without its number nobody can say which answer this is: the old one is missed.
        let missed: &[&str] = if broken == 0 {
            &["answers-gone open"]
        } else {
            &[]
        };
        assert_eq!(told(&reading.changes), missed, "{broken}");
    }
}

#[test]
fn a_line_copied_for_somebody_else_signs_both_up() {
    let mut sheet = Sheet::for_ball("Réponses.csv");
    let head = "Submission ID,E-mail,Places\n";
    let (anna, bob) = ("7,anna@example.org,1\n", "7,bob@example.org,1\n");
    let reading = sheet.reads(format!("{head}{anna}{bob}"));
    assert_eq!(
        told(&reading.changes),
        [
            "+ anna@example.org -, Bal folk 16",
            "+ bob@example.org -, Bal folk 16"
        ]
    );
    let [first, second] = &reading.changes[..] else {
        panic!("two sign-ups");
    };
    assert_ne!(first.subject, second.subject);
    assert_ne!(first.id, second.id);
    // Sorted, and changed: each is still who they were.
    assert_eq!(sheet.hears(format!("{head}{bob}{anna}")), [""; 0]);
    let bob = bob.replace(",1", ",2");
    let reading = sheet.reads(format!("{head}{bob}{anna}"));
    assert_eq!(told(&reading.changes), ["~ bob@example.org -, Bal folk 16"]);
    assert_eq!(reading.changes[0].subject, second.subject);
    // The line it was copied from is gone: that one is told, and Bob is no other.
    assert_eq!(sheet.hears(format!("{head}{bob}")), ["answers-gone open"]);
}

#[test]
fn two_who_counted_as_one_and_are_told_apart_are_two() {
    let mut sheet = Sheet::for_ball("Réponses.csv");
    let head = "ID,Nom,Places\n";
    assert_eq!(
        sheet.hears(format!("{head}1,Anna,1\n2,Anna,1\n")),
        ["+ - Anna, Bal folk 16"]
    );
    assert_eq!(
        sheet.hears(format!("{head}1,Anna,1\n2,Anna B,1\n")),
        ["+ - Anna B, Bal folk 16"]
    );
    // What comes later is about each of them alone.
    assert_eq!(
        sheet.hears(format!("{head}1,Anna,1\n2,Anna B,1\n3,Chloé,1\n")),
        ["+ - Chloé, Bal folk 16"]
    );
    assert_eq!(
        sheet.hears(format!("{head}1,Anna,1\n2,Anna B,2\n3,Chloé,1\n")),
        ["~ - Anna B, Bal folk 16"]
    );
}

#[test]
fn a_list_of_people_that_looks_like_a_poll_is_not_quoted() {
    let mut sheet = Sheet::for_ball("Liste.csv");
    let text = ",Contact,Tél.\n1,Anna Do,0262 12 34 56\n";
    let reading = sheet.reads(text);
    assert_eq!(
        unread(&reading),
        ["B2 answer-unclear ", "C2 answer-unclear "]
    );
    let all = format!("{:?}", reading.unread);
    assert!(!all.contains("Anna") && !all.contains("0262"), "{all}");
}

#[test]
fn an_answer_names_several_things_and_one_taken_out_is_left() {
    let mut sheet = Sheet::open("Réponses.csv", json!({ "answers": {} }));
    let head = "Submission ID,E-mail,Activité\n";
    assert_eq!(
        sheet.hears(format!(
            "{head}1,anna@example.org,\"Bals folk; Marché, brocante\"\n"
        )),
        [
            "+ anna@example.org -, Bal folk 16",
            "+ anna@example.org -, Marché, brocante 24"
        ]
    );
    assert_eq!(
        sheet.hears(format!("{head}1,anna@example.org,\"Marché, brocante\"\n")),
        ["x - -, Bal folk 16"]
    );
}

#[test]
fn what_is_not_found_waits_and_is_told_at_its_cell_once() {
    let mut sheet = Sheet::open("Réponses.csv", json!({ "answers": {} }));
    let text = "ID,E-mail,Activité,Date\n\
                1,anna@example.org,Bal masqué,\n\
                2,bob@example.org,Bal masqué,\n\
                3,chloe@example.org,Permanence,\n\
                4,dan@example.org,Permanence,19/01/2027\n\
                5,eve@example.org,Repas,\n\
                6,fay@example.org,,\n\
                7,gil@example.org,Bal folk,bientôt\n";
    let reading = sheet.reads(text);
    assert_eq!(
        told(&reading.changes),
        ["+ dan@example.org -, Permanence 19"]
    );
    assert_eq!(
        unread(&reading),
        [
            "C2 answer-unknown Bal masqué",
            "C4 answer-ambiguous Permanence",
            "C7 answer-for-nothing ",
            "D8 date-unreadable bientôt",
        ]
    );
    // The programme is brought up to date: the same file means more.
    let mut more = programme();
    more.push(activity("Bal masqué", date(2027, 2, 5)));
    let masked = more.last().unwrap().id.to_string();
    sheet.offers(more);
    let reading = sheet.again().unwrap().unwrap();
    let who: Vec<&Value> = reading
        .changes
        .iter()
        .map(|one| &one.fields["email"])
        .collect();
    assert_eq!(who, ["anna@example.org", "bob@example.org"]);
    assert_eq!(reading.changes[0].fields["activity"], masked);
    // It is called something else there, and called off: who signed up stays signed up.
    sheet.offers(programme());
    let reading = sheet.again().unwrap().unwrap();
    assert_eq!(told(&reading.changes), [""; 0]);
}

#[test]
fn what_a_tool_counts_the_places_of_takes_no_answers() {
    let mut sheet = Sheet::for_ball("Réponses.csv");
    let mut all = programme();
    all[0].keeper = Some("billets".to_owned());
    sheet.offers(all);
    let reading = sheet.reads("Horodatage,E-mail\n2027-01-02 10:00:00,anna@example.org\n");
    assert_eq!(reading.changes, []);
    assert_eq!(unread(&reading), ["2 answer-elsewhere Bal folk"]);
    assert!(reading.unread[0].write.en.contains("billets"));
}

#[test]
fn hostile_cells_do_no_harm_and_nobody_is_quoted() {
    let mut sheet = Sheet::for_ball("Réponses.csv");
    let long = "é".repeat(30_000);
    let text = format!(
        "Horodatage,E-mail,Nom,Places,Je viens,Commentaire\n\
         x,anna at example.org,Anna,2,oui,{long}\n\
         ,#REF!,,1,oui,\n\
         ,bob@example.org,\"=HYPERLINK(\"\"http://x\"\")\",-3,peut-être bien,\n\
         ,chloe@example.org,{long},999999999999,oui,a\u{202e}b\n\
         ,\"dan@example.org,eve@example.org\",,,oui,\n"
    );
    let reading = sheet.reads(text);
    assert_eq!(
        unread(&reading),
        [
            "B2 answer-address ",
            "B3 cell-error ",
            "B3 answer-nobody ",
            "D4 capacity-unreadable -3",
            "E4 answer-unclear peut-être bien",
            "D5 capacity-unreadable 999999999999",
            "B6 answer-address ",
            "B6 answer-nobody ",
        ]
    );
    let fields: Vec<_> = reading
        .changes
        .iter()
        .map(|change| &change.fields)
        .collect();
    assert_eq!(fields.len(), 2, "Anna under her name, and Chloé");
    assert_eq!(fields[0].get("email"), None);
    assert_eq!(
        fields[0]["comment"].as_str().unwrap().chars().count(),
        4_000
    );
    assert_eq!(fields[1]["name"].as_str().unwrap().chars().count(), 200);
    assert_eq!(fields[1]["comment"], "ab");
    let kept = sheet.cursor.unwrap();
    for secret in ["Anna", "anna", "chloe", "example.org"] {
        assert!(!kept.contains(secret), "{kept}");
    }
}

#[test]
fn before_a_programme_is_known_nothing_is_read_and_nothing_is_told() {
    let mut sheet = Sheet::for_ball("Réponses.csv");
    sheet.offers(Vec::new());
    let text = "Horodatage,E-mail\n2027-01-02 10:00:00,anna@example.org\n";
    assert_eq!(sheet.look(text).unwrap(), None);
    sheet.offers(programme());
    assert_eq!(sheet.again().unwrap().unwrap().changes.len(), 1);
}

#[test]
fn broken_settings_are_refused_by_their_key() {
    let refused = |settings: Value| -> Vec<String> {
        let mut settings = settings;
        settings["location"] = json!("r.csv");
        let built = (raccord_connector_spreadsheet::CONNECTOR.build)(settings, &kit());
        let findings = built.err().unwrap();
        findings.iter().map(|found| found.place.clone()).collect()
    };
    assert_eq!(
        refused(json!({ "answers": { "date": "demain" } })),
        ["answers.date"]
    );
    assert_eq!(
        refused(json!({ "answers": {}, "columns": { "title": "Titre" } })),
        ["columns.title"]
    );
    assert!(refused(json!({ "answers": { "for": "Bal" } }))[0].starts_with("answers"));
}

#[test]
fn a_place_names_its_own_columns() {
    let settings = json!({
        "answers": { "activity": "Bal folk" },
        "columns": { "email": "Où t’écrire ?", "name": "Comment t’appelles-tu ?", "answered": "Quand ?" },
    });
    let mut sheet = Sheet::open("r.csv", settings);
    let text = "Quand ?,Comment t’appelles-tu ?,Où t’écrire ?\n2027-01-02 10:00:00,Anna,anna@example.org\n";
    assert_eq!(sheet.hears(text), ["+ anna@example.org Anna, Bal folk 16"]);
}

#[test]
fn a_check_without_a_programme_says_nothing_of_titles() {
    let sheet = Sheet::for_ball("Réponses.csv");
    sheet.offers(Vec::new());
    let text = "Horodatage,E-mail\n2027-01-02 10:00:00,anna@example.org\n,nobody\n";
    std::fs::write(sheet.folder.path().join(&sheet.name), text).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let found = runtime.unwrap().block_on(sheet.tool.check());
    assert_eq!(found.len(), 1);
    assert!(found[0].text.en.contains("B3"), "{found:?}");
}
