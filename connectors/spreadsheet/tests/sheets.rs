//! Sheets as other people make them: in English, with other columns, dates, hours and separators.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{brief, csv, fields, read_bytes, read_bytes_with, remarks, unread};
use serde_json::json;

#[test]
fn an_english_sheet_is_read_like_a_french_one() {
    let reading = csv(
        "What,When,From,To,Where,Who,Kind,Public/internal,Seats,Credits,How to,Status\n\
         Bike workshop,Sat 2 January 2027,2 pm,5:30 pm,Shed,Ann,Workshop,Public,8,1.5,https://wiki.example.org/bike,Confirmed\n\
         Board meeting,\"January 4, 2027\",18:30:00,20:00:00,Office,Board,Meeting,Members only,,1,,Tentative\n\
         Film night,05/01/2027,8 pm,midnight,Hall,Cinema club,Film,,80,,,Sold out\n",
    );
    assert_eq!(
        brief(&reading),
        [
            "Bike workshop | 2027-01-02T14:00 | 2027-01-02T17:30 | confirmed",
            "Board meeting | 2027-01-04T18:30 | 2027-01-04T20:00 | tentative",
            "Film night | 2027-01-05T20:00 | 2027-01-06T00:00 | full",
        ]
    );
    let lines = fields(&reading);
    assert_eq!(lines[0]["visibility"], json!("public"));
    assert_eq!(lines[1]["visibility"], json!("internal"));
    assert_eq!(
        lines[2].get("visibility"),
        None,
        "blank is not known, and means public"
    );
    assert_eq!(lines[0]["credits"], json!(150));
    assert_eq!(lines[0]["guide"], json!("https://wiki.example.org/bike"));
    assert_eq!(unread(&reading), [""; 0]);
}

#[test]
fn where_one_signs_up_is_read_beside_where_one_learns_more() {
    let reading = csv("Titre,Date,Début,Lien,Inscription\n\
         Bal,02/01/2027,20h30,https://example.org/bal,https://tickets.example.org/bal\n\
         Atelier,03/01/2027,14h,,à l’accueil\n\
         Stage,04/01/2027,14h,,http://tickets example.org\n");
    let lines = fields(&reading);
    assert_eq!(lines[0]["url"], json!("https://example.org/bal"));
    assert_eq!(
        lines[0]["register"],
        json!("https://tickets.example.org/bal")
    );
    assert_eq!(lines[1].get("register"), None);
    assert_eq!(lines[2].get("register"), None);
    assert_eq!(unread(&reading).len(), 1, "a broken address is told");
}

#[test]
fn separators_encodings_and_line_ends_do_not_matter() {
    let lines = [
        ["Date", "Horaires", "Titre", "Crédits", "Description"],
        [
            "02/01/2027",
            "10h-12h",
            "Fête « d’hiver »",
            "1,5",
            "un; deux, trois",
        ],
        ["2/1/27", "18h30", "Réunion", "2", "à midi"],
    ];
    let write = |separator: char, end: &str| -> String {
        lines
            .iter()
            .map(|cells| {
                let quoted: Vec<String> = cells.iter().map(|cell| format!("\"{cell}\"")).collect();
                quoted.join(&separator.to_string()) + end
            })
            .collect()
    };
    let reference = csv(&write(',', "\n"));
    assert_eq!(
        brief(&reference),
        [
            "Fête « d’hiver » | 2027-01-02T10:00 | 2027-01-02T12:00 | -",
            "Réunion | 2027-01-02T18:30 | - | -",
        ]
    );
    let utf16 = |text: &str, big: bool| -> Vec<u8> {
        text.encode_utf16()
            .flat_map(|unit| {
                if big {
                    unit.to_be_bytes()
                } else {
                    unit.to_le_bytes()
                }
            })
            .collect()
    };
    for separator in [',', ';', '\t', '|'] {
        for end in ["\n", "\r\n", "\r"] {
            let text = write(separator, end);
            for bytes in [
                text.clone().into_bytes(),
                [b"\xEF\xBB\xBF", text.as_bytes()].concat(),
                encoding_rs::WINDOWS_1252.encode(&text).0.into_owned(),
                [b"\xFF\xFE".to_vec(), utf16(&text, false)].concat(),
                [b"\xFE\xFF".to_vec(), utf16(&text, true)].concat(),
            ] {
                let reading = read_bytes("programme.csv", &bytes).unwrap();
                assert_eq!(
                    reading.lines,
                    reference.lines,
                    "{separator:?} {end:?} {:?}",
                    &bytes[..4]
                );
            }
        }
    }
}

