//! Words of `bridge backup` and `bridge restore`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What to back up, and where to.
#[derive(Debug, Args)]
pub(super) struct Backup {
    #[command(subcommand)]
    pub(super) command: Option<BackupCommand>,
    /// New file, or a folder for one named after the time; `-` is standard output
    #[arg(long, value_name = "FILE|FOLDER", required = true)]
    pub(super) to: Option<PathBuf>,
    /// Leave traces, logs, metrics and payloads out
    #[arg(long)]
    pub(super) without_telemetry: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum BackupCommand {
    /// Read a backup to its last byte and say what it holds; needs no runtime
    Verify {
        /// The backup
        file: PathBuf,
    },
}

/// What to restore.
#[derive(Debug, Args)]
pub(super) struct Restore {
    /// The backup
    pub(super) file: PathBuf,
    /// Empty PostgreSQL database (postgres://USER:PASSWORD@HOST/DB); SQLite in the data folder without it
    #[arg(
        long,
        env = "BRIDGE_DATABASE",
        value_name = "URL",
        hide_env_values = true
    )]
    pub(super) database: Option<String>,
    /// Leave traces, logs, metrics and payloads out
    #[arg(long)]
    pub(super) without_telemetry: bool,
}
