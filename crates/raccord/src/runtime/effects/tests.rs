//! What a tool is asked, for each kind of item.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Mutex;

use raccord_kit::testing::NOON;
use raccord_kit::{BoxFuture, Choice, Finding, ManualClock, Source};
use raccord_model::{
    Applied, Class, Context, DeliveryId, EntityId, Found, Item, Manifest, Rendered, Subject,
};

use tokio::sync::Semaphore;

use super::*;

/// A tool that holds one object and notes what it was asked; it answers as often as it is let.
struct Noting(Arc<Mutex<Vec<String>>>, Arc<Semaphore>);

fn object() -> Applied {
    Applied {
        external: "42".to_owned(),
        ..Applied::default()
    }
}

impl Noting {
    fn note(&self, verb: &str, job: &Job) {
        let what = match job {
            Job::Send { .. } => "send",
            Job::Write { .. } => "write",
            Job::Remove { .. } => "remove",
            Job::Seek { .. } => "seek",
        };
        self.0.lock().unwrap().push(format!("{verb} {what}"));
    }
}

impl Tool for Noting {
    fn describe(&self) -> Manifest {
        Manifest {
            kind: "noting".to_owned(),
            source: false,
            handles: Vec::new(),
            parallel: 2,
            per_second: 0,
            rights: Words::default(),
        }
    }
    fn check(&self) -> BoxFuture<'_, Vec<Finding>> {
        Box::pin(async { Vec::new() })
    }
    fn choices(&self) -> BoxFuture<'_, Result<Vec<Choice>, Failure>> {
        Box::pin(async { Ok(Vec::new()) })
    }
    fn source(&self) -> Option<&dyn Source> {
        None
    }
    fn sink(&self) -> Option<&dyn Sink> {
        Some(self)
    }
}

impl Sink for Noting {
    fn target(&self) -> String {
        String::new()
    }

    fn render(&self, _: Subject<'_>, _: &Context<'_>) -> Rendered {
        Rendered::Nothing
    }
    fn find<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<Found, Failure>> {
        self.note("find", job);
        Box::pin(async { Ok(Found::Yes(object())) })
    }
    fn apply<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<Made, Failure>> {
        self.note("apply", job);
        Box::pin(async {
            self.1.acquire().await.unwrap().forget();
            Ok(object().into())
        })
    }
}

fn effects(tool: Noting) -> Effects {
    let tool: Box<dyn Tool> = Box::new(tool);
    Effects::new(
        Arc::new(BTreeMap::from([("chat".parse().unwrap(), tool)])),
        Arc::new(ManualClock::at(NOON)),
        Home::folder(&"lieu".parse().unwrap(), std::path::Path::new("data")),
        CancellationToken::new(),
    )
}

/// A lane of one item.
fn lane(payload: Payload) -> Work {
    let item = Item {
        delivery: DeliveryId::derive(&[b"d"]),
        attempt: 1,
        class: Class::Find,
        payload,
        latest: None,
    };
    Work {
        connector: "chat".parse().unwrap(),
        family: EntityId::derive(&[b"e"]),
        items: vec![item],
    }
}

fn removal() -> Payload {
    Payload::Remove {
        entity: EntityId::derive(&[b"e"]),
        link: raccord_model::Link {
            external: "42".to_owned(),
            tag: None,
            hash: raccord_model::Digest::default(),
            revision: 1,
            url: None,
        },
    }
}

/// How the one item of a lane ended, and what the tool was asked for it.
async fn made(payload: Payload) -> (Outcome, Vec<String>) {
    let asked = Arc::default();
    let effects = effects(Noting(Arc::clone(&asked), Arc::new(Semaphore::new(1))));
    let (tell, mut hear) = mpsc::channel(1);
    effects.lane(lane(payload), tell).await;
    let Some(Command::Outcome { outcome, .. }) = hear.recv().await else {
        panic!("every item ends somehow");
    };
    let asked = asked.lock().unwrap().clone();
    (outcome, asked)
}

#[tokio::test]
async fn an_object_that_is_no_longer_wanted_is_looked_for_before_it_is_taken_away() {
    let look = Payload::Find {
        entity: EntityId::derive(&[b"e"]),
        event: None,
        desired: None,
    };
    let (outcome, asked) = made(look).await;
    assert_eq!(outcome, Outcome::Looked(Found::Yes(object())));
    assert_eq!(asked, ["find seek"]);
}

#[tokio::test]
async fn whoever_ends_does_not_wait_for_a_turn() {
    let (asked, answers) = (Arc::default(), Arc::new(Semaphore::new(0)));
    let effects = effects(Noting(Arc::clone(&asked), answers));
    let (tell, mut hear) = mpsc::channel(3);
    // Two at once are as many as the tool takes, and it does not answer.
    for name in ["one", "two", "three"] {
        let mut work = lane(removal());
        work.family = EntityId::derive(&[name.as_bytes()]);
        tokio::spawn(effects.clone().lane(work, tell.clone()));
        tokio::task::yield_now().await;
    }
    assert_eq!(asked.lock().unwrap().len(), 2);
    effects.stop.cancel();
    let Some(Command::Outcome { outcome, .. }) = hear.recv().await else {
        panic!("it is told that it was not begun");
    };
    assert_eq!(outcome, Outcome::NotStarted);
    assert_eq!(asked.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn an_effect_of_before_the_log_was_opened_again_ends_first_and_says_nothing_of_the_next() {
    let (asked, answers) = (Arc::default(), Arc::new(Semaphore::new(0)));
    let first = effects(Noting(Arc::clone(&asked), Arc::clone(&answers)));
    let mut second = first.clone();
    let (tell, mut hear) = mpsc::channel(2);
    let mut both = lane(removal());
    both.items.extend(lane(removal()).items);
    let begun = tokio::spawn(first.lane(both, tell.clone()));
    tokio::task::yield_now().await;
    second.opens_again();
    let next = tokio::spawn(second.clone().lane(lane(removal()), tell));
    tokio::task::yield_now().await;
    assert_eq!(asked.lock().unwrap().len(), 1, "the next one waits");
    answers.add_permits(2);
    begun.await.unwrap();
    next.await.unwrap();
    let mut openings = Vec::new();
    while let Some(Command::Outcome { opening, .. }) = hear.recv().await {
        openings.push(opening);
    }
    assert_eq!(openings, [0, 1], "what had not begun was left");
    assert_eq!(asked.lock().unwrap().len(), 2);
    assert!(second.lanes.0.lock().unwrap().is_empty(), "none is kept");
}
