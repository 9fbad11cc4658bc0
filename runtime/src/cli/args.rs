//! The command line's words: commands, options, and what they say about themselves.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::account_args::{Account, Token};
use super::backup_args::{Backup, Restore};
use super::when::{self, Point};

/// Traces or lines that are printed when nobody says how many.
pub(super) const LIMIT_DEFAULT: u32 = 20;

/// Typed RPC over mutual TLS for axum services, traces and a live map, from one binary.
#[derive(Debug, Parser)]
#[command(
    name = "bridge",
    version,
    propagate_version = true,
    after_help = "Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 no runtime answers."
)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) common: Common,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
pub(super) struct Common {
    /// Data folder [default: .bridge]
    #[arg(long, global = true, env = "BRIDGE_DATA", value_name = "FOLDER")]
    pub(super) data: Option<PathBuf>,
    /// Configuration file (TOML); flags and environment override it
    #[arg(long, global = true, env = "BRIDGE_CONFIG", value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Console of the runtime to ask, instead of the socket in the data folder: http://HOST:PORT,
    /// or https://HOST behind a proxy that speaks TLS
    #[arg(long, global = true, env = "BRIDGE_CONSOLE_URL", value_name = "URL")]
    pub(super) url: Option<String>,
    /// API token for --url; better in the environment, where nobody else reads it
    #[arg(
        long,
        global = true,
        env = "BRIDGE_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true
    )]
    pub(super) token: Option<String>,
    /// File with the API token for --url in its first line, when there is no --token
    #[arg(long, global = true, env = "BRIDGE_TOKEN_FILE", value_name = "FILE")]
    pub(super) token_file: Option<PathBuf>,
    /// How to print
    #[arg(short, long, global = true, value_enum, default_value_t = Output::Table)]
    pub(super) output: Output,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// For people
    Table,
    /// For machines
    Json,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run everything in one process with SQLite in the data folder; prints a first service key
    Dev(Serve),
    /// Run the runtime
    Serve(Serve),
    /// Create, list and revoke services
    #[command(subcommand)]
    Service(Service),
    /// Show who serves and calls what, how often, how well and how fast
    #[command(after_help = "Example: bridge map --format svg > map.svg")]
    Map(Map),
    /// List, show and follow traces
    #[command(subcommand)]
    Trace(Trace),
    /// Read what services logged
    #[command(
        after_help = "Example: bridge logs --service orders --level warn --since 15m --follow"
    )]
    Logs(Logs),
    /// List and show metrics
    #[command(subcommand)]
    Metrics(Metrics),
    /// List and change settings
    #[command(subcommand)]
    Setting(Setting),
    /// Create, list, change and delete accounts of the console
    #[command(subcommand)]
    Account(Account),
    /// Create, list and revoke API tokens for programs and for this command line
    #[command(subcommand)]
    Token(Token),
    /// Compare HTTP routes: declared, mounted, called; for CI by its exit code
    #[command(
        after_help = "A file has `METHOD /path [operation]` on each line, and comments after `#`. \
             A path may leave out what it is nested at.\nRoutes that answer every method have no \
             name in the registry and are not seen.\n\nExit codes: 0 as it should be, 1 something \
             is declared and not mounted, or it cannot be told where (with --strict any difference), or \
             the runtime refused, \
             2 wrong usage or file, 3 no runtime answers.\n\nExample: bridge audit orders --declared routes.txt --since 7d"
    )]
    Audit(Audit),
    /// Show what operators changed
    Changes {
        /// Most entries to print
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Take a backup of everything while the runtime runs, or check one
    #[command(
        subcommand_negates_reqs = true,
        after_help = "The file holds the private key of the certificate authority and hashes of every \
             key and password: it is made with mode 0600, keep it like a password. What the runtime \
             acknowledged before the moment it names is inside.\n\nExample: bridge backup --to /backups"
    )]
    Backup(Backup),
    /// Restore a backup into an empty data folder; start the runtime there afterwards
    #[command(
        after_help = "Restores to SQLite, or to the PostgreSQL database that --database names, \
             whichever the backup was taken from.\n\nExample: bridge restore bridge.backup --data /var/lib/bridge"
    )]
    Restore(Restore),
    /// Ask whether a runtime is ready; for health checks, by its exit code
    #[command(after_help = "Exit codes: 0 ready, 1 not ready, 3 no runtime answers.")]
    Health {
        /// Where it answers [default: where the runtime of the data folder does, or 127.0.0.1:14446]
        #[arg(
            long,
            alias = "health-listen",
            env = "BRIDGE_EXPORT_LISTEN",
            value_name = "HOST:PORT"
        )]
        export_listen: Option<String>,
    },
    /// Check data folder, database, disk, clock, certificates and background tasks
    Doctor,
    /// Say what an error code means and what to do, or list all
    Explain {
        /// For example NO_LIVE_INSTANCE
        code: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(super) struct Serve {
    /// PostgreSQL address (postgres://USER:PASSWORD@HOST/DB); SQLite in the data folder without it
    #[arg(
        long,
        env = "BRIDGE_DATABASE",
        value_name = "URL",
        hide_env_values = true
    )]
    pub(super) database: Option<String>,
    /// Address for services [default: 0.0.0.0 and the port of the settings; `dev`: 127.0.0.1]
    #[arg(long, env = "BRIDGE_LISTEN", value_name = "HOST:PORT")]
    pub(super) listen: Option<String>,
    /// Address of the web console and its API [default: 127.0.0.1 and the port of the settings]
    #[arg(long, env = "BRIDGE_CONSOLE_LISTEN", value_name = "HOST:PORT")]
    pub(super) console_listen: Option<String>,
    /// Address of /healthz, /metrics, OTLP and Loki [default: 127.0.0.1 and the port of the settings]
    #[arg(
        long,
        alias = "health-listen",
        env = "BRIDGE_EXPORT_LISTEN",
        value_name = "HOST:PORT"
    )]
    pub(super) export_listen: Option<String>,
    /// File with the token that /metrics, OTLP and Loki ask for, besides API tokens
    #[arg(long, env = "BRIDGE_EXPORT_TOKEN_FILE", value_name = "FILE")]
    pub(super) export_token_file: Option<PathBuf>,
    /// Further host name or address that clients use for this runtime (repeatable)
    #[arg(
        long = "name",
        env = "BRIDGE_NAMES",
        value_delimiter = ',',
        value_name = "NAME"
    )]
    pub(super) names: Vec<String>,
    /// PEM certificate of an authority of your own
    #[arg(long, env = "BRIDGE_CA_CERT", value_name = "FILE")]
    pub(super) ca_cert: Option<PathBuf>,
    /// PEM key of that authority, mode 0600
    #[arg(long, env = "BRIDGE_CA_KEY", value_name = "FILE")]
    pub(super) ca_key: Option<PathBuf>,
    /// How to log
    #[arg(long, env = "BRIDGE_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub(super) log_format: LogFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// One line of text
    Text,
    /// One JSON object a line
    Json,
}

