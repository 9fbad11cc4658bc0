//! What an audit entry says.

use contract::clock::{Clock, Timestamp};
use contract::ids::IdMint;
use serde_json::{Value, json};
use uuid::Uuid;

/// Most entries one page holds.
pub const PAGE_MAX: u32 = 500;

/// Longest detail that is kept, in bytes of JSON.
const DETAIL_BYTES_MAX: usize = 8_192;

/// One change: who did what to which thing.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Sorts by time.
    pub id: Uuid,
    /// When.
    pub at: Timestamp,
    /// Who: `local` for the socket, later the name of a token.
    pub actor: String,
    /// What, as `noun.verb`: `service.create`, `setting.set`.
    pub action: String,
    /// The thing it was done to: a name or an id.
    pub target: String,
    /// Whatever else a reader needs; never a secret.
    pub detail: Value,
}

impl Entry {
    /// An entry for right now. A detail over 8 KiB is replaced by `{"_truncated":true}`.
    pub fn new(
        (clock, mint): (&Clock, &IdMint),
        actor: &str,
        action: &str,
        target: &str,
        detail: Value,
    ) -> Self {
        let fits = detail.to_string().len() <= DETAIL_BYTES_MAX;
        Self {
            id: mint.v7(),
            at: clock.now(),
            actor: actor.to_owned(),
            action: action.to_owned(),
            target: target.to_owned(),
            detail: if fits {
                detail
            } else {
                json!({ "_truncated": true })
            },
        }
    }
}

/// Entries newest first, and where the next page starts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// Newest first.
    pub entries: Vec<Entry>,
    /// Pass it back for older entries; `None` at the end.
    pub next: Option<Uuid>,
}
