//! Sheet and members change the same entries at random: in the end both sides say the same, nothing
//! is written any more, and no byte of what only members know is lost.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{Stage, activity, hands};
use raccord_model::{Digest, Entity, Link};
use serde_json::{Value, json};

/// What the log would do with an edit: ours is put back, hours are kept as the member wants them
/// after a yes, or put back after a no.
struct Desk {
    entity: Entity,
    link: Option<Link>,
    yes: bool,
}

impl Desk {
    async fn settle(&mut self, stage: &Stage, cursor: &mut Option<String>) -> bool {
        let mut wrote = false;
        let ours: Vec<_> = self
            .link
            .iter()
            .map(|link| (self.entity.id, link.clone()))
            .collect();
        let seen = stage.read(cursor.as_deref(), &ours).await.unwrap();
        if let raccord_model::Observation::Complete(reading) = seen {
            cursor.clone_from(&reading.cursor);
            for edit in reading.edits {
                for (field, theirs) in edit.fields {
                    let asked = matches!(field.as_str(), "start" | "end" | "all_day" | "room");
                    if asked && self.yes {
                        if theirs.is_null() {
                            self.entity.fields.remove(&field);
                        } else {
                            self.entity.fields.insert(field, theirs);
                        }
                    }
                    let link = self.link.as_mut().unwrap();
                    link.hash = Digest::default();
                    // A no insists.
                    link.revision = u64::from(!asked || self.yes);
                }
            }
        }
        let wanted = stage.desired(&self.entity, None).unwrap().hash;
        if self.link.as_ref().is_none_or(|link| link.hash != wanted) {
            let made = stage.write(&self.entity, self.link.clone()).await.unwrap();
            wrote = !made.unchanged;
            self.link = Some(stage.link(&self.entity, made));
        }
        wrote
    }
}

const PIECES: [&str; 6] = [
    "BEGIN:VALARM\r\nUID:4E6A\r\nX-WR-ALARMUID:4E6A\r\nTRIGGER:-PT30M\r\nACTION:DISPLAY\r\nDESCRIPTION:Reminder\r\nEND:VALARM\r\n",
    "X-MOZ-LASTACK:20270101T100000Z\r\nX-MOZ-GENERATION:7\r\n",
    "ATTENDEE;CN=\"Marie, du bar\";PARTSTAT=TENTATIVE;ROLE=REQ-PARTICIPANT:mailto:ma\r\n rie@example.org\r\n",
    "X-APPLE-TRAVEL-ADVISORY-BEHAVIOR:AUTOMATIC\r\nX-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-TITLE=\"Halle; sud\":geo:1,2\r\n",
    "COMMENT:Vu avec Paul\r\nCOLOR:seagreen\r\n",
    "TRANSP:TRANSPARENT\r\nX-ANDROID-EXTRA;p=1:dav\r\n\tx5\r\n",
];

#[tokio::test]
async fn a_thousand_scripts_on_both_sides_end_alike_and_lose_nothing() {
    let stage = Stage::with(|settings| settings["tasks"] = json!("description")).await;
    let mut state = 42_u64;
    let mut dice = move |sides: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) as usize) % sides
    };
    for script in 0..1_000 {
        let mut cursor = None;
        let mut desk = Desk {
            entity: activity(
                script,
                json!({ "description": "Entrée libre", "tags": ["jazz"] }),
            ),
            link: None,
            yes: script % 2 == 0,
        };
        desk.settle(&stage, &mut cursor).await;
        let path = desk.link.as_ref().unwrap().external.clone();
        let file = path.rsplit('/').next().unwrap().to_owned();
        let mut added = Vec::new();
        let mut words: Vec<String> = Vec::new();
        for _ in 0..2 + dice(6) {
            let word = ["Bal", "Film", "Chant", "Marché"][dice(4)];
            match dice(10) {
                0 => drop(desk.entity.fields.insert("title".into(), json!(word))),
                1 => drop(desk.entity.fields.insert("room".into(), json!(word))),
                2 => drop(
                    desk.entity
                        .fields
                        .insert("description".into(), json!(format!("{word}\nle soir"))),
                ),
                3 => drop(desk.entity.fields.insert(
                    "start".into(),
                    json!(format!("2027-01-02T1{}:30", dice(10))),
                )),
                4 | 5 => {
                    let piece = PIECES[dice(PIECES.len())];
                    added.push(piece);
                    stage.cloud.member_edits("programme", &file, |text| {
                        let at = if piece.starts_with("BEGIN") {
                            text.rfind("END:VEVENT")
                        } else {
                            text.find("SUMMARY")
                        };
                        let at = at.unwrap();
                        [&text[..at], piece, &text[at..]].concat()
                    });
                }
                6 => {
                    let all = [hands("Bar", 3, dice(4) as u64), hands("Accueil", 1, 0)];
                    *stage.tasks.lock().unwrap() = all[..dice(3)].to_vec();
                }
                7 => {
                    let word = format!("Marie y pense, n° {};", words.len());
                    stage.cloud.member_edits("programme", &file, |text| {
                        text.replacen("DESCRIPTION:", &format!("DESCRIPTION:{word}\\n"), 1)
                    });
                    words.push(word);
                }
                8 => stage.cloud.member_edits("programme", &file, |text| {
                    replaced(&text, "SUMMARY", "retitled")
                }),
                _ => stage
                    .cloud
                    .member_edits("programme", &file, |text| replaced(&text, "LOCATION", word)),
            }
            // The sheet and the calendar are not always read between two edits.
            if dice(3) > 0 {
                desk.settle(&stage, &mut cursor).await;
            }
        }
        let mut rounds = 0;
        while desk.settle(&stage, &mut cursor).await {
            rounds += 1;
            assert!(rounds <= 2, "script {script} does not settle");
        }
        assert!(!desk.settle(&stage, &mut cursor).await);
        let text = stage.cloud.text("programme", &file);
        let told = text
            .replace("\r\n ", "")
            .replace("\\,", ",")
            .replace("\\;", ";");
        for word in words {
            assert!(told.contains(&word), "{word}: {told}");
        }
        for one in &*stage.tasks.lock().unwrap() {
            let line = format!("– {}\u{a0}: {} sur", one.task.text("title"), one.taken);
            assert_eq!(told.matches(&line).count(), 1, "{line}: {told}");
        }
        for piece in added {
            assert!(
                text.contains(piece),
                "script {script} lost {piece} of {text}"
            );
        }
        let says = |name: &str| -> Value {
            let unfolded = text.replace("\r\n ", "");
            let line = unfolded.split("\r\n").find(|line| line.starts_with(name));
            json!(line.map(|line| line[name.len()..].to_owned()))
        };
        assert_eq!(
            says("SUMMARY:"),
            desk.entity.fields["title"],
            "script {script}"
        );
        assert_eq!(
            says("LOCATION:"),
            desk.entity.fields["room"],
            "script {script}"
        );
        stage.cloud.state().calendar("programme").objects.clear();
    }
}

fn replaced(text: &str, name: &str, value: &str) -> String {
    let lines = text.split_inclusive("\r\n").map(|line| {
        if line.starts_with(name) {
            format!("{name}:{value}\r\n")
        } else {
            line.to_owned()
        }
    });
    lines.collect::<Vec<_>>().concat()
}
