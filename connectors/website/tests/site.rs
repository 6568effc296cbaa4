//! The site as people and programs meet it: files in a folder.

#![allow(
    clippy::unwrap_used,
    clippy::case_sensitive_file_extension_comparisons,
    reason = "tests; our own file names are in lower case"
)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use common::{TODAY, entity, page, programme, publication, publish, remove, sample, site, write};
use jiff::SignedDuration;
use jiff::civil::date;
use raccord_kit::{Job, Kit, Made, Tool};
use raccord_model::{Blame, Entity, Found, Lang};
use serde_json::{Value, json};

/// Every file of a folder, by its path from there.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut out = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            for (below, bytes) in files(&entry.path()) {
                out.insert(format!("{name}/{below}"), bytes);
            }
        } else {
            out.insert(name, fs::read(entry.path()).unwrap());
        }
    }
    out
}

fn text(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap()
}

async fn apply(tool: &dyn Tool, entity: &Entity) {
    let desired = page(tool, entity).unwrap();
    let sink = tool.sink().unwrap();
    sink.apply(&write(entity.id, desired)).await.unwrap();
}

async fn publish_here(tool: &dyn Tool, members: &[Entity]) {
    publish(tool, members, Lang::Fr, TODAY).await;
}

#[tokio::test]
async fn the_sample_month_becomes_a_site_of_its_36_public_activities() {
    let folder = tempfile::tempdir().unwrap();
    let (tool, _) = site(folder.path(), json!({ "output": "." }));
    publish_here(&*tool, &sample()).await;
    let list: Value = serde_json::from_str(&text(folder.path(), "activities.json")).unwrap();
    assert_eq!(list["activities"].as_array().unwrap().len(), 36);
    assert_eq!(
        text(folder.path(), "calendar.ics")
            .matches("BEGIN:VEVENT")
            .count(),
        36
    );
    assert_eq!(
        text(folder.path(), "feed.xml").matches("<entry>").count(),
        36
    );
    let index = text(folder.path(), "index.html");
    assert_eq!(index.matches("<p class=\"title\">").count(), 36);
    let pages = files(&folder.path().join("activities"));
    assert_eq!(
        pages.keys().filter(|name| name.ends_with(".html")).count(),
        36
    );
    assert_eq!(
        pages.keys().filter(|name| name.ends_with(".ics")).count(),
        36
    );
    for (name, bytes) in files(folder.path()) {
        if name.ends_with(".html") {
            assert!(bytes.len() < 44_000, "{name}: {}", bytes.len());
        }
    }
    // Every link to a page of the site leads to one.
    for part in index.split("href=\"activities/").skip(1) {
        let name = part.split('"').next().unwrap();
        assert!(pages.contains_key(name), "{name}");
    }
}

#[tokio::test]
async fn contacts_drafts_internal_activities_and_unknown_fields_are_in_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let (tool, _) = site(
        folder.path(),
        json!({ "output": ".", "base_url": "https://e.org" }),
    );
    let base = json!({ "start": "2027-01-05T10:00", "title": "Ouvert" });
    let with = |more: Value| {
        let mut fields = base.clone();
        for (key, value) in more.as_object().unwrap() {
            fields[key] = value.clone();
        }
        fields
    };
    let members = vec![
        entity(
            "a",
            with(json!({ "contact": "canary@example.org",
                                 "extra": { "phone": "canary-extra" } })),
        ),
        entity(
            "b",
            with(json!({ "visibility": "internal", "title": "canary-internal" })),
        ),
        entity(
            "c",
            with(json!({ "status": "draft", "title": "canary-draft" })),
        ),
        entity("d", json!({ "title": "canary-without-a-day" })),
    ];
    for (index, expected) in [(0, true), (1, false), (2, false), (3, false)] {
        let desired = page(&*tool, &members[index]);
        assert_eq!(desired.is_some(), expected);
        assert!(!format!("{desired:?}").contains("canary"));
    }
    let desired = programme(&*tool, &members, Lang::Fr, TODAY);
    assert!(!format!("{desired:?}").contains("canary"), "what is stored");
    publish_here(&*tool, &members).await;
    for (name, bytes) in files(folder.path()) {
        assert!(
            !String::from_utf8_lossy(&bytes).contains("canary"),
            "{name}"
        );
    }
    assert!(text(folder.path(), "index.html").contains("Ouvert"));
}

