//! The connector from outside, with a stand-in for the typesetting child; the pages themselves are
//! looked at where Typst is built, in `crates/raccord-typeset/tests`.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use jiff::civil::{Date, date};
use raccord_connector_programme::CONNECTOR;
use raccord_kit::{Job, Kit, Tool, conformance, testing};
use raccord_model::{
    Applied, Blame, Context, Desired, Digest, Entity, EntityId, EntityKind, Fields, Found, Lang,
    Link, Place, Rendered, Subject,
};
use serde_json::{Value, json};

fn entity(fields: &Value) -> Entity {
    let fields: Fields = serde_json::from_value(fields.clone()).unwrap();
    Entity {
        id: EntityId::derive(&[
            fields["title"].to_string().as_bytes(),
            fields["start"].to_string().as_bytes(),
        ]),
        kind: EntityKind::Activity,
        revision: 1,
        source: "sheet".into(),
        fields,
    }
}

fn january() -> Vec<Entity> {
    let lines: Vec<Value> = serde_json::from_str(include_str!("data/january.json")).unwrap();
    lines.iter().map(entity).collect()
}

fn kit(folder: &Path, child: &str) -> Kit {
    Kit {
        colour: String::new(),
        base: folder.to_owned(),
        templates: std::sync::Arc::default(),
        program: std::path::absolute("tests/children").unwrap().join(child),
        ..testing::kit()
    }
}

fn tool(folder: &Path, child: &str) -> Box<dyn Tool> {
    (CONNECTOR.build)(json!({"output": "out"}), &kit(folder, child)).unwrap()
}

fn render_on(tool: &dyn Tool, members: &[Entity], key: &str, today: Date, lang: Lang) -> Rendered {
    let place: Place = testing::kit().place;
    let context = Context {
        place: &place,
        lang,
        today,
        route: None,
    };
    let id = EntityId::derive(&[key.as_bytes()]);
    tool.sink()
        .unwrap()
        .render(Subject::Publication { id, key, members }, &context)
}

fn desired_of(members: &[Entity], lang: Lang) -> Desired {
    let folder = tempfile::tempdir().unwrap();
    let tool = tool(folder.path(), "prints");
    match render_on(tool.as_ref(), members, "2027-01", date(2026, 12, 20), lang) {
        Rendered::Object(desired) => desired,
        Rendered::Nothing => panic!("there is something to print"),
    }
}

fn desired(members: &[Entity]) -> Desired {
    desired_of(members, Lang::Fr)
}

fn write(desired: Desired) -> Job {
    Job::Write {
        entity: EntityId::derive(&[b"2027-01"]),
        desired,
        link: None,
    }
}

/// All days of a document, as (number, items).
fn days(desired: &Desired) -> Vec<(i64, Vec<Value>)> {
    let weeks = desired.body["document"]["weeks"].as_array().unwrap();
    weeks
        .iter()
        .flat_map(|week| week["days"].as_array().unwrap())
        .map(|day| {
            (
                day["number"].as_i64().unwrap(),
                day["items"].as_array().unwrap().clone(),
            )
        })
        .collect()
}

fn plain(text: &Value) -> String {
    text.as_str()
        .unwrap_or_default()
        .replace(['\u{202f}', '\u{a0}'], " ")
}

#[test]
fn the_sample_month_has_its_public_activities_and_no_others() {
    let desired = desired(&january());
    let items: Vec<Value> = days(&desired)
        .into_iter()
        .flat_map(|(_, items)| items)
        .collect();
    assert_eq!(items.len(), 35);
    assert_eq!(desired.title, "Programme de janvier 2027");
    assert_eq!(desired.body["month"], "2027-01");
    assert_eq!(desired.body["sheets"], json!(["wall"]));
    assert_eq!(items.iter().filter(|item| item["full"] == true).count(), 1);
    assert_eq!(
        items
            .iter()
            .filter(|item| item["tentative"] == true)
            .count(),
        1
    );
    let kinds = desired.body["document"]["kinds"].as_array().unwrap();
    assert_eq!(kinds[0]["name"], "Atelier");
    assert_eq!(kinds.len(), 7);
}