#[test]
fn whole_days_and_several_days() {
    let reading = csv("Date;Date de fin;Début;Fin;Titre\n\
         02/01/2027;;;;Journée portes ouvertes\n\
         04/01/2027;06/01/2027;;;Stage\n\
         04/01/2027;06/01/2027;9h;17h;Stage avec heures\n\
         15/01/2027;15/01/2027;20h30;0h30;Concert\n\
         15/01/2027;16/01/2027;20h30;0h30;Concert aussi\n\
         20/01/2027;;journée;;Chantier\n\
         du 22 au 24 janvier 2027;;;;Festival\n");
    assert_eq!(
        brief(&reading),
        [
            "Journée portes ouvertes | 2027-01-02 | - | -",
            "Stage | 2027-01-04 | 2027-01-06 | -",
            "Stage avec heures | 2027-01-04T09:00 | 2027-01-06T17:00 | -",
            "Concert | 2027-01-15T20:30 | 2027-01-16T00:30 | -",
            "Concert aussi | 2027-01-15T20:30 | 2027-01-16T00:30 | -",
            "Chantier | 2027-01-20 | - | -",
            "Festival | 2027-01-22 | 2027-01-24 | -",
        ]
    );
    let days: Vec<bool> = fields(&reading)
        .iter()
        .map(|f| f.get("all_day") == Some(&json!(true)))
        .collect();
    assert_eq!(days, [true, true, false, false, false, true, true]);
    assert_eq!(unread(&reading), [""; 0]);
}

#[test]
fn start_and_end_may_hold_day_and_hour() {
    let reading = csv("Title,Start,End\n\
         One,2027-01-02T18:30,2027-01-02T20:30\n\
         Two,02/01/2027 18:30,02/01/2027 20:30\n\
         Three,2 January 2027 at 6.30 pm,8.30 pm\n\
         Four,2027-01-02,2027-01-03\n");
    assert_eq!(
        brief(&reading),
        [
            "One | 2027-01-02T18:30 | 2027-01-02T20:30 | -",
            "Two | 2027-01-02T18:30 | 2027-01-02T20:30 | -",
            "Three | 2027-01-02T18:30 | 2027-01-02T20:30 | -",
            "Four | 2027-01-02 | 2027-01-03 | -",
        ]
    );
}

