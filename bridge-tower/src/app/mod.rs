//! An axum application that is observed as a whole: `observe(router)`.
//!
//! ```text
//!  request ─▶ trace, count, record, panics ─▶ problems ─▶ [deadline ─▶ capture] ─▶ router
//!             one future, not boxed                        only if it asks for one, only if on
//!
//!  A request of a declared operation that has a deadline or a key, or one with a key that a layer
//!  given to `once` reads, goes [deadline ─▶ capture ─▶ once].
//! ```
//!
//! The layer sits outside of the router and is not boxed; the route comes from the router's own
//! table, read once. When the table cannot be read (an axum this version does not know), the route
//! is stamped from inside instead, which costs a little and says so once.
//!
//! Invariant: the router is left as it was. What it would have answered is what is answered,
//! except for a handler that panics, which is an answer of status 500, for one whose time is up,
//! and for errors that say nothing of their own: those become problem details.

mod declared;
mod durable;
mod future;

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::extract::MatchedPath;
use axum::routing::RouterIntoService;
use http::{Extensions, Method, Request, Response};
use tower_service::Service;

pub use self::declared::RoutePolicy;
pub use self::durable::outcomes_can_be_durable;
pub use self::future::AppFuture;

use self::declared::Declared;
use self::future::Asked;

use crate::capture::{Capture, CaptureLayer, Mode, PayloadSink};
use crate::context;
use crate::deadline::DeadlineLayer;
use crate::idempotency::{IdempotencyCounts, IdempotencyLayer, Memory, RouteKey, Runner};
use crate::limit::LimitLayer;
use crate::observe::StampLayer;
use crate::observe::live::{Live, RouteCell, RouteSource};
use crate::problem::{ProblemLayer, Wanted};
use crate::record::Route;
use crate::recorder::Recorder;
use crate::routes::{Matcher, RouteTable};
use crate::trace::Heard;

/// Observes `router`: trace context in and out, one count and one record per request, deadlines
/// that callers ask for, panics and errors without a shape answered as problem details.
///
/// ```
/// use axum::{Router, routing::get};
///
/// let app = Router::new().route("/", get(|| async { "hello" }));
/// let app = bridge_tower::observe(app);
/// // axum::serve(listener, app).await
/// # let _ = app;
/// ```
pub fn observe(router: Router) -> Observed {
    Observed::new(router, &Recorder::new())
}

/// An observed application. Serve it as it is, or nest it like any tower service.
#[derive(Clone, Debug)]
pub struct Observed {
    /// What most requests go through.
    plain: RouterIntoService<Body>,
    shared: Arc<Shared>,
}

#[derive(Clone, Debug)]
struct Shared {
    recorder: Recorder,
    table: RouteTable,
    /// `None` when the route is stamped from inside.
    matching: Option<Matching>,
    problems: Option<ProblemLayer>,
    router: Router,
    deadline: DeadlineLayer,
    capture: Option<(Capture, CaptureLayer)>,
    /// `None` when no operation was declared that wants something.
    declared: Option<Declared>,
    /// What others keep beside it.
    beside: Extensions,
    /// As somebody said.
    once: Option<IdempotencyLayer>,
    /// The one in use, once an operation or somebody wants it.
    doing_once: Option<IdempotencyLayer>,
    /// What requests go through that ask for a deadline, whose bodies are kept, or that are of a
    /// declared operation: layers inside of a router are boxed, which nobody else has to pay for.
    full: RouterIntoService<Body>,
}

#[derive(Clone, Debug)]
struct Matching {
    matcher: Matcher,
    /// The recorder's number of each route of the table.
    routes: Box<[Route]>,
}

impl Matching {
    #[inline]
    fn find(&self, path: &str) -> Option<Route> {
        self.route(self.matcher.find(path)?)
    }

    #[inline]
    fn route(&self, at: u32) -> Option<Route> {
        self.routes.get(usize::try_from(at).ok()?).copied()
    }
}

impl Observed {
    /// Observes `router`, recording into `recorder`.
    pub fn new(router: Router, recorder: &Recorder) -> Self {
        let (router, table, matching) = match RouteTable::of(&router) {
            Ok(table) => {
                let matching = Matching {
                    matcher: table.matcher(),
                    routes: table.templates().map(|it| recorder.route(it)).collect(),
                };
                (router, table, Some(matching))
            }
            Err(unknown) => {
                tracing::warn!(
                    reason = %unknown,
                    "the router's routes cannot be read; each one is known once it is called"
                );
                let stamp = StampLayer::new(recorder, |extensions| {
                    extensions.get::<MatchedPath>().map(MatchedPath::as_str)
                });
                (router.layer(stamp), RouteTable::default(), None)
            }
        };
        let deadline = DeadlineLayer::new();
        Self {
            plain: router.clone().into_service(),
            shared: Arc::new(Shared {
                recorder: recorder.clone(),
                table,
                matching,
                problems: Some(ProblemLayer::new()),
                full: router.clone().layer(deadline.clone()).into_service(),
                router,
                deadline,
                capture: None,
                declared: None,
                beside: Extensions::new(),
                once: None,
                doing_once: None,
            }),
        }
    }