#[tokio::test]
async fn a_change_nobody_can_see_is_no_effect_and_one_that_shows_is() {
    let folder = tempfile::tempdir().unwrap();
    let (tool, _) = site(folder.path(), json!({ "output": "." }));
    let before = entity(
        "a",
        json!({ "title": "Bal", "start": "2027-01-09T20:00", "contact": "x" }),
    );
    let hash = |entity: &Entity| {
        let all = programme(&*tool, std::slice::from_ref(entity), Lang::Fr, TODAY);
        (page(&*tool, entity).unwrap().hash, all.hash)
    };
    let mut unseen = before.clone();
    unseen.revision = 2;
    unseen.fields.insert("contact".into(), json!("y"));
    assert_eq!(hash(&before), hash(&unseen));
    for (field, value) in [
        ("title", json!("Grand bal")),
        ("start", json!("2027-01-10T20:00")),
        ("room", json!("Halle")),
        ("status", json!("full")),
        ("description", json!("Venez")),
        ("capacity", json!(3)),
    ] {
        let mut seen = before.clone();
        seen.fields.insert(field.into(), value);
        assert_ne!(hash(&before).0, hash(&seen).0, "{field}");
        assert_ne!(hash(&before).1, hash(&seen).1, "{field}");
    }
    // A new day alone changes nothing either.
    let members = [before];
    assert_eq!(
        programme(&*tool, &members, Lang::Fr, TODAY).hash,
        programme(&*tool, &members, Lang::Fr, date(2027, 1, 5)).hash
    );
    assert_ne!(
        programme(&*tool, &members, Lang::Fr, TODAY).hash,
        programme(&*tool, &members, Lang::En, TODAY).hash
    );
}

#[tokio::test]
async fn the_same_effect_ten_times_an_hour_apart_leaves_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let (tool, clock) = site(folder.path(), json!({ "output": "." }));
    publish_here(&*tool, &sample()).await;
    let first = files(folder.path());
    for _ in 0..9 {
        clock.advance(SignedDuration::from_hours(1));
        publish_here(&*tool, &sample()).await;
    }
    assert_eq!(files(folder.path()), first);
}

#[tokio::test]
async fn only_what_changed_gets_a_new_instant() {
    let folder = tempfile::tempdir().unwrap();
    let (tool, clock) = site(folder.path(), json!({ "output": "." }));
    let mut members = sample();
    members.retain(|entity| entity.text("visibility") == "public");
    members.truncate(2);
    publish_here(&*tool, &members).await;
    clock.advance(SignedDuration::from_hours(30));
    members[1].revision = 2;
    members[1].fields.insert("room".into(), json!("Cuisine"));
    publish_here(&*tool, &members).await;
    let feed = text(folder.path(), "feed.xml");
    assert_eq!(
        feed.matches("<updated>2027-01-02T04:00:00Z</updated>")
            .count(),
        1
    );
    assert_eq!(
        feed.matches("<updated>2027-01-03T10:00:00Z</updated>")
            .count(),
        2
    );
    let calendar = text(folder.path(), "calendar.ics");
    assert_eq!(calendar.matches("DTSTAMP:20270102T040000Z").count(), 1);
    assert!(
        calendar
            .contains("DTSTAMP:20270103T100000Z\r\nLAST-MODIFIED:20270103T100000Z\r\nSEQUENCE:1")
    );
    let own = text(folder.path(), &format!("activities/{}.ics", members[1].id));
    assert!(own.contains("DTSTAMP:20270103T100000Z"));
}

#[tokio::test]
async fn a_cancelled_activity_is_struck_through_until_it_would_have_been_over() {
    let folder = tempfile::tempdir().unwrap();
    let (tool, _) = site(folder.path(), json!({ "output": "." }));
    let fields = json!({ "title": "Bal", "start": "2027-01-09T20:30", "end": "2027-01-10T00:30",
                         "status": "cancelled" });
    let members = [entity("a", fields)];
    for day in [TODAY, date(2027, 1, 10)] {
        publish(&*tool, &members, Lang::Fr, day).await;
        let index = text(folder.path(), "index.html");
        assert!(index.contains("<s><a href="), "{day}");
        assert!(index.contains("<em>Annulé</em>"), "{day}");
        assert!(text(folder.path(), "calendar.ics").contains("STATUS:CANCELLED"));
    }
    publish(&*tool, &members, Lang::Fr, date(2027, 1, 11)).await;
    assert!(!text(folder.path(), "index.html").contains("Bal"));
    assert!(!text(folder.path(), "calendar.ics").contains("Bal"));
    let own = text(folder.path(), &format!("activities/{}.html", members[0].id));
    assert!(own.contains("<s>Bal</s>") && own.contains("n’aura pas lieu"));
    assert!(own.contains("https://schema.org/EventCancelled"));
}

#[tokio::test]
async fn one_signs_up_where_the_activity_says_so_and_nowhere_for_what_is_off() {
    let folder = tempfile::tempdir().unwrap();
    let (tool, _) = site(folder.path(), json!({ "output": "." }));
    for (status, page, shown) in [
        ("confirmed", "https://tickets.example.org/bal", true),
        ("cancelled", "https://tickets.example.org/bal", false),
        ("confirmed", "javascript:alert(1)", false),
    ] {
        let members = [entity(
            "a",
            json!({ "title": "Bal", "start": "2027-01-09T20:30", "status": status, "register": page }),
        )];
        publish(&*tool, &members, Lang::Fr, TODAY).await;
        let own = text(folder.path(), &format!("activities/{}.html", members[0].id));
        let link = own.contains(&format!("href=\"{page}\""));
        assert_eq!(
            (link, own.contains("Inscription")),
            (shown, shown),
            "{status} {page}"
        );
    }
}

