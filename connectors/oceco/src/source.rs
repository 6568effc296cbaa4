//! The reading half: who took what is ours, and whose was validated. The list of actions is whole each
//! time, and forgets what is done or past; what was told stands in the cursor, in names that say
//! nothing of anybody.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use raccord_kit::{BoxFuture, Shared, Source, notice};
use raccord_model::{Change, EntityId, Failure, Link, Observation};
use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::people::{self, People};
use crate::sink::{is_ours, times_of, was_never_made};
use crate::standing::{self, Row, Seen, Told};
use crate::{KIND, Oceco, failure};

/// The log is read from so long before an action begins ...
const EARLY: SignedDuration = SignedDuration::from_hours(3);
/// ... to so long after it ended: actions are validated when somebody finds the time. After that
/// nothing is told of it any more.
const LATE: SignedDuration = SignedDuration::from_hours(24 * 60);

/// What is known of ours.
#[derive(Default)]
pub(crate) struct Memory {
    /// By what OCECO calls them.
    ours: BTreeMap<String, Ours>,
}

#[derive(Clone, Copy)]
struct Ours {
    entity: EntityId,
    /// From when to when; nothing for a task on its own.
    times: Option<(Timestamp, Timestamp)>,
}

/// Where a reading left off.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Cursor {
    /// How everybody stood.
    #[serde(default)]
    told: Told,
    /// What was told to organisers, and not yet taken back.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    open: BTreeSet<String>,
}

/// What organisers are told, by its code: nothing where it is well.
type Said = Option<(raccord_model::Words, raccord_model::Words)>;

impl Shared for Oceco {
    fn ours(&self, links: Vec<(EntityId, Link)>) {
        let made = links
            .into_iter()
            .filter(|(_, link)| !link.is_nameless() && !was_never_made(link));
        let ours = made.map(|(entity, link)| {
            let times = times_of(&link);
            (link.external, Ours { entity, times })
        });
        self.memory().ours = ours.collect();
    }
}

impl Source for Oceco {
    fn observe<'a>(
        &'a self,
        cursor: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Observation, Failure>> {
        Box::pin(self.read(cursor))
    }

    fn counts(&self) -> bool {
        true
    }

    fn every(&self) -> (Duration, Option<PathBuf>) {
        (self.every, None)
    }
}

impl Oceco {
    async fn read(&self, cursor: Option<&str>) -> Result<Observation, Failure> {
        let before: Cursor = cursor
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        let now = self.kit.clock.now();
        let ours = self.of_interest(now);
        let people = self.people()?;
        let listed = self.api.actions(&self.parent).await?;
        let begun = |known: &Ours| {
            let start = known.times.map(|(start, _)| start);
            start.is_none_or(|start| start.duration_since(now) < EARLY)
        };
        let (rows, log) = match &self.log {
            Some(log) if ours.values().any(begun) && !people.known.is_empty() => {
                match log.rows(people.known.keys()).await {
                    Ok(rows) => (rows, None),
                    // Who signed up is known all the same.
                    Err(failure) => (Vec::new(), Some((failure.text, failure.mend))),
                }
            }
            _ => (Vec::new(), None),
        };
        let names: BTreeMap<String, EntityId> = ours
            .iter()
            .map(|(action, known)| (action.clone(), known.entity))
            .collect();
        let seen = Seen {
            ours: &names,
            listed: &listed,
            people: &people.known,
            rows: &rows,
            now,
        };
        let (mut changes, told) = standing::changes(&seen, &before.told);
        let mut after = Cursor {
            told,
            open: before.open.clone(),
        };
        // A log that was not read does not say that anything is over.
        let twice = log
            .is_none()
            .then(|| ("validated-twice", self.doubled(&rows, &names)));
        let said = [
            ("no-attendance", log),
            ("unknown-people", self.unknown(&strangers(&listed, &people))),
        ];
        let said = said.into_iter().chain(twice);
        changes.extend(notices(said, &mut after.open, now));
        let text = serde_json::to_string(&after).unwrap_or_default();
        let cursor = (after != before || cursor.is_none()).then_some(text);
        if changes.is_empty() {
            return Ok(Observation::Unchanged { cursor });
        }
        Ok(Observation::Changes { changes, cursor })
    }

    /// What of ours is not over for long.
    fn of_interest(&self, now: Timestamp) -> BTreeMap<String, Ours> {
        let recent = |known: &Ours| {
            let end = known.times.map(|(_, end)| end);
            end.is_none_or(|end| now.duration_since(end) < LATE)
        };
        let memory = self.memory();
        let ours = memory.ours.iter().filter(|(_, known)| recent(known));
        ours.map(|(action, known)| (action.clone(), *known))
            .collect()
    }

    /// Which account is whose, as the file says it now.
    pub(crate) fn people(&self) -> Result<People, Failure> {
        let unread = |error: &io::Error| failure::no_people(&self.people, error);
        let length = std::fs::metadata(&self.people).map_err(|error| unread(&error))?;
        if length.len() > people::LONGEST {
            return Err(failure::many_people(&self.people));
        }
        let text = std::fs::read(&self.people).map_err(|error| unread(&error))?;
        Ok(People::read(&String::from_utf8_lossy(&text)))
    }

    fn unknown(&self, strangers: &BTreeSet<String>) -> Said {
        let many = strangers.len();
        (many > 0).then(|| failure::unknown_people(self.api.host(), many))
    }

    fn doubled(&self, rows: &[Row], ours: &BTreeMap<String, EntityId>) -> Said {
        let many = standing::doubled(rows, ours);
        (many > 0).then(|| failure::validated_twice(self.api.host(), many))
    }
}

/// Who took actions of ours, and is nobody here, by their identifiers.
pub(crate) fn strangers(listed: &[Action], people: &People) -> BTreeSet<String> {
    let of_ours = listed.iter().filter(|action| is_ours(action));
    of_ours
        .filter_map(Action::contributors)
        .flatten()
        .filter(|account| !people.known.contains_key(*account))
        .filter(|account| people::is_identifier(account))
        .map(str::to_owned)
        .collect()
}

/// What organisers are told, and what is over of it.
fn notices(
    said: impl Iterator<Item = (&'static str, Said)>,
    open: &mut BTreeSet<String>,
    now: Timestamp,
) -> Vec<Change> {
    said.filter_map(|(code, said)| {
        let changed = match &said {
            Some(_) => open.insert(code.to_owned()),
            None => open.remove(code),
        };
        changed.then(|| notice(KIND, code, said.as_ref(), now))
    })
    .collect()
}
