//! What this process sent: whoever is asked for the same mail again, also at the same moment, sends
//! none.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

/// So many are remembered. Beyond, the log alone knows what was sent.
const MOST: usize = 1_000;

/// The last mails of a process, by their key. The log knows of all; this knows of those that are asked
/// for at the same moment.
#[derive(Debug, Default)]
pub struct Once(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// Whether each was sent.
    mails: HashMap<String, Arc<Turn<bool>>>,
    order: VecDeque<String>,
}

/// Whoever holds it may send, unless it was sent.
pub type Mine = OwnedMutexGuard<bool>;

impl Once {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until nobody else sends this mail; true in it says that it was sent.
    pub async fn turn(&self, key: &str) -> Mine {
        let turn = {
            let mut known = self.known();
            if !known.mails.contains_key(key) {
                known.order.push_back(key.to_owned());
                if known.order.len() > MOST
                    && let Some(oldest) = known.order.pop_front()
                {
                    known.mails.remove(&oldest);
                }
            }
            Arc::clone(known.mails.entry(key.to_owned()).or_default())
        };
        turn.lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_last_thousand_are_remembered() {
        let once = Once::default();
        for n in 0..=MOST {
            *once.turn(&n.to_string()).await = true;
        }
        assert!(*once.turn(&MOST.to_string()).await);
        assert!(!*once.turn("0").await, "the first one is forgotten");
        assert!(once.known().mails.len() <= MOST);
    }
}
