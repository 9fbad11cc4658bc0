//! What clients hear of a real axum application's mistakes, with the layer around it.

use axum::extract::{DefaultBodyLimit, Path, Query};
use axum::response::{Html, IntoResponse};
use axum::routing::{get, post};
use axum::{Json, Router};
use contract::error_code::ErrorCode;
use contract::headers::TraceContext;
use http::header::{ACCEPT, ALLOW, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::context::{CallContext, scope};

type Answer = (StatusCode, HeaderMap, String);

fn app() -> Router {
    let number = |Path(_): Path<u32>| async { "a number" };
    let page = |Query(_): Query<Vec<(String, u8)>>| async { "a page" };
    Router::new()
        .route("/numbers/{n}", get(number))
        .route("/page", get(page))
        .route("/json", post(|Json(_): Json<u32>| async {}))
        .route("/small", post(|_: String| async {}))
        .route(
            "/own",
            get(|| async { (StatusCode::CONFLICT, Json(json!({"mine": 1}))) }),
        )
        .route(
            "/html",
            get(|| async { (StatusCode::GONE, Html("<p>gone")) }),
        )
        .route("/fine", get(|| async { "fine" }))
        .route(
            "/login",
            get(|| async {
                (
                    StatusCode::UNAUTHORIZED,
                    [(WWW_AUTHENTICATE, "Basic")],
                    "who?",
                )
            }),
        )
        .route(
            "/later",
            get(|| async { (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "7")]) }),
        )
        .route(
            "/long",
            get(|| async { (StatusCode::BAD_REQUEST, "x".repeat(65_537)) }),
        )
        .route(
            "/kept",
            get(|| async {
                let mut kept = (StatusCode::BAD_REQUEST, "kept").into_response();
                kept.extensions_mut().insert(Untouched);
                kept
            }),
        )
        .route(
            "/files/{*path}",
            get(|| async { (StatusCode::NOT_FOUND, "no file") }),
        )
        .layer(DefaultBodyLimit::max(8))
        .layer(ProblemLayer::new().except("/files/"))
}

/// Requests as they stand in the first line, with headers behind it.
async fn ask(line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let (method, path) = line.split_once(' ').expect("a method and a path");
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(body.to_owned()).expect("a request");
    // The router's own fallback is inside the layer too, as `bridge::observe` has it.
    let app = tower_layer::Layer::layer(&ProblemLayer::new().except("/files/"), app());
    let (head, body) = app.oneshot(request).await.expect("an answer").into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    let text = String::from_utf8(body.into()).expect("text");
    (head.status, head.headers, text)
}

fn problem((status, headers, text): &Answer) -> Value {
    assert_eq!(headers[CONTENT_TYPE], PROBLEM_JSON, "{status} {text}");
    let problem: Value = serde_json::from_str(text).expect("JSON");
    assert_eq!(problem["status"], status.as_u16());
    assert_eq!(problem["type"], "about:blank");
    assert_eq!(
        Some(problem["title"].as_str().expect("a title")),
        status.canonical_reason()
    );
    problem
}

#[tokio::test]
async fn rejections_of_extractors_become_problems_that_say_the_same() {
    let json = [("content-type", "application/json")];
    for (line, headers, body, status, says) in [
        (
            "GET /numbers/x",
            &[][..],
            "",
            400,
            "Invalid URL: Cannot parse `x`",
        ),
        (
            "GET /page?a=b",
            &[],
            "",
            400,
            "Failed to deserialize query string",
        ),
        (
            "POST /json",
            &json,
            "nonsense",
            400,
            "Failed to parse the request body as JSON",
        ),
        (
            "POST /json",
            &json,
            "\"x\"",
            422,
            "Failed to deserialize the JSON body",
        ),
        (
            "POST /json",
            &[],
            "1",
            415,
            "Expected request with `Content-Type: application/json`",
        ),
        (
            "POST /small",
            &[],
            "far too long",
            413,
            "length limit exceeded",
        ),
    ] {
        let answer = ask(line, headers, body).await;
        assert_eq!(answer.0, status, "{line}");
        let problem = problem(&answer);
        let detail = problem["detail"].as_str().expect("a detail");
        assert!(detail.contains(says), "{line}: {detail}");
        assert!(problem.get("trace").is_none(), "{line}: outside of a call");
    }
}

