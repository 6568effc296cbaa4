//! What a template sees of the world: its own files, the data, the fonts, the data's date. Nothing
//! of the machine.

use std::collections::HashMap;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::Value;
use typst::diag::{FileError, FileResult, PackageError, SourceDiagnostic};
use typst::foundations::{Bytes, Datetime, Duration};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World, WorldExt};

use crate::fonts::Fonts;
use crate::{Content, DATA, Template, TypesetError};

/// A world with no way out.
pub(crate) struct Sealed {
    library: LazyHash<Library>,
    fonts: &'static Fonts,
    main: Source,
    files: HashMap<FileId, Bytes>,
    date: Option<Datetime>,
}

impl Sealed {
    pub(crate) fn new(template: &Template, data: &Value) -> Result<Self, TypesetError> {
        let mut files = HashMap::with_capacity(template.files.len() + 1);
        for (name, content) in &template.files {
            let bytes = match content {
                Content::Text(text) => Bytes::from_string(text.clone()),
                Content::Bytes { base64 } => {
                    let refused = |_| TypesetError::Base64 { name: name.clone() };
                    Bytes::new(BASE64_STANDARD.decode(base64).map_err(refused)?)
                }
            };
            files.insert(id_of(name)?, bytes);
        }
        files.insert(id_of(DATA)?, Bytes::from_string(data.to_string()));
        Ok(Self {
            library: LazyHash::new(Library::default()),
            fonts: Fonts::shared(),
            main: Source::new(id_of("main.typ")?, template.main.clone()),
            files,
            date: data.get("date").and_then(Value::as_str).and_then(read_date),
        })
    }

    /// The data's date.
    pub(crate) fn date(&self) -> Option<Datetime> {
        self.date
    }

    /// The line a diagnostic is about, from 1.
    pub(crate) fn line(&self, diagnostic: &SourceDiagnostic) -> Option<usize> {
        let id = diagnostic.span.id()?;
        let range = self.range(diagnostic.span)?;
        let line = self.source(id).ok()?.lines().byte_to_line(range.start)?;
        Some(line + 1)
    }
}

fn id_of(name: &str) -> Result<FileId, TypesetError> {
    let refused = || TypesetError::FileName {
        name: name.chars().take(80).collect(),
    };
    let path = VirtualPath::new(name).map_err(|_| refused())?;
    Ok(RootedPath::new(VirtualRoot::Project, path).intern())
}

fn read_date(text: &str) -> Option<Datetime> {
    let mut parts = text.splitn(3, '-');
    let year = parts.next()?.parse().ok()?;
    let month = parts.next()?.parse().ok()?;
    let day = parts.next()?.parse().ok()?;
    Datetime::from_ymd(year, month, day)
}

impl World for Sealed {
    fn library(&self) -> &LazyHash<Library> {
        &self.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &self.fonts.book
    }

    fn main(&self) -> FileId {
        self.main.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == self.main.id() {
            return Ok(self.main.clone());
        }
        let bytes = self.file(id)?;
        let text = bytes.as_str().map_err(|_| FileError::InvalidUtf8)?;
        Ok(Source::new(id, text.to_owned()))
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        if let VirtualRoot::Package(_) = id.root() {
            return Err(FileError::Package(PackageError::Other(Some(
                "templates cannot use packages".into(),
            ))));
        }
        if id == self.main.id() {
            return Ok(Bytes::from_string(self.main.text().to_owned()));
        }
        self.files
            .get(&id)
            .cloned()
            .ok_or_else(|| FileError::Other(Some("templates can read their own files only".into())))
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.fonts.face(index)
    }

    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        self.date
    }
}
