//! Middleware that keeps a copy of request and response bodies for whoever looks into a trace.
//!
//! ```text
//!  request body ──tee──▶ handler ──▶ response body ──tee──▶ client
//!        └─ at most cap bytes ─┐             └─ at most cap bytes ─┐
//!                              └──────── end of the answer ────────┴─▶ secrets out ─▶ sink
//! ```
//!
//! Whether anything is kept is a switch that can be turned while requests run: nothing, what
//! failed, or all. Off, which is the default, a body costs a look at the switch. The bytes that
//! pass are neither delayed nor changed; what is kept is cut at the cap and counted in full.
//!
//! It refuses to keep what nobody could read later or must not: headers, forms with files, encoded
//! bodies, empty ones (no bytes, only spaces, `{}`, `null`), and requests that are not part of a
//! recorded trace. The values of secrets are replaced by `"[redacted]"`: see
//! [`CaptureLayer::redact`].
//!
//! Invariant: each direction of a request is handed over at most once, after its last byte.

mod switch;
mod redact;
mod tap;
mod exchange;
mod body;
mod future;

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use contract::headers::TraceContext;
use http::{Method, Request, Response};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

pub use self::body::{TappedRequest, TappedResponse};
pub use self::future::ResponseFuture;
pub use self::switch::{CAPTURE_BYTES_MAX, Capture, Mode};

use self::exchange::Exchange;
use self::redact::Secrets;

/// What stands in place of a contract hash for the bodies of HTTP requests.
pub const MARKER: &str = "raw/json";

/// Which of the two bodies of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The request's.
    Input,
    /// The response's.
    Output,
}

/// Takes over what was kept.
pub trait PayloadSink: Send + Sync + 'static {
    /// `op` is the request's operation: its trace, and its own id as
    /// [`parent`](TraceContext::parent). `bytes` are at most the cap; the body had
    /// `original_bytes`, of which secrets were taken out and the rest was cut. Called on the
    /// request's own task: it must not wait.
    fn payload(&self, op: TraceContext, direction: Direction, bytes: Bytes, original_bytes: u64);
}

/// Makes [`Captured`] services. It belongs inside of the layer that observes, so that there is an
/// operation to attach to.
#[derive(Clone, Debug)]
pub struct CaptureLayer {
    settings: Arc<Settings>,
}

#[derive(Clone)]
struct Settings {
    capture: Capture,
    sink: Arc<dyn PayloadSink>,
    secrets: Secrets,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("capture", &self.capture)
            .finish_non_exhaustive()
    }
}

impl CaptureLayer {
    /// Hands over to `sink` what `capture` says.
    pub fn new(capture: &Capture, sink: Arc<dyn PayloadSink>) -> Self {
        Self {
            settings: Arc::new(Settings {
                capture: capture.clone(),
                sink,
                secrets: Secrets::default(),
            }),
        }
    }

    /// Takes values under `name` out too, beside those of passwords, tokens, keys, cookies, card
    /// numbers and the like. Names are compared without case, `_` and `-`; one that has this name
    /// anywhere in it counts.
    ///
    /// Values are found in JSON, also when it is cut, and in URL-encoded forms. Other text is kept
    /// as it is.
    #[must_use]
    pub fn redact(mut self, name: &str) -> Self {
        Arc::make_mut(&mut self.settings).secrets.add(name);
        self
    }
}

impl<S> Layer<S> for CaptureLayer {
    type Service = Captured<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Captured {
            inner,
            settings: self.settings.clone(),
        }
    }
}

/// Keeps copies of what passes through to `S` and back.
#[derive(Clone, Debug)]
pub struct Captured<S> {
    inner: S,
    settings: Arc<Settings>,
}

impl<S, Req, Res> Service<Request<Req>> for Captured<S>
where
    S: Service<Request<TappedRequest<Req>>, Response = Response<Res>>,
    Res: Body<Data = Bytes>,
{
    type Response = Response<TappedResponse<Res>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Req>) -> Self::Future {
        let mode = self.settings.capture.mode();
        let exchange =
            (mode != Mode::None).then(|| Exchange::begin(&self.settings, mode, request.headers()));
        let bodyless = *request.method() == Method::HEAD;
        let input = exchange.as_ref().map(Exchange::input);
        let request = request.map(|body| TappedRequest::new(body, input));
        ResponseFuture::new(self.inner.call(request), exchange, bodyless)
    }
}

#[cfg(test)]
mod tests;