    /// Records into `recorder` instead.
    #[must_use]
    pub fn record_to(self, recorder: &Recorder) -> Self {
        self.change(|shared| {
            shared.recorder = recorder.clone();
            if let Some(matching) = &mut shared.matching {
                let templates = shared.table.templates();
                matching.routes = templates.map(|it| recorder.route(it)).collect();
            }
        })
    }

    /// Applies deadlines as `deadline` says: limits to what callers ask for, or a default for
    /// those that do not ask. Without it, what callers ask for is what they get.
    #[must_use]
    pub fn deadline(self, deadline: DeadlineLayer) -> Self {
        self.change(|shared| shared.deadline = deadline)
    }

    /// Lets at most so many requests run at once, as `limit` says. Its slots are held to the end
    /// of the body.
    #[must_use]
    pub fn limit(self, limit: LimitLayer) -> Self {
        self.change(|shared| shared.router = shared.router.clone().layer(limit))
    }

    /// Makes problem details of errors as `problems` says; `None` leaves them as they are.
    #[must_use]
    pub fn problems(self, problems: impl Into<Option<ProblemLayer>>) -> Self {
        self.change(|shared| shared.problems = problems.into())
    }

    /// Keeps bodies as `capture` says at the time, without the secrets in them, and hands them to
    /// `sink`.
    #[must_use]
    pub fn capture(self, capture: &Capture, sink: Arc<dyn PayloadSink>) -> Self {
        let layer = CaptureLayer::new(capture, sink);
        self.change(|shared| shared.capture = Some((capture.clone(), layer)))
    }

    /// Applies what operations want at the routes they are mounted at: a deadline, work that is done
    /// once. These are all there are: they replace those that were said before. `HEAD` has the
    /// deadline of `GET` where axum answers it with the same handler. Requests of other routes stay
    /// as they are.
    #[must_use]
    pub fn operations(self, policies: impl IntoIterator<Item = RoutePolicy>) -> Self {
        let policies: Vec<_> = policies.into_iter().collect();
        self.change(|shared| {
            let table = shared.matching.as_ref().map(|_| &shared.table);
            let declared = Declared::new(table, &policies);
            shared.declared = (!declared.is_empty()).then_some(declared);
        })
    }

    /// Does the work of requests with a key once as `once` says, which has the store that their
    /// outcomes are kept in. Without it that is bounded memory of this process, and a repeat after
    /// a restart or at another instance does the work again. A [`key`](IdempotencyLayer::key) of
    /// its own holds for all POST and PATCH requests of operations that declare none.
    #[must_use]
    pub fn once(self, once: IdempotencyLayer) -> Self {
        self.change(|shared| shared.once = Some(once))
    }

    /// The same with everything but the runner at its default.
    #[must_use]
    pub fn outcomes(self, runner: &Runner) -> Self {
        self.once(IdempotencyLayer::over(runner))
    }

