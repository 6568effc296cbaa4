//! `/newsletter`: asking for a letter, confirming it, leaving it. A page that was opened by a link
//! changes nothing; the form on it does.

use askama::Template;
use raccord_model::{Lang, Place};
use serde::{Deserialize, Serialize};

/// The path of the page by which one leaves.
pub(super) const LEAVE: &str = "/newsletter/leave";

/// A page about a letter.
#[derive(Clone, Serialize, Deserialize)]
pub enum Page {
    /// The form that asks for it.
    Ask {
        /// The letters there are, as the configuration calls them.
        lists: Vec<String>,
    },
    /// A link is on its way, if the address is one.
    Sent,
    /// The form behind the link.
    Confirm {
        /// The link's secret.
        key: String,
    },
    /// It is confirmed.
    Confirmed,
    /// The form behind the link in each letter.
    Leave {
        /// What stands in that link.
        key: String,
    },
    /// Whoever had it has it no more.
    Left,
    /// A link is too old, was used, or is not whole.
    Stale,
}

impl std::fmt::Debug for Page {
    /// Without secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Page(..)")
    }
}

#[derive(Template)]
#[template(path = "newsletter.html")]
struct Drawn<'a> {
    page: &'a Page,
    lang: Lang,
    place: &'a Place,
    root: &'a str,
    style: &'a str,
}

/// The page, whose way up to the place's own root is `root`.
pub(super) fn render(page: &Page, lang: Lang, place: &Place, root: &str, style: &str) -> String {
    let drawn = Drawn {
        page,
        lang,
        place,
        root,
        style,
    };
    drawn
        .render()
        .expect("the page is written to memory and none of its parts can fail")
}

impl Drawn<'_> {
    fn say<'t>(&self, fr: &'t str, en: &'t str) -> &'t str {
        match self.lang {
            Lang::Fr => fr,
            Lang::En => en,
        }
    }

    /// The address of a form's answer, in the language of the page.
    fn at(&self, part: &str) -> String {
        format!("{}newsletter{part}?lang={}", self.root, self.lang)
    }

    fn heading(&self) -> &'static str {
        let (fr, en) = match self.page {
            Page::Ask { .. } => ("La lettre", "The letter"),
            Page::Sent => ("Regardez vos courriels", "Look at your mail"),
            Page::Confirm { .. } => ("Recevoir la lettre", "Receive the letter"),
            Page::Confirmed => ("C’est noté", "Done"),
            Page::Leave { .. } => ("Ne plus recevoir la lettre", "Stop receiving the letter"),
            Page::Left => ("C’est fait", "Done"),
            Page::Stale => ("Ce lien ne sert plus", "This link is no good any more"),
        };
        match self.lang {
            Lang::Fr => fr,
            Lang::En => en,
        }
    }
}