#[tokio::test]
async fn tentative_and_full_are_said_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let (tool, _) = site(folder.path(), json!({ "output": "." }));
    for (status, fr, en) in [
        ("tentative", "À confirmer", "To be confirmed"),
        ("full", "Complet", "Full"),
    ] {
        let members = [entity(
            "a",
            json!({ "title": "Bal", "start": "2027-01-09", "status": status }),
        )];
        publish(&*tool, &members, Lang::Fr, TODAY).await;
        assert!(text(folder.path(), "index.html").contains(&format!("<em>{fr}</em>")));
        publish(&*tool, &members, Lang::En, TODAY).await;
        let index = text(folder.path(), "index.html");
        assert!(index.contains(&format!("<em>{en}</em>")));
        assert!(index.contains("<html lang=\"en\">"));
    }
}

#[tokio::test]
async fn what_is_over_this_month_stands_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let (tool, _) = site(folder.path(), json!({ "output": "." }));
    let members = [
        entity(
            "a",
            json!({ "title": "Passée", "start": "2027-01-05T10:00" }),
        ),
        entity(
            "b",
            json!({ "title": "À venir", "start": "2027-01-20T10:00" }),
        ),
    ];
    publish(&*tool, &members, Lang::Fr, date(2027, 1, 10)).await;
    let index = text(folder.path(), "index.html");
    let details = index.find("<details class=\"past\">").unwrap();
    assert!(index.find("À venir</a>").unwrap() < details);
    assert!(index.find("Passée</a>").unwrap() > details);
}

#[tokio::test]
async fn a_site_with_six_hundred_activities_is_split_into_light_pages_that_lose_none() {
    let folder = tempfile::tempdir().unwrap();
    let (tool, _) = site(folder.path(), json!({ "output": "." }));
    let members: Vec<Entity> = (0..600)
        .map(|n| {
            entity(
                &n.to_string(),
                json!({ "title": format!("Activité {n:04} « & » {}", "long ".repeat(n % 40)),
                        "start": format!("2027-0{}-{:02}T10:00", 1 + n / 200, 1 + n % 28),
                        "description": "é".repeat(n % 900), "room": "Grande halle" }),
            )
        })
        .collect();
    let desired = programme(&*tool, &members, Lang::Fr, TODAY);
    let sink = tool.sink().unwrap();
    sink.apply(&write(publication(), desired)).await.unwrap();
    let mut months = String::new();
    for (name, bytes) in files(folder.path()) {
        if name.ends_with(".html") {
            assert!(bytes.len() <= 31_000, "{name}: {}", bytes.len());
            if name.starts_with("2027") {
                months.push_str(std::str::from_utf8(&bytes).unwrap());
            }
        }
    }
    for n in 0..600 {
        assert_eq!(
            months.matches(&format!("Activité {n:04} ")).count(),
            1,
            "{n}"
        );
    }
    assert!(text(folder.path(), "index.html").contains("La suite du programme"));

    // A month that is gone takes its pages with it, and leaves what is not ours.
    fs::write(folder.path().join("CNAME"), "e.org").unwrap();
    publish_here(&*tool, &sample()[..3]).await;
    let left: Vec<String> = files(folder.path())
        .into_keys()
        .filter(|n| n.starts_with("2027"))
        .collect();
    assert_eq!(left, ["2027-01.html"]);
    assert!(folder.path().join("CNAME").exists());
}

#[tokio::test]
async fn a_place_with_nothing_to_announce_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (tool, _) = site(folder.path(), json!({ "output": "out/site" }));
    publish_here(&*tool, &[]).await;
    let root = folder.path().join("out/site");
    assert!(text(&root, "index.html").contains("Rien n’est annoncé"));
    assert!(text(&root, "calendar.ics").ends_with("END:VCALENDAR\r\n"));
    assert!(text(&root, "feed.xml").contains("<updated>2027-01-02T04:00:00Z</updated>"));
}

#[tokio::test]
async fn hostile_text_stays_text() {
    let folder = tempfile::tempdir().unwrap();
    let (tool, _) = site(folder.path(), json!({ "output": "." }));
    let bad = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u{202e}\r\nX-EVIL:1\u{0}";
    let one = entity(
        "a",
        json!({ "title": bad, "kind": bad, "room": bad, "organiser": bad, "description": bad,
                "start": "2027-01-09T20:00", "zone": "../../etc/passwd", "tags": [bad],
                "guide": "javascript:alert(1)", "url": "data:text/html,x" }),
    );
    publish_here(&*tool, &[one]).await;
    for (name, bytes) in files(folder.path()) {
        if name.ends_with(".woff2") || name.ends_with(".png") {
            continue;
        }
        let text = String::from_utf8(bytes).unwrap();
        if name.ends_with(".html") || name.ends_with(".xml") {
            assert!(!text.contains("<script>"), "{name}");
            assert!(!text.contains("<img"), "{name}");
            assert!(!text.contains("href=\"javascript") && !text.contains("href=\"data:text"));
            assert!(
                text.matches("<script").count() <= 1,
                "only the data of the page"
            );
            assert!(!text.contains('\u{202e}') && !text.contains('\0'), "{name}");
        }
        if name.ends_with(".ics") {
            assert!(!text.contains("\nX-EVIL"), "{name}");
            assert!(
                text.contains("TZID:Indian/Reunion") || name == "shared.ics",
                "an unknown zone is the place's"
            );
        }
    }
}

