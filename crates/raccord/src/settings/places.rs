//! The places of a process: one file, or a folder with a file for each, `<id>.toml` or
//! `<id>/raccord.toml`. The name says which place it is, so that finding one reads no other.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use raccord_kit::Finding;
use raccord_model::{PlaceId, Words};

use super::{Refused, Settings, load, read};
use crate::report::error;

/// The file of a place in a folder of its own.
pub const OWN: &str = "raccord.toml";

/// The files of the places in `folder`, by id. What has another name is none of them.
///
/// # Errors
/// When the folder cannot be read.
pub fn files(folder: &Path) -> io::Result<BTreeMap<PlaceId, PathBuf>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let (id, file) = if path.is_dir() {
            (path.file_name(), path.join(OWN))
        } else if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            (path.file_stem(), path.clone())
        } else {
            continue;
        };
        let id = id.and_then(|name| name.to_str()?.parse().ok());
        if let Some(id) = id.filter(|_| file.is_file()) {
            // Of two, the folder's: it was made on purpose.
            if path.is_dir() || !found.contains_key(&id) {
                found.insert(id, file);
            }
        }
    }
    Ok(found)
}

/// Reads the settings of the place `id`, whose file this is. The environment is everybody's, so none
/// of it is taken.
///
/// # Errors
/// Every mistake, and another id than the file's name.
pub fn read_one(id: &PlaceId, file: &Path) -> Result<Settings, Refused> {
    let settings = load(file, &BTreeMap::new())?;
    if settings.place.id == *id {
        return Ok(settings);
    }
    let found = error(
        settings.where_is(&["place", "id"]),
        "place-misnamed",
        Words::new(
            format!(
                "Dans un dossier de lieux, le fichier porte le nom du lieu : {id}, et non {}.",
                settings.place.id
            ),
            format!(
                "In a folder of places, the file has the name of its place: {id}, not {}.",
                settings.place.id
            ),
        ),
        Words::new(
            "Renommez le fichier, ou corrigez place.id.",
            "Rename the file, or correct place.id.",
        ),
    );
    Err(Refused {
        findings: vec![found],
        lang: Some(settings.place.lang),
    })
}

/// Where a process with these places listens: they say so alike, or leave it out.
///
/// # Errors
/// When two of them say different things.
pub fn listen<'a>(places: impl IntoIterator<Item = &'a Settings>) -> Result<SocketAddr, Finding> {
    let mut said: Option<(&Settings, SocketAddr)> = None;
    for settings in places {
        let Some(address) = settings.web.listen else {
            continue;
        };
        let Some((first, agreed)) = said else {
            said = Some((settings, address));
            continue;
        };
        if agreed != address {
            return Err(elsewhere(
                settings,
                agreed,
                &first.where_is(&["web", "listen"]),
            ));
        }
    }
    Ok(said.map_or(read::LISTEN, |(_, address)| address))
}

/// Refuses `fresh` where it says another address than the one its process listens at.
///
/// # Errors
/// When it does.
pub fn listens_at(listen: SocketAddr, fresh: &Settings) -> Result<(), Finding> {
    match fresh.web.listen {
        Some(address) if address != listen => Err(elsewhere(fresh, listen, "raccord run")),
        _ => Ok(()),
    }
}

fn elsewhere(settings: &Settings, agreed: SocketAddr, who: &str) -> Finding {
    error(
        settings.where_is(&["web", "listen"]),
        "listen-differs",
        Words::new(
            format!(
                "Les lieux d'un même programme écoutent à la même adresse ; {who} dit {agreed}."
            ),
            format!("Places of one program listen at one address; {who} says {agreed}."),
        ),
        Words::new(
            "Écrivez partout la même adresse, ou dans un seul fichier.",
            "Write the same address everywhere, or in one file only.",
        ),
    )
}

/// Refuses `fresh` where its log would be that of another place; `others` are ids and folders.
///
/// # Errors
/// When it would.
pub fn own_log<'a>(
    others: impl IntoIterator<Item = (&'a PlaceId, &'a Path)>,
    fresh: &Settings,
) -> Result<(), Finding> {
    let mut others = others.into_iter();
    let shared = others.find(|(id, data)| **id != fresh.place.id && *data == fresh.data);
    let Some((id, _)) = shared else {
        return Ok(());
    };
    Err(error(
        fresh.where_is(&["place", "data"]),
        "data-shared",
        Words::new(
            format!("Le dossier du journal est déjà celui de « {id} »."),
            format!("The log's folder is already that of “{id}”."),
        ),
        Words::new(
            "Donnez à chaque lieu son dossier, dans place.data.",
            "Give each place a folder of its own, in place.data.",
        ),
    ))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn place(id: &str, more: &str) -> String {
        format!(
            "[place]\nid = \"{id}\"\nname = \"Lieu\"\ntimezone = \"Europe/Paris\"\nlanguage = \"fr\"\ndata = \"data/{id}\"\n{more}"
        )
    }

    #[test]
    fn a_folder_s_places_are_found_by_the_names_of_their_files() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write(
            "cafe.toml",
            &place("cafe", "[web]\nlisten = \"127.0.0.1:1\"\n"),
        );
        write("halle/raccord.toml", &place("halle", ""));
        write("notes.txt", "");
        write("Not A Place.toml", "");
        write("empty/readme.md", "");
        write(
            "other.toml",
            &place("another", "[web]\nlisten = \"127.0.0.1:2\"\n"),
        );
        let files = files(folder.path()).unwrap();
        let names: Vec<&str> = files.keys().map(PlaceId::as_str).collect();
        assert_eq!(names, ["cafe", "halle", "other"]);

        let read = |id: &str| read_one(&id.parse().unwrap(), &files[&id.parse().unwrap()]);
        let (cafe, halle) = (read("cafe").unwrap(), read("halle").unwrap());
        let refused = read("other").unwrap_err();
        assert_eq!(refused.findings[0].code, "place-misnamed");
        let another = load(&files[&"other".parse().unwrap()], &BTreeMap::new()).unwrap();

        assert_eq!(listen([&halle]).unwrap(), read::LISTEN);
        assert_eq!(listen([&cafe, &halle]).unwrap().port(), 1);
        assert_eq!(
            listen([&cafe, &another]).unwrap_err().code,
            "listen-differs"
        );

        let of = |settings: &Settings| (settings.place.id.clone(), settings.data.clone());
        let (id, data) = of(&cafe);
        let first = "127.0.0.1:1".parse().unwrap();
        assert!(listens_at(first, &cafe).is_ok() && listens_at(read::LISTEN, &halle).is_ok());
        assert!(listens_at(first, &another).is_err());
        assert!(own_log([(&id, &*data)], &cafe).is_ok());
        let twin = Settings {
            data: cafe.data.clone(),
            ..halle
        };
        let refused = own_log([(&id, &*data)], &twin).unwrap_err();
        assert_eq!(refused.code, "data-shared");
    }
}