#[test]
fn what_cannot_be_read_is_told_at_its_cell_and_the_rest_flows() {
    let reading = csv(
        "Date,Début,Fin,Titre,Jauge,Crédits,Public/Interne,Statut,Lien doc\n\
         2027-01-02,25h,,Mauvaise heure,,,,,\n\
         32/01/2027,10:00,,Mauvais jour,,,,,\n\
         2027-01-04,10:00,tard,Mauvaise fin,,,,,\n\
         2027-01-05,10:00,,Mauvais nombres,beaucoup,quelques-uns,,,\n\
         2027-01-06,10:00,,Mauvais mots,,,peut-être,reporté,javascript:alert(1)\n\
         2027-01-07,10:00,,,,,,,\n\
         ,10:00,,Sans date,,,,,\n\
         2027-01-08,,12:00,Sans début,,,,,\n\
         2027-01-09,10:00,12:00,Bonne ligne,10,1,Public,Confirmé,\n",
    );
    assert_eq!(
        unread(&reading),
        [
            "B2 hour-unreadable",
            "A3 date-impossible",
            "C4 end-unreadable",
            "E5 capacity-unreadable",
            "F5 credits-unreadable",
            "G6 visibility-unknown",
            "H6 status-unknown",
            "I6 link-unreadable",
            "D7 title-missing",
            "A8 date-missing",
            "B9 start-missing",
        ]
    );
    assert_eq!(
        brief(&reading),
        [
            "Mauvaise heure | 2027-01-02 | - | draft",
            "Mauvais jour | - | - | draft",
            "Mauvaise fin | 2027-01-04T10:00 | - | -",
            "Mauvais nombres | 2027-01-05T10:00 | - | -",
            "Mauvais mots | 2027-01-06T10:00 | - | draft",
            "Sans date | - | - | draft",
            "Sans début | 2027-01-08 | - | draft",
            "Bonne ligne | 2027-01-09T10:00 | 2027-01-09T12:00 | confirmed",
        ]
    );
    let hour = &reading.unread[0];
    assert_eq!(hour.found, "25h");
    assert_eq!(
        hour.write.fr,
        "«\u{a0}25h\u{a0}» n’est pas une heure. Écrivez par exemple 18:30, ou 18:30 - 20:30."
    );
    assert_eq!(
        hour.write.en,
        "“25h” is not a time. Write for example 18:30, or 18:30 - 20:30."
    );
    assert_eq!(fields(&reading)[4]["visibility"], json!("internal"));
}

#[test]
fn a_weekday_that_does_not_go_with_its_date_is_a_question() {
    let reading = csv("Jour,Date,Titre\nsamedi,02/01/2027,Juste\nsamedi,03/01/2027,Faux\n");
    assert_eq!(
        brief(&reading),
        ["Juste | 2027-01-02 | - | -", "Faux | - | - | draft"]
    );
    assert_eq!(unread(&reading), ["B3 weekday-mismatch"]);
    assert!(
        reading.unread[0]
            .write
            .fr
            .contains("le 03/01/2027 est un dimanche, pas un samedi")
    );
}

#[test]
fn the_year_comes_from_the_title_the_neighbours_or_the_settings() {
    let titled = csv(
        "Programme de janvier 2027,,\nDate,Heure,Titre\nsam. 02/01,10h,Un\nvendredi 8,10h,Deux\n",
    );
    assert_eq!(
        brief(&titled),
        [
            "Un | 2027-01-02T10:00 | - | -",
            "Deux | 2027-01-08T10:00 | - | -"
        ]
    );
    let beside = csv("Date,Titre\n28/12,Un\n31/12/2026,Deux\n02/01,Trois\n");
    assert_eq!(
        brief(&beside),
        [
            "Un | 2026-12-28 | - | -",
            "Deux | 2026-12-31 | - | -",
            "Trois | 2027-01-02 | - | -"
        ]
    );
    let nowhere = "Date,Titre\n02/01,Un\n";
    assert_eq!(unread(&csv(nowhere)), ["A2 year-missing"]);
    assert_eq!(brief(&csv(nowhere)), ["Un | - | - | draft"]);
    let told = read_bytes_with("p.csv", nowhere.as_bytes(), json!({ "year": 2027 })).unwrap();
    assert_eq!(brief(&told), ["Un | 2027-01-02 | - | -"]);
}

/// The year of one date is wrong: nothing takes its year from it.
#[test]
fn a_wrong_year_moves_no_other_line() {
    let reading = csv("Date,Titre\n\
         27/02/2027,Un\n\
         mardi 2 mars 2026,Deux\n\
         3 mars,Trois\n\
         07/03/2027,Quatre\n\
         08/03/2026,Cinq\n\
         9 mars,Six\n");
    assert_eq!(
        brief(&reading),
        [
            "Un | 2027-02-27 | - | -",
            "Deux | - | - | draft",
            "Trois | 2027-03-03 | - | -",
            "Quatre | 2027-03-07 | - | -",
            "Cinq | 2026-03-08 | - | -",
            "Six | - | - | draft",
        ]
    );
    assert_eq!(unread(&reading), ["A3 weekday-mismatch", "A7 year-missing"]);
}

