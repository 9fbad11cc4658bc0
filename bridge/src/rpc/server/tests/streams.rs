//! Handlers that answer with a stream.

use std::pin::Pin;
use std::sync::atomic::AtomicBool;
use std::task::{Context as TaskContext, Poll};

use parking_lot::Mutex;
use tokio_stream::{Stream, StreamExt as _};

use super::*;
use crate::handler::Answers;

/// What the handlers' streams saw, told through their payload's address.
static LEFT: Mutex<Vec<(Bytes, bool)>> = Mutex::new(Vec::new());

/// Tells, when it goes, whether its call was cancelled by then.
struct Farewell(Bytes, Context);

impl Drop for Farewell {
    fn drop(&mut self) {
        let current = bridge_tower::context::current();
        assert!(current.is_some(), "dropped as part of its call");
        LEFT.lock().push((self.0.clone(), self.1.is_cancelled()));
    }
}

struct Counting {
    next: u8,
    items: u8,
    farewell: Farewell,
    asked: Arc<AtomicU32>,
}

static ASKED: Mutex<Vec<(Bytes, Arc<AtomicU32>)>> = Mutex::new(Vec::new());

impl Stream for Counting {
    type Item = Answer;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut TaskContext<'_>) -> Poll<Option<Answer>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let current = bridge_tower::context::current().expect("run as part of its call");
        assert_eq!(current.trace, self.farewell.1.trace());
        self.next += 1;
        if self.next <= self.items {
            return Poll::Ready(Some(Ok(vec![self.next].into())));
        }
        match self.farewell.0.split(|it| *it == b' ').next() {
            Some(b"fail") => Poll::Ready(Some(Err(sold_out()))),
            Some(b"panic") => panic!("secret detail"),
            Some(b"hang") => Poll::Pending,
            _ => Poll::Ready(None),
        }
    }
}

pub(super) fn run() -> Run {
    Run::Stream(Box::new(|payload: Bytes, context: Context| {
        match &*payload {
            b"undecodable" => return Err(Undecodable("bad tag".into())),
            b"panic early" => panic!("secret detail"),
            _ => {}
        }
        let asked = Arc::new(AtomicU32::new(0));
        ASKED.lock().push((payload.clone(), asked.clone()));
        let answers: Answers = Box::pin(Counting {
            next: 0,
            items: 3,
            farewell: Farewell(payload, context),
            asked,
        });
        Ok(answers)
    }))
}

fn asked(payload: &[u8]) -> u32 {
    let all = ASKED.lock();
    let (_, asked) = all.iter().find(|(it, _)| it == payload).expect("it ran");
    asked.load(Ordering::Relaxed)
}

/// How the stream of this payload went: `None` while it is there.
fn left(payload: &[u8]) -> Option<bool> {
    let all = LEFT.lock();
    all.iter().find(|(it, _)| it == payload).map(|it| it.1)
}

async fn watch(bed: &Bed, payload: &'static [u8]) -> Result<Chunks, Status> {
    let asked = request(service(), "Watch", payload);
    bed.inbound.stream(asked).await.map(Response::into_inner)
}

type Seen = Vec<(Vec<u8>, String)>;

async fn read(chunks: Chunks) -> Seen {
    let chunks = chunks.map(|chunk| {
        let chunk = chunk.expect("a chunk, not a status");
        (chunk.payload.to_vec(), chunk.error_code)
    });
    chunks.collect().await
}

fn three() -> Seen {
    (1..=3).map(|it| (vec![it], String::new())).collect()
}

#[tokio::test]
async fn messages_come_in_order_and_an_error_is_the_last_chunk_without_payload() {
    let bed = ready();
    assert_eq!(read(watch(&bed, b"whole").await.unwrap()).await, three());
    assert_eq!(
        left(b"whole"),
        Some(false),
        "what was answered is not cancelled"
    );
    for (payload, code) in [(&b"fail"[..], "OUT_OF_STOCK"), (b"panic", "INTERNAL")] {
        let mut expected = three();
        expected.push((Vec::new(), code.to_owned()));
        assert_eq!(read(watch(&bed, payload).await.unwrap()).await, expected);
        assert_eq!(left(payload), Some(false), "dropped at its end");
    }
    let early = read(watch(&bed, b"panic early").await.unwrap()).await;
    assert_eq!(early, [(Vec::new(), "INTERNAL".to_owned())]);
}

