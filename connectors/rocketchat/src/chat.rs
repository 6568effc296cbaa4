//! What is said: messages, sent under a name of ours, looked for, changed, taken away, pinned.

use raccord_chat::dialect::{Dialect, Markdown};
use raccord_chat::{Chat, Edited, Key, Kind, Outgoing, Posted, Sought};
use raccord_kit::{BoxFuture, Job, Made, Sink};
use raccord_model::{Applied, Context, EntityId, Failure, Found, Rendered, Subject};

use crate::api::Sent;
use crate::message::{Message, NAMES, Room, id_of};
use crate::{Instance, RocketChat, failure};

/// What has one of our names.
enum Named {
    /// A message of ours, under this name.
    Ours(Box<Message>),
    /// Nothing: this is the first name that is free.
    Free(String),
    /// Other people's messages have them all.
    Taken,
}

impl Chat for RocketChat {
    fn dialect(&self) -> &dyn Dialect {
        &Markdown::ROCKETCHAT
    }

    fn target(&self) -> String {
        format!("{} {}", self.api.site(), self.api.user)
    }

    fn post<'a>(&'a self, message: &'a Outgoing) -> BoxFuture<'a, Result<Posted, Failure>> {
        Box::pin(async move { self.kept(self.say(message).await).await })
    }

    fn seek<'a>(&'a self, message: &'a Outgoing) -> BoxFuture<'a, Result<Sought, Failure>> {
        Box::pin(async move { self.kept(self.look_for(message).await).await })
    }

    fn edit<'a>(
        &'a self,
        posted: &'a Posted,
        message: &'a Outgoing,
    ) -> BoxFuture<'a, Result<Edited, Failure>> {
        Box::pin(async move {
            let changed = self.change(&posted.id, &posted.room, &message.written.text);
            self.kept(changed.await).await
        })
    }

    fn take_away<'a>(&'a self, posted: &'a Posted) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            let taken = self.api.delete(&posted.id, &posted.room).await;
            self.kept(taken).await
        })
    }

    fn pin<'a>(&'a self, posted: &'a Posted, pinned: bool) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            // Each pinning says so in the room: what is pinned is left alone.
            let there = self.api.message(&posted.id).await?;
            if there.is_some_and(|there| there.pinned != pinned) {
                self.kept(self.api.pin(&posted.id, pinned).await).await?;
            }
            Ok(())
        })
    }
}

impl RocketChat {
    /// What was made of a call; what is known of the server is asked again after a failure.
    pub(crate) async fn kept<T>(&self, made: Result<T, Failure>) -> Result<T, Failure> {
        if made.is_err() {
            self.forget().await;
        }
        made
    }

    /// The room a message is for; of one that the tool named itself, nothing but its id.
    async fn room_of(&self, message: &Outgoing) -> Result<Room, Failure> {
        match message.kind {
            Kind::Reply | Kind::Answer => Ok(Room {
                id: message.room.clone(),
                ..Room::default()
            }),
            Kind::Direct => Ok((*self.alone_with(&message.room).await?).clone()),
            _ => Ok((*self.room(&message.room).await?).clone()),
        }
    }

    async fn say(&self, message: &Outgoing) -> Result<Posted, Failure> {
        let room = self.room_of(message).await?;
        let text = message.written.text.as_str();
        let mut name = id_of(&[message.key.as_str(), &room.id], 0);
        for _ in 0..NAMES {
            let sent = self
                .api
                .send(&name, &room.id, text, message.thread.as_deref());
            let refusal = match sent.await? {
                // In a thread it is the room of what begins it that counts.
                Sent::Made(made) => return Ok(self.posted(&in_room(room, &made), &made.id)),
                Sent::Refused(refusal) => *refusal,
            };
            // The refusal does not say whether the name was known already: what has it does.
            match self.named(&message.key, &room.id).await? {
                Named::Ours(there) => {
                    if there.t.is_none() && there.msg != text {
                        self.change(&there.id, &room.id, text).await?;
                    }
                    return Ok(self.posted(&room, &there.id));
                }
                Named::Taken => return Err(failure::names_taken(self.api.host())),
                Named::Free(free) if free == name => {
                    return Err(if refusal.code.ends_with(".rejected") {
                        failure::not_taken(self.api.host())
                    } else {
                        refusal
                    });
                }
                Named::Free(free) => name = free,
            }
        }
        Err(failure::names_taken(self.api.host()))
    }

