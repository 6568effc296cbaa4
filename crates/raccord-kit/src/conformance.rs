//! The mechanical rules of the quality scale, as functions that a connector's tests call.
//!
//! Each function plays one rule and panics with what was seen and what the rule asks for; a
//! connector names the test that calls it in its `quality.toml`. What depends on the whole program
//! (kill points, queues, plans) is proven by the program's tests, not here.

mod contract;
mod plain;
mod quality;
mod quirks;
mod reasons;
mod repair;

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::time::{Duration, Instant};

use raccord_model::{Blame, Civil, Failure, Reading};
use schemars::Schema;
use serde_json::{Value, json};

use crate::standin::{Play, Reply, Seen, Standin};
use crate::testing::kit;
use crate::{Connector, Finding, Job, Kit, Level, Tool, settings};

pub use contract::{Contract, Exchanges};
pub use plain::{Reader, Sentence, codes_of, g02_plain_words, says_nothing_else};
pub use quality::{Card, Level as QualityLevel, Quality, RULES, State, card, quality};
pub use quirks::{Quirk, noticed, quirks};
pub use reasons::{Given, Reasons};
pub use repair::{Who, codes_after, g09_repair, page as repairs_page};

/// Texts that want to be more than text (S15).
pub const HOSTILE: &[&str] = &[
    "@all",
    "@here @channel @everyone",
    "<!channel> <@U123>",
    "=HYPERLINK(\"http://evil.example\",\"click\")",
    "+1+1",
    "-2+3",
    "@SUM(A1:A9)",
    "<script>alert(1)</script>",
    "</title><img src=x onerror=alert(1)>",
    "\"><svg onload=alert(1)>",
    "{{7*7}} ${7*7} <%= 7*7 %> #{7*7}",
    "[click](javascript:alert(1))",
    "![x](http://evil.example/pixel.png)",
    "**bold** _it_ `code` ~~gone~~ # title",
    "two\nlines",
    "two\r\nSubject: another",
    "\u{202e}txet desrever",
    "zero\u{200b}width\u{feff}",
    "🎉👨‍👩‍👧‍👦🇷🇪",
    "';DROP TABLE activities;--",
    "../../etc/passwd",
    "%s %n %x",
    "\\u0000 \\n \\end{document}",
    "BEGIN:VEVENT\r\nEND:VCALENDAR",
    "]]> <!-- -- >",
];

/// A title of 10,000 characters (S15).
pub fn very_long() -> String {
    "La très longue fête ".repeat(500)
}

/// What holds of every reading of a line source, whatever was read.
///
/// # Panics
/// When it does not.
pub fn holds_together(reading: &Reading) {
    for line in &reading.lines {
        let fields = line.decode();
        let text = |name: &str| fields.get(name).and_then(Value::as_str);
        let civil = |name: &str| -> Option<Civil> {
            text(name).map(|text| text.parse().expect("a moment is a moment"))
        };
        assert!(text("title").is_some_and(|title| !title.trim().is_empty()));
        let (start, end) = (civil("start"), civil("end"));
        if let (Some(start), Some(end)) = (start, end) {
            let ordered = start.date() <= end.date() && (start.date() < end.date() || start < end);
            assert!(ordered, "{start:?} to {end:?}");
        }
        let draft = text("status") == Some("draft");
        assert!(start.is_some() || draft, "only a draft may lack its start");
        assert!(usize::from(line.tab) < reading.tabs.len() && line.row > 0);
        assert!(!fields.values().any(Value::is_null));
    }
    for unread in &reading.unread {
        assert!(!unread.write.fr.is_empty() && !unread.write.en.is_empty());
        assert!(unread.found.chars().count() <= 200);
    }
}

/// B02: `good` settings are taken; each of `bad` is refused with its key in both languages.
///
/// # Panics
/// When the rule does not hold.
pub fn b02_config(connector: &Connector, good: &[Value], bad: &[(Value, &str)]) {
    let kit = kit();
    let schema = connector.settings.schema();
    assert_eq!(
        schema.get("additionalProperties"),
        Some(&Value::Bool(false)),
        "a key with a slip in it is taken: put #[serde(deny_unknown_fields)] on the settings"
    );
    for value in good {
        if let Err(failure) = (connector.build)(value.clone(), &kit) {
            panic!("good settings {value} were refused: {failure:?}");
        }
        let mistakes = settings::by_schema(&schema, value);
        assert!(
            mistakes.is_empty(),
            "the schema refuses {value}: {mistakes:?}"
        );
        takes_no_more_than(&schema, value, |value| connector.settings.takes(value));
    }
    assert!(bad.len() >= 5, "B02 asks for at least five broken settings");
    for (value, key) in bad {
        let Err(findings) = (connector.build)(value.clone(), &kit) else {
            panic!("broken settings {value} were taken");
        };
        let Some(found) = findings.iter().find(|found| found.place == *key) else {
            panic!("{findings:?} does not stand at the key {key:?}");
        };
        for text in [&found.text.fr, &found.text.en] {
            assert!(text.contains(key), "{text:?} does not name the key {key:?}");
        }
        assert!(!found.mend.fr.is_empty() && !found.mend.en.is_empty());
    }
}

