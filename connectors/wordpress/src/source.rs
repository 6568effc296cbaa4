//! The reading half: what people of the site made of our posts. What changed last is asked for in a
//! few bytes; only where that differs, or once a day, ours are read.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::PoisonError;
use std::time::Duration;

use jiff::SignedDuration;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use raccord_kit::{BoxFuture, Shared, Source};
use raccord_model::{
    Digest, Edit, EntityId, Failure, Fields, Link, Observation, Reading, Remark, Tab, Words as Said,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::WordPress;
use crate::api::Post;
use crate::base::{Base, Words, digest};
use crate::sink::number;

/// Of what is over for so long nothing is asked any more.
const LATE: SignedDuration = SignedDuration::from_hours(24);

/// What of the site is ours.
pub(crate) type Known = BTreeMap<u64, (EntityId, Base)>;

/// Where a reading left off.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Cursor {
    /// The day ours were read last.
    day: Option<Date>,
    /// Digest of what changed last, on the site and in our own links.
    mark: Digest,
}

impl Shared for WordPress {
    fn ours(&self, links: Vec<(EntityId, Link)>) {
        let ours = links.into_iter().filter_map(|(entity, link)| {
            let base = Base::read(link.tag.as_deref())?;
            Some((number(Some(&link))?, (entity, base)))
        });
        *self.ours.lock().unwrap_or_else(PoisonError::into_inner) = ours.collect();
    }
}

impl Source for WordPress {
    fn observe<'a>(
        &'a self,
        cursor: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Observation, Failure>> {
        Box::pin(self.look_at_ours(cursor))
    }

    fn every(&self) -> (Duration, Option<PathBuf>) {
        (self.settings.every.get(), None)
    }
}

impl WordPress {
    async fn look_at_ours(&self, cursor: Option<&str>) -> Result<Observation, Failure> {
        let before: Option<Cursor> = cursor.and_then(|text| serde_json::from_str(text).ok());
        let now = self.kit.clock.now();
        let known: Known = {
            let all = self.ours.lock().unwrap_or_else(PoisonError::into_inner);
            let current = all
                .iter()
                .filter(|(_, (_, base))| now.duration_since(base.over) < LATE);
            current.map(|(id, one)| (*id, one.clone())).collect()
        };
        let news = self.api.news().await?;
        let tags: Vec<String> = known.values().map(|(_, base)| base.tag()).collect();
        let mark = serde_json::to_vec(&(&news, &tags)).unwrap_or_default();
        let zone = TimeZone::get(&self.kit.place.zone).unwrap_or(TimeZone::UTC);
        let cursor = Cursor {
            day: Some(zone.to_datetime(now).date()),
            mark: Digest::of(&mark),
        };
        if before.as_ref() == Some(&cursor) {
            return Ok(Observation::Unchanged { cursor: None });
        }
        let ids: Vec<u64> = known.keys().copied().collect();
        let posts = self.api.these(&ids).await?;
        let mut reading = Reading {
            digest: cursor.mark,
            cursor: serde_json::to_string(&cursor).ok(),
            tabs: vec![Tab {
                name: self.api.host().to_owned(),
                ..Tab::default()
            }],
            ..Reading::default()
        };
        for (id, (entity, base)) in &known {
            let post = posts.iter().find(|post| post.id == *id);
            let Some(post) = post.filter(|post| !post.is_trashed()) else {
                reading
                    .remarks
                    .push(self.remark(*id, "post-removed", &REMOVED));
                continue;
            };
            match edited(*entity, base, post) {
                Some(edit) => reading.edits.push(edit),
                None => reading
                    .remarks
                    .push(self.remark(*id, "post-rewritten", &REWRITTEN)),
            }
            if is_moved(*entity, base, post) {
                reading.remarks.push(self.remark(*id, "post-moved", &MOVED));
            }
        }
        Ok(Observation::Complete(reading))
    }

    fn remark(&self, id: u64, code: &str, (fr, en): &(&str, &str)) -> Remark {
        let host = self.api.host();
        Remark {
            sheet: host.to_owned(),
            row: u32::try_from(id).unwrap_or_default(),
            code: code.to_owned(),
            text: Said::new(
                format!("Article {id} de {host}\u{a0}: {fr}"),
                format!("Post {id} on {host}: {en}"),
            ),
        }
    }
}

const REMOVED: (&str, &str) = (
    "quelqu’un l’a enlevé du site. Raccord ne le refait pas\u{202f}; l’activité elle-même reste au programme.",
    "somebody took it off the site. Raccord does not make it anew; the activity itself stays in the programme.",
);
const REWRITTEN: (&str, &str) = (
    "il a été réécrit, la partie de Raccord n’y est plus. Ce qui change au programme n’y paraîtra pas sans vous.",
    "it was rewritten, Raccord’s part is not in it any more. What changes in the programme will not show there without you.",
);
const MOVED: (&str, &str) = (
    "la ligne avec la date et la salle y a été changée à la main. Si cela vaut pour tous, changez aussi le programme.",
    "the line with date and room was changed there by hand. If that is so for everybody, change the programme, too.",
);

/// What people made of a post since we wrote it: nothing, where it says so again. `None` where our
/// part is not in it.
fn edited(entity: EntityId, base: &Base, post: &Post) -> Option<Edit> {
    let mut fields = Fields::new();
    if !base.is_ours(post) {
        let words = Words::of(post, entity)?;
        if digest(&words.title) != base.title && !words.title.is_empty() {
            fields.insert("title".to_owned(), json!(words.title));
        }
        if digest(&words.text) != base.text {
            let prose = match &*words.prose {
                "" => Value::Null,
                prose => json!(prose),
            };
            fields.insert("description".to_owned(), prose);
        }
    }
    Some(Edit { entity, fields })
}

/// Whether the line with the date says something else than we wrote, and is there.
fn is_moved(entity: EntityId, base: &Base, post: &Post) -> bool {
    let words = Words::of(post, entity).filter(|_| !base.is_ours(post));
    words.is_some_and(|words| !words.facts.is_empty() && digest(&words.facts) != base.facts)
}
