//! Whether this process has a place where outcomes are durable, and whoever keeps them in memory all the
//! same should hear of it.
//!
//! Invariant: it is said once in a process, and what was asked to keep in memory is left alone.

use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

static IS_THERE: AtomicBool = AtomicBool::new(false);
static SAID: Once = Once::new();

/// There is such a place from now on: applications that nobody tells of it are warned about.
#[doc(hidden)]
pub fn outcomes_can_be_durable() {
    IS_THERE.store(true, Ordering::Relaxed);
}

/// A request with a key is about to be kept in memory, and nobody asked for that.
pub(super) fn kept_in_memory() {
    if IS_THERE.load(Ordering::Relaxed) {
        SAID.call_once(|| {
            tracing::warn!(
                "requests with an idempotency key are kept in the memory of this process, although a \
                 bridge was started: a repeat after a restart, or at another instance, does the work \
                 again; serve the application with `bridge.serve_http(listener, app)`, or what \
                 `bridge.observe(app)` makes of it"
            );
        });
    }
}
