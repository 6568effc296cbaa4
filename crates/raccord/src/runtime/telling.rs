//! Single events for other programs, from the log into a stream of their own: whoever follows it needs
//! nothing but a NATS client. After a stop it goes on where it was.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use raccord_bus::jetstream::EventOut;
use raccord_model::PERSONAL;
use raccord_web::{Entry, FollowError, Place as _, Position};
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::desk::Desk;
use super::face::Here;
use super::home::Home;

/// How many events are handed over at once.
const BATCH: usize = 256;
/// How long it is left alone when it did not work.
const AGAIN: Duration = Duration::from_secs(2);
/// The stream forgets, so where it got to is written down now and then.
const REMEMBERED: Duration = Duration::from_hours(1);
/// Where that stands.
const KEY: &str = "events-told";

/// Tells other programs of a place on a cluster.
pub(super) struct Telling {
    pub(super) home: Home,
    pub(super) here: Arc<Here>,
    pub(super) desk: Desk,
}

impl Telling {
    /// Tells what happens until `stop`; does nothing where the log lies in a folder.
    pub(super) async fn go_on(self, stop: CancellationToken) {
        if !self.home.is_shared() {
            return;
        }
        while !stop.is_cancelled() {
            let told = tokio::select! {
                () = stop.cancelled() => return,
                told = self.tell() => told,
            };
            if let Err(error) = told {
                tracing::warn!(error.code = error.code(), %error, "other programs are not told yet");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(AGAIN) => {}
            }
        }
    }

    /// Follows the log from where the stream stands, as long as that goes well.
    async fn tell(&self) -> Result<(), raccord_bus::LogError> {
        let Ok(known) = self.desk.peek(|_, log| log.meta(KEY).ok().flatten()).await else {
            return Ok(());
        };
        let position = |text: Option<String>| text.and_then(|text| text.parse::<Position>().ok());
        let told = position(self.home.published()?);
        let from = told.max(position(known)).unwrap_or(Position::START);
        // Where the log went back in time, it goes on with what is new.
        let entries = match self.here.follow(Some(from)) {
            Err(FollowError::Gone) => self.here.follow(None),
            entries => entries,
        };
        let Ok(entries) = entries else {
            return Ok(());
        };
        let mut entries = entries.ready_chunks(BATCH);
        let mut remembered = Instant::now();
        while let Some(batch) = entries.next().await {
            let events: Vec<EventOut> = batch.iter().filter_map(event).collect();
            self.home.publish(&events)?;
            if remembered.elapsed() >= REMEMBERED
                && let Some(last) = batch.last()
            {
                let position = last.position.to_string();
                let kept = self
                    .desk
                    .peek(move |_, log| log.set_meta(KEY, Some(&position)))
                    .await;
                drop(kept);
                remembered = Instant::now();
            }
        }
        Ok(())
    }
}

/// An event as it is published: `org.raccord.activity.created.v1` is about an `activity` that was
/// `created`. Personal values are left out: the stream could not forget them.
fn event(entry: &Entry) -> Option<EventOut> {
    let mut event: Value = serde_json::from_slice(&entry.json).ok()?;
    let kind = event["type"]
        .as_str()?
        .strip_prefix("org.raccord.")?
        .to_owned();
    let mut words = kind.split('.');
    let (entity, verb) = (words.next()?, words.next()?);
    let personal = PERSONAL.iter().filter(|(of, _)| of.as_str() == entity);
    if let Some(data) = event["data"].as_object_mut() {
        for name in personal.flat_map(|(_, names)| names.iter()) {
            data.remove(*name);
        }
    }
    Some(EventOut {
        id: event["id"].as_str()?.to_owned(),
        entity: entity.to_owned(),
        verb: verb.to_owned(),
        position: entry.position.to_string(),
        body: serde_json::to_vec(&event).ok()?,
    })
}
