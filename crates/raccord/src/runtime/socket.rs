//! The daemon's door for commands: a socket in the data folder that only its owner may use.
//!
//! One JSON line asks, one JSON line answers.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use raccord_engine::Printed;
use raccord_kit::{Finding, Level};
use raccord_model::{ConnectorName, DeliveryId, EntityId, HoldId, Lang, Words};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::report::{Exit, Problem};
use crate::shapes::PlanShape;

/// How long an asked daemon may take, beyond what a pass itself waits.
const PATIENCE: Duration = Duration::from_mins(10);
/// The most bytes of one line.
pub(crate) const MOST: u64 = 256 << 20;

/// What a command asks of the daemon.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub(crate) enum Request {
    Sync {
        plan: Option<Box<PlanShape>>,
        wait_ms: u64,
    },
    Approve {
        hold: HoldId,
        only: Option<BTreeSet<EntityId>>,
    },
    Reject {
        hold: HoldId,
    },
    Retry {
        delivery: DeliveryId,
    },
    SwitchOn {
        connector: ConnectorName,
    },
    /// As `SwitchOn`, without a pass after it.
    Lift {
        connector: ConnectorName,
    },
    Drop {
        delivery: DeliveryId,
    },
    Printed {
        printed: Box<Printed>,
    },
    TakenDown {
        connector: ConnectorName,
        key: String,
        title: String,
    },
    Code {
        email: String,
    },
    Forget {
        email: String,
    },
    Unmute {
        moved: bool,
    },
}

/// A request with the language of its answer.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Asked {
    pub(crate) lang: Lang,
    pub(crate) request: Request,
}

/// What the daemon answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Answer {
    Shape(serde_json::Value),
    Problem(Vec<Fault>),
}

/// A finding as it travels.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Fault {
    place: String,
    code: String,
    text: Words,
    mend: Words,
}

impl Answer {
    pub(crate) fn of<T: Serialize>(result: Result<T, Problem>) -> Self {
        match result {
            Ok(shape) => Self::Shape(serde_json::to_value(shape).unwrap_or_default()),
            Err(problem) => Self::Problem(
                problem
                    .findings
                    .into_iter()
                    .map(
                        |Finding {
                             place,
                             code,
                             text,
                             mend,
                             ..
                         }| Fault {
                            place,
                            code,
                            text,
                            mend,
                        },
                    )
                    .collect(),
            ),
        }
    }
}

/// Where the door is.
pub(crate) fn path(data: &Path) -> PathBuf {
    data.join("raccord.sock")
}

/// Whether a daemon answers.
pub(crate) fn answers(data: &Path) -> bool {
    UnixStream::connect(path(data)).is_ok()
}

impl Request {
    /// How long its answer is waited for.
    pub(crate) fn patience(&self) -> Duration {
        match self {
            Self::Sync { wait_ms, .. } => PATIENCE + Duration::from_millis(*wait_ms),
            _ => PATIENCE,
        }
    }
}

/// Hands a command to the daemon of this machine, and waits for its answer.
///
/// # Errors
/// When the daemon is gone, or what it answered.
pub(crate) fn ask<T: DeserializeOwned>(data: &Path, asked: &Asked) -> Result<T, Problem> {
    let path = path(data);
    let file = |cause: std::io::Error| Problem::file(&path, &cause);
    let mut stream = UnixStream::connect(&path).map_err(file)?;
    let wait = asked.request.patience();
    stream.set_read_timeout(Some(wait)).map_err(file)?;
    let mut line = serde_json::to_vec(asked).expect("a request always serialises into memory");
    line.push(b'\n');
    stream.write_all(&line).map_err(file)?;
    let mut answer = String::new();
    BufReader::new(stream.take(MOST))
        .read_line(&mut answer)
        .map_err(file)?;
    let place = path.display().to_string();
    let answer = serde_json::from_str(&answer).map_err(|_| gone(&place))?;
    understood(answer, &place)
}

/// What a daemon at `place` answered.
///
/// # Errors
/// What it refused; [`gone`] for what cannot be understood.
pub(crate) fn understood<T: DeserializeOwned>(answer: Answer, place: &str) -> Result<T, Problem> {
    match answer {
        Answer::Shape(shape) => serde_json::from_value(shape).map_err(|_| gone(place)),
        Answer::Problem(faults) => Err(Problem {
            exit: Exit::Failed,
            findings: faults.into_iter().map(Fault::finding).collect(),
        }),
    }
}

fn gone(place: &str) -> Problem {
    Problem::failed(
        place,
        "daemon-gone",
        Words::new(
            "Le service s'est arrêté avant d'avoir répondu.",
            "The daemon stopped before it answered.",
        ),
        Words::new(
            "Relancez la commande ; rien n'est perdu.",
            "Run the command again; nothing is lost.",
        ),
    )
}

impl Fault {
    fn finding(self) -> Finding {
        Finding {
            place: self.place,
            code: self.code,
            level: Level::Error,
            text: self.text,
            mend: self.mend,
        }
    }
}

/// Waits a moment for the log to grow (`log --follow` reads beside the daemon).
pub(crate) fn wait_for_more() {
    std::thread::park_timeout(Duration::from_millis(500));
}
