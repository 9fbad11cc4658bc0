//! How OTLP's JSON differs from what `serde` would read: hex ids, long numbers as text, `null`.
//!
//! Refuses text that is no number and ids that are not hex; an id of a wrong length is left for
//! whoever looks at the span.

use base64::Engine as _;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// `null` is what an absent field is.
pub(super) fn nullable<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// Bytes as hex digits.
pub(super) fn hex<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
    let text: String = nullable(from)?;
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = |pair: &[u8]| {
        let [high, low] = pair else { return None };
        u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()
    };
    let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).map(byte).collect();
    bytes.ok_or_else(|| D::Error::custom("an id is not hex"))
}

/// A number, or its digits as text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Digits<'t> {
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    #[serde(borrow)]
    Text(std::borrow::Cow<'t, str>),
}

/// An unsigned number of 64 bits.
#[derive(Clone, Copy, Default)]
struct Unsigned(u64);

impl<'de> Deserialize<'de> for Unsigned {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let read = match Digits::deserialize(from)? {
            Digits::Unsigned(number) => Some(number),
            Digits::Text(text) => text.parse().ok(),
            Digits::Signed(_) | Digits::Float(_) => None,
        };
        let wrong = || D::Error::custom("a field wants a whole number of 64 bits");
        read.map(Self).ok_or_else(wrong)
    }
}

/// A signed number of 64 bits.
#[derive(Clone, Copy, Default)]
pub(super) struct Int(pub(super) i64);

impl<'de> Deserialize<'de> for Int {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let read = match Digits::deserialize(from)? {
            Digits::Unsigned(number) => i64::try_from(number).ok(),
            Digits::Signed(number) => Some(number),
            Digits::Text(text) => text.parse().ok(),
            Digits::Float(_) => None,
        };
        let wrong = || D::Error::custom("a field wants a whole number of 64 bits");
        read.map(Self).ok_or_else(wrong)
    }
}

/// A floating point number; `NaN` and the infinities are text.
#[derive(Clone, Copy, Default)]
pub(super) struct Double(pub(super) f64);

impl<'de> Deserialize<'de> for Double {
    #[expect(
        clippy::cast_precision_loss,
        reason = "that is what a double in JSON loses too"
    )]
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let read = match Digits::deserialize(from)? {
            Digits::Unsigned(number) => Some(number as f64),
            Digits::Signed(number) => Some(number as f64),
            Digits::Float(number) => Some(number),
            Digits::Text(text) => text.parse().ok(),
        };
        let wrong = || D::Error::custom("a field wants a number");
        read.map(Self).ok_or_else(wrong)
    }
}

pub(super) fn number<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    Ok(nullable::<D, Unsigned>(from)?.0)
}

pub(super) fn numbers<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u64>, D::Error> {
    let read: Vec<Unsigned> = nullable(from)?;
    Ok(read.into_iter().map(|it| it.0).collect())
}

pub(super) fn double<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    Ok(Option::<Double>::deserialize(from)?.map(|it| it.0))
}

pub(super) fn doubles<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<f64>, D::Error> {
    let read: Vec<Double> = nullable(from)?;
    Ok(read.into_iter().map(|it| it.0).collect())
}

/// Bytes as base64.
pub(super) struct Base64(pub(super) Vec<u8>);

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let bytes = base64::engine::general_purpose::STANDARD.decode(text);
        bytes.map(Self).map_err(D::Error::custom)
    }
}