#[tokio::test]
async fn the_handler_is_asked_only_when_the_transport_is() {
    let bed = ready();
    let mut chunks = watch(&bed, b"paced").await.unwrap();
    assert_eq!(asked(b"paced"), 0);
    for nth in 1..=3 {
        chunks.next().await.unwrap().unwrap();
        assert_eq!(asked(b"paced"), nth);
    }
}

#[tokio::test]
async fn a_caller_that_leaves_cancels_the_handler_and_its_context() {
    let bed = ready();
    let mut chunks = watch(&bed, b"hang left").await.unwrap();
    chunks.next().await.unwrap().unwrap();
    assert_eq!(left(b"hang left"), None);
    drop(chunks);
    assert_eq!(left(b"hang left"), Some(true));
}

#[tokio::test]
async fn a_stream_is_refused_before_it_begins_as_any_call_is() {
    let bed = bed();
    let refused = watch(&bed, b"x").await.err().unwrap();
    assert_eq!(refused.code(), Code::Unavailable);
    assert!(contract::transport::is_not_dispatched(&refused));
    let bed = ready();
    let refused = watch(&bed, b"undecodable").await.err().unwrap();
    assert_eq!(refused.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn the_deadline_ends_a_stream_whether_anybody_reads_it_or_not() {
    for (payload, reads) in [(&b"hang read"[..], true), (b"hang unread", false)] {
        let bed = ready();
        let mut asked = request(service(), "Watch", payload);
        asked
            .metadata_mut()
            .insert(GRPC_TIMEOUT, MetadataValue::from_static("500m"));
        let mut chunks = bed.inbound.stream(asked).await.unwrap().into_inner();
        let is_told = Arc::new(AtomicBool::new(false));
        let told = is_told.clone();
        let reading = tokio::spawn(async move {
            for _ in 0..3 {
                chunks.next().await.unwrap().unwrap();
            }
            if !reads {
                while !told.load(Ordering::Acquire) {
                    tokio::task::yield_now().await;
                }
            }
            chunks.next().await.unwrap().unwrap_err().code()
        });
        while bed.hand.sleepers() == 0 {
            tokio::task::yield_now().await;
        }
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        bed.hand.advance(Duration::from_millis(500));
        while left(payload).is_none() {
            tokio::task::yield_now().await;
        }
        assert_eq!(left(payload), Some(true));
        assert_eq!(
            bed.inbound.drain(Duration::ZERO).await,
            0,
            "its slot is free"
        );
        is_told.store(true, Ordering::Release);
        assert_eq!(reading.await.unwrap(), Code::DeadlineExceeded);
    }
}

#[tokio::test]
async fn streams_have_room_of_their_own_and_no_more_of_it() {
    let bed = ready();
    let max = bed.session.options.limits.concurrent_streams_max;
    let mut open = Vec::new();
    for _ in 0..max {
        open.push(watch(&bed, b"hang a slot").await.unwrap());
    }
    let refused = watch(&bed, b"hang a slot").await.err().unwrap();
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
    assert!(contract::transport::is_not_dispatched(&refused));
    assert_eq!(ask(&bed, b"fine").await.unwrap().payload, "fine");
    open.pop();
    open.push(watch(&bed, b"hang a slot").await.unwrap());
    assert_eq!(bed.inbound.drain(Duration::ZERO).await, max);
    open.pop();
    assert_eq!(bed.inbound.drain(Duration::ZERO).await, max - 1);
    assert_eq!(refusal(&bed, "Watch").await, (Code::Unavailable, true));
}
