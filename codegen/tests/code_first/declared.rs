//! Contracts in Rust: every form that a field can have, in two packages.

use std::collections::BTreeMap;

use bridge_macros::{Enumeration, Message, Oneof};
use prost::bytes::Bytes;
use prost_types::{Duration, FieldMask, ListValue, Struct, Timestamp, Value};

/// Money, of another package.
#[derive(Clone, PartialEq, Message)]
#[bridge(package = "code.other.v1")]
pub struct Money {
    #[bridge(1)]
    pub currency: String,
    /// In the smallest unit
    /// of the currency.
    #[bridge(2)]
    pub minor: i64,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enumeration)]
#[bridge(package = "code.first.v1")]
pub enum State {
    #[bridge(0)]
    Unspecified,
    /// Done.
    #[bridge(1)]
    Done,
    #[bridge(-3, name = "STATE_LOST_FOR_GOOD")]
    Lost,
    Unrecognized(i32),
}

/// How to pay.
#[derive(Clone, Debug, PartialEq, Oneof)]
pub enum Method {
    #[bridge(71)]
    Money(Money),
    #[bridge(73, sint32)]
    PointsUsed(i32),
    /// A code.
    #[bridge(76)]
    Voucher(String),
}

#[derive(Clone, Debug, PartialEq, Oneof)]
pub enum Second {
    #[bridge(75)]
    Again(Box<Everything>),
    #[bridge(72, name = "raw")]
    Bytes(Vec<u8>),
    #[bridge(77)]
    Became(State),
    #[bridge(78, wrapper)]
    Wrapped(u64),
}

/// Everything that a field can be.
#[derive(Clone, PartialEq, Message)]
#[bridge(package = "code.first.v1")]
pub struct Everything {
    #[bridge(1)]
    pub double: f64,
    #[bridge(2)]
    pub float: f32,
    #[bridge(3)]
    pub int32: i32,
    #[bridge(4)]
    pub int64: i64,
    #[bridge(5)]
    pub uint32: u32,
    #[bridge(6)]
    pub uint64: u64,
    #[bridge(7, sint32)]
    pub sint32: i32,
    #[bridge(8, sint64)]
    pub sint64: i64,
    #[bridge(9, fixed32)]
    pub fixed32: u32,
    #[bridge(10, fixed64)]
    pub fixed64: u64,
    #[bridge(11, sfixed32)]
    pub sfixed32: i32,
    #[bridge(12, sfixed64)]
    pub sfixed64: i64,
    #[bridge(13)]
    pub bool: bool,
    #[bridge(14)]
    pub text: String,
    #[bridge(15)]
    pub octets: Vec<u8>,
    #[bridge(16)]
    pub shared: Bytes,
    #[bridge(17)]
    pub state: State,
    #[bridge(20)]
    pub some_int32: Option<i32>,
    #[bridge(21, fixed64)]
    pub some_fixed64: Option<u64>,
    #[bridge(22)]
    pub some_text: Option<String>,
    #[bridge(23)]
    pub some_octets: Option<Vec<u8>>,
    #[bridge(24)]
    pub some_state: Option<State>,
    #[bridge(25)]
    pub some_double: Option<f64>,
    #[bridge(30)]
    pub uint64s: Vec<u64>,
    #[bridge(31, sint64)]
    pub sint64s: Vec<i64>,
    #[bridge(32)]
    pub texts: Vec<String>,
    #[bridge(33)]
    pub many_octets: Vec<Vec<u8>>,
    #[bridge(34)]
    pub moneys: Vec<Money>,
    #[bridge(35)]
    pub states: Vec<State>,
    #[bridge(36)]
    pub bools: Vec<bool>,
    #[bridge(37)]
    pub floats: Vec<f32>,
    #[bridge(40)]
    pub moneys_by_name: BTreeMap<String, Money>,
    #[bridge(41, fixed64, key = "sint32")]
    pub numbers: BTreeMap<i32, u64>,
    #[bridge(42)]
    pub states_by_flag: BTreeMap<bool, State>,
    #[bridge(43)]
    pub octets_by_number: BTreeMap<u64, Vec<u8>>,
    #[bridge(50, wrapper)]
    pub wrapped_int32: Option<i32>,
    #[bridge(51, wrapper)]
    pub wrapped_double: Option<f64>,
    #[bridge(52, wrapper)]
    pub wrapped_text: Option<String>,
    #[bridge(53, wrapper)]
    pub wrapped_octets: Vec<Vec<u8>>,
    #[bridge(60)]
    pub at: Option<Timestamp>,
    #[bridge(61)]
    pub took: Option<Duration>,
    #[bridge(62)]
    pub mask: Option<FieldMask>,
    #[bridge(63)]
    pub free: Option<Struct>,
    #[bridge(64)]
    pub value: Option<Value>,
    #[bridge(65)]
    pub list: Option<ListValue>,
    #[bridge(66)]
    pub nothing: Option<()>,
    /// One way, or the other.
    #[bridge(oneof)]
    pub method: Option<Method>,
    #[bridge(74)]
    pub between: String,
    #[bridge(oneof, name = "alternative")]
    pub second: Option<Second>,
    #[bridge(80)]
    pub inner: Option<Box<Self>>,
    #[bridge(81)]
    pub inners: Vec<Everything>,
    #[bridge(90, name = "kind", json = "@kind")]
    pub r#type: String,
    #[bridge(536870911)]
    pub last: bool,
}

/// What `.schema.json` can say.
#[derive(Clone, PartialEq, Message)]
#[bridge(package = "code.flat.v1")]
pub struct Ask {
    #[bridge(1)]
    pub text: String,
    #[bridge(2)]
    pub count: u32,
    #[bridge(3)]
    pub parts: Vec<u64>,
    #[bridge(4)]
    pub fresh: bool,
    #[bridge(5)]
    pub ratio: f64,
    #[bridge(6)]
    pub raw: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
#[bridge(package = "code.flat.v1")]
pub struct Told {
    #[bridge(1)]
    pub texts: Vec<String>,
    #[bridge(2)]
    pub left: i64,
}

/// Nothing.
#[derive(Clone, PartialEq, Message)]
#[bridge(package = "code.flat.v1", name = "Nothing")]
pub struct Unit;
