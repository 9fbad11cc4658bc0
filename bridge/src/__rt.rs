//! What generated code and macro expansions name. Not for people, and not stable: the only
//! promise is that it fits the macros and the generator of the same version.

pub use ::axum::extract::FromRequestParts;
pub use ::axum::response::{IntoResponse, Response};
pub use ::http::request::Parts;
pub use ::prost;
pub use ::prost_types;
pub use contract::{codec, describe_enum, describe_message, message, message_impls};

pub use crate::__client_impls as client_impls;
pub use crate::business::{
    BusinessError, ErrorField, ErrorFields, Field, STATUS_DEFAULT, StrangeField, error_message,
    grpc_of,
};
pub use crate::handler::{
    Found, FoundIn, HandlerResult, MethodMeta, MissingState, OperationDef, RpcRequest,
    RpcStreamRequest, State, States, find_method,
};
pub use crate::key::Idempotent;
pub use crate::operation::{
    Argument, HttpAnswer, HttpOperation, KeyField, Listed, NoClient, OpaqueArgument, Operation,
    OperationId, Readable, ServiceClient, answers, can_be_sent, client_in, distinct, failed,
    key_text, problem, stream_of,
};
pub use crate::rpc::{Contract, JsonForm, Target};

/// A span of time, as macros have read it.
pub const fn millis(millis: u64) -> std::time::Duration {
    std::time::Duration::from_millis(millis)
}
