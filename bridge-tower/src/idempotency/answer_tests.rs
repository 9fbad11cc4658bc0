//! Answers by what they are: which are kept, and that the others go out as they came.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use contract::clock::{Clock, Timestamp};
use contract::headers::TraceContext;
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt as _, Full, StreamBody};
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tower::{ServiceExt as _, service_fn};

use super::tests::{PARENT, Sent, order};
use super::*;
use crate::context::{CallContext, Deadline, scope};

type Piece = Result<Frame<Bytes>, &'static str>;
/// Makes the pieces of an answer.
type Made = fn() -> Vec<Piece>;
type Pieces = StreamBody<UnboundedReceiverStream<Piece>>;

fn data(text: &'static str) -> Piece {
    Ok(Frame::data(Bytes::from_static(text.as_bytes())))
}

fn trailers() -> Piece {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", HeaderValue::from_static("7"));
    Ok(Frame::trailers(trailers))
}

/// A body of what is sent to it; it announces no length.
fn pieces() -> (mpsc::UnboundedSender<Piece>, Pieces) {
    let (send, receive) = mpsc::unbounded_channel();
    (send, StreamBody::new(UnboundedReceiverStream::new(receive)))
}

/// A service whose answers have these pieces, all there at once, and how often it was called.
fn serving(
    kind: &'static str,
    pieces_of: Made,
) -> (
    impl Service<Sent, Response = Response<ProblemBody<Pieces>>, Error = Infallible> + Clone,
    Arc<AtomicUsize>,
) {
    let calls = Arc::<AtomicUsize>::default();
    let counted = calls.clone();
    let layer = IdempotencyLayer::new(Memory::new()).key(KeyHeader::standard());
    let service = layer.layer(service_fn(move |_: Sent| {
        counted.fetch_add(1, Ordering::SeqCst);
        let (send, body) = pieces();
        for piece in pieces_of() {
            send.send(piece).expect("it is there");
        }
        let answer = Response::builder().header("content-type", kind).body(body);
        std::future::ready(Ok::<_, Infallible>(answer.expect("an answer")))
    }));
    (service, calls)
}

/// Status, whether it is told to be a replay and not to be kept, text, and whether it has trailers.
async fn answer(
    service: &(impl Service<Sent, Response = Response<ProblemBody<Pieces>>, Error = Infallible> + Clone),
) -> (u16, bool, bool, String, bool) {
    let response = service.clone().oneshot(order("k", "tea")).await;
    let (head, body) = response.expect("an answer").into_parts();
    let is = |name: &str, value: &str| head.headers.get(name).is_some_and(|it| it == value);
    let body = body.collect().await.expect("it ends");
    let has_trailers = body.trailers().is_some();
    let text = String::from_utf8(body.to_bytes().into()).expect("text");
    let is_replay = is("idempotency-replayed", "true");
    let is_lost = is("idempotency-stored", "false");
    (head.status.as_u16(), is_replay, is_lost, text, has_trailers)
}

