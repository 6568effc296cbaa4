//! The samples of an invented place, in each format, to their expectations.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::BTreeMap;

use common::{fields, read_file, remarks, samples, unread};
use raccord_model::Fields;
use serde_json::{Value, json};

const FORMATS: [&str; 4] = [
    "programme.csv",
    "programme-excel-fr.csv",
    "programme.ods",
    "programme.xlsx",
];

/// The fields that an event of `*.expected.json` must come out as.
fn expected(event: &Value) -> Fields {
    let text = |name: &str| event[name].as_str().unwrap();
    let (date, start, end) = (text("date"), text("start"), text("end"));
    let day: jiff::civil::Date = date.parse().unwrap();
    let last = if end <= start {
        day.tomorrow().unwrap()
    } else {
        day
    };
    let mut out: Fields = [
        ("title", json!(text("title"))),
        ("kind", json!(text("type"))),
        ("start", json!(format!("{date}T{start}"))),
        ("end", json!(format!("{last}T{end}"))),
        ("room", json!(text("room"))),
        ("organiser", json!(text("org"))),
        ("contact", json!(text("mail"))),
        ("description", json!(text("desc"))),
        ("guide", json!(text("doc"))),
        (
            "visibility",
            json!(if text("pub") == "Public" {
                "public"
            } else {
                "internal"
            }),
        ),
        (
            "credits",
            json!((event["cred"].as_f64().unwrap() * 100.0) as i64),
        ),
        (
            "status",
            json!(match text("status") {
                "Confirmé" => "confirmed",
                "Complet" => "full",
                "À confirmer" => "tentative",
                "Annulé" => "cancelled",
                other => panic!("{other}"),
            }),
        ),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    if let Some(capacity) = event["cap"].as_u64() {
        out.insert("capacity".to_owned(), json!(capacity));
    }
    out
}

#[test]
fn the_four_formats_read_to_the_same_45_activities() {
    let events: Vec<Value> =
        serde_json::from_slice(&std::fs::read(samples().join("programme.expected.json")).unwrap())
            .unwrap();
    assert_eq!(events.len(), 45);
    let wanted: Vec<Fields> = events.iter().map(expected).collect();
    let first = read_file(&samples().join(FORMATS[0])).unwrap();
    for name in FORMATS {
        let reading = read_file(&samples().join(name)).unwrap();
        assert_eq!(fields(&reading), wanted, "{name}");
        assert_eq!(unread(&reading), [""; 0], "{name}");
        assert_eq!(remarks(&reading), [""; 0], "{name}");
        for (line, same) in reading.lines.iter().zip(&first.lines) {
            assert_eq!(line.fields, same.fields, "{name} line {}", line.row);
            assert_eq!((line.digest, line.row), (same.digest, same.row));
        }
        assert_eq!(reading.lines[0].row, 2);
    }
}

#[test]
fn the_columns_of_each_field_are_known_for_the_question_why() {
    let reading = read_file(&samples().join("programme.ods")).unwrap();
    assert_eq!(reading.tabs.len(), 1);
    assert_eq!(reading.tabs[0].name, "Janvier 2027");
    let columns = &reading.tabs[0].columns;
    assert_eq!(columns["title"], [3]);
    assert_eq!(columns["start"], [0, 1]);
    assert_eq!(columns["end"], [0, 2]);
    assert_eq!(columns["credits"], [11]);
}

#[test]
fn every_version_of_the_edited_sheet_reads_its_rows_exactly_in_csv_and_in_ods() {
    let programme: Vec<Value> =
        serde_json::from_slice(&std::fs::read(samples().join("programme.expected.json")).unwrap())
            .unwrap();
    let titles: BTreeMap<&str, &str> = programme
        .iter()
        .map(|event| {
            (
                event["key"].as_str().unwrap(),
                event["title"].as_str().unwrap(),
            )
        })
        .collect();
    let folder = samples().join("programme-edits");
    let mut versions = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "json") {
            continue;
        }
        versions += 1;
        let truth: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let rows = truth["rows"].as_array().unwrap();
        let csv = read_file(&path.with_extension("csv")).unwrap();
        let ods = read_file(&path.with_extension("ods")).unwrap();
        assert_eq!(csv.lines.len(), rows.len(), "{path:?}");
        for ((row, csv), ods) in rows.iter().zip(&csv.lines).zip(&ods.lines) {
            assert_eq!(u64::from(csv.row), row["row"].as_u64().unwrap());
            assert_eq!((csv.row, csv.digest), (ods.row, ods.digest), "{path:?}");
            let title = csv.decode()["title"]
                .as_str()
                .unwrap()
                .replace("plénnière", "plénière");
            let named = titles[row["event"].as_str().unwrap()];
            let pasted = path.ends_with("05-duplicated.json") && row["event"] == "ev-13";
            assert!(title == named || pasted, "{path:?}: {title} is not {named}");
        }
        for reading in [&csv, &ods] {
            assert_eq!(unread(reading), [""; 0], "{path:?}");
            let wanted: &[&str] = match path.file_name().unwrap().to_str().unwrap() {
                name if name.starts_with("09") => &["1 unknown-column"],
                name if name >= "10" && !name.starts_with('0') && rows_have_extra(&csv) => {
                    &["1 unknown-column"]
                }
                _ => &[],
            };
            assert_eq!(remarks(reading), wanted, "{path:?}");
        }
    }
    assert_eq!(versions, 18);
}

