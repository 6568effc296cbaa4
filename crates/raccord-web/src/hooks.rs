//! `POST /hooks/<connector>`: what a tool calls by itself. Whether it is let in, and what it means,
//! is its connector's to say; here are the limits, and the answer.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts};
use axum::response::Response;
use raccord_model::{Call, Words};
use serde_json::Value;
use tokio::time::timeout;

use crate::events::{collect, discard, room_for};
use crate::face::Face;
use crate::place::HookError;
use crate::problem::Problem;

/// `POST /hooks/<connector>`.
pub(crate) async fn take(State(face): State<Face>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    match hear(&face, &parts, body).await {
        Ok(answer) => {
            let mut response = Response::new(Body::from(answer.to_string()));
            response.headers_mut().insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/json"),
            );
            response
        }
        Err(problem) => problem.say(face.lang(parts.uri.path(), &parts.headers)),
    }
}

async fn hear(face: &Face, parts: &Parts, mut body: Body) -> Result<Value, Problem> {
    let limits = &face.shared.limits;
    let refusal = 'door: {
        let path = parts.uri.path();
        let place = match face.place(path) {
            Ok(place) => place,
            Err(problem) => break 'door problem,
        };
        // Taken before the body is, and given back with the answer.
        let _room = match room_for(face, &body, limits.hook_body) {
            Ok(room) => room,
            Err(problem) => break 'door problem,
        };
        let bytes = match collect(face, &mut body, limits.hook_body).await {
            Ok(bytes) => bytes,
            Err(problem) => break 'door problem,
        };
        let call = Call {
            at: face.shared.node.now(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: texts(&parts.headers),
            body: bytes.into(),
        };
        let connector = path.rsplit('/').next().unwrap_or_default();
        return match timeout(limits.hook_time, place.hook(connector, call)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(refused(error)),
            Err(_) => Err(Problem::not_ready(Words::new(
                "Pas de réponse à temps : peut-être reçu, peut-être pas. Le même appel peut revenir sans dommage.",
                "No answer in time: it may or may not have been taken. The same call may come again without harm.",
            ))),
        };
    };
    if !parts.headers.contains_key(header::EXPECT) {
        discard(body).await;
    }
    Err(refusal)
}

fn refused(error: HookError) -> Problem {
    match error {
        HookError::Unknown => Problem::not_found(),
        HookError::Forged => Problem::new(
            StatusCode::UNAUTHORIZED,
            "forged",
            Words::new(
                "La signature ou le secret de cet appel n’est pas celui de l’outil.",
                "The signature or secret of this call is not the tool's.",
            ),
        ),
        HookError::Unfit(why) => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "unfit", why),
        HookError::Overloaded { retry_after } => Problem::overloaded(retry_after),
        HookError::NotReady { why } => Problem::not_ready(why),
    }
}

/// The headers that are texts.
fn texts(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| value.to_str().ok().map(str::to_owned);
    headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), text(value)?)))
        .collect()
}
