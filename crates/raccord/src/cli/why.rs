//! `raccord why REF`: the chain of causes of an effect.

use super::args::Reference;
use super::{Console, Host};
use crate::report::{Exit, Problem};

pub(super) fn run(
    args: &Reference,
    console: &mut Console<'_, '_>,
    host: &dyn Host,
) -> Result<Exit, Problem> {
    let session = console.open()?;
    let shape = host.why(&session, &args.reference)?;
    console.print(&shape, &session.view)
}
