//! Rendering (pure) and applying (files): the two halves of the site's sink.
//!
//! `render` puts the public data of its subject into the object and computes one digest over all
//! that a reader can see. `apply` makes the files from it; they are the same whenever it is
//! repeated. The page that carries the digest is written last, so that finding it there means that
//! the rest is there too.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use jiff::Timestamp;
use jiff::civil::Date;
use raccord_kit::{BoxFuture, Clock, Job, Made, Sink};
use raccord_look::{LETTERS, LETTERS_FILE};
use raccord_model::{
    Applied, Blame, Context, Desired, Digest, EntityId, EntityKind, Failure, Found, Lang, Rendered,
    Subject, Undated, Words,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::calendar::{self, Offer};
use crate::item::Item;
use crate::pages::{self, On, Programme};
use crate::site::{self, PICTURE, Site};
use crate::sitemap::{self, SITEMAP};
use crate::stamps::{self, Stamps};
use crate::{Website, clean, data, feed, map, shared, social, words};

/// The most activities of other places that are shown, the first to come.
const AROUND: usize = 300;
/// The most activities without a date that are shown.
const UNDATED: usize = 20;

/// What `render` hands to `apply`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Body {
    /// The page and the calendar file of one activity.
    Page {
        /// The language.
        lang: Lang,
        /// The activity.
        item: Box<Item>,
    },
    /// Everything else.
    Programme {
        /// The language.
        lang: Lang,
        /// The day it was made for.
        today: Date,
        /// What is on, by start.
        items: Vec<Item>,
        /// What other places offer, by start.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        around: Vec<Item>,
        /// What is announced without a date yet, by title.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        undated: Vec<Undated>,
    },
}

impl Sink for Website {
    fn target(&self) -> String {
        self.inner.output.clone()
    }

    fn shows_around(&self) -> bool {
        true
    }

    fn lost(&self, objects: &[String]) -> Vec<String> {
        self.inner.folder.lost(objects)
    }

    fn missing<'a>(&'a self, objects: &'a [String]) -> BoxFuture<'a, Vec<String>> {
        Box::pin(async move {
            // What cannot be looked at is not gone: the next write tells.
            self.inner.folder.missing(objects).await.unwrap_or_default()
        })
    }

    fn render(&self, subject: Subject<'_>, context: &Context<'_>) -> Rendered {
        let site = Site {
            place: context.place.clone(),
            ..self.inner.site.clone()
        };
        match subject {
            Subject::Entity { entity, .. } if entity.kind == EntityKind::Activity => {
                match Item::of(entity, &site).filter(|item| !item.activity.is_foreign()) {
                    Some(item) => Rendered::Object(page(&site, context.lang, item)),
                    None => Rendered::Nothing,
                }
            }
            Subject::Entity { .. } | Subject::Saying { .. } => Rendered::Nothing,
            Subject::Publication { members, .. } => {
                let mut items: Vec<Item> = members
                    .iter()
                    .filter(|entity| entity.kind == EntityKind::Activity)
                    .filter_map(|entity| Item::of(entity, &site))
                    .filter(|item| item.listed(context.today))
                    .collect();
                items.sort_by(|one, other| {
                    let key = |item: &Item| (item.activity.start, item.activity.id);
                    (one.first(), key(one)).cmp(&(other.first(), key(other)))
                });
                let theirs = |item: &Item| item.activity.is_foreign();
                let (mut around, items): (Vec<Item>, _) = items.into_iter().partition(theirs);
                around.retain(|item| !item.over_before(context.today));
                around.truncate(AROUND);
                let mut undated = Undated::public(members);
                undated.truncate(UNDATED);
                Rendered::Object(programme(&site, context, (items, around, undated)))
            }
        }
    }

    fn find<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<Found, Failure>> {
        let work = {
            let (inner, job) = (self.inner.clone(), job.clone());
            async move { inner.find(&job).await }
        };
        Box::pin(self.inner.at_its_place(work))
    }

    fn apply<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<Made, Failure>> {
        let work = {
            let (inner, job) = (self.inner.clone(), job.clone());
            async move { inner.apply(&job).await }
        };
        Box::pin(self.inner.at_its_place(work))
    }
}

