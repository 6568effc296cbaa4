//! `raccord init [DIR]`: a first configuration, a sample sheet and the folders. Nothing that is
//! there is ever overwritten.

use std::fmt::{self, Write as _};
use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, BufRead as _, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use raccord_kit::Clock as _;
use raccord_model::{Lang, PlaceId, Words, fold_word};
use serde::Serialize;

use super::Console;
use super::args::Init;
use crate::locale::{View, shown};
use crate::report::{BOLD, Exit, GREEN, Problem};
use crate::settings;
use crate::shapes::Shape;

mod sample;

/// What the place is called and where it is.
struct Answers {
    name: String,
    id: PlaceId,
    zone: String,
    lang: Lang,
}

/// What was written.
#[derive(Serialize)]
struct InitShape {
    /// The folder.
    folder: PathBuf,
    /// The files that were written.
    wrote: Vec<PathBuf>,
    /// Files that were there already and were left as they are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    kept: Vec<PathBuf>,
}

pub(super) fn run(args: &Init, console: &mut Console<'_, '_>) -> Result<Exit, Problem> {
    let folder = args.dir.clone().unwrap_or_else(|| PathBuf::from("."));
    let configuration = folder.join("raccord.toml");
    if configuration.exists() {
        return Err(Problem::failed(
            configuration.display().to_string(),
            "already-there",
            Words::new(
                "Il y a déjà une configuration dans ce dossier.",
                "There is already a configuration in this folder.",
            ),
            Words::new(
                "Modifiez-la, ou nommez un autre dossier : raccord init AUTRE-DOSSIER.",
                "Edit it, or name another folder: raccord init OTHER-FOLDER.",
            ),
        ));
    }
    let usual = usual(&folder, console.lang());
    let answers = if args.yes || console.global.json || !console.shell.asks {
        usual
    } else {
        ask(&usual, console)?
    };
    let now = settings::clock(&console.shell.env)?.clock.now();
    let zone = TimeZone::get(&answers.zone).unwrap_or(TimeZone::UTC);
    let today = now.to_zoned(zone.clone()).date();
    let mut shape = InitShape {
        folder: folder.clone(),
        wrote: Vec::new(),
        kept: Vec::new(),
    };
    for (path, mode) in [
        (folder.clone(), 0o755),
        (folder.join("data"), 0o700),
        (folder.join("secrets"), 0o700),
        (folder.join("out"), 0o755),
    ] {
        DirBuilder::new()
            .recursive(true)
            .mode(mode)
            .create(&path)
            .map_err(|cause| Problem::file(&path, &cause))?;
    }
    let files = [
        ("raccord.toml", 0o644, sample::configuration(&answers)),
        (
            "programme.csv",
            0o644,
            sample::sheet(answers.lang, first_saturday(today)),
        ),
        ("secrets/admin", 0o600, token()?),
        (".gitignore", 0o644, "/data/\n/out/\n/secrets/\n".to_owned()),
    ];
    for (name, mode, text) in files {
        let path = folder.join(name);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&path);
        match file.and_then(|mut file| file.write_all(text.as_bytes())) {
            Ok(()) => shape.wrote.push(path),
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => shape.kept.push(path),
            Err(cause) => return Err(Problem::file(&path, &cause)),
        }
    }
    let view = View {
        lang: console.lang.unwrap_or(answers.lang),
        zone,
        now,
    };
    console.print(&shape, &view)
}

/// What is taken when nobody answers.
fn usual(folder: &Path, lang: Lang) -> Answers {
    let name = std::path::absolute(folder)
        .ok()
        .and_then(|full| Some(full.file_name()?.to_string_lossy().into_owned()))
        .unwrap_or_else(|| "raccord".to_owned());
    let zone = TimeZone::system()
        .iana_name()
        .filter(|zone| TimeZone::get(zone).is_ok())
        .unwrap_or("Europe/Paris")
        .to_owned();
    Answers {
        id: id_of(&name),
        name,
        zone,
        lang,
    }
}

