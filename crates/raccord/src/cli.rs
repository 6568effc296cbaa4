//! The command line: read the words, open the place, hand the work on, print the answer.
//!
//! No command decides anything; what needs the log is asked of a [`Host`].

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, BufRead, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::FromArgMatches as _;
use jiff::tz::TimeZone;
use raccord_kit::Clock as _;
use raccord_model::{Lang, PlaceId, Words};

use crate::locale::{self, View};
use crate::report::{self, DIM, Exit, Problem};
use crate::settings::{self, Refused, Settings};
use crate::shapes::{self, Shape};

pub mod args;
mod check;
mod completions;
mod connector;
mod dead;
mod demo;
mod holds;
mod host;
mod init;
mod ledger;
mod log;
mod new_file;
mod person;
mod places;
mod plan;
mod printed;
mod run;
mod schema;
mod support;
mod sync;
mod typeset;
mod upkeep;
mod usage;
mod why;
mod words;
mod yearly;

#[cfg(test)]
mod tests;

pub use host::{Host, Pass, Receipts, Session, Unmute, Wall, Work};
pub use words::command;

use args::{Cli, Command, Global};

/// What surrounds one command: its streams, its environment, and whether people are there.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts about three streams"
)]
pub struct Shell<'a> {
    /// The environment.
    pub env: BTreeMap<String, String>,
    /// Standard input.
    pub input: &'a mut dyn BufRead,
    /// Standard output.
    pub out: &'a mut dyn Write,
    /// Standard error.
    pub err: &'a mut dyn Write,
    /// Whether somebody can answer questions.
    pub asks: bool,
    /// Whether standard output shows colours.
    pub paints_out: bool,
    /// Whether standard error shows colours.
    pub paints_err: bool,
    /// Whether standard error is a terminal.
    pub draws: bool,
}

/// Runs the program with the process's own arguments, environment and streams.
pub fn main(host: &dyn Host) -> ExitCode {
    use std::io::IsTerminal as _;
    if std::env::args_os()
        .nth(1)
        .is_some_and(|word| word == typeset::WORD)
    {
        return typeset::run();
    }
    let paints = |choice| !matches!(choice, anstream::ColorChoice::Never);
    let paints_out = paints(anstream::AutoStream::choice(&io::stdout()));
    let paints_err = paints(anstream::AutoStream::choice(&io::stderr()));
    let asks = io::stdin().is_terminal() && io::stdout().is_terminal();
    let draws = io::stderr().is_terminal();
    let mut shell = Shell {
        env: settings::env::read(),
        input: &mut io::stdin().lock(),
        out: &mut io::stdout(),
        err: &mut io::stderr(),
        asks,
        paints_out,
        paints_err,
        draws,
    };
    ExitCode::from(execute(std::env::args_os(), &mut shell, host).code())
}

/// Runs one command line (its first word is the program's name) and says how it ended.
pub fn execute(
    args: impl IntoIterator<Item = OsString>,
    shell: &mut Shell<'_>,
    host: &dyn Host,
) -> Exit {
    let args: Vec<OsString> = args.into_iter().collect();
    let lang = early_lang(&args).unwrap_or_else(|| locale::of_environment(&shell.env));
    let json = args.iter().any(|arg| arg == "--json");
    let matches = command(lang).try_get_matches_from(&args);
    let cli = match matches.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(stop) => return usage::stopped(&stop, lang, json, shell),
    };
    let daemon = matches!(cli.command, Command::Run);
    let mut console = Console {
        shell,
        lang: cli.global.lang(),
        decides: decides(&cli.command),
        global: cli.global,
        place_lang: None,
        closed: false,
    };
    crate::log::start(
        console.global.json || !console.shell.draws,
        console.global.verbose,
        daemon,
        console.shell.env.get("RACCORD_LOG").map(String::as_str),
    );
    match dispatch(&cli.command, &mut console, host) {
        Ok(Exit::Attention) if console.global.ok_if_waiting => Exit::Done,
        Ok(exit) => exit,
        Err(problem) => {
            let lang = console.lang();
            say(&problem, lang, console.global.json, console.shell);
            problem.exit
        }
    }
}

