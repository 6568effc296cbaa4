//! The typesetting child on its own: what `raccord typeset` does, for tests and for trying out a
//! template without the rest of the program.

use std::process::ExitCode;

fn main() -> ExitCode {
    raccord_typeset::child_main(raccord_typeset::Limits::default())
}
