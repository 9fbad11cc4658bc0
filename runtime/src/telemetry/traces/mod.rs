//! One row per trace: when it began, what stands for it, and who took part. Pure but for its store.
//!
//! The row is made from operations as they are stored, in whatever order they come; it never needs
//! to read the others. What stands for a trace is its root: the operation without a parent, or the
//! earliest one while that is not known or lives in a system that does not report here.

pub(super) mod store;

use std::collections::BTreeMap;

use contract::ids::{ServiceId, TraceId};

use super::model::{Operation, Status};

/// Bits that tell services apart in a row; one bit of a number stays free for its sign.
const SERVICE_BITS: u64 = 63;

/// What a trace's row holds of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) trace: TraceId,
    pub(super) root: [u8; 25],
    pub(super) started_at_ms: i64,
    pub(super) status: Status,
    pub(super) channels: i64,
    pub(super) services: i64,
}

impl Placed {
    /// As one operation shows it.
    fn of(op: &Operation) -> Self {
        let peer = op.peer_service.parse().map_or(0, service_bit);
        Self {
            trace: op.trace,
            root: root(op),
            started_at_ms: op.placed_at_ms(),
            status: op.status,
            channels: op.channel.map_or(0, |it| 1 << it.number()),
            services: service_bit(op.actor.service) | peer,
        }
    }

    fn join(&mut self, other: &Self) {
        if other.root < self.root {
            (self.root, self.status) = (other.root, other.status);
        }
        self.started_at_ms = self.started_at_ms.min(other.started_at_ms);
        self.channels |= other.channels;
        self.services |= other.services;
    }
}

/// The rows that these operations make, by trace.
pub(super) fn places<'o>(ops: impl Iterator<Item = &'o Operation>) -> Vec<Placed> {
    let mut placed: BTreeMap<TraceId, Placed> = BTreeMap::new();
    for op in ops {
        let one = Placed::of(op);
        placed
            .entry(op.trace)
            .and_modify(|known| known.join(&one))
            .or_insert(one);
    }
    placed.into_values().collect()
}

/// The bit of a service: equal services have equal bits, others may.
pub(super) fn service_bit(service: ServiceId) -> i64 {
    let (high, low) = service.as_uuid().as_u64_pair();
    1 << ((high ^ low) % SERVICE_BITS)
}

/// Bytes that compare as operations do for being the root: no parent first, then by time.
fn root(op: &Operation) -> [u8; 25] {
    let mut root = [0; 25];
    root[0] = u8::from(op.parent.is_some());
    root[1..9].copy_from_slice(&op.placed_at_ms().max(0).to_be_bytes());
    root[9..].copy_from_slice(op.op.as_bytes());
    root
}

#[cfg(test)]
mod tests {
    use contract::clock::Clock;
    use contract::ids::{IdMint, InstanceId, OpId};

    use super::super::model::{Actor, Channel};
    use super::*;

    #[test]
    fn the_operation_without_a_parent_stands_for_its_trace_then_the_earliest() {
        let mint = IdMint::system(&Clock::system());
        let trace = TraceId::mint(&mint);
        let op = |parent: Option<OpId>, at_ms, status| {
            let actor = Actor {
                service: ServiceId::mint(&mint),
                instance: InstanceId::mint(&mint),
            };
            let mut op = Operation::blank(actor, trace, OpId::mint(&mint));
            (op.parent, op.started_at_ms, op.status) = (parent, at_ms, status);
            op.channel = Some(Channel::Rpc);
            op
        };
        let outside = Some(OpId::mint(&mint));
        let late = op(outside, 30, Status::Error);
        let early = op(outside, 20, Status::Success);
        let root = op(None, 25, Status::Timeout);
        let placed = |ops: &[&Operation]| {
            let placed = places(ops.iter().copied());
            let [placed] = placed[..] else {
                panic!("{placed:?}")
            };
            placed
        };
        assert_eq!(placed(&[&late, &early]).status, Status::Success);
        let all = placed(&[&late, &root, &early]);
        assert_eq!((all.status, all.started_at_ms), (Status::Timeout, 20));
        assert_eq!(all.root[9..], *root.op.as_bytes());
        assert_eq!(all.channels, 1 << 2);
        for it in [&late, &root, &early] {
            assert_ne!(all.services & service_bit(it.actor.service), 0);
        }
    }
}
