//! Rooms of a Matrix server that is not ours: what members see, whatever happens on the way.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::{Duration, Instant};

use raccord_tests::place::Place;
use raccord_tests::proxy::Link;
use raccord_tests::rooms::{Kind, away_for_a_day, torture};
use raccord_tests::synapse::{Limit, Member, Message, NONE, Server};
use serde_json::Value;

const HEAD: &str = "Titre,Date,Heure,Lieu,Description,Statut\n";

/// A server with a bot, a moderator, and a room both are to be in.
struct World {
    server: Server,
    lou: Member,
    room: String,
    place: Place,
}

fn world(limit: Limit, port: Option<u16>, more: &str, route: &str) -> World {
    let server = Server::start(limit).unwrap();
    let bot = server.member("raccord").unwrap();
    let lou = server.member("lou").unwrap();
    let room = server.room(&lou, "programme", &bot).unwrap();
    let port = port.unwrap_or(server.port());
    let place = Place::new(&format!(
        "[place]\nid = \"raffinerie\"\nname = \"La Raffinerie\"\ntimezone = \"Indian/Reunion\"\nlanguage = \"fr\"\n\
         [web]\nlisten = \"127.0.0.1:0\"\npublic_url = \"https://programme.example.org\"\n\
         [guards]\nsecond_look = \"0s\"\n\
         [connectors.programme-sheet]\nkind = \"spreadsheet\"\nlocation = \"programme.csv\"\n\
         [connectors.chat]\nkind = \"matrix\"\nurl = \"http://127.0.0.1:{port}\"\ntoken_file = \"token\"\n{more}\n\
         [[routes]]\nto = \"chat\"\nchannel = \"#programme:localhost\"\nwhen = {{ entity = \"activity\", visibility = \"public\" }}\n{route}\n"
    ))
    .unwrap();
    place.save("token", bot.token.as_bytes()).unwrap();
    World {
        server,
        lou,
        room,
        place,
    }
}

impl World {
    fn sheet(&self, lines: &[&str]) {
        let text = format!("{HEAD}{}\n", lines.join("\n"));
        self.place.save("programme.csv", text.as_bytes()).unwrap();
    }

    fn sync(&self) -> Value {
        let answer = self.place.run(&["sync"]).unwrap();
        assert!(answer.code <= 3 && answer.json.is_object(), "{answer:?}");
        answer.json
    }

    fn messages(&self) -> Vec<Message> {
        self.server.messages(&self.lou, &self.room).unwrap()
    }

    /// The messages of Raccord once `so` holds of them.
    fn until(&self, so: impl Fn(&[Message]) -> bool) -> Vec<Message> {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            let messages = self.server.messages(&self.lou, &self.room);
            let messages = messages.unwrap_or_default();
            if so(&messages) {
                return messages;
            }
            assert!(Instant::now() < until, "{messages:#?}");
            std::thread::park_timeout(Duration::from_millis(50));
        }
    }
}

const JAZZ: &str = "Concert de jazz,08/01/2027,20h,Grande salle,Un plat à partager,";

