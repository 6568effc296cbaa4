//! The `raccord` program: everything is in the library beside it.

use std::process::ExitCode;

/// Half of what an event costs is memory taken and given back, across threads; measured in
/// docs/performance.md.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    raccord::cli::main(&raccord::runtime::Local)
}
