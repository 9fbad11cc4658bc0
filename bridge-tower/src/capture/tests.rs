//! What is handed over of requests through services of a test, and through an axum application.

use std::convert::Infallible;
use std::pin::pin;
use std::task::Waker;

use axum::routing::post;
use axum::{Json, Router};
use contract::w3c::TraceFlags;
use http::{HeaderMap, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use parking_lot::Mutex;
use tower::{ServiceExt, service_fn};

use super::*;
use crate::context::{CallContext, scope};

const W3C: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[derive(Default)]
struct Kept(Mutex<Vec<(TraceContext, Direction, Bytes, u64)>>);

impl PayloadSink for Kept {
    fn payload(&self, op: TraceContext, direction: Direction, bytes: Bytes, original_bytes: u64) {
        self.0.lock().push((op, direction, bytes, original_bytes));
    }
}

impl Kept {
    fn all(&self) -> Vec<(Direction, String, u64)> {
        let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
        let all = self.0.lock();
        all.iter().map(|it| (it.1, text(&it.2), it.3)).collect()
    }
}

struct Bench {
    capture: Capture,
    kept: Arc<Kept>,
    layer: CaptureLayer,
}

fn bench(mode: Mode) -> Bench {
    let (capture, kept) = (Capture::new(mode), Arc::<Kept>::default());
    let layer = CaptureLayer::new(&capture, kept.clone());
    Bench {
        capture,
        kept,
        layer,
    }
}

fn call() -> CallContext {
    CallContext::new(TraceContext::from_traceparent(W3C).expect("valid"))
}

/// What a service that reads its input answers.
#[derive(Clone, Copy)]
struct Says(u16, &'static str, &'static [(&'static str, &'static str)]);

impl Bench {
    /// Sends `input` through a service that reads it and answers, and reads the answer.
    async fn send(&self, input: &str, headers: &[(&'static str, &str)], says: Says) -> String {
        let service = self.layer.layer(service_fn(
            move |request: Request<TappedRequest<Full<Bytes>>>| async move {
                request.into_body().collect().await.expect("a body");
                let mut response = Response::new(Full::<Bytes>::from(says.1));
                *response.status_mut() = StatusCode::from_u16(says.0).expect("a status");
                for (name, value) in says.2 {
                    response
                        .headers_mut()
                        .insert(*name, value.parse().expect("a value"));
                }
                Ok::<_, Infallible>(response)
            },
        ));
        let mut request = Request::new(Full::from(input.to_owned()));
        for (name, value) in headers {
            request
                .headers_mut()
                .insert(*name, value.parse().expect("a value"));
        }
        let response = scope(call(), service.oneshot(request))
            .await
            .expect("an answer");
        let body = response
            .into_body()
            .collect()
            .await
            .expect("a body")
            .to_bytes();
        String::from_utf8(body.into()).expect("text")
    }
}

const FINE: Says = Says(200, "[1]", &[]);

#[tokio::test]
async fn each_mode_keeps_what_it_says() {
    let bench = bench(Mode::None);
    let both = |output: &str| {
        let output_bytes = output.len() as u64;
        vec![
            (Direction::Input, "[0]".to_owned(), 3),
            (Direction::Output, output.to_owned(), output_bytes),
        ]
    };
    for (mode, says, expected) in [
        (Mode::None, FINE, vec![]),
        (Mode::None, Says(500, "no", &[]), vec![]),
        (Mode::Errors, FINE, vec![]),
        (Mode::Errors, Says(399, "no", &[]), vec![]),
        (Mode::Errors, Says(400, "no", &[]), both("no")),
        (Mode::All, FINE, both("[1]")),
        (Mode::All, Says(500, "no", &[]), both("no")),
    ] {
        bench.capture.set(mode);
        assert_eq!(bench.capture.mode(), mode);
        assert_eq!(bench.send("[0]", &[], says).await, says.1);
        assert_eq!(bench.kept.all(), expected, "{mode:?} {}", says.0);
        bench.kept.0.lock().clear();
    }
}

#[tokio::test]
async fn what_is_kept_belongs_to_the_operation_of_the_request() {
    let bench = bench(Mode::All);
    bench.send("[0]", &[], FINE).await;
    let ops: Vec<_> = bench.kept.0.lock().iter().map(|it| it.0).collect();
    assert_eq!(ops, [call().trace; 2]);
}

#[tokio::test]
async fn without_a_recorded_operation_nothing_is_kept() {
    let bench = bench(Mode::All);
    let service = bench.layer.layer(service_fn(
        async |_: Request<TappedRequest<Full<Bytes>>>| {
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("[1]")))
        },
    ));
    let ask = || service.clone().oneshot(Request::new(Full::from("[0]")));
    let alone = ask().await.expect("an answer");
    alone.into_body().collect().await.expect("a body");
    let mut left_out = call();
    left_out.flags = TraceFlags::NONE;
    let left_out = scope(left_out, ask()).await.expect("an answer");
    left_out.into_body().collect().await.expect("a body");
    assert_eq!(bench.kept.all(), []);
}

#[tokio::test]
async fn bodies_that_say_nothing_are_left_out() {
    let bench = bench(Mode::All);
    for nothing in ["", " \r\n", "{}", "null", " { } ", "\tnull\n"] {
        bench.send(nothing, &[], Says(200, "", &[])).await;
        assert_eq!(bench.kept.all(), [], "{nothing:?}");
    }
    for something in ["[]", "0", "\"\"", "{\"a\":1}", "nullx"] {
        bench.send(something, &[], Says(200, "null", &[])).await;
        let kept = bench.kept.0.lock().pop().expect("the input");
        assert_eq!(
            (kept.1, kept.2.as_ref()),
            (Direction::Input, something.as_bytes())
        );
    }
}

#[tokio::test]
async fn what_is_over_the_cap_is_cut_and_counted_and_still_passes() {
    let bench = bench(Mode::All);
    assert_eq!(bench.capture.bytes_max(), CAPTURE_BYTES_MAX);
    let long = "x".repeat(CAPTURE_BYTES_MAX + 1);
    assert_eq!(bench.send(&long, &[], FINE).await, "[1]");
    let kept = bench.kept.0.lock().remove(0);
    assert_eq!(
        (kept.2.len(), kept.3),
        (CAPTURE_BYTES_MAX, CAPTURE_BYTES_MAX as u64 + 1)
    );
    bench.kept.0.lock().clear();
    bench.capture.set_bytes_max(4);
    bench.send("123456", &[], FINE).await;
    assert_eq!(
        bench.kept.all()[0],
        (Direction::Input, "1234".to_owned(), 6)
    );
    bench.kept.0.lock().clear();
    bench.capture.set_bytes_max(13);
    bench.send("{\"pin\":1}", &[], FINE).await;
    assert_eq!(
        bench.kept.all()[0],
        (Direction::Input, "{\"pin\":\"[reda".to_owned(), 9)
    );
}

#[tokio::test]
async fn secrets_are_taken_out_of_both_directions() {
    let mut bench = bench(Mode::All);
    bench.layer = bench.layer.redact("iban_");
    let says = Says(
        200,
        r#"{"token":"t-1","ok":true}"#,
        &[("content-type", "application/json")],
    );
    let answered = bench
        .send(r#"{"password":"p-1","my-IBAN":"i-1"}"#, &[], says)
        .await;
    assert_eq!(answered, says.1, "the client gets what was said");
    let form = [(
        "content-type",
        "application/x-www-form-urlencoded; charset=utf-8",
    )];
    bench
        .send("user=u&password=p-2", &form, Says(200, "", &[]))
        .await;
    let kept: Vec<_> = bench.kept.all().into_iter().map(|it| it.1).collect();
    assert_eq!(
        kept,
        [
            r#"{"password":"[redacted]","my-IBAN":"[redacted]"}"#,
            r#"{"token":"[redacted]","ok":true}"#,
            "user=u&password=[redacted]"
        ]
    );
}

#[tokio::test]
async fn what_cannot_be_searched_is_not_kept() {
    let bench = bench(Mode::All);
    for headers in [
        [("content-encoding", "gzip")],
        [("content-type", "Multipart/form-data; boundary=x")],
    ] {
        bench.send("password", &headers, Says(200, "", &[])).await;
        assert_eq!(bench.kept.all(), [], "{headers:?}");
    }
    bench
        .send(
            "[0]",
            &[("content-encoding", "identity")],
            Says(200, "", &[]),
        )
        .await;
    assert_eq!(bench.kept.all().len(), 1);
}

#[tokio::test]
async fn a_request_that_is_given_up_has_failed() {
    let bench = bench(Mode::Errors);
    let service = bench.layer.layer(service_fn(
        |request: Request<TappedRequest<Full<Bytes>>>| async {
            request.into_body().collect().await.expect("a body");
            std::future::pending::<Result<Response<Full<Bytes>>, Infallible>>().await
        },
    ));
    let mut asked = Box::pin(scope(
        call(),
        service.oneshot(Request::new(Full::from("[0]"))),
    ));
    let polled = asked.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending());
    drop(asked);
    assert_eq!(bench.kept.all(), [(Direction::Input, "[0]".to_owned(), 3)]);
}

#[tokio::test]
async fn an_answer_that_breaks_or_is_not_read_has_failed() {
    for reads in [true, false] {
        let bench = bench(Mode::Errors);
        let service = bench.layer.layer(service_fn(
            async |_: Request<TappedRequest<Full<Bytes>>>| {
                let frames = [Ok(Frame::data(Bytes::from("[1,"))), Err("broken")];
                let frames = Frames(frames.into_iter());
                Ok::<_, Infallible>(Response::new(StreamBody::new(frames)))
            },
        ));
        let asked = scope(call(), service.oneshot(Request::new(Full::from("[0]"))));
        let mut body = Box::pin(asked.await.expect("an answer").into_body());
        assert!(body.frame().await.is_some_and(|it| it.is_ok()));
        assert_eq!(bench.kept.all(), []);
        if reads {
            assert!(body.frame().await.is_some_and(|it| it.is_err()));
        }
        drop(body);
        assert_eq!(bench.kept.all(), [(Direction::Output, "[1,".to_owned(), 3)]);
    }
}

struct Frames<I>(I);

impl<I: Iterator + Unpin> futures_core::Stream for Frames<I> {
    type Item = I::Item;

    fn poll_next(mut self: std::pin::Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<I::Item>> {
        Poll::Ready(self.0.next())
    }
}

#[tokio::test]
async fn bytes_pass_as_they_come_and_none_waits_for_the_next() {
    let bench = bench(Mode::All);
    let service = bench.layer.layer(service_fn(
        async |_: Request<TappedRequest<Full<Bytes>>>| {
            let first = std::iter::once(Ok::<_, Infallible>(Frame::data(Bytes::from("1"))));
            Ok::<_, Infallible>(Response::new(StreamBody::new(ThenPending(first))))
        },
    ));
    let asked = scope(call(), service.oneshot(Request::new(Full::from("[0]"))));
    let mut body = Box::pin(asked.await.expect("an answer").into_body());
    let first = body.frame().await.expect("a frame").expect("data");
    assert_eq!(first.into_data().expect("data"), "1");
    let next = pin!(body.frame()).poll(&mut Context::from_waker(Waker::noop()));
    assert!(next.is_pending());
}

struct ThenPending<I>(I);

impl<I: Iterator + Unpin> futures_core::Stream for ThenPending<I> {
    type Item = I::Item;

    fn poll_next(mut self: std::pin::Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<I::Item>> {
        self.0
            .next()
            .map_or(Poll::Pending, |it| Poll::Ready(Some(it)))
    }
}

#[tokio::test]
async fn an_axum_application_is_read_along_and_a_head_ends_with_its_head() {
    let bench = bench(Mode::All);
    let app = Router::new()
        .route(
            "/double",
            post(|Json(n): Json<u32>| async move { Json(n * 2) }).get(|| async { "x" }),
        )
        .layer(bench.layer.clone());
    let request = Request::post("/double").header("content-type", "application/json");
    let request = request
        .body(axum::body::Body::from("21"))
        .expect("a request");
    let response = scope(call(), app.clone().oneshot(request))
        .await
        .expect("an answer");
    let body = response
        .into_body()
        .collect()
        .await
        .expect("a body")
        .to_bytes();
    assert_eq!(body, "42");
    let expected = [
        (Direction::Input, "21".to_owned(), 2),
        (Direction::Output, "42".to_owned(), 2),
    ];
    assert_eq!(bench.kept.all(), expected);
    bench.kept.0.lock().clear();
    bench.capture.set(Mode::Errors);
    let head = Request::head("/double")
        .body(axum::body::Body::empty())
        .expect("a request");
    drop(scope(call(), app.oneshot(head)).await.expect("an answer"));
    assert_eq!(bench.kept.all(), []);
}

#[test]
fn a_header_alone_decides_how_a_body_is_read() {
    let mut tap = tap::Tap::new(&HeaderMap::new(), 8);
    tap.pass(b"{\"a\":");
    tap.pass(b"1}   tail");
    assert_eq!(
        tap.take(&Secrets::default()),
        Some((Bytes::from("{\"a\":1} "), 14))
    );
}
