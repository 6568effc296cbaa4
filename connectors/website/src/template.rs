//! What a place can replace: the style, its colours alone, the top and the foot of every page.
//!
//! The fragments are read when the connector is made, so that a changed one is a changed setting:
//! `plan` shows it. They are the sysadmin's and are trusted as they are; nothing in them is run.

use std::io::Read as _;
use std::path::Path;

use raccord_look::Tint;
use raccord_model::{Blame, Digest, Failure, Words};

/// Our own style, after the one all pages share.
const STYLE: &str = include_str!("../templates/style.css");

/// The files a template folder may hold, and the most bytes each may have.
const PARTS: [(&str, usize); 4] = [
    ("style.css", 30_000),
    ("tint.css", 4_000),
    ("header.html", 4_000),
    ("footer.html", 4_000),
];

/// What a place put in its template folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Template {
    style: Option<String>,
    tint: Option<String>,
    header: Option<String>,
    footer: Option<String>,
}

impl Template {
    /// Reads the fragments in `folder`.
    pub(crate) fn read(folder: &Path) -> Result<Self, Failure> {
        if !folder.is_dir() {
            return Err(wrong(folder, "n’est pas un dossier", "is not a folder"));
        }
        let mut parts = PARTS.map(|(name, most)| fragment(&folder.join(name), most));
        let [style, tint, header, footer] = &mut parts;
        let take = |part: &mut Result<Option<String>, Failure>| std::mem::replace(part, Ok(None));
        let template = Self {
            style: take(style)?,
            tint: take(tint)?,
            header: take(header)?,
            footer: take(footer)?,
        };
        if template == Self::default() {
            return Err(wrong(
                folder,
                "ne contient ni style.css, ni tint.css, ni header.html, ni footer.html",
                "holds neither style.css, tint.css, header.html nor footer.html",
            ));
        }
        Ok(template)
    }

    /// The style sheet of the site, for pages that find the letters at `letters`.
    pub(crate) fn style(&self, tint: &Tint, letters: &str) -> String {
        let ours = || raccord_look::style(tint, letters) + &raccord_look::squeezed(STYLE);
        let style = self.style.clone().unwrap_or_else(ours);
        match &self.tint {
            Some(tint) => format!("{style}\n{tint}"),
            None => style,
        }
    }

    /// The top of the page, in a page from which the site's root is `root`.
    pub(crate) fn header(&self, root: &str) -> Option<String> {
        self.header
            .as_ref()
            .map(|text| text.replace("{{root}}", root))
    }

    /// The foot of the page, in a page from which the site's root is `root`.
    pub(crate) fn footer(&self, root: &str) -> Option<String> {
        self.footer
            .as_ref()
            .map(|text| text.replace("{{root}}", root))
    }

    /// Tells templates apart; nothing where there is none, so that a newer look of our own is not
    /// an effect.
    pub(crate) fn digest(&self) -> Option<Digest> {
        (*self != Self::default()).then(|| Digest::of(format!("{self:?}").as_bytes()))
    }
}

fn fragment(path: &Path, most: usize) -> Result<Option<String>, Failure> {
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(_) => return Err(wrong(path, "ne peut pas être lu", "cannot be read")),
    };
    let mut text = String::new();
    match file.take(most as u64 + 1).read_to_string(&mut text) {
        Ok(read) if read > most => Err(wrong(
            path,
            &format!("dépasse {most} octets\u{a0}: les pages doivent rester légères"),
            &format!("is larger than {most} bytes: pages must stay light"),
        )),
        Ok(_) => Ok(Some(text)),
        Err(_) => Err(wrong(
            path,
            "n’est pas un texte en UTF-8",
            "is not a text in UTF-8",
        )),
    }
}

fn wrong(path: &Path, fr: &str, en: &str) -> Failure {
    let shown = path.display();
    Failure::new(
        Blame::Data,
        "website.template",
        Words::new(
            format!("La clé «\u{a0}template\u{a0}»\u{a0}: «\u{a0}{shown}\u{a0}» {fr}."),
            format!("The key “template”: “{shown}” {en}."),
        ),
        Words::new(
            "Mettez dans ce dossier un ou plusieurs de ces fichiers\u{a0}: style.css (30 ko au plus), \
             tint.css, header.html, footer.html (4 ko chacun au plus).",
            "Put one or more of these files in that folder: style.css (at most 30 kB), tint.css, \
             header.html, footer.html (at most 4 kB each).",
        ),
    )
}
