//! The configuration as it is written: its keys, their types, their descriptions. The JSON Schema
//! that `schema show config` prints and that every file is checked against comes from here.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use raccord_kit::secret::Inline;
use raccord_kit::settings::{Number, Span, Text, Whole};
use raccord_model::{Authority, Hour, Lang, Policy, RoundupOf, Validation};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// An amount of credits, in units.
pub(super) type Units = Number<0, 1_000_000>;

/// The whole file; read section by section, so that one mistake hides no other.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Raccord")]
#[expect(dead_code, reason = "the sections are read one by one")]
pub(super) struct Raw {
    /// The community this configuration is for.
    place: Place,
    /// The servers of a shared log.
    #[serde(default)]
    #[schemars(with = "Cluster")]
    cluster: Option<Cluster>,
    /// Web pages, the event endpoint and their protection.
    #[serde(default)]
    #[schemars(default, with = "Web", extend("default" = serde_json::json!({})))]
    web: Option<Web>,
    /// The tools that are linked, each under a name of your choice.
    #[schemars(default, with = "BTreeMap<String, Instance>")]
    connectors: Option<BTreeMap<String, Instance>>,
    /// Tasks that appear by themselves with activities.
    #[schemars(default, with = "Vec<Recipe>")]
    recipes: Option<Vec<Recipe>>,
    /// Which entities go to which tool.
    #[schemars(default, with = "Vec<Route>")]
    routes: Option<Vec<Route>>,
    /// When a change waits for a person's yes.
    #[schemars(default, with = "Guards", extend("default" = serde_json::json!({})))]
    guards: Option<Guards>,
    /// What gives credits, and how many at most.
    #[schemars(default, with = "Credits", extend("default" = serde_json::json!({})))]
    credits: Option<Credits>,
    /// What an hour of volunteering stands for in the year's report.
    #[schemars(default, with = "Volunteering", extend("default" = serde_json::json!({})))]
    volunteering: Option<Volunteering>,
}

impl Raw {
    /// Whether `tree` is as its schema wants it.
    pub(super) fn takes(tree: &Value) -> bool {
        raccord_kit::settings::read::<Self>(tree).is_some_and(|raw| raw.has_all())
    }

    /// Whether all is there that must be: the sections may lack it, so that what else is wrong
    /// with them is told as well.
    fn has_all(&self) -> bool {
        let Place {
            id, name, timezone, ..
        } = &self.place;
        let mut recipes = self.recipes.iter().flatten();
        let mut routes = self.routes.iter().flatten();
        id.is_some()
            && name.is_some()
            && timezone.is_some()
            && recipes.all(|recipe| {
                let tasks = recipe.tasks.as_deref().unwrap_or_default();
                !tasks.is_empty() && tasks.iter().all(|task| task.title.is_some())
            })
            && routes.all(|route| route.to.is_some())
    }
}

/// What an hour of volunteering stands for in the year's report.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Volunteering {
    /// The value of an hour, up to two decimals, as the accounts put it; without it the report
    /// shows hours only.
    #[serde(default)]
    #[schemars(with = "Units", extend("examples" = [12.5]))]
    pub(super) hour: Option<Units>,
    /// The currency of that value.
    #[serde(default)]
    #[schemars(with = "String", length(min = 1, max = 12), extend("default" = "€", "examples" = ["CHF"]))]
    pub(super) currency: Option<String>,
}

/// The community this configuration is for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Place {
    /// Its short name: a-z, 0-9 and -. It names everything the place has, for good.
    #[schemars(required, extend("examples" = ["raffinerie"]))]
    pub(super) id: Option<String>,
    /// What people call it.
    #[schemars(required, extend("examples" = ["La Raffinerie"]))]
    pub(super) name: Option<String>,
    /// The IANA name of its time zone.
    #[schemars(required, extend("examples" = ["Indian/Reunion"]))]
    pub(super) timezone: Option<String>,
    /// The language it is answered in.
    #[serde(default)]
    #[schemars(with = "Language")]
    pub(super) language: Lang,
    /// Its own colour, for everything it shows; made darker or lighter where it could not be read.
    #[serde(default, deserialize_with = "colour")]
    #[schemars(with = "String", extend("pattern" = "^#[0-9a-fA-F]{6}$", "examples" = ["#0b6b53"]))]
    pub(super) colour: Option<String>,
    /// The folder of its log.
    #[serde(default)]
    #[schemars(with = "String", extend("examples" = ["data"]))]
    pub(super) data: Option<PathBuf>,
    /// The servers of a shared log, with commas between them; `data` then holds what this machine
    /// keeps of it, which can be deleted.
    #[serde(default)]
    #[schemars(with = "String", extend("examples" = ["nats://127.0.0.1:4222"]))]
    pub(super) bus: Option<String>,
}

