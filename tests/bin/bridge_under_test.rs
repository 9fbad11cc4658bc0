//! The `bridge` binary as this package's own, so that its tests know where it lies.
//!
//! Refuses to differ: it is the command line of the runtime and nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    bridge_runtime::cli::main()
}
