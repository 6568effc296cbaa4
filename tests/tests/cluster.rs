//! Several nodes on one cluster: each place is worked for by one of them, whoever dies or leaves, and
//! nothing is lost or made twice by that.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use raccord_bus::jetstream::servers::{Server, Version, free_port};
use raccord_tests::place::{Place, copy};
use raccord_tests::receiver::Receiver;
use raccord_tests::working::{TOKEN, Working};
use serde_json::Value;
use tempfile::TempDir;

const PLACES: [&str; 4] = ["atelier", "cafe", "halle", "jardin"];

/// Servers, the sheets all nodes read, and who is told.
struct World {
    server: Server,
    folder: TempDir,
    receiver: Receiver,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(Version::Present, &folder.path().join("server"), "");
        let world = Self {
            server,
            folder,
            receiver: Receiver::start().unwrap(),
        };
        for place in PLACES {
            world.writes(place, &["Un"]);
        }
        world
    }

    fn sheet(&self, place: &str) -> std::path::PathBuf {
        self.folder.path().join(format!("{place}.csv"))
    }

    /// Saves the sheet of a place with these titles.
    fn writes(&self, place: &str, titles: &[&str]) {
        let mut text = "Titre,Date,Heure,Contact\n".to_owned();
        for (day, title) in (2..).zip(titles) {
            writeln!(
                text,
                "{title} {place},{day:02}/01/2027,18h30,ana@example.org"
            )
            .unwrap();
        }
        let path = self.sheet(place);
        let part = path.with_extension("part");
        std::fs::write(&part, text).unwrap();
        std::fs::rename(part, path).unwrap();
    }

    /// A node called `name`, on a machine of its own.
    fn node(&self, name: &str) -> Working {
        self.node_with(name, "")
    }

    /// The same with more in the settings of each place.
    fn node_with(&self, name: &str, more: &str) -> Working {
        Working::start(|address| {
            let settings = |place: &str| {
                format!(
                    "[place]\nid = \"{place}\"\nname = \"{place}\"\ntimezone = \"Europe/Paris\"\nlanguage = \"fr\"\n\
                     data = \"../data/{place}\"\nbus = \"{}\"\n[cluster]\nnode = \"{name}\"\n\
                     [web]\nlisten = \"{address}\"\nadmin_token = \"{TOKEN}\"\n\
                     [connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"{}\"\n\
                     [connectors.hook]\nkind = \"webhook\"\nurl = \"http://{}/in\"\n\
                     {more}[guards]\nsecond_look = \"0s\"\n",
                    self.server.url(),
                    self.sheet(place).display(),
                    self.receiver.address,
                )
            };
            let files: Vec<(String, String)> = PLACES
                .iter()
                .map(|place| (format!("{place}.toml"), settings(place)))
                .collect();
            let files: Vec<(&str, String)> = files
                .iter()
                .map(|(name, text)| (name.as_str(), text.clone()))
                .collect();
            Place::several(&files)
        })
        .unwrap()
    }

    /// Waits until the receiver was told once of every activity, and of none twice.
    fn told(&self, titles: &[&str]) {
        let wanted = titles.len() * PLACES.len();
        let times = || {
            let mut times: BTreeMap<String, usize> = BTreeMap::new();
            for bodies in self.receiver.received().values() {
                let event: Value = serde_json::from_slice(&bodies[0]).unwrap();
                assert!(bodies.iter().all(|body| *body == bodies[0]));
                assert_eq!(event["type"], "org.raccord.activity.created.v1", "{event}");
                let title = event["data"]["title"].as_str().unwrap();
                *times.entry(title.to_owned()).or_default() += 1;
            }
            times
        };
        let all = self
            .receiver
            // A busy machine may miss a save, and reads the sheet again after half a minute.
            .wait(Duration::from_secs(90), |received| received.len() >= wanted);
        let times = times();
        assert!(all, "{times:?}");
        assert_eq!(times.len(), wanted, "{times:?}");
        assert!(times.values().all(|times| *times == 1), "{times:?}");
    }
}