#[tokio::test]
async fn a_body_that_is_there_at_once_is_kept_though_it_announces_no_length() {
    let (service, calls) = serving("text/plain", || vec![data("o"), data(""), data("ne")]);
    let expected = |is_replay| (200, is_replay, false, "one".to_owned(), false);
    assert_eq!(answer(&service).await, expected(false));
    assert_eq!(answer(&service).await, expected(true));
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_streams_goes_out_whole_and_its_repeats_learn_that_the_work_was_done() {
    let large = || {
        let piece = Bytes::from(vec![b'x'; RESPONSE_BYTES_MAX]);
        vec![data("x"), Ok(Frame::data(piece)), data("x")]
    };
    let many = || (0..5_000).map(|_| data("")).chain([data("x")]).collect();
    let cases: [(_, Made, _, _); 4] = [
        ("text/plain", large, RESPONSE_BYTES_MAX + 2, false),
        ("text/plain", many, 1, false),
        ("text/plain", || vec![data("x"), trailers()], 1, true),
        (
            "Text/Event-Stream; charset=utf-8",
            || vec![data("x")],
            1,
            false,
        ),
    ];
    for (nth, (kind, pieces, length, trailing)) in cases.into_iter().enumerate() {
        let (service, calls) = serving(kind, pieces);
        let (status, is_replay, is_lost, text, has_trailers) = answer(&service).await;
        assert_eq!((status, is_replay, is_lost), (200, false, true), "{nth}");
        assert_eq!((text.len(), has_trailers), (length, trailing), "{nth}");
        let (status, is_replay, is_lost, text, _) = answer(&service).await;
        assert_eq!((status, is_replay, is_lost), (409, false, false), "{nth}");
        assert!(text.contains("was done"), "{nth}: {text}");
        assert_eq!(calls.load(Ordering::SeqCst), 1, "{nth}");
    }
}

#[tokio::test]
async fn nobody_waits_for_a_body_that_is_not_there_yet_and_nothing_of_it_is_lost() {
    let (send, body) = pieces();
    let body = Arc::new(parking_lot::Mutex::new(Some(body)));
    let layer = IdempotencyLayer::new(Memory::new()).key(KeyHeader::standard());
    let service = layer.layer(service_fn(move |_: Sent| {
        let body = body.lock().take().expect("asked once");
        std::future::ready(Ok::<_, Infallible>(Response::new(body)))
    }));
    send.send(data("one")).expect("it is there");
    let response = service.oneshot(order("k", "tea")).await.expect("an answer");
    assert_eq!(response.headers()["idempotency-stored"], "false");
    let mut body = Box::pin(response.into_body());
    assert!(!body.is_end_stream());
    assert_eq!(
        (body.size_hint().lower(), body.size_hint().upper()),
        (3, None)
    );
    let mut next = async || {
        let frame = body.frame().await?.expect("no error");
        frame.into_data().ok()
    };
    assert_eq!(next().await.as_deref(), Some(&b"one"[..]));
    send.send(data("two")).expect("it is there");
    assert_eq!(next().await.as_deref(), Some(&b"two"[..]));
    drop(send);
    assert_eq!(next().await, None);
}

#[tokio::test]
async fn a_body_that_breaks_off_at_once_is_no_answer_and_the_work_is_not_done_again() {
    let (service, calls) = serving("text/plain", || vec![data("one"), Err("the disk is gone")]);
    assert_eq!(answer(&service).await.0, 500);
    assert_eq!(answer(&service).await.0, 409);
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

/// Statuses of a request whose handler ends after its deadline, and of its repeat without one.
async fn late(status: u16) -> ([u16; 2], usize) {
    let (clock, hand) = Clock::manual(Timestamp::EPOCH);
    let runner = Runner::new(Memory::new().clock(&clock)).clock(&clock);
    let layer = IdempotencyLayer::over(&runner).key(KeyHeader::standard());
    let calls = Arc::<AtomicUsize>::default();
    let counted = calls.clone();
    let service = layer.layer(service_fn(move |_: Sent| {
        counted.fetch_add(1, Ordering::SeqCst);
        hand.advance(Duration::from_secs(2));
        let problem = Response::builder().status(status);
        let problem = problem.header("content-type", "application/problem+json");
        let answer = problem.body(Full::<Bytes>::from("{}")).expect("an answer");
        std::future::ready(Ok::<_, Infallible>(answer))
    }));
    let trace = TraceContext::from_traceparent(PARENT).expect("valid");
    let deadline = Deadline::after(&clock, Duration::from_secs(1));
    let context = CallContext::new(trace).deadline(Some(deadline));
    let first = scope(context, service.clone().oneshot(order("k", "tea")));
    let first = first.await.expect("an answer").status();
    let again = service.oneshot(order("k", "tea")).await;
    let again = again.expect("an answer").status();
    let statuses = [first, again].map(|it: StatusCode| it.as_u16());
    (statuses, calls.load(Ordering::SeqCst))
}

#[tokio::test]
async fn a_handler_that_failed_after_its_deadline_says_nothing_about_the_work() {
    assert_eq!(late(422).await, ([422, 422], 2));
    assert_eq!(late(409).await, ([409, 409], 2));
    assert_eq!(late(201).await, ([201, 201], 1), "it did succeed");
}
