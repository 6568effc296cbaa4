//! A folder of a cloud that a connector keeps files in, beside those of other people.
//!
//! A file is read before it is written, and written over exactly what was read. An ETag is no hash:
//! Nextcloud makes it of the date and the length, and two contents written within a second may share
//! one. So an ETag counts for what was read with it only once the file was older than that.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use http::HeaderValue;
use raccord_kit::Finding;
use raccord_model::{Blame, Digest, Failure, Words};

use crate::address::{path_of, slashed};
use crate::output::{LONGEST, inside};
use crate::{Dav, Fetched, File, Over, Stored};

/// How often a file that changes under our hands is read again.
const TURNS: usize = 4;

/// The folder.
pub struct Shelf {
    dav: Dav,
    /// Its decoded path, with a slash at its end.
    root: String,
    /// The decoded path that must be there: the folders below it are made.
    top: String,
    /// What is known of files by their paths in the folder.
    known: Mutex<BTreeMap<String, Known>>,
}

/// A file as it was read or written last.
#[derive(Clone)]
struct Known {
    etag: String,
    digest: Digest,
}

/// How a file stands to what it should hold.
enum There {
    Same,
    Other(File),
    Missing,
}

impl Shelf {
    /// The folder that the address of `dav` names.
    ///
    /// # Errors
    /// A failure of blame `data` where it names none.
    pub(crate) fn of(dav: Dav) -> Result<Self, Failure> {
        let url = dav.base().url();
        let dir = url.query_pairs().find(|(name, _)| name == "dir");
        let dir = dir.map(|(_, dir)| dir.into_owned());
        let (top, root) = place(&path_of(url.path()), dir.as_deref(), dav.user())
            .ok_or_else(|| no_folder(&dav))?;
        Ok(Self {
            dav,
            root,
            top,
            known: Mutex::default(),
        })
    }

    pub(crate) fn shown(&self) -> String {
        format!("{}{}", self.dav.host(), self.root)
    }

    /// The decoded path of a file here.
    fn path(&self, relative: &str) -> Result<String, Failure> {
        inside(Path::new(""), relative)?;
        Ok(format!("{}{relative}", self.root))
    }

    pub(crate) async fn read(&self, relative: &str) -> Result<Option<Vec<u8>>, Failure> {
        let path = self.path(relative)?;
        match self.dav.fetch(&path, None, LONGEST).await? {
            Fetched::File(file) => {
                self.learn(relative, &file);
                Ok(Some(file.bytes.into()))
            }
            Fetched::Missing | Fetched::Same => Ok(None),
        }
    }

    pub(crate) async fn exists(&self, relative: &str) -> Result<bool, Failure> {
        let there = self.dav.list(&self.path(relative)?, "0").await?;
        Ok(there.is_some_and(|rows| !rows.is_empty()))
    }

    pub(crate) async fn names(&self, folder: &str) -> Result<Vec<String>, Failure> {
        let path = match folder {
            "" => self.root.clone(),
            folder => slashed(&self.path(folder)?),
        };
        let rows = self.dav.list(&path, "1").await?.unwrap_or_default();
        // The folder itself is in the list too.
        let below = rows.iter().filter(|row| row.path != path);
        Ok(below.map(|row| row.name().to_owned()).collect())
    }

    pub(crate) async fn write(
        &self,
        relative: &str,
        bytes: &[u8],
        media: HeaderValue,
        mine: impl Fn(&[u8]) -> bool + Send,
    ) -> Result<bool, Failure> {
        let path = self.path(relative)?;
        let digest = Digest::of(bytes);
        let mut stored = false;
        for _ in 0..TURNS {
            let etag;
            let over = match self.compare(relative, &path, digest).await? {
                There::Same => return Ok(stored),
                There::Missing => Over::Nothing,
                There::Other(file) => {
                    if !mine(&file.bytes) {
                        return Err(self.not_ours(relative));
                    }
                    if file.etag.is_empty() {
                        return Err(self.dav.says().odd_answer());
                    }
                    etag = file.etag;
                    Over::This(&etag)
                }
            };
            let body = bytes.to_vec();
            match self.dav.store(&path, over, media.clone(), body).await? {
                // Fresh: its ETag does not count yet.
                Stored::Done(Some(_)) => {
                    self.forget(relative);
                    return Ok(true);
                }
                // It may have changed what it was given: what stands there is what counts.
                Stored::Done(None) => stored = true,
                Stored::Changed => {}
                Stored::NoFolder => self.make_above(&path).await?,
            }
            self.forget(relative);
        }
        Err(self.contended(relative))
    }

