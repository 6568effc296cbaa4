//! Every sign-up page there is, with something on it.

use raccord_model::Lang;
use raccord_web::hands::{
    Card, Counter, Item, Likes, Line, List, Mine, Offer, Own, Paid, Payment, Row, Screen, Shows,
    Unproved, Visitor, Ways,
};

/// Their names.
pub const NAMES: [&str; 18] = [
    "needs", "empty", "who", "item", "full", "over", "mine", "in", "sent", "enter", "ticks",
    "here", "card", "till", "ask", "paid", "told", "proof",
];

/// One of them.
pub fn screen(name: &str, lang: Lang) -> Option<Screen> {
    let say = |fr: &str, en: &str| match lang {
        Lang::Fr => fr.to_owned(),
        Lang::En => en.to_owned(),
    };
    let offer = |id: &str, title: String| Offer {
        id: id.to_owned(),
        title,
        of: say("Réunion de rentrée", "First meeting of the season"),
        when: say(
            "samedi 2\u{a0}janvier 2027, 18\u{202f}h\u{202f}30",
            "Saturday 2\u{a0}January 2027, 18:30",
        ),
        room: "Halle".to_owned(),
        capacity: Some(3),
        taken: 1,
        missing: 2,
        waiting: 0,
        guide: "https://wiki.example.org/animer".to_owned(),
        credits: say("2\u{a0}crédits", "2\u{a0}credits"),
        urgent: true,
        ..Offer::default()
    };
    let own = |state: &str, position| {
        Some(Own {
            registration: "r1".to_owned(),
            state: state.to_owned(),
            position,
            begun: state == "registered",
            code: "https://programme.example.org/hands/here?k=0123456789abcdef0123456789"
                .to_owned(),
        })
    };
    let lead = || offer("t1", say("Animer la réunion", "Lead the meeting"));
    let bar = || Offer {
        urgent: false,
        missing: 0,
        taken: 3,
        waiting: 2,
        people: vec!["Ana".to_owned(), "Zoé".to_owned()],
        unnamed: 1,
        ..offer("t2", say("Tenir le bar", "Run the bar"))
    };
    let item = |offer: Offer| {
        Shows::Item(Box::new(Item {
            notes: true,
            offer,
            about: say(
                "Préparer l’ordre du jour,\nfaire tourner la parole.",
                "Prepare the agenda,\nlet everybody speak.",
            ),
            tasks: vec![lead(), bar()],
        }))
    };
    let row = |name: &str, state: &str, own_word| Row {
        registration: name.to_lowercase(),
        name: name.to_owned(),
        state: state.to_owned(),
        own_word,
    };
    let shows = match name {
        "needs" => Shows::Needs(vec![lead(), bar()]),
        "empty" => Shows::Needs(Vec::new()),
        "who" => Shows::Who(vec![bar()]),
        "item" => item(lead()),
        "full" => item(Offer {
            own: own("waitlisted", Some(2)),
            ..bar()
        }),
        "over" => item(Offer {
            closed: say("c'est passé", "it is over"),
            ..bar()
        }),
        "mine" => Shows::Mine(Box::new(Mine {
            coming: vec![
                Offer {
                    own: own("registered", None),
                    ..lead()
                },
                Offer {
                    own: own("waitlisted", Some(1)),
                    ..bar()
                },
            ],
            past: vec![Offer {
                own: own("attended", None),
                ..lead()
            }],
            shown: true,
            calendar: "https://programme.example.org/hands/calendar/0123456789.0.abcdef".to_owned(),
        })),
        "in" => Shows::SignIn {
            back: String::new(),
            sends: true,
        },
        "sent" => Shows::Sent,
        "enter" => Shows::Enter {
            key: "abc".to_owned(),
        },
        "ticks" => Shows::Attendance(Box::new(List {
            offer: bar(),
            rows: vec![
                row("Ana", "attended", false),
                row("Bob", "registered", false),
                row("Chloé", "attended", true),
                row("Dia", "absent", false),
                row("Élie", "waitlisted", false),
            ],
        })),
        "here" => Shows::Arrived {
            key: "abc".to_owned(),
            name: "Ana".to_owned(),
            title: say("Tenir le bar", "Run the bar"),
        },
        "told" => Shows::Ways(Box::new(Ways {
            code: "7K2M-9QXD".to_owned(),
            number: "56".to_owned(),
            ..ways("sms")
        })),
        "proof" => Shows::Ways(Box::new(Ways {
            proof: Some(Unproved {
                number: "56".to_owned(),
                sealed: "sealed".to_owned(),
            }),
            ..ways("sms")
        })),
        "card" | "till" | "ask" | "paid" => Shows::Counter(Box::new(counter(name, lang))),
        _ => return None,
    };
    let stranger = matches!(name, "needs" | "in" | "sent" | "enter");
    Some(Screen {
        status: 200,
        lang,
        visitor: (!stranger).then(|| Visitor {
            name: "Ana".to_owned(),
            token: "t0ken".to_owned(),
            organiser: true,
            card: true,
            serves: true,
        }),
        said: String::new(),
        shows,
    })
}

/// A place that serves every way.
fn ways(told: &str) -> Ways {
    Ways {
        served: ["mail", "chat", "sms"].map(str::to_owned).into(),
        told: told.to_owned(),
        likes: Some(Likes {
            all: false,
            kinds: vec![("bar".to_owned(), true), ("cuisine".to_owned(), false)],
        }),
        reminded: true,
        ..Ways::default()
    }
}

/// A card, and the three pages of the till.
fn counter(name: &str, lang: Lang) -> Counter {
    let say = |fr: &str, en: &str| match lang {
        Lang::Fr => fr.to_owned(),
        Lang::En => en.to_owned(),
    };
    let (bar, one) = (
        say("le bar et l’épicerie", "the bar and the grocery"),
        say("1,5", "1.5"),
    );
    match name {
        "card" => Counter::Card(Card {
            name: "Ana".to_owned(),
            number: "7K2M-9QXD".to_owned(),
            code: "https://programme.example.org/hands/till?k=0123456789abcdef".to_owned(),
            balance: say("2,5\u{a0}crédits", "2.5\u{a0}credits"),
            spend_at: bar,
            lines: vec![
                Line {
                    day: say("3\u{a0}janvier 2027", "3\u{a0}January 2027"),
                    reason: say("Bar", "Bar"),
                    amount: format!("−{one}"),
                },
                Line {
                    day: say("2\u{a0}janvier 2027", "2\u{a0}January 2027"),
                    reason: say("Animer la réunion", "Lead the meeting"),
                    amount: "4".to_owned(),
                },
            ],
            more: 3,
        }),
        "till" => Counter::Till {
            card: "7K2M-9QXD".to_owned(),
            amount: String::new(),
            spend_at: bar,
        },
        "ask" => Counter::Ask(Payment {
            name: "Ana".to_owned(),
            amount: say("1,5\u{a0}crédit", "1.5\u{a0}credits"),
            balance: "4".to_owned(),
            card: "7K2M-9QXD".to_owned(),
            hundredths: 150,
            once: "abc".to_owned(),
        }),
        _ => Counter::Paid(Paid {
            id: "c1".to_owned(),
            name: "Ana".to_owned(),
            amount: say("1,5\u{a0}crédit", "1.5\u{a0}credits"),
            balance: say("2,5", "2.5"),
            can_undo: true,
            undone: false,
        }),
    }
}
