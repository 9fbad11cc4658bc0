//! Why a command did not do what it was asked, and the exit code of it.

use std::fmt;
use std::process::ExitCode;

use serde_json::{Value, json};

/// Exit code for what was asked in a wrong way.
const WRONG_USAGE: u8 = 2;

/// What went wrong: lines for people.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command, a path or a configuration is wrong.
    Usage(String),
    /// The contracts, the lock or a program are not as they should be.
    Refused(String),
    /// The contracts or the lock are refused, each fault with its place.
    Contracts(bridge_codegen::Error),
    /// A program could not be asked: it failed, or it did not answer.
    Silent(String),
    /// Nobody reads what is printed any more.
    Gone,
}

impl Failure {
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self::Usage(text.into())
    }

    pub(crate) fn refused(text: impl Into<String>) -> Self {
        Self::Refused(text.into())
    }

    pub(crate) fn silent(text: impl Into<String>) -> Self {
        Self::Silent(text.into())
    }

    /// A program could not be asked.
    pub(crate) fn is_about_running(&self) -> bool {
        matches!(self, Self::Silent(_))
    }

    pub(crate) fn is_gone(&self) -> bool {
        matches!(self, Self::Gone)
    }

    /// What machines get in the place of what was asked for: `faults`, with place and text each.
    pub(crate) fn machine(&self) -> Value {
        let faults: Vec<_> = match self {
            Self::Contracts(error) => error.faults().iter().map(fault).collect(),
            other => vec![json!({ "place": null, "text": other.to_string() })],
        };
        json!({ "faults": faults })
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(WRONG_USAGE),
            Self::Refused(_) | Self::Contracts(_) | Self::Silent(_) => ExitCode::FAILURE,
            Self::Gone => ExitCode::SUCCESS,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) | Self::Refused(text) | Self::Silent(text) => f.write_str(text),
            Self::Contracts(error) => write!(f, "{error}"),
            Self::Gone => Ok(()),
        }
    }
}

fn fault(fault: &bridge_codegen::Fault) -> Value {
    let place = match fault.position {
        Some((line, column)) => format!("{}:{line}:{column}", fault.file),
        None => fault.file.clone(),
    };
    json!({ "place": place, "text": fault.message })
}

impl From<bridge_codegen::Error> for Failure {
    fn from(error: bridge_codegen::Error) -> Self {
        Self::Contracts(error)
    }
}
