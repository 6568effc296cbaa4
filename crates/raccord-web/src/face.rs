//! The routes, each at the root and under `/p/<place>`, and what every answer carries.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use raccord_model::{Lang, Words};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::metrics::Counters;
use crate::place::{Node, Place};
use crate::problem::{Problem, preferred};
use crate::{events, hands, health, hooks, programme};

/// The letters of the programme's pages: [`raccord_look::LETTERS_FILE`].
const LETTERS: &str = "/barlow-semi-condensed-800.woff2";

/// The pages on which people sign up.
const HANDS: &str = "/hands";

/// The pages on which people choose a letter, and leave it.
pub(crate) const NEWSLETTER: &str = "/newsletter";

/// Where tools call, each under its connector's name.
pub(crate) const HOOKS: &str = "/hooks/";

/// What callers may take of the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once; beyond, a connection is told 503 and closed. Keep it below the
    /// descriptors the process may open.
    pub connections: usize,
    /// Followers of `GET /v1/events` at once; beyond, 429.
    pub followers: usize,
    /// Bytes of a posted body; beyond, 413.
    pub body: usize,
    /// Bytes of a tool's own call (`/hooks/…`); beyond, 413. Nodes of a cluster hand calls on, and
    /// NATS takes a million bytes at once.
    pub hook_body: usize,
    /// Events of a posted batch; beyond, 413.
    pub batch: usize,
    /// Bytes of all posted bodies not yet answered; beyond, 429.
    pub in_flight: usize,
    /// Activities on the programme's page; the rest is counted.
    pub activities: usize,
    /// From the first look for a request to its last header; an idle connection is closed then.
    pub head_time: Duration,
    /// For a body to arrive.
    pub body_time: Duration,
    /// For a place to make posted changes durable.
    pub post_time: Duration,
    /// For a place to answer a tool's own call: what waits for one shows an error soon after.
    pub hook_time: Duration,
    /// Without a byte taken by the other side before a connection is closed.
    pub write_time: Duration,
    /// Between two signs of life to a follower.
    pub heartbeat: Duration,
    /// For a place to start, when somebody asks for it; beyond, 503.
    pub start_time: Duration,
    /// For open requests to end when the face stops.
    pub drain_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 512,
            followers: 64,
            body: 1_000_000,
            hook_body: 256_000,
            batch: 1000,
            in_flight: 16_000_000,
            activities: 300,
            head_time: Duration::from_secs(20),
            body_time: Duration::from_secs(20),
            post_time: Duration::from_secs(30),
            hook_time: Duration::from_secs(2),
            write_time: Duration::from_secs(30),
            heartbeat: Duration::from_secs(15),
            start_time: Duration::from_secs(5),
            drain_time: Duration::from_secs(8),
        }
    }
}

/// The HTTP face of a process: cheap to clone.
#[derive(Clone)]
pub struct Face {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) node: Arc<dyn Node>,
    pub(crate) limits: Limits,
    pub(crate) stop: CancellationToken,
    pub(crate) counters: Counters,
    /// In kilobytes.
    pub(crate) bodies: Arc<Semaphore>,
    pub(crate) followers: Arc<Semaphore>,
}

impl fmt::Debug for Face {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Face")
            .field("limits", &self.shared.limits)
            .finish_non_exhaustive()
    }
}

impl Face {
    /// The face of `node`. Followers are let go, and the server drains, when `stop` is cancelled.
    pub fn new(node: Arc<dyn Node>, limits: Limits, stop: CancellationToken) -> Self {
        let bodies = Arc::new(Semaphore::new(limits.in_flight.div_ceil(1000)));
        let followers = Arc::new(Semaphore::new(limits.followers));
        Self {
            shared: Arc::new(Shared {
                node,
                limits,
                stop,
                counters: Counters::default(),
                bodies,
                followers,
            }),
        }
    }

    /// All routes, to be served or to be tried without a socket.
    pub fn router(&self) -> Router {
        let mut router = Router::new();
        for prefix in ["", "/p/{place}"] {
            let at = |path: &str| format!("{prefix}{path}");
            router = router
                .route(&at("/v1/events"), post(events::take).get(events::follow))
                .route(&at("/hooks/{connector}"), post(hooks::take))
                .route(&at("/healthz"), get(health::alive))
                .route(&at("/readyz"), get(health::ready))
                .route(&at("/metrics"), get(health::metrics))
                .route(&at("/"), get(programme::page))
                .route(&at("/embed"), get(programme::embed))
                .route(&at(HANDS), get(hands::visit).post(hands::visit))
                .route(
                    &at(&format!("{HANDS}/{{*rest}}")),
                    get(hands::visit).post(hands::visit),
                )
                .route(&at(NEWSLETTER), get(hands::visit).post(hands::visit))
                .route(
                    &at(&format!("{NEWSLETTER}/{{*rest}}")),
                    get(hands::visit).post(hands::visit),
                )
                .route(&at(LETTERS), get(programme::letters));
        }
        router
            .route("/p/{place}", get(programme::page))
            .fallback(not_found)
            .method_not_allowed_fallback(method_not_allowed)
            .layer(from_fn_with_state(self.clone(), around))
            .with_state(self.clone())
    }

