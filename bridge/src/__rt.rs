//! What generated code and macro expansions name. Not for people, and not stable: the only
//! promise is that it fits the macros and the generator of the same version.

pub use ::axum::extract::FromRequestParts;
pub use ::axum::response::{IntoResponse, Response};
pub use ::http::request::Parts;
pub use ::prost;
pub use ::prost_types;
#[cfg(feature = "json-schema")]
pub use contract::message::schemars;
pub use contract::{codec, describe_enum, describe_message, message, message_impls};

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
    Argument, ClientArgument, HttpAnswer, HttpOperation, KeyField, Listed, NoClient,
    OpaqueArgument, Operation, OperationId, Readable, ServiceClient, answers, can_be_sent,
    client_in, distinct, failed, key_text, problem, stream_of,
};
pub use crate::rpc::{Contract, JsonForm, Target};
pub use crate::{
    __client_impls as client_impls, __openapi as openapi, __openapi_error as openapi_error,
};

/// A span of time, as macros have read it.
pub const fn millis(millis: u64) -> std::time::Duration {
    std::time::Duration::from_millis(millis)
}

/// What types say about handlers in documents.
#[cfg(feature = "openapi")]
pub mod docs {
    pub use crate::openapi::{
        DescribedAnswer, DescribedArgument, DescribedField, Docs, ErrorDocs, FailedAnswer,
        KnownAnswer, KnownArgument, OpaqueAnswer, OpaqueField, Present, Problems, Told,
        UnknownArgument, Whole,
    };
}
