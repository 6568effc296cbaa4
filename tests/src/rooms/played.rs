//! Mattermost and Rocket.Chat, played in this process by the stand-ins of their connectors.

#[path = "../../../connectors/mattermost/tests/common/mod.rs"]
mod mattermost;
#[path = "../../../connectors/rocketchat/tests/common/mod.rs"]
mod rocketchat;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use raccord_kit::standin::{Play, Reply, Seen, Standin};
use raccord_kit::{Clock as _, ManualClock};
use tokio::runtime::Runtime;

use super::{Chat, Said};
use crate::sheet::Dice;

/// The room that is spoken in.
const ROOM: &str = "chantiers";
/// Who is in it beside Raccord.
const PERSON: &str = "anna";
/// How long each byte of an answer takes where answers are slow.
const DRIP: Duration = Duration::from_millis(1);

/// Which server is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// Mattermost.
    Mattermost,
    /// Rocket.Chat.
    RocketChat,
}

#[derive(Clone)]
enum Server {
    Mattermost(mattermost::server::Server),
    RocketChat(rocketchat::server::Server),
}

/// How the server and its network are.
#[derive(Default)]
struct Weather {
    /// Nobody answers Raccord.
    gone: bool,
    /// Answers to what changes something come byte by byte, so that a kill meets them under way.
    slow: bool,
    /// How often something was to be said or changed.
    asked: usize,
    /// The hour that was set last, and when that was.
    set: Option<(Timestamp, Instant)>,
}

/// A server that is played.
pub struct Played {
    standin: Standin,
    server: Server,
    clock: Arc<ManualClock>,
    weather: Arc<Mutex<Weather>>,
    /// What carries its connections.
    _runtime: Runtime,
}

impl Played {
    /// A server at this hour.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn open(tool: Tool, now: Timestamp) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let clock = Arc::new(ManualClock::at(now));
        let server = match tool {
            Tool::Mattermost => {
                Server::Mattermost(mattermost::server::Server::new(clock.clone(), None))
            }
            Tool::RocketChat => {
                Server::RocketChat(rocketchat::server::Server::new(clock.clone(), None))
            }
        };
        let standin = runtime.block_on(Standin::start());
        let weather = Arc::new(Mutex::new(Weather::default()));
        let played = Self {
            standin,
            server,
            clock,
            weather,
            _runtime: runtime,
        };
        played.is_at(now);
        let (behind, weather) = (played.server.clone(), Arc::clone(&played.weather));
        let clock = Arc::clone(&played.clock);
        played
            .standin
            .direct(move |seen| answer(&behind, &weather, &clock, seen));
        Ok(played)
    }

    /// How many requests asked for a change so far.
    pub fn writes(&self) -> usize {
        self.weather().asked
    }

    /// Answers to what changes something come slowly, or at once again.
    pub fn slow(&self, slow: bool) {
        self.weather().slow = slow;
    }

    /// What the server only has in its memory is forgotten, its open connections too.
    pub fn restarts(&self) {
        match &self.server {
            Server::Mattermost(server) => server.restart(),
            Server::RocketChat(server) => server.streams_end(),
        }
    }

    /// The hour it is there.
    pub fn now(&self) -> Timestamp {
        tick(&self.weather(), &self.clock);
        self.clock.now()
    }

    fn weather(&self) -> MutexGuard<'_, Weather> {
        self.weather.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer to the next change is lost.
    fn loses_an_answer(&self) {
        match &self.server {
            Server::Mattermost(server) => server.fault(mattermost::server::Fault::LoseAnswer),
            Server::RocketChat(server) => server.fault(rocketchat::server::Fault::LoseAnswer),
        }
    }

    /// The next change is not made, and the connection breaks.
    fn breaks_off(&self) {
        match &self.server {
            Server::Mattermost(server) => server.fault(mattermost::server::Fault::Reset),
            Server::RocketChat(server) => server.fault(rocketchat::server::Fault::Reset),
        }
    }

    /// The next change is refused with this.
    fn refuses(&self, reply: Reply) {
        match &self.server {
            Server::Mattermost(server) => server.fault(mattermost::server::Fault::Refuse(reply)),
            Server::RocketChat(server) => server.fault(rocketchat::server::Fault::Refuse(reply)),
        }
    }

    /// What each tool does and no other with the next change: a post that is still being made when its
    /// sender is gone, a message that an app of the server takes away. Says which.
    pub fn own_trouble(&self) -> &'static str {
        match &self.server {
            Server::Mattermost(server) => {
                server.fault(mattermost::server::Fault::Hang);
                "a post that hangs"
            }
            Server::RocketChat(server) => {
                server.fault(rocketchat::server::Fault::Veto);
                "a veto"
            }
        }
    }
}

/// The clock of the server goes on from what it was set to.
fn tick(weather: &Weather, clock: &ManualClock) {
    if let Some((set, since)) = weather.set {
        let elapsed = SignedDuration::try_from(since.elapsed()).unwrap_or_default();
        let due = set.saturating_add(elapsed).unwrap_or(set);
        let behind = due.duration_since(clock.now());
        if behind.is_positive() {
            clock.advance(behind);
        }
    }
}

