//! The writing half of every chat: what is said, and how it is said once.

use raccord_kit::{BoxFuture, Job, Kit, Made, Sink};
use raccord_model::{
    Applied, Blame, Class, Context, Desired, Digest, Entity, EntityId, EntityKind, Failure, Found,
    Handling, Mode, Period, Policy, Rendered, RoundupOf, Saying, Subject, TAKEN_AWAY, Way, Words,
};
use serde_json::Value;

use crate::chat::{Chat, Edited, Posted, Sought};
use crate::fit::fit;
use crate::message::{Key, Kind, Outgoing};
use crate::rich::Rich;
use crate::templates::{Form, Templates};
use crate::{deeds, view, words};

/// What a place says about its chat.
#[derive(Clone, Debug, Default)]
pub struct Manner {
    /// The room of what no route names one for.
    pub channel: Option<String>,
    /// The room in which the month's programme is kept pinned.
    pub month: Option<String>,
    /// Who may approve and reject holds there.
    pub approvers: Vec<String>,
}

/// Speaks in one chat.
pub struct Speaker<C> {
    chat: C,
    kit: Kit,
    manner: Manner,
    templates: Templates,
}

/// What a chat of this manner handles. `settle_s`: how long after the last byte a listing without
/// the message proves that it was not posted.
pub fn handles(manner: &Manner, class: Class, settle_s: i64) -> Vec<Handling> {
    let of = |entity, mode, grace_s| Handling {
        entity,
        mode,
        class,
        settle_s,
        grace_s,
        policy: Policy::NeverTwice,
        read_back: false,
    };
    let month = of(EntityKind::Activity, Mode::Publication(Period::Month), 0);
    let mut handles = vec![
        of(EntityKind::Activity, Mode::Announce, 300),
        of(EntityKind::Notice, Mode::Announce, 0),
        of(EntityKind::Person, Mode::Tell(Way::Chat), 300),
    ];
    handles.extend(manner.month.is_some().then_some(month));
    handles
}

impl<C: Chat> Speaker<C> {
    /// A speaker with its templates.
    pub fn new(chat: C, kit: Kit, manner: Manner, templates: Templates) -> Self {
        Self {
            chat,
            kit,
            manner,
            templates,
        }
    }

    /// The calls it makes.
    pub fn chat(&self) -> &C {
        &self.chat
    }

    /// What it was given.
    pub fn kit(&self) -> &Kit {
        &self.kit
    }

    /// What the place says about it.
    pub fn manner(&self) -> &Manner {
        &self.manner
    }

    fn key(&self, about: EntityId, turn: u32) -> Key {
        Key::new(
            self.kit.place.id.as_str(),
            self.kit.name.as_str(),
            about,
            turn,
        )
    }

    /// The object: `title` is what people call it, `more` where the whole can be read.
    fn object(
        &self,
        mut message: Outgoing,
        rich: &Rich,
        title: &str,
        more: &str,
    ) -> Option<Desired> {
        if rich.is_empty() {
            return None;
        }
        message.written = fit(
            self.chat.dialect(),
            rich,
            more,
            words::the_rest(message.lang),
        );
        let body = serde_json::to_value(&message).ok()?;
        Some(Desired {
            hash: Digest::of(body.to_string().as_bytes()),
            title: title.to_owned(),
            text: Words::same(message.written.text),
            body,
            outdated: None,
        })
    }

    fn announcement(&self, entity: &Entity, context: &Context<'_>) -> Option<Desired> {
        let route = context.route;
        let (form, view, more) = match entity.kind {
            EntityKind::Activity => {
                let hidden = entity.text("status") == "draft"
                    || route.is_none() && entity.text("visibility") == "internal";
                let view = view::activity(entity, context).filter(|_| !hidden)?;
                (Form::Announcement, view, view::address(entity, context))
            }
            EntityKind::Notice => {
                // Not for every room: only a route that names notices brings them.
                route.filter(|route| route.when.entity.contains(&EntityKind::Notice))?;
                let approvers = !self.manner.approvers.is_empty();
                (Form::Notice, view::notice(entity, context, approvers)?, "")
            }
            _ => return None,
        };
        let template = route.and_then(|route| route.template.as_deref());
        let rich = self.templates.render(form, context.lang, template, &view);
        let message = Outgoing {
            kind: Kind::Announcement,
            room: self.room(context)?,
            thread: None,
            key: self.key(entity.id, 0),
            lang: context.lang,
            written: crate::Written::default(),
        };
        let title = match entity.kind {
            EntityKind::Notice => view["text"].as_str().unwrap_or_default(),
            _ => entity.text("title"),
        };
        self.object(message, &rich, title, more)
    }

