//! The peer for JSON: structs of serde that read and write the one document that is compared.
//!
//! Refuses nothing that a ProtoJSON reader has to refuse, knows one spelling of every key, and
//! keeps the timestamp as the text it is: the least that somebody could write by hand.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Order {
    order_id: String,
    customer_id: String,
    #[serde(with = "in_text")]
    total_cents: i64,
    currency: String,
    status: Status,
    placed_at: String,
    lines: Vec<Line>,
    labels: BTreeMap<String, String>,
    #[serde(with = "in_texts")]
    discount_cents: Vec<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    card: Option<Card>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invoice: Option<String>,
    #[serde(with = "in_base64")]
    signature: Vec<u8>,
    ship_to: Option<Address>,
    note: Option<String>,
    is_gift: bool,
    #[serde(with = "in_texts")]
    batch_ids: Vec<u64>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(clippy::enum_variant_names)] // the contract's names
enum Status {
    StatusPlaced,
    StatusPaid,
    StatusSent,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    sku: String,
    title: String,
    quantity: u32,
    #[serde(with = "in_text")]
    unit_cents: i64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    options: Vec<String>,
    weight_kg: f64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Card {
    network: String,
    last_digits: String,
    expiry_month: u32,
    expiry_year: u32,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Address {
    name: String,
    street: String,
    postal_code: String,
    city: String,
    country: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderRequest {
    order_id: String,
    lines_max: u32,
    with_address: bool,
}

/// A number of 64 bits, which ProtoJSON writes as text.
mod in_text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(it: &i64, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(it)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>, T>(from: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
    {
        let text = <&str>::deserialize(from)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// Several of them.
mod in_texts {
    use std::fmt::{Display, Formatter};
    use std::marker::PhantomData;
    use std::str::FromStr;

    use serde::de::{Error as _, SeqAccess, Visitor};
    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer, T: Display>(it: &[T], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(it.iter().map(T::to_string))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>, T>(from: D) -> Result<Vec<T>, D::Error>
    where
        T: FromStr<Err: Display>,
    {
        from.deserialize_seq(Texts(PhantomData))
    }

    struct Texts<T>(PhantomData<T>);

    impl<'de, T: FromStr<Err: Display>> Visitor<'de> for Texts<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
            f.write_str("numbers as texts")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Vec<T>, A::Error> {
            let mut all = Vec::new();
            while let Some(text) = access.next_element::<&str>()? {
                all.push(text.parse().map_err(A::Error::custom)?);
            }
            Ok(all)
        }
    }
}

/// Bytes, which ProtoJSON writes as base64.
mod in_base64 {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(it: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(it))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        STANDARD
            .decode(<&str>::deserialize(from)?)
            .map_err(D::Error::custom)
    }
}
