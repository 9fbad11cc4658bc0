//! Scripts, and calls nobody wrote one for.

use super::*;
use crate::rpc::{Call, StreamCall};

static METHODS: &[MethodMeta] = &[meta("Ask", false), meta("Watch", true)];

const fn meta(name: &'static str, streaming: bool) -> MethodMeta {
    MethodMeta {
        service: "t.Oracle",
        name,
        contract_hash: "v2:oracle",
        input_schema: "{}",
        output_schema: "{}",
        streaming,
    }
}

struct Oracle;

impl Contract for Oracle {
    const NAME: &'static str = "t.Oracle";
    const DEFAULT_TARGET: &'static str = "oracle";
    const METHODS: &'static [MethodMeta] = METHODS;
    type Client = OracleClient;
}

impl RpcRequest<String> for String {
    const METHODS: &'static [MethodMeta] = METHODS;
}

impl RpcStreamRequest<u32> for String {
    const METHODS: &'static [MethodMeta] = METHODS;
}

#[derive(Clone)]
struct OracleClient(Target);

impl From<Target> for OracleClient {
    fn from(target: Target) -> Self {
        Self(target)
    }
}

impl OracleClient {
    fn ask(&self, what: &str) -> Call<String> {
        self.0.unary(&METHODS[0], what.to_owned())
    }

    fn watch(&self, what: &str) -> StreamCall<u32> {
        self.0.stream(&METHODS[1], what.to_owned())
    }
}

#[derive(Debug, PartialEq)]
struct Unclear;

impl BusinessError for Unclear {
    fn code(&self) -> &'static str {
        "UNCLEAR"
    }

    fn message(&self) -> String {
        "ask again".into()
    }

    fn from_wire(code: &str, _: &str) -> Option<Self> {
        (code == "UNCLEAR").then_some(Self)
    }
}

#[tokio::test]
async fn the_next_calls_come_first_and_everything_asked_is_remembered() {
    let mock = Mock::<Oracle>::new();
    let oracle = mock.client();
    mock.on("Ask", |what: String| {
        Ok::<_, Unclear>(format!("yes, {what}"))
    });
    mock.once("Ask", |_: String| Err::<String, _>(Unclear));
    mock.fail("Ask", ErrorCode::Connection, "the line is dead");
    assert_eq!(mock.unused(), ["Ask", "Ask"]);
    assert_eq!(oracle.ask("a").await.unwrap_err().business(), Some(Unclear));
    let dead = oracle.ask("b").await.unwrap_err();
    assert_eq!(
        (dead.code(), dead.message()),
        (ErrorCode::Connection, "the line is dead")
    );
    assert!(dead.retryable());
    for _ in 0..2 {
        assert_eq!(oracle.ask("c").await.unwrap(), "yes, c");
    }
    assert_eq!(mock.asked::<String>("Ask"), ["a", "b", "c", "c"]);
    assert!(mock.unused().is_empty());
}

#[tokio::test]
async fn a_stream_answers_what_is_listed_up_to_the_first_error() {
    let mock = Mock::<Oracle>::new();
    mock.on_stream("Watch", |_: String| [Ok(1_u32), Ok(2), Err(Unclear), Ok(3)]);
    let mut seen = mock.client().watch("x").await.unwrap();
    assert_eq!(seen.next().await.unwrap().unwrap(), 1);
    assert_eq!(seen.next().await.unwrap().unwrap(), 2);
    assert_eq!(
        seen.next().await.unwrap().unwrap_err().business(),
        Some(Unclear)
    );
    assert!(seen.next().await.is_none());
}

#[tokio::test]
async fn a_call_that_nobody_scripted_names_its_method() {
    let mock = Mock::<Oracle>::new();
    let unexpected = mock.client().ask("anything").await.unwrap_err();
    assert_eq!(unexpected.code(), ErrorCode::NotFound);
    let text = unexpected.to_string();
    assert!(
        text.contains("oracle/Ask") && text.contains("mock.on"),
        "{text}"
    );
}

#[test]
#[should_panic(expected = "t.Oracle has no method `Sing`; it has Ask, Watch")]
fn a_script_for_no_method_is_refused_with_those_there_are() {
    Mock::<Oracle>::new().fail("Sing", ErrorCode::Timeout, "late");
}

#[tokio::test]
async fn an_answer_can_say_that_it_was_kept_and_keys_are_remembered() {
    let mock = Mock::<Oracle>::new();
    mock.on("Ask", |_: String| Ok::<_, Unclear>("new".to_owned()));
    mock.replay("Ask", |_: String| Ok::<_, Unclear>("old".to_owned()));
    let oracle = mock.client();
    let old = oracle
        .ask("a")
        .idempotency_key("k")
        .with_meta()
        .await
        .unwrap();
    assert_eq!((old.is_replayed(), &**old), (true, "old"));
    let new = oracle.ask("a").with_meta().await.unwrap();
    assert_eq!(
        (new.is_replayed(), new.into_message()),
        (false, "new".to_owned())
    );
    assert_eq!(mock.keys("Ask"), [Some("k".to_owned()), None]);
}
