//! `cargo bridge`: what the toolkit says about contracts and programs, on the command line.
//!
//! Tables for people, `-o json` for machines. Exit codes: 0 as it should be, 1 something differs,
//! breaks or is refused, 2 wrong usage. Errors go to standard error and say what to do; with
//! `-o json` standard output has them, too, as `{"faults": [{"place", "text"}]}`.
//!
//! It never changes a source file unasked: `gen` writes generated files, `accept` the lock, exports
//! what they are asked for, and `adopt` prints a patch unless told to `--write`.

#![allow(clippy::print_stdout, clippy::print_stderr)] // printing is what a command line is for

mod failure;
mod args;
mod screen;
mod document;

mod explain;

mod project;
mod live;
mod verdicts;
mod gate;

mod asked;
mod describe;
mod openapi;
mod declared;
mod export;
mod diagram;
mod picture;
mod program;
mod adopt;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Cli, Command, Output};
use failure::Failure;

fn main() -> ExitCode {
    let cli = Cli::parse_from(without_subcommand(std::env::args_os().collect()));
    // `adopt` prints its report before it may fail.
    let is_for_machines =
        cli.common.output == Output::Json && !matches!(cli.command, Command::Adopt(_));
    match run(cli) {
        Ok(code) => code,
        Err(failure) if failure.is_gone() => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{}", screen::error(&failure));
            if is_for_machines {
                // Whoever does not read it has the exit code.
                let _ = screen::json(&failure.machine());
            }
            failure.exit_code()
        }
    }
}

/// Cargo calls `cargo-bridge bridge gen` for `cargo bridge gen`.
fn without_subcommand(mut words: Vec<std::ffi::OsString>) -> Vec<std::ffi::OsString> {
    if words.get(1).is_some_and(|word| word == "bridge") {
        words.remove(1);
    }
    words
}

fn run(cli: Cli) -> Result<ExitCode, Failure> {
    let Cli { common, command } = cli;
    match command {
        Command::Explain(wanted) => explain::run(common.output, wanted.code.as_deref()),
        Command::Gen(wanted) => gate::generate(&common, &wanted),
        Command::Check(wanted) => gate::check(&common, &wanted),
        Command::Accept(wanted) => gate::accept(&common, &wanted),
        Command::Openapi(wanted) => openapi::openapi(&common, &wanted),
        Command::Asyncapi(wanted) => export::asyncapi(&common, &wanted),
        Command::Export(wanted) => export::files(&common, &wanted),
        Command::Convert(wanted) => export::convert(&wanted),
        Command::Map(wanted) => program::map(&wanted),
        Command::Adopt(wanted) => adopt::run(&common, &wanted),
        Command::Audit(wanted) => program::audit(common.output, &wanted),
    }
}
