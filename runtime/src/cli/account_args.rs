//! The words of `bridge account` and `bridge token`.
//!
//! Refuses a password as an argument: everybody on the machine reads those.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Subcommand, ValueEnum};

use super::when;

#[derive(Debug, Subcommand)]
pub(super) enum Account {
    /// List accounts
    List,
    /// Create an account; asks for its password
    Create {
        /// a-z, 0-9, `.`, `_` and `-`
        name: String,
        /// What it may do
        #[arg(long, value_enum, default_value_t = Role::Viewer)]
        role: Role,
        /// Take the password from the first line of a file; `-` is standard input
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    /// Give an account another role; its sessions end
    Role {
        /// Name of the account
        name: String,
        /// What it may do from now on
        #[arg(value_enum)]
        role: Role,
    },
    /// Give an account another password; its sessions end
    Password {
        /// Name of the account
        name: String,
        /// Take the password from the first line of a file; `-` is standard input
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    /// Delete an account; its sessions end
    Delete {
        /// Name of the account
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Token {
    /// List API tokens
    List,
    /// Create an API token and print it, this once
    #[command(after_help = "Example: bridge token create ci --role viewer --expires 90d")]
    Create {
        /// a-z, 0-9, `.`, `_` and `-`
        name: String,
        /// What it may do
        #[arg(long, value_enum, default_value_t = Role::Viewer)]
        role: Role,
        /// How long it works (12h, 90d); for ever without it
        #[arg(long, value_name = "SPAN", value_parser = when::span)]
        expires: Option<Duration>,
    },
    /// Revoke an API token
    Revoke {
        /// Its id, as listed
        id: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Role {
    /// Everything
    Admin,
    /// See everything but accounts and tokens
    Viewer,
}
