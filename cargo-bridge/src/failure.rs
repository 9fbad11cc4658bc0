//! Why a command did not do what it was asked, and the exit code of it.

use std::fmt;
use std::process::ExitCode;

/// Exit code for what was asked in a wrong way.
const WRONG_USAGE: u8 = 2;

/// What went wrong: lines for people.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command, a path or a configuration is wrong.
    Usage(String),
    /// The contracts, the lock or a program are not as they should be.
    Refused(String),
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

    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(WRONG_USAGE),
            Self::Refused(_) | Self::Silent(_) => ExitCode::FAILURE,
            Self::Gone => ExitCode::SUCCESS,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) | Self::Refused(text) | Self::Silent(text) => f.write_str(text),
            Self::Gone => Ok(()),
        }
    }
}

impl From<bridge_codegen::Error> for Failure {
    fn from(error: bridge_codegen::Error) -> Self {
        Self::Refused(error.to_string())
    }
}