    /// The place a request is for.
    pub(crate) fn place(&self, path: &str) -> Result<Arc<dyn Place>, Problem> {
        match place_in(path) {
            Some(id) => self.shared.node.find(id),
            None => self.shared.node.root(),
        }
        .ok_or_else(Problem::not_found)
    }

    /// The places a request is about: the one it names, or all.
    pub(crate) fn places(&self, path: &str) -> Result<Vec<Arc<dyn Place>>, Problem> {
        match place_in(path) {
            Some(_) => self.place(path).map(|place| vec![place]),
            None => Ok(self.shared.node.places()),
        }
    }

    /// Whether people reach what `path` is about by https.
    fn is_reached_by_https(&self, path: &str) -> bool {
        let all = self.places(path).unwrap_or_default();
        !all.is_empty()
            && all
                .iter()
                .all(|it| it.place().public_url.starts_with("https://"))
    }

    /// The language to answer `parts` in.
    pub(crate) fn lang(&self, path: &str, headers: &HeaderMap) -> Lang {
        let usual = self.place(path).ok().map(|place| place.place().lang);
        preferred(headers, usual.unwrap_or_default())
    }

    /// Lets a caller with the place's token through.
    pub(crate) fn admit(&self, parts: &Parts) -> Result<Arc<dyn Place>, Problem> {
        let place = self.place(parts.uri.path())?;
        let given = crate::token::bearer(&parts.headers);
        match (place.token(), given) {
            (Some(token), Some(given)) if token.admits(given) => Ok(place),
            _ => Err(Problem::unauthorized()),
        }
    }
}

/// The place's name in `/p/<place>...`. Names are plain, so nothing is decoded.
fn place_in(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("/p/")?;
    Some(rest.split('/').next().unwrap_or(rest))
}

/// The route as metrics name it: one of a few, whatever is asked for.
fn route_of(path: &str) -> &'static str {
    let path = match place_in(path) {
        Some(id) => &path[3 + id.len()..],
        None => path,
    };
    match path {
        "" | "/" => "/",
        "/v1/events" => "/v1/events",
        "/healthz" => "/healthz",
        "/readyz" => "/readyz",
        "/metrics" => "/metrics",
        "/embed" => "/embed",
        LETTERS => LETTERS,
        _ if path.starts_with(HOOKS) => HOOKS,
        _ if path == NEWSLETTER || path.starts_with("/newsletter/") => NEWSLETTER,
        _ if path == HANDS || path.starts_with("/hands/") => HANDS,
        _ => "other",
    }
}

/// Browsers come by https from now on, whatever address they are given.
const FOR_A_YEAR: HeaderValue = HeaderValue::from_static("max-age=31536000");

async fn not_found(State(face): State<Face>, request: Request) -> Response {
    Problem::not_found().say(face.lang(request.uri().path(), request.headers()))
}

async fn method_not_allowed(State(face): State<Face>, request: Request) -> Response {
    Problem::method_not_allowed().say(face.lang(request.uri().path(), request.headers()))
}

/// Headers that every answer carries unless its handler knows better, and the count of answers.
async fn around(State(face): State<Face>, request: Request, next: Next) -> Response {
    const USUAL: [(HeaderName, HeaderValue); 5] = [
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
        (
            header::REFERRER_POLICY,
            HeaderValue::from_static("no-referrer"),
        ),
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            HeaderValue::from_static("same-origin"),
        ),
    ];
    let path = request.uri().path().to_owned();
    let route = route_of(&path);
    if !matches!(route, "/healthz" | "/readyz") {
        // Whoever comes too early for an answer waits; the answer itself says if that was in vain.
        drop(timeout(face.shared.limits.start_time, face.shared.node.started()).await);
    }
    let mut response = next.run(request).await;
    face.shared.counters.answered(route, response.status());
    let headers = response.headers_mut();
    for (name, value) in USUAL {
        headers.entry(name).or_insert(value);
    }
    if face.is_reached_by_https(&path) {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, FOR_A_YEAR);
    }
    response
}

/// What a caller is told when the whole face is stopping.
pub(crate) fn stopping() -> Words {
    Words::new(
        "Raccord s’arrête ; réessayez dans un instant.",
        "Raccord is stopping; try again in a moment.",
    )
}
