//! `Debug` of messages: what is set, by name, and never more than a person reads.
//!
//! Strings and bytes are cut at [`TEXT_BYTES_MAX`], repeated fields at [`ELEMENTS_MAX`], nesting at
//! [`SHOWN_DEPTH_MAX`], and the whole at [`VALUES_MAX`]; what is left out is counted or marked.
//! Invariant: never fails, also for a message that cannot be read back.

use std::cell::Cell;
use std::fmt;

use prost::Message;

use super::level::{Elements, Level, constant_of, entries, scalar_of, whole};
use super::table::{Described, FieldTable, Kind, Label, MessageTable};
use super::wire::{Found, Value, WireError};

/// Longest piece of a string or of bytes that is shown, in bytes.
pub const TEXT_BYTES_MAX: usize = 256;
/// Most elements or entries that are shown of one field.
pub const ELEMENTS_MAX: usize = 32;
/// Deepest message that is shown, counted from the outermost.
pub const SHOWN_DEPTH_MAX: u32 = 8;
/// Most values that are shown of one message, what it contains included.
pub const VALUES_MAX: usize = 512;

/// Shows a message: its short name and the fields that are set.
///
/// # Errors
///
/// Those of `f`.
pub fn fmt_debug<T: Message + Described>(message: &T, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let bytes = message.encode_to_vec();
    let left = Cell::new(VALUES_MAX);
    let shown = Shown {
        values: &[whole(&bytes)],
        depth: 0,
        left: &left,
    };
    shown.message(T::TABLE, f)
}

/// The values of a field, and how much may still be shown.
#[derive(Clone, Copy)]
struct Shown<'s, 'a> {
    values: &'s [Found<'a>],
    depth: u32,
    left: &'s Cell<usize>,
}

impl<'s, 'a> Shown<'s, 'a> {
    fn with(self, values: &'s [Found<'a>]) -> Self {
        Self { values, ..self }
    }

    /// Takes one value from what may be shown.
    fn take(&self) -> bool {
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
        left > 0
    }

    fn message(self, table: &MessageTable, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.depth > SHOWN_DEPTH_MAX {
            return write!(f, "{} {{ .. }}", table.short_name());
        }
        let level = match Level::read(table, self.values) {
            Ok(level) => level,
            Err(error) => return unreadable(error, f),
        };
        let mut shown = f.debug_struct(table.short_name());
        for (position, values) in level.fields() {
            if !self.take() {
                return shown.finish_non_exhaustive();
            }
            let field = &table.fields[position];
            let inside = Self {
                depth: self.depth + 1,
                ..self
            };
            shown.field(
                field.name,
                &fmt::from_fn(|f| inside.with(values).field(field, f)),
            );
        }
        shown.finish()
    }

    fn field(self, field: &FieldTable, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match field.label {
            Label::Map(_) => match entries(field, self.values) {
                Ok(entries) => {
                    let mut shown = f.debug_map();
                    for entry in entries.iter().take(ELEMENTS_MAX) {
                        let value = fmt::from_fn(|f| self.with(entry.values()).one(field.kind, f));
                        shown.entry(&entry.key, &value);
                    }
                    match entries.len().saturating_sub(ELEMENTS_MAX) {
                        0 => shown.finish(),
                        _ => shown.finish_non_exhaustive(),
                    }
                }
                Err(error) => unreadable(error, f),
            },
            Label::Repeated { .. } => self.list(field.kind, f),
            _ => self.one(field.kind, f),
        }
    }

    fn list(self, kind: Kind, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_list();
        let mut elements = Elements::of(kind, self.values);
        for element in elements.by_ref().take(ELEMENTS_MAX) {
            match element {
                Ok(it) if self.take() => {
                    shown.entry(&fmt::from_fn(|f| self.with(&[it]).one(kind, f)))
                }
                Ok(_) => return shown.finish_non_exhaustive(),
                Err(error) => shown.entry(&fmt::from_fn(|f| unreadable(error, f))),
            };
        }
        match elements.count() {
            0 => shown.finish(),
            more => shown.entry(&format_args!("and {more} more")).finish(),
        }
    }

    fn one(self, kind: Kind, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match kind {
            Kind::Message(table) => self.message(table, f),
            Kind::Declared(table) => self.message(table(), f),
            Kind::Linked(table) => match table.get() {
                Some(table) => self.message(table, f),
                None => f.write_str(".."),
            },
            Kind::NullValue => f.write_str("NULL_VALUE"),
            Kind::Enum(table) => {
                let number = constant_of(self.values);
                match table.name_of(number) {
                    Some(name) => f.write_str(name),
                    None => write!(f, "{number}"),
                }
            }
            Kind::Scalar(scalar) => match scalar_of(scalar, self.values) {
                Ok(value) => self::value(value, f),
                Err(error) => unreadable(error, f),
            },
        }
    }
}

fn unreadable(error: WireError, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "<{error}>")
}

fn value(value: Value<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match value {
        Value::Bool(it) => write!(f, "{it:?}"),
        Value::Int32(it) => write!(f, "{it:?}"),
        Value::Int64(it) => write!(f, "{it:?}"),
        Value::Uint32(it) => write!(f, "{it:?}"),
        Value::Uint64(it) => write!(f, "{it:?}"),
        Value::Float(it) => write!(f, "{it:?}"),
        Value::Double(it) => write!(f, "{it:?}"),
        Value::Text(it) => text(it, f),
        Value::Bytes(it) => bytes(it, f),
    }
}

/// A string as messages show it, for a oneof that stands by itself.
pub fn debug_text(it: &str) -> impl fmt::Debug {
    fmt::from_fn(move |f| text(it, f))
}

/// Bytes as messages show them, for a oneof that stands by itself.
pub fn debug_bytes(it: &[u8]) -> impl fmt::Debug {
    fmt::from_fn(move |f| bytes(it, f))
}

fn text(it: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let shown = &it[..it.floor_char_boundary(TEXT_BYTES_MAX)];
    write!(f, "{shown:?}")?;
    left_out(it.len() - shown.len(), f)
}

fn bytes(it: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let shown = &it[..it.len().min(TEXT_BYTES_MAX)];
    write!(f, "b\"{}\"", shown.escape_ascii())?;
    left_out(it.len() - shown.len(), f)
}

fn left_out(bytes: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match bytes {
        0 => Ok(()),
        _ => write!(f, " and {bytes} bytes more"),
    }
}
