//! What one attempt came to, and what may follow from it.

use bytes::Bytes;
use contract::error_code::ErrorCode;
use contract::transport::{ChannelError, is_not_dispatched};
use tonic::Status;

use crate::breaker::Outcome;
use crate::call_error::CallError;
use crate::idempotency::ABOUT_KEY;

/// Largest request and largest reply of one call, in bytes, as over gRPC.
pub(super) const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Why one attempt failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) code: ErrorCode,
    pub(super) message: String,
    /// The handler's own code, when a handler ran.
    pub(super) handler_code: Option<String>,
    pub(super) dispatch: Dispatch,
    /// It is the kept answer of an earlier call.
    pub(super) is_replayed: bool,
    /// It is about the idempotency key of the call, not about the instance.
    is_about_key: bool,
    /// Whoever was called says that a repeat may succeed.
    is_said_retryable: bool,
}

/// Whether a handler may have run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dispatch {
    /// Certainly not: another attempt does no harm.
    Never,
    /// It may have.
    Perhaps,
}

impl Failure {
    pub(super) fn before_dispatch(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::new(code, message.into(), Dispatch::Never)
    }

    pub(super) fn final_(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::new(code, message.into(), Dispatch::Perhaps)
    }

    fn new(code: ErrorCode, message: String, dispatch: Dispatch) -> Self {
        Self {
            code,
            message,
            handler_code: None,
            dispatch,
            is_replayed: false,
            is_about_key: false,
            is_said_retryable: false,
        }
    }

    /// A handler's answer that is an error.
    pub(super) fn handler(code: String, message: String) -> Self {
        Self {
            handler_code: Some(code),
            ..Self::new(ErrorCode::Handler, message, Dispatch::Perhaps)
        }
    }

    /// The same, as the kept answer of an earlier call if it is one.
    pub(super) fn replayed(self, is_replayed: bool) -> Self {
        Self {
            is_replayed,
            ..self
        }
    }

    /// The same, as one whose answer says whether a repeat may succeed.
    pub(super) fn said_retryable(self, is_said_retryable: bool) -> Self {
        Self {
            is_said_retryable,
            ..self
        }
    }

    /// The error of whoever called `operation`.
    pub(super) fn into_error(self, operation: String) -> CallError {
        let is_retryable = self.is_retryable();
        let error = match self.handler_code {
            Some(own) => {
                let error = CallError::answered(self.code, operation, own, self.message);
                error.replayed(self.is_replayed)
            }
            None => CallError::new(self.code, operation, self.message),
        };
        error.retryable_if(is_retryable)
    }

    /// Whether a repeat may succeed and does no harm. That there is no room is the word of whoever
    /// was called, which would not be lost on the way.
    fn is_retryable(&self) -> bool {
        match self.dispatch {
            Dispatch::Never => self.code.retryable(),
            Dispatch::Perhaps => self.is_said_retryable || self.code == ErrorCode::Overloaded,
        }
    }

    /// What it says about the instance that was asked.
    pub(super) fn outcome(&self) -> Outcome {
        match self.code {
            _ if self.handler_code.is_some() || self.is_about_key => Outcome::Success,
            ErrorCode::Connection if self.dispatch == Dispatch::Never => Outcome::Unreached,
            ErrorCode::Connection
            | ErrorCode::Timeout
            | ErrorCode::Overloaded
            | ErrorCode::Internal => Outcome::Failure,
            _ => Outcome::Success,
        }
    }

    /// What a handler answered, in a reply or in one chunk of a stream.
    pub(super) fn unless_answered(
        payload: Bytes,
        code: String,
        message: String,
    ) -> Result<Bytes, Self> {
        if code.is_empty() {
            Ok(payload)
        } else {
            Err(Self::handler(code, message))
        }
    }

    /// What came is no message of the wire contract.
    pub(super) fn unreadable(error: prost::DecodeError) -> Self {
        let text = format!("cannot read the reply: {error}");
        Self::final_(ErrorCode::Internal, text)
    }

