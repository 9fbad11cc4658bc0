//! What this process tells the runtime about itself.

use contract::grpc::v1::{IncomingMethod, MethodType, OutgoingDep, RegisterRequest};

use super::{PROTOCOL_VERSION, SDK_LANGUAGE};
use crate::handler::OperationDef;
use crate::registry::Dependency;

/// The whole declaration; it is sent anew whenever it changes and replaces the earlier one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Registration {
    /// Grows with every change, so that one can wait for the runtime's answer to it.
    pub(crate) version: u64,
    pub(crate) request: RegisterRequest,
}

impl Registration {
    pub(crate) fn new(incoming: Vec<IncomingMethod>, outgoing: &[Dependency]) -> Self {
        let mut deps: Vec<OutgoingDep> = Vec::with_capacity(outgoing.len());
        for dependency in outgoing {
            let dep = OutgoingDep {
                service_name: dependency.service.to_string(),
                method_name: dependency.method.name.to_owned(),
                r#type: MethodType::Rpc as i32,
            };
            if !deps.contains(&dep) {
                deps.push(dep);
            }
        }
        let request = RegisterRequest {
            incoming,
            outgoing: deps,
            protocol_version: PROTOCOL_VERSION,
            sdk_language: SDK_LANGUAGE.to_owned(),
            sdk_version: env!("CARGO_PKG_VERSION").to_owned(),
            ..RegisterRequest::default()
        };
        Self {
            version: 1,
            request,
        }
    }

    /// Changes the declaration and returns its new version.
    pub(crate) fn change(&mut self, change: impl FnOnce(&mut RegisterRequest)) -> u64 {
        change(&mut self.request);
        self.version += 1;
        self.version
    }
}

/// The row of one handler.
pub(crate) fn incoming(operation: &OperationDef) -> IncomingMethod {
    IncomingMethod {
        r#type: MethodType::Rpc as i32,
        name: operation.meta.name.to_owned(),
        input_schema_json: operation.meta.input_schema.as_bytes().to_vec(),
        output_schema_json: operation.meta.output_schema.as_bytes().to_vec(),
        streaming: operation.meta.streaming,
        contract_hash: operation.meta.contract_hash.to_owned(),
        ..IncomingMethod::default()
    }
}
