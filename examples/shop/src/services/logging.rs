//! Where the log of a service goes: to standard error for people, and to the runtime, where each
//! line is found with the trace it was written in.

use std::io::IsTerminal as _;

use bridge::Telemetry;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::prelude::*;

/// Logs from now on; `BRIDGE_LOG` overrides what goes to standard error.
pub(super) fn start(telemetry: &Telemetry) {
    let filter = EnvFilter::try_from_env("BRIDGE_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let console = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .with_filter(filter);
    tracing_subscriber::registry()
        .with(console)
        .with(telemetry.tracing().layer())
        .init();
}
