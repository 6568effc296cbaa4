//! A crowd at the sign-up pages: all look at once, all want the same few places.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Barrier, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use crate::place::Place;
use crate::smtp::{Server, Taken};
use crate::visitor::{Page, Visitor};
use crate::wire;
use crate::working::{TOKEN, Working};

/// So many links are sent before a place says that it is a lot in little time.
const LINKS: usize = 250;

/// How a crowd is to be.
#[derive(Clone, Copy, Debug)]
pub struct Crowd {
    /// How many people want a place.
    pub people: usize,
    /// How many places there are.
    pub places: usize,
    /// Within what time they press the button.
    pub within: Duration,
    /// How many activities the place has, each with two tasks.
    pub activities: usize,
    /// How many people look at what needs hands, at once.
    pub lookers: usize,
}

/// The times of many answers.
#[derive(Clone, Debug, Default)]
pub struct Times(Vec<Duration>);

impl Times {
    /// The time within which this share of the answers came.
    pub fn within(&self, share: f64) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let last = sorted.len().saturating_sub(1);
        let at = (last as f64 * share).ceil() as usize;
        sorted.get(at).copied().unwrap_or_default()
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |share| self.within(share).as_secs_f64() * 1e3;
        write!(
            f,
            "p50 {:.1} ms, p99 {:.1} ms, worst {:.1} ms",
            ms(0.5),
            ms(0.99),
            ms(1.0)
        )
    }
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Report {
    crowd: Crowd,
    /// Durable events one after the other, nobody looking.
    pub alone: Times,
    /// The same while all look.
    pub beside: Times,
    /// Pages of those who look, all asking at the same moment, then again and again.
    pub looked: Times,
    /// How many of them were told to come back.
    pub sent_away: usize,
    /// From pressing the button to the answer that it is done.
    pub pressed: Times,
    /// The page after it, which says how one stands.
    pub shown: Times,
    /// How many have a place, and how many wait.
    pub on: usize,
    /// How many wait, each with a number of their own.
    pub waiting: usize,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Crowd {
            people,
            places,
            within,
            activities,
            lookers,
        } = self.crowd;
        writeln!(f, "{activities} activities, each with two tasks")?;
        writeln!(f, "events one by one    {}", self.alone)?;
        writeln!(f, "  while {lookers} look    {}", self.beside)?;
        writeln!(
            f,
            "pages of those       {} ({} told to come back)",
            self.looked, self.sent_away
        )?;
        writeln!(
            f,
            "{people} people press within {within:?}, {places} places"
        )?;
        writeln!(f, "signed up            {}", self.pressed)?;
        writeln!(f, "the page after it    {}", self.shown)?;
        writeln!(f, "on {}, waiting {}", self.on, self.waiting)
    }
}

