//! Hands missing in what one likes.

use raccord_engine::Input;
use raccord_model::{Roundup, RoundupOf};

use crate::play::{DAY, Play, rules};

#[test]
fn hands_missing_in_what_somebody_likes_are_told_once_a_week_at_most() {
    let mut play = Play::new();
    play.knows("@ana:x", "ana@example.org");
    play.knows("@bob:x", "bob@example.org");
    assert_eq!(
        play.asks("@ana:x", "tell", "chat bar, cuisine"),
        "told Some(Chat) [\"bar\", \"cuisine\"] true: "
    );
    play.asks("@bob:x", "tell", "chat");
    play.wait(DAY * 7);
    // Thursday, 21 January: the concert is over.
    assert_eq!(play.now_heard(), ["liked -> @ana:x: Le bar du bal"]);
    // Another hour of the week is set: nobody hears twice within seven days.
    let mut other = rules();
    other.routes[1].roundup = Some(Roundup {
        of: RoundupOf::Liked,
        at: vec!["friday 12:00".parse().unwrap()],
    });
    play.take(Input::Configure(Box::new(other)));
    play.wait(DAY * 3);
    play.restart();
    play.wait(DAY * 5);
    assert_eq!(play.now_heard(), ["liked -> @ana:x: Le bar du bal"]);
    // Who is on it need not be asked.
    play.asks("@ana:x", "signup", "bar bal");
    play.wait(DAY * 10);
    assert_eq!(play.now_heard(), [""; 0]);
}
