#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use serde_json::json;

use schemars::json_schema;
use serde::Deserialize;

use std::time::Duration;

use super::*;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "only read")]
struct Example {
    url: String,
    #[serde(default)]
    every: Option<Span>,
    #[serde(default)]
    limit: Option<Size>,
    #[serde(default)]
    layout: Option<Layout>,
    #[serde(default = "a4")]
    paper: Layout,
    #[serde(default)]
    columns: BTreeMap<String, String>,
    #[serde(default)]
    retries: Option<u8>,
    #[serde(default)]
    token: Option<crate::secret::Inline>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[allow(dead_code, reason = "only read")]
enum Layout {
    A4,
    A5Leaflet,
}

fn a4() -> Layout {
    Layout::A4
}

fn wrong(value: Value) -> Vec<Finding> {
    settings::<Example>(value).unwrap_err()
}

#[test]
fn b02_every_broken_setting_is_refused_by_its_key_with_what_was_expected() {
    for (value, key, fr, en) in [
        (json!({}), "url", "un texte", "a text"),
        (json!({"url": 3}), "url", "un texte", "a text"),
        (
            json!({"url": "u", "every": "soon"}),
            "every",
            "\"30s\"",
            "\"30s\"",
        ),
        (
            json!({"url": "u", "every": 30}),
            "every",
            "\"30s\"",
            "\"30s\"",
        ),
        (
            json!({"url": "u", "limit": "20"}),
            "limit",
            "\"20MB\"",
            "\"20MB\"",
        ),
        (
            json!({"url": "u", "layout": "a3"}),
            "layout",
            "a5-leaflet",
            "a5-leaflet",
        ),
        (
            json!({"url": "u", "paper": "a3"}),
            "paper",
            "a5-leaflet",
            "a5-leaflet",
        ),
        (
            json!({"url": "u", "columns": {"title": 1}}),
            "columns.title",
            "un texte",
            "a text",
        ),
        (
            json!({"url": "u", "evry": "1s"}),
            "evry",
            "« every »",
            "“every”",
        ),
        (
            json!({"url": "u", "zzzzzzz": "1s"}),
            "zzzzzzz",
            "url",
            "url",
        ),
        (
            json!({"url": "u", "retries": 300}),
            "retries",
            "au plus 255",
            "at most 255",
        ),
    ] {
        let [found] = <[Finding; 1]>::try_from(wrong(value.clone())).unwrap();
        assert_eq!(found.place, key);
        assert!(found.text.fr.contains(&format!("« {key} »")), "{found:?}");
        assert!(found.text.en.contains(&format!("“{key}”")), "{found:?}");
        assert!(found.mend.fr.contains(fr), "{value} {found:?}");
        assert!(found.mend.en.contains(en), "{value} {found:?}");
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let found = wrong(json!({"every": "x", "limt": "1MB", "layout": "a5-leaflet"}));
    let told: Vec<(&str, &str)> = found
        .iter()
        .map(|found| (found.place.as_str(), found.code.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("every", "value-wrong"),
            ("limt", "key-unknown"),
            ("url", "key-missing")
        ]
    );
}

#[test]
fn settings_without_their_mistakes_can_be_looked_at_further() {
    let schema = json_schema!({
        "type": "object",
        "additionalProperties": false,
        "required": ["location", "url"],
        "properties": {
            "location": { "type": "string" },
            "url": { "type": "string", "examples": ["https://example.org/"] },
            "every": { "type": "string" },
            "columns": { "type": "object", "additionalProperties": { "type": "string" } },
        },
    });
    let value = json!({
        "locatoin": "p.csv", "url": 3, "every": 30, "columns": { "title": 1, "titel": "x" },
    });
    assert_eq!(
        without(&schema, &value, &by_schema(&schema, &value)),
        json!({
            "location": "p.csv", "url": "https://example.org/", "columns": { "titel": "x" },
        })
    );
}

#[test]
fn b11_a_value_in_the_wrong_place_is_never_shown() {
    for value in [
        json!({"url": "u", "every": "canary"}),
        json!({"url": "u", "layout": "canary"}),
        json!({"url": "u", "token": ["canary"]}),
        json!({"url": {"canary": 1}, "limit": "canary"}),
    ] {
        let shown = format!("{:?}", wrong(value));
        assert!(!shown.contains("canary"), "{shown}");
    }
    let read: Example = settings(json!({"url": "u", "token": "canary"})).unwrap();
    assert!(!format!("{read:?}").contains("canary"));
}

#[test]
fn durations_and_sizes_are_read_and_written_with_their_unit() {
    for (text, ms) in [
        ("30s", 30_000),
        ("10m", 600_000),
        ("2h", 7_200_000),
        ("1d", 86_400_000),
        ("500ms", 500),
        ("0s", 0),
        (" 5 m ", 300_000),
    ] {
        let span: Span = text.parse().unwrap();
        assert_eq!(span.get(), Duration::from_millis(ms), "{text}");
        assert_eq!(span.to_string().parse::<Span>().unwrap(), span);
    }
    for text in [
        "",
        "30",
        "s",
        "-1s",
        "1.5h",
        "30 secondes",
        "99999999999999999999s",
        "999999999999d",
    ] {
        assert!(text.parse::<Span>().is_err(), "{text}");
    }
    for (text, bytes) in [
        ("20MB", 20_000_000),
        ("64KiB", 65_536),
        ("1GB", 1_000_000_000),
        ("0B", 0),
        ("7 kB", 7000),
    ] {
        let size: Size = text.parse().unwrap();
        assert_eq!(size.get(), bytes, "{text}");
        assert_eq!(size.to_string().parse::<Size>().unwrap(), size);
    }
    for text in [
        "",
        "20",
        "20Mo",
        "-1B",
        "99999999999999999999GB",
        "18446744073709551615GB",
    ] {
        assert!(text.parse::<Size>().is_err(), "{text}");
    }
}

#[test]
fn the_nearest_key_is_offered_only_when_it_is_near() {
    let known = ["url", "every", "password_file"];
    assert_eq!(nearest("evrey", &known), Some("every"));
    assert_eq!(nearest("password-file", &known), Some("password_file"));
    assert_eq!(nearest("colour", &known), None);
}
