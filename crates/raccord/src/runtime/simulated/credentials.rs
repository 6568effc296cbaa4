//! A password that is no longer right.

use jiff::SignedDuration;
use raccord_kit::standin::{Reply, Standin};

use super::world::World;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

#[tokio::test(start_paused = true)]
async fn a_refused_password_is_tried_seldom_told_once_and_its_successor_is_noticed() {
    let standin = Standin::start().await;
    // "lieu:first", "lieu:second"
    let (first, second) = ("Basic bGlldTpmaXJzdA==", "Basic bGlldTpzZWNvbmQ=");
    let sheet = |lines: &str| Reply::ok(format!("Titre,Date,Début\n{lines}"));
    let takes = move |right: &'static str, lines: &'static str| {
        move |seen: &raccord_kit::standin::Seen| {
            if seen.header("authorization") == right {
                sheet(lines).into()
            } else {
                Reply::status(401).into()
            }
        }
    };
    standin.direct(takes(first, "Bal,2027-01-09,20:30\n"));
    let config = format!(
        "[connectors.sheet]\nkind = 'spreadsheet'\nlocation = '{}'\nevery = '30s'\nuser = 'lieu'\n\
         password_file = 'secret'\n[connectors.site]\nkind = 'website'\noutput = 'site'\n",
        standin.url("/programme.csv")
    );
    let world = World::start(&config, &[("secret", "first")]).await;
    world.pass(MINUTE * 5, MINUTE / 6).await;
    let before = world.asked("sheet").len();

    // Somebody changes the password, and adds a line meanwhile.
    standin.direct(takes(
        second,
        "Bal,2027-01-09,20:30\nFilm,2027-01-10,20:30\n",
    ));
    world.pass(MINUTE * 60, MINUTE / 6).await;
    let refused = world.asked("sheet").len() - before;
    assert!((1..=3).contains(&refused), "{refused} attempts in an hour");
    world.pass(MINUTE * 60 * 10, MINUTE / 6).await;
    assert_eq!(world.told("unreadable"), ["open"], "it is told once");

    world.write("secret", "second");
    world.pass(MINUTE, MINUTE / 12).await;
    assert_eq!(world.told("unreadable"), ["open", "closed"]);
    let list = std::fs::read_to_string(world.path("site/activities.json")).unwrap();
    assert!(list.contains("Bal") && list.contains("Film"), "{list}");
    let activities = world
        .state(|engine| engine.state().activities().count())
        .await;
    assert_eq!(activities, 2);
    world.end().await;
}
