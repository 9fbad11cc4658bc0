//! From a plan to what the runtime knows: services with keys, and instances that declare what they
//! serve and call.
//!
//! Refuses a name that exists already, as the runtime does: its key cannot be asked for.

use std::sync::Arc;

use bridge_runtime::operator::Client;
use bridge_runtime::operator::model::{CreateService, ServiceKeyShown, SetSetting};
use contract::grpc::v1::{IncomingMethod, MethodType, OutgoingDep, RegisterRequest};
use contract::key::ServiceKey;
use http::Method;
use serde_json::Value;

use crate::member::{Counts, Failure, Member, Outbox};
use crate::plan::{Condition, Edge, Plan, SCHEMA, Service};

/// Where the operator API has its paths.
const API: &str = "/api/v1";
/// Port of every endpoint that is declared; instances differ by a loopback address at which nobody
/// listens.
const PORT: u16 = 7_443;

/// How long the certificates live that are issued from now on; the default with `None`.
pub(crate) async fn set_leaf_life(operator: &Client, millis: Option<u64>) -> Result<(), Failure> {
    let path = format!("{API}/settings/identity.leaf_lifetime_ms");
    let value = millis.map(|it| it.to_string());
    let _: Value = operator
        .send_json(Method::PUT, &path, &SetSetting { value })
        .await?;
    Ok(())
}

/// Id of a service, its instances, and where their items go.
pub(crate) type Joined = (String, Vec<Arc<Member>>, Vec<Outbox>);

/// Creates the service at a place of the plan and brings its instances in.
pub(crate) async fn join_service(
    operator: &Client,
    address: Arc<str>,
    plan: &Plan,
    at: usize,
    counts: Arc<Counts>,
) -> Result<Joined, Failure> {
    let service = &plan.services[at];
    let wanted = CreateService {
        name: service.name.clone(),
    };
    let path = format!("{API}/services");
    let made: ServiceKeyShown = operator.send_json(Method::POST, &path, &wanted).await?;
    let key: ServiceKey = made.key.parse().map_err(|_| "the key cannot be read")?;
    let (mut members, mut outboxes) = (Vec::new(), Vec::new());
    for instance in 0..service.instances {
        let member = Arc::new(Member::provision(address.clone(), &key).await?);
        let request = registration(service, at, instance);
        let restless = service.condition == Condition::Draining;
        let outbox = member.clone().serve(request, restless, counts.clone());
        outboxes.push(outbox.await?);
        members.push(member);
    }
    Ok((made.id, members, outboxes))
}

fn registration(service: &Service, at: usize, instance: usize) -> RegisterRequest {
    let method = |name: &str, kind: MethodType, hash: &str| IncomingMethod {
        r#type: kind.into(),
        name: name.to_owned(),
        contract_hash: hash.to_owned(),
        input_schema_json: SCHEMA.as_bytes().to_vec(),
        output_schema_json: SCHEMA.as_bytes().to_vec(),
        ..IncomingMethod::default()
    };
    let calls = service.methods.iter().map(|it| {
        let next = it.next_hash.as_deref().filter(|_| instance > 0);
        method(&it.name, MethodType::Rpc, next.unwrap_or(&it.hash))
    });
    let routes = service.routes.iter().map(|(verb, path)| IncomingMethod {
        r#type: MethodType::Http.into(),
        name: format!("{verb} {path}"),
        ..IncomingMethod::default()
    });
    let depends = |it: &Edge| OutgoingDep {
        service_name: it.service.clone(),
        method_name: it.method.clone(),
        r#type: MethodType::Rpc.into(),
    };
    let languages = [
        ("rust", env!("CARGO_PKG_VERSION")),
        ("node", "2.0.1"),
        ("go", "1.4.0"),
    ];
    let (language, version) = languages[at % languages.len()];
    let endpoint =
        |port: u16| format!("127.{}.{}.{}:{port}", 10 + instance, at / 250, 1 + at % 250);
    RegisterRequest {
        incoming: calls.chain(routes).collect(),
        outgoing: service.calls.iter().map(depends).collect(),
        call_endpoint: endpoint(PORT),
        http_endpoint: if service.routes.is_empty() {
            String::new()
        } else {
            endpoint(PORT + 1)
        },
        protocol_version: 1,
        sdk_language: language.to_owned(),
        sdk_version: version.to_owned(),
        ..RegisterRequest::default()
    }
}
