//! What commands ask of a place's log. The runtime answers; the command line only prints.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use raccord_kit::{Clock as _, Finding};
use raccord_model::{ConnectorName, DeliveryId, EntityId, HoldId, Words};

use crate::connectors::{self, Tools};
use crate::locale::View;
use crate::report::Problem;
use crate::settings::{self, Settings, Time};
use crate::shapes::{
    CodeShape, CompareShape, DeadListShape, DeedShape, HoldListShape, LedgerShape, LogLine,
    PersonShape, PlaceShape, PlanShape, ReadersShape, SyncShape, VolunteeringShape, WalletsShape,
    WhyShape,
};

/// One command at work on one place.
#[derive(Clone, Debug)]
pub struct Session {
    /// The place's settings.
    pub settings: Settings,
    /// Whether its file is the only one, so that the environment stands over it.
    pub alone: bool,
    /// The clock of this process.
    pub time: Time,
    /// How the person who asked looks at the answer.
    pub view: View,
    /// Whether standard error is a terminal that progress may be drawn on.
    pub draws: bool,
    /// Whether logs are for programs.
    pub json: bool,
}

impl Session {
    /// The place set like this, spoken to in its own language, by a program.
    pub fn of(settings: Settings, time: Time, json: bool) -> Self {
        let view = View {
            lang: settings.place.lang,
            zone: settings.zone.clone(),
            now: time.clock.now(),
        };
        Self {
            settings,
            alone: false,
            time,
            view,
            draws: false,
            json,
        }
    }

    /// Makes the configured tools; nothing is asked of them.
    ///
    /// # Errors
    /// Bad configuration: what connectors refused.
    pub fn tools(&self) -> Result<Tools, Problem> {
        let clock: std::sync::Arc<dyn raccord_kit::Clock> = self.time.clock.clone();
        let program =
            std::env::current_exe().map_err(|cause| Problem::file(Path::new("raccord"), &cause))?;
        connectors::build(&self.settings, &clock, &program).map_err(Problem::configuration)
    }

    /// The same with the settings as they are now.
    ///
    /// # Errors
    /// Bad configuration.
    pub fn again(&self) -> Result<Self, Problem> {
        let (file, id) = (&self.settings.file, &self.settings.place.id);
        let settings = if self.alone {
            settings::load(file, &settings::env::read())
        } else {
            settings::places::read_one(id, file)
        };
        let settings = settings.map_err(|refused| Problem::configuration(refused.findings))?;
        let mut fresh = self.clone();
        fresh.view.zone = settings.zone.clone();
        fresh.settings = settings;
        Ok(fresh)
    }

    /// A bar for long work, drawn only on a terminal. Give no `length` where it is not known.
    pub fn progress(&self, what: &Words, length: Option<u64>) -> ProgressBar {
        let target = if self.draws {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = match length {
            Some(length) => ProgressBar::with_draw_target(Some(length), target),
            None => ProgressBar::no_length().with_finish(indicatif::ProgressFinish::AndClear),
        };
        let template = match length {
            Some(_) => "{msg} {wide_bar} {pos}/{len}",
            None => "{spinner} {msg} {pos}",
        };
        if !self.draws {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        bar.set_style(
            ProgressStyle::with_template(template).expect("the templates are well formed"),
        );
        bar.set_message(what.get(self.view.lang).to_owned());
        bar
    }
}

/// What `run` keeps at work.
#[derive(Clone, Debug)]
pub struct Work {
    /// The folder the places come from, where it is one.
    pub folder: Option<PathBuf>,
    /// The places whose settings can be used.
    pub sessions: Vec<Session>,
    /// Where they listen.
    pub listen: SocketAddr,
}

/// How a pass is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pass {
    /// Exactly this plan, or nothing.
    pub plan: Option<PathBuf>,
    /// How long to wait for what is due later.
    pub wait: Option<Duration>,
}

/// What a restored or copied place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmute {
    /// The real place: it sends again.
    Moved,
    /// A rehearsal: it never sends.
    Copy,
}

/// A programme on a wall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wall {
    /// Its month, `2027-01`.
    pub month: String,
    /// Which of the connectors that print.
    pub connector: Option<ConnectorName>,
    /// Which edition; the last one that was made where it is left out.
    pub edition: Option<u32>,
}

/// What commands ask of a place's log. While a daemon holds the place, the commands that write are
/// handed to it.
pub trait Host {
    /// What is wrong with the log and its folder, and which connectors are not used any more.
    /// Those that had been refused and are among the `well` are used again.
    fn check(&self, session: &Session, well: &[ConnectorName]) -> Vec<Finding>;

    /// What every tool would receive now; kept in `out` for [`Pass::plan`].
    ///
    /// # Errors
    /// When the plan cannot be made.
    fn plan(&self, session: &Session, out: Option<&Path>) -> Result<PlanShape, Problem>;

    /// One pass.
    ///
    /// # Errors
    /// When the pass itself cannot be made, or the plan is stale.
    fn sync(&self, session: &Session, pass: &Pass) -> Result<SyncShape, Problem>;

    /// The daemon: returns when it was asked to stop and has stopped.
    ///
    /// # Errors
    /// When it cannot start, or the log cannot be written any more.
    fn run(&self, work: &Work) -> Result<(), Problem>;

    /// How a place stands.
    fn place(&self, session: &Session) -> PlaceShape;

    /// Hands every event to `each`, oldest first; with `follow`, new ones as they come, until
    /// `each` fails or the process is asked to stop.
    ///
    /// # Errors
    /// When the log cannot be read.
    fn log(
        &self,
        session: &Session,
        follow: bool,
        each: &mut dyn FnMut(&LogLine) -> io::Result<()>,
    ) -> Result<(), Problem>;

