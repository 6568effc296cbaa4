//! Addresses as squares that a telephone reads, and as text for everyone else. Pure.
//!
//! Only addresses that the place's own configuration names come here: none from a line of a sheet
//! is ever printed as a square, for nobody sees where a square leads.

use qrcodegen::{QrCode, QrCodeEcc};
use raccord_model::Lang;
use serde::Serialize;

use crate::typography as set;

/// Longer addresses would make squares too fine for a printed page.
const ADDRESS: usize = 200;

/// An address to be read by a telephone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Code {
    /// What is there.
    pub caption: &'static str,
    /// The address in words, without `https://`.
    pub address: String,
    /// How many modules each side has.
    pub size: i32,
    /// Dark stretches: the column and row of the first module, and how many follow.
    pub runs: Vec<(i32, i32, i32)>,
}

/// The square of `url`; none for what is no web address, or a very long one.
pub(crate) fn code(url: &str, caption: &'static str) -> Option<Code> {
    if !is_address(url) {
        return None;
    }
    let code = QrCode::encode_text(url, QrCodeEcc::Medium).ok()?;
    let size = code.size();
    let mut runs = Vec::new();
    for y in 0..size {
        let mut x = 0;
        while x < size {
            let dark = (x..size)
                .take_while(|&each| code.get_module(each, y))
                .count();
            let length = i32::try_from(dark).ok()?;
            if length > 0 {
                runs.push((x, y, length));
            }
            x += length + 1;
        }
    }
    Some(Code {
        caption,
        address: short(url),
        size,
        runs,
    })
}

/// Whether `url` can be printed as a square.
pub(crate) fn is_address(url: &str) -> bool {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty())
        && url.len() <= ADDRESS
        && !url.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// An address as it is printed: without its scheme and last slash.
pub(crate) fn short(url: &str) -> String {
    let short = url
        .trim_start_matches("https://")
        .trim_start_matches("http://");
    set::line(short.trim_end_matches('/'), Lang::En, 120)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_dark_stretches_are_the_code_again() {
        let url = "https://programme.example.org/2027-01.html";
        let ours = code(url, "").unwrap();
        let theirs = QrCode::encode_text(url, QrCodeEcc::Medium).unwrap();
        let dark = |x: i32, y: i32| {
            ours.runs
                .iter()
                .any(|&(from, row, length)| row == y && (from..from + length).contains(&x))
        };
        for y in 0..ours.size {
            for x in 0..ours.size {
                assert_eq!(dark(x, y), theirs.get_module(x, y), "{x} {y}");
            }
        }
        assert_eq!(
            ours.address.replace('\u{200b}', ""),
            "programme.example.org/2027-01.html"
        );
    }

    #[test]
    fn what_leads_nowhere_is_no_square() {
        let long = format!("https://example.org/{}", "x".repeat(ADDRESS));
        for url in [
            "",
            "programme.example.org",
            "javascript:alert(1)",
            "https://",
            "https://a b",
            &long,
        ] {
            assert_eq!(code(url, ""), None, "{url}");
        }
    }
}
