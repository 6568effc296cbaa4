//! A place with a sheet and one receiver that misbehaves on command; commands run in this process.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses its own part; tests"
)]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Cursor;

use raccord::cli::{Shell, execute};
use raccord::report::Exit;
use raccord::runtime::Local;
use raccord_kit::standin::Standin;
use serde_json::Value;

pub(crate) struct Place {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) receiver: Standin,
    now: std::cell::RefCell<String>,
    // Plays the receiver while commands run.
    _runtime: tokio::runtime::Runtime,
}

impl Place {
    /// A place with one line in its sheet.
    pub(crate) fn new() -> Self {
        Self::with("")
    }

    /// The same with more configuration.
    pub(crate) fn with(more: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let receiver = runtime.block_on(Standin::start());
        let folder = tempfile::tempdir().unwrap();
        let config = format!(
            "[place]\nid = 'lieu'\nname = 'Le lieu'\ntimezone = 'Europe/Paris'\nlanguage = 'en'\ndata = 'data'\n\
             [connectors.sheet]\nkind = 'spreadsheet'\nlocation = 'programme.csv'\n\
             [connectors.hook]\nkind = 'webhook'\nurl = '{}'\nsecret_file = 'secret'\n{more}",
            receiver.url("/in")
        );
        let place = Self {
            folder,
            receiver,
            now: "2027-01-02T08:00:00Z".to_owned().into(),
            _runtime: runtime,
        };
        place.write("raccord.toml", &config);
        place.write("secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let mine = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(place.folder.path().join("secret"), mine).unwrap();
        place.write(
            "programme.csv",
            "Titre,Date,Début\nConcert,2027-01-09,20:30\n",
        );
        place
    }

    /// From now on it is that hour.
    pub(crate) fn at(&self, now: &str) {
        now.clone_into(&mut self.now.borrow_mut());
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// Runs a command; gives how it ended and everything it said.
    pub(crate) fn run(&self, args: &[&str]) -> (Exit, String) {
        let config = self.folder.path().join("raccord.toml");
        run_in(&config, &self.now.borrow(), args)
    }

    /// Runs a command for its JSON.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let (_, said) = self.run(&[args, &["--json"]].concat());
        let first = said.lines().next().unwrap_or_default();
        serde_json::from_str(first).unwrap_or_else(|_| panic!("{said}"))
    }

    /// The events about activities that the receiver took, in the order they came.
    pub(crate) fn events(&self) -> Vec<Value> {
        let writes = self.receiver.writes();
        let taken = writes.iter().filter(|seen| seen.applied);
        taken
            .map(|seen| serde_json::from_slice(&seen.body).unwrap())
            .filter(|event: &Value| {
                let kind = event["type"].as_str().unwrap();
                kind.starts_with("org.raccord.activity.")
            })
            .collect()
    }

    /// How many they are.
    pub(crate) fn received(&self) -> usize {
        self.events().len()
    }

    /// Every file of the place but the log's, with its content.
    pub(crate) fn files(&self) -> BTreeMap<std::path::PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.ends_with("data") {
                    continue;
                }
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let bytes = std::fs::read(&path).unwrap();
                    found.insert(path, bytes);
                }
            }
        }
        found
    }

    /// Writes the sheet: a header and these lines.
    pub(crate) fn sheet(&self, lines: &[String]) {
        let text = format!("Titre,Date,Début,Salle\n{}\n", lines.join("\n"));
        self.write("programme.csv", &text);
    }
}

/// Runs a command on the place of this configuration at that hour.
pub(crate) fn run_in(config: &std::path::Path, now: &str, args: &[&str]) -> (Exit, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let now = ("RACCORD_NOW".to_owned(), now.to_owned());
    let mut shell = Shell {
        env: BTreeMap::from([now]),
        input: &mut Cursor::new(Vec::new()),
        out: &mut out,
        err: &mut err,
        asks: false,
        paints_out: false,
        paints_err: false,
        draws: false,
    };
    let words = ["raccord", "--config", config.to_str().unwrap()];
    let words = words.iter().chain(args).map(OsString::from);
    let exit = execute(words, &mut shell, &Local);
    let said = String::from_utf8(out).unwrap() + &String::from_utf8(err).unwrap();
    (exit, said)
}

/// `n` lines, one activity a day from 9 January 2027.
pub(crate) fn lines(n: usize) -> Vec<String> {
    let titles = [
        "Bal",
        "Repas partagé",
        "Atelier vélo",
        "Ciné-club",
        "Chorale",
    ];
    let first = jiff::civil::date(2027, 1, 9);
    (0..n)
        .map(|i| {
            let day = first.saturating_add(jiff::ToSpan::days(i64::try_from(i).unwrap()));
            format!("{} {i},{day},20:30,Halle", titles[i % titles.len()])
        })
        .collect()
}
