//! `ci`, then the campaigns that take long. Run it before closing an issue; its table and the
//! commit it names go into the closing note.

use std::process::Command;

use anyhow::{Context, Result};

use crate::step::{self, Step, Work};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only the campaigns, without `ci` before them.
    #[arg(long)]
    campaigns: bool,
    /// Only the campaign of this name.
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
}

/// Kills while a tool of one sort is written to.
macro_rules! torture_of {
    ($title:literal, $sort:literal, $kind:literal, $kills:literal) => {
        Step {
            name: concat!("torture of ", $title),
            work: Work::Cargo(
                &[
                    "run",
                    "--quiet",
                    "--locked",
                    "--package",
                    "raccord-tests",
                    "--bin",
                    "torture",
                    "--",
                    $sort,
                    $kind,
                    "--kills",
                    $kills,
                ],
                &[],
            ),
        }
    };
}

/// The campaigns: one entry each.
const CAMPAIGNS: &[Step] = &[
    Step {
        // Every state and transition is counted; any law broken fails.
        name: "simulation",
        work: Work::Cargo(
            &[
                "run",
                "--quiet",
                "--locked",
                "--release",
                "--package",
                "raccord-sim",
                "--",
                "--seeds",
                "1000000",
                "--minutes",
                "25",
                "--least",
                "1000",
                "--report",
                "--tell",
            ],
            &[],
        ),
    },
    Step {
        name: "small worlds",
        work: Work::Cargo(
            &[
                "run",
                "--quiet",
                "--locked",
                "--release",
                "--package",
                "raccord-sim",
                "--",
                "--exhaustive",
                "--minutes",
                "10",
            ],
            &[],
        ),
    },
    Step {
        // Mistakes planted in the engine and around it: each must break a law within five minutes.
        name: "planted faults",
        work: Work::Cargo(
            &[
                "run",
                "--quiet",
                "--locked",
                "--release",
                "--target-dir",
                "target/faults",
                "--package",
                "raccord-sim",
                "--",
                "--faults",
                "--minutes",
                "5",
            ],
            &[("RUSTFLAGS", "--cfg raccord_faults")],
        ),
    },
    Step {
        // Several machines and a model of JetStream; any law broken fails.
        name: "simulated cluster",
        work: Work::Cargo(
            &[
                "run",
                "--quiet",
                "--locked",
                "--release",
                "--package",
                "raccord-sim",
                "--",
                "--cluster",
                "--seeds",
                "10000",
                "--report",
                "--tell",
            ],
            &[],
        ),
    },
    Step {
        // Mistakes planted in the log of a cluster: each must break a law within five minutes.
        name: "planted faults of a cluster",
        work: Work::Cargo(
            &[
                "run",
                "--quiet",
                "--locked",
                "--release",
                "--target-dir",
                "target/faults",
                "--package",
                "raccord-sim",
                "--",
                "--cluster",
                "--faults",
                "--minutes",
                "5",
            ],
            &[("RUSTFLAGS", "--cfg raccord_faults")],
        ),
    },
    Step {
        name: "torture",
        work: Work::Cargo(
            &[
                "run",
                "--quiet",
                "--locked",
                "--package",
                "raccord-tests",
                "--bin",
                "torture",
                "--",
                "--kills",
                "300",
            ],
            &[],
        ),
    },
    torture_of!("a Mattermost", "--chat", "mattermost", "100"),
    torture_of!("a Rocket.Chat", "--chat", "rocketchat", "100"),
    torture_of!("a Synapse", "--chat", "matrix", "100"),
    torture_of!("a Lespass", "--register", "lespass", "100"),
    torture_of!("an OCECO", "--register", "oceco", "100"),
    torture_of!("a letter", "--readers", "5000", "20"),
    torture_of!("cards", "--cashless", "lespass", "300"),
    torture_of!("a ledger", "--cashless", "ledger", "300"),
    Step {
        name: "ten thousand schedules of credits",
        work: Work::Cargo(
            &[
                "test",
                "--quiet",
                "--locked",
                "--package",
                "raccord-tests",
                "--test",
                "credits",
                "--",
                "--ignored",
                "--nocapture",
            ],
            &[],
        ),
    },
    torture_of!("a WordPress", "--site", "wordpress", "60"),
    torture_of!("a MediaWiki", "--site", "mediawiki", "60"),
    Step {
        name: "torture of the mails",
        work: Work::Cargo(
            &[
                "run",
                "--quiet",
                "--locked",
                "--package",
                "raccord-tests",
                "--bin",
                "torture",
                "--",
                "--mail",
                "--kills",
                "100",
            ],
            &[],
        ),
    },
    Step {
        // Three servers, three nodes, six places; the servers are upgraded on the way.
        name: "cluster",
        work: Work::Cargo(
            &[
                "run",
                "--quiet",
                "--locked",
                "--package",
                "raccord-tests",
                "--bin",
                "faults",
                "--",
                "--faults",
                "200",
            ],
            &[],
        ),
    },
    Step {
        name: "offline",
        work: Work::Here(crate::offline::run),
    },
    Step {
        // How much of each connector its tests exercise; less than the scale asks for fails.
        name: "coverage",
        work: Work::Here(crate::coverage::run),
    },
    Step {
        name: "container",
        work: Work::Program("bash", &["deploy/container/rehearse.sh"]),
    },
];

pub(crate) fn run(args: &Args) -> Result<()> {
    let before = crate::ci::STEPS
        .iter()
        .filter(|_| !args.campaigns && args.only.is_none());
    let campaigns = CAMPAIGNS
        .iter()
        .filter(|step| args.only.as_deref().is_none_or(|only| only == step.name));
    let lines = step::run_all(before.chain(campaigns));
    anyhow::ensure!(!lines.is_empty(), "no campaign has this name");
    println!("\ncommit {}", commit()?);
    step::report(&lines)
}

/// The commit that was tested, and whether the checkout had changes on top of it.
fn commit() -> Result<String> {
    let git = |args: &[&str]| -> Result<String> {
        let output = Command::new("git")
            .args(args)
            .current_dir(crate::workspace::root())
            .output()
            .context("cannot start git")?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let dirty = !git(&["status", "--porcelain"])?.is_empty();
    let commit = git(&["rev-parse", "HEAD"])?;
    Ok(if dirty {
        format!("{commit}, with changes on top")
    } else {
        commit
    })
}
