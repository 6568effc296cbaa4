//! The writing half: one action per task. OCECO's routes make actions and change none: what differs,
//! and what is to go, is asked of a person.

use jiff::Timestamp;
use raccord_kit::{BoxFuture, Job, Made, Sink};
use raccord_model::{
    Applied, Context, Desired, Digest, EntityId, EntityKind, Failure, Found, Link, Rendered,
    Subject, Words,
};

use crate::Oceco;
use crate::action::Action;
use crate::failure;
use crate::shown::{self, Shown, mark};

/// What stands for a task that was over before it could be made: it is not made any more.
const OVER: &str = "over";

impl Sink for Oceco {
    fn target(&self) -> String {
        format!("{}{}", self.api.site(), self.parent.name())
    }

    fn render(&self, subject: Subject<'_>, context: &Context<'_>) -> Rendered {
        let shown = match subject {
            Subject::Entity { entity, parent, .. } if entity.kind == EntityKind::Task => {
                Shown::task(entity, parent, context)
            }
            _ => None,
        };
        let Some(shown) = shown else {
            return Rendered::Nothing;
        };
        Rendered::Object(Desired {
            hash: shown.hash(),
            title: shown.name.clone(),
            text: Words::same(shown.summary(&context.place.zone)),
            body: serde_json::to_value(&shown).unwrap_or_default(),
            outdated: None,
        })
    }

    fn find<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<Found, Failure>> {
        Box::pin(async move {
            let listed = self.kit.clock.now();
            let (entity, wanted) = match job {
                Job::Write {
                    entity, desired, ..
                } => (*entity, Some(read(desired)?)),
                Job::Seek { entity } => (*entity, None),
                Job::Remove { .. } | Job::Send { .. } => return Ok(Found::CannotTell),
            };
            let all = self.api.actions(&self.parent).await?;
            let there = marked(&all, entity);
            let wanted = |one: &&Action| wanted.as_ref().is_none_or(|wanted| wanted.is(one));
            Ok(match there.filter(wanted) {
                Some(action) => Found::Yes(self.applied(action)),
                None => Found::No { listed },
            })
        })
    }

    fn apply<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<Made, Failure>> {
        Box::pin(async move {
            match job {
                Job::Write { desired, link, .. } => {
                    let shown = read(desired)?;
                    self.write(&shown, desired.hash, link.as_ref()).await
                }
                Job::Remove { entity, link } => self.remove(*entity, link).await,
                Job::Send { .. } | Job::Seek { .. } => Err(failure::bug("nothing to write")),
            }
        })
    }
}

fn read(desired: &Desired) -> Result<Shown, Failure> {
    serde_json::from_value(desired.body.clone()).map_err(|_| failure::bug("an action"))
}

impl Oceco {
    /// Makes an action, or sees that it says what it should.
    async fn write(
        &self,
        shown: &Shown,
        hash: Digest,
        link: Option<&Link>,
    ) -> Result<Made, Failure> {
        let over = shown.is_over(self.kit.clock.now());
        let all = self.api.actions(&self.parent).await?;
        let link = link.filter(|link| !link.is_nameless() && !was_never_made(link));
        let there = match link {
            Some(link) => all.iter().find(|action| action.id == link.external),
            None => marked(&all, shown.entity),
        };
        match (there, link) {
            (Some(action), _) if over || shown.is(action) => Ok(unchanged(self.applied(action))),
            (Some(action), _) => {
                let people = action.contributors().map_or(0, |all| all.len());
                let wanted = shown.summary(&self.kit.place.zone);
                Err(failure::differs(&action.name, &wanted, people))
            }
            // Finished, past, switched off or deleted: OCECO tells none of these apart, and an action
            // that is made again would be done again.
            (None, Some(link)) if over || link.hash == hash => {
                let applied = Applied {
                    external: link.external.clone(),
                    tag: link.tag.clone(),
                    url: link.url.clone(),
                };
                Ok(unchanged(applied))
            }
            (None, Some(_)) => Err(failure::hidden(&shown.name, self.api.host())),
            (None, None) if over => Ok(unchanged(Applied {
                external: OVER.to_owned(),
                ..Applied::default()
            })),
            (None, None) => self.make(shown).await,
        }
    }

    async fn make(&self, shown: &Shown) -> Result<Made, Failure> {
        let made = self.api.create(&self.parent, shown.body()).await?;
        // Its page has the room in its address, which only the list tells. Without it, the action is
        // there all the same.
        let all = self.api.actions(&self.parent).await.unwrap_or_default();
        let there = all.iter().find(|action| action.id == made);
        let applied = Applied {
            tag: tag(shown.times),
            url: there.and_then(|action| self.api.page(&self.parent, action)),
            external: made,
        };
        Ok(applied.into())
    }

    async fn remove(&self, entity: EntityId, link: &Link) -> Result<Made, Failure> {
        let now = self.kit.clock.now();
        if !was_never_made(link) {
            let all = self.api.actions(&self.parent).await?;
            let there = if link.is_nameless() {
                marked(&all, entity)
            } else {
                all.iter().find(|action| action.id == link.external)
            };
            let coming = |action: &&Action| action.end_date.is_none_or(|end| end > now);
            if let Some(action) = there.filter(coming) {
                let people = action.contributors().map_or(0, |all| all.len());
                return Err(failure::goes(&action.name, self.api.host(), people));
            }
        }
        let applied = Applied {
            external: link.external.clone(),
            ..Applied::default()
        };
        Ok(applied.into())
    }

    /// What the link to an action holds.
    fn applied(&self, action: &Action) -> Applied {
        Applied {
            external: action.id.clone(),
            tag: tag(action.start_date.zip(action.end_date)),
            url: self.api.page(&self.parent, action),
        }
    }
}

fn unchanged(applied: Applied) -> Made {
    Made {
        applied,
        unchanged: true,
    }
}

/// Whether an action says of itself that it is one of ours.
pub(crate) fn is_ours(action: &Action) -> bool {
    let mut tags = action.tags.iter().flatten();
    tags.any(|tag| tag.starts_with(shown::MARK))
}

/// The action of an entity, by our tag. Where a repeat outside our sight made two, the first.
fn marked(all: &[Action], entity: EntityId) -> Option<&Action> {
    let mark = mark(entity);
    all.iter()
        .filter(|action| action.bears(&mark))
        .min_by(|a, b| a.id.cmp(&b.id))
}

/// From when to when, as a link keeps it: nothing else tells it once the action is shown no more.
fn tag(times: Option<(Timestamp, Timestamp)>) -> Option<String> {
    times.map(|(start, end)| format!("{start} {end}"))
}

/// From when to when the action of a link is.
pub(crate) fn times_of(link: &Link) -> Option<(Timestamp, Timestamp)> {
    let (start, end) = link.tag.as_deref()?.split_once(' ')?;
    Some((start.parse().ok()?, end.parse().ok()?))
}

/// Whether it stands for something that was never made.
pub(crate) fn was_never_made(link: &Link) -> bool {
    link.external == OVER
}
