//! A service that does what a test says: typed answers, errors and streams for a typed client.
//!
//! Every call is encoded, decoded and remembered. A call that nobody scripted is an error that
//! names its method, so a test never passes on an answer it did not think of.

use std::any::type_name;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use contract::clock::Clock;
use contract::error_code::ErrorCode;
use contract::ids::IdMint;
use parking_lot::Mutex;

use crate::business::BusinessError;
use crate::context::Context;
use crate::handler::{MethodMeta, OperationDef, RpcRequest, RpcStreamRequest, States};
use crate::rpc::{Client, ClientOptions, Contract, Found, Inside, Method, Target};

/// Longest call that says nothing itself.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// Calls that are remembered; a mock that is asked more often forgets the oldest.
const ASKED_MAX: usize = 10_000;

/// A scripted service of the contract `C`, for tests of its callers. Cheap to clone; clones share
/// the script.
///
/// ```
/// # use std::convert::Infallible;
/// # use bridge::__rt::{MethodMeta, RpcRequest, Target};
/// # use bridge::{Call, Contract};
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
/// # #[derive(Clone, PartialEq, prost::Message)] #[prost(prost_path = "bridge::__rt::prost")]
/// # struct ChargeRequest { #[prost(uint64, tag = "1")] cents: u64 }
/// # #[derive(Clone, PartialEq, prost::Message)] #[prost(prost_path = "bridge::__rt::prost")]
/// # struct ChargeReply { #[prost(bool, tag = "1")] ok: bool }
/// # impl RpcRequest<ChargeReply> for ChargeRequest { const METHODS: &'static [MethodMeta] = Payments::METHODS; }
/// # impl PaymentsClient { fn charge(&self, request: ChargeRequest) -> Call<ChargeReply> { self.0.unary(&Payments::METHODS[0], request) } }
/// # #[derive(Debug, bridge::Error)] enum ChargeError { CardDeclined }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let mock = bridge::Mock::<Payments>::new();
/// mock.once("Charge", |_: ChargeRequest| Err::<ChargeReply, _>(ChargeError::CardDeclined));
/// mock.on("Charge", |asked: ChargeRequest| Ok::<_, ChargeError>(ChargeReply { ok: asked.cents < 1_000 }));
///
/// let payments = mock.client();
/// let declined = payments.charge(ChargeRequest { cents: 5 }).await.unwrap_err();
/// assert!(matches!(declined.business(), Some(ChargeError::CardDeclined)));
/// assert!(payments.charge(ChargeRequest { cents: 700 }).await.unwrap().ok);
///
/// let asked: Vec<ChargeRequest> = mock.asked("Charge");
/// assert_eq!(asked.len(), 2);
/// assert_eq!(asked[1].cents, 700);
/// # }
/// ```
pub struct Mock<C> {
    script: Arc<Script>,
    contract: PhantomData<fn() -> C>,
}

#[derive(Default)]
struct Script {
    lines: Mutex<HashMap<&'static str, Lines>>,
    asked: Mutex<VecDeque<Question>>,
}

/// A call that was made.
struct Question {
    method: &'static str,
    payload: Bytes,
    key: Option<Box<str>>,
}

/// What a method answers.
#[derive(Default)]
struct Lines {
    /// The next calls, in their order.
    next: VecDeque<Line>,
    /// Every call after those.
    rest: Option<Arc<Method>>,
}

enum Line {
    Run(Arc<Method>),
    /// As an answer that was kept.
    Replay(Arc<Method>),
    Fail(ErrorCode, String),
}

impl<C> Clone for Mock<C> {
    fn clone(&self) -> Self {
        Self {
            script: self.script.clone(),
            contract: PhantomData,
        }
    }
}

impl<C: Contract> Default for Mock<C> {
    fn default() -> Self {
        Self::new()
    }
}

impl<C: Contract> Mock<C> {
    /// Nothing is scripted yet: every call fails.
    pub fn new() -> Self {
        Self {
            script: Arc::default(),
            contract: PhantomData,
        }
    }

    /// A typed client that asks this mock.
    pub fn client(&self) -> Client<C> {
        self.target().into()
    }

    /// The same with other defaults than a mock's, which bounds calls by 30 s.
    pub fn client_with(&self, options: &ClientOptions) -> Client<C> {
        self.target().with(options).into()
    }

