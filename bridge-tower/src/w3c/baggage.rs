//! `baggage`: names and values that users send along with a trace.
//!
//! Members are read where they stand and decoded when asked for. A member that breaks the grammar
//! is left out alone; members beyond the limits are left out whole, from the end.
//!
//! Invariant: what a [`Baggage`] holds is valid, at most 64 members and 8,192 bytes.

use std::borrow::Cow;

use http::HeaderValue;

use super::list;

/// Members that are handed on.
const MEMBERS_MAX: usize = 64;
/// Bytes of the whole list that are handed on.
const BYTES_MAX: usize = 8_192;

/// The members of a `baggage` header. Cheap to clone; empty by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baggage(Option<HeaderValue>);

/// Why a member cannot be added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BaggageError {
    /// The key of the member, or of one of its properties, is no token.
    #[error(
        "`{0}` cannot be a key in baggage; use letters, digits and !#$%&'*+-.^_`|~, at least one"
    )]
    Key(String),
    /// It would be too much to hand on.
    #[error(
        "baggage holds at most 64 members and 8192 bytes, and `{key}` would make it {members} \
         and {bytes}; remove a member first"
    )]
    Full {
        /// Key of the member that has no room.
        key: String,
        /// Members there would be.
        members: usize,
        /// Bytes there would be.
        bytes: usize,
    },
}

/// One member of a [`Baggage`].
#[derive(Clone, Copy, Debug)]
pub struct Member<'b> {
    key: &'b [u8],
    value: &'b [u8],
    properties: &'b [u8],
}

/// Something that is said about a member, such as `ttl=30` or `secret`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property<'b> {
    /// Its key: a token, never decoded.
    pub key: &'b str,
    /// Its decoded value, if it has one.
    pub value: Option<Cow<'b, str>>,
}

impl<'b> Member<'b> {
    /// Its key, as it stands: a token.
    pub fn key(&self) -> &'b str {
        list::ascii(self.key)
    }

    /// Its decoded value. What is no UTF-8 is replaced by U+FFFD.
    pub fn value(&self) -> Cow<'b, str> {
        decode(self.value)
    }

    /// What is said about it, in order.
    pub fn properties(&self) -> impl Iterator<Item = Property<'b>> + use<'b> {
        let properties = self.properties.split(|byte| *byte == b';');
        let read = |text| {
            let (key, value) = property(list::trim(text))?;
            Some(Property {
                key: list::ascii(key),
                value: value.map(decode),
            })
        };
        properties.filter_map(read)
    }

    /// Reads a member that has no spaces around it.
    fn read(text: &'b [u8]) -> Option<Self> {
        let (pair, properties) = list::split_once(text, b';').unwrap_or((text, b""));
        let (key, value) = list::split_once(pair, b'=')?;
        let (key, value) = (list::trim(key), list::trim(value));
        let has_properties = pair.len() < text.len();
        let mut said = properties.split(|byte| *byte == b';').map(list::trim);
        let is_valid = is_token(key)
            && value.iter().all(|byte| is_octet(*byte))
            && (!has_properties || said.all(|text| property(text).is_some()));
        is_valid.then_some(Self {
            key,
            value,
            properties,
        })
    }
}

impl Baggage {
    /// Reads a header's value; several headers are one value, joined by commas in their order.
    pub fn read(value: &HeaderValue) -> Self {
        let bytes = value.as_bytes();
        let (mut good, mut pieces) = (0, 0);
        for piece in bytes.split(|byte| *byte == b',') {
            pieces += 1;
            good += usize::from(Member::read(list::trim(piece)).is_some());
        }
        if good == pieces && good <= MEMBERS_MAX && bytes.len() <= BYTES_MAX {
            return Self(Some(value.clone()));
        }
        let (mut kept, mut bytes_left) = (Vec::new(), BYTES_MAX + 1);
        for member in list::members(bytes) {
            if Member::read(member).is_none() {
                continue;
            }
            if kept.len() == MEMBERS_MAX || bytes_left < member.len() + 1 {
                break;
            }
            bytes_left -= member.len() + 1;
            kept.push(member);
        }
        Self(list::join(&kept))
    }