#[tokio::test]
async fn a_long_description_is_cut_in_the_list_and_whole_on_its_page() {
    let folder = tempfile::tempdir().unwrap();
    let (tool, _) = site(folder.path(), json!({ "output": "." }));
    let description = format!("{}fin", "mots ".repeat(2_000));
    let one = entity(
        "a",
        json!({ "title": "Bal", "start": "2027-01-09", "description": description }),
    );
    publish_here(&*tool, std::slice::from_ref(&one)).await;
    let index = text(folder.path(), "index.html");
    assert!(index.len() < 6_000 && index.contains("Lire la suite"));
    let own = format!("activities/{}.html", one.id);
    assert!(text(folder.path(), &own).contains("mots fin</p>"));

    for long in [
        "mots ".repeat(20_000),
        "'".repeat(30_000),
        "🎉".repeat(20_000),
        "\n\na".repeat(20_000),
        "https://a.b ".repeat(5_000),
    ] {
        let mut one = one.clone();
        one.fields.insert("description".into(), json!(long));
        apply(&*tool, &one).await;
        let page = text(folder.path(), &own);
        assert!(page.len() < 44_000, "{}", page.len());
        assert!(page.contains("sa fin n’est pas montrée"));
    }
}

#[tokio::test]
async fn find_sees_what_is_there_and_remove_takes_it_away() {
    let folder = tempfile::tempdir().unwrap();
    let (tool, _) = site(
        folder.path(),
        json!({ "output": ".", "base_url": "https://e.org/site" }),
    );
    let sink = tool.sink().unwrap();
    let one = entity("a", json!({ "title": "Bal", "start": "2027-01-09" }));
    let desired = page(&*tool, &one).unwrap();
    let job = write(one.id, desired);
    let seek = Job::Seek { entity: one.id };
    assert!(matches!(sink.find(&job).await.unwrap(), Found::No { .. }));
    assert_eq!(sink.find(&seek).await.unwrap(), Found::CannotTell);
    let Made { applied, unchanged } = sink.apply(&job).await.unwrap();
    assert!(!unchanged, "it was not there");
    assert!(sink.apply(&job).await.unwrap().unchanged);
    assert_eq!(
        sink.find(&seek).await.unwrap(),
        Found::Yes(applied.clone()),
        "something of it is there, whatever it says"
    );
    assert_eq!(
        applied.url,
        Some(format!("https://e.org/site/activities/{}.html", one.id))
    );
    assert_eq!(sink.find(&job).await.unwrap(), Found::Yes(applied.clone()));
    let mut other = one.clone();
    other.fields.insert("title".into(), json!("Grand bal"));
    let newer = write(one.id, page(&*tool, &other).unwrap());
    assert!(matches!(sink.find(&newer).await.unwrap(), Found::No { .. }));

    let all = write(
        publication(),
        programme(&*tool, std::slice::from_ref(&one), Lang::Fr, TODAY),
    );
    let whole = sink.apply(&all).await.unwrap().applied;
    assert!(sink.apply(&all).await.unwrap().unchanged);
    assert!(matches!(sink.find(&all).await.unwrap(), Found::Yes(_)));
    for (entity, external) in [
        (one.id, &applied.external),
        (publication(), &whole.external),
    ] {
        let job = remove(entity, external);
        sink.apply(&job).await.unwrap();
        sink.apply(&job).await.unwrap();
        assert!(matches!(sink.find(&job).await.unwrap(), Found::Yes(_)));
    }
    assert_eq!(files(folder.path()), BTreeMap::new());
}

#[tokio::test]
async fn a_folder_that_is_somebody_elses_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("index.html"),
        "<h1>Welcome to nginx!</h1>",
    )
    .unwrap();
    let (tool, _) = site(folder.path(), json!({ "output": "." }));
    let one = entity("a", json!({ "title": "Bal", "start": "2027-01-09" }));
    let job = write(one.id, page(&*tool, &one).unwrap());
    let failure = tool.sink().unwrap().apply(&job).await.unwrap_err();
    assert_eq!(
        (failure.blame, failure.code.as_str()),
        (Blame::Access, "website.not-ours")
    );
    assert_eq!(files(folder.path()).len(), 1);
    let findings = tool.check().await;
    assert_eq!(findings[0].code, "website.not-ours");

    // Moved away, the same connector goes on.
    fs::remove_file(folder.path().join("index.html")).unwrap();
    assert!(tool.check().await.is_empty());
    tool.sink().unwrap().apply(&job).await.unwrap();

    let mut other = common::place();
    other.id = "elsewhere".parse().unwrap();
    let (kit, _) = common::kit(folder.path(), other);
    let tool =
        (raccord_connector_website::CONNECTOR.build)(json!({ "output": "." }), &kit).unwrap();
    let failure = tool.sink().unwrap().apply(&job).await.unwrap_err();
    assert_eq!(failure.code, "website.other-place");
}

