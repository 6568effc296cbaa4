//! Once a day: whether tools hold what was sent there. What differs is told; nothing is changed.

use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Time;
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use raccord_engine::{Engine, Input, sent_to};
use raccord_kit::Entry;
use raccord_model::{ConnectorName, Difference, Digest, Failure, Lang};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::at_work::AtWork;
use crate::connectors::Tools;
use crate::shapes::{CompareShape, ComparedShape};

/// The hour of the day.
const HOUR: Time = Time::constant(4, 0, 0, 0);
/// The clock is looked at this often: it may be put right meanwhile.
const PACE: Duration = Duration::from_secs(3_600);

/// One tool that could be asked.
pub(crate) struct Compared {
    connector: ConnectorName,
    sent: usize,
    drift: Result<Vec<Difference>, Failure>,
}

/// What was sent to a tool.
pub(crate) fn sent(engine: &Engine, connector: &ConnectorName) -> Vec<Entry> {
    let all = sent_to(engine, connector).into_iter();
    all.map(|(event, done)| Entry { event, done }).collect()
}

/// Asks each tool that can tell.
pub(crate) async fn compare(
    tools: &Tools,
    sent: impl Fn(&ConnectorName) -> Vec<Entry>,
) -> Vec<Compared> {
    let mut all = Vec::new();
    for (name, tool) in tools {
        let Some(sink) = tool.sink() else { continue };
        let entries = sent(name);
        if let Some(drift) = sink.compare(&entries).await.transpose() {
            all.push(Compared {
                connector: name.clone(),
                sent: entries.iter().filter(|entry| entry.done).count(),
                drift,
            });
        }
    }
    all
}

/// The same for people.
pub(crate) fn shape(compared: Vec<Compared>, lang: Lang) -> CompareShape {
    let all = compared.into_iter().map(|one| {
        let (drift, failure) = match one.drift {
            Ok(drift) => (drift, None),
            Err(failure) => (Vec::new(), Some(failure.text.get(lang).to_owned())),
        };
        ComparedShape {
            connector: one.connector.to_string(),
            sent: one.sent,
            drift: drift
                .iter()
                .map(|one| one.text.get(lang).to_owned())
                .collect(),
            failure,
        }
    });
    CompareShape(all.collect())
}

/// Compares, day after day.
pub(super) async fn go_on(place: Arc<AtWork>, stop: CancellationToken) {
    let mut next = None;
    loop {
        let (zone, id) = {
            let set = place.set().await;
            (set.zone().clone(), set.settings().place.id.clone())
        };
        let now = place.clock.now();
        let due = *next.get_or_insert_with(|| after(now, &zone, id.as_str()));
        if now >= due {
            next = None;
            tokio::select! {
                () = stop.cancelled() => return,
                () = look(&place) => {}
            }
            continue;
        }
        let wait = Duration::try_from(due.duration_since(now)).unwrap_or(PACE);
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait.min(PACE)) => {}
        }
    }
}

/// The hour of the next look after `now`, a little different for each place: places of one machine
/// do not all ask at once.
fn after(now: Timestamp, zone: &TimeZone, place: &str) -> Timestamp {
    let here = zone.to_datetime(now);
    let minutes = i64::from(Digest::of(place.as_bytes()).0[1]) % 60;
    let today = here
        .date()
        .to_datetime(HOUR)
        .saturating_add(minutes.minutes());
    let at = if here < today {
        today
    } else {
        today.saturating_add(1.day())
    };
    let instant = zone.to_ambiguous_timestamp(at).compatible();
    instant.unwrap_or(Timestamp::MAX)
}

async fn look(place: &AtWork) {
    let tools = Arc::clone(&place.set().await.tools);
    let names: Vec<ConnectorName> = tools.keys().cloned().collect();
    let sent = place.desk.peek(move |engine, _| {
        let all = names.into_iter();
        all.map(|name| (name.clone(), sent(engine, &name)))
            .collect::<std::collections::BTreeMap<_, _>>()
    });
    let Ok(sent) = sent.await else {
        return; // The log cannot be written; that is told elsewhere.
    };
    let all = compare(&tools, |name| sent.get(name).cloned().unwrap_or_default()).await;
    for Compared {
        connector, drift, ..
    } in all
    {
        match drift {
            Ok(drift) => {
                info!(%connector, drift = drift.len(), "what a tool holds was compared");
                drop(place.desk.input(Input::Compared { connector, drift }).await);
            }
            Err(failure) => {
                warn!(%connector, error.code = failure.code, "a tool could not be compared");
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_next_look_is_at_four_or_soon_after() {
        let zone = TimeZone::get("Indian/Reunion").unwrap();
        for (now, day) in [("2027-01-02T22:00:00Z", 3), ("2027-01-03T02:00:00Z", 4)] {
            let now: Timestamp = now.parse().unwrap();
            let next = zone.to_datetime(after(now, &zone, "raffinerie"));
            assert_eq!((next.date().day(), next.hour()), (day, 4));
        }
    }
}
