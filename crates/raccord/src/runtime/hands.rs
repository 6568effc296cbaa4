//! Who does what a command asks: this process, with the writer's lock, or the daemon that holds it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use raccord_bus::jetstream::Node;
use raccord_engine::Order;
use raccord_kit::Clock;
use raccord_model::{ConnectorName, Lang, Rules, Words};
use serde::de::DeserializeOwned;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;

use super::clockwork::Steady;
use super::clusters::Clusters;
use super::desk::Desk;
use super::effects::Effects;
use super::elsewhere::{self, Ask};
use super::home::Home;
use super::load::{Written, open_writer};
use super::pass::{Pass, PassOptions, agreed, one_pass};
use super::renderer::Rendering;
use super::socket::{self, Asked, Request};
use super::writer::{Publish, Set, Sleep, Start, Writer, WriterOptions};
use crate::cli::Session;
use crate::connectors::Tools;
use crate::report::Problem;
use crate::settings::{self, Settings};
use crate::shapes::{CodeShape, Deed, DeedShape, PersonShape, SyncShape};

/// More threads than places that are awake at once; they are made when they are needed.
const THREADS: usize = 32_768;

/// How far behind its log a machine's clock may be before nothing is done at all.
const SKEW: jiff::SignedDuration = jiff::SignedDuration::from_secs(120);

/// What the log says while another process writes it.
pub(super) const LOCKED: &str = "log.locked";

