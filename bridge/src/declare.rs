//! Annotated axum handlers without a bridge: one line, as for observing, and a check for CI.
//!
//! Invariant: the application answers what it answered before, except where an annotation said a
//! deadline or a key.

use bridge_tower::Observed;
use bridge_tower::routes::Audit;

use crate::http::HttpApp;
use crate::operation::{Handlers, audit_of_called, declared_in, describe};

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
