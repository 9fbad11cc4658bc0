//! Random values of what is declared; the same seed gives the same value.

use std::collections::BTreeMap;

use prost::bytes::Bytes;
use prost_types::value::Kind;
use prost_types::{Duration, FieldMask, ListValue, Struct, Timestamp, Value};

use super::declared::{Ask, Everything, Method, Money, Second, State, Told};

/// A source of values, and how deep messages may still be.
pub(crate) struct Random {
    numbers: fastrand::Rng,
    depth: u32,
}

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            numbers: fastrand::Rng::with_seed(seed),
            depth: 3,
        }
    }

    pub(crate) fn any<T: Any>(&mut self) -> T {
        T::any(self)
    }

    /// Often a border, else of any size.
    fn bits(&mut self) -> u64 {
        match self.numbers.u8(..6) {
            0 => 0,
            1 => 1,
            2 => u64::MAX,
            3 => 1 << self.numbers.u32(..64),
            _ => self.numbers.u64(..) >> self.numbers.u32(..64),
        }
    }

    fn some(&mut self) -> bool {
        self.numbers.bool()
    }

    /// Whether there is room for one more message inside.
    fn inside<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.depth == 0 || self.numbers.u8(..3) > 0 {
            return None;
        }
        self.depth -= 1;
        let made = make(self);
        self.depth += 1;
        Some(made)
    }
}

pub(crate) trait Any: Sized {
    fn any(random: &mut Random) -> Self;
}

macro_rules! numbers {
    ($($ty:ty),+) => {$(
        impl Any for $ty {
            fn any(random: &mut Random) -> Self {
                random.bits() as $ty
            }
        }
    )+};
}

numbers!(i32, i64, u32, u64);

impl Any for f64 {
    fn any(random: &mut Random) -> Self {
        match random.numbers.u8(..4) {
            0 => -0.0,
            1 => random.numbers.f64(),
            _ => f64::from_bits(random.bits()),
        }
    }
}

impl Any for f32 {
    fn any(random: &mut Random) -> Self {
        match random.numbers.u8(..4) {
            0 => -0.0,
            1 => random.numbers.f32(),
            _ => f32::from_bits(random.bits() as u32),
        }
    }
}

impl Any for bool {
    fn any(random: &mut Random) -> Self {
        random.some()
    }
}

impl Any for String {
    fn any(random: &mut Random) -> Self {
        let len = [0, 1, 3, 130][random.numbers.usize(..4)];
        (0..len).map(|_| random.numbers.char(..)).collect()
    }
}

impl Any for Vec<u8> {
    fn any(random: &mut Random) -> Self {
        let len = [0, 1, 5, 200][random.numbers.usize(..4)];
        (0..len).map(|_| random.numbers.u8(..)).collect()
    }
}

impl Any for Bytes {
    fn any(random: &mut Random) -> Self {
        random.any::<Vec<u8>>().into()
    }
}

macro_rules! lists {
    ($($ty:ty),+) => {$(
        impl Any for Vec<$ty> {
            fn any(random: &mut Random) -> Self {
                (0..random.numbers.usize(..4)).map(|_| random.any()).collect()
            }
        }
    )+};
}

lists!(i64, u64, f32, bool, String, Vec<u8>, State, Money);

macro_rules! options {
    ($($ty:ty),+) => {$(
        impl Any for Option<$ty> {
            fn any(random: &mut Random) -> Self {
                random.some().then(|| random.any())
            }
        }
    )+};
}

options!(
    i32,
    u64,
    f64,
    String,
    Vec<u8>,
    State,
    Timestamp,
    Duration,
    FieldMask,
    Method,
    Second,
    ()
);

impl<K: Any + Ord, V: Any> Any for BTreeMap<K, V> {
    fn any(random: &mut Random) -> Self {
        let entries = 0..random.numbers.usize(..4);
        entries.map(|_| (random.any(), random.any())).collect()
    }
}

impl Any for () {
    fn any(_: &mut Random) {}
}

impl Any for State {
    fn any(random: &mut Random) -> Self {
        // As a reader makes it, where each number is one variant.
        State::from([0, 1, -3, 7][random.numbers.usize(..4)])
    }
}

impl Any for Money {
    fn any(random: &mut Random) -> Self {
        Money {
            currency: random.any(),
            minor: random.any(),
        }
    }
}

impl Any for Timestamp {
    fn any(random: &mut Random) -> Self {
        Timestamp {
            seconds: random.numbers.i64(-62_135_596_800..=253_402_300_799),
            nanos: random.numbers.i32(..1_000_000_000).max(0),
        }
    }
}

impl Any for Duration {
    fn any(random: &mut Random) -> Self {
        Duration {
            seconds: random.numbers.i64(..315_576_000_000).max(0),
            nanos: random.numbers.i32(..1_000_000_000).max(0),
        }
    }
}

impl Any for FieldMask {
    fn any(_: &mut Random) -> Self {
        FieldMask {
            paths: vec!["order_id".to_owned(), "a.b_c".to_owned()],
        }
    }
}

impl Any for Value {
    fn any(random: &mut Random) -> Self {
        let kind = match random.numbers.u8(..4) {
            0 => Kind::NullValue(0),
            1 => Kind::NumberValue(random.numbers.f64()),
            2 => Kind::BoolValue(random.any()),
            _ => Kind::StringValue(random.any()),
        };
        Value { kind: Some(kind) }
    }
}

impl Any for Option<Value> {
    fn any(random: &mut Random) -> Self {
        random.some().then(|| random.any())
    }
}

impl Any for Option<Struct> {
    fn any(random: &mut Random) -> Self {
        random.some().then(|| Struct {
            fields: random.any(),
        })
    }
}

impl Any for Option<ListValue> {
    fn any(random: &mut Random) -> Self {
        random.some().then(|| ListValue {
            values: vec![random.any(), random.any()],
        })
    }
}

impl Any for Method {
    fn any(random: &mut Random) -> Self {
        match random.numbers.u8(..3) {
            0 => Method::Money(random.any()),
            1 => Method::PointsUsed(random.any()),
            _ => Method::Voucher(random.any()),
        }
    }
}

impl Any for Second {
    fn any(random: &mut Random) -> Self {
        let again = random.inside(|random| Second::Again(Box::new(random.any())));
        again.unwrap_or_else(|| match random.numbers.u8(..3) {
            0 => Second::Bytes(random.any()),
            1 => Second::Became(random.any()),
            _ => Second::Wrapped(random.any()),
        })
    }
}

macro_rules! messages {
    ($($message:ident { $($field:ident),+ $(; $inner:ident, $inners:ident)? })+) => {$(
        impl Any for $message {
            fn any(random: &mut Random) -> Self {
                $message {
                    $($field: random.any(),)+
                    $(
                        $inner: random.inside(|random| Box::new(random.any())),
                        $inners: random.inside(|random| vec![random.any()]).unwrap_or_default(),
                    )?
                }
            }
        }
    )+};
}

messages! {
    Everything {
        double, float, int32, int64, uint32, uint64, sint32, sint64, fixed32, fixed64, sfixed32,
        sfixed64, bool, text, octets, shared, state, some_int32, some_fixed64, some_text,
        some_octets, some_state, some_double, uint64s, sint64s, texts, many_octets, moneys, states,
        bools, floats, moneys_by_name, numbers, states_by_flag, octets_by_number, wrapped_int32,
        wrapped_double, wrapped_text, wrapped_octets, at, took, mask, free, value, list, nothing,
        method, between, second, r#type, last; inner, inners
    }
    Ask { text, count, parts, fresh, ratio, raw }
    Told { texts, left }
}
