//! A service to call: what generated clients hold, whatever carries their calls.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use contract::error_code::ErrorCode;

use super::asked::{Asked, CallOptions, ClientOptions, Payloads, Replied};
use super::fixed::Fixed;
use super::inside::Inside;
use super::json_form::JsonForm;
use super::mesh::{Declared, Mesh};
use super::outcome::{Failure, MESSAGE_BYTES_MAX};
use crate::call_error::CallError;
use crate::handler::MethodMeta;
use crate::options::Transport;

/// A service of a contract, as generated code describes it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a contract",
    label = "no contract, so it has no client",
    note = "name a service that comes from `bridge::include_contract!`"
)]
pub trait Contract {
    /// Full proto name.
    const NAME: &'static str;
    /// The service that is called when nothing else is said: `payments`.
    const DEFAULT_TARGET: &'static str;
    /// Every method.
    const METHODS: &'static [MethodMeta];
    /// The HTTP form of each, in the same order; empty in code of an older generator.
    const FORMS: &'static [JsonForm] = &[];
    /// The typed client.
    type Client: From<Target> + Clone + Send + Sync + 'static;
}

/// The typed client of a contract: `bridge::Client<Payments>`.
pub type Client<C> = <C as Contract>::Client;

/// A service to call; generated clients hold one.
#[derive(Clone)]
pub struct Target(Arc<Parts>);

struct Parts {
    /// What errors call it.
    service: Arc<str>,
    methods: &'static [MethodMeta],
    defaults: CallOptions,
    reach: Arc<Reach>,
    /// What its options ask for in vain.
    fault: Option<&'static str>,
}

/// What carries the calls.
#[derive(Debug)]
pub(super) enum Reach {
    /// Whoever serves it, as the registry says.
    Mesh(Mesh),
    /// Plain gRPC at one address.
    Fixed(Fixed),
    /// Handlers of this process.
    Inside(Inside),
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({:?})", self.0.reach)
    }
}

impl Target {
    /// A service of the mesh; its calls are declared.
    pub(crate) fn in_mesh(
        declared: &Arc<Declared>,
        options: &ClientOptions,
        contract: (&str, &'static [MethodMeta]),
    ) -> Self {
        let (default, methods) = contract;
        let service = options.service.as_deref().unwrap_or(default).into();
        let reach = Reach::Mesh(declared.mesh(&service, methods));
        let target = Self::new(service, methods, reach);
        target.with_calls(&options.calls, None)
    }

    /// Handlers of this process.
    pub(crate) fn inside<C: Contract>(inside: Inside) -> Self {
        let reach = Reach::Inside(inside);
        Self::new(C::DEFAULT_TARGET.into(), C::METHODS, reach)
    }

    pub(super) fn new(service: Arc<str>, methods: &'static [MethodMeta], reach: Reach) -> Self {
        Self(Arc::new(Parts {
            service,
            methods,
            defaults: CallOptions::default(),
            reach: Arc::new(reach),
            fault: None,
        }))
    }

    /// The same with other defaults. What the options do not say stays.
    #[must_use]
    pub fn with(&self, options: &ClientOptions) -> Self {
        let renamed = options
            .service
            .as_deref()
            .filter(|name| *name != &*self.0.service);
        self.with_calls(&options.calls, renamed.map(|_| self.one_service()))
    }

    fn with_calls(&self, calls: &CallOptions, fault: Option<&'static str>) -> Self {
        let parts = &*self.0;
        Self(Arc::new(Parts {
            service: parts.service.clone(),
            methods: parts.methods,
            defaults: calls.clone().or(&parts.defaults),
            reach: parts.reach.clone(),
            fault: fault.or(parts.fault),
        }))
    }

    /// Why another service cannot be named.
    fn one_service(&self) -> &'static str {
        match &*self.0.reach {
            Reach::Mesh(_) => {
                "a client of the mesh is for one service from before the start; name it with `Builder::client_with`"
            }
            Reach::Fixed(_) => {
                "a URL is one service; `service` is for clients that a builder makes"
            }
            Reach::Inside(_) => {
                "handlers of this process have no name; `service` is for clients that a builder makes"
            }
        }
    }