fn page(site: &Site, lang: Lang, item: Item) -> Desired {
    let look = json!({ "page": item.digest(), "look": site.look(lang) });
    let text = |lang| {
        let room = clean::line(&item.activity.room, 80);
        let mut text = words::when(lang, item.span());
        if !room.is_empty() {
            text = format!("{text} · {room}");
        }
        match words::mark(lang, item.activity.status) {
            Some(mark) => format!("{text} · {mark}"),
            None => text,
        }
    };
    Desired {
        outdated: None,
        hash: hash_of(look),
        title: clean::line(&item.activity.title, 200),
        text: Words::new(text(Lang::Fr), text(Lang::En)),
        body: body(&Body::Page {
            lang,
            item: Box::new(item),
        }),
    }
}

fn programme(
    site: &Site,
    context: &Context<'_>,
    (items, around, undated): (Vec<Item>, Vec<Item>, Vec<Undated>),
) -> Desired {
    let (lang, today) = (context.lang, context.today);
    let over = items.iter().filter(|item| item.over_before(today));
    let mut look = json!({
        "items": items.iter().map(Item::digest).collect::<Vec<_>>(),
        // What is already over stands at the end: the day itself makes no difference.
        "over": over.map(|item| item.activity.id).collect::<Vec<_>>(),
        "look": site.look(lang),
    });
    if !around.is_empty() {
        look["around"] = around
            .iter()
            .map(Item::digest)
            .collect::<Vec<_>>()
            .into_iter()
            .map(|digest| json!(digest))
            .collect();
    }
    if !undated.is_empty() {
        look["undated"] = json!(undated);
    }
    let coming = items.iter().filter(|item| !item.over_before(today)).count();
    Desired {
        outdated: None,
        hash: hash_of(look),
        title: match lang {
            Lang::Fr => "Programme en ligne".to_owned(),
            Lang::En => "Programme on line".to_owned(),
        },
        text: Words::new(
            match coming {
                0 => "Rien n’est annoncé pour le moment.".to_owned(),
                1 => "1 activité à venir.".to_owned(),
                many => format!("{many} activités à venir."),
            },
            match coming {
                0 => "Nothing is announced at the moment.".to_owned(),
                1 => "1 activity to come.".to_owned(),
                many => format!("{many} activities to come."),
            },
        ),
        body: body(&Body::Programme {
            lang,
            today,
            items,
            around,
            undated,
        }),
    }
}

/// The digest of a value, whatever the order of its keys.
fn hash_of(value: Value) -> Digest {
    raccord_model::digest_of(&[("site".to_owned(), value)].into())
}

fn body(body: &Body) -> Value {
    serde_json::to_value(body).unwrap_or_default()
}

fn bug(code: &str, detail: &str) -> Failure {
    Failure::new(
        Blame::Bug,
        code,
        Words::new(
            format!("Le site n’a pas pu être fait\u{a0}: {detail}."),
            format!("The site could not be made: {detail}."),
        ),
        Words::new(
            "Signalez-le à qui s’occupe du connecteur «\u{a0}website\u{a0}».",
            "Report it to whoever keeps the connector “website”.",
        ),
    )
}

fn unwritten(error: &askama::Error) -> Failure {
    bug("website.template-failed", &error.to_string())
}

impl crate::Inner {
    /// Does what concerns files; on a disk on a thread of its own, for forcing them to disk takes its
    /// time.
    async fn at_its_place<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Result<T, Failure> {
        if self.folder.output().disk().is_none() {
            return work.await;
        }
        let here = tokio::runtime::Handle::current();
        tokio::task::spawn_blocking(move || here.block_on(work))
            .await
            .unwrap_or_else(|error| Err(bug("website.stopped", &error.to_string())))
    }

    pub(crate) fn now(&self) -> Timestamp {
        stamps::whole_second(Clock::now(&*self.clock))
    }

    async fn find(&self, job: &Job) -> Result<Found, Failure> {
        let (there, applied) = match job {
            Job::Write {
                entity, desired, ..
            } => {
                let (path, applied) = self.applied(*entity, is_page(&desired.body));
                (self.folder.holds(&path, desired.hash).await?, applied)
            }
            Job::Remove { entity, link } => {
                let (path, applied) = self.applied(*entity, link.external != INDEX);
                (!self.folder.exists(&path).await?, applied)
            }
            Job::Seek { entity } => {
                let (path, applied) = self.applied(*entity, true);
                if !self.folder.exists(&path).await? {
                    // It may stand for the whole site, whose pages are not told apart by it.
                    return Ok(Found::CannotTell);
                }
                (true, applied)
            }
            Job::Send { .. } => return Ok(Found::CannotTell),
        };
        Ok(if there {
            Found::Yes(applied)
        } else {
            Found::No {
                listed: Clock::now(&*self.clock),
            }
        })
    }