/// What a place needs to work, made from its settings.
pub(crate) struct Ready {
    pub(crate) tools: Arc<Tools>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Ready {
    /// Tools and clock of `session`; the clock never shows an hour before `last`.
    pub(crate) fn of(session: &Session, last: Option<jiff::Timestamp>) -> Result<Self, Problem> {
        Self::with(Arc::new(session.tools()?), session, last)
    }

    /// The same with tools that are made already.
    pub(crate) fn with(
        tools: Arc<Tools>,
        session: &Session,
        last: Option<jiff::Timestamp>,
    ) -> Result<Self, Problem> {
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

/// What the writer is set to by `settings`, whose tools these are.
pub(super) fn set(settings: &Settings, tools: &Arc<Tools>) -> Set {
    let (settings, with) = (settings.clone(), Arc::clone(tools));
    Set {
        rules: Box::new(move |salt| settings::rules(&settings, &with, salt.as_bytes())),
        tools: Rendering(Arc::clone(tools)),
    }
}

/// What a writer is started for.
pub(crate) enum Begin {
    /// One pass.
    Pass,
    /// For good.
    Daemon {
        /// Who hears of events.
        publish: Publish,
        /// When it may sleep.
        sleep: Sleep,
        /// Its turn to be awake.
        turn: Option<OwnedSemaphorePermit>,
    },
}

/// Starts the writer of `session`'s place.
pub(crate) fn start(
    session: &Session,
    mut loaded: Written,
    ready: &Ready,
    stop: CancellationToken,
    begin: Begin,
) -> Result<(Writer, Desk), Problem> {
    let mut options = WriterOptions {
        set: set(&session.settings, &ready.tools),
        clock: Arc::clone(&ready.clock),
        publish: None,
        start: Start::OnRelease,
        sleep: None,
        turn: None,
    };
    if let Begin::Daemon {
        publish,
        sleep,
        turn,
    } = begin
    {
        loaded.home = loaded.home.at_home();
        options.start = Start::AtOnce;
        options.publish = Some(publish);
        (options.sleep, options.turn) = (Some(sleep), turn);
    }
    let effects = Effects::new(
        Arc::clone(&ready.tools),
        Arc::clone(&ready.clock),
        loaded.home.clone(),
        stop,
    );
    Writer::start(loaded, options, effects)
}

/// The runtime everything asynchronous runs on.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Problem> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        // A place that is awake has one of its own, and others must still be there for files.
        .max_blocking_threads(THREADS)
        .enable_all()
        .build()
        .map_err(|cause| Problem::file(Path::new("tokio"), &cause))
}

/// Who answers a command that writes.
pub(super) enum Hands {
    /// This process.
    Ours(Box<Written>),
    /// The daemon that holds the place.
    Daemon(Door),
}

/// The way to a daemon.
pub(super) enum Door {
    /// On this machine: the folder where its socket is.
    Here(PathBuf),
    /// On another: the place, shared with it.
    There(Home, Arc<Node>),
}

impl Door {
    /// Hands a command to the daemon, and waits for its answer.
    ///
    /// # Errors
    /// When the daemon is gone, or what it answered.
    pub(super) fn ask<T: DeserializeOwned>(
        &self,
        request: Request,
        lang: Lang,
    ) -> Result<T, Problem> {
        match self {
            Self::Here(data) => socket::ask(data, &Asked { lang, request }),
            Self::There(home, node) => {
                let wait = request.patience();
                let asked = Ask::Command(Asked { lang, request });
                let answer = elsewhere::asked(home, node, &asked, wait);
                socket::understood(runtime()?.block_on(answer)?, home.address())
            }
        }
    }
}

pub(super) fn hands(session: &Session) -> Result<Hands, Problem> {
    let data = &session.settings.data;
    if session.settings.cluster.is_some() && socket::answers(data) {
        // Its log can be opened by whoever asks: that would take it from the daemon.
        return Ok(Hands::Daemon(Door::Here(data.clone())));
    }
    let home = Home::of(&session.settings, &Clusters::ours())?;
    let Some(home) = home.clone().claimed_soon()? else {
        let node = home.node()?.ok_or_else(|| held(&home))?;
        return Ok(Hands::Daemon(Door::There(home, node)));
    };
    match open_writer(&home) {
        Ok(loaded) => Ok(Hands::Ours(Box::new(loaded))),
        Err(problem)
            if problem
                .findings
                .iter()
                .any(|finding| finding.code == LOCKED)
                && socket::answers(home.data()) =>
        {
            Ok(Hands::Daemon(Door::Here(data.clone())))
        }
        Err(problem) => Err(problem),
    }
}

/// Another node works for the place.
pub(super) fn held(home: &Home) -> Problem {
    let node = home.holder().unwrap_or_default();
    Problem::failed(
        home.address(),
        "cluster.held",
        Words::new(
            format!(
                "Le programme « {node} » s'occupe de « {} » en ce moment.",
                home.place()
            ),
            format!(
                "The node “{node}” works for “{}” at this moment.",
                home.place()
            ),
        ),
        Words::new(
            "Lancez la commande sur sa machine ; ou arrêtez-le : un autre reprend ce lieu aussitôt.",
            "Run the command on its machine; or stop it: another takes the place at once.",
        ),
    )
}

pub(super) fn pass_here(
    session: &Session,
    loaded: Written,
    mut options: PassOptions,
) -> Result<SyncShape, Problem> {
    let ready = Ready::of(session, loaded.engine.state().at)?;
    let runtime = runtime()?;
    let bar = session.progress(&Words::new("Un passage", "One pass"), None);
    bar.enable_steady_tick(Duration::from_millis(120));
    let shape = runtime.block_on(async {
        let stop = CancellationToken::new();
        let pass = Pass {
            tools: &ready.tools,
            clock: &ready.clock,
            view: &session.view,
        };
        // A plan that is stale leaves everything as it was: the log, too, has no word of it.
        if let Some(expected) = &options.plan {
            let salt = super::load::known_salt(&*loaded.log);
            let rules = rules_of(session, &ready.tools, &salt);
            let engine = loaded.engine.clone();
            options.observed = Some(agreed(&pass, engine, rules, expected).await?);
        }
        options.begun = true;
        let (writer, desk) = start(session, loaded, &ready, stop, Begin::Pass)?;
        let shape = one_pass(&pass, &desk, options).await;
        drop(desk);
        if !writer.ended().await {
            return Err(writer_lost());
        }
        shape
    });
    bar.finish_and_clear();
    shape
}

pub(super) fn writer_lost() -> Problem {
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
pub(super) fn decide(
    session: &Session,
    order: Order,
    request: Request,
    did: Deed,
    reference: String,
) -> Result<DeedShape, Problem> {
    let shape = match hands(session)? {
        Hands::Daemon(door) => return door.ask(request, session.view.lang),
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

/// A decision that is made durable without a pass after it: no effect is ever released.
pub(super) fn only_decide(session: &Session, loaded: Written, order: Order) -> Result<(), Problem> {
    with_desk(session, loaded, async |desk| {
        let order = raccord_engine::Input::Order(order);
        let reply = desk.input(order).await.map_err(|broken| broken.0)?;
        super::told::refused(&reply)
    })
}

/// Does something with the writer, and releases no effect.
fn with_desk<T>(
    session: &Session,
    loaded: Written,
    act: impl AsyncFnOnce(&Desk) -> Result<T, Problem>,
) -> Result<T, Problem> {
    let ready = Ready::of(session, loaded.engine.state().at)?;
    runtime()?.block_on(async {
        let stop = CancellationToken::new();
        let (writer, desk) = start(session, loaded, &ready, stop, Begin::Pass)?;
        let done = act(&desk).await;
        drop(desk);
        if !writer.ended().await {
            return Err(writer_lost());
        }
        done
    })
}

/// Draws a code for somebody.
pub(super) fn code(session: &Session, email: &str) -> Result<CodeShape, Problem> {
    match hands(session)? {
        Hands::Daemon(door) => {
            let request = Request::Code {
                email: email.to_owned(),
            };
            door.ask(request, session.view.lang)
        }
        Hands::Ours(loaded) => with_desk(session, *loaded, async |desk| {
            super::people::code(desk, email.to_owned()).await
        }),
    }
}

/// Forgets a person.
pub(super) fn forget(session: &Session, email: &str) -> Result<PersonShape, Problem> {
    match hands(session)? {
        Hands::Daemon(door) => {
            let request = Request::Forget {
                email: email.to_owned(),
            };
            door.ask(request, session.view.lang)
        }
        Hands::Ours(loaded) => {
            let home = loaded.home.clone();
            with_desk(session, *loaded, async |desk| {
                super::people::forget(desk, &home, email.to_owned()).await
            })
        }
    }
}

/// A connector that had been refused answers well again, so it is used again.
pub(super) fn lift(session: &Session, connector: &ConnectorName) -> Result<(), Problem> {
    match hands(session)? {
        Hands::Daemon(door) => {
            let request = Request::Lift {
                connector: connector.clone(),
            };
            door.ask(request, session.view.lang)
        }
        Hands::Ours(loaded) => only_decide(session, *loaded, Order::SwitchOn(connector.clone())),
    }
}
