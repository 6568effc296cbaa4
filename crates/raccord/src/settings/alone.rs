//! Folders that only one tool of a kind can have: two that write the same files would undo each
//! other's work without end.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use raccord_model::{ConnectorName, Words};

use super::Instance;
use super::mistakes::Mistakes;

/// Notes every folder that an instance shares with an earlier one of its kind.
pub(super) fn check(
    all: &BTreeMap<ConnectorName, Instance>,
    base: &Path,
    mistakes: &mut Mistakes<'_>,
) {
    let mut known: BTreeMap<(&str, String, PathBuf), &ConnectorName> = BTreeMap::new();
    // The one that stands first in the file has the folder.
    let mut in_order: Vec<(&ConnectorName, &Instance)> = all.iter().collect();
    in_order.sort_by_key(|(_, instance)| instance.at);
    for (name, instance) in in_order {
        let schema = instance.connector.settings.schema().to_value();
        for (key, rules) in schema["properties"].as_object().into_iter().flatten() {
            let Some(path) = instance.value[key].as_str() else {
                continue;
            };
            if rules["x-alone"] != true {
                continue;
            }
            let folder = real(&base.join(path));
            let place = (instance.kind.as_str(), key.clone(), folder);
            let Some(other) = known.get(&place) else {
                known.insert(place, name);
                continue;
            };
            mistakes.add(
                &["connectors", name.as_str(), key],
                "folder-shared",
                Words::new(
                    format!("« {other} » écrit déjà dans ce dossier."),
                    format!("“{other}” writes to this folder already."),
                ),
                Words::new(
                    format!("Donnez à « {name} » un dossier à lui."),
                    format!("Give “{name}” a folder of its own."),
                ),
            );
        }
    }
}

/// The folder a path leads to: links followed as far as they are there, `.` and `..` taken out.
fn real(path: &Path) -> PathBuf {
    let mut out = std::env::current_dir().unwrap_or_default();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                out.pop();
            }
            Component::CurDir => {}
            other => out.push(other),
        }
        if let Ok(target) = out.canonicalize() {
            out = target;
        }
    }
    out
}
