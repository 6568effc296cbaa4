//! The whole story, told by itself: from one line in the sheet to the card, a kill in the middle, and
//! what each tool holds in the end. Every step is looked at in the tools before it is told.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use raccord_kit::{Clock, SystemClock};
use raccord_model::{Lang, Words};

use crate::daemon::{Daemon, LOG, Program};
use crate::end::End;
use crate::error::Error;
use crate::page;
use crate::place::{Folder, ORGANISER, SHEET, Sheet, saturday};
use crate::tools::{Held, Tools, free};
use crate::visitor::{Page, Visitor};

mod steps;

/// When the story begins: a Sunday morning in December.
const BEGINNING: Timestamp = Timestamp::constant(1_797_753_600, 0);
/// How long anything may take before it is missing.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long between two looks.
const POLL: Duration = Duration::from_millis(15);
/// Who signs up.
const ANA: &str = "ana@example.org";

/// One step, once it was made and looked at.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its name, for machines.
    pub name: &'static str,
    /// One or two lines.
    pub told: Words,
    /// What the program itself answered, where that is the point.
    pub quoted: Option<String>,
}

/// How it ended.
#[derive(Clone, Debug)]
pub struct Ending {
    /// What was counted in the tools, by its name.
    pub counted: BTreeMap<&'static str, usize>,
    /// How long it took.
    pub took: Duration,
}

/// Tells the story on a place in a temporary folder, which stays where something is missing, or in
/// `keep`; `told` hears of each step.
///
/// # Errors
/// What was missing, and what of this machine could not be used.
pub async fn tell(
    program: &Program,
    lang: Lang,
    keep: Option<&Path>,
    mut told: impl FnMut(&Step),
) -> (Result<Ending, Error>, Option<std::path::PathBuf>) {
    let begun = Instant::now();
    let mut folder = match Folder::open(keep) {
        Ok(folder) => folder,
        Err(error) => return (Err(error), None),
    };
    let ended = one(program, lang, &folder, &mut told).await;
    let counted = ended.map(|counted| Ending {
        counted,
        took: begun.elapsed(),
    });
    if matches!(counted, Err(Error::Missing(_))) {
        folder.keep();
    }
    let stays = (!folder.is_temporary()).then(|| folder.path().to_owned());
    (counted, stays)
}

/// The story on a folder; it ends when somebody says so.
async fn one(
    program: &Program,
    lang: Lang,
    folder: &Folder,
    told: &mut dyn FnMut(&Step),
) -> Result<BTreeMap<&'static str, usize>, Error> {
    let mut end = End::listen()?;
    let mut story = Story::open(program, lang, folder).await?;
    tokio::select! {
        counted = story.through(told) => counted,
        () = end.comes() => Err(Error::Interrupted),
    }
}

/// The clock of the tools, which goes on from what it is set to.
#[derive(Debug, Default)]
struct Hours(Mutex<SystemClock>);

impl Hours {
    fn set(&self, now: Timestamp) {
        let shift = now.duration_since(SystemClock::default().now());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = SystemClock::shifted(shift);
    }
}

impl Clock for Hours {
    fn now(&self) -> Timestamp {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).now()
    }
}

struct Story<'a> {
    program: &'a Program,
    lang: Lang,
    folder: &'a Folder,
    tools: Tools,
    hours: Arc<Hours>,
    web: std::net::SocketAddr,
    sheet: Sheet,
    /// The hour the daemon was started at.
    now: Timestamp,
    daemon: Option<Daemon>,
}

impl<'a> Story<'a> {
    async fn open(program: &'a Program, lang: Lang, folder: &'a Folder) -> Result<Self, Error> {
        let hours = Arc::new(Hours::default());
        hours.set(BEGINNING);
        let mut tools = Tools::start(Arc::clone(&hours) as Arc<dyn Clock>).await?;
        let today = BEGINNING.to_zoned(jiff::tz::TimeZone::UTC).date();
        // The second Saturday from then on: the one of the new year.
        let sheet = Sheet::after(saturday(saturday(today)), lang);
        let guide = sheet.words.guide;
        let guide = tools.beside(move |asked| std::future::ready(page::guide(&asked, guide, lang)));
        let guide = guide.await?;
        let web = free().await?;
        folder.save(SHEET, &sheet.whole())?;
        folder.configure(lang, web, guide, &tools)?;
        Ok(Self {
            program,
            lang,
            folder,
            tools,
            hours,
            web,
            sheet,
            now: BEGINNING,
            daemon: None,
        })
    }

    fn held(&self) -> &Held {
        &self.tools.held
    }

