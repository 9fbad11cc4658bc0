//! Deadlines around services of a test, with time moved by hand.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Waker;

use contract::clock::{ManualClock, Timestamp};
use contract::headers::{GRPC_TIMEOUT, TRACEPARENT, TraceContext};
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt, Full, StreamBody};
use tower::{ServiceExt, service_fn};

use super::*;
use crate::context::{CallContext, scope};

const W3C: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

type Answer = Response<DeadlineBody<Full<Bytes>>>;

fn manual() -> (DeadlineLayer, ManualClock) {
    let (clock, hand) = Clock::manual(Timestamp::EPOCH);
    (DeadlineLayer::new().clock(&clock), hand)
}

fn request(headers: &[(&'static str, &str)]) -> Request<()> {
    let mut request = Request::new(());
    for (name, value) in headers {
        let value = value.parse().expect("a value");
        request.headers_mut().append(*name, value);
    }
    request
}

/// The time that the handler of a request with these headers is told it has.
async fn time_of(layer: &DeadlineLayer, headers: &[(&'static str, &str)]) -> Option<Duration> {
    let service = layer.layer(service_fn(async |_: Request<()>| {
        let left = context::deadline().map(|it| it.remaining());
        let text = left.map_or(String::new(), |it| it.as_millis().to_string());
        Ok::<_, Infallible>(Response::new(Full::from(text)))
    }));
    let response = service.oneshot(request(headers)).await.expect("an answer");
    assert_eq!(response.status(), StatusCode::OK);
    let text = response
        .into_body()
        .collect()
        .await
        .expect("a body")
        .to_bytes();
    let text = std::str::from_utf8(&text).expect("text");
    (!text.is_empty()).then(|| Duration::from_millis(text.parse().expect("a number")))
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

use std::pin::{Pin, pin};

async fn problem(answer: Result<Answer, Infallible>) -> (StatusCode, serde_json::Value) {
    let response = answer.expect("an answer");
    let status = response.status();
    let body = response
        .into_body()
        .collect()
        .await
        .expect("a body")
        .to_bytes();
    (status, serde_json::from_slice(&body).expect("JSON"))
}

#[tokio::test]
async fn the_sooner_of_two_headers_counts_within_its_bounds() {
    let (layer, _hand) = manual();
    let layer = layer
        .min(Duration::from_millis(100))
        .max(Duration::from_secs(60))
        .default_to(Duration::from_secs(10));
    let millis = |millis| Some(Duration::from_millis(millis));
    for (headers, expected) in [
        (&[][..], millis(10_000)),
        (&[(GRPC_TIMEOUT, "1500m")], millis(1_500)),
        (&[(ENVOY_TIMEOUT_MS, "1500")], millis(1_500)),
        (
            &[(GRPC_TIMEOUT, "2S"), (ENVOY_TIMEOUT_MS, "1500")],
            millis(1_500),
        ),
        (
            &[(GRPC_TIMEOUT, "1S"), (ENVOY_TIMEOUT_MS, "1500")],
            millis(1_000),
        ),
        (&[(GRPC_TIMEOUT, "1m")], millis(100)),
        (&[(GRPC_TIMEOUT, "99999999H")], millis(60_000)),
        (&[(GRPC_TIMEOUT, "soon")], millis(10_000)),
        (&[(ENVOY_TIMEOUT_MS, "-5")], millis(10_000)),
        (&[(ENVOY_TIMEOUT_MS, "+5")], millis(10_000)),
        (&[(ENVOY_TIMEOUT_MS, "")], millis(10_000)),
        (&[(ENVOY_TIMEOUT_MS, "0")], millis(10_000)),
        (
            &[(ENVOY_TIMEOUT_MS, "99999999999999999999")],
            millis(10_000),
        ),
    ] {
        assert_eq!(time_of(&layer, headers).await, expected, "{headers:?}");
    }
}

#[tokio::test]
async fn without_a_word_there_is_no_deadline() {
    let (layer, _hand) = manual();
    assert_eq!(time_of(&layer, &[]).await, None);
    let longest = time_of(&layer, &[(GRPC_TIMEOUT, "99999999M")]).await;
    assert_eq!(longest, Some(Duration::from_secs(99_999_999 * 60)));
}

#[tokio::test]
async fn work_whose_time_is_up_is_refused_before_it_starts() {
    let (layer, _hand) = manual();
    let runs = Arc::new(AtomicUsize::new(0));
    let service = layer.min(Duration::from_secs(1)).layer(service_fn({
        let runs = runs.clone();
        move |_: Request<()>| {
            runs.fetch_add(1, Ordering::Relaxed);
            std::future::ready(Ok(Response::new(Full::from("ran"))))
        }
    }));
    let answer = service.oneshot(request(&[(GRPC_TIMEOUT, "0m")])).await;
    let (status, said) = problem(answer).await;
    assert_eq!(status, StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(said["code"], "TIMEOUT");
    assert!(
        said["detail"]
            .as_str()
            .is_some_and(|it| it.contains("nothing was done"))
    );
    assert_eq!(runs.load(Ordering::Relaxed), 0);
}

/// Says when it is dropped.
struct Guard(Arc<AtomicUsize>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn at_the_deadline_the_handler_is_dropped_and_504_is_the_answer() {
    let (layer, hand) = manual();
    let dropped = Arc::new(AtomicUsize::new(0));
    let guard = dropped.clone();
    let service = layer.layer(service_fn(move |_: Request<()>| {
        let guard = Guard(guard.clone());
        async move {
            let _guard = guard;
            std::future::pending::<Result<Response<Full<Bytes>>, Infallible>>().await
        }
    }));
    let trace = TraceContext::from_traceparent(W3C).expect("valid");
    let answer = service.oneshot(request(&[(GRPC_TIMEOUT, "5S")]));
    let mut answer = pin!(scope(CallContext::new(trace), answer));
    assert!(poll(answer.as_mut()).is_pending());
    hand.advance(Duration::from_millis(4_999));
    assert!(poll(answer.as_mut()).is_pending());
    assert_eq!(dropped.load(Ordering::Relaxed), 0);
    hand.advance(Duration::from_millis(1));
    let answer = answer.await;
    assert_eq!(dropped.load(Ordering::Relaxed), 1);
    let (status, said) = problem(answer).await;
    assert_eq!(status, StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(said["trace"], "0af7651916cd43dd8448eb211c80319c");
}

#[tokio::test]
async fn a_grpc_caller_hears_of_it_as_deadline_exceeded() {
    let (layer, _hand) = manual();
    let service = layer.layer(service_fn(|_: Request<()>| {
        std::future::ready(Ok::<_, Infallible>(Response::new(Full::from("ran"))))
    }));
    let grpc = [("content-type", "application/grpc"), (GRPC_TIMEOUT, "0n")];
    let answer = service.oneshot(request(&grpc)).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["grpc-status"], "4");
}

#[tokio::test]
async fn an_inner_deadline_never_outlives_the_outer_one() {
    let (clock, _hand) = Clock::manual(Timestamp::EPOCH);
    let layer = DeadlineLayer::new().clock(&clock);
    let trace = TraceContext::from_traceparent(W3C).expect("valid");
    let outer =
        CallContext::new(trace).deadline(Some(Deadline::after(&clock, Duration::from_secs(1))));
    let asked = time_of(&layer, &[(GRPC_TIMEOUT, "5S")]);
    assert_eq!(
        scope(outer.clone(), asked).await,
        Some(Duration::from_secs(1))
    );
    let asked = time_of(&layer, &[(GRPC_TIMEOUT, "500m")]);
    assert_eq!(scope(outer, asked).await, Some(Duration::from_millis(500)));
}

#[tokio::test]
async fn the_time_left_travels_even_when_nobody_observes() {
    let (layer, hand) = manual();
    let told = layer.layer(service_fn(move |_: Request<()>| {
        hand.advance(Duration::from_millis(400));
        async {
            let current = context::current().expect("a context");
            let mut headers = HeaderMap::new();
            inject(&mut headers, current.deadline.as_ref().expect("a deadline"));
            let mut response = Response::new(Full::<Bytes>::default());
            headers.insert(
                "trace",
                current.trace.trace.to_string().parse().expect("a value"),
            );
            *response.headers_mut() = headers;
            Ok::<_, Infallible>(response)
        }
    }));
    let sent = request(&[(GRPC_TIMEOUT, "2S"), (TRACEPARENT, W3C)]);
    let headers = told
        .clone()
        .oneshot(sent)
        .await
        .expect("an answer")
        .headers()
        .clone();
    assert_eq!(headers[GRPC_TIMEOUT], "1600m");
    assert_eq!(headers["trace"], "0af76519-16cd-43dd-8448-eb211c80319c");
    let begun = told
        .oneshot(request(&[(GRPC_TIMEOUT, "2S")]))
        .await
        .expect("an answer");
    assert_eq!(begun.headers()[GRPC_TIMEOUT], "1600m");
}

type Chunk = Result<http_body::Frame<Bytes>, Infallible>;

/// An answer whose body sends one chunk and then waits for ever.
async fn streaming(
    layer: DeadlineLayer,
) -> Pin<Box<DeadlineBody<impl Body<Data = Bytes, Error = Infallible>>>> {
    let service = layer.layer(service_fn(async |_: Request<()>| {
        let mut sent = false;
        let chunks =
            std::iter::from_fn(move || (!std::mem::replace(&mut sent, true)).then_some(()));
        let stream = Chunks(chunks.map(|()| Ok(http_body::Frame::data("one".into()))));
        Ok::<_, Infallible>(Response::new(StreamBody::new(stream)))
    }));
    let sent = request(&[(GRPC_TIMEOUT, "1S")]);
    Box::pin(service.oneshot(sent).await.expect("an answer").into_body())
}

/// What an iterator yields, and then nothing for ever.
struct Chunks<I>(I);

impl<I: Iterator<Item = Chunk> + Unpin> futures_core::Stream for Chunks<I> {
    type Item = Chunk;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Chunk>> {
        self.0
            .next()
            .map_or(Poll::Pending, |chunk| Poll::Ready(Some(chunk)))
    }
}

#[tokio::test]
async fn a_stream_may_outlast_a_deadline_that_covers_the_head() {
    let (layer, hand) = manual();
    let mut body = streaming(layer).await;
    assert!(poll(pin!(body.frame())).is_ready());
    hand.advance(Duration::from_secs(60));
    assert!(poll(pin!(body.frame())).is_pending());
}

#[tokio::test]
async fn a_stream_breaks_off_at_a_deadline_that_covers_the_body() {
    let (layer, hand) = manual();
    let mut body = streaming(layer.covers(Covers::Body)).await;
    assert!(poll(pin!(body.frame())).is_ready());
    assert!(poll(pin!(body.frame())).is_pending());
    hand.advance(Duration::from_secs(1));
    let Some(Err(late)) = body.frame().await else {
        panic!("it breaks off");
    };
    assert!(late.is::<super::body::BodyLate>());
}
