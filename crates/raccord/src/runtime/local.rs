//! The commands, at work on this machine's log. While a daemon holds the place, the ones that
//! write are handed to it.

use std::io;
use std::path::Path;
use std::sync::Arc;

use raccord_bus::LogError;
use raccord_engine::{Engine, Order};
use raccord_kit::Finding;
use raccord_model::{ConnectorName, DeliveryId, EntityId, HoldId, Words};

use super::clusters::Clusters;
use super::hands::{Hands, Ready, decide, hands, lift, only_decide, pass_here, rules_of, runtime};
use super::home::{Home, refused};
use super::load::{Shown, load_reader};
use super::pass::{Pass, PassOptions, dry_run};
use super::renderer::Rendering;
use super::socket::{self, Request};
use super::{
    bundle, compare, daemon, hands, ledger, moving, people, printed, queries, stopped, told,
    volunteering, wallets,
};
use crate::cli::{Host, Pass as PassArguments, Receipts, Session, Unmute, Wall, Work};
use crate::report::Problem;
use crate::shapes::{
    CodeShape, CompareShape, DeadListShape, Deed, DeedShape, HoldListShape, LedgerShape, LogLine,
    PersonShape, PlaceShape, PlaceState, PlanShape, ReadersShape, SyncShape, VolunteeringShape,
    WalletsShape, WhyShape,
};

/// This machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Local;

fn reader(session: &Session) -> Result<Option<Shown>, Problem> {
    load_reader(&home(session)?)
}

fn home(session: &Session) -> Result<Home, Problem> {
    Home::of(&session.settings, &Clusters::ours())
}

/// The engine as the log tells it; without a log, one that was only configured.
fn engine(session: &Session) -> Result<Engine, Problem> {
    if let Some(loaded) = reader(session)?
        && loaded.engine.state().rules.is_some()
    {
        return Ok(loaded.engine);
    }
    let ready = Ready::of(session, None)?;
    let mut engine = Engine::new();
    let rules = rules_of(session, &ready.tools, "");
    let configure = raccord_engine::Input::Configure(Box::new(rules));
    engine.step(
        vec![configure],
        ready.clock.now(),
        [0; 16],
        &Rendering(Arc::clone(&ready.tools)),
    );
    Ok(engine)
}

impl Host for Local {
    fn check(&self, session: &Session, well: &[ConnectorName]) -> Vec<Finding> {
        let loaded = match reader(session) {
            Err(problem) => return problem.findings,
            Ok(None) => return Vec::new(),
            Ok(Some(loaded)) => loaded,
        };
        // Whoever lifts a refusal below opens the log anew.
        let Shown { engine, muted, .. } = loaded;
        let state = engine.state();
        let mut findings = Vec::new();
        if let Some(why) = state.muted.clone().or(muted) {
            let mend = if why == rehearsal() {
                Words::new(
                    "Pour qu'il envoie un jour : « raccord unmute --moved ».",
                    "For it to send one day: `raccord unmute --moved`.",
                )
            } else {
                Words::new(
                    "Dites « raccord unmute --moved » ou « raccord unmute --copy ».",
                    "Say `raccord unmute --moved` or `raccord unmute --copy`.",
                )
            };
            findings.push(Finding {
                place: session.settings.data.display().to_string(),
                code: "mute".into(),
                level: raccord_kit::Level::Warning,
                text: why,
                mend,
            });
        }
        for (name, why) in stopped::stopped(state) {
            let place = session.settings.where_is(&["connectors", name.as_str()]);
            let answers = why == stopped::Why::Refused && well.contains(&name);
            findings.push(if answers && lift(session, &name).is_ok() {
                stopped::lifted(&name, place)
            } else {
                stopped::finding(&name, why, place)
            });
        }
        findings
    }

