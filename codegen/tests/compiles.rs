//! The committed sample as Rust: it compiles against the SDK's surface and means what it says.
//!
//! This crate plays the SDK: generated code only ever names `::bridge::…`.

extern crate self as bridge;

#[path = "compiles/sdk.rs"]
mod sdk;

pub use sdk::*;

#[deny(warnings, missing_docs, unreachable_pub, clippy::pedantic)]
mod contracts {
    include!("golden/mod.rs");
}

/// A package that refers to no other may be included on its own, anywhere.
#[deny(warnings, missing_docs, unreachable_pub, clippy::pedantic)]
mod alone {
    include!("golden/shop.common.v1.rs");
}

use __rt::prost::Message;
use __rt::{Contract, MethodMeta, RpcRequest, RpcStreamRequest, Target};
use contracts::odd::v1::{OddServer, OnlyChoice, OnlyMaps, only_choice};
use contracts::shop::common::v1::Money;
use contracts::shop::orders::v1::{OrderBook, OrderBookClient, PlaceReply, PlaceRequest};
use contracts::shop::payments::v1::{
    ChargeReply, ChargeRequest, Line, Payments, PaymentsClient, PaymentsServer, Pong,
    RefundRequest, StatementRequest, charge_request,
};
use contracts::stock::{Stock, StockClient, count};
use contracts::zoo::v1::everything::Beside;
use contracts::zoo::v1::{Everything, Old, everything_ as everything, old};

fn names(methods: &[MethodMeta]) -> Vec<String> {
    methods
        .iter()
        .map(|method| format!("{}/{}", method.service, method.name))
        .collect()
}

#[test]
fn a_contract_lists_its_methods_in_order_of_declaration() {
    assert_eq!(Payments::NAME, "shop.payments.v1.Payments");
    assert_eq!(Payments::DEFAULT_TARGET, "payments");
    assert_eq!(OrderBook::DEFAULT_TARGET, "order-book");
    let methods = <Payments as Contract>::METHODS;
    let listed: Vec<_> = methods.iter().map(|it| (it.name, it.streaming)).collect();
    assert_eq!(
        listed,
        [
            ("Charge", false),
            ("Refund", false),
            ("Statement", true),
            ("Ping", false)
        ]
    );
    assert!(methods.iter().all(|it| it.contract_hash.starts_with("v2:")));
    assert!(
        methods[0]
            .input_schema
            .contains(r#""orderId":{"type":"string","id":1}"#)
    );
}

#[test]
fn a_request_knows_the_methods_of_every_package_that_take_it() {
    assert_eq!(
        names(<ChargeRequest as RpcRequest<ChargeReply>>::METHODS),
        [
            "shop.orders.v1.OrderBook/Quote",
            "shop.payments.v1.Payments/Charge"
        ]
    );
    assert_eq!(
        names(<PlaceRequest as RpcRequest<PlaceReply>>::METHODS),
        [
            "shop.orders.v1.OrderBook/Place",
            "shop.orders.v1.OrderBook/Match"
        ]
    );
    assert_eq!(
        names(<() as RpcRequest<Pong>>::METHODS),
        ["shop.payments.v1.Payments/Ping"]
    );
}

#[test]
fn a_client_function_calls_the_method_it_is_named_after() {
    let request = ChargeRequest {
        order_id: "o-1".to_owned(),
        amount: Some(Money {
            currency: "EUR".to_owned(),
            cents: 250,
        }),
        method: Some(charge_request::Method::Voucher("v".to_owned())),
        note: Some(String::new()),
        ..ChargeRequest::default()
    };
    let call = PaymentsClient::from(Target).charge(request.clone());
    assert_eq!(call.method.name, "Charge");
    assert_eq!(ChargeRequest::decode(call.payload.as_slice()), Ok(request));

    let call: Call<PlaceReply> = OrderBookClient::from(Target).r#match(PlaceRequest::default());
    assert_eq!(call.method.name, "Match");
}

#[test]
fn a_package_on_its_own_has_the_same_messages() {
    assert_eq!(alone::Money::default().cents, Money::default().cents);
}

#[test]
fn a_streaming_method_is_called_for_its_items() {
    assert_eq!(
        names(<StatementRequest as RpcStreamRequest<Line>>::METHODS),
        ["shop.payments.v1.Payments/Statement"]
    );
    let call: StreamCall<Line> = PaymentsClient::from(Target).statement(StatementRequest {});
    assert_eq!(call.0.method.name, "Statement");
}

struct Bank;

impl PaymentsServer for Bank {
    type Error = std::convert::Infallible;

    async fn charge(&self, request: ChargeRequest, _: Context) -> Result<ChargeReply, Self::Error> {
        Ok(ChargeReply {
            id: request.order_id,
        })
    }

    async fn refund(&self, _: RefundRequest, _: Context) -> Result<(), Self::Error> {
        Ok(())
    }

    fn statement(
        self: std::sync::Arc<Self>,
        _: StatementRequest,
        _: Context,
    ) -> impl Stream<Item = Result<Line, Self::Error>> + Send + 'static {
        tokio_stream::iter([Ok(Line::default()), Ok(Line::default())])
    }

    async fn ping(&self, (): (), _: Context) -> Result<Pong, Self::Error> {
        Ok(Pong {})
    }
}

