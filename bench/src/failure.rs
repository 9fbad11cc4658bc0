//! Why a program could not measure: one line of text with what it was about.

use std::fmt;

/// A measurement that did not come about.
#[derive(Debug)]
pub(crate) struct Failure(String);

pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Says what an error was about.
pub(crate) trait Context<T> {
    fn context(self, about: impl fmt::Display) -> Result<T>;
}

impl<T, E: fmt::Display> Context<T> for std::result::Result<T, E> {
    fn context(self, about: impl fmt::Display) -> Result<T> {
        self.map_err(|error| Failure(format!("{about}: {error}")))
    }
}
