//! Streaming calls between bridges over real sockets.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context as TaskContext, Poll};

use contract::clock::Clock;
use contract::grpc::v1::{CaptureMode, Status as OpStatus};
use tokio_stream::{Stream, StreamExt as _};

use super::mesh::Mesh;
use super::mesh_tests::{HOUR, until};
use super::*;
use crate::business::BusinessError;
use crate::handler::{MethodMeta, OperationDef};
use crate::operation::Handlers;
use crate::rpc::{Call, Contract, StreamCall, Target};
use crate::{Context, Transport};

static TICKER: &[MethodMeta] = &[meta("Count", true), meta("Ask", false)];

const fn meta(name: &'static str, streaming: bool) -> MethodMeta {
    MethodMeta {
        service: "t.Ticker",
        name,
        contract_hash: "v2:ticker",
        input_schema: "{}",
        output_schema: "{}",
        streaming,
    }
}

struct Ticker;

impl Contract for Ticker {
    const NAME: &'static str = "t.Ticker";
    const DEFAULT_TARGET: &'static str = "ticker";
    const METHODS: &'static [MethodMeta] = TICKER;
    type Client = TickerClient;
}

#[derive(Clone)]
struct TickerClient(Target);

impl From<Target> for TickerClient {
    fn from(target: Target) -> Self {
        Self(target)
    }
}

impl TickerClient {
    /// Messages of this many bytes, numbered in their first one, and then `end`.
    fn count(&self, end: &str) -> StreamCall<Vec<u8>> {
        self.0.stream(&TICKER[0], end.to_owned())
    }

    fn ask(&self) -> Call<String> {
        self.0.unary(&TICKER[1], "ask".to_owned())
    }
}

#[derive(Debug, PartialEq)]
enum TickerError {
    Worn,
}

impl BusinessError for TickerError {
    fn code(&self) -> &'static str {
        "WORN"
    }

    fn message(&self) -> String {
        "the spring broke".into()
    }

    fn from_wire(code: &str, _: &str) -> Option<Self> {
        (code == "WORN").then_some(Self::Worn)
    }
}

/// What the handlers of one process did.
#[derive(Clone, Default)]
struct Seen {
    produced: Arc<AtomicU64>,
    is_cancelled: Arc<AtomicBool>,
}

struct Counting {
    end: String,
    seen: Seen,
    context: Context,
    next: u8,
}

/// Bytes of one message of a flood.
const FLOOD_BYTES: usize = 64 * 1024;

impl Stream for Counting {
    type Item = Result<Vec<u8>, TickerError>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        self.next = self.next.wrapping_add(1);
        if self.end == "flood" {
            self.seen.produced.fetch_add(1, Ordering::Relaxed);
            return Poll::Ready(Some(Ok(vec![self.next; FLOOD_BYTES])));
        }
        if self.next <= 3 {
            return Poll::Ready(Some(Ok(vec![self.next])));
        }
        match &*self.end {
            "error" => Poll::Ready(Some(Err(TickerError::Worn))),
            "panic" => panic!("secret detail"),
            "hang" => Poll::Pending,
            _ => Poll::Ready(None),
        }
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        if self.context.is_cancelled() {
            self.seen.is_cancelled.store(true, Ordering::Release);
        }
    }
}

fn ticker(seen: &Seen) -> Handlers {
    let seen = seen.clone();
    let count = OperationDef::stream(&TICKER[0], "tests::count", move |_| {
        let seen = seen.clone();
        Ok(move |end: String, context: Context| Counting {
            end,
            seen: seen.clone(),
            context,
            next: 0,
        })
    });
    let ask = OperationDef::unary(&TICKER[1], "tests::ask", |_| {
        Ok(|text: String, _: Context| async move { Ok::<_, TickerError>(text) })
    });
    Handlers::from_operations(vec![count, ask])
}

struct Pair {
    mesh: Mesh,
    seen: Seen,
    callee: Bridge,
    caller: Bridge,
    client: TickerClient,
}

