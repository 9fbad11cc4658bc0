//! A service to call: what generated clients hold, whatever carries their calls.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use contract::error_code::ErrorCode;

use super::asked::{Asked, CallOptions, ClientOptions, Payloads};
use super::fixed::Fixed;
use super::inside::Inside;
use super::json_form::JsonForm;
use super::mesh::{Declared, Mesh};
use super::outcome::Failure;
use crate::error::CallError;
use crate::handler::MethodMeta;

/// A service of a contract, as generated code describes it.
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
    reach: Reach,
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
        Self::new(service, methods, options.calls.clone(), reach)
    }

    /// Handlers of this process.
    pub(crate) fn inside<C: Contract>(inside: Inside) -> Self {
        let reach = Reach::Inside(inside);
        let service = C::DEFAULT_TARGET.into();
        Self::new(service, C::METHODS, CallOptions::default(), reach)
    }

    pub(super) fn new(
        service: Arc<str>,
        methods: &'static [MethodMeta],
        defaults: CallOptions,
        reach: Reach,
    ) -> Self {
        Self(Arc::new(Parts {
            service,
            methods,
            defaults,
            reach,
        }))
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
    ) -> Result<Bytes, CallError> {
        let answer = match self.asked(method, payload, options) {
            Ok(asked) => match &self.0.reach {
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
            Ok(asked) => match &self.0.reach {
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
