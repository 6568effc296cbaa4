//! The streams of a cluster, one of each kind for all places: their names, subjects and settings.
//!
//! A stream that is there is taken as it is, unless it would lose or change what it is given.

use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};
use raccord_model::PlaceId;

use super::error::ClusterError;
use super::link::{Patience, refused};
use super::nats::Nats;

/// The logs.
pub(super) const LOGS: &str = "raccord";
/// The pieces of snapshots.
pub(super) const SNAPSHOTS: &str = "raccord-snapshots";
/// The personal values: a key-value bucket, readable by `nats kv`.
pub(super) const SLOTS: &str = "KV_raccord-slots";
/// The remarks about logs, and each log's record: another bucket.
pub(super) const METAS: &str = "KV_raccord-metas";
/// The events for other programs.
pub(super) const EVENTS: &str = "raccord-events";

/// Which nodes live, what they serve and which place each holds.
pub(super) const NODES: &str = "raccord-nodes";
/// All that is said there.
pub(super) const OF_NODES: &str = "raccord-nodes.>";

/// How long the events stay for programs that were away.
const EVENTS_KEPT: std::time::Duration = std::time::Duration::from_secs(30 * 24 * 3600);

/// How long the same event published twice is known as the same.
const EVENTS_WINDOW: std::time::Duration = std::time::Duration::from_secs(3600);

pub(super) fn log(place: &PlaceId) -> String {
    format!("raccord.{place}.log")
}

pub(super) fn snapshots(place: &PlaceId) -> String {
    format!("raccord.{place}.snapshot")
}

pub(super) fn slots(place: &PlaceId) -> String {
    format!("$KV.raccord-slots.{place}")
}

pub(super) fn metas(place: &PlaceId) -> String {
    format!("$KV.raccord-metas.{place}")
}

/// The log's own record, beside the remarks: no remark has such a name.
pub(super) fn record(place: &PlaceId) -> String {
    format!("$KV.raccord-metas.{place}.log.record")
}

pub(super) fn event(place: &PlaceId, entity: &str, verb: &str) -> String {
    format!("raccord.{place}.events.{entity}.{verb}")
}

/// All events of a place.
pub(super) fn events(place: &PlaceId) -> String {
    format!("raccord.{place}.events.>")
}

/// Where a node says that it lives.
pub(super) fn beat(node: &str) -> String {
    format!("{NODES}.beat.{node}")
}

/// Where a node says which places it could work for.
pub(super) fn serves(node: &str) -> String {
    format!("{NODES}.serves.{node}")
}

/// Where it stands who holds a place.
pub(super) fn holder(place: &PlaceId) -> String {
    format!("{NODES}.holder.{place}")
}

/// Makes the streams that are missing, and checks those that are there.
pub(super) async fn settle(nats: &Nats, mut patience: Patience) -> Result<(), ClusterError> {
    for config in wanted(nats.replicas()) {
        let found = find_or_make(nats, &config, &mut patience).await?;
        if let Some(setting) = unfit(&found, &config) {
            return Err(ClusterError::Unfit {
                stream: config.name,
                setting,
            });
        }
    }
    Ok(())
}

fn wanted(replicas: usize) -> [Config; 6] {
    let stream = |name: &str, subject: &str, description: &str| Config {
        name: name.to_owned(),
        subjects: vec![subject.to_owned()],
        description: Some(description.to_owned()),
        storage: StorageType::File,
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::New,
        num_replicas: replicas,
        max_messages: -1,
        max_bytes: -1,
        max_messages_per_subject: -1,
        max_consumers: -1,
        max_message_size: -1,
        allow_direct: true,
        ..Config::default()
    };
    // The most that a bucket may keep of a key: older ones are deleted by us, so that their bytes
    // are overwritten, which the server does not do on its own.
    let bucket = |name: &str, subject: &str, description: &str| Config {
        max_messages_per_subject: 64,
        allow_rollup: true,
        ..stream(name, subject, description)
    };
    [
        stream(LOGS, "raccord.*.log", "Raccord: the logs of all places"),
        stream(
            SNAPSHOTS,
            "raccord.*.snapshot.*",
            "Raccord: the snapshots of the logs",
        ),
        bucket(
            SLOTS,
            "$KV.raccord-slots.>",
            "Raccord: personal values, which can be forgotten",
        ),
        bucket(
            METAS,
            "$KV.raccord-metas.>",
            "Raccord: remarks about the logs",
        ),
        Config {
            discard: DiscardPolicy::Old,
            max_age: EVENTS_KEPT,
            duplicate_window: EVENTS_WINDOW,
            ..stream(
                EVENTS,
                "raccord.*.events.>",
                "Raccord: events for other programs",
            )
        },
        Config {
            discard: DiscardPolicy::Old,
            max_messages_per_subject: 1,
            ..stream(NODES, OF_NODES, "Raccord: which node works for which place")
        },
    ]
}

