//! The lists that everybody sees, made once for all who ask at the same time. They are never behind
//! what is durable: whoever asks after a change waits for a list that has it.

use std::sync::Arc;
use std::time::Duration;

use raccord_model::{EntityId, Lang};
use raccord_web::hands::{Answer, Offer};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, sleep_until, timeout};

use super::super::desk::Desk;
use super::reading::Reading;

/// Making a list anew takes at most one part in so many of the writer's time.
const SHARE: u32 = 20;
/// The longest wait for a list.
const PATIENCE: Duration = Duration::from_secs(5);

/// Which list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    /// What needs hands.
    Needs,
    /// Who is on what.
    Who,
}

/// One line of it.
pub(super) struct Listed {
    pub(super) id: EntityId,
    /// As anybody sees it.
    pub(super) offer: Offer,
    /// Only organisers and those on it see it.
    pub(super) hidden: bool,
    pub(super) begun: bool,
}

/// A list as it was made.
struct Kept {
    lines: Arc<[Listed]>,
    commit: u64,
    /// Time passes: what is over must go.
    minute: i64,
    /// It is not made anew before.
    again: Instant,
}

/// The lists of a place, in each language.
#[derive(Default)]
pub(super) struct Lists {
    kept: [Mutex<Option<Kept>>; 4],
}

impl Lists {
    /// The lines of a list, as of the last commit. `see` gives the look that makes it.
    pub(super) async fn get(
        &self,
        (list, lang): (List, Lang),
        now: i64,
        (reading, desk): (&Reading, &Desk),
        see: impl FnOnce() -> Seeing,
    ) -> Result<Arc<[Listed]>, Answer> {
        let slot = match (list, lang) {
            (List::Needs, Lang::Fr) => 0,
            (List::Needs, Lang::En) => 1,
            (List::Who, Lang::Fr) => 2,
            (List::Who, Lang::En) => 3,
        };
        // What is durable by now must be in it; what others do while this one waits need not.
        let since = desk.pulse().borrow().commit;
        let made = async {
            let mut kept = self.kept[slot].lock().await;
            match current(&kept, since, now).await {
                Some(lines) => Ok(lines),
                None => make(&mut kept, now, (reading, desk), see()).await,
            }
        };
        timeout(PATIENCE, made).await.unwrap_or(Err(Answer::Busy))
    }

    /// Lets go of what nobody may ask for soon.
    pub(super) async fn forget(&self) {
        for kept in &self.kept {
            *kept.lock().await = None;
        }
    }
}

/// A look that makes a list.
pub(super) type Seeing = Box<dyn FnOnce(&mut raccord_engine::Engine) -> Vec<Listed> + Send>;

/// The list as it was made, where it has the commit `since`. Otherwise resolves once it may be made anew.
async fn current(
    kept: &MutexGuard<'_, Option<Kept>>,
    since: u64,
    now: i64,
) -> Option<Arc<[Listed]>> {
    let kept = kept.as_ref()?;
    if kept.commit >= since && kept.minute == now.div_euclid(60) {
        return Some(Arc::clone(&kept.lines));
    }
    sleep_until(kept.again).await;
    None
}

async fn make(
    kept: &mut Option<Kept>,
    now: i64,
    (reading, desk): (&Reading, &Desk),
    see: Seeing,
) -> Result<Arc<[Listed]>, Answer> {
    let looked = reading.look(desk, move |engine| (see(engine), engine.state().commit));
    let ((lines, commit), took) = looked.await?;
    let lines: Arc<[Listed]> = lines.into();
    *kept = Some(Kept {
        lines: Arc::clone(&lines),
        commit,
        minute: now.div_euclid(60),
        again: Instant::now() + took * SHARE,
    });
    Ok(lines)
}
