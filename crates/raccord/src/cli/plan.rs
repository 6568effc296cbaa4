//! `raccord plan`: what every tool would receive now.

use super::args::Plan;
use super::{Console, Host};
use crate::report::{Exit, Problem};

pub(super) fn run(
    args: &Plan,
    console: &mut Console<'_, '_>,
    host: &dyn Host,
) -> Result<Exit, Problem> {
    let session = console.open()?;
    let shape = host.plan(&session, args.out.as_deref())?;
    console.print(&shape, &session.view)
}
