//! `raccord report`: what a year was worth, on the terminal, as a table and as a page to print.

mod page;
mod table;

use super::args::{Report, Volunteering};
use super::{Console, Host, new_file};
use crate::report::{Exit, Problem};

pub(super) fn run(
    args: &Report,
    console: &mut Console<'_, '_>,
    host: &dyn Host,
) -> Result<Exit, Problem> {
    let Report::Volunteering(args) = args;
    volunteering(args, console, host)
}

fn volunteering(
    args: &Volunteering,
    console: &mut Console<'_, '_>,
    host: &dyn Host,
) -> Result<Exit, Problem> {
    let session = console.open()?;
    let shape = host.volunteering(&session, args.year)?;
    if let Some(file) = &args.csv {
        new_file::write(file, table::of(&shape, &session.view).as_bytes())?;
    }
    if let Some(file) = &args.pdf {
        let page = page::of(&shape, &session.settings.place.name, &session.view)?;
        new_file::write(file, &page)?;
    }
    console.print(&shape, &session.view)
}
