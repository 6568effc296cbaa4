//! People sign up on the place's own pages: from a line of the sheet to the organiser's tick list.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::path::Path;

use raccord_tests::place::Place;
use raccord_tests::smtp::{Server, Taken, Tls};
use raccord_tests::visitor::Visitor;
use raccord_tests::wire;
use raccord_tests::working::{TOKEN, Working};

const ORGANISER: &str = "olga@example.org";

fn settings(address: std::net::SocketAddr, mail: &Server) -> String {
    format!(
        "[place]\nid = \"lieu\"\nname = \"Le lieu\"\ntimezone = \"Indian/Reunion\"\nlanguage = \"fr\"\ndata = \"data\"\n\
         [web]\nlisten = \"{address}\"\npublic_url = \"http://{address}\"\nadmin_token_file = \"token\"\n\
         [connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"p.csv\"\n\
         [connectors.hands]\nkind = \"signup\"\nurl = \"smtp://127.0.0.1:{}\"\nfrom = \"Le lieu <lieu@example.org>\"\norganisers = [\"{ORGANISER}\"]\n\
         [[recipes]]\nwhen = {{ kind = \"Réunion\" }}\n\
         tasks = [{{ title = \"Animer\", capacity = 1, guide = \"https://wiki.example.org/animer\" }}, {{ title = \"Participer\" }}]\n\
         [guards]\nsecond_look = \"0s\"\n",
        mail.port()
    )
}

const SHEET: &str =
    "Titre,Date,Heure,Type,Salle\nRéunion de rentrée,02/01/2027,18h30,Réunion,Halle\n";

fn working(mail: &Server) -> Working {
    let working = Working::start(|address| {
        let place = Place::new(&settings(address, mail))?;
        place.save("token", TOKEN.as_bytes())?;
        place.save("p.csv", SHEET.as_bytes())?;
        Ok(place)
    })
    .unwrap();
    working.until("the tasks do not come", || {
        working
            .get("/hands")
            .is_ok_and(|(code, page)| code == 200 && page.contains("Animer"))
    });
    working
}

fn visitor(working: &Working) -> Visitor {
    Visitor::at(working.address().port())
}

/// The letters to an address once there are so many.
fn letters(mail: &Server, to: &str, count: usize) -> Vec<Taken> {
    let mut all = 0;
    loop {
        let taken = mail.took(all).unwrap();
        all = taken.len() + 1;
        let own: Vec<Taken> = taken.into_iter().filter(|it| it.to == to).collect();
        if own.len() >= count {
            return own;
        }
    }
}

/// Somebody signed in by a link; `count` is the number of mails they have then.
fn signed_in(working: &Working, mail: &Server, email: &str, count: usize) -> Visitor {
    let mut visitor = visitor(working);
    let asked = visitor.send("/hands/in", &[("email", email)]).unwrap();
    assert_eq!(
        (asked.status, asked.header("Location")),
        (303, Some("../hands/sent"))
    );
    let letters = letters(mail, email, count);
    let entered = visitor.enter(&letters[count - 1]).unwrap();
    assert_eq!(entered.status, 303, "{}", entered.text);
    visitor
}

/// The id behind a title on a page of offers.
fn id_of(working: &Working, title: &str) -> String {
    let page = working.get("/hands").unwrap().1;
    let before = page.split(&format!(">{title}</a>")).next().unwrap();
    let link = before.rsplit("href=\"").next().unwrap();
    let id = link.trim_end_matches('"').rsplit('/').next().unwrap();
    id.trim_end_matches('"').to_owned()
}

fn sign_up(visitor: &mut Visitor, subject: &str, name: &str) -> String {
    let token = visitor.token().unwrap();
    let fields = [("t", token.as_str()), ("subject", subject), ("name", name)];
    let done = visitor.send("/hands/up", &fields).unwrap();
    assert_eq!(done.status, 303, "{}", done.text);
    visitor.get(&format!("/hands/{subject}")).unwrap().text
}

