//! The sheets a month can become, and the template of each: ours, or the file a place puts in its
//! stead, with the place's logo beside it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use raccord_model::{Digest, Failure};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::failures;
use crate::logo::{self, Content};

/// What our templates have in common: inks, shapes, squares for telephones.
const PARTS: &str = include_str!("../templates/parts.typ");

/// No template weighs more.
const BYTES: u64 = 1024 * 1024;

/// One of the sheets a month can become.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Sheet {
    /// A4, to pin up.
    Wall,
    /// A4, folded to A5.
    Leaflet,
    /// What changed since the edition on the wall.
    Since,
    /// A sheet to sign on for each activity.
    Signup,
}

impl Sheet {
    /// Each of them.
    pub(crate) const ALL: [Self; 4] = [Self::Wall, Self::Leaflet, Self::Since, Self::Signup];

    /// The name of its file for the month of `key`.
    pub(crate) fn file(self, key: &str) -> String {
        format!("programme-{key}{}.pdf", self.suffix())
    }

    /// The month whose file has this name.
    pub(crate) fn key(file: &str) -> Option<&str> {
        let key = file.strip_prefix("programme-")?.get(..7)?;
        Self::ALL
            .iter()
            .any(|sheet| sheet.file(key) == file)
            .then_some(key)
    }

    fn suffix(self) -> &'static str {
        match self {
            Self::Wall => "",
            Self::Leaflet => "-leaflet",
            Self::Since => "-since",
            Self::Signup => "-signup",
        }
    }

    fn ours(self) -> &'static str {
        match self {
            Self::Wall => include_str!("../templates/programme.typ"),
            Self::Leaflet => include_str!("../templates/leaflet.typ"),
            Self::Since => include_str!("../templates/since.typ"),
            Self::Signup => include_str!("../templates/signup.typ"),
        }
    }
}

/// Typst source, with the files it may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    pub text: String,
    pub files: BTreeMap<String, Content>,
    /// The name of the place's logo among the files.
    pub logo: Option<&'static str>,
    /// Whether it is ours.
    pub own: bool,
}

impl Template {
    /// Our own, for `sheet`.
    pub(crate) fn ours(sheet: Sheet) -> Self {
        Self {
            text: sheet.ours().to_owned(),
            files: [("parts.typ".to_owned(), Content::Text(PARTS.to_owned()))].into(),
            logo: None,
            own: true,
        }
    }

    /// Reads a place's own, or takes ours.
    pub(crate) fn read(
        sheet: Sheet,
        own: Option<&Path>,
        logo: Option<&Path>,
    ) -> Result<Self, Failure> {
        let mut template = Self::ours(sheet);
        if let Some(path) = own {
            template.text = text_of(path)?;
            template.own = false;
        }
        if let Some(path) = logo {
            let (name, content) = logo::read(path)?;
            template.files.insert(name.to_owned(), content);
            template.logo = Some(name);
            // A picture is not ours either: it may be what cannot be typeset.
            template.own = false;
        }
        Ok(template)
    }

    /// Tells `data` whether there is a logo, and its name.
    pub(crate) fn name_logo(&self, data: &mut Value) {
        data["logo"] = self.logo.is_some().into();
        if let Some(name) = self.logo {
            data["logo_file"] = name.into();
        }
    }

    pub(crate) fn digest(&self) -> Digest {
        let parts = serde_json::to_vec(&(&self.text, &self.files))
            .expect("strings always serialise into memory");
        Digest::of(&parts)
    }
}

fn text_of(path: &Path) -> Result<String, Failure> {
    let unreadable = |error| failures::unreadable_template(path, &error);
    let file = File::open(path).map_err(unreadable)?;
    let mut text = String::new();
    file.take(BYTES + 1)
        .read_to_string(&mut text)
        .map_err(unreadable)?;
    if text.len() as u64 > BYTES {
        return Err(failures::heavy_template(path));
    }
    Ok(text)
}
