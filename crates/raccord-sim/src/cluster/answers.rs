//! What the servers and the tools answer, and what comes of it.

use std::collections::VecDeque;

use raccord_bus::jetstream::ClusterError;
use raccord_bus::jetstream::broker::{Ack, Failure, Message, Since};
use raccord_model::{ConnectorName, Item, Outcome};

use super::servers::NODES;
use super::world::{Ask, Event, Follower, Life, Reply, World, ms};

impl World {
    /// What a server answers, if one does.
    pub(super) fn servers_answer(&mut self, life: Life, ask: &Ask) -> Option<Reply> {
        if self.leaderless.max(self.recovering) > self.now
            && matches!(ask, Ask::Send(_) | Ask::Erase(..) | Ask::Purge(..))
        {
            let refused = ClusterError::Unconfirmed;
            return self
                .rng
                .chance(50)
                .then_some(Reply::Failed(Failure::Passing(refused)));
        }
        let behind = self.is_behind();
        let short = self.rng.chance(20);
        let drawn = self.rng.draw();
        let reads = match &self.deposed {
            Some((old, _)) if behind => old,
            _ => &self.servers,
        };
        Some(match ask {
            Ask::Send(message) => self.servers_take(message),
            Ask::Last(stream, subject) => Reply::Found(reads.last(stream, subject)),
            Ask::Next(stream, subject, after) => Reply::Found(reads.next(stream, subject, *after)),
            Ask::Reached(stream) => Reply::Number(reads.reached(stream)),
            Ask::Read(stream, subject, after, until) => {
                let mut batch = reads.between(stream, subject, *after, *until);
                let whole = !short && batch.last().is_some_and(|last| last.sequence == *until);
                if !whole {
                    batch.truncate((drawn % (batch.len() as u64 + 1)) as usize);
                }
                Reply::Batch(batch, whole)
            }
            Ask::Erase(stream, sequence) => {
                self.servers.erase(stream, *sequence);
                Reply::Done
            }
            Ask::Purge(stream, subject, before) => {
                self.servers.purge(stream, subject, *before);
                self.note(|| {
                    format!("  servers: {subject} purged before {before:?}, for {life:?}")
                });
                Reply::Done
            }
            Ask::Follow(stream, since) => {
                self.serial += 1;
                let ready = match since {
                    Since::Now => VecDeque::new(),
                    Since::LastOfEach(_) => self.servers.last_of_each(stream).into(),
                };
                let follower = Follower {
                    life,
                    stream,
                    ready,
                    missed: false,
                    after: self.now,
                    waker: None,
                };
                let number = self.serial;
                self.followers.insert(number, follower);
                Reply::Follows(number)
            }
            Ask::Tool(..) => return None,
        })
    }

    /// Whether a reading is answered by a server that leads no more.
    fn is_behind(&mut self) -> bool {
        let old = self.deposed.as_ref();
        let behind = old.is_some_and(|(_, until)| *until > self.now) && self.rng.chance(50);
        if behind {
            self.count("a server answered that was behind");
        }
        behind
    }

    fn servers_take(&mut self, message: &Message) -> Reply {
        let at = self.hour_of_servers();
        let taken = self.servers.take(message, at);
        let (subject, size) = (message.subject.clone(), message.payload.len());
        if !subject.starts_with(NODES) {
            self.note(|| format!("  servers: {subject} ({size} bytes): {taken:?}"));
        }
        let Ok((stream, sequence)) = taken else {
            self.count("a message was refused");
            return Reply::Failed(Failure::Passing(ClusterError::Unconfirmed));
        };
        // Over a new connection or by a new leader, a message can be taken twice.
        if self.rng.chance(self.weather.unanswered) {
            self.count("a message came twice");
            if let Ok((stream, sequence)) = self.servers.take(message, at) {
                self.tell(stream, sequence);
            }
        }
        self.tell(stream, sequence);
        Reply::Taken(Ack {
            stream: stream.to_owned(),
            sequence,
            duplicate: false,
        })
    }

    fn tell(&mut self, stream: &'static str, sequence: u64) {
        let Some(told) = self.servers.told(stream, sequence) else {
            return;
        };
        let of =
            |(number, follower): (&u64, &Follower)| (follower.stream == stream).then_some(*number);
        let numbers: Vec<u64> = self.followers.iter().filter_map(of).collect();
        for number in numbers {
            let way = self.way();
            let Some(follower) = self.followers.get_mut(&number) else {
                continue;
            };
            // In order, however long each takes.
            let at = (self.now + way).max(follower.after + 1);
            follower.after = at;
            let after = at - self.now;
            let told = told.clone();
            self.at(
                after,
                Event::Tell {
                    follower: number,
                    told,
                },
            );
        }
    }

    /// A tool takes a call, or not.
    pub(super) fn tool_hears(
        &mut self,
        call: u64,
        connector: &ConnectorName,
        item: Box<Item>,
        base: Option<u64>,
    ) {
        let hour = self.hour();
        let waits = self.calls.get(&call);
        if waits.is_none_or(|call| call.reply.is_some()) {
            // Nobody waits any more: a conditional write finds that somebody was faster.
            self.tools.make_late(connector, &item, base, hour);
            return;
        }
        let fate = if self.rng.chance(self.weather.trouble) {
            self.rng.below(5)
        } else {
            9
        };
        let outcome = match fate {
            // It was made, and nobody hears of it.
            0 => {
                self.count("a tool's answer was lost");
                self.tools.make(connector, &item, hour);
                return;
            }
            1 => {
                self.count("a call to a tool was lost");
                return;
            }
            // It is made when nobody waits any more.
            2 => {
                self.count("a tool acted late");
                let after = ms(500) + self.rng.below(ms(14_000));
                let connector = connector.clone();
                self.at(
                    after,
                    Event::Effect {
                        connector,
                        item,
                        base,
                    },
                );
                return;
            }
            3 => Outcome::Failed(super::tools::busy()),
            _ => self.tools.make(connector, &item, hour),
        };
        self.note(|| {
            format!(
                "  {connector} hears {:.12} {:?} attempt {}: {:.60}",
                item.delivery.to_string(),
                item.class,
                item.attempt,
                format!("{outcome:?}")
            )
        });
        let way = self.way();
        self.at(
            way,
            Event::Answer {
                call,
                reply: Reply::Made(outcome),
            },
        );
    }
}
