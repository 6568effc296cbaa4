//! How the program ends: exit codes, and the one renderer of what went wrong.
//!
//! It decides nothing; it prints cause, place and mend, for people or for programs.

use std::fmt;

use anstyle::{AnsiColor, Style};
use raccord_kit::{Finding, Level};
use raccord_model::{Failure, Lang, Words};
use serde::Serialize;

use crate::locale::{shown, typeset};

/// The exit codes of `docs`' interfaces page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done; what is due later is listed and is no failure.
    Done,
    /// The command itself could not be carried out.
    Failed,
    /// Bad usage or configuration.
    Usage,
    /// Done, but a person must act.
    Attention,
}

impl Exit {
    /// The number the shell sees.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Attention => 3,
        }
    }
}

/// Why a command stopped: every fault found, and how the program ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How the program ends.
    pub exit: Exit,
    /// What is wrong, where, and the mend; never empty.
    pub findings: Vec<Finding>,
}

impl Problem {
    /// The command line cannot be followed.
    pub fn usage(place: impl Into<String>, code: &str, text: Words, mend: Words) -> Self {
        Self {
            exit: Exit::Usage,
            findings: vec![error(place, code, text, mend)],
        }
    }

    /// The command could not be carried out.
    pub fn failed(place: impl Into<String>, code: &str, text: Words, mend: Words) -> Self {
        Self {
            exit: Exit::Failed,
            findings: vec![error(place, code, text, mend)],
        }
    }

    /// The configuration has mistakes.
    pub fn configuration(findings: Vec<Finding>) -> Self {
        Self {
            exit: Exit::Usage,
            findings,
        }
    }

    /// A failure of a tool or of the log at `place`.
    pub fn of(place: impl Into<String>, failure: &Failure) -> Self {
        Self {
            exit: Exit::Failed,
            findings: vec![Finding::of(place, failure)],
        }
    }

    /// Nothing in the log has this name.
    pub fn unknown_reference(reference: &str) -> Self {
        Self::failed(
            shown(reference),
            "reference-unknown",
            Words::new(
                format!("« {} » n'est rien que Raccord connaisse.", shown(reference)),
                format!("Raccord knows nothing called “{}”.", shown(reference)),
            ),
            Words::new(
                "Copiez un identifiant montré par `raccord plan`, `holds`, `dead` ou `log`, ou l'adresse de l'objet dans l'outil.",
                "Copy an id shown by `raccord plan`, `holds`, `dead` or `log`, or the object's address in the tool.",
            ),
        )
    }

    /// An effect that `why` was asked about was not made by Raccord.
    pub fn not_ours(reference: &str) -> Self {
        let mut problem = Self::unknown_reference(reference);
        let shown = shown(reference);
        for finding in &mut problem.findings {
            finding.text = Words::new(
                format!("« {shown} » ne vient pas de Raccord : il n'a rien fait sous ce nom."),
                format!("“{shown}” does not come from Raccord: it made nothing of this name."),
            );
        }
        problem
    }

    /// A file of the machine could not be read or written.
    pub fn file(path: &std::path::Path, error: &std::io::Error) -> Self {
        Self {
            exit: Exit::Failed,
            findings: vec![file_finding(path, error)],
        }
    }
}

/// A finding of level `error`.
pub fn error(place: impl Into<String>, code: &str, text: Words, mend: Words) -> Finding {
    Finding {
        place: place.into(),
        code: code.to_owned(),
        level: Level::Error,
        text,
        mend,
    }
}

