//! A runtime small enough for a unit test: real sockets and certificates, no storage, no policy.
//!
//! It answers every registration with a snapshot of everything to everybody, remembers the
//! telemetry it is sent, and answers `Invoke` itself.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use bridge_tower::idempotency::Memory;
use contract::clock::Clock;
use contract::grpc::bridge::outcomes_server::OutcomesServer;
use contract::grpc::v1::bootstrap_server::{Bootstrap, BootstrapServer};
use contract::grpc::v1::control_server::{Control, ControlServer};
use contract::grpc::v1::invoke_server::{Invoke, InvokeServer};
use contract::grpc::v1::registry_event::Kind;
use contract::grpc::v1::registry_server::{Registry, RegistryServer};
use contract::grpc::v1::telemetry_server::{Telemetry, TelemetryServer};
use contract::grpc::v1::{
    CaptureModes, GetOperationRequest, GetOperationResponse, GetPayloadRequest, GetPayloadResponse,
    GetTraceRequest, GetTraceResponse, InvokeChunk, InvokeRequest, InvokeResponse,
    ListTracesRequest, ListTracesResponse, Log, MethodDescriptor, MetricPoint, OpReport,
    OpenRequest, PayloadAttachment, PolicyEvaluation, ProvisionRequest, ProvisionResponse,
    QueryLogsRequest, QueryLogsResponse, QueryMetricsRequest, QueryMetricsResponse,
    RefreshCertRequest, RefreshCertResponse, RegisterRequest, RegistryEvent, RegistrySnapshot,
    ServerControl, ServiceInstanceInfo, TelemetryAck, TelemetryBatch, Welcome, server_control,
    telemetry_batch,
};
use contract::ids::{IdMint, InstanceId, ServiceId};
use contract::key::{Secret, ServiceKey};
use contract::tls::{ClientAuth, Leaf, Peer, RUNTIME_URI, server_config, service_uri};
use contract::transport::{Connection, Limits, Listener};
use parking_lot::Mutex;
use rcgen::{CertificateParams, CertificateSigningRequestParams, Issuer, KeyPair, SanType};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_stream::wrappers::{ReceiverStream, WatchStream};
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[derive(Clone)]
pub(super) struct Mesh(Arc<Inner>);

struct Inner {
    ca_der: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
    mint: IdMint,
    clock: Clock,
    /// Reported lifetime of leaves.
    lifetime: Duration,
    services: Mutex<BTreeMap<String, ServiceId>>,
    registered: watch::Sender<BTreeMap<InstanceId, (ServiceId, RegisterRequest)>>,
    reported: Mutex<Vec<TelemetryBatch>>,
    /// Telemetry is received, and never acknowledged.
    is_frozen: AtomicBool,
    modes: Mutex<CaptureModes>,
    refreshed: AtomicU32,
    invoked: Mutex<Vec<InvokeRequest>>,
    /// Kept for services, once it keeps any.
    outcomes: Mutex<Option<Memory>>,
    kicks: watch::Sender<u32>,
    server: Mutex<Option<JoinHandle<()>>>,
    address: Mutex<String>,
}

impl Mesh {
    pub(super) async fn start(lifetime: Duration) -> Self {
        let clock = Clock::system();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let ca_der = params.self_signed(&key).unwrap().der().to_vec();
        let mesh = Self(Arc::new(Inner {
            ca_der,
            issuer: Issuer::new(params, key),
            mint: IdMint::system(&clock),
            clock,
            lifetime,
            services: Mutex::default(),
            registered: watch::Sender::default(),
            reported: Mutex::default(),
            is_frozen: AtomicBool::new(false),
            modes: Mutex::new(CaptureModes {
                telemetry_enabled: true,
                payload_max_bytes: 65_536,
                ..CaptureModes::default()
            }),
            refreshed: AtomicU32::new(0),
            invoked: Mutex::default(),
            outcomes: Mutex::default(),
            kicks: watch::Sender::default(),
            server: Mutex::default(),
            address: Mutex::new("127.0.0.1:0".into()),
        }));
        mesh.serve().await;
        mesh
    }