    /// A reply is larger than any may be.
    pub(super) fn too_large_a_reply() -> Self {
        let text = format!("the reply is larger than {MESSAGE_BYTES_MAX} bytes");
        Self::final_(ErrorCode::Validation, text)
    }

    pub(super) fn of_status(status: &Status) -> Self {
        let refused = is_not_dispatched(status);
        if let Some(error) = ChannelError::behind(status) {
            let dispatch = if error.not_sent() {
                Dispatch::Never
            } else {
                Dispatch::Perhaps
            };
            return Self::new(ErrorCode::Connection, error.to_string(), dispatch);
        }
        let dispatch = if refused {
            Dispatch::Never
        } else {
            Dispatch::Perhaps
        };
        let code = ErrorCode::from_grpc(status.code() as i32);
        let said = status.message();
        let message = if said.is_empty() {
            status.code().description()
        } else {
            said
        };
        let said = status.metadata().get(ABOUT_KEY);
        Self {
            is_about_key: said.is_some_and(|it| it == "1"),
            ..Self::new(code, message.to_owned(), dispatch)
        }
    }
}

#[cfg(test)]
mod tests {
    use tonic::metadata::MetadataValue;

    use contract::headers::NOT_DISPATCHED;

    use super::*;

    #[test]
    fn a_refusal_about_a_key_says_nothing_bad_about_the_instance() {
        for refusal in [Status::unavailable(""), Status::resource_exhausted("")] {
            let mut refusal = contract::transport::not_dispatched(refusal);
            let outcome = Failure::of_status(&refusal).outcome();
            assert_ne!(outcome, Outcome::Success, "{refusal}");
            let one = MetadataValue::from_static("1");
            refusal.metadata_mut().insert(ABOUT_KEY, one);
            let failure = Failure::of_status(&refusal);
            assert_eq!(failure.outcome(), Outcome::Success, "{refusal}");
            assert_eq!(failure.dispatch, Dispatch::Never, "it may go elsewhere");
        }
    }

    #[test]
    fn only_what_was_not_executed_invites_a_repeat() {
        let before = |code| Failure::before_dispatch(code, "why");
        let after = |code| Failure::final_(code, "why");
        let own = || Failure::handler("OWN".to_owned(), String::new());
        for (failure, expected) in [
            (before(ErrorCode::Connection), true),
            (before(ErrorCode::NoLiveInstance), true),
            (before(ErrorCode::Validation), false),
            (after(ErrorCode::Connection), false),
            (after(ErrorCode::Timeout), false),
            (after(ErrorCode::Overloaded), true),
            (own(), false),
            (own().said_retryable(true), true),
        ] {
            let text = format!("{failure:?}");
            let error = failure.into_error("a/B".to_owned());
            assert_eq!(error.retryable(), expected, "{text}");
        }
    }

    #[test]
    fn an_instance_without_room_was_reached_and_one_that_stops_was_not() {
        let outcome = |refusal| {
            let refusal = contract::transport::not_dispatched(refusal);
            Failure::of_status(&refusal).outcome()
        };
        let full = outcome(Status::resource_exhausted(""));
        let stopping = outcome(Status::unavailable(""));
        assert_eq!((full, stopping), (Outcome::Failure, Outcome::Unreached));
    }

    #[test]
    fn only_a_marked_refusal_is_known_not_to_have_run() {
        let mut marked = Status::unavailable("draining");
        marked
            .metadata_mut()
            .insert(NOT_DISPATCHED, MetadataValue::from_static("1"));
        assert_eq!(Failure::of_status(&marked).dispatch, Dispatch::Never);
        for bare in [
            Status::unavailable(""),
            Status::deadline_exceeded(""),
            Status::resource_exhausted(""),
            Status::internal(""),
        ] {
            assert_eq!(
                Failure::of_status(&bare).dispatch,
                Dispatch::Perhaps,
                "{bare}"
            );
        }
        let mut other = Status::unavailable("draining");
        other
            .metadata_mut()
            .insert(NOT_DISPATCHED, MetadataValue::from_static("0"));
        assert_eq!(Failure::of_status(&other).dispatch, Dispatch::Perhaps);
    }
}