/// How the servers of `place.bus` are reached, and what they keep.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Cluster {
    /// The credentials file that the servers' operator gave.
    #[serde(default)]
    #[schemars(with = "String", extend("examples" = ["secrets/raccord.creds"]))]
    pub(super) credentials: Option<PathBuf>,
    /// The user's name, with a password.
    #[serde(default)]
    #[schemars(with = "String", extend("examples" = ["raccord"]))]
    pub(super) user: Option<String>,
    /// The user's password; better given as `password_file`.
    #[serde(default)]
    #[schemars(with = "Inline")]
    pub(super) password: Option<Inline>,
    /// The file that holds the user's password.
    #[serde(default)]
    #[schemars(with = "String", extend("examples" = ["secrets/nats"]))]
    pub(super) password_file: Option<PathBuf>,
    /// PEM files of the certificate authorities the servers are trusted by; the system's without.
    #[serde(default)]
    #[schemars(extend("examples" = [["ca.pem"]]))]
    pub(super) authorities: Vec<PathBuf>,
    /// Our own certificate, a PEM file, where the servers ask for one.
    #[serde(default)]
    #[schemars(with = "String", extend("examples" = ["node.pem"]))]
    pub(super) certificate: Option<PathBuf>,
    /// The key of that certificate, a PEM file.
    #[serde(default)]
    #[schemars(with = "String", extend("examples" = ["node.key"]))]
    pub(super) key: Option<PathBuf>,
    /// On how many servers everything is kept: 1, 3 or 5. Only looked at where it is made.
    #[serde(default)]
    #[schemars(with = "Replicas", extend("default" = 1))]
    pub(super) replicas: Option<Replicas>,
    /// What this node is called; the machine's name without.
    #[serde(default)]
    #[schemars(with = "String", extend("examples" = ["north"]))]
    pub(super) node: Option<String>,
}

/// 1, 3 or 5.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "u8")]
pub(super) struct Replicas(pub(super) u8);

impl TryFrom<u8> for Replicas {
    type Error = &'static str;
    fn try_from(count: u8) -> Result<Self, Self::Error> {
        matches!(count, 1 | 3 | 5)
            .then_some(Self(count))
            .ok_or("1, 3 or 5")
    }
}

impl JsonSchema for Replicas {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Replicas".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": [1, 3, 5] })
    }
}

/// `fr` or `en`.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase", inline)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum Language {
    Fr,
    En,
}

/// Web pages, the event endpoint and their protection.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Web {
    /// The address and port to listen on.
    #[serde(default)]
    #[schemars(with = "String", extend("examples" = ["127.0.0.1:7070"]))]
    pub(super) listen: Option<String>,
    /// The address people reach the pages at.
    #[serde(default)]
    #[schemars(with = "String", extend("examples" = ["https://programme.example.org"]))]
    pub(super) public_url: Option<String>,
    /// The bearer token of /v1; better given as `admin_token_file`.
    #[serde(default)]
    #[schemars(with = "Inline")]
    pub(super) admin_token: Option<Inline>,
    /// The file that holds the bearer token of /v1.
    #[serde(default)]
    #[schemars(with = "String", extend("examples" = ["secrets/admin"]))]
    pub(super) admin_token_file: Option<PathBuf>,
    /// Private address ranges that addresses from data may reach.
    #[serde(default)]
    #[schemars(extend("examples" = [["192.168.1.0/24"]]))]
    pub(super) allow_private: Vec<String>,
    /// Machines whose `X-Forwarded-For` is believed besides this one: a proxy outside of a container.
    #[serde(default)]
    #[schemars(extend("examples" = [["10.88.0.0/16"]]))]
    pub(super) trusted_proxies: Vec<String>,
}

/// One linked tool: its `kind`, and the keys of that kind.
#[derive(Debug, Deserialize)]
pub(super) struct Instance {
    pub(super) kind: String,
    #[serde(flatten)]
    pub(super) rest: serde_json::Map<String, Value>,
}

impl JsonSchema for Instance {
    fn schema_name() -> Cow<'static, str> {
        "Connector".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "required": ["kind"],
            "properties": { "kind": { "type": "string", "examples": ["spreadsheet"] } }
        })
    }
}

