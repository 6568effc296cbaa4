//! The typesetting child on its own: what `raccord typeset` does, for tests and for trying out a
//! template without the rest of the program.

use std::process::ExitCode;

fn main() -> ExitCode {
    let limits = raccord_typeset::Limits::default();
    if std::env::args().nth(2).as_deref() == Some(raccord_typeset::STAY) {
        raccord_typeset::child_stays(limits)
    } else {
        raccord_typeset::child_main(limits)
    }
}
