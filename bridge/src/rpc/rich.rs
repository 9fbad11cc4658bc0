//! The reason behind a gRPC status, as gRPC's richer error model has it.
//!
//! Refuses to guess: a status without a reason is nobody's business error, whatever its code.
//!
//! Invariant: what is read of what was written is the code of the error.

use prost::Message as _;

use crate::business::BusinessError;

const ERROR_INFO: &str = "type.googleapis.com/google.rpc.ErrorInfo";

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, prost::Message)]
struct RichStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<prost_types::Any>,
}

/// `google.rpc.ErrorInfo`, as far as it is used.
#[derive(Clone, PartialEq, prost::Message)]
struct ErrorInfo {
    #[prost(string, tag = "1")]
    reason: String,
}

/// The details of a gRPC status that says `error`: a `google.rpc.Status` whose `ErrorInfo` has the
/// error's code as its reason, as sent in `grpc-status-details-bin`.
///
/// For gRPC services of your own. In a call of the mesh an error is part of the answer and over HTTP
/// it is a problem, so neither has a gRPC status of it. Clients of [`Remote::grpc`](crate::Remote::grpc)
/// get the error back with [`CallError::business`](crate::CallError::business), with its fields if
/// the status has the error's [`message`](BusinessError::message), where they are; clients of others
/// read the status, its text and the reason.
///
/// ```
/// use bridge::BusinessError as _;
/// use tonic::{Code, Status};
///
/// #[derive(Debug, bridge::Error)]
/// enum OrderError {
///     #[bridge(status = 409, grpc = "ABORTED")]
///     OutOfStock { sku: String },
/// }
///
/// fn status(error: &OrderError) -> Status {
///     let details = bridge::grpc_details(error);
///     Status::with_details(Code::from(error.grpc()), error.message(), details.into())
/// }
///
/// let status = status(&OrderError::OutOfStock { sku: "tea".to_owned() });
/// assert_eq!(status.code(), Code::Aborted);
/// assert_eq!(status.message(), r#"out of stock {"sku":"tea"}"#);
/// ```
pub fn grpc_details<E: BusinessError>(error: &E) -> Vec<u8> {
    let info = ErrorInfo {
        reason: error.code().to_owned(),
    };
    let info = prost_types::Any {
        type_url: ERROR_INFO.to_owned(),
        value: info.encode_to_vec(),
    };
    let status = RichStatus {
        code: error.grpc(),
        message: error.message(),
        details: vec![info],
    };
    status.encode_to_vec()
}

/// The reason in the details of a status, if they give one.
pub(super) fn reason(details: &[u8]) -> Option<String> {
    let status = RichStatus::decode(details).ok()?;
    let info = status
        .details
        .iter()
        .find(|it| it.type_url.ends_with("/google.rpc.ErrorInfo"))?;
    let info = ErrorInfo::decode(&*info.value).ok()?;
    Some(info.reason).filter(|reason| !reason.is_empty())
}
