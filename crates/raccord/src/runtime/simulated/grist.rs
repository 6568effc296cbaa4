//! A sheet kept in Grist, which calls when a record changes: a hint, followed by a whole reading.

use std::sync::{Arc, Mutex};

use jiff::SignedDuration;
use raccord_kit::standin::{Play, Reply, Seen, Standin};
use serde_json::{Value, json};

use super::world::World;

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const KEY: &str = "grist-key";

/// The id of a row, its title and its day.
type Row = (i64, &'static str, &'static str);

/// A document with one table of activities.
#[derive(Clone, Default)]
struct Grist(Arc<Mutex<Vec<Row>>>);

impl Grist {
    fn answer(&self, seen: &Seen) -> Play {
        if seen.header("authorization") != format!("Bearer {KEY}") {
            return Reply::status(401)
                .body("{\"error\":\"invalid API key\"}")
                .into();
        }
        let path = seen.path.split('?').next().unwrap();
        let column = |id: &str, number: i64| {
            json!({ "id": id, "fields": {
                "colRef": number, "label": id, "type": "Text", "parentPos": number, "displayCol": 0,
                "isFormula": false, "widgetOptions": "",
            } })
        };
        let record = |(id, title, day): &Row| json!({ "id": id, "fields": { "manualSort": id, "Titre": title, "Date": day, "Heure": "20h" } });
        let body = match path.rsplit("/sXsBGDTKau1F/").next().unwrap() {
            "tables" => json!({ "tables": [{ "id": "Programme", "fields": { "tableRef": 3 } }] }),
            "tables/Programme/columns" => {
                json!({ "columns": [column("Titre", 2), column("Date", 3), column("Heure", 4)] })
            }
            "tables/Programme/records" => {
                let records: Vec<Value> = self.0.lock().unwrap().iter().map(record).collect();
                json!({ "records": records })
            }
            _ => return Reply::status(404).body("{\"error\":\"not found\"}").into(),
        };
        Reply::ok(body.to_string())
            .header("content-type", "application/json; charset=utf-8")
            .into()
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_of_grist_is_a_hint_to_read_the_whole_document_and_a_lost_one_a_delay() {
    let standin = Standin::start().await;
    let grist = Grist::default();
    let set = |records: &[Row]| {
        *grist.0.lock().unwrap() = records.to_vec();
    };
    set(&[
        (2, "Bal", "2027-02-09"),
        (7, "Film", "2027-02-10"),
        (9, "Chorale", "2027-02-11"),
    ]);
    let answers = grist.clone();
    standin.direct(move |seen| answers.answer(seen));
    let config = format!(
        "[connectors.sheet]\nkind = 'spreadsheet'\nlocation = '{}'\npassword_file = 'key'\nevery = '1h'\nhook_secret = 'canary'\n[guards]\nsecond_look = '1m'\n",
        standin.url("/o/lieu/sXsBGDTKau1F/Programme/p/2")
    );
    let world = World::start(&config, &[("key", KEY)]).await;
    world.pass(MINUTE * 3, SECOND * 5).await;
    let titles = async || {
        let titled = |engine: &mut raccord_engine::Engine| {
            let standing = engine
                .state()
                .activities()
                .filter(|(_, record)| record.when().status != raccord_model::Status::Cancelled);
            let titles = standing.filter_map(|(_, record)| record.title());
            let mut titles: Vec<String> = titles.collect();
            titles.sort();
            titles
        };
        world.state(titled).await
    };
    assert_eq!(titles().await, ["Bal", "Chorale", "Film"]);

    // Whoever does not know the secret makes nobody read.
    let asked = standin.seen().len();
    for _ in 0..5 {
        assert_eq!(world.call("sheet", "wrong").await.0, 401);
    }
    world.pass(SECOND * 10, SECOND).await;
    assert_eq!(standin.seen().len(), asked);

    // One record changed and one is new: Grist calls for each, with what it holds. It tells nothing
    // of the one that was deleted; the reading that follows finds that out as well.
    set(&[
        (2, "Bal masqué", "2027-02-09"),
        (9, "Chorale", "2027-02-11"),
        (12, "Atelier", "2027-02-12"),
    ]);
    for body in [
        "[{\"id\":2,\"Titre\":\"Ce qui est dit ici n'est pas lu\"}]",
        "[{\"id\":12,\"Titre\":\"Atelier\"}]",
    ] {
        assert_eq!(world.call_about("sheet", "canary", body).await.0, 200);
    }
    world.pass(SECOND * 10, SECOND).await;
    let now = titles().await;
    assert!(now.contains(&"Bal masqué".to_owned()), "{now:?}");
    assert!(now.contains(&"Atelier".to_owned()), "{now:?}");
    // It is looked for twice, as every line that is gone.
    world.pass(MINUTE * 2, SECOND * 5).await;
    assert_eq!(titles().await, ["Atelier", "Bal masqué", "Chorale"]);

    // A call that is lost is a delay: the hour comes.
    set(&[
        (2, "Bal masqué", "2027-02-09"),
        (9, "Chorale", "2027-02-11"),
        (12, "Atelier vélo", "2027-02-12"),
    ]);
    world.pass(MINUTE * 62, SECOND * 30).await;
    assert_eq!(titles().await, ["Atelier vélo", "Bal masqué", "Chorale"]);
    assert!(standin.writes().is_empty(), "nothing is written there");
    world.end().await;
}
