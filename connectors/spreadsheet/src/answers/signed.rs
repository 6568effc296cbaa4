//! Who signed up, made of answers. Pure.
//!
//! What is kept between two readings names answers by digests, and says nothing of anybody.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use raccord_model::{Change, Digest, EntityId, EntityKind, Fields, Verb};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::say;

/// What one line answers about one thing.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// Its name: that of its line, and what it names.
    pub(crate) name: String,
    pub(crate) subject: EntityId,
    pub(crate) said: Said,
}

/// What one line says.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    /// The name of the line.
    pub(crate) line: String,
    pub(crate) row: u32,
    pub(crate) when: Option<Timestamp>,
    pub(crate) email: String,
    /// What the person is called.
    pub(crate) who: String,
    pub(crate) comment: String,
    pub(crate) places: u32,
    /// Whether they come.
    pub(crate) comes: bool,
}

/// What was told of answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Told {
    /// How each person stood, by the name of an answer of theirs.
    #[serde(default)]
    stood: BTreeMap<String, Standing>,
    /// Their other answers about the same.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    also: BTreeMap<String, String>,
    /// How many answers were told to be gone.
    #[serde(default, skip_serializing_if = "is_none")]
    gone: usize,
    /// How often that was told: the same may come again.
    #[serde(default, skip_serializing_if = "is_none")]
    notices: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_none(count: &usize) -> bool {
    *count == 0
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Standing {
    /// For what.
    #[serde(rename = "e")]
    subject: EntityId,
    /// The name of the line.
    #[serde(rename = "l")]
    line: String,
    /// Whether they come.
    #[serde(rename = "c")]
    comes: bool,
    /// What else was told, as a digest.
    #[serde(rename = "h")]
    rest: String,
    /// How often it changed: the same may come again.
    #[serde(rename = "v", default)]
    times: u32,
}

impl Told {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The names of the lines of which something was told.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &str> {
        self.stood.values().map(|stood| stood.line.as_str())
    }

    /// What an answer was for when it was first told: it stays there, whatever that is called since.
    pub(crate) fn subject(&self, answer: &str) -> Option<EntityId> {
        let name = self.also.get(answer).map_or(answer, String::as_str);
        self.stood.get(name).map(|stood| stood.subject)
    }
}

/// What tells one person from another: whoever gives no address is known by their name.
pub(crate) fn person(email: &str, who: &str) -> String {
    if email.is_empty() {
        format!("n {}", who.to_lowercase())
    } else {
        format!("e {email}")
    }
}

/// What the lines of a document say.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) answers: Vec<Answer>,
    /// The names of all lines that were read.
    pub(crate) lines: BTreeSet<String>,
    /// Those that name something which is not found.
    pub(crate) lost: BTreeSet<String>,
}

/// What changed since it was told, oldest first, and how everybody stands now. `coming` is what one
/// can still sign up for.
pub(crate) fn changes(
    seen: &Seen,
    before: &Told,
    coming: &BTreeSet<EntityId>,
) -> (Vec<Change>, Told) {
    let mut groups: BTreeMap<(String, EntityId), Vec<(usize, &Answer)>> = BTreeMap::new();
    for (at, answer) in seen.answers.iter().enumerate() {
        let who = person(&answer.said.email, &answer.said.who);
        groups
            .entry((who, answer.subject))
            .or_default()
            .push((at, answer));
    }
    let own: BTreeSet<&str> = seen.answers.iter().map(|one| one.name.as_str()).collect();
    let mut told = before.clone();
    let mut changes = Vec::new();
    let mut present: BTreeSet<String> = BTreeSet::new();
    for ((_, subject), mut group) in groups {
        group.sort_by_key(|(at, answer)| (answer.said.when, answer.said.row, *at));
        let Some(&(at, latest)) = group.last() else {
            continue;
        };
        let known = |(_, answer): &(usize, &Answer)| {
            // Of two that counted as one and are two now, each goes by their own answer.
            let free = |name: &&String| {
                let theirs = group.iter().any(|(_, one)| one.name == **name);
                theirs || !own.contains(name.as_str()) && !present.contains(*name)
            };
            let also = before.also.get(&answer.name).filter(free);
            let name = also.unwrap_or(&answer.name);
            before.stood.contains_key(name).then(|| name.clone())
        };
        let known = group.iter().find_map(known);
        let stood = known.as_ref().and_then(|name| before.stood.get(name));
        let comes = latest.said.comes;
        let name = known.clone().unwrap_or_else(|| group[0].1.name.clone());
        present.insert(name.clone());
        told.also.remove(&name);
        if stood.is_none() && !comes {
            continue;
        }
        for (_, other) in group.iter().filter(|(_, answer)| answer.name != name) {
            told.also.insert(other.name.clone(), name.clone());
        }
        let standing = Standing {
            subject,
            line: latest.said.line.clone(),
            comes,
            rest: rest(&latest.said),
            times: stood.map_or(0, |stood| stood.times),
        };
        let same = stood
            .is_some_and(|stood| stood.comes == comes && (!comes || stood.rest == standing.rest));
        if same {
            let line = standing.line;
            told.stood.entry(name).and_modify(|stood| stood.line = line);
            continue;
        }
        let standing = Standing {
            times: standing.times.saturating_add(1),
            ..standing
        };
        let verb = match (stood.is_some(), comes) {
            (false, _) => Verb::Created,
            (true, true) => Verb::Updated,
            (true, false) => Verb::Cancelled,
        };
        let change = change(&name, verb, standing.times, fields(latest, comes));
        changes.push(((latest.said.when, latest.said.row, at), change));
        told.stood.insert(name, standing);
    }
    leave(seen, coming, &present, &mut told, &mut changes);
    changes.sort_by(|a, b| (a.0, &a.1.subject).cmp(&(b.0, &b.1.subject)));
    let mut changes: Vec<Change> = changes.into_iter().map(|(_, change)| change).collect();
    changes.extend(gone(coming, seen, &present, &mut told));
    // Of what is over, and stands there no more, nothing is kept.
    told.stood.retain(|name, stood| {
        let there = present.contains(name) || seen.lines.contains(&stood.line);
        there || coming.contains(&stood.subject)
    });
    let Told { stood, also, .. } = &mut told;
    also.retain(|_, name| stood.contains_key(name));
    (changes, told)
}

