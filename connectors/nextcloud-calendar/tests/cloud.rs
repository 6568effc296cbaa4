//! Nextcloud's surprises, each by itself: what the connector makes of it, and that the stand-in has it.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{Stage, activity, concert, settings};
use jiff::SignedDuration;
use raccord_connector_nextcloud_calendar::CONNECTOR;
use raccord_kit::http::{Http, Request, Target};
use raccord_kit::testing::kit;
use raccord_model::{Blame, Digest, EntityId, Link, Observation};
use serde_json::json;

fn file(link: &Link) -> String {
    link.external.rsplit('/').next().unwrap().to_owned()
}

fn paths(stage: &Stage, method: &str) -> Vec<String> {
    let seen = stage.standin.seen();
    let of = seen.into_iter().filter(|seen| seen.method == method);
    of.map(|seen| seen.path).collect()
}

#[tokio::test]
async fn a_missing_calendar_is_made_and_an_entry_stands_in_it() {
    let stage = Stage::open().await;
    let link = stage.put(&concert(), None).await;
    assert_eq!(stage.cloud.count("MKCALENDAR"), 1);
    let text = stage.cloud.text("programme", &file(&link));
    assert!(text.contains("SUMMARY:Concert 1\r\n"), "{text}");
    assert!(
        file(&link)
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b))
    );
    let made = stage.write(&concert(), Some(link)).await.unwrap();
    assert!(made.unchanged);
    assert_eq!(
        stage.cloud.count("PUT"),
        1,
        "what is there already is not written"
    );
}

#[tokio::test]
async fn routes_bring_activities_into_several_calendars_and_a_move_leaves_nothing_behind() {
    let stage = Stage::open().await;
    let route = |calendar: &str| -> raccord_model::Route {
        serde_json::from_value(json!({ "to": "tested", "when": {}, "calendar": calendar })).unwrap()
    };
    let link = stage.put(&concert(), None).await;
    let made = stage
        .write_by(&concert(), Some(link), Some(&route("Salle n° 1")))
        .await
        .unwrap();
    assert!(made.applied.external.contains("/salle-n-1/"), "{made:?}");
    assert!(stage.cloud.files("programme").is_empty());
    assert_eq!(stage.cloud.files("salle-n-1").len(), 1);
}

#[tokio::test]
async fn an_entry_in_the_trash_bin_comes_back_with_what_members_added() {
    let stage = Stage::open().await;
    let link = stage.put(&concert(), None).await;
    let name = file(&link);
    stage.cloud.member_edits("programme", &name, |text| {
        text.replace("END:VEVENT", "COMMENT:Clefs chez Zoé\r\nEND:VEVENT")
    });
    stage.cloud.member_deletes("programme", &name);
    let later = activity(1, json!({ "title": "Bal" }));
    let again = stage.put(&later, Some(link)).await;
    assert_eq!(
        paths(&stage, "MOVE"),
        ["/remote.php/dav/calendars/raccord/trashbin/objects/1.ics"]
    );
    let text = stage.cloud.text("programme", &file(&again));
    assert!(
        text.contains("COMMENT:Clefs chez Zoé") && text.contains("SUMMARY:Bal"),
        "{text}"
    );
    assert!(stage.cloud.state().trash.is_empty());
}

#[tokio::test]
async fn an_entry_the_trash_bin_keeps_is_thrown_away_for_good_and_made_anew() {
    let stage = Stage::open().await;
    let link = stage.put(&concert(), None).await;
    stage.cloud.member_deletes("programme", &file(&link));
    stage.cloud.state().quirks.no_restore = true;
    stage.put(&concert(), Some(link)).await;
    assert_eq!(
        paths(&stage, "DELETE"),
        ["/remote.php/dav/calendars/raccord/trashbin/objects/1.ics"]
    );
    assert_eq!(stage.cloud.files("programme").len(), 1);
}