fn dispatch(
    command: &Command,
    console: &mut Console<'_, '_>,
    host: &dyn Host,
) -> Result<Exit, Problem> {
    match command {
        Command::Init(args) => init::run(args, console),
        Command::Check => check::run(console, host),
        Command::Plan(args) => plan::run(args, console, host),
        Command::Sync(args) => sync::run(args, console, host),
        Command::Run => run::run(console, host),
        Command::Demo(args) => demo::run(args, console),
        Command::Places => places::run(console, host),
        Command::Log(args) => log::run(args, console, host),
        Command::Why(args) => why::run(args, console, host),
        Command::Holds => holds::list(console, host),
        Command::Approve(args) => holds::approve(args, console, host),
        Command::Reject(args) => holds::reject(args, console, host),
        Command::Dead => dead::list(console, host),
        Command::Retry(args) => dead::retry(args, console, host),
        Command::Drop(args) => dead::give_up(args, console, host),
        Command::Printed(args) => printed::run(args, console, host),
        Command::Ledger(args) => ledger::run(args, console, host),
        Command::Report(args) => yearly::run(args, console, host),
        Command::Person(args) => person::run(args, console, host),
        Command::Backup(args) => upkeep::backup(args, console, host),
        Command::Restore(args) => upkeep::restore(args, console, host),
        Command::Unmute(args) => upkeep::unmute(args, console, host),
        Command::Rebuild => upkeep::rebuild(console, host),
        Command::Migrate(args) => upkeep::migrate(args, console, host),
        Command::Support(args) => support::run(args, console, host),
        Command::Connector(args::Connector::List) => connector::list(console),
        Command::Schema(args) => schema::run(args, console),
        Command::Completions(args) => completions::completions(args, console),
        Command::Man(args) => completions::man(args, console),
        Command::Help(args) => completions::help(args, console),
    }
}

/// `--lang` before the command line is understood: help and mistakes are told in it.
fn early_lang(args: &[OsString]) -> Option<Lang> {
    let mut words = args.iter().filter_map(|arg| arg.to_str());
    while let Some(word) = words.next() {
        if word == "--lang" {
            return words.next()?.parse().ok();
        }
        if let Some(lang) = word.strip_prefix("--lang=") {
            return lang.parse().ok();
        }
    }
    None
}

/// Tells a problem on standard error.
fn say(problem: &Problem, lang: Lang, json: bool, shell: &mut Shell<'_>) {
    let text = if json {
        let mut line = report::json(problem, lang);
        line.push('\n');
        line
    } else {
        let mut text = String::new();
        report::human(&problem.findings, lang, &mut text).expect("a String takes every text");
        painted(text, shell.paints_err)
    };
    // Nobody can be told that nobody can be told.
    drop(shell.err.write_all(text.as_bytes()));
    drop(shell.err.flush());
}

fn painted(text: String, paints: bool) -> String {
    if paints {
        text
    } else {
        anstream::adapter::strip_str(&text).to_string()
    }
}

/// Whether a command decides by the hour, so that one set by hand must be told. (The daemon says
/// it in its log.)
fn decides(command: &Command) -> bool {
    matches!(
        command,
        Command::Plan(_)
            | Command::Sync(_)
            | Command::Approve(_)
            | Command::Reject(_)
            | Command::Retry(_)
            | Command::Printed(_)
    )
}

/// One command's view of the world.
struct Console<'a, 'b> {
    shell: &'a mut Shell<'b>,
    global: Global,
    lang: Option<Lang>,
    decides: bool,
    place_lang: Option<Lang>,
    /// Nobody listens any more.
    closed: bool,
}

impl Console<'_, '_> {
    /// The language to answer in: as asked, else the place's, else the locale's.
    fn lang(&self) -> Lang {
        self.lang
            .or(self.place_lang)
            .unwrap_or_else(|| locale::of_environment(&self.shell.env))
    }

    /// Reads the place's settings.
    fn open(&mut self) -> Result<Session, Problem> {
        let time = settings::clock(&self.shell.env)?;
        let settings = self.read()?.map_err(|refused| {
            self.place_lang = refused.lang;
            Problem::configuration(refused.findings)
        })?;
        self.is_the_place(&settings)?;
        self.place_lang = Some(settings.place.lang);
        let view = View {
            lang: self.lang(),
            zone: settings.zone.clone(),
            now: time.clock.now(),
        };
        if let Some(set_to) = time.set_to
            && self.decides
            && !self.global.json
        {
            self.say_hour(set_to, &view);
        }
        Ok(Session {
            view,
            alone: !self.global.config.is_dir(),
            settings,
            time,
            draws: self.shell.draws && !self.global.json,
            json: self.global.json || !self.shell.draws,
        })
    }

