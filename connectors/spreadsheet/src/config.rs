//! The settings, and nothing else.

use std::collections::BTreeMap;
use std::path::PathBuf;

use raccord_kit::secret::Inline;
use raccord_kit::settings::{Span, Text, Whole};
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// Reads the lines of a spreadsheet: CSV, XLSX or ODS.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Where the sheet is: a path, from the folder of the configuration on, or the address of a
    /// file, of a page or public link of Nextcloud, of EtherCalc, Grist or Google Sheets.
    #[schemars(example = &"programme.ods")]
    pub(crate) location: String,
    /// How often an address is read; local files are watched too.
    #[serde(default = "half_a_minute")]
    pub(crate) every: Span,
    /// The only tab, or table of Grist, to read; all that have a header otherwise.
    #[serde(default)]
    #[schemars(example = &"Programme")]
    pub(crate) sheet: Option<String>,
    /// The tab that lists tasks, read beside `sheet`; one called Tâches or Tasks otherwise.
    #[serde(default)]
    #[schemars(example = &"Coups de main")]
    pub(crate) tasks: Option<String>,
    /// The account that may read the address.
    #[serde(default)]
    pub(crate) user: Option<String>,
    /// Its password, or better an application password; of a public link, the link's; for Grist, an
    /// API key. Better in a file.
    #[serde(default)]
    pub(crate) password: Option<Inline>,
    /// A file that holds the password and nothing else.
    #[serde(default)]
    #[schemars(example = &"secrets/sheet")]
    pub(crate) password_file: Option<PathBuf>,
    /// What a tool shows when it calls to say that somebody changed something, made up by you.
    /// Better in a file.
    #[serde(default)]
    pub(crate) hook_secret: Option<Inline>,
    /// A file that holds that secret and nothing else. Without one nobody may call.
    #[serde(default)]
    #[schemars(example = &"secrets/sheet-hook")]
    pub(crate) hook_secret_file: Option<PathBuf>,
    /// Makes a sheet of answers of it: who signed up, as a form wrote it out, and no programme.
    #[serde(default)]
    pub(crate) answers: Option<Answers>,
    /// The headers of columns that are not recognised by themselves: field = "header".
    #[serde(default)]
    #[schemars(example = example_columns())]
    pub(crate) columns: BTreeMap<String, String>,
    /// The year of dates written without one, where the sheet does not say it either.
    #[serde(default)]
    pub(crate) year: Option<Whole<1990, 2100>>,
}

/// What the answers of a form are for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub(crate) struct Answers {
    /// The title of the activity that they are for, as in the programme, where no column says it.
    #[serde(default)]
    #[schemars(example = &"Bal folk")]
    pub(crate) activity: Option<Text<200>>,
    /// Its day, where several have that title.
    #[serde(default)]
    #[schemars(example = &"2027-02-01")]
    pub(crate) date: Option<String>,
}

impl<'de> Deserialize<'de> for Answers {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        // A group of keys, and no list of their values.
        let group = serde_json::Map::<String, serde_json::Value>::deserialize(input)?;
        Self::deserialize(serde_json::Value::Object(group)).map_err(D::Error::custom)
    }
}

fn half_a_minute() -> Span {
    Span::new(std::time::Duration::from_secs(30))
}

fn example_columns() -> BTreeMap<String, String> {
    [("title".to_owned(), "Intitulé".to_owned())].into()
}
