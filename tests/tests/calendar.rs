//! The members' calendar, on two servers that are not ours: what is written there, what members make
//! of it, and what was there before.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use raccord_tests::caldav::{Kind, Server, unfolded};
use raccord_tests::place::Place;
use serde_json::Value;

const HEAD: &str = "Titre,Date,Heure,Fin,Lieu,Description\n";

fn place(server: &Server, more: &str) -> Place {
    let place = Place::new("").unwrap();
    let section = server
        .section("members-calendar", &place.path("password"))
        .unwrap();
    let config = format!(
        "[place]\nid = \"raffinerie\"\nname = \"La Raffinerie\"\ntimezone = \"Europe/Paris\"\nlanguage = \"fr\"\n\
         [connectors.programme-sheet]\nkind = \"spreadsheet\"\nlocation = \"programme.csv\"\n{section}{more}"
    );
    place.save("raccord.toml", config.as_bytes()).unwrap();
    place
}

fn sheet(place: &Place, lines: &[&str]) {
    let text = format!("{HEAD}{}\n", lines.join("\n"));
    place.save("programme.csv", text.as_bytes()).unwrap();
}

fn sync(place: &Place) -> Value {
    let answer = place.run(&["sync"]).unwrap();
    assert!(answer.code <= 3 && answer.json.is_object(), "{answer:?}");
    answer.json
}

fn actions(answer: &Value) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for effect in answer["effects"].as_array().unwrap() {
        let action = effect["action"].as_str().unwrap().to_owned();
        *counts.entry(action).or_default() += 1;
    }
    counts
}

const JAZZ: &str = "Concert de jazz,02/01/2027,20h,1h,Grande salle,Un plat à partager";
const BIKES: &str = "Atelier vélo,05/01/2027,18h,20h,Cour,";
const DOORS: &str = "Portes ouvertes,12/06/2027,,,Partout,";

