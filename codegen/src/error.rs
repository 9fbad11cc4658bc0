//! Faults in contracts, in the form that editors and people can jump from.
//!
//! Invariant: an [`Error`] holds at least one fault and prints one line for each, as
//! `file:line:column: message`, leaving out what is not known.

use std::fmt;
use std::path::Path;

/// Everything that was wrong with the contracts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    faults: Vec<Fault>,
}

impl Error {
    /// The faults, in order of file and position.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// `Ok` without faults, else all of them, each once.
    pub(crate) fn unless_empty(mut faults: Vec<Fault>) -> Result<(), Self> {
        faults.sort();
        faults.dedup();
        if faults.is_empty() {
            Ok(())
        } else {
            Err(Self { faults })
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            let newline = if index == 0 { "" } else { "\n" };
            write!(f, "{newline}{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self {
            faults: vec![fault],
        }
    }
}

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The file or folder, as a path that starts where the caller's paths start.
    pub file: String,
    /// Line and column, both counted from 1, if the fault has a place in the file.
    pub position: Option<(u32, u32)>,
    /// What is wrong and what to do: one line, lowercase, no full stop.
    pub message: String,
}

impl Fault {
    /// A fault of a file or folder as a whole.
    pub(crate) fn new(file: &Path, message: impl Into<String>) -> Self {
        Self {
            file: file.display().to_string(),
            position: None,
            message: message.into(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some((line, column)) = self.position {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.message)
    }
}