/// How many places are at work on a node: the others, it says, are elsewhere.
fn holds(node: &Working) -> usize {
    let (_, page) = node.get("/readyz").unwrap();
    PLACES.len() - page.matches("\"elsewhere\"").count()
}

fn spread(nodes: &[(&Working, usize)]) {
    for (node, wanted) in nodes {
        node.until(&format!("it does not hold {wanted}"), || {
            holds(node) == *wanted
        });
    }
}

#[test]
fn nodes_share_places_and_take_over_from_one_that_dies() {
    let world = World::new();
    let north = world.node("north");
    spread(&[(&north, 4)]);
    world.told(&["Un"]);

    let south = world.node("south");
    spread(&[(&north, 2), (&south, 2)]);
    south.until("it is not said who works for the others", || {
        let (code, page) = south.get("/readyz").unwrap();
        code == 200 && page.contains("north")
    });
    for place in PLACES {
        world.writes(place, &["Un", "Deux"]);
    }
    world.told(&["Un", "Deux"]);

    // Pages and commands of every place, on every machine.
    for node in [&north, &south] {
        for place in PLACES {
            node.until(&format!("{place} is not shown"), || {
                let (code, page) = node.get(&format!("/p/{place}/")).unwrap();
                code == 200 && page.contains(&format!("Deux {place}"))
            });
            let pass = node.place.run(&["sync", "--place", place]).unwrap();
            assert_eq!(pass.code, 0, "{place}: {}", pass.stderr);
        }
    }

    let places = south.place.run(&["places"]).unwrap().json;
    let nodes: Vec<&str> = places
        .as_array()
        .unwrap()
        .iter()
        .map(|place| place["node"].as_str().unwrap())
        .collect();
    assert_eq!(
        nodes.iter().filter(|node| **node == "north").count(),
        2,
        "{nodes:?}"
    );
    assert_eq!(nodes.len(), PLACES.len());

    // Killed, its places are taken over; what it had begun is there once.
    let died = Instant::now();
    drop(north);
    spread(&[(&south, 4)]);
    let took = died.elapsed();
    assert!(took < Duration::from_secs(8), "{took:?}");
    for place in PLACES {
        world.writes(place, &["Un", "Deux", "Trois"]);
    }
    world.told(&["Un", "Deux", "Trois"]);

    // One that comes gets its part, and one that leaves lets go at once.
    let west = world.node("west");
    spread(&[(&south, 2), (&west, 2)]);
    let left = Instant::now();
    south.stop().unwrap();
    spread(&[(&west, 4)]);
    let took = left.elapsed();
    assert!(took < Duration::from_secs(3), "{took:?}");
    for place in PLACES {
        world.writes(place, &["Un", "Deux", "Trois", "Quatre"]);
    }
    world.told(&["Un", "Deux", "Trois", "Quatre"]);
}

#[test]
fn a_node_that_hung_and_servers_that_died_lose_nothing_and_make_nothing_twice() {
    let mut world = World::new();
    let (north, south) = (world.node("north"), world.node("south"));
    spread(&[(&north, 2), (&south, 2)]);
    world.told(&["Un"]);

    // It hangs with effects under way, for longer than the others take it for alive.
    world.receiver.slow(Duration::from_millis(300));
    for place in PLACES {
        world.writes(place, &["Un", "Deux"]);
    }
    std::thread::park_timeout(Duration::from_millis(400));
    north.hangs().unwrap();
    spread(&[(&south, 4)]);
    world.receiver.slow(Duration::ZERO);
    world.told(&["Un", "Deux"]);
    north.goes_on().unwrap();
    spread(&[(&south, 2), (&north, 2)]);
    for place in PLACES {
        world.writes(place, &["Un", "Deux", "Trois"]);
    }
    world.told(&["Un", "Deux", "Trois"]);

    // The servers die, and come back with what they had.
    world.server.kill();
    for place in PLACES {
        world.writes(place, &["Un", "Deux", "Trois", "Quatre"]);
    }
    std::thread::park_timeout(Duration::from_secs(5));
    world.server.run();
    world.told(&["Un", "Deux", "Trois", "Quatre"]);
    spread(&[(&south, 2), (&north, 2)]);
}