#[tokio::test]
async fn what_a_killed_process_left_is_swept_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let left = [
        ".index.html.raccord-unfinished",
        "activities/.x.html.raccord-unfinished",
    ];
    fs::create_dir(folder.path().join("activities")).unwrap();
    for name in left {
        fs::write(folder.path().join(name), "half").unwrap();
    }
    let (tool, _) = site(folder.path(), json!({ "output": "." }));
    assert!(tool.check().await.is_empty());
    publish_here(&*tool, &sample()).await;
    for name in left {
        assert!(!folder.path().join(name).exists(), "{name}");
    }
}

#[tokio::test]
async fn check_writes_nothing_and_tells_a_wrong_folder() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "x").unwrap();
    let before = files(folder.path());
    let (tool, _) = site(folder.path(), json!({ "output": "new/site" }));
    assert_eq!(tool.check().await, []);
    let (tool, _) = site(folder.path(), json!({ "output": "file/site" }));
    assert_eq!(tool.check().await[0].code, "website.no-folder");
    assert_eq!(files(folder.path()), before);
}

fn refused(settings: Value) -> String {
    let folder = tempfile::tempdir().unwrap();
    let (kit, _): (Kit, _) = common::kit(folder.path(), common::place());
    let findings = (raccord_connector_website::CONNECTOR.build)(settings, &kit)
        .err()
        .unwrap();
    findings[0].text.fr.clone()
}

#[test]
fn wrong_settings_are_refused_by_their_key() {
    for (settings, key) in [
        (json!({}), "output"),
        (json!({ "output": "" }), "output"),
        (json!({ "output": 3 }), "output"),
        (
            json!({ "output": "o", "base_url": "programme.example.org" }),
            "base_url",
        ),
        (
            json!({ "output": "o", "base_url": "https://u:p@e.org/" }),
            "base_url",
        ),
        (
            json!({ "output": "o", "base_url": "https://e.org/?x" }),
            "base_url",
        ),
        (json!({ "output": "o", "template": "missing" }), "template"),
        (json!({ "output": "o", "templates": "x" }), "templates"),
    ] {
        let told = refused(settings.clone());
        assert!(told.contains(key), "{settings}: {told}");
    }
}

#[tokio::test]
async fn a_place_tints_the_site_and_puts_its_own_top_and_foot() {
    let folder = tempfile::tempdir().unwrap();
    let template = folder.path().join("look");
    fs::create_dir(&template).unwrap();
    fs::write(template.join("tint.css"), ":root { --accent: #065; }").unwrap();
    fs::write(
        template.join("header.html"),
        "<a href=\"{{root}}index.html\">Chez nous</a>",
    )
    .unwrap();
    let (plain, _) = site(folder.path(), json!({ "output": "site" }));
    let (tool, _) = site(
        folder.path(),
        json!({ "output": "site", "template": "look" }),
    );
    let one = entity("a", json!({ "title": "Bal", "start": "2027-01-09" }));
    assert_ne!(
        page(&*plain, &one).unwrap().hash,
        page(&*tool, &one).unwrap().hash
    );
    publish_here(&*tool, std::slice::from_ref(&one)).await;
    let root = folder.path().join("site");
    assert!(text(&root, "style.css").ends_with(":root { --accent: #065; }"));
    assert!(text(&root, "index.html").contains("<a href=\"index.html\">Chez nous</a>"));
    assert!(
        text(&root, &format!("activities/{}.html", one.id))
            .contains("<a href=\"../index.html\">Chez nous</a>")
    );

    fs::write(template.join("footer.html"), "x".repeat(5_000)).unwrap();
    let (kit, _) = common::kit(folder.path(), common::place());
    let settings = json!({ "output": "site", "template": "look" });
    let findings = (raccord_connector_website::CONNECTOR.build)(settings, &kit)
        .err()
        .unwrap();
    assert_eq!(findings[0].place, "template");
    assert!(findings[0].text.fr.contains("footer.html"));
}

