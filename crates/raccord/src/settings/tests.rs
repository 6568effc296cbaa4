//! Configurations as people write them, right and wrong.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::path::Path;

use raccord_model::{EntityKind, Lang};

use super::*;
use crate::report;

const GOOD: &str = r#"
[place]
id = "raffinerie"
name = "La Raffinerie"
timezone = "Indian/Reunion"
language = "fr"
data = "data"

[web]
listen = "127.0.0.1:7071"
public_url = "https://programme.example.org/"
admin_token_file = "secrets/admin"
allow_private = ["192.168.1.0/24"]
trusted_proxies = ["10.88.0.0/16", "192.0.2.7"]

[connectors.public-site]
kind = "website"
output = "out/site"

[[recipes]]
when = { entity = "activity", kind = "Réunion" }
tasks = [
  { title = "Animer la réunion", capacity = 1, credits = 1.5, guide = "https://wiki.example.org/animer" },
  { title = "Participer à la réunion" },
]

[[routes]]
to = "public-site"
when = { entity = ["activity"], visibility = "public", kind = ["Concert*", "Bal"] }
grace = "5m"
authority = "ask"
policy = "never-lost"
language = "en"

[guards]
second_look = "0s"
cancel_count = 3
cancel_share = 0.25
credit_per_day = 200.5
"#;

fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

fn read_with(text: &str, pairs: &[(&str, &str)]) -> Result<Settings, Vec<Finding>> {
    let document = document::parse("raccord.toml", text, &env(pairs))?;
    read::read(Path::new("raccord.toml"), &document)
}

fn told(text: &str, pairs: &[(&str, &str)], lang: Lang) -> String {
    let findings = read_with(text, pairs).expect_err("this configuration is wrong");
    let mut out = String::new();
    report::human(&findings, lang, &mut out).unwrap();
    anstream::adapter::strip_str(&out).to_string()
}

#[test]
fn the_documented_keys_are_read_to_their_types() {
    let settings = read_with(GOOD, &[]).unwrap();
    let is_proxy = |peer: &str| settings.web.is_proxy(peer.parse().unwrap());
    assert!(is_proxy("127.0.0.1") && is_proxy("10.88.0.1") && is_proxy("192.0.2.7"));
    assert!(!is_proxy("192.0.2.8"));
    assert_eq!(settings.place.id.as_str(), "raffinerie");
    assert_eq!(settings.place.public_url, "https://programme.example.org");
    assert_eq!(settings.data, Path::new("./data"));
    assert_eq!(settings.listen().port(), 7071);
    assert_eq!(settings.recipes[0].tasks[0].credits, Some(150));
    assert_eq!(settings.recipes[0].tasks[1].capacity, None);
    let route = &settings.routes[0];
    assert_eq!(route.when.entity, [EntityKind::Activity]);
    assert_eq!(route.when.fields["kind"], ["Concert*", "Bal"]);
    assert_eq!(route.grace_s, Some(300));
    assert_eq!(route.lang, Some(Lang::En));
    assert_eq!(settings.guards.second_look_s, 0);
    assert_eq!(settings.guards.credit_per_day, 20_050);
    assert_eq!(settings.guards.change_count, 10);
    let instance = settings.connectors.values().next().unwrap();
    let line = GOOD
        .lines()
        .position(|line| line.starts_with("[connectors."));
    assert_eq!(instance.kind.as_str(), "website");
    assert_eq!(instance.at, line.unwrap() + 1, "told with its line");
}