/// When and on which line something was said, and which of its line it is.
type At = (Option<Timestamp>, u32, usize);

/// Who took a thing out of their own answer does not come to that any more. What is over is
/// forgotten.
fn leave(
    seen: &Seen,
    coming: &BTreeSet<EntityId>,
    present: &BTreeSet<String>,
    told: &mut Told,
    changes: &mut Vec<(At, Change)>,
) {
    for (name, stood) in &mut told.stood {
        let edited = seen.lines.contains(&stood.line) && !seen.lost.contains(&stood.line);
        if present.contains(name) || !stood.comes || !edited || !coming.contains(&stood.subject) {
            continue;
        }
        stood.comes = false;
        stood.times = stood.times.saturating_add(1);
        let fields = Fields::from([("activity".to_owned(), json!(stood.subject))]);
        let change = change(name, Verb::Cancelled, stood.times, fields);
        changes.push(((None, 0, 0), change));
    }
}

/// Tells how many answers stand there no more; an answer that is missing cancels nothing.
fn gone(
    coming: &BTreeSet<EntityId>,
    seen: &Seen,
    present: &BTreeSet<String>,
    told: &mut Told,
) -> Option<Change> {
    let is_gone = |(name, stood): &(&String, &Standing)| {
        let there = present.contains(*name) || seen.lines.contains(&stood.line);
        stood.comes && !there && coming.contains(&stood.subject)
    };
    let count = told.stood.iter().filter(is_gone).count();
    if count == told.gone {
        return None;
    }
    told.gone = count;
    told.notices = told.notices.saturating_add(1);
    let ((code, text), mend) = say::gone(count);
    let mut fields = Fields::from([("code".to_owned(), json!(format!("spreadsheet.{code}")))]);
    let state = if count > 0 { "open" } else { "closed" };
    fields.insert("state".into(), json!(state));
    if count > 0 {
        let both = |words: &raccord_model::Words| json!({ "fr": words.fr, "en": words.en });
        fields.insert("title".into(), both(&text));
        fields.insert("text".into(), both(&text));
        fields.insert("mend".into(), both(&mend));
    }
    let names: Vec<&String> = told
        .stood
        .iter()
        .filter(is_gone)
        .map(|(name, _)| name)
        .collect();
    let id = format!("gone {} {names:?} {}", told.notices, told.stood.len());
    Some(Change {
        kind: EntityKind::Notice,
        id: Digest::of(id.as_bytes()).to_string(),
        ..change(code, Verb::Updated, 0, fields)
    })
}

fn fields(answer: &Answer, comes: bool) -> Fields {
    let mut fields = Fields::from([("activity".to_owned(), json!(answer.subject))]);
    let said = &answer.said;
    let mut say = |name: &str, text: &str| {
        if !text.is_empty() {
            fields.insert(name.to_owned(), json!(text));
        }
    };
    say("email", &said.email);
    say("name", &said.who);
    if !comes {
        return fields;
    }
    say("comment", &said.comment);
    say("state", "registered");
    if let Some(when) = said.when {
        fields.insert("registered".into(), json!(when.to_string()));
    }
    let places = (said.places > 1).then_some(said.places);
    fields.insert("places".into(), json!(places));
    fields
}

/// What a change of makes news, beside whether they come.
fn rest(said: &Said) -> String {
    let Said {
        places,
        who,
        email,
        comment,
        ..
    } = said;
    short(&format!("{places}\0{who}\0{email}\0{comment}"))[..8].to_owned()
}

fn change(name: &str, verb: Verb, times: u32, fields: Fields) -> Change {
    Change {
        sender: String::new(),
        id: Digest::of(format!("{name} {times}").as_bytes()).to_string(),
        kind: EntityKind::Registration,
        verb,
        subject: name.to_owned(),
        fields,
        correlation: None,
        causation: None,
        hops: 0,
        trace: None,
    }
}

/// A name that says nothing.
pub(crate) fn short(text: &str) -> String {
    Digest::of(text.as_bytes()).to_string()[..16].to_owned()
}