#[test]
fn a_missing_date_is_proposed_as_the_line_above_has_it() {
    let reading = csv("Date,Heure,Titre\n03/09/2027,10h,Un\n3 octobre 2027,10h,Deux\n,14h,Trois\n");
    assert_eq!(unread(&reading), ["A4 date-missing"]);
    let said = &reading.unread[0].write.fr;
    assert!(
        said.contains("écrivez-y aussi «\u{a0}3 octobre 2027\u{a0}»"),
        "{said}"
    );
}

#[test]
fn what_is_called_off_in_its_date_or_title_is() {
    let reading = csv("Date,Titre\n\
         20/03/2027 (annulé),Bal\n\
         21/03/2027 COMPLET,Atelier\n\
         22/03/2027,Bal REPORTÉ\n\
         23/03/2027,ANNULATION du marché : réunion publique\n");
    assert_eq!(
        brief(&reading),
        [
            "Bal | 2027-03-20 | - | cancelled",
            "Atelier | 2027-03-21 | - | full",
            "Bal REPORTÉ | 2027-03-22 | - | draft",
            "ANNULATION du marché : réunion publique | 2027-03-23 | - | -",
        ]
    );
    assert_eq!(unread(&reading), ["B4 title-status"]);
}

#[test]
fn some_days_of_a_series_are_a_question() {
    for written in [
        "1 samedi sur 2",
        "un mardi sur deux",
        "tous les 15 jours",
        "toutes les deux semaines",
        "1er samedi du mois",
        "premier jeudi du mois",
        "2e et 4e mardis",
        "every other Friday",
        "2nd Friday",
        "first Tuesday of the month",
    ] {
        let reading = csv(&format!(
            "Mars 2027,,\nDate,Heure,Titre\n{written},10h,Un\n"
        ));
        assert_eq!(brief(&reading), ["Un | - | - | draft"], "{written}");
        assert_eq!(unread(&reading), ["A3 series-some-of"], "{written}");
    }
    for (written, day) in [
        ("1er mars", "2027-03-01"),
        ("mardi 2 mars", "2027-03-02"),
        ("2nd March", "2027-03-02"),
        ("Sat 6th", "2027-03-06"),
    ] {
        let reading = csv(&format!("Mars 2027,\nDate,Titre\n{written},Un\n"));
        assert_eq!(
            brief(&reading),
            [format!("Un | {day} | - | -")],
            "{written}"
        );
    }
}

#[test]
fn an_hour_without_its_half_is_a_question_where_others_have_one() {
    let reading = csv("Date,Time,Title\n\
         2027-03-01,6-8,Dinner\n\
         2027-03-02,6:30 pm,Film\n\
         2027-03-03,18:30,Choir\n\
         2027-03-04,10h,Market\n");
    assert_eq!(
        brief(&reading),
        [
            "Dinner | 2027-03-01T06:00 | 2027-03-01T08:00 | draft",
            "Film | 2027-03-02T18:30 | - | -",
            "Choir | 2027-03-03T18:30 | - | -",
            "Market | 2027-03-04T10:00 | - | -",
        ]
    );
    assert_eq!(unread(&reading), ["B2 hour-ambiguous"]);
    let alone = csv("Date,Time,Title\n2027-03-01,9-12,Dinner\n");
    assert_eq!(unread(&alone), [""; 0]);
}

