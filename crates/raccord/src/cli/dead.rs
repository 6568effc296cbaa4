//! `raccord dead`, `retry REF`, `drop ID`: deliveries that were given up, and connectors that
//! stopped.

use raccord_model::{ConnectorName, Words};

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
            if session
                .tools()?
                .get(&name)
                .is_none_or(|tool| tool.sink().is_none())
            {
                return Err(only_read(&name));
            }
            host.switch_on(&session, &name)?
        }
        _ => host.retry(&session, named(&args.reference)?)?,
    };
    console.print(&shape, &session.view)
}

fn only_read(name: &ConnectorName) -> Problem {
    Problem::failed(
        name.to_string(),
        "connector-read-only",
        Words::new(
            format!("« {name} » est seulement lu : rien ne lui est envoyé."),
            format!("“{name}” is only read: nothing is sent to it."),
        ),
        Words::new(
            "Rien à rallumer : Raccord le relit de lui-même.",
            "Nothing to switch on: Raccord reads it again by itself.",
        ),
    )
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
