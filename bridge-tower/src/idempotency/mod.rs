//! Middleware that does the work of a request once, however often it is sent.
//!
//! ```text
//!  request with a key ─▶ store: run ─────▶ handler, on a task of its own ─▶ kept, answered
//!                           ├─ replay ───▶ the kept answer, Idempotency-Replayed: true;
//!                           │              409 where only that the work was done is kept
//!                           ├─ conflict ─▶ 422: the key was used for another request
//!                           └─ busy ─────▶ waits for the first one; at its deadline 409
//! ```
//!
//! As the IETF draft "The Idempotency-Key HTTP Header Field"
//! (draft-ietf-httpapi-idempotency-key-header) has it; the header is configurable. A handler whose
//! client goes away, or whose deadline passes, runs to its end: its repeat waits for it.
//!
//! What is kept: status, headers and body, each up to a limit; of headers all but those of the
//! connection, `Set-Cookie`, `Date` and our own. Of an answer that is streamed or too large only
//! that the work was done is kept. An answer streams when its body announces no length and is not
//! there at once, or has trailers, or is `text/event-stream`; it goes out as it comes, and nothing
//! of it is held up. One that was compressed inside of this layer does not: it is kept as it is,
//! with its `Content-Encoding`.
//!
//! Not kept is what says that the work was not done: 5xx and panics, and answers that refuse the
//! request before any work, such as 400, 401, 403, 404, 415, 429, or 422 by an extractor; and an
//! error that a handler answers once its deadline has passed, because the deadline may be why. Such
//! an answer uses no key up: the next request with it runs, also one that was mended. A handler
//! says so of any answer by [`NotDone`]; an error that is `retryable` does. An answer that repeats
//! will not get says `Idempotency-Stored: false`.
//!
//! An answer is kept before it is given. When the store is away by then it is given all the same,
//! says `Idempotency-Stored: later`, and is kept as soon as the store is back, tried for ten
//! minutes. Work is done **again** when its process dies before that, when the store hears nothing
//! of it for longer than a lease (15 seconds) and another process is asked for the same meanwhile,
//! when it runs for longer than it may (ten minutes unless told otherwise), and when its answer says
//! that it was not done. All of that is counted, but for the death.
//!
//! Two requests are the same when method, path, query, `Content-Type`, `Authorization`, `Cookie`,
//! `X-Api-Key` and body are, so that nobody gets an answer that was made for somebody else: with
//! other credentials the key is a conflict. The host is not among that: one service has several, as
//! the addresses of its instances, and a repeat may come to another one. Tenants that are told apart
//! by it need `Host` as a scope of their keys. A replay never reaches what is inside of this layer, the
//! application's own check of its callers neither. Whoever tells callers apart by other headers names
//! them ([`KeyHeader::scoped_by`]), and by something else, such as certificates, says so by a
//! [scope](IdempotencyLayer::scope).
//!
//! Layers that read the same header are one promise: the one outside keeps it, those further inside
//! leave the request alone.
//!
//! Refuses gRPC, whose statuses it cannot read: such requests pass untouched.
//!
//! Invariant: while a store keeps its promise, at most one handler runs per key at a time, and
//! none after one that was answered and kept.

mod store;
mod memory;
#[cfg(test)]
mod far;
mod counts;
mod under_way;
mod grant;
mod run;
mod terms;
mod header;
mod verdict;
mod kept;
mod whole;
mod once;
mod future;

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{Method, Request, Response};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

pub use self::counts::{IdempotencyCounts, WorkCounts};
pub use self::future::ResponseFuture;
pub use self::grant::{Grant, Keep, Kept, LEASE};
pub use self::header::{IDEMPOTENCY_KEY, KeyHeader};
pub use self::kept::{IDEMPOTENCY_REPLAYED, IDEMPOTENCY_STORED};
pub use self::memory::Memory;
pub use self::run::{CutOff, Runner, Turn};
pub use self::store::{
    Answering, Ask, Begun, Claim, KEEP, KEEP_BOUNDS, Settled, Store, StoreError, TEXT_BYTES_MAX,
    Work,
};
pub use self::terms::Terms;
pub use self::verdict::NotDone;

#[cfg(feature = "axum")]
pub(crate) use self::once::not_stored;

use self::counts::Counting;
use self::once::{DoneOnce, Once};
use crate::problem::ProblemBody;

type Scope = Arc<dyn Fn(&Parts) -> String + Send + Sync>;

/// Largest request that is read to compare it, and largest answer that is kept, in bytes, unless
/// told otherwise.
const REQUEST_BYTES_MAX: usize = 1024 * 1024;
const RESPONSE_BYTES_MAX: usize = 256 * 1024;

/// Makes [`Idempotent`] services.
///
/// ```
/// use bridge_tower::idempotency::{IdempotencyLayer, KeyHeader, Memory};
///
/// // POST and PATCH requests with an `Idempotency-Key` are done once.
/// let layer = IdempotencyLayer::new(Memory::new()).key(KeyHeader::standard());
/// assert_eq!(layer.counts().replayed, 0);
/// ```
#[derive(Clone, Debug)]
pub struct IdempotencyLayer(Arc<Settings>);

#[derive(Clone)]
pub(crate) struct Settings {
    runner: Runner,
    /// Of requests that no route says something about.
    key: Option<KeyHeader>,
    scope: Option<Scope>,
    request_bytes_max: usize,
    response_bytes_max: usize,
    counting: Counting,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("store", self.runner.store())
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// What the route of a request says about its key; an extension of the request, set by whoever
/// knows the route.
#[derive(Clone, Debug)]
pub(crate) struct RouteKey {
    /// Names the operation: method and template.
    pub(crate) operation: Arc<str>,
    pub(crate) header: KeyHeader,
}

impl IdempotencyLayer {
    /// Keeps outcomes in `store`. Requests pass untouched until [`key`](Self::key) says which
    /// header to read.
    pub fn new(store: impl Store) -> Self {
        Self::over(&Runner::new(store))
    }

