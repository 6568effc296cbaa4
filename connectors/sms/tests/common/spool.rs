//! gammu-smsd (1.42, files backend): takes what lies in its outbox, and puts it elsewhere.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::quirks::Quirk;

/// What the modem sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Left {
    pub(crate) number: String,
    pub(crate) text: String,
}

pub(crate) struct Spool {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) left: Vec<Left>,
    /// The SIM card is without credit.
    pub(crate) broke: bool,
    lost: Option<Quirk>,
}

impl Spool {
    pub(crate) fn new(lost: Option<Quirk>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["outbox", "sent", "error"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        Self {
            folder,
            left: Vec::new(),
            broke: false,
            lost,
        }
    }

    fn has(&self, quirk: Quirk) -> bool {
        self.lost != Some(quirk)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn settings(&self) -> Value {
        json!({
            "system": "gammu", "outbox": self.path("outbox"), "sent": self.path("sent"),
            "errors": self.path("error"), "country": "+262",
        })
    }

    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.path(folder))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// It sends everything that lies there, and moves it to `sent` or `error`.
    pub(crate) fn works(&mut self) {
        self.works_into("sent");
    }

    pub(crate) fn works_into(&mut self, sent: &str) {
        let mut names = self.names("outbox");
        if !self.has(Quirk::InOrderOfNames) {
            names.reverse();
        }
        for name in names {
            let hidden = name.starts_with('.') && self.has(Quirk::HiddenIsSkipped);
            let bare = name.trim_start_matches('.');
            if hidden || !bare.starts_with("OUT") || !name.contains(".txt") {
                continue;
            }
            let from = self.path("outbox").join(&name);
            let content = fs::read(&from).unwrap();
            let number = if self.has(Quirk::NameIsRecipient) {
                name.split('_').nth(3).unwrap_or_default().to_owned()
            } else {
                String::new()
            };
            let text = self.letters(&content);
            let to = if self.broke { "error" } else { sent };
            if !self.broke {
                self.left.push(Left { number, text });
            }
            if to == "outbox" {
                if self.has(Quirk::SameFolderDeletes) {
                    fs::remove_file(from).unwrap();
                }
            } else {
                fs::rename(from, self.path(to).join(&name)).unwrap();
            }
        }
    }

    /// UTF-16 where its mark says so, else the letters of a daemon without a locale.
    fn letters(&self, content: &[u8]) -> String {
        match content {
            [0xfe, 0xff, rest @ ..] if self.has(Quirk::MarkTellsLetters) => {
                let units: Vec<u16> = rest
                    .chunks(2)
                    .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
                    .collect();
                String::from_utf16(&units).unwrap()
            }
            all => all.iter().map(|&byte| char::from(byte)).collect(),
        }
    }
}
