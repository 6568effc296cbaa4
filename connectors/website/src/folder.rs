//! The folder the site lives in: ours alone, and known as such by a mark.
//!
//! A web server's folder often holds somebody's pages already. Nothing is written into a folder
//! whose front page is not ours, nor into one that another place writes.

use raccord_dav::Output;
use raccord_kit::files;
use raccord_model::{Blame, Digest, Failure, PlaceId, Words};
use tokio::sync::Mutex;

use crate::pages::FOLDERS;
use crate::sink::INDEX;

/// The file that says whose folder it is.
const MARK: &str = ".raccord-website";

/// How much of a page is looked at to know it again.
const HEAD: usize = 4096;

/// Whose a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// Ours.
    Ours,
    /// Nobody's that can be seen.
    Nobodys,
}

/// The site's folder.
pub(crate) struct Folder {
    output: Output,
    place: PlaceId,
    /// Whether it was found to be ours since the start.
    ready: Mutex<bool>,
}

impl Folder {
    pub(crate) fn new(output: Output, place: PlaceId) -> Self {
        Self {
            output,
            place,
            ready: Mutex::new(false),
        }
    }

    /// Where it is.
    pub(crate) fn output(&self) -> &Output {
        &self.output
    }

    /// Makes sure the folder is ours, clears what an interrupted write left, and marks it. Does so
    /// once; to be called before anything is written.
    pub(crate) async fn claim(&self) -> Result<(), Failure> {
        // Held for the whole of it: nobody writes before what is unfinished was swept.
        let mut ready = self.ready.lock().await;
        if *ready {
            return Ok(());
        }
        self.ours().await?;
        for folder in ["activities"].iter().chain(&FOLDERS) {
            self.output.sweep(folder)?;
        }
        self.write(MARK, self.mark()).await?;
        *ready = true;
        Ok(())
    }

    /// Whether we may write there. Writes nothing.
    pub(crate) async fn ours(&self) -> Result<(), Failure> {
        if self.is_nobody_elses().await? == Whose::Ours || self.output.disk().is_some() {
            return Ok(());
        }
        // A folder of a cloud has nothing but what people put there.
        if self.output.names("").await?.is_empty() {
            Ok(())
        } else {
            Err(self.strangers())
        }
    }

    /// Whether it may be ours: it has our mark or our front page, or neither.
    pub(crate) async fn is_nobody_elses(&self) -> Result<Whose, Failure> {
        match self.read(MARK).await? {
            Some(text) if text == self.mark().as_bytes() => return Ok(Whose::Ours),
            // One that cannot be read says nothing.
            Some(text) if !text.is_empty() => {
                let mark = self.output.shown();
                return Err(self.refused(
                    "website.other-place",
                    "est déjà le site d’un autre lieu",
                    "is the site of another place already",
                    &format!(
                        "Choisissez un autre dossier dans la clé «\u{a0}output\u{a0}», ou effacez-y le fichier «\u{a0}{MARK}\u{a0}» ({mark}) si \
                         c’est bien le même lieu."
                    ),
                    &format!(
                        "Choose another folder in the key “output”, or delete the file “{MARK}” in it ({mark}) if it is the same \
                         place after all."
                    ),
                ));
            }
            _ => {}
        }
        match self.read(INDEX).await? {
            Some(text) if is_page(&text) => Ok(Whose::Ours),
            Some(text) if !text.is_empty() => Err(self.strangers()),
            _ => Ok(Whose::Nobodys),
        }
    }

    fn strangers(&self) -> Failure {
        self.refused(
            "website.not-ours",
            "contient déjà des pages ou des fichiers que Raccord n’a pas faits",
            "already holds pages or files that Raccord did not make",
            "Choisissez un dossier vide dans la clé «\u{a0}output\u{a0}», ou déplacez ce qui \
             s’y trouve.",
            "Choose an empty folder in the key “output”, or move away what is there.",
        )
    }

