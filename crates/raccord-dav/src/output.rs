//! Where a connector's files go: a folder on the disk, or one that a cloud keeps. What is written,
//! read back and taken away is the same for both.

use std::path::{Path, PathBuf};

use http::HeaderValue;
use raccord_kit::http::Target;
use raccord_kit::secret::SecretSource;
use raccord_kit::{Finding, Kit, files};
use raccord_model::{Blame, Failure, Words};

use crate::shelf::Shelf;
use crate::{Dav, Keys};

/// A file that is longer is not read back, in bytes.
pub const LONGEST: u64 = 64 << 20;

/// The folder that the files go to.
pub enum Output {
    /// On the disk.
    Disk(PathBuf),
    /// In a cloud.
    Cloud(Box<Shelf>),
}

/// Who logs in at a cloud.
#[derive(Debug)]
pub struct Login<'a> {
    /// The account.
    pub user: Option<&'a str>,
    /// Its password.
    pub password: Option<SecretSource>,
}

impl Output {
    /// The folder that `output` names: an address or a path.
    ///
    /// # Errors
    /// A failure of blame `data` where an address is none, is no folder's, or nobody is to log in.
    pub fn of(output: &str, login: Login<'_>, keys: Keys, kit: &Kit) -> Result<Self, Failure> {
        if !is_address(output) {
            return Ok(Self::Disk(kit.path(output)));
        }
        let base = Target::configured(keys.address, output)?;
        let user = login.user.ok_or_else(|| nobody(keys))?;
        let dav = Dav::new(keys, base, user, login.password, kit)?;
        Ok(Self::Cloud(Box::new(Shelf::of(dav)?)))
    }

    /// The folder on the disk, where it is there.
    pub fn disk(&self) -> Option<&Path> {
        match self {
            Self::Disk(root) => Some(root),
            Self::Cloud(_) => None,
        }
    }

    /// The folder, for people.
    pub fn shown(&self) -> String {
        match self {
            Self::Disk(root) => root.display().to_string(),
            Self::Cloud(shelf) => shelf.shown(),
        }
    }

    /// What a file holds; nothing where there is none. One that is longer than [`LONGEST`], or on a
    /// disk cannot be read, counts as empty.
    ///
    /// # Errors
    /// When a cloud does not say.
    pub async fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Failure> {
        match self {
            Self::Disk(root) => Ok(on_disk(&inside(root, path)?)),
            Self::Cloud(shelf) => shelf.read(path).await,
        }
    }

    /// Whether there is a file at `path`.
    ///
    /// # Errors
    /// When a cloud does not say.
    pub async fn exists(&self, path: &str) -> Result<bool, Failure> {
        match self {
            Self::Disk(root) => Ok(inside(root, path)?.exists()),
            Self::Cloud(shelf) => shelf.exists(path).await,
        }
    }

    /// Makes a file hold `bytes`, with its folder where there is none; whether it changed. In a cloud,
    /// where other people keep files too, only over one that `mine` knows as ours.
    ///
    /// # Errors
    /// As [`files::write`]; what a server refuses, told apart.
    pub async fn write(
        &self,
        path: &str,
        bytes: &[u8],
        mine: impl Fn(&[u8]) -> bool + Send,
    ) -> Result<bool, Failure> {
        match self {
            Self::Disk(root) => {
                let written = files::write(&inside(root, path)?, bytes)?;
                Ok(written != files::Written::Same)
            }
            Self::Cloud(shelf) => shelf.write(path, bytes, media(path), mine).await,
        }
    }

    /// Takes a file away, in a cloud only one that `mine` knows as ours; whether there was one.
    ///
    /// # Errors
    /// As [`Output::write`].
    pub async fn remove(
        &self,
        path: &str,
        mine: impl Fn(&[u8]) -> bool + Send,
    ) -> Result<bool, Failure> {
        match self {
            Self::Disk(root) => files::remove(&inside(root, path)?),
            Self::Cloud(shelf) => shelf.remove(path, mine).await,
        }
    }

    /// The names of what lies in a folder below (`""` for this one); none where it is not there.
    ///
    /// # Errors
    /// When a cloud does not say.
    pub async fn names(&self, folder: &str) -> Result<Vec<String>, Failure> {
        match self {
            Self::Disk(root) => {
                let entries = std::fs::read_dir(root.join(folder));
                let entries = entries.into_iter().flatten().flatten();
                Ok(entries
                    .filter_map(|entry| entry.file_name().into_string().ok())
                    .collect())
            }
            Self::Cloud(shelf) => shelf.names(folder).await,
        }
    }

    /// Takes away a folder below that holds nothing any more. In a cloud it stays: somebody may be
    /// putting something there just now.
    pub fn prune(&self, folder: &str) {
        if let Self::Disk(root) = self {
            // Whatever else somebody put there keeps it.
            drop(std::fs::remove_dir(root.join(folder)));
        }
    }

    /// Takes away what an interrupted write left in a folder below. A cloud has either file whole.
    ///
    /// # Errors
    /// As [`files::sweep`].
    pub fn sweep(&self, folder: &str) -> Result<(), Failure> {
        match self {
            Self::Disk(root) => files::sweep(&root.join(folder)).map(drop),
            Self::Cloud(_) => Ok(()),
        }
    }

    /// What is wrong with the way to a cloud's folder. Writes nothing; finds nothing about a disk.
    pub async fn look(&self) -> Vec<Finding> {
        match self {
            Self::Disk(_) => Vec::new(),
            Self::Cloud(shelf) => shelf.look().await,
        }
    }
}

/// A file in a folder, by a name that may come from data, or by that of a mark of ours.
pub(crate) fn inside(root: &Path, path: &str) -> Result<PathBuf, Failure> {
    let plain = path
        .strip_prefix('.')
        .filter(|rest| rest.starts_with("raccord-"));
    files::inside(Path::new(""), plain.unwrap_or(path))?;
    Ok(root.join(path))
}

/// Whether an `output` is an address, and no path.
fn is_address(output: &str) -> bool {
    let start = output.get(..8).unwrap_or(output).to_ascii_lowercase();
    start.starts_with("http://") || start.starts_with("https://")
}

fn on_disk(path: &Path) -> Option<Vec<u8>> {
    use std::io::Read as _;
    let mut out = Vec::new();
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error)
            if matches!(
                error.kind(),
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
            ) =>
        {
            return None;
        }
        Err(_) => return Some(out),
    };
    match file.take(LONGEST + 1).read_to_end(&mut out) {
        Ok(length) if length as u64 <= LONGEST => Some(out),
        _ => Some(Vec::new()),
    }
}

/// The media type of a file, by the end of its name.
fn media(path: &str) -> HeaderValue {
    HeaderValue::from_static(match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json") => "application/json",
        Some("ics") => "text/calendar; charset=utf-8",
        Some("xml") => "application/xml; charset=utf-8",
        Some("pdf") => "application/pdf",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    })
}

fn nobody(keys: Keys) -> Failure {
    Failure::new(
        Blame::Data,
        format!("{}.no-user", keys.kind),
        Words::new(
            format!(
                "La clé «\u{a0}{}\u{a0}» est une adresse, et aucun compte n’est donné.",
                keys.address
            ),
            format!(
                "The key “{}” is an address, and no account is given.",
                keys.address
            ),
        ),
        Words::new(
            format!(
                "Ajoutez «\u{a0}user\u{a0}» et «\u{a0}{}\u{a0}» (un mot de passe d’application).",
                keys.password
            ),
            format!("Add “user” and “{}” (an app password).", keys.password),
        ),
    )
}
