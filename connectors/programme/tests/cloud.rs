//! Programmes in a folder of a cloud that people share, beside files of their own.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use jiff::civil::date;
use raccord_connector_programme::CONNECTOR;
use raccord_dav::standin::Files;
use raccord_kit::standin::{Reply, Standin};
use raccord_kit::testing::NOON;
use raccord_kit::{Job, Kit, Tool, testing};
use raccord_model::{
    Blame, Context, Desired, Digest, Entity, EntityId, EntityKind, Found, Lang, Link, Rendered,
    Subject,
};
use serde_json::{Value, json};

const FILE: &str = "Programme d'été/programme-2027-01.pdf";

struct Stage {
    standin: Standin,
    files: Files,
    tool: Box<dyn Tool>,
}

async fn stage() -> Stage {
    let standin = Standin::start().await;
    let files = Files::at(NOON);
    files.somebody_makes("Programme d'été/");
    files.somebody_puts("Programme d'été/notes.md", b"precious");
    let cloud = files.clone();
    standin.direct(move |seen| cloud.answer(seen));
    let kit = Kit {
        program: std::path::absolute(Path::new("tests/children/echoes")).unwrap(),
        ..testing::kit()
    };
    let settings = json!({
        "output": standin.url("/remote.php/dav/files/raccord/Programme%20d'%C3%A9t%C3%A9"),
        "user": "raccord",
        "password": "canary",
    });
    let tool = (CONNECTOR.build)(settings, &kit).unwrap_or_else(|wrong| panic!("{wrong:?}"));
    Stage {
        standin,
        files,
        tool,
    }
}

fn month(tool: &dyn Tool, title: &str) -> Desired {
    let fields: Value = json!({ "title": title, "start": "2027-01-15T18:00" });
    let member = Entity {
        id: EntityId::derive(&[b"one"]),
        kind: EntityKind::Activity,
        revision: 1,
        source: "sheet".into(),
        fields: serde_json::from_value(fields).unwrap(),
    };
    let place = testing::kit().place;
    let context = Context {
        place: &place,
        lang: Lang::Fr,
        today: date(2027, 1, 2),
        route: None,
    };
    let subject = Subject::Publication {
        id: EntityId::derive(&[b"2027-01"]),
        key: "2027-01",
        members: &[member],
    };
    match tool.sink().unwrap().render(subject, &context) {
        Rendered::Object(desired) => desired,
        Rendered::Nothing => panic!("there is something to print"),
    }
}

fn write(desired: Desired) -> Job {
    Job::Write {
        entity: EntityId::derive(&[b"2027-01"]),
        desired,
        link: None,
    }
}

#[tokio::test]
async fn a_month_is_put_there_found_again_renewed_and_taken_away() {
    let Stage {
        files,
        tool,
        standin: _standin,
    } = stage().await;
    let sink = tool.sink().unwrap();
    let job = write(month(&*tool, "Bal"));
    assert!(matches!(sink.find(&job).await.unwrap(), Found::No { .. }));
    let made = sink.apply(&job).await.unwrap();
    assert_eq!(made.applied.tag.as_deref(), Some("1"));
    assert!(matches!(sink.find(&job).await.unwrap(), Found::Yes(_)));
    files.state().now += 60;
    let again = sink.apply(&job).await.unwrap();
    assert!(again.unchanged);
    assert_eq!(files.count("PUT"), 1);
    let object = ["programme-2027-01.pdf".to_owned()];
    assert!(sink.missing(&object).await.is_empty());

    let made = sink
        .apply(&write(month(&*tool, "Grand bal")))
        .await
        .unwrap();
    assert_eq!(
        made.applied.tag.as_deref(),
        Some("2"),
        "the file says which it was"
    );
    assert_eq!(files.count("PUT"), 2);

    files.state().files.remove(FILE);
    assert_eq!(sink.missing(&object).await, object);
    sink.apply(&write(month(&*tool, "Grand bal")))
        .await
        .unwrap();
    let link = Link {
        external: object[0].clone(),
        ..Link::nameless(Digest::default())
    };
    let entity = EntityId::derive(&[b"2027-01"]);
    sink.apply(&Job::Remove { entity, link }).await.unwrap();
    let left: Vec<String> = files.state().files.keys().cloned().collect();
    assert_eq!(left, ["Programme d'été/notes.md"]);
}

#[tokio::test]
async fn a_file_of_that_name_that_somebody_else_made_is_theirs() {
    let Stage {
        files,
        tool,
        standin,
    } = stage().await;
    let sink = tool.sink().unwrap();
    files.somebody_puts(FILE, b"%PDF-1.7 scanned by hand");
    let job = write(month(&*tool, "Bal"));
    let failure = sink.apply(&job).await.unwrap_err();
    assert_eq!(
        (failure.blame, failure.code.as_str()),
        (Blame::Data, "programme.not-ours")
    );
    let link = Link {
        external: "programme-2027-01.pdf".to_owned(),
        ..Link::nameless(Digest::default())
    };
    let entity = EntityId::derive(&[b"2027-01"]);
    sink.apply(&Job::Remove { entity, link }).await.unwrap();
    assert_eq!(files.bytes(FILE).unwrap(), b"%PDF-1.7 scanned by hand");

    // One that is away is asked again, and is no reason to think that nothing was written.
    standin.direct(|_| Reply::status(503).into());
    let failure = sink.find(&job).await.unwrap_err();
    assert_eq!(failure.blame, Blame::Transient);
    let failure = sink.apply(&job).await.unwrap_err();
    assert_eq!(failure.blame, Blame::Transient);
}

#[tokio::test]
async fn a_folder_that_is_shared_to_be_read_only_is_told_with_what_to_click_and_left_alone() {
    let stage = stage().await;
    stage.files.state().read_only = true;
    let findings = stage.tool.check().await;
    let [found] = &findings[..] else {
        panic!("{findings:?}");
    };
    assert!(found.code.ends_with(".read-only"), "{found:?}");
    assert!(found.mend.fr.contains("Autoriser la modification"));
    assert!(found.mend.en.contains("Allow editing"));
    assert!(stage.standin.writes().is_empty());
    let desired = month(&*stage.tool, "Bal");
    let refused = stage.tool.sink().unwrap().apply(&write(desired)).await;
    assert_eq!(refused.unwrap_err().blame, raccord_model::Blame::Access);
    // Once it may be written, it is.
    stage.files.state().read_only = false;
    assert_eq!(stage.tool.check().await, []);
}
