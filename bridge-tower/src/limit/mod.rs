//! Middleware that runs so many requests at a time, lets a few wait, and sheds the rest.
//!
//! ```text
//!            free slot                       last byte of the body
//!  request ───────────▶ running ──────────────────────────────────▶ slot free: the first
//!     │  no                ▲                                         that waits gets it
//!     ├─ room in the queue ┴─▶ waiting, first come first served ──waited too long──▶ 503
//!     └─ queue full ──▶ 503
//! ```
//!
//! A request holds its slot until its response body is through or dropped: a service is busy as
//! long as it sends. All services that one layer makes share its slots.
//!
//! Invariant: at most `max` requests run and at most `queue` wait; a request that was shed never
//! reached the inner service.

mod gate;
mod body;
mod future;

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use contract::clock::Clock;
use http::{Request, Response};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

pub use self::body::SlotBody;
pub use self::future::ResponseFuture;
pub use self::gate::Load;

use self::future::Waiting;
use self::gate::{Entry, Gate};
use crate::problem::Asked;

/// How long a request waits for a slot unless told otherwise.
const WAIT: Duration = Duration::from_secs(1);

/// Makes [`Limited`] services.
///
/// ```
/// use std::time::Duration;
/// use bridge_tower::limit::LimitLayer;
///
/// let layer = LimitLayer::new(100) // run at a time
///     .queue(50)                   // wait for one of the 100
///     .wait(Duration::from_millis(500));
/// assert_eq!(layer.load().running, 0);
/// ```
#[derive(Clone, Debug)]
pub struct LimitLayer {
    gate: Arc<Gate>,
    settings: Settings,
}

#[derive(Clone, Debug)]
struct Settings {
    max: usize,
    queue: usize,
    wait: Duration,
    retry_after: Duration,
    clock: Clock,
}

impl LimitLayer {
    /// Runs `max` requests at a time, at least one; none waits.
    pub fn new(max: usize) -> Self {
        let settings = Settings {
            max: max.max(1),
            queue: 0,
            wait: WAIT,
            retry_after: WAIT,
            clock: Clock::system(),
        };
        Self {
            gate: Arc::new(Gate::new(settings.max, settings.queue)),
            settings,
        }
    }

    /// Lets so many requests wait for a slot. Settings of the slots make new ones: say them before
    /// the layer is used.
    #[must_use]
    pub fn queue(mut self, requests: usize) -> Self {
        self.settings.queue = requests;
        self.gate = Arc::new(Gate::new(self.settings.max, requests));
        self
    }

    /// How long a request waits; one second by default. A deadline may end it sooner.
    #[must_use]
    pub fn wait(mut self, span: Duration) -> Self {
        self.settings.wait = span;
        self
    }

    /// When a client that was shed should come back, in `Retry-After`: rounded up to whole
    /// seconds, one by default.
    #[must_use]
    pub fn retry_after(mut self, span: Duration) -> Self {
        self.settings.retry_after = span;
        self
    }

    /// Another clock than the system's.
    #[must_use]
    pub fn clock(mut self, clock: &Clock) -> Self {
        self.settings.clock = clock.clone();
        self
    }

    /// How busy the slots are now.
    pub fn load(&self) -> Load {
        self.gate.load()
    }
}

impl<S> Layer<S> for LimitLayer {
    type Service = Limited<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Limited {
            inner,
            gate: self.gate.clone(),
            settings: self.settings.clone(),
        }
    }
}

/// Runs a bounded number of requests of `S` at a time.
#[derive(Clone, Debug)]
pub struct Limited<S> {
    inner: S,
    gate: Arc<Gate>,
    settings: Settings,
}

impl<S, Req, Res> Service<Request<Req>> for Limited<S>
where
    S: Service<Request<Req>, Response = Response<Res>> + Clone,
    Res: Body<Data = Bytes>,
{
    type Response = Response<SlotBody<Res>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, Request<Req>, S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Req>) -> Self::Future {
        let retry_after = self.settings.retry_after;
        match Gate::enter(&self.gate) {
            Entry::Now(slot) => ResponseFuture::running(self.inner.call(request), slot),
            Entry::Full => ResponseFuture::shed(Asked::with(request.headers()), retry_after),
            Entry::Queued(ticket) => {
                // The service that was ready waits with the request; its clone stays here.
                let ready = self.inner.clone();
                let waiting = Waiting {
                    asked: Asked::with(request.headers()),
                    service: std::mem::replace(&mut self.inner, ready),
                    request,
                    ticket,
                    retry_after,
                };
                let patience = self.settings.clock.sleep(self.settings.wait);
                ResponseFuture::waiting(waiting, patience)
            }
        }
    }
}

#[cfg(test)]
mod tests;
