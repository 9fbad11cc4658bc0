//! Panics of handlers and bodies, in services of a test and behind a real server.

use std::convert::Infallible;
use std::io::Write;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::body::Body as AxumBody;
use axum::routing::get;
use contract::headers::{TRACEPARENT, TraceContext};
use futures_core::Stream;
use http::{HeaderValue, StatusCode};
use http_body_util::{BodyExt, Full};
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::{ServiceExt, service_fn};
use tracing::subscriber::DefaultGuard;

use super::*;
use crate::context::{CallContext, scope};

const W3C: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

type Said = (StatusCode, String);

/// Log lines of the current thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn listen() -> (Self, DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let lines = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        (log, tracing::subscriber::set_default(lines))
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().clone()).expect("text")
    }
}

async fn said<S>(service: S, request: Request<()>) -> Said
where
    S: Service<Request<()>, Response = Response<PanicBody<Full<Bytes>>>, Error = Infallible>,
{
    let response = service.oneshot(request).await.expect("an answer");
    let status = response.status();
    let body = response
        .into_body()
        .collect()
        .await
        .expect("a body")
        .to_bytes();
    (status, String::from_utf8(body.into()).expect("text"))
}

#[tokio::test]
async fn a_handler_that_panics_is_answered_for_and_the_text_stays_in_the_log() {
    let (log, _guard) = Log::listen();
    let panics = |_: Request<()>| async {
        tokio::task::yield_now().await;
        panic!("password is {}", "hunter2");
        #[allow(unreachable_code)]
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    };
    let mut request = Request::new(());
    request
        .headers_mut()
        .insert(TRACEPARENT, HeaderValue::from_static(W3C));
    let (status, text) = said(CatchPanicLayer::new().layer(service_fn(panics)), request).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!text.contains("hunter2"), "{text}");
    let problem: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(problem["code"], "INTERNAL");
    assert_eq!(problem["trace"], "0af7651916cd43dd8448eb211c80319c");
    let log = log.text();
    for part in [
        "ERROR",
        "a handler panicked",
        "hunter2",
        "0af7651916cd43dd8448eb211c80319c",
    ] {
        assert!(log.contains(part), "{part}: {log}");
    }
}

#[tokio::test]
async fn a_panic_of_the_call_itself_is_answered_for_too() {
    let (log, _guard) = Log::listen();
    let panics = |_: Request<()>| -> std::future::Ready<Result<Response<Full<Bytes>>, Infallible>> {
        std::panic::panic_any(7_u8)
    };
    let trace = TraceContext::from_traceparent(W3C).expect("valid");
    let service = CatchPanicLayer::new().layer(service_fn(panics));
    let asked = scope(CallContext::new(trace), said(service, Request::new(())));
    let (status, text) = asked.await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(text.contains("0af7651916cd43dd8448eb211c80319c"), "{text}");
    assert!(
        log.text().contains("of a type that has no text"),
        "{}",
        log.text()
    );
}

#[tokio::test]
async fn a_handler_that_does_not_panic_is_left_alone() {
    let (log, _guard) = Log::listen();
    let fine = |_: Request<()>| std::future::ready(Ok(Response::new(Full::from("fine"))));
    let answer = said(
        CatchPanicLayer::new().layer(service_fn(fine)),
        Request::new(()),
    )
    .await;
    assert_eq!(answer, (StatusCode::OK, "fine".to_owned()));
    assert_eq!(log.text(), "");
}

/// Panics when it is polled, and once more when it is dropped.
struct Bomb;

impl Stream for Bomb {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        panic!("tick");
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("boom");
    }
}

#[tokio::test]
async fn a_body_that_panics_breaks_off_even_when_dropping_it_panics_again() {
    let (log, _guard) = Log::listen();
    let body = http_body_util::StreamBody::new(FramesOf(Bomb));
    let mut body = Box::pin(PanicBody::new(
        crate::problem::ProblemBody::inner(body),
        Some(Origin::of(&HeaderMap::new())),
    ));
    let Some(Err(error)) = body.frame().await else {
        panic!("it breaks off");
    };
    assert!(error.is::<BodyPanicked>());
    assert!(body.frame().await.is_none() && body.is_end_stream());
    assert!(
        log.text().contains("a response body panicked"),
        "{}",
        log.text()
    );
}

/// Frames of a stream of bytes.
struct FramesOf(Bomb);

impl Stream for FramesOf {
    type Item = Result<http_body::Frame<Bytes>, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.0)
            .poll_next(cx)
            .map(|next| next.map(|it| it.map(http_body::Frame::data)))
    }
}

#[tokio::test]
async fn the_connection_serves_the_next_request_after_a_panic() {
    let app = Router::new()
        .route("/panic", get(|| async { panic!("on purpose") as AxumBody }))
        .route("/fine", get(|| async { "fine" }))
        .layer(CatchPanicLayer::new());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = tokio::spawn(axum::serve(listener, app).into_future());
    let mut client = TcpStream::connect(address).await.expect("a connection");
    let two = b"GET /panic HTTP/1.1\r\nhost: x\r\n\r\nGET /fine HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    client.write_all(two).await.expect("sent");
    let mut text = String::new();
    client.read_to_string(&mut text).await.expect("two answers");
    assert!(text.starts_with("HTTP/1.1 500 "), "{text}");
    assert!(
        text.contains("HTTP/1.1 200 OK") && text.ends_with("fine"),
        "{text}"
    );
    server.abort();
}
