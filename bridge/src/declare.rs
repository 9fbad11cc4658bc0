//! Annotated axum handlers without a bridge: one line, as for observing, and a check for CI.
//!
//! Invariant: the application answers what it answered before, except where an annotation said a
//! deadline or a key.

use bridge_tower::Observed;
use bridge_tower::routes::Audit;

use crate::http_app::HttpApp;
use crate::operation::{Handlers, audit_of_called, declared_in, describe};
#[cfg(feature = "openapi")]
use crate::operation::{OpenApi, OpenApiError, document_of};

/// Observes `app` and makes what was said about its handlers hold: deadlines, and work that is done
/// once. A bridge does so by itself for the handlers it was given by
/// [`serve`](crate::Builder::serve).
///
/// With `BRIDGE_DESCRIBE=file` in its environment the program writes what it declares and what is
/// mounted to that file, and ends: `cargo bridge map` and `cargo bridge audit` read it. A program
/// with a bridge ends at [`start`](crate::Builder::start) instead, and tells what it calls, too.
///
/// Outcomes of work that is done once are kept in bounded memory of this process, unless the
/// application was observed with [`outcomes`](Observed::outcomes) of its own.
///
/// ```
/// use axum::{Json, Router, extract::Path, routing::get};
///
/// /// One order.
/// #[bridge::rpc(get, "/orders/{id}", deadline = "2s")]
/// async fn order(Path(id): Path<u64>) -> Json<u64> {
///     Json(id)
/// }
///
/// let handlers = bridge::handlers![order];
/// let app = Router::new().nest("/v1", Router::new().route("/orders/{id}", get(order)));
/// let app = bridge::declare(app, &handlers);
/// assert!(bridge::audit(&app, &handlers).declared_not_mounted.is_empty());
/// // axum::serve(listener, app).await
/// ```
pub fn declare(app: impl Into<HttpApp>, handlers: &Handlers) -> Observed {
    let app = app.into().observed();
    describe::application(&app, handlers);
    declared_in(app, &handlers.http)
}

/// Compares what is declared with what is mounted in `app` and with what was called so far.
///
/// A test that fails on drift is one line:
///
/// ```no_run
/// # fn example(app: &bridge::Observed, handlers: &bridge::Handlers) {
/// # use bridge::routes::Strictness;
/// let audit = bridge::audit(app, handlers);
/// assert_eq!(audit.exit_code(Strictness::Everything), 0, "{audit}");
/// # }
/// ```
pub fn audit(app: &Observed, handlers: &Handlers) -> Audit {
    audit_of_called(&handlers.http, app)
}

/// OpenAPI 3.1 of the handlers that are mounted in `app`: summaries from their documentation,
/// parameters, bodies and answers from their types, failures from their errors.
///
/// A type is described where it implements `schemars::JsonSchema` (version 1); one that does not is
/// there without its fields, and extractors that nobody knows are passed over. Paths are those that
/// axum answers to, whatever was nested.
///
/// # Errors
///
/// [`OpenApiError`] when two types or two operations have one name, with where each is.
///
/// ```
/// use axum::{Json, Router, extract::Path, routing::get};
/// # use bridge::__rt::schemars;
///
/// #[derive(serde::Serialize, schemars::JsonSchema)]
/// struct Order { id: u64 }
///
/// /// One order.
/// #[bridge::rpc(get, "/orders/{id}")]
/// async fn order(Path(id): Path<u64>) -> Json<Order> {
///     Json(Order { id })
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let handlers = bridge::handlers![order];
/// let app = Router::new().nest("/v1", Router::new().route("/orders/{id}", get(order)));
/// let document = bridge::openapi(&app, &handlers)?.info("Shop", env!("CARGO_PKG_VERSION"));
/// assert_eq!(document.json()["paths"]["/v1/orders/{id}"]["get"]["summary"], "One order");
///
/// let app = app.route("/openapi.json", get(|| async { document }));
/// let app = bridge::declare(app, &handlers);
/// # let _ = app;
/// # Ok(()) }
/// ```
#[cfg(feature = "openapi")]
pub fn openapi<S>(app: &axum::Router<S>, handlers: &Handlers) -> Result<OpenApi, OpenApiError> {
    document_of(&handlers.http, &crate::http_app::routes_of(app))
}