fn whole_life(kind: Kind) {
    let server = Server::start(kind).unwrap();
    let mut place = place(&server, "");
    sheet(&place, &[JAZZ, BIKES, DOORS]);
    assert_eq!(
        actions(&sync(&place))["create"],
        3,
        "the calendar is made with its entries"
    );
    let (file, text) = server.entry("Concert de jazz").unwrap();
    let text = unfolded(&text);
    assert!(
        text.contains("DTSTART;TZID=Europe/Paris:20270102T200000"),
        "{text}"
    );
    assert!(
        text.contains("DTEND;TZID=Europe/Paris:20270103T010000"),
        "past midnight: {text}"
    );
    assert!(text.contains("BEGIN:VTIMEZONE"), "{text}");
    let doors = server.entry("Portes ouvertes").unwrap().1;
    assert!(doors.contains("DTSTART;VALUE=DATE:20270612"), "{doors}");
    assert_eq!(sync(&place)["done"], 0, "nothing is written twice");

    // A member moves it by half an hour, retitles it, and sets an alarm.
    let edited = server
        .text(&file)
        .unwrap()
        .replace("20270102T200000", "20270102T203000")
        .replace("SUMMARY:Concert de jazz", "SUMMARY:Concert de jaz !")
        .replace(
            "END:VEVENT",
            "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:x\r\nTRIGGER:-PT15M\r\nEND:VALARM\r\nEND:VEVENT",
        );
    server.put(&file, &edited).unwrap();
    let answer = sync(&place);
    assert_eq!(
        answer["holds"].as_array().unwrap().len(),
        1,
        "the hour is asked about"
    );
    let text = server.text(&file).unwrap();
    assert!(
        text.contains("SUMMARY:Concert de jazz\r\n"),
        "the title is ours: {text}"
    );
    assert!(
        text.contains("20270102T203000"),
        "the hour stays until somebody decides: {text}"
    );
    assert!(text.contains("TRIGGER:-PT15M"), "{text}");

    // The sheet changes beside it; then a person says yes to the hour.
    sheet(
        &place,
        &[&JAZZ.replace("Grande salle", "Petite salle"), BIKES, DOORS],
    );
    sync(&place);
    let text = server.text(&file).unwrap();
    assert!(
        text.contains("LOCATION:Petite salle") && text.contains("20270102T203000"),
        "{text}"
    );
    let hold = answer["holds"][0]["id"].as_str().unwrap();
    let said = place.run(&["approve", hold]).unwrap();
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(sync(&place)["done"], 0);
    let event = place.events().unwrap().into_iter().rev().find(|event| {
        event["data"]["title"] == "Concert de jazz" && event["data"]["start"] == "2027-01-02T20:30"
    });
    assert!(event.is_some(), "the member's hour is the activity's");

    // Another hour; a person says no.
    let edited = text.replace("20270102T203000", "20270102T211500");
    server.put(&file, &edited).unwrap();
    let hold = sync(&place)["holds"][0]["id"].as_str().unwrap().to_owned();
    let said = place.run(&["reject", &hold]).unwrap();
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(
        sync(&place)["holds"].as_array().unwrap().len(),
        0,
        "it is not asked again"
    );
    assert!(server.text(&file).unwrap().contains("20270102T203000"));

    // Deleted by a member: the source has the last word.
    server.delete(&file).unwrap();
    sync(&place);
    assert!(server.entry("Concert de jazz").is_ok());

    // A member's own entry that repeats: three activities for members, and not a byte of it changed.
    let own = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:petanque\r\nDTSTAMP:20261220T000000Z\r\nDTSTART;TZID=Europe/Paris:20270107T190000\r\nDURATION:PT2H\r\nSUMMARY:Pétanque\r\nRRULE:FREQ=WEEKLY;COUNT=3\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    server.put("petanque.ics", own).unwrap();
    let stored = server.text("petanque.ics").unwrap();
    sync(&place);
    assert_eq!(sync(&place)["done"], 0);
    let games: Vec<Value> = place
        .events()
        .unwrap()
        .into_iter()
        .filter(|event| event["data"]["title"] == "Pétanque")
        .collect();
    assert_eq!(games.len(), 3);
    assert!(
        games
            .iter()
            .all(|game| game["data"]["visibility"] == "internal")
    );
    assert_eq!(server.text("petanque.ics").unwrap(), stored);

    // The line goes: cancelled, not deleted. It comes back: the same entry.
    let (bikes, _) = server.entry("Atelier vélo").unwrap();
    sheet(&place, &[JAZZ, DOORS]);
    sync(&place);
    place.is_at("2026-12-20T09:00:00Z");
    assert_eq!(actions(&sync(&place))["cancel"], 1);
    assert!(server.text(&bikes).unwrap().contains("STATUS:CANCELLED"));
    sheet(&place, &[JAZZ, BIKES, DOORS]);
    sync(&place);
    assert!(server.text(&bikes).unwrap().contains("STATUS:CONFIRMED"));
    assert_eq!(sync(&place)["done"], 0);
    assert_eq!(server.files().unwrap().len(), 4);
}

#[test]
fn an_activity_lives_its_life_in_radicale() {
    whole_life(Kind::Radicale);
}

#[test]
fn an_activity_lives_its_life_in_xandikos() {
    whole_life(Kind::Xandikos);
}

