//! A Matrix server that is not ours, Synapse, and members who write in its rooms.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::wire;

/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(90);

/// How many messages a second an account may send, and how many at once.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// A second.
    pub per_second: f64,
    /// At once.
    pub burst: u32,
}

/// More than any test sends.
pub const NONE: Limit = Limit {
    per_second: 10_000.0,
    burst: 10_000,
};

/// A server at work; it is killed when this is dropped.
pub struct Server {
    child: Option<Child>,
    port: u16,
    folder: TempDir,
    /// How many events members sent: what tells one from the next.
    sent: AtomicU64,
}

/// Somebody with an account.
#[derive(Clone, Debug)]
pub struct Member {
    /// `@lou:localhost`.
    pub id: String,
    /// What stands for their password.
    pub token: String,
}

/// A message as members see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// Who wrote it.
    pub by: String,
    /// What it says now.
    pub text: String,
    /// The same as HTML.
    pub html: String,
    /// The message that starts its thread.
    pub thread: Option<String>,
    /// How often it was changed.
    pub changes: usize,
    /// Whom it notifies, as it says.
    pub mentions: Value,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Server {
    /// Starts one on a free port and waits until it answers.
    ///
    /// # Errors
    /// When it is not installed, or does not start.
    pub fn start(limit: Limit) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        configure(folder.path(), port, limit)?;
        let mut server = Self {
            child: None,
            port,
            folder,
            sent: AtomicU64::new(0),
        };
        server.resume()?;
        Ok(server)
    }

    /// Stops it as a power cut would.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }

    /// Starts it again where it was.
    ///
    /// # Errors
    /// When it does not start.
    pub fn resume(&mut self) -> Result<()> {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.path().join("said"))?;
        let child = Command::new(wire::python("synapse", "chats")?)
            .args(["-m", "synapse.app.homeserver", "--config-path"])
            .arg(self.folder.path().join("homeserver.yaml"))
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("Synapse does not start")?;
        self.child = Some(child);
        let until = Instant::now() + PATIENCE;
        while self.call("GET", "versions", None, None).is_err() {
            if Instant::now() > until {
                let said = std::fs::read_to_string(self.folder.path().join("said"));
                bail!("Synapse does not answer: {}", said.unwrap_or_default());
            }
            std::thread::park_timeout(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Makes an account.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn member(&self, name: &str) -> Result<Member> {
        let asked =
            json!({ "username": name, "password": "secret", "auth": { "type": "m.login.dummy" } });
        let made = self.call("POST", "v3/register", None, Some(&asked))?;
        let text = |field: &str| made[field].as_str().map(str::to_owned);
        Ok(Member {
            id: text("user_id").context("no account was made")?,
            token: text("access_token").context("no token was given")?,
        })
    }

    /// Makes a room `#name:localhost` that `owner` moderates and `guest` is invited to; gives its id.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn room(&self, owner: &Member, name: &str, guest: &Member) -> Result<String> {
        let asked = json!({
            "name": name, "room_alias_name": name, "preset": "private_chat", "invite": [guest.id],
            "power_level_content_override": { "users": { &owner.id: 100, &guest.id: 50 } },
            "room_version": "10",
        });
        let made = self.call("POST", "v3/createRoom", Some(owner), Some(&asked))?;
        let id = made["room_id"].as_str().context("no room was made")?;
        Ok(id.to_owned())
    }

    /// Says something in a room; gives the message's id.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn say(&self, member: &Member, room: &str, text: &str) -> Result<String> {
        self.send(
            member,
            room,
            "m.room.message",
            &json!({ "msgtype": "m.text", "body": text }),
        )
    }

    /// Sends an event; gives its id.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn send(&self, member: &Member, room: &str, kind: &str, content: &Value) -> Result<String> {
        let transaction = self.sent.fetch_add(1, Ordering::Relaxed);
        let path = format!("v3/rooms/{}/send/{kind}/{transaction}", quoted(room));
        let sent = self.call("PUT", &path, Some(member), Some(content))?;
        let id = sent["event_id"].as_str().context("nothing was sent")?;
        Ok(id.to_owned())
    }

    /// Takes a message away.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn take_away(&self, member: &Member, room: &str, message: &str) -> Result<()> {
        let path = format!(
            "v3/rooms/{}/redact/{}/{}",
            quoted(room),
            quoted(message),
            &message[1..9]
        );
        self.call("PUT", &path, Some(member), Some(&json!({})))
            .map(drop)
    }

    /// The messages of a room that were not taken away, oldest first.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn messages(&self, member: &Member, room: &str) -> Result<Vec<Message>> {
        let mut events = Vec::new();
        let mut from = String::new();
        loop {
            let path = format!("v3/rooms/{}/messages?dir=b&limit=500{from}", quoted(room));
            let page = self.call("GET", &path, Some(member), None)?;
            events.extend(page["chunk"].as_array().cloned().unwrap_or_default());
            match page["end"].as_str() {
                Some(end) => from = format!("&from={end}"),
                None => break,
            }
        }
        events.reverse();
        Ok(shown(&events))
    }

    /// The ids of the messages that are pinned in a room.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn pinned(&self, member: &Member, room: &str) -> Result<Vec<String>> {
        let path = format!("v3/rooms/{}/state/m.room.pinned_events", quoted(room));
        let state = self.call("GET", &path, Some(member), None)?;
        let pinned = state["pinned"].as_array().into_iter().flatten();
        Ok(pinned
            .filter_map(|id| Some(id.as_str()?.to_owned()))
            .collect())
    }

    /// A call of the Client-Server API.
    ///
    /// # Errors
    /// When it is not answered with a yes.
    pub fn call(
        &self,
        method: &str,
        path: &str,
        member: Option<&Member>,
        body: Option<&Value>,
    ) -> Result<Value> {
        let token = member.map(|member| format!("Bearer {}", member.token));
        let mut headers = vec![("Content-Type", "application/json")];
        headers.extend(token.as_deref().map(|token| ("Authorization", token)));
        let body = body.map(Value::to_string).unwrap_or_default();
        let path = format!("/_matrix/client/{path}");
        let (status, answer) = wire::call(self.port, method, &path, &headers, body.as_bytes())?;
        let said = String::from_utf8_lossy(&answer);
        ensure!(
            (200..300).contains(&status),
            "{method} {path}: {status} {said}"
        );
        Ok(serde_json::from_slice(&answer)?)
    }
}

