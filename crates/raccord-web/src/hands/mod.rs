//! `/hands`: what needs hands, signing up, who came. Forms and links, no script; what they do is the
//! place's to decide, what they show is drawn here.
//!
//! A page that was opened by a link changes nothing: only a form that this very site sent does.

mod counter;
mod network;
mod newsletter;
mod page;
mod view;
mod ways;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use raccord_look::{LETTERS_FILE, squeezed, style};
use raccord_model::{Lang, Place, Words};
use sha2::Digest as _;
use tokio::time::timeout;

use crate::events::{collect, discard, room_for};
use crate::face::{Face, NEWSLETTER};
use crate::problem::{Problem, preferred};

pub use counter::{Card, Counter, Line, Paid, Payment};
pub(crate) use network::Peer;
pub use newsletter::Page as NewsletterPage;
pub use view::{Answer, Cookie, Item, List, Mine, Offer, Own, Row, Screen, Shows, Visit, Visitor};
pub use ways::{Likes, Unproved, Ways};

/// What only these pages have.
const STYLE: &str = include_str!("../../templates/hands.css");
/// The largest form: a tick list of a thousand people.
const FORM: usize = 128 * 1024;
/// The most fields of a form.
const FIELDS: usize = 3_000;
/// The longest secret or path that is looked at.
const LONGEST: usize = 2_000;

/// `GET` and `POST /hands...`.
pub(crate) async fn visit(State(face): State<Face>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    match answer(&face, &parts, body).await {
        Ok(response) => response,
        Err(problem) => problem.say(face.lang(parts.uri.path(), &parts.headers)),
    }
}

async fn answer(face: &Face, parts: &Parts, mut body: Body) -> Result<Response, Problem> {
    if parts.method != axum::http::Method::POST {
        return drawn(face, parts, None).await;
    }
    let refusal = 'door: {
        let place = match face.place(parts.uri.path()) {
            Ok(running) => running.place(),
            Err(problem) => break 'door problem,
        };
        // Who leaves a letter shows its key, and may come from anywhere: mail programs do (RFC 8058).
        let by_key = below(parts.uri.path()) == newsletter::LEAVE;
        if !by_key && !is_own_form(&parts.headers, &place) {
            discard(body).await;
            return refused(face, parts, StatusCode::FORBIDDEN, &foreign(), None);
        }
        // Taken before the body is, and given back with the answer.
        let _room = match room_for(face, &body, FORM) {
            Ok(room) => room,
            Err(problem) => break 'door problem,
        };
        let bytes = match collect(face, &mut body, FORM).await {
            Ok(bytes) => bytes,
            Err(problem) => break 'door problem,
        };
        let fields = url::form_urlencoded::parse(&bytes).take(FIELDS);
        let fields = fields.map(|(name, value)| (name.into_owned(), value.into_owned()));
        return drawn(face, parts, Some(fields.collect())).await;
    };
    discard(body).await;
    Err(refusal)
}

/// What the place answers, as the browser gets it.
async fn drawn(
    face: &Face,
    parts: &Parts,
    form: Option<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let running = face.place(parts.uri.path())?;
    let place = running.place();
    let path = below(parts.uri.path());
    if path.len() > LONGEST {
        return Err(Problem::not_found());
    }
    let asked = |name| asked(parts, name);
    let chosen = chosen(parts);
    let visit = Visit {
        at: face.shared.node.now(),
        path: path.to_owned(),
        key: asked("k").chars().take(LONGEST).collect(),
        back: asked("back").chars().take(100).collect(),
        form,
        session: cookie(&parts.headers, &cookie_name(&place)),
        network: network::of(parts, |peer| running.is_proxy(peer)),
        lang: chosen.unwrap_or_else(|| preferred(&parts.headers, place.lang)),
        chosen: chosen.is_some(),
        admin: running.token().is_some_and(|token| {
            crate::token::bearer(&parts.headers).is_some_and(|given| token.admits(given))
        }),
    };
    let answered = timeout(face.shared.limits.post_time, running.visit(visit)).await;
    let root = up(path);
    let not_now = |why: &Words, wait| {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        refused(face, parts, status, why, Some(wait))
    };
    let Ok(answered) = answered else {
        return not_now(&late(), 5);
    };
    match answered {
        Answer::Closed => Err(Problem::not_found()),
        // Whoever asks for a calendar is a program.
        Answer::Nothing if path.starts_with("calendar/") => Err(Problem::not_found()),
        Answer::Nothing => refused(face, parts, StatusCode::NOT_FOUND, &gone(), None),
        Answer::NotReady => not_now(&crate::place::starting(), 1),
        Answer::Busy => not_now(&busy(), 2),
        Answer::TooMany(seconds) => {
            let why = Words::new(
                "C’est beaucoup en peu de temps. Attendez quelques minutes, puis réessayez.",
                "That is a lot in little time. Wait a few minutes, then try again.",
            );
            refused(
                face,
                parts,
                StatusCode::TOO_MANY_REQUESTS,
                &why,
                Some(seconds),
            )
        }
        Answer::Calendar(text) => Ok(calendar(text)),
        Answer::Go { to, cookie } => Ok(redirect(&root, &to, cookie, chosen, &place)),
        Answer::Page(screen) => Ok(shown(&*running, &screen, &root, path, chosen)),
    }
}