/// What to tell about a file that cannot be read or written.
pub fn file_finding(path: &std::path::Path, cause: &std::io::Error) -> Finding {
    use std::io::ErrorKind;
    let place = path.display().to_string();
    let (code, fr, en, mend) = match cause.kind() {
        ErrorKind::NotFound => (
            "file-missing",
            format!("Le fichier {place} n'existe pas."),
            format!("The file {place} does not exist."),
            Words::new(
                "Vérifiez le chemin ; les chemins relatifs partent du dossier de raccord.toml.",
                "Check the path; relative paths start at the folder of raccord.toml.",
            ),
        ),
        ErrorKind::PermissionDenied => (
            "file-forbidden",
            format!("Raccord n'a pas le droit d'ouvrir {place}."),
            format!("Raccord may not open {place}."),
            Words::new(
                "Donnez ce droit au compte qui lance Raccord (chmod, chown).",
                "Give the account that runs Raccord that right (chmod, chown).",
            ),
        ),
        ErrorKind::StorageFull => (
            "disk-full",
            format!("Le disque est plein : {place} n'a pas pu être écrit."),
            format!("The disk is full: {place} could not be written."),
            Words::new("Libérez de la place.", "Make room on it."),
        ),
        _ => (
            "file-failed",
            format!("{place} : {cause}."),
            format!("{place}: {cause}."),
            Words::new(
                "Vérifiez ce fichier et son dossier.",
                "Check that file and its folder.",
            ),
        ),
    };
    error(place, code, Words::new(fr, en), mend)
}

/// A finding as programs read it: the sentences in one language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct FindingShape {
    /// The key, file, line or address it is about.
    #[serde(rename = "where")]
    pub place: String,
    /// A stable code.
    pub code: String,
    /// `error` or `warning`.
    pub level: String,
    /// What is wrong.
    pub text: String,
    /// What to do.
    pub mend: String,
}

impl FindingShape {
    /// `finding` in `lang`.
    pub fn of(finding: &Finding, lang: Lang) -> Self {
        Self {
            place: finding.place.clone(),
            code: finding.code.clone(),
            level: match finding.level {
                Level::Error => "error",
                Level::Warning => "warning",
            }
            .to_owned(),
            text: finding.text.get(lang).to_owned(),
            mend: finding.mend.get(lang).to_owned(),
        }
    }
}

/// What `--json` prints to standard error when a command stops.
#[derive(Debug, Serialize)]
struct Errors {
    errors: Vec<FindingShape>,
}

/// The problem as one line of JSON.
pub fn json(problem: &Problem, lang: Lang) -> String {
    let errors = problem
        .findings
        .iter()
        .map(|finding| FindingShape::of(finding, lang))
        .collect();
    serde_json::to_string(&Errors { errors }).expect("strings always serialise")
}

/// The findings for people: what is wrong, where, and what to do, with terminal styles.
///
/// # Errors
/// None of its own: those of `out`.
pub fn human(findings: &[Finding], lang: Lang, out: &mut dyn fmt::Write) -> fmt::Result {
    for finding in findings {
        let (colour, word) = match (finding.level, lang) {
            (Level::Error, Lang::Fr) => (RED, "erreur"),
            (Level::Error, Lang::En) => (RED, "error"),
            (Level::Warning, Lang::Fr) => (YELLOW, "attention"),
            (Level::Warning, Lang::En) => (YELLOW, "warning"),
        };
        let colon = if lang == Lang::Fr { "\u{a0}:" } else { ":" };
        let text = typeset(lang, &lines_shown(finding.text.get(lang)));
        writeln!(out, "{colour}{word}{colon}{colour:#} {text}")?;
        if !finding.place.is_empty() {
            writeln!(out, "  {DIM}{}{DIM:#}", shown(&finding.place))?;
        }
        let mend = finding.mend.get(lang);
        if !mend.is_empty() {
            writeln!(out, "  → {}", typeset(lang, &lines_shown(mend)))?;
        }
    }
    Ok(())
}

/// Like [`shown`], for texts of ours that may be long and hold a line break.
fn lines_shown(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' => '\n',
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect::<String>()
        .replace('\n', "\n    ")
}

/// Something is wrong.
pub const RED: Style = AnsiColor::Red.on_default().bold();
/// Somebody should look.
pub const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
/// New, or well.
pub const GREEN: Style = AnsiColor::Green.on_default();
/// A title.
pub const BOLD: Style = Style::new().bold();
/// Beside the point, for who looks for it.
pub const DIM: Style = Style::new().dimmed();
