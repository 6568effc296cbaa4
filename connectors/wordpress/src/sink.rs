//! The writing half: one post per activity. What stands there is read before it is written, and
//! only our part of it is; what people changed in that wins, or is asked about.

use jiff::Timestamp;
use raccord_kit::{BoxFuture, Job, Made, Sink};
use raccord_look::html;
use raccord_model::{
    Applied, Authority, Context, Desired, EntityId, Failure, Found, Lang, Link, Rendered, Subject,
    Words as Said, fold_word,
};
use serde_json::{Value, json};

use crate::WordPress;
use crate::api::Post;
use crate::base::{Base, Words, digest};
use crate::block::{self, Ours};
use crate::failure;
use crate::settings::Posts;
use crate::shown::Shown;

/// What stands for an activity that was over, or called off, before anything was made of it.
const NEVER: &str = "never";

impl Sink for WordPress {
    fn target(&self) -> String {
        format!("{} {}", self.api.site(), &*self.settings.user)
    }

    fn render(&self, subject: Subject<'_>, context: &Context<'_>) -> Rendered {
        let Subject::Entity { entity, .. } = subject else {
            return Rendered::Nothing;
        };
        let Some(shown) = Shown::of(entity, context) else {
            return Rendered::Nothing;
        };
        let seen = |lang| {
            let state = match (self.settings.posts, lang) {
                (Posts::Draft, Lang::Fr) => "brouillon",
                (Posts::Draft, Lang::En) => "draft",
                (Posts::Published, Lang::Fr) => "publié",
                (Posts::Published, Lang::En) => "published",
            };
            format!("{} · {state}", shown.summary())
        };
        Rendered::Object(Desired {
            hash: shown.hash(),
            title: shown.title.clone(),
            text: Said::new(seen(Lang::Fr), seen(Lang::En)),
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
            // One that shows something else is brought up to date by the next attempt, which looks
            // for it again.
            let whole = |post: &Post| {
                wanted.as_ref().is_none_or(|wanted| {
                    let there = Words::of(post, entity);
                    !post.is_trashed() && there == Some(Words::wanted(wanted))
                })
            };
            Ok(match there.filter(whole) {
                Some(post) => {
                    let over = wanted.map_or(listed, |wanted| wanted.over);
                    Found::Yes(applied(&post, Base::of(&post, entity, over).as_ref()))
                }
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
    serde_json::from_value(desired.body.clone()).map_err(|_| failure::bug("a post"))
}

impl WordPress {
    /// Brings a post to what it should say.
    async fn write(&self, shown: &Shown, link: Option<&Link>) -> Result<Made, Failure> {
        let post = match number(link) {
            Some(id) => {
                let there = self.one(id, &shown.title).await?;
                let gone = || failure::removed(&shown.title, self.api.host());
                Some(there.ok_or_else(gone)?)
            }
            None => self.marked(shown.entity).await?,
        };
        let Some(post) = post else {
            return self.make(shown).await;
        };
        if post.is_trashed() {
            return Err(failure::removed(&shown.title, self.api.host()));
        }
        let base = link.and_then(|link| Base::read(link.tag.as_deref()));
        // A link without a revision whose text we know: a person said that ours counts.
        let insist = base.is_some()
            && link.is_some_and(|link| {
                link.revision == 0 && link.hash == raccord_model::Digest::default()
            });
        self.update(&post, shown, base.as_ref(), insist).await
    }

    /// A post, unless it is not ours to change any more.
    async fn one(&self, id: u64, title: &str) -> Result<Option<Post>, Failure> {
        match self.api.one(id).await {
            Err(refused) if refused.code == "wordpress.forbidden" => {
                let me = self.api.me().await?;
                if me.may("edit_posts") && me.may("edit_published_posts") {
                    Err(failure::given_away(title, self.api.host()))
                } else {
                    Err(refused)
                }
            }
            read => read,
        }
    }

    async fn update(
        &self,
        post: &Post,
        shown: &Shown,
        base: Option<&Base>,
        insist: bool,
    ) -> Result<Made, Failure> {
        let away = block::is_away(&post.content.raw, shown.entity);
        let content = &block::back(&post.content.raw, shown.entity);
        let wanted = Words::wanted(shown);
        let (Some(ours), Some(there)) = (
            Ours::find(content, shown.entity),
            Words::of(post, shown.entity),
        ) else {
            return self.rewritten(post, shown, &wanted, base, insist).await;
        };
        let counts = |field: &str, there: &str, before: Option<&String>| {
            let theirs_alone = before.is_some_and(|before| *before == digest(there));
            match shown.authority(field) {
                Authority::Ours => true,
                Authority::Ask => theirs_alone || insist || base.is_none(),
                Authority::Theirs => theirs_alone,
            }
        };
        let title = there.title != wanted.title;
        let facts = there.facts != wanted.facts;
        let text = there.text != wanted.text;
        let may_title = counts("title", &there.title, base.map(|base| &base.title));
        let may_text = counts("description", &there.text, base.map(|base| &base.text));
        // A line with the date that somebody deleted is ours to write.
        let may_facts =
            there.facts.is_empty() || counts("start", &there.facts, base.map(|base| &base.facts));
        if facts && !may_facts && base.is_some_and(|base| base.facts != digest(&wanted.facts)) {
            return Err(failure::edited(&shown.title, &shown.summary()));
        }
        let mut body = json!({});
        if title && may_title {
            body["title"] = json!(shown.title_html());
        }
        let facts_html = (facts && may_facts).then(|| shown.facts_html());
        let text_html = (text && may_text).then(|| shown.text_html());
        // What we took out of sight comes back with its activity.
        if away && !post.is_published() {
            body["status"] = json!("publish");
        }
        if facts_html.is_some() || text_html.is_some() || away {
            body["content"] = json!(ours.put(content, facts_html.as_deref(), text_html.as_deref()));
        }
        let left = (title && !may_title) || (facts && !may_facts) || (text && !may_text);
        let written = if body == json!({}) {
            None
        } else {
            Some(self.api.change(post.id, &body).await?)
        };
        let stands = written.as_ref().unwrap_or(post);
        let mut next = Base::of(stands, shown.entity, shown.over);
        if let Some(next) = &mut next
            && left
        {
            next.leave();
            if let Some(base) = base {
                let keep = |word: &mut String, before: &String, theirs: bool| {
                    if theirs {
                        word.clone_from(before);
                    }
                };
                keep(&mut next.title, &base.title, title && !may_title);
                keep(&mut next.facts, &base.facts, facts && !may_facts);
                keep(&mut next.text, &base.text, text && !may_text);
            }
        }
        Ok(Made {
            applied: applied(stands, next.as_ref()),
            unchanged: written.is_none(),
        })
    }

    /// A post that our part was taken out of: it is theirs, unless a person said that ours counts.
    async fn rewritten(
        &self,
        post: &Post,
        shown: &Shown,
        wanted: &Words,
        base: Option<&Base>,
        insist: bool,
    ) -> Result<Made, Failure> {
        if insist {
            let content = format!("{}\n\n{}", post.content.raw, block::whole(shown));
            let body = json!({ "title": shown.title_html(), "content": content });
            let post = self.api.change(post.id, &body).await?;
            let base = Base::of(&post, shown.entity, shown.over);
            return Ok(applied(&post, base.as_ref()).into());
        }
        let said = |base: &&Base| {
            base.title == digest(&wanted.title)
                && base.facts == digest(&wanted.facts)
                && base.text == digest(&wanted.text)
        };
        let Some(mut base) = base.filter(said).cloned() else {
            return Err(failure::rewritten(&shown.title, self.api.host()));
        };
        base.leave();
        Ok(Made {
            applied: applied(post, Some(&base)),
            unchanged: true,
        })
    }

    async fn make(&self, shown: &Shown) -> Result<Made, Failure> {
        if shown.cancelled || shown.over <= self.kit.clock.now() {
            return Ok(Made {
                applied: Applied {
                    external: NEVER.to_owned(),
                    ..Applied::default()
                },
                unchanged: true,
            });
        }
        if let Some(twin) = self.twin(shown).await? {
            return Err(failure::twin(&shown.title, &twin.link));
        }
        let mut body: Value = json!({
            "title": shown.title_html(),
            "content": block::whole(shown),
            // Never the day of the activity as the day of the post: it would hide until then.
            "status": match self.settings.posts {
                Posts::Draft => "draft",
                Posts::Published => "publish",
            },
        });
        if let Some(wanted) = &self.settings.category {
            body["categories"] = json!([self.category(wanted).await?]);
        }
        let post = self.api.create(&body).await?;
        let base = Base::of(&post, shown.entity, shown.over);
        Ok(applied(&post, base.as_ref()).into())
    }

    /// A post of somebody else that is about the same: its title is ours, and it names the day.
    async fn twin(&self, shown: &Shown) -> Result<Option<Post>, Failure> {
        let alike = self.api.with_words(&shown.title).await?;
        let title = fold_word(&shown.title);
        Ok(alike.into_iter().find(|post| {
            let said = format!("{} {}", post.title.rendered, post.content.rendered);
            let said = html::words(&said).to_lowercase();
            fold_word(&html::words(&post.title.rendered)) == title
                && !post.content.rendered.contains("raccord-")
                && shown.day.iter().any(|day| said.contains(day))
        }))
    }

    /// The number of the category of the settings.
    pub(crate) async fn category(&self, wanted: &str) -> Result<u64, Failure> {
        let all = self.api.categories().await?;
        let names: Vec<String> = all.iter().map(|one| html::words(&one.name)).collect();
        let found = names
            .iter()
            .position(|name| fold_word(name) == fold_word(wanted));
        match found {
            Some(at) => Ok(all[at].id),
            None => Err(failure::no_category(wanted, self.api.host(), &names)),
        }
    }

    /// The post of an entity, by the class of our part.
    async fn marked(&self, entity: EntityId) -> Result<Option<Post>, Failure> {
        self.api
            .mine(|post| Ours::find(&post.content.raw, entity).is_some())
            .await
    }

    /// Takes back what was made: a draft that nobody touched goes to the trash, a published post
    /// becomes a draft again. What took place stays.
    async fn remove(&self, entity: EntityId, link: &Link) -> Result<Made, Failure> {
        let done = || Applied {
            external: link.external.clone(),
            ..Applied::default()
        };
        let base = Base::read(link.tag.as_deref());
        let over = base.as_ref().map(|base| base.over);
        if over.is_some_and(|over: Timestamp| over <= self.kit.clock.now()) || was_never_made(link)
        {
            return Ok(done().into());
        }
        let post = match number(Some(link)) {
            Some(id) => self.one(id, &format!("n° {id}")).await?,
            None => self.marked(entity).await?,
        };
        let Some(post) = post.filter(|post| !post.is_trashed()) else {
            return Ok(done().into());
        };
        if post.is_published() {
            let content = block::away(&post.content.raw, entity);
            let body = json!({ "status": "draft", "content": content });
            self.api.change(post.id, &body).await?;
        } else if base.is_none_or(|base| base.is_ours(&post)) {
            self.api.throw_away(post.id).await?;
        }
        Ok(done().into())
    }
}

/// The number of the post of a link, where there is one.
pub(crate) fn number(link: Option<&Link>) -> Option<u64> {
    link?.external.parse().ok()
}

/// Whether it stands for something that was never made.
fn was_never_made(link: &Link) -> bool {
    link.external == NEVER
}

fn applied(post: &Post, base: Option<&Base>) -> Applied {
    Applied {
        external: post.id.to_string(),
        tag: base.map(Base::tag),
        // Only the site's own people can open a draft.
        url: post.is_published().then(|| post.link.clone()),
    }
}
