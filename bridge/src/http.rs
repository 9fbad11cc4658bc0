//! The user's own HTTP server, on the map and in the traces, stopping with the bridge.

use axum::extract::MatchedPath;
use bridge_tower::ObserveLayer;
use contract::error_code::ErrorCode;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::app::{Bridge, Stage, reached};
use crate::error::Error;

impl Bridge {
    /// Records one operation per HTTP request and runs handlers in its trace, so that the calls
    /// they make hang under it.
    ///
    /// Add it with `Router::layer`: inside the router the route's template is known.
    /// [`serve_http`](Self::serve_http) adds it by itself.
    pub fn layer(&self) -> ObserveLayer {
        ObserveLayer::new(self.session().recorder())
            .route_of(|extensions| extensions.get::<MatchedPath>().map(MatchedPath::as_str))
    }

    /// Serves `app` on `listener` until the bridge stops: then no new connection is accepted,
    /// running requests finish within the stop timeout, and this returns.
    ///
    /// The listener's address becomes the instance's HTTP endpoint on the map.
    ///
    /// # Errors
    ///
    /// `CONFIG` when the listener has no address; `INTERNAL` when accepting breaks; the reason when
    /// the bridge stopped for good by itself.
    pub async fn serve_http(&self, listener: TcpListener, app: axum::Router) -> Result<(), Error> {
        let address = listener.local_addr().map_err(|error| {
            Error::caused(ErrorCode::Config, "the HTTP listener has no address", error)
        })?;
        let endpoint = address.to_string();
        self.session()
            .registration
            .send_if_modified(|registration| {
                let is_new = registration.request.http_endpoint != endpoint;
                if is_new {
                    registration.change(|request| request.http_endpoint.clone_from(&endpoint));
                }
                is_new
            });
        let _counted = Counted::new(self.http_servers());
        let draining = reached(self.stages(), Stage::Draining);
        let serving =
            axum::serve(listener, app.layer(self.layer())).with_graceful_shutdown(draining);
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
