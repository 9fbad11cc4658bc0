//! The macros as users meet them: what they report, and that their output runs.
//!
//! Each file below `ui` is one mistake; its `.stderr` beside it is the message, and the message is
//! the product. Run with `TRYBUILD=overwrite` to write the messages anew, then read the difference.
//!
//! Invariant: every code of `bridge-macros` has a case here (a test over there counts them).

use bridge::{BusinessError, Context, State};
use shop::{ChargeError, ChargeReply, ChargeRequest, Charged, Db, Inventory, Line};

#[path = "ui/shop.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "the ui cases use it as contract code is used"
)]
mod shop;

#[test]
fn every_mistake_has_its_message() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/rpc/*.rs");
    cases.compile_fail("tests/ui/http/*.rs");
    cases.compile_fail("tests/ui/service/*.rs");
    cases.compile_fail("tests/ui/error/*.rs");
    cases.compile_fail("tests/ui/handlers/*.rs");
    cases.compile_fail("tests/ui/message/*.rs");
}

/// Takes everything a handler can take, in an order of its own.
#[bridge::rpc]
async fn charge(
    ctx: Context,
    State(_db): State<Db>,
    ChargeRequest { cents }: ChargeRequest,
    prefix: State<&'static str>,
) -> Charged {
    let _ = ctx;
    let State(prefix) = prefix;
    if cents < 0 {
        Err(ChargeError::OutOfStock)
    } else {
        Ok(reply(prefix, cents))
    }
}

/// Answers with several messages, and names what it calls.
#[bridge::rpc]
fn statement(
    req: ChargeRequest,
    inventory: bridge::Client<Inventory>,
) -> impl bridge::Stream<Item = Result<Line, ChargeError>> {
    let _ = inventory;
    tokio_stream::iter([Ok(Line { cents: req.cents })])
}

/// Takes the same key for the same amount.
#[bridge::rpc(name = "Charge", idempotent_by = "cents", idempotent_for = "1h")]
async fn charge_once(req: ChargeRequest) -> Charged {
    Ok(reply("once-", req.cents))
}

/// A service as a value.
struct Desk;

#[bridge::service]
impl Desk {
    const PREFIX: &str = "desk-";

    #[bridge::rpc(name = "Charge", idempotent)]
    #[must_use = "it is taken when it is awaited"]
    async fn take(&self, req: ChargeRequest, ctx: Context) -> Charged {
        let _ = ctx;
        Ok(reply(Self::PREFIX, req.cents))
    }

    #[bridge::rpc(name = "Statement")]
    fn lines(&self, req: ChargeRequest) -> impl bridge::Stream<Item = Result<Line, ChargeError>> {
        let lines = self.amounts(req.cents);
        tokio_stream::iter(lines.map(|cents| Ok(Line { cents })))
    }

    fn amounts(&self, cents: i64) -> impl Iterator<Item = i64> {
        let _ = self;
        [cents, 0].into_iter()
    }
}

#[test]
fn what_a_handler_calls_is_in_the_list() {
    let text = format!("{:?}", bridge::handlers![statement, charge_once]);
    assert!(
        text.contains("shop.inventory.v1.Inventory at inventory"),
        "{text}"
    );
}

fn reply(prefix: &str, cents: i64) -> ChargeReply {
    ChargeReply {
        id: format!("{prefix}{cents}"),
    }
}

mod orders {
    use super::{ChargeRequest, Charged, reply};

    #[bridge::rpc(name = "Charge")]
    #[must_use = "an order is placed when it is awaited"]
    #[deprecated = "only its uses by name may warn"]
    pub(crate) async fn place(mut req: ChargeRequest) -> Charged {
        req.cents += 1;
        Ok(reply("order-", req.cents))
    }
}

macro_rules! handler {
    ($name:ident, $message:ty) => {
        #[bridge::rpc(name = "Charge")]
        async fn $name(request: $message) -> Charged {
            Ok(reply("made-", request.cents))
        }
    };
}
handler!(made_by_a_macro, ChargeRequest);

mod elsewhere {
    pub(crate) mod facade {
        pub(crate) use ::bridge::*;
    }
}

#[bridge::rpc(name = "Charge", crate = crate::elsewhere::facade)]
async fn r#move(req: ChargeRequest) -> Charged {
    Ok(reply("moved-", req.cents))
}

#[test]
fn handlers_from_modules_macros_and_renamed_crates_are_listed() {
    for (listed, site) in [
        (
            bridge::handlers![charge, statement],
            "Charge at macros::charge",
        ),
        (
            bridge::handlers![charge, statement],
            "Statement at macros::statement",
        ),
        (bridge::handlers![orders::place], "::orders::place"),
        (bridge::handlers![made_by_a_macro], "::made_by_a_macro"),
        (Desk.into(), "Charge at macros::Desk::take"),
        (Desk.into(), "Statement at macros::Desk::lines"),
    ] {
        let text = format!("{listed:?}");
        assert!(text.contains(site), "{site} is not in {text}");
    }
    let renamed = bridge::handlers![crate = crate::elsewhere::facade; r#move];
    assert!(format!("{renamed:?}").contains("Charge at macros::move"));
}

#[test]
fn an_empty_list_serves_nothing() {
    assert!(!format!("{:?}", bridge::handlers![]).contains("Charge"));
}

#[test]
fn an_annotated_function_is_still_a_function() {
    #[expect(deprecated, reason = "called to see that the call warns")]
    let running = orders::place(ChargeRequest { cents: 41 });
    assert_eq!(ready(running).ok(), Some(reply("order-", 42)));
}

/// The value of a future that never waits.
fn ready<T>(running: impl Future<Output = T>) -> T {
    let mut running = std::pin::pin!(running);
    let waker = std::task::Waker::noop();
    match running
        .as_mut()
        .poll(&mut std::task::Context::from_waker(waker))
    {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("the handler waits for something"),
    }
}

#[test]
fn a_business_error_comes_back_from_the_wire_as_it_went() {
    for (error, code, text) in [
        (ChargeError::OutOfStock, "OUT_OF_STOCK", "out of stock"),
        (
            ChargeError::Declined("no funds".into()),
            "DECLINED",
            "no funds",
        ),
    ] {
        assert_eq!((error.code(), error.message().as_str()), (code, text));
        assert_eq!(error.to_string(), text);
        let back = ChargeError::from_wire(error.code(), &error.message());
        assert_eq!(
            back.map(|back| format!("{back:?}")),
            Some(format!("{error:?}"))
        );
    }
    assert!(ChargeError::from_wire("ANOTHER", "text").is_none());
}

#[test]
fn an_error_without_variants_has_no_code() {
    #[derive(Debug, bridge::Error)]
    enum Never {}

    assert!(Never::from_wire("OUT_OF_STOCK", "").is_none());
}

#[test]
fn names_of_the_user_do_not_reach_the_generated_code() {
    #[allow(non_upper_case_globals, dead_code)]
    const message: u8 = 0;
    #[allow(non_upper_case_globals, dead_code)]
    const code: u8 = 0;

    #[derive(Debug, bridge::Error)]
    enum Shadowed {
        Text(String),
    }

    assert_eq!(Shadowed::Text("kept".into()).message(), "kept");
}
