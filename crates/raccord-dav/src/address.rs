//! Paths and ETags as servers write them, and as they are compared.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// What a path may not hold as it is.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// A decoded path as it is sent.
pub fn encoded(path: &str) -> String {
    utf8_percent_encode(path, PATH).to_string()
}

/// The decoded path of an address, which may be whole or begin with its path. Some servers write
/// `caf%c3%a9`, others `caf%C3%A9`: only what is decoded can be compared.
pub fn path_of(address: &str) -> String {
    let path = match address.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => address,
    };
    percent_decode_str(path.trim())
        .decode_utf8_lossy()
        .into_owned()
}

/// A path with a slash at its end.
pub fn slashed(path: &str) -> String {
    if path.ends_with('/') {
        path.to_owned()
    } else {
        format!("{path}/")
    }
}

/// An ETag as servers compare it: what proxies add when they compress is taken away.
pub fn etag(text: &str) -> String {
    let text = text.trim();
    let strong = text.strip_prefix("W/").unwrap_or(text);
    match strong.strip_suffix("-gzip\"") {
        Some(start) => format!("{start}\""),
        None => strong.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_are_one_whatever_their_letters() {
        for address in [
            "/c/caf%c3%a9%20du%20matin/",
            "/c/caf%C3%A9%20du%20matin/",
            "https://h:8443/c/caf%c3%a9 du matin/",
        ] {
            assert_eq!(path_of(address), "/c/café du matin/", "{address}");
        }
        assert_eq!(path_of("https://h"), "/");
    }

    #[test]
    fn an_etag_is_the_same_through_a_proxy() {
        for text in ["\"a1\"", "W/\"a1\"", "\"a1-gzip\"", " W/\"a1-gzip\" "] {
            assert_eq!(etag(text), "\"a1\"", "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_path_comes_back(path in "/[^\u{0}]{0,40}") {
            prop_assume!(path.trim() == path && !path.contains("://"));
            prop_assert_eq!(path_of(&encoded(&path)), path);
        }
    }
}
