//! What a service holds to call another one, and one call as a value.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bridge_tower::capture::Mode;
use bridge_tower::{Deadline, context};
use bytes::Bytes;
use contract::error_code::ErrorCode;
use contract::ids::ServiceId;
use contract::w3c::TraceFlags;
use parking_lot::Mutex;

use super::attempts::Attempts;
use super::outcome::Failure;
use super::wire::CallParts;
use crate::error::CallError;
use crate::handler::MethodMeta;
use crate::options::Transport;
use crate::registry::Dependency;
use crate::session::Session;
use crate::telemetry::{self, CallStart, Direction, Ended, Op, RequestId, Served};

/// A service of a contract, as generated code describes it.
pub trait Contract {
    /// Full proto name.
    const NAME: &'static str;
    /// The service that is called when nothing else is said: `payments`.
    const DEFAULT_TARGET: &'static str;
    /// Every method.
    const METHODS: &'static [MethodMeta];
    /// The typed client.
    type Client: From<Target> + Clone + Send + Sync + 'static;
}

/// The typed client of a contract: `bridge::Client<Payments>`.
pub type Client<C> = <C as Contract>::Client;

/// What is called, collected while the bridge is built; the session, once it has started.
#[derive(Debug, Default)]
pub(crate) struct Declared {
    dependencies: Mutex<Vec<Dependency>>,
    session: OnceLock<Arc<Session>>,
}

impl Declared {
    /// Declares the calls of `methods` to `service` and returns what makes them.
    pub(crate) fn target(
        self: &Arc<Self>,
        service: &str,
        methods: &'static [MethodMeta],
    ) -> Target {
        let service: Arc<str> = service.into();
        let mut dependencies = self.dependencies.lock();
        let first_slot = dependencies.len();
        let declared = methods.iter().map(|method| Dependency {
            service: service.clone(),
            method,
        });
        dependencies.extend(declared);
        Target(Arc::new(TargetParts {
            declared: self.clone(),
            service,
            methods,
            first_slot,
        }))
    }

    /// Everything declared, in the order of its slots.
    pub(crate) fn dependencies(&self) -> Vec<Dependency> {
        self.dependencies.lock().clone()
    }

    /// From now on calls can be made.
    pub(crate) fn start(&self, session: Arc<Session>) {
        // A bridge starts once; its builder is consumed by that.
        let _ = self.session.set(session);
    }
}

/// A service to call; generated clients hold one.
#[derive(Clone)]
pub struct Target(Arc<TargetParts>);

struct TargetParts {
    declared: Arc<Declared>,
    service: Arc<str>,
    methods: &'static [MethodMeta],
    /// Slot of the first method; the others follow in order.
    first_slot: usize,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({})", self.0.service)
    }
}