    /// Starts the daemon `later`, and waits until it works.
    async fn start(&mut self, later: SignedDuration) -> Result<(), Error> {
        self.now = self.hours.now().saturating_add(later).unwrap_or(self.now);
        self.hours.set(self.now);
        let log = self.folder.at(LOG);
        let missing = Words::new(
            format!("Raccord au travail (voir {})", log.display()),
            format!("Raccord at work (see {})", log.display()),
        );
        let mut daemon = self.program.start(self.folder.path(), Some(self.now))?;
        tokio::select! {
            () = daemon.ended() => return Err(Error::Missing(missing)),
            ready = self.page("/readyz", missing.clone(), |page| page.status == 200) => ready?,
        };
        self.daemon = Some(daemon);
        Ok(())
    }

    /// Waits until it is so.
    async fn until(&self, missing: Words, is_so: impl Fn(&Self) -> bool) -> Result<(), Error> {
        let until = Instant::now() + PATIENCE;
        while !is_so(self) {
            if Instant::now() > until {
                return Err(Error::Missing(missing));
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }

    /// Waits until a page of the place is as it should be.
    async fn page(
        &self,
        path: &str,
        missing: Words,
        is_so: impl Fn(&Page) -> bool,
    ) -> Result<Page, Error> {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Ok(page) = Visitor::at(self.web).get(path).await
                && is_so(&page)
            {
                return Ok(page);
            }
            if Instant::now() > until {
                return Err(Error::Missing(missing));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// A command of the program, as somebody types it beside the daemon.
    async fn ask(&self, words: &[&str]) -> Result<crate::daemon::Answer, Error> {
        let path = self.folder.path();
        let now = self.hours.now();
        self.program.ask(path, now, self.lang, words).await
    }

    /// What a command answers to programs.
    async fn json(&self, words: &[&str]) -> Result<serde_json::Value, Error> {
        let answer = self.ask(&[words, &["--json"]].concat()).await?;
        Ok(serde_json::from_str(&answer.text).unwrap_or_default())
    }

    /// Somebody signs in by a link, which is the letter of this number for them.
    async fn signed_in(&self, email: &str, number: usize) -> Result<Visitor, Error> {
        let mut visitor = Visitor::at(self.web);
        let broken = Error::file;
        let asked = visitor.send("/hands/in", &[("email", email)]).await;
        asked.map_err(broken("/hands/in"))?;
        let missing = Words::new(
            format!("le mail avec un lien pour {email}"),
            format!("the mail with a link for {email}"),
        );
        self.until(missing, |it| it.letters(email) >= number)
            .await?;
        let letter = self.held().mailbox.of(email).swap_remove(number - 1);
        let entered = visitor.enter(&letter).await;
        entered.map_err(broken("/hands/enter"))?;
        Ok(visitor)
    }

    fn letters(&self, email: &str) -> usize {
        self.held().mailbox.of(email).len()
    }

    /// How many entries of the calendar, messages of the chat, and pages of the site say this.
    fn times(&self, title: &str) -> [usize; 3] {
        let entries = self.held().calendar().entries();
        let entries = entries.iter().filter(|entry| entry.title == title);
        let messages = self.held().chat().standing();
        let messages = messages.iter().filter(|said| said.text.contains(title));
        let site = std::fs::read_to_string(self.folder.at("out/site/activities.json"));
        let site = site.unwrap_or_default();
        let site = site.matches(&format!("\"title\":\"{title}\"")).count();
        [entries.count(), messages.count(), site]
    }

    /// How much each tool holds: what must not change where nothing is done.
    fn counted(&self) -> BTreeMap<&'static str, usize> {
        let held = self.held();
        let (calendar, chat, wallet) = (held.calendar(), held.chat(), held.wallet());
        let edited = chat.standing().iter().filter(|said| said.edited).count();
        let cancelled = calendar.entries().iter().filter(|it| it.cancelled).count();
        [
            ("entries", calendar.entries().len()),
            ("entries-made", calendar.made()),
            ("entries-cancelled", cancelled),
            ("messages", chat.standing().len()),
            ("messages-made", chat.made()),
            ("messages-edited", edited),
            ("mails", held.mailbox.letters().len()),
            ("credits", wallet.credited().len()),
            ("refills-asked", wallet.calls()),
        ]
        .into()
    }

    /// The printed programme of the month of the first line.
    fn printed(&self) -> Vec<u8> {
        let month = &self.sheet.next[..7];
        let path = self.folder.at(&format!("out/programme-{month}.pdf"));
        std::fs::read(path).unwrap_or_default()
    }
}
