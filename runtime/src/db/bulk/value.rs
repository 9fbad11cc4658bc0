//! Values of any column of either database, and rows of them as bytes.
//!
//! A value is a tag and its content; lengths and integers are LEB128, so that small ones are short.
//! Invariant: what was encoded decodes to the same; anything else is an error, never a panic.

use serde::{Deserialize, Serialize};

/// What a column holds, the same word on both databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// 64 bits.
    Integer,
    /// 64 bits, floating.
    Real,
    /// Text.
    Text,
    /// Bytes.
    Bytes,
    /// True or false; an integer on SQLite.
    Boolean,
    /// Words of the row for searching, which each database keeps in its own way. Made anew from the
    /// row when it is restored, never read.
    Words,
}

impl Kind {
    /// From the type that a database declares.
    pub(super) fn declared(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "bigint" | "integer" => Some(Self::Integer),
            "double precision" | "real" => Some(Self::Real),
            "text" => Some(Self::Text),
            "blob" | "bytea" => Some(Self::Bytes),
            "boolean" => Some(Self::Boolean),
            _ => None,
        }
    }
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Column {
    /// Its name.
    pub(crate) name: String,
    /// What it holds.
    pub(crate) kind: Kind,
}

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// Nothing.
    Null,
    /// Also a boolean, as 0 or 1.
    Integer(i64),
    /// A floating number; compared and kept bit by bit.
    Real(f64),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// Values in the order of the columns.
pub(crate) type Row = Vec<Value>;

impl Value {
    /// Appends it to `out`.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.push(0),
            Self::Integer(number) => {
                out.push(1);
                put_number(out, zigzag(*number));
            }
            Self::Real(number) => {
                out.push(2);
                out.extend_from_slice(&number.to_bits().to_le_bytes());
            }
            Self::Text(text) => put_bytes(out, 3, text.as_bytes()),
            Self::Bytes(bytes) => put_bytes(out, 4, bytes),
        }
    }

    fn decode(input: &mut &[u8]) -> Option<Self> {
        let (tag, rest) = input.split_first()?;
        *input = rest;
        Some(match tag {
            0 => Self::Null,
            1 => Self::Integer(unzigzag(take_number(input)?)),
            2 => {
                let (bits, rest) = input.split_first_chunk()?;
                *input = rest;
                Self::Real(f64::from_bits(u64::from_le_bytes(*bits)))
            }
            3 => Self::Text(String::from_utf8(take_bytes(input)?.to_vec()).ok()?),
            4 => Self::Bytes(take_bytes(input)?.to_vec()),
            _ => return None,
        })
    }
}

/// The rows in `input`, each of `columns` values; `None` when it holds anything else.
pub(crate) fn decode_rows(mut input: &[u8], columns: usize) -> Option<Vec<Row>> {
    let mut rows = Vec::new();
    if columns == 0 {
        return input.is_empty().then_some(rows);
    }
    while !input.is_empty() {
        let values = (0..columns).map(|_| Value::decode(&mut input));
        rows.push(values.collect::<Option<Row>>()?);
    }
    Some(rows)
}

fn put_bytes(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    out.push(tag);
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn take_bytes<'i>(input: &mut &'i [u8]) -> Option<&'i [u8]> {
    let length = usize::try_from(take_number(input)?).ok()?;
    let (bytes, rest) = input.split_at_checked(length)?;
    *input = rest;
    Some(bytes)
}

fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn take_number(input: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = input.split_first()?;
        *input = rest;
        let bits = u64::from(byte & 0x7f);
        if shift == 63 && bits > 1 {
            return None;
        }
        number |= bits << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

fn unzigzag(number: u64) -> i64 {
    ((number >> 1) as i64) ^ -((number & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        vec![
            Value::Null,
            Value::Integer(i64::MIN),
            Value::Integer(i64::MAX),
            Value::Integer(-1),
            Value::Real(0.1 + 0.2),
            Value::Real(f64::NEG_INFINITY),
            Value::Text("é\t\n\0".to_owned()),
            Value::Bytes(vec![0, 255]),
            Value::Text(String::new()),
        ]
    }

    #[test]
    fn rows_come_back_as_they_were() {
        let mut bytes = Vec::new();
        for value in row().iter().chain(&row()) {
            value.encode(&mut bytes);
        }
        assert_eq!(decode_rows(&bytes, row().len()), Some(vec![row(), row()]));
        assert_eq!(decode_rows(&[], 3), Some(Vec::new()));
    }

    #[test]
    fn what_is_no_row_is_an_error_and_never_a_panic() {
        let mut bytes = Vec::new();
        for value in row() {
            value.encode(&mut bytes);
        }
        for end in 1..bytes.len() {
            assert_eq!(
                decode_rows(&bytes[..end], row().len()),
                None,
                "cut at {end}"
            );
        }
        assert_eq!(decode_rows(&[9], 1), None, "an unknown tag");
        assert_eq!(decode_rows(&[3, 1, 0xff], 1), None, "text that is none");
        assert_eq!(
            decode_rows(
                &[1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2],
                1
            ),
            None
        );
        assert_eq!(decode_rows(&[0], 0), None);
    }
}
