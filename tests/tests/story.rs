//! The whole story: a line of the sheet becomes the programme, the site, the calendar, a word in the
//! chat and a task; somebody signs up, comes, and has two credits on the card; `why` leads back to the
//! cell. The program is killed in the middle, and the sheet is emptied by accident. Each thing happens
//! once.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::net::TcpListener;

use raccord_tests::caldav::{Kind, Server as Calendar, unfolded};
use raccord_tests::cards::{Cards, Played as Purse};
use raccord_tests::place::Place;
use raccord_tests::rooms::{Chat, Played as Room, Tool};
use raccord_tests::smtp::Server as Mail;
use raccord_tests::visitor::Visitor;
use raccord_tests::working::{TOKEN, Working};
use serde_json::Value;

const BEGIN: &str = "2027-01-02T06:00:00Z";
const AFTERWARDS: &str = "2027-01-02T17:00:00Z";
const ANA: &str = "ana@example.org";
const OLGA: &str = "olga@example.org";
const MEETING: &str = "Réunion de rentrée";
const TASK: &str = "Animer la réunion";
const HEAD: &str = "Titre,Date,Heure,Type,Salle\n";
const BEFORE: &str = "Chorale,04/01/2027,18h,Concert,Halle\nAtelier vélo,05/01/2027,18h,Atelier,Cour\n\
    Couture,06/01/2027,18h,Atelier,Halle\nTroc de plantes,09/01/2027,10h,Marché,Jardin\n";

/// Everything around the place.
struct Around {
    mail: Mail,
    calendar: Calendar,
    room: Room,
    purse: Purse,
}

impl Around {
    fn new() -> Self {
        Self {
            mail: Mail::start().unwrap(),
            calendar: Calendar::start(Kind::Radicale).unwrap(),
            room: Room::open(Tool::Mattermost, BEGIN.parse().unwrap()).unwrap(),
            purse: Purse::open().unwrap(),
        }
    }

    fn place(&self) -> Working {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let place = Place::new("").unwrap().at(BEGIN);
        let calendar = self
            .calendar
            .section("calendar", &place.path("password"))
            .unwrap();
        let config = format!(
            "[place]\nid = \"raffinerie\"\nname = \"La Raffinerie\"\ntimezone = \"Indian/Reunion\"\nlanguage = \"fr\"\n\
             [web]\nlisten = \"{address}\"\npublic_url = \"http://{address}\"\nadmin_token = \"{TOKEN}\"\n\
             [guards]\nsecond_look = \"0s\"\n\
             [connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"programme.csv\"\n\
             [connectors.printed]\nkind = \"programme\"\noutput = \"out\"\n\
             [connectors.site]\nkind = \"website\"\noutput = \"out/site\"\n\
             [connectors.hands]\nkind = \"signup\"\nurl = \"smtp://127.0.0.1:{}\"\nfrom = \"La Raffinerie <lieu@example.org>\"\norganisers = [\"{OLGA}\"]\n\
             [connectors.purse]\n{}{}{calendar}\
             [[recipes]]\nwhen = {{ entity = \"activity\", kind = \"Réunion\" }}\n\
             tasks = [{{ title = \"{TASK}\", capacity = 1, credits = 2, guide = \"https://wiki.example.org/animer\" }}]\n",
            self.mail.port(),
            self.purse.settings(),
            self.room.settings(),
        );
        place.save("raccord.toml", config.as_bytes()).unwrap();
        save(&place, BEFORE);
        Working::start_at(address, place).unwrap()
    }

    /// How often the meeting is announced in the chat, with the last words on it.
    fn announced(&self) -> Vec<String> {
        let standing = self.room.standing().unwrap().into_iter();
        let heads = standing.filter(|said| said.ours && said.thread.is_none());
        let about = heads.filter(|said| said.text.contains(MEETING));
        about.map(|said| said.text).collect()
    }

    fn entries(&self) -> usize {
        self.calendar.files().unwrap_or_default().len()
    }

    fn has(&self, who: &str) -> i64 {
        let balances = self.purse.balances().unwrap();
        balances.get(who).copied().unwrap_or(0)
    }
}

fn save(place: &Place, lines: &str) {
    let text = format!("{HEAD}{lines}");
    place.save("programme.csv", text.as_bytes()).unwrap();
}

fn meeting(room: &str) -> String {
    format!("{BEFORE}{MEETING},02/01/2027,18h30,Réunion,{room}\n")
}

fn on_the_site(working: &Working) -> Vec<Value> {
    let list = std::fs::read(working.place.path("out/site/activities.json")).unwrap_or_default();
    let list: Value = serde_json::from_slice(&list).unwrap_or_default();
    let all = list["activities"].as_array().cloned().unwrap_or_default();
    let live = all.into_iter().filter(|one| one["status"] != "cancelled");
    live.collect()
}

fn is_in(working: &Working, room: &str) -> bool {
    let mut all = on_the_site(working).into_iter();
    all.any(|one| one["title"] == MEETING && one["room"] == room)
}

fn task(working: &Working) -> String {
    let page = working.get("/hands").unwrap().1;
    let before = page.split(&format!(">{TASK}</a>")).next().unwrap();
    let link = before.rsplit("href=\"").next().unwrap();
    link.trim_end_matches('"')
        .rsplit('/')
        .next()
        .unwrap()
        .to_owned()
}