/// Tasks that appear by themselves with activities.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Recipe {
    /// Which activities; all where it is left out.
    #[serde(default)]
    pub(super) when: RawWhen,
    /// The tasks that come with each of them.
    #[schemars(required, length(min = 1))]
    pub(super) tasks: Option<Vec<Task>>,
}

/// A task of a recipe.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Task {
    /// What is to be done.
    #[schemars(required, extend("examples" = ["Animer la réunion"]))]
    pub(super) title: Option<Text<200>>,
    /// The kind of work, in your own words.
    #[serde(default)]
    #[schemars(with = "Text<200>", extend("examples" = ["bar"]))]
    pub(super) kind: Option<Text<200>>,
    /// How many people it takes at most.
    #[serde(default)]
    #[schemars(with = "Whole<1, 10_000>")]
    pub(super) capacity: Option<Whole<1, 10_000>>,
    /// How many people it takes at least.
    #[serde(default)]
    #[schemars(with = "Whole<1, 10_000>")]
    pub(super) minimum: Option<Whole<1, 10_000>>,
    /// How many days before the activity somebody must be found.
    #[serde(default)]
    #[schemars(with = "Whole<0, 366>", extend("examples" = [7]))]
    pub(super) lead: Option<Whole<0, 366>>,
    /// Who may say that it was done: names or roles of the place.
    #[serde(default)]
    #[schemars(extend("examples" = [["équipe bar"]]))]
    pub(super) validators: Vec<Text<200>>,
    /// Volunteer credits for it, in units, up to two decimals.
    #[serde(default)]
    #[schemars(with = "Units", extend("examples" = [1.5]))]
    pub(super) credits: Option<Units>,
    /// The address of its how-to.
    #[serde(default)]
    #[schemars(with = "String", extend("examples" = ["https://wiki.example.org/animer"]))]
    pub(super) guide: Option<String>,
    /// 1 (first) to 9 (last).
    #[serde(default)]
    #[schemars(with = "Whole<1, 9>")]
    pub(super) priority: Option<Whole<1, 9>>,
}

/// Which entities go to which tool.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Route {
    /// The name of the connector.
    #[schemars(required, extend("examples" = ["public-site"]))]
    pub(super) to: Option<String>,
    /// Which entities; all where it is left out.
    #[serde(default)]
    pub(super) when: RawWhen,
    /// Which channel of a chat.
    #[serde(default)]
    #[schemars(with = "String")]
    pub(super) channel: Option<String>,
    /// Which calendar.
    #[serde(default)]
    #[schemars(with = "String")]
    pub(super) calendar: Option<String>,
    /// Which mailing list.
    #[serde(default)]
    #[schemars(with = "String")]
    pub(super) list: Option<String>,
    /// The reaction to its announcements that signs up for them, as a sign or by its name; taken
    /// back, it signs off.
    #[serde(default)]
    #[schemars(with = "String", length(min = 1, max = 60), extend("examples" = ["✅"]))]
    pub(super) signup: Option<Text<60>>,
    /// What it brings instead of entities, at the hours of `at`: what takes place in the next seven
    /// days or in a month, the tasks of the next two weeks that lack hands, of these what each person
    /// likes, to them alone, or the day before to each person what they signed up for.
    #[serde(default)]
    #[schemars(with = "RoundupName")]
    pub(super) digest: Option<RoundupOf>,
    /// The hours of the week or the month, at the place, at which a digest is said (`25 09:00` of a
    /// month, days from 1 to 28); of reminders one hour, or none so that nobody is reminded.
    #[serde(default)]
    #[schemars(with = "Vec<String>", extend("examples" = [["monday 09:00"]]))]
    pub(super) at: Option<Vec<Hour>>,
    /// Which template.
    #[serde(default)]
    #[schemars(with = "String")]
    pub(super) template: Option<String>,
    /// The language to write in.
    #[serde(default)]
    #[schemars(with = "Language")]
    pub(super) language: Option<Lang>,
    /// How long an effect waits before it is made.
    #[serde(default)]
    #[schemars(with = "Span")]
    pub(super) grace: Option<Span>,
    /// Whose word counts when the tool's object was edited there: ours, ask or theirs; or one of
    /// them for each field.
    #[serde(default)]
    pub(super) authority: RawAuthority,
    /// What happens when nobody knows whether an effect was made.
    #[serde(default)]
    #[schemars(with = "PolicyName")]
    pub(super) policy: Option<Policy>,
}

/// `week`, `month`, `hands`, `liked` or `reminder`.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase", inline)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum RoundupName {
    Week,
    Month,
    Hands,
    Liked,
    Reminder,
}