/// Asks what cannot be guessed; an empty answer takes what stands between brackets.
fn ask(usual: &Answers, console: &mut Console<'_, '_>) -> Result<Answers, Problem> {
    let lang = console.lang();
    let pick = |fr: &'static str, en: &'static str| match lang {
        Lang::Fr => fr,
        Lang::En => en,
    };
    let name = question(
        pick(
            "Comment s'appelle votre lieu ?",
            "What is your place called?",
        ),
        &usual.name,
        console,
    )?;
    let id = id_of(&name);
    let zone = loop {
        let zone = question(
            pick("Dans quel fuseau horaire ?", "In which time zone?"),
            &usual.zone,
            console,
        )?;
        if TimeZone::get(&zone).is_ok() {
            break zone;
        }
        let known = pick(
            "Ce fuseau n'est pas connu ; par exemple Europe/Paris, Indian/Reunion.\n",
            "That zone is not known; for example Europe/Paris, Indian/Reunion.\n",
        );
        console.write(known.as_bytes())?;
    };
    let lang = loop {
        let answer = question(
            pick(
                "En quelle langue, fr ou en ?",
                "In which language, fr or en?",
            ),
            &usual.lang.to_string(),
            console,
        )?;
        if let Ok(lang) = answer.parse() {
            break lang;
        }
    };
    Ok(Answers {
        name,
        id,
        zone,
        lang,
    })
}

fn question(text: &str, usual: &str, console: &mut Console<'_, '_>) -> Result<String, Problem> {
    let text = crate::locale::typeset(console.lang(), text);
    console.write(format!("{text} [{usual}] ").as_bytes())?;
    let mut answer = String::new();
    (&mut *console.shell.input)
        .take(1000)
        .read_line(&mut answer)
        .map_err(|cause| Problem::file(Path::new("stdin"), &cause))?;
    Ok(match answer.trim() {
        "" => usual.to_owned(),
        given => given.to_owned(),
    })
}

/// A place's id from its name: `La Raffinerie` is `la-raffinerie`.
fn id_of(name: &str) -> PlaceId {
    let mut id = String::new();
    for c in fold_word(name).chars() {
        match c {
            'a'..='z' | '0'..='9' => id.push(c),
            _ if !id.is_empty() && !id.ends_with('-') => id.push('-'),
            _ => {}
        }
    }
    id.truncate(64);
    id.trim_end_matches('-')
        .parse()
        .unwrap_or_else(|_| "lieu".parse().expect("a plain word names a place"))
}

/// The first Saturday at least three days away.
fn first_saturday(today: Date) -> Date {
    let soon = today.saturating_add(jiff::Span::new().days(2));
    soon.nth_weekday(1, Weekday::Saturday).unwrap_or(soon)
}

/// A new bearer token: 256 random bits.
fn token() -> Result<String, Problem> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|cause| {
        Problem::file(Path::new("getrandom"), &io::Error::other(cause.to_string()))
    })?;
    let mut token = String::with_capacity(65);
    for byte in bytes {
        write!(token, "{byte:02x}").expect("a String takes every text");
    }
    token.push('\n');
    Ok(token)
}

impl Shape for InitShape {
    fn human(&self, view: &View, out: &mut dyn fmt::Write) -> fmt::Result {
        let path = |path: &Path| shown(&path.display().to_string());
        for file in &self.wrote {
            writeln!(out, "{GREEN}+{GREEN:#} {}", path(file))?;
        }
        for file in &self.kept {
            let kept = view.say("était déjà là, laissé tel quel", "was there, left as it is");
            writeln!(out, "= {} ({kept})", path(file))?;
        }
        let next = view.say("Et maintenant :", "And now:");
        writeln!(out, "\n{BOLD}{next}{BOLD:#}")?;
        if self.folder != Path::new(".") {
            writeln!(out, "  cd {}", path(&self.folder))?;
        }
        for (command, fr, en) in [
            (
                "raccord check",
                "vérifie que tout est en place",
                "checks that all is in place",
            ),
            (
                "raccord plan",
                "montre ce qui serait fait, sans rien changer",
                "shows what would be done, changing nothing",
            ),
            (
                "raccord sync",
                "le fait : regardez dans le dossier out",
                "does it: look into the folder out",
            ),
        ] {
            writeln!(out, "  {command:<14} {}", view.say(fr, en))?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_place_s_id_comes_from_its_name() {
        for (name, id) in [
            ("La Raffinerie", "la-raffinerie"),
            ("  Été à l'Œuvre !", "ete-a-l-oeuvre"),
            ("日本", "lieu"),
            ("", "lieu"),
            ("---", "lieu"),
        ] {
            assert_eq!(id_of(name).as_str(), id, "{name}");
        }
        assert!(id_of(&"x".repeat(200)).as_str().len() <= 64);
    }

    #[test]
    fn the_sample_starts_on_a_saturday_to_come() {
        let saturday = first_saturday(jiff::civil::date(2027, 1, 1));
        assert_eq!(saturday, jiff::civil::date(2027, 1, 9));
        assert_eq!(saturday.weekday(), Weekday::Saturday);
    }
}
