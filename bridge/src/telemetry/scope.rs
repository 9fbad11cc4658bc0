//! What the current task works for: its call context, or the span of it that is entered.
//!
//! Invariant: a span counts only inside the scope it was made in. Work that a span starts in a
//! scope of its own hangs under that scope.

use bridge_tower::{CallContext, context};

/// The innermost operation of the current task.
pub(crate) fn current() -> Option<CallContext> {
    let task = context::current();
    #[cfg(feature = "tracing-subscriber")]
    if let Some(span) = spans::innermost(task.as_ref()) {
        return Some(span);
    }
    task
}

#[cfg(feature = "tracing-subscriber")]
pub(super) mod spans {
    //! The spans entered on this thread that are operations.

    use std::cell::RefCell;

    use bridge_tower::CallContext;
    use contract::ids::OpId;

    /// A span that is an operation.
    #[derive(Clone, Debug)]
    pub(in crate::telemetry) struct Inside {
        /// The operation in whose scope it was made.
        pub(in crate::telemetry) scope: Option<OpId>,
        /// The context of work inside of it.
        pub(in crate::telemetry) context: CallContext,
    }

    thread_local! {
        static ENTERED: RefCell<Vec<(u64, Inside)>> = const { RefCell::new(Vec::new()) };
    }

    pub(in crate::telemetry) fn enter(span: u64, inside: Inside) {
        let _ = ENTERED.try_with(|it| it.borrow_mut().push((span, inside)));
    }

    pub(in crate::telemetry) fn exit(span: u64) {
        let _ = ENTERED.try_with(|it| {
            let mut entered = it.borrow_mut();
            // Spans may be left in any order.
            if let Some(at) = entered.iter().rposition(|(id, _)| *id == span) {
                entered.remove(at);
            }
        });
    }

    pub(super) fn innermost(task: Option<&CallContext>) -> Option<CallContext> {
        let scope = task.map(|it| it.trace.parent);
        let found = ENTERED.try_with(|it| {
            let entered = it.borrow();
            let (_, last) = entered.last()?;
            (last.scope == scope).then(|| last.context.clone())
        });
        found.ok().flatten()
    }
}
