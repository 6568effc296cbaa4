//! `/` and `/embed`: the public programme, for people. No script, no cookie, nothing fetched
//! from anywhere else. Contacts, internal activities and drafts are not shown, whoever hands them in.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use raccord_look::{LETTERS, LETTERS_FILE, squeezed, style};
use raccord_model::Digest;
use sha2::Digest as _;

use crate::face::Face;
use crate::problem::Problem;

mod page;
mod speech;
mod text;

/// What only these pages have, after the style that the site and the printed page share.
const STYLE: &str = include_str!("../templates/programme.css");

/// `GET /`.
pub(crate) async fn page(State(face): State<Face>, request: Request) -> Response {
    show(&face, &request.into_parts().0, false).await
}

/// `GET /embed`: the same for an iframe in other sites.
pub(crate) async fn embed(State(face): State<Face>, request: Request) -> Response {
    show(&face, &request.into_parts().0, true).await
}

/// The letters of titles.
pub(crate) async fn letters() -> Response {
    let mut response = Response::new(Body::from(LETTERS));
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "font/woff2"),
        (header::CACHE_CONTROL, "public, max-age=604800"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn show(face: &Face, request: &Parts, embedded: bool) -> Response {
    let path = request.uri.path();
    let say = |problem: Problem| problem.say(face.lang(path, &request.headers));
    let running = match face.place(path) {
        Ok(running) => running,
        Err(problem) => return say(problem),
    };
    let now = face.shared.node.now();
    let limit = face.shared.limits.activities;
    let Some(programme) = running.programme(now, limit).await else {
        return say(Problem::starting());
    };
    let Some(number) = number(request.uri.query()) else {
        return say(Problem::not_found());
    };
    let place = running.place();
    let tint = running.colour().parse().unwrap_or_default();
    let style = style(&tint, &letters_from(path)) + &squeezed(STYLE);
    let html = page::render(page::Shown {
        place: &place,
        now,
        activities: programme.activities,
        more: programme.more,
        undated: programme.undated,
        embedded,
        page: number,
        style: &style,
    });
    let Some(html) = html else {
        return say(Problem::not_found());
    };

    let tag = format!("\"{}\"", Digest::of(html.as_bytes()));
    let known = request
        .headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|tags| {
            tags.split(',')
                .any(|known| known.trim().trim_start_matches("W/") == tag)
        });
    let mut response = Response::new(if known {
        Body::empty()
    } else {
        Body::from(html)
    });
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    for (name, value) in [
        (header::ETAG, tag),
        (header::CONTENT_SECURITY_POLICY, policy(&style, embedded)),
    ] {
        headers.insert(
            name,
            HeaderValue::from_str(&value).expect("tags and policies are plain ASCII"),
        );
    }
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if embedded {
        headers.insert(
            "cross-origin-resource-policy",
            HeaderValue::from_static("cross-origin"),
        );
    } else {
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    }
    response
}

/// What the page may do: show its own style and letters, nothing else.
fn policy(style: &str, embedded: bool) -> String {
    let hash = STANDARD.encode(sha2::Sha256::digest(style.as_bytes()));
    let ancestors = if embedded { "*" } else { "'none'" };
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; font-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors {ancestors}"
    )
}

/// The letters' address as seen from the page at `path`: right below a proxy's folder too.
fn letters_from(path: &str) -> String {
    match path.strip_prefix("/p/") {
        Some(id) if !id.contains('/') => format!("{id}/{LETTERS_FILE}"),
        _ => LETTERS_FILE.to_owned(),
    }
}

/// Which page is asked for, from 0 on: `page=2` is 1.
fn number(query: Option<&str>) -> Option<usize> {
    let asked = query
        .into_iter()
        .flat_map(|query| query.split('&'))
        .find_map(|part| part.strip_prefix("page="));
    match asked {
        None => Some(0),
        Some(asked) => asked.parse::<usize>().ok()?.checked_sub(1),
    }
}