/// What the address asks for by this name, or nothing.
fn asked(parts: &Parts, name: &str) -> String {
    let query = parts.uri.query().unwrap_or_default();
    let mut pairs = url::form_urlencoded::parse(query.as_bytes()).take(10);
    let named = pairs.find(|(known, _)| known == name);
    named.map_or_else(String::new, |(_, value)| value.into_owned())
}

/// The language that was chosen on the page before.
fn chosen(parts: &Parts) -> Option<Lang> {
    asked(parts, "lang").parse().ok()
}

/// A page that says why nothing was done.
fn refused(
    face: &Face,
    parts: &Parts,
    status: StatusCode,
    why: &Words,
    wait: Option<u32>,
) -> Result<Response, Problem> {
    let running = face.place(parts.uri.path())?;
    let chosen = chosen(parts);
    let lang = chosen.unwrap_or_else(|| preferred(&parts.headers, running.place().lang));
    let path = below(parts.uri.path());
    let screen = Screen {
        status: status.as_u16(),
        lang,
        visitor: None,
        said: why.get(lang).to_owned(),
        shows: Shows::Refused,
    };
    let mut response = shown(&*running, &screen, &up(path), path, chosen);
    if let Some(wait) = wait {
        let wait = HeaderValue::from(wait);
        response.headers_mut().insert(header::RETRY_AFTER, wait);
    }
    Ok(response)
}

/// The way from a page to the place's own root.
fn up(path: &str) -> String {
    let below = path.strip_prefix(NEWSLETTER).unwrap_or(path);
    "../".repeat(below.split('/').filter(|part| !part.is_empty()).count())
}

fn late() -> Words {
    Words::new(
        "Pas de réponse à temps. Regardez « Mes inscriptions » avant de recommencer.",
        "No answer in time. Look at “My sign-ups” before you try again.",
    )
}

fn busy() -> Words {
    Words::new(
        "Beaucoup de monde en même temps : rien n’a été fait. Réessayez dans un instant.",
        "Many people at the same time: nothing was done. Try again in a moment.",
    )
}

fn gone() -> Words {
    Words::new(
        "Il n’y a rien à cette adresse, ou plus rien.",
        "There is nothing at this address, or not any more.",
    )
}

fn foreign() -> Words {
    Words::new(
        "Ce formulaire ne vient pas de ce site : rien n’a été fait. Revenez à la page, et recommencez.",
        "This form does not come from this site: nothing was done. Go back to the page and start again.",
    )
}

/// The part of the path below `hands`; of a page about letters the whole, with its slash.
fn below(path: &str) -> &str {
    let own = match path.strip_prefix("/p/") {
        Some(rest) => rest.find('/').map_or("", |at| &rest[at..]),
        None => path,
    };
    if own.starts_with(NEWSLETTER) {
        return own;
    }
    let own = own.trim_start_matches('/');
    own.strip_prefix("hands")
        .unwrap_or_default()
        .trim_start_matches('/')
}

/// Whether a form was sent by a page of this site. Every browser says so in one header or another;
/// programs that are none carry no cookie of somebody else.
fn is_own_form(headers: &HeaderMap, place: &Place) -> bool {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if let Some(site) = text(HeaderName::from_static("sec-fetch-site")) {
        return site == "same-origin";
    }
    let Some(origin) = text(header::ORIGIN) else {
        return true;
    };
    let public = url::Url::parse(&place.public_url);
    let public = public.map(|url| url.origin().ascii_serialization());
    let host = text(header::HOST).unwrap_or_default();
    let named = origin.split_once("://").map(|(_, host)| host);
    public.is_ok_and(|public| public == origin) || named.is_some_and(|named| named == host)
}

/// The name of the cookie. With https it is one that only this host can have set, for all of it.
fn cookie_name(place: &Place) -> String {
    let prefix = if is_secure(place) { "__Host-" } else { "" };
    format!("{prefix}raccord-{}", place.id)
}

