//! The place as its web pages and endpoints see it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures_util::stream;
use jiff::Timestamp;
use raccord_bus::{LogError, LogRead};
use raccord_engine::{Input, Reply};
use raccord_kit::Clock;
use raccord_kit::hook::Heard;
use raccord_model::{
    Activity, Call, Change, Civil, ConnectorName, EntityId, Envelope, Event, Status, Undated,
    Visibility, Words,
};
use raccord_web::hands::{Answer, Visit};
use raccord_web::{
    BoxFuture, Entry, EventFault, Exposition, Feed, Follow, FollowError, HookError, Kind, Place,
    Position, PostError, Programme, Readiness, Reason, Token,
};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::desk::Desk;
use super::figures::{Counted, Figures};
use super::home::Home;
use super::hooks::Hooks;
use super::signup::SignUps;
use super::stopped::Why;
use super::{queries, stopped};
use crate::settings::Settings;

/// How many events followers may be behind.
pub(crate) const FEED: usize = 4_096;
/// How many past events wait for a follower.
pub(super) const PAST: usize = 256;
/// How often what is shown is brought up to date at most.
const FRESH: Duration = Duration::from_millis(500);
/// Looking takes at most this share of the writer's time: a large place is shown a little later.
const SHARE: u32 = 100;
/// Time passes: even when nothing changes, what is over must make room for what comes.
const STALE: Duration = Duration::from_mins(10);

/// The place this process runs.
pub(crate) struct Here {
    set: RwLock<Arc<Known>>,
    /// Where its log lies.
    home: Home,
    pub(crate) desk: Desk,
    pub(crate) feed: Feed,
    pub(crate) counted: Arc<Counted>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) shown: RwLock<Shown>,
    /// When somebody last looked at what comes, in seconds since 1970.
    visited: AtomicI64,
    /// Why the settings on the disk are not those the place works with.
    refused: RwLock<Option<Words>>,
    /// The tools that call.
    hooks: RwLock<Arc<Hooks>>,
    /// The pages on which people sign up.
    pub(super) sign_ups: SignUps,
    /// How many activities a page shows.
    limit: usize,
}

/// The settings it works with.
struct Known {
    settings: Settings,
    place: Arc<raccord_model::Place>,
}

impl Known {
    fn of(settings: Settings) -> Arc<Self> {
        Arc::new(Self {
            place: Arc::new(settings.place.clone()),
            settings,
        })
    }
}

/// What pages and figures show, brought up to date after each group that changed it.
#[derive(Default)]
pub(crate) struct Shown {
    /// What comes next; none while the place sleeps and nobody asked for it.
    coming: Option<Coming>,
    pub(crate) muted: Option<Words>,
    figures: Figures,
    pub(crate) commit: u64,
    pub(crate) holds: usize,
    stopped: Vec<(ConnectorName, Why)>,
}

/// The next public activities.
struct Coming {
    /// The first ones of them.
    activities: Vec<Activity>,
    /// How many more there are.
    more: usize,
    /// What has no date yet, by title.
    undated: Vec<Undated>,
    /// The hour of all this.
    at: Timestamp,
}

impl Coming {
    /// Time passes: what is over must make room for what comes, where there is more.
    fn is_stale(&self, now: Timestamp) -> bool {
        let shown_for = Duration::try_from(now.duration_since(self.at)).unwrap_or_default();
        self.more > 0 && shown_for >= STALE
    }
}