#[test]
fn a_server_answers_every_rpc_of_its_contract() {
    let handlers = Bank.into_handlers().0;
    let listed: Vec<_> = handlers.iter().map(|it| it.meta.name).collect();
    assert_eq!(listed, ["Charge", "Refund", "Statement", "Ping"]);
    assert!(handlers[0].site.ends_with("::payments::v1::PaymentsServer"));
    let request = ChargeRequest {
        order_id: "o-1".to_owned(),
        ..ChargeRequest::default()
    };
    let answer = (handlers[0].answer)(&request.encode_to_vec());
    assert_eq!(
        ChargeReply::decode(answer[0].as_slice()).map(|it| it.id),
        Ok("o-1".to_owned())
    );
    assert_eq!((handlers[2].answer)(&[]).len(), 2);
}

struct Stranger;

impl OddServer for Stranger {
    type Error = std::convert::Infallible;

    async fn clone(&self, _: OnlyChoice, _: Context) -> Result<OnlyMaps, Self::Error> {
        Ok(OnlyMaps::default())
    }

    async fn into(&self, _: OnlyChoice, _: Context) -> Result<OnlyMaps, Self::Error> {
        Ok(OnlyMaps::default())
    }

    async fn drop(&self, _: OnlyChoice, _: Context) -> Result<OnlyMaps, Self::Error> {
        Ok(OnlyMaps::default())
    }

    fn to_owned(
        self: std::sync::Arc<Self>,
        request: OnlyChoice,
        _: Context,
    ) -> impl Stream<Item = Result<OnlyMaps, Self::Error>> + Send + 'static {
        let asked = Ok(OnlyMaps {
            labels: [("choice".to_owned(), format!("{request:?}"))].into(),
        });
        tokio_stream::iter([asked])
    }
}

#[test]
fn rpcs_may_be_called_as_methods_that_every_value_has() {
    let handlers = OddServer::into_handlers(Stranger).0;
    let listed: Vec<_> = handlers.iter().map(|it| it.meta.name).collect();
    assert_eq!(listed, ["Clone", "Into", "Drop", "ToOwned"]);
    let choice = OnlyChoice {
        choice: Some(only_choice::Choice::Number(3)),
    };
    let answer = (handlers[3].answer)(&choice.encode_to_vec());
    let labels = OnlyMaps::decode(answer[0].as_slice()).expect("maps").labels;
    assert!(labels["choice"].contains("number: 3"), "{labels:?}");
}

