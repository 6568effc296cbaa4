//! The pages of the printed programme, to look at: as they were kept, and as they are.

use anyhow::Result;
use clap::Parser;

use crate::step::status;
use crate::workspace::cargo;

#[derive(Parser)]
pub(crate) struct Args {
    /// Keep today's pages, once they were looked at.
    #[arg(long)]
    accept: bool,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let mut pictures = cargo();
    pictures
        .args(["test", "--quiet", "--locked", "--workspace"])
        .args(["--test", "pictures", "--", "--ignored", "--nocapture"])
        .args(["--exact", if args.accept { "accept" } else { "show" }]);
    status(pictures)
}
