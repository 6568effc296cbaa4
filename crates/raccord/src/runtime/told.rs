//! From what the engine knows to what people and programs are shown.

use raccord_engine::{
    Engine, Health, HeldEffect, Hold, HoldKind, Planned, Progress, Reply, State, field_name,
    value_name,
};
use raccord_model::{Action, Civil, ConnectorName, EntityKind, Event, Fields, Lang, Remark, Words};
use serde_json::Value;

use super::desk::Report;
use crate::locale::View;
use crate::report::Problem;
use crate::shapes::{
    DeadShape, EffectShape, HoldShape, LaterShape, MissingShape, UnreadShape, WarningShape,
};

/// An effect, as it will be or was made.
pub(crate) fn effect(planned: &Planned, now: jiff::Timestamp, view: &View) -> EffectShape {
    let start = planned
        .after
        .get("start")
        .or_else(|| planned.before.get("start"));
    EffectShape {
        connector: planned.connector.clone(),
        entity: planned.entity,
        action: planned.action,
        due: (planned.due > now).then_some(planned.due),
        title: planned.title.clone(),
        start: start.and_then(civil),
        before: lines(&planned.before, view),
        after: lines(&planned.after, view),
        text: planned
            .said
            .as_ref()
            .map(|text| text.get(view.lang).to_owned()),
        delivery: Some(planned.delivery),
        url: None,
        unchanged: false,
    }
}

/// Where an effect stands in a list: by connector, then as a programme is read.
pub(crate) fn order(
    planned: &Planned,
) -> (
    &ConnectorName,
    Option<Civil>,
    &str,
    raccord_model::DeliveryId,
) {
    let start = planned
        .after
        .get("start")
        .or_else(|| planned.before.get("start"))
        .and_then(civil);
    (&planned.connector, start, &planned.title, planned.delivery)
}

fn civil(value: &Value) -> Option<Civil> {
    value.as_str()?.parse().ok()
}

/// Fields as lines people read: `début : 15/01/2027 20:30`.
fn lines(fields: &Fields, view: &View) -> Option<String> {
    if fields.is_empty() {
        return None;
    }
    let lines: Vec<String> = fields
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "zone" | "since" | "about"))
        .map(|(name, value)| {
            let value = match (value_name(name, value), value) {
                (Some(words), _) => words.get(view.lang).to_owned(),
                (None, Value::String(text)) => {
                    civil(value).map_or_else(|| text.clone(), |at| view.civil(at))
                }
                (None, other) => other.to_string(),
            };
            let (name, colon) = (field_name(name), view.say(" :", ":"));
            format!("{}{colon} {value}", name.get(view.lang))
        })
        .collect();
    Some(lines.join("\n"))
}

/// Open holds, oldest first.
pub(crate) fn holds(engine: &Engine, view: &View) -> Vec<HoldShape> {
    let state = engine.state();
    let mut holds: Vec<&Hold> = state.holds.values().map(|waiting| &waiting.hold).collect();
    holds.sort_by_key(|hold| (hold.opened, hold.id));
    holds
        .into_iter()
        .map(|hold| HoldShape {
            noticed_in: raccord_engine::noticed_in(state, hold)
                .into_iter()
                .collect(),
            ..named(engine, hold, hold_shape(hold, state, view))
        })
        .collect()
}

/// The same, where it is about readers of a letter with the address of each.
fn named(engine: &Engine, hold: &Hold, mut shape: HoldShape) -> HoldShape {
    if matches!(hold.what, HoldKind::Letters { .. }) {
        for effect in &mut shape.effects {
            let reader = engine.entity(effect.entity);
            let address = reader.as_ref().map_or("", |reader| reader.text("email"));
            effect.title = format!("{} → {address}", effect.title);
        }
    }
    shape
}

/// The connector a hold is about; one about the rules, or about who signed up, is about none.
pub(crate) fn about(hold: &Hold) -> Option<&ConnectorName> {
    match &hold.what {
        HoldKind::Reading { source, .. } | HoldKind::Question { source, .. } => Some(source),
        HoldKind::Delivery { of } | HoldKind::Blocked { of } | HoldKind::Reversal { of, .. } => {
            Some(&of.connector)
        }
        HoldKind::Letters { of } => of.first().map(|(of, _)| &of.connector),
        HoldKind::Field { connector, .. } | HoldKind::Lost { connector, .. } => Some(connector),
        HoldKind::Rules { .. }
        | HoldKind::Task { .. }
        | HoldKind::Seats { .. }
        | HoldKind::Credit { .. } => None,
    }
}

