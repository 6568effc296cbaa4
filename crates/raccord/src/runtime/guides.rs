//! Once a week: whether the guides that activities and tasks point to are still there.
//!
//! An address that stands in the configuration may be private; one that came from a sheet or from
//! another program may not. What cannot be reached is nobody's fault yet: only a server that says
//! there is no such page is believed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::{DateTime, Time, Weekday};
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use raccord_engine::Input;
use raccord_kit::Kit;
use raccord_kit::http::{Http, Request, Target};
use raccord_model::Digest;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::at_work::AtWork;
use crate::connectors;
use crate::settings::Settings;

/// The hour of the week.
const HOUR: (Weekday, Time) = (Weekday::Monday, Time::constant(5, 0, 0, 0));
/// How long an address is waited for.
const TIME: Duration = Duration::from_secs(20);
/// The most addresses that are looked at in one week.
const MOST: usize = 500;
/// The clock is looked at this often: it may be put right meanwhile.
const PACE: Duration = Duration::from_secs(3_600);

/// Looks at the guides of `place`, week after week.
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
                () = look(&place, &zone) => {}
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
    let (weekday, time) = HOUR;
    let here = zone.to_datetime(now);
    let minutes = i64::from(Digest::of(place.as_bytes()).0[0]) % 60;
    let at = |date: jiff::civil::Date| -> DateTime {
        date.to_datetime(time).saturating_add(minutes.minutes())
    };
    let monday = if here.date().weekday() == weekday && here < at(here.date()) {
        here.date()
    } else {
        here.date().nth_weekday(1, weekday).unwrap_or(here.date())
    };
    let instant = zone.to_ambiguous_timestamp(at(monday)).compatible();
    instant.unwrap_or(Timestamp::MAX)
}

async fn look(place: &AtWork, zone: &TimeZone) {
    let now = zone.to_datetime(place.clock.now());
    let Ok(guides) = place
        .desk
        .peek(move |engine, _| raccord_engine::guides(engine.state(), now))
        .await
    else {
        return; // The log cannot be written; that is told elsewhere.
    };
    let (kit, configured) = {
        let set = place.set().await;
        let settings = set.settings();
        let guides = settings.recipes.iter().flat_map(|recipe| &recipe.tasks);
        let configured: BTreeSet<String> = guides.map(|task| task.guide.clone()).collect();
        (kit(settings, &place.clock), configured)
    };
    if guides.len() > MOST {
        warn!(
            guides = guides.len(),
            looked_at = MOST,
            "there are more guides than are looked at"
        );
    }
    let all = guides.into_keys().take(MOST);
    let Some(Looked { missing, found }) = ask(all, &kit, &configured).await else {
        return;
    };
    info!(
        found = found.len(),
        missing = missing.len(),
        "guides were looked at"
    );
    drop(place.desk.input(Input::Guides { missing, found }).await);
}

/// What a look brought; what could not be reached stands in neither.
#[derive(Debug, Default, PartialEq, Eq)]
struct Looked {
    missing: BTreeSet<String>,
    found: BTreeSet<String>,
}

/// Asks for each address, one after the other.
async fn ask(
    guides: impl Iterator<Item = String>,
    kit: &Kit,
    configured: &BTreeSet<String>,
) -> Option<Looked> {
    let client = Http::new("guides", kit).ok()?;
    let mut looked = Looked::default();
    for guide in guides {
        let target = if configured.contains(&guide) {
            Target::configured("guide", &guide)
        } else {
            Target::from_data(&guide)
        };
        let Ok(target) = target else { continue };
        let request = Request::get(&target).time(TIME).discard_body();
        match client
            .send(request)
            .await
            .map(|answer| answer.status.as_u16())
        {
            Ok(404 | 410) => looked.missing.insert(guide),
            Ok(200..=299) => looked.found.insert(guide),
            _ => false,
        };
    }
    Some(looked)
}

fn kit(settings: &Settings, clock: &Arc<dyn raccord_kit::Clock>) -> Kit {
    let name = "guides".parse().expect("a fixed name");
    connectors::kit(settings, &name, clock, std::path::PathBuf::new())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use raccord_kit::standin::{Play, Reply, Seen, Standin};
    use raccord_kit::testing::kit;

    #[tokio::test]
    async fn only_a_page_that_is_said_to_be_gone_is_missing() {
        let standin = Standin::start().await;
        standin.direct(|seen: &Seen| -> Play {
            let status = match seen.path.as_str() {
                "/here" => 200,
                "/gone" => 410,
                "/lost" => 404,
                _ => 503,
            };
            Reply::status(status).into()
        });
        let all = ["/here", "/gone", "/lost", "/away"].map(|path| standin.url(path));
        let looked = ask(all.clone().into_iter(), &kit(), &all.clone().into())
            .await
            .unwrap();
        assert_eq!(looked.found, [all[0].clone()].into());
        assert_eq!(looked.missing, [all[1].clone(), all[2].clone()].into());
        // The same addresses, written in a sheet: they are private, and nobody is asked.
        let before = standin.seen().len();
        let looked = ask(all.into_iter(), &kit(), &BTreeSet::new())
            .await
            .unwrap();
        assert_eq!(looked, Looked::default());
        assert_eq!(standin.seen().len(), before);
    }

    #[test]
    fn the_next_look_is_on_the_next_monday_morning() {
        let zone = TimeZone::get("Europe/Paris").unwrap();
        let next = |now: &str| {
            let at = after(now.parse().unwrap(), &zone, "lieu");
            zone.to_datetime(at)
        };
        // 4 January 2027 is a Monday.
        for (now, day) in [
            ("2027-01-02T08:00:00Z", 4),
            ("2027-01-04T02:00:00Z", 4),
            ("2027-01-04T08:00:00Z", 11),
        ] {
            let at = next(now);
            assert_eq!((at.day(), at.hour()), (day, 5), "{now}");
        }
    }
}
