//! Installs aiosmtpd, the mail server that tests hand letters to, in a Python of its own.

use std::process::Command;

use anyhow::Result;

use crate::step::status;

const WANTED: &str = include_str!("../requirements-smtp.txt");

pub(crate) fn run() -> Result<()> {
    let python = crate::python::with("smtp", WANTED)?;
    let mut version = Command::new(python);
    version.args([
        "-c",
        "import aiosmtpd; print('aiosmtpd', aiosmtpd.__version__)",
    ]);
    status(version)
}
