//! Faults in contracts, in the form that editors and people can jump from.
//!
//! Invariant: an [`Error`] holds at least one fault and prints one line for each, as
//! `file:line:column: message`, leaving out what is not known. What contracts have in their names
//! never starts another line: Cargo would take it for a directive of the build.

use std::borrow::Cow;
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
    pub(crate) fn unless_empty(faults: Vec<Fault>) -> Result<(), Self> {
        let mut faults: Vec<_> = faults.into_iter().map(Fault::in_one_line).collect();
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
            faults: vec![fault.in_one_line()],
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

    fn in_one_line(self) -> Self {
        let clean = |text: String| match one_line(&text) {
            Cow::Borrowed(_) => text,
            Cow::Owned(cleaned) => cleaned,
        };
        Self {
            file: clean(self.file),
            message: clean(self.message),
            ..self
        }
    }
}

/// The text without what would end its line or do something to a terminal.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let mut line = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    Cow::Owned(line)
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&one_line(&self.file))?;
        if let Some((line, column)) = self.position {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", one_line(&self.message))
    }
}
