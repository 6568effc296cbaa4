//! The sites people already have: the whole program against Debian's WordPress and MediaWiki.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::time::Duration;

use raccord_look::html;
use raccord_tests::place::Place;
use raccord_tests::sites::{BOT, MediaWiki, WordPress};
use raccord_tests::wire;
use serde_json::{Value, json};

const BEGIN: &str = "2027-01-02T08:00:00Z";

struct Stage {
    site: WordPress,
    place: Place,
    hours: i8,
}

impl Stage {
    fn open(keys: &str) -> Self {
        let site = WordPress::start().unwrap();
        let config = format!(
            "[place]\nid = \"raffinerie\"\nname = \"La Raffinerie\"\ntimezone = \"Indian/Reunion\"\nlanguage = \"fr\"\n\
             [connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"programme.csv\"\n\
             [connectors.site]\nkind = \"wordpress\"\nurl = \"{}\"\nuser = \"raccord\"\npassword = \"{}\"\n{keys}\n\
             [guards]\nchange_count = 1000\nsecond_look = \"0s\"\n",
            site.url(),
            site.password("raccord"),
        );
        let place = Place::new("").unwrap().at(BEGIN);
        place.save("raccord.toml", config.as_bytes()).unwrap();
        Self {
            site,
            place,
            hours: 8,
        }
    }

    fn sheet(&self, lines: usize, room: &str) {
        let first = jiff::civil::date(2027, 1, 20);
        let line = |n: usize| {
            let day = first.saturating_add(jiff::ToSpan::days(n as i64));
            format!("Bal numéro {n},{day},20:30,{room},Entrée libre & buvette\n")
        };
        let head = "Titre,Date,Début,Salle,Description\n".to_owned();
        let text: String = std::iter::once(head).chain((0..lines).map(line)).collect();
        self.place.save("programme.csv", text.as_bytes()).unwrap();
    }

    /// The same, an hour later.
    fn run(&mut self, arguments: &[&str]) -> Value {
        self.hours += 1;
        self.place
            .is_at(&format!("2027-01-02T{:02}:00:00Z", self.hours));
        let answer = self.place.run(arguments).unwrap();
        assert!(answer.code <= 3 && !answer.json.is_null(), "{answer:?}");
        answer.json
    }

    fn titles(&self) -> Vec<String> {
        let posts = self.site.posts().unwrap();
        let title = |post: &Value| html::words(post["title"]["raw"].as_str().unwrap());
        posts.iter().map(title).collect()
    }

    fn edit(&self, id: &Value, body: &Value) {
        let (status, said) = self
            .site
            .ask("anna", "POST", &format!("posts/{id}"), body)
            .unwrap();
        assert_eq!(status, 200, "{said}");
    }

    fn content(&self, id: &Value) -> String {
        let route = format!("posts/{id}?context=edit");
        let (_, post) = self
            .site
            .ask("raccord", "GET", &route, &Value::Null)
            .unwrap();
        post["content"]["raw"].as_str().unwrap().to_owned()
    }
}

#[test]
fn a_site_holds_each_activity_once_however_often_the_program_is_killed() {
    let mut stage = Stage::open("posts = \"published\"");
    stage.sheet(6, "Halle");
    for turn in 0..5u64 {
        if turn == 2 {
            stage.sheet(6, "Cour");
        }
        let mut running = stage.place.start().unwrap();
        std::thread::park_timeout(Duration::from_millis(500 + 130 * turn));
        running.kill().unwrap();
        running.wait().unwrap();
    }
    stage.run(&["sync"]);
    stage.run(&["sync"]);
    let last = stage.run(&["sync"]);
    assert_eq!(last["done"], 0, "{last}");
    assert_eq!(last["holds"].as_array().unwrap().len(), 0, "{last}");
    let titles = stage.titles();
    let different: BTreeSet<&String> = titles.iter().collect();
    assert_eq!((titles.len(), different.len()), (6, 6), "{titles:?}");
    for post in stage.site.posts().unwrap() {
        let content = post["content"]["raw"].as_str().unwrap();
        assert!(
            content.contains("Cour") && !content.contains("Halle"),
            "{content}"
        );
    }
    assert!(stage.site.runs().unwrap());
}

