//! The servers at one moment: every question is answered at once, nothing is written.

use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use raccord_bus::LogError;
use raccord_bus::jetstream::broker::{
    Ack, Answer, Broker, Failure, Found, Message, Running, Since, Span, Take,
};
use raccord_bus::jetstream::carrier::{Carrier, Task};
use raccord_bus::jetstream::{ClusterError, Jetstream, JetstreamReader};
use tokio::time::Instant;

use super::servers::Servers;
use super::world::unreachable;

/// The log as the servers have it; none where there is none.
///
/// # Errors
/// As the log refuses.
pub fn read(servers: &Servers) -> Result<Option<JetstreamReader>, LogError> {
    let still = Box::new(Still(servers.clone()));
    let link = Jetstream::over(still, Arc::new(Here(Instant::now())), Duration::ZERO);
    let place = super::PLACE.parse().expect("a plain name");
    match JetstreamReader::open(&link, None, &place) {
        Ok(log) => Ok(Some(log)),
        Err(LogError::Cluster(ClusterError::Missing { .. })) => Ok(None),
        Err(error) => Err(error),
    }
}

#[derive(Debug)]
struct Still(Servers);

#[derive(Debug)]
struct Here(Instant);

fn nothing<T>() -> Result<T, Failure> {
    Err(Failure::Final(unreachable()))
}

impl Broker for Still {
    fn check(&self) -> Result<(), ClusterError> {
        Ok(())
    }
    fn send(&self, _: Message) -> Answer<'_, Answer<'static, Ack>> {
        Box::pin(ready(nothing()))
    }
    fn last<'a>(&'a self, stream: &'a str, subject: &'a str) -> Answer<'a, Option<Found>> {
        Box::pin(ready(Ok(self.0.last(stream, subject))))
    }
    fn next<'a>(
        &'a self,
        stream: &'a str,
        subject: &'a str,
        after: u64,
    ) -> Answer<'a, Option<Found>> {
        Box::pin(ready(Ok(self.0.next(stream, subject, after))))
    }
    fn reached<'a>(&'a self, stream: &'a str) -> Answer<'a, u64> {
        Box::pin(ready(Ok(self.0.reached(stream))))
    }
    fn read<'a>(
        &'a self,
        span: Span<'a>,
        take: Take<'a>,
    ) -> Pin<Box<dyn Future<Output = Result<bool, LogError>> + 'a>> {
        Box::pin(async move {
            let all = self
                .0
                .between(span.stream, span.subject, span.after, span.until);
            all.into_iter().try_for_each(take)?;
            Ok(true)
        })
    }
    fn erase<'a>(&'a self, _: &'a str, _: u64) -> Answer<'a, ()> {
        Box::pin(ready(nothing()))
    }
    fn purge<'a>(&'a self, _: &'a str, _: &'a str, _: Option<u64>) -> Answer<'a, ()> {
        Box::pin(ready(nothing()))
    }
    fn follow(&self, _: &'static str, _: Since) -> Answer<'_, Running> {
        Box::pin(ready(nothing()))
    }
    fn client(&self) -> Option<raccord_bus::jetstream::broker::Client> {
        None
    }
}

impl Carrier for Here {
    fn block_on(&self, mut task: Pin<&mut dyn Future<Output = ()>>) {
        let mut context = Context::from_waker(Waker::noop());
        while task.as_mut().poll(&mut context) == Poll::Pending {}
    }
    fn spawn(&self, _: Task) {}
    fn now(&self) -> Instant {
        self.0
    }
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep_until(&self, _: Instant) -> Task {
        Box::pin(ready(()))
    }
    fn draw(&self, _: &str, _: &mut [u8]) -> Result<(), LogError> {
        Ok(())
    }
}