/// The inserted column stays in every later version.
fn rows_have_extra(reading: &raccord_model::Reading) -> bool {
    reading.tabs[0].columns["organiser"] == [7]
}

#[test]
fn a_sheet_of_which_only_the_header_is_left_is_a_whole_reading_of_nothing() {
    for end in ["csv", "ods"] {
        let path = samples()
            .join("programme-edits/11-emptied")
            .with_extension(end);
        let reading = read_file(&path).unwrap();
        assert_eq!(reading.lines, []);
        assert_eq!(reading.tabs.len(), 1);
    }
}

/// The messy workbook, line by line, to what a person reads there.
#[test]
fn the_messy_workbook_reads_as_a_person_reads_it() {
    let truth: Value = serde_json::from_slice(
        &std::fs::read(samples().join("programme-messy.expected.json")).unwrap(),
    )
    .unwrap();
    for name in ["programme-messy.ods", "programme-messy.xlsx"] {
        let reading = read_file(&samples().join(name)).unwrap();
        let mut told = 0;
        for line in truth["lines"].as_array().unwrap() {
            let Some(row) = line["row"].as_u64() else {
                continue;
            };
            let sheet = line["sheet"].as_str().unwrap();
            let at = format!("{name} {sheet} {row}");
            let there: Vec<Fields> = reading
                .lines
                .iter()
                .filter(|l| {
                    u64::from(l.row) == row && reading.tabs[usize::from(l.tab)].name == sheet
                })
                .map(raccord_model::Line::decode)
                .collect();
            let said: Vec<_> = reading
                .unread
                .iter()
                .filter(|u| u64::from(u.row) == row && u.sheet == sheet)
                .collect();
            let remarked = reading
                .remarks
                .iter()
                .any(|r| u64::from(r.row) == row && r.sheet == sheet);
            let expect = line["expect"].as_str().unwrap();
            match expect {
                "ignore" | "header" => {
                    assert!(
                        there.is_empty() && said.is_empty(),
                        "{at}: {there:?} {said:?}"
                    );
                    continue;
                }
                "series" => {
                    assert_eq!(there.len(), line["dates"].as_array().unwrap().len(), "{at}");
                }
                _ => assert_eq!(there.len(), 1, "{at}"),
            }
            let fields = &there[0];
            let text = |name: &str| fields.get(name).and_then(Value::as_str);
            assert_eq!(text("title"), line["title"].as_str(), "{at}");
            if let Some(kind) = line["type"].as_str() {
                assert_eq!(text("kind"), Some(kind), "{at}");
            }
            match expect {
                "event" => assert!(
                    !matches!(text("status"), Some("draft" | "cancelled")),
                    "{at}"
                ),
                "cancelled" => assert_eq!(text("status"), Some("cancelled"), "{at}"),
                "draft" => {
                    assert_eq!(text("status"), Some("draft"), "{at}");
                    assert!(remarked || !said.is_empty(), "{at}: a draft is told");
                }
                "error" => {
                    assert_eq!(text("status"), Some("draft"), "{at}");
                    assert_eq!(said[0].column, "A", "{at}");
                    assert!(said[0].write.fr.contains(&said[0].found), "{at}");
                    told += 1;
                }
                _ => {}
            }
            if let Some(dates) = line["dates"].as_array() {
                for (fields, date) in there.iter().zip(dates) {
                    let start = format!(
                        "{}T{}",
                        date.as_str().unwrap(),
                        line["start"].as_str().unwrap()
                    );
                    assert_eq!(fields["start"], json!(start), "{at}");
                    assert_eq!(fields["series"]["count"], json!(dates.len()), "{at}");
                }
            } else if let Some(date) = line["date"].as_str() {
                let start = format!("{date}T{}", line["start"].as_str().unwrap());
                assert_eq!(text("start"), Some(start.as_str()), "{at}");
                let end = line["end"].as_str().map(|end| {
                    let day = line["end_date"].as_str().unwrap_or(date);
                    if end.len() > 5 {
                        end.to_owned()
                    } else {
                        format!("{day}T{end}")
                    }
                });
                assert_eq!(text("end"), end.as_deref(), "{at}");
            }
            if let Some(credits) = line["credits"].as_f64() {
                assert_eq!(fields["credits"], json!((credits * 100.0) as i64), "{at}");
            }
            if line.get("credits").is_some_and(Value::is_null) {
                assert_eq!(fields.get("credits"), None, "{at}");
            }
            if let Some(capacity) = line["capacity"].as_u64() {
                assert_eq!(fields["capacity"], json!(capacity), "{at}");
            }
        }
        assert_eq!(told, 2);
        assert_eq!(reading.tabs.len(), 2, "{name}: two tabs are programmes");
        // A cell error costs its field, not its line.
        assert!(unread(&reading).contains(&"K21 cell-error".to_owned()));
        // The e-mail column is hidden: it is kept as a contact, which is never public.
        assert_eq!(fields(&reading)[0]["contact"], json!("lieu@example.org"));
    }
}
