//! Settings of a connector: durations, sizes, and mistakes named by their key.
//!
//! Every mistake is found at once, with the key, what was expected there and the nearest known
//! key. The value itself is never shown: it could be a secret in the wrong place.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use raccord_model::{Failure, Words};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Finding, Level};

/// A duration as people write it: `30s`, `10m`, `2h`, `1d`, `500ms`; `0s` is allowed.
///
/// ```
/// use raccord_kit::settings::Span;
/// let span: Span = "10m".parse().unwrap();
/// assert_eq!(span.get(), std::time::Duration::from_secs(600));
/// assert_eq!(span.to_string(), "10m");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span(Duration);

impl Span {
    /// A span of `duration`, to the millisecond.
    pub const fn new(duration: Duration) -> Self {
        Self(Duration::from_millis(duration.as_millis() as u64))
    }

    /// The duration.
    pub const fn get(self) -> Duration {
        self.0
    }
}

/// What does not read as a [`Span`] or a [`Size`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// Not a duration.
    #[error("expected a duration like 30s, 10m, 2h or 1d")]
    Span,
    /// Not a size.
    #[error("expected a size like 500kB or 20MB")]
    Size,
}

/// Splits `20 MB` into 20 and `MB`; decimals and signs are refused.
fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    Some((number.parse().ok()?, unit.trim_start()))
}

const SPAN_UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

/// The longest span: a hundred years.
const LONGEST_SPAN_MS: u64 = 36_525 * 86_400_000;

impl std::str::FromStr for Span {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let (number, unit) = number_and_unit(text).ok_or(UnitError::Span)?;
        SPAN_UNITS
            .iter()
            .find(|(name, _)| *name == unit)
            .and_then(|(_, factor)| number.checked_mul(*factor))
            .filter(|ms| *ms <= LONGEST_SPAN_MS)
            .map(|ms| Self(Duration::from_millis(ms)))
            .ok_or(UnitError::Span)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0.as_millis() as u64;
        if ms == 0 {
            return f.write_str("0s");
        }
        let (unit, factor) = SPAN_UNITS
            .into_iter()
            .find(|(_, factor)| ms.is_multiple_of(*factor))
            .unwrap_or(("ms", 1));
        write!(f, "{}{unit}", ms / factor)
    }
}

/// A size as people write it: `500kB`, `20MB`, `1GB` (decimal), `64KiB`, `5MiB` (binary).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Size(u64);

impl Size {
    /// A size of `bytes`.
    pub const fn bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// The number of bytes.
    pub const fn get(self) -> u64 {
        self.0
    }
}

const SIZE_UNITS: [(&str, u64); 8] = [
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("kB", 1000),
    ("KB", 1000),
    ("B", 1),
];

impl std::str::FromStr for Size {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let (number, unit) = number_and_unit(text).ok_or(UnitError::Size)?;
        SIZE_UNITS
            .iter()
            .find(|(name, _)| *name == unit)
            .and_then(|(_, factor)| number.checked_mul(*factor))
            .map(Self)
            .ok_or(UnitError::Size)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, factor) = SIZE_UNITS
            .into_iter()
            .filter(|(name, _)| *name != "KB")
            .find(|(_, factor)| self.0 != 0 && self.0.is_multiple_of(*factor))
            .unwrap_or(("B", 1));
        write!(f, "{}{unit}", self.0 / factor)
    }
}

macro_rules! as_text {
    ($($unit:ident, $pattern:literal, $example:literal;)*) => {$(
        impl TryFrom<String> for $unit {
            type Error = UnitError;
            fn try_from(text: String) -> Result<Self, UnitError> {
                text.parse()
            }
        }
        impl From<$unit> for String {
            fn from(unit: $unit) -> Self {
                unit.to_string()
            }
        }
        impl JsonSchema for $unit {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> Cow<'static, str> {
                stringify!($unit).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern, "examples": [$example] })
            }
        }
    )*};
}

as_text! {
    Span, r"^\s*[0-9]+\s*(ms|s|m|h|d)\s*$", "30s";
    Size, r"^\s*[0-9]+\s*(B|kB|KB|MB|GB|KiB|MiB|GiB)\s*$", "20MB";
}

/// One mistake in settings.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// The key, with those above it: `columns.title`. Empty for the whole.
    pub key: String,
    /// What kind of mistake: `key-unknown`, `key-missing` or `value-wrong`.
    pub code: &'static str,
    /// What is wrong.
    pub text: Words,
    /// What was expected.
    pub mend: Words,
    /// For an unknown key: the known one that looks most like it.
    pub nearest: Option<String>,
}

