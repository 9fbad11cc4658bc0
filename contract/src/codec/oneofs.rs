//! Oneofs that are declared in Rust, and the tables of messages that have some: what a macro cannot
//! know of a type that stands elsewhere is put together while compiling.
//!
//! Refuses, while compiling, two fields of one number or one name, and a oneof called like a field.
//! Invariant: fields ascend by number, and so does what is written.

use std::sync::OnceLock;

use prost::bytes::{Buf, BufMut};
use prost::encoding::{DecodeContext, WireType};

use super::Merged;
use crate::const_text::{ConstText, is_same};
use crate::message::{FieldTable, Files, Kind, Label, MessageTable, Scalar};

/// An enum with one field of a message in each variant, at most one of which is set.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a oneof",
    label = "no oneof",
    note = "put `#[derive(bridge::Oneof)]` on the enum; the field is an `Option` of it"
)]
pub trait Oneof: Sized {
    /// Its fields, ascending by number.
    const FIELDS: &'static [FieldTable];

    /// The number of what is set.
    fn number(&self) -> u32;

    /// Writes what is set, if its number is behind `after` and before `until`.
    fn put(&self, after: u32, until: u32, buf: &mut impl BufMut);

    /// How many bytes it takes.
    fn size(&self) -> usize;

    /// Reads a field of it; the last one counts, and a message that comes again is added to.
    fn take(
        field: &mut Option<Self>,
        tag: u32,
        wire_type: WireType,
        buf: &mut impl Buf,
        ctx: DecodeContext,
    ) -> Merged;

    /// Puts the types in it into files.
    fn declare(files: &mut Files);
}

/// Whether one of the fields has the number.
#[must_use]
pub const fn has(fields: &[FieldTable], tag: u32) -> bool {
    any_between(fields, tag.saturating_sub(1), tag.saturating_add(1))
}

/// Whether one of the fields has a number behind `after` and before `until`.
#[must_use]
pub const fn any_between(fields: &[FieldTable], after: u32, until: u32) -> bool {
    let mut at = 0;
    while at < fields.len() {
        if fields[at].number > after && fields[at].number < until {
            return true;
        }
        at += 1;
    }
    false
}

/// The lowest of the numbers that is behind `after` and before `until`.
#[must_use]
pub fn next(numbers: &[u32], after: u32, until: u32) -> Option<u32> {
    let between = |it: &u32| *it > after && *it < until;
    numbers.iter().copied().filter(between).min()
}

/// How many fields a message has, those of its oneofs among them.
#[must_use]
pub const fn count(own: &[FieldTable], oneofs: &[&[FieldTable]]) -> usize {
    let mut all = own.len();
    let mut at = 0;
    while at < oneofs.len() {
        all += oneofs[at].len();
        at += 1;
    }
    all
}

/// What an array is filled with before it has its fields.
const NONE: FieldTable = FieldTable {
    number: 0,
    name: "",
    json: "",
    doc: "",
    label: Label::Implicit,
    kind: Kind::Scalar(Scalar::Bool),
    oneof: None,
};

/// The fields of a message, ascending by number: its own and those of its oneofs.
///
/// # Panics
///
/// While compiling, when two have one number, or one name in the contract or in JSON: `clash`, and
/// what both are called.
#[must_use]
pub const fn joined<const N: usize>(
    own: &[FieldTable],
    oneofs: &[&[FieldTable]],
    clash: &str,
) -> [FieldTable; N] {
    let mut all = [NONE; N];
    let mut len = 0;
    while len < own.len() {
        all = inserted(all, len, own[len], clash);
        len += 1;
    }
    let mut oneof = 0;
    while oneof < oneofs.len() {
        let mut member = 0;
        while member < oneofs[oneof].len() {
            let mut field = oneofs[oneof][member];
            field.oneof = Some(oneof as u16);
            all = inserted(all, len, field, clash);
            len += 1;
            member += 1;
        }
        oneof += 1;
    }
    all
}

/// The first `len` fields and one more, in order.
const fn inserted<const N: usize>(
    mut all: [FieldTable; N],
    len: usize,
    new: FieldTable,
    clash: &str,
) -> [FieldTable; N] {
    let mut at = len;
    let mut other = 0;
    while other < len {
        let known = all[other];
        let same_name = is_same(known.name, new.name) || is_same(known.json, new.json);
        if known.number == new.number || same_name {
            let said = ConstText::new(clash)
                .with(known.name)
                .with("` and `")
                .with(new.name);
            panic!("{}", said.with("`").as_str());
        }
        other += 1;
    }
    while at > 0 && all[at - 1].number > new.number {
        all[at] = all[at - 1];
        at -= 1;
    }
    all[at] = new;
    all
}

/// Refuses a oneof with the name of a field: in a contract both are names in one message. Two oneofs
/// of one name are refused where they are read.
///
/// # Panics
///
/// While compiling, when there is one: `clash`, and what both are called.
pub const fn names_differ(fields: &[FieldTable], oneofs: &[&str], clash: &str) {
    let mut oneof = 0;
    while oneof < oneofs.len() {
        let mut field = 0;
        while field < fields.len() {
            if is_same(fields[field].name, oneofs[oneof]) {
                let said = ConstText::new(clash).with(oneofs[oneof]);
                panic!("{}", said.with("`").as_str());
            }
            field += 1;
        }
        oneof += 1;
    }
}

/// Whether a message holds another one, and may so hold one with required fields.
#[must_use]
pub const fn holds_messages(fields: &[FieldTable]) -> bool {
    let mut at = 0;
    while at < fields.len() {
        if matches!(fields[at].kind, Kind::Message(_) | Kind::Declared(_)) {
            return true;
        }
        at += 1;
    }
    false
}

/// Whether a required field can be reached from a message. Tables of types that hold each other
/// cannot say so while compiling; it is looked up once and kept in `known`.
#[must_use]
pub fn requires(table: &'static MessageTable, known: &OnceLock<bool>) -> bool {
    *known.get_or_init(|| {
        let mut seen: Vec<&'static MessageTable> = vec![table];
        let mut next = 0;
        while let Some(table) = seen.get(next).copied() {
            next += 1;
            for field in table.fields {
                if field.label == Label::Required {
                    return true;
                }
                let inner = field.kind.message().filter(|it| it.requires);
                if let Some(inner) = inner.filter(|it| !seen.iter().any(|one| one.name == it.name))
                {
                    seen.push(inner);
                }
            }
        }
        false
    })
}
