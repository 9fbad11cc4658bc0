//! A trace as a tree: what to draw, in order, how deep. Pure.

use std::collections::{HashMap, HashSet};

use contract::ids::OpId;

use super::model::Operation;

/// One line of a drawn trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Branch<'a> {
    /// The operation.
    pub op: &'a Operation,
    /// 0 for a root.
    pub depth: usize,
    /// Whether it is the last of its siblings.
    pub is_last: bool,
}

/// The operations from root to leaves, siblings by start time. An operation whose parent is not
/// among `ops` is a root; a ring of parents, which only a broken reporter makes, is cut open at
/// its earliest member. Every operation appears exactly once.
pub fn tree(ops: &[Operation]) -> Vec<Branch<'_>> {
    let parents = Parents::of(ops);
    let mut children: HashMap<Option<OpId>, Vec<&Operation>> = HashMap::new();
    for op in ops {
        let parent = op
            .parent
            .and_then(|parent| parents.find(parent))
            .filter(|parent| *parent != op.op);
        children.entry(parent).or_default().push(op);
    }
    for siblings in children.values_mut() {
        siblings.sort_by_key(|it| (it.placed_at_ms(), it.op));
    }

    let mut drawn = HashSet::with_capacity(ops.len());
    let mut branches = Vec::with_capacity(ops.len());
    draw(
        children.get(&None).map_or(&[][..], Vec::as_slice),
        &children,
        &mut drawn,
        &mut branches,
    );
    let mut rest: Vec<&Operation> = ops.iter().collect();
    rest.sort_by_key(|it| (it.placed_at_ms(), it.op));
    for op in rest {
        if !drawn.contains(&op.op) {
            draw(&[op], &children, &mut drawn, &mut branches);
        }
    }
    branches
}

/// Finds an operation by the name a child gives its parent: the whole id, or only its W3C span
/// id where the trace went through a system that knows no more.
struct Parents {
    whole: HashSet<OpId>,
    by_span: HashMap<u64, OpId>,
}

impl Parents {
    fn of(ops: &[Operation]) -> Self {
        Self {
            whole: ops.iter().map(|it| it.op).collect(),
            by_span: ops
                .iter()
                .map(|it| (it.op.as_uuid().as_u64_pair().1, it.op))
                .collect(),
        }
    }

    fn find(&self, parent: OpId) -> Option<OpId> {
        if self.whole.contains(&parent) {
            return Some(parent);
        }
        let (high, span) = parent.as_uuid().as_u64_pair();
        (high == 0).then(|| self.by_span.get(&span).copied())?
    }
}

/// Depth first with its own stack: a trace may be deeper than a thread's.
fn draw<'a>(
    roots: &[&'a Operation],
    children: &HashMap<Option<OpId>, Vec<&'a Operation>>,
    drawn: &mut HashSet<OpId>,
    branches: &mut Vec<Branch<'a>>,
) {
    let mut waiting = Vec::new();
    push_siblings(&mut waiting, roots, 0);
    while let Some(branch) = waiting.pop() {
        if !drawn.insert(branch.op.op) {
            continue;
        }
        branches.push(branch);
        if let Some(below) = children.get(&Some(branch.op.op)) {
            push_siblings(&mut waiting, below, branch.depth + 1);
        }
    }
}

/// In reverse, because the stack gives the last first.
fn push_siblings<'a>(waiting: &mut Vec<Branch<'a>>, siblings: &[&'a Operation], depth: usize) {
    for (position, &op) in siblings.iter().enumerate().rev() {
        waiting.push(Branch {
            op,
            depth,
            is_last: position + 1 == siblings.len(),
        });
    }
}
