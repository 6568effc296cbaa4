//! What the program says while it works: on standard error, for people on a terminal, as JSON
//! lines elsewhere.

use std::io;

use tracing_subscriber::EnvFilter;

/// Starts logging. `wanted` is a filter such as `info` or `raccord=debug` (`RACCORD_LOG`); without
/// it, warnings are told, and everything that changes a tool where `verbose` or `daemon` asks.
pub fn start(json: bool, verbose: u8, daemon: bool, wanted: Option<&str>) {
    if cfg!(test) {
        return; // Commands that run in one test process would take the ear of the others.
    }
    let usual = match (verbose, daemon) {
        (0, false) => "warn",
        (0, true) | (1, _) => "info",
        _ => "debug",
    };
    let filter = wanted
        .and_then(|wanted| EnvFilter::try_new(wanted).ok())
        .unwrap_or_else(|| EnvFilter::new(usual));
    let base = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // Where a line cannot be written (a full disk), that cannot be told either: told there, it ends
        // the process.
        .log_internal_errors(false)
        .with_writer(io::stderr);
    // A second start (two commands in one test process) keeps the first.
    let started = if json {
        base.json().flatten_event(true).try_init().is_ok()
    } else {
        base.with_target(false).compact().try_init().is_ok()
    };
    tracing::debug!(started, "logging");
}
