//! A place's own card and till: whoever helped pays at the bar, once, and never with more than they have.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use raccord_tests::place::Place;
use raccord_tests::smtp::Server;
use raccord_tests::visitor::{Page, Visitor};
use raccord_tests::wire;
use raccord_tests::working::{TOKEN, Working};
use serde_json::{Value, json};

const SERVES: &str = "olga@example.org";
const ANA: &str = "ana@example.org";

fn working(mail: &Server) -> Working {
    Working::start(|address| {
        Place::new(&format!(
            "[place]\nid = \"lieu\"\nname = \"Le lieu\"\ntimezone = \"Indian/Reunion\"\nlanguage = \"fr\"\ndata = \"data\"\n\
             [web]\nlisten = \"{address}\"\npublic_url = \"http://{address}\"\nadmin_token = \"{TOKEN}\"\n\
             [connectors.hands]\nkind = \"signup\"\nurl = \"smtp://127.0.0.1:{}\"\nfrom = \"Le lieu <lieu@example.org>\"\n\
             [connectors.caisse]\nkind = \"cashless\"\nsystem = \"ledger\"\nserves = [\"{SERVES}\"]\nspend_at = \"le bar\"\n",
            mail.port()
        ))
    })
    .unwrap()
}

fn post(working: &Working, kind: &str, subject: &str, data: &Value) {
    let event = json!({
        "specversion": "1.0", "id": subject, "source": "/test", "subject": subject,
        "type": format!("org.raccord.{kind}.updated.v1"), "data": data,
    });
    let secret = format!("Bearer {TOKEN}");
    let headers = [
        ("Authorization", secret.as_str()),
        ("Content-Type", "application/cloudevents+json"),
    ];
    let body = event.to_string();
    let port = working.address().port();
    let (status, text) = wire::call(port, "POST", "/v1/events", &headers, body.as_bytes()).unwrap();
    assert_eq!(status, 202, "{}", String::from_utf8_lossy(&text));
}

/// Ana washed up, which is worth 1.5.
fn earns(working: &Working) {
    let task = json!({ "title": "Vaisselle", "due": "2026-12-19", "credits": 150 });
    post(working, "task", "vaisselle", &task);
    let events = working.place.events().unwrap();
    let made = events
        .iter()
        .find(|event| event["data"]["title"] == "Vaisselle");
    let id = made.unwrap()["subject"].as_str().unwrap();
    let came = json!({ "task": id, "email": ANA, "name": "Ana", "state": "attended" });
    post(working, "registration", "ana", &came);
}

fn ledger(working: &Working) -> Value {
    let check = working.place.run(&["ledger", "--check"]).unwrap();
    assert_eq!(check.code, 0, "{check:?}");
    working.place.run(&["ledger"]).unwrap().json
}

fn balance(working: &Working) -> i64 {
    ledger(working)["balances"][0]["amount"].as_i64().unwrap()
}

fn pay(olga: &mut Visitor, asked: &Page, more: &[(&str, &str)]) -> Page {
    let own = ["t", "do", "card", "hundredths", "once"];
    let mut fields: Vec<(&str, &str)> = own
        .iter()
        .map(|name| {
            let forged = more.iter().find(|(known, _)| known == name);
            let form = asked.text.split_once("value=\"pay\"");
            assert!(form.is_some(), "{}", asked.text);
            (
                *name,
                forged.map_or_else(|| asked.field(name).unwrap(), |(_, value)| value),
            )
        })
        .collect();
    for field in &mut fields {
        if field.0 == "do" {
            field.1 = "pay";
        }
    }
    olga.send("/hands/till", &fields).unwrap()
}

