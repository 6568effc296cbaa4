//! `torture`: the campaign of kills, as long as one wants.

#![expect(clippy::print_stdout, reason = "a command that prints its report")]

use clap::Parser;

#[derive(Parser)]
struct Arguments {
    /// How often the daemon is killed.
    #[arg(long, default_value_t = 300)]
    kills: usize,
    /// The seed of the edits and moments.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> anyhow::Result<()> {
    let Arguments { kills, seed } = Arguments::parse();
    let report = raccord_tests::torture::run(kills, seed)?;
    println!("{report:?}");
    let took = raccord_tests::torture::refused_then_killed(500)?;
    println!("500 events refused, killed, recovered: all there after {took:?}");
    raccord_tests::restore::backed_up_and_restored()?;
    raccord_tests::restore::copied()?;
    println!("restored after twenty more changes: nothing twice; a copy: nothing sent");
    Ok(())
}