impl Target {
    /// A call of `method`; it goes out when the value is awaited.
    pub fn unary<Req, Rep>(&self, method: &'static MethodMeta, request: Req) -> Call<Rep>
    where
        Req: prost::Message,
        Rep: prost::Message + Default,
    {
        Call {
            target: self.clone(),
            method,
            payload: request.encode_to_vec().into(),
            options: CallOptions::default(),
            reply: PhantomData,
        }
    }

    fn slot(&self, method: &'static MethodMeta) -> Option<usize> {
        let methods = self.0.methods;
        // The same table as a rule; a second copy of it in the program has other addresses.
        let index = methods
            .iter()
            .position(|it| std::ptr::eq(it, method))
            .or_else(|| methods.iter().position(|it| it.name == method.name))?;
        Some(self.0.first_slot + index)
    }

    fn operation(&self, method: &MethodMeta) -> String {
        format!("{}/{}", self.0.service, method.name)
    }
}

#[derive(Clone, Debug, Default)]
struct CallOptions {
    timeout: Option<Duration>,
    transport: Option<Transport>,
    idempotency_key: Option<Arc<str>>,
    request_id: Option<Arc<str>>,
}

/// A call that has not been made yet: set what differs from the defaults, then `.await` it.
///
/// Dropping the future cancels the call, also at the callee.
///
/// # Errors
///
/// Awaiting it gives a [`CallError`]; [`retryable`](CallError::retryable) ones were not executed.
#[must_use = "a call is made when it is awaited"]
pub struct Call<Rep> {
    target: Target,
    method: &'static MethodMeta,
    payload: Bytes,
    options: CallOptions,
    reply: PhantomData<fn() -> Rep>,
}

impl<Rep> fmt::Debug for Call<Rep> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("operation", &self.target.operation(self.method))
            .field("payload_bytes", &self.payload.len())
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl<Rep> Call<Rep> {
    /// Bounds the whole call, all attempts and pauses included. Default: the builder's
    /// `call_timeout`, 30 s. Inside a handler the handler's own deadline bounds it as well.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }

    /// How it travels. Default: the builder's `transport`, [`Transport::Auto`].
    pub fn transport(mut self, transport: Transport) -> Self {
        self.options.transport = Some(transport);
        self
    }

    /// Names the work, so that the callee can recognise a repeat. Default: none. It does not
    /// make a call that may have run be repeated.
    pub fn idempotency_key(mut self, key: impl Into<Arc<str>>) -> Self {
        self.options.idempotency_key = Some(key.into());
        self
    }

    /// Correlates the attempts of this call. Default: a random UUID.
    pub fn request_id(mut self, id: impl Into<Arc<str>>) -> Self {
        self.options.request_id = Some(id.into());
        self
    }
}

/// The future of a [`Call`].
pub type CallFuture<Rep> = Pin<Box<dyn Future<Output = Result<Rep, CallError>> + Send>>;

impl<Rep: prost::Message + Default + 'static> IntoFuture for Call<Rep> {
    type Output = Result<Rep, CallError>;
    type IntoFuture = CallFuture<Rep>;

    fn into_future(self) -> CallFuture<Rep> {
        Box::pin(async move {
            let Self {
                target,
                method,
                payload,
                options,
                ..
            } = self;
            let payload = call(&target, method, payload, options).await?;
            Rep::decode(payload).map_err(|error| {
                let text = format!("the reply is not the message of the contract: {error}");
                CallError::new(ErrorCode::Internal, target.operation(method), text)
            })
        })
    }
}

/// Everything about a call that does not depend on its types.
async fn call(
    target: &Target,
    method: &'static MethodMeta,
    payload: Bytes,
    options: CallOptions,
) -> Result<Bytes, CallError> {
    let (session, caller, slot) = ready(target, method)?;
    let outer = telemetry::current();
    let deadline = deadline(session, options.timeout, outer.as_ref());
    if deadline.has_passed() {
        let text = "the deadline passed before the call was made; nothing was sent";
        let operation = target.operation(method);
        return Err(CallError::new(ErrorCode::Timeout, operation, text));
    }
    let request = options
        .request_id
        .map_or_else(RequestId::random, RequestId::Given);
    let key = options.idempotency_key;
    let start = CallStart {
        service: &target.0.service,
        method: method.name,
        request: &request,
        key: key.as_ref(),
    };
    let op = session.telemetry.start_call(outer.as_ref(), &start);
    let captured = Captured::begin(&op, &payload, method);
    let limits = &session.options.limits;
    let mut attempts = Attempts {
        session,
        slot,
        dependency: &session.registry.dependencies()[slot],
        transport: options.transport.unwrap_or(limits.transport),
        retry: limits.retry,
        parts: CallParts {
            method: method.name,
            payload,
            caller,
            request,
            key,
            trace: op.context(),
            flags: outer.map_or(TraceFlags::SAMPLED, |it| it.flags),
        },
        deadline,
        served: Served::default(),
    };
    let left = attempts.deadline.remaining();
    let result = session
        .clock
        .timeout(left, attempts.run())
        .await
        .unwrap_or_else(|_| {
            let text = "the deadline passed; whether the work was done is unknown";
            Err(Failure::final_(ErrorCode::Timeout, text))
        });
    captured.end(&op, &result, method);
    let served = attempts.served;
    finish(session, op, served, &result, || target.operation(method));
    result.map_err(|failure| fail(target.operation(method), failure))
}

