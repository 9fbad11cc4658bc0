//! The report stream: batches out, acknowledgements in, the rest again after a break.
//!
//! A batch goes out every 250 ms, when there is enough for one, and after every acknowledgement,
//! so a busy process is limited by the runtime's pace and a quiet one costs nothing. The kinds
//! take turns: a flood of one does not starve the others.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::time::Duration;

use contract::grpc::v1::telemetry_client::TelemetryClient;
use contract::grpc::v1::{TelemetryAck, TelemetryBatch};
use contract::transport::Channel;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use super::Telemetry;
use super::outbox::Source;
use super::ring::{BATCH_ITEMS_MAX, Position};

const FLUSH_EVERY: Duration = Duration::from_millis(250);
const IN_FLIGHT_ITEMS_MAX: usize = 1_024;

/// Why a report stream is over.
#[derive(Debug)]
pub(crate) enum ReportEnd {
    /// It broke, or the runtime refused it.
    Lost(Status),
    /// The runtime asked to come back later.
    Drained,
}

/// Items sent at once from which on a process is busy: what recorders hold is worth fetching
/// before their own beat, or it would come in bursts that no ring has room for.
const BUSY_ITEMS_MIN: usize = 64;

/// How much there was to send lately.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    Quiet,
    Busy,
}

/// Reports for `instance` over `channel` until the stream ends. `on_ack` is called for every
/// acknowledgement, before what is there then is sent.
pub(crate) async fn report(
    telemetry: &Telemetry,
    channel: Channel,
    instance: String,
    mut on_ack: impl FnMut(Load),
) -> ReportEnd {
    telemetry.0.outbox.rewind();
    let (sender, receiver) = mpsc::channel(IN_FLIGHT_ITEMS_MAX / BATCH_ITEMS_MAX);
    let origin = channel.origin();
    let mut client = TelemetryClient::with_origin(channel, origin);
    let mut stream = Stream {
        telemetry,
        sender,
        instance,
        sequence: 0,
        sent: VecDeque::new(),
        items: 0,
        dropped: 0,
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
                Ok(ack) => { stream.acknowledge(&ack); on_ack(stream.load()); }
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
    instance: String,
    sequence: u64,
    /// Batches under way, in the order they were sent.
    sent: VecDeque<Sent>,
    /// Items sent since the last acknowledgement.
    items: usize,
    /// What the runtime has dropped of this stream.
    dropped: u64,
}

struct Sent {
    sequence: u64,
    source: Source,
    /// Behind its last item.
    upto: Position,
}

impl Stream<'_> {
    /// Sends what there is room for; the rest waits for an acknowledgement.
    fn send(&mut self) {
        self.telemetry.pump();
        loop {
            let turn = Source::ALL.map(|source| self.send_of(source));
            if !turn.contains(&true) {
                return;
            }
        }
    }

    /// Sends one batch. Returns whether there was one, and room for it.
    fn send_of(&mut self, source: Source) -> bool {
        let outbox = &self.telemetry.0.outbox;
        let Ok(permit) = self.sender.try_reserve() else {
            return false;
        };
        let before = outbox.in_flight();
        let room = IN_FLIGHT_ITEMS_MAX.saturating_sub(before);
        let Some((kind, upto)) = outbox.batch(source, room, &self.instance) else {
            return false;
        };
        self.items += outbox.in_flight().saturating_sub(before);
        self.sequence += 1;
        self.sent.push_back(Sent {
            sequence: self.sequence,
            source,
            upto,
        });
        permit.send(TelemetryBatch {
            sequence: self.sequence,
            kind: Some(kind),
        });
        true
    }

    /// How much was sent since this was asked before.
    fn load(&mut self) -> Load {
        if std::mem::take(&mut self.items) >= BUSY_ITEMS_MIN {
            Load::Busy
        } else {
            Load::Quiet
        }
    }

    fn acknowledge(&mut self, ack: &TelemetryAck) {
        // Nothing beyond what was sent can have been received: such an answer is not ours.
        if ack.acknowledged_sequence > self.sequence {
            return;
        }
        while let Some(sent) = self.sent.front() {
            if sent.sequence > ack.acknowledged_sequence {
                break;
            }
            let outbox = &self.telemetry.0.outbox;
            outbox.acknowledge(sent.source, sent.upto);
            self.sent.pop_front();
        }
        let shared = &self.telemetry.0;
        let dropped = ack.drop_count_server_side;
        let new = dropped.saturating_sub(self.dropped);
        shared.lost_by_runtime.fetch_add(new, Ordering::Relaxed);
        self.dropped = self.dropped.max(dropped);
        let level = u64::from(ack.backpressure_level);
        shared.pressure.store(level, Ordering::Relaxed);
        shared.acknowledged.notify_waiters();
    }
}
