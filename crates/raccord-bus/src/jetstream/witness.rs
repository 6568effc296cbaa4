//! What the copies on other machines know of a log.
//!
//! Where all of JetStream was put back to one earlier moment, nothing in it tells. The machines that
//! worked for a place know: whoever opens its log asks them, and a log that lacks what one of them has
//! read went back in time.
//!
//! One line there and one back, kept by nobody: `known <place>` is answered by `<number> <hash>` of
//! the last commit of the copy, `nothing`, `busy` or `ending`; `told <place> <number> <hash>` says that
//! this was heard, and that the copy is of no use any more.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use async_nats::{Client, Request, RequestErrorKind};
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use raccord_model::PlaceId;
use tokio::time::Instant;

use super::cache::Cache;
use super::drop_copy;
use super::link::Jetstream;
use super::nodes::{Node, View, name};
use super::opening::is_ahead;
use crate::sqlite::Mirror;
use crate::{Head, LogError, LogRead};

/// How long a node that lives may take to say what its machine knows: somebody may read its copy.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// How long one is waited for that still ends what it did for the place.
const ENDING: Duration = Duration::from_secs(10);

/// How long those are waited for that lived before the servers went back, and were not heard since.
const RETURNING: Duration = Duration::from_secs(5);

/// How soon one that is busy, or not connected yet, is asked again.
const AGAIN: Duration = Duration::from_millis(50);

/// A commit that somebody has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: [u8; 32],
}

impl From<Head> for Known {
    fn from(head: Head) -> Self {
        Self {
            number: head.number,
            hash: head.hash.0,
        }
    }
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, crate::Hash32(self.hash))
    }
}

impl FromStr for Known {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (number, digits) = text.split_once(' ').ok_or(())?;
        let mut hash = [0; 32];
        if digits.len() != 64 || !digits.is_ascii() {
            return Err(());
        }
        for (at, byte) in hash.iter_mut().enumerate() {
            let pair = digits.get(2 * at..2 * at + 2).ok_or(())?;
            *byte = u8::from_str_radix(pair, 16).map_err(drop)?;
        }
        let number = number.parse().map_err(drop)?;
        Ok(Self { number, hash })
    }
}

/// The last commit that the copy in `folder` knows; none where there is no good copy.
///
/// # Errors
/// [`LogError::Locked`] while it is used; as the machine refuses.
pub fn copied(folder: &Path, place: &PlaceId) -> Result<Option<Known>, LogError> {
    if !folder.exists() {
        return Ok(None);
    }
    let copy = Mirror::open(folder, place)?;
    Ok(copy.map(|copy| copy.read().head().into()))
}

/// What the copy in `folder` knows that the cluster does not have; a server that is behind may say so
/// too, and nothing is concluded from it before the log's writer agrees.
///
/// # Errors
/// [`LogError::Locked`] while the copy is used; as the machine or the cluster refuses.
pub fn outdoes(
    link: &Jetstream,
    folder: &Path,
    place: &PlaceId,
) -> Result<Option<Known>, LogError> {
    if !folder.exists() {
        return Ok(None);
    }
    let Some(mut copy) = Cache::open(folder, place)? else {
        return Ok(None);
    };
    if !is_ahead(link, place, &copy)? {
        return Ok(None);
    }
    Ok(copy.mirror().map(|copy| copy.read().head().into()))
}

/// Whether `log` has the commit, or let it go on purpose. One from before its newest snapshot tells
/// nothing: the log reaches further.
///
/// # Errors
/// As the log cannot be read.
pub fn has(log: &dyn LogRead, known: &Known) -> Result<bool, LogError> {
    let (floor, head) = (log.floor(), log.head());
    if known.number > head.number {
        return Ok(false);
    }
    let snapshots = log.snapshots()?;
    let newest = snapshots.last().map_or(floor, |newest| newest.head);
    if known.number < newest.number {
        return Ok(true);
    }
    let mut ends = [floor, newest, head].into_iter();
    let there = match ends.find(|end| end.number == known.number) {
        Some(there) => Some(there),
        None => log
            .commits(known.number, 0)?
            .first()
            .map(crate::Commit::head),
    };
    Ok(there.is_some_and(|there| Known::from(there) == *known))
}

/// This machine's copy of a place.
#[derive(Clone, Debug)]
pub struct Copy {
    /// Where it lies.
    pub folder: PathBuf,
    /// Whether this process works for the place, or still ends that.
    pub in_use: bool,
}

impl Node {
    /// Answers from now on what other nodes ask about this machine's copies.
    pub(super) async fn witness(
        client: Client,
        id: Arc<str>,
        find: impl Fn(&PlaceId) -> Option<Copy>,
    ) {
        let Ok(mut asked) = client.subscribe(subject(&id)).await else {
            return;
        };
        while let Some(message) = asked.next().await {
            let Some(reply) = message.reply else { continue };
            let question = String::from_utf8_lossy(&message.payload).into_owned();
            let Some((verb, rest)) = question.split_once(' ') else {
                continue;
            };
            let (place, said) = rest.split_once(' ').unwrap_or((rest, ""));
            let Ok(place) = place.parse::<PlaceId>() else {
                continue;
            };
            let (told, said) = (verb == "told", said.parse().ok());
            let looked = match find(&place) {
                Some(copy) => {
                    let look = move || answer(&copy, &place, said.filter(|_| told));
                    tokio::task::spawn_blocking(look).await
                }
                None => Ok(NOTHING.to_owned()),
            };
            // Whoever asked may be gone.
            if let Ok(answer) = looked {
                drop(client.publish(reply, answer.into()).await);
            }
        }
    }

