//! What can go wrong between us and a NATS cluster, with its words and the one next thing to do.
//!
//! Refuses to carry secrets: an error names servers, streams and terms, never a token or a password.

use raccord_model::Words;

/// Why a cluster could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// A setting cannot be used.
    #[error("the setting {name} cannot be used: {}", why.en)]
    Setting {
        /// Its name.
        name: &'static str,
        /// What is wrong with it.
        why: Words,
    },
    /// No server answers.
    #[error("no NATS server answers ({why})")]
    Unreachable {
        /// What was seen last.
        why: String,
    },
    /// The servers do not accept who we say we are.
    #[error("the NATS server refuses the credentials")]
    Credentials,
    /// The servers cannot prove who they are, or do not accept our certificate.
    #[error("no secure connection to the NATS server ({why})")]
    Tls {
        /// What was seen.
        why: String,
    },
    /// The server runs without JetStream.
    #[error("the NATS server runs without JetStream")]
    NoJetstream,
    /// Several servers of a version that can accept two writers.
    #[error("several NATS servers, and {found} is older than 2.11")]
    TooOld {
        /// The version found.
        found: String,
    },
    /// A stream would lose what it is given.
    #[error("the stream {stream} is not fit for a log: {setting}")]
    Unfit {
        /// Its name.
        stream: String,
        /// The setting that is wrong.
        setting: &'static str,
    },
    /// A later writer has taken over.
    #[error("term {ours} was replaced by term {theirs}")]
    Replaced {
        /// This writer's term.
        ours: u64,
        /// The later one's.
        theirs: u64,
    },
    /// Nobody confirmed what was written, and nothing says that it did not stand.
    #[error("the cluster did not confirm in time")]
    Unconfirmed,
    /// The subject holds commits that follow one which is not there.
    #[error("commit {missing} is missing, and there are commits after it")]
    Hole {
        /// The first commit that is missing.
        missing: u64,
    },
    /// A node does not answer.
    #[error("the node {node} does not answer")]
    Silent {
        /// What it is called.
        node: String,
    },
    /// The place holds a log already.
    #[error("the cluster holds a log of {place} already")]
    Exists {
        /// The place.
        place: String,
    },
    /// The cluster holds no log of the place yet.
    #[error("the cluster holds no log of {place}")]
    Missing {
        /// The place.
        place: String,
    },
    /// The cluster refused a step.
    #[error("the cluster refused to {step} ({why})")]
    Refused {
        /// The step that failed: a verb and its object.
        step: &'static str,
        /// The cluster's reason.
        why: String,
    },
}

