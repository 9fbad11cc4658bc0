//! One service with everything known of it, and how requests go.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Load;
use crate::registry::{MapInstance, MapMethod};

/// One service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceDetail {
    /// UUID.
    pub id: String,
    /// Name.
    pub name: String,
    /// `active`, `revoked`, or `foreign` when it has no key and only reports.
    pub status: String,
    /// Unix milliseconds; null for a foreign one.
    pub created_at_unix_ms: Option<i64>,
    /// The time that loads count.
    pub window_ms: u64,
    /// Its processes.
    pub instances: Vec<MapInstance>,
    /// What they serve and publish; two rows of one name have two contracts.
    pub methods: Vec<ServiceMethod>,
    /// What it calls.
    pub calls: Vec<CallOut>,
    /// Who calls it.
    pub called_by: Vec<CallIn>,
    /// Its keys, the newest first, 1,000 at most; never their secrets.
    pub keys: Vec<ServiceKey>,
}

/// One method of a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceMethod {
    /// What it is.
    #[serde(flatten)]
    pub method: MapMethod,
    /// Whether it answers with a stream.
    pub streaming: bool,
    /// Whether it is an event that the service publishes.
    pub published: bool,
    /// JSON schema of what it takes, of an event what it carries; null when it declared none.
    pub input_schema: Option<Value>,
    /// JSON schema of what it answers; null when it declared none.
    pub output_schema: Option<Value>,
    /// Calls it answered; null when there were none.
    pub served: Option<Load>,
}

/// A method that the service calls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CallOut {
    /// Name of the target, whether it exists or not.
    pub to: String,
    /// `rpc`, `workflow` or `http`.
    pub kind: String,
    /// Method.
    pub method: String,
    /// Whether the service said at registration that it calls this.
    pub declared: bool,
    /// Whether an instance that can be called serves it now.
    pub live: bool,
    /// Null when it was not called in the window.
    pub load: Option<Load>,
}

/// A method of the service that somebody calls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CallIn {
    /// Name of the caller; empty when it is not known: somebody outside.
    pub from: String,
    /// `rpc`, `workflow` or `http`.
    pub kind: String,
    /// Method.
    pub method: String,
    /// Whether the caller said at registration that it calls this.
    pub declared: bool,
    /// Null when it was not called in the window.
    pub load: Option<Load>,
}

/// A key of a service, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceKey {
    /// Its public id, hexadecimal.
    pub id: String,
    /// Unix milliseconds.
    pub created_at_unix_ms: i64,
    /// Unix milliseconds; null while it works.
    pub revoked_at_unix_ms: Option<i64>,
}

/// A key that was revoked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyRevoked {
    /// Its id.
    pub id: String,
    /// `revoked`.
    pub status: String,
}

/// Rate, errors and duration of services and their routes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RedPage {
    /// The time that was counted; less than was asked for while the runtime is younger.
    pub window_ms: u64,
    /// Length of a step, milliseconds: ten seconds up to a window of five minutes, else five
    /// minutes.
    pub step_ms: u64,
    /// By name; those alone of which something ended.
    pub services: Vec<RedService>,
    /// Whether there are more routes than one answer carries.
    pub truncated: bool,
}

/// A service with its routes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RedService {
    /// Name.
    pub service: String,
    /// All of its routes together, but those of kind `user`: they are parts of the others.
    pub total: Red,
    /// By kind and name.
    pub routes: Vec<RedRoute>,
}

/// A route, method, or whatever a service executes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RedRoute {
    /// `http`, `rpc`, `event`, `job`, `workflow` or `user`.
    pub kind: String,
    /// `GET /orders/{id}`, the method, or the subject of the operation.
    pub name: String,
    /// How it went.
    pub red: Red,
}

/// Rate, errors and duration, together and step by step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Red {
    /// All steps together.
    #[serde(flatten)]
    pub load: Load,
    /// Every step, the earliest first; one without operations counts 0.
    pub points: Vec<RedPoint>,
    /// How many took how long, the fastest first; buckets without operations are left out.
    pub histogram: Vec<RedBucket>,
}

/// Operations that took about as long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RedBucket {
    /// Milliseconds that they took at most: half an octave more than those of the bucket below.
    pub up_to_ms: f64,
    /// Operations.
    pub count: u64,
}

/// One step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RedPoint {
    /// Its beginning, unix milliseconds.
    pub at_unix_ms: i64,
    /// Operations that ended.
    pub count: u64,
    /// Of them, those that failed.
    pub errors: u64,
    /// Milliseconds that half of them took at most.
    pub p50_ms: f64,
    /// Milliseconds that 95 of 100 took at most.
    pub p95_ms: f64,
}
