//! The settings, and nothing else.

use std::path::PathBuf;

use raccord_kit::secret::Inline;
use raccord_kit::settings::{Span, Text};
use raccord_model::Visibility;
use schemars::JsonSchema;
use serde::Deserialize;

/// Keeps the programme in a calendar that members see and edit: Nextcloud, or any CalDAV server.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The address of the cloud, or the one its Calendar app calls the primary CalDAV address.
    #[schemars(example = &"https://cloud.example.org")]
    pub(crate) url: String,
    /// The account that owns the calendar, made for Raccord alone.
    #[schemars(example = &"raccord")]
    pub(crate) user: Text<256>,
    /// Its app password. Better in a file.
    #[serde(default)]
    pub(crate) password: Option<Inline>,
    /// A file that holds the app password and nothing else.
    #[serde(default)]
    #[schemars(example = &"secrets/nextcloud")]
    pub(crate) password_file: Option<PathBuf>,
    /// The calendar where no route names one; it is made if it is missing.
    #[schemars(example = &"programme")]
    pub(crate) calendar: Text<200>,
    /// The other calendars that routes name, so that they are read too.
    #[serde(default)]
    #[schemars(example = &["salle-1"])]
    pub(crate) calendars: Vec<Text<200>>,
    /// What becomes of tasks: nothing, entries of their own, or lines in the description of their
    /// activity.
    #[serde(default)]
    pub(crate) tasks: Tasks,
    /// Who may see what members write into the calendar themselves.
    #[serde(default)]
    pub(crate) entries: Entries,
    /// The mail address entries name as their organiser; none otherwise. The server is told to send
    /// no invitations.
    #[serde(default)]
    #[schemars(example = &"contact@example.org")]
    pub(crate) organiser_mail: Option<Text<254>>,
    /// What the cloud shows when it calls to say that somebody changed something, made up by you.
    /// Better in a file.
    #[serde(default)]
    pub(crate) hook_secret: Option<Inline>,
    /// A file that holds that secret and nothing else. Without one nobody may call.
    #[serde(default)]
    #[schemars(example = &"secrets/nextcloud-hook")]
    pub(crate) hook_secret_file: Option<PathBuf>,
    /// How often the calendar is read.
    #[serde(default = "two_minutes")]
    pub(crate) every: Span,
}

fn two_minutes() -> Span {
    Span::new(std::time::Duration::from_secs(120))
}

/// What becomes of tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Tasks {
    /// Nothing.
    #[default]
    None,
    /// Entries of their own, which task lists show.
    Todo,
    /// Lines in the description of their activity, with how many people are on each.
    Description,
}

/// Who may see what members write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Entries {
    /// Members.
    #[default]
    Internal,
    /// Everyone.
    Public,
}

impl Entries {
    pub(crate) fn visibility(self) -> Visibility {
        match self {
            Self::Internal => Visibility::Internal,
            Self::Public => Visibility::Public,
        }
    }
}