/// Lets a crowd come, and says what came of it.
///
/// # Errors
/// When something does not start or answer, or a place was given twice.
pub fn run(crowd: Crowd) -> Result<Report> {
    let mail = Server::start()?;
    let mut working = Working::start(|address| {
        let place = Place::new(&settings(address, &mail))?;
        place.save("token", TOKEN.as_bytes())?;
        place.save("p.csv", sheet(crowd).as_bytes())?;
        Ok(place)
    })?;
    let subject = Mutex::new(None);
    working.until("the tasks do not come", || {
        let found = wanted(&working).ok();
        let came = found.is_some();
        *locked(&subject) = found;
        came
    });
    let subject = locked(&subject).take().context("the task is there")?;
    let alone = posts(working.address(), "alone", &mut || false, 100)?;
    let (looked, sent_away, beside) = look(&working, crowd.lookers)?;
    let mut people = Vec::new();
    while people.len() < crowd.people {
        let many = LINKS.min(crowd.people - people.len());
        people.extend(signed_in(&working, &mail, people.len(), many)?);
        // How many links were asked for is not kept beyond a start.
        let address = working.address();
        let place = working.leave()?;
        working = Working::start_at(address, place)?;
    }
    let pages = press(&mut people, &subject, crowd.within)?;
    let mut report = Report {
        crowd,
        alone,
        beside,
        looked,
        sent_away,
        pressed: Times(pages.iter().map(|(pressed, ..)| *pressed).collect()),
        shown: Times(pages.iter().map(|(_, shown, _)| *shown).collect()),
        on: 0,
        waiting: 0,
    };
    let mut ranks = BTreeSet::new();
    for (.., page) in &pages {
        match page.text.split_once("En attente, au rang ") {
            Some((_, rest)) => {
                let rank = rest.split('<').next().unwrap_or_default();
                ensure!(ranks.insert(rank.parse::<usize>()?), "two at rank {rank}");
            }
            None => report.on += usize::from(page.text.contains("Inscrit·e")),
        }
    }
    report.waiting = ranks.len();
    let most = crowd.places.min(crowd.people);
    ensure!(report.on == most, "{} have one of {most} places", report.on);
    ensure!(
        ranks.into_iter().eq(1..=crowd.people - most),
        "a number of the list is missing"
    );
    Ok(report)
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn settings(address: SocketAddr, mail: &Server) -> String {
    format!(
        "[place]\nid = \"lieu\"\nname = \"Le lieu\"\ntimezone = \"Indian/Reunion\"\nlanguage = \"fr\"\ndata = \"data\"\n\
         [web]\nlisten = \"{address}\"\npublic_url = \"http://{address}\"\nadmin_token_file = \"token\"\n\
         [connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"p.csv\"\n\
         [connectors.hands]\nkind = \"signup\"\nurl = \"smtp://127.0.0.1:{}\"\nfrom = \"Le lieu <lieu@example.org>\"\n\
         [[recipes]]\nwhen = {{ kind = \"Réunion\" }}\ntasks = [{{ title = \"Animer\", capacity = 1 }}, {{ title = \"Participer\" }}]\n\
         [guards]\nsecond_look = \"0s\"\nchange_count = 100000\n",
        mail.port()
    )
}

/// The first line is what everybody wants.
fn sheet(crowd: Crowd) -> String {
    let mut text = format!(
        "Titre,Date,Heure,Type,Salle,Bénévoles\nGrand bal,02/01/2027,18h30,Bal,Halle,Tenir le bar {}\n",
        crowd.places
    );
    for n in 0..crowd.activities {
        let (month, day) = (2 + n % 11, 1 + n / 11 % 28);
        writeln!(
            text,
            "Réunion {n},{day:02}/{month:02}/2027,18h30,Réunion,Halle,"
        )
        .expect("writing into memory");
    }
    text
}

/// The id of the task everybody wants, once every activity has its tasks.
fn wanted(working: &Working) -> Result<String> {
    let (status, page) = working.get("/hands")?;
    ensure!(status == 200, "{status}");
    let (before, _) = page.split_once(">Tenir le bar</a>").context("not yet")?;
    let link = before.rsplit("href=\"").next().context("a link")?;
    let id = link.trim_end_matches('"').rsplit('/').next();
    Ok(id.context("an id")?.to_owned())
}

/// Posts events one after the other, `most` of them or until `enough`; gives how long each took to be
/// durable.
fn posts(
    address: SocketAddr,
    name: &str,
    enough: &mut dyn FnMut() -> bool,
    most: usize,
) -> Result<Times> {
    let bearer = format!("Bearer {TOKEN}");
    let headers = [
        ("Content-Type", "application/cloudevents+json"),
        ("Authorization", bearer.as_str()),
    ];
    let mut times = Times::default();
    for n in 0..most {
        if enough() {
            break;
        }
        let event = format!(
            "{{\"specversion\":\"1.0\",\"id\":\"{name}{n}\",\"source\":\"/rush\",\"type\":\"org.raccord.activity.created.v1\",\
             \"subject\":\"{name}{n}\",\"data\":{{\"title\":\"Atelier {n}\",\"start\":\"2027-03-15T20:30\"}}}}"
        );
        let began = Instant::now();
        let (status, _) = wire::call(
            address.port(),
            "POST",
            "/v1/events",
            &headers,
            event.as_bytes(),
        )?;
        times.0.push(began.elapsed());
        ensure!(status == 202, "{status}");
    }
    Ok(times)
}

/// All look at once, five times each, while somebody else's events are to be made durable.
fn look(working: &Working, lookers: usize) -> Result<(Times, usize, Times)> {
    let address = working.address();
    let (start, over) = (Barrier::new(lookers + 1), AtomicBool::new(false));
    thread::scope(|scope| {
        let all: Vec<_> = (0..lookers)
            .map(|_| {
                scope.spawn(|| -> Result<(Vec<Duration>, usize)> {
                    let mut visitor = Visitor::at(address.port());
                    let (mut times, mut sent_away) = (Vec::new(), 0);
                    start.wait();
                    for path in ["/hands", "/hands/who", "/hands", "/hands/who", "/hands"] {
                        let began = Instant::now();
                        let page = visitor.get(path)?;
                        times.push(began.elapsed());
                        ensure!(matches!(page.status, 200 | 503), "{}", page.status);
                        sent_away += usize::from(page.status == 503);
                    }
                    Ok((times, sent_away))
                })
            })
            .collect();
        let beside = scope.spawn(|| {
            let mut enough = || over.load(Ordering::Relaxed);
            posts(address, "beside", &mut enough, 10_000)
        });
        start.wait();
        let (mut looked, mut sent_away) = (Times::default(), 0);
        for one in all {
            let (times, away) = one.join().expect("nobody panics")?;
            looked.0.extend(times);
            sent_away += away;
        }
        over.store(true, Ordering::Relaxed);
        let beside = beside.join().expect("nobody panics")?;
        Ok((looked, sent_away, beside))
    })
}

/// So many people who signed in, each from a network of their own.
fn signed_in(working: &Working, mail: &Server, from: usize, many: usize) -> Result<Vec<Visitor>> {
    let address = |n: usize| format!("p{n}@example.org");
    for n in from..from + many {
        let network = format!("198.51.{}.{}", n / 250, n % 250);
        let headers = [
            ("Sec-Fetch-Site", "same-origin"),
            ("X-Forwarded-For", network.as_str()),
        ];
        let email = address(n);
        let mut visitor = Visitor::at(working.address().port());
        let asked = visitor.send_with("/hands/in", &[("email", &email)], &headers)?;
        ensure!(asked.status == 303, "{}", asked.status);
    }
    let letters = mail.took(from + many)?;
    let letter = |n: usize| -> Result<&Taken> {
        let to = address(n);
        letters
            .iter()
            .find(|letter| letter.to == to)
            .context("a letter")
    };
    (from..from + many)
        .map(|n| {
            let mut visitor = Visitor::at(working.address().port());
            let entered = visitor.enter(letter(n)?)?;
            ensure!(entered.status == 303, "{}", entered.status);
            Ok(visitor)
        })
        .collect()
}

/// Everybody presses the button, spread over `within`; gives how long that took, the page after it
/// too, and the page.
fn press(
    people: &mut [Visitor],
    subject: &str,
    within: Duration,
) -> Result<Vec<(Duration, Duration, Page)>> {
    let tokens: Vec<String> = people
        .iter_mut()
        .map(Visitor::token)
        .collect::<Result<_>>()?;
    let each = within / u32::try_from(people.len().max(1))?;
    let start = Instant::now() + Duration::from_millis(500);
    thread::scope(|scope| {
        let all: Vec<_> = (0_u32..)
            .zip(people.iter_mut().zip(&tokens))
            .map(|(n, (visitor, token))| {
                scope.spawn(move || -> Result<(Duration, Duration, Page)> {
                    let moment = start + each * n;
                    thread::park_timeout(moment.saturating_duration_since(Instant::now()));
                    let fields = [("t", token.as_str()), ("subject", subject), ("name", "Ana")];
                    let began = Instant::now();
                    let done = visitor.send("/hands/up", &fields)?;
                    let pressed = began.elapsed();
                    ensure!(done.status == 303, "{}: {}", done.status, done.text);
                    let page = visitor.get(&format!("/hands/{subject}"))?;
                    ensure!(page.status == 200, "{}", page.status);
                    Ok((pressed, began.elapsed().saturating_sub(pressed), page))
                })
            })
            .collect();
        all.into_iter()
            .map(|one| one.join().expect("nobody panics"))
            .collect()
    })
}
