//! The real gammu-smsd, with the modem that gammu plays itself (`model = dummy`). Where it is not
//! installed the test says so and does nothing; `RACCORD_REAL_GAMMU=1` makes that a failure.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

mod common;

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::spool::Spool;
use common::{Bench, NUMBER};
use raccord_model::Found;
use serde_json::json;

struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Daemon {
    fn start(spool: &Spool) -> Option<Self> {
        let folder = spool.folder.path().display();
        let settings = format!(
            "[gammu]\nmodel = dummy\nconnection = none\ndevice = {folder}/modem\n\
             [smsd]\nservice = files\nlogfile = {folder}/log\ndebuglevel = 1\nloopsleep = 1\ncommtimeout = 1\n\
             outboxpath = {folder}/outbox/\nsentsmspath = {folder}/sent/\n\
             errorsmspath = {folder}/error/\ninboxpath = {folder}/inbox/\n"
        );
        for name in ["modem", "inbox"] {
            std::fs::create_dir(spool.path(name)).unwrap();
        }
        std::fs::write(spool.path("rc"), settings).unwrap();
        let started = Command::new("gammu-smsd")
            .arg("--config")
            .arg(spool.path("rc"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        started.ok().map(Self)
    }
}

/// Waits for the daemon, which looks into its outbox every second.
fn until(what: impl Fn() -> bool) {
    let start = Instant::now();
    while !what() {
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "the daemon did not"
        );
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

#[tokio::test]
async fn gammu_smsd_sends_what_it_is_given_once_and_it_is_found_wherever_it_went() {
    let spool = Spool::new(None);
    let mut bench = Bench::new(spool.settings());
    let mut job = bench.job("0692 12 34 56", 1);
    let raccord_kit::Job::Write { desired, .. } = &mut job else {
        unreachable!("a message is written");
    };
    desired.body["text"] = json!("Rappel : l'été, ça vient, fête 😀");
    bench.tool.sink().unwrap().apply(&job).await.unwrap();
    let Some(daemon) = Daemon::start(&spool) else {
        assert!(
            std::env::var_os("RACCORD_REAL_GAMMU").is_none(),
            "gammu-smsd is not installed: apt install gammu-smsd"
        );
        eprintln!("gammu-smsd is not installed: nothing was tried");
        return;
    };
    until(|| spool.names("sent").len() == 1);
    assert!(matches!(bench.find(1).await, Found::Yes(_)));
    // Said again, also by another process, it is the same message.
    bench.restart();
    bench.tool.sink().unwrap().apply(&job).await.unwrap();
    bench.pass(1);
    bench.send(2).await.unwrap();
    until(|| spool.names("sent").len() == 2);
    drop(daemon);
    let log = std::fs::read_to_string(spool.path("log")).unwrap();
    let sent = |text: &str| log.matches(text).count();
    let to = format!("to \"{NUMBER}\"");
    assert_eq!(sent(&to), 2, "{log}");
    assert_eq!(sent("l'été, ça vient, fête 😀"), 1, "{log}");
    assert_eq!(spool.names("outbox"), [""; 0]);
    assert_eq!(spool.names("error"), [""; 0]);
}
