//! What other domains ask the registry about: whose an instance is, what is behind a hash.

use contract::grpc::v1;
use contract::ids::{InstanceId, ServiceId};

use super::engine::Registry;
use super::model::Registration;

impl Registry {
    /// The service of an instance that is registered, returning ones included.
    pub fn service_of(&self, instance: InstanceId) -> Option<ServiceId> {
        self.state().instances.get(&instance).map(|it| it.service)
    }

    /// The JSON of the input and the output message behind a contract hash, if an instance that is
    /// registered declared them; of an event the input.
    pub fn schemas(&self, contract_hash: &str) -> Option<(Vec<u8>, Vec<u8>)> {
        let state = self.state();
        let of = |it: &Registration| {
            let served = it.request.incoming.iter().find(|row| {
                row.r#type == v1::MethodType::Rpc as i32 && row.contract_hash == contract_hash
            });
            let served = served.map(|row| {
                (
                    row.input_schema_json.clone(),
                    row.output_schema_json.clone(),
                )
            });
            let published = || {
                let events = &it.request.published;
                let event = events
                    .iter()
                    .find(|row| row.contract_hash == contract_hash)?;
                Some((event.schema_json.clone(), Vec::new()))
            };
            served.or_else(published)
        };
        state.instances.values().find_map(of)
    }

    /// Grows with every change of a registration.
    pub fn revision(&self) -> u64 {
        self.state().last_number()
    }
}