#[tokio::test]
async fn a_server_error_without_an_entry_in_the_trash_is_an_outage() {
    let stage = Stage::open().await;
    stage.put(&concert(), None).await;
    let other = activity(2, json!({}));
    let wrong = raccord_kit::standin::Reply::status(500);
    let cloud = stage.cloud.clone();
    stage
        .standin
        .direct(move |seen| match seen.method.as_str() {
            "PUT" => wrong.clone().into(),
            _ => cloud.answer(seen),
        });
    let failure = stage.write(&other, None).await.unwrap_err();
    assert_eq!(failure.blame, Blame::Transient);
}

#[tokio::test]
async fn an_activity_called_off_whose_entry_was_deleted_stays_away() {
    let stage = Stage::open().await;
    let link = stage.put(&concert(), None).await;
    stage.cloud.member_deletes("programme", &file(&link));
    let off = activity(1, json!({ "status": "cancelled" }));
    let made = stage.write(&off, Some(link)).await.unwrap();
    assert!(made.unchanged);
    assert!(stage.cloud.files("programme").is_empty());
}

#[tokio::test]
async fn a_withdrawn_entry_is_cancelled_before_it_goes_and_an_adopted_one_stays() {
    let stage = Stage::open().await;
    let link = stage.put(&concert(), None).await;
    stage.remove(&concert(), &link).await.unwrap();
    let (_, _, _, bytes) = stage.cloud.state().trash[0].clone();
    assert!(
        String::from_utf8(bytes)
            .unwrap()
            .contains("STATUS:CANCELLED")
    );
    stage.remove(&concert(), &link).await.unwrap();

    stage
        .cloud
        .member_puts("programme", "café du matin.ics", MEMBERS);
    let adopted = Link {
        external: "/remote.php/dav/calendars/raccord/programme/café du matin.ics".to_owned(),
        ..Link::nameless(Digest::default())
    };
    let link = stage
        .put(&activity(3, json!({ "title": "Café" })), Some(adopted))
        .await;
    stage.remove(&activity(3, json!({})), &link).await.unwrap();
    let text = stage.cloud.text("programme", "café du matin.ics");
    assert!(
        text.contains("STATUS:CANCELLED") && text.contains("UID:cafe-1"),
        "{text}"
    );
}

const MEMBERS: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Mozilla.org/NONSGML Mozilla Calendar V1.1//EN\r\nBEGIN:VEVENT\r\nUID:cafe-1\r\nDTSTAMP:20261122T090000Z\r\nDTSTART;TZID=Europe/Paris:20270105T090000\r\nDTEND;TZID=Europe/Paris:20270105T110000\r\nSUMMARY:Café du matin\r\nX-MOZ-GENERATION:2\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

#[tokio::test]
async fn an_edit_taken_back_has_the_same_etag_again_and_closes_its_question() {
    let stage = Stage::open().await;
    let link = stage.put(&concert(), None).await;
    let ours = [(concert().id, link.clone())];
    let first = stage.reading(None, &ours).await;
    let name = file(&link);
    let before = stage.cloud.text("programme", &name);
    stage.cloud.member_edits("programme", &name, |text| {
        text.replace("SUMMARY:Concert 1", "SUMMARY:Bal")
    });
    let second = stage.reading(first.cursor.as_deref(), &ours).await;
    assert_eq!(second.edits[0].fields["title"], "Bal");
    stage.cloud.member_puts("programme", &name, &before);
    let third = stage.reading(second.cursor.as_deref(), &ours).await;
    assert_eq!(third.edits[0].entity, concert().id);
    assert!(third.edits[0].fields.is_empty(), "{third:?}");
}