/// Reads settings.
///
/// # Errors
/// Every wrong key, with what was expected there.
pub fn settings<T: DeserializeOwned + JsonSchema>(value: Value) -> Result<T, Vec<Finding>> {
    let mistakes = mistakes(&schemars::schema_for!(T), &value);
    if !mistakes.is_empty() {
        return Err(mistakes.into_iter().map(Finding::from).collect());
    }
    serde_path_to_error::deserialize(value).map_err(|error| {
        let key = error.path().to_string();
        // A rule that the schema does not tell; its message comes from our own types, which do
        // not repeat the value.
        let detail = error.into_inner().to_string();
        vec![Finding::from(Mistake {
            code: "value-wrong",
            text: Words::new(
                format!("La clé « {key} » n’est pas comprise : {detail}."),
                format!("The key “{key}” is not understood: {detail}."),
            ),
            mend: correct_it(),
            nearest: None,
            key,
        })]
    })
}

/// What a connector cannot take of its settings, gathered, so that one mistake hides no other.
///
/// ```
/// use raccord_kit::{http::Target, settings::Gathered};
/// let mut wrong = Gathered::default();
/// let one = wrong.take("url", Target::configured("url", "not an address"));
/// let other = wrong.take("page", Target::configured("page", "https://example.org/"));
/// assert!(one.is_none() && other.is_some());
/// assert_eq!(wrong.findings()[0].place, "url");
/// ```
#[derive(Debug, Default)]
pub struct Gathered(Vec<Finding>);

impl Gathered {
    /// What was made of key `key`; what is wrong with it is kept under that key.
    pub fn take<T>(&mut self, key: &str, made: Result<T, Failure>) -> Option<T> {
        made.map_err(|failure| self.0.push(Finding::of(key, &failure)))
            .ok()
    }

    /// What is wrong, with the key of each as its place.
    pub fn findings(self) -> Vec<Finding> {
        self.0
    }
}

impl From<Mistake> for Finding {
    fn from(mistake: Mistake) -> Self {
        Self {
            place: mistake.key,
            code: mistake.code.to_owned(),
            level: Level::Error,
            text: mistake.text,
            mend: mistake.mend,
        }
    }
}

/// `value` without its `mistakes`, for a look at the rest: a key that is nearly right stands under
/// its right name, what must be there but is wrong or missing is the schema's example.
#[must_use]
pub fn without(schema: &Schema, value: &Value, mistakes: &[Mistake]) -> Value {
    let mut value = value.clone();
    let Some(table) = value.as_object_mut() else {
        return value;
    };
    for mistake in mistakes {
        let path: Vec<&str> = mistake.key.split('.').collect();
        match path.as_slice() {
            [key] => {
                let wrong = table.remove(*key);
                if let (Some(near), Some(wrong)) = (&mistake.nearest, wrong) {
                    table.entry(near.clone()).or_insert(wrong);
                }
            }
            [above @ .., key] => {
                let first = table.get_mut(above[0]);
                let inner = above[1..]
                    .iter()
                    .try_fold(first, |here, part| Some(here?.get_mut(*part)))
                    .flatten();
                if let Some(Value::Object(inner)) = inner {
                    inner.remove(*key);
                }
            }
            [] => {}
        }
    }
    let rules = schema.as_value();
    for key in rules["required"].as_array().into_iter().flatten() {
        if let Some(key) = key.as_str()
            && let Some(example) = rules["properties"][key]["examples"].get(0)
        {
            table.entry(key).or_insert_with(|| example.clone());
        }
    }
    value
}

/// Every mistake in `value`, by `schema` ([`Connector::settings`](crate::Connector)); at most 50.
pub fn mistakes(schema: &Schema, value: &Value) -> Vec<Mistake> {
    let root = schema.as_value();
    let Ok(validator) = jsonschema::options().offline().build(root) else {
        return vec![Mistake {
            key: String::new(),
            code: "value-wrong",
            text: Words::new(
                "Le schéma de ce connecteur est faux.",
                "The schema of this connector is wrong.",
            ),
            mend: Words::new(
                "Signalez-le à qui s’occupe du connecteur.",
                "Report it to whoever keeps the connector.",
            ),
            nearest: None,
        }];
    };
    let mut mistakes = Vec::new();
    for error in validator.iter_errors(value).take(50) {
        explain(root, &error, &mut mistakes);
    }
    mistakes.sort();
    mistakes.dedup();
    mistakes
}

fn correct_it() -> Words {
    Words::new("Corrigez cette clé.", "Correct this key.")
}

