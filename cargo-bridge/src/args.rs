//! The command line's words: commands, options, and what they say about themselves.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Contracts that break nobody silently: generated code, a lock, exports, explanations.
#[derive(Debug, Parser)]
#[command(
    name = "cargo bridge",
    bin_name = "cargo bridge",
    version,
    propagate_version = true,
    after_help = "A package says where its contracts are in its Cargo.toml; these are the defaults:\n\n  \
         [package.metadata.bridge]\n  contracts = \"contracts\"      # .proto, .schema.json, descriptor sets\n  \
         include = []                 # folders to find imports in\n  gen = \"src/gen\"              # generated code that is checked in\n  \
         lock = \"bridge.lock\"         # the accepted contract\n  [package.metadata.bridge.events]\n  \
         \"order.placed\" = \"shop.orders.v1.OrderPlaced\"\n\n\
         Exit codes: 0 as it should be, 1 something differs, breaks or is refused, 2 wrong usage."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// Cargo.toml of the package [default: the nearest one here or above]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) manifest_path: Option<PathBuf>,
    /// Contracts, instead of what the package says
    #[arg(long, global = true, value_name = "FOLDER")]
    pub(crate) contracts: Option<PathBuf>,
    /// Folder to find imports in, instead of what the package says (repeatable)
    #[arg(long = "include", global = true, value_name = "FOLDER")]
    pub(crate) includes: Vec<PathBuf>,
    /// How to print
    #[arg(short, long, global = true, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people
    Table,
    /// For machines
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write generated code into the package, to be checked in
    #[command(after_help = "Example: cargo bridge gen --dir src/gen")]
    Gen(Gen),
    /// Compare contracts with generated code that is checked in and with the accepted contract
    #[command(
        after_help = "Exit codes: 0 nothing breaks, 1 generated code is not what the contracts give, a change breaks \
             somebody (with --strict: any change that is not accepted), or the lock is missing, 2 wrong usage.\n\n\
             Example: bridge map -o json > map.json; cargo bridge check --map map.json"
    )]
    Check(Check),
    /// Record the present contract as the accepted one
    #[command(after_help = "Example: cargo bridge accept && git diff bridge.lock")]
    Accept(Accept),
    /// Write OpenAPI 3.1 of the contracts' services, and of a program's annotated axum handlers
    #[command(
        after_help = "A program tells of its handlers when it is built with feature `openapi` of `bridge`. What two of \
             the documents have must be the same in both.\n\nExit codes: 0 written, 1 the documents \
             contradict each other or something is refused, 2 wrong usage.\n\n\
             Example: cargo bridge openapi --describe 'cargo run' --merge target/utoipa.json --to openapi.json"
    )]
    Openapi(Openapi),
    /// Write AsyncAPI 3 of the events that the package lists
    #[command(
        after_help = "Example: cargo bridge asyncapi --event order.placed=shop.orders.v1.OrderPlaced"
    )]
    Asyncapi(Asyncapi),
    /// Write contracts in another form, for other languages
    Export(Export),
    /// Write a .schema.json from JSON Schemas whose fields have an `x-field-number`
    #[command(
        after_help = "Example: cargo bridge convert order.json order_reply.json --to place.schema.json"
    )]
    Convert(Convert),
    /// Show what a program serves and whom it calls, without starting it for real, or the live map
    #[command(after_help = "Example: cargo bridge map --describe 'cargo run' --format mermaid")]
    Map(Map),
    /// Compare a program's declared operations with its mounted routes, without starting it for real
    #[command(
        after_help = "Exit codes: 0 as it should be, 1 something is declared and not mounted, or it cannot be told \
             where (with --strict any difference), 2 wrong usage.\n\nExample: cargo bridge audit --describe 'cargo run' --strict"
    )]
    Audit(Audit),
    /// Propose `#[bridge::rpc]` for the axum handlers of an application, as a patch that compiles
    #[command(
        after_help = "What is mounted is taken from the running program: a copy of the workspace below the target \
             folder is built with `bridge::declare` where it serves and started by `cargo run` until it would serve, so \
             what it does before that, such as opening its database, it does; for this it has a minute once it is \
             built. The patch is then compiled and audited in that copy; your files stay as they are, unless \
             --write.\n\nA package that does not depend on `bridge` yet gets it with `default-features = false`, since annotated \
             handlers need none of what joins services; with --bridge-path unset the line is `workspace = true`, and \
             the workspace says the features. A line that is there stays as it is.\n\nExit codes: 0 the patch compiles and audits clean, or nothing is left to propose; 1 it \
             could not be built or audited; 2 wrong usage.\n\n\
             A patch names files as `git apply` takes them in the folder where this is run, or, when one is outside of \
             it, in that of the workspace.\n\n\
             Examples:\n  cargo bridge adopt --bridge-path ../bridge | git apply\n  cargo bridge adopt --package shop --write -- --config dev.toml"
    )]
    Adopt(Adopt),
    /// Say what a code of a macro means, with a wrong and a right example, or list all
    Explain(Explain),
}

#[derive(Debug, Args)]
pub(crate) struct Gen {
    /// Folder of the generated code, instead of what the package says
    #[arg(long, value_name = "FOLDER")]
    pub(crate) dir: Option<PathBuf>,
}

