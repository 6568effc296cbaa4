//! Mistakes on the command line, told like every other: what is wrong, and what to write.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use raccord_model::{Lang, Words};

use super::{Shell, painted, say};
use crate::locale::shown;
use crate::report::{Exit, Problem};

/// Prints help or version where they were asked for, else what is wrong.
pub(super) fn stopped(stop: &clap::Error, lang: Lang, json: bool, shell: &mut Shell<'_>) -> Exit {
    match stop.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let text = painted(stop.render().ansi().to_string(), shell.paints_out);
            drop(shell.out.write_all(text.as_bytes()));
            drop(shell.out.flush());
            Exit::Done
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let text = painted(stop.render().ansi().to_string(), shell.paints_err);
            drop(shell.err.write_all(text.as_bytes()));
            Exit::Usage
        }
        _ => {
            say(&explain(stop), lang, json, shell);
            Exit::Usage
        }
    }
}

/// What is wrong with the command line, in both languages.
fn explain(stop: &clap::Error) -> Problem {
    let word = |kind| match stop.get(kind) {
        Some(ContextValue::String(text)) => shown(text),
        Some(ContextValue::Strings(texts)) => shown(&texts.join(", ")),
        _ => String::new(),
    };
    let argument = word(ContextKind::InvalidArg);
    let (code, text) = match stop.kind() {
        ErrorKind::UnknownArgument => (
            "argument-unknown",
            Words::new(
                format!("« {argument} » n'est pas une option de cette commande."),
                format!("“{argument}” is no option of this command."),
            ),
        ),
        ErrorKind::InvalidSubcommand => {
            let command = word(ContextKind::InvalidSubcommand);
            (
                "command-unknown",
                Words::new(
                    format!("« {command} » n'est pas une commande de raccord."),
                    format!("“{command}” is no command of raccord."),
                ),
            )
        }
        ErrorKind::MissingRequiredArgument => (
            "argument-missing",
            Words::new(
                format!("Il manque : {argument}."),
                format!("Missing: {argument}."),
            ),
        ),
        ErrorKind::ArgumentConflict => {
            let other = word(ContextKind::PriorArg);
            (
                "argument-conflict",
                Words::new(
                    format!("« {argument} » et « {other} » ne vont pas ensemble."),
                    format!("“{argument}” and “{other}” do not go together."),
                ),
            )
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation | ErrorKind::InvalidUtf8 => {
            let value = word(ContextKind::InvalidValue);
            if value.is_empty() {
                let text = Words::new(
                    format!("Il manque une valeur à {argument}."),
                    format!("{argument} lacks its value."),
                );
                return Problem::usage("", "value-missing", text, mend(stop));
            }
            (
                "argument-wrong",
                Words::new(
                    format!("« {value} » ne convient pas pour {argument}."),
                    format!("“{value}” does not fit {argument}."),
                ),
            )
        }
        _ => (
            "usage-wrong",
            Words::new(
                "Cette ligne de commande n'est pas comprise.",
                "This command line is not understood.",
            ),
        ),
    };
    Problem::usage("", code, text, mend(stop))
}

fn mend(stop: &clap::Error) -> Words {
    let near = [
        ContextKind::SuggestedSubcommand,
        ContextKind::SuggestedArg,
        ContextKind::SuggestedValue,
    ]
    .into_iter()
    .find_map(|kind| match stop.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => texts.first().cloned(),
        _ => None,
    });
    if let Some(near) = near {
        return Words::new(
            format!("Vouliez-vous écrire « {near} » ?"),
            format!("Did you mean “{near}”?"),
        );
    }
    if let Some(ContextValue::Strings(values)) = stop.get(ContextKind::ValidValue)
        && !values.is_empty()
    {
        let values = values.join(", ");
        return Words::new(
            format!("Les possibilités : {values}."),
            format!("What is possible: {values}."),
        );
    }
    if matches!(stop.get(ContextKind::InvalidArg), Some(ContextValue::String(arg)) if arg.starts_with("--wait"))
    {
        return Words::new(
            "Écrivez une durée avec son unité : 30s, 10m, 2h.",
            "Write a duration with its unit: 30s, 10m, 2h.",
        );
    }
    Words::new(
        "`raccord help` montre les commandes, `raccord help COMMANDE` leurs options.",
        "`raccord help` shows the commands, `raccord help COMMAND` their options.",
    )
}