/// Turns one error of the validator into mistakes.
fn explain(root: &Value, error: &jsonschema::ValidationError<'_>, into: &mut Vec<Mistake>) {
    use jsonschema::error::ValidationErrorKind as Kind;
    let pointer = error.instance_path().to_string();
    let above = pointer.trim_start_matches('/').replace('/', ".");
    let child = |name: &str| match above.as_str() {
        "" => name.to_owned(),
        above => format!("{above}.{name}"),
    };
    let here = error.schema_path().to_string();
    let parent = here.rsplit_once('/').map_or("", |(parent, _)| parent);
    let rules = root.pointer(parent).unwrap_or(&Value::Null);
    match error.kind() {
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            let known: Vec<&str> = rules["properties"]
                .as_object()
                .map(|known| known.keys().map(String::as_str).collect())
                .unwrap_or_default();
            for name in unexpected {
                let nearest = nearest(name, &known).map(str::to_owned);
                let mend = match &nearest {
                    Some(nearest) => Words::new(
                        format!("Vouliez-vous écrire « {nearest} » ?"),
                        format!("Did you mean “{nearest}”?"),
                    ),
                    None => Words::new(
                        format!("Les clés possibles ici : {}.", known.join(", ")),
                        format!("The keys possible here: {}.", known.join(", ")),
                    ),
                };
                let key = child(name);
                into.push(Mistake {
                    code: "key-unknown",
                    text: Words::new(
                        format!("La clé « {key} » est inconnue."),
                        format!("The key “{key}” is not known."),
                    ),
                    mend,
                    nearest,
                    key,
                });
            }
        }
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            let key = child(name);
            into.push(Mistake {
                code: "key-missing",
                text: Words::new(
                    format!("Il manque la clé « {key} »."),
                    format!("The key “{key}” is missing."),
                ),
                mend: expected(root, &rules["properties"][name]),
                nearest: None,
                key,
            });
        }
        kind => {
            let key = above;
            // Where the text is there but does not look as it should, an example says more than
            // that a text is wanted.
            let example = rules["examples"].get(0).filter(|_| {
                matches!(kind, Kind::Pattern { .. } | Kind::Format { .. })
                    && error.instance().is_string()
            });
            let mend = match example {
                Some(example) => Words::new(
                    format!("Écrivez par exemple {example}."),
                    format!("Write for example {example}."),
                ),
                None => expected(root, rules),
            };
            into.push(Mistake {
                code: "value-wrong",
                text: Words::new(
                    format!("La clé « {key} » ne contient pas ce qu’il faut."),
                    format!("The key “{key}” does not hold what it should."),
                ),
                mend,
                nearest: None,
                key,
            });
        }
    }
}

/// What a part of a schema expects, with an example where it gives one.
fn expected(root: &Value, rules: &Value) -> Words {
    let rules = rules["$ref"]
        .as_str()
        .and_then(|reference| root.pointer(reference.strip_prefix('#')?))
        .unwrap_or(rules);
    // A key that may be left out: what it expects is the other half.
    if let Some([one, other]) = rules["anyOf"].as_array().map(Vec::as_slice)
        && other["type"] == "null"
    {
        return expected(root, one);
    }
    let listed: Vec<&str> = rules["enum"]
        .as_array()
        .into_iter()
        .flatten()
        .chain(
            ["oneOf", "anyOf"]
                .iter()
                .filter_map(|of| rules[*of].as_array())
                .flatten()
                .map(|one| &one["const"]),
        )
        .filter_map(Value::as_str)
        .collect();
    let (mut fr, mut en) = if listed.is_empty() {
        let kind = match &rules["type"] {
            Value::Array(kinds) => kinds.first().and_then(Value::as_str),
            kind => kind.as_str(),
        };
        let (fr, en) = match kind {
            Some("string") => ("un texte entre guillemets", "a text between quotes"),
            Some("integer") => ("un nombre entier", "a whole number"),
            Some("number") => ("un nombre", "a number"),
            Some("boolean") => ("true ou false", "true or false"),
            Some("array") => ("une liste entre crochets", "a list between brackets"),
            Some("object") => ("un groupe de clés", "a group of keys"),
            _ => return correct_it(),
        };
        (fr.to_owned(), en.to_owned())
    } else {
        (
            format!("l’un de ces mots : {}", listed.join(", ")),
            format!("one of these words: {}", listed.join(", ")),
        )
    };
    if let Some(example) = rules["examples"].get(0) {
        fr = format!("{fr}, par exemple {example}");
        en = format!("{en}, for example {example}");
    }
    for (limit, limit_fr, limit_en) in [
        ("minimum", "au moins", "at least"),
        ("maximum", "au plus", "at most"),
    ] {
        if let Some(number) = rules[limit].as_number() {
            fr = format!("{fr}, {limit_fr} {number}");
            en = format!("{en}, {limit_en} {number}");
        }
    }
    Words::new(format!("Écrivez {fr}."), format!("Write {en}."))
}

/// The known word that looks most like `word`, where one does.
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace('_', "-");
    let word = plain(word);
    known
        .iter()
        .map(|candidate| (strsim::osa_distance(&word, &plain(candidate)), *candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.chars().count() / 4)
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

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
            without(&schema, &value, &mistakes(&schema, &value)),
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
}
