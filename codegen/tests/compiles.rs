//! The committed sample as Rust: it compiles against the SDK's surface and means what it says.
//!
//! This crate plays the SDK: generated code only ever names `::bridge::…`.

extern crate self as bridge;

/// The part of the SDK that generated code names, recording calls instead of making them.
pub mod __rt {
    pub use {prost, prost_types};

    #[derive(Debug)]
    pub struct MethodMeta {
        pub service: &'static str,
        pub name: &'static str,
        pub contract_hash: &'static str,
        pub input_schema: &'static str,
        pub output_schema: &'static str,
        pub streaming: bool,
    }

    pub trait Contract {
        const NAME: &'static str;
        const DEFAULT_TARGET: &'static str;
        const METHODS: &'static [MethodMeta];
        type Client: From<Target> + Clone + Send + Sync + 'static;
    }

    pub trait RpcRequest<Reply>: prost::Message + Default + 'static {
        const METHODS: &'static [MethodMeta];
    }

    #[derive(Clone, Debug)]
    pub struct Target;

    impl Target {
        pub fn unary<Req: prost::Message, Rep: prost::Message + Default>(
            &self,
            method: &'static MethodMeta,
            request: Req,
        ) -> super::Call<Rep> {
            let payload = request.encode_to_vec();
            super::Call {
                method,
                payload,
                reply: std::marker::PhantomData,
            }
        }
    }
}

#[derive(Debug)]
pub struct Call<Rep> {
    pub method: &'static __rt::MethodMeta,
    pub payload: Vec<u8>,
    pub reply: std::marker::PhantomData<Rep>,
}

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
use __rt::{Contract, MethodMeta, RpcRequest, Target};
use contracts::shop::common::v1::Money;
use contracts::shop::orders::v1::{OrderBook, OrderBookClient, PlaceReply, PlaceRequest};
use contracts::shop::payments::v1::{
    ChargeReply, ChargeRequest, Payments, PaymentsClient, Pong, charge_request,
};

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