#[test]
fn from_a_line_of_the_sheet_to_the_tick_of_the_organiser() {
    let mail = Server::start().unwrap();
    let working = working(&mail);
    let animer = id_of(&working, "Animer");
    let item = working.get(&format!("/hands/{animer}")).unwrap().1;
    assert!(
        item.contains("https://wiki.example.org/animer"),
        "the guide"
    );
    assert!(item.contains("Réunion de rentrée") && item.contains("Halle"));

    let mut ana = signed_in(&working, &mail, "ana@example.org", 1);
    let page = sign_up(&mut ana, &animer, "Ana");
    assert!(page.contains("Inscrit·e"), "{page}");
    let told = letters(&mail, "ana@example.org", 2);
    assert!(told[1].text().contains("Vous êtes inscrit·e : « Animer »"));
    assert!(told[1].text().contains("samedi 2\u{a0}janvier 2027"));

    // The only place is taken: the next one waits, and says so.
    let mut bob = signed_in(&working, &mail, "bob@example.org", 1);
    let page = sign_up(&mut bob, &animer, "Bob");
    assert!(page.contains("En attente, au rang 1"), "{page}");
    let told = letters(&mail, "bob@example.org", 2);
    assert!(
        told[1]
            .text()
            .contains("liste d’attente : vous êtes en tête")
    );

    // No name is shown to others before its owner agrees.
    let who = working.get("/hands/who").unwrap().1;
    assert!(
        who.contains("une personne") && !who.contains("Ana"),
        "{who}"
    );
    let token = ana.token().unwrap();
    let agreed = [("t", token.as_str()), ("name", "Ana"), ("shown", "yes")];
    assert_eq!(ana.send("/hands/name", &agreed).unwrap().status, 303);
    assert!(working.get("/hands/who").unwrap().1.contains("Ana"));

    // She cannot come: the place goes to whoever waits, and both are told.
    let mine = ana.get("/hands/me").unwrap();
    let registration = mine.field("registration").unwrap().to_owned();
    let token = ana.token().unwrap();
    let off = [
        ("t", token.as_str()),
        ("registration", registration.as_str()),
    ];
    assert_eq!(ana.send("/hands/off", &off).unwrap().status, 303);
    let told = letters(&mail, "bob@example.org", 3);
    assert!(told[2].header("Subject").is_some());
    assert!(
        told[2].text().contains("Une place s’est libérée"),
        "{}",
        told[2].text()
    );
    assert_eq!(told[2].header("In-Reply-To"), told[1].header("Message-ID"));
    assert!(
        letters(&mail, "ana@example.org", 3)[2]
            .text()
            .contains("n’êtes plus inscrit·e")
    );

    // Nobody but an organiser sees the list.
    let list = format!("/hands/{animer}/present");
    assert_eq!(bob.get(&list).unwrap().status, 403);
    let mut olga = signed_in(&working, &mail, ORGANISER, 1);
    let page = olga.get(&list).unwrap();
    assert!(page.text.contains("Bob"), "{}", page.text);
    let (token, seen) = (page.field("t").unwrap(), page.field("seen").unwrap());
    let all = [("t", token), ("seen", seen), ("do", "all")];
    assert_eq!(olga.send(&list, &all).unwrap().status, 303);
    assert!(olga.get(&list).unwrap().text.contains("checked"));
    let place = working.leave().unwrap();
    let events = place.events().unwrap();
    let attended = events
        .iter()
        .find(|event| event["type"] == "org.raccord.registration.attended.v1");
    let attended = attended.unwrap();
    assert_eq!(attended["data"]["attested"], "organiser");
    let id = attended["subject"].as_str().unwrap();
    let why = place.say(&["why", id]).unwrap();
    assert!(why.contains("La présence a été notée"), "{why}");
    // Whoever was there is not written to about it.
    assert_eq!(
        mail.taken()
            .unwrap()
            .iter()
            .filter(|it| it.to == "bob@example.org")
            .count(),
        3
    );
}

