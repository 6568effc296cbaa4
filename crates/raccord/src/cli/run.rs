//! `raccord run`: the daemon.

use super::{Console, Host};
use crate::report::{Exit, Problem};

pub(super) fn run(console: &mut Console<'_, '_>, host: &dyn Host) -> Result<Exit, Problem> {
    let session = console.open()?;
    host.run(&session)?;
    Ok(Exit::Done)
}
