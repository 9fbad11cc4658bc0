//! Handlers called in the process that holds them, without a socket or a runtime.
//!
//! A call is encoded, decoded, bounded by its deadline and cut off as it would be over the
//! network, so a test through it, or a service that lives inside another one, behaves alike.
//!
//! Refuses nothing that policy would: there is no peer to ask about.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use contract::clock::Clock;
use contract::error_code::ErrorCode;
use contract::ids::IdMint;

use crate::app::methods;
use crate::error::Error;
use crate::handler::{MethodMeta, States};
use crate::idempotency::Outcomes;
use crate::operation::Handlers;
use crate::rpc::{Client, ClientOptions, Contract, Found, Inside, Method, Target};

/// Longest call that says nothing itself.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// Handlers of this process, callable through typed clients. Cheap to clone.
///
/// Their [`Context`](crate::Context) names no caller, because there is no certificate to name one;
/// it has the deadline, the trace and the keys that the call was made with. What handlers promise
/// to do once is done once: outcomes are kept in bounded memory, for as long as this value lives.
///
/// ```
/// # use bridge::__rt::{MethodMeta, OperationDef, Target};
/// # use bridge::{Call, Contract, Context, Handlers};
/// # const CHARGE: MethodMeta = MethodMeta { service: "shop.payments.v1.Payments", name: "Charge",
/// #     contract_hash: "v2:00", input_schema: "{}", output_schema: "{}", streaming: false };
/// # struct Payments;
/// # impl Contract for Payments {
/// #     const NAME: &'static str = "shop.payments.v1.Payments";
/// #     const DEFAULT_TARGET: &'static str = "payments";
/// #     const METHODS: &'static [MethodMeta] = &[CHARGE];
/// #     type Client = PaymentsClient;
/// # }
/// # #[derive(Clone)] struct PaymentsClient(Target);
/// # impl From<Target> for PaymentsClient { fn from(target: Target) -> Self { Self(target) } }
/// # impl PaymentsClient { fn charge(&self, cents: u64) -> Call<bool> { self.0.unary(&Payments::METHODS[0], cents) } }
/// # fn handlers() -> Handlers {
/// #     Handlers::from_operations(vec![OperationDef::unary(&Payments::METHODS[0], "charge", |_| {
/// #         Ok(|cents: u64, _: Context| async move { Ok::<bool, std::convert::Infallible>(cents < 1_000) })
/// #     })])
/// # }
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let local = bridge::Local::serve(handlers()).build()?;
/// let payments = local.client::<Payments>();
/// assert!(payments.charge(700).await?);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Local {
    methods: Arc<HashMap<&'static str, Served>>,
    outcomes: Outcomes,
    timeout: Duration,
    clock: Clock,
}

/// A method and the contract it is of.
struct Served {
    service: &'static str,
    method: Arc<Method>,
}

/// What a [`Local`] is made of.
#[derive(Debug)]
pub struct LocalBuilder {
    handlers: Handlers,
    states: States,
    timeout: Duration,
    clock: Clock,
}

impl Local {
    /// Begins with `handlers`: a list made by [`handlers!`](crate::handlers), or a value that
    /// serves a contract.
    pub fn serve(handlers: impl Into<Handlers>) -> LocalBuilder {
        LocalBuilder {
            handlers: handlers.into(),
            states: States::default(),
            timeout: CALL_TIMEOUT,
            clock: Clock::system(),
        }
    }

    /// A typed client of what is served here. A method of the contract that is not among the
    /// handlers answers `NOT_FOUND`.
    pub fn client<C: Contract>(&self) -> Client<C> {
        self.target::<C>().into()
    }

    /// The same with other defaults than those of this value.
    pub fn client_with<C: Contract>(&self, options: &ClientOptions) -> Client<C> {
        self.target::<C>().with(options).into()
    }

    fn target<C: Contract>(&self) -> Target {
        let methods = self.methods.clone();
        let find = move |meta: &'static MethodMeta, _: &Bytes, _: Option<&str>| {
            let served = methods.get(meta.name);
            let served = served.filter(|it| it.service == meta.service);
            let served = served.ok_or_else(|| {
                let MethodMeta { service, name, .. } = meta;
                let text = format!("no handler of `{name}` of {service} was given to `Local`");
                (ErrorCode::NotFound, text)
            })?;
            Ok(Found::of(served.method.clone()))
        };
        let inside = Inside {
            find: Box::new(find),
            mint: IdMint::system(&self.clock),
            clock: self.clock.clone(),
            timeout: self.timeout,
            outcomes: Some(self.outcomes.clone()),
            plays: false,
        };
        Target::inside::<C>(inside)
    }
}

impl LocalBuilder {
    /// Adds handlers.
    #[must_use]
    pub fn serve(mut self, handlers: impl Into<Handlers>) -> Self {
        self.handlers.extend(handlers.into());
        self
    }

    /// Gives handlers the value of `State<T>`. A second value of the same type replaces the first.
    #[must_use]
    pub fn state<T: Clone + Send + Sync + 'static>(mut self, state: T) -> Self {
        self.states.insert(state);
        self
    }

    /// Bounds a call that says nothing itself. Default 30 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Takes time from `clock`.
    #[doc(hidden)]
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Gives each handler its state.
    ///
    /// # Errors
    ///
    /// `CONFIG` naming the handler whose state is missing; `VALIDATION` for a method served twice.
    pub fn build(self) -> Result<Local, Error> {
        let metas: Vec<_> = self.handlers.rpc.iter().map(|it| it.meta).collect();
        let mut served = methods(self.handlers.rpc, &self.states)?;
        let methods = metas.iter().filter_map(|meta| {
            let method = Arc::new(served.remove(meta.name)?);
            let service = meta.service;
            Some((meta.name, Served { service, method }))
        });
        Ok(Local {
            methods: Arc::new(methods.collect()),
            outcomes: Outcomes::in_memory_by(&self.clock),
            timeout: self.timeout,
            clock: self.clock,
        })
    }
}

impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names: Vec<_> = self.methods.keys().collect();
        names.sort_unstable();
        f.debug_tuple("Local").field(&names).finish()
    }
}

#[cfg(test)]
mod tests;
