//! The writing half: one event per activity, one action per task. Nothing can be changed there: what
//! differs is deleted and made anew while nobody has registered, and asked about once somebody has.

use jiff::{SignedDuration, Timestamp};
use raccord_kit::{BoxFuture, Job, Made, Sink};
use raccord_model::{
    Applied, Blame, Context, Desired, EntityId, EntityKind, Failure, Found, Link, Rendered,
    Subject, Words,
};

use crate::Lespass;
use crate::api::{Event, instant};
use crate::failure;
use crate::settings::Tasks;
use crate::shown::{self, Shown};

/// What stands for an activity that was over before it could be made: it is not made any more.
const OVER: &str = "over";
/// Without an end, an event is taken to last so long.
const USUAL: SignedDuration = SignedDuration::from_hours(2);
/// How far Lespass looks ahead, in days: its own bound.
const AHEAD: u16 = 366;

impl Sink for Lespass {
    fn target(&self) -> String {
        self.api.site().to_owned()
    }

    fn missing<'a>(&'a self, objects: &'a [String]) -> BoxFuture<'a, Vec<String>> {
        Box::pin(async move {
            let coming = self.still_to_come();
            let wanted = objects.iter().filter(|uuid| coming.contains(*uuid));
            let Ok(listed) = self.api.coming(AHEAD).await else {
                return Vec::new();
            };
            let is_listed = |uuid: &str| listed.iter().any(|one| one.identifier == uuid);
            let mut missing = Vec::new();
            for uuid in wanted.filter(|uuid| !is_listed(uuid)) {
                // Unpublished, or further than a year: it may be there all the same.
                if matches!(self.api.event(uuid).await, Ok(None)) {
                    missing.push(uuid.clone());
                }
            }
            missing
        })
    }

    fn render(&self, subject: Subject<'_>, context: &Context<'_>) -> Rendered {
        let shown = match subject {
            Subject::Entity { entity, parent, .. } => match entity.kind {
                EntityKind::Activity => Shown::activity(entity, context),
                EntityKind::Task if self.settings.tasks == Tasks::Actions => {
                    Shown::task(entity, parent, context)
                }
                _ => None,
            },
            Subject::Publication { .. } | Subject::Saying { .. } => None,
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
            let there = self.marked(entity).await?;
            // An earlier form of it, whose deletion was not made yet, is no proof; nor is one whose
            // products may not be linked yet. The next attempt looks again before it makes anything.
            let whole = |event: &Event| {
                let wanted = wanted.as_ref();
                wanted.is_none_or(|wanted| wanted.is(event) && !self.is_booked_with(wanted))
            };
            Ok(match there.filter(whole) {
                Some(event) => Found::Yes(applied(&event)),
                None => Found::No { listed },
            })
        })
    }

    fn apply<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<Made, Failure>> {
        Box::pin(async move {
            match job {
                Job::Write { desired, link, .. } => {
                    self.write(&read(desired)?, link.as_ref()).await
                }
                Job::Remove { entity, link } => self.remove(*entity, link).await,
                Job::Send { .. } | Job::Seek { .. } => Err(failure::bug("nothing to write")),
            }
        })
    }
}

fn read(desired: &Desired) -> Result<Shown, Failure> {
    serde_json::from_value(desired.body.clone()).map_err(|_| failure::bug("an event"))
}

impl Lespass {
    /// Brings an event to what it should say.
    async fn write(&self, shown: &Shown, link: Option<&Link>) -> Result<Made, Failure> {
        let now = self.kit.clock.now();
        let over = is_over(Some(shown.start), shown.end, now);
        let there = match named(link) {
            // Somebody deleted it: it is made anew, if it is not there under another name.
            Some(uuid) => Some(self.api.event(uuid).await?.ok_or_else(gone)?),
            None => self.marked(shown.entity).await?,
        };
        match there {
            // What is over is left as it was.
            Some(event) if over && is_over(event.start(), event.end(), now) => {
                return Ok(Made {
                    applied: applied(&event),
                    unchanged: true,
                });
            }
            Some(event) if shown.is(&event) => {
                if !event.is_published() {
                    return Err(failure::unpublished(&shown.name));
                }
                self.bookable(&event, shown).await?;
                return Ok(Made {
                    applied: applied(&event),
                    unchanged: true,
                });
            }
            Some(event) => self.take_away(&event, &shown.name, false).await?,
            None => {}
        }
        if over {
            let made = Applied {
                external: OVER.to_owned(),
                ..Applied::default()
            };
            return Ok(Made {
                applied: made,
                unchanged: true,
            });
        }
        self.make(shown).await
    }

