//! Checks, generators and campaigns of this workspace: `cargo xtask <verb>`.
//!
//! Each verb is one file. Nothing here is part of the program, and nothing is skipped silently:
//! a step that cannot run says so and fails.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line talks to who called it"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "outside the program: the environment of the machine is what it works with"
)]

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod browser;
mod cache;
mod calendars;
mod chats;
mod ci;
mod coverage;
mod deny;
mod followers;
mod full;
mod mails;
mod offline;
mod pages;
mod pictures;
mod proofs;
mod python;
mod quality;
mod repairs;
mod rooms;
mod schemas;
mod servers;
mod sites;
mod step;
mod suite;
mod tidy;
mod watched;
mod workspace;

#[derive(Parser)]
#[command(about, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Everything a change must pass: format, lints, arrows, schemas, dependencies, docs, tests.
    Ci(ci::Args),
    /// `ci`, then the long campaigns. Run it before closing an issue.
    Full(full::Args),
    /// Arrows between crates, connector folders, words that must not stand in the project.
    Tidy,
    /// The sample's calendars, read by programs that are not ours.
    Calendars,
    /// Installs Synapse, the Matrix server that the end-to-end tests talk to.
    Chats,
    /// Installs aiosmtpd, the mail server that tests hand letters to.
    Mails,
    /// Every kind of page, in a real browser: axe-core, keyboard, narrow screens, large text, weight.
    Pages(pages::Args),
    /// Installs the EtherCalc that tests start, in the cache folder.
    Rooms,
    /// Writes what is generated: schemas of events and posted data, catalogue, AsyncAPI overview,
    /// and the configuration's schema as the program prints it.
    Schemas(schemas::Args),
    /// The page that says who mends what: docs/repairing.md.
    Repairs(repairs::Args),
    /// The pages of the printed programme beside those that were looked at last.
    Pictures(pictures::Args),
    /// The level of each connector, from the proofs its quality.toml names.
    Quality(quality::Args),
    /// The tests of the connectors and of the kit, in a network namespace that holds nothing.
    Offline,
    /// Installs the NATS servers that tests start, in the cache folder.
    Servers,
    /// Unpacks the WordPress and the MediaWiki that tests start, in the cache folder.
    Sites,
    /// The programs of `examples/followers`, run against a place at work on a server.
    Followers,
    /// Licences, sources, duplicates; advisories where their database can be reached.
    Deny(deny::Args),
}

fn main() -> ExitCode {
    match run(Cli::parse().verb) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(verb: Verb) -> anyhow::Result<()> {
    match verb {
        Verb::Ci(args) => ci::run(&args),
        Verb::Full(args) => full::run(&args),
        Verb::Tidy => tidy::run(),
        Verb::Calendars => calendars::run(),
        Verb::Chats => chats::run(),
        Verb::Mails => mails::run(),
        Verb::Pages(args) => pages::run(&args),
        Verb::Rooms => rooms::run(),
        Verb::Schemas(args) => schemas::run(&args),
        Verb::Repairs(args) => repairs::run(&args),
        Verb::Pictures(args) => pictures::run(&args),
        Verb::Quality(args) => quality::run(&args),
        Verb::Offline => offline::run(),
        Verb::Servers => servers::run(),
        Verb::Sites => sites::run(),
        Verb::Followers => followers::run(),
        Verb::Deny(args) => deny::run(&args),
    }
}