    fn plan(&self, session: &Session, out: Option<&Path>) -> Result<PlanShape, Problem> {
        let loaded = reader(session)?;
        let salt = match &loaded {
            Some(loaded) => super::load::known_salt(&*loaded.log),
            None => String::new(),
        };
        let engine = loaded.map(|loaded| loaded.engine).unwrap_or_default();
        let ready = Ready::of(session, engine.state().at)?;
        let rules = rules_of(session, &ready.tools, &salt);
        let pass = Pass {
            tools: &ready.tools,
            clock: &ready.clock,
            view: &session.view,
        };
        let shape = runtime()?.block_on(dry_run(&pass, engine, rules));
        if let Some(out) = out {
            let json =
                serde_json::to_vec_pretty(&shape).expect("a plan always serialises into memory");
            std::fs::write(out, json).map_err(|cause| Problem::file(out, &cause))?;
        }
        Ok(shape)
    }

    fn sync(&self, session: &Session, pass: &PassArguments) -> Result<SyncShape, Problem> {
        let plan = pass.plan.as_deref().map(read_plan).transpose()?;
        let wait = pass.wait.unwrap_or_default();
        match hands(session)? {
            Hands::Daemon(door) => {
                let request = Request::Sync {
                    plan: plan.map(Box::new),
                    wait_ms: wait.as_millis() as u64,
                };
                door.ask(request, session.view.lang)
            }
            Hands::Ours(loaded) => pass_here(
                session,
                *loaded,
                PassOptions {
                    wait,
                    plan,
                    ..PassOptions::default()
                },
            ),
        }
    }

    fn run(&self, work: &Work) -> Result<(), Problem> {
        runtime()?.block_on(daemon::run(work))
    }

    fn place(&self, session: &Session) -> PlaceShape {
        let settings = &session.settings;
        let mut place = PlaceShape {
            place: settings.place.id.clone(),
            name: settings.place.name.clone(),
            file: settings.file.clone(),
            state: PlaceState::New,
            node: None,
            holds: 0,
            dead: 0,
            text: None,
        };
        match reader(session) {
            Ok(None) => {}
            Ok(Some(loaded)) => {
                let state = loaded.engine.state();
                place.holds = state.holds.len();
                place.dead = told::dead(&loaded.engine, &session.view).len();
                // A log that was just restored has no word of it yet.
                place.text = state.muted.clone().or(loaded.muted);
                place.node = loaded.home.holder();
                let at_work = place.node.is_some() || socket::answers(&settings.data);
                place.state = match (&place.text, at_work) {
                    (Some(_), _) => PlaceState::Mute,
                    (None, true) => PlaceState::AtWork,
                    (None, false) => PlaceState::Stopped,
                };
            }
            Err(problem) => {
                place.state = PlaceState::Unreadable;
                place.text = problem.findings.first().map(|finding| finding.text.clone());
            }
        }
        place
    }

    fn log(
        &self,
        session: &Session,
        follow: bool,
        each: &mut dyn FnMut(&LogLine) -> io::Result<()>,
    ) -> Result<(), Problem> {
        let Some(mut loaded) = reader(session)? else {
            return Ok(());
        };
        let mut number = loaded.log.floor().number;
        let mut stopped = false;
        loop {
            let (log, engine) = (&*loaded.log, &loaded.engine);
            number = queries::events_json(
                log,
                engine,
                &session.settings.place.id,
                number,
                |_, _, _, envelope| {
                    if stopped {
                        return;
                    }
                    let line = serde_json::to_value(&envelope).unwrap_or_default();
                    stopped = each(&LogLine(line)).is_err();
                },
            )
            .map_err(|error| loaded.home.refused(&error))?;
            if stopped || !follow {
                return Ok(());
            }
            socket::wait_for_more();
            let slots = loaded.log.refresh().and_then(|_| loaded.log.slots());
            let slots = slots.map_err(|error| loaded.home.refused(&error))?;
            loaded.engine.remember(slots);
        }
    }

    fn why(&self, session: &Session, reference: &str) -> Result<WhyShape, Problem> {
        let loaded = reader(session)?.ok_or_else(|| Problem::unknown_reference(reference))?;
        queries::why(&*loaded.log, &loaded.engine, reference, &session.view)
    }

    fn holds(&self, session: &Session) -> Result<HoldListShape, Problem> {
        Ok(queries::holds(&engine(session)?, &session.view))
    }

