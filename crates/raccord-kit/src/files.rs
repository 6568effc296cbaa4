//! Files that are either the old ones or the new ones, never half of each.
//!
//! A file is written beside its place, forced to disk, and renamed into it; a file whose content
//! is already right is not touched, so that its date stays true. Names that come from data never
//! leave the folder they are meant for. Nothing here decides what is written, or deletes a file
//! that Raccord did not make.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Component, Path, PathBuf};

use raccord_model::{Blame, Failure, Words};

/// The end of the names of files that are not finished.
pub const UNFINISHED: &str = ".raccord-unfinished";

/// What a write came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// There was no such file.
    New,
    /// It held something else.
    Changed,
    /// It held exactly this; it was not touched.
    Same,
}

/// Makes the file at `path` hold `content`, with its folder where there is none: after a crash
/// or a full disk it holds either what it held or all of `content`. Blocks; one writer per path.
///
/// ```
/// # let folder = tempfile::tempdir().unwrap();
/// use raccord_kit::files::{self, Written};
/// let path = folder.path().join("programme-2027-01.pdf");
/// assert_eq!(files::write(&path, b"one").unwrap(), Written::New);
/// assert_eq!(files::write(&path, b"one").unwrap(), Written::Same);
/// assert_eq!(files::write(&path, b"two").unwrap(), Written::Changed);
/// ```
///
/// # Errors
/// A [`Failure`] that says in plain words why the file cannot be written: `transient` when the
/// disk is full or broken, `access` when the folder is not ours to write in, `data` when the
/// path cannot be a file. `transient` too while its folder cannot hold files.
pub fn write(path: &Path, content: &[u8]) -> Result<Written, Failure> {
    write_io(path, content).map_err(|error| in_folder(path, &error))
}

fn write_io(path: &Path, content: &[u8]) -> io::Result<Written> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidFilename.into());
    };
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let before = match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        Ok(metadata) => Some(metadata),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    if let Some(metadata) = &before
        && metadata.len() == content.len() as u64
        && holds(path, content)?
    {
        return Ok(Written::Same);
    }
    if before.is_none() {
        make_folder(folder)?;
    }

    let unfinished = folder.join(unfinished_name(name));
    let finished = write_whole(&unfinished, content, before.as_ref())
        .and_then(|()| fs::rename(&unfinished, path));
    if let Err(error) = finished {
        // The first error is the one worth telling; what stays is taken away by `sweep`.
        drop(fs::remove_file(&unfinished));
        return Err(error);
    }
    File::open(folder)?.sync_all()?;
    Ok(if before.is_some() {
        Written::Changed
    } else {
        Written::New
    })
}

/// Whether there is certainly no file at `path`: what cannot be looked at is no certainty.
pub fn is_missing(path: &Path) -> bool {
    matches!(path.try_exists(), Ok(false))
}

/// Takes away the file at `path`; whether there was one.
///
/// # Errors
/// As [`write()`].
pub fn remove(path: &Path) -> Result<bool, Failure> {
    let removed = match fs::remove_file(path) {
        Ok(()) => path
            .parent()
            .map_or(Ok(()), |folder| File::open(folder)?.sync_all())
            .map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    };
    removed.map_err(|error| in_folder(path, &error))
}

/// Takes away what an interrupted [`write()`] left in `folder` (not in folders under it), and says
/// how many files that were. To be called before anything is written there. A folder that is not
/// there yet holds nothing.
///
/// # Errors
/// As [`write()`].
pub fn sweep(folder: &Path) -> Result<usize, Failure> {
    let sweep = || -> io::Result<usize> {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(error),
        };
        let mut swept = 0;
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.as_encoded_bytes();
            if name.starts_with(b".") && name.ends_with(UNFINISHED.as_bytes()) {
                fs::remove_file(entry.path())?;
                swept += 1;
            }
        }
        Ok(swept)
    };
    sweep().map_err(|error| in_folder(folder, &error))
}

