//! One call over HTTP: its request, and what an answer that is a failure means.
//!
//! A failure is problem details (RFC 9457). A `code` in them is the handler's own, and what they
//! say besides is what the same error says in a call of the mesh: behind its text, as JSON.
//!
//! What stands around a handler (a limit, a deadline, an idempotency key) says a code of the closed
//! list. A handler may say one, too, and nothing tells the two apart: such a failure is of that
//! code for whoever asks for a code, and the handler's for whoever asks for its type.

use bytes::Bytes;
use contract::error_code::ErrorCode;
use http::header::{ACCEPT, CONTENT_TYPE, HOST};
use http::{HeaderValue, Request, StatusCode};
use http_body_util::Full;
use serde_json::{Map, Value};

use super::asked::{Asked, late};
use super::json_form::JsonForm;
use super::outcome::Failure;
use super::web::WebError;
use crate::business::ErrorFields;

/// Where a server has its methods.
#[derive(Clone, Debug)]
pub(super) struct Base {
    /// Goes into `host`.
    pub(super) authority: HeaderValue,
    /// The path in front of those of methods: empty, or `/api`.
    pub(super) prefix: Box<str>,
}

/// The request of one call, without what every call says in headers.
pub(super) fn json_request(
    form: &JsonForm,
    asked: &Asked,
    base: &Base,
) -> Result<Request<Full<Bytes>>, Failure> {
    let outgoing = form.outgoing(&asked.payload)?;
    let has_body = outgoing.body.is_some();
    let mut request = Request::new(Full::from(outgoing.body.unwrap_or_default()));
    *request.method_mut() = outgoing.method;
    let target = format!("{}{}", base.prefix, outgoing.path_and_query);
    *request.uri_mut() = target.parse().map_err(|error| {
        let text = format!("`{target}` is no path: {error}");
        Failure::before_dispatch(ErrorCode::Validation, text)
    })?;
    let headers = request.headers_mut();
    headers.insert(HOST, base.authority.clone());
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    if has_body {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    Ok(request)
}

/// What an answer that is no success says.
pub(super) fn of_problem(status: StatusCode, body: &[u8]) -> Failure {
    let problem: Map<String, Value> = serde_json::from_slice(body).unwrap_or_default();
    let member = |name: &str| problem.get(name).and_then(Value::as_str);
    let said = member("detail").or_else(|| member("title"));
    let text = said.map_or_else(|| format!("the server answered {status}"), str::to_owned);
    let is_retryable = problem.get("retryable") == Some(&Value::Bool(true));
    let Some(code) = member("code").filter(|code| !code.is_empty()) else {
        return Failure::final_(code_of(status), text).said_retryable(is_retryable);
    };
    let text = ErrorFields::of_problem(&problem).behind(&text);
    let mut failure = Failure::handler(code.to_owned(), text).said_retryable(is_retryable);
    failure.code = ErrorCode::parse(code).unwrap_or(ErrorCode::Handler);
    failure
}

/// What a status alone says.
fn code_of(status: StatusCode) -> ErrorCode {
    match status.as_u16() {
        401 | 403 => ErrorCode::AccessDenied,
        404 | 405 | 410 => ErrorCode::NotFound,
        408 | 504 => ErrorCode::Timeout,
        409 => ErrorCode::Conflict,
        429 => ErrorCode::Overloaded,
        499 => ErrorCode::Cancelled,
        502 | 503 => ErrorCode::Connection,
        500.. => ErrorCode::Internal,
        _ => ErrorCode::Validation,
    }
}

/// There is no answer at all.
pub(super) fn unanswered(error: WebError) -> Failure {
    match error {
        WebError::NotSent(text) => Failure::before_dispatch(ErrorCode::Connection, text),
        WebError::Broken(text) => Failure::final_(ErrorCode::Connection, text),
        WebError::TooLarge => Failure::too_large_a_reply(),
        WebError::Late => late(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_with_a_code_is_the_handlers_error_with_its_fields() {
        let sold = br#"{"type":"about:blank","status":409,"code":"OUT_OF_STOCK","detail":"none left","sku":"A-1"}"#;
        let failure = of_problem(StatusCode::CONFLICT, sold);
        assert_eq!(failure.code, ErrorCode::Handler);
        assert_eq!(failure.handler_code.as_deref(), Some("OUT_OF_STOCK"));
        assert_eq!(failure.message, r#"none left {"sku":"A-1"}"#);
    }

    #[test]
    fn a_code_of_the_closed_list_is_that_code_and_the_handlers_as_well() {
        for (status, code, expected) in [
            (503, "OVERLOADED", ErrorCode::Overloaded),
            (504, "TIMEOUT", ErrorCode::Timeout),
            (422, "CONFLICT", ErrorCode::Conflict),
            (404, "NOT_FOUND", ErrorCode::NotFound),
            (422, "SOLD_OUT", ErrorCode::Handler),
        ] {
            let body = format!(r#"{{"code":"{code}","detail":"why"}}"#);
            let status = StatusCode::from_u16(status).unwrap();
            let error = of_problem(status, body.as_bytes()).into_error("a/B".into());
            assert_eq!((error.code(), error.handler_code()), (expected, Some(code)));
            assert_eq!(error.retryable(), code == "OVERLOADED");
            assert_eq!(error.message(), "why");
        }
    }

    #[test]
    fn a_problem_that_is_retryable_says_so_of_the_call() {
        for (body, expected) in [
            (r#"{"code":"BUSY","retryable":true}"#, true),
            (r#"{"retryable":true}"#, true),
            (r#"{"code":"BUSY"}"#, false),
            (r#"{"code":"CONNECTION"}"#, false),
            ("", false),
        ] {
            let failure = of_problem(StatusCode::SERVICE_UNAVAILABLE, body.as_bytes());
            let error = failure.into_error("a/B".into());
            assert_eq!(error.retryable(), expected, "{body}");
        }
    }

    #[test]
    fn a_failure_without_a_code_is_what_its_status_says() {
        for (status, body, code, text) in [
            (
                503,
                "",
                ErrorCode::Connection,
                "the server answered 503 Service Unavailable",
            ),
            (
                404,
                r#"{"title":"Not Found"}"#,
                ErrorCode::NotFound,
                "Not Found",
            ),
            (
                418,
                "<html>",
                ErrorCode::Validation,
                "the server answered 418 I'm a teapot",
            ),
            (500, r#"{"detail":"oh"}"#, ErrorCode::Internal, "oh"),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            let failure = of_problem(status, body.as_bytes());
            assert_eq!((failure.code, &*failure.message), (code, text));
        }
    }
}
