//! What the copies on other machines know of a log.
//!
//! Where all of JetStream was put back to one earlier moment, nothing in it tells. The machines that
//! worked for a place know: whoever opens its log asks them, and a log that lacks what one of them has
//! read went back in time.
//!
//! One line there and one back, kept by nobody: `known <place>` is answered by `<number> <hash>` of
//! the last commit of the copy, `nothing`, or `busy`; `told <place> <number> <hash>` says that this was
//! heard, and that the copy is of no use any more.

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

use super::drop_copy;
use super::nodes::{Node, View, name};
use crate::sqlite::Mirror;
use crate::{Head, LogError, LogRead};

/// How long a node that lives may take to say what its machine knows: its copy may be in use.
const PATIENCE: Duration = Duration::from_millis(1_500);

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

/// Whether `log` has the commit, or let it go on purpose.
///
/// # Errors
/// As the log cannot be read.
pub fn has(log: &dyn LogRead, known: &Known) -> Result<bool, LogError> {
    let (floor, head) = (log.floor(), log.head());
    if known.number > head.number {
        return Ok(false);
    }
    if known.number < floor.number {
        return Ok(true);
    }
    let there = [floor, head]
        .into_iter()
        .find(|end| end.number == known.number);
    let there = match there {
        Some(there) => Some(there),
        None => log
            .commits(known.number, 0)?
            .first()
            .map(crate::Commit::head),
    };
    Ok(there.is_some_and(|there| Known::from(there) == *known))
}

impl Node {
    /// Answers from now on what other nodes ask about this machine's copies; `folder` says where the
    /// copy of a place lies.
    pub(super) async fn witness(
        client: Client,
        id: Arc<str>,
        folder: impl Fn(&PlaceId) -> Option<PathBuf>,
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
            let looked = match folder(&place) {
                Some(folder) => {
                    let look = move || answer(&folder, &place, said.filter(|_| told));
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
                Some((id, known?))
            }
        });
        let asked = self.link().wait(join_all(asked));
        asked.into_iter().flatten().collect()
    }

    /// Tells `node` that what its machine knew of `place` was heard.
    pub fn told(&self, node: &str, place: &PlaceId, known: &Known) {
        if let Some(client) = self.client() {
            let request = Request::new().payload(format!("told {place} {known}").into());
            let request = request.timeout(Some(PATIENCE));
            // Where it is not heard, that machine speaks up again.
            drop(
                self.link()
                    .wait(client.send_request(subject(node), request)),
            );
        }
    }
}

const NOTHING: &str = "nothing";
const BUSY: &str = "busy";

/// What the copy knows; it goes where that was `heard`.
fn answer(folder: &Path, place: &PlaceId, heard: Option<Known>) -> String {
    let known = match copied(folder, place) {
        Ok(known) => known,
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
        drop(drop_copy(folder));
    }
    known.to_string()
}

/// What one node's machine knows; none where it knows nothing, or does not say.
async fn ask(
    client: &Client,
    node: &str,
    place: &PlaceId,
    until: Instant,
    missed: bool,
) -> Option<Known> {
    loop {
        let left = until.checked_duration_since(Instant::now())?;
        let request = Request::new().payload(format!("known {place}").into());
        let request = request.timeout(Some(left.min(PATIENCE)));
        match client.send_request(subject(node), request).await {
            Ok(said) if *said.payload == *BUSY.as_bytes() => {}
            Ok(said) => return std::str::from_utf8(&said.payload).ok()?.parse().ok(),
            Err(error) if error.kind() == RequestErrorKind::NoResponders && !missed => return None,
            Err(error) => {
                tracing::debug!(%place, node = name(node), %error, "cluster.copy-unknown");
            }
        }
        tokio::time::sleep(AGAIN).await;
    }
}

fn subject(node: &str) -> String {
    format!("raccord-ask.{node}")
}

impl View {
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
