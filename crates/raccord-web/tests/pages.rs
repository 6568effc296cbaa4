//! What people and monitors read.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{World, activity, reason};
use raccord_web::Programme;
use serde_json::json;

fn month() -> Programme {
    let activities = [
        json!({"title": "Marché de Noël prolongé", "start": "2026-12-28", "end": "2027-01-03", "all_day": true, "kind": "Marché"}),
        json!({"title": "Réunion d’équipe", "start": "2027-01-02T18:30", "end": "2027-01-02T20:00", "kind": "Réunion", "room": "Grande salle", "organiser": "Le collectif", "contact": "canari@example.org", "status": "tentative"}),
        json!({"title": "Déjà finie ce matin", "start": "2027-01-02T08:00", "end": "2027-01-02T09:00"}),
        json!({"title": "Concert <script>alert(1)</script>", "start": "2027-01-09T20:00", "end": "2027-01-10T01:00", "url": "https://example.org/?a=1&b=\u{27}2", "description": "Entrée libre.\nBuvette & tapas", "status": "full"}),
        json!({"title": "Chantier participatif", "start": "2027-01-09T09:00", "status": "cancelled", "url": "javascript:alert(1)"}),
        json!({"title": "Brouillon caché", "start": "2027-01-10T09:00", "status": "draft"}),
        json!({"title": "Conseil interne caché", "start": "2027-01-10T09:00", "visibility": "internal"}),
        json!({"title": "Stage de maçonnerie en terre crue", "start": "2027-02-01T09:00", "end": "2027-02-05T17:00", "room": "Atelier", "kind": "Formation"}),
    ];
    Programme {
        activities: activities.iter().map(activity).collect(),
        more: 12,
        undated: Vec::new(),
    }
}

async fn page(path: &str) -> common::Answer {
    let world = World::new().await;
    *world.place.programme.lock().unwrap() = month();
    *world.other.programme.lock().unwrap() = month();
    world.get(path).await
}

#[tokio::test]
async fn the_programme_reads_well_in_french() {
    let answer = page("/").await;
    assert_eq!(answer.status, 200);
    for hidden in ["canari", "caché", "Déjà finie", "<script>", "javascript:"] {
        assert!(!answer.body.contains(hidden), "{hidden}");
    }
    insta::assert_snapshot!("programme-fr", without_style(&answer.body));
}

#[tokio::test]
async fn the_programme_reads_well_in_english_and_inside_other_sites() {
    let answer = page("/p/autre/embed").await;
    insta::assert_snapshot!("embed-en", without_style(&answer.body));
}