/// What members see of events.
fn shown(events: &[Value]) -> Vec<Message> {
    let mut messages: Vec<Message> = Vec::new();
    for event in events {
        let content = &event["content"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let relates = &content["m.relates_to"];
        let gone = event["unsigned"].get("redacted_because").is_some();
        if event["type"] != "m.room.message" || gone {
            continue;
        }
        if relates["rel_type"] == "m.replace" {
            let of = text(&relates["event_id"]);
            let new = &content["m.new_content"];
            for message in messages.iter_mut().filter(|message| message.id == of) {
                message.text = text(&new["body"]);
                message.html = text(&new["formatted_body"]);
                message.mentions = new["m.mentions"].clone();
                message.changes += 1;
            }
            continue;
        }
        messages.push(Message {
            id: text(&event["event_id"]),
            by: text(&event["sender"]),
            text: text(&content["body"]),
            html: text(&content["formatted_body"]),
            thread: (relates["rel_type"] == "m.thread").then(|| text(&relates["event_id"])),
            changes: 0,
            mentions: content["m.mentions"].clone(),
        });
    }
    messages
}

/// A name as it stands in a path.
fn quoted(name: &str) -> String {
    name.replace('!', "%21")
        .replace('#', "%23")
        .replace('$', "%24")
        .replace(':', "%3A")
}

fn configure(folder: &Path, port: u16, limit: Limit) -> Result<()> {
    let at = folder.display();
    let Limit { per_second, burst } = limit;
    let open = "per_second: 10000\n  burst_count: 10000";
    let config = format!(
        "server_name: localhost\n\
         pid_file: {at}/pid\n\
         listeners:\n- port: {port}\n  bind_addresses: ['127.0.0.1']\n  type: http\n  tls: false\n  resources:\n  - names: [client]\n    compress: false\n\
         database:\n  name: sqlite3\n  args:\n    database: {at}/store\n\
         log_config: {at}/log.yaml\nmedia_store_path: {at}/media\nsigning_key_path: {at}/key\n\
         macaroon_secret_key: a\nform_secret: b\nreport_stats: false\n\
         trusted_key_servers: []\nsuppress_key_server_warning: true\npresence:\n  enabled: false\n\
         enable_registration: true\nenable_registration_without_verification: true\n\
         rc_registration:\n  {open}\n\
         rc_message:\n  per_second: {per_second}\n  burst_count: {burst}\n\
         rc_joins:\n  local:\n    per_second: 1000\n    burst_count: 1000\n"
    );
    std::fs::write(folder.join("homeserver.yaml"), config)?;
    let log = format!(
        "version: 1\nhandlers:\n  file:\n    class: logging.FileHandler\n    filename: {at}/log\nroot:\n  level: WARNING\n  handlers: [file]\n"
    );
    std::fs::write(folder.join("log.yaml"), log)?;
    let made = Command::new(wire::python("synapse", "chats")?)
        .args([
            "-m",
            "synapse.app.homeserver",
            "--generate-keys",
            "--config-path",
        ])
        .arg(folder.join("homeserver.yaml"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    ensure!(made.success(), "Synapse makes no keys");
    Ok(())
}