    fn target(&self) -> Target {
        let script = self.script.clone();
        let clock = Clock::system();
        let inside = Inside {
            find: Box::new(move |method, payload, key| script.find(method, payload, key)),
            mint: IdMint::system(&clock),
            clock,
            timeout: CALL_TIMEOUT,
            outcomes: None,
            plays: true,
        };
        Target::inside::<C>(inside)
    }

    /// Answers every call of `method` that nothing else is scripted for. A later script replaces
    /// an earlier one.
    ///
    /// # Panics
    ///
    /// When the contract has no such method with this request and reply.
    pub fn on<Req, Rep, Err>(
        &self,
        method: &str,
        answer: impl Fn(Req) -> Result<Rep, Err> + Send + Sync + 'static,
    ) where
        Req: RpcRequest<Rep>,
        Rep: prost::Message + Default + 'static,
        Err: BusinessError + Send + 'static,
    {
        let (name, run) = self.unary(method, answer);
        self.script.lines.lock().entry(name).or_default().rest = Some(run);
    }

    /// Answers the next call of `method` for which none is scripted yet, once.
    ///
    /// # Panics
    ///
    /// When the contract has no such method with this request and reply.
    pub fn once<Req, Rep, Err>(
        &self,
        method: &str,
        answer: impl Fn(Req) -> Result<Rep, Err> + Send + Sync + 'static,
    ) where
        Req: RpcRequest<Rep>,
        Rep: prost::Message + Default + 'static,
        Err: BusinessError + Send + 'static,
    {
        let (name, run) = self.unary(method, answer);
        self.script.push(name, Line::Run(run));
    }

    /// Answers the next call of `method` for which none is scripted yet, once, and says that the
    /// answer was kept from an earlier call with the same idempotency key: see
    /// [`Reply::is_replayed`](crate::Reply::is_replayed).
    ///
    /// # Panics
    ///
    /// When the contract has no such method with this request and reply.
    pub fn replay<Req, Rep, Err>(
        &self,
        method: &str,
        answer: impl Fn(Req) -> Result<Rep, Err> + Send + Sync + 'static,
    ) where
        Req: RpcRequest<Rep>,
        Rep: prost::Message + Default + 'static,
        Err: BusinessError + Send + 'static,
    {
        let (name, run) = self.unary(method, answer);
        self.script.push(name, Line::Replay(run));
    }

    /// Answers every call of `method`, which answers with a stream, with what `answer` lists; the
    /// first error is its end.
    ///
    /// # Panics
    ///
    /// When the contract has no such method with this request and these messages.
    pub fn on_stream<Req, Item, Err, I>(
        &self,
        method: &str,
        answer: impl Fn(Req) -> I + Send + Sync + 'static,
    ) where
        Req: RpcStreamRequest<Item>,
        Item: prost::Message + Default + 'static,
        Err: BusinessError + 'static,
        I: IntoIterator<Item = Result<Item, Err>>,
        I::IntoIter: Send + 'static,
    {
        let meta = Self::find::<Req>(Req::METHODS, method);
        let answer = Arc::new(answer);
        let operation = OperationDef::stream(meta, "a mock", move |_| {
            let answer = answer.clone();
            Ok(move |request: Req, _: Context| tokio_stream::iter(answer(request)))
        });
        self.script.lines.lock().entry(meta.name).or_default().rest = Some(prepared(operation));
    }

    /// Fails the next call of `method` as a transport would, before anything is sent:
    /// `ErrorCode::Connection`, `NoLiveInstance`, `Overloaded`…
    ///
    /// # Panics
    ///
    /// When the contract has no such method.
    pub fn fail(&self, method: &str, code: ErrorCode, text: &str) {
        let meta = Self::find::<C>(C::METHODS, method);
        self.script
            .push(meta.name, Line::Fail(code, text.to_owned()));
    }

    /// What `method` was asked, in order. The 10,000 latest calls of the mock are remembered.
    ///
    /// # Panics
    ///
    /// When the contract has no such method, or its requests are no `Req`.
    pub fn asked<Req: prost::Message + Default>(&self, method: &str) -> Vec<Req> {
        let meta = Self::find::<C>(C::METHODS, method);
        let asked = self.script.asked.lock();
        let of_method = asked.iter().filter(|it| it.method == meta.name);
        let decoded = of_method.map(|it| Req::decode(it.payload.clone()));
        let all: Result<_, _> = decoded.collect();
        all.unwrap_or_else(|error| {
            panic!("`{method}` was not asked {}: {error}", type_name::<Req>())
        })
    }

