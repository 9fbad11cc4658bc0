//! Middleware that does the work of a request once, however often it is sent.
//!
//! ```text
//!  request with a key ─▶ store: run ─────▶ handler, on a task of its own ─▶ kept, answered
//!                           ├─ replay ───▶ the kept answer, Idempotency-Replayed: true
//!                           ├─ conflict ─▶ 422: the key was used for another request
//!                           └─ busy ─────▶ waits for the first one; at its deadline 409
//! ```
//!
//! As the IETF draft "The Idempotency-Key HTTP Header Field"
//! (draft-ietf-httpapi-idempotency-key-header) has it; the header is configurable. A handler whose
//! client goes away, or whose deadline passes, runs to its end: its repeat waits for it.
//!
//! What is kept: status, some headers and body, up to a limit. Answers about the asking and not
//! about the work are not kept: 5xx, 401, 403, 407, 408, 421, 425, 429, and neither are panics;
//! a repeat of those does the work again. Of an answer that is streamed or too large only that the
//! work was done is kept. An answer that repeats will not get says `Idempotency-Stored: false`.
//!
//! Two requests are the same when method, path, query, `Content-Type`, `Authorization`, `Cookie`,
//! `X-Api-Key` and body are, so that nobody gets an answer that was made for somebody else: with
//! other credentials the key is a conflict. Whoever tells callers apart by something else, such as
//! their certificates, says so by a scope.
//!
//! Refuses gRPC, whose statuses it cannot read: such requests pass untouched.
//!
//! Invariant: while a store keeps its promise, at most one handler runs per key at a time, and
//! none after one that was answered and kept.

mod store;
mod memory;
mod run;
mod header;
mod kept;
mod counts;
mod once;
mod future;

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use contract::clock::Clock;
use http::header::{CONTENT_TYPE, HeaderName};
use http::request::Parts;
use http::{Method, Request, Response};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

pub use self::counts::IdempotencyCounts;
pub use self::future::ResponseFuture;
pub use self::header::{IDEMPOTENCY_KEY, KeyHeader};
pub use self::memory::Memory;
pub use self::once::{IDEMPOTENCY_REPLAYED, IDEMPOTENCY_STORED};
pub use self::run::{Keep, Kept, LEASE, Runner};
pub use self::store::{
    Answering, Ask, Begun, Claim, KEEP, KEEP_BOUNDS, Settled, Store, StoreError, TEXT_BYTES_MAX,
    Work,
};

use self::counts::Counting;
use self::once::Once;
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
    store: Arc<dyn Store>,
    /// Of requests that no route says something about.
    key: Option<KeyHeader>,
    scope: Option<Scope>,
    keeps: Vec<HeaderName>,
    request_bytes_max: usize,
    response_bytes_max: usize,
    clock: Clock,
    counting: Counting,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("store", &self.store)
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
        Self::shared(Arc::new(store))
    }

    /// The same, with a store that others use too.
    pub fn shared(store: Arc<dyn Store>) -> Self {
        use http::header;
        let keeps = [
            header::CACHE_CONTROL,
            header::CONTENT_LANGUAGE,
            header::CONTENT_LOCATION,
            header::CONTENT_TYPE,
            header::ETAG,
            header::LAST_MODIFIED,
            header::LINK,
            header::LOCATION,
        ];
        Self(Arc::new(Settings {
            store,
            key: None,
            scope: None,
            keeps: keeps.to_vec(),
            request_bytes_max: REQUEST_BYTES_MAX,
            response_bytes_max: RESPONSE_BYTES_MAX,
            clock: Clock::system(),
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

    /// Keeps this header of answers too. Kept anyway: `Cache-Control`, `Content-Language`,
    /// `Content-Location`, `Content-Type`, `ETag`, `Last-Modified`, `Link` and `Location`.
    #[must_use]
    pub fn keep_header(self, name: HeaderName) -> Self {
        self.change(|settings| settings.keeps.push(name))
    }

    /// Largest body of a request with a key, 1 MiB unless told otherwise; a larger one is answered
    /// 413.
    #[must_use]
    pub fn request_bytes_max(self, bytes: usize) -> Self {
        self.change(|settings| settings.request_bytes_max = bytes)
    }

    /// Largest body of an answer that is kept, 256 KiB unless told otherwise.
    #[must_use]
    pub fn response_bytes_max(self, bytes: usize) -> Self {
        self.change(|settings| settings.response_bytes_max = bytes)
    }

    /// Another clock than the system's.
    #[must_use]
    pub fn clock(self, clock: &Clock) -> Self {
        self.change(|settings| settings.clock = clock.clone())
    }

    /// What became of requests with a key so far, over all services that this layer made.
    pub fn counts(&self) -> IdempotencyCounts {
        self.0.counting.read()
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

impl<S> Idempotent<S> {
    /// What says which header has the key of this request.
    fn route<B>(&self, request: &Request<B>) -> Option<RouteKey> {
        if let Some(route) = request.extensions().get::<RouteKey>() {
            return Some(route.clone());
        }
        let header = self.settings.key.as_ref()?;
        if !matches!(*request.method(), Method::POST | Method::PATCH) {
            return None;
        }
        let operation = format!("{} {}", request.method(), request.uri().path());
        Some(RouteKey {
            operation: operation.into(),
            header: header.clone(),
        })
    }
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

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let is_grpc = || {
            let kind = request.headers().get(CONTENT_TYPE);
            kind.is_some_and(|it| it.as_bytes().starts_with(b"application/grpc"))
        };
        let route = self.route(&request).filter(|_| !is_grpc());
        let Some(route) = route else {
            return ResponseFuture::plain(self.inner.call(request));
        };
        match route.header.among(request.headers()) {
            Ok(None) => ResponseFuture::plain(self.inner.call(request)),
            Err(fault) => ResponseFuture::refused(once::unusable_key(&self.settings, &fault)),
            Ok(Some(key)) => {
                // The service that was ready goes with the request; its clone stays here.
                let ready = self.inner.clone();
                let service = std::mem::replace(&mut self.inner, ready);
                let once = Once::new(self.settings.clone(), &route, key);
                ResponseFuture::keyed(once.answer(service, request))
            }
        }
    }
}

#[cfg(test)]
mod tests;