#[tokio::test]
async fn what_we_wrote_ourselves_is_no_news() {
    let stage = Stage::open().await;
    let link = stage.put(&concert(), None).await;
    let ours = [(concert().id, link.clone())];
    let first = stage.reading(None, &ours).await;
    assert!(first.lines.is_empty() && first.edits.iter().all(|edit| edit.fields.is_empty()));
    let later = activity(1, json!({ "title": "Bal" }));
    let link = stage.put(&later, Some(link)).await;
    let ours = [(concert().id, link)];
    let reports = stage.cloud.count("REPORT");
    let second = stage.reading(first.cursor.as_deref(), &ours).await;
    assert!(second.lines.is_empty() && second.edits.iter().all(|edit| edit.fields.is_empty()));
    assert_eq!(
        stage.cloud.count("REPORT"),
        reports + 1,
        "its text is not fetched either"
    );
    // Before its link is known it is nobody else's entry.
    let third = stage.reading(None, &[]).await;
    assert!(third.lines.is_empty());
}

#[tokio::test]
async fn an_unchanged_poll_is_one_small_request() {
    let stage = Stage::open().await;
    let link = stage.put(&concert(), None).await;
    let ours = [(concert().id, link)];
    let first = stage.reading(None, &ours).await;
    let before = stage.standin.seen().len();
    let same = stage.read(first.cursor.as_deref(), &ours).await.unwrap();
    assert_eq!(same, Observation::Unchanged { cursor: None });
    let seen = stage.standin.seen();
    assert_eq!(seen.len(), before + 1);
    assert!(seen.last().unwrap().body.len() < 400);
}

#[tokio::test]
async fn a_server_that_refuses_to_sync_is_compared_by_etag() {
    let stage = Stage::open().await;
    let link = stage.put(&concert(), None).await;
    let ours = [(concert().id, link.clone())];
    let first = stage.reading(None, &ours).await;
    stage.cloud.state().quirks.sync_507 = true;
    stage.cloud.member_edits("programme", &file(&link), |text| {
        text.replace("SUMMARY:Concert 1", "SUMMARY:Bal")
    });
    let edits = stage.edits(first.cursor.as_deref(), &ours).await;
    assert_eq!(edits[0]["title"], "Bal");
    assert!(
        stage
            .standin
            .seen()
            .iter()
            .all(|seen| !String::from_utf8_lossy(&seen.body).contains("limit"))
    );
}

#[tokio::test]
async fn a_multiget_that_leaves_one_out_is_asked_again_alone() {
    let stage = Stage::open().await;
    stage.put(&concert(), None).await;
    stage
        .cloud
        .member_puts("programme", "café du matin.ics", MEMBERS);
    stage.cloud.state().quirks.multiget_forgets = Some("café du matin.ics".to_owned());
    let reading = stage.reading(None, &[]).await;
    assert_eq!(reading.lines.len(), 1);
    let path = "/remote.php/dav/calendars/raccord/programme/caf%C3%A9%20du%20matin.ics";
    assert!(paths(&stage, "GET").contains(&path.to_owned()));
}

#[tokio::test]
async fn addresses_in_lower_case_are_the_same_addresses() {
    let stage = Stage::open().await;
    stage.put(&concert(), None).await;
    stage
        .cloud
        .member_puts("programme", "café du matin.ics", MEMBERS);
    let reading = stage.reading(None, &[]).await;
    let native = "/remote.php/dav/calendars/raccord/programme/café du matin.ics";
    assert_eq!(reading.lines[0].native.as_deref(), Some(native));
    let adopted = Link {
        external: native.to_owned(),
        ..Link::nameless(Digest::default())
    };
    let entity = activity(3, json!({ "title": "Café du matin" }));
    let link = stage.put(&entity, Some(adopted)).await;
    assert_eq!(link.external, native);
    let reading = stage.reading(None, &[(entity.id, link)]).await;
    assert!(reading.lines.is_empty(), "it is ours now");
    assert!(
        stage
            .cloud
            .text("programme", "café du matin.ics")
            .contains("X-MOZ-GENERATION:2")
    );
}

#[tokio::test]
async fn a_text_the_server_mends_is_known_by_the_etag_it_has_then() {
    let stage = Stage::open().await;
    stage.cloud.state().quirks.mends = true;
    let link = stage.put(&concert(), None).await;
    let reading = stage.reading(None, &[(concert().id, link.clone())]).await;
    assert!(reading.edits[0].fields.is_empty());
    assert!(!link.tag.unwrap().contains("\"e\":\"\""));
    assert!(!paths(&stage, "GET").is_empty(), "it was read again");
}

