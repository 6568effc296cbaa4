//! What a merge keeps, and what it writes.

use proptest::prelude::*;
use raccord_model::Authority;

use super::*;

const NOW: Timestamp = Timestamp::constant(1_798_800_000, 0);

fn shown() -> Shown {
    serde_json::from_value(json!({
        "form": "Event", "uid": "a@raffinerie.raccord", "file": "a.ics", "calendar": "programme",
        "title": "Concert, le grand; soir", "start": "2027-01-02T20:00", "end": "2027-01-03T01:00",
        "zone": "Europe/Paris", "room": "Grande salle", "text": ["Apporter un plat.", "", "Entrée libre."],
        "notes": ["Organisé par\u{a0}: Zoé"], "categories": ["Concert", "jazz"],
        "url": "https://example.org/a", "status": "CONFIRMED", "priority": null, "parent": null,
        "organiser": null
    }))
    .unwrap()
}

fn text(merged: &Merged) -> String {
    String::from_utf8(merged.bytes.clone()).unwrap()
}

fn unfolded(text: &str) -> String {
    text.replace("\r\n ", "")
}

fn update_of(theirs: &str, shown: &Shown, base: &Base) -> Merged {
    update(theirs.as_bytes(), shown, Some(base), false, NOW).unwrap()
}

