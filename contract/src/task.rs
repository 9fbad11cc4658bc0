//! Work that goes on beside its caller.
//!
//! Refuses to be fast at the price of everybody's builds: the machinery of a task is compiled once
//! for all futures with one kind of result, instead of twice for each, and a program that links us
//! links all of it after every edit. A task that is started costs one allocation more.
//!
//! Invariant: what is started here behaves as what `tokio::spawn` starts.

use std::future::Future;
use std::pin::Pin;

use tokio::task::JoinHandle;

/// A future behind a pointer, whatever it is.
pub type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Starts `work` on the runtime of the caller.
///
/// # Panics
///
/// Outside of a tokio runtime.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let sum = contract::task::spawn(async { 1 + 1 });
/// assert_eq!(sum.await.expect("it did not panic"), 2);
/// # }
/// ```
#[track_caller]
pub fn spawn<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    let work: Boxed<T> = Box::pin(work);
    tokio::spawn(work)
}
