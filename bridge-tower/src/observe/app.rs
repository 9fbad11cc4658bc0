//! An axum application that is observed as a whole: `observe(router)`.
//!
//! The layer sits outside of the router and is not boxed; the route comes from the router's own
//! table, read once. When the table cannot be read (an axum this version does not know), the route
//! is stamped from inside instead, which costs a little and says so once.
//!
//! Invariant: the router is left as it was. What it would have answered is what is answered,
//! except for a handler that panics: that is an answer of status 500, and the connection lives on.

use std::any::Any;
use std::convert::Infallible;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::extract::MatchedPath;
use axum::routing::RouterIntoService;
use http::{Method, Request, Response};
use http_body::Body as _;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::body::MeteredBody;
use super::layer::StampLayer;
use super::live::{Live, RouteCell, RouteSource};
use crate::context::{self, Scope};
use crate::record::{Ending, Route};
use crate::recorder::Recorder;
use crate::routes::{Matcher, RouteTable};

/// A body that announces at most so many bytes is not metered when the request leaves no record
/// but a count: it is one piece in nearly every service, and ends with the head.
const UNMETERED_BYTES_MAX: u64 = 16 * 1_024;

/// Observes `router`: trace context in and out, one count and one record per request, panics
/// answered with 500.
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
    service: RouterIntoService<Body>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    recorder: Recorder,
    table: RouteTable,
    /// `None` when the route is stamped from inside.
    matching: Option<Matching>,
}

#[derive(Debug)]
struct Matching {
    matcher: Matcher,
    /// The recorder's number of each route of the table.
    routes: Box<[Route]>,
}

impl Matching {
    fn find(&self, path: &str) -> Option<Route> {
        let at = usize::try_from(self.matcher.find(path)?).ok()?;
        self.routes.get(at).copied()
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
        Self {
            service: router.into_service(),
            shared: Arc::new(Shared {
                recorder: recorder.clone(),
                table,
                matching,
            }),
        }
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

impl Service<Request<Body>> for Observed {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = AppFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<Request<Body>>::poll_ready(&mut self.service, cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> AppFuture {
        let shared = &*self.shared;
        let stamped = shared.matching.is_none().then(RouteCell::new);
        if let Some(cell) = &stamped {
            request.extensions_mut().insert(cell.clone());
        }
        let (live, context) = Live::arrives(&shared.recorder, &request, || {
            let matched = || shared.matching.as_ref()?.find(request.uri().path());
            let known = || RouteSource::Known(matched().unwrap_or(Route::UNMATCHED));
            stamped.map_or_else(known, RouteSource::Stamped)
        });
        let bodyless = *request.method() == Method::HEAD;
        AppFuture {
            answer: context::scope(context, self.service.call(request)),
            live,
            bodyless,
        }
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

type Answer = <RouterIntoService<Body> as Service<Request<Body>>>::Future;

pin_project! {
    /// Future of [`Observed`].
    #[must_use = "futures do nothing until polled"]
    pub struct AppFuture {
        #[pin]
        answer: Scope<Answer>,
        // `None` once the response has taken it along.
        live: Option<Live>,
        bodyless: bool,
    }
}

impl std::fmt::Debug for AppFuture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AppFuture").finish_non_exhaustive()
    }
}

impl Future for AppFuture {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = this.answer;
        let polled = catch_unwind(AssertUnwindSafe(|| answer.poll(cx)));
        match polled {
            Ok(Poll::Pending) => {
                if let Some(live) = this.live {
                    live.waits();
                }
                Poll::Pending
            }
            Ok(Poll::Ready(Ok(response))) => {
                let live = this.live.take();
                Poll::Ready(Ok(metered(response, live, *this.bodyless)))
            }
            Ok(Poll::Ready(Err(never))) => match never {},
            Err(panic) => Poll::Ready(Ok(panicked(this.live.take(), &*panic))),
        }
    }
}

/// The response with its body metered; untouched when it ends here.
fn metered(response: Response<Body>, live: Option<Live>, bodyless: bool) -> Response<Body> {
    let Some(mut live) = live else {
        return response;
    };
    let status = response.status().as_u16();
    let body = response.body();
    let short = if live.is_counted_only() {
        let announced = body.size_hint().exact();
        announced.filter(|bytes| *bytes <= UNMETERED_BYTES_MAX)
    } else {
        None
    };
    if bodyless || short.is_some() || body.is_end_stream() {
        live.status = status;
        live.response_bytes = short.filter(|_| !bodyless).unwrap_or(0);
        live.end(Ending::Answered);
        return response;
    }
    response.map(|body| Body::new(MeteredBody::new(body, Some(live), status, false)))
}

fn panicked(live: Option<Live>, panic: &(dyn Any + Send)) -> Response<Body> {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(panic = text.unwrap_or("of an unknown type"), "a handler panicked");
    if let Some(mut live) = live {
        live.status = 500;
        live.end(Ending::Panicked);
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
    response
}
