//! A letter by mail: asked for on a page, confirmed, received once, left by one click.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use raccord_tests::letters;
use raccord_tests::place::Place;
use raccord_tests::smtp::{Server, Taken, Tls};
use raccord_tests::visitor::Visitor;
use raccord_tests::wire;
use raccord_tests::working::{TOKEN, Working};

const BEFORE: &str = "2027-01-04T07:00:00Z";
const AT: &str = "2027-01-04T08:00:01Z";

fn working(mail: &Server) -> Working {
    Working::start(|address| {
        let place = Place::new(&format!(
            "[place]\nid = \"lieu\"\nname = \"Le lieu\"\ntimezone = \"Europe/Paris\"\nlanguage = \"fr\"\ndata = \"data\"\n\
             [web]\nlisten = \"{address}\"\npublic_url = \"http://{address}\"\nadmin_token_file = \"token\"\n\
             [connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"p.csv\"\n\
             [connectors.lettre]\nkind = \"newsletter\"\nsystem = \"smtp\"\nurl = \"smtp://127.0.0.1:{}\"\nfrom = \"Le lieu <lettre@example.org>\"\nhook_secret = \"bounces\"\n\
             [[routes]]\nto = \"lettre\"\ndigest = \"week\"\nat = [\"monday 09:00\"]\ngrace = \"0s\"\n",
            mail.port()
        ))?
        .at(BEFORE);
        place.save("token", TOKEN.as_bytes())?;
        place.save("p.csv", "Titre,Date,Heure\nBal <b>folk</b>,08/01/2027,20h\n".as_bytes())?;
        Ok(place)
    })
    .unwrap()
}

fn key_of(mail: &Taken) -> String {
    let text = mail.text();
    let link = text
        .split_whitespace()
        .find(|word| word.contains("/newsletter/confirm"));
    link.unwrap().split_once("&k=").unwrap().1.to_owned()
}

/// Asks for the letter and confirms; gives the key of the link.
fn subscribes(visitor: &mut Visitor, mail: &Server, email: &str, count: usize) -> String {
    let asked = visitor.send("/newsletter", &[("email", email)]).unwrap();
    assert_eq!(asked.status, 200);
    let key = key_of(mail.took(count).unwrap().last().unwrap());
    let done = visitor.send("/newsletter/confirm", &[("k", &key)]).unwrap();
    assert!(
        done.status == 200 && done.text.contains("C’est noté"),
        "{}",
        done.text
    );
    key
}

/// The same place at another hour.
fn later(working: Working, at: &str) -> Working {
    let address = working.address();
    let mut place = working.leave().unwrap();
    place.is_at(at);
    Working::start_at(address, place).unwrap()
}

#[test]
fn asked_for_confirmed_received_once_and_left_by_one_click() {
    let mail = Server::start().unwrap();
    let working = working(&mail);
    let mut visitor = Visitor::at(working.address().port());
    // Whoever asks is told the same, whatever the address is.
    let page = |visitor: &mut Visitor, email: &str| {
        visitor
            .send("/newsletter", &[("email", email)])
            .unwrap()
            .text
    };
    let known = page(&mut visitor, "ana@example.org");
    assert_eq!(known, page(&mut visitor, "no address"));
    let key = key_of(&mail.took(1).unwrap()[0]);
    // Looking at a link changes nothing, nor does the form of another site.
    for _ in 0..3 {
        assert_eq!(
            visitor
                .get(&format!("/newsletter/confirm?k={key}"))
                .unwrap()
                .status,
            200
        );
    }
    let foreign = [("Sec-Fetch-Site", "cross-site")];
    let sent = visitor
        .send_with("/newsletter/confirm", &[("k", &key)], &foreign)
        .unwrap();
    assert_eq!(sent.status, 403);
    let people = |working: &Working| {
        let events = working.place.events().unwrap();
        events
            .iter()
            .filter(|event| event["type"].as_str().unwrap().contains("person"))
            .count()
    };
    assert_eq!(
        people(&working),
        0,
        "no address is kept that nobody confirmed"
    );
    let done = visitor.send("/newsletter/confirm", &[("k", &key)]).unwrap();
    assert!(done.text.contains("C’est noté"), "{}", done.text);
    assert!(people(&working) > 0);
    assert_eq!(
        visitor
            .send("/newsletter/confirm", &[("k", &key)])
            .unwrap()
            .status,
        422,
        "once"
    );
    // A link that confirms a letter signs nobody in: there are no such pages here.
    assert_eq!(
        visitor.send("/hands/enter", &[("k", &key)]).unwrap().status,
        404
    );
    subscribes(&mut visitor, &mail, "lou@example.org", 2);

    let working = later(working, AT);
    let letters = mail.took(4).unwrap();
    let letter = letters
        .iter()
        .skip(2)
        .find(|it| it.to == "ana@example.org")
        .unwrap();
    assert!(letter.data.contains("Bal &lt;b&gt;folk"), "{}", letter.data);
    let leave = letter.header("List-Unsubscribe").unwrap();
    assert_eq!(
        letter.header("List-Unsubscribe-Post"),
        Some("List-Unsubscribe=One-Click")
    );
    let path = leave
        .trim_matches(['<', '>'])
        .splitn(4, '/')
        .nth(3)
        .unwrap();
    let path = format!("/{path}");
    // Opened, or fetched by a scanner, the link does nothing; one click of a mail program does.
    let mut visitor = Visitor::at(working.address().port());
    let letters_of = |working: &Working| {
        working
            .place
            .say(&["person", "export", "ana@example.org"])
            .unwrap()
    };
    assert!(
        visitor
            .get(&path)
            .unwrap()
            .text
            .contains("Ne plus la recevoir")
    );
    assert!(
        letters_of(&working).contains("letters"),
        "{}",
        letters_of(&working)
    );
    let wrong = path.replace("k=", "k=x");
    let cross = [("Origin", "https://mail.example.com")];
    let click = [("List-Unsubscribe", "One-Click")];
    let answer = visitor.send_with(&wrong, &click, &cross).unwrap();
    let left = visitor.send_with(&path, &click, &cross).unwrap();
    assert_eq!(
        (left.status, &left.text),
        (answer.status, &answer.text),
        "a guess learns nothing"
    );
    assert!(!letters_of(&working).contains("letters"));
    let working = later(working, "2027-01-11T08:00:01Z");
    working.until("the second Monday passes", || {
        working.get("/readyz").is_ok_and(|(code, _)| code == 200)
    });
    assert_eq!(
        mail.count(),
        4,
        "nothing takes place in that week, and nobody got the first one again"
    );
}