fn answer(server: &Server, weather: &Mutex<Weather>, clock: &ManualClock, seen: &Seen) -> Play {
    let slow = {
        let mut weather = weather.lock().unwrap_or_else(PoisonError::into_inner);
        tick(&weather, clock);
        if weather.gone {
            return Play::Reset;
        }
        weather.asked += usize::from(seen.writes());
        weather.slow && seen.writes()
    };
    let play = match server {
        Server::Mattermost(server) => server.answer(seen),
        Server::RocketChat(server) => server.answer(seen),
    };
    match play {
        Play::Answer(reply) if slow => Play::Drip(reply, DRIP),
        other => other,
    }
}

impl Chat for Played {
    fn settings(&self) -> String {
        let own = match &self.server {
            Server::Mattermost(_) => format!(
                "kind = \"mattermost\"\nteam = \"raffinerie\"\ntoken = \"{}\"",
                mattermost::server::TOKEN
            ),
            Server::RocketChat(_) => format!(
                "kind = \"rocketchat\"\nuser_id = \"{}\"\ntoken = \"{}\"",
                rocketchat::server::BOT,
                rocketchat::server::TOKEN
            ),
        };
        let url = self.standin.url("/");
        format!(
            "[connectors.chat]\n{own}\nurl = \"{url}\"\nlisten = [\"{ROOM}\"]\nhear = \"all\"\n\
             [[routes]]\nto = \"chat\"\nwhen = {{ entity = \"activity\", visibility = \"public\" }}\nchannel = \"{ROOM}\"\ngrace = \"0s\"\n"
        )
    }

    fn room(&self) -> String {
        ROOM.to_owned()
    }

    fn standing(&self) -> Result<Vec<Said>> {
        Ok(match &self.server {
            Server::Mattermost(server) => {
                let bot = server.state().user("raccord");
                let posts = server.standing(ROOM).into_iter();
                posts
                    .map(|post| Said {
                        id: post.id,
                        ours: post.user_id == bot,
                        text: post.message,
                        thread: Some(post.root_id).filter(|root| !root.is_empty()),
                    })
                    .collect()
            }
            Server::RocketChat(server) => {
                let messages = server.standing(ROOM).into_iter();
                messages
                    .map(|message| Said {
                        id: message.id,
                        ours: message.user == rocketchat::server::BOT,
                        text: message.text,
                        thread: message.tmid,
                    })
                    .collect()
            }
        })
    }

    fn says(&self, text: &str) -> Result<String> {
        tick(&self.weather(), &self.clock);
        Ok(match &self.server {
            Server::Mattermost(server) => server.says(PERSON, ROOM, text),
            Server::RocketChat(server) => server.says(PERSON, ROOM, text),
        })
    }

    fn edits(&self, message: &str, text: &str) -> Result<()> {
        tick(&self.weather(), &self.clock);
        match &self.server {
            Server::Mattermost(server) => server.edits(message, text),
            Server::RocketChat(server) => server.edits(message, text),
        }
        Ok(())
    }

    fn deletes(&self, message: &str) -> Result<()> {
        tick(&self.weather(), &self.clock);
        match &self.server {
            Server::Mattermost(server) => server.deletes(message),
            Server::RocketChat(server) => server.deletes(message),
        }
        Ok(())
    }

    fn is_at(&self, now: Timestamp) {
        let mut weather = self.weather();
        weather.set = Some((now, Instant::now()));
        tick(&weather, &self.clock);
    }

    fn trouble(&mut self, dice: &mut Dice) -> Result<&'static str> {
        self.slow(true);
        Ok(match dice.below(6) {
            0 | 1 => {
                self.loses_an_answer();
                "a lost answer"
            }
            2 => {
                self.breaks_off();
                "a broken connection"
            }
            3 => {
                self.refuses(Reply::status(502).body("<html>Bad Gateway</html>"));
                "a gateway without its server"
            }
            4 => self.own_trouble(),
            _ => {
                self.restarts();
                self.cut_off(true);
                std::thread::park_timeout(Duration::from_millis(200 + dice.below(600)));
                self.cut_off(false);
                "a restart"
            }
        })
    }

    fn calm(&mut self) -> Result<()> {
        self.slow(false);
        self.cut_off(false);
        match &self.server {
            Server::Mattermost(server) => {
                server.finish();
                server.state().faults.clear();
            }
            Server::RocketChat(server) => server.state().faults.clear(),
        }
        Ok(())
    }

    fn cut_off(&mut self, gone: bool) {
        self.weather().gone = gone;
        if gone {
            // What was open is cut as well.
            match &self.server {
                Server::Mattermost(server) => server.state().events.all_end(),
                Server::RocketChat(server) => server.streams_end(),
            }
        }
    }

    fn asked(&self) -> usize {
        self.writes()
    }
}