#[test]
fn an_announcement_stays_true_and_what_moved_is_said_in_its_thread() {
    let mut world = world(NONE, None, "", "");
    world.sheet(&[JAZZ, "Atelier vélo,09/01/2027,18h,Cour,,"]);
    let plan = world.place.say(&["plan"]).unwrap();
    assert!(
        plan.contains("vendredi 8\u{a0}janvier 2027, 20\u{202f}h · Grande salle"),
        "{plan}"
    );
    let first = world.sync();
    assert_eq!(first["done"], 0, "people may change their mind: {first}");
    world.place.is_at("2026-12-20T08:06:00Z");
    world.sync();
    let messages = world.messages();
    assert_eq!(messages.len(), 2, "{messages:#?}");
    let jazz = messages
        .iter()
        .find(|message| message.text.starts_with("Concert de jazz"))
        .unwrap();
    assert!(
        jazz.html.contains("<strong>Concert de jazz</strong>"),
        "{jazz:?}"
    );
    assert_eq!(jazz.mentions, serde_json::json!({}));

    world.sheet(&[
        "Concert de jazz,08/01/2027,21h,Cour,Un plat à partager,",
        "Atelier vélo,09/01/2027,18h,Cour,,",
    ]);
    world.place.is_at("2026-12-20T08:08:00Z");
    world.sync();
    let shown = world.messages();
    assert_eq!(shown.len(), 2, "changed in place: {shown:#?}");
    let now = shown.iter().find(|message| message.id == jazz.id).unwrap();
    assert!(now.text.contains("21\u{202f}h · Cour"), "{now:?}");
    world.place.is_at("2026-12-20T08:15:00Z");
    world.sync();
    let said = world.messages();
    assert_eq!(said.len(), 3, "{said:#?}");
    let reply = &said[2];
    assert_eq!(reply.thread.as_deref(), Some(jazz.id.as_str()));
    assert!(
        reply.text.contains("20\u{202f}h") && reply.text.contains("21\u{202f}h"),
        "{reply:?}"
    );
    assert!(
        reply.text.contains("Lieu : Grande salle → Cour"),
        "{reply:?}"
    );

    // Called off: the message says so, and so does its thread.
    world.sheet(&[
        "Concert de jazz,08/01/2027,21h,Cour,Un plat à partager,Annulé",
        "Atelier vélo,09/01/2027,18h,Cour,,",
    ]);
    world.place.is_at("2026-12-20T08:20:00Z");
    world.sync();
    world.place.is_at("2026-12-20T08:28:00Z");
    world.sync();
    let said = world.messages();
    let jazz = said.iter().find(|message| message.id == jazz.id).unwrap();
    assert!(jazz.text.starts_with("Annulé"), "{jazz:?}");
    assert!(jazz.html.contains("<del>"), "{jazz:?}");
    assert_eq!(said.len(), 4, "{said:#?}");
    assert!(said[3].text.contains("annulé"), "{:?}", said[3]);
    assert_eq!(world.sync()["done"], 0, "nothing is said twice");

    // Why it was said leads back to the cell.
    let why = world.place.say(&["why", &said[2].id]);
    assert!(why.is_ok());
}

#[test]
fn a_plan_asks_and_writes_nothing_and_the_pass_after_it_says_exactly_that() {
    let world = world(NONE, None, "", "grace = \"0s\"");
    world.sheet(&[JAZZ]);
    let out = world.place.path("plan.json");
    let out = out.to_str().unwrap();
    let plan = world.place.run(&["plan", "--out", out]).unwrap();
    assert_eq!(plan.code, 0, "{plan:?}");
    let effects = plan.json["effects"].as_array().unwrap();
    assert_eq!(effects.len(), 1, "{effects:?}");
    let text = effects[0]["text"].as_str().unwrap().to_owned();
    assert!(world.messages().is_empty());
    let made = world.place.run(&["sync", "--plan", out]).unwrap();
    assert_eq!(made.code, 0, "{made:?}");
    let said = world.messages();
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].text, text, "what was shown is what is said");
}

#[test]
fn what_a_moderator_takes_away_stays_away() {
    let mut world = world(NONE, None, "", "grace = \"0s\"");
    world.sheet(&[JAZZ]);
    world.sync();
    let first = world.messages();
    world
        .server
        .take_away(&world.lou, &world.room, &first[0].id)
        .unwrap();
    world.sheet(&["Concert de jazz,08/01/2027,21h,Grande salle,Autre chose,"]);
    world.place.is_at("2026-12-20T09:00:00Z");
    world.sync();
    let left = world.messages();
    assert!(
        left.iter()
            .all(|message| !message.text.starts_with("Concert")),
        "{left:#?}"
    );
    assert_eq!(world.sync()["done"], 0);
}