#[tokio::test(start_paused = true)]
async fn who_comes_while_a_place_starts_waits_and_sees_no_empty_programme() {
    let world = World::new().await;
    world.place.starting.send_replace(true);
    assert_eq!(world.get("/healthz").await.status, 200);
    let answer = world.get("/").await;
    assert_eq!(answer.status, 503, "it did not start in time");
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert!(answer.body.contains("urn:raccord:problem:starting"));

    let started = async {
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        world.place.starting.send_replace(false);
    };
    let (answer, ()) = tokio::join!(world.get("/"), started);
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_long_programme_goes_on_over_light_pages_that_lose_nothing() {
    let world = World::new().await;
    let bulky = |n: usize| {
        activity(&json!({
            "title": format!("Activité {n:03}, {}", "<&> ".repeat(1 + n % 40)),
            "start": format!("2027-0{}-{:02}T10:00", 1 + n / 100, 3 + n / 5 % 20),
            "kind": format!("Genre {}", n % 20), "room": "Grande salle", "organiser": "\"".repeat(n % 90),
            "description": "L’été, c’est « ici » : venez ! ".repeat(n % 30),
            "url": format!("https://example.org/{}", "a&".repeat(n % 900)),
        }))
    };
    *world.place.programme.lock().unwrap() = Programme {
        activities: (0..300).map(bulky).collect(),
        more: 4,
        undated: Vec::new(),
    };
    let letters = world.get("/barlow-semi-condensed-800.woff2").await;
    assert_eq!(letters.status, 200);
    let mut seen = String::new();
    let mut next = Some("/embed".to_owned());
    while let Some(path) = next {
        let page = world.get(&path).await;
        assert_eq!(page.status, 200, "{path}");
        let weight = page.body.len() + raccord_look::LETTERS.len();
        assert!(weight < 50_000, "{path}: {weight}");
        next = page
            .body
            .split_once("rel=\"next\"")
            .map(|(before, _)| before.rsplit_once("href=\"").unwrap().1)
            .map(|rest| format!("/embed{}", rest.split('"').next().unwrap()));
        assert_eq!(next.is_none(), page.body.contains("Et 4 autres activités"));
        seen.push_str(&page.body);
    }
    for n in 0..300 {
        assert_eq!(seen.matches(&format!("Activité {n:03},")).count(), 1, "{n}");
    }
    for wrong in ["/?page=0", "/?page=999", "/?page=x", "/?page=-1"] {
        assert_eq!(world.get(wrong).await.status, 404, "{wrong}");
    }
    assert_eq!(world.get("/?page=1&utm=x").await.status, 200);
}

#[tokio::test]
async fn a_place_tints_its_pages_and_finds_its_letters_wherever_they_are() {
    let world = World::new().await;
    "#0b6b53".clone_into(&mut world.place.colour.lock().unwrap());
    assert!(world.get("/").await.body.contains("--accent:#0b6b53"));
    "nonsense".clone_into(&mut world.place.colour.lock().unwrap());
    let page = world.get("/").await;
    assert!(page.body.contains("--accent:#b8401a"));
    assert!(
        page.header("content-security-policy")
            .unwrap()
            .contains("font-src 'self'")
    );
    for (path, letters) in [
        ("/", "url(barlow-semi-condensed-800.woff2)"),
        ("/p/autre/embed", "url(barlow-semi-condensed-800.woff2)"),
        ("/p/autre", "url(autre/barlow-semi-condensed-800.woff2)"),
    ] {
        assert!(world.get(path).await.body.contains(letters), "{path}");
    }
    assert_eq!(
        world
            .get("/p/autre/barlow-semi-condensed-800.woff2")
            .await
            .status,
        200
    );
}

fn without_style(page: &str) -> String {
    let (before, rest) = page.split_once("<style>").unwrap();
    let (_, after) = rest.split_once("</style>").unwrap();
    format!("{before}<style>...</style>{after}")
}

#[tokio::test]
async fn the_policy_lets_the_page_have_its_own_style() {
    use base64::Engine as _;
    use sha2::Digest as _;
    let answer = page("/").await;
    let (_, rest) = answer.body.split_once("<style>").unwrap();
    let (style, _) = rest.split_once("</style>").unwrap();
    assert!(style.contains("@media print"));
    let hash = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(style));
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.contains(&format!("style-src 'sha256-{hash}'")));
}

#[tokio::test]
async fn pages_allow_nothing_they_do_not_need_and_only_one_may_be_framed() {
    let world = World::new().await;
    let page = world.get("/").await;
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    assert_eq!(page.header("x-frame-options"), Some("DENY"));
    let embed = world.get("/embed").await;
    assert!(
        embed
            .header("content-security-policy")
            .unwrap()
            .contains("frame-ancestors *")
    );
    assert_eq!(embed.header("x-frame-options"), None);
    for path in [
        "/",
        "/embed",
        "/healthz",
        "/readyz",
        "/metrics",
        "/v1/events",
        "/nowhere",
        "/p/x/",
    ] {
        let answer = world.get(path).await;
        assert_eq!(
            answer.header("x-content-type-options"),
            Some("nosniff"),
            "{path}"
        );
        assert_eq!(
            answer.header("referrer-policy"),
            Some("no-referrer"),
            "{path}"
        );
        assert!(answer.header("content-security-policy").is_some(), "{path}");
        for absent in ["set-cookie", "server", "access-control-allow-origin"] {
            assert_eq!(answer.header(absent), None, "{path}");
        }
    }
}

