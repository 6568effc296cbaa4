//! `Retry-After`, in seconds or as a date.

use http::{HeaderMap, HeaderValue, header};
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};

/// The longest wait a server may ask for: a day. What asks for more is asked again after that.
const LONGEST: SignedDuration = SignedDuration::from_hours(24);

/// How long the server wants to be left alone. A date is read against the server's own `Date`,
/// so that a tool whose clock is off by hours is still understood; `now` serves where it has none.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<SignedDuration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
        // More digits than fit are more than a day.
        text.parse().map_or(LONGEST, SignedDuration::from_secs)
    } else {
        let until = date(text)?;
        let now = headers
            .get(header::DATE)
            .and_then(|value: &HeaderValue| date(value.to_str().ok()?))
            .unwrap_or(now);
        until.duration_since(now)
    };
    Some(wait.clamp(SignedDuration::ZERO, LONGEST))
}

fn date(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(text.trim()).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn wait(retry: &str, date: Option<&str>) -> Option<i64> {
        let mut headers = HeaderMap::new();
        headers.insert(header::RETRY_AFTER, HeaderValue::from_str(retry).unwrap());
        if let Some(date) = date {
            headers.insert(header::DATE, HeaderValue::from_str(date).unwrap());
        }
        let now = "2027-01-02T08:00:00Z".parse().unwrap();
        retry_after(&headers, now).map(|wait| wait.as_secs())
    }

    #[test]
    fn s02_retry_after_is_read_in_both_its_forms() {
        assert_eq!(wait("120", None), Some(120));
        assert_eq!(wait(" 0 ", None), Some(0));
        assert_eq!(wait("Sat, 02 Jan 2027 08:01:30 GMT", None), Some(90));
        assert_eq!(
            wait(
                "Sat, 02 Jan 2027 10:01:30 GMT",
                Some("Sat, 02 Jan 2027 10:01:00 GMT")
            ),
            Some(30),
            "a tool whose clock is two hours ahead"
        );
        assert_eq!(wait("Sat, 02 Jan 2027 07:00:00 GMT", None), Some(0));
        assert_eq!(wait("99999999999999999999999", None), Some(86_400));
        for nonsense in ["", "soon", "-5", "1.5", "Sat, 99 Jan 2027 07:00:00 GMT"] {
            assert_eq!(wait(nonsense, None), None, "{nonsense}");
        }
    }
}