    /// Serves at the same address as before, if there was one.
    pub(super) async fn serve(&self) {
        let inner = &self.0;
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.subject_alt_names = vec![SanType::URI(RUNTIME_URI.try_into().unwrap())];
        let certificate = params.signed_by(&key, &inner.issuer).unwrap();
        let leaf = Leaf::default();
        leaf.replace(certificate.der().to_vec(), key.serialize_der())
            .unwrap();
        let tls = server_config(&inner.ca_der, &leaf, ClientAuth::Optional).unwrap();
        let limits = Limits {
            connections_max: 64,
            handshake_timeout: Duration::from_secs(5),
            keepalive: Duration::from_secs(30),
            keepalive_timeout: Duration::from_secs(10),
            streams_max: 1_000,
            drain: Duration::ZERO,
        };
        let address = inner.address.lock().clone();
        let listener = Listener::bind(&address, tls, limits, inner.clock.clone())
            .await
            .unwrap();
        *inner.address.lock() = listener.local_addr().unwrap().to_string();
        let mut routes = tonic::service::Routes::new(BootstrapServer::new(self.clone()));
        routes = routes.add_service(ControlServer::new(self.clone()));
        routes = routes.add_service(RegistryServer::new(self.clone()));
        routes = routes.add_service(TelemetryServer::new(self.clone()));
        routes = routes.add_service(InvokeServer::new(self.clone()));
        routes = routes.add_service(OutcomesServer::new(self.clone()));
        let serving = listener.serve(routes.prepare(), std::future::pending());
        *inner.server.lock() = Some(tokio::spawn(serving));
    }

    /// Stops listening and forgets who was there, as a killed runtime would. Connections end as
    /// their streams do.
    pub(super) fn kill(&self) {
        if let Some(server) = self.0.server.lock().take() {
            server.abort();
        }
        // Nobody is told: a dead runtime sends no frames.
        self.0.registered.send_if_modified(|all| {
            all.clear();
            false
        });
    }

    /// Serves `bridge.v1.Outcomes` from now on.
    pub(super) fn keep_outcomes(&self, memory: &Memory) {
        *self.0.outcomes.lock() = Some(memory.clone());
    }

    /// What it keeps outcomes in.
    pub(super) fn outcomes(&self) -> Result<Memory, Status> {
        let outcomes = self.0.outcomes.lock().clone();
        outcomes.ok_or_else(|| Status::unimplemented("an older runtime"))
    }

    /// Ends every session as if its service had been revoked.
    pub(super) fn kick(&self) {
        self.0.kicks.send_modify(|kicks| *kicks += 1);
    }

    pub(super) fn address(&self) -> String {
        self.0.address.lock().clone()
    }

    /// A key of `service`.
    pub(super) fn key(&self, service: &str) -> String {
        let key = ServiceKey {
            key_id: service.as_bytes().to_vec(),
            secret: Secret::new(vec![1; 32]),
            ca_cert_der: self.0.ca_der.clone(),
        };
        key.to_text()
    }

    /// Everything that was reported, in the order it arrived.
    pub(super) fn reported(&self) -> Vec<TelemetryBatch> {
        self.0.reported.lock().clone()
    }

    pub(super) fn operations(&self) -> Vec<OpReport> {
        let ops = |batch: TelemetryBatch| match batch.kind {
            Some(telemetry_batch::Kind::Ops(ops)) => ops.items,
            _ => Vec::new(),
        };
        self.reported().into_iter().flat_map(ops).collect()
    }

    pub(super) fn logs(&self) -> Vec<Log> {
        let logs = |batch: TelemetryBatch| match batch.kind {
            Some(telemetry_batch::Kind::Logs(logs)) => logs.items,
            _ => Vec::new(),
        };
        self.reported().into_iter().flat_map(logs).collect()
    }

    pub(super) fn points(&self) -> Vec<MetricPoint> {
        let points = |batch: TelemetryBatch| match batch.kind {
            Some(telemetry_batch::Kind::Metrics(points)) => points.items,
            _ => Vec::new(),
        };
        self.reported().into_iter().flat_map(points).collect()
    }

    pub(super) fn payloads(&self) -> Vec<PayloadAttachment> {
        let payloads = |batch: TelemetryBatch| match batch.kind {
            Some(telemetry_batch::Kind::Payloads(payloads)) => payloads.items,
            _ => Vec::new(),
        };
        self.reported().into_iter().flat_map(payloads).collect()
    }

    /// From now on telemetry is received without an answer, or with one again.
    pub(super) fn freeze(&self, is_frozen: bool) {
        self.0.is_frozen.store(is_frozen, Ordering::Relaxed);
    }

    /// Changes what the runtime wants, and tells everybody.
    pub(super) fn want(&self, change: impl FnOnce(&mut CaptureModes)) {
        change(&mut self.0.modes.lock());
        self.0.registered.send_modify(|_| {});
    }

