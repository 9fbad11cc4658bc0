//! The `bridge` binary: everything it does is in [`bridge_runtime::cli`].

fn main() -> std::process::ExitCode {
    bridge_runtime::cli::main()
}
