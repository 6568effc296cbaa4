//! What an entry says of the tasks of its activity: how many people are on each, and never who.

use raccord_look::clean;
use raccord_model::{Activity, Civil, Entity, Hands, Lang, Route, When};
use serde_json::Value;

use crate::words;

/// Tasks beyond these are counted, not named.
const LISTED: usize = 30;
/// Of a longer title, the beginning is written.
const TITLE: usize = 200;

/// The tasks of an activity, line by line, with a heading; nothing where it has none. `route`: what
/// sends the activity there.
pub(crate) fn lines(
    tasks: &[Hands],
    activity: &Activity,
    lang: Lang,
    route: Option<&Route>,
) -> Vec<String> {
    let all: Vec<&Hands> = tasks
        .iter()
        .filter(|one| may_be_seen(&one.task, route))
        .collect();
    if all.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![words::heading(lang, words::HANDS)];
    for one in all.iter().take(LISTED) {
        let mut title = clean::line(one.task.text("title"), TITLE);
        let due: Option<Civil> = one.task.text("due").parse().ok();
        if let Some(due) = due.filter(|due| due.date() != activity.start.date()) {
            title.push_str(&words::by(lang, due));
        }
        let how = match one.task.text("state") {
            "done" => words::done(lang).to_owned(),
            _ => words::taken(lang, one.taken, places(one)),
        };
        lines.push(format!("– {}", words::said(lang, &title, &how)));
    }
    if let Some(more) = all.len().checked_sub(LISTED).filter(|more| *more > 0) {
        lines.push(words::more(lang, more));
    }
    lines
}

/// Whether a task may stand where `route` leads: an internal one only where its own visibility fits,
/// whatever that of its activity is.
fn may_be_seen(task: &Entity, route: Option<&Route>) -> bool {
    if task.text("visibility") != "internal" {
        return true;
    }
    let Some(route) = route else { return false };
    let fields = route.when.fields.get_key_value("visibility");
    let fields = fields.map(|(field, fits)| (field.clone(), fits.clone()));
    let by_visibility = When {
        entity: Vec::new(),
        fields: fields.into_iter().collect(),
    };
    by_visibility.fits(task)
}

/// How many people are on a task, where it says how many it takes or somebody is.
pub(crate) fn sign_ups(task: &Hands, lang: Lang) -> Option<String> {
    let places = places(task);
    (places.is_some() || task.taken > 0).then(|| words::taken(lang, task.taken, places))
}

/// How many people a task takes.
fn places(one: &Hands) -> Option<u64> {
    let number = |name: &str| one.task.fields.get(name).and_then(Value::as_u64);
    let places = number("capacity").or_else(|| number("minimum"));
    places.filter(|places| *places > 0)
}