#[tokio::test]
async fn the_place_s_own_colour_tints_every_page_and_is_an_effect() {
    let folder = tempfile::tempdir().unwrap();
    let (mut kit, _) = common::kit(folder.path(), common::place());
    let built = |kit: &Kit| {
        (raccord_connector_website::CONNECTOR.build)(json!({ "output": "." }), kit).unwrap()
    };
    let plain = built(&kit);
    kit.colour = "#0b6b53".to_owned();
    let tinted = built(&kit);
    let one = entity("a", json!({ "title": "Bal", "start": "2027-01-09" }));
    assert_ne!(
        page(&*plain, &one).unwrap().hash,
        page(&*tinted, &one).unwrap().hash
    );
    publish_here(&*tinted, std::slice::from_ref(&one)).await;
    assert!(text(folder.path(), "style.css").contains("--accent:#0b6b53"));
    assert!(text(folder.path(), "404.html").contains("--accent:#0b6b53"));
    assert!(text(folder.path(), "index.html").contains("fill='%230b6b53'"));
}

/// The places of the site that the pages lead to, each with the page it stands on.
fn inner_links(folder: &Path) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for (name, bytes) in files(folder) {
        if !name.ends_with(".html") || name == "404.html" {
            continue;
        }
        let html = String::from_utf8(bytes).unwrap();
        let base = name.rsplit_once('/').map_or("", |(folder, _)| folder);
        for part in html.split("href=\"").skip(1) {
            let to = part.split(['"', '#', '?']).next().unwrap();
            if to.is_empty() || to.contains(':') {
                continue;
            }
            let path = match to.strip_prefix("../") {
                Some(rest) => rest.to_owned(),
                None if base.is_empty() => to.to_owned(),
                None => format!("{base}/{to}"),
            };
            out.push((name.clone(), path));
        }
    }
    out
}

#[tokio::test]
async fn weeks_kinds_rooms_and_themes_have_pages_and_no_link_leads_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let (tool, _) = site(folder.path(), json!({ "output": "." }));
    let mut members = sample();
    members[3]
        .fields
        .insert("tags".into(), json!(["Vélo", "🎉"]));
    publish_here(&*tool, &members).await;
    let there = files(folder.path());
    for name in [
        "weeks/2026-W53.html",
        "weeks/2027-W02.html",
        "kinds/atelier.html",
        "kinds/chantier-participatif.html",
        "rooms/grande-halle.html",
        "tags/velo.html",
    ] {
        assert!(there.contains_key(name), "{name}");
    }
    for (on, to) in inner_links(folder.path()) {
        assert!(there.contains_key(&to), "{on} leads to {to}");
    }
    let kind = text(folder.path(), "kinds/concert.html");
    assert_eq!(kind.matches("<p class=\"title\">").count(), 4);
    assert_eq!(kind.matches("<bdi>Concert</bdi>").count(), 1 + 1 + 4);
    let week = text(folder.path(), "weeks/2027-W02.html");
    assert!(week.contains("rel=\"prev\"") && week.contains("../weeks/2027-W01.html"));
    assert!(week.contains("rel=\"next\"") && week.contains("../weeks/2027-W03.html"));
    let all: usize = there
        .iter()
        .filter(|(name, _)| name.starts_with("weeks/"))
        .map(|(_, bytes)| {
            String::from_utf8_lossy(bytes)
                .matches("<p class=\"title\">")
                .count()
        })
        .sum();
    assert_eq!(all, 36, "each activity in its week");
}

#[tokio::test]
async fn what_goes_on_for_weeks_is_named_in_each() {
    let folder = tempfile::tempdir().unwrap();
    let (tool, _) = site(folder.path(), json!({ "output": "." }));
    let members = [
        entity(
            "a",
            json!({ "title": "Exposition", "start": "2027-01-02", "end": "2027-01-20" }),
        ),
        entity(
            "b",
            json!({ "title": "Nuit", "start": "2027-01-10T22:00", "end": "2027-01-11T02:00" }),
        ),
        entity("c", json!({ "title": "Bal", "start": "2027-01-12T20:00" })),
    ];
    publish_here(&*tool, &members).await;
    let week = text(folder.path(), "weeks/2027-W02.html");
    assert!(week.contains("Déjà commencé") && week.contains("Exposition</a>"));
    assert!(!week.contains("Nuit</a>"), "a night is not a week");
}

