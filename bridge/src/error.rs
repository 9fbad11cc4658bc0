//! Why the bridge itself failed: it could not start, connect or go on.
//!
//! Programs ask [`code`](Error::code) and [`retryable`](Error::retryable); people read `Display`,
//! which names the thing and says what to do about it. Sources are kept and never printed twice.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use contract::error_code::ErrorCode;

/// Why the bridge could not start, connect or go on.
///
/// Cheap to clone, because a bridge that stopped tells everybody why.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

struct Inner {
    code: ErrorCode,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self(Arc::new(Inner {
            code,
            message: message.into(),
            source: None,
        }))
    }

    pub(crate) fn caused(
        code: ErrorCode,
        message: impl Into<String>,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self(Arc::new(Inner {
            code,
            message: message.into(),
            source: Some(source.into()),
        }))
    }

    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Config, message)
    }

    /// What a program asks: one of a closed list.
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// Whether trying the same again later may succeed without anybody changing anything.
    pub fn retryable(&self) -> bool {
        self.0.code.retryable()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Error");
        debug
            .field("code", &self.0.code)
            .field("message", &self.0.message);
        if let Some(source) = &self.0.source {
            debug.field("source", source);
        }
        debug.finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_is_kept_apart_from_the_text() {
        let error = Error::caused(
            ErrorCode::Config,
            "cannot bind",
            std::io::Error::other("taken"),
        );
        assert_eq!(error.to_string(), "cannot bind");
        assert_eq!(
            error.source().map(ToString::to_string).as_deref(),
            Some("taken")
        );
    }
}