    /// The room a route names, else the usual one.
    fn room(&self, context: &Context<'_>) -> Option<String> {
        let routed = context.route.and_then(|route| route.channel.clone());
        routed.or_else(|| self.manner.channel.clone())
    }

    fn month(
        &self,
        id: EntityId,
        key: &str,
        members: &[Entity],
        context: &Context<'_>,
    ) -> Option<Desired> {
        let view = view::month(key, members, context)?;
        let rich = self
            .templates
            .render(Form::Month, context.lang, None, &view);
        let message = Outgoing {
            kind: Kind::Month,
            room: self.manner.month.clone()?,
            thread: None,
            key: self.key(id, 0),
            lang: context.lang,
            written: crate::Written::default(),
        };
        let title = view["heading"].as_str().unwrap_or_default();
        self.object(message, &rich, title, &context.place.public_url)
    }

    fn saying(&self, id: EntityId, saying: &Saying<'_>, context: &Context<'_>) -> Option<Desired> {
        let template = context.route.and_then(|route| route.template.as_deref());
        let message = |kind, room, thread, turn| Outgoing {
            kind,
            room,
            thread,
            key: self.key(id, turn),
            lang: context.lang,
            written: crate::Written::default(),
        };
        match saying {
            Saying::Moved {
                entity,
                before,
                times,
                thread,
            } => {
                let view = view::moved(entity, before, context)?;
                let rich = self
                    .templates
                    .render(Form::Reply, context.lang, None, &view);
                let posted = Posted::read(thread)?;
                let message = message(Kind::Reply, posted.room, Some(posted.id), *times);
                let more = view::address(entity, context);
                self.object(message, &rich, entity.text("title"), more)
            }
            Saying::Roundup {
                roundup,
                members,
                at,
            } => {
                let (form, view) = match roundup.of {
                    RoundupOf::Week => (Form::Week, view::week(members, context)?),
                    RoundupOf::Month => {
                        let (first, _) = roundup.of.days(*at)?;
                        let key = first.strftime("%Y-%m").to_string();
                        (Form::Month, view::month(&key, members, context)?)
                    }
                    RoundupOf::Hands => (Form::Hands, view::hands(members, context)?),
                    // Said to each person alone.
                    RoundupOf::Liked | RoundupOf::Reminder => return None,
                };
                let rich = self.templates.render(form, context.lang, template, &view);
                let message = message(Kind::Roundup, self.room(context)?, None, 0);
                let title = view["heading"].as_str().unwrap_or_default();
                self.object(message, &rich, title, &context.place.public_url)
            }
            Saying::Mine { to, times, .. } => {
                let view = deeds::mine(saying, context)?;
                let rich = self.templates.render(Form::Mine, context.lang, None, &view);
                let message = message(Kind::Direct, (*to).to_owned(), None, *times);
                self.object(message, &rich, titled(&view), &context.place.public_url)
            }
            Saying::Liked { to, members } => {
                let view = deeds::liked(members, context)?;
                let rich = self
                    .templates
                    .render(Form::Liked, context.lang, None, &view);
                let message = message(Kind::Direct, (*to).to_owned(), None, 0);
                self.object(message, &rich, titled(&view), &context.place.public_url)
            }
            // Letters are mails.
            Saying::Letter { .. } => None,
            Saying::Reminder { to, .. } => {
                let view = deeds::reminder(saying, context)?;
                let rich = self.templates.render(Form::Mine, context.lang, None, &view);
                let message = message(Kind::Direct, (*to).to_owned(), None, 0);
                self.object(message, &rich, titled(&view), &context.place.public_url)
            }
            Saying::Answer {
                message: asked, to, ..
            } => {
                let view = deeds::answer(saying, context)?;
                let rich = self
                    .templates
                    .render(Form::Answer, context.lang, None, &view);
                if let Some(to) = to {
                    let message = message(Kind::Direct, (*to).to_owned(), None, 0);
                    let more = &context.place.public_url;
                    return self.object(message, &rich, titled(&view), more);
                }
                let thread = Some(asked.text("thread")).filter(|thread| !thread.is_empty());
                let room = asked.text("channel").to_owned();
                let message = message(Kind::Answer, room, thread.map(str::to_owned), 0);
                self.object(message, &rich, titled(&view), &context.place.public_url)
            }
        }
    }