#[tokio::test]
async fn pages_that_are_no_longer_true_are_taken_away_and_past_ones_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let (tool, _) = site(folder.path(), json!({ "output": "." }));
    let day = |name: &str, start: &str, kind: &str| {
        entity(name, json!({ "title": name, "start": start, "kind": kind }))
    };
    let january = day("a", "2027-01-05T10:00", "Concert");
    let february = day("b", "2027-02-09T10:00", "Atelier");
    let march = day("c", "2027-03-09T10:00", "Atelier");
    publish_here(&*tool, &[january, february.clone(), march.clone()]).await;
    fs::write(folder.path().join("kinds/NOTE.txt"), "ours").unwrap();
    let has = |name: &str| folder.path().join(name).exists();
    assert!(has("weeks/2027-W01.html") && has("kinds/concert.html") && has("weeks/2027-W10.html"));

    // In February: January is over, and March was called off before anybody went there.
    publish(
        &*tool,
        &[february, march.clone()][..1],
        Lang::Fr,
        date(2027, 2, 1),
    )
    .await;
    assert!(!has("weeks/2027-W10.html") && !has("2027-03.html"));
    assert!(!has("kinds/concert.html") && has("kinds/NOTE.txt"));
    for over in ["weeks/2027-W01.html", "2027-01.html"] {
        let page = text(folder.path(), over);
        assert!(
            page.contains("Plus rien à venir ici") && page.contains("noindex"),
            "{over}"
        );
    }
    let there = files(folder.path());
    for (on, to) in inner_links(folder.path()) {
        let called_off = on == format!("activities/{}.html", march.id);
        assert!(called_off || there.contains_key(&to), "{on} leads to {to}");
    }

    let sink = tool.sink().unwrap();
    sink.apply(&remove(publication(), "index.html"))
        .await
        .unwrap();
    assert!(!has("weeks") && !has("rooms") && has("kinds/NOTE.txt"));
    assert!(!has("social.png") && !has("barlow-semi-condensed-800.woff2"));
}

#[tokio::test]
async fn a_page_with_its_style_and_letters_is_under_fifty_thousand_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let template = folder.path().join("look");
    fs::create_dir_all(&template).unwrap();
    fs::write(template.join("tint.css"), "/* */".repeat(800)).unwrap();
    let (tool, _) = site(
        folder.path(),
        json!({ "output": "site", "template": "look", "base_url": "https://e.org" }),
    );
    let members: Vec<Entity> = (0..120)
        .map(|n| {
            entity(
                &n.to_string(),
                json!({ "title": format!("Activité {n:03} au titre plutôt long « & »"),
                        "start": format!("2027-01-{:02}T10:00", 2 + n % 29),
                        "kind": format!("Genre {}", n % 30), "room": format!("Salle {}", n % 40),
                        "tags": [format!("thème {}", n % 50), "🎉"], "organiser": "Équipe",
                        "description": "Une description de longueur moyenne. ".repeat(n % 12) }),
            )
        })
        .collect();
    publish_here(&*tool, &members).await;
    let root = folder.path().join("site");
    let with = text(&root, "style.css").len()
        + fs::read(root.join("barlow-semi-condensed-800.woff2"))
            .unwrap()
            .len();
    for (name, bytes) in files(&root) {
        if name.ends_with(".html") && !name.starts_with("activities/") {
            assert!(
                bytes.len() + with < 50_000,
                "{name}: {}",
                bytes.len() + with
            );
        }
    }
    let groups = files(&root.join("tags"));
    let first_pages = groups.keys().filter(|name| !name.contains('_')).count();
    assert_eq!(first_pages, 24, "the largest groups only");
}

#[tokio::test]
async fn social_networks_are_given_a_picture_where_the_address_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let settings = json!({ "output": ".", "base_url": "https://e.org/x" });
    let (tool, _) = site(folder.path(), settings);
    publish_here(&*tool, &sample()).await;
    let index = text(folder.path(), "index.html");
    for part in [
        "<meta property=\"og:image\" content=\"https://e.org/x/social.png\">",
        "<meta property=\"og:url\" content=\"https://e.org/x/index.html\">",
        "<link rel=\"canonical\" href=\"https://e.org/x/index.html\">",
        "<meta name=\"twitter:card\" content=\"summary_large_image\">",
    ] {
        assert!(index.contains(part), "{part}");
    }
    assert!(folder.path().join("social.png").exists());

    let (nowhere, _) = site(folder.path(), json!({ "output": "." }));
    publish_here(&*nowhere, &sample()).await;
    assert!(!text(folder.path(), "index.html").contains("og:image\""));
    assert!(!folder.path().join("social.png").exists());
}

#[tokio::test]
async fn no_page_carries_a_script_and_each_has_its_landmarks() {
    let folder = tempfile::tempdir().unwrap();
    let (tool, _) = site(folder.path(), json!({ "output": "." }));
    publish_here(&*tool, &sample()).await;
    for (name, bytes) in files(folder.path()) {
        if !name.ends_with(".html") || name == "404.html" {
            continue;
        }
        let html = String::from_utf8(bytes).unwrap();
        for part in [
            "<html lang=\"fr\">",
            "class=\"skip\" href=\"#content\"",
            "<header",
            "<main id=\"content\">",
            "<h1",
            "<footer",
            "name=\"viewport\"",
        ] {
            assert!(html.contains(part), "{name}: {part}");
        }
        assert_eq!(html.matches("<h1").count(), 1);
        assert_eq!(
            html.matches("<script").count(),
            html.matches("<script type=\"application/ld+json\">")
                .count()
        );
        assert!(!html.contains(" onclick") && !html.contains(" style="));
    }
}

