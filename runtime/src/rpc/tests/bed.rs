//! A proxy with everything it needs, and instances for it to call.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use contract::clock::{Clock, ManualClock};
use contract::grpc::v1;
use contract::grpc::v1::call_server::{Call, CallServer};
use contract::grpc::v1::invoke_server::Invoke as _;
use contract::headers::{REPLAYED, STORED};
use contract::ids::{IdMint, InstanceId, ServiceId};
use contract::tls::{ClientAuth, Leaf, Peer, server_config, service_uri};
use contract::transport::{Connection, Limits, Listener};
use parking_lot::Mutex;
use rcgen::{CertificateParams, KeyPair};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_stream::Stream;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Request, Response, Status};

use crate::db::testing::TestDb;
use crate::identity::{Authority, Presence};
use crate::outcomes::{self, Outcomes};
use crate::registry::{Registry, Watcher};
use crate::rpc::chunks::Chunks;
use crate::rpc::forward::{Answered, Forward};
use crate::rpc::{InvokeApi, Proxy, once};
use crate::settings::Settings;

/// What a call may take when a test names nothing else.
pub(super) const DEADLINE: Duration = Duration::from_secs(30);
const HASH: &str = "v2:aa";
/// Streams and calls that one connection to an instance carries.
pub(super) const PER_CONNECTION: u32 = 4;
/// How often, and at what rhythm, a test looks for what happens soon.
const LOOKS_MAX: u32 = 1_000;
const LOOK_EVERY: Duration = Duration::from_millis(10);

pub(super) struct World {
    pub(super) proxy: Proxy,
    pub(super) registry: Registry,
    pub(super) settings: Settings,
    pub(super) clock: Clock,
    pub(super) hand: ManualClock,
    pub(super) caller: ServiceId,
    pub(super) desk: ServiceId,
    authority: Authority,
    mint: IdMint,
    watchers: Mutex<Vec<Watcher>>,
}

impl World {
    pub(super) async fn new(t: &TestDb) -> Self {
        // Certificates are checked by the machine's time, so this is where the hand starts.
        let (clock, hand) = Clock::manual(Clock::system().now());
        let settings = Settings::open(&t.db, &t.clock, &t.mint).await;
        let settings = settings.expect("settings");
        let (caller, desk) = (ServiceId::mint(&t.mint), ServiceId::mint(&t.mint));
        let known = [(caller, "orders"), (desk, "desk")];
        let known = known.map(|(id, name)| (id, name.to_owned(), None));
        let presence = Presence::new(&clock);
        let registry = Registry::open(&t.db, &clock, &settings, &presence, known).await;
        let registry = registry.expect("registry");
        let outcomes = Outcomes::open(outcomes::Parts {
            db: t.db.clone(),
            clock: clock.clone(),
            settings: settings.clone(),
        });
        let outcomes = outcomes.await.expect("outcomes");
        let folder = tempfile::tempdir().expect("folder");
        let authority = Authority::in_folder(folder.path(), clock.now()).expect("an authority");
        let own = authority.issue_runtime(&[], clock.now(), Duration::from_secs(3_600));
        let own = own.expect("a certificate");
        let leaf = Leaf::default();
        leaf.replace(own.issued.cert_der, own.key_der)
            .expect("a leaf");
        let dials_as = (authority.ca_der(), &leaf);
        Self {
            proxy: Proxy::new(&clock, &registry, &outcomes, &settings, dials_as),
            registry,
            settings,
            clock,
            hand,
            caller,
            desk,
            authority,
            mint: t.mint.clone(),
            watchers: Mutex::default(),
        }
    }

    /// An instance that answers as `callee`, known by its own address.
    pub(super) async fn serve(&self, callee: &Callee) -> InstanceId {
        let instance = InstanceId::mint(&self.mint);
        let endpoint = self.listen(instance, callee).await;
        self.register(instance, endpoint).await;
        instance
    }

