//! `raccord dead`, `retry ID`, `drop ID`: deliveries that were given up.

use super::args::Id;
use super::holds::named;
use super::{Console, Host};
use crate::report::{Exit, Problem};

pub(super) fn list(console: &mut Console<'_, '_>, host: &dyn Host) -> Result<Exit, Problem> {
    let session = console.open()?;
    let shape = host.dead(&session)?;
    console.print(&shape, &session.view)
}

pub(super) fn retry(
    args: &Id,
    console: &mut Console<'_, '_>,
    host: &dyn Host,
) -> Result<Exit, Problem> {
    let session = console.open()?;
    let shape = host.retry(&session, named(&args.id)?)?;
    console.print(&shape, &session.view)
}

pub(super) fn give_up(
    args: &Id,
    console: &mut Console<'_, '_>,
    host: &dyn Host,
) -> Result<Exit, Problem> {
    let session = console.open()?;
    let shape = host.give_up(&session, named(&args.id)?)?;
    console.print(&shape, &session.view)
}