#[tokio::test]
async fn answers_without_a_word_become_problems() {
    let missing = ask("GET /nowhere", &[], "").await;
    assert_eq!(missing.0, StatusCode::NOT_FOUND);
    assert_eq!(problem(&missing).get("detail"), None);
    let refused = ask("DELETE /fine", &[], "").await;
    assert_eq!(refused.0, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(refused.1[ALLOW], "GET,HEAD");
    problem(&refused);
}

#[tokio::test]
async fn headers_that_say_more_stay() {
    let login = ask("GET /login", &[], "").await;
    assert_eq!(login.1[WWW_AUTHENTICATE], "Basic");
    assert_eq!(problem(&login)["detail"], "who?");
    let later = ask("GET /later", &[], "").await;
    assert_eq!(later.1[RETRY_AFTER], "7");
    problem(&later);
    let length = later
        .1
        .get(CONTENT_LENGTH)
        .map(|it| it.to_str().expect("a number"));
    assert!(length.is_none_or(|it| it == later.2.len().to_string()));
}

#[tokio::test]
async fn what_a_handler_says_in_a_form_of_its_own_stays() {
    for (line, media, text) in [
        ("GET /own", "application/json", r#"{"mine":1}"#),
        ("GET /html", "text/html; charset=utf-8", "<p>gone"),
        ("GET /fine", "text/plain; charset=utf-8", "fine"),
        ("GET /kept", "text/plain; charset=utf-8", "kept"),
        ("GET /files/a/b", "text/plain; charset=utf-8", "no file"),
        ("GET /long", "text/plain; charset=utf-8", "x"),
    ] {
        let (_, headers, answered) = ask(line, &[], "").await;
        assert_eq!(headers[CONTENT_TYPE], media, "{line}");
        assert!(answered.starts_with(text), "{line}: {answered}");
    }
    assert_eq!(ask("GET /long", &[], "").await.2.len(), 65_537);
}

#[tokio::test]
async fn a_path_that_only_starts_like_an_exception_is_none() {
    problem(&ask("GET /filesystem", &[], "").await);
    assert_eq!(ask("GET /files", &[], "").await.2, "");
}

#[tokio::test]
async fn a_client_that_wants_no_json_gets_none() {
    for accept in [
        "text/plain",
        "text/html, text/*;q=0.5",
        "*/*;q=0",
        "application/json;q=0.0",
    ] {
        let answer = ask("GET /numbers/x", &[(ACCEPT.as_str(), accept)], "").await;
        assert_eq!(
            answer.1[CONTENT_TYPE], "text/plain; charset=utf-8",
            "{accept}"
        );
    }
    for accept in [
        "",
        "*/*",
        "text/html, */*;q=0.1",
        "Application/JSON",
        "application/*;v=1",
    ] {
        problem(&ask("GET /numbers/x", &[(ACCEPT.as_str(), accept)], "").await);
    }
}

#[tokio::test]
async fn a_head_is_answered_with_the_head_of_the_problem() {
    for line in ["HEAD /numbers/x", "HEAD /nowhere"] {
        let (_, headers, text) = ask(line, &[], "").await;
        assert_eq!(headers[CONTENT_TYPE], PROBLEM_JSON, "{line}");
        assert_eq!(text, "");
        assert!(
            headers.get(CONTENT_LENGTH).is_none(),
            "{line}: not the text's"
        );
    }
}

#[tokio::test]
async fn a_problem_names_the_trace_it_belongs_to() {
    let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let trace = TraceContext::from_traceparent(text).expect("valid");
    let asked = scope(CallContext::new(trace), ask("GET /numbers/x", &[], ""));
    assert_eq!(
        problem(&asked.await)["trace"],
        "0af7651916cd43dd8448eb211c80319c"
    );
}

#[test]
fn a_problem_of_the_catalogue_has_its_code_and_status() {
    for code in ErrorCode::ALL {
        let problem = Problem::of(*code).detail("x");
        assert_eq!(problem.member("code"), Some(&json!(code.as_str())));
        assert_eq!(problem.status().as_u16(), code.http_status());
    }
}

#[test]
fn members_of_ones_own_are_kept_and_the_status_stays() {
    let problem = Problem::new(StatusCode::FORBIDDEN)
        .kind("https://example.com/credit", "Not enough credit")
        .instance("/accounts/12/msgs/abc")
        .with("balance", 30)
        .with("status", 200);
    let read: Value = serde_json::from_str(&problem.to_json()).expect("JSON");
    assert_eq!(
        read,
        json!({
            "type": "https://example.com/credit",
            "title": "Not enough credit",
            "status": 403,
            "instance": "/accounts/12/msgs/abc",
            "balance": 30
        })
    );
    let response: http::Response<Vec<u8>> = problem.into_response();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(response.headers()[CONTENT_TYPE], PROBLEM_JSON);
}

#[tokio::test]
async fn a_grpc_client_hears_of_a_problem_in_trailers() {
    let mut headers = HeaderMap::new();
    headers.insert(
        CONTENT_TYPE,
        "application/grpc+proto".parse().expect("a value"),
    );
    let asked = Asked::with(&headers);
    let response: http::Response<ProblemBody<String>> =
        asked.answer(ErrorCode::Timeout, "100% late");
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["grpc-status"], "4");
    assert_eq!(response.headers()["grpc-message"], "100%25 late");
    assert_eq!(Asked::with(&HeaderMap::new()), Asked::Http);
}
