//! What only the connectors know of their settings, asked for although the file has other mistakes:
//! one layer of mistakes must not hide the next. Nothing that is made here is used or asked.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use raccord_kit::settings::without;
use raccord_kit::{Kit, SystemClock};
use raccord_model::{Lang, Manifest, Place, RoundupOf};
use serde_json::Value;

use super::document::Document;
use super::mistakes::Mistakes;
use crate::connectors;

/// Notes what connectors, and routes to them, have to say beyond the schema.
pub(super) fn look(document: &Document, base: &Path, mistakes: &mut Mistakes<'_>) {
    let tree = &document.tree;
    let all = tree["connectors"].as_object();
    for (name, table) in all.into_iter().flatten() {
        let Some((kit, connector, value)) = instance(name, table, base) else {
            continue;
        };
        let only_read = connectors::reads_only(connector);
        if only_read {
            routes_to(name, tree, mistakes);
        }
        let wrong = match (connector.build)(value, &kit) {
            // Without what is wrong of its settings it may say less.
            Ok(_) if only_read || mistakes.told(&["connectors", name]) => continue,
            Ok(tool) => {
                roundups_to(name, &tool.describe(), tree, mistakes);
                continue;
            }
            Err(wrong) => wrong,
        };
        for found in wrong {
            let keys = found.place.split('.').filter(|key| !key.is_empty());
            let path: Vec<&str> = ["connectors", name].into_iter().chain(keys).collect();
            if !mistakes.told(&path) {
                mistakes.add(&path, &found.code, found.text, found.mend);
            }
        }
    }
}

/// What is needed to make the instance `name`, its mistakes left out.
fn instance(
    name: &str,
    table: &Value,
    base: &Path,
) -> Option<(Kit, &'static raccord_kit::Connector, Value)> {
    let mut value = table.clone();
    let kind = value.as_object_mut()?.remove("kind")?;
    let connector = connectors::of_kind(kind.as_str()?)?;
    let shape = connector.settings;
    let value = without(&shape.schema(), &value, &shape.mistakes(&value));
    let kit = Kit {
        name: name.parse().ok()?,
        // The place itself may be what is wrong; no setting of a tool depends on it.
        place: Place {
            id: "place".parse().ok()?,
            name: String::new(),
            zone: "UTC".to_owned(),
            lang: Lang::Fr,
            public_url: String::new(),
        },
        colour: String::new(),
        base: base.to_owned(),
        clock: Arc::new(SystemClock::default()),
        allow_private: Arc::from([]),
        templates: Arc::default(),
        signups: Arc::from([]),
        has_hands: false,
        program: PathBuf::new(),
    };
    Some((kit, connector, value))
}

/// Notes every route to `name`, which is only read.
fn routes_to(name: &str, tree: &Value, mistakes: &mut Mistakes<'_>) {
    let routes = tree["routes"].as_array();
    for (index, route) in routes.into_iter().flatten().enumerate() {
        if route["to"] == *name {
            let (text, mend) = connectors::only_read(name);
            let index = index.to_string();
            mistakes.add(&["routes", &index, "to"], "route-to-source", text, mend);
        }
    }
}

/// Notes every route that brings `name` a round-up which it does not say.
fn roundups_to(name: &str, tool: &Manifest, tree: &Value, mistakes: &mut Mistakes<'_>) {
    let routes = tree["routes"].as_array();
    for (index, route) in routes.into_iter().flatten().enumerate() {
        let of = RoundupOf::ALL.into_iter();
        let of = of.filter(|of| route["to"] == *name && route["digest"] == of.as_str());
        for (text, mend) in of.filter_map(|of| connectors::unsaid(name, tool, of)) {
            let index = index.to_string();
            mistakes.add(
                &["routes", &index, "digest"],
                connectors::UNSAID,
                text,
                mend,
            );
        }
    }
}
