//! `log`: one event, as a structured CloudEvent or as a line for people.

use std::fmt;

use jiff::Timestamp;
use raccord_engine::field_name;
use raccord_model::{Civil, Lang};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Shape;
use crate::locale::{View, shown};
use crate::report::DIM;

/// One event of the log: the structured CloudEvent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LogLine(pub Value);

impl LogLine {
    fn text(&self, pointer: &str) -> &str {
        self.0
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }
}

impl Shape for LogLine {
    fn human(&self, view: &View, out: &mut dyn fmt::Write) -> fmt::Result {
        let when = self
            .text("/time")
            .parse::<Timestamp>()
            .map(|at| view.instant(at))
            .unwrap_or_default();
        let mut parts = self.text("/type").split('.').skip(2);
        let (entity, verb) = (
            parts.next().unwrap_or_default(),
            parts.next().unwrap_or_default(),
        );
        // A notice is written in both languages, for whoever reads it.
        let own = match view.lang {
            Lang::Fr => "/data/title/fr",
            Lang::En => "/data/title/en",
        };
        let title = [self.text("/data/title"), self.text(own)].concat();
        let title = shown(&title);
        let title = if title.is_empty() {
            shown(self.text("/subject"))
        } else {
            view.say("« {} »", "“{}”").replace("{}", &title)
        };
        write!(
            out,
            "{DIM}{when}{DIM:#}  {} {}  {title}",
            entity_word(entity, view),
            verb_word(verb, view)
        )?;
        if let Ok(start) = self.text("/data/start").parse::<Civil>() {
            write!(out, " ({})", view.civil(start))?;
        }
        let changed: Vec<String> = self
            .0
            .pointer("/data/changed")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(|pointer| {
                let field = pointer.trim_start_matches('/');
                shown(field_name(field).get(view.lang))
            })
            .collect();
        if verb == "updated" && !changed.is_empty() {
            write!(out, "{} {}", view.say(" :", ":"), changed.join(", "))?;
        }
        writeln!(out)
    }
}

fn entity_word(entity: &str, view: &View) -> String {
    let (fr, en) = match entity {
        "activity" => ("activité", "activity"),
        "task" => ("tâche", "task"),
        "person" => ("personne", "person"),
        "registration" => ("inscription", "registration"),
        "credit" => ("crédit", "credit"),
        "message" => ("message", "message"),
        "discussion" => ("discussion", "discussion"),
        "publication" => ("publication", "publication"),
        "notice" => ("avis", "notice"),
        other => return shown(other),
    };
    view.say(fr, en).to_owned()
}

/// The verb as a symbol and a noun, so that French needs no agreement.
fn verb_word(verb: &str, view: &View) -> String {
    let (fr, en) = match verb {
        "created" => ("+ création", "+ created"),
        "updated" => ("~ changement", "~ updated"),
        "cancelled" => ("× annulation", "× cancelled"),
        "removed" => ("− retrait", "− removed"),
        "granted" => ("+ don", "+ granted"),
        "reversed" => ("− reprise", "− reversed"),
        "attended" => ("✓ présence", "✓ attended"),
        other => return shown(other),
    };
    view.say(fr, en).to_owned()
}
