//! The whole story with real parts: Radicale, Mattermost as its source says, a mail server that is not
//! ours, Lespass and Fedow with their holes; from one line in the sheet to two credits on the card and
//! back to the cell, with a kill in the middle, each effect once.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../../connectors/cashless/tests/common/purse.rs"]
#[allow(dead_code, reason = "shared with the connector's tests")]
mod purse;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use purse::{ASSET, Purse, SECRET, Trouble};
use raccord_kit::standin::{Play, Reply, Seen, Standin};
use raccord_tests::caldav::{self, Kind};
use raccord_tests::place::{DECEMBER, Place};
use raccord_tests::rooms::{Chat as _, Played, Tool};
use raccord_tests::smtp::{Server as Mail, Taken};
use raccord_tests::visitor::Visitor;
use raccord_tests::working::Working;
use serde_json::Value;
use tokio::runtime::Runtime;

const ANA: &str = "ana@example.org";
const OLGA: &str = "olga@example.org";
const LATER: &str = "2027-01-02T17:30:00Z";
const AFTER: &str = "2027-01-02T17:40:00Z";
const HEAD: &str = "Date,Début,Fin,Titre,Type,Salle\n";
const MEETING: &str = "02/01/2027,18h30,20h30,Réunion du jardin,Réunion,Bureau\n";
const OTHERS: [&str; 4] = [
    "09/01/2027,14h,18h,Repair café,Atelier,Grande salle\n",
    "13/01/2027,12h30,14h,Repas partagé,Repas,Cuisine\n",
    "16/01/2027,20h30,23h,Bal folk,Concert,Grande salle\n",
    "23/01/2027,9h30,17h,Chantier au jardin,Chantier,Jardin\n",
];

/// A Lespass and a Fedow behind one address.
struct Wallets {
    purse: Arc<Mutex<Purse>>,
    /// The answer to the next refill never comes.
    mute: Arc<Mutex<bool>>,
    standin: Standin,
    _runtime: Runtime,
}

impl Wallets {
    fn open() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let standin = runtime.block_on(Standin::start());
        let (purse, mute) = (Arc::new(Mutex::new(Purse::default())), Arc::default());
        let (theirs, unheard) = (Arc::clone(&purse), Arc::clone(&mute));
        standin.direct(move |seen| answer(&theirs, &unheard, seen));
        Self {
            purse,
            mute,
            standin,
            _runtime: runtime,
        }
    }

    fn credited(&self) -> usize {
        self.purse.lock().unwrap().credited.len()
    }

    fn settings(&self) -> String {
        let url = self.standin.url("/");
        format!(
            "[connectors.card]\nkind = \"cashless\"\nsystem = \"lespass\"\nurl = \"{url}\"\nkey = \"{SECRET}\"\nasset = \"{ASSET}\"\nfedow_url = \"{url}\"\nfedow_key = \"fedow.key\"\n"
        )
    }
}

fn answer(purse: &Mutex<Purse>, mute: &Mutex<bool>, seen: &Seen) -> Play {
    let mut purse = purse.lock().unwrap();
    match (seen.method.as_str(), seen.path.as_str()) {
        ("POST", "/api/v2/wallet-refills/") => {
            let secret = seen.header("authorization").trim_start_matches("Api-Key ");
            let body = serde_json::from_slice(&seen.body).unwrap_or_default();
            let key = seen.header("idempotency-key");
            match purse.refill(secret, key, &body, Trouble::None) {
                Some(_) if *mute.lock().unwrap() => Play::Silent,
                Some((status, body)) => Reply::status(status).body(body.to_string()).into(),
                None => Play::DoneThenReset,
            }
        }
        ("GET", "/transaction/") => Reply::ok(purse.transactions().to_string()).into(),
        _ => Reply::status(404).into(),
    }
}

fn sheet(lines: &[&str]) -> String {
    format!("{HEAD}{}", lines.concat())
}

