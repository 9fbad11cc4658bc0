//! The messages of a small contract, as the generator writes them.

use bridge::__rt::{MethodMeta, RpcRequest, RpcStreamRequest, Target, prost};

#[derive(Clone, PartialEq, prost::Message)]
#[prost(prost_path = "::bridge::__rt::prost")]
pub struct ChargeRequest {
    #[prost(int64, tag = "1")]
    pub cents: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
#[prost(prost_path = "::bridge::__rt::prost")]
pub struct ChargeReply {
    #[prost(string, tag = "1")]
    pub id: String,
}

#[derive(Clone, PartialEq, prost::Message)]
#[prost(prost_path = "::bridge::__rt::prost")]
pub struct RefundReply {}

impl RpcRequest<ChargeReply> for ChargeRequest {
    const METHODS: &'static [MethodMeta] = &[MethodMeta {
        service: "shop.payments.v1.Payments",
        name: "Charge",
        contract_hash: "v2:0",
        input_schema: "{}",
        output_schema: "{}",
        streaming: false,
    }];
}

#[derive(Clone, PartialEq, prost::Message)]
#[prost(prost_path = "::bridge::__rt::prost")]
pub struct Line {
    #[prost(int64, tag = "1")]
    pub cents: i64,
}

impl RpcStreamRequest<Line> for ChargeRequest {
    const METHODS: &'static [MethodMeta] = &[MethodMeta {
        service: "shop.payments.v1.Payments",
        name: "Statement",
        contract_hash: "v2:1",
        input_schema: "{}",
        output_schema: "{}",
        streaming: true,
    }];
}

/// A contract that handlers call.
#[derive(Debug)]
pub struct Inventory;

impl bridge::Contract for Inventory {
    const NAME: &'static str = "shop.inventory.v1.Inventory";
    const DEFAULT_TARGET: &'static str = "inventory";
    const METHODS: &'static [MethodMeta] = &[];
    type Client = InventoryClient;
}

#[derive(Clone, Debug)]
pub struct InventoryClient {
    target: Target,
}

impl From<Target> for InventoryClient {
    fn from(target: Target) -> Self {
        Self { target }
    }
}

bridge::__rt::client_impls!(InventoryClient, Inventory);

#[derive(Clone, Debug)]
pub struct Db;

#[derive(Debug, bridge::Error)]
pub enum ChargeError {
    OutOfStock,
    Declined(String),
}

pub type Charged = Result<ChargeReply, ChargeError>;
