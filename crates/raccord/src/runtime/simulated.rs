//! The place at work in simulated time: the real writer and its log, the real tasks, the real
//! connectors and their files and sockets; days pass in seconds, and nothing is waited for.

#![allow(clippy::unwrap_used, reason = "tests")]

mod actions;
mod calendar;
mod chat;
#[path = "../../../../connectors/nextcloud-calendar/tests/common/cloud.rs"]
#[allow(dead_code, reason = "the connector's own tests use more of it")]
mod cloud;
mod credentials;
mod figures;
mod grist;
#[path = "../../../../connectors/matrix/tests/common/house.rs"]
#[allow(dead_code, reason = "the connector's own tests use more of it")]
mod house;
#[path = "../../../../connectors/lespass/tests/common/mod.rs"]
mod lespass;
mod letters;
mod mails;
#[path = "../../../../connectors/mattermost/tests/common/mod.rs"]
mod mattermost;
#[path = "../../../../connectors/mediawiki/tests/common/mod.rs"]
mod mediawiki;
#[path = "../../../../connectors/oceco/tests/common/mod.rs"]
mod oceco;
#[path = "../../../../connectors/signup/tests/common/office/mod.rs"]
mod office;
mod order;
mod outage;
mod phones;
#[path = "../../../../connectors/cashless/tests/common/purse.rs"]
#[allow(dead_code, reason = "the connector's own tests use more of it")]
mod purse;
mod registers;
#[path = "../../../../connectors/rocketchat/tests/common/mod.rs"]
mod rocketchat;
mod rooms;
mod sites;
mod sleeping;
#[path = "../../../../connectors/sms/tests/common/mod.rs"]
mod sms;
mod stage;
mod thread;
mod wallets;
#[path = "../../../../connectors/wordpress/tests/common/mod.rs"]
mod wordpress;
pub(crate) mod world;

use std::io::{self, Write};
use std::sync::{Arc, Mutex, OnceLock};

/// What the program said at `info` or above that names `word`, in this process so far.
pub(crate) fn said_about(word: &str) -> Vec<String> {
    let all = lines().0.lock().unwrap();
    let text = String::from_utf8_lossy(&all).into_owned();
    let about = text.lines().filter(|line| line.contains(word));
    about.map(str::to_owned).collect()
}

/// Hears everything that is said from now on.
pub(crate) fn listen() {
    lines();
}

fn lines() -> &'static Lines {
    static LINES: OnceLock<Lines> = OnceLock::new();
    LINES.get_or_init(|| {
        let lines = Lines::default();
        let writer = lines.clone();
        let started = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::INFO)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .try_init();
        assert!(started.is_ok(), "another test took the program's log");
        lines
    })
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