    /// What has the names of a message.
    async fn named(&self, key: &Key, room: &str) -> Result<Named, Failure> {
        for number in 0..NAMES {
            let name = id_of(&[key.as_str(), room], number);
            match self.api.message(&name).await {
                Ok(None) => return Ok(Named::Free(name)),
                Ok(Some(there)) if there.rid == room && there.u.id == self.api.user => {
                    return Ok(Named::Ours(Box::new(there)));
                }
                Ok(Some(_)) => {}
                // In a room that we are not in.
                Err(failure) if failure.code.ends_with(failure::NO_RIGHT) => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(Named::Taken)
    }

    async fn look_for(&self, message: &Outgoing) -> Result<Sought, Failure> {
        let room = self.room_of(message).await?;
        let now = self.kit.clock.now();
        Ok(match self.named(&message.key, &room.id).await? {
            Named::Ours(there) if there.t.is_some() => Sought::Gone(self.posted(&room, &there.id)),
            Named::Ours(there) => Sought::There(self.posted(&room, &there.id)),
            Named::Free(_) => Sought::Absent(now),
            Named::Taken => Sought::CannotTell,
        })
    }

    /// Changes what a message says. It is read first: a change to the same words would be marked as an
    /// edit all the same.
    async fn change(&self, id: &str, room: &str, text: &str) -> Result<Edited, Failure> {
        match self.api.message(id).await? {
            None => return Ok(Edited::Gone),
            Some(there) if there.t.is_some() => return Ok(Edited::Gone),
            Some(there) if there.msg == text => return Ok(Edited::Unchanged),
            Some(_) => {}
        }
        match self.api.update(id, room, text).await? {
            Sent::Made(_) => Ok(Edited::Done),
            Sent::Refused(refusal) => Err(*refusal),
        }
    }

    fn posted(&self, room: &Room, id: &str) -> Posted {
        Posted {
            room: room.id.clone(),
            id: id.to_owned(),
            url: self.api.permalink(room, id),
        }
    }

    /// Takes away what an entity's announcement is, in whichever room: its names follow from the
    /// entity and the room.
    async fn withdraw(&self, entity: EntityId) -> Result<(), Failure> {
        let key = Key::new(
            self.kit.place.id.as_str(),
            self.kit.name.as_str(),
            entity,
            0,
        );
        for room in self.api.my_rooms().await? {
            if let Named::Ours(there) = self.named(&key, &room.id).await? {
                self.api.delete(&there.id, &room.id).await?;
            }
        }
        Ok(())
    }
}

/// The room as the message says it.
fn in_room(room: Room, made: &Message) -> Room {
    Room {
        id: made.rid.clone(),
        ..room
    }
}

impl Sink for Instance {
    fn target(&self) -> String {
        self.0.target()
    }

    fn approvers(&self) -> Vec<String> {
        self.0.approvers()
    }

    fn render(&self, subject: Subject<'_>, context: &Context<'_>) -> Rendered {
        self.0.render(subject, context)
    }

    fn find<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<Found, Failure>> {
        self.0.find(job)
    }

    fn apply<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<Made, Failure>> {
        match job {
            // An attempt may have made it, and nobody was told its name.
            Job::Remove { entity, link } if link.is_nameless() => Box::pin(async move {
                let gone = self.account().withdraw(*entity).await;
                self.account().kept(gone).await?;
                Ok(Applied::default().into())
            }),
            _ => self.0.apply(job),
        }
    }
}