    /// Keeps outcomes where `runner` does, and counts with the works that it knows of.
    pub fn over(runner: &Runner) -> Self {
        Self(Arc::new(Settings {
            runner: runner.clone(),
            key: None,
            scope: None,
            request_bytes_max: REQUEST_BYTES_MAX,
            response_bytes_max: RESPONSE_BYTES_MAX,
            counting: Counting::default(),
        }))
    }

    /// Reads the key of POST and PATCH requests from this header. Other methods repeat safely by
    /// themselves.
    #[must_use]
    pub fn key(self, key: KeyHeader) -> Self {
        self.change(|settings| settings.key = Some(key))
    }

    /// Within what a key is unique: the same key in another scope is another key. For example the
    /// tenant. Without it all requests of an operation share one scope.
    #[must_use]
    pub fn scope(self, scope: impl Fn(&Parts) -> String + Send + Sync + 'static) -> Self {
        self.change(|settings| settings.scope = Some(Arc::new(scope)))
    }

    /// Largest body of a request with a key, 1 MiB unless told otherwise; a larger one is answered
    /// 413.
    #[must_use]
    pub fn request_bytes_max(self, bytes: usize) -> Self {
        self.change(|settings| settings.request_bytes_max = bytes)
    }

    /// Largest body of an answer that is kept, 256 KiB unless told otherwise; of a larger one only
    /// that the work was done. Of a body that does not announce its length as much and one frame is
    /// held, at most 4,096 frames, until it is known whether it streams. Headers may have 16 KiB. A
    /// store has a limit of its own: [`Memory::outcome_bytes_max`], or the runtime's setting
    /// `outcomes.body_bytes_max` (1 MiB).
    #[must_use]
    pub fn response_bytes_max(self, bytes: usize) -> Self {
        self.change(|settings| settings.response_bytes_max = bytes)
    }

    /// What became of requests with a key so far, over all services that this layer made.
    pub fn counts(&self) -> IdempotencyCounts {
        self.0.counting.read()
    }

    /// Whether it reads a header by itself, whatever routes say.
    #[cfg(feature = "axum")]
    pub(crate) fn has_key(&self) -> bool {
        self.0.key.is_some()
    }

    /// Whether it has anything to do with this request by itself, whatever its route says.
    #[cfg(feature = "axum")]
    pub(crate) fn concerns<B>(&self, request: &Request<B>) -> bool {
        let key = self.0.key_of(request.method());
        key.is_some_and(|it| it.concerns(request.headers()))
    }

    fn change(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }
}

impl<S> Layer<S> for IdempotencyLayer {
    type Service = Idempotent<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Idempotent {
            inner,
            settings: self.0.clone(),
        }
    }
}

/// Does the work of each request of `S` that has a key once.
#[derive(Clone, Debug)]
pub struct Idempotent<S> {
    inner: S,
    settings: Arc<Settings>,
}

impl Settings {
    /// The header to read, of requests that no route says something about.
    fn key_of(&self, method: &Method) -> Option<&KeyHeader> {
        let key = self.key.as_ref();
        key.filter(|_| matches!(*method, Method::POST | Method::PATCH))
    }
}

impl<S> Idempotent<S> {
    /// What says which header has the key of this request. `None` when this layer has nothing to do
    /// with it, because there is none, or because another layer does its work once already.
    fn route<B>(&self, request: &mut Request<B>) -> Option<RouteKey> {
        // Taken out: it is the word of the route to one layer.
        let said = request.extensions_mut().remove::<RouteKey>();
        let header = match &said {
            Some(route) => &route.header,
            None => self.settings.key_of(request.method())?,
        };
        // Most requests have no key, and nothing is made for them.
        if !header.concerns(request.headers()) || is_grpc(request) {
            return None;
        }
        let done = request.extensions().get::<DoneOnce>();
        if done.is_some_and(|it| it.is_by(header.header())) {
            return None;
        }
        let by_itself = || RouteKey {
            header: header.clone(),
            operation: format!("{} {}", request.method(), request.uri().path()).into(),
        };
        let made = said.is_none().then(by_itself);
        said.or(made)
    }
}

/// Whether its status is in its trailers.
fn is_grpc<B>(request: &Request<B>) -> bool {
    let kind = request.headers().get(CONTENT_TYPE);
    kind.is_some_and(|it| it.as_bytes().starts_with(b"application/grpc"))
}

impl<S, B, Res> Service<Request<B>> for Idempotent<S>
where
    S: Service<Request<B>, Response = Response<Res>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send + 'static,
    B: Body<Data = Bytes> + From<Bytes> + Send + 'static,
    Res: Body<Data = Bytes> + Send + 'static,
{
    type Response = Response<ProblemBody<Res>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, Res, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let Some(route) = self.route(&mut request) else {
            return ResponseFuture::plain(self.inner.call(request));
        };
        match route.header.among(request.headers(), request.uri()) {
            Ok(None) => ResponseFuture::plain(self.inner.call(request)),
            Err(fault) => ResponseFuture::refused(once::unusable_key(&self.settings, &fault)),
            Ok(Some(named)) => {
                // The service that was ready goes with the request; its clone stays here.
                let ready = self.inner.clone();
                let service = std::mem::replace(&mut self.inner, ready);
                let once = Once {
                    settings: self.settings.clone(),
                    route,
                    named,
                };
                ResponseFuture::keyed(once.answer(service, request))
            }
        }
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod answer_tests;
