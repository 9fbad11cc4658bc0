//! Operations that run and were stored a moment ago, so that their END need not read them back.
//!
//! What is here may be out of date: another process may have written the row since. Whoever uses it
//! writes on the condition that the row is still as it is here, and reads it when it is not.
//!
//! Refuses to grow: two generations of [`ENTRIES_MAX`] entries or [`BYTES_MAX`] bytes each. When the
//! young one is full the old one is forgotten; forgetting costs one read.

use std::collections::HashMap;

use contract::ids::OpId;

use super::model::{Operation, Stored};

/// Operations of one generation.
const ENTRIES_MAX: usize = 16_384;
/// Bytes of one generation, about.
const BYTES_MAX: usize = 8 << 20;

/// Running operations by slice and id.
#[derive(Debug, Default)]
pub(super) struct Recent {
    young: HashMap<OpId, (i64, Stored)>,
    young_bytes: usize,
    old: HashMap<OpId, (i64, Stored)>,
}

impl Recent {
    /// Takes out the operation as it was stored in `slice`; whoever writes it notes it again.
    pub(super) fn take(&mut self, slice: i64, op: OpId) -> Option<Stored> {
        let known = self.forget(op);
        known.filter(|(of, _)| *of == slice).map(|(_, it)| it)
    }

    /// Notes what has been stored: kept while it runs, forgotten once it has ended.
    pub(super) fn note(&mut self, slice: i64, stored: Stored) {
        let op = stored.op.op;
        self.forget(op);
        if stored.op.status.is_terminal() {
            return;
        }
        let bytes = bytes(&stored.op);
        let full = self.young.len() >= ENTRIES_MAX || self.young_bytes + bytes > BYTES_MAX;
        if full {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        self.young_bytes += bytes;
        self.young.insert(op, (slice, stored));
    }

    fn forget(&mut self, op: OpId) -> Option<(i64, Stored)> {
        let young = self.young.remove(&op);
        if let Some((_, stored)) = &young {
            self.young_bytes -= bytes(&stored.op);
        }
        young.or_else(|| self.old.remove(&op))
    }
}

fn bytes(op: &Operation) -> usize {
    let texts = [
        &op.subject,
        &op.peer_service,
        &op.peer_instance,
        &op.business_key,
        &op.status_message,
        &op.meta_json,
        &op.attrs_json,
    ];
    size_of::<(OpId, i64, Stored)>() + texts.map(String::len).into_iter().sum::<usize>()
}

#[cfg(test)]
mod tests {
    use contract::clock::Clock;
    use contract::ids::{IdMint, InstanceId, ServiceId, TraceId};

    use super::super::model::{Actor, Status};
    use super::*;

    fn stored(mint: &IdMint, subject: &str) -> Stored {
        let actor = Actor {
            service: ServiceId::mint(mint),
            instance: InstanceId::mint(mint),
        };
        let mut op = Operation::blank(actor, TraceId::mint(mint), OpId::mint(mint));
        op.subject = subject.to_owned();
        Stored {
            op,
            rev: 1,
            text: 0,
        }
    }

    #[test]
    fn what_runs_is_kept_for_its_slice_and_what_has_ended_is_not() {
        let mint = IdMint::system(&Clock::system());
        let mut recent = Recent::default();
        let mut it = stored(&mint, "x");
        let op = it.op.op;
        recent.note(3, it.clone());
        assert_eq!(recent.take(3, op), Some(it.clone()));
        assert_eq!(recent.take(3, op), None, "it has been taken");
        recent.note(3, it.clone());
        assert_eq!(recent.take(4, op), None);
        recent.note(3, it.clone());
        it.op.status = Status::Success;
        recent.note(3, it);
        assert_eq!(recent.take(3, op), None);
        assert_eq!(recent.young_bytes, 0);
    }

    #[test]
    fn it_never_holds_more_than_two_generations() {
        let mint = IdMint::system(&Clock::system());
        let mut recent = Recent::default();
        let first = stored(&mint, "first");
        recent.note(1, first.clone());
        for _ in 0..ENTRIES_MAX {
            recent.note(1, stored(&mint, ""));
        }
        assert!(
            recent.take(1, first.op.op).is_some(),
            "the old generation still counts"
        );
        recent.note(1, first.clone());
        for _ in 0..3 * ENTRIES_MAX {
            recent.note(1, stored(&mint, ""));
        }
        assert!(recent.take(1, first.op.op).is_none());
        assert!(recent.young.len() + recent.old.len() <= 2 * ENTRIES_MAX);

        let long = "y".repeat(BYTES_MAX / 4);
        for _ in 0..20 {
            recent.note(1, stored(&mint, &long));
        }
        assert!(recent.young.len() + recent.old.len() <= 8);
    }
}