    fn approve(
        &self,
        session: &Session,
        hold: HoldId,
        only: &[EntityId],
    ) -> Result<DeedShape, Problem> {
        let only = (!only.is_empty()).then(|| only.iter().copied().collect());
        let request = Request::Approve {
            hold,
            only: only.clone(),
        };
        decide(
            session,
            Order::Approve { hold, only },
            request,
            Deed::Approved,
            hold.to_string(),
        )
    }

    fn reject(&self, session: &Session, hold: HoldId) -> Result<DeedShape, Problem> {
        decide(
            session,
            Order::Reject(hold),
            Request::Reject { hold },
            Deed::Rejected,
            hold.to_string(),
        )
    }

    fn dead(&self, session: &Session) -> Result<DeadListShape, Problem> {
        Ok(queries::dead(&engine(session)?, &session.view))
    }

    fn retry(&self, session: &Session, delivery: DeliveryId) -> Result<DeedShape, Problem> {
        let request = Request::Retry { delivery };
        decide(
            session,
            Order::Retry(delivery),
            request,
            Deed::Retried,
            delivery.to_string(),
        )
    }

    fn switch_on(
        &self,
        session: &Session,
        connector: &ConnectorName,
    ) -> Result<DeedShape, Problem> {
        let request = Request::SwitchOn {
            connector: connector.clone(),
        };
        decide(
            session,
            Order::RetryAll(connector.clone()),
            request,
            Deed::SwitchedOn,
            connector.to_string(),
        )
    }

    fn give_up(&self, session: &Session, delivery: DeliveryId) -> Result<DeedShape, Problem> {
        let request = Request::Drop { delivery };
        decide(
            session,
            Order::Drop(delivery),
            request,
            Deed::Dropped,
            delivery.to_string(),
        )
    }

    fn printed(&self, session: &Session, wall: &Wall) -> Result<DeedShape, Problem> {
        let mut loaded = reader(session)?.ok_or_else(|| no_log(session))?;
        let printed = printed::find(session, &mut loaded, wall)?;
        drop(loaded);
        let request = Request::Printed {
            printed: Box::new(printed.clone()),
        };
        let name = printed::name(&printed, session.view.lang);
        decide(
            session,
            Order::Printed(Box::new(printed)),
            request,
            Deed::Printed,
            name,
        )
    }

    fn taken_down(&self, session: &Session, wall: &Wall) -> Result<DeedShape, Problem> {
        let (connector, title) = printed::hanging(engine(session)?.state(), wall)?;
        let request = Request::TakenDown {
            connector: connector.clone(),
            key: wall.month.clone(),
            title: title.clone(),
        };
        let order = Order::TakenDown {
            connector,
            key: wall.month.clone(),
        };
        decide(session, order, request, Deed::TakenDown, title)
    }

    fn ledger(&self, session: &Session, person: Option<&str>) -> Result<LedgerShape, Problem> {
        let loaded = reader(session)?;
        match &loaded {
            Some(loaded) => ledger::shape(&loaded.engine, &session.view, person),
            None => Ok(LedgerShape::default()),
        }
    }

    fn compare(&self, session: &Session) -> Result<CompareShape, Problem> {
        let Some(loaded) = reader(session)? else {
            return Ok(CompareShape::default());
        };
        let ready = Ready::of(session, None)?;
        let compared = compare::compare(&ready.tools, |name| compare::sent(&loaded.engine, name));
        Ok(compare::shape(
            runtime()?.block_on(compared),
            session.view.lang,
        ))
    }

    fn wallets(&self, session: &Session, person: &str) -> Result<WalletsShape, Problem> {
        let loaded = reader(session)?.ok_or_else(ledger::nobody)?;
        let person = ledger::whose(&loaded.engine, person)?;
        let ready = Ready::of(session, None)?;
        let asked = wallets::of(&ready.tools, person, |name| {
            compare::sent(&loaded.engine, name)
        });
        let all = runtime()?.block_on(asked);
        Ok(wallets::shape(all, session.view.lang))
    }