async fn pair() -> Pair {
    let mesh = Mesh::start(HOUR).await;
    let seen = Seen::default();
    let builder = Bridge::builder("ticker").runtime(mesh.address(), mesh.key("ticker"));
    let builder = builder.advertise("127.0.0.1:0").serve(ticker(&seen));
    let callee = builder.start().await.expect("starts");
    let mut builder = Bridge::builder("orders").runtime(mesh.address(), mesh.key("orders"));
    let client = builder.client::<Ticker>();
    let caller = builder.start().await.expect("starts");
    while client.ask().await.is_err() {}
    Pair {
        mesh,
        seen,
        callee,
        caller,
        client,
    }
}

impl Pair {
    /// How the operations of streaming calls ended, in their order, once the caller has stopped.
    async fn ended(&self) -> Vec<(i32, String)> {
        self.caller.stop().await;
        let mut ended: Vec<_> = Vec::new();
        for op in self.mesh.operations() {
            if op.subject == "rpc.call:ticker/Count" && op.status != OpStatus::Pending as i32 {
                assert_eq!(op.attempt, 1);
                ended.push((op.status, op.status_message));
            }
        }
        ended
    }
}

#[tokio::test]
async fn messages_come_in_order_and_leave_one_operation() {
    let pair = pair().await;
    let mut replies = pair.client.count("done").await.expect("begins");
    for nth in 1..=3 {
        assert_eq!(replies.next().await.unwrap().unwrap(), [nth]);
    }
    assert!(replies.next().await.is_none());
    assert!(replies.next().await.is_none(), "the end stays the end");
    let call = pair.client.count("done").transport(Transport::Direct);
    let all: Result<Vec<_>, _> = call.await.expect("begins").collect().await;
    assert_eq!(all.unwrap(), [[1], [2], [3]]);
    let success = (OpStatus::Success as i32, String::new());
    assert_eq!(pair.ended().await, [success.clone(), success]);
    assert!(!pair.seen.is_cancelled.load(Ordering::Acquire));
}

#[tokio::test]
async fn errors_come_after_what_was_answered_and_keep_their_type() {
    let pair = pair().await;
    for (end, code, error) in [
        ("error", "WORN", Some(TickerError::Worn)),
        ("panic", "INTERNAL", None),
    ] {
        let mut replies = pair.client.count(end).await.expect("begins");
        for nth in 1..=3 {
            assert_eq!(replies.next().await.unwrap().unwrap(), [nth]);
        }
        let told = replies.next().await.unwrap().unwrap_err();
        assert_eq!(
            (told.code(), told.handler_code()),
            (ErrorCode::Handler, Some(code))
        );
        assert_eq!(told.business::<TickerError>(), error);
        assert!(replies.next().await.is_none());
    }
    let ended = pair.ended().await;
    assert_eq!(ended[0].0, OpStatus::Error as i32);
    assert_eq!(ended[0].1, "WORN: the spring broke");
}

#[tokio::test]
async fn a_reader_that_leaves_cancels_the_handler() {
    let pair = pair().await;
    let mut replies = pair.client.count("hang").await.expect("begins");
    assert_eq!(replies.next().await.unwrap().unwrap(), [1]);
    assert!(!pair.seen.is_cancelled.load(Ordering::Acquire));
    drop(replies);
    until(|| pair.seen.is_cancelled.load(Ordering::Acquire)).await;
    let cancelled = (OpStatus::Error as i32, "cancelled by the caller".to_owned());
    assert_eq!(pair.ended().await, [cancelled]);
}

#[tokio::test]
async fn the_deadline_bounds_the_whole_stream_at_both_ends() {
    let pair = pair().await;
    let call = pair.client.count("hang");
    let mut replies = call
        .timeout(Duration::from_millis(200))
        .await
        .expect("begins");
    for nth in 1..=3 {
        assert_eq!(replies.next().await.unwrap().unwrap(), [nth]);
    }
    let error = replies.next().await.unwrap().unwrap_err();
    assert_eq!(
        (error.code(), error.retryable()),
        (ErrorCode::Timeout, false)
    );
    until(|| pair.seen.is_cancelled.load(Ordering::Acquire)).await;
    assert_eq!(pair.ended().await[0].0, OpStatus::Timeout as i32);
}