impl ClusterError {
    /// A stable code: logs, metrics, documentation anchors.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Setting { .. } => "cluster.setting",
            Self::Unreachable { .. } => "cluster.unreachable",
            Self::Credentials => "cluster.credentials",
            Self::Tls { .. } => "cluster.tls",
            Self::NoJetstream => "cluster.no-jetstream",
            Self::TooOld { .. } => "cluster.too-old",
            Self::Unfit { .. } => "cluster.unfit",
            Self::Replaced { .. } => "cluster.replaced",
            Self::Unconfirmed => "cluster.unconfirmed",
            Self::Hole { .. } => "cluster.hole",
            Self::Silent { .. } => "cluster.silent",
            Self::Exists { .. } => "cluster.exists",
            Self::Missing { .. } => "cluster.missing",
            Self::Refused { .. } => "cluster.refused",
        }
    }

    /// Whether opening the log again, a little later, may well succeed.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::Unconfirmed
                | Self::Refused { .. }
                | Self::Silent { .. }
        )
    }

    /// What happened, in plain words.
    pub fn text(&self) -> Words {
        match self {
            Self::Setting { name, why } => Words::new(
                format!("Le réglage `{name}` ne peut pas être utilisé : {}.", why.fr),
                format!("The setting `{name}` cannot be used: {}.", why.en),
            ),
            Self::Unreachable { why } => Words::new(
                format!("Aucun serveur NATS ne répond ({why})."),
                format!("No NATS server answers ({why})."),
            ),
            Self::Credentials => Words::new(
                "Le serveur NATS refuse nos identifiants.",
                "The NATS server refuses our credentials.",
            ),
            Self::Tls { why } => Words::new(
                format!("La connexion chiffrée au serveur NATS échoue ({why})."),
                format!("The encrypted connection to the NATS server fails ({why})."),
            ),
            Self::NoJetstream => Words::new(
                "Le serveur NATS tourne sans JetStream : il ne garderait rien.",
                "The NATS server runs without JetStream: it would keep nothing.",
            ),
            Self::TooOld { found } => Words::new(
                format!(
                    "Plusieurs serveurs NATS, dont un en version {found} : avant la 2.11, deux \
                     machines pourraient écrire en même temps le journal d’un lieu."
                ),
                format!(
                    "Several NATS servers, one of them version {found}: before 2.11, two machines \
                     could write the log of a place at the same time."
                ),
            ),
            Self::Unfit { stream, setting } => Words::new(
                format!(
                    "Le flux NATS « {stream} » perdrait ce qu’on lui confie : `{setting}` ne convient pas."
                ),
                format!(
                    "The NATS stream “{stream}” would lose what it is given: `{setting}` is not right."
                ),
            ),
            Self::Replaced { .. } => Words::new(
                "Une autre machine a pris le relais pour ce lieu.",
                "Another machine has taken over this place.",
            ),
            Self::Unconfirmed => Words::new(
                "Les serveurs NATS n’ont pas confirmé une écriture à temps.",
                "The NATS servers did not confirm a write in time.",
            ),
            Self::Hole { missing } => Words::new(
                format!(
                    "Il manque l’enregistrement n° {missing} dans le flux NATS, alors que d’autres le \
                     suivent."
                ),
                format!("Commit {missing} is missing from the NATS stream, and others follow it."),
            ),
            Self::Silent { node } => Words::new(
                format!("Le programme « {node} » ne répond pas."),
                format!("The node “{node}” does not answer."),
            ),
            Self::Exists { place } => Words::new(
                format!("Les serveurs NATS ont déjà un journal du lieu « {place} »."),
                format!("The NATS servers hold a log of the place “{place}” already."),
            ),
            Self::Missing { place } => Words::new(
                format!("Les serveurs NATS n’ont pas encore de journal du lieu « {place} »."),
                format!("The NATS servers hold no log of the place “{place}” yet."),
            ),
            Self::Refused { why, .. } => Words::new(
                format!("Les serveurs NATS ont refusé une opération ({why})."),
                format!("The NATS servers refused an operation ({why})."),
            ),
        }
    }

    /// The one next thing to do.
    pub fn mend(&self) -> Words {
        match self {
            Self::Setting { .. } => Words::new(
                "Corrigez ce réglage, dans la configuration de Raccord ou dans celle du serveur.",
                "Correct this setting, in Raccord's configuration or the server's.",
            ),
            Self::Unreachable { .. } | Self::Unconfirmed | Self::Refused { .. } => Words::new(
                "Vérifiez que les serveurs NATS tournent et se joignent entre eux : Raccord reprendra \
                 où il en était.",
                "Check that the NATS servers run and reach each other: Raccord will go on where it was.",
            ),
            Self::Credentials => Words::new(
                "Vérifiez le fichier d’identifiants, le jeton ou le mot de passe de la configuration.",
                "Check the credentials file, the token or the password of the configuration.",
            ),
            Self::Tls { .. } => Words::new(
                "Vérifiez l’autorité de certification et le certificat donnés dans la configuration.",
                "Check the certificate authority and the certificate given in the configuration.",
            ),
            Self::NoJetstream => Words::new(
                "Ajoutez `jetstream` à la configuration du serveur NATS.",
                "Add `jetstream` to the configuration of the NATS server.",
            ),
            Self::TooOld { .. } => Words::new(
                "Installez NATS 2.11 ou plus récent sur chaque serveur, ou n’en gardez qu’un seul, hors \
                 grappe.",
                "Install NATS 2.11 or newer on each server, or keep a single one without a cluster.",
            ),
            Self::Unfit { .. } => Words::new(
                "Remettez ce réglage du flux comme le dit la documentation, avec `nats stream edit`.",
                "Set this setting of the stream as the documentation says, with `nats stream edit`.",
            ),
            Self::Replaced { .. } => {
                Words::new("Il n’y a rien à faire ici.", "There is nothing to do here.")
            }
            Self::Hole { .. } => Words::new(
                "Relancez Raccord sur une machine qui a encore sa copie locale, ou reprenez une \
                 sauvegarde du flux.",
                "Start Raccord on a machine that still has its local copy, or take back a backup of the \
                 stream.",
            ),
            Self::Silent { .. } => Words::new(
                "Réessayez dans quelques secondes : s’il est arrêté, un autre prend sa place.",
                "Try again in some seconds: if it is stopped, another one takes over.",
            ),
            Self::Exists { .. } => Words::new(
                "Donnez un autre `id` à ce lieu, ou arrêtez là : le journal y est déjà.",
                "Give this place another `id`, or stop here: the log is there already.",
            ),
            Self::Missing { .. } => Words::new(
                "Vérifiez `id` dans la configuration, ou lancez d’abord `raccord run`.",
                "Check `id` in the configuration, or run `raccord run` first.",
            ),
        }
    }
}
