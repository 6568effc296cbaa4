//! The folder the site lives in: ours alone, and known as such by a mark.
//!
//! A web server's folder often holds somebody's pages already. Nothing is written into a folder
//! whose front page is not ours, nor into one that another place writes.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use raccord_kit::files;
use raccord_model::{Blame, Digest, Failure, PlaceId, Words};

use crate::pages::FOLDERS;

/// The file that says whose folder it is.
const MARK: &str = ".raccord-website";

/// The site's folder.
#[derive(Debug)]
pub(crate) struct Folder {
    root: PathBuf,
    place: PlaceId,
    /// Whether it was found to be ours since the start.
    ready: Mutex<bool>,
}

impl Folder {
    pub(crate) fn new(root: PathBuf, place: PlaceId) -> Self {
        Self {
            root,
            place,
            ready: Mutex::new(false),
        }
    }

    /// A file of the site.
    pub(crate) fn path(&self, relative: &str) -> Result<PathBuf, Failure> {
        files::inside(&self.root, relative)
    }

    /// Where it is.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Makes sure the folder is ours, clears what an interrupted write left, and marks it. Does so
    /// once; to be called before anything is written.
    pub(crate) fn claim(&self) -> Result<(), Failure> {
        // Held for the whole of it: nobody writes before what is unfinished was swept.
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if *ready {
            return Ok(());
        }
        self.ours()?;
        for folder in ["activities"].iter().chain(&FOLDERS) {
            files::sweep(&self.root.join(folder))?;
        }
        files::write(&self.root.join(MARK), self.mark().as_bytes())?;
        *ready = true;
        Ok(())
    }

    /// Whether we may write there. Writes nothing.
    pub(crate) fn ours(&self) -> Result<(), Failure> {
        let mark = self.root.join(MARK);
        match head(&mark) {
            Ok(text) if text == self.mark() => Ok(()),
            Ok(_) => Err(self.refused(
                "website.other-place",
                "est déjà le site d’un autre lieu",
                "is the site of another place already",
                &format!(
                    "Choisissez un autre dossier dans la clé «\u{a0}output\u{a0}», ou effacez «\u{a0}{}\u{a0}» si \
                     c’est bien le même lieu.",
                    mark.display()
                ),
                &format!(
                    "Choose another folder in the key “output”, or delete “{}” if it is the same \
                     place after all.",
                    mark.display()
                ),
            )),
            Err(_) => match head(&self.root.join("index.html")) {
                Ok(text) if !text.contains(r#"name="generator" content="Raccord""#) => {
                    Err(self.refused(
                        "website.not-ours",
                        "contient déjà une page d’accueil que Raccord n’a pas faite",
                        "already holds a front page that Raccord did not make",
                        "Choisissez un dossier vide dans la clé «\u{a0}output\u{a0}», ou déplacez ce qui \
                         s’y trouve.",
                        "Choose an empty folder in the key “output”, or move away what is there.",
                    ))
                }
                _ => Ok(()),
            },
        }
    }

    /// Whether the folder has no mark at all: it is not the one we wrote to.
    pub(crate) fn is_unmarked(&self) -> bool {
        files::is_missing(&self.root.join(MARK))
    }

    /// Whether the page at `path` was made of exactly what `mark` stands for.
    pub(crate) fn holds(&self, path: &str, mark: Digest) -> Result<bool, Failure> {
        let path = self.path(path)?;
        let text = head(&path).unwrap_or_default();
        Ok(text.contains(&format!(r#"name="raccord" content="{mark}""#)))
    }

    /// Makes a file hold `bytes`; whether it changed.
    pub(crate) fn write(&self, path: &str, bytes: impl AsRef<[u8]>) -> Result<bool, Failure> {
        let written = files::write(&self.path(path)?, bytes.as_ref())?;
        Ok(written != files::Written::Same)
    }

    /// Takes a file away.
    pub(crate) fn remove(&self, path: &str) -> Result<(), Failure> {
        files::remove(&self.path(path)?).map(drop)
    }

    /// Takes the mark away: the folder is nobody's again.
    pub(crate) fn give_back(&self) -> Result<(), Failure> {
        files::remove(&self.root.join(MARK))?;
        *self.ready.lock().unwrap_or_else(PoisonError::into_inner) = false;
        Ok(())
    }

    /// The files in a folder of the site that `wanted` picks by name, by their paths in the site.
    pub(crate) fn names(&self, folder: &str, wanted: impl Fn(&str) -> bool) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.root.join(folder)) else {
            return Vec::new();
        };
        let slash = if folder.is_empty() { "" } else { "/" };
        let mut names: Vec<String> = entries
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| wanted(name))
            .map(|name| format!("{folder}{slash}{name}"))
            .collect();
        names.sort();
        names
    }

    /// Takes away a folder of the site that holds nothing any more.
    pub(crate) fn prune(&self, folder: &str) {
        // Whatever else somebody put there keeps it.
        drop(std::fs::remove_dir(self.root.join(folder)));
    }

    fn mark(&self) -> String {
        format!("Raccord website: {}\n", self.place)
    }

    fn refused(&self, code: &str, fr: &str, en: &str, mend_fr: &str, mend_en: &str) -> Failure {
        let shown = self.root.display();
        Failure::new(
            Blame::Access,
            code,
            Words::new(
                format!("Le dossier «\u{a0}{shown}\u{a0}» {fr}\u{a0}: rien n’y a été écrit."),
                format!("The folder “{shown}” {en}: nothing was written there."),
            ),
            Words::new(mend_fr, mend_en),
        )
    }
}

/// The first bytes of a file.
fn head(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(4096).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
