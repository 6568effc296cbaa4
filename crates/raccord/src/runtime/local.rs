//! The commands, at work on this machine's log. While a daemon holds the place, the ones that
//! write are handed to it.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use raccord_bus::{LogError, LogRead as _, SqliteLog, SqliteReader};
use raccord_engine::{Engine, Order};
use raccord_kit::{Clock, Finding};
use raccord_model::{ConnectorName, DeliveryId, EntityId, HoldId, Rules, Words};
use tokio_util::sync::CancellationToken;

use super::clockwork::Steady;
use super::effects::Effects;
use super::load::{Loaded, load_reader, open_writer, refused};
use super::pass::{Pass, PassOptions, dry_run, one_pass};
use super::renderer::Rendering;
use super::socket::{self, Request};
use super::writer::{Desk, Writer, WriterOptions};
use super::{daemon, queries, stopped};
use crate::cli::{Host, Pass as PassArguments, Session, Unmute};
use crate::connectors::Tools;
use crate::report::Problem;
use crate::settings;
use crate::shapes::{
    DeadListShape, Deed, DeedShape, HoldListShape, LedgerShape, LogLine, PlanShape, SyncShape,
    WhyShape,
};

/// How far behind its log a machine's clock may be before nothing is done at all.
const SKEW: jiff::SignedDuration = jiff::SignedDuration::from_secs(120);

/// What the log says while another process writes it.
const LOCKED: &str = "log.locked";

/// This machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Local;

/// What a place needs to work, made from its settings.
pub(crate) struct Ready {
    pub(crate) tools: Arc<Tools>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Ready {
    /// Tools and clock of `session`; the clock never shows an hour before `last`.
    pub(crate) fn of(session: &Session, last: Option<jiff::Timestamp>) -> Result<Self, Problem> {
        let tools = Arc::new(session.tools()?);
        let machine: Arc<dyn Clock> = session.time.clock.clone();
        let now = machine.now();
        if let (Some(last), None) = (last, session.time.set_to)
            && now < last
            && last.duration_since(now) > SKEW
        {
            return Err(behind(now, last));
        }
        Ok(Self {
            tools,
            clock: Arc::new(Steady::from(machine, last)),
        })
    }
}

fn behind(now: jiff::Timestamp, last: jiff::Timestamp) -> Problem {
    Problem::failed(
        "",
        "clock-behind",
        Words::new(
            format!(
                "L'horloge de la machine ({now}) est en retard sur le journal ({last}). Rien n'est envoyé, rien n'est changé."
            ),
            format!(
                "The machine's clock ({now}) is behind the log ({last}). Nothing is sent, nothing is changed."
            ),
        ),
        Words::new(
            "Mettez la machine à l'heure (timedatectl), puis relancez. Si le journal a été écrit avec RACCORD_NOW, donnez-le de nouveau.",
            "Set the machine's clock (timedatectl) and start again. If the log was written with RACCORD_NOW, give it again.",
        ),
    )
}

/// The rules of the place, given the salt of credentials' digests.
pub(crate) fn rules_of(session: &Session, tools: &Tools, salt: &str) -> Rules {
    settings::rules(&session.settings, tools, salt.as_bytes())
}

/// Starts the writer of `session`'s place.
pub(crate) fn start(
    session: &Session,
    loaded: Loaded<SqliteLog>,
    ready: &Ready,
    stop: CancellationToken,
    publish: Option<super::writer::Publish>,
) -> Result<(Writer, Desk), Problem> {
    let settings = session.settings.clone();
    let tools = Arc::clone(&ready.tools);
    let rules = move |salt: &str| settings::rules(&settings, &tools, salt.as_bytes());
    let options = WriterOptions {
        data: session.settings.data.clone(),
        place: session.settings.place.clone(),
        rules: Box::new(rules),
        rendering: Rendering(Arc::clone(&ready.tools)),
        clock: Arc::clone(&ready.clock),
        publish,
    };
    let place = session.settings.place.id.clone();
    let effects = Effects::new(
        Arc::clone(&ready.tools),
        Arc::clone(&ready.clock),
        place,
        stop,
    );
    Writer::start(loaded, options, effects)
}

/// The runtime everything asynchronous runs on.
fn runtime() -> Result<tokio::runtime::Runtime, Problem> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|cause| Problem::file(Path::new("tokio"), &cause))
}

