//! Handlers as data: what a macro expansion produces and what the inbound server runs.
//!
//! A handler is a function of a message, optional application state and the call's context. Its
//! types are erased here, once at start, so that the server knows only bytes.
//!
//! A handler answers once or with a stream of messages; the stream is pulled, so it produces no
//! faster than it is sent.
//!
//! Invariant: state is looked up when the bridge starts, never during a call; a handler whose
//! state is missing keeps the bridge from starting and says so.

use std::any::{Any, TypeId, type_name};
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use contract::const_text::is_same;
use tokio_stream::{Stream, StreamExt as _};

use crate::business::BusinessError;
use crate::context::Context;
use crate::key::Idempotent;

/// One method of a contract, as generated code describes it.
#[derive(Debug)]
pub struct MethodMeta {
    /// Full name of the proto service: `shop.payments.v1.Payments`.
    pub service: &'static str,
    /// The registered method name, without a prefix: `Charge`.
    pub name: &'static str,
    /// Routing identity: callers reach only instances with the same one.
    pub contract_hash: &'static str,
    /// JSON of the request message.
    pub input_schema: &'static str,
    /// JSON of the reply message.
    pub output_schema: &'static str,
    /// Whether it answers with a stream.
    pub streaming: bool,
}

/// A request type of a contract, together with the reply it is answered by.
#[diagnostic::on_unimplemented(
    message = "no method of an included contract takes `{Self}` and answers `{Reply}`",
    label = "not a request that is answered by `{Reply}`",
    note = "take the request and return the reply of one `rpc` line of the `.proto` file",
    note = "messages come from `bridge::include_contract!(\"package\")`"
)]
pub trait RpcRequest<Reply>: prost::Message + Default + 'static {
    /// The unary methods with this request and this reply.
    const METHODS: &'static [MethodMeta];
}

/// A request type of a contract, together with the messages it is answered by, one after another.
#[diagnostic::on_unimplemented(
    message = "no method of an included contract takes `{Self}` and answers with a stream of `{Item}`",
    label = "not a request that is answered by a stream of `{Item}`",
    note = "take the request of an `rpc` line that `returns (stream …)`, and return its messages",
    note = "messages come from `bridge::include_contract!(\"package\")`"
)]
pub trait RpcStreamRequest<Item>: prost::Message + Default + 'static {
    /// The server-streaming methods with this request and these messages.
    const METHODS: &'static [MethodMeta];
}

/// What a handler returns.
#[diagnostic::on_unimplemented(
    message = "a handler returns `Result<Reply, Error>`, not `{Self}`",
    label = "not a handler's result",
    note = "`Reply` is a message of the contract; `Error` derives `bridge::Error`"
)]
pub trait HandlerResult {
    /// The reply message.
    type Reply: prost::Message + Default + 'static;
    /// The business error.
    type Error: BusinessError;
    /// The plain result.
    fn into_result(self) -> Result<Self::Reply, Self::Error>;
}

#[diagnostic::do_not_recommend]
impl<R, E> HandlerResult for Result<R, E>
where
    R: prost::Message + Default + 'static,
    E: BusinessError,
{
    type Reply = R;
    type Error = E;

    fn into_result(self) -> Self {
        self
    }
}

/// The state values given to [`Builder::state`](crate::Builder::state), one per type.
#[derive(Default)]
pub struct States(HashMap<TypeId, Box<dyn Any + Send + Sync>>);

impl States {
    pub(crate) fn insert<T: Send + Sync + 'static>(&mut self, state: T) {
        self.0.insert(TypeId::of::<T>(), Box::new(state));
    }

    /// The state of type `T`.
    ///
    /// # Errors
    ///
    /// [`MissingState`] when nobody gave one.
    pub fn get<T: Clone + Send + Sync + 'static>(&self) -> Result<T, MissingState> {
        self.0
            .get(&TypeId::of::<T>())
            .and_then(|state| state.downcast_ref::<T>())
            .cloned()
            .ok_or(MissingState {
                name: type_name::<T>(),
            })
    }
}

impl fmt::Debug for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "States({})", self.0.len())
    }
}

/// A handler asks for state that the builder was not given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no state of type `{name}`; give the builder one with `.state(…)`")]
pub struct MissingState {
    name: &'static str,
}

/// What a handler answered, before it is put on the wire.
pub(crate) type Answer = Result<Bytes, Refusal>;

/// The code of a failure that has none of its own.
pub(crate) const INTERNAL: &str = "INTERNAL";

/// A handler's error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Never empty.
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// A repeat may succeed.
    pub(crate) is_retryable: bool,
}

/// The request bytes are not the message the contract names; says why.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the request is not the contract's message: {0}")]
pub(crate) struct Undecodable(pub(crate) String);

pub(crate) type Answering = Pin<Box<dyn Future<Output = Answer> + Send>>;
pub(crate) type Answers = Pin<Box<dyn Stream<Item = Answer> + Send>>;
pub(crate) type Starts<R> = Box<dyn Fn(Bytes, Context) -> Result<R, Undecodable> + Send + Sync>;
type Prepare = Box<dyn FnOnce(&States) -> Result<Run, MissingState> + Send + Sync>;

/// A handler that has met its state, by the way it answers.
pub(crate) enum Run {
    Once(Starts<Answering>),
    Stream(Starts<Answers>),
}

/// A handler that has not met its state yet.
pub struct OperationDef {
    pub(crate) meta: &'static MethodMeta,
    pub(crate) site: &'static str,
    /// What makes it be run once only, if its repeats are known.
    pub(crate) idempotent: Option<Idempotent>,
    prepare: Prepare,
}