/// Nothing in the servers tells that all of them were put back to an earlier moment: a machine does,
/// though it comes after another has begun to work.
#[test]
fn a_machine_that_has_read_more_than_there_is_mutes_the_place_wherever_it_is_at_work() {
    let mut world = World::new();
    let north = world.node("north");
    world.told(&["Un"]);
    world.server.kill();
    let (store, backup) = (world.server.store(), world.folder.path().join("backup"));
    copy(&store, &backup).unwrap();
    world.server.run();
    for place in PLACES {
        world.writes(place, &["Un", "Deux"]);
    }
    world.told(&["Un", "Deux"]);
    let address = north.address();
    let north = north.leave().unwrap();

    world.server.kill();
    std::fs::remove_dir_all(&store).unwrap();
    copy(&backup, &store).unwrap();
    world.server.run();
    let south = world.node("south");
    spread(&[(&south, 4)]);
    let mute = |node: &Working| node.get("/readyz").unwrap().1.matches("\"mute\"").count();
    assert_eq!(mute(&south), 0, "nobody knows better");
    let north = Working::start_at(address, north).unwrap();
    let told = || mute(&north) + mute(&south) >= PLACES.len();
    south.until("not every place is mute", told);
    let sent = world.receiver.received().len();
    for place in PLACES {
        world.writes(place, &["Un", "Deux", "Trois"]);
    }
    for place in PLACES {
        let pass = south.place.run(&["sync", "--place", place]).unwrap();
        assert_eq!(pass.json["done"], 0, "{place}: {}", pass.stderr);
    }
    assert_eq!(world.receiver.received().len(), sent);

    // Once a person has said what it is, it stays said.
    for place in PLACES {
        let said = south.place.run(&["unmute", "--moved", "--place", place]);
        assert_eq!(said.unwrap().code, 0, "{place}");
    }
    world.receiver.wait(Duration::from_secs(30), |received| {
        received.len() >= sent + PLACES.len()
    });
    south.stop().unwrap();
    spread(&[(&north, 4)]);
    assert_eq!(mute(&north), 0, "what was settled is not asked again");
}

#[test]
fn what_is_posted_to_any_node_is_taken_once_and_followed_on_any() {
    let world = World::new();
    let (north, south) = (world.node("north"), world.node("south"));
    spread(&[(&north, 2), (&south, 2)]);
    world.told(&["Un"]);
    for place in PLACES {
        for node in [&north, &south] {
            let path = format!("/p/{place}/v1/events");
            assert_eq!(node.post(&path, "bal").unwrap(), 202, "{place}");
        }
    }
    let wanted = 2 * PLACES.len();
    let all = world
        .receiver
        .wait(Duration::from_secs(30), |received| received.len() >= wanted);
    assert!(all);
    for node in [&north, &south] {
        for place in PLACES {
            let shows = || {
                let (code, page) = node.get(&format!("/p/{place}/")).unwrap();
                code == 200 && page.contains("Bal bal")
            };
            node.until(&format!("{place} is not shown"), shows);
            let told = node.follow(&format!("/p/{place}/v1/events"), "Bal bal");
            let told = told.unwrap();
            assert_eq!(told.matches("\ndata").count(), 2, "{told}");
        }
    }
    assert_eq!(world.receiver.received().len(), wanted, "and once");

    // Programs with nothing but a NATS client are told as well, of each place under its own name,
    // once, and after a death too.
    let subjects = |count: usize| {
        let mut subjects = told_by_servers(&world.server.url(), count);
        subjects.sort();
        subjects
    };
    let mut expected: Vec<String> = PLACES
        .iter()
        .flat_map(|place| [(); 2].map(|()| format!("raccord.{place}.events.activity.created")))
        .collect();
    assert_eq!(subjects(wanted), expected);
    drop(north);
    spread(&[(&south, 4)]);
    world.writes("halle", &["Un", "Deux"]);
    expected.push("raccord.halle.events.activity.created".to_owned());
    expected.sort();
    assert_eq!(subjects(wanted + 1), expected);
}