    /// Its members, in order. Keys may repeat.
    pub fn members(&self) -> impl Iterator<Item = Member<'_>> {
        self.texts().filter_map(Member::read)
    }

    /// The decoded value under `key`; of several the last one.
    pub fn get(&self, key: &str) -> Option<Cow<'_, str>> {
        let last = self.members().filter(|it| it.key() == key).last();
        last.map(|it| it.value())
    }

    /// Whether it has no member.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Adds a member, in place of those with the same key. The value may be any text.
    ///
    /// # Errors
    ///
    /// [`BaggageError`]; nothing has changed then.
    pub fn insert(&mut self, key: &str, value: &str) -> Result<(), BaggageError> {
        self.insert_with(key, value, &[])
    }

    /// Adds a member about which something is said, in place of those with the same key.
    ///
    /// # Errors
    ///
    /// [`BaggageError`]; nothing has changed then.
    pub fn insert_with(
        &mut self,
        key: &str,
        value: &str,
        properties: &[Property<'_>],
    ) -> Result<(), BaggageError> {
        let mut member = checked(key)?.to_vec();
        member.push(b'=');
        encode(value, &mut member);
        for property in properties {
            member.push(b';');
            member.extend(checked(property.key)?);
            if let Some(value) = &property.value {
                member.push(b'=');
                encode(value, &mut member);
            }
        }
        let mut members: Vec<_> = self.others(key).collect();
        members.push(&member);
        let bytes = list::joined_len(&members);
        if members.len() > MEMBERS_MAX || bytes > BYTES_MAX {
            return Err(BaggageError::Full {
                key: key.to_owned(),
                members: members.len(),
                bytes,
            });
        }
        let header = list::join(&members);
        self.0 = header;
        Ok(())
    }

    /// Removes the members under `key`. Returns whether there were any.
    pub fn remove(&mut self, key: &str) -> bool {
        if !self.members().any(|it| it.key() == key) {
            return false;
        }
        let header = list::join(&self.others(key).collect::<Vec<_>>());
        self.0 = header;
        true
    }

    /// The header's value; `None` without members.
    pub fn header(&self) -> Option<&HeaderValue> {
        self.0.as_ref()
    }

    fn others(&self, key: &str) -> impl Iterator<Item = &[u8]> {
        let is_other = move |text: &&[u8]| Member::read(text).is_some_and(|it| it.key() != key);
        self.texts().filter(is_other)
    }

    fn texts(&self) -> impl Iterator<Item = &[u8]> {
        list::members(self.0.as_ref().map_or(b"", HeaderValue::as_bytes))
    }
}

/// Key and undecoded value of a property that has no spaces around it.
fn property(text: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    let (key, value) = match list::split_once(text, b'=') {
        Some((key, value)) => (list::trim(key), Some(list::trim(value))),
        None => (text, None),
    };
    let is_valid = is_token(key) && value.unwrap_or_default().iter().all(|it| is_octet(*it));
    is_valid.then_some((key, value))
}

fn checked(key: &str) -> Result<&[u8], BaggageError> {
    let is_key = is_token(key.as_bytes());
    is_key
        .then_some(key.as_bytes())
        .ok_or_else(|| BaggageError::Key(key.to_owned()))
}

/// A token of RFC 9110, 5.6.2.
fn is_token(text: &[u8]) -> bool {
    let is_in = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !text.is_empty() && text.iter().all(is_in)
}

/// What may stand in a value: printable, but no space, quote, comma, semicolon or backslash.
fn is_octet(byte: u8) -> bool {
    matches!(byte, 0x21..=0x7e) && !matches!(byte, b'"' | b',' | b';' | b'\\')
}

/// Undoes percent-encoding. A `%` that is followed by no two digits stands for itself.
fn decode(text: &[u8]) -> Cow<'_, str> {
    if !text.contains(&b'%') {
        return Cow::Borrowed(list::ascii(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, behind)) = rest.split_first() {
        let (byte, next) = escaped(rest).unwrap_or((*first, behind));
        bytes.push(byte);
        rest = next;
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

/// The byte that `text` starts with in percent-encoding, and what is behind it.
fn escaped(text: &[u8]) -> Option<(u8, &[u8])> {
    let [b'%', high, low, rest @ ..] = text else {
        return None;
    };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = (digit(*high)? << 4) | digit(*low)?;
    Some((u8::try_from(byte).ok()?, rest))
}

/// Writes `value` in percent-encoding.
fn encode(value: &str, into: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in value.bytes() {
        if is_octet(byte) && byte != b'%' {
            into.push(byte);
        } else {
            let (high, low) = (usize::from(byte >> 4), usize::from(byte & 0x0f));
            into.extend([b'%', DIGITS[high], DIGITS[low]]);
        }
    }
}

#[cfg(test)]
mod tests;
