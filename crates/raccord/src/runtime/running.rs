//! One place of the process from its start to its end: its log opened and read, its writer, its pages,
//! its commands.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use raccord_model::Words;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::at_work::AtWork;
use super::clusters::Clusters;
use super::commands::{self, Commands};
use super::compare;
use super::guides;
use super::hands;
use super::home::Home;
use super::load::{self, Unread};
use super::node::Slot;
use super::socket;
use super::telling::Telling;
use super::watching::Watching;
use super::writer::{Sleep, Writer};
use crate::cli::Session;
use crate::report::Problem;

/// How long what is under way may take to end.
const DEADLINE: Duration = Duration::from_secs(8);

/// What all places of a process share.
#[derive(Clone)]
pub(super) struct Shared {
    /// The end of the process, or of the one place.
    pub(super) stop: CancellationToken,
    /// The process was asked to end: nothing is begun any more.
    pub(super) ending: CancellationToken,
    /// The process's watcher.
    pub(super) watching: Arc<Watching>,
    /// Its connections to clusters.
    pub(super) clusters: Clusters,
    /// Where it listens.
    pub(super) listen: SocketAddr,
    /// How many activities a page shows.
    pub(super) activities: usize,
    /// How its places fall asleep.
    pub(super) sleep: Sleep,
}

/// A place that runs.
pub(super) struct Running {
    place: Arc<AtWork>,
    writer: Writer,
    tasks: JoinSet<()>,
    data: PathBuf,
    stop: CancellationToken,
}

impl Running {
    /// Opens and reads the log, unless it is open, then starts everything.
    ///
    /// # Errors
    /// When it cannot start; the log is as it was.
    pub(super) async fn start(
        session: &Session,
        unread: Option<Unread>,
        slot: &Slot,
        shared: &Shared,
    ) -> Result<Self, Problem> {
        let turn = shared.sleep.turn().await;
        let home = Home::of(&session.settings, &shared.clusters)?;
        let folding = tokio::task::spawn_blocking(move || match unread {
            Some(unread) => unread.fold(),
            None => load::open(&home)?.fold(),
        });
        let tools = Arc::new(session.tools()?);
        let loaded = folding.await.map_err(|_| hands::writer_lost())??;
        let stop = shared.stop.child_token();
        let own = Shared {
            stop: stop.clone(),
            ..shared.clone()
        };
        let (place, writer) = AtWork::start(session, loaded, (tools, turn), own).await?;
        let data = session.settings.data.clone();
        let door = commands::door(&data)?;
        slot.runs(place.here.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(place.here.clone().keep_fresh(stop.clone()));
        place.read_sources().await;
        let answering = Commands {
            place: place.clone(),
        };
        tasks.spawn(answering.clone().answer_nodes(stop.clone()));
        let telling = Telling {
            home: place.home.clone(),
            here: place.here.clone(),
            desk: place.desk.clone(),
        };
        tasks.spawn(telling.go_on(stop.clone()));
        tasks.spawn(guides::go_on(place.clone(), stop.clone()));
        tasks.spawn(compare::go_on(place.clone(), stop.clone()));
        tasks.spawn(answering.serve(door, stop.clone()));
        Ok(Self {
            place,
            writer,
            tasks,
            data,
            stop,
        })
    }

    /// The folder of its log.
    pub(super) fn data(&self) -> &Path {
        &self.data
    }

    /// Takes the settings that are on the disk now. Where they cannot be used it goes on as it was,
    /// and says so.
    pub(super) async fn settings_changed(&self) {
        let Err(problem) = self.place.settings_changed().await else {
            info!("the settings were read again");
            return;
        };
        let why = problem.findings.first().map(|finding| {
            Words::new(
                format!(
                    "Les réglages du fichier ne sont pas repris, le lieu travaille avec les précédents : {}",
                    finding.text.fr
                ),
                format!(
                    "The settings of the file are not taken, the place works with those of before: {}",
                    finding.text.en
                ),
            )
        });
        self.place.here.keeps_its_settings(why);
        tell("the changed settings are not taken", &problem);
    }

    /// Ends it: what is under way may end too, for a while. The log knows what is owed.
    pub(super) async fn end(mut self) {
        self.stop.cancel();
        let ended = tokio::time::timeout(DEADLINE, async {
            while self.tasks.join_next().await.is_some() {}
            self.place.ended().await;
        })
        .await;
        if ended.is_err() {
            warn!("something did not end in time; the log knows what is owed");
            self.tasks.shutdown().await;
        }
        drop(std::fs::remove_file(socket::path(&self.data)));
        let Self { place, writer, .. } = self;
        drop(place);
        if !writer.ended().await {
            warn!("the writer did not end cleanly; the log knows what is owed");
        }
    }
}

/// Tells every finding of a problem in the log, with its mend.
pub(super) fn tell(what: &str, problem: &Problem) {
    for finding in &problem.findings {
        warn!(
            code = %finding.code,
            place = %finding.place,
            mend = %finding.mend.en,
            "{what}: {}", finding.text.en
        );
    }
}
