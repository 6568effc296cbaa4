//! `raccord completions SHELL`, `man [COMMAND]`, `help [COMMAND]`: what is made from the command
//! line itself.

use raccord_kit::settings::nearest;
use raccord_model::{Lang, Words};

use super::args::{Completions, Help, Man};
use super::{Console, command, painted};
use crate::locale::shown;
use crate::report::{Exit, Problem};

pub(super) fn completions(
    args: &Completions,
    console: &mut Console<'_, '_>,
) -> Result<Exit, Problem> {
    let mut script = Vec::new();
    clap_complete::generate(
        args.shell,
        &mut command(console.lang()),
        "raccord",
        &mut script,
    );
    console.write(&script)?;
    Ok(Exit::Done)
}

pub(super) fn man(args: &Man, console: &mut Console<'_, '_>) -> Result<Exit, Problem> {
    let page = found(args.command.as_deref(), console)?;
    let mut text = Vec::new();
    clap_mangen::Man::new(page)
        .render(&mut text)
        .map_err(|cause| Problem::file(std::path::Path::new("man"), &cause))?;
    let text = String::from_utf8_lossy(&text).replace('\u{a0}', " ");
    let text = match console.lang() {
        Lang::Fr => text.replace("\n.SH NAME\n", "\n.SH NOM\n"),
        Lang::En => text,
    };
    console.write(text.as_bytes())?;
    Ok(Exit::Done)
}

pub(super) fn help(args: &Help, console: &mut Console<'_, '_>) -> Result<Exit, Problem> {
    let mut page = found(args.of.as_deref(), console)?;
    let text = page.render_long_help().ansi().to_string();
    let text = painted(text, console.shell.paints_out);
    console.write(text.as_bytes())?;
    Ok(Exit::Done)
}

/// The command of that name, ready to be described; the whole program without a name.
fn found(name: Option<&str>, console: &Console<'_, '_>) -> Result<clap::Command, Problem> {
    let mut root = command(console.lang());
    root.build();
    let Some(name) = name else {
        return Ok(root);
    };
    let known: Vec<&str> = root
        .get_subcommands()
        .map(clap::Command::get_name)
        .collect();
    let near = nearest(name, &known).unwrap_or("init").to_owned();
    let page = root.find_subcommand(name).cloned();
    page.map(|page| page.display_name(format!("raccord {name}")))
        .ok_or_else(|| {
            Problem::usage(
                "",
                "command-unknown",
                Words::new(
                    format!("« {} » n'est pas une commande de raccord.", shown(name)),
                    format!("“{}” is no command of raccord.", shown(name)),
                ),
                Words::new(
                    format!("Vouliez-vous écrire « {near} » ?"),
                    format!("Did you mean “{near}”?"),
                ),
            )
        })
}