#[test]
fn the_environment_wins_and_underscores_stand_for_hyphens() {
    let settings = read_with(
        GOOD,
        &[
            ("RACCORD__WEB__LISTEN", "[::1]:80"),
            ("RACCORD__WEB__PUBLIC_URL", "https://other.example.org"),
            ("RACCORD__WEB__ALLOW_PRIVATE", r#"["10.0.0.0/8"]"#),
            ("RACCORD__PLACE__NAME", "2027"),
            ("RACCORD__CONNECTORS__PUBLIC_SITE__OUTPUT", "elsewhere"),
            ("RACCORD__CONNECTORS__SECOND_SITE__KIND", "website"),
            ("RACCORD__CONNECTORS__SECOND_SITE__OUTPUT", "two"),
            ("RACCORD__GUARDS__CANCEL_COUNT", "7"),
            ("RACCORD__ROUTES__0__GRACE", "1h"),
            ("RACCORD_NOW", "2027-01-01T00:00:00Z"),
        ],
    )
    .unwrap();
    assert_eq!(settings.listen().to_string(), "[::1]:80");
    assert_eq!(settings.place.public_url, "https://other.example.org");
    assert_eq!(&*settings.web.allow_private, ["10.0.0.0/8"]);
    assert_eq!(settings.place.name, "2027");
    let outputs: Vec<_> = settings
        .connectors
        .iter()
        .map(|(name, instance)| (name.as_str(), instance.value["output"].as_str().unwrap()))
        .collect();
    assert_eq!(
        outputs,
        [("public-site", "elsewhere"), ("second-site", "two")]
    );
    assert_eq!(settings.guards.cancel_count, 7);
    assert_eq!(settings.routes[0].grace_s, Some(3600));
    assert_eq!(settings.routes[0].to.as_str(), "public-site");
}

#[test]
fn a_mistake_in_the_environment_names_the_variable() {
    let text = told(GOOD, &[("RACCORD__WEB__LISTEN", "everywhere")], Lang::En);
    assert!(text.contains("RACCORD__WEB__LISTEN (web.listen)"), "{text}");
    let text = told(GOOD, &[("RACCORD__GUARDS__CANCEL_COUNT", "many")], Lang::En);
    assert!(text.contains("RACCORD__GUARDS__CANCEL_COUNT"), "{text}");
}

#[test]
fn all_mistakes_are_told_at_once_with_line_and_mend() {
    let wrong = r#"
[place]
id = "La Raffinerie"
name = ""
timezone = "Reunion"
langage = "fr"
bus = "nats://ana:secret@127.0.0.1:4222"

[cluster]
user = "ana"
key = "node.key"
replicas = 2

[web]
listen = "7070"
public_url = "programme.example.org"
allow_private = ["chez nous"]
admin_token = "x"
admin_token_file = "y"

[connectors.Sheet]
kind = "spredsheet"

[connectors.public-site]
kind = "website"
outptu = "out"

[connectors.nothing]
output = "out"

[[recipes]]
when = { entity = "activty", knd = "Réunion" }
tasks = [
  { title = "Animer", credits = 1.555, guide = "javascript:alert(1)", priority = 12 },
  { title = "Animer", capacity = -1 },
]

[[recipes]]
tasks = [{ title = "Porter", credits = 0.001 }, { title = "Porter", guide = "wiki" }]

[[routes]]
to = "public-sit"
when = { visibility = "publique", kind = "{a,b}" }
grace = "soon"

[[routes]]
to = "public-site"
when = { visibility = "publique", kind = "{a,b}", status = "" }

[guards]
second_look = "60"
cancel_share = 25
credit_per_day = -3
surprise = true
"#;
    insta::assert_snapshot!("mistakes-fr", told(wrong, &[], Lang::Fr));
    insta::assert_snapshot!("mistakes-en", told(wrong, &[], Lang::En));
}

#[test]
fn broken_toml_is_told_with_its_line() {
    let wrong = "[place]\nid = \"a\nname = \"b\"\n\n[connectors.x]\nkind = \"website\"\n[connectors.x]\nkind = 'webhook'\n";
    insta::assert_snapshot!("broken-fr", told(wrong, &[], Lang::Fr));
    insta::assert_snapshot!("broken-en", told(wrong, &[], Lang::En));
}

#[test]
fn an_empty_file_says_what_is_missing() {
    let text = told("", &[], Lang::En);
    assert!(text.contains("“place” is missing"), "{text}");
}

#[test]
fn a_secret_in_the_wrong_place_is_not_repeated() {
    let wrong = format!("{GOOD}\n[web2]\nadmin_token = 'canary'\n").replace(
        "admin_token_file = \"secrets/admin\"",
        "admin_token = [\"canary\"]\nadmin_tokn = 'canary'",
    );
    let text = told(&wrong, &[], Lang::En);
    assert!(!text.contains("canary"), "{text}");
    let right = GOOD.replace(
        "admin_token_file = \"secrets/admin\"",
        "admin_token = \"canary\"",
    );
    let shown = format!("{:?}", read_with(&right, &[]).unwrap());
    assert!(!shown.contains("canary"), "{shown}");
}

#[test]
fn a_missing_file_says_how_to_make_one() {
    let folder = tempfile::tempdir().unwrap();
    let refused = load(&folder.path().join("raccord.toml"), &env(&[])).unwrap_err();
    assert_eq!(refused.findings[0].code, "configuration-missing");
    assert!(refused.findings[0].mend.fr.contains("raccord init"));
}

#[test]
fn mistakes_are_told_in_the_place_s_language_where_it_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("raccord.toml");
    std::fs::write(&file, "[place]\nlanguage = \"en\"\n").unwrap();
    assert_eq!(load(&file, &env(&[])).unwrap_err().lang, Some(Lang::En));
}

