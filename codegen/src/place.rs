//! Positions in contract files, for messages to people, and what is written there for people.
//!
//! Invariant: a place prints as `file:line:column`, leaving out what is not known.

use std::fmt;
use std::rc::Rc;

use crate::error::Fault;

/// Where something is declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    file: Rc<str>,
    position: Option<(u32, u32)>,
}

impl Place {
    /// A line and a column, both counted from 1, in a file or in no known part of it.
    pub(crate) fn new(file: Rc<str>, position: Option<(u32, u32)>) -> Self {
        Self { file, position }
    }

    pub(crate) fn file(&self) -> &str {
        &self.file
    }

    /// Line and column, both counted from 1, where they are known.
    pub(crate) fn position(&self) -> Option<(u32, u32)> {
        self.position
    }

    /// A fault of what is declared here.
    pub(crate) fn fault(&self, message: impl Into<String>) -> Fault {
        Fault {
            file: self.file.to_string(),
            position: self.position,
            message: message.into(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some((line, column)) = self.position {
            write!(f, ":{line}:{column}")?;
        }
        Ok(())
    }
}

/// The comment above a declaration and the one behind it, as written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Comments {
    pub(crate) leading: String,
    pub(crate) trailing: String,
}

/// What a declaration says about itself.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    /// Where its name is.
    pub(crate) place: Place,
    pub(crate) comments: Comments,
    pub(crate) deprecated: bool,
}
