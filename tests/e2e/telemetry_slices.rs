//! A runtime that is killed while a slice of history follows another.

use std::time::Duration;

use contract::clock::Clock;
use contract::grpc::v1::telemetry_batch::Kind;
use contract::grpc::v1::telemetry_client::TelemetryClient;
use contract::grpc::v1::{Channel, OpBatch, OpReport, Status, TelemetryAck, TelemetryBatch};
use contract::ids::{IdMint, OpId, TraceId};
use contract::transport::Channel as Transport;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

use crate::harness::{Member, on_both_databases, soak};

use bridge_runtime::operator::model::TraceTree;

/// Operations of one trace, which is one batch.
const OPS: usize = 100;
/// Pause between two batches: at about 70 KiB each a twelfth of the least space there can be is full
/// long before the sweep that comes every five seconds, and what two lives of a process leave is far
/// from all of it.
const PAUSE: Duration = Duration::from_millis(120);
/// When the first sweep of a process begins.
const SWEEP: Duration = Duration::from_secs(5);
/// Space for operations: the least that the setting takes.
const BYTES_MAX: &str = "16777216";

fn batch(mint: &IdMint, trace: TraceId, now_ms: i64) -> Vec<OpReport> {
    let report = |at: usize| OpReport {
        trace_id: trace.to_string(),
        op_id: OpId::mint(mint).to_string(),
        channel: Channel::User as i32,
        kind: 1,
        subject: format!("work:{at}"),
        attempt: 1,
        started_at_ms: now_ms,
        finished_at_ms: Some(now_ms + 1),
        status: Status::Success as i32,
        attrs_json: format!(r#"{{"note":"{}"}}"#, "x".repeat(200)).into_bytes(),
        ..OpReport::default()
    };
    (0..OPS).map(report).collect()
}

/// Reports until the runtime breaks off; returns the traces it acknowledged.
async fn report_until_broken(channel: Transport, clock: Clock, mint: IdMint) -> Vec<TraceId> {
    let origin = channel.origin();
    let mut client = TelemetryClient::with_origin(channel, origin);
    let (frames, receiver) = tokio::sync::mpsc::channel(16);
    let acks = client.report(ReceiverStream::new(receiver)).await;
    let mut acks: Streaming<TelemetryAck> = acks.expect("taken").into_inner();
    let mut sent = Vec::new();
    let mut acknowledged = 0;
    let mut beats = clock.interval(PAUSE);
    loop {
        tokio::select! {
            () = beats.tick() => {
                let trace = TraceId::mint(&mint);
                sent.push(trace);
                let items = batch(&mint, trace, clock.now().as_millis());
                let sequence = sent.len() as u64;
                let kind = Some(Kind::Ops(OpBatch { items }));
                if frames.send(TelemetryBatch { kind, sequence }).await.is_err() {
                    break;
                }
            }
            ack = acks.message() => match ack {
                Ok(Some(ack)) => acknowledged = acknowledged.max(ack.acknowledged_sequence),
                Ok(None) | Err(_) => break,
            },
        }
    }
    sent.truncate(usize::try_from(acknowledged).expect("small"));
    sent
}

on_both_databases! {
    async fn what_was_acknowledged_survives_a_kill_while_slices_follow_each_other(world: World) {
        let mint = IdMint::system(&Clock::system());
        let member = Member::provision(&world.address(), &world.key("orders").await).await;
        world.set("telemetry.ops_bytes_max", BYTES_MAX).await;
        let lives = if soak() { 60 } else { 3 };
        let mut before: Vec<TraceId> = Vec::new();
        let mut in_all = 0;
        for life in 0..lives {
            // Around the moment in which the sweep makes the next slice, a little later each time.
            let kill_after = SWEEP + Duration::from_millis(5 + 17 * (life % 12));
            let channel = member.runtime(&world.address()).await;
            let (clock, of_reporter) = (world.clock.clone(), mint.clone());
            let reporter = tokio::spawn(report_until_broken(channel, clock, of_reporter));
            world.clock.sleep(kill_after).await;
            world.runtime().kill();
            let acknowledged = reporter.await.expect("runs");
            assert!(acknowledged.len() > 10, "{} batches in life {life}", acknowledged.len());
            world.restart().await;
            // Those of earlier lives may have made room.
            for trace in before.iter().chain(&acknowledged) {
                let tree: TraceTree = world.get(&format!("/api/v1/traces/{trace}")).await;
                assert_eq!(tree.ops.len(), OPS, "trace {trace} in life {life}");
            }
            in_all += acknowledged.len();
            before = acknowledged;
        }
        println!("{lives} kills, {in_all} batches of {OPS} operations acknowledged and found again");
    }
}