#[test]
fn nothing_that_is_not_for_everyone_gets_into_the_document() {
    let mut members = january();
    for (n, secret) in [
        ("internal", "confirmed"),
        ("public", "draft"),
        ("public", "cancelled"),
    ]
    .iter()
    .enumerate()
    {
        members.push(entity(&json!({
            "title": format!("CANARI{n}"), "start": "2027-01-12T18:00", "visibility": secret.0,
            "status": secret.1, "description": "CANARI", "contact": "CANARI", "guide": "https://CANARI.example",
        })));
    }
    members.push(entity(&json!({
        "title": "Tout le monde", "start": "2027-01-12T18:00", "contact": "CANARI", "guide": "CANARI",
        "tags": ["CANARI"], "extra": {"note": "CANARI"}, "url": "https://CANARI.example",
    })));
    let all = format!("{:?}", desired(&members));
    assert!(all.contains("Tout le monde"));
    for word in [
        "CANARI",
        "@example.org",
        "Comité programmation",
        "Réunion plénière",
        "docs.example.org",
    ] {
        assert!(!all.contains(word), "{word}");
    }
}

#[test]
fn a_month_without_anything_to_print_has_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let tool = tool(folder.path(), "prints");
    let internal: Vec<Entity> = january()
        .into_iter()
        .filter(|entity| entity.text("visibility") == "internal")
        .collect();
    for (members, key) in [
        (&internal[..], "2027-01"),
        (&[], "2027-01"),
        (&january()[..], "all"),
        (&january()[..], "2027-13"),
    ] {
        let rendered = render_on(tool.as_ref(), members, key, date(2026, 12, 20), Lang::Fr);
        assert_eq!(rendered, Rendered::Nothing, "{key}");
    }
}

#[test]
fn evenings_nights_and_stays_say_when_they_end() {
    let hours = |fields: Value| {
        let mut all = json!({"title": "x", "zone": "Indian/Reunion"});
        for (key, value) in fields.as_object().unwrap() {
            all[key] = value.clone();
        }
        let (fr, en) = (
            desired_of(&[entity(&all)], Lang::Fr),
            desired_of(&[entity(&all)], Lang::En),
        );
        let said = |desired: &Desired| {
            let (day, items) = days(desired).remove(0);
            format!(
                "{day}: {} / {} / {}",
                plain(&items[0]["from"]),
                plain(&items[0]["to"]),
                plain(&items[0]["until"])
            )
        };
        (said(&fr), said(&en))
    };
    for (fields, fr, en) in [
        (
            json!({"start": "2027-01-02T18:30", "end": "2027-01-02T20:00"}),
            "2: 18 h 30 / 20 h / ",
            "2: 18:30 / 20:00 / ",
        ),
        (
            json!({"start": "2027-01-15T20:30", "end": "2027-01-16T00:30"}),
            "15: 20 h 30 / 0 h 30 / ",
            "15: 20:30 / 0:30 / ",
        ),
        (
            json!({"start": "2027-01-15T20:30", "end": "2027-01-16T00:00"}),
            "15: 20 h 30 / minuit / ",
            "15: 20:30 / midnight / ",
        ),
        (
            json!({"start": "2027-01-31T20:00", "end": "2027-02-01T02:00"}),
            "31: 20 h / 2 h / ",
            "31: 20:00 / 2:00 / ",
        ),
        (
            json!({"start": "2027-01-02T18:30"}),
            "2: 18 h 30 /  / ",
            "2: 18:30 /  / ",
        ),
        (
            json!({"start": "2027-01-02T18:30", "end": "2027-01-02T18:00"}),
            "2: 18 h 30 /  / ",
            "2: 18:30 /  / ",
        ),
        (
            json!({"start": "2027-01-02", "all_day": true}),
            "2: toute la journée /  / ",
            "2: all day /  / ",
        ),
        (
            json!({"start": "2027-01-22", "end": "2027-01-24", "all_day": true}),
            "22: toute la journée /  / jusqu’au dim. 24",
            "22: all day /  / until Sun 24",
        ),
        (
            json!({"start": "2027-01-22T18:00", "end": "2027-01-24T17:00"}),
            "22: 18 h /  / jusqu’au dim. 24, 17 h",
            "22: 18:00 /  / until Sun 24, 17:00",
        ),
        (
            json!({"start": "2026-12-30", "end": "2027-01-03", "all_day": true}),
            "1: depuis le mer. 30 décembre /  / jusqu’au dim. 3",
            "1: since Wed 30 December /  / until Sun 3",
        ),
        (
            json!({"start": "2027-01-30", "end": "2027-02-02", "all_day": true}),
            "30: toute la journée /  / jusqu’au mar. 2 février",
            "30: all day /  / until Tue 2 February",
        ),
    ] {
        assert_eq!(hours(fields), (fr.to_owned(), en.to_owned()));
    }
}

