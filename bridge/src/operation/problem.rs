//! Business errors as answers over HTTP, and failed calls as business errors.
//!
//! Invariant: a problem says of an error what the wire of a call says of it, in members of its own;
//! nothing of an error's source is told to whoever asked.

use std::fmt;

use axum::response::Response;
use bridge_tower::problem::Problem;
use http::StatusCode;

use crate::business::BusinessError;

/// The answer that says `error`: its status and, as problem details, its text, its code, whether to
/// repeat, and its fields.
pub fn problem<E: BusinessError + fmt::Display>(error: &E) -> Response {
    let status = StatusCode::from_u16(error.status());
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut problem = Problem::new(status)
        .detail(error.to_string())
        .with("code", error.code())
        .traced();
    if error.retryable() {
        problem = problem.with("retryable", true);
    }
    for (name, value) in error.fields().iter() {
        problem = problem.with(name, value.clone());
    }
    problem.into_response()
}

/// The business error that problem details say, if they are one of this type:
/// the other direction of the answer that `#[derive(bridge::Error)]` gives.
///
/// ```
/// #[derive(Debug, bridge::Error)]
/// enum OrderError {
///     #[bridge(status = 409)]
///     OutOfStock { sku: String },
/// }
///
/// let problem = br#"{"code":"OUT_OF_STOCK","detail":"out of stock","sku":"A-1","status":409}"#;
/// let Some(OrderError::OutOfStock { sku }) = bridge::error_of_problem(problem) else {
///     panic!("it is this error");
/// };
/// assert_eq!(sku, "A-1");
/// ```
pub fn error_of_problem<E: BusinessError>(json: &[u8]) -> Option<E> {
    let problem: serde_json::Value = serde_json::from_slice(json).ok()?;
    let member = |name: &str| problem.get(name).and_then(serde_json::Value::as_str);
    let detail = member("detail").unwrap_or_default();
    // First the text alone: a variant with a `String` takes all that follows.
    let code = member("code")?;
    let plain = E::from_wire(code, detail);
    plain.or_else(|| E::from_wire(code, &format!("{detail} {problem}")))
}

/// What a `CallError` in a business error says of itself.
pub mod failed {
    use contract::error_code::ErrorCode;

    use crate::call_error::CallError;

    /// Its code, one of the closed list.
    pub fn code(call: &CallError) -> &'static str {
        call.code().as_str()
    }

    /// Its HTTP status.
    pub fn status(call: &CallError) -> u16 {
        call.code().http_status()
    }

    /// The number of its gRPC status.
    pub fn grpc(call: &CallError) -> i32 {
        call.code().to_grpc()
    }

    /// Whether nothing of it was executed.
    pub fn retryable(call: &CallError) -> bool {
        call.retryable()
    }

    /// Its text.
    pub fn text(call: &CallError) -> &str {
        call.message()
    }

    /// The failure that another service had, as far as it told.
    pub fn from_wire(code: &str, message: &str) -> Option<CallError> {
        let code = ErrorCode::parse(code)?;
        Some(CallError::new(
            code,
            "a call of the called service".to_owned(),
            message,
        ))
    }

    /// In place of a failure that stayed with the service it happened in.
    pub fn left_behind() -> CallError {
        let text = "what failed is known to the called service only";
        CallError::new(
            ErrorCode::Internal,
            "a call of the called service".to_owned(),
            text,
        )
    }
}
