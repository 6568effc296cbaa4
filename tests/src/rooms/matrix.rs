//! A real Synapse, reached by Raccord through a network that can fail, and by the person directly.

use std::time::Duration;

use anyhow::Result;
use jiff::Timestamp;
use serde_json::json;
use tokio::runtime::Runtime;

use super::{Chat, Said};
use crate::proxy::Link;
use crate::sheet::Dice;
use crate::synapse::{Member, NONE, Server};

const ROOM: &str = "#programme:localhost";
/// What each packet takes on the way, so that a kill meets some under way.
const LATE: Duration = Duration::from_millis(15);

pub(super) struct Matrix {
    server: Server,
    link: Link,
    lou: Member,
    bot: Member,
    room: String,
    gone: bool,
    /// What carries the link's connections.
    _runtime: Runtime,
}

impl Matrix {
    pub(super) fn open() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let link = Link::open(runtime.handle())?;
        let server = Server::start(NONE)?;
        link.leads_to(server.port());
        let bot = server.member("raccord")?;
        let lou = server.member("lou")?;
        let room = server.room(&lou, "programme", &bot)?;
        server.call(
            "POST",
            "v3/join/%23programme%3Alocalhost",
            Some(&bot),
            Some(&json!({})),
        )?;
        Ok(Self {
            server,
            link,
            lou,
            bot,
            room,
            gone: false,
            _runtime: runtime,
        })
    }
}

impl Chat for Matrix {
    fn settings(&self) -> String {
        format!(
            "[connectors.chat]\nkind = \"matrix\"\nurl = \"http://127.0.0.1:{}\"\ntoken = \"{}\"\nhear = \"all\"\n\
             [[routes]]\nto = \"chat\"\nwhen = {{ entity = \"activity\", visibility = \"public\" }}\nchannel = \"{ROOM}\"\ngrace = \"0s\"\n",
            self.link.port(),
            self.bot.token
        )
    }

    fn room(&self) -> String {
        ROOM.to_owned()
    }

    fn standing(&self) -> Result<Vec<Said>> {
        let messages = self.server.messages(&self.lou, &self.room)?;
        let said = messages.into_iter().map(|message| Said {
            id: message.id,
            ours: message.by == self.bot.id,
            text: message.text,
            thread: message.thread,
        });
        Ok(said.collect())
    }

    fn says(&self, text: &str) -> Result<String> {
        self.server.say(&self.lou, &self.room, text)
    }

    fn edits(&self, message: &str, text: &str) -> Result<()> {
        let content = json!({
            "msgtype": "m.text", "body": format!("* {text}"),
            "m.new_content": { "msgtype": "m.text", "body": text },
            "m.relates_to": { "rel_type": "m.replace", "event_id": message },
        });
        let sent = self
            .server
            .send(&self.lou, &self.room, "m.room.message", &content);
        sent.map(drop)
    }

    fn deletes(&self, message: &str) -> Result<()> {
        self.server.take_away(&self.lou, &self.room, message)
    }

    /// Synapse has the machine's clock: nothing of what is proven depends on it.
    fn is_at(&self, _now: Timestamp) {}

    fn trouble(&mut self, dice: &mut Dice) -> Result<&'static str> {
        self.link.late(LATE);
        let while_it_lasts = Duration::from_millis(200 + dice.below(600));
        Ok(match dice.below(8) {
            0..=2 => {
                self.link.deaf(true);
                std::thread::park_timeout(while_it_lasts);
                self.link.deaf(false);
                "lost answers"
            }
            3..=5 => {
                self.link.cut(true);
                std::thread::park_timeout(while_it_lasts);
                self.link.cut(false);
                "a cut network"
            }
            6 => "nothing but slowness",
            _ => {
                self.server.stop();
                std::thread::park_timeout(while_it_lasts);
                self.server.resume()?;
                "a restart"
            }
        })
    }

    fn calm(&mut self) -> Result<()> {
        self.link.late(Duration::ZERO);
        self.cut_off(false);
        Ok(())
    }

    fn cut_off(&mut self, gone: bool) {
        if gone != self.gone {
            // A port on which nobody listens: connections are refused.
            self.link
                .leads_to(if gone { 1 } else { self.server.port() });
            self.gone = gone;
        }
    }

    fn asked(&self) -> usize {
        self.link.asked()
    }
}