/// Where to find who calls what.
#[derive(Debug, Args)]
pub(crate) struct Consumers {
    /// Map of a runtime, what `bridge map -o json` prints; names who breaks
    #[arg(long, value_name = "FILE", conflicts_with = "live")]
    pub(crate) map: Option<PathBuf>,
    /// Ask the running runtime, by `bridge map -o json` and the environment of `bridge`; which
    /// program that is, BRIDGE_PROGRAM may say
    #[arg(long)]
    pub(crate) live: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) consumers: Consumers,
    /// OpenAPI 3 document whose routes are part of the contract: server paths, security, parameters,
    /// bodies; hosts, headers of answers, links, callbacks and webhooks are not compared
    #[arg(long, value_name = "FILE")]
    pub(crate) openapi: Option<PathBuf>,
    /// Fail on every change that is not accepted, not only on those that break
    #[arg(long)]
    pub(crate) strict: bool,
    /// Nothing was ever accepted, so a lock that is missing is no failure
    #[arg(long, conflicts_with = "strict")]
    pub(crate) allow_missing_lock: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Accept {
    #[command(flatten)]
    pub(crate) consumers: Consumers,
    /// OpenAPI 3 document whose routes are part of the contract; without it routes stay as accepted
    #[arg(long, value_name = "FILE")]
    pub(crate) openapi: Option<PathBuf>,
}

/// What a document says about itself, and where it goes.
#[derive(Debug, Args)]
pub(crate) struct Document {
    /// Title [default: the name of the package]
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,
    /// Version [default: the version of the package]
    #[arg(long, value_name = "VERSION")]
    pub(crate) api_version: Option<String>,
    /// File to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub(crate) to: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Openapi {
    #[command(flatten)]
    pub(crate) document: Document,
    #[command(flatten)]
    pub(crate) program: Program,
    /// OpenAPI 3.1 document to add to, such as one that utoipa wrote
    #[arg(long, value_name = "FILE")]
    pub(crate) merge: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Asyncapi {
    #[command(flatten)]
    pub(crate) document: Document,
    /// Event, instead of those that the package lists (repeatable)
    #[arg(long = "event", value_name = "ADDRESS=MESSAGE")]
    pub(crate) events: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    #[command(subcommand)]
    pub(crate) form: Form,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Form {
    /// .proto files of descriptor sets and .schema.json files, or of what a program declares in Rust
    #[command(
        after_help = "A program lists what it declares with `bridge::CodeFirst`.\n\n\
             Example: cargo bridge export proto --describe 'cargo run' --to contracts"
    )]
    Proto {
        #[command(flatten)]
        program: Program,
        /// Folder to write to
        #[arg(long, value_name = "FOLDER")]
        to: PathBuf,
    },
    /// The .schema.json file of an rpc
    SchemaJson {
        /// For example shop.payments.v1.Payments/Charge
        rpc: String,
        #[command(flatten)]
        program: Program,
        /// File to write [default: standard output]
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Convert {
    /// JSON Schema of the request
    pub(crate) input: PathBuf,
    /// JSON Schema of the reply
    pub(crate) reply: PathBuf,
    /// File to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub(crate) to: Option<PathBuf>,
}

/// The program that describes itself.
#[derive(Debug, Args)]
pub(crate) struct Program {
    /// Command that runs the program; it writes its description and ends before it opens a socket, or is
    /// stopped: a minute after `cargo run` has built it, 15 minutes after another command began
    #[arg(long, value_name = "COMMAND", conflicts_with = "description")]
    pub(crate) describe: Option<String>,
    /// Description that a program wrote with BRIDGE_DESCRIBE=FILE
    #[arg(long, value_name = "FILE")]
    pub(crate) description: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Map {
    #[command(flatten)]
    pub(crate) program: Program,
    /// Show the map of the running runtime, by `bridge map`
    #[arg(long, conflicts_with_all = ["describe", "description"])]
    pub(crate) live: bool,
    /// How to draw
    #[arg(long, value_enum, default_value_t = Drawing::Table)]
    pub(crate) format: Drawing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Drawing {
    /// For people
    Table,
    /// For machines
    Json,
    /// A flowchart for Markdown
    Mermaid,
    /// For Graphviz
    Dot,
    /// A picture; of a live map only
    Svg,
}

#[derive(Debug, Args)]
pub(crate) struct Audit {
    #[command(flatten)]
    pub(crate) program: Program,
    /// Fail, too, when something is mounted that is not declared
    #[arg(long)]
    pub(crate) strict: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// For example BR0012
    pub(crate) code: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Adopt {
    /// Package with the program [default: the one here]
    #[arg(short, long, value_name = "NAME")]
    pub(crate) package: Option<String>,
    /// Program of that package that serves [default: its only one]
    #[arg(long, value_name = "NAME")]
    pub(crate) bin: Option<String>,
    /// Features to build with, as Cargo takes them
    #[arg(long, value_name = "FEATURES")]
    pub(crate) features: Option<String>,
    /// Command that runs the program, in the copy [default: `cargo run` of what was built]
    #[arg(long, value_name = "COMMAND", conflicts_with = "description")]
    pub(crate) describe: Option<String>,
    /// Description that the program wrote elsewhere with BRIDGE_DESCRIBE=FILE, instead of running it
    #[arg(long, value_name = "FILE")]
    pub(crate) description: Option<PathBuf>,
    /// Folder of the crate `bridge`, unless the workspace has it in `[workspace.dependencies]`
    #[arg(long, value_name = "FOLDER")]
    pub(crate) bridge_path: Option<PathBuf>,
    /// Change the files instead of printing a patch
    #[arg(long)]
    pub(crate) write: bool,
    /// Propose from the source alone: nothing is built, run or audited
    #[arg(long, conflicts_with = "describe")]
    pub(crate) no_verify: bool,
    /// Arguments of the program while it is asked for its routes
    #[arg(last = true, value_name = "ARGUMENTS")]
    pub(crate) arguments: Vec<String>,
}
