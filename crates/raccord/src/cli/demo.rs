//! `raccord demo`: a complete place with tools of its own, to play with; `--headless` tells the whole
//! story by itself.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use raccord_demo::{Ending, Error, Playing, Program, Step};
use raccord_model::{Lang, Words};
use serde::Serialize;

use super::args::Demo;
use super::{Console, painted};
use crate::locale::{View, shown, typeset};
use crate::report::{BOLD, DIM, Exit, GREEN, Problem};
use crate::settings;
use crate::shapes::Shape;

/// How the story ended.
#[derive(Serialize)]
struct StoryShape {
    /// Whether everything was there, each thing once.
    done: bool,
    steps: Vec<StepShape>,
    /// What was counted in the tools.
    counted: BTreeMap<&'static str, usize>,
    /// How long it took, in milliseconds.
    took_ms: u128,
    /// The folder, where it stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    folder: Option<PathBuf>,
}

#[derive(Serialize)]
struct StepShape {
    step: &'static str,
    text: String,
    /// What the program answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<String>,
}

/// Where everything is, while one plays.
#[derive(Serialize)]
struct PlayShape {
    page: String,
    sheet: PathBuf,
    line: String,
    programme: String,
    hands: String,
    organiser: &'static str,
}

pub(super) fn run(args: &Demo, console: &mut Console<'_, '_>) -> Result<Exit, Problem> {
    let program = program(console)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|cause| Problem::file(Path::new("tokio"), &cause))?;
    let keep = args.keep.as_deref();
    if args.headless {
        runtime.block_on(story(&program, keep, console))
    } else {
        runtime.block_on(play(&program, keep, console))
    }
}

/// This program, in an environment that leaves the demo's settings as they are written.
fn program(console: &Console<'_, '_>) -> Result<Program, Problem> {
    let path =
        std::env::current_exe().map_err(|cause| Problem::file(Path::new("raccord"), &cause))?;
    let names = console.shell.env.keys();
    let unset = names.filter(|name| name.starts_with("RACCORD__")).cloned();
    Ok(Program {
        path,
        unset: unset.collect(),
    })
}

async fn story(
    program: &Program,
    keep: Option<&Path>,
    console: &mut Console<'_, '_>,
) -> Result<Exit, Problem> {
    let view = console.view()?;
    let mut steps = Vec::new();
    let mut wrote = Ok(());
    let (ended, folder) = raccord_demo::tell(program, view.lang, keep, |step| {
        if !console.global.json && wrote.is_ok() {
            let text = told(steps.len() + 1, step, view.lang);
            wrote = console.write(painted(text, console.shell.paints_out).as_bytes());
        }
        steps.push(StepShape {
            step: step.name,
            text: step.told.get(view.lang).to_owned(),
            answer: step.quoted.clone(),
        });
    })
    .await;
    wrote?;
    let Ending { counted, took } = ended.map_err(|error| problem(&error, folder.as_deref()))?;
    let shape = StoryShape {
        done: true,
        steps,
        counted,
        took_ms: took.as_millis(),
        folder,
    };
    console.print(&shape, &view)
}

async fn play(
    program: &Program,
    keep: Option<&Path>,
    console: &mut Console<'_, '_>,
) -> Result<Exit, Problem> {
    let time = settings::clock(&console.shell.env)?;
    let view = console.view()?;
    let mut printed = Ok(Exit::Done);
    let (ended, folder) = raccord_demo::play(program, view.lang, time.clock, keep, |playing| {
        printed = console.print(&PlayShape::of(playing), &view);
    })
    .await;
    ended.map_err(|error| problem(&error, folder.as_deref()))?;
    printed?;
    if !console.global.json {
        let text = stays(folder.as_deref());
        let line = format!("\n{}\n", typeset(view.lang, text.get(view.lang)));
        console.write(line.as_bytes())?;
    }
    Ok(Exit::Done)
}

