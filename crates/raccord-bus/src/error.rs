//! What can go wrong with a log, each with its code, its words and the one next thing to do.
//!
//! Refuses to carry values: an error names files, numbers and instants, never what a slot holds.

use std::path::PathBuf;

use jiff::Timestamp;
use raccord_model::Words;

/// The part of a log that is not as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The file's own structure.
    File,
    /// The tables.
    Tables,
    /// The record of where the chain starts and ends.
    Chain,
    /// A commit.
    Commit(u64),
    /// The snapshot of a commit.
    Snapshot(u64),
    /// The list of snapshots.
    Snapshots,
    /// The personal values.
    Slots,
    /// The remarks about the log.
    Meta,
    /// The list of who asked to be forgotten.
    Forgotten,
}

impl Part {
    fn words(self) -> Words {
        match self {
            Self::File => Words::new("la structure du fichier", "the structure of the file"),
            Self::Tables => Words::new("ses tables", "its tables"),
            Self::Chain => Words::new("le début ou la fin du journal", "the log's start or end"),
            Self::Commit(number) => Words::new(
                format!("l’enregistrement n° {number}"),
                format!("commit {number}"),
            ),
            Self::Snapshot(number) => Words::new(
                format!("l’instantané de l’enregistrement n° {number}"),
                format!("the snapshot of commit {number}"),
            ),
            Self::Snapshots => Words::new("la liste des instantanés", "the list of snapshots"),
            Self::Slots => Words::new("les données personnelles", "the personal values"),
            Self::Forgotten => Words::new(
                "la liste des personnes oubliées",
                "the list of people forgotten",
            ),
            Self::Meta => Words::new("les réglages du journal", "the log's own remarks"),
        }
    }
}

/// Why a log could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// Another process writes this log.
    #[error("the folder {} is held by {}", folder.display(), holder(*pid))]
    Locked {
        /// The data folder.
        folder: PathBuf,
        /// The holder's process id, where it could be read.
        pid: Option<u32>,
    },
    /// The folder lies on another machine.
    #[error("the folder {} is on a network file system ({kind})", folder.display())]
    NetworkFolder {
        /// The data folder.
        folder: PathBuf,
        /// The file system's name.
        kind: String,
    },
    /// Another program copies the folder while it is written.
    #[error("the folder {} is synchronised by {by}", folder.display())]
    SyncedFolder {
        /// The data folder.
        folder: PathBuf,
        /// The program, or the mark it left.
        by: String,
    },
    /// The file or folder may not be written.
    #[error("{} may not be written", path.display())]
    ReadOnly {
        /// The file or folder.
        path: PathBuf,
    },
    /// No space is left.
    #[error("no space is left for {}", path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// A later version of the program wrote it.
    #[error("the log has format {found}, this program knows up to {known}")]
    Newer {
        /// Its format.
        found: i64,
        /// The latest format this program knows.
        known: i64,
    },
    /// An earlier version of the program wrote it, and only a writer may bring it up to date.
    #[error("the log at {} has an older format", path.display())]
    Older {
        /// The file.
        path: PathBuf,
    },
    /// It is the log of another place.
    #[error("this is the log of {found:?}, not of {expected:?}")]
    OtherPlace {
        /// Whose log it is.
        found: String,
        /// Whose it should be.
        expected: String,
    },
    /// The file is something else.
    #[error("{} is not a log", path.display())]
    NotALog {
        /// The file.
        path: PathBuf,
    },
    /// There is no log yet.
    #[error("there is no log at {}", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// There is a log already.
    #[error("there is a log at {} already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// What was read is not what was written.
    #[error("damaged: {}", part.words().en)]
    Damaged {
        /// What is damaged.
        part: Part,
        /// The last commit known to be good, where that is known.
        last_good: Option<u64>,
    },
    /// The clock stands before the last commit.
    #[error("the clock says {at}, the last commit was made at {last}")]
    ClockBack {
        /// When the last commit was made.
        last: Timestamp,
        /// What the clock says now.
        at: Timestamp,
    },
    /// The clock stands centuries away.
    #[error("the clock says {at}, which a log cannot hold")]
    TimeRange {
        /// What the clock says.
        at: Timestamp,
    },
    /// A body is larger than a log takes.
    #[error("{size} bytes at once, at most {limit} can be taken")]
    TooLarge {
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// Retention took it away.
    #[error("commit {number} was let go, the log starts after {floor}")]
    Forgotten {
        /// The commit asked for.
        number: u64,
        /// The last commit that was let go.
        floor: u64,
    },
    /// It was never made.
    #[error("there is no commit {number}, the last is {head}")]
    NoCommit {
        /// The commit asked for.
        number: u64,
        /// The last commit.
        head: u64,
    },
    /// There is no such snapshot.
    #[error("there is no snapshot of commit {number}")]
    NoSnapshot {
        /// The commit asked for.
        number: u64,
    },
    /// The log starts with it.
    #[error("the log starts with the snapshot of commit {number}")]
    Needed {
        /// The commit of the snapshot.
        number: u64,
    },
    /// An earlier write failed: nobody knows what is on the disk until the log is opened again.
    #[error("an earlier write failed ({first}), the log must be opened again")]
    Poisoned {
        /// The code of that failure.
        first: &'static str,
    },
    /// Another program holds the file for the moment.
    #[error("{} is in use", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// The machine refused a step.
    #[error("could not {step} {}", path.display())]
    Io {
        /// The step that failed: a verb.
        step: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The machine's reason.
        #[source]
        source: std::io::Error,
    },
    /// The database refused a step.
    #[error("the database refused to work on {}", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// Its reason.
        #[source]
        source: rusqlite::Error,
    },
    /// The cluster that holds the log could not do what was asked.
    #[cfg(feature = "jetstream")]
    #[error(transparent)]
    Cluster(#[from] crate::jetstream::ClusterError),
    /// The backend was told to fail: simulations only.
    #[error("the storage failed")]
    Storage,
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(
        || "another process".to_owned(),
        |pid| format!("process {pid}"),
    )
}

