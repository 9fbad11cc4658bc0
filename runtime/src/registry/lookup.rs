//! What other domains ask the registry about: whose an instance is, what is behind a hash.

use std::collections::BTreeMap;

use contract::grpc::v1;
use contract::ids::{InstanceId, ServiceId};
use serde_json::Value;

use super::engine::Registry;
use super::map::{self, MapMethod};
use super::model::Registration;

/// A method of a service with what its instances declared of it.
#[derive(Clone, Debug, PartialEq)]
pub struct MethodDetail {
    /// As the map shows it.
    pub method: MapMethod,
    /// Whether it answers with a stream.
    pub streaming: bool,
    /// Whether it is an event that the service publishes.
    pub published: bool,
    /// Schema of what it takes, of an event what it carries; `None` when it declared none.
    pub input_schema: Option<Value>,
    /// Schema of what it answers.
    pub output_schema: Option<Value>,
}

impl Registry {
    /// What the instances of a service serve and publish, each method and contract hash once.
    pub fn methods_of(&self, service: ServiceId) -> Vec<MethodDetail> {
        let state = self.state();
        let mut found: BTreeMap<(MapMethod, bool), MethodDetail> = BTreeMap::new();
        for row in state.of_service(service).flat_map(|it| it.descriptors("")) {
            let method = MapMethod {
                kind: map::kind(row.r#type).to_owned(),
                name: row.name,
                contract_hash: row.contract_hash,
                instances: 0,
            };
            let detail = || MethodDetail {
                method: method.clone(),
                streaming: row.streaming,
                published: row.published,
                input_schema: serde_json::from_slice(&row.input_schema).ok(),
                output_schema: serde_json::from_slice(&row.output_schema).ok(),
            };
            let key = (method.clone(), row.published);
            found.entry(key).or_insert_with(detail).method.instances += 1;
        }
        found.into_values().collect()
    }

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
