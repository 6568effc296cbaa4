//! Each letter, prepared once, and each mail, sent once.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use raccord_kit::{BoxFuture, Job, Made, Sink};
use raccord_mail::{Mailbox, Sheet, Text};
use raccord_model::{
    Applied, Blame, Context, Desired, Digest, Entity, EntityId, Failure, Found, Rendered, Roundup,
    Saying, Subject, Words,
};
use serde::{Deserialize, Serialize};

use crate::letter::{self, LEAVE, Period, Unfit, Written};
use crate::{Newsletter, Way};

/// How many activities a letter names, and fewer where it would be too long for webmails.
const ACTIVITIES: [usize; 4] = [90, 60, 30, 12];

/// A letter as it was prepared; with a reader, as it is sent.
#[derive(Serialize, Deserialize)]
struct Issue {
    /// What the mail is called, for ever.
    key: String,
    sheet: String,
    /// To whom; nobody yet where the readers are ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    /// The address by which they leave.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    leave: String,
}

impl Newsletter {
    fn key(&self, id: EntityId) -> String {
        let place = self.kit.place.id.as_str();
        format!("{place}/{}/{id}", self.kit.name)
    }

    /// The letter of a round-up; nothing where nothing takes place and no hands are missing.
    fn issue(
        &self,
        id: EntityId,
        roundup: &Roundup,
        at: DateTime,
        members: &[Entity],
        context: &Context<'_>,
    ) -> Option<Desired> {
        let period = Period::of(roundup.of, at)?;
        let written = self.written(period, members, context)?;
        let list = match &self.way {
            Way::Mail { list, .. } => list.as_ref(),
            Way::Listmonk(listmonk) => {
                let body = listmonk.prepare(id, period, &written)?;
                return Some(Desired {
                    hash: Digest::of(body.to_string().as_bytes()),
                    title: period.heading(context.lang),
                    text: Words::same(written.text.replace(LEAVE, &listmonk.site())),
                    body,
                    outdated: None,
                });
            }
        };
        let key = self.key(id);
        let sheet = Sheet::compose(&Text {
            key: &key,
            from: &self.from,
            subject: &written.subject,
            html: &written.html,
            text: &written.text,
            lang: context.lang,
            date: instant(at, &context.place.zone),
            list: if list.is_some() {
                ""
            } else {
                self.kit.name.as_str()
            },
            leave: if self.links.leave { LEAVE } else { "" },
        });
        let sheet = sheet.ok()?;
        let issue = Issue {
            key,
            sheet: sheet.kept().to_owned(),
            to: list.map(|list| list.address().to_owned()),
            leave: String::new(),
        };
        let said = written.text.replace(LEAVE, &context.place.public_url);
        Some(Desired {
            hash: Digest::of(issue.sheet.as_bytes()),
            title: period.heading(context.lang),
            text: Words::same(said),
            body: serde_json::to_value(&issue).ok()?,
            outdated: None,
        })
    }

    fn written(
        &self,
        period: Period,
        members: &[Entity],
        context: &Context<'_>,
    ) -> Option<Written> {
        let named = context.route.and_then(|route| route.template.as_deref());
        let mut named = [named, None].into_iter();
        let mut template = named.next()?;
        let mut most = ACTIVITIES.into_iter();
        let mut count = most.next()?;
        loop {
            let view = letter::view(period, members, &self.links, &self.tint, count, context);
            let empty = |name: &str| view[name].as_array().is_none_or(Vec::is_empty);
            if empty("days") && empty("hands") {
                return None;
            }
            match self.templates.write(template, &view) {
                Ok(written) => return Some(written),
                Err(Unfit::TooLong(_)) => {
                    if let Some(fewer) = most.next() {
                        count = fewer;
                        continue;
                    }
                    // The few are too long in the place's own template: they fit into ours.
                    template = named.next()?;
                    most = ACTIVITIES.into_iter();
                    count = most.next()?;
                }
                // It was tried on a sample; what it cannot say of this one is said in ours.
                Err(Unfit::Faulty(_)) => template = named.next()?,
            }
        }
    }

