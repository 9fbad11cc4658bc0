//! One instance as the runtime sees it: a certificate, a session, a registration, a report stream.
//!
//! Raw gRPC over our own transport, no SDK: hundreds of them fit into one process. It comes back when
//! its session breaks, with the certificate it has.
//! Refuses to keep more than [`ITEMS_MAX`] items; what comes on top is dropped and counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use contract::clock::Clock;
use contract::grpc::v1::bootstrap_client::BootstrapClient;
use contract::grpc::v1::control_client::ControlClient;
use contract::grpc::v1::registry_client::RegistryClient;
use contract::grpc::v1::telemetry_client::TelemetryClient;
use contract::grpc::v1::{
    OpenRequest, ProvisionRequest, RegisterRequest, RegistryEvent, ServerControl, TelemetryAck,
    TelemetryBatch,
};
use contract::key::ServiceKey;
use contract::tls::{Leaf, Peer, client_config};
use contract::transport::{Channel, Dial};
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

use crate::report::{Item, batches};

/// Items that wait in one instance.
const ITEMS_MAX: usize = 8_192;
/// Items of a batch, and batches that may be on their way, as SDKs have them.
const BATCH_ITEMS_MAX: usize = 256;
const WINDOW: u64 = 4;
/// Rhythm of the report stream.
const FLUSH_EVERY: Duration = Duration::from_millis(250);
/// Longest wait for any one answer of the runtime.
const ANSWER: Duration = Duration::from_secs(60);
/// How long a restless instance stays before it goes for a moment.
const RESTLESS_AFTER: Duration = Duration::from_secs(15);
/// Pause before an instance comes back.
const RETURN_AFTER: Duration = Duration::from_secs(1);

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What all instances have in common.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) acknowledged: AtomicU64,
    pub(crate) dropped: AtomicU64,
    pub(crate) returned: AtomicU64,
}

/// An instance with a certificate.
pub(crate) struct Member {
    address: Arc<str>,
    ca_der: Vec<u8>,
    leaf: Leaf,
    clock: Clock,
    pub(crate) instance: String,
}

/// Where the items of an instance go.
#[derive(Clone, Debug)]
pub(crate) struct Outbox {
    items: mpsc::Sender<Item>,
    counts: Arc<Counts>,
}

