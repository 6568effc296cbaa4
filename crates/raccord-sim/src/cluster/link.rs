//! A process's connection to the modelled servers, and what carries its calls: the virtual clock, and
//! a stack of its own that waits without holding the thread.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::{FutureExt as _, Stream};
use raccord_bus::LogError;
use raccord_bus::jetstream::broker::{
    Ack, Answer, Broker, Failure, Found, Message, Running, Since, Span, Take, Told,
};
use raccord_bus::jetstream::carrier::{Carrier, Task};
use raccord_bus::jetstream::{ClusterError, Jetstream};
use raccord_model::{ConnectorName, Item, Outcome};
use tokio::time::Instant;

use super::world::{Ask, Life, Reply, Shared, unreachable};

/// How long a write whose answer did not come is followed up.
const PATIENCE: Duration = Duration::from_secs(15);

/// What a process is in the world.
#[derive(Clone, Debug)]
pub struct Process {
    /// The world.
    pub world: Shared,
    /// Which process.
    pub life: Life,
}

/// An answer that is waited for.
struct Waiting {
    process: Process,
    call: u64,
}

impl Future for Waiting {
    type Output = Reply;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Reply> {
        let mut world = self.process.world.lock();
        match world.answered(self.call, context.waker()) {
            Some(reply) => Poll::Ready(reply),
            None => Poll::Pending,
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.process.world.lock().forget(self.call);
    }
}

impl Process {
    /// The connection of this process.
    pub fn connection(&self) -> Jetstream {
        Jetstream::over(Box::new(self.clone()), Arc::new(self.clone()), PATIENCE)
    }

    fn ask(&self, ask: Ask) -> Waiting {
        let call = self.world.lock().ask(self.life, ask);
        Waiting {
            process: self.clone(),
            call,
        }
    }

    /// Calls a tool.
    pub async fn tool(&self, connector: &ConnectorName, item: Item) -> Outcome {
        let base = self.world.lock().tools.version_of(connector, &item);
        let asked = self.ask(Ask::Tool(connector.clone(), Box::new(item), base));
        match asked.await {
            Reply::Made(outcome) => outcome,
            _ => Outcome::Failed(super::tools::lost()),
        }
    }

    /// Blocks until `future` is done.
    pub fn wait<F: Future>(&self, future: F) -> F::Output {
        let mut output = None;
        self.block_on(std::pin::pin!(async { output = Some(future.await) }));
        output.expect("the task is done")
    }

    fn reply<'a, T>(
        &self,
        ask: Ask,
        read: impl FnOnce(Reply) -> Result<T, Failure> + Send + 'a,
    ) -> Answer<'a, T> {
        let asked = self.ask(ask);
        Box::pin(asked.map(read))
    }
}

fn failed<T>(reply: Reply) -> Result<T, Failure> {
    match reply {
        Reply::Failed(failure) => Err(failure),
        _ => Err(Failure::Final(unreachable())),
    }
}

impl Broker for Process {
    fn check(&self) -> Result<(), ClusterError> {
        Ok(())
    }

    fn send(&self, message: Message) -> Answer<'_, Answer<'static, Ack>> {
        let taken = self.reply(Ask::Send(message), |reply| match reply {
            Reply::Taken(ack) => Ok(ack),
            other => failed(other),
        });
        Box::pin(std::future::ready(Ok(taken)))
    }

