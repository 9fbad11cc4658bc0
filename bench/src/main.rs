//! Us beside our peers, interleaved in one run: `cargo run --release -p bench -- NAME`.
//!
//! Refuses to judge: a target that was missed is printed as `short`, and the exit code stays 0.
//! It is not 0 only when a program could not measure at all.
//!
//! Invariant: every process started here is ended here, by its id, whatever happens; every loop
//! is bounded in count and in time.

#![allow(clippy::print_stdout, clippy::print_stderr)] // a report is printed

mod failure;

mod child;
mod histogram;
mod proc;
mod report;
mod count;
mod guest;

mod build;
mod ingest;
mod layers;
mod messages;
mod registry;
mod rpc;
mod away;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::child::Role;
use crate::failure::Result;
use crate::report::Report;

/// Measures us beside our peers and prints the ratios.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    program: Program,
}

#[derive(Debug, Subcommand)]
enum Program {
    /// A hundred operations compiled: ours beside plain axum and tonic, whole and after one edit
    Build(Options),
    /// Direct unary calls through the SDK beside bare tonic, both over mutual TLS
    Rpc(Options),
    /// A thousand services of two instances join one runtime
    Registry(Options),
    /// Operations reported to one runtime: how many a second, and what each costs
    Ingest(Options),
    /// One service under load while its runtime is well, slow, frozen and gone
    Away(Options),
    /// What one layer adds to each request, ours beside TraceLayer and OtelAxumLayer
    Layers(Options),
    /// Requests through one stack, for valgrind to watch
    #[command(hide = true)]
    LayersOnce {
        /// Which stack
        #[arg(value_enum)]
        variant: layers::stack::Variant,
        /// How many
        requests: u64,
    },
    /// Messages encoded and decoded, ours beside prost's; as JSON beside plain structs
    Messages(Options),
    /// One piece of work with one message, for valgrind to watch
    #[command(hide = true)]
    MessagesOnce {
        /// Which message
        #[arg(value_enum)]
        message: messages::work::Name,
        /// What is done with it
        #[arg(value_enum)]
        work: messages::work::Work,
        /// By whom
        #[arg(value_enum)]
        side: messages::work::Side,
        /// How often
        times: u64,
    },
    /// A process of a program; started by the program itself
    #[command(hide = true)]
    Child {
        /// What it does
        #[arg(value_enum)]
        role: Role,
    },
}

#[derive(Clone, Debug, Args)]
struct Options {
    /// Also write every number here
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Smaller and shorter: to see that it works
    #[arg(long, conflicts_with = "full")]
    quick: bool,
    /// More and longer repetitions
    #[arg(long)]
    full: bool,
}

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Size {
    Quick,
    Normal,
    Full,
}

impl Options {
    fn size(&self) -> Size {
        match (self.quick, self.full) {
            (true, _) => Size::Quick,
            (_, true) => Size::Full,
            _ => Size::Normal,
        }
    }
}

fn main() -> ExitCode {
    match run(Cli::parse().program) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(program: Program) -> Result<()> {
    match program {
        Program::Build(options) => finish(build::measure(options.size())?, &options),
        Program::Rpc(options) => finish(rpc::measure(options.size())?, &options),
        Program::Registry(options) => finish(registry::measure(options.size())?, &options),
        Program::Ingest(options) => finish(ingest::measure(options.size())?, &options),
        Program::Away(options) => finish(away::measure(options.size())?, &options),
        Program::Layers(options) => finish(layers::measure(options.size())?, &options),
        Program::LayersOnce { variant, requests } => layers::run_once(variant, requests),
        Program::Messages(options) => finish(messages::measure(options.size())?, &options),
        Program::MessagesOnce {
            message,
            work,
            side,
            times,
        } => messages::work::run(message, work, side, times),
        Program::Child { role } => match role {
            Role::AwayService => away::service::serve(),
            Role::IngestRuntime => ingest::runtime::serve(),
            Role::Layers => layers::serve(),
            Role::SdkServer => rpc::sdk::serve(),
            Role::SdkClient => rpc::sdk::call(),
            Role::TonicServer => rpc::bare::serve(),
            Role::TonicClient => rpc::bare::call(),
            Role::Runtime => registry::runtime::serve(),
        },
    }
}

fn finish(report: Report, options: &Options) -> Result<()> {
    report.print();
    match &options.json {
        Some(path) => report.write(path),
        None => Ok(()),
    }
}