#[tokio::test]
async fn a_server_restored_from_a_backup_is_compared_whole() {
    let stage = Stage::open().await;
    let link = stage.put(&concert(), None).await;
    let ours = [(concert().id, link.clone())];
    stage
        .cloud
        .state()
        .calendars
        .get_mut("programme")
        .unwrap()
        .token = 500;
    let first = stage.reading(None, &ours).await;
    stage.cloud.member_edits("programme", &file(&link), |text| {
        text.replace("SUMMARY:Concert 1", "SUMMARY:Bal")
    });
    stage
        .cloud
        .state()
        .calendars
        .get_mut("programme")
        .unwrap()
        .token = 20;
    let edits = stage.edits(first.cursor.as_deref(), &ours).await;
    assert_eq!(edits[0]["title"], "Bal");
}

#[tokio::test]
async fn a_change_that_was_pruned_from_the_log_is_found_the_next_day() {
    let stage = Stage::open().await;
    let link = stage.put(&concert(), None).await;
    let ours = [(concert().id, link.clone())];
    let first = stage.reading(None, &ours).await;
    stage.cloud.state().quirks.pruned = true;
    stage.cloud.member_edits("programme", &file(&link), |text| {
        text.replace("SUMMARY:Concert 1", "SUMMARY:Bal")
    });
    let missed = stage.reading(first.cursor.as_deref(), &ours).await;
    assert!(
        missed.edits[0].fields.is_empty(),
        "the server says nothing of it"
    );
    stage.clock.advance(SignedDuration::from_hours(24));
    let edits = stage.edits(missed.cursor.as_deref(), &ours).await;
    assert_eq!(edits[0]["title"], "Bal");
}

#[tokio::test]
async fn an_entry_members_deleted_says_that_it_does_not_take_place_and_an_emptied_calendar_says_nothing()
 {
    let stage = Stage::open().await;
    let mut ours: Vec<(EntityId, Link)> = Vec::new();
    for number in 0..12 {
        let entity = activity(number, json!({}));
        let link = stage.put(&entity, None).await;
        ours.push((entity.id, link));
    }
    let first = stage.reading(None, &ours).await;
    stage.cloud.member_deletes("programme", &file(&ours[0].1));
    let second = stage.reading(first.cursor.as_deref(), &ours).await;
    let gone = second
        .edits
        .iter()
        .find(|edit| edit.entity == ours[0].0)
        .unwrap();
    assert_eq!(gone.fields["status"], "cancelled");
    for (_, link) in &ours[1..6] {
        stage.cloud.member_deletes("programme", &file(link));
    }
    let failure = stage
        .read(second.cursor.as_deref(), &ours)
        .await
        .unwrap_err();
    assert_eq!(failure.code, "nextcloud-calendar.emptied");
}

#[tokio::test]
async fn a_wrong_password_is_shown_once_and_the_address_is_not_locked_out() {
    let stage = Stage::with(|settings| settings["password"] = json!("wrong")).await;
    for _ in 0..20 {
        let failure = stage.read(None, &[]).await.unwrap_err();
        assert_eq!(
            (failure.blame, failure.code.as_str()),
            (Blame::Access, "nextcloud-calendar.credentials")
        );
        let failure = stage.write(&concert(), None).await.unwrap_err();
        assert_eq!(failure.blame, Blame::Access);
    }
    assert_eq!(stage.cloud.state().refused, 1);
    stage.clock.advance(SignedDuration::from_mins(61));
    drop(stage.read(None, &[]).await);
    assert_eq!(
        stage.cloud.state().refused,
        2,
        "once an hour: it may be right by now"
    );
}

