//! The proof that no handler ran: a trailer that both the runtime and instances set and read.
//!
//! A caller repeats a call only with this proof, so it may never be set once a request was handed
//! to something whose outcome is unknown.

use tonic::metadata::MetadataValue;
use tonic::{Code, Status};

use crate::headers::NOT_DISPATCHED;

/// Adds the proof to a refusal.
pub fn not_dispatched(mut status: Status) -> Status {
    status
        .metadata_mut()
        .insert(NOT_DISPATCHED, MetadataValue::from_static("1"));
    status
}

/// Whether a refusal carries the proof.
pub fn is_not_dispatched(status: &Status) -> bool {
    status.code() != Code::Ok
        && status
            .metadata()
            .get(NOT_DISPATCHED)
            .is_some_and(|it| it == "1")
}
