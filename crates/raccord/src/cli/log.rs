//! `raccord log`: the events, newest last.

use std::io;

use super::args::Log;
use super::{Console, Host};
use crate::report::{Exit, Problem};

pub(super) fn run(
    args: &Log,
    console: &mut Console<'_, '_>,
    host: &dyn Host,
) -> Result<Exit, Problem> {
    let session = console.open()?;
    let mut stopped = None;
    let followed = host.log(&session, args.follow, &mut |line| {
        let ended = || io::Error::from(io::ErrorKind::BrokenPipe);
        match console.print(line, &session.view) {
            Ok(_) if console.closed => Err(ended()),
            Ok(_) => Ok(()),
            Err(problem) => {
                stopped = Some(problem);
                Err(ended())
            }
        }
    });
    match stopped {
        Some(problem) => Err(problem),
        None => followed.map(|()| Exit::Done),
    }
}
