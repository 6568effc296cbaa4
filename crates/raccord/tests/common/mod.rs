//! A place with one line in its sheet and one receiver that misbehaves on command; commands run
//! in this process.

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
    // Plays the receiver while commands run.
    _runtime: tokio::runtime::Runtime,
}

impl Place {
    pub(crate) fn new() -> Self {
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
             [connectors.hook]\nkind = 'webhook'\nurl = '{}'\nsecret_file = 'secret'\n",
            receiver.url("/in")
        );
        let place = Self {
            folder,
            receiver,
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

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// Runs a command; gives how it ended and everything it said.
    pub(crate) fn run(&self, args: &[&str]) -> (Exit, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let now = ("RACCORD_NOW".to_owned(), "2027-01-02T08:00:00Z".to_owned());
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
        let config = self.folder.path().join("raccord.toml");
        let words = ["raccord", "--config", config.to_str().unwrap()];
        let words = words.iter().chain(args).map(OsString::from);
        let exit = execute(words, &mut shell, &Local);
        let said = String::from_utf8(out).unwrap() + &String::from_utf8(err).unwrap();
        (exit, said)
    }

    /// Runs a command for its JSON.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let (_, said) = self.run(&[args, &["--json"]].concat());
        let first = said.lines().next().unwrap_or_default();
        serde_json::from_str(first).unwrap_or_else(|_| panic!("{said}"))
    }

    /// How many events about activities the receiver took.
    pub(crate) fn received(&self) -> usize {
        let writes = self.receiver.writes();
        let about = |body: &[u8]| String::from_utf8_lossy(body).contains("org.raccord.activity");
        let taken = writes.iter().filter(|seen| seen.applied);
        taken.filter(|seen| about(&seen.body)).count()
    }
}
