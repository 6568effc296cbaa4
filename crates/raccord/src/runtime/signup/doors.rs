//! Who is signed in at a place: the key and the sessions, kept as remarks beside its log, so that a
//! restart and another node know them too. No remark holds an address or a name.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use raccord_bus::{Log, LogError};
use raccord_model::{EntityId, PlaceId};
use tokio::sync::OnceCell;

use super::super::desk::Desk;
use super::keys::{self, Key};

/// The remark that holds the secret of the place.
const SECRET: &str = "hands.secret";
/// Those of sessions, each by the digest of its cookie.
const SESSION: &str = "hands.session.";
/// Those of links that were used.
const USED: &str = "hands.used.";
/// Those of the editions of people's calendars.
const CALENDAR: &str = "hands.calendar.";
/// How long somebody stays signed in, in seconds: thirty days.
pub(super) const STAYS: i64 = 30 * DAY;
const DAY: i64 = 24 * 3_600;

/// Somebody signed in until then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) person: EntityId,
    pub(super) until: i64,
}

impl Session {
    fn read(text: &str) -> Option<Self> {
        let (person, until) = text.split_once(' ')?;
        Some(Self {
            person: person.parse().ok()?,
            until: until.parse().ok()?,
        })
    }
}

/// The doors of a place.
#[derive(Default)]
pub(crate) struct Doors {
    open: OnceCell<Arc<Open>>,
}

/// What was read from the log, once.
pub(super) struct Open {
    pub(super) key: Key,
    sessions: Mutex<HashMap<String, Session>>,
    /// When what is over was let go, in seconds since 1970.
    tidied: AtomicI64,
}

impl Doors {
    /// The place's key and who is signed in; nothing while the log cannot be read.
    pub(super) async fn open(&self, desk: &Desk, place: &PlaceId, now: i64) -> Option<Arc<Open>> {
        let read = || async {
            let read = desk.ask(move |_, log| read(log, now)).await;
            let (secret, sessions) = read.map_err(drop)?.map_err(drop)?;
            let key = Key::of(secret.as_bytes(), place).ok_or(())?;
            Ok::<_, ()>(Arc::new(Open {
                key,
                sessions: Mutex::new(sessions),
                tidied: AtomicI64::new(now),
            }))
        };
        self.open.get_or_try_init(read).await.ok().cloned()
    }
}

/// The secret, drawn once, and the sessions that are not over.
fn read(log: &mut dyn Log, now: i64) -> Result<(String, HashMap<String, Session>), LogError> {
    let secret = if let Some(secret) = log.meta(SECRET)? {
        secret
    } else {
        let secret = keys::text(&keys::random());
        log.set_meta(SECRET, Some(&secret))?;
        secret
    };
    Ok((secret, sessions(log, now)?))
}

/// The sessions that are not over. What is over is let go, used links too.
fn sessions(log: &mut dyn Log, now: i64) -> Result<HashMap<String, Session>, LogError> {
    let mut sessions = HashMap::new();
    for (name, value) in &log.metas()? {
        let (over, session) = if let Some(digest) = name.strip_prefix(SESSION) {
            let session = Session::read(value).filter(|session| session.until > now);
            (session.is_none(), session.map(|session| (digest, session)))
        } else if name.starts_with(USED) {
            (value.parse::<i64>().is_ok_and(|until| until <= now), None)
        } else {
            (false, None)
        };
        if over {
            log.set_meta(name, None)?;
        }
        sessions.extend(session.map(|(digest, session)| (digest.to_owned(), session)));
    }
    Ok(sessions)
}

impl Open {
    fn sessions(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whose cookie it is.
    pub(super) fn session(&self, cookie: &str, now: i64) -> Option<Session> {
        let session = self.sessions().get(&keys::digest(cookie)).copied();
        session.filter(|session| session.until > now)
    }

    /// Signs somebody in; gives the cookie.
    pub(super) async fn begin(&self, desk: &Desk, person: EntityId, now: i64) -> Option<String> {
        let cookie = keys::text(&keys::random());
        let digest = keys::digest(&cookie);
        let session = Session {
            person,
            until: now + STAYS,
        };
        let name = format!("{SESSION}{digest}");
        let value = format!("{person} {}", session.until);
        keep(desk, name, Some(value)).await?;
        self.sessions().insert(digest, session);
        self.tidies(desk, now).await;
        Some(cookie)
    }

    /// Lets go of what is over, once a day; what cannot be done now is done another day.
    async fn tidies(&self, desk: &Desk, now: i64) {
        let before = self.tidied.load(Ordering::Relaxed);
        if now.saturating_sub(before) < DAY {
            return;
        }
        self.tidied.store(now, Ordering::Relaxed);
        self.sessions().retain(|_, session| session.until > now);
        let tidied = desk.ask(move |_, log| sessions(log, now).map(drop));
        if !matches!(tidied.await, Ok(Ok(()))) {
            tracing::warn!("sessions that are over could not be let go");
        }
    }

    /// Signs somebody out.
    pub(super) async fn end(&self, desk: &Desk, cookie: &str) -> Option<()> {
        let digest = keys::digest(cookie);
        // The log first: what it keeps is a session again after a restart.
        keep(desk, format!("{SESSION}{digest}"), None).await?;
        self.sessions().remove(&digest);
        Some(())
    }

    /// Uses a link up; false where it was used before.
    pub(super) async fn uses(desk: &Desk, link: &str, until: i64) -> Option<bool> {
        let name = format!("{USED}{}", keys::digest(link));
        let used = desk.ask(move |_, log| -> Result<bool, LogError> {
            if log.meta(&name)?.is_some() {
                return Ok(false);
            }
            log.set_meta(&name, Some(&until.to_string()))?;
            Ok(true)
        });
        used.await.ok()?.ok()
    }

    /// A link that let nobody in is good again.
    pub(super) async fn gives_back(desk: &Desk, link: &str) {
        let given = keep(desk, format!("{USED}{}", keys::digest(link)), None).await;
        if given.is_none() {
            tracing::debug!("a link stays used: its owner asks for another");
        }
    }

    /// The edition of somebody's calendar.
    pub(super) async fn edition(desk: &Desk, person: EntityId) -> Option<u32> {
        let name = format!("{CALENDAR}{person}");
        let read = desk.ask(move |_, log| log.meta(&name)).await.ok()?.ok()?;
        Some(read.and_then(|text| text.parse().ok()).unwrap_or(0))
    }

    /// The next edition: the address of before is good for nothing.
    pub(super) async fn renew(desk: &Desk, person: EntityId) -> Option<()> {
        let edition = Self::edition(desk, person).await?.wrapping_add(1);
        let name = format!("{CALENDAR}{person}");
        keep(desk, name, Some(edition.to_string())).await
    }
}

async fn keep(desk: &Desk, name: String, value: Option<String>) -> Option<()> {
    let kept = desk.ask(move |_, log| log.set_meta(&name, value.as_deref()));
    kept.await.ok()?.ok()
}