#[test]
fn a_plan_makes_nothing_on_a_site_and_the_pass_after_it_makes_exactly_that() {
    let mut stage = Stage::open("category = \"agenda & co\"");
    stage.sheet(3, "Halle");
    let plan = stage.run(&["plan"]);
    assert_eq!(plan["effects"].as_array().unwrap().len(), 3, "{plan}");
    assert!(stage.titles().is_empty(), "a plan makes nothing");
    stage.run(&["sync"]);
    let posts = stage.site.posts().unwrap();
    assert_eq!(posts.len(), 3);
    assert!(posts.iter().all(|post| post["status"] == "draft"));
    let (_, category) = stage
        .site
        .ask("anna", "GET", "categories?search=Agenda", &Value::Null)
        .unwrap();
    assert_eq!(posts[0]["categories"], json!([category[0]["id"]]));
    let again = stage.run(&["plan"]);
    assert_eq!(again["effects"].as_array().unwrap().len(), 0, "{again}");
    // Somebody of the site publishes it, writes around it, and changes a word of ours.
    let id = posts[0]["id"].clone();
    let content = stage
        .content(&id)
        .replace("Entrée libre", "Entrée gratuite");
    stage.edit(&id, &json!({ "status": "publish", "content": format!("<!-- wp:paragraph -->\n<p>Avec une photo</p>\n<!-- /wp:paragraph -->\n{content}") }));
    let seen = stage.run(&["sync"]);
    assert!(seen["events"].as_u64().unwrap() <= 1, "{seen}");
    let after = stage.content(&id);
    assert!(
        after.contains("Avec une photo") && after.contains("Entrée libre"),
        "{after}"
    );
    // Away by hand: nobody makes it anew without a word, and the others go on.
    let second = posts[1]["id"].clone();
    let name = html::words(posts[1]["title"]["raw"].as_str().unwrap());
    stage
        .site
        .ask("anna", "DELETE", &format!("posts/{second}"), &Value::Null)
        .unwrap();
    stage.sheet(3, "Cour");
    stage.run(&["sync"]);
    assert_eq!(stage.titles().len(), 2);
    let holds = stage.run(&["holds"]).to_string();
    assert!(
        holds.contains("tool-cannot") && holds.contains(&name),
        "{holds}"
    );
    assert!(stage.content(&id).contains("Cour"));
    assert_eq!(
        stage.site.posts().unwrap()[0]["status"],
        "publish",
        "as people made it"
    );
}

#[test]
fn what_a_wordpress_really_does_is_what_the_stand_in_plays() {
    let site = WordPress::start().unwrap();
    let ask = |user: &str, method: &str, route: &str, body: Value| {
        site.ask(user, method, route, &body).unwrap()
    };
    let post = |body: Value| ask("raccord", "POST", "posts?context=edit", body);
    // slug-repeats, meta-dropped
    let body = json!({ "title": "Bal", "slug": "bal", "meta": { "raccord_id": "x" }, "status": "publish" });
    let (status, first) = post(body.clone());
    assert_eq!((status, &first["meta"]), (201, &json!([])));
    assert_eq!(post(body).1["slug"], "bal-2");
    // questions-ignored, hundred-a-page, page-beyond-is-400
    let all = ask(
        "raccord",
        "GET",
        "posts?meta_key=raccord_id&meta_value=y",
        Value::Null,
    );
    assert!(all.1.as_array().unwrap().len() >= 2);
    assert_eq!(
        ask("raccord", "GET", "posts?per_page=500", Value::Null).0,
        400
    );
    assert_eq!(ask("raccord", "GET", "posts?page=40", Value::Null).0, 400);
    // tags-taken-out, ampersand-is-stored
    let (_, odd) = post(json!({ "title": "a & <script>b</script> &lt;c&gt;", "content": "x" }));
    assert_eq!(odd["title"]["raw"], "a &amp; b &lt;c&gt;");
    // future-hides
    let (_, future) =
        post(json!({ "title": "x", "status": "publish", "date": "2099-01-01T00:00:00" }));
    assert_eq!(future["status"], "future");
    // trash: its answer, `any`, and the second time
    let id = first["id"].clone();
    let one = format!("posts/{id}?context=edit");
    assert_eq!(
        ask("raccord", "DELETE", &format!("posts/{id}"), Value::Null).0,
        200
    );
    let (status, gone) = ask("raccord", "GET", &one, Value::Null);
    assert_eq!((status, &gone["status"]), (200, &json!("trash")));
    let any = ask(
        "raccord",
        "GET",
        "posts?status=any&context=edit&author=2",
        Value::Null,
    );
    assert!(any.1.as_array().unwrap().iter().all(|one| one["id"] != id));
    let (status, again) = ask("raccord", "DELETE", &format!("posts/{id}"), Value::Null);
    assert_eq!(
        (status, &again["code"]),
        (410, &json!("rest_already_trashed"))
    );
    assert_eq!(
        ask("raccord", "GET", "posts/9999", Value::Null).1["code"],
        "rest_post_invalid_id"
    );
    // others-are-403, every-doubt-is-401
    assert_eq!(
        ask("raccord", "GET", "posts/1?context=edit", Value::Null).0,
        403
    );
    assert_eq!(ask("nobody", "GET", "users/me", Value::Null).0, 401);
}

/// A place whose programme stands on a wiki.
struct Wiki {
    server: MediaWiki,
    place: Place,
    hours: i8,
}

impl Wiki {
    fn open() -> Self {
        let server = MediaWiki::start().unwrap();
        let config = format!(
            "[place]\nid = \"raffinerie\"\nname = \"La Raffinerie\"\ntimezone = \"Indian/Reunion\"\nlanguage = \"fr\"\n\
             [connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"programme.csv\"\n\
             [connectors.wiki]\nkind = \"mediawiki\"\nurl = \"{}\"\nuser = \"Raccord@raccord\"\npassword = \"{BOT}\"\npage = \"lieu/Programme\"\n\
             [guards]\nchange_count = 1000\nsecond_look = \"0s\"\n",
            server.url(),
        );
        let place = Place::new("").unwrap().at(BEGIN);
        place.save("raccord.toml", config.as_bytes()).unwrap();
        Self {
            server,
            place,
            hours: 8,
        }
    }

