//! Handlers as data: what a macro expansion produces and what the inbound server runs.
//!
//! A handler is a function of a message, optional application state and the call's context. Its
//! types are erased here, once at start, so that the server knows only bytes.
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

use crate::context::Context;

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

/// An error that is part of the contract: a code and a text that travel to the caller, who gets
/// the same type back with [`CallError::business`](crate::CallError::business).
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel to the caller as a business error",
    label = "not a business error",
    note = "put `#[derive(Debug, bridge::Error)]` on the enum"
)]
pub trait BusinessError: Sized {
    /// The code, free text chosen by the application: `CARD_DECLINED`.
    fn code(&self) -> &'static str;
    /// The text for people.
    fn message(&self) -> String;
    /// The error with this code, if it is one of this type.
    fn from_wire(code: &str, message: &str) -> Option<Self>;
}

/// For handlers that cannot fail.
impl BusinessError for std::convert::Infallible {
    fn code(&self) -> &'static str {
        match *self {}
    }

    fn message(&self) -> String {
        match *self {}
    }

    fn from_wire(_: &str, _: &str) -> Option<Self> {
        None
    }
}

/// Application state in a handler's arguments, as in axum: `State(db): State<Db>`.
#[derive(Clone, Copy, Debug, Default)]
pub struct State<T>(pub T);

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

/// Something that can be listed in [`handlers!`](crate::handlers).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handler",
    label = "not a handler",
    note = "put `#[bridge::rpc]` on the function"
)]
pub trait Operation {
    /// Its description.
    fn operation() -> OperationDef;
}

/// What running a handler came to, before it is put on the wire.
#[derive(Debug)]
pub(crate) enum Answer {
    Reply(Bytes),
    Business {
        code: &'static str,
        message: String,
    },
    /// The request bytes are not the message the contract names.
    Undecodable(String),
}

pub(crate) type Answering = Pin<Box<dyn Future<Output = Answer> + Send>>;
pub(crate) type Run = Arc<dyn Fn(Bytes, Context) -> Answering + Send + Sync>;
type Prepare = Box<dyn FnOnce(&States) -> Result<Run, MissingState> + Send + Sync>;

/// A handler that has not met its state yet.
pub struct OperationDef {
    pub(crate) meta: &'static MethodMeta,
    pub(crate) site: &'static str,
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
            Ok(Arc::new(
                move |payload: Bytes, context: Context| -> Answering {
                    match Req::decode(payload) {
                        Ok(request) => {
                            let running = handler(request, context);
                            Box::pin(async move { answer_of(running.await) })
                        }
                        Err(error) => {
                            Box::pin(std::future::ready(Answer::Undecodable(error.to_string())))
                        }
                    }
                },
            ))
        };
        Self {
            meta,
            site,
            prepare: Box::new(prepare),
        }
    }

    pub(crate) fn prepare(self, states: &States) -> Result<Run, MissingState> {
        (self.prepare)(states)
    }
}

fn answer_of<R: HandlerResult>(result: R) -> Answer {
    match result.into_result() {
        Ok(reply) => Answer::Reply(prost::Message::encode_to_vec(&reply).into()),
        Err(error) => Answer::Business {
            code: error.code(),
            message: error.message(),
        },
    }
}

impl fmt::Debug for OperationDef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.meta.name, self.site)
    }
}

/// The handlers a bridge serves; made by [`handlers!`](crate::handlers).
#[derive(Debug, Default)]
pub struct Handlers(pub(crate) Vec<OperationDef>);

impl Handlers {
    /// From a list of descriptions.
    pub fn from_operations(operations: Vec<OperationDef>) -> Self {
        Self(operations)
    }
}

/// The method called `name` among `methods`, found while compiling.
///
/// # Panics
///
/// While compiling, when there is none.
pub const fn find_method(methods: &'static [MethodMeta], name: &str) -> &'static MethodMeta {
    let mut index = 0;
    while index < methods.len() {
        if same(methods[index].name, name) {
            return &methods[index];
        }
        index += 1;
    }
    panic!(
        "no rpc of the contract has this handler's name, request and reply; rename the function \
         or say #[bridge::rpc(name = \"TheRpc\")]"
    )
}

const fn same(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    if left.len() != right.len() {
        return false;
    }
    let mut index = 0;
    while index < left.len() {
        if left[index] != right[index] {
            return false;
        }
        index += 1;
    }
    true
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