    /// Why the way that was asked for is not there.
    fn no_proxy(&self) -> Option<&'static str> {
        match &*self.0.reach {
            Reach::Mesh(_) => None,
            Reach::Inside(inside) if inside.plays => None,
            Reach::Fixed(_) => {
                Some("`Transport::Proxy` goes through a runtime, and a URL has none")
            }
            Reach::Inside(_) => Some(
                "`Transport::Proxy` goes through a runtime, and handlers of this process have none",
            ),
        }
    }

    /// What a call of this target says when nothing else is said.
    pub(super) fn defaults(&self) -> CallOptions {
        self.0.defaults.clone()
    }

    /// Makes a call that is answered once.
    pub(super) async fn ask(
        &self,
        method: &'static MethodMeta,
        payload: Bytes,
        options: CallOptions,
    ) -> Result<Replied, CallError> {
        let answer = match self.asked(method, payload, options) {
            Ok(asked) => match &*self.0.reach {
                Reach::Mesh(mesh) => mesh.unary(asked).await,
                // Boxed, so that calls in the mesh do not carry their room.
                Reach::Fixed(fixed) => Box::pin(fixed.unary(asked)).await,
                Reach::Inside(inside) => Box::pin(inside.unary(asked)).await,
            },
            Err(failure) => Err(failure),
        };
        answer.map_err(|failure| failure.into_error(self.operation(method)))
    }

    /// Makes a call that is answered with a stream.
    pub(super) async fn open(
        &self,
        method: &'static MethodMeta,
        payload: Bytes,
        options: CallOptions,
    ) -> Result<Payloads, CallError> {
        let answer = match self.asked(method, payload, options) {
            Ok(asked) => match &*self.0.reach {
                Reach::Mesh(mesh) => mesh.stream(asked).await,
                Reach::Fixed(fixed) => fixed.stream(asked).await,
                Reach::Inside(inside) => inside.stream(asked),
            },
            Err(failure) => Err(failure),
        };
        answer.map_err(|failure| failure.into_error(self.operation(method)))
    }

    fn asked(
        &self,
        method: &'static MethodMeta,
        payload: Bytes,
        options: CallOptions,
    ) -> Result<Asked, Failure> {
        let is_proxied = options.transport == Some(Transport::Proxy);
        let no_proxy = || self.no_proxy().filter(|_| is_proxied);
        if let Some(fault) = self.0.fault.or_else(no_proxy) {
            return Err(Failure::before_dispatch(ErrorCode::Config, fault));
        }
        // A server that is no bridge may take more.
        let is_bounded = !matches!(&*self.0.reach, Reach::Fixed(_));
        if is_bounded && payload.len() > MESSAGE_BYTES_MAX {
            let bytes = payload.len();
            let text = format!("the request is larger than {MESSAGE_BYTES_MAX} bytes: {bytes}");
            return Err(Failure::before_dispatch(ErrorCode::Validation, text));
        }
        let methods = self.0.methods;
        // The same table as a rule; a second copy of it in the program has other addresses.
        let index = methods
            .iter()
            .position(|it| std::ptr::eq(it, method))
            .or_else(|| methods.iter().position(|it| it.name == method.name));
        let index = index.ok_or_else(|| {
            let text = "the client was made for another contract";
            Failure::before_dispatch(ErrorCode::Config, text)
        })?;
        Ok(Asked {
            method,
            index,
            payload,
            options,
        })
    }

    /// What errors call it: `payments/Charge`.
    pub(super) fn operation(&self, method: &MethodMeta) -> String {
        format!("{}/{}", self.0.service, method.name)
    }
}
