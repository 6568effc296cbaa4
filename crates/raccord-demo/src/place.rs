//! The folder of the demo: its settings, its secrets, its sheet.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};
use raccord_model::Lang;
use tempfile::TempDir;

use crate::calendar;
use crate::chat::{CHANNEL, TEAM};
use crate::error::Error;
use crate::tools::Tools;
use crate::wallet::ASSET;

/// Who notes who came.
pub(crate) const ORGANISER: &str = "olga@example.org";
/// The sheet's name.
pub(crate) const SHEET: &str = "programme.csv";

/// The folder; a temporary one goes with this.
pub(crate) struct Folder {
    path: PathBuf,
    temporary: Option<TempDir>,
}

impl Folder {
    /// A temporary folder, or the one that is to be kept, which must be new or empty.
    pub(crate) fn open(keep: Option<&Path>) -> Result<Self, Error> {
        let Some(path) = keep else {
            let made = tempfile::Builder::new().prefix("raccord-demo-").tempdir();
            let folder = made.map_err(Error::file(std::env::temp_dir()))?;
            return Ok(Self {
                path: folder.path().to_owned(),
                temporary: Some(folder),
            });
        };
        let path = std::path::absolute(path).map_err(Error::file(path))?;
        make(&path)?;
        let mut inside = fs::read_dir(&path).map_err(Error::file(&path))?;
        if inside.next().is_some() {
            let taken = io::Error::from(io::ErrorKind::DirectoryNotEmpty);
            return Err(Error::file(&path)(taken));
        }
        Ok(Self {
            path,
            temporary: None,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A path in it.
    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Whether it goes away by itself.
    pub(crate) fn is_temporary(&self) -> bool {
        self.temporary.is_some()
    }

    /// It stays, so that somebody can look.
    pub(crate) fn keep(&mut self) {
        if let Some(folder) = self.temporary.take() {
            // It is where it was.
            drop(folder.keep());
        }
    }

    /// Writes a file in one step, as programs save.
    pub(crate) fn save(&self, name: &str, text: &str) -> Result<(), Error> {
        let (part, path) = (self.at(&format!("{name}.part")), self.at(name));
        fs::write(&part, text).map_err(Error::file(&part))?;
        fs::rename(&part, &path).map_err(Error::file(&path))
    }

    /// The settings of a place whose tools are these, with the secrets beside them.
    pub(crate) fn configure(
        &self,
        lang: Lang,
        web: SocketAddr,
        page: SocketAddr,
        tools: &Tools,
    ) -> Result<(), Error> {
        make(&self.at("secrets"))?;
        let (doors, secrets) = (tools.doors, &tools.secrets);
        for (name, secret) in [
            ("calendar", &secrets.calendar),
            ("chat", &secrets.chat),
            ("wallet", &secrets.wallet),
            ("fedow", &secrets.fedow),
        ] {
            let path = self.at("secrets").join(name);
            fs::write(&path, secret).map_err(Error::file(&path))?;
            let only_ours = fs::Permissions::from_mode(0o600);
            fs::set_permissions(&path, only_ours).map_err(Error::file(&path))?;
        }
        let template = match lang {
            Lang::Fr => include_str!("place/fr.toml"),
            Lang::En => include_str!("place/en.toml"),
        };
        let mut text = template.to_owned();
        for (mark, value) in [
            ("@web@", web.to_string()),
            ("@page@", page.to_string()),
            ("@calendar@", doors.calendar.to_string()),
            ("@user@", calendar::USER.to_owned()),
            ("@chat@", doors.chat.to_string()),
            ("@team@", TEAM.to_owned()),
            ("@channel@", CHANNEL.to_owned()),
            ("@wallet@", doors.wallet.to_string()),
            ("@asset@", ASSET.to_owned()),
            ("@mail@", doors.mail.to_string()),
            ("@organiser@", ORGANISER.to_owned()),
        ] {
            text = text.replace(mark, &value);
        }
        self.save("raccord.toml", &text)
    }
}

fn make(folder: &Path) -> Result<(), Error> {
    let made = fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder);
    made.map_err(Error::file(folder))
}

/// What stands in the sheet of a month.
#[derive(Clone, Debug)]
pub(crate) struct Sheet {
    head: &'static str,
    lines: Vec<String>,
    /// The line that is not in it yet.
    pub(crate) next: String,
    pub(crate) words: Named,
}

/// What the line that comes is called, and what comes of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named {
    pub(crate) meeting: &'static str,
    pub(crate) lead: &'static str,
    pub(crate) join: &'static str,
    pub(crate) guide: &'static str,
}

impl Sheet {
    /// Four activities after `saturday`, and the line of a meeting on that day.
    pub(crate) fn after(saturday: Date, lang: Lang) -> Self {
        let day = |days: i32| saturday.saturating_add(days.days());
        let (head, lines, next, words) = match lang {
            Lang::Fr => (
                "Date,Début,Fin,Titre,Type,Salle,Description",
                [
                    (
                        7,
                        "14:00,18:00,Repair café,Atelier,Grande salle,Apportez ce qui est cassé : on regarde ensemble.",
                    ),
                    (
                        11,
                        "12:30,14:00,Repas partagé,Repas partagé,Cuisine,Chacun·e apporte un plat.",
                    ),
                    (
                        14,
                        "20:30,23:00,Bal folk,Concert,Grande salle,Initiation à 20 h.",
                    ),
                    (
                        21,
                        "09:30,17:00,Chantier au jardin,Chantier,Jardin,On prépare les planches de culture. Gants fournis.",
                    ),
                ],
                "18:30,20:30,Réunion du jardin,Réunion,Bureau,Ordre du jour : le printemps.",
                Named {
                    meeting: "Réunion du jardin",
                    lead: "Animer la réunion",
                    join: "Participer à la réunion",
                    guide: "Animer une réunion",
                },
            ),
            Lang::En => (
                "Date,Start,End,Title,Kind,Room,Description",
                [
                    (
                        7,
                        "14:00,18:00,Repair café,Workshop,Main hall,Bring what is broken: we look at it together.",
                    ),
                    (
                        11,
                        "12:30,14:00,Shared lunch,Shared meal,Kitchen,Everyone brings a dish.",
                    ),
                    (
                        14,
                        "20:30,23:00,Folk ball,Concert,Main hall,First steps at 20:00.",
                    ),
                    (
                        21,
                        "09:30,17:00,Garden work party,Work party,Garden,We prepare the beds. Gloves provided.",
                    ),
                ],
                "18:30,20:30,Garden meeting,Meeting,Office,Agenda: spring.",
                Named {
                    meeting: "Garden meeting",
                    lead: "Lead the meeting",
                    join: "Take part in the meeting",
                    guide: "Leading a meeting",
                },
            ),
        };
        let lines = lines.map(|(days, rest)| format!("{},{rest}", day(days)));
        Self {
            head,
            lines: lines.to_vec(),
            next: format!("{saturday},{next}"),
            words,
        }
    }

    /// How many lines it has.
    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    /// The next line is in it, at its end.
    pub(crate) fn grows(&mut self) {
        self.lines.push(self.next.clone());
    }

    /// The same with only its last line left.
    pub(crate) fn emptied(&self) -> String {
        self.text(self.lines.len().saturating_sub(1))
    }

    /// As it is saved.
    pub(crate) fn whole(&self) -> String {
        self.text(0)
    }

    fn text(&self, from: usize) -> String {
        let mut text = format!("{}\n", self.head);
        for line in &self.lines[from..] {
            text.push_str(line);
            text.push('\n');
        }
        text
    }
}

/// The first Saturday at least three days after `today`.
pub(crate) fn saturday(today: Date) -> Date {
    let soon = today.saturating_add(2.days());
    soon.nth_weekday(1, Weekday::Saturday).unwrap_or(soon)
}