    fn receipts(&self, session: &Session, person: Option<&str>) -> Result<Receipts, Problem> {
        let loaded = reader(session)?.ok_or_else(ledger::no_key)?;
        let signer = super::load::known_signer(&*loaded.log).ok_or_else(ledger::no_key)?;
        ledger::receipts(&loaded.engine, &signer, &session.view, person)
    }

    fn volunteering(&self, session: &Session, year: i16) -> Result<VolunteeringShape, Problem> {
        let engine = engine(session)?;
        Ok(volunteering::of(&engine, year, &session.settings))
    }

    fn person(&self, session: &Session, email: &str) -> Result<PersonShape, Problem> {
        let loaded = reader(session)?;
        let known = loaded.map(|loaded| people::known(&loaded.engine, email));
        known
            .filter(|person| !person.known.is_empty())
            .ok_or_else(|| people::unknown(email))
    }

    fn readers(&self, session: &Session, letter: &ConnectorName) -> Result<ReadersShape, Problem> {
        let loaded = reader(session)?;
        let readers = loaded.map(|loaded| people::readers(&loaded.engine, letter));
        Ok(readers.unwrap_or_default())
    }

    fn code(&self, session: &Session, email: &str) -> Result<CodeShape, Problem> {
        hands::code(session, email)
    }

    fn forget(&self, session: &Session, email: &str) -> Result<PersonShape, Problem> {
        hands::forget(session, email)
    }

    fn backup(&self, session: &Session, file: &Path) -> Result<DeedShape, Problem> {
        let home = home(session)?;
        let log = home.read().map_err(|error| home.refused(&error))?;
        let log = log.ok_or_else(|| no_log(session))?;
        raccord_bus::backup(&*log, file).map_err(|error| at_file(file, &error))?;
        let bytes = std::fs::metadata(file).map(|metadata| metadata.len()).ok();
        let commits = Some(log.head().number);
        Ok(DeedShape {
            did: Deed::Saved,
            reference: file.display().to_string(),
            effects: Vec::new(),
            commits,
            bytes,
        })
    }

    fn restore(&self, session: &Session, file: &Path) -> Result<DeedShape, Problem> {
        let head = if session.settings.cluster.is_some() {
            moving::restore(session, file)?
        } else {
            let (data, place) = (&session.settings.data, &session.settings.place.id);
            let free = Home::folder(place, data).nobody_sleeps();
            let restored = free.and_then(|()| raccord_bus::restore(file, data, place, true));
            restored
                .map_err(|error| not_restored(file, data, &error))?
                .head
        };
        let commits = Some(head.number);
        Ok(DeedShape {
            did: Deed::Restored,
            reference: file.display().to_string(),
            effects: Vec::new(),
            commits,
            bytes: None,
        })
    }

    fn migrate(&self, session: &Session, to: &str) -> Result<DeedShape, Problem> {
        moving::migrate(session, to)
    }

    fn unmute(&self, session: &Session, what: Unmute) -> Result<DeedShape, Problem> {
        let mut loaded = match hands(session)? {
            Hands::Ours(loaded) => *loaded,
            Hands::Daemon(door) => {
                let request = Request::Unmute {
                    moved: what == Unmute::Moved,
                };
                return door.ask(request, session.view.lang);
            }
        };
        if what == Unmute::Moved && loaded.muted.is_none() && loaded.engine.state().muted.is_none()
        {
            return Ok(deed(Deed::NotMute));
        }
        let order = unmute_order(what);
        loaded
            .log
            .settle_past()
            .map_err(|error| loaded.home.refused(&error))?;
        loaded.muted = None;
        only_decide(session, loaded, order)?;
        Ok(unmuted(what))
    }

    fn support(&self, session: &Session) -> serde_json::Value {
        bundle::of(session)
    }

