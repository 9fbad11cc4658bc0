//! The critical path: which operations decided when a trace ended. Pure.
//!
//! From the end of the root backwards: whatever child ended last was waited for, and before it
//! began, whatever sibling ended last before that, and so on inside each of them. What ran beside
//! them is not on the path. Clocks of several machines make this an estimate.

use super::model::TraceOp;

/// Marks the operations on the critical path; `ops` are in reading order.
pub(super) fn mark(ops: &mut [TraceOp]) {
    let children = children(ops);
    let roots = (0..ops.len()).filter(|it| ops[*it].depth == 0);
    // The first of the longest.
    let Some(root) = roots.rev().max_by_key(|it| ops[*it].duration_ms) else {
        return;
    };
    let mut waiting = vec![(root, end(&ops[root]))];
    while let Some((op, until)) = waiting.pop() {
        ops[op].critical = true;
        let mut until = until.min(end(&ops[op]));
        let mut by_end: Vec<usize> = children[op].clone();
        by_end.sort_by_key(|it| std::cmp::Reverse((end(&ops[*it]), *it)));
        for child in by_end {
            // What ends later was not waited for.
            if end(&ops[child]) > until || ops[child].duration_ms.is_none() {
                continue;
            }
            waiting.push((child, until));
            until = ops[child].started_at_unix_ms;
        }
    }
}

fn end(op: &TraceOp) -> i64 {
    match op.duration_ms {
        Some(duration_ms) => op.started_at_unix_ms.saturating_add(duration_ms),
        // It still runs.
        None => i64::MAX,
    }
}

fn children(ops: &[TraceOp]) -> Vec<Vec<usize>> {
    let mut children = vec![Vec::new(); ops.len()];
    let mut above: Vec<usize> = Vec::new();
    for (at, op) in ops.iter().enumerate() {
        above.truncate(op.depth);
        if let Some(parent) = above.last() {
            children[*parent].push(at);
        }
        above.push(at);
    }
    children
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Depth, start, end.
    fn critical(ops: &[(usize, i64, i64)]) -> Vec<usize> {
        let op = |(depth, from, to): &(usize, i64, i64)| TraceOp {
            depth: *depth,
            started_at_unix_ms: *from,
            duration_ms: (*to >= 0).then(|| to - from),
            ..TraceOp::default()
        };
        let mut ops: Vec<_> = ops.iter().map(op).collect();
        mark(&mut ops);
        (0..ops.len()).filter(|it| ops[*it].critical).collect()
    }

    #[test]
    fn what_ran_beside_something_longer_is_not_on_it() {
        assert_eq!(critical(&[(0, 0, 100), (1, 0, 90), (1, 0, 40)]), [0, 1]);
    }

    #[test]
    fn what_ran_one_after_the_other_is_on_it_with_its_children() {
        let ops = [
            (0, 0, 100),
            (1, 0, 40),
            (2, 5, 30),
            (1, 40, 95),
            (1, 10, 20),
        ];
        assert_eq!(critical(&ops), [0, 1, 2, 3]);
    }

    #[test]
    fn what_outlives_its_parent_was_not_waited_for() {
        assert_eq!(critical(&[(0, 0, 50), (1, 10, 500), (1, 10, 20)]), [0, 2]);
    }

    #[test]
    fn a_running_trace_has_its_root_on_it_and_nothing_is_nothing() {
        assert_eq!(critical(&[(0, 0, -1), (1, 10, 20), (1, 20, -1)]), [0, 1]);
        assert!(critical(&[]).is_empty());
    }
}
