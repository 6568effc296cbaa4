//! The connection by which a chat tells at once that something is new.
//!
//! What comes over it is only a hint: what was said is read afterwards, from where the last reading
//! stopped. So an event that is lost, doubled or out of order costs nothing, and after each new
//! connection everything is read once, whatever was missed.

use std::time::Duration;

use raccord_kit::BoxFuture;
use raccord_kit::http::{Came, Socket};
use raccord_model::{ConnectorName, Digest};
use tokio::sync::Mutex;
use tokio::time::Instant;

/// After so long without a sign of life the server is asked whether it is still there; after as long
/// again without an answer it is not.
const QUIET: Duration = Duration::from_secs(30);
/// How long after the first failure the next connection is tried; twice as long after each further one.
const PAUSE: Duration = Duration::from_secs(3);
/// The longest of these pauses.
const PAUSE_MOST: Duration = Duration::from_secs(300);
/// Of all these pauses, how much they differ at most between instances: a server that comes back should
/// not meet everybody at once.
const SPREAD: Duration = Duration::from_secs(2);
/// However much is said, it is read no more often than this.
const OFTEN: Duration = Duration::from_secs(1);

/// What a text of the server amounts to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sign {
    /// Nothing that concerns us.
    Nothing,
    /// Something was said, changed or taken away: it is to be read.
    News,
    /// The server wants this said.
    Answer(String),
    /// The server does not want us any more, or lost its thread: what it tells is not to be relied on.
    Over,
}

/// How one tool speaks.
pub trait Wire: Send + Sync {
    /// Connects, says who we are, and asks for what concerns us; nothing where that cannot be done now.
    /// Why, the readings tell, which go on at their period.
    fn open(&self) -> BoxFuture<'_, Option<Socket>>;

    /// What a text of the server amounts to. `told` counts the texts it numbers, and is 0 on a new
    /// connection.
    fn read(&self, text: &str, told: &mut i64) -> Sign;

    /// The question whether the server is still there; `number` differs on each.
    fn ping(&self, number: u64) -> String;
}

/// The connection of one instance, kept between two readings.
#[derive(Debug)]
pub struct Live {
    state: Mutex<State>,
    spread: Duration,
}

#[derive(Debug, Default)]
struct State {
    open: Option<Open>,
    failed: u32,
    /// When the next connection is tried.
    not_before: Option<Instant>,
    /// Something is to be read, and nobody was told yet.
    due: bool,
    /// When somebody was told last.
    told: Option<Instant>,
}

#[derive(Debug)]
struct Open {
    socket: Socket,
    /// How many texts the server has numbered.
    told: i64,
    pings: u64,
    /// Whether the last question was not answered by any sign of life.
    asked: bool,
    /// When it has been quiet for too long.
    quiet: Instant,
    since: Instant,
}

/// What became of a while of listening.
enum Then {
    News,
    Over,
}

impl Live {
    /// None yet, for the instance of this name.
    pub fn new(name: &ConnectorName) -> Self {
        let digest = Digest::of(name.as_str().as_bytes()).to_string();
        let share = u32::from_str_radix(&digest[..4], 16).unwrap_or_default();
        Self {
            state: Mutex::default(),
            spread: SPREAD * share / 0xffff,
        }
    }

    /// Resolves once there is something to be read. May be dropped at any time: the connection stays.
    pub async fn news(&self, wire: &dyn Wire) {
        let mut state = self.state.lock().await;
        while !state.due {
            if let Some(open) = &mut state.open {
                match open.listen(wire).await {
                    Then::News => state.due = true,
                    Then::Over => state.close(self.spread),
                }
                continue;
            }
            if let Some(at) = state.not_before {
                tokio::time::sleep_until(at).await;
            }
            // Should this be dropped on the way, it was tried.
            state.rest(self.spread);
            if let Some(socket) = wire.open().await {
                state.failed -= 1;
                state.open = Some(Open::new(socket));
                // What was said while nobody listened is read now that somebody does.
                state.due = true;
            }
        }
        if let Some(told) = state.told {
            tokio::time::sleep_until(told + OFTEN).await;
        }
        state.due = false;
        state.told = Some(Instant::now());
    }
}

impl State {
    /// The next connection is not tried at once.
    fn rest(&mut self, spread: Duration) {
        let pause = PAUSE * 2_u32.saturating_pow(self.failed.min(10));
        self.not_before = Some(Instant::now() + pause.min(PAUSE_MOST) + spread);
        self.failed = self.failed.saturating_add(1);
    }

    /// The connection is over. One that lasted was no failure.
    fn close(&mut self, spread: Duration) {
        let lasted = |open: Open| open.since.elapsed() > QUIET;
        if self.open.take().is_some_and(lasted) {
            self.failed = 0;
        }
        self.rest(spread);
    }
}

impl Open {
    fn new(socket: Socket) -> Self {
        Self {
            socket,
            told: 0,
            pings: 0,
            asked: false,
            quiet: Instant::now() + QUIET,
            since: Instant::now(),
        }
    }

    async fn listen(&mut self, wire: &dyn Wire) -> Then {
        loop {
            let Ok(came) = tokio::time::timeout_at(self.quiet, self.socket.next()).await else {
                if self.asked {
                    return Then::Over;
                }
                self.asked = true;
                self.pings += 1;
                self.quiet = Instant::now() + QUIET;
                if self.socket.say(wire.ping(self.pings)).await.is_none() {
                    return Then::Over;
                }
                continue;
            };
            self.asked = false;
            self.quiet = Instant::now() + QUIET;
            let text = match came {
                None => return Then::Over,
                Some(Came::Life) => continue,
                Some(Came::Text(text)) => text,
            };
            match wire.read(&text, &mut self.told) {
                Sign::Nothing => {}
                Sign::News => return Then::News,
                Sign::Over => return Then::Over,
                Sign::Answer(answer) => {
                    if self.socket.say(answer).await.is_none() {
                        return Then::Over;
                    }
                }
            }
        }
    }
}
