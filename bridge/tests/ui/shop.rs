//! The messages of a small contract, as the generator writes them.

use bridge::__rt::{MethodMeta, RpcRequest, prost};

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

#[derive(Clone, Debug)]
pub struct Db;

#[derive(Debug, bridge::Error)]
pub enum ChargeError {
    OutOfStock,
    Declined(String),
}

pub type Charged = Result<ChargeReply, ChargeError>;
