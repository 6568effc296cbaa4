//! A tool that is played, over hours and days: what is done to requests before it answers them, and
//! what is asked of every tool alike.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, ToSpan as _};
use raccord_kit::standin::{Play, Reply, Seen, Standin};
use raccord_kit::{Clock as _, ManualClock};
use raccord_model::{DeliveryId, EntityKind, Failure, Fields};

use super::said_about;
use super::world::{BEGIN, World};

pub(super) const SECOND: SignedDuration = SignedDuration::from_secs(1);
pub(super) const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// A tool, and what answers for it.
pub(super) struct Stage<S> {
    pub(super) standin: Standin,
    pub(super) server: S,
    clock: Arc<ManualClock>,
    answer: fn(&S, &Seen) -> Play,
}

impl<S: Clone + Send + 'static> Stage<S> {
    /// A server at its own clock, and how it answers.
    pub(super) async fn open(
        server: impl FnOnce(Arc<ManualClock>) -> S,
        answer: fn(&S, &Seen) -> Play,
    ) -> Self {
        let clock = Arc::new(ManualClock::at(BEGIN.parse().unwrap()));
        let stage = Self {
            standin: Standin::start().await,
            server: server(clock.clone()),
            clock,
            answer,
        };
        stage.answers(|_| None);
        stage
    }

    /// Answers as the server does, but for what `first` answers itself.
    pub(super) fn answers(&self, first: impl Fn(&Seen) -> Option<Play> + Send + 'static) {
        let (server, answer) = (self.server.clone(), self.answer);
        self.standin
            .direct(move |seen| first(seen).unwrap_or_else(|| answer(&server, seen)));
    }

    /// Lets time pass, for the server too.
    pub(super) async fn pass(&self, world: &World, time: SignedDuration, step: SignedDuration) {
        world.pass(time, step).await;
        self.clock
            .advance(world.now().duration_since(self.clock.now()));
    }

    /// The tool is away for 26 hours, looked at every `step`, and `sheet` is what it missed: the
    /// outage is told, and that it is over, each in one line of the log.
    pub(super) async fn is_away(
        &self,
        world: &World,
        name: &str,
        sheet: &str,
        step: SignedDuration,
    ) {
        self.answers(|_| Some(Reply::status(502).into()));
        world.write("programme.csv", sheet);
        self.pass(world, MINUTE * 26 * 60, step).await;
        assert_eq!(world.told("outage"), ["open"]);
        assert_eq!(world.told("dead"), [""; 0]);

        self.answers(|_| None);
        self.pass(world, MINUTE * 20, SECOND).await;
        assert_eq!(world.told("outage"), ["open", "closed"]);
        for said in [format!("connector=\"{name}\""), format!("connector={name}")] {
            let said = said_about(&said);
            assert!(said.len() <= 2, "{said:#?}");
        }
    }
}

/// The head, and balls on one day after the other from 1 February 2027, each with the rest of its line.
pub(super) fn balls(head: &str, lines: usize, rest: &str) -> String {
    let first = jiff::civil::date(2027, 2, 1);
    let line = |n: usize| {
        let day = first.saturating_add(i64::try_from(n).unwrap().days());
        format!("Bal {n},{day},{rest}\n")
    };
    let head = format!("{head}\n");
    std::iter::once(head).chain((0..lines).map(line)).collect()
}

/// The one effect that was set aside, and why.
pub(super) async fn set_aside(world: &World) -> (DeliveryId, Failure) {
    let dead = world
        .state(|engine| {
            let sinks = engine.state().sinks.values();
            let dead = sinks.flat_map(|sink| &sink.dead);
            dead.map(|(id, aside)| (*id, aside.failure.clone()))
                .collect::<Vec<_>>()
        })
        .await;
    let [one] = &dead[..] else {
        panic!("{dead:?}");
    };
    let failure = &one.1;
    assert!(!failure.mend.fr.is_empty() && failure.mend.fr != failure.mend.en);
    one.clone()
}

/// In no second a connector was asked more often.
pub(super) fn is_paced(world: &World, name: &str, most: usize) {
    let asked = world.asked(name);
    for at in &asked {
        let second = |one: &&Timestamp| {
            let after = one.duration_since(*at);
            after >= SignedDuration::ZERO && after < SECOND
        };
        let within = asked.iter().filter(second).count();
        assert!(within <= most, "{within} in the second from {at}");
    }
    assert_eq!(world.told("outage"), [""; 0]);
}

/// How every sign-up stands, in the order they came.
pub(super) async fn standings(world: &World) -> Vec<String> {
    world
        .state(|engine| {
            let entities = engine.state().entities.values();
            let all = entities.filter(|one| one.kind == EntityKind::Registration);
            let mut all: Vec<Fields> = all.map(raccord_engine::Record::fields).collect();
            all.sort_by_key(|fields| fields["turn"].as_u64());
            let state = |fields: &Fields| fields["state"].as_str().unwrap().to_owned();
            all.iter().map(state).collect()
        })
        .await
}
