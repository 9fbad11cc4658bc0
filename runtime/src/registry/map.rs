//! The whole registry as data, for people and their tools.

use std::collections::BTreeMap;

use contract::grpc::v1::MethodType;
use contract::ids::ServiceId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model::Registration;
use super::state::State;
use crate::identity::{LEAF_SKEW, Presence, Sighting};

/// Every service, and every dependency that is declared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceMap {
    /// By name.
    pub services: Vec<MapService>,
    /// By caller, then target.
    pub edges: Vec<MapEdge>,
}

/// One service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    /// `healthy`; `unhealthy` when a call could not reach it a moment ago; `draining` when its
    /// streams have ended and it is about to be removed.
    #[serde(default)]
    pub health: String,
    /// Its certificate; null when it was not seen yet.
    #[serde(default)]
    pub certificate: Option<MapCertificate>,
    /// Since when it is here, unix milliseconds; null when it was not seen yet.
    #[serde(default)]
    pub connected_since_unix_ms: Option<i64>,
}

/// The life of an instance's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MapCertificate {
    /// Unix milliseconds.
    pub issued_at_unix_ms: i64,
    /// Unix milliseconds.
    pub expires_at_unix_ms: i64,
}

/// One method of a service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
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
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
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

pub(super) fn draw(state: &State, presence: &Presence) -> ServiceMap {
    let mut services: Vec<_> = state
        .services
        .iter()
        .map(|(id, service)| MapService {
            id: id.to_string(),
            name: service.name.clone(),
            status: if service.revoked { "revoked" } else { "active" }.to_owned(),
            instances: instances(state, presence, *id),
            methods: methods(state, *id),
        })
        .collect();
    services.sort_by(|a, b| a.name.cmp(&b.name));
    let edges = edges(state, &services);
    ServiceMap { services, edges }
}

fn instances(state: &State, presence: &Presence, service: ServiceId) -> Vec<MapInstance> {
    let instance = |it: &Registration| {
        let seen = presence.sighting(it.instance);
        let certificate = seen.and_then(|it| it.certificate);
        MapInstance {
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
            health: health(it, seen).to_owned(),
            certificate: certificate.map(|it| MapCertificate {
                issued_at_unix_ms: (it.from + LEAF_SKEW).as_millis(),
                expires_at_unix_ms: it.until.as_millis(),
            }),
            connected_since_unix_ms: seen.map(|it| it.came_at.as_millis()),
        }
    };
    state.of_service(service).map(instance).collect()
}

fn health(it: &Registration, seen: Option<Sighting>) -> &'static str {
    if it.confirmed && seen.is_none_or(|it| it.links == 0) {
        "draining"
    } else if it.unhealthy_since_ms != 0 {
        "unhealthy"
    } else {
        "healthy"
    }
}

fn methods(state: &State, service: ServiceId) -> Vec<MapMethod> {
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
        // Both are sorted: thousands of edges are looked up each second that somebody watches.
        let found = services.binary_search_by(|it| it.name.as_str().cmp(to));
        found.is_ok_and(|at| {
            let service = &services[at];
            let mut instances = service.instances.iter();
            let key = |it: &MapMethod| (it.kind.as_str(), it.name.as_str()).cmp(&(kind, method));
            instances.any(|it| kind != "rpc" || !it.call_endpoint.is_empty())
                && service.methods.binary_search_by(key).is_ok()
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

pub(super) fn kind(number: i32) -> &'static str {
    match MethodType::try_from(number) {
        Ok(MethodType::Rpc) => "rpc",
        Ok(MethodType::Event) => "event",
        Ok(MethodType::Workflow) => "workflow",
        Ok(MethodType::Job) => "job",
        Ok(MethodType::Http) => "http",
        _ => "unknown",
    }
}