    pub(crate) async fn remove(
        &self,
        relative: &str,
        mine: impl Fn(&[u8]) -> bool + Send,
    ) -> Result<bool, Failure> {
        let path = self.path(relative)?;
        self.forget(relative);
        for _ in 0..TURNS {
            let file = match self.dav.fetch(&path, None, LONGEST).await? {
                Fetched::File(file) if mine(&file.bytes) => file,
                _ => return Ok(false),
            };
            if file.etag.is_empty() {
                return Err(self.dav.says().odd_answer());
            }
            if self.dav.discard(&path, &file.etag).await? {
                return Ok(true);
            }
        }
        Err(self.contended(relative))
    }

    /// How the file stands to what `digest` is of.
    async fn compare(&self, relative: &str, path: &str, digest: Digest) -> Result<There, Failure> {
        let known = self.lock().get(relative).cloned();
        let known = known.filter(|known| known.digest == digest);
        let etag = known.as_ref().map(|known| known.etag.as_str());
        Ok(match self.dav.fetch(path, etag, LONGEST).await? {
            Fetched::Same => There::Same,
            Fetched::Missing => There::Missing,
            Fetched::File(file) => {
                self.learn(relative, &file);
                if Digest::of(&file.bytes) == digest {
                    There::Same
                } else {
                    There::Other(file)
                }
            }
        })
    }

    fn learn(&self, relative: &str, file: &File) {
        if !file.is_settled() || file.etag.is_empty() {
            return self.forget(relative);
        }
        let known = Known {
            etag: file.etag.clone(),
            digest: Digest::of(&file.bytes),
        };
        self.lock().insert(relative.to_owned(), known);
    }