impl Shown {
    /// As the engine stands.
    pub(crate) fn of(engine: &raccord_engine::Engine, now: Timestamp, limit: usize) -> Self {
        let state = engine.state();
        let zone =
            jiff::tz::TimeZone::get(&state.rules().place.zone).unwrap_or(jiff::tz::TimeZone::UTC);
        let today = zone.to_datetime(now);
        let mut coming: Vec<(Civil, EntityId)> = state
            .activities()
            .filter_map(|(id, record)| {
                let when = record.when();
                let shown = !when.is_foreign()
                    && when.visibility == Visibility::Public
                    && when.status != Status::Draft
                    && when.over_at().is_some_and(|over| over > today);
                Some((when.start.filter(|_| shown)?, id))
            })
            .collect();
        coming.sort_unstable();
        let more = coming.len().saturating_sub(limit);
        coming.truncate(limit);
        let mut activities: Vec<Activity> = coming
            .into_iter()
            .filter_map(|(_, id)| {
                // A contact is personal: pages never show it, so its slot is not even looked up.
                let mut entity = state.entity(id)?;
                entity.fields.remove("contact");
                Activity::of(&entity)
            })
            .filter(Activity::is_public)
            .collect();
        activities.sort_by(|a, b| (a.start, &a.title, a.id).cmp(&(b.start, &b.title, b.id)));
        let undated = state.activities().filter(|(_, record)| {
            let when = record.when();
            when.is_undated() && !when.is_foreign()
        });
        let mut undated: Vec<Undated> = undated
            .filter_map(|(id, _)| Undated::of(&state.entity(id)?))
            .filter(Undated::is_public)
            .collect();
        undated.sort_by(|a, b| (&a.title, a.id).cmp(&(&b.title, b.id)));
        undated.truncate(limit);
        Self {
            coming: Some(Coming {
                activities,
                more,
                undated,
                at: now,
            }),
            muted: state.muted.clone(),
            figures: Figures::of(engine),
            commit: state.commit,
            holds: state.holds.len(),
            stopped: stopped::stopped(state),
        }
    }
}

/// An event as followers get it.
pub(crate) fn entry(
    commit: u64,
    index: usize,
    event: &Event,
    place: &raccord_model::PlaceId,
) -> Entry {
    let json = serde_json::to_vec(&Envelope::of(event, place)).unwrap_or_default();
    Entry {
        position: Position {
            commit,
            index: index as u32,
        },
        json: json.into(),
    }
}

impl Here {
    /// What is on show.
    fn shown(&self, now: Timestamp, limit: usize) -> Option<Programme> {
        let shown = self.shown.read().ok()?;
        let zone =
            jiff::tz::TimeZone::get(&self.known().place.zone).unwrap_or(jiff::tz::TimeZone::UTC);
        let today = zone.to_datetime(now);
        let coming = shown.coming.as_ref()?;
        let next = coming.activities.iter();
        let next = next.filter(|activity| activity.over_at() > today);
        Some(Programme {
            activities: next.take(limit).cloned().collect(),
            more: coming.more,
            undated: coming.undated.clone(),
        })
    }

    /// A place whose pages show at most `limit` activities.
    pub(crate) fn new(
        settings: Settings,
        home: Home,
        desk: Desk,
        clock: Arc<dyn Clock>,
        (feed, counted): (Feed, Arc<Counted>),
        limit: usize,
    ) -> Self {
        Self {
            set: RwLock::new(Known::of(settings)),
            home,
            desk,
            feed,
            counted,
            clock,
            shown: RwLock::default(),
            visited: AtomicI64::new(i64::MIN),
            refused: RwLock::default(),
            hooks: RwLock::default(),
            sign_ups: SignUps::default(),
            limit,
        }
    }

    /// From now on it is set like this.
    pub(crate) fn change(&self, settings: Settings) {
        self.counted.also(settings.connectors.keys());
        *self.set.write().unwrap_or_else(PoisonError::into_inner) = Known::of(settings);
        self.keeps_its_settings(None);
    }

    /// The settings on the disk are not taken, for this reason; none once they are.
    pub(crate) fn keeps_its_settings(&self, why: Option<Words>) {
        *self.refused.write().unwrap_or_else(PoisonError::into_inner) = why;
    }

    /// From now on these tools call.
    pub(crate) fn opens(&self, hooks: Arc<Hooks>) {
        *self.hooks.write().unwrap_or_else(PoisonError::into_inner) = hooks;
    }