#[test]
fn a_link_is_good_once_and_looking_at_it_changes_nothing() {
    let mail = Server::start().unwrap();
    let working = working(&mail);
    let mut ana = visitor(&working);
    // Whoever asks learns nothing, whatever the address is.
    let answers: Vec<_> = ["ana@example.org", "nobody@example.org", "no address", ""]
        .map(|email| ana.send("/hands/in", &[("email", email)]).unwrap())
        .into();
    for answer in &answers {
        assert_eq!(
            (answer.status, &answer.text),
            (answers[0].status, &answers[0].text)
        );
        assert_eq!(answer.header("Location"), answers[0].header("Location"));
    }
    let link = letters(&mail, "ana@example.org", 1).remove(0);
    assert!(
        !link.text().split_once("/hands/").unwrap().1.contains("ana"),
        "no address in the link"
    );
    // A mail program that opens every link opens it ten times.
    let path = link.text();
    let path = path
        .split_whitespace()
        .find(|word| word.contains("/hands/enter"))
        .unwrap()
        .to_owned();
    let path = format!("/{}", path.splitn(4, '/').nth(3).unwrap());
    for _ in 0..10 {
        let page = visitor(&working).get(&path).unwrap();
        assert_eq!((page.status, page.header("Set-Cookie")), (200, None));
    }
    let entered = ana.enter(&link).unwrap();
    let cookie = entered.header("Set-Cookie").unwrap();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
        "{cookie}"
    );
    let again = visitor(&working).enter(&link).unwrap();
    assert_eq!((again.status, again.header("Set-Cookie")), (422, None));
    // Nor does another site, or a form without its token, do anything.
    let token = ana.token().unwrap();
    let fields = [("t", token.as_str()), ("name", "Eve")];
    let foreign = [("Sec-Fetch-Site", "cross-site")];
    assert_eq!(
        ana.send_with("/hands/name", &fields, &foreign)
            .unwrap()
            .status,
        403
    );
    assert_eq!(
        ana.send("/hands/name", &[("t", "x"), ("name", "Eve")])
            .unwrap()
            .status,
        403
    );
    assert!(!ana.get("/hands/me").unwrap().text.contains("Eve"));

    // A restart knows who is signed in, and that the link was used.
    let address = working.address();
    let place = working.leave().unwrap();
    let working = Working::start_at(address, place).unwrap();
    assert_eq!(ana.get("/hands/me").unwrap().status, 200);
    assert_eq!(visitor(&working).enter(&link).unwrap().status, 422);
    let before = ana.clone();
    let token = ana.token().unwrap();
    assert_eq!(
        ana.send("/hands/out", &[("t", &token)]).unwrap().status,
        303
    );
    assert_eq!(
        before.clone().get("/hands/me").unwrap().status,
        303,
        "the cookie is worth nothing"
    );

    // A flood of links from one network is stopped, and one address gets three.
    for _ in 0..5 {
        visitor(&working)
            .send("/hands/in", &[("email", "bob@example.org")])
            .unwrap();
    }
    let mut statuses = Vec::new();
    for n in 0..30 {
        let email = format!("crowd{n}@example.org");
        statuses.push(
            visitor(&working)
                .send("/hands/in", &[("email", &email)])
                .unwrap()
                .status,
        );
    }
    assert_eq!(statuses.last(), Some(&429));
    // Links go out side by side: those of before need not come first.
    letters(&mail, "crowd0@example.org", 1);
    letters(&mail, "bob@example.org", 3);
    assert_eq!(
        mail.taken()
            .unwrap()
            .iter()
            .filter(|it| it.to == "bob@example.org")
            .count(),
        3
    );
    assert!(
        !working.said().contains("@example.org"),
        "no address in the program's log"
    );
}