    /// The settings of the place that is asked about, or what is wrong with them.
    fn read(&self) -> Result<Result<Settings, Refused>, Problem> {
        if self.global.config.is_dir() {
            let (id, file) = self.chosen()?;
            return Ok(settings::places::read_one(&id, &file));
        }
        Ok(settings::load(&self.global.config, &self.shell.env))
    }

    /// The place of the folder that was asked for, or its only one.
    fn chosen(&self) -> Result<(PlaceId, PathBuf), Problem> {
        let folder = &self.global.config;
        let files =
            settings::places::files(folder).map_err(|cause| Problem::file(folder, &cause))?;
        let found = match &self.global.place {
            Some(id) => files.get_key_value(id),
            None => files.first_key_value().filter(|_| files.len() == 1),
        };
        if let Some((id, file)) = found {
            return Ok((id.clone(), file.clone()));
        }
        let list: Vec<&str> = files.keys().map(PlaceId::as_str).collect();
        let list = list.join(", ");
        let place = folder.display().to_string();
        Err(if files.is_empty() {
            Problem::usage(
                place,
                "no-place",
                Words::new(
                    "Ce dossier ne contient aucun lieu.",
                    "There is no place in this folder.",
                ),
                Words::new(
                    "Un lieu y est un fichier <id>.toml, ou un dossier <id> avec son raccord.toml.",
                    "A place is a file <id>.toml in it, or a folder <id> with its raccord.toml.",
                ),
            )
        } else {
            Problem::usage(
                place,
                "which-place",
                Words::new(
                    format!("De quel lieu s'agit-il ? Le dossier contient : {list}."),
                    format!("Which place is it about? The folder holds: {list}."),
                ),
                Words::new("Ajoutez --place ID.", "Add --place ID."),
            )
        })
    }

    /// `--place` names the place of a single file as well, so that no command goes astray.
    fn is_the_place(&self, settings: &Settings) -> Result<(), Problem> {
        match &self.global.place {
            Some(id) if *id != settings.place.id => Err(Problem::usage(
                settings.where_is(&["place", "id"]),
                "another-place",
                Words::new(
                    format!(
                        "Ce fichier est celui de « {} », pas de « {id} ».",
                        settings.place.id
                    ),
                    format!(
                        "This file is that of “{}”, not of “{id}”.",
                        settings.place.id
                    ),
                ),
                Words::new(
                    "Donnez le bon fichier avec --config, ou enlevez --place.",
                    "Give the right file with --config, or leave --place out.",
                ),
            )),
            _ => Ok(()),
        }
    }

    /// Says that the clock was set by hand.
    fn say_hour(&mut self, set_to: jiff::Timestamp, view: &View) {
        let said = view.say("RACCORD_NOW : nous sommes le", "RACCORD_NOW: it is");
        let line = format!("{DIM}{said} {}.{DIM:#}\n", view.instant(set_to));
        let line = painted(locale::typeset(view.lang, &line), self.shell.paints_err);
        // Nobody can be told that nobody can be told.
        drop(self.shell.err.write_all(line.as_bytes()));
    }

    /// A view for commands that open no place.
    fn view(&self) -> Result<View, Problem> {
        Ok(View {
            lang: self.lang(),
            zone: TimeZone::UTC,
            now: settings::clock(&self.shell.env)?.clock.now(),
        })
    }

    /// Prints an answer, and says how the program ends after it.
    fn print(&mut self, shape: &impl Shape, view: &View) -> Result<Exit, Problem> {
        let text = if self.global.json {
            let mut line = serde_json::to_string(shape).expect("answers always serialise");
            line.push('\n');
            line
        } else {
            painted(shapes::text(shape, view), self.shell.paints_out)
        };
        self.write(text.as_bytes())?;
        Ok(shape.exit())
    }

    /// Writes to standard output. Who stops listening wants no more.
    fn write(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        let written = self
            .shell
            .out
            .write_all(bytes)
            .and_then(|()| self.shell.out.flush());
        match written {
            Err(cause) if cause.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            Err(cause) => Err(Problem::file(std::path::Path::new("stdout"), &cause)),
            Ok(()) => Ok(()),
        }
    }
}
