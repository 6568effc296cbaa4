//! People choose on a page how they are told, and are: by mail, or by short message through the folders
//! of a gammu-smsd.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use raccord_tests::place::Place;
use raccord_tests::smtp::{Server, Taken};
use raccord_tests::visitor::Visitor;
use raccord_tests::working::{PATIENCE, TOKEN, Working};

const SHEET: &str =
    "Titre,Date,Heure,Type,Salle\nChantier du jardin,12/01/2027,9h,Chantier,Jardin\n";
/// Two days before, and six in the evening of the day before, at the place.
const BEFORE: &str = "2027-01-10T06:00:00Z";
const EVE: &str = "2027-01-11T14:00:30Z";

fn settings(address: SocketAddr, mail: &Server) -> String {
    format!(
        "[place]\nid = \"lieu\"\nname = \"Le lieu\"\ntimezone = \"Indian/Reunion\"\nlanguage = \"fr\"\ndata = \"data\"\n\
         [web]\nlisten = \"{address}\"\npublic_url = \"http://{address}\"\nadmin_token_file = \"token\"\n\
         [connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"p.csv\"\n\
         [connectors.hands]\nkind = \"signup\"\nurl = \"smtp://127.0.0.1:{}\"\nfrom = \"Le lieu <lieu@example.org>\"\n\
         [connectors.sms]\nkind = \"sms\"\nsystem = \"gammu\"\noutbox = \"sms/outbox\"\nsent = \"sms/sent\"\nerrors = \"sms/error\"\ncountry = \"+262\"\n\
         [[recipes]]\nwhen = {{ kind = \"Chantier\" }}\n\
         tasks = [{{ title = \"Arroser\", kind = \"jardin\" }}, {{ title = \"Cuisiner\", kind = \"cuisine\" }}]\n\
         [[routes]]\nto = \"hands\"\ndigest = \"liked\"\nat = [\"thursday 18:00\"]\n\
         [guards]\nsecond_look = \"0s\"\n",
        mail.port()
    )
}