/// A type takes nothing that its schema refuses: it is shown `good` with one key at a time left
/// out, or set to something else, and with a key nobody knows.
///
/// # Panics
/// When it takes more.
pub fn takes_no_more_than(schema: &Schema, good: &Value, takes: impl Fn(&Value) -> bool) {
    let odd = [
        json!(true),
        json!(-1),
        json!(0),
        json!(1.5),
        json!(1_000_000_000_000_000_u64),
        json!(""),
        json!("x"),
        json!("30s"),
        json!("https://user@example.org/?a#b"),
        json!("x".repeat(100_000)),
        json!([]),
        json!([{}]),
        json!({}),
        json!({ "x": 1 }),
    ];
    let mut spots = vec![String::new()];
    spots_of(
        schema.as_value(),
        schema.as_value(),
        good,
        "",
        0,
        &mut spots,
    );
    for spot in &spots {
        for odd in odd.iter().map(Some).chain([None]) {
            let Some(value) = altered(good, spot, odd) else {
                continue;
            };
            if takes(&value) {
                let refused = settings::by_schema(schema, &value);
                assert!(refused.is_empty(), "the type takes {value}: {refused:?}");
            }
        }
    }
}

/// The places of all keys that the schema names and that `value` has, and of one it does not know.
fn spots_of(
    root: &Value,
    rules: &Value,
    value: &Value,
    above: &str,
    depth: u8,
    spots: &mut Vec<String>,
) {
    let rules = settings::resolved(root, rules);
    if depth > 6 {
        return;
    }
    let named = rules["properties"].as_object();
    let keys = value.as_object();
    let keys: std::collections::BTreeSet<&str> = named
        .into_iter()
        .chain(keys)
        .flat_map(|all| all.keys())
        .map(String::as_str)
        .chain(value.is_object().then_some("unknown key"))
        .collect();
    for key in keys {
        let here = format!("{above}/{key}");
        let below = match &rules["properties"][key] {
            Value::Null => &rules["additionalProperties"],
            named => named,
        };
        spots_of(root, below, &value[key], &here, depth + 1, spots);
        spots.push(here);
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        let here = format!("{above}/{index}");
        spots_of(root, &rules["items"], item, &here, depth + 1, spots);
        spots.push(here);
    }
}

/// `value` with `odd` at `spot`, or without what is there.
fn altered(value: &Value, spot: &str, odd: Option<&Value>) -> Option<Value> {
    let mut value = value.clone();
    let Some((above, key)) = spot.rsplit_once('/') else {
        return odd.cloned();
    };
    match (value.pointer_mut(above)?, odd) {
        (Value::Object(table), Some(odd)) => {
            table.insert(key.to_owned(), odd.clone());
        }
        (Value::Object(table), None) => {
            table.remove(key)?;
        }
        (Value::Array(items), Some(odd)) => {
            *items.get_mut(key.parse::<usize>().ok()?)? = odd.clone();
        }
        _ => return None,
    }
    Some(value)
}

/// A sink that speaks HTTP, with what it needs to be played.
pub struct HttpSink<'a> {
    /// The connector.
    pub connector: &'a Connector,
    /// Settings that lead to this address.
    pub settings: &'a (dyn Fn(&str) -> Value + Sync),
    /// The first change, the second ...
    pub job: &'a (dyn Fn(usize) -> Job + Sync),
    /// How the tool tells objects apart.
    pub key: &'a (dyn Fn(&Seen) -> String + Sync),
    /// How the tool says yes.
    pub yes: Reply,
}