#[test]
fn a_schema_file_is_a_package_and_a_method_of_its_folder() {
    let call = StockClient::from(Target).count(count::Input {
        sku: "s".to_owned(),
        shelves: vec![1, 2],
        r#where: Some(count::InputWhere { hall: 7 }),
    });
    assert_eq!(call.method.name, "Count");
    assert_eq!(call.payload, b"\x0a\x01s\x12\x02\x01\x02\x1a\x02\x08\x07");
    assert_eq!(Stock::DEFAULT_TARGET, "stock");
    let line = count::OutputLinesElem { count: 3 };
    assert_eq!(count::Output { lines: vec![line] }.encoded_len(), 4);
}

fn everything() -> Everything {
    let leaf = Everything {
        a_string: "leaf".to_owned(),
        ..Everything::default()
    };
    Everything {
        a_double: -0.0,
        an_int32: -1,
        a_sint64: i64::MIN,
        a_bytes: vec![0, 255].into(),
        state: everything::State::Unrecognized(77),
        inner: Some(Box::new(leaf.clone())),
        numbers: vec![-1, 0, 1],
        loose_numbers: vec![3, 4],
        states: vec![everything::State::Started, everything::State::Lost],
        by_name: [
            ("".to_owned(), leaf.clone()),
            ("b".to_owned(), Everything::default()),
        ]
        .into(),
        by_truth: [(false, vec![].into()), (true, vec![1].into())].into(),
        maybe_number: Some(0),
        maybe_state: Some(everything::State::Unknown),
        choice: Some(everything::Choice::Tree(Box::new(leaf))),
        between: "x".to_owned(),
        wrapped: Some(String::new()),
        weights: vec![-0.0, 0.0, 1.5],
        ..Everything::default()
    }
}