#[derive(Debug, Subcommand)]
pub(super) enum Service {
    /// Create a service and print its key, this once
    Create {
        /// Lower-case letters, digits, `-`, `_`
        name: String,
    },
    /// Add a key to a service and print it, this once
    Key {
        /// Name of the service
        name: String,
    },
    /// List services
    List,
    /// Revoke a service: its keys stop working, its sessions end, its peers are told
    Revoke {
        /// Name of the service
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Trace {
    /// List traces, newest first
    #[command(after_help = "Example: bridge trace list --failed --since 1h --service orders")]
    List {
        #[command(flatten)]
        filters: TraceFilters,
        #[command(flatten)]
        times: Times,
        #[command(flatten)]
        pages: Pages,
    },
    /// Show one trace as a tree: what failed first, solid bars for the critical path
    #[command(
        after_help = "Example: bridge trace show 0198c0de-0000-7000-8000-000000000000 --logs"
    )]
    Show {
        /// UUID or 32 hex digits
        id: String,
        /// With what was logged, inside the operation it belongs to
        #[arg(long)]
        logs: bool,
        /// With what was sent and received, as far as it was captured
        #[arg(long)]
        payloads: bool,
    },
    /// Print operations as they end, until Ctrl-C
    #[command(after_help = "Example: bridge trace tail --channel rpc --min-duration 250ms")]
    Tail {
        #[command(flatten)]
        filters: TraceFilters,
        /// Only operations that are part of no other
        #[arg(long)]
        roots: bool,
    },
}

