//! What can go wrong in a demo.

use std::io;
use std::path::{Path, PathBuf};

use raccord_model::Words;

/// Why a demo ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file, a port or a program of this machine.
    #[error("{} cannot be used", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// What should have been there by now is not.
    #[error("missing: {}", .0.en)]
    Missing(Words),
    /// Somebody ended it.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// A file, a port or a program of this machine failed.
    pub(crate) fn file(path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        let path = path.as_ref().to_owned();
        move |source| Self::File { path, source }
    }

    /// What should have been there by now is not.
    pub(crate) fn missing(fr: impl Into<String>, en: impl Into<String>) -> Self {
        Self::Missing(Words::new(fr, en))
    }
}
