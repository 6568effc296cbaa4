//! `raccord connector list`: the kinds of tool this program knows, from each connector's card.

use std::fmt;

use raccord_kit::Connector;
use raccord_model::{Lang, Words};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Console;
use crate::connectors::CONNECTORS;
use crate::locale::{View, shown};
use crate::report::{BOLD, DIM, Exit, Problem};
use crate::shapes::Shape;

pub(super) fn list(console: &mut Console<'_, '_>) -> Result<Exit, Problem> {
    let kinds = KindList(CONNECTORS.iter().map(|connector| kind(connector)).collect());
    console.print(&kinds, &console.view()?)
}

/// What is read of a connector's card.
#[derive(Deserialize)]
struct Card {
    title: Words,
    summary: Words,
    roles: Vec<String>,
}

/// All kinds.
#[derive(Serialize)]
#[serde(transparent)]
struct KindList(Vec<Kind>);

/// One kind of tool.
#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the fields are the JSON keys")]
struct Kind {
    kind: &'static str,
    version: &'static str,
    title: Words,
    summary: Words,
    roles: Vec<String>,
    keys: Vec<Key>,
    settings: Value,
}

/// One key of its settings.
#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the fields are the JSON keys")]
struct Key {
    key: String,
    required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    example: Option<Value>,
}

fn kind(connector: &Connector) -> Kind {
    let card: Card = toml::from_str(connector.card).unwrap_or_else(|_| Card {
        title: Words::same(connector.kind),
        summary: Words::default(),
        roles: Vec::new(),
    });
    let settings = connector.settings.schema().to_value();
    let needed = |key: &str| {
        settings["required"]
            .as_array()
            .is_some_and(|all| all.iter().any(|name| name == key))
    };
    let keys = settings["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, rules)| Key {
            required: needed(key),
            example: rules["examples"].get(0).cloned(),
            key: key.clone(),
        })
        .collect();
    Kind {
        kind: connector.kind,
        version: connector.version,
        title: card.title,
        summary: card.summary,
        roles: card.roles,
        keys,
        settings,
    }
}

impl Shape for KindList {
    fn human(&self, view: &View, out: &mut dyn fmt::Write) -> fmt::Result {
        for kind in &self.0 {
            let does = match (view.lang, kind.roles.as_slice()) {
                (Lang::Fr, [one]) if one == "source" => "lu",
                (Lang::Fr, [_]) => "écrit",
                (Lang::Fr, _) => "lu et écrit",
                (Lang::En, [one]) if one == "source" => "read",
                (Lang::En, [_]) => "written",
                (Lang::En, _) => "read and written",
            };
            let title = shown(kind.title.get(view.lang));
            writeln!(
                out,
                "{BOLD}{}{BOLD:#}  {title} {DIM}({does}){DIM:#}",
                kind.kind
            )?;
            let summary = kind.summary.get(view.lang);
            if !summary.is_empty() {
                writeln!(out, "  {}", shown(summary))?;
            }
            for key in &kind.keys {
                let mark = if key.required { "*" } else { " " };
                write!(out, "  {mark} {}", key.key)?;
                if let Some(example) = &key.example {
                    write!(out, " {DIM}= {example}{DIM:#}")?;
                }
                writeln!(out)?;
            }
            writeln!(out)?;
        }
        let needed = view.say(
            "* : clé nécessaire. Toutes les clés vont dans une table [connectors.NOM] avec `kind`.",
            "*: needed key. All keys go into a table [connectors.NAME] with `kind`.",
        );
        writeln!(out, "{needed}")
    }
}
