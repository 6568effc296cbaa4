//! Accounts of a chat that are known by a code, and forgotten.

use raccord_engine::{Forgotten, Input, Order, slots_of};
use raccord_model::EntityKind;
use serde_json::json;

use crate::play::{CONCERT, DAY, MINUTE, Play};

#[test]
fn a_code_is_good_once_for_a_day_and_moves_an_account_to_who_said_it() {
    let mut play = Play::new();
    let code = play.code("ana@example.org");
    let old = play.code("bob@example.org");
    let log = format!("{:?}", play.facts);
    assert!(!log.contains(&code) && !log.contains(&code.replace('-', "")));
    play.restart();
    assert_eq!(play.asks("@x:x", "me", "0000-0000"), "WrongCode: ");
    assert_eq!(
        play.asks("@x:x", "me", &code.to_lowercase().replace('-', " ")),
        "Known: "
    );
    assert_eq!(play.asks("@y:x", "me", &code), "WrongCode: ", "used");
    assert_eq!(play.asks("@x:x", "me", ""), "Known: ");
    assert_eq!(play.asks("@y:x", "me", ""), "Stranger: ");
    play.wait(DAY);
    play.now_heard();
    assert_eq!(play.asks("@y:x", "me", &old), "WrongCode: ", "too old");
    // The account is somebody else's now: what it signs up for is theirs.
    play.knows("@x:x", "bob@example.org");
    play.asks("@x:x", "signup", "bal");
    let known = play.engine.state().entities.iter();
    let known = known.filter(|(_, record)| {
        record.kind == EntityKind::Person && record.fields().contains_key("identities")
    });
    assert_eq!(known.count(), 1);
}

/// Everybody whose address this is was forgotten.
#[derive(Debug)]
struct Only(&'static str);

impl Forgotten for Only {
    fn has(&self, value: &str) -> bool {
        value == self.0
    }
}

#[test]
fn whoever_is_forgotten_is_known_in_no_chat_any_more() {
    let mut play = Play::new();
    play.knows("@canary:x", "canary@example.org");
    play.knows("@bob:x", "bob@example.org");
    play.asks("@canary:x", "tell", "chat");
    play.react(CONCERT, &json!({ "✅": ["@canary:x", "@bob:x"] }));
    let slots = slots_of(&play.engine, "canary@example.org");
    play.engine
        .refuse(std::sync::Arc::new(Only("canary@example.org")));
    play.take(Input::Order(Order::Forget));
    play.engine.empty(slots.iter().map(String::as_str));
    play.slots.retain(|(slot, _)| !slots.contains(slot));
    let left = format!("{:?}", play.slots);
    assert!(!left.contains("canary"), "{left}");
    play.restart();
    play.now_heard();
    assert_eq!(play.asks("@canary:x", "me", ""), "Stranger: ");
    // Whoever reacted as well is not signed up anew, nor told again.
    let said = play.react(CONCERT, &json!({ "✅": ["@bob:x"] }));
    assert_eq!(said, [""; 0]);
}

#[test]
fn codes_are_not_read_any_more_once_too_many_were_tried() {
    let mut play = Play::new();
    let code = play.code("ana@example.org");
    for guess in 0..20 {
        let who = format!("@x{guess}:x");
        assert_eq!(play.asks(&who, "me", "0000-0000"), "WrongCode: ");
    }
    assert_eq!(play.asks("@x:x", "me", &code), "", "not even the right one");
    assert_eq!(play.asks("@x:x", "me", ""), "Stranger: ");
    play.wait(MINUTE * 2);
    assert_eq!(play.asks("@x:x", "me", &code), "Known: ");
}
