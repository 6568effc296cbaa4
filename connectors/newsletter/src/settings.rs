//! The settings of a newsletter, nothing else.

use std::path::PathBuf;

use raccord_kit::secret::Inline;
use raccord_kit::settings::{Text, Whole};
use schemars::JsonSchema;
use serde::Deserialize;

/// The programme as a mail. Routes say when: `digest = "week"`, `at = ["friday 09:00"]`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Who keeps the list.
    pub(crate) system: System,
    /// The mail server: `smtps://host`, or `smtp://host` with STARTTLS. For `listmonk` its address.
    #[schemars(with = "Text<1000>", extend("examples" = ["smtps://mail.example.org", "https://listmonk.example.org"]))]
    pub(crate) url: Text<1000>,
    /// The address letters come from, with the name that is shown.
    #[schemars(with = "Text<500>", extend("examples" = ["La Raffinerie <lettre@example.org>"]))]
    pub(crate) from: Text<500>,
    /// The address of the mailing list, or the name of the list in listmonk; not for `smtp`.
    #[serde(default)]
    #[schemars(with = "Text<254>", extend("examples" = ["programme@lists.example.org", "Programme"]))]
    pub(crate) list: Option<Text<254>>,
    /// The account on the mail server; in listmonk the user of type API.
    #[serde(default)]
    #[schemars(with = "Text<256>", extend("examples" = ["lettre@example.org"]))]
    pub(crate) user: Option<Text<256>>,
    /// Its password, in listmonk its token. Better in a file.
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
    /// The address of the printed programme, as a link in each letter; `{month}` in it is `2027-01`.
    #[serde(default)]
    #[schemars(with = "Text<1000>", extend("examples" = ["https://example.org/programme-{month}.pdf"]))]
    pub(crate) pdf: Option<Text<1000>>,
    /// The address of the calendar to subscribe to, as a link in each letter.
    #[serde(default)]
    #[schemars(with = "Text<1000>", extend("examples" = ["https://example.org/calendar.ics"]))]
    pub(crate) calendar: Option<Text<1000>>,
    /// What the mail server shows at `/hooks/<name>` when it hands in mail that came back, as a bearer
    /// token. Better in a file.
    #[serde(default)]
    pub(crate) hook_secret: Option<Inline>,
    /// A file that holds it and nothing else.
    #[serde(default)]
    #[schemars(extend("examples" = ["secrets/lettre-hook"]))]
    pub(crate) hook_secret_file: Option<PathBuf>,
    /// The name of the campaign template in listmonk that shows a letter as it is: its whole content is
    /// `{{ template "content" . }}`. "Raccord" where nothing is said.
    #[serde(default)]
    #[schemars(with = "Text<200>", extend("examples" = ["Raccord"]))]
    pub(crate) campaign_template: Option<Text<200>>,
    /// So many connections to the mail server at once, 1 to 10. After a power cut, so many mails may
    /// be in doubt. 2 where nothing is said.
    #[serde(default)]
    pub(crate) connections: Option<Whole<1, 10>>,
    /// So many mails a second, at most; 0 for as many as the server takes, 5 where nothing is said.
    #[serde(default)]
    pub(crate) per_second: Option<Whole<0, 1000>>,
}

/// Who keeps the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum System {
    /// Raccord: people subscribe on the page `/newsletter`, and each gets a mail of their own.
    Smtp,
    /// A list server (Mailman, Sympa, Google Groups): one mail goes to the list.
    MailingList,
    /// listmonk: each letter is a draft there, which a person sends.
    Listmonk,
}
