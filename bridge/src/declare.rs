//! Annotated axum handlers without a bridge: one line, as for observing, and a check for CI.
//!
//! Invariant: the application answers what it answered before, except where an annotation said a
//! deadline or a key.

use bridge_tower::Observed;
use bridge_tower::routes::Audit;

use crate::http_app::{HttpApp, Routed};
use crate::operation::{Handlers, audit_of, audit_of_called, declared_in, describe};
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
/// What is declared of an application that was declared before is added to that, as if both lists
/// were one. A handler that is nested knows only the end of its path; what was said about it then
/// holds at each route with that end that nobody else declares: a router that is nested below `/v1`
/// and below `/v2` has it at both. A path that is mounted as it stands means that route alone, with a
/// warning where undeclared ones end so, too.
///
/// # Panics
///
/// When something was said that could hold for the wrong requests, as an axum router does for routes
/// that overlap: two handlers fit one route and one has a deadline or a key; one at `/` alone fits
/// several; one is mounted nowhere that can be seen, while a service is nested whose routes nobody can
/// see. The text names the handlers, where they are defined, and the routes. Writing the whole path,
/// with what the handler is nested below, makes it plain.
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
/// let audit = bridge::audit(&app, &handlers);
/// assert!(audit.declared_not_mounted.is_empty() && audit.ambiguous.is_empty(), "{audit}");
/// // axum::serve(listener, app).await
/// ```
#[track_caller]
pub fn declare(app: impl Into<HttpApp>, handlers: &Handlers) -> Observed {
    let app = app.into().observed();
    if describe::application(&app, handlers) {
        // It is told what would be refused, and does not serve.
        return app;
    }
    match declared_in(app, &handlers.http) {
        Ok(app) => app,
        Err(refused) => panic!("{refused}"),
    }
}

/// Compares what is declared with what is mounted in `app`, a router or an observed application, and, of
/// that, with what was called so far.
///
/// A test that fails on drift is one line, and one more where nothing may be mounted that nobody
/// declares; routes that are to be let through are named in it:
///
/// ```
/// use axum::{Router, routing::get};
///
/// #[bridge::rpc(get, "/orders")]
/// async fn orders() {}
///
/// let handlers = bridge::handlers![orders];
/// let app = Router::new().route("/orders", get(orders)).route("/openapi.json", get(async || "{}"));
/// let app = bridge::declare(app, &handlers);
///
/// let audit = bridge::audit(&app, &handlers);
/// assert!(audit.declared_not_mounted.is_empty() && audit.ambiguous.is_empty(), "{audit}");
/// let undeclared: Vec<_> = audit.mounted_not_declared.iter().map(|it| &*it.path).collect();
/// assert_eq!(undeclared, ["/openapi.json"], "{audit}");
/// ```
///
/// Where every route is declared, [`exit_code`](Audit::exit_code) with
/// [`Strictness::Everything`](crate::routes::Strictness::Everything) says both.
pub fn audit(app: &impl Routed, handlers: &Handlers) -> Audit {
    match app.counted() {
        Some(app) => audit_of_called(&handlers.http, app),
        None => audit_of(&handlers.http, &app.table()),
    }
}

/// OpenAPI 3.1 of the handlers that are mounted in `app`, a router or an observed application: summaries from their documentation,
/// parameters, bodies and answers from their types, failures from their errors.
///
/// A type is described where it implements `schemars::JsonSchema` (version 1); one that does not is
/// there without its fields, and extractors that nobody knows are passed over. Paths are those that
/// axum answers to, whatever was nested. A handler that is mounted at several is at each of them, under
/// a name that says where, as `list_v1` and `list_v2`; its deadline and its key hold there, too. One
/// that is mounted nowhere is [left out](OpenApi::left_out), with a warning in the log.
///
/// # Errors
///
/// [`OpenApiError`] when two types or two operations have one name, with where each is, and when it
/// cannot be told where a handler is mounted, with the routes and who else may be there.
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
pub fn openapi(app: &impl Routed, handlers: &Handlers) -> Result<OpenApi, OpenApiError> {
    let document = document_of(&handlers.http, &app.table())?;
    for operation in document.left_out() {
        tracing::warn!("{operation}, so it is not in the OpenAPI document");
    }
    Ok(document)
}