    /// The same behind a door that lets connections through once it is open.
    pub(super) async fn serve_behind_a_door(&self, callee: &Callee) -> (InstanceId, Door) {
        let instance = InstanceId::mint(&self.mint);
        let endpoint = self.listen(instance, callee).await;
        let (door, outside) = Door::before(endpoint).await;
        self.register(instance, outside).await;
        (instance, door)
    }

    async fn listen(&self, instance: InstanceId, callee: &Callee) -> String {
        let key = KeyPair::generate().expect("a key");
        let request = CertificateParams::default().serialize_request(&key);
        let request = request.expect("a request").der().to_vec();
        let (uri, life) = (service_uri(self.desk, instance), Duration::from_secs(3_600));
        let issued = self
            .authority
            .issue_leaf(&request, &uri, self.clock.now(), life);
        let leaf = Leaf::default();
        let cert_der = issued.expect("a certificate").cert_der;
        leaf.replace(cert_der, key.serialize_der()).expect("a leaf");
        let tls = server_config(self.authority.ca_der(), &leaf, ClientAuth::Required);
        let limits = Limits {
            connections_max: 16,
            handshake_timeout: Duration::from_secs(60),
            keepalive: Duration::from_secs(60),
            keepalive_timeout: Duration::from_secs(60),
            streams_max: PER_CONNECTION,
            drain: Duration::ZERO,
        };
        let (tls, clock) = (tls.expect("settings"), Clock::system());
        let listener = Listener::bind("127.0.0.1:0", tls, limits, clock).await;
        let listener = listener.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let routes = tonic::service::Routes::new(CallServer::new(callee.clone())).prepare();
        tokio::spawn(listener.serve(routes, std::future::pending()));
        address
    }

    async fn register(&self, instance: InstanceId, call_endpoint: String) {
        let rpc = |name: &str| v1::IncomingMethod {
            r#type: v1::MethodType::Rpc as i32,
            name: name.to_owned(),
            contract_hash: HASH.to_owned(),
            streaming: name == "Feed",
            ..Default::default()
        };
        let methods = ["Echo", "Repeat", "Wait", "Refuse", "Fail", "Feed"];
        let request = v1::RegisterRequest {
            incoming: methods.map(rpc).to_vec(),
            call_endpoint,
            ..Default::default()
        };
        let watcher = self.registry.register(self.desk, instance, request).await;
        self.watchers.lock().push(watcher.expect("registers"));
    }

    pub(super) fn request(&self, method: &str) -> v1::InvokeRequest {
        v1::InvokeRequest {
            target_service_id: self.desk.to_string(),
            method: method.to_owned(),
            payload: method.as_bytes().to_vec().into(),
            contract_hash: HASH.as_bytes().to_vec(),
            ..Default::default()
        }
    }

    pub(super) fn forward(&self, request: v1::InvokeRequest, timeout: Duration) -> Forward {
        Forward {
            caller: self.caller,
            request,
            traceparent: None,
            deadline: self.clock.monotonic() + timeout,
        }
    }

    pub(super) async fn call(&self, method: &str) -> Result<Answered, Status> {
        let forward = self.forward(self.request(method), DEADLINE);
        once::unary(&self.proxy, forward).await
    }

    pub(super) async fn stream(&self, method: &str) -> Result<Chunks, Status> {
        let forward = self.forward(self.request(method), DEADLINE);
        self.proxy.stream(forward).await
    }

