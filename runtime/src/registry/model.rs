//! What a registration is, whether it is acceptable, and how two of them differ. Pure.
//!
//! A registration replaces the earlier one of the same instance as a whole. Nothing in it says
//! who sent it: service and instance come from the certificate.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use contract::grpc::v1;
use contract::ids::{InstanceId, ServiceId};

/// Handlers, events and dependencies one instance may declare together.
pub const DECLARATIONS_MAX: usize = 10_000;
/// Longest name of a method, event, pattern or service, in bytes.
pub const NAME_BYTES_MAX: usize = 255;
/// Longest endpoint, in bytes.
const ENDPOINT_BYTES_MAX: usize = 300;

/// Why a registration can never be accepted. Sent as INVALID_ARGUMENT, which stops an SDK.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// Too many rows.
    #[error("{0} declarations in one registration; at most {DECLARATIONS_MAX} are allowed")]
    TooMany(usize),
    /// A name is empty or too long.
    #[error("a {kind} has an empty name or one over {NAME_BYTES_MAX} bytes")]
    Name {
        /// What carries it.
        kind: &'static str,
    },
    /// Two handlers of one type share a name.
    #[error("{kind} `{name}` is declared twice")]
    Duplicate {
        /// Its method type.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// The method type is not one that handlers have.
    #[error("method `{name}` has type {kind}, which cannot be registered as a handler")]
    Kind {
        /// The number sent.
        kind: i32,
        /// Its name.
        name: String,
    },
    /// A workflow in the form of older SDKs.
    #[error(
        "workflow `{0}` has no structured definition; upgrade its SDK to 2.0.0-alpha.16 or later"
    )]
    OldWorkflow(String),
    /// A pattern with a wildcard inside a segment, or an empty segment.
    #[error(
        "subscription pattern `{0}` is not valid; segments are lower-case letters, digits, `_`, `-`, or a whole `*` or `#`"
    )]
    Pattern(String),
    /// An address that is not `host:port`.
    #[error("{field} `{value}` is not host:port with a port from 1 to 65535")]
    Endpoint {
        /// Which of the two.
        field: &'static str,
        /// What was sent.
        value: String,
    },
}

/// One instance as everybody else sees it.
#[derive(Clone, Debug)]
pub struct Registration {
    /// Its service.
    pub service: ServiceId,
    /// Its id.
    pub instance: InstanceId,
    /// What it declared.
    pub request: Arc<v1::RegisterRequest>,
    /// Start of the current unhealthy window in unix milliseconds; 0 when healthy.
    pub unhealthy_since_ms: i64,
    /// Whether its process was seen by this runtime process, or only read from the store.
    pub confirmed: bool,
    /// Grows with every change that peers must learn.
    pub revision: u64,
}

impl Registration {
    /// Names of the services it may see besides its own.
    pub fn dependencies(&self) -> BTreeSet<&str> {
        self.request
            .outgoing
            .iter()
            .map(|dep| dep.service_name.as_str())
            .collect()
    }

    /// The row peers get for the process.
    pub fn info(&self, service_name: &str) -> v1::ServiceInstanceInfo {
        v1::ServiceInstanceInfo {
            instance_id: self.instance.to_string(),
            service_id: self.service.to_string(),
            service_name: service_name.to_owned(),
            call_endpoint: self.request.call_endpoint.clone(),
            status: "connected".to_owned(),
            http_endpoint: self.request.http_endpoint.clone(),
            is_unhealthy_since_unix_ms: self.unhealthy_since_ms,
        }
    }