impl LogError {
    /// A damage, where nothing is known of the last good commit.
    pub(crate) fn damaged(part: Part) -> Self {
        Self::Damaged {
            part,
            last_good: None,
        }
    }

    /// A stable code: logs, metrics, documentation anchors.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Locked { .. } => "log.locked",
            Self::NetworkFolder { .. } => "log.network-folder",
            Self::SyncedFolder { .. } => "log.synced-folder",
            Self::ReadOnly { .. } => "log.read-only",
            Self::Full { .. } => "log.full",
            Self::Newer { .. } => "log.newer",
            Self::Older { .. } => "log.older",
            Self::OtherPlace { .. } => "log.other-place",
            Self::NotALog { .. } => "log.not-a-log",
            Self::Missing { .. } => "log.missing",
            Self::Exists { .. } => "log.exists",
            Self::Damaged { .. } => "log.damaged",
            Self::ClockBack { .. } => "log.clock-back",
            Self::TimeRange { .. } => "log.clock-range",
            Self::TooLarge { .. } => "log.too-large",
            Self::Forgotten { .. } => "log.forgotten",
            Self::NoCommit { .. } => "log.no-commit",
            Self::NoSnapshot { .. } => "log.no-snapshot",
            Self::Needed { .. } => "log.snapshot-needed",
            Self::Poisoned { .. } => "log.poisoned",
            Self::Busy { .. } => "log.busy",
            Self::Io { .. } => "log.io",
            Self::Database { .. } => "log.database",
            #[cfg(feature = "jetstream")]
            Self::Cluster(error) => error.code(),
            Self::Storage => "log.storage",
        }
    }

    /// What happened, in plain words.
    pub fn text(&self) -> Words {
        match self {
            Self::Locked { folder, pid } => {
                let folder = folder.display();
                let (fr, en) = pid.map_or_else(Default::default, |pid| {
                    (format!(" (processus {pid})"), format!(" (process {pid})"))
                });
                Words::new(
                    format!("Raccord tourne déjà sur le dossier « {folder} »{fr}."),
                    format!("Raccord is already running on the folder “{folder}”{en}."),
                )
            }
            Self::NetworkFolder { folder, kind } => {
                let folder = folder.display();
                Words::new(
                    format!(
                        "Le dossier « {folder} » se trouve sur un disque réseau ({kind}) : le journal \
                         pourrait y être abîmé sans que personne ne le voie."
                    ),
                    format!(
                        "The folder “{folder}” is on a network drive ({kind}): the log could be \
                         damaged there without anybody noticing."
                    ),
                )
            }
            Self::SyncedFolder { folder, by } => {
                let folder = folder.display();
                Words::new(
                    format!(
                        "Le dossier « {folder} » est synchronisé ({by}) : le journal y serait copié \
                         pendant qu’on l’écrit, et abîmé."
                    ),
                    format!(
                        "The folder “{folder}” is synchronised ({by}): the log would be copied while \
                         it is written, and damaged."
                    ),
                )
            }
            Self::ReadOnly { path } => {
                let path = path.display();
                Words::new(
                    format!("Raccord n’a pas le droit d’écrire dans « {path} »."),
                    format!("Raccord is not allowed to write to “{path}”."),
                )
            }
            Self::Full { path } => {
                let path = path.display();
                Words::new(
                    format!("Le disque est plein : « {path} » ne peut plus être écrit."),
                    format!("The disk is full: “{path}” cannot be written any more."),
                )
            }
            Self::Newer { found, known } => Words::new(
                format!(
                    "Ce journal a été écrit par une version plus récente de Raccord (format {found}, \
                     celle-ci connaît jusqu’au {known})."
                ),
                format!(
                    "This log was written by a newer version of Raccord (format {found}, this one \
                     knows up to {known})."
                ),
            ),
            Self::Older { path } => {
                let path = path.display();
                Words::new(
                    format!("« {path} » a été écrit par une version plus ancienne de Raccord."),
                    format!("“{path}” was written by an older version of Raccord."),
                )
            }
            Self::OtherPlace { found, expected } => Words::new(
                format!("Ce journal est celui du lieu « {found} », pas de « {expected} »."),
                format!("This log belongs to the place “{found}”, not to “{expected}”."),
            ),
            Self::NotALog { path } => {
                let path = path.display();
                Words::new(
                    format!("« {path} » n’est pas un journal de Raccord."),
                    format!("“{path}” is not a log of Raccord."),
                )
            }
            Self::Missing { path } => {
                let path = path.display();
                Words::new(
                    format!("Il n’y a pas encore de journal : « {path} » n’existe pas."),
                    format!("There is no log yet: “{path}” does not exist."),
                )
            }
            Self::Exists { path } => {
                let path = path.display();
                Words::new(
                    format!("Il y a déjà un journal : « {path} »."),
                    format!("There is a log already: “{path}”."),
                )
            }
            Self::Damaged { part, last_good } => {
                let part = part.words();
                let (fr, en) = last_good.map_or_else(Default::default, |number| {
                    (
                        format!(" Tout est bon jusqu’à l’enregistrement n° {number}."),
                        format!(" Everything is good up to commit {number}."),
                    )
                });
                Words::new(
                    format!("Le journal est abîmé : {}.{fr}", part.fr),
                    format!("The log is damaged: {}.{en}", part.en),
                )
            }
            Self::ClockBack { last, at } => Words::new(
                format!(
                    "L’horloge de la machine a reculé : elle indique {at}, or le dernier \
                     enregistrement date de {last}."
                ),
                format!(
                    "The machine's clock went back: it says {at}, but the last commit was made at \
                     {last}."
                ),
            ),
            Self::TimeRange { at } => Words::new(
                format!("L’horloge de la machine indique {at} : c’est trop loin."),
                format!("The machine's clock says {at}: that is too far away."),
            ),
            Self::TooLarge { size, limit } => {
                let (size, limit) = (size.div_ceil(1 << 20), limit >> 20);
                Words::new(
                    format!(
                        "{size} Mo d’un coup, c’est trop : le journal en prend {limit} au plus."
                    ),
                    format!("{size} MB at once is too much: the log takes {limit} at most."),
                )
            }
            Self::Forgotten { number, floor } => Words::new(
                format!(
                    "L’enregistrement n° {number} n’est plus conservé : le journal commence après le \
                     n° {floor}."
                ),
                format!("Commit {number} is no longer kept: the log starts after {floor}."),
            ),
            Self::NoCommit { number, head } => Words::new(
                format!("Il n’y a pas d’enregistrement n° {number} : le dernier est le n° {head}."),
                format!("There is no commit {number}: the last one is {head}."),
            ),
            Self::NoSnapshot { number } => Words::new(
                format!("Il n’y a pas d’instantané de l’enregistrement n° {number}."),
                format!("There is no snapshot of commit {number}."),
            ),
            Self::Needed { number } => Words::new(
                format!("Le journal commence par l’instantané n° {number} : il reste."),
                format!("The log starts with the snapshot of commit {number}: it stays."),
            ),
            Self::Poisoned { first } => Words::new(
                format!("Une écriture du journal a échoué ({first}) : plus rien n’est écrit."),
                format!("A write to the log failed ({first}): nothing is written any more."),
            ),
            Self::Busy { path } => {
                let path = path.display();
                Words::new(
                    format!("« {path} » est occupé par un autre programme."),
                    format!("“{path}” is in use by another program."),
                )
            }
            Self::Io { path, source, .. } => {
                let path = path.display();
                Words::new(
                    format!("La machine a refusé une opération sur « {path} » ({source})."),
                    format!("The machine refused an operation on “{path}” ({source})."),
                )
            }
            Self::Database { path, source } => {
                let path = path.display();
                Words::new(
                    format!("La base de données a refusé une opération sur « {path} » ({source})."),
                    format!("The database refused an operation on “{path}” ({source})."),
                )
            }
            #[cfg(feature = "jetstream")]
            Self::Cluster(error) => error.text(),
            Self::Storage => Words::new(
                "Le stockage a refusé une écriture.",
                "The storage refused a write.",
            ),
        }
    }

    /// The one next thing to do.
    pub fn mend(&self) -> Words {
        match self {
            Self::Locked { .. } => Words::new(
                "Arrêtez d’abord l’autre, ou donnez un autre dossier à celui-ci.",
                "Stop the other one first, or give this one a folder of its own.",
            ),
            Self::NetworkFolder { .. } => Words::new(
                "Mettez `data` dans un dossier du disque de cette machine.",
                "Put `data` in a folder on this machine's own disk.",
            ),
            Self::SyncedFolder { .. } => Words::new(
                "Mettez `data` dans un dossier qui n’est pas synchronisé, et sauvegardez-le avec \
                 `raccord backup`.",
                "Put `data` in a folder that is not synchronised, and save it with `raccord backup`.",
            ),
            Self::ReadOnly { .. } => Words::new(
                "Donnez le droit d’écrire au compte qui lance Raccord, ou regardez si le disque est \
                 monté en lecture seule.",
                "Give the account that runs Raccord the right to write, or see whether the disk is \
                 mounted read-only.",
            ),
            Self::Full { .. } => Words::new(
                "Faites de la place, puis relancez Raccord : rien de ce qui était confirmé n’est perdu.",
                "Make room, then start Raccord again: nothing that was confirmed is lost.",
            ),
            Self::Newer { .. } => Words::new(
                "Installez la version de Raccord qui l’a écrit, ou une plus récente.",
                "Install the version of Raccord that wrote it, or a newer one.",
            ),
            Self::Older { .. } => Words::new(
                "Lancez une fois `raccord sync` ou `raccord run` : le journal sera mis à jour.",
                "Run `raccord sync` or `raccord run` once: the log will be brought up to date.",
            ),
            Self::OtherPlace { .. } => Words::new(
                "Corrigez `id` ou `data` sous `[place]` dans la configuration.",
                "Correct `id` or `data` under `[place]` in the configuration.",
            ),
            Self::NotALog { .. } => Words::new(
                "Vérifiez le chemin. Si c’était bien un journal, mettez ce fichier de côté et reprenez \
                 la dernière sauvegarde avec `raccord restore`.",
                "Check the path. If it was a log indeed, put that file aside and take back the last \
                 backup with `raccord restore`.",
            ),
            Self::Missing { .. } => Words::new(
                "Vérifiez `data` dans la configuration, ou lancez d’abord `raccord sync`.",
                "Check `data` in the configuration, or run `raccord sync` first.",
            ),
            Self::Exists { .. } => Words::new(
                "Sauvegardez-le avec `raccord backup`, puis demandez explicitement de le remplacer.",
                "Save it with `raccord backup`, then ask explicitly for it to be replaced.",
            ),
            Self::Damaged { .. } => Words::new(
                "Mettez de côté le dossier de données, reprenez la dernière sauvegarde avec \
                 `raccord restore`, et faites vérifier le disque.",
                "Put the data folder aside, take back the last backup with `raccord restore`, and have \
                 the disk checked.",
            ),
            Self::ClockBack { .. } | Self::TimeRange { .. } => Words::new(
                "Réglez l’heure de la machine (`timedatectl`), puis relancez.",
                "Set the machine's clock (`timedatectl`), then start again.",
            ),
            Self::TooLarge { .. } => Words::new(
                "Découpez ce qui est envoyé en plusieurs morceaux.",
                "Split what is sent into several pieces.",
            ),
            Self::Forgotten { .. } | Self::NoCommit { .. } | Self::NoSnapshot { .. } => Words::new(
                "Relisez à partir du dernier instantané.",
                "Read again from the newest snapshot.",
            ),
            Self::Needed { .. } => Words::new("Il n’y a rien à faire.", "There is nothing to do."),
            Self::Poisoned { .. } => Words::new(
                "Regardez la première erreur, puis relancez Raccord : il reprendra où il en était.",
                "Look at the first error, then start Raccord again: it will go on where it was.",
            ),
            Self::Busy { .. } => Words::new(
                "Fermez l’autre programme, puis recommencez.",
                "Close the other program, then try again.",
            ),
            #[cfg(feature = "jetstream")]
            Self::Cluster(error) => error.mend(),
            Self::Io { .. } | Self::Database { .. } | Self::Storage => Words::new(
                "Vérifiez le disque et les droits, puis relancez Raccord.",
                "Check the disk and the rights, then start Raccord again.",
            ),
        }
    }

    /// Whether a write that ended so leaves the handle usable: nothing was begun.
    pub(crate) fn harmless(&self) -> bool {
        matches!(
            self,
            Self::ClockBack { .. }
                | Self::TimeRange { .. }
                | Self::TooLarge { .. }
                | Self::Forgotten { .. }
                | Self::NoCommit { .. }
                | Self::NoSnapshot { .. }
                | Self::Needed { .. }
                | Self::Poisoned { .. }
                | Self::Busy { .. }
        )
    }
}
