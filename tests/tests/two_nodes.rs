//! Sign-up pages on two nodes of one cluster: whichever a visitor reaches, it is the same place.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::path::Path;

use raccord_bus::jetstream::servers::{Server as Nats, Version};
use raccord_tests::place::Place;
use raccord_tests::smtp::{Server, Taken};
use raccord_tests::visitor::Visitor;
use raccord_tests::working::{TOKEN, Working};

const SHEET: &str =
    "Titre,Date,Heure,Type,Salle\nRéunion de rentrée,02/01/2027,18h30,Réunion,Halle\n";

fn node(name: &str, nats: &Nats, mail: &Server, sheet: &Path) -> Working {
    Working::start(|address| {
        Place::new(&format!(
            "[place]\nid = \"lieu\"\nname = \"Le lieu\"\ntimezone = \"Indian/Reunion\"\nlanguage = \"fr\"\ndata = \"data\"\n\
             bus = \"{}\"\n[cluster]\nnode = \"{name}\"\n\
             [web]\nlisten = \"{address}\"\npublic_url = \"http://lieu.example.org\"\nadmin_token = \"{TOKEN}\"\n\
             [connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"{}\"\n\
             [connectors.hands]\nkind = \"signup\"\nurl = \"smtp://127.0.0.1:{}\"\nfrom = \"Le lieu <lieu@example.org>\"\n\
             [[recipes]]\nwhen = {{ kind = \"Réunion\" }}\ntasks = [{{ title = \"Animer\", capacity = 1 }}]\n\
             [guards]\nsecond_look = \"0s\"\n",
            nats.url(),
            sheet.display(),
            mail.port()
        ))
    })
    .unwrap()
}

fn visitor(node: &Working) -> Visitor {
    Visitor::at(node.address().port())
}

/// The link that somebody was sent.
fn link(mail: &Server, email: &str) -> Taken {
    let mut count = 0;
    loop {
        let taken = mail.took(count).unwrap();
        count = taken.len() + 1;
        if let Some(letter) = taken.into_iter().find(|it| it.to == email) {
            return letter;
        }
    }
}

/// Somebody who asked for a link at one node, and opened it at the other.
fn across(asked: &Working, opened: &Working, mail: &Server, email: &str) -> Visitor {
    let sent = visitor(asked).send("/hands/in", &[("email", email)]);
    assert_eq!(sent.unwrap().status, 303);
    let mut there = visitor(opened);
    let entered = there.enter(&link(mail, email)).unwrap();
    assert_eq!(entered.status, 303, "{}", entered.text);
    there
}

#[test]
fn whichever_node_a_visitor_reaches_it_is_the_same_place() {
    let folder = tempfile::tempdir().unwrap();
    let nats = Nats::start(Version::Present, &folder.path().join("server"), "");
    let mail = Server::start().unwrap();
    let sheet = folder.path().join("p.csv");
    std::fs::write(&sheet, SHEET).unwrap();
    let north = node("north", &nats, &mail, &sheet);
    let south = node("south", &nats, &mail, &sheet);
    for node in [&north, &south] {
        node.until("the tasks do not come", || {
            node.get("/hands")
                .is_ok_and(|(code, page)| code == 200 && page.contains(">Animer</a>"))
        });
    }
    let page = north.get("/hands").unwrap().1;
    let before = page.split(">Animer</a>").next().unwrap();
    let animer = before.rsplit('/').next().unwrap().trim_end_matches('"');

    // A link asked for at one is good at the other, once, and so is the cookie.
    let ana = across(&north, &south, &mail, "ana@example.org");
    let again = visitor(&north).enter(&link(&mail, "ana@example.org"));
    assert_eq!(again.unwrap().status, 422, "used at the other node");
    let mut elsewhere = ana.also_at(north.address().port());
    assert_eq!(elsewhere.get("/hands/me").unwrap().status, 200);

    // Of those who press at once, at both nodes, one gets the only place.
    let mut people: Vec<Visitor> = (0..6)
        .map(|n| {
            let (asked, opened) = if n % 2 == 0 {
                (&north, &south)
            } else {
                (&south, &north)
            };
            across(asked, opened, &mail, &format!("p{n}@example.org"))
        })
        .collect();
    let pages: Vec<String> = std::thread::scope(|scope| {
        let pressed: Vec<_> = people
            .iter_mut()
            .map(|visitor| {
                scope.spawn(|| {
                    let token = visitor.token().unwrap();
                    let fields = [("t", token.as_str()), ("subject", animer), ("name", "X")];
                    let done = visitor.send("/hands/up", &fields).unwrap();
                    assert_eq!(done.status, 303, "{}", done.text);
                    visitor.get(&format!("/hands/{animer}")).unwrap().text
                })
            })
            .collect();
        pressed.into_iter().map(|it| it.join().unwrap()).collect()
    });
    let times = |words: &str| pages.iter().filter(|page| page.contains(words)).count();
    assert_eq!(times("Inscrit·e"), 1);
    for n in 1..6 {
        assert_eq!(times(&format!("En attente, au rang {n}<")), 1, "rank {n}");
    }

    // The node that works for the place dies: who is signed in stays so at the other.
    let is_holder = |node: &Working| !node.get("/readyz").unwrap().1.contains("elsewhere");
    let (holder, other) = if is_holder(&north) {
        (north, south)
    } else {
        (south, north)
    };
    drop(holder);
    let mut ana = ana.also_at(other.address().port());
    other.until("nobody takes over", || {
        ana.get("/hands/me").is_ok_and(|page| page.status == 200)
    });
    let off = ana.get("/hands/me").unwrap();
    assert!(
        off.text.contains("Vous n’êtes inscrit·e à rien"),
        "{}",
        off.text
    );
}