    /// What other machines' copies know of `place`, by node. Those that live are asked, and those that
    /// lived until the servers went back a moment ago.
    pub fn others_know(&self, place: &PlaceId) -> Vec<(String, Known)> {
        let Some(client) = self.client() else {
            return Vec::new();
        };
        let view = self.view().borrow().clone();
        let now = self.link().now();
        let others = view.living().map(|(id, _)| (id.to_owned(), false));
        let others = others.chain(view.missed(now).map(|id| (id.to_owned(), true)));
        let others = others.filter(|(id, _)| id != self.id());
        let asked = others.map(|(id, missed)| {
            let client = client.clone();
            let patience = if missed { RETURNING } else { PATIENCE };
            async move {
                let known = ask(&client, &id, place, now + patience, missed).await;
                if known.is_none() {
                    tracing::warn!(%place, node = name(&id), "cluster.copy-unknown");
                }
                Some((id, known??))
            }
        });
        let asked = self.link().wait(join_all(asked));
        asked.into_iter().flatten().collect()
    }

    /// Tells `node` that what its machine knew of `place` was heard.
    pub fn told(&self, node: &str, place: &PlaceId, known: &Known) {
        let Some(client) = self.client() else { return };
        let until = self.link().now() + PATIENCE;
        let tell = async {
            while let Some(left) = until.checked_duration_since(Instant::now()) {
                let request = Request::new().payload(format!("told {place} {known}").into());
                let request = request.timeout(Some(left));
                match client.send_request(subject(node), request).await {
                    Ok(said) if is_in_use(&said.payload) => tokio::time::sleep(AGAIN).await,
                    Ok(_) => return,
                    Err(_) => tokio::time::sleep(AGAIN).await,
                }
            }
            // It tells once more when it opens the log, or comes again.
            tracing::warn!(%place, node = name(node), "cluster.copy-kept");
        };
        self.link().wait(tell);
    }
}

const NOTHING: &str = "nothing";
const BUSY: &str = "busy";
const ENDS: &str = "ending";

fn is_in_use(said: &[u8]) -> bool {
    said == BUSY.as_bytes() || said == ENDS.as_bytes()
}

/// What the copy knows; it goes where that was `heard`.
fn answer(copy: &Copy, place: &PlaceId, heard: Option<Known>) -> String {
    let known = match copied(&copy.folder, place) {
        Ok(known) => known,
        Err(LogError::Locked { .. }) if copy.in_use => return ENDS.to_owned(),
        Err(LogError::Locked { .. }) => return BUSY.to_owned(),
        Err(error) => {
            tracing::warn!(%place, error.code = error.code(), %error, "cluster.copy-unread");
            None
        }
    };
    let Some(known) = known else {
        return NOTHING.to_owned();
    };
    if heard == Some(known) {
        // It is fetched anew when it is needed.
        drop(drop_copy(&copy.folder));
    }
    known.to_string()
}

/// What one node's machine knows, or that it knows nothing; none where it does not say.
async fn ask(
    client: &Client,
    node: &str,
    place: &PlaceId,
    mut until: Instant,
    missed: bool,
) -> Option<Option<Known>> {
    let ending = Instant::now() + ENDING;
    loop {
        let left = until.checked_duration_since(Instant::now())?;
        let request = Request::new().payload(format!("known {place}").into());
        let request = request.timeout(Some(left.min(PATIENCE)));
        match client.send_request(subject(node), request).await {
            Ok(said) if is_in_use(&said.payload) => {
                if *said.payload == *ENDS.as_bytes() {
                    until = until.max(ending);
                }
            }
            Ok(said) => {
                let said = std::str::from_utf8(&said.payload).ok()?;
                return Some(said.parse().ok());
            }
            // One of a version that is not asked, or that has just gone.
            Err(error) if error.kind() == RequestErrorKind::NoResponders && !missed => return None,
            Err(_) => {}
        }
        tokio::time::sleep(AGAIN).await;
    }
}

fn subject(node: &str) -> String {
    format!("raccord-ask.{node}")
}

impl View {
    /// When the servers were last seen to have gone back to an earlier moment.
    pub fn went_back(&self) -> Option<Instant> {
        self.missed.as_ref().map(|(_, since)| *since)
    }

    /// Nodes that lived when the servers went back to an earlier moment, and may not have come back
    /// yet.
    fn missed(&self, now: Instant) -> impl Iterator<Item = &str> {
        let fresh = self
            .missed
            .as_ref()
            .filter(|(_, since)| now < *since + RETURNING);
        let all = fresh.into_iter().flat_map(|(nodes, _)| nodes);
        all.map(String::as_str).filter(|node| !self.lives(node))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_reads_back() {
        let known = Known {
            number: 12,
            hash: std::array::from_fn(|at| at as u8),
        };
        assert_eq!(known.to_string().parse(), Ok(known));
        for wrong in ["", "nothing", "busy", "12", "12 zz", "x 00", "12 é"] {
            assert_eq!(wrong.parse::<Known>(), Err(()), "{wrong}");
        }
    }
}