#[test]
fn every_example_of_the_schema_is_accepted_by_an_editor() {
    let schema = schema();
    for pointer in [
        "/$defs/Connector/allOf/0/then/$ref",
        "/properties/place",
        "/$defs/Connector/properties/kind/enum",
    ] {
        assert!(schema.pointer(pointer).is_some(), "{pointer} of {schema:#}");
    }
    let text = schema.to_string();
    for reference in text.match_indices("\"$ref\":\"#").map(|(at, _)| {
        let rest = &text[at + 9..];
        &rest[..rest.find('"').unwrap()]
    }) {
        assert!(
            schema.pointer(reference).is_some(),
            "{reference} leads nowhere"
        );
    }
    let good: serde_json::Value = toml::from_str(GOOD).unwrap();
    let loose: schemars::Schema = schema.clone().try_into().unwrap();
    assert_eq!(raccord_kit::settings::by_schema(&loose, &good), []);
}

#[test]
fn what_reads_the_file_takes_nothing_that_the_schema_refuses() {
    let good: serde_json::Value = toml::from_str(GOOD).unwrap();
    assert!(raw::Raw::takes(&good));
    raccord_kit::conformance::takes_no_more_than(&schema::ours(), &good, raw::Raw::takes);
}

mod digests {
    use std::sync::Arc;

    use raccord_kit::{Clock, SystemClock};

    use super::*;

    fn rule(text: &str, base: &Path) -> raccord_model::SinkRule {
        let document = document::parse("raccord.toml", text, &env(&[])).unwrap();
        let settings = read::read(&base.join("raccord.toml"), &document).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let tools = crate::connectors::build(&settings, &clock, Path::new("raccord")).unwrap();
        rules(&settings, &tools, b"salt")
            .sinks
            .into_values()
            .next()
            .unwrap()
    }

    #[test]
    fn a_changed_setting_or_template_changes_the_digest_and_nothing_else_does() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path();
        let first = rule(GOOD, base);
        assert_eq!(
            first.settings,
            rule(&GOOD.replace("Bal", "Fête"), base).settings
        );
        assert_ne!(
            first.settings,
            rule(&GOOD.replace("out/site", "out/web"), base).settings
        );
        std::fs::create_dir(base.join("site")).unwrap();
        std::fs::write(base.join("site/style.css"), "a{}").unwrap();
        let with = GOOD.replace(
            "output = \"out/site\"",
            "output = \"out/site\"\ntemplate = \"site\"",
        );
        let before = rule(&with, base);
        assert_eq!(before.settings, rule(&with, base).settings);
        std::fs::write(base.join("site/style.css"), "b{}").unwrap();
        assert_ne!(before.settings, rule(&with, base).settings);
        assert_eq!(before.credentials, first.credentials);
    }
}

#[test]
fn the_example_place_is_accepted_as_it_stands() {
    use std::sync::Arc;
    let file = Path::new("../../examples/la-raffinerie/raccord.toml");
    let settings = load(file, &env(&[])).unwrap();
    assert_eq!(settings.place.zone, "Indian/Reunion");
    let clock: Arc<dyn raccord_kit::Clock> = Arc::new(raccord_kit::SystemClock::default());
    let tools = crate::connectors::build(&settings, &clock, Path::new("raccord")).unwrap();
    let rules = rules(&settings, &tools, b"");
    let sources: Vec<_> = rules.sources.keys().map(ConnectorName::as_str).collect();
    assert_eq!(sources, ["programme-sheet"]);
    let sinks: Vec<_> = rules.sinks.keys().map(ConnectorName::as_str).collect();
    assert_eq!(sinks, ["printed-programme", "public-site"]);
}

