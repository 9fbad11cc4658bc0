//! Business errors as answers over HTTP, and failed calls as business errors.
//!
//! Invariant: a problem says of an error what the wire of a call says of it, in members of its own;
//! nothing of an error's source is told to whoever asked. Sources of what is the service's own fault
//! are logged instead, with the request's trace.

use std::error::Error;

use axum::response::Response;
use bridge_tower::context;
use bridge_tower::idempotency::NotDone;
use bridge_tower::problem::Problem;
use http::StatusCode;
use serde_json::{Map, Value};

use crate::business::{BusinessError, ErrorFields};

/// Sources that are logged of an error, and bytes of the text of them all.
const SOURCES_MAX: usize = 8;
const SOURCES_BYTES_MAX: usize = 4_096;

/// The answer that says `error`: its status and, as problem details, its text, its code, whether to
/// repeat, and its fields. An error of status 500 or above is logged with its sources.
pub fn problem<E: BusinessError + Error>(error: &E) -> Response {
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
    if status.is_server_error() {
        log(error, status);
    }
    let mut answer: Response = problem.into_response();
    if error.retryable() {
        answer.extensions_mut().insert(NotDone);
    }
    answer
}

fn log<E: BusinessError + Error>(error: &E, status: StatusCode) {
    let sources = sources(error);
    let sources = (!sources.is_empty()).then(|| tracing::field::display(&sources));
    let trace = context::current().map(|it| it.trace.trace.as_uuid().simple());
    tracing::error!(
        status = status.as_u16(),
        code = error.code(),
        %error,
        sources,
        trace = trace.map(tracing::field::display),
        "a handler answered with an error of the service"
    );
}

/// The texts of what is behind an error, nearest first.
fn sources(error: &dyn Error) -> String {
    let chain = std::iter::successors(error.source(), |it| (*it).source());
    let texts: Vec<_> = chain.take(SOURCES_MAX).map(ToString::to_string).collect();
    let mut text = texts.join(": ");
    text.truncate(text.floor_char_boundary(SOURCES_BYTES_MAX));
    text
}

/// The business error that problem details say, if they are one of this type:
/// the other direction of the answer that `#[derive(bridge::Error)]` gives.
///
/// Fields are the members. They are looked for behind the text of `detail` only in problems that
/// have no members but those of every problem.
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
    let problem: Map<String, Value> = serde_json::from_slice(json).ok()?;
    let member = |name: &str| problem.get(name).and_then(Value::as_str);
    let (code, detail) = (member("code")?, member("detail").unwrap_or_default());
    let members = ErrorFields::of_problem(&problem);
    let has_fields = |error: &E| !error.fields().is_empty();
    let with_members = E::from_wire(code, &members.behind(detail)).filter(has_fields);
    // A variant without fields may hold all of the text, which members are no part of.
    let plain = || E::from_wire(code, detail).filter(|it| members.is_empty() || !has_fields(it));
    with_members.or_else(plain)
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

    /// The failure that another service had, as far as it told: not whether it was executed.
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

#[cfg(test)]
mod tests {
    use std::fmt;
    use std::sync::{Arc, Mutex};

    use tracing::field::{Field, Visit};
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Metadata, Subscriber};

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("layer {0}")]
    struct Layer(usize, #[source] Option<Box<Layer>>);

    #[derive(Debug, thiserror::Error)]
    #[error("the store failed")]
    struct Broken(u16, #[source] Layer);

    impl BusinessError for Broken {
        fn code(&self) -> &'static str {
            "STORE"
        }

        fn message(&self) -> String {
            self.to_string()
        }

        fn from_wire(_: &str, _: &str) -> Option<Self> {
            None
        }

        fn status(&self) -> u16 {
            self.0
        }
    }

    /// Keeps what this thread logs.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<String>>>);

    struct Fields(String);

    impl Visit for Fields {
        fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
            self.0.push_str(&format!("{field}={value:?} "));
        }
    }

    impl Subscriber for Log {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }

        fn record(&self, _: &Id, _: &Record<'_>) {}

        fn record_follows_from(&self, _: &Id, _: &Id) {}

        fn event(&self, event: &Event<'_>) {
            let mut fields = Fields(format!("{} ", event.metadata().level()));
            event.record(&mut fields);
            self.0.lock().unwrap().push(fields.0);
        }

        fn enter(&self, _: &Id) {}

        fn exit(&self, _: &Id) {}
    }

    fn logged(error: &Broken) -> Vec<String> {
        let log = Log::default();
        let answer = tracing::subscriber::with_default(log.clone(), || problem(error));
        assert_eq!(answer.status().as_u16(), error.0);
        let lines = log.0.lock().unwrap();
        lines.clone()
    }

    #[test]
    fn an_error_of_the_service_is_logged_once_with_what_is_behind_it() {
        let inner = Layer(2, Some(Box::new(Layer(1, None))));
        let lines = logged(&Broken(500, inner));
        let [line] = &lines[..] else {
            panic!("one line: {lines:?}");
        };
        for part in ["ERROR", "STORE", "the store failed", "layer 2: layer 1"] {
            assert!(line.contains(part), "{part} in {line}");
        }
    }

    #[test]
    fn an_error_of_the_caller_is_not_logged() {
        assert_eq!(logged(&Broken(409, Layer(1, None))), Vec::<String>::new());
    }

    #[test]
    fn endless_sources_are_cut() {
        let chain = (0..20).fold(None, |inner, depth| Some(Box::new(Layer(depth, inner))));
        let deep = Broken(503, *chain.expect("twenty"));
        assert_eq!(sources(&deep).matches("layer").count(), SOURCES_MAX);
    }
}
