//! The writing half: one entry per activity, at an address that follows from the activity alone.
//!
//! What stands there is read before it is written, and written only over what was read.

use raccord_kit::{BoxFuture, Job, Made, Sink};
use raccord_model::{
    Applied, Context, Desired, Digest, EntityId, EntityKind, Failure, Found, Link, Rendered,
    Subject,
};

use crate::Calendars;
use crate::config::Tasks;
use crate::dav::discover::{Account, Calendar};
use crate::dav::{Object, Put, uid_of};
use crate::failure;
use crate::merge::{self, Base, Merged};
use crate::shown::{Form, Manner, Shown, is_our_uid};
use crate::source;

/// How often an entry that changes under our hands is read again.
const TURNS: usize = 4;

impl Sink for Calendars {
    fn target(&self) -> String {
        // Routes name calendars, and each link its own: only another server or account is another
        // place.
        format!("{} {}", self.dav.server.base().url(), &*self.settings.user)
    }

    fn render(&self, subject: Subject<'_>, context: &Context<'_>) -> Rendered {
        let manner = Manner {
            calendar: &self.settings.calendar,
            organiser: self.settings.organiser_mail.as_deref(),
            tasks_told: self.settings.tasks == Tasks::Description,
        };
        let shown = match subject {
            Subject::Entity {
                entity,
                parent,
                tasks,
            } => match entity.kind {
                EntityKind::Activity => Shown::activity(entity, tasks, context, &manner),
                EntityKind::Task if self.settings.tasks == Tasks::Todo => {
                    Shown::task(entity, parent, tasks, context, &manner)
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
            title: shown.title.clone(),
            text: shown.seen(),
            body: serde_json::to_value(&shown).unwrap_or_default(),
            outdated: None,
        })
    }

    fn find<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<Found, Failure>> {
        Box::pin(async move {
            let (path, remove) = match job {
                Job::Write { entity, .. } | Job::Seek { entity } => {
                    (self.usual_path(*entity).await?, false)
                }
                Job::Remove { entity, link } => (self.path_of(*entity, link).await?, true),
                Job::Send { .. } => return Ok(Found::CannotTell),
            };
            let there = match &path {
                Some(path) => self.dav.get(path).await?,
                None => None,
            };
            let applied = |object: Object| Applied {
                external: object.path,
                ..Applied::default()
            };
            Ok(match (there, remove) {
                (Some(object), false) => Found::Yes(applied(object)),
                (None, true) => Found::Yes(Applied::default()),
                _ => Found::No {
                    listed: self.kit.clock.now(),
                },
            })
        })
    }

    fn apply<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<Made, Failure>> {
        Box::pin(async move {
            let made = match job {
                Job::Write { desired, link, .. } => {
                    let shown: Shown = serde_json::from_value(desired.body.clone())
                        .map_err(|_| failure::bug("an entry without a form"))?;
                    self.write(&shown, link.as_ref()).await
                }
                Job::Remove { entity, link } => self.remove(*entity, link).await,
                Job::Send { .. } | Job::Seek { .. } => Err(failure::bug("nothing to write")),
            };
            if made.is_err() {
                // Calendars may have moved: they are looked for again at the next attempt.
                self.forget_account().await;
            }
            made
        })
    }
}

impl Calendars {
    /// Brings one entry to what it should say.
    async fn write(&self, shown: &Shown, link: Option<&Link>) -> Result<Made, Failure> {
        let (account, calendar) = self.calendar(&shown.calendar, shown.form).await?;
        let link = link.filter(|link| !link.is_nameless());
        // One occurrence of an entry that a member made repeat stands for it, and is left alone.
        if let Some(link) = link.filter(|link| source::is_occurrence(&link.external)) {
            return Ok(kept(link));
        }
        let here = link.filter(|link| link.external.starts_with(&calendar.path));
        let mut path = match here {
            Some(link) => link.external.clone(),
            None => format!("{}{}", calendar.path, shown.file),
        };
        let base = here.and_then(|link| Base::read(link.tag.as_deref()));
        // A link without a revision whose text we know: a person said that ours counts.
        let insist = base.is_some()
            && here.is_some_and(|link| link.revision == 0 && link.hash == Digest::default());
        let mut restored = false;
        // What was never written is most likely not there: the server says so if it is.
        let mut look = link.is_some();
        for _ in 0..TURNS {
            let now = self.kit.clock.now();
            let there = if look {
                self.dav.get(&path).await?
            } else {
                None
            };
            look = true;
            let (merged, etag) = match there {
                Some(object) => {
                    let merged = merge::update(&object.bytes, shown, base.as_ref(), insist, now)
                        .map_err(|_| failure::unreadable(&shown.title))?;
                    if !merged.changed {
                        self.leave(link, &path).await?;
                        return Ok(made(path, merged.base, object.etag, true));
                    }
                    (merged, Some(object.etag))
                }
                // Deleted by a member, and called off meanwhile: as good as done.
                None if here.is_some() && shown.status == "CANCELLED" => {
                    return Ok(here.map_or_else(|| Applied::default().into(), kept));
                }
                None => (merge::create(shown, now), None),
            };
            let Merged {
                bytes, base: next, ..
            } = merged;
            match self.dav.put(&path, etag.as_deref(), bytes).await? {
                Put::Done(etag) => {
                    let etag = match etag {
                        Some(etag) => etag,
                        // The server changed our text: what stands there now is what counts.
                        None => self
                            .dav
                            .get(&path)
                            .await?
                            .map(|object| object.etag)
                            .unwrap_or_default(),
                    };
                    self.leave(link, &path).await?;
                    return Ok(made(path, next, etag, false));
                }
                Put::Changed => {}
                Put::NoCalendar => {
                    return Err(failure::no_calendar(
                        &shown.calendar,
                        self.dav.server.host(),
                    ));
                }
                Put::WrongKind => return Err(failure::no_tasks(&shown.calendar)),
                Put::MaybeUid(refused) => {
                    match self
                        .elsewhere(&account, &calendar, shown, &mut restored)
                        .await?
                    {
                        Some(found) => path = found,
                        None => return Err(*refused),
                    }
                }
            }
        }
        Err(failure::contended(&shown.title))
    }

