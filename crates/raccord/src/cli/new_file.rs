//! Files that a command writes where it is told to.

use std::io::Write as _;
use std::path::Path;

use raccord_model::Words;

use crate::report::Problem;

/// Writes a file that is not there yet: a slip must not cost the sheet.
///
/// # Errors
/// When it is there, or cannot be written.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), Problem> {
    std::fs::File::create_new(path)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .map_err(|cause| match cause.kind() {
            std::io::ErrorKind::AlreadyExists => is_there(path),
            _ => Problem::file(path, &cause),
        })
}

fn is_there(path: &Path) -> Problem {
    Problem::failed(
        path.display().to_string(),
        "file-exists",
        Words::new("Ce fichier existe déjà.", "This file is there already."),
        Words::new(
            "Donnez un autre nom : rien n'est écrasé.",
            "Give another name: nothing is written over.",
        ),
    )
}
