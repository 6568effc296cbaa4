//! Installs Synapse, the Matrix server that the end-to-end tests talk to, in a Python of its own.

use std::process::Command;

use anyhow::Result;

use crate::step::status;

const WANTED: &str = include_str!("../requirements-synapse.txt");

pub(crate) fn run() -> Result<()> {
    let python = crate::python::with("synapse", WANTED)?;
    let mut version = Command::new(python);
    version.args([
        "-c",
        "import synapse; print('Synapse', synapse.__version__)",
    ]);
    status(version)
}