#[test]
fn of_those_who_press_at_once_for_the_last_place_one_gets_it() {
    let mail = Server::start().unwrap();
    let working = working(&mail);
    let animer = id_of(&working, "Animer");
    let mut people: Vec<Visitor> = (0..6)
        .map(|n| signed_in(&working, &mail, &format!("p{n}@example.org"), 1))
        .collect();
    let pages: Vec<String> = std::thread::scope(|scope| {
        let pressed: Vec<_> = people
            .iter_mut()
            .map(|visitor| scope.spawn(|| sign_up(visitor, &animer, "X")))
            .collect();
        pressed.into_iter().map(|it| it.join().unwrap()).collect()
    });
    let on = pages
        .iter()
        .filter(|page| page.contains("Inscrit·e"))
        .count();
    assert_eq!(on, 1);
    for n in 1..6 {
        let rank = format!("En attente, au rang {n}<");
        assert_eq!(
            pages.iter().filter(|page| page.contains(&rank)).count(),
            1,
            "{rank}"
        );
    }
    // Each is told how they stand, once: who got it, and who is first on the list.
    let mut told: Vec<(bool, String)> = (0..6)
        .map(|n| {
            let letters = letters(&mail, &format!("p{n}@example.org"), 2);
            assert_eq!(letters.len(), 2, "the link, and how they stand");
            let on = letters[1]
                .text()
                .contains("Vous êtes inscrit·e : « Animer »");
            (on, letters[1].text())
        })
        .collect();
    told.sort();
    let head = told
        .iter()
        .filter(|(_, text)| text.contains("vous êtes en tête"));
    assert_eq!(head.count(), 1, "{told:?}");
    assert_eq!(told.iter().filter(|(on, _)| *on).count(), 1, "{told:?}");
}

#[test]
fn what_moves_or_is_called_off_is_told_once_to_whoever_signed_up() {
    let mail = Server::start().unwrap();
    let working = working(&mail);
    let animer = id_of(&working, "Animer");
    let mut ana = signed_in(&working, &mail, "ana@example.org", 1);
    sign_up(&mut ana, &animer, "Ana");
    letters(&mail, "ana@example.org", 2);
    working
        .place
        .save("p.csv", SHEET.replace("18h30", "20h").as_bytes())
        .unwrap();
    let told = letters(&mail, "ana@example.org", 3);
    assert!(
        told[2].text().contains("L’heure ou le lieu a changé"),
        "{}",
        told[2].text()
    );
    assert!(told[2].text().contains("Avant : "), "{}", told[2].text());
    working
        .place
        .save(
            "p.csv",
            SHEET
                .replace("Réunion,Halle", "Réunion,Jardin")
                .replace("18h30", "20h")
                .as_bytes(),
        )
        .unwrap();
    let told = letters(&mail, "ana@example.org", 4);
    assert!(told[3].text().contains("Jardin"), "{}", told[3].text());
}