#[test]
fn what_a_sheet_says_names_nobody_and_marks_nothing() {
    let world = world(NONE, None, "", "grace = \"0s\"");
    world.sheet(&[
        "\"@room <b>x</b> **y** [z](https://evil.example) `c`\",08/01/2027,20h,@lou:localhost,\u{202e}txet,",
        &format!("Long,09/01/2027,20h,Cour,{},", "mot @room ".repeat(3_000)),
    ]);
    world.sync();
    let messages = world.messages();
    assert_eq!(messages.len(), 2, "{messages:#?}");
    for message in &messages {
        for text in [&message.text, &message.html] {
            assert!(!text.contains("@room") && !text.contains("@lou:"), "{text}");
            assert!(!text.contains('\u{202e}'));
        }
        assert_eq!(message.mentions, serde_json::json!({}));
        assert!(
            !message.html.contains("<b>") && !message.html.contains("evil.example\""),
            "{}",
            message.html
        );
    }
    let long = messages
        .iter()
        .find(|one| one.text.starts_with("Long"))
        .unwrap();
    assert!(
        long.text.chars().count() < 1_000 && long.text.contains('…'),
        "{}",
        long.text
    );
}

#[test]
fn the_months_programme_is_one_message_changed_in_place_and_pinned() {
    let mut world = world(NONE, None, "month = \"#programme\"", "grace = \"0s\"");
    world.place.is_at("2027-01-02T06:00:00Z");
    world.sheet(&[JAZZ]);
    world.sync();
    let pinned = world.server.pinned(&world.lou, &world.room).unwrap();
    assert_eq!(pinned.len(), 1);
    world.sheet(&[JAZZ, "Atelier vélo,19/01/2027,18h,Cour,,"]);
    world.sync();
    let messages = world.messages();
    let month = messages
        .iter()
        .find(|message| message.id == pinned[0])
        .unwrap();
    assert!(
        month.text.starts_with("Programme de janvier\u{a0}2027")
            && month.text.contains("Atelier vélo"),
        "{month:?}"
    );
    assert_eq!(month.changes, 1);
    // Next month has its own, and only that is pinned.
    world.sheet(&["Bal,12/02/2027,20h,Cour,,"]);
    world.place.is_at("2027-02-01T06:00:00Z");
    world.sync();
    let next = world.server.pinned(&world.lou, &world.room).unwrap();
    assert!(next.len() == 1 && next != pinned, "{next:?}");
}

#[test]
fn the_week_is_said_on_monday_and_late_only_while_it_is_true() {
    let digest = "[[routes]]\nto = \"chat\"\nchannel = \"#programme\"\ndigest = \"week\"\nat = [\"lundi 9:00\"]";
    let mut world = world(NONE, None, "", digest);
    world.place.is_at("2027-01-02T06:00:00Z");
    world.sheet(&[JAZZ]);
    let answer = world.sync();
    let later = answer["later"].to_string();
    assert!(later.contains("2027-01-04"), "{later}");
    world.place.is_at("2027-01-04T05:00:01Z");
    world.sync();
    let weeks = |world: &World| {
        let messages = world.messages();
        let week = |message: &&Message| message.text.starts_with("Les sept jours");
        messages.iter().filter(week).cloned().collect::<Vec<_>>()
    };
    let said = weeks(&world);
    assert_eq!(said.len(), 1, "{:#?}", world.messages());
    assert!(said[0].text.contains("Concert de jazz"), "{said:?}");
    assert!(said[0].html.contains("https://wa.me/?text="), "{said:?}");
    // Away for two weeks: the one that was missed too long ago is not said.
    world.sheet(&[JAZZ, "Bal,22/01/2027,20h,Cour,,"]);
    world.place.is_at("2027-01-20T05:00:00Z");
    world.sync();
    assert_eq!(weeks(&world).len(), 1, "{:#?}", world.messages());
}

