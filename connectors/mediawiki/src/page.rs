//! Our part of a page: what stands between two marks. The rest is other people's and keeps its bytes.

use std::ops::Range;

/// Our part of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ours(Range<usize>);

const BEGIN: &str = "<!-- raccord:begin";
const END: &str = "<!-- raccord:end -->";

impl Ours {
    /// Finds it; nothing where one of the marks is not there.
    pub(crate) fn find(page: &str) -> Option<Self> {
        let mark = page.find(BEGIN)?;
        let begin = mark + page[mark..].find("-->")? + 3;
        let end = begin + page[begin..].find(END)?;
        Some(Self(begin..end))
    }

    /// What it says.
    pub(crate) fn said<'a>(&self, page: &'a str) -> &'a str {
        page[self.0.clone()].trim()
    }

    /// The page with something else there.
    pub(crate) fn put(&self, page: &str, text: &str) -> String {
        let (before, after) = (&page[..self.0.start], &page[self.0.end..]);
        format!("{before}\n{text}\n{after}")
    }
}

/// A page that had no part of ours, with one at its end.
pub(crate) fn with(page: &str, text: &str, note: &str) -> String {
    let page = page.trim_end();
    let gap = if page.is_empty() { "" } else { "\n\n" };
    format!("{page}{gap}{BEGIN} – {note} -->\n{text}\n{END}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn our_part_is_put_in_and_exchanged_and_the_rest_keeps_its_bytes() {
        let page = with("Bonjour\n\n", "un", "note");
        let ours = Ours::find(&page).unwrap();
        assert_eq!(ours.said(&page), "un");
        let page = format!("{page}\nÀ bientôt");
        let next = ours.put(&page, "deux");
        assert_eq!(next, page.replace("\nun\n", "\ndeux\n"));
        assert_eq!(
            Ours::find(&with("", "x", "n"))
                .unwrap()
                .said(&with("", "x", "n")),
            "x"
        );
        for odd in [
            "",
            "<!-- raccord:begin",
            "<!-- raccord:begin -->",
            "<!-- raccord:end -->",
        ] {
            assert_eq!(Ours::find(odd), None, "{odd}");
        }
    }
}
