//! Changes that cannot be made, and changes that are late.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::{SignedDuration, ToSpan as _};
use raccord_engine::Order;
use raccord_model::{Blame, DeliveryId, Failure};

use super::world::World;

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const SOON: SignedDuration = SignedDuration::from_mins(4);

/// A connector that writes files, and the file that shows the activity of line `n`.
struct Writer {
    kind: &'static str,
    /// One file of a hundred.
    file: fn(&World, &str, usize) -> String,
}

/// A page for each activity, named after it.
const SITE: Writer = Writer {
    kind: "website",
    file: |_, id, _| format!("out/activities/{id}.html"),
};

/// A file for each month: the lines stand a month apart.
const PRINT: Writer = Writer {
    kind: "programme",
    file: |_, _, n| format!("out/programme-{}.pdf", month(n)),
};

fn month(n: usize) -> String {
    day(n).to_string()[..7].to_owned()
}

fn day(n: usize) -> jiff::civil::Date {
    jiff::civil::date(2027, 2, 9).saturating_add((n as i64).months())
}

fn sheet(lines: usize, room: impl Fn(usize) -> String) -> String {
    let line = |n| format!("Bal {n},{},20:30,{}\n", day(n), room(n));
    let head = "Titre,Date,Début,Salle\n".to_owned();
    std::iter::once(head).chain((0..lines).map(line)).collect()
}

impl Writer {
    async fn world(&self, sheet: &str, files: &[(&str, &str)]) -> World {
        let config = format!(
            "[connectors.sheet]\nkind = 'spreadsheet'\nlocation = 'programme.csv'\nevery = '10s'\n\
             [connectors.out]\nkind = '{}'\noutput = 'out'\n[guards]\nchange_count = 1000\n",
            self.kind
        );
        let files: Vec<(&str, &str)> = [("programme.csv", sheet)]
            .into_iter()
            .chain(files.iter().copied())
            .collect();
        let world = World::start(&config, &files).await;
        world.pass(SOON, SECOND * 5).await;
        world
    }

    /// What line `n` is called: the same wherever the same sheet is read first.
    async fn names(&self, sheet: &str, lines: usize) -> Vec<String> {
        let world = self.world(sheet, &[]).await;
        let mut names: Vec<(jiff::civil::DateTime, String)> = world
            .state(|engine| {
                let all = engine.state().activities();
                all.map(|(id, record)| (record.when().over_at().unwrap(), id.to_string()))
                    .collect()
            })
            .await;
        world.end().await;
        names.sort();
        assert_eq!(names.len(), lines);
        names.into_iter().map(|(_, name)| name).collect()
    }
}

async fn dead(world: &World) -> Vec<(DeliveryId, Failure)> {
    let look = |engine: &mut raccord_engine::Engine| {
        let sinks = engine.state().sinks.values();
        sinks
            .flat_map(|sink| &sink.dead)
            .map(|(id, aside)| (*id, aside.failure.clone()))
            .collect()
    };
    world.state(look).await
}

fn made(world: &World, files: &[String]) -> BTreeSet<String> {
    let there = files.iter().filter(|file| world.path(file).is_file());
    there.cloned().collect()
}