    async fn apply(&self, job: &Job) -> Result<Made, Failure> {
        match job {
            Job::Write {
                entity, desired, ..
            } => {
                let body: Body = serde_json::from_value(desired.body.clone())
                    .map_err(|error| bug("website.body", &error.to_string()))?;
                self.folder.claim().await?;
                let page = matches!(body, Body::Page { .. });
                let changed = match body {
                    Body::Page { lang, item } => self.write_page(lang, &item, desired.hash).await?,
                    Body::Programme {
                        lang,
                        today,
                        items,
                        around,
                        undated,
                    } => {
                        let on = On {
                            items: &items,
                            around: &around,
                            undated: &undated,
                        };
                        self.write_programme(*entity, lang, today, &on, desired.hash)
                            .await?
                    }
                };
                Ok(Made {
                    applied: self.applied(*entity, page).1,
                    unchanged: !changed,
                })
            }
            Job::Remove { entity, link } => {
                self.folder.is_nobody_elses().await?;
                let page = link.external != INDEX;
                if page {
                    self.folder.remove(&site::page_path(*entity)).await?;
                    self.folder.remove(&site::calendar_path(*entity)).await?;
                } else {
                    self.remove_programme().await?;
                }
                Ok(self.applied(*entity, page).1.into())
            }
            Job::Seek { .. } => Err(bug("website.seek", "looking changes nothing")),
            Job::Send { .. } => Err(bug("website.send", "a site takes no single events")),
        }
    }

    fn applied(&self, entity: EntityId, page: bool) -> (String, Applied) {
        let path = if page {
            site::page_path(entity)
        } else {
            INDEX.to_owned()
        };
        let applied = Applied {
            url: self.site.address(&path),
            external: path.clone(),
            tag: None,
        };
        (path, applied)
    }

    /// Writes a page and its calendar; whether anything changed.
    async fn write_page(&self, lang: Lang, item: &Item, hash: Digest) -> Result<bool, Failure> {
        let path = site::calendar_path(item.activity.id);
        let old = self.folder.read(&path).await?.unwrap_or_default();
        let calendar = |changed| {
            calendar::write(
                &self.site,
                lang,
                Offer::Single,
                std::iter::once((item, changed)),
            )
        };
        // What it said already, it goes on saying with the same instant.
        let kept = stamps::in_calendar(&old)
            .map(calendar)
            .filter(|text| old == text.as_bytes());
        let mut changed = match kept {
            Some(_) => false,
            None => self.folder.write(&path, calendar(self.now())).await?,
        };
        let page =
            pages::activity(&self.site, lang, item, hash).map_err(|error| unwritten(&error))?;
        if self.folder.write(&page.path, &page.html).await? {
            tracing::debug!(connector = %self.name, activity.id = %item.activity.id, "page written");
            changed = true;
        }
        Ok(changed)
    }

