//! Handlers called without a socket.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use contract::clock::{ManualClock, Timestamp};

use super::*;
use crate::handler::OperationDef;
use crate::key::Idempotent;
use crate::rpc::{Call, StreamCall};
use crate::{Context, State};

static METHODS: &[MethodMeta] = &[
    meta("Greet", false),
    meta("Count", true),
    meta("Absent", false),
];

const fn meta(name: &'static str, streaming: bool) -> MethodMeta {
    MethodMeta {
        service: "t.Shelf",
        name,
        contract_hash: "v2:shelf",
        input_schema: "{}",
        output_schema: "{}",
        streaming,
    }
}

struct Shelf;

impl Contract for Shelf {
    const NAME: &'static str = "t.Shelf";
    const DEFAULT_TARGET: &'static str = "shelf";
    const METHODS: &'static [MethodMeta] = METHODS;
    type Client = ShelfClient;
}

#[derive(Clone)]
struct ShelfClient(Target);

impl From<Target> for ShelfClient {
    fn from(target: Target) -> Self {
        Self(target)
    }
}

impl ShelfClient {
    fn greet(&self, who: &str) -> Call<String> {
        self.0.unary(&METHODS[0], who.to_owned())
    }

    fn count(&self, to: u32) -> StreamCall<u32> {
        self.0.stream(&METHODS[1], to)
    }

    fn absent(&self) -> Call<String> {
        self.0.unary(&METHODS[2], String::new())
    }
}

#[derive(Debug, PartialEq)]
struct Rude;

impl crate::BusinessError for Rude {
    fn code(&self) -> &'static str {
        "RUDE"
    }

    fn message(&self) -> String {
        "say please".into()
    }

    fn from_wire(code: &str, _: &str) -> Option<Self> {
        (code == "RUDE").then_some(Self)
    }
}