/// What a call needs to be made: the session, who we are, and the slot of the method.
fn ready<'t>(
    target: &'t Target,
    method: &'static MethodMeta,
) -> Result<(&'t Arc<Session>, ServiceId, usize), CallError> {
    let refuse = |code, text: &str| CallError::new(code, target.operation(method), text);
    let started = target.0.declared.session.get();
    let Some((session, caller)) = started.and_then(|it| Some((it, it.service()?))) else {
        return Err(refuse(
            ErrorCode::State,
            "the bridge has not started; await `start()` first",
        ));
    };
    let Some(slot) = target.slot(method) else {
        return Err(refuse(
            ErrorCode::Config,
            "the client was made for another contract",
        ));
    };
    if method.streaming {
        return Err(refuse(
            ErrorCode::Validation,
            "the method answers with a stream",
        ));
    }
    Ok((session, caller, slot))
}

/// The request of a call that is kept in case the runtime wants to see it.
enum Captured {
    Nothing,
    /// It is attached if the call fails.
    OnError(Bytes),
    /// It is attached; the reply is, too.
    Everything,
}

impl Captured {
    fn begin(op: &Op, request: &Bytes, method: &'static MethodMeta) -> Self {
        match op.capture() {
            Mode::None => Self::Nothing,
            Mode::Errors => Self::OnError(request.clone()),
            Mode::All => {
                op.attach(Direction::In, request, method.contract_hash);
                Self::Everything
            }
        }
    }

    fn end(self, op: &Op, result: &Result<Bytes, Failure>, method: &'static MethodMeta) {
        match (self, result) {
            (Self::OnError(request), Err(_)) => {
                op.attach(Direction::In, &request, method.contract_hash);
            }
            (Self::Everything, Ok(reply)) => {
                op.attach(Direction::Out, reply, method.contract_hash);
            }
            (Self::Nothing | Self::OnError(_) | Self::Everything, _) => {}
        }
    }
}

fn finish(
    session: &Session,
    op: Op,
    served: Served,
    result: &Result<Bytes, Failure>,
    operation: impl FnOnce() -> String,
) {
    let ended = match result {
        Ok(_) => Ended::Success,
        Err(failure) if failure.code == ErrorCode::Timeout => Ended::Timeout,
        Err(_) => Ended::Error,
    };
    if let Err(failure) = result
        && failure.code == ErrorCode::AccessDenied
    {
        session.denied(operation(), failure.message.clone());
    }
    op.end(ended, served, || {
        result.as_ref().err().map(describe).unwrap_or_default()
    });
}

/// The nearer of the call's own deadline and that of the call it is made for.
fn deadline(
    session: &Session,
    timeout: Option<Duration>,
    outer: Option<&context::CallContext>,
) -> Deadline {
    let own = timeout.unwrap_or(session.options.limits.call_timeout);
    let inherited = outer
        .and_then(|it| it.deadline.as_ref())
        .map(Deadline::remaining);
    Deadline::after(&session.clock, inherited.map_or(own, |left| own.min(left)))
}

fn describe(failure: &Failure) -> String {
    let code = failure
        .handler_code
        .as_deref()
        .unwrap_or(failure.code.as_str());
    format!("{code}: {}", failure.message)
}

fn fail(operation: String, failure: Failure) -> CallError {
    match failure.handler_code {
        Some(code) => CallError::handler(operation, code, failure.message),
        None => CallError::new(failure.code, operation, failure.message),
    }
}
