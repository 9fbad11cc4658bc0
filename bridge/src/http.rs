//! The user's own HTTP server, on the map and in the traces, stopping with the bridge.
//!
//! The user's router stays as it is: its routes are read from it, and every request is recorded
//! from outside of it.

use std::net::SocketAddr;
use std::sync::Once;

use axum::extract::MatchedPath;
use bridge_tower::routes::RouteTable;
use bridge_tower::{ObserveLayer, Observed, Recorder};
use contract::error_code::ErrorCode;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::app::{Bridge, Stage, reached};
use crate::error::Error;
use crate::http_app::{HttpApp, Routed};
use crate::mounted::checked;
use crate::operation::Refused;
use crate::rpc::Remote;
use crate::session::Session;

/// Where peers find a server that listens everywhere when nothing is said.
const HOST_DEFAULT: &str = "127.0.0.1";

impl Remote {
    /// An application of this process, called in the JSON form of a contract as
    /// [`Remote::json`] calls a server, without a socket: for tests of it, and for services that
    /// live in one process. It is observed, if it was not yet, so a handler that panics answers 500;
    /// what was said about its handlers holds for one that [`declare`](crate::declare) gives.
    /// Handlers that ask for the peer's address get none.
    ///
    /// ```
    /// # struct Payments;
    /// # #[derive(Clone)] struct PaymentsClient;
    /// # impl From<bridge::__rt::Target> for PaymentsClient { fn from(_: bridge::__rt::Target) -> Self { Self } }
    /// # impl bridge::Contract for Payments {
    /// #     const NAME: &'static str = "shop.payments.v1.Payments";
    /// #     const DEFAULT_TARGET: &'static str = "payments";
    /// #     const METHODS: &'static [bridge::__rt::MethodMeta] = &[];
    /// #     type Client = PaymentsClient;
    /// # }
    /// use axum::{Router, routing::post};
    ///
    /// let app: Router = Router::new().route("/v1/charges", post(|| async { "{}" }));
    /// let payments = bridge::Remote::app(app).client::<Payments>();
    /// # let _ = payments;
    /// ```
    pub fn app(app: impl Into<HttpApp>) -> Self {
        Self::to_application(app.into().observed())
    }
}

impl Bridge {
    /// Observes `app`: one operation per request, named by its route; handlers run in its trace,
    /// so that what they do hangs under it; a handler that panics answers 500. Bodies are attached
    /// to it as far as the runtime wishes (by default those of requests that fail), cut at its
    /// cap and without the values of secrets. What was said about the axum handlers given to
    /// [`serve`](crate::Builder::serve) holds for its routes.
    ///
    /// [`serve_http`](Self::serve_http) does so by itself; this is for those who serve otherwise, as
    /// with a layer around it, and [`http_server`](Self::http_server) then puts the routes on the map:
    ///
    /// ```no_run
    /// # use axum::{Router, extract::Request, middleware::{Next, from_fn}, routing::get};
    /// # async fn example(bridge: bridge::Bridge, router: Router, listener: tokio::net::TcpListener)
    /// # -> Result<(), Box<dyn std::error::Error>> {
    /// # let who_asks = from_fn(async |it: Request, next: Next| next.run(it).await);
    /// let app = bridge.observe(router);
    /// bridge.http_server("127.0.0.1:8080", &app)?;
    /// let app: Router = Router::new().fallback_service(app).layer(who_asks);
    ///
    /// let over = bridge.clone();
    /// axum::serve(listener, app)
    ///     .with_graceful_shutdown(async move { over.stopped().await.unwrap_or_default() })
    ///     .await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Panics
    ///
    /// Where [`declare`](crate::declare()) does.
    #[track_caller]
    pub fn observe(&self, app: impl Into<HttpApp>) -> Observed {
        match self.observed(app.into()) {
            Ok(app) => app,
            Err(refused) => panic!("{refused}"),
        }
    }

    fn observed(&self, app: HttpApp) -> Result<Observed, Refused> {
        let session = self.session();
        let observed = app.recording_to(session.recorder());
        let (capture, sink) = session.telemetry.capture_http();
        let observed = observed.outcomes_by_default(self.outcomes().runner());
        self.offered().apply(observed.capture(capture, sink))
    }

    /// The same as a layer for a part of a router.
    ///
    /// Add it with `Router::layer`: inside the router the route's template is known. A request
    /// that passes it and [`observe`](Self::observe) is two operations.
    pub fn layer(&self) -> ObserveLayer {
        ObserveLayer::new(self.session().recorder())
            .route_of(|extensions| extensions.get::<MatchedPath>().map(MatchedPath::as_str))
    }

    /// Reports what `recorder` records from now on: for an application that was observed before
    /// there was a bridge, and nothing else. Its keys stay in the memory of this process, its handlers
    /// get no clients, and its routes are not on the map; with [`observe`](Self::observe) they do.
    ///
    /// ```no_run
    /// # fn example(bridge: &bridge::Bridge) {
    /// let app = bridge::observe(axum::Router::new());
    /// bridge.report(app.recorder());
    /// # }
    /// ```
    pub fn report(&self, recorder: &Recorder) {
        self.session().follow(recorder);
    }