    /// Those of `objects` that are not there any more, as far as a disk tells.
    pub(crate) fn lost(&self, objects: &[String]) -> Vec<String> {
        let Some(root) = self.output.disk() else {
            return Vec::new();
        };
        // A folder that has no mark at all is not the one we wrote to.
        let unmarked = files::is_missing(&root.join(MARK));
        let is_lost = |object: &&String| {
            let path = files::inside(root, object);
            unmarked || path.is_ok_and(|path| files::is_missing(&path))
        };
        objects.iter().filter(is_lost).cloned().collect()
    }

    /// The same as a cloud tells: one list of each folder.
    pub(crate) async fn missing(&self, objects: &[String]) -> Result<Vec<String>, Failure> {
        if self.output.disk().is_some() || objects.is_empty() {
            return Ok(Vec::new());
        }
        let folder_of = |object: &str| {
            object
                .rsplit_once('/')
                .map_or("", |(folder, _)| folder)
                .to_owned()
        };
        let mut there = std::collections::BTreeMap::new();
        there.insert(String::new(), self.output.names("").await?);
        if !there[""].iter().any(|name| name == MARK) {
            return Ok(objects.to_vec());
        }
        let mut missing = Vec::new();
        for object in objects {
            let folder = folder_of(object);
            if !there.contains_key(&folder) {
                there.insert(folder.clone(), self.output.names(&folder).await?);
            }
            let name = object.rsplit('/').next().unwrap_or_default();
            if !there[&folder].iter().any(|one| one == name) {
                missing.push(object.clone());
            }
        }
        Ok(missing)
    }

    /// Whether the page at `path` was made of exactly what `mark` stands for.
    pub(crate) async fn holds(&self, path: &str, mark: Digest) -> Result<bool, Failure> {
        let text = self.read(path).await?.unwrap_or_default();
        Ok(head(&text).contains(&format!(r#"name="raccord" content="{mark}""#)))
    }

    /// What a file holds.
    pub(crate) async fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Failure> {
        self.output.read(path).await
    }

    /// Whether there is a file at `path`.
    pub(crate) async fn exists(&self, path: &str) -> Result<bool, Failure> {
        self.output.exists(path).await
    }

    /// Makes a file hold `bytes`; whether it changed. The folder is ours, and so is all in it.
    pub(crate) async fn write(
        &self,
        path: &str,
        bytes: impl AsRef<[u8]> + Send,
    ) -> Result<bool, Failure> {
        self.output.write(path, bytes.as_ref(), |_| true).await
    }

    /// Takes a file away; whether there was one.
    pub(crate) async fn remove(&self, path: &str) -> Result<bool, Failure> {
        self.output.remove(path, |_| true).await
    }

    /// Takes the mark away: the folder is nobody's again.
    pub(crate) async fn give_back(&self) -> Result<(), Failure> {
        self.remove(MARK).await?;
        *self.ready.lock().await = false;
        Ok(())
    }

    /// The files in a folder of the site that `wanted` picks by name, by their paths in the site.
    pub(crate) async fn names(
        &self,
        folder: &str,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Vec<String>, Failure> {
        let slash = if folder.is_empty() { "" } else { "/" };
        let all = self.output.names(folder).await?;
        let mut names: Vec<String> = all
            .into_iter()
            .filter(|name| wanted(name))
            .map(|name| format!("{folder}{slash}{name}"))
            .collect();
        names.sort();
        Ok(names)
    }

    /// Takes away a folder of the site that holds nothing any more.
    pub(crate) fn prune(&self, folder: &str) {
        self.output.prune(folder);
    }

    fn mark(&self) -> String {
        format!("Raccord website: {}\n", self.place)
    }

    fn refused(&self, code: &str, fr: &str, en: &str, mend_fr: &str, mend_en: &str) -> Failure {
        let shown = self.output.shown();
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
fn head(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(HEAD)]).into_owned()
}

/// Whether a front page is one that Raccord made.
fn is_page(bytes: &[u8]) -> bool {
    head(bytes).contains(r#"name="generator" content="Raccord""#)
}