#[test]
fn a_tool_may_call_any_node_and_is_known_by_the_one_that_works_for_its_place() {
    let world = World::new();
    let more = "[connectors.agenda]\nkind = \"nextcloud-calendar\"\nurl = \"http://127.0.0.1:9\"\n\
                user = \"x\"\npassword = \"x\"\ncalendar = \"x\"\nhook_secret = \"canary\"\n";
    let (north, south) = (
        world.node_with("north", more),
        world.node_with("south", more),
    );
    spread(&[(&north, 2), (&south, 2)]);
    for place in PLACES {
        let path = |name: &str| format!("/p/{place}/hooks/{name}");
        for node in [&north, &south] {
            assert_eq!(
                node.call(&path("agenda"), "canary").unwrap(),
                200,
                "{place}"
            );
            assert_eq!(node.call(&path("agenda"), "wrong").unwrap(), 401, "{place}");
            assert_eq!(node.call(&path("sheet"), "canary").unwrap(), 404, "{place}");
        }
        let taken = format!(
            "raccord_hook_calls_total{{place=\"{place}\",connector=\"agenda\",outcome=\"taken\"}} 2\n"
        );
        let counts = [&north, &south].map(|node| {
            let (_, figures) = node.get("/metrics").unwrap();
            usize::from(figures.contains(&taken))
        });
        assert_eq!(counts.iter().sum::<usize>(), 1, "{place}");
    }
}

/// The subjects of the first `count` events that other programs can read, and of no more.
fn told_by_servers(url: &str, count: usize) -> Vec<String> {
    use async_nats::jetstream;
    use futures_util::StreamExt as _;
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let client = jetstream::new(async_nats::connect(url).await.unwrap());
        let stream = client.get_stream("raccord-events").await.unwrap();
        let all = jetstream::consumer::pull::OrderedConfig::default();
        let consumer = stream.create_consumer(all).await.unwrap();
        let mut messages = consumer.messages().await.unwrap();
        let mut subjects = Vec::new();
        let wait = |more| if more { 30 } else { 1 };
        while let Ok(Some(message)) = tokio::time::timeout(
            Duration::from_secs(wait(subjects.len() < count)),
            messages.next(),
        )
        .await
        {
            let message = message.unwrap();
            let event: Value = serde_json::from_slice(&message.payload).unwrap();
            assert_eq!(event["data"]["contact"], Value::Null);
            subjects.push(message.subject.to_string());
        }
        subjects
    })
}

