//! A posted event.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use raccord_web::{Refusal, form_of, read};

/// At most this many events in a batch.
const MOST: usize = 100;

/// What `POST /v1/events` does before anything is durable. Up to the first empty line `data` is
/// headers, the rest is the body.
pub fn event(data: &[u8]) {
    let end = data
        .windows(2)
        .position(|two| two == b"\n\n")
        .unwrap_or(data.len());
    let (head, body) = data.split_at(end);
    let body = body.strip_prefix(b"\n\n").unwrap_or(body);
    let mut headers = HeaderMap::new();
    for line in head.split(|&byte| byte == b'\n') {
        let Some(colon) = line.iter().position(|&byte| byte == b':') else {
            continue;
        };
        let name = HeaderName::from_bytes(&line[..colon]);
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    let once = || form_of(&headers).and_then(|form| read(form, body, MOST));
    match once() {
        Ok(changes) => {
            for change in &changes {
                assert!(!change.id.is_empty() && !change.sender.is_empty());
                assert!(!change.subject.is_empty());
            }
            assert_eq!(once(), Ok(changes), "the same body is read the same");
        }
        Err(Refusal::Faults(faults)) => {
            assert!(!faults.is_empty());
            for fault in &faults {
                assert!(fault.pointer.is_empty() || fault.pointer.starts_with('/'));
                assert!(!fault.detail.fr.is_empty() && !fault.detail.en.is_empty());
            }
        }
        Err(Refusal::Malformed(why)) => assert!(!why.is_empty()),
        Err(Refusal::Unsupported | Refusal::TooMany) => {}
    }
}
