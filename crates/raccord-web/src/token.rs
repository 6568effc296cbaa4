//! The bearer token of `/v1`, compared in constant time. The token itself is not kept, only its
//! digest: two digests have the same length, so not even the token's length can be measured.

use std::fmt;

use axum::http::{HeaderMap, header};
use raccord_model::Digest;
use subtle::ConstantTimeEq;

/// The bearer token a place asks for.
#[derive(Clone, Copy)]
pub struct Token(Digest);

impl Token {
    /// The token as configured; white space around it (a file's last newline) does not count.
    /// `None` for an empty one, so that an empty file never opens the door.
    pub fn new(secret: &str) -> Option<Self> {
        let secret = secret.trim();
        (!secret.is_empty()).then(|| Self(Digest::of(secret.as_bytes())))
    }

    /// Whether `given` is the token.
    pub fn admits(&self, given: &[u8]) -> bool {
        self.0.0.ct_eq(&Digest::of(given).0).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// The bearer token a request carries, if it carries exactly one.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let (value, None) = (all.next()?.as_bytes(), all.next()) else {
        return None;
    };
    let (scheme, token) = value.split_at_checked(7)?;
    scheme
        .eq_ignore_ascii_case(b"bearer ")
        .then(|| token.trim_ascii())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_token_is_admitted() {
        let token = Token::new("s3cret\n").unwrap();
        assert!(token.admits(b"s3cret"));
        for wrong in [
            &b""[..],
            b"s3cre",
            b"s3crett",
            b"S3cret",
            b"s3cret\n",
            b"\xff",
        ] {
            assert!(!token.admits(wrong));
        }
        assert!(Token::new(" \n").is_none());
        assert_eq!(format!("{token:?}"), "Token(..)");
    }

    #[test]
    fn the_header_is_read_strictly() {
        let with = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::AUTHORIZATION, value.parse().unwrap());
            }
            bearer(&headers).map(<[u8]>::to_vec)
        };
        assert_eq!(with(&["Bearer abc"]), Some(b"abc".to_vec()));
        assert_eq!(with(&["bearer  abc "]), Some(b"abc".to_vec()));
        for wrong in [
            &["Basic abc"][..],
            &["Bearerabc"],
            &["Bear"],
            &[],
            &["Bearer a", "Bearer b"],
        ] {
            assert_eq!(with(wrong), None, "{wrong:?}");
        }
    }
}