fn working(mail: &Server) -> Working {
    let working = Working::start(|address| {
        let place = Place::new(&settings(address, mail))?.at(BEFORE);
        place.save("token", TOKEN.as_bytes())?;
        place.save("p.csv", SHEET.as_bytes())?;
        for folder in ["outbox", "sent", "error"] {
            std::fs::create_dir_all(place.path("sms").join(folder))?;
        }
        Ok(place)
    })
    .unwrap();
    working.until("the tasks do not come", || {
        working
            .get("/hands")
            .is_ok_and(|(code, page)| code == 200 && page.contains("Arroser"))
    });
    working
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

fn signed_in(working: &Working, mail: &Server, email: &str) -> Visitor {
    let mut visitor = Visitor::at(working.address().port());
    visitor.send("/hands/in", &[("email", email)]).unwrap();
    let letters = letters(mail, email, 1);
    assert_eq!(visitor.enter(&letters[0]).unwrap().status, 303);
    visitor
}

/// A short message: to which number, and what it says.
#[derive(Debug)]
struct Short {
    number: String,
    text: String,
}

/// What lies in the outbox, in the order in which it would leave.
fn outbox(place: &Place) -> Vec<Short> {
    let mut names: Vec<String> = std::fs::read_dir(place.path("sms/outbox"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("OUT"))
        .collect();
    names.sort();
    let read = |name: &String| {
        let bytes = std::fs::read(place.path("sms/outbox").join(name)).unwrap();
        let units: Vec<u16> = bytes[2..]
            .chunks(2)
            .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
            .collect();
        Short {
            number: name.split('_').nth(3).unwrap().to_owned(),
            text: String::from_utf16(&units).unwrap(),
        }
    };
    names.iter().map(read).collect()
}

/// The code that was sent to a number.
fn code_for(working: &Working, number: &str) -> String {
    let mut code = None;
    working.until("no code comes", || {
        let all = outbox(&working.place);
        let own = all.iter().rfind(|short| short.number == number);
        code = own.map(|short| {
            let (_, rest) = short.text.split_once("code est ").unwrap();
            rest.split('.').next().unwrap().to_owned()
        });
        code.is_some()
    });
    code.unwrap()
}

/// Gives a number, and shows that it is theirs.
fn proves(working: &Working, visitor: &mut Visitor, phone: &str, number: &str) {
    let token = visitor.token().unwrap();
    let fields = [("t", token.as_str()), ("do", "number"), ("phone", phone)];
    let asked = visitor.send("/hands/told", &fields).unwrap();
    assert_eq!(asked.status, 200, "{}", asked.text);
    let proof = asked.field("proof").unwrap().to_owned();
    let code = code_for(working, number);
    let fields = [
        ("t", token.as_str()),
        ("do", "code"),
        ("proof", proof.as_str()),
        ("code", "0000-0000"),
    ];
    let wrong = visitor.send("/hands/told", &fields).unwrap();
    assert_eq!(wrong.status, 422);
    assert!(wrong.text.contains("pas le code"), "{}", wrong.text);
    let typed = code.to_lowercase().replace('-', " ");
    let fields = [fields[0], fields[1], fields[2], ("code", typed.as_str())];
    let right = visitor.send("/hands/told", &fields).unwrap();
    assert_eq!(
        (right.status, right.header("Location")),
        (303, Some("../hands/told")),
        "{}",
        right.text
    );
}

/// The id behind a task's title, as long as it lacks hands.
fn id_of(working: &Working, title: &str) -> String {
    let page = working.get("/hands").unwrap().1;
    let before = page.split(&format!(">{title}</a>")).next().unwrap();
    let link = before.rsplit("href=\"").next().unwrap();
    let id = link.trim_end_matches('"').rsplit('/').next().unwrap();
    id.to_owned()
}

fn signs_up(visitor: &mut Visitor, task: &str, name: &str) {
    let token = visitor.token().unwrap();
    let fields = [("t", token.as_str()), ("subject", task), ("name", name)];
    assert_eq!(visitor.send("/hands/up", &fields).unwrap().status, 303);
}

#[test]
fn a_number_is_shown_by_a_code_and_from_then_on_nothing_comes_by_mail() {
    let mail = Server::start().unwrap();
    let working = working(&mail);
    let mut ana = signed_in(&working, &mail, "ana@example.org");
    let mine = ana.get("/hands/me").unwrap().text;
    assert!(mine.contains("Comment être prévenu"), "{mine}");
    let page = ana.get("/hands/told").unwrap();
    assert_eq!(page.status, 200);
    for words in ["par courriel", "par SMS", "jardin", "cuisine", "la veille"] {
        assert!(page.text.contains(words), "{words}: {}", page.text);
    }
    assert!(!page.text.contains("dans le chat"), "there is none here");
    let english = ana.get("/hands/told?lang=en").unwrap().text;
    assert!(english.contains("How to be told") && english.contains("by text message"));
    // A page that is opened changes nothing, whatever its address says.
    ana.get("/hands/told?told=nothing&do=save").unwrap();
    let again = ana.get("/hands/told").unwrap().text;
    assert_eq!(page.text, again);

    proves(&working, &mut ana, "0692 12 34 56", "+262692123456");
    let page = ana.get("/hands/told").unwrap().text;
    assert!(page.contains("value=\"sms\" checked"), "{page}");
    assert!(page.contains("finit par 56") && !page.contains("692 12"));
    let said = working.said();
    assert!(!said.contains("692123456"), "{said}");

    // What they like is kept beside; another site's form does nothing.
    let token = ana.token().unwrap();
    let likes = [
        ("t", token.as_str()),
        ("do", "save"),
        ("told", "sms"),
        ("likes", "yes"),
        ("kind", "jardin"),
    ];
    let foreign = [("Sec-Fetch-Site", "cross-site")];
    assert_eq!(
        ana.send_with("/hands/told", &likes, &foreign)
            .unwrap()
            .status,
        403
    );
    let stale = [("t", "x"), likes[1], likes[2]];
    assert_eq!(ana.send("/hands/told", &stale).unwrap().status, 403);
    assert_eq!(ana.send("/hands/told", &likes).unwrap().status, 303);
    let page = ana.get("/hands/told").unwrap().text;
    assert!(page.contains("value=\"jardin\" checked"), "{page}");

    // She signs up: she knows, so there is neither mail nor message.
    let watering = id_of(&working, "Arroser");
    signs_up(&mut ana, &watering, "Ana");
    let mut bob = signed_in(&working, &mail, "bob@example.org");
    signs_up(&mut bob, &watering, "Bob");
    assert_eq!(letters(&mail, "bob@example.org", 2).len(), 2);
    assert_eq!(letters(&mail, "ana@example.org", 1).len(), 1);
    assert_eq!(outbox(&working.place).len(), 1, "the code alone");

    // What is no number is refused, and too many codes are.
    let token = bob.token().unwrap();
    let odd = [
        ("t", token.as_str()),
        ("do", "number"),
        ("phone", "<b>bob</b>"),
    ];
    let refused = bob.send("/hands/told", &odd).unwrap();
    assert_eq!(refused.status, 422);
    let fields = [
        ("t", token.as_str()),
        ("do", "number"),
        ("phone", "0692000001"),
    ];
    let times = (0..5).map(|_| bob.send("/hands/told", &fields).unwrap().status);
    let times: Vec<u16> = times.collect();
    assert_eq!(times, [200, 200, 200, 429, 429]);

    // Taken back, the number is known to nobody.
    let token = ana.token().unwrap();
    let forget = [("t", token.as_str()), ("do", "forget")];
    assert_eq!(ana.send("/hands/told", &forget).unwrap().status, 303);
    let page = ana.get("/hands/told").unwrap().text;
    assert!(page.contains("il manque votre numéro"), "{page}");
    let stranger = Visitor::at(working.address().port()).get("/hands/told");
    assert_eq!(stranger.unwrap().status, 303, "one signs in first");

    // On the eve whoever is told by mail is reminded by mail, and whoever has no number left is not.
    let address = working.address();
    let mut place = working.killed();
    place.is_at(EVE);
    let working = Working::start_at(address, place).unwrap();
    let told = letters(&mail, "bob@example.org", 3);
    assert!(
        told[2].text().contains("C’est demain : « Arroser »"),
        "{}",
        told[2].text()
    );
    assert!(told[2].text().contains("/hands/told"));
    assert_eq!(letters(&mail, "ana@example.org", 1).len(), 1);
    assert!(
        outbox(&working.place)
            .iter()
            .all(|short| !short.text.contains("rappel"))
    );
}

#[test]
fn each_reminder_is_handed_over_once_however_often_the_program_is_killed() {
    const PEOPLE: usize = 4;
    let mail = Server::start().unwrap();
    let mut running = working(&mail);
    let address = running.address();
    let cooking = id_of(&running, "Cuisiner");
    for n in 1..=PEOPLE {
        let mut visitor = signed_in(&running, &mail, &format!("p{n}@example.org"));
        let (phone, number) = (format!("069200000{n}"), format!("+26269200000{n}"));
        proves(&running, &mut visitor, &phone, &number);
        signs_up(&mut visitor, &cooking, &format!("P{n}"));
    }
    let reminders = |place: &Place| {
        let mut all = outbox(place);
        all.retain(|short| short.text.contains("rappel"));
        all
    };
    for kill in 0..8_u64 {
        let mut place = running.killed();
        place.is_at(EVE);
        running = Working::start_at(address, place).unwrap();
        std::thread::park_timeout(Duration::from_millis(kill * 37 % 200));
        if reminders(&running.place).len() == PEOPLE {
            break;
        }
    }
    running.until("a reminder is missing", || {
        reminders(&running.place).len() >= PEOPLE
    });
    // Whoever would send another has had time to.
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(1_500) && start.elapsed() < PATIENCE {
        std::thread::park_timeout(Duration::from_millis(100));
    }
    let all = reminders(&running.place);
    let numbers: BTreeSet<&str> = all.iter().map(|short| short.number.as_str()).collect();
    assert_eq!((all.len(), numbers.len()), (PEOPLE, PEOPLE), "{all:?}");
    let first = &all[0].text;
    assert_eq!(
        first.replace(&address.to_string(), "lieu"),
        "Le lieu: rappel, c'est demain: Cuisiner, mardi 12 janvier 9 h, Jardin. http://lieu/hands/me"
    );
}

#[test]
fn a_plan_hands_nothing_over_and_the_pass_after_it_exactly_that() {
    let mail = Server::start().unwrap();
    let running = working(&mail);
    let mut ana = signed_in(&running, &mail, "ana@example.org");
    proves(&running, &mut ana, "0692 12 34 56", "+262692123456");
    let cooking = id_of(&running, "Cuisiner");
    signs_up(&mut ana, &cooking, "Ana");
    let mut place = running.killed();
    place.is_at(EVE);
    let before = outbox(&place).len();
    let planned = place.run(&["plan"]).unwrap();
    let effects = planned.json["effects"].as_array().unwrap().iter();
    let ours: Vec<_> = effects.filter(|one| one["connector"] == "sms").collect();
    assert_eq!(ours.len(), 1, "{}", planned.json);
    assert_eq!(ours[0]["title"], "Cuisiner");
    assert!(!planned.json.to_string().contains("692123456"));
    assert_eq!(outbox(&place).len(), before, "a plan sends nothing");
    let passed = place.run(&["sync"]).unwrap();
    assert_eq!(passed.code, 0, "{} {}", passed.json, passed.stderr);
    let all = outbox(&place);
    assert_eq!(all.len(), before + 1);
    assert!(all.iter().any(|short| short.text.contains("rappel")));
    place.run(&["sync"]).unwrap();
    assert_eq!(outbox(&place).len(), before + 1, "nothing is said again");
}