/// One step, for people.
fn told(number: usize, step: &Step, lang: Lang) -> String {
    let mut text = String::new();
    let mut mark = format!("{GREEN}{number:>2}{GREEN:#}");
    for line in typeset(lang, step.told.get(lang)).lines() {
        text.push_str(&mark);
        text.push(' ');
        text.push_str(line);
        text.push('\n');
        "  ".clone_into(&mut mark);
    }
    for line in step.quoted.iter().flat_map(|quoted| quoted.lines()) {
        text.push_str("     ");
        text.push_str(line);
        text.push('\n');
    }
    text
}

/// What became of the folder.
fn stays(folder: Option<&Path>) -> Words {
    match folder {
        None => Words::new("Le dossier est effacé.", "The folder is removed."),
        Some(folder) => {
            let folder = shown(&folder.display().to_string());
            Words::new(
                format!("Tout est resté dans {folder}"),
                format!("Everything stayed in {folder}"),
            )
        }
    }
}

fn problem(error: &Error, folder: Option<&Path>) -> Problem {
    match error {
        Error::File { path, source } => Problem::file(path, source),
        Error::Interrupted => Problem::failed(
            "demo",
            "interrupted",
            Words::new("Interrompu avant la fin.", "Interrupted before its end."),
            stays(folder),
        ),
        Error::Missing(what) => Problem::failed(
            "demo",
            "missing",
            Words::new(
                format!("Il manque : {}", what.fr),
                format!("Missing: {}", what.en),
            ),
            Words::new(
                format!("{} ; regardez daemon.log.", stays(folder).fr),
                format!("{}; look into daemon.log.", stays(folder).en),
            ),
        ),
    }
}

impl PlayShape {
    fn of(playing: &Playing) -> Self {
        Self {
            page: playing.page.clone(),
            sheet: playing.sheet.clone(),
            line: playing.line.clone(),
            programme: playing.programme.clone(),
            hands: playing.hands.clone(),
            organiser: playing.organiser,
        }
    }
}

impl Shape for StoryShape {
    fn human(&self, view: &View, out: &mut dyn fmt::Write) -> fmt::Result {
        let seconds = self.took_ms / 1000;
        let said = view.say("En", "In");
        let folder = stays(self.folder.as_deref());
        writeln!(
            out,
            "\n{DIM}{said} {seconds} s. {}{DIM:#}",
            folder.get(view.lang)
        )
    }
}

impl Shape for PlayShape {
    fn human(&self, view: &View, out: &mut dyn fmt::Write) -> fmt::Result {
        let title = view.say(
            "Un lieu complet est au travail, avec ses outils.",
            "A complete place is at work, with its tools.",
        );
        writeln!(out, "{BOLD}{title}{BOLD:#}\n")?;
        let sheet = shown(&self.sheet.display().to_string());
        for (fr, en, value) in [
            ("À regarder", "Look at", self.page.as_str()),
            ("La feuille", "The sheet", sheet.as_str()),
            ("Le programme", "The programme", &self.programme),
            ("S'inscrire", "Sign up", &self.hands),
        ] {
            writeln!(out, "  {:<14} {value}", view.say(fr, en))?;
        }
        let lines = [
            (
                "Ajoutez cette ligne à la feuille, enregistrez, et regardez :",
                "Add this line to the sheet, save, and look:",
            ),
            (
                "Les mails arrivent sur la même page ; connectez-vous comme l'organisatrice pour noter qui était là :",
                "Mails arrive on the same page; sign in as the organiser to note who came:",
            ),
        ];
        for ((fr, en), value) in lines.into_iter().zip([&*self.line, self.organiser]) {
            writeln!(out, "\n{}\n  {value}", view.say(fr, en))?;
        }
        let end = view.say("Ctrl-C termine tout.", "Ctrl-C ends everything.");
        writeln!(out, "\n{DIM}{end}{DIM:#}")
    }
}
