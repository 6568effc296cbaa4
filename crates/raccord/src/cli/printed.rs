//! `raccord printed MONTH`: a printed programme hangs on the wall, or was taken down.

use super::args::Printed;
use super::holds::named;
use super::{Console, Host, Wall};
use crate::report::{Exit, Problem};

pub(super) fn run(
    args: &Printed,
    console: &mut Console<'_, '_>,
    host: &dyn Host,
) -> Result<Exit, Problem> {
    let session = console.open()?;
    let wall = Wall {
        month: args.month.trim().to_owned(),
        connector: args.connector.as_deref().map(named).transpose()?,
        edition: args.edition,
    };
    let shape = if args.down {
        host.taken_down(&session, &wall)?
    } else {
        host.printed(&session, &wall)?
    };
    console.print(&shape, &session.view)
}