impl OperationDef {
    /// A unary handler of `meta`. `site` is where it is defined, for messages; `build` makes the
    /// function that serves calls, once, when the bridge starts.
    pub fn unary<Req, Ret, F, Fut, B>(
        meta: &'static MethodMeta,
        site: &'static str,
        build: B,
    ) -> Self
    where
        B: Fn(&States) -> Result<F, MissingState> + Send + Sync + 'static,
        F: Fn(Req, Context) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Ret> + Send + 'static,
        Ret: HandlerResult,
        Req: prost::Message + Default + 'static,
    {
        let prepare = move |states: &States| -> Result<Run, MissingState> {
            let handler = build(states)?;
            Ok(Run::Once(Box::new(move |payload, context| {
                let running = handler(decoded(payload)?, context);
                Ok(Box::pin(
                    async move { answer_of(running.await.into_result()) },
                ))
            })))
        };
        Self {
            meta,
            site,
            idempotent: None,
            prepare: Box::new(prepare),
        }
    }

    /// A handler of `meta` that answers with a stream; the rest is as for [`unary`](Self::unary).
    ///
    /// The stream is asked for its next message only while there is room to send it, and dropped
    /// when the caller leaves. Its first error is its end.
    pub fn stream<Req, Item, Err, F, S, B>(
        meta: &'static MethodMeta,
        site: &'static str,
        build: B,
    ) -> Self
    where
        B: Fn(&States) -> Result<F, MissingState> + Send + Sync + 'static,
        F: Fn(Req, Context) -> S + Send + Sync + 'static,
        S: Stream<Item = Result<Item, Err>> + Send + 'static,
        Item: prost::Message + 'static,
        Err: BusinessError + 'static,
        Req: prost::Message + Default + 'static,
    {
        let prepare = move |states: &States| -> Result<Run, MissingState> {
            let handler = build(states)?;
            Ok(Run::Stream(Box::new(move |payload, context| {
                let items = handler(decoded(payload)?, context);
                Ok(Box::pin(items.map(answer_of)))
            })))
        };
        Self {
            meta,
            site,
            idempotent: None,
            prepare: Box::new(prepare),
        }
    }

    /// Runs it once for all calls with the same key; the others get what that one answered. For
    /// methods that answer once.
    #[must_use]
    pub fn idempotent(mut self, idempotent: Idempotent) -> Self {
        self.idempotent = Some(idempotent.of_contract(self.meta.contract_hash));
        self
    }

    pub(crate) fn prepare(self, states: &States) -> Result<Run, MissingState> {
        (self.prepare)(states)
    }
}

fn decoded<Req: prost::Message + Default>(payload: Bytes) -> Result<Req, Undecodable> {
    Req::decode(payload).map_err(|error| Undecodable(error.to_string()))
}

fn answer_of<R: prost::Message, E: BusinessError>(result: Result<R, E>) -> Answer {
    match result {
        Ok(reply) => Ok(reply.encode_to_vec().into()),
        Err(error) => Err(Refusal {
            code: match error.code() {
                "" => INTERNAL,
                code => code,
            },
            message: error.message(),
            is_retryable: error.retryable(),
        }),
    }
}

impl fmt::Debug for OperationDef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.meta.name, self.site)
    }
}

/// A method of a contract, and what makes its handler.
pub type Found = (&'static MethodMeta, fn(&'static MethodMeta) -> OperationDef);

/// The same for a handler that is a method of `S`.
pub type FoundIn<S> = (
    &'static MethodMeta,
    fn(&'static MethodMeta, &Arc<S>) -> OperationDef,
);

/// The method called `name` among `methods`, found while compiling.
///
/// # Panics
///
/// While compiling, when there is none.
pub const fn find_method(methods: &'static [MethodMeta], name: &str) -> &'static MethodMeta {
    let mut index = 0;
    while index < methods.len() {
        if is_same(methods[index].name, name) {
            return &methods[index];
        }
        index += 1;
    }
    panic!(
        "no rpc of the contract has this handler's name, request and reply; rename the function \
         or say #[bridge::rpc(name = \"TheRpc\")]"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    static METHODS: &[MethodMeta] = &[meta("Charge"), meta("Refund")];

    const fn meta(name: &'static str) -> MethodMeta {
        MethodMeta {
            service: "s",
            name,
            contract_hash: "v2:0",
            input_schema: "{}",
            output_schema: "{}",
            streaming: false,
        }
    }

    #[derive(Debug)]
    struct Nameless;

    impl BusinessError for Nameless {
        fn code(&self) -> &'static str {
            ""
        }

        fn message(&self) -> String {
            "oh".into()
        }

        fn from_wire(_: &str, _: &str) -> Option<Self> {
            None
        }
    }

    #[test]
    fn an_error_without_a_code_is_an_internal_one() {
        let refusal = answer_of(Err::<(), _>(Nameless)).unwrap_err();
        assert_eq!((refusal.code, &*refusal.message), ("INTERNAL", "oh"));
    }

    #[test]
    fn a_method_is_found_by_its_exact_name() {
        assert_eq!(find_method(METHODS, "Refund").name, "Refund");
        assert!(std::panic::catch_unwind(|| find_method(METHODS, "refund")).is_err());
    }

    #[test]
    fn missing_state_names_the_type_and_the_method_to_call() {
        let mut states = States::default();
        states.insert(7_u32);
        assert_eq!(states.get::<u32>(), Ok(7));
        let error = states.get::<String>().unwrap_err().to_string();
        assert_eq!(
            error,
            "no state of type `alloc::string::String`; give the builder one with `.state(…)`"
        );
    }
}