    pub(super) fn invoked(&self) -> Vec<InvokeRequest> {
        self.0.invoked.lock().clone()
    }

    pub(super) fn refreshed(&self) -> u32 {
        self.0.refreshed.load(Ordering::Relaxed)
    }

    /// Changes what an instance registered, as if it had said so itself.
    pub(super) fn rewrite(&self, mut change: impl FnMut(&mut RegisterRequest)) {
        self.0
            .registered
            .send_modify(|all| all.values_mut().for_each(|(_, it)| change(it)));
    }

    pub(super) fn registrations(&self) -> Vec<RegisterRequest> {
        self.0
            .registered
            .borrow()
            .values()
            .map(|(_, it)| it.clone())
            .collect()
    }

    fn leaf(&self, csr_der: Vec<u8>, service: ServiceId, instance: InstanceId) -> Vec<u8> {
        let mut csr = CertificateSigningRequestParams::from_der(&csr_der.into()).unwrap();
        let uri = service_uri(service, instance);
        csr.params.subject_alt_names = vec![SanType::URI(uri.try_into().unwrap())];
        csr.signed_by(&self.0.issuer).unwrap().der().to_vec()
    }

    fn expires(&self) -> i64 {
        (self.0.clock.now() + self.0.lifetime).as_millis()
    }

    fn name_of(&self, service: ServiceId) -> String {
        let services = self.0.services.lock();
        let found = services.iter().find(|(_, id)| **id == service);
        found.map(|(name, _)| name.clone()).unwrap_or_default()
    }

    fn snapshot(&self, all: &BTreeMap<InstanceId, (ServiceId, RegisterRequest)>) -> RegistryEvent {
        let mut snapshot = RegistrySnapshot {
            policy: Some(PolicyEvaluation::default()),
            capture_modes: Some(*self.0.modes.lock()),
            ..RegistrySnapshot::default()
        };
        for (instance, (service, request)) in all {
            let service_name = self.name_of(*service);
            snapshot.instances.push(ServiceInstanceInfo {
                instance_id: instance.to_string(),
                service_id: service.to_string(),
                service_name: service_name.clone(),
                call_endpoint: request.call_endpoint.clone(),
                ..ServiceInstanceInfo::default()
            });
            snapshot
                .methods
                .extend(request.incoming.iter().map(|method| MethodDescriptor {
                    service_name: service_name.clone(),
                    service_id: service.to_string(),
                    instance_id: instance.to_string(),
                    r#type: method.r#type,
                    name: method.name.clone(),
                    contract_hash: method.contract_hash.clone(),
                    ..MethodDescriptor::default()
                }));
        }
        RegistryEvent {
            kind: Some(Kind::Snapshot(snapshot)),
        }
    }
}

fn peer<T>(request: &Request<T>) -> Result<(ServiceId, InstanceId), Status> {
    match request.extensions().get::<Connection>().map(|it| it.peer) {
        Some(Peer::Service { service, instance }) => Ok((service, instance)),
        _ => Err(Status::unauthenticated("no client certificate")),
    }
}

#[tonic::async_trait]
impl Bootstrap for Mesh {
    async fn provision(
        &self,
        request: Request<ProvisionRequest>,
    ) -> Result<Response<ProvisionResponse>, Status> {
        let request = request.into_inner();
        let name = String::from_utf8(request.key_id).unwrap();
        if name == "revoked" {
            return Err(Status::unauthenticated("the key was revoked"));
        }
        let mint = &self.0.mint;
        let service = *self
            .0
            .services
            .lock()
            .entry(name.clone())
            .or_insert_with(|| ServiceId::mint(mint));
        let instance = InstanceId::mint(mint);
        Ok(Response::new(ProvisionResponse {
            cert_der: self.leaf(request.csr_der, service, instance),
            ca_chain_der: self.0.ca_der.clone(),
            service_id: service.to_string(),
            service_name: name,
            instance_id: instance.to_string(),
            not_after_unix_ms: self.expires(),
        }))
    }
}

#[tonic::async_trait]
impl Control for Mesh {
    type OpenStream = Answers<ServerControl>;

