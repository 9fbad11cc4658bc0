//! A small HTTP/1.1 client: one connection for each request, everything bounded.
//!
//! It refuses answers of more than [`BODY_BYTES_MAX`] and waits [`ANSWER_MAX`] at most.

use std::time::Duration;

use bridge::embedded::Clock;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::{Method, Request, header};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use super::Failure;

/// Longest wait for a whole answer.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// Largest answer, in bytes.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// What a service answered.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: String,
    /// `null` when it is not JSON.
    pub(super) body: Value,
}

/// Gets `path`.
pub(super) async fn get(clock: &Clock, address: &str, path: &str) -> Result<Answer, Failure> {
    let request = request(Method::GET, address, path).body(Full::default())?;
    send(clock, address, request).await
}

/// Posts JSON to `path` as a part of the trace that `traceparent` names.
pub(super) async fn post(
    clock: &Clock,
    address: &str,
    path: &str,
    traceparent: &str,
    body: &Value,
) -> Result<Answer, Failure> {
    let request = request(Method::POST, address, path)
        .header(header::CONTENT_TYPE, "application/json")
        .header("traceparent", traceparent)
        .body(Full::from(body.to_string()))?;
    send(clock, address, request).await
}

fn request(method: Method, address: &str, path: &str) -> hyper::http::request::Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, address)
}

async fn send(
    clock: &Clock,
    address: &str,
    request: Request<Full<Bytes>>,
) -> Result<Answer, Failure> {
    let what = format!("{} http://{address}{}", request.method(), request.uri());
    match clock.timeout(ANSWER_MAX, exchange(address, request)).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(format!("{what} failed: {error}").into()),
        Err(_) => Err(format!("{what} was not answered within {ANSWER_MAX:?}").into()),
    }
}

async fn exchange(address: &str, request: Request<Full<Bytes>>) -> Result<Answer, Failure> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // Ends with the exchange; what breaks it also breaks the answer below.
    let _connection = AbortOnDrop(tokio::spawn(async move {
        let _ = connection.await;
    }));
    let answer = sender.send_request(request).await?;
    let status = answer.status().as_u16();
    let content_type = answer.headers().get(header::CONTENT_TYPE);
    let content_type = content_type.and_then(|it| it.to_str().ok());
    let content_type = content_type.unwrap_or_default().to_owned();
    let body = Limited::new(answer.into_body(), BODY_BYTES_MAX);
    let body = body.collect().await?.to_bytes();
    Ok(Answer {
        status,
        content_type,
        body: serde_json::from_slice(&body).unwrap_or_default(),
    })
}

struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
