//! `/healthz`, `/readyz` and `/metrics`: for monitors. They tell states and figures, never
//! persons, paths or secrets.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use raccord_model::{Lang, PlaceId};
use serde_json::{Value, json};

use crate::face::Face;
use crate::{Exposition, Readiness, Reason};

fn answer(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}

/// `GET /healthz`: the process is alive.
pub(crate) async fn alive(State(face): State<Face>, request: Request) -> Response {
    let path = request.uri().path();
    let places = match face.places(path) {
        Ok(places) => places,
        Err(problem) => return problem.say(face.lang(path, request.headers())),
    };
    let ids: Vec<_> = places
        .iter()
        .map(|place| place.place().id.clone())
        .collect();
    let mut body = json!({
        "status": "ok",
        "version": face.shared.node.version(),
        "now": face.shared.node.now(),
        "places": ids,
    });
    if face.shared.node.clock_is_set() {
        body["clock"] = json!("RACCORD_NOW");
    }
    answer(StatusCode::OK, &body)
}

/// `GET /readyz`: the log can be written and the connectors have started, or why not. A connector
/// that its tool refused or switched off is a note: the place itself still works.
pub(crate) async fn ready(State(face): State<Face>, request: Request) -> Response {
    let path = request.uri().path();
    let lang = face.lang(path, request.headers());
    let places = match face.places(path) {
        Ok(places) => places,
        Err(problem) => return problem.say(lang),
    };
    let (mut reasons, mut notes) = (Vec::new(), Vec::new());
    for place in &places {
        let id = &place.place().id;
        let Readiness {
            reasons: why_not,
            notes: besides,
        } = place.readiness();
        reasons.extend(why_not.iter().map(|reason| told(reason, id, lang)));
        notes.extend(besides.iter().map(|note| told(note, id, lang)));
    }
    if face.shared.stop.is_cancelled() {
        reasons.push(json!({ "code": "stopping", "text": crate::face::stopping().get(lang) }));
    }
    let ready = reasons.is_empty();
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let mut body = json!({ "ready": ready, "reasons": reasons });
    if !notes.is_empty() {
        body["notes"] = json!(notes);
    }
    answer(status, &body)
}

fn told(reason: &Reason, place: &PlaceId, lang: Lang) -> Value {
    let mut told = json!({
        "place": place,
        "code": reason.code,
        "text": reason.text.get(lang),
    });
    if !reason.about.is_empty() {
        told["about"] = json!(reason.about);
    }
    told
}

/// `GET /metrics`: Prometheus text.
pub(crate) async fn metrics(State(face): State<Face>, request: Request) -> Response {
    let path = request.uri().path();
    let places = match face.places(path) {
        Ok(places) => places,
        Err(problem) => return problem.say(face.lang(path, request.headers())),
    };
    let mut out = Exposition::default();
    face.shared.counters.expose(&face, &mut out);
    for place in places {
        out.of_place(Some(&place.place().id));
        place.metrics(&mut out);
    }
    let mut response = Response::new(Body::from(out.to_string()));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"),
    );
    response
}
