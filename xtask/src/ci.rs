//! Everything a change must pass, in one run, with the time each step took.
//!
//! The tests come last, so that the lines of the test runner close the output.

use anyhow::Result;

use crate::step::{self, Step, Work};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Leave out the audit of dependencies (which may build cargo-deny first).
    #[arg(long)]
    no_deny: bool,
}

const DENY: &str = "dependencies";

/// The steps, in order: what fails fastest first.
pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "format",
        work: Work::Cargo(&["fmt", "--all", "--check"], &[]),
    },
    Step {
        name: "tidy",
        work: Work::Here(crate::tidy::run),
    },
    Step {
        name: "schemas",
        work: Work::Here(crate::schemas::check_events),
    },
    Step {
        name: DENY,
        work: Work::Here(|| crate::deny::run(&crate::deny::Args::default())),
    },
    Step {
        name: "lints",
        work: Work::Cargo(
            &[
                "clippy",
                "--quiet",
                "--locked",
                "--workspace",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ],
            &[],
        ),
    },
    Step {
        name: "documentation",
        work: Work::Cargo(
            &[
                "doc",
                "--quiet",
                "--locked",
                "--workspace",
                "--no-deps",
                "--document-private-items",
            ],
            &[("RUSTDOCFLAGS", "-D warnings")],
        ),
    },
    Step {
        name: "calendars",
        work: Work::Here(crate::calendars::run),
    },
    Step {
        name: "chats",
        work: Work::Here(crate::chats::run),
    },
    Step {
        name: "mails",
        work: Work::Here(crate::mails::run),
    },
    Step {
        name: "pages",
        work: Work::Here(|| crate::pages::run(&crate::pages::Args::default())),
    },
    Step {
        name: "quality",
        work: Work::Here(|| crate::quality::run(&crate::quality::Args::default())),
    },
    Step {
        name: "repairs",
        work: Work::Here(crate::repairs::check),
    },
    Step {
        // The end-to-end tests run the program itself.
        name: "program",
        work: Work::Cargo(
            &["build", "--quiet", "--locked", "--package", "raccord"],
            &[],
        ),
    },
    Step {
        name: "configuration schema",
        work: Work::Here(crate::schemas::check_configuration),
    },
    Step {
        name: "servers",
        work: Work::Here(crate::servers::run),
    },
    Step {
        name: "rooms",
        work: Work::Here(crate::rooms::run),
    },
    Step {
        name: "sites",
        work: Work::Here(crate::sites::run),
    },
    Step {
        name: "followers",
        work: Work::Here(crate::followers::run),
    },
    Step {
        name: "tests",
        work: Work::Tests,
    },
];

pub(crate) fn run(args: &Args) -> Result<()> {
    let steps = STEPS
        .iter()
        .filter(|step| !(args.no_deny && step.name == DENY));
    step::report(&step::run_all(steps))
}