#[test]
fn weeks_stay_inside_their_month_and_whole_days_come_first() {
    let members = [
        entity(&json!({"title": "soir", "start": "2027-01-01T20:00"})),
        entity(&json!({"title": "matin", "start": "2027-01-01T09:00"})),
        entity(&json!({"title": "jour", "start": "2027-01-01"})),
        entity(&json!({"title": "fin", "start": "2027-01-31T09:00"})),
    ];
    let desired = desired(&members);
    let document = &desired.body["document"];
    let labels: Vec<String> = document["weeks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|week| plain(&week["label"]))
        .collect();
    assert_eq!(labels, ["Du 1er au 3 janvier", "Du 25 au 31 janvier"]);
    let titles: Vec<String> = days(&desired)[0]
        .1
        .iter()
        .map(|item| plain(&item["title"]))
        .collect();
    assert_eq!(titles, ["jour", "matin", "soir"]);
    assert_eq!(document["glance"].as_array().unwrap().len(), 31);
    assert_eq!(document["glance"][0]["marks"].as_array().unwrap().len(), 3);
}

#[test]
fn what_nobody_can_see_changes_nothing() {
    let before = desired(&january());
    let mut members = january();
    members.reverse();
    for entity in &mut members {
        entity.revision += 1;
        entity
            .fields
            .insert("contact".into(), "somebody.else@example.org".into());
        entity.fields.insert("extra".into(), json!({"note": "vu"}));
    }
    assert_eq!(desired(&members).hash, before.hash);

    let folder = tempfile::tempdir().unwrap();
    let tool = tool(folder.path(), "prints");
    let Rendered::Object(later) = render_on(
        tool.as_ref(),
        &january(),
        "2027-01",
        date(2027, 1, 9),
        Lang::Fr,
    ) else {
        panic!("there is something to print");
    };
    assert_eq!(later.hash, before.hash, "another day is no other programme");
    assert_eq!(plain(&later.body["document"]["made"]), "9 janvier 2027");

    members[0].fields.insert("room".into(), "Jardin".into());
    assert_ne!(desired(&members).hash, before.hash);
    assert_ne!(desired_of(&january(), Lang::En).hash, before.hash);
}

#[test]
fn the_listing_says_in_both_languages_what_will_be_printed() {
    let text = desired(&january()).text;
    let fr = text.fr.replace(['\u{202f}', '\u{a0}'], " ");
    let en = text.en.replace(['\u{202f}', '\u{a0}'], " ");
    assert!(
        fr.starts_with(
            "Programme de janvier 2027\nsam. 2, 10 h – 12 h · Rangement de rentrée · Grande halle\n"
        ),
        "{fr}"
    );
    assert!(en.starts_with("Programme for January 2027\nSat 2, 10:00 – 12:00 · Rangement de rentrée · Grande halle\n"), "{en}");
    assert!(
        fr.contains("ven. 15, 20 h 30 – 0 h 30 · Concert : fanfare de quartier"),
        "{fr}"
    );
    assert!(fr.contains("À confirmer") && fr.contains("Complet"), "{fr}");
    assert_eq!(fr.lines().count(), 36);
}

#[tokio::test]
async fn a_child_that_floods_hangs_or_dies_leaves_the_old_file_in_place() {
    let folder = tempfile::tempdir().unwrap();
    let job = write(desired(&january()));
    let good = tool(folder.path(), "prints");
    good.sink().unwrap().apply(&job).await.unwrap();
    let path = folder.path().join("out/programme-2027-01.pdf");
    let before = fs::read(&path).unwrap();
    for child in [
        "floods",
        "refuses",
        "is-killed",
        "stops-half-way",
        "is-not-there",
    ] {
        let tool = tool(folder.path(), child);
        tool.sink().unwrap().apply(&job).await.unwrap_err();
        assert_eq!(fs::read(&path).unwrap(), before, "{child}");
        assert_eq!(
            fs::read_dir(folder.path().join("out")).unwrap().count(),
            1,
            "{child}"
        );
    }
}

#[tokio::test]
async fn a_file_is_found_again_by_what_it_holds_and_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    let tool = tool(folder.path(), "echoes");
    let sink = tool.sink().unwrap();
    let job = write(desired(&january()));
    assert!(matches!(sink.find(&job).await.unwrap(), Found::No { .. }));
    let applied = sink.apply(&job).await.unwrap().applied;
    assert_eq!(applied.external, "programme-2027-01.pdf");
    assert_eq!(sink.find(&job).await.unwrap(), Found::Yes(applied.clone()));
    let other = write(desired(&january()[..3]));
    assert!(matches!(sink.find(&other).await.unwrap(), Found::No { .. }));

    let link = |external: &str| Job::Remove {
        entity: EntityId::derive(&[b"2027-01"]),
        link: Link {
            external: external.to_owned(),
            tag: None,
            hash: raccord_model::Digest::default(),
            revision: 0,
            url: None,
        },
    };
    let outside = folder.path().join("raccord.toml");
    fs::write(&outside, "").unwrap();
    assert_eq!(
        sink.apply(&link("../raccord.toml"))
            .await
            .unwrap_err()
            .blame,
        Blame::Data
    );
    assert!(outside.exists());
    sink.apply(&link(&applied.external)).await.unwrap();
    assert!(!folder.path().join("out/programme-2027-01.pdf").exists());
    // Somebody was faster: it is gone all the same.
    sink.apply(&link(&applied.external)).await.unwrap();
}