impl HttpSink<'_> {
    fn tool(&self, url: &str) -> Box<dyn Tool> {
        self.tool_of(url, &kit())
    }

    fn tool_of(&self, url: &str, kit: &Kit) -> Box<dyn Tool> {
        match (self.connector.build)((self.settings)(url), kit) {
            Ok(tool) => tool,
            Err(failure) => panic!("good settings were refused: {failure:?}"),
        }
    }

    async fn apply(tool: &dyn Tool, job: &Job) -> Result<(), Failure> {
        let sink = tool.sink().expect("a sink has a writing half");
        sink.apply(job).await.map(drop)
    }

    fn one_object(&self, standin: &Standin, rule: &str) {
        let objects = standin.objects(self.key);
        assert_eq!(objects.len(), 1, "{rule} asks for one object: {objects:?}");
    }

    /// B03: `check` writes nothing, and each of `plays` (with a name for messages) gives findings
    /// with a code of its own; a wrong host, a wrong certificate and a server that is no https
    /// server are added.
    ///
    /// # Panics
    /// When the rule does not hold.
    pub async fn b03_check(&self, plays: &[(&str, Play)]) {
        let mut codes = BTreeSet::new();
        let mut told = |name: &str, findings: &[Finding]| {
            let new: Vec<_> = findings
                .iter()
                .map(|finding| finding.code.clone())
                .filter(|code| codes.insert(code.clone()))
                .collect();
            assert!(!new.is_empty(), "{name} is not told apart: {findings:?}");
            for finding in findings {
                assert!(!finding.text.fr.is_empty() && !finding.text.en.is_empty());
                assert!(!finding.mend.fr.is_empty() && !finding.mend.en.is_empty());
            }
        };

        let standin = Standin::start().await;
        standin.always(self.yes.clone());
        let calm = self.tool(&standin.url("/")).check().await;
        assert!(
            calm.iter().all(|finding| finding.level == Level::Warning),
            "a healthy tool has errors: {calm:?}"
        );
        let usual: BTreeSet<String> = calm.into_iter().map(|finding| finding.code).collect();
        let unusual = |findings: Vec<Finding>| -> Vec<Finding> {
            findings
                .into_iter()
                .filter(|finding| !usual.contains(&finding.code))
                .collect()
        };

        let nobody = self.tool(&Standin::nobody().await).check().await;
        told("a wrong host", &unusual(nobody));
        let tls = Standin::start_tls().await;
        let certificate = self.tool(&tls.url("/")).check().await;
        told("a wrong certificate", &unusual(certificate));
        let insecure = standin.url("/").replace("http:", "https:");
        let insecure = self.tool(&insecure).check().await;
        told("a server without https", &unusual(insecure));
        for (name, play) in plays {
            standin.always(play.clone());
            told(name, &unusual(self.tool(&standin.url("/")).check().await));
        }
        let writes = standin.writes();
        assert!(writes.is_empty(), "check wrote: {writes:?}");
        assert!(tls.seen().is_empty());
    }

    /// B06: the same change delivered ten times, also at once, leaves one object, always with the
    /// same bytes.
    ///
    /// # Panics
    /// When the rule does not hold.
    pub async fn b06_idempotent(&self) {
        let standin = Standin::start().await;
        standin.always(self.yes.clone());
        let tool = self.tool(&standin.url("/"));
        let job = (self.job)(0);
        for attempts in [1, 9] {
            let attempts = (0..attempts).map(|_| Self::apply(&*tool, &job));
            for outcome in futures_util::future::join_all(attempts).await {
                outcome.expect("a healthy tool takes the change");
            }
        }
        self.one_object(&standin, "B06");
        let bodies: BTreeSet<_> = standin.objects(self.key).into_values().flatten().collect();
        assert_eq!(bodies.len(), 1, "a repeat has the same bytes");
        Self::apply(&*tool, &(self.job)(1))
            .await
            .expect("a healthy tool takes the change");
        assert_eq!(
            standin.objects(self.key).len(),
            2,
            "another change is another object"
        );
    }

    /// B07: the tool did it but the answer never came: the failure is `unknown`, and after a
    /// repeat there is still one object.
    ///
    /// # Panics
    /// When the rule does not hold.
    pub async fn b07_lost_answer(&self) {
        let standin = Standin::start().await;
        standin.always(self.yes.clone());
        standin.script([Play::DoneThenReset]);
        let tool = self.tool(&standin.url("/"));
        let job = (self.job)(0);
        let failure = Self::apply(&*tool, &job)
            .await
            .expect_err("the answer was lost");
        assert_eq!(failure.blame, Blame::Unknown, "{failure:?}");
        Self::apply(&*tool, &job)
            .await
            .expect("the repeat is taken");
        self.one_object(&standin, "B07");
        assert_eq!(standin.objects(self.key).into_values().flatten().count(), 2);
    }

    /// B12: an answer of a gigabyte neither holds nor fills the connector, and a server that drips
    /// one byte per second is given up within the time limit (with the clock of the test's
    /// runtime, which must be the single-threaded one).
    ///
    /// # Panics
    /// When the rule does not hold.
    pub async fn b12_bounded(&self) {
        let standin = Standin::start().await;
        standin.always(self.yes.clone());
        let tool = self.tool(&standin.url("/"));
        let start = Instant::now();
        for status in [200, 500] {
            standin.script([Play::Huge(Reply::status(status), 1_000_000_000)]);
            drop(Self::apply(&*tool, &(self.job)(0)).await);
        }
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "a huge answer holds the connector"
        );

        Self::apply(&*tool, &(self.job)(0))
            .await
            .expect("a healthy tool takes the change");
        tokio::time::pause();
        let start = tokio::time::Instant::now();
        let reply = self.yes.clone().body("x".repeat(1000));
        standin.script([Play::Drip(reply, Duration::from_secs(1))]);
        let failure = Self::apply(&*tool, &(self.job)(0))
            .await
            .expect_err("a dripping answer is given up");
        let waited = start.elapsed();
        tokio::time::resume();
        assert_eq!(failure.blame, Blame::Unknown, "{failure:?}");
        assert!(
            waited <= crate::http::TIME + Duration::from_secs(1),
            "{waited:?}"
        );
    }

    /// S01: every status, and every way to lose a connection, has its blame, and nothing is
    /// repeated by the connector itself. `others` are statuses that this tool's notes class
    /// otherwise.
    ///
    /// # Panics
    /// When the rule does not hold.
    pub async fn s01_error_classes(&self, others: &[(u16, Blame)]) {
        let standin = Standin::start().await;
        let tool = self.tool(&standin.url("/"));
        for (status, usual) in STATUSES {
            let blame = others
                .iter()
                .find(|(other, _)| other == status)
                .map_or(*usual, |(_, blame)| *blame);
            let before = standin.writes().len();
            standin.script([Reply::status(*status)]);
            let failure = Self::apply(&*tool, &(self.job)(0))
                .await
                .expect_err("a refusal is no success");
            assert_eq!(failure.blame, blame, "{status}: {failure:?}");
            assert_eq!(failure.gone, *status == 410, "{status}");
            assert_eq!(standin.writes().len(), before + 1, "{status} was repeated");
        }
        for play in [Play::DoneThenReset, Play::Reset, Play::Garbage] {
            let before = standin.writes().len();
            standin.script([play.clone()]);
            let failure = Self::apply(&*tool, &(self.job)(0))
                .await
                .expect_err("a lost answer is no success");
            assert_eq!(failure.blame, Blame::Unknown, "{play:?}: {failure:?}");
            assert_eq!(standin.writes().len(), before + 1, "{play:?} was repeated");
        }
        let tls = Standin::start_tls().await;
        for (name, url) in [
            ("nobody there", Standin::nobody().await),
            ("a wrong certificate", tls.url("/")),
            ("no such name", "http://no-such-name.invalid/".to_owned()),
        ] {
            let failure = Self::apply(&*self.tool(&url), &(self.job)(0))
                .await
                .expect_err("nothing was sent");
            assert_eq!(failure.blame, Blame::Transient, "{name}: {failure:?}");
        }
        assert!(tls.seen().is_empty());
    }

    /// S02: `Retry-After` reaches the failure in both its forms.
    ///
    /// # Panics
    /// When the rule does not hold.
    pub async fn s02_retry_after(&self) {
        let standin = Standin::start().await;
        let tool = self.tool(&standin.url("/"));
        let date = Reply::status(503)
            .header("date", "Sat, 02 Jan 2027 10:00:00 GMT")
            .header("retry-after", "Sat, 02 Jan 2027 10:00:45 GMT");
        standin.script([Reply::status(429).header("retry-after", "120"), date]);
        for expected in [120_000, 45_000] {
            let failure = Self::apply(&*tool, &(self.job)(0))
                .await
                .expect_err("the tool asked to wait");
            assert_eq!(failure.retry_after_ms, Some(expected));
        }
    }
}

