//! Lespass and Fedow, played in this process by the stand-in of their connector.

#[path = "../../../connectors/cashless/tests/common/purse.rs"]
#[allow(dead_code, reason = "shared with the connector's tests")]
mod purse;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;
use purse::{ASSET, Purse, SECRET, Trouble};
use raccord_kit::standin::{Play, Seen, Standin};
use tokio::runtime::Runtime;

use super::Cards;
use crate::sheet::Dice;

/// How long each byte of an answer takes where answers are slow.
const DRIP: Duration = Duration::from_millis(1);

/// How the servers and their network are.
struct Weather {
    purse: Purse,
    /// What goes wrong with the next calls.
    troubles: Vec<Trouble>,
    /// Nobody answers.
    gone: bool,
    /// Answers come byte by byte, so that a kill meets them under way.
    slow: bool,
    asked: usize,
}

/// A Lespass and a Fedow behind one address.
pub struct Played {
    standin: Standin,
    weather: Arc<Mutex<Weather>>,
    /// What carries its connections.
    _runtime: Runtime,
}

impl Played {
    /// Servers where nobody has anything.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn open() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let standin = runtime.block_on(Standin::start());
        let weather = Arc::new(Mutex::new(Weather {
            purse: Purse::default(),
            troubles: Vec::new(),
            gone: false,
            slow: false,
            asked: 0,
        }));
        let behind = Arc::clone(&weather);
        standin.direct(move |seen| answer(&mut locked(&behind), seen));
        Ok(Self {
            standin,
            weather,
            _runtime: runtime,
        })
    }

    fn weather(&self) -> MutexGuard<'_, Weather> {
        locked(&self.weather)
    }
}

fn locked(weather: &Mutex<Weather>) -> MutexGuard<'_, Weather> {
    weather.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(weather: &mut Weather, seen: &Seen) -> Play {
    if weather.gone {
        return Play::Reset;
    }
    let Weather {
        purse,
        troubles,
        asked,
        slow,
        ..
    } = weather;
    let played = purse.answer(seen, || {
        *asked += 1;
        troubles.pop().unwrap_or(Trouble::None)
    });
    match played {
        Play::Answer(reply) if *slow && seen.writes() => Play::Drip(reply, DRIP),
        other => other,
    }
}

impl Cards for Played {
    fn settings(&self) -> String {
        let url = self.standin.url("/");
        format!(
            "kind = \"cashless\"\nsystem = \"lespass\"\nurl = \"{url}\"\nkey = \"{SECRET}\"\nasset = \"{ASSET}\"\n\
             fedow_url = \"{url}\"\nfedow_key = \"fedow.key\"\n"
        )
    }

    fn balances(&self) -> Option<BTreeMap<String, i64>> {
        let mut balances: BTreeMap<String, i64> = BTreeMap::new();
        for made in &self.weather().purse.credited {
            *balances.entry(made.email.clone()).or_default() += made.amount;
        }
        Some(balances)
    }

    fn times(&self, key: &str) -> usize {
        self.weather().purse.times(key)
    }

    fn by_hand(&self, key: Option<&str>, email: &str, amount: i64) {
        self.weather().purse.credit(key, email, amount);
    }

    fn trouble(&self, dice: &mut Dice) -> &'static str {
        let mut weather = self.weather();
        weather.slow = true;
        let (trouble, told) = match dice.below(8) {
            0 => (Trouble::FailsBefore, "a 502 that credited nothing"),
            1 => (Trouble::FailsAfter, "a 502 that credited"),
            2 => (Trouble::DiesBefore, "a server that died before it credited"),
            3 => (
                Trouble::DiesAfter,
                "a server that died once it had credited",
            ),
            4 => (Trouble::Unheard, "a lost answer"),
            5 => (Trouble::NoFedow, "a Lespass without its Fedow"),
            6 => {
                weather.gone = true;
                return "servers that are gone";
            }
            _ => return "nothing",
        };
        weather.troubles.push(trouble);
        told
    }

    fn calm(&self) {
        let mut weather = self.weather();
        weather.slow = false;
        weather.gone = false;
        weather.troubles.clear();
    }

    fn asked(&self) -> usize {
        self.weather().asked
    }
}