/// `never-twice` or `never-lost`.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum PolicyName {
    NeverTwice,
    NeverLost,
}

/// Whose word counts, for all fields or field by field.
#[derive(Debug, Default, Deserialize)]
#[serde(untagged)]
pub(super) enum RawAuthority {
    #[default]
    Usual,
    All(Authority),
    Each(BTreeMap<String, Authority>),
}

impl JsonSchema for RawAuthority {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Authority".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "object"],
            "if": { "type": "string" },
            "then": { "enum": ["ours", "ask", "theirs"] },
            "additionalProperties": { "enum": ["ours", "ask", "theirs"] },
            "examples": ["ask"]
        })
    }
}

/// A condition: `entity`, and fields with the words or patterns one of which must fit.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct RawWhen(pub(super) BTreeMap<String, RawWords>);

/// One word or pattern, or several.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Value")]
pub(super) struct RawWords(pub(super) Vec<String>);

impl TryFrom<Value> for RawWords {
    type Error = &'static str;
    fn try_from(value: Value) -> Result<Self, Self::Error> {
        let word = |value| match value {
            Value::String(text) => Ok(text),
            Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
            _ => Err("expected a word or a list of words"),
        };
        match value {
            Value::Array(items) if !items.is_empty() => items
                .into_iter()
                .map(word)
                .collect::<Result<_, _>>()
                .map(Self),
            one => word(one).map(|word| Self(vec![word])),
        }
    }
}

impl JsonSchema for RawWhen {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "When".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let word = serde_json::json!({ "type": ["string", "number", "boolean"] });
        json_schema!({
            "type": "object",
            "additionalProperties": {
                "type": ["string", "number", "boolean", "array"],
                "items": word,
                "minItems": 1
            },
            "examples": [{ "entity": "activity", "kind": "Réunion" }]
        })
    }
}

/// When a change waits for a person's yes.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Guards {
    /// How long a line must be missing before it is cancelled.
    #[serde(default)]
    #[schemars(with = "Span", extend("examples" = ["60s"]))]
    pub(super) second_look: Option<Span>,
    /// Held from this number of missing coming activities on ...
    #[serde(default)]
    #[schemars(with = "u32")]
    pub(super) cancel_count: Option<u32>,
    /// ... when they are more than this share of the source's coming activities.
    #[serde(default)]
    #[schemars(with = "Number<0, 1>")]
    pub(super) cancel_share: Option<Number<0, 1>>,
    /// Held from this number of changed lines on ...
    #[serde(default)]
    #[schemars(with = "u32")]
    pub(super) change_count: Option<u32>,
    /// ... when they are more than this share of the source's coming activities.
    #[serde(default)]
    #[schemars(with = "Number<0, 1>")]
    pub(super) change_share: Option<Number<0, 1>>,
    /// Credits a person may receive in a day, in units: more than that waits for a yes.
    #[serde(default)]
    #[schemars(with = "Units")]
    pub(super) credit_per_day: Option<Units>,
}

/// What gives credits, and how many at most. The amounts stand with tasks and activities.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Credits {
    /// Whether an amount is for an hour of work; else it is for having taken part.
    #[serde(default)]
    #[schemars(with = "bool")]
    pub(super) per_hour: Option<bool>,
    /// Whose word that somebody took part counts: "organiser", "self", "scan", "sheet", "tool", or
    /// "done" for a task that is marked as done. All but "self" where nothing is said. Without
    /// "scan", whoever another tool pays at the door is not paid here as well.
    #[serde(default)]
    #[schemars(with = "BTreeSet<Word>")]
    pub(super) validated_by: Option<BTreeSet<Validation>>,
    /// The most for the work of one day, in units.
    #[serde(default)]
    #[schemars(with = "Units")]
    pub(super) per_day: Option<Units>,
    /// The most for the work of one month, in units.
    #[serde(default)]
    #[schemars(with = "Units")]
    pub(super) per_month: Option<Units>,
    /// The most that one person ever receives, in units.
    #[serde(default)]
    #[schemars(with = "Units")]
    pub(super) per_person: Option<Units>,
}

/// Whose word counts, for the schema.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
#[expect(dead_code, reason = "the schema's names; the model's type is read")]
enum Word {
    Organiser,
    #[schemars(rename = "self")]
    Own,
    Scan,
    Sheet,
    Tool,
    Done,
}

/// A colour as pages write it, `#rrggbb`.
fn colour<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let digits = text.strip_prefix('#').unwrap_or_default();
    if digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Ok(Some(text))
    } else {
        Err(D::Error::custom("not a colour like #0b6b53"))
    }
}