    /// The idempotency keys that `method` was asked with, in order; `None` for a call without one.
    /// The 10,000 latest calls of the mock are remembered.
    ///
    /// # Panics
    ///
    /// When the contract has no such method.
    pub fn keys(&self, method: &str) -> Vec<Option<String>> {
        let meta = Self::find::<C>(C::METHODS, method);
        let asked = self.script.asked.lock();
        let of_method = asked.iter().filter(|it| it.method == meta.name);
        of_method
            .map(|it| it.key.as_deref().map(str::to_owned))
            .collect()
    }

    /// Scripts of [`once`](Self::once) and [`fail`](Self::fail) that no call has come for, as
    /// names of their methods.
    pub fn unused(&self) -> Vec<&'static str> {
        let lines = self.script.lines.lock();
        let left = lines
            .iter()
            .flat_map(|(name, lines)| lines.next.iter().map(|_| *name));
        let mut left: Vec<_> = left.collect();
        left.sort_unstable();
        left
    }

    fn unary<Req, Rep, Err>(
        &self,
        method: &str,
        answer: impl Fn(Req) -> Result<Rep, Err> + Send + Sync + 'static,
    ) -> (&'static str, Arc<Method>)
    where
        Req: RpcRequest<Rep>,
        Rep: prost::Message + Default + 'static,
        Err: BusinessError + Send + 'static,
    {
        let meta = Self::find::<Req>(Req::METHODS, method);
        let answer = Arc::new(answer);
        let operation = OperationDef::unary(meta, "a mock", move |_| {
            let answer = answer.clone();
            Ok(move |request: Req, _: Context| std::future::ready(answer(request)))
        });
        (meta.name, prepared(operation))
    }

    /// The method of the contract with this name among those that fit the types.
    fn find<T>(fitting: &'static [MethodMeta], method: &str) -> &'static MethodMeta {
        let is_it = |it: &&MethodMeta| it.name == method && it.service == C::NAME;
        fitting.iter().find(is_it).unwrap_or_else(|| {
            let names: Vec<_> = C::METHODS.iter().map(|it| it.name).collect();
            if names.contains(&method) {
                panic!(
                    "`{method}` of {} is not asked {} or answers otherwise",
                    C::NAME,
                    type_name::<T>()
                )
            }
            panic!(
                "{} has no method `{method}`; it has {}",
                C::NAME,
                names.join(", ")
            )
        })
    }
}

impl Script {
    fn push(&self, name: &'static str, line: Line) {
        self.lines
            .lock()
            .entry(name)
            .or_default()
            .next
            .push_back(line);
    }

    fn find(
        &self,
        method: &'static MethodMeta,
        payload: &Bytes,
        key: Option<&str>,
    ) -> Result<Found, (ErrorCode, String)> {
        let mut asked = self.asked.lock();
        if asked.len() == ASKED_MAX {
            asked.pop_front();
        }
        asked.push_back(Question {
            method: method.name,
            payload: payload.clone(),
            key: key.map(Box::from),
        });
        drop(asked);
        let mut all = self.lines.lock();
        let lines = all.entry(method.name).or_default();
        match lines.next.pop_front() {
            Some(Line::Run(method)) => return Ok(Found::of(method)),
            Some(Line::Replay(method)) => {
                let is_replayed = true;
                return Ok(Found {
                    method,
                    is_replayed,
                });
            }
            Some(Line::Fail(code, text)) => return Err((code, text)),
            None => {}
        }
        lines.rest.clone().map(Found::of).ok_or_else(|| {
            let name = method.name;
            let text = format!("nobody scripted a call of `{name}`; say `mock.on(\"{name}\", …)`");
            (ErrorCode::NotFound, text)
        })
    }
}

/// A script asks for no state, so there is none to miss.
fn prepared(operation: OperationDef) -> Arc<Method> {
    let run = operation.prepare(&States::default());
    Arc::new(Method {
        run: run.expect("a script asks for no state"),
        idempotent: None,
    })
}

impl<C: Contract> fmt::Debug for Mock<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mock")
            .field("contract", &C::NAME)
            .field("unused", &self.unused())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
