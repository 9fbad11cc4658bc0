//! Which slice an operation belongs to. Pure.
//!
//! Everything about a trace should meet in one slice, whenever it arrives: START, END, what is sent
//! again. So an operation goes by the time in its trace id, or in its own where the trace comes from
//! a system whose ids tell no time; only what tells none goes by the time of arrival.

use contract::ids::{OpId, TraceId};
use uuid::Uuid;

use crate::db::Slice;

/// How far a service's clock may be ahead of ours. A slice is added as long before it begins, so
/// that what comes from the near future finds the slice it will belong to.
pub(super) const AHEAD_MS: i64 = 10_000;

/// The slice of an operation.
pub(super) fn home(slices: &[Slice], trace: TraceId, op: OpId, now_ms: i64) -> Slice {
    own(slices, trace.as_uuid(), now_ms)
        .or_else(|| own(slices, op.as_uuid(), now_ms))
        .unwrap_or_else(|| Slice::current(slices, now_ms))
}

/// The slice of an id's own time; `None` when it tells none, one that has been dropped, or one that
/// is still to come.
pub(super) fn own(slices: &[Slice], id: &Uuid, now_ms: i64) -> Option<Slice> {
    let at_ms = made_at_ms(id).filter(|at| *at <= now_ms.saturating_add(AHEAD_MS))?;
    Slice::holding(slices, at_ms)
}

/// When a UUIDv7 was made, unix milliseconds.
fn made_at_ms(id: &Uuid) -> Option<i64> {
    let (high, _) = id.as_u64_pair();
    let is_v7 = id.get_version_num() == 7 && id.get_variant() == uuid::Variant::RFC4122;
    is_v7.then(|| i64::try_from(high >> 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEPT: [Slice; 3] = [
        Slice {
            id: 4,
            from_ms: 1_000_000,
        },
        Slice {
            id: 5,
            from_ms: 2_000_000,
        },
        Slice {
            id: 6,
            from_ms: 3_000_000,
        },
    ];

    fn v7(at_ms: u64) -> Uuid {
        Uuid::from_u64_pair((at_ms << 16) | 0x7123, 0x8000_0000_0000_0001)
    }

    fn home_of(trace: Uuid, op: Uuid) -> i64 {
        let (trace, op) = (TraceId::from_uuid(trace), OpId::from_uuid(op));
        home(&KEPT, trace, op, 2_500_000).id
    }

    #[test]
    fn an_operation_goes_by_the_time_of_its_trace_then_its_own_then_by_now() {
        let foreign = Uuid::from_u64_pair(u64::MAX, u64::MAX);
        assert_eq!(home_of(v7(1_500_000), v7(2_100_000)), 4);
        assert_eq!(home_of(foreign, v7(1_500_000)), 4);
        assert_eq!(home_of(foreign, foreign), 5);
        assert_eq!(
            home_of(v7(999_999), v7(1_000_000)),
            4,
            "its trace's slice is gone"
        );
        assert_eq!(home_of(v7(999_999), v7(5)), 5);
    }

    #[test]
    fn a_clock_a_little_ahead_counts_and_one_far_ahead_does_not() {
        let near = 2_500_000 + u64::try_from(AHEAD_MS).expect("positive");
        assert_eq!(own(&KEPT, &v7(near), 2_500_000).map(|it| it.id), Some(5));
        assert_eq!(own(&KEPT, &v7(near + 1), 2_500_000), None);
        assert_eq!(
            own(&KEPT, &v7(3_000_001), 2_995_000).map(|it| it.id),
            Some(6)
        );
    }
}