/// Who answers a command that writes.
enum Hands {
    /// This process.
    Ours(Box<Loaded<SqliteLog>>),
    /// The daemon that holds the place.
    Daemon,
}

fn hands(session: &Session) -> Result<Hands, Problem> {
    let (data, place) = (&session.settings.data, &session.settings.place.id);
    match open_writer(data, place) {
        Ok(loaded) => Ok(Hands::Ours(Box::new(loaded))),
        Err(problem)
            if problem
                .findings
                .iter()
                .any(|finding| finding.code == LOCKED)
                && socket::answers(data) =>
        {
            Ok(Hands::Daemon)
        }
        Err(problem) => Err(problem),
    }
}

fn pass_here(
    session: &Session,
    loaded: Loaded<SqliteLog>,
    options: PassOptions,
) -> Result<SyncShape, Problem> {
    let ready = Ready::of(session, loaded.engine.state().at)?;
    let runtime = runtime()?;
    let bar = session.progress(&Words::new("Un passage", "One pass"), None);
    bar.enable_steady_tick(Duration::from_millis(120));
    let shape = runtime.block_on(async {
        let stop = CancellationToken::new();
        let (writer, desk) = start(session, loaded, &ready, stop, None)?;
        let pass = Pass {
            tools: &ready.tools,
            clock: &ready.clock,
            view: &session.view,
        };
        let shape = one_pass(&pass, &desk, options).await;
        drop(desk);
        tokio::task::spawn_blocking(move || writer.join())
            .await
            .map_err(|_| writer_lost())?;
        shape
    });
    bar.finish_and_clear();
    shape
}

fn writer_lost() -> Problem {
    Problem::failed(
        "",
        "writer-lost",
        Words::new(
            "L'écriture du journal s'est arrêtée sans prévenir.",
            "Writing the log stopped without a word.",
        ),
        Words::new(
            "Relancez la commande ; rien n'est perdu.",
            "Run the command again; nothing is lost.",
        ),
    )
}

/// A decision of a person, followed by a pass so that it shows at once.
fn decide(
    session: &Session,
    order: Order,
    request: &Request,
    did: Deed,
    reference: String,
) -> Result<DeedShape, Problem> {
    let shape = match hands(session)? {
        Hands::Daemon => return socket::ask(&session.settings.data, request, session.view.lang),
        Hands::Ours(loaded) => pass_here(
            session,
            *loaded,
            PassOptions {
                orders: vec![order],
                ..PassOptions::default()
            },
        )?,
    };
    Ok(DeedShape {
        did,
        reference,
        effects: shape.effects,
        commits: None,
        bytes: None,
    })
}