#[test]
fn a_new_entry_says_everything_with_the_rules_of_its_zone() {
    let merged = create(&shown(), NOW);
    let text = text(&merged);
    assert!(text.split("\r\n").all(|line| line.len() <= 75));
    let text = unfolded(&text);
    for line in [
        "BEGIN:VTIMEZONE\r\nTZID:Europe/Paris\r\n",
        "UID:a@raffinerie.raccord\r\n",
        "SEQUENCE:0\r\n",
        "SUMMARY:Concert\\, le grand\\; soir\r\n",
        "DTSTART;TZID=Europe/Paris:20270102T200000\r\n",
        "DTEND;TZID=Europe/Paris:20270103T010000\r\n",
        "LOCATION:Grande salle\r\n",
        "CATEGORIES:Concert,jazz\r\n",
        "STATUS:CONFIRMED\r\n",
        "URL:https://example.org/a\r\n",
        "DESCRIPTION:Apporter un plat.\\n\\nEntrée libre.\\n\\nOrganisé par\u{a0}: Zoé\r\n",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    assert!(!text.contains("METHOD"));
    let again = update_of(&text, &shown(), &merged.base);
    assert!(!again.changed, "what stands there already is not written");
}

#[test]
fn whole_days_end_on_the_morning_after() {
    let mut days = shown();
    days.start = Some("2026-12-12".parse().unwrap());
    days.end = Some("2026-12-13".parse().unwrap());
    let merged = create(&days, NOW);
    let text = text(&merged);
    assert!(text.contains("DTSTART;VALUE=DATE:20261212\r\nDTEND;VALUE=DATE:20261214\r\n"));
    assert!(!text.contains("VTIMEZONE"), "whole days need no zone");
    let hours = update_of(&text, &shown(), &merged.base);
    assert!(self::text(&hours).contains("DTSTART;TZID=Europe/Paris:20270102T200000"));
    assert!(self::text(&hours).contains("BEGIN:VTIMEZONE"));
    assert_eq!(
        edits(&hours.bytes, &hours.base, &shown().time_zone()),
        Ok(Fields::new())
    );
}

#[test]
fn the_hours_of_a_member_stay_until_somebody_decides() {
    let mut ours = shown();
    ours.authority.insert("start".into(), Authority::Ask);
    let made = create(&ours, NOW);
    let theirs = text(&made).replace("20270102T200000", "20270102T210000");
    ours.title = "Bal".into();
    let merged = update_of(&theirs, &ours, &made.base);
    assert!(text(&merged).contains("SUMMARY:Bal\r\n"));
    assert!(text(&merged).contains("20270102T210000"));
    let said = edits(&merged.bytes, &merged.base, &ours.time_zone()).unwrap();
    assert_eq!(said["start"], "2027-01-02T21:00");
    let told = update(theirs.as_bytes(), &ours, Some(&made.base), true, NOW).unwrap();
    assert!(text(&told).contains("20270102T200000"), "a person said no");
    ours.authority.insert("start".into(), Authority::Ours);
    assert!(text(&update_of(&theirs, &ours, &made.base)).contains("20270102T200000"));
}

#[test]
fn the_same_moment_in_another_zone_is_no_edit() {
    let made = create(&shown(), NOW);
    let google = text(&made)
        .replace(
            "DTSTART;TZID=Europe/Paris:20270102T200000",
            "DTSTART:20270102T190000Z",
        )
        .replace("DTEND;TZID=Europe/Paris:20270103T010000", "DURATION:PT5H");
    assert_eq!(
        edits(google.as_bytes(), &made.base, &shown().time_zone()),
        Ok(Fields::new())
    );
    assert!(!update_of(&google, &shown(), &made.base).changed);
}

#[test]
fn members_write_around_our_description_and_keep_every_line() {
    let made = create(&shown(), NOW);
    let theirs = unfolded(&text(&made))
        .replace("DESCRIPTION:", "DESCRIPTION:Penser aux clefs !\\n")
        .replace(": Zoé", ": Zoé\\n\\nMarie vient à 19 h");
    let mut ours = shown();
    ours.text = vec!["Apporter un dessert.".into()];
    let merged = update_of(&theirs, &ours, &made.base);
    let said = unfolded(&text(&merged));
    assert!(
        said.contains("DESCRIPTION:Penser aux clefs !\\n\\nApporter un dessert.\\n\\nOrganisé par\u{a0}: Zoé\\n\\nMarie vient à 19 h\r\n"),
        "{said}"
    );
    assert_eq!(
        edits(&merged.bytes, &merged.base, &ours.time_zone()),
        Ok(Fields::new())
    );
    assert!(!update_of(&text(&merged), &ours, &merged.base).changed);
}

/// What the description says, unescaped.
fn told(merged: &Merged) -> String {
    let lines = Lines::read(&merged.bytes).unwrap();
    let event = lines.master("VEVENT").unwrap();
    let line = lines.get(event, "DESCRIPTION");
    line.map(|line| crate::ical::lines::unescaped(line.value()))
        .unwrap_or_default()
}

fn with_hands(hands: &[&str]) -> Shown {
    let mut shown = shown();
    shown.hands = hands.iter().map(|line| (*line).to_owned()).collect();
    shown
}

#[test]
fn tasks_are_told_below_and_follow_what_they_are_around_every_word_of_members() {
    let first = with_hands(&["Coups de main\u{a0}:", "– Bar\u{a0}: 0 sur 2"]);
    let made = create(&first, NOW);
    let ours = "Apporter un plat.\n\nEntrée libre.\n\nOrganisé par\u{a0}: Zoé";
    assert_eq!(
        told(&made),
        format!("{ours}\n\nCoups de main\u{a0}:\n– Bar\u{a0}: 0 sur 2")
    );
    // Members wrote above, between and below, with blanks of their own; one even into our text,
    // which a person is asked about: the tasks are told all the same.
    let theirs = text(&made).replace("DESCRIPTION:", "DESCRIPTION:Clefs\\; \\n\\n");
    let theirs = unfolded(&theirs)
        .replace("Entrée libre.", "Entrée à 5 €.")
        .replace("Coups de main", "Marie vient  à 19 h\\n\\nCoups de main")
        .replace("0 sur 2\r\n", "0 sur 2\\n\\n\\nAmplis: Paul\\n\r\n");
    let next = with_hands(&[
        "Coups de main\u{a0}:",
        "– Bar\u{a0}: 1 sur 2",
        "– Porte\u{a0}: fait",
    ]);
    let mut asks = next.clone();
    asks.authority.insert("description".into(), Authority::Ask);
    let merged = update_of(&theirs, &asks, &made.base);
    assert_eq!(
        told(&merged),
        "Clefs; \n\nApporter un plat.\n\nEntrée à 5 €.\n\nOrganisé par\u{a0}: Zoé\n\nMarie vient  à 19 h\n\nCoups de main\u{a0}:\n– Bar\u{a0}: 1 sur 2\n– Porte\u{a0}: fait\n\n\nAmplis: Paul\n"
    );
    assert!(!update_of(&text(&merged), &asks, &merged.base).changed);
    // What they made of our text is heard without the tasks.
    let heard = edits(&merged.bytes, &merged.base, &next.time_zone()).unwrap();
    let heard = heard["description"].as_str().unwrap();
    assert!(heard.contains("Entrée à 5 €."), "{heard}");
    assert!(
        !heard.contains("Porte") && !heard.contains("Coups de main"),
        "{heard}"
    );
}

#[test]
fn a_task_that_a_member_wrote_on_is_theirs_and_what_they_took_out_stays_out() {
    let first = with_hands(&[
        "Coups de main\u{a0}:",
        "– Bar\u{a0}: 0 sur 2",
        "– Porte\u{a0}: 0 sur 1",
    ]);
    let made = create(&first, NOW);
    let theirs = unfolded(&text(&made)).replace("0 sur 2", "0 sur 2 (moi ! Zoé)");
    let next = with_hands(&[
        "Coups de main\u{a0}:",
        "– Bar\u{a0}: 1 sur 2",
        "– Porte\u{a0}: 0 sur 1",
    ]);
    let merged = update_of(&theirs, &next, &made.base);
    let ends = "– Bar\u{a0}: 1 sur 2\n– Porte\u{a0}: 0 sur 1\n– Bar\u{a0}: 0 sur 2 (moi ! Zoé)";
    assert!(told(&merged).ends_with(ends), "{}", told(&merged));
    // Taken out as a whole, they stay out, whatever becomes of them.
    let without = unfolded(&text(&made));
    let at = without.find("\\n\\nCoups de main").unwrap();
    let end = at + without[at..].find("\r\n").unwrap();
    let without = [&without[..at], &without[end..]].concat();
    let merged = update_of(&without, &next, &made.base);
    assert!(!told(&merged).contains("Bar"), "{}", told(&merged));
    let again = with_hands(&["Coups de main\u{a0}:", "– Bar\u{a0}: 2 sur 2"]);
    assert!(!update_of(&text(&merged), &again, &merged.base).changed);
    // And where there are none any more, nothing is left of them.
    let merged = update_of(&text(&made), &shown(), &made.base);
    assert_eq!(told(&merged), told(&create(&shown(), NOW)));
}

#[test]
fn a_task_to_be_done_again_is_not_done_on_a_day() {
    let mut task = shown();
    (task.form, task.status) = (Form::Task, "COMPLETED".into());
    let made = create(&task, NOW);
    let ticked = text(&made).replace(
        "STATUS:COMPLETED",
        "COMPLETED:20270101T100000Z\r\nPERCENT-COMPLETE:100\r\nSTATUS:COMPLETED",
    );
    task.status = "NEEDS-ACTION".into();
    let merged = text(&update_of(&ticked, &task, &made.base));
    assert!(merged.contains("STATUS:NEEDS-ACTION"));
    assert!(
        !merged.contains("COMPLETE:") && !merged.contains("\nCOMPLETED"),
        "{merged}"
    );
}

#[test]
fn categories_of_members_win() {
    let made = create(&shown(), NOW);
    let theirs = text(&made).replace(
        "CATEGORIES:Concert,jazz",
        "CATEGORIES:Concert\r\nCATEGORIES:à voir",
    );
    let mut ours = shown();
    ours.categories.push("soirée".into());
    let merged = update_of(&theirs, &ours, &made.base);
    assert!(
        text(&merged).contains("CATEGORIES:Concert,soirée,à voir\r\n"),
        "{}",
        text(&merged)
    );
}

#[test]
fn an_adopted_entry_keeps_its_uid_and_its_words() {
    let theirs = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Mozilla.org/NONSGML Mozilla Calendar V1.1//EN\nBEGIN:VEVENT\nUID:9f1e\nDTSTAMP:20260101T000000Z\nSUMMARY:concert le grand soir\nDTSTART;TZID=Europe/Paris:20270102T200500\nDESCRIPTION:Amplis : Paul\nBEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT15M\nEND:VALARM\nEND:VEVENT\nEND:VCALENDAR\n";
    let merged = update(theirs.as_bytes(), &shown(), None, false, NOW).unwrap();
    let said = text(&merged);
    assert!(said.contains("UID:9f1e\n") && said.contains("TRIGGER:-PT15M\n"));
    assert!(
        said.contains("20270102T200000") && said.contains("Amplis : Paul"),
        "{said}"
    );
    assert!(!said.contains('\r'));
    assert!(!update_of(&said, &shown(), &merged.base).changed);
}

#[test]
fn what_repeats_moves_with_its_exceptions() {
    let made = create(&shown(), NOW);
    let theirs = text(&made).replace(
        "END:VEVENT\r\n",
        "RRULE:FREQ=WEEKLY\r\nEXDATE;TZID=Europe/Paris:20270109T200000\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:a@raffinerie.raccord\r\nRECURRENCE-ID;TZID=Europe/Paris:20270116T200000\r\nDTSTART;TZID=Europe/Paris:20270116T220000\r\nSUMMARY:Plus tard\r\nEND:VEVENT\r\n",
    );
    let mut ours = shown();
    ours.start = Some("2027-01-02T19:30".parse().unwrap());
    let merged = update_of(&theirs, &ours, &made.base);
    let said = text(&merged);
    for line in [
        "RRULE:FREQ=WEEKLY\r\n",
        "EXDATE;TZID=Europe/Paris:20270109T193000\r\n",
        "RECURRENCE-ID;TZID=Europe/Paris:20270116T193000\r\n",
        "DTSTART;TZID=Europe/Paris:20270116T220000\r\n",
    ] {
        assert!(said.contains(line), "{line} in {said}");
    }
}

#[test]
fn cancelling_touches_nothing_but_the_status() {
    let made = create(&shown(), NOW);
    let gone = cancel(&made.bytes, NOW).unwrap().unwrap();
    let said = String::from_utf8(gone.clone()).unwrap();
    assert_eq!(
        said,
        text(&made)
            .replace("STATUS:CONFIRMED", "STATUS:CANCELLED")
            .replace("SEQUENCE:0", "SEQUENCE:1")
    );
    assert_eq!(cancel(&gone, NOW), Ok(None));
}

#[test]
fn what_is_no_entry_is_refused() {
    for odd in ["", "bonjour", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"] {
        assert!(
            update(odd.as_bytes(), &shown(), None, false, NOW).is_err(),
            "{odd}"
        );
    }
    let made = create(&shown(), NOW);
    let odd = text(&made).replace("DTSTART;TZID=Europe/Paris", "DTSTART;TZID=Mars/Olympus");
    let refused = update(odd.as_bytes(), &shown(), Some(&made.base), false, NOW);
    assert_eq!(refused.unwrap_err(), Odd::Zone("Mars/Olympus".into()));
}

/// What the programs of members put into an entry, in their own spelling.
const FOREIGN: [&str; 9] = [
    "BEGIN:VALARM\r\nX-WR-ALARMUID:4E6A-1\r\nUID:4E6A-1\r\nTRIGGER:-PT15M\r\nATTACH;VALUE=URI:Chord\r\nACTION:AUDIO\r\nEND:VALARM\r\n",
    "X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-APPLE-RADIUS=70;X-TITLE=\"Rue: A; B\":geo:48.8\r\n ,2.35\r\n",
    "X-MOZ-GENERATION:3\r\nX-MOZ-LASTACK:20270101T100000Z\r\n",
    "ATTENDEE;CN=\"Marie, du bar\";PARTSTAT=ACCEPTED;X-NUM-GUESTS=0:mailto:marie@exam\r\n ple.org\r\n",
    "ATTENDEE;CN=Paul:mailto:paul@example.org\r\n",
    "COMMENT:Clé chez la voisine\r\nCOMMENT:Deux fois\r\n",
    "X-ALT-DESC;FMTTYPE=text/html:<b>gras</b>\r\nCLASS:PUBLIC\r\nTRANSP:TRANSPARENT\r\n",
    "COLOR:tomato\r\nATTACH;FMTTYPE=application/pdf:https://cloud.example.org/s/a\r\nx-lower;p=\"q\":é\r\n\t folded\r\n",
    "BEGIN:X-UNKNOWN\r\nSUMMARY:not ours\r\nDTSTART:20200101\r\nEND:X-UNKNOWN\r\n",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Between our writes members add what we do not own; in the end every byte of it stands, both
    /// sides say the same, and nothing is written any more.
    #[test]
    fn nothing_a_member_adds_is_ever_lost(script in proptest::collection::vec((0_u8..8, 0_usize..FOREIGN.len(), "[a-zé,;\\n]{1,20}"), 1..14)) {
        let mut ours = shown();
        let made = create(&ours, NOW);
        let (mut there, mut base) = (made.bytes, made.base);
        let mut added: Vec<&str> = Vec::new();
        for (what, which, word) in script {
            match what {
                0 => ours.title = format!("T{}", word.replace('\n', " ")),
                1 => ours.room = word.replace('\n', " ").trim().to_owned(),
                2 => ours.text = word.split('\n').map(str::to_owned).collect(),
                3 => {
                    ours.start = Some("2027-03-28T02:30".parse().unwrap());
                    ours.end = None;
                }
                4 => ours.status = "CANCELLED".into(),
                _ => {
                    let piece = FOREIGN[which];
                    let text = String::from_utf8(there).unwrap();
                    // Alarms and the like stand last, properties wherever the program likes.
                    let at = if piece.starts_with("BEGIN") {
                        text.rfind("END:VEVENT").unwrap()
                    } else {
                        text.find("SUMMARY").unwrap()
                    };
                    there = [&text[..at], piece, &text[at..]].concat().into_bytes();
                    added.push(piece);
                }
            }
            let merged = update(&there, &ours, Some(&base), false, NOW).unwrap();
            (there, base) = (merged.bytes, merged.base);
        }
        let text = String::from_utf8(there.clone()).unwrap();
        for piece in added {
            prop_assert!(text.contains(piece), "{piece} in {text}");
        }
        let entry = entry::read(&text, &ours.time_zone()).unwrap();
        for field in FIELDS.into_iter().filter(|field| *field != "description") {
            let tidy = |text: String| raccord_look::clean::line(&text, 1_000);
            prop_assert_eq!(tidy(said(field, &entry)), tidy(self::ours(field, &ours)), "{}", field);
        }
        let again = update(&there, &ours, Some(&base), false, NOW).unwrap();
        prop_assert!(!again.changed);
    }
}

#[test]
fn an_organiser_is_named_as_the_settings_say_and_nobody_is_invited() {
    let named = Shown {
        organiser: Some((
            "Zoé \"du\" bar; cuisine, salle".to_owned(),
            "contact@example.org".to_owned(),
        )),
        ..shown()
    };
    let merged = create(&named, NOW);
    let first = unfolded(&text(&merged));
    let line = "ORGANIZER;SCHEDULE-AGENT=CLIENT;CN=\"Zoé 'du' bar; cuisine, salle\":mailto:contact@example.org\r\n";
    assert!(first.contains(line), "{first}");
    assert!(!update_of(&first, &named, &merged.base).changed);

    // The server puts a parameter of its own there, and a member invites somebody: both stay.
    let theirs = first.replace(
        "END:VEVENT",
        "ATTENDEE;PARTSTAT=ACCEPTED:mailto:marie@example.org\r\nEND:VEVENT",
    );
    let moved = Shown {
        room: "Cour".to_owned(),
        ..named.clone()
    };
    let after = unfolded(&text(&update_of(&theirs, &moved, &merged.base)));
    assert!(after.contains(line), "{after}");
    assert!(after.contains("ATTENDEE;PARTSTAT=ACCEPTED:mailto:marie@example.org\r\n"));

    // Somebody else runs it from now on; without a name the address stands alone.
    let nameless = Shown {
        organiser: Some((String::new(), "contact@example.org".to_owned())),
        ..named
    };
    let after = unfolded(&text(&update_of(&first, &nameless, &merged.base)));
    assert_eq!(after.matches("ORGANIZER").count(), 1);
    assert!(
        after.contains("ORGANIZER;SCHEDULE-AGENT=CLIENT:mailto:contact@example.org\r\n"),
        "{after}"
    );

    // Without the key nothing of it is touched: it may be a member's.
    let after = unfolded(&text(&update_of(&first, &shown(), &merged.base)));
    assert!(after.contains(line), "{after}");
}