    async fn open(
        &self,
        request: Request<OpenRequest>,
    ) -> Result<Response<Self::OpenStream>, Status> {
        let (service, _) = peer(&request)?;
        let welcome = Welcome {
            session_id: self.0.mint.v7().to_string(),
            service_id: service.to_string(),
            service_name: self.name_of(service),
            runtime_version: "test".into(),
            protocol_version: 1,
        };
        let first = ServerControl {
            kind: Some(server_control::Kind::Welcome(welcome)),
        };
        let stream = tokio_stream::once(Ok(first)).chain(
            WatchStream::from_changes(self.0.kicks.subscribe())
                .map(|_| Err(Status::permission_denied("the service was revoked"))),
        );
        Ok(Response::new(Box::pin(stream)))
    }

    async fn refresh_cert(
        &self,
        request: Request<RefreshCertRequest>,
    ) -> Result<Response<RefreshCertResponse>, Status> {
        let (service, instance) = peer(&request)?;
        self.0.refreshed.fetch_add(1, Ordering::Relaxed);
        Ok(Response::new(RefreshCertResponse {
            cert_der: self.leaf(request.into_inner().csr_der, service, instance),
            ca_chain_der: self.0.ca_der.clone(),
            not_after_unix_ms: self.expires(),
            instance_id: instance.to_string(),
        }))
    }
}

#[tonic::async_trait]
impl Registry for Mesh {
    type RegisterAndWatchStream = Answers<RegistryEvent>;

    async fn register_and_watch(
        &self,
        request: Request<RegisterRequest>,
    ) -> Result<Response<Self::RegisterAndWatchStream>, Status> {
        let (service, instance) = peer(&request)?;
        let declared = (service, request.into_inner());
        self.0.registered.send_modify(|all| {
            all.insert(instance, declared);
        });
        let mesh = self.clone();
        let frames = WatchStream::new(self.0.registered.subscribe());
        Ok(Response::new(Box::pin(
            frames.map(move |all| Ok(mesh.snapshot(&all))),
        )))
    }
}

#[tonic::async_trait]
impl Invoke for Mesh {
    async fn unary(
        &self,
        request: Request<InvokeRequest>,
    ) -> Result<Response<InvokeResponse>, Status> {
        let request = request.into_inner();
        let payload = request.payload.clone();
        self.0.invoked.lock().push(request);
        Ok(Response::new(InvokeResponse {
            payload,
            ..InvokeResponse::default()
        }))
    }

    type StreamStream = Answers<InvokeChunk>;

    async fn stream(
        &self,
        request: Request<InvokeRequest>,
    ) -> Result<Response<Self::StreamStream>, Status> {
        let request = request.into_inner();
        let payload = request.payload.clone();
        self.0.invoked.lock().push(request);
        let chunks = [payload.clone(), payload].map(|payload| {
            Ok(InvokeChunk {
                payload,
                ..InvokeChunk::default()
            })
        });
        Ok(Response::new(Box::pin(tokio_stream::iter(chunks))))
    }
}

macro_rules! unimplemented_queries {
    ($($name:ident($request:ty) -> $response:ty;)*) => {
        #[tonic::async_trait]
        impl Telemetry for Mesh {
            type ReportStream = Answers<TelemetryAck>;

            async fn report(
                &self,
                request: Request<Streaming<TelemetryBatch>>,
            ) -> Result<Response<Self::ReportStream>, Status> {
                let mut batches = request.into_inner();
                let (acks, receiver) = mpsc::channel(8);
                let mesh = self.clone();
                tokio::spawn(async move {
                    while let Ok(Some(batch)) = batches.message().await {
                        let acknowledged_sequence = batch.sequence;
                        mesh.0.reported.lock().push(batch);
                        if mesh.0.is_frozen.load(Ordering::Relaxed) {
                            continue;
                        }
                        let ack = TelemetryAck { acknowledged_sequence, ..TelemetryAck::default() };
                        if acks.send(Ok(ack)).await.is_err() {
                            return;
                        }
                    }
                });
                Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
            }

            $(async fn $name(&self, _: Request<$request>) -> Result<Response<$response>, Status> {
                Err(Status::unimplemented(""))
            })*
        }
    };
}

unimplemented_queries! {
    list_traces(ListTracesRequest) -> ListTracesResponse;
    get_trace(GetTraceRequest) -> GetTraceResponse;
    get_operation(GetOperationRequest) -> GetOperationResponse;
    get_payload(GetPayloadRequest) -> GetPayloadResponse;
    query_logs(QueryLogsRequest) -> QueryLogsResponse;
    query_metrics(QueryMetricsRequest) -> QueryMetricsResponse;
}
