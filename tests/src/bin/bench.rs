//! The benchmarks of `docs/performance.md`: sender, receiver and program on the same machine.

#![expect(clippy::print_stdout, reason = "a command that prints its figures")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};
use jiff::ToSpan as _;
use jiff::civil::Date;
use raccord_tests::cost::Cost;
use raccord_tests::many;
use raccord_tests::place::Place;
use raccord_tests::receiver::Receiver;
use raccord_tests::rooms::{Kind, load};
use raccord_tests::rush::{self, Crowd};

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Events accepted durably and delivered to a webhook receiver, as many as it can.
    Events {
        /// For so many seconds.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// From so many connections.
        #[arg(long, default_value_t = 32)]
        connections: usize,
        /// All about one subject.
        #[arg(long)]
        one_subject: bool,
        /// To another program that listens here, instead of to Raccord.
        #[arg(long, requires = "receiver")]
        against: Option<SocketAddr>,
        /// Where that program delivers to.
        #[arg(long, default_value = "127.0.0.1:0")]
        receiver: SocketAddr,
    },
    /// From sender to receiver at 50 events a second, beside the bare path.
    Latency {
        /// For so many seconds.
        #[arg(long, default_value_t = 20)]
        seconds: u64,
    },
    /// Resident memory after the sample was read and printed once.
    Memory {
        /// After so many seconds.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
    /// A sheet of many lines: unchanged, one change, all dates moved.
    Large {
        /// The sheet (`make_large.py 100000 FILE`).
        sheet: std::path::PathBuf,
    },
    /// From the durable change of a line to the finished programme, the child's start included.
    Print {
        /// So many changes.
        #[arg(long, default_value_t = 20)]
        changes: usize,
    },
    /// From the durable change to twelve finished programmes: the sample, every month of a year.
    Year {
        /// So many times.
        #[arg(long, default_value_t = 5)]
        changes: usize,
    },
    /// Many places in one process, each with a sheet on a web server that does not change.
    Places {
        /// So many.
        #[arg(long, default_value_t = 1_000)]
        places: usize,
        /// Looked at for so many seconds; each asks for its sheet every five minutes.
        #[arg(long, default_value_t = 300)]
        seconds: u64,
    },
    /// Messages that wait for a chat, and are then said.
    Chat {
        /// To which.
        kind: Kind,
        /// So many wait.
        #[arg(long, default_value_t = 10_000)]
        queued: usize,
        /// So many of them are said.
        #[arg(long, default_value_t = 400)]
        said: usize,
    },
    /// People who look at the sign-up pages at once, and who want the same few places.
    Hands {
        /// So many people want a place.
        #[arg(long, default_value_t = 500)]
        people: usize,
        /// So many places there are.
        #[arg(long, default_value_t = 30)]
        places: usize,
        /// Within so many seconds they press the button.
        #[arg(long, default_value_t = 5)]
        seconds: u64,
        /// So many activities are in the sheet, each with two tasks.
        #[arg(long, default_value_t = 500)]
        activities: usize,
        /// So many people look at the same moment.
        #[arg(long, default_value_t = 200)]
        lookers: usize,
    },
    /// First answer after a start with a log of many events.
    Start {
        /// So many events.
        #[arg(long, default_value_t = 100_000)]
        events: usize,
    },
}

fn main() -> Result<()> {
    match Arguments::parse().what {
        What::Events {
            seconds,
            connections,
            one_subject,
            against,
            receiver,
        } => {
            let (receiver, delivered) = counting(receiver)?;
            let load = Load {
                seconds,
                connections,
                one_subject,
                delivered,
            };
            if let Some(address) = against {
                return events(&load, address, None);
            }
            let served = serve(&format!(
                "[connectors.hook]\nkind = \"webhook\"\nurl = \"http://{receiver}/in\"\n"
            ))?;
            events(&load, served.address, Some(served.daemon.id()))
        }
        What::Latency { seconds } => latency(seconds),
        What::Memory { seconds } => memory(seconds),
        What::Large { sheet } => large(&sheet),
        What::Print { changes } => print(changes),
        What::Year { changes } => year(changes),
        What::Places { places, seconds } => {
            println!("{:#?}", many::run(places, Duration::from_secs(seconds))?);
            Ok(())
        }
        What::Chat { kind, queued, said } => {
            print!("{}", load(kind, queued, said)?);
            Ok(())
        }
        What::Hands {
            people,
            places,
            seconds,
            activities,
            lookers,
        } => {
            let crowd = Crowd {
                people,
                places,
                within: Duration::from_secs(seconds),
                activities,
                lookers,
            };
            print!("{}", rush::run(crowd)?);
            Ok(())
        }
        What::Start { events } => start(events),
    }
}