#[test]
fn figures_that_are_no_day_or_no_title_are_not_taken_for_one() {
    let reading = csv("Date,Titre,Jauge\n44000,Un,\n01/03/2027,Deux,12\n,2,12\n");
    assert_eq!(
        brief(&reading),
        ["Un | - | - | draft", "Deux | 2027-03-01 | - | -"]
    );
    assert_eq!(unread(&reading), ["A2 date-unreadable"]);
}

#[test]
fn day_headings_section_titles_and_totals_are_not_activities() {
    let reading = csv("Date,Heure,Titre,Crédits\n\
         samedi 2 janvier 2027,,,\n\
         ,10h,Matin,1\n\
         ,14h,Après-midi,2\n\
         ,,,\n\
         — 2e quinzaine —,,,\n\
         16/01/2027,10h,Bourse,1\n\
         ,,TOTAL crédits,4\n\
         Total,,,4\n");
    assert_eq!(
        brief(&reading),
        [
            "Matin | 2027-01-02T10:00 | - | -",
            "Après-midi | 2027-01-02T14:00 | - | -",
            "Bourse | 2027-01-16T10:00 | - | -",
        ]
    );
    assert_eq!(unread(&reading), [""; 0]);
}

#[test]
fn a_day_alone_that_nothing_follows_lacks_its_title() {
    let reading = csv("Date,Heure,Titre\n2027-01-02,,\n2027-01-03,10h,Un\n2027-01-04,,\n");
    assert_eq!(brief(&reading), ["Un | 2027-01-03T10:00 | - | -"]);
    assert_eq!(unread(&reading), ["C2 title-missing", "C4 title-missing"]);
}

#[test]
fn headers_repeat_move_and_stand_in_two_lines() {
    let reading = csv("Notre programme,,,\n\
         ,,,\n\
         Date,Horaires,,Titre\n\
         ,Début,Fin,\n\
         02/01/2027,10h,12h,Un\n\
         Titre,Date,Début,Fin\n\
         Deux,03/01/2027,14h,16h\n");
    assert_eq!(
        brief(&reading),
        [
            "Un | 2027-01-02T10:00 | 2027-01-02T12:00 | -",
            "Deux | 2027-01-03T14:00 | 2027-01-03T16:00 | -",
        ]
    );
}

#[test]
fn settings_name_columns_that_are_not_recognised() {
    let text = "Kwa,Date,Besoin technique\nBal,02/01/2027,sono\n";
    assert!(read_bytes("p.csv", text.as_bytes()).is_err());
    let reading = read_bytes_with(
        "p.csv",
        text.as_bytes(),
        json!({ "columns": { "title": "Kwa", "extra.tech": "besoin technique" } }),
    )
    .unwrap();
    assert_eq!(brief(&reading), ["Bal | 2027-01-02 | - | -"]);
    assert_eq!(fields(&reading)[0]["extra"], json!({ "tech": "sono" }));
    assert_eq!(remarks(&reading), [""; 0]);
}

#[test]
fn unknown_columns_are_told_once_and_change_no_line() {
    let with = csv("Date,Titre,Besoin technique\n02/01/2027,Bal,sono\n03/01/2027,Film,\n");
    let without = csv("Date,Titre\n02/01/2027,Bal\n03/01/2027,Film\n");
    assert_eq!(with.lines, without.lines);
    assert_eq!(remarks(&with), ["1 unknown-column"]);
    assert!(with.remarks[0].text.fr.contains("Besoin technique"));
}

#[test]
fn short_lines_empty_columns_and_blank_lines_shift_nothing() {
    let reading = csv(
        "Date,Titre,Salle,,,\n\n02/01/2027,Bal\n,,,,,\n  ,\u{a0},\n03/01/2027,\"Film\n« suite »\",Halle,,,,,\n",
    );
    assert_eq!(
        brief(&reading),
        [
            "Bal | 2027-01-02 | - | -",
            "Film « suite » | 2027-01-03 | - | -"
        ]
    );
    let rows: Vec<u32> = reading.lines.iter().map(|line| line.row).collect();
    assert_eq!(rows, [3, 6]);
    assert_eq!(fields(&reading)[1]["room"], json!("Halle"));
    assert_eq!(remarks(&reading), [""; 0]);
}