#[test]
fn a_route_to_what_is_only_read_is_refused() {
    use std::sync::Arc;
    let text = GOOD.replace("to = \"public-site\"", "to = \"sheet\"")
        + "\n[connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"programme.csv\"\n";
    let settings = read_with(&text, &[]).unwrap();
    let clock: Arc<dyn raccord_kit::Clock> = Arc::new(raccord_kit::SystemClock::default());
    let Err(findings) = crate::connectors::build(&settings, &clock, Path::new("raccord")) else {
        panic!("a sheet takes nothing");
    };
    assert_eq!(findings[0].code, "route-to-source");
    assert!(findings[0].place.contains("(routes.0.to)"), "{findings:?}");
}

#[test]
fn a_roundup_that_its_tool_does_not_say_is_refused_at_its_key() {
    use std::sync::Arc;
    let phone = "\n[connectors.phone]\nkind = \"sms\"\nsystem = \"gammu\"\n\
                 outbox = \"sms/outbox\"\nsent = \"sms/sent\"\nerrors = \"sms/errors\"\n";
    let clock: Arc<dyn raccord_kit::Clock> = Arc::new(raccord_kit::SystemClock::default());
    let build = |to: &str, digest: &str, at: &str| {
        let route = format!("[[routes]]\nto = \"{to}\"\ndigest = \"{digest}\"\nat = [\"{at}\"]\n");
        let settings = read_with(&format!("{GOOD}{phone}{route}"), &[]).unwrap();
        crate::connectors::build(&settings, &clock, Path::new("raccord")).map(|_| ())
    };
    assert!(build("phone", "reminder", "18:00").is_ok());
    for (to, digest, at, known) in [
        ("phone", "liked", "thursday 18:00", "\"reminder\""),
        ("phone", "hands", "monday 09:00", "\"reminder\""),
        ("public-site", "month", "25 09:00", "name in `to`"),
    ] {
        let findings = build(to, digest, at).expect_err(digest);
        let [found] = findings.as_slice() else {
            panic!("{findings:?}");
        };
        assert_eq!(found.code, "digest-unsaid");
        assert!(found.place.ends_with("(routes.1.digest)"), "{found:?}");
        assert!(found.text.fr.contains(&format!("« {to} »")), "{found:?}");
        assert!(found.mend.en.contains(known), "{found:?}");
    }

    // Another mistake in the file does not hide it.
    let wrong = GOOD.replace("second_look", "second_lok")
        + phone
        + "[[routes]]\nto = \"phone\"\ndigest = \"liked\"\nat = [\"thursday 18:00\"]\n";
    let findings = read_with(&wrong, &[]).unwrap_err();
    let told = findings
        .iter()
        .filter(|found| found.code == "digest-unsaid");
    assert_eq!(told.count(), 1, "{findings:?}");
}

#[test]
fn a_replaced_secret_changes_the_credentials_and_not_the_settings() {
    use std::sync::Arc;
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path();
    let text = GOOD.to_owned()
        + "\n[connectors.other]\nkind = \"webhook\"\nurl = \"http://127.0.0.1:9000/in\"\nsecret_file = \"webhook\"\n";
    let rule = |secret: &str, salt: &[u8]| {
        std::fs::write(base.join("webhook"), secret).unwrap();
        let document = document::parse("raccord.toml", &text, &env(&[])).unwrap();
        let settings = read::read(&base.join("raccord.toml"), &document).unwrap();
        let clock: Arc<dyn raccord_kit::Clock> = Arc::new(raccord_kit::SystemClock::default());
        let tools = crate::connectors::build(&settings, &clock, Path::new("raccord")).unwrap();
        let mut rules = rules(&settings, &tools, salt);
        rules.sinks.remove(&"other".parse().unwrap()).unwrap()
    };
    let (one, two) = (
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
    );
    let first = rule(one, b"salt");
    assert_eq!(first.credentials, rule(one, b"salt").credentials);
    assert_ne!(first.credentials, rule(one, b"pepper").credentials);
    assert_ne!(first.credentials, rule(two, b"salt").credentials);
    assert_eq!(first.settings, rule(two, b"salt").settings);
}

