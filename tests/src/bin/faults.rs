//! `faults`: the campaign of faults in a cluster, as long as one wants.

#![expect(clippy::print_stdout, reason = "a command that prints its report")]

use clap::Parser;
use raccord_tests::faults::{Campaign, run};

#[derive(Parser)]
struct Arguments {
    /// How many things go wrong.
    #[arg(long, default_value_t = 200)]
    faults: usize,
    /// What they are drawn from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The servers begin as the present version already.
    #[arg(long)]
    no_upgrade: bool,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let report = run(&Campaign {
        faults: arguments.faults,
        seed: arguments.seed,
        upgrade: !arguments.no_upgrade,
    })?;
    print!("{report}");
    Ok(())
}