    /// The rows peers get for its methods. RPC rows come first: an SDK that looks a name up
    /// without its type must find those.
    pub fn descriptors(&self, service_name: &str) -> Vec<v1::MethodDescriptor> {
        let (service_id, instance_id) = (self.service.to_string(), self.instance.to_string());
        let row = |kind: v1::MethodType, name: &str| v1::MethodDescriptor {
            service_name: service_name.to_owned(),
            service_id: service_id.clone(),
            instance_id: instance_id.clone(),
            r#type: kind as i32,
            name: name.to_owned(),
            ..Default::default()
        };
        let mut rows: Vec<_> = self
            .request
            .incoming
            .iter()
            .map(|method| v1::MethodDescriptor {
                contract_hash: method.contract_hash.clone(),
                input_schema: method.input_schema_json.clone(),
                output_schema: method.output_schema_json.clone(),
                streaming: method.streaming,
                ..row(method.r#type(), &method.name)
            })
            .collect();
        rows.sort_by_key(|row| row.r#type != v1::MethodType::Rpc as i32);
        rows.extend(
            self.request
                .published
                .iter()
                .map(|event| v1::MethodDescriptor {
                    contract_hash: event.contract_hash.clone(),
                    input_schema: event.schema_json.clone(),
                    published: true,
                    ..row(v1::MethodType::Event, &event.name)
                }),
        );
        rows
    }
}

/// Keys under which an SDK keeps a method row of one instance.
pub fn descriptor_key(row: &v1::MethodDescriptor) -> (i32, &str, bool) {
    (row.r#type, &row.name, row.published)
}

/// Rows of `new` that differ from `old`, and rows of `old` that are gone.
pub fn difference(
    old: &[v1::MethodDescriptor],
    new: &[v1::MethodDescriptor],
) -> (Vec<v1::MethodDescriptor>, Vec<v1::MethodDescriptor>) {
    let before: BTreeMap<_, _> = old.iter().map(|row| (descriptor_key(row), row)).collect();
    let after: BTreeSet<_> = new.iter().map(descriptor_key).collect();
    let added = new
        .iter()
        .filter(|row| before.get(&descriptor_key(row)) != Some(row))
        .cloned()
        .collect();
    let removed = old
        .iter()
        .filter(|row| !after.contains(&descriptor_key(row)))
        .cloned()
        .collect();
    (added, removed)
}

/// Checks what no retry can mend.
///
/// # Errors
///
/// The first fault found, naming the declaration.
pub fn check(request: &v1::RegisterRequest) -> Result<(), Invalid> {
    let rows = request.incoming.len()
        + request.published.len()
        + request.outgoing.len()
        + request.event_subscriptions.len();
    if rows > DECLARATIONS_MAX {
        return Err(Invalid::TooMany(rows));
    }
    let mut seen = BTreeSet::new();
    for method in &request.incoming {
        let kind = handler_kind(method)?;
        name(kind, &method.name)?;
        if !seen.insert((kind, method.name.as_str())) {
            return Err(Invalid::Duplicate {
                kind,
                name: method.name.clone(),
            });
        }
        if kind == "workflow" && method.workflow.is_none() {
            return Err(Invalid::OldWorkflow(method.name.clone()));
        }
    }
    for event in &request.published {
        name("published event", &event.name)?;
    }
    for dep in &request.outgoing {
        name("dependency", &dep.service_name)?;
        name("dependency", &dep.method_name)?;
    }
    for subscription in &request.event_subscriptions {
        pattern(&subscription.pattern)?;
    }
    endpoint("call_endpoint", &request.call_endpoint)?;
    endpoint("http_endpoint", &request.http_endpoint)
}

fn handler_kind(method: &v1::IncomingMethod) -> Result<&'static str, Invalid> {
    match v1::MethodType::try_from(method.r#type) {
        Ok(v1::MethodType::Rpc) => Ok("rpc"),
        Ok(v1::MethodType::Workflow) => Ok("workflow"),
        Ok(v1::MethodType::Job) => Ok("job"),
        Ok(v1::MethodType::Http) => Ok("http"),
        _ => Err(Invalid::Kind {
            kind: method.r#type,
            name: method.name.clone(),
        }),
    }
}

fn name(kind: &'static str, text: &str) -> Result<(), Invalid> {
    if text.is_empty() || text.len() > NAME_BYTES_MAX {
        return Err(Invalid::Name { kind });
    }
    Ok(())
}

fn pattern(text: &str) -> Result<(), Invalid> {
    let plain = |segment: &str| {
        let letter = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
        !segment.is_empty() && segment.bytes().all(letter)
    };
    let valid = text.len() <= NAME_BYTES_MAX
        && text
            .split('.')
            .all(|segment| segment == "*" || segment == "#" || plain(segment));
    if valid {
        Ok(())
    } else {
        Err(Invalid::Pattern(text.to_owned()))
    }
}

fn endpoint(field: &'static str, text: &str) -> Result<(), Invalid> {
    if text.is_empty() {
        return Ok(());
    }
    let port = text.rsplit_once(':').filter(|(host, _)| !host.is_empty());
    let port = port
        .and_then(|(_, port)| port.parse::<u16>().ok())
        .filter(|port| *port > 0);
    if port.is_some() && text.len() <= ENDPOINT_BYTES_MAX {
        return Ok(());
    }
    let value = text.chars().take(ENDPOINT_BYTES_MAX).collect();
    Err(Invalid::Endpoint { field, value })
}