/// Which traces, or operations of them.
#[derive(Debug, Args)]
pub(super) struct TraceFilters {
    /// Only what this service took part in
    #[arg(long, value_name = "NAME")]
    pub(super) service: Option<String>,
    /// Only http, rpc, event, workflow, job or user (repeatable)
    #[arg(long, value_name = "CHANNEL", value_delimiter = ',', hide_possible_values = true,
        value_parser = ["http", "rpc", "event", "workflow", "job", "user"])]
    pub(super) channel: Vec<String>,
    /// Only pending, success, error, timeout or abandoned (repeatable)
    #[arg(long, value_name = "STATUS", value_delimiter = ',', hide_possible_values = true,
        value_parser = ["pending", "success", "error", "timeout", "abandoned"])]
    pub(super) status: Vec<String>,
    /// Only what failed: error, timeout and abandoned
    #[arg(long)]
    pub(super) failed: bool,
    /// Only what took at least so long (250ms, 2s)
    #[arg(long, value_name = "SPAN", value_parser = when::span)]
    pub(super) min_duration: Option<Duration>,
    /// Only with these words in a subject or business key; the last may be a beginning
    #[arg(long, value_name = "WORDS")]
    pub(super) text: Option<String>,
}

/// From when until when.
#[derive(Debug, Args)]
pub(super) struct Times {
    /// Not before: 15m, 2h or 3d ago, 2026-01-31T12:00:00Z, or unix milliseconds
    #[arg(long, value_name = "TIME", value_parser = Point::parse)]
    pub(super) since: Option<Point>,
    /// Not after, as --since
    #[arg(long, value_name = "TIME", value_parser = Point::parse)]
    pub(super) until: Option<Point>,
}

/// How many, and from where on.
#[derive(Debug, Args)]
pub(super) struct Pages {
    /// Most to print [default: 20]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) limit: Option<u32>,
    /// Go on where an earlier answer ended
    #[arg(long)]
    pub(super) cursor: Option<String>,
    /// Print all, page after page; with -o json one object a line
    #[arg(long, conflicts_with = "limit")]
    pub(super) all: bool,
}

/// Which lines of the logs.
#[derive(Debug, Args)]
pub(super) struct Logs {
    /// Only of this service
    #[arg(long, value_name = "NAME")]
    pub(super) service: Option<String>,
    /// Only of this instance
    #[arg(long, value_name = "UUID")]
    pub(super) instance: Option<String>,
    /// Only of this level and above: debug, info, warn or error
    #[arg(long, value_name = "LEVEL", hide_possible_values = true,
        value_parser = ["debug", "info", "warn", "error"])]
    pub(super) level: Option<String>,
    /// Only written in this trace
    #[arg(long, value_name = "ID")]
    pub(super) trace: Option<String>,
    /// Only with these words in message or fields; the last may be a beginning
    #[arg(long, value_name = "WORDS")]
    pub(super) text: Option<String>,
    #[command(flatten)]
    pub(super) times: Times,
    #[command(flatten)]
    pub(super) pages: Pages,
    /// Print the newest, then every line as it comes, until Ctrl-C
    #[arg(short, long, conflicts_with_all = ["until", "cursor", "all"])]
    pub(super) follow: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Metrics {
    /// List metrics that services report
    List {
        /// Only of this service
        #[arg(long, value_name = "NAME")]
        service: Option<String>,
    },
    /// Show a metric over time, one line per series
    #[command(
        after_help = "Example: bridge metrics show http.server.request.duration \\
             --service orders --label http.route=/users/{id} --quantile 0.95 --since 1h"
    )]
    Show {
        /// Name of the metric
        name: String,
        #[command(flatten)]
        query: MetricQuery,
    },
}