    /// One ball a month, in this room.
    fn sheet(&self, lines: i8, room: &str) {
        let first = jiff::civil::date(2027, 1, 20);
        let line = |n: i8| {
            let day = first.saturating_add(jiff::ToSpan::months(i64::from(n)));
            format!("Bal ~~~~ {{{{n°}}}} {n},{day},20:30,{room},'''Entrée''' [[libre]]\n")
        };
        let head = "Titre,Date,Début,Salle,Description\n".to_owned();
        let text: String = std::iter::once(head).chain((0..lines).map(line)).collect();
        self.place.save("programme.csv", text.as_bytes()).unwrap();
    }

    fn run(&mut self, arguments: &[&str]) -> Value {
        self.hours += 1;
        self.place
            .is_at(&format!("2027-01-02T{:02}:00:00Z", self.hours));
        let answer = self.place.run(arguments).unwrap();
        assert!(answer.code <= 3 && !answer.json.is_null(), "{answer:?}");
        answer.json
    }

    /// What a month says, and its revision.
    fn month(&self, key: &str) -> (String, u64) {
        let page = self.server.page(&format!("Lieu/Programme/{key}")).unwrap();
        page.unwrap_or_default()
    }

    /// Somebody of the wiki, who has not logged in, writes a page.
    fn write(&self, key: &str, text: &str) {
        let title = format!("Lieu/Programme/{key}");
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("title", &title)
            .append_pair("text", text)
            .append_pair("token", "+\\")
            .finish();
        let kind = [("Content-Type", "application/x-www-form-urlencoded")];
        let path = "/api.php?action=edit&format=json";
        let said = wire::call(self.server.port(), "POST", path, &kind, form.as_bytes());
        let said = String::from_utf8(said.unwrap().1).unwrap();
        assert!(said.contains("Success"), "{said}");
    }
}

#[test]
fn a_wiki_holds_each_month_once_however_often_the_program_is_killed() {
    let mut stage = Wiki::open();
    stage.sheet(4, "Halle");
    for turn in 0..4u64 {
        if turn == 2 {
            stage.sheet(4, "Cour");
        }
        let mut running = stage.place.start().unwrap();
        std::thread::park_timeout(Duration::from_millis(500 + 170 * turn));
        running.kill().unwrap();
        running.wait().unwrap();
    }
    stage.run(&["sync"]);
    let last = stage.run(&["sync"]);
    assert_eq!(last["done"], 0, "{last}");
    for key in ["2027-01", "2027-02", "2027-03", "2027-04"] {
        let (text, _) = stage.month(key);
        assert_eq!(text.matches("raccord:begin").count(), 1, "{text}");
        assert!(text.contains("Cour") && !text.contains("Halle"), "{text}");
        // No signature, no template, no link of anybody's making.
        assert!(
            !text.contains("Utilisateur:") && !text.contains("{{") && !text.contains("[["),
            "{text}"
        );
    }
}

#[test]
fn a_plan_writes_nothing_on_a_wiki_and_the_pass_after_it_writes_exactly_that() {
    let mut stage = Wiki::open();
    stage.sheet(2, "Halle");
    stage.write("2027-02", "Bienvenue en février.");
    let plan = stage.run(&["plan"]);
    assert_eq!(plan["effects"].as_array().unwrap().len(), 2, "{plan}");
    assert_eq!(stage.month("2027-01").1, 0, "a plan writes nothing");
    stage.run(&["sync"]);
    let (january, revision) = stage.month("2027-01");
    assert!(january.contains("Halle"), "{january}");
    assert!(
        stage
            .month("2027-02")
            .0
            .starts_with("Bienvenue en février.")
    );
    let again = stage.run(&["plan"]);
    assert_eq!(again["effects"].as_array().unwrap().len(), 0, "{again}");
    stage.run(&["sync"]);
    assert_eq!(stage.month("2027-01").1, revision);
    // Somebody writes above our part, and into it: the first stays, the second is asked about.
    stage.write("2027-01", &format!("Bonne année !\n{january}"));
    stage.write(
        "2027-02",
        &stage.month("2027-02").0.replace("Halle", "Jardin"),
    );
    stage.sheet(2, "Cour");
    stage.run(&["sync"]);
    let (january, _) = stage.month("2027-01");
    assert!(
        january.starts_with("Bonne année !") && january.contains("Cour"),
        "{january}"
    );
    let (february, _) = stage.month("2027-02");
    assert!(
        february.contains("Jardin") && !february.contains("Cour"),
        "{february}"
    );
    let holds = stage.run(&["holds"]).to_string();
    assert!(
        holds.contains("tool-cannot") && holds.contains("2027-02"),
        "{holds}"
    );
}
