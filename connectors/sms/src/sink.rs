//! Each message about a sign-up, handed over once.

use raccord_kit::{BoxFuture, Job, Made, Numbers, Proof, Sink};
use raccord_model::{
    Applied, Context, Desired, Digest, EntityId, Failure, Found, Lang, Rendered, Subject, Words,
};
use serde::{Deserialize, Serialize};

use crate::failure::{ceiling, formless, no_number};
use crate::{Carrier, Sms, number, texts};

/// A message as it is to be handed over.
#[derive(Serialize, Deserialize)]
struct Outgoing {
    /// Ours, and the same for ever.
    id: String,
    /// As the person wrote it.
    to: String,
    text: String,
}

impl Sms {
    fn id(&self, about: EntityId, times: u32) -> String {
        let (place, name) = (self.kit.place.id.as_str(), self.kit.name.as_str());
        Digest::of(format!("{place}/{name}/{about}/{times}").as_bytes()).to_string()
    }

    fn e164(&self, text: &str) -> Option<String> {
        number::e164(text, self.country.as_deref())
    }

    /// Hands a message over, unless enough went out today.
    async fn hand_over(&self, id: &str, number: &str, text: &str) -> Result<(), Failure> {
        // One at a time: what is counted is what was handed over.
        let mut ours = self.today.lock().await;
        ours.begin(self.today());
        let per_day = self.per_day;
        match &self.carrier {
            Carrier::Gammu(gammu) => {
                if gammu.seek(id)?.is_some() {
                    return Ok(());
                }
                if gammu.handed_over(self.today())? >= per_day {
                    return Err(ceiling(per_day));
                }
                gammu.put(id, number, text, self.civil())
            }
            Carrier::Android(android) => {
                if !ours.is_begun() {
                    let told = android.count(self.midnight(), None).await?;
                    ours.goes_on_from(told.unwrap_or_default());
                }
                if ours.count() >= per_day && !ours.has(id) && !android.knows(id).await? {
                    return Err(ceiling(per_day));
                }
                // Whether or not the answer comes: it may have gone out.
                ours.note(id);
                android.send(id, number, text).await
            }
        }
    }

    async fn seek(&self, job: &Job) -> Result<Found, Failure> {
        let Job::Write { desired, .. } = job else {
            return Ok(Found::CannotTell);
        };
        let message = read(&desired.body)?;
        let listed = self.kit.clock.now();
        let there = match &self.carrier {
            Carrier::Gammu(gammu) => gammu.seek(&message.id)?.is_some(),
            Carrier::Android(android) => android.knows(&message.id).await?,
        };
        Ok(if there {
            Found::Yes(applied(message.id))
        } else {
            Found::No { listed }
        })
    }

    async fn make(&self, job: &Job) -> Result<Made, Failure> {
        let desired = match job {
            Job::Write { desired, .. } => desired,
            // What was sent stays sent.
            Job::Remove { .. } => return Ok(Applied::default().into()),
            Job::Send { .. } | Job::Seek { .. } => return Err(formless()),
        };
        let message = read(&desired.body)?;
        let number = self.e164(&message.to).ok_or_else(no_number)?;
        self.hand_over(&message.id, &number, &message.text).await?;
        Ok(applied(message.id).into())
    }
}

fn read(body: &serde_json::Value) -> Result<Outgoing, Failure> {
    serde_json::from_value(body.clone()).map_err(|_| formless())
}

fn applied(id: String) -> Applied {
    Applied {
        external: id,
        ..Applied::default()
    }
}

impl Sink for Sms {
    fn target(&self) -> String {
        // It holds nothing: what was sent from one phone is not sent again from the next.
        String::new()
    }

    fn render(&self, subject: Subject<'_>, context: &Context<'_>) -> Rendered {
        let Subject::Saying { id, saying } = subject else {
            return Rendered::Nothing;
        };
        let say = |lang| texts::message(&saying, lang, context.place);
        let Some(message) = say(context.lang) else {
            return Rendered::Nothing;
        };
        let shown = |lang| say(lang).map_or_else(String::new, |message| message.text);
        let text = Words::new(shown(Lang::Fr), shown(Lang::En));
        let outgoing = Outgoing {
            id: self.id(id, message.times),
            to: message.to,
            text: message.text,
        };
        let Ok(body) = serde_json::to_value(&outgoing) else {
            return Rendered::Nothing;
        };
        Rendered::Object(Desired {
            hash: Digest::of(body.to_string().as_bytes()),
            title: message.title,
            text,
            body,
            outdated: None,
        })
    }

    fn find<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<Found, Failure>> {
        Box::pin(self.seek(job))
    }

    fn apply<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<Made, Failure>> {
        Box::pin(self.make(job))
    }
}

impl Numbers for Sms {
    fn number(&self, text: &str) -> Option<String> {
        self.e164(text)
    }

    fn send_code<'a>(&'a self, proof: &'a Proof) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            let number = self.e164(&proof.number).ok_or_else(no_number)?;
            let id = Digest::of(proof.key.as_bytes()).to_string();
            let place = &self.kit.place.name;
            let text = texts::code(&proof.code, proof.minutes, proof.lang, place);
            self.hand_over(&id, &number, &text).await
        })
    }
}
