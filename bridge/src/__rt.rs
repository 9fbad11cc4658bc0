//! What generated code and macro expansions name. Not for people, and not stable: the only
//! promise is that it fits the macros and the generator of the same version.

pub use ::axum::extract::{FromRequestParts, State};
pub use ::axum::response::{IntoResponse, Response};
pub use ::http::request::Parts;
#[cfg(feature = "mesh")]
pub use ::prost;
#[cfg(feature = "mesh")]
pub use ::prost_types;
#[cfg(feature = "json-schema")]
pub use contract::message::schemars;
#[cfg(feature = "mesh")]
pub use contract::{codec, describe_enum, describe_message, message, message_impls};

#[cfg(feature = "mesh")]
pub use crate::__client_impls as client_impls;
pub use crate::business::{
    BusinessError, ErrorField, ErrorFields, Field, STATUS_DEFAULT, StrangeField, error_message,
    grpc_of,
};
#[cfg(feature = "mesh")]
pub use crate::handler::{
    Found, FoundIn, HandlerResult, MethodMeta, MissingState, OperationDef, RpcRequest,
    RpcStreamRequest, States, find_method,
};
#[cfg(feature = "mesh")]
pub use crate::key::Idempotent;
pub use crate::operation::{
    Argument, ClientArgument, HttpAnswer, HttpOperation, KeyField, Listed, Opaque, Operation,
    OperationId, Readable, answers, can_be_sent, distinct, failed, key_text, problem,
};
#[cfg(feature = "mesh")]
pub use crate::operation::{NoClient, ServiceClient, client_in, stream_of};
#[cfg(feature = "mesh")]
pub use crate::rpc::{Contract, JsonForm, Target};
pub use crate::{__openapi as openapi, __openapi_error as openapi_error};

/// A span of time, as macros have read it.
pub const fn millis(millis: u64) -> std::time::Duration {
    std::time::Duration::from_millis(millis)
}

/// What types say about handlers in documents.
#[cfg(feature = "openapi")]
pub mod docs {
    pub use axum::{Form, Json};

    pub use crate::openapi::{
        Any, DescribedAnswer, DescribedArgument, DescribedField, Docs, ErrorDocs, FailedAnswer,
        KnownAnswer, KnownArgument, OpaqueAnswer, OpaqueField, Present, Problems, Told,
        UnknownArgument, Whole,
    };
}