    async fn send(&self, job: &Job) -> Result<Made, Failure> {
        let desired = match job {
            Job::Write { desired, .. } => desired,
            // What was sent stays sent.
            Job::Remove { .. } => return Ok(Applied::default().into()),
            Job::Send { .. } | Job::Seek { .. } => return Err(formless()),
        };
        let pool = match &self.way {
            Way::Mail { pool, .. } => pool,
            Way::Listmonk(listmonk) => return listmonk.apply(&desired.body).await,
        };
        let issue: Issue = serde_json::from_value(desired.body.clone()).map_err(|_| formless())?;
        let to = issue.to.ok_or_else(formless)?;
        let to = Mailbox::new("", &to).map_err(|_| no_mailbox())?;
        let sheet = Sheet::read(&issue.sheet);
        let letter = sheet.letter(&issue.key, &self.from, &to, &issue.leave);
        let applied = Applied {
            external: letter.id().to_owned(),
            ..Applied::default()
        };
        let mut was_sent = self.once.turn(&issue.key).await;
        let unchanged = *was_sent;
        if !unchanged {
            pool.send(&letter, self.kit.clock.now()).await?;
            *was_sent = true;
        }
        Ok(Made { applied, unchanged })
    }

    /// The letter to one reader.
    fn to_one(&self, id: EntityId, issue: &Desired, to: &str, leave: &str) -> Option<Desired> {
        let prepared: Issue = serde_json::from_value(issue.body.clone()).ok()?;
        let key = self.key(id);
        let own = Issue {
            leave: format!("{}/newsletter/leave?k={leave}", self.kit.place.public_url),
            to: Some(to.to_owned()),
            sheet: prepared.sheet,
            key,
        };
        Some(Desired {
            hash: Digest::of(own.key.as_bytes()),
            title: issue.title.clone(),
            text: issue.text.clone(),
            body: serde_json::to_value(&own).ok()?,
            outdated: None,
        })
    }
}

impl Sink for Newsletter {
    fn target(&self) -> String {
        // It holds nothing: what was sent through one server is not sent again through the next.
        String::new()
    }

    fn render(&self, subject: Subject<'_>, context: &Context<'_>) -> Rendered {
        let Subject::Saying { id, saying } = subject else {
            return Rendered::Nothing;
        };
        let desired = match saying {
            Saying::Roundup {
                roundup,
                at,
                members,
            } => self.issue(id, roundup, at, members, context),
            Saying::Letter { issue, to, leave } => self.to_one(id, issue, to, leave),
            _ => None,
        };
        desired.map_or(Rendered::Nothing, Rendered::Object)
    }

    fn find<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<Found, Failure>> {
        Box::pin(async move {
            match &self.way {
                Way::Mail { .. } => Ok(Found::CannotTell),
                Way::Listmonk(listmonk) => listmonk.find(job).await,
            }
        })
    }

    fn apply<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<Made, Failure>> {
        Box::pin(self.send(job))
    }
}

/// The instant of a civil hour at the place.
fn instant(at: DateTime, zone: &str) -> Timestamp {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let instant = zone.to_ambiguous_timestamp(at).compatible();
    instant.unwrap_or(Timestamp::UNIX_EPOCH)
}

fn no_mailbox() -> Failure {
    Failure::new(
        Blame::Data,
        raccord_model::NO_SUCH_ADDRESS,
        Words::new(
            "L’adresse de cette personne n’en est pas une.",
            "This person's address is none.",
        ),
        Words::new("Demandez-lui son adresse.", "Ask them for their address."),
    )
}

pub(crate) fn formless() -> Failure {
    Failure::new(
        Blame::Bug,
        "newsletter.formless",
        Words::new(
            "Cette lettre n’a pas de forme que le connecteur connaisse.",
            "This letter has no form that the connector knows.",
        ),
        Words::new(
            "C’est une erreur de Raccord : signalez-la.",
            "This is a fault of Raccord: report it.",
        ),
    )
}
