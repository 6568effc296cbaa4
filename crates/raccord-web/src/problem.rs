//! Answers that say no, as RFC 9457 problem details, in the caller's language. What went wrong
//! inside is never told outside.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use raccord_model::{Lang, Words};
use serde_json::json;

use crate::EventFault;

/// An answer that says no.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: Words,
    errors: Vec<EventFault>,
    retry_after: Option<Duration>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: Words) -> Self {
        Self {
            status,
            code,
            detail,
            errors: Vec::new(),
            retry_after: None,
        }
    }

    pub(crate) fn with_errors(mut self, errors: Vec<EventFault>) -> Self {
        self.errors = errors;
        self
    }

    pub(crate) fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    pub(crate) fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not-found",
            Words::new(
                "Il n’y a rien à cette adresse.",
                "There is nothing at this address.",
            ),
        )
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method-not-allowed",
            Words::new(
                "Cette adresse ne se demande pas ainsi ; l’en-tête Allow dit comment.",
                "This address does not take that method; the Allow header lists those it takes.",
            ),
        )
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            Words::new(
                "Il faut le jeton d’administration du lieu : « Authorization: Bearer … ».",
                "This needs the place's admin token: \"Authorization: Bearer ...\".",
            ),
        )
    }

    pub(crate) fn too_large(detail: Words) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail)
    }

    pub(crate) fn overloaded(wait: Duration) -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "overloaded",
            Words::new(
                "Trop d’envois à la fois. Renvoyez les mêmes événements, avec les mêmes id, un peu plus tard.",
                "Too much at once. Send the same events, with the same ids, a little later.",
            ),
        )
        .retry_after(wait)
    }

    pub(crate) fn not_ready(why: Words) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "not-ready", why)
            .retry_after(Duration::from_secs(5))
    }

    pub(crate) fn starting() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "starting",
            crate::place::starting(),
        )
        .retry_after(Duration::from_secs(1))
    }

    /// The answer, in `lang`.
    pub(crate) fn say(self, lang: Lang) -> Response {
        let mut body = json!({
            "type": format!("urn:raccord:problem:{}", self.code),
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "detail": self.detail.get(lang),
        });
        if !self.errors.is_empty() {
            let told = |fault: &EventFault| {
                json!({
                    "index": fault.index,
                    "pointer": fault.pointer,
                    "detail": fault.detail.get(lang),
                })
            };
            body["errors"] = self.errors.iter().map(told).collect();
        }
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(
            header::CONTENT_LANGUAGE,
            HeaderValue::from_static(match lang {
                Lang::Fr => "fr",
                Lang::En => "en",
            }),
        );
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"raccord\""),
            );
        }
        if let Some(wait) = self.retry_after {
            // Rounded up: a caller that comes back early is refused again.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        response
    }
}

/// The language a caller reads best among ours, or `usual`.
pub(crate) fn preferred(headers: &HeaderMap, usual: Lang) -> Lang {
    let Some(wanted) = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
    else {
        return usual;
    };
    let mut best = (0.0, usual);
    for item in wanted.split(',').take(20) {
        let mut parts = item.split(';');
        let tag = parts.next().unwrap_or_default().trim();
        let primary = tag.split('-').next().unwrap_or_default();
        let Ok(lang) = primary.to_ascii_lowercase().parse::<Lang>() else {
            continue;
        };
        let weight = parts
            .find_map(|part| part.trim().strip_prefix("q="))
            .map_or(Some(1.0), |q| q.parse::<f32>().ok())
            .unwrap_or(0.0);
        if weight > best.0 {
            best = (weight, lang);
        }
    }
    best.1
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_callers_language_counts_and_the_places_is_the_fallback() {
        let lang = |wanted: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, wanted.parse().unwrap());
            preferred(&headers, Lang::Fr)
        };
        assert_eq!(lang("en-GB,en;q=0.9,fr;q=0.8"), Lang::En);
        assert_eq!(lang("de, en;q=0.3, fr-FR;q=0.5"), Lang::Fr);
        assert_eq!(lang("de"), Lang::Fr);
        assert_eq!(lang("en;q=0"), Lang::Fr);
        assert_eq!(lang("en;q=x"), Lang::Fr);
        assert_eq!(preferred(&HeaderMap::new(), Lang::En), Lang::En);
    }

    #[test]
    fn a_wait_is_rounded_up_to_whole_seconds() {
        let wait = |millis| {
            Problem::overloaded(Duration::from_millis(millis))
                .say(Lang::En)
                .headers()[header::RETRY_AFTER]
                .clone()
        };
        assert_eq!(wait(0), "1");
        assert_eq!(wait(1000), "1");
        assert_eq!(wait(1001), "2");
    }
}