    /// The tools that call.
    pub(crate) fn hooks(&self) -> Arc<Hooks> {
        Arc::clone(&self.hooks.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn known(&self) -> Arc<Known> {
        Arc::clone(&self.set.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Brings what is shown up to date; gives how long the writer was kept from its work.
    pub(crate) async fn refresh(&self) -> Duration {
        let now = self.clock.now();
        let limit = self.limit;
        let asked = self.desk.peek(move |engine, _| {
            let began = Instant::now();
            (Shown::of(engine, now, limit), began.elapsed())
        });
        let Ok((fresh, took)) = asked.await else {
            return Duration::ZERO;
        };
        if let Ok(mut shown) = self.shown.write() {
            *shown = fresh;
        }
        took
    }

    /// Keeps what is shown up to date, and lets most of it go while the place sleeps.
    pub(crate) async fn keep_fresh(self: Arc<Self>, stop: tokio_util::sync::CancellationToken) {
        let mut pulse = self.desk.pulse();
        let mut shown = None;
        loop {
            let now = *pulse.borrow_and_update();
            let mut wait = FRESH;
            if now.asleep {
                self.forgets_what_comes();
                self.sign_ups.rests().await;
            } else if shown != Some((now.commit, now.retried)) || self.is_stale() {
                shown = Some((now.commit, now.retried));
                wait = FRESH.max(self.refresh().await * SHARE);
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                moved = pulse.changed() => if moved.is_err() { return },
                () = tokio::time::sleep(STALE) => {}
            }
        }
    }

    /// While the place sleeps, unless somebody may look again.
    fn forgets_what_comes(&self) {
        let visited = self.visited.load(Ordering::Relaxed);
        let for_long = self.clock.now().as_second().saturating_sub(visited);
        if for_long >= STALE.as_secs().cast_signed()
            && let Ok(mut shown) = self.shown.write()
        {
            shown.coming = None;
        }
    }

    fn is_stale(&self) -> bool {
        let now = self.clock.now();
        let shown = self.shown.read();
        shown.is_ok_and(|shown| shown.coming.as_ref().is_some_and(|it| it.is_stale(now)))
    }
}

impl Here {
    /// Makes durable what others told.
    async fn keep(&self, input: Input) -> Result<(), PostError> {
        match self.desk.try_input(input).await {
            Ok(Some(
                Reply::Taken | Reply::SignedUp { .. } | Reply::Known(_) | Reply::Code { .. },
            )) => Ok(()),
            Ok(Some(Reply::Refused(refusals))) => Err(PostError::Refused(
                refusals
                    .into_iter()
                    .map(|refusal| EventFault {
                        index: refusal.index,
                        pointer: refusal.pointer,
                        detail: refusal.detail,
                    })
                    .collect(),
            )),
            Ok(Some(Reply::Cannot(why))) => Err(PostError::NotReady { why }),
            Ok(None) => Err(PostError::Overloaded {
                retry_after: Duration::from_secs(1),
            }),
            Err(broken) => {
                let why = broken
                    .0
                    .findings
                    .first()
                    .map(|finding| finding.text.clone())
                    .unwrap_or_default();
                Err(PostError::NotReady { why })
            }
        }
    }
}

impl Place for Here {
    fn place(&self) -> Arc<raccord_model::Place> {
        Arc::clone(&self.known().place)
    }

    fn colour(&self) -> String {
        self.known().settings.colour.clone()
    }

    fn token(&self) -> Option<Token> {
        token(&self.known().settings)
    }

    fn is_proxy(&self, peer: std::net::IpAddr) -> bool {
        self.known().settings.web.is_proxy(peer)
    }

    fn post(&self, changes: Vec<Change>) -> BoxFuture<'_, Result<(), PostError>> {
        Box::pin(self.keep(Input::Posted(changes)))
    }

    fn hook<'a>(
        &'a self,
        connector: &'a str,
        call: Call,
    ) -> BoxFuture<'a, Result<Value, HookError>> {
        Box::pin(async move {
            let name: ConnectorName = connector.parse().map_err(|_| HookError::Unknown)?;
            let hooks = self.hooks();
            let Heard {
                hint,
                changes,
                answer,
            } = hooks.hear(&name, &call)?;
            if !changes.is_empty() {
                let connector = name.clone();
                let heard = Input::Heard { connector, changes };
                self.keep(heard).await.map_err(not_kept)?;
            }
            hooks.took(&name, hint);
            Ok(answer.unwrap_or_else(|| json!({ "ok": true })))
        })
    }

    fn follow(&self, after: Option<Position>) -> Result<Follow, FollowError> {
        let home = self.home.clone();
        let log = home.read().ok().flatten().ok_or(FollowError::NotReady)?;
        let from = checked(&*log, after)?;
        Ok(self.feed.follow(move || {
            let (send, receive) = mpsc::channel(PAST);
            if let Some(from) = from {
                std::thread::spawn(move || past(&home, from, &send));
            }
            stream::unfold(receive, |mut receive| async move {
                receive.recv().await.map(|entry| (entry, receive))
            })
        }))
    }

    fn readiness(&self) -> Readiness {
        let mut reasons = Vec::new();
        if self.desk.problem().is_some() {
            reasons.push(Reason {
                code: "log-unwritable",
                about: String::new(),
                text: Words::new(
                    "Le journal ne peut pas être écrit.",
                    "The log cannot be written.",
                ),
            });
        }
        let mut notes = Vec::new();
        if let Ok(refused) = self.refused.read() {
            notes.extend(refused.iter().map(|why| Reason {
                code: "configuration-refused",
                about: String::new(),
                text: why.clone(),
            }));
        }
        if let Ok(shown) = self.shown.read() {
            if let Some(why) = &shown.muted {
                reasons.push(Reason {
                    code: "mute",
                    about: String::new(),
                    text: why.clone(),
                });
            }
            notes.extend(shown.stopped.iter().map(|(name, why)| Reason {
                code: why.code(),
                about: name.to_string(),
                text: why.text(name),
            }));
        }
        Readiness { reasons, notes }
    }

    fn metrics(&self, out: &mut Exposition) {
        let Ok(shown) = self.shown.read() else { return };
        out.add(
            "raccord_log_commits",
            Kind::Counter,
            "Commits in the log.",
            &[],
            shown.commit as f64,
        );
        out.add(
            "raccord_holds_open",
            Kind::Gauge,
            "Changes that wait for a person.",
            &[],
            shown.holds as f64,
        );
        let read = (&*self.counted, self.desk.same());
        shown.figures.expose(read, self.clock.now(), out);
        self.hooks().expose(out);
    }

    fn programme(&self, now: Timestamp, limit: usize) -> BoxFuture<'_, Option<Programme>> {
        self.visited.store(now.as_second(), Ordering::Relaxed);
        Box::pin(async move {
            if let Some(shown) = self.shown(now, limit) {
                return Some(shown);
            }
            self.refresh().await;
            self.shown(now, limit)
        })
    }

