//! The report stream: batches out, acknowledgements in, the rest again after a break.
//!
//! A batch goes out every 250 ms and after every acknowledgement, so a busy process is limited
//! by the runtime's pace and a quiet one costs nothing.

use std::collections::VecDeque;
use std::time::Duration;

use contract::grpc::v1::telemetry_batch::Kind;
use contract::grpc::v1::telemetry_client::TelemetryClient;
use contract::grpc::v1::{OpBatch, TelemetryAck, TelemetryBatch};
use contract::transport::Channel;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use super::Telemetry;
use super::op::Record;
use super::ring::Position;

const FLUSH_EVERY: Duration = Duration::from_millis(250);
const BATCH_ITEMS_MAX: usize = 256;
const IN_FLIGHT_ITEMS_MAX: usize = 1_024;

/// Why a report stream is over.
#[derive(Debug)]
pub(crate) enum ReportEnd {
    /// It broke, or the runtime refused it.
    Lost(Status),
    /// The runtime asked to come back later.
    Drained,
}

/// Reports over `channel` until the stream ends. `on_ack` is called for every acknowledgement.
pub(crate) async fn report(
    telemetry: &Telemetry,
    channel: Channel,
    mut on_ack: impl FnMut(),
) -> ReportEnd {
    telemetry.0.ring.lock().rewind();
    let (sender, receiver) = mpsc::channel(IN_FLIGHT_ITEMS_MAX / BATCH_ITEMS_MAX);
    let origin = channel.origin();
    let mut client = TelemetryClient::with_origin(channel, origin);
    let mut stream = Stream {
        telemetry,
        sender,
        sequence: 0,
        sent: VecDeque::new(),
    };
    let mut beat = telemetry.0.clock.interval(FLUSH_EVERY);
    // A runtime may answer only after the first batch, so batches go out while it has not.
    let mut opening = std::pin::pin!(client.report(ReceiverStream::new(receiver)));
    let mut acks = loop {
        tokio::select! {
            opened = &mut opening => match opened {
                Ok(response) => break response.into_inner(),
                Err(status) => return ReportEnd::Lost(status),
            },
            () = beat.tick() => {}
            () = telemetry.0.flush.notified() => {}
        }
        stream.send();
    };
    loop {
        tokio::select! {
            () = beat.tick() => {}
            () = telemetry.0.flush.notified() => {}
            ack = next(&mut acks) => match ack {
                Ok(ack) if !ack.drain_reason.is_empty() => return ReportEnd::Drained,
                Ok(ack) => { stream.acknowledge(&ack); on_ack(); }
                Err(status) => return ReportEnd::Lost(status),
            },
        }
        stream.send();
    }
}

async fn next(acks: &mut Streaming<TelemetryAck>) -> Result<TelemetryAck, Status> {
    acks.message()
        .await?
        .ok_or_else(|| Status::unavailable("the report stream ended"))
}

struct Stream<'t> {
    telemetry: &'t Telemetry,
    sender: mpsc::Sender<TelemetryBatch>,
    sequence: u64,
    /// Batches under way: sequence and the position behind their last item.
    sent: VecDeque<(u64, Position)>,
}

impl Stream<'_> {
    /// Sends what there is room for; the rest waits for an acknowledgement.
    fn send(&mut self) {
        while let Ok(permit) = self.sender.try_reserve() {
            let (records, upto) = {
                let mut ring = self.telemetry.0.ring.lock();
                let room = IN_FLIGHT_ITEMS_MAX.saturating_sub(ring.in_flight());
                ring.take(room.min(BATCH_ITEMS_MAX))
            };
            if records.is_empty() {
                return;
            }
            self.sequence += 1;
            self.sent.push_back((self.sequence, upto));
            let items = records.iter().map(Record::to_report).collect();
            permit.send(TelemetryBatch {
                sequence: self.sequence,
                kind: Some(Kind::Ops(OpBatch { items })),
            });
        }
    }

    fn acknowledge(&mut self, ack: &TelemetryAck) {
        // Nothing beyond what was sent can have been received: such an answer is not ours.
        if ack.acknowledged_sequence > self.sequence {
            return;
        }
        while let Some((sequence, upto)) = self.sent.front().copied() {
            if sequence > ack.acknowledged_sequence {
                break;
            }
            self.sent.pop_front();
            self.telemetry.0.ring.lock().acknowledge(upto);
        }
        self.telemetry.0.acknowledged.notify_waiters();
    }
}
