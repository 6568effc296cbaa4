//! Each surprise of Lespass is played by the stand-in, and noticed once it is not.
//!
//! A story is told twice: with the surprise it ends well, without it it must not.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::path::Path;
use std::sync::Arc;

use common::quirks::Quirk;
use common::server::{Fault, Language, PRODUCT};
use common::{Stage, activity, ball, task};
use http::Method;
use raccord_kit::conformance::{self, HOSTILE, noticed};
use raccord_model::{Blame, Call, Change, Failure, Found, Verb};
use serde_json::{Value, json};

#[test]
fn every_quirk_is_told_and_every_one_that_is_told_is_played() {
    let told = conformance::quirks(Path::new("."), Quirk::NAMES);
    assert_eq!(told, Quirk::NAMES.len());
}

/// Tells a story with a surprise and without it.
async fn story<F>(quirk: Quirk, tell: impl Fn(Stage) -> F + Copy + Send + 'static)
where
    F: Future<Output = ()> + Send + 'static,
{
    noticed(quirk.name(), |lost| async move {
        let stage = Stage::without(quirk, lost).await;
        // A story may use nothing but the server and the connector.
        let standin = Arc::clone(&stage.standin);
        tell(stage).await;
        drop(standin);
    })
    .await;
}

fn verbs(changes: &[Change]) -> Vec<Verb> {
    changes.iter().map(|one| one.verb).collect()
}

fn asks(failure: &Failure, code: &str) {
    assert!(failure.asks, "{failure:?}");
    assert_eq!(failure.blame, Blame::Data);
    assert_eq!(failure.code, format!("lespass.{code}"));
    for text in [&failure.text, &failure.mend] {
        assert!(!text.fr.is_empty() && text.fr != text.en);
    }
}

// --- events -----------------------------------------------------------------

#[tokio::test]
async fn an_event_that_changed_is_made_anew_for_nobody_can_change_it() {
    story(Quirk::NoUpdate, |stage| async move {
        let first = stage.write(&ball()).await.unwrap().applied.external;
        let body = json!({ "name": "Autre" });
        let path = format!("/api/v2/events/{first}/");
        assert_eq!(stage.ask(Method::PATCH, &path, &body).await.0, 405);
        let later = activity(
            1,
            json!({ "start": "2027-01-13T20:00", "end": "2027-01-13T22:00" }),
        );
        let second = stage.write(&later).await.unwrap().applied.external;
        assert_ne!(first, second);
        assert_eq!(stage.server.names(), ["Bal 1"]);
    })
    .await;
}

#[tokio::test]
async fn two_events_of_one_name_and_one_hour_are_told_before_the_server_fails() {
    story(Quirk::DuplicateIs500, |stage| async move {
        stage.write(&ball()).await.unwrap();
        let twin = activity(2, json!({ "title": "Bal 1", "room": "Cour" }));
        let failure = stage.write(&twin).await.unwrap_err();
        assert_eq!(failure.code, "lespass.name-taken");
        assert_eq!(stage.server.names(), ["Bal 1"]);
        let body = json!({ "name": "Bal 1", "startDate": "2027-01-12T16:00:00Z" });
        let raw = stage.ask(Method::POST, "/api/v2/events/", &body).await;
        assert_eq!(raw, (500, Value::Null));
    })
    .await;
}

#[tokio::test]
async fn what_the_server_fails_over_each_time_is_asked_about_in_words() {
    let stage = Stage::open().await;
    stage.write(&ball()).await.unwrap();
    // Somebody unpublished it and saved it, so that our mark is gone; and our log was lost.
    stage.server.edits("Bal 1", |event| event.published = false);
    stage.links.lock().unwrap().clear();
    for _ in 0..2 {
        let failure = stage.write(&ball()).await.unwrap_err();
        asks(&failure, "not-made");
        assert!(failure.text.en.contains("Bal 1"), "{failure:?}");
    }
    // They rename it, and say yes: ours is made.
    stage
        .server
        .edits("Bal 1", |event| event.name = "Vieux bal".to_owned());
    stage.write(&ball()).await.unwrap();
    assert_eq!(stage.server.names(), ["Bal 1"]);
}

#[tokio::test]
async fn what_somebody_booked_is_not_made_anew_and_a_person_is_asked() {
    story(Quirk::DeleteReservedIs500, |stage| async move {
        let event = stage.write(&ball()).await.unwrap().applied.external;
        stage.server.books(&event, "anna", 2);
        let later = activity(1, json!({ "start": "2027-01-13T20:00", "end": null }));
        let failure = stage.write(&later).await.unwrap_err();
        asks(&failure, "registered");
        asks(&stage.remove(&ball()).await.unwrap_err(), "registered");
        assert_eq!(stage.server.event("Bal 1").uuid, event, "nothing was done");
        let path = format!("/api/v2/events/{event}/");
        assert_eq!(stage.ask(Method::DELETE, &path, &Value::Null).await.0, 500);
        // Done by hand there: nothing is left to do.
        let start = "2027-01-13T16:00:00Z".parse().unwrap();
        stage.server.edits("Bal 1", |event| {
            event.start = start;
            event.end = None;
        });
        let made = stage.write(&later).await.unwrap();
        assert!(made.unchanged && made.applied.external == event);
        // Called off by hand: as good as gone.
        stage.server.edits("Bal 1", |event| event.published = false);
        stage.remove(&later).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_cancelled_reservation_protects_its_event_as_well() {
    story(Quirk::CancelledStillProtects, |stage| async move {
        let event = stage.write(&ball()).await.unwrap().applied.external;
        let anna = stage.server.books(&event, "anna", 1);
        stage.server.becomes(&anna, "C");
        asks(&stage.remove(&ball()).await.unwrap_err(), "registered");
        let path = format!("/api/v2/events/{event}/");
        assert_eq!(stage.ask(Method::DELETE, &path, &Value::Null).await.0, 500);
    })
    .await;
}

#[tokio::test]
async fn actions_go_with_their_event_and_ours_come_back_with_it() {
    story(Quirk::DeleteCascades, |stage| async move {
        stage.write(&ball()).await.unwrap();
        let bar = task(1, json!({}));
        stage.write_of(&bar, Some(&ball())).await.unwrap();
        assert_eq!(stage.server.names(), ["Bal 1", "Bar 1 – Bal 1"]);
        let later = activity(1, json!({ "description": "Autre chose." }));
        stage.write(&later).await.unwrap();
        assert_eq!(stage.server.names(), ["Bal 1"]);
        stage.write_of(&bar, Some(&later)).await.unwrap();
        let action = stage.server.event("Bar 1 – Bal 1");
        assert_eq!(action.parent, Some(stage.server.event("Bal 1").uuid));
    })
    .await;
}

#[tokio::test]
async fn what_somebody_unpublished_is_seen_and_asked_about() {
    story(Quirk::ListHidesUnpublished, |stage| async move {
        stage.write(&ball()).await.unwrap();
        stage.server.edits("Bal 1", |event| event.published = false);
        let list = stage
            .ask(Method::GET, "/api/v2/events/", &Value::Null)
            .await;
        assert_eq!(list.1, json!({ "results": [] }));
        asks(&stage.write(&ball()).await.unwrap_err(), "unpublished");
    })
    .await;
}

#[tokio::test]
async fn a_list_of_coming_events_begins_yesterday() {
    story(Quirk::ListFromYesterday, |stage| async move {
        let soon = activity(1, json!({ "start": "2027-01-02T12:30", "end": null }));
        stage.write(&soon).await.unwrap();
        stage.pass(20 * 60);
        let path = "/api/v2/events/?next_days=1";
        let list = stage.ask(Method::GET, path, &Value::Null).await.1;
        assert_eq!(list["results"].as_array().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn nobody_looks_further_than_a_year() {
    story(Quirk::DaysHaveBounds, |stage| async move {
        let far = activity(1, json!({ "start": "2028-06-12T20:00", "end": null }));
        stage.write(&far).await.unwrap();
        stage
            .write(&activity(
                1,
                json!({ "start": "2028-06-13T20:00", "end": null }),
            ))
            .await
            .unwrap();
        let path = "/api/v2/events/?next_days=367";
        assert_eq!(stage.ask(Method::GET, path, &Value::Null).await.0, 400);
    })
    .await;
}

#[tokio::test]
async fn an_action_that_somebody_added_keeps_its_event_from_being_made_anew() {
    story(Quirk::ActionsAmongEvents, |stage| async move {
        let event = stage.write(&ball()).await.unwrap().applied.external;
        let body = json!({ "name": "Vestiaire", "startDate": "2027-01-12T16:00:00Z", "superEvent": event });
        stage.ask(Method::POST, "/api/v2/events/", &body).await;
        let later = activity(1, json!({ "description": "Autre chose." }));
        asks(&stage.write(&later).await.unwrap_err(), "others-actions");
        assert_eq!(stage.server.names(), ["Bal 1", "Vestiaire"]);
    })
    .await;
}

#[tokio::test]
async fn actions_of_others_are_seen_however_far_ahead_they_are() {
    let stage = Stage::open().await;
    let far = activity(1, json!({ "start": "2028-06-12T20:00", "end": null }));
    let event = stage.write(&far).await.unwrap().applied.external;
    let body =
        json!({ "name": "Vestiaire", "startDate": "2028-06-12T16:00:00Z", "superEvent": event });
    stage.ask(Method::POST, "/api/v2/events/", &body).await;
    let later = activity(1, json!({ "start": "2028-06-13T20:00", "end": null }));
    asks(&stage.write(&later).await.unwrap_err(), "others-actions");
    assert_eq!(stage.server.names(), ["Bal 1", "Vestiaire"]);
}

#[tokio::test]
async fn what_took_place_is_asked_about_when_its_line_moves_to_another_day() {
    let stage = Stage::open().await;
    let event = stage.write(&ball()).await.unwrap().applied.external;
    stage.is_at("2027-01-20T08:00:00Z");
    let later = activity(1, json!({ "start": "2027-02-12T20:00", "end": null }));
    asks(&stage.write(&later).await.unwrap_err(), "took-place");
    assert_eq!(stage.server.event("Bal 1").uuid, event, "nothing was done");
}

#[tokio::test]
async fn what_has_a_parent_is_an_action() {
    story(Quirk::ParentMakesAnAction, |stage| async move {
        stage.write(&ball()).await.unwrap();
        stage
            .write_of(&task(1, json!({})), Some(&ball()))
            .await
            .unwrap();
        assert_eq!(stage.server.event("Bar 1 – Bal 1").category, "ACT");
    })
    .await;
}

#[tokio::test]
async fn the_kind_of_an_event_is_told_in_the_places_language() {
    story(Quirk::TypeInThePlacesLanguage, |stage| async move {
        let event = stage.write(&ball()).await.unwrap().applied.external;
        let path = format!("/api/v2/events/{event}/");
        let shown = stage.ask(Method::GET, &path, &Value::Null).await.1;
        assert_eq!(shown["additionalType"], "Chantier participatif");
        assert!(stage.write(&ball()).await.unwrap().unchanged);
    })
    .await;
}

#[tokio::test]
async fn an_event_without_an_end_is_read() {
    story(Quirk::NullsLeftOut, |stage| async move {
        let open = activity(1, json!({ "end": null, "description": null }));
        let event = stage.write(&open).await.unwrap().applied.external;
        assert!(stage.write(&open).await.unwrap().unchanged);
        let path = format!("/api/v2/events/{event}/");
        let shown = stage.ask(Method::GET, &path, &Value::Null).await.1;
        let shown = shown.as_object().unwrap();
        assert!(!shown.contains_key("endDate") && !shown.contains_key("superEvent"));
    })
    .await;
}

#[tokio::test]
async fn the_same_moment_in_another_zone_is_no_change() {
    story(Quirk::DatesInThePlacesZone, |stage| async move {
        let event = stage.write(&ball()).await.unwrap().applied.external;
        let path = format!("/api/v2/events/{event}/");
        let shown = stage.ask(Method::GET, &path, &Value::Null).await.1;
        assert_eq!(shown["startDate"], "2027-01-12T20:00:00+04:00");
        assert!(stage.write(&ball()).await.unwrap().unchanged);
    })
    .await;
}

#[tokio::test]
async fn an_event_without_a_capacity_has_not_fifty_places() {
    story(Quirk::FiftyPlacesUnasked, |stage| async move {
        stage
            .write(&activity(1, json!({ "capacity": null })))
            .await
            .unwrap();
        assert_eq!(stage.server.event("Bal 1").places, 32_767);
        let body = json!({ "name": "Nu", "startDate": "2027-01-12T16:00:00Z" });
        stage.ask(Method::POST, "/api/v2/events/", &body).await;
        assert_eq!(stage.server.event("Nu").places, 50);
    })
    .await;
}

#[tokio::test]
async fn the_page_of_an_event_is_the_servers_own() {
    story(Quirk::UrlIsItsOwn, |stage| async move {
        let made = stage.write(&ball()).await.unwrap();
        let page = made.applied.url.unwrap();
        assert!(page.starts_with("https://lieu.example.org/event/"));
        let body = json!({ "name": "Nu", "startDate": "2027-01-12T16:00:00Z", "url": "https://ailleurs.example/" });
        let raw = stage.ask(Method::POST, "/api/v2/events/", &body).await.1;
        assert!(raw["url"].as_str().unwrap().contains("lieu.example.org"));
    })
    .await;
}

#[tokio::test]
async fn our_mark_survives_and_no_text_becomes_markup() {
    story(Quirk::HtmlStandsAsSent, |stage| async move {
        for (number, text) in HOSTILE.iter().enumerate() {
            let one = activity(
                number,
                json!({ "description": format!("{text} <!-- raccord:x -->") }),
            );
            stage.write(&one).await.unwrap();
            let shown = stage.server.event(&format!("Bal {number}")).description;
            let (words, mark) = shown.rsplit_once("<!--").unwrap();
            assert!(mark.contains(&one.id.to_string()));
            let markup = words
                .replace("<p>", "")
                .replace("</p>", "")
                .replace("<br>", "");
            assert!(!markup.contains(['<', '>']), "{markup}");
            assert!(matches!(stage.find(&one).await, Found::Yes(_)));
        }
    })
    .await;
}

#[tokio::test]
async fn an_event_that_somebody_edited_is_still_ours() {
    story(Quirk::EditorsLoseComments, |stage| async move {
        let event = stage.write(&ball()).await.unwrap().applied.external;
        stage.server.edits("Bal 1", |_| ());
        assert!(!stage.server.event("Bal 1").description.contains("raccord"));
        let again = stage.write(&ball()).await.unwrap();
        assert!(again.unchanged && again.applied.external == event);
    })
    .await;
}

#[tokio::test]
async fn a_wrong_key_is_access_and_no_right_is_told_apart() {
    story(Quirk::EveryDoubtIs403, |stage| async move {
        stage.server.state().keys.clear();
        let failure = stage.write(&ball()).await.unwrap_err();
        assert_eq!(
            (failure.blame, &*failure.code),
            (Blame::Access, "lespass.credentials")
        );
        let raw = stage
            .ask(Method::GET, "/api/v2/events/", &Value::Null)
            .await;
        assert_eq!(raw.0, 403);
    })
    .await;
}

#[tokio::test]
async fn texts_of_errors_are_in_no_language_to_go_by() {
    story(Quirk::TextsInThePlacesLanguage, |stage| async move {
        let text = async || {
            let raw = stage.ask_as("x", Method::GET, "/api/v2/events/", &Value::Null);
            raw.await.1["detail"].as_str().unwrap().to_owned()
        };
        let french = text().await;
        stage.server.state().language = Language::English;
        assert_ne!(french, text().await);
        stage.write(&ball()).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn every_address_ends_with_a_slash() {
    story(Quirk::SlashNeeded, |stage| async move {
        let body = json!({ "name": "Nu", "startDate": "2027-01-12T16:00:00Z" });
        let raw = stage.ask(Method::POST, "/api/v2/events", &body).await;
        assert_eq!(raw.0, 301);
        stage.ball().await;
        for seen in stage.standin.seen().iter().skip(1) {
            let path = seen.path.split('?').next().unwrap();
            assert!(path.ends_with('/'), "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_event_is_made_bookable_by_its_products() {
    noticed(Quirk::EventNeedsAProduct.name(), |lost| async move {
        let lost = lost.then_some(Quirk::EventNeedsAProduct);
        let stage = Stage::with(lost, |all| all["products"] = json!([PRODUCT])).await;
        let event = stage.write(&ball()).await.unwrap().applied.external;
        let books = |event: &str| {
            json!({ "reservationFor": { "identifier": event }, "underName": { "email": "a@example.org" }, "reservedTicket": [] })
        };
        let path = "/api/v2/reservations/";
        assert_eq!(stage.ask(Method::POST, path, &books(&event)).await.0, 201);
        let body = json!({ "name": "Nu", "startDate": "2027-01-12T16:00:00Z" });
        let bare = stage.ask(Method::POST, "/api/v2/events/", &body).await.1;
        let bare = bare["identifier"].as_str().unwrap();
        assert_eq!(stage.ask(Method::POST, path, &books(bare)).await.0, 400);
    })
    .await;
}

#[tokio::test]
async fn products_are_linked_again_after_a_failure() {
    noticed(Quirk::LinkTwiceIsFine.name(), |lost| async move {
        let lost = lost.then_some(Quirk::LinkTwiceIsFine);
        let stage = Stage::with(lost, |all| all["products"] = json!([PRODUCT])).await;
        stage.server.fault(Fault::LoseAnswer);
        let failure = stage.write(&ball()).await.unwrap_err();
        assert_eq!(failure.blame, Blame::Unknown);
        assert!(stage.server.event("Bal 1").products.is_empty());
        // It is there, and not whole: the next attempt says so without making a second one.
        assert!(matches!(stage.find(&ball()).await, Found::No { .. }));
        assert!(stage.write(&ball()).await.unwrap().unchanged);
        assert!(stage.write(&ball()).await.unwrap().unchanged);
        assert_eq!(stage.server.event("Bal 1").products.len(), 1);
        assert_eq!(stage.server.names(), ["Bal 1"]);
    })
    .await;
}

// --- who signed up ----------------------------------------------------------

#[tokio::test]
async fn an_action_is_booked_without_a_product() {
    story(Quirk::ActionNeedsNoProduct, |stage| async move {
        stage.write(&ball()).await.unwrap();
        let bar = task(1, json!({}));
        let action = stage.write_of(&bar, Some(&ball())).await.unwrap();
        let action = action.applied.external;
        let body = json!({ "reservationFor": { "identifier": action }, "underName": { "email": "Anna@example.org" }, "reservedTicket": [] });
        let path = "/api/v2/reservations/";
        assert_eq!(stage.ask(Method::POST, path, &body).await.0, 201);
        let mut cursor = None;
        stage.hear(&mut cursor).await;
        let booked = stage.server.state().reservations[0].uuid.clone();
        stage.server.becomes(&booked, "V");
        let told = stage.hear(&mut cursor).await;
        assert_eq!(verbs(&told), [Verb::Created]);
        assert_eq!(told[0].fields["activity"], json!(bar.id));
        assert_eq!(told[0].fields["email"], "anna@example.org");
    })
    .await;
}

#[tokio::test]
async fn who_booked_twice_is_one_person_with_two_places() {
    story(Quirk::BooksTwice, |stage| async move {
        let (event, mut cursor) = stage.ball().await;
        let first = stage.server.books(&event, "anna", 1);
        assert_eq!(verbs(&stage.hear(&mut cursor).await), [Verb::Created]);
        stage.pass(5);
        let second = stage.server.books(&event, "anna", 1);
        let told = stage.hear(&mut cursor).await;
        assert_eq!(verbs(&told), [Verb::Updated]);
        assert_eq!(told[0].fields["places"], 2);
        // One of them is cancelled: they still come. Both are: they do not.
        stage.pass(5);
        stage.server.becomes(&first, "C");
        let told = stage.hear(&mut cursor).await;
        assert_eq!(verbs(&told), [Verb::Updated]);
        assert_eq!(told[0].fields["places"], Value::Null, "one place");
        stage.pass(5);
        stage.server.becomes(&second, "C");
        assert_eq!(verbs(&stage.hear(&mut cursor).await), [Verb::Cancelled]);
    })
    .await;
}

#[tokio::test]
async fn who_has_not_shown_their_address_has_no_place_yet() {
    story(Quirk::MailNotShownYet, |stage| async move {
        stage.write(&ball()).await.unwrap();
        let action = stage
            .write_of(&task(1, json!({})), Some(&ball()))
            .await
            .unwrap();
        let mut cursor = None;
        stage.hear(&mut cursor).await;
        let body = json!({ "reservationFor": { "identifier": action.applied.external }, "underName": { "email": "anna@example.org" }, "reservedTicket": [] });
        stage.ask(Method::POST, "/api/v2/reservations/", &body).await;
        assert_eq!(stage.hear(&mut cursor).await, []);
        let booked = stage.server.state().reservations[0].uuid.clone();
        for (status, expected) in [("FA", Some(Verb::Created)), ("V", None)] {
            stage.pass(1);
            stage.server.becomes(&booked, status);
            let told = stage.hear(&mut cursor).await;
            assert_eq!(told.first().map(|one| one.verb), expected, "{status}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_thousand_reservations_come_at_once() {
    story(Quirk::ListHasNoPages, |stage| async move {
        let (event, mut cursor) = stage.ball().await;
        for number in 0..1_000 {
            stage.server.books(&event, &format!("p{number}"), 1);
        }
        let told = stage.hear(&mut cursor).await;
        assert_eq!(told.len(), 1_000);
        let ids: std::collections::BTreeSet<_> = told.iter().map(|one| &one.subject).collect();
        assert_eq!(ids.len(), 1_000);
        assert_eq!(stage.hear(&mut cursor).await, []);
    })
    .await;
}

#[tokio::test]
async fn changes_are_told_in_the_order_they_happened() {
    story(Quirk::NewestChangeFirst, |stage| async move {
        let (event, mut cursor) = stage.ball().await;
        stage.server.books(&event, "anna", 1);
        stage.pass(1);
        let bob = stage.server.books(&event, "bob", 1);
        stage.pass(1);
        stage.server.books(&event, "chloe", 1);
        stage.pass(1);
        stage.server.becomes(&bob, "V");
        let raw = stage
            .ask(Method::GET, "/api/reservations/", &Value::Null)
            .await
            .1;
        assert_eq!(raw[0]["user_mail"], "bob@example.org", "he changed last");
        let told = stage.hear(&mut cursor).await;
        let order: Vec<&Value> = told.iter().map(|one| &one.fields["email"]).collect();
        assert_eq!(
            order,
            ["anna@example.org", "chloe@example.org", "bob@example.org"]
        );
    })
    .await;
}

#[tokio::test]
async fn who_cancels_is_told_once_and_may_come_back() {
    story(Quirk::CancelledStays, |stage| async move {
        let (event, mut cursor) = stage.ball().await;
        let anna = stage.server.books(&event, "anna", 1);
        let created = stage.hear(&mut cursor).await;
        stage.pass(1);
        stage.server.becomes(&anna, "C");
        let cancelled = stage.hear(&mut cursor).await;
        assert_eq!(verbs(&cancelled), [Verb::Cancelled]);
        assert_eq!(cancelled[0].subject, created[0].subject);
        assert_eq!(stage.hear(&mut cursor).await, []);
        stage.pass(1);
        stage.server.books(&event, "anna", 1);
        let back = stage.hear(&mut cursor).await;
        assert_eq!(verbs(&back), [Verb::Updated]);
        assert_eq!(
            back[0].subject, created[0].subject,
            "one person, one sign-up"
        );
        assert_ne!(back[0].id, created[0].id);
    })
    .await;
}

#[tokio::test]
async fn a_cancelled_reservation_reads_as_pending_in_v2() {
    story(Quirk::CancelledReadsPending, |stage| async move {
        let (event, mut cursor) = stage.ball().await;
        let anna = stage.server.books(&event, "anna", 1);
        stage.hear(&mut cursor).await;
        stage.pass(1);
        stage.server.becomes(&anna, "C");
        let path = format!("/api/v2/reservations/{anna}/");
        let shown = stage.ask(Method::GET, &path, &Value::Null).await.1;
        assert!(
            shown["reservationStatus"]
                .as_str()
                .unwrap()
                .ends_with("Pending")
        );
        assert_eq!(verbs(&stage.hear(&mut cursor).await), [Verb::Cancelled]);
    })
    .await;
}

#[tokio::test]
async fn there_is_no_list_of_reservations_in_v2() {
    story(Quirk::NoListInV2, |stage| async move {
        let path = "/api/v2/reservations/";
        assert_eq!(stage.ask(Method::GET, path, &Value::Null).await.0, 405);
        let (_, mut cursor) = stage.ball().await;
        stage.hear(&mut cursor).await;
        assert!(
            stage
                .standin
                .seen()
                .iter()
                .skip(1)
                .all(|seen| seen.path != path)
        );
    })
    .await;
}

#[tokio::test]
async fn a_key_whose_account_is_no_administrator_is_told_apart() {
    story(Quirk::ListWantsAnAdmin, |stage| async move {
        let no_admin = |rights: &mut std::collections::BTreeSet<&'static str>| {
            rights.remove("admin");
        };
        stage.server.state().keys.values_mut().for_each(no_admin);
        let found = stage.tool.check().await;
        let codes: Vec<&str> = found.iter().map(|one| one.code.as_str()).collect();
        assert_eq!(codes, ["lespass.no-reservations"]);
        assert!(found[0].mend.en.contains("Administrator of the place"));
    })
    .await;
}

// --- who came ---------------------------------------------------------------

/// A ball that begins in an hour, with so many who booked for one.
async fn evening(stage: &Stage, people: usize) -> (Vec<String>, Option<String>) {
    let soon = activity(
        1,
        json!({ "start": "2027-01-02T13:00", "end": "2027-01-02T15:00" }),
    );
    let event = stage.write(&soon).await.unwrap().applied.external;
    let mut cursor = None;
    stage.hear(&mut cursor).await;
    let book = |number| stage.server.books(&event, &format!("p{number}"), 1);
    let booked = (0..people).map(book).collect();
    stage.hear(&mut cursor).await;
    (booked, cursor)
}

#[tokio::test]
async fn who_was_scanned_came_in_whatever_language() {
    story(Quirk::LabelsTranslated, |stage| async move {
        let (booked, mut cursor) = evening(&stage, 3).await;
        stage.server.scans(&booked[0]);
        let told = stage.hear(&mut cursor).await;
        assert_eq!(verbs(&told), [Verb::Attended]);
        assert_eq!(told[0].fields["attested"], "scan");
        assert_eq!(told[0].fields["name"], "p0");
        stage.server.state().language = Language::English;
        stage.server.scans(&booked[1]);
        assert_eq!(verbs(&stage.hear(&mut cursor).await), [Verb::Attended]);
        assert_eq!(stage.hear(&mut cursor).await, []);
        let asked = |part: &str| {
            let seen = stage.standin.seen();
            seen.iter().filter(|one| one.path.contains(part)).count()
        };
        assert_eq!(asked("check_ticket"), 0, "both languages are known");
    })
    .await;
}

#[tokio::test]
async fn a_label_in_a_language_nobody_knows_is_asked_about_once() {
    story(Quirk::CheckSaysScanned, |stage| async move {
        stage.server.state().language = Language::Other;
        let (booked, mut cursor) = evening(&stage, 5).await;
        stage.server.scans(&booked[3]);
        let told = stage.hear(&mut cursor).await;
        assert_eq!(verbs(&told), [Verb::Attended]);
        stage.hear(&mut cursor).await;
        let seen = stage.standin.seen();
        let asked = seen.iter().filter(|one| one.path.contains("check_ticket"));
        assert_eq!(asked.count(), 2, "once for each label");
    })
    .await;
}

#[tokio::test]
async fn a_ticket_scanned_again_is_no_error() {
    story(Quirk::ScannedTwiceIs200, |stage| async move {
        let (booked, mut cursor) = evening(&stage, 1).await;
        let ticket = stage.server.state().reservations[0].tickets[0].uuid.clone();
        let body = json!({ "event_uuid": "x", "qrcode_data": format!("qr:{ticket}") });
        let scanner = common::server::SCANNER;
        for success in [true, false] {
            let raw = stage
                .ask_as(scanner, Method::POST, "/scan/ticket/", &body)
                .await;
            assert_eq!((raw.0, &raw.1["success"]), (200, &json!(success)));
        }
        assert_eq!(verbs(&stage.hear(&mut cursor).await), [Verb::Attended]);
        assert_eq!(booked.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_wrong_scanner_is_told_and_sign_ups_come_all_the_same() {
    story(Quirk::WrongScannerIs500, |stage| async move {
        let (_, mut cursor) = evening(&stage, 1).await;
        stage.server.state().scanner = "another".to_owned();
        let event = stage.server.event("Bal 1").uuid;
        stage.server.books(&event, "bob", 1);
        let told = stage.hear(&mut cursor).await;
        assert_eq!(verbs(&told), [Verb::Created, Verb::Updated]);
        assert_eq!(told[1].fields["code"], "lespass.no-attendance");
        assert_eq!(told[1].fields["state"], "open");
        assert_eq!(stage.hear(&mut cursor).await, [], "told once");
        let found = stage.tool.check().await;
        assert_eq!(found[0].code, "lespass.scan-key");
        stage.server.state().scanner = common::server::SCANNER.to_owned();
        stage.pass(31);
        let told = stage.hear(&mut cursor).await;
        assert_eq!(told[0].fields["name"], "bob", "his ticket says it");
        assert_eq!(told[1].fields["state"], "closed");
    })
    .await;
}

#[tokio::test]
async fn an_archived_scanner_is_told_apart() {
    story(Quirk::ArchivedScannerIs403, |stage| async move {
        stage.server.state().archived = true;
        let found = stage.tool.check().await;
        assert_eq!(found[0].code, "lespass.scanner-archived");
    })
    .await;
}

#[tokio::test]
async fn three_hundred_tickets_are_all_seen() {
    story(Quirk::TicketsInPages, |stage| async move {
        let (booked, mut cursor) = evening(&stage, 300).await;
        for one in &booked {
            stage.server.scans(one);
        }
        let before = stage.standin.seen().len();
        assert_eq!(stage.hear(&mut cursor).await.len(), 300);
        let seen = stage.standin.seen();
        let pages = seen[before..]
            .iter()
            .filter(|one| one.path.contains("list_tickets"));
        assert_eq!(pages.count(), 2);
    })
    .await;
}

// --- its webhook ------------------------------------------------------------

fn call(stage: &Stage, body: &str) -> Call {
    Call {
        at: raccord_kit::Clock::now(&*stage.clock),
        query: "key=hook-canary".to_owned(),
        headers: Vec::new(),
        body: body.as_bytes().to_vec(),
    }
}

#[tokio::test]
async fn a_call_is_a_hint_and_says_nothing_of_anybody() {
    story(Quirk::HookIsAForm, |stage| async move {
        stage.server.state().webhook = true;
        let (event, mut cursor) = stage.ball().await;
        stage.server.books(&event, "anna", 1);
        let body = stage.server.calls(true).unwrap();
        let heard = stage
            .tool
            .hook()
            .unwrap()
            .hear(&call(&stage, &body))
            .unwrap();
        assert!(heard.hint && heard.changes.is_empty() && heard.answer.is_none());
        assert!(!body.contains("anna"));
        assert_eq!(verbs(&stage.hear(&mut cursor).await), [Verb::Created]);
    })
    .await;
}

#[tokio::test]
async fn what_a_call_says_of_a_state_is_not_believed() {
    story(Quirk::HookTellsAnEarlierState, |stage| async move {
        stage.server.state().webhook = true;
        let (event, mut cursor) = stage.ball().await;
        stage.server.books(&event, "anna", 1);
        let body = stage.server.calls(true).unwrap();
        assert!(body.contains("state=R"), "{body}");
        assert_eq!(verbs(&stage.hear(&mut cursor).await), [Verb::Created]);
    })
    .await;
}

#[tokio::test]
async fn who_cancels_is_found_by_reading() {
    story(Quirk::HookNotForCancelling, |stage| async move {
        stage.server.state().webhook = true;
        let (event, mut cursor) = stage.ball().await;
        let anna = stage.server.books(&event, "anna", 1);
        stage.server.calls(true);
        stage.hear(&mut cursor).await;
        stage.pass(1);
        stage.server.becomes(&anna, "C");
        assert_eq!(stage.server.calls(true), None);
        assert_eq!(verbs(&stage.hear(&mut cursor).await), [Verb::Cancelled]);
    })
    .await;
}

#[tokio::test]
async fn a_webhook_that_switched_itself_off_is_told_and_loses_nothing() {
    story(Quirk::HookSwitchesItselfOff, |mut stage| async move {
        stage.server.state().webhook = true;
        let (event, mut cursor) = stage.ball().await;
        stage.server.books(&event, "anna", 1);
        // One call that nobody answered.
        assert!(stage.server.calls(false).is_some());
        stage.hear(&mut cursor).await;
        let mut told = Vec::new();
        for who in ["bob", "chloe", "dan", "eve", "fay"] {
            stage.pass(5);
            stage.server.books(&event, who, 1);
            assert_eq!(stage.server.calls(true), None, "it is off");
            stage.pass(5);
            told.extend(stage.hear(&mut cursor).await);
        }
        let signed_up = told.iter().filter(|one| one.verb == Verb::Created);
        assert_eq!(signed_up.count(), 5);
        let notices: Vec<&Change> = told
            .iter()
            .filter(|one| one.subject == "webhook-off")
            .collect();
        assert_eq!(notices.len(), 1, "told once");
        assert!(
            notices[0].fields["mend"]["en"]
                .as_str()
                .unwrap()
                .contains("tick “Active”")
        );
        // A new process has not heard it, either.
        stage.restart();
        assert_eq!(stage.hear(&mut cursor).await, [], "that proves nothing");
        // Switched on again: it calls, and that is over.
        stage.server.state().webhook = true;
        stage.server.books(&event, "gil", 1);
        let body = stage.server.calls(true).unwrap();
        stage
            .tool
            .hook()
            .unwrap()
            .hear(&call(&stage, &body))
            .unwrap();
        let told = stage.hear(&mut cursor).await;
        assert_eq!(told.last().unwrap().fields["state"], "closed");
    })
    .await;
}

#[tokio::test]
async fn mails_that_leave_later_and_members_that_come_say_nothing_of_the_webhook() {
    let stage = Stage::open().await;
    stage.server.state().webhook = true;
    let (event, mut cursor) = stage.ball().await;
    let hook = stage.tool.hook().unwrap();
    // A basket of four: each is called for, and changes once more when its mail leaves.
    stage.pass(5);
    for who in ["anna", "bob", "chloe", "dan"] {
        stage.server.books(&event, who, 1);
        let body = stage.server.calls(true).unwrap();
        hook.hear(&call(&stage, &body)).unwrap();
    }
    stage.pass(5);
    stage.server.mails();
    stage.pass(5);
    let told = stage.hear(&mut cursor).await;
    assert_eq!(verbs(&told), [Verb::Created; 4], "and no notice");
    // It switches itself off; the webhook of memberships goes on.
    stage.server.state().webhook = false;
    let mut told = Vec::new();
    for who in ["eve", "fay", "gil"] {
        stage.server.books(&event, who, 1);
        hook.hear(&call(&stage, "{\"object\":\"membership\"}"))
            .unwrap();
        stage.pass(5);
        told.extend(stage.hear(&mut cursor).await);
    }
    let notices = told.iter().filter(|one| one.subject == "webhook-off");
    assert_eq!(notices.count(), 1);
}
