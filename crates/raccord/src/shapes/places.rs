//! `places`: the places of a folder, and how each stands.

use std::fmt;
use std::path::{Path, PathBuf};

use raccord_kit::Finding;
use raccord_model::{Lang, PlaceId, Words};
use serde::{Serialize, Serializer};

use super::Shape;
use crate::locale::{View, shown};
use crate::report::{DIM, Exit, GREEN, RED};

/// One place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceShape {
    /// Its id.
    pub place: PlaceId,
    /// What people call it; empty where its settings cannot be read.
    pub name: String,
    /// The file of its settings.
    pub file: PathBuf,
    /// How it stands.
    pub state: PlaceState,
    /// The node that works for it, where several share it.
    pub node: Option<String>,
    /// Changes that wait for a yes.
    pub holds: usize,
    /// Deliveries that were given up.
    pub dead: usize,
    /// What is wrong.
    pub text: Option<Words>,
}

/// How a place stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlaceState {
    /// A daemon keeps it at work.
    AtWork,
    /// Nobody keeps it at work.
    Stopped,
    /// It has never worked.
    New,
    /// It reads, and sends nothing until `unmute`.
    Mute,
    /// Its settings have a mistake.
    Refused,
    /// Its log cannot be read.
    Unreadable,
}

impl PlaceShape {
    /// A place whose settings cannot be used.
    pub fn refused(place: PlaceId, file: &Path, findings: &[Finding]) -> Self {
        Self {
            place,
            name: String::new(),
            file: file.to_owned(),
            state: PlaceState::Refused,
            node: None,
            holds: 0,
            dead: 0,
            text: findings.first().map(|finding| finding.text.clone()),
        }
    }

    /// Whether a person must act.
    fn waits(&self) -> bool {
        self.holds + self.dead > 0
            || matches!(
                self.state,
                PlaceState::Mute | PlaceState::Refused | PlaceState::Unreadable
            )
    }
}

/// All of them, by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacesShape {
    /// The language they are told in.
    pub lang: Lang,
    /// The places.
    pub places: Vec<PlaceShape>,
}

#[derive(Serialize)]
struct Item<'a> {
    place: &'a PlaceId,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    file: &'a Path,
    state: PlaceState,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<&'a str>,
    holds: usize,
    dead: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
}

impl Serialize for PlacesShape {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_seq(self.places.iter().map(|place| Item {
            place: &place.place,
            name: &place.name,
            file: &place.file,
            state: place.state,
            node: place.node.as_deref(),
            holds: place.holds,
            dead: place.dead,
            text: place.text.as_ref().map(|text| text.get(self.lang)),
        }))
    }
}

impl Shape for PlacesShape {
    fn human(&self, view: &View, out: &mut dyn fmt::Write) -> fmt::Result {
        if self.places.is_empty() {
            let none = view.say("Aucun lieu dans ce dossier.", "No place in this folder.");
            return writeln!(out, "{none}");
        }
        for place in &self.places {
            let state = match place.state {
                PlaceState::AtWork => view.say("au travail", "at work"),
                PlaceState::Stopped => view.say("arrêté", "stopped"),
                PlaceState::New => view.say("nouveau", "new"),
                PlaceState::Mute => view.say("muet", "mute"),
                PlaceState::Refused => view.say("réglages refusés", "settings refused"),
                PlaceState::Unreadable => view.say("journal illisible", "log unreadable"),
            };
            let mark = match (place.waits(), place.state) {
                (true, _) => format!("{RED}!{RED:#}"),
                (false, PlaceState::AtWork) => format!("{GREEN}✓{GREEN:#}"),
                (false, _) => "·".to_owned(),
            };
            write!(out, "{mark} {}", place.place)?;
            if !place.name.is_empty() {
                write!(out, " {DIM}{}{DIM:#}", shown(&place.name))?;
            }
            write!(out, " : {state}")?;
            if let Some(node) = &place.node {
                write!(out, " {} {}", view.say("sur", "on"), shown(node))?;
            }
            if place.holds > 0 {
                let holds = view.count(
                    place.holds,
                    ("question attend un oui", "questions attendent un oui"),
                    ("change waits for a yes", "changes wait for a yes"),
                );
                write!(out, ", {holds}")?;
            }
            if place.dead > 0 {
                let dead = view.count(
                    place.dead,
                    ("envoi abandonné", "envois abandonnés"),
                    ("delivery given up", "deliveries given up"),
                );
                write!(out, ", {dead}")?;
            }
            writeln!(out)?;
            if let Some(text) = &place.text {
                writeln!(out, "    {}", shown(text.get(view.lang)))?;
            }
        }
        Ok(())
    }

    fn exit(&self) -> Exit {
        if self.places.iter().any(PlaceShape::waits) {
            Exit::Attention
        } else {
            Exit::Done
        }
    }
}