#[test]
fn mail_that_came_back_is_taken_with_the_secret_only() {
    let mail = Server::start().unwrap();
    let working = working(&mail);
    let mut visitor = Visitor::at(working.address().port());
    subscribes(&mut visitor, &mail, "ana@example.org", 1);
    subscribes(&mut visitor, &mail, "lou@example.org", 2);
    let notice = "Content-Type: multipart/report; report-type=delivery-status\r\n\r\n--x\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; here\r\n\r\nFinal-Recipient: rfc822; ana@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--x--\r\n";
    let port = working.address().port();
    for (secret, status) in [("guess", 401), ("bounces", 200)] {
        let shown = format!("Bearer {secret}");
        let headers = [
            ("Authorization", shown.as_str()),
            ("Content-Type", "message/rfc822"),
        ];
        let (code, _, body) =
            wire::exchange(port, "POST", "/hooks/lettre", &headers, notice.as_bytes()).unwrap();
        assert_eq!(code, status, "{}", String::from_utf8_lossy(&body));
    }
    let _working = later(working, AT);
    let letters = mail.took(3).unwrap();
    assert_eq!(letters[2].to, "lou@example.org");
    std::thread::park_timeout(std::time::Duration::from_millis(500));
    assert_eq!(mail.count(), 3);
}

#[test]
fn a_letter_reaches_each_reader_once_however_often_the_program_is_killed() {
    let report = letters::run(80, 4, 7).unwrap();
    assert_eq!(report.kills, 4);
    assert!(report.on_the_way > 0, "{report}");
}

#[test]
fn a_mail_that_is_refused_stops_no_other_and_is_sent_once_it_is_taken() {
    let mail = Server::with(Tls::None, &["--at", "content", "554", "1"]).unwrap();
    let place = letters::place(&mail, 20).unwrap();
    let pass = place.run(&["sync", "--wait", "60s"]).unwrap();
    assert_eq!(mail.count(), 19, "{}", pass.stderr);
    let dead = place.run(&["dead"]).unwrap().json;
    assert_eq!(dead.as_array().map(Vec::len), Some(1), "{dead}");
    assert_eq!(dead[0]["code"], "mail.content");
    place
        .run(&["retry", dead[0]["id"].as_str().unwrap()])
        .unwrap();
    place.run(&["sync", "--wait", "60s"]).unwrap();
    let to: std::collections::BTreeSet<String> =
        mail.taken().unwrap().into_iter().map(|it| it.to).collect();
    assert_eq!((mail.count(), to.len()), (20, 20));
}

#[test]
fn a_plan_sends_no_letter_and_the_pass_after_it_sends_exactly_that_one() {
    let mail = Server::start().unwrap();
    let place = letters::place(&mail, 3).unwrap();
    let file = place.path("plan.json").display().to_string();
    let plan = place.run(&["plan", "--out", &file]).unwrap();
    let effects = plan.json["effects"].as_array().unwrap().clone();
    assert_eq!(effects.len(), 1, "{}", plan.json);
    assert_eq!(effects[0]["action"], "send");
    assert_eq!(effects[0]["connector"], "lettre");
    let shown = effects[0]["text"].as_str().unwrap();
    assert!(shown.contains("Bal"), "{shown}");
    assert_eq!(mail.count(), 0, "a plan sends nothing");
    // What moved meanwhile is told, and nothing is sent.
    let sheet = |hour: &str| format!("Titre,Date,Heure\nBal,08/01/2027,{hour}\n");
    place.save("p.csv", sheet("21h").as_bytes()).unwrap();
    let stale = place.run(&["sync", "--plan", &file]).unwrap();
    assert_eq!((stale.code, mail.count()), (1, 0), "{}", stale.stderr);

    place.save("p.csv", sheet("20h").as_bytes()).unwrap();
    place.run(&["plan", "--out", &file]).unwrap();
    let pass = place
        .run(&["sync", "--plan", &file, "--wait", "60s"])
        .unwrap();
    assert_eq!(pass.code, 0, "{}", pass.stderr);
    let taken = mail.taken().unwrap();
    let to: std::collections::BTreeSet<&str> = taken.iter().map(|it| it.to.as_str()).collect();
    assert_eq!((taken.len(), to.len()), (3, 3));
    // Each says what the plan showed, but for the reader's own way to leave.
    let said = taken[0].data.replace("=\r\n", "");
    assert!(said.contains("JANVIER") && said.contains("Bal"), "{said}");
    let again = place.run(&["plan"]).unwrap().json;
    assert_eq!(again["effects"].as_array().unwrap().len(), 0, "{again}");
}
