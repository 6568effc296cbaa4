//! Signing up and off by a reaction.

use serde_json::json;

use crate::play::{CONCERT, MINUTE, Play};

#[test]
fn a_reaction_signs_up_and_taken_back_signs_off_and_each_is_answered_alone() {
    let mut play = Play::new();
    play.knows("@ana:x", "ana@example.org");
    let both = json!({ "✅": ["@ana:x", "@lou:x"], "👍": ["@ana:x"] });
    let mut said = play.react(CONCERT, &both);
    said.sort();
    assert_eq!(said, ["Stranger -> @lou:x: ", "on -> @ana:x: Concert"]);
    assert_eq!(play.react(CONCERT, &both), [""; 0], "nothing new");
    play.restart();
    assert_eq!(play.react(CONCERT, &both), [""; 0]);
    assert_eq!(play.registrations(), ["registered"]);
    let one = json!({ "✅": ["@lou:x"], "👍": ["@ana:x"] });
    assert_eq!(play.react(CONCERT, &one), [""; 0]);
    assert_eq!(play.registrations(), ["cancelled"]);
    let again = play.react(CONCERT, &both);
    assert_eq!(again, ["on -> @ana:x: Concert"]);
    // Of what is no announcement of ours nothing follows.
    assert_eq!(
        play.react("elsewhere", &json!({ "✅": ["@ana:x"] })),
        [""; 0]
    );
    assert_eq!(play.registrations(), ["registered"]);
    let log = serde_json::to_string(&play.facts).unwrap();
    assert!(!log.contains("@lou:x"), "ids of people stay beside the log");
}

#[test]
fn whoever_chose_the_chat_is_told_when_their_reaction_is_gone() {
    let mut play = Play::new();
    let all: Vec<String> = (0..5).map(|n| format!("@m{n}:x")).collect();
    for (n, id) in all.iter().enumerate() {
        play.knows(id, &format!("m{n}@example.org"));
    }
    play.asks(&all[0], "tell", "chat");
    play.react(CONCERT, &json!({ "✅": all }));
    // Somebody cleared them all.
    play.react(CONCERT, &json!({ "✅": [] }));
    assert_eq!(play.registrations(), ["cancelled"; 5]);
    play.wait(MINUTE * 10);
    assert_eq!(
        play.now_heard(),
        ["fr -> @m0:x: Concert cancelled (changed)"]
    );
    let notices = play.notices();
    assert!(
        notices.iter().any(|text| text.contains("5 réactions")),
        "{notices:?}"
    );
}
