//! The `raccord` program: everything is in the library beside it.

use std::process::ExitCode;

/// Events, lines and pages are many small pieces of memory that one thread takes and another gives
/// back: what that costs with and without stands in docs/performance.md.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    raccord::cli::main(&raccord::runtime::Local)
}