#[test]
fn identical_lines_are_both_handed_on() {
    let reading = csv("Date,Titre\n02/01/2027,Bal\n02/01/2027,Bal\n");
    assert_eq!(reading.lines.len(), 2);
    assert_eq!(reading.lines[0].digest, reading.lines[1].digest);
}

#[test]
fn yes_under_a_public_or_internal_header_says_who_may_see() {
    let public = csv("Date,Titre,Public ?\n02/01/2027,Un,oui\n03/01/2027,Deux,non\n");
    let internal = csv("Date,Titre,Interne ?\n02/01/2027,Un,non\n03/01/2027,Deux,oui\n");
    assert_eq!(public.lines, internal.lines);
    assert_eq!(fields(&public)[0]["visibility"], json!("public"));
    assert_eq!(fields(&public)[1]["visibility"], json!("internal"));
}

#[test]
fn day_numbers_that_some_programs_export_are_days() {
    let reading = csv("Date,Titre\n46391,Lundi\n");
    assert_eq!(brief(&reading), ["Lundi | 2027-01-04 | - | -"]);
}

#[test]
fn a_sheet_without_a_line_break_at_its_end_is_whole() {
    let reading = csv("Date,Titre,Salle\n02/01/2027,Un,Halle\n03/01/2027,Deux,Halle");
    assert_eq!(reading.lines.len(), 2);
}

#[test]
fn hostile_text_is_kept_as_text() {
    for text in raccord_kit::conformance::HOSTILE {
        let quoted = text.replace('"', "\"\"");
        let reading = csv(&format!(
            "Date,Titre,Salle\n02/01/2027,\"x {quoted} y\",Halle\n"
        ));
        assert_eq!(reading.lines.len(), 1, "{text}");
        let title = fields(&reading)[0]["title"].as_str().unwrap().to_owned();
        assert!(title.starts_with("x ") && title.ends_with(" y"), "{title}");
        assert!(!title.contains(['\n', '\r', '\u{202e}']), "{title:?}");
    }
}

/// A second messy workbook, as openpyxl writes it and as LibreOffice writes it again in both its
/// formats: struck-through words inside cells, a filter, a header in two lines, merged titles.
#[test]
fn a_second_messy_workbook_reads_the_same_in_each_format() {
    let folder = common::samples().join("second");
    let readings: Vec<_> = ["openpyxl.xlsx", "libreoffice.ods", "libreoffice.xlsx"]
        .iter()
        .map(|name| common::read_file(&folder.join(name)).unwrap())
        .collect();
    for reading in &readings[1..] {
        assert_eq!(reading.lines, readings[0].lines);
        assert_eq!(reading.unread, readings[0].unread);
        assert_eq!(reading.remarks, readings[0].remarks);
    }
    let lines = brief(&readings[0]);
    for line in [
        "Un | 2027-01-02T18:30 | 2027-01-02T20:00 | confirmed",
        "Deux | 2027-01-03T18:00 | 2027-01-04T00:00 | tentative",
        "Quatre | 2027-01-04T18:00 | 2027-01-04T20:00 | -",
        "Cinq | 2027-01-09 | - | cancelled",
        "Six barré | 2027-01-10T10:00 | 2027-01-10T12:00 | cancelled",
        "SeptSept bis | 2027-01-11T10:00 | 2027-01-11T12:00 | -",
        "Huit | 2027-01-12 | - | draft",
        "Neuf filtré | 2027-01-13T10:00 | 2027-01-13T12:00 | -",
        "Réunion | 2027-03-01T18:30 | 2027-03-01T20:00 | -",
        "Atelier vélo | 2027-03-31T14:00 | 2027-03-31T16:00 | -",
        "Festival | 2027-03-05 | 2027-03-07 | -",
        "Bal | 2027-03-07T10:00 | 2027-03-07T12:00 | -",
        "Faux jour | - | - | draft",
        "Vague | 2027-03-20 | - | draft",
    ] {
        assert!(
            lines.iter().any(|there| there == line),
            "{line} not in {lines:#?}"
        );
    }
    assert_eq!(
        unread(&readings[0]),
        [
            "C9 hour-unreadable",
            "A10 weekday-mismatch",
            "A12 date-unreadable",
            "A13 date-missing",
            "B14 hour-unreadable",
        ]
    );
}