async fn find_or_make(
    nats: &Nats,
    config: &Config,
    patience: &mut Patience,
) -> Result<Config, ClusterError> {
    loop {
        let why = match nats.context().get_stream(&config.name).await {
            Ok(stream) => return Ok(stream.cached_info().config.clone()),
            Err(error) => match error.kind() {
                GetStreamErrorKind::JetStream(reason) if reason.code() == 404 => {
                    match nats.context().create_stream(config.clone()).await {
                        Ok(stream) => return Ok(stream.cached_info().config.clone()),
                        Err(error) => refused("make a stream", &error),
                    }
                }
                _ => refused("find a stream", &error),
            },
        };
        if patience.is_over() {
            return Err(why);
        }
        // A cluster without a leader yet, or another node that makes the same stream.
        patience.before_next().await;
    }
}

/// The setting by which a stream would lose what it is given, if there is one.
fn unfit(found: &Config, wanted: &Config) -> Option<&'static str> {
    let events = wanted.name == EVENTS;
    let checks = [
        ("subjects", found.subjects == wanted.subjects),
        ("storage", found.storage == StorageType::File),
        ("retention", found.retention == RetentionPolicy::Limits),
        ("max_age", events || found.max_age.is_zero()),
        ("max_msgs", events || found.max_messages <= 0),
        (
            "discard",
            events || found.max_bytes <= 0 || found.discard == DiscardPolicy::New,
        ),
        (
            "max_msgs_per_subject",
            events || found.max_messages_per_subject == wanted.max_messages_per_subject,
        ),
        (
            "max_msg_size",
            found.max_message_size < 0 || found.max_message_size >= 512 << 10,
        ),
        ("deny_delete", events || !found.deny_delete),
        ("deny_purge", events || !found.deny_purge),
        ("sealed", !found.sealed),
        ("no_ack", !found.no_ack),
        ("mirror", found.mirror.is_none()),
        ("subject_transform", found.subject_transform.is_none()),
    ];
    checks
        .into_iter()
        .find_map(|(setting, good)| (!good).then_some(setting))
}

/// Whether the server's refusal goes away by itself: no leader yet, overloaded.
pub(super) fn is_passing(code: usize) -> bool {
    code == 503 || code == 500
}

/// Whether a message could not be deleted because it is gone.
pub(super) fn is_gone(reason: &async_nats::jetstream::Error) -> bool {
    use async_nats::jetstream::ErrorCode;
    matches!(
        reason.error_code(),
        ErrorCode::NO_MESSAGE_FOUND | ErrorCode::SEQUENCE_NOT_FOUND
    ) || reason.to_string().contains("no message found")
        || reason.to_string().contains("deleted message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_that_would_lose_commits_is_not_fit() {
        let [log, ..] = wanted(1);
        assert_eq!(unfit(&log, &log), None);
        let aged = Config {
            max_age: EVENTS_KEPT,
            ..log.clone()
        };
        assert_eq!(unfit(&aged, &log), Some("max_age"));
        let memory = Config {
            storage: StorageType::Memory,
            ..log.clone()
        };
        assert_eq!(unfit(&memory, &log), Some("storage"));
    }
}