/// The letters to an address, once there are so many.
fn letters(mail: &Mail, to: &str, count: usize) -> Vec<Taken> {
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

fn signed_in(working: &Working, mail: &Mail, email: &str) -> Visitor {
    let mut visitor = Visitor::at(working.address().port());
    visitor.send("/hands/in", &[("email", email)]).unwrap();
    let letter = letters(mail, email, 1).remove(0);
    assert_eq!(visitor.enter(&letter).unwrap().status, 303);
    visitor
}

struct Stage {
    calendar: caldav::Server,
    chat: Played,
    mail: Mail,
    wallets: Wallets,
}

impl Stage {
    fn open() -> Self {
        let calendar = caldav::Server::start(Kind::Radicale).unwrap();
        calendar.make_calendar().unwrap();
        Self {
            calendar,
            chat: Played::open(Tool::Mattermost, DECEMBER.parse().unwrap()).unwrap(),
            mail: Mail::start().unwrap(),
            wallets: Wallets::open(),
        }
    }

    fn place(&self, address: SocketAddr) -> anyhow::Result<Place> {
        let place = Place::new("")?;
        let calendar = self.calendar.section("calendar", &place.path("password"))?;
        let config = format!(
            "[place]\nid = \"lieu\"\nname = \"Le lieu\"\ntimezone = \"Indian/Reunion\"\nlanguage = \"fr\"\n\
             [web]\nlisten = \"{address}\"\npublic_url = \"http://{address}\"\n\
             [connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"p.csv\"\n\
             [connectors.print]\nkind = \"programme\"\noutput = \"out\"\n\
             [connectors.site]\nkind = \"website\"\noutput = \"out/site\"\n\
             [connectors.hands]\nkind = \"signup\"\nurl = \"smtp://127.0.0.1:{}\"\nfrom = \"Le lieu <lieu@example.org>\"\norganisers = [\"{OLGA}\"]\n\
             {}tasks = \"description\"\n{}\
             [[recipes]]\nwhen = {{ kind = \"Réunion\" }}\n\
             tasks = [{{ title = \"Animer\", capacity = 1, credits = 2, guide = \"https://wiki.example.org/animer\" }}]\n\
             [guards]\nsecond_look = \"0s\"\n",
            self.mail.port(),
            calendar,
            self.wallets.settings() + &self.chat.settings(),
        );
        place.save("raccord.toml", config.as_bytes())?;
        place.save("p.csv", sheet(&OTHERS).as_bytes())?;
        Ok(place)
    }

    /// How many entries, messages of ours and activities of the site there are.
    fn holds(&self, place: &Place) -> [usize; 3] {
        let site = std::fs::read_to_string(place.path("out/site/activities.json"));
        let site: Value = serde_json::from_str(&site.unwrap_or_default()).unwrap_or_default();
        let ours = self.chat.standing().unwrap();
        [
            self.calendar.files().unwrap().len(),
            ours.iter().filter(|said| said.ours).count(),
            site["activities"].as_array().map_or(0, Vec::len),
        ]
    }

    fn is_at(&self, place: &mut Place, now: &str) {
        self.chat.is_at(now.parse().unwrap());
        place.is_at(now);
    }
}

fn holds(working: &Working) -> usize {
    let answer = working.place.run(&["holds"]).unwrap();
    answer.json.as_array().map_or(0, Vec::len)
}

#[test]
fn from_one_line_in_the_sheet_to_the_card_and_back_with_a_kill_in_the_middle() {
    let stage = Stage::open();
    let working = Working::start(|address| stage.place(address)).unwrap();
    let address = working.address();
    let printed = |working: &Working| {
        std::fs::read(working.place.path("out/programme-2027-01.pdf")).unwrap_or_default()
    };
    working.until("the place does not come", || {
        stage.holds(&working.place) == [4; 3] && !printed(&working).is_empty()
    });

    // One line more.
    let before = printed(&working);
    let all = [&[MEETING][..], &OTHERS].concat();
    working.place.save("p.csv", sheet(&all).as_bytes()).unwrap();
    working.until("the line is not everywhere", || {
        stage.holds(&working.place) == [5; 3] && printed(&working) != before
    });
    let (_, entry) = stage.calendar.entry("Réunion du jardin").unwrap();
    assert!(
        entry.contains("TZID=Indian/Reunion:20270102T183000"),
        "{entry}"
    );
    working.until("its task is not in the calendar", || {
        let (_, entry) = stage.calendar.entry("Réunion du jardin").unwrap();
        caldav::unfolded(&entry).contains("Animer")
    });

    // Somebody signs up for its task, which has a guide.
    let offers = working.get("/hands").unwrap().1;
    let link = offers.split(">Animer</a>").next().unwrap();
    let link = link
        .rsplit("href=\"")
        .next()
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let task = link.rsplit('/').next().unwrap().to_owned();
    let item = working.get(&format!("/hands/{task}")).unwrap().1;
    assert!(item.contains("https://wiki.example.org/animer"), "{item}");
    let mut ana = signed_in(&working, &stage.mail, ANA);
    let token = ana.token().unwrap();
    let up = [("t", &*token), ("subject", &*task), ("name", "Ana")];
    assert_eq!(ana.send("/hands/up", &up).unwrap().status, 303);
    assert!(letters(&stage.mail, ANA, 2)[1].text().contains("Animer"));

    // That evening she is ticked off; the card is credited, nobody hears of it, and the power goes.
    let mut place = working.leave().unwrap();
    stage.is_at(&mut place, LATER);
    let working = Working::start_at(address, place).unwrap();
    *stage.wallets.mute.lock().unwrap() = true;
    let mut olga = signed_in(&working, &stage.mail, OLGA);
    let list = format!("/hands/{task}/present");
    let page = olga.get(&list).unwrap();
    let field = |name| page.field(name).unwrap();
    let ticked = [("t", field("t")), ("seen", field("seen")), ("do", "all")];
    assert_eq!(olga.send(&list, &ticked).unwrap().status, 303);
    working.until("the card is not credited", || stage.wallets.credited() == 1);
    let mut place = working.killed();
    *stage.wallets.mute.lock().unwrap() = false;
    stage.is_at(&mut place, AFTER);
    let working = Working::start_at(address, place).unwrap();
    working.until("it does not find what it paid", || {
        let said = working.place.run(&["sync"]).unwrap();
        said.code == 0 && said.json["later"].as_array().is_some_and(Vec::is_empty)
    });
    assert_eq!(stage.wallets.purse.lock().unwrap().balance(ANA), 200);

    // From the card back to the cell.
    let ledger = working.place.run(&["ledger"]).unwrap().json;
    let credit = ledger["entries"][0]["id"].as_str().unwrap();
    let why = working.place.run(&["why", credit]).unwrap().json;
    let kinds: Vec<&str> = why["chain"]
        .as_array()
        .unwrap()
        .iter()
        .map(|link| link["kind"].as_str().unwrap())
        .collect();
    assert!(kinds.contains(&"person"), "{why}");
    assert_eq!(kinds.last(), Some(&"cell"), "{why}");

    // An accident in the sheet waits for a yes, and goes with its undo.
    let left = sheet(&all[..2]);
    working.place.save("p.csv", left.as_bytes()).unwrap();
    working.until("nothing is held", || holds(&working) == 1);
    assert_eq!(stage.holds(&working.place), [5; 3]);
    working.place.save("p.csv", sheet(&all).as_bytes()).unwrap();
    working.until("the question stays", || holds(&working) == 0);

    let place = working.leave().unwrap();
    assert_eq!(stage.holds(&place), [5; 3]);
    assert_eq!(stage.wallets.credited(), 1, "credited once");
    assert_eq!(stage.chat.standing().unwrap().len(), 5, "each said once");
    let mails = stage.mail.taken().unwrap();
    assert_eq!(mails.iter().filter(|it| it.to == ANA).count(), 2);
    assert_eq!(mails.len(), 3);
    let answer = place.run(&["ledger", "--check"]).unwrap();
    assert_eq!(answer.code, 0, "{answer:?}");
}
