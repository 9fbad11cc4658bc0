//! Why one call failed.
//!
//! Programs ask [`code`](CallError::code) and [`retryable`](CallError::retryable); people read
//! `Display`, which names the call.
//!
//! Invariant: whether a repeat is safe follows from the code alone.

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
}

impl CallError {
    pub(crate) fn new(code: ErrorCode, operation: String, message: impl Into<String>) -> Self {
        Self(Box::new(CallFault {
            code,
            operation,
            message: message.into(),
            handler_code: None,
            is_replayed: false,
        }))
    }

    /// An answer of the handler itself, whose code is `own`. Without a text it stands in for it.
    #[cfg(feature = "mesh")]
    pub(crate) fn answered(
        code: ErrorCode,
        operation: String,
        own: String,
        message: String,
    ) -> Self {
        let message = if message.is_empty() {
            own.clone()
        } else {
            message
        };
        Self(Box::new(CallFault {
            code,
            operation,
            message,
            handler_code: Some(own),
            is_replayed: false,
        }))
    }

    /// The same, as the kept answer of an earlier call if it is one.
    #[cfg(feature = "mesh")]
    pub(crate) fn replayed(mut self, is_replayed: bool) -> Self {
        self.0.is_replayed = is_replayed;
        self
    }

    /// What a program asks: one of a closed list. It is `HANDLER` for an error of the handler's own;
    /// over plain HTTP, where nothing tells whose a code is, only if the list has no such code.
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

    /// The text alone, without the name of the call.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Whether the same call may succeed later: nothing of it was executed.
    pub fn retryable(&self) -> bool {
        self.0.code.retryable()
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

    fn call(code: ErrorCode) -> CallError {
        CallError::new(code, "payments/Charge".into(), "reason")
    }

    #[test]
    fn only_what_was_not_executed_invites_a_repeat() {
        assert!(call(ErrorCode::Connection).retryable());
        assert!(call(ErrorCode::NoLiveInstance).retryable());
        assert!(!call(ErrorCode::Timeout).retryable());
        assert!(
            !CallError::answered(ErrorCode::Handler, "a/B".into(), "X".into(), String::new())
                .retryable()
        );
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
        assert_eq!(error.to_string(), "a/B answered OUT_OF_STOCK: OUT_OF_STOCK");
    }
}