/// The names in the output folder.
fn made(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder.join("out"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn tool_with(folder: &Path, settings: Value) -> Box<dyn Tool> {
    (CONNECTOR.build)(settings, &kit(folder, "echoes")).unwrap()
}

fn january_with(tool: &dyn Tool, members: &[Entity]) -> Desired {
    match render_on(tool, members, "2027-01", date(2026, 12, 20), Lang::Fr) {
        Rendered::Object(desired) => desired,
        Rendered::Nothing => panic!("there is something to print"),
    }
}

fn link_to(applied: &Applied, hash: Digest) -> Link {
    Link {
        tag: applied.tag.clone(),
        external: applied.external.clone(),
        ..Link::nameless(hash)
    }
}

#[tokio::test]
async fn an_edition_is_counted_when_what_is_read_changes_and_never_twice_for_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let tool = tool(folder.path(), "echoes");
    let sink = tool.sink().unwrap();
    let step = async |members: &[Entity], link: Option<Link>| {
        let desired = desired(members);
        let hash = desired.hash;
        let job = Job::Write {
            entity: EntityId::derive(&[b"2027-01"]),
            desired,
            link,
        };
        let made = sink.apply(&job).await.unwrap();
        assert_eq!(
            sink.find(&job).await.unwrap(),
            Found::Yes(made.applied.clone())
        );
        (made.applied.tag.clone(), link_to(&made.applied, hash))
    };
    let tag = |text: &str| Some(text.to_owned());
    let (first, link) = step(&january(), None).await;
    assert_eq!(first, tag("1"));
    let (again, link) = step(&january(), Some(link)).await;
    assert_eq!(again, tag("1"));
    let (second, link) = step(&january()[1..], Some(link)).await;
    assert_eq!(second, tag("2"));
    let said = fs::read_to_string(folder.path().join("out/programme-2027-01.pdf")).unwrap();
    assert!(said.contains("raccord-edition:2"));
    // The answer of the third was lost: what asks again knows the second only, or nothing.
    let (third, _) = step(&january()[3..], Some(link.clone())).await;
    assert_eq!(third, tag("3"));
    assert_eq!(step(&january()[3..], Some(link)).await.0, tag("3"));
    assert_eq!(step(&january()[3..], None).await.0, tag("3"));
}

#[tokio::test]
async fn each_sheet_that_is_asked_for_is_made_and_what_is_not_asked_for_any_more_goes() {
    let folder = tempfile::tempdir().unwrap();
    let all = tool_with(
        folder.path(),
        json!({"output": "out", "layout": "both", "signup_sheets": true}),
    );
    let desired = january_with(all.as_ref(), &january());
    all.sink().unwrap().apply(&write(desired)).await.unwrap();
    assert_eq!(
        made(folder.path()),
        [
            "programme-2027-01-leaflet.pdf",
            "programme-2027-01-signup.pdf",
            "programme-2027-01.pdf"
        ]
    );
    let leaflet = tool_with(
        folder.path(),
        json!({"output": "out", "layout": "a5-leaflet"}),
    );
    let desired = january_with(leaflet.as_ref(), &january());
    let hash = desired.hash;
    let sink = leaflet.sink().unwrap();
    let applied = sink.apply(&write(desired)).await.unwrap().applied;
    assert_eq!(made(folder.path()), ["programme-2027-01-leaflet.pdf"]);
    let gone = Job::Remove {
        entity: EntityId::derive(&[b"2027-01"]),
        link: link_to(&applied, hash),
    };
    sink.apply(&gone).await.unwrap();
    assert_eq!(made(folder.path()), [""; 0]);
}

#[test]
fn telephones_find_the_month_and_where_to_sign_up() {
    let folder = tempfile::tempdir().unwrap();
    let addresses = |settings: Value| {
        let tool = tool_with(folder.path(), settings);
        let document = january_with(tool.as_ref(), &january()).body["document"].clone();
        let codes = document["codes"].as_array().cloned().unwrap_or_default();
        codes
            .iter()
            .map(|code| code["address"].as_str().unwrap().replace('\u{200b}', ""))
            .collect::<Vec<_>>()
    };
    let public = testing::kit().place.public_url;
    let public = public.trim_start_matches("https://").trim_end_matches('/');
    let here: Vec<&str> = [public].into_iter().filter(|it| !it.is_empty()).collect();
    assert_eq!(addresses(json!({"output": "out"})), here);
    assert_eq!(
        addresses(
            json!({"output": "out", "page": "https://example.org/{month}.html",
            "signup": "https://example.org/venir/"})
        ),
        ["example.org/2027-01.html", "example.org/venir"]
    );
}

#[tokio::test]
async fn what_hangs_on_the_wall_gets_a_sheet_of_changes_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let tool = tool(folder.path(), "echoes");
    let before = january_with(tool.as_ref(), &january());
    let mut mark = entity(&json!({
        "title": "Programme de janvier 2027", "start": "", "kind": "programme", "period": "2027-01",
        "edition": 3, "printed": "2026-12-20T08:00:00Z",
        "extra": tool.sink().unwrap().printed(&before).unwrap(),
    }));
    mark.kind = EntityKind::Publication;
    let mut members = january();
    members.push(mark);

    // Nothing that could be noticed on paper has changed: there is no sheet, and no new edition.
    let same = january_with(tool.as_ref(), &members);
    assert_eq!(same.hash, before.hash);
    assert_eq!(same.body.get("since"), None);
    assert_eq!(same.outdated, None);

    let moved = members
        .iter()
        .position(|entity| entity.text("title") == "Bourse aux graines")
        .unwrap();
    members[moved].fields.insert("room".into(), "Préau".into());
    let gone = members
        .iter()
        .position(|entity| entity.text("title") == "Scène ouverte")
        .unwrap();
    members[gone]
        .fields
        .insert("status".into(), "cancelled".into());
    let changed = january_with(tool.as_ref(), &members);
    let since = &changed.body["since"];
    assert_eq!(plain(&since["heading"]), "Depuis l’édition 3");
    let told: Vec<_> = since["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| (plain(&change["item"]["title"]), plain(&change["state"])))
        .collect();
    let told: Vec<(&str, &str)> = told.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    assert_eq!(
        told,
        [("Scène ouverte", "gone"), ("Bourse aux graines", "changed")]
    );
    assert_eq!(
        since["changes"][1]["fields"],
        json!([{"name": "Salle", "old": "Jardin", "new": "Préau"}])
    );
    let told = changed.outdated.clone().unwrap();
    assert_eq!(
        told.text.fr.replace('\u{a0}', " "),
        "Programme de janvier 2027, édition 3 : ce qui est au mur n’est plus à jour. \
         « Scène ouverte » n’a plus lieu. « Bourse aux graines » a changé."
    );
    assert!(told.mend.en.contains("Print programme-2027-01-since.pdf"));
    // Whatever is printed is compared, so that the sheet may say that the rest has not changed.
    let noted = &mut members[moved].fields;
    noted.insert("description".into(), "Apportez vos semences.".into());
    noted.insert("capacity".into(), json!(12));
    noted.insert(
        "register".into(),
        json!("https://tickets.example.org/graines"),
    );
    noted.insert("credits".into(), json!(250));
    noted.insert("kind".into(), "Marché".into());
    let more = january_with(tool.as_ref(), &members);
    let fields = more.body["since"]["changes"][1]["fields"]
        .as_array()
        .unwrap();
    let fields: Vec<String> = fields
        .iter()
        .map(|field| {
            ["name", "old", "new"]
                .map(|part| plain(&field[part]))
                .join(" | ")
        })
        .collect();
    assert_eq!(
        fields,
        [
            "Genre | Atelier | Marché",
            "Salle | Jardin | Préau",
            "Places | 50 places | 12 places, sur inscription",
            "Crédits | 1 crédit | 2,5 crédits",
            "Texte | Échange de semences paysannes, « apportez vos sachets ». | Apportez vos semences.",
        ]
    );
    let sink = tool.sink().unwrap();
    sink.apply(&write(changed)).await.unwrap();
    assert_eq!(
        made(folder.path()),
        ["programme-2027-01-since.pdf", "programme-2027-01.pdf"]
    );
    // Undone in the sheet: the wall is right again, and the sheet beside it goes.
    sink.apply(&write(same)).await.unwrap();
    assert_eq!(made(folder.path()), ["programme-2027-01.pdf"]);
}

#[test]
fn a_crowded_month_is_kept_with_shorter_texts_and_is_still_compared_line_by_line() {
    let folder = tempfile::tempdir().unwrap();
    let tool = tool(folder.path(), "prints");
    let month = |room: &str| -> Vec<Entity> {
        let line = |n: usize| {
            entity(&json!({
                "title": format!("Atelier n° {n}"), "kind": "Atelier", "room": room,
                "start": format!("2027-01-{:02}T{:02}:00", 1 + n % 31, 8 + n % 12),
                "description": "Chacune et chacun apporte ce qu’il faut. ".repeat(10),
            }))
        };
        (0..200).map(line).collect()
    };
    let before = january_with(tool.as_ref(), &month("Halle"));
    let shown = tool.sink().unwrap().printed(&before).unwrap();
    let kept = serde_json::to_vec(&shown).unwrap().len();
    assert!(kept < 64 * 1024, "the schema has a limit: {kept}");
    let mark = |members: &mut Vec<Entity>| {
        let mut mark = entity(&json!({
            "title": "x", "start": "", "kind": "programme", "period": "2027-01", "edition": 1,
            "printed": "2026-12-20T08:00:00Z", "extra": shown,
        }));
        mark.kind = EntityKind::Publication;
        members.push(mark);
    };
    let mut same = month("Halle");
    mark(&mut same);
    assert_eq!(january_with(tool.as_ref(), &same).body.get("since"), None);
    same[7].fields.insert("room".into(), "Préau".into());
    let changed = january_with(tool.as_ref(), &same);
    assert_eq!(
        changed.body["since"]["changes"].as_array().unwrap().len(),
        1
    );
}

#[test]
fn a_mark_that_is_not_understood_hides_no_programme() {
    let folder = tempfile::tempdir().unwrap();
    let tool = tool(folder.path(), "prints");
    for extra in [
        json!(null),
        json!({"weeks": 3}),
        json!({"weeks": [{"days": [{}]}]}),
    ] {
        let mut mark = entity(&json!({
            "title": "x", "start": "", "kind": "programme", "period": "2027-01", "edition": 1,
            "printed": "2026-12-20T08:00:00Z", "extra": extra,
        }));
        mark.kind = EntityKind::Publication;
        let mut members = january();
        members.push(mark);
        assert_eq!(
            january_with(tool.as_ref(), &members).body.get("since"),
            None
        );
    }
}

#[test]
fn b01_the_card_says_what_the_connector_does() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = tool(folder.path(), "prints").describe();
    conformance::card(&CONNECTOR, &manifest).unwrap();
}