#[tokio::test]
async fn a_password_that_was_replaced_works_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    std::fs::write(&path, "old").unwrap();
    let at = path.clone();
    let stage = Stage::with(|settings| {
        settings.as_object_mut().unwrap().remove("password");
        settings["password_file"] = json!(at);
    })
    .await;
    assert!(stage.write(&concert(), None).await.is_err());
    std::fs::write(folder.path().join("new"), format!("{}\n", common::PASSWORD)).unwrap();
    std::fs::rename(folder.path().join("new"), &path).unwrap();
    stage.put(&concert(), None).await;
    assert_eq!(stage.cloud.state().refused, 1);
}

/// What is said of each way a calendar cannot be reached.
#[tokio::test]
async fn check_tells_every_reason_apart_and_writes_nothing() {
    type Break = fn(&Stage);
    let ways: [(&str, Break, &str); 7] = [
        (
            "untrusted",
            |stage| stage.cloud.state().untrusted = true,
            "untrusted-domain",
        ),
        (
            "wrong password",
            |stage| stage.cloud.state().set_password("other"),
            "credentials",
        ),
        (
            "two factors",
            |stage| stage.cloud.state().two_factor = true,
            "app-password",
        ),
        (
            "throttled",
            |stage| stage.cloud.state().refused = 11,
            "throttled",
        ),
        (
            "maintenance",
            |stage| stage.cloud.state().maintenance = true,
            "maintenance",
        ),
        ("missing", |_| {}, "calendar-missing"),
        (
            "read only",
            |stage| stage.cloud.state().calendar("programme").read_only = true,
            "read-only",
        ),
    ];
    for (name, way, code) in ways {
        let stage = Stage::open().await;
        way(&stage);
        let findings = stage.tool.check().await;
        let codes: Vec<&str> = findings.iter().map(|found| found.code.as_str()).collect();
        assert_eq!(codes, [format!("nextcloud-calendar.{code}")], "{name}");
        assert!(
            findings
                .iter()
                .all(|found| !found.mend.fr.is_empty() && !found.mend.en.is_empty())
        );
        assert!(stage.standin.writes().is_empty(), "{name}");
    }
    let stage = Stage::open().await;
    stage.cloud.state().calendar("programme");
    assert_eq!(stage.tool.check().await, []);
}

#[tokio::test]
async fn check_tells_a_wrong_host_and_a_wrong_certificate_apart() {
    let kit = kit();
    let tool = |url: &str| (CONNECTOR.build)(settings(url), &kit).unwrap();
    let nobody = raccord_kit::standin::Standin::nobody().await;
    let code = |findings: Vec<raccord_kit::Finding>| findings[0].code.clone();
    assert_eq!(
        code(tool(&nobody).check().await),
        "nextcloud-calendar.unreachable"
    );
    let tls = raccord_kit::standin::Standin::start_tls().await;
    assert_eq!(
        code(tool(&tls.url("/")).check().await),
        "nextcloud-calendar.certificate"
    );
    let page = raccord_kit::standin::Standin::start().await;
    page.always(raccord_kit::standin::Reply::login_page());
    assert_eq!(
        code(tool(&page.url("/")).check().await),
        "nextcloud-calendar.no-caldav"
    );
}

#[tokio::test]
async fn calendars_to_pick_are_those_that_can_be_written() {
    let stage = Stage::open().await;
    stage.cloud.state().calendar("programme");
    stage.cloud.state().calendar("lecture").read_only = true;
    let choices = stage.tool.choices().await.unwrap();
    assert_eq!(choices.len(), 1);
    assert_eq!(
        (choices[0].key.as_str(), choices[0].value.as_str()),
        ("calendar", "programme")
    );
}

