//! HTTP calls to other services: recorded, in the caller's trace, and declared on the map.
//!
//! What is called is declared by the first request that names it, so that the map never shows a
//! dependency that nobody uses. Requests without a template are recorded but not declared: a path
//! with ids in it is no route.
//!
//! Invariant: declaring costs a request nothing but a look into a set once its route is known.

use std::collections::HashSet;
use std::sync::Arc;

use bridge_tower::client::{ClientLayer, Outgoing};
use parking_lot::RwLock;
use tokio::sync::watch;

use crate::app::Bridge;
use crate::session::Registration;

/// Routes of one client that are remembered as declared; the registration keeps no more either.
const ROUTES_MAX: usize = 1_024;

impl Bridge {
    /// A layer for a tower HTTP client that calls `service`: each request is an operation of the
    /// current trace, carries its headers and the time that is left, and never outlives its
    /// deadline. A request that names its route with
    /// [`Template`](crate::client::Template) declares it on the map.
    ///
    /// ```no_run
    /// # fn example(bridge: &bridge::Bridge, client: tower::util::BoxCloneSyncService<
    /// #     http::Request<axum::body::Body>, http::Response<axum::body::Body>, std::io::Error>) {
    /// use tower::Layer;
    ///
    /// let client = bridge.http_layer("warehouse").layer(client);
    /// # let _ = client; }
    /// ```
    pub fn http_layer(&self, service: &str) -> ClientLayer {
        ClientLayer::new(self.recorder()).on_call(self.declares(service))
    }

    /// A reqwest client for calls to `service`, as [`http_layer`](Self::http_layer); it repeats
    /// nothing by itself. Send with
    /// [`execute_as`](crate::client::Reqwest::execute_as) to name the route.
    ///
    /// # Errors
    ///
    /// When reqwest cannot be set up, for example because it has no TLS provider.
    #[cfg(feature = "reqwest")]
    pub fn http_client(
        &self,
        service: &str,
    ) -> Result<bridge_tower::client::Reqwest, crate::Error> {
        let client = bridge_tower::client::Reqwest::new(self.recorder()).map_err(|error| {
            let code = contract::error_code::ErrorCode::Config;
            crate::Error::caused(code, "reqwest cannot be set up", error)
        })?;
        Ok(client.on_call(self.declares(service)))
    }

    fn declares(&self, service: &str) -> impl Fn(Outgoing<'_>) + Send + Sync + 'static {
        let declared = Declared {
            service: service.into(),
            registration: self.session().registration.clone(),
            routes: RwLock::default(),
        };
        move |call: Outgoing<'_>| {
            if let Some(template) = call.template {
                declared.note(call.method, template);
            }
        }
    }
}

/// What one client has declared.
struct Declared {
    service: Arc<str>,
    registration: watch::Sender<Registration>,
    routes: RwLock<HashSet<(http::Method, Box<str>)>>,
}

impl Declared {
    fn note(&self, method: &http::Method, template: &str) {
        let route = (method.clone(), Box::from(template));
        {
            let routes = self.routes.read();
            if routes.contains(&route) || routes.len() >= ROUTES_MAX {
                return;
            }
        }
        let text = format!("{method} {template}");
        self.registration
            .send_if_modified(|it| it.depend_on_http(&self.service, &text));
        self.routes.write().insert(route);
    }
}
