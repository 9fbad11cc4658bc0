//! The places that hold tables: two stores, and every slice of history.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::db::history::{History, Slice};
use crate::db::migrations::Schema;
use crate::db::{DbError, DbErrorKind, Store};

/// A store or a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// One of the two stores.
    Store(Store),
    /// A slice of one kind of history.
    Slice(History, Slice),
}

impl Place {
    pub(super) const fn schema(self) -> Schema {
        match self {
            Self::Store(store) => store.schema(),
            Self::Slice(history, _) => history.schema(),
        }
    }

    /// Whether losing it loses telemetry alone.
    pub(crate) const fn is_telemetry(self) -> bool {
        !matches!(self, Self::Store(Store::Ledger))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(store) => f.write_str(store.name()),
            Self::Slice(history, slice) => write!(f, "{} slice {}", history.name(), slice.id),
        }
    }
}

/// A place as a backup names it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    store: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    slice: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from_ms: Option<i64>,
}

impl Serialize for Place {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = match self {
            Self::Store(store) => Written {
                store: store.name().to_owned(),
                slice: None,
                from_ms: None,
            },
            Self::Slice(history, slice) => Written {
                store: history.name().to_owned(),
                slice: Some(slice.id),
                from_ms: Some(slice.from_ms),
            },
        };
        written.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Written::deserialize(deserializer)?;
        let unknown = || serde::de::Error::custom(format!("`{}` is no store", written.store));
        match (written.slice, written.from_ms) {
            (Some(id), Some(from_ms)) if id > 0 && from_ms >= 0 => {
                let history = History::from_name(&written.store).ok_or_else(unknown)?;
                Ok(Self::Slice(history, Slice { id, from_ms }))
            }
            (None, None) => [Store::Ledger, Store::Telemetry]
                .into_iter()
                .find(|it| it.name() == written.store)
                .map(Self::Store)
                .ok_or_else(unknown),
            _ => Err(unknown()),
        }
    }
}

pub(super) fn unknown_table(place: Place, table: &str) -> DbError {
    DbError::new(
        DbErrorKind::Schema,
        format!("find the table `{table}`"),
        format!("{place} has none"),
    )
}
