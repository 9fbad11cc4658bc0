//! How every HTTP door of the runtime says no: RFC 9457 problem details whose `detail` is a
//! sentence that says what to do.
//!
//! Refuses to be anything else than a refusal: its status is 4xx or 5xx.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

/// Media type of a problem.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The answer's status, 4xx or 5xx.
    pub status: StatusCode,
    /// What is wrong and what to do about it.
    pub detail: String,
    retry_after_seconds: Option<u64>,
}

/// A problem as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ProblemBody {
    /// Always `about:blank`: the status says what kind it is.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The status.
    pub status: u16,
    /// What is wrong and what to do about it.
    pub detail: String,
}

impl Problem {
    /// A refusal with `status` and the sentence `detail`.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status,
            detail: detail.into(),
            retry_after_seconds: None,
        }
    }

    /// The same, with the header that says when a repeat makes sense.
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = ProblemBody {
            kind: "about:blank".to_owned(),
            title: self.status.canonical_reason().unwrap_or("").to_owned(),
            status: self.status.as_u16(),
            detail: self.detail,
        };
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    #[tokio::test]
    async fn a_problem_says_what_and_when_to_repeat() {
        let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too many tries").retry_after(7);
        let response = problem.into_response();
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(response.headers()[CONTENT_TYPE], PROBLEM_JSON);
        assert_eq!(response.headers()[RETRY_AFTER], "7");
        let body = to_bytes(response.into_body(), 1_000).await.expect("a body");
        let body: ProblemBody = serde_json::from_slice(&body).expect("a problem");
        assert_eq!(
            (body.status, body.title.as_str()),
            (429, "Too Many Requests")
        );
        assert_eq!(body.detail, "too many tries");
    }
}
