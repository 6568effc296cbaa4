//! `raccord dead`, `retry REF`, `drop ID`: deliveries that were given up, and connectors that
//! stopped.

use raccord_model::ConnectorName;

use super::args::{Id, Retry};
use super::holds::named;
use super::{Console, Host};
use crate::report::{Exit, Problem};

pub(super) fn list(console: &mut Console<'_, '_>, host: &dyn Host) -> Result<Exit, Problem> {
    let session = console.open()?;
    let shape = host.dead(&session)?;
    console.print(&shape, &session.view)
}

pub(super) fn retry(
    args: &Retry,
    console: &mut Console<'_, '_>,
    host: &dyn Host,
) -> Result<Exit, Problem> {
    let session = console.open()?;
    let connector: Option<ConnectorName> = args.reference.trim().parse().ok();
    let shape = match connector {
        Some(name) if session.settings.connectors.contains_key(&name) => {
            host.switch_on(&session, &name)?
        }
        _ => host.retry(&session, named(&args.reference)?)?,
    };
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