#[test]
fn a_question_is_answered_within_two_seconds_and_only_named_people_decide() {
    let world = world(
        NONE,
        None,
        "approvers = [\"@lou:localhost\"]",
        "grace = \"0s\"\n[[routes]]\nto = \"chat\"\nchannel = \"#programme\"\nwhen = { entity = \"notice\", code = \"hold\" }",
    );
    let kim = world.server.member("kim").unwrap();
    world
        .server
        .call(
            "POST",
            &format!(
                "v3/rooms/{}/invite",
                world.room.replace('!', "%21").replace(':', "%3A")
            ),
            Some(&world.lou),
            Some(&serde_json::json!({ "user_id": kim.id })),
        )
        .unwrap();
    world
        .server
        .call(
            "POST",
            "v3/join/%23programme%3Alocalhost",
            Some(&kim),
            Some(&serde_json::json!({})),
        )
        .unwrap();
    let lines: Vec<String> = (10..20)
        .map(|day| format!("Bal {day},{day}/01/2027,20h,Cour,,"))
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    world.sheet(&lines);
    let daemon = world.place.work().unwrap();
    world.until(|messages| messages.len() == 10);

    // The daemon keeps its question open: an answer needs no turn of a clock.
    std::thread::park_timeout(Duration::from_secs(2));
    let mut slowest = Duration::ZERO;
    for (number, ask) in ["!programme", "/inscription", "!qui"]
        .into_iter()
        .enumerate()
    {
        let id = world.server.say(&kim, &world.room, ask).unwrap();
        let asked = Instant::now();
        let heard =
            world.until(|messages| messages.iter().any(|one| one.thread.as_ref() == Some(&id)));
        slowest = slowest.max(asked.elapsed());
        let answers = heard.iter().filter(|one| one.thread.as_ref() == Some(&id));
        assert_eq!(answers.count(), 1, "question {number}");
    }
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");

    // A sheet that was emptied waits for a yes, and the room is told.
    world.sheet(&lines[..2]);
    let told = world.until(|messages| messages.iter().any(|one| one.text.contains("!oui ")));
    let hold = told
        .iter()
        .rev()
        .find_map(|one| one.text.split("!oui ").nth(1))
        .unwrap();
    let hold: String = hold.chars().take(8).collect();
    let no = world
        .server
        .say(&kim, &world.room, &format!("!oui {hold}"))
        .unwrap();
    let heard = world.until(|messages| messages.iter().any(|one| one.thread.as_ref() == Some(&no)));
    let answer = heard
        .iter()
        .find(|one| one.thread.as_ref() == Some(&no))
        .unwrap();
    assert!(
        answer.text.contains("Seules les personnes nommées"),
        "{answer:?}"
    );
    assert_eq!(
        world
            .place
            .run(&["holds"])
            .unwrap()
            .json
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let yes = world
        .server
        .say(&world.lou, &world.room, &format!("!oui {hold}"))
        .unwrap();
    let heard =
        world.until(|messages| messages.iter().any(|one| one.thread.as_ref() == Some(&yes)));
    let answer = heard
        .iter()
        .find(|one| one.thread.as_ref() == Some(&yes))
        .unwrap();
    assert!(answer.text.contains("accepté"), "{answer:?}");
    world.until(|messages| {
        messages
            .iter()
            .filter(|one| one.text.starts_with("Annulé"))
            .count()
            == 8
    });
    drop(daemon);
}

#[test]
fn what_was_said_while_nobody_listened_is_heard_in_order_and_once() {
    let world = world(NONE, None, "hear = \"all\"", "grace = \"0s\"");
    world.sheet(&[JAZZ]);
    world.sync();
    let mut ids = Vec::new();
    for number in 0..300 {
        ids.push(
            world
                .server
                .say(&world.lou, &world.room, &format!("bonjour {number}"))
                .unwrap(),
        );
    }
    world
        .server
        .take_away(&world.lou, &world.room, &ids[7])
        .unwrap();
    let react = serde_json::json!({ "m.relates_to": { "rel_type": "m.annotation", "event_id": ids[3], "key": "👍" } });
    world
        .server
        .send(&world.lou, &world.room, "m.reaction", &react)
        .unwrap();
    let edit = serde_json::json!({
        "msgtype": "m.text", "body": "* bonsoir", "m.new_content": { "msgtype": "m.text", "body": "bonsoir" },
        "m.relates_to": { "rel_type": "m.replace", "event_id": ids[4] },
    });
    world
        .server
        .send(&world.lou, &world.room, "m.room.message", &edit)
        .unwrap();
    world.sync();
    world.sync();
    let events = world.place.events().unwrap();
    let heard: Vec<&Value> = events
        .iter()
        .filter(|event| event["type"] == "org.raccord.message.created.v1")
        .collect();
    let texts: Vec<&str> = heard
        .iter()
        .filter_map(|event| event["data"]["text"].as_str())
        .collect();
    // What was taken away before anybody listened was never heard.
    let expected: Vec<String> = (0..300)
        .filter(|n| *n != 7)
        .map(|n| format!("bonjour {n}"))
        .collect();
    assert_eq!(texts, expected);
    let updated: Vec<&Value> = events
        .iter()
        .filter(|event| event["type"] == "org.raccord.message.updated.v1")
        .collect();
    assert!(
        updated
            .iter()
            .any(|event| event["data"]["reactions"]["👍"] == 1),
        "{updated:?}"
    );
    assert!(
        updated
            .iter()
            .any(|event| event["data"]["text"] == "bonsoir"),
        "{updated:?}"
    );
    assert!(!events.iter().any(|event| {
        event["data"]["text"]
            .as_str()
            .is_some_and(|text| text.contains("Concert"))
    }));
}

#[test]
fn each_is_said_once_through_kills_lost_answers_restarts_and_an_outage() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let link = Link::open(runtime.handle()).unwrap();
    let mut world = world(NONE, Some(link.port()), "", "grace = \"0s\"");
    link.leads_to(world.server.port());
    let lines: Vec<String> = (0..40)
        .map(|number| format!("Bal {number:02},{:02}/01/2027,20h,Cour,,", 4 + number % 20))
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let mut daemon = world.place.work().unwrap();
    for (round, count) in [10, 20, 30, 40].into_iter().enumerate() {
        world.sheet(&lines[..count]);
        match round {
            // Killed in the middle, twice.
            0 | 1 => {
                world.until(|messages| messages.len() > count - 9);
                daemon.kill().unwrap();
                daemon = world.place.work().unwrap();
            }
            // What the server answers is lost, and the connection with it.
            2 => {
                link.deaf(true);
                std::thread::park_timeout(Duration::from_secs(2));
                link.deaf(false);
            }
            // The server is gone for a while, and with it what it remembers of repeats.
            _ => {
                world.until(|messages| messages.len() > count - 9);
                world.server.stop();
                std::thread::park_timeout(Duration::from_secs(3));
                world.server.resume().unwrap();
            }
        }
    }
    let until = Instant::now() + Duration::from_secs(150);
    loop {
        let messages = world.messages();
        if messages.len() >= 40 || Instant::now() > until {
            break;
        }
        std::thread::park_timeout(Duration::from_millis(200));
    }
    std::thread::park_timeout(Duration::from_secs(2));
    let mut titles: Vec<String> = world
        .messages()
        .iter()
        .map(|message| message.text.lines().next().unwrap_or_default().to_owned())
        .collect();
    titles.sort();
    let expected: Vec<String> = (0..40).map(|number| format!("Bal {number:02}")).collect();
    assert_eq!(titles, expected);
    drop(daemon);
    assert_eq!(world.sync()["done"], 0);
}