#[test]
fn a_code_is_read_by_an_organiser_and_by_nobody_else() {
    let mail = Server::start().unwrap();
    let working = working(&mail);
    let participer = id_of(&working, "Participer");
    let mut ana = signed_in(&working, &mail, "ana@example.org", 1);
    sign_up(&mut ana, &participer, "Ana");
    let page = ana.get("/hands/me").unwrap();
    assert!(page.text.contains("<svg class=\"code\""), "{}", page.text);
    // The calendar is hers, and its address can be changed.
    let before = page
        .text
        .split("<code>")
        .nth(1)
        .unwrap()
        .split("</code>")
        .next()
        .unwrap();
    let path = format!("/{}", before.splitn(4, '/').nth(3).unwrap());
    let calendar = visitor(&working).get(&path).unwrap();
    assert_eq!(
        calendar.header("Content-Type"),
        Some("text/calendar; charset=utf-8")
    );
    assert!(
        calendar
            .text
            .contains("SUMMARY:Participer – Réunion de rentrée"),
        "{}",
        calendar.text
    );
    assert!(
        calendar.text.contains("DTSTART:20270102T143000Z"),
        "{}",
        calendar.text
    );
    let token = ana.token().unwrap();
    ana.send("/hands/calendar", &[("t", &token)]).unwrap();
    assert_eq!(visitor(&working).get(&path).unwrap().status, 404);
    // Forged codes, and codes shown by who may not read them.
    let mut olga = signed_in(&working, &mail, ORGANISER, 1);
    let code = |visitor: &mut Visitor| {
        let page = visitor.get("/hands/me").unwrap().text;
        let key = page.split("/hands/here?k=").nth(1).unwrap();
        key.split('"').next().unwrap().to_owned()
    };
    let first = code(&mut ana);
    assert_eq!(
        ana.get(&format!("/hands/here?k={first}")).unwrap().status,
        403
    );
    // Who signs off and on again has another number: the picture somebody took is worth nothing.
    let mine = ana.get("/hands/me").unwrap();
    let fields = [
        ("t", mine.field("t").unwrap()),
        ("registration", mine.field("registration").unwrap()),
    ];
    assert_eq!(ana.send("/hands/off", &fields).unwrap().status, 303);
    assert_eq!(
        olga.get(&format!("/hands/here?k={first}")).unwrap().status,
        422
    );
    sign_up(&mut ana, &participer, "Ana");
    assert_eq!(
        olga.get(&format!("/hands/here?k={first}")).unwrap().status,
        422
    );
    let second = code(&mut ana);
    let asks = olga.get(&format!("/hands/here?k={second}")).unwrap();
    assert!(
        asks.status == 200 && asks.text.contains("Ana"),
        "{}",
        asks.text
    );
    let list = format!("/hands/{participer}/present");
    assert!(
        !olga.get(&list).unwrap().text.contains("checked"),
        "it asks before it notes"
    );
    let token = olga.token().unwrap();
    let noted = [("t", token.as_str()), ("k", second.as_str())];
    assert_eq!(olga.send("/hands/here", &noted).unwrap().status, 303);
    assert!(olga.get(&list).unwrap().text.contains("checked"));
    assert_eq!(
        olga.get("/hands/here?k=a.1.99999999999.AAAA")
            .unwrap()
            .status,
        422
    );
    assert_eq!(ana.get("/hands/here?k=a.1.2.x").unwrap().status, 403);
}