    /// Where HTTP requests are recorded: for client layers, so that requests that are sent join
    /// the traces, too.
    pub fn recorder(&self) -> &Recorder {
        self.session().recorder()
    }

    /// Serves `app` on `listener` until the bridge stops: then no new connection is accepted,
    /// running requests finish within the stop timeout, and this returns.
    ///
    /// Every request is recorded, see [`observe`](Self::observe). While it serves, the routes of
    /// `app` and the listener's address are on the map; a listener of every address is there as
    /// `127.0.0.1`, with a warning, unless [`Builder::http_host`](crate::Builder::http_host) says
    /// otherwise.
    ///
    /// # Errors
    ///
    /// `CONFIG` when the listener has no address, and where [`declare`](crate::declare()) panics, with
    /// the same text; `INTERNAL` when accepting breaks; the reason when
    /// the bridge stopped for good by itself.
    pub async fn serve_http(
        &self,
        listener: TcpListener,
        app: impl Into<HttpApp>,
    ) -> Result<(), Error> {
        let address = listener.local_addr().map_err(|error| {
            Error::caused(ErrorCode::Config, "the HTTP listener has no address", error)
        })?;
        let app = self.observed(app.into());
        let app = app.map_err(|refused| Error::config(refused.to_string()))?;
        let session = self.session();
        let endpoint = endpoint(session.options.http_host.as_deref(), address);
        let _declared = Declared::new(session, endpoint, app.routes());
        let _counted = Counted::new(self.http_servers());
        let draining = reached(self.stages(), Stage::Draining);
        let serving = axum::serve(listener, app).with_graceful_shutdown(draining);
        let closed = reached(self.stages(), Stage::Closed);
        tokio::select! {
            served = serving => served.map_err(|error| {
                Error::caused(ErrorCode::Internal, "the HTTP server broke", error)
            })?,
            // What is left then did not finish in time.
            () = closed => {}
        }
        self.session().failure().map_or(Ok(()), Err)
    }

    /// Puts the routes of `app`, a router or an observed application that is served by other means at
    /// `endpoint` (`host:port`), on the map until the bridge stops.
    ///
    /// # Errors
    ///
    /// `CONFIG` when the endpoint is not `host:port`.
    pub fn http_server(&self, endpoint: &str, app: &impl Routed) -> Result<(), Error> {
        let endpoint = checked(endpoint)?;
        let routes = app.table();
        let registration = &self.session().registration;
        registration.send_modify(|it| {
            it.serve_http(endpoint, routes.names());
        });
        Ok(())
    }

    /// Declares that this service calls `route` (`GET /users/{id}`) of the HTTP service `service`:
    /// an edge of the map. Saying it again does nothing. Names have 1 to 255 bytes, and at most
    /// 1,024 are kept; what exceeds that is left out, with a warning.
    pub fn declare_http(&self, service: &str, route: &str) {
        let registration = &self.session().registration;
        registration.send_if_modified(|it| it.depend_on_http(service, route));
    }
}

/// What the map shows of a server bound to `bound`.
fn endpoint(host: Option<&str>, bound: SocketAddr) -> String {
    static WARNED: Once = Once::new();

    let (ip, port) = (bound.ip(), bound.port());
    match host {
        Some(host) => format!("{host}:{port}"),
        None if ip.is_unspecified() => {
            WARNED.call_once(|| {
                tracing::warn!(
                    "the HTTP server is on the map as {HOST_DEFAULT}; set `.http_host(…)`"
                );
            });
            format!("{HOST_DEFAULT}:{port}")
        }
        None => format!("{ip}:{port}"),
    }
}

/// An HTTP server on the map, until it is dropped.
struct Declared<'b> {
    session: &'b Session,
    server: u64,
}

impl<'b> Declared<'b> {
    fn new(session: &'b Session, endpoint: String, routes: &RouteTable) -> Self {
        let mut server = 0;
        session
            .registration
            .send_modify(|it| server = it.serve_http(endpoint, routes.names()));
        Self { session, server }
    }
}

impl Drop for Declared<'_> {
    fn drop(&mut self) {
        let registration = &self.session.registration;
        registration.send_if_modified(|it| it.leave_http(self.server));
    }
}

/// One HTTP server that has not ended.
struct Counted<'b>(&'b watch::Sender<usize>);

impl<'b> Counted<'b> {
    fn new(servers: &'b watch::Sender<usize>) -> Self {
        servers.send_modify(|running| *running += 1);
        Self(servers)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|running| *running -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_map_shows_the_host_that_was_given_else_the_one_that_is_bound() {
        let at = |text: &str| text.parse::<SocketAddr>().unwrap();
        assert_eq!(endpoint(None, at("10.0.0.7:80")), "10.0.0.7:80");
        assert_eq!(endpoint(None, at("[fe80::1]:80")), "fe80::1:80");
        for any in ["0.0.0.0:80", "[::]:80"] {
            assert_eq!(endpoint(None, at(any)), "127.0.0.1:80");
            assert_eq!(endpoint(Some("shop.internal"), at(any)), "shop.internal:80");
        }
        assert_eq!(endpoint(Some("shop"), at("10.0.0.7:80")), "shop:80");
    }
}
