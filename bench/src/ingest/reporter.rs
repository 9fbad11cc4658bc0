//! One registered instance with one report stream, as an SDK has it: batches of 256, at most 1,024
//! items that are not acknowledged.
//!
//! Invariant: its session lasts as long as it does. The operations of an instance that is not here
//! are given up, which is not what is measured.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use contract::clock::Clock;
use contract::grpc::v1::registry_client::RegistryClient;
use contract::grpc::v1::telemetry_batch::Kind;
use contract::grpc::v1::telemetry_client::TelemetryClient;
use contract::grpc::v1::{
    RegisterRequest, RegistryEvent, ServerControl, TelemetryAck, TelemetryBatch,
};
use contract::key::ServiceKey;
use contract::transport::Channel;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

use super::ops::Ops;
use crate::failure::{Context, Failure, Result};
use crate::guest::{ANSWER, Guest};
use crate::histogram::Histogram;

/// Items of a batch.
pub(super) const ITEMS: usize = 256;
/// Batches that may be on their way.
const WINDOW: u64 = 4;

/// Batches that are on their way, and since when.
type Sent = std::collections::VecDeque<(u64, Instant)>;

/// What all reporters of a run have in common.
#[derive(Debug)]
pub(super) struct Run {
    /// Items per second of one reporter; as fast as acknowledgements come when `None`.
    pub(super) pace: Option<f64>,
    /// Operations of one reporter that have begun and not ended: the time they take, at its rate.
    pub(super) running: usize,
    pub(super) ends: Instant,
    /// Acknowledged items of all.
    pub(super) acknowledged: AtomicU64,
    /// Greatest back-pressure level seen.
    pub(super) level: AtomicU64,
    /// Items that the runtime dropped.
    pub(super) dropped: AtomicU64,
}

/// A connected reporter.
pub(super) struct Reporter {
    pub(super) ops: Ops,
    batches: mpsc::Sender<TelemetryBatch>,
    acks: Streaming<TelemetryAck>,
    /// Held, never read: what the runtime says fits into the streams' windows.
    _session: (Streaming<ServerControl>, Streaming<RegistryEvent>),
    sequence: u64,
    acknowledged: u64,
    dropped: u64,
}

impl Reporter {
    /// Provisions an instance and opens its stream.
    pub(super) async fn join(address: Arc<str>, key: ServiceKey) -> Result<Self> {
        let Guest { channel, control } = Guest::join(&address, &key).await?;
        let session = (control, register(&channel).await?);
        let origin = channel.origin();
        let (batches, outgoing) = mpsc::channel(1);
        let acks = TelemetryClient::with_origin(channel, origin)
            .report(ReceiverStream::new(outgoing))
            .await
            .context("Telemetry.Report")?
            .into_inner();
        Ok(Self {
            ops: Ops::new(&Clock::system()),
            batches,
            acks,
            _session: session,
            sequence: 0,
            acknowledged: 0,
            dropped: 0,
        })
    }

    /// Reports until the run ends; returns how long acknowledgements took.
    pub(super) async fn report(mut self, run: Arc<Run>) -> Result<(Self, Histogram)> {
        let mut took = Histogram::new();
        let mut sent = Sent::new();
        let begun = Instant::now();
        let first = self.sequence;
        while Instant::now() < run.ends {
            if self.sequence - self.acknowledged >= WINDOW {
                self.acknowledge(&run, &mut sent, &mut took).await?;
                continue;
            }
            if let Some(pace) = run.pace {
                let due = (self.sequence - first) as f64 * ITEMS as f64 / pace;
                let early = (begun + Duration::from_secs_f64(due))
                    .saturating_duration_since(Instant::now());
                let waiting = self.acknowledged < self.sequence;
                if !early.is_zero() {
                    tokio::select! {
                        biased;
                        ack = self.acks.message(), if waiting => {
                            self.note(ack.context("an acknowledgement")?, &run, &mut sent, &mut took)?;
                        }
                        () = tokio::time::sleep(early) => {}
                    }
                    continue;
                }
            }
            self.sequence += 1;
            let batch = TelemetryBatch {
                kind: Some(Kind::Ops(self.ops.batch(ITEMS, run.running))),
                sequence: self.sequence,
            };
            sent.push_back((self.sequence, Instant::now()));
            let gone = |_| Failure::new("the report stream has ended");
            self.batches.send(batch).await.map_err(gone)?;
        }
        while self.acknowledged < self.sequence {
            self.acknowledge(&run, &mut sent, &mut took).await?;
        }
        Ok((self, took))
    }

    async fn acknowledge(
        &mut self,
        run: &Run,
        sent: &mut Sent,
        took: &mut Histogram,
    ) -> Result<()> {
        let ack = tokio::time::timeout(ANSWER, self.acks.message()).await;
        let ack = ack.context("an acknowledgement")?;
        self.note(ack.context("an acknowledgement")?, run, sent, took)
    }

    fn note(
        &mut self,
        ack: Option<TelemetryAck>,
        run: &Run,
        sent: &mut Sent,
        took: &mut Histogram,
    ) -> Result<()> {
        let ack = ack.ok_or_else(|| Failure::new("the runtime ended the stream"))?;
        let batches = ack.acknowledged_sequence - self.acknowledged;
        self.acknowledged = ack.acknowledged_sequence;
        while sent.front().is_some_and(|it| it.0 <= self.acknowledged) {
            if let Some((_, at)) = sent.pop_front() {
                took.record(at.elapsed());
            }
        }
        run.acknowledged
            .fetch_add(batches * ITEMS as u64, Ordering::Relaxed);
        run.level
            .fetch_max(u64::from(ack.backpressure_level), Ordering::Relaxed);
        let dropped = ack.drop_count_server_side - self.dropped;
        self.dropped = ack.drop_count_server_side;
        run.dropped.fetch_add(dropped, Ordering::Relaxed);
        Ok(())
    }
}

async fn register(channel: &Channel) -> Result<Streaming<RegistryEvent>> {
    let registration = RegisterRequest {
        protocol_version: 1,
        sdk_language: "rust".to_owned(),
        sdk_version: env!("CARGO_PKG_VERSION").to_owned(),
        ..RegisterRequest::default()
    };
    let mut registry = RegistryClient::with_origin(channel.clone(), channel.origin());
    let watching = registry.register_and_watch(registration).await;
    Ok(watching.context("RegisterAndWatch")?.into_inner())
}