#[test]
fn a_server_that_asks_to_wait_gets_everything_in_its_time() {
    let limit = Limit {
        per_second: 8.0,
        burst: 4,
    };
    let world = world(limit, None, "", "grace = \"0s\"");
    let lines: Vec<String> = (0..60)
        .map(|number| format!("Bal {number:02},{:02}/01/2027,20h,Cour,,", 4 + number % 20))
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    world.sheet(&lines);
    let daemon = world.place.work().unwrap();
    let said = world.until(|messages| messages.len() == 60);
    assert!(said.iter().all(|message| message.changes == 0));
    drop(daemon);
    assert!(
        world
            .place
            .run(&["dead"])
            .unwrap()
            .json
            .as_array()
            .unwrap()
            .is_empty()
    );
}

/// The short campaigns that every change must pass; `cargo xtask full` makes the long ones.
#[test]
fn each_stands_once_with_its_last_words_through_kills_lost_answers_and_restarts() {
    let report = torture(Kind::Matrix, 6, 2027).unwrap_or_else(|wrong| panic!("{wrong:#}"));
    assert!(report.announcements >= 9 && report.heard > 6, "{report}");
}

#[test]
fn a_server_out_of_reach_for_a_day_loses_nothing_and_hears_nothing_stale() {
    let gap = away_for_a_day(Kind::Matrix, 150).unwrap_or_else(|wrong| panic!("{wrong:#}"));
    assert!(gap.heard > 120, "{gap}");
}
