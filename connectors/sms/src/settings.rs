//! The settings, and nothing else.

use std::path::PathBuf;

use raccord_kit::secret::Inline;
use raccord_kit::settings::{Text, Whole};
use schemars::JsonSchema;
use serde::Deserialize;

/// Tells people by short message what concerns them and cannot wait, if they chose so.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// What sends: `gammu`, a modem behind gammu-smsd; `android`, a phone with SMS Gateway for Android.
    pub(crate) system: System,
    /// For `gammu`: the folder of messages to be sent, as `OutboxPath` of gammu-smsd names it.
    #[serde(default)]
    #[schemars(extend("examples" = ["/var/spool/gammu/outbox"]))]
    pub(crate) outbox: Option<PathBuf>,
    /// For `gammu`: the folder of messages that were sent, as `SentSMSPath` names it.
    #[serde(default)]
    #[schemars(extend("examples" = ["/var/spool/gammu/sent"]))]
    pub(crate) sent: Option<PathBuf>,
    /// For `gammu`: the folder of messages that failed, as `ErrorSMSPath` names it.
    #[serde(default)]
    #[schemars(extend("examples" = ["/var/spool/gammu/error"]))]
    pub(crate) errors: Option<PathBuf>,
    /// For `android`: the address of the phone, or of the server it is connected to.
    #[serde(default)]
    #[schemars(with = "String", extend("examples" = ["http://192.168.1.20:8080"]))]
    pub(crate) url: Option<String>,
    /// For `android`: the user name that the app shows.
    #[serde(default)]
    #[schemars(with = "Text<100>", extend("examples" = ["sms"]))]
    pub(crate) user: Option<Text<100>>,
    /// For `android`: the password that the app shows. Better in a file.
    #[serde(default)]
    pub(crate) password: Option<Inline>,
    /// For `android`: a file that holds the password and nothing else.
    #[serde(default)]
    #[schemars(extend("examples" = ["secrets/sms"]))]
    pub(crate) password_file: Option<PathBuf>,
    /// For `android`: which phone, where one server serves several.
    #[serde(default)]
    #[schemars(with = "Text<36>", extend("examples" = ["PyDmBQZZXYmyxMwED8Fzy"]))]
    pub(crate) device: Option<Text<36>>,
    /// The calling code of numbers that are written without one.
    #[serde(default)]
    #[schemars(with = "Text<4>", extend("examples" = ["+262"]))]
    pub(crate) country: Option<Text<4>>,
    /// How many messages are sent on one day at most; those beyond wait for a person.
    #[serde(default = "fifty")]
    pub(crate) per_day: Whole<1, 10_000>,
}

/// What sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum System {
    /// gammu-smsd.
    Gammu,
    /// SMS Gateway for Android.
    Android,
}

fn fifty() -> Whole<1, 10_000> {
    Whole::try_from(50).expect("fifty is within the bounds")
}
