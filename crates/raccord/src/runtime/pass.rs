//! One pass: observe every source, decide, deliver what is due. And its rehearsal, the plan.

use std::sync::Arc;
use std::time::Duration;

use raccord_engine::{Engine, Input, Order, Planned, Reply};
use raccord_kit::Clock;
use raccord_model::{EntityKind, Rules};

use super::desk::{Broken, Desk};
use super::observe::{Known, Observed, observe_all};
use super::renderer::Rendering;
use super::{stopped, told};
use crate::connectors::Tools;
use crate::locale::View;
use crate::report::Problem;
use crate::shapes::{EffectShape, PlanShape, SyncShape, WarningShape};

/// What every pass needs.
pub(crate) struct Pass<'a> {
    /// The tools.
    pub(crate) tools: &'a Arc<Tools>,
    /// The clock.
    pub(crate) clock: &'a Arc<dyn Clock>,
    /// How the answer is read.
    pub(crate) view: &'a View,
}

/// How a pass is made.
#[derive(Default)]
pub(crate) struct PassOptions {
    /// Decisions of people, taken before the sources are read.
    pub(crate) orders: Vec<Order>,
    /// How long to wait for what is due later.
    pub(crate) wait: Duration,
    /// The plan that must come out, or nothing is done.
    pub(crate) plan: Option<PlanShape>,
    /// The writer began the pass when it started.
    pub(crate) begun: bool,
    /// The readings, where they were made already.
    pub(crate) observed: Option<Observed>,
}

/// What every tool would receive now. Changes nothing.
///
/// # Errors
/// None of its own: a source that cannot be read is part of the answer.
pub(crate) async fn dry_run(pass: &Pass<'_>, engine: Engine, rules: Rules) -> PlanShape {
    let observed = observe_all(pass.tools, Known::of(engine.state())).await;
    rehearse(pass, engine, rules, observed)
}

/// Reads the sources and compares what would happen with `expected`, before anything is decided.
///
/// # Errors
/// When the plan is not what would come out now.
pub(crate) async fn agreed(
    pass: &Pass<'_>,
    engine: Engine,
    rules: Rules,
    expected: &PlanShape,
) -> Result<Observed, Problem> {
    let observed = observe_all(pass.tools, Known::of(engine.state())).await;
    stale(expected, &rehearse(pass, engine, rules, observed.clone()))?;
    Ok(observed)
}

/// The same code path as the real thing, on a copy of the state.
fn rehearse(pass: &Pass<'_>, mut engine: Engine, rules: Rules, observed: Observed) -> PlanShape {
    let rendering = Rendering(Arc::clone(pass.tools));
    let now = pass.clock.now();
    let mut inputs = vec![Input::Configure(Box::new(rules))];
    inputs.extend(observed);
    inputs.push(Input::Tick);
    let step = engine.step(inputs, now, [0; 16], &rendering);
    let planned = engine.planned(&step.events, now, &rendering);
    PlanShape {
        effects: ordered(&planned)
            .into_iter()
            .map(|planned| told::effect(planned, now, pass.view))
            .collect(),
        holds: told::holds(&engine, pass.view),
        missing: told::missing(engine.state()),
        unread: told::unread(engine.state(), pass.view),
        dead: told::dead(&engine, pass.view),
        warnings: noteworthy(engine.state(), &step.remarks, pass.view),
    }
}

/// That the place is mute, which connectors stopped, then what the readings had to remark.
fn noteworthy(
    state: &raccord_engine::State,
    remarks: &[(raccord_model::ConnectorName, raccord_model::Remark)],
    view: &View,
) -> Vec<WarningShape> {
    let mute = state.muted.as_ref().map(|why| WarningShape {
        source: state.rules().place.id.to_string(),
        sheet: String::new(),
        row: 0,
        code: "mute".to_owned(),
        text: why.get(view.lang).to_owned(),
    });
    let mut list: Vec<WarningShape> = mute.into_iter().collect();
    list.extend(stopped::warnings(state, view.lang));
    list.extend(told::neighbours(state, view));
    list.extend(told::walls(state, view));
    list.extend(told::orphans(state, view));
    list.extend(told::warnings(remarks, view));
    list
}

/// In the order they would be made, notices left out.
fn ordered(planned: &[Planned]) -> Vec<&Planned> {
    let mut list: Vec<&Planned> = planned
        .iter()
        .filter(|planned| planned.kind != EntityKind::Notice)
        .collect();
    list.sort_by(|a, b| told::order(a).cmp(&told::order(b)));
    list
}

/// Makes one pass with a writer that runs.
///
/// # Errors
/// When the log cannot be written, an order cannot be followed, or the plan is not what comes out.
pub(crate) async fn one_pass(
    pass: &Pass<'_>,
    desk: &Desk,
    options: PassOptions,
) -> Result<SyncShape, Problem> {
    if !options.begun {
        desk.begin_pass().await;
    }
    let made = begun_pass(pass, desk, options).await;
    if made.is_err() {
        // A pass that stopped half-way gathers nothing more; why it stopped is what is told.
        drop(desk.end_pass().await);
    }
    made
}

