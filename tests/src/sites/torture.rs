//! `kill -9` at random moments while a sheet is edited, against a real site: in the end each activity
//! stands there once, with its last words.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::{BOT, MediaWiki, WordPress};
use crate::place::Place;
use crate::sheet::{Dice, Sheet};

/// A site, as it is tortured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// Debian's WordPress.
    Wordpress,
    /// Debian's MediaWiki.
    Mediawiki,
}

/// A site at work.
enum Site {
    WordPress(Box<WordPress>),
    MediaWiki(MediaWiki),
}

/// What a campaign saw.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    /// How often the program was killed.
    pub kills: usize,
    /// How many activities stood in the end, each once and with its last words.
    pub standing: usize,
    /// How long it took.
    pub took: Duration,
}

impl Site {
    fn start(kind: Kind) -> Result<Self> {
        Ok(match kind {
            Kind::Wordpress => Self::WordPress(Box::new(WordPress::start()?)),
            Kind::Mediawiki => Self::MediaWiki(MediaWiki::start()?),
        })
    }

    fn section(&self) -> String {
        match self {
            Self::WordPress(site) => format!(
                "[connectors.site]\nkind = \"wordpress\"\nurl = \"{}\"\nuser = \"raccord\"\npassword = \"{}\"\n",
                site.url(),
                site.password("raccord")
            ),
            Self::MediaWiki(wiki) => format!(
                "[connectors.site]\nkind = \"mediawiki\"\nurl = \"{}\"\nuser = \"Raccord@raccord\"\npassword = \"{BOT}\"\n",
                wiki.url()
            ),
        }
    }

    /// How many of the sheet's public lines stand there, each once and in its last room.
    fn standing(&self, sheet: &Sheet) -> Result<usize> {
        let texts = match self {
            Self::WordPress(site) => {
                let posts = site.posts()?;
                let text = |post: &Value, of: &str| {
                    post[of]["raw"].as_str().unwrap_or_default().to_owned()
                };
                let all: Vec<String> = posts
                    .iter()
                    .map(|post| format!("{}\n{}", text(post, "title"), text(post, "content")))
                    .collect();
                let marks: BTreeSet<&str> = all
                    .iter()
                    .filter_map(|post| post.split("raccord raccord-").nth(1)?.split('"').next())
                    .collect();
                ensure!(marks.len() == all.len(), "a post stands there twice");
                all
            }
            Self::MediaWiki(wiki) => {
                let page = wiki.page("Programme/2027-01")?;
                let (page, _) = page.context("there is no page of January")?;
                page.lines().map(str::to_owned).collect()
            }
        };
        let mut count = 0;
        for line in sheet.lines.iter().filter(|line| line.public) {
            let about = texts.iter().filter(|text| text.contains(&line.title));
            let about: Vec<&String> = about.collect();
            ensure!(
                about.len() == 1,
                "{} stands there {} times",
                line.title,
                about.len()
            );
            let room = line.room();
            ensure!(about[0].contains(&room), "{} is not in {room}", line.title);
            count += 1;
        }
        Ok(count)
    }
}

/// Kills the program `kills` times, then looks at the site.
///
/// # Errors
/// What was lost, doubled or left as it was.
pub fn run(kind: Kind, kills: usize, seed: u64) -> Result<Report> {
    let began = Instant::now();
    let site = Site::start(kind)?;
    let place = Place::new(&format!(
        "[place]\nid = \"torture\"\nname = \"Torture\"\ntimezone = \"Indian/Reunion\"\nlanguage = \"fr\"\ndata = \"data\"\n\
         [web]\nlisten = \"127.0.0.1:0\"\n\
         [connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"programme.csv\"\n\
         {}[guards]\nsecond_look = \"0s\"\nchange_count = 1000\n",
        site.section()
    ))?;
    let mut place = place.at("2026-12-20T08:00:00Z");
    let mut sheet = Sheet::new(12, 40);
    let mut dice = Dice(seed);
    for _ in 0..kills {
        place.save("programme.csv", sheet.csv().as_bytes())?;
        let mut daemon = place.start()?;
        let until = Instant::now() + Duration::from_millis(300 + dice.below(1_500));
        while Instant::now() < until {
            sheet.edit(&mut dice);
            place.save("programme.csv", sheet.csv().as_bytes())?;
            std::thread::park_timeout(Duration::from_millis(50 + dice.below(200)));
        }
        daemon.kill()?; // SIGKILL on Unix.
        daemon.wait()?;
    }
    // Hours later each time: what is unknown is looked for once its time is over.
    for hour in ["12", "13", "14", "15"] {
        place.is_at(&format!("2026-12-20T{hour}:00:00Z"));
        let answer = place.run(&["sync", "--wait", "90s"])?;
        ensure!(matches!(answer.code, 0 | 3), "{}", answer.stderr);
        for left in ["dead", "holds"] {
            ensure!(
                answer.json[left] == Value::Array(vec![]),
                "{left}: {}",
                answer.json[left]
            );
        }
        if answer.json["done"] == 0 && answer.json["later"] == Value::Array(vec![]) {
            break;
        }
    }
    Ok(Report {
        kills,
        standing: site.standing(&sheet)?,
        took: began.elapsed(),
    })
}