#[test]
fn whoever_helped_pays_at_the_bar_once_and_never_below_zero() {
    let mail = Server::start().unwrap();
    let working = working(&mail);
    let port = working.address().port();
    let mut ana = Visitor::signed_in(port, &mail, ANA).unwrap();
    earns(&working);
    let card = ana.get("/hands/card").unwrap();
    assert!(card.text.contains("1,5\u{a0}crédit"), "{}", card.text);
    assert!(card.text.contains("le bar") && card.text.contains("Vaisselle"));
    let number = card.text.split_once("class=\"number\">").unwrap().1[..9].to_owned();
    // Nobody else serves, and nobody who is not signed in gets anywhere.
    assert_eq!(ana.get("/hands/till").unwrap().status, 403);
    assert_eq!(Visitor::at(port).get("/hands/till").unwrap().status, 303);
    assert_eq!(Visitor::at(port).get("/hands/card").unwrap().status, 303);

    let mut olga = Visitor::signed_in(port, &mail, SERVES).unwrap();
    let till = olga.get("/hands/till").unwrap();
    let token = till.field("t").unwrap().to_owned();
    let ask = |olga: &mut Visitor, card: &str, amount: &str| {
        let fields = [
            ("t", token.as_str()),
            ("do", "ask"),
            ("card", card),
            ("amount", amount),
        ];
        olga.send("/hands/till", &fields).unwrap()
    };
    for (card, amount, told) in [
        ("0000-0000", "1", "Aucune carte"),
        (number.as_str(), "un peu", "Écrivez un nombre"),
        (number.as_str(), "-1", "Écrivez un nombre"),
        (number.as_str(), "1,51", "pas assez"),
    ] {
        let page = ask(&mut olga, card, amount);
        assert_eq!(page.status, 422);
        assert!(page.text.contains(told), "{told}: {}", page.text);
    }
    let asked = ask(&mut olga, &number.to_lowercase(), "1");
    assert!(asked.text.contains("Ana") && asked.text.contains("1\u{a0}crédit"));
    assert_eq!(balance(&working), 150, "nothing is taken before the yes");
    // A form of another site, without this session's token, or about more than there is.
    let foreign = [("Sec-Fetch-Site", "cross-site")];
    let fields = [("t", token.as_str()), ("do", "pay")];
    let refused = olga.send_with("/hands/till", &fields, &foreign).unwrap();
    assert_eq!(refused.status, 403);
    assert_eq!(pay(&mut olga, &asked, &[("t", "x")]).status, 403);
    assert_eq!(
        pay(&mut olga, &asked, &[("hundredths", "20000")]).status,
        422
    );
    assert_eq!(
        pay(&mut olga, &asked, &[("hundredths", "-100")]).status,
        422
    );
    assert_eq!(pay(&mut olga, &asked, &[("card", "made.up")]).status, 404);
    // The button is pressed twice.
    let paid = pay(&mut olga, &asked, &[]);
    assert_eq!(paid.status, 303, "{}", paid.text);
    let again = pay(&mut olga, &asked, &[]);
    assert_eq!(again.header("Location"), paid.header("Location"));
    assert_eq!(balance(&working), 50);
    let at = paid
        .header("Location")
        .unwrap()
        .trim_start_matches("..")
        .to_owned();
    let at = at.trim_start_matches('/').to_owned();
    let shown = olga.get(&format!("/{at}")).unwrap();
    assert!(
        shown.text.contains("C’est payé") && shown.text.contains("<b>0,5</b>"),
        "{}",
        shown.text
    );
    assert!(ana.get("/hands/card").unwrap().text.contains("−1"));
    let id = shown.field("payment").unwrap().to_owned();
    // It was the wrong card: given back once, and the entries stay.
    for _ in 0..2 {
        let fields = [
            ("t", token.as_str()),
            ("do", "undo"),
            ("payment", id.as_str()),
        ];
        assert_eq!(olga.send("/hands/till", &fields).unwrap().status, 303);
    }
    let after = ledger(&working);
    assert_eq!(after["balances"][0]["amount"], 150);
    assert_eq!(after["entries"].as_array().unwrap().len(), 3);
    assert_eq!(after["accounts"]["spent"], 0);
    let undone = olga.get(&format!("/{at}")).unwrap();
    assert!(undone.text.contains("C’est annulé") && undone.field("payment").is_none());
}

#[test]
fn what_a_telephone_reads_is_the_card_and_needs_a_signature() {
    let mail = Server::start().unwrap();
    let working = working(&mail);
    let port = working.address().port();
    let mut ana = Visitor::signed_in(port, &mail, ANA).unwrap();
    earns(&working);
    let mut olga = Visitor::signed_in(port, &mail, SERVES).unwrap();
    let card = ana.get("/hands/card").unwrap().text;
    assert!(card.contains("<svg class=\"code\""), "{card}");
    let number = card.split_once("class=\"number\">").unwrap().1[..9].to_owned();
    let till = olga.get("/hands/till").unwrap();
    let token = till.field("t").unwrap();
    let asked = [
        ("t", token),
        ("do", "ask"),
        ("card", &number),
        ("amount", "1"),
    ];
    let asked = olga.send("/hands/till", &asked).unwrap();
    let signed = asked.field("card").unwrap();
    let read = olga.get(&format!("/hands/till?k={signed}")).unwrap();
    assert_eq!(read.field("card"), None, "it stands in the form's own box");
    assert!(
        read.text.contains(&format!("value=\"{number}\"")),
        "{}",
        read.text
    );
    let (person, _) = signed.rsplit_once('.').unwrap();
    let forged = olga.get(&format!("/hands/till?k={person}.AAAA")).unwrap();
    assert!(!forged.text.contains(&number));
}