async fn begun_pass(
    pass: &Pass<'_>,
    desk: &Desk,
    options: PassOptions,
) -> Result<SyncShape, Problem> {
    let broken = |Broken(problem)| problem;
    for order in options.orders {
        let reply = desk.input(Input::Order(order)).await.map_err(broken)?;
        told::refused(&reply)?;
    }
    let observed = match (options.observed, options.plan) {
        (Some(observed), _) => observed,
        (None, Some(expected)) => {
            let engine = desk.ask(|engine, _| engine.clone()).await.map_err(broken)?;
            let rules = (**engine.state().rules()).clone();
            agreed(pass, engine, rules, &expected).await?
        }
        (None, None) => {
            let known = desk.ask(|engine, _| Known::of(engine.state()));
            observe_all(pass.tools, known.await.map_err(broken)?).await
        }
    };
    let read = observed
        .iter()
        .filter(|input| matches!(input, Input::Observed { seen: Ok(_), .. }))
        .count() as u64;
    for input in observed {
        let reply = desk.input(input).await.map_err(broken)?;
        debug_assert_eq!(reply, Reply::Taken);
    }
    desk.release().await.map_err(broken)?;
    settle(pass, desk, options.wait).await.map_err(broken)?;
    let report = desk.end_pass().await.map_err(broken)?;
    let (tools, view, now) = (Arc::clone(pass.tools), pass.view.clone(), pass.clock.now());
    desk.ask(move |engine, _| {
        let open = engine.planned(&report.told, now, &Rendering(tools));
        let open: Vec<Planned> = open
            .into_iter()
            .filter(|planned| planned.kind != EntityKind::Notice)
            .collect();
        let mut made = told::made(&report);
        made.sort_by(|a, b| told::order(a).cmp(&told::order(b)));
        SyncShape {
            observed: read,
            events: report.events,
            done: made.len() as u64,
            effects: made
                .into_iter()
                .map(|planned| EffectShape {
                    unchanged: report.unchanged.contains(&planned.delivery),
                    ..told::effect(planned, now, &view)
                })
                .collect(),
            later: told::later(engine.state(), &open, now, &view),
            missing: told::missing(engine.state()),
            holds: told::holds(engine, &view),
            dead: told::dead(engine, &view),
            unread: told::unread(engine.state(), &view),
            warnings: noteworthy(engine.state(), &report.remarks, &view),
        }
    })
    .await
    .map_err(broken)
}

/// Waits until nothing can be made now; with `wait`, also for what is due within it.
async fn settle(pass: &Pass<'_>, desk: &Desk, wait: Duration) -> Result<(), Broken> {
    desk.when_quiet().await?;
    let wait = jiff::SignedDuration::try_from(wait).unwrap_or_default();
    let until = pass
        .clock
        .now()
        .saturating_add(wait)
        .unwrap_or(jiff::Timestamp::MAX);
    loop {
        let (open, next) = desk
            .ask(|engine, _| (engine.open_deliveries(), engine.next_attempt()))
            .await?;
        let Some(next) = next.filter(|next| open > 0 && *next <= until) else {
            return Ok(());
        };
        let left = Duration::try_from(next.duration_since(pass.clock.now())).unwrap_or_default();
        tokio::time::sleep(left).await;
        desk.when_quiet().await?;
    }
}

/// The plan that was agreed on is not what would happen now.
fn stale(expected: &PlanShape, now: &PlanShape) -> Result<(), Problem> {
    let key = |effect: &crate::shapes::EffectShape| {
        // What is composed of many things has no fields of its own: what it says is all there is.
        let composed = effect.before.is_none() && effect.after.is_none();
        (
            effect.connector.clone(),
            effect.entity,
            effect.action,
            effect.before.clone(),
            effect.after.clone(),
            effect.text.clone().filter(|_| composed),
        )
    };
    let (mut agreed, mut present): (Vec<_>, Vec<_>) = (
        expected.effects.iter().map(key).collect(),
        now.effects.iter().map(key).collect(),
    );
    agreed.sort();
    present.sort();
    if agreed == present {
        return Ok(());
    }
    let title = |key: &(
        raccord_model::ConnectorName,
        raccord_model::EntityId,
        raccord_model::Action,
        Option<String>,
        Option<String>,
        Option<String>,
    )| {
        let of = |plan: &PlanShape| {
            plan.effects
                .iter()
                .find(|effect| effect.entity == key.1)
                .map(|effect| effect.title.clone())
        };
        let title = of(now).or_else(|| of(expected)).unwrap_or_default();
        format!("« {title} » ({})", key.0)
    };
    let mut moved: Vec<String> = present
        .iter()
        .filter(|key| !agreed.contains(key))
        .chain(agreed.iter().filter(|key| !present.contains(key)))
        .map(title)
        .collect();
    moved.sort();
    moved.dedup();
    moved.truncate(20);
    let list = moved.join(", ");
    Err(Problem::failed(
        "--plan",
        "plan-stale",
        raccord_model::Words::new(
            format!(
                "Le plan ne correspond plus à ce qui se passerait maintenant. Ce qui a bougé : {list}. Rien n'a été fait."
            ),
            format!(
                "The plan is no longer what would happen now. What moved: {list}. Nothing was done."
            ),
        ),
        raccord_model::Words::new(
            "Refaites un plan et relisez-le.",
            "Make a new plan and read it again.",
        ),
    ))
}