fn holds(working: &Working) -> Vec<Value> {
    let holds = working.place.run(&["holds"]).unwrap().json;
    holds.as_array().cloned().unwrap_or_default()
}

#[test]
fn from_one_line_of_the_sheet_to_two_credits_on_the_card_each_once() {
    let around = Around::new();
    let working = around.place();
    working.until("the site does not come", || {
        on_the_site(&working).len() == 4
    });

    // One line in the sheet is enough.
    save(&working.place, &meeting("Halle"));
    working.until("not on the site", || is_in(&working, "Halle"));
    working.until("not in the chat", || around.announced().len() == 1);
    working.until("not in the calendar", || around.entries() == 5);
    let entry = unfolded(&around.calendar.entry(MEETING).unwrap().1);
    assert!(
        entry.contains("TZID=Indian/Reunion:20270102T183000"),
        "{entry}"
    );
    working.until("not printed", || {
        working.place.path("out/programme-2027-01.pdf").exists()
    });
    working.until("no task", || {
        working
            .get("/hands")
            .is_ok_and(|(_, page)| page.contains(TASK))
    });

    // Ana signs up.
    let port = working.address().port();
    let mut ana = Visitor::signed_in(port, &around.mail, ANA).unwrap();
    let id = task(&working);
    let token = ana.token().unwrap();
    let fields = [
        ("t", token.as_str()),
        ("subject", id.as_str()),
        ("name", "Ana"),
    ];
    assert_eq!(ana.send("/hands/up", &fields).unwrap().status, 303);

    // The room changes, and the machine loses its power while that is being told.
    save(&working.place, &meeting("Cour"));
    let asked = around.room.asked();
    for _ in 0..2_000 {
        if around.room.asked() > asked {
            break;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(1));
    }
    let address = working.address();
    let mut place = working.killed();
    place.is_at(AFTERWARDS);
    around.room.is_at(AFTERWARDS.parse().unwrap());
    let working = Working::start_at(address, place).unwrap();
    working.until("not in the other room", || is_in(&working, "Cour"));
    working.until("the chat does not know", || {
        around.announced().iter().any(|text| text.contains("Cour"))
    });
    working.until("the calendar does not know", || {
        let entry = around.calendar.entry(MEETING);
        entry.is_ok_and(|(_, text)| text.contains("Cour"))
    });

    // Olga notes that Ana was there: two credits, once, however often she says so.
    let mut olga = Visitor::signed_in(port, &around.mail, OLGA).unwrap();
    let token = olga.token().unwrap();
    let list = format!("/hands/{id}/present");
    let page = olga.get(&list).unwrap();
    let registration = page.field("seen").unwrap().to_owned();
    for _ in 0..2 {
        let here = registration.as_str();
        let fields = [
            ("t", token.as_str()),
            ("seen", here),
            ("here", here),
            ("do", "save"),
        ];
        assert_eq!(olga.send(&list, &fields).unwrap().status, 303);
    }
    working.until("no credits on the card", || around.has(ANA) == 200);
    let ledger = working.place.run(&["ledger", ANA]).unwrap().json;
    assert_eq!(ledger["balances"][0]["amount"], 200);
    let entries = ledger["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 1, "{ledger:#}");

    // From the card back to the cell.
    let credit = entries[0]["id"].as_str().unwrap();
    let why = working.place.run(&["why", credit]).unwrap().json;
    let chain = why["chain"].as_array().unwrap();
    let kinds: Vec<&str> = chain
        .iter()
        .filter_map(|link| link["kind"].as_str())
        .collect();
    assert!(
        kinds.contains(&"rule") && kinds.contains(&"cell"),
        "{why:#}"
    );
    let told = why.to_string();
    assert!(told.contains(TASK) && told.contains(MEETING), "{why:#}");

    // Somebody empties the sheet: nothing is cancelled anywhere, a person is asked.
    save(&working.place, "");
    working.until("nobody is asked", || {
        holds(&working)
            .iter()
            .any(|hold| hold["code"] == "accident-guard")
    });
    assert_eq!(on_the_site(&working).len(), 5);
    assert_eq!(around.entries(), 5);
    // And puts it back: the question goes away by itself.
    save(&working.place, &meeting("Cour"));
    working.until("still asked", || {
        let holds = holds(&working);
        holds.iter().all(|hold| hold["code"] != "accident-guard")
    });
    // Of a letter that was on its way when the power went nobody can tell, nor of a word in the chat
    // whose hour is over; of all else one can.
    for hold in holds(&working) {
        let told = hold["source"] == "hands" || hold["source"] == "chat";
        assert!(hold["code"] == "unknown-outcome" && told, "{hold:#}");
    }

    // Each once, to the end.
    assert_eq!(around.announced().len(), 1, "{:?}", around.announced());
    assert_eq!((around.entries(), on_the_site(&working).len()), (5, 5));
    assert_eq!(around.has(ANA), 200);
    let granted = working.place.events().unwrap();
    let granted = granted.iter().filter(|event| {
        let kind = event["type"].as_str();
        kind.is_some_and(|kind| kind.starts_with("org.raccord.credit."))
    });
    assert_eq!(granted.count(), 1);
    working.stop().unwrap();
}