/// A place with a webhook and a door for events.
struct Served {
    place: Place,
    daemon: Child,
    address: SocketAddr,
}

fn serve(config: &str) -> Result<Served> {
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let text = format!(
        "[place]\nid = \"bench\"\nname = \"Bench\"\ntimezone = \"Indian/Reunion\"\nlanguage = \"fr\"\ndata = \"data\"\n\
         [web]\nlisten = \"{address}\"\nadmin_token = \"bench\"\n{config}"
    );
    let place = Place::new(&text)?;
    let daemon = place.start()?;
    wait_for(address, "/healthz")?;
    Ok(Served {
        place,
        daemon,
        address,
    })
}

impl Drop for Served {
    fn drop(&mut self) {
        // It is thrown away either way.
        drop(self.daemon.kill());
        drop(self.daemon.wait());
    }
}

fn pause(time: Duration) {
    std::thread::park_timeout(time);
}

fn wait_for(address: SocketAddr, path: &str) -> Result<Duration> {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(60) {
        if get(address, path).is_ok() {
            return Ok(began.elapsed());
        }
        pause(Duration::from_millis(2));
    }
    anyhow::bail!("no answer within a minute")
}

fn get(address: SocketAddr, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer bench\r\nconnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    ensure!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    Ok(answer)
}

/// Posts one event on an open connection; gives the status.
fn post(stream: &mut BufReader<TcpStream>, id: &str, subject: &str) -> Result<u16> {
    let filler = "x".repeat(150);
    let body = format!(
        "{{\"specversion\":\"1.0\",\"id\":\"{id}\",\"source\":\"/bench\",\"type\":\"org.raccord.activity.updated.v1\",\
         \"subject\":\"{subject}\",\"data\":{{\"title\":\"Activité {id}\",\"start\":\"2027-01-15T20:30\",\
         \"end\":\"2027-01-15T22:30\",\"room\":\"Grande halle\",\"description\":\"{filler}\"}}}}"
    );
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer bench\r\n\
         content-type: application/cloudevents+json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream
        .get_mut()
        .write_all(&[head.as_bytes(), body.as_bytes()].concat())?;
    answer(stream)
}

fn answer(stream: &mut BufReader<TcpStream>) -> Result<u16> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let status = line.split(' ').nth(1).context("a status line")?.parse()?;
    let mut length = 0_usize;
    loop {
        line.clear();
        stream.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse()?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(status)
}

/// A receiver that only counts: what is measured is not the receiver.
fn counting(address: SocketAddr) -> Result<(SocketAddr, Arc<AtomicU64>)> {
    let listener = TcpListener::bind(address)?;
    let address = listener.local_addr()?;
    let count = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&count);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let counted = Arc::clone(&counted);
            std::thread::spawn(move || drop(count_requests(stream, &counted)));
        }
    });
    Ok((address, count))
}

fn count_requests(stream: TcpStream, counted: &AtomicU64) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let mut length = 0_usize;
        loop {
            line.clear();
            reader.read_line(&mut line)?;
            if line.trim().is_empty() {
                break;
            }
            if line.len() > 15 && line[..15].eq_ignore_ascii_case("content-length:") {
                length = line[15..].trim().parse()?;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        counted.fetch_add(1, Ordering::Relaxed);
        reader
            .get_mut()
            .write_all(b"HTTP/1.1 204 No Content\r\n\r\n")?;
    }
}

/// What is sent, and what of it has arrived.
struct Load {
    seconds: u64,
    connections: usize,
    one_subject: bool,
    delivered: Arc<AtomicU64>,
}

