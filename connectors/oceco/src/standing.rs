//! How everybody stands for what is ours, made of the list of actions and the log of credits. Pure.
//!
//! OCECO's `ValidateAction` writes a row and adds credits each time it is called. A validation is a row
//! here, too, but who was validated twice was there once. A refund is a row that takes one back.

use std::collections::BTreeMap;

use jiff::Timestamp;
use raccord_model::{Change, Digest, EntityId, EntityKind, Fields, Verb};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::action::Action;

/// How people stood when it was told: by action, and by a name that says nothing of anybody.
pub(crate) type Told = BTreeMap<String, BTreeMap<String, Standing>>;

/// How somebody stands for an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Standing {
    #[serde(rename = "r")]
    Registered,
    #[serde(rename = "c")]
    Cancelled,
    #[serde(rename = "a")]
    Attended,
}

/// A row of the log of credits that is about an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) account: String,
    pub(crate) action: String,
    pub(crate) credits: i64,
    pub(crate) at: Option<Timestamp>,
}

/// What the log says of one person and one action.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Logged<'a> {
    /// Nothing, or it was not read.
    Nothing,
    /// Validated, by this row.
    Validated(&'a str),
    /// Every validation was taken back, the last one by this row.
    Refunded(&'a str),
}

/// What is looked at.
pub(crate) struct Seen<'a> {
    /// What each action stands for.
    pub(crate) ours: &'a BTreeMap<String, EntityId>,
    /// Those that OCECO shows.
    pub(crate) listed: &'a [Action],
    /// Whose each account is.
    pub(crate) people: &'a BTreeMap<String, String>,
    pub(crate) rows: &'a [Row],
    pub(crate) now: Timestamp,
}

/// What changed since it was told, and how everybody stands now.
pub(crate) fn changes(seen: &Seen<'_>, told: &Told) -> (Vec<Change>, Told) {
    let listed: BTreeMap<&str, &Action> = seen.listed.iter().map(|one| (&*one.id, one)).collect();
    let mut changes = Vec::new();
    let mut after = Told::new();
    for (action, entity) in seen.ours {
        let before = told.get(action);
        let contributors = listed
            .get(action.as_str())
            .and_then(|one| one.contributors());
        // Who is not in the file any more stands as they stood.
        let mut now = before.cloned().unwrap_or_default();
        for (account, email) in seen.people {
            let name = name(action, account);
            let before = now.get(&name).copied();
            let sits = contributors.as_ref().map(|all| all.contains(&**account));
            let logged = logged(seen.rows, account, action);
            let Some(standing) = next(before, sits, &logged).filter(|next| before != Some(*next))
            else {
                continue;
            };
            now.insert(name.clone(), standing);
            let id = match (&logged, standing) {
                (Logged::Validated(row), Standing::Attended) => (*row).to_owned(),
                // Who took it again and left it again did not leave by that row.
                (Logged::Refunded(row), Standing::Cancelled)
                    if before == Some(Standing::Attended) =>
                {
                    (*row).to_owned()
                }
                _ => Digest::of(format!("{name} {standing:?} {}", seen.now).as_bytes()).to_string(),
            };
            changes.push(change(name, id, before, standing, *entity, email));
        }
        if !now.is_empty() {
            after.insert(action.clone(), now);
        }
    }
    (changes, after)
}

/// How many people were validated more than once for one action: OCECO gave them its credits each time.
pub(crate) fn doubled(rows: &[Row], ours: &BTreeMap<String, EntityId>) -> usize {
    let mut counts: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for row in rows.iter().filter(|row| ours.contains_key(&row.action)) {
        *counts.entry((&row.account, &row.action)).or_default() += row.credits.signum();
    }
    counts.values().filter(|count| **count > 1).count()
}

/// How somebody stands now; nothing where nothing is known of them.
fn next(before: Option<Standing>, sits: Option<bool>, logged: &Logged<'_>) -> Option<Standing> {
    match (logged, sits, before) {
        (Logged::Validated(_), ..) => Some(Standing::Attended),
        (Logged::Refunded(_), Some(true), _) => Some(Standing::Registered),
        (Logged::Refunded(_), _, before) => before.map(|_| Standing::Cancelled),
        // A log that does not show what it showed took nothing back.
        (Logged::Nothing, _, Some(Standing::Attended)) => before,
        (Logged::Nothing, Some(true), _) => Some(Standing::Registered),
        (Logged::Nothing, Some(false), before) => before.map(|_| Standing::Cancelled),
        // An action that is not shown is done, past or taken away: nobody knows which.
        (Logged::Nothing, None, before) => before,
    }
}

fn logged<'a>(rows: &'a [Row], account: &str, action: &str) -> Logged<'a> {
    let theirs = rows.iter();
    let theirs = theirs.filter(|row| row.account == account && row.action == action);
    let (mut given, mut taken): (Vec<&Row>, Vec<&Row>) = theirs.partition(|row| row.credits >= 0);
    for all in [&mut given, &mut taken] {
        all.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
    }
    match (given.get(taken.len()), taken.last()) {
        (Some(row), _) => Logged::Validated(&row.id),
        (None, Some(row)) => Logged::Refunded(&row.id),
        (None, None) => Logged::Nothing,
    }
}

/// What a sign-up is called: stable, and of no use to whoever reads it.
fn name(action: &str, account: &str) -> String {
    let digest = Digest::of(format!("oceco {action} {account}").as_bytes());
    digest.to_string().chars().take(24).collect()
}

fn change(
    subject: String,
    id: String,
    before: Option<Standing>,
    standing: Standing,
    entity: EntityId,
    email: &str,
) -> Change {
    let (verb, state) = match standing {
        Standing::Registered if before.is_none() => (Verb::Created, "registered"),
        Standing::Registered => (Verb::Updated, "registered"),
        Standing::Cancelled => (Verb::Cancelled, "cancelled"),
        Standing::Attended => (Verb::Attended, "attended"),
    };
    let mut fields: Fields = [
        ("task".to_owned(), json!(entity)),
        ("email".to_owned(), json!(email)),
        ("state".to_owned(), json!(state)),
    ]
    .into();
    if standing == Standing::Attended {
        fields.insert("attested".into(), json!("tool"));
    }
    Change {
        sender: String::new(),
        id,
        kind: EntityKind::Registration,
        verb,
        subject,
        fields,
        correlation: None,
        causation: None,
        hops: 0,
        trace: None,
    }
}