    async fn make(&self, shown: &Shown) -> Result<Made, Failure> {
        let host = self.api.host();
        // Two of one name and one hour cannot be, and the server would not say so.
        let alike = self.api.with_text(&shown.name).await?;
        let same =
            |event: &&Event| event.name.trim() == shown.name && event.start() == Some(shown.start);
        if alike.iter().any(|event| same(&event)) {
            return Err(failure::name_taken(&shown.name, host));
        }
        let parent = match shown.parent {
            Some(parent) => {
                let found = self.marked(parent).await?;
                let found = found.ok_or_else(|| failure::no_parent(&shown.name, host))?;
                Some(found.identifier)
            }
            None => None,
        };
        let event = match self.api.create(&shown.body(parent.as_deref())).await {
            Err(failure) if failure::is_accident(&failure) => {
                // A server that answers otherwise does not get over this one by itself.
                let Ok(there) = self.marked(shown.entity).await else {
                    return Err(failure);
                };
                there.ok_or_else(|| failure::not_made(&shown.name, host))?
            }
            made => made?,
        };
        self.bookable(&event, shown).await.map_err(|failure| {
            // It is made: the next attempt finds it, and links what it lacks.
            match failure.blame {
                Blame::Unknown => Failure {
                    blame: Blame::Transient,
                    ..failure
                },
                _ => failure,
            }
        })?;
        Ok(applied(&event).into())
    }

    /// Whether it is booked with products: an action needs none.
    fn is_booked_with(&self, shown: &Shown) -> bool {
        !self.settings.products.is_empty() && shown.parent.is_none()
    }

    async fn bookable(&self, event: &Event, shown: &Shown) -> Result<(), Failure> {
        if !self.is_booked_with(shown) {
            return Ok(());
        }
        let products = self.settings.products.iter();
        let products: Vec<String> = products.map(|one| (**one).to_owned()).collect();
        self.api.link(&event.identifier, &products).await
    }

    async fn remove(&self, entity: EntityId, link: &Link) -> Result<Made, Failure> {
        let there = match named(Some(link)) {
            Some(uuid) => self.api.event(uuid).await?,
            None => self.marked(entity).await?,
        };
        if let Some(event) = there {
            let over = is_over(event.start(), event.end(), self.kit.clock.now());
            // Unpublished is the only way to call off what was booked.
            if event.is_published() && !over {
                self.take_away(&event, &event.name, true).await?;
            }
        }
        Ok(Applied {
            external: link.external.clone(),
            ..Applied::default()
        }
        .into())
    }

    /// Deletes an event, unless that would take something from somebody.
    async fn take_away(&self, event: &Event, title: &str, goes: bool) -> Result<(), Failure> {
        if is_over(event.start(), event.end(), self.kit.clock.now()) {
            return Err(failure::took_place(title));
        }
        // Whatever the day: no window would show the actions of what is more than a year ahead.
        let all = self.api.all().await?;
        let of_it = |one: &&Event| {
            let parent = one.parent.as_ref();
            parent.is_some_and(|parent| parent.identifier == event.identifier)
        };
        let actions: Vec<&Event> = all.iter().filter(of_it).collect();
        let others = actions.iter().filter(|one| !shown::is_ours(one)).count();
        if others > 0 {
            return Err(failure::others_actions(title, others));
        }
        let people = self.booked(event, &actions).await?;
        if people > 0 {
            return Err(failure::registered(title, people, goes));
        }
        let deleted = self.api.delete(&event.identifier).await;
        if deleted.is_err() {
            // Whoever registered just now keeps it from being deleted, and the server does not say so.
            let people = self.booked(event, &actions).await?;
            if people > 0 {
                return Err(failure::registered(title, people, goes));
            }
        }
        deleted
    }

    /// How many reservations keep an event from being deleted: those that were cancelled, too.
    async fn booked(&self, event: &Event, actions: &[&Event]) -> Result<usize, Failure> {
        let all = self.api.reservations().await?;
        let for_it = |of: &str| {
            let mut actions = actions.iter();
            of == event.identifier || actions.any(|action| action.identifier == of)
        };
        Ok(all.iter().filter(|one| for_it(&one.event)).count())
    }

    /// The event of an entity, by our mark. A text that merely holds the mark of another is not it.
    async fn marked(&self, entity: EntityId) -> Result<Option<Event>, Failure> {
        let marked = self.api.with_text(&shown::mark(entity)).await?;
        Ok(marked.into_iter().find(|event| shown::is_of(event, entity)))
    }
}

/// What Lespass calls the event of a link, where there is one.
fn named(link: Option<&Link>) -> Option<&str> {
    let link = link.filter(|link| !link.is_nameless() && !was_never_made(link))?;
    Some(&link.external)
}

/// What the link to an event holds: its times are told by nothing else once it is over.
fn applied(event: &Event) -> Applied {
    let text = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
    Applied {
        external: event.identifier.clone(),
        tag: Some(format!("{} {}", text(event.start()), text(event.end()))),
        url: event.url.clone(),
    }
}

/// From when to when the event of a link is.
pub(crate) fn times_of(link: &Link) -> Option<(Timestamp, Timestamp)> {
    let (start, end) = link.tag.as_deref()?.split_once(' ')?;
    let start = instant(Some(start))?;
    let end = instant(Some(end)).or_else(|| start.checked_add(USUAL).ok())?;
    Some((start, end))
}

/// Whether it stands for something that was never made.
pub(crate) fn was_never_made(link: &Link) -> bool {
    link.external == OVER
}

fn is_over(start: Option<Timestamp>, end: Option<Timestamp>, now: Timestamp) -> bool {
    let usual = || start?.checked_add(USUAL).ok();
    end.or_else(usual).is_some_and(|end| end <= now)
}

/// Somebody deleted it.
fn gone() -> Failure {
    Failure {
        absent: true,
        ..failure::bug("an event that is gone")
    }
}