#[tokio::test]
async fn a_task_is_an_entry_of_its_own_that_comes_back_from_the_trash_bin_and_goes_with_its_task() {
    let stage = Stage::with(|settings| settings["tasks"] = json!("todo")).await;
    stage.cloud.state().calendar("programme").tasks = true;
    let one = common::hands("Tenir le bar", 3, 1);
    let mut task = one.task.clone();
    stage.tasks.lock().unwrap().push(one);
    task.fields.insert("due".into(), json!("2027-01-02"));
    let link = stage.put(&task, None).await;
    let text = stage.cloud.text("programme", &file(&link));
    for line in [
        "BEGIN:VTODO\r\n",
        "DUE;VALUE=DATE:20270102\r\n",
        "1 sur 3\r\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    stage.cloud.member_edits("programme", &file(&link), |text| {
        text.replace("END:VTODO", "COMMENT:Clefs chez Zoé\r\nEND:VTODO")
    });
    stage.cloud.member_deletes("programme", &file(&link));
    task.fields
        .insert("title".into(), json!("Tenir la buvette"));
    let again = stage.put(&task, Some(link)).await;
    let text = stage.cloud.text("programme", &file(&again));
    assert!(text.contains("COMMENT:Clefs chez Zoé"), "{text}");
    assert!(text.contains("SUMMARY:Tenir la buvette"), "{text}");
    assert!(stage.cloud.state().trash.is_empty());
    // Called off it is told so; withdrawn it is called off first, and then thrown away.
    task.fields.insert("state".into(), json!("cancelled"));
    let off = stage.put(&task, Some(again)).await;
    let text = stage.cloud.text("programme", &file(&off));
    assert!(text.contains("STATUS:CANCELLED"), "{text}");
    stage.remove(&task, &off).await.unwrap();
    assert!(stage.cloud.files("programme").is_empty());
}

#[tokio::test]
async fn tasks_are_refused_with_a_reason_where_a_calendar_takes_none() {
    let stage = Stage::with(|settings| settings["tasks"] = json!("todo")).await;
    stage.cloud.state().calendar("programme");
    let mut task = activity(5, json!({ "due": "2027-01-02" }));
    task.kind = raccord_model::EntityKind::Task;
    let failure = stage.write(&task, None).await.unwrap_err();
    assert_eq!(failure.code, "nextcloud-calendar.no-tasks");
}