#[derive(Clone)]
struct Greeting(&'static str);

async fn greet(greeting: Greeting, who: String, context: Context) -> Result<String, Rude> {
    match &*who {
        "rude" => Err(Rude),
        "slow" => std::future::pending().await,
        "panic" => panic!("secret detail"),
        "keys" => {
            let key = context.idempotency_key().unwrap_or_default();
            assert!(context.caller().is_none());
            Ok(format!("{key} {}", context.request_id()))
        }
        _ => Ok(format!("{} {who}", greeting.0)),
    }
}

fn handlers() -> Handlers {
    let greet = OperationDef::unary(&METHODS[0], "tests::greet", |states| {
        let State(greeting) = State(states.get::<Greeting>()?);
        Ok(move |who, context| greet(greeting.clone(), who, context))
    });
    let count = OperationDef::stream(&METHODS[1], "tests::count", |_| {
        Ok(|to: u32, context: Context| {
            let numbers = (1..=to).map(Ok).chain([Err(Rude)]);
            let held = Held(context);
            tokio_stream::iter(numbers.inspect(move |_| held.look()))
        })
    });
    Handlers::from_operations(vec![greet, count])
}

static WAS_CANCELLED: AtomicBool = AtomicBool::new(false);

struct Held(Context);

impl Held {
    fn look(&self) {
        assert!(!self.0.is_cancelled());
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        WAS_CANCELLED.fetch_or(self.0.is_cancelled(), Ordering::Relaxed);
    }
}

fn shelf() -> (ShelfClient, ManualClock) {
    let (clock, hand) = Clock::manual(Timestamp::EPOCH);
    let builder = Local::serve(handlers())
        .state(Greeting("hello"))
        .clock(clock);
    (builder.build().unwrap().client::<Shelf>(), hand)
}

#[tokio::test]
async fn a_handler_answers_as_it_would_over_the_network() {
    let (shelf, _) = shelf();
    assert_eq!(shelf.greet("world").await.unwrap(), "hello world");
    let rude = shelf.greet("rude").await.unwrap_err();
    assert_eq!(rude.business(), Some(Rude));
    assert_eq!(rude.to_string(), "shelf/Greet answered RUDE: say please");
    let broken = shelf.greet("panic").await.unwrap_err();
    assert_eq!(broken.handler_code(), Some("INTERNAL"));
    let absent = shelf.absent().await.unwrap_err();
    assert_eq!(absent.code(), ErrorCode::NotFound);
    assert!(absent.message().contains("Absent"), "{absent}");
    let told = shelf.greet("keys").idempotency_key("k-1").request_id("r-1");
    assert_eq!(told.await.unwrap(), "k-1 r-1");
}

#[tokio::test]
async fn a_stream_ends_with_its_error_or_with_its_reader() {
    let (shelf, _) = shelf();
    let mut numbers = shelf.count(2).await.unwrap();
    assert_eq!(numbers.next().await.unwrap().unwrap(), 1);
    assert_eq!(numbers.next().await.unwrap().unwrap(), 2);
    let error = numbers.next().await.unwrap().unwrap_err();
    assert_eq!(error.business(), Some(Rude));
    assert!(numbers.next().await.is_none());
    assert!(!WAS_CANCELLED.load(Ordering::Relaxed));
    let mut numbers = shelf.count(9).await.unwrap();
    assert_eq!(numbers.next().await.unwrap().unwrap(), 1);
    drop(numbers);
    assert!(WAS_CANCELLED.load(Ordering::Relaxed));
}

#[tokio::test]
async fn a_request_or_a_reply_that_is_too_large_for_the_network_is_refused() {
    let (shelf, _) = shelf();
    for (bytes, which) in [(5 << 20, "the request"), ((4 << 20) - 5, "the reply")] {
        let refused = shelf.greet(&"x".repeat(bytes)).await.unwrap_err();
        let told = (refused.code(), refused.retryable());
        assert_eq!(told, (ErrorCode::Validation, false), "{refused}");
        assert!(refused.message().starts_with(which), "{refused}");
    }
    assert!(shelf.greet(&"x".repeat(4 << 19)).await.is_ok());
}

/// Says when it goes.
struct Leaves(Arc<AtomicBool>);

impl Drop for Leaves {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn a_stream_that_nobody_reads_ends_at_its_deadline() {
    let left = Arc::new(AtomicBool::new(false));
    let told = left.clone();
    let count = OperationDef::stream(&METHODS[1], "tests::count", move |_| {
        let told = told.clone();
        Ok(move |to: u32, _: Context| {
            let leaves = Leaves(told.clone());
            tokio_stream::iter((1..=to).map(move |nth| {
                assert!(!leaves.0.load(Ordering::Relaxed));
                Ok::<_, Rude>(nth)
            }))
        })
    });
    let (clock, hand) = Clock::manual(Timestamp::EPOCH);
    let local = Local::serve(Handlers::from_operations(vec![count])).clock(clock);
    let shelf = local.build().unwrap().client::<Shelf>();
    let mut numbers = shelf
        .count(9)
        .timeout(Duration::from_secs(2))
        .await
        .unwrap();
    assert_eq!(numbers.next().await.unwrap().unwrap(), 1);
    while hand.sleepers() == 0 {
        tokio::task::yield_now().await;
    }
    hand.advance(Duration::from_secs(2));
    // The one thread of this test has other tasks to run, and no other way to run them.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(left.load(Ordering::Relaxed), "the handler goes on");
    is_late(numbers).await;
}

async fn is_late(mut numbers: crate::Replies<u32>) {
    let late = numbers.next().await.unwrap().unwrap_err();
    assert_eq!(late.code(), ErrorCode::Timeout);
    assert!(numbers.next().await.is_none());
}

#[tokio::test]
async fn a_stream_that_never_pauses_has_a_deadline_as_well() {
    let (shelf, hand) = shelf();
    let mut numbers = shelf
        .count(9)
        .timeout(Duration::from_secs(2))
        .await
        .unwrap();
    assert_eq!(numbers.next().await.unwrap().unwrap(), 1);
    // No other task runs between this and the next item.
    hand.advance(Duration::from_secs(2));
    is_late(numbers).await;
}

#[tokio::test]
async fn a_call_ends_at_its_deadline() {
    let (shelf, hand) = shelf();
    let slow = tokio::spawn(async move {
        let call = shelf.greet("slow").timeout(Duration::from_secs(2));
        call.await.unwrap_err().code()
    });
    while hand.sleepers() == 0 {
        tokio::task::yield_now().await;
    }
    hand.advance(Duration::from_secs(2));
    assert_eq!(slow.await.unwrap(), ErrorCode::Timeout);
}

#[tokio::test]
async fn work_that_is_done_once_is_done_once_here_too() {
    let greet = OperationDef::unary(&METHODS[0], "tests::greet", |_| {
        let greeted = Arc::new(AtomicU32::new(0));
        Ok(move |who: String, _: Context| {
            let nth = greeted.fetch_add(1, Ordering::Relaxed) + 1;
            std::future::ready(match &*who {
                "rude" => Err(Rude),
                _ => Ok(format!("{who} {nth}")),
            })
        })
    });
    let greet = greet.idempotent(Idempotent::by_caller());
    let local = Local::serve(Handlers::from_operations(vec![greet])).build();
    let shelf = local.unwrap().client::<Shelf>();
    let first = shelf
        .greet("a")
        .idempotency_key("k")
        .with_meta()
        .await
        .unwrap();
    assert_eq!((first.is_replayed(), &**first), (false, "a 1"));
    let again = shelf
        .greet("a")
        .idempotency_key("k")
        .with_meta()
        .await
        .unwrap();
    assert_eq!((again.is_replayed(), &**again), (true, "a 1"));
    let other = shelf.greet("b").idempotency_key("k").await.unwrap_err();
    assert_eq!(other.code(), ErrorCode::Validation, "{other}");
    for is_replayed in [false, true] {
        let rude = shelf.greet("rude").idempotency_key("r").await.unwrap_err();
        assert_eq!(rude.business(), Some(Rude));
        assert_eq!(rude.is_replayed(), is_replayed);
    }
    let without = shelf.greet("a").await.unwrap();
    assert_eq!(without, "a 3", "an error is kept as well");
}

#[tokio::test]
async fn a_method_of_another_contract_is_not_taken_for_one_of_the_same_name() {
    static OTHERS: &[MethodMeta] = &[MethodMeta {
        service: "t.Desk",
        ..meta("Greet", false)
    }];
    struct Desk;
    impl Contract for Desk {
        const NAME: &'static str = "t.Desk";
        const DEFAULT_TARGET: &'static str = "desk";
        const METHODS: &'static [MethodMeta] = OTHERS;
        type Client = DeskClient;
    }
    #[derive(Clone)]
    struct DeskClient(Target);
    impl From<Target> for DeskClient {
        fn from(target: Target) -> Self {
            Self(target)
        }
    }
    let local = Local::serve(handlers()).state(Greeting("hello")).build();
    let desk = local.unwrap().client::<Desk>();
    let call: Call<String> = desk.0.unary(&OTHERS[0], "world".to_owned());
    let refused = call.await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::NotFound);
    assert!(refused.message().contains("t.Desk"), "{refused}");
}

#[test]
fn a_handler_without_its_state_is_named() {
    let error = Local::serve(handlers()).build().unwrap_err();
    assert_eq!(error.code(), ErrorCode::Config);
    assert!(error.to_string().contains("tests::greet"), "{error}");
}