    /// The chain of causes of an effect.
    ///
    /// # Errors
    /// [`Problem::unknown_reference`] when nothing has that name.
    fn why(&self, session: &Session, reference: &str) -> Result<WhyShape, Problem>;

    /// The open holds.
    ///
    /// # Errors
    /// When the log cannot be read.
    fn holds(&self, session: &Session) -> Result<HoldListShape, Problem>;

    /// Says yes to a hold; to all of it where `only` is empty.
    ///
    /// # Errors
    /// When there is no such hold, or the yes cannot be recorded.
    fn approve(
        &self,
        session: &Session,
        hold: HoldId,
        only: &[EntityId],
    ) -> Result<DeedShape, Problem>;

    /// Says no to a hold.
    ///
    /// # Errors
    /// When there is no such hold, or the no cannot be recorded.
    fn reject(&self, session: &Session, hold: HoldId) -> Result<DeedShape, Problem>;

    /// The deliveries that were given up.
    ///
    /// # Errors
    /// When the log cannot be read.
    fn dead(&self, session: &Session) -> Result<DeadListShape, Problem>;

    /// Tries a delivery again.
    ///
    /// # Errors
    /// When there is no such delivery.
    fn retry(&self, session: &Session, delivery: DeliveryId) -> Result<DeedShape, Problem>;

    /// Uses a connector again that was switched off or refused by its tool.
    ///
    /// # Errors
    /// When nothing is sent to a connector of that name.
    fn switch_on(&self, session: &Session, connector: &ConnectorName)
    -> Result<DeedShape, Problem>;

    /// Gives a delivery up for good.
    ///
    /// # Errors
    /// When there is no such delivery.
    fn give_up(&self, session: &Session, delivery: DeliveryId) -> Result<DeedShape, Problem>;

    /// Marks that a programme hangs on the wall, as it was printed.
    ///
    /// # Errors
    /// When there is no such programme, or the mark cannot be recorded.
    fn printed(&self, session: &Session, wall: &Wall) -> Result<DeedShape, Problem>;

    /// Marks that it was taken down.
    ///
    /// # Errors
    /// When none hangs there, or the mark cannot be recorded.
    fn taken_down(&self, session: &Session, wall: &Wall) -> Result<DeedShape, Problem>;

    /// Credits and balances, of one person where one is named (id or e-mail address).
    ///
    /// # Errors
    /// When the log cannot be read, or nobody has that name.
    fn ledger(&self, session: &Session, person: Option<&str>) -> Result<LedgerShape, Problem>;

    /// Compares what each tool holds with what it was sent; changes nothing.
    ///
    /// # Errors
    /// When the log cannot be read.
    fn compare(&self, session: &Session) -> Result<CompareShape, Problem>;

    /// What each cashless system tells of a person's wallet (id or e-mail address); changes nothing.
    ///
    /// # Errors
    /// When the log cannot be read, or nobody has that name.
    fn wallets(&self, session: &Session, person: &str) -> Result<WalletsShape, Problem>;

    /// The signed receipts of credits, of one person where one is named, and the page that checks
    /// them.
    ///
    /// # Errors
    /// When the log cannot be read, nobody has that name, or the place never ran.
    fn receipts(&self, session: &Session, person: Option<&str>) -> Result<Receipts, Problem>;

    /// What people gave in a year.
    ///
    /// # Errors
    /// When the log cannot be read.
    fn volunteering(&self, session: &Session, year: i16) -> Result<VolunteeringShape, Problem>;

    /// Everything that is known of a person.
    ///
    /// # Errors
    /// [`Problem::unknown_reference`] when nothing is; when the log cannot be read.
    fn person(&self, session: &Session, email: &str) -> Result<PersonShape, Problem>;

    /// Who reads a letter.
    ///
    /// # Errors
    /// When the log cannot be read.
    fn readers(&self, session: &Session, letter: &ConnectorName) -> Result<ReadersShape, Problem>;

    /// Draws a code for whoever has an address.
    ///
    /// # Errors
    /// When nobody may be known by that address, or it cannot be written.
    fn code(&self, session: &Session, email: &str) -> Result<CodeShape, Problem>;

    /// Forgets a person, and says what was known.
    ///
    /// # Errors
    /// When something of it cannot be written.
    fn forget(&self, session: &Session, email: &str) -> Result<PersonShape, Problem>;

    /// Saves the log to `file`.
    ///
    /// # Errors
    /// When it cannot be read or written.
    fn backup(&self, session: &Session, file: &Path) -> Result<DeedShape, Problem>;

    /// Puts the saved log `file` back.
    ///
    /// # Errors
    /// While a daemon holds the place, or when the file is no log of this place.
    fn restore(&self, session: &Session, file: &Path) -> Result<DeedShape, Problem>;

    /// Says what a mute place is.
    ///
    /// # Errors
    /// When it is not mute, or cannot be written.
    fn unmute(&self, session: &Session, what: Unmute) -> Result<DeedShape, Problem>;

    /// Makes every projection again from the log.
    ///
    /// # Errors
    /// When the log cannot be read, or folds to another state than it recorded.
    fn rebuild(&self, session: &Session) -> Result<DeedShape, Problem>;

    /// Moves the log to the servers or the folder `to`.
    ///
    /// # Errors
    /// While a daemon is at work on it; where another log lies already; as either side refuses.
    fn migrate(&self, session: &Session, to: &str) -> Result<DeedShape, Problem>;

    /// The log's part of a support bundle: states, counts and codes. A damaged log is told in it.
    fn support(&self, session: &Session) -> serde_json::Value;
}

/// Two pages to hand to a member.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipts {
    /// The receipts, to be printed or sent.
    pub receipts: String,
    /// The page that checks them without a network.
    pub verify: String,
    /// How many there are.
    pub many: usize,
}
