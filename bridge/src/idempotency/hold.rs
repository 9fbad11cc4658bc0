//! What a call takes up while its handler runs, and need not while it waits for another one.

use std::future::Future;

use tonic::Status;

/// A place of a call among those that run at once. Dropping it gives it back for good.
pub(crate) trait Hold: Send + Sync + 'static {
    /// Gives the place back for as long as nothing runs.
    fn leave(&mut self);

    /// Takes a place again. A refusal says that nothing ran.
    fn enter(&mut self) -> impl Future<Output = Result<(), Status>> + Send;
}

/// Takes up nothing.
impl Hold for () {
    fn leave(&mut self) {}

    async fn enter(&mut self) -> Result<(), Status> {
        Ok(())
    }
}
