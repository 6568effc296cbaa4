//! Ten thousand connections at once, with few descriptors and with many: whoever was inside goes on
//! being served, whoever comes is told to come back, and nothing grows without end.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use raccord_tests::place::Place;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

const CROWD: usize = 10_000;
/// Whoever connects and says nothing is let go after so long.
const SILENT: Duration = Duration::from_secs(20);
/// What the test itself needs besides.
const SPARE: u64 = 200;

#[test]
fn ten_thousand_connections_cost_nobody_their_place() {
    let most = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
    let limit = Rlimit {
        current: Some(most.min(20_000)),
        maximum: Some(most),
    };
    setrlimit(Resource::Nofile, limit).unwrap();
    for descriptors in [128, 1_024, most.min(20_000)] {
        crowded(descriptors, most);
    }
}

fn crowded(descriptors: u64, most: u64) {
    let (place, mut daemon, address) = serve(descriptors);
    let mut inside = BufReader::new(connect(address));
    assert_eq!(ask(&mut inside), Some(200));

    let many = CROWD.min(usize::try_from(most.min(20_000) - SPARE).unwrap());
    let began = Instant::now();
    let mut crowd: Vec<TcpStream> = Vec::with_capacity(many);
    while crowd.len() < many {
        crowd.push(connect(address));
        if crowd.len().is_multiple_of(500) {
            assert_eq!(ask(&mut inside), Some(200), "{descriptors} descriptors");
        }
    }
    // One was inside before, one comes now, one is turned away by a crowd that does not read.
    assert_eq!(ask(&mut inside), Some(200), "{descriptors} descriptors");
    let told = ask(&mut BufReader::new(connect(address)));
    // Where connecting took longer, the first of the crowd were let go already.
    if began.elapsed() < SILENT {
        assert!(matches!(told, None | Some(503)), "{descriptors}: {told:?}");
    }
    assert!(began.elapsed() < Duration::from_secs(60), "{descriptors}");
    let resident = resident(&daemon);
    assert!(resident < 80_000, "{descriptors}: {resident} kB");

    // Work goes on meanwhile: a command reaches the daemon, and the sheet is read.
    place
        .save("p.csv", "Titre,Date\nBal,02/01/2027\n".as_bytes())
        .unwrap();
    let pass = place.run(&["sync"]).unwrap();
    assert_eq!(pass.code, 0, "{descriptors}: {}", pass.stderr);

    drop(crowd);
    let until = Instant::now() + Duration::from_secs(30);
    while ask(&mut BufReader::new(connect(address))) != Some(200) {
        assert!(
            Instant::now() < until,
            "{descriptors}: seats do not come back"
        );
    }
    let said = std::fs::read_to_string(place.path("daemon.log")).unwrap();
    assert!(
        said.lines().count() < 400,
        "{descriptors}: it talks too much"
    );
    daemon.kill().unwrap();
    daemon.wait().unwrap();
}

fn serve(descriptors: u64) -> (Place, Child, SocketAddr) {
    let address = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let place = Place::new(&format!(
        "[place]\nid = \"crowd\"\nname = \"Crowd\"\ntimezone = \"Indian/Reunion\"\nlanguage = \"fr\"\ndata = \"data\"\n\
         [web]\nlisten = \"{address}\"\n\
         [connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"p.csv\"\n\
         [connectors.site]\nkind = \"website\"\noutput = \"out\"\n"
    ))
    .unwrap();
    place
        .save("p.csv", "Titre,Date\nChorale,01/01/2027\n".as_bytes())
        .unwrap();
    let program = place.command(&["run"]).unwrap();
    let log = std::fs::File::create(place.path("daemon.log")).unwrap();
    let set = program
        .get_envs()
        .filter_map(|(name, value)| Some((name, value?)));
    let mut daemon = Command::new("sh")
        .args([
            "-c",
            &format!("ulimit -n {descriptors} && exec \"$0\" \"$@\""),
        ])
        .arg(program.get_program())
        .args(program.get_args())
        .envs(set)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    while TcpStream::connect(address).is_err() {
        assert!(Instant::now() < until, "it does not start");
        assert!(daemon.try_wait().unwrap().is_none(), "it ended");
        std::thread::yield_now();
    }
    (place, daemon, address)
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream
}

/// Asks whether it is alive; `None` where the connection was closed without a word.
fn ask(stream: &mut BufReader<TcpStream>) -> Option<u16> {
    let request = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
    stream.get_mut().write_all(request).ok()?;
    let mut line = String::new();
    stream.read_line(&mut line).ok()?;
    let status = line.split(' ').nth(1)?.parse().ok()?;
    let mut length = 0;
    while stream.read_line(&mut line).ok()? > 2 {
        let header = line
            .lines()
            .next_back()
            .unwrap_or_default()
            .to_ascii_lowercase();
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(status)
}

/// Its resident memory at its highest, in kB.
fn resident(daemon: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.unwrap()
        .trim()
        .trim_end_matches(" kB")
        .trim()
        .parse()
        .unwrap()
}