fn hold_shape(hold: &Hold, state: &State, view: &View) -> HoldShape {
    let code = match &hold.what {
        HoldKind::Reading { .. } => "accident-guard",
        HoldKind::Question { .. } => "same-activity",
        HoldKind::Delivery { .. } => "unknown-outcome",
        HoldKind::Blocked { .. } => "tool-cannot",
        HoldKind::Letters { .. } => "letters-in-doubt",
        HoldKind::Field { .. } => "edited-in-tool",
        HoldKind::Rules { .. } => "rules-changed",
        HoldKind::Task { .. } => "task-unwanted",
        HoldKind::Seats { .. } => "too-few-places",
        HoldKind::Reversal { .. } => "credit-by-hand",
        HoldKind::Lost { .. } => "credit-lost",
        HoldKind::Credit { .. } => "credit-guard",
    };
    let source = match &hold.what {
        HoldKind::Task { .. } | HoldKind::Seats { .. } | HoldKind::Credit { .. } => {
            "raccord".to_owned()
        }
        _ => about(hold).map_or_else(|| "raccord.toml".to_owned(), ToString::to_string),
    };
    // Tasks that a changed recipe takes back stand in no tool of their own.
    let about = match &hold.what {
        HoldKind::Rules { .. } => "recipes".parse(),
        _ => source.parse(),
    };
    let about: Option<ConnectorName> = about.ok();
    let mut effects: Vec<EffectShape> = hold
        .effects
        .iter()
        .filter_map(|effect| {
            let connector = effect.connector.clone().or_else(|| about.clone())?;
            Some(held_effect(effect, connector, state, view))
        })
        .collect();
    effects.sort_by_key(|effect| effect.start);
    HoldShape {
        id: hold.id,
        source,
        code: code.to_owned(),
        reason: hold.reason.get(view.lang).to_owned(),
        opened: hold.opened,
        effects,
        noticed_in: Vec::new(),
    }
}

fn held_effect(
    effect: &HeldEffect,
    about: ConnectorName,
    state: &State,
    view: &View,
) -> EffectShape {
    // What is cancelled changes no hour: the day tells one meeting of a series from another.
    let known = state.entity(effect.entity);
    let action = match effect.action.as_str() {
        "create" => Action::Create,
        "cancel" => Action::Cancel,
        "remove" => Action::Remove,
        "send" => Action::Send,
        _ => Action::Update,
    };
    EffectShape {
        connector: about,
        entity: effect.entity,
        action,
        due: None,
        title: effect.title.clone(),
        start: effect
            .after
            .get("start")
            .or_else(|| effect.before.get("start"))
            .or_else(|| known.as_ref()?.fields.get("start"))
            .and_then(civil),
        before: lines(&effect.before, view),
        after: lines(&effect.after, view),
        text: None,
        delivery: None,
        url: None,
        unchanged: false,
    }
}

/// Deliveries that were set aside.
pub(crate) fn dead(engine: &Engine, view: &View) -> Vec<DeadShape> {
    let mut list = Vec::new();
    for (connector, sink) in &engine.state().sinks {
        for (&id, aside) in &sink.dead {
            let title = engine
                .state()
                .entity(aside.entity)
                .map(|entity| entity.text("title").to_owned());
            list.push(DeadShape {
                id,
                connector: connector.clone(),
                entity: aside.entity,
                title: title.unwrap_or_default(),
                failure: aside.failure.blame,
                code: aside.failure.code.clone(),
                since: aside.since,
                text: aside.failure.text.get(view.lang).to_owned(),
                next: aside.failure.mend.get(view.lang).to_owned(),
            });
        }
    }
    list.sort_by_key(|dead| (dead.since, dead.id));
    list
}