    async fn write(
        &self,
        message: &Outgoing,
        link: Option<&raccord_model::Link>,
    ) -> Result<Made, Failure> {
        let known = link.filter(|link| !link.is_nameless());
        let Some(link) = known else {
            let posted = self.chat.post(message).await?;
            return self.settled(message, posted, None).await.map(Made::from);
        };
        let gone = || Made {
            applied: Applied {
                external: link.external.clone(),
                tag: Some(TAKEN_AWAY.to_owned()),
                url: link.url.clone(),
            },
            unchanged: true,
        };
        if link.tag.as_deref() == Some(TAKEN_AWAY) {
            return Ok(gone());
        }
        let posted = Posted::read(&link.external).ok_or_else(formless)?;
        let edited = self.chat.edit(&posted, message).await?;
        if edited == Edited::Gone {
            return Ok(gone());
        }
        let posted = Posted {
            url: link.url.clone(),
            ..posted
        };
        let applied = self.settled(message, posted, link.tag.clone()).await?;
        Ok(Made {
            applied,
            unchanged: edited == Edited::Unchanged,
        })
    }

    /// A message that stands: pinned where it is to be.
    async fn settled(
        &self,
        message: &Outgoing,
        posted: Posted,
        tag: Option<String>,
    ) -> Result<Applied, Failure> {
        const PINNED: &str = "pinned";
        let pins = message.kind == Kind::Month && tag.as_deref() != Some(PINNED);
        // Not pinned is not worth a second message: what stands there is known, and the next change
        // tries again.
        let pinned = pins && self.chat.pin(&posted, true).await.is_ok();
        Ok(Applied {
            external: posted.external(),
            tag: if pinned { Some(PINNED.to_owned()) } else { tag },
            url: posted.url,
        })
    }

    async fn look(&self, job: &Job) -> Result<Found, Failure> {
        let Job::Write { desired, .. } = job else {
            // Without what it says nobody knows in which room to look.
            return Ok(Found::CannotTell);
        };
        let message = read(&desired.body)?;
        Ok(match self.chat.seek(&message).await? {
            Sought::There(posted) => Found::Yes(Applied {
                external: posted.external(),
                tag: None,
                url: posted.url,
            }),
            Sought::Gone(posted) => Found::Yes(Applied {
                external: posted.external(),
                tag: Some(TAKEN_AWAY.to_owned()),
                url: posted.url,
            }),
            Sought::Absent(listed) => Found::No { listed },
            Sought::CannotTell => Found::CannotTell,
        })
    }

    async fn make(&self, job: &Job) -> Result<Made, Failure> {
        match job {
            Job::Write { desired, link, .. } => {
                let message = read(&desired.body)?;
                self.write(&message, link.as_ref()).await
            }
            Job::Remove { link, .. } if link.is_nameless() => Err(formless()),
            Job::Remove { link, .. } => {
                if link.tag.as_deref() != Some(TAKEN_AWAY) {
                    let posted = Posted::read(&link.external).ok_or_else(formless)?;
                    self.chat.take_away(&posted).await?;
                }
                Ok(Applied::default().into())
            }
            Job::Send { .. } | Job::Seek { .. } => Err(formless()),
        }
    }
}

impl<C: Chat> Sink for Speaker<C> {
    fn target(&self) -> String {
        self.chat.target()
    }

    fn approvers(&self) -> Vec<String> {
        self.manner.approvers.clone()
    }

    fn render(&self, subject: Subject<'_>, context: &Context<'_>) -> Rendered {
        let desired = match subject {
            Subject::Entity { entity, .. } => self.announcement(entity, context),
            Subject::Publication { id, key, members } => self.month(id, key, members, context),
            Subject::Saying { id, saying } => self.saying(id, &saying, context),
        };
        desired.map_or(Rendered::Nothing, Rendered::Object)
    }

    fn find<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<Found, Failure>> {
        Box::pin(self.look(job))
    }

    fn apply<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<Made, Failure>> {
        Box::pin(self.make(job))
    }
}

/// What people call a message: its heading, else what it is about, else what it begins with.
fn titled(view: &Value) -> &str {
    let texts = ["heading", "title", "said"].iter();
    let mut texts = texts.filter_map(|name| view[*name].as_str());
    texts.find(|text| !text.is_empty()).unwrap_or_default()
}

fn read(body: &Value) -> Result<Outgoing, Failure> {
    serde_json::from_value(body.clone()).map_err(|_| formless())
}

fn formless() -> Failure {
    Failure::new(
        Blame::Bug,
        "chat.formless",
        Words::new(
            "Ce message n’a pas de forme que le connecteur connaisse.",
            "This message has no form that the connector knows.",
        ),
        Words::new(
            "C’est une erreur de Raccord : signalez-la.",
            "This is a fault of Raccord: report it.",
        ),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::titled;

    #[test]
    fn a_message_is_called_by_what_it_is_about() {
        let mine = json!({ "said": "Vous avez une place :", "title": "Bar" });
        assert_eq!(titled(&mine), "Bar");
        let answer = json!({ "heading": "", "said": "C’est noté." });
        assert_eq!(titled(&answer), "C’est noté.");
    }
}
