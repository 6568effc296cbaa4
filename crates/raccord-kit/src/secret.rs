//! Secrets, from the configuration or from a file, read when they are used.
//!
//! A secret given as a file may be replaced while Raccord runs: the next use reads the new one.
//! No value is ever shown: not in an error, not in a debug print, not in a finding.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use raccord_model::{Blame, Failure, Words};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};

use crate::{Finding, Kit, Level, files};

/// The longest secret that is read: 64 kB.
pub const LONGEST: u64 = 64 * 1024;

/// A secret written in the configuration itself (or given by the environment).
#[derive(Clone, Debug)]
pub struct Inline(SecretString);

impl From<Inline> for SecretString {
    fn from(Inline(secret): Inline) -> Self {
        secret
    }
}

impl<'de> Deserialize<'de> for Inline {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() {
            return Err(serde::de::Error::custom(
                "expected a text that is not empty",
            ));
        }
        Ok(Self(text.into()))
    }
}

impl JsonSchema for Inline {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Secret".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "writeOnly": true })
    }
}

/// Where a secret comes from: key `x`, or the file named by key `x_file`.
#[derive(Debug)]
pub struct SecretSource {
    key: &'static str,
    origin: Origin,
}

#[derive(Debug)]
enum Origin {
    Inline(SecretString),
    File {
        path: PathBuf,
        known: Mutex<Option<Known>>,
    },
}

/// A value that was read, and how the file looked then.
#[derive(Debug)]
struct Known {
    look: Look,
    since: Instant,
    settled: bool,
    value: SecretString,
}

/// What changes when a file's content changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Look {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// File systems tell dates by the tick of the kernel's timer (at most 10 ms); two writings in one
/// tick look alike. A look that is older than this cannot hide a later writing.
const TICK: Duration = Duration::from_millis(100);

impl SecretSource {
    /// The secret of key `key`: `inline` as it stands in the configuration, or `file`, relative to
    /// the configuration's folder. None when neither is given. Nothing is read yet.
    ///
    /// # Errors
    /// A failure of blame `data`, code `settings.twice`, when both are given.
    pub fn new(
        key: &'static str,
        inline: Option<Inline>,
        file: Option<&Path>,
        kit: &Kit,
    ) -> Result<Option<Self>, Failure> {
        let origin = match (inline, file) {
            (None, None) => return Ok(None),
            (Some(Inline(secret)), None) => Origin::Inline(secret),
            (None, Some(file)) => Origin::File {
                path: kit.path(file),
                known: Mutex::default(),
            },
            (Some(_), Some(_)) => {
                return Err(Failure::new(
                    Blame::Data,
                    "settings.twice",
                    Words::new(
                        format!("« {key} » et « {key}_file » sont donnés tous les deux."),
                        format!("“{key}” and “{key}_file” are both given."),
                    ),
                    Words::new(
                        format!("Gardez « {key}_file »."),
                        format!("Keep “{key}_file”."),
                    ),
                ));
            }
        };
        Ok(Some(Self { key, origin }))
    }

    /// The configuration key it was given under.
    pub fn key(&self) -> String {
        match &self.origin {
            Origin::Inline(_) => self.key.to_owned(),
            Origin::File { .. } => format!("{}_file", self.key),
        }
    }

    /// The secret as it is now, without the line break at its end. A file that was replaced is
    /// read again; one that was not costs a look at its dates.
    ///
    /// # Errors
    /// A failure of blame `access` when the file cannot be read, holds nothing, holds more than
    /// [`LONGEST`] bytes or no text.
    pub fn read(&self) -> Result<SecretString, Failure> {
        match &self.origin {
            Origin::Inline(secret) => Ok(secret.clone()),
            Origin::File { path, known } => {
                let mut known = known
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner);
                let look = look(path).map_err(|failure| self.unreadable(failure))?;
                if let Some(known) = &*known
                    && known.settled
                    && known.look == look
                {
                    return Ok(known.value.clone());
                }
                let since = match &*known {
                    Some(known) if known.look == look => known.since,
                    _ => Instant::now(),
                };
                let settled = since.elapsed() > TICK;
                let value = self.read_file(path)?;
                *known = Some(Known {
                    look,
                    since,
                    settled,
                    value: value.clone(),
                });
                Ok(value)
            }
        }
    }

    /// What `check` says of it: an error when it cannot be read, a warning when others can.
    pub fn findings(&self) -> Vec<Finding> {
        if let Err(failure) = self.read() {
            return vec![Finding::of(self.key(), &failure)];
        }
        match &self.origin {
            Origin::Inline(_) => Vec::new(),
            Origin::File { path, .. } => open_to_others(&self.key(), path).into_iter().collect(),
        }
    }

    fn read_file(&self, path: &Path) -> Result<SecretString, Failure> {
        let mut bytes = Vec::new();
        File::open(path)
            .and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes))
            .map_err(|error| self.unreadable(files::failure(path, &error)))?;
        if bytes.len() as u64 > LONGEST {
            return Err(self.unusable(path, "contient plus de 64 ko", "holds more than 64 kB"));
        }
        // The error of a failed conversion would carry the bytes: it is dropped, not chained.
        let mut text = String::from_utf8(bytes).map_err(|_| {
            self.unusable(
                path,
                "contient autre chose que du texte",
                "holds something that is not text",
            )
        })?;
        if text.ends_with('\n') {
            text.pop();
            if text.ends_with('\r') {
                text.pop();
            }
        }
        if text.is_empty() {
            return Err(self.unusable(path, "ne contient rien", "holds nothing"));
        }
        Ok(text.into())
    }

    fn unreadable(&self, mut failure: Failure) -> Failure {
        failure.blame = Blame::Access;
        "secret.unreadable".clone_into(&mut failure.code);
        let key = self.key();
        failure.mend = Words::new(
            format!(
                "Vérifiez le fichier nommé par « {key} », et que Raccord a le droit de le lire."
            ),
            format!("Check the file named by “{key}”, and that Raccord may read it."),
        );
        failure
    }

    fn unusable(&self, path: &Path, fr: &str, en: &str) -> Failure {
        let shown = path.display();
        let key = self.key();
        Failure::new(
            Blame::Access,
            "secret.unusable",
            Words::new(
                format!("« {shown} » {fr} : il y faut un secret."),
                format!("“{shown}” {en}: a secret is needed there."),
            ),
            Words::new(
                format!("Écrivez le secret, seul, dans le fichier nommé par « {key} »."),
                format!("Write the secret, alone, into the file named by “{key}”."),
            ),
        )
    }
}