#[tokio::test]
async fn search_engines_are_told_the_pages_of_a_site_with_an_address() {
    let folder = tempfile::tempdir().unwrap();
    let settings = json!({ "output": ".", "base_url": "https://e.org/a&b" });
    let (known, _) = site(folder.path(), settings);
    publish_here(&*known, &sample()).await;
    let list = text(folder.path(), "sitemap.xml");
    let addresses: Vec<&str> = list
        .split("<loc>")
        .skip(1)
        .map(|rest| rest.split_once("</loc>").unwrap().0)
        .collect();
    assert!(addresses.contains(&"https://e.org/a&#38;b/index.html"));
    let pages = addresses.iter().filter(|url| url.contains("/activities/"));
    assert_eq!(pages.count(), 36);
    assert_eq!(list.matches("<lastmod>").count(), 36);

    let (unknown, _) = site(folder.path(), json!({ "output": "." }));
    publish_here(&*unknown, &sample()).await;
    assert!(!folder.path().join("sitemap.xml").exists());
}

#[tokio::test]
async fn pages_that_are_written_at_once_by_a_process_that_just_began_are_all_written() {
    let folder = tempfile::tempdir().unwrap();
    let (tool, _) = site(folder.path(), json!({ "output": "site" }));
    let sink = tool.sink().unwrap();
    let jobs: Vec<_> = sample()
        .iter()
        .filter_map(|entity| Some(write(entity.id, page(&*tool, entity)?)))
        .collect();
    let made = futures_util::future::join_all(jobs.iter().map(|job| sink.apply(job))).await;
    assert!(
        made.len() > 10 && made.iter().all(Result::is_ok),
        "{made:?}"
    );
}

#[tokio::test]
async fn a_map_is_told_of_the_place_where_the_settings_say_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let (plain, _) = site(folder.path(), json!({ "output": "." }));
    let before = programme(&*plain, &sample(), Lang::Fr, TODAY);
    publish_here(&*plain, &sample()).await;
    assert!(!folder.path().join("map.json").exists());

    let settings = json!({
        "output": ".", "base_url": "https://e.org/x",
        "map": {
            "latitude": -21.0103, "longitude": 55.2707, "categories": ["Tiers-lieux"],
            "street": "1 rue\nneuve", "town": "Saint-Paul", "postal_code": "97460", "country": "FR",
            "description": "<script>alert(1)</script>",
        },
    });
    let (tool, _) = site(folder.path(), settings);
    let told = programme(&*tool, &sample(), Lang::Fr, TODAY);
    assert_ne!(
        before.hash, told.hash,
        "a place that moves is written again"
    );
    publish_here(&*tool, &sample()).await;
    let map: Value = serde_json::from_str(&text(folder.path(), "map.json")).unwrap();
    let rows = map.as_array().unwrap();
    assert_eq!(rows.len(), 1, "the place, and no dated activities");
    let row = &rows[0];
    assert_eq!(
        (&row["latitude"], &row["longitude"]),
        (&json!(-21.0103), &json!(55.2707))
    );
    assert_eq!(row["taxonomy"], json!(["Tiers-lieux"]));
    assert_eq!(row["streetAddress"], "1 rue neuve");
    assert_eq!(row["url"], "https://e.org/x/index.html");
    assert_eq!(row["agenda"], "https://e.org/x/calendar.ics");
    assert!(row.get("email").is_none(), "nothing that was not said");

    publish_here(&*plain, &sample()).await;
    assert!(!folder.path().join("map.json").exists());
}

#[tokio::test]
async fn what_has_no_date_yet_is_announced_without_one() {
    let folder = tempfile::tempdir().unwrap();
    let (tool, _) = site(folder.path(), json!({ "output": "." }));
    let poll = "https://framadate.org/Bal";
    let bal = |more: Value| {
        let mut fields = json!({ "title": "Bal de mai", "room": "Halle", "poll": poll });
        fields
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        entity("bal", fields)
    };
    publish_here(&*tool, &[bal(json!({ "undated": true }))]).await;
    let front = text(folder.path(), "index.html");
    assert!(front.contains("Date à fixer") && front.contains("Bal de mai"));
    assert!(front.contains(&format!("href=\"{poll}\"")));
    assert!(!front.contains("Rien n’est annoncé"));
    assert!(!text(folder.path(), "calendar.ics").contains("VEVENT"));
    let data: Value = serde_json::from_str(&text(folder.path(), "activities.json")).unwrap();
    assert_eq!(data["activities"], json!([]), "its days are no days");
    assert_eq!(data["undated"][0]["title"], "Bal de mai");

    for hidden in [
        json!({ "undated": true, "visibility": "internal" }),
        json!({ "undated": true, "status": "cancelled" }),
    ] {
        publish_here(&*tool, &[bal(hidden)]).await;
        assert!(!text(folder.path(), "index.html").contains("Bal de mai"));
    }
    publish_here(&*tool, &[bal(json!({ "start": "2027-01-09T20:30" }))]).await;
    let front = text(folder.path(), "index.html");
    assert!(front.contains("Bal de mai") && !front.contains("Date à fixer"));
    assert!(!front.contains(poll), "it was chosen");
}
