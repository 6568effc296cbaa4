//! Being told alone what concerns one.

use raccord_engine::{Choice, Input, Order, Reply, SignUp, Telling, Who};
use raccord_model::{Lang, Way};

use crate::play::{MINUTE, Play};

#[test]
fn whoever_chose_the_chat_is_told_there_what_concerns_them_and_nothing_twice() {
    let mut play = Play::new();
    play.knows("@ana:x", "ana@example.org");
    play.knows("@bob:x", "bob@example.org");
    play.asks("@ana:x", "signup", "accueil");
    assert_eq!(
        play.asks("@ana:x", "tell", "chat"),
        "told Some(Chat) [] true: "
    );
    play.wait(MINUTE * 10);
    assert_eq!(play.now_heard(), [""; 0], "they know how it stands");
    // Signed up elsewhere: told once, in their language.
    let who = Who {
        email: "ana@example.org".into(),
        lang: Some(Lang::En),
        ..Who::default()
    };
    let asked = SignUp {
        subject: play.id_of("Concert"),
        who,
        places: 1,
        comment: String::new(),
    };
    play.take(Input::Order(Order::SignUp(Box::new(asked))));
    play.wait(MINUTE * 10);
    assert_eq!(play.now_heard(), ["en -> @ana:x: Concert registered (new)"]);
    // Two changes within the grace are one message for each sign-up; who chose nothing hears nothing.
    play.sheet("2027-01-16T21:00", 1);
    play.wait(MINUTE * 2);
    play.restart();
    play.sheet("2027-01-16T22:00", 1);
    play.wait(MINUTE * 10);
    let mut said = play.now_heard();
    said.retain(|text| text.contains("->"));
    said.sort();
    assert_eq!(
        said,
        [
            "en -> @ana:x: Accueil registered (moved)",
            "en -> @ana:x: Concert registered (moved)"
        ]
    );
    assert!(
        play.asks("@ana:x", "tell", "rien")
            .starts_with("told None [] false")
    );
    play.sheet("2027-01-16T21:00", 1);
    play.wait(MINUTE * 10);
    let mut said = play.now_heard();
    said.retain(|text| text.contains("->"));
    assert_eq!(said, [""; 0]);
    assert_eq!(play.asks("@ana:x", "tell", "pigeon"), "NoWay: ");
    assert_eq!(play.asks("@new:x", "tell", "chat"), "Stranger: ");
}

#[test]
fn a_place_that_became_free_is_told_to_whoever_waited_for_it() {
    let mut play = Play::new();
    play.knows("@ana:x", "ana@example.org");
    play.knows("@bob:x", "bob@example.org");
    play.asks("@bob:x", "tell", "ici");
    play.asks("@ana:x", "signup", "bar samedi");
    assert!(
        play.asks("@bob:x", "signup", "bar samedi")
            .starts_with("waits 1")
    );
    play.asks("@ana:x", "signoff", "bar");
    play.wait(MINUTE * 10);
    assert_eq!(
        play.now_heard(),
        ["fr -> @bob:x: Tenir le bar registered (changed)"]
    );
}

#[test]
fn a_choice_made_on_a_page_is_kept_and_a_number_must_be_one() {
    let mut play = Play::new();
    play.knows("@ana:x", "ana@example.org");
    let choice = Choice {
        told: Some(Telling::By(Way::Sms)),
        likes: Some(vec!["  bar ".into(), String::new()]),
        phone: Some("+262 692 12 34 56".into()),
        ..Choice::default()
    };
    assert_eq!(play.choose("ana@example.org", choice), Reply::Taken);
    assert_eq!(
        play.asks("@ana:x", "tell", ""),
        "told Some(Sms) [\"bar\"] false: ",
        "nothing here sends short messages"
    );
    let wrong = Choice {
        phone: Some("call me".into()),
        ..Choice::default()
    };
    let reply = play.choose("ana@example.org", wrong);
    assert!(matches!(reply, Reply::Cannot(_)), "{reply:?}");
    let log = serde_json::to_string(&play.facts).unwrap();
    assert!(!log.contains("692 12"));
}

#[test]
fn what_is_owed_still_comes_when_somebody_chooses_meanwhile() {
    let mut play = Play::new();
    play.knows("@ana:x", "ana@example.org");
    play.asks("@ana:x", "tell", "chat");
    let concert = play.id_of("Concert");
    play.sign_up("ana@example.org", concert);
    // Within the grace they say what they like: how it stands was not said yet.
    play.asks("@ana:x", "tell", "chat bar");
    play.wait(MINUTE * 10);
    assert_eq!(play.now_heard(), ["fr -> @ana:x: Concert registered (new)"]);
}

#[test]
fn whoever_comes_back_to_a_chat_is_not_told_of_what_moved_long_ago() {
    let mut play = Play::new();
    play.knows("@ana:x", "ana@example.org");
    play.asks("@ana:x", "tell", "chat");
    play.asks("@ana:x", "signup", "accueil");
    play.asks("@ana:x", "tell", "rien");
    play.sheet("2027-01-16T21:00", 1);
    play.wait(MINUTE * 10);
    play.now_heard();
    play.asks("@ana:x", "tell", "chat");
    play.wait(MINUTE * 10);
    assert_eq!(play.now_heard(), [""; 0]);
    play.sheet("2027-01-16T22:00", 1);
    play.wait(MINUTE * 10);
    let mut said = play.now_heard();
    said.retain(|text| text.contains("->"));
    assert_eq!(said, ["fr -> @ana:x: Accueil registered (moved)"]);
}

#[test]
fn likes_are_taken_back_and_all_of_them_is_a_word_in_any_case() {
    let mut play = Play::new();
    play.knows("@ana:x", "ana@example.org");
    let all = play.asks("@ana:x", "tell", "chat Tout");
    assert_eq!(all, "told Some(Chat) [\"*\"] true: ");
    let none = play.asks("@ana:x", "tell", "chat rien");
    assert_eq!(none, "told Some(Chat) [] true: ");
}
