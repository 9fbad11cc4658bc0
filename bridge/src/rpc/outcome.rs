//! What one attempt came to, and what may follow from it.

use contract::error_code::ErrorCode;
use contract::transport::{ChannelError, is_not_dispatched};
use tonic::Status;

/// Why one attempt failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) code: ErrorCode,
    pub(super) message: String,
    /// The handler's own code, when a handler ran.
    pub(super) handler_code: Option<String>,
    pub(super) dispatch: Dispatch,
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
        let (message, dispatch) = (message.into(), Dispatch::Never);
        Self {
            code,
            message,
            handler_code: None,
            dispatch,
        }
    }

    pub(super) fn final_(code: ErrorCode, message: impl Into<String>) -> Self {
        let (message, dispatch) = (message.into(), Dispatch::Perhaps);
        Self {
            code,
            message,
            handler_code: None,
            dispatch,
        }
    }

    /// A handler's answer that is an error.
    pub(super) fn handler(code: String, message: String) -> Self {
        let dispatch = Dispatch::Perhaps;
        Self {
            code: ErrorCode::Handler,
            message,
            handler_code: Some(code),
            dispatch,
        }
    }

    pub(super) fn of_status(status: &Status) -> Self {
        let refused = is_not_dispatched(status);
        if let Some(error) = ChannelError::behind(status) {
            let dispatch = if error.not_sent() {
                Dispatch::Never
            } else {
                Dispatch::Perhaps
            };
            let (code, message) = (ErrorCode::Connection, error.to_string());
            return Self {
                code,
                message,
                handler_code: None,
                dispatch,
            };
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
        Self {
            code,
            message: message.to_owned(),
            handler_code: None,
            dispatch,
        }
    }
}

#[cfg(test)]
mod tests {
    use tonic::metadata::MetadataValue;

    use contract::headers::NOT_DISPATCHED;

    use super::*;

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
