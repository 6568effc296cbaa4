//! What the tools are asked and answer: whole requests and whole answers, without a network.

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::Value;
use subtle::ConstantTimeEq as _;

/// A request with its whole body.
pub type Asked = http::Request<Bytes>;
/// An answer with its whole body.
pub type Answer = http::Response<Bytes>;

/// An answer with a status and nothing else.
pub(crate) fn empty(status: StatusCode) -> Answer {
    let mut answer = Answer::default();
    *answer.status_mut() = status;
    answer
}

/// An answer of this type.
pub(crate) fn typed(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Answer::new(body.into());
    *answer.status_mut() = status;
    let kind = HeaderValue::from_static(kind);
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    answer
}

/// An answer in JSON.
pub(crate) fn json(status: StatusCode, body: &Value) -> Answer {
    typed(status, "application/json", body.to_string())
}

/// The text of a header; empty where there is none.
pub(crate) fn header_of<'a>(asked: &'a Asked, name: &str) -> &'a str {
    let value = asked.headers().get(name);
    value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// Whether the request shows exactly this.
pub(crate) fn shows(asked: &Asked, credentials: &str) -> bool {
    let shown = header_of(asked, header::AUTHORIZATION.as_str());
    shown.as_bytes().ct_eq(credentials.as_bytes()).into()
}

/// A method of WebDAV, or any other.
pub(crate) fn method_of(asked: &Asked) -> &str {
    Method::as_str(asked.method())
}
