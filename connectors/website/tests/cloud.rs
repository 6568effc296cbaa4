//! The site in the folder of a cloud: what holds of a disk holds there, and nobody else's file is
//! touched.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{TODAY, page, programme, publication, publish, remove, sample, site, write};
use raccord_dav::standin::Files;
use raccord_kit::Tool;
use raccord_kit::standin::{Reply, Standin};
use raccord_kit::testing::NOON;
use raccord_model::{Blame, Entity, Found, Lang};
use serde_json::json;

const FOLDER: &str = "Site/";

struct Stage {
    standin: Standin,
    files: Files,
    tool: Box<dyn Tool>,
    month: Vec<Entity>,
}

async fn stage() -> Stage {
    let standin = Standin::start().await;
    let files = Files::at(NOON);
    let cloud = files.clone();
    standin.direct(move |seen| cloud.answer(seen));
    let folder = tempfile::tempdir().unwrap();
    let settings = json!({
        "output": standin.url("/apps/files/files/12?dir=/Site"),
        "user": "raccord",
        "password": "canary",
    });
    let (tool, _) = site(folder.path(), settings);
    Stage {
        standin,
        files,
        tool,
        month: sample(),
    }
}

impl Stage {
    async fn publish(&self, month: &[Entity]) {
        publish(&*self.tool, month, Lang::Fr, TODAY).await;
        self.files.state().now += 60;
    }

    fn names(&self) -> Vec<String> {
        self.files.state().files.keys().cloned().collect()
    }
}

#[tokio::test]
async fn the_site_is_the_same_as_on_a_disk_and_written_once() {
    let stage = stage().await;
    stage.publish(&stage.month).await;
    let folder = tempfile::tempdir().unwrap();
    let (disk, _) = site(folder.path(), json!({ "output": "site" }));
    publish(&*disk, &stage.month, Lang::Fr, TODAY).await;
    let index = std::fs::read(folder.path().join("site/index.html")).unwrap();
    assert_eq!(stage.files.bytes("Site/index.html").unwrap(), index);
    let on_disk = common::files(&folder.path().join("site")).len();
    assert_eq!(stage.names().len(), on_disk);

    let puts = stage.files.count("PUT");
    stage.publish(&stage.month).await;
    assert_eq!(stage.files.count("PUT"), puts, "nothing changed");
    let list = stage.files.bytes("Site/activities.json").unwrap();
    let (again, clock) = site(
        folder.path(),
        json!({
            "output": stage.standin.url("/remote.php/dav/files/raccord/Site"),
            "user": "raccord",
            "password": "canary",
        }),
    );
    clock.advance(jiff::SignedDuration::from_hours(5));
    publish(&*again, &stage.month, Lang::Fr, TODAY).await;
    assert_eq!(
        stage.files.count("PUT"),
        puts,
        "nor for another process, later"
    );
    assert_eq!(stage.files.bytes("Site/activities.json").unwrap(), list);
}

#[tokio::test]
async fn what_is_no_longer_there_is_taken_away_and_what_was_deleted_is_found_missing() {
    let stage = stage().await;
    stage.publish(&stage.month).await;
    let sink = stage.tool.sink().unwrap();
    let all: Vec<String> = stage
        .month
        .iter()
        .map(|entity| format!("activities/{}.html", entity.id))
        .collect();
    let there = |name: &&String| stage.names().contains(&format!("{FOLDER}{name}"));
    let written: Vec<String> = all.iter().filter(there).cloned().collect();
    assert!(written.len() > 10 && sink.missing(&written).await.is_empty());
    assert!(
        sink.lost(&written).is_empty(),
        "a cloud is asked, not looked at"
    );

    let deleted = format!("{FOLDER}{}", written[3]);
    stage.files.state().files.remove(&deleted);
    assert_eq!(sink.missing(&written).await, [written[3].clone()]);
    stage.standin.direct(|_| Reply::status(503).into());
    assert!(
        sink.missing(&written).await.is_empty(),
        "one that is away lost nothing"
    );
    let cloud = stage.files.clone();
    stage.standin.direct(move |seen| cloud.answer(seen));

    let first = stage
        .month
        .iter()
        .find(|one| written[0].contains(&one.id.to_string()))
        .unwrap();
    let desired = page(&*stage.tool, first).unwrap();
    let job = write(first.id, desired);
    assert!(matches!(sink.find(&job).await.unwrap(), Found::Yes(_)));
    sink.apply(&remove(first.id, &written[0])).await.unwrap();
    assert!(!stage.names().contains(&format!("{FOLDER}{}", written[0])));
    assert!(matches!(sink.find(&job).await.unwrap(), Found::No { .. }));

    // The whole of it goes, and somebody's file beside it stays.
    stage.files.somebody_puts("Site/notes.md", b"precious");
    sink.apply(&remove(publication(), "index.html"))
        .await
        .unwrap();
    for one in &stage.month {
        let path = format!("activities/{}.html", one.id);
        sink.apply(&remove(one.id, &path)).await.unwrap();
    }
    assert_eq!(stage.names(), ["Site/notes.md"]);
    let gone = sink.missing(&written).await;
    assert_eq!(
        gone, written,
        "a folder without our mark is not the one we wrote to"
    );
}

#[tokio::test]
async fn a_folder_that_holds_somebodys_files_is_refused_and_left_as_it_is() {
    let stage = stage().await;
    stage.files.somebody_makes(FOLDER);
    stage.files.somebody_puts("Site/style.css", b"theirs");
    let job = write(
        publication(),
        programme(&*stage.tool, &stage.month, Lang::Fr, TODAY),
    );
    let failure = stage.tool.sink().unwrap().apply(&job).await.unwrap_err();
    assert_eq!(
        (failure.blame, failure.code.as_str()),
        (Blame::Access, "website.not-ours")
    );
    let findings = stage.tool.check().await;
    assert_eq!(findings[0].code, "website.not-ours");
    assert_eq!(stage.names(), ["Site/style.css"]);
    stage.files.state().files.clear();
    assert!(
        stage.tool.check().await.is_empty(),
        "an empty folder is fine"
    );
    assert_eq!(stage.files.count("PUT") + stage.files.count("MKCOL"), 0);
}

#[tokio::test]
async fn without_room_the_front_page_waits_and_nothing_is_half_there() {
    let stage = stage().await;
    stage.publish(&stage.month).await;
    let before = stage.files.bytes("Site/index.html").unwrap();
    stage.files.state().full = true;
    let job = write(
        publication(),
        programme(&*stage.tool, &stage.month[..10], Lang::Fr, TODAY),
    );
    let failure = stage.tool.sink().unwrap().apply(&job).await.unwrap_err();
    assert_eq!(
        (failure.blame, failure.code.as_str()),
        (Blame::Transient, "website.quota")
    );
    assert_eq!(stage.files.bytes("Site/index.html").unwrap(), before);
    stage.files.state().full = false;
    let made = stage.tool.sink().unwrap().apply(&job).await.unwrap();
    assert!(!made.unchanged);
    assert_ne!(stage.files.bytes("Site/index.html").unwrap(), before);
}
