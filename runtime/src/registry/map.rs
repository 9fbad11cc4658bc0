//! The whole registry as data, for people and their tools.

use std::collections::BTreeMap;

use contract::grpc::v1::MethodType;
use serde::{Deserialize, Serialize};

use super::state::State;

/// Every service, and every dependency that is declared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceMap {
    /// By name.
    pub services: Vec<MapService>,
    /// By caller, then target.
    pub edges: Vec<MapEdge>,
}

/// One service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapService {
    /// UUID.
    pub id: String,
    /// Name.
    pub name: String,
    /// `active` or `revoked`.
    pub status: String,
    /// Its processes.
    pub instances: Vec<MapInstance>,
    /// What they serve, each once.
    pub methods: Vec<MapMethod>,
}

/// One process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapInstance {
    /// UUID.
    pub id: String,
    /// `connected`; `returning` when it was read from the store and has not come back yet.
    pub status: String,
    /// `host:port`, empty when it cannot be called.
    pub call_endpoint: String,
    /// `host:port` of its HTTP server, empty when it has none.
    pub http_endpoint: String,
    /// Language and version of its SDK.
    pub sdk: String,
    /// Start of its unhealthy window in unix milliseconds; 0 when healthy.
    pub unhealthy_since_unix_ms: i64,
}

/// One method of a service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MapMethod {
    /// `rpc`, `event`, `workflow`, `job` or `http`.
    pub kind: String,
    /// Name.
    pub name: String,
    /// Empty when it has none.
    pub contract_hash: String,
    /// How many instances serve exactly this.
    pub instances: usize,
}

/// One declared dependency.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MapEdge {
    /// Name of the caller.
    pub from: String,
    /// Name of the callee, whether it exists or not.
    pub to: String,
    /// `rpc`, `workflow` or `http`.
    pub kind: String,
    /// Method.
    pub method: String,
    /// Whether an instance that can be called serves it now.
    pub live: bool,
}

pub(super) fn draw(state: &State) -> ServiceMap {
    let mut services: Vec<_> = state
        .services
        .iter()
        .map(|(id, service)| MapService {
            id: id.to_string(),
            name: service.name.clone(),
            status: if service.revoked { "revoked" } else { "active" }.to_owned(),
            instances: instances(state, *id),
            methods: methods(state, *id),
        })
        .collect();
    services.sort_by(|a, b| a.name.cmp(&b.name));
    let edges = edges(state, &services);
    ServiceMap { services, edges }
}

fn instances(state: &State, service: contract::ids::ServiceId) -> Vec<MapInstance> {
    let instance = |it: &super::model::Registration| MapInstance {
        id: it.instance.to_string(),
        status: if it.confirmed {
            "connected"
        } else {
            "returning"
        }
        .to_owned(),
        call_endpoint: it.request.call_endpoint.clone(),
        http_endpoint: it.request.http_endpoint.clone(),
        sdk: format!("{} {}", it.request.sdk_language, it.request.sdk_version)
            .trim()
            .to_owned(),
        unhealthy_since_unix_ms: it.unhealthy_since_ms,
    };
    state.of_service(service).map(instance).collect()
}

fn methods(state: &State, service: contract::ids::ServiceId) -> Vec<MapMethod> {
    let mut found = BTreeMap::<(String, String, String), usize>::new();
    for row in state.of_service(service).flat_map(|it| it.descriptors("")) {
        *found
            .entry((kind(row.r#type).to_owned(), row.name, row.contract_hash))
            .or_default() += 1;
    }
    let method = |((kind, name, contract_hash), instances)| MapMethod {
        kind,
        name,
        contract_hash,
        instances,
    };
    found.into_iter().map(method).collect()
}

fn edges(state: &State, services: &[MapService]) -> Vec<MapEdge> {
    let serves = |to: &str, kind: &str, method: &str| {
        services.iter().any(|service| {
            service.name == to
                && service
                    .instances
                    .iter()
                    .any(|it| kind != "rpc" || !it.call_endpoint.is_empty())
                && service
                    .methods
                    .iter()
                    .any(|it| it.kind == kind && it.name == method)
        })
    };
    let mut edges: Vec<_> = state
        .instances
        .values()
        .filter_map(|it| Some((it, state.services.get(&it.service)?)))
        .flat_map(|(it, from)| it.request.outgoing.iter().map(move |dep| (from, dep)))
        .map(|(from, dep)| MapEdge {
            from: from.name.clone(),
            to: dep.service_name.clone(),
            kind: kind(dep.r#type).to_owned(),
            method: dep.method_name.clone(),
            live: serves(&dep.service_name, kind(dep.r#type), &dep.method_name),
        })
        .collect();
    edges.sort();
    edges.dedup();
    edges
}

fn kind(number: i32) -> &'static str {
    match MethodType::try_from(number) {
        Ok(MethodType::Rpc) => "rpc",
        Ok(MethodType::Event) => "event",
        Ok(MethodType::Workflow) => "workflow",
        Ok(MethodType::Job) => "job",
        Ok(MethodType::Http) => "http",
        _ => "unknown",
    }
}
