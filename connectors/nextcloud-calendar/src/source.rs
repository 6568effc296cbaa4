//! The reading half: what members wrote into the calendars themselves, and what they made of ours.
//!
//! A token that stands where it stood is one small request per calendar. Else only what changed is
//! fetched; once a day, and wherever a token cannot be trusted, everything is compared by ETag.

mod fresh;
mod lines;
mod memory;
mod told;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::PoisonError;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use raccord_kit::{BoxFuture, Shared, Source};
use raccord_model::{EntityId, Failure, Link, Observation};
use serde::{Deserialize, Serialize};

use crate::Calendars;
use crate::merge::Base;

pub(crate) use lines::is_occurrence;
pub(crate) use memory::Memory;

/// Where a reading left off.
#[derive(Default, PartialEq, Serialize, Deserialize)]
struct Cursor {
    /// The day of the last comparison of everything.
    day: Option<Date>,
    /// The token of each calendar, by its path.
    tokens: BTreeMap<String, String>,
}

impl Shared for Calendars {
    fn ours(&self, links: Vec<(EntityId, Link)>) {
        let named = links
            .into_iter()
            .filter(|(_, link)| !link.is_nameless() && !is_occurrence(&link.external));
        let ours = named
            .map(|(entity, link)| {
                let base = Base::read(link.tag.as_deref());
                (link.external, (entity, base))
            })
            .collect();
        self.memory().ours = ours;
    }
}

impl Source for Calendars {
    fn observe<'a>(
        &'a self,
        cursor: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Observation, Failure>> {
        Box::pin(async move {
            let seen = self.read(cursor).await;
            if seen.is_err() {
                self.forget_account().await;
            }
            seen
        })
    }

    fn every(&self) -> (Duration, Option<PathBuf>) {
        (self.settings.every.get(), None)
    }
}

impl Calendars {
    pub(crate) fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn read(&self, cursor: Option<&str>) -> Result<Observation, Failure> {
        let before: Cursor = cursor
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        let calendars = self.wanted().await?;
        let mut now = Cursor {
            day: Some(self.today()),
            tokens: BTreeMap::new(),
        };
        for calendar in &calendars {
            let token = self.token(calendar).await?;
            now.tokens.insert(calendar.path.clone(), token);
        }
        let known = now.tokens.values().all(|token| !token.is_empty());
        if cursor.is_some() && before == now && known {
            return Ok(Observation::Unchanged { cursor: None });
        }
        let whole = before.day != now.day;
        for calendar in &calendars {
            self.refresh(calendar, &now.tokens[&calendar.path], whole)
                .await?;
        }
        self.reading(&calendars, &now)
    }

    fn today(&self) -> Date {
        self.zone().to_datetime(self.kit.clock.now()).date()
    }

    fn zone(&self) -> TimeZone {
        TimeZone::get(&self.kit.place.zone).unwrap_or(TimeZone::UTC)
    }
}