    /// A call as it comes from the wire.
    pub(super) async fn invoke(
        &self,
        method: &str,
        metadata: &[(&'static str, &str)],
    ) -> Result<Response<v1::InvokeResponse>, Status> {
        let mut request = Request::new(self.request(method));
        for (name, value) in metadata {
            let value = value.parse().expect("plain text");
            request.metadata_mut().insert(*name, value);
        }
        let instance = InstanceId::mint(&self.mint);
        let service = self.caller;
        request.extensions_mut().insert(Connection {
            peer: Peer::Service { service, instance },
            certificate: None,
            remote: ([127, 0, 0, 1], 1).into(),
        });
        InvokeApi(self.proxy.clone()).unary(request).await
    }
}

/// An instance's handlers. Cheap to clone.
#[derive(Clone)]
pub(super) struct Callee(Arc<Inside>);

struct Inside {
    seen: Mutex<Vec<MetadataMap>>,
    gate: Semaphore,
}

impl Default for Callee {
    fn default() -> Self {
        Self(Arc::new(Inside {
            seen: Mutex::default(),
            gate: Semaphore::new(0),
        }))
    }
}

impl Callee {
    /// How many calls reached a handler.
    pub(super) fn calls(&self) -> usize {
        self.0.seen.lock().len()
    }

    /// The metadata of one of them.
    pub(super) fn seen(&self, at: usize) -> MetadataMap {
        self.0.seen.lock()[at].clone()
    }

    /// Lets `more` of those who wait go on.
    pub(super) fn open(&self, more: usize) {
        self.0.gate.add_permits(more);
    }

    async fn wait(&self) {
        self.0.gate.acquire().await.expect("a gate").forget();
    }
}

#[tonic::async_trait]
impl Call for Callee {
    async fn unary(
        &self,
        request: Request<v1::CallRequest>,
    ) -> Result<Response<v1::CallResponse>, Status> {
        self.0.seen.lock().push(request.metadata().clone());
        let request = request.into_inner();
        let mut response = Response::new(v1::CallResponse {
            payload: request.payload,
            ..Default::default()
        });
        match &*request.method {
            "Repeat" => {
                let one = MetadataValue::from_static("1");
                let later = MetadataValue::from_static("later");
                response.metadata_mut().insert(REPLAYED, one);
                response.metadata_mut().insert(STORED, later);
            }
            "Wait" => self.wait().await,
            // As an instance answers that keeps outcomes, when a repeat may succeed.
            "Fail" => {
                let not = MetadataValue::from_static("false");
                response.metadata_mut().insert(STORED, not);
                response.get_mut().error_code = "UNAVAILABLE".to_owned();
            }
            "Refuse" => return Err(Status::not_found("not here")),
            _ => {}
        }
        Ok(response)
    }

    type StreamStream = Pin<Box<dyn Stream<Item = Result<v1::StreamChunk, Status>> + Send>>;

    async fn stream(
        &self,
        _: Request<v1::CallRequest>,
    ) -> Result<Response<Self::StreamStream>, Status> {
        Ok(Response::new(Box::pin(tokio_stream::pending())))
    }
}

/// Stands before an instance, counts who comes, and lets nobody through until it is open.
pub(super) struct Door {
    came: Arc<AtomicUsize>,
    gate: Arc<Semaphore>,
}

impl Door {
    async fn before(endpoint: String) -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let outside = listener.local_addr().expect("an address").to_string();
        let door = Self {
            came: Arc::default(),
            gate: Arc::new(Semaphore::new(0)),
        };
        let (came, gate) = (door.came.clone(), door.gate.clone());
        tokio::spawn(async move {
            while let Ok((mut guest, _)) = listener.accept().await {
                came.fetch_add(1, Ordering::SeqCst);
                let (gate, endpoint) = (gate.clone(), endpoint.clone());
                tokio::spawn(async move {
                    let _pass = gate.acquire().await.expect("a gate");
                    let mut inside = TcpStream::connect(endpoint).await.expect("an instance");
                    copy_bidirectional(&mut guest, &mut inside).await
                });
            }
        });
        (door, outside)
    }

    pub(super) fn came(&self) -> usize {
        self.came.load(Ordering::SeqCst)
    }

    pub(super) fn open(&self) {
        self.gate.add_permits(Semaphore::MAX_PERMITS);
    }
}

/// Looks until something is so.
pub(super) async fn until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..LOOKS_MAX {
        if is_so() {
            return;
        }
        Clock::system().sleep(LOOK_EVERY).await;
    }
    panic!("not in time: {what}");
}