fn tasks(kind: Kind) {
    let server = Server::start(kind).unwrap();
    let recipe = "tasks = \"todo\"\n[[recipes]]\nwhen = { entity = \"activity\", kind = \"Concert\" }\ntasks = [{ title = \"Tenir le bar\", guide = \"https://wiki.example.org/bar\" }]\n";
    let place = place(&server, recipe);
    let text = "Titre,Date,Heure,Type\nConcert de jazz,02/01/2027,20h,Concert\n";
    place.save("programme.csv", text.as_bytes()).unwrap();
    assert_eq!(actions(&sync(&place))["create"], 2);
    assert_eq!(sync(&place)["done"], 0);
    let (file, text) = server.entry("Tenir le bar").unwrap();
    for line in [
        "BEGIN:VTODO",
        "DUE;VALUE=DATE:20270102",
        "STATUS:NEEDS-ACTION",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let (concert, _) = server.entry("Concert de jazz").unwrap();
    let parent = concert.trim_end_matches(".ics");
    assert!(
        unfolded(&text).contains(&format!("RELATED-TO:{parent}@")),
        "{text}"
    );
    // A member ticks it: whether it is done is asked about, and their tick stands meanwhile.
    let ticked = text.replace("STATUS:NEEDS-ACTION", "STATUS:COMPLETED");
    server.put(&file, &ticked).unwrap();
    let hold = sync(&place)["holds"][0]["id"].as_str().unwrap().to_owned();
    assert!(server.text(&file).unwrap().contains("STATUS:COMPLETED"));
    let said = place.run(&["approve", &hold]).unwrap();
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(sync(&place)["done"], 0);
    let done = place.events().unwrap().into_iter().rev();
    let done = done
        .filter(|event| event["data"]["state"] == "done")
        .count();
    assert!(done > 0, "the task is done");
}

#[test]
fn a_task_is_an_entry_to_tick() {
    tasks(Kind::Radicale);
    tasks(Kind::Xandikos);
}

fn told_tasks(kind: Kind) {
    let server = Server::start(kind).unwrap();
    let recipe = "tasks = \"description\"\n[[recipes]]\nwhen = { entity = \"activity\", kind = \"Concert\" }\ntasks = [{ title = \"Tenir le bar\", capacity = 2 }]\n";
    let place = place(&server, recipe);
    let save = |hands: &str| {
        let text = format!(
            "Titre,Date,Heure,Type,Description,Bénévoles\nConcert de jazz,02/01/2027,20h,Concert,Un plat à partager,\"{hands}\"\n"
        );
        place.save("programme.csv", text.as_bytes()).unwrap();
    };
    save("");
    assert_eq!(
        actions(&sync(&place))["create"],
        1,
        "no entries of their own"
    );
    let (file, text) = server.entry("Concert de jazz").unwrap();
    let text = unfolded(&text);
    let ours = "Un plat à partager\\n\\nCoups de main\u{a0}:\\n– Tenir le bar\u{a0}: 0 sur 2";
    assert!(text.contains(ours), "{text}");
    assert_eq!(sync(&place)["done"], 0);
    // A member writes around them; then more hands are wanted.
    let theirs = text.replace(
        ours,
        &format!("Clefs chez Zoé\\n\\n{ours}\\n\\nAmplis : Paul"),
    );
    server.put(&file, &theirs).unwrap();
    assert_eq!(sync(&place)["done"], 0, "words beside ours are no edit");
    save("Tenir le bar 3, accueil 1");
    assert_eq!(actions(&sync(&place))["update"], 1);
    let text = unfolded(&server.text(&file).unwrap());
    for line in [
        "DESCRIPTION:Clefs chez Zoé\\n\\nUn plat à partager\\n",
        "Tenir le bar\u{a0}: 0 sur 3\\n",
        "accueil",
        "\\n\\nAmplis : Paul\r\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert_eq!(sync(&place)["done"], 0);
    assert_eq!(server.files().unwrap().len(), 1);
}

#[test]
fn tasks_are_told_in_the_entry_of_their_activity_amid_what_members_write() {
    told_tasks(Kind::Radicale);
    told_tasks(Kind::Xandikos);
}

#[test]
fn a_line_that_comes_later_takes_over_the_entry_a_member_wrote_before_it() {
    let server = Server::start(Kind::Radicale).unwrap();
    server.make_calendar().unwrap();
    let place = place(&server, "");
    sheet(&place, &[BIKES]);
    let theirs = entry(
        "theirs",
        "concert de Jazz",
        "20270102T201000",
        "X-MOZ-GENERATION:2\r\n",
    );
    server.put("theirs.ics", &theirs).unwrap();
    sync(&place);
    assert_eq!(server.files().unwrap().len(), 2);
    assert_eq!(sync(&place)["done"], 0);
    // The organisers write it down as well, days after.
    sheet(&place, &[BIKES, JAZZ]);
    let plan = place.run(&["plan"]).unwrap().json;
    assert_eq!(actions(&plan), BTreeMap::from([("adopt".to_owned(), 1)]));
    assert_eq!(actions(&sync(&place))["adopt"], 1);
    assert_eq!(server.files().unwrap().len(), 2, "none is doubled");
    let text = unfolded(&server.text("theirs.ics").unwrap());
    for line in [
        "UID:theirs\r\n",
        "X-MOZ-GENERATION:2\r\n",
        "DTSTART;TZID=Europe/Paris:20270102T200000\r\n",
        "SUMMARY:Concert de jazz\r\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let last = sync(&place);
    assert_eq!(last["done"], 0, "{last}");
}

/// Days of 2027 on which the house does something, in a row.
fn day(index: usize) -> jiff::civil::Date {
    jiff::civil::date(2027, 1, 2)
        .checked_add(jiff::Span::new().days(i64::try_from(index).unwrap()))
        .unwrap()
}

const NAMES: [&str; 15] = [
    "Concert de jazz manouche",
    "Atelier vélo participatif",
    "Réunion du conseil",
    "Repas partagé du quartier",
    "Projection de courts métrages",
    "Cours de tango débutant",
    "Bourse aux plantes",
    "Chorale des voisins",
    "Initiation à la soudure",
    "Marché des producteurs",
    "Soirée jeux de société",
    "Répétition de la fanfare",
    "Lecture de contes",
    "Couture et retouches",
    "Café des langues",
];

fn entry(uid: &str, title: &str, at: &str, more: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Mozilla.org/NONSGML Mozilla Calendar V1.1//EN\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20261001T000000Z\r\nDTSTART;TZID=Europe/Paris:{at}\r\nDURATION:PT2H\r\nSUMMARY:{title}\r\n{more}END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

/// A title as somebody else types it: other capitals, an accent less, a word more.
fn retyped(title: &str, how: usize) -> String {
    match how % 4 {
        0 => title.to_uppercase(),
        1 => title.replace(['é', 'è'], "e"),
        2 => format!("{title} !"),
        _ => title.replacen(' ', "  ", 1),
    }
}

#[test]
fn a_calendar_with_a_history_is_adopted_and_nothing_is_doubled() {
    let server = Server::start(Kind::Radicale).unwrap();
    server.make_calendar().unwrap();
    // The sheet: 45 activities. The calendar: the same, retyped, three in ten of them some minutes
    // off; and 255 that are nobody's but the members'.
    let mut lines = Vec::new();
    let mut twins = BTreeSet::new();
    for index in 0..45 {
        let (name, day) = (NAMES[index % 15], day(index * 3));
        let (hour, room) = (
            17 + index % 4,
            ["Grande salle", "Cour", "Studio"][index % 3],
        );
        let title = format!(
            "{name} {}",
            ["d’hiver", "de printemps", "d’été"][index / 15]
        );
        lines.push(format!(
            "{title},{},{hour}h,{}h,{room},",
            day.strftime("%d/%m/%Y"),
            hour + 2
        ));
        let off = if index % 10 < 3 { 10 } else { 0 };
        let at = format!("{}T{hour:02}{off:02}00", day.strftime("%Y%m%d"));
        let file = format!("twin-{index}.ics");
        let text = entry(
            &file,
            &retyped(&title, index),
            &at,
            "X-MOZ-GENERATION:2\r\n",
        );
        server.put(&file, &text).unwrap();
        twins.insert(file);
    }
    for index in 0..255 {
        let kind = [
            "Permanence",
            "Ménage",
            "Garde du four",
            "Livraison",
            "Visite",
        ][index % 5];
        let day = day(index + 1)
            .checked_sub(jiff::Span::new().days(120))
            .unwrap();
        let at = format!("{}T{:02}3000", day.strftime("%Y%m%d"), 8 + index % 3);
        let title = format!(
            "{kind} {}",
            ["Zoé", "Paul", "Inès", "Ali", "Rose", "Yann", "Lou"][index % 7]
        );
        let more =
            "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:x\r\nTRIGGER:-PT15M\r\nEND:VALARM\r\n";
        server
            .put(
                &format!("own-{index}.ics"),
                &entry(&format!("own-{index}"), &title, &at, more),
            )
            .unwrap();
    }
    let before: BTreeMap<String, String> = server
        .files()
        .unwrap()
        .into_iter()
        .map(|file| (file.clone(), server.text(&file).unwrap()))
        .collect();
    assert_eq!(before.len(), 300);

    let mut place = place(&server, "");
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    sheet(&place, &lines);
    let plan = place.run(&["plan"]).unwrap().json;
    let planned = actions(&plan);
    let asked: BTreeSet<&str> = plan["holds"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|hold| hold["effects"].as_array().unwrap())
        .map(|effect| effect["entity"].as_str().unwrap())
        .collect();
    let adopted = planned.get("adopt").copied().unwrap_or_default();
    assert_eq!(adopted + asked.len(), 45, "{planned:?}");
    assert!(adopted >= 30, "{planned:?}");

    let made = sync(&place);
    assert_eq!(
        actions(&made).get("adopt").copied().unwrap_or_default(),
        adopted
    );
    // A person says yes to what is asked.
    for hold in made["holds"].as_array().unwrap() {
        assert_eq!(
            place
                .run(&["approve", hold["id"].as_str().unwrap()])
                .unwrap()
                .code,
            0
        );
    }
    sync(&place);
    place.is_at("2026-12-20T09:00:00Z");
    let last = sync(&place);
    assert_eq!(last["done"], 0, "{last}");
    assert_eq!(last["holds"].as_array().unwrap().len(), 0, "{last}");

    let after = server.files().unwrap();
    assert_eq!(after.len(), 300, "none is doubled");
    for (file, text) in before {
        let now = server.text(&file).unwrap();
        if twins.contains(&file) {
            assert!(
                now.contains("X-MOZ-GENERATION:2") && now.contains(&format!("UID:{file}")),
                "{now}"
            );
            assert!(
                !now.contains("1000\r\nDTEND"),
                "the hour is the sheet's: {now}"
            );
        } else {
            assert_eq!(now, text, "{file} is nobody's business");
        }
    }
}

#[test]
fn killed_again_and_again_it_leaves_one_entry_per_activity() {
    let server = Server::start(Kind::Radicale).unwrap();
    let place = place(&server, "");
    let lines: Vec<String> = (0..60)
        .map(|index| {
            format!(
                "Concert n° {index},{},20h,22h,Cour,",
                day(index).strftime("%d/%m/%Y")
            )
        })
        .collect();
    let texts: Vec<&str> = lines.iter().map(String::as_str).collect();
    sheet(&place, &texts);
    for turn in 0..12 {
        let mut running = place.start().unwrap();
        std::thread::park_timeout(Duration::from_millis(250 + 60 * turn));
        running.kill().unwrap();
        running.wait().unwrap();
    }
    sync(&place);
    assert_eq!(sync(&place)["done"], 0);
    let files = server.files().unwrap();
    assert_eq!(files.len(), 60);
    for file in files {
        let text = server.text(&file).unwrap();
        assert!(text.contains("SEQUENCE:0\r\n"), "written once: {text}");
    }
}