#[tokio::test]
async fn a_reader_that_does_not_read_holds_the_handler_back_and_nobody_else() {
    let pair = pair().await;
    let mut unread = Vec::new();
    for _ in 0..8 {
        let mut replies = pair.client.count("flood").await.expect("begins");
        assert_eq!(replies.next().await.unwrap().unwrap()[0], 1);
        unread.push(replies);
    }
    let produced = || pair.seen.produced.load(Ordering::Relaxed);
    // Until the windows are full, then for a while more.
    let mut last = 0;
    until(|| std::mem::replace(&mut last, produced()) == produced()).await;
    for _ in 0..20 {
        pair.client.ask().await.expect("others are answered");
    }
    let each = produced() / 8 * FLOOD_BYTES as u64;
    assert!(
        each < 3 * 1024 * 1024,
        "{each} bytes produced, one message read"
    );
    let before = produced();
    let mut first = unread.swap_remove(0);
    for nth in 2..=255 {
        let message = first.next().await.unwrap().unwrap();
        assert_eq!(
            (message.len(), message[0]),
            (FLOOD_BYTES, nth),
            "nothing is lost"
        );
    }
    assert!(produced() > before, "reading lets the handler go on");
    drop((first, unread));
    until(|| pair.seen.is_cancelled.load(Ordering::Acquire)).await;
}

#[tokio::test]
async fn a_stream_takes_the_way_it_was_told_and_is_never_opened_twice() {
    let pair = pair().await;
    let proxied = pair.client.count("x").transport(Transport::Proxy);
    let all: Vec<_> = proxied.await.expect("begins").collect().await;
    assert_eq!(
        all.len(),
        2,
        "the runtime of this test says everything twice"
    );
    let invoked = pair.mesh.invoked();
    assert_eq!(
        (&*invoked[0].method, &*invoked[0].contract_hash),
        ("Count", &b"v2:ticker"[..])
    );
    // The instance moves to a port nobody listens on; the registry does not know.
    pair.mesh.rewrite(|it| {
        if !it.call_endpoint.is_empty() {
            it.call_endpoint = "127.0.0.1:1".into();
        }
    });
    let mut error = None;
    until_async(async || {
        error = pair.client.count("x").await.err();
        error.is_some()
    })
    .await;
    let error = error.unwrap();
    assert_eq!(
        (error.code(), error.retryable()),
        (ErrorCode::Connection, true)
    );
    assert_eq!(
        pair.mesh.invoked().len(),
        1,
        "not through the runtime after that"
    );
}

async fn until_async(mut condition: impl AsyncFnMut() -> bool) {
    for _ in 0..1_000 {
        if condition().await {
            return;
        }
    }
    panic!("it never came true");
}

#[tokio::test]
async fn a_method_is_called_the_way_it_answers() {
    let pair = pair().await;
    let once: Call<String> = pair.client.0.unary(&TICKER[0], "x".to_owned());
    let error = once.await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Validation, "{error}");
    let stream: StreamCall<String> = pair.client.0.stream(&TICKER[1], "x".to_owned());
    let error = stream.await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Validation, "{error}");
}

#[tokio::test]
async fn a_stopping_instance_goes_on_with_its_streams_and_opens_no_more() {
    let pair = pair().await;
    let mut replies = pair.client.count("flood").await.expect("begins");
    assert_eq!(replies.next().await.unwrap().unwrap()[0], 1);
    let callee = pair.callee.clone();
    let stopping = tokio::spawn(async move { callee.stop().await });
    until(|| pair.callee.status().phase == Phase::Stopping).await;
    for nth in 2..=200 {
        assert_eq!(replies.next().await.unwrap().unwrap()[0], nth);
    }
    let error = pair.client.count("done").await.unwrap_err();
    assert!(error.retryable(), "{error}");
    assert!(!stopping.is_finished());
    drop(replies);
    stopping.await.unwrap();
    assert!(pair.seen.is_cancelled.load(Ordering::Acquire));
}

#[tokio::test]
async fn the_request_is_kept_once_and_the_messages_are_not() {
    let pair = pair().await;
    pair.mesh.want(|it| it.rpc = CaptureMode::All as i32);
    let is_kept = || !pair.mesh.payloads().is_empty();
    while !is_kept() {
        let replies = pair.client.count("done").await.expect("begins");
        assert_eq!(replies.collect::<Vec<_>>().await.len(), 3);
        Clock::system().sleep(Duration::from_millis(20)).await;
    }
    pair.caller.stop().await;
    let request = prost::Message::encode_to_vec(&"done".to_owned());
    for payload in pair.mesh.payloads() {
        assert_eq!((payload.direction, &payload.bytes), (1, &request));
    }
}
