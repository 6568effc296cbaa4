//! A place to play with, until somebody ends it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use raccord_kit::Clock;
use raccord_model::{Lang, Words};

use crate::daemon::{LOG, Program};
use crate::end::End;
use crate::error::Error;
use crate::page::{self, Shows};
use crate::place::{Folder, ORGANISER, SHEET, Sheet, saturday};
use crate::tools::{Tools, free};
use crate::visitor::Visitor;

/// How long the daemon may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where everything is, once it works.
#[derive(Clone, Debug)]
pub struct Playing {
    /// The sheet, to be edited.
    pub sheet: PathBuf,
    /// A line that could be added to it.
    pub line: String,
    /// The page that shows what every tool holds.
    pub page: String,
    /// The programme as the place itself shows it.
    pub programme: String,
    /// The pages on which people sign up.
    pub hands: String,
    /// Whose address notes there who came.
    pub organiser: &'static str,
}

/// Makes a place in a temporary folder, or in `keep`, and works for it until Ctrl-C; `ready` hears
/// where everything is. Gives the folder, where it stays.
///
/// # Errors
/// What of this machine could not be used, and that the program ended by itself.
pub async fn play(
    program: &Program,
    lang: Lang,
    clock: Arc<dyn Clock>,
    keep: Option<&Path>,
    ready: impl FnOnce(&Playing),
) -> (Result<(), Error>, Option<PathBuf>) {
    let mut folder = match Folder::open(keep) {
        Ok(folder) => folder,
        Err(error) => return (Err(error), None),
    };
    let ended = work(program, lang, clock, &folder, ready).await;
    if ended.is_err() {
        folder.keep();
    }
    let stays = (!folder.is_temporary()).then(|| folder.path().to_owned());
    (ended, stays)
}

async fn work(
    program: &Program,
    lang: Lang,
    clock: Arc<dyn Clock>,
    folder: &Folder,
    ready: impl FnOnce(&Playing),
) -> Result<(), Error> {
    let mut end = End::listen()?;
    let today = clock.now().to_zoned(TimeZone::UTC).date();
    let mut tools = Tools::start(clock).await?;
    let sheet = Sheet::after(saturday(today), lang);
    let web = free().await?;
    let shows = Arc::new(Shows {
        lang,
        held: tools.held.clone(),
        folder: folder.path().to_owned(),
        sheet: sheet.clone(),
        web: format!("http://{web}/"),
    });
    let page = tools.beside(move |asked| std::future::ready(page::answer(&asked, &shows)));
    let page = page.await?;
    folder.save(SHEET, &sheet.whole())?;
    folder.configure(lang, web, page, &tools)?;
    let mut daemon = program.start(folder.path(), None)?;
    let until = Instant::now() + PATIENCE;
    let mut visitor = Visitor::at(web);
    loop {
        let looked = visitor.get("/readyz").await;
        if looked.is_ok_and(|page| page.status == 200) {
            break;
        }
        if Instant::now() > until {
            return Err(no_program(folder));
        }
        tokio::select! {
            () = daemon.ended() => return Err(no_program(folder)),
            () = end.comes() => return daemon.stop().await,
            () = tokio::time::sleep(Duration::from_millis(50)) => {}
        }
    }
    ready(&Playing {
        sheet: folder.at(SHEET),
        line: sheet.next,
        page: format!("http://{page}/"),
        programme: format!("http://{web}/"),
        hands: format!("http://{web}/hands"),
        organiser: ORGANISER,
    });
    tokio::select! {
        () = daemon.ended() => Err(no_program(folder)),
        () = end.comes() => daemon.stop().await,
    }
}

fn no_program(folder: &Folder) -> Error {
    let log = folder.at(LOG);
    Error::Missing(Words::new(
        format!(
            "Raccord au travail : il s’est arrêté (voir {}).",
            log.display()
        ),
        format!("Raccord at work: it ended (see {}).", log.display()),
    ))
}