    /// Where an entry that cannot be made stands already; what lies in the trash is brought back, or
    /// thrown away where it will not come.
    async fn elsewhere(
        &self,
        account: &Account,
        calendar: &Calendar,
        shown: &Shown,
        restored: &mut bool,
    ) -> Result<Option<String>, Failure> {
        let component = shown.form.component();
        let usual = format!("{}{}", calendar.path, shown.file);
        if let Some(object) = self
            .dav
            .by_uid(&calendar.path, component, &shown.uid)
            .await?
        {
            return Ok(Some(object.path));
        }
        let Some(entry) = self.dav.in_trash(account, component, &shown.uid).await? else {
            return Ok(None);
        };
        if !*restored && self.dav.restore(account, &entry).await? {
            *restored = true;
            tracing::info!(connector = %self.kit.name, "an entry was brought back from the trash bin");
            let found = self
                .dav
                .by_uid(&calendar.path, component, &shown.uid)
                .await?;
            return Ok(Some(found.map_or(usual, |object| object.path)));
        }
        self.dav.purge(&entry).await?;
        Ok(Some(usual))
    }

    /// Takes the entry away that stood in another calendar, once it stands in this one.
    async fn leave(&self, link: Option<&Link>, path: &str) -> Result<(), Failure> {
        match link {
            Some(link) if link.external != path => self.withdraw(&link.external).await,
            _ => Ok(()),
        }
    }

    async fn remove(&self, entity: EntityId, link: &Link) -> Result<Made, Failure> {
        let path = self.path_of(entity, link).await?;
        let path = path.filter(|path| !source::is_occurrence(path));
        if let Some(path) = &path {
            self.withdraw(path).await?;
        }
        Ok(Applied {
            external: path.unwrap_or_default(),
            ..Applied::default()
        }
        .into())
    }

    /// Marks an entry as cancelled, so that every program that shows it hears of it, and deletes it
    /// where it is ours. One that members made stays, cancelled.
    async fn withdraw(&self, path: &str) -> Result<(), Failure> {
        for _ in 0..TURNS {
            let Some(object) = self.dav.get(path).await? else {
                return Ok(());
            };
            let ours = uid_of(&object.bytes).is_some_and(|uid| is_our_uid(&uid));
            let now = self.kit.clock.now();
            let mut etag = object.etag.clone();
            match merge::cancel(&object.bytes, now) {
                Ok(Some(bytes)) => match self.dav.put(path, Some(&object.etag), bytes).await? {
                    Put::Done(Some(fresh)) => etag = fresh,
                    Put::Done(None) | Put::Changed => continue,
                    _ => return Err(failure::contended(path)),
                },
                Ok(None) => {}
                // What nobody can read can be deleted still, if it is ours.
                Err(_) if ours => {}
                Err(_) => return Err(failure::unreadable(path)),
            }
            if !ours || self.dav.delete(path, &etag).await? {
                return Ok(());
            }
        }
        Err(failure::contended(path))
    }

    /// Where the entry of a link stands, or of an entity that has none.
    async fn path_of(&self, entity: EntityId, link: &Link) -> Result<Option<String>, Failure> {
        if link.is_nameless() {
            self.usual_path(entity).await
        } else {
            Ok(Some(link.external.clone()))
        }
    }

    /// Where an entity stands that no route sends elsewhere; nothing without that calendar.
    async fn usual_path(&self, entity: EntityId) -> Result<Option<String>, Failure> {
        let account = self.account().await?;
        let calendar = account.find(&self.settings.calendar);
        Ok(calendar.map(|calendar| format!("{}{entity}.ics", calendar.path)))
    }

    /// The calendar a route names; it is made if it is missing.
    async fn calendar(
        &self,
        wanted: &str,
        form: Form,
    ) -> Result<(std::sync::Arc<Account>, Calendar), Failure> {
        let mut account = self.account().await?;
        if account.find(wanted).is_none() {
            // Several entries may want it at once: one of them makes it.
            let _alone = self.making.lock().await;
            account = self.account().await?;
            if account.find(wanted).is_none() {
                let tasks = self.settings.tasks == Tasks::Todo;
                let fresh = self.dav.make(&account, wanted, tasks).await?;
                account = self.keep_account(fresh).await;
            }
        }
        let calendar = account
            .find(wanted)
            .cloned()
            .ok_or_else(|| failure::no_calendar(wanted, self.dav.server.host()))?;
        if !calendar.writable {
            return Err(failure::read_only(wanted, self.dav.server.host()));
        }
        if form == Form::Task && !calendar.tasks {
            return Err(failure::no_tasks(wanted));
        }
        Ok((account, calendar))
    }
}

/// Nothing was done: it stays as the link says.
fn kept(link: &Link) -> Made {
    Made {
        applied: Applied {
            external: link.external.clone(),
            tag: link.tag.clone(),
            url: link.url.clone(),
        },
        unchanged: true,
    }
}

fn made(path: String, mut base: Base, etag: String, unchanged: bool) -> Made {
    base.etag = etag;
    Made {
        applied: Applied {
            external: path,
            tag: Some(base.tag()),
            url: None,
        },
        unchanged,
    }
}
