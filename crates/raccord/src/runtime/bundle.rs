//! What the log tells in a support bundle: how it stands, how each connector is, and how much of
//! everything there is.

use std::path::Path;

use jiff::Timestamp;
use raccord_engine::{Engine, Health, SinkState, SourceState, State};
use serde_json::{Map, Value, json};

use super::clusters::Clusters;
use super::home::Home;
use super::load::{Shown, load_reader};
use super::{socket, told};
use crate::cli::Session;
use crate::support::{Aliases, codes, counted, failure};

/// The log's part of the bundle. What is damaged is told, and stops nothing.
pub(crate) fn of(session: &Session) -> Value {
    let settings = &session.settings;
    let (files, bytes) = size(&settings.data);
    let mut about = json!({
        "daemon": socket::answers(&settings.data),
        "files": files,
        "bytes": bytes,
    });
    let read = Home::of(settings, &Clusters::ours()).and_then(|home| load_reader(&home));
    match read {
        Err(problem) => about["cannot_be_read"] = codes(&problem.findings),
        Ok(None) => about["empty"] = json!(true),
        Ok(Some(loaded)) => {
            let mut aliases = Aliases::of(settings);
            about["log"] = log(&loaded);
            about["place"] = place(&loaded.engine);
            about["connectors"] = connectors(&loaded.engine, &mut aliases);
        }
    }
    about
}

/// How many files stand in the log's folder, and how long they are.
fn size(data: &Path) -> (usize, u64) {
    let entries = std::fs::read_dir(data).into_iter().flatten().flatten();
    let lengths = entries.filter_map(|entry| {
        let metadata = entry.metadata().ok()?;
        metadata.is_file().then_some(metadata.len())
    });
    lengths.fold((0, 0), |(files, bytes), length| (files + 1, bytes + length))
}

fn log(loaded: &Shown) -> Value {
    let snapshot = loaded.log.latest_snapshot().ok().flatten();
    json!({
        "entries": loaded.log.head().number,
        "from": loaded.log.floor().number,
        "snapshot": snapshot.map(|snapshot| snapshot.head.number),
        "bytes_after_snapshot": loaded.tail,
        "copied_or_restored": loaded.muted.is_some(),
    })
}

fn place(engine: &Engine) -> Value {
    let state = engine.state();
    json!({
        "last_entry": state.at,
        "entities": state.entities.len(),
        "activities": state.activities().count(),
        "holds": state.holds.len(),
        "mute": state.muted.is_some(),
    })
}

fn connectors(engine: &Engine, aliases: &mut Aliases) -> Value {
    let state = engine.state();
    let mut all = Map::new();
    for (name, source) in &state.sources {
        all.insert(aliases.get(name), of_source(source));
    }
    for (name, sink) in &state.sinks {
        let mut told = of_sink(sink);
        told["retried"] = json!(engine.retried(name));
        all.insert(aliases.get(name), told);
    }
    for (alias, held) in holds(state, aliases) {
        let told = all.entry(alias).or_insert_with(|| json!({}));
        told["holds"] = json!(held);
    }
    Value::Object(all)
}

/// How many questions about each wait for a person.
fn holds(state: &State, aliases: &mut Aliases) -> std::collections::BTreeMap<String, usize> {
    let mut held = std::collections::BTreeMap::new();
    for waiting in state.holds.values() {
        if let Some(about) = told::about(&waiting.hold) {
            *held.entry(aliases.get(about)).or_default() += 1;
        }
    }
    held
}

fn of_source(source: &SourceState) -> Value {
    let failing = source.failing.as_ref();
    json!({
        "read_at": source.read_at,
        "applied_at": source.applied_at,
        "tabs": source.tabs.len(),
        "lines": source.lines.len(),
        "missing": source.missing.len(),
        "silent": source.silent,
        "held": source.held.is_some(),
        "unread": counted(source.unread.iter().map(|cell| cell.code.as_str())),
        "failing": failing.map(|(_, why)| failure(why)),
        "failing_since": failing.map(|(since, _)| *since),
    })
}

fn of_sink(sink: &SinkState) -> Value {
    let health = match &sink.health {
        Health::Up => "up",
        Health::Down(_) => "down",
        Health::Refused(_) => "refused",
        Health::Off(_) => "off",
    };
    let dead = sink.dead.values();
    let newest: Option<Timestamp> = dead.clone().map(|aside| aside.since).max();
    let open = sink.lanes.values();
    let open = open.map(|lane| lane.queue.len() + lane.objects.len());
    json!({
        "health": health,
        "since": sink.since,
        "failing": sink.health.failure().map(failure),
        "objects": sink.targets.values().filter(|target| target.link.is_some()).count(),
        "open": open.sum::<usize>(),
        "done": sink.done,
        "done_at": sink.done_at,
        "dead": counted(dead.map(|aside| aside.failure.code.as_str())),
        "dead_newest": newest,
    })
}