/// One of a hundred files cannot be written, for somebody made a folder of its name.
async fn poisoned(writer: &Writer) {
    let sheet = sheet(100, |_| "Halle".to_owned());
    let names = writer.names(&sheet, 100).await;
    let probe = writer.world("Titre,Date\n", &[]).await;
    let files: Vec<String> = (0..100)
        .map(|n| (writer.file)(&probe, &names[n], n))
        .collect();
    probe.end().await;
    let in_the_way = format!("{}/theirs", files[42]);
    let world = writer.world(&sheet, &[(&in_the_way, "keep")]).await;

    assert_eq!(made(&world, &files).len(), 99);
    let given_up = dead(&world).await;
    let [(delivery, failure)] = &given_up[..] else {
        panic!("{given_up:?}");
    };
    assert_eq!(failure.blame, Blame::Data);
    let file = files[42].rsplit('/').next().unwrap();
    for text in [&failure.text.fr, &failure.text.en] {
        assert!(text.contains(file), "{text}");
    }
    assert_ne!(failure.text.fr, failure.text.en);
    assert!(!failure.mend.fr.is_empty() && failure.mend.fr != failure.mend.en);
    assert_eq!(world.told("dead"), ["open"]);

    let asked = world.asked("out").len();
    std::fs::remove_dir_all(world.path(&files[42])).unwrap();
    world.order(Order::Retry(*delivery)).await;
    world.pass(SECOND * 10, SECOND).await;
    assert_eq!(made(&world, &files).len(), 100);
    assert_eq!(world.asked("out").len(), asked + 1, "it is made once");
    assert_eq!(dead(&world).await, []);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn one_page_of_a_hundred_that_cannot_be_written_is_set_aside_and_made_once_it_can() {
    poisoned(&SITE).await;
}

#[tokio::test(start_paused = true)]
async fn one_month_of_a_hundred_that_cannot_be_written_is_set_aside_and_made_once_it_can() {
    poisoned(&PRINT).await;
}

fn text(path: &Path) -> String {
    let bytes = std::fs::read(path).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// An older room that could not be written never comes back over a newer one: neither after an
/// outage, nor when somebody tries again what was set aside.
async fn newest(writer: &Writer) {
    let before = sheet(3, |_| "Premier".to_owned());
    let name = writer.names(&before, 3).await[1].clone();
    let world = writer.world(&before, &[]).await;
    let file = (writer.file)(&world, &name, 1);
    assert!(text(&world.path(&file)).contains("Premier"));
    let move_to = |room: &str| {
        let room = room.to_owned();
        world.write(
            "programme.csv",
            &sheet(3, move |n| match n {
                1 => room.clone(),
                _ => "Premier".to_owned(),
            }),
        );
    };
    let gone = |what: &str| {
        assert!(!text(&world.path(&file)).contains(what), "{what} came back");
    };

    // The folder is away while two changes come.
    std::fs::rename(world.path("out"), world.path("kept")).unwrap();
    world.write("out", "in the way");
    move_to("Deuxieme");
    world.pass(SOON, SECOND * 5).await;
    move_to("Troisieme");
    world.pass(SOON, SECOND * 5).await;
    std::fs::remove_file(world.path("out")).unwrap();
    std::fs::rename(world.path("kept"), world.path("out")).unwrap();
    world.pass(SOON, SECOND * 5).await;
    assert!(text(&world.path(&file)).contains("Troisieme"));
    gone("Deuxieme");

    // One change is given up, a newer one arrives, then the older is tried again.
    std::fs::remove_file(world.path(&file)).unwrap();
    std::fs::create_dir(world.path(&file)).unwrap();
    move_to("Quatrieme");
    world.pass(SOON, SECOND * 5).await;
    let older = dead(&world).await;
    assert_eq!(older.len(), 1, "{older:?}");
    std::fs::remove_dir(world.path(&file)).unwrap();
    move_to("Cinquieme");
    world.pass(SOON, SECOND * 5).await;
    assert!(text(&world.path(&file)).contains("Cinquieme"));
    for (delivery, _) in older {
        let reply = world
            .desk
            .input(raccord_engine::Input::Order(Order::Retry(delivery)))
            .await;
        drop(reply);
    }
    world.pass(SOON, SECOND * 5).await;
    assert!(text(&world.path(&file)).contains("Cinquieme"));
    gone("Quatrieme");
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_page_never_goes_back_to_an_older_room() {
    newest(&SITE).await;
}

#[tokio::test(start_paused = true)]
async fn a_printed_month_never_goes_back_to_an_older_room() {
    newest(&PRINT).await;
}
