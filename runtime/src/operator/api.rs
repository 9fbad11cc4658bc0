//! The operator API as a whole, and its door on the Unix socket.

use axum::{Extension, Router};
use tokio::net::UnixListener;
use tokio::sync::watch;

use super::engine::Operator;
use super::live::Live;
use super::read::Served;
use super::{backup, change, read};
use crate::accounts::Caller;
use crate::rest::Api;

/// Every route of the operator, without its doors. Answers that go on end when `stopped` says so.
pub(crate) fn api(operator: &Operator, stopped: watch::Receiver<bool>) -> Api {
    let served = Served {
        operator: operator.clone(),
        stopped,
        live: Live::new(operator),
    };
    change::routes(operator)
        .merge(backup::routes(operator))
        .merge(read::routes(&served))
}

/// Serves routes on a bound socket until `shutdown` is ready. Whoever can open it is an admin.
pub(crate) async fn serve(
    socket: UnixListener,
    routes: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) {
    let routes = routes.layer(Extension(Caller::local()));
    let served = axum::serve(socket, routes).with_graceful_shutdown(shutdown);
    if let Err(error) = served.await {
        tracing::error!(error = %error, "the operator socket failed");
    }
}