/// Whether files can be made in `folder`, or in the nearest folder above it that is there already:
/// the ones below it will be made. Leaves nothing behind.
///
/// # Errors
/// As [`write()`].
pub fn can_write(folder: &Path) -> Result<(), Failure> {
    let there = folder
        .ancestors()
        .find(|path| path.as_os_str().is_empty() || path.exists())
        .filter(|path| !path.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let trial = there.join(unfinished_name(OsStr::new("trial")));
    let tried = write_whole(&trial, b"", None).and_then(|()| fs::remove_file(&trial));
    tried.map_err(|error| in_folder(there, &error))
}

/// Joins `folder` with a relative path that comes from data: only plain names, no `..`, nothing
/// absolute, no backslash, no control or invisible character, no name that some system cannot
/// hold.
///
/// ```
/// use raccord_kit::files::inside;
/// use std::path::Path;
/// assert!(inside(Path::new("out"), "activities/12.html").is_ok());
/// assert!(inside(Path::new("out"), "../raccord.toml").is_err());
/// ```
///
/// # Errors
/// A failure of blame `data`, code `files.name`.
pub fn inside(folder: &Path, relative: &str) -> Result<PathBuf, Failure> {
    let plain = Path::new(relative)
        .components()
        .all(|component| matches!(component, Component::Normal(_)));
    let safe = !relative.is_empty() && relative.len() <= 1024 && relative.split('/').all(safe_name);
    if plain && safe {
        return Ok(folder.join(relative));
    }
    let shown: String = relative.escape_debug().take(80).collect();
    Err(Failure::new(
        Blame::Data,
        "files.name",
        Words::new(
            format!("« {shown} » ne peut pas être un nom de fichier."),
            format!("“{shown}” cannot be a file name."),
        ),
        Words::new(
            "Employez des lettres, des chiffres et des tirets, sans « .. » ni « \\ ».",
            "Use letters, digits and dashes, without “..” or “\\”.",
        ),
    ))
}

/// Whether `name` may be the name of one file or folder.
fn safe_name(name: &str) -> bool {
    let invisible = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    !name.is_empty()
        && name.len() < 255 - UNFINISHED.len()
        && !name.starts_with(['.', ' ', '-', '~'])
        && !name.ends_with(['.', ' '])
        && !name
            .chars()
            .any(|c| invisible(c) || matches!(c, '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|'))
}

fn unfinished_name(name: &OsStr) -> OsString {
    let mut unfinished = OsString::from(".");
    unfinished.push(name);
    unfinished.push(UNFINISHED);
    unfinished
}

fn holds(path: &Path, content: &[u8]) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let mut buffer = [0; 16 * 1024];
    let mut rest = content;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(rest.is_empty());
        }
        match rest.split_at_checked(read) {
            Some((head, tail)) if head == &buffer[..read] => rest = tail,
            _ => return Ok(false),
        }
    }
}

fn write_whole(path: &Path, content: &[u8], before: Option<&fs::Metadata>) -> io::Result<()> {
    // What a killed process left, or a link somebody put there to make us write elsewhere.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    if let Some(before) = before {
        file.set_permissions(before.permissions())?;
    }
    file.write_all(content)?;
    file.sync_all()
}

/// Makes `folder` and those above it, each one durable in its parent.
fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = folder
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        make_folder(parent)?;
    }
    match fs::create_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => File::open(parent.unwrap_or(Path::new(".")))?.sync_all(),
    }
}

/// What an error of the system about a file in a folder of ours means: where the folder cannot
/// hold files, no file is at fault, and each is written once the folder is mended.
fn in_folder(path: &Path, error: &io::Error) -> Failure {
    use io::ErrorKind as Kind;
    if !matches!(error.kind(), Kind::NotFound | Kind::NotADirectory) {
        return failure(path, error);
    }
    let shown = path.display();
    Failure::new(
        Blame::Transient,
        "files.folder",
        Words::new(
            format!("« {shown} » : ce dossier ne peut pas recevoir de fichiers."),
            format!("“{shown}”: this folder cannot take files."),
        ),
        Words::new(
            "Vérifiez le chemin dans la configuration, et qu’aucun fichier n’est à la place d'un dossier ; Raccord réessaie de lui-même.",
            "Check the path in the configuration, and that no file stands in the place of a folder; Raccord tries again by itself.",
        ),
    )
}