#[test]
fn b02_broken_settings_are_refused_by_their_key() {
    conformance::b02_config(
        &CONNECTOR,
        &[
            json!({"output": "out"}),
            json!({"output": "out", "layout": "a4", "template": "own.typ"}),
            json!({"output": "out", "layout": "a5-leaflet", "leaflet_template": "own.typ"}),
            json!({"output": "out", "layout": "both", "logo": "logo.svg", "signup_sheets": true,
                "page": "https://example.org/{month}.html", "signup": "https://example.org/in"}),
        ],
        &[
            (json!({}), "output"),
            (json!({"output": 1}), "output"),
            (json!({"output": "out", "layout": "a3"}), "layout"),
            (
                json!({"output": "out", "page": "programme.example.org"}),
                "page",
            ),
            (json!({"output": "out", "signup": 3}), "signup"),
            (
                json!({"output": "out", "signup_sheets": "oui"}),
                "signup_sheets",
            ),
            (json!({"output": "out", "logo": []}), "logo"),
            (json!({"output": "out", "template": false}), "template"),
            (json!({"output": "out", "ouput": "out"}), "ouput"),
        ],
    );
}

#[tokio::test]
async fn b03_check_tells_mistakes_apart_and_leaves_nothing_behind() {
    let codes = async |tool: Box<dyn Tool>| -> Vec<String> {
        tool.check()
            .await
            .into_iter()
            .map(|finding| finding.code)
            .collect()
    };
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(codes(tool(folder.path(), "prints")).await, [""; 0]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);

    assert_eq!(
        codes(tool(folder.path(), "knows-nothing")).await,
        ["programme.no-typesetting"]
    );
    let own = |path: &str, child: &str| {
        (CONNECTOR.build)(
            json!({"output": "out", "template": path}),
            &kit(folder.path(), child),
        )
        .unwrap()
    };
    assert_eq!(
        codes(own("missing.typ", "prints")).await,
        ["programme.template-unreadable"]
    );
    fs::write(folder.path().join("own.typ"), "#nowhere").unwrap();
    assert_eq!(
        codes(own("own.typ", "refuses")).await,
        ["programme.template"]
    );

    fs::write(folder.path().join("out"), "a file").unwrap();
    assert_eq!(
        codes(tool(folder.path(), "prints")).await,
        ["programme.output"]
    );
    fs::remove_file(folder.path().join("out")).unwrap();

    fs::create_dir(folder.path().join("out")).unwrap();
    fs::set_permissions(folder.path().join("out"), fs::Permissions::from_mode(0o555)).unwrap();
    // Root may write everywhere: there the rights are no hindrance, and none is told.
    let root = rustix::process::geteuid().is_root();
    let expected: &[&str] = if root {
        &[]
    } else {
        &["programme.output-rights"]
    };
    assert_eq!(codes(tool(folder.path(), "prints")).await, expected);
}

#[test]
fn b14_the_guide_is_complete_in_both_languages() {
    conformance::b14_guide(include_str!("../README.md"));
}

#[test]
fn the_quality_file_names_tests_that_exist() {
    if let Err(wrong) = conformance::quality(Path::new(".")) {
        panic!("{wrong:#?}");
    }
}