#[test]
fn a_line_is_offered_to_the_network_where_its_cell_says_so() {
    for header in [
        "Partagé",
        "À partager ?",
        "Partagé avec le réseau",
        "Shared",
        "Share with the network",
    ] {
        let reading = csv(&format!(
            "Date,Titre,{header}\n02/01/2027,Un,oui\n03/01/2027,Deux,X\n04/01/2027,Trois,réseau\n\
             05/01/2027,Quatre,✓\n06/01/2027,Cinq,non\n07/01/2027,Six,\n08/01/2027,Sept,-\n\
             09/01/2027,Huit,chez nous\n10/01/2027,Neuf,peut-être\n"
        ));
        let said: Vec<Option<bool>> = fields(&reading)
            .iter()
            .map(|fields| fields.get("shared").and_then(serde_json::Value::as_bool))
            .collect();
        let (yes, no) = (Some(true), Some(false));
        // What is not understood is not shared, and asked about.
        assert_eq!(
            said,
            [yes, yes, yes, yes, no, None, None, no, no],
            "{header}"
        );
        assert_eq!(reading.unread.len(), 1);
        assert_eq!(reading.unread[0].code, "shared-unknown");
    }
    // Other columns that begin like it are something else.
    let other = csv("Date,Titre,Partage de la salle,Réseau\n02/01/2027,Un,oui,Facebook\n");
    assert!(!fields(&other)[0].contains_key("shared"));
}

#[test]
fn a_date_to_be_chosen_is_said_as_such_and_no_day_is_invented() {
    let reading = csv("Titre,Date,Heure,Salle,Statut,Sondage\n\
         Bal de mai,Date à fixer,20h30,Halle,,https://framadate.org/BalDeMai\n\
         Stage,à fixer https://framadate.org/Stage,,Cour,À confirmer,\n\
         Fête,,,Cour,Date à fixer,\n\
         Vide-grenier,,,Cour,,https://framadate.org/VideGrenier\n\
         Conférence,,,Cour,,\n\
         Concert,02/01/2027,20h30,Halle,,https://framadate.org/Concert\n\
         Loto,02/01/2027,14h,Halle,Date à fixer,\n");
    assert_eq!(
        brief(&reading),
        [
            "Bal de mai | - | - | -",
            "Stage | - | - | tentative",
            "Fête | - | - | -",
            "Vide-grenier | - | - | -",
            "Conférence | - | - | draft",
            "Concert | 2027-01-02T20:30 | - | -",
            "Loto | 2027-01-02T14:00 | - | draft",
        ]
    );
    let lines = fields(&reading);
    for (line, poll) in [
        (0, "https://framadate.org/BalDeMai"),
        (1, "https://framadate.org/Stage"),
        (3, "https://framadate.org/VideGrenier"),
    ] {
        assert_eq!(lines[line]["undated"], json!(true));
        assert_eq!(lines[line]["poll"], json!(poll));
    }
    assert_eq!(lines[2]["undated"], json!(true));
    for dated in [4, 5, 6] {
        assert_eq!(lines[dated].get("undated"), None);
    }
    // A day and a word that there is none: one of the two is wrong.
    assert_eq!(unread(&reading), ["B6 date-missing", "E8 status-unknown"]);
}
