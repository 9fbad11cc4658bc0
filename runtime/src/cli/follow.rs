//! Following what goes on until Ctrl-C, also while the runtime starts again.

use std::io;
use std::time::Duration;

use contract::clock::Clock;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::AnyError;
use crate::operator::ClientError;

/// Pause between two looks for a runtime that is away.
const AWAY: Duration = Duration::from_millis(500);

/// The wish to go on, until somebody presses Ctrl-C.
#[derive(Debug)]
pub(super) struct Follow {
    clock: Clock,
    interrupt: Signal,
    terminate: Signal,
    /// Whether a runtime has answered.
    met: bool,
    /// Whether it was said that it is away.
    away: bool,
}

/// What somebody pressed Ctrl-C instead of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stopped;

impl Follow {
    pub(super) fn begin() -> io::Result<Self> {
        Ok(Self {
            clock: Clock::system(),
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            met: false,
            away: false,
        })
    }

    /// What `future` gives, unless Ctrl-C comes first.
    pub(super) async fn or_stop<T>(
        &mut self,
        future: impl Future<Output = T>,
    ) -> Result<T, Stopped> {
        tokio::select! {
            biased;
            _ = self.interrupt.recv() => Err(Stopped),
            _ = self.terminate.recv() => Err(Stopped),
            output = future => Ok(output),
        }
    }

    /// What `future` gives within `limit`, `None` when it gives nothing.
    pub(super) async fn within<T>(
        &mut self,
        limit: Duration,
        future: impl Future<Output = T>,
    ) -> Result<Option<T>, Stopped> {
        let clock = self.clock.clone();
        self.or_stop(async move { clock.timeout(limit, future).await.ok() })
            .await
    }

    pub(super) async fn pause(&mut self, span: Duration) -> Result<(), Stopped> {
        let clock = self.clock.clone();
        self.or_stop(async move { clock.sleep(span).await }).await
    }

    /// The runtime answered.
    pub(super) fn here(&mut self) {
        if std::mem::take(&mut self.away) {
            eprintln!("the runtime is back");
        }
        self.met = true;
    }

    /// The runtime did not answer, or broke off. Waits a little, unless there never was one, or
    /// it refused: then that is the end.
    pub(super) async fn away(
        &mut self,
        why: Option<ClientError>,
    ) -> Result<Result<(), Stopped>, AnyError> {
        match why {
            Some(refused @ (ClientError::Refused(_) | ClientError::NoToken { .. })) => {
                return Err(refused.into());
            }
            Some(never) if !self.met => return Err(never.into()),
            _ => {}
        }
        if !std::mem::replace(&mut self.away, true) {
            eprintln!("the runtime is away; waiting for it (Ctrl-C ends this)");
        }
        Ok(self.pause(AWAY).await)
    }
}