#[tokio::test]
async fn a_page_that_did_not_change_is_not_sent_again() {
    let world = World::new().await;
    let tag = world.get("/").await.header("etag").unwrap().to_owned();
    let again = world.ask("GET", "/", &[("if-none-match", &tag)], "").await;
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    *world.place.programme.lock().unwrap() = month();
    let changed = world.ask("GET", "/", &[("if-none-match", &tag)], "").await;
    assert_eq!(changed.status, 200);
}

#[tokio::test]
async fn every_route_exists_under_its_place_and_nowhere_else() {
    let world = World::new().await;
    for path in ["", "/", "/embed", "/healthz", "/readyz", "/metrics"] {
        assert_eq!(
            world.get(&format!("/p/autre{path}")).await.status,
            200,
            "{path}"
        );
        assert_eq!(
            world.get(&format!("/p/inconnu{path}")).await.status,
            404,
            "{path}"
        );
    }
    for path in ["/console", "/p/autre/console", "/p/autre/", "/favicon.ico"] {
        let expected = if path == "/p/autre/" { 200 } else { 404 };
        assert_eq!(world.get(path).await.status, expected, "{path}");
    }
    assert_eq!(world.ask("HEAD", "/", &[], "").await.status, 200);
}

#[tokio::test]
async fn health_tells_version_places_and_a_clock_that_was_set() {
    let world = World::new().await;
    assert_eq!(
        world.get("/healthz").await.json(),
        json!({"status": "ok", "version": "9.9.9", "now": "2027-01-02T08:00:00Z", "places": ["raffinerie", "autre"], "clock": "RACCORD_NOW"})
    );
    assert_eq!(
        world.get("/p/autre/healthz").await.json()["places"],
        json!(["autre"])
    );
}

#[tokio::test]
async fn readiness_tells_why_not() {
    let world = World::new().await;
    let answer = world.get("/readyz").await;
    assert_eq!(
        (answer.status, answer.json()),
        (200, json!({"ready": true, "reasons": []}))
    );
    world.other.reasons.lock().unwrap().push(reason());
    let answer = world
        .ask("GET", "/readyz", &[("accept-language", "en")], "")
        .await;
    assert_eq!(answer.status, 503);
    assert_eq!(
        answer.json(),
        json!({"ready": false, "reasons": [{"place": "autre", "code": "connector-not-started", "about": "members-calendar", "text": "The connector has not started."}]})
    );
    assert_eq!(world.get("/p/raffinerie/readyz").await.status, 200);
}

#[tokio::test]
async fn a_connector_that_stopped_is_told_and_the_place_stays_ready() {
    let world = World::new().await;
    world.other.notes.lock().unwrap().push(reason());
    let answer = world
        .ask("GET", "/readyz", &[("accept-language", "en")], "")
        .await;
    assert_eq!(
        (answer.status, answer.json()),
        (
            200,
            json!({"ready": true, "reasons": [], "notes": [{"place": "autre", "code": "connector-not-started", "about": "members-calendar", "text": "The connector has not started."}]})
        )
    );
}

#[tokio::test]
async fn metrics_are_those_that_are_documented() {
    let world = World::new().await;
    world.post_one(&common::event("1")).await;
    world.get("/wherever").await;
    let body = world.get("/metrics").await.body;
    assert!(
        body.contains("raccord_http_requests_total{route=\"/v1/events\",status=\"202\"} 1\n"),
        "{body}"
    );
    assert!(body.contains("raccord_http_requests_total{route=\"other\",status=\"404\"} 1\n"));
    assert!(body.contains("raccord_http_events_accepted_total 1\n"));
    assert!(body.contains(
        "raccord_fake_total{place=\"raffinerie\"} 3\nraccord_fake_total{place=\"autre\"} 3\n"
    ));
    let list = include_str!("../../../docs/metrics.md");
    for line in body.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let name = line.split(' ').next().unwrap();
        assert!(
            name == "raccord_fake_total" || list.contains(&format!("`{name}`")),
            "{name}"
        );
    }
}