    fn rebuild(&self, session: &Session) -> Result<DeedShape, Problem> {
        let loaded = reader(session)?.ok_or_else(|| no_log(session))?;
        let (again, _) =
            super::load::fold_all(&*loaded.log).map_err(|error| error.at(&loaded.home))?;
        if again.snapshot() != loaded.engine.snapshot() {
            return Err(Problem::failed(
                loaded.home.address(),
                "rebuild-differs",
                Words::new(
                    "Le journal redonne un autre état que celui qui était enregistré.",
                    "The log folds to another state than the one that was recorded.",
                ),
                Words::new(
                    "C'est une faute de Raccord : gardez une sauvegarde et signalez-la.",
                    "This is a fault of Raccord: keep a backup and report it.",
                ),
            ));
        }
        let commits = Some(loaded.log.head().number);
        drop(loaded);
        if let Hands::Ours(mut ours) = hands(session)? {
            let body = ours.engine.snapshot();
            let number = ours.engine.state().commit;
            ours.log
                .put_snapshot(number, body)
                .map_err(|error| ours.home.refused(&error))?;
        }
        Ok(DeedShape {
            did: Deed::Rebuilt,
            reference: String::new(),
            effects: Vec::new(),
            commits,
            bytes: None,
        })
    }
}

/// Why a saved log was not put back: the file itself, or whoever holds the place.
pub(super) fn not_restored(file: &Path, data: &Path, error: &LogError) -> Problem {
    if let Err(cause) = std::fs::metadata(file) {
        return Problem::file(file, &cause);
    }
    match error {
        LogError::Locked { .. } => stop_it_first(&data.display().to_string(), error),
        LogError::NetworkFolder { .. }
        | LogError::SyncedFolder { .. }
        | LogError::ReadOnly { .. }
        | LogError::Full { .. } => at_file(data, error),
        _ => at_file(file, error),
    }
}

/// A daemon is at work on the log.
pub(super) fn stop_it_first(place: &str, error: &LogError) -> Problem {
    Problem::failed(
        place,
        error.code(),
        error.text(),
        Words::new(
            "Arrêtez-le d'abord (systemctl stop raccord, ou Ctrl-C là où il tourne), puis relancez cette commande.",
            "Stop it first (systemctl stop raccord, or Ctrl-C where it runs), then run this command again.",
        ),
    )
}

pub(crate) fn unmute_order(what: Unmute) -> Order {
    match what {
        Unmute::Moved => Order::Unmute { look_first: true },
        Unmute::Copy => Order::Mute(rehearsal()),
    }
}

/// Why a rehearsal sends nothing.
fn rehearsal() -> Words {
    Words::new(
        "Ce lieu est une répétition : il lit et montre un plan, mais n'envoie rien.",
        "This place is a rehearsal: it reads and shows a plan, but sends nothing.",
    )
}

pub(crate) fn unmuted(what: Unmute) -> DeedShape {
    let did = match what {
        Unmute::Moved => Deed::Unmuted,
        Unmute::Copy => Deed::Rehearsal,
    };
    deed(did)
}

/// A deed that names nothing.
pub(crate) fn deed(did: Deed) -> DeedShape {
    DeedShape {
        did,
        reference: String::new(),
        effects: Vec::new(),
        commits: None,
        bytes: None,
    }
}

fn no_log(session: &Session) -> Problem {
    let path = session.settings.data.clone();
    at_file(&path, &LogError::Missing { path: path.clone() })
}

/// What was refused about a file.
fn at_file(file: &Path, error: &LogError) -> Problem {
    refused(&file.display().to_string(), error)
}

/// The most bytes a plan file may have.
const MOST_PLAN: u64 = 64 << 20;

fn read_plan(path: &Path) -> Result<PlanShape, Problem> {
    let file = |cause: &io::Error| Problem::file(path, cause);
    let size = std::fs::metadata(path).map_err(|cause| file(&cause))?.len();
    if size > MOST_PLAN {
        return Err(file(&io::Error::other("too large")));
    }
    let text = std::fs::read(path).map_err(|cause| file(&cause))?;
    serde_json::from_slice(&text).map_err(|cause| {
        Problem::usage(
            path.display().to_string(),
            "plan-unreadable",
            Words::new(
                format!("Ce fichier n'est pas un plan ({cause})."),
                format!("This file is no plan ({cause})."),
            ),
            Words::new(
                "Faites-en un avec « raccord plan --out FICHIER ».",
                "Make one with `raccord plan --out FILE`.",
            ),
        )
    })
}
