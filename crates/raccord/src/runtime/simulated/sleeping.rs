//! A place where nothing is to do: it holds nothing, and misses nothing.

use jiff::SignedDuration;
use raccord_kit::standin::{Reply, Standin};
use serde_json::json;

use super::world::World;

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
/// Waiting for a place that is awake is a glance at it: it falls asleep between two only.
const STEP: SignedDuration = SignedDuration::from_secs(10);
const SHEET: &str = "Titre,Date,Début\nBal,2027-01-09,20:30\nFilm,2027-01-10,20:30\n";

fn config(sheet: &Standin) -> String {
    format!(
        "[connectors.sheet]\nkind = 'spreadsheet'\nlocation = '{}'\nevery = '5m'\n\
         [connectors.site]\nkind = 'website'\noutput = 'site'\n",
        sheet.url("/programme.csv")
    )
}

/// The files of this process that lie in the place's data folder.
fn open_files(world: &World) -> Vec<std::path::PathBuf> {
    let data = world.path("data");
    let all = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
    let all = all.filter_map(|entry| std::fs::read_link(entry.path()).ok());
    all.filter(|path| path.starts_with(&data)).collect()
}

async fn last_read(world: &World) -> f64 {
    let (_, scrape) = world.get("/metrics").await;
    let of = "raccord_source_last_read_seconds{place=\"lieu\",connector=\"sheet\"} ";
    let line = scrape.lines().find_map(|line| line.strip_prefix(of));
    line.unwrap().parse().unwrap()
}

fn shown(world: &World) -> String {
    std::fs::read_to_string(world.path("site/activities.json")).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_place_sleeps_while_its_sheet_stays_as_it_is_and_wakes_for_a_change() {
    let standin = Standin::start().await;
    standin.always(Reply::ok(SHEET));
    let world = World::start(&config(&standin), &[]).await;
    world.until_it_sleeps().await;
    assert_eq!(open_files(&world), Vec::<std::path::PathBuf>::new());
    let (read, before) = (world.asked("sheet").len(), last_read(&world).await);
    let commit = world.desk.pulse().borrow().commit;

    world.pass(MINUTE * 60, STEP).await;
    assert!(world.sleeps(), "readings that bring nothing wake nobody");
    assert_eq!(world.asked("sheet").len() - read, 12);
    let later = last_read(&world).await - before;
    assert!((3_590.0..3_610.0).contains(&later), "{later}");
    assert_eq!(
        world.desk.pulse().borrow().commit,
        commit,
        "the log grew for nothing"
    );
    assert!(shown(&world).contains("Bal"));

    standin.always(Reply::ok(
        SHEET.replace("Bal,2027-01-09,20:30", "Bal,2027-01-09,21:15"),
    ));
    world.pass(MINUTE * 6, STEP).await;
    assert!(shown(&world).contains("21:15"));
    world.until_it_sleeps().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_wakes_it_and_gets_an_answer() {
    let standin = Standin::start().await;
    standin.always(Reply::ok(SHEET));
    let world = World::start(&config(&standin), &[]).await;
    world.until_it_sleeps().await;
    let (status, page) = world.get("/").await;
    assert_eq!(status, 200);
    assert!(page.contains("Bal") && page.contains("Film"), "{page}");
    assert!(!world.sleeps());
    let glance = world.until_it_sleeps().await;
    assert!(glance < SECOND * 20, "a glance keeps it awake for {glance}");
    assert!(world.get("/").await.1.contains("Bal"));
    assert!(world.sleeps(), "the next visitors do not wake it");

    let asked = world
        .state(|engine| engine.state().activities().count())
        .await;
    assert_eq!(asked, 2);
    world.until_it_sleeps().await;
    let changes = json!([{
        "specversion": "1.0", "type": "org.raccord.activity.created.v1", "id": "1",
        "source": "elsewhere", "subject": "a", "time": "2027-01-02T08:00:00Z",
        "data": {"title": "Jam", "start": "2027-01-11T20:00"}
    }]);
    let mut headers = axum::http::HeaderMap::new();
    let media = "application/cloudevents-batch+json".parse().unwrap();
    headers.insert("content-type", media);
    let form = raccord_web::form_of(&headers).unwrap();
    let changes = raccord_web::read(form, changes.to_string().as_bytes(), 10).unwrap();
    let reply = world
        .desk
        .input(raccord_engine::Input::Posted(changes))
        .await;
    assert_eq!(reply.unwrap(), raccord_engine::Reply::Taken);
    world.pass(SECOND * 5, SECOND).await;
    assert!(shown(&world).contains("Jam"));
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_due_by_the_calendar_happens_while_it_sleeps() {
    let standin = Standin::start().await;
    standin.always(Reply::ok(
        "Titre,Date,Début\nBal,2027-01-02,20:30\nFilm,2027-01-10,20:30\n",
    ));
    let world = World::start(&config(&standin), &[]).await;
    world.until_it_sleeps().await;
    let coming = || {
        let front = std::fs::read_to_string(world.path("site/index.html")).unwrap();
        front.split("<details").next().unwrap().to_owned()
    };
    assert!(coming().contains("Bal"));
    world.pass(MINUTE * 60 * 24, MINUTE).await;
    assert!(coming().contains("Film") && !coming().contains("Bal"));
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_read_no_more_is_told_although_the_place_slept() {
    let standin = Standin::start().await;
    standin.always(Reply::ok(SHEET));
    let world = World::start(&config(&standin), &[]).await;
    world.pass(MINUTE * 30, STEP).await;
    assert!(world.sleeps());
    assert_eq!(world.told("silent"), Vec::<String>::new());
    world.freeze();
    world.pass(MINUTE * 10, STEP).await;
    assert_eq!(world.told("silent"), Vec::<String>::new());
    world.pass(MINUTE * 12, STEP).await;
    assert_eq!(world.told("silent"), ["open"]);
    world.end().await;
}
