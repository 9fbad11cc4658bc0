//! Why one call failed.
//!
//! Programs ask [`code`](CallError::code) and [`retryable`](CallError::retryable); people read
//! `Display`, which names the call.
//!
//! Invariant: a call that may have been executed is never said to be worth a repeat, unless whoever
//! was called says so.

use std::fmt;

use contract::error_code::ErrorCode;

use crate::business::BusinessError;

/// Why a call failed.
///
/// [`TIMEOUT`](ErrorCode::Timeout) is deliberately not [`retryable`](Self::retryable): the work
/// may have been done.
#[derive(Clone)]
pub struct CallError(Box<CallFault>);

#[derive(Clone)]
struct CallFault {
    code: ErrorCode,
    /// `payments/Charge`, so that a log line says which call it was.
    operation: String,
    message: String,
    handler_code: Option<String>,
    is_replayed: bool,
    is_retryable: bool,
}

impl CallError {
    pub(crate) fn new(code: ErrorCode, operation: String, message: impl Into<String>) -> Self {
        Self(Box::new(CallFault {
            code,
            operation,
            message: message.into(),
            handler_code: None,
            is_replayed: false,
            is_retryable: false,
        }))
    }

    /// An answer of the handler itself, whose code is `own`.
    #[cfg(feature = "mesh")]
    pub(crate) fn answered(
        code: ErrorCode,
        operation: String,
        own: String,
        message: String,
    ) -> Self {
        Self(Box::new(CallFault {
            code,
            operation,
            message,
            handler_code: Some(own),
            is_replayed: false,
            is_retryable: false,
        }))
    }

    /// The same, as the kept answer of an earlier call if it is one.
    #[cfg(feature = "mesh")]
    pub(crate) fn replayed(mut self, is_replayed: bool) -> Self {
        self.0.is_replayed = is_replayed;
        self
    }

    /// The same, as one that is worth a repeat if it is.
    #[cfg(feature = "mesh")]
    pub(crate) fn retryable_if(mut self, is_retryable: bool) -> Self {
        self.0.is_retryable = is_retryable;
        self
    }

    /// What a program asks: one of a closed list. It is `HANDLER` for an error of the handler's own;
    /// over plain HTTP, where nothing tells whose a code is, only if the list has no such code. So a
    /// handler's `NOT_FOUND` is `HANDLER` in the mesh and `NOT_FOUND` over HTTP: ask for
    /// [`business`](Self::business) where an error of the handler's is meant. An idempotency key that was
    /// used for another request is `VALIDATION` in the mesh and `CONFLICT` over HTTP, as either protocol
    /// says it.
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// The handler's own code (`CARD_DECLINED`) when the handler answered with an error.
    pub fn handler_code(&self) -> Option<&str> {
        self.0.handler_code.as_deref()
    }

    /// Whether this is the kept answer of an earlier call with the same idempotency key: nothing
    /// ran for this one.
    pub fn is_replayed(&self) -> bool {
        self.0.is_replayed
    }

    /// The text alone, without the name of the call. The code of a handler stands in for a text
    /// that is empty.
    pub fn message(&self) -> &str {
        let own = self.handler_code().filter(|_| self.0.message.is_empty());
        own.unwrap_or(&self.0.message)
    }

    /// Whether the same call may succeed later, and does no harm: it is certain that nothing of it was
    /// executed, or whoever was called says so (`OVERLOADED`; a problem that is `retryable`). A
    /// connection that breaks under a call is not: the work may have been done.
    pub fn retryable(&self) -> bool {
        self.0.is_retryable
    }

    /// The handler's error as the type it was returned as, when its code is one of that type's.
    ///
    /// ```no_run
    /// #[derive(Debug, bridge::Error)]
    /// enum ChargeError {
    ///     CardDeclined,
    /// }
    /// # async fn example(charge: bridge::Call<()>) -> Result<(), bridge::CallError> {
    /// match charge.await {
    ///     Ok(_) => println!("charged"),
    ///     Err(error) => match error.business::<ChargeError>() {
    ///         Some(ChargeError::CardDeclined) => println!("ask for another card"),
    ///         None => return Err(error),
    ///     },
    /// }
    /// # Ok(()) }
    /// ```
    pub fn business<E: BusinessError>(&self) -> Option<E> {
        E::from_wire(self.handler_code()?, &self.0.message)
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CallFault {
            code,
            operation,
            message,
            handler_code,
            ..
        } = &*self.0;
        match handler_code {
            Some(own) if message.is_empty() => write!(f, "{operation} answered {own}"),
            Some(own) => write!(f, "{operation} answered {own}: {message}"),
            None => write!(f, "{operation} failed with {code}: {message}"),
        }
    }
}

impl fmt::Debug for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallError")
            .field("code", &self.0.code)
            .field("operation", &self.0.operation)
            .field("handler_code", &self.0.handler_code)
            .field("message", &self.0.message)
            .finish()
    }
}

impl std::error::Error for CallError {}

#[cfg(all(test, feature = "mesh"))]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Rejected(String);

    impl BusinessError for Rejected {
        fn code(&self) -> &'static str {
            "REJECTED"
        }

        fn message(&self) -> String {
            self.0.clone()
        }

        fn from_wire(_: &str, message: &str) -> Option<Self> {
            Some(Self(message.to_owned()))
        }
    }

    #[test]
    fn an_empty_text_comes_back_empty() {
        let sent = Rejected(String::new());
        let (code, text) = (sent.code().to_owned(), sent.message());
        let error = CallError::answered(ErrorCode::Handler, "a/B".into(), code, text);
        assert_eq!(error.business(), Some(sent));
    }

    #[test]
    fn a_handler_error_without_text_shows_its_code() {
        let error = CallError::answered(
            ErrorCode::Handler,
            "a/B".into(),
            "OUT_OF_STOCK".into(),
            String::new(),
        );
        assert_eq!(error.handler_code(), Some("OUT_OF_STOCK"));
        assert_eq!(error.message(), "OUT_OF_STOCK");
        assert_eq!(error.to_string(), "a/B answered OUT_OF_STOCK");
    }
}
