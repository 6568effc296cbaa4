//! Commands that are handed to the daemon, through a door in the data folder.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use raccord_bus::jetstream::Question;
use raccord_engine::Order;
use raccord_web::Place as _;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::at_work::AtWork;
use super::elsewhere::Ask;
use super::local;
use super::pass::{Pass, PassOptions, one_pass};
use super::people;
use super::printed;
use super::socket::{self, Answer, Asked, Request};
use super::testimony;
use super::told;
use crate::cli::Unmute;
use crate::locale::View;
use crate::report::Problem;
use crate::shapes::{Deed, DeedShape};

/// The door for commands: only the owner of the folder may use it.
pub(super) fn door(data: &Path) -> Result<UnixListener, Problem> {
    let path = socket::path(data);
    if path.exists() {
        // We hold the log's lock, so whoever made it is gone.
        std::fs::remove_file(&path).map_err(|cause| Problem::file(&path, &cause))?;
    }
    let door = UnixListener::bind(&path).map_err(|cause| Problem::file(&path, &cause))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))
        .map_err(|cause| Problem::file(&path, &cause))?;
    Ok(door)
}

/// Answers commands about one place.
#[derive(Clone)]
pub(super) struct Commands {
    pub(super) place: Arc<AtWork>,
}

impl Commands {
    /// Answers whoever comes through `door`, until told to stop.
    pub(super) async fn serve(self, door: UnixListener, stop: CancellationToken) {
        let mut open = JoinSet::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                accepted = door.accept() => {
                    if let Ok((stream, _)) = accepted {
                        open.spawn(self.clone().converse(stream));
                    }
                }
                Some(_) = open.join_next() => {}
            }
        }
    }

    /// Answers what other nodes ask about the place, until told to stop.
    pub(super) async fn answer_nodes(self, stop: CancellationToken) {
        let home = &self.place.home;
        let mut questions = match home.node() {
            Ok(Some(node)) => match node.questions(home.place()).await {
                Ok(questions) => questions,
                Err(error) => {
                    return tracing::warn!(error.code = error.code(), %error, "other nodes are not heard");
                }
            },
            _ => return,
        };
        let mut open = JoinSet::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                asked = questions.next() => match asked {
                    Some(question) => {
                        open.spawn(self.clone().answer_node(question));
                    }
                    None => return,
                },
                Some(_) = open.join_next() => {}
            }
        }
    }

    async fn answer_node(self, question: Question) {
        let Ok(ask) = serde_json::from_slice::<Ask>(&question.text) else {
            return;
        };
        let here = &self.place.here;
        let answer = match ask {
            Ask::Post(changes) => serde_json::to_vec(&here.post(changes).await),
            Ask::Hook { connector, call } => serde_json::to_vec(&here.hook(&connector, call).await),
            Ask::Programme { now, limit } => serde_json::to_vec(&here.programme(now, limit).await),
            Ask::Visit(visit) => serde_json::to_vec(&here.visit(*visit).await),
            Ask::Command(asked) => serde_json::to_vec(&self.answer(asked).await),
            Ask::Lacks(known) => match known.parse() {
                Ok(known) => match testimony::heard(&self.place.desk, known).await {
                    Some(lacks) => serde_json::to_vec(&lacks),
                    // Asked again, it may be known.
                    None => return,
                },
                Err(()) => return,
            },
        };
        // Whoever asked may be gone; what was decided stands.
        drop(question.answer(&answer.unwrap_or_default()).await);
    }

    async fn converse(self, stream: UnixStream) {
        let (read, mut write) = stream.into_split();
        let mut line = String::new();
        let mut read = BufReader::new(read.take(socket::MOST));
        if read.read_line(&mut line).await.is_err() {
            return;
        }
        let Ok(asked) = serde_json::from_str::<Asked>(&line) else {
            return;
        };
        let answer = self.answer(asked).await;
        let mut line = serde_json::to_vec(&answer).unwrap_or_default();
        line.push(b'\n');
        // Whoever asked may be gone; what was decided stands.
        drop(write.write_all(&line).await);
    }

    async fn answer(&self, asked: Asked) -> Answer {
        let now = self.place.clock.now();
        // The settings are not changed in the middle of a command.
        let set = self.place.set().await;
        let view = View {
            lang: asked.lang,
            zone: set.zone().clone(),
            now,
        };
        let pass = Pass {
            tools: &set.tools,
            clock: &self.place.clock,
            view: &view,
        };
        match asked.request {
            Request::Sync { plan, wait_ms } => {
                let wait = Duration::from_millis(wait_ms);
                let options = PassOptions {
                    wait,
                    plan: plan.map(|plan| *plan),
                    ..PassOptions::default()
                };
                Answer::of(one_pass(&pass, &self.place.desk, options).await)
            }
            Request::Approve { hold, only } => {
                let order = Order::Approve { hold, only };
                self.decide(&pass, order, Deed::Approved, hold.to_string())
                    .await
            }
            Request::Reject { hold } => {
                self.decide(&pass, Order::Reject(hold), Deed::Rejected, hold.to_string())
                    .await
            }
            Request::Retry { delivery } => {
                self.decide(
                    &pass,
                    Order::Retry(delivery),
                    Deed::Retried,
                    delivery.to_string(),
                )
                .await
            }
            Request::SwitchOn { connector } => {
                let reference = connector.to_string();
                let order = Order::RetryAll(connector);
                self.decide(&pass, order, Deed::SwitchedOn, reference).await
            }
            Request::Lift { connector } => Answer::of(self.lift(connector).await),
            Request::Drop { delivery } => {
                self.decide(
                    &pass,
                    Order::Drop(delivery),
                    Deed::Dropped,
                    delivery.to_string(),
                )
                .await
            }
            Request::Printed { printed } => {
                let name = printed::name(&printed, asked.lang);
                self.decide(&pass, Order::Printed(printed), Deed::Printed, name)
                    .await
            }
            Request::TakenDown {
                connector,
                key,
                title,
            } => {
                let order = Order::TakenDown { connector, key };
                self.decide(&pass, order, Deed::TakenDown, title).await
            }
            Request::Code { email } => Answer::of(people::code(&self.place.desk, email).await),
            Request::Forget { email } => {
                Answer::of(people::forget(&self.place.desk, &self.place.home, email).await)
            }
            Request::Unmute { moved } => Answer::of(self.unmute(moved).await),
        }
    }

    async fn decide(&self, pass: &Pass<'_>, order: Order, did: Deed, reference: String) -> Answer {
        let options = PassOptions {
            orders: vec![order],
            ..PassOptions::default()
        };
        let shape = one_pass(pass, &self.place.desk, options).await;
        Answer::of(shape.map(|shape| DeedShape {
            did,
            reference,
            effects: shape.effects,
            commits: None,
            bytes: None,
        }))
    }

    async fn lift(&self, connector: raccord_model::ConnectorName) -> Result<(), Problem> {
        let order = raccord_engine::Input::Order(Order::SwitchOn(connector));
        let reply = self
            .place
            .desk
            .input(order)
            .await
            .map_err(|broken| broken.0)?;
        told::refused(&reply)
    }

    async fn unmute(&self, moved: bool) -> Result<DeedShape, Problem> {
        let what = if moved { Unmute::Moved } else { Unmute::Copy };
        let mute = self
            .place
            .desk
            .ask(|engine, _| engine.state().muted.is_some());
        if moved && !mute.await.map_err(|broken| broken.0)? {
            return Ok(local::deed(Deed::NotMute));
        }
        let adopted = self
            .place
            .desk
            .ask(|_, log| log.settle_past())
            .await
            .map_err(|broken| broken.0)?;
        adopted.map_err(|error| self.place.home.refused(&error))?;
        let order = raccord_engine::Input::Order(local::unmute_order(what));
        let reply = self
            .place
            .desk
            .input(order)
            .await
            .map_err(|broken| broken.0)?;
        told::refused(&reply)?;
        Ok(local::unmuted(what))
    }
}
