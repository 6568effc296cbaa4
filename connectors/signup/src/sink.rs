//! Each mail about a sign-up, sent once.

use raccord_kit::{BoxFuture, Job, Made, Sink};
use raccord_mail::{Draft, Letter, Mailbox};
use raccord_model::{
    Applied, Blame, Context, Desired, Digest, Entity, EntityId, EntityKind, Failure, Found, Lang,
    Rendered, Saying, Subject, Words,
};
use serde::{Deserialize, Serialize};

use crate::Signup;
use crate::alone;
use crate::letters::{self, Told};

/// A mail as it is to be sent, but for its hour.
#[derive(Serialize, Deserialize)]
struct Mail {
    key: String,
    follows: Option<String>,
    to: String,
    name: String,
    lang: Lang,
    subject: String,
    text: String,
}

impl Signup {
    fn key(&self, id: EntityId, times: u32) -> String {
        let place = self.kit.place.id.as_str();
        format!("{place}/{}/{id}/{times}", self.kit.name)
    }

    async fn send(&self, job: &Job) -> Result<Made, Failure> {
        let (desired, link) = match job {
            Job::Write { desired, link, .. } => (desired, link),
            // What was sent stays sent.
            Job::Remove { .. } => return Ok(Applied::default().into()),
            Job::Send { .. } | Job::Seek { .. } => return Err(formless()),
        };
        let mail: Mail = serde_json::from_value(desired.body.clone()).map_err(|_| formless())?;
        let sent = Applied {
            external: mail.key.clone(),
            ..Applied::default()
        };
        if link.as_ref().is_some_and(|link| !link.is_nameless()) {
            return Ok(Made {
                applied: sent,
                unchanged: true,
            });
        }
        let mut was_sent = self.once.turn(&mail.key).await;
        if *was_sent {
            return Ok(Made {
                applied: sent,
                unchanged: true,
            });
        }
        let office = self.office()?;
        let to = Mailbox::new(&mail.name, &mail.to).map_err(|_| no_mailbox())?;
        let letter = Letter::compose(&Draft {
            key: &mail.key,
            from: &office.from,
            to: &to,
            subject: &mail.subject,
            text: &mail.text,
            lang: mail.lang,
            date: self.kit.clock.now(),
            follows: mail.follows.as_deref(),
        });
        office.post.send(&letter.map_err(|_| formless())?).await?;
        *was_sent = true;
        Ok(sent.into())
    }
}

impl Signup {
    /// A mail that is for one person alone.
    fn alone(&self, id: EntityId, saying: &Saying<'_>, context: &Context<'_>) -> Rendered {
        let say = |lang| alone::note(saying, lang, context.place, context.today);
        let Some(note) = say(context.lang) else {
            return Rendered::Nothing;
        };
        let shown = |lang| say(lang).map_or_else(String::new, |note| note.subject);
        let text = Words::new(shown(Lang::Fr), shown(Lang::En));
        let mail = Mail {
            key: self.key(id, 0),
            follows: None,
            to: note.to,
            name: note.name,
            lang: context.lang,
            subject: note.subject,
            text: note.text,
        };
        let Ok(body) = serde_json::to_value(&mail) else {
            return Rendered::Nothing;
        };
        Rendered::Object(Desired {
            hash: Digest::of(mail.key.as_bytes()),
            title: note.title,
            text,
            body,
            outdated: None,
        })
    }
}

impl Sink for Signup {
    fn target(&self) -> String {
        // It holds nothing: what was sent through one server is not sent again through the next.
        String::new()
    }

    fn render(&self, subject: Subject<'_>, context: &Context<'_>) -> Rendered {
        match subject {
            Subject::Entity { entity, .. } if is_ours(entity) => {
                let key = self.key(entity.id, 0);
                let what = key.clone();
                mail(letters::first(entity), (key, None), &what, context)
            }
            Subject::Saying {
                id,
                saying:
                    Saying::Moved {
                        entity,
                        before,
                        times,
                        thread,
                    },
            } if is_ours(entity) => {
                let told = letters::moved(entity, before);
                let keys = (self.key(id, times), Some(thread.to_owned()));
                let now = raccord_model::told_of(entity);
                let what = serde_json::to_string(&now).unwrap_or_default();
                mail(told, keys, &what, context)
            }
            Subject::Saying { id, saying } => self.alone(id, &saying, context),
            _ => Rendered::Nothing,
        }
    }

    fn find<'a>(&'a self, _: &'a Job) -> BoxFuture<'a, Result<Found, Failure>> {
        Box::pin(std::future::ready(Ok(Found::CannotTell)))
    }

    fn apply<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<Made, Failure>> {
        Box::pin(self.send(job))
    }
}

/// The mail that says `told`; `what` is all that tells it from the next one.
fn mail(
    told: Option<Told<'_>>,
    (key, follows): (String, Option<String>),
    what: &str,
    context: &Context<'_>,
) -> Rendered {
    let Some(told) = told else {
        return Rendered::Nothing;
    };
    let lang = told.lang(context.lang);
    let (subject, text) = told.say(lang, context.place);
    let mail = Mail {
        key,
        follows,
        to: told.to().to_owned(),
        name: told.name().to_owned(),
        lang,
        subject,
        text,
    };
    let Ok(body) = serde_json::to_value(&mail) else {
        return Rendered::Nothing;
    };
    Rendered::Object(Desired {
        hash: Digest::of(what.as_bytes()),
        title: told.title().to_owned(),
        text: Words::new(
            told.say(Lang::Fr, context.place).0,
            told.say(Lang::En, context.place).0,
        ),
        body,
        outdated: None,
    })
}

/// Whether somebody signed up here. Another tool writes to its people itself.
fn is_ours(entity: &Entity) -> bool {
    entity.kind == EntityKind::Registration && entity.source == "raccord"
}

fn no_mailbox() -> Failure {
    Failure::new(
        Blame::Data,
        "signup.no-mailbox",
        Words::new(
            "L’adresse de cette personne n’en est pas une.",
            "This person's address is none.",
        ),
        Words::new(
            "Demandez-lui son adresse, puis abandonnez cet envoi.",
            "Ask them for their address, then drop this delivery.",
        ),
    )
}

pub(crate) fn formless() -> Failure {
    Failure::new(
        Blame::Bug,
        "signup.formless",
        Words::new(
            "Ce courrier n’a pas de forme que le connecteur connaisse.",
            "This mail has no form that the connector knows.",
        ),
        Words::new(
            "C’est une erreur de Raccord : signalez-la.",
            "This is a fault of Raccord: report it.",
        ),
    )
}