/// Sends to whoever listens at `address`; `daemon` is looked at where it is known.
fn events(load: &Load, address: SocketAddr, daemon: Option<u32>) -> Result<()> {
    let (one_subject, delivered) = (load.one_subject, &load.delivered);
    let stop = Arc::new(AtomicBool::new(false));
    let cpu = daemon.map(|pid| Cost(pid).cpu()).transpose()?;
    let began = Instant::now();
    let senders: Vec<_> = (0..load.connections)
        .map(|sender| {
            let stop = Arc::clone(&stop);
            std::thread::spawn(move || -> Result<(u64, u64)> {
                let stream = TcpStream::connect(address)?;
                stream.set_nodelay(true)?;
                let mut stream = BufReader::new(stream);
                let (mut taken, mut refused) = (0, 0);
                while !stop.load(Ordering::Relaxed) {
                    let id = format!("{sender}-{}", taken + refused);
                    let subject = if one_subject {
                        "one".to_owned()
                    } else {
                        id.clone()
                    };
                    if post(&mut stream, &id, &subject)? == 202 {
                        taken += 1;
                    } else {
                        refused += 1;
                    }
                }
                Ok((taken, refused))
            })
        })
        .collect();
    pause(Duration::from_secs(load.seconds));
    stop.store(true, Ordering::Relaxed);
    let (mut taken, mut refused) = (0, 0);
    for sender in senders {
        let (some, none) = sender
            .join()
            .map_err(|_| anyhow::anyhow!("a sender panicked"))??;
        taken += some;
        refused += none;
    }
    let took = began.elapsed().as_secs_f64();
    pause(Duration::from_secs(1));
    let soon = delivered.load(Ordering::Relaxed);
    println!(
        "accepted  {taken} in {took:.1} s: {:.0}/s ({refused} refused)",
        taken as f64 / took
    );
    println!(
        "delivered {soon} within 1 s: {:.2} %",
        100.0 * soon as f64 / taken as f64
    );
    if let Some((daemon, cpu)) = daemon.zip(cpu) {
        let used = Cost(daemon).cpu()? - cpu;
        println!("CPU       {:.0} µs per event", used / taken as f64 * 1e6);
        println!("resident  {:.1} MB", Cost(daemon).resident()?);
    }
    let until = Instant::now() + Duration::from_secs(120);
    while delivered.load(Ordering::Relaxed) < taken && Instant::now() < until {
        pause(Duration::from_millis(100));
    }
    println!("all       {} of {taken}", delivered.load(Ordering::Relaxed));
    Ok(())
}

