//! Whether every required field of an encoded message is there.
//!
//! Looks only into messages from which a required field can be reached. Exact for a message that
//! was sent in several pieces: a field is there if any of them has it.

use super::level::{Elements, Level, entries, whole};
use super::path::Path;
use super::table::{FieldTable, Label, MessageTable};
use super::wire::{DEPTH_MAX, Found, WireError};

/// What is wrong with an encoded message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// A required field is not there.
    #[error("required field `{path}` of {message} is missing")]
    Missing {
        /// The way to the field: `items[3].sku`.
        path: String,
        /// Full name of the message that the field belongs to.
        message: &'static str,
    },
    /// The bytes are not a message of this type.
    #[error("{message} cannot be read{}: {reason}", at(path))]
    Unreadable {
        /// The way to what cannot be read, empty for the message itself.
        path: String,
        /// Full name of the message that cannot be read.
        message: &'static str,
        /// Why.
        reason: String,
    },
}

fn at(path: &str) -> String {
    if path.is_empty() {
        return String::new();
    }
    format!(" at `{path}`")
}

impl Violation {
    /// The way to the field: `items[3].sku`, `lines["a"].sku`. Empty for the message itself.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Self::Missing { path, .. } | Self::Unreadable { path, .. } => path,
        }
    }

    fn unreadable(error: WireError, table: &MessageTable, path: &Path<'_>) -> Self {
        Self::Unreadable {
            path: path.to_string(),
            message: table.name,
            reason: error.to_string(),
        }
    }
}

/// Checks that every required field of an encoded message is there, at any depth.
///
/// # Errors
///
/// The first field in the order of numbers that is missing, with the way to it; or that the bytes
/// are no such message, or one nested deeper than 100.
pub fn check_required(table: &MessageTable, bytes: &[u8]) -> Result<(), Violation> {
    check(table, &[whole(bytes)], &Path::ROOT, DEPTH_MAX)
}

fn check(
    table: &MessageTable,
    sent: &[Found<'_>],
    path: &Path<'_>,
    depth: u32,
) -> Result<(), Violation> {
    if !table.requires {
        return Ok(());
    }
    let level =
        Level::read(table, sent).map_err(|error| Violation::unreadable(error, table, path))?;
    for (position, field) in table.fields.iter().enumerate() {
        let values = level.of(position);
        if values.is_empty() {
            if field.label != Label::Required {
                continue;
            }
            return Err(Violation::Missing {
                path: path.field(field.name).to_string(),
                message: table.name,
            });
        }
        let Some(inner) = field.kind.message().filter(|it| it.requires) else {
            continue;
        };
        let path = path.field(field.name);
        if depth == 0 {
            return Err(Violation::unreadable(WireError::Depth, inner, &path));
        }
        check_inside(inner, field, values, &path, depth - 1)?;
    }
    Ok(())
}

fn check_inside(
    inner: &MessageTable,
    field: &FieldTable,
    values: &[Found<'_>],
    path: &Path<'_>,
    depth: u32,
) -> Result<(), Violation> {
    let unreadable = |error| Violation::unreadable(error, inner, path);
    match field.label {
        Label::Map(_) => {
            for entry in entries(field, values).map_err(unreadable)? {
                let depth = depth.checked_sub(1).ok_or(WireError::Depth);
                let depth = depth.map_err(unreadable)?;
                check(inner, entry.values(), &path.key(&entry.key), depth)?;
            }
        }
        Label::Repeated { .. } => {
            for (index, element) in Elements::of(field.kind, values).enumerate() {
                let element = element.map_err(unreadable)?;
                check(inner, &[element], &path.index(index), depth)?;
            }
        }
        _ => check(inner, values, path, depth)?,
    }
    Ok(())
}