/// Lines that are gone and not yet cancelled.
pub(crate) fn missing(state: &State) -> Vec<MissingShape> {
    let look = jiff::SignedDuration::from_secs(state.rules().guards.second_look_s);
    let mut list = Vec::new();
    for (name, source) in &state.sources {
        let shared = state.rules().is_shared(name);
        for (&entity, &since) in &source.missing {
            let line = source.lines.get(&entity);
            let tab = line.and_then(|line| source.tabs.get(usize::from(line.tab)));
            list.push(MissingShape {
                entity,
                title: state
                    .entity(entity)
                    .map(|entity| entity.text("title").to_owned())
                    .unwrap_or_default(),
                source: name.to_string(),
                // Only a sheet has tabs and numbered lines.
                sheet: tab
                    .filter(|_| !shared)
                    .map(|tab| tab.name.clone())
                    .unwrap_or_default(),
                row: line.filter(|_| !shared).map_or(0, |line| line.row),
                since,
                until: since.saturating_add(look).unwrap_or(since),
            });
        }
    }
    list
}

/// Cells and sources that cannot be read.
pub(crate) fn unread(state: &State, view: &View) -> Vec<UnreadShape> {
    let mut list = Vec::new();
    for (name, source) in &state.sources {
        let rule = state.rules().sources.get(name);
        // What another place gets wrong is not for a person here to mend.
        if rule.is_none_or(|rule| rule.foreign) {
            continue;
        }
        if let Some((_, failure)) = &source.failing {
            list.push(UnreadShape {
                source: name.to_string(),
                sheet: String::new(),
                row: 0,
                column: String::new(),
                code: failure.code.clone(),
                found: failure.text.get(view.lang).to_owned(),
                write: failure.mend.get(view.lang).to_owned(),
            });
        }
        let shared = state.rules().is_shared(name);
        for unread in &source.unread {
            // Only a sheet has tabs and numbered lines.
            let (sheet, row, found) = if shared {
                let found = match view.lang {
                    Lang::Fr => format!("« {} » ({})", unread.found, unread.sheet),
                    Lang::En => format!("“{}” ({})", unread.found, unread.sheet),
                };
                (String::new(), 0, found)
            } else {
                (unread.sheet.clone(), unread.row, unread.found.clone())
            };
            list.push(UnreadShape {
                source: name.to_string(),
                sheet,
                row,
                column: unread.column.clone(),
                code: unread.code.clone(),
                found,
                write: unread.write.get(view.lang).to_owned(),
            });
        }
    }
    list
}

/// What other places share and cannot be read: what is known of it stays, and nobody need act.
pub(crate) fn neighbours(state: &State, view: &View) -> Vec<WarningShape> {
    let mut list = Vec::new();
    for (name, source) in &state.sources {
        let rule = state.rules().sources.get(name);
        if !rule.is_some_and(|rule| rule.foreign) {
            continue;
        }
        let mut tell = |sheet: &str, code: &str, text: String| {
            list.push(WarningShape {
                source: name.to_string(),
                sheet: sheet.to_owned(),
                row: 0,
                code: code.to_owned(),
                text,
            });
        };
        if let Some((_, failure)) = &source.failing {
            let (text, mend) = (failure.text.get(view.lang), failure.mend.get(view.lang));
            tell("", &failure.code, format!("{text} {mend}"));
        }
        if let Some(unread) = source.unread.first() {
            let text = unread.write.get(view.lang);
            tell(&unread.sheet, &unread.code, text.to_owned());
        }
    }
    list
}

/// A tool that is gone, or is back, is worth one line in the program's log; what it is asked in
/// between is not.
pub(crate) fn outage(notice: &Event) {
    let field = |name: &str| notice.data.get(name).and_then(Value::as_str);
    let (Some(code), Some(about)) = (field("code"), field("about")) else {
        return;
    };
    let moved = notice.changed.iter().any(|changed| changed == "/state");
    let text = match code {
        "outage" => "the tool does not answer",
        "access" => "the tool refuses us",
        "gone" => "the tool said that it is gone",
        "silent" => "the source has not been read for too long",
        _ => return,
    };
    if !moved {
        return;
    }
    if field("state") == Some("open") {
        tracing::warn!(connector = about, code, "{text}");
    } else {
        tracing::info!(connector = about, code, "that is over");
    }
}

/// Remarks of readings.
pub(crate) fn warnings(remarks: &[(ConnectorName, Remark)], view: &View) -> Vec<WarningShape> {
    remarks
        .iter()
        .map(|(source, remark)| WarningShape {
            source: source.to_string(),
            sheet: remark.sheet.clone(),
            row: remark.row,
            code: remark.code.clone(),
            text: remark.text.get(view.lang).to_owned(),
        })
        .collect()
}