fn latency(seconds: u64) -> Result<()> {
    let receiver = Receiver::start()?;
    let served = serve(&format!(
        "[connectors.hook]\nkind = \"webhook\"\nurl = \"http://{}/in\"\n",
        receiver.address
    ))?;
    let mut through = Vec::new();
    let mut bare = Vec::new();
    let mut direct = BufReader::new(TcpStream::connect(receiver.address)?);
    let mut stream = BufReader::new(TcpStream::connect(served.address)?);
    for (n, tick) in (0..seconds * 50).zip(1_u32..) {
        let began = Instant::now();
        let before = receiver.received().len();
        let status = post(&mut stream, &format!("e{n}"), &format!("s{n}"))?;
        ensure!(status == 202, "{status}");
        ensure!(
            receiver.wait(Duration::from_secs(5), |received| received.len() > before),
            "event {n} did not arrive"
        );
        through.push(began.elapsed());
        let began = Instant::now();
        direct.get_mut().write_all(
            format!("POST /in HTTP/1.1\r\nhost: b\r\nwebhook-id: bare{n}\r\ncontent-length: 300\r\n\r\n{}", "y".repeat(300)).as_bytes(),
        )?;
        answer(&mut direct)?;
        bare.push(began.elapsed());
        if let Some(left) =
            Duration::from_millis(20).checked_sub(through[through.len() - 1] + bare[bare.len() - 1])
        {
            pause(left);
        }
        debug_assert!(tick > 0);
    }
    let p = |list: &mut Vec<Duration>, share: f64| {
        list.sort();
        list[((list.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3
    };
    println!(
        "bare    p50 {:.2} ms, p99 {:.2} ms",
        p(&mut bare, 0.5),
        p(&mut bare, 0.99)
    );
    println!(
        "raccord p50 {:.2} ms, p99 {:.2} ms",
        p(&mut through, 0.5),
        p(&mut through, 0.99)
    );
    Ok(())
}

fn memory(seconds: u64) -> Result<()> {
    let sheet = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/programme.ods");
    let served = serve(&format!(
        "[connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"{}\"\n\
         [connectors.site]\nkind = \"website\"\noutput = \"out/site\"\n\
         [connectors.printed]\nkind = \"programme\"\noutput = \"out\"\n",
        sheet.display()
    ))?;
    let pdf = served.place.path("out/programme-2027-01.pdf");
    let until = Instant::now() + Duration::from_secs(60);
    while !pdf.exists() && Instant::now() < until {
        pause(Duration::from_millis(50));
    }
    ensure!(pdf.exists(), "the programme was not printed");
    pause(Duration::from_secs(seconds));
    println!(
        "resident {:.1} MB after {seconds} s",
        Cost(served.daemon.id()).resident()?
    );
    Ok(())
}

fn large(sheet: &Path) -> Result<()> {
    let receiver = Receiver::start()?;
    let text = std::fs::read_to_string(sheet)?;
    let mut served = serve(&format!(
        "[connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"large.csv\"\n\
         [connectors.hook]\nkind = \"webhook\"\nurl = \"http://{}/in\"\n[guards]\nsecond_look = \"0s\"\n",
        receiver.address
    ))?;
    let began = Instant::now();
    served.place.save("large.csv", text.as_bytes())?;
    let (mut arrived, mut last) = (0, began);
    while arrived == 0 || last.elapsed() < Duration::from_secs(10) {
        pause(Duration::from_millis(500));
        let now = receiver.received().len();
        if now > arrived {
            (arrived, last) = (now, Instant::now());
        }
    }
    println!(
        "first reading {arrived} events in {:.0} s",
        (last - began).as_secs_f64()
    );
    // What the first reading took is not what a day takes: all is measured from a fresh start.
    served.daemon.kill()?;
    served.daemon.wait()?;
    served.daemon = served.place.start()?;
    wait_for(served.address, "/healthz")?;
    pause(Duration::from_secs(5));
    let pid = served.daemon.id();
    println!("idle          resident {:.1} MB", Cost(pid).resident()?);

    let (idle, used) = (Cost(pid).peak()?, Cost(pid).cpu()?);
    served.place.save("large.csv", text.as_bytes())?;
    pause(Duration::from_secs(4));
    println!(
        "unchanged     {:.2} s of CPU, {:.1} MB above idle",
        Cost(pid).cpu()? - used,
        Cost(pid).peak()? - idle
    );

    let before = receiver.received().len();
    let changed = text.replacen("Ligne 50000.", "Ligne 50000 : du nouveau.", 1);
    let began = Instant::now();
    served.place.save("large.csv", changed.as_bytes())?;
    receiver.wait(Duration::from_secs(60), |received| received.len() > before);
    println!(
        "one changed   {} event after {:.2} s, peak {:.1} MB",
        receiver.received().len() - before,
        began.elapsed().as_secs_f64(),
        Cost(pid).peak()?
    );

    let before = receiver.received().len();
    let began = Instant::now();
    served
        .place
        .save("large.csv", shift_week(&changed).as_bytes())?;
    // Nothing changes; the receiver is told that something waits.
    receiver.wait(Duration::from_secs(120), |received| received.len() > before);
    println!(
        "a week later  told that it waits after {:.2} s, {} event, peak {:.1} MB",
        began.elapsed().as_secs_f64(),
        receiver.received().len() - before,
        Cost(pid).peak()?
    );
    // What waits, without the thousand changes that follow.
    let holds = served.place.say(&["holds"])?;
    println!("{}", holds.lines().take(2).collect::<Vec<_>>().join("\n"));
    Ok(())
}

/// Moves every date at the beginning of a line by seven days.
fn shift_week(text: &str) -> String {
    let shifted = |line: &str| -> Option<String> {
        let day: Date = line.get(..10)?.parse().ok()?;
        Some(format!(
            "{}{}",
            day.checked_add(7.days()).ok()?,
            &line[10..]
        ))
    };
    text.lines()
        .map(|line| shifted(line).unwrap_or_else(|| line.to_owned()))
        .collect::<Vec<_>>()
        .join("\n")
}

fn print(changes: usize) -> Result<()> {
    let receiver = Receiver::start()?;
    let served = serve(&format!(
        "[connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"programme.csv\"\n\
         [connectors.printed]\nkind = \"programme\"\noutput = \"out\"\n\
         [connectors.hook]\nkind = \"webhook\"\nurl = \"http://{}/in\"\n",
        receiver.address
    ))?;
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/programme.csv");
    let text = std::fs::read_to_string(sample)?;
    let pdf = served.place.path("out/programme-2027-01.pdf");
    // A finished programme is put in place of the former one: another file each time.
    let file = || std::fs::metadata(&pdf).map_or(0, |file| file.ino());
    let mut took = Vec::new();
    for change in 0..=changes {
        let (before, known) = (file(), receiver.received().len());
        let text = text.replacen("Grande halle", &format!("Salle {change}"), 1);
        served.place.save("programme.csv", text.as_bytes())?;
        ensure!(
            receiver.wait(Duration::from_secs(20), |received| received.len() > known),
            "change {change} was not seen"
        );
        let durable = Instant::now();
        while file() == before {
            ensure!(durable.elapsed() < Duration::from_secs(20), "not printed");
            pause(Duration::from_millis(1));
        }
        took.push(durable.elapsed());
        pause(Duration::from_secs(2));
    }
    // The first one prints all months of the sample.
    took.remove(0);
    took.sort();
    println!(
        "printed after p50 {:.0} ms, worst {:.0} ms",
        took[took.len() / 2].as_secs_f64() * 1e3,
        took[took.len() - 1].as_secs_f64() * 1e3
    );
    Ok(())
}

fn year(changes: usize) -> Result<()> {
    let receiver = Receiver::start()?;
    let served = serve(&format!(
        "[connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"programme.csv\"\n\
         [connectors.printed]\nkind = \"programme\"\noutput = \"out\"\n\
         [connectors.hook]\nkind = \"webhook\"\nurl = \"http://{}/in\"\n\
         [guards]\nchange_count = 100000\n",
        receiver.address
    ))?;
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/programme.csv");
    let text = std::fs::read_to_string(sample)?;
    let (head, lines) = text.split_once('\n').context("a header")?;
    let year: String = (1..=12)
        .flat_map(|month| {
            // No month has fewer days than the shortest.
            let kept = lines.lines().filter(|line| {
                line.get(8..10)
                    .is_some_and(|day| ("01"..="28").contains(&day))
            });
            kept.map(move |line| format!("2027-{month:02}{}\n", &line[7..]))
        })
        .collect();
    let files = || -> Vec<u64> {
        let file = |month| {
            served
                .place
                .path(format!("out/programme-2027-{month:02}.pdf"))
        };
        let inode = |month| std::fs::metadata(file(month)).map_or(0, |file| file.ino());
        (1..=12).map(inode).collect()
    };
    let mut took = Vec::new();
    for change in 0..=changes {
        let (before, known) = (files(), receiver.received().len());
        let text = year.replace("Grande halle", &format!("Salle {change}"));
        served
            .place
            .save("programme.csv", format!("{head}\n{text}").as_bytes())?;
        ensure!(
            receiver.wait(Duration::from_secs(60), |received| received.len() > known),
            "change {change} was not seen"
        );
        let durable = Instant::now();
        while files()
            .iter()
            .zip(&before)
            .any(|(now, before)| now == before)
        {
            ensure!(durable.elapsed() < Duration::from_secs(60), "not printed");
            pause(Duration::from_millis(1));
        }
        took.push(durable.elapsed());
        pause(Duration::from_secs(3));
    }
    took.remove(0);
    took.sort();
    println!(
        "12 months printed after p50 {:.0} ms, worst {:.0} ms",
        took[took.len() / 2].as_secs_f64() * 1e3,
        took[took.len() - 1].as_secs_f64() * 1e3
    );
    Ok(())
}

fn start(events: usize) -> Result<()> {
    let mut served = serve("")?;
    let mut stream = BufReader::new(TcpStream::connect(served.address)?);
    for n in 0..events.div_ceil(1_000) {
        let batch: Vec<String> = (0..1_000)
            .map(|k| {
                format!(
                    "{{\"specversion\":\"1.0\",\"id\":\"{n}-{k}\",\"source\":\"/bench\",\"type\":\"org.raccord.activity.created.v1\",\
                     \"subject\":\"{n}-{k}\",\"data\":{{\"title\":\"Activité {n} {k}\",\"start\":\"2027-01-15T20:30\"}}}}"
                )
            })
            .collect();
        let body = format!("[{}]", batch.join(","));
        write!(
            stream.get_mut(),
            "POST /v1/events HTTP/1.1\r\nhost: b\r\nauthorization: Bearer bench\r\ncontent-type: application/cloudevents-batch+json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )?;
        let status = answer(&mut stream)?;
        ensure!(status == 202, "{status}");
    }
    pause(Duration::from_secs(8));
    served.daemon.kill()?;
    served.daemon.wait()?;
    let began = Instant::now();
    served.daemon = served.place.start()?;
    wait_for(served.address, "/healthz")?;
    let first = began.elapsed().as_secs_f64() * 1e3;
    wait_for(served.address, "/readyz")?;
    println!(
        "first answer {first:.0} ms after the start, ready after {:.0} ms, resident {:.1} MB",
        began.elapsed().as_secs_f64() * 1e3,
        Cost(served.daemon.id()).resident()?
    );
    Ok(())
}
