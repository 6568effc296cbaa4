//! Many places in one process that have nothing to do: what they cost, and that they still hear.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::cost::Cost;
use crate::place::Place;
use crate::working::Working;

/// How often each place asks for its sheet.
const EVERY: &str = "5m";

/// With fewer threads than this no place is awake.
const AT_REST: usize = 12;

/// What many idle places cost.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    /// How many there are.
    pub places: usize,
    /// Until each had read its sheet and made its pages.
    pub first: Duration,
    /// The same after a restart, until every one was there.
    pub again: Duration,
    /// Resident, at rest, in MB.
    pub resident: f64,
    /// The most that was resident since the restart, in MB.
    pub peak: f64,
    /// Open descriptors, at rest.
    pub descriptors: usize,
    /// Threads, at rest.
    pub threads: usize,
    /// The share of one core while nothing changed.
    pub core: f64,
    /// How often sheets were asked for meanwhile, each answered with 304.
    pub polls: u64,
    /// How long the first visitor of a place at rest waits for its page.
    pub visit: Duration,
}

/// Starts `places` places, each with a sheet on a web server, a site and a printed programme; looks
/// at them for `watched` once they are at rest.
///
/// # Errors
/// When something does not start or answer.
pub fn run(places: usize, watched: Duration) -> Result<Report> {
    let sheets = Sheets::start()?;
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let files: Vec<(String, String)> = (0..places)
        .map(|n| {
            (
                format!("lieu{n}.toml"),
                settings(n, sheets.address, address),
            )
        })
        .collect();
    let files: Vec<(&str, String)> = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.clone()))
        .collect();
    let patience = Duration::from_secs(60 + places as u64);

    let (began, place) = (Instant::now(), Place::several(&files)?);
    let working = Working::start_at(address, place)?;
    let made = |n: usize| {
        let page = format!("out/lieu{n}/activities.json");
        working.place.path(page).exists()
    };
    wait(patience, "not every place made its pages", || {
        (0..places).all(made)
    })?;
    let first = began.elapsed();
    let place = working.leave()?;

    // What the first reading took is not what a day takes.
    let (began, asked) = (Instant::now(), sheets.unchanged());
    let working = Working::start_at(address, place)?;
    let process = Cost(working.pid());
    wait(patience, "not every place asked again", || {
        sheets.unchanged() >= asked + places as u64
    })?;
    let again = began.elapsed();
    wait(patience, "the places do not come to rest", || {
        process.threads().is_ok_and(|all| all < AT_REST)
    })?;
    let peak = process.peak()?;
    pause(Duration::from_secs(10));

    let (used, asked, began) = (process.cpu()?, sheets.unchanged(), Instant::now());
    pause(watched);
    Ok(Report {
        places,
        first,
        again,
        resident: process.resident()?,
        peak,
        descriptors: process.descriptors()?,
        threads: process.threads()?,
        core: (process.cpu()? - used) / began.elapsed().as_secs_f64(),
        polls: sheets.unchanged() - asked,
        visit: visit(&working, places / 2)?,
    })
}

fn settings(n: usize, sheets: SocketAddr, listen: SocketAddr) -> String {
    let web = match n {
        0 => format!("[web]\nlisten = \"{listen}\"\nadmin_token = \"bench\"\n"),
        _ => String::new(),
    };
    format!(
        "[place]\nid = \"lieu{n}\"\nname = \"Lieu {n}\"\ntimezone = \"Indian/Reunion\"\nlanguage = \"fr\"\ndata = \"../data/lieu{n}\"\n\
         [connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"http://{sheets}/{n}.csv\"\nevery = \"{EVERY}\"\n\
         [connectors.site]\nkind = \"website\"\noutput = \"../out/lieu{n}\"\n\
         [connectors.hook]\nkind = \"webhook\"\nurl = \"http://{sheets}/in\"\n{web}"
    )
}

/// How long a visitor of a place at rest waits for its page.
fn visit(working: &Working, n: usize) -> Result<Duration> {
    let began = Instant::now();
    let (_, page) = working.get(&format!("/p/lieu{n}/"))?;
    ensure!(
        page.contains("Concert"),
        "the place does not show its activities: {page}"
    );
    Ok(began.elapsed())
}

/// A web server that has a sheet for each place, and says when one was not changed.
struct Sheets {
    address: SocketAddr,
    unchanged: Arc<AtomicU64>,
}

impl Sheets {
    fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let unchanged = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&unchanged);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let count = Arc::clone(&count);
                // Whoever hangs up is served no more.
                thread::spawn(move || drop(serve(stream, &count)));
            }
        });
        Ok(Self { address, unchanged })
    }

    fn unchanged(&self) -> u64 {
        self.unchanged.load(Ordering::SeqCst)
    }
}

fn serve(stream: TcpStream, unchanged: &AtomicU64) -> Result<()> {
    let mut write = stream.try_clone()?;
    let mut read = BufReader::new(stream);
    loop {
        let (mut known, mut length) = (false, 0);
        let mut first = true;
        loop {
            let mut line = String::new();
            if read.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let line = line.trim_end().to_ascii_lowercase();
            if line.is_empty() && !first {
                break;
            }
            first = false;
            known |= line.starts_with("if-none-match:");
            if let Some(said) = line.strip_prefix("content-length:") {
                length = said.trim().parse()?;
            }
        }
        let mut body = vec![0; length];
        read.read_exact(&mut body)?;
        if length > 0 {
            write.write_all(b"HTTP/1.1 204 No Content\r\n\r\n")?;
        } else if known {
            unchanged.fetch_add(1, Ordering::SeqCst);
            write.write_all(b"HTTP/1.1 304 Not Modified\r\netag: \"1\"\r\n\r\n")?;
        } else {
            let sheet = sheet();
            let head = "HTTP/1.1 200 OK\r\netag: \"1\"\r\ncontent-type: text/csv\r\n";
            write!(
                write,
                "{head}content-length: {}\r\n\r\n{sheet}",
                sheet.len()
            )?;
        }
    }
}

/// A month as places have it: twenty lines.
fn sheet() -> String {
    let head = "Titre,Date,Heure,Salle,Description\n".to_owned();
    let line = |day: usize| {
        format!(
            "Concert {day},{day:02}/01/2027,20h30,Grande salle,Avec des musiciens de la région et un repas partagé\n"
        )
    };
    std::iter::once(head).chain((5..25).map(line)).collect()
}

fn wait(patience: Duration, what: &'static str, mut there: impl FnMut() -> bool) -> Result<()> {
    let until = Instant::now() + patience;
    while !there() {
        ensure!(Instant::now() < until, what);
        pause(Duration::from_millis(100));
    }
    Ok(())
}

fn pause(time: Duration) {
    thread::park_timeout(time);
}
