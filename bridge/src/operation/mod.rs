//! What a service offers, as one list: handlers of messages and axum handlers.
//!
//! ```text
//!  #[bridge::rpc] fn ──▶ Operation ──▶ handlers![…] ─┐
//!  #[bridge::service] impl ──▶ From<Service> ────────┼─▶ Handlers ─┬─▶ Builder::serve
//!  a generated server trait ──▶ into_handlers ───────┘             └─▶ declare(app, …), audit(…)
//! ```
//!
//! Handlers of messages are run by the bridge. Axum handlers are run by axum; what the list knows
//! of them is what their routes are given, and what the audit compares with the mounted routes.
//!
//! Invariant: a handler is in a list once. Two handlers of one operation are refused: in one
//! `handlers![…]` by the compiler; in lists that are joined by the start of a bridge, for messages, and
//! by `declare`, for axum handlers, if something was said about one of them that has to hold.

mod shim;
mod id;
#[cfg(feature = "mesh")]
mod client;
mod http;
mod argument;
#[cfg(feature = "mesh")]
mod asks;
#[cfg(feature = "mesh")]
mod items;
mod problem;
#[cfg(feature = "openapi")]
mod around;
#[cfg(feature = "openapi")]
mod document;
mod refused;
mod joined;
#[cfg(feature = "mesh")]
mod offered;
pub(crate) mod describe;
#[cfg(feature = "mesh")]
pub(crate) mod described;

use std::fmt;

#[cfg(feature = "mesh")]
use crate::handler::OperationDef;

pub use self::argument::{
    Argument, ClientArgument, HttpAnswer, KeyField, Opaque, Readable, answers, can_be_sent,
    key_text,
};
#[cfg(feature = "mesh")]
pub use self::client::{NoClient, ServiceClient, client_in};
#[cfg(feature = "openapi")]
pub use self::document::{OpenApi, OpenApiError};
pub use self::http::HttpOperation;
pub use self::id::{OperationId, distinct};
#[cfg(feature = "mesh")]
pub use self::items::stream_of;
pub use self::problem::{error_of_problem, failed, problem};

#[cfg(feature = "mesh")]
pub(crate) use self::joined::Refused;
#[cfg(feature = "openapi")]
pub(crate) use self::joined::document_of;
pub(crate) use self::joined::{audit_of, audit_of_called, declared_in};
#[cfg(feature = "mesh")]
pub(crate) use self::offered::Offered;

#[cfg(feature = "mesh")]
use self::client::Calls;

/// Something that can be listed in [`handlers!`](crate::handlers).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handler",
    label = "not a handler",
    note = "put `#[bridge::rpc]` on the function"
)]
pub trait Operation {
    /// What it is known by.
    const ID: OperationId;

    /// Adds it to a list.
    fn add_to(handlers: &mut Handlers);
}

/// An operation of a list that is made while compiling.
#[derive(Clone, Copy)]
pub struct Listed {
    id: OperationId,
    add_to: fn(&mut Handlers),
}

impl Listed {
    /// The operation `O`.
    pub const fn of<O: Operation>() -> Self {
        Self {
            id: O::ID,
            add_to: O::add_to,
        }
    }
}

impl fmt::Debug for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id.fmt(f)
    }
}

/// The operations of a service; made by [`handlers!`](crate::handlers), or of a value under
/// [`service`](macro@crate::service).
#[derive(Debug, Default)]
pub struct Handlers {
    /// Handlers of messages.
    #[cfg(feature = "mesh")]
    pub(crate) rpc: Vec<OperationDef>,
    /// Axum handlers.
    pub(crate) http: Vec<HttpOperation>,
    /// The services that handlers of messages call.
    #[cfg(feature = "mesh")]
    pub(crate) calls: Vec<Calls>,
}

impl Handlers {
    #[doc(hidden)]
    pub fn listed(list: &[Listed]) -> Self {
        let mut handlers = Self::default();
        for listed in list {
            (listed.add_to)(&mut handlers);
        }
        handlers
    }

    #[doc(hidden)]
    pub fn declare(&mut self, operation: HttpOperation) {
        self.http.push(operation);
    }

    /// This list and another as one, for handlers that only their own modules can name. An axum
    /// handler that is in both is in it once; two of one method and path are refused by
    /// [`declare`](crate::declare()), if something was said about them that has to hold.
    ///
    /// ```
    /// mod orders {
    ///     #[bridge::rpc(get, "/orders")]
    ///     async fn list() -> &'static str { "coffee" }
    ///
    ///     pub fn handlers() -> bridge::Handlers { bridge::handlers![list] }
    /// }
    ///
    /// #[bridge::rpc(get, "/health")]
    /// async fn health() {}
    ///
    /// let all = bridge::handlers![health].and(orders::handlers());
    /// ```
    #[must_use]
    pub fn and(mut self, other: impl Into<Self>) -> Self {
        self.extend(other.into());
        self
    }

    /// Adds the operations of another list.
    pub(crate) fn extend(&mut self, other: Self) {
        joined::add(&mut self.http, other.http);
        #[cfg(feature = "mesh")]
        self.rpc.extend(other.rpc);
        #[cfg(feature = "mesh")]
        self.calls.extend(other.calls);
    }
}

/// Handlers of messages, and what is called.
#[cfg(feature = "mesh")]
impl Handlers {
    /// From a list of handlers of messages.
    pub fn from_operations(operations: Vec<OperationDef>) -> Self {
        Self {
            rpc: operations,
            ..Self::default()
        }
    }

    #[doc(hidden)]
    pub fn serve(&mut self, operation: OperationDef) {
        self.rpc.push(operation);
    }

    #[doc(hidden)]
    pub fn calls<T: ServiceClient>(&mut self) {
        self.calls.push(Calls::of::<T>());
    }

    /// Every service that is called, by whichever handler.
    pub(crate) fn all_calls(&self) -> impl Iterator<Item = &Calls> {
        let http = self.http.iter().flat_map(|it| &it.calls);
        self.calls.iter().chain(http)
    }
}
