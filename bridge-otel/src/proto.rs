//! Protocol buffers as bytes: a writer for what is sent, a reader for the little that is read.
//!
//! Invariant: the reader never reads past what it was given; what it cannot read ends it.

/// Appends fields to a message.
#[derive(Debug, Default)]
pub(crate) struct Writer(pub(crate) Vec<u8>);

/// How a field's value is laid out.
const VARINT: u8 = 0;
const FIXED64: u8 = 1;
const BYTES: u8 = 2;
const FIXED32: u8 = 5;

impl Writer {
    /// A number; zero is what an absent field reads as.
    pub(crate) fn number(&mut self, field: u8, value: u64) {
        if value != 0 {
            self.key(field, VARINT);
            self.varint(value);
        }
    }

    /// A number inside of a oneof, where zero and absent differ.
    pub(crate) fn chosen(&mut self, field: u8, value: i64) {
        self.key(field, VARINT);
        self.varint(value.cast_unsigned());
    }

    /// Eight bytes, little-endian, also when they are zero.
    pub(crate) fn fixed64(&mut self, field: u8, value: u64) {
        self.key(field, FIXED64);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn double(&mut self, field: u8, value: f64) {
        self.fixed64(field, value.to_bits());
    }

    pub(crate) fn fixed32(&mut self, field: u8, value: u32) {
        self.key(field, FIXED32);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn bytes(&mut self, field: u8, value: &[u8]) {
        self.key(field, BYTES);
        self.varint(value.len() as u64);
        self.0.extend_from_slice(value);
    }

    /// Text; an empty one is what an absent field reads as.
    pub(crate) fn text(&mut self, field: u8, value: &str) {
        if !value.is_empty() {
            self.bytes(field, value.as_bytes());
        }
    }

    /// Numbers of eight bytes, packed.
    pub(crate) fn packed(&mut self, field: u8, values: impl ExactSizeIterator<Item = u64>) {
        self.key(field, BYTES);
        self.varint(values.len() as u64 * 8);
        for value in values {
            self.0.extend_from_slice(&value.to_le_bytes());
        }
    }

    /// A message in the message. Its length goes in front once it is known; short ones, which
    /// most are, move nothing.
    pub(crate) fn message(&mut self, field: u8, write: impl FnOnce(&mut Self)) {
        self.key(field, BYTES);
        let at = self.0.len();
        self.0.push(0);
        write(self);
        let len = self.0.len() - at - 1;
        if let Ok(short) = u8::try_from(len)
            && short < 0x80
        {
            self.0[at] = short;
            return;
        }
        let mut prefix = Self::default();
        prefix.varint(len as u64);
        self.0.splice(at..=at, prefix.0);
    }

    /// A message in the message whose body exists already, in parts.
    pub(crate) fn joined(&mut self, field: u8, parts: &[&[u8]]) {
        self.key(field, BYTES);
        self.varint(parts.iter().map(|it| it.len() as u64).sum());
        for part in parts {
            self.0.extend_from_slice(part);
        }
    }

    fn key(&mut self, field: u8, layout: u8) {
        self.varint(u64::from(field) << 3 | u64::from(layout));
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.0.push(value.to_le_bytes()[0]);
    }
}

/// A field's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value<'b> {
    Number(u64),
    Bytes(&'b [u8]),
}

impl<'b> Value<'b> {
    pub(crate) fn bytes(self) -> Option<&'b [u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Number(_) => None,
        }
    }
}

/// Reads the fields of a message, in order.
#[derive(Debug)]
pub(crate) struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    pub(crate) fn new(message: &'b [u8]) -> Self {
        Self(message)
    }

    /// The last value of a field, which is the one that counts.
    pub(crate) fn last(message: &'b [u8], field: u64) -> Option<Value<'b>> {
        let all = Self::new(message).filter(|(number, _)| *number == field);
        all.last().map(|(_, value)| value)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, len: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn field(&mut self) -> Option<(u64, Value<'b>)> {
        let key = self.varint()?;
        let value = match (key & 7).to_le_bytes()[0] {
            VARINT => Value::Number(self.varint()?),
            FIXED64 => Value::Number(u64::from_le_bytes(self.take(8)?.try_into().ok()?)),
            BYTES => {
                let len = usize::try_from(self.varint()?).ok()?;
                Value::Bytes(self.take(len)?)
            }
            FIXED32 => Value::Number(u32::from_le_bytes(self.take(4)?.try_into().ok()?).into()),
            _ => return None,
        };
        Some((key >> 3, value))
    }
}

impl<'b> Iterator for Reader<'b> {
    type Item = (u64, Value<'b>);

    fn next(&mut self) -> Option<Self::Item> {
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        field
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for len in [0, 1, 127, 128, 16_383, 16_384, 70_000] {
            let mut writer = Writer::default();
            writer.number(1, u64::MAX);
            writer.message(2, |inner| inner.bytes(3, &vec![7; len]));
            writer.fixed64(16, 9);
            writer.fixed32(17, 8);
            let read: Vec<_> = Reader::new(&writer.0).collect();
            let Value::Bytes(inner) = read[1].1 else {
                panic!("{:?}", read[1]);
            };
            let mut inner = Reader::new(inner);
            assert_eq!(inner.next(), Some((3, Value::Bytes(&vec![7; len][..]))));
            assert_eq!(inner.next(), None);
            assert_eq!(read[0], (1, Value::Number(u64::MAX)));
            assert_eq!(read[2..], [(16, Value::Number(9)), (17, Value::Number(8))]);
        }
    }

    #[test]
    fn a_cut_or_mangled_message_ends_the_reading() {
        let mut writer = Writer::default();
        writer.text(1, "hello");
        writer.number(2, 1 << 40);
        for cut in 0..writer.0.len() {
            assert!(Reader::new(&writer.0[..cut]).count() < 2, "{cut}");
        }
        for mangled in [
            &[0xff; 12][..],
            &[0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f],
            &[0x0b],
        ] {
            assert_eq!(Reader::new(mangled).count(), 0);
        }
    }
}
