//! The writing half: one page per month, read before it is written, and written over what was read.

use jiff::tz::TimeZone;
use raccord_kit::{BoxFuture, Job, Made, Sink};
use raccord_look::dates;
use raccord_model::{
    Applied, Context, Desired, Digest, Failure, Found, Lang, Link, Rendered, Subject, Words,
};
use serde::{Deserialize, Serialize};

use crate::api::{Edited, Page};
use crate::page::{Ours, with};
use crate::{Wiki, failure, month};

/// How often a page that changes under our hands is read again.
const TURNS: usize = 2;

/// A page as it should be.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Shown {
    /// The month, `2027-01`.
    key: String,
    /// The page, under its name for life.
    title: String,
    /// What our part says.
    text: String,
    /// What the history of the page says of the edit.
    summary: String,
    /// What the mark says to whoever edits the page.
    note: String,
}

/// What stands on the wiki of ours, as the link's tag says it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Base {
    /// The month.
    #[serde(rename = "m")]
    key: String,
    /// The revision we made, or found as it should be.
    #[serde(rename = "r")]
    revision: u64,
    /// Digest of what our part said.
    #[serde(rename = "d")]
    said: String,
}

impl Sink for Wiki {
    fn target(&self) -> String {
        format!("{} {}", self.api.site(), &*self.settings.page)
    }

    fn render(&self, subject: Subject<'_>, context: &Context<'_>) -> Rendered {
        let Subject::Publication { key, members, .. } = subject else {
            return Rendered::Nothing;
        };
        let Some(text) = month::text(key, members, context) else {
            return Rendered::Nothing;
        };
        let day = format!("{key}-01").parse().unwrap_or(context.today);
        let name = |lang| dates::month_year(lang, day);
        let say = |fr: &str, en: &str| match context.lang {
            Lang::Fr => fr.to_owned(),
            Lang::En => en.to_owned(),
        };
        let shown = Shown {
            key: key.to_owned(),
            title: format!("{}/{key}", &*self.settings.page),
            text,
            summary: say(
                "Programme tenu à jour par Raccord",
                "Programme kept up to date by Raccord",
            ),
            note: say(
                "cette partie est tenue à jour par Raccord, écrivez au-dessus ou au-dessous",
                "this part is kept up to date by Raccord, write above or below it",
            ),
        };
        Rendered::Object(Desired {
            hash: Digest::of(shown.text.as_bytes()),
            title: shown.title.clone(),
            text: Words::new(name(Lang::Fr), name(Lang::En)),
            body: serde_json::to_value(&shown).unwrap_or_default(),
            outdated: None,
        })
    }

    fn find<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<Found, Failure>> {
        Box::pin(async move {
            let Job::Write { desired, .. } = job else {
                return Ok(Found::CannotTell);
            };
            let shown = read(desired)?;
            let listed = self.kit.clock.now();
            let page = self.api.page(&shown.title).await?;
            let there = page.text.as_ref().and_then(|(text, revision)| {
                let ours = Ours::find(text)?;
                (ours.said(text) == shown.text).then_some(*revision)
            });
            Ok(match there {
                Some(revision) => Found::Yes(applied(&shown, &page, revision)),
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
                Job::Remove { link, .. } => self.remove(link).await,
                Job::Send { .. } | Job::Seek { .. } => Err(failure::bug("nothing to write")),
            }
        })
    }
}

fn read(desired: &Desired) -> Result<Shown, Failure> {
    serde_json::from_value(desired.body.clone()).map_err(|_| failure::bug("a page"))
}

fn base(link: Option<&Link>) -> Option<Base> {
    serde_json::from_str(link?.tag.as_deref()?).ok()
}

impl Wiki {
    /// Brings a page to what it should say.
    async fn write(&self, shown: &Shown, link: Option<&Link>) -> Result<Made, Failure> {
        let base = base(link);
        for _ in 0..TURNS {
            let page = self.api.page(&shown.title).await?;
            let (text, over) = match &page.text {
                None if base.is_some() => {
                    return Err(failure::removed(&shown.title, self.api.host()));
                }
                None => (with("", &shown.text, &shown.note), None),
                Some((text, revision)) => match Ours::find(text) {
                    Some(ours) => {
                        let said = ours.said(text);
                        if said == shown.text {
                            return Ok(Made {
                                applied: applied(shown, &page, *revision),
                                unchanged: true,
                            });
                        }
                        let theirs = |base: &Base| !said.is_empty() && base.said != digest(said);
                        if base.as_ref().is_some_and(theirs) {
                            return Err(failure::edited(&shown.title, self.api.host()));
                        }
                        (ours.put(text, &shown.text), Some(*revision))
                    }
                    // Our marks were taken out.
                    None if base.is_some() => {
                        return Err(failure::removed(&shown.title, self.api.host()));
                    }
                    // A page of that name was there before us: it keeps what it says.
                    None => (with(text, &shown.text, &shown.note), Some(*revision)),
                },
            };
            let edited = self.api.edit(&shown.title, &text, over, &shown.summary);
            if let Edited::Done(revision) = edited.await? {
                return Ok(applied(shown, &page, revision).into());
            }
        }
        Err(failure::contended(&shown.title))
    }

    /// Empties our part of a month that has nothing to show any more; what is past stays as it was.
    async fn remove(&self, link: &Link) -> Result<Made, Failure> {
        let done = || Applied {
            external: link.external.clone(),
            ..Applied::default()
        };
        let zone = TimeZone::get(&self.kit.place.zone).unwrap_or(TimeZone::UTC);
        let today = zone.to_datetime(self.kit.clock.now()).date();
        let this_month = today.strftime("%Y-%m").to_string();
        let Some(base) = base(Some(link)).filter(|base| base.key >= this_month) else {
            return Ok(done().into());
        };
        for _ in 0..TURNS {
            let page = self.api.page(&link.external).await?;
            let Some((text, revision)) = page.text else {
                return Ok(done().into());
            };
            let Some(ours) = Ours::find(&text) else {
                return Ok(done().into());
            };
            let said = ours.said(&text);
            // Theirs by now, or gone already.
            if said.is_empty() || digest(said) != base.said {
                return Ok(done().into());
            }
            let emptied = ours.put(&text, "");
            let edited = self
                .api
                .edit(&link.external, &emptied, Some(revision), "Raccord");
            if let Edited::Done(_) = edited.await? {
                return Ok(done().into());
            }
        }
        Err(failure::contended(&link.external))
    }
}

fn applied(shown: &Shown, page: &Page, revision: u64) -> Applied {
    let base = Base {
        key: shown.key.clone(),
        revision,
        said: digest(&shown.text),
    };
    Applied {
        external: shown.title.clone(),
        tag: serde_json::to_string(&base).ok(),
        url: (!page.url.is_empty()).then(|| page.url.clone()),
    }
}

/// A short digest: it tells a changed text from an unchanged one, and nothing of what it says.
fn digest(text: &str) -> String {
    let mut whole = Digest::of(text.as_bytes()).to_string();
    whole.truncate(12);
    whole
}