/// What an error of the system about `path` means, in words.
pub(crate) fn failure(path: &Path, error: &io::Error) -> Failure {
    use io::ErrorKind as Kind;
    let shown = path.display();
    let (blame, code, fr, en, mend) = match error.kind() {
        Kind::PermissionDenied | Kind::ReadOnlyFilesystem => (
            Blame::Access,
            "files.forbidden",
            "Raccord n’y a pas accès",
            "Raccord has no access to it",
            Words::new(
                "Donnez à l’utilisateur qui fait tourner Raccord le droit de lire et d’écrire à cet endroit.",
                "Give the user Raccord runs as the right to read and write there.",
            ),
        ),
        Kind::StorageFull | Kind::QuotaExceeded | Kind::FileTooLarge => (
            Blame::Transient,
            "files.full",
            "il n’y a plus de place",
            "there is no room left",
            Words::new(
                "Libérez de la place ; Raccord réessaie de lui-même.",
                "Make room; Raccord tries again by itself.",
            ),
        ),
        Kind::NotFound => (
            Blame::Data,
            "files.missing",
            "il n’existe pas",
            "it does not exist",
            Words::new(
                "Vérifiez le chemin dans la configuration.",
                "Check the path in the configuration.",
            ),
        ),
        Kind::IsADirectory | Kind::NotADirectory | Kind::InvalidFilename => (
            Blame::Data,
            "files.path",
            "ce chemin n’est pas celui d’un fichier",
            "this path is not that of a file",
            Words::new(
                "Vérifiez le chemin dans la configuration.",
                "Check the path in the configuration.",
            ),
        ),
        _ => (
            Blame::Transient,
            "files.broken",
            "le disque ne répond pas comme il faut",
            "the disk does not answer as it should",
            Words::new(
                "Regardez l’état du disque ; Raccord réessaie de lui-même.",
                "Look at the state of the disk; Raccord tries again by itself.",
            ),
        ),
    };
    Failure::new(
        blame,
        code,
        Words::new(format!("« {shown} » : {fr}."), format!("“{shown}”: {en}.")),
        mend,
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn a_file_that_is_already_right_is_not_touched() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("site/a/index.html");
        assert_eq!(write(&path, b"<p>un</p>").unwrap(), Written::New);
        let before = fs::metadata(&path).unwrap().modified().unwrap();
        assert_eq!(write(&path, b"<p>un</p>").unwrap(), Written::Same);
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before);
        assert_eq!(write(&path, b"<p>on</p>").unwrap(), Written::Changed);
        assert_eq!(fs::read(&path).unwrap(), b"<p>on</p>");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn what_an_interrupted_write_left_is_swept_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let left = folder.path().join(unfinished_name(OsStr::new("feed.xml")));
        fs::write(&left, b"half").unwrap();
        fs::write(folder.path().join(".htaccess"), b"theirs").unwrap();
        fs::write(folder.path().join("feed.xml"), b"whole").unwrap();
        assert_eq!(sweep(folder.path()).unwrap(), 1);
        assert_eq!(sweep(folder.path()).unwrap(), 0);
        assert!(folder.path().join(".htaccess").exists());
        assert_eq!(sweep(&folder.path().join("not-there")).unwrap(), 0);
    }

    #[test]
    fn a_link_planted_in_the_place_of_the_unfinished_file_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let precious = folder.path().join("precious");
        fs::write(&precious, b"keep").unwrap();
        symlink(
            &precious,
            folder.path().join(unfinished_name(OsStr::new("feed.xml"))),
        )
        .unwrap();
        write(&folder.path().join("feed.xml"), b"new").unwrap();
        assert_eq!(fs::read(&precious).unwrap(), b"keep");
    }

    #[test]
    fn the_rights_a_sysadmin_gave_a_file_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("programme.pdf");
        write(&path, b"one").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        write(&path, b"two").unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o640
        );
    }

    #[test]
    fn names_from_data_never_leave_their_folder() {
        let folder = Path::new("out");
        for bad in [
            "",
            ".",
            "..",
            "../x",
            "a/../../x",
            "/etc/passwd",
            "a//b",
            "a/",
            "a\\b",
            "a\0b",
            "a\nb",
            "C:x",
            ".htaccess",
            "-rf",
            "a/.git",
            "x.",
            "x ",
            "\u{202e}fdp.exe",
            "con?",
            "a\u{2028}b",
        ] {
            assert_eq!(
                inside(folder, bad).unwrap_err().code,
                "files.name",
                "{bad:?}"
            );
        }
        assert!(inside(folder, &"é".repeat(400)).is_err());
        for good in ["index.html", "activities/12.html", "Réunion d’équipe.pdf"] {
            assert_eq!(inside(folder, good).unwrap(), folder.join(good));
        }
    }

    #[test]
    fn a_file_in_the_place_of_the_folder_is_an_outage_and_no_fault_of_each_file() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("out");
        fs::write(&output, b"in the way").unwrap();
        for path in [output.join("index.html"), output.join("a/b.html")] {
            let failure = write(&path, b"x").unwrap_err();
            assert_eq!(
                (failure.blame, failure.code.as_str()),
                (Blame::Transient, "files.folder")
            );
            assert_eq!(remove(&path).unwrap_err().code, "files.folder");
        }
        assert_eq!(can_write(&output).unwrap_err().code, "files.folder");
        assert_eq!(
            can_write(&output.join("a/b")).unwrap_err().code,
            "files.folder"
        );
        fs::remove_file(&output).unwrap();
        can_write(&output.join("a/b")).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_folder_that_only_looks_as_if_it_could_be_written_is_found_by_trying() {
        assert!(can_write(Path::new("/proc/raccord/out")).is_err());
        assert_eq!(
            write(Path::new("/proc/raccord/out"), b"x")
                .unwrap_err()
                .blame,
            Blame::Transient
        );
    }

    #[test]
    fn a_folder_in_the_place_of_the_file_is_said_plainly() {
        let folder = tempfile::tempdir().unwrap();
        let failure = write(folder.path(), b"x").unwrap_err();
        assert_eq!(
            (failure.blame, failure.code.as_str()),
            (Blame::Data, "files.path")
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
