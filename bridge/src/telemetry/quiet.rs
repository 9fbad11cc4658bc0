//! Keeps telemetry from telling of itself: what is logged while it is sent, and while a value is
//! formatted for it, is left out.

use std::cell::Cell;
use std::future::Future;

thread_local! {
    /// Whether this thread is at work for telemetry itself.
    static IS_QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Keeps this thread's events out of telemetry until it is dropped.
pub(super) struct Quiet(());

impl Quiet {
    /// `None` when that is so already.
    pub(super) fn begin() -> Option<Self> {
        let was_quiet = IS_QUIET.try_with(|it| it.replace(true)).unwrap_or(true);
        (!was_quiet).then_some(Self(()))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let _ = IS_QUIET.try_with(|it| it.set(false));
    }
}

/// Runs `future`; what it logs itself does not become telemetry.
pub(crate) async fn quietly<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|cx| {
        let _quiet = Quiet::begin();
        future.as_mut().poll(cx)
    })
    .await
}
