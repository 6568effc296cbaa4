//! The rules of a place: its configuration as the engine knows it. Logged state, changed by an
//! input like any other, so that `why` names the rule as it was.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    ConnectorName, Digest, Entity, EntityKind, Handling, Lang, ORIGIN, PlaceId, Policy, Roundup,
};

/// The place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Its id.
    pub id: PlaceId,
    /// What people call it.
    pub name: String,
    /// The IANA name of its time zone.
    pub zone: String,
    /// Its language.
    pub lang: Lang,
    /// The public address of its web pages, without a trailing slash.
    #[serde(default)]
    pub public_url: String,
}

/// All rules of a place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rules {
    /// The place.
    pub place: Place,
    /// Configured sources.
    pub sources: BTreeMap<ConnectorName, SourceRule>,
    /// Configured sinks.
    pub sinks: BTreeMap<ConnectorName, SinkRule>,
    /// Rules that derive entities from entities.
    pub recipes: Vec<Recipe>,
    /// Which entities go where.
    pub routes: Vec<Route>,
    /// The accident guard.
    pub guards: Guards,
}

impl Rules {
    /// Whether a source is a tool that is written too, and that people edit: a calendar.
    pub fn is_shared(&self, source: &ConnectorName) -> bool {
        let sink = self.sinks.get(source);
        sink.is_some_and(|sink| sink.handles.iter().any(|handling| handling.read_back))
    }
}

/// A configured source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceRule {
    /// The connector's kind.
    pub kind: String,
    /// The connector's version; empty in logs from before this was kept.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// How often it is read, in seconds.
    pub every_s: i64,
    /// Whether it brings what another place offers. Nothing of ours waits for it, and what is gone
    /// from it has left: that place's own guard stands before it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub foreign: bool,
    /// Whether its tool counts the places of what it holds: there, what it says of sign-ups is a
    /// fact, and nobody gets a place from us.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub counts: bool,
}

/// A configured sink.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SinkRule {
    /// The connector's kind.
    pub kind: String,
    /// The connector's version; empty in logs from before this was kept.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// What it handles.
    pub handles: Vec<Handling>,
    /// How many calls it stands at once.
    pub parallel: u16,
    /// How many calls it stands per second; 0 for no limit of its own.
    #[serde(default)]
    pub per_second: u16,
    /// Digest of the settings and templates that its rendering depends on.
    pub settings: Digest,
    /// Digest of where its objects stand: a change means that nothing of ours is there yet. All
    /// zeros where it holds none, and in logs from before this was kept.
    #[serde(default)]
    pub target: Digest,
    /// Digest of the credentials it was given (salted by the shell): a change lifts a refusal.
    #[serde(default)]
    pub credentials: Digest,
    /// Whether it has a page of its own for what other places offer, and takes that unasked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub around: bool,
    /// Who may approve and reject holds from there, by what the tool calls them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub approvers: BTreeSet<String>,
}

impl SinkRule {
    /// How it handles entities of `kind`.
    pub fn handling(&self, kind: EntityKind) -> impl Iterator<Item = &Handling> {
        self.handles
            .iter()
            .filter(move |handling| handling.entity == kind)
    }
}

/// The numbers of the accident guard (`interfaces.md`, `[guards]`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Guards {
    /// How long after the first reading that misses a line another must miss it too, in seconds.
    pub second_look_s: i64,
    /// Missing coming activities from which a reading may be held ...
    pub cancel_count: u32,
    /// ... when their share of the source's coming activities is above this.
    pub cancel_share: f64,
    /// Changed lines (date, hours, room, title) from which a reading may be held ...
    pub change_count: u32,
    /// ... when their share of the source's coming activities is above this.
    pub change_share: f64,
    /// Credits per person and day, in hundredths: more than that waits for a person.
    pub credit_per_day: i64,
    /// What gives credits, and how many at most.
    #[serde(default, skip_serializing_if = "Crediting::is_usual")]
    pub crediting: Crediting,
}

/// What gives credits, and how many at most (`[credits]`). Amounts stand with tasks and activities.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crediting {
    /// Whether an amount is for an hour of work; else it is for having taken part.
    #[serde(default)]
    pub per_hour: bool,
    /// Whose word that somebody took part counts.
    pub validated_by: BTreeSet<Validation>,
    /// The most for the work of one day, in hundredths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_day: Option<i64>,
    /// The most for the work of one month, in hundredths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_month: Option<i64>,
    /// The most that one person ever receives, in hundredths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_person: Option<i64>,
}

impl Crediting {
    /// Whether it is as where nothing was said.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for Crediting {
    fn default() -> Self {
        use Validation::{Done, Organiser, Scan, Sheet, Tool};
        Self {
            per_hour: false,
            validated_by: [Organiser, Scan, Sheet, Tool, Done].into(),
            per_day: None,
            per_month: None,
            per_person: None,
        }
    }
}