fn reader(session: &Session) -> Result<Option<Loaded<SqliteReader>>, Problem> {
    load_reader(&session.settings.data, &session.settings.place.id)
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
        let state = loaded.engine.state();
        let mut findings = Vec::new();
        if let Some(why) = state.muted.clone().or(loaded.muted) {
            findings.push(Finding {
                place: session.settings.data.display().to_string(),
                code: "mute".into(),
                level: raccord_kit::Level::Warning,
                text: why,
                mend: Words::new(
                    "Dites « raccord unmute --moved » ou « raccord unmute --copy ».",
                    "Say `raccord unmute --moved` or `raccord unmute --copy`.",
                ),
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
            Some(loaded) => super::load::known_salt(&loaded.log),
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
            Hands::Daemon => {
                let request = Request::Sync {
                    plan: plan.map(Box::new),
                    wait_ms: wait.as_millis() as u64,
                };
                socket::ask(&session.settings.data, &request, session.view.lang)
            }
            Hands::Ours(loaded) => pass_here(
                session,
                *loaded,
                PassOptions {
                    orders: Vec::new(),
                    wait,
                    plan,
                },
            ),
        }
    }

    fn run(&self, session: &Session) -> Result<(), Problem> {
        let loaded = open_writer(&session.settings.data, &session.settings.place.id)?;
        let ready = Ready::of(session, loaded.engine.state().at)?;
        runtime()?.block_on(daemon::run(session, loaded, ready))
    }

    fn log(
        &self,
        session: &Session,
        follow: bool,
        each: &mut dyn FnMut(&LogLine) -> io::Result<()>,
    ) -> Result<(), Problem> {
        let data = &session.settings.data;
        let Some(mut loaded) = reader(session)? else {
            return Ok(());
        };
        let mut number = loaded.log.floor().number;
        let mut stopped = false;
        loop {
            let (log, engine) = (&loaded.log, &loaded.engine);
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
            .map_err(|error| refused(data, &error))?;
            if stopped || !follow {
                return Ok(());
            }
            socket::wait_for_more();
            loaded
                .log
                .refresh()
                .map_err(|error| refused(data, &error))?;
            loaded
                .engine
                .remember(loaded.log.slots().map_err(|error| refused(data, &error))?);
        }
    }

    fn why(&self, session: &Session, reference: &str) -> Result<WhyShape, Problem> {
        let loaded = reader(session)?.ok_or_else(|| Problem::unknown_reference(reference))?;
        queries::why(&loaded.log, &loaded.engine, reference, &session.view)
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
            &request,
            Deed::Approved,
            hold.to_string(),
        )
    }

    fn reject(&self, session: &Session, hold: HoldId) -> Result<DeedShape, Problem> {
        decide(
            session,
            Order::Reject(hold),
            &Request::Reject { hold },
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
            &request,
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
            Order::SwitchOn(connector.clone()),
            &request,
            Deed::SwitchedOn,
            connector.to_string(),
        )
    }

    fn give_up(&self, session: &Session, delivery: DeliveryId) -> Result<DeedShape, Problem> {
        let request = Request::Drop { delivery };
        decide(
            session,
            Order::Drop(delivery),
            &request,
            Deed::Dropped,
            delivery.to_string(),
        )
    }

    fn ledger(&self, session: &Session, person: Option<&str>) -> Result<LedgerShape, Problem> {
        Ok(queries::ledger(&engine(session)?, person))
    }

    fn backup(&self, session: &Session, file: &Path) -> Result<DeedShape, Problem> {
        let (data, place) = (&session.settings.data, &session.settings.place.id);
        let log = SqliteReader::open(data, place).map_err(|error| refused(data, &error))?;
        raccord_bus::backup(&log, file).map_err(|error| refused(file, &error))?;
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
        let (data, place) = (&session.settings.data, &session.settings.place.id);
        let restored = raccord_bus::restore(file, data, place, true)
            .map_err(|error| not_restored(file, data, &error))?;
        let commits = Some(restored.head.number);
        Ok(DeedShape {
            did: Deed::Restored,
            reference: file.display().to_string(),
            effects: Vec::new(),
            commits,
            bytes: None,
        })
    }

    fn unmute(&self, session: &Session, what: Unmute) -> Result<DeedShape, Problem> {
        let data = &session.settings.data;
        let mut loaded = match hands(session)? {
            Hands::Ours(loaded) => *loaded,
            Hands::Daemon => {
                let request = Request::Unmute {
                    moved: what == Unmute::Moved,
                };
                return socket::ask(data, &request, session.view.lang);
            }
        };
        if what == Unmute::Moved && loaded.muted.is_none() && loaded.engine.state().muted.is_none()
        {
            return Ok(deed(Deed::NotMute));
        }
        let order = unmute_order(what);
        loaded
            .log
            .adopt_file()
            .map_err(|error| refused(data, &error))?;
        loaded.muted = None;
        only_decide(session, loaded, order)?;
        Ok(unmuted(what))
    }

    fn rebuild(&self, session: &Session) -> Result<DeedShape, Problem> {
        let data = &session.settings.data;
        let loaded = reader(session)?.ok_or_else(|| no_log(data))?;
        let (again, _) = super::load::fold_all(&loaded.log).map_err(|error| error.at(data))?;
        if again.snapshot() != loaded.engine.snapshot() {
            return Err(Problem::failed(
                data.display().to_string(),
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
        if let Hands::Ours(mut ours) = hands(session)? {
            use raccord_bus::Log as _;
            let body = ours.engine.snapshot();
            let number = ours.engine.state().commit;
            ours.log
                .put_snapshot(number, body)
                .map_err(|error| refused(data, &error))?;
        }
        let commits = Some(loaded.log.head().number);
        Ok(DeedShape {
            did: Deed::Rebuilt,
            reference: String::new(),
            effects: Vec::new(),
            commits,
            bytes: None,
        })
    }
}

/// A decision that is made durable without a pass after it.
fn only_decide(session: &Session, loaded: Loaded<SqliteLog>, order: Order) -> Result<(), Problem> {
    let ready = Ready::of(session, loaded.engine.state().at)?;
    runtime()?.block_on(async {
        let (writer, desk) = start(session, loaded, &ready, stopped_token(), None)?;
        let reply = desk
            .input(raccord_engine::Input::Order(order))
            .await
            .map_err(|broken| broken.0)?;
        drop(desk);
        tokio::task::spawn_blocking(move || writer.join())
            .await
            .map_err(|_| writer_lost())?;
        super::told::refused(&reply)
    })
}

/// A connector that had been refused answers well again, so it is used again.
fn lift(session: &Session, connector: &ConnectorName) -> Result<(), Problem> {
    match hands(session)? {
        Hands::Daemon => {
            let request = Request::Lift {
                connector: connector.clone(),
            };
            socket::ask(&session.settings.data, &request, session.view.lang)
        }
        Hands::Ours(loaded) => only_decide(session, *loaded, Order::SwitchOn(connector.clone())),
    }
}

/// Why a saved log was not put back: the file itself, or whoever holds the place.
fn not_restored(file: &Path, data: &Path, error: &LogError) -> Problem {
    if let Err(cause) = std::fs::metadata(file) {
        return Problem::file(file, &cause);
    }
    match error {
        LogError::Locked { .. } => Problem::failed(
            data.display().to_string(),
            error.code(),
            error.text(),
            Words::new(
                "Arrêtez-le d'abord (systemctl stop raccord, ou Ctrl-C là où il tourne), puis relancez cette commande.",
                "Stop it first (systemctl stop raccord, or Ctrl-C where it runs), then run this command again.",
            ),
        ),
        LogError::NetworkFolder { .. }
        | LogError::SyncedFolder { .. }
        | LogError::ReadOnly { .. }
        | LogError::Full { .. } => refused(data, error),
        _ => refused(file, error),
    }
}

/// Effects that are handed over are not started: the command only decides.
fn stopped_token() -> CancellationToken {
    let stop = CancellationToken::new();
    stop.cancel();
    stop
}

pub(crate) fn unmute_order(what: Unmute) -> Order {
    match what {
        Unmute::Moved => Order::Unmute { look_first: true },
        Unmute::Copy => Order::Mute(Words::new(
            "Ce lieu est une répétition : il lit et montre un plan, mais n'envoie rien.",
            "This place is a rehearsal: it reads and shows a plan, but sends nothing.",
        )),
    }
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

fn no_log(data: &Path) -> Problem {
    let error = LogError::Missing {
        path: data.to_owned(),
    };
    refused(data, &error)
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