#[test]
fn a_mail_whose_answer_is_lost_is_asked_about_and_not_sent_again() {
    let mail = Server::start().unwrap();
    let working = working(&mail);
    let participer = id_of(&working, "Participer");
    let mut ana = signed_in(&working, &mail, "ana@example.org", 1);
    let port = mail.port().to_string();
    drop(mail);
    let words = ["--port", &port, "--at", "content", "taken-cut", "1"];
    let mail = Server::with(Tls::None, &words).unwrap();
    sign_up(&mut ana, &participer, "Ana");
    mail.took(1).unwrap();
    working.until("nobody is asked", || {
        let holds = working.place.run(&["holds"]).unwrap();
        holds.json[0]["code"] == "unknown-outcome"
    });
    // What comes after it is sent: the connection works.
    signed_in(&working, &mail, "bob@example.org", 1);
    let taken = mail.taken().unwrap();
    assert_eq!(
        taken.iter().filter(|it| it.to == "ana@example.org").count(),
        1
    );
    let id = working.place.run(&["holds"]).unwrap().json[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let holds = working.place.say(&["holds"]).unwrap();
    assert!(!holds.contains("ana@example.org"), "{holds}");
    assert!(working.place.run(&["reject", &id]).is_ok());
}

#[test]
fn work_without_an_hour_can_be_done_any_time_and_said_to_be_done() {
    let mail = Server::start().unwrap();
    let working = working(&mail);
    let event = "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/t\",\"type\":\"org.raccord.task.created.v1\",\
                 \"subject\":\"ranger\",\"data\":{\"title\":\"Ranger\",\"capacity\":2}}";
    let bearer = format!("Bearer {TOKEN}");
    let headers = [
        ("Content-Type", "application/cloudevents+json"),
        ("Authorization", bearer.as_str()),
    ];
    let port = working.address().port();
    let (status, _, said) =
        wire::exchange(port, "POST", "/v1/events", &headers, event.as_bytes()).unwrap();
    assert_eq!(status, 202, "{}", String::from_utf8_lossy(&said));
    let ranger = id_of(&working, "Ranger");
    let mut ana = signed_in(&working, &mail, "ana@example.org", 1);
    sign_up(&mut ana, &ranger, "Ana");
    let mine = ana.get("/hands/me").unwrap();
    assert!(
        mine.text.contains("J’y suis, ou j’y étais"),
        "{}",
        mine.text
    );
    let fields = [
        ("t", mine.field("t").unwrap()),
        ("registration", mine.field("registration").unwrap()),
    ];
    assert_eq!(ana.send("/hands/came", &fields).unwrap().status, 303);
    assert!(
        ana.get("/hands/me")
            .unwrap()
            .text
            .contains("Présence notée")
    );
}

#[test]
fn each_mail_is_sent_once_or_asked_about_however_often_the_program_is_killed() {
    let report = raccord_tests::mails::run(6, 3).unwrap();
    assert_eq!(report.kills, 6);
    assert!(report.in_flight > 0 && report.letters > 0, "{report:?}");
}

#[test]
fn a_plan_sends_no_mail_and_the_pass_after_it_sends_exactly_that() {
    let mail = Server::start().unwrap();
    let working = working(&mail);
    let participer = id_of(&working, "Participer");
    let mut ana = signed_in(&working, &mail, "ana@example.org", 1);
    let port = mail.port().to_string();
    drop(mail);
    // Nobody is there to take the mail: it is owed.
    sign_up(&mut ana, &participer, "Ana");
    let place = working.leave().unwrap();
    let mail = Server::with(Tls::None, &["--port", &port]).unwrap();
    let planned = place.run(&["plan"]).unwrap();
    let ours = |answer: &raccord_tests::place::Answer| -> Vec<(String, String)> {
        let all = answer.json["effects"].as_array().unwrap();
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        all.iter()
            .filter(|it| it["connector"] == "hands")
            .map(|it| (text(&it["entity"]), text(&it["action"])))
            .collect()
    };
    let planned = ours(&planned);
    assert_eq!(planned.len(), 1, "{planned:?}");
    assert_eq!((mail.taken().unwrap().len(), mail.heard("rcpt")), (0, 0));
    let passed = place.run(&["sync", "--wait", "90s"]).unwrap();
    assert_eq!(ours(&passed), planned, "{}", passed.stderr);
    let taken = mail.taken().unwrap();
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].to, "ana@example.org");
}

/// Files under `folder` in which one of these stands, whatever its case.
fn files_with(folder: &Path, needles: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, needles));
        } else if let Ok(bytes) = std::fs::read(&path) {
            let text = String::from_utf8_lossy(&bytes).to_lowercase();
            let held = needles
                .iter()
                .filter(|needle| text.contains(&needle.to_lowercase()));
            found.extend(held.map(|needle| format!("{}: {needle}", path.display())));
        }
    }
    found
}

#[test]
fn who_is_forgotten_is_signed_out_and_leaves_no_address() {
    const EMAIL: &str = "canary.ana@example.org";
    let mail = Server::start().unwrap();
    let working = working(&mail);
    let participer = id_of(&working, "Participer");
    let mut ana = signed_in(&working, &mail, EMAIL, 1);
    sign_up(&mut ana, &participer, "Ana");
    letters(&mail, EMAIL, 2);
    let data = working.place.path("data");
    assert!(!files_with(&data, &[EMAIL]).is_empty(), "the test can see");
    let forgotten = working.place.run(&["person", "forget", EMAIL]).unwrap();
    assert_eq!(forgotten.code, 0, "{}", forgotten.stderr);
    assert_eq!(ana.get("/hands/me").unwrap().status, 303, "signed out");
    let found = files_with(&data, &[EMAIL]);
    assert!(found.is_empty(), "{found:?}");
    assert!(!working.said().contains(EMAIL));
}