    fn visit(&self, visit: Visit) -> BoxFuture<'_, Answer> {
        Box::pin(async move {
            let known = self.known();
            self.sign_ups
                .visit(&self.desk, &known.settings, visit)
                .await
        })
    }
}

/// Why what a tool's call told is not kept.
fn not_kept(error: PostError) -> HookError {
    match error {
        PostError::Overloaded { retry_after } => HookError::Overloaded { retry_after },
        PostError::NotReady { why } => HookError::NotReady { why },
        PostError::Refused(faults) => HookError::Unfit(
            faults
                .into_iter()
                .next()
                .map(|fault| fault.detail)
                .unwrap_or_default(),
        ),
    }
}

/// The token programs show, as its file or variable says now.
pub(crate) fn token(settings: &Settings) -> Option<Token> {
    let token = settings
        .web
        .admin_token
        .as_ref()?
        .read("admin_token")
        .ok()?;
    Token::new(secrecy::ExposeSecret::expose_secret(&token))
}

/// The position a follower asks for, where the log can tell what came after it.
///
/// # Errors
/// [`FollowError::Gone`] where it cannot.
pub(super) fn checked(
    log: &dyn LogRead,
    after: Option<Position>,
) -> Result<Option<Position>, FollowError> {
    let (floor, head) = (log.floor().number, log.head().number);
    match after {
        Some(position)
            if position.commit > head
                || (position.commit < floor && position != Position::START) =>
        {
            Err(FollowError::Gone)
        }
        position => Ok(position),
    }
}

/// Reads the past for a follower, as fast as it takes it.
fn past(home: &Home, from: Position, send: &mpsc::Sender<Entry>) {
    let Ok(Some(log)) = home.read() else {
        return;
    };
    if let Err(error) = tell(&*log, from, send) {
        tracing::warn!(
            code = error.code(),
            "the past could not be read for a follower"
        );
    }
}

/// Tells a follower what came after `from`; gives where it got to.
///
/// # Errors
/// When the log cannot be read.
pub(super) fn tell(
    log: &dyn LogRead,
    from: Position,
    send: &mpsc::Sender<Entry>,
) -> Result<Position, LogError> {
    let mut engine = raccord_engine::Engine::new();
    engine.remember(log.slots()?);
    let first = from.commit.saturating_sub(1).max(log.floor().number);
    let mut reached = from;
    queries::events_json(
        log,
        &engine,
        log.place(),
        first,
        |commit, index, _, envelope| {
            let position = Position {
                commit,
                index: index as u32,
            };
            if position <= from && from != Position::START {
                return;
            }
            let json = serde_json::to_vec(&envelope).unwrap_or_default();
            reached = position;
            // A follower that went away ends its thread with the log's end.
            drop(send.blocking_send(Entry {
                position,
                json: json.into(),
            }));
        },
    )?;
    Ok(reached)
}
