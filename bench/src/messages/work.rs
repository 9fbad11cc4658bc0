//! What is done with which message, by whom.
//!
//! Refuses to compare what is not the same: both sides begin with equal bytes and equal JSON, and
//! have to make those same bytes and that same JSON of what they read.

use std::hint::black_box;

use clap::ValueEnum;
use prost::Message;
use prost::bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::plain;
use crate::failure::{Context as _, Failure, Result};

/// Ours; `bridge::include_contract!` of the same package as tonic's beside it.
mod ours {
    bridge::include_contract!("bench.orders.v1");
}

/// What prost's generator makes of the contract.
mod peer {
    #![allow(missing_debug_implementations, unreachable_pub)] // not ours to change
    include!(concat!(env!("OUT_DIR"), "/tonic/bench.orders.v1.rs"));
}

/// A message of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
pub(crate) enum Name {
    /// Ids, texts, six lines, a map, a oneof, a timestamp, packed numbers, bytes
    Order,
    /// An id, a number, a flag
    Request,
}

/// What is done with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
pub(crate) enum Work {
    /// A struct to bytes
    Encode,
    /// Bytes to a struct, which is dropped
    Decode,
    /// A struct to ProtoJSON
    JsonOut,
    /// ProtoJSON to a struct, which is dropped
    JsonIn,
}

/// Who does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
pub(crate) enum Side {
    /// What our generator makes
    Bridge,
    /// What prost's makes; for JSON, structs of serde written for this one document
    Peer,
}

/// Does the work so many times.
pub(super) type Run = Box<dyn Fn(u64)>;

/// Does one piece of work `times` times and nothing else, for valgrind to watch.
pub(crate) fn run(message: Name, work: Work, side: Side, times: u64) -> Result<()> {
    Sample::of(message)?.run(work, side)?(times);
    Ok(())
}

/// A message as both sides write it.
pub(super) struct Sample {
    name: Name,
    pub(super) bytes: Bytes,
    pub(super) json: Vec<u8>,
}

impl Sample {
    pub(super) fn of(name: Name) -> Result<Self> {
        match name {
            Name::Order => Self::agreed::<ours::Order, peer::Order, plain::Order>(name, &order()),
            Name::Request => Self::agreed::<
                ours::OrderRequest,
                peer::OrderRequest,
                plain::OrderRequest,
            >(name, &request()),
        }
    }

    fn agreed<O, P, J>(name: Name, message: &P) -> Result<Self>
    where
        O: Message + Default + Serialize + DeserializeOwned,
        P: Message + Default,
        J: Serialize + DeserializeOwned,
    {
        let bytes = Bytes::from(message.encode_to_vec());
        let read = O::decode(bytes.clone()).context("our decoder")?;
        let json = serde_json::to_vec(&read).context("our JSON")?;
        let plain: J = serde_json::from_slice(&json).context("the plain structs")?;
        let again: O = serde_json::from_slice(&json).context("our JSON")?;
        let is_same = read.encode_to_vec() == bytes
            && again.encode_to_vec() == bytes
            && serde_json::to_vec(&plain).context("the plain structs")? == json;
        if !is_same {
            return Err(Failure::new(format!("{name:?} is not the same to both")));
        }
        Ok(Self { name, bytes, json })
    }

    /// What does this piece of work, as often as it is told.
    pub(super) fn run(&self, work: Work, side: Side) -> Result<Run> {
        match (self.name, side) {
            (Name::Order, Side::Bridge) => self.with::<ours::Order, ours::Order>(work),
            (Name::Order, Side::Peer) => self.with::<peer::Order, plain::Order>(work),
            (Name::Request, Side::Bridge) => {
                self.with::<ours::OrderRequest, ours::OrderRequest>(work)
            }
            (Name::Request, Side::Peer) => {
                self.with::<peer::OrderRequest, plain::OrderRequest>(work)
            }
        }
    }

    fn with<M, J>(&self, work: Work) -> Result<Run>
    where
        M: Message + Default + 'static,
        J: Serialize + DeserializeOwned + 'static,
    {
        let (bytes, json) = (self.bytes.clone(), self.json.clone());
        Ok(match work {
            Work::Encode => {
                let message = M::decode(bytes).context("a decoder")?;
                repeated(move || black_box(&message).encode_to_vec())
            }
            Work::Decode => repeated(move || M::decode(black_box(&bytes).clone())),
            Work::JsonOut => {
                let message: J = serde_json::from_slice(&json).context("a reader of JSON")?;
                repeated(move || serde_json::to_vec(black_box(&message)))
            }
            Work::JsonIn => repeated(move || serde_json::from_slice::<J>(black_box(&json))),
        })
    }
}

fn repeated<T>(once: impl Fn() -> T + 'static) -> Run {
    Box::new(move |times| {
        for _ in 0..times {
            drop(black_box(once()));
        }
    })
}

/// An order as shops send it.
fn order() -> peer::Order {
    let labels = [
        ("campaign", "autumn"),
        ("channel", "web"),
        ("priority", "normal"),
        ("region", "eu-central"),
    ];
    peer::Order {
        order_id: "0190f3c2-7b6e-7cc1-9d0a-3f9d1c2b4a5e".into(),
        customer_id: "cust_8h2k1m4n".into(),
        total_cents: 248_350,
        currency: "EUR".into(),
        status: peer::Status::Paid.into(),
        placed_at: Some(prost_types::Timestamp {
            seconds: 1_782_000_000,
            nanos: 250_000_000,
        }),
        lines: (0..6).map(line).collect(),
        labels: labels.map(|(key, value)| (key.into(), value.into())).into(),
        discount_cents: vec![5, 150, 99, 20_000, 1, 7_450],
        payment: Some(peer::order::Payment::Card(peer::Card {
            network: "visa".into(),
            last_digits: "4242".into(),
            expiry_month: 11,
            expiry_year: 2029,
        })),
        signature: (0..64_u8).map(|it| it.wrapping_mul(37)).collect(),
        ship_to: Some(peer::Address {
            name: "Ada Example".into(),
            street: "Lindenstraße 12".into(),
            postal_code: "10969".into(),
            city: "Berlin".into(),
            country: "DE".into(),
        }),
        note: Some("please ring twice".into()),
        is_gift: true,
        batch_ids: vec![1, 1 << 40, u64::MAX, 77],
    }
}

fn line(index: u32) -> peer::Line {
    const TITLES: [&str; 3] = [
        "Espresso beans, dark roast, 1 kg",
        "Porcelain cup",
        "Filter papers no. 4, unbleached",
    ];
    peer::Line {
        sku: format!("SKU-{:05}", index * 731),
        title: TITLES[index as usize % TITLES.len()].into(),
        quantity: index + 1,
        unit_cents: 1_295 + i64::from(index) * 40_000,
        options: (0..index % 3).map(|it| format!("option {it}")).collect(),
        weight_kg: 0.25 * f64::from(index + 1),
    }
}

/// The request for one.
fn request() -> peer::OrderRequest {
    peer::OrderRequest {
        order_id: "0190f3c2-7b6e-7cc1-9d0a-3f9d1c2b4a5e".into(),
        lines_max: 50,
        with_address: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_agree_on_every_message_and_can_do_all_of_the_work() {
        for name in Name::value_variants() {
            let sample = Sample::of(*name).expect("the same to both");
            for work in Work::value_variants() {
                for side in Side::value_variants() {
                    sample.run(*work, *side).expect("it is read")(1);
                }
            }
        }
    }
}