    /// Writes everything but the pages of single activities; whether anything changed.
    async fn write_programme(
        &self,
        id: EntityId,
        lang: Lang,
        today: Date,
        on: &On<'_>,
        hash: Digest,
    ) -> Result<bool, Failure> {
        let items = on.items;
        let old = self.folder.read(LIST).await?.unwrap_or_default();
        let before = Stamps::of_list(&old);
        let now = self.now();
        let activities: Vec<(Value, Timestamp)> = items
            .iter()
            .map(|item| {
                let value = data::activity(item);
                let changed = before.of(&item.activity.id.to_string(), &value, now);
                (value, changed)
            })
            .collect();
        let changed: Vec<(&Item, Timestamp)> = items
            .iter()
            .zip(&activities)
            .map(|(item, (_, changed))| (item, *changed))
            .collect();
        // A list that says the same keeps the instant it was made.
        let kept = before
            .generated
            .filter(|at| data::write(*at, &activities, on.undated).as_bytes() == old);
        let generated = kept.unwrap_or(now);

        let mut files = vec![
            (STYLE.to_owned(), self.site.style(LETTERS_FILE)),
            (
                LIST.to_owned(),
                data::write(generated, &activities, on.undated),
            ),
            (
                CALENDAR.to_owned(),
                calendar::write(
                    &self.site,
                    lang,
                    Offer::Subscription,
                    changed.iter().copied(),
                ),
            ),
        ];
        files.extend(self.offers(lang, today, &changed).await?);
        files.extend(map::write(&self.site).map(|text| (map::FILE.to_owned(), text)));
        let made = (|| {
            files.push((
                FEED.to_owned(),
                feed::write(&self.site, lang, id, &changed, generated)?,
            ));
            let gone = pages::gone(&self.site, lang)?;
            files.push((gone.path, gone.html));
            let programme = Programme::new(&self.site, lang, today, hash, on);
            let pages = programme.pages()?;
            // What others offer is theirs to have found.
            let own = |path: &&str| !pages::is_around(path);
            let paths = pages.iter().map(|page| page.path.as_str()).filter(own);
            let sitemap = sitemap::write(&self.site, paths, &changed)?;
            files.extend(sitemap.map(|text| (SITEMAP.to_owned(), text)));
            files.extend(pages.into_iter().map(|page| (page.path, page.html)));
            Ok(())
        })();
        made.map_err(|error: askama::Error| unwritten(&error))?;

        let mut changed = usize::from(self.folder.write(LETTERS_FILE, LETTERS).await?);
        changed += usize::from(self.write_picture(lang).await?);
        let mut made: BTreeSet<&str> = BTreeSet::new();
        for (path, text) in &files {
            changed += usize::from(self.folder.write(path, text).await?);
            made.insert(path);
        }
        for path in self.listed().await? {
            if !made.contains(path.as_str()) {
                changed += usize::from(self.out_of_date(&path, lang, today).await?);
            }
        }
        // What only a site with an address has, or a place that says where it is.
        for name in [SITEMAP, map::FILE] {
            if !made.contains(name) {
                changed += usize::from(self.folder.remove(name).await?);
            }
        }
        tracing::info!(connector = %self.name, files = changed, "site written");
        Ok(changed > 0)
    }

    /// Draws the picture for social networks, once in the life of the process; only a site with an
    /// address can name one. Whether anything changed.
    async fn write_picture(&self, lang: Lang) -> Result<bool, Failure> {
        if self.site.base_url.is_none() {
            return self.folder.remove(PICTURE).await;
        }
        let there = self.folder.exists(PICTURE).await?;
        if there && self.pictured.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let name = clean::set(&self.site.place.name, 80, lang);
        let title = words::labels(lang).programme;
        let changed = match social::picture(&name, title, &self.site.tint) {
            Some(picture) => self.folder.write(PICTURE, picture).await?,
            None => false,
        };
        self.pictured.store(true, Ordering::Relaxed);
        Ok(changed)
    }

    /// The pages of months, weeks, kinds, rooms and themes that are in the folder.
    async fn listed(&self) -> Result<Vec<String>, Failure> {
        let mut all = Vec::new();
        for folder in pages::FOLDERS {
            let wanted = |name: &str| pages::is_list_page(folder, name);
            all.extend(self.folder.names(folder, wanted).await?);
        }
        Ok(all)
    }

    /// Takes away a page with nothing to show any more; where it was of a month or a week that has
    /// begun, it says so from now on. Whether anything changed.
    async fn out_of_date(&self, path: &str, lang: Lang, today: Date) -> Result<bool, Failure> {
        if pages::begins(path).is_some_and(|first| first <= today) {
            let page = pages::past(&self.site, lang, path).map_err(|error| unwritten(&error))?;
            return self.folder.write(&page.path, &page.html).await;
        }
        self.folder.remove(path).await?;
        Ok(true)
    }

    async fn remove_programme(&self) -> Result<(), Failure> {
        // The front page first: without it there is no site.
        let fixed = [
            INDEX,
            FEED,
            CALENDAR,
            LIST,
            shared::LIST,
            shared::CALENDAR,
            map::FILE,
            GONE,
            STYLE,
            SITEMAP,
            PICTURE,
            LETTERS_FILE,
        ];
        for name in fixed {
            self.folder.remove(name).await?;
        }
        for name in self.listed().await? {
            self.folder.remove(&name).await?;
        }
        for folder in pages::FOLDERS.iter().filter(|folder| !folder.is_empty()) {
            self.folder.prune(folder);
        }
        self.folder.give_back().await
    }
}

pub(crate) const INDEX: &str = "index.html";
const STYLE: &str = "style.css";
const LIST: &str = "activities.json";
const CALENDAR: &str = "calendar.ics";
const FEED: &str = "feed.xml";
const GONE: &str = "404.html";

fn is_page(body: &Value) -> bool {
    body.get("page").is_some()
}