#[test]
fn a_machine_keeps_nothing_that_cannot_be_fetched_again_and_commands_work_as_with_a_folder() {
    let world = World::new();
    let config = |name: &str| {
        format!(
            "[place]\nid = \"halle\"\nname = \"La halle\"\ntimezone = \"Europe/Paris\"\nlanguage = \"fr\"\n\
             bus = \"{}\"\n[cluster]\nnode = \"{name}\"\n\
             [connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"{}\"\n\
             [connectors.hook]\nkind = \"webhook\"\nurl = \"http://{}/in\"\n\
             [guards]\nsecond_look = \"0s\"\n",
            world.server.url(),
            world.sheet("halle").display(),
            world.receiver.address,
        )
    };
    let sheet = "Titre,Date,Heure,Contact\nBal,02/01/2027,20h,ana@example.org\n";
    std::fs::write(world.sheet("halle"), sheet).unwrap();
    let here = Place::new(&config("here")).unwrap();
    let there = Place::new(&config("there")).unwrap();
    let well = |place: &Place, arguments: &[&str]| {
        let answer = place.run(arguments).unwrap();
        assert_eq!(answer.code, 0, "{arguments:?}: {}", answer.stderr);
        answer.json
    };
    let times = || world.receiver.received().len();
    well(&here, &["sync"]);
    assert_eq!(times(), 1);
    std::fs::remove_dir_all(here.path("data")).unwrap();
    well(&here, &["sync"]);
    well(&there, &["sync"]);
    assert_eq!(times(), 1, "another machine knows what this one did");
    assert_eq!(there.events().unwrap().len(), 1);
    let event = &there.events().unwrap()[0];
    well(&there, &["why", event["subject"].as_str().unwrap()]);
    well(&there, &["rebuild"]);
    well(&there, &["backup", there.path("saved").to_str().unwrap()]);

    // Whoever is forgotten here is forgotten there, and a machine that was away does not bring them back.
    assert_eq!(
        well(&there, &["person", "export", "ana@example.org"])["known"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    well(&here, &["person", "forget", "ana@example.org"]);
    std::fs::remove_dir_all(there.path("data")).unwrap();
    std::fs::write(world.sheet("halle"), sheet.replace("20h", "21h")).unwrap();
    well(&there, &["sync"]);
    assert_eq!(
        there
            .run(&["person", "export", "ana@example.org"])
            .unwrap()
            .code,
        1
    );
    assert!(!found(
        &world.folder.path().join("server"),
        b"ana@example.org"
    ));

    // A backup from before comes back mute, and without them.
    let sent = times();
    let saved = there.path("saved").display().to_string();
    well(&there, &["restore", &saved]);
    let places = here.run(&["places"]).unwrap();
    assert_eq!(places.json[0]["state"], "mute", "{}", places.stderr);
    let forgotten = here.run(&["person", "export", "ana@example.org"]).unwrap();
    assert_eq!(forgotten.code, 1, "{}", forgotten.json);
    well(&here, &["sync"]);
    assert_eq!(times(), sent);
    well(&there, &["unmute", "--moved"]);
    well(&there, &["sync"]);
    well(&here, &["sync"]);
    for place in [&here, &there] {
        let places = place.run(&["places"]).unwrap();
        assert_eq!(places.json[0]["state"], "stopped", "{}", places.stderr);
    }
}

#[test]
fn a_log_moves_to_servers_and_back_though_it_is_killed_on_the_way() {
    let world = World::new();
    let sheet = |titles: &[&str]| {
        let lines = titles.iter().enumerate();
        let lines = lines.map(|(day, title)| format!("{title},{:02}/01/2027,20h\n", day + 2));
        format!("Titre,Date,Heure\n{}", lines.collect::<String>())
    };
    let config = |log: &str| {
        format!(
            "[place]\nid = \"halle\"\nname = \"La halle\"\ntimezone = \"Europe/Paris\"\nlanguage = \"fr\"\n{log}\n\
             [connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"programme.csv\"\n\
             [connectors.hook]\nkind = \"webhook\"\nurl = \"http://{}/in\"\n\
             [guards]\nsecond_look = \"0s\"\n",
            world.receiver.address,
        )
    };
    let servers = world.server.url();
    let place = Place::new(&config("data = \"data\"")).unwrap();
    let sync = |titles: &[&str]| {
        place
            .save("programme.csv", sheet(titles).as_bytes())
            .unwrap();
        let answer = place.run(&["sync"]).unwrap();
        assert_eq!(answer.code, 0, "{}", answer.stderr);
        world.receiver.received().len()
    };
    let moves = |to: &str| {
        for most in [5, 15, 30, 60] {
            let mut child = place.command(&["migrate", to]).unwrap().spawn().unwrap();
            std::thread::park_timeout(Duration::from_millis(most));
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let answer = place.run(&["migrate", to]).unwrap();
        assert_eq!(answer.code, 0, "{}", answer.stderr);
    };
    let many: Vec<String> = (0..22).map(|number| format!("Bal {number}")).collect();
    let titles: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(sync(&titles[..20]), 20);
    moves(&servers);
    assert_eq!(sync(&titles[..21]), 20, "the log that was left is mute");
    let told = place.run(&["places"]).unwrap().json.to_string();
    assert!(
        told.contains(&format!("continue ailleurs ({servers})")),
        "{told}"
    );
    place
        .configure(|_| config(&format!("bus = \"{servers}\"")))
        .unwrap();
    assert_eq!(sync(&titles[..21]), 21);

    moves("back");
    assert_eq!(sync(&titles), 21, "the servers' log is mute now");
    place.configure(|_| config("data = \"back\"")).unwrap();
    assert_eq!(sync(&titles), 22);
    // To a place where another log lies, nothing goes.
    place.configure(|_| config("data = \"other\"")).unwrap();
    sync(&titles);
    let refused = place.run(&["migrate", &servers]).unwrap();
    assert_ne!(refused.code, 0);
    assert!(
        refused.stderr.contains("migrate-another"),
        "{}",
        refused.stderr
    );
}

/// The servers that `deploy/nats` describes, started on free ports.
fn deployed(folder: &Path, file: &str, names: &[&str]) -> Vec<Server> {
    let config = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../deploy/nats")
        .join(file);
    let ports: Vec<(u16, u16)> = names.iter().map(|_| (free_port(), free_port())).collect();
    let routes: Vec<String> = ports
        .iter()
        .map(|(_, between)| format!("\"nats://127.0.0.1:{between}\""))
        .collect();
    let servers = names.iter().zip(ports).map(|(name, (port, between))| {
        let environment = [
            ("NATS_NAME", (*name).to_owned()),
            ("NATS_STORE", folder.join(name).display().to_string()),
            ("NATS_LISTEN", format!("127.0.0.1:{port}")),
            ("NATS_BETWEEN", format!("127.0.0.1:{between}")),
            ("NATS_ROUTES", format!("[{}]", routes.join(", "))),
            ("RACCORD_PASSWORD", "secret-of-the-servers".to_owned()),
        ];
        Server::configured(Version::Present, folder, &config, port, &environment)
    });
    let mut servers: Vec<Server> = servers.collect();
    // Together: none is ready before the others are there.
    std::thread::scope(|scope| {
        for server in &mut servers {
            scope.spawn(|| server.run());
        }
    });
    servers
}

#[test]
fn the_servers_that_deploy_describes_keep_a_place_and_nobody_else_gets_in() {
    for (file, names, replicas) in [
        ("one.conf", &["one"][..], 1),
        ("three.conf", &["north", "south", "west"][..], 3),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let servers = deployed(folder.path(), file, names);
        let addresses: Vec<String> = servers.iter().map(Server::url).collect();
        let config = format!(
            "[place]\nid = \"halle\"\nname = \"La halle\"\ntimezone = \"Europe/Paris\"\nlanguage = \"fr\"\n\
             bus = \"{}\"\n[cluster]\nuser = \"raccord\"\npassword_file = \"secret\"\nreplicas = {replicas}\n\
             [connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"programme.csv\"\n",
            addresses.join(",")
        );
        let place = Place::new(&config).unwrap();
        place
            .save("programme.csv", b"Titre,Date,Heure\nBal,02/01/2027,20h\n")
            .unwrap();
        place.save("secret", b"another\n").unwrap();
        let refused = place.run(&["sync"]).unwrap();
        assert!(
            refused.stderr.contains("cluster.credentials"),
            "{}",
            refused.stderr
        );
        assert!(!refused.stderr.contains("another"), "{}", refused.stderr);
        place.save("secret", b"secret-of-the-servers\n").unwrap();
        let pass = place.run(&["sync"]).unwrap();
        assert_eq!(pass.code, 0, "{file}: {}", pass.stderr);
        assert_eq!(place.events().unwrap().len(), 1);
    }
}

/// Whether these bytes stand in a file of the folder.
fn found(folder: &Path, bytes: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            found(&path, bytes)
        } else {
            let text = std::fs::read(&path).unwrap_or_default();
            text.windows(bytes.len()).any(|part| part == bytes)
        }
    })
}