#[test]
fn one_layer_of_mistakes_hides_no_other_and_each_stands_at_its_key() {
    let wrong = r#"
[place]
id = "La Raffinerie"
name = "x"
timezone = "Indian/Reunio"

[connectors.sheet]
kind = "spreadsheet"
locatoin = "p.csv"
every = "0s"
columns = { titel = "x" }

[connectors.hook]
kind = "webhook"
url = "not a url"
secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
secret_file = "x"

[connectors.site]
kind = "website"
output = "out/site"
base_url = "zz"
template = "missing"

[[routes]]
to = "sheet"
"#;
    let findings = read_with(wrong, &[]).unwrap_err();
    let places: Vec<&str> = findings.iter().map(|found| found.place.as_str()).collect();
    assert_eq!(
        places,
        [
            "raccord.toml:3:1 (place.id)",
            "raccord.toml:5:1 (place.timezone)",
            "raccord.toml:7:13 (connectors.sheet.location)",
            "raccord.toml:9:1 (connectors.sheet.locatoin)",
            "raccord.toml:10:1 (connectors.sheet.every)",
            "raccord.toml:11:13 (connectors.sheet.columns.titel)",
            "raccord.toml:15:1 (connectors.hook.url)",
            "raccord.toml:16:1 (connectors.hook.secret)",
            "raccord.toml:22:1 (connectors.site.base_url)",
            "raccord.toml:23:1 (connectors.site.template)",
            "raccord.toml:26:1 (routes.0.to)",
        ]
    );
    let mend = |place: &str| -> &str {
        let found = findings.iter().find(|found| found.place.contains(place));
        &found.unwrap().mend.fr
    };
    assert_eq!(
        mend("columns.titel"),
        "Vouliez-vous écrire «\u{a0}title\u{a0}»\u{202f}?"
    );
    assert_eq!(
        mend("base_url"),
        "Écrivez par exemple \"https://programme.example.org/\"."
    );
}

#[test]
fn what_a_connector_refuses_stands_at_its_key_also_alone() {
    use std::sync::Arc;
    let text = GOOD.to_owned() + "\n[connectors.hook]\nkind = \"webhook\"\nurl = \"nowhere\"\n";
    let settings = read_with(&text, &[]).unwrap();
    let clock: Arc<dyn raccord_kit::Clock> = Arc::new(raccord_kit::SystemClock::default());
    let Err(findings) = crate::connectors::build(&settings, &clock, Path::new("raccord")) else {
        panic!("this is no address");
    };
    assert!(
        findings[0].place.ends_with(":1 (connectors.hook.url)"),
        "{findings:?}"
    );
}

#[test]
fn two_tools_of_a_kind_cannot_have_one_folder() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path();
    std::fs::create_dir_all(base.join("out/site")).unwrap();
    std::os::unix::fs::symlink(base.join("out/site"), base.join("linked")).unwrap();
    let read = |tool: &str| {
        let text = format!("{GOOD}\n[connectors.other]\n{tool}\n");
        let document = document::parse("raccord.toml", &text, &env(&[])).unwrap();
        read::read(&base.join("raccord.toml"), &document)
    };
    for output in ["out/site", "./out//site/", "out/../out/site", "linked"] {
        let tool = format!("kind = \"website\"\noutput = \"{output}\"");
        let findings = read(&tool).expect_err(output);
        assert_eq!(findings[0].code, "folder-shared");
        assert!(
            findings[0].place.ends_with(":1 (connectors.other.output)"),
            "{findings:?}"
        );
        assert!(findings[0].text.fr.contains("« public-site »"));
    }
    // Another kind has other files, and another folder is another folder.
    read("kind = \"programme\"\noutput = \"out/site\"").unwrap();
    read("kind = \"website\"\noutput = \"out/site/inner\"").unwrap();
}