/// Reads a secret in one go, for what is not a setting of a connector.
///
/// # Errors
/// As [`SecretSource::read`].
pub fn read_file(key: &'static str, path: &Path) -> Result<SecretString, Failure> {
    SecretSource {
        key,
        origin: Origin::File {
            path: path.to_owned(),
            known: Mutex::default(),
        },
    }
    .read()
}

fn look(path: &Path) -> Result<Look, Failure> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = std::fs::metadata(path).map_err(|error| files::failure(path, &error))?;
    Ok(Look {
        device: metadata.dev(),
        inode: metadata.ino(),
        size: metadata.len(),
        modified: (metadata.mtime(), metadata.mtime_nsec()),
        changed: (metadata.ctime(), metadata.ctime_nsec()),
    })
}

fn open_to_others(key: &str, path: &Path) -> Option<Finding> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path).ok()?.permissions().mode();
    (mode & 0o077 != 0).then(|| Finding {
        place: key.to_owned(),
        code: "secret.open".to_owned(),
        level: Level::Warning,
        text: Words::new(
            format!(
                "« {} » peut être lu par d’autres utilisateurs de la machine.",
                path.display()
            ),
            format!(
                "“{}” can be read by other users of the machine.",
                path.display()
            ),
        ),
        mend: Words::new(
            format!("Tapez : chmod 600 {}", path.display()),
            format!("Type: chmod 600 {}", path.display()),
        ),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use secrecy::ExposeSecret as _;

    use super::*;

    fn file_source(path: &Path) -> SecretSource {
        SecretSource {
            key: "token",
            origin: Origin::File {
                path: path.to_owned(),
                known: Mutex::default(),
            },
        }
    }

    #[test]
    fn a_replaced_secret_is_seen_at_the_next_use_even_when_nothing_but_its_bytes_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let source = file_source(&path);
        for round in 0..200 {
            fs::write(&path, format!("canary-{round:03}\n")).unwrap();
            assert_eq!(
                source.read().unwrap().expose_secret(),
                format!("canary-{round:03}")
            );
        }
    }

    #[test]
    fn one_line_break_at_the_end_is_not_part_of_the_secret() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        for (written, read) in [
            ("a b", "a b"),
            ("a\n", "a"),
            ("a\r\n", "a"),
            ("a\n\n", "a\n"),
            (" a ", " a "),
        ] {
            fs::write(&path, written).unwrap();
            assert_eq!(file_source(&path).read().unwrap().expose_secret(), read);
        }
    }

    #[test]
    fn what_is_wrong_with_a_secret_is_said_without_showing_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let missing = file_source(&path).read().unwrap_err();
        assert_eq!(
            (missing.blame, missing.code.as_str()),
            (Blame::Access, "secret.unreadable")
        );
        for bytes in [
            b"".to_vec(),
            b"\n".to_vec(),
            vec![b'c'; 70_000],
            b"canary\xff".to_vec(),
        ] {
            fs::write(&path, bytes).unwrap();
            let failure = file_source(&path).read().unwrap_err();
            assert_eq!(failure.code, "secret.unusable");
            assert!(!format!("{failure:?}").contains("canary"));
        }
        fs::write(&path, "canary").unwrap();
        let source = file_source(&path);
        source.read().unwrap();
        assert!(!format!("{source:?}").contains("canary"));
    }

    #[test]
    fn a_secret_that_others_can_read_is_a_warning() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, "s").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let findings = file_source(&path).findings();
        assert_eq!(findings.len(), 1);
        assert_eq!(
            (findings[0].code.as_str(), findings[0].level),
            ("secret.open", Level::Warning)
        );
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(file_source(&path).findings(), []);
    }
}