impl Outbox {
    /// Never waits.
    pub(crate) fn put(&self, item: Item) {
        if self.items.try_send(item).is_err() {
            self.counts.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Member {
    pub(crate) async fn provision(address: Arc<str>, key: &ServiceKey) -> Result<Self, Failure> {
        let clock = Clock::system();
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let csr = CertificateParams::default().serialize_request(&pair)?;
        let tls = client_config(&key.ca_cert_der, None, Peer::Runtime)?;
        let channel = Dial::new(&*address, tls)
            .timeout(ANSWER)
            .connect(&clock)
            .await?;
        let origin = channel.origin();
        let request = ProvisionRequest {
            key_id: key.key_id.clone(),
            secret: key.secret.expose().to_vec(),
            csr_der: csr.der().to_vec(),
        };
        let answer = BootstrapClient::with_origin(channel, origin)
            .provision(request)
            .await?
            .into_inner();
        let leaf = Leaf::default();
        leaf.replace(answer.cert_der, pair.serialize_der())?;
        Ok(Self {
            address,
            ca_der: key.ca_cert_der.clone(),
            leaf,
            clock,
            instance: answer.instance_id,
        })
    }

    /// A connection to the runtime under this name.
    pub(crate) async fn connect(&self) -> Result<Channel, Failure> {
        let tls = client_config(&self.ca_der, Some(&self.leaf), Peer::Runtime)?;
        let dial = Dial::new(&*self.address, tls).timeout(ANSWER);
        Ok(dial.connect(&self.clock).await?)
    }

    /// Registers, reports, and comes back for ever; a restless one also goes again and again. The
    /// first registration is awaited.
    pub(crate) async fn serve(
        self: Arc<Self>,
        request: RegisterRequest,
        restless: bool,
        counts: Arc<Counts>,
    ) -> Result<Outbox, Failure> {
        let (sender, mut items) = mpsc::channel(ITEMS_MAX);
        let outbox = Outbox {
            items: sender,
            counts: counts.clone(),
        };
        let mut session = Session::open(&self, request.clone()).await?;
        tokio::spawn(async move {
            loop {
                let stays = session.run(&mut items, &counts, &self.clock);
                let ended = if restless {
                    self.clock.timeout(RESTLESS_AFTER, stays).await
                } else {
                    Ok(stays.await)
                };
                if matches!(ended, Ok(Ok(()))) {
                    return;
                }
                // Before the pause, so that the runtime sees it go.
                drop(session);
                loop {
                    self.clock.sleep(RETURN_AFTER).await;
                    if let Ok(next) = Session::open(&self, request.clone()).await {
                        session = next;
                        counts.returned.fetch_add(1, Ordering::Relaxed);
                        break;
                    }
                }
            }
        });
        Ok(outbox)
    }
}

/// One connection's streams.
struct Session {
    control: Streaming<ServerControl>,
    registry: Streaming<RegistryEvent>,
    acks: Streaming<TelemetryAck>,
    batches: mpsc::Sender<TelemetryBatch>,
    sent: u64,
    acknowledged: u64,
}

impl Session {
    async fn open(member: &Member, request: RegisterRequest) -> Result<Self, Failure> {
        let channel = member.connect().await?;
        let open = OpenRequest {
            protocol_version: 1,
            sdk_language: request.sdk_language.clone(),
            sdk_version: request.sdk_version.clone(),
        };
        let mut control = ControlClient::with_origin(channel.clone(), channel.origin())
            .open(open)
            .await?
            .into_inner();
        let welcome = member.clock.timeout(ANSWER, control.message()).await;
        welcome.map_err(|_| "no Welcome")??;
        let registry = RegistryClient::with_origin(channel.clone(), channel.origin())
            .register_and_watch(request)
            .await?
            .into_inner();
        let (batches, outgoing) = mpsc::channel(1);
        let origin = channel.origin();
        let acks = TelemetryClient::with_origin(channel, origin)
            .report(ReceiverStream::new(outgoing))
            .await?
            .into_inner();
        Ok(Self {
            control,
            registry,
            acks,
            batches,
            sent: 0,
            acknowledged: 0,
        })
    }

    /// Reports until the session breaks; fine when nobody has items any more.
    async fn run(
        &mut self,
        items: &mut mpsc::Receiver<Item>,
        counts: &Counts,
        clock: &Clock,
    ) -> Result<(), Failure> {
        let mut beat = clock.interval(FLUSH_EVERY);
        loop {
            tokio::select! {
                ack = self.acks.message() => self.note(ack?, counts)?,
                // Read, so that the streams' windows stay open; the world has a plan, not a view.
                event = self.registry.message() => { event?.ok_or("the registry stream ended")?; }
                word = self.control.message() => { word?.ok_or("the session ended")?; }
                () = beat.tick() => {
                    if items.is_closed() && items.is_empty() {
                        return Ok(());
                    }
                    self.flush(items, counts).await?;
                }
            }
        }
    }

    async fn flush(
        &mut self,
        items: &mut mpsc::Receiver<Item>,
        counts: &Counts,
    ) -> Result<(), Failure> {
        let mut ready = Vec::new();
        while let Ok(item) = items.try_recv() {
            ready.push(item);
        }
        for kind in batches(ready, BATCH_ITEMS_MAX) {
            while self.sent - self.acknowledged >= WINDOW {
                let ack = self.acks.message().await?;
                self.note(ack, counts)?;
            }
            self.sent += 1;
            let batch = TelemetryBatch {
                kind: Some(kind),
                sequence: self.sent,
            };
            self.batches.send(batch).await?;
        }
        Ok(())
    }

    fn note(&mut self, ack: Option<TelemetryAck>, counts: &Counts) -> Result<(), Failure> {
        let ack = ack.ok_or("the report stream ended")?;
        let batches = ack.acknowledged_sequence.saturating_sub(self.acknowledged);
        self.acknowledged += batches;
        counts.acknowledged.fetch_add(batches, Ordering::Relaxed);
        Ok(())
    }
}