    /// Keeps `value` beside the application, for whoever adds to what was said of it. There is one
    /// value of each type, and requests do not see it.
    #[must_use]
    pub fn keep_beside<T: Clone + Send + Sync + 'static>(self, value: T) -> Self {
        self.change(|shared| {
            shared.beside.insert(value);
        })
    }

    /// What is [kept](Self::keep_beside) beside it.
    pub fn beside<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.shared.beside.get()
    }

    /// Gives each request `value` as an extension, for extractors.
    #[must_use]
    pub fn provide<T: Clone + Send + Sync + 'static>(self, value: T) -> Self {
        self.change(|shared| shared.router = shared.router.clone().layer(axum::Extension(value)))
    }

    /// The same, unless it was said already.
    #[must_use]
    pub fn outcomes_by_default(self, runner: &Runner) -> Self {
        self.change(|shared| {
            shared
                .once
                .get_or_insert_with(|| IdempotencyLayer::over(runner));
        })
    }

    /// To serve it by other means than `axum::serve`, as `Router::into_make_service` does.
    pub fn into_make_service(self) -> axum::routing::IntoMakeService<Self> {
        axum::ServiceExt::<Request<Body>>::into_make_service(self)
    }

    /// To serve it with what is known of each connection, such as the client's address, as
    /// `Router::into_make_service_with_connect_info` does.
    pub fn into_make_service_with_connect_info<C>(
        self,
    ) -> axum::extract::connect_info::IntoMakeServiceWithConnectInfo<Self, C> {
        axum::ServiceExt::<Request<Body>>::into_make_service_with_connect_info::<C>(self)
    }

    fn change(mut self, change: impl FnOnce(&mut Shared)) -> Self {
        let shared = Arc::make_mut(&mut self.shared);
        change(shared);
        let mut full = shared.router.clone();
        let has_keys = shared.declared.as_ref().is_some_and(Declared::has_keys);
        let said = shared.once.clone().filter(|it| has_keys || it.has_key());
        let made = || IdempotencyLayer::new(Memory::new());
        shared.doing_once = said.or_else(|| has_keys.then(made));
        if let Some(once) = &shared.doing_once {
            full = full.layer(once.clone());
        }
        if let Some((_, capture)) = &shared.capture {
            full = full.layer(capture.clone());
        }
        shared.full = full.layer(shared.deadline.clone()).into_service();
        self.plain = shared.router.clone().into_service();
        self
    }

    /// What became of requests with a key; `None` when nothing is done once.
    pub fn idempotency(&self) -> Option<IdempotencyCounts> {
        self.shared
            .doing_once
            .as_ref()
            .map(IdempotencyLayer::counts)
    }

    /// Where its requests are recorded and counted.
    pub fn recorder(&self) -> &Recorder {
        &self.shared.recorder
    }

    /// The routes that were found in the router; empty when they could not be read.
    pub fn routes(&self) -> &RouteTable {
        &self.shared.table
    }
}

impl Shared {
    /// Whether this request takes the layers that few need, whatever its route wants.
    fn takes_all(&self, request: &Request<Body>) -> bool {
        let is_kept = |(capture, _): &(Capture, _)| capture.mode() != Mode::None;
        let is_once = |once: &IdempotencyLayer| once.concerns(request);
        self.deadline.has_default()
            || self.capture.as_ref().is_some_and(is_kept)
            || self.doing_once.as_ref().is_some_and(is_once)
    }

    /// Whether the work of this request is done once.
    fn is_keyed(&self, request: &Request<Body>) -> bool {
        let key = request.extensions().get::<RouteKey>();
        let once = self.doing_once.as_ref();
        key.is_some_and(|it| it.header.concerns(request.headers()))
            || once.is_some_and(|it| it.concerns(request))
    }
}

impl Service<Request<Body>> for Observed {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = AppFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<Request<Body>>::poll_ready(&mut self.plain, cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> AppFuture {
        let shared = &*self.shared;
        let stamped = shared.matching.is_none().then(RouteCell::new);
        if let Some(cell) = &stamped {
            request.extensions_mut().insert(cell.clone());
        }
        let heard = Heard::among(request.headers());
        // Looked up once, whoever needs it first.
        let matching = shared.matching.as_ref();
        let at = shared.declared.as_ref().map(|_| {
            let path = request.uri().path();
            matching.and_then(|it| it.matcher.find(path))
        });
        let arrival = Live::arrives(&shared.recorder, &request, &heard, || {
            let matched = || match at {
                Some(at) => matching?.route(at?),
                None => matching?.find(request.uri().path()),
            };
            let known = || RouteSource::Known(matched().unwrap_or(Route::UNMATCHED));
            stamped.map_or_else(known, RouteSource::Stamped)
        });
        let wanted = shared.problems.as_ref();
        let wanted = wanted.map_or(Wanted::No, |layer| layer.wants(&request, heard.accept));
        let tells_deadline = heard.tells_deadline;
        let is_wanted = match &shared.declared {
            Some(declared) => declared.tell(&mut request, at.flatten()),
            None => false,
        };
        let mut asked = Asked {
            bodyless: *request.method() == Method::HEAD,
            keyed: false,
        };
        let answer = if tells_deadline || is_wanted || shared.takes_all(&request) {
            asked.keyed = shared.is_keyed(&request);
            if asked.keyed && shared.once.is_none() {
                durable::kept_in_memory();
            }
            shared.full.clone().call(request)
        } else {
            self.plain.call(request)
        };
        let answer = context::scope(arrival.context, answer);
        AppFuture::new(answer, arrival.live, wanted, asked)
    }
}

impl<L: axum::serve::Listener> Service<axum::serve::IncomingStream<'_, L>> for Observed {
    type Response = Self;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: axum::serve::IncomingStream<'_, L>) -> Self::Future {
        std::future::ready(Ok(self.clone()))
    }
}

#[cfg(test)]
mod tests;