/// Whose word that somebody took part counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Validation {
    /// Whoever runs it.
    Organiser,
    /// They themselves.
    #[serde(rename = "self")]
    Own,
    /// A code that was read at the door.
    Scan,
    /// The line of a sheet.
    Sheet,
    /// Another tool.
    Tool,
    /// A task that is marked as done, for everybody who signed up for it.
    Done,
}

impl Validation {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Organiser,
        Self::Own,
        Self::Scan,
        Self::Sheet,
        Self::Tool,
        Self::Done,
    ];

    /// The name in the configuration and in a registration's `attested`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Organiser => "organiser",
            Self::Own => "self",
            Self::Scan => "scan",
            Self::Sheet => "sheet",
            Self::Tool => "tool",
            Self::Done => "done",
        }
    }
}

impl Default for Guards {
    fn default() -> Self {
        Self {
            second_look_s: 60,
            cancel_count: 3,
            cancel_share: 0.25,
            change_count: 10,
            change_share: 0.5,
            credit_per_day: 20_000,
            crediting: Crediting::default(),
        }
    }
}

/// A condition on an entity. A key that is left out matches everything, but for what other places
/// offer: that is matched only by a condition that names [`ORIGIN`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct When {
    /// The kinds of entity.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entity: Vec<EntityKind>,
    /// For each field, the values or globs one of which must fit.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, Vec<String>>,
}

impl When {
    /// Whether it says something about who offers what it takes.
    pub fn names_origin(&self) -> bool {
        self.fields.contains_key(ORIGIN)
    }

    /// Whether `entity` fits. Compared without case, accents, outer spaces and plural s.
    pub fn fits(&self, entity: &Entity) -> bool {
        if !self.entity.is_empty() && !self.entity.contains(&entity.kind) {
            return false;
        }
        if entity.is_foreign() && !self.names_origin() {
            return false;
        }
        self.fields.iter().all(|(field, patterns)| {
            let values = values_of(entity, field);
            patterns.iter().any(|pattern| {
                let pattern = fold_word(pattern);
                values.iter().any(|value| glob(&pattern, &fold_word(value)))
            })
        })
    }
}

fn values_of(entity: &Entity, field: &str) -> BTreeSet<String> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    // A column of the place's own stands under `extra`.
    let value = match field.strip_prefix("extra.") {
        Some(own) => entity.fields.get("extra").and_then(|extra| extra.get(own)),
        None => entity.fields.get(field),
    };
    match value {
        // Nothing said about visibility means public, as on the sheet.
        None if field == "visibility" => ["public".to_owned()].into(),
        // What is ours comes from nowhere, and fits no pattern for that.
        None if field == ORIGIN => BTreeSet::new(),
        None => [String::new()].into(),
        Some(Value::Array(items)) => items.iter().map(text).collect(),
        Some(value) => [text(value)].into(),
    }
}

/// Lower case, no accents, no outer or double spaces, no plural s at the end of a word.
pub fn fold_word(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        let start = out.len();
        for c in word.chars() {
            match c {
                // Nearly all there is, and without the tables of Unicode.
                _ if c.is_ascii() => out.push(c.to_ascii_lowercase()),
                _ => c.to_lowercase().for_each(|c| fold_char(c, &mut out)),
            }
        }
        if out.len() > start + 3 && out.ends_with('s') && !out.ends_with("ss") {
            out.pop();
        }
    }
    out
}

fn fold_char(c: char, out: &mut String) {
    let plain = match c {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => 'a',
        'ç' => 'c',
        'è' | 'é' | 'ê' | 'ë' => 'e',
        'ì' | 'í' | 'î' | 'ï' => 'i',
        'ñ' => 'n',
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' => 'o',
        'ù' | 'ú' | 'û' | 'ü' => 'u',
        'ý' | 'ÿ' => 'y',
        'œ' => return out.push_str("oe"),
        'æ' => return out.push_str("ae"),
        '’' => '\'',
        '\u{300}'..='\u{36f}' => return,
        other => other,
    };
    out.push(plain);
}

/// `*` stands for any run of characters, `?` for one.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        if p < pattern.len() && pattern[p] == '*' {
            star = Some((p, t));
            p += 1;
        } else if p < pattern.len() && (pattern[p] == '?' || pattern[p] == text[t]) {
            p += 1;
            t += 1;
        } else if let Some((star_p, star_t)) = star {
            p = star_p + 1;
            t = star_t + 1;
            star = Some((star_p, star_t + 1));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

/// A rule that derives tasks from activities.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipe {
    /// What it applies to.
    pub when: When,
    /// The tasks it derives.
    pub tasks: Vec<TaskTemplate>,
}