    fn last<'a>(&'a self, stream: &'a str, subject: &'a str) -> Answer<'a, Option<Found>> {
        self.reply(Ask::Last(stream.to_owned(), subject.to_owned()), found)
    }

    fn next<'a>(
        &'a self,
        stream: &'a str,
        subject: &'a str,
        after: u64,
    ) -> Answer<'a, Option<Found>> {
        let ask = Ask::Next(stream.to_owned(), subject.to_owned(), after);
        self.reply(ask, found)
    }

    fn reached<'a>(&'a self, stream: &'a str) -> Answer<'a, u64> {
        self.reply(Ask::Reached(stream.to_owned()), |reply| match reply {
            Reply::Number(number) => Ok(number),
            other => failed(other),
        })
    }

    fn read<'a>(
        &'a self,
        span: Span<'a>,
        take: Take<'a>,
    ) -> Pin<Box<dyn Future<Output = Result<bool, LogError>> + 'a>> {
        let Span {
            stream,
            subject,
            after,
            until,
        } = span;
        let asked = self.ask(Ask::Read(
            stream.to_owned(),
            subject.to_owned(),
            after,
            until,
        ));
        Box::pin(async move {
            match asked.await {
                Reply::Batch(batch, whole) => {
                    batch.into_iter().try_for_each(take)?;
                    Ok(whole)
                }
                Reply::Failed(failure) => Err(failure.reason().into()),
                _ => Ok(false),
            }
        })
    }

    fn erase<'a>(&'a self, stream: &'a str, sequence: u64) -> Answer<'a, ()> {
        self.reply(Ask::Erase(stream.to_owned(), sequence), done)
    }

    fn purge<'a>(
        &'a self,
        stream: &'a str,
        subject: &'a str,
        before: Option<u64>,
    ) -> Answer<'a, ()> {
        let ask = Ask::Purge(stream.to_owned(), subject.to_owned(), before);
        self.reply(ask, done)
    }

    fn follow(&self, stream: &'static str, since: Since) -> Answer<'_, Running> {
        let process = self.clone();
        self.reply(Ask::Follow(stream, since), move |reply| match reply {
            Reply::Follows(number) => Ok(Box::pin(Following { process, number }) as Running),
            other => failed(other),
        })
    }

    fn client(&self) -> Option<raccord_bus::jetstream::broker::Client> {
        None
    }
}

fn found(reply: Reply) -> Result<Option<Found>, Failure> {
    match reply {
        Reply::Found(found) => Ok(found),
        other => failed(other),
    }
}

fn done(reply: Reply) -> Result<(), Failure> {
    match reply {
        Reply::Done => Ok(()),
        other => failed(other),
    }
}

/// What a follower is told.
struct Following {
    process: Process,
    number: u64,
}

impl Stream for Following {
    type Item = Result<Told, ClusterError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut world = self.process.world.lock();
        let Some(follower) = world.followers.get_mut(&self.number) else {
            return Poll::Ready(None);
        };
        if let Some(told) = follower.ready.pop_front() {
            return Poll::Ready(Some(Ok(told)));
        }
        if follower.missed {
            return Poll::Ready(Some(Err(unreachable())));
        }
        follower.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.process.world.lock().followers.remove(&self.number);
    }
}

impl Carrier for Process {
    fn block_on(&self, mut task: Pin<&mut dyn Future<Output = ()>>) {
        let flag = self.world.lock().running.clone();
        let waker = flag.map_or_else(|| Waker::noop().clone(), Waker::from);
        let mut context = Context::from_waker(&waker);
        while task.as_mut().poll(&mut context).is_pending() {
            super::fiber::leave();
        }
    }

    fn spawn(&self, task: Task) {
        self.world.lock().spawned.push((self.life, task));
    }

    fn now(&self) -> Instant {
        self.world.lock().instant_of(self.life.machine)
    }

    fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.world.lock().now)
    }

    fn sleep_until(&self, until: Instant) -> Task {
        Box::pin(Sleep {
            process: self.clone(),
            until,
        })
    }

    fn draw(&self, _: &str, bytes: &mut [u8]) -> Result<(), LogError> {
        let mut world = self.world.lock();
        for byte in bytes {
            *byte = world.rng.draw() as u8;
        }
        Ok(())
    }
}

/// Time that passes.
struct Sleep {
    process: Process,
    until: Instant,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Process { world, life } = &self.process;
        let mut world = world.lock();
        let left = self.until.duration_since(world.instant_of(life.machine));
        if left.is_zero() || world.is_dead(*life) {
            return Poll::Ready(());
        }
        world.wake_after(left.as_nanos() as u64, context.waker().clone());
        Poll::Pending
    }
}