fn is_secure(place: &Place) -> bool {
    place.public_url.starts_with("https://")
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers.get_all(header::COOKIE).iter();
    let mut found = all
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(known, _)| *known == name)
        .map(|(_, value)| value.chars().take(LONGEST).collect::<String>());
    found.next()
}

fn redirect(
    root: &str,
    to: &str,
    cookie: Option<Cookie>,
    chosen: Option<Lang>,
    place: &Place,
) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let address = page::address(root, to, chosen);
    let headers = response.headers_mut();
    if let Ok(address) = HeaderValue::from_str(&address) {
        headers.insert(header::LOCATION, address);
    }
    if let Some(cookie) = cookie {
        let secure = if is_secure(place) { "; Secure" } else { "" };
        let text = format!(
            "{}={}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax{secure}",
            cookie_name(place),
            cookie.value,
            cookie.seconds,
        );
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(header::SET_COOKIE, value);
        }
        if cookie.value.is_empty() {
            // What was shown to them goes with them, from the way back too.
            let clear = HeaderValue::from_static("\"cache\"");
            headers.insert(HeaderName::from_static("clear-site-data"), clear);
        }
    }
    careful(response)
}

fn calendar(text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/calendar; charset=utf-8"),
    );
    careful(response)
}

fn shown(
    running: &dyn crate::place::Place,
    screen: &Screen,
    root: &str,
    path: &str,
    chosen: Option<Lang>,
) -> Response {
    let tint = running.colour().parse().unwrap_or_default();
    let style = style(&tint, &format!("{root}{LETTERS_FILE}")) + &squeezed(STYLE);
    let html = match &screen.shows {
        Shows::Newsletter(page) => {
            newsletter::render(page, screen.lang, &running.place(), root, &style)
        }
        _ => page::render(screen, &running.place(), root, path, chosen, &style),
    };
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = StatusCode::from_u16(screen.status).unwrap_or(StatusCode::OK);
    let hash = STANDARD.encode(sha2::Sha256::digest(style.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; font-src 'self'; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'"
    );
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    careful(response)
}

/// Kept by nobody, and no other site is told where somebody was. Forms still say where they come from.
fn careful(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("same-origin"),
    );
    headers.insert(
        HeaderName::from_static("x-robots-tag"),
        HeaderValue::from_static("noindex"),
    );
    response
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn place(address: &str) -> Place {
        Place {
            id: "lieu".parse().unwrap(),
            name: "Le lieu".to_owned(),
            zone: "Europe/Paris".to_owned(),
            lang: Lang::Fr,
            public_url: address.to_owned(),
        }
    }

    #[test]
    fn only_forms_of_this_very_site_are_taken() {
        let place = place("https://lieu.example.org");
        let takes = |pairs: &[(&'static str, &str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, value.parse().unwrap());
            }
            is_own_form(&headers, &place)
        };
        assert!(takes(&[("sec-fetch-site", "same-origin")]));
        assert!(takes(&[("origin", "https://lieu.example.org")]));
        assert!(takes(&[
            ("origin", "http://127.0.0.1:7070"),
            ("host", "127.0.0.1:7070")
        ]));
        for foreign in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "none")],
            &[("origin", "https://evil.example")],
            &[("origin", "null")],
            &[("origin", "https://lieu.example.org.evil.example")],
            &[
                ("sec-fetch-site", "cross-site"),
                ("origin", "https://lieu.example.org"),
            ],
        ] {
            assert!(!takes(foreign), "{foreign:?}");
        }
    }

    #[test]
    fn a_cookie_is_of_one_place_and_of_one_host() {
        assert_eq!(cookie_name(&place("https://x")), "__Host-raccord-lieu");
        assert_eq!(cookie_name(&place("http://x")), "raccord-lieu");
        let mut headers = HeaderMap::new();
        headers.insert(
            header::COOKIE,
            "a=b; raccord-lieu=s3; raccord-lieu2=x".parse().unwrap(),
        );
        assert_eq!(cookie(&headers, "raccord-lieu").as_deref(), Some("s3"));
        assert_eq!(cookie(&headers, "raccord-li"), None);
    }

    #[test]
    fn paths_are_read_below_hands() {
        for (path, part) in [
            ("/hands", ""),
            ("/hands/me", "me"),
            ("/p/lieu/hands", ""),
            ("/p/lieu/hands/x/present", "x/present"),
            ("/newsletter", "/newsletter"),
            ("/p/lieu/newsletter/leave", "/newsletter/leave"),
            ("/hands/newsletter", "newsletter"),
        ] {
            assert_eq!(below(path), part);
        }
        for (path, way) in [
            ("", ""),
            ("me", "../"),
            ("/newsletter", ""),
            ("/newsletter/leave", "../"),
        ] {
            assert_eq!(up(path), way);
        }
    }
}
