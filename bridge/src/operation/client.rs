//! Clients in the signatures of handlers: what a handler calls is declared by asking for it.
//!
//! A client is a value of its own type, made once when the bridge starts. Handlers of messages get
//! it like state; axum handlers get it from the request, into which the bridge's layer puts the
//! values of its application.
//!
//! Invariant: who asks for a client of a bridge that has none is told what to do, and nothing is
//! called.

use std::any::type_name;
use std::fmt;
use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use bridge_tower::problem::Problem;
use http::request::Parts;

use crate::handler::States;
use crate::rpc::{ClientOptions, Contract, Declared, Target};

/// The typed client of a contract; generated code implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the client of an included contract",
    label = "not a client",
    note = "take `bridge::Client<Payments>`, where `Payments` comes from `bridge::include_contract!`"
)]
pub trait ServiceClient: From<Target> + Clone + Send + Sync + 'static {
    /// Its contract.
    type Contract: Contract<Client = Self>;

    /// What it calls.
    #[doc(hidden)]
    fn target(&self) -> &Target;

    /// The same client with other defaults for its calls; what the options do not say stays.
    ///
    /// ```
    /// use std::time::Duration;
    /// use bridge::{ClientOptions, ServiceClient};
    ///
    /// fn impatient<C: ServiceClient>(payments: &C) -> C {
    ///     payments.with(&ClientOptions::new().timeout(Duration::from_millis(200)))
    /// }
    /// ```
    #[must_use]
    fn with(&self, options: &ClientOptions) -> Self {
        self.target().with(options).into()
    }
}

/// A service that a handler calls.
#[derive(Clone, Copy)]
pub(crate) struct Calls {
    /// `shop.payments.v1.Payments`
    pub(crate) contract: &'static str,
    /// `payments`
    pub(crate) service: &'static str,
    provide: fn(&Arc<Declared>, &mut States),
}

impl Calls {
    pub(crate) fn of<T: ServiceClient>() -> Self {
        Self {
            contract: T::Contract::NAME,
            service: T::Contract::DEFAULT_TARGET,
            provide: provide::<T>,
        }
    }

    /// Declares the calls and keeps the client, unless the service has one of its own already.
    pub(crate) fn provide(&self, declared: &Arc<Declared>, states: &mut States) {
        (self.provide)(declared, states);
    }
}

impl fmt::Debug for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.contract, self.service)
    }
}

fn provide<T: ServiceClient>(declared: &Arc<Declared>, states: &mut States) {
    if states.get::<T>().is_ok() {
        return;
    }
    let contract = (T::Contract::DEFAULT_TARGET, T::Contract::METHODS);
    let target = Target::in_mesh(declared, &ClientOptions::new(), contract);
    states.insert(T::from(target));
}

/// The values of the application, in the extensions of its requests.
#[derive(Clone, Debug)]
pub(crate) struct Provided(pub(crate) Arc<States>);

/// A handler asks for a client, and the request did not come through a bridge that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no client of type `{client}`; list the handler in `.serve(handlers![…])` of the bridge, \
     and serve the application with `bridge.serve_http(…)` or `bridge.observe(…)`; a test gives it one \
     by `.provide(mock.client())` behind `bridge::declare(…)`"
)]
pub struct NoClient {
    client: &'static str,
}

impl IntoResponse for NoClient {
    fn into_response(self) -> Response {
        tracing::error!("{self}");
        Problem::new(http::StatusCode::INTERNAL_SERVER_ERROR)
            .detail("the service is not set up to answer this request")
            .traced()
            .into_response()
    }
}

/// The client that a request brings along: one that was given by itself, else that of the bridge.
///
/// # Errors
///
/// [`NoClient`] when it brings none of this type.
pub fn client_in<T: ServiceClient>(parts: &Parts) -> Result<T, NoClient> {
    if let Some(client) = parts.extensions.get::<T>() {
        return Ok(client.clone());
    }
    let client = type_name::<T>();
    let provided = parts
        .extensions
        .get::<Provided>()
        .ok_or(NoClient { client })?;
    provided.0.get::<T>().map_err(|_| NoClient { client })
}

/// What a generated client is besides itself: known to the macros, and an axum extractor.
#[doc(hidden)]
#[macro_export]
macro_rules! __client_impls {
    ($client:ident, $contract:ident) => {
        impl $crate::__rt::ServiceClient for $client {
            type Contract = $contract;

            fn target(&self) -> &$crate::__rt::Target {
                &self.target
            }
        }

        impl<S: ::core::marker::Sync> $crate::__rt::FromRequestParts<S> for $client {
            type Rejection = $crate::__rt::NoClient;

            async fn from_request_parts(
                parts: &mut $crate::__rt::Parts,
                _: &S,
            ) -> ::core::result::Result<Self, Self::Rejection> {
                $crate::__rt::client_in(parts)
            }
        }
    };
}
