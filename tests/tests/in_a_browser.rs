//! The whole story in a real browser: a line of the sheet, two tasks with their guide, somebody who
//! signs up on a phone, and an organiser who ticks them off.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::time::Duration;

use raccord_tests::phone::{Phone, Screen};
use raccord_tests::place::Place;
use raccord_tests::receiver::Receiver;
use raccord_tests::smtp::Server;
use raccord_tests::working::{TOKEN, Working};
use serde_json::Value;

const HEAD: &str = "Titre,Date,Heure,Type,Salle\n";
const LINE: &str = "Réunion de rentrée,02/01/2027,18h30,Réunion,Halle\n";
const ATTENDED: &str = "org.raccord.registration.attended.v1";
const GUIDE: &str = "https://wiki.example.org/animer";

fn settings(address: std::net::SocketAddr, mail: &Server, receiver: &Receiver) -> String {
    format!(
        "[place]\nid = \"lieu\"\nname = \"Le lieu\"\ntimezone = \"Indian/Reunion\"\nlanguage = \"fr\"\ndata = \"data\"\n\
         [web]\nlisten = \"{address}\"\npublic_url = \"http://{address}\"\nadmin_token_file = \"token\"\n\
         [connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"p.csv\"\n\
         [connectors.hook]\nkind = \"webhook\"\nurl = \"http://{}/in\"\n\
         [connectors.hands]\nkind = \"signup\"\nurl = \"smtp://127.0.0.1:{}\"\nfrom = \"Le lieu <lieu@example.org>\"\norganisers = [\"olga@example.org\"]\n\
         [[recipes]]\nwhen = {{ kind = \"Réunion\" }}\n\
         tasks = [{{ title = \"Animer une réunion\", capacity = 1, guide = \"{GUIDE}\" }}, {{ title = \"Participer à la réunion\", guide = \"{GUIDE}#participer\" }}]\n\
         [guards]\nsecond_look = \"0s\"\n",
        receiver.address,
        mail.port()
    )
}

/// What is on the screen holds `words`, and fits on it.
fn shows(screen: &Screen, words: &str) {
    assert!(screen.text.contains(words), "{words}: {screen:?}");
    assert_eq!(screen.sideways, 0, "{screen:?}");
}

/// Asks for a link and follows it, as one does on a phone.
fn signs_in(phone: &mut Phone, mail: &Server, email: &str) -> Screen {
    let before = mail.taken().unwrap().len();
    phone.write("Votre adresse électronique", email).unwrap();
    shows(
        &phone.press("Recevoir un lien").unwrap(),
        "Regardez vos courriels",
    );
    let letters = mail.took(before + 1).unwrap();
    let text = letters
        .iter()
        .rev()
        .find(|it| it.to == email)
        .unwrap()
        .text();
    let link = text
        .split_whitespace()
        .find(|word| word.contains("/hands/enter"));
    shows(&phone.open(link.unwrap()).unwrap(), "Entrer");
    phone.press("Entrer").unwrap()
}

/// Every event that the webhook was handed.
fn heard(receiver: &Receiver) -> Vec<Value> {
    let received = receiver.received();
    let first = received.values().filter_map(|bodies| bodies.first());
    first
        .map(|body| serde_json::from_slice(body).unwrap())
        .collect()
}

#[test]
fn from_a_line_of_the_sheet_to_the_tick_of_the_organiser() {
    let (mail, receiver) = (Server::start().unwrap(), Receiver::start().unwrap());
    let working = Working::start(|address| {
        let place = Place::new(&settings(address, &mail, &receiver))?;
        place.save("token", TOKEN.as_bytes())?;
        place.save("p.csv", HEAD.as_bytes())?;
        Ok(place)
    })
    .unwrap();
    let address = format!("http://{}", working.address());
    let mut ana = Phone::new().unwrap();
    let before = ana.open(&format!("{address}/hands")).unwrap();
    shows(&before, "Rien ne manque pour le moment");

    // A line "Réunion" in the sheet: two tasks, each with its guide.
    let sheet = format!("{HEAD}{LINE}");
    working.place.save("p.csv", sheet.as_bytes()).unwrap();
    working.until("the tasks do not come", || {
        let page = working.get("/hands").unwrap().1;
        page.contains("Animer une réunion") && page.contains("Participer à la réunion")
    });
    let needs = ana.open(&format!("{address}/hands")).unwrap();
    shows(&needs, "Animer une réunion");
    shows(&needs, "samedi 2\u{a0}janvier 2027");
    shows(&ana.press("Animer une réunion").unwrap(), "Comment faire");

    // She signs up, with nothing but her phone and her mail.
    shows(
        &ana.press("Entrer pour s’inscrire").unwrap(),
        "Pas de mot de passe",
    );
    let back = signs_in(&mut ana, &mail, "ana@example.org");
    shows(&back, "Animer une réunion");
    ana.write("Comment vous appelle-t-on ?", "Ana").unwrap();
    ana.write("Un mot pour l’équipe (facultatif)", "J’apporte le thé")
        .unwrap();
    shows(&ana.press("Je m’inscris").unwrap(), "Inscrit·e");
    shows(
        &ana.press("Mes inscriptions").unwrap(),
        "Mon code à l’entrée",
    );
    ana.picture(&working.place.path("ana.png")).unwrap();

    // The organiser opens the list on theirs, and ticks her off.
    let mut olga = Phone::new().unwrap();
    olga.open(&format!("{address}/hands/in")).unwrap();
    signs_in(&mut olga, &mail, "olga@example.org");
    olga.press("Coups de main").unwrap();
    shows(&olga.press("Qui fait quoi").unwrap(), "une personne");
    olga.press("Animer une réunion").unwrap();
    shows(&olga.press("Noter qui est là").unwrap(), "Ana");
    olga.tick("Ana").unwrap();
    shows(&olga.press("Enregistrer").unwrap(), "Qui est là ?");
    olga.picture(&working.place.path("olga.png")).unwrap();
    let mine = ana.open(&format!("{address}/hands/me")).unwrap();
    shows(&mine, "Présence notée");

    // It is on the bus, and whoever follows heard it.
    let told = receiver.wait(Duration::from_secs(30), |received| {
        let mut bodies = received.values().flatten();
        bodies.any(|body| String::from_utf8_lossy(body).contains(ATTENDED))
    });
    assert!(told, "nobody was told");
    let events = heard(&receiver);
    let attended = events.iter().find(|event| event["type"] == ATTENDED);
    let attended = attended.unwrap();
    assert_eq!(attended["data"]["attested"], "organiser");
    let registration = attended["subject"].as_str().unwrap();
    let task = attended["data"]["task"].as_str().unwrap();
    let made: Vec<&Value> = events
        .iter()
        .filter(|event| event["type"] == "org.raccord.task.created.v1")
        .collect();
    assert_eq!(made.len(), 2, "two tasks, each told once: {made:#?}");
    let made = made.iter().find(|event| event["subject"] == task).unwrap();
    assert_eq!(made["data"]["guide"], GUIDE);

    // And `why` tells it all: from what the webhook was told back to the cell, and from the noted
    // presence to the person who noted it.
    let why = |what: &str| working.place.say(&["why", what]).unwrap();
    let (noted, cell) = (why(registration), why(made["id"].as_str().unwrap()));
    assert!(noted.contains("La présence a été notée"), "{noted}");
    for part in ["Animer une réunion", "p.csv"] {
        assert!(cell.contains(part), "{part}: {cell}");
    }
}
