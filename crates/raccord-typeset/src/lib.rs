//! Typesets a document to PDF with Typst, and does it in a child process with limits.
//!
//! A template is Typst source with the files it brings along; the data is JSON, which the template
//! reads with `json("data.json")`. Text in the data is text: nothing in it is ever read as markup.
//! A template reaches no file of the machine, no package, no network and no clock; the same
//! template and data give the same bytes. What stands in a template is its author's: nothing here
//! knows what a programme is.

mod child;
mod fonts;
mod world;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use typst::diag::{Severity, SourceDiagnostic};
use typst::foundations::Smart;
use typst::layout::{Frame, FrameItem};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards};

pub use child::{Heading, Limits, Refusal, Request, STAY, child_main, child_stays};
use world::Sealed;

/// The name under which a template finds its data.
pub const DATA: &str = "data.json";

/// What a document looks like: Typst source, with the files it may read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// The Typst source.
    pub main: String,
    /// Other files, by the path the source calls them by (`logo.svg`, `parts/head.typ`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, Content>,
}

/// What stands in a template's file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Content {
    /// Text: more Typst source, or a drawing (SVG).
    Text(String),
    /// Anything else: a picture (PNG, JPEG).
    Bytes {
        /// The bytes, as base64 with padding.
        base64: String,
    },
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl Template {
    /// A template of one source, without other files.
    pub fn of(main: impl Into<String>) -> Self {
        Self {
            main: main.into(),
            files: BTreeMap::new(),
        }
    }
}

/// A finished document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pdf {
    /// The file.
    pub bytes: Vec<u8>,
    /// What is written on each page, run by run.
    pub pages: Vec<String>,
    /// Whether it fulfils PDF/UA-1 (accessible to screen readers).
    pub accessible: bool,
    /// What the template's author should look at, although a document came out.
    pub warnings: Vec<Remark>,
}

/// Something the template's author should know, with its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// What is wrong.
    pub text: String,
    /// The line in the template, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// What to try.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
}

impl std::fmt::Display for Remark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        f.write_str(&self.text)?;
        if let Some(hint) = self.hints.first() {
            write!(f, " ({hint})")?;
        }
        Ok(())
    }
}

/// Why no document came out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TypesetError {
    /// The template does not compile, or asks for what it may not have.
    #[error("the template cannot be typeset: {}", remarks.first().map(ToString::to_string).unwrap_or_default())]
    Template {
        /// Every fault, in the order of the source.
        remarks: Vec<Remark>,
    },
    /// A file of the template has a name that leads elsewhere.
    #[error("{name:?} cannot be the name of a template's file")]
    FileName {
        /// The name.
        name: String,
    },
    /// A file of the template is not base64.
    #[error("{name:?} is not in base64")]
    Base64 {
        /// The name.
        name: String,
    },
    /// The document has no page.
    #[error("the template made no page")]
    Empty,
}

/// Typesets `data` with `template`.
///
/// The document's title, keywords and date are what the template sets; where it sets none, the
/// data's `title`, `keywords` (a list) and `date` (`2026-12-31`) are taken. `datetime.today()` is
/// the data's `date`.
///
/// ```
/// use raccord_typeset::{Template, typeset};
/// let template = Template::of("#let data = json(\"data.json\")\n#data.text");
/// let pdf = typeset(&template, &serde_json::json!({"text": "#panic() *plain* @all"})).unwrap();
/// assert!(pdf.bytes.starts_with(b"%PDF-"));
/// assert_eq!(pdf.pages, ["#panic() *plain* @all\n"]);
/// ```
///
/// # Errors
/// [`TypesetError`]; a template that never ends is only stopped in a child ([`child_main`]).
pub fn typeset(template: &Template, data: &Value) -> Result<Pdf, TypesetError> {
    let world = Sealed::new(template, data)?;
    let (document, warnings) = compile(&world, data)?;

    let (bytes, accessible) = if let Ok(bytes) = typst_pdf::pdf(&document, &options(true)) {
        (bytes, true)
    } else {
        // A place's own template may lack what PDF/UA asks for (say, a picture's description), a
        // text may hold a sign that no font has: the document is still tagged.
        let bytes = typst_pdf::pdf(&document, &options(false)).map_err(|errors| {
            TypesetError::Template {
                remarks: remarks(&world, &errors),
            }
        })?;
        (bytes, false)
    };
    Ok(Pdf {
        bytes,
        pages: document
            .pages()
            .iter()
            .map(|page| written(&page.frame))
            .collect(),
        accessible,
        warnings,
    })
}

/// The pages of `data` with `template`, laid out and not yet written to a file.
///
/// # Errors
/// As [`typeset`].
pub fn lay_out(template: &Template, data: &Value) -> Result<PagedDocument, TypesetError> {
    Ok(compile(&Sealed::new(template, data)?, data)?.0)
}

fn compile(world: &Sealed, data: &Value) -> Result<(PagedDocument, Vec<Remark>), TypesetError> {
    let compiled = typst::compile::<PagedDocument>(world);
    let mut document = compiled.output.map_err(|errors| TypesetError::Template {
        remarks: remarks(world, &errors),
    })?;
    if document.pages().is_empty() {
        return Err(TypesetError::Empty);
    }

    let info = document.info_mut();
    if info.title.is_none() {
        info.title = data.get("title").and_then(Value::as_str).map(Into::into);
    }
    if info.keywords.is_empty()
        && let Some(keywords) = data.get("keywords").and_then(Value::as_array)
    {
        info.keywords = keywords
            .iter()
            .filter_map(Value::as_str)
            .map(Into::into)
            .collect();
    }
    if info.date.is_auto() {
        info.date = Smart::Custom(world.date());
    }
    Ok((document, remarks(world, &compiled.warnings)))
}

/// The text of a frame, a line for each run.
fn written(frame: &Frame) -> String {
    let mut text = String::new();
    for (_, item) in frame.items() {
        match item {
            FrameItem::Group(group) => text.push_str(&written(&group.frame)),
            FrameItem::Text(run) => {
                text.push_str(&run.text);
                text.push('\n');
            }
            _ => {}
        }
    }
    text
}

fn options(accessible: bool) -> PdfOptions {
    let standards = if accessible {
        PdfStandards::new(&[PdfStandard::Ua_1]).expect("one standard agrees with itself")
    } else {
        PdfStandards::default()
    };
    PdfOptions {
        creator: Smart::Custom(Some("Raccord".into())),
        standards,
        tagged: true,
        ..PdfOptions::default()
    }
}

fn remarks(world: &Sealed, diagnostics: &[SourceDiagnostic]) -> Vec<Remark> {
    let mut remarks: Vec<Remark> = diagnostics
        .iter()
        .take(20)
        .map(|diagnostic| Remark {
            text: diagnostic.message.to_string(),
            line: world.line(diagnostic),
            hints: diagnostic
                .hints
                .iter()
                .map(|hint| hint.v.to_string())
                .collect(),
        })
        .collect();
    if diagnostics.iter().any(|d| d.severity == Severity::Error) {
        remarks.sort_by_key(|remark| remark.line.unwrap_or(usize::MAX));
    }
    remarks
}
