//! `raccord ledger [PERSON]`: credits and balances.

use super::args::Ledger;
use super::{Console, Host};
use crate::report::{Exit, Problem};

pub(super) fn run(
    args: &Ledger,
    console: &mut Console<'_, '_>,
    host: &dyn Host,
) -> Result<Exit, Problem> {
    let session = console.open()?;
    let shape = host.ledger(&session, args.person.as_deref())?;
    console.print(&shape, &session.view)
}
