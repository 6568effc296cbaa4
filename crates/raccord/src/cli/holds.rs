//! `raccord holds`, `approve ID`, `reject ID`: changes that wait for a yes.

use raccord_model::EntityId;

use super::args::{Approve, Id};
use super::{Console, Host};
use crate::report::{Exit, Problem};

pub(super) fn list(console: &mut Console<'_, '_>, host: &dyn Host) -> Result<Exit, Problem> {
    let session = console.open()?;
    let shape = host.holds(&session)?;
    console.print(&shape, &session.view)
}

pub(super) fn approve(
    args: &Approve,
    console: &mut Console<'_, '_>,
    host: &dyn Host,
) -> Result<Exit, Problem> {
    let session = console.open()?;
    let hold = named(&args.id)?;
    let only = args
        .only
        .iter()
        .map(|id| named::<EntityId>(id))
        .collect::<Result<Vec<_>, _>>()?;
    let shape = host.approve(&session, hold, &only)?;
    console.print(&shape, &session.view)
}

pub(super) fn reject(
    args: &Id,
    console: &mut Console<'_, '_>,
    host: &dyn Host,
) -> Result<Exit, Problem> {
    let session = console.open()?;
    let shape = host.reject(&session, named(&args.id)?)?;
    console.print(&shape, &session.view)
}

/// Reads an id; what is no id is nothing we know.
pub(super) fn named<T: std::str::FromStr>(id: &str) -> Result<T, Problem> {
    id.trim()
        .parse()
        .map_err(|_| Problem::unknown_reference(id))
}