/// Printed programmes that hang on a wall and are not true any more.
pub(crate) fn walls(state: &State, view: &View) -> Vec<WarningShape> {
    raccord_engine::outdated(state)
        .into_iter()
        .map(|(connector, told)| WarningShape {
            source: connector.to_string(),
            sheet: String::new(),
            row: 0,
            code: raccord_engine::OUTDATED.to_owned(),
            text: format!("{} {}", told.text.get(view.lang), told.mend.get(view.lang)),
        })
        .collect()
}

/// Sources that are no longer configured, and what is left of them.
pub(crate) fn orphans(state: &State, view: &View) -> Vec<WarningShape> {
    let now = view.zone.to_datetime(view.now);
    raccord_engine::orphans(state, now)
        .into_iter()
        .map(|orphans| WarningShape {
            source: orphans.source.to_string(),
            sheet: String::new(),
            row: 0,
            code: "source-gone".to_owned(),
            text: format!(
                "{} {}",
                orphans.text.get(view.lang),
                orphans.mend.get(view.lang)
            ),
        })
        .collect()
}

/// What is owed and was not made, with what it waits for.
pub(crate) fn later(
    state: &State,
    open: &[Planned],
    now: jiff::Timestamp,
    view: &View,
) -> Vec<LaterShape> {
    open.iter()
        .map(|planned| {
            let why = waits_for(state, planned, now);
            LaterShape {
                delivery: planned.delivery,
                due: (planned.due > now).then_some(planned.due),
                why: why.get(view.lang).to_owned(),
                connector: planned.connector.clone(),
                title: planned.title.clone(),
            }
        })
        .collect()
}

fn waits_for(state: &State, planned: &Planned, now: jiff::Timestamp) -> Words {
    if let Some(why) = &state.muted {
        return why.clone();
    }
    if let Progress::Held { .. } = planned.progress {
        return Words::new(
            "une personne doit dire si c'est fait (« raccord holds »)",
            "a person must say whether it is done (`raccord holds`)",
        );
    }
    if let Progress::Unknown { .. } | Progress::Running { .. } = planned.progress {
        return Words::new(
            "la réponse de l'outil s'est perdue : Raccord regarde d'abord si c'est arrivé",
            "the tool's answer was lost: Raccord looks first whether it arrived",
        );
    }
    match state.sinks.get(&planned.connector).map(|sink| &sink.health) {
        Some(Health::Down(failure) | Health::Refused(failure) | Health::Off(failure)) => {
            failure.text.clone()
        }
        _ if planned.due > now => Words::new("l'heure n'est pas venue", "its hour has not come"),
        _ => Words::new("il attend son tour", "it waits for its turn"),
    }
}

/// The effects of a pass that were made, and those that were not.
pub(crate) fn made(report: &Report) -> Vec<&Planned> {
    report
        .done
        .iter()
        .filter_map(|delivery| report.tried.get(delivery))
        .filter(|planned| planned.kind != EntityKind::Notice)
        .collect()
}

/// What a person asked for was refused.
pub(crate) fn refused(reply: &Reply) -> Result<(), Problem> {
    match reply {
        Reply::Taken | Reply::SignedUp { .. } | Reply::Known(_) | Reply::Code { .. } => Ok(()),
        Reply::Cannot(text) => Err(Problem::failed(
            "",
            "reference-unknown",
            Words::new(sentence(&text.fr), sentence(&text.en)),
            Words::new(
                "« raccord holds » et « raccord dead » montrent ce qui attend.",
                "`raccord holds` and `raccord dead` show what waits.",
            ),
        )),
        Reply::Refused(refusals) => {
            let joined = |lang| {
                let told = refusals.iter().map(|refusal| refusal.detail.get(lang));
                told.collect::<Vec<_>>().join("; ")
            };
            Err(Problem::failed(
                "",
                "refused",
                Words::new(joined(Lang::Fr), joined(Lang::En)),
                Words::default(),
            ))
        }
    }
}

/// With a capital at its head and a full stop at its end.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let mut sentence: String = letters
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .collect();
    sentence.push_str(letters.as_str());
    if !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}