/// The blame of each status (S01).
pub const STATUSES: &[(u16, Blame)] = &[
    (400, Blame::Data),
    (401, Blame::Access),
    (403, Blame::Access),
    (404, Blame::Data),
    (405, Blame::Data),
    (408, Blame::Transient),
    (409, Blame::Data),
    (410, Blame::Data),
    (413, Blame::Data),
    (415, Blame::Data),
    (422, Blame::Data),
    (425, Blame::Transient),
    (429, Blame::Transient),
    (500, Blame::Transient),
    (502, Blame::Transient),
    (503, Blame::Transient),
    (504, Blame::Transient),
];

/// B11: `canary` stands in none of `shown` (failures, findings, manifests, logs ...).
///
/// # Panics
/// When it does.
pub fn b11_secrets(canary: &str, shown: &[&dyn Debug]) {
    for one in shown {
        let text = format!("{one:?}");
        assert!(!text.contains(canary), "the secret is shown: {text}");
    }
}

/// B14: the guide has its parts in both languages.
///
/// # Panics
/// When one is missing.
pub fn b14_guide(readme: &str) {
    for heading in [
        "Ce qu’il fait",
        "Droits",
        "Installer",
        "Première réussite",
        "Enlever",
        "Limites",
        "What it does",
        "Rights",
        "Install",
        "First success",
        "Remove",
        "Limits",
    ] {
        assert!(
            readme
                .lines()
                .any(|line| line.trim_start_matches('#').trim() == heading && line.starts_with('#')),
            "the guide lacks the heading {heading:?}"
        );
    }
}
