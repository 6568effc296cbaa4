//! The demo's calendar keeps its conditions and refuses what a calendar server refuses; and the
//! connector works with it, from finding it to what a member makes of an entry.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use base64::Engine as _;
use bytes::Bytes;
use common::{Next, behind};
use raccord_connector_nextcloud_calendar::CONNECTOR;
use raccord_demo::calendar::{Calendar, USER};
use raccord_demo::wire::Asked;
use raccord_kit::testing::kit;
use raccord_kit::{Job, Tool};
use raccord_model::{
    Context, Entity, EntityId, EntityKind, Found, Lang, Link, Observation, Rendered, Subject,
};
use serde_json::{Value, json};

const PASSWORD: &str = "secret";
const PATH: &str = "/raccord/programme/";

fn ask(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Asked {
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{USER}:{PASSWORD}"));
    let mut asked = http::Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Basic {pair}"));
    for (name, value) in headers {
        asked = asked.header(*name, *value);
    }
    asked.body(Bytes::from(body.to_owned())).unwrap()
}

fn entry(uid: &str, title: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:t\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20270101T000000Z\r\nDTSTART:20270102T183000\r\nSUMMARY:{title}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

#[test]
fn conditions_hold_and_nonsense_is_refused() {
    let mut calendar = Calendar::new(PASSWORD);
    let mut status = |method: &str, path: &str, headers: &[(&str, &str)], body: &str| {
        let answer = calendar.answer(&ask(method, path, headers, body));
        let etag = answer.headers().get("etag");
        let etag = etag.map_or("", |etag| etag.to_str().unwrap()).to_owned();
        (answer.status().as_u16(), etag)
    };
    let file = format!("{PATH}a.ics");
    let (fresh, over) = ([("if-none-match", "*")], [("if-match", "\"other\"")]);
    let first = entry("a", "Un");
    assert_eq!(status("PUT", &file, &fresh, &first).0, 409, "no calendar");
    assert_eq!(status("MKCALENDAR", PATH, &[], "").0, 201);
    assert_eq!(status("MKCALENDAR", PATH, &[], "").0, 405);
    assert_eq!(status("MKCALENDAR", "/other/x/", &[], "").0, 403);
    assert_eq!(status("GET", &file, &[], "").0, 404);
    assert_eq!(status("PUT", &file, &over, &first).0, 412);
    let (made, etag) = status("PUT", &file, &fresh, &first);
    assert_eq!(made, 201);
    assert_eq!(status("PUT", &file, &fresh, &first).0, 412);
    assert_eq!(status("PUT", &file, &over, &first).0, 412);
    let other = format!("{PATH}b.ics");
    assert_eq!(
        status("PUT", &other, &fresh, &first).0,
        409,
        "its UID stands elsewhere"
    );
    assert_eq!(status("PUT", &other, &fresh, "words").0, 403);
    let task = first.replace("VEVENT", "VTODO").replace("UID:a", "UID:c");
    assert_eq!(status("PUT", &other, &fresh, &task).0, 403, "no tasks here");
    let (changed, next) = status("PUT", &file, &[("if-match", &etag)], &entry("a", "Deux"));
    assert_eq!(changed, 204);
    assert_ne!(next, etag);
    assert_eq!(status("DELETE", &file, &[("if-match", &etag)], "").0, 412);
    assert_eq!(status("DELETE", &file, &[("if-match", &next)], "").0, 204);
    assert_eq!(status("DELETE", &file, &[], "").0, 404);
    assert_eq!(status("PROPFIND", PATH, &[], "nonsense").0, 400);
    assert_eq!(
        status("REPORT", PATH, &[], "<x:other xmlns:x=\"DAV:\"/>").0,
        403
    );
    let token = "<d:sync-collection xmlns:d=\"DAV:\"><d:sync-token>urn:raccord:demo/99</d:sync-token></d:sync-collection>";
    assert_eq!(
        status("REPORT", PATH, &[], token).0,
        403,
        "a state it never had"
    );
    let mut stranger = ask("GET", &file, &[], "");
    stranger.headers_mut().remove("authorization");
    assert_eq!(calendar.answer(&stranger).status().as_u16(), 401);
}

fn activity(number: usize, room: &str) -> Entity {
    let fields = json!({
        "title": format!("Concert {number}"), "start": "2027-01-02T20:00",
        "end": "2027-01-02T22:00", "zone": "Europe/Paris", "room": room,
    });
    Entity {
        id: EntityId::derive(&[b"demo", &number.to_be_bytes()]),
        kind: EntityKind::Activity,
        revision: 1,
        source: "programme-sheet".to_owned(),
        fields: serde_json::from_value(fields).unwrap(),
    }
}

fn job(tool: &dyn Tool, entity: &Entity, link: Option<Link>) -> Job {
    let place = kit().place;
    let context = Context {
        place: &place,
        lang: Lang::Fr,
        today: jiff::civil::date(2026, 12, 20),
        route: None,
    };
    let subject = Subject::Entity {
        entity,
        parent: None,
        tasks: &[],
    };
    let Rendered::Object(desired) = tool.sink().unwrap().render(subject, &context) else {
        panic!("it is shown");
    };
    Job::Write {
        entity: entity.id,
        desired,
        link,
    }
}

async fn put(tool: &dyn Tool, entity: &Entity, link: Option<Link>) -> Link {
    let job = job(tool, entity, link);
    let made = tool.sink().unwrap().apply(&job).await.unwrap();
    let Job::Write { desired, .. } = job else {
        unreachable!("it writes");
    };
    Link {
        external: made.applied.external,
        tag: made.applied.tag,
        hash: desired.hash,
        revision: entity.revision,
        url: None,
    }
}

#[tokio::test]
async fn the_connector_writes_finds_and_hears_what_members_change() {
    let (standin, calendar, next) = behind(Calendar::new(PASSWORD), |calendar, asked| {
        calendar.answer(asked)
    })
    .await;
    let settings: Value = json!({
        "url": standin.url("/"), "user": USER, "password": PASSWORD, "calendar": "programme",
    });
    let tool = (CONNECTOR.build)(settings, &kit()).unwrap();
    let found = tool.check().await;
    assert_eq!(found.len(), 1, "the calendar will be made: {found:?}");
    let one = activity(1, "Grande salle");
    let link = put(&*tool, &one, None).await;
    assert_eq!(tool.check().await, []);
    let read = async |cursor: Option<&str>, link: &Link| {
        tool.shared().unwrap().ours(vec![(one.id, link.clone())]);
        tool.source().unwrap().observe(cursor).await.unwrap()
    };
    let Observation::Complete(reading) = read(None, &link).await else {
        panic!("a first reading is whole");
    };
    let unchanged = reading.edits.iter().all(|edit| edit.fields.is_empty());
    assert!(unchanged, "nobody changed ours: {:?}", reading.edits);
    let cursor = reading.cursor.unwrap();
    assert!(matches!(
        read(Some(&cursor), &link).await,
        Observation::Unchanged { .. }
    ));

    // A member moves it, and writes an entry of their own.
    let answer = calendar
        .lock()
        .unwrap()
        .answer(&ask("GET", &link.external, &[], ""));
    let text = String::from_utf8(answer.body().to_vec()).unwrap();
    let text = text.replace("20270102T200000", "20270102T203000");
    let own = format!("{PATH}own.ics");
    for (path, text) in [(&link.external, &text), (&own, &entry("own", "Apéro"))] {
        let answer = calendar
            .lock()
            .unwrap()
            .answer(&ask("PUT", path, &[], text));
        assert!(answer.status().is_success());
    }
    let Observation::Complete(reading) = read(Some(&cursor), &link).await else {
        panic!("something changed");
    };
    assert_eq!(reading.edits.len(), 1);
    assert_eq!(reading.edits[0].fields["start"], "2027-01-02T20:30");

    // An entry whose answer was lost is found, and stands once.
    *next.lock().unwrap() = Next::Unheard;
    let two = activity(2, "Jardin");
    let sink = tool.sink().unwrap();
    sink.apply(&job(&*tool, &two, None)).await.unwrap_err();
    assert!(matches!(
        sink.find(&job(&*tool, &two, None)).await.unwrap(),
        Found::Yes(_)
    ));
    put(&*tool, &two, None).await;
    assert_eq!(calendar.lock().unwrap().entries().len(), 3);
    let taken = Job::Remove {
        entity: one.id,
        link,
    };
    sink.apply(&taken).await.unwrap();
    let left = calendar.lock().unwrap().entries();
    assert!(
        left.iter().all(|entry| entry.title != "Concert 1"),
        "{left:?}"
    );
}
