//! `raccord backup`, `restore`, `unmute`, `rebuild`, `migrate`: the upkeep of the log.

use super::args::{LogFile, Migrate, Unmute as Args};
use super::{Console, Host, Unmute};
use crate::report::{Exit, Problem};

pub(super) fn backup(
    args: &LogFile,
    console: &mut Console<'_, '_>,
    host: &dyn Host,
) -> Result<Exit, Problem> {
    let session = console.open()?;
    let shape = host.backup(&session, &args.file)?;
    console.print(&shape, &session.view)
}

pub(super) fn restore(
    args: &LogFile,
    console: &mut Console<'_, '_>,
    host: &dyn Host,
) -> Result<Exit, Problem> {
    let session = console.open()?;
    let shape = host.restore(&session, &args.file)?;
    console.print(&shape, &session.view)
}

pub(super) fn unmute(
    args: &Args,
    console: &mut Console<'_, '_>,
    host: &dyn Host,
) -> Result<Exit, Problem> {
    let session = console.open()?;
    let what = if args.copy {
        Unmute::Copy
    } else {
        Unmute::Moved
    };
    let shape = host.unmute(&session, what)?;
    console.print(&shape, &session.view)
}

pub(super) fn migrate(
    args: &Migrate,
    console: &mut Console<'_, '_>,
    host: &dyn Host,
) -> Result<Exit, Problem> {
    let session = console.open()?;
    let shape = host.migrate(&session, &args.to)?;
    console.print(&shape, &session.view)
}

pub(super) fn rebuild(console: &mut Console<'_, '_>, host: &dyn Host) -> Result<Exit, Problem> {
    let session = console.open()?;
    let shape = host.rebuild(&session)?;
    console.print(&shape, &session.view)
}
