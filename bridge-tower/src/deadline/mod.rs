//! Middleware that gives up on a request when its caller has stopped waiting.
//!
//! ```text
//!  header ─▶ clamp ─▶ point in time ──passed already──▶ 504, the handler never runs
//!                          │
//!                          ├──▶ context of the handler: its own calls inherit the point
//!                          └──passes before the answer──▶ handler dropped, 504
//! ```
//!
//! HTTP has no header for a deadline. Two that are in use are read, and the sooner counts:
//! `grpc-timeout` (`1500m`) and `x-envoy-expected-rq-timeout-ms` (`1500`). One that is malformed
//! counts as absent. Calls that the handler makes through a client of ours tell the time that is
//! left in `grpc-timeout`.
//!
//! Invariant: a request that stands inside of another deadline never outlives it.

mod header;
mod body;
mod future;

use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use contract::clock::Clock;
use contract::ids::IdMint;
use http::{Request, Response};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

pub use self::body::{BodyLate, DeadlineBody};
pub use self::future::ResponseFuture;
pub use self::header::{ENVOY_TIMEOUT_MS, inject, time_left};

use self::future::{Bounds, Origin};
use crate::context::{self, Deadline};
use crate::problem::Asked;
use crate::w3c::Unread;

/// What a deadline ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Covers {
    /// Waiting for the head of the answer. A body that streams may take its time.
    #[default]
    Head,
    /// The whole answer: a body that is not through by then breaks off.
    Body,
}

/// Makes [`Deadlines`] services.
///
/// ```
/// use std::time::Duration;
/// use bridge_tower::deadline::DeadlineLayer;
///
/// let layer = DeadlineLayer::new()
///     .default_to(Duration::from_secs(10)) // for callers that do not say
///     .max(Duration::from_secs(60));
/// # let _ = layer;
/// ```
#[derive(Clone, Debug)]
pub struct DeadlineLayer {
    settings: Settings,
}

#[derive(Clone, Debug)]
struct Settings {
    clock: Clock,
    mint: IdMint,
    min: Duration,
    max: Duration,
    default: Option<Duration>,
    covers: Covers,
}

impl Default for DeadlineLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl DeadlineLayer {
    /// What callers ask for, as they ask for it; no deadline for those that do not.
    pub fn new() -> Self {
        let clock = Clock::system();
        Self {
            settings: Settings {
                mint: IdMint::system(&clock),
                clock,
                min: Duration::ZERO,
                max: Duration::MAX,
                default: None,
                covers: Covers::default(),
            },
        }
    }

    /// Time that a caller gets at least, however little it asks for. One whose time is up already
    /// gets none.
    #[must_use]
    pub fn min(mut self, span: Duration) -> Self {
        self.settings.min = span;
        self
    }

    /// Time that a caller gets at most, however much it asks for. Wins over a larger `min`.
    #[must_use]
    pub fn max(mut self, span: Duration) -> Self {
        self.settings.max = span;
        self
    }

    /// Time that a caller gets that does not say, within `min` and `max`.
    #[must_use]
    pub fn default_to(mut self, span: Duration) -> Self {
        self.settings.default = Some(span);
        self
    }

    /// What the deadline ends; the head unless told otherwise.
    #[must_use]
    pub fn covers(mut self, covers: Covers) -> Self {
        self.settings.covers = covers;
        self
    }

    /// Whether requests get a deadline that do not ask for one.
    #[cfg(feature = "axum")]
    pub(crate) fn has_default(&self) -> bool {
        self.settings.default.is_some()
    }

    /// Another clock than the system's.
    #[must_use]
    pub fn clock(mut self, clock: &Clock) -> Self {
        self.settings.clock = clock.clone();
        self.settings.mint = IdMint::system(clock);
        self
    }
}

impl<S> Layer<S> for DeadlineLayer {
    type Service = Deadlines<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Deadlines {
            inner,
            settings: self.settings.clone(),
        }
    }
}

/// Gives each request of `S` a deadline.
#[derive(Clone, Debug)]
pub struct Deadlines<S> {
    inner: S,
    settings: Settings,
}

/// Time that requests of a route have, if they do not ask for less; an extension of the request,
/// set by whoever knows the route. Wins over the layer's own default and bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RouteDeadline(pub(crate) Duration);

impl Settings {
    /// When the work on a request that asks for `span` has to be done.
    fn deadline(&self, asked: Option<Duration>, route: Option<&RouteDeadline>) -> Option<Deadline> {
        let span = match (asked, route) {
            (Some(Duration::ZERO), _) => Duration::ZERO,
            (asked, Some(RouteDeadline(most))) => {
                asked.map_or(*most, |it| it.max(self.min).min(*most))
            }
            (asked, None) => asked.or(self.default)?.max(self.min).min(self.max),
        };
        Some(Deadline::after(&self.clock, span))
    }
}

impl<S, Req, Res> Service<Request<Req>> for Deadlines<S>
where
    S: Service<Request<Req>, Response = Response<Res>>,
    Res: Body<Data = Bytes>,
{
    type Response = Response<DeadlineBody<Res>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Req>) -> Self::Future {
        let route = request.extensions().get::<RouteDeadline>();
        let own = self.settings.deadline(time_left(request.headers()), route);
        let Some(deadline) = sooner(own, context::deadline()) else {
            return ResponseFuture::unbounded(self.inner.call(request));
        };
        let asked = Asked::with(request.headers());
        if deadline.has_passed() {
            return ResponseFuture::refused(asked);
        }
        let bounds = Bounds {
            deadline,
            asked,
            covers: self.settings.covers,
            origin: Origin {
                trace: Unread::of(request.headers()),
                mint: self.settings.mint.clone(),
            },
        };
        ResponseFuture::bounded(self.inner.call(request), bounds)
    }
}

/// The deadline that passes first.
fn sooner(one: Option<Deadline>, other: Option<Deadline>) -> Option<Deadline> {
    match (one, other) {
        (Some(one), Some(other)) if other.remaining() < one.remaining() => Some(other),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests;
