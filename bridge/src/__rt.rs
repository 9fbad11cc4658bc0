//! What generated code and macro expansions name. Not for people, and not stable: the only
//! promise is that it fits the macros and the generator of the same version.

pub use ::prost;
pub use ::prost_types;

pub use crate::handler::{
    BusinessError, HandlerResult, MethodMeta, MissingState, Operation, OperationDef, RpcRequest,
    State, States, find_method,
};
pub use crate::rpc::{Contract, Target};
