//! `POST` and `GET /v1/events`: events in, durable before the answer; events out, as they happen.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header, request::Parts};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use raccord_model::Words;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

use crate::face::{Face, stopping};
use crate::place::{FollowError, PostError};
use crate::problem::Problem;
use crate::{Entry, Follow, Position, Refusal, inbound};

/// Bodies above this are read beside the threads that serve, not on them.
const LARGE: usize = 64 * 1024;
/// How much of a refused body is still taken in, so that its sender gets to read the answer.
const COURTESY: usize = 8_000_000;
const COURTESY_TIME: Duration = Duration::from_secs(5);

/// `POST /v1/events`.
pub(crate) async fn take(State(face): State<Face>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    match accept(&face, &parts, body).await {
        Ok(accepted) => {
            face.shared.counters.accepted(accepted);
            let mut response = Response::new(Body::from(format!("{{\"accepted\":{accepted}}}")));
            *response.status_mut() = StatusCode::ACCEPTED;
            response.headers_mut().insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/json"),
            );
            response
        }
        Err(problem) => problem.say(face.lang(parts.uri.path(), &parts.headers)),
    }
}

async fn accept(face: &Face, parts: &Parts, mut body: Body) -> Result<usize, Problem> {
    let refusal = 'door: {
        let place = match face.admit(parts) {
            Ok(place) => place,
            Err(problem) => break 'door problem,
        };
        let form = match inbound::form_of(&parts.headers) {
            Ok(form) => form,
            Err(refusal) => break 'door refused(face, refusal),
        };
        // Taken before the body is, and given back with the answer.
        let _room = match room_for(face, &body, face.shared.limits.body) {
            Ok(room) => room,
            Err(problem) => break 'door problem,
        };
        let bytes = match collect(face, &mut body, face.shared.limits.body).await {
            Ok(bytes) => bytes,
            Err(problem) => break 'door problem,
        };
        let most = face.shared.limits.batch;
        let read = if bytes.len() > LARGE {
            tokio::task::spawn_blocking(move || inbound::read(form, &bytes, most))
                .await
                .map_err(|_| internal())?
        } else {
            inbound::read(form, &bytes, most)
        };
        let changes = read.map_err(|refusal| refused(face, refusal))?;
        let count = changes.len();
        if count == 0 {
            return Ok(0);
        }
        return match timeout(face.shared.limits.post_time, place.post(changes)).await {
            Ok(Ok(())) => Ok(count),
            Ok(Err(PostError::Overloaded { retry_after })) => Err(Problem::overloaded(retry_after)),
            Ok(Err(PostError::NotReady { why })) => Err(Problem::not_ready(why)),
            Ok(Err(PostError::Refused(faults))) => Err(refused(face, Refusal::Faults(faults))),
            Err(_) => Err(Problem::not_ready(Words::new(
                "Pas de réponse à temps : peut-être reçu, peut-être pas. Renvoyez les mêmes événements, avec les mêmes id.",
                "No answer in time: they may or may not have been taken. Send the same events again, with the same ids.",
            ))),
        };
    };
    if !parts.headers.contains_key(header::EXPECT) {
        discard(body).await;
    }
    Err(refusal)
}

fn refused(face: &Face, refusal: Refusal) -> Problem {
    match refusal {
        Refusal::Unsupported => Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported",
            Words::new(
                "On prend des CloudEvents 1.0 : application/cloudevents+json, application/cloudevents-batch+json, ou application/json avec des en-têtes ce-*, en UTF-8, sans compression.",
                "CloudEvents 1.0 are taken: application/cloudevents+json, application/cloudevents-batch+json, or application/json with ce-* headers, in UTF-8, not compressed.",
            ),
        ),
        Refusal::Malformed(detail) => Problem::new(
            StatusCode::BAD_REQUEST,
            "malformed",
            Words::new(
                format!("Ce n’est pas du JSON : {detail}"),
                format!("This is no JSON: {detail}"),
            ),
        ),
        Refusal::TooMany => {
            let most = face.shared.limits.batch;
            Problem::too_large(Words::new(
                format!("Au plus {most} événements par envoi."),
                format!("At most {most} events at once."),
            ))
        }
        Refusal::Faults(errors) => Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid",
            Words::new(
                "Rien n’a été pris ; « errors » dit ce qui ne va pas, et où.",
                "Nothing was taken; \"errors\" says what is wrong, and where.",
            ),
        )
        .with_errors(errors),
    }
}

fn internal() -> Problem {
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal",
        Words::new(
            "Une erreur de Raccord lui-même ; elle est dans son journal.",
            "An error of Raccord itself; it is in its log.",
        ),
    )
}

fn body_too_large(most: usize) -> Problem {
    Problem::too_large(Words::new(
        format!("Au plus {most} octets par envoi."),
        format!("At most {most} bytes at once."),
    ))
}

/// Room in memory for a body of at most `most` bytes, as announced or as large as it may get.
pub(crate) fn room_for(
    face: &Face,
    body: &Body,
    most: usize,
) -> Result<OwnedSemaphorePermit, Problem> {
    let hint = body.size_hint();
    if hint.lower() > most as u64 {
        return Err(body_too_large(most));
    }
    let bytes = hint.exact().map_or(most, |exact| exact as usize);
    let kilobytes = bytes.div_ceil(1000).max(1) as u32;
    face.shared
        .bodies
        .clone()
        .try_acquire_many_owned(kilobytes)
        .map_err(|_| Problem::overloaded(Duration::from_secs(1)))
}