/// A task to derive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskTemplate {
    /// Its title; with the recipe's activity it names the task, so a renamed one is a new one.
    pub title: String,
    /// The kind of work.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// How many people it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
    /// How many people it takes at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<u32>,
    /// How many days before its activity starts somebody must be found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead: Option<u16>,
    /// Who may say that it was done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub validators: Vec<String>,
    /// Credits for it, in hundredths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credits: Option<i64>,
    /// The address of its how-to.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub guide: String,
    /// 1 (first) to 9 (last).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
}

/// Which entities go to which connector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// The connector.
    pub to: ConnectorName,
    /// What it takes.
    pub when: When,
    /// Where in the tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Which calendar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
    /// Which list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<String>,
    /// What it brings instead of entities: a message at civil hours, of the entities it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roundup: Option<Roundup>,
    /// The reaction to an announcement that signs up for it, as the tool or a keyboard names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signup: Option<String>,
    /// Which template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// The language to write in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<Lang>,
    /// How long the effect waits before it is made, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_s: Option<i64>,
    /// What happens to an unknown outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
    /// Whose word counts when the tool's object was edited, for the fields not named in `fields`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<Authority>,
    /// Whose word counts, field by field.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, Authority>,
}

/// Whose word counts for `field` where no route says: `ask` for date, hours and room, and for
/// whether a task is done; `ours` for the rest.
pub fn usual_authority(field: &str) -> Authority {
    match field {
        "start" | "end" | "all_day" | "room" | "due" | "state" => Authority::Ask,
        _ => Authority::Ours,
    }
}

impl Route {
    /// Whose word counts for `field`: as configured, else as [usual](usual_authority).
    pub fn authority(&self, field: &str) -> Authority {
        self.fields
            .get(field)
            .copied()
            .or(self.authority)
            .unwrap_or_else(|| usual_authority(field))
    }
}

/// Whose word counts when a member edited our object in the tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Authority {
    /// Ours: restored at our next write, with a kind word.
    Ours,
    /// A hold; the tool keeps the member's value until decided.
    Ask,
    /// Theirs: taken over and told.
    Theirs,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EntityId;
    use serde_json::json;

    fn entity(kind: &str) -> Entity {
        Entity {
            id: EntityId::derive(&[b"x"]),
            kind: EntityKind::Activity,
            revision: 1,
            source: "sheet".into(),
            fields: [("kind".to_owned(), json!(kind))].into(),
        }
    }

    fn when(pattern: &str) -> When {
        When {
            entity: vec![],
            fields: [("kind".to_owned(), vec![pattern.to_owned()])].into(),
        }
    }

    #[test]
    fn conditions_ignore_case_accents_spaces_and_plural() {
        assert!(when("Réunion").fits(&entity("  REUNIONS ")));
        assert!(when("chantiers participatifs").fits(&entity("Chantier participatif")));
        assert!(when("atelier*").fits(&entity("Atelier vélo")));
        assert!(!when("Réunion").fits(&entity("Concert")));
        assert!(!when("atelier").fits(&entity("Atelier vélo")));
    }

    #[test]
    fn what_another_place_offers_fits_only_where_it_is_named() {
        let ours = entity("Concert");
        let mut theirs = ours.clone();
        theirs.fields.insert(ORIGIN.to_owned(), json!("Le Jardin"));
        let of = |pattern: &str| When {
            entity: vec![],
            fields: [(ORIGIN.to_owned(), vec![pattern.to_owned()])].into(),
        };
        for all in [When::default(), when("Concert")] {
            assert!(all.fits(&ours) && !all.fits(&theirs));
        }
        for named in ["*", "le jardin"] {
            assert!(of(named).fits(&theirs) && !of(named).fits(&ours), "{named}");
        }
        assert!(!of("La Raffinerie").fits(&theirs));
    }

    #[test]
    fn a_column_of_the_places_own_is_named_under_extra() {
        let mut entity = entity("Concert");
        let when = |pattern: &str| When {
            entity: vec![],
            fields: [("extra.sono".to_owned(), vec![pattern.to_owned()])].into(),
        };
        assert!(!when("oui").fits(&entity));
        entity
            .fields
            .insert("extra".into(), json!({ "sono": "Oui" }));
        assert!(when("oui").fits(&entity) && !when("non").fits(&entity));
    }

    #[test]
    fn silence_about_visibility_means_public() {
        let public = When {
            entity: vec![],
            fields: [("visibility".to_owned(), vec!["public".to_owned()])].into(),
        };
        assert!(public.fits(&entity("x")));
    }
}
