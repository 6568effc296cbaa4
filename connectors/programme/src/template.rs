//! The template: ours, or the file a place puts in its stead.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use raccord_model::{Digest, Failure};

use crate::failures;

const OURS: &str = include_str!("../templates/programme.typ");

/// No template weighs more.
const BYTES: u64 = 1024 * 1024;

/// Typst source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    pub text: String,
    /// Whether it is ours.
    pub own: bool,
}

impl Template {
    pub(crate) fn ours() -> Self {
        Self {
            text: OURS.to_owned(),
            own: true,
        }
    }

    /// Reads a place's own.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let unreadable = |error| failures::unreadable_template(path, &error);
        let file = File::open(path).map_err(unreadable)?;
        let mut text = String::new();
        file.take(BYTES + 1)
            .read_to_string(&mut text)
            .map_err(unreadable)?;
        if text.len() as u64 > BYTES {
            return Err(failures::heavy_template(path));
        }
        Ok(Self { text, own: false })
    }

    pub(crate) fn digest(&self) -> Digest {
        Digest::of(self.text.as_bytes())
    }
}
