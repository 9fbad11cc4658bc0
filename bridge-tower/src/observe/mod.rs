//! Middleware that counts and records each HTTP request and runs the handler in its context.
//!
//! ```text
//!  request ─▶ decide (raw header) ─▶ handler in its trace ─▶ head ─▶ body ─▶ last byte: one record
//! ```
//!
//! Outside of a router it measures everything, routing included, and learns the route either from
//! the router's own table (`observe(router)`) or from a [`Stamp`] inside. The response body is measured to
//! its end: a stream that breaks half way is not a success.
//!
//! It refuses nothing and answers nothing.

pub(crate) mod live;
mod body;
mod future;
mod layer;

use std::task::{Context, Poll};

use http::{Method, Request, Response};
use http_body::Body;
use tower_service::Service;

pub use self::body::MeteredBody;
pub use self::future::ResponseFuture;
pub use self::layer::{ObserveLayer, StampLayer};
pub use self::live::SPAN_TARGET;

use self::live::{Live, RouteCell, RouteSource};
use crate::context;
use crate::record::Route;
use crate::recorder::Recorder;
use crate::trace::Heard;

/// Finds the route's template in a request's extensions; the router decides under which type.
pub type RouteOf = fn(&http::Extensions) -> Option<&str>;

/// Records the requests that pass through to `S`.
#[derive(Clone, Debug)]
pub struct Observe<S> {
    inner: S,
    recorder: Recorder,
    route_of: Option<RouteOf>,
}

impl<S, Req, Res> Service<Request<Req>> for Observe<S>
where
    S: Service<Request<Req>, Response = Response<Res>>,
    Res: Body,
{
    type Response = Response<MeteredBody<Res>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Req>) -> Self::Future {
        let stamped = self.route_of.is_none().then(RouteCell::new);
        if let Some(cell) = &stamped {
            request.extensions_mut().insert(cell.clone());
        }
        let heard = Heard::among(request.headers());
        let arrival = Live::arrives(&self.recorder, &request, &heard, || {
            let known = || (self.route_of?)(request.extensions());
            let known = || known().map_or(Route::UNMATCHED, |it| self.recorder.route(it));
            stamped.map_or_else(|| RouteSource::Known(known()), RouteSource::Stamped)
        });
        let bodyless = *request.method() == Method::HEAD;
        // The handler may start work while `call` runs, before its future is first polled; only
        // the future runs in the scope, which is where every async handler does its work.
        let answer = context::scope(arrival.context, self.inner.call(request));
        ResponseFuture::new(answer, arrival.live, bodyless)
    }
}

/// Tells the [`Observe`] outside of the router which route matched.
#[derive(Clone, Debug)]
pub struct Stamp<S> {
    inner: S,
    recorder: Recorder,
    route_of: RouteOf,
}

impl<S: Service<Request<B>>, B> Service<Request<B>> for Stamp<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if let Some(cell) = request.extensions().get::<RouteCell>()
            && let Some(template) = (self.route_of)(request.extensions())
        {
            cell.set(self.recorder.route(template));
        }
        self.inner.call(request)
    }
}

#[cfg(test)]
mod tests;
