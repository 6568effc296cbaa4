//! `raccord sync`: one pass.

use super::args::Sync;
use super::{Console, Host, Pass};
use crate::report::{Exit, Problem};

pub(super) fn run(
    args: &Sync,
    console: &mut Console<'_, '_>,
    host: &dyn Host,
) -> Result<Exit, Problem> {
    let session = console.open()?;
    let pass = Pass {
        plan: args.plan.clone(),
        wait: args.wait.map(raccord_kit::settings::Span::get),
    };
    let shape = host.sync(&session, &pass)?;
    console.print(&shape, &session.view)
}