/// Which series of a metric, and how.
#[derive(Debug, Args)]
pub(super) struct MetricQuery {
    /// Only of this service
    #[arg(long, value_name = "NAME")]
    pub(super) service: Option<String>,
    /// Only with this label (repeatable)
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    pub(super) labels: Vec<(String, String)>,
    #[command(flatten)]
    pub(super) times: Times,
    /// Length of a step (10s, 5m) [default: what fits the time]
    #[arg(long, value_name = "SPAN", value_parser = when::span)]
    pub(super) step: Option<Duration>,
    /// Of a histogram: this share instead of the mean, 0 to 1 (repeatable)
    #[arg(long = "quantile", value_name = "SHARE", value_parser = share)]
    pub(super) quantiles: Vec<f64>,
}

fn label(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(key, _)| !key.is_empty());
    let pair = pair.ok_or_else(|| format!("`{text}` is no label; use KEY=VALUE"))?;
    Ok((pair.0.to_owned(), pair.1.to_owned()))
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|it| (0.0..=1.0).contains(it));
    share.ok_or_else(|| format!("`{text}` is no share; use a number from 0 to 1, as 0.95"))
}

#[derive(Debug, Subcommand)]
pub(super) enum Setting {
    /// List settings with their values
    List,
    /// Change a setting; without a value its default returns
    Set {
        /// For example registry.disconnect_grace_ms
        key: String,
        /// The new value
        value: Option<String>,
    },
}

/// Which routes to compare with what.
#[derive(Debug, Args)]
pub(super) struct Audit {
    /// Name of the service; every service with HTTP routes without it
    pub(super) service: Option<String>,
    /// Operations that should be mounted; `-` is standard input
    #[arg(long, value_name = "FILE", requires = "service")]
    pub(super) declared: Option<PathBuf>,
    /// Count calls from then on: 7d ago, 2026-01-31T12:00:00Z, or unix milliseconds [default: all
    /// that is kept]
    #[arg(long, value_name = "TIME", value_parser = Point::parse)]
    pub(super) since: Option<Point>,
    /// Fail, too, when something is mounted that is not declared
    #[arg(long, requires = "declared")]
    pub(super) strict: bool,
}

/// How to show the map.
#[derive(Debug, Args)]
pub(super) struct Map {
    /// Picture language
    #[arg(long, value_enum, default_value_t = MapFormat::Table)]
    pub(super) format: MapFormat,
    /// Time of which traffic is counted, an hour at most
    #[arg(long, value_name = "SPAN", value_parser = when::span, default_value = "5m")]
    pub(super) window: Duration,
    /// Leave traffic out: what is registered and declared, the same until that changes
    #[arg(long)]
    pub(super) no_traffic: bool,
    /// Headline of the SVG picture
    #[arg(long, default_value = "Service map")]
    pub(super) title: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum MapFormat {
    /// A table, or what -o says
    Table,
    /// JSON
    Json,
    /// Mermaid flowchart, for Markdown
    Mermaid,
    /// Graphviz
    Dot,
    /// A picture for documents, light or dark as its reader prefers
    Svg,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn labels_and_shares_are_what_they_should_be() {
        assert_eq!(label("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert!(label("a").is_err() && label("=b").is_err());
        assert_eq!(share("0.95"), Ok(0.95));
        assert!(share("95").is_err() && share("NaN").is_err() && share("x").is_err());
    }
}
