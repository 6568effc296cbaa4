//! The settings of sign-up, nothing else.

use std::path::PathBuf;

use raccord_kit::secret::Inline;
use raccord_kit::settings::Text;
use schemars::JsonSchema;
use serde::Deserialize;

/// Sign-up on the place's own pages. Without a mail server people can look, and nobody can sign in.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The mail server: `smtps://host`, or `smtp://host` with STARTTLS (one of this machine is spoken to
    /// in clear, unless `?tls=starttls` follows).
    #[serde(default)]
    #[schemars(with = "Text<1000>", extend("examples" = ["smtps://mail.example.org"]))]
    pub(crate) url: Option<Text<1000>>,
    /// The address mails come from, with the name that is shown.
    #[serde(default)]
    #[schemars(with = "Text<500>", extend("examples" = ["La Raffinerie <bonjour@example.org>"]))]
    pub(crate) from: Option<Text<500>>,
    /// The account there.
    #[serde(default)]
    #[schemars(with = "Text<256>", extend("examples" = ["bonjour@example.org"]))]
    pub(crate) user: Option<Text<256>>,
    /// Its password. Better in a file.
    #[serde(default)]
    pub(crate) password: Option<Inline>,
    /// A file that holds the password and nothing else.
    #[serde(default)]
    #[schemars(extend("examples" = ["secrets/mail"]))]
    pub(crate) password_file: Option<PathBuf>,
    /// A file with the certificate of the server's own authority, where it has one.
    #[serde(default)]
    #[schemars(extend("examples" = ["secrets/authority.pem"]))]
    pub(crate) ca_file: Option<PathBuf>,
    /// The addresses of those who note who came.
    #[serde(default)]
    #[schemars(extend("examples" = [["ana@example.org"]]))]
    pub(crate) organisers: Vec<Text<254>>,
}