    fn forget(&self, relative: &str) {
        self.lock().remove(relative);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn make_above(&self, path: &str) -> Result<(), Failure> {
        let above = path.rfind('/').map_or("/", |at| &path[..=at]);
        self.dav.make_folder(&self.top, above).await
    }

    pub(crate) async fn look(&self) -> Vec<Finding> {
        let says = self.dav.says();
        let mut findings: Vec<Finding> = self
            .dav
            .password()
            .into_iter()
            .flat_map(raccord_kit::secret::SecretSource::findings)
            .collect();
        if findings
            .iter()
            .any(|one| one.level == raccord_kit::Level::Error)
        {
            return findings;
        }
        if let Err(failure) = self.reach().await {
            findings.push(Finding::of(says.key_of(&failure), &failure));
        }
        findings
    }

    /// Whether files can be made here, or in the nearest folder above that is there.
    async fn reach(&self) -> Result<(), Failure> {
        let mut path = self.root.as_str();
        loop {
            if let Some(rows) = self.dav.list(path, "0").await? {
                return match rows.first() {
                    Some(row) if !row.folder => Err(self.in_the_way(path)),
                    Some(row) if !row.writable() => Err(self.dav.says().read_only(path)),
                    Some(_) => Ok(()),
                    None => Err(self.dav.says().odd_answer()),
                };
            }
            if path.len() <= self.top.len() {
                return Err(self.dav.says().missing(&self.top));
            }
            let above = path.trim_end_matches('/').rfind('/').unwrap_or_default();
            path = &path[..=above];
        }
    }

    fn not_ours(&self, relative: &str) -> Failure {
        let shown = self.shown();
        self.dav.says().of(
            Blame::Data,
            "not-ours",
            Words::new(
                format!(
                    "Dans {shown}, il y a déjà un fichier «\u{a0}{relative}\u{a0}» que Raccord n’a pas fait\u{a0}: il n’y touche pas."
                ),
                format!(
                    "In {shown} there already is a file “{relative}” that Raccord did not make: it leaves it alone."
                ),
            ),
            Words::new(
                "Renommez ou déplacez ce fichier dans l’application Fichiers, puis tapez\u{a0}: raccord retry NOM. Ou donnez à Raccord un autre dossier.",
                "Rename or move that file in the Files app, then type: raccord retry NAME. Or give Raccord another folder.",
            ),
        )
    }

    fn in_the_way(&self, path: &str) -> Failure {
        self.dav.says().of(
            Blame::Access,
            "no-folder",
            Words::new(
                format!(
                    "Sur {}, {path} est un fichier et non un dossier.",
                    self.dav.host()
                ),
                format!("On {}, {path} is a file and no folder.", self.dav.host()),
            ),
            Words::new(
                format!(
                    "Écrivez l’adresse d’un dossier dans «\u{a0}{}\u{a0}».",
                    self.dav.says().keys().address
                ),
                format!(
                    "Write the address of a folder in “{}”.",
                    self.dav.says().keys().address
                ),
            ),
        )
    }

    fn contended(&self, relative: &str) -> Failure {
        self.dav.says().of(
            Blame::Transient,
            "contended",
            Words::new(
                format!(
                    "Quelqu’un change «\u{a0}{relative}\u{a0}» en ce moment sur {}.",
                    self.dav.host()
                ),
                format!(
                    "Somebody is changing “{relative}” right now on {}.",
                    self.dav.host()
                ),
            ),
            Words::new(
                "Rien à faire\u{a0}: Raccord réessaie de lui-même.",
                "Nothing to do: Raccord tries again by itself.",
            ),
        )
    }
}

/// The path that must be there and that of the folder, decoded, for the path of an address somebody
/// copied: WebDAV's, or the page of the Files app with its `dir`.
fn place(path: &str, dir: Option<&str>, user: &str) -> Option<(String, String)> {
    let plain = |path: &str| !path.split('/').any(|part| part == "." || part == "..");
    if !plain(path) || !dir.is_none_or(plain) {
        return None;
    }
    if let Some(at) = path.find("/remote.php/") {
        let (front, inner) = path.split_at(at);
        if let Some(files) = inner.strip_prefix("/remote.php/dav/files/") {
            let owner = files.split('/').next().filter(|owner| !owner.is_empty())?;
            let top = format!("{front}/remote.php/dav/files/{owner}/");
            return Some((top, slashed(path)));
        }
        let top = format!("{front}/remote.php/webdav/");
        return slashed(path)
            .starts_with(&top)
            .then(|| (top, slashed(path)));
    }
    if let Some(at) = path.find("/apps/files") {
        let front = path[..at].trim_end_matches("/index.php");
        let top = format!("{front}/remote.php/dav/files/{user}/");
        let dir = dir?.trim_matches('/');
        let root = if dir.is_empty() {
            top.clone()
        } else {
            format!("{top}{dir}/")
        };
        return Some((top, root));
    }
    // A cloud's front page, a share link or a file's number names no folder that can be written.
    let pages = ["", "/index.php", "/login", "/apps"];
    let page = path.trim_end_matches('/');
    let linked = ["/s/", "/f/"].iter().any(|part| path.contains(part));
    (!pages.contains(&page) && !linked).then(|| ("/".to_owned(), slashed(path)))
}

fn no_folder(dav: &Dav) -> Failure {
    let says = dav.says();
    let key = says.keys().address;
    says.of(
        Blame::Data,
        "no-folder-address",
        Words::new(
            format!("L’adresse dans «\u{a0}{key}\u{a0}» n’est pas celle d’un dossier."),
            format!("The address in “{key}” is not a folder’s."),
        ),
        Words::new(
            "Ouvrez le dossier dans l’application Fichiers et copiez l’adresse de la page (elle finit par ?dir=/…), ou écrivez https://nuage.example.org/remote.php/dav/files/COMPTE/DOSSIER/",
            "Open the folder in the Files app and copy the page’s address (it ends with ?dir=/…), or write https://cloud.example.org/remote.php/dav/files/ACCOUNT/FOLDER/",
        ),
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_known_by_whatever_address_people_copy() {
        let of = |path: &str, dir: Option<&str>| {
            let found = place(path, dir, "raccord");
            found.map(|(top, root)| root.strip_prefix(&top).unwrap().to_owned())
        };
        for (path, dir, folder) in [
            ("/remote.php/dav/files/raccord/Été", None, "Été/"),
            ("/nuage/remote.php/dav/files/raccord/a/b/", None, "a/b/"),
            ("/remote.php/webdav/Programme", None, "Programme/"),
            (
                "/apps/files/files/123",
                Some("/Programme d'été"),
                "Programme d'été/",
            ),
            ("/nuage/index.php/apps/files/", Some("/"), ""),
            ("/dav/raccord/site", None, "dav/raccord/site/"),
        ] {
            assert_eq!(of(path, dir).as_deref(), Some(folder), "{path}");
        }
        for (path, dir) in [
            ("/", None),
            ("/index.php", None),
            ("/s/AbCdEf", None),
            ("/index.php/s/AbCdEf", None),
            ("/f/12345", None),
            ("/apps/files/files/123", None),
            ("/apps/files", Some("/../marie")),
            ("/remote.php/dav/files/", None),
            ("/remote.php/dav/calendars/raccord/programme", None),
            ("/remote.php/dav/files/raccord/../marie/", None),
        ] {
            assert_eq!(of(path, dir), None, "{path}");
        }
        let (top, _) = place("/nuage/index.php/apps/files/", Some("/a"), "raccord").unwrap();
        assert_eq!(top, "/nuage/remote.php/dav/files/raccord/");
    }
}