/// A body of at most `most` bytes.
pub(crate) async fn collect(face: &Face, body: &mut Body, most: usize) -> Result<Bytes, Problem> {
    let reading = Limited::new(body, most).collect();
    match timeout(face.shared.limits.body_time, reading).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(body_too_large(most)),
        Ok(Err(_)) => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "malformed",
            Words::new("L’envoi s’est interrompu.", "The body broke off."),
        )),
        Err(_) => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "too-slow",
            Words::new(
                "L’envoi est arrivé trop lentement.",
                "The body came too slowly.",
            ),
        )),
    }
}

/// Takes in what is left of a refused body, within limits: a connection closed with bytes unread
/// is reset, and its sender never sees why.
pub(crate) async fn discard(mut body: Body) {
    let rest = async {
        let mut left = COURTESY;
        while let Some(Ok(frame)) = body.frame().await {
            let size = frame.data_ref().map_or(0, Bytes::len);
            match left.checked_sub(size) {
                Some(less) => left = less,
                None => break,
            }
        }
    };
    drop(timeout(COURTESY_TIME, rest).await);
}

/// `GET /v1/events`.
pub(crate) async fn follow(State(face): State<Face>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    match open(&face, &parts) {
        Ok(body) => {
            let mut response = Response::new(body);
            let headers = response.headers_mut();
            headers.insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("text/event-stream"),
            );
            // Reverse proxies must pass each event on as it comes.
            headers.insert(
                HeaderName::from_static("x-accel-buffering"),
                HeaderValue::from_static("no"),
            );
            response
        }
        Err(problem) => problem.say(face.lang(parts.uri.path(), &parts.headers)),
    }
}

fn open(face: &Face, parts: &Parts) -> Result<Body, Problem> {
    let place = face.admit(parts)?;
    if face.shared.stop.is_cancelled() {
        return Err(Problem::not_ready(stopping()));
    }
    let after = match parts.headers.get("last-event-id").map(HeaderValue::to_str) {
        None | Some(Ok("")) => None,
        Some(text) => Some(text.ok().and_then(|text| text.parse::<Position>().ok()).ok_or_else(|| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                "malformed",
                Words::new(
                    "Last-Event-ID ne vient pas de ce flux ; 0 redonne tout depuis le début.",
                    "Last-Event-ID is not from this stream; 0 gives everything from the beginning.",
                ),
            )
        })?),
    };
    let seat = face
        .shared
        .followers
        .clone()
        .try_acquire_owned()
        .map_err(|_| Problem::overloaded(Duration::from_secs(5)))?;
    let events = place.follow(after).map_err(|error| match error {
        FollowError::Gone => Problem::new(
            StatusCode::GONE,
            "gone",
            Words::new(
                "Ce journal ne garde plus, ou n’a jamais eu, l’événement donné par Last-Event-ID : repartez de 0, ou sans lui.",
                "This log no longer keeps, or never had, the event named by Last-Event-ID: start from 0, or without it.",
            ),
        ),
        FollowError::NotReady => Problem::not_ready(Words::new(
            "Le journal du lieu ne se lit pas pour l’instant.",
            "The place's log cannot be read at present.",
        )),
    })?;
    Ok(Body::from_stream(frames(face, after, events, seat)))
}

/// The events as server-sent events, with signs of life in between, until the follower is cut,
/// leaves, or the face stops.
fn frames(
    face: &Face,
    after: Option<Position>,
    events: Follow,
    seat: OwnedSemaphorePermit,
) -> impl futures_util::Stream<Item = Result<Bytes, Infallible>> + use<> {
    struct State {
        events: Follow,
        last: Option<Position>,
        beat: tokio::time::Interval,
        _seat: OwnedSemaphorePermit,
    }
    let every = face.shared.limits.heartbeat;
    let mut beat = interval_at(Instant::now() + every, every);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let state = State {
        events,
        last: after,
        beat,
        _seat: seat,
    };
    let hello = stream::once(async { Bytes::from_static(b"retry: 3000\n: raccord\n\n") });
    let rest = stream::unfold(state, |mut state| async move {
        tokio::select! {
            biased;
            entry = state.events.next() => {
                let entry = entry?;
                state.last = Some(entry.position);
                state.beat.reset();
                Some((frame(&entry), state))
            }
            _ = state.beat.tick() => {
                // The position again: an `id` alone raises no event.
                let text = match state.last {
                    Some(last) => format!(": heartbeat\nid: {last}\n\n"),
                    None => ": heartbeat\n\n".to_owned(),
                };
                Some((Bytes::from(text), state))
            }
        }
    });
    hello
        .chain(rest)
        .take_until(face.shared.stop.clone().cancelled_owned())
        .map(Ok)
}

fn frame(entry: &Entry) -> Bytes {
    let mut out = Vec::with_capacity(entry.json.len() + 48);
    out.extend_from_slice(format!("id: {}\n", entry.position).as_bytes());
    for line in entry.json.split(|&byte| byte == b'\n' || byte == b'\r') {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    out.push(b'\n');
    out.into()
}
