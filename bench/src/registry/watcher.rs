//! One instance as the runtime sees it: a certificate, a session, a registration, and a view.
//!
//! Raw gRPC over our own transport, no SDK: thousands of them fit into one process.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use contract::grpc::v1::registry_client::RegistryClient;
use contract::grpc::v1::registry_event::Kind;
use contract::grpc::v1::{
    IncomingMethod, MethodType, OutgoingDep, RegisterRequest, RegistryEvent, ServerControl,
};
use contract::key::ServiceKey;
use contract::transport::Channel;
use tokio::sync::watch;
use tonic::Streaming;

use super::runtime::name;
use crate::failure::{Context, Failure, Result};
use crate::guest::Guest;

/// Services each one depends on.
pub(super) const DEPENDENCIES: usize = 10;
/// Methods each one serves, and calls of each dependency it declares: one.
const METHOD: &str = "Handle";
const SCHEMA: &[u8] = br#"{"nested":{"Request":{"fields":{"id":{"type":"string","id":1},"payload":{"type":"bytes","id":2}}}}}"#;
const HASH: &str = "v2:acdf1e8435f4a6ab1f76cd5ed7df02af22ec2d85220db2b73293d507a61e364a";

/// An instance with a session that has not registered yet.
#[derive(Debug)]
pub(super) struct Joined {
    service: usize,
    services: usize,
    channel: Channel,
    control: Streaming<ServerControl>,
}

/// How many instances one watcher sees.
pub(super) type Seen = watch::Receiver<usize>;

/// A registered instance; its streams live as long as this.
#[derive(Debug)]
pub(super) struct Watching {
    pub(super) seen: Seen,
    reading: tokio::task::JoinHandle<()>,
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

/// Joins as an instance of the service `service` of `services`.
pub(super) async fn join(
    address: Arc<str>,
    key: Arc<ServiceKey>,
    (service, services): (usize, usize),
) -> Result<Joined> {
    let Guest { channel, control } = Guest::join(&address, &key).await?;
    Ok(Joined {
        service,
        services,
        channel,
        control,
    })
}

impl Joined {
    /// Registers; from then on counts what it sees.
    pub(super) async fn register(self) -> Result<Watching> {
        let Self {
            service,
            services,
            channel,
            control,
        } = self;
        let origin = channel.origin();
        let mut client = RegistryClient::with_origin(channel, origin);
        let events = client
            .register_and_watch(registration(service, services))
            .await
            .context("RegisterAndWatch")?
            .into_inner();
        let (sender, seen) = watch::channel(0);
        let reading = tokio::spawn(async move {
            // The session ends with its stream, so that has to be kept.
            let _session = control;
            read(events, sender).await;
        });
        Ok(Watching { seen, reading })
    }
}

async fn read(mut events: Streaming<RegistryEvent>, sender: watch::Sender<usize>) {
    let mut instances = HashSet::new();
    while let Ok(Some(event)) = events.message().await {
        let (added, removed) = match event.kind {
            Some(Kind::Snapshot(snapshot)) => {
                instances.clear();
                (snapshot.instances, Vec::new())
            }
            Some(Kind::Update(update)) => (update.added_instances, update.removed_instances),
            None => continue,
        };
        for instance in removed {
            instances.remove(&instance.instance_id);
        }
        instances.extend(added.into_iter().map(|it| it.instance_id));
        sender.send_replace(instances.len());
    }
}

/// Waits until a watcher sees `count` instances, at most for `wait`.
pub(super) async fn sees(mut seen: Seen, count: usize, wait: Duration) -> Result<()> {
    let waited = tokio::time::timeout(wait, seen.wait_for(|&now| now >= count))
        .await
        .map(|found| found.is_ok());
    match waited {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::new("a watcher's stream ended")),
        Err(_) => {
            let now = *seen.borrow();
            Err(Failure::new(format!(
                "a watcher saw {now} of {count} instances after {wait:?}"
            )))
        }
    }
}

fn registration(service: usize, services: usize) -> RegisterRequest {
    let depends = |step: usize| OutgoingDep {
        service_name: name((service + step) % services),
        method_name: METHOD.to_owned(),
        r#type: MethodType::Rpc as i32,
    };
    RegisterRequest {
        incoming: vec![IncomingMethod {
            r#type: MethodType::Rpc as i32,
            name: METHOD.to_owned(),
            input_schema_json: SCHEMA.to_vec(),
            output_schema_json: SCHEMA.to_vec(),
            contract_hash: HASH.to_owned(),
            ..IncomingMethod::default()
        }],
        outgoing: (1..=DEPENDENCIES).map(depends).collect(),
        // Nobody calls it; an endpoint makes it a candidate for everybody's routing.
        call_endpoint: format!("127.0.0.1:{}", 10_000 + service),
        protocol_version: 1,
        sdk_language: "rust".to_owned(),
        sdk_version: env!("CARGO_PKG_VERSION").to_owned(),
        ..RegisterRequest::default()
    }
}