#[test]
fn every_kind_of_field_comes_back_as_it_was() {
    let sent = everything();
    let bytes = sent.encode_to_vec();
    assert_eq!(bytes.len(), sent.encoded_len());
    let back = Everything::decode(bytes.as_slice()).expect("what was encoded");
    assert_eq!(back, sent);
    assert!(back.a_double.is_sign_negative() && back.weights[0].is_sign_negative());
    let json = serde_json::to_string(&sent).expect("json");
    assert!(json.contains(r#""betwixt":"x""#), "{json}");
    let back: Everything = serde_json::from_str(&json).expect("our own json");
    assert_eq!(back.encode_to_vec(), bytes);
}

#[test]
fn equal_messages_are_equal_bytes_in_ascending_order_of_numbers() {
    let bytes = everything().encode_to_vec();
    assert_eq!(bytes, everything().encode_to_vec());
    let order = |numbers: &[u32]| numbers.is_sorted();
    let mut rest = bytes.as_slice();
    let mut numbers = Vec::new();
    while !rest.is_empty() {
        let (number, wire_type) = prost::encoding::decode_key(&mut rest).expect("a key");
        numbers.push(number);
        let context = prost::encoding::DecodeContext::default();
        prost::encoding::skip_field(wire_type, number, &mut rest, context).expect("a field");
    }
    assert!(order(&numbers), "{numbers:?}");
}

#[test]
fn packed_and_plain_repeats_are_both_read() {
    // Field 18, zigzag: packed, then one by one.
    let packed = b"\x92\x01\x02\x01\x02";
    let plain = b"\x90\x01\x01\x90\x01\x02";
    for bytes in [&packed[..], plain] {
        let read = Everything::decode(bytes).expect("both forms");
        assert_eq!(read.numbers, [-1, 1]);
    }
    // Field 19 says `packed = false`.
    let plain = b"\x98\x01\x03\x98\x01\x04";
    let read = Everything::decode(&plain[..]).expect("both forms");
    assert_eq!(read.encode_to_vec(), plain);
}

#[test]
fn fields_of_later_versions_and_numbers_without_names_are_no_fault() {
    // Field 500, and number 9 of the enum in field 16.
    let read = Everything::decode(&b"\xa2\x1f\x01x\x80\x01\x09"[..]).expect("passed over");
    assert_eq!(read.state, everything::State::Unrecognized(9));
    assert_eq!(i32::from(read.state), 9);
    assert_eq!(read.state.name(), None);
    assert_eq!(
        everything::State::from_name("STATE_STARTED"),
        Some(everything::State::Running)
    );
    assert_eq!(everything::State::Running.name(), Some("STATE_RUNNING"));
}

#[test]
fn a_oneof_keeps_the_last_member_and_merges_a_message_that_comes_twice() {
    let tree = |text: &str| {
        let inner = Everything {
            a_string: text.to_owned(),
            an_int32: i32::from(text.is_empty()),
            ..Everything::default()
        };
        Everything {
            choice: Some(everything::Choice::Tree(Box::new(inner))),
            ..Everything::default()
        }
    };
    let twice = [tree("a").encode_to_vec(), tree("").encode_to_vec()].concat();
    let read = Everything::decode(twice.as_slice()).expect("valid");
    let Some(everything::Choice::Tree(merged)) = read.choice else {
        unreachable!("the member that was written");
    };
    assert_eq!((merged.a_string.as_str(), merged.an_int32), ("a", 1));
}

#[test]
fn a_missing_required_field_is_named_by_its_path() {
    let whole = Old {
        name: "cow".to_owned(),
        tail: Box::new(old::Tail {
            length: 1,
            of: None,
        }),
        ..Old::default()
    };
    assert_eq!(
        Old::decode(whole.encode_to_vec().as_slice()),
        Ok(whole.clone())
    );
    let calf = [
        &b"\x4a"[..],
        &[u8::try_from(4).expect("short")],
        b"\x0a\x02ox",
    ]
    .concat();
    let bytes = [whole.encode_to_vec(), calf].concat();
    let error = Old::decode(bytes.as_slice()).expect_err("the calf has no tail");
    assert!(error.to_string().contains("calves[0].tail"), "{error}");
}

#[test]
fn defaults_of_proto2_are_answered_for_what_is_absent() {
    let old = Old::default();
    assert_eq!(old.legs_or_default(), 4);
    assert_eq!(old.sound_or_default(), "\"moo\"");
    assert_eq!(old.mark_or_default(), b"\x01\xff!");
    assert!(old.weight_or_default().is_infinite());
    assert_eq!(old.mood_or_default(), old::Mood::Calm);
}

#[test]
fn a_fault_on_the_wire_names_the_field() {
    let error = Money::decode(&b"\x0a\x01\xff"[..]).expect_err("not utf-8");
    assert!(
        error.to_string().contains("shop.common.v1.Money.currency"),
        "{error}"
    );
}

#[test]
fn messages_nested_without_end_are_refused() {
    let mut bytes = Vec::new();
    for _ in 0..200 {
        let mut outer = Vec::new();
        prost::encoding::bytes::encode(17, &bytes, &mut outer);
        bytes = outer;
    }
    let error = Everything::decode(bytes.as_slice()).expect_err("too deep");
    assert!(error.to_string().contains("recursion limit"), "{error}");
}

#[test]
fn a_client_is_made_from_a_url() {
    assert!(PaymentsClient::connect("http://localhost:1").is_ok());
    assert!(PaymentsClient::connect("nowhere").is_err());
}

#[test]
fn a_package_takes_the_module_that_a_message_would_have() {
    let beside = Beside {
        state: everything::State::Lost,
    };
    assert_eq!(
        beside.encode_to_vec(),
        Beside::decode(beside.encode_to_vec().as_slice())
            .map(|it| it.encode_to_vec())
            .unwrap_or_default()
    );
    assert_eq!(format!("{beside:?}"), "Beside { state: STATE_LOST }");
}

#[test]
fn a_oneof_by_itself_is_shown_as_short_as_in_its_message() {
    use contract::message::TEXT_BYTES_MAX;
    use contracts::odd::v1::only_choice::Choice;

    let shown = format!("{:?}", Choice::Name("a".repeat(TEXT_BYTES_MAX + 9)));
    let expected = format!("Name(\"{}\" and 9 bytes more)", "a".repeat(TEXT_BYTES_MAX));
    assert_eq!(shown, expected);
    assert_eq!(format!("{:?}", Choice::Name("b".to_owned())), "Name(\"b\")");
    assert_eq!(format!("{:?}", Choice::Number(7)), "Number(7)");
}
