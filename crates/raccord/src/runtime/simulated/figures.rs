//! The figures of each connector, as Prometheus scrapes them.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::world::World;

const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// The value of one figure of one connector.
fn figure(scrape: &str, name: &str, connector: &str) -> f64 {
    let start = format!("{name}{{place=\"lieu\",connector=\"{connector}\"}} ");
    let line = scrape.lines().find_map(|line| line.strip_prefix(&start));
    line.unwrap_or_else(|| panic!("no {start} in {scrape}"))
        .parse()
        .unwrap()
}

async fn scrape(world: &World) -> String {
    let (status, scrape) = world.get("/metrics").await;
    assert_eq!(status, 200);
    scrape
}

#[tokio::test(start_paused = true)]
async fn every_figure_is_documented_and_every_documented_figure_is_shown() {
    let sheet = "Titre,Date,Début\nBal,2027-01-09,20:30\nFilm,2027-01-10,20:30\n";
    let config = "[connectors.sheet]\nkind = 'spreadsheet'\nlocation = 'programme.csv'\nevery = '10s'\n\
                  [connectors.site]\nkind = 'website'\noutput = 'shelf/site'\n\
                  [connectors.print]\nkind = 'programme'\noutput = 'print'\n";
    let files = [("programme.csv", sheet), ("shelf", "in the way")];
    let world = World::start(config, &files).await;
    world.pass(SECOND * 90, SECOND).await;

    // The site's folder is away; everything else is well, and so is the program.
    for path in ["/healthz", "/readyz"] {
        assert_eq!(world.get(path).await.0, 200, "{path}");
    }
    let away = scrape(&world).await;
    let shows = |name, connector| figure(&away, name, connector);
    assert_eq!(shows("raccord_connector_up", "site") as u8, 0);
    assert_eq!(shows("raccord_connector_up", "print") as u8, 1);
    assert_eq!(shows("raccord_source_readable", "sheet") as u8, 1);
    assert_eq!(shows("raccord_changes_total", "sheet") as u8, 2);
    assert_eq!(shows("raccord_deliveries_open", "site") as u8, 3);
    assert_eq!(shows("raccord_effects_total", "site") as u8, 0);
    assert_eq!(shows("raccord_effects_total", "print") as u8, 1);
    let lag = shows("raccord_delivery_lag_seconds", "site");
    assert!((85.0..=90.0).contains(&lag), "{lag}");
    assert_eq!(shows("raccord_delivery_lag_seconds", "print") as u8, 0);
    assert!(shows("raccord_retries_total", "site") >= 5.0);
    assert_eq!(shows("raccord_retries_total", "print") as u8, 0);

    // It comes back, but one page cannot be written; and the sheet is emptied.
    std::fs::remove_file(world.path("shelf")).unwrap();
    let film = world
        .state(|engine| {
            let mut all = engine.state().activities();
            all.find(|(_, record)| record.title().as_deref() == Some("Film"))
                .unwrap()
                .0
        })
        .await;
    let page = world.path(&format!("shelf/site/activities/{film}.html"));
    std::fs::create_dir_all(page).unwrap();
    world.pass(SECOND * 90, SECOND).await;
    let lines: Vec<String> = (1..=20)
        .map(|n| format!("Atelier {n},2027-02-{n:02},18:00"))
        .collect();
    world.write("programme.csv", &format!("{sheet}{}\n", lines.join("\n")));
    world.pass(SECOND * 30, SECOND).await;
    world.write("programme.csv", "Titre,Date,Début\n");
    world.pass(SECOND * 30, SECOND).await;
    let back = scrape(&world).await;
    let shows = |name, connector| figure(&back, name, connector);
    assert_eq!(shows("raccord_connector_up", "site") as u8, 1);
    assert_eq!(shows("raccord_deliveries_dead", "site") as u8, 1);
    assert_eq!(shows("raccord_deliveries_open", "site") as u8, 0);
    assert_eq!(shows("raccord_delivery_lag_seconds", "site") as u8, 0);
    assert_eq!(shows("raccord_connector_holds", "sheet") as u8, 1);
    assert_eq!(shows("raccord_connector_holds", "site") as u8, 0);
    let begun: jiff::Timestamp = super::world::BEGIN.parse().unwrap();
    for (name, connector) in [
        ("raccord_effect_last_seconds", "site"),
        ("raccord_source_last_read_seconds", "sheet"),
    ] {
        assert!(shows(name, connector) > begun.as_second() as f64, "{name}");
    }

    // The file is gone: the source is not readable, and that is all.
    std::fs::remove_file(world.path("programme.csv")).unwrap();
    world.pass(SECOND * 30, SECOND).await;
    let last = scrape(&world).await;
    assert_eq!(figure(&last, "raccord_source_readable", "sheet") as u8, 0);
    assert_eq!(world.get("/readyz").await.0, 200);

    world.end().await;

    // A tool that calls.
    let config = "[connectors.agenda]\nkind = 'nextcloud-calendar'\nurl = 'http://127.0.0.1:9'\n\
                  user = 'x'\npassword = 'x'\ncalendar = 'x'\nhook_secret = 'canary'\n\
                  [connectors.site]\nkind = 'website'\noutput = 'site'\n";
    let world = World::start(config, &[]).await;
    assert_eq!(world.call("agenda", "canary").await.0, 200);
    assert_eq!(world.call("agenda", "wrong").await.0, 401);
    assert_eq!(world.call("site", "canary").await.0, 404);
    let called = scrape(&world).await;
    for outcome in ["taken", "refused"] {
        let line = format!(
            "raccord_hook_calls_total{{place=\"lieu\",connector=\"agenda\",outcome=\"{outcome}\"}} 1\n"
        );
        assert!(called.contains(&line), "{called}");
    }
    world.end().await;

    let shown: BTreeSet<&str> = last
        .lines()
        .chain(called.lines())
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .collect();
    let list = include_str!("../../../../../docs/metrics.md");
    let documented: BTreeSet<&str> = list
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    assert_eq!(shown, documented);
    assert!(shown.iter().all(|name| name.starts_with("raccord_")));
}
