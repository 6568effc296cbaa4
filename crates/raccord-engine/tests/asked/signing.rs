//! Signing up and off by words.

use jiff::SignedDuration;
use raccord_engine::{Input, Order, Reply, SignUp, Who};
use raccord_model::Verb;
use serde_json::json;

use crate::play::{DAY, MINUTE, Play};

#[test]
fn who_is_known_signs_up_for_what_they_name_and_off_again() {
    let mut play = Play::new();
    assert_eq!(play.asks("@ana:x", "signup", "bar samedi"), "Stranger: ");
    assert!(play.registrations().is_empty());
    play.knows("@ana:x", "ana@example.org");
    assert_eq!(
        play.asks("@ana:x", "signup", "bar samedi"),
        "on: Concert, Tenir le bar:1"
    );
    // Said again, it is the same sign-up.
    assert_eq!(
        play.asks("@ana:x", "signup", "bar samedi"),
        "on: Concert, Tenir le bar:1"
    );
    assert_eq!(play.registrations(), ["registered"]);
    play.knows("@bob:x", "bob@example.org");
    assert_eq!(
        play.asks("@bob:x", "signup", "tenir bar"),
        "waits 1: Concert, Tenir le bar:1"
    );
    assert_eq!(
        play.asks("@ana:x", "signoff", "bar"),
        "off: Concert, Tenir le bar:1",
        "whoever waits has the place"
    );
    assert_eq!(
        play.asks("@ana:x", "signoff", "bar"),
        "Nothing: Concert, Bal, Tenir le bar:1, Accueil, Le bar du bal"
    );
    assert_eq!(play.asks("@ana:x", "signoff", ""), "Unsaid: ");
    play.wait(MINUTE * 10);
    assert_eq!(play.now_heard(), [""; 0], "nobody chose to be told alone");
}

#[test]
fn several_that_fit_are_asked_back_and_one_is_named_by_its_id() {
    let mut play = Play::new();
    play.knows("@ana:x", "ana@example.org");
    assert_eq!(
        play.asks("@ana:x", "signup", "bar"),
        "which of 2: Concert, Bal, Tenir le bar, Le bar du bal"
    );
    assert_eq!(
        play.asks("@ana:x", "signup", "concert"),
        "which of 3: Concert, Accueil, Tenir le bar"
    );
    assert!(
        play.asks("@ana:x", "signup", "cuisine")
            .starts_with("Nothing: ")
    );
    assert!(play.registrations().is_empty());
    let short = play.id_of("Concert").to_string()[..8].to_owned();
    assert_eq!(play.asks("@ana:x", "signup", &short), "on: Concert");
    // A list of what there is, without a word more.
    assert_eq!(
        play.asks("@lou:x", "signup", ""),
        "signup: Concert:1, Bal, Tenir le bar, Accueil, Le bar du bal"
    );
}

#[test]
fn a_question_that_is_read_twice_or_late_signs_up_once() {
    let mut play = Play::new();
    play.knows("@ana:x", "ana@example.org");
    let sent = (play.now - SignedDuration::from_hours(5)).to_string();
    let fields = json!({
        "channel": "!r", "author": "@ana:x", "ask": "signup", "words": "accueil",
        "thread": "$old", "sent": sent,
    });
    let change = Play::change(Verb::Created, "!r $old", "!r $old", &fields);
    for _ in 0..3 {
        play.hears(change.clone());
        play.restart();
    }
    assert_eq!(play.now_heard(), ["on: Concert, Accueil:1"]);
    assert_eq!(play.registrations(), ["registered"]);
}

#[test]
fn who_is_on_what_names_those_only_who_agreed() {
    let mut play = Play::new();
    for (name, shown) in [("ana", Some(true)), ("bob", None), ("cleo", Some(false))] {
        let who = Who {
            email: format!("{name}@example.org"),
            name: name.to_owned(),
            shown,
            lang: None,
        };
        let asked = SignUp {
            subject: play.id_of(if name == "ana" {
                "Tenir le bar"
            } else {
                "Concert"
            }),
            who,
            places: 1,
            comment: String::new(),
        };
        play.take(Input::Order(Order::SignUp(Box::new(asked))));
    }
    assert_eq!(
        play.asks("@lou:x", "who", ""),
        "who: Concert:2, Bal, Tenir le bar:1, Accueil, Le bar du bal, (ana)"
    );
}

#[test]
fn a_task_that_moved_to_another_activity_is_one_thing_there() {
    let mut play = Play::new();
    play.knows("@ana:x", "ana@example.org");
    play.moved("Accueil", "Bal");
    assert_eq!(
        play.asks("@ana:x", "signup", "accueil"),
        "on: Bal, Accueil:1"
    );
    assert_eq!(
        play.asks("@lou:x", "who", ""),
        "who: Concert, Bal, Tenir le bar, Le bar du bal, Accueil:1",
        "each once"
    );
}

#[test]
fn nobody_signs_up_for_work_of_what_is_cancelled() {
    let mut play = Play::new();
    play.knows("@ana:x", "ana@example.org");
    play.line_says("Concert", "status", "cancelled");
    play.now_heard();
    assert!(
        play.asks("@ana:x", "signup", "accueil")
            .starts_with("Nothing: ")
    );
    let accueil = play.id_of("Accueil");
    let reply = play.sign_up("ana@example.org", accueil);
    assert!(
        matches!(&reply, Reply::Cannot(why) if why.en == "it is cancelled"),
        "{reply:?}"
    );
    assert!(play.registrations().is_empty());
}

#[test]
fn work_that_is_kept_among_members_is_not_named_in_a_room() {
    let mut play = Play::new();
    play.knows("@ana:x", "ana@example.org");
    play.asks("@ana:x", "tell", "chat tout");
    play.line_says("Le bar du bal", "visibility", "internal");
    play.now_heard();
    assert_eq!(
        play.asks("@lou:x", "who", ""),
        "who: Concert, Bal, Tenir le bar, Accueil"
    );
    assert!(
        play.asks("@ana:x", "signup", "bar bal")
            .starts_with("Nothing: ")
    );
    play.wait(DAY * 7);
    assert_eq!(play.now_heard(), [""; 0], "nor is anybody asked to do it");
}
