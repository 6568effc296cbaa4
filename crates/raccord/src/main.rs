//! The `raccord` program: everything is in the library beside it.

use std::process::ExitCode;

fn main() -> ExitCode {
    raccord::cli::main(&raccord::runtime::Local)
}