/// The surprises as they were recorded: whoever takes one out of the stand-in hears of it here.
#[tokio::test]
async fn the_stand_in_answers_as_the_recordings_say() {
    let stage = Stage::open().await;
    let link = stage.put(&concert(), None).await;
    let name = file(&link);
    let text = stage.cloud.text("programme", &name);
    stage.cloud.member_deletes("programme", &name);
    stage.cloud.member_puts("programme", "café.ics", MEMBERS);
    let http = Http::new("tested", &kit()).unwrap();
    let ask = async |method: &str, path: &str, headers: &[(&str, &str)], body: &str| {
        let target = Target::configured("url", &stage.standin.url(path)).unwrap();
        let mut request = Request::new(method.parse().unwrap(), &target)
            .basic("raccord", &common::PASSWORD.to_owned().into())
            .body(body.to_owned());
        for (name, value) in headers {
            request = request.header(name.parse().unwrap(), *value);
        }
        let answer = http.send(request).await.unwrap();
        (
            answer.status.as_u16(),
            String::from_utf8_lossy(&answer.body).into_owned(),
        )
    };
    const HOME: &str = "/remote.php/dav/calendars/raccord/";
    let at = |rest: &str| format!("{HOME}{rest}");
    let sync = |token: &str, more: &str| {
        format!("<d:sync-collection><d:sync-token>{token}</d:sync-token>{more}</d:sync-collection>")
    };
    let new = [("if-none-match", "*")];
    // 08: a UID in the trash bin, under whatever name.
    let (status, body) = ask("PUT", &at("programme/autre.ics"), &new, &text).await;
    assert!(
        status == 500 && body.contains("SQLSTATE[23000]"),
        "{status} {body}"
    );
    assert_eq!(
        ask("PROPFIND", &at("trashbin/objects/"), &[], "").await.0,
        501
    );
    // 06: limits, tokens of another form, tokens of the future.
    let limited = sync("", "<d:limit><d:nresults>1</d:nresults></d:limit>");
    assert_eq!(ask("REPORT", &at("programme/"), &[], &limited).await.0, 507);
    let odd = ask(
        "REPORT",
        &at("programme/"),
        &[],
        &sync("n-importe-quoi", ""),
    )
    .await;
    assert!(odd.0 == 403 && odd.1.contains("valid-sync-token"));
    let future = ask(
        "REPORT",
        &at("programme/"),
        &[],
        &sync("http://sabre.io/ns/sync/99999", ""),
    )
    .await;
    assert!(future.0 == 207 && !future.1.contains("<d:response>") && !future.1.contains("99999"));
    // 07: what is missing is left out, addresses are in lower case, a query wants its depth.
    let both = format!(
        "<c:calendar-multiget><d:href>{HOME}programme/caf%C3%A9.ics</d:href><d:href>{HOME}programme/absent.ics</d:href></c:calendar-multiget>"
    );
    let got = ask("REPORT", &at("programme/"), &[("depth", "1")], &both).await;
    assert!(
        got.1.contains("caf%c3%a9.ics") && !got.1.contains("absent"),
        "{}",
        got.1
    );
    assert_eq!(
        ask("REPORT", &at("programme/"), &[], "<c:calendar-query/>")
            .await
            .0,
        400
    );
    // 02 to 05: there already, another's UID, a method, no calendar.
    assert_eq!(ask("MKCALENDAR", &at("programme/"), &[], "").await.0, 405);
    assert_eq!(
        ask("PUT", &at("programme/café.ics"), &new, MEMBERS).await.0,
        412
    );
    assert_eq!(
        ask("PUT", &at("programme/deux.ics"), &new, MEMBERS).await.0,
        400
    );
    let method = MEMBERS
        .replace("BEGIN:VEVENT", "METHOD:PUBLISH\r\nBEGIN:VEVENT")
        .replace("cafe-1", "cafe-2");
    assert_eq!(
        ask("PUT", &at("programme/trois.ics"), &new, &method)
            .await
            .0,
        415
    );
    assert_eq!(ask("PUT", &at("absent/x.ics"), &new, MEMBERS).await.0, 404);
    assert_eq!(
        ask(
            "PUT",
            &at("programme/café.ics"),
            &[("if-match", "\"abc\"")],
            MEMBERS
        )
        .await
        .0,
        412
    );
    // 17: the eleventh wrong password, and right ones after it.
    stage.cloud.state().refused = 11;
    assert_eq!(ask("PROPFIND", "/remote.php/dav/", &[], "").await.0, 429);
}

#[tokio::test]
async fn internal_tasks_are_told_only_where_their_own_visibility_leads() {
    let stage = Stage::with(|settings| settings["tasks"] = json!("description")).await;
    let mut tasks = vec![common::hands("Bar", 3, 1), common::hands("Caisse", 1, 0)];
    let till = &mut tasks[1].task.fields;
    till.insert("visibility".into(), json!("internal"));
    *stage.tasks.lock().unwrap() = tasks;
    let told = |when: serde_json::Value| {
        let route = serde_json::from_value(json!({ "to": "tested", "when": when })).unwrap();
        let shown = stage.desired(&concert(), Some(&route)).unwrap();
        shown.body["hands"].to_string()
    };
    let public = told(json!({ "fields": { "visibility": ["public"] } }));
    assert!(
        public.contains("Bar") && !public.contains("Caisse"),
        "{public}"
    );
    for members in [
        json!({}),
        json!({ "fields": { "visibility": ["public", "internal"] } }),
        json!({ "fields": { "visibility": ["*"], "kind": ["concert"] } }),
    ] {
        let all = told(members.clone());
        assert!(
            all.contains("Bar") && all.contains("Caisse"),
            "{members} {all}"
        );
    }
    let unrouted = stage.desired(&concert(), None).unwrap().body["hands"].to_string();
    assert!(!unrouted.contains("Caisse"), "{unrouted}");
}
